//! The cases beside a rule: patches over something good on which it must pass, fail, or not be judged.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::case_words::snapshot_words;
use super::domain_cases::facts_of_domains;
use super::evaluate::{evaluate, evaluate_only};
use super::load::RuleSet;
use super::model::Case;
use super::report_cases::facts_of_case;
use super::rule::Rule;
use super::snapshot_cases::{ReadCase, facts_of_snapshot};
use crate::facts::{Facts, Over};
use crate::outcome::{Outcome, Report};
use crate::snapshot::Snapshot;

/// What a case says about its rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// It fails.
    Fail,
    /// It does not apply.
    NotApplicable,
    /// It cannot be checked.
    NotChecked,
    /// It passes.
    Pass,
}

/// One case and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseResult {
    /// The rule.
    pub rule: String,
    /// The file that the rule is in.
    pub file: String,
    /// What the case says.
    pub expected: Expected,
    /// The line of the file that it is in, counted from 1.
    pub line: u64,
    /// The octet of the file at which it begins.
    #[serde(skip)]
    pub offset: Option<usize>,
    /// Its number among those of its kind, counted from 1.
    pub number: usize,
    /// The patch as JSON.
    pub patch: String,
    /// What came of it.
    pub outcome: CaseOutcome,
    /// What to write instead, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseOutcome {
    /// As the case says.
    Held,
    /// Otherwise: what the rule did, and its message or reason.
    Differs(String),
    /// The patch does not make a snapshot.
    BadPatch(String),
}

/// Runs the cases of the rules that `wanted` picks, over `good`, with `read` for cases that name a file.
pub fn run_cases(
    rules: &RuleSet,
    good: &Snapshot,
    wanted: impl Fn(&Rule) -> bool,
    read: &ReadCase<'_>,
) -> Vec<CaseResult> {
    let mut results = Vec::new();
    for rule in rules.rules.iter().filter(|rule| wanted(rule)) {
        let kinds = [
            (Expected::Pass, &rule.cases.pass),
            (Expected::Fail, &rule.cases.fail),
            (Expected::NotApplicable, &rule.cases.not_applicable),
            (Expected::NotChecked, &rule.cases.not_checked),
        ];
        for (expected, cases) in kinds {
            for (index, case) in cases.iter().enumerate() {
                let outcome = run(rules, rule, good, expected, case, read);
                let help = match &outcome {
                    CaseOutcome::BadPatch(why) if rule.over == Over::Domain && !why.contains(", where ") => {
                        case.value.keys().find_map(|path| snapshot_words(path))
                    }
                    _ => None,
                };
                // What else a snapshot has there is beside the point.
                let outcome = match (outcome, &help) {
                    (CaseOutcome::BadPatch(why), Some(_)) => {
                        CaseOutcome::BadPatch(why.split("; ").next().unwrap_or_default().to_owned())
                    }
                    (outcome, _) => outcome,
                };
                results.push(CaseResult {
                    rule: rule.id.clone(),
                    file: rule.file.clone(),
                    expected,
                    line: case.referenced.line(),
                    offset: case.referenced.span().byte_offset().and_then(|offset| usize::try_from(offset).ok()),
                    number: index.saturating_add(1),
                    patch: serde_json::to_string(&case.value).unwrap_or_default(),
                    outcome,
                    help,
                });
            }
        }
    }
    results
}

/// The report on the first failing case of a rule that needs no file: what its finding looks like.
pub fn example(rules: &RuleSet, rule: &Rule, good: &Snapshot) -> Option<Report> {
    let plain = |case: &&Case| {
        !case.value.keys().any(|path| path.split('.').next_back() == Some("snapshot") || path == "snapshots")
    };
    let case = rule.cases.fail.iter().find(plain)?;
    let no_files = |_: Option<&Path>, _: &str| Err("no files here".to_owned());
    let facts = facts_of(rules, rule, good, case, &no_files).ok()?;
    Some(evaluate(rules, &facts).report)
}

fn run(
    rules: &RuleSet,
    rule: &Rule,
    good: &Snapshot,
    expected: Expected,
    case: &Case,
    read: &ReadCase<'_>,
) -> CaseOutcome {
    match facts_of(rules, rule, good, case, read) {
        Ok(facts) => judged(rules, rule, expected, &facts),
        Err(error) => CaseOutcome::BadPatch(format!("cannot be made: {error}")),
    }
}

/// The facts that a case makes.
fn facts_of(rules: &RuleSet, rule: &Rule, good: &Snapshot, case: &Case, read: &ReadCase<'_>) -> Result<Facts, String> {
    match rule.over {
        Over::Domain => facts_of_snapshot(rule.path.as_deref(), good, &case.value, read),
        Over::Domains => facts_of_domains(rules, rule, good, &case.value, read),
        Over::Report | Over::Reports => facts_of_case(rule.over, case),
    }
}

/// The rule and all that must be decided before it.
fn needed<'a>(rules: &'a RuleSet, rule: &'a Rule) -> BTreeSet<&'a str> {
    let mut needed = BTreeSet::new();
    let mut open = vec![rule];
    while let Some(rule) = open.pop() {
        if needed.insert(rule.id.as_str()) {
            open.extend(rule.requires.iter().chain(&rule.after).filter_map(|id| rules.get(id)));
        }
    }
    needed
}

fn judged(rules: &RuleSet, rule: &Rule, expected: Expected, facts: &Facts) -> CaseOutcome {
    let needed = needed(rules, rule);
    let evaluated = evaluate_only(rules, facts, &|rule| needed.contains(rule.id.as_str()));
    if let Some((_, reason)) = evaluated.mistakes.iter().find(|(id, _)| *id == rule.id) {
        return CaseOutcome::Differs(format!("cannot be evaluated: {reason}"));
    }
    let checks: Vec<_> = evaluated.report.checks.iter().filter(|check| check.rule == rule.id).collect();
    let any = |outcome| checks.iter().find(|check| check.outcome == outcome);
    let found = [Outcome::Fail, Outcome::Remark, Outcome::NotChecked, Outcome::NotApplicable, Outcome::Pass]
        .into_iter()
        .find_map(|outcome| any(outcome).map(|check| (outcome, check)));
    let Some((outcome, check)) = found else {
        return CaseOutcome::Differs("was not evaluated".to_owned());
    };
    let (wanted, said) = match expected {
        Expected::Fail if outcome == Outcome::Remark => (Outcome::Remark, "fails"),
        Expected::Fail => (Outcome::Fail, "fails"),
        Expected::NotApplicable => (Outcome::NotApplicable, "does not apply"),
        Expected::NotChecked => (Outcome::NotChecked, "is not checked"),
        Expected::Pass => (Outcome::Pass, "passes"),
    };
    if outcome == wanted {
        return CaseOutcome::Held;
    }
    let did = match outcome {
        Outcome::Fail | Outcome::Remark => "fails",
        Outcome::NotApplicable => "does not apply",
        Outcome::NotChecked => "is not checked",
        Outcome::Pass => "passes",
    };
    let why = check.message.as_deref().or(check.reason.as_deref()).map(|why| format!(": {why}")).unwrap_or_default();
    CaseOutcome::Differs(format!("should be one that {said}, and {did}{why}"))
}
