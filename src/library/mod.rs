//! The front door: what a program needs to check domains, without the layers after it.
//!
//! `lib.rs` re-exports everything here. The command line does not use it; it needs the layers themselves.

mod collector;
mod error;
mod finding;
mod linter;
mod read;
mod report;

#[cfg(all(test, feature = "lab"))]
mod lab_tests;
#[cfg(all(test, feature = "lab"))]
mod lossy_tests;

pub use self::collector::Collector;
pub use self::error::Error;
pub use self::finding::{Citation, Confidence, Finding, NotChecked, Severity};
pub use self::linter::{Linter, LinterBuilder};
pub use self::read::{parse, parse_bytes, read, read_all};
pub use self::report::LintReport;
