//! What a line of the input says: a domain, nothing, or something that is wrong. Lines are names, rows of CSV with a column
//! that is named, or objects of JSON. Used by `pipeline`; no line is an error of the run.

use std::borrow::Cow;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use thiserror::Error;

use super::lines::{Line, MAX_LINE};
use crate::grammar::names::DomainName;
use crate::source_text::escape;

/// How many characters of a line are repeated in its answer.
const SHOWN: usize = 300;
/// The field of a JSON object that holds the domain, where none is named.
const FIELD: &str = "domain";
/// How many columns a row may have.
const MAX_COLUMNS: usize = 4_096;

/// What a line says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The number of the line, from 1.
    pub line: u64,
    /// The text of the domain as it is written, or the beginning of a line that has none.
    pub text: String,
    /// What it means.
    pub meaning: Meaning,
}

/// What a line means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Meaning {
    /// The line is empty.
    Blank,
    /// It begins with `#`.
    Comment,
    /// A domain to look at.
    Domain(DomainName),
    /// The line names no domain; why, in one sentence.
    Wrong(String),
}

/// How lines are read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Layout {
    /// A name a line, or a JSON object with the field `domain`.
    Names,
    /// JSON objects with this field.
    Json(String),
    /// Rows of CSV; which column, from 0, and what separates columns.
    Csv {
        /// The column.
        column: usize,
        /// The separator.
        separator: u8,
    },
}

/// A column that the first line does not have.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("the input has no column `{column}`: its first line has {found}")]
pub struct NoColumn {
    column: String,
    found: String,
}

impl Layout {
    /// The layout where a column is named, by the first line: that is the header of CSV, unless it is a JSON object or the
    /// column is a number. Says too whether the line is a header, and so has no answer.
    pub fn of(column: Option<&str>, first: &[u8]) -> Result<(Self, bool), NoColumn> {
        let Some(column) = column else { return Ok((Layout::Names, false)) };
        if first.trim_ascii_start().starts_with(b"{") {
            return Ok((Layout::Json(column.to_owned()), false));
        }
        let separator = [b'\t', b';'].into_iter().find(|separator| first.contains(separator) && !first.contains(&b','));
        let separator = separator.unwrap_or(b',');
        if let Some(number) = column.parse::<usize>().ok().filter(|number| (1..=MAX_COLUMNS).contains(number)) {
            return Ok((Layout::Csv { column: number.saturating_sub(1), separator }, false));
        }
        let names = fields(first, separator).unwrap_or_default();
        let same = |name: &String| name.trim().eq_ignore_ascii_case(column.trim());
        match names.iter().position(same) {
            Some(column) => Ok((Layout::Csv { column, separator }, true)),
            None => {
                let found: Vec<String> = names.iter().take(12).map(|name| format!("`{}`", shown(name))).collect();
                Err(NoColumn { column: escape(column), found: found.join(", ") })
            }
        }
    }

    /// Reads a line.
    pub fn read(&self, line: &Line) -> Entry {
        let whole = String::from_utf8_lossy(&line.octets);
        let entry = |text: &str, meaning| Entry { line: line.number, text: shown(text), meaning };
        if line.is_too_long {
            return entry(&whole, Meaning::Wrong(format!("the line has more than {MAX_LINE} octets")));
        }
        let text = match (std::str::from_utf8(&line.octets), self) {
            (Ok(text), _) => text,
            (Err(error), _) => {
                let octet = error.valid_up_to().saturating_add(1);
                return entry(&whole, Meaning::Wrong(format!("the line is not UTF-8 text: octet {octet} is wrong")));
            }
        };
        match text.trim() {
            "" => return entry("", Meaning::Blank),
            trimmed if trimmed.starts_with('#') => return entry(trimmed, Meaning::Comment),
            _ => {}
        }
        match self.name(text) {
            Err(why) => entry(text, Meaning::Wrong(why)),
            Ok(name) => {
                let name = name.trim();
                match DomainName::parse(name) {
                    // The whole of it, so that it can be joined with what the line came from.
                    Ok(domain) => Entry { line: line.number, text: name.to_owned(), meaning: Meaning::Domain(domain) },
                    Err(error) => entry(name, Meaning::Wrong(error.to_string())),
                }
            }
        }
    }

    /// The text of the domain in a line.
    fn name<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, String> {
        match self {
            Layout::Names if text.trim_start().starts_with('{') => of_json(text, FIELD).map(Cow::Owned),
            Layout::Names => {
                let name = text.split('#').next().unwrap_or_default().trim();
                match name.split_whitespace().nth(1) {
                    Some(_) => Err("the line has more than one word: write one domain, or name a column".to_owned()),
                    None => Ok(Cow::Borrowed(name)),
                }
            }
            Layout::Json(field) => of_json(text, field).map(Cow::Owned),
            Layout::Csv { column, separator } => {
                let fields = fields(text.as_bytes(), *separator).ok_or("a quoted field does not end on its line")?;
                let number = column.saturating_add(1);
                let field = fields.into_iter().nth(*column).ok_or(format!("the row has no column {number}"))?;
                Ok(Cow::Owned(field))
            }
        }
    }
}

