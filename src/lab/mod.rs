//! A loopback internet in one process: signed DNS, HTTPS policy hosts, SMTP servers and a CA.
//!
//! `stslint demo` shows it to people, and the tests run against it, so that neither needs the
//! internet. It knows nothing of the rest of the crate: whoever uses it looks at it from outside,
//! through sockets, as at any domain.
//!
//! ```no_run
//! # async fn example() -> Result<(), stslint::lab::LabError> {
//! use std::time::SystemTime;
//! use stslint::lab::{Lab, LabOptions, Scenario};
//!
//! let mut odd = Scenario::good("odd.example");
//! odd.replace_policy("version: STSv1\nmode: off\nmax_age: 1\n");
//! let lab = Lab::start(LabOptions::empty(SystemTime::now()).with(odd)).await?;
//! println!("resolver {}, HTTPS port {}", lab.resolver(), lab.https_port());
//! # Ok(())
//! # }
//! ```

mod ca;
mod certificate;
mod denial;
mod dns;
pub mod domains;
mod listen;
pub mod record;
pub mod scenario;
pub mod smtp;
pub mod tls;
pub mod web;
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::task::JoinSet;

use ca::CertificateAuthority;
use dns::NameServer;
use listen::{Addresses, WEB_ADDRESS};
use smtp::MxServer;
use web::{WebServer, WebServers};
use zone::ZoneTree;

pub use certificate::{CertificateChain, CertificateIssuer, CertificatePurpose, CertificateSpec};
pub use domains::LabDomain;
pub use record::{DnsFault, DnsFaultKind, Dnssec, Record, RecordData};
pub use scenario::Scenario;
pub use smtp::{Dane, MxHost, SmtpAnswer};
pub use tls::{TlsHandshake, TlsOffer, TlsVersions};
pub use web::{WebAnswer, WebHost, WebReply};

/// The name in the certificate that is presented for a name that no host of the lab has.
const DEFAULT_HOST: &str = "default.invalid";

/// What a lab is to be made of.
#[derive(Clone, Debug)]
pub struct LabOptions {
    /// The time that certificates are valid around; the same now must be told to whoever checks.
    pub now: SystemTime,
    /// The domains, beside those that all of them lean on.
    pub scenarios: Vec<Scenario>,
}

impl LabOptions {
    /// All built-in domains.
    pub fn demo(now: SystemTime) -> Self {
        Self { now, scenarios: Lab::domains().iter().map(LabDomain::scenario).collect() }
    }

    /// No domain yet but those that all lean on: the backup MX host and the receiver of reports.
    pub fn empty(now: SystemTime) -> Self {
        Self { now, scenarios: Vec::new() }
    }

    /// The same with one more domain.
    pub fn with(mut self, scenario: Scenario) -> Self {
        self.scenarios.push(scenario);
        self
    }
}

