//! Many reports in one answer: for each domain, whose mail it was, how many connections were verified, and what failed.
//!
//! Called by `stslint reports` and the receiver's pages. A connection that a report counts under an MTA-STS policy and
//! under TLSA records counts once.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::cause::{CauseKind, Explained, explain};
use super::duplicates::Distinct;
use super::model::{PolicyResult, PolicyType, TlsReport};
use super::when::day;
use crate::grammar::mx_pattern::MxPattern;
use crate::grammar::names::DomainName;

/// What many reports say.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct Digest {
    /// How many different reports were read.
    pub reports: u64,
    /// How many were there twice, and count once.
    pub duplicates: u64,
    /// Each domain that reports are about, the one with most failures first.
    pub domains: Vec<DomainDigest>,
}

/// What the reports say about mail to one domain.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct DomainDigest {
    /// The domain; empty where no report names it.
    pub domain: String,
    /// The first day, in UTC: `2026-11-20`; empty where no report tells it.
    pub first_day: String,
    /// The last day, in UTC.
    pub last_day: String,
    /// Connections in all.
    pub connections: u64,
    /// Connections that were verified, by MTA-STS or DANE.
    pub verified: u64,
    /// Connections of senders that found no policy: TLS without verification.
    pub opportunistic: u64,
    /// Connections that failed.
    pub failed: u64,
    /// Of those, how many were refused: mode enforce, or DANE.
    pub refused: u64,
    /// Of those, over how many the mail was delivered all the same: mode testing or none, or no policy at all. What is
    /// left is not known: the report does not show the policy.
    pub delivered: u64,
    /// The senders, the one with most connections first.
    pub senders: Vec<SenderDigest>,
    /// Each day.
    pub days: Vec<DayDigest>,
    /// The causes of failures, the one with most connections first.
    pub causes: Vec<Cause>,
    /// The MTA-STS policies that senders applied, the latest first.
    pub policies: Vec<AppliedPolicy>,
}

/// One sender.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct SenderDigest {
    /// Its name: `organization-name`, or the domain that the mail came from.
    pub sender: String,
    /// Its reports.
    pub reports: u64,
    /// Its connections.
    pub connections: u64,
    /// Those that failed.
    pub failed: u64,
    /// The first day on which it reported.
    pub first_day: String,
    /// The last day on which it reported.
    pub last_day: String,
    /// Its connections for which it found no policy.
    pub opportunistic: u64,
    /// The lines of the MTA-STS policy that it applied last; empty where it showed none.
    pub policy: Vec<String>,
    /// The last day on which it showed that policy, in UTC.
    pub policy_day: String,
    /// The end of the report that showed it, in seconds since 1970.
    pub policy_until: Option<i64>,
}

/// One day.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct DayDigest {
    /// The day, in UTC.
    pub day: String,
    /// Connections that did not fail.
    pub succeeded: u64,
    /// Connections that failed.
    pub failed: u64,
}

/// A cause of failures.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct Cause {
    /// Its kind.
    pub kind: CauseKind,
    /// The result types that senders reported for it (RFC 8460 §4.3).
    pub result_types: Vec<String>,
    /// The MX host, where the reports name one.
    pub host: Option<String>,
    /// The addresses of that host.
    pub addresses: Vec<String>,
    /// The reasons as senders worded them.
    pub reasons: Vec<String>,
    /// The failed connections.
    pub connections: u64,
    /// Who saw it.
    pub senders: Vec<String>,
    /// The first day.
    pub first_day: String,
    /// The last day.
    pub last_day: String,
    /// The failed connections of each day.
    pub days: Vec<CauseDay>,
    /// What went wrong.
    pub explanation: String,
    /// What to do about it.
    pub advice: String,
}

/// The failures of one cause on one day.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct CauseDay {
    /// The day, in UTC; empty where no report tells it.
    pub day: String,
    /// The failed connections.
    pub connections: u64,
}

/// An MTA-STS policy that senders applied.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct AppliedPolicy {
    /// Its lines.
    pub lines: Vec<String>,
    /// Who applied it.
    pub senders: Vec<String>,
    /// The first day on which a report shows it.
    pub first_day: String,
    /// The last day.
    pub last_day: String,
}

