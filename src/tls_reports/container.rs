//! What reports arrive in: JSON, gzip, zip, mail of any MIME structure, mbox; told by the octets, never by a name.
//!
//! Called by `stslint reports` with the octets of one file. Everything is bounded: what is beyond a limit is a
//! [`Lost`] entry, and the rest is read all the same.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use flate2::read::MultiGzDecoder;
use mail_parser::mailbox::mbox::MessageIterator;
use mail_parser::{HeaderValue, Message, MessageParser, MimeHeaders, PartType};
use serde::de::IgnoredAny;
use zip::ZipArchive;

use super::model::MailOrigin;
use crate::source_text::escape;

/// A report may have so many octets once it is unpacked.
pub const REPORT_OCTETS: u64 = 15 * 1024 * 1024;
/// What is packed may grow by so much: reports shrink to about a tenth.
const RATIO: u64 = 200;
/// So many parts of a mail, or members of an archive, are looked at.
const PARTS: usize = 1_000;
/// A container in a container in a container: a gzip file in a zip file in a mail.
const DEPTH: usize = 4;
/// A mail that was forwarded in a mail, and so on.
const FORWARDED: usize = 12;
/// So many reports in one JSON text are read.
const REPORTS: usize = 100_000;

/// The JSON of one report, as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Where: the file and what is inside of it, such as `inbox.mbox: message 3: report.json.gz`.
    pub source: String,
    /// The file name that was given to it, where one was.
    pub file_name: Option<String>,
    /// The media type that was given to it in a mail.
    pub media_type: Option<String>,
    /// What the mail says of its sender.
    pub mail: Option<MailOrigin>,
    /// The JSON.
    pub octets: Vec<u8>,
}

/// Something that could not be read as a report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lost {
    /// Where.
    pub source: String,
    /// Why, as a clause.
    pub reason: String,
}

/// What was found in one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unpacked {
    /// The reports.
    pub found: Vec<Found>,
    /// What is not a report, or is beyond a limit.
    pub lost: Vec<Lost>,
}

/// Finds the reports in the octets of a file.
pub fn unpack(source: &str, octets: &[u8]) -> Unpacked {
    let mut unpacker = Unpacker::default();
    let at = Where { source: source.to_owned(), file_name: None, media_type: None, mail: None, depth: 0 };
    unpacker.any(&at, octets);
    unpacker.unpacked
}

/// What octets are, by their first ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Empty,
    Gzip,
    Json,
    Mail,
    Mbox,
    Unknown,
    Xml,
    Zip,
}

impl Kind {
    fn of(octets: &[u8]) -> Self {
        let text = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets).trim_ascii_start();
        match text {
            [] => Kind::Empty,
            _ if octets.starts_with(&[0x1F, 0x8B]) => Kind::Gzip,
            _ if octets.starts_with(b"PK\x03\x04") || octets.starts_with(b"PK\x05\x06") => Kind::Zip,
            _ if Kind::is_utf_16(octets) => Kind::Json,
            [b'{' | b'[', ..] => Kind::Json,
            [b'<', ..] => Kind::Xml,
            _ if octets.starts_with(b"From ") => Kind::Mbox,
            _ if begins_with_a_header(text) => Kind::Mail,
            _ => Kind::Unknown,
        }
    }
}

impl Kind {
    /// Whether a byte order mark says so.
    fn is_utf_16(octets: &[u8]) -> bool {
        matches!(octets, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..])
    }
}

/// Whether the first line is a header field of a mail (RFC 5322 §2.2): printable characters up to a colon.
fn begins_with_a_header(text: &[u8]) -> bool {
    let line = text.split(|octet| *octet == b'\n').next().unwrap_or_default();
    let name = line.split(|octet| *octet == b':').next().unwrap_or_default();
    name.len() < line.len() && !name.is_empty() && name.len() <= 76 && name.iter().all(u8::is_ascii_graphic)
}

