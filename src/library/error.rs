//! The one error of the front door.

use std::fmt;

use crate::report::{Style, render};

/// Why something could not be set up, read or written: never anything about a domain, which is a [`Finding`].
///
/// `Display` is one sentence. [`Error::details`] and `Debug` show every mistake with its place, for example the line of
/// a rule file, so `fn main() -> Result<(), stslint::Error>` prints something useful.
///
/// [`Finding`]: super::Finding
pub struct Error(miette::Report);

impl Error {
    pub(super) fn of(error: impl Into<miette::Report>) -> Self {
        Error(error.into())
    }

    /// Every mistake with its place and what to do about it: several lines of plain text, safe for terminals and logs.
    pub fn details(&self) -> String {
        render(self.0.as_ref(), &Style::plain())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.details())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Error {}
