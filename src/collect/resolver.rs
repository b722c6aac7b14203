//! Which name servers are asked, and over what: sets up hickory for `dns`.
//!
//! hickory's pool and validator are used below its caching resolver: that one answers some names itself, forgets
//! the aliases that lead to a name without records, and changes TTLs, and a collector has to see all of these.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{BoxStream, once};
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ProtocolConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::dnssec::DnssecDnsHandle;
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::proto::dnssec::TrustAnchors;
use hickory_resolver::proto::op::{DnsRequest, DnsRequestOptions, DnsResponse, Query};
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::sync::OnceCell;
use tokio_rustls::rustls::ClientConfig;

use super::connections::{Bounded, Connections};
use super::evidence::{Evidence, Missing};
use super::memo::Memo;
use super::options::{Options, ResolverChoice};
use super::resolver_error::ResolverError;
use super::trust_anchor::{self, Anchors};
use crate::source_text::escape;

/// How many zones' keys are remembered.
const REMEMBERED_KEYS: usize = 4_096;

/// The way to put a question.
#[derive(Clone)]
pub struct Way {
    plain: Connections,
    unchecked: Unchecked,
    anchors: Arc<Anchors>,
    validating: Arc<OnceCell<DnssecDnsHandle<Evidence<Unchecked>>>>,
    missing: Missing,
    recursion: bool,
}

impl Way {
    /// The way that `options` choose; `tls` is for resolvers over TLS and HTTPS.
    pub fn new(options: &Options, tls: ClientConfig) -> Result<Self, ResolverError> {
        let servers = name_servers(&options.resolver)?;
        let plain = Connections::new(servers, options.timeout, Some(tls)).map_err(ResolverError::Tls)?;
        let anchors = Anchors::read(options.trust_anchor.as_deref())?;
        Ok(Way::over(plain, anchors, true))
    }

    /// The way to one name server of a zone: no recursion, no cache.
    pub fn to_server(server: SocketAddr, timeout: Duration) -> Result<Self, ResolverError> {
        let plain = Connections::new(vec![address(server)], timeout, None).map_err(ResolverError::Tls)?;
        Ok(Way::over(plain, Anchors { keys: TrustAnchors::empty(), zones: Vec::new() }, false))
    }

    fn over(plain: Connections, anchors: Anchors, recursion: bool) -> Self {
        let unchecked = Unchecked { pool: plain.clone(), keys: Arc::new(Memo::new(REMEMBERED_KEYS)) };
        Way {
            plain,
            unchecked,
            anchors: Arc::new(anchors),
            validating: Arc::default(),
            missing: Missing::default(),
            recursion,
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
        let mut request = DnsRequest::from_query(query, self.request_options(false));
        request.metadata.authentic_data = true;
        self.plain.send(request).await
    }

    /// Puts a question and asks for the signatures, without having anyone check them.
    pub async fn ask_unchecked(&self, query: Query) -> Result<DnsResponse, NetError> {
        let request = DnsRequest::from_query(query, self.request_options(true));
        self.unchecked.send(request).first_answer().await
    }

    /// Whether a trust anchor is above a name.
    pub fn can_prove(&self, name: &Name) -> bool {
        self.anchors.zones.iter().any(|zone| zone.zone_of(name))
    }

    /// Whether something that proves or disproves what is at a name could not be had.
    pub fn lacks_evidence(&self, name: &Name) -> bool {
        self.missing.is_above(name)
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
}

impl DnsHandle for Unchecked {
    type Response = BoxStream<'static, Result<DnsResponse, NetError>>;
    type Runtime = Bounded;

    fn send(&self, mut request: DnsRequest) -> Self::Response {
        request.metadata.checking_disabled = true;
        let key = request.queries.first().filter(|query| is_of_keys(query)).map(|query| {
            let kind: u16 = query.query_type().into();
            (query.name().to_lowercase(), kind)
        });
        let (pool, keys) = (self.pool.clone(), self.keys.clone());
        let Some(key) = key else { return Box::pin(once(async move { pool.send(request).await })) };
        Box::pin(once(async move {
            let lasts = |asked: &Result<DnsResponse, NetError>| match asked {
                Ok(_) => true,
                Err(error) => error.is_no_records_found(),
            };
            keys.get(key, lasts, || pool.send(request)).await
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
