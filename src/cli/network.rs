//! Options of the commands that collect, and the collection itself, with what is said meanwhile.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgAction, Args};
use futures_util::StreamExt;
use jiff::Timestamp;
use miette::{IntoDiagnostic, Report};

use super::progress::Progress;
use super::{OutputArgs, UsageError, arguments, signals, terminal};
use crate::collect::{Collector, ConnectTo, DnssecMode, Families, Options, Proxy, ResolverChoice, Roots};
use crate::grammar::names::DomainName;
use crate::snapshot::Snapshot;

/// How to collect.
#[derive(Args, Debug)]
pub struct NetworkArgs {
    /// The resolver for DNS queries: `system`, an address with or without a port, `tls://…` or `https://…`.
    #[arg(long, value_name = "RESOLVER", default_value = "system", help_heading = "Collection")]
    pub resolver: ResolverChoice,
    /// How to judge DNSSEC: `validate` from the root, `trust-ad` to believe the resolver, or `off`.
    #[arg(long, value_name = "MODE", default_value = "validate", help_heading = "Collection")]
    pub dnssec: DnssecMode,
    /// Validate from these DNSKEY records instead of the built-in ones of the root.
    #[arg(long, value_name = "FILE", help_heading = "Collection")]
    pub trust_anchor: Option<std::path::PathBuf>,
    /// The authorities to trust: `mozilla`, `system`, or a PEM file of certificates.
    #[arg(long, value_name = "ROOTS", default_value = "mozilla", help_heading = "Collection")]
    pub roots: Roots,
    /// The time limit of each step, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds, help_heading = "Collection")]
    pub timeout: f64,
    /// Do not try again after a busy server, a reset connection or a lost datagram.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = false)]
    #[arg(default_missing_value = "true", value_name = "BOOL", help_heading = "Collection")]
    pub no_retry: bool,
    /// Do not connect to the MX hosts.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = false)]
    #[arg(default_missing_value = "true", value_name = "BOOL", help_heading = "Collection")]
    pub no_smtp: bool,
    /// Connect to policy hosts on this port (for labs).
    #[arg(long, value_name = "PORT", default_value_t = 443, help_heading = "Collection")]
    pub https_port: u16,
    /// Connect to MX hosts on this port (for labs).
    #[arg(long, value_name = "PORT", default_value_t = 25, help_heading = "Collection")]
    pub smtp_port: u16,
    /// Query the zone's name servers on this port (for labs).
    #[arg(long, value_name = "PORT", default_value_t = 53, help_heading = "Collection")]
    pub name_server_port: u16,
    /// Connect only to IPv4 addresses.
    #[arg(short = '4', long, conflicts_with = "ipv6", help_heading = "Collection")]
    pub ipv4: bool,
    /// Connect only to IPv6 addresses.
    #[arg(short = '6', long, help_heading = "Collection")]
    pub ipv6: bool,
    /// Also query the zone's own name servers, past every cache, and compare their answers. Without it, one of them is queried, only for the TTLs of unsigned answers; with =false, none is.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true", value_name = "BOOL", help_heading = "Collection")]
    pub authoritative: Option<bool>,
    /// Look up the PTR records of MX hosts' addresses, one query each: for your own rules.
    #[arg(long, help_heading = "Collection")]
    pub reverse_names: bool,
    /// Reach MX hosts through this SOCKS5 proxy, where port 25 is blocked: socks5://[user:password@]host:port.
    #[arg(long, value_name = "URL", help_heading = "Collection")]
    pub smtp_proxy: Option<Proxy>,
    /// The time limit of everything about one domain, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds, help_heading = "Collection")]
    pub deadline: f64,
    /// The name to give in EHLO, instead of this machine's address; some hosts need one that resolves.
    #[arg(long, value_name = "NAME", help_heading = "Collection")]
    pub helo: Option<String>,
    /// The most IPv4 and the most IPv6 addresses of one host to connect to, from the start of each answer; the report says if there were more.
    #[arg(long, value_name = "N", default_value_t = 8, help_heading = "Collection")]
    pub max_addresses: usize,
    /// The most simultaneous conversations with hosts, over all domains; each domain gets a sixteenth of them.
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = concurrency, help_heading = "Collection")]
    pub concurrency: usize,
    /// Connect only to public addresses, on ports 443, 25 and 53: for domains named by strangers. Everything else is not checked.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = false)]
    #[arg(default_missing_value = "true", value_name = "BOOL", help_heading = "Collection")]
    pub only_public: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.01..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("give seconds between 0.01 and 600".to_owned()),
    }
}

