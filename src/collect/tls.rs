//! TLS as the collector wants it: a verifier that notes the chain and lets the handshake finish, and the
//! verdict on that chain afterwards, apart from name and dates.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring::default_provider, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::SetupError;
use super::certificate::{Dates, dates, organisation, read, vouched_by_issuer_url};
use super::options::Roots;
use crate::files;
use crate::snapshot::{Certificate, Failure, FailureKind, TlsFacts, Trust, TrustVerdict};
use crate::source_text::escape;

/// How many certificates of a chain are kept.
const MAX_CHAIN: usize = 16;
/// The largest file of roots, in octets.
const MAX_ROOTS: u64 = 16 << 20;

/// What every handshake of a run shares.
#[derive(Clone, Debug)]
pub struct Tls {
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

/// What a handshake showed to the verifier.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The chain as it was sent.
    pub chain: Vec<CertificateDer<'static>>,
    /// `TLSv1.2` or `TLSv1.3`, told by which signature was checked.
    pub version: Option<&'static str>,
}

/// A verifier that believes everything and remembers it.
#[derive(Debug)]
pub struct Recorder {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Seen>,
}

impl Recorder {
    /// What it saw.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain =
            std::iter::once(end_entity).chain(intermediates).take(MAX_CHAIN).map(|der| der.clone().into_owned());
        let chain = chain.collect();
        self.note(|seen| seen.chain = chain);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.note(|seen| seen.version = Some("TLSv1.2"));
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.note(|seen| seen.version = Some("TLSv1.3"));
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl Tls {
    /// Loads the roots.
    pub fn new(roots: &Roots) -> Result<Self, SetupError> {
        Ok(Tls { roots: Arc::new(load(roots)?), provider: Arc::new(default_provider()) })
    }

    /// A configuration with a recorder of its own.
    pub fn client(&self, sni: bool) -> Result<(ClientConfig, Arc<Recorder>), Error> {
        let recorder = Arc::new(Recorder { provider: self.provider.clone(), seen: Mutex::default() });
        let mut config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(recorder.clone())
            .with_no_client_auth();
        config.enable_sni = sni;
        // A resumed session would show no certificate.
        config.resumption = tokio_rustls::rustls::client::Resumption::disabled();
        Ok((config, recorder))
    }

    /// The facts of a handshake with `host` at `now`.
    pub fn facts(&self, seen: &Seen, host: &str, now: Duration, failure: Option<Failure>) -> TlsFacts {
        let trust = self.trust(seen, host, now);
        TlsFacts {
            server_name: Some(host.to_owned()),
            handshake: failure.is_none(),
            version: seen.version.map(str::to_owned),
            cipher: None,
            chain: seen.chain.iter().map(|der| read(der)).collect(),
            verifier: self.verdict(seen, host, now),
            trust,
            failure,
        }
    }

    /// The plain verdict on the whole: chain, dates and name.
    fn verdict(&self, seen: &Seen, host: &str, now: Duration) -> Option<String> {
        let (leaf, rest) = seen.chain.split_first()?;
        let name = ServerName::try_from(host.to_owned()).ok()?;
        let verifier =
            WebPkiServerVerifier::builder_with_provider(self.roots.clone(), self.provider.clone()).build().ok()?;
        Some(match verifier.verify_server_cert(leaf, rest, &name, &[], UnixTime::since_unix_epoch(now)) {
            Ok(_) => "ok".to_owned(),
            Err(error) => escape(&error.to_string()),
        })
    }

    /// Whether the chain leads to a root, at a time at which the host's own certificate is valid.
    fn trust(&self, seen: &Seen, _host: &str, now: Duration) -> Option<Trust> {
        let (leaf, rest) = seen.chain.split_first()?;
        let judged_at = dates(leaf).map_or(now, |dates| within(dates, now));
        let parsed = match ParsedCertificate::try_from(leaf) {
            Ok(parsed) => parsed,
            Err(error) => {
                return Some(Trust { verdict: TrustVerdict::Malformed, detail: Some(escape(&error.to_string())) });
            }
        };
        let algorithms = self.provider.signature_verification_algorithms.all;
        let judged = verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            rest,
            UnixTime::since_unix_epoch(judged_at),
            algorithms,
        );
        Some(match judged {
            Ok(()) => Trust { verdict: TrustVerdict::Trusted, detail: None },
            Err(error) => Trust { verdict: self.reason(&error, &seen.chain), detail: Some(escape(&error.to_string())) },
        })
    }

