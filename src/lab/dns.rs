//! The authoritative name server of the lab, over UDP and TCP on one port.
//!
//! [`Lab::start`](super::Lab::start) hands over the world with its zones; hickory's
//! catalog does the looking up, and the handler in front of it fails the questions that are to fail.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::proto::op::{Header, HeaderCounts, Metadata, ResponseCode};
use hickory_server::proto::rr::RecordType;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};

use super::LabError;
use super::journal::EventKind;
use super::record::DnsFaultKind;
use super::world::{Live, World};

/// How long a TCP connection may be idle.
const TCP_IDLE: Duration = Duration::from_secs(10);

/// How many octets of answers wait for a slow TCP client.
const TCP_BUFFER: usize = 65_536;

/// How many ports are tried until one is free for UDP and TCP.
const PORT_ATTEMPTS: usize = 32;

/// A name server that answers until it is dropped.
pub(super) struct NameServer {
    pub(super) address: SocketAddr,
    _server: Server<Questions>,
}

impl NameServer {
    /// Serves the zones at an address, but for the queries that are to fail. A port of 0 is one that the system chooses.
    ///
    /// # Errors
    /// [`LabError::Bind`] without a port.
    pub(super) async fn start(wanted: SocketAddr, live: Arc<Live>) -> Result<Self, LabError> {
        let (udp, tcp, address) = bind(wanted).await?;
        let mut server = Server::new(Questions { live });
        server.register_socket(udp);
        server.register_listener(tcp, TCP_IDLE, TCP_BUFFER);
        Ok(Self { address, _server: server })
    }
}

/// The zones, behind the questions that fail.
struct Questions {
    live: Arc<Live>,
}

/// What becomes of a question.
enum Fate {
    Answered,
    AnsweredByParent,
    Failed(ResponseCode),
    Forgotten,
}

impl Questions {
    fn fate(&self, world: &World, request: &Request) -> Fate {
        let Ok(info) = request.request_info() else {
            return Fate::Answered;
        };
        let name = info.query.name();
        let kind = info.query.query_type();
        let asked = name.to_string().trim_end_matches('.').to_owned();
        self.live.journal.note(EventKind::Query { name: asked, kind: kind.to_string() });
        match world.faults.get(name) {
            Some(DnsFaultKind::NoAnswer) => Fate::Forgotten,
            Some(DnsFaultKind::Refused) => Fate::Failed(ResponseCode::Refused),
            Some(DnsFaultKind::ServFail) => Fate::Failed(ResponseCode::ServFail),
            None if !world.zones.serves(name) => Fate::Failed(ResponseCode::Refused),
            None if kind == RecordType::DS && world.zones.begins_at(name) => Fate::AnsweredByParent,
            None => Fate::Answered,
        }
    }
}

impl RequestHandler for Questions {
    // The trait is written with `async_trait`; this is the signature that it represents.
    fn handle_request<'s, 'r, 'f, R, T>(
        &'s self,
        request: &'r Request,
        responses: R,
    ) -> Pin<Box<dyn Future<Output = ResponseInfo> + Send + 'f>>
    where
        's: 'f,
        'r: 'f,
        Self: 'f,
        R: ResponseHandler + 'f,
        T: Time + 'f,
    {
        let world = self.live.world();
        let fate = self.fate(&world, request);
        Box::pin(async move {
            match fate {
                Fate::Answered => world.zones.own.handle_request::<R, T>(request, responses).await,
                Fate::AnsweredByParent => world.zones.parents.handle_request::<R, T>(request, responses).await,
                Fate::Failed(code) => fail(request, responses, code).await,
                Fate::Forgotten => noted(request, ResponseCode::ServFail),
            }
        })
    }
}

async fn fail(request: &Request, mut responses: impl ResponseHandler, code: ResponseCode) -> ResponseInfo {
    let response = MessageResponseBuilder::from_message_request(request).error_msg(&request.metadata, code);
    match responses.send_response(response).await {
        Ok(sent) => sent,
        Err(_) => noted(request, code),
    }
}

/// What the server notes about a question, for its log alone.
fn noted(request: &Request, code: ResponseCode) -> ResponseInfo {
    let mut metadata = Metadata::response_from_request(&request.metadata);
    metadata.response_code = code;
    ResponseInfo::from(Header { metadata, counts: HeaderCounts::default() })
}

async fn bind(wanted: SocketAddr) -> Result<(UdpSocket, TcpListener, SocketAddr), LabError> {
    let mut attempt = 1;
    loop {
        let udp = UdpSocket::bind(wanted).await.map_err(|source| LabError::bind(wanted, source))?;
        let address = udp.local_addr().map_err(|source| LabError::bind(wanted, source))?;
        match TcpListener::bind(address).await {
            Ok(tcp) => return Ok((udp, tcp, address)),
            Err(source) if wanted.port() != 0 || attempt == PORT_ATTEMPTS => {
                return Err(LabError::bind(address, source));
            }
            Err(_) => attempt += 1,
        }
    }
}
