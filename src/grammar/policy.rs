//! The policy body (RFC 8461 §3.2).
//!
//! Lines end in LF or CRLF and in nothing else: U+0085 and U+2028 are characters of an extension's value.

mod body;
mod line;
mod markup;
mod meant;
mod mode;
#[cfg(test)]
mod tests;

use self::body::{BOM, blank_detail, encoding, front_matter, front_matter_offence, is_utf16, markup, split, wrapping};
use self::line::line;
pub use self::markup::Markup;
pub use self::meant::{max_age_meant, mode_meant};
pub use self::mode::Mode;
use super::every_line::{self, Found, Slip};
use super::{Located, Offence, Span, trimmed};

/// The size that senders read, in octets (RFC 8461 §3.3).
pub const MAX_POLICY_OCTETS: usize = 65_536;
/// How many lines are taken apart.
const MAX_LINES: usize = 10_000;
/// The registered fields (RFC 8461 §9.3).
pub const FIELDS: [&str; 4] = ["version", "mode", "max_age", "mx"];

/// A policy taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// The lines in order, as far as they are read.
    pub lines: Vec<Line>,
    /// What the body is instead of a policy.
    pub markup: Option<Markup>,
    /// The first `version`.
    pub version: Option<Located>,
    /// The first `mode`.
    pub mode: Option<Located>,
    /// The first `max_age`.
    pub max_age: Option<Located>,
    /// Every `mx`.
    pub mx: Vec<MxLine>,
    /// Places that break the grammar.
    pub syntax: Vec<Offence>,
    /// Octets that are no text: a BOM, invalid UTF-8, control characters.
    pub encoding: Vec<Offence>,
    /// Names that are registered in the wrong case.
    pub case: Vec<Offence>,
    /// Blank lines.
    pub blank: Vec<Offence>,
    /// White space at the end of lines.
    pub trailing: Vec<Offence>,
    /// How lines end.
    pub endings: Endings,
}

/// An `mx` line.
#[derive(Clone, Debug, PartialEq)]
pub struct MxLine {
    /// The pattern as it is written.
    pub pattern: Located,
    /// The line's number, counted from 1.
    pub number: usize,
}

/// How the lines of a body end.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Endings {
    /// CRLF.
    pub crlf: usize,
    /// LF alone.
    pub lf: usize,
    /// CR alone, which is not a line ending.
    pub cr: usize,
    /// Whether the last line is terminated.
    pub last: bool,
    /// The first ending of the rarer kind, or the first bare CR.
    pub odd: Option<Span>,
}

/// A line of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its number, counted from 1.
    pub number: usize,
    /// The line without its terminator.
    pub span: Span,
    /// The field in it, if one can be told.
    pub field: Option<PolicyField>,
}

/// A field of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyField {
    /// The name as it is written.
    pub name: Located,
    /// The value as it is written, without white space around it.
    pub value: Located,
    /// Whether the name is registered.
    pub known: bool,
    /// Whether an earlier field has the same name; `mx` may occur often.
    pub duplicate: bool,
    /// The registered name that was probably meant by an unknown one.
    pub meant: Option<&'static str>,
}

