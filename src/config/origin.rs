//! Where a value of a configuration comes from.

use std::fmt;
use std::sync::Arc;

/// Where a value comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// An option of the command line.
    CommandLine,
    /// A line of a configuration.
    File {
        /// The file's name.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// Where on the line, in octets.
        column: usize,
        /// How many octets.
        length: usize,
        /// The line.
        text: Arc<str>,
    },
    /// A profile that is shipped.
    Profile {
        /// Its name.
        name: &'static str,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::CommandLine => f.write_str("command line"),
            Origin::File { name, line, .. } => write!(f, "{name}:{line}"),
            Origin::Profile { name } => write!(f, "{name} profile"),
        }
    }
}

/// A value that was set.
#[derive(Clone, Debug)]
pub struct Set<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}
