//! SARIF 2.1.0 (OASIS), for code scanning services and editors.
//!
//! A finding in the user's own policy file points into that file; any other points into an exhibit, which is
//! embedded as an artifact, so that its region means something.

mod artifacts;
mod descriptors;
mod line_hash;
mod message;

use serde_json::{Value, json};

use self::artifacts::Artifacts;
use self::descriptors::Descriptors;
use self::line_hash::line_hashes;
use self::message::{link, message};
use super::fingerprint::Fingerprints;
use super::json::document_of;
use super::place::{Place, path_of};
use super::wording::{domain, lines, what};
use super::{Linted, Results};
use crate::outcome::{Check, Ignored, Outcome, Severity};
use crate::rules::BROKEN_RULE;

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
            "invocations": [invocation(results, &descriptors)],
            "artifacts": artifacts.list(),
            "results": found,
        }],
    }))
}

/// How the run went (§3.20): what could not be read or checked at all is no success, whatever the findings are.
fn invocation(results: &Results<'_>, descriptors: &Descriptors) -> Value {
    let checks = || results.linted.iter().flat_map(|linted| &linted.report.checks);
    let missing = results.linted.is_empty()
        || !results.unreadable.is_empty()
        || results.linted.iter().any(|linted| linted.report.nothing_checked().is_some())
        || checks().any(|check| check.rule == BROKEN_RULE || results.run.misses(check));
    let mut invocation = json!({
        "executionSuccessful": !missing,
        "toolExecutionNotifications": notifications(results, descriptors),
    });
    if let (Some(code), Some(invocation)) = (results.run.exit_code, invocation.as_object_mut()) {
        invocation.insert("exitCode".to_owned(), code.into());
        invocation.insert("exitCodeDescription".to_owned(), meaning(code).into());
    }
    invocation
}

/// What an exit code of `stslint check` means.
fn meaning(code: u8) -> &'static str {
    match code {
        0 => "nothing at or above --fail-on was found",
        1 => "there are findings at or above --fail-on, or an input could not be read",
        3 => "a check was not made, and --require-complete was given",
        _ => "nothing could be checked, or a rule could not be evaluated",
    }
}

fn result(
    linted: &Linted,
    check: &Check,
    fingerprint: &str,
    descriptors: &Descriptors,
    artifacts: &mut Artifacts,
) -> Value {
    let help = check.help.as_deref().map(|help| format!("\n{help}")).unwrap_or_default();
    let fixes: Vec<Value> = check.fix.iter().filter_map(|fix| artifacts.fix(linted, fix)).collect();
    let mut related: Vec<Value> = check.related.iter().map(|related| artifacts.related(linted, related)).collect();
    let decided = linted.report.configured.get(&check.rule).into_iter().flatten();
    related.extend(decided.filter_map(|decision| artifacts.decision(linted, decision)));
    let links: String = related.iter_mut().enumerate().map(|(id, place)| format!("\n{}", link(place, id))).collect();
    let mut said = message(&format!("{}{help}", what(check)));
    if let Some(Value::String(text)) = said.get_mut("text") {
        text.push_str(&links);
    }
    let mut result = json!({
        "ruleId": check.rule,
        "ruleIndex": descriptors.index(&check.rule),
        "kind": if check.outcome == Outcome::Remark { "informational" } else { "fail" },
        "level": level(check.severity),
        "message": said,
        "locations": [artifacts.location(linted, check)],
        "partialFingerprints": {
            "primaryLocationLineHash": line_hash(linted, check).unwrap_or_else(|| format!("{fingerprint}:1")),
            "stslint/v1": fingerprint,
        },
    });
    for (key, list) in [("fixes", fixes), ("relatedLocations", related)] {
        if let (false, Some(result)) = (list.is_empty(), result.as_object_mut()) {
            result.insert(key.to_owned(), list.into());
        }
    }
    result
}

/// What code scanning follows an alert by, where the finding is in a file of the user's own. Whatever is in none has no
/// line there, and is followed by the finding's own fingerprint.
fn line_hash(linted: &Linted, check: &Check) -> Option<String> {
    let place = Place::of(linted, check.location.as_ref()?).filter(|place| place.file.is_some())?;
    line_hashes(place.text).into_iter().nth(place.line.checked_sub(1)?)
}

/// The level of a severity (§3.27.10): what is no failure has none.
pub fn level(severity: Severity) -> &'static str {
    if severity == Severity::Remark { "none" } else { severity.word() }
}

/// A finding that the configuration accepts (§3.35). It has lost its place in the text.
fn suppressed(linted: &Linted, ignored: &Ignored, descriptors: &Descriptors, fingerprints: &mut Fingerprints) -> Value {
    let said = format!("{}: {}", domain(linted), ignored.message);
    let why = format!("{} (until {}, {})", ignored.reason, ignored.until, ignored.by);
    let fingerprint = fingerprints.named(linted, &ignored.rule, ignored.subject.as_ref());
    json!({
        "ruleId": ignored.rule,
        "ruleIndex": descriptors.index(&ignored.rule),
        "level": level(ignored.severity),
        "message": message(&said),
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": path_of(linted) } } }],
        "partialFingerprints": {
            "primaryLocationLineHash": format!("{fingerprint}:1"),
            "stslint/v1": fingerprint,
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
                "level": if results.run.misses(check) { "error" } else { "note" },
                "message": message(&format!("{}: {} was not checked: {reason}", domain(linted), check.rule)),
                "associatedRule": { "id": check.rule, "index": descriptors.index(&check.rule) },
            }));
        }
    }
    notifications
}
