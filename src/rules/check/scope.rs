//! The variables that expressions of a rule can use, with their types. Used by `check` and `ask`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts::{self, Field, Over, Texts, Type};
use crate::rules::compare::COMPARED;
use crate::rules::rule::Rule;
use crate::rules::types::{OVER, Scope, Variable, check, texts_of_param, unknown};

/// The variables of every expression over something: the roots of its facts, and what it is over, so
/// that a rule in the wrong file is told as such.
pub fn facts_scope(over: Over) -> Scope {
    let variable = |(name, field): (&String, &Field)| {
        (
            name.clone(),
            Variable { shape: field.shape.clone(), nullable: field.nullable, holds_null: false, path: name.clone() },
        )
    };
    let is_over = [(OVER.to_owned(), unknown(over.word()))];
    facts::root(over).iter().map(variable).chain(is_over).collect()
}

pub(super) fn root_scope(rule: &Rule) -> Scope {
    root_within(rule, facts_scope(rule.over))
}

fn root_within(rule: &Rule, mut scope: Scope) -> Scope {
    let params: BTreeMap<String, Field> = rule
        .params
        .iter()
        .map(|(name, value)| {
            // What is wrong with a param that has a range, and is not a number, has been told.
            let unparsed = rule.ranges.contains_key(name) && !value.is_number();
            let shape = if unparsed { Type::Any } else { shape_of(value) };
            (name.clone(), Field { shape, nullable: false, about: String::new(), since: None })
        })
        .collect();
    // A name that holds its value is a mistake that has been told: which params there are is not known.
    let unparsed = rule.params.keys().any(|name| name.contains([' ', ':']));
    scope.insert(
        "params".to_owned(),
        Variable {
            shape: if unparsed { Type::Any } else { Type::Object(Arc::new(params)) },
            nullable: false,
            holds_null: false,
            path: "params".to_owned(),
        },
    );
    for (name, value) in &rule.params {
        if let Some(texts) = texts_of(value) {
            let mut texts_of_it = unknown("params");
            texts_of_it.shape = Type::Text(Texts::Only(texts));
            scope.insert(texts_of_param(name), texts_of_it);
        }
    }
    scope
}

/// The texts of a param that is one, or a list of them.
fn texts_of(value: &serde_json::Value) -> Option<Vec<String>> {
    match value {
        serde_json::Value::Array(values) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
        serde_json::Value::String(text) => Some(vec![text.clone()]),
        _ => None,
    }
}

/// What a fact that the rule compares a param with can never be, though the param is that now; `None` where there is no
/// such comparison.
pub fn never_equal(rule: &Rule, name: &str) -> Option<(String, Option<String>)> {
    let scope = scope_of(rule);
    let compiled = rule.expressions().into_iter().filter_map(|expr| expr.compiled().ok());
    let told = format!("the value of `params.{name}`");
    let mistakes = compiled.flat_map(|compiled| check(compiled, &scope, &BTreeSet::new()).1);
    mistakes
        .into_iter()
        .find(|mistake| !mistake.doubtful && mistake.message.ends_with(&told))
        .map(|mistake| (mistake.message.replace(&format!(", {told}"), ""), mistake.help))
}

/// The variables inside a rule's lists.
pub(super) fn scope_of(rule: &Rule) -> Scope {
    scope_within(rule, facts_scope(rule.over))
}

/// The same over these facts.
pub(super) fn scope_within(rule: &Rule, facts: Scope) -> Scope {
    let mut scope = root_within(rule, facts);
    for (name, path) in &rule.scopes {
        if let Some(variable) = element_of(&path.join("."), &scope) {
            scope.insert(name.clone(), variable);
        }
    }
    if rule.compare.is_some() {
        scope.insert(COMPARED.to_owned(), unknown(COMPARED));
    }
    scope
}

/// The element of the list at a path.
pub(super) fn element_of(path: &str, scope: &Scope) -> Option<Variable> {
    let mut segments = path.split('.').map(str::trim);
    let root = scope.get(segments.next()?)?;
    let mut shape = &root.shape;
    let mut full = root.path.clone();
    for segment in segments {
        let Type::Object(fields) = shape else { return None };
        shape = &fields.get(segment)?.shape;
        full = format!("{full}.{segment}");
    }
    let Type::List(element) = shape else { return None };
    Some(Variable { shape: (**element).clone(), nullable: false, holds_null: false, path: format!("{full}[]") })
}

/// A path and all that it passes through, from the root of the facts on.
pub(super) fn all_prefixes(path: &[String], scope: &Scope) -> Vec<String> {
    let Some((root, rest)) = path.split_first() else { return Vec::new() };
    let mut full = scope.get(root).map_or_else(|| root.clone(), |variable| variable.path.clone());
    let mut prefixes = vec![full.clone()];
    for segment in rest {
        full = format!("{full}.{segment}");
        prefixes.push(full.clone());
    }
    prefixes
}

pub(super) fn shape_of(value: &serde_json::Value) -> Type {
    use serde_json::Value;
    match value {
        Value::Array(values) => Type::List(Arc::new(element_shape(values))),
        Value::Bool(_) => Type::Bool,
        Value::Null => Type::Null,
        Value::Number(number) if number.is_f64() => Type::Double,
        Value::Number(_) => Type::Int,
        Value::Object(map) => {
            let field =
                |value| Field { shape: shape_of(value), nullable: value.is_null(), about: String::new(), since: None };
            Type::Object(Arc::new(map.iter().map(|(name, value)| (name.clone(), field(value))).collect()))
        }
        Value::String(_) => Type::Text(Texts::Any),
    }
}

/// The type of the elements of a list of params. Numbers with and without a fraction can be in one list.
fn element_shape(values: &[serde_json::Value]) -> Type {
    let shapes: Vec<Type> = values.iter().map(shape_of).collect();
    match shapes.iter().find(|shape| **shape == Type::Double).or(shapes.first()) {
        Some(shape) => shape.clone(),
        None => Type::Any,
    }
}
