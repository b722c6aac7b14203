//! TCP connections to hosts: direct, or through a SOCKS5 proxy where the network here blocks port 25.

use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio_socks::Error as SocksError;
use tokio_socks::tcp::Socks5Stream;

use super::failure::{failure, of_io};
use super::limits::Clock;
use super::options::Proxy;
use crate::snapshot::{Failure, FailureKind, FailureStep};

/// Why there is no connection, and whose fault that is.
pub struct NotConnected {
    /// Why.
    pub failure: Failure,
    /// Whether the peer itself is known not to take the connection: not so where the proxy failed.
    pub is_peers: bool,
}

/// Connects to an address of `whom`, as in "connecting to the `whom`".
pub async fn connect(
    address: SocketAddr,
    whom: &str,
    proxy: Option<&Proxy>,
    clock: Clock,
) -> Result<TcpStream, NotConnected> {
    let of_peer = |error| NotConnected { failure: of_io(&format!("connecting to the {whom}"), &error), is_peers: true };
    let connecting = async {
        let stream = match proxy {
            Some(proxy) => through(proxy, address).await?,
            None => TcpStream::connect(address).await.map_err(of_peer)?,
        };
        // Without it the second EHLO waits for the acknowledgement of the handshake's last record.
        stream.set_nodelay(true).map_err(of_peer)?;
        Ok(stream)
    };
    let connected = match clock.within("connection", connecting).await {
        Ok(connected) => connected,
        Err(failure) => Err(NotConnected { failure, is_peers: proxy.is_none() && !clock.is_over() }),
    };
    connected.map_err(|why| NotConnected { failure: why.failure.at(FailureStep::Connection), ..why })
}

async fn through(proxy: &Proxy, address: SocketAddr) -> Result<TcpStream, NotConnected> {
    let unreached = |error| NotConnected { failure: of_io("connecting to the proxy", &error), is_peers: false };
    let to_proxy = TcpStream::connect(&proxy.endpoint).await.map_err(unreached)?;
    let connected = match &proxy.login {
        Some((user, password)) => {
            Socks5Stream::connect_with_password_and_socket(to_proxy, address, user, password).await
        }
        None => Socks5Stream::connect_with_socket(to_proxy, address).await,
    };
    connected.map(Socks5Stream::into_inner).map_err(|error| of_socks(&error))
}

/// What a proxy's reply means (RFC 1928 §6): some speak of the peer, the others of the proxy.
fn of_socks(error: &SocksError) -> NotConnected {
    let (kind, is_peers) = match error {
        SocksError::ConnectionRefused => (FailureKind::Refused, true),
        SocksError::HostUnreachable | SocksError::NetworkUnreachable | SocksError::TtlExpired => {
            (FailureKind::Network, true)
        }
        _ => (FailureKind::Other, false),
    };
    let what = match error {
        SocksError::ConnectionRefused => "the host refused the connection",
        SocksError::HostUnreachable => "there is no route to the host",
        SocksError::NetworkUnreachable => "there is no route to the network of the address",
        SocksError::TtlExpired => "the host did not answer",
        SocksError::ConnectionNotAllowedByRuleset => "the proxy does not allow the connection",
        SocksError::GeneralSocksServerFailure => "the proxy failed",
        SocksError::AuthorizationRequired
        | SocksError::NoAcceptableAuthMethods
        | SocksError::PasswordAuthFailure(_)
        | SocksError::InvalidAuthValues(_) => "the proxy does not accept the login",
        SocksError::CommandNotSupported | SocksError::AddressTypeNotSupported => {
            "the proxy does not make connections to such an address"
        }
        SocksError::ProxyServerUnreachable => "the proxy cannot be reached",
        SocksError::Io(error) => return NotConnected { failure: of_io("through the proxy", error), is_peers },
        _ => "the proxy does not speak SOCKS5",
    };
    NotConnected { failure: failure(kind, format!("through the proxy: {what}")), is_peers }
}
