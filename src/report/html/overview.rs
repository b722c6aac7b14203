//! Several domains at a glance, worst first, with links to their sections.

use super::domain;
use super::markup::Markup;
use super::status::Status;
use super::verdict;
use super::words;
use crate::outcome::Severity;
use crate::report::Linted;
use crate::report::fleet::{PartState, Row};

/// How many domains are listed.
const MAX_LISTED: usize = 5_000;

/// Shows the table.
pub fn show(html: &mut Markup, linted: &[&Linted], link: &dyn Fn(usize) -> Option<String>) {
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
        html.element("div", &region, |html| html.element("table", &[], |html| table(html, linted, link)));
        words::and_more(html, linted.len().saturating_sub(MAX_LISTED), "domain");
    });
}

fn table(html: &mut Markup, linted: &[&Linted], link: &dyn Fn(usize) -> Option<String>) {
    html.leaf("caption", &[], "All domains, worst first");
    html.element("thead", &[], |html| {
        html.element("tr", &[], |html| {
            let counted = ["Domain", "Result", "Errors", "Warnings", "Notes", "Not checked", "In force", "Mail"];
            let parts = ["Record", "Policy", "MX", "DANE", "TLSRPT"];
            for column in counted.into_iter().chain(parts).chain(["First"]) {
                html.leaf("th", &[("scope", "col")], column);
            }
        });
    });
    html.element("tbody", &[], |html| {
        for (index, linted) in linted.iter().take(MAX_LISTED).enumerate() {
            html.element("tr", &[], |html| row(html, linted, link(index).as_deref()));
        }
    });
}

fn row(html: &mut Markup, linted: &Linted, link: Option<&str>) {
    html.element("th", &[("scope", "row")], |html| match link {
        Some(link) => html.leaf("a", &[("href", link)], domain::name(linted)),
        None => html.text(domain::name(linted)),
    });
    html.element("td", &[], |html| Status::overall(&linted.report).show(html, verdict::words_of(&linted.report)));
    let summary = &linted.report.summary;
    for count in [summary.errors, summary.warnings, summary.notes, summary.not_checked] {
        html.leaf("td", &[("class", if count == 0 { "number none" } else { "number" })], &count.to_string());
    }
    html.leaf("td", &[], &verdict::in_force(&linted.report));
    html.leaf("td", &[], &verdict::mail(&linted.report));
    let row = Row::of(linted);
    for part in row.parts {
        let (status, word) = match part {
            PartState::Finding(Severity::Error) => (Status::Error, "Error"),
            PartState::Finding(Severity::Warning) => (Status::Warning, "Warning"),
            PartState::Finding(Severity::Note | Severity::Remark) => (Status::Note, "Note"),
            PartState::Fine => (Status::Passed, "Fine"),
            PartState::NotChecked => (Status::NotChecked, "Not checked"),
            PartState::NotApplicable => (Status::NotApplicable, "–"),
        };
        html.element("td", &[("class", "part-state")], |html| status.show(html, word));
    }
    html.element("td", &[("class", "wide")], |html| {
        if let Some((_, first)) = &row.first {
            html.prose(first);
        }
    });
}
