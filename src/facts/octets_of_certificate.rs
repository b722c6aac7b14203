//! What is read from a certificate's own octets, where a snapshot holds them: for TLSA records and for pins.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, SHA512};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::snapshot::Certificate;

/// The certificate in DER.
pub fn der(certificate: &Certificate) -> Option<Vec<u8>> {
    let pem = certificate.pem.as_deref()?;
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect::<Vec<_>>().concat();
    STANDARD.decode(body.trim()).ok()
}

/// The subjectPublicKeyInfo of a certificate in DER (RFC 5280 §4.1.2.7).
pub fn public_key(der: &[u8]) -> Option<Vec<u8>> {
    Some(X509Certificate::from_der(der).ok()?.1.tbs_certificate.subject_pki.raw.to_vec())
}

/// The SHA-256 of the certificate in hexadecimal.
pub fn sha256(certificate: &Certificate) -> Option<String> {
    let worked_out = || Some(hex(&digest(&der(certificate)?, 32)));
    certificate.sha256.clone().map(|digest| digest.to_ascii_lowercase()).or_else(worked_out)
}

/// The SHA-256 of its public key in hexadecimal.
pub fn spki_sha256(certificate: &Certificate) -> Option<String> {
    let worked_out = || Some(hex(&digest(&public_key(&der(certificate)?)?, 32)));
    certificate.spki_sha256.clone().map(|digest| digest.to_ascii_lowercase()).or_else(worked_out)
}

/// The curve of an EC key by its size: those that are named by it here (RFC 5480 §2.1.1.1). A key of another curve has
/// no size in a snapshot.
pub fn curve(certificate: &Certificate) -> Option<&'static str> {
    match certificate.key_bits? {
        256 => Some("P-256"),
        384 => Some("P-384"),
        521 => Some("P-521"),
        _ => None,
    }
}

/// SHA-256 (32 octets) or SHA-512 (64 octets).
pub fn digest(octets: &[u8], length: usize) -> Vec<u8> {
    let algorithm = if length == 32 { &SHA256 } else { &SHA512 };
    ring::digest::digest(algorithm, octets).as_ref().to_vec()
}

/// Octets in hexadecimal, lower case.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
