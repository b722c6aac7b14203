//! What each sender that is known does, as a table; for screen readers as sentences. Shown where it is asked for.

use super::page::Page;
use crate::outcome::Report;
use crate::sender::KnownSender;
use crate::source_text::escape;

/// The table; nothing where nothing of the record and the policy is known.
pub fn known_senders(report: &Report, page: &Page<'_>) -> String {
    if report.senders.is_empty() {
        return String::new();
    }
    let mut text = page.heading("What each known sender does (stslint senders list)");
    let (enforce, never): (Vec<&KnownSender>, Vec<&KnownSender>) =
        report.senders.iter().partition(|it| !it.never_enforces());
    let widest = enforce.iter().map(|it| it.label().chars().count()).max().unwrap_or_default();
    if !page.style.accessible && !enforce.is_empty() {
        text.push_str(&format!("  {:<widest$}  record   policy   applies\n", "sender"));
    }
    for sender in enforce {
        text.push_str(&row(sender, widest, page));
    }
    let names: Vec<String> = never.iter().map(|it| it.label()).collect();
    if !names.is_empty() {
        text.push_str(&page.paragraph("  ", &format!("Known not to enforce any policy: {}.", names.join(", "))));
    }
    text + "\n"
}

fn row(it: &KnownSender, widest: usize, page: &Page<'_>) -> String {
    let why = escape(&it.because);
    if page.style.accessible {
        let (record, policy) = (it.record, it.policy);
        let sentence = format!("{}: record {record}, policy {policy}, applies {}: {why}.", it.label(), it.applies);
        return page.paragraph("  ", &sentence);
    }
    let first = format!("  {:<widest$}  {:<7}  {:<7}  {}\n", it.label(), it.record, it.policy, it.applies);
    let indent = " ".repeat(6);
    let hosts = hosts(it).map(|hosts| page.paragraph(&indent, &hosts)).unwrap_or_default();
    format!("{first}{}{hosts}", page.paragraph(&indent, &why))
}

/// What it does with the MX hosts, those together with which it does the same.
fn hosts(it: &KnownSender) -> Option<String> {
    let first = it.hosts.first()?;
    if it.hosts.iter().all(|host| host.action == first.action) {
        return Some(format!("every MX host: {}", first.action.label()));
    }
    let told: Vec<String> =
        it.hosts.iter().map(|host| format!("{} {}", escape(&host.exchange), host.action.label())).collect();
    Some(told.join("; "))
}
