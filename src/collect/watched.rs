//! Connections to a resolver that are watched: what a response says beside its records, and which datagrams were lost, is
//! noted by the query, since the library above keeps nothing of a response that is an error. Used by `connections`.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{BoxStream, FuturesUnordered, StreamExt, once};
use hickory_resolver::config::{ConnectionConfig, ProtocolConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::xfer::{DnsExchange, DnsHandle, FirstAnswer};
use hickory_resolver::proto::op::{DnsRequest, DnsResponse, Query};
use hickory_resolver::proto::rr::Name;
use hickory_resolver::proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_resolver::{ConnectionProvider, PoolContext};
use tokio_rustls::rustls::{self, CertificateError};

use super::datagrams::Datagrams;
use super::failure::of_io;
use super::limits::MAX_EXTENDED_ERRORS;
use super::sockets::Bounded;
use super::window::Window;
use crate::snapshot::ExtendedError;
use crate::source_text::escape;

/// How many queries are remembered.
const REMEMBERED: usize = 4_096;
/// How many datagrams a query is sent in at most.
const DATAGRAMS: u32 = 3;
/// The longest wait for the answer to a datagram before another is sent; a step may take 16 times as long.
const RESEND: Duration = Duration::from_millis(500);
/// How long the answer to an earlier datagram may lag behind that to a later one: both then come from one that was slow.
pub const GRACE: Duration = Duration::from_millis(25);
/// How many characters of the text of an extended error are kept.
const MAX_EXTRA_TEXT: usize = 200;

/// What was noted of the queries of a run.
#[derive(Clone, Default)]
pub struct Notes {
    queries: Arc<Mutex<BTreeMap<(Name, u16), Note>>>,
    unconnected: Arc<Mutex<Option<String>>>,
}

/// What was noted of a query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Note {
    /// Whether a datagram got no answer where a later one did.
    pub lost: bool,
    /// Whether an answer did not fit in a datagram (RFC 1035 §4.1.1).
    pub truncated: bool,
    /// What the server says about the answer (RFC 8914).
    pub extended_errors: Vec<ExtendedError>,
}

impl Notes {
    /// What was noted of a query.
    pub fn of(&self, query: &Query) -> Note {
        let notes = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
        notes.get(&key(query)).cloned().unwrap_or_default()
    }

    /// Why the last connection that failed did, in words.
    pub fn unconnected(&self) -> Option<String> {
        self.unconnected.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn not_connected(&self, error: &NetError) {
        if let Some(why) = reason_not_connected(error) {
            *self.unconnected.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        }
    }

    fn note(&self, request: &DnsRequest, change: impl FnOnce(&mut Note)) {
        let Some(query) = request.queries.first() else { return };
        let mut notes = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() >= REMEMBERED {
            notes.pop_first();
        }
        change(notes.entry(key(query)).or_default());
    }

    fn read(&self, request: &DnsRequest, response: &DnsResponse) {
        let extended_errors = extended_errors(response);
        if response.metadata.truncation || !extended_errors.is_empty() {
            self.note(request, |note| {
                note.truncated |= response.metadata.truncation;
                note.extended_errors = extended_errors;
            });
        }
    }
}

fn key(query: &Query) -> (Name, u16) {
    (query.name().to_lowercase(), query.query_type().into())
}

/// The extended errors of a response (RFC 8914 §2), as many as are kept.
fn extended_errors(response: &DnsResponse) -> Vec<ExtendedError> {
    let options = response.edns.iter().flat_map(|edns| edns.options().as_ref());
    let extended = options.filter_map(|(code, option)| match (code, option) {
        (EdnsCode::Unknown(15), EdnsOption::Unknown(_, data)) => extended_error(data),
        _ => None,
    });
    extended.take(MAX_EXTENDED_ERRORS).collect()
}

fn extended_error(data: &[u8]) -> Option<ExtendedError> {
    let (code, text) = data.split_first_chunk::<2>()?;
    let text = escape(String::from_utf8_lossy(text).trim_matches(['\0', ' '])).chars().take(MAX_EXTRA_TEXT).collect();
    Some(ExtendedError { code: u16::from_be_bytes(*code), text })
}

/// Why there is no connection, where the library says it: of TLS, what is wrong with the server's certificate.
fn reason_not_connected(error: &NetError) -> Option<String> {
    let NetError::Io(error) = error else { return None };
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(wrong)) = tls else {
        return Some(of_io("connecting to it", error).detail);
    };
    let why = match wrong {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet".to_owned()
        }
        CertificateError::NotValidForName => "its certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { expected, .. } => {
            format!("its certificate does not name {}", expected.to_str())
        }
        CertificateError::UnknownIssuer => "its certificate is not from a trusted authority".to_owned(),
        _ => "its certificate is not valid".to_owned(),
    };
    Some(escape(&why))
}

/// Opens connections that are watched.
#[derive(Clone)]
pub struct Watched {
    sockets: Bounded,
    notes: Notes,
    window: Window,
    resend: bool,
}

impl Watched {
    /// Connections whose queries are noted in `notes` and wait for their places in `window`; datagrams are sent again where
    /// `resend` says so.
    pub fn new(notes: Notes, window: Window, resend: bool) -> Self {
        Watched { sockets: Bounded::default(), notes, window, resend }
    }
}

