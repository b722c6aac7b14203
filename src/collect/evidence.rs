//! What validation is made of, keys and signatures and proofs of absence: asked for within limits, since each can be made to
//! be dear (CVE-2023-50387, CVE-2023-50868). Used by `resolver`, below the library that validates.
//!
//! That library takes what it could not have for what is wrong. Here it is noted, so that `dns_proof` can tell the two apart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{BoxStream, once};
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::rdata::DNSSECRData;
use hickory_resolver::proto::op::{DnsRequest, DnsResponse};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use super::dns_name::shown;
use super::limits::{MAX_ITERATIONS, MAX_KEYS, MAX_SIGNATURES};

/// Ed448 (RFC 8080): the one algorithm that others validate and the library does not.
pub const ED448: u8 = 16;
/// What is said of an algorithm that others validate and the library does not.
pub const NOT_SUPPORTED: &str = "which is not supported here";
/// More iterations than these, and the library takes what they prove for unsigned.
const ITERATIONS_TAKEN_FOR_UNSIGNED: u16 = 100;

/// How many names are remembered.
const REMEMBERED: usize = 4_096;

/// Asks a handle, and lets through what can be tried at a bounded cost.
#[derive(Clone)]
pub struct Evidence<H> {
    handle: H,
    missing: Missing,
}

/// The names of which something could not be had, or not be tried, and the zones that use what is not supported here.
#[derive(Clone, Debug, Default)]
pub struct Missing {
    names: Arc<Mutex<BTreeSet<Name>>>,
    unsupported: Arc<Mutex<BTreeMap<Name, String>>>,
}

impl<H> Evidence<H> {
    /// Evidence from `handle`; what is not had of it is noted in `missing`.
    pub fn new(handle: H, missing: Missing) -> Self {
        Evidence { handle, missing }
    }
}

impl Missing {
    /// Whether something is missing at a name, or above it.
    pub fn is_above(&self, name: &Name) -> bool {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        upwards(name).any(|above| names.contains(&above))
    }

    /// What is not supported here of a zone at a name, or above it: the library takes such a zone for unsigned.
    pub fn unsupported_above(&self, name: &Name) -> Option<String> {
        let zones = self.unsupported.lock().unwrap_or_else(PoisonError::into_inner);
        upwards(name).find_map(|above| zones.get(&above).cloned())
    }

    fn note_unsupported(&self, zone: &Name, what: String) {
        let mut zones = self.unsupported.lock().unwrap_or_else(PoisonError::into_inner);
        if zones.len() >= REMEMBERED {
            zones.pop_first();
        }
        zones.insert(zone.to_lowercase(), what);
    }

    fn note(&self, name: &Name) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
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
            let asked = without_unsupported(handle.send(request).first_answer().await);
            if let Some(name) = &name {
                note_unsupported(&missing, name, &asked);
            }
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

/// A result without signatures of algorithms that the library does not have: it takes none of them for its own, and one for a
/// mistake of the program's.
fn without_unsupported(asked: Result<DnsResponse, NetError>) -> Result<DnsResponse, NetError> {
    let is_of_use = |record: &Record| match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(rrsig)) => rrsig.input().algorithm.is_supported(),
        _ => true,
    };
    match asked {
        Ok(mut response) => {
            response.answers.retain(is_of_use);
            response.authorities.retain(is_of_use);
            Ok(response)
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(mut none))) => {
            let authorities = none.authorities.take();
            none.authorities = authorities.map(|records| records.iter().filter(|it| is_of_use(it)).cloned().collect());
            Err(NetError::Dns(DnsError::NoRecordsFound(none)))
        }
        asked => asked,
    }
}

/// A name and all that are above it.
fn upwards(name: &Name) -> impl Iterator<Item = Name> {
    std::iter::successors(Some(name.to_lowercase()), |name| (!name.is_root()).then(|| name.base_name()))
}

/// Notes what a response shows to be beyond what is supported here: a zone whose DS records are all of algorithms that others
/// validate and this library does not, and absences that are proven with many iterations (RFC 9276 §3.2).
fn note_unsupported(missing: &Missing, name: &Name, asked: &Result<DnsResponse, NetError>) {
    let authorities = match asked {
        Ok(response) => response.authorities.as_slice(),
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) => none.authorities.as_deref().unwrap_or_default(),
        Err(_) => return,
    };
    for record in authorities {
        if let RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) = &record.data
            && nsec3.iterations() > ITERATIONS_TAKEN_FOR_UNSIGNED
        {
            let (zone, iterations) = (record.name.base_name(), nsec3.iterations());
            let detail = format!("{} proves absences with {iterations} iterations of NSEC3", shown(&zone));
            missing.note_unsupported(&zone, format!("{detail}, more than are supported here"));
        }
    }
    let Ok(response) = asked else { return };
    let vouched: Vec<u8> =
        response.answers.iter().filter(|record| record.name == *name).filter_map(ds_algorithm).collect();
    if let Some(algorithm) = vouched.first()
        && vouched.iter().all(|algorithm| *algorithm == ED448)
    {
        let detail = format!("{} is signed with Ed448 (algorithm {algorithm}) alone", shown(name));
        missing.note_unsupported(name, format!("{detail}, {NOT_SUPPORTED}"));
    }
}

fn ds_algorithm(record: &Record) -> Option<u8> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::DS(ds)) => Some(ds.algorithm().into()),
        _ => None,
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
