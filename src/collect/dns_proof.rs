//! What DNSSEC proves of an answer (RFC 4035 §4.3), found out beside the collection and never in its way.
//!
//! Validation needs the keys of every zone up to the trust anchor, one round trip after the other. Nobody has to
//! wait for them to speak to a host, so each validation runs as a task of its own and is asked for at the end.

use std::sync::Arc;

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::{DnsResponse, Query};
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::sync::{OnceCell, Semaphore};
use tracing::debug;

use super::dns_failure;
use super::dns_name::owner;
use super::dns_trail::{Trail, weaker};
use super::limits::{Clock, MAX_PROOF_WORK, MAX_VALIDATIONS, VALIDATION_STEPS};
use super::memo::Memo;
use super::options::DnssecMode;
use super::resolver::Way;
use super::work::Work;
use crate::snapshot::{DnsOutcome, DnssecProof};
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

/// Validates answers, each once in a run.
pub struct Prover {
    way: Way,
    mode: DnssecMode,
    permits: Semaphore,
    proofs: Memo<(String, u16), DnssecProof>,
    resolver_validates: OnceCell<bool>,
    signatures_arrive: OnceCell<bool>,
}

impl Prover {
    /// A prover that asks for keys the same `way` as the questions go.
    pub fn new(way: Way, mode: DnssecMode) -> Self {
        Prover {
            way,
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
    }

    /// What is proven of what is at a name.
    pub async fn proof(&self, name: &str, kind: RecordType, limits: &Limits) -> DnssecProof {
        let clock = limits.clock;
        match self.mode {
            DnssecMode::Off => return DnssecProof::Unchecked,
            DnssecMode::TrustAd => return self.without_ad(clock).await,
            DnssecMode::Validate => {}
        }
        let key = (name.to_ascii_lowercase(), kind.into());
        // Another domain that leads here has time and work of its own.
        let is_final = |_: &DnssecProof| !clock.is_over() && !limits.work.is_spent();
        let validation = self.proofs.get(key, is_final, || self.validate(name, kind, limits));
        let proof = clock.until_deadline("proof", validation).await.unwrap_or(DnssecProof::Indeterminate);
        debug!("DNSSEC: {kind} {} is {}", escape(name.trim_end_matches('.')), proof.word());
        proof
    }

    async fn validate(&self, name: &str, kind: RecordType, limits: &Limits) -> DnssecProof {
        let clock = limits.clock;
        let Some(owner) = owner(name) else { return DnssecProof::Indeterminate };
        let Ok(_permit) = self.permits.acquire().await else { return DnssecProof::Indeterminate };
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
        match proof {
            // What could not be had or tried proves nothing, and disproves nothing.
            DnssecProof::Bogus if trail.names().iter().any(|name| self.way.lacks_evidence(name)) => {
                DnssecProof::Indeterminate
            }
            DnssecProof::Bogus if !self.signatures_arrive(clock).await => DnssecProof::Indeterminate,
            proof => proof,
        }
    }

    async fn follow(&self, trail: &mut Trail) {
        while trail.end.is_none() {
            if !self.way.can_prove(&trail.current) {
                // RFC 4035 §4.3: without a trust anchor above a name nothing can be said of it.
                trail.proof = Some(weaker(trail.proof, DnssecProof::Indeterminate));
                trail.end = Some((DnsOutcome::Answer, None));
                return;
            }
            let asked = match self.way.ask(Query::query(trail.current.clone(), trail.kind)).await {
                // An alias and the absence of what it leads to come in one response, and hickory takes the proof
                // of that absence for one of the alias: so each is asked for by itself.
                Err(NetError::Dns(DnsError::Nsec { response, .. })) if has_alias(&response, &trail.current) => {
                    self.way.ask(Query::query(trail.current.clone(), RecordType::CNAME)).await
                }
                asked => asked,
            };
            match dns_failure::answer(asked) {
                Ok(answer) => trail.advance(answer),
                Err((outcome, failure)) => trail.end = Some((outcome, Some(failure))),
            }
        }
    }

    /// What it means that a resolver does not vouch for an answer: something only where it validates at all, and
    /// so vouches for the root.
    async fn without_ad(&self, clock: Clock) -> DnssecProof {
        let validates = self.resolver_validates.get_or_init(|| async {
            let asked = self.way.ask_plain(Query::query(Name::root(), RecordType::NS));
            let asked = clock.within("answer from the resolver", asked).await;
            asked.is_ok_and(|response| response.is_ok_and(|response| response.metadata.authentic_data))
        });
        if *validates.await { DnssecProof::Insecure } else { DnssecProof::Indeterminate }
    }

    /// Whether the way to the trust anchor leaves signatures in: where it strips them, nothing is bogus.
    async fn signatures_arrive(&self, clock: Clock) -> bool {
        let arrive = self.signatures_arrive.get_or_init(|| async {
            let query = Query::query(self.way.anchor(), RecordType::DNSKEY);
            let asked = clock.within("answer from the resolver", self.way.ask_unchecked(query)).await;
            let signed = |response: DnsResponse| response.answers.iter().any(|record| record.record_type().is_rrsig());
            asked.is_ok_and(|response| response.is_ok_and(signed))
        });
        *arrive.await
    }
}

fn has_alias(response: &DnsResponse, name: &Name) -> bool {
    response.answers.iter().any(|record| record.name == *name && record.record_type() == RecordType::CNAME)
}
