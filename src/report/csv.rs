//! The findings as CSV (RFC 4180), one per row, for spreadsheets and databases: `--format csv`.
//!
//! No cell can become a formula: spreadsheets take what begins with `=`, `+`, `-` or `@` for one.

use super::stream::{Stream, WriteError};
use super::wording::{domain, one_line, what};
use super::{Linted, Results, Unreadable};
use crate::outcome::Check;
use crate::source_text::without_runner_commands;

/// The columns, in their order; new ones are added at the end.
const COLUMNS: [&str; 14] = [
    "domain",
    "observed",
    "policy",
    "mail",
    "severity",
    "rule",
    "subject",
    "message",
    "help",
    "reported_as",
    "exhibit",
    "line",
    "cites",
    "group",
];

/// The rows as they come.
#[derive(Debug, Default)]
pub struct Csv {
    begun: bool,
}

impl Csv {
    fn rows(&mut self, rows: &[[String; 14]]) -> Result<String, WriteError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        if !std::mem::replace(&mut self.begun, true) {
            writer.write_record(COLUMNS)?;
        }
        for row in rows {
            writer.write_record(row.iter().map(|cell| inert(cell)))?;
        }
        let octets = writer.into_inner().map_err(|error| error.to_string())?;
        Ok(String::from_utf8(octets)?)
    }
}

impl Stream for Csv {
    fn linted(&mut self, linted: &Linted) -> Result<String, WriteError> {
        let rows: Vec<[String; 14]> = linted.report.findings().into_iter().map(|check| row(linted, check)).collect();
        self.rows(&rows)
    }

    fn unreadable(&mut self, unreadable: &Unreadable) -> Result<String, WriteError> {
        let mut row: [String; 14] = Default::default();
        let [name, _, _, _, severity, _, _, message, ..] = &mut row;
        name.clone_from(&unreadable.name);
        "unreadable".clone_into(severity);
        *message = unreadable.sentence();
        self.rows(&[row])
    }

    fn finish(&mut self, _: &Results<'_>) -> Result<String, WriteError> {
        self.rows(&[])
    }
}

fn row(linted: &Linted, check: &Check) -> [String; 14] {
    let state = linted.report.state.as_ref();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        domain(linted),
        text(&linted.report.collected_at),
        state.map(|state| state.policy.word().to_owned()).unwrap_or_default(),
        state.map(|state| state.mail.word().to_owned()).unwrap_or_default(),
        check.severity.word().to_owned(),
        check.rule.clone(),
        text(&check.subject),
        what(check),
        text(&check.help),
        check.reported_as.map(|kind| kind.to_string()).unwrap_or_default(),
        check.location.as_ref().map(|location| location.exhibit.clone()).unwrap_or_default(),
        check.location.as_ref().map(|location| location.line.to_string()).unwrap_or_default(),
        check.cites.join(", "),
        check.group.clone(),
    ]
}

/// The text in one line, which no spreadsheet takes for a formula and no runner of CI jobs for a command.
fn inert(text: &str) -> String {
    let text = without_runner_commands(&one_line(text), "\\#");
    if text.starts_with(['=', '+', '-', '@', '\t']) { format!("'{text}") } else { text }
}
