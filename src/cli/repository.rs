//! Where the repository is that a CI service has checked out, and what its files are called there. Used by the formats
//! that the service shows beside the files, and for the summary of a step.

use std::borrow::Cow;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use crate::report::Linted;
use crate::source_text::escape;

/// The variables by which services name the folder of the repository.
const ROOTS: [&str; 2] = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"];
/// The file that GitHub shows as the summary of the step.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Where the repository is, and where this program runs in it.
#[derive(Debug)]
pub struct Repository {
    root: PathBuf,
    here: PathBuf,
}

impl Repository {
    /// The repository that the environment names; `None` where it names none, or the working directory is its root.
    pub fn around() -> Option<Self> {
        let here = std::env::current_dir().ok()?;
        let root = ROOTS.iter().find_map(std::env::var_os).filter(|root| !root.is_empty())?;
        let root = std::fs::canonicalize(root).ok()?;
        (root != here).then_some(Repository { root, here })
    }

    /// A report whose file is named as in the repository, where it is in there.
    pub fn in_it<'a>(&self, linted: &'a Linted) -> Cow<'a, Linted> {
        match linted.policy_file.as_deref().and_then(|file| self.path_of(Path::new(file))) {
            Some(path) => Cow::Owned(Linted { policy_file: Some(path), ..linted.clone() }),
            None => Cow::Borrowed(linted),
        }
    }

    fn path_of(&self, file: &Path) -> Option<String> {
        let whole = without_dots(&self.here.join(file));
        let below = whole.strip_prefix(&self.root).ok()?;
        let parts: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        (!parts.is_empty()).then(|| parts.join("/"))
    }
}

/// The path with `.` and `..` taken out of it, as its words go.
fn without_dots(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut path, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = path.pop(),
            part => path.push(part),
        }
        path
    })
}

/// The file of the step's summary; `None` outside GitHub Actions.
pub fn step_summary() -> Option<PathBuf> {
    std::env::var_os(SUMMARY).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Adds a text to the step's summary. Returns what to say where that fails, which spoils no report.
pub fn add_to_summary(path: &Path, text: &str) -> Result<(), String> {
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        format!("warning: cannot write the summary of the step to {}: {error}", escape(&path.display().to_string()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_their_names_in_the_repository() {
        let repository = Repository { root: "/r".into(), here: "/r/sites/a".into() };
        let path = |file: &str| repository.path_of(Path::new(file));
        assert_eq!(path("mta-sts.txt").as_deref(), Some("sites/a/mta-sts.txt"));
        assert_eq!(path("./../b/mta-sts.txt").as_deref(), Some("sites/b/mta-sts.txt"));
        assert_eq!(path("/r/c.txt").as_deref(), Some("c.txt"));
        for outside in ["/etc/c.txt", "../../../c.txt", "../.."] {
            assert_eq!(path(outside), None, "{outside}");
        }
    }
}
