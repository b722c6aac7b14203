//! One line of a policy: its field, or what it is instead. Used by `policy`.

use super::body::{Wrapping, front_matter_offence};
use super::{FIELDS, Line, Policy, PolicyField, keep};
use crate::grammar::every_line::{Found, Slip};
use crate::grammar::mx_pattern::MxPattern;
use crate::grammar::{Located, Offence, Span, is_extension_name, is_invisible, trimmed};

/// Reads one line with its number into the policy, and what is wrong with it.
pub fn line(
    text: &[u8],
    (span, number): (Span, usize),
    next: Option<Span>,
    wrapping: Option<Wrapping>,
    list: &mut Option<List>,
    policy: &mut Policy,
    found: &mut Vec<Found>,
) {
    let mut inner = trimmed(text, span);
    trailing_space(text, span, inner, policy);
    let mut from = span.offset;
    if let Some((bare, slip, offence)) = wrapping.and_then(|wrapping| unwrapped(text, inner, wrapping)) {
        found.push(Found { slip, line: number, offence });
        inner = bare;
        from = if slip == Slip::Quoted { bare.offset } else { from };
    }
    let octets = inner.of(text);
    // A line of nothing but control characters is told with the encoding.
    if !octets.is_empty() && octets.iter().all(u8::is_ascii_control) {
        policy.lines.push(Line { number, span, field: None });
        return;
    }
    let Some(colon) = octets.iter().position(|octet| *octet == b':') else {
        let (slip, offence) = malformed(text, span, inner, *list);
        list.take_if(|_| slip != Slip::Item);
        found.push(Found { slip, line: number, offence });
        policy.lines.push(Line { number, span, field: None });
        return;
    };
    let colon = inner.offset.saturating_add(colon);
    let written = trimmed(text, Span::between(inner.offset, colon));
    let name = legible(text, written);
    if !is_extension_name(name.text.as_bytes()) {
        let (slip, offence) = malformed(text, span, inner, *list);
        list.take_if(|_| slip != Slip::Item);
        found.push(Found { slip, line: number, offence });
        policy.lines.push(Line { number, span, field: None });
        return;
    }
    *list = None;
    tell_invisible(text, written, name.span, policy);
    let whole = trimmed(text, Span::between(colon.saturating_add(1), inner.end()));
    // The value of an extension may hold any UTF-8, and a later field of a known name need only fit that production.
    let counts = || name.text == "mx" || !is_named_before(&name.text, policy);
    let value = if FIELDS.contains(&name.text.as_str()) && counts() {
        let bare = legible(text, whole);
        tell_invisible(text, whole, bare.span, policy);
        bare
    } else {
        Located::of(text, whole)
    };
    if let Some(next) = next.filter(|next| value.span.length == 0 && is_item(trimmed(text, *next).of(text))) {
        let of_mx = name.text == "mx";
        *list = Some(if of_mx { List::Hosts } else { List::Other });
        let whole = Span::between(span.offset, next.offset);
        let offence = Offence::new(whole, "a list follows, but a policy has no lists");
        let offence = if of_mx { offence.suggesting("") } else { offence };
        found.push(Found { slip: Slip::Item, line: number, offence });
        policy.lines.push(Line { number, span, field: None });
        return;
    }
    let hidden = written != name.span || name.text.len() != name.span.length;
    let field = field(name, value, policy);
    if !hidden && let Some((slip, offence)) = judge(text, Span::between(from, span.end()), colon, &field) {
        found.push(Found { slip, line: number, offence });
    }
    keep(&field, number, policy);
    policy.lines.push(Line { number, span, field: Some(field) });
}

/// What the items of a YAML list represent, by the name in front of the list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum List {
    /// MX hosts.
    Hosts,
    /// Something else.
    Other,
}