/// Where the octets are, and what is known of them.
#[derive(Clone, Debug)]
struct Where {
    source: String,
    file_name: Option<String>,
    media_type: Option<String>,
    mail: Option<MailOrigin>,
    depth: usize,
}

impl Where {
    fn inside(&self, name: &str) -> Where {
        Where {
            source: format!("{}: {}", self.source, escape(name)),
            file_name: Some(name.to_owned()),
            depth: self.depth.saturating_add(1),
            ..self.clone()
        }
    }
}

#[derive(Debug, Default)]
struct Unpacker {
    unpacked: Unpacked,
}

impl Unpacker {
    fn any(&mut self, at: &Where, octets: &[u8]) {
        if at.depth > DEPTH {
            return self.lost(at, format!("it is packed more than {DEPTH} times"));
        }
        match Kind::of(octets) {
            Kind::Empty => self.lost(at, "it is empty"),
            Kind::Gzip => self.gzip(at, octets),
            Kind::Json if octets.len() as u64 > REPORT_OCTETS => self.lost(at, too_large()),
            Kind::Json => self.json(at, octets),
            Kind::Mail => self.mail(at, octets.trim_ascii_start()),
            Kind::Mbox => self.mbox(at, octets),
            Kind::Unknown => self.lost(at, "it is neither JSON, gzip, zip nor a mail"),
            Kind::Xml => self.lost(at, "it is XML, as DMARC reports are; TLS reports are JSON (RFC 8460 §4)"),
            Kind::Zip => self.zip(at, octets),
        }
    }

