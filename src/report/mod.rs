//! One `Report`, many formats: each file here is a thin function from the report to text.
//!
//! `cli` chooses the format and prints; nothing here reads a clock, an environment or a socket.

mod certificates;
pub mod comparison;
mod concise;
mod csv;
mod fingerprint;
mod fleet;
mod format;
mod github;
mod gitlab;
pub mod html;
mod human;
mod json;
mod junit;
mod keep;
mod markdown;
mod nagios;
mod place;
mod prometheus;
pub mod rule_page;
mod run;
mod sarif;
mod stream;
pub mod symptoms;
mod tls_digest;
pub mod tls_reports;
mod wording;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

pub use self::concise::{concise, concise_unreadable};
pub use self::format::Written;
pub use self::github::{Annotations, github, github_unreadable};
pub use self::gitlab::gitlab;
pub use self::html::{html, html_folder, html_tls_reports};
pub use self::human::{Page, Style, ascii, human, human_tls_reports, render};
pub use self::json::{JsonLine, JsonReport, json, json_line, json_line_briefly};
pub use self::junit::junit;
pub use self::markdown::{markdown, markdown_tls_reports, step_summary};
pub use self::nagios::{NagiosState, nagios, nagios_unknown};
pub use self::prometheus::{prometheus, prometheus_tls_reports};
pub use self::run::Run;
pub use self::sarif::sarif;
pub use self::stream::{Stream, WriteError};
pub use self::tls_digest::tls_digest;
pub use self::wording::counted;
use crate::facts::tree::FactTree;
use crate::outcome::Report;
use crate::rules::RuleSet;
use crate::snapshot::Snapshot;

/// One domain's report with what it was made from: what every format is given.
#[derive(Clone, Debug)]
pub struct Linted {
    /// The findings.
    pub report: Report,
    /// The facts that the rules saw; of a report over many domains none.
    pub facts: FactTree,
    /// What was observed.
    pub snapshot: Snapshot,
    /// The name of the file that the policy was read from, where it was given as one.
    pub policy_file: Option<String>,
}

/// An input of which nothing is known: a file that could not be read, or a domain of which nothing could be checked.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Unreadable {
    /// The file's name as it was given, or the domain.
    pub name: String,
    /// Why, in one sentence.
    pub message: String,
}

impl Unreadable {
    /// The name and the reason in one sentence.
    pub fn sentence(&self) -> String {
        if self.message.contains(&self.name) {
            self.message.clone()
        } else {
            format!("cannot read {}: {}", self.name, self.message)
        }
    }
}

/// Everything that one run gave: what the formats that are one document are made of.
#[derive(Clone, Copy, Debug)]
pub struct Results<'a> {
    /// The reports, in the order in which they were asked for.
    pub linted: &'a [Linted],
    /// The inputs that could not be read.
    pub unreadable: &'a [Unreadable],
    /// The rules that were in force.
    pub rules: &'a RuleSet,
    /// When the run ended, for formats that want a time of inputs which have none.
    pub ended_at: Timestamp,
    /// What the run was asked for, and how it ended.
    pub run: Run,
}

/// The address of the section that a citation names, where it names one of an RFC: `RFC 8461 §3.2`.
pub fn citation_url(cite: &str) -> Option<String> {
    let rest = cite.strip_prefix("RFC ")?;
    let (number, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let number: u32 = number.parse().ok()?;
    if let Some(erratum) = rest.strip_prefix("eid ") {
        let erratum: u32 = erratum.parse().ok()?;
        return Some(format!("https://www.rfc-editor.org/errata/eid{erratum}"));
    }
    // People write a section in several ways; only the first is ours.
    let section = ["§", "section ", "Section ", "sec. "].iter().find_map(|mark| rest.strip_prefix(mark));
    match section.or(Some(rest)).map(str::trim_start) {
        Some(section) if section.starts_with(|c: char| c.is_ascii_digit()) => {
            Some(format!("https://www.rfc-editor.org/rfc/rfc{number}.html#section-{section}"))
        }
        _ => Some(format!("https://www.rfc-editor.org/rfc/rfc{number}.html")),
    }
}

#[cfg(test)]
mod hostile_tests;

#[cfg(test)]
mod tests {
    use super::citation_url;

    #[test]
    fn citations_lead_to_their_sections() {
        for (cite, url) in [
            ("RFC 8461 §3.2", Some("https://www.rfc-editor.org/rfc/rfc8461.html#section-3.2")),
            ("RFC 8461 3.2", Some("https://www.rfc-editor.org/rfc/rfc8461.html#section-3.2")),
            ("RFC 8461 section 3.2", Some("https://www.rfc-editor.org/rfc/rfc8461.html#section-3.2")),
            ("RFC 8461 Appendix A", Some("https://www.rfc-editor.org/rfc/rfc8461.html")),
            ("RFC 8461 eid 6285", Some("https://www.rfc-editor.org/errata/eid6285")),
            ("RFC 3986", Some("https://www.rfc-editor.org/rfc/rfc3986.html")),
            ("ACME-SEC-12", None),
        ] {
            assert_eq!(citation_url(cite).as_deref(), url, "{cite}");
        }
    }
}
