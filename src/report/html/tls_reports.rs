//! TLS reports as a page: the answer first, each cause, a chart by day and cause with its table, and what is odd.

use super::chart;
use super::markup::Markup;
use super::status::Status;
use super::{page_of, unreadable, words};
use crate::outcome::Severity;
use crate::report::tls_reports::{
    By, Oddity, TlsResults, about, cause_line, closing, fate, finding_line, held_line, name, oddities, readiness, rows,
    severity,
};
use crate::tls_match::{CauseNow, CauseState, Comparison};
use crate::tls_reports::digest::{Cause, DomainDigest};

/// How many domains have a section.
const MAX_DOMAINS: usize = 200;
/// How many domains the contents name.
const MAX_CONTENTS: usize = 40;
/// How many rows a table has, and how many items a list.
const MAX_ROWS: usize = 200;
/// How many causes are told.
const MAX_CAUSES: usize = 50;

/// The page about everything that was read.
pub fn tls_reports(results: &TlsResults<'_>, by: By) -> String {
    let domains = &results.digest.domains;
    let title = match domains.as_slice() {
        [] => "TLS reports".to_owned(),
        [alone] => format!("TLS reports about {}", name(alone).chars().take(253).collect::<String>()),
        several => format!("TLS reports about {} domains", several.len()),
    };
    page_of(&title, "TLS reports: what senders saw", |html| {
        html.element("div", &[("class", "page")], |html| {
            contents(html, domains);
            html.element("main", &[("id", "content"), ("tabindex", "-1")], |html| {
                html.leaf("h1", &[("class", "visually-hidden")], &title);
                for (index, domain) in domains.iter().take(MAX_DOMAINS).enumerate() {
                    let comparison = results.comparisons.iter().find(|comparison| comparison.domain == domain.domain);
                    Section { domain, comparison, number: index.saturating_add(1) }.show(html, by);
                }
                words::and_more(html, domains.len().saturating_sub(MAX_DOMAINS), "domain");
                silence(html, results.comparisons);
                findings(html, results);
                odd(html, results);
                unreadable(html, results.lost);
                html.leaf("p", &[("class", "remark")], &closing(results));
            });
        });
    })
}

/// The sums of a domain by day and cause, without who reported and from where: what a page for everybody may show.
pub fn sums(html: &mut Markup, domain: &DomainDigest) {
    let about = about(domain);
    let domain = &DomainDigest { senders: Vec::new(), ..domain.clone() };
    html.leaf("p", &[("class", "result")], &format!("Reports of {about}."));
    html.prose_in("p", &[("class", "meaning")], &fate(domain));
    if !domain.causes.is_empty() {
        html.leaf("h2", &[], "Why connections failed");
        html.element("ol", &[], |html| {
            for cause in domain.causes.iter().take(MAX_CAUSES) {
                let connections = usize::try_from(cause.connections).unwrap_or(usize::MAX);
                let connections = words::count(connections, "connection");
                html.prose_in("li", &[], &format!("{connections}: {} {}", cause.explanation, cause.advice));
            }
        });
        words::and_more(html, domain.causes.len().saturating_sub(MAX_CAUSES), "cause");
    }
    Section { domain, comparison: None, number: 1 }.days(html);
}

fn contents(html: &mut Markup, domains: &[DomainDigest]) {
    html.element("nav", &[("class", "contents"), ("aria-label", "Contents")], |html| {
        html.element("ul", &[], |html| {
            for (index, domain) in domains.iter().take(MAX_CONTENTS).enumerate() {
                let link = format!("#d{}-name", index.saturating_add(1));
                html.element("li", &[], |html| html.leaf("a", &[("href", &link)], name(domain)));
            }
        });
        words::and_more(html, domains.len().saturating_sub(MAX_CONTENTS), "domain");
    });
}

/// A domain's part of the page.
struct Section<'a> {
    domain: &'a DomainDigest,
    comparison: Option<&'a Comparison>,
    /// Its number on the page, which anchors begin with: names of domains are not ours to trust.
    number: usize,
}

