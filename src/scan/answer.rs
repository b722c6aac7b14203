//! The line of the output that answers a line of the input. Made by whoever looks at a domain, written by `output`.

use serde::{Deserialize, Serialize};

use super::columns::Row;
use super::input::{Entry, Meaning};
use crate::outcome::Report;
use crate::report::Linted;
use crate::report::json_line;
use crate::source_text;

/// The answer to a line.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Answer {
    /// The line of the output, with its line ending.
    pub main: String,
    /// The lines of the findings, where these are written.
    pub findings: String,
    /// The line of the snapshot, where these are written.
    pub snapshot: String,
    /// What became of the line of the input.
    pub fate: Fate,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Fate {
    /// The domain was looked at.
    #[default]
    Checked,
    /// The domain was looked at, and nothing could be checked.
    Unchecked,
    /// The domain is on the opt-out list.
    OptedOut,
    /// The line is blank or a comment.
    Skipped,
    /// The line names no domain.
    Wrong,
    /// The program failed.
    Broken,
}

impl Fate {
    /// The word for it in `kind`; `None` where there is no error.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Fate::Checked | Fate::Skipped => None,
            Fate::Unchecked => Some("unchecked"),
            Fate::OptedOut => Some("opted_out"),
            Fate::Wrong => Some("line"),
            Fate::Broken => Some("internal"),
        }
    }
}

/// What every line of the output begins with.
#[derive(Debug, Deserialize)]
pub struct Head {
    /// The number of the line in the input, from 1.
    pub line: u64,
    /// The domain as the line has it, or the beginning of a line that names none.
    pub input: String,
    /// What kind of error it is, where it is one.
    pub kind: Option<String>,
    /// Why the line names nothing, where it does not.
    pub skipped: Option<String>,
}

impl Head {
    /// Whether the domain was looked at, so that there is a snapshot of it.
    pub fn is_looked_at(&self) -> bool {
        self.skipped.is_none() && self.kind.as_deref().is_none_or(|kind| Some(kind) == Fate::Unchecked.word())
    }
}

/// A line of the output that is no report.
#[derive(Serialize)]
struct Short<'a> {
    line: u64,
    input: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<&'a str>,
}

impl<'a> Short<'a> {
    fn of(entry: &'a Entry) -> Self {
        Short { line: entry.line, input: &entry.text, error: None, kind: None, skipped: None }
    }

    fn text(&self) -> String {
        // Texts and numbers are always written.
        source_text::json_line(self).unwrap_or_default()
    }
}

/// What a line of the output looks like.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Form {
    /// The whole report.
    #[default]
    Report,
    /// A flat row.
    Columns,
}

impl Form {
    /// The answer to a line that names no domain; `None` where it names one.
    pub fn without_domain(self, entry: &Entry) -> Option<Answer> {
        match &entry.meaning {
            Meaning::Domain(_) => None,
            Meaning::Wrong(why) => Some(self.failed(entry, Fate::Wrong, why)),
            Meaning::Blank => Some(self.skipped(entry, "blank")),
            Meaning::Comment => Some(self.skipped(entry, "comment")),
        }
    }

    fn skipped(self, entry: &Entry, why: &str) -> Answer {
        let main = match self {
            Form::Report => Short { skipped: Some(why), ..Short::of(entry) }.text(),
            Form::Columns => Row { skipped: Some(why), ..Row::of(entry) }.text(),
        };
        Answer { main, fate: Fate::Skipped, ..Answer::default() }
    }

    /// The answer to a line of which nothing is known, with the reason.
    pub fn failed(self, entry: &Entry, fate: Fate, why: &str) -> Answer {
        let main = match self {
            Form::Report => Short { error: Some(why), kind: fate.word(), ..Short::of(entry) }.text(),
            Form::Columns => Row { error: Some(why), kind: fate.word(), ..Row::of(entry) }.text(),
        };
        Answer { main, fate, ..Answer::default() }
    }

