//! TLS reports beside what is known of the domain: which failures a finding explains, which are fixed since, who still
//! holds an older policy, whether mode enforce is safe, and why no reports come.
//!
//! Called by `stslint reports`. Pure: time comes from the reports and the snapshots.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::tree::PolicyFacts;
use crate::facts::{Facts, matches_mx};
use crate::grammar::policy::{self, Mode};
use crate::outcome::{Check, Outcome, Report, Severity};
use crate::snapshot::instant;
use crate::tls_reports::cause::CauseKind;
use crate::tls_reports::digest::{Cause, Digest, DomainDigest, SenderDigest};
use crate::tls_reports::result_type::ResultType;
use crate::tls_reports::when::day;

/// Enough to go by for mode enforce: so many days with reports and without failure, and so many senders.
const ENOUGH_DAYS: usize = 7;
const ENOUGH_SENDERS: usize = 2;
/// So many findings are named as being in the way of mode enforce.
const MOST_OBSTACLES: usize = 10;

/// What was observed of a domain at one time.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Its facts.
    pub facts: Facts,
    /// What the rules found in them.
    pub report: Report,
}

/// The reports about one domain beside what was observed of it.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct Comparison {
    /// The domain.
    pub domain: String,
    /// When the snapshot was made: RFC 3339, UTC.
    pub observed_at: Option<String>,
    /// When the baseline was made; `null` where none was given.
    pub baseline_at: Option<String>,
    /// For each cause of the domain's failures, in the same order, what the snapshot says of it.
    pub causes: Vec<CauseNow>,
    /// The senders whose last policy is another one than the one that is published now.
    pub held: Vec<HeldPolicy>,
    /// Whether mode enforce is safe, with the evidence; `null` where the policy of now is not in mode testing or enforce.
    pub enforce: Option<EnforceAdvice>,
    /// Why no report is about the domain; empty where there are reports.
    pub silence: Vec<String>,
}

/// What the snapshot says of a cause.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct CauseNow {
    /// How the cause and the snapshot go together.
    pub state: CauseState,
    /// The rule whose finding explains the failures, or did in the baseline.
    pub rule: Option<String>,
    /// The same in one or two sentences.
    pub message: String,
}

/// How a cause of failures and a snapshot go together.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseState {
    /// A finding of now explains the failures.
    Found,
    /// The policy or the host of then explains them, and has been changed since.
    Fixed,
    /// The snapshot does not hold what would tell, or is older than the failures.
    NotChecked,
    /// Nothing that was observed explains them.
    Unexplained,
}

/// A sender that last showed another policy than the one that is published.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct HeldPolicy {
    /// The sender.
    pub sender: String,
    /// The last day on which it showed the policy, in UTC.
    pub seen: String,
    /// The last day on which it can still hold it, by its `max_age` (RFC 8461 §3.2); `null` where that cannot be told.
    pub until: Option<String>,
    /// What differs from the policy of now.
    pub differences: Vec<String>,
}

/// Whether mode enforce is safe.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct EnforceAdvice {
    /// Whether nothing is in the way, and there is enough to go by.
    pub ready: bool,
    /// The answer in a sentence.
    pub answer: String,
    /// What it rests on: senders, days, connections and failures.
    pub evidence: String,
    /// What is in the way, or missing.
    pub missing: Vec<String>,
}

/// Compares the reports about a domain with a snapshot of it, and with an older one where there is one.
pub fn compare(digest: &Digest, now: &Observed, older: Option<&Observed>) -> Comparison {
    let domain = now.facts.domain.clone().unwrap_or_default();
    let observed_at = now.facts.collected_at.clone();
    let baseline_at = older.and_then(|older| older.facts.collected_at.clone());
    let comparison = Comparison { domain: domain.clone(), observed_at, baseline_at, ..Comparison::default() };
    let Some(reported) = digest.domains.iter().find(|reported| reported.domain == domain) else {
        return Comparison { silence: silence(&domain, now), ..comparison };
    };
    let now_seen = Seen::of(now);
    let older_seen = older.map(Seen::of);
    let explained = |cause| explained(cause, &now_seen, older_seen.as_ref());
    let causes: Vec<CauseNow> = reported.causes.iter().map(explained).collect();
    let held = held(reported, now);
    let enforce = enforce_advice(reported, now, &causes);
    Comparison { causes, held, enforce, ..comparison }
}

