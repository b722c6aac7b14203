//! Two runs compared, for people: what is worse first, then what that comes to by rule and by provider.

use super::{Compared, GROUPS, severity, state, what, word};
use crate::report::counted;
use crate::report::human::{Page, Style};
use crate::runs::{Change, DomainChange, DomainDiff, caveats};
use crate::source_text::{escape, without_commands};

/// So many domains of a group are shown.
const MAX_DOMAINS: usize = 50;
/// So many findings of a domain are shown, and so many rules and providers.
const MAX_FINDINGS: usize = 12;

/// The comparison as text; `everything` shows what remained and the domains in which nothing differs.
pub fn text(compared: &Compared<'_>, everything: bool, style: &Style) -> String {
    let page = Page { style };
    let mut text = page.paragraph("", &page.bold(&compared.domains()));
    let findings = compared.findings();
    if !findings.is_empty() {
        text.push_str(&page.paragraph("", &findings));
    }
    for caveat in caveats(compared.old, compared.new) {
        text.push_str(&page.paragraph("", &format!("Note: {}", escape(&caveat))));
    }
    for (change, title) in GROUPS {
        let domains = compared.group(change);
        let all = domains.clone().count();
        if all == 0 || (change == DomainChange::Same && !everything) {
            continue;
        }
        text.push_str(&format!("\n{}", page.heading(title)));
        for diff in domains.take(MAX_DOMAINS) {
            text.push_str(&page.paragraph("  ", &page.bold(&escape(&diff.domain))));
            text.push_str(&changes(diff, everything, &page));
        }
        text.push_str(&and_more(all, MAX_DOMAINS, "domain", &page));
    }
    text.push_str(&by_rule(compared, &page));
    text.push_str(&by_provider(compared, &page));
    let text = without_commands(&text);
    if style.unicode { text } else { crate::report::ascii(&text) }
}

/// What became of the findings of one domain, without its name.
pub fn domain_changes(diff: &DomainDiff, everything: bool, style: &Style) -> String {
    let text = without_commands(&changes(diff, everything, &Page { style }));
    if style.unicode { text } else { crate::report::ascii(&text) }
}

fn changes(diff: &DomainDiff, everything: bool, page: &Page<'_>) -> String {
    let mut text: String = state(diff).iter().map(|line| page.paragraph("    ", &escape(line))).collect();
    if let Some(reason) = &diff.reason {
        text.push_str(&page.paragraph("    ", &escape(reason)));
    }
    let shown = || diff.findings.iter().filter(|finding| everything || finding.change != Change::Remaining);
    for finding in shown().take(MAX_FINDINGS) {
        let label = format!("{}[{}]", severity(finding), escape(&finding.rule));
        let label = match finding.change {
            Change::Fixed | Change::Better => page.good(&label),
            _ => page.severe(finding.severity, &label),
        };
        let first = format!("    {:<9} ", word(finding.change));
        text.push_str(&page.paragraph(&first, &format!("{label} {}", escape(&what(finding)))));
        if let Some(reason) = &finding.reason {
            text.push_str(&page.paragraph("              ", &format!("({})", escape(reason))));
        }
    }
    text + &and_more(shown().count(), MAX_FINDINGS, "finding", page)
}

fn and_more(all: usize, most: usize, one: &str, page: &Page<'_>) -> String {
    match all.saturating_sub(most) {
        0 => String::new(),
        more => {
            page.paragraph("  ", &format!("and {} (`--format jsonl` lists all)", counted(more, &format!("more {one}"))))
        }
    }
}

fn by_rule(compared: &Compared<'_>, page: &Page<'_>) -> String {
    let causes = compared.causes();
    if compared.comparison.all() < 2 || causes.is_empty() {
        return String::new();
    }
    let widest = causes.iter().take(MAX_FINDINGS).map(|(rule, _)| rule.len()).max().unwrap_or_default().min(40);
    let mut text = format!("\n{}", page.heading("By rule"));
    for (rule, cause) in causes.iter().take(MAX_FINDINGS) {
        let counts = cause.findings;
        let counts = [
            (counts.new, "new"),
            (counts.worse, "worse"),
            (counts.not_known, "not known"),
            (counts.better, "better"),
            (counts.fixed, "fixed"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
        let mut counts = counts.collect::<Vec<_>>().join(", ");
        if cause.domains > 0 {
            counts.push_str(&format!(", on {}", counted(cause.domains, "domain")));
        }
        text.push_str(&page.paragraph(&format!("  {:<widest$}  ", escape(rule)), &counts));
    }
    text + &and_more(causes.len(), MAX_FINDINGS, "rule", page)
}

fn by_provider(compared: &Compared<'_>, page: &Page<'_>) -> String {
    let providers = compared.providers();
    if compared.comparison.all() < 2 || providers.is_empty() {
        return String::new();
    }
    let widest = providers.iter().take(MAX_FINDINGS).map(|(name, _)| name.chars().count()).max();
    let widest = widest.unwrap_or_default().min(40);
    let mut text = format!("\n{}", page.heading("By provider of the MX hosts"));
    for (name, provider) in providers.iter().take(MAX_FINDINGS) {
        let counts =
            [(provider.worse, "worse"), (provider.new, "new"), (provider.gone, "gone"), (provider.better, "better")];
        let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
        let counts = format!("{}: {}", counted(provider.domains, "domain"), counts.collect::<Vec<_>>().join(", "));
        text.push_str(&page.paragraph(&format!("  {:<widest$}  ", escape(name)), &counts));
    }
    text + &and_more(providers.len(), MAX_FINDINGS, "provider", page)
}
