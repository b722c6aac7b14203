//! The grammars of the three texts that a domain publishes, as pure parsers that keep spans.
//!
//! `facts` turns what they give into facts. They serve a linter, so they recover: any byte string parses to
//! a value, each offence has its place, and what was surely meant is read all the same. Names first, values
//! second: `id=a-b` matches the extension rule of the ABNF and is a bad `id` nevertheless.

pub mod corrected;
mod every_line;
mod field_list;
pub mod mx_pattern;
pub mod mx_patterns;
pub mod names;
pub mod near_miss;
pub mod placeholder;
pub mod policy;
pub mod sts_record;
pub mod tlsrpt_record;

pub use self::field_list::{Field, VersionTag};

/// A range of octets of a text.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Span {
    /// The first octet, counted from 0.
    pub offset: usize,
    /// How many octets.
    pub length: usize,
}

impl Span {
    /// The range from `start` up to `end`.
    pub fn between(start: usize, end: usize) -> Self {
        Span { offset: start, length: end.saturating_sub(start) }
    }

    /// The octet after the last.
    pub fn end(self) -> usize {
        self.offset.saturating_add(self.length)
    }

    /// Whether an octet is in both.
    pub fn overlaps(self, other: Span) -> bool {
        self.offset < other.end() && other.offset < self.end()
    }

    /// The octets of `text` in it.
    pub fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.offset..self.end()).unwrap_or_default()
    }
}

/// A text with its place.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Located {
    /// The text; what is not UTF-8 reads U+FFFD.
    pub text: String,
    /// Where it is.
    pub span: Span,
}

impl Located {
    fn of(text: &[u8], span: Span) -> Self {
        Located { text: String::from_utf8_lossy(span.of(text)).into_owned(), span }
    }
}

/// A place that breaks a grammar.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Offence {
    /// Where.
    pub span: Span,
    /// What is wrong there, as a part of a sentence.
    pub detail: String,
    /// What to write at the place instead, where that can be told.
    pub suggestion: Option<String>,
    /// How many lines it runs through; 1 for most.
    pub lines: usize,
}

impl Offence {
    fn new(span: Span, detail: impl Into<String>) -> Self {
        Offence { span, detail: detail.into(), suggestion: None, lines: 1 }
    }

    fn suggesting(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }
}

/// White space of the grammars: SP and HTAB (RFC 5234 §B.1).
fn is_wsp(octet: u8) -> bool {
    octet == b' ' || octet == b'\t'
}

/// The span without the white space at its ends.
fn trimmed(text: &[u8], span: Span) -> Span {
    let octets = span.of(text);
    let before = octets.iter().take_while(|octet| is_wsp(**octet)).count();
    let after =
        octets.iter().rev().take_while(|octet| is_wsp(**octet)).count().min(octets.len().saturating_sub(before));
    Span {
        offset: span.offset.saturating_add(before),
        length: octets.len().saturating_sub(before).saturating_sub(after),
    }
}

/// Whether a character cannot be seen, or looks like a space and is none: it comes in by copy and paste.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202f}' | '\u{2060}' | '\u{feff}')
}

/// A character for people: as it is, or by its number where it cannot be seen.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match c {
            c if is_invisible(c) => shown.push_str(&format!("U+{:04X}", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

/// Whether it is an extension name: 1 to 32 letters, digits, `_`, `-`, `.`, the first a letter or digit
/// (RFC 8461 §3.1, §3.2; RFC 8460 §3).
fn is_extension_name(name: &[u8]) -> bool {
    let Some((first, rest)) = name.split_first() else { return false };
    let inner = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.');
    first.is_ascii_alphanumeric() && rest.len() < 32 && rest.iter().all(inner)
}
