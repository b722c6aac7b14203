//! Questions to the DNS, and their answers as they came: outcome, TTL, every alias, and what DNSSEC proves.

use std::sync::Arc;
use std::time::Instant;

use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{RData, RecordType};

use super::dns_failure::{self, Asked};
use super::dns_name::{owner, shown};
use super::dns_proof::{Limits, Proven, Prover};
use super::dns_trail::Trail;
use super::failure::failure;
use super::limits::{Clock, millis};
use super::log_lines;
use super::memo::Memo;
use super::options::DnssecMode;
use super::resolver::Upstream;
use super::window::Queries;
use crate::snapshot::{
    AddressRecord, DnsOutcome, DnssecProof, Failure, FailureKind, Lookup, MxRecord, Octets, PtrRecord, TlsaRecord,
    TxtRecord,
};

/// How many answers are remembered in a run.
const REMEMBERED: usize = 16_384;

/// Puts questions, each once in a run.
pub struct Questions {
    upstream: Upstream,
    mode: DnssecMode,
    answers: Memo<(String, u16), Arc<Lookup<RData>>>,
    prover: Arc<Prover>,
}

impl Questions {
    /// Questions that go `way`.
    pub fn new(upstream: Upstream, mode: DnssecMode) -> Self {
        Questions {
            prover: Arc::new(Prover::new(upstream.clone(), mode)),
            upstream,
            mode,
            answers: Memo::new(REMEMBERED),
        }
    }

    /// Waits until another domain's questions would not have to wait long.
    pub async fn ready(&self) {
        self.upstream.window().ready().await;
    }

    /// How many queries there were so far.
    pub fn queries(&self) -> Queries {
        self.upstream.window().queries()
    }

    /// The TXT records at a name.
    pub async fn txt(&self, name: &str, limits: &Limits) -> Lookup<TxtRecord> {
        self.lookup(name, RecordType::TXT, limits, read_txt).await
    }

    /// The MX records at a name.
    pub async fn mx(&self, name: &str, limits: &Limits) -> Lookup<MxRecord> {
        self.lookup(name, RecordType::MX, limits, read_mx).await
    }

    /// The IPv4 addresses of a name.
    pub async fn ipv4(&self, name: &str, limits: &Limits) -> Lookup<AddressRecord> {
        self.lookup(name, RecordType::A, limits, |rdata| match rdata {
            RData::A(address) => Some(AddressRecord { address: address.0.into() }),
            _ => None,
        })
        .await
    }

    /// The IPv6 addresses of a name.
    pub async fn ipv6(&self, name: &str, limits: &Limits) -> Lookup<AddressRecord> {
        self.lookup(name, RecordType::AAAA, limits, |rdata| match rdata {
            RData::AAAA(address) => Some(AddressRecord { address: address.0.into() }),
            _ => None,
        })
        .await
    }

