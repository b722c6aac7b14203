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
mod journal;
mod listen;
pub mod record;
pub mod scenario;
pub mod smtp;
pub mod submit;
pub mod tls;
pub mod web;
mod world;
mod zone;

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::task::JoinSet;

use ca::CertificateAuthority;
use dns::NameServer;
use world::{Live, World};
use zone::ZoneKeys;

pub use ca::LabRoot;
pub use certificate::{CertificateChain, CertificateIssuer, CertificatePurpose, CertificateSpec};
pub use domains::LabDomain;
pub use journal::{Event, EventKind, HandshakeEnd, Journal};
pub use listen::Listen;
pub use record::{DnsFault, DnsFaultKind, Dnssec, Record, RecordData};
pub use scenario::Scenario;
pub use smtp::{Dane, MxHost, SmtpAnswer};
pub use tls::{TlsHandshake, TlsOffer, TlsVersions};
pub use web::{WebAnswer, WebHost, WebReply};

/// What a lab is to be made of.
#[derive(Clone, Debug)]
pub struct LabOptions {
    /// The time that certificates are valid around; the same now must be told to whoever checks.
    pub now: SystemTime,
    /// The domains, beside those that all of them lean on.
    pub scenarios: Vec<Scenario>,
    /// Where the servers listen.
    pub listen: Listen,
    /// The private key of the root that clients trust, PKCS#8 in PEM; without it, a new one.
    pub root_key: Option<String>,
}

impl LabOptions {
    /// All built-in domains.
    pub fn demo(now: SystemTime) -> Self {
        let scenarios = Lab::domains().iter().map(LabDomain::scenario).collect();
        Self { now, scenarios, listen: Listen::default(), root_key: None }
    }

    /// No domain yet but those that all lean on: the backup MX host and the receiver of reports.
    pub fn empty(now: SystemTime) -> Self {
        Self { now, scenarios: Vec::new(), listen: Listen::default(), root_key: None }
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
            "Ports below 1024 need root or CAP_NET_BIND_SERVICE, and no other server may listen there. \
             Linux has all of 127.0.0.0/8; on macOS and BSD add each address first \
             (`ifconfig lo0 alias 127.80.0.1`)."
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
    /// A scenario was to be replaced by one for a domain that the lab does not have, or with other hosts.
    #[error("{0} can be replaced only by the same domain with the same hosts")]
    #[diagnostic(code(stslint::lab::hosts_differ))]
    HostsDiffer(String),
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
    #[diagnostic(code(stslint::lab::hosts), help("Give the lab a larger network."))]
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
    listen: Listen,
    roots_pem: String,
    trust_anchor: String,
    live: Arc<Live>,
    authority: CertificateAuthority,
    recipe: Mutex<Recipe>,
    _name_server: NameServer,
    _servers: JoinSet<()>,
}

/// What a world is made from.
struct Recipe {
    scenarios: Vec<Scenario>,
    keys: ZoneKeys,
}

impl Lab {
    /// Starts all servers of all domains in the current tokio runtime.
    ///
    /// # Errors
    /// [`LabError`] when a scenario holds what cannot be served, or a socket cannot be opened.
    pub async fn start(options: LabOptions) -> Result<Self, LabError> {
        let authority = CertificateAuthority::new(options.now, options.root_key.as_deref())?;
        let mut scenarios = domains::shared();
        scenarios.extend(options.scenarios);
        check_distinct(&scenarios)?;

        let mut keys = ZoneKeys::new();
        let world = World::new(&scenarios, &options.listen, &authority, &mut keys)?;
        let trust_anchor = world.zones.trust_anchor.clone();
        let live = Arc::new(Live::new(world, Journal::new()));
        let name_server = NameServer::start(options.listen.dns, Arc::clone(&live)).await?;

        let mut servers = JoinSet::new();
        let https_port = serve_web(options.listen.https_port, &live, &mut servers).await?;
        let smtp_port = serve_mail(options.listen.smtp_port, &live, &mut servers).await?;
        Ok(Self {
            resolver: name_server.address,
            listen: Listen { https_port, smtp_port, ..options.listen },
            roots_pem: authority.roots_pem(),
            trust_anchor,
            live,
            authority,
            recipe: Mutex::new(Recipe { scenarios, keys }),
            _name_server: name_server,
            _servers: servers,
        })
    }

    /// Serves these domains differently from now on. Each must be one that the lab has, with the hosts that it has.
    ///
    /// # Errors
    /// [`LabError::HostsDiffer`] for another domain or other hosts, and [`LabError`] for what cannot be served; all
    /// remains as it was then.
    pub fn replace(&self, scenarios: Vec<Scenario>) -> Result<(), LabError> {
        let mut recipe = self.recipe.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = recipe.scenarios.clone();
        for scenario in scenarios {
            let served = changed.iter_mut().find(|served| served.domain.eq_ignore_ascii_case(&scenario.domain));
            match served {
                Some(served) if served.has_hosts_of(&scenario) => *served = scenario,
                _ => return Err(LabError::HostsDiffer(scenario.domain)),
            }
        }
        self.live.replace(World::new(&changed, &self.listen, &self.authority, &mut recipe.keys)?);
        recipe.scenarios = changed;
        Ok(())
    }

    /// What came to the servers so far, and what comes.
    pub fn journal(&self) -> Journal {
        self.live.journal.clone()
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
        self.listen.https_port
    }

    /// The port of all SMTP servers, in place of 25.
    pub fn smtp_port(&self) -> u16 {
        self.listen.smtp_port
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

async fn serve_web(port: u16, live: &Arc<Live>, servers: &mut JoinSet<()>) -> Result<u16, LabError> {
    let addresses = live.world().web_addresses.clone();
    let (port, listeners) = listen::bind(port, &addresses).await?;
    for (listener, address) in listeners.into_iter().zip(addresses) {
        let live = Arc::clone(live);
        servers.spawn(listen::serve(listener, move |stream| {
            web::session(stream, Arc::clone(&live.world().web), address, live.journal.clone())
        }));
    }
    Ok(port)
}

async fn serve_mail(port: u16, live: &Arc<Live>, servers: &mut JoinSet<()>) -> Result<u16, LabError> {
    let addresses: BTreeSet<Ipv4Addr> = live.world().mail.keys().copied().collect();
    let (port, listeners) = listen::bind(port, &addresses).await?;
    for (listener, address) in listeners.into_iter().zip(addresses) {
        let live = Arc::clone(live);
        servers.spawn(listen::serve(listener, move |stream| {
            let server = live.world().mail.get(&address).cloned();
            let journal = live.journal.clone();
            async move {
                // Every world has the hosts of the first.
                if let Some(server) = server {
                    smtp::session(stream, server, journal).await;
                }
            }
        }));
    }
    Ok(port)
}

#[cfg(test)]
mod tests;
