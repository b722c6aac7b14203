//! How a server of the lab meets a TLS handshake: which certificate, which versions, which fault.
//!
//! The hosts of [`web`](super::web) and [`smtp`](super::smtp) hold a [`TlsOffer`] each, which is made
//! ready when the lab starts.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::rustls::{
    ALL_VERSIONS, Error as TlsError, ServerConfig, SupportedProtocolVersion, crypto::ring, version,
};
use tokio_rustls::server::TlsStream;

use super::LabError;
use super::ca::CertificateAuthority;
use super::certificate::CertificateSpec;
use super::journal::HandshakeEnd;
use super::listen::never;

/// A fatal `handshake_failure` alert as it is on the wire, RFC 8446 §6.
const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

static ONLY_TLS12: &[&SupportedProtocolVersion] = &[&version::TLS12];
static ONLY_TLS13: &[&SupportedProtocolVersion] = &[&version::TLS13];

/// How a server behaves in TLS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsOffer {
    /// The certificate that it presents.
    pub certificate: CertificateSpec,
    /// The versions that it speaks.
    pub versions: TlsVersions,
    /// Whether it fails a client that sends no server name (SNI, RFC 8461 §7.1).
    pub requires_sni: bool,
    /// What comes of the handshake.
    pub handshake: TlsHandshake,
}

impl TlsOffer {
    /// A handshake without a fault, for one name.
    pub fn good(dns_id: &str) -> Self {
        Self {
            certificate: CertificateSpec::good(dns_id),
            versions: TlsVersions::Both,
            requires_sni: false,
            handshake: TlsHandshake::Completes,
        }
    }
}

/// The TLS versions that a server speaks. Older ones are out of reach of the library in use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TlsVersions {
    /// TLS 1.2 and 1.3.
    Both,
    /// TLS 1.2 only.
    Tls12,
    /// TLS 1.3 only.
    Tls13,
}

impl TlsVersions {
    fn supported(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Both => ALL_VERSIONS,
            Self::Tls12 => ONLY_TLS12,
            Self::Tls13 => ONLY_TLS13,
        }
    }
}

/// What comes of a handshake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TlsHandshake {
    /// It is completed.
    Completes,
    /// The server hangs up after the ClientHello.
    Hangup,
    /// The server answers the ClientHello with an alert, `handshake_failure`.
    Refused,
    /// The server never says a word.
    Silent,
}

/// A [`TlsOffer`] with its certificate issued.
#[derive(Debug)]
pub(super) struct TlsServer {
    config: Arc<ServerConfig>,
    requires_sni: bool,
    handshake: TlsHandshake,
    /// The SubjectPublicKeyInfo of the certificate in DER.
    pub(super) public_key: Vec<u8>,
}

/// Issues the certificate of an offer and sets up the server's side.
///
/// # Errors
/// [`LabError::Certificate`] or [`LabError::Tls`] when the offer names what cannot be issued.
pub(super) fn prepare(
    offer: &TlsOffer,
    alpn: &[&[u8]],
    authority: &CertificateAuthority,
) -> Result<Arc<TlsServer>, LabError> {
    let issued = authority.issue(&offer.certificate)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(offer.versions.supported())
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(issued.chain, issued.key.into()))
        .map_err(LabError::Tls)?;
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Arc::new(TlsServer {
        config: Arc::new(config),
        requires_sni: offer.requires_sni,
        handshake: offer.handshake,
        public_key: issued.public_key,
    }))
}

/// Runs the server's half of a handshake with the server that `choose` finds for the SNI, and says how it ended to
/// `ended`, with the SNI.
///
/// `None` when there is no stream to go on with; the connection is closed then.
pub(super) async fn accept<'a, T>(
    stream: TcpStream,
    choose: impl FnOnce(Option<&str>) -> (&'a TlsServer, T),
    ended: impl FnOnce(Option<&str>, HandshakeEnd),
) -> Option<(TlsStream<TcpStream>, T)> {
    let mut start = match LazyConfigAcceptor::new(Acceptor::default(), stream).await {
        Ok(start) => start,
        Err(error) => {
            ended(None, failed(&error));
            return None;
        }
    };
    let sni = start.client_hello().server_name().map(str::to_ascii_lowercase);
    let (server, chosen) = choose(sni.as_deref());
    let refused = server.requires_sni && sni.is_none();
    match server.handshake {
        TlsHandshake::Completes if !refused => {
            let stream = start.into_stream(Arc::clone(&server.config)).await;
            let named = sni.is_some();
            ended(sni.as_deref(), stream.as_ref().map_or_else(failed, |_| HandshakeEnd::Complete { named }));
            Some((stream.ok()?, chosen))
        }
        TlsHandshake::Completes | TlsHandshake::Refused => {
            ended(sni.as_deref(), HandshakeEnd::Failed);
            start.io.write_all(&HANDSHAKE_FAILURE).await.ok()?;
            start.io.shutdown().await.ok()?;
            None
        }
        TlsHandshake::Hangup => None,
        TlsHandshake::Silent => never().await,
    }
}

/// How a handshake ended that failed with this error.
fn failed(error: &std::io::Error) -> HandshakeEnd {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(TlsError::AlertReceived(alert)) => HandshakeEnd::Alert(format!("{alert:?}")),
        _ => HandshakeEnd::Failed,
    }
}
