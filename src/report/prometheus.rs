//! Metrics in the text format of Prometheus, for the textfile collector or a gateway.

mod tls_reports;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use self::tls_reports::tls_reports as prometheus_tls_reports;
use super::certificates::certificates;
use super::{Linted, Results};
use crate::outcome::{Outcome, Severity};
use crate::rules::BROKEN_RULE;
use crate::snapshot::instant;
use crate::source_text::{escape, without_runner_commands};

/// A metric: its name, what it says, and its values by their labels.
struct Metric {
    name: &'static str,
    help: &'static str,
    values: BTreeMap<String, i64>,
}

impl Metric {
    fn new(name: &'static str, help: &'static str) -> Self {
        Metric { name, help, values: BTreeMap::new() }
    }

    /// A series may occur here only once.
    fn set(&mut self, labels: &[(&str, &str)], value: i64) {
        self.values.insert(series(labels), value);
    }

    /// Adds to a series.
    fn add(&mut self, labels: &[(&str, &str)], value: i64) {
        let sum = self.values.entry(series(labels)).or_default();
        *sum = sum.saturating_add(value);
    }

    fn text(&self) -> String {
        if self.values.is_empty() {
            return String::new();
        }
        let mut text = format!("# HELP {0} {1}\n# TYPE {0} gauge\n", self.name, self.help);
        for (labels, value) in &self.values {
            let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
            text.push_str(&format!("{}{labels} {value}\n", self.name));
        }
        text
    }
}

/// The metrics of all domains and policy files; of two reports on one of them the later one counts.
pub fn prometheus(results: &Results<'_>) -> String {
    let mut unreadable = Metric::new(
        "stslint_unreadable_inputs",
        "Inputs that could not be read in this run, and domains of which nothing could be checked.",
    );
    unreadable.set(&[], integer(results.unreadable.len()));
    let families =
        [findings, rule_findings, checks, broken_rules, not_after, remaining, in_force, mail, mode, max_age, last_run];
    let latest: BTreeMap<&str, &Linted> = results.linted.iter().map(|linted| (domain(linted), linted)).collect();
    let latest: Vec<&Linted> = latest.into_values().collect();
    let run = [age(&latest, results.ended_at), unreadable, build()];
    families.iter().map(|family| family(&latest)).chain(run).map(|metric| metric.text()).collect()
}

fn findings(linted: &[&Linted]) -> Metric {
    let mut metric = Metric::new("stslint_findings", "Findings by severity.");
    for linted in linted {
        let summary = linted.report.summary;
        for (severity, count) in
            [(Severity::Error, summary.errors), (Severity::Warning, summary.warnings), (Severity::Note, summary.notes)]
        {
            metric.set(&[("domain", domain(linted)), ("severity", severity.word())], integer(count));
        }
    }
    metric
}

fn rule_findings(linted: &[&Linted]) -> Metric {
    let mut metric = Metric::new("stslint_rule_findings", "Findings of each rule that has some, by severity.");
    for (linted, check) in linted.iter().flat_map(|linted| linted.report.findings().into_iter().map(|it| (*linted, it)))
    {
        metric.add(&[("domain", domain(linted)), ("rule", &check.rule), ("severity", check.severity.word())], 1);
    }
    metric
}

fn checks(linted: &[&Linted]) -> Metric {
    let mut metric = Metric::new("stslint_checks", "Checks by how they ended.");
    for linted in linted {
        let summary = linted.report.summary;
        let failed = summary.errors.saturating_add(summary.warnings).saturating_add(summary.notes);
        for (outcome, count) in [
            (Outcome::Fail, failed),
            (Outcome::NotApplicable, summary.not_applicable),
            (Outcome::NotChecked, summary.not_checked),
            (Outcome::Pass, summary.passed),
            (Outcome::Remark, summary.remarks),
        ] {
            metric.set(&[("domain", domain(linted)), ("outcome", outcome.word())], integer(count));
        }
    }
    metric
}

fn broken_rules(linted: &[&Linted]) -> Metric {
    let mut metric =
        Metric::new("stslint_broken_rules", "1 for each rule that could not be evaluated: its own mistake.");
    for linted in linted {
        for check in linted.report.checks.iter().filter(|check| check.rule == BROKEN_RULE) {
            let rule = check.subject.as_deref().unwrap_or_default();
            metric.set(&[("domain", domain(linted)), ("rule", rule)], 1);
        }
    }
    metric
}

fn not_after(linted: &[&Linted]) -> Metric {
    let mut metric = Metric::new(
        "stslint_certificate_not_after_timestamp_seconds",
        "When the certificate of the policy host or of an MX host expires, in seconds since 1970.",
    );
    for (linted, labels, not_after) in expiries(linted) {
        metric.set(&labels_of(linted, &labels), not_after);
    }
    metric
}