    /// One report; or several, one after another or in a list.
    fn json(&mut self, at: &Where, octets: &[u8]) {
        // Some programs fill a block with zeroes.
        let text = octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last.saturating_add(1));
        let octets = if Kind::is_utf_16(octets) { octets } else { octets.get(..text).unwrap_or(octets) };
        let parts = several(octets);
        if parts.is_empty() {
            return self.found(at, octets.to_vec());
        }
        if parts.len() > REPORTS {
            self.lost(at, format!("only the first {REPORTS} reports in it are read"));
        }
        for (index, part) in parts.into_iter().take(REPORTS).enumerate() {
            let inside = at.inside(&format!("report {}", index.saturating_add(1)));
            self.found(&Where { file_name: at.file_name.clone(), ..inside }, part.to_vec());
        }
    }

    fn found(&mut self, at: &Where, octets: Vec<u8>) {
        self.unpacked.found.push(Found {
            source: at.source.clone(),
            file_name: at.file_name.clone(),
            media_type: at.media_type.clone(),
            mail: at.mail.clone(),
            octets,
        });
    }

    fn lost(&mut self, at: &Where, reason: impl Into<String>) {
        self.unpacked.lost.push(Lost { source: at.source.clone(), reason: reason.into() });
    }

    /// Octets after the stream, such as a line ending that a mail server added, do no harm.
    fn gzip(&mut self, at: &Where, octets: &[u8]) {
        match unpacked(MultiGzDecoder::new(octets), octets.len()) {
            Ok(inner) => self.any(&Where { depth: at.depth.saturating_add(1), ..at.clone() }, &inner),
            Err(reason) => self.lost(at, reason),
        }
    }

    fn zip(&mut self, at: &Where, octets: &[u8]) {
        let mut archive = match ZipArchive::new(Cursor::new(octets)) {
            Ok(archive) => archive,
            Err(_) => return self.lost(at, "the zip archive is damaged"),
        };
        if archive.len() > PARTS {
            self.lost(at, format!("only the first {PARTS} files of the archive are read"));
        }
        let mut left = REPORT_OCTETS;
        for index in 0..archive.len().min(PARTS) {
            let Ok(member) = archive.by_index(index) else {
                self.lost(at, format!("file {} of the archive cannot be unpacked", index.saturating_add(1)));
                continue;
            };
            if member.is_dir() {
                continue;
            }
            let name =
                member.name().map_or_else(|_| format!("file {}", index.saturating_add(1)), |name| name.into_owned());
            let inside = at.inside(&name);
            let packed = usize::try_from(member.compressed_size()).unwrap_or(usize::MAX);
            match unpacked(member.take(left.saturating_add(1)), packed.min(octets.len())) {
                Ok(inner) => {
                    left = left.saturating_sub(inner.len() as u64);
                    self.any(&inside, &inner);
                }
                Err(reason) => self.lost(&inside, reason),
            }
            if left == 0 {
                return self.lost(at, too_large());
            }
        }
    }

    fn mbox(&mut self, at: &Where, octets: &[u8]) {
        for (index, message) in MessageIterator::new(Cursor::new(octets)).enumerate() {
            let inside = at.inside(&format!("message {}", index.saturating_add(1)));
            match message {
                Ok(message) => self.mail(&Where { file_name: None, ..inside }, message.contents()),
                Err(_) => return self.lost(&inside, "the mailbox is damaged here"),
            }
        }
    }

    fn mail(&mut self, at: &Where, octets: &[u8]) {
        let Some(message) = MessageParser::default().parse(octets) else {
            return self.lost(at, "it is not a mail that can be read");
        };
        let before = self.unpacked.found.len();
        let at = Where { mail: Some(origin(&message)), depth: at.depth.saturating_add(1), ..at.clone() };
        let lost = self.unpacked.lost.len();
        self.parts(&at, &message, 0);
        if self.unpacked.found.len() == before && self.unpacked.lost.len() == lost {
            self.lost(&at, "the mail has no TLS report in it");
        }
    }

    fn parts(&mut self, at: &Where, message: &Message<'_>, forwarded: usize) {
        if message.parts.len() > PARTS {
            self.lost(at, format!("only the first {PARTS} parts of the mail are read"));
        }
        for part in message.parts.iter().take(PARTS) {
            let media_type = part.content_type().map(|kind| match kind.subtype() {
                Some(subtype) => format!("{}/{subtype}", kind.ctype()).to_ascii_lowercase(),
                None => kind.ctype().to_ascii_lowercase(),
            });
            let name = part.attachment_name().map(str::to_owned);
            let declared = media_type.as_deref().is_some_and(|kind| kind.starts_with("application/tlsrpt"));
            let octets: Cow<'_, [u8]> = match &part.body {
                PartType::Binary(octets) | PartType::InlineBinary(octets) => Cow::Borrowed(octets),
                PartType::Text(text) | PartType::Html(text) => Cow::Borrowed(text.as_bytes()),
                PartType::Message(inner) if forwarded < FORWARDED => {
                    self.parts(at, inner, forwarded.saturating_add(1));
                    continue;
                }
                PartType::Message(_) => {
                    self.lost(at, format!("the mail was forwarded in more than {FORWARDED} others"));
                    continue;
                }
                PartType::Multipart(_) => continue,
            };
            // The end of a mail may be lost, and with it the end of the last part.
            let octets =
                if part.is_encoding_problem { decoded_again(&octets).map_or(octets, Cow::Owned) } else { octets };
            // What is neither declared as a report nor looks like one is the mail's text or its decoration.
            let looks = matches!(Kind::of(&octets), Kind::Gzip | Kind::Zip)
                || (Kind::of(&octets) == Kind::Json && mentions_policies(&octets));
            if !declared && !looks {
                continue;
            }
            let inside = at.inside(name.as_deref().unwrap_or("attachment"));
            self.any(&Where { file_name: name, media_type, ..inside }, &octets);
        }
    }
}

