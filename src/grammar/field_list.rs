//! What both TXT grammars share (RFC 8461 §3.1, RFC 8460 §3):
//! `version 1*(*WSP ";" *WSP field) [*WSP ";" *WSP]`, a field being `name "=" value`.

use super::{Offence, Span, is_extension_name, is_wsp, trimmed};

/// What is there instead of the version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum VersionTag {
    /// The exact version.
    Exact,
    /// The version, then white space before the `;` (erratum 6285).
    ExactThenSpace(Span),
    /// Nothing that was meant as this record.
    Foreign,
    /// Something that was meant as the version: why it is none, and where.
    NearMiss(Offence),
}

/// What one of the two records looks like.
pub(super) struct Dialect {
    /// The exact version field.
    pub version: &'static str,
    /// What every attempt at the version holds, in lower case.
    pub keyword: &'static str,
    /// The registered names besides `v`.
    pub fields: &'static [&'static str],
}

/// A record taken apart.
pub(super) struct FieldList {
    pub version: VersionTag,
    /// Whether the text begins with the version and `;`: else a sender drops it (RFC 8461 §3.1, RFC 8460 §3).
    pub begins: bool,
    pub fields: Vec<Field>,
    pub syntax: Vec<Offence>,
    pub ascii: Vec<Offence>,
}

/// A field of a record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Field {
    /// The name as written, without white space around it.
    pub name: String,
    /// The value as written, without white space around it.
    pub value: String,
    /// The whole field.
    pub span: Span,
    /// The name.
    pub name_span: Span,
    /// The value.
    pub value_span: Span,
    /// Whether the name is registered.
    pub known: bool,
    /// Whether an earlier field (or the version) has the same name.
    pub duplicate: bool,
    /// Whether a `=` is between name and value.
    pub has_equals: bool,
    /// The registered name that was probably meant by an unknown one.
    pub meant: Option<&'static str>,
}

/// Takes a record apart.
pub(super) fn parse(text: &[u8], dialect: &Dialect) -> FieldList {
    let ascii = ascii_offences(text);
    let (version, rest, mut syntax) = version(text, dialect);
    let mut fields = Vec::new();
    read_fields(text, rest, dialect, &mut fields, &mut syntax);
    let overlaps = |offence: &Offence| ascii.iter().any(|other| offence.span.overlaps(other.span));
    syntax.retain(|offence| !overlaps(offence));
    let begins = text.strip_prefix(dialect.version.as_bytes()).is_some_and(|rest| rest.first() == Some(&b';'));
    FieldList { version, begins, fields, syntax, ascii }
}

/// What is not US-ASCII as one offence: it comes in by one paste.
pub(super) fn as_one(offences: Vec<Offence>) -> Vec<Offence> {
    let mut distinct: Vec<String> = Vec::new();
    for offence in &offences {
        let shown = offence.detail.split(" is not").next().unwrap_or_default().to_owned();
        if !distinct.contains(&shown) {
            distinct.push(shown);
        }
    }
    let others = distinct.len().saturating_sub(3);
    let Some(first) = offences.into_iter().next() else { return Vec::new() };
    if distinct.len() < 2 {
        return vec![first];
    }
    let mut named: Vec<String> = distinct.into_iter().take(3).collect();
    let last = if others > 0 { format!("{others} more") } else { named.pop().unwrap_or_default() };
    vec![Offence { detail: format!("{} and {last} are not US-ASCII", named.join(", ")), ..first }]
}

/// One offence for each run of octets that are not US-ASCII.
fn ascii_offences(text: &[u8]) -> Vec<Offence> {
    let mut offences = Vec::new();
    let mut start = None;
    for (offset, octet) in text.iter().copied().chain([b' ']).enumerate() {
        match (start, octet.is_ascii()) {
            (None, false) => start = Some(offset),
            (Some(from), true) => {
                let span = Span::between(from, offset);
                let shown = super::shown(&String::from_utf8_lossy(span.of(text)));
                offences.push(Offence::new(span, format!("`{shown}` is not US-ASCII")));
                start = None;
            }
            _ => {}
        }
    }
    offences
}

