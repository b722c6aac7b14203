//! The rules: a list, a page for each, and the facts that rules can ask for.

use super::{Frame, main, page};
use crate::facts::{Over, fact_paths};
use crate::report::html::markup::Markup;
use crate::report::html::words;
use crate::report::rule_page::as_written;
use crate::rules::{Rule, RuleSet};

/// The list.
pub fn list(rules: &RuleSet) -> String {
    page(Frame { title: "Rules", ..Frame::default() }, |html| {
        main(html, |html| {
            html.leaf("h1", &[], "The checks performed");
            html.element("p", &[("class", "lead")], |html| {
                html.text("Each check is a rule with its standard behind it, and asks for ");
                html.leaf("a", &[("href", "/facts")], "facts");
                html.text(".");
            });
            let mut group = "";
            let rules: Vec<&Rule> = rules.rules.iter().filter(|rule| !rule.off).collect();
            for rule in &rules {
                if rule.group != group {
                    group = &rule.group;
                    html.leaf("h2", &[], group);
                    html.element("ul", &[("class", "plain rules")], |html| {
                        for rule in rules.iter().filter(|rule| rule.group == group) {
                            entry(html, rule);
                        }
                    });
                }
            }
        });
    })
}

fn entry(html: &mut Markup, rule: &Rule) {
    html.element("li", &[], |html| {
        let address = format!("/rules/{}", rule.id);
        html.leaf("a", &[("href", &address)], &rule.id);
        html.prose_in("span", &[("class", "muted")], &format!(" {} ({})", rule.title, rule.severity.word()));
    });
}

/// The page of one rule.
pub fn rule(rule: &Rule) -> String {
    page(Frame { title: &rule.id, ..Frame::default() }, |html| {
        main(html, |html| {
            html.element("h1", &[], |html| html.leaf("code", &[], &rule.id));
            html.prose_in("p", &[("class", "lead")], &format!("{}.", rule.title.trim_end_matches('.')));
            html.leaf("p", &[], &format!("Severity: {}. Group: {}.", rule.severity.word(), rule.group));
            if !rule.why.is_empty() {
                html.leaf("h2", &[], "Why");
                html.prose_in("p", &[], &rule.why);
            }
            html.leaf("h2", &[], "What the standard says");
            html.element("p", &[], |html| words::cites(html, &rule.cites));
            html.leaf("h2", &[], "What it says");
            html.prose_in("p", &[], &as_written(&rule.message));
            if let Some(help) = &rule.help {
                html.leaf("h2", &[], "What to do");
                html.prose_in("p", &[], &as_written(help));
            }
            if let Some(kind) = &rule.reported_as {
                html.leaf("h2", &[], "How senders report it");
                html.prose_in("p", &[], &format!("`{kind}` (RFC 8460 §4.3)"));
            }
        });
    })
}

/// The facts that rules can ask for.
pub fn facts() -> String {
    page(Frame { title: "Facts", ..Frame::default() }, |html| {
        html.element("main", &[("id", "content"), ("class", "narrow wide"), ("tabindex", "-1")], |html| {
            html.leaf("h1", &[], "The facts that rules can ask for");
            let region = [("class", "scroll"), ("role", "region"), ("aria-label", "Facts"), ("tabindex", "0")];
            html.element("div", &region, |html| {
                html.element("table", &[], |html| {
                    html.element("tbody", &[], |html| {
                        for fact in fact_paths(Over::Domain) {
                            html.element("tr", &[], |html| {
                                html.element("th", &[("scope", "row")], |html| html.leaf("code", &[], &fact.path));
                                html.element("td", &[], |html| html.leaf("code", &[], &fact.shape));
                                html.prose_in("td", &[], &fact.about);
                            });
                        }
                    });
                });
            });
        });
    })
}
