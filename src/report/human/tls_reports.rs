//! TLS reports for people: the answer first, then each cause with its weight, who reports, and what is odd about the
//! reports themselves.

use super::{Page, Style, ascii};
use crate::outcome::Severity;
use crate::report::counted;
use crate::report::tls_reports::{
    By, Oddity, TlsResults, about, cause_line, closing, fate, finding_line, held_line, name, oddities, readiness, rows,
    severity,
};
use crate::source_text::{escape, without_commands};
use crate::tls_match::{CauseNow, CauseState, Comparison, EnforceAdvice};
use crate::tls_reports::digest::{Cause, DomainDigest};

/// So many causes of a domain are told.
const MOST_CAUSES: usize = 20;
/// So many lines of a table are shown.
const MOST_ROWS: usize = 30;
/// So many oddities are shown by their text.
const MOST_ODDITIES: usize = 12;

/// The reports as text.
pub fn tls_reports(results: &TlsResults<'_>, by: By, style: &Style) -> String {
    let page = Page { style };
    let mut text = String::new();
    for domain in &results.digest.domains {
        let comparison = results.comparisons.iter().find(|comparison| comparison.domain == domain.domain);
        text.push_str(&of_domain(domain, comparison, by, &page));
        text.push('\n');
    }
    for comparison in results.comparisons.iter().filter(|comparison| !comparison.silence.is_empty()) {
        text.push_str(&silence(comparison, &page));
        text.push('\n');
    }
    for check in results.findings {
        text.push_str(&page.paragraph("", &page.severe(check.severity, &escape(&finding_line(check)))));
    }
    if !style.findings_only {
        if !results.findings.is_empty() {
            text.push('\n');
        }
        text.push_str(&oddities_part(results, &page));
        text.push_str(&page.paragraph("", &page.faint(&closing(results))));
    }
    let text = without_commands(&text);
    if style.unicode { text } else { ascii(&text) }
}

fn of_domain(domain: &DomainDigest, comparison: Option<&Comparison>, by: By, page: &Page<'_>) -> String {
    let about = format!("{}: {}", page.bold(&escape(name(domain))), about(domain));
    let mut text = page.paragraph("", &about);
    let fate = fate(domain);
    text.push_str(
        &page
            .paragraph("", &severity(domain).map_or_else(|| page.good(&fate), |severity| page.severe(severity, &fate))),
    );
    for (number, cause) in domain.causes.iter().take(MOST_CAUSES).enumerate() {
        let now = comparison.and_then(|comparison| comparison.causes.get(number));
        text.push_str(&of_cause(number.saturating_add(1), cause, now, page));
    }
    if let Some(more) = domain.causes.len().checked_sub(MOST_CAUSES).filter(|more| *more > 0) {
        text.push_str(&format!("  and {}; --format json has them all\n", counted(more, "more cause")));
    }
    if page.style.findings_only {
        return text;
    }
    text.push_str(&page.heading(by.title()));
    let rows = rows(domain, by);
    let widest = rows.iter().map(|row| escape(&row.name).chars().count()).max().unwrap_or_default().min(40);
    for row in rows.iter().take(MOST_ROWS) {
        let name = escape(&row.name);
        let padding = " ".repeat(widest.saturating_sub(name.chars().count()));
        let failed = if row.failed == 0 { String::new() } else { format!(", {} failed", row.failed) };
        text.push_str(&format!("  {name}{padding}  {}{failed}\n", counted_large(row.connections, "connection")));
    }
    if let Some(more) = rows.len().checked_sub(MOST_ROWS).filter(|more| *more > 0) {
        text.push_str(&format!("  and {more} more\n"));
    }
    if let Some(comparison) = comparison {
        text.push_str(&held(comparison, page));
    }
    if let Some(advice) = comparison.and_then(|comparison| comparison.enforce.as_ref()) {
        text.push_str(&enforce(advice, page));
    } else if let Some(readiness) = readiness(domain) {
        text.push_str(&page.heading("May you switch to mode enforce?"));
        text.push_str(&page.paragraph("  ", &readiness));
    }
    text
}

fn of_cause(number: usize, cause: &Cause, now: Option<&CauseNow>, page: &Page<'_>) -> String {
    let lead = format!("  {number}. ");
    let indent = " ".repeat(lead.len());
    let mut text = page.paragraph(&lead, &page.bold(&escape(&cause.explanation)));
    text.push_str(&page.paragraph(&indent, &cause_line(cause)));
    if let Some(now) = now {
        let message = escape(&now.message);
        let shown = match now.state {
            CauseState::Found => page.severe(Severity::Error, &message),
            CauseState::Fixed => page.good(&message),
            CauseState::NotChecked | CauseState::Unexplained => message,
        };
        text.push_str(&page.paragraph(&format!("{indent}now: "), &shown));
    }
    if now.is_none_or(|now| now.state != CauseState::Fixed) {
        text.push_str(&page.paragraph(&format!("{indent}help: "), &escape(&cause.advice)));
    }
    text
}

/// Who still holds another policy than the one of now.
fn held(comparison: &Comparison, page: &Page<'_>) -> String {
    if comparison.held.is_empty() {
        return String::new();
    }
    let mut text = page.heading("Senders that may still hold an older policy");
    for held in comparison.held.iter().take(MOST_ROWS) {
        text.push_str(&page.paragraph("  ", &escape(&held_line(held))));
    }
    if let Some(more) = comparison.held.len().checked_sub(MOST_ROWS).filter(|more| *more > 0) {
        text.push_str(&format!("  and {more} more\n"));
    }
    text
}

fn enforce(advice: &EnforceAdvice, page: &Page<'_>) -> String {
    let mut text = page.heading("May you switch to mode enforce?");
    let answer = if advice.ready { page.good(&advice.answer) } else { page.severe(Severity::Warning, &advice.answer) };
    text.push_str(&page.paragraph("  ", &format!("{answer} The reports show {}.", advice.evidence)));
    for missing in &advice.missing {
        text.push_str(&page.paragraph("  - ", &escape(missing)));
    }
    text
}

/// Why no reports come.
fn silence(comparison: &Comparison, page: &Page<'_>) -> String {
    let mut text =
        page.paragraph("", &format!("{}: no report is about this domain", page.bold(&escape(&comparison.domain))));
    for reason in &comparison.silence {
        text.push_str(&page.paragraph("  - ", &escape(reason)));
    }
    text
}

/// What is odd about the reports: each oddity once, with how often it occurs and one place.
fn oddities_part(results: &TlsResults<'_>, page: &Page<'_>) -> String {
    let oddities = oddities(results.reports);
    if oddities.is_empty() {
        return String::new();
    }
    let mut text =
        page.heading("Irregularities of the reports (their senders' mistakes; everything readable was counted)");
    for Oddity { rule, message, count, first } in oddities.iter().take(MOST_ODDITIES) {
        let first = escape(first);
        let place = if *count == 1 { first } else { format!("{count} times, first in {first}") };
        text.push_str(&page.paragraph("  ", &format!("{rule}: {message} ({place})")));
    }
    if let Some(more) = oddities.len().checked_sub(MOST_ODDITIES).filter(|more| *more > 0) {
        text.push_str(&format!("  and {}; --format json has them all\n", counted(more, "more kind")));
    }
    text + "\n"
}

fn counted_large(number: u64, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}
