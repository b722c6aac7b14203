//! Listening and connections: TCP, a Unix socket, or what systemd hands over; bounded in number and in time.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use miette::Diagnostic;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, watch};
use tracing::debug;

use crate::source_text::escape;

/// So many connections are open at the same time; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 4_096;
/// A client has so long to send the header of a request.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// A request's header has at most so many octets.
const HEADER_OCTETS: usize = 16 * 1024;
/// So long what has begun may go on when the service ends.
const GRACE: Duration = Duration::from_secs(10);

/// The peer's address; `None` behind a Unix socket.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub Option<IpAddr>);

/// Where to listen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Listen {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A Unix socket: `unix:/run/stslint.sock`.
    Unix(PathBuf),
}

/// Why it is not possible to listen.
#[derive(Debug, Diagnostic, Error)]
#[error("cannot listen on {at}: {reason}")]
#[diagnostic(code(stslint::listen), help("is the address one of this machine's, and the port free?"))]
pub struct ListenError {
    at: String,
    reason: std::io::Error,
}

/// Something that connections come in on.
#[derive(Debug)]
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix socket.
    Unix(UnixListener),
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Listen::Unix(PathBuf::from(path)));
        }
        let with_host = if text.starts_with(':') { format!("127.0.0.1{text}") } else { text.to_owned() };
        let local = with_host.strip_prefix("localhost").map(|port| format!("127.0.0.1{port}"));
        local.unwrap_or(with_host).parse().map(Listen::Tcp).map_err(|_| {
            format!(
                "`{}` is not an address with a port, such as 127.0.0.1:8080 or [::1]:8080, nor unix:PATH",
                escape(text)
            )
        })
    }
}

impl Listener {
    /// Listens. A Unix socket that an earlier run left behind is replaced.
    pub async fn bind(listen: &Listen) -> Result<Self, ListenError> {
        match listen {
            Listen::Tcp(address) => {
                let bound = TcpListener::bind(address).await;
                bound.map(Listener::Tcp).map_err(|reason| ListenError { at: address.to_string(), reason })
            }
            Listen::Unix(path) => {
                let at = || escape(&path.display().to_string());
                if is_socket(path) && std::os::unix::net::UnixStream::connect(path).is_err() {
                    let _ = std::fs::remove_file(path);
                }
                UnixListener::bind(path).map(Listener::Unix).map_err(|reason| ListenError { at: at(), reason })
            }
        }
    }

    /// The listeners that systemd hands over (sd_listen_fds(3)).
    pub fn handed_over() -> Result<Vec<Self>, ListenError> {
        let failed = |reason| ListenError { at: "a socket of systemd's".to_owned(), reason };
        let mut handed = listenfd::ListenFd::from_env();
        let mut listeners = Vec::new();
        for index in 0..handed.len() {
            if let Ok(Some(listener)) = handed.take_tcp_listener(index) {
                listener.set_nonblocking(true).map_err(failed)?;
                listeners.push(Listener::Tcp(TcpListener::from_std(listener).map_err(failed)?));
            } else if let Some(listener) = handed.take_unix_listener(index).map_err(failed)? {
                listener.set_nonblocking(true).map_err(failed)?;
                listeners.push(Listener::Unix(UnixListener::from_std(listener).map_err(failed)?));
            }
        }
        Ok(listeners)
    }

    /// Where it listens, for people.
    pub fn shown(&self) -> String {
        match self {
            Listener::Tcp(listener) => listener.local_addr().map(super::address).unwrap_or_default(),
            Listener::Unix(listener) => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname());
                format!("unix:{}", path.map(|path| escape(&path.display().to_string())).unwrap_or_default())
            }
        }
    }
}

fn is_socket(path: &std::path::Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

/// Answers connections until `stop` is true; then those that are open may end what they do.
pub async fn serve(listener: Listener, routes: Router, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = accept(&listener) => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (peer, io) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // No descriptors are left, or the client has gone: the next try may work.
                debug!("a connection could not be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let routes = routes.clone();
        let answer = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            let mut routes = routes.clone();
            async move {
                let answered = tower_service::Service::call(&mut routes, request).await;
                answered.map_err(|never: Infallible| never)
            }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_buf_size(HEADER_OCTETS);
        let connection = graceful.watch(http.serve_connection(TokioIo::new(io), answer));
        tokio::spawn(async move {
            let _ = connection.await;
            drop(place);
        });
    }
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn accept(listener: &Listener) -> std::io::Result<(Peer, Box<dyn Stream>)> {
    match listener {
        Listener::Tcp(listener) => {
            let (stream, address) = listener.accept().await?;
            let _ = stream.set_nodelay(true);
            Ok((Peer(Some(address.ip())), Box::new(stream)))
        }
        Listener::Unix(listener) => {
            let (stream, _) = listener.accept().await?;
            Ok((Peer(None), Box::new(stream)))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn places_to_listen_are_read_as_people_write_them() {
        let tcp = |text: &str| Listen::Tcp(text.parse().unwrap());
        assert_eq!("127.0.0.1:8080".parse(), Ok(tcp("127.0.0.1:8080")));
        assert_eq!(":8080".parse(), Ok(tcp("127.0.0.1:8080")));
        assert_eq!("localhost:0".parse(), Ok(tcp("127.0.0.1:0")));
        assert_eq!("[::1]:80".parse(), Ok(tcp("[::1]:80")));
        assert_eq!("unix:/run/a.sock".parse(), Ok(Listen::Unix("/run/a.sock".into())));
        assert!("8080".parse::<Listen>().is_err() && "unix:".parse::<Listen>().is_err());
    }
}
