//! What DNSSEC proves of an answer (RFC 4035 §4.3), found out beside the collection and never in its way.
//!
//! Validation needs the keys of every zone up to the trust anchor, one round trip after the other. Nobody has to
//! wait for them to speak to a host, so each validation runs as a task of its own and is asked for at the end.

use std::sync::Arc;

use futures_util::future::{join, join_all};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::{DnsResponse, Query};
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::sync::{OnceCell, Semaphore};
use tracing::debug;

use super::dns_denial;
use super::dns_failure::{self, Asked};
use super::dns_name::owner;
use super::dns_reason;
use super::dns_trail::{Trail, weaker};
use super::limits::{Clock, MAX_PROOF_WORK, MAX_VALIDATIONS, VALIDATION_STEPS};
use super::memo::Memo;
use super::options::DnssecMode;
use super::resolver::Upstream;
use super::work::Work;
use crate::snapshot::{DnsOutcome, DnssecProof, ExtendedError, ProofReason, ProofReasonKind};
use crate::source_text::escape;

/// How many proofs are remembered in a run.
const REMEMBERED: usize = 16_384;

/// What the proofs about a domain may cost.
#[derive(Clone)]
pub struct Limits {
    /// The time that is left.
    pub clock: Clock,
    /// The processor time of all of them together.
    pub work: Arc<Work>,
}

/// What is proven of an answer, and why nothing better is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proven {
    /// The proof; `None` where it was not looked for.
    pub proof: Option<DnssecProof>,
    /// Why it is bogus or indeterminate, where that was found out.
    pub reason: Option<ProofReason>,
    /// What the resolver says of an answer that is bogus (RFC 8914).
    pub extended_errors: Vec<ExtendedError>,
}

impl From<DnssecProof> for Proven {
    fn from(proof: DnssecProof) -> Self {
        Proven { proof: Some(proof), ..Proven::default() }
    }
}

/// Validates answers, each once in a run.
pub struct Prover {
    upstream: Upstream,
    mode: DnssecMode,
    permits: Semaphore,
    proofs: Memo<(String, u16), Proven>,
    resolver_validates: OnceCell<bool>,
    signatures_arrive: OnceCell<bool>,
}

impl Prover {
    /// A prover that asks for keys the same `way` as the questions go.
    pub fn new(upstream: Upstream, mode: DnssecMode) -> Self {
        Prover {
            upstream,
            mode,
            permits: Semaphore::new(MAX_VALIDATIONS),
            proofs: Memo::new(REMEMBERED),
            resolver_validates: OnceCell::new(),
            signatures_arrive: OnceCell::new(),
        }
    }

    /// Begins to validate what is at a name, where that was chosen.
    pub fn begin(self: &Arc<Self>, name: &str, kind: RecordType, limits: &Limits) {
        if self.mode == DnssecMode::Validate {
            let (prover, name, limits) = (self.clone(), name.to_owned(), limits.clone());
            // The task ends with the clock at the latest; its result stays in the memo.
            tokio::spawn(async move { prover.proof(&name, kind, &limits).await });
        }
        if self.mode == DnssecMode::TrustAd && !self.resolver_validates.initialized() {
            // Asked beside the first query, so that nothing is left to ask at the end.
            let (prover, clock) = (self.clone(), limits.clock);
            tokio::spawn(async move { prover.without_ad(clock).await });
        }
    }

    /// What is proven of what is at a name.
    pub async fn proof(&self, name: &str, kind: RecordType, limits: &Limits) -> Proven {
        let clock = limits.clock;
        match self.mode {
            DnssecMode::Off => return DnssecProof::Unchecked.into(),
            DnssecMode::TrustAd => return self.without_ad(clock).await.into(),
            DnssecMode::Validate => {}
        }
        let key = (name.to_ascii_lowercase(), kind.into());
        // Another domain that leads here has time and work of its own.
        let is_final = |_: &Proven| !clock.is_over() && !limits.work.is_spent();
        let validation = self.proofs.get(key, is_final, || Box::pin(self.validate(name, kind, limits)));
        let proven = clock.until_deadline("proof", validation).await;
        let proven = proven.unwrap_or_else(|_| DnssecProof::Indeterminate.into());
        let why = proven.reason.as_ref().map(|reason| format!(": {}", escape(&reason.detail))).unwrap_or_default();
        let proof = proven.proof.map_or("not looked at", DnssecProof::word);
        debug!("DNSSEC: {kind} {} is {proof}{why}", escape(name.trim_end_matches('.')));
        proven
    }

