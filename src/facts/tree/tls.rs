//! Part of the tree of facts: a TLS session and the certificate that it presented.

use super::near_miss::NearMissFacts;
use crate::snapshot::{TlsVersion, TrustVerdict};

/// The cipher suites that this program speaks; an observation of others may hold any.
const CIPHERS: [&str; 9] = [
    "TLS13_AES_128_GCM_SHA256",
    "TLS13_AES_256_GCM_SHA384",
    "TLS13_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];

crate::vocabulary::vocabulary! {
    /// The algorithm of a certificate's key.
    pub enum KeyAlgorithm {
        /// FIPS 186-4.
        Dsa = "DSA",
        /// Elliptic curves (RFC 5480).
        Ec = "EC",
        /// RFC 8410.
        Ed25519 = "Ed25519",
        /// RFC 8410.
        Ed448 = "Ed448",
        /// Another one.
        Other = "other",
        /// RFC 8017.
        Rsa = "RSA",
        /// RSA for RSASSA-PSS alone (RFC 4055).
        RsaPss = "RSASSA-PSS",
    }
}

impl KeyAlgorithm {
    /// The algorithm that an observation names, in whatever words.
    pub fn of(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "dsa" | "1.2.840.10040.4.1" => KeyAlgorithm::Dsa,
            "ec" | "ecdsa" | "id-ecpublickey" | "1.2.840.10045.2.1" => KeyAlgorithm::Ec,
            "ed25519" | "1.3.101.112" => KeyAlgorithm::Ed25519,
            "ed448" | "1.3.101.113" => KeyAlgorithm::Ed448,
            "rsa" | "rsaencryption" | "1.2.840.113549.1.1.1" => KeyAlgorithm::Rsa,
            "rsassa-pss" | "rsassapss" | "1.2.840.113549.1.1.10" => KeyAlgorithm::RsaPss,
            _ => KeyAlgorithm::Other,
        }
    }
}

crate::vocabulary::vocabulary! {
    /// How a certificate names a host (RFC 9525 §6.3).
    pub enum NameMatch {
        /// Only by its common name, which does not count (RFC 9525 §2).
        CommonName = "common_name",
        /// By the very name.
        Exact = "exact",
        /// Not at all.
        None = "none",
        /// By a wildcard inside a label, such as `mx*.example.com` (RFC 6125 §6.4.3).
        PartialWildcard = "partial_wildcard",
        /// By a wildcard that is a whole label.
        Wildcard = "wildcard",
    }
}

impl NameMatch {
    /// Whether a sender may take the host for the one that the certificate names.
    pub fn names_host(self) -> bool {
        self.names_policy_host() || self == NameMatch::PartialWildcard
    }

    /// The same for a policy host, where a wildcard is a whole label or none (RFC 8461 §3.3).
    pub fn names_policy_host(self) -> bool {
        matches!(self, NameMatch::Exact | NameMatch::Wildcard)
    }
}

facts! {
    /// A TLS handshake and the chain that came with it.
    pub struct TlsSessionFacts {
        /// Whether the handshake succeeded, or would with what OpenSSL-based senders offer; whatever the certificate is
        /// worth.
        handshake: bool,
        /// What the server agrees to, version and cipher suite, where that is nothing that every TLS library has; `null`
        /// where it agrees to common TLS, and where the handshake failed.
        legacy: Option<String>,
        /// What is uncommon in it, for people: `RSA key exchange`, `CBC`, `the group secp521r1 alone`…
        uncommon: Vec<String>,
        /// The senders that have nothing in common with the server, for people; `null` where there are none known.
        shut_out: Option<String>,
        /// The newest version below TLS 1.2 that the server accepts: TLSv1.1, TLSv1.0; `null` where it accepts none.
        #[schemars(extend("enum" = [TlsVersion::Tls10.word(), TlsVersion::Tls11.word()]))]
        older_version: Option<TlsVersion>,
        /// Why it failed, for people; `null` where it did not.
        failure: Option<String>,
        /// Whether the server asked for a client's certificate, which no sender has.
        client_certificate: bool,
        /// The protocol version; `null` where there is none.
        version: Option<TlsVersion>,
        /// The cipher suite; `null` where there is none.
        #[schemars(extend("x-known" = CIPHERS))]
        cipher: Option<String>,
        /// The host's own certificate; `null` where none came.
        certificate: Option<CertificateFacts>,
        /// Every certificate that was sent, the host's own first.
        chain: Vec<CertificateFacts>,
        /// Whether the chain leads to a trusted root, judged apart from name and dates.
        trusted: bool,
        /// The verdict on the chain.
        trust: TrustVerdict,
        /// The verifier's reason; `null` where there is none.
        trust_detail: Option<String>,
        /// Whether the certificates were sent in order, each once, and without others.
        chain_ordered: bool,
        /// Whether one comes before the certificate that it vouches for (RFC 8446 §4.4.2).
        misordered: bool,
        /// The certificates that were sent more than once, by subject.
        duplicates: Vec<String>,
        /// The certificates that vouch for no other in the chain, by subject.
        foreign: Vec<String>,
        /// Who issued the last certificate on the way from the host's own, where that was not sent; `null` where the way
        /// ends in a certificate that vouches for itself.
        unsent_issuer: Option<String>,
        /// The certificates that were sent out of order or do not belong to the chain, by subject.
        strays: Vec<String>,
        /// What is weak in the chain, for people: small keys, MD5 or SHA-1 signatures.
        weaknesses: Vec<String>,
    }
}

