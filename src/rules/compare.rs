//! What elements of many domains have in common: the groups of those with the same value. Used by `evaluate`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cel::Value;
use cel::objects::Key;

use super::values::to_json;
use crate::facts::{Field, Texts, Type};

/// The variable under which rules see how an element compares with the others.
pub const COMPARED: &str = "compared";
/// How many of the other domains with the same value are named.
const MAX_PEERS: usize = 20;

/// The type of the variable, for values of a type.
pub fn shape_of_compared(value: &Type) -> Type {
    let field = |shape: &Type, about: &str| Field {
        shape: shape.clone(),
        nullable: false,
        about: about.to_owned(),
        since: None,
    };
    let names = Type::List(Arc::new(Type::Text(Texts::Any)));
    Type::Object(Arc::new(BTreeMap::from([
        ("peer_count".to_owned(), field(&Type::Int, "How many other domains have the same value.")),
        ("peers".to_owned(), field(&names, "The names of the first of them.")),
        ("usual".to_owned(), field(value, "The value that most elements have; of several, the first.")),
        ("value".to_owned(), field(value, "The value of the element.")),
    ])))
}

/// The elements with one value.
#[derive(Debug)]
struct Group<'a> {
    value: &'a Value,
    elements: usize,
    /// The domains, each once, in their order.
    domains: Vec<&'a str>,
    known: BTreeSet<&'a str>,
}

/// For each element the variable that says how it compares; for one without a value, nothing. An element is its domain
/// and its value.
pub fn compare<'a>(elements: &'a [Option<(String, Value)>]) -> Vec<Option<Value>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut by_value: BTreeMap<String, usize> = BTreeMap::new();
    let mut group_of: Vec<Option<usize>> = Vec::with_capacity(elements.len());
    for element in elements {
        let Some((domain, value)) = element else {
            group_of.push(None);
            continue;
        };
        let index = *by_value.entry(to_json(value).to_string()).or_insert(groups.len());
        if index == groups.len() {
            groups.push(Group { value, elements: 0, domains: Vec::new(), known: BTreeSet::new() });
        }
        if let Some(group) = groups.get_mut(index) {
            group.elements = group.elements.saturating_add(1);
            if group.known.insert(domain) {
                group.domains.push(domain);
            }
        }
        group_of.push(Some(index));
    }
    // The first of the largest: `max_by_key` would take the last.
    let usual = groups.iter().rev().max_by_key(|group| group.elements).map(|group| group.value);
    let variable = |(element, index): (&Option<(String, Value)>, &Option<usize>)| {
        let (domain, value) = element.as_ref()?;
        Some(variable(domain, value, groups.get((*index)?)?, usual?))
    };
    elements.iter().zip(&group_of).map(variable).collect()
}

fn variable(domain: &str, value: &Value, group: &Group<'_>, usual: &Value) -> Value {
    let others = group.domains.iter().filter(|other| **other != domain).take(MAX_PEERS);
    let peers: Vec<Value> = others.map(|name| Value::from(*name)).collect();
    let count = i64::try_from(group.domains.len().saturating_sub(1)).unwrap_or(i64::MAX);
    let fields = [
        ("peer_count", Value::Int(count)),
        ("peers", Value::List(peers.into())),
        ("usual", usual.clone()),
        ("value", value.clone()),
    ];
    let fields: HashMap<Key, Value> = fields.into_iter().map(|(name, value)| (Key::from(name), value)).collect();
    Value::Map(fields.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_are_compared_with_those_of_other_domains() {
        let element = |domain: &str, value: i64| Some((domain.to_owned(), Value::Int(value)));
        let elements = [element("a", 1), element("b", 2), None, element("b", 2), element("c", 1), element("a", 1)];
        let compared: Vec<_> = compare(&elements).iter().map(|it| it.as_ref().map(to_json)).collect();
        let variable = |peers: &[&str], value: i64| {
            Some(json!({ "peer_count": peers.len(), "peers": peers, "usual": 1, "value": value }))
        };
        let (a, b, c) = (variable(&["c"], 1), variable(&[], 2), variable(&["a"], 1));
        assert_eq!(compared, [a.clone(), b.clone(), None, b, c, a]);
    }

    #[test]
    fn many_peers_are_counted_and_the_first_named() {
        let elements: Vec<_> = (0..500).map(|number| Some((format!("d{number:03}"), Value::Int(7)))).collect();
        let compared = compare(&elements);
        let last = compared.last().and_then(|it| it.as_ref().map(to_json)).unwrap();
        assert_eq!((&last["peer_count"], last["peers"].as_array().map(Vec::len)), (&json!(499), Some(MAX_PEERS)));
        assert_eq!(last["peers"][0], "d000");
    }
}