/// The version, where the fields begin, and what is wrong between the two.
fn version(text: &[u8], dialect: &Dialect) -> (VersionTag, usize, Vec<Offence>) {
    let wanted = dialect.version;
    let Some(rest) = text.strip_prefix(wanted.as_bytes()) else {
        let after = text.iter().position(|octet| *octet == b';').unwrap_or(text.len());
        return (near_miss(text, dialect), after, Vec::new());
    };
    let end = wanted.len();
    let spaces = rest.iter().take_while(|octet| is_wsp(**octet)).count();
    let next = end.saturating_add(spaces);
    match text.get(next) {
        None if spaces == 0 => (VersionTag::Exact, next, Vec::new()),
        None => {
            let offence = Offence::new(Span::between(end, next), "white space at the end without a `;` after it");
            (VersionTag::Exact, next, vec![offence])
        }
        Some(b';') if spaces == 0 => (VersionTag::Exact, next, Vec::new()),
        Some(b';') => (VersionTag::ExactThenSpace(Span::between(end, next)), next, Vec::new()),
        Some(b'\\') if text.get(next.saturating_add(1)) == Some(&b';') => {
            let offence = Offence::new(
                Span { offset: next, length: 2 },
                "`\\;` is an escape of zone files that went into the record itself",
            )
            .suggesting(";");
            (VersionTag::NearMiss(offence), next.saturating_add(1), Vec::new())
        }
        Some(octet) if spaces == 0 && (octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_')) => {
            let length = text.iter().position(|octet| matches!(octet, b';' | b' ' | b'\t')).unwrap_or(text.len());
            let shown = String::from_utf8_lossy(text.get(..length).unwrap_or_default()).into_owned();
            let offence = Offence::new(Span { offset: 0, length }, format!("`{shown}` is not the version `{wanted}`"))
                .suggesting(wanted);
            (VersionTag::NearMiss(offence), length, Vec::new())
        }
        Some(wrong @ (b',' | b':')) => {
            let detail = format!("there is `{}` instead of `;`", char::from(*wrong));
            let offence = Offence::new(Span { offset: next, length: 1 }, detail).suggesting(";");
            (VersionTag::Exact, next, vec![offence])
        }
        Some(_) => {
            let length = spaces.max(1);
            let offence = Offence::new(Span { offset: end, length }, format!("a `;` is missing after `{wanted}`"))
                .suggesting("; ");
            (VersionTag::Exact, end, vec![offence])
        }
    }
}

/// Why a text that does not begin with the version was meant as this record, if it was.
fn near_miss(text: &[u8], dialect: &Dialect) -> VersionTag {
    let wanted = dialect.version;
    let miss = |offset: usize, length: usize, detail: String| {
        VersionTag::NearMiss(
            Offence::new(Span { offset, length: length.min(text.len().saturating_sub(offset)) }, detail)
                .suggesting(wanted),
        )
    };
    let lossy = String::from_utf8_lossy(text).into_owned();
    let lower = lossy.to_ascii_lowercase();
    let junk = |c: char| matches!(c, ' ' | '\t' | '"' | '\'' | '\\' | '\u{feff}' | '“' | '”' | '„');
    let inner = lossy.trim_start_matches(junk);
    let before = lossy.len().saturating_sub(inner.len());
    if before > 0 && inner.starts_with(wanted) {
        let what = match lossy.chars().next() {
            Some(' ' | '\t') => "white space",
            Some('\u{feff}') => "a byte order mark",
            _ => "a quotation mark",
        };
        return miss(0, before, format!("there is {what} in front of `{wanted}`"));
    }
    let squeezed: String = lower.trim_start_matches(junk).chars().take(64).filter(|c| !c.is_whitespace()).collect();
    let wanted_lower = wanted.to_ascii_lowercase();
    let first = text.iter().position(|octet| *octet == b';').unwrap_or(text.len());
    let tag = trimmed(text, Span::between(0, first));
    if squeezed.starts_with(&wanted_lower) {
        let shown = String::from_utf8_lossy(tag.of(text)).into_owned();
        let what = if shown.to_ascii_lowercase().starts_with(&wanted_lower) {
            "in the wrong case"
        } else {
            "with white space in it"
        };
        return miss(tag.offset, tag.length, format!("`{shown}` is `{wanted}` {what}"));
    }
    if let Some(at) = lower.find(&wanted_lower) {
        return miss(at, wanted.len(), format!("`{wanted}` does not come first"));
    }
    let begins_with_field = dialect.fields.iter().any(|name| squeezed.starts_with(&format!("{name}=")));
    let close = |tag: &str| strsim::damerau_levenshtein(tag, &wanted_lower) <= 2 && tag.starts_with("v=");
    if lower.contains(dialect.keyword)
        || begins_with_field
        || close(&String::from_utf8_lossy(tag.of(text)).to_ascii_lowercase())
    {
        let shown = String::from_utf8_lossy(tag.of(text)).into_owned();
        return miss(tag.offset, tag.length, format!("there is `{shown}` instead of the version `{wanted}`"));
    }
    VersionTag::Foreign
}

