//! A look into the tree of facts that keeps the three states apart: known, known absent, not observed.

use serde_json::Value;

/// A place in the tree of facts; nothing where nothing was observed.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a>(Option<&'a Value>);

impl<'a> Seen<'a> {
    /// The whole tree.
    pub fn all(facts: &'a Value) -> Self {
        Seen(Some(facts))
    }

    /// What stands at a JSON pointer (RFC 6901) below here.
    pub fn at(self, pointer: &str) -> Self {
        Seen(self.0.and_then(|value| value.pointer(pointer)))
    }

    /// Whether it is known to be absent.
    pub fn is_absent(self) -> bool {
        matches!(self.0, Some(Value::Null))
    }

    /// The text, where there is one.
    pub fn text(self) -> Option<&'a str> {
        self.0.and_then(Value::as_str)
    }

    /// The number, where there is one.
    pub fn number(self) -> Option<i64> {
        self.0.and_then(Value::as_i64)
    }

    /// Whether it is so, where that is known.
    pub fn truth(self) -> Option<bool> {
        self.0.and_then(Value::as_bool)
    }

    /// The entries, where there is a list.
    pub fn list(self) -> Option<Vec<Seen<'a>>> {
        Some(self.0?.as_array()?.iter().map(|value| Seen(Some(value))).collect())
    }

    /// The texts of a list; none where there is no list.
    pub fn texts(self) -> Vec<&'a str> {
        self.list().unwrap_or_default().into_iter().filter_map(Seen::text).collect()
    }
}
