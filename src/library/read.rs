//! Recorded snapshots, from files and from memory.

use std::path::Path;

use super::Error;
use crate::snapshot::{self, Snapshot};
use crate::source_text::SourceError;

/// Reads the snapshot in a file (YAML or JSON, by its extension), as `stslint collect` writes it.
///
/// For JSON Lines, which hold many, see [`read_all`]: this reads the first.
pub fn read(path: impl AsRef<Path>) -> Result<Snapshot, Error> {
    let path = path.as_ref();
    match read_all(path).next() {
        Some(snapshot) => snapshot,
        None => Err(parse_named(&path.display().to_string(), "")),
    }
}

/// Reads every snapshot in a file, one at a time. A damaged line is an error of its own and hides no other.
pub fn read_all(path: impl AsRef<Path>) -> impl Iterator<Item = Result<Snapshot, Error>> {
    snapshot::read(path.as_ref()).map(|read| read.map_err(Error::of))
}

/// Reads a snapshot from text; JSON where it begins with `{`, YAML otherwise.
pub fn parse(text: &str) -> Result<Snapshot, Error> {
    snapshot::parse(NAME, text, None).map_err(Error::of)
}

/// Reads a snapshot from the octets of a file or a request, which must be UTF-8.
pub fn parse_bytes(octets: &[u8]) -> Result<Snapshot, Error> {
    match std::str::from_utf8(octets) {
        Ok(text) => parse(text),
        Err(error) => {
            let message = format!("the snapshot is not UTF-8: octet {} is wrong", error.valid_up_to());
            Err(Error::of(SourceError::new("", "", None, message)))
        }
    }
}

/// What messages call a snapshot that comes from memory.
const NAME: &str = "snapshot";

fn parse_named(name: &str, text: &str) -> Error {
    match snapshot::parse(name, text, None) {
        Err(error) => Error::of(error),
        Ok(_) => Error::of(SourceError::new("", "", None, "there is no snapshot in it")),
    }
}
