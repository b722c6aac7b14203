//! Queries to a resolver, each of which gets an answer if there is any way to one: where none comes, the query is put again
//! on a connection of its own, and without EDNS; the first answer counts. A resolver that answers one query after the other
//! on a connection (RFC 7766 §6.2.1.1) would else make every domain wait for one that hangs. Used by `resolver`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use hickory_resolver::config::{NameServerConfig, ProtocolConfig, ResolverOpts, ServerOrderingStrategy};
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::{DnsRequest, DnsResponse, ResponseCode};
use hickory_resolver::{NameServerPool, PoolContext, TlsConfig};
use tokio::sync::Semaphore;
use tokio_rustls::rustls::ClientConfig;

use super::dns_failure;
use super::failure::failure;
use super::limits::FIRST_QUESTIONS;
use super::watched::{GRACE, Note, Notes, Watched};
use super::window::Window;
use crate::snapshot::{DnsOutcome, FailureKind, FirstQuery};

type Pool = NameServerPool<Watched>;

/// Connections to the servers of a resolver.
#[derive(Clone)]
pub struct Connections {
    shared: Pool,
    notes: Notes,
    window: Window,
    to: Arc<To>,
}

struct To {
    servers: Vec<NameServerConfig>,
    timeout: Duration,
    tls: Option<ClientConfig>,
    retry: bool,
    /// The places for connections of one query each.
    own: Arc<Semaphore>,
    /// Whether queries with EDNS got no answer where one without did.
    without_edns: AtomicBool,
}

/// What came of a query.
#[derive(Clone)]
pub struct Put {
    /// The response, or why there is none.
    pub response: Result<DnsResponse, NetError>,
    /// How it ended at first, where it was put again.
    pub first: Option<FirstQuery>,
    /// What was noted of it.
    pub note: Note,
    /// Why no connection could be made, where one was needed and failed.
    pub unconnected: Option<String>,
}

/// The ways to put a query.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Transport {
    /// As all queries are put.
    Shared,
    /// On a connection of its own; over TCP where the others are over UDP.
    Own,
    /// Without EDNS (RFC 6891 §7).
    WithoutEdns,
}

type Attempt = BoxFuture<'static, (Transport, Result<DnsResponse, NetError>)>;

impl Connections {
    /// Connections to these servers, each step of which may take `timeout`; `tls` is for those over TLS and HTTPS. With `retry`
    /// lost datagrams are sent again, and queries are put in other ways. An error says why TLS cannot be prepared.
    pub fn new(
        servers: Vec<NameServerConfig>,
        timeout: Duration,
        tls: Option<ClientConfig>,
        retry: bool,
    ) -> Result<Self, String> {
        let own = Arc::new(Semaphore::new(FIRST_QUESTIONS));
        let to = To { servers, timeout, tls, retry, own, without_edns: AtomicBool::new(false) };
        let notes = Notes::default();
        let window = Window::default();
        Ok(Connections { shared: to.pool(to.servers.clone(), &notes, &window)?, notes, window, to: Arc::new(to) })
    }

    /// How many queries are on their way.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Puts a query, and says what came of it.
    pub async fn send(&self, request: DnsRequest) -> Result<DnsResponse, NetError> {
        self.put(request).await.response
    }

    /// Puts a query. Where no answer comes within a quarter of the time of a step, it is put again beside that, on a
    /// connection of its own; after half of it once more, without EDNS. The first answer counts.
    pub async fn put(&self, request: DnsRequest) -> Put {
        // On a stream one query may be held up by another, and then goes its own way: so the question has the place, and not
        // each way of putting it.
        let _place = if self.to.has_datagrams() { None } else { Some(self.window.place().await) };
        let request = if self.to.without_edns.load(Ordering::Relaxed) { without_edns(request) } else { request };
        let query = request.queries.first().cloned();
        let (response, first) = Box::pin(self.try_all(request)).await;
        let note = query.map(|query| self.notes.of(&query)).unwrap_or_default();
        let lost =
            note.lost.then(|| first_query("no answer to the first datagram came, and it was sent again".to_owned()));
        let failed = response.as_ref().is_err_and(|error| matches!(error, NetError::Io(_) | NetError::NoConnections));
        let unconnected = self.notes.unconnected().filter(|_| failed);
        Put { response, first: first.or(lost), note, unconnected }
    }

