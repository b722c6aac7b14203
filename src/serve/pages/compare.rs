//! Two observations of a domain: what is new, fixed and left of the findings, and every fact that changed.

use std::collections::BTreeSet;

use super::{Frame, main, page};
use crate::diff::{Difference, State};
use crate::outcome::Check;
use crate::report::Linted;
use crate::report::html::markup::Markup;
use crate::report::html::words;
use crate::store::HistoryEntry;

/// So many facts are shown.
const MOST: usize = 500;

/// The page that asks what to compare with.
pub fn ask(id: &str, domain: &str, earlier: &[HistoryEntry], problem: Option<&str>) -> String {
    page(Frame { title: "Compare", ..Frame::default() }, |html| {
        main(html, |html| {
            html.leaf("h1", &[], &format!("Compare this observation of {domain}"));
            if let Some(problem) = problem {
                html.prose_in("p", &[("class", "problem"), ("role", "alert"), ("id", "with-problem")], problem);
            }
            let action = format!("/r/{id}/compare");
            html.element("form", &[("method", "get"), ("action", &action), ("class", "validate")], |html| {
                html.leaf("label", &[("for", "with")], "The address or the id of another result of this domain");
                html.element("div", &[("class", "row")], |html| {
                    html.open("input", &[("id", "with"), ("name", "with"), ("required", ""), ("maxlength", "300")]);
                    html.leaf("button", &[("type", "submit")], "Compare");
                });
            });
            if !earlier.is_empty() {
                html.leaf("h2", &[], "Other results of this domain");
                html.element("ul", &[], |html| {
                    for entry in earlier {
                        let address = format!("/r/{id}/compare?with={}", entry.id);
                        html.element("li", &[], |html| {
                            html.leaf("a", &[("href", &address)], &shown(entry.collected_at))
                        });
                    }
                });
            }
        });
    })
}

/// A time in seconds since 1970 for people.
pub fn shown(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map(|time| time.strftime("%-d %B %Y, %H:%M:%S UTC").to_string())
        .unwrap_or_default()
}

/// The page of the comparison: the older one first.
pub fn compare(older: &Linted, newer: &Linted, differences: &[Difference]) -> String {
    let domain = newer.report.domain.as_deref().unwrap_or("the domain");
    page(Frame { title: "Compare", ..Frame::default() }, |html| {
        html.element("main", &[("id", "content"), ("class", "narrow wide"), ("tabindex", "-1")], |html| {
            html.leaf("h1", &[], &format!("What changed at {domain}"));
            html.element("p", &[("class", "lead")], |html| {
                html.text("From ");
                words::time(html, older.report.collected_at.as_deref().unwrap_or("an unknown time"));
                html.text(" to ");
                words::time(html, newer.report.collected_at.as_deref().unwrap_or("an unknown time"));
                html.text(".");
            });
            findings(html, older, newer);
            facts(html, differences);
        });
    })
}

fn findings(html: &mut Markup, older: &Linted, newer: &Linted) {
    let key = |check: &Check| (check.rule.clone(), check.subject.clone(), check.message.clone());
    let keys = |linted: &Linted| -> BTreeSet<_> { linted.report.findings().into_iter().map(key).collect() };
    let (before, after) = (keys(older), keys(newer));
    let parts = [
        ("New findings", after.difference(&before).collect::<Vec<_>>()),
        ("Fixed", before.difference(&after).collect()),
        ("Still there", before.intersection(&after).collect()),
    ];
    for (title, list) in parts {
        html.leaf("h2", &[], &format!("{title}: {}", list.len()));
        html.element("ul", &[], |html| {
            for (rule, subject, message) in list.into_iter().take(MOST) {
                html.element("li", &[], |html| {
                    let address = format!("/rules/{rule}");
                    html.leaf("a", &[("href", &address)], rule);
                    let subject = subject.as_deref().map_or_else(String::new, |subject| format!(" {subject}"));
                    html.prose(&format!("{subject}: {}", message.as_deref().unwrap_or_default()));
                });
            }
        });
    }
}

fn facts(html: &mut Markup, differences: &[Difference]) {
    html.leaf("h2", &[], &format!("Facts that changed: {}", differences.len()));
    if differences.is_empty() {
        return;
    }
    html.element(
        "div",
        &[("class", "scroll"), ("role", "region"), ("aria-label", "Facts"), ("tabindex", "0")],
        |html| {
            html.element("table", &[], |html| {
                html.element("thead", &[], |html| {
                    html.element("tr", &[], |html| {
                        for title in ["Fact", "Before", "After"] {
                            html.leaf("th", &[("scope", "col")], title);
                        }
                    });
                });
                html.element("tbody", &[], |html| {
                    for difference in differences.iter().take(MOST) {
                        html.element("tr", &[], |html| {
                            html.element("th", &[("scope", "row")], |html| html.leaf("code", &[], &difference.path));
                            for state in [&difference.old, &difference.new] {
                                html.element("td", &[], |html| value(html, state));
                            }
                        });
                    }
                });
            });
        },
    );
    words::and_more(html, differences.len().saturating_sub(MOST), "fact");
}

fn value(html: &mut Markup, state: &State) {
    match state {
        State::Missing => html.leaf("span", &[("class", "muted")], "–"),
        State::NotObserved => html.leaf("span", &[("class", "muted")], "not observed"),
        State::Value(serde_json::Value::String(text)) => html.leaf("code", &[], text),
        State::Value(serde_json::Value::Null) => html.leaf("span", &[("class", "muted")], "none"),
        State::Value(value) => html.leaf("code", &[], &value.to_string()),
    }
}
