//! The law that what was not seen does not pass, over every part of complete snapshots.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::snapshot_cases::{good_snapshot, patched};
use super::{RuleSet, evaluate};
use crate::facts::Facts;
use crate::outcome::{Outcome, Report, Severity};
use crate::snapshot::Snapshot;

/// Parts of a snapshot that no rule reads, or whose absence is a value: how their paths end, numbers left out.
const NOT_READ: [&str; 36] = [
    // Who looked, and how long it took.
    "/collection",
    "/collection/dnssec",
    "/elapsed_ms",
    "/program",
    "/resolver",
    "/roots",
    "/smtp_connected",
    // Shown, or the same as elsewhere, and judged by no rule.
    "/body_length",
    "/cipher",
    "/issuer",
    "/name",
    "/response/version",
    "/serial",
    "/spki_sha256",
    "/server_name",
    "/subject",
    "/verifier",
    "/policy/address",
    "/starttls/lines",
    "/greeting/lines",
    "/report_hosts/mx/dnssec",
    "/ipv4/ttl",
    "/ipv6/ttl",
    "/mx/ttl",
    // Of an issuer, that the verifier judges.
    "/chain",
    "/chain/dns_ids",
    "/chain/not_after",
    "/chain/not_before",
    // What is left says the same: records mean an answer, a greeting means a connection.
    "/connected",
    "/outcome",
    // Only where there is no MX RRset are these asked for by senders.
    "^/ipv4",
    "^/ipv6",
    // The list is what was asked.
    "/misplaced",
    "/misplaced/dnssec",
    // Left out where there is none.
    "/extended_key_usage",
    "/authority",
];

/// Whether nothing need be said where a part is missing.
fn is_not_read(path: &str) -> bool {
    let words = path.split('/').filter(|word| word.parse::<usize>().is_err());
    let path = words.collect::<Vec<_>>().join("/");
    NOT_READ.iter().any(|end| match end.strip_prefix('^') {
        Some(start) => path.starts_with(start),
        None => path.ends_with(end),
    })
}

/// What a case can lose without a trace: an element of what one answer held, and what is left out where there is none (a
/// certificate without names is told as one that does not name the host).
fn leaves_no_trace(path: &str) -> bool {
    let words: Vec<&str> = path.split('/').collect();
    let element_of = |list: &str| words.len() > 1 && words[words.len() - 2] == list;
    ["records", "lines", "strings", "name_servers", "misplaced", "chain"].iter().any(|list| element_of(list))
        || ["aliases", "dns_ids", "truncated", "headers", "transcript"].iter().any(|word| words.contains(word))
}

fn report_of(rules: &RuleSet, snapshot: &Snapshot) -> Report {
    evaluate(rules, &Facts::of(snapshot, None)).report
}

/// The outcomes of each rule.
fn outcomes(report: &Report) -> BTreeMap<&str, BTreeSet<String>> {
    let mut outcomes: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for check in &report.checks {
        outcomes.entry(&check.rule).or_default().insert(format!("{:?}", check.outcome));
    }
    outcomes
}

