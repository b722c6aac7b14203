//! The policy body (RFC 8461 §3.2).
//!
//! Lines end in LF or CRLF and in nothing else: U+0085 and U+2028 are characters of an extension's value.

use super::every_line::{self, Found, Slip};
use super::{Located, Offence, Span, is_extension_name, is_invisible, is_wsp, trimmed};

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
    /// What the body is instead of a policy: `HTML`, `JSON`, `XML`.
    pub markup: Option<&'static str>,
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
    /// Names that are registered in another case.
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
    /// CR alone, which is no line end.
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
    /// Whether an earlier field has the same name; `mx` may stand often.
    pub duplicate: bool,
    /// The registered name that was probably meant by an unknown one.
    pub meant: Option<&'static str>,
}

/// Takes a policy body apart.
pub fn parse(body: &[u8]) -> Policy {
    let text = body.get(..MAX_POLICY_OCTETS).unwrap_or(body);
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
    let mut found = Vec::new();
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
        line(text, *span, next, number, &mut policy, &mut found);
    }
    for it in every_line::gather(text, found, &policy) {
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

const BOM: &[u8] = b"\xef\xbb\xbf";

fn blank_detail(index: usize, filled: usize, lines: usize) -> String {
    match index {
        index if index >= filled && lines.saturating_sub(filled) > 1 => {
            format!("{} blank lines stand at the end", lines.saturating_sub(filled))
        }
        index if index >= filled => "a blank line stands at the end".to_owned(),
        0 => "a blank line stands at the start".to_owned(),
        _ => "a blank line stands between two fields".to_owned(),
    }
}

/// What a body is that begins as no policy does.
fn markup(text: &[u8]) -> Option<&'static str> {
    let text = text.strip_prefix(BOM).unwrap_or(text).trim_ascii_start();
    let head = text.get(..text.len().min(512)).unwrap_or_default().to_ascii_lowercase();
    match head.first() {
        Some(b'<') if head.starts_with(b"<?xml") && !head.windows(5).any(|five| five == b"<html") => Some("XML"),
        Some(b'<') => Some("HTML"),
        Some(b'{' | b'[') => Some("JSON"),
        _ => None,
    }
}

fn is_utf16(text: &[u8]) -> bool {
    text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff")
}

/// How many lines at the start are a front matter, between two `---`, with the blank lines behind it.
fn front_matter(text: &[u8], lines: &[Span]) -> usize {
    let fence = |span: &Span| trimmed(text, *span).of(text) == b"---";
    if !lines.first().is_some_and(fence) {
        return 0;
    }
    let Some(inside) = lines.iter().skip(1).take(MAX_LINES).position(fence) else { return 0 };
    let is_policy = |span: &Span| {
        let line = trimmed(text, *span).of(text);
        FIELDS.iter().any(|name| line.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b":")))
    };
    if lines.iter().skip(1).take(inside).any(is_policy) {
        return 0;
    }
    let end = inside.saturating_add(2);
    let blank = lines.iter().skip(end).take_while(|span| trimmed(text, **span).length == 0).count();
    end.saturating_add(blank)
}

fn front_matter_offence(span: Span) -> Offence {
    Offence::new(span, "`---` belongs to the front matter of a page generator, which must not be served").suggesting("")
}

fn encoding(text: &[u8], offences: &mut Vec<Offence>) {
    if text.starts_with(BOM) {
        offences.push(
            Offence::new(Span { offset: 0, length: BOM.len() }, "a byte order mark (BOM) stands before the first line")
                .suggesting(""),
        );
    }
    if is_utf16(text) {
        offences.push(Offence::new(Span { offset: 0, length: 2 }, "the body is UTF-16, not UTF-8"));
        return;
    }
    let mut offset = 0_usize;
    let mut invalid: Option<Offence> = None;
    let mut count = 0_usize;
    for chunk in text.utf8_chunks() {
        offset = offset.saturating_add(chunk.valid().len());
        if !chunk.invalid().is_empty() {
            count = count.saturating_add(1);
            let span = Span { offset, length: chunk.invalid().len() };
            invalid.get_or_insert_with(|| Offence::new(span, ""));
        }
        offset = offset.saturating_add(chunk.invalid().len());
    }
    if let Some(mut offence) = invalid {
        offence.detail = format!("the body is not UTF-8 ({count} place{})", if count == 1 { "" } else { "s" });
        offences.push(offence);
    }
    let control = |octet: &u8| (*octet < 0x20 || *octet == 0x7f) && !matches!(*octet, b'\t' | b'\n' | b'\r');
    if let Some(offset) = text.iter().position(control) {
        let octet = text.get(offset).copied().unwrap_or_default();
        offences.push(
            Offence::new(Span { offset, length: 1 }, format!("a control character (0x{octet:02X}) stands in the body"))
                .suggesting(""),
        );
    }
}

