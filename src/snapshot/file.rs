//! Snapshots in files: YAML, JSON, and JSON Lines (many in one file, one per line).

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use miette::Diagnostic;
use serde::Deserialize;
use thiserror::Error;

use super::bounded::{MAX_NAME, MAX_NODES};
use super::{SNAPSHOT_VERSION, Snapshot};
use crate::files::{self, FileError};
use crate::source_text::told_apart::FileKind;
use crate::source_text::{self, SourceError};

/// The size of one snapshot that is still read, in octets.
pub const MAX_SNAPSHOT_OCTETS: u64 = 16 << 20;

/// A format of snapshot files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Format {
    /// One JSON document.
    Json,
    /// One JSON document a line.
    JsonLines,
    /// One YAML document.
    Yaml,
}

impl Format {
    /// The format that a file's extension tells: `.json`, `.jsonl`/`.ndjson`, `.yaml`/`.yml`.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "json" => Some(Format::Json),
            "jsonl" | "ndjson" => Some(Format::JsonLines),
            "yaml" | "yml" => Some(Format::Yaml),
            _ => None,
        }
    }
}

/// Why a snapshot could not be read.
#[derive(Debug, Diagnostic, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file could not be read at all.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// What is in it is not a snapshot.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Text(#[from] Box<SourceError>),
    /// There is nothing in it.
    #[error("{name} is empty: there is no snapshot in it")]
    #[diagnostic(code(stslint::snapshot), help("`stslint collect DOMAIN -o FILE` writes one"))]
    Empty {
        /// The file's name.
        name: String,
    },
}

/// Why a snapshot could not be written.
#[derive(Debug, Diagnostic, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The file could not be written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// The snapshot could not be put into text.
    #[error("the snapshot cannot be written as text: {0}")]
    Text(String),
}

/// Reads the snapshots of a file, or of standard input for `-`.
///
/// YAML and JSON files hold one; of JSON Lines each line is read by itself, so that a damaged one does
/// not hide the others, and only one line at a time is in memory.
pub fn read(path: &Path) -> Box<dyn Iterator<Item = Result<Snapshot, ReadError>>> {
    let name = path.display().to_string();
    if Format::of(path) == Some(Format::JsonLines) {
        return match files::open(path) {
            Ok(file) => Box::new(Lines { name, reader: BufReader::new(file), number: 0, any: false, ended: false }),
            Err(error) => Box::new(std::iter::once(Err(error.into()))),
        };
    }
    let snapshot = files::read_text(path, MAX_SNAPSHOT_OCTETS)
        .map_err(ReadError::from)
        .and_then(|text| parse(&name, &text, Format::of(path)));
    Box::new(std::iter::once(snapshot))
}

/// Reads one snapshot from text; without a format, text that begins with `{` is JSON.
pub fn parse(name: &str, text: &str, format: Option<Format>) -> Result<Snapshot, ReadError> {
    if text.trim().is_empty() {
        return Err(ReadError::Empty { name: source_text::printable(name) });
    }
    let json = match format {
        Some(format) => format != Format::Yaml,
        None => text.trim_start().starts_with('{'),
    };
    let read =
        if json { source_text::from_json(name, text) } else { source_text::from_yaml_with(name, text, yaml_options()) };
    // A newer format fails on a field that is unknown here; its version is the better thing to say.
    if let Some(version) = version_of(text, json).filter(|version| *version != u64::from(SNAPSHOT_VERSION)) {
        return Err(wrong_version(name, text, version).into());
    }
    let snapshot: Snapshot = read.map_err(|error| match FileKind::Snapshot.instead(name, text) {
        Some(other) => Box::new(other),
        None => error,
    })?;
    match snapshot.domain {
        Some(ref domain) if domain.len() > MAX_NAME => {
            let offset = text.find("domain").unwrap_or_default();
            let said = format!("the domain has more than {MAX_NAME} octets: it is not a DNS name");
            Err(Box::new(SourceError::new(name, text, Some((offset, "domain".len())), said)).into())
        }
        Some(ref domain) if !domain.trim().is_empty() => Ok(snapshot),
        _ => Err(Box::new(
            SourceError::new(name, text, Some((0, 1)), "the key `domain` is missing, or empty")
                .with_help(Some("write the domain that was observed, for example `domain: example.com`".to_owned())),
        )
        .into()),
    }
}

