//! The lab's domains, collected live through its sockets and linted: each shows what is wrong with it, once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::field_reassign_with_default)]

use std::io::Write as _;
use std::time::{Duration, SystemTime};

use crate::collect::{Collector, ConnectTo, Options, ResolverChoice, Roots};
use crate::facts::Facts;
use crate::lab::{Lab, LabOptions, Scenario, SmtpAnswer};
use crate::outcome::{Check, Outcome, Report, Severity};
use crate::rules::{RuleSet, evaluate};
use crate::snapshot::{self, DnsOutcome, FailureKind, Snapshot, TrustVerdict};
use jiff::Timestamp;

/// A running lab and a collector that is pointed at it.
struct Bench {
    lab: Lab,
    roots: tempfile::NamedTempFile,
    anchor: tempfile::NamedTempFile,
}

impl Bench {
    async fn start(options: LabOptions) -> Self {
        let lab = Lab::start(options).await.unwrap();
        let mut roots = tempfile::NamedTempFile::new().unwrap();
        roots.write_all(lab.roots_pem().as_bytes()).unwrap();
        let mut anchor = tempfile::NamedTempFile::new().unwrap();
        anchor.write_all(lab.trust_anchor().as_bytes()).unwrap();
        Bench { lab, roots, anchor }
    }

    fn collector(&self, timeout: Duration) -> Collector {
        let mut options = Options::default();
        options.resolver = ResolverChoice::Address(self.lab.resolver());
        options.roots = Roots::File(self.roots.path().to_owned());
        options.trust_anchor = Some(self.anchor.path().to_owned());
        options.https_port = self.lab.https_port();
        options.smtp_port = self.lab.smtp_port();
        options.timeout = timeout;
        Collector::new(options).unwrap()
    }

    async fn collect(&self, domain: &str) -> Snapshot {
        self.collector(Duration::from_secs(2)).collect(domain, Timestamp::now()).await
    }
}

fn lint(snapshot: &Snapshot) -> Report {
    let evaluated = evaluate(&RuleSet::built_in().unwrap(), &Facts::of(snapshot, None));
    assert_eq!(evaluated.mistakes, [], "{:?}", snapshot.domain);
    evaluated.report
}