/// White space at the end of a line, where it does not be instead of a value.
fn trailing_space(text: &[u8], span: Span, inner: Span, policy: &mut Policy) {
    if inner.end() < span.end() && !inner.of(text).ends_with(b":") {
        let space = Span::between(inner.end(), span.end());
        policy.trailing.push(Offence::new(space, "there is white space at the end of the line").suggesting(""));
    }
}

/// A line without what every line is wrapped in, and the offence that this is.
fn unwrapped(text: &[u8], line: Span, wrapping: Wrapping) -> Option<(Span, Slip, Offence)> {
    let last = line.end().checked_sub(1)?;
    Some(match wrapping {
        Wrapping::Quotes => {
            let bare = trimmed(text, Span::between(line.offset.saturating_add(1), last));
            let words = String::from_utf8_lossy(bare.of(text)).into_owned();
            (bare, Slip::Quoted, Offence::new(line, "the line is in quotes").suggesting(words))
        }
        Wrapping::Semicolon => {
            let detail = "the line ends in a `;`";
            let offence = Offence::new(Span::between(last, line.end()), detail).suggesting("");
            (trimmed(text, Span::between(line.offset, last)), Slip::Semicolon, offence)
        }
    })
}

/// A name or value as it was meant: without what `policy-encoding` tells at its ends, and without control characters
/// and octets that are not UTF-8 inside.
fn legible(text: &[u8], span: Span) -> Located {
    let mut found = Located::of(text, without_invisible(text, span));
    let utf8 = std::str::from_utf8(found.span.of(text)).is_ok();
    found.text.retain(|c| (c == '\t' || !c.is_control()) && (utf8 || c != char::REPLACEMENT_CHARACTER));
    found
}

/// The span without the characters at its ends that nobody sees: zero-width ones, no-break spaces, controls.
fn without_invisible(text: &[u8], span: Span) -> Span {
    let Ok(read) = std::str::from_utf8(span.of(text)) else { return span };
    let unseen = |c: char| is_invisible(c) || c.is_control() || c == ' ';
    let left = read.trim_start_matches(unseen);
    let bare = left.trim_end_matches(unseen);
    Span { offset: span.offset.saturating_add(read.len().saturating_sub(left.len())), length: bare.len() }
}

/// Tells of invisible characters between the ends of two spans, and of C1 control characters anywhere. Those of ASCII
/// have been told already.
fn tell_invisible(text: &[u8], outer: Span, inner: Span, policy: &mut Policy) {
    for span in [Span::between(outer.offset, inner.offset), Span::between(inner.end(), outer.end())] {
        let read = String::from_utf8_lossy(span.of(text)).into_owned();
        if let Some(first) = read.chars().find(|c| is_invisible(*c) || is_c1(*c)) {
            let detail = format!("an invisible character (U+{:04X}) is in the line", u32::from(first));
            policy.encoding.push(Offence::new(span, detail).suggesting(""));
        }
    }
    let Ok(read) = std::str::from_utf8(inner.of(text)) else { return };
    if let Some((at, c)) = read.char_indices().find(|(_, c)| is_c1(*c)) {
        let span = Span { offset: inner.offset.saturating_add(at), length: c.len_utf8() };
        let detail = format!("an invisible character (U+{:04X}) is in the line", u32::from(c));
        policy.encoding.push(Offence::new(span, detail).suggesting(""));
    }
}

/// Whether it is a control character beyond ASCII: U+0080 to U+009F.
fn is_c1(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{9f}')
}

fn is_item(line: &[u8]) -> bool {
    line.strip_prefix(b"- ").is_some_and(|item| !item.is_empty())
}

