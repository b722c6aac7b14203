//! The collection: the only code with sockets. It fills a snapshot and never fails; what goes wrong is a fact.
//!
//! `cli` makes one [`Collector`] a run and hands it domain after domain.

mod certificate;
mod dns;
mod https;
mod options;
mod smtp;
mod tls;

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use jiff::Timestamp;
use miette::Diagnostic;
use thiserror::Error;
use tokio::sync::{OnceCell, Semaphore};

use self::dns::{Ipv4, Ipv6, ask};
pub use self::options::{Families, Options, Resolver, ResolverError, Roots};
use self::tls::Tls;
use crate::files::FileError;
use crate::grammar::tlsrpt_record;
use crate::snapshot::{
    AddressRecord, Collection, DnsOutcome, Failure, FailureKind, HttpsProbe, LeftOut, Lookup, MxHost, MxRecord, Policy,
    PolicyHost, ReportHost, SmtpProbe, Snapshot, Step, TxtRecord,
};

/// How many connections are open at once, over all domains of a run.
const MAX_CONNECTIONS: usize = 64;
/// How many hosts of `rua` are looked up.
const MAX_REPORT_HOSTS: usize = 8;

/// Why nothing can be collected.
#[derive(Debug, Diagnostic, Error)]
pub enum SetupError {
    /// The file of roots cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// There is no certificate among the roots.
    #[error("no certificate could be read from {0}")]
    #[diagnostic(code(stslint::roots), help("`--roots` takes `mozilla`, `system`, or a file of certificates in PEM"))]
    NoRoots(String),
    /// The resolver cannot be set up.
    #[error("the resolver cannot be set up: {0}")]
    #[diagnostic(code(stslint::resolver), help("name one: `--resolver 192.0.2.53`"))]
    Resolver(String),
}

/// What is asked once and used by all who need it.
type Shared<T> = Arc<OnceCell<T>>;

/// Collects domains; what they share is asked once.
pub struct Collector {
    options: Options,
    resolver: TokioResolver,
    tls: Tls,
    connections: Semaphore,
    smtp_probes: Mutex<BTreeMap<(String, IpAddr), Shared<SmtpProbe>>>,
    smtp_connected: AtomicBool,
}

impl Collector {
    /// Sets up resolver and trust anchors. Must be called within a tokio runtime.
    pub fn new(options: Options) -> Result<Self, SetupError> {
        Ok(Collector {
            resolver: dns::resolver(&options.resolver, options.timeout)?,
            tls: Tls::new(&options.roots)?,
            connections: Semaphore::new(MAX_CONNECTIONS),
            smtp_probes: Mutex::default(),
            smtp_connected: AtomicBool::new(false),
            options,
        })
    }

    /// Observes a domain (A-labels, lower case) at `collected_at`. Everything that needs no other's answer
    /// starts at once.
    pub async fn collect(&self, domain: &str, collected_at: Timestamp) -> Snapshot {
        let run = Run { collector: self, domain, begun: Instant::now(), now: collected_at, steps: Mutex::default() };
        let (mail, record, tlsrpt, host, own, misplaced, parent) = tokio::join!(
            run.mail(),
            run.txt(format!("_mta-sts.{domain}")),
            run.reports(),
            run.policy_host(),
            run.addresses(domain),
            run.misplaced(),
            run.parent(),
        );
        let (mx, mut mx_hosts, mut left_out) = mail;
        let implicit = mx.known().is_some_and(<[MxRecord]>::is_empty) && !addresses_of(&own).is_empty();
        if implicit && mx.outcome() == Some(DnsOutcome::Nodata) {
            mx_hosts = Some(vec![run.mx_host(domain).await]);
        }
        if !self.options.smtp {
            left_out.push(LeftOut { field: "mx_hosts.probes".to_owned(), reason: "--no-smtp was given".to_owned() });
        }
        let (policy_host, policy) = host;
        let (tlsrpt, report_hosts) = tlsrpt;
        Snapshot {
            collected_at: Some(collected_at.to_string()),
            collection: Some(self.collection(left_out)),
            mx: Some(mx),
            ipv4: own.0,
            ipv6: own.1,
            record: Some(record),
            tlsrpt: Some(tlsrpt),
            misplaced: Some(misplaced),
            parent,
            policy_host: Some(policy_host),
            policy,
            mx_hosts,
            report_hosts: Some(report_hosts),
            timeline: Some(run.timeline()),
            ..Snapshot::of(Some(domain))
        }
    }

