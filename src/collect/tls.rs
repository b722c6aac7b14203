//! TLS handshakes that are watched instead of trusted: the recorder notes the chain and the verdict and lets
//! the handshake finish, so that one connection shows everything even with a bad certificate.
//!
//! Used by `https` and `smtp`. Nothing secret is ever sent over such a connection.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{ResolvesClientCert, Resumption};
use tokio_rustls::rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{CipherSuite, ClientConfig, DigitallySignedStruct, Error, ProtocolVersion, SignatureScheme};
use tracing::trace;

use super::certificate;
use super::failure::{failure, for_want_of_certificate, of_io, of_tls};
use super::limits::{Clock, MAX_CHAIN};
use super::second_look::server_name;
use super::server_flight::Spoken;
use super::trust::ChainVerifier;
use super::verifiable;
use crate::snapshot::{Failure, FailureKind, FailureStep, SecondLook, TlsFacts, TlsVersion, Trust, TrustVerdict};
use crate::source_text::escape;

/// What is needed for any handshake: the judge of chains, the cryptography, and the time to judge at.
#[derive(Clone, Debug)]
pub struct TlsProber {
    chain_verifier: Arc<ChainVerifier>,
    provider: Arc<CryptoProvider>,
    at: Timestamp,
}

impl TlsProber {
    /// Handshakes judged by `judge` as of `at`.
    pub fn new(chain_verifier: Arc<ChainVerifier>, provider: Arc<CryptoProvider>, at: Timestamp) -> Self {
        TlsProber { chain_verifier, provider, at }
    }

    /// A recorder for one handshake.
    pub fn recorder(&self) -> Arc<Recorder> {
        Arc::new(Recorder { prober: self.clone(), seen: Mutex::default() })
    }
}

/// Watches one handshake.
#[derive(Debug)]
pub struct Recorder {
    prober: TlsProber,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    chain: Vec<CertificateDer<'static>>,
    name: Option<ServerName<'static>>,
    version: Option<ProtocolVersion>,
    cipher: Option<CipherSuite>,
    signature: Option<Error>,
    demands_certificate: bool,
}

impl Recorder {
    /// The configuration of a client whose handshake this recorder watches.
    pub fn client_config(self: &Arc<Self>, sni: bool, alpn: &[&[u8]]) -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::builder_with_provider(self.prober.provider.clone())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(self.clone())
            .with_client_cert_resolver(self.clone());
        config.enable_sni = sni;
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        // No session is resumed, so that each handshake shows its certificates.
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    /// Notes what a finished handshake agreed on.
    fn note(&self, version: Option<ProtocolVersion>, cipher: Option<CipherSuite>) {
        self.with(|seen| {
            seen.version = version.or(seen.version);
            seen.cipher = cipher.or(seen.cipher);
        });
    }

    /// Everything that was seen. Whether the handshake succeeded is for the caller to add.
    pub fn facts(&self, server_name: Option<&str>) -> TlsFacts {
        self.with(|seen| {
            let TlsProber { chain_verifier, at, .. } = &self.prober;
            let mut trust = chain_verifier.trust(&seen.chain, *at);
            // What cannot be verified here is not wrong: a small RSA key is weak, and a finding of its own.
            let can_be_verified = seen.chain.first().is_some_and(|leaf| verifiable::has_usual_key(leaf));
            let forged = seen.signature.is_some() && can_be_verified;
            if let (true, Some(Trust { verdict: TrustVerdict::Trusted, .. })) = (forged, &trust) {
                let detail = "the handshake is not signed with the certificate's key".to_owned();
                trust = Some(Trust { verdict: TrustVerdict::Other, detail: Some(detail) });
            }
            let known = !seen.chain.is_empty();
            TlsFacts {
                server_name: server_name.map(str::to_owned),
                version: seen.version.and_then(version_of),
                cipher: seen.cipher.and_then(|cipher| cipher.as_str()).map(iana_name),
                chain: seen.chain.iter().take(MAX_CHAIN).map(|der| certificate::read(der)).collect(),
                chain_length: u32::try_from(seen.chain.len()).ok().filter(|_| seen.chain.len() > MAX_CHAIN),
                trust,
                client_certificate: seen.demands_certificate,
                verifier: known.then(|| chain_verifier.verify(&seen.chain, seen.name.as_ref(), *at)),
                ..TlsFacts::default()
            }
        })
    }

    /// Whether a certificate came, so that the two sides had something in common.
    pub fn saw_certificate(&self) -> bool {
        self.with(|seen| !seen.chain.is_empty())
    }

    /// Whether the server demanded a client's certificate; some only ask for one, and go on without.
    pub fn demands_certificate(&self) -> bool {
        self.with(|seen| seen.demands_certificate)
    }

    /// What a finished handshake agreed on, for the log.
    fn agreed(&self) -> String {
        self.with(|seen| {
            let version = seen.version.and_then(version_of).map_or("TLS", TlsVersion::word);
            let cipher = seen.cipher.and_then(|cipher| cipher.as_str()).map(iana_name);
            format!("{version} with {}", cipher.as_deref().unwrap_or("an unknown suite"))
        })
    }

