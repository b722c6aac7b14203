//! Which name servers are asked, and over what: sets up hickory for `dns`.
//!
//! hickory's pool and validator are used below its caching resolver: that one answers some names itself, forgets
//! the aliases that lead to a name without records, and changes TTLs, and a collector has to see all of these.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{BoxStream, once};
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ProtocolConfig};
use hickory_resolver::net::dnssec::DnssecDnsHandle;
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::TrustAnchors;
use hickory_resolver::proto::op::{DnsRequest, DnsRequestOptions, DnsResponse, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;
use tokio_rustls::rustls::ClientConfig;

use super::connections::{Connections, Put};
use super::evidence::{Evidence, Missing};
use super::limits::Clock;
use super::memo::Memo;
use super::options::{Options, ResolverChoice};
use super::resolver_error::ResolverError;
use super::sockets::Bounded;
use super::trust_anchor::{self, Anchors};
use super::window::Window;
use crate::source_text::escape;

/// How many zones' keys are remembered.
const REMEMBERED_KEYS: usize = 4_096;

/// How many answers are remembered until they are validated.
const REMEMBERED_ANSWERS: usize = 4_096;

/// How long a resolver gets to show that it is there.
const ALIVE: Duration = Duration::from_secs(3);

/// The way to put a question.
#[derive(Clone)]
pub struct Upstream {
    plain: Connections,
    unchecked: Unchecked,
    anchors: Arc<Anchors>,
    validating: Arc<OnceCell<DnssecDnsHandle<Evidence<Unchecked>>>>,
    missing: Missing,
    recursion: bool,
    /// Whether a query without EDNS, whose answer did not fit in a datagram, had one with it; `None` where none was tried.
    edns_helps: Arc<Mutex<Option<bool>>>,
    /// When it was last seen whether the resolver answers at all, and what was seen.
    alive: Arc<Mutex<Option<(Instant, bool)>>>,
}

impl Upstream {
    /// The way that `options` choose; `tls` is for resolvers over TLS and HTTPS.
    pub fn new(options: &Options, tls: ClientConfig) -> Result<Self, ResolverError> {
        let servers = name_servers(&options.resolver)?;
        let plain = Connections::new(servers, options.timeout, Some(tls), options.retry).map_err(ResolverError::Tls)?;
        let anchors = Anchors::read(options.trust_anchor.as_deref())?;
        Ok(Upstream::over(plain, anchors, true))
    }

    /// The way to one name server of a zone: no recursion, no cache.
    pub fn to_server(server: SocketAddr, timeout: Duration, retry: bool) -> Result<Self, ResolverError> {
        let plain = Connections::new(vec![address(server)], timeout, None, retry).map_err(ResolverError::Tls)?;
        Ok(Upstream::over(plain, Anchors { keys: TrustAnchors::empty(), zones: Vec::new() }, false))
    }

    fn over(plain: Connections, anchors: Anchors, recursion: bool) -> Self {
        let unchecked = Unchecked {
            pool: plain.clone(),
            keys: Arc::new(Memo::new(REMEMBERED_KEYS)),
            answers: Arc::new(Memo::new(REMEMBERED_ANSWERS)),
        };
        Upstream {
            plain,
            unchecked,
            anchors: Arc::new(anchors),
            validating: Arc::default(),
            missing: Missing::default(),
            recursion,
            edns_helps: Arc::default(),
            alive: Arc::default(),
        }
    }

    /// Puts a question and validates the answer.
    pub async fn ask(&self, query: Query) -> Result<DnsResponse, NetError> {
        let validating = self.validating.get_or_init(|| self.validator()).await;
        validating.send(DnsRequest::from_query(query, self.request_options(true))).first_answer().await
    }

    async fn validator(&self) -> DnssecDnsHandle<Evidence<Unchecked>> {
        let mut keys = self.anchors.keys.clone();
        for zone in self.anchors.zones.iter().filter(|zone| !zone.is_root()) {
            if let Ok(response) = self.ask_unchecked(Query::query(zone.clone(), RecordType::DNSKEY)).await {
                trust_anchor::adopt(&mut keys, zone, &response);
            }
        }
        let evidence = Evidence::new(self.unchecked.clone(), self.missing.clone());
        DnssecDnsHandle::with_trust_anchor(evidence, Arc::new(keys))
    }

    /// Puts a question and asks for the resolver's own judgement, the AD bit (RFC 6840 §5.7).
    pub async fn ask_plain(&self, query: Query) -> Result<DnsResponse, NetError> {
        self.put_plain(query).await.response
    }

    /// The same, with what was noted of the query.
    pub async fn put_plain(&self, query: Query) -> Put {
        let mut request = DnsRequest::from_query(query, self.request_options(false));
        request.metadata.authentic_data = true;
        self.plain.put(request).await
    }

    /// Puts a question as it was put before there were extensions (RFC 1035 §4.1): nothing on the way can take offence at one.
    /// Where the answer does not fit in a datagram, and there is no other way, it is put with EDNS after all.
    pub async fn put_bare(&self, query: Query) -> Put {
        let mut options = self.request_options(false);
        options.use_edns = false;
        let put = self.plain.put(DnsRequest::from_query(query.clone(), options)).await;
        let unreached = matches!(put.response, Err(NetError::Io(_) | NetError::Timeout | NetError::Truncated));
        if !put.note.truncated || !unreached {
            return put;
        }
        // One query finds out whether that helps, and the others wait for it.
        let mut helps = self.edns_helps.lock().await;
        match *helps {
            Some(false) => put,
            Some(true) => {
                drop(helps);
                self.put_plain(query).await
            }
            None => {
                let longer = self.put_plain(query).await;
                *helps = Some(longer.response.is_ok());
                longer
            }
        }
    }

    /// Puts a question and asks for the signatures, without having anyone check them.
    pub async fn ask_unchecked(&self, query: Query) -> Result<DnsResponse, NetError> {
        let request = DnsRequest::from_query(query, self.request_options(true));
        self.unchecked.send(request).first_answer().await
    }

    /// The same past what is remembered of keys, with what was noted of the query.
    pub async fn put_unchecked(&self, query: Query) -> Put {
        let mut request = DnsRequest::from_query(query, self.request_options(true));
        request.metadata.checking_disabled = true;
        self.unchecked.put(request).await
    }

    /// How many queries are on their way.
    pub fn window(&self) -> &Window {
        self.plain.window()
    }

    /// Whether the resolver answers now, for a name that each of them knows: the root. What it did a moment ago counts.
    pub async fn is_alive(&self, clock: Clock) -> bool {
        let mut seen = self.alive.lock().await;
        if let Some((at, alive)) = *seen
            && at.elapsed() < ALIVE
        {
            return alive;
        }
        let asking = self.ask_plain(Query::query(Name::root(), RecordType::NS));
        let asked = tokio::time::timeout(clock.step().min(ALIVE), asking);
        let alive = match clock.until_deadline("answer from the resolver", asked).await {
            Ok(Ok(Ok(_))) => true,
            Ok(Ok(Err(NetError::Dns(DnsError::ResponseCode(code))))) => code != ResponseCode::ServFail,
            Ok(Ok(Err(error))) => matches!(error, NetError::Dns(_)),
            Ok(Err(_)) | Err(_) => false,
        };
        *seen = Some((Instant::now(), alive));
        alive
    }

    /// Whether a trust anchor is above a name.
    pub fn can_prove(&self, name: &Name) -> bool {
        self.anchors.zones.iter().any(|zone| zone.zone_of(name))
    }

    /// Whether something that proves or disproves what is at a name could not be had.
    pub fn lacks_evidence(&self, name: &Name) -> bool {
        self.missing.is_above(name)
    }

    /// Why the last connection to the resolver that failed did, in words.
    pub fn unconnected(&self) -> Option<String> {
        self.plain.unconnected()
    }

    /// Whether queries go out with EDNS: it is given up where only queries without it are answered.
    pub fn speaks_edns(&self) -> bool {
        self.plain.speaks_edns()
    }

    /// Why a query that came to nothing may have been lost on the way.
    pub fn may_be_lost(&self) -> Option<String> {
        self.plain.may_be_lost()
    }

    /// What is not supported here of a zone that a name is in.
    pub fn unsupported(&self, name: &Name) -> Option<String> {
        self.missing.unsupported_above(name)
    }

    /// A zone that validation starts at: the root but in laboratories.
    pub fn anchor(&self) -> Name {
        self.anchors.zones.first().cloned().unwrap_or_else(Name::root)
    }

    fn request_options(&self, signatures: bool) -> DnsRequestOptions {
        let mut options = DnsRequestOptions::default();
        options.use_edns = true;
        options.edns_set_dnssec_ok = signatures;
        options.recursion_desired = self.recursion;
        options
    }
}

/// Asks for what validation needs.
///
/// It sets the CD bit on every question, so that a validating resolver hands out what it would call bogus, and
/// the validation here can tell bogus from a failure (RFC 6840 §5.9). And it remembers keys: hickory would ask
/// for those of the root and of a top-level domain again for every single record.
#[derive(Clone)]
struct Unchecked {
    pool: Connections,
    keys: Arc<Memo<(Name, u16), Result<DnsResponse, NetError>>>,
    /// The answers of this moment: what is asked for and what is validated is one query.
    answers: Arc<Memo<(Name, u16), Arc<Put>>>,
}

impl Unchecked {
    async fn put(&self, request: DnsRequest) -> Put {
        let Some(key) = request.queries.first().map(key) else { return self.pool.put(request).await };
        let lasts = |put: &Arc<Put>| put.first.is_none() && lasts(&put.response);
        let put = self.answers.get(key, lasts, || Box::pin(async { Arc::new(self.pool.put(request).await) })).await;
        Arc::unwrap_or_clone(put)
    }
}

/// Whether an answer is one at any time.
fn lasts(asked: &Result<DnsResponse, NetError>) -> bool {
    match asked {
        Ok(_) => true,
        Err(error) => error.is_no_records_found(),
    }
}

fn key(query: &Query) -> (Name, u16) {
    (query.name().to_lowercase(), query.query_type().into())
}

impl DnsHandle for Unchecked {
    type Response = BoxStream<'static, Result<DnsResponse, NetError>>;
    type Runtime = Bounded;

    fn send(&self, mut request: DnsRequest) -> Self::Response {
        request.metadata.checking_disabled = true;
        let keys = request.queries.first().filter(|query| is_of_keys(query)).map(key);
        let unchecked = self.clone();
        Box::pin(once(async move {
            match keys {
                Some(key) => unchecked.keys.get(key, lasts, || Box::pin(unchecked.pool.send(request))).await,
                None => unchecked.put(request).await.response,
            }
        }))
    }
}

fn is_of_keys(query: &Query) -> bool {
    matches!(query.query_type(), RecordType::DNSKEY | RecordType::DS)
}

fn name_servers(choice: &ResolverChoice) -> Result<Vec<NameServerConfig>, ResolverError> {
    match choice {
        ResolverChoice::Address(server) => Ok(vec![address(*server)]),
        ResolverChoice::Https { address, server_name, path } => {
            let protocol =
                ProtocolConfig::Https { server_name: server_name.as_str().into(), path: path.as_str().into() };
            Ok(vec![encrypted(*address, protocol)])
        }
        ResolverChoice::System => {
            let (config, _) = hickory_resolver::system_conf::read_system_conf()
                .map_err(|error| ResolverError::System(escape(&error.to_string())))?;
            match config.name_servers() {
                [] => Err(ResolverError::System("it names no server".to_owned())),
                servers => Ok(servers.to_vec()),
            }
        }
        ResolverChoice::Tls { address, server_name } => {
            Ok(vec![encrypted(*address, ProtocolConfig::Tls { server_name: server_name.as_str().into() })])
        }
    }
}

fn address(server: SocketAddr) -> NameServerConfig {
    let mut config = NameServerConfig::udp_and_tcp(server.ip());
    for connection in &mut config.connections {
        connection.port = server.port();
    }
    config
}

fn encrypted(server: SocketAddr, protocol: ProtocolConfig) -> NameServerConfig {
    let mut connection = ConnectionConfig::new(protocol);
    connection.port = server.port();
    NameServerConfig::new(server.ip(), true, vec![connection])
}