/// The snapshot as text: JSON Lines without a line ending inside, JSON indented, else YAML. Nothing in it is obeyed by a
/// terminal, or by a runner of CI jobs that has it in its log.
pub fn to_text(snapshot: &Snapshot, format: Format) -> Result<String, WriteError> {
    let text = match format {
        Format::Json => source_text::json(snapshot).map_err(|error| error.to_string()),
        Format::JsonLines => source_text::json_line(snapshot).map_err(|error| error.to_string()),
        Format::Yaml => source_text::yaml(snapshot),
    };
    let mut text = text.map_err(WriteError::Text)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// Writes a snapshot whole or not at all, in the format of the file's extension (else YAML).
pub fn write(snapshot: &Snapshot, path: &Path) -> Result<(), WriteError> {
    let text = to_text(snapshot, Format::of(path).unwrap_or(Format::Yaml))?;
    Ok(files::write_whole(path, text.as_bytes())?)
}

/// The YAML of files, with as many nodes as `collect` may write.
fn yaml_options() -> serde_yaml::Options {
    let mut options = source_text::yaml_options();
    options.budget.get_or_insert_default().max_nodes = MAX_NODES;
    options
}

#[derive(Deserialize)]
struct Version {
    snapshot: u64,
}

fn version_of(text: &str, json: bool) -> Option<u64> {
    let version = if json {
        serde_json::from_str::<Version>(text).ok()
    } else {
        // Only one line is looked at: a whole YAML document would be read twice.
        text.lines()
            .find_map(|line| line.strip_prefix("snapshot:"))
            .and_then(|value| value.split('#').next())
            .and_then(|value| value.trim().parse().ok())
            .map(|snapshot| Version { snapshot })
    };
    version.map(|version| version.snapshot)
}

fn wrong_version(name: &str, text: &str, version: u64) -> Box<SourceError> {
    let offset = text.find("snapshot").unwrap_or_default();
    let error = SourceError::new(
        name,
        text,
        Some((offset, "snapshot".len())),
        format!("this snapshot has version {version}; this program reads version {SNAPSHOT_VERSION}"),
    );
    Box::new(error.with_help(Some("use the stslint that wrote it, or collect again".to_owned())))
}

struct Lines<R> {
    name: String,
    reader: BufReader<R>,
    number: usize,
    /// Whether a line held anything.
    any: bool,
    ended: bool,
}

impl<R: Read> Iterator for Lines<R> {
    type Item = Result<Snapshot, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let mut line = Vec::new();
            let read = self.reader.by_ref().take(MAX_SNAPSHOT_OCTETS + 1).read_until(b'\n', &mut line);
            self.number = self.number.saturating_add(1);
            let name = format!("{}, line {}", self.name, self.number);
            match read {
                Ok(0) => {
                    self.ended = true;
                    if !self.any {
                        return Some(Err(ReadError::Empty { name: source_text::printable(&self.name) }));
                    }
                }
                Ok(octets) if octets as u64 > MAX_SNAPSHOT_OCTETS => {
                    self.ended = true;
                    return Some(Err(FileError::TooLarge { path: name.into(), limit: MAX_SNAPSHOT_OCTETS }.into()));
                }
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => {
                    self.any = true;
                    return Some(parse_line(&name, &line));
                }
                Err(reason) => {
                    self.ended = true;
                    return Some(Err(FileError::Io { action: "read", path: name.into(), reason }.into()));
                }
            }
        }
        None
    }
}