fn of_json(text: &str, field: &str) -> Result<String, String> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text)
        .map_err(|error| format!("the line is not a JSON object: column {} is wrong", error.column()))?;
    match object.get(field) {
        Some(serde_json::Value::String(name)) => Ok(name.clone()),
        Some(_) => Err(format!("the field `{}` is not a text", escape(field))),
        None => Err(format!("the object has no field `{}`", escape(field))),
    }
}

/// The fields of a row (RFC 4180); `None` where a quoted field does not end.
fn fields(row: &[u8], separator: u8) -> Option<Vec<String>> {
    let mut reader: Reader = ReaderBuilder::new().delimiter(separator).build();
    let (mut octets, mut ends) = (vec![0; row.len().saturating_add(1)], vec![0; MAX_COLUMNS]);
    let (result, _, written, count) = reader.read_record(row, &mut octets, &mut ends);
    // Without a line ending the row goes on until the reader hears that there is no more.
    let (written, count) = match result {
        ReadRecordResult::InputEmpty => {
            // A field that is still quoted ends there all the same, so that its quotes are counted.
            let quotes = row.iter().filter(|octet| **octet == b'"').count();
            if quotes % 2 == 1 {
                return None;
            }
            let (rest, ends) = (octets.get_mut(written..)?, ends.get_mut(count..)?);
            let (_, _, more, fields) = reader.read_record(&[], rest, ends);
            (written.saturating_add(more), count.saturating_add(fields))
        }
        ReadRecordResult::Record => (written, count),
        ReadRecordResult::End => return Some(Vec::new()),
        ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => return None,
    };
    let octets = octets.get(..written)?;
    let mut begin = 0;
    let mut field = |end: &usize| {
        let field = octets.get(begin..*end)?;
        begin = *end;
        Some(String::from_utf8_lossy(field).into_owned())
    };
    ends.get(..count)?.iter().map(&mut field).collect()
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(layout: &Layout, text: &[u8]) -> Entry {
        layout.read(&Line { number: 7, octets: text.to_vec(), is_too_long: false })
    }

    fn domain(layout: &Layout, text: &str) -> (String, String) {
        match read(layout, text.as_bytes()) {
            Entry { text, meaning: Meaning::Domain(domain), .. } => (text, domain.as_str().to_owned()),
            other => (other.text, format!("{:?}", other.meaning)),
        }
    }

    fn wrong(layout: &Layout, text: &[u8]) -> String {
        match read(layout, text).meaning {
            Meaning::Wrong(why) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_line_is_a_name_a_row_or_an_object() {
        let pair = |text: &str, domain: &str| (text.to_owned(), domain.to_owned());
        assert_eq!(domain(&Layout::Names, " Example.COM # ours"), pair("Example.COM", "example.com"));
        assert_eq!(domain(&Layout::Names, r#"{"n": 1, "domain": "a.example"}"#), pair("a.example", "a.example"));
        let (csv, header) = Layout::of(Some("Host"), b"rank,host,note").unwrap();
        assert_eq!((&csv, header), (&Layout::Csv { column: 1, separator: b',' }, true));
        assert_eq!(domain(&csv, "1,a.example,\"x, y\""), pair("a.example", "a.example"));
        assert_eq!(domain(&csv, "1,\"b.example\""), pair("b.example", "b.example"));
        let (tabs, header) = Layout::of(Some("2"), b"1\tc.example").unwrap();
        assert!(!header);
        assert_eq!(domain(&tabs, "1\tc.example"), pair("c.example", "c.example"));
        let (json, header) = Layout::of(Some("mail"), b" {\"mail\": \"d.example\"}").unwrap();
        assert!(!header);
        assert_eq!(domain(&json, r#"{"mail": "d.example"}"#), pair("d.example", "d.example"));
    }

    #[test]
    fn what_is_wrong_of_a_line_is_said() {
        assert_eq!(read(&Layout::Names, b" \t").meaning, Meaning::Blank);
        assert_eq!(read(&Layout::Names, b" # x").meaning, Meaning::Comment);
        assert!(wrong(&Layout::Names, b"a.example b.example").contains("more than one word"));
        assert!(wrong(&Layout::Names, b"a..example").contains("empty label"));
        assert!(wrong(&Layout::Names, b"a\xff.example").contains("octet 2"));
        assert!(wrong(&Layout::Names, b"{").contains("not a JSON object"));
        assert!(wrong(&Layout::Names, b"{\"domain\": 7}").contains("not a text"));
        let csv = Layout::Csv { column: 2, separator: b',' };
        assert!(wrong(&csv, b"a,b").contains("no column 3"));
        assert!(wrong(&csv, b"a,b,\"c.example").contains("quoted"));
        let error = Layout::of(Some("host"), b"rank,name").unwrap_err();
        assert_eq!(error.to_string(), "the input has no column `host`: its first line has `rank`, `name`");
    }
}
