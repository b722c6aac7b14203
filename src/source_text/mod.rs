//! Diagnostics that point into a text which a user wrote: a snapshot, a rule file, a configuration.
//!
//! YAML and JSON errors of every reader become one [`SourceError`], which underlines the place in the file
//! and proposes the word that was probably meant.

mod every_mistake;
mod excerpt;
pub mod lookalikes;
mod runners;
pub mod told_apart;
mod wording;

use std::fmt::Display;

use miette::{Diagnostic, LabeledSpan, SourceCode, SourceSpan};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_yaml::{Error as YamlError, Location};
use thiserror::Error;

pub use self::every_mistake::{ReadAll, from_yaml_all, line_at};
pub use self::excerpt::{EXCERPT_WIDTH, Excerpt, Excerpts};
pub use self::runners::{json, json_line, without_commands, without_runner_commands, yaml};
pub use self::wording::likely;
use self::wording::yaml_error;

/// What a file may begin with.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// The longest JSON text, in octets, that is read a second time for a clearer error.
const MAX_TOLD_AS_YAML: usize = 1 << 20;

/// A text that could not be understood, and where.
#[derive(Clone, Debug, Error)]
#[error("{message}")]
pub struct SourceError {
    /// What is wrong, in one sentence without the place.
    pub message: String,
    /// The lines of the text around the place, with the name that diagnostics show for it.
    pub text: Excerpt,
    /// The place in the whole text.
    pub at: Option<SourceSpan>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic for SourceError {
    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = self.at.map(|_| self.text.label())?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(None, label))))
    }
}

impl SourceError {
    /// An error at `span` (octets from the start, and a length) of `text`, which diagnostics call `name`.
    pub fn new(name: &str, text: &str, span: Option<(usize, usize)>, message: impl Into<String>) -> Self {
        let (offset, length) = span.unwrap_or_default();
        SourceError {
            message: printable(&message.into()),
            text: match text.strip_prefix(BYTE_ORDER_MARK) {
                // Editors neither show nor count it.
                Some(rest) => {
                    Excerpt::of(name, rest, offset.saturating_sub(BYTE_ORDER_MARK.len_utf8()), length, EXCERPT_WIDTH)
                }
                None => Excerpt::of(name, text, offset, length, EXCERPT_WIDTH),
            },
            at: span.map(|(offset, length)| clamp(text, offset, length)),
            help: None,
        }
    }

    /// The same with what to do about it.
    pub fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

/// The YAML that every file is read as: version 1.2, where `no`, `on`, `off` and `y` are words and not booleans.
pub fn yaml_options() -> serde_yaml::Options {
    let mut options = serde_yaml::Options::default();
    options.strict_booleans = true;
    options
}

/// Reads a YAML document of type `T`; an error names the place, and for an unknown word the nearest known one.
#[cfg(test)]
pub fn from_yaml<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Box<SourceError>> {
    from_yaml_with(name, text, yaml_options())
}

/// Reads a YAML document of type `T` with the YAML reader's options; an error names the place, and for an unknown word the
/// nearest known one.
pub fn from_yaml_with<T: DeserializeOwned>(
    name: &str,
    text: &str,
    options: serde_yaml::Options,
) -> Result<T, Box<SourceError>> {
    serde_yaml::from_str_with_options(text, options).map_err(|error| Box::new(yaml_error(name, text, &error)))
}

/// Reads a JSON document of type `T`; errors as [`from_yaml_with`].
pub fn from_json<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Box<SourceError>> {
    serde_json::from_str(text).map_err(|error| {
        let readable = error.classify() == Category::Data && text.len() <= MAX_TOLD_AS_YAML;
        // What is JSON is YAML too, whose reader tells the key or value itself.
        let as_yaml = if readable { serde_yaml::from_str_with_options::<T>(text, yaml_options()).err() } else { None };
        Box::new(match as_yaml {
            Some(told) if !matches!(told.without_snippet(), YamlError::Budget { .. }) => yaml_error(name, text, &told),
            _ => json_error(name, text, &error),
        })
    })
}

fn json_error(name: &str, text: &str, error: &serde_json::Error) -> SourceError {
    let offset = offset_of(text, error.line(), error.column());
    if error.is_eof() {
        let help = "close what was opened: a quote, a bracket or a brace; or is only a part of the file here?";
        return SourceError::new(name, text, Some((offset, 1)), "the text ends too early")
            .with_help(Some(help.to_owned()));
    }
    let message = error.to_string();
    // serde_json appends the place to its message; the label shows it better.
    let message = message.split(" at line ").next().unwrap_or(&message);
    let no_json = ["expected ident", "expected value"].contains(&message);
    let message = if no_json { "this is not valid JSON" } else { message };
    let help = no_json.then(|| "JSON keeps texts and keys in double quotes, and knows no comments".to_owned());
    SourceError::new(name, text, Some((offset, 1)), printable(message)).with_help(help)
}

/// The octet offset of a line (from 1) and a column in octets (from 1; 0 is the line's start).
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    start.saturating_add(column.saturating_sub(1)).min(text.len())
}

/// The octets that a YAML location means.
pub fn place(text: &str, location: &Location) -> Option<(usize, usize)> {
    let span = location.span();
    match (span.byte_offset(), span.byte_len()) {
        (Some(offset), Some(length)) => Some((usize::try_from(offset).ok()?, usize::try_from(length).ok()?.max(1))),
        _ if location.line() > 0 => {
            let line = usize::try_from(location.line()).ok()?;
            let column = usize::try_from(location.column()).ok()?;
            Some((offset_of(text, line, column), 1))
        }
        _ => None,
    }
}

