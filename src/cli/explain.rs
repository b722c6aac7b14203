//! `stslint explain`: what a rule demands, why, and how to mend it.

use super::{Ended, UsageError, terminal};
use crate::report::citation_url;
use crate::rules::template::{Part, Template};
use crate::rules::{Rule, RuleSet};
use crate::source_text::{escape, nearest};

/// Runs the command.
pub fn run(id: &str) -> Ended {
    let rules = RuleSet::built_in()?;
    let rule = find(&rules, id)?;
    terminal::print(&explain(rule));
    Ok(0)
}

/// The rule of that id, or an error that proposes the nearest.
pub fn find<'a>(rules: &'a RuleSet, id: &str) -> Result<&'a Rule, UsageError> {
    rules.get(id).ok_or_else(|| {
        let near = nearest(id, rules.rules.iter().map(|rule| rule.id.as_str()));
        let help =
            near.map_or("`stslint rules list` names them all".to_owned(), |near| format!("did you mean `{near}`?"));
        UsageError::new(format!("there is no rule `{}`", escape(id)), help)
    })
}

/// The text of `explain`.
pub fn explain(rule: &Rule) -> String {
    let mut text = format!(
        "{} ({}, group {})\n\n{}.\n",
        rule.id,
        rule.severity.label(),
        rule.group,
        rule.title.trim_end_matches('.')
    );
    let mut section =
        |title: &str, body: &str| text.push_str(&format!("\n{title}\n  {}\n", body.trim().replace('\n', "\n  ")));
    if !rule.why.is_empty() {
        section("Why", &rule.why);
    }
    section("What it says", &plain(&rule.message));
    if let Some(help) = &rule.help {
        section("What to do", &plain(help));
    }
    if let Some(kind) = &rule.reported_as {
        section("How senders report it", &format!("{kind} (RFC 8460 §4.3)"));
    }
    let cites = rule.cites.iter().map(|cite| match citation_url(cite) {
        Some(url) => format!("{cite}  {url}"),
        None => cite.clone(),
    });
    section("Where it is written", &cites.collect::<Vec<_>>().join("\n"));
    let asserted = rule.assert.as_ref().map(|assert| assert.source().split_whitespace().collect::<Vec<_>>().join(" "));
    section(
        "How it is checked",
        &asserted.unwrap_or_else(|| {
            format!("there is nothing in {}", rule.scopes.last().map(|(_, path)| path.join(".")).unwrap_or_default())
        }),
    );
    if !rule.params.is_empty() {
        let params = rule.params.iter().map(|(name, value)| format!("{name}: {value}"));
        section("What can be set (params)", &params.collect::<Vec<_>>().join("\n"));
    }
    let first = rule.requires.iter().chain(&rule.after).cloned().collect::<Vec<_>>().join(", ");
    if !first.is_empty() {
        section("What comes first", &first);
    }
    text
}

/// A message with its expressions as they are written.
fn plain(template: &Template) -> String {
    let part = |part: &Part| match part {
        Part::Insert(expr, _) => format!("{{{}}}", expr.source()),
        Part::Text(text) => text.clone(),
    };
    template.parts.iter().map(part).collect()
}
