//! The sockets to a resolver, bounded: of a stream no more is read than was asked for, and a datagram comes from the server
//! alone. Used by `watched`.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hickory_resolver::net::runtime::iocompat::AsyncIoTokioAsStd;
use hickory_resolver::net::runtime::{DnsUdpSocket, RuntimeProvider, TokioRuntimeProvider, TokioTime};
use tokio::io::ReadBuf;
use tokio::net::{TcpStream, UdpSocket};

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
    type Udp = Datagrams;
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
        Box::pin(async move {
            let socket = UdpSocket::bind(from).await?;
            socket.connect(server).await?;
            Ok(Datagrams(socket))
        })
    }
}

/// A socket for datagrams to and from one server. It is connected, so that the operating system says at once where nobody
/// listens there.
pub struct Datagrams(UdpSocket);

impl DnsUdpSocket for Datagrams {
    type Time = TokioTime;

    fn poll_recv_from(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut buffer = ReadBuf::new(buffer);
        let from = ready!(self.0.poll_recv_from(cx, &mut buffer))?;
        Poll::Ready(Ok((buffer.filled().len(), from)))
    }

    fn poll_send_to(&self, cx: &mut Context<'_>, datagram: &[u8], _server: SocketAddr) -> Poll<io::Result<usize>> {
        self.0.poll_send(cx, datagram)
    }
}
