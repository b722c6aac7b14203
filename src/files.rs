//! Files, read within a limit and written whole: used wherever a path comes from a user.
//!
//! A reader never takes more than its limit into memory, and a writer never leaves half a file behind:
//! the text goes into a temporary file beside the target, which is then renamed over it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// Why a file could not be read or written.
#[derive(Debug, Diagnostic, Error)]
pub enum FileError {
    /// The path names a directory.
    #[error("{} is a directory, not a file", path.display())]
    #[diagnostic(code(stslint::file), help("name the file itself"))]
    Directory {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    #[diagnostic(code(stslint::file))]
    Io {
        /// What was tried: `read` or `write`.
        action: &'static str,
        /// The path as it was given.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is larger than anything sensible.
    #[error("{} has more than {limit} octets", path.display())]
    #[diagnostic(code(stslint::file), help("is this the right file?"))]
    TooLarge {
        /// The path as it was given.
        path: PathBuf,
        /// The limit in octets.
        limit: u64,
    },
    /// The file is not UTF-8 text.
    #[error("{} is not UTF-8 text: octet {offset} (0x{octet:02X}) cannot stand there", path.display())]
    #[diagnostic(code(stslint::file), help("save the file as UTF-8"))]
    NotUtf8 {
        /// The path as it was given.
        path: PathBuf,
        /// Where the first wrong octet is, counted from 0.
        offset: usize,
        /// The octet.
        octet: u8,
    },
}

/// Reads a file, or standard input for `-`, of at most `limit` octets.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let mut octets = Vec::new();
    // One octet more than allowed tells "just at the limit" from "beyond it".
    open(path)?.take(limit.saturating_add(1)).read_to_end(&mut octets).map_err(|source| FileError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    match octets.len() as u64 > limit {
        true => Err(FileError::TooLarge { path: path.to_owned(), limit }),
        false => Ok(octets),
    }
}

/// Reads a UTF-8 text file, or standard input for `-`, of at most `limit` octets.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    let octets = read_bounded(path, limit)?;
    String::from_utf8(octets).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let octet = error.as_bytes().get(offset).copied().unwrap_or_default();
        FileError::NotUtf8 { path: path.to_owned(), offset, octet }
    })
}

/// Opens a file for reading, or standard input for `-`.
pub fn open(path: &Path) -> Result<Box<dyn Read>, FileError> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    if path.is_dir() {
        return Err(FileError::Directory { path: path.to_owned() });
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(source) => Err(FileError::Io { action: "read", path: path.to_owned(), source }),
    }
}

/// Writes a file whole or not at all: to a temporary file beside it, then renamed.
///
/// What is not a regular file (a terminal, a pipe, `/dev/stdout`) is written to directly, since a rename
/// would replace it.
pub fn write_whole(path: &Path, octets: &[u8]) -> Result<(), FileError> {
    let mut replacement = Replacement::begin(path)?;
    replacement.write(octets)?;
    replacement.finish()
}

/// A file that is written piece by piece and takes its place only when it is whole, as [`write_whole`] does.
/// Dropped before that, it leaves nothing behind.
pub struct Replacement {
    path: PathBuf,
    place: Place,
}

enum Place {
    Beside { file: tempfile::NamedTempFile, target: PathBuf },
    Itself(File),
}

impl Replacement {
    /// Begins a file that will stand at `path`.
    pub fn begin(path: &Path) -> Result<Self, FileError> {
        if path.is_dir() {
            return Err(FileError::Directory { path: path.to_owned() });
        }
        let place = match path.metadata() {
            Ok(metadata) if !metadata.is_file() => File::options().write(true).open(path).map(Place::Itself),
            _ => beside(path),
        };
        let place = place.map_err(|source| of_writing(path, source))?;
        Ok(Replacement { path: path.to_owned(), place })
    }

    /// Writes the next piece.
    pub fn write(&mut self, octets: &[u8]) -> Result<(), FileError> {
        let written = match &mut self.place {
            Place::Beside { file, .. } => file.write_all(octets),
            Place::Itself(file) => file.write_all(octets),
        };
        written.map_err(|source| of_writing(&self.path, source))
    }

    /// Puts the file into its place.
    pub fn finish(self) -> Result<(), FileError> {
        let finished = match self.place {
            Place::Beside { file, target } => {
                file.as_file().sync_all().and_then(|()| file.persist(&target).map(|_| ()).map_err(Into::into))
            }
            Place::Itself(_) => Ok(()),
        };
        finished.map_err(|source| of_writing(&self.path, source))
    }
}

fn of_writing(path: &Path, source: io::Error) -> FileError {
    FileError::Io { action: "write", path: path.to_owned(), source }
}

fn beside(path: &Path) -> io::Result<Place> {
    // A link stays a link: the file that it points to is replaced.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".stslint-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = target.metadata().map_or(0o666, |metadata| metadata.permissions().mode());
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    let file = builder.tempfile_in(folder)?;
    Ok(Place::Beside { file, target })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.txt");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(read_text(&path, 10).unwrap(), "two");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_not_finished_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.jsonl");
        write_whole(&path, b"old").unwrap();
        let mut replacement = Replacement::begin(&path).unwrap();
        replacement.write(b"new").unwrap();
        assert_eq!(read_text(&path, 10).unwrap(), "old");
        drop(replacement);
        assert_eq!((read_text(&path, 10).unwrap().as_str(), folder.path().read_dir().unwrap().count()), ("old", 1));
        let mut replacement = Replacement::begin(&path).unwrap();
        for piece in [b"a", b"b"] {
            replacement.write(piece).unwrap();
        }
        replacement.finish().unwrap();
        assert_eq!(read_text(&path, 10).unwrap(), "ab");
    }

    #[test]
    fn a_limit_a_directory_and_wrong_text_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.txt");
        write_whole(&path, b"ab\xffcd").unwrap();
        assert!(matches!(read_bounded(&path, 4), Err(FileError::TooLarge { limit: 4, .. })));
        assert_eq!(read_bounded(&path, 5).unwrap().len(), 5);
        assert!(matches!(read_text(&path, 9), Err(FileError::NotUtf8 { offset: 2, octet: 0xff, .. })));
        assert!(matches!(read_bounded(folder.path(), 9), Err(FileError::Directory { .. })));
        assert!(matches!(write_whole(folder.path(), b""), Err(FileError::Directory { .. })));
        assert!(matches!(read_bounded(&folder.path().join("no"), 9), Err(FileError::Io { .. })));
    }
}
