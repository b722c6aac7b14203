//! Files, read within a limit and written whole: used wherever a path comes from a user.
//!
//! A reader never takes more than its limit into memory, and a writer never leaves half a file behind:
//! the text goes into a temporary file beside the target, which is then renamed over it.

mod pipes;
mod special;
pub mod temporary;

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
    /// The path names a device that has no end, or that nobody knows the end of.
    #[error("{} is a device, not a file", shown(path))]
    #[diagnostic(code(stslint::file), help("name a file, or `-` for standard input"))]
    Device {
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
    #[error("cannot {action} {}: {reason}", shown(path))]
    #[diagnostic(code(stslint::file))]
    Io {
        /// What was tried: `read` or `write`.
        action: &'static str,
        /// The path as it was given.
        path: PathBuf,
        /// The system's error, which the message tells in full.
        reason: io::Error,
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
    #[error("{} is not UTF-8 text: octet {offset} (0x{octet:02X}{}) is not allowed there", shown(path), in_line(*line))]
    #[diagnostic(code(stslint::file), help("save the file as UTF-8"))]
    NotUtf8 {
        /// The path as it was given.
        path: PathBuf,
        /// Where the first wrong octet is, counted from 0.
        offset: usize,
        /// The line that it is in, counted from 1; `None` where the name tells it.
        line: Option<usize>,
        /// The octet.
        octet: u8,
    },
}

/// A path as an error names it: whoever named the file may have put escape sequences into its name.
fn shown(path: &Path) -> String {
    escape(&path.display().to_string())
}

fn in_line(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(" in line {line}"))
}

/// Reads a file, or standard input for `-`, of at most `limit` octets.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let mut octets = Vec::new();
    // One octet more than allowed tells "just at the limit" from "beyond it".
    open(path)?.take(limit.saturating_add(1)).read_to_end(&mut octets).map_err(|reason| FileError::Io {
        action: "read",
        path: path.to_owned(),
        reason,
    })?;
    if octets.len() as u64 > limit { Err(FileError::TooLarge { path: path.to_owned(), limit }) } else { Ok(octets) }
}

/// Reads a UTF-8 text file, or standard input for `-`, of at most `limit` octets.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    let octets = read_bounded(path, limit)?;
    String::from_utf8(octets).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let octet = error.as_bytes().get(offset).copied().unwrap_or_default();
        let before = error.as_bytes().get(..offset).unwrap_or_default();
        let line = before.iter().filter(|octet| **octet == b'\n').count().saturating_add(1);
        FileError::NotUtf8 { path: path.to_owned(), offset, line: Some(line), octet }
    })
}

/// Opens a file for reading, or standard input for `-`.
pub fn open(path: &Path) -> Result<Box<dyn Read + Send>, FileError> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    if path.is_dir() {
        return Err(FileError::Directory { path: path.to_owned() });
    }
    if special::is_endless(path) {
        return Err(FileError::Device { path: path.to_owned() });
    }
    let opened = if special::may_wait(path) {
        pipes::open(path, File::options().read(true))
            .map(|file| Box::new(pipes::Pipe::of(file)) as Box<dyn Read + Send>)
    } else {
        File::open(path).map(|file| Box::new(file) as Box<dyn Read + Send>)
    };
    match opened {
        Ok(file) => Ok(file),
        Err(reason) => Err(FileError::Io { action: "read", path: path.to_owned(), reason }),
    }
}

/// Writes a file whole or not at all, as [`WholeFile`] does.
pub fn write_whole(path: &Path, octets: &[u8]) -> Result<(), FileError> {
    let mut file = WholeFile::begin(path)?;
    file.write(octets)?;
    file.finish()
}

/// Writes a file whole where there is none yet, and never over another.
pub fn write_new(path: &Path, octets: &[u8]) -> Result<(), FileError> {
    let failed = |reason: io::Error| match reason.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists { path: path.to_owned() },
        _ => FileError::Io { action: "write", path: path.to_owned(), reason },
    };
    let written = |mut file: NamedTempFile| {
        file.write_all(octets)?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    let file = beside(path).and_then(written).map_err(failed)?;
    file.persist_noclobber(path).map(drop).map_err(|error| failed(error.error))
}