/// The lines without their terminators.
fn split(text: &[u8], start: usize, endings: &mut Endings) -> Vec<Span> {
    let mut lines = Vec::new();
    let mut from = start;
    let (mut first_lf, mut first_crlf, mut first_cr) = (None, None, None);
    for (at, octet) in text.iter().enumerate().skip(start) {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        match octet {
            b'\n' if before == Some(&b'\r') && at > from => {
                endings.crlf = endings.crlf.saturating_add(1);
                first_crlf.get_or_insert(Span { offset: at.saturating_sub(1), length: 2 });
                lines.push(Span::between(from, at.saturating_sub(1)));
                from = at.saturating_add(1);
            }
            b'\n' => {
                endings.lf = endings.lf.saturating_add(1);
                first_lf.get_or_insert(Span { offset: at, length: 1 });
                lines.push(Span::between(from, at));
                from = at.saturating_add(1);
            }
            b'\r' if text.get(at.saturating_add(1)) != Some(&b'\n') => {
                endings.cr = endings.cr.saturating_add(1);
                first_cr.get_or_insert(Span { offset: at, length: 1 });
                // A bare CR was surely meant to end the line: it is read so, and reported. Several before a LF are
                // one line end that was converted once too often.
                if text.get(at.saturating_add(1)) != Some(&b'\r') {
                    lines.push(Span::between(from, at));
                    from = at.saturating_add(1);
                }
            }
            _ => {}
        }
        if lines.len() > MAX_LINES {
            break;
        }
    }
    endings.last = from >= text.len() && !text.is_empty();
    if from < text.len() {
        lines.push(Span::between(from, text.len()));
    }
    endings.odd =
        first_cr.or(if endings.lf <= endings.crlf { first_lf.or(first_crlf) } else { first_crlf.or(first_lf) });
    lines
}

fn line(text: &[u8], span: Span, next: Option<Span>, number: usize, policy: &mut Policy, found: &mut Vec<Found>) {
    let inner = trimmed(text, span);
    let octets = inner.of(text);
    if inner.end() < span.end() {
        policy.trailing.push(
            Offence::new(Span::between(inner.end(), span.end()), "white space stands at the end of the line")
                .suggesting(""),
        );
    }
    let Some(colon) = octets.iter().position(|octet| *octet == b':') else {
        let (slip, offence) = malformed(text, span, inner);
        found.push(Found { slip, line: number, offence });
        policy.lines.push(Line { number, span, field: None });
        return;
    };
    let colon = inner.offset.saturating_add(colon);
    let written = trimmed(text, Span::between(inner.offset, colon));
    let name = without_invisible(text, written);
    if !is_extension_name(name.of(text)) {
        let (slip, offence) = malformed(text, span, inner);
        found.push(Found { slip, line: number, offence });
        policy.lines.push(Line { number, span, field: None });
        return;
    }
    tell_invisible(text, written, name, policy);
    let mut value = trimmed(text, Span::between(colon.saturating_add(1), inner.end()));
    // The value of an extension may hold any UTF-8.
    if FIELDS.contains(&String::from_utf8_lossy(name.of(text)).as_ref()) {
        let bare = without_invisible(text, value);
        tell_invisible(text, value, bare, policy);
        value = bare;
    }
    let list =
        next.filter(|next| value.length == 0 && name.of(text) == b"mx" && is_item(trimmed(text, *next).of(text)));
    if let Some(next) = list {
        let whole = Span::between(span.offset, next.offset);
        let offence = Offence::new(whole, "a list follows, and a policy has no lists").suggesting("");
        found.push(Found { slip: Slip::Item, line: number, offence });
        policy.lines.push(Line { number, span, field: None });
        return;
    }
    let field = field(text, name, value, policy);
    let hidden = written != name;
    if !hidden && let Some((slip, offence)) = judge(text, span, colon, &field) {
        found.push(Found { slip, line: number, offence });
    }
    keep(&field, number, policy);
    policy.lines.push(Line { number, span, field: Some(field) });
}

