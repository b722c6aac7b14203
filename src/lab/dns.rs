//! The authoritative name server of the lab: one zone for each scenario, over UDP and TCP.
//!
//! [`Lab::start`](super::Lab::start) hands over the records; hickory's catalog does the looking
//! up, and the handler in front of it fails the questions that are to fail.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::{Time, TokioRuntimeProvider};
use hickory_server::proto::op::{Header, HeaderCounts, Metadata, ResponseCode};
use hickory_server::proto::rr::rdata::{A, AAAA, CNAME, MX, NS, SOA, TLSA, TXT};
use hickory_server::proto::rr::{LowerName, Name, RData, Record as Rr, RecordSet, RrKey};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, MessageResponseBuilder, ZoneType};
use tokio::net::{TcpListener, UdpSocket};

use super::LabError;
use super::record::{DnsFault, DnsFaultKind, Record, RecordData};

/// How long a TCP connection may be idle.
const TCP_IDLE: Duration = Duration::from_secs(10);

/// How many octets of answers wait for a slow TCP client.
const TCP_BUFFER: usize = 65_536;

/// How many ports are tried until one is free for UDP and TCP.
const PORT_ATTEMPTS: usize = 32;

/// The time to live of what the lab adds to a zone, and of a "no", in seconds.
const ZONE_TTL: u32 = 300;

/// The most octets of a character-string, whose length is one octet on the wire.
const STRING_LIMIT: usize = 255;

/// A name server that answers until it is dropped.
pub(super) struct NameServer {
    pub(super) address: SocketAddr,
    _server: Server<Zones>,
}

impl NameServer {
    /// Serves the zones with the records that fall into them.
    ///
    /// # Errors
    /// [`LabError::Name`], [`LabError::Record`] for what cannot be put into a zone,
    /// [`LabError::OutsideZones`] for a record of none of them, [`LabError::Bind`] without a port.
    pub(super) async fn start(zones: &[String], records: &[Record], faults: &[DnsFault]) -> Result<Self, LabError> {
        let zones = Zones {
            catalog: catalog(zones, records)?,
            faults: faults
                .iter()
                .map(|fault| Ok((LowerName::new(&name(&fault.name)?), fault.kind)))
                .collect::<Result<_, LabError>>()?,
        };
        let (udp, tcp, address) = bind().await?;
        let mut server = Server::new(zones);
        server.register_socket(udp);
        server.register_listener(tcp, TCP_IDLE, TCP_BUFFER);
        Ok(Self { address, _server: server })
    }
}

/// The zones, behind the questions that fail.
struct Zones {
    catalog: Catalog,
    faults: BTreeMap<LowerName, DnsFaultKind>,
}

impl RequestHandler for Zones {
    // The trait is written with `async_trait`; this is the signature that it stands for.
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
        let fault = request.request_info().ok().and_then(|info| self.faults.get(info.query.name()));
        match fault {
            None => self.catalog.handle_request::<R, T>(request, responses),
            Some(DnsFaultKind::NoAnswer) => Box::pin(async move { info(request, ResponseCode::ServFail) }),
            Some(DnsFaultKind::Refused) => Box::pin(fail(request, responses, ResponseCode::Refused)),
            Some(DnsFaultKind::ServFail) => Box::pin(fail(request, responses, ResponseCode::ServFail)),
        }
    }
}

async fn fail(request: &Request, mut responses: impl ResponseHandler, code: ResponseCode) -> ResponseInfo {
    let response = MessageResponseBuilder::from_message_request(request).error_msg(&request.metadata, code);
    match responses.send_response(response).await {
        Ok(sent) => sent,
        Err(_) => info(request, code),
    }
}