    /// The line of a domain that was looked at, and what became of it.
    pub fn linted(self, entry: &Entry, linted: &Linted) -> Result<(String, Fate), serde_json::Error> {
        let report = &linted.report;
        let unchecked = report.nothing_checked().map(|reason| format!("nothing could be checked: {reason}"));
        let fate = if unchecked.is_some() { Fate::Unchecked } else { Fate::Checked };
        let error = unchecked.as_deref();
        let main = match self {
            Form::Report => report_line(entry, report, error)?,
            Form::Columns => Row { error, kind: fate.word(), ..Row::of_report(entry, report, &linted.snapshot) }.text(),
        };
        Ok((main, fate))
    }
}

/// The line of a report: that of `check --format jsonl`, with the line and the input in front.
fn report_line(entry: &Entry, report: &Report, error: Option<&str>) -> Result<String, serde_json::Error> {
    let kind = error.and(Fate::Unchecked.word());
    let mut line = Short { error, kind, ..Short::of(entry) }.text();
    line.truncate(line.trim_end().len().saturating_sub(1));
    line.push(',');
    line.push_str(json_line(report)?.strip_prefix('{').unwrap_or("}"));
    Ok(line)
}

/// A finding as a flat row.
#[derive(Serialize)]
struct FindingRow<'a> {
    line: u64,
    input: &'a str,
    domain: Option<&'a str>,
    collected_at: Option<&'a str>,
    rule: &'a str,
    group: &'a str,
    severity: &'a str,
    subject: Option<&'a str>,
    message: Option<&'a str>,
    reported_as: Option<&'a str>,
    cites: String,
}

/// A line for each finding, the worst first.
pub fn finding_lines(entry: &Entry, report: &Report) -> String {
    let row = |check: &crate::outcome::Check| {
        let row = FindingRow {
            line: entry.line,
            input: &entry.text,
            domain: report.domain.as_deref(),
            collected_at: report.collected_at.as_deref(),
            rule: &check.rule,
            group: &check.group,
            severity: check.severity.word(),
            subject: check.subject.as_deref(),
            message: check.message.as_deref(),
            reported_as: check.reported_as.map(|kind| kind.word()),
            cites: check.cites.join(", "),
        };
        source_text::json_line(&row).unwrap_or_default()
    };
    report.findings().into_iter().map(row).collect()
}

/// The number by which an input is known again: the same for the same text, and never 0.
pub fn digest(input: &str) -> u32 {
    let fold = |hash: u32, octet: u8| (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193);
    input.bytes().fold(0x811c_9dc5, fold).max(1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn entry(text: &str, meaning: Meaning) -> Entry {
        Entry { line: 3, text: text.to_owned(), meaning }
    }

    #[test]
    fn every_answer_is_one_line_that_begins_with_what_it_answers() {
        let domain = Meaning::Domain(crate::grammar::names::DomainName::parse("a.example").unwrap());
        let line = report_line(&entry("a.example", domain), &Report::default(), Some("no }network{")).unwrap();
        let lines = [
            line,
            Form::Report.failed(&entry("\u{1b}[2J\n}", Meaning::Blank), Fate::Broken, "x").main,
            Form::Columns.failed(&entry("\u{1b}[2J\n}", Meaning::Blank), Fate::Broken, "x").main,
            Form::Report.without_domain(&entry("# x", Meaning::Comment)).unwrap().main,
            Form::Columns.without_domain(&entry("# x", Meaning::Comment)).unwrap().main,
        ];
        for line in lines {
            assert!(line.ends_with('\n') && line.trim_end().lines().count() == 1, "{line}");
            assert!(line.starts_with("{\"line\":3,\"input\":"), "{line}");
            serde_json::from_str::<serde_json::Value>(&line).unwrap();
            assert_eq!(serde_json::from_str::<Head>(&line).unwrap().line, 3);
        }
    }
}