/// What was observed, with the findings that a sender would report: found once for all causes.
struct Seen<'a> {
    observed: &'a Observed,
    findings: Vec<&'a Check>,
    not_checked: Vec<&'a Check>,
}

impl<'a> Seen<'a> {
    fn of(observed: &'a Observed) -> Self {
        let reported = |check: &&Check| check.reported_as.is_some();
        let not_checked = observed.report.checks.iter().filter(|check| check.outcome == Outcome::NotChecked);
        Seen {
            observed,
            findings: observed.report.findings().into_iter().filter(reported).collect(),
            not_checked: not_checked.filter(reported).collect(),
        }
    }
}

fn explained(cause: &Cause, now: &Seen<'_>, older: Option<&Seen<'_>>) -> CauseNow {
    let told = |state, rule: Option<&Check>, message: String| CauseNow {
        state,
        rule: rule.map(|check| check.rule.clone()),
        message,
    };
    let at = observed_on(now.observed);
    if let Some(check) = finding(cause, now) {
        let message = format!("Still so on {at}: {}.", said(check));
        return told(CauseState::Found, Some(check), message);
    }
    // A snapshot of the day itself may have been made before the failures; one of an earlier day surely was.
    if !cause.last_day.is_empty() && !at.is_empty() && at < cause.last_day {
        let message = format!(
            "The snapshot of {at} has no such finding, but is older than the last of these failures: collect a new one."
        );
        return told(CauseState::NotChecked, None, message);
    }
    if let Some(message) = changed(cause, now.observed, &at) {
        return told(CauseState::Fixed, None, message);
    }
    if let Some(reason) = not_checked(cause, now) {
        return told(CauseState::NotChecked, None, format!("The snapshot of {at} does not tell: {reason}."));
    }
    match older.and_then(|older| Some((older, finding(cause, older)?))) {
        Some((older, check)) => {
            let message = format!("Fixed since {}: then, {}.", observed_on(older.observed), said(check));
            told(CauseState::Fixed, Some(check), message)
        }
        None => {
            let message = format!("Nothing in the snapshot of {at} explains it: what these results are about passes.");
            told(CauseState::Unexplained, None, message)
        }
    }
}

/// The policy or the host has been changed, so that the failure cannot be repeated.
fn changed(cause: &Cause, now: &Observed, at: &str) -> Option<String> {
    let host = cause.host.as_deref()?;
    let known = now.facts.of_domain();
    let hosts = known.mx.known()?.hosts.known()?;
    if !hosts.iter().any(|other| other.name.known().is_some_and(|name| name == host)) {
        return Some(format!("`{host}` is not an MX host of the domain any more, as of {at}."));
    }
    if cause.kind != CauseKind::NotCovered {
        return None;
    }
    let patterns = known.policy.known()?.mx.known()?;
    let pattern = patterns.iter().filter_map(|pattern| pattern.text.known()).find(|text| matches_mx(text, host))?;
    Some(format!(
        "Explained by the policy that the sender held, and fixed since: the policy of {at} names `{host}` by `mx: {pattern}`."
    ))
}

/// The result types as the rules have them; senders use other words for some.
fn registered(cause: &Cause) -> BTreeSet<ResultType> {
    let one = |word: &String| match word.as_str() {
        "certificate-name-mismatch" => Some(ResultType::CertificateHostMismatch),
        "mx-mismatch" => Some(ResultType::ValidationFailure),
        word => ResultType::from_word(word),
    };
    cause.result_types.iter().filter_map(one).collect()
}

fn concerns(cause: &Cause, check: &Check) -> bool {
    let same_type = check.reported_as.is_some_and(|kind| registered(cause).contains(&kind));
    let names = |subject: &str, host: &str| {
        let words = subject.split([',', ' ', '[', ']']);
        words.map(|word| word.trim_end_matches('.')).any(|word| word.eq_ignore_ascii_case(host))
    };
    same_type
        && match (cause.host.as_deref(), check.subject.as_deref()) {
            (Some(host), Some(subject)) => names(subject, host),
            _ => true,
        }
}

/// The worst finding that a sender would report so.
fn finding<'a>(cause: &Cause, seen: &Seen<'a>) -> Option<&'a Check> {
    seen.findings.iter().find(|check| concerns(cause, check)).copied()
}

