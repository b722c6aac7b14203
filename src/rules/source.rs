//! A rule file's text, as it is read and as diagnostics show it.

use std::path::{Path, PathBuf};

/// A rule file's text with the name that diagnostics show for it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name.
    pub name: String,
    /// The text.
    pub text: String,
    /// The file; `None` for one that is built in. Files are told apart by it, and never by a name.
    pub path: Option<PathBuf>,
}

impl Source {
    /// A text that is not a file of the user's.
    pub fn named(name: impl Into<String>, text: impl Into<String>) -> Self {
        Source { name: name.into(), text: text.into(), path: None }
    }

    /// The text of a file.
    pub fn file(path: &Path, text: String) -> Self {
        Source { name: path.display().to_string(), text, path: Some(path.to_owned()) }
    }
}
