//! The body before its lines are read: what else it may be, its encoding, its lines. Used by `policy`.

use super::markup::Markup;
use super::{Endings, FIELDS, MAX_LINES};
use crate::grammar::{Offence, Span, trimmed};
use crate::source_text::told_apart::FileKind;

/// A byte order mark.
pub const BOM: &[u8] = b"\xef\xbb\xbf";

/// Of fewer lines nobody can tell what they are.
const MIN_OTHER_LINES: usize = 6;

/// Where a blank line is.
pub fn blank_detail(index: usize, filled: usize, lines: usize) -> String {
    match index {
        index if index >= filled && lines.saturating_sub(filled) > 1 => {
            format!("{} blank lines are at the end", lines.saturating_sub(filled))
        }
        index if index >= filled => "there is a blank line at the end".to_owned(),
        0 => "there is a blank line at the start".to_owned(),
        _ => "there is a blank line between two fields".to_owned(),
    }
}

/// What a body is that begins as no policy does.
pub fn markup(text: &[u8]) -> Option<Markup> {
    const SIGNATURES: [(&[u8], Markup); 5] = [
        (b"\x1f\x8b", Markup::Gzip),
        (b"PK\x03\x04", Markup::Zip),
        (b"\xd0\xcf\x11\xe0", Markup::Word),
        (b"%PDF-", Markup::Pdf),
        (b"{\\rtf", Markup::RichText),
    ];
    if let Some((_, kind)) = SIGNATURES.iter().find(|(signature, _)| text.starts_with(signature)) {
        return Some(*kind);
    }
    let text = text.strip_prefix(BOM).unwrap_or(text).trim_ascii_start();
    let head = text.get(..text.len().min(512)).unwrap_or_default().to_ascii_lowercase();
    if let Some(kind) = file_of_ours(text) {
        return Some(kind);
    }
    match head.first() {
        Some(b'<') if head.starts_with(b"<?xml") && !head.windows(5).any(|five| five == b"<html") => Some(Markup::Xml),
        Some(b'<') => Some(Markup::Html),
        Some(b'{' | b'[') => Some(Markup::Json),
        _ => other_file(text),
    }
}

/// Another file that this program reads: a snapshot, rules, a configuration, a TLS report.
fn file_of_ours(text: &[u8]) -> Option<Markup> {
    let text = String::from_utf8_lossy(text);
    let kind = FileKind::of(&text)?;
    let sure = match kind {
        FileKind::Policy => false,
        FileKind::Configuration => !text.to_ascii_lowercase().contains("stsv1") && !text.contains("\nmx:"),
        FileKind::Rules | FileKind::Snapshot | FileKind::TlsReport => true,
    };
    sure.then(|| kind.into())
}

/// Another kind of file, told by lines of which hardly any is that of a policy.
fn other_file(text: &[u8]) -> Option<Markup> {
    if is_utf16(text) {
        return None;
    }
    let lines = || text.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let lower: Vec<String> =
        lines().take(MAX_LINES).map(|line| String::from_utf8_lossy(line).to_ascii_lowercase()).collect();
    let is_record = |line: &String| {
        let words: Vec<&str> = line.split_whitespace().take(5).collect();
        words.contains(&"txt") && line.contains("v=stsv1")
    };
    if lower.len() < 3 && lower.iter().any(is_record) {
        return Some(Markup::ZoneLine);
    }
    let is_comment = |line: &&String| ["#", "//", ";", "---"].iter().any(|mark| line.starts_with(mark));
    let mut filled = lower.iter().filter(|line| !is_comment(line));
    let meant = |line: &&String| {
        let bare = line.trim_start_matches(['"', '\'', '-', ' ', '`']);
        let plain = bare.replace('-', "_");
        bare.contains("stsv1")
            || ["mode", "mx", "max_age", "maxage", "version=", "version :"].iter().any(|name| plain.starts_with(name))
    };
    let (count, policy) = (filled.clone().count(), filled.clone().filter(meant).count());
    let without_trace = policy == 0 && count > 1 && lower.iter().any(|line| line.contains(':'));
    if !without_trace && (count < MIN_OTHER_LINES || policy.saturating_mul(3) >= count) {
        return None;
    }
    // A key without a value opens a block of YAML.
    let block = filled.any(|line| line.ends_with(':') && !line.contains(char::is_whitespace));
    Some(if block { Markup::OtherYaml } else { Markup::OtherFile })
}

/// Whether the body is UTF-16.
pub fn is_utf16(text: &[u8]) -> bool {
    text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff")
}

/// How many lines at the start are a front matter, between two `---`, with the blank lines after it.
pub fn front_matter(text: &[u8], lines: &[Span]) -> usize {
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

/// A line of front matter.
pub fn front_matter_offence(span: Span) -> Offence {
    Offence::new(span, "`---` belongs to the front matter of a page generator, which must not be served").suggesting("")
}

/// What every line is wrapped in: one slip of one hand, so that the fields are read without it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wrapping {
    /// Quotes.
    Quotes,
    /// A `;` after it.
    Semicolon,
}

/// What the lines that are not blank are wrapped in, all of them and two at least.
pub fn wrapping(text: &[u8], lines: &[Span]) -> Option<Wrapping> {
    let filled: Vec<&[u8]> = lines.iter().take(MAX_LINES).map(|span| trimmed(text, *span).of(text)).collect();
    let every = |wrapped: fn(&[u8]) -> bool| {
        let mut filled = filled.iter().filter(|line| !line.is_empty());
        filled.clone().nth(1).is_some() && filled.all(|line| wrapped(line))
    };
    if every(|line| line.len() > 2 && line.starts_with(b"\"") && line.ends_with(b"\"")) {
        return Some(Wrapping::Quotes);
    }
    every(|line| line.len() > 1 && line.ends_with(b";")).then_some(Wrapping::Semicolon)
}

/// Octets that are no text of a policy.
pub fn encoding(text: &[u8], offences: &mut Vec<Offence>) {
    if text.starts_with(BOM) {
        offences.push(
            Offence::new(
                Span { offset: 0, length: BOM.len() },
                "there is a byte order mark (BOM) in front of the first line",
            )
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
            Offence::new(Span { offset, length: 1 }, format!("the body contains a control character (0x{octet:02X})"))
                .suggesting(""),
        );
    }
}

/// The lines without their terminators.
pub fn split(text: &[u8], start: usize, endings: &mut Endings) -> Vec<Span> {
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
                // one line ending that was converted once too often.
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
