//! Code Quality of GitLab: a list of findings for the widget of a merge request.

use serde::Serialize;

use super::fingerprint::{Fingerprints, digest_of};
use super::json::document_of;
use super::place::{Place, path_of};
use super::wording::{decided, domain, one_line, shortened, what};
use super::{Linted, Results, Unreadable};
use crate::outcome::{Check, Severity};

/// The longest description, in characters.
const LONGEST: usize = 2_000;

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

/// The findings as one JSON document. What is in no file is under a path that begins with `mta-sts/`.
pub fn gitlab(results: &Results<'_>) -> Result<String, serde_json::Error> {
    let mut fingerprints = Fingerprints::default();
    let mut issues = Vec::new();
    for linted in results.linted {
        for check in linted.report.findings() {
            issues.push(issue(linted, check, fingerprints.of(linted, check)));
        }
    }
    issues.extend(results.unreadable.iter().map(unread));
    document_of(&issues)
}

/// An input of which nothing is known, so that its absence from the list is no good news.
fn unread(input: &Unreadable) -> Issue {
    let path = one_line(&input.name);
    Issue {
        description: shortened(&one_line(&input.sentence()), LONGEST),
        check_name: "unreadable".to_owned(),
        fingerprint: digest_of(&format!("unreadable {path}")),
        severity: "blocker",
        location: Location { path, lines: Lines { begin: 1 } },
    }
}

fn issue(linted: &Linted, check: &Check, fingerprint: String) -> Issue {
    let place = check.location.as_ref().and_then(|location| Place::of(linted, location));
    let file = place.as_ref().and_then(|place| place.file);
    let decided: String = decided(linted, check).iter().map(|decided| format!(" [{decided}]")).collect();
    let of = if linted.report.domain.is_some() { format!("{}: ", domain(linted)) } else { String::new() };
    Issue {
        description: shortened(&one_line(&format!("{of}{}{decided}", what(check))), LONGEST),
        check_name: check.rule.clone(),
        fingerprint,
        severity: match check.severity {
            Severity::Error => "critical",
            Severity::Note | Severity::Remark => "info",
            Severity::Warning => "minor",
        },
        location: Location {
            path: file.map_or_else(|| path_of(linted), str::to_owned),
            lines: Lines { begin: place.as_ref().filter(|place| place.file.is_some()).map_or(1, |place| place.line) },
        },
    }
}