/// Sums up reports.
pub fn digest(distinct: &Distinct) -> Digest {
    let mut gathering = Gathering::default();
    let patterns = patterns_of(&distinct.reports);
    for report in &distinct.reports {
        gathering.report(report, &patterns);
    }
    Digest { reports: distinct.reports.len() as u64, duplicates: distinct.duplicates, domains: gathering.finish() }
}

#[derive(Debug, Default)]
struct Gathering {
    domains: BTreeMap<String, Gathered>,
}

/// What is one cause: its kind, the MX host, and for a failed fetch how it failed.
type CauseKey = (CauseKind, Option<String>, String);

#[derive(Debug, Default)]
struct Gathered {
    digest: DomainDigest,
    senders: BTreeMap<String, SenderDigest>,
    days: BTreeMap<String, DayDigest>,
    causes: BTreeMap<CauseKey, Cause>,
    policies: BTreeMap<Vec<String>, AppliedPolicy>,
}

/// How the connections of one report to one domain went.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    verified: u64,
    opportunistic: u64,
    failed: u64,
    refused: u64,
    delivered: u64,
}

impl Gathering {
    fn report(&mut self, report: &TlsReport, patterns: &Patterns) {
        let mut by_domain: BTreeMap<String, Vec<&PolicyResult>> = BTreeMap::new();
        for result in &report.policies {
            by_domain.entry(mail_domain(report, result, patterns)).or_default().push(result);
        }
        let at = report.start.map(day).unwrap_or_default();
        for (domain, results) in by_domain {
            let gathered = self.domains.entry(domain).or_default();
            gathered.counts(&report.sender(), &at, counts(&results));
            for result in results {
                gathered.failures(&report.sender(), &at, result);
                gathered.policy(&report.sender(), &at, report.end, result);
            }
        }
    }

    fn finish(self) -> Vec<DomainDigest> {
        let mut domains: Vec<DomainDigest> =
            self.domains.into_iter().map(|(domain, gathered)| gathered.finish(domain)).collect();
        domains.sort_by_key(|domain| std::cmp::Reverse((domain.failed, domain.connections)));
        domains
    }
}

/// The domains of MTA-STS policies in the reports, with the patterns of their MX hosts.
type Patterns = BTreeMap<String, BTreeSet<String>>;

fn patterns_of(reports: &[TlsReport]) -> Patterns {
    let mut patterns = Patterns::new();
    for result in reports.iter().flat_map(|report| &report.policies) {
        if let (PolicyType::Sts, Some(domain)) = (&result.policy_type, &result.policy_domain) {
            let of_domain = patterns.entry(domain.clone()).or_default();
            let room = VALUES.saturating_sub(of_domain.len());
            of_domain.extend(result.patterns().into_iter().take(room).map(str::to_owned));
        }
    }
    patterns
}

/// The domain that the mail was for. A TLSA entry may name the MX host instead (RFC 8460 leaves it open): it belongs to
/// the one domain of the reports whose MTA-STS policy covers this host.
fn mail_domain(report: &TlsReport, result: &PolicyResult, patterns: &Patterns) -> String {
    let named = result.policy_domain.clone().or_else(|| told_elsewhere(report)).unwrap_or_default();
    if result.policy_type != PolicyType::Tlsa || patterns.contains_key(&named) {
        return named;
    }
    let covers = |all: &BTreeSet<String>| {
        all.iter().any(|pattern| MxPattern::parse(pattern).is_ok_and(|pattern| pattern.matches(&named)))
    };
    let mut covering = patterns.iter().filter(|(_, all)| covers(all)).map(|(domain, _)| domain);
    match (covering.next(), covering.next()) {
        (Some(one), None) => one.clone(),
        _ => named,
    }
}

/// The domain where a policy does not name it: in the mail's header, the name of the file, or the end of the report's id.
fn told_elsewhere(report: &TlsReport) -> Option<String> {
    let in_mail = report.mail.as_ref().and_then(|mail| mail.report_domain.clone());
    let in_name = || report.file_name.as_deref()?.split('!').nth(1).map(str::to_owned);
    let in_id = || report.report_id.as_deref()?.rsplit(['_', '+', '!']).next().map(str::to_owned);
    let is_domain = |text: &String| {
        text.contains('.') && text.parse::<f64>().is_err() && DomainName::parse(text).is_ok() && !text.contains(':')
    };
    let told = in_mail.or_else(|| in_name().filter(is_domain)).or_else(|| in_id().filter(is_domain));
    told.map(|domain| domain.trim_end_matches('.').to_ascii_lowercase())
}