/// Why a lab could not be started.
#[derive(Debug, miette::Diagnostic, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// A socket could not be opened.
    #[error("the lab cannot listen on {address}")]
    #[diagnostic(
        code(stslint::lab::bind),
        help(
            "The lab needs the addresses 127.80.0.0/16. Linux has them; on macOS and BSD add each \
             one first (`ifconfig lo0 alias 127.80.0.1`)."
        )
    )]
    Bind {
        /// The address and port.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A key or certificate could not be made.
    #[error("a certificate of the lab cannot be issued")]
    #[diagnostic(code(stslint::lab::certificate))]
    Certificate(#[from] rcgen::Error),
    /// The given now cannot be the middle of a certificate's life.
    #[error("certificates can be dated from 1990 to 2200 only")]
    #[diagnostic(code(stslint::lab::clock))]
    Clock,
    /// A zone could not be signed.
    #[error("a zone of the lab cannot be signed: {0}")]
    #[diagnostic(code(stslint::lab::dnssec))]
    Dnssec(String),
    /// Two scenarios are for the same domain, or two servers cannot be told apart.
    #[error("two scenarios are for {0}")]
    #[diagnostic(code(stslint::lab::duplicate))]
    Duplicate(String),
    /// A name that DNS cannot hold.
    #[error("{0:?} is not a name that DNS can hold")]
    #[diagnostic(code(stslint::lab::name))]
    Name(String),
    /// A record or host outside of all domains of the lab.
    #[error("{0} is in no zone of the lab")]
    #[diagnostic(code(stslint::lab::zone), help("Add a scenario for the domain that it belongs to."))]
    OutsideZones(String),
    /// A record that DNS cannot hold.
    #[error("a record cannot be served: {0}")]
    #[diagnostic(code(stslint::lab::record))]
    Record(String),
    /// A TLS server could not be set up.
    #[error("a TLS server of the lab cannot be set up")]
    #[diagnostic(code(stslint::lab::tls))]
    Tls(#[source] tokio_rustls::rustls::Error),
    /// More servers than there are addresses.
    #[error("the lab has no addresses left for so many hosts")]
    #[diagnostic(code(stslint::lab::hosts))]
    TooManyHosts,
}

impl LabError {
    fn bind(address: impl Into<SocketAddr>, source: io::Error) -> Self {
        Self::Bind { address: address.into(), source }
    }
}

/// A running lab. Dropping it closes every socket.
pub struct Lab {
    resolver: SocketAddr,
    https_port: u16,
    smtp_port: u16,
    roots_pem: String,
    trust_anchor: String,
    _name_server: NameServer,
    _servers: JoinSet<()>,
}

impl Lab {
    /// Starts all servers of all domains in the current tokio runtime.
    ///
    /// # Errors
    /// [`LabError`] when a scenario holds what cannot be served, or a socket cannot be opened.
    pub async fn start(options: LabOptions) -> Result<Self, LabError> {
        let authority = CertificateAuthority::new(options.now)?;
        let mut scenarios = domains::shared();
        scenarios.extend(options.scenarios);
        check_distinct(&scenarios)?;

        let mut addresses = Addresses::new();
        let web = Web::new(&scenarios, &authority, &mut addresses)?;
        let mail = Mail::new(&scenarios, &authority, &mut addresses)?;
        let zones = zones(&scenarios, web.records, mail.records)?;
        let trust_anchor = zones.trust_anchor.clone();
        let faults: Vec<_> = scenarios.iter().flat_map(|one| one.dns_faults.iter().cloned()).collect();
        let name_server = NameServer::start(zones, &faults).await?;

        let mut servers = JoinSet::new();
        let https_port = serve_web(web.servers, &web.listening, &mut servers).await?;
        let smtp_port = serve_mail(mail.servers, &mut servers).await?;
        Ok(Self {
            resolver: name_server.address,
            https_port,
            smtp_port,
            roots_pem: authority.roots_pem(),
            trust_anchor,
            _name_server: name_server,
            _servers: servers,
        })
    }

    /// The built-in domains, each broken in one way only, and first the one that is not.
    pub fn domains() -> &'static [LabDomain] {
        domains::DOMAINS
    }

    /// The address of the name server, for UDP and TCP.
    pub fn resolver(&self) -> SocketAddr {
        self.resolver
    }

    /// The port of all HTTPS servers, in place of 443.
    pub fn https_port(&self) -> u16 {
        self.https_port
    }

    /// The port of all SMTP servers, in place of 25.
    pub fn smtp_port(&self) -> u16 {
        self.smtp_port
    }

    /// The root certificate that good chains of the lab end in, in PEM.
    pub fn roots_pem(&self) -> &str {
        &self.roots_pem
    }

    /// The DNSKEY record of the lab's DNS root, the trust anchor of all its signed zones.
    pub fn trust_anchor(&self) -> &str {
        &self.trust_anchor
    }
}

fn check_distinct(scenarios: &[Scenario]) -> Result<(), LabError> {
    let mut seen = BTreeSet::new();
    let twice = scenarios.iter().find(|scenario| !seen.insert(scenario.domain.to_ascii_lowercase()));
    match twice {
        Some(scenario) => Err(LabError::Duplicate(scenario.domain.clone())),
        None => Ok(()),
    }
}

fn zones(scenarios: &[Scenario], web: Vec<Record>, mail: Vec<Record>) -> Result<ZoneTree, LabError> {
    let domains: Vec<_> = scenarios.iter().map(|one| (one.domain.as_str(), one.dnssec)).collect();
    let published = scenarios.iter().flat_map(|one| one.records.iter().cloned());
    let records: Vec<_> = published.chain(web).chain(mail).collect();
    ZoneTree::new(&domains, &records)
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
        for host in scenarios.iter().flat_map(|one| &one.web_hosts) {
            let name = host.name.to_ascii_lowercase();
            let shares = host.listens && !by_name.contains_key(&(WEB_ADDRESS, name.clone()));
            let address = if shares { WEB_ADDRESS } else { addresses.allot()? };
            records.push(Record::new(&host.address_name, RecordData::A(address)));
            if host.listens {
                by_name.insert((address, name), WebServer::new(host, authority)?);
            }
        }
        let listening = by_name.keys().map(|(address, _)| *address).chain([WEB_ADDRESS]).collect();
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
        for host in scenarios.iter().flat_map(|one| &one.mx_hosts) {
            let address = addresses.allot()?;
            records.push(Record::new(&host.name, RecordData::A(address)));
            let server = MxServer { tls: tls::prepare(&host.tls, &[], authority)?, host: host.clone() };
            records.extend(server.tlsa());
            if host.listens {
                servers.insert(address, Arc::new(server));
            }
        }
        Ok(Self { servers, records })
    }
}

async fn serve_web(
    web: WebServers,
    addresses: &BTreeSet<Ipv4Addr>,
    servers: &mut JoinSet<()>,
) -> Result<u16, LabError> {
    let web = Arc::new(web);
    let (port, listeners) = listen::bind(addresses).await?;
    for (listener, address) in listeners.into_iter().zip(addresses.iter().copied()) {
        let web = Arc::clone(&web);
        servers.spawn(listen::serve(listener, move |stream| web::session(stream, Arc::clone(&web), address)));
    }
    Ok(port)
}

async fn serve_mail(mail: BTreeMap<Ipv4Addr, Arc<MxServer>>, servers: &mut JoinSet<()>) -> Result<u16, LabError> {
    let addresses = mail.keys().copied().collect();
    let (port, listeners) = listen::bind(&addresses).await?;
    for (listener, server) in listeners.into_iter().zip(mail.into_values()) {
        servers.spawn(listen::serve(listener, move |stream| smtp::session(stream, Arc::clone(&server))));
    }
    Ok(port)
}

#[cfg(test)]
mod tests;
