//! The way from a name along its aliases to records, or to their absence (RFC 1034 §3.6.2).
//!
//! Pure: `dns` puts the questions and hands over each answer.

use std::collections::BTreeSet;

use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::dnssec::rdata::DNSSECRData;
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordType};

use super::dns_name::shown;
use super::failure::failure;
use super::limits::{MAX_ALIASES, MAX_RECORDS, MAX_STRINGS};
use crate::snapshot::{Alias, DnsOutcome, DnssecProof, ExtendedError, Failure, FailureKind, FirstQuery, Lookup};

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
    /// Whether the server says that it speaks for the zone (RFC 1035 §4.1.1), where that is known.
    pub authority: Option<bool>,
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
    /// The TTL that the records were signed with (RFC 4034 §3.1.4).
    signed_ttl: Option<u32>,
    /// Whether the last answer came with authority, where that is known.
    pub authority: Option<bool>,
    /// How a query on the way ended at first, where it was put again.
    pub first_try: Option<FirstQuery>,
    /// What the resolver says about its last answer (RFC 8914).
    pub extended_errors: Vec<ExtendedError>,
}

impl Trail {
    /// A question that was not put yet.
    pub fn new(owner: Name, kind: RecordType) -> Self {
        let names = vec![owner.clone()];
        Trail {
            kind,
            current: owner,
            aliases: Vec::new(),
            names,
            records: Vec::new(),
            proof: None,
            end: None,
            signed_ttl: None,
            authority: None,
            first_try: None,
            extended_errors: Vec::new(),
        }
    }

    /// Follows the aliases of one answer, and ends where it has the records or says that there are none.
    pub fn advance(&mut self, answer: Answer) {
        let before = self.aliases.len();
        self.authority = answer.authority;
        while let Some(alias) = answer.records.iter().find(|record| self.is_alias(record)) {
            let targets: BTreeSet<_> = answer.records.iter().filter(|it| self.is_alias(it)).map(target).collect();
            if targets.len() > 1 {
                let name = shown(&self.current);
                let detail = format!(
                    "there are {} CNAME records at {name}, but only one is allowed (RFC 2181 §10.1)",
                    targets.len()
                );
                self.end = Some((DnsOutcome::Malformed, Some(failure(FailureKind::Protocol, detail))));
                return;
            }
            self.take_alias(alias);
            if self.end.is_some() {
                return;
            }
        }
        let (current, kind) = (self.current.clone(), self.kind);
        let of_others =
            !answer.records.is_empty() && !answer.records.iter().any(|record| self.names.contains(&record.name));
        let signed = answer.records.iter().filter(|record| record.name == current);
        self.signed_ttl = signed.filter_map(|record| signed_ttl(record, kind)).min();
        self.records = answer
            .records
            .into_iter()
            .filter(|record| record.name == current && record.record_type() == kind && record.dns_class == DNSClass::IN)
            .collect();
        if self.records.len() > MAX_RECORDS {
            let detail = format!("the answer has {} records, and at most {MAX_RECORDS} are read", self.records.len());
            self.records.clear();
            self.end = Some((DnsOutcome::Other, Some(failure(FailureKind::Limit, detail))));
            return;
        }
        let strings: usize = self.records.iter().map(strings).sum();
        if strings > MAX_STRINGS {
            let detail = format!("the answer has {strings} character-strings, and at most {MAX_STRINGS} are read");
            self.records.clear();
            self.end = Some((DnsOutcome::Other, Some(failure(FailureKind::Limit, detail))));
            return;
        }
        if !answer.exists {
            // The response code says that there is no such name, whatever is beside it (RFC 2308 §2.1).
            self.records.clear();
        }
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

    /// The name that was asked for, and those that aliases led to.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    fn is_alias(&self, record: &Record) -> bool {
        self.kind != RecordType::CNAME && record.name == self.current && matches!(record.data, RData::CNAME(_))
    }

    fn take_alias(&mut self, record: &Record) {
        let RData::CNAME(target) = &record.data else { return };
        self.aliases.push(Alias { name: shown(&record.name), target: shown(&target.0), ttl: Some(record.ttl) });
        self.proof = Some(weaker(self.proof, proof(record.proof)));
        if self.names.contains(&target.0) {
            let detail = format!("the aliases form a loop: {} occurs twice", shown(&target.0));
            self.end = Some((DnsOutcome::Other, Some(failure(FailureKind::Protocol, detail))));
        } else if self.aliases.len() >= MAX_ALIASES {
            let detail = format!("there are more than {MAX_ALIASES} aliases in a row");
            self.end = Some((DnsOutcome::Other, Some(failure(FailureKind::Protocol, detail))));
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
            ttl: self.signed_ttl.or_else(|| self.records.iter().map(|record| record.ttl).min()),
            ttl_at_least: !self.records.is_empty() && self.signed_ttl.is_none() && self.authority != Some(true),
            dnssec: self.proof,
            aliases: self.aliases,
            records: self.records.into_iter().map(|record| record.data).collect(),
            failure,
            first_try: self.first_try,
            extended_errors: self.extended_errors,
            dnssec_reason: None,
            elapsed_ms: None,
        }
    }
}

fn target(record: &Record) -> Option<&Name> {
    match &record.data {
        RData::CNAME(target) => Some(&target.0),
        _ => None,
    }
}