/// The candidate that is nearest to `word`, if one is near enough to have been meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| {
            let longest = word.chars().count().max(candidate.chars().count());
            *distance <= 1.max(longest / 3) && *distance < longest
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// The text with every control character but line endings and tabs replaced by U+FFFD in as many octets as it
/// had, so that offsets stay true and a terminal is safe.
pub fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let unsafe_to_print = (c.is_control() && c != '\n' && c != '\t' && c != '\r') || is_unseen(c);
            let times = if unsafe_to_print { c.len_utf8() } else { 1 };
            std::iter::repeat_n(if unsafe_to_print { '?' } else { c }, times)
        })
        .collect()
}

/// The text with control characters and those that turn its direction written as escapes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c if c.is_control() || is_unseen(c) => escaped.extend(c.escape_unicode()),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A JSON text in which the control characters that JSON allows, and those that turn the direction of text, are
/// written as escapes: the same value, and nothing that a terminal obeys.
pub fn printable_json(json: &str) -> String {
    // Nearly every text has nothing to escape.
    if json.bytes().all(|octet| octet == b'\n' || (b' '..0x7F).contains(&octet)) {
        return without_runner_commands(json, "\\u0023");
    }
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if matches!(c, '\n' | ' '..='~') {
            text.push(c);
            continue;
        }
        // Outside of its strings, JSON has no such character but line endings, so each can be written as a string's escape.
        if (c.is_control() && c != '\n') || is_unseen(c) {
            // As the pair of surrogates beyond U+FFFF (RFC 8259 §7).
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(c);
        }
    }
    without_runner_commands(&text, "\\u0023")
}

/// Whether the character turns the direction of text, ends a line for some readers, or takes no room, and could so
/// disguise what a text says.
pub fn is_unseen(c: char) -> bool {
    let turns = matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let ends = matches!(c, '\u{2028}' | '\u{2029}');
    let takes_no_room = matches!(c, '\u{00AD}' | '\u{180E}' | '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2064}'
        | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{FFFE}' | '\u{FFFF}' | '\u{E0000}'..='\u{E007F}');
    turns || ends || takes_no_room
}

fn clamp(text: &str, offset: usize, length: usize) -> SourceSpan {
    let offset = offset.min(text.len());
    let length = length.min(text.len().saturating_sub(offset));
    SourceSpan::new(offset.into(), length)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape is read")]
    struct Shape {
        max_age: u32,
    }

    #[test]
    fn an_unknown_key_is_underlined_and_the_nearest_one_proposed() {
        let error = from_yaml::<Shape>("a.yaml", "max_age: 1\nmax-age: 2\n").unwrap_err();
        assert_eq!(error.message, "unknown key `max-age`");
        assert_eq!(error.help.as_deref(), Some("did you mean `max_age`?"));
        assert_eq!(error.at.map(|at| at.offset()), Some(11));
    }

    #[test]
    fn json_errors_have_their_place() {
        let error = from_json::<Shape>("a.json", "{\n  \"max_age\": \"x\"\n}").unwrap_err();
        assert_eq!(error.message, "this is not an integer");
        assert_eq!(error.at.map(|at| at.offset()), Some(15));
        let error = from_json::<Shape>("a.json", "{\"max-age\": 1}").unwrap_err();
        assert_eq!(
            (error.message.as_str(), error.help.as_deref()),
            ("unknown key `max-age`", Some("did you mean `max_age`?"))
        );
        assert_eq!(from_json::<Shape>("a.json", "{\"max_age\": 1").unwrap_err().message, "the text ends too early");
        assert!(from_json::<Shape>("a.json", "{\"max_age\" 1}").unwrap_err().message.contains("expected `:`"));
    }

    #[test]
    fn control_characters_keep_their_width() {
        let text = "a\u{1b}[31m\u{9b}\u{202e}é";
        assert_eq!(printable(text), "a?[31m?????é");
        assert_eq!(printable(text).len(), text.len());
    }

    #[test]
    fn only_near_words_are_proposed() {
        assert_eq!(nearest("max-age", ["max_age", "mode"]), Some("max_age"));
        assert_eq!(nearest("colour", ["max_age", "mode"]), None);
    }

    #[test]
    fn json_keeps_its_value_when_it_is_made_printable() {
        let value = serde_json::json!({ "a\u{9b}": "\u{202e}b\u{7f}\u{1b}\n", "c": ["\u{2028}\u{e0041}é😀", "###[x] \\##vso[y"] });
        let json = printable_json(&serde_json::to_string_pretty(&value).unwrap());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), value);
        assert!(json.chars().all(|c| c == '\n' || !(c.is_control() || is_unseen(c))), "{json:?}");
        assert!(!json.contains("##[") && !json.contains("##vso["), "{json}");
    }

    #[test]
    fn commands_of_runners_are_taken_apart() {
        for (text, safe) in [
            ("##[error]x", "#\\#[error]x"),
            ("a ###vso[task] ##teamcity[x ## [y #[z", "a ##\\#vso[task] #\\#teamcity[x ## [y #[z"),
            ("##", "##"),
            ("##vso", "##vso"),
        ] {
            assert_eq!(without_runner_commands(text, "\\#"), safe);
        }
    }
}
