//! What the values of a rule's params may be: those that it is written with, and those that a configuration sets in
//! their place. Used by `check` and by the configuration.

use std::collections::BTreeSet;

use cel::common::ast::{EntryExpr, Expr as Ast, IdedExpr};
use serde_json::Value;

use super::cost::{MAX_PARAMS_OCTETS, MAX_STEPS, steps};
use super::decided::param_error;
use super::expr::{Expr, path_of};
use super::model::Range;
use super::rule::Rule;
use super::template::Template;
use super::types::regex_sound;

/// Why a param of a rule cannot have this value, which it has now; `None` where it can.
pub fn param_problem(rule: &Rule, name: &str, value: &Value) -> Option<String> {
    let wrong =
        mixed_list(value).or_else(|| range_problem(rule, name, value)).or_else(|| regex_problem(rule, name, value));
    if let Some(problem) = wrong {
        return Some(problem);
    }
    if let Some(problem) = param_error(rule, name) {
        return Some(problem);
    }
    let octets = serde_json::to_string(&rule.params).map_or(0, |text| text.len());
    if octets > MAX_PARAMS_OCTETS {
        return Some(format!("the params of a rule hold at most {MAX_PARAMS_OCTETS} octets; these have {octets}"));
    }
    let compiled = rule.expressions().into_iter().filter_map(|expr| expr.compiled().ok());
    let most = compiled.map(|compiled| steps(compiled.program.expression(), &rule.params)).max().unwrap_or_default();
    (most > MAX_STEPS).then(|| {
        format!("with this the rule takes {most} steps through lists of its own; at most {MAX_STEPS} are allowed")
    })
}

/// Why a value is outside of the range of its param; `None` where it is inside, or there is no range.
pub fn range_problem(rule: &Rule, name: &str, value: &Value) -> Option<String> {
    let range = rule.ranges.get(name)?;
    let number = value.as_f64()?;
    let outside = range.at_least.is_some_and(|least| number < least as f64)
        || range.at_most.is_some_and(|most| number > most as f64);
    outside.then(|| format!("`{name}` is {value}, and may be {}", range_text(*range)))
}

/// A range in words: "from 0 to 31557600".
pub fn range_text(range: Range) -> String {
    match (range.at_least, range.at_most) {
        (Some(least), Some(most)) => format!("from {least} to {most}"),
        (Some(least), None) => format!("{least} or more"),
        (None, Some(most)) => format!("{most} or less"),
        (None, None) => "any number".to_owned(),
    }
}

/// What is wrong with a list of values of several types; `None` where all lists are of one.
pub fn mixed_list(value: &Value) -> Option<String> {
    match value {
        Value::Array(values) => {
            let other =
                |(first, other): (&Value, &Value)| (kind(first) != kind(other)).then(|| (kind(first), kind(other)));
            let mixed = values.first().and_then(|first| values.iter().find_map(|value| other((first, value))));
            match mixed {
                Some((first, other)) => {
                    Some(format!("a list holds values of one type; this holds {first} and {other}"))
                }
                None => values.iter().find_map(mixed_list),
            }
        }
        Value::Object(map) => map.values().find_map(mixed_list),
        _ => None,
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Array(_) => "lists".to_owned(),
        Value::Bool(_) => "booleans".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Number(_) => "numbers".to_owned(),
        Value::Object(map) => format!("mappings with {}", map.keys().cloned().collect::<Vec<_>>().join(", ")),
        Value::String(_) => "strings".to_owned(),
    }
}

/// Why a param that the rule takes for a regular expression is none; `None` where it is one, or is not taken for one.
pub fn regex_problem(rule: &Rule, name: &str, value: &Value) -> Option<String> {
    let Value::String(text) = value else { return None };
    let mut compiled = rule.expressions().into_iter().filter_map(|expr| expr.compiled().ok());
    let taken = compiled.any(|compiled| is_regex(compiled.program.expression(), name));
    let why = if taken { regex_sound(text).err() } else { None };
    why.map(|why| format!("this is not a valid regular expression: {why}"))
}

/// The params that no expression of the rule asks for.
pub fn unused_params(rule: &Rule) -> Vec<&str> {
    let used: BTreeSet<&str> = rule
        .expressions()
        .into_iter()
        .filter_map(|expr| expr.compiled().ok())
        .flat_map(|compiled| &compiled.paths)
        .filter(|path| path.first().is_some_and(|root| root == "params"))
        .filter_map(|path| path.get(1).map(String::as_str))
        .collect();
    rule.params.keys().map(String::as_str).filter(|name| !used.contains(name)).collect()
}

/// Whether a param is taken for a regular expression somewhere in an expression.
fn is_regex(expr: &IdedExpr, name: &str) -> bool {
    let inside = |part: &IdedExpr| is_regex(part, name);
    match &expr.expr {
        Ast::Call(call) => {
            let pattern = call.args.first().filter(|_| call.func_name == "matches").and_then(path_of);
            pattern.is_some_and(|path| path == ["params", name])
                || call.target.iter().map(AsRef::as_ref).chain(&call.args).any(inside)
        }
        Ast::Comprehension(comprehension) => {
            [&comprehension.iter_range, &comprehension.loop_cond, &comprehension.loop_step].into_iter().any(inside)
        }
        Ast::List(list) => list.elements.iter().any(inside),
        Ast::Map(map) => map.entries.iter().any(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => inside(&entry.key) || inside(&entry.value),
            EntryExpr::StructField(_) => false,
        }),
        Ast::Select(select) => inside(&select.operand),
        Ast::Ident(_) | Ast::Literal(_) | Ast::Struct(_) | Ast::Unspecified => false,
    }
}

impl Rule {
    /// The conditions that decide what a finding of the rule is like.
    pub fn conditions_of_findings(&self) -> impl Iterator<Item = &Expr> {
        let of_fix = self.fix.iter().flat_map(|fix| fix.when.iter().chain(&fix.safe_when));
        let severities = self.severity_if.iter().map(|(when, _)| when);
        let of_also = self.also.iter().filter_map(|also| also.when.as_ref());
        let of_cites = self.cites_if.iter().map(|(when, _)| when);
        let of_types = self.reported_as_if.iter().map(|(when, _)| when);
        severities.chain(of_cites).chain(of_types).chain(of_fix).chain(of_also)
    }

    /// The texts of every finding of the rule; labels of further places have conditions of their own.
    pub fn texts(&self) -> impl Iterator<Item = &Template> {
        [Some(&self.message), self.help.as_ref(), self.subject.as_ref()].into_iter().flatten()
    }

    /// Every expression of the rule but its lists.
    pub fn expressions(&self) -> Vec<&Expr> {
        let labels = self.also.iter().map(|also| &also.label);
        let texts = self.texts().chain(labels).chain(self.fix.iter().map(|fix| &fix.with));
        self.when
            .iter()
            .chain(&self.compare)
            .chain(&self.assert)
            .chain(self.conditions_of_findings())
            .chain(texts.flat_map(|text| text.inserts().map(|(expr, _)| expr)))
            .collect()
    }
}
