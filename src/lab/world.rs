//! What the servers of a lab serve right now: zones, policy hosts and MX hosts, made from the scenarios.
//!
//! [`Lab::start`](super::Lab::start) makes it, [`Lab::replace`](super::Lab::replace) puts another one in its place, and
//! each query or connection is answered from the one that is current when it comes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, PoisonError, RwLock};

use hickory_server::proto::rr::LowerName;

use super::LabError;
use super::ca::CertificateAuthority;
use super::journal::Journal;
use super::listen::{Addresses, Listen};
use super::record::{DnsFaultKind, Record, RecordData};
use super::scenario::Scenario;
use super::smtp::MxServer;
use super::tls;
use super::web::{WebHost, WebServer, WebServers};
use super::zone::{self, ZoneKeys, ZoneTree};

/// The name in the certificate that is presented for a name that no host of the lab has.
const DEFAULT_HOST: &str = "default.invalid";

/// All that is served, at one moment.
pub(super) struct World {
    /// The zones.
    pub(super) zones: ZoneTree,
    /// The queries that fail, by name.
    pub(super) faults: BTreeMap<LowerName, DnsFaultKind>,
    /// The HTTPS servers.
    pub(super) web: Arc<WebServers>,
    /// The addresses of the HTTPS servers.
    pub(super) web_addresses: BTreeSet<Ipv4Addr>,
    /// The SMTP servers that listen.
    pub(super) mail: BTreeMap<Ipv4Addr, Arc<MxServer>>,
}

impl World {
    /// Makes everything that the scenarios describe. Hosts get their addresses in the order in which they are described.
    ///
    /// # Errors
    /// [`LabError`] for what cannot be served.
    pub(super) fn new(
        scenarios: &[Scenario],
        listen: &Listen,
        authority: &CertificateAuthority,
        keys: &mut ZoneKeys,
    ) -> Result<Self, LabError> {
        let mut addresses = Addresses::new(listen);
        let web = Web::new(scenarios, authority, &mut addresses)?;
        let mail = Mail::new(scenarios, authority, &mut addresses)?;
        let faults = scenarios.iter().flat_map(|one| &one.dns_faults);
        let faults = faults
            .map(|fault| Ok((LowerName::new(&zone::name(&fault.name)?), fault.kind)))
            .collect::<Result<_, LabError>>()?;
        let zones = zones(scenarios, web.records, mail.records, keys)?;
        Ok(Self { zones, faults, web: Arc::new(web.servers), web_addresses: web.listening, mail: mail.servers })
    }
}

/// The current world, and the journal of what comes to it.
pub(super) struct Live {
    world: RwLock<Arc<World>>,
    pub(super) journal: Journal,
}

impl Live {
    pub(super) fn new(world: World, journal: Journal) -> Self {
        Self { world: RwLock::new(Arc::new(world)), journal }
    }

    /// The world of this moment.
    pub(super) fn world(&self) -> Arc<World> {
        Arc::clone(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another world in its place.
    pub(super) fn replace(&self, world: World) {
        *self.world.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(world);
    }
}

fn zones(
    scenarios: &[Scenario],
    web: Vec<Record>,
    mail: Vec<Record>,
    keys: &mut ZoneKeys,
) -> Result<ZoneTree, LabError> {
    let domains: Vec<_> = scenarios.iter().map(|one| (one.domain.as_str(), one.dnssec)).collect();
    let published = scenarios.iter().flat_map(|one| one.records.iter().cloned());
    let records: Vec<_> = published.chain(web).chain(mail).collect();
    ZoneTree::new(&domains, &records, keys)
}

/// The web hosts of all scenarios with their addresses.
struct Web {
    servers: WebServers,
    listening: BTreeSet<Ipv4Addr>,
    records: Vec<Record>,
}

impl Web {
    fn new(
        scenarios: &[Scenario],
        authority: &CertificateAuthority,
        addresses: &mut Addresses,
    ) -> Result<Self, LabError> {
        let mut by_name = BTreeMap::new();
        let mut records = Vec::new();
        for (scenario, host) in scenarios.iter().flat_map(|one| one.web_hosts.iter().map(move |host| (one, host))) {
            let name = host.name.to_ascii_lowercase();
            let shares = host.listens && !by_name.contains_key(&(addresses.web, name.clone()));
            let address = if shares { addresses.web } else { addresses.allot()? };
            let record = Record::new(&host.address_name, RecordData::A(address));
            records.push(Record { ttl: scenario.address_ttl, ..record });
            if host.listens {
                by_name.insert((address, name), WebServer::new(host, authority)?);
            }
        }
        let listening = by_name.keys().map(|(address, _)| *address).chain([addresses.web]).collect();
        let unknown_name = WebServer::new(&WebHost::policy(DEFAULT_HOST, "Nobody here.\n"), authority)?;
        Ok(Self { servers: WebServers { by_name, unknown_name }, listening, records })
    }
}

impl WebServer {
    fn new(host: &WebHost, authority: &CertificateAuthority) -> Result<Self, LabError> {
        Ok(Self { tls: tls::prepare(&host.tls, &[b"http/1.1"], authority)?, answer: host.answer.clone() })
    }
}

/// The MX hosts of all scenarios with their addresses.
struct Mail {
    servers: BTreeMap<Ipv4Addr, Arc<MxServer>>,
    records: Vec<Record>,
}

impl Mail {
    fn new(
        scenarios: &[Scenario],
        authority: &CertificateAuthority,
        addresses: &mut Addresses,
    ) -> Result<Self, LabError> {
        let mut servers = BTreeMap::new();
        let mut records = Vec::new();
        for (scenario, host) in scenarios.iter().flat_map(|one| one.mx_hosts.iter().map(move |host| (one, host))) {
            let address = addresses.allot()?;
            let record = Record::new(&host.name, RecordData::A(address));
            records.push(Record { ttl: scenario.address_ttl, ..record });
            let server = MxServer {
                tls: tls::prepare(&host.tls, &[], authority)?,
                host: host.clone(),
                domain: scenario.domain.to_ascii_lowercase(),
            };
            records.extend(server.tlsa());
            if host.listens {
                servers.insert(address, Arc::new(server));
            }
        }
        Ok(Self { servers, records })
    }
}
