//! A rule explained: what it demands, why, what its finding looks like, and how to fix it.
//!
//! `stslint explain` prints it for a terminal, `stslint rules docs` as a page of Markdown.

use super::citation_url;
use super::human::{Style, finding};
use crate::outcome::{Check, Confidence, Outcome, Report, Severity};
use crate::rules::expr::Expr;
use crate::rules::params::range_text;
use crate::rules::template::{Part, Template};
use crate::rules::{Rule, RuleSet, example};
use crate::snapshot::Snapshot;

/// A part of a page.
struct Section {
    title: &'static str,
    body: Body,
}

/// What is in a part.
enum Body {
    /// A text that is shown as it is.
    Code(String),
    /// A list of items.
    Items(Vec<String>),
    /// A paragraph.
    Text(String),
}

/// The page in Markdown.
pub fn markdown(rules: &RuleSet, rule: &Rule, good: &Snapshot) -> String {
    let style = Style { colour: false, unicode: true, hyperlinks: false, width: 90, ..Style::plain() };
    let mut text = format!(
        "# {}\n\n{}\n\n{} · group `{}`{}\n",
        rule.id,
        title(rule),
        rule.severity.word(),
        rule.group,
        life(rule, " · ")
    );
    for section in sections(rules, rule, good, &style) {
        let body = match section.body {
            Body::Code(code) => format!("```text\n{}\n```", code.trim_end()),
            Body::Items(items) => items.iter().map(|item| format!("- {}", linked(item))).collect::<Vec<_>>().join("\n"),
            Body::Text(text) => text,
        };
        text.push_str(&format!("\n## {}\n\n{body}\n", section.title));
    }
    text
}

/// What is said of a rule that deduces.
const DEDUCED: &str =
    "The finding is deduced: what was observed points to it, and whoever runs the domain may know better.";

/// The index of all pages in Markdown.
pub fn index(rules: &RuleSet) -> String {
    let mut text = "# The rules\n\nEach page is made from the rule itself by `stslint rules docs docs/rules`; \
        `stslint explain RULE` prints the same.\n"
        .to_owned();
    let mut group = "";
    for rule in &rules.rules {
        if rule.group != group {
            group = &rule.group;
            let title = super::human::group_title(group);
            text.push_str(&format!("\n## {title}\n\n| rule | severity | what is so when it passes | where it is written |\n|---|---|---|---|\n"));
        }
        let cites: Vec<String> = rule.cites.iter().map(|cite| linked(cite)).collect();
        let title = rule.title.replace('|', "\\|");
        text.push_str(&format!(
            "| [{0}]({0}.md) | {1} | {title} | {2} |\n",
            rule.id,
            rule.severity.word(),
            cites.join(", ")
        ));
    }
    text
}

/// The page for a terminal.
pub fn for_terminal(rules: &RuleSet, rule: &Rule, good: &Snapshot, style: &Style) -> String {
    let page = super::human::Page { style };
    let mut text =
        format!("{} ({}, group {}{})\n\n", page.bold(&rule.id), rule.severity.word(), rule.group, life(rule, ", "));
    text.push_str(&page.paragraph("", &title(rule)));
    for section in sections(rules, rule, good, style) {
        text.push_str(&format!("\n{}\n", page.bold(section.title)));
        match section.body {
            Body::Code(code) => text.push_str(&indented(&code)),
            Body::Items(items) => {
                for item in items {
                    let url = citation_url(&item).map(|url| format!("  {url}")).unwrap_or_default();
                    text.push_str(&page.paragraph("  ", &format!("{item}{url}")));
                }
            }
            Body::Text(body) => text.push_str(&page.paragraph("  ", &body)),
        }
    }
    text
}

/// Since when there is the rule, and whether it deduces what it finds.
fn life(rule: &Rule, before: &str) -> String {
    let since = rule.since.as_ref().map(|since| format!("{before}since {since}"));
    let deduced = (rule.confidence == Confidence::Deduced).then(|| format!("{before}deduced"));
    since.into_iter().chain(deduced).collect()
}

fn title(rule: &Rule) -> String {
    format!("{}.", rule.title.trim_end_matches('.'))
}

fn indented(code: &str) -> String {
    code.trim_end().lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}

/// A citation as a link, anything else as it is.
fn linked(item: &str) -> String {
    citation_url(item).map_or_else(|| item.to_owned(), |url| format!("[{item}]({url})"))
}

