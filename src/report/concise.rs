//! One line a finding, for logs and for `grep`.

use crate::outcome::Report;

/// The findings, a line each: `example.com: error[record-id] message (RFC 8461 §3.1)`.
pub fn concise(report: &Report) -> String {
    let domain = report.domain.as_deref().unwrap_or("(no domain)");
    let mut text = String::new();
    for check in report.findings() {
        let message = check.message.as_deref().unwrap_or(&check.title);
        let subject = check.subject.as_deref().filter(|subject| !message.contains(subject));
        let subject = subject.map(|subject| format!("{subject}: ")).unwrap_or_default();
        let cites = check.cites.join(", ");
        text.push_str(&format!("{domain}: {}[{}] {subject}{message} ({cites})\n", check.severity.label(), check.rule));
    }
    text
}
