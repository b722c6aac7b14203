//! One configuration among those that are in force: its text, what it says, and what its paths start from.

use std::path::{Component, Path, PathBuf};

use super::file::ConfigFile;
use super::options::{CommandOption, OptionKind};
use super::origin::Origin;
use super::tree::Span;
use crate::rules::Source;
use crate::source_text::{line_at, printable};

/// One configuration among those that are in force.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Its text.
    pub source: Source,
    /// What it says.
    pub file: ConfigFile,
    /// The profile that it is; `None` for a file.
    pub profile: Option<&'static str>,
    /// For each entry of `domains`, the profiles that it extends.
    pub profiles_of_domains: Vec<Vec<Layer>>,
    /// The folder that its paths start from.
    pub(super) folder: PathBuf,
}

impl Layer {
    /// Where a value of it comes from.
    pub fn origin(&self, at: Span) -> Origin {
        match self.profile {
            Some(name) => Origin::Profile { name },
            None => {
                let start = line_at(&self.source.text, at.offset).0;
                Origin::File {
                    name: printable(&self.source.name),
                    line: at.line,
                    column: at.offset.saturating_sub(start),
                    length: at.length,
                    text: printable(line_at(&self.source.text, at.offset).1).into(),
                }
            }
        }
    }

    /// A path that it names: relative to its folder, without the `./` that people write.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        let path: PathBuf = self.folder.join(name).components().filter(|part| *part != Component::CurDir).collect();
        // A lone `-` is standard input on the command line; here it is a file.
        match path {
            path if path == Path::new("-") => Path::new(".").join(path),
            path if path == Path::new("") => PathBuf::from("."),
            path => path,
        }
    }

    /// An option's value as the command line would have it: files are relative to the configuration.
    pub(super) fn option_value(&self, option: &CommandOption, value: &str) -> String {
        match option.kind {
            OptionKind::File(words) if !words.contains(&value) && !value.is_empty() => {
                self.path(value).display().to_string()
            }
            _ => value.to_owned(),
        }
    }
}
