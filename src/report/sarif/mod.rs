//! SARIF 2.1.0 (OASIS), for code scanning services and editors.
//!
//! A finding in the user's own policy file points into that file; any other points into an exhibit, which is
//! embedded as an artifact, so that its region means something.

mod artifacts;
mod descriptors;
mod message;

use serde_json::{Value, json};

use self::artifacts::Artifacts;
use self::descriptors::Descriptors;
use self::message::message;
use super::fingerprint::Fingerprints;
use super::json::document_of;
use super::place::path_of;
use super::wording::{domain, lines, what};
use super::{Linted, Results};
use crate::outcome::{Check, Ignored, Outcome, Severity};

/// The reports as one document with one run.
pub fn sarif(results: &Results<'_>) -> Result<String, serde_json::Error> {
    let descriptors = Descriptors::of(results);
    let mut artifacts = Artifacts::default();
    let mut fingerprints = Fingerprints::default();
    let mut found = Vec::new();
    for linted in results.linted {
        for check in linted.report.findings().into_iter().chain(linted.report.remarks()) {
            let fingerprint = fingerprints.of(linted, check);
            found.push(result(linted, check, &fingerprint, &descriptors, &mut artifacts));
        }
        found.extend(
            linted.report.ignored.iter().map(|ignored| suppressed(linted, ignored, &descriptors, &mut fingerprints)),
        );
    }
    document_of(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "stslint",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": descriptors.list(),
            } },
            "columnKind": "unicodeCodePoints",
            "newlineSequences": ["\n"],
            "invocations": [{
                "executionSuccessful": results.unreadable.is_empty() && !results.linted.is_empty(),
                "toolExecutionNotifications": notifications(results, &descriptors),
            }],
            "artifacts": artifacts.list(),
            "results": found,
        }],
    }))
}

fn result(
    linted: &Linted,
    check: &Check,
    fingerprint: &str,
    descriptors: &Descriptors,
    artifacts: &mut Artifacts,
) -> Value {
    let help = check.help.as_deref().map(|help| format!("\n{help}")).unwrap_or_default();
    let mut result = json!({
        "ruleId": check.rule,
        "ruleIndex": descriptors.index(&check.rule),
        "kind": if check.outcome == Outcome::Remark { "informational" } else { "fail" },
        "level": level(check.severity),
        "message": message(&format!("{}{help}", what(check))),
        "locations": [artifacts.location(linted, check)],
        "partialFingerprints": { "stslint/v1": fingerprint },
    });
    let fixes: Vec<Value> = check.fix.iter().filter_map(|fix| artifacts.fix(linted, fix)).collect();
    let mut related: Vec<Value> = check.related.iter().map(|related| artifacts.related(linted, related)).collect();
    let decided = linted.report.configured.get(&check.rule).into_iter().flatten();
    related.extend(decided.filter_map(|decision| artifacts.decision(linted, decision)));
    for (key, list) in [("fixes", fixes), ("relatedLocations", related)] {
        if let (false, Some(result)) = (list.is_empty(), result.as_object_mut()) {
            result.insert(key.to_owned(), list.into());
        }
    }
    result
}

/// The level of a severity (§3.27.10): what is no failure has none.
pub fn level(severity: Severity) -> &'static str {
    if severity == Severity::Remark { "none" } else { severity.word() }
}

/// A finding that the configuration accepts (§3.35). It has lost its place in the text.
fn suppressed(linted: &Linted, ignored: &Ignored, descriptors: &Descriptors, fingerprints: &mut Fingerprints) -> Value {
    let said = format!("{}: {}", domain(linted), ignored.message);
    let why = format!("{} (until {}, {})", ignored.reason, ignored.until, ignored.by);
    json!({
        "ruleId": ignored.rule,
        "ruleIndex": descriptors.index(&ignored.rule),
        "level": level(ignored.severity),
        "message": message(&said),
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": path_of(linted) } } }],
        "partialFingerprints": {
            "stslint/v1": fingerprints.named(linted, &ignored.rule, ignored.subject.as_ref()),
        },
        "suppressions": [{ "kind": "external", "justification": lines(&why) }],
    })
}

/// What was not checked, and what could not be read at all.
fn notifications(results: &Results<'_>, descriptors: &Descriptors) -> Vec<Value> {
    let mut notifications = Vec::new();
    for input in results.unreadable {
        notifications.push(json!({ "level": "error", "message": message(&input.sentence()) }));
    }
    for linted in results.linted {
        let mut said: Vec<(&str, Option<&str>)> = Vec::new();
        for check in linted.report.checks.iter().filter(|check| check.outcome == Outcome::NotChecked) {
            if said.contains(&(&check.rule, check.reason.as_deref())) {
                continue;
            }
            said.push((&check.rule, check.reason.as_deref()));
            let reason = check.reason.as_deref().unwrap_or("the reason is not known");
            notifications.push(json!({
                "level": "note",
                "message": message(&format!("{}: {} was not checked: {reason}", domain(linted), check.rule)),
                "associatedRule": { "id": check.rule, "index": descriptors.index(&check.rule) },
            }));
        }
    }
    notifications
}