fn not_checked(cause: &Cause, seen: &Seen<'_>) -> Option<String> {
    let checks = seen.not_checked.iter().filter(|check| concerns(cause, check));
    let reason = checks.filter_map(|check| check.reason.clone()).next();
    reason.map(|reason| reason.trim_end_matches('.').to_owned())
}

fn said(check: &Check) -> String {
    let message = check.message.as_deref().unwrap_or(&check.title).trim_end_matches('.');
    match check.subject.as_deref() {
        Some(subject) if !message.contains(subject) => format!("{message} ({subject}, `{}`)", check.rule),
        _ => format!("{message} (`{}`)", check.rule),
    }
}

/// The day of an observation, in UTC.
fn observed_on(observed: &Observed) -> String {
    let at = observed.facts.collected_at.as_deref().and_then(instant);
    at.map(|at| day(at.as_second())).unwrap_or_default()
}

/// What a policy asks of senders.
#[derive(Debug, Eq, PartialEq)]
struct Terms {
    mode: Mode,
    max_age: i64,
    mx: BTreeSet<String>,
}

impl Terms {
    fn of_facts(policy: &PolicyFacts) -> Option<Self> {
        let mx = policy.mx.known()?.iter().filter_map(|pattern| pattern.text.known());
        Some(Terms {
            mode: (*policy.mode.known()?)?,
            max_age: (*policy.max_age.known()?)?,
            mx: mx.map(|text| text.to_ascii_lowercase()).collect(),
        })
    }

    fn of_lines(lines: &[String]) -> Option<Self> {
        let parsed = policy::parse(lines.join("\r\n").as_bytes());
        Some(Terms {
            mode: parsed.valid_mode()?,
            max_age: i64::try_from(parsed.valid_max_age()?).ok()?,
            mx: parsed.mx.iter().map(|mx| mx.pattern.text.to_ascii_lowercase()).collect(),
        })
    }

    /// What is otherwise in the policy of now.
    fn differences(&self, now: &Terms) -> Vec<String> {
        let mut differences = Vec::new();
        if self.mode != now.mode {
            differences.push(format!("mode {} instead of {}", self.mode, now.mode));
        }
        if self.max_age != now.max_age {
            differences.push(format!("max_age {} instead of {}", self.max_age, now.max_age));
        }
        let named = |word: &str, patterns: Vec<&String>| match patterns.as_slice() {
            [] => None,
            patterns => {
                let shown: Vec<String> = patterns.iter().take(4).map(|pattern| format!("`{pattern}`")).collect();
                Some(format!("{word} {}", shown.join(", ")))
            }
        };
        differences.extend(named("without", now.mx.difference(&self.mx).collect()));
        differences.extend(named("with", self.mx.difference(&now.mx).collect()));
        differences
    }
}

/// The senders that last showed another policy than the one of now.
fn held(reported: &DomainDigest, now: &Observed) -> Vec<HeldPolicy> {
    let Some(present) = now.facts.of_domain().policy.known().and_then(Terms::of_facts) else { return Vec::new() };
    let at = now.facts.collected_at.as_deref().and_then(instant).map(Timestamp::as_second);
    let of = |sender: &SenderDigest| {
        let held = Terms::of_lines(&sender.policy).filter(|held| *held != present)?;
        // It was fetched on that day at the latest, and is dropped max_age seconds after that.
        let last = sender.policy_until.map(|end| end.saturating_add(held.max_age));
        let gone = at.zip(last).is_some_and(|(at, last)| last < at);
        (!gone).then(|| HeldPolicy {
            sender: sender.sender.clone(),
            seen: sender.policy_day.clone(),
            until: last.map(day).filter(|day| !day.is_empty()),
            differences: held.differences(&present),
        })
    };
    reported.senders.iter().filter_map(of).collect()
}