fn failed(report: &Report, least: Severity) -> Vec<&str> {
    let mut rules: Vec<&str> =
        report.findings().iter().filter(|check| check.severity >= least).map(|check| check.rule.as_str()).collect();
    rules.sort_unstable();
    rules
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_domain_of_the_lab_shows_its_fault_once() {
    let bench = Bench::start(LabOptions::demo(SystemTime::now())).await;
    for domain in Lab::domains() {
        let report = lint(&bench.collect(domain.name).await);
        let mut all = failed(&report, Severity::Note);
        all.extend(report.remarks().map(|check| check.rule.as_str()));
        for expected in domain.expects {
            assert!(all.contains(expected), "{}: {expected} is not among {all:?}", domain.name);
        }
        let severe: Vec<&str> =
            failed(&report, Severity::Warning).into_iter().filter(|rule| !domain.expects.contains(rule)).collect();
        assert!(severe.is_empty(), "{}: also {severe:?}", domain.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_perfect_domain_is_seen_whole() {
    let bench = Bench::start(LabOptions::demo(SystemTime::now())).await;
    let snapshot = bench.collect("perfect.example").await;
    let host = snapshot.policy_host.as_ref().unwrap().probes.as_ref().unwrap().first().unwrap();
    let tls = host.tls.as_ref().unwrap();
    assert_eq!(tls.trust.as_ref().unwrap().verdict, TrustVerdict::Trusted);
    assert_eq!(tls.verifier.as_deref(), Some("ok"));
    assert_eq!(tls.chain.len(), 2);
    assert_eq!(host.response.as_ref().unwrap().status, 200);
    let hosts = snapshot.mx_hosts.as_ref().unwrap();
    assert_eq!(hosts.len(), 2);
    for probe in hosts.iter().flat_map(|host| host.probes.as_ref().unwrap()) {
        assert!(probe.tls.as_ref().unwrap().cipher.is_some());
        assert!(probe.without_sni.as_ref().unwrap().handshake);
        assert!(probe.transcript.iter().any(|line| line.text == "QUIT"));
    }
    let report = lint(&snapshot);
    assert_eq!(failed(&report, Severity::Warning), [] as [&str; 0]);
    // A recorded snapshot gives the same report for ever, in every format of files.
    for format in [snapshot::Format::Json, snapshot::Format::JsonLines, snapshot::Format::Yaml] {
        let text = snapshot::to_text(&snapshot, format).unwrap();
        let back = snapshot::parse("recorded", &text, Some(format)).unwrap();
        assert_eq!(back, snapshot);
        assert_eq!(lint(&back), report);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_out_is_never_a_pass_nor_no_policy() {
    let bench = Bench::start(LabOptions::demo(SystemTime::now())).await;
    let snapshot = bench.collector(Duration::from_millis(300)).collect("timeout.example", Timestamp::now()).await;
    let record = snapshot.record.as_ref().unwrap();
    assert_eq!(record.outcome, Some(DnsOutcome::Timeout));
    assert_eq!(record.failure.as_ref().unwrap().kind, FailureKind::Timeout);
    let report = lint(&snapshot);
    for check in report
        .checks
        .iter()
        .filter(|check| check.group == "record" && check.rule != "record-misplaced" && check.rule != "record-subdomain")
    {
        assert!(
            matches!(check.outcome, Outcome::NotChecked | Outcome::NotApplicable),
            "{}: {:?}",
            check.rule,
            check.outcome
        );
    }
    assert_eq!(failed(&report, Severity::Error), ["dns-answer"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_resolver_nothing_is_known_and_nothing_passes() {
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut options = Options::default();
    options.resolver = ResolverChoice::Address(nobody.local_addr().unwrap());
    options.timeout = Duration::from_millis(200);

    let snapshot = Collector::new(options).unwrap().collect("example.com", Timestamp::now()).await;
    let report = lint(&snapshot);
    assert_eq!(
        (report.summary.passed, report.summary.errors, report.summary.warnings),
        (0, 0, 0),
        "{:#?}",
        report.findings()
    );
    assert!(report.summary.not_checked > 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_servers_that_misbehave_become_facts() {
    let mut scenario = Scenario::good("odd.example");
    let first = scenario.mx_hosts.first_mut().unwrap();
    first.greeting = SmtpAnswer::reply(554, &["go \u{1b}[31m away"]);
    let bench = Bench::start(LabOptions::empty(SystemTime::now()).with(scenario)).await;
    let snapshot = bench.collect("odd.example").await;
    let report = lint(&snapshot);
    assert_eq!(failed(&report, Severity::Error), ["smtp-greeting"]);
    assert!(!serde_json::to_string(&report).unwrap().contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_public_is_not_connected_to() {
    let bench = Bench::start(LabOptions::demo(SystemTime::now())).await;
    let mut options = Options::default();
    options.resolver = ResolverChoice::Address(bench.lab.resolver());
    options.roots = Roots::File(bench.roots.path().to_owned());
    options.trust_anchor = Some(bench.anchor.path().to_owned());
    options.connect_to = ConnectTo::Public;
    options.timeout = Duration::from_secs(2);
    let collector = Collector::new(options).unwrap();
    let snapshot = collector.collect("perfect.example", Timestamp::now()).await;
    let hosts = snapshot.mx_hosts.as_ref().unwrap();
    let kinds: Vec<_> = hosts
        .iter()
        .flat_map(|host| host.probes.iter().flatten())
        .map(|probe| (probe.connected, probe.failure.as_ref().map(|failure| failure.kind)))
        .chain(
            snapshot
                .policy_host
                .as_ref()
                .unwrap()
                .probes
                .iter()
                .flatten()
                .map(|probe| (probe.connected, probe.failure.as_ref().map(|failure| failure.kind))),
        )
        .collect();
    assert!(kinds.len() >= 3 && kinds.iter().all(|kind| *kind == (None, Some(FailureKind::NotPublic))), "{kinds:?}");
    let report = evaluate(&RuleSet::built_in().unwrap(), &Facts::of(&snapshot, None)).report;
    let of_hosts = |check: &&Check| {
        matches!(check.group.as_str(), "smtp" | "host" | "policy") && !check.rule.ends_with("public-address")
    };
    let open = [Outcome::NotChecked, Outcome::NotApplicable];
    for check in report
        .checks
        .iter()
        .filter(of_hosts)
        .filter(|check| check.rule != "host-resolves" && check.rule != "host-alias")
    {
        assert!(open.contains(&check.outcome), "{check:?}");
    }
    let reasons: Vec<&str> = report.checks.iter().filter_map(|check| check.reason.as_deref()).collect();
    assert!(reasons.iter().any(|reason| reason.contains("is not a public address")), "{reasons:?}");
    let mut options = Options::default();
    options.connect_to = ConnectTo::Public;
    options.smtp_port = 2525;
    assert!(Collector::new(options).is_err());
}