/// Each of several JSON values that follow one another, or are the elements of a list; nothing where it is one value, or
/// not JSON. A line that is not JSON, among others that are, is one of them: it costs nobody else's report.
fn several(octets: &[u8]) -> Vec<&[u8]> {
    let text = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets);
    let inside = text.trim_ascii().strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]"));
    let mut values = Vec::new();
    let mut reports = 0_usize;
    let mut rest = inside.unwrap_or(text).trim_ascii_start();
    while !rest.is_empty() {
        let (value, after) = match value_in_front(rest) {
            Some((value, after)) => {
                reports = reports.saturating_add(usize::from(mentions_policies(value)));
                (value, after)
            }
            None if inside.is_some() => return Vec::new(),
            None => up_to_the_next_object(rest),
        };
        values.push(value);
        rest = after.trim_ascii_start();
        if inside.is_some() && !rest.is_empty() {
            let Some(next) = rest.strip_prefix(b",") else { return Vec::new() };
            rest = next.trim_ascii_start();
        }
    }
    // A list of one is odd, and told with the report; so is one report that is damaged.
    if values.len() > 1 && reports > 0 { values } else { Vec::new() }
}

/// The JSON object that octets begin with, and what follows it.
fn value_in_front(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut stream = serde_json::Deserializer::from_slice(octets).into_iter::<IgnoredAny>();
    let is_object = octets.starts_with(b"{") && matches!(stream.next(), Some(Ok(_)));
    is_object.then(|| octets.split_at_checked(stream.byte_offset())).flatten()
}

fn up_to_the_next_object(octets: &[u8]) -> (&[u8], &[u8]) {
    let next = octets.windows(2).position(|two| two == b"\n{").map(|place| place.saturating_add(1));
    next.and_then(|next| octets.split_at_checked(next)).unwrap_or((octets, &[]))
}

/// Octets in base64 that a mail reader gave up on; `None` where they are not.
fn decoded_again(octets: &[u8]) -> Option<Vec<u8>> {
    let indifferent = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let mut letters: Vec<u8> = octets.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    // A last letter alone holds no octet.
    if letters.len() % 4 == 1 {
        letters.pop();
    }
    GeneralPurpose::new(&alphabet::STANDARD, indifferent).decode(letters).ok().filter(|octets| !octets.is_empty())
}

/// Whether JSON is a report rather than something else that a mail carries.
fn mentions_policies(octets: &[u8]) -> bool {
    let wanted = b"\"policies\"";
    octets.windows(wanted.len()).any(|window| window == wanted)
}

fn too_large() -> String {
    format!("it has more than {} MiB, which no report has", REPORT_OCTETS / (1024 * 1024))
}

/// Unpacks within the limits: of size, and of what so few octets can honestly become.
fn unpacked(packed: impl Read, size: usize) -> Result<Vec<u8>, String> {
    let most = REPORT_OCTETS.min((size as u64).saturating_mul(RATIO).max(1024 * 1024));
    let mut octets = Vec::new();
    let read = packed.take(most.saturating_add(1)).read_to_end(&mut octets);
    if octets.len() as u64 > most {
        return Err(format!(
            "unpacked it has more than {} KiB, out of {} KiB: it is not unpacked",
            most / 1024,
            size / 1024
        ));
    }
    match read {
        // A report whose last octets are lost, or that has other octets after it, is judged by its JSON.
        Err(_) if octets.is_empty() => Err("what is packed is damaged".to_owned()),
        _ => Ok(octets),
    }
}

fn origin(message: &Message<'_>) -> MailOrigin {
    let text = |name: &'static str| match message.header(name) {
        Some(HeaderValue::Text(text)) => Some(escape(text.trim())),
        _ => None,
    };
    // "Report Domain: example.com Submitter: …" (RFC 8460 §5.3); some write it without the colons.
    let in_subject = || {
        let words: Vec<&str> = message.subject()?.split_whitespace().collect();
        let at = words.iter().position(|word| word.trim_end_matches(':').eq_ignore_ascii_case("domain"))?;
        words.get(at.saturating_add(1)).filter(|word| word.contains('.')).map(|word| escape(word))
    };
    let from = message.from().and_then(|from| from.first()).and_then(|from| from.address()).map(escape);
    MailOrigin {
        from,
        report_domain: text("TLS-Report-Domain").or_else(in_subject),
        submitter: text("TLS-Report-Submitter"),
    }
}