    fn collection(&self, left_out: Vec<LeftOut>) -> Collection {
        let options = &self.options;
        Collection {
            program: Some(concat!("stslint ", env!("CARGO_PKG_VERSION")).to_owned()),
            resolver: Some(options.resolver.to_string()),
            dnssec: Some("off".to_owned()),
            roots: Some(options.roots.to_string()),
            https_port: Some(options.https_port).filter(|port| *port != 443),
            smtp_port: Some(options.smtp_port).filter(|port| *port != 25),
            smtp_connected: Some(self.smtp_connected.load(Ordering::Relaxed)).filter(|_| options.smtp),
            left_out,
        }
    }
}

type Addresses = (Option<Lookup<AddressRecord>>, Option<Lookup<AddressRecord>>);

/// The collection of one domain.
struct Run<'a> {
    collector: &'a Collector,
    domain: &'a str,
    begun: Instant,
    now: Timestamp,
    steps: Mutex<Vec<Step>>,
}

impl Run<'_> {
    fn options(&self) -> &Options {
        &self.collector.options
    }

    fn unix_now(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.now.as_second()).unwrap_or_default())
    }

    /// Does a step and notes when it began and ended.
    async fn step<T>(&self, name: String, step: impl Future<Output = T>) -> T {
        let since = |begun: &Instant| u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let start_ms = since(&self.begun);
        let ended = step.await;
        let step = Step { name, start_ms, end_ms: since(&self.begun) };
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(step);
        ended
    }

    fn timeline(&self) -> Vec<Step> {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner).clone();
        steps.sort_by(|a, b| (a.start_ms, a.end_ms, &a.name).cmp(&(b.start_ms, b.end_ms, &b.name)));
        steps
    }

    async fn txt(&self, name: String) -> Lookup<TxtRecord> {
        let question = ask(&self.collector.resolver, &name, self.options().timeout);
        self.step(format!("TXT {name}"), question).await
    }

    async fn addresses(&self, name: &str) -> Addresses {
        let limit = self.options().timeout;
        let ipv4 = async {
            match self.options().families {
                Families::Ipv6 => None,
                _ => Some(self.step(format!("A {name}"), ask::<Ipv4>(&self.collector.resolver, name, limit)).await),
            }
        };
        let ipv6 = async {
            match self.options().families {
                Families::Ipv4 => None,
                _ => Some(self.step(format!("AAAA {name}"), ask::<Ipv6>(&self.collector.resolver, name, limit)).await),
            }
        };
        let (ipv4, ipv6) = tokio::join!(ipv4, ipv6);
        (ipv4.map(|lookup| changed(lookup, |record| record.0)), ipv6.map(|lookup| changed(lookup, |record| record.0)))
    }

    async fn mail(&self) -> (Lookup<MxRecord>, Option<Vec<MxHost>>, Vec<LeftOut>) {
        let question = ask::<MxRecord>(&self.collector.resolver, self.domain, self.options().timeout);
        let mx = self.step(format!("MX {}", self.domain), question).await;
        let Some(records) = mx.known() else { return (mx, None, Vec::new()) };
        let mut names: Vec<(u16, String)> = records
            .iter()
            .filter(|record| !record.exchange.trim_end_matches('.').is_empty())
            .map(|record| (record.preference, record.exchange.clone()))
            .collect();
        names.sort();
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|(_, name)| seen.insert(name.clone()));
        let most = self.options().max_mx_hosts;
        let mut left_out = Vec::new();
        if names.len() > most {
            left_out.push(LeftOut {
                field: "mx_hosts".to_owned(),
                reason: format!("only the first {most} of {} MX hosts were asked", names.len()),
            });
        }
        let hosts = join_all(names.iter().take(most).map(|(_, name)| self.mx_host(name))).await;
        (mx, Some(hosts), left_out)
    }

    async fn mx_host(&self, exchange: &str) -> MxHost {
        let addresses = self.addresses(exchange).await;
        let wanted: Vec<IpAddr> = addresses_of(&addresses).into_iter().take(self.options().max_addresses).collect();
        let probes = match self.options().smtp
            && (addresses.0.as_ref().is_some_and(|a| a.known().is_some())
                || addresses.1.as_ref().is_some_and(|a| a.known().is_some()))
        {
            true => Some(join_all(wanted.into_iter().map(|address| self.smtp(exchange, address))).await),
            false => None,
        };
        MxHost { exchange: exchange.to_owned(), ipv4: addresses.0, ipv6: addresses.1, tlsa: None, probes }
    }

    /// Speaks to an address of an MX host, once a run, however many domains share it.
    async fn smtp(&self, exchange: &str, address: IpAddr) -> SmtpProbe {
        let cell = {
            let mut probes = self.collector.smtp_probes.lock().unwrap_or_else(PoisonError::into_inner);
            probes.entry((exchange.to_owned(), address)).or_default().clone()
        };
        let options = self.options();
        let dialogue = smtp::Dialogue {
            tls: &self.collector.tls,
            exchange,
            port: options.smtp_port,
            limit: options.timeout,
            helo: &options.helo,
            now: self.unix_now(),
        };
        let probe = cell.get_or_init(|| async {
            let _permit = self.collector.connections.acquire().await;
            self.step(format!("SMTP {exchange} [{address}]"), smtp::probe(&dialogue, address)).await
        });
        let probe = probe.await.clone();
        if probe.connected == Some(true) {
            self.collector.smtp_connected.store(true, Ordering::Relaxed);
        }
        probe
    }

    async fn policy_host(&self) -> (PolicyHost, Option<Option<Policy>>) {
        let name = format!("mta-sts.{}", self.domain);
        let addresses = self.addresses(&name).await;
        let all = addresses_of(&addresses);
        let nowhere =
            all.is_empty() && [&addresses.0, &addresses.1].into_iter().flatten().all(|lookup| lookup.known().is_some());
        let wanted: Vec<IpAddr> = all.into_iter().take(self.options().max_addresses).collect();
        let mut probes = join_all(wanted.into_iter().map(|address| self.https(&name, address))).await;
        let policy = if nowhere { Some(None) } else { policy_of(&mut probes) };
        let probes = if probes.is_empty() { None } else { Some(probes) };
        (PolicyHost { name: Some(name), ipv4: addresses.0, ipv6: addresses.1, probes }, policy)
    }

    async fn https(&self, host: &str, address: IpAddr) -> HttpsProbe {
        let options = self.options();
        let limit = options.timeout.max(Duration::from_millis(1));
        let fetch =
            https::Fetch { tls: &self.collector.tls, host, port: options.https_port, limit, now: self.unix_now() };
        let _permit = self.collector.connections.acquire().await;
        self.step(format!("HTTPS {host} [{address}]"), https::probe(&fetch, address)).await
    }

    /// The TLSRPT record, and whether its destinations exist.
    async fn reports(&self) -> (Lookup<TxtRecord>, Vec<ReportHost>) {
        let record = self.txt(format!("_smtp._tls.{}", self.domain)).await;
        let mut wanted: Vec<(String, bool)> = Vec::new();
        for text in record.known().unwrap_or_default() {
            for destination in tlsrpt_record::parse(&text.joined()).destinations {
                let mail = destination.scheme.as_deref() == Some("mailto");
                let known = |(name, _): &(String, bool)| Some(name.as_str()) == destination.host.as_deref();
                if let Some(host) = &destination.host
                    && !wanted.iter().any(known)
                    && host.parse::<IpAddr>().is_err()
                {
                    wanted.push((host.clone(), mail));
                }
            }
        }
        let hosts = wanted.iter().take(MAX_REPORT_HOSTS).map(|(name, mail)| self.report_host(name, *mail));
        let hosts = join_all(hosts).await;
        (record, hosts)
    }

    async fn report_host(&self, name: &str, mail: bool) -> ReportHost {
        let mx = async {
            match mail {
                true => Some(ask::<MxRecord>(&self.collector.resolver, name, self.options().timeout).await),
                false => None,
            }
        };
        let (mx, (ipv4, ipv6)) = tokio::join!(mx, self.addresses(name));
        ReportHost { name: name.to_owned(), mx, ipv4, ipv6 }
    }

    /// The names where records are put by mistake.
    async fn misplaced(&self) -> Vec<Lookup<TxtRecord>> {
        let domain = self.domain;
        let names = ["", "mta-sts.", "_tls.", "_smtp-tls.", "_smtp_tls.", "_smtp-tlsrpt.", "_tlsrpt.", "_smtp._tcp."];
        join_all(names.into_iter().map(|label| self.txt(format!("{label}{domain}")))).await
    }

    /// The record of the parent, where the domain is a subdomain of a registrable one.
    async fn parent(&self) -> Option<Lookup<TxtRecord>> {
        let registrable = psl::domain_str(self.domain)?;
        let (_, parent) = self.domain.split_once('.').filter(|_| registrable != self.domain)?;
        Some(self.txt(format!("_mta-sts.{parent}")).await)
    }
}