/// The path of every value of a tree, branches before what is on them.
fn paths(tree: &Value, at: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match tree {
        Value::Object(map) => map.iter().map(|(key, value)| (format!("{at}/{key}"), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(index, value)| (format!("{at}/{index}"), value)).collect(),
        _ => Vec::new(),
    };
    for (path, value) in inner {
        found.push(path.clone());
        paths(value, &path, found);
    }
}

/// The snapshot without what is at a path; `None` where it is not a snapshot then.
fn without(tree: &Value, path: &str) -> Option<Snapshot> {
    let mut tree = tree.clone();
    let (parent, key) = path.rsplit_once('/')?;
    match tree.pointer_mut(parent)? {
        Value::Object(map) => drop(map.remove(key)),
        Value::Array(list) => drop(list.remove(key.parse().ok()?)),
        _ => return None,
    }
    serde_json::from_value(tree).ok()
}

/// What breaks the law between a report and the one of the same snapshot without a part.
fn broken(whole: &Report, less: &Report) -> Vec<String> {
    let (before, after) = (outcomes(whole), outcomes(less));
    let mut broken = Vec::new();
    for (rule, before) in &before {
        let after = after.get(rule).cloned().unwrap_or_default();
        let told = |outcomes: &BTreeSet<String>| {
            outcomes.contains("Fail") || outcomes.contains("Remark") || outcomes.contains("NotChecked")
        };
        if told(before) && after.contains("Pass") && !told(&after) {
            broken.push(format!("{rule} passes"));
        }
    }
    let errors = |report: &Report| -> BTreeSet<String> {
        let errors = report.checks.iter().filter(|it| it.outcome == Outcome::Fail && it.severity == Severity::Error);
        errors.map(|check| check.rule.clone()).collect()
    };
    let unchecked = |report: &Report| -> BTreeSet<(String, Option<String>)> {
        let unchecked = report.checks.iter().filter(|check| check.outcome == Outcome::NotChecked);
        unchecked.map(|check| (check.rule.clone(), check.reason.clone())).collect()
    };
    if errors(less).is_empty() && !errors(whole).is_empty() && unchecked(less) == unchecked(whole) {
        broken.push(format!("{:?} vanish without a word", errors(whole)));
    }
    broken
}

#[test]
fn no_part_of_a_good_snapshot_is_missed_silently() {
    let rules = RuleSet::built_in().unwrap();
    let good = good_snapshot().unwrap();
    let tree = serde_json::to_value(&good).unwrap();
    let whole = report_of(&rules, &good);
    let mut all = Vec::new();
    paths(&tree, "", &mut all);
    let mut wrong = Vec::new();
    for path in &all {
        let Some(snapshot) = without(&tree, path) else { continue };
        let less = report_of(&rules, &snapshot);
        wrong.extend(broken(&whole, &less).into_iter().map(|wrong| format!("{path}: {wrong}")));
        let told = less
            .checks
            .iter()
            .any(|check| matches!(check.outcome, Outcome::Fail | Outcome::Remark | Outcome::NotChecked));
        if !told && !is_not_read(path) && !leaves_no_trace(path) {
            wrong.push(format!("{path} is not missed"));
        }
    }
    assert!(all.len() > 300 && wrong.is_empty(), "{} paths\n{}", all.len(), wrong.join("\n"));
}

#[test]
fn nothing_that_fails_passes_for_want_of_a_part() {
    let rules = RuleSet::built_in().unwrap();
    let good = good_snapshot().unwrap();
    let mut wrong = Vec::new();
    let mut tried = 0_usize;
    for (index, rule) in rules.rules.iter().enumerate() {
        let Some(case) = rule.cases.fail.first() else { continue };
        let Ok(snapshot) = patched(&good, &case.value) else { continue };
        let tree = serde_json::to_value(&snapshot).unwrap();
        let whole = report_of(&rules, &snapshot);
        let mut all = Vec::new();
        paths(&tree, "", &mut all);
        // A part of the branches and of the leaves: another part for each rule.
        let chosen = all.iter().enumerate().filter(|(at, path)| {
            let every = if path.matches('/').count() < 3 { 8 } else { 100 };
            (at + index).is_multiple_of(every) && !leaves_no_trace(path)
        });
        for (_, path) in chosen {
            let Some(snapshot) = without(&tree, path) else { continue };
            let broken = broken(&whole, &report_of(&rules, &snapshot));
            wrong.extend(broken.into_iter().map(|broken| format!("{}, without {path}: {broken}", rule.id)));
            tried += 1;
        }
    }
    assert!(tried > 500 && wrong.is_empty(), "{tried} tried\n{}", wrong.join("\n"));
}

/// One fault gives one finding: what a rule requires and the rule itself never fail together, however mild the first
/// is made by its `severity_if`.
#[test]
fn no_rule_fails_beside_one_that_it_requires() {
    let rules = RuleSet::built_in().unwrap();
    let good = good_snapshot().unwrap();
    let mut together = BTreeSet::new();
    let cases = rules.rules.iter().flat_map(|rule| rule.cases.fail.iter().chain(&rule.cases.not_applicable));
    for snapshot in cases.filter_map(|case| patched(&good, &case.value).ok()) {
        let report = report_of(&rules, &snapshot);
        let failed = |id: &str| report.checks.iter().any(|check| check.outcome == Outcome::Fail && check.rule == id);
        for rule in rules.rules.iter().filter(|rule| failed(&rule.id)) {
            let required = rule.requires.iter().filter(|id| failed(id));
            together.extend(required.map(|id| format!("{} beside {id}", rule.id)));
        }
    }
    assert_eq!(together, BTreeSet::new());
}
