//! One `Report`, many formats: each file here is a thin function from the report to text.
//!
//! `cli` chooses the format and prints; nothing here reads a clock, an environment or a socket.

mod concise;
mod html;
mod human;
mod json;

use serde_json::Value;

pub use self::concise::concise;
pub use self::html::html;
pub use self::human::{Style, human, render};
pub use self::json::{JsonReport, json, json_line};
use crate::outcome::Report;
use crate::snapshot::Snapshot;

/// One domain's report with what it was made from: what the document formats are given.
#[derive(Clone, Debug)]
pub struct Linted {
    /// The findings.
    pub report: Report,
    /// The tree of facts that the rules saw.
    pub facts: Value,
    /// What was observed.
    pub snapshot: Snapshot,
    /// The name of the file that the policy was read from, where it was given as one.
    pub policy_file: Option<String>,
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
    match rest.strip_prefix('§') {
        Some(section) if section.starts_with(|c: char| c.is_ascii_digit()) => {
            Some(format!("https://www.rfc-editor.org/rfc/rfc{number}.html#section-{section}"))
        }
        _ => Some(format!("https://www.rfc-editor.org/rfc/rfc{number}.html")),
    }
}

#[cfg(test)]
mod tests {
    use super::citation_url;

    #[test]
    fn citations_lead_to_their_sections() {
        for (cite, url) in [
            ("RFC 8461 §3.2", Some("https://www.rfc-editor.org/rfc/rfc8461.html#section-3.2")),
            ("RFC 8461 eid 6285", Some("https://www.rfc-editor.org/errata/eid6285")),
            ("RFC 3986", Some("https://www.rfc-editor.org/rfc/rfc3986.html")),
            ("ACME-SEC-12", None),
        ] {
            assert_eq!(citation_url(cite).as_deref(), url, "{cite}");
        }
    }
}