/// Adds up entries, each connection once.
fn counts(results: &[&PolicyResult]) -> Counts {
    let of = |kinds: &dyn Fn(&PolicyType) -> bool| {
        let matching = results.iter().filter(|result| kinds(&result.policy_type));
        matching.fold(Counts::default(), |sum, result| {
            let fate = fate(result);
            let if_is = |wanted: Fate| if fate == wanted { result.failed } else { 0 };
            Counts {
                verified: sum.verified.saturating_add(result.successful),
                failed: sum.failed.saturating_add(result.failed),
                refused: sum.refused.saturating_add(if_is(Fate::Refused)),
                delivered: sum.delivered.saturating_add(if_is(Fate::Delivered)),
                opportunistic: 0,
            }
        })
    };
    let sts = of(&|kind| *kind == PolicyType::Sts);
    let tlsa = of(&|kind| *kind == PolicyType::Tlsa);
    let none = of(&|kind| !matches!(kind, PolicyType::Sts | PolicyType::Tlsa));
    // A sender that does both counts a connection in both entries: the larger one holds them all.
    let all = |counts: Counts| counts.verified.saturating_add(counts.failed);
    let failed = sts.failed.max(tlsa.failed);
    let refused = sts.refused.max(tlsa.refused);
    Counts {
        verified: all(sts).max(all(tlsa)).saturating_sub(failed),
        opportunistic: none.verified,
        failed: failed.saturating_add(none.failed),
        refused,
        delivered: sts.delivered.min(failed.saturating_sub(refused)).saturating_add(none.failed),
    }
}

/// What becomes of mail whose connection fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Delivered,
    Refused,
    Unknown,
}

/// What a failure under this policy does to the mail (RFC 8461 §5, RFC 7672 §2.2).
fn fate(result: &PolicyResult) -> Fate {
    // A sender that gets no policy, and holds none, acts as if there were none (RFC 8461 §3.3).
    let without = ["sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid"];
    let no_policy = !result.failures.is_empty()
        && result.failures.iter().all(|failure| without.contains(&failure.result_type.as_str()));
    match (&result.policy_type, result.line("mode")) {
        // What is shown then is the policy in the sender's cache, which it went on with (RFC 8461 §5.1).
        (PolicyType::Sts, Some("enforce")) if no_policy => Fate::Delivered,
        (PolicyType::NoPolicyFound, _) | (PolicyType::Sts, Some("testing" | "none")) => Fate::Delivered,
        (PolicyType::Sts, Some("enforce")) | (PolicyType::Tlsa, _) => Fate::Refused,
        (PolicyType::Sts, None) if no_policy => Fate::Delivered,
        _ => Fate::Unknown,
    }
}

impl Gathered {
    fn counts(&mut self, sender: &str, at: &str, counts: Counts) {
        let add = |to: &mut u64, count: u64| *to = to.saturating_add(count);
        let succeeded = counts.verified.saturating_add(counts.opportunistic);
        let all = succeeded.saturating_add(counts.failed);
        let digest = &mut self.digest;
        add(&mut digest.connections, all);
        add(&mut digest.verified, counts.verified);
        add(&mut digest.opportunistic, counts.opportunistic);
        add(&mut digest.failed, counts.failed);
        add(&mut digest.refused, counts.refused);
        add(&mut digest.delivered, counts.delivered);
        widen(&mut digest.first_day, &mut digest.last_day, at);
        let of_sender = self.senders.entry(sender.to_owned()).or_default();
        sender.clone_into(&mut of_sender.sender);
        add(&mut of_sender.reports, 1);
        add(&mut of_sender.connections, all);
        add(&mut of_sender.failed, counts.failed);
        add(&mut of_sender.opportunistic, counts.opportunistic);
        widen(&mut of_sender.first_day, &mut of_sender.last_day, at);
        let of_day = self.days.entry(at.to_owned()).or_default();
        at.clone_into(&mut of_day.day);
        add(&mut of_day.succeeded, succeeded);
        add(&mut of_day.failed, counts.failed);
    }