fn sections(rules: &RuleSet, rule: &Rule, good: &Snapshot, style: &Style) -> Vec<Section> {
    let report = example(rules, rule, good);
    let shown = report.as_ref().and_then(|report| Some((report, failed(report, rule)?)));
    let mut sections = Vec::new();
    let mut add = |title, body| sections.push(Section { title, body });
    if !rule.why.is_empty() {
        add("Why", Body::Text(rule.why.clone()));
    }
    if rule.confidence == Confidence::Deduced {
        add("How sure it is", Body::Text(DEDUCED.to_owned()));
    }
    let mut cites: Vec<String> = rule.cites.clone();
    let others = rule.cites_if.iter().flat_map(|(_, cites)| cites);
    others.for_each(|cite| {
        if !cites.contains(cite) {
            cites.push(cite.clone())
        }
    });
    add("What the standard says", Body::Items(cites));
    match shown {
        Some((report, check)) => {
            // Wide lines would be broken a second time where they are set into the page.
            let style = Style { width: style.width.saturating_sub(2), hyperlinks: false, ..*style };
            add("What it looks like", Body::Code(finding(report, check, &style)));
        }
        None => add("What it says", Body::Text(as_written(&rule.message))),
    }
    let help = shown.and_then(|(_, check)| check.help.clone()).or_else(|| rule.help.as_ref().map(as_written));
    if let Some(help) = help {
        add("How to fix it", Body::Text(help));
    }
    if let Some(fix) = &rule.fix {
        let which = if fix.safe || fix.safe_when.is_some() { "--fix" } else { "--fix=all" };
        // A correction of an MX host is a text for the policy.
        let of_policy = fix.replace.first().is_some_and(|root| root == "policy")
            || fix.replace.last().is_some_and(|field| field == "correction");
        if rule.group == "policy" || of_policy {
            add("Fixed by", Body::Text(format!("`stslint check --policy FILE {which}`")));
        }
    }
    let conditional = rule.reported_as_if.iter().map(|(when, kind)| format!("`{kind}` where `{}`", when.source()));
    let kinds: Vec<String> = rule.reported_as.iter().map(|kind| format!("`{kind}`")).chain(conditional).collect();
    if !kinds.is_empty() {
        add("How senders report it", Body::Text(format!("{} (RFC 8460 §4.3)", kinds.join("; "))));
    }
    add("How it is checked", Body::Code(checked(rule)));
    if !rule.params.is_empty() {
        add("What can be set", Body::Items(rule.params.iter().map(|(name, value)| param(rule, name, value)).collect()));
    }
    if !rule.severity_if.is_empty() {
        let usual = format!("{}, unless one of these is so", rule.severity.word());
        let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let exception =
            |(when, severity): &(Expr, Severity)| format!("{} where `{}`", severity.word(), one_line(when.source()));
        let cases = std::iter::once(usual).chain(rule.severity_if.iter().map(exception));
        add("How severe it is", Body::Items(cases.collect()));
    }
    let first: Vec<String> = rule.requires.iter().chain(&rule.after).map(|id| format!("`{id}`")).collect();
    if !first.is_empty() {
        let text = "Where one of these has failed, and this rule would be no worse, it says nothing of its own: ";
        add("What comes first", Body::Text(format!("{text}{}.", first.join(", "))));
    }
    sections
}

fn failed<'a>(report: &'a Report, rule: &Rule) -> Option<&'a Check> {
    report.checks.iter().find(|check| check.rule == rule.id && check.outcome == Outcome::Fail)
}

/// The rule in CEL.
fn checked(rule: &Rule) -> String {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines: Vec<String> = Vec::new();
    if let Some(when) = &rule.when {
        lines.push(format!("when    {}", one_line(when.source())));
    }
    let (last, outer) = match (rule.forbids, rule.scopes.split_last()) {
        (true, Some((last, outer))) => (Some(last), outer),
        _ => (None, rule.scopes.as_slice()),
    };
    lines.extend(outer.iter().map(|(name, path)| format!("each    {name} in {}", path.join("."))));
    lines.extend(last.map(|(_, path)| format!("nothing in {}", path.join("."))));
    lines.extend(rule.compare.as_ref().map(|value| format!("compare {}", one_line(value.source()))));
    lines.extend(rule.assert.as_ref().map(|assert| format!("assert  {}", one_line(assert.source()))));
    lines.join("\n")
}

/// A template with its expressions as they are written.
pub fn as_written(template: &Template) -> String {
    let part = |part: &Part| match part {
        Part::Insert(expr, _) => format!("{{{}}}", expr.source()),
        Part::Text(text) => text.clone(),
    };
    template.parts.iter().map(part).collect()
}

/// A param, with what it is by default and may be.
fn param(rule: &Rule, name: &str, value: &serde_json::Value) -> String {
    match rule.ranges.get(name) {
        Some(range) => format!("`params.{name}`: {value}, {}", range_text(*range)),
        None => format!("`params.{name}`: {value}"),
    }
}