/// The span without the characters at its ends that nobody sees: zero-width ones, no-break spaces, controls.
fn without_invisible(text: &[u8], span: Span) -> Span {
    let Ok(read) = std::str::from_utf8(span.of(text)) else { return span };
    let unseen = |c: char| is_invisible(c) || c.is_control() || c == ' ';
    let left = read.trim_start_matches(unseen);
    let bare = left.trim_end_matches(unseen);
    Span { offset: span.offset.saturating_add(read.len().saturating_sub(left.len())), length: bare.len() }
}

/// Tells of invisible characters between the ends of two spans. Control characters have been told already.
fn tell_invisible(text: &[u8], outer: Span, inner: Span, policy: &mut Policy) {
    for span in [Span::between(outer.offset, inner.offset), Span::between(inner.end(), outer.end())] {
        let read = String::from_utf8_lossy(span.of(text)).into_owned();
        if let Some(first) = read.chars().find(|c| is_invisible(*c)) {
            let detail = format!("an invisible character (U+{:04X}) stands in the line", u32::from(first));
            policy.encoding.push(Offence::new(span, detail).suggesting(""));
        }
    }
}

fn is_item(line: &[u8]) -> bool {
    line.strip_prefix(b"- ").is_some_and(|item| !item.is_empty())
}

/// What is wrong with a line that is no field; `inner` is it without white space around.
fn malformed(text: &[u8], line: Span, inner: Span) -> (Slip, Offence) {
    let octets = inner.of(text);
    let offence = |detail: &str| Offence::new(inner, detail);
    let words = String::from_utf8_lossy(octets).into_owned();
    match octets {
        [b'#' | b';', ..] | [b'/', b'/' | b'*', ..] => {
            (Slip::Comment, Offence::new(line, "comments do not exist in a policy").suggesting(""))
        }
        b"---" => (Slip::FrontMatter, front_matter_offence(line)),
        [b'`', b'`', b'`', ..] => {
            (Slip::Other, Offence::new(line, "a fence of Markdown does not belong into a policy").suggesting(""))
        }
        _ if is_item(octets) => {
            let item = words.trim_start_matches("- ").trim();
            let offence = Offence::new(line, "this is the item of a list, and a policy has no lists");
            (Slip::Item, offence.suggesting(format!("mx: {item}")))
        }
        _ if octets.contains(&b':') => {
            (Slip::Other, offence("a field name has 1 to 32 letters, digits, `_`, `-` or `.`, a letter or digit first"))
        }
        _ if octets.contains(&b'=') => {
            let offence = offence("`=` stands where `:` belongs");
            match words.split_once('=') {
                Some((name, value)) => {
                    let name = if name.trim() == "v" { "version" } else { name.trim() };
                    let fixed = format!("{name}: {}", value.trim().trim_end_matches(';'));
                    (Slip::Unequal, offence.suggesting(fixed))
                }
                None => (Slip::Unequal, offence),
            }
        }
        _ => {
            let offence = offence("the line has no `:` between a name and a value");
            match words.split_once([' ', '\t']) {
                Some((name, value)) if FIELDS.contains(&name) => {
                    (Slip::Other, offence.suggesting(format!("{name}: {}", value.trim())))
                }
                _ => (Slip::Other, offence),
            }
        }
    }
}

