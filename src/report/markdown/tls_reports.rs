//! TLS reports as Markdown: for a comment, a wiki, or a ticket.

use std::fmt::Write as _;

use super::{LONGEST, MOST_NAMES, cell, prose};
use crate::outcome::Severity;
use crate::report::counted;
use crate::report::tls_reports::{
    By, Oddity, TlsResults, about, cause_line, closing, fate, finding_line, held_line, name, oddities, readiness, rows,
    severity,
};
use crate::source_text::without_runner_commands;
use crate::tls_match::{CauseNow, CauseState, Comparison};
use crate::tls_reports::digest::{Cause, DomainDigest};

/// So many causes of a domain are told.
const MOST_CAUSES: usize = 20;

/// The reports as one document; what does not fit into a comment is left out and said.
pub fn tls_reports(results: &TlsResults<'_>, by: By) -> String {
    let mut text = "## TLS reports\n".to_owned();
    let mut left_out = 0_usize;
    for part in parts(results, by) {
        if text.chars().count().saturating_add(part.chars().count()) > LONGEST {
            left_out = left_out.saturating_add(1);
        } else {
            text.push_str(&part);
        }
    }
    if left_out > 0 {
        let parts = counted(left_out, "part");
        text.push_str(&format!("\n{parts} did not fit in here; `stslint reports` shows everything.\n"));
    }
    without_runner_commands(&text, "\\#")
}

fn parts(results: &TlsResults<'_>, by: By) -> Vec<String> {
    let mut parts = Vec::new();
    for domain in &results.digest.domains {
        let comparison = results.comparisons.iter().find(|comparison| comparison.domain == domain.domain);
        parts.push(head(domain));
        for (index, cause) in domain.causes.iter().take(MOST_CAUSES).enumerate() {
            let now = comparison.and_then(|comparison| comparison.causes.get(index));
            parts.push(of_cause(index.saturating_add(1), cause, now));
        }
        if let Some(more) = domain.causes.len().checked_sub(MOST_CAUSES).filter(|more| *more > 0) {
            parts.push(format!("\nand {}\n", counted(more, "more cause")));
        }
        parts.push(table(domain, by));
        parts.push(advice(domain, comparison));
    }
    parts.extend(results.comparisons.iter().filter(|comparison| !comparison.silence.is_empty()).map(silence));
    parts.extend(results.findings.iter().map(|check| format!("\n- {}\n", prose(&finding_line(check)))));
    parts.push(odd(results));
    parts.extend(results.lost.iter().take(MOST_NAMES).map(|lost| format!("\n❔ {}\n", prose(&lost.sentence()))));
    parts.push(format!("\n{}\n", prose(&closing(results))));
    parts
}

fn head(domain: &DomainDigest) -> String {
    let mark = match severity(domain) {
        None => "✅",
        Some(Severity::Error) => "❌",
        Some(_) => "⚠️",
    };
    format!("\n### {}: {}\n\n{mark} {}\n", prose(name(domain)), prose(&about(domain)), prose(&fate(domain)))
}

fn of_cause(number: usize, cause: &Cause, now: Option<&CauseNow>) -> String {
    let mut text = format!("\n{number}. **{}**\n   {}\n", prose(&cause.explanation), prose(&cause_line(cause)));
    if let Some(now) = now {
        let _ = write!(text, "\n   **Now:** {}\n", prose(&now.message));
    }
    if now.is_none_or(|now| now.state != CauseState::Fixed) {
        let _ = write!(text, "\n   **What to do:** {}\n", prose(&cause.advice));
    }
    text
}

fn table(domain: &DomainDigest, by: By) -> String {
    let rows = rows(domain, by);
    let mut text = format!("\n| {} | connections | failed |\n|---|--:|--:|\n", by.title());
    for row in rows.iter().take(MOST_NAMES) {
        let _ = writeln!(text, "| {} | {} | {} |", cell(&row.name), row.connections, row.failed);
    }
    if let Some(more) = rows.len().checked_sub(MOST_NAMES).filter(|more| *more > 0) {
        let _ = write!(text, "\nand {more} more\n");
    }
    text
}

fn advice(domain: &DomainDigest, comparison: Option<&Comparison>) -> String {
    let mut text = String::new();
    let held = comparison.map(|comparison| comparison.held.as_slice()).unwrap_or_default();
    if !held.is_empty() {
        text.push_str("\n**Senders that may still hold an older policy**\n\n");
        held.iter().take(MOST_NAMES).for_each(|held| {
            let _ = writeln!(text, "- {}", prose(&held_line(held)));
        });
    }
    let answer = match comparison.and_then(|comparison| comparison.enforce.as_ref()) {
        Some(advice) => Some((format!("{} The reports show {}.", advice.answer, advice.evidence), &*advice.missing)),
        None => readiness(domain).map(|answer| (answer, &[][..])),
    };
    if let Some((answer, missing)) = answer {
        let _ = write!(text, "\n**May you switch to mode enforce?** {}\n", prose(&answer));
        missing.iter().enumerate().for_each(|(index, missing)| {
            let _ = writeln!(text, "{}- {}", if index == 0 { "\n" } else { "" }, prose(missing));
        });
    }
    text
}

fn silence(comparison: &Comparison) -> String {
    let mut text = format!("\n### {}: no report is about this domain\n\n", prose(&comparison.domain));
    comparison.silence.iter().for_each(|reason| {
        let _ = writeln!(text, "- {}", prose(reason));
    });
    text
}

fn odd(results: &TlsResults<'_>) -> String {
    let oddities = oddities(results.reports);
    if oddities.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\n<details><summary>Irregularities of the reports themselves: {}</summary>\n\n",
        counted(oddities.len(), "thing")
    );
    for Oddity { rule, message, count, first } in oddities.iter().take(MOST_NAMES) {
        let times = if *count == 1 { String::new() } else { format!("{count} times, first in ") };
        let _ = writeln!(text, "- `{rule}`: {}", prose(&format!("{message} ({times}{first})")));
    }
    text + "\n</details>\n"
}
