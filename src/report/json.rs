//! The full report for machines: `--format json` (one document) and `jsonl` (a domain a line).

mod v1;

use serde::Serialize;

use super::Results;
use crate::outcome::{REPORT_SCHEMA, Report};
use crate::source_text::printable_json;

pub use self::v1::{JsonReport, Line as JsonLine};

/// The reports as one indented JSON document.
pub fn json(results: &Results<'_>) -> Result<String, serde_json::Error> {
    let document = JsonReport {
        schema: REPORT_SCHEMA,
        stslint: env!("CARGO_PKG_VERSION"),
        results: results.linted.iter().map(|linted| (&linted.report).into()).collect(),
        unreadable: results.unreadable.iter().map(Into::into).collect(),
    };
    document_of(&document)
}

/// One report as a line of JSON, with the versions in it.
pub fn json_line(report: &Report) -> Result<String, serde_json::Error> {
    let line = v1::Line { schema: REPORT_SCHEMA, stslint: env!("CARGO_PKG_VERSION"), report: report.into() };
    serde_json::to_string(&line).map(|text| printable_json(&text) + "\n")
}

/// An indented JSON document that is safe to print.
pub fn document_of(document: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(document).map(|text| printable_json(&text) + "\n")
}