impl Section<'_> {
    fn id(&self, thing: &str) -> String {
        format!("d{}-{thing}", self.number)
    }

    fn show(&self, html: &mut Markup, by: By) {
        let (domain, heading) = (self.domain, self.id("name"));
        html.element("section", &[("class", "domain"), ("aria-labelledby", &heading)], |html| {
            let status = severity(domain).map_or(Status::Passed, |severity| match severity {
                Severity::Error => Status::Error,
                _ => Status::Warning,
            });
            let class = format!("verdict {}", status.class());
            html.element("div", &[("class", &class)], |html| {
                html.leaf("h2", &[("id", &heading)], name(domain));
                let about = about(domain);
                let mut first = about.chars();
                let about = first.next().map(|c| c.to_uppercase().chain(first).collect::<String>()).unwrap_or_default();
                html.leaf("p", &[("class", "result")], &format!("{about}."));
                html.prose_in("p", &[("class", "meaning")], &fate(domain));
            });
            self.causes(html);
            self.days(html);
            self.table(html, by);
            self.held(html);
            self.enforce(html);
        });
    }

    fn part(&self, html: &mut Markup, thing: &str, title: &str, inside: impl FnOnce(&mut Markup)) {
        let heading = self.id(thing);
        html.element("section", &[("class", "part"), ("aria-labelledby", &heading)], |html| {
            html.leaf("h3", &[("id", &heading)], title);
            inside(html);
        });
    }

    fn causes(&self, html: &mut Markup) {
        if self.domain.causes.is_empty() {
            return;
        }
        self.part(html, "causes", "Why connections failed", |html| {
            for (index, cause) in self.domain.causes.iter().take(MAX_CAUSES).enumerate() {
                let now = self.comparison.and_then(|comparison| comparison.causes.get(index));
                of_cause(html, index.saturating_add(1), cause, now);
            }
            words::and_more(html, self.domain.causes.len().saturating_sub(MAX_CAUSES), "cause");
        });
    }

    /// The chart, and the same as a table.
    fn days(&self, html: &mut Markup) {
        if self.domain.days.iter().all(|day| day.day.is_empty()) {
            return;
        }
        self.part(html, "days", "By day (UTC)", |html| {
            chart::show(html, self.domain, &self.id("chart"));
            let columns = ["Day", "Connections", "Failed", "Causes by their number"];
            html.element("details", &[], |html| {
                html.leaf("summary", &[], "The same as a table");
                table(html, "Connections of each day", &columns, |html| {
                    for day in self.domain.days.iter().rev().take(MAX_ROWS) {
                        let all = day.succeeded.saturating_add(day.failed);
                        let name = if day.day.is_empty() { "no readable date" } else { &day.day };
                        let of_day =
                            self.domain.causes.iter().take(MAX_CAUSES).enumerate().filter_map(|(index, cause)| {
                                let on = cause.days.iter().find(|on| on.day == day.day)?;
                                Some(format!("{}: {}", index.saturating_add(1), on.connections))
                            });
                        let causes = of_day.collect::<Vec<_>>().join(", ");
                        row(html, name, &[&all.to_string(), &day.failed.to_string()], Some(&causes));
                    }
                });
            });
        });
    }

    fn table(&self, html: &mut Markup, by: By) {
        let rows = rows(self.domain, by);
        if rows.is_empty() {
            return;
        }
        self.part(html, "table", by.title(), |html| {
            table(html, by.title(), &["Name", "Connections", "Failed"], |html| {
                for one in rows.iter().take(MAX_ROWS) {
                    row(html, &one.name, &[&one.connections.to_string(), &one.failed.to_string()], None);
                }
            });
            words::and_more(html, rows.len().saturating_sub(MAX_ROWS), "row");
        });
    }

    fn held(&self, html: &mut Markup) {
        let held = self.comparison.map(|comparison| comparison.held.as_slice()).unwrap_or_default();
        if held.is_empty() {
            return;
        }
        self.part(html, "held", "Senders that may still hold an older policy", |html| {
            html.element("ul", &[], |html| {
                held.iter().take(MAX_ROWS).for_each(|held| html.prose_in("li", &[], &held_line(held)));
            });
        });
    }

    fn enforce(&self, html: &mut Markup) {
        let advice = self.comparison.and_then(|comparison| comparison.enforce.as_ref());
        let readiness = readiness(self.domain);
        let answer = match advice {
            Some(advice) => format!("{} The reports show {}.", advice.answer, advice.evidence),
            None => match readiness {
                Some(answer) => answer,
                None => return,
            },
        };
        self.part(html, "enforce", "May you switch to mode enforce?", |html| {
            html.prose_in("p", &[], &answer);
            let missing = advice.map(|advice| advice.missing.as_slice()).unwrap_or_default();
            if !missing.is_empty() {
                html.element("ul", &[], |html| missing.iter().for_each(|one| html.prose_in("li", &[], one)));
            }
        });
    }
}

