//! The keys that validation starts from: the root's built-in ones, or those of a file.
//!
//! hickory believes a zone's keys by what the parent says of them, but for the root. An anchor elsewhere, for a
//! zone that no signed parent vouches for, usually holds the key-signing key alone; the zone's other keys are
//! then taken over here, once their signature by it is checked (RFC 4035 §5.3).

use std::path::Path;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData, RRSIG};
use hickory_resolver::proto::dnssec::{PublicKey, PublicKeyBuf, TrustAnchors, Verifier};
use hickory_resolver::proto::op::DnsResponse;
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordType, SerialNumber};
use hickory_resolver::proto::serialize::txt::trust_anchor::{Entry, Parser};

use super::dns_name::shown;
use super::evidence::NOT_SUPPORTED;
use super::resolver_error::ResolverError;
use crate::files;
use crate::source_text::escape;

/// The largest file of trust anchors that is read, in octets.
const MAX_ANCHOR_OCTETS: u64 = 1 << 20;
/// How many signatures and keys of one zone are tried: more is an attack (CVE-2023-50387).
const MAX_TRIED: usize = 16;

/// The key tags of the root's built-in trust anchors, in rising order.
pub fn root_key_tags() -> Vec<u16> {
    let anchors = TrustAnchors::default();
    let keys = (0..anchors.len()).filter_map(|index| anchors.get(index));
    // A key that signs keys: zone key and secure entry point (RFC 4034 §2.1.1).
    let tag = |key: &PublicKeyBuf| DNSKEY::new(true, true, false, key.clone()).calculate_key_tag().ok();
    let mut tags: Vec<u16> = keys.filter_map(tag).collect();
    tags.sort_unstable();
    tags
}

/// The trust anchors of a run.
pub struct Anchors {
    /// The keys that were given.
    pub keys: TrustAnchors,
    /// The zones that they are for, each once.
    pub zones: Vec<Name>,
}

impl Anchors {
    /// The root's built-in anchors, or those of a file of DNSKEY records.
    pub fn read(path: Option<&Path>) -> Result<Self, ResolverError> {
        let Some(path) = path else {
            return Ok(Anchors { keys: TrustAnchors::default(), zones: vec![Name::root()] });
        };
        let text = files::read_text(path, MAX_ANCHOR_OCTETS)?;
        let wrong = |reason: String| ResolverError::Anchors {
            path: escape(&path.display().to_string()),
            reason: escape(&reason),
        };
        let entries = Parser::new(text.as_str()).parse().map_err(|error| wrong(error.to_string()))?;
        if let Some((zone, algorithm)) = entries.iter().find_map(unsupported) {
            return Err(wrong(format!("the key of {zone} is of algorithm {algorithm}, {NOT_SUPPORTED}")));
        }
        let keys = TrustAnchors::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let mut zones: Vec<Name> = entries.iter().filter_map(zone_of).collect();
        zones.sort();
        zones.dedup();
        if zones.is_empty() {
            Err(wrong("there is no DNSKEY record in it".to_owned()))
        } else {
            Ok(Anchors { keys, zones })
        }
    }
}

fn zone_of(entry: &Entry) -> Option<Name> {
    match entry {
        Entry::DNSKEY(record) => Some(record.name().clone()),
        _ => None,
    }
}

/// The zone of a key with which nothing can be verified here, and the number of its algorithm.
fn unsupported(entry: &Entry) -> Option<(String, u8)> {
    match entry {
        Entry::DNSKEY(record) if !record.data().public_key().algorithm().is_supported() => {
            let algorithm = record.data().public_key().algorithm();
            Some((shown(record.name()), algorithm.into()))
        }
        _ => None,
    }
}

/// Takes over the keys of a zone that one of the anchors has signed.
pub fn adopt(anchors: &mut TrustAnchors, zone: &Name, response: &DnsResponse) {
    let at_zone = |record: &&Record| record.name == *zone && record.dns_class == DNSClass::IN;
    let keys: Vec<&Record> = response
        .answers
        .iter()
        .filter(at_zone)
        .filter(|record| record.record_type() == RecordType::DNSKEY)
        .take(MAX_TRIED)
        .collect();
    let signatures = response.answers.iter().filter(at_zone).filter_map(signature).take(MAX_TRIED);
    let now = u32::try_from(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs()));
    let Ok(now) = now else { return };
    let signed = signatures.filter(|rrsig| is_current(rrsig, now)).any(|rrsig| {
        let anchored = keys.iter().filter_map(|record| key(record)).filter(|key| is_anchor(anchors, key, zone));
        anchored
            .filter(|key| key.calculate_key_tag().is_ok_and(|tag| tag == rrsig.input().key_tag))
            .any(|key| key.verify_rrsig(zone, DNSClass::IN, rrsig, keys.iter().copied()).is_ok())
    });
    if !signed {
        return;
    }
    for key in keys.iter().filter_map(|record| key(record)).filter(|key| key.zone_key() && !key.revoke()) {
        anchors.insert_with_name(key.public_key(), zone.into());
    }
}

