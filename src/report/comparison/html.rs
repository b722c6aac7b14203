//! Two runs compared, as a page: the sums, then the domains with what is worse first.

use super::{Compared, GROUPS, severity, state, what, word};
use crate::report::html::markup::Markup;
use crate::report::html::page_of;
use crate::report::html::words::{and_more, count};
use crate::runs::{Change, DomainChange, DomainDiff, caveats};

/// So many domains of a group are shown.
const MAX_DOMAINS: usize = 500;
/// So many rows of a table.
const MAX_ROWS: usize = 50;

/// The page.
pub fn html(compared: &Compared<'_>) -> String {
    let worse = compared.comparison.counts.get(&DomainChange::Worse).copied().unwrap_or_default();
    let title = match worse {
        0 => "Nothing is worse".to_owned(),
        1 => "1 domain is worse".to_owned(),
        worse => format!("{worse} domains are worse"),
    };
    page_of(&title, "Two runs compared", |html| {
        html.element("div", &[("class", "page")], |html| {
            html.element("main", &[("id", "content"), ("tabindex", "-1")], |html| {
                html.leaf("h1", &[], &title);
                html.element("section", &[("id", "overview"), ("aria-labelledby", "overview-heading")], |html| {
                    html.leaf("h2", &[("id", "overview-heading")], "Overview");
                    html.leaf("p", &[], &compared.domains());
                    html.leaf("p", &[], &compared.findings());
                    for caveat in caveats(compared.old, compared.new) {
                        html.leaf("p", &[("class", "remark")], &caveat);
                    }
                });
                sums(compared, html);
                GROUPS
                    .into_iter()
                    .filter(|(change, _)| *change != DomainChange::Same)
                    .for_each(|(change, title)| group(compared, change, title, html));
            });
        });
    })
}

fn sums(compared: &Compared<'_>, html: &mut Markup) {
    let causes: Vec<(String, Vec<usize>)> = compared
        .causes()
        .into_iter()
        .map(|(rule, cause)| {
            let it = cause.findings;
            (rule.to_owned(), vec![cause.domains, it.new, it.worse, it.not_known, it.better, it.fixed])
        })
        .collect();
    table(html, "By rule", &["Rule", "Domains", "New", "Worse", "Not known", "Better", "Fixed"], &causes);
    let providers: Vec<(String, Vec<usize>)> = compared
        .providers()
        .into_iter()
        .map(|(name, it)| (name.to_owned(), vec![it.domains, it.worse, it.new, it.gone, it.better]))
        .collect();
    let columns = ["Provider of the MX hosts", "Domains", "Worse", "New", "Gone", "Better"];
    table(html, "By provider", &columns, &providers);
}

fn table(html: &mut Markup, caption: &str, columns: &[&str], rows: &[(String, Vec<usize>)]) {
    if rows.is_empty() {
        return;
    }
    let region = [("class", "scroll"), ("role", "region"), ("aria-label", caption), ("tabindex", "0")];
    html.element("div", &region, |html| {
        html.element("table", &[], |html| {
            html.leaf("caption", &[], caption);
            html.element("thead", &[], |html| {
                html.element("tr", &[], |html| {
                    for (index, column) in columns.iter().enumerate() {
                        let class: &[(&str, &str)] = if index == 0 { &[] } else { &[("class", "number")] };
                        let attributes: Vec<_> = [("scope", "col")].into_iter().chain(class.iter().copied()).collect();
                        html.leaf("th", &attributes, column);
                    }
                });
            });
            html.element("tbody", &[], |html| {
                for (name, counts) in rows.iter().take(MAX_ROWS) {
                    html.element("tr", &[], |html| {
                        html.leaf("th", &[("scope", "row")], name);
                        for count in counts {
                            let class = if *count == 0 { "number none" } else { "number" };
                            html.leaf("td", &[("class", class)], &count.to_string());
                        }
                    });
                }
            });
        });
    });
    and_more(html, rows.len().saturating_sub(MAX_ROWS), "row");
}

fn group(compared: &Compared<'_>, change: DomainChange, title: &str, html: &mut Markup) {
    let domains = compared.group(change);
    let all = domains.clone().count();
    if all == 0 {
        return;
    }
    let id = format!("{}-heading", change.word());
    html.element("section", &[("class", "part"), ("aria-labelledby", &id)], |html| {
        html.leaf("h2", &[("id", &id)], &format!("{title}: {}", count(all, "domain")));
        domains.take(MAX_DOMAINS).for_each(|diff| domain(diff, html));
        and_more(html, all.saturating_sub(MAX_DOMAINS), "domain");
    });
}

fn domain(diff: &DomainDiff, html: &mut Markup) {
    let class = match diff.change {
        DomainChange::Worse => "finding error",
        DomainChange::Better => "finding passed",
        _ => "finding note",
    };
    html.element("article", &[("class", class)], |html| {
        html.leaf("h3", &[], &diff.domain);
        for line in state(diff).iter().chain(&diff.reason) {
            html.leaf("p", &[], line);
        }
        let findings: Vec<_> = diff.findings.iter().filter(|finding| finding.change != Change::Remaining).collect();
        if findings.is_empty() {
            return;
        }
        html.element("ul", &[("class", "changes")], |html| {
            for finding in findings {
                html.element("li", &[], |html| {
                    html.leaf("strong", &[], word(finding.change));
                    html.text(&format!(": {} ", severity(finding)));
                    html.leaf("code", &[], &finding.rule);
                    html.text(" ");
                    html.prose(&what(finding));
                    if let Some(reason) = &finding.reason {
                        html.text(&format!(" ({reason})"));
                    }
                });
            }
        });
    });
}
