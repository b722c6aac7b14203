//! What changed between two observations of a domain, fact by fact: `stslint diff OLD NEW`.
//!
//! Pure: compares two trees of facts. Elements of a list are matched by what names them (an MX host by its name, a
//! probe by its address), so that a new host does not shift all the others.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Facts that differ between any two observations and tell nothing (times, and what follows from them), and those
/// that say once more what another fact says.
const VOLATILE: [&str; 9] = [
    "collected_at",
    "days_left",
    "fields",
    "max_age_text",
    "milliseconds",
    "mode_text",
    "smtp_blocked",
    "ttl",
    "ttl_seen",
];
/// Fields that name an element of a list, the first that it has.
const NAMES: [&str; 6] = ["name", "address", "text", "subject", "detail", "kind"];

/// A fact that is not the same.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct Difference {
    /// Its path; elements of lists are named: `mx.hosts[mx1.example.com].covered`.
    pub path: String,
    /// What it was.
    pub old: State,
    /// What it is.
    pub new: State,
}

/// What is known of a fact.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There is no such element in the list.
    Missing,
    /// It was not observed.
    NotObserved,
    /// Its value; `null` where it is known to be absent.
    Value(Value),
}

/// Every fact that differs, in the order of the paths; `volatile` with those that differ each time.
pub fn differences(old: &Value, new: &Value, volatile: bool) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(String::new(), Some(old), Some(new), volatile, &mut found);
    found
}

fn compare(path: String, old: Option<&Value>, new: Option<&Value>, volatile: bool, found: &mut Vec<Difference>) {
    if old == new {
        return;
    }
    match (old, new) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys.into_iter().filter(|key| volatile || !VOLATILE.contains(&key.as_str())) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(path, a.get(key), b.get(key), volatile, found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => lists(&path, a, b, volatile, found),
        _ => {
            let state = |value: Option<&Value>| value.map_or(State::NotObserved, |value| State::Value(value.clone()));
            found.push(Difference { path, old: state(old), new: state(new) });
        }
    }
}

fn lists(path: &str, old: &[Value], new: &[Value], volatile: bool, found: &mut Vec<Difference>) {
    let (a, b) = (named(old), named(new));
    // New names in the order of the new list, old ones where they stood.
    let mut names: Vec<&String> = old_and_new(&a, &b);
    names.dedup();
    for name in names {
        let path = format!("{path}[{name}]");
        match (a.get(name), b.get(name)) {
            (Some((_, old)), Some((_, new))) => compare(path, Some(old), Some(new), volatile, found),
            (old, new) => {
                let state = |value: Option<&(usize, &Value)>| {
                    value.map_or(State::Missing, |(_, value)| State::Value((*value).clone()))
                };
                found.push(Difference { path, old: state(old), new: state(new) });
            }
        }
    }
}

type Named<'a> = BTreeMap<String, (usize, &'a Value)>;

fn old_and_new<'a>(a: &'a Named<'_>, b: &'a Named<'_>) -> Vec<&'a String> {
    let mut names: Vec<(usize, &String)> = a.iter().map(|(name, (at, _))| (*at, name)).collect();
    names.extend(b.iter().filter(|(name, _)| !a.contains_key(*name)).map(|(name, (at, _))| (*at, name)));
    names.sort();
    names.into_iter().map(|(_, name)| name).collect()
}

/// The elements by what names them; a second one of the same name gets a number.
fn named(list: &[Value]) -> Named<'_> {
    let mut elements = BTreeMap::new();
    for (index, value) in list.iter().enumerate() {
        let name = name_of(value, index);
        let mut unique = name.clone();
        let mut number = 2_usize;
        while elements.contains_key(&unique) {
            unique = format!("{name} ({number})");
            number = number.saturating_add(1);
        }
        elements.insert(unique, (index, value));
    }
    elements
}

fn name_of(value: &Value, index: usize) -> String {
    match value {
        Value::Object(fields) => NAMES
            .iter()
            .find_map(|name| fields.get(*name)?.as_str().map(str::to_owned))
            .unwrap_or_else(|| index.to_string()),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(old: &Value, new: &Value) -> Vec<String> {
        differences(old, new, false).into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn hosts_are_matched_by_name() {
        let host = |name: &str, covered: bool| json!({ "name": name, "covered": covered });
        let old = json!({ "mx": { "hosts": [host("a", true), host("b", true)] } });
        let new = json!({ "mx": { "hosts": [host("x", true), host("a", false), host("b", true)] } });
        assert_eq!(paths(&old, &new), ["mx.hosts[a].covered", "mx.hosts[x]"]);
    }

    #[test]
    fn absent_is_not_unobserved() {
        let found = differences(&json!({ "id": "1", "age": 1 }), &json!({ "id": null }), false);
        assert_eq!(found[0].new, State::NotObserved);
        assert_eq!(found[1].new, State::Value(Value::Null));
    }

    #[test]
    fn what_differs_each_time_is_left_out() {
        let (old, new) = (json!({ "ttl": 1, "collected_at": "a" }), json!({ "ttl": 2, "collected_at": "b" }));
        assert!(paths(&old, &new).is_empty());
        assert_eq!(differences(&old, &new, true).len(), 2);
    }
}
