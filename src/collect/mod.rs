//! Collection: everything that a sender could see of a mail domain, over real sockets, in one pass.
//!
//! This is the only code that opens sockets. `cli` makes one [`Collector`] for a run and has it collect each
//! domain; what goes wrong becomes a fact in the [`Snapshot`], never an error. Every peer is taken for hostile:
//! `limits` holds what it may cost.

mod acknowledges;
mod activity;
mod alert;
mod allowance;
mod certificate;
mod client_hello;
mod connect;
mod connections;
mod datagrams;
mod dns;
mod dns_denial;
mod dns_failure;
mod dns_name;
mod dns_proof;
mod dns_reason;
mod dns_trail;
mod evidence;
mod failure;
mod gate;
mod guard;
mod http_failure;
mod https;
mod issuers;
mod kept;
mod limits;
mod log_lines;
mod memo;
mod misplaced;
mod name_servers;
mod options;
mod pass;
mod policy;
mod proofs;
mod published_ttl;
mod reach;
mod report_hosts;
mod resolver;
mod resolver_error;
mod second_look;
mod second_try;
mod server_flight;
mod shares;
mod smtp;
mod smtp_wire;
mod sockets;
mod timeline;
mod tls;
mod trust;
mod trust_anchor;
mod turns;
mod verifiable;
mod watched;
mod window;
mod work;

#[cfg(all(test, feature = "lab"))]
mod body_tests;
#[cfg(all(test, feature = "lab"))]
mod conversation_tests;
#[cfg(all(test, feature = "lab"))]
mod hostile_tests;
#[cfg(all(test, feature = "lab"))]
mod live_tests;
#[cfg(all(test, feature = "lab"))]
mod resolver_tests;
#[cfg(all(test, feature = "lab"))]
#[allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, missing_docs)]
mod testing;
#[cfg(all(test, feature = "lab"))]
mod tls_tests;

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use miette::Diagnostic;
use thiserror::Error;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tracing::debug;

pub use self::activity::StepUnderWay;
pub use self::options::{ConnectTo, DnssecMode, Families, OptionError, Options, Proxy, ResolverChoice, Roots};
pub use self::resolver_error::ResolverError;
pub use self::trust::{RootsError, built_in_roots, sound_roots};
pub use self::trust_anchor::root_key_tags;
pub use self::turns::Turns;
pub use self::window::Queries;

use self::activity::Activity;
use self::dns::Questions;
use self::dns_proof::Limits;
use self::guard::Guard;
use self::limits::{Clock, MAX_PROOFS_WORK};
use self::memo::Memo;
use self::reach::Reach;
use self::resolver::Upstream;
use self::shares::Shares;
use self::smtp::SmtpClientConfig;
use self::smtp_wire::Farewells;
use self::tls::TlsProber;
use self::trust::ChainVerifier;
use self::work::Work;
use crate::snapshot::{SmtpProbe, Snapshot};
use crate::source_text::escape;

/// How many hosts' probes are remembered in a run.
const REMEMBERED_PROBES: usize = 8_192;

/// Why nothing can be collected.
#[derive(Debug, Diagnostic, Error)]
pub enum SetupError {
    /// The name for EHLO cannot be sent.
    #[error("`{0}` cannot be given to EHLO")]
    #[diagnostic(code(stslint::helo), help("give the host's full name, such as mail.example.com, or leave it out"))]
    Helo(String),
    /// Other ports than those of mail, with public addresses alone.
    #[error("where only public addresses are connected to, so are only the ports 443, 25 and 53")]
    #[diagnostic(code(stslint::only_public), help("leave out the ports of HTTPS, SMTP and name servers"))]
    Ports,
    /// The resolver cannot be set up.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Resolver(#[from] ResolverError),
    /// There are no trusted certificates.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Roots(#[from] RootsError),
    /// The TLS library cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    #[diagnostic(code(stslint::tls))]
    Tls(String),
}

/// Collects the domains of one run: what they share (resolver, MX hosts) is asked only once.
pub struct Collector {
    options: Options,
    chain_verifier: Arc<ChainVerifier>,
    provider: Arc<CryptoProvider>,
    questions: Questions,
    smtp_client: SmtpClientConfig,
    shares: Shares,
    probes: Memo<(String, IpAddr), Option<Arc<SmtpProbe>>>,
    reach: Reach,
    activity: Activity,
    guard: Guard,
    user_agent: String,
}

