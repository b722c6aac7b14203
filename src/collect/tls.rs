//! TLS handshakes that are watched instead of trusted: the recorder notes the chain and the verdict and lets
//! the handshake finish, so that one connection shows everything even with a bad certificate.
//!
//! Used by `https` under reqwest and by `smtp` under tokio-rustls. Nothing secret is ever sent over such a
//! connection.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue};
use tokio_rustls::rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CipherSuite, ClientConfig, DigitallySignedStruct, Error, NamedGroup, ProtocolVersion, SignatureScheme,
};

use super::certificate;
use super::limits::MAX_CHAIN;
use super::trust::Judge;
use crate::snapshot::{TlsFacts, Trust, TrustVerdict};

/// What is needed for any handshake: the judge of chains, the cryptography, and the time to judge at.
#[derive(Clone, Debug)]
pub struct Observatory {
    judge: Arc<Judge>,
    provider: Arc<CryptoProvider>,
    at: Timestamp,
}

impl Observatory {
    /// Handshakes judged by `judge` as of `at`.
    pub fn new(judge: Arc<Judge>, provider: Arc<CryptoProvider>, at: Timestamp) -> Self {
        Observatory { judge, provider, at }
    }

    /// A recorder for one handshake.
    pub fn recorder(&self) -> Arc<Recorder> {
        Arc::new(Recorder { observatory: self.clone(), seen: Mutex::default() })
    }
}

/// Watches one handshake.
#[derive(Debug)]
pub struct Recorder {
    observatory: Observatory,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    chain: Vec<CertificateDer<'static>>,
    name: Option<ServerName<'static>>,
    version: Option<ProtocolVersion>,
    cipher: Option<CipherSuite>,
    signature: Option<Error>,
}

impl Recorder {
    /// The configuration of a client whose handshake this recorder watches.
    pub fn client_config(self: &Arc<Self>, sni: bool, alpn: &[&[u8]]) -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::builder_with_provider(self.observatory.provider.clone())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(self.clone())
            .with_no_client_auth();
        config.enable_sni = sni;
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        config.resumption = Resumption::store(self.clone());
        Ok(config)
    }

    /// Notes what a finished handshake agreed on.
    pub fn note(&self, version: Option<ProtocolVersion>, cipher: Option<CipherSuite>) {
        self.with(|seen| {
            seen.version = version.or(seen.version);
            seen.cipher = cipher.or(seen.cipher);
        });
    }

    /// Whether a certificate came, so that TCP and the first half of the handshake went well.
    pub fn saw_certificate(&self) -> bool {
        self.with(|seen| !seen.chain.is_empty())
    }

    /// Whether the cipher suite is known.
    pub fn saw_cipher(&self) -> bool {
        self.with(|seen| seen.cipher.is_some())
    }

    /// Everything that was seen. Whether the handshake succeeded is for the caller to add.
    pub fn facts(&self, server_name: Option<&str>) -> TlsFacts {
        self.with(|seen| {
            let Observatory { judge, at, .. } = &self.observatory;
            let mut trust = judge.trust(&seen.chain, *at);
            if let (Some(error), Some(Trust { verdict: TrustVerdict::Trusted, .. })) = (&seen.signature, &trust) {
                let detail = format!("the handshake is not signed with the certificate's key: {error}");
                trust = Some(Trust { verdict: TrustVerdict::Other, detail: Some(detail) });
            }
            let known = !seen.chain.is_empty();
            TlsFacts {
                server_name: server_name.map(str::to_owned),
                version: seen.version.and_then(version_name),
                cipher: seen.cipher.and_then(|cipher| cipher.as_str()).map(iana_name),
                chain: seen.chain.iter().take(MAX_CHAIN).map(|der| certificate::read(der)).collect(),
                chain_length: u32::try_from(seen.chain.len()).ok().filter(|_| seen.chain.len() > MAX_CHAIN),
                trust,
                verifier: known.then(|| judge.verify(&seen.chain, seen.name.as_ref(), *at)),
                ..TlsFacts::default()
            }
        })
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
        let algorithms = &self.observatory.provider.signature_verification_algorithms;
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
        let algorithms = &self.observatory.provider.signature_verification_algorithms;
        let verdict = verify_tls13_signature(message, certificate, signature, algorithms);
        self.note_signature(ProtocolVersion::TLSv1_3, verdict);
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.observatory.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Sessions are never resumed, so that each handshake shows its certificates; but a ticket tells the cipher
/// suite where the connection itself is out of reach, inside reqwest.
impl ClientSessionStore for Recorder {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        self.note(Some(ProtocolVersion::TLSv1_3), Some(ticket.suite().common.suite));
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

fn version_name(version: ProtocolVersion) -> Option<String> {
    match version {
        ProtocolVersion::TLSv1_2 => Some("TLSv1.2".to_owned()),
        ProtocolVersion::TLSv1_3 => Some("TLSv1.3".to_owned()),
        other => other.as_str().map(str::to_owned),
    }
}

/// The name in IANA's registry: rustls marks those of TLS 1.3 (RFC 8446 §B.4) in its own way.
fn iana_name(name: &str) -> String {
    name.replace("TLS13_", "TLS_")
}
