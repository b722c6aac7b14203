//! The files of `stslint diff`: reports as JSON or JSON Lines, and snapshots, which are linted on their way in.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use jiff::Timestamp;
use miette::Report as Error;

use crate::config::{InForce, utc_day};
use crate::facts::Facts;
use crate::files::{self, FileError};
use crate::rules::evaluate;
use crate::runs::{Document, Entry, Line};
use crate::snapshot::{self, Format, Snapshot};
use crate::source_text::{self, SourceError};

/// The longest line that is read, in octets.
const MAX_LINE: u64 = 64 << 20;
/// The largest document that is read, in octets.
const MAX_DOCUMENT: u64 = 1 << 30;

/// What a file gives, one at a time.
#[derive(Debug)]
pub enum Item {
    /// What is compared of one report.
    Entry(Entry),
    /// A snapshot, not linted yet.
    Snapshot(Box<Snapshot>),
    /// A version of stslint that wrote the file.
    Version(String),
}

/// Reads a file; what could not be read of it is an error of its own and hides nothing else.
pub fn read(path: &Path, take: &mut dyn FnMut(Result<Item, Error>)) {
    if Format::of(path) == Some(Format::Yaml) {
        return snapshot::read(path).for_each(|read| take(as_item(read)));
    }
    let name = path.display().to_string();
    let mut reader = match files::open(path) {
        Ok(file) => BufReader::new(file),
        Err(error) => return take(Err(error.into())),
    };
    let mut first = Vec::new();
    match next_line(&mut reader, path, &mut first) {
        Ok(false) => return take(Err(snapshot::ReadError::Empty { name: source_text::printable(&name) }.into())),
        Ok(true) => {}
        Err(error) => return take(Err(error.into())),
    }
    let is_line =
        Format::of(path) == Some(Format::JsonLines) || serde_json::from_slice::<serde::de::IgnoredAny>(&first).is_ok();
    if is_line { lines(&name, path, first, &mut reader, take) } else { document(&name, path, first, &mut reader, take) }
}

fn as_item(read: Result<Snapshot, snapshot::ReadError>) -> Result<Item, Error> {
    Ok(Item::Snapshot(Box::new(read?)))
}

/// Reads the next line that holds something; `false` where there is none.
fn next_line(reader: &mut impl BufRead, path: &Path, line: &mut Vec<u8>) -> Result<bool, FileError> {
    line.clear();
    let read = reader.take(MAX_LINE.saturating_add(1)).read_until(b'\n', line);
    match read {
        Ok(0) => Ok(false),
        Ok(octets) if octets as u64 > MAX_LINE => Err(FileError::TooLarge { path: path.to_owned(), limit: MAX_LINE }),
        Ok(_) => Ok(true),
        Err(reason) => Err(FileError::Io { action: "read", path: path.to_owned(), reason }),
    }
}

fn lines(
    name: &str,
    path: &Path,
    first: Vec<u8>,
    reader: &mut impl BufRead,
    take: &mut dyn FnMut(Result<Item, Error>),
) {
    let (mut line, mut number, mut version) = (first, 1_usize, String::new());
    loop {
        if !line.trim_ascii().is_empty() {
            let read = one_line(&format!("{name}, line {number}"), &line, &mut version, take);
            take(read);
        }
        number = number.saturating_add(1);
        match next_line(reader, path, &mut line) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return take(Err(error.into())),
        }
    }
}

fn one_line(
    name: &str,
    line: &[u8],
    version: &mut String,
    take: &mut dyn FnMut(Result<Item, Error>),
) -> Result<Item, Error> {
    let text = utf8(name, line)?.trim_end();
    let read: Line = source_text::from_json(name, text).map_err(|error| Error::from(*error))?;
    if read.is_snapshot() {
        return as_item(snapshot::parse(name, text, Some(Format::JsonLines)));
    }
    if let Some(wrote) = read.version().filter(|wrote| wrote != version) {
        wrote.clone_into(version);
        take(Ok(Item::Version(wrote.to_owned())));
    }
    read.entry().map(Item::Entry).map_err(|reason| not_a_report(name, text, reason))
}

fn document(
    name: &str,
    path: &Path,
    mut octets: Vec<u8>,
    reader: &mut impl Read,
    take: &mut dyn FnMut(Result<Item, Error>),
) {
    let rest = MAX_DOCUMENT.saturating_sub(octets.len() as u64).saturating_add(1);
    if let Err(reason) = reader.take(rest).read_to_end(&mut octets) {
        return take(Err(FileError::Io { action: "read", path: path.to_owned(), reason }.into()));
    }
    if octets.len() as u64 > MAX_DOCUMENT {
        return take(Err(FileError::TooLarge { path: path.to_owned(), limit: MAX_DOCUMENT }.into()));
    }
    let text = match utf8(name, &octets) {
        Ok(text) => text,
        Err(error) => return take(Err(error.into())),
    };
    if text.trim().is_empty() || !text.trim_start().starts_with('{') {
        return take(as_item(snapshot::parse(name, text, Format::of(path))));
    }
    let read = source_text::from_json::<Document>(name, text);
    let read = match read {
        Ok(read) if read.is_snapshot() => return take(as_item(snapshot::parse(name, text, Format::of(path)))),
        Ok(read) => read,
        Err(error) => return take(Err((*error).into())),
    };
    if let Some(version) = read.version() {
        take(Ok(Item::Version(version.to_owned())));
    }
    match read.entries() {
        Ok(entries) => {
            for entry in entries {
                take(entry.map(Item::Entry).map_err(|reason| not_a_report(name, text, reason)));
            }
        }
        Err(reason) => take(Err(not_a_report(name, text, reason))),
    }
}

fn utf8<'a>(name: &str, octets: &'a [u8]) -> Result<&'a str, FileError> {
    std::str::from_utf8(octets).map_err(|error| FileError::NotUtf8 {
        path: name.into(),
        offset: error.valid_up_to(),
        line: None,
        octet: octets.get(error.valid_up_to()).copied().unwrap_or_default(),
    })
}

fn not_a_report(name: &str, text: &str, reason: String) -> Error {
    let help =
        "give what `stslint check --format json` or `--format jsonl` wrote, or snapshots that `stslint collect` wrote";
    SourceError::new(name, text, Some((0, 1)), reason).with_help(Some(help.to_owned())).into()
}

/// What is compared of a snapshot, judged by the rules that are in force.
pub fn linted(snapshot: &Snapshot, in_force: &InForce) -> Entry {
    let (settled, membership) = in_force.for_domain(snapshot.domain.as_deref());
    let rules = settled.as_ref().map_or(&in_force.rules, |settled| &settled.rules);
    let facts = Facts::of(snapshot, None).with_membership(&membership.tags, &membership.groups);
    let mut report = evaluate(rules, &facts).report;
    in_force.ignores.apply(&mut report, utc_day(Timestamp::now()), &mut Vec::new());
    Entry::of(&report)
}
