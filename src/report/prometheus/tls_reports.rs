//! TLS reports as metrics: what the reports that were read say of each domain.

use super::{Metric, integer};
use crate::report::tls_reports::{By, TlsResults};
use crate::tls_reports::digest::DomainDigest;
use crate::tls_reports::when::seconds_of_day;

/// The metrics of all domains, with one series for each sender, cause, host or day.
pub fn tls_reports(results: &TlsResults<'_>, by: By) -> String {
    let mut read = Metric::new("stslint_tls_reports", "TLS reports that were read, each once.");
    read.set(&[], count(results.digest.reports));
    let mut duplicates = Metric::new("stslint_tls_reports_duplicate", "TLS reports that were there already.");
    duplicates.set(&[], count(results.digest.duplicates));
    let mut unreadable = Metric::new("stslint_unreadable_inputs", "Inputs that could not be read as TLS reports.");
    unreadable.set(&[], integer(results.lost.len()));
    let domains = &results.digest.domains;
    let mut odd = Metric::new("stslint_tls_report_oddities", "What rules find in single reports.");
    for offence in results.reports.iter().flat_map(|report| &report.offences) {
        odd.add(&[("rule", &offence.rule), ("severity", &offence.severity)], 1);
    }
    let mut findings = Metric::new("stslint_tls_report_findings", "What rules over all reports find.");
    for check in results.findings {
        findings.add(&[("rule", &check.rule), ("severity", check.severity.word())], 1);
    }
    let mut metrics =
        vec![read, duplicates, unreadable, odd, findings, connections(domains), failed(domains), last_day(domains)];
    metrics.push(match by {
        By::Cause => by_cause(domains),
        By::Day => by_day(domains),
        By::Host => by_host(domains),
        By::Sender => by_sender(domains),
    });
    metrics.iter().map(Metric::text).collect()
}

fn connections(domains: &[DomainDigest]) -> Metric {
    let mut metric = Metric::new(
        "stslint_tls_report_connections",
        "Connections of senders by how they went: verified, opportunistic (no policy found), failed.",
    );
    for domain in domains {
        for (result, number) in
            [("verified", domain.verified), ("opportunistic", domain.opportunistic), ("failed", domain.failed)]
        {
            metric.set(&[("domain", &domain.domain), ("result", result)], count(number));
        }
    }
    metric
}

fn failed(domains: &[DomainDigest]) -> Metric {
    let mut metric = Metric::new(
        "stslint_tls_report_failed_connections",
        "Failed connections by what became of the mail: delivered, refused, or unknown.",
    );
    for domain in domains {
        let unknown = domain.failed.saturating_sub(domain.refused).saturating_sub(domain.delivered);
        for (fate, number) in [("delivered", domain.delivered), ("refused", domain.refused), ("unknown", unknown)] {
            metric.set(&[("domain", &domain.domain), ("fate", fate)], count(number));
        }
    }
    metric
}

fn last_day(domains: &[DomainDigest]) -> Metric {
    let mut metric = Metric::new(
        "stslint_tls_report_last_day_timestamp_seconds",
        "The last day that a report is about, as its midnight in seconds since 1970.",
    );
    for domain in domains {
        if let Some(seconds) = seconds_of_day(&domain.last_day) {
            metric.set(&[("domain", &domain.domain)], seconds);
        }
    }
    metric
}

fn by_sender(domains: &[DomainDigest]) -> Metric {
    let mut metric =
        Metric::new("stslint_tls_report_sender_connections", "Connections of each sender by how they went.");
    for (domain, sender) in domains.iter().flat_map(|domain| domain.senders.iter().map(move |one| (domain, one))) {
        let succeeded = sender.connections.saturating_sub(sender.failed);
        for (result, number) in [("failed", sender.failed), ("succeeded", succeeded)] {
            let labels = [("domain", domain.domain.as_str()), ("sender", &sender.sender), ("result", result)];
            metric.set(&labels, count(number));
        }
    }
    metric
}

fn by_cause(domains: &[DomainDigest]) -> Metric {
    let mut metric = Metric::new("stslint_tls_report_cause_failures", "Failed connections by their cause.");
    for (domain, cause) in domains.iter().flat_map(|domain| domain.causes.iter().map(move |one| (domain, one))) {
        let labels = [("domain", domain.domain.as_str()), ("cause", cause.kind.word())];
        metric.add(&labels, count(cause.connections));
    }
    metric
}

fn by_host(domains: &[DomainDigest]) -> Metric {
    let mut metric = Metric::new("stslint_tls_report_host_failures", "Failed connections by the MX host.");
    for (domain, cause) in domains.iter().flat_map(|domain| domain.causes.iter().map(move |one| (domain, one))) {
        let host = cause.host.as_deref().unwrap_or_default();
        metric.add(&[("domain", &domain.domain), ("host", host)], count(cause.connections));
    }
    metric
}

fn by_day(domains: &[DomainDigest]) -> Metric {
    let mut metric = Metric::new("stslint_tls_report_day_connections", "Connections of each day by how they went.");
    for (domain, day) in domains.iter().flat_map(|domain| domain.days.iter().map(move |one| (domain, one))) {
        for (result, number) in [("failed", day.failed), ("succeeded", day.succeeded)] {
            let labels = [("domain", domain.domain.as_str()), ("day", &day.day), ("result", result)];
            metric.set(&labels, count(number));
        }
    }
    metric
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
