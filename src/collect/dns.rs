//! Questions to the DNS, and their answers as they came: outcome, TTL, every alias, and what DNSSEC proves.

use std::sync::Arc;
use std::time::Instant;

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::op::{DnsResponse, Query, ResponseCode};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordType};
use tokio::sync::{OnceCell, Semaphore};
use tracing::debug;

use super::dns_failure;
use super::failure::failure;
use super::limits::{Clock, MAX_ALIASES, MAX_QUESTIONS, MAX_RECORDS, millis};
use super::memo::Memo;
use super::options::DnssecMode;
use super::resolver::Way;
use crate::snapshot::{
    AddressRecord, Alias, DnsOutcome, DnssecProof, Failure, FailureKind, Lookup, MxRecord, Octets, TlsaRecord,
    TxtRecord,
};

/// How many answers are remembered in a run.
const REMEMBERED: usize = 16_384;

/// Puts questions, each once in a run.
pub struct Questions {
    way: Way,
    mode: DnssecMode,
    permits: Semaphore,
    answers: Memo<(String, u16), Arc<Lookup<RData>>>,
    resolver_validates: OnceCell<bool>,
    signatures_arrive: OnceCell<bool>,
}

impl Questions {
    /// Questions that go `way`.
    pub fn new(way: Way, mode: DnssecMode) -> Self {
        Questions {
            way,
            mode,
            permits: Semaphore::new(MAX_QUESTIONS),
            answers: Memo::new(REMEMBERED),
            resolver_validates: OnceCell::new(),
            signatures_arrive: OnceCell::new(),
        }
    }

    /// The TXT records at a name.
    pub async fn txt(&self, name: &str, clock: Clock) -> Lookup<TxtRecord> {
        self.lookup(name, RecordType::TXT, clock, |rdata| match rdata {
            RData::TXT(txt) => {
                Some(TxtRecord { strings: txt.txt_data.iter().map(|string| Octets(string.to_vec())).collect() })
            }
            _ => None,
        })
        .await
    }

    /// The MX records at a name.
    pub async fn mx(&self, name: &str, clock: Clock) -> Lookup<MxRecord> {
        self.lookup(name, RecordType::MX, clock, |rdata| match rdata {
            RData::MX(mx) => Some(MxRecord { preference: mx.preference, exchange: shown(&mx.exchange) }),
            _ => None,
        })
        .await
    }

    /// The IPv4 addresses of a name.
    pub async fn ipv4(&self, name: &str, clock: Clock) -> Lookup<AddressRecord> {
        self.lookup(name, RecordType::A, clock, |rdata| match rdata {
            RData::A(address) => Some(AddressRecord { address: address.0.into() }),
            _ => None,
        })
        .await
    }

    /// The IPv6 addresses of a name.
    pub async fn ipv6(&self, name: &str, clock: Clock) -> Lookup<AddressRecord> {
        self.lookup(name, RecordType::AAAA, clock, |rdata| match rdata {
            RData::AAAA(address) => Some(AddressRecord { address: address.0.into() }),
            _ => None,
        })
        .await
    }

    /// The TLSA records at a name.
    pub async fn tlsa(&self, name: &str, clock: Clock) -> Lookup<TlsaRecord> {
        self.lookup(name, RecordType::TLSA, clock, |rdata| match rdata {
            RData::TLSA(tlsa) => Some(TlsaRecord {
                usage: tlsa.cert_usage.into(),
                selector: tlsa.selector.into(),
                matching: tlsa.matching.into(),
                association: super::certificate::hex(&tlsa.cert_data),
            }),
            _ => None,
        })
        .await
    }

    /// The names of a zone's name servers.
    pub async fn ns(&self, name: &str, clock: Clock) -> Lookup<String> {
        self.lookup(name, RecordType::NS, clock, |rdata| match rdata {
            RData::NS(server) => Some(shown(&server.0)),
            _ => None,
        })
        .await
    }

    async fn lookup<R>(
        &self,
        name: &str,
        kind: RecordType,
        clock: Clock,
        read: impl Fn(&RData) -> Option<R>,
    ) -> Lookup<R> {
        let key = (name.to_ascii_lowercase(), kind.into());
        let is_final = |lookup: &Arc<Lookup<RData>>| lookup.outcome != Some(DnsOutcome::Timeout) || !clock.is_over();
        let answer = self.answers.get(key, is_final, || self.ask(name, kind, clock));
        let answer = match clock.until_deadline("answer", answer).await {
            Ok(answer) => answer,
            Err(failure) => Arc::new(unanswered(name, DnsOutcome::Timeout, failure)),
        };
        Lookup {
            name: answer.name.clone(),
            outcome: answer.outcome,
            ttl: answer.ttl,
            dnssec: answer.dnssec,
            aliases: answer.aliases.clone(),
            records: answer.records.iter().filter_map(read).collect(),
            failure: answer.failure.clone(),
            elapsed_ms: answer.elapsed_ms,
        }
    }