fn concurrency(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(number) if (1..=1_024).contains(&number) => Ok(number),
        _ => Err("give a number between 1 and 1024".to_owned()),
    }
}

impl NetworkArgs {
    /// The options of the collector.
    pub fn options(&self) -> Options {
        Options {
            resolver: self.resolver.clone(),
            dnssec: self.dnssec,
            trust_anchor: self.trust_anchor.clone(),
            authoritative: self.authoritative == Some(true),
            published_ttls: self.authoritative != Some(false),
            reverse_names: self.reverse_names,
            name_server_port: self.name_server_port,
            proxy: self.smtp_proxy.clone(),
            deadline: Duration::from_secs_f64(self.deadline),
            roots: self.roots.clone(),
            timeout: Duration::from_secs_f64(self.timeout),
            retry: !self.no_retry,
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
            concurrency: self.concurrency,
            connect_to: if self.only_public { ConnectTo::Public } else { ConnectTo::Any },
            ..Options::default()
        }
    }
}

/// A runtime for the collection, with a thread for each processor.
pub fn runtime() -> Result<tokio::runtime::Runtime, Report> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from).max(2);
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().into_diagnostic()
}

/// The most octets of domains that are read from standard input.
const MAX_DOMAINS_OCTETS: u64 = 64 << 20;

/// The domains that were given, `-` replaced by those on standard input: one or more per line, comments after `#`.
/// The first that is wrong is an error.
pub fn domains(given: &[String]) -> Result<Vec<DomainName>, Report> {
    let mut wrong = None;
    let domains = sound_domains(given, &mut |_, error| _ = wrong.get_or_insert(error))?;
    wrong.map_or(Ok(domains), |error| Err(error.into()))
}

/// The same, where a wrong one on standard input ends nothing: it is handed over with what is wrong of it.
pub fn sound_domains(
    given: &[String],
    take_wrong: &mut dyn FnMut(&str, UsageError),
) -> Result<Vec<DomainName>, Report> {
    let mut domains = Vec::new();
    for text in given {
        if text != "-" {
            for name in arguments::names(text) {
                domains.push(arguments::domain(name)?);
            }
            continue;
        }
        let mut octets = Vec::new();
        std::io::stdin().take(MAX_DOMAINS_OCTETS).read_to_end(&mut octets).into_diagnostic()?;
        let read = String::from_utf8_lossy(&octets);
        let read = read.strip_prefix('\u{feff}').unwrap_or(&read);
        for (index, line) in read.lines().enumerate() {
            let names = line.split('#').next().unwrap_or_default();
            for name in names.split_whitespace() {
                match parse(name, index.saturating_add(1)) {
                    Ok(domain) => domains.push(domain),
                    Err(error) => take_wrong(name, error),
                }
            }
        }
    }
    Ok(domains)
}

/// A domain, or an error that names the line of standard input that it was in.
fn parse(text: &str, line: usize) -> Result<DomainName, UsageError> {
    DomainName::parse(text).map_err(|error| {
        UsageError::new(format!("standard input, line {line}: {error}"), "give a mail domain such as example.com")
    })
}

/// How many domains may be begun before the slowest of them has ended: their snapshots wait for it in memory.
const WINDOW: usize = 512;

/// In which order snapshots are handed over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// As they were asked for.
    Asked,
    /// As they are done.
    Done,
}

/// A collection that a signal ended before all domains were done.
#[derive(Clone, Copy, Debug)]
pub struct Interrupted {
    /// How many domains are missing.
    pub missing: usize,
    /// The signal.
    pub signal: i32,
}