fn field(text: &[u8], name: Span, value: Span, policy: &Policy) -> PolicyField {
    let name = Located::of(text, name);
    let known = FIELDS.contains(&name.text.as_str());
    let earlier = policy.lines.iter().filter_map(|line| line.field.as_ref()).any(|field| field.name.text == name.text);
    PolicyField {
        value: Located::of(text, value),
        known,
        duplicate: earlier && !name.text.eq_ignore_ascii_case("mx"),
        meant: if known { None } else { meant(&name.text) },
        name,
    }
}

/// The registered name that was meant: another case, another separator, one slip, or a classic.
fn meant(name: &str) -> Option<&'static str> {
    let plain = name.to_ascii_lowercase().replace(['-', '.'], "_");
    let plain = plain.trim_matches('_');
    match plain {
        "maxage" | "ttl" | "expire" | "expires" | "max_ttl" => return Some("max_age"),
        "mxs" | "mx_host" | "mx_hosts" | "host" | "hosts" => return Some("mx"),
        "v" | "versions" => return Some("version"),
        "policy" | "modes" => return Some("mode"),
        _ => {}
    }
    let near = |known: &str| {
        plain == known
            || (plain.len() > 2 && strsim::damerau_levenshtein(plain, known) <= if known.len() > 4 { 2 } else { 1 })
    };
    FIELDS.into_iter().find(|known| near(known))
}

/// What is wrong with a field: the first offence that the eye meets.
fn judge(text: &[u8], span: Span, colon: usize, field: &PolicyField) -> Option<(Slip, Offence)> {
    let before_name = Span::between(span.offset, field.name.span.offset);
    let before_colon = Span::between(field.name.span.end(), colon);
    if before_name.length > 0 {
        let detail = format!("white space stands before `{}`", field.name.text);
        return Some((Slip::Indented, Offence::new(before_name, detail).suggesting("")));
    }
    if before_colon.length > 0 {
        let detail = format!("white space stands between `{}` and `:`", field.name.text);
        return Some((Slip::Spaced, Offence::new(before_colon, detail).suggesting("")));
    }
    if field.known {
        return None;
    }
    let lower = field.name.text.to_ascii_lowercase();
    if FIELDS.contains(&lower.as_str()) {
        let detail = format!("`{}` is not `{lower}`: names are in lower case", field.name.text);
        return Some((Slip::Case, Offence::new(field.name.span, detail).suggesting(lower)));
    }
    let value = field.value.span.of(text);
    if value.is_empty() {
        let place = Span::between(field.name.span.offset, colon.saturating_add(1));
        return Some((Slip::Other, Offence::new(place, format!("`{}` has no value", field.name.text))));
    }
    let at = value.iter().position(|octet| *octet == b'\t')?;
    let place = Span { offset: field.value.span.offset.saturating_add(at), length: 1 };
    let detail = format!("a tab stands inside the value of `{}`", field.name.text);
    Some((Slip::Other, Offence::new(place, detail).suggesting(" ")))
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
    pub fn valid_mode(&self) -> Option<&'static str> {
        let mode = self.mode.as_ref()?;
        ["enforce", "testing", "none"].into_iter().find(|valid| *valid == mode.text)
    }

    /// The life in seconds, where the first `max_age` field has a valid value: 1 to 10 digits.
    pub fn valid_max_age(&self) -> Option<u64> {
        let text = &self.max_age.as_ref()?.text;
        let digits = !text.is_empty() && text.len() <= 10 && text.bytes().all(|c| c.is_ascii_digit());
        if digits { text.parse().ok() } else { None }
    }
}

/// The mode that was probably meant by a wrong one.
pub fn mode_meant(text: &str) -> Option<&'static str> {
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_ascii_lowercase();
    match plain.as_str() {
        "enforce" | "enforced" | "enforcing" | "enforcement" | "strict" | "reject" => Some("enforce"),
        "testing" | "test" | "report" | "reporting" | "monitor" | "monitoring" | "quarantine" => Some("testing"),
        "none" | "off" | "disable" | "disabled" | "no" => Some("none"),
        _ => ["enforce", "testing", "none"]
            .into_iter()
            .find(|mode| strsim::damerau_levenshtein(&plain, mode) <= 2 && plain.len() > 2),
    }
}

