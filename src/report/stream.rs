//! Formats that are written as the domains come, and keep of each no more than they print. Used by the table of formats.

use std::fmt::Debug;

use super::{Linted, Results, Unreadable};

/// Why a report could not be written: a value that JSON or XML cannot hold.
pub type WriteError = Box<dyn std::error::Error + Send + Sync>;

/// A report on many domains under way. The texts that it returns, one after another, are the whole of it.
pub trait Stream: Debug {
    /// Takes the report on one domain.
    fn linted(&mut self, linted: &Linted) -> Result<String, WriteError>;

    /// Takes an input of which nothing is known.
    fn unreadable(&mut self, unreadable: &Unreadable) -> Result<String, WriteError>;

    /// Ends it. The results hold no reports, but what could not be read and how the run ended.
    fn finish(&mut self, results: &Results<'_>) -> Result<String, WriteError>;
}
