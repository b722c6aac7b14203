//! Whether a chain leads to a trusted root: judged apart from name and dates, and as a whole.

use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use miette::Diagnostic;
use thiserror::Error;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{
    CertificateDer, ServerName, SignatureVerificationAlgorithm, TrustAnchor, UnixTime,
};
use webpki::{EndEntityCert, KeyUsage};
use x509_parser::oid_registry::OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS;
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};
use x509_parser::x509::X509Name;

use super::issuers;
use super::options::Roots;
use super::verifiable;
use crate::files::{self, FileError};
use crate::snapshot::{Trust, TrustVerdict};
use crate::source_text::escape;

/// The largest file of trusted certificates that is read, in octets.
const MAX_ROOTS_OCTETS: u64 = 16 << 20;

/// Why there are no trusted certificates.
#[derive(Debug, Diagnostic, Error)]
pub enum RootsError {
    /// The file holds no certificate.
    #[error("{path} holds no certificate")]
    #[diagnostic(code(stslint::roots), help("give a PEM file with the certificates of the authorities to trust"))]
    Empty {
        /// The file's name.
        path: String,
    },
    /// The file cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// A certificate in the file cannot be used.
    #[error("{path} holds a certificate that cannot be used as an authority's: {reason}")]
    #[diagnostic(code(stslint::roots), help("give a PEM file with the certificates of the authorities to trust"))]
    Malformed {
        /// The file's name.
        path: String,
        /// Why not.
        reason: String,
    },
    /// The operating system has no trusted certificates where they are looked for.
    #[error("no trusted certificates were found on this system: {reason}")]
    #[diagnostic(
        code(stslint::roots),
        help("install the package `ca-certificates`, or trust Mozilla's roots (the command's `--roots mozilla`)")
    )]
    System {
        /// What was found wrong.
        reason: String,
    },
}

/// The authorities that are trusted, and the judge of chains.
pub struct ChainVerifier {
    anchors: Vec<TrustAnchor<'static>>,
    organisations: Vec<String>,
    algorithms: Vec<&'static dyn SignatureVerificationAlgorithm>,
}

impl fmt::Debug for ChainVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainVerifier").field("anchors", &self.anchors.len()).finish()
    }
}

impl ChainVerifier {
    /// A judge that trusts `roots`.
    pub fn new(roots: &Roots, provider: &CryptoProvider) -> Result<Self, RootsError> {
        let anchors = match roots {
            Roots::File(path) => from_file(path)?,
            Roots::Mozilla => webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            Roots::System => from_system()?,
        };
        let mut organisations: Vec<String> =
            anchors.iter().filter_map(|anchor| organisation(&anchor.subject)).collect();
        organisations.sort();
        organisations.dedup();
        let known = provider.signature_verification_algorithms.all;
        let algorithms = verifiable::ALGORITHMS.iter().chain(known).copied().collect();
        Ok(ChainVerifier { anchors, organisations, algorithms })
    }

