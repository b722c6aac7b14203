//! The sockets to a resolver, bounded: of a stream no more is read than was asked for. Used by `watched`.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use hickory_resolver::net::runtime::iocompat::AsyncIoTokioAsStd;
use hickory_resolver::net::runtime::{RuntimeProvider, TokioRuntimeProvider};
use tokio::net::TcpStream;

use super::allowance::Metered;

/// How many octets are read from a server for each time that something is written to it: the longest message over TCP
/// (RFC 1035 §4.2.2), with what TLS and HTTP add.
const MAX_FOR_EACH_QUERY: usize = 2 * 65_536;

/// Opens the sockets.
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