fn is_anchor(anchors: &TrustAnchors, key: &DNSKEY, zone: &Name) -> bool {
    key.zone_key() && !key.revoke() && anchors.contains_with_name(key.public_key(), &zone.into())
}

fn key(record: &Record) -> Option<&DNSKEY> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::DNSKEY(key)) => Some(key),
        _ => None,
    }
}

/// The signature over a zone's keys, if a record is one.
fn signature(record: &Record) -> Option<&RRSIG> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(rrsig)) => Some(rrsig).filter(|rrsig| {
            rrsig.input().type_covered == RecordType::DNSKEY && rrsig.input().signer_name == record.name
        }),
        _ => None,
    }
}

/// Whether a signature is valid now; its dates wrap around (RFC 4034 §3.1.5).
fn is_current(rrsig: &RRSIG, now: u32) -> bool {
    let now = SerialNumber::new(now);
    rrsig.input().sig_inception <= now && now <= rrsig.input().sig_expiration
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const ANCHOR: &str = "right.example. IN DNSKEY 257 3 13 \
        fqGQAq9bnERx/tNOGOA5Jljt2TudwONKzBMbWsAfLD7orWelHhbvqcz6SFeOeNWTbEtrmnUfBdQhk6H5Oerc+A==\n";
    /// What NSD answers for the keys of a zone that ldns-signzone signed with that key until 2070.
    const KEYS: &str = "EjSEAAABAAMAAAABBXJpZ2h0B2V4YW1wbGUAADAAAcAMADAAAQAADhAARAEAAw0ZQFUc9I04ToRajEE+Notma1zGkQEODb6M\
        gVDiDt2g7A7hhVHb2gAVrtH6DDve1r962BkK5ZtmbprY1o2/PPhWwAwAMAABAAAOEABEAQEDDX6hkAKvW5xEcf7TThjgOSZY7dk7ncDjSswT\
        G1rAHyw+6K1npR4W76nM+khXjnjVk2xLa5p1HwXUIZOh+Tnq3PjADAAuAAEAAA4QAGEAMA0CAAAOELwZE4BeC+EAgWEFcmlnaHQHZXhhbXBs\
        ZQAUwrjb7jWgW72UQoFn8wBKCF8Fz5UQaybkdaQVvbJK9Gs3lHrXVrkkAr983gIfTrLOo+ouG8X0efcJdgYrvzarAAApBNAAAIAAAAA=";

    /// How many of the zone's two keys are trusted after `tamper` had its way with the answer.
    fn trusted(anchor: &str, tamper: impl FnOnce(&mut Vec<u8>)) -> usize {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anchor");
        std::fs::write(&path, anchor).unwrap();
        let Anchors { mut keys, zones } = Anchors::read(Some(&path)).unwrap();
        let mut octets = STANDARD.decode(KEYS).unwrap();
        let untouched = DnsResponse::from_buffer(octets.clone()).unwrap();
        tamper(&mut octets);
        adopt(&mut keys, &zones[0], &DnsResponse::from_buffer(octets).unwrap());
        let of_zone = untouched.answers.iter().filter_map(key);
        of_zone
            .filter(|key| keys.contains_with_name(key.public_key(), &Name::from_str("right.example.").unwrap().into()))
            .count()
    }

    #[test]
    fn keys_are_taken_over_only_under_the_anchors_signature() {
        assert_eq!(trusted(ANCHOR, |_| {}), 2);
        // The last octet before the OPT record is one of the signature.
        assert_eq!(trusted(ANCHOR, |octets| octets[299] ^= 1), 1, "the anchor itself stays");
        let other = ANCHOR.replace("fqGQ", "fqGR");
        assert_eq!(trusted(&other, |_| {}), 0);
    }

    #[test]
    fn an_anchor_that_verifies_nothing_here_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anchor");
        let key = STANDARD.encode([7; 57]);
        std::fs::write(&path, format!("{ANCHOR}right.example. IN DNSKEY 257 3 16 {key}\n")).unwrap();
        let Err(ResolverError::Anchors { reason, .. }) = Anchors::read(Some(&path)) else { panic!() };
        assert_eq!(reason, "the key of right.example is of algorithm 16, which is not supported here");
    }

    #[test]
    fn a_file_of_anchors_needs_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anchor");
        for text in ["", "; nothing\n", "right.example. IN A 192.0.2.1\n", "\u{0}"] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(Anchors::read(Some(&path)), Err(ResolverError::Anchors { .. })), "{text:?}");
        }
        assert_eq!(Anchors::read(None).unwrap().zones, [Name::root()]);
    }
}
