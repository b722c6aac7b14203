//! A value as a message shows it. Used by `template` and by the functions that make texts of lists.

use cel::Value;

use crate::source_text::escape;

/// The longest text that one expression puts into a message, in characters.
pub const MAX_INSERT: usize = 240;

/// A value as a message shows it: escaped, shortened, lists with commas.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::List(values) if values.is_empty() => "none".to_owned(),
        Value::List(values) => shorten(&values.iter().take(MAX_INSERT).map(text_of).collect::<Vec<_>>().join(", ")),
        // `none` is a mode of policies.
        Value::Null => "nothing".to_owned(),
        Value::String(text) => shorten(&escape(first_of(text, MAX_INSERT.saturating_add(1)))),
        Value::UInt(value) => value.to_string(),
        _ => "(an object)".to_owned(),
    }
}

fn shorten(text: &str) -> String {
    shortened(text, MAX_INSERT)
}

pub fn shortened(text: &str, most: usize) -> String {
    let first = first_of(text, most);
    if first.len() < text.len() { format!("{first}…") } else { text.to_owned() }
}

/// The first characters of a text.
fn first_of(text: &str, most: usize) -> &str {
    let end = text.char_indices().nth(most).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default()
}