    /// Everything that is known of a handshake that failed: what was seen of it, and what a second look found.
    pub fn facts_of_failure(&self, host: &str, failure: &Failure, spoken: Option<Spoken>) -> TlsFacts {
        if let Some(spoken) = &spoken {
            self.with(|seen| (seen.chain, seen.name) = (spoken.chain.clone(), server_name(host)));
        }
        let second_look = spoken.map(SecondLook::from);
        TlsFacts { handshake: false, failure: Some(failure.clone()), second_look, ..self.facts(Some(host)) }
    }

    fn with<T>(&self, read: impl FnOnce(&mut Seen) -> T) -> T {
        read(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note_signature(&self, version: ProtocolVersion, verdict: Result<HandshakeSignatureValid, Error>) {
        self.with(|seen| {
            seen.version = Some(version);
            seen.signature = verdict.err();
        });
    }
}

/// Notes that a client's certificate is demanded, and has none.
impl ResolvesClientCert for Recorder {
    fn resolve(&self, _root_hint_subjects: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.with(|seen| seen.demands_certificate = true);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.with(|seen| {
            seen.chain = std::iter::once(end_entity).chain(intermediates).map(|der| der.clone().into_owned()).collect();
            seen.name = Some(server_name.to_owned());
        });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.prober.provider.signature_verification_algorithms;
        let verdict = verify_tls12_signature(message, certificate, signature, algorithms);
        self.note_signature(ProtocolVersion::TLSv1_2, verdict);
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.prober.provider.signature_verification_algorithms;
        let verdict = verify_tls13_signature(message, certificate, signature, algorithms);
        self.note_signature(ProtocolVersion::TLSv1_3, verdict);
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.prober.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Shakes hands with a host, naming it where `sni` says so; the recorder then knows what was agreed on.
pub async fn handshake(
    stream: TcpStream,
    host: &str,
    sni: bool,
    alpn: &[&[u8]],
    recorder: &Arc<Recorder>,
    clock: Clock,
) -> Result<TlsStream<TcpStream>, Failure> {
    let shaken = shake(stream, host, sni, alpn, recorder, clock).await;
    let shaken = shaken.map_err(|failure| {
        for_want_of_certificate(failure, recorder.demands_certificate()).at(FailureStep::TlsHandshake)
    });
    let asked = if sni { format!("SNI {}", escape(host)) } else { "no SNI".to_owned() };
    let outcome = shaken.as_ref().map_or_else(|failure| failure.detail.clone(), |_| recorder.agreed());
    trace!("TLS: offered {OFFERED}, {asked}: {outcome}");
    shaken
}

/// What the library offers, for the log.
const OFFERED: &str =
    "TLS 1.2 and 1.3 with ECDHE (X25519, P-256, P-384), AES-GCM or ChaCha20, and RSA, ECDSA and Ed25519 keys";

async fn shake(
    stream: TcpStream,
    host: &str,
    sni: bool,
    alpn: &[&[u8]],
    recorder: &Arc<Recorder>,
    clock: Clock,
) -> Result<TlsStream<TcpStream>, Failure> {
    let name = server_name(host).ok_or_else(|| failure(FailureKind::Other, "TLS cannot ask for this name"))?;
    let config = recorder.client_config(sni, alpn).map_err(|error| of_tls(&error))?;
    let secured = clock.within("end of the TLS handshake", TlsConnector::from(Arc::new(config)).connect(name, stream));
    let stream = secured.await?.map_err(|error| of_io("the TLS handshake", &error))?;
    let (_, connection) = stream.get_ref();
    recorder.note(connection.protocol_version(), connection.negotiated_cipher_suite().map(|suite| suite.suite()));
    Ok(stream)
}

fn version_of(version: ProtocolVersion) -> Option<TlsVersion> {
    match version {
        ProtocolVersion::SSLv3 => Some(TlsVersion::Ssl3),
        ProtocolVersion::TLSv1_0 => Some(TlsVersion::Tls10),
        ProtocolVersion::TLSv1_1 => Some(TlsVersion::Tls11),
        ProtocolVersion::TLSv1_2 => Some(TlsVersion::Tls12),
        ProtocolVersion::TLSv1_3 => Some(TlsVersion::Tls13),
        _ => None,
    }
}

/// The name in IANA's registry: rustls marks those of TLS 1.3 (RFC 8446 §B.4) in its own way.
fn iana_name(name: &str) -> String {
    name.replace("TLS13_", "TLS_")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio_rustls::rustls::crypto::ring;

    use super::super::options::Roots;
    use super::super::verifiable::tests::{chain, file};
    use super::*;

    #[test]
    fn a_handshake_signed_with_a_small_rsa_key_is_not_taken_for_forged() {
        let provider = Arc::new(ring::default_provider());
        let chain_verifier = Arc::new(ChainVerifier::new(&Roots::File(file("root")), &provider).unwrap());
        let recorder = TlsProber::new(chain_verifier, provider, "2027-01-01T00:00:00Z".parse().unwrap()).recorder();
        for (name, verdict) in [("rsa-1024", TrustVerdict::Trusted), ("below-rsa-1024", TrustVerdict::Other)] {
            recorder.with(|seen| {
                seen.chain = chain(name);
                seen.signature = Some(Error::InvalidCertificate(tokio_rustls::rustls::CertificateError::BadSignature));
            });
            assert_eq!(recorder.facts(None).trust.unwrap().verdict, verdict, "{name}");
        }
    }
}
