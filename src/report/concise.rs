//! One line a finding, for logs and for `grep`.

use super::wording::{domain, one_line, what};
use crate::outcome::Report;

/// The findings, a line each: `example.com: error[record-id] message (RFC 8461 §3.1)`.
pub fn concise(report: &Report) -> String {
    let domain = domain(report);
    let mut text = String::new();
    for check in report.findings() {
        let cites = check.cites.join(", ");
        let line = format!("{}[{}] {} ({cites})", check.severity.label(), check.rule, what(check));
        text.push_str(&format!("{domain}: {}\n", one_line(&line)));
    }
    text
}