fn of_cause(html: &mut Markup, number: usize, cause: &Cause, now: Option<&CauseNow>) {
    let fixed = now.is_some_and(|now| now.state == CauseState::Fixed);
    let class = if fixed { "finding passed" } else { "finding warning" };
    html.element("article", &[("class", class)], |html| {
        html.prose_in("h4", &[], &format!("{number}. {}", cause.explanation));
        html.leaf("p", &[("class", "sources")], &cause_line(cause));
        if let Some(now) = now {
            html.element("p", &[("class", "help")], |html| {
                html.leaf("strong", &[], "Now: ");
                html.prose(&now.message);
            });
        }
        if !fixed {
            html.element("p", &[("class", "help")], |html| {
                html.leaf("strong", &[], "What to do: ");
                html.prose(&cause.advice);
            });
        }
    });
}

fn table(html: &mut Markup, caption: &str, columns: &[&str], rows: impl FnOnce(&mut Markup)) {
    let region = [("class", "scroll"), ("role", "region"), ("aria-label", caption), ("tabindex", "0")];
    html.element("div", &region, |html| {
        html.element("table", &[], |html| {
            html.leaf("caption", &[], caption);
            html.element("thead", &[], |html| {
                html.element("tr", &[], |html| {
                    for column in columns {
                        let class = if ["Connections", "Failed"].contains(column) { "number" } else { "name" };
                        html.leaf("th", &[("scope", "col"), ("class", class)], column);
                    }
                });
            });
            html.element("tbody", &[], rows);
        });
    });
}

fn row(html: &mut Markup, name: &str, numbers: &[&str], last: Option<&str>) {
    html.element("tr", &[], |html| {
        html.element("th", &[("scope", "row")], |html| html.prose(name));
        numbers.iter().for_each(|number| html.leaf("td", &[("class", "number")], number));
        if let Some(last) = last {
            html.leaf("td", &[], last);
        }
    });
}

fn silence(html: &mut Markup, comparisons: &[Comparison]) {
    for comparison in comparisons.iter().filter(|comparison| !comparison.silence.is_empty()) {
        html.element("section", &[("class", "part")], |html| {
            html.leaf("h2", &[], &format!("{}: no report is about this domain", comparison.domain));
            html.element("ul", &[], |html| {
                comparison.silence.iter().for_each(|reason| html.prose_in("li", &[], reason));
            });
        });
    }
}

/// What rules over all reports find.
fn findings(html: &mut Markup, results: &TlsResults<'_>) {
    if results.findings.is_empty() {
        return;
    }
    html.element("section", &[("class", "part"), ("aria-labelledby", "findings-heading")], |html| {
        html.leaf("h2", &[("id", "findings-heading")], "Findings about all reports");
        html.element("ul", &[], |html| {
            results.findings.iter().for_each(|check| html.prose_in("li", &[], &finding_line(check)));
        });
    });
}

fn odd(html: &mut Markup, results: &TlsResults<'_>) {
    let oddities = oddities(results.reports);
    if oddities.is_empty() {
        return;
    }
    html.element("section", &[("class", "part"), ("aria-labelledby", "odd-heading")], |html| {
        html.leaf("h2", &[("id", "odd-heading")], "Irregularities of the reports");
        html.leaf("p", &[], "These are their senders' mistakes: everything readable was counted.");
        html.element("ul", &[], |html| {
            for Oddity { rule, message, count, first } in oddities.iter().take(MAX_ROWS) {
                let times = if *count == 1 { String::new() } else { format!("{count} times, first in ") };
                html.element("li", &[], |html| {
                    html.leaf("code", &[("class", "rule")], rule);
                    html.text(" ");
                    html.prose(message);
                    html.leaf("span", &[("class", "muted small")], &format!(" ({times}{first})"));
                });
            }
        });
        words::and_more(html, oddities.len().saturating_sub(MAX_ROWS), "kind");
    });
}
