//! Options of the commands that collect, and `stslint collect` itself.

use std::path::Path;
use std::time::Duration;

use clap::{ArgAction, Args};
use jiff::Timestamp;
use miette::{IntoDiagnostic, Report};

use super::{CollectArgs, Ended, OutputArgs, UsageError, terminal};
use crate::collect::{Collector, DnssecMode, Families, Options, Proxy, ResolverChoice, Roots};
use crate::grammar::names::DomainName;
use crate::snapshot::{self, Format, Snapshot};

/// How to collect.
#[derive(Args, Debug)]
pub struct NetworkArgs {
    /// Who answers DNS questions: `system`, an address with or without a port, `tls://…` or `https://…`.
    #[arg(long, value_name = "RESOLVER", default_value = "system", help_heading = "Collection")]
    pub resolver: ResolverChoice,
    /// How DNSSEC is judged: `validate` from the root on, `trust-ad` as the resolver says, or `off`.
    #[arg(long, value_name = "MODE", default_value = "validate", help_heading = "Collection")]
    pub dnssec: DnssecMode,
    /// Validate from these DNSKEY records on instead of the root's built-in ones.
    #[arg(long, value_name = "FILE", help_heading = "Collection")]
    pub trust_anchor: Option<std::path::PathBuf>,
    /// Which authorities are trusted: `mozilla`, `system`, or a file of certificates in PEM.
    #[arg(long, value_name = "ROOTS", default_value = "mozilla", help_heading = "Collection")]
    pub roots: Roots,
    /// The time limit of each step, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds, help_heading = "Collection")]
    pub timeout: f64,
    /// Do not speak to the MX hosts.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = false)]
    #[arg(default_missing_value = "true", value_name = "BOOL", help_heading = "Collection")]
    pub no_smtp: bool,
    /// Ask policy hosts on this port (for labs).
    #[arg(long, value_name = "PORT", default_value_t = 443, help_heading = "Collection")]
    pub https_port: u16,
    /// Ask MX hosts on this port (for labs).
    #[arg(long, value_name = "PORT", default_value_t = 25, help_heading = "Collection")]
    pub smtp_port: u16,
    /// Ask the zone's name servers on this port, with --authoritative (for labs).
    #[arg(long, value_name = "PORT", default_value_t = 53, help_heading = "Collection")]
    pub name_server_port: u16,
    /// Ask IPv4 addresses only.
    #[arg(short = '4', long, conflicts_with = "ipv6", help_heading = "Collection")]
    pub ipv4: bool,
    /// Ask IPv6 addresses only.
    #[arg(short = '6', long, help_heading = "Collection")]
    pub ipv6: bool,
    /// Ask the zone's own name servers too, past every cache, and compare what they say.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = false)]
    #[arg(default_missing_value = "true", value_name = "BOOL", help_heading = "Collection")]
    pub authoritative: bool,
    /// Reach MX hosts through this SOCKS5 proxy, where port 25 is blocked: socks5://[user:password@]host:port.
    #[arg(long, value_name = "URL", help_heading = "Collection")]
    pub smtp_proxy: Option<Proxy>,
    /// The time limit of everything about one domain, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds, help_heading = "Collection")]
    pub deadline: f64,
    /// The name to give in EHLO, instead of this machine's address; some hosts want one that resolves.
    #[arg(long, value_name = "NAME", help_heading = "Collection")]
    pub helo: Option<String>,
    /// How many addresses of one host are asked.
    #[arg(long, value_name = "N", default_value_t = 8, help_heading = "Collection")]
    pub max_addresses: usize,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.01..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("give seconds between 0.01 and 600".to_owned()),
    }
}

impl NetworkArgs {
    /// The options of the collector.
    pub fn options(&self) -> Options {
        Options {
            resolver: self.resolver.clone(),
            dnssec: self.dnssec,
            trust_anchor: self.trust_anchor.clone(),
            authoritative: self.authoritative,
            name_server_port: self.name_server_port,
            proxy: self.smtp_proxy.clone(),
            deadline: Duration::from_secs_f64(self.deadline),
            roots: self.roots.clone(),
            timeout: Duration::from_secs_f64(self.timeout),
            smtp: !self.no_smtp,
            https_port: self.https_port,
            smtp_port: self.smtp_port,
            families: match (self.ipv4, self.ipv6) {
                (true, _) => Families::Ipv4,
                (_, true) => Families::Ipv6,
                _ => Families::Both,
            },
            helo: self.helo.clone(),
            max_addresses: self.max_addresses,
            ..Options::default()
        }
    }
}

/// A runtime for the collection.
pub fn runtime() -> Result<tokio::runtime::Runtime, Report> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().into_diagnostic()
}

/// How many domains are collected at once.
const AT_ONCE: usize = 16;

/// Collects domains and hands over their snapshots in the order in which they were asked for.
pub fn collect_all(
    domains: &[DomainName],
    args: &NetworkArgs,
    output: &OutputArgs,
    take: &mut dyn FnMut(Result<Snapshot, Report>),
) -> Result<(), Report> {
    use futures_util::StreamExt;
    let options = args.options();
    if domains.len() > 1 {
        terminal::remark(&format!("collecting {} domains", domains.len()), output);
    }
    runtime()?.block_on(async {
        let collector = Collector::new(options)?;
        let now = Timestamp::now();
        let one = |domain: &DomainName| {
            let domain = domain.clone();
            let collector = &collector;
            async move { collector.collect(domain.as_str(), whole_seconds(now)).await }
        };
        let mut snapshots = futures_util::stream::iter(domains.iter().map(one)).buffered(AT_ONCE);
        while let Some(snapshot) = snapshots.next().await {
            take(Ok(snapshot));
        }
        Ok(())
    })
}

/// The time without its fraction: nobody needs it, and it reads better.
fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// Collects one domain.
pub fn collect_one(domain: &DomainName, args: &NetworkArgs, now: Timestamp) -> Result<Snapshot, Report> {
    let options = args.options();
    runtime()?.block_on(async {
        let collector = Collector::new(options)?;
        Ok(collector.collect(domain.as_str(), whole_seconds(now)).await)
    })
}

/// Runs `stslint collect`.
pub fn collect(args: &CollectArgs) -> Ended {
    let domain = DomainName::parse(&args.domain)
        .map_err(|error| UsageError::new(error.to_string(), "give a mail domain such as example.com"))?;
    let snapshot = collect_one(&domain, &args.network, Timestamp::now())?;
    match args.output.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => snapshot::write(&snapshot, path)?,
        None => terminal::print(&snapshot::to_text(&snapshot, Format::Yaml)?),
    }
    Ok(0)
}
