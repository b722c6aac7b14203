//! Tags and groups of domains that no configuration gives: a rule that asks for one never applies, and nobody is told.
//! Used by the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::scope::{facts_scope, scope_within};
use crate::facts::{Field, Over, Texts, Type};
use crate::rules::rule::Rule;
use crate::rules::source::Source;
use crate::rules::types::{Mistake, Scope, check};
use crate::source_text::SourceError;

/// What a configuration gives its domains.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// The names of the entries of `domains`.
    pub groups: BTreeSet<String>,
    /// The tags.
    pub tags: BTreeSet<String>,
}

/// The tags and groups that a rule asks for and no entry of `domains` gives, each at its place in the rule's file.
pub fn unknown_members(rule: &Rule, source: &Source, members: &Members) -> Vec<SourceError> {
    let plain = scope_within(rule, facts_scope(rule.over));
    let closed = scope_within(rule, closed(facts_scope(rule.over), members));
    let mut found = Vec::new();
    for expr in rule.expressions().into_iter().filter(|expr| !expr.source().trim().is_empty()) {
        let Ok(compiled) = expr.compiled() else { continue };
        let mistakes = |scope: &Scope| check(compiled, scope, &BTreeSet::new()).1;
        let usual = mistakes(&plain);
        let of_members = mistakes(&closed).into_iter().filter(|mistake| !usual.contains(mistake));
        found.extend(of_members.map(|mistake| at_literal(rule, source, expr.source(), mistake)));
    }
    found
}

fn at_literal(rule: &Rule, source: &Source, expr: &str, mistake: Mistake) -> SourceError {
    let literal = expr.get(mistake.offset..mistake.offset.saturating_add(mistake.length)).unwrap_or_default();
    let start = source.text.find(&format!("id: {}", rule.id)).unwrap_or_default();
    let found = source.text.get(start..).and_then(|rest| rest.find(literal)).map(|at| start.saturating_add(at));
    let message = format!("{}: no entry of `domains` in the configuration gives it", mistake.message);
    let none = mistake.help.as_ref().is_some_and(|help| help == "available: ");
    let help = if none {
        Some("an entry gives a tag with `tags: […]`, and a group with its `name`".to_owned())
    } else {
        mistake.help
    };
    SourceError::new(&source.name, &source.text, found.map(|at| (at, literal.len())), message).with_help(help)
}

/// The variables with the tags and groups that there are as words.
fn closed(mut scope: Scope, members: &Members) -> Scope {
    let words =
        |words: &BTreeSet<String>| Type::List(Arc::new(Type::Text(Texts::Only(words.iter().cloned().collect()))));
    let lists = [("tags", words(&members.tags)), ("groups", words(&members.groups))];
    for (name, shape) in &lists {
        if let Some(variable) = scope.get_mut(*name) {
            variable.shape = shape.clone();
        }
    }
    let domains = scope.get_mut(Over::Domains.word()).map(|domains| &mut domains.shape);
    if let Some(Type::List(element)) = domains
        && let Type::Object(fields) = Arc::make_mut(element)
    {
        let fields: &mut BTreeMap<String, Field> = Arc::make_mut(fields);
        for (name, shape) in lists {
            if let Some(field) = fields.get_mut(name) {
                field.shape = shape;
            }
        }
    }
    scope
}
