//! What very many domains come to, and where each of them is shown. Used by the page.

use std::collections::BTreeSet;

use super::MAX_DETAILED;
use super::domain;
use super::markup::Markup;
use super::words::and_more;
use crate::report::Linted;
use crate::report::fleet::Fleet;

/// So many rows of a table.
const MAX_ROWS: usize = 20;
/// The longest name of a file, in octets, without its ending.
const LONGEST_NAME: usize = 200;

/// Whether the domain with that place has a short section on a page about very many.
pub fn has_section(linted: &Linted, index: usize) -> bool {
    let summary = &linted.report.summary;
    index < MAX_DETAILED && (summary.errors > 0 || summary.warnings > 0)
}

/// How the page of each domain is called in a folder: its name, in characters that every file system takes.
pub fn file_names(linted: &[&Linted]) -> Vec<String> {
    let mut taken: BTreeSet<String> = BTreeSet::from(["index".to_owned()]);
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c.to_ascii_lowercase() } else { '_' };
    let name = |linted: &&Linted| {
        let name: String = domain::name(linted).chars().map(safe).take(LONGEST_NAME).collect();
        let name = name.trim_start_matches(['.', '-']);
        let name = if name.is_empty() { "domain" } else { name };
        let mut unique = name.to_owned();
        let mut number = 2_usize;
        while !taken.insert(unique.clone()) {
            unique = format!("{name}_{number}");
            number = number.saturating_add(1);
        }
        unique + ".html"
    };
    linted.iter().map(name).collect()
}

/// How many domains enforce, what becomes of mail, which rules have findings, which causes several domains have in
/// common, and which providers receive the mail.
pub fn sums(html: &mut Markup, linted: &[&Linted]) {
    let mut fleet = Fleet::default();
    linted.iter().for_each(|linted| fleet.add(linted));
    html.element("section", &[("id", "sums"), ("class", "part"), ("aria-labelledby", "sums-heading")], |html| {
        html.leaf("h2", &[("id", "sums-heading")], "What they have in common");
        let sentence = |counts: &[(&str, usize)]| {
            counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
        };
        html.leaf("p", &[], &format!("Policy in force: {}.", sentence(&fleet.by_policy())));
        html.leaf("p", &[], &format!("Mail: {}.", sentence(&fleet.by_mail())));
        let rules = fleet.by_rule();
        let rows = rules.iter().map(|(rule, count)| {
            let severity = count.worst.map_or("", |worst| worst.word());
            vec![(*rule).to_owned(), severity.to_owned(), count.domains.to_string(), count.title.clone()]
        });
        table(html, "Findings by rule", &["Rule", "Severity", "Domains", "What it asks for"], rows);
        let causes = fleet.by_cause();
        let rows = causes
            .iter()
            .map(|(rule, subject, count)| vec![(*subject).to_owned(), (*rule).to_owned(), count.to_string()]);
        table(html, "Findings of several domains with one cause", &["Cause", "Rule", "Domains"], rows);
        let providers = fleet.by_provider();
        let rows = providers.iter().map(|(name, counts)| {
            let counts = counts.iter().map(ToString::to_string);
            std::iter::once((*name).to_owned()).chain(counts).collect()
        });
        table(html, "By provider of the MX hosts", &["Provider", "Domains", "Enforce", "With errors"], rows);
    });
}

fn table(html: &mut Markup, caption: &str, columns: &[&str], rows: impl ExactSizeIterator<Item = Vec<String>>) {
    let all = rows.len();
    if all == 0 {
        return;
    }
    let region = [("class", "scroll"), ("role", "region"), ("aria-label", caption), ("tabindex", "0")];
    html.element("div", &region, |html| {
        html.element("table", &[], |html| {
            html.leaf("caption", &[], caption);
            html.element("thead", &[], |html| {
                html.element("tr", &[], |html| {
                    columns.iter().for_each(|column| html.leaf("th", &[("scope", "col")], column));
                });
            });
            html.element("tbody", &[], |html| {
                for row in rows.take(MAX_ROWS) {
                    html.element("tr", &[], |html| {
                        for (index, cell) in row.iter().enumerate() {
                            if index == 0 {
                                html.leaf("th", &[("scope", "row")], cell);
                            } else {
                                html.leaf("td", &[], cell);
                            }
                        }
                    });
                }
            });
        });
    });
    and_more(html, all.saturating_sub(MAX_ROWS), "row");
}
