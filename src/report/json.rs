//! The full report for machines: `--format json` (one document) and `jsonl` (a domain a line).

use schemars::JsonSchema;
use serde::Serialize;

use super::{Results, Unreadable};
use crate::outcome::{REPORT_SCHEMA, Report};
use crate::source_text::printable_json;

/// The JSON document of one or more reports.
#[derive(Debug, JsonSchema, Serialize)]
pub struct JsonReport<'a> {
    /// The version of this format.
    pub schema: u32,
    /// The version of stslint.
    pub stslint: &'static str,
    /// One report a domain, in the order in which they were asked for.
    pub results: Vec<&'a Report>,
    /// The inputs that could not be read, so that nothing is known of them.
    pub unreadable: &'a [Unreadable],
}

/// The reports as one indented JSON document.
pub fn json(results: &Results<'_>) -> Result<String, serde_json::Error> {
    let document = JsonReport {
        schema: REPORT_SCHEMA,
        stslint: env!("CARGO_PKG_VERSION"),
        results: results.linted.iter().map(|linted| &linted.report).collect(),
        unreadable: results.unreadable,
    };
    document_of(&document)
}

/// One report as a line of JSON, with the versions in it.
pub fn json_line(report: &Report) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Line<'a> {
        schema: u32,
        stslint: &'static str,
        #[serde(flatten)]
        report: &'a Report,
    }
    let line = Line { schema: REPORT_SCHEMA, stslint: env!("CARGO_PKG_VERSION"), report };
    serde_json::to_string(&line).map(|text| printable_json(&text) + "\n")
}

/// An indented JSON document that is safe to print.
pub fn document_of(document: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(document).map(|text| printable_json(&text) + "\n")
}