    async fn ask(&self, name: &str, kind: RecordType, clock: Clock) -> Arc<Lookup<RData>> {
        let Ok(owner) = Name::from_ascii(format!("{}.", name.trim_end_matches('.'))) else {
            // RFC 1035 §2.3.4: a label has 63 octets at most and a name 255, so nobody can publish this one.
            let failure = failure(FailureKind::Other, "this name is longer than the DNS allows");
            return Arc::new(unanswered(name, DnsOutcome::Nxdomain, failure));
        };
        let Ok(_permit) = self.permits.acquire().await else {
            let failure = failure(FailureKind::Other, "the run has ended");
            return Arc::new(unanswered(name, DnsOutcome::Other, failure));
        };
        let began = Instant::now();
        let mut trail = Trail::new(owner, kind);
        let lookup = match clock.within("answer from the resolver", self.follow(&mut trail, clock)).await {
            Ok(()) => trail.into_lookup(name, self.mode),
            Err(failure) => unanswered(name, DnsOutcome::Timeout, failure),
        };
        let elapsed = began.elapsed();
        debug!(name, %kind, outcome = ?lookup.outcome, records = lookup.records.len(), ?elapsed, "question");
        Arc::new(Lookup { elapsed_ms: Some(millis(elapsed)), ..lookup })
    }

    /// Asks until there is an end: records, their absence, or a failure.
    async fn follow(&self, trail: &mut Trail, clock: Clock) {
        while trail.end.is_none() {
            let query = Query::query(trail.current.clone(), trail.kind);
            let asked = match self.mode {
                DnssecMode::Validate => self.way.ask(query).await,
                DnssecMode::Off | DnssecMode::TrustAd => self.way.ask_plain(query).await,
            };
            let authentic = asked.as_ref().is_ok_and(|response| response.metadata.authentic_data);
            match dns_failure::answer(asked) {
                Ok(answer) => trail.advance(answer),
                Err((outcome, failure)) => trail.end = Some((outcome, Some(failure))),
            }
            if self.mode == DnssecMode::TrustAd {
                trail.proof = Some(weaker(trail.proof, self.believed(authentic).await));
            }
        }
        let doubtful = matches!(trail.proof, Some(DnssecProof::Bogus | DnssecProof::Indeterminate));
        if doubtful && !self.signatures_arrive(clock).await {
            trail.proof = Some(DnssecProof::Indeterminate);
        }
    }

    /// What the AD bit of an answer means: its absence proves something only where the resolver validates at all.
    async fn believed(&self, authentic: bool) -> DnssecProof {
        if authentic {
            return DnssecProof::Secure;
        }
        let validates = self.resolver_validates.get_or_init(|| async {
            let asked = self.way.ask_plain(Query::query(Name::root(), RecordType::NS)).await;
            asked.is_ok_and(|response| response.metadata.authentic_data)
        });
        if *validates.await { DnssecProof::Insecure } else { DnssecProof::Indeterminate }
    }

    /// Whether the way to the trust anchor leaves signatures in: where it strips them, nothing is bogus.
    async fn signatures_arrive(&self, clock: Clock) -> bool {
        let arrive = self.signatures_arrive.get_or_init(|| async {
            let query = Query::query(self.way.anchor().clone(), RecordType::DNSKEY);
            let asked = clock.within("answer from the resolver", self.way.ask_unchecked(query)).await;
            let signed = |response: DnsResponse| response.answers.iter().any(|record| record.record_type().is_rrsig());
            asked.is_ok_and(|response| response.is_ok_and(signed))
        });
        *arrive.await
    }
}

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
struct Trail {
    kind: RecordType,
    current: Name,
    aliases: Vec<Alias>,
    names: Vec<Name>,
    records: Vec<Record>,
    proof: Option<DnssecProof>,
    end: Option<(DnsOutcome, Option<Failure>)>,
}

impl Trail {
    fn new(owner: Name, kind: RecordType) -> Self {
        let names = vec![owner.clone()];
        Trail { kind, current: owner, aliases: Vec::new(), names, records: Vec::new(), proof: None, end: None }
    }

    /// Follows the aliases of one answer, and ends where it has the records or says that there are none.
    fn advance(&mut self, answer: Answer) {
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

    fn into_lookup(self, name: &str, mode: DnssecMode) -> Lookup<RData> {
        let (outcome, failure) = self.end.unwrap_or((DnsOutcome::Other, None));
        Lookup {
            name: Some(name.trim_end_matches('.').to_owned()),
            outcome: Some(outcome),
            ttl: self.records.iter().map(|record| record.ttl).min(),
            dnssec: match mode {
                DnssecMode::Off => Some(DnssecProof::Unchecked),
                DnssecMode::TrustAd | DnssecMode::Validate => self.proof.or(Some(DnssecProof::Indeterminate)),
            },
            aliases: self.aliases,
            records: self.records.into_iter().map(|record| record.data).collect(),
            failure,
            elapsed_ms: None,
        }
    }
}

/// A name as people write it, without the root's dot, the root itself as `.`.
pub fn shown(name: &Name) -> String {
    match name.is_root() {
        true => ".".to_owned(),
        false => name.to_ascii().trim_end_matches('.').to_owned(),
    }
}

fn unanswered(name: &str, outcome: DnsOutcome, failure: Failure) -> Lookup<RData> {
    Lookup {
        name: Some(name.trim_end_matches('.').to_owned()),
        outcome: Some(outcome),
        failure: Some(failure),
        ..Lookup::default()
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
fn weaker(one: Option<DnssecProof>, other: DnssecProof) -> DnssecProof {
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

/// Reads an error that is an answer all the same: "no records" comes as one from hickory.
pub fn absent(error: &NetError) -> Option<Answer> {
    let NetError::Dns(DnsError::NoRecordsFound(none)) = error else { return None };
    Some(Answer {
        exists: none.response_code != ResponseCode::NXDomain,
        records: Vec::new(),
        soa: none.soa.as_ref().map(|soa| soa.name.clone()),
        absence: None,
        is_referral: none.soa.is_none() && none.ns.is_some(),
    })
}