    fn reason(&self, error: &Error, chain: &[CertificateDer<'static>]) -> TrustVerdict {
        let certificates: Vec<Certificate> = chain.iter().map(|der| read(der)).collect();
        let self_signed = certificates.first().is_some_and(|leaf| leaf.subject == leaf.issuer);
        let Error::InvalidCertificate(error) = error else { return TrustVerdict::Other };
        match error {
            _ if self_signed => TrustVerdict::SelfSigned,
            CertificateError::BadEncoding => TrustVerdict::Malformed,
            CertificateError::BadSignature => TrustVerdict::BadSignature,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => TrustVerdict::IssuerExpired,
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                TrustVerdict::WrongPurpose
            }
            CertificateError::UnknownIssuer if self.lacks_intermediate(chain, &certificates) => {
                TrustVerdict::MissingIntermediate
            }
            CertificateError::UnknownIssuer => TrustVerdict::UnknownIssuer,
            other
                if other.to_string().contains("NameConstraint") || format!("{other:?}").contains("NameConstraint") =>
            {
                TrustVerdict::NameConstraint
            }
            _ => TrustVerdict::Other,
        }
    }

    /// Whether the issuer's certificate was not sent and is a known authority's: the last one that was sent
    /// names an issuer of the same organisation as a trusted root, or says where to fetch its issuer.
    fn lacks_intermediate(&self, chain: &[CertificateDer<'static>], certificates: &[Certificate]) -> bool {
        let Some((last, der)) = certificates.last().zip(chain.last()) else { return false };
        if last.subject == last.issuer {
            return false;
        }
        let issuer = organisation(&last.issuer);
        let known = self.roots.roots.iter().any(|root| {
            let subject = super::certificate::name_of(root.subject.as_ref());
            issuer.is_some() && subject.as_deref().and_then(organisation) == issuer
        });
        known || (certificates.len() == 1 && vouched_by_issuer_url(der))
    }
}

/// The time itself where it lies within the dates, else their middle.
fn within(dates: Dates, now: Duration) -> Duration {
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let time = if now >= dates.from && now <= dates.until {
        now
    } else {
        dates.from.saturating_add(dates.until.saturating_sub(dates.from) / 2)
    };
    Duration::from_secs(u64::try_from(time).unwrap_or_default())
}

fn load(roots: &Roots) -> Result<RootCertStore, SetupError> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::Mozilla => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Roots::System => {
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
            if store.is_empty() {
                return Err(SetupError::NoRoots("the operating system".to_owned()));
            }
        }
        Roots::File(path) => {
            let pem = files::read_bounded(path, MAX_ROOTS)?;
            let found: Vec<CertificateDer<'static>> =
                CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
            store.add_parsable_certificates(found);
            if store.is_empty() {
                return Err(SetupError::NoRoots(path.display().to_string()));
            }
        }
    }
    Ok(store)
}

/// The failure that an error of a handshake is.
pub fn handshake_failure(error: &std::io::Error) -> Failure {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match tls {
        Some(Error::AlertReceived(alert)) => Failure {
            kind: FailureKind::TlsAlert,
            detail: format!("the server ended the handshake with the alert {alert:?}"),
        },
        Some(error) => Failure { kind: FailureKind::TlsHandshake, detail: escape(&error.to_string()) },
        None => super::io_failure(error),
    }
}
