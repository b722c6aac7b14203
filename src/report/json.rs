//! The full report for machines: `--format json` (one document) and `jsonl` (a domain a line).

mod v1;

use serde::Serialize;

use super::stream::{Stream, WriteError};
use super::{Linted, Results, Unreadable};
use crate::outcome::{Check, FOLLOWS_FROM, Outcome, REPORT_SCHEMA, Report};
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
    line_of(report, false)
}

/// The same without the checks that passed or do not apply, which the summary still counts.
pub fn json_line_briefly(report: &Report) -> Result<String, serde_json::Error> {
    line_of(report, true)
}

fn line_of(report: &Report, briefly: bool) -> Result<String, serde_json::Error> {
    let mut line = v1::Line { schema: REPORT_SCHEMA, stslint: env!("CARGO_PKG_VERSION"), report: report.into() };
    if briefly {
        line.report.checks = report.checks.iter().filter(|check| is_worth_a_word(check)).map(Into::into).collect();
        let shown = |name: &str| report.points_into(name);
        line.report.exhibits.retain(|name, _| shown(name));
    }
    serde_json::to_string(&line).map(|text| printable_json(&text) + "\n")
}

/// Whether a check says something of the domain: a finding, a remark, or why nothing is known.
fn is_worth_a_word(check: &Check) -> bool {
    match check.outcome {
        Outcome::Fail | Outcome::NotChecked | Outcome::Remark => true,
        // Another finding hides it: it neither passed nor is it known not to concern the domain.
        Outcome::NotApplicable => check.reason.as_deref().is_some_and(|reason| reason.starts_with(FOLLOWS_FROM)),
        Outcome::Pass => false,
    }
}

/// The one document as the domains come: each report is written and not kept.
#[derive(Debug, Default)]
pub struct Document {
    begun: bool,
}

impl Stream for Document {
    fn linted(&mut self, linted: &Linted) -> Result<String, WriteError> {
        let report: v1::Report<'_> = (&linted.report).into();
        let text = indented(&serde_json::to_string_pretty(&report)?, 4);
        Ok(if std::mem::replace(&mut self.begun, true) { format!(",\n{text}") } else { format!("{}{text}", head()) })
    }

    fn unreadable(&mut self, _: &Unreadable) -> Result<String, WriteError> {
        Ok(String::new())
    }

    fn finish(&mut self, results: &Results<'_>) -> Result<String, WriteError> {
        if !self.begun {
            return Ok(json(results)?);
        }
        let unreadable: Vec<v1::Unreadable<'_>> = results.unreadable.iter().map(Into::into).collect();
        let unreadable = serde_json::to_string_pretty(&unreadable)?;
        Ok(format!("\n  ],\n  \"unreadable\": {}\n}}\n", indented(&unreadable, 2).trim_start()))
    }
}

/// The document up to its first report.
fn head() -> String {
    format!("{{\n  \"schema\": {REPORT_SCHEMA},\n  \"stslint\": \"{}\",\n  \"results\": [\n", env!("CARGO_PKG_VERSION"))
}

/// A JSON text with so many blanks before each line: no text in it has a line ending.
fn indented(json: &str, blanks: usize) -> String {
    let blanks = " ".repeat(blanks);
    let lines: Vec<String> = printable_json(json).lines().map(|line| format!("{blanks}{line}")).collect();
    lines.join("\n")
}

/// An indented JSON document that is safe to print.
pub fn document_of(document: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(document).map(|text| printable_json(&text) + "\n")
}
