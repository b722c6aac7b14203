//! All TLS reports of a run as facts. Used by whoever judges reports by rules.

use jiff::Timestamp;

use super::tree::{ReportedCauseFacts, ReportedDayFacts, ReportedDomainFacts, ReportedSenderFacts, ReportsTree, Tree};
use super::{Fact, Facts};
use crate::tls_reports::digest::{Cause, DayDigest, Digest, DomainDigest, SenderDigest};
use crate::tls_reports::when::{day, seconds_of_day};

/// How many seconds a day has.
const DAY: i64 = 86_400;

impl Facts {
    /// The facts of all reports, looked at at a time; so many inputs could not be read.
    pub fn of_reports(digest: &Digest, unreadable: usize, at: Timestamp) -> Self {
        let domains = digest.domains.iter().map(|one| domain(one, at)).collect();
        let tree = ReportsTree {
            at: Fact::Known(at.to_string()),
            reports: count(digest.reports),
            duplicates: count(digest.duplicates),
            unreadable: count(unreadable as u64),
            domains: Fact::Known(domains),
        };
        Facts { collected_at: Some(at.to_string()), tree: Tree::Reports(Box::new(tree)), ..Facts::default() }
    }
}

fn count(number: u64) -> Fact<i64> {
    Fact::Known(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A day; `null` where no report tells it.
fn known(day: &str) -> Fact<Option<String>> {
    Fact::Known(Some(day.to_owned()).filter(|day| !day.is_empty()))
}

/// How many days ago a day was.
fn days_ago(then: &str, at: Timestamp) -> Fact<Option<i64>> {
    let today = seconds_of_day(&day(at.as_second()));
    Fact::Known(today.zip(seconds_of_day(then)).map(|(today, then)| today.saturating_sub(then) / DAY))
}

fn domain(domain: &DomainDigest, at: Timestamp) -> ReportedDomainFacts {
    ReportedDomainFacts {
        domain: Fact::Known(domain.domain.clone()),
        first_day: known(&domain.first_day),
        last_day: known(&domain.last_day),
        days_ago: days_ago(&domain.last_day, at),
        connections: count(domain.connections),
        verified: count(domain.verified),
        opportunistic: count(domain.opportunistic),
        failed: count(domain.failed),
        refused: count(domain.refused),
        delivered: count(domain.delivered),
        senders: Fact::Known(domain.senders.iter().map(|one| sender(one, at)).collect()),
        days: Fact::Known(domain.days.iter().map(|one| of_day(one, at)).collect()),
        causes: Fact::Known(domain.causes.iter().map(|one| cause(one, at)).collect()),
    }
}

fn sender(sender: &SenderDigest, at: Timestamp) -> ReportedSenderFacts {
    ReportedSenderFacts {
        name: Fact::Known(sender.sender.clone()),
        reports: count(sender.reports),
        connections: count(sender.connections),
        failed: count(sender.failed),
        first_day: known(&sender.first_day),
        last_day: known(&sender.last_day),
        days_ago: days_ago(&sender.last_day, at),
        policy: Fact::Known(sender.policy.clone()),
    }
}

fn of_day(day: &DayDigest, at: Timestamp) -> ReportedDayFacts {
    ReportedDayFacts {
        day: known(&day.day),
        days_ago: days_ago(&day.day, at),
        succeeded: count(day.succeeded),
        failed: count(day.failed),
    }
}

fn cause(cause: &Cause, at: Timestamp) -> ReportedCauseFacts {
    ReportedCauseFacts {
        kind: Fact::Known(cause.kind),
        result_types: Fact::Known(cause.result_types.clone()),
        host: Fact::Known(cause.host.clone()),
        connections: count(cause.connections),
        senders: Fact::Known(cause.senders.clone()),
        first_day: known(&cause.first_day),
        last_day: known(&cause.last_day),
        days_ago: days_ago(&cause.last_day, at),
        explanation: Fact::Known(cause.explanation.clone()),
    }
}
