//! The cases beside a rule: patches over a good snapshot on which it must pass, fail, or not be judged.
//!
//! A patch is RFC 7396 style with dotted keys: `policy.body: "…"`, `mx_hosts.0.probes.*.tls.trust.verdict:
//! self_signed`. `null` removes, and what is removed was not observed; `policy: absent` is known to be absent. `record.text` and `tlsrpt.text` set
//! the one TXT record, `snapshot: FILE` starts from another snapshot, `held: TEXT` is a policy that senders may hold and
//! `last_served: TIME` when it was last served, `tags: [core]` and `groups: [retail]` say what the
//! configuration would.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::case_words::snapshot_words;
use super::evaluate::{evaluate, evaluate_only};
use super::load::RuleSet;
use super::model::Case;
use super::patch::set;
use super::report_cases::facts_of_case;
use super::rule::Rule;
use crate::facts::{Before, Facts, HeldPolicy, Over};
use crate::outcome::{Outcome, Report};
use crate::snapshot::{self, Snapshot};
use crate::source_text::nearest;

/// The text of the snapshot of a domain that does everything right: what cases patch.
pub const GOOD: &str = include_str!("../../fixtures/good/snapshot.yaml");

/// The snapshot of a domain that does everything right: what cases patch.
pub fn good_snapshot() -> Result<Snapshot, snapshot::ReadError> {
    snapshot::parse("fixtures/good/snapshot.yaml", GOOD, Some(snapshot::Format::Yaml))
}

/// Reads the snapshot that a case names: the rule's file first, `None` for a built-in rule, then the case's.
pub type ReadCase<'a> = dyn Fn(Option<&Path>, &str) -> Result<Snapshot, String> + 'a;

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
    /// The file that the rule stands in.
    pub file: String,
    /// What the case says.
    pub expected: Expected,
    /// The line of the file that it stands in, counted from 1.
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
                    CaseOutcome::BadPatch(_) if rule.over == Over::Domain => {
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
    let plain = |case: &&Case| !case.value.contains_key("snapshot");
    let case = rule.cases.fail.iter().find(plain)?;
    let no_files = |_: Option<&Path>, _: &str| Err("no files here".to_owned());
    let facts = facts_of(rule, good, case, &no_files).ok()?;
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
    match facts_of(rule, good, case, read) {
        Ok(facts) => judged(rules, rule, expected, &facts),
        Err(error) => CaseOutcome::BadPatch(format!("cannot be made: {error}")),
    }
}

/// The facts that a case makes.
fn facts_of(rule: &Rule, good: &Snapshot, case: &Case, read: &ReadCase<'_>) -> Result<Facts, String> {
    match rule.over {
        Over::Domain => {
            let (snapshot, baseline) = applied(rule, good, case, read)?;
            let held = held(case)?;
            let before = held.as_ref().map(Before::Held).or(baseline.as_ref().map(Before::Baseline));
            Ok(with_membership(Facts::beside(&snapshot, before), case))
        }
        Over::Report | Over::Reports => facts_of_case(rule.over, case),
    }
}

/// What a case says beside its snapshot.
const OUTSIDE: [&str; 5] = ["baseline", "groups", "held", "last_served", "tags"];

/// The policy that a case says senders may hold.
fn held(case: &Case) -> Result<Option<HeldPolicy>, String> {
    let Some(Value::String(body)) = case.value.get("held") else { return Ok(None) };
    let served = match case.value.get("last_served") {
        Some(Value::String(time)) => Some(snapshot::instant(time).ok_or(format!("`{time}` is not a valid time"))?),
        _ => None,
    };
    Ok(Some(HeldPolicy::new(body.clone().into_bytes(), served)))
}

/// The facts with the tags and groups that a case gives its domain, as a configuration would.
fn with_membership(facts: Facts, case: &Case) -> Facts {
    let names = |key: &str| -> BTreeSet<String> {
        match case.value.get(key) {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(name)) => BTreeSet::from([name.clone()]),
            _ => BTreeSet::new(),
        }
    };
    facts.with_membership(&names("tags"), &names("groups"))
}

