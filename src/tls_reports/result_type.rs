//! The registered result types of TLS reports. Used by what reads reports, by what senders would report, and by rules.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// A registered result type (RFC 8460 §4.3, §6.6); reports may hold others, which stay texts.
    pub enum ResultType {
        /// The certificate has expired.
        CertificateExpired = "certificate-expired",
        /// The certificate does not name the host.
        CertificateHostMismatch = "certificate-host-mismatch",
        /// The certificate is not trusted for another reason.
        CertificateNotTrusted = "certificate-not-trusted",
        /// The sender demands DANE, and there are no TLSA records.
        DaneRequired = "dane-required",
        /// A resolver that validates DNSSEC got no valid answer.
        DnssecInvalid = "dnssec-invalid",
        /// The host does not offer STARTTLS.
        StarttlsNotSupported = "starttls-not-supported",
        /// The policy could not be fetched.
        StsPolicyFetchError = "sts-policy-fetch-error",
        /// The policy could not be used.
        StsPolicyInvalid = "sts-policy-invalid",
        /// The policy host's certificate is not valid.
        StsWebpkiInvalid = "sts-webpki-invalid",
        /// A TLSA record is not usable, or none matches.
        TlsaInvalid = "tlsa-invalid",
        /// Anything else.
        ValidationFailure = "validation-failure",
    }
}

impl ResultType {
    /// Several, as a sentence lists them.
    pub fn listed(kinds: &[ResultType]) -> String {
        kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ")
    }
}
