//! Addresses, ports and accept loops of the lab's TCP servers, with the limits that keep a test
//! from hanging.
//!
//! MX hosts share one port as real ones share port 25, so each has its own address in the lab's
//! network, and the port is the one that was asked for, or one that is free on all of them.

use std::collections::BTreeSet;
use std::future::{Future, pending};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::LabError;

/// The address that web hosts share in the usual network, told apart by SNI.
#[cfg(test)]
pub(super) const WEB_ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 80, 0, 1);

/// Where a lab listens. A port of 0 is one that the system chooses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Listen {
    /// The address of the name server.
    pub dns: SocketAddr,
    /// The first address of the servers: the one that web hosts share. MX hosts have those after it.
    pub first: Ipv4Addr,
    /// The last address that a server may have.
    pub last: Ipv4Addr,
    /// The port of all HTTPS servers.
    pub https_port: u16,
    /// The port of all SMTP servers.
    pub smtp_port: u16,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            dns: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            first: Ipv4Addr::new(127, 80, 0, 1),
            last: Ipv4Addr::new(127, 80, 255, 254),
            https_port: 0,
            smtp_port: 0,
        }
    }
}

/// How long one connection may last, however slow its peer.
const SESSION_TIME: Duration = Duration::from_secs(30);

/// How many connections one listener serves at a time; more wait to be accepted.
const CONNECTIONS: usize = 128;

/// How many ports are tried before the lab gives up.
const PORT_ATTEMPTS: usize = 32;

/// Counts up addresses, one for each server that needs its own.
pub(super) struct Addresses {
    /// The address that web hosts share.
    pub(super) web: Ipv4Addr,
    next: u32,
    last: Ipv4Addr,
}

impl Addresses {
    /// Starts after the address that web hosts share.
    pub(super) fn new(listen: &Listen) -> Self {
        Self { web: listen.first, next: u32::from(listen.first).saturating_add(1), last: listen.last }
    }

    /// The next address that no server of this lab has.
    ///
    /// # Errors
    /// [`LabError::TooManyHosts`] at the end of the lab's network.
    pub(super) fn allot(&mut self) -> Result<Ipv4Addr, LabError> {
        let address = Ipv4Addr::from(self.next);
        if address > self.last {
            return Err(LabError::TooManyHosts);
        }
        self.next = self.next.saturating_add(1);
        Ok(address)
    }
}

/// Listens on all of the addresses at one port: the wanted one, or for 0 one that the system chooses.
///
/// Returns the port, and the listeners in the order of the addresses.
///
/// # Errors
/// [`LabError::Bind`] when an address cannot be used at all, or no port is free on all of them.
pub(super) async fn bind(wanted: u16, addresses: &BTreeSet<Ipv4Addr>) -> Result<(u16, Vec<TcpListener>), LabError> {
    let mut attempt = 1;
    loop {
        match bind_once(wanted, addresses).await {
            Err(LabError::Bind { source, .. })
                if wanted == 0 && source.kind() == io::ErrorKind::AddrInUse && attempt < PORT_ATTEMPTS =>
            {
                attempt += 1;
            }
            bound => return bound,
        }
    }
}

async fn bind_once(wanted: u16, addresses: &BTreeSet<Ipv4Addr>) -> Result<(u16, Vec<TcpListener>), LabError> {
    let mut port = wanted;
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        let listener = bind_at(SocketAddr::from((*address, port))).await?;
        port = listener.local_addr().map_err(|source| LabError::bind((*address, port), source))?.port();
        listeners.push(listener);
    }
    Ok((port, listeners))
}

async fn bind_at(address: SocketAddr) -> Result<TcpListener, LabError> {
    TcpListener::bind(address).await.map_err(|source| LabError::bind(address, source))
}

/// Serves a listener for as long as the returned future is polled.
///
/// Connections end with it, or on their own after half a minute.
pub(super) async fn serve<F>(listener: TcpListener, mut session: impl FnMut(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if sessions.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    // Small writes must not wait for acknowledgements.
                    let _ = stream.set_nodelay(true);
                    sessions.spawn(timeout(SESSION_TIME, session(stream)));
                }
                // Out of file descriptors, most likely: let some connections end first.
                Err(_) => sleep(Duration::from_millis(20)).await,
            },
            Some(_) = sessions.join_next(), if !sessions.is_empty() => {}
        }
    }
}

/// Waits until the session's time is over: the server that accepts and never answers.
pub(super) async fn never<T>() -> T {
    pending().await
}
