//! YAML as a tree of values that know their place, so that one reading finds every mistake of a file.
//!
//! A typed reader stops at the first value of a wrong type. The tree takes anything, within limits, and
//! `read` then judges it key by key.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_yaml::{DuplicateKeyPolicy, MergeKeyPolicy, Spanned};

use crate::source_text::{self, SourceError};

/// The deepest nesting of lists and mappings in a configuration.
const MAX_DEPTH: usize = 12;
/// The most values in one configuration.
const MAX_NODES: usize = 50_000;

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Span {
    /// The first octet, counted from 0.
    pub offset: usize,
    /// How many octets.
    pub length: usize,
    /// The line, counted from 1.
    pub line: usize,
}

/// A value with its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it is.
    pub at: Span,
}

/// A value of YAML.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// `true` or `false`.
    Bool(bool),
    /// A list.
    List(Vec<Placed<Tree>>),
    /// A mapping in its order; a key may occur twice.
    Map(Vec<(Placed<String>, Placed<Tree>)>),
    /// Nothing.
    Null,
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
}

/// What a value of JSON is, as the reader of a param understands it.
pub fn shape(value: &serde_json::Value) -> &'static str {
    use serde_json::Value;
    match value {
        Value::Array(_) => "a list",
        Value::Bool(_) => "a boolean",
        Value::Null => "nothing",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "an integer",
        Value::Object(_) => "a mapping",
        Value::String(_) => "a string",
    }
}

impl Placed<Tree> {
    /// Where it begins and ends in the text, with all that is in it.
    pub fn extent(&self, text: &str) -> Span {
        let (mut start, mut end) = (usize::MAX, 0);
        self.widen(&mut start, &mut end);
        if start > end {
            return self.at;
        }
        let before = text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        Span { offset: start, length: end.saturating_sub(start), line }
    }

    fn widen(&self, start: &mut usize, end: &mut usize) {
        match &self.value {
            Tree::List(items) => items.iter().for_each(|item| item.widen(start, end)),
            Tree::Map(entries) => {
                for (key, value) in entries {
                    *start = key.at.offset.min(*start);
                    value.widen(start, end);
                }
            }
            _ => {
                *start = self.at.offset.min(*start);
                *end = self.at.offset.saturating_add(self.at.length).max(*end);
            }
        }
    }
}

impl Tree {
    /// What it is, in words.
    pub fn label(&self) -> &'static str {
        match self {
            Tree::Bool(_) => "a boolean",
            Tree::List(_) => "a list",
            Tree::Map(_) => "a mapping",
            Tree::Null => "nothing",
            Tree::Number(_) => "a number",
            Tree::Text(_) => "a string",
        }
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Tree::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as JSON has it.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Tree::Bool(value) => Value::Bool(*value),
            Tree::List(items) => Value::Array(items.iter().map(|item| item.value.to_json()).collect()),
            Tree::Map(entries) => {
                Value::Object(entries.iter().map(|(key, value)| (key.value.clone(), value.value.to_json())).collect())
            }
            Tree::Null => Value::Null,
            Tree::Number(number) => Value::Number(number.clone()),
            Tree::Text(text) => Value::String(text.clone()),
        }
    }
}

/// Reads a YAML document; an empty one is [`Tree::Null`].
pub fn parse(name: &str, text: &str) -> Result<Placed<Tree>, Box<SourceError>> {
    let mut options = source_text::yaml_options();
    options.duplicate_keys = DuplicateKeyPolicy::PassThrough;
    options.merge_keys = MergeKeyPolicy::Error;
    options.alias_limits.max_total_replayed_events = MAX_NODES;
    let budget = options.budget.get_or_insert_default();
    budget.max_depth = MAX_DEPTH;
    budget.max_nodes = MAX_NODES;
    let raw: Spanned<Raw> = source_text::from_yaml_with(name, text, options)?;
    Ok(placed(text, raw))
}

/// A value as the YAML reader hands it over.
enum Raw {
    Bool(bool),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
    Null,
    Number(Number),
    Text(String),
}

fn placed(text: &str, raw: Spanned<Raw>) -> Placed<Tree> {
    let value = match raw.value {
        Raw::Bool(value) => Tree::Bool(value),
        Raw::List(items) => Tree::List(items.into_iter().map(|item| placed(text, item)).collect()),
        Raw::Map(entries) => {
            let entry = |(key, value): (Spanned<String>, Spanned<Raw>)| {
                let at = span(text, &key.referenced);
                (Placed { value: key.value, at }, placed(text, value))
            };
            Tree::Map(entries.into_iter().map(entry).collect())
        }
        Raw::Null => Tree::Null,
        Raw::Number(number) => Tree::Number(number),
        Raw::Text(value) => Tree::Text(value),
    };
    Placed { value, at: span(text, &raw.referenced) }
}

fn span(text: &str, location: &serde_yaml::Location) -> Span {
    let (offset, length) = source_text::place(text, location).unwrap_or_default();
    Span { offset, length, line: usize::try_from(location.line()).unwrap_or_default() }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;

        impl<'de> Visitor<'de> for Anything {
            type Value = Raw;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
                Ok(Raw::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
                Ok(Raw::Number(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
                Ok(Raw::Number(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
                Ok(Number::from_f64(value).map_or(Raw::Null, Raw::Number))
            }

            fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
                Ok(Raw::Text(value.to_owned()))
            }

            fn visit_unit<E>(self) -> Result<Raw, E> {
                Ok(Raw::Null)
            }

            fn visit_none<E>(self) -> Result<Raw, E> {
                Ok(Raw::Null)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Raw::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
                let mut map = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    map.push(entry);
                }
                Ok(Raw::Map(map))
            }
        }

        deserializer.deserialize_any(Anything)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_place_and_keys_may_stand_twice() {
        let text = "a: off\nb: [1, 2.5, true, ~]\na: {c: 2026-12-31}\n";
        let Tree::Map(entries) = parse("x", text).unwrap().value else { panic!("no mapping") };
        let seen: Vec<String> = entries
            .iter()
            .map(|(key, value)| format!("{}@{} {:?}", key.value, key.at.line, value.value.to_json()))
            .collect();
        assert_eq!(seen.len(), 3, "{seen:?}");
        assert!(matches!(&entries[0].1.value, Tree::Text(word) if word == "off"), "{seen:?}");
        let Tree::Map(inner) = &entries[2].1.value else { panic!("no mapping") };
        let at = inner[0].1.at;
        assert_eq!((&text[at.offset..at.offset + at.length], at.line), ("2026-12-31", 3));
    }

    #[test]
    fn bombs_and_depth_are_refused_and_nothing_is_a_document() {
        let bomb =
            format!("a: &a [{}]\nb: &b [{}]\nc: [{}]\n", "x, ".repeat(500), "*a, ".repeat(500), "*b, ".repeat(500));
        assert!(parse("bomb", &bomb).is_err());
        assert!(parse("deep", &"[".repeat(100_000)).is_err());
        assert!(parse("deep", &"a: ".repeat(10)).is_err());
        assert!(parse("deep", &format!("{}x", "- ".repeat(5_000))).is_err());
        assert_eq!(parse("empty", "").unwrap().value, Tree::Null);
        assert_eq!(parse("empty", "# nothing yet\n").unwrap().value, Tree::Null);
    }
}