impl ConnectionProvider for Watched {
    type Conn = WatchedConnection;
    type FutureConn = Pin<Box<dyn Future<Output = Result<Self::Conn, NetError>> + Send + 'static>>;
    type RuntimeProvider = Bounded;

    fn new_connection(
        &self,
        ip: IpAddr,
        config: &ConnectionConfig,
        cx: &PoolContext,
    ) -> Result<Self::FutureConn, NetError> {
        let (notes, window) = (self.notes.clone(), self.window.clone());
        let pause = RESEND.min(cx.options.timeout / 16);
        if matches!(config.protocol, ProtocolConfig::Udp) {
            let datagrams = Arc::new(Datagrams::new(SocketAddr::new(ip, config.port), config.bind_addr));
            let way = Way::Datagrams { datagrams, patience: cx.options.timeout, resend: self.resend };
            return Ok(Box::pin(std::future::ready(Ok(WatchedConnection { way, notes, window, pause }))));
        }
        let connecting = self.sockets.new_connection(ip, config, cx)?;
        Ok(Box::pin(async move {
            let exchange = connecting.await.inspect_err(|error| notes.not_connected(error))?;
            Ok(WatchedConnection { way: Way::Stream(exchange), notes, window, pause })
        }))
    }

    fn runtime_provider(&self) -> &Bounded {
        &self.sockets
    }
}

/// A connection that is watched.
#[derive(Clone)]
pub struct WatchedConnection {
    way: Way,
    notes: Notes,
    window: Window,
    /// How long to wait for the answer to a datagram before another is sent, and how long a query keeps its place.
    pause: Duration,
}

#[derive(Clone)]
enum Way {
    Datagrams {
        datagrams: Arc<Datagrams>,
        patience: Duration,
        /// Whether datagrams are sent again.
        resend: bool,
    },
    Stream(DnsExchange<Bounded>),
}

impl DnsHandle for WatchedConnection {
    type Response = BoxStream<'static, Result<DnsResponse, NetError>>;
    type Runtime = Bounded;

    fn send(&self, request: DnsRequest) -> Self::Response {
        let connection = self.clone();
        Box::pin(once(async move {
            let asked = match &connection.way {
                Way::Datagrams { datagrams, patience, resend } => {
                    let most = if *resend { DATAGRAMS } else { 1 };
                    connection.in_datagrams(datagrams, *patience, most, &request).await
                }
                Way::Stream(exchange) => exchange.send(request.clone()).first_answer().await,
            };
            if let Ok(response) = &asked {
                if matches!(connection.way, Way::Datagrams { .. }) {
                    connection.window.answered();
                }
                connection.notes.read(&request, response);
            }
            asked
        }))
    }
}

impl WatchedConnection {
    /// Sends a query, and sends it again where no answer comes; notes whether the first datagram was lost.
    async fn in_datagrams(
        &self,
        datagrams: &Datagrams,
        patience: Duration,
        most: u32,
        request: &DnsRequest,
    ) -> Result<DnsResponse, NetError> {
        // A server that takes its time has the query in its hands, so that its place is free for another.
        let mut place = self.window.place().await;
        let mut first = Box::pin(datagrams.ask(request, patience));
        if let Ok(asked) = tokio::time::timeout(self.pause, first.as_mut()).await {
            return asked;
        }
        let number = async |number: u32, asking: Pin<Box<_>>| (number, asking.await);
        let mut under_way = FuturesUnordered::new();
        under_way.push(number(0, first));
        let (mut sent, mut wait) = (1, self.pause);
        let (number, asked) = loop {
            if sent < most {
                drop(place);
                place = self.window.place().await;
                under_way.push(number(sent, Box::pin(datagrams.ask(request, patience))));
                (sent, wait) = (sent.saturating_add(1), wait.saturating_mul(2));
                if let Ok(Some(answered)) = tokio::time::timeout(wait, under_way.next()).await {
                    break answered;
                }
                continue;
            }
            drop(place);
            // Each of them ends in time.
            match under_way.next().await {
                Some(answered) => break answered,
                None => return Err(NetError::Timeout),
            }
        };
        if number > 0 && asked.is_ok() {
            let mut earlier = tokio::time::timeout(GRACE, under_way.next()).await.ok().flatten();
            // Whatever lags behind shows that the server was slow, and no datagram lost.
            if earlier.take_if(|(_, asked)| asked.is_ok()).is_none() {
                self.window.lost();
                self.notes.note(request, |note| note.lost = true);
            }
        }
        asked
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_extended_error_is_a_code_and_a_text() {
        let read = |data: &[u8]| extended_error(data).map(|error| (error.code, error.text));
        assert_eq!(read(b"\x00\x16"), Some((22, String::new())));
        assert_eq!(read(b"\x00\x07signature expired\0"), Some((7, "signature expired".to_owned())));
        assert_eq!(read(b"\x01\x00\x1b[2J"), Some((256, "\\u{1b}[2J".to_owned())));
        assert_eq!(read(b"\x00"), None);
        assert!(read(&[b'x'; 60_000]).unwrap().1.len() <= MAX_EXTRA_TEXT);
    }
}