impl Collector {
    /// A collector with these options. Opens no socket yet, but reads the files that the options name.
    pub fn new(options: Options) -> Result<Collector, SetupError> {
        if let Some(helo) = options.helo.as_deref().filter(|helo| !is_helo(helo)) {
            return Err(SetupError::Helo(escape(helo)));
        }
        let ports = (options.https_port, options.smtp_port, options.name_server_port);
        if options.connect_to == ConnectTo::Public && ports != (443, 25, 53) {
            return Err(SetupError::Ports);
        }
        let provider = Arc::new(ring::default_provider());
        let chain_verifier = Arc::new(ChainVerifier::new(&options.roots, &provider)?);
        let roots = RootCertStore { roots: chain_verifier.anchors().to_vec() };
        let tls = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| SetupError::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let questions = Questions::new(Upstream::new(&options, tls)?, options.dnssec);
        let shares = Shares::new(options.concurrency, options.smtp_port, options.per_address);
        Ok(Collector {
            smtp_client: SmtpClientConfig {
                port: options.smtp_port,
                helo: options.helo.clone(),
                proxy: options.proxy.clone(),
                farewells: Farewells::default(),
                retry: options.retry,
                pause: options.turns.as_ref().map(|turns| turns.pause()),
                talks: shares.talks.clone(),
            },
            shares,
            probes: Memo::new(REMEMBERED_PROBES),
            reach: Reach::default(),
            activity: Activity::default(),
            guard: Guard::new(options.connect_to),
            user_agent: user_agent(options.about_url.as_deref()),
            options,
            chain_verifier,
            provider,
            questions,
        })
    }

    /// Collects one domain, given in A-labels, lower case, without the trailing dot.
    ///
    /// Certificates are judged as of `collected_at`, which is also the time in the snapshot. This ends within
    /// the deadline of the options, and what could not be observed until then says so.
    pub async fn collect(&self, domain: &str, collected_at: Timestamp) -> Snapshot {
        let clock = Clock::start(self.options.timeout, self.options.deadline);
        let prober = TlsProber::new(self.chain_verifier.clone(), self.provider.clone(), collected_at);
        debug!("{}: begins", escape(domain));
        let snapshot = Box::pin(pass::Pass::new(self, domain, prober, clock).run(collected_at)).await;
        debug!("{}: ends after {} ms", escape(domain), clock.elapsed_ms());
        snapshot
    }

    /// The TXT records at a name, as texts; nothing where there are none, or where the question got no answer.
    pub async fn txt(&self, name: &str) -> Vec<String> {
        let clock = Clock::start(self.options.timeout, self.options.deadline);
        let limits = Limits { clock, work: Arc::new(Work::of(MAX_PROOFS_WORK)) };
        let lookup = self.questions.txt(name, &limits).await;
        let records = lookup.known().into_iter().flatten();
        records.map(|record| String::from_utf8_lossy(&record.joined()).into_owned()).collect()
    }

    /// How many addresses of MX hosts were tried in the run so far, where not a single one answered: then the
    /// network here is to blame, which blocks outbound port 25. `None` where any answered, or none was tried.
    pub fn silent_mx_addresses(&self) -> Option<usize> {
        self.reach.all_silent()
    }

    /// Waits until the MX hosts have answered QUIT, for a moment at most: no collection waits for that, and a run
    /// that ended before would break the connections off.
    pub async fn finish(&self) {
        self.smtp_client.farewells.ended().await;
    }

    /// Waits until there is room to begin with another domain: few questions and conversations wait for their turn.
    pub async fn ready(&self) {
        self.questions.ready().await;
        self.shares.ready().await;
    }

    /// How many queries went to the resolver so far, and how many of them were lost.
    pub fn queries(&self) -> Queries {
        self.questions.queries()
    }

    /// The steps that are under way, the oldest first, at most `most` of them; and how many there are in all.
    pub fn under_way(&self, most: usize) -> (Vec<StepUnderWay>, usize) {
        self.activity.under_way(most)
    }
}

/// The User-Agent of policy fetches (RFC 9110 §10.1.5), with the page that says who asks.
fn user_agent(about_url: Option<&str>) -> String {
    let program = concat!("stslint/", env!("CARGO_PKG_VERSION"));
    let about = about_url.filter(|url| url.bytes().all(|octet| octet.is_ascii_graphic() && !b"()\\".contains(&octet)));
    about.map_or_else(|| program.to_owned(), |url| format!("{program} (+{url})"))
}

/// Whether a name can be given to EHLO: a domain or an address literal (RFC 5321 §4.1.1.1).
pub fn is_helo(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && name.bytes().all(|octet| octet.is_ascii_graphic())
}