    async fn validate(&self, name: &str, kind: RecordType, limits: &Limits) -> Proven {
        let clock = limits.clock;
        let Some(owner) = owner(name) else { return DnssecProof::Indeterminate.into() };
        let Ok(_permit) = self.permits.acquire().await else { return DnssecProof::Indeterminate.into() };
        let mut trail = Trail::new(owner, kind);
        // Signatures can be made to be dear, many of them for many keys: each answer has a limit of its own.
        let work = Work::of(MAX_PROOF_WORK);
        let following = limits.work.within(Box::pin(work.within(Box::pin(self.follow(&mut trail)))));
        let followed = clock.steps(VALIDATION_STEPS).within("proof", following).await.flatten().flatten();
        let known = matches!(trail.end, Some((DnsOutcome::Answer | DnsOutcome::Nodata | DnsOutcome::Nxdomain, _)));
        let proof = match (followed, trail.proof) {
            (Ok(()), Some(proof)) if known => proof,
            _ => DnssecProof::Indeterminate,
        };
        let lacks_evidence = || trail.names().iter().any(|name| self.upstream.lacks_evidence(name));
        let unsupported = trail.names().iter().find_map(|name| self.upstream.unsupported(name));
        let unsupported = unsupported.map(|detail| ProofReason { kind: ProofReasonKind::Unsupported, detail });
        match (proof, unsupported) {
            // What is not supported here is not unsigned for all that (RFC 4035 §4.3).
            (DnssecProof::Indeterminate | DnssecProof::Insecure, reason @ Some(_)) => {
                Proven { reason, ..DnssecProof::Indeterminate.into() }
            }
            // What could not be had or tried proves nothing, and disproves nothing.
            (DnssecProof::Bogus, reason)
                if lacks_evidence() || !self.upstream.speaks_edns() || !self.signatures_arrive(clock).await =>
            {
                Proven { reason, ..DnssecProof::Indeterminate.into() }
            }
            (DnssecProof::Bogus, _) => {
                let explaining = limits.work.within(Box::pin(work.within(Box::pin(self.explain(&trail)))));
                let explained = clock.within("reason", explaining).await.flatten().flatten();
                explained.unwrap_or_else(|_| DnssecProof::Bogus.into())
            }
            (proof, _) => proof.into(),
        }
    }

    /// Why an answer is bogus: what is wrong of it here, and what the resolver says that validates it too.
    async fn explain(&self, trail: &Trail) -> Proven {
        let explaining =
            join_all(trail.names().iter().map(|name| dns_reason::of_bogus(&self.upstream, name, trail.kind)));
        let judging = self.upstream.put_plain(Query::query(trail.current.clone(), trail.kind));
        let (reasons, judged) = join(explaining, judging).await;
        // Where aliases are followed, one of the answers is bogus, and nothing may be wrong with the others.
        let weight = |reason: &ProofReason| match reason.kind {
            ProofReasonKind::WrongSignature => 2,
            ProofReasonKind::Unsupported => 1,
            _ => 0,
        };
        let reason = reasons.into_iter().flatten().min_by_key(weight);
        let beyond_us = reason.as_ref().is_some_and(|reason| reason.kind == ProofReasonKind::Unsupported);
        let proof = if beyond_us { DnssecProof::Indeterminate } else { DnssecProof::Bogus };
        Proven { reason, extended_errors: judged.note.extended_errors, ..proof.into() }
    }

    async fn follow(&self, trail: &mut Trail) {
        while trail.end.is_none() {
            if !self.upstream.can_prove(&trail.current) {
                // RFC 4035 §4.3: without a trust anchor above a name nothing can be said of it.
                trail.proof = Some(weaker(trail.proof, DnssecProof::Indeterminate));
                trail.end = Some((DnsOutcome::Answer, None));
                return;
            }
            let asked = match self.upstream.ask(Query::query(trail.current.clone(), trail.kind)).await {
                // An alias and the absence of what it leads to come in one response, and hickory takes the proof
                // of that absence for one of the alias: so each is asked for by itself.
                Err(NetError::Dns(DnsError::Nsec { response, .. })) if has_alias(&response, &trail.current) => {
                    self.upstream.ask(Query::query(trail.current.clone(), RecordType::CNAME)).await
                }
                asked => asked,
            };
            if let Err(NetError::Dns(DnsError::Nsec { query, response, .. })) = &asked
                && dns_denial::is_absent_at_dname(query, response)
            {
                trail.proof = Some(weaker(trail.proof, DnssecProof::Secure));
                trail.end = Some((DnsOutcome::Nodata, None));
                return;
            }
            match dns_failure::answer(asked, Asked::Resolver) {
                Ok(answer) => trail.advance(answer),
                Err((outcome, failure)) => trail.end = Some((outcome, Some(failure))),
            }
        }
    }

    /// What it means that a resolver does not vouch for an answer: something only where it validates at all, and
    /// so vouches for the root.
    async fn without_ad(&self, clock: Clock) -> DnssecProof {
        let validates = self.resolver_validates.get_or_init(|| async {
            let asked = self.upstream.ask_plain(Query::query(Name::root(), RecordType::NS));
            let asked = clock.within("answer from the resolver", asked).await;
            asked.is_ok_and(|response| response.is_ok_and(|response| response.metadata.authentic_data))
        });
        if *validates.await { DnssecProof::Insecure } else { DnssecProof::Indeterminate }
    }

    /// Whether the way to the trust anchor leaves signatures in: where it strips them, nothing is bogus.
    async fn signatures_arrive(&self, clock: Clock) -> bool {
        let arrive = self.signatures_arrive.get_or_init(|| async {
            let query = Query::query(self.upstream.anchor(), RecordType::DNSKEY);
            let asked = clock.within("answer from the resolver", self.upstream.ask_unchecked(query)).await;
            let signed = |response: DnsResponse| response.answers.iter().any(|record| record.record_type().is_rrsig());
            asked.is_ok_and(|response| response.is_ok_and(signed))
        });
        *arrive.await
    }
}

fn has_alias(response: &DnsResponse, name: &Name) -> bool {
    response.answers.iter().any(|record| record.name == *name && record.record_type() == RecordType::CNAME)
}
