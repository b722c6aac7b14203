//! RFC 7396 style patches with dotted paths. Used by the cases of rules.

use serde_json::{Value, json};

/// Sets or removes what a path names; `*` names every element of a list. An error is the segment that names nothing.
pub fn set<'a>(tree: &mut Value, path: &[&'a str], value: &Value) -> Result<(), &'a str> {
    let Some((segment, rest)) = path.split_first() else {
        *tree = value.clone();
        return Ok(());
    };
    match tree {
        Value::Array(items) if *segment == "*" => items.iter_mut().try_for_each(|item| set(item, rest, value)),
        Value::Array(items) => {
            let index: usize = segment.parse().map_err(|_| *segment)?;
            if rest.is_empty() && value.is_null() && index < items.len() {
                items.remove(index);
                return Ok(());
            }
            if rest.is_empty() && index == items.len() {
                items.push(value.clone());
                return Ok(());
            }
            set(items.get_mut(index).ok_or(*segment)?, rest, value)
        }
        Value::Object(map) if rest.is_empty() && value.is_null() => {
            map.remove(*segment);
            Ok(())
        }
        Value::Object(map) => set(map.entry(*segment).or_insert_with(|| json!({})), rest, value),
        other => {
            *other = json!({});
            set(other, path, value)
        }
    }
}