/// Whether the domain may switch to mode enforce, or did well to.
fn enforce_advice(reported: &DomainDigest, now: &Observed, causes: &[CauseNow]) -> Option<EnforceAdvice> {
    let mode = now.facts.of_domain().policy.known()?.mode.known().copied()??;
    if mode == Mode::None {
        return None;
    }
    let open: u64 = reported
        .causes
        .iter()
        .zip(causes)
        .filter(|(_, now)| now.state != CauseState::Fixed)
        .fold(0, |sum, (cause, _)| sum.saturating_add(cause.connections));
    let mut missing = Vec::new();
    let refuses = |check: &&Check| check.reported_as.is_some() && check.severity > Severity::Note;
    missing.extend(now.report.findings().into_iter().filter(refuses).take(MOST_OBSTACLES).map(said));
    // What was not seen speaks for nothing.
    let unseen = now.report.checks.iter().filter(|check| check.outcome == Outcome::NotChecked).filter(refuses);
    if let Some((first, reason)) = unseen.clone().find_map(|check| Some((check, check.reason.as_deref()?))) {
        let checks = counted(unseen.count() as u64, "check");
        missing.push(format!("{checks} could not be made of the snapshot, such as `{}`: {reason}", first.rule));
    }
    if open > 0 {
        missing.push(format!("{} in the reports that nothing shows to be fixed", failures(open)));
    }
    let last_failure = reported.days.iter().rev().find(|day| day.failed > 0).map(|day| day.day.as_str());
    let clean = reported.days.iter().filter(|day| !day.day.is_empty() && Some(day.day.as_str()) > last_failure).count();
    let short = clean < ENOUGH_DAYS || reported.senders.len() < ENOUGH_SENDERS;
    if short && mode == Mode::Testing {
        missing.push(format!(
            "more reports: {ENOUGH_DAYS} days with reports and without failure, from at least {ENOUGH_SENDERS} senders"
        ));
    }
    let evidence = format!(
        "{}, {} of reports, {} verified, {}{}",
        counted(reported.senders.len() as u64, "sender"),
        counted(reported.days.iter().filter(|day| !day.day.is_empty()).count() as u64, "day"),
        counted(reported.verified, "connection"),
        failures(reported.failed),
        last_failure.filter(|day| !day.is_empty()).map(|day| format!(" (the last on {day})")).unwrap_or_default(),
    );
    let ready = missing.is_empty();
    let answer = match (mode, ready) {
        (Mode::Enforce, true) => "The policy is already in mode enforce, and no reported failure is left to fix.",
        (Mode::Enforce, false) => "The policy is in mode enforce, and mail may be refused.",
        (_, true) => "Yes: the reports and the snapshot show no obstacle to mode enforce.",
        (_, false) => "Not yet.",
    };
    Some(EnforceAdvice { ready, answer: answer.to_owned(), evidence, missing })
}

fn counted(number: u64, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

fn failures(number: u64) -> String {
    format!("{number} failed connection{}", if number == 1 { "" } else { "s" })
}

/// Why no report is about the domain, as far as what is published tells.
fn silence(domain: &str, now: &Observed) -> Vec<String> {
    let at = observed_on(now);
    let of_group = |outcome: Outcome| {
        let checks = now.report.checks.iter().filter(move |check| check.outcome == outcome);
        checks.filter(|check| check.group == "tlsrpt" && check.severity > Severity::Note)
    };
    let mut reasons: Vec<String> = of_group(Outcome::Fail).map(said).collect();
    if reasons.is_empty()
        && let Some(reason) = of_group(Outcome::NotChecked).find_map(|check| check.reason.clone())
    {
        reasons.push(format!("the TLSRPT record was not checked on {at}: {reason}"));
    }
    let record = now.facts.of_domain().tlsrpt.known();
    if reasons.is_empty()
        && let Some(record) = record
        && record.text.known().is_some_and(Option::is_none)
    {
        reasons.push(format!("there is no TLSRPT record at `_smtp._tls.{domain}` (RFC 8460 §3)"));
    }
    let destinations = record.and_then(|record| record.rua.known()).map(Vec::as_slice).unwrap_or_default();
    for destination in destinations.iter().take(4) {
        let elsewhere = destination.host.known().and_then(Option::as_deref).filter(|host| *host != domain);
        if let (Some(host), Some(text)) = (elsewhere, destination.text.known()) {
            reasons.push(format!("reports go to `{text}`, at `{host}`: look for them there"));
        }
    }
    if !destinations.is_empty() {
        reasons.push(
            "senders report a day after it has ended, only on days with mail to you, and many send no reports at all: \
            a record that is younger than two days is too new"
                .to_owned(),
        );
    }
    reasons
}
