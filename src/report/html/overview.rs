//! Several domains at a glance, worst first, with links to their sections.

use super::MAX_DETAILED;
use super::domain;
use super::markup::Markup;
use super::status::Status;
use super::verdict;
use super::words;
use crate::report::Linted;

/// How many domains are listed.
const MAX_LISTED: usize = 5_000;

/// Shows the table.
pub fn show(html: &mut Markup, linted: &[&Linted]) {
    let domains = linted.iter().filter(|linted| linted.report.is_over_one_domain());
    let failing = domains.clone().filter(|linted| linted.report.summary.errors > 0).count();
    let number = words::count(domains.count(), "domain");
    html.element("section", &[("id", "overview"), ("aria-labelledby", "overview-heading")], |html| {
        html.leaf("h2", &[("id", "overview-heading")], "Overview");
        let sentence = match failing {
            0 => format!("None of the {number} has an error."),
            1 => format!("1 of {number} needs repair."),
            _ => format!("{failing} of {number} need repair."),
        };
        html.leaf("p", &[], &sentence);
        let region =
            [("class", "scroll"), ("role", "region"), ("aria-label", "All domains, worst first"), ("tabindex", "0")];
        html.element("div", &region, |html| html.element("table", &[], |html| table(html, linted)));
        words::and_more(html, linted.len().saturating_sub(MAX_LISTED), "domain");
        if linted.len() > MAX_DETAILED {
            let sentence = format!("Only the first {MAX_DETAILED} have a section of their own below.");
            html.leaf("p", &[("class", "remark")], &sentence);
        }
    });
}

fn table(html: &mut Markup, linted: &[&Linted]) {
    html.leaf("caption", &[], "All domains, worst first");
    html.element("thead", &[], |html| {
        html.element("tr", &[], |html| {
            for column in ["Domain", "Result", "Errors", "Warnings", "Notes", "Not checked", "In force", "Mail"] {
                html.leaf("th", &[("scope", "col")], column);
            }
        });
    });
    html.element("tbody", &[], |html| {
        for (index, linted) in linted.iter().take(MAX_LISTED).enumerate() {
            html.element("tr", &[], |html| row(html, linted, index));
        }
    });
}

fn row(html: &mut Markup, linted: &Linted, index: usize) {
    html.element("th", &[("scope", "row")], |html| {
        if index < MAX_DETAILED {
            html.leaf("a", &[("href", &format!("#d{}", index.saturating_add(1)))], domain::name(linted))
        } else {
            html.text(domain::name(linted))
        }
    });
    html.element("td", &[], |html| Status::overall(&linted.report).show(html, verdict::words_of(&linted.report)));
    let summary = &linted.report.summary;
    for count in [summary.errors, summary.warnings, summary.notes, summary.not_checked] {
        html.leaf("td", &[("class", if count == 0 { "number none" } else { "number" })], &count.to_string());
    }
    html.leaf("td", &[], &verdict::in_force(&linted.report));
    html.leaf("td", &[], &verdict::mail(&linted.report));
}