    async fn try_all(&self, request: DnsRequest) -> (Result<DnsResponse, NetError>, Option<FirstQuery>) {
        let shared = self.shared.send(request.clone());
        let first = Box::pin(async move { (Transport::Shared, shared.first_answer().await) });
        let patience = Box::pin(tokio::time::sleep(self.to.timeout / 4));
        match select(first, patience).await {
            Either::Left(((_, answered), _)) if refuses_edns(&answered) && self.to.retry && request.edns.is_some() => {
                Box::pin(self.refused_edns(request, answered)).await
            }
            Either::Left(((_, answered), _)) if is_answer(&answered) || self.was_truncated(&request) => {
                (answered, None)
            }
            Either::Left(((transport, failed), _)) => {
                Box::pin(self.beside(Box::pin(std::future::ready((transport, failed))), request)).await
            }
            Either::Right(((), first)) => Box::pin(self.beside(first, request)).await,
        }
    }

    /// Puts a query again beside the first time; the first answer counts, and else how the first time ended.
    async fn beside(&self, first: Attempt, request: DnsRequest) -> (Result<DnsResponse, NetError>, Option<FirstQuery>) {
        let mut attempts: FuturesUnordered<Attempt> = FuturesUnordered::new();
        attempts.push(first);
        attempts.extend(self.on_own_connection(request.clone()));
        attempts.extend(self.later_without_edns(request));
        let mut failed = NetError::Timeout;
        while let Some((transport, attempt)) = attempts.next().await {
            if !is_answer(&attempt) {
                if let (Transport::Shared, Err(error)) = (transport, attempt) {
                    failed = error;
                }
                continue;
            }
            if transport == Transport::Shared {
                return (attempt, None);
            }
            // Where the first lags behind by a moment, the server was slow and nothing was lost.
            let lagging = tokio::time::timeout(GRACE, attempts.next()).await.ok().flatten();
            if lagging.is_some_and(|(transport, attempt)| transport == Transport::Shared && is_answer(&attempt)) {
                return (attempt, None);
            }
            if transport == Transport::WithoutEdns {
                self.to.without_edns.store(true, Ordering::Relaxed);
            }
            return (attempt, Some(first_query(self.unanswered(transport))));
        }
        (Err(failed), None)
    }

    fn on_own_connection(&self, request: DnsRequest) -> Option<Attempt> {
        let streams = self.to.over_streams();
        // A connection that others use may be held up by another query; that is not for --no-retry to forbid.
        if streams.is_empty() || (!self.to.retry && self.to.has_datagrams()) {
            return None;
        }
        let pool = self.to.pool(streams, &self.notes, &self.window).ok()?;
        // An answer that did not fit in a datagram is on its way over a connection already, and gets more time.
        let patience = if self.was_truncated(&request) { self.to.timeout / 8 } else { Duration::ZERO };
        let own = self.to.own.clone();
        Some(Box::pin(async move {
            tokio::time::sleep(patience).await;
            let _place = own.acquire().await;
            (Transport::Own, pool.send(request).first_answer().await)
        }))
    }

    fn later_without_edns(&self, request: DnsRequest) -> Option<Attempt> {
        if !self.to.retry || request.edns.is_none() {
            return None;
        }
        let (shared, notes, patience) = (self.shared.clone(), self.notes.clone(), self.to.timeout / 4);
        Some(Box::pin(async move {
            tokio::time::sleep(patience).await;
            // A server that said that its answer does not fit took no offence at EDNS.
            if request.queries.first().is_some_and(|query| notes.of(query).truncated) {
                return (Transport::WithoutEdns, Err(NetError::Truncated));
            }
            (Transport::WithoutEdns, shared.send(without_edns(request)).first_answer().await)
        }))
    }

    /// Puts a query without EDNS that was refused with it (RFC 6891 §7).
    async fn refused_edns(
        &self,
        request: DnsRequest,
        refused: Result<DnsResponse, NetError>,
    ) -> (Result<DnsResponse, NetError>, Option<FirstQuery>) {
        let again = self.shared.send(without_edns(request)).first_answer().await;
        if !is_answer(&again) || refuses_edns(&again) {
            return (refused, None);
        }
        self.to.without_edns.store(true, Ordering::Relaxed);
        let code = match &refused {
            Err(NetError::Dns(DnsError::ResponseCode(code))) => dns_failure::name_of(u16::from(*code)),
            _ => "an error",
        };
        let detail = format!("the query with EDNS was answered with {code}, and was repeated without");
        let first = FirstQuery { outcome: DnsOutcome::Other, failure: Some(failure(FailureKind::Resolver, detail)) };
        (again, Some(first))
    }

