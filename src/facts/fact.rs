//! A fact and its three states.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

/// Something that a rule can ask for: known, or not observed.
///
/// Known absent is `Known(None)` of a `Fact<Option<T>>` and becomes `null`. What was not observed is left
/// out of the tree, so that touching it is CEL's no-such-key error and carries itself through the logic.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Fact<T> {
    /// It was observed.
    Known(T),
    /// It was not observed; the tree keeps why beside it.
    #[default]
    Unobserved,
}

impl<T> Fact<T> {
    /// Whether there is nothing to show.
    pub fn is_unobserved(&self) -> bool {
        matches!(self, Fact::Unobserved)
    }

    /// The value, where there is one.
    pub fn known(&self) -> Option<&T> {
        match self {
            Fact::Known(value) => Some(value),
            Fact::Unobserved => None,
        }
    }

    /// A field of the value, unobserved where the value is.
    pub fn at<'a, U>(&'a self, field: impl FnOnce(&'a T) -> &'a Fact<U>) -> &'a Fact<U> {
        match self {
            Fact::Known(value) => field(value),
            Fact::Unobserved => &Fact::Unobserved,
        }
    }

    /// What `change` makes of the value, where there is one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Fact::Known(value) => Fact::Known(change(value)),
            Fact::Unobserved => Fact::Unobserved,
        }
    }
}

impl<T> Fact<Option<T>> {
    /// Whether it is known to be absent.
    pub fn is_absent(&self) -> bool {
        matches!(self, Fact::Known(None))
    }

    /// The value, where there is one: neither absent nor unobserved.
    pub fn present(&self) -> Option<&T> {
        self.known().and_then(Option::as_ref)
    }
}

impl Fact<String> {
    /// The text; empty where it was not observed.
    pub fn text(&self) -> &str {
        self.known().map(String::as_str).unwrap_or_default()
    }
}

impl Fact<bool> {
    /// Whether it is known to be so.
    pub fn is_true(&self) -> bool {
        self.known() == Some(&true)
    }
}

impl<T> Fact<Vec<T>> {
    /// The entries; none where the list was not observed.
    pub fn entries(&self) -> &[T] {
        self.known().map(Vec::as_slice).unwrap_or_default()
    }
}

impl<T> From<Option<T>> for Fact<T> {
    fn from(value: Option<T>) -> Self {
        match value {
            Some(value) => Fact::Known(value),
            None => Fact::Unobserved,
        }
    }
}

impl<T: Serialize> Serialize for Fact<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Fact::Known(value) => value.serialize(serializer),
            Fact::Unobserved => serializer.serialize_none(),
        }
    }
}

/// The schema is the value's own: that it can be left out is true of every fact.
impl<T: JsonSchema> JsonSchema for Fact<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}
