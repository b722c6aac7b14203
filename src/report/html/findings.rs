//! The findings, worst first: what is wrong, where, what senders make of it, and what to do.

use super::domain::Domain;
use super::exhibit::Extract;
use super::markup::Markup;
use super::status::Status;
use super::words;
use crate::outcome::{Check, Location};

/// How many findings are shown in full.
const MAX_FINDINGS: usize = 100;

/// Fills the part.
pub fn render(domain: &Domain<'_>, html: &mut Markup) {
    let findings = domain.report().findings();
    if findings.is_empty() {
        let sentence = match domain.report().summary.passed {
            0 => "None, for nothing could be checked.",
            _ => "None: no rule that could be checked is broken.",
        };
        html.leaf("p", &[], sentence);
    }
    for (index, check) in findings.iter().take(MAX_FINDINGS).enumerate() {
        finding(domain, html, check, index.saturating_add(1));
    }
    words::and_more(html, findings.len().saturating_sub(MAX_FINDINGS), "finding");
}

/// The anchor of the finding with that place in the list, counted from 0; `None` where it is not shown.
pub fn anchor(domain: &Domain<'_>, index: usize) -> Option<String> {
    (index < MAX_FINDINGS).then(|| domain.id(&format!("finding-{}", index.saturating_add(1))))
}

fn finding(domain: &Domain<'_>, html: &mut Markup, check: &Check, number: usize) {
    let status = Status::of(check);
    let (id, heading) = (domain.id(&format!("finding-{number}")), domain.id(&format!("finding-{number}-heading")));
    let class = format!("finding {}", status.class());
    html.element("article", &[("id", &id), ("class", &class), ("aria-labelledby", &heading)], |html| {
        html.element("p", &[("class", "kind")], |html| {
            status.show(html, status.word());
            html.text(" ");
            html.leaf("code", &[("class", "rule")], &check.rule);
        });
        html.element(domain.heading(2), &[("id", &heading)], |html| message(html, check));
        exhibit(domain, html, check);
        decided(domain, html, check);
        if let Some(help) = &check.help {
            html.element("p", &[("class", "help")], |html| {
                html.leaf("strong", &[], "What to do: ");
                html.prose(help);
            });
        }
        if let Some(senders) = &check.senders {
            html.element("p", &[("class", "help")], |html| {
                html.leaf("strong", &[], "Senders: ");
                html.prose(senders);
            });
        }
        corrected(domain, html, check);
        html.element("p", &[("class", "sources")], |html| {
            if let Some(kind) = &check.reported_as {
                html.element("span", &[], |html| {
                    html.text("Senders report it as ");
                    html.leaf("code", &[], kind.word());
                });
            }
            html.element("span", &[("class", "cites")], |html| {
                html.text("See ");
                words::cites(html, &check.cites);
            });
        });
    });
}

/// What is wrong, and with what.
pub fn message(html: &mut Markup, check: &Check) {
    let message = check.message.as_deref().unwrap_or(&check.title);
    if let Some(subject) = check.subject.as_deref().filter(|subject| !message.contains(subject)) {
        html.leaf("code", &[], subject);
        html.text(": ");
    }
    html.prose(message);
}

fn exhibit(domain: &Domain<'_>, html: &mut Markup, check: &Check) {
    let Some(location) = &check.location else { return };
    figure(domain, html, location, None);
    for related in &check.related {
        figure(domain, html, &related.location, Some(&related.label));
    }
}

fn figure(domain: &Domain<'_>, html: &mut Markup, location: &Location, label: Option<&str>) {
    let Some(text) = domain.report().exhibits.get(&location.exhibit) else { return };
    html.element("figure", &[], |html| {
        html.element("figcaption", &[], |html| {
            html.text(title(&location.exhibit));
            html.text(&format!(", line {}", location.line));
            if let Some(label) = label {
                html.text(": ");
                html.prose(label);
            }
        });
        Extract::new(text, [location]).around(html);
    });
}

/// The lines of the configuration that decided something of the finding.
fn decided(domain: &Domain<'_>, html: &mut Markup, check: &Check) {
    for decision in domain.report().configured.get(&check.rule).into_iter().flatten() {
        let text = decision.location.as_ref().and_then(|location| domain.report().exhibits.get(&location.exhibit));
        match (&decision.location, text) {
            (Some(location), Some(text)) => html.element("figure", &[], |html| {
                html.leaf("figcaption", &[], &format!("{}: {}", decision.by, decision.what));
                Extract::new(text, [location]).around(html);
            }),
            _ => html.leaf("p", &[], &format!("{}: {}", decision.by, decision.what.replace(" here", ""))),
        }
    }
}

/// What a reader calls an exhibit.
pub fn title(exhibit: &str) -> &str {
    match exhibit {
        "mx" => "MX records",
        "policy" => "Policy",
        "policy_host" => "Policy host",
        "record" => "MTA-STS record",
        "tlsrpt" => "TLSRPT record",
        other => other,
    }
}

fn corrected(domain: &Domain<'_>, html: &mut Markup, check: &Check) {
    let Some(fix) = &check.fix else { return };
    let Some(text) = domain.report().exhibits.get(&fix.location.exhibit) else { return };
    html.element("figure", &[("class", "corrected")], |html| {
        let caption = if fix.safe { "Corrected text" } else { "Proposed text: see whether it says what you mean" };
        html.leaf("figcaption", &[], caption);
        Extract::new(text, []).corrected(html, fix);
    });
}
