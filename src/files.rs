//! Files, read within a limit and written whole: used wherever a path comes from a user.
//!
//! A reader never takes more than its limit into memory, and a writer never leaves half a file behind:
//! the text goes into a temporary file beside the target, which is then renamed over it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use tempfile::NamedTempFile;
use thiserror::Error;

use crate::source_text::escape;

/// Why a file could not be read or written.
#[derive(Debug, Diagnostic, Error)]
pub enum FileError {
    /// The path names a directory.
    #[error("{} is a directory, not a file", shown(path))]
    #[diagnostic(code(stslint::file), help("name the file itself"))]
    Directory {
        /// The path as it was given.
        path: PathBuf,
    },
    /// There is a file already.
    #[error("{} exists already, and is kept as it is", shown(path))]
    #[diagnostic(code(stslint::file), help("name another file, or remove this one first"))]
    Exists {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", shown(path))]
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
    #[error("{} has more than {limit} octets", shown(path))]
    #[diagnostic(code(stslint::file), help("is this the right file?"))]
    TooLarge {
        /// The path as it was given.
        path: PathBuf,
        /// The limit in octets.
        limit: u64,
    },
    /// The file is not UTF-8 text.
    #[error("{} is not UTF-8 text: octet {offset} (0x{octet:02X}) cannot stand there", shown(path))]
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

/// A path as an error names it: whoever named the file may have put escape sequences into its name.
fn shown(path: &Path) -> String {
    escape(&path.display().to_string())
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
    if path.is_dir() {
        return Err(FileError::Directory { path: path.to_owned() });
    }
    let written = match path.metadata() {
        Ok(metadata) if !metadata.is_file() => write_directly(path, octets),
        _ => write_and_rename(path, octets),
    };
    written.map_err(|source| FileError::Io { action: "write", path: path.to_owned(), source })
}

fn write_directly(path: &Path, octets: &[u8]) -> io::Result<()> {
    File::options().write(true).open(path)?.write_all(octets)
}

/// Writes a file whole where there is none yet, and never over another.
pub fn write_new(path: &Path, octets: &[u8]) -> Result<(), FileError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists { path: path.to_owned() },
        _ => FileError::Io { action: "write", path: path.to_owned(), source },
    };
    let file = written_beside(path, octets).map_err(failed)?;
    file.persist_noclobber(path).map(drop).map_err(|error| failed(error.error))
}

fn write_and_rename(path: &Path, octets: &[u8]) -> io::Result<()> {
    // A link stays a link: the file that it points to is replaced.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    written_beside(&target, octets)?.persist(&target)?;
    Ok(())
}

/// The octets in a temporary file in the folder of the target, with the target's permissions.
fn written_beside(target: &Path, octets: &[u8]) -> io::Result<NamedTempFile> {
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
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(octets)?;
    file.as_file().sync_all()?;
    Ok(file)
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
    fn a_new_file_never_takes_the_place_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stslint.yaml");
        write_new(&path, b"one").unwrap();
        assert!(matches!(write_new(&path, b"two"), Err(FileError::Exists { .. })));
        assert!(matches!(write_new(&folder.path().join("no/such"), b""), Err(FileError::Io { .. })));
        assert_eq!(read_text(&path, 10).unwrap(), "one");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
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