    /// Failures that name a host come first: some senders tell one failure twice, once without its host.
    fn failures(&mut self, sender: &str, at: &str, result: &PolicyResult) {
        let (named, unnamed): (Vec<_>, Vec<_>) =
            result.failures.iter().partition(|failure| failure.receiving_mx_hostname.is_some());
        let details = result.failures.iter().fold(0u64, |sum, one| sum.saturating_add(one.failed_session_count));
        // What the details count beyond the summary, they count twice.
        let mut twice = details.saturating_sub(result.failed);
        for failure in named.into_iter().chain(unnamed) {
            let Explained { kind, explanation, advice } = explain(result, failure);
            let same = if failure.receiving_mx_hostname.is_none() { self.host_of(kind, at) } else { None };
            let again = if same.is_some() { twice.min(failure.failed_session_count) } else { 0 };
            twice = twice.saturating_sub(again);
            let connections = failure.failed_session_count.saturating_sub(again);
            let host = failure.receiving_mx_hostname.clone().or(same);
            let how = if kind == CauseKind::PolicyFetch { explanation.clone() } else { String::new() };
            let cause = self.causes.entry((kind, host.clone(), how)).or_default();
            if cause.explanation.is_empty() {
                cause.explanation = explanation;
                cause.advice = advice;
            }
            cause.kind = kind;
            cause.host = host;
            push(&mut cause.result_types, Some(&failure.result_type));
            push(&mut cause.addresses, failure.receiving_ip.as_ref());
            push(&mut cause.reasons, failure.failure_reason_code.as_ref());
            push(&mut cause.senders, Some(&sender.to_owned()));
            cause.connections = cause.connections.saturating_add(connections);
            widen(&mut cause.first_day, &mut cause.last_day, at);
            cause.count_on(at, connections);
        }
    }

    /// The one host for which the same cause was told on the same day.
    fn host_of(&self, kind: CauseKind, at: &str) -> Option<String> {
        let same = |(key, cause): &(&CauseKey, &Cause)| key.0 == kind && key.1.is_some() && cause.last_day == at;
        let mut known = self.causes.iter().filter(same);
        match (known.next(), known.next()) {
            (Some(((_, host, _), _)), None) => host.clone(),
            _ => None,
        }
    }

    fn policy(&mut self, sender: &str, at: &str, end: Option<i64>, result: &PolicyResult) {
        if result.policy_type != PolicyType::Sts || result.policy_string.is_empty() {
            return;
        }
        let applied = self.policies.entry(result.policy_string.clone()).or_default();
        applied.lines.clone_from(&result.policy_string);
        push(&mut applied.senders, Some(&sender.to_owned()));
        widen(&mut applied.first_day, &mut applied.last_day, at);
        let of_sender = self.senders.entry(sender.to_owned()).or_default();
        if end >= of_sender.policy_until {
            of_sender.policy.clone_from(&result.policy_string);
            at.clone_into(&mut of_sender.policy_day);
            of_sender.policy_until = end;
        }
    }

    fn finish(self, domain: String) -> DomainDigest {
        let mut senders: Vec<SenderDigest> = self.senders.into_values().collect();
        senders.sort_by_key(|sender| std::cmp::Reverse(sender.connections));
        let mut causes: Vec<Cause> = self.causes.into_values().collect();
        causes.iter_mut().for_each(|cause| cause.days.sort_by(|one, other| one.day.cmp(&other.day)));
        causes.sort_by_key(|cause| std::cmp::Reverse(cause.connections));
        let mut policies: Vec<AppliedPolicy> = self.policies.into_values().collect();
        policies.sort_by(|one, other| other.last_day.cmp(&one.last_day));
        DomainDigest { domain, senders, days: self.days.into_values().collect(), causes, policies, ..self.digest }
    }
}

impl Cause {
    fn count_on(&mut self, day: &str, connections: u64) {
        match self.days.iter_mut().rev().find(|known| known.day == day) {
            Some(known) => known.connections = known.connections.saturating_add(connections),
            None => self.days.push(CauseDay { day: day.to_owned(), connections }),
        }
    }
}

/// So many different values are kept of each list in a cause.
const VALUES: usize = 100;

fn push(values: &mut Vec<String>, value: Option<&String>) {
    if let Some(value) = value
        && values.len() < VALUES
        && !values.contains(value)
    {
        values.push(value.clone());
    }
}

fn widen(first: &mut String, last: &mut String, at: &str) {
    if at.is_empty() {
        return;
    }
    if first.is_empty() || at < first.as_str() {
        at.clone_into(first);
    }
    if at > last.as_str() {
        at.clone_into(last);
    }
}
