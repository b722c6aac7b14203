//! JSON with places, as strict as I-JSON (RFC 7493) asks: what `read` reads a report from.

use std::ops::Range;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};

/// Why a text is not JSON.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Broken {
    /// What the parser expected or found, as a clause.
    pub reason: String,
    /// Where.
    pub span: Range<usize>,
}

/// Nothing beyond what JSON allows.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Parses a text; the parser bounds its own depth.
pub fn parse(text: &str) -> Result<Value<'_>, Broken> {
    let collect = CollectOptions { comments: CommentCollectionStrategy::Off, tokens: false };
    let parsed = parse_to_ast(text, &collect, &STRICT).map_err(|error| {
        let range = error.range();
        Broken { reason: lower_first(&error.kind().to_string()), span: range.start..range.end }
    })?;
    parsed.value.ok_or_else(|| Broken { reason: "the text is empty".to_owned(), span: 0..text.len() })
}

fn lower_first(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

/// The octets of a value.
pub fn span(value: &Value<'_>) -> Range<usize> {
    let range = value.range();
    range.start..range.end
}

/// What kind of value it is, with its article.
pub fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::Array(_) => "a list",
        Value::BooleanLit(_) => "a boolean",
        Value::NullKeyword(_) => "null",
        Value::NumberLit(_) => "a number",
        Value::Object(_) => "an object",
        Value::StringLit(_) => "a string",
    }
}

/// The names that an object has more than once, with the place of the later ones.
pub fn duplicates<'a>(object: &'a Object<'_>) -> Vec<(&'a str, Range<usize>)> {
    let mut seen = std::collections::BTreeSet::new();
    let names = object.properties.iter().map(|property| (property.name.as_str(), property.range));
    names.filter(|(name, _)| !seen.insert(*name)).map(|(name, range)| (name, range.start..range.end)).collect()
}

/// The first value of a name; else of the same with underscores, as some senders write it.
pub fn member<'a, 'b>(object: &'b Object<'a>, name: &str) -> Option<&'b Value<'a>> {
    let of = |name: &str| {
        object.properties.iter().find(|property| property.name.as_str() == name).map(|property| &property.value)
    };
    of(name).or_else(|| name.contains('-').then(|| of(&name.replace('-', "_"))).flatten())
}