/// The policy that a sender would get: the body of the first answer with status 200; known to be absent
/// where every answer says so.
fn policy_of(probes: &mut [HttpsProbe]) -> Option<Option<Policy>> {
    let served = probes.iter().find(|probe| {
        probe.failure.is_none() && probe.response.as_ref().is_some_and(|response| response.status == 200)
    });
    let policy = served.and_then(|probe| {
        let response = probe.response.as_ref()?;
        Some(Policy { body: response.body.clone()?, address: Some(probe.address), truncated: response.truncated })
    });
    let Some(policy) = policy else {
        let answered =
            !probes.is_empty() && probes.iter().all(|probe| probe.failure.is_none() && probe.response.is_some());
        return if answered { Some(None) } else { None };
    };
    // The same body need not stand in the snapshot twice.
    for response in probes.iter_mut().filter_map(|probe| probe.response.as_mut()) {
        if response.body.as_ref() == Some(&policy.body) {
            response.body = None;
        }
    }
    Some(Some(policy))
}

fn addresses_of((ipv4, ipv6): &Addresses) -> Vec<IpAddr> {
    [ipv4, ipv6].into_iter().flatten().filter_map(Lookup::known).flatten().map(|record| record.address).collect()
}

fn changed<A, B>(lookup: Lookup<A>, change: impl Fn(A) -> B) -> Lookup<B> {
    Lookup {
        name: lookup.name,
        outcome: lookup.outcome,
        ttl: lookup.ttl,
        dnssec: lookup.dnssec,
        aliases: lookup.aliases,
        records: lookup.records.into_iter().map(change).collect(),
        failure: lookup.failure,
        elapsed_ms: lookup.elapsed_ms,
    }
}

/// The failure that an error of the network is.
fn io_failure(error: &io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused => FailureKind::Refused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            FailureKind::Reset
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::AddrNotAvailable => {
            FailureKind::Network
        }
        io::ErrorKind::TimedOut => FailureKind::Timeout,
        io::ErrorKind::UnexpectedEof => FailureKind::Closed,
        _ => FailureKind::Other,
    };
    let detail = match kind {
        FailureKind::Closed => "the peer closed the connection".to_owned(),
        FailureKind::Network => "the network cannot reach it".to_owned(),
        FailureKind::Refused => "connection refused".to_owned(),
        FailureKind::Reset => "the peer reset the connection".to_owned(),
        FailureKind::Timeout => "no answer".to_owned(),
        _ => crate::source_text::escape(&error.to_string()),
    };
    Failure { kind, detail }
}
