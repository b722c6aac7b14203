//! TLS reports in a few lines for a mail or a chat: what was lost, why, and what to do.
//!
//! Called by `stslint reports`. Nothing from outside can call people, make a link, or end its line there.

use super::counted;
use super::tls_reports::{TlsResults, about, fate, finding_line, name, readiness};
use super::wording::{one_line, shortened};
use crate::source_text::without_commands;
use crate::tls_match::{CauseNow, CauseState};
use crate::tls_reports::digest::{Cause, DomainDigest};

/// So many domains have lines of their own.
const MOST_DOMAINS: usize = 20;
/// So many causes of a domain are told.
const MOST_CAUSES: usize = 3;
/// The longest line, in characters.
const LONGEST: usize = 400;
/// Keeps a name from being called and an address from being linked; nobody sees it.
const NOTHING: char = '\u{200B}';

/// The digest: a line about each domain, and some below it where connections failed.
pub fn tls_digest(results: &TlsResults<'_>) -> String {
    let mut lines = Vec::new();
    let domains = &results.digest.domains;
    for domain in domains.iter().take(MOST_DOMAINS) {
        let comparison = results.comparisons.iter().find(|comparison| comparison.domain == domain.domain);
        lines.push(format!("{}: {}. {}", name(domain), about(domain), fate(domain)));
        for (index, cause) in domain.causes.iter().take(MOST_CAUSES).enumerate() {
            let now = comparison.and_then(|comparison| comparison.causes.get(index));
            lines.push(of_cause(cause, now));
        }
        lines.extend(more(domain.causes.len(), MOST_CAUSES, "more cause").map(|more| format!("- {more}")));
        lines.extend(enforce(
            domain,
            comparison.and_then(|comparison| comparison.enforce.as_ref()).map(|advice| &*advice.answer),
        ));
    }
    lines.extend(more(domains.len(), MOST_DOMAINS, "more domain"));
    for comparison in results.comparisons.iter().filter(|comparison| !comparison.silence.is_empty()) {
        let why = comparison.silence.join("; ");
        lines.push(format!("{}: no report is about this domain: {why}", comparison.domain));
    }
    lines.extend(results.findings.iter().take(MOST_DOMAINS).map(finding_line));
    if !results.lost.is_empty() {
        lines.push(format!("{} could not be read.", counted(results.lost.len(), "input")));
    }
    if lines.is_empty() {
        lines.push("No TLS reports.".to_owned());
    }
    let text: String = lines.iter().map(|line| inert(line) + "\n").collect();
    without_commands(&text)
}

fn of_cause(cause: &Cause, now: Option<&CauseNow>) -> String {
    let connections = counted(usize::try_from(cause.connections).unwrap_or(usize::MAX), "connection");
    let then = match now {
        Some(now) if now.state == CauseState::Fixed => &now.message,
        _ => &cause.advice,
    };
    format!("- {connections}: {} {then}", cause.explanation)
}

/// Whether mode enforce is safe, where the question is open.
fn enforce(domain: &DomainDigest, answer: Option<&str>) -> Option<String> {
    let answer = answer.map(str::to_owned).or_else(|| readiness(domain))?;
    Some(format!("- May you switch to mode enforce? {answer}"))
}

fn more(all: usize, most: usize, one: &str) -> Option<String> {
    all.checked_sub(most).filter(|more| *more > 0).map(|more| format!("and {}", counted(more, one)))
}

/// A line in which nothing calls anybody, is a link, or is markup of a chat.
fn inert(line: &str) -> String {
    let line = shortened(&one_line(line), LONGEST);
    let mut safe = String::with_capacity(line.len());
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '<' => safe.push('‹'),
            '>' => safe.push('›'),
            '[' => safe.push('('),
            ']' => safe.push(')'),
            c => safe.push(c),
        }
        let next = rest.peek().copied().unwrap_or(' ');
        let calls = matches!(c, '@' | '#' | '!') && !next.is_whitespace();
        let links = (c == ':' && next == '/') || (matches!(c, 'w' | 'W') && next == '.') || (c == ':' && next == ':');
        if calls || links {
            safe.push(NOTHING);
        }
    }
    safe
}
