//! Who signed a certificate that is out of its dates. Used by `trust`, for the one question that a verifier of whole
//! paths cannot answer: it knows one moment for host and issuers alike.

use tokio_rustls::rustls::pki_types::{CertificateDer, TrustAnchor};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

/// The longest chain that is followed.
const MAX_DEPTH: usize = 8;

/// Whether signatures lead from a certificate to a trust anchor, by issuers all of which are authorities and valid
/// at `now`, in seconds since 1970 (RFC 5280 §6.1.3). What issuers may be used for beyond that is not asked.
pub fn vouch(
    anchors: &[TrustAnchor<'_>],
    leaf: &X509Certificate<'_>,
    presented: &[CertificateDer<'_>],
    now: i64,
) -> bool {
    let read = |der| X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate);
    let presented: Vec<X509Certificate<'_>> = presented.iter().take(MAX_DEPTH).filter_map(|der| read(der)).collect();
    let mut signed = leaf;
    for _ in 0..MAX_DEPTH {
        if anchors.iter().any(|anchor| is_signed_by_anchor(signed, anchor)) {
            return true;
        }
        let issuer = presented.iter().find(|issuer| {
            let validity = issuer.validity();
            issuer.is_ca()
                && issuer.subject().as_raw() == signed.issuer().as_raw()
                && (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now)
                && signed.verify_signature(Some(issuer.public_key())).is_ok()
        });
        match issuer {
            Some(issuer) => signed = issuer,
            None => return false,
        }
    }
    false
}

fn is_signed_by_anchor(signed: &X509Certificate<'_>, anchor: &TrustAnchor<'_>) -> bool {
    if sequence(&anchor.subject).as_deref() != Some(signed.issuer().as_raw()) {
        return false;
    }
    let Some(key) = sequence(&anchor.subject_public_key_info) else { return false };
    SubjectPublicKeyInfo::from_der(&key).is_ok_and(|(_, key)| signed.verify_signature(Some(&key)).is_ok())
}

/// The contents of a SEQUENCE with its tag and length before them (X.690 §8.1.3), which trust anchors come without;
/// `None` beyond 64 KiB.
pub fn sequence(contents: &[u8]) -> Option<Vec<u8>> {
    let mut der = vec![0x30];
    match contents.len() {
        length @ 0..=0x7f => der.push(u8::try_from(length).ok()?),
        length @ 0x80..=0xff => der.extend([0x81, u8::try_from(length).ok()?]),
        length => {
            der.push(0x82);
            der.extend(u16::try_from(length).ok()?.to_be_bytes());
        }
    }
    der.extend(contents);
    Some(der)
}
