//! Rule files as a user names them: a file, or a folder of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use crate::files::{self, FileError};
use crate::rules::Source;
use crate::source_text::escape;

/// The name of a configuration, which is not a rule file.
pub const CONFIG_NAME: &str = "stslint.yaml";
/// The most octets that one rule file may hold.
const MAX_RULE_FILE: u64 = 4 << 20;
/// The most octets that the rule files of one folder may hold together.
const MAX_TOTAL: usize = 16 << 20;
/// The most rule files in a folder.
const MAX_FILES: usize = 1000;
/// How deep folders may be in each other.
const MAX_DEPTH: usize = 8;
/// The most things that are looked at in a folder.
const MAX_LOOKED_AT: usize = 100_000;

/// Why rule files could not be read.
#[derive(Debug, Diagnostic, Error)]
pub enum RuleFilesError {
    /// The folder holds no rule file.
    #[error("there is no rule file in {}", escape(&path.display().to_string()))]
    #[diagnostic(code(stslint::rules), help("rule files end in .yaml"))]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A file could not be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    /// The folder holds more than anybody writes.
    #[error("there are more than {MAX_FILES} rule files, or more than {} MiB of them, in {}", MAX_TOTAL >> 20, escape(&path.display().to_string()))]
    #[diagnostic(code(stslint::rules), help("is this the right folder?"))]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
}

/// Reads a rule file, or every `*.yaml` of a folder and the folders in it, sorted by name. Hidden ones and
/// configurations are left out; a file that is reached twice counts once.
pub fn rule_files(path: &Path) -> Result<Vec<Source>, RuleFilesError> {
    if !path.is_dir() {
        return Ok(vec![source(path)?]);
    }
    let mut walk = Walk { root: path, files: Vec::new(), seen: BTreeSet::new(), looked_at: 0 };
    walk.folder(path, 0)?;
    if walk.files.is_empty() {
        return Err(RuleFilesError::Empty { path: path.to_owned() });
    }
    let mut sources = Vec::new();
    let mut total: usize = 0;
    for file in &walk.files {
        let source = source(file)?;
        total = total.saturating_add(source.text.len());
        if total > MAX_TOTAL {
            return Err(walk.too_many());
        }
        sources.push(source);
    }
    Ok(sources)
}

fn source(path: &Path) -> Result<Source, FileError> {
    Ok(Source::file(path, files::read_text(path, MAX_RULE_FILE)?))
}

struct Walk<'a> {
    root: &'a Path,
    files: Vec<PathBuf>,
    seen: BTreeSet<PathBuf>,
    looked_at: usize,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), RuleFilesError> {
        // Links can lead in a circle; each folder is entered once.
        if depth > MAX_DEPTH || !self.is_new(folder) {
            return Ok(());
        }
        let failed = |reason| FileError::Io { action: "read", path: folder.to_owned(), reason };
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            self.looked_at = self.looked_at.saturating_add(1);
            if self.looked_at > MAX_LOOKED_AT {
                return Err(self.too_many());
            }
            entries.push(entry.map_err(failed)?.path());
        }
        entries.sort();
        for path in entries {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.starts_with('.') || name == CONFIG_NAME {
                continue;
            }
            if path.is_dir() {
                self.folder(&path, depth.saturating_add(1))?;
            } else if path.extension().is_some_and(|ending| ending == "yaml") && path.is_file() && self.is_new(&path) {
                self.files.push(path);
            }
            if self.files.len() > MAX_FILES {
                return Err(self.too_many());
            }
        }
        Ok(())
    }

    fn is_new(&mut self, path: &Path) -> bool {
        self.seen.insert(path.canonicalize().unwrap_or_else(|_| path.to_owned()))
    }

    fn too_many(&self) -> RuleFilesError {
        RuleFilesError::TooMany { path: self.root.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_read_in_order_and_circles_end() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("b")).unwrap();
        for name in ["c.yaml", "a.yaml", "b/d.yaml", ".hidden.yaml", "notes.txt", CONFIG_NAME] {
            std::fs::write(at(name), "x").unwrap();
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path(), at("b/again")).unwrap();
            std::os::unix::fs::symlink(at("a.yaml"), at("z.yaml")).unwrap();
        }
        let found = rule_files(folder.path()).unwrap();
        let names: Vec<&str> = found.iter().filter_map(|source| source.name.rsplit('/').next()).collect();
        assert_eq!(names, ["a.yaml", "d.yaml", "c.yaml"]);
        std::fs::create_dir(at("empty")).unwrap();
        assert!(matches!(rule_files(&at("empty")), Err(RuleFilesError::Empty { .. })));
        assert!(matches!(rule_files(&at("no.yaml")), Err(RuleFilesError::File(_))));
    }
}