/// The snapshot of a case, and its baseline where it speaks of one.
fn applied(
    rule: &Rule,
    good: &Snapshot,
    case: &Case,
    read: &ReadCase<'_>,
) -> Result<(Snapshot, Option<Snapshot>), String> {
    let mut base = good.clone();
    let mut patch = case.value.clone();
    if let Some(Value::String(file)) = case.value.get("snapshot") {
        patch.remove("snapshot");
        base = read(rule.path.as_deref(), file)?;
    }
    let older: BTreeMap<String, Value> = patch
        .iter()
        .filter_map(|(path, value)| Some((path.strip_prefix("baseline.")?.to_owned(), value.clone())))
        .collect();
    patch.retain(|path, _| !path.starts_with("baseline.") && !OUTSIDE.contains(&path.as_str()));
    let with_baseline = case.value.keys().any(|path| path.starts_with("baseline"));
    let baseline = if with_baseline { Some(patched(good, &older)?) } else { None };
    Ok((patched(&base, &patch)?, baseline))
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

/// The snapshot with a patch applied.
pub(super) fn patched(snapshot: &Snapshot, patch: &BTreeMap<String, Value>) -> Result<Snapshot, String> {
    let good = serde_json::to_value(snapshot).map_err(|error| error.to_string())?;
    let mut tree = good.clone();
    for (path, value) in patch {
        apply(&mut tree, path, value)?;
    }
    let error = match serde_json::from_value(tree) {
        Ok(snapshot) => return Ok(snapshot),
        Err(error) => error,
    };
    // Which of the changes it was: the first that cannot be read by itself.
    for (path, value) in patch {
        let mut alone = good.clone();
        apply(&mut alone, path, value)?;
        if let Err(error) = serde_json::from_value::<Snapshot>(alone) {
            return Err(format!("`{path}`: {}", in_plain_words(&error.to_string())));
        }
    }
    Err(in_plain_words(&error.to_string()))
}

/// What the reader of snapshots says, as the rest of the program speaks.
fn in_plain_words(said: &str) -> String {
    if let Some((field, known)) = said.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) {
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let help = match nearest(field, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known there: {}", known.join(", ")),
        };
        return format!("a snapshot has no `{field}` there; {help}");
    }
    match said.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected ")) {
        Some((found, wanted)) => {
            let wanted = wanted.replace("a string", "a text").replace("a sequence", "a list");
            let wanted = if wanted.starts_with("struct ") { "a mapping".to_owned() } else { wanted };
            format!("this is {}, where {wanted} belongs", found.replace("string", "the text"))
        }
        None => said.to_owned(),
    }
}

fn apply(tree: &mut Value, path: &str, value: &Value) -> Result<(), String> {
    if let Some(lookup) = path.strip_suffix(".text").filter(|lookup| ["record", "tlsrpt"].contains(lookup)) {
        let texts = match value {
            Value::Array(texts) => texts.clone(),
            text => vec![text.clone()],
        };
        let records: Vec<Value> = texts.iter().map(|text| json!({ "strings": [text] })).collect();
        merge(tree, lookup, &json!({ "outcome": "answer", "records": records }));
        return Ok(());
    }
    if value == "absent" && !path.contains('.') {
        // Known to be absent, where `null` would only remove.
        if let Some(tree) = tree.as_object_mut() {
            tree.insert(path.to_owned(), Value::Null);
        }
        return Ok(());
    }
    let segments: Vec<&str> = path.split('.').collect();
    set(tree, &segments, value).map_err(|segment| format!("`{path}`: there is no `{segment}` in the good snapshot"))
}

fn merge(tree: &mut Value, key: &str, patch: &Value) {
    if let (Some(tree), Some(patch)) = (tree.as_object_mut(), patch.as_object()) {
        let target = tree.entry(key).or_insert_with(|| json!({}));
        for (key, value) in patch {
            if let Some(target) = target.as_object_mut() {
                target.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_reach_into_lists_and_remove() {
        let mut tree = json!({ "a": [{ "b": 1 }, { "b": 2 }], "c": { "d": 1 } });
        for (path, value) in
            [("a.*.b", json!(3)), ("a.1.e", json!("x")), ("c.d", Value::Null), ("f.g", json!(1)), ("a.0", Value::Null)]
        {
            apply(&mut tree, path, &value).unwrap();
        }
        assert_eq!(tree, json!({ "a": [{ "b": 3, "e": "x" }], "c": {}, "f": { "g": 1 } }));
        assert!(apply(&mut tree, "a.7.b", &json!(1)).unwrap_err().contains("`7`"));
    }
}