/// A file that is written piece by piece and takes its place only when it is whole: until then it is a temporary
/// file beside its target.
///
/// What is not a regular file (a terminal, a pipe, `/dev/stdout`) is written to directly, since a rename
/// would replace it.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    to: To,
}

#[derive(Debug)]
enum To {
    Beside { file: NamedTempFile, target: PathBuf },
    Itself(File),
}

impl WholeFile {
    /// Begins the file, so that a path that cannot be written is known before there is anything to write.
    pub fn begin(path: &Path) -> Result<Self, FileError> {
        if path.is_dir() {
            return Err(FileError::Directory { path: path.to_owned() });
        }
        let to = match path.metadata() {
            // A link to itself, a folder that may not be searched: there is no place to write to.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(metadata) if !metadata.is_file() => pipes::open(path, File::options().write(true)).map(To::Itself),
            // A link stays a link: the file that it points to is replaced.
            _ => {
                let pointed = || path.read_link().map(|to| path.parent().unwrap_or(Path::new(".")).join(to));
                let target = path.canonicalize().or_else(|_| pointed()).unwrap_or_else(|_| path.to_owned());
                beside(&target).map(|file| To::Beside { file, target })
            }
        };
        to.map(|to| WholeFile { path: path.to_owned(), to }).map_err(|source| failed(path, source))
    }

    /// Adds to the file.
    pub fn write(&mut self, octets: &[u8]) -> Result<(), FileError> {
        let written = match &mut self.to {
            To::Beside { file, .. } => file.write_all(octets),
            To::Itself(file) => file.write_all(octets),
        };
        written.map_err(|source| failed(&self.path, source))
    }

    /// Puts the file into its place.
    pub fn finish(self) -> Result<(), FileError> {
        let put = |file: NamedTempFile, target: &Path| {
            file.as_file().sync_all()?;
            file.persist(target)?;
            Ok(())
        };
        match self.to {
            To::Beside { file, target } => put(file, &target).map_err(|source| failed(&self.path, source)),
            To::Itself(_) => Ok(()),
        }
    }
}

fn failed(path: &Path, reason: io::Error) -> FileError {
    // The name of the temporary file would tell nobody anything.
    let text = reason.to_string();
    let reason = match text.split_once(" at path ") {
        Some((why, _)) => io::Error::new(reason.kind(), why.to_owned()),
        None => reason,
    };
    FileError::Io { action: "write", path: path.to_owned(), reason }
}

/// A temporary file in the folder of the target, with the target's permissions.
fn beside(target: &Path) -> io::Result<NamedTempFile> {
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
    temporary::make(&builder, Some(folder))
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
    fn a_file_that_is_not_finished_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        write_whole(&path, b"one").unwrap();
        let mut file = WholeFile::begin(&path).unwrap();
        file.write(b"tw").unwrap();
        drop(file);
        assert_eq!(read_text(&path, 10).unwrap(), "one");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
        let mut file = WholeFile::begin(&path).unwrap();
        file.write(b"tw").unwrap();
        file.write(b"o").unwrap();
        file.finish().unwrap();
        assert_eq!(read_text(&path, 10).unwrap(), "two");
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

    #[cfg(unix)]
    #[test]
    fn devices_without_end_are_refused_and_a_link_to_itself_stays() {
        for path in ["/dev/zero", "/dev/random"] {
            assert!(matches!(read_bounded(Path::new(path), u64::MAX), Err(FileError::Device { .. })), "{path}");
        }
        assert_eq!(read_bounded(Path::new("/dev/null"), 9).unwrap(), b"");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("self");
        std::os::unix::fs::symlink("self", &path).unwrap();
        assert!(matches!(write_whole(&path, b"x"), Err(FileError::Io { action: "write", .. })));
        assert!(path.symlink_metadata().unwrap().is_symlink());
        let path = folder.path().join("new");
        std::os::unix::fs::symlink("target", &path).unwrap();
        write_whole(&path, b"x").unwrap();
        assert_eq!(read_bounded(&folder.path().join("target"), 9).unwrap(), b"x", "a link stays a link");
    }
}