    /// The trusted roots.
    pub fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.anchors
    }

    /// What a verifier says to the whole at `at`: chain, dates and name (RFC 8461 §3.3, §4.2); `ok` if all is well.
    pub fn verify(&self, chain: &[CertificateDer<'_>], name: Option<&ServerName<'_>>, at: Timestamp) -> String {
        let Some((leaf, intermediates)) = chain.split_first() else { return "no certificate was sent".to_owned() };
        let verdict = EndEntityCert::try_from(leaf).and_then(|leaf| {
            self.path(&leaf, intermediates, unix_time(at.as_second()))?;
            name.map_or(Ok(()), |name| leaf.verify_is_valid_for_subject_name(name))
        });
        match verdict {
            Ok(()) => "ok".to_owned(),
            Err(error) if verifiable::is_beyond_us(&error, intermediates) => {
                "a signature in the chain is of a kind that cannot be verified here".to_owned()
            }
            Err(error) => sentence(&error),
        }
    }

    /// Whether the chain leads to a trusted root, whatever the dates of the host's certificate and its names. `None`
    /// where no certificate came, or a signature is of a good kind that cannot be verified here, such as by a key of
    /// P-521: senders can.
    pub fn trust(&self, chain: &[CertificateDer<'_>], at: Timestamp) -> Option<Trust> {
        let (leaf, intermediates) = chain.split_first()?;
        let Ok(([], parsed)) = X509Certificate::from_der(leaf) else {
            return Some(trust(TrustVerdict::Malformed, "the host's certificate cannot be read"));
        };
        // Judged at a moment at which the host's certificate is valid: its dates are another matter.
        let validity = parsed.validity();
        let now = at.as_second();
        let at = now.min(validity.not_after.timestamp()).max(validity.not_before.timestamp());
        let verdict = EndEntityCert::try_from(leaf).and_then(|leaf| self.path(&leaf, intermediates, unix_time(at)));
        let Err(error) = verdict else { return Some(Trust { verdict: TrustVerdict::Trusted, detail: None }) };
        // An issuer that was certified again since then has no such moment, and is valid all the same.
        let dates = verdict_of(&error) == TrustVerdict::IssuerExpired;
        if dates && at != now && issuers::vouch(&self.anchors, &parsed, intermediates, now) {
            return Some(Trust { verdict: TrustVerdict::Trusted, detail: None });
        }
        let self_issued = parsed.subject().as_raw() == parsed.issuer().as_raw();
        let self_signed =
            self_issued && (parsed.verify_signature(None).is_ok() || !verifiable::is_usual(parsed.public_key()));
        if self_signed {
            return Some(trust(TrustVerdict::SelfSigned, "the certificate is signed with its own key"));
        }
        if verifiable::is_beyond_us(&error, intermediates) {
            return None;
        }
        let verdict = verdict_of(&error);
        if verdict == TrustVerdict::UnknownIssuer && self.lacks_intermediate(&parsed, intermediates) {
            let issuer = escape(&parsed.issuer().to_string());
            let detail = format!("the certificate of the issuer ({issuer}) was not sent");
            return Some(trust(TrustVerdict::MissingIntermediate, detail));
        }
        Some(trust(verdict, sentence(&error)))
    }

    fn path(
        &self,
        leaf: &EndEntityCert<'_>,
        intermediates: &[CertificateDer<'_>],
        at: UnixTime,
    ) -> Result<(), webpki::Error> {
        leaf.verify_for_usage(&self.algorithms, &self.anchors, intermediates, at, KeyUsage::server_auth(), None, None)
            .map(|_| ())
    }

    /// Whether the issuer's certificate was left out, and the issuer is a public authority's: its organisation
    /// is that of a trusted root, or the certificate says where to fetch it (RFC 5280 §4.2.2.1).
    fn lacks_intermediate(&self, leaf: &X509Certificate<'_>, intermediates: &[CertificateDer<'_>]) -> bool {
        let issuer = leaf.issuer().as_raw();
        let presented = intermediates
            .iter()
            .filter_map(|der| X509Certificate::from_der(der).ok())
            .any(|(_, certificate)| certificate.subject().as_raw() == issuer);
        if presented {
            return false;
        }
        let known = organisation_of(leaf.issuer()).is_some_and(|name| self.organisations.binary_search(&name).is_ok());
        known || (intermediates.is_empty() && names_issuer_address(leaf))
    }
}

/// How many roots are built in.
pub fn built_in_roots() -> usize {
    webpki_roots::TLS_SERVER_ROOTS.len()
}

/// Whether a file of trusted roots can be read: for configurations, which say so at the place that names it.
pub fn sound_roots(path: &Path) -> Result<(), RootsError> {
    from_file(path).map(drop)
}

fn from_file(path: &Path) -> Result<Vec<TrustAnchor<'static>>, RootsError> {
    let shown = || escape(&path.display().to_string());
    let octets = files::read_bounded(path, MAX_ROOTS_OCTETS)?;
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&octets) {
        let malformed = |reason: String| RootsError::Malformed { path: shown(), reason };
        let certificate = certificate.map_err(|error| malformed(error.to_string()))?;
        store.add(certificate).map_err(|error| malformed(error.to_string()))?;
    }
    if store.roots.is_empty() { Err(RootsError::Empty { path: shown() }) } else { Ok(store.roots) }
}