/// What is wrong with a line that is not a field; `inner` is it without white space around, `list` the list that it
/// belongs to.
fn malformed(text: &[u8], line: Span, inner: Span, list: Option<List>) -> (Slip, Offence) {
    let octets = inner.of(text);
    let offence = |detail: &str| Offence::new(inner, detail);
    let words = String::from_utf8_lossy(octets).into_owned();
    match octets {
        [b'#' | b';', ..] | [b'/', b'/' | b'*', ..] => {
            (Slip::Comment, Offence::new(line, "a policy has no comments").suggesting(""))
        }
        b"---" => (Slip::FrontMatter, front_matter_offence(line)),
        [b'`', b'`', b'`', ..] => {
            (Slip::Other, Offence::new(line, "a Markdown fence does not belong in a policy").suggesting(""))
        }
        _ if is_item(octets) => {
            let item = words.trim_start_matches("- ").trim();
            let offence = Offence::new(line, "this is an item of a list, but a policy has no lists");
            let field = item.split_once(':').map(|(name, _)| name.trim());
            let suggestion = match field {
                Some(name) if FIELDS.contains(&name) => Some(item.to_owned()),
                // What nobody wrote as an MX host is not made one: a placeholder has no dot.
                None if list == Some(List::Hosts) && names_hosts(item) => Some(format!("mx: {item}")),
                Some(_) | None => None,
            };
            (Slip::Item, suggestion.into_iter().fold(offence, Offence::suggesting))
        }
        _ if is_txt_record(&words) => {
            let detail = "this is a TXT record, which belongs in the DNS";
            (Slip::Other, Offence::new(line, detail).suggesting(""))
        }
        _ if octets.contains(&b':') => {
            (Slip::Other, offence("a field name has 1 to 32 letters, digits, `_`, `-` or `.`, a letter or digit first"))
        }
        _ if octets.contains(&b'=') => {
            let offence = offence("there is `=` instead of `:`");
            match words.split_once('=') {
                Some((name, value)) if name.trim() == "v" || is_extension_name(name.trim().as_bytes()) => {
                    let name = if name.trim() == "v" { "version" } else { name.trim() };
                    let fixed = format!("{name}: {}", value.trim().trim_end_matches(';'));
                    (Slip::Unequal, offence.suggesting(fixed))
                }
                Some(_) => (Slip::Other, offence),
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

/// Whether an item is a pattern that MX hosts can match.
fn names_hosts(item: &str) -> bool {
    MxPattern::parse(item).is_ok_and(|pattern| !pattern.is_single_label())
}

/// Whether a line is the record that is at `_mta-sts` or `_smtp._tls`, and not a field with `=` for `:`.
fn is_txt_record(line: &str) -> bool {
    let fields = |version| line.strip_prefix(version).and_then(|rest: &str| rest.trim_start().strip_prefix(';'));
    ["v=STSv1", "v=TLSRPTv1"].into_iter().filter_map(fields).any(|rest| !rest.trim_matches([';', ' ']).is_empty())
}

/// Whether an earlier line has a field of this name.
fn is_named_before(name: &str, policy: &Policy) -> bool {
    policy.lines.iter().filter_map(|line| line.field.as_ref()).any(|field| field.name.text == name)
}

fn field(name: Located, value: Located, policy: &Policy) -> PolicyField {
    let known = FIELDS.contains(&name.text.as_str());
    let earlier = is_named_before(&name.text, policy);
    PolicyField {
        value,
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
        let detail = format!("there is white space in front of `{}`", field.name.text);
        return Some((Slip::Indented, Offence::new(before_name, detail).suggesting("")));
    }
    if before_colon.length > 0 {
        let detail = format!("there is white space between `{}` and `:`", field.name.text);
        return Some((Slip::Spaced, Offence::new(before_colon, detail).suggesting("")));
    }
    // A later field of a known name is ignored, and yet a field of the grammar.
    if field.known && !field.duplicate {
        return None;
    }
    let lower = field.name.text.to_ascii_lowercase();
    if !field.known && FIELDS.contains(&lower.as_str()) {
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
    let detail = format!("the value of `{}` contains a tab", field.name.text);
    Some((Slip::Other, Offence::new(place, detail).suggesting(" ")))
}