fn parse_line(name: &str, line: &[u8]) -> Result<Snapshot, ReadError> {
    let text = std::str::from_utf8(line).map_err(|error| FileError::NotUtf8 {
        path: name.into(),
        offset: error.valid_up_to(),
        line: None,
        octet: line.get(error.valid_up_to()).copied().unwrap_or_default(),
    })?;
    parse(name, text.trim_end(), Some(Format::JsonLines))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::{Lookup, Octets, Policy, TxtRecord};

    fn snapshot_of(body: &[u8], strings: &[Vec<u8>]) -> Snapshot {
        let records = vec![TxtRecord { strings: strings.iter().map(|s| Octets(s.clone())).collect() }];
        Snapshot {
            policy: Some(Some(Policy { body: Octets(body.to_vec()), ..Policy::default() })),
            record: Some(Lookup::answer(None, records)),
            ..Snapshot::of(Some("example.com"))
        }
    }

    proptest! {
        #[test]
        fn every_body_and_string_survives_every_format(body: Vec<u8>, strings: Vec<Vec<u8>>) {
            let snapshot = snapshot_of(&body, &strings);
            for format in [Format::Json, Format::JsonLines, Format::Yaml] {
                let text = to_text(&snapshot, format).unwrap();
                let back = parse("test", &text, Some(format)).unwrap();
                prop_assert_eq!(&back, &snapshot, "{}", text);
            }
        }

        #[test]
        fn text_with_line_ends_survives_every_format(body in "[ -~\r\n\t:#'\"é\u{85}\u{2028}\u{feff}]{0,60}") {
            let snapshot = snapshot_of(body.as_bytes(), &[]);
            for format in [Format::Json, Format::JsonLines, Format::Yaml] {
                let text = to_text(&snapshot, format).unwrap();
                let back = parse("test", &text, Some(format)).unwrap();
                prop_assert_eq!(&back, &snapshot, "{}", text);
            }
        }
    }

    #[test]
    fn nothing_in_a_snapshot_is_obeyed_by_a_terminal() {
        let hostile = "a\x1b[2J\u{9b}31m\u{202e}\u{2028}\u{feff}\u{e0041}\x07##vso[task]\0";
        let snapshot = snapshot_of(hostile.as_bytes(), &[hostile.as_bytes().to_vec()]);
        for format in [Format::Json, Format::JsonLines, Format::Yaml] {
            let text = to_text(&snapshot, format).unwrap();
            assert!(text.chars().all(|c| c == '\n' || !(c.is_control() || source_text::is_unseen(c))), "{text:?}");
            assert_eq!(parse("test", &text, Some(format)).unwrap(), snapshot, "{text}");
        }
    }

    #[test]
    fn the_three_states_of_the_policy_are_told_apart() {
        let read = |text: &str| parse("test", text, None).unwrap().policy;
        assert_eq!(read("snapshot: 1\ndomain: example.com\n"), None);
        assert_eq!(read("snapshot: 1\ndomain: example.com\npolicy: null\n"), Some(None));
        assert!(matches!(read(r#"{"snapshot":1,"domain":"a.example","policy":{"body":"x"}}"#), Some(Some(_))));
    }

    #[test]
    fn another_version_is_named_before_its_unknown_fields() {
        let error = parse("a.yaml", "snapshot: 7\ndomain: a.example\nfuture: 1\n", None).unwrap_err();
        assert_eq!(error.to_string(), "this snapshot has version 7; this program reads version 1");
    }

    #[test]
    fn a_damaged_line_does_not_hide_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("many.jsonl");
        let lines =
            "{\"snapshot\":1,\"domain\":\"a.example\"}\n\n{\"snapshot\":1,\n{\"snapshot\":1,\"domain\":\"b.example\"}";
        crate::files::write_whole(&path, lines.as_bytes()).unwrap();
        let read: Vec<_> = read(&path).collect();
        assert_eq!(read.len(), 3);
        assert_eq!(read[2].as_ref().unwrap().domain.as_deref(), Some("b.example"));
        assert!(read[1].is_err());
    }

    #[test]
    fn missing_and_unknown_keys_are_errors_with_a_place() {
        for (text, message) in [
            ("snapshot: 1\n", "the key `domain` is missing, or empty"),
            ("snapshot: 1\ndomain: a.example\nrecrod: null\n", "unknown key `recrod`"),
            ("domain: a.example\n", "the key `snapshot` is missing"),
            ("snapshot: 1\ndomain: [a]\n", ""),
            ("snapshot: 1\ndomain: a.example\nmx: {outcome: maybe}\n", "unknown value `maybe`"),
        ] {
            let error = parse("a.yaml", text, None).unwrap_err();
            assert!(error.to_string().contains(message), "{text}: {error}");
            let ReadError::Text(error) = error else { panic!("{text}") };
            assert!(error.at.is_some(), "{text}");
        }
    }
}
