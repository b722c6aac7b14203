//! Where a mistake is in the text of a rule file. Used by `check`.

use serde_yaml::Spanned;

use crate::rules::source::Source;
use crate::rules::types::Mistake;
use crate::source_text::{self, SourceError};

pub(super) fn at_text(source: &Source, at: &Spanned<String>, message: String, help: Option<String>) -> SourceError {
    at_value(source, at, message, help)
}

pub(super) fn at_value<T>(source: &Source, at: &Spanned<T>, message: String, help: Option<String>) -> SourceError {
    let place = source_text::place(&source.text, &at.referenced);
    SourceError::new(&source.name, &source.text, place, message).with_help(help)
}

/// A mistake inside an expression: the octets of the expression are looked up in the raw text of the file,
/// where quotes, escapes and indentation may be between them.
pub(super) fn at_mistake(
    source: &Source,
    written: &Spanned<String>,
    expr: &str,
    within: usize,
    mistake: Mistake,
) -> SourceError {
    let place = source_text::place(&source.text, &written.referenced).map(|(start, length)| {
        let raw = source.text.get(start..start.saturating_add(length)).unwrap_or_default();
        let offset = within.saturating_add(mistake.offset);
        let value = written.value.as_str();
        let snippet = match mistake.length {
            0 | 1 => value
                .get(offset..)
                .and_then(|rest| rest.chars().next())
                .map_or("", |c| value.get(offset..offset.saturating_add(c.len_utf8())).unwrap_or_default()),
            _ => expr.get(mistake.offset..mistake.offset.saturating_add(mistake.length)).unwrap_or_default(),
        };
        match find_again(value, offset, snippet, raw) {
            Some(found) => (start.saturating_add(found), snippet.len()),
            None => (start, length),
        }
    });
    SourceError::new(&source.name, &source.text, place, mistake.message).with_help(mistake.help)
}

/// Where the snippet at `offset` of `value` is in `raw`: the same occurrence, counted from the start.
fn find_again(value: &str, offset: usize, snippet: &str, raw: &str) -> Option<usize> {
    if snippet.is_empty() {
        // The place is behind the text: its end, before a closing quote.
        return Some(raw.trim_end().trim_end_matches(['"', '\'']).len().saturating_sub(1));
    }
    let before = value.get(..offset)?.matches(snippet).count();
    raw.match_indices(snippet).nth(before).map(|(at, _)| at)
}
