//! Whether a TLSA record matches a chain of certificates (RFC 6698 §2.1). Used by the facts of DANE, and by the reasons why
//! a record does not.

use super::octets_of_certificate::{der, digest, hex, public_key};
use crate::snapshot::{Certificate, TlsaRecord};

/// Whether a record matches a chain: usage 3 (and 1) the host's own certificate, 2 (and 0) any that issued it.
pub fn matches(record: &TlsaRecord, chain: &[Certificate]) -> bool {
    let wanted = record.association.to_ascii_lowercase();
    let candidates = match record.usage {
        1 | 3 => chain.get(..1),
        _ => chain.get(1..),
    };
    candidates
        .unwrap_or_default()
        .iter()
        .any(|certificate| association(record, certificate).is_some_and(|found| found == wanted))
}

fn association(record: &TlsaRecord, certificate: &Certificate) -> Option<String> {
    let der = der(certificate)?;
    let selected = match record.selector {
        0 => der,
        1 => public_key(&der)?,
        _ => return None,
    };
    let length = match record.matching {
        0 => return Some(hex(&selected)),
        1 => 32,
        2 => 64,
        _ => return None,
    };
    Some(hex(&digest(&selected, length)))
}