fn remaining(linted: &[&Linted]) -> Metric {
    let mut metric = Metric::new(
        "stslint_certificate_remaining_seconds",
        "How long the certificate was still valid when it was observed; negative once it has expired.",
    );
    for (linted, labels, not_after) in expiries(linted) {
        if let Some(observed) = linted.report.collected_at.as_deref().and_then(seconds) {
            metric.set(&labels_of(linted, &labels), not_after.saturating_sub(observed));
        }
    }
    metric
}

/// Each certificate's service, host and address, and when it expires.
fn expiries<'a>(linted: &[&'a Linted]) -> Vec<(&'a Linted, [&'a str; 3], i64)> {
    let mut expiries = Vec::new();
    for linted in linted.iter().copied() {
        for seen in certificates(&linted.facts) {
            let not_after = seen.certificate.not_after.known().and_then(|time| seconds(time));
            expiries.extend(not_after.map(|time| (linted, [seen.service, seen.host, seen.address], time)));
        }
    }
    expiries
}

fn labels_of<'a>(linted: &'a Linted, [service, host, address]: &[&'a str; 3]) -> [(&'static str, &'a str); 4] {
    [("domain", domain(linted)), ("service", service), ("host", host), ("address", address)]
}

fn in_force(linted: &[&Linted]) -> Metric {
    let mut metric = Metric::new(
        "stslint_policy_mode",
        "1 for the policy that senders apply: enforce, testing, none, absent, or unknown where that was not observed.",
    );
    for linted in linted {
        if let Some(state) = &linted.report.state {
            metric.set(&[("domain", domain(linted)), ("mode", state.policy.word())], 1);
        }
    }
    metric
}

fn mail(linted: &[&Linted]) -> Metric {
    let mut metric = Metric::new(
        "stslint_mail",
        "1 for what becomes of mail: verified, unverified, refused, waiting, not_accepted, or unknown.",
    );
    for linted in linted {
        if let Some(state) = &linted.report.state {
            metric.set(&[("domain", domain(linted)), ("fate", state.mail.word())], 1);
        }
    }
    metric
}

fn mode(linted: &[&Linted]) -> Metric {
    let mut metric = Metric::new(
        "stslint_policy_served_mode",
        "1 for the mode of the policy that is served: enforce, testing, none, invalid, or absent.",
    );
    for linted in linted {
        let policy = &linted.facts.policy;
        let (mode, body) = (policy.at(|policy| &policy.mode), policy.at(|policy| &policy.body));
        let mode = match mode.present() {
            Some(mode) => mode.word(),
            None if body.is_absent() => "absent",
            None if mode.is_absent() && !body.is_unobserved() => "invalid",
            None => continue,
        };
        metric.set(&[("domain", domain(linted)), ("mode", mode)], 1);
    }
    metric
}

fn max_age(linted: &[&Linted]) -> Metric {
    let mut metric = Metric::new("stslint_policy_max_age_seconds", "How long senders may keep the policy.");
    for linted in linted {
        if let Some(seconds) = linted.facts.policy.at(|policy| &policy.max_age).present() {
            metric.set(&[("domain", domain(linted))], *seconds);
        }
    }
    metric
}

fn last_run(linted: &[&Linted]) -> Metric {
    let mut metric =
        Metric::new("stslint_last_run_timestamp_seconds", "When the domain was observed, in seconds since 1970.");
    for linted in linted {
        if let Some(observed) = linted.report.collected_at.as_deref().and_then(seconds) {
            metric.set(&[("domain", domain(linted))], observed);
        }
    }
    metric
}

fn age(linted: &[&Linted], ended_at: Timestamp) -> Metric {
    let mut metric =
        Metric::new("stslint_observation_age_seconds", "How old the observation was when these metrics were written.");
    for linted in linted {
        if let Some(observed) = linted.report.collected_at.as_deref().and_then(seconds) {
            metric.set(&[("domain", domain(linted))], ended_at.as_second().saturating_sub(observed));
        }
    }
    metric
}

fn build() -> Metric {
    let mut metric = Metric::new("stslint_build_info", "1, with the version of stslint that wrote these metrics.");
    metric.set(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    metric
}

/// The domain, or the name of the policy file where only that was looked at.
fn domain(linted: &Linted) -> &str {
    linted.report.domain.as_deref().or(linted.policy_file.as_deref()).unwrap_or_default()
}

fn seconds(time: &str) -> Option<i64> {
    instant(time).map(Timestamp::as_second)
}

fn integer(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The labels of a series as they are written.
fn series(labels: &[(&str, &str)]) -> String {
    labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect::<Vec<_>>().join(",")
}

/// A label's value as it is between quotes.
fn escaped(value: &str) -> String {
    without_runner_commands(&escape(value), "\\#").replace('\\', "\\\\").replace('"', "\\\"")
}
