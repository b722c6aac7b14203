//! One line for Nagios, Icinga and their kin, with performance data; the exit code is the plugin's.

use std::collections::BTreeMap;

use super::Results;
use super::wording::{counted, domain, one_line, shortened, what};
use crate::facts::tree::FactTree;
use crate::outcome::{Severity, Summary};
use crate::source_text::without_runner_commands;

/// The longest text before the performance data, in characters.
const LONGEST: usize = 400;

/// The states of a plugin; the exit code of each is its number.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum NagiosState {
    /// No error and no warning.
    Ok = 0,
    /// The worst finding is a warning.
    Warning = 1,
    /// There are errors.
    Critical = 2,
    /// An input could not be read, or nothing could be checked.
    Unknown = 3,
}

impl NagiosState {
    /// The state of everything together. What is known to be broken counts before what is not known.
    pub fn of(results: &Results<'_>) -> Self {
        let total = total(results);
        let in_the_dark = |summary: &Summary| summary.passed == 0 && summary.not_checked > 0;
        let unknown = results.linted.is_empty()
            || !results.unreadable.is_empty()
            || results.linted.iter().any(|linted| in_the_dark(&linted.report.summary))
            || (results.run.require_complete && total.not_checked > 0);
        match total {
            Summary { errors: 1.., .. } => NagiosState::Critical,
            Summary { warnings: 1.., .. } => NagiosState::Warning,
            _ if unknown => NagiosState::Unknown,
            _ => NagiosState::Ok,
        }
    }

    fn word(self) -> &'static str {
        match self {
            NagiosState::Ok => "OK",
            NagiosState::Warning => "WARNING",
            NagiosState::Critical => "CRITICAL",
            NagiosState::Unknown => "UNKNOWN",
        }
    }
}

/// The line: `STSLINT CRITICAL - example.com: 1 error: … | errors=1 warnings=0 …`.
pub fn nagios(results: &Results<'_>) -> String {
    let state = NagiosState::of(results);
    let total = total(results);
    let mut parts = vec![subject(results)];
    parts.extend(Some(counts(&total)).filter(|counts| !counts.is_empty()));
    parts.extend(in_force(results));
    parts.extend(results.unreadable.first().map(|first| {
        let more = results.unreadable.len().saturating_sub(1);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", first.sentence())
    }));
    parts.extend(worst(results));
    let mut measured = format!(
        "errors={} warnings={} notes={} not_checked={}",
        total.errors, total.warnings, total.notes, total.not_checked
    );
    if let Some(days) = results.linted.iter().filter_map(|linted| days_left(&linted.facts)).min() {
        measured.push_str(&format!(" cert_days={days}"));
    }
    format!("STSLINT {} - {} | {measured}\n", state.word(), without_separators(&parts.join(": ")))
}

/// The line where the command could not run at all.
pub fn nagios_unknown(reason: &str) -> String {
    format!("STSLINT {} - {}\n", NagiosState::Unknown.word(), without_separators(reason))
}

fn subject(results: &Results<'_>) -> String {
    match results.linted {
        [] => "nothing was checked".to_owned(),
        [one] => domain(one),
        many => counted(many.iter().filter(|linted| linted.report.is_over_one_domain()).count(), "domain"),
    }
}

/// What is in force: of one domain in words, of several how many have which policy.
fn in_force(results: &Results<'_>) -> Option<String> {
    let states = || results.linted.iter().filter_map(|linted| linted.report.state.as_ref());
    if let [one] = results.linted {
        return one
            .report
            .state
            .as_ref()
            .map(|state| format!("policy {} in force, mail {}", state.policy, state.mail.label()));
    }
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for state in states() {
        let count = counted.entry(state.policy.word()).or_default();
        *count = count.saturating_add(1);
    }
    let words: Vec<String> = counted.iter().map(|(policy, count)| format!("{count} {policy}")).collect();
    (!words.is_empty()).then(|| format!("in force: {}", words.join(", ")))
}

fn counts(total: &Summary) -> String {
    let counts = [(total.errors, "error"), (total.warnings, "warning"), (total.notes, "note")];
    let mut words: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| counted(*count, word)).collect();
    if words.is_empty() && total.passed > 0 {
        words.push("no findings".to_owned());
    }
    if total.not_checked > 0 {
        words.push(format!("{} not checked", total.not_checked));
    }
    words.join(", ")
}

/// The worst finding in words; of several domains it is told which.
fn worst(results: &Results<'_>) -> Option<String> {
    let firsts = results.linted.iter().filter_map(|linted| Some((linted, *linted.report.findings().first()?)));
    // The least of the reversed is the first of the worst.
    let (linted, check) = firsts.min_by_key(|(_, check)| std::cmp::Reverse(check.severity))?;
    if check.severity == Severity::Note {
        return None;
    }
    let of = if results.linted.len() > 1 { format!("{}: ", domain(linted)) } else { String::new() };
    Some(format!("{of}{} ({})", what(check), check.rule))
}

fn total(results: &Results<'_>) -> Summary {
    let mut total = Summary::default();
    for Summary { errors, warnings, notes, remarks, passed, not_applicable, not_checked, ignored } in
        results.linted.iter().map(|linted| linted.report.summary)
    {
        total.errors = total.errors.saturating_add(errors);
        total.warnings = total.warnings.saturating_add(warnings);
        total.notes = total.notes.saturating_add(notes);
        total.remarks = total.remarks.saturating_add(remarks);
        total.passed = total.passed.saturating_add(passed);
        total.not_applicable = total.not_applicable.saturating_add(not_applicable);
        total.not_checked = total.not_checked.saturating_add(not_checked);
        total.ignored = total.ignored.saturating_add(ignored);
    }
    total
}

/// The fewest days that a certificate of the policy host or of an MX host has left.
fn days_left(facts: &FactTree) -> Option<i64> {
    super::certificates::certificates(facts).iter().filter_map(|seen| seen.certificate.days_left.known().copied()).min()
}

/// Text that cannot end the line or begin the performance data.
fn without_separators(text: &str) -> String {
    shortened(&without_runner_commands(&one_line(text).replace('|', "/"), "\\#"), LONGEST)
}
