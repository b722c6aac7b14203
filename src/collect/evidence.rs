//! What validation is made of, keys and signatures and proofs of absence: asked for within limits, since each can be made to
//! be dear (CVE-2023-50387, CVE-2023-50868). Used by `resolver`, below the library that validates.
//!
//! That library takes what it could not have for what is wrong. Here it is noted, so that `dns_proof` can tell the two apart.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{BoxStream, once};
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::rdata::DNSSECRData;
use hickory_resolver::proto::op::{DnsRequest, DnsResponse};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use super::limits::{MAX_ITERATIONS, MAX_KEYS, MAX_SIGNATURES};

/// How many names are remembered.
const REMEMBERED: usize = 4_096;

/// Asks a handle, and lets through what can be tried at a bounded cost.
#[derive(Clone)]
pub struct Evidence<H> {
    handle: H,
    missing: Missing,
}

/// The names of which something could not be had, or not be tried.
#[derive(Clone, Debug, Default)]
pub struct Missing(Arc<Mutex<BTreeSet<Name>>>);

impl<H> Evidence<H> {
    /// Evidence from `handle`; what is not had of it is noted in `missing`.
    pub fn new(handle: H, missing: Missing) -> Self {
        Evidence { handle, missing }
    }
}

impl Missing {
    /// Whether something is missing at a name, or above it.
    pub fn is_above(&self, name: &Name) -> bool {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::successors(Some(name.to_lowercase()), |name| (!name.is_root()).then(|| name.base_name()))
            .any(|above| names.contains(&above))
    }

    fn note(&self, name: &Name) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= REMEMBERED {
            names.pop_first();
        }
        names.insert(name.to_lowercase());
    }
}

impl<H: DnsHandle> DnsHandle for Evidence<H> {
    type Response = BoxStream<'static, Result<DnsResponse, NetError>>;
    type Runtime = H::Runtime;

    fn send(&self, request: DnsRequest) -> Self::Response {
        let (handle, missing) = (self.handle.clone(), self.missing.clone());
        let name = request.queries.first().map(|query| query.name().clone());
        Box::pin(once(async move {
            let asked = handle.send(request).first_answer().await;
            let asked = match too_much(&asked) {
                Some(what) => Err(NetError::from(what)),
                None => asked,
            };
            if let (Err(error), Some(name)) = (&asked, &name)
                && !error.is_no_records_found()
                && !error.is_nx_domain()
            {
                missing.note(name);
            }
            asked
        }))
    }
}

/// What there is too much of to be tried.
fn too_much(asked: &Result<DnsResponse, NetError>) -> Option<&'static str> {
    match asked {
        Ok(response) => {
            let sections = [&response.answers, &response.authorities, &response.additionals];
            of_records(|| sections.into_iter().flatten())
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) => {
            let authorities = none.authorities.as_deref().unwrap_or_default();
            of_records(|| authorities.iter())
        }
        Err(_) => None,
    }
}

fn of_records<'a, I: Iterator<Item = &'a Record>>(records: impl Fn() -> I) -> Option<&'static str> {
    let of = |kind: RecordType| records().filter(|record| record.record_type() == kind).count();
    let iterated = records().any(|record| match &record.data {
        RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) => nsec3.iterations() > MAX_ITERATIONS,
        _ => false,
    });
    if of(RecordType::RRSIG) > MAX_SIGNATURES {
        Some("there are more signatures than are tried")
    } else if of(RecordType::DNSKEY) > MAX_KEYS || of(RecordType::DS) > MAX_KEYS {
        Some("there are more keys than are tried")
    } else if iterated {
        Some("an absence is proven with more iterations than are tried")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_counts_for_all_below_it() {
        let missing = Missing::default();
        let name = |text: &str| Name::from_ascii(text).unwrap_or_default();
        missing.note(&name("Trap.example."));
        for (below, expected) in
            [("trap.example.", true), ("a.b.TRAP.example.", true), ("example.", false), ("xtrap.example.", false)]
        {
            assert_eq!(missing.is_above(&name(below)), expected, "{below}");
        }
    }
}