/// The seconds that were probably meant by a wrong `max_age`: quotes, separators, a unit.
pub fn max_age_meant(text: &str) -> Option<u64> {
    let bare: String = text.chars().filter(|c| !matches!(c, '"' | '\'' | ',' | '_' | ' ' | '\t' | ';')).collect();
    let bare = bare.strip_prefix('+').unwrap_or(&bare);
    let digits = bare.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = bare.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let unit = unit.strip_prefix('.').map_or(unit, |rest| rest.trim_start_matches('0'));
    let seconds = match unit.to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return None,
    };
    number.checked_mul(seconds).filter(|seconds| (1..=31_557_600).contains(seconds))
}

impl Policy {
    /// Whether several fields stand on one line, where a sender reads one with a long value.
    pub fn runs_together(&self) -> bool {
        let names = |value: &str| {
            FIELDS
                .iter()
                .any(|name| [' ', ',', ';', '\t'].iter().any(|before| value.contains(&format!("{before}{name}:"))))
        };
        self.lines.iter().filter_map(|line| line.field.as_ref()).any(|field| field.known && names(&field.value.text))
    }
}

/// Whether white space of the grammar stands in the text.
pub fn has_white_space(text: &str) -> bool {
    text.bytes().any(is_wsp)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::grammar::mx_pattern::MxPattern;

    /// What is wrong with a policy, as short words.
    fn faults(body: &[u8]) -> Vec<&'static str> {
        let policy = parse(body);
        if policy.markup.is_some() {
            return vec!["markup"];
        }
        let mut faults = Vec::new();
        let mut add = |word, offences: &[Offence]| faults.extend(offences.iter().map(|_| word));
        add("syntax", &policy.syntax);
        add("encoding", &policy.encoding);
        add("case", &policy.case);
        add("blank", &policy.blank);
        add("trailing", &policy.trailing);
        if policy.endings.cr > 0 {
            faults.push("cr");
        }
        if policy.version.as_ref().is_none_or(|version| version.text != "STSv1") {
            faults.push("version");
        }
        if policy.valid_mode().is_none() {
            faults.push("mode");
        }
        match policy.valid_max_age() {
            None => faults.push("max_age"),
            Some(max_age) if max_age > 31_557_600 => faults.push("maximum"),
            Some(_) => {}
        }
        if policy.mx.is_empty() && policy.valid_mode() != Some("none") {
            faults.push("no mx");
        }
        faults.extend(policy.mx.iter().filter(|mx| MxPattern::parse(&mx.pattern.text).is_err()).map(|_| "mx"));
        faults
    }

    const GOOD: &str = "version: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800\n";

    #[test]
    fn a_wrong_max_age_is_understood_where_it_can_be() {
        for (text, seconds) in [
            ("7d", Some(604_800)),
            ("\"604800\"", Some(604_800)),
            ("604,800", Some(604_800)),
            ("604800.0", Some(604_800)),
            ("2 weeks", Some(1_209_600)),
            ("604800s", Some(604_800)),
            ("00000604800", Some(604_800)),
            ("-1", None),
            ("", None),
            ("1y", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(max_age_meant(text), seconds, "{text}");
        }
    }

    #[test]
    fn the_corners_of_the_grammar() {
        let change = |from: &str, to: &str| GOOD.replace(from, to);
        let long_name = format!("{}: x\n{GOOD}", "x".repeat(33));
        for (body, expected) in [
            (GOOD.to_owned(), &[][..]),
            (change("\n", "\r\n"), &[]),
            (GOOD.trim_end().to_owned(), &[]),
            (change("mode: enforce\n", "mode: enforce\r\n"), &[]),
            (change("\n", "\r"), &["cr", "cr"][..1]),
            (format!("{GOOD}\n"), &["blank"]),
            (format!("{GOOD}\n\n\n"), &["blank"]),
            (format!("\n{GOOD}"), &["blank"]),
            (change("mode", "\nmode"), &["blank"]),
            (format!("{GOOD}  \n"), &["blank"]),
            (format!("\u{feff}{GOOD}"), &["encoding"]),
            (change("mode", " mode"), &["syntax"]),
            (change("enforce\n", "enforce \t\n"), &["trailing"]),
            (change("mode: ", "mode : "), &["syntax"]),
            (change("mode: ", "mode:"), &[]),
            (change("mode: ", "mode:\t"), &[]),
            (change("mode: ", "Mode: "), &["case", "mode"]),
            (change("enforce", "Enforce"), &["mode"]),
            (change("STSv1", "stsv1"), &["version"]),
            ("mode: enforce\nmx: a.example\nmax_age: 1\nversion: STSv1\n".to_owned(), &[]),
            (change("version: STSv1\n", ""), &["version"]),
            ("version: STSv1\nmode: none\nmax_age: 60\n".to_owned(), &[]),
            ("version: STSv1\nmode: testing\nmax_age: 60\n".to_owned(), &["no mx"]),
            (change("enforce", "report"), &["mode"]),
            (format!("{GOOD}mode: none\n"), &[]),
            (change("mode: enforce", "mode: x\nmode: enforce"), &["mode"]),
            (change("604800", "0"), &[]),
            (change("604800", "0000604800"), &[]),
            (change("604800", "31557600"), &[]),
            (change("604800", "31557601"), &["maximum"]),
            (change("604800", "9999999999"), &["maximum"]),
            (change("604800", "00000604800"), &["max_age"]),
            (change("604800", "-1"), &["max_age"]),
            (change("604800", "+1"), &["max_age"]),
            (change("604800", "1.5"), &["max_age"]),
            (change("604800", "7d"), &["max_age"]),
            (change("604800", "604,800"), &["max_age"]),
            (change("604800", ""), &["trailing", "max_age"]),
            (change("mail.example.com", "MAIL.Example.COM"), &[]),
            (change("mail.example.com", "mail.example.com."), &["mx"]),
            (change("mail.example.com", ".example.com"), &["mx"]),
            (change("mail.example.com", "*"), &["mx"]),
            (change("mail.example.com", "a.example, b.example"), &["mx"]),
            (change("mx: mail.example.com", "mx:"), &["mx"]),
            (format!("# comment\n{GOOD}"), &["syntax"]),
            (format!("# c: x\n{GOOD}"), &["syntax"]),
            (format!("{GOOD}x-foo: bar baz\n"), &[]),
            (format!("{GOOD}x-foo: é\n"), &[]),
            (format!("{GOOD}x-foo:\n"), &["syntax"]),
            (format!("{GOOD}x-foo: a\tb\n"), &["syntax"]),
            (long_name, &["syntax"]),
            (format!("{GOOD}_x: a\n"), &["syntax"]),
            (format!("{GOOD}x-foo: a\u{85}mode: none\n"), &[]),
            (format!("{GOOD}x-foo: a\u{2028}mode: none\n"), &[]),
            (change(": ", "="), &["syntax", "version", "mode", "max_age", "no mx"]),
            (change("mode: ", "mode="), &["syntax", "mode"]),
            (format!("  {}", change("\n", "\n  ").trim_end()), &["syntax"]),
            (change("\nm", "\n\tm"), &["syntax"]),
            (change(": ", " : "), &["syntax"]),
            (GOOD.to_ascii_uppercase().replace("STSV1", "STSv1"), &["case", "version", "mode", "max_age", "no mx"]),
            (format!("# a\n# b\n{GOOD}// c\n"), &["syntax", "syntax"]),
            (format!("---\nlayout: null\n---\n\n{GOOD}"), &["syntax"]),
            (format!("---\n{GOOD}---\n"), &["syntax", "syntax"]),
            (change("mx: ", "mx:\n  - "), &["syntax", "no mx"]),
            (change("mode: ", "\u{200b}mode: "), &["encoding"]),
            (change("mode: ", "mode:\u{a0}"), &["encoding"]),
            (change("enforce\n", "enforce\0\n"), &["encoding"]),
            (change("enforce\n", "enforce\r"), &["cr"]),
            ("<!DOCTYPE html><html>".to_owned(), &["markup"]),
            ("{\"version\": \"STSv1\"}".to_owned(), &["markup"]),
            ("version: STSv1\\nmode: enforce\\n".to_owned(), &["version", "mode", "max_age", "no mx"]),
            (String::new(), &["syntax", "version", "mode", "max_age", "no mx"]),
            ("\n\n".to_owned(), &["syntax", "version", "mode", "max_age", "no mx"]),
            (format!("{GOOD}x: a\u{0}b\n"), &["encoding"]),
        ] {
            assert_eq!(faults(body.as_bytes()), expected, "{body:?}");
        }
        assert_eq!(faults(b"version: STSv1\nmode: none\nmax_age: 1\nx: \xe9\n"), ["encoding"]);
        assert_eq!(faults(b"\xff\xfev\0:\0\n\0"), ["encoding", "version", "mode", "max_age", "no mx"]);
    }

    #[test]
    fn the_first_field_counts_and_places_are_known() {
        let body = "version: STSv1\nmode: enforce\nmode: none\nmax-age: 1\nmax_age:  86400 \n";
        let policy = parse(body.as_bytes());
        assert_eq!(policy.mode.as_ref().unwrap().text, "enforce");
        let max_age = policy.max_age.unwrap();
        assert_eq!(max_age.span.of(body.as_bytes()), b"86400");
        assert!(policy.lines[2].field.as_ref().unwrap().duplicate);
        assert_eq!(policy.lines[3].field.as_ref().unwrap().meant, Some("max_age"));
    }

    #[test]
    fn modes_that_people_write() {
        for (text, meant) in [
            ("enforced", "enforce"),
            ("report", "testing"),
            ("off", "none"),
            ("Enforce", "enforce"),
            ("tesing", "testing"),
        ] {
            assert_eq!(mode_meant(text), Some(meant));
        }
        assert_eq!(mode_meant("banana"), None);
    }

    #[test]
    fn large_bodies_take_linear_time() {
        let body = "mx: mail.example.com\n".repeat(10_000);
        assert!(parse(body.as_bytes()).mx.len() > 3_000);
        assert_eq!(parse(&vec![b':'; 1 << 20]).lines.len(), 1);
    }

    fn spans_lie_inside(body: &[u8]) {
        let policy = parse(body);
        let offences = [&policy.syntax, &policy.encoding, &policy.case, &policy.blank, &policy.trailing];
        let spans =
            offences.into_iter().flatten().map(|offence| offence.span).chain(policy.lines.iter().map(|line| line.span));
        let fields = policy
            .lines
            .iter()
            .filter_map(|line| line.field.as_ref())
            .flat_map(|field| [field.name.span, field.value.span]);
        assert!(spans.chain(fields).chain(policy.endings.odd).all(|span| span.end() <= body.len()), "{body:?}");
        assert!(policy.lines.windows(2).all(|pair| pair[0].span.end() <= pair[1].span.offset), "{body:?}");
    }

    proptest! {
        #[test]
        fn no_octets_panic_or_leave_the_text(body: Vec<u8>) {
            spans_lie_inside(&body);
        }

        #[test]
        fn nothing_near_the_grammar_does_either(body in "((version|Mode|mx|max_age| x|\u{feff})?[ \t:]{0,3}[STv1a-z0-9.*é\u{85}\u{0}-]{0,9}[ \t]?(\n|\r\n|\r)?){0,8}") {
            spans_lie_inside(body.as_bytes());
        }

        #[test]
        fn what_the_grammar_makes_is_valid(
            name in "[a-z0-9][A-Za-z0-9._-]{0,31}", value in "[!-~é]([ !-~é]{0,20}[!-~é])?", age in 1_u32..31_557_600, crlf: bool,
        ) {
            prop_assume!(!FIELDS.contains(&name.to_ascii_lowercase().as_str()));
            let body = format!("mx: *.example.com\nversion:STSv1\n{name}: {value}\nmax_age:\t{age}\nmode: testing");
            let body = if crlf { body.replace('\n', "\r\n") } else { body };
            prop_assert!(faults(body.as_bytes()).is_empty(), "{:?}", body);
        }
    }
}
