//! Connections to a resolver, none of which holds up the others: where one query waits for long, it is put again on a
//! connection of its own. A resolver that answers one after the other on a connection (RFC 7766 §6.2.1.1) would else make
//! every domain wait for one that hangs. Used by `resolver`.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use hickory_resolver::config::{NameServerConfig, ResolverOpts, ServerOrderingStrategy};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::iocompat::AsyncIoTokioAsStd;
use hickory_resolver::net::runtime::{RuntimeProvider, TokioRuntimeProvider};
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer, RetryDnsHandle};
use hickory_resolver::proto::op::{DnsRequest, DnsResponse};
use hickory_resolver::{NameServerPool, PoolContext, TlsConfig};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ClientConfig;

use super::allowance::Metered;
use super::limits::MAX_QUESTIONS;

/// How often a question is put again that failed; losses of single packets are made good below this.
const ATTEMPTS: usize = 1;

/// How many octets are read from a server for each time that something is written to it: the longest message over TCP
/// (RFC 1035 §4.2.2), with what TLS and HTTP add.
const MAX_FOR_EACH_QUERY: usize = 2 * 65_536;

type Pool = RetryDnsHandle<NameServerPool<Bounded>>;

/// Sockets of which no more is read than was asked for.
#[derive(Clone, Default)]
pub struct Bounded(TokioRuntimeProvider);

impl RuntimeProvider for Bounded {
    type Handle = <TokioRuntimeProvider as RuntimeProvider>::Handle;
    type Timer = <TokioRuntimeProvider as RuntimeProvider>::Timer;
    type Udp = <TokioRuntimeProvider as RuntimeProvider>::Udp;
    type Tcp = AsyncIoTokioAsStd<Metered<TcpStream>>;

    fn create_handle(&self) -> Self::Handle {
        self.0.create_handle()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        from: Option<SocketAddr>,
        time: Option<Duration>,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Self::Tcp>>>> {
        let connecting = self.0.connect_tcp(server, from, time);
        Box::pin(async move {
            let stream = connecting.await?;
            Ok(AsyncIoTokioAsStd(Metered::answers(stream.0, MAX_FOR_EACH_QUERY)))
        })
    }

    fn bind_udp(
        &self,
        from: SocketAddr,
        server: SocketAddr,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Self::Udp>>>> {
        self.0.bind_udp(from, server)
    }
}

/// Connections to the servers of a resolver.
#[derive(Clone)]
pub struct Connections {
    shared: Pool,
    to: Arc<To>,
}

struct To {
    servers: Vec<NameServerConfig>,
    timeout: Duration,
    tls: Option<ClientConfig>,
}

impl Connections {
    /// Connections to these servers, each step of which may take `timeout`; `tls` is for those over TLS and HTTPS. An error
    /// says why TLS cannot be prepared.
    pub fn new(servers: Vec<NameServerConfig>, timeout: Duration, tls: Option<ClientConfig>) -> Result<Self, String> {
        let to = To { servers, timeout, tls };
        Ok(Connections { shared: to.pool()?, to: Arc::new(to) })
    }

    /// Puts a query. After half the time of a step it is put again beside that, on a connection of its own; the first
    /// answer counts.
    pub async fn send(&self, request: DnsRequest) -> Result<DnsResponse, NetError> {
        let first = Box::pin(self.shared.send(request.clone()).first_answer());
        let patience = Box::pin(tokio::time::sleep(self.to.timeout / 2));
        let first = match select(first, patience).await {
            Either::Left((answered, _)) => return answered,
            Either::Right(((), first)) => first,
        };
        let Ok(pool) = self.to.pool() else { return first.await };
        let second = Box::pin(pool.send(request).first_answer());
        match select(first, second).await {
            Either::Left((Ok(answer), _)) | Either::Right((Ok(answer), _)) => Ok(answer),
            Either::Left((Err(_), second)) => second.await,
            Either::Right((Err(_), first)) => first.await,
        }
    }
}

impl To {
    fn pool(&self) -> Result<Pool, String> {
        let mut options = ResolverOpts::default();
        options.timeout = self.timeout;
        options.attempts = ATTEMPTS;
        options.server_ordering_strategy = ServerOrderingStrategy::QueryStatistics;
        options.max_active_requests = MAX_QUESTIONS;
        let prepared = TlsConfig::new().map_err(|error| error.to_string())?;
        let mut context = PoolContext::new(options, prepared);
        if let Some(tls) = &self.tls {
            context.tls = tls.clone();
        }
        let pool = NameServerPool::from_config(self.servers.clone(), Arc::new(context), Bounded::default());
        Ok(RetryDnsHandle::new(pool, ATTEMPTS))
    }
}
