//! The way from a name along its aliases to records, or to their absence (RFC 1034 §3.6.2).
//!
//! Pure: `dns` puts the questions and hands over each answer.

use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordType};

use super::dns_name::shown;
use super::failure::failure;
use super::limits::{MAX_ALIASES, MAX_RECORDS};
use crate::snapshot::{Alias, DnsOutcome, DnssecProof, Failure, FailureKind, Lookup};

/// What one response says, read in the same way whether it was validated or not.
pub struct Answer {
    /// The response code: no error, or NXDOMAIN.
    pub exists: bool,
    /// The answer section.
    pub records: Vec<Record>,
    /// The zone whose SOA proves an absence (RFC 2308 §2).
    pub soa: Option<Name>,
    /// What was proven of the absence of records.
    pub absence: Option<Proof>,
    /// Whether it only points to other servers.
    pub is_referral: bool,
}

/// A question on its way along the aliases.
pub struct Trail {
    /// The type that is asked for.
    pub kind: RecordType,
    /// The name that is asked for next.
    pub current: Name,
    /// What is proven of all that was met.
    pub proof: Option<DnssecProof>,
    /// How it ended, and why.
    pub end: Option<(DnsOutcome, Option<Failure>)>,
    aliases: Vec<Alias>,
    names: Vec<Name>,
    records: Vec<Record>,
}

impl Trail {
    /// A question that was not put yet.
    pub fn new(owner: Name, kind: RecordType) -> Self {
        let names = vec![owner.clone()];
        Trail { kind, current: owner, aliases: Vec::new(), names, records: Vec::new(), proof: None, end: None }
    }

    /// Follows the aliases of one answer, and ends where it has the records or says that there are none.
    pub fn advance(&mut self, answer: Answer) {
        let before = self.aliases.len();
        while let Some(alias) = answer.records.iter().find(|record| self.is_alias(record)) {
            self.take_alias(alias);
            if self.end.is_some() {
                return;
            }
        }
        let (current, kind) = (self.current.clone(), self.kind);
        let of_others =
            !answer.records.is_empty() && !answer.records.iter().any(|record| self.names.contains(&record.name));
        self.records = answer
            .records
            .into_iter()
            .filter(|record| record.name == current && record.record_type() == kind && record.dns_class == DNSClass::IN)
            .take(MAX_RECORDS)
            .collect();
        if !self.records.is_empty() {
            let proof = self.records.iter().map(|record| proof(record.proof)).min_by_key(|proof| strength(*proof));
            self.proof = proof.map(|proof| weaker(self.proof, proof));
            self.end = Some((DnsOutcome::Answer, None));
            return;
        }
        let followed = self.aliases.len() > before;
        let covered = answer.soa.is_some_and(|zone| zone.zone_of(&self.current));
        if followed && !covered {
            // The server knows the alias but not where it leads: its response code speaks of the alias alone.
            return;
        }
        if of_others {
            let detail = "the answer holds records of other names than the one that was asked for";
            self.end = Some((DnsOutcome::Malformed, Some(failure(FailureKind::Protocol, detail))));
            return;
        }
        if let Some(absence) = answer.absence {
            self.proof = Some(weaker(self.proof, proof(absence)));
        }
        self.end = Some(match (answer.exists, answer.is_referral) {
            (false, _) => (DnsOutcome::Nxdomain, None),
            (true, true) => {
                let detail = "the server does not know the answer and points to others: is it a resolver?";
                (DnsOutcome::Other, Some(failure(FailureKind::Resolver, detail)))
            }
            (true, false) => (DnsOutcome::Nodata, None),
        });
    }

    fn is_alias(&self, record: &Record) -> bool {
        self.kind != RecordType::CNAME && record.name == self.current && matches!(record.data, RData::CNAME(_))
    }

    fn take_alias(&mut self, record: &Record) {
        let RData::CNAME(target) = &record.data else { return };
        self.aliases.push(Alias { name: shown(&record.name), target: shown(&target.0), ttl: Some(record.ttl) });
        self.proof = Some(weaker(self.proof, proof(record.proof)));
        if self.names.contains(&target.0) {
            let detail = format!("the aliases go round in a circle: {} was met before", shown(&target.0));
            self.end = Some((DnsOutcome::Other, Some(failure(FailureKind::Protocol, detail))));
        } else if self.aliases.len() >= MAX_ALIASES {
            let detail = format!("there are more than {MAX_ALIASES} aliases in a row");
            self.end = Some((DnsOutcome::Other, Some(failure(FailureKind::Limit, detail))));
        }
        self.names.push(target.0.clone());
        self.current = target.0.clone();
    }

    /// What was found at the end of the trail.
    pub fn into_lookup(self, name: &str) -> Lookup<RData> {
        let (outcome, failure) = self.end.unwrap_or((DnsOutcome::Other, None));
        Lookup {
            name: Some(name.trim_end_matches('.').to_owned()),
            outcome: Some(outcome),
            ttl: self.records.iter().map(|record| record.ttl).min(),
            dnssec: self.proof,
            aliases: self.aliases,
            records: self.records.into_iter().map(|record| record.data).collect(),
            failure,
            elapsed_ms: None,
        }
    }
}

fn proof(proof: Proof) -> DnssecProof {
    match proof {
        Proof::Bogus => DnssecProof::Bogus,
        Proof::Indeterminate => DnssecProof::Indeterminate,
        Proof::Insecure => DnssecProof::Insecure,
        Proof::Secure => DnssecProof::Secure,
    }
}

/// The proof of a whole that has both parts.
pub fn weaker(one: Option<DnssecProof>, other: DnssecProof) -> DnssecProof {
    one.map_or(other, |one| if strength(one) < strength(other) { one } else { other })
}

fn strength(proof: DnssecProof) -> u8 {
    match proof {
        DnssecProof::Bogus => 0,
        DnssecProof::Unchecked => 1,
        DnssecProof::Indeterminate => 2,
        DnssecProof::Insecure => 3,
        DnssecProof::Secure => 4,
    }
}
