//! TLS reports judged by rules: each by the rules `over: report`, all together by those `over: reports`.
//!
//! Called by `stslint reports`.

use jiff::Timestamp;

use super::evaluate::{Evaluated, evaluate};
use super::load::RuleSet;
use crate::facts::{Facts, Over, json_pointer};
use crate::outcome::{Check, Outcome, Report, Severity};
use crate::tls_reports::digest::Digest;
use crate::tls_reports::model::{Offence, TlsReport};

/// Judges one report, and notes what the rules find in it as its offences. `asked_for` are the domains whose reports
/// are expected, where that is known; `accept` takes out what a configuration accepts.
pub fn judge_report(
    rules: &RuleSet,
    report: &mut TlsReport,
    asked_for: Option<&[String]>,
    accept: &dyn Fn(&mut Report),
) -> Evaluated {
    let mut evaluated = evaluate(rules, &Facts::of_report(report, asked_for));
    accept(&mut evaluated.report);
    let told = evaluated.report.checks.iter().filter(|check| check.is_told());
    let mut offences: Vec<Offence> = told.map(|check| offence(report, check)).collect();
    offences.sort_by(|one, other| (one.line, one.column, &one.rule).cmp(&(other.line, other.column, &other.rule)));
    report.offences = offences;
    evaluated
}

/// Judges all reports together, looked at at a time; so many inputs could not be read. `None` where no rule is over them.
pub fn judge_reports(rules: &RuleSet, digest: &Digest, unreadable: usize, at: Timestamp) -> Option<Evaluated> {
    let concerned = rules.rules.iter().any(|rule| rule.over == Over::Reports && !rule.off);
    concerned.then(|| evaluate(rules, &Facts::of_reports(digest, unreadable, at)))
}

fn offence(report: &TlsReport, check: &Check) -> Offence {
    let message = check.message.as_deref().unwrap_or(&check.title);
    let message = match &check.subject {
        Some(subject) if !message.contains(subject.as_str()) => format!("{subject}: {message}"),
        _ => message.to_owned(),
    };
    let severity = if check.outcome == Outcome::Remark { Severity::Remark } else { check.severity };
    Offence {
        rule: check.rule.clone(),
        severity: severity.word().to_owned(),
        at: check.at.as_deref().map(|at| json_pointer(report, at)).unwrap_or_default(),
        line: check.location.as_ref().map(|location| location.line),
        column: check.location.as_ref().map(|location| location.column),
        message,
    }
}