/// What the server notes about a question, for its log alone.
fn info(request: &Request, code: ResponseCode) -> ResponseInfo {
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

type RecordSets = BTreeMap<RrKey, RecordSet>;

fn catalog(zones: &[String], records: &[Record]) -> Result<Catalog, LabError> {
    let mut sets = zones
        .iter()
        .map(|zone| {
            let origin = name(zone)?;
            Ok((LowerName::new(&origin), apex(&origin)?))
        })
        .collect::<Result<BTreeMap<LowerName, RecordSets>, LabError>>()?;
    for record in records {
        insert(&mut sets, record)?;
    }
    let mut catalog = Catalog::new();
    for (origin, sets) in sets {
        let zone = InMemoryZoneHandler::<TokioRuntimeProvider>::new(
            Name::from(&origin),
            sets,
            ZoneType::Primary,
            AxfrPolicy::Deny,
            None,
        )
        .map_err(LabError::Record)?;
        catalog.upsert(origin, vec![Arc::new(zone)]);
    }
    Ok(catalog)
}

/// What every zone has: SOA, NS, and the address of its name server.
fn apex(origin: &Name) -> Result<RecordSets, LabError> {
    let child = |label| Name::from_str(label).and_then(|label| label.append_domain(origin));
    let (server, contact) = match (child("ns"), child("hostmaster")) {
        (Ok(server), Ok(contact)) => (server, contact),
        _ => return Err(LabError::Name(origin.to_string())),
    };
    let soa = SOA::new(server.clone(), contact, 1, 3_600, 600, 86_400, ZONE_TTL);
    let rrs = [
        Rr::from_rdata(origin.clone(), ZONE_TTL, RData::SOA(soa)),
        Rr::from_rdata(origin.clone(), ZONE_TTL, RData::NS(NS(server.clone()))),
        Rr::from_rdata(server, ZONE_TTL, RData::A(A(Ipv4Addr::LOCALHOST))),
    ];
    let mut sets = RecordSets::new();
    for rr in rrs {
        insert_rr(&mut sets, rr);
    }
    Ok(sets)
}

/// Puts a record into the closest zone that is above its name.
fn insert(zones: &mut BTreeMap<LowerName, RecordSets>, record: &Record) -> Result<(), LabError> {
    let owner = name(&record.name)?;
    let rr = Rr::from_rdata(owner.clone(), record.ttl, rdata(&record.data)?);
    let lower = LowerName::new(&owner);
    zones
        .iter_mut()
        .filter(|(origin, _)| origin.zone_of(&lower))
        .max_by_key(|(origin, _)| origin.num_labels())
        .map(|(_, sets)| insert_rr(sets, rr))
        .ok_or_else(|| LabError::OutsideZones(record.name.clone()))
}

fn insert_rr(sets: &mut RecordSets, rr: Rr) {
    let key = RrKey::new(LowerName::new(&rr.name), rr.record_type());
    let set = sets.entry(key).or_insert_with(|| RecordSet::with_ttl(rr.name.clone(), rr.record_type(), rr.ttl));
    set.insert(rr, 0);
}

fn rdata(record: &RecordData) -> Result<RData, LabError> {
    Ok(match record {
        RecordData::A(address) => RData::A(A(*address)),
        RecordData::Aaaa(address) => RData::AAAA(AAAA(*address)),
        RecordData::Cname(target) => RData::CNAME(CNAME(name(target)?)),
        RecordData::Mx { preference, exchange } => RData::MX(MX::new(*preference, name(exchange)?)),
        RecordData::Tlsa { usage, selector, matching, association } => {
            RData::TLSA(TLSA::new((*usage).into(), (*selector).into(), (*matching).into(), association.clone()))
        }
        RecordData::Txt(strings) => {
            if strings.iter().any(|string| string.len() > STRING_LIMIT) {
                return Err(LabError::Record(format!(
                    "a character-string of a TXT record has more than {STRING_LIMIT} octets"
                )));
            }
            RData::TXT(TXT::from_bytes(strings.iter().map(Vec::as_slice).collect()))
        }
    })
}

/// A name as it stands, made absolute.
fn name(text: &str) -> Result<Name, LabError> {
    let mut name = Name::from_ascii(text).map_err(|_| LabError::Name(text.to_owned()))?;
    name.set_fqdn(true);
    Ok(name)
}