/// Takes a policy body apart.
pub fn parse(body: &[u8]) -> Policy {
    let text = body.get(..MAX_POLICY_OCTETS).unwrap_or(body);
    // What the body is, where it is not a policy at all, is told once; nothing in it is read as a field.
    let mut policy = Policy { markup: markup(text), ..Policy::default() };
    encoding(text, &mut policy.encoding);
    if is_utf16(text) {
        // Read as octets, every line of it would be wrong in a way of its own.
        policy.endings.last = true;
        return policy;
    }
    let bom = if text.starts_with(BOM) { BOM.len() } else { 0 };
    let lines = split(text, bom, &mut policy.endings);
    // Trailing blank lines are one slip of the editor: one offence.
    let filled =
        lines.iter().rposition(|span| trimmed(text, *span).length > 0).map_or(0, |last| last.saturating_add(1));
    let front_matter = front_matter(text, &lines);
    let wrapping = wrapping(text, &lines);
    let mut found = Vec::new();
    let mut list = None;
    for (index, span) in lines.iter().enumerate().take(MAX_LINES) {
        let number = index.saturating_add(1);
        if index < front_matter {
            found.push(Found { slip: Slip::FrontMatter, line: number, offence: front_matter_offence(*span) });
            policy.lines.push(Line { number, span: *span, field: None });
            continue;
        }
        if trimmed(text, *span).length == 0 {
            if index <= filled {
                policy.blank.push(Offence::new(*span, blank_detail(index, filled, lines.len())));
            }
            policy.lines.push(Line { number, span: *span, field: None });
            continue;
        }
        let next = lines.get(index.saturating_add(1)).copied();
        line(text, (*span, number), next, wrapping, &mut list, &mut policy, &mut found);
    }
    let fields = policy.lines.iter().filter(|line| line.field.is_some()).map(|line| line.number).collect();
    for it in every_line::gather(text, found, &fields) {
        match it.slip {
            Slip::Case => policy.case.push(it.offence),
            _ => policy.syntax.push(it.offence),
        }
    }
    if filled == 0 && policy.markup.is_none() {
        policy.blank.clear();
        policy
            .syntax
            .push(Offence::new(Span { offset: 0, length: text.len() }, "the body is empty: there is no field at all"));
    }
    policy
}

fn keep(field: &PolicyField, number: usize, policy: &mut Policy) {
    let value = || Some(field.value.clone());
    match field.name.text.as_str() {
        "version" if policy.version.is_none() => policy.version = value(),
        "mode" if policy.mode.is_none() => policy.mode = value(),
        "max_age" if policy.max_age.is_none() => policy.max_age = value(),
        "mx" => policy.mx.push(MxLine { pattern: field.value.clone(), number }),
        _ => {}
    }
}

impl Policy {
    /// The mode, where the first `mode` field has a valid value.
    pub fn valid_mode(&self) -> Option<Mode> {
        Mode::from_word(&self.mode.as_ref()?.text)
    }

    /// The life in seconds, where the first `max_age` field has a valid value: 1 to 10 digits.
    pub fn valid_max_age(&self) -> Option<u64> {
        let text = &self.max_age.as_ref()?.text;
        let digits = !text.is_empty() && text.len() <= 10 && text.bytes().all(|c| c.is_ascii_digit());
        if digits { text.parse().ok() } else { None }
    }
}

impl Policy {
    /// Whether several fields are on one line, where a sender reads one with a long value.
    pub fn runs_together(&self) -> bool {
        let names = |value: &str| {
            FIELDS
                .iter()
                .any(|name| [' ', ',', ';', '\t'].iter().any(|before| value.contains(&format!("{before}{name}:"))))
        };
        self.lines.iter().filter_map(|line| line.field.as_ref()).any(|field| field.known && names(&field.value.text))
    }
}

/// Whether two bodies are the same policy to a sender: line endings, white space that the grammar allows, and the order of
/// the fields do not matter. Bodies that break the grammar are the same only octet for octet.
pub fn are_the_same(one: &[u8], other: &[u8]) -> bool {
    if one == other {
        return true;
    }
    let fields = |body: &[u8]| {
        let policy = parse(body);
        let sound = policy.markup.is_none()
            && policy.endings.cr == 0
            && [&policy.syntax, &policy.encoding, &policy.case, &policy.blank].iter().all(|found| found.is_empty());
        let fields = policy.lines.into_iter().filter_map(|line| line.field);
        let mut fields: Vec<(String, String)> = fields.map(|field| (field.name.text, field.value.text)).collect();
        fields.sort();
        (sound && !fields.is_empty()).then_some(fields)
    };
    fields(one).is_some_and(|one| fields(other).is_some_and(|other| one == other))
}