fn from_system() -> Result<Vec<TrustAnchor<'static>>, RootsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(found.certs);
    if store.roots.is_empty() {
        let reason = found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
        Err(RootsError::System { reason })
    } else {
        Ok(store.roots)
    }
}

fn unix_time(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
}

/// The organisation of a trust anchor.
fn organisation(subject: &[u8]) -> Option<String> {
    let der = issuers::sequence(subject)?;
    let (_, name) = X509Name::from_der(&der).ok()?;
    organisation_of(&name)
}

fn organisation_of(name: &X509Name<'_>) -> Option<String> {
    name.iter_organization().next().and_then(|name| name.as_str().ok()).map(str::to_lowercase)
}

fn names_issuer_address(certificate: &X509Certificate<'_>) -> bool {
    certificate.iter_extensions().any(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => {
            access.iter().any(|description| description.access_method == OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS)
        }
        _ => false,
    })
}

fn trust(verdict: TrustVerdict, detail: impl Into<String>) -> Trust {
    Trust { verdict, detail: Some(detail.into()) }
}

fn verdict_of(error: &webpki::Error) -> TrustVerdict {
    use webpki::Error;
    match error {
        Error::BadDer
        | Error::BadDerTime
        | Error::ExtensionValueInvalid
        | Error::InvalidCertValidity
        | Error::InvalidSerialNumber
        | Error::MalformedExtensions
        | Error::TrailingData(_)
        | Error::UnsupportedCertVersion => TrustVerdict::Malformed,
        Error::InvalidSignatureForPublicKey
        | Error::SignatureAlgorithmMismatch
        | Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => TrustVerdict::BadSignature,
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } => TrustVerdict::IssuerExpired,
        Error::EmptyEkuExtension | Error::RequiredEkuNotFoundContext(_) => TrustVerdict::WrongPurpose,
        Error::NameConstraintViolation => TrustVerdict::NameConstraint,
        Error::UnknownIssuer => TrustVerdict::UnknownIssuer,
        _ => TrustVerdict::Other,
    }
}

/// A verifier's reason in words.
fn sentence(error: &webpki::Error) -> String {
    use webpki::Error;
    let date = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Timestamp::from_second(seconds).map_or_else(|_| "an unknown time".to_owned(), |time| time.to_string())
    };
    match error {
        Error::CaUsedAsEndEntity => "an authority's certificate is used as a host's".to_owned(),
        Error::CertExpired { not_after, .. } => format!("a certificate expired at {}", date(not_after)),
        Error::CertNotValidForName(_) => "the certificate does not name this host".to_owned(),
        Error::CertNotValidYet { not_before, .. } => format!("a certificate is valid only from {}", date(not_before)),
        Error::InvalidSignatureForPublicKey => "a signature in the chain is invalid".to_owned(),
        Error::NameConstraintViolation => {
            "an authority in the chain may not issue certificates for this name".to_owned()
        }
        Error::RequiredEkuNotFoundContext(_) => "the certificate may not be used for a TLS server".to_owned(),
        Error::UnknownIssuer => "the issuer is not trusted".to_owned(),
        Error::UnsupportedSignatureAlgorithmContext(_) | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            "a signature in the chain is of a kind that is not accepted".to_owned()
        }
        Error::EndEntityUsedAsCa => "the certificate of a host is used as that of an authority".to_owned(),
        Error::EmptyEkuExtension => "a certificate has an empty list of purposes".to_owned(),
        Error::InvalidCertValidity => "a certificate ends before it begins".to_owned(),
        Error::PathLenConstraintViolated => "an authority in the chain may not have another below it".to_owned(),
        Error::SignatureAlgorithmMismatch => "a certificate names two kinds of signature for its one".to_owned(),
        Error::UnsupportedCriticalExtension => "a certificate has a critical extension that is not known".to_owned(),
        Error::MaximumNameConstraintComparisonsExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumPathDepthExceeded
        | Error::MaximumSignatureChecksExceeded => "the chain would take more work to verify than is done".to_owned(),
        error if verdict_of(error) == TrustVerdict::Malformed => "a certificate cannot be read".to_owned(),
        _ => "the chain cannot be verified".to_owned(),
    }
}
