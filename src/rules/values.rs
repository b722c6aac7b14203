//! Values as JSON and as CEL has them. Used by `evaluate`, `compare` and `ask`.

use cel::Value;
use cel::objects::Key;

use crate::facts::tree::Tree;

/// Facts as CEL sees them; `null` for what cannot be, which no tree of facts holds.
pub fn tree_to_cel(tree: &Tree) -> Value {
    match tree {
        Tree::Domains(domains) => to_cel(domains),
        Tree::Domain(_) | Tree::Report(_) | Tree::Reports(_) => cel::to_value(tree).unwrap_or(Value::Null),
    }
}

/// The variables of a root: its keys, each with its value.
pub fn variables(root: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let map = match root {
        Value::Map(map) => Some(&map.map),
        _ => None,
    };
    map.into_iter().flat_map(|map| map.iter()).filter_map(|(key, value)| match key {
        Key::String(name) => Some((name.as_str(), value)),
        _ => None,
    })
}

/// JSON as CEL sees it: all integers are `int`, so that they can be compared with each other.
pub fn to_cel(value: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match value {
        Json::Array(values) => Value::List(values.iter().map(to_cel).collect::<Vec<_>>().into()),
        Json::Bool(value) => Value::Bool(*value),
        Json::Null => Value::Null,
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::Float(number),
            (None, None) => Value::Null,
        },
        Json::Object(map) => {
            let map = map.iter().map(|(key, value)| (Key::from(key.as_str()), to_cel(value)));
            Value::Map(map.collect::<std::collections::HashMap<_, _>>().into())
        }
        Json::String(text) => Value::from(text.as_str()),
    }
}

/// A CEL value as JSON; keys of maps are texts here.
pub fn to_json(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Value::Bool(value) => Json::Bool(*value),
        Value::Float(value) => serde_json::Number::from_f64(*value).map_or(Json::Null, Json::Number),
        Value::Int(value) => Json::from(*value),
        Value::List(values) => Json::Array(values.iter().map(to_json).collect()),
        Value::Map(map) => {
            let entry = |(key, value): (&Key, &Value)| (key.to_string(), to_json(value));
            Json::Object(map.map.iter().map(entry).collect())
        }
        Value::Null => Json::Null,
        Value::String(text) => Json::String(text.to_string()),
        Value::UInt(value) => Json::from(*value),
        other => Json::String(format!("({})", other.type_of())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Facts;
    use crate::rules::good_snapshot;

    /// Facts are converted once, by another way than JSON is: both must say the same, down to the kind of each number.
    #[test]
    fn facts_are_the_same_with_and_without_json_between() {
        let tree = Facts::of(&good_snapshot().unwrap(), None).tree;
        assert_eq!(tree_to_cel(&tree), to_cel(&tree.to_json()));
        assert!(variables(&tree_to_cel(&tree)).any(|(name, _)| name == "policy"));
    }
}
