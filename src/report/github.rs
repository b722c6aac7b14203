//! Workflow commands of GitHub Actions, one per finding: annotations in the run, and in the policy file where one was
//! given.

use super::place::Place;
use super::wording::counted;
use super::wording::{decided, domain, lines, shortened, what};
use super::{Linted, Unreadable};
use crate::outcome::{Check, Severity};
use crate::source_text::without_runner_commands;

/// The longest message, in characters; the service cuts longer ones without a word.
const LONGEST: usize = 4_000;

/// So many errors, so many warnings and so many notices of one step are shown as annotations; the service drops the rest.
const MOST: usize = 10;

/// The findings of one domain, one command for each: `::error file=…,line=…,title=…::message`.
pub fn github(linted: &Linted) -> String {
    let commands: String = linted.report.findings().iter().map(|check| command(linted, check)).collect();
    without_runner_commands(&commands, "\\#")
}

/// An error for an input of which nothing is known.
pub fn github_unreadable(unreadable: &Unreadable) -> String {
    let said = escaped(&shortened(&lines(&unreadable.sentence()), LONGEST));
    without_runner_commands(&format!("::error title=stslint::{said}\n"), "\\#")
}

/// How many annotations a step has asked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Annotations {
    errors: usize,
    warnings: usize,
    notices: usize,
}

impl Annotations {
    /// Counts those of one domain.
    pub fn add(&mut self, linted: &Linted) {
        for check in linted.report.findings() {
            let count = match check.severity {
                Severity::Error => &mut self.errors,
                Severity::Note | Severity::Remark => &mut self.notices,
                Severity::Warning => &mut self.warnings,
            };
            *count = count.saturating_add(1);
        }
    }

    /// Counts that of an input of which nothing is known.
    pub fn add_unreadable(&mut self) {
        self.errors = self.errors.saturating_add(1);
    }

    /// What the service does not show, and where it is; empty where it shows everything.
    pub fn left_out(&self, in_summary: bool) -> String {
        let kinds = [(self.errors, "error"), (self.warnings, "warning"), (self.notices, "notice")];
        let more = |(number, kind): (usize, &str)| match number.saturating_sub(MOST) {
            0 => None,
            more => Some(counted(more, kind)),
        };
        let more: Vec<String> = kinds.into_iter().filter_map(more).collect();
        if more.is_empty() {
            return String::new();
        }
        let place = if in_summary { "in this log and in the summary of the step" } else { "in this log" };
        format!(
            "::notice title=stslint::GitHub shows only the first {MOST} annotations of each level for a step. The other {} are {place}.\n",
            more.join(", ")
        )
    }
}

fn command(linted: &Linted, check: &Check) -> String {
    let level = match check.severity {
        Severity::Error => "error",
        Severity::Note | Severity::Remark => "notice",
        Severity::Warning => "warning",
    };
    let place = check.location.as_ref().and_then(|location| Place::of(linted, location));
    let mut properties = Vec::new();
    if let Some((place, file)) = place.as_ref().and_then(|place| Some((place, place.file?))) {
        properties.push(("file", file.to_owned()));
        properties.push(("line", place.line.to_string()));
        properties.push(("endLine", place.end_line.to_string()));
        // Columns are shown only within one line.
        if place.line == place.end_line {
            properties.push(("col", place.column.to_string()));
            properties.push(("endColumn", place.end_column.to_string()));
        }
    }
    let title = match &linted.report.domain {
        Some(_) => format!("{} ({})", check.rule, domain(linted)),
        None => check.rule.clone(),
    };
    properties.push(("title", title));
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("{name}={}", property(value))).collect();
    format!("::{level} {}::{}\n", properties.join(","), message(linted, check))
}

fn message(linted: &Linted, check: &Check) -> String {
    let decided: String = decided(linted, check).iter().map(|decided| format!("\n{decided}")).collect();
    let help = check.help.as_deref().map(|help| format!("\n{help}")).unwrap_or_default();
    let text = format!("{}{help}{decided}\nSee {}", what(check), check.cites.join(", "));
    escaped(&shortened(&lines(&text), LONGEST))
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escaped(&crate::source_text::escape(text)).replace(':', "%3A").replace(',', "%2C")
}
