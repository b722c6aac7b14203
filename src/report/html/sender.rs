//! What a conforming sender does with mail for the domain now, host by host.

use super::domain::Domain;
use super::markup::Markup;
use super::status::Status;
use super::words;
use crate::sender::{
    AppliedPolicy, KnownSender, OTHER_HOLDERS, SenderAction, SenderCache, SenderDane, SenderHost, SenderView,
};
use crate::senders::Answer;
use crate::tls_reports::result_type::ResultType;

/// How many hosts of a view are shown.
const MAX_HOSTS: usize = 50;

/// Fills the part; nothing where no view was made.
pub fn render(domain: &Domain<'_>, html: &mut Markup) {
    for view in &domain.report().sender {
        html.leaf(domain.heading(2), &[], &who(view));
        html.prose_in("p", &[], &view.outcome);
        html.element("p", &[], |html| {
            html.text("It applies ");
            html.leaf("strong", &[], applied(view.policy));
            html.text(": ");
            html.prose(&view.explanation);
            html.text(".");
        });
        if !view.reports.is_empty() {
            html.element("p", &[], |html| {
                html.text("About the policy itself it reports ");
                codes(html, &view.reports);
                html.text(".");
            });
        }
        if !view.hosts.is_empty() {
            hosts(domain, html, view);
        }
        if !view.holders.is_empty() {
            html.element("ul", &[], |html| {
                for holder in &view.holders {
                    let who = format!("{} {}.", holder.sender, holder.explanation);
                    html.element("li", &[], |html| html.prose(&who));
                }
                html.leaf("li", &[], OTHER_HOLDERS);
            });
        }
    }
    known(domain, html);
}

/// The matrix of the senders that are known, folded.
fn known(domain: &Domain<'_>, html: &mut Markup) {
    let senders = &domain.report().senders;
    if senders.is_empty() {
        return;
    }
    html.element("details", &[], |html| {
        html.leaf("summary", &[], "What each known sender does");
        let columns = ["Sender", "Record", "Policy", "It applies", "MX hosts", "Why"];
        domain.table(html, "Each known sender", &columns, |html| {
            senders.iter().for_each(|sender| html.element("tr", &[], |html| known_row(html, sender)));
        });
    });
}

fn known_row(html: &mut Markup, sender: &KnownSender) {
    html.leaf("th", &[("scope", "row")], &sender.label());
    for answer in [sender.record, sender.policy] {
        let status = match answer {
            Answer::No => Status::Warning,
            Answer::Yes => Status::Passed,
            _ => Status::NotChecked,
        };
        html.element("td", &[], |html| status.show(html, answer.word()));
    }
    html.leaf("td", &[], applied(sender.applies));
    html.element("td", &[], |html| {
        let mut actions: Vec<SenderAction> = Vec::new();
        for host in &sender.hosts {
            if !actions.contains(&host.action) {
                actions.push(host.action);
            }
        }
        for of in actions {
            let count = sender.hosts.iter().filter(|host| host.action == of).count();
            let (status, text) = action(of);
            html.element("p", &[], |html| status.show(html, &format!("{count}: {text}")));
        }
    });
    html.element("td", &[("class", "wide")], |html| html.prose(&sender.because));
}

fn who(view: &SenderView) -> String {
    let resolver = view.resolver_label();
    match view.cache {
        SenderCache::Baseline => format!("A sender{resolver} that still holds the older policy"),
        SenderCache::Empty => format!("A sender{resolver} that holds no policy yet"),
        SenderCache::Held => format!("A sender{resolver} that holds the policy that was given"),
    }
}

fn applied(policy: AppliedPolicy) -> &'static str {
    match policy {
        AppliedPolicy::Absent => "no policy",
        AppliedPolicy::Enforce => "a policy in mode enforce",
        AppliedPolicy::None => "a policy in mode none",
        AppliedPolicy::Testing => "a policy in mode testing",
        AppliedPolicy::Unknown => "what could not be observed",
    }
}

fn hosts(domain: &Domain<'_>, html: &mut Markup, view: &SenderView) {
    let columns = ["Preference", "MX host", "What it does", "Why", "What it reports"];
    let held = match view.cache {
        SenderCache::Baseline => "Each MX host, with the older policy",
        SenderCache::Empty => "Each MX host, with no policy held",
        SenderCache::Held => "Each MX host, with the held policy",
    };
    let caption = format!("{held}{}", view.resolver_label());
    domain.table(html, &caption, &columns, |html| {
        view.hosts.iter().take(MAX_HOSTS).for_each(|host| html.element("tr", &[], |html| row(html, host)));
    });
    words::and_more(html, view.hosts.len().saturating_sub(MAX_HOSTS), "MX host");
}

fn row(html: &mut Markup, host: &SenderHost) {
    let preference = host.preference.map_or("implicit".to_owned(), |preference| preference.to_string());
    html.leaf("td", &[("class", "number")], &preference);
    html.element("th", &[("scope", "row")], |html| html.leaf("code", &[], &host.exchange));
    let (status, action) = action(host.action);
    html.element("td", &[], |html| status.show(html, action));
    html.element("td", &[("class", "wide")], |html| {
        html.prose(&host.explanation);
        if let Some(dane) = &host.dane {
            html.element("p", &[], |html| html.prose(&by_dane(dane)));
        }
    });
    html.element("td", &[], |html| {
        if host.reports.is_empty() {
            html.leaf("span", &[("class", "muted")], "nothing")
        } else {
            codes(html, &host.reports)
        }
    });
}

/// What a sender that uses DANE does instead, in a sentence or two.
fn by_dane(dane: &SenderDane) -> String {
    let mut text = format!("A sender that uses DANE {}", dane.action.label());
    if !dane.reports.is_empty() {
        text.push_str(&format!(" and reports {}", ResultType::listed(&dane.reports)));
    }
    format!("{text}: {}", dane.explanation)
}

fn codes(html: &mut Markup, kinds: &[ResultType]) {
    let texts: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
    words::codes(html, &texts, 12);
}

/// What a sender does, and how that is.
fn action(action: SenderAction) -> (Status, &'static str) {
    match action {
        SenderAction::Deliver => (Status::Passed, "Delivers over verified TLS"),
        SenderAction::DeliverAndReport => (Status::Warning, "Delivers, and reports the failure"),
        SenderAction::DeliverUnverified => (Status::Note, "Delivers without verifying"),
        SenderAction::Refuse => (Status::Error, "Does not deliver here"),
        SenderAction::Retry => (Status::Warning, "Cannot deliver now, tries again"),
        SenderAction::Unknown => (Status::NotChecked, "Not known"),
    }
}