/// Reads fields from a delimiter on.
fn read_fields(text: &[u8], start: usize, dialect: &Dialect, fields: &mut Vec<Field>, syntax: &mut Vec<Offence>) {
    let mut at = start;
    let mut fields_seen = 0_usize;
    while at < text.len() {
        // The delimiter: a missing one after the version has been reported there.
        let after_version = at == start && text.get(at) == Some(&b':');
        if matches!(text.get(at), Some(b';' | b',')) || after_version {
            at = at.saturating_add(1);
        }
        let end = text
            .get(at..)
            .unwrap_or_default()
            .iter()
            .position(|octet| *octet == b';')
            .map_or(text.len(), |to| at.saturating_add(to));
        let raw = Span::between(at, end);
        let span = trimmed(text, raw);
        match (span.length, end < text.len()) {
            (0, false) => return,
            (0, true) => {
                let delimiter = Span::between(end, end.saturating_add(1));
                syntax.push(Offence::new(delimiter, "there is nothing between two `;`").suggesting(""));
            }
            (_, more) => {
                if !more && span.end() < end {
                    syntax.push(
                        Offence::new(Span::between(span.end(), end), "white space at the end without a `;` after it")
                            .suggesting(""),
                    );
                }
                fields_seen = fields_seen.saturating_add(1);
                let field = field(text, span, dialect, fields);
                judge(text, &field, syntax);
                fields.push(field);
            }
        }
        at = end;
        if fields_seen > MAX_FIELDS {
            syntax.push(Offence::new(Span::between(end, text.len()), "more fields than anybody reads"));
            return;
        }
    }
}

/// How many fields of one record are read.
const MAX_FIELDS: usize = 256;

fn field(text: &[u8], span: Span, dialect: &Dialect, before: &[Field]) -> Field {
    let equals = span.of(text).iter().position(|octet| *octet == b'=');
    let (name_span, value_span) = match equals {
        Some(at) => {
            let at = span.offset.saturating_add(at);
            (
                trimmed(text, Span::between(span.offset, at)),
                trimmed(text, Span::between(at.saturating_add(1), span.end())),
            )
        }
        None => (span, Span { offset: span.end(), length: 0 }),
    };
    let name = String::from_utf8_lossy(name_span.of(text)).into_owned();
    let known = name == "v" || dialect.fields.contains(&name.as_str());
    Field {
        value: String::from_utf8_lossy(value_span.of(text)).into_owned(),
        span,
        name_span,
        value_span,
        known,
        duplicate: name == "v" || before.iter().any(|field| field.name == name),
        has_equals: equals.is_some(),
        meant: if known { None } else { meant(&name, dialect.fields) },
        name,
    }
}

/// The registered name that is one slip away.
fn meant(name: &str, registered: &'static [&'static str]) -> Option<&'static str> {
    let plain = name.to_ascii_lowercase();
    registered.iter().copied().find(|known| {
        plain == *known
            || (plain.len() > 1
                && plain.len() <= known.len().saturating_add(1)
                && strsim::damerau_levenshtein(&plain, known) == 1)
    })
}

/// What the grammar of extensions says of a field; values of known fields are judged by their own rules.
fn judge(text: &[u8], field: &Field, syntax: &mut Vec<Offence>) {
    let shown = || String::from_utf8_lossy(field.span.of(text)).into_owned();
    if !field.has_equals {
        syntax.push(Offence::new(field.span, format!("`{}` has no `=`", shown())));
        return;
    }
    let gap = field.value_span.offset.saturating_sub(field.name_span.end());
    if gap > 1 && (field.value_span.length > 0 || field.name_span.length > 0) {
        let around = Span { offset: field.name_span.end(), length: gap };
        syntax.push(Offence::new(around, "there is white space around `=`").suggesting("="));
    }
    if field.name_span.length == 0 {
        syntax.push(Offence::new(field.span, "a name is missing before `=`"));
    } else if !is_extension_name(field.name_span.of(text)) {
        let why = "a name has 1 to 32 letters, digits, `_`, `-` or `.`, a letter or digit first";
        syntax.push(Offence::new(field.name_span, format!("`{}` is not a valid field name: {why}", field.name)));
    }
    // The first `id` and every `rua` have rules of their own; a later `id` is ignored, and yet a field of the grammar.
    let of_its_own = field.name == "rua" || !field.duplicate;
    if field.known && field.name != "v" && of_its_own {
        return;
    }
    let value = field.value_span.of(text);
    let wrong = value.iter().position(|octet| matches!(octet, b'=' | b' ') || octet.is_ascii_control());
    if value.is_empty() {
        syntax.push(Offence::new(field.span, format!("`{}` has no value", field.name)));
    } else if let Some(at) = wrong {
        let what = match value.get(at) {
            Some(b'=') => "a second `=`",
            Some(b' ') => "a space",
            _ => "a control character",
        };
        let span = Span { offset: field.value_span.offset.saturating_add(at), length: 1 };
        syntax.push(Offence::new(span, format!("the value of `{}` contains {what}", field.name)));
    }
}
