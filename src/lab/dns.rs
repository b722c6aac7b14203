//! The authoritative name server of the lab, over UDP and TCP on one port.
//!
//! [`Lab::start`](super::Lab::start) hands over the zones of [`zone`]; hickory's
//! catalog does the looking up, and the handler in front of it fails the questions that are to fail.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::proto::op::{Header, HeaderCounts, Metadata, ResponseCode};
use hickory_server::proto::rr::{LowerName, RecordType};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};

use super::LabError;
use super::record::{DnsFault, DnsFaultKind};
use super::zone::{self, ZoneTree};

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
    /// Serves the zones, but for the questions that are to fail.
    ///
    /// # Errors
    /// [`LabError::Name`] for a fault at what is no name, [`LabError::Bind`] without a port.
    pub(super) async fn start(zones: ZoneTree, faults: &[DnsFault]) -> Result<Self, LabError> {
        let faults = faults
            .iter()
            .map(|fault| Ok((LowerName::new(&zone::name(&fault.name)?), fault.kind)))
            .collect::<Result<_, LabError>>()?;
        let (udp, tcp, address) = bind().await?;
        let mut server = Server::new(Questions { zones, faults });
        server.register_socket(udp);
        server.register_listener(tcp, TCP_IDLE, TCP_BUFFER);
        Ok(Self { address, _server: server })
    }
}

/// The zones, behind the questions that fail.
struct Questions {
    zones: ZoneTree,
    faults: BTreeMap<LowerName, DnsFaultKind>,
}

/// What becomes of a question.
enum Fate {
    Answered,
    AnsweredByParent,
    Failed(ResponseCode),
    Forgotten,
}

impl Questions {
    fn fate(&self, request: &Request) -> Fate {
        let Ok(info) = request.request_info() else {
            return Fate::Answered;
        };
        let name = info.query.name();
        match self.faults.get(name) {
            Some(DnsFaultKind::NoAnswer) => Fate::Forgotten,
            Some(DnsFaultKind::Refused) => Fate::Failed(ResponseCode::Refused),
            Some(DnsFaultKind::ServFail) => Fate::Failed(ResponseCode::ServFail),
            None if !self.zones.serves(name) => Fate::Failed(ResponseCode::Refused),
            None if info.query.query_type() == RecordType::DS && self.zones.begins_at(name) => Fate::AnsweredByParent,
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
        match self.fate(request) {
            Fate::Answered => self.zones.own.handle_request::<R, T>(request, responses),
            Fate::AnsweredByParent => self.zones.parents.handle_request::<R, T>(request, responses),
            Fate::Failed(code) => Box::pin(fail(request, responses, code)),
            Fate::Forgotten => Box::pin(async move { noted(request, ResponseCode::ServFail) }),
        }
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

async fn bind() -> Result<(UdpSocket, TcpListener, SocketAddr), LabError> {
    let mut attempt = 1;
    loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(|source| LabError::bind((Ipv4Addr::LOCALHOST, 0), source))?;
        let address = udp.local_addr().map_err(|source| LabError::bind((Ipv4Addr::LOCALHOST, 0), source))?;
        match TcpListener::bind(address).await {
            Ok(tcp) => return Ok((udp, tcp, address)),
            Err(source) if attempt == PORT_ATTEMPTS => return Err(LabError::bind(address, source)),
            Err(_) => attempt += 1,
        }
    }
}