    /// Why the last connection that failed did, in words.
    pub fn unconnected(&self) -> Option<String> {
        self.notes.unconnected()
    }

    /// Why a query that came to nothing may have been lost on the way, where nothing but datagrams carried it or only one did.
    pub fn may_be_lost(&self) -> Option<String> {
        if !self.to.has_datagrams() {
            return None;
        }
        let once =
            (!self.to.retry).then(|| "a datagram may have been lost, and was not sent again (--no-retry)".to_owned());
        once.or_else(|| {
            Some(format!("datagrams may have been lost, and there is no connection: {}", self.unconnected()?))
        })
    }

    /// Whether queries go out with EDNS: without it no signatures come back (RFC 4035 §4.1).
    pub fn speaks_edns(&self) -> bool {
        !self.to.without_edns.load(Ordering::Relaxed)
    }

    /// Whether an answer to a query did not fit in a datagram: it then was put over TCP too.
    fn was_truncated(&self, request: &DnsRequest) -> bool {
        request.queries.first().is_some_and(|query| self.notes.of(query).truncated)
    }

    fn unanswered(&self, transport: Transport) -> String {
        let within = format!("no answer came within {} ms", (self.to.timeout / 4).as_millis());
        match (transport, self.to.has_datagrams()) {
            (Transport::WithoutEdns, _) => format!("{within}, and was repeated without EDNS"),
            (_, true) => format!("{within} over UDP, and was repeated over TCP"),
            (_, false) => format!("{within}, and was repeated on another connection"),
        }
    }
}

impl To {
    fn pool(&self, servers: Vec<NameServerConfig>, notes: &Notes, window: &Window) -> Result<Pool, String> {
        let mut options = ResolverOpts::default();
        options.timeout = self.timeout;
        options.attempts = 0;
        options.server_ordering_strategy = ServerOrderingStrategy::QueryStatistics;
        options.max_active_requests = usize::from(u16::MAX);
        let prepared = TlsConfig::new().map_err(|error| error.to_string())?;
        let mut context = PoolContext::new(options, prepared);
        if let Some(tls) = &self.tls {
            context.tls = tls.clone();
        }
        let watched = Watched::new(notes.clone(), window.clone(), self.retry);
        Ok(NameServerPool::from_config(servers, Arc::new(context), watched))
    }

    /// The same servers, spoken to over connections alone.
    fn over_streams(&self) -> Vec<NameServerConfig> {
        let mut servers = self.servers.clone();
        servers.iter_mut().for_each(|server| server.connections.retain(|it| !is_udp(&it.protocol)));
        servers.retain(|server| !server.connections.is_empty());
        servers
    }

    fn has_datagrams(&self) -> bool {
        self.servers.iter().flat_map(|server| &server.connections).any(|connection| is_udp(&connection.protocol))
    }
}

fn is_udp(protocol: &ProtocolConfig) -> bool {
    matches!(protocol, ProtocolConfig::Udp)
}

/// Whether the server said anything, as opposed to not being reached.
fn is_answer(asked: &Result<DnsResponse, NetError>) -> bool {
    let Err(error) = asked else { return true };
    !matches!(
        error,
        NetError::Busy
            | NetError::Io(_)
            | NetError::Message(_)
            | NetError::Msg(_)
            | NetError::NoConnections
            | NetError::Timeout
            | NetError::Truncated
    )
}

/// Whether the server does not know EDNS (RFC 6891 §7), or not this version of it (§6.1.3).
fn refuses_edns(asked: &Result<DnsResponse, NetError>) -> bool {
    let Err(NetError::Dns(DnsError::ResponseCode(code))) = asked else { return false };
    matches!(code, ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::BADVERS | ResponseCode::BADSIG)
}

fn without_edns(request: DnsRequest) -> DnsRequest {
    let (mut message, mut options) = request.into_parts();
    message.edns = None;
    options.use_edns = false;
    DnsRequest::new(message, options)
}

fn first_query(detail: String) -> FirstQuery {
    FirstQuery { outcome: DnsOutcome::Timeout, failure: Some(failure(FailureKind::Timeout, detail)) }
}
