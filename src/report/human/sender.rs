//! What a conforming sender does, as a table; for screen readers as sentences.

use super::page::Page;
use crate::outcome::{Report, Severity};
use crate::sender::{OTHER_HOLDERS, SenderAction, SenderCache, SenderHost, SenderView};
use crate::source_text::escape;
use crate::tls_reports::result_type::ResultType;

/// How many MX hosts are shown.
const MOST_HOSTS: usize = 20;

/// What senders do: nothing where nothing of it is known.
pub fn senders(report: &Report, page: &Page<'_>) -> String {
    report.sender.iter().map(|view| shown(view, page)).collect()
}

fn shown(view: &SenderView, page: &Page<'_>) -> String {
    let resolver = view.resolver_label();
    let title = match view.cache {
        SenderCache::Baseline => format!("What a sender{resolver} that still holds the baseline's policy does"),
        SenderCache::Empty => format!("What a sender does{resolver} (RFC 8461 §5)"),
        SenderCache::Held => format!("What a sender{resolver} that holds the policy that was given does"),
    };
    let mut text = page.heading(&title);
    text.push_str(&page.paragraph("  ", &sentence(&escape(&view.explanation), &view.reports)));
    let widest = view.hosts.iter().take(MOST_HOSTS).map(|host| escape(&host.exchange).len()).max().unwrap_or_default();
    for host in view.hosts.iter().take(MOST_HOSTS) {
        text.push_str(&row(host, widest.min(36), page));
    }
    if let Some(more) = view.hosts.len().checked_sub(MOST_HOSTS).filter(|more| *more > 0) {
        text.push_str(&format!("  and {more} more MX hosts\n"));
    }
    text.push_str(&page.paragraph("  ", &escape(&view.outcome)));
    for holder in &view.holders {
        let who = format!("{} {}.", holder.sender, holder.explanation);
        text.push_str(&page.paragraph("  ", &escape(&who)));
    }
    if !view.holders.is_empty() {
        text.push_str(&page.paragraph("  ", OTHER_HOLDERS));
    }
    text + "\n"
}

/// A sentence with its capital, and the result types behind it.
fn sentence(text: &str, reports: &[ResultType]) -> String {
    let mut characters = text.chars();
    let capital = characters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    let reported =
        if reports.is_empty() { String::new() } else { format!(" It reports {}.", ResultType::listed(reports)) };
    format!("{capital}{}.{reported}", characters.as_str())
}

fn row(host: &SenderHost, widest: usize, page: &Page<'_>) -> String {
    let preference = host.preference.map_or("-".to_owned(), |preference| preference.to_string());
    let exchange = escape(&host.exchange);
    if page.style.accessible {
        return page.paragraph("  ", &format!("{exchange}, preference {preference}: {}.", told(host)));
    }
    let padding = " ".repeat(widest.saturating_sub(exchange.len()));
    let first = format!("  {preference:>5}  {exchange}{padding}  ");
    let mark = mark(host.action, page);
    let label = format!("{mark} {}", host.action.label());
    let narrow = first.len().saturating_add(label.chars().count()) > page.style.width;
    let mut text = if narrow {
        format!("  {preference:>5}  {exchange}\n         {}\n", painted(host.action, &label, page))
    } else {
        format!("{first}{}\n", painted(host.action, &label, page))
    };
    let why = sentence(&escape(&host.explanation), &host.reports);
    text.push_str(&page.paragraph("         ", &why));
    if let Some(dane) = &host.dane {
        let why = sentence(&escape(&dane.explanation), &dane.reports);
        text.push_str(&page.paragraph("         ", &format!("A sender that uses DANE {}. {why}", dane.action.label())));
    }
    text
}

fn told(host: &SenderHost) -> String {
    let reports = if host.reports.is_empty() {
        String::new()
    } else {
        format!(", reported as {}", ResultType::listed(&host.reports))
    };
    format!("{}, because {}{reports}", host.action.label(), escape(&host.explanation))
}

fn mark(action: SenderAction, page: &Page<'_>) -> &'static str {
    match action {
        SenderAction::Deliver => page.symbol("✓", "+"),
        SenderAction::DeliverAndReport | SenderAction::DeliverUnverified => page.symbol("⚠", "!"),
        SenderAction::Refuse => page.symbol("✗", "x"),
        SenderAction::Retry => page.symbol("↷", ">"),
        SenderAction::Unknown => "?",
    }
}

fn painted(action: SenderAction, text: &str, page: &Page<'_>) -> String {
    match action {
        SenderAction::Deliver => page.good(text),
        SenderAction::DeliverAndReport | SenderAction::DeliverUnverified => page.severe(Severity::Warning, text),
        SenderAction::Refuse | SenderAction::Retry => page.severe(Severity::Error, text),
        SenderAction::Unknown => page.faint(text),
    }
}
