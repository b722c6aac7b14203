//! Certificates as they were presented, read by `x509-parser`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::X509Name;

use crate::snapshot::Certificate;
use crate::source_text::escape;

/// How many names of one certificate are kept.
const MAX_NAMES: usize = 256;

/// The dates of a certificate, in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Dates {
    /// notBefore.
    pub from: i64,
    /// notAfter.
    pub until: i64,
}

/// The dates of a certificate, if it can be read.
pub fn dates(der: &[u8]) -> Option<Dates> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let validity = certificate.validity();
    Some(Dates { from: validity.not_before.timestamp(), until: validity.not_after.timestamp() })
}

/// Reads a certificate; one that cannot be read keeps its PEM and says why.
pub fn read(der: &[u8]) -> Certificate {
    let digest = ring::digest::digest(&ring::digest::SHA256, der);
    let bare = Certificate { sha256: Some(hex(digest.as_ref())), pem: Some(pem(der)), ..Certificate::default() };
    match X509Certificate::from_der(der) {
        Ok((_, certificate)) => of_parsed(&certificate, bare),
        Err(error) => Certificate { malformed: Some(escape(&error.to_string())), ..bare },
    }
}

fn of_parsed(certificate: &X509Certificate<'_>, bare: Certificate) -> Certificate {
    let (dns_ids, purposes, authority) = extensions(certificate);
    let (key_algorithm, key_bits) = key(certificate);
    Certificate {
        subject: escape(&certificate.subject().to_string()),
        issuer: escape(&certificate.issuer().to_string()),
        serial: Some(hex(certificate.raw_serial())),
        not_before: time(certificate.validity().not_before.timestamp()),
        not_after: time(certificate.validity().not_after.timestamp()),
        dns_ids,
        common_names: common_names(certificate.subject()),
        key_algorithm,
        key_bits,
        signature_algorithm: Some(signature_algorithm(certificate)),
        extended_key_usage: purposes,
        authority,
        ..bare
    }
}

fn common_names(name: &X509Name<'_>) -> Vec<String> {
    name.iter_common_name().filter_map(|name| name.as_str().ok()).map(escape).take(8).collect()
}

fn extensions(certificate: &X509Certificate<'_>) -> (Vec<String>, Option<Vec<String>>, bool) {
    let mut dns_ids = Vec::new();
    let mut purposes = None;
    let mut authority = false;
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => {
                let dns = names.general_names.iter().filter_map(|name| match name {
                    GeneralName::DNSName(name) => Some(escape(name)),
                    _ => None,
                });
                dns_ids.extend(dns.take(MAX_NAMES));
            }
            ParsedExtension::ExtendedKeyUsage(usage) => {
                let known = [
                    (usage.any, "any"),
                    (usage.server_auth, "serverAuth"),
                    (usage.client_auth, "clientAuth"),
                    (usage.code_signing, "codeSigning"),
                    (usage.email_protection, "emailProtection"),
                    (usage.time_stamping, "timeStamping"),
                    (usage.ocsp_signing, "OCSPSigning"),
                ];
                let named = known.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned());
                purposes = Some(named.chain(usage.other.iter().map(|oid| oid.to_id_string()).take(8)).collect());
            }
            ParsedExtension::BasicConstraints(constraints) => authority = constraints.ca,
            _ => {}
        }
    }
    (dns_ids, purposes, authority)
}

fn key(certificate: &X509Certificate<'_>) -> (Option<String>, Option<u32>) {
    let spki = certificate.public_key();
    let oid = spki.algorithm.algorithm.to_id_string();
    let bits = |bits: usize| u32::try_from(bits).ok();
    match spki.parsed() {
        Ok(PublicKey::RSA(key)) => (Some("RSA".to_owned()), bits(key.key_size())),
        Ok(PublicKey::EC(point)) => (Some("EC".to_owned()), bits(point.key_size())),
        Ok(PublicKey::DSA(_)) => (Some("DSA".to_owned()), None),
        _ if oid == "1.3.101.112" => (Some("Ed25519".to_owned()), Some(256)),
        _ if oid == "1.3.101.113" => (Some("Ed448".to_owned()), Some(456)),
        _ => (Some(oid), None),
    }
}

/// The name of the signature's algorithm as OpenSSL writes it, or its object identifier.
fn signature_algorithm(certificate: &X509Certificate<'_>) -> String {
    let oid = certificate.signature_algorithm.algorithm.to_id_string();
    let name = match oid.as_str() {
        "1.2.840.113549.1.1.2" => "md2WithRSAEncryption",
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "Ed25519",
        _ => return oid,
    };
    name.to_owned()
}

/// The name in DER as text.
pub fn name_of(der: &[u8]) -> Option<String> {
    // Trust anchors keep the inside of the sequence only; its header is put before it again.
    let mut whole = vec![0x30];
    match der.len() {
        length @ 0..=127 => whole.push(u8::try_from(length).ok()?),
        length @ 128..=255 => whole.extend([0x81, u8::try_from(length).ok()?]),
        length => whole.extend([0x82, u8::try_from(length >> 8).ok()?, u8::try_from(length & 0xff).ok()?]),
    }
    whole.extend_from_slice(der);
    X509Name::from_der(&whole).ok().map(|(_, name)| name.to_string())
}

/// The organisation in a distinguished name.
pub fn organisation(name: &str) -> Option<String> {
    name.split(", ").find_map(|part| part.strip_prefix("O=")).map(str::to_owned)
}

/// Whether a certificate says where its issuer's can be fetched (RFC 5280 §4.2.2.1), as public authorities' do.
pub fn vouched_by_issuer_url(der: &[u8]) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return false };
    certificate.extensions().iter().any(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => access
            .accessdescs
            .iter()
            .any(|description| description.access_method.to_id_string() == "1.3.6.1.5.5.7.48.2"),
        _ => false,
    })
}

fn time(seconds: i64) -> Option<String> {
    jiff::Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}

fn pem(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let lines = encoded.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned());
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.collect::<Vec<_>>().join("\n"))
}

/// Octets in hexadecimal.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