facts! {
    /// A certificate (RFC 5280).
    pub struct CertificateFacts {
        /// The subject's distinguished name.
        subject: String,
        /// The issuer's distinguished name.
        issuer: String,
        /// The serial number in hexadecimal; `null` where it is unknown.
        #[schemars(extend("x-form" = "hexadecimal"))]
        serial: Option<String>,
        /// The SHA-256 of the certificate in hexadecimal.
        #[schemars(extend("x-form" = "hexadecimal"))]
        sha256: String,
        /// The SHA-256 of its public key (subjectPublicKeyInfo) in hexadecimal: the data of a TLSA record `3 1 1`.
        #[schemars(extend("x-form" = "hexadecimal"))]
        spki_sha256: String,
        /// The DNS-IDs: dNSName entries of the subjectAltName.
        dns_ids: Vec<String>,
        /// The subject's common names, which no sender may match (RFC 9525 §2).
        common_names: Vec<String>,
        /// How it names the host; a common name does not count.
        name_match: NameMatch,
        /// The name that comes nearest to the host without matching it; `null` where one matches, or none is near.
        near_miss: Option<NearMissFacts>,
        /// Valid from: RFC 3339, UTC.
        #[schemars(extend("x-form" = "time"))]
        not_before: String,
        /// Valid until: RFC 3339, UTC.
        #[schemars(extend("x-form" = "time"))]
        not_after: String,
        /// Whether its time is over.
        expired: bool,
        /// Whether its time has not yet come.
        not_yet_valid: bool,
        /// The days that are left, rounded down; negative once it has expired.
        days_left: i64,
        /// The days of its whole life.
        lifetime_days: i64,
        /// Whether subject and issuer are the same.
        self_issued: bool,
        /// The key's algorithm; `null` where it is unknown.
        key_algorithm: Option<KeyAlgorithm>,
        /// The curve of an EC key; `null` where the key has none of these.
        #[schemars(extend("enum" = ["P-256", "P-384", "P-521"]))]
        curve: Option<String>,
        /// The key's size in bits; `null` where it is unknown.
        key_bits: Option<i64>,
        /// The algorithm of the issuer's signature; `null` where it is unknown.
        #[schemars(extend("x-known" = ["RSA-SHA1", "ecdsa-with-SHA256", "ecdsa-with-SHA384", "ecdsa-with-SHA512", "rsassapss", "sha1WithRSAEncryption", "sha256WithRSAEncryption", "sha384WithRSAEncryption", "sha512WithRSAEncryption"]))]
        signature_algorithm: Option<String>,
        /// Whether its extendedKeyUsage allows TLS servers; true where there is no such extension (RFC 5280 §4.2.1.12).
        server_auth: bool,
        /// The purposes of its extendedKeyUsage.
        #[schemars(extend("x-known" = ["anyExtendedKeyUsage", "clientAuth", "codeSigning", "emailProtection", "OCSPSigning", "serverAuth", "timeStamping"]))]
        purposes: Vec<String>,
    }
}
