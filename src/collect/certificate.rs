//! Certificates as they were presented, read into what a snapshot holds of them (RFC 5280).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::{ASN1Time, FromDer, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::X509Name;

use crate::snapshot::Certificate;
use crate::source_text::escape;

/// Reads a certificate; one that cannot be read says so in `malformed` and keeps its octets.
pub fn read(der: &[u8]) -> Certificate {
    let kept = Certificate { sha256: Some(sha256(der)), pem: Some(pem(der)), ..Certificate::default() };
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => describe(&certificate, kept),
        Ok((rest, _)) => {
            Certificate { malformed: Some(format!("{} octets follow the certificate", rest.len())), ..kept }
        }
        Err(_) => Certificate { malformed: Some("its octets are not those of a certificate".to_owned()), ..kept },
    }
}

/// The SHA-256 of some octets in hexadecimal.
pub fn sha256(octets: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, octets).as_ref())
}

/// Octets in hexadecimal, lower case.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn describe(certificate: &X509Certificate<'_>, kept: Certificate) -> Certificate {
    let (key_algorithm, key_bits) = key(certificate);
    Certificate {
        subject: escape(&certificate.subject().to_string()),
        issuer: escape(&certificate.issuer().to_string()),
        serial: Some(serial(certificate.raw_serial())),
        not_before: rfc3339(certificate.validity().not_before),
        not_after: rfc3339(certificate.validity().not_after),
        dns_ids: dns_ids(certificate),
        common_names: common_names(certificate.subject()),
        key_algorithm,
        key_bits,
        signature_algorithm: Some(name_of(&certificate.signature_algorithm.algorithm)),
        extended_key_usage: purposes(certificate),
        authority: certificate.is_ca(),
        ..kept
    }
}

/// The number of a DER INTEGER in hexadecimal (RFC 5280 §4.1.2.2: a negative one does not conform, and is to be borne).
fn serial(octets: &[u8]) -> String {
    if octets.first().is_none_or(|first| *first < 0x80) {
        // A leading zero octet only keeps the number positive.
        return hex(octets.strip_prefix(&[0]).filter(|rest| !rest.is_empty()).unwrap_or(octets));
    }
    let mut carry = true;
    let mut magnitude: Vec<u8> = octets
        .iter()
        .rev()
        .map(|octet| {
            let (sum, overflows) = (!octet).overflowing_add(u8::from(carry));
            carry = overflows;
            sum
        })
        .collect();
    magnitude.reverse();
    format!("-{}", hex(&magnitude))
}

fn dns_ids(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let dns_ids = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(escape(name)),
        _ => None,
    });
    dns_ids.collect()
}

fn common_names(subject: &X509Name<'_>) -> Vec<String> {
    subject.iter_common_name().filter_map(|name| name.as_str().ok()).map(escape).collect()
}

fn key(certificate: &X509Certificate<'_>) -> (Option<String>, Option<u32>) {
    let spki = certificate.public_key();
    let bits = |bits: usize| u32::try_from(bits).ok();
    match spki.parsed() {
        Ok(PublicKey::RSA(key)) => (Some("RSA".to_owned()), bits(key.key_size())),
        Ok(PublicKey::EC(_)) => (Some("EC".to_owned()), curve_bits(certificate)),
        _ => match name_of(&spki.algorithm.algorithm).as_str() {
            "1.3.101.112" | "ed25519" | "Ed25519" => (Some("Ed25519".to_owned()), Some(256)),
            "1.3.101.113" | "ed448" | "Ed448" => (Some("Ed448".to_owned()), Some(456)),
            name => (Some(name.to_owned()), None),
        },
    }
}

/// The size of a named curve's field (RFC 5480 §2.1.1.1).
fn curve_bits(certificate: &X509Certificate<'_>) -> Option<u32> {
    let curve = certificate.public_key().algorithm.parameters.as_ref()?.as_oid().ok()?;
    match curve.to_id_string().as_str() {
        "1.2.840.10045.3.1.7" => Some(256),
        "1.3.132.0.34" => Some(384),
        "1.3.132.0.35" => Some(521),
        _ => None,
    }
}

/// The purposes of extendedKeyUsage (RFC 5280 §4.2.1.12), `None` where there is no such extension.
fn purposes(certificate: &X509Certificate<'_>) -> Option<Vec<String>> {
    let usage = certificate.extended_key_usage().ok()??.value;
    let named = [
        (usage.any, "anyExtendedKeyUsage"),
        (usage.server_auth, "serverAuth"),
        (usage.client_auth, "clientAuth"),
        (usage.code_signing, "codeSigning"),
        (usage.email_protection, "emailProtection"),
        (usage.time_stamping, "timeStamping"),
        (usage.ocsp_signing, "OCSPSigning"),
    ];
    let named = named.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned());
    Some(named.chain(usage.other.iter().map(|oid| oid.to_id_string())).collect())
}

/// The short name of an object identifier, else its numbers.
fn name_of(oid: &Oid<'_>) -> String {
    x509_parser::objects::oid2sn(oid, x509_parser::objects::oid_registry())
        .map_or_else(|_| oid.to_id_string(), str::to_owned)
}

fn rfc3339(time: ASN1Time) -> Option<String> {
    let counted = Timestamp::from_second(time.timestamp()).map(|time| time.to_string());
    // Without an end (RFC 5280 §4.1.2.5): later than timestamps go.
    counted.ok().or_else(|| (time.to_datetime().year() == 9999).then(|| "9999-12-31T23:59:59Z".to_owned()))
}

/// The certificate in PEM (RFC 7468 §2).
fn pem(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = encoded.as_str();
    while let Some((line, after)) = rest.split_at_checked(64) {
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    if !rest.is_empty() {
        pem.push_str(rest);
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

#[cfg(test)]
mod tests {
    use super::serial;

    #[test]
    fn serial_numbers_keep_their_sign() {
        for (octets, expected) in [
            (&[0x04, 0xa1][..], "04a1"),
            (&[0x00, 0xff], "ff"),
            (&[0x00], "00"),
            (&[0xff], "-01"),
            (&[0x80, 0x00], "-8000"),
            (&[0xfe, 0xdc], "-0124"),
            (&[], ""),
        ] {
            assert_eq!(serial(octets), expected);
        }
    }
}
