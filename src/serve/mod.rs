//! The web validator: pages and an API over the collector and the rules, for people who click.
//!
//! `stslint serve` starts it. What is kept is the snapshot of each check; every page is a view of it, made by the rules of
//! today. Nothing that a visitor types reaches options, files, resolvers, ports or rules: a domain name is all.

mod answers;
mod api;
mod badge;
mod check;
mod checks;
mod client;
mod connections;
mod edited;
mod id;
mod limits;
mod metrics;
mod openapi;
mod pages;
mod receiver;
mod results;
mod routes;
mod state;
mod typed;
mod views;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use miette::Diagnostic;
use thiserror::Error;
use tokio::sync::watch;

pub use self::connections::{Listen, Listener};
use self::state::App;
use crate::collect::{Options, SetupError};
use crate::rules::RuleSet;
use crate::store::StoreError;

/// What an operator chooses.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How domains are looked at; `smtp` and `authoritative` are set for each check.
    pub collect: Options,
    /// The file of the store; in memory where there is none.
    pub store: Option<PathBuf>,
    /// How long results are kept.
    pub keep: Duration,
    /// How many results are kept at most.
    pub most_kept: u64,
    /// How long a result answers for its domain before there is a new one.
    pub fresh: Duration,
    /// Whether there are pages with a domain's earlier results.
    pub history: bool,
    /// How many proxies of one's own are in front, each of which adds to `X-Forwarded-For`.
    pub trusted_proxies: usize,
    /// How many domains are looked at at the same time.
    pub at_once: usize,
    /// How many checks may wait.
    pub queue: usize,
    /// New checks per minute for one client network.
    pub per_client: u32,
    /// New checks per minute in all.
    pub in_all: u32,
    /// Whom to ask about this service: a mailto: or https: URL.
    pub contact: Option<String>,
    /// Domains that are not looked at, with all below them.
    pub opted_out: Vec<String>,
    /// The domains whose TLS reports are received at `/tlsrpt`.
    pub report_domains: Vec<String>,
    /// The domains to try that the first page names.
    pub examples: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            collect: Options::default(),
            store: None,
            keep: Duration::from_secs(30 * 86_400),
            most_kept: 100_000,
            fresh: Duration::from_secs(5 * 60),
            history: false,
            trusted_proxies: 0,
            at_once: 8,
            queue: 200,
            per_client: 10,
            in_all: 120,
            contact: None,
            opted_out: Vec::new(),
            report_domains: Vec::new(),
            examples: Vec::new(),
        }
    }
}

/// Why nothing can be served.
#[derive(Debug, Diagnostic, Error)]
pub enum ServeError {
    /// Domains cannot be looked at.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Collect(#[from] SetupError),
    /// The store cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
}

/// A service that is ready to listen.
pub struct Service {
    app: Arc<App>,
}

impl Service {
    /// Opens the store and sets up the collector. Opens no socket.
    pub fn new(settings: Settings, rules: RuleSet) -> Result<Self, ServeError> {
        Ok(Service { app: Arc::new(App::new(settings, rules)?) })
    }

    /// Answers on these listeners until `stop` is true, then ends what has begun, within some seconds.
    pub async fn run(self, listeners: Vec<Listener>, stop: watch::Receiver<bool>) {
        checks::resume(&self.app).await;
        let upkeep = tokio::spawn(self.app.clone().upkeep());
        let routes = routes::routes(self.app.clone());
        let serving = listeners.into_iter().map(|listener| connections::serve(listener, routes.clone(), stop.clone()));
        futures_util::future::join_all(serving).await;
        upkeep.abort();
        self.app.end().await;
    }
}

/// Where the service can be reached, for people.
pub fn address(address: SocketAddr) -> String {
    format!("http://{address}/")
}
