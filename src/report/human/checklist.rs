//! The checks by group: how many passed, and what was not checked and why.

use std::collections::BTreeMap;

use super::page::Page;
use crate::outcome::{Check, Outcome, Report, Severity, Summary};
use crate::report::wording::shortened;
use crate::source_text::escape;

/// The titles of the built-in groups; another is called by its name.
const TITLES: [(&str, &str); 9] = [
    ("config", "Configuration"),
    ("dane", "DANE"),
    ("host", "Policy host"),
    ("mx", "MX records"),
    ("policy", "Policy"),
    ("record", "DNS record"),
    ("report", "TLS reports"),
    ("smtp", "MX hosts over SMTP"),
    ("tlsrpt", "TLSRPT"),
];

/// How much of a line of the configuration is shown beside what it accepts, in characters.
const MAX_LINE: usize = 200;

/// The title of a group of rules.
pub fn group_title(group: &str) -> &str {
    TITLES.iter().find(|(name, _)| *name == group).map_or(group, |(_, title)| title)
}

/// The counts of a whole report, in words.
pub fn counts(report: &Report, page: &Page<'_>) -> String {
    in_words(&report.summary, page)
}

fn in_words(summary: &Summary, page: &Page<'_>) -> String {
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let mut parts = Vec::new();
    let findings = [
        (summary.errors, "error", Severity::Error),
        (summary.warnings, "warning", Severity::Warning),
        (summary.notes, "note", Severity::Note),
    ];
    for (count, word, severity) in findings {
        if count > 0 {
            parts.push(page.severe(severity, &plural(count, word)));
        }
    }
    let others = [
        (summary.remarks, if summary.remarks == 1 { "remark" } else { "remarks" }),
        (summary.passed, "passed"),
        (summary.not_applicable, "not applicable"),
        (summary.not_checked, "not checked"),
        (summary.ignored, "ignored"),
    ];
    for (count, word) in others {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    if parts.is_empty() { "no checks".to_owned() } else { parts.join(", ") }
}

/// Each group with its counts; with `--show-passed` every check by name.
pub fn checklist(report: &Report, page: &Page<'_>) -> String {
    let mut groups: Vec<(&str, Vec<Check>)> = Vec::new();
    for check in &report.checks {
        match groups.iter_mut().find(|(name, _)| *name == check.group) {
            Some((_, checks)) => checks.push(check.clone()),
            None => groups.push((&check.group, vec![check.clone()])),
        }
    }
    if groups.is_empty() {
        return String::new();
    }
    let mut text = page.heading("Checks performed");
    for (name, checks) in &groups {
        let summary = Summary::of(checks);
        let title = escape(group_title(name));
        text.push_str(&if page.style.accessible {
            page.paragraph("  ", &format!("{title}: {}", in_words(&summary, page)))
        } else {
            let first = format!("  {} {title:<18}  ", mark(&summary, page));
            page.paragraph(&first, &in_words(&summary, page))
        });
        if page.style.show_passed {
            for check in checks.iter().filter(|check| check.outcome == Outcome::Pass) {
                let first = if page.style.accessible {
                    "    passed: ".to_owned()
                } else {
                    format!("      {} ", page.symbol("✓", "+"))
                };
                let told = format!("{} ({}; {})", check.title, check.rule, check.cites.join(", "));
                text.push_str(&page.paragraph(&first, &escape(&told)));
            }
        }
    }
    text + "\n"
}

fn mark(summary: &Summary, page: &Page<'_>) -> String {
    match summary {
        Summary { errors: 1.., .. } => page.severe(Severity::Error, page.symbol("✗", "x")),
        Summary { warnings: 1.., .. } => page.severe(Severity::Warning, page.symbol("⚠", "!")),
        Summary { passed: 0, not_checked: 1.., .. } => page.faint("?"),
        Summary { passed: 0, notes: 0, remarks: 0, .. } => page.faint("-"),
        _ => page.good(page.symbol("✓", "+")),
    }
}

/// What is worth knowing of what is published, and is no finding.
pub fn remarks(report: &Report, page: &Page<'_>) -> String {
    let remarks = report.remarks().map(|check| {
        let subject = check.subject.as_deref().map(|subject| format!("{subject}: ")).unwrap_or_default();
        let message = check.message.as_deref().unwrap_or(&check.title);
        let told = format!("{subject}{message} ({}; {})", check.rule, check.cites.join(", "));
        page.paragraph("  ", &escape(&told))
    });
    let text: String = remarks.collect();
    if text.is_empty() { text } else { format!("{}{text}\n", page.heading("Remarks")) }
}

/// Why checks were not made, and which.
pub fn not_checked(report: &Report, page: &Page<'_>) -> String {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for check in report.checks.iter().filter(|check| check.outcome == Outcome::NotChecked) {
        let rules = reasons.entry(check.reason.as_deref().unwrap_or("unknown")).or_default();
        if !rules.contains(&check.rule.as_str()) {
            rules.push(&check.rule);
        }
    }
    if reasons.is_empty() {
        return String::new();
    }
    let mut text = page.heading("Not checked");
    for (reason, rules) in &reasons {
        let named = rules.iter().take(4).copied().collect::<Vec<_>>().join(", ");
        let more = rules.len().saturating_sub(4);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        text.push_str(&page.paragraph("  ", &format!("{named}{more}: {}", escape(reason))));
    }
    text + "\n"
}

/// The findings that the configuration accepts, and until when.
pub fn ignored(report: &Report, page: &Page<'_>) -> String {
    if report.ignored.is_empty() {
        return String::new();
    }
    let mut text = page.heading("Ignored by the configuration");
    for ignored in &report.ignored {
        let subject = ignored.subject.as_deref().map(|subject| format!(" ({})", escape(subject))).unwrap_or_default();
        let line = format!(
            "{} {}{subject}: {} (until {}, {})",
            ignored.severity.word(),
            ignored.rule,
            escape(&ignored.reason),
            escape(&ignored.until),
            escape(&ignored.by)
        );
        text.push_str(&page.paragraph("  ", &line));
        if !ignored.line.is_empty() {
            text.push_str(&format!("      | {}\n", shortened(&escape(&ignored.line), MAX_LINE)));
        }
    }
    text + "\n"
}
