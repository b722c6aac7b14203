//! Why a usable TLSA record does not match the chain that a host presents (RFC 7672 §3.1, RFC 6698 §2.1), and the record
//! that would. Called by the facts of TLSA records.

use std::collections::BTreeSet;

use super::legacy;
use super::octets_of_certificate::{digest, hex, spki_sha256};
use super::tlsa_match::matches;
use crate::grammar::names::normalised;
use crate::snapshot::{Certificate, MxHost, TlsaRecord};
use crate::vocabulary::vocabulary;

vocabulary! {
    /// Why a TLSA record misses the chain of its host.
    pub enum TlsaMiss {
        /// It is the digest of nothing: whoever made it had no certificate.
        DigestOfNothing = "digest_of_nothing",
        /// It matches with the other selector.
        OtherSelector = "other_selector",
        /// It is of the host's own certificate, which usage 2 does not look at.
        OwnCertificate = "own_certificate",
        /// It is of an authority's certificate, which usage 3 does not look at.
        Authority = "authority",
        /// It is of another MX host.
        OtherHost = "other_host",
        /// It names an authority, and none of the certificates that the host presents is that authority's.
        NotSent = "not_sent",
        /// It is of a whole certificate that is not presented: such a digest changes with each renewal.
        OtherCertificate = "other_certificate",
        /// It is of a key that is not presented.
        OtherKey = "other_key",
    }
}

/// Of more MX hosts the chains are not compared with those of others.
const MAX_HOSTS: usize = 32;
/// Of how many records of a host a reason is looked for.
pub const MAX_EXPLAINED: usize = 8;

/// Why a record misses the chains of its host, and the same for people as the second half of a sentence.
pub fn miss(record: &TlsaRecord, chains: &[&[Certificate]], host: &str, hosts: &[MxHost]) -> (TlsaMiss, String) {
    let any = |record: &TlsaRecord| chains.iter().any(|chain| matches(record, chain));
    let with = |change: fn(&mut TlsaRecord)| {
        let mut other = record.clone();
        change(&mut other);
        any(&other)
    };
    let of_nothing = [32, 64].map(|length| hex(&digest(b"", length)));
    let other = if record.selector == 0 { "the public key" } else { "the whole certificate" };
    let said = |miss, reason: &str| (miss, reason.to_owned());
    if of_nothing.contains(&record.association.to_ascii_lowercase()) {
        said(TlsaMiss::DigestOfNothing, "is the digest of nothing: it was made without a certificate")
    } else if with(|record| record.selector = 1 - record.selector.min(1)) {
        let selector = 1 - record.selector.min(1);
        said(TlsaMiss::OtherSelector, &format!("is of {other}: its selector has to be {selector}"))
    } else if record.usage == 2 && with(|record| record.usage = 3) {
        said(TlsaMiss::OwnCertificate, "is of the host's own certificate: its usage has to be 3")
    } else if record.usage == 3 && with(|record| record.usage = 2) {
        said(TlsaMiss::Authority, "is of an authority's certificate: its usage has to be 2")
    } else if let Some(other) = of_other_host(record, host, hosts).filter(|_| record.usage != 2) {
        (TlsaMiss::OtherHost, format!("is the one of {other}"))
    } else if record.usage == 2 && chains.iter().all(|chain| chain.len() < 2) {
        said(TlsaMiss::NotSent, "names an authority, and the host does not send that authority's certificate")
    } else if record.usage == 2 {
        let reason = "names an authority, and none of the certificates that the host sends is that authority's";
        said(TlsaMiss::NotSent, reason)
    } else if record.selector == 0 {
        said(
            TlsaMiss::OtherCertificate,
            "is of another certificate: what is made of a whole certificate changes with each renewal",
        )
    } else {
        said(TlsaMiss::OtherKey, "is of another key")
    }
}

fn of_other_host(record: &TlsaRecord, host: &str, hosts: &[MxHost]) -> Option<String> {
    let few = hosts.get(..).filter(|hosts| hosts.len() <= MAX_HOSTS).unwrap_or_default();
    let others = few.iter().filter(|other| normalised(&other.exchange) != host);
    others
        .filter(|other| sessions(other).any(|chain| matches(record, chain)))
        .map(|other| normalised(&other.exchange))
        .next()
}

/// The chains that a host presented.
pub fn sessions(host: &MxHost) -> impl Iterator<Item = &[Certificate]> {
    let tls = host.probes.iter().flatten().filter_map(|probe| probe.tls.as_ref());
    tls.filter(|tls| tls.handshake || legacy::of(tls, false).is_some()).map(|tls| tls.chain.as_slice())
}

/// The records of the keys that a host presents, as a zone file writes them after `TLSA`: `3 1 1 …`, each once.
pub fn needed(host: &MxHost) -> Vec<String> {
    let keys: BTreeSet<String> = sessions(host).filter_map(|chain| spki_sha256(chain.first()?)).collect();
    let is_digest = |key: &String| key.len() == 64 && key.bytes().all(|digit| digit.is_ascii_hexdigit());
    keys.into_iter().filter(is_digest).map(|key| format!("3 1 1 {key}")).collect()
}
