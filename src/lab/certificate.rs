//! The certificates that the hosts of the lab ask for: names, dates, issuer, chain and purpose. Issued by
//! [`ca`](super::ca) when the lab starts.

/// A certificate to be issued when the lab starts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateSpec {
    /// The DNS-IDs in the subjectAltName; an empty list leaves the extension out.
    pub dns_ids: Vec<String>,
    /// The common name of the subject.
    pub common_name: String,
    /// The first day of validity, in days from the lab's now: −30 is a month ago.
    pub not_before: i32,
    /// The last day of validity, in days from the lab's now.
    pub not_after: i32,
    /// Who signs it.
    pub issuer: CertificateIssuer,
    /// What is sent beside it.
    pub chain: CertificateChain,
    /// What the extendedKeyUsage allows.
    pub purpose: CertificatePurpose,
}

impl CertificateSpec {
    /// A certificate that nobody finds fault with: issued 30 days ago, good for 60 more.
    pub fn good(dns_id: &str) -> Self {
        Self {
            dns_ids: vec![dns_id.to_owned()],
            common_name: dns_id.to_owned(),
            not_before: -30,
            not_after: 60,
            issuer: CertificateIssuer::Intermediate,
            chain: CertificateChain::Complete,
            purpose: CertificatePurpose::ServerAuth,
        }
    }

    /// A certificate that ran out a week ago, after 90 days.
    pub fn expired(dns_id: &str) -> Self {
        Self { not_before: -97, not_after: -7, ..Self::good(dns_id) }
    }

    /// A certificate that the server made for itself.
    pub fn self_signed(dns_id: &str) -> Self {
        Self { issuer: CertificateIssuer::Itself, ..Self::good(dns_id) }
    }

    /// A good certificate of which the server forgets to send the intermediate.
    pub fn without_intermediate(dns_id: &str) -> Self {
        Self { chain: CertificateChain::LeafOnly, ..Self::good(dns_id) }
    }

    /// A certificate of a private authority that nobody else trusts.
    pub fn unknown_ca(dns_id: &str) -> Self {
        Self { issuer: CertificateIssuer::UnknownCa, ..Self::good(dns_id) }
    }
}

/// Who signs a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CertificateIssuer {
    /// The lab's intermediate, under the root of [`Lab::roots_pem`](super::Lab::roots_pem).
    Intermediate,
    /// Its own key.
    Itself,
    /// The intermediate of an authority that is in no list of roots.
    UnknownCa,
}

/// What a server sends beside its own certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CertificateChain {
    /// The intermediate, as it should be.
    Complete,
    /// Nothing.
    LeafOnly,
    /// The intermediate, then the root, which no one needs.
    WithRoot,
}

/// What the extendedKeyUsage of a certificate allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CertificatePurpose {
    /// To be a client only, so that no sender may accept it from a server.
    ClientAuth,
    /// To be a server.
    ServerAuth,
    /// Anything: the extension is left out.
    Unstated,
}