/// Collects one domain as of a time.
pub fn collect_one(
    domain: &DomainName,
    args: &NetworkArgs,
    output: &OutputArgs,
    now: Timestamp,
) -> Result<Snapshot, Report> {
    let mut collected = None;
    collect_until_interrupted(std::slice::from_ref(domain), args, output, now, &mut |snapshot| {
        collected = Some(snapshot);
        Ok(())
    })?;
    collected.ok_or_else(|| UsageError::new("nothing was collected", "give a mail domain such as example.com").into())
}

/// Collects domains in their order until all are done, `take` has an error, or a signal asks to end, which is an error.
pub fn collect_until_interrupted(
    domains: &[DomainName],
    args: &NetworkArgs,
    output: &OutputArgs,
    now: Timestamp,
    take: &mut dyn FnMut(Snapshot) -> Result<(), Report>,
) -> Result<(), Report> {
    match collect_many(domains, args, output, now, Order::Asked, take)? {
        None => Ok(()),
        Some(_) => Err(interrupted()),
    }
}

/// Collects domains until all are done, `take` has an error, or a signal asks to end.
pub fn collect_many(
    domains: &[DomainName],
    args: &NetworkArgs,
    output: &OutputArgs,
    now: Timestamp,
    order: Order,
    take: &mut dyn FnMut(Snapshot) -> Result<(), Report>,
) -> Result<Option<Interrupted>, Report> {
    let now = whole_seconds(now);
    runtime()?.block_on(async {
        let collector = Arc::new(Collector::new(args.options())?);
        let mut progress = Progress::start(domains, output);
        let done = progress.done();
        #[allow(clippy::async_yields_async, reason = "begun is what is awaited first, and its end later")]
        let begin = |domain: &DomainName| {
            let (collector, domain, done) = (collector.clone(), domain.clone(), done.clone());
            async move {
                // As many are begun as the resolver and the processor keep up with.
                collector.ready().await;
                tokio::spawn(async move {
                    let snapshot = collector.collect(domain.as_str(), now).await;
                    done.add();
                    snapshot
                })
            }
        };
        let begun = futures_util::stream::iter(domains).then(begin);
        let mut snapshots = match order {
            Order::Asked => begun.buffered(WINDOW).boxed_local(),
            Order::Done => begun.buffer_unordered(WINDOW).boxed_local(),
        };
        let mut asked = std::pin::pin!(signals::asked_to_end());
        let mut taken = 0_usize;
        let interrupted = loop {
            tokio::select! {
                next = snapshots.next() => match next {
                    Some(Ok(snapshot)) => {
                        taken = taken.saturating_add(1);
                        progress.aside(|| take(snapshot))?;
                    }
                    Some(Err(failed)) => std::panic::resume_unwind(failed.into_panic()),
                    None => break None,
                },
                () = progress.tick() => progress.show(&collector),
                signal = &mut asked => {
                    break Some(Interrupted { missing: domains.len().saturating_sub(taken), signal });
                }
            }
        };
        progress.end();
        if interrupted.is_some() {
            return Ok(interrupted);
        }
        if let Some(silent) = collector.silent_mx_addresses() {
            terminal::remark(&unreachable_mx_hosts(silent, args.smtp_port), output);
        }
        collector.finish().await;
        Ok(None)
    })
}

fn interrupted() -> Report {
    let help = "nothing was written; run it again, with a smaller `--deadline` if it took too long";
    UsageError::new("interrupted before the collection was complete", help).into()
}

/// What to say, once in a run, where no MX host of any domain answered.
fn unreachable_mx_hosts(silent: usize, port: u16) -> String {
    let tried = if silent == 1 { "the one address".to_owned() } else { format!("all {silent} addresses") };
    format!(
        "note: no MX host could be reached: {tried} that this run tried on port {port} gave no answer at all. Many \
         networks block outbound port {port}, so this says nothing about the domains. Run stslint where mail is sent \
         from, give --smtp-proxy socks5://HOST:PORT, or leave these checks out with --no-smtp."
    )
}

/// The time without its fraction: nobody needs it, and it reads better.
fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