    /// The TLSA records at a name.
    pub async fn tlsa(&self, name: &str, limits: &Limits) -> Lookup<TlsaRecord> {
        self.lookup(name, RecordType::TLSA, limits, |rdata| match rdata {
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

    /// The names that an address leads back to, at its reverse name.
    pub async fn ptr(&self, name: &str, limits: &Limits) -> Lookup<PtrRecord> {
        self.lookup(name, RecordType::PTR, limits, |rdata| match rdata {
            RData::PTR(target) => Some(PtrRecord { name: shown(&target.0) }),
            _ => None,
        })
        .await
    }

    /// The names of a zone's name servers.
    pub async fn ns(&self, name: &str, limits: &Limits) -> Lookup<String> {
        self.lookup(name, RecordType::NS, limits, |rdata| match rdata {
            RData::NS(server) => Some(shown(&server.0)),
            _ => None,
        })
        .await
    }

    async fn lookup<R>(
        &self,
        name: &str,
        kind: RecordType,
        limits: &Limits,
        read: impl Fn(&RData) -> Option<R>,
    ) -> Lookup<R> {
        let clock = limits.clock;
        let key = (name.to_ascii_lowercase(), kind.into());
        let is_final = |lookup: &Arc<Lookup<RData>>| lookup.outcome != Some(DnsOutcome::Timeout) || !clock.is_over();
        let answer = self.answers.get(key, is_final, || {
            self.prover.begin(name, kind, limits);
            // On the heap, like all that is large here: dozens of questions of each of many domains are under way.
            Box::pin(self.ask(name, kind, clock))
        });
        let answer = match clock.until_deadline("answer", Box::pin(answer)).await {
            Ok(answer) => answer,
            Err(failure) => Arc::new(unanswered(name, DnsOutcome::Timeout, failure)),
        };
        typed(&answer, read)
    }

    async fn ask(&self, name: &str, kind: RecordType, clock: Clock) -> Arc<Lookup<RData>> {
        let Some(owner) = owner(name) else {
            // RFC 1035 §2.3.4: a label has 63 octets at most and a name 255, so nobody can publish this one.
            let failure = failure(FailureKind::Other, "this name is longer than the DNS allows");
            return Arc::new(unanswered(name, DnsOutcome::Nxdomain, failure));
        };
        let began = Instant::now();
        let mut trail = Trail::new(owner, kind);
        let lookup = match clock.within("answer from the resolver", Box::pin(self.follow(&mut trail))).await {
            Ok(()) => trail.into_lookup(name),
            Err(failure) => unanswered(name, DnsOutcome::Timeout, failure),
        };
        let lookup = Box::pin(self.blamed(lookup, clock)).await;
        let elapsed = began.elapsed();
        log_lines::answer(kind, name, None, &lookup, elapsed);
        Arc::new(Lookup { elapsed_ms: Some(millis(elapsed)), ..lookup })
    }

    /// The lookup, with the failure laid at the resolver's door where it has no answer at all: a resolver that answers for
    /// the root, and not for this name, waits for the zone's own servers, unless the query may never have come to it.
    async fn blamed(&self, lookup: Lookup<RData>, clock: Clock) -> Lookup<RData> {
        let (Some(DnsOutcome::Malformed | DnsOutcome::Servfail | DnsOutcome::Timeout), Some(failure)) =
            (lookup.outcome, &lookup.failure)
        else {
            return lookup;
        };
        if failure.kind == FailureKind::Resolver {
            return lookup;
        }
        if self.upstream.is_alive(clock).await {
            let lost = self.upstream.may_be_lost().filter(|_| lookup.outcome == Some(DnsOutcome::Timeout));
            let Some(lost) = lost else { return lookup };
            let detail = format!("{}: {lost}", failure.detail);
            return Lookup { failure: Some(super::failure::failure(FailureKind::Resolver, detail)), ..lookup };
        }
        let unconnected = self.upstream.unconnected().filter(|_| lookup.outcome == Some(DnsOutcome::Timeout));
        let detail = match unconnected {
            Some(why) => format!("the resolver cannot be used: {why}"),
            None => format!("{}, and it has no answer for the root either", failure.detail),
        };
        Lookup { failure: Some(super::failure::failure(FailureKind::Resolver, detail)), ..lookup }
    }

    /// Asks until there is an end: records, their absence, or a failure.
    async fn follow(&self, trail: &mut Trail) {
        let mut authentic = true;
        while trail.end.is_none() {
            let query = Query::query(trail.current.clone(), trail.kind);
            let put = match self.mode {
                DnssecMode::Off => self.upstream.put_bare(query).await,
                DnssecMode::TrustAd => self.upstream.put_plain(query).await,
                DnssecMode::Validate => self.upstream.put_unchecked(query).await,
            };
            authentic &= put.response.as_ref().is_ok_and(|response| response.metadata.authentic_data);
            trail.first_try = trail.first_try.take().or(put.first);
            trail.extended_errors = put.note.extended_errors;
            match dns_failure::answer(put.response, Asked::Resolver) {
                Ok(answer) => trail.advance(answer),
                Err(ended) => {
                    let ended = dns_failure::without_streams(ended, put.note.truncated);
                    let (outcome, failure) = dns_failure::without_connection(ended, put.unconnected);
                    trail.end = Some((outcome, Some(failure)));
                }
            }
        }
        // Validation goes on beside this; what it proves is added at the end.
        trail.proof = match self.mode {
            DnssecMode::Off => Some(DnssecProof::Unchecked),
            DnssecMode::TrustAd if authentic => Some(DnssecProof::Secure),
            DnssecMode::TrustAd | DnssecMode::Validate => None,
        };
    }

    /// What DNSSEC proves of an answer, where it is not known yet. Waits for the validation.
    pub async fn proof<R>(&self, lookup: &Lookup<R>, kind: RecordType, limits: &Limits) -> Proven {
        match (lookup.dnssec, lookup.known(), &lookup.name) {
            (None, Some(_), Some(name)) => self.prover.proof(name, kind, limits).await,
            (known, ..) => Proven { proof: known, ..Proven::default() },
        }
    }
}

/// Reads the data of a TXT record.
pub fn read_txt(rdata: &RData) -> Option<TxtRecord> {
    match rdata {
        RData::TXT(txt) => {
            Some(TxtRecord { strings: txt.txt_data.iter().map(|string| Octets(string.to_vec())).collect() })
        }
        _ => None,
    }
}

/// Reads the data of an MX record.
pub fn read_mx(rdata: &RData) -> Option<MxRecord> {
    match rdata {
        RData::MX(mx) => Some(MxRecord { preference: mx.preference, exchange: shown(&mx.exchange) }),
        _ => None,
    }
}

/// The lookup with its records read.
pub fn typed<R>(answer: &Lookup<RData>, read: impl Fn(&RData) -> Option<R>) -> Lookup<R> {
    Lookup {
        name: answer.name.clone(),
        outcome: answer.outcome,
        ttl: answer.ttl,
        ttl_at_least: answer.ttl_at_least,
        dnssec: answer.dnssec,
        dnssec_reason: answer.dnssec_reason.clone(),
        extended_errors: answer.extended_errors.clone(),
        aliases: answer.aliases.clone(),
        records: answer.records.iter().filter_map(read).collect(),
        failure: answer.failure.clone(),
        first_try: answer.first_try.clone(),
        elapsed_ms: answer.elapsed_ms,
    }
}

/// A lookup that came to nothing.
pub fn unanswered(name: &str, outcome: DnsOutcome, failure: Failure) -> Lookup<RData> {
    Lookup {
        name: Some(name.trim_end_matches('.').to_owned()),
        outcome: Some(outcome),
        failure: Some(failure),
        ..Lookup::default()
    }
}