/// How many character-strings a record has.
fn strings(record: &Record) -> usize {
    match &record.data {
        RData::TXT(txt) => txt.txt_data.len(),
        _ => 0,
    }
}

/// The TTL that a signature over records of a type says they were published with.
fn signed_ttl(record: &Record, kind: RecordType) -> Option<u32> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) if signature.input().type_covered == kind => {
            Some(signature.input().original_ttl)
        }
        _ => None,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::net::Ipv4Addr;

    use hickory_resolver::proto::dnssec::Algorithm;
    use hickory_resolver::proto::dnssec::rdata::RRSIG;
    use hickory_resolver::proto::dnssec::rdata::sig::SigInput;
    use hickory_resolver::proto::rr::SerialNumber;
    use hickory_resolver::proto::rr::rdata::{A, CNAME, TXT};

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn record(owner: &str, data: RData) -> Record {
        Record::from_rdata(name(owner), 60, data)
    }

    fn a(last: u8) -> RData {
        RData::A(A(Ipv4Addr::new(192, 0, 2, last)))
    }

    fn cname(target: &str) -> RData {
        RData::CNAME(CNAME(name(target)))
    }

    /// What one answer about `host.test.` comes to.
    fn said(exists: bool, authority: Option<bool>, records: Vec<Record>) -> Lookup<RData> {
        let mut trail = Trail::new(name("host.test."), RecordType::A);
        trail.advance(Answer { exists, records, soa: None, absence: None, authority, is_referral: false });
        trail.into_lookup("host.test")
    }

    #[test]
    fn two_aliases_at_a_name_are_no_answer() {
        let records = vec![record("host.test.", cname("one.test.")), record("host.test.", cname("two.test."))];
        let lookup = said(true, None, records);
        assert_eq!(lookup.outcome, Some(DnsOutcome::Malformed));
        assert!(lookup.failure.unwrap().detail.contains("2 CNAME records at host.test"));
        // The same record twice is one.
        let records = vec![record("host.test.", cname("one.test.")), record("host.test.", cname("one.test."))];
        let lookup = said(true, None, [records, vec![record("one.test.", a(1))]].concat());
        assert_eq!((lookup.outcome, lookup.aliases.len()), (Some(DnsOutcome::Answer), 1));
    }

    #[test]
    fn a_name_that_does_not_exist_has_no_records() {
        let lookup = said(false, None, vec![record("host.test.", a(1))]);
        assert_eq!((lookup.outcome, lookup.records.len()), (Some(DnsOutcome::Nxdomain), 0));
        // Behind an alias the response code speaks of the last name.
        let lookup = said(false, None, vec![record("host.test.", cname("gone.test."))]);
        assert_eq!(lookup.aliases.len(), 1);
    }

    #[test]
    fn more_records_than_are_read_are_a_limit_here() {
        let records = |count: usize| vec![record("host.test.", a(1)); count];
        assert_eq!(said(true, None, records(MAX_RECORDS)).records.len(), MAX_RECORDS);
        let lookup = said(true, None, records(MAX_RECORDS + 1));
        assert_eq!((lookup.outcome, lookup.records.len()), (Some(DnsOutcome::Other), 0));
        assert_eq!(lookup.failure.unwrap().kind, FailureKind::Limit);
        let texts = |count: usize| {
            let mut trail = Trail::new(name("host.test."), RecordType::TXT);
            let records = vec![record("host.test.", RData::TXT(TXT::new(vec![String::new(); count])))];
            trail.advance(Answer {
                exists: true,
                records,
                soa: None,
                absence: None,
                authority: None,
                is_referral: false,
            });
            trail.into_lookup("host.test")
        };
        assert_eq!(texts(MAX_STRINGS).outcome, Some(DnsOutcome::Answer));
        assert_eq!(texts(MAX_STRINGS + 1).failure.unwrap().kind, FailureKind::Limit);
    }

    #[test]
    fn the_ttl_is_the_signed_one_or_the_zones_or_at_least_what_is_left() {
        let signature = |kind: RecordType, original_ttl: u32| {
            let input = SigInput {
                type_covered: kind,
                algorithm: Algorithm::ED25519,
                num_labels: 2,
                original_ttl,
                sig_expiration: SerialNumber::new(2),
                sig_inception: SerialNumber::new(1),
                key_tag: 1,
                signer_name: name("test."),
            };
            RData::DNSSEC(DNSSECRData::RRSIG(RRSIG::from_sig(input, vec![0; 64])))
        };
        let seen = |authority, more: Vec<Record>| {
            let lookup = said(true, authority, [vec![record("host.test.", a(1))], more].concat());
            (lookup.ttl, lookup.ttl_at_least)
        };
        assert_eq!(seen(Some(false), vec![]), (Some(60), true));
        assert_eq!(seen(Some(true), vec![]), (Some(60), false));
        assert_eq!(
            seen(Some(false), vec![record("host.test.", signature(RecordType::A, 3_600))]),
            (Some(3_600), false)
        );
        for other in [
            record("host.test.", signature(RecordType::TXT, 3_600)),
            record("x.test.", signature(RecordType::A, 3_600)),
        ] {
            assert_eq!(seen(Some(false), vec![other]), (Some(60), true));
        }
    }
}
