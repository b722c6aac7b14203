//! The cases of rules over TLS reports: patches over good reports. Used by `cases`.
//!
//! Of a rule `over: report` the paths are those of the report's JSON: `policies.0.policy.policy-type: dane-only`. `null`
//! removes, `absent` writes a `null`, `json` is the whole text. Of a rule `over: reports` they begin with the number of
//! the report, or `*`. Beside them, `arrived.…`, `asked_for` and `at` say what reports do not.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::model::Case;
use super::patch::set;
use crate::facts::{Facts, Over};
use crate::tls_reports::duplicates::Distinct;
use crate::tls_reports::model::{MailOrigin, TlsReport};
use crate::tls_reports::read::read;
use crate::tls_reports::sums::digest;

/// Three reports about one domain, in which nothing is odd: what cases patch.
const GOOD: &str = include_str!("../../fixtures/good/tls-reports.json");
/// When cases look at them, where they do not say.
const AT: &str = "2026-11-23T12:00:00Z";

/// The facts that a case makes.
pub fn facts_of_case(over: Over, case: &Case) -> Result<Facts, String> {
    let good: Vec<Value> = serde_json::from_str(GOOD).map_err(|error| error.to_string())?;
    let outside = |path: &str| path == "asked_for" || path == "at" || path == "json" || path.starts_with("arrived.");
    let (outside, patch): (BTreeMap<_, _>, BTreeMap<_, _>) =
        case.value.iter().map(|(path, value)| (path.as_str(), value)).partition(|(path, _)| outside(path));
    if over == Over::Reports {
        let mut all = Value::Array(good);
        patched(&mut all, &patch)?;
        let reports = all.as_array().into_iter().flatten().map(|report| parsed(&report.to_string()));
        let digest = digest(&Distinct::of(reports.collect::<Result<Vec<_>, _>>()?));
        let at = outside.get("at").and_then(|at| at.as_str()).unwrap_or(AT);
        let at: Timestamp = at.parse().map_err(|_| format!("`at`: `{at}` is not a valid time"))?;
        return Ok(Facts::of_reports(&digest, 0, at));
    }
    let mut one = good.into_iter().next().unwrap_or_default();
    patched(&mut one, &patch)?;
    let text = outside.get("json").and_then(|json| json.as_str()).map_or_else(|| format!("{one:#}"), str::to_owned);
    let mut report = parsed(&text)?;
    arrived(&mut report, &outside)?;
    let asked_for = outside.get("asked_for").and_then(|list| list.as_array());
    let asked_for: Option<Vec<String>> =
        asked_for.map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    Ok(Facts::of_report(&report, asked_for.as_deref()))
}

fn parsed(text: &str) -> Result<TlsReport, String> {
    read("case", text.as_bytes()).map_err(|broken| format!("it is not a report: {}", broken.reason))
}

fn patched(tree: &mut Value, patch: &BTreeMap<&str, &Value>) -> Result<(), String> {
    for (path, value) in patch {
        let segments: Vec<&str> = path.split('.').collect();
        set(tree, &segments, value)
            .map_err(|segment| format!("`{path}`: there is no `{segment}` in the good report"))?;
    }
    absent_to_null(tree);
    Ok(())
}

/// A `null` in the JSON, which in a patch would remove.
fn absent_to_null(tree: &mut Value) {
    match tree {
        Value::Array(items) => items.iter_mut().for_each(absent_to_null),
        Value::Object(map) => map.values_mut().for_each(absent_to_null),
        Value::String(text) if text == "absent" => *tree = Value::Null,
        _ => {}
    }
}

fn arrived(report: &mut TlsReport, outside: &BTreeMap<&str, &Value>) -> Result<(), String> {
    for (path, value) in outside {
        let Some(name) = path.strip_prefix("arrived.") else { continue };
        let text = value.as_str().map(str::to_owned);
        match name {
            "file_name" => report.file_name = text,
            "from" => report.mail.get_or_insert_with(MailOrigin::default).from = text,
            "media_type" => report.media_type = text,
            "report_domain" => report.mail.get_or_insert_with(MailOrigin::default).report_domain = text,
            "submitter" => report.mail.get_or_insert_with(MailOrigin::default).submitter = text,
            other => return Err(format!("`{path}`: there is no `{other}` there")),
        }
    }
    Ok(())
}
