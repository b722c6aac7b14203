//! A TLS handshake and the chain that came with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Failure;
use super::bounded::{self, MAX_RECORDS, MAX_TEXTS};

/// What a TLS handshake showed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TlsFacts {
    /// The name that was sent as SNI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Whether the handshake succeeded (whatever the certificate is worth).
    pub handshake: bool,
    /// The protocol version: `TLSv1.2`, `TLSv1.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<TlsVersion>,
    /// The cipher suite by its IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// The certificates in the order in which the server sent them, the host's own first.
    #[serde(
        default,
        deserialize_with = "bounded::list::<_, _, { MAX_RECORDS }>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub chain: Vec<Certificate>,
    /// How many certificates were sent, where `chain` holds only the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_length: Option<u32>,
    /// Whether the chain leads to a trusted root, judged apart from name and dates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
    /// What the verifier said to the whole (chain, dates and name), in a sentence; `ok` if all was well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifier: Option<String>,
    /// Why the handshake failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Whether the server asked for a client's certificate, which no sender has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub client_certificate: bool,
    /// What the server chose from a ClientHello with all that OpenSSL-based senders offer, where the handshake of this
    /// program's own TLS library failed; `chain` is from there then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_look: Option<SecondLook>,
    /// The newest version below TLS 1.2 that the server accepts, `null` where it was offered them and accepts none.
    #[serde(default, deserialize_with = "super::known_or_absent", skip_serializing_if = "Option::is_none")]
    pub older_version: Option<Option<TlsVersion>>,
}

/// What a server chose from a ClientHello with all that OpenSSL-based senders offer. The handshake was not finished.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SecondLook {
    /// The protocol version: `TLSv1.0` to `TLSv1.3`.
    pub version: TlsVersion,
    /// The cipher suite by its IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// The group of the key exchange by its IANA name, or the size of a finite field without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The scheme by which the server signs, by its IANA name (TLS 1.2 alone shows it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// Whether a chain leads to a trusted root.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Trust {
    /// The verdict.
    pub verdict: TrustVerdict,
    /// The verifier's reason, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

crate::vocabulary::vocabulary! {
    /// A version of TLS, from the oldest to the newest.
    pub enum TlsVersion {
        /// SSL 3.0 (RFC 6101).
        Ssl3 = "SSLv3",
        /// TLS 1.0 (RFC 2246).
        Tls10 = "TLSv1.0",
        /// TLS 1.1 (RFC 4346).
        Tls11 = "TLSv1.1",
        /// TLS 1.2 (RFC 5246).
        Tls12 = "TLSv1.2",
        /// TLS 1.3 (RFC 8446).
        Tls13 = "TLSv1.3",
    }
}

crate::vocabulary::vocabulary! {
    /// The verdicts on a chain, apart from name and dates. Revocation is never checked.
    pub enum TrustVerdict {
        /// A signature in the chain is wrong or of a kind that nobody accepts.
        BadSignature = "bad_signature",
        /// A certificate of the chain that is not the host's own is out of its dates.
        IssuerExpired = "issuer_expired",
        /// A certificate cannot be read.
        Malformed = "malformed",
        /// The issuer's certificate was not sent, and it is a public authority's.
        MissingIntermediate = "missing_intermediate",
        /// An authority of the chain may not speak for this name.
        NameConstraint = "name_constraint",
        /// Another reason; the detail says which.
        Other = "other",
        /// The host's certificate is signed with its own key.
        SelfSigned = "self_signed",
        /// It leads to a trusted root.
        Trusted = "trusted",
        /// Nobody who is trusted vouches for the issuer.
        UnknownIssuer = "unknown_issuer",
        /// The certificate may not be used for a TLS server (RFC 5280 §4.2.1.12).
        WrongPurpose = "wrong_purpose",
    }
}

/// A certificate as it was presented (RFC 5280).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Certificate {
    /// The subject's distinguished name.
    #[serde(default)]
    pub subject: String,
    /// The issuer's distinguished name.
    #[serde(default)]
    pub issuer: String,
    /// The serial number in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Valid from: RFC 3339, UTC.
    #[serde(default, deserialize_with = "super::time::optional", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// Valid until: RFC 3339, UTC.
    #[serde(default, deserialize_with = "super::time::optional", skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
    /// The DNS-IDs: dNSName entries of the subjectAltName.
    #[serde(default, deserialize_with = "bounded::list::<_, _, { MAX_TEXTS }>")]
    pub dns_ids: Vec<String>,
    /// The subject's common names: shown, and never matched (RFC 9525 §2).
    #[serde(default, deserialize_with = "bounded::list::<_, _, { MAX_TEXTS }>", skip_serializing_if = "Vec::is_empty")]
    pub common_names: Vec<String>,
    /// The key's algorithm: `RSA`, `EC`, `Ed25519`…
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_algorithm: Option<String>,
    /// The key's size in bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_bits: Option<u32>,
    /// The algorithm of the issuer's signature, for example `sha256WithRSAEncryption`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_algorithm: Option<String>,
    /// The purposes of extendedKeyUsage by name, `null` or left out where there is no such extension.
    #[serde(
        default,
        deserialize_with = "bounded::optional::<_, _, { MAX_TEXTS }>",
        skip_serializing_if = "Option::is_none"
    )]
    pub extended_key_usage: Option<Vec<String>>,
    /// Whether basicConstraints make it an authority's certificate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub authority: bool,
    /// The SHA-256 of the certificate, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The SHA-256 of its public key (subjectPublicKeyInfo), in hexadecimal; where it is left out, `pem` tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spki_sha256: Option<String>,
    /// The certificate itself in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pem: Option<String>,
    /// Why it could not be read, where it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub malformed: Option<String>,
}
