//! The configuration: which rules count, how bad each is, which findings are accepted, and until when.
//!
//! `cli` finds and loads `stslint.yaml`, sets the rules by it, and takes ignored findings out of reports.

mod file;
mod options;
mod pattern;
mod tree;

pub use self::file::{ConfigFile, IgnoreEntry, Level, OptionSetting, RuleSetting};
pub use self::options::{CommandOption, OPTIONS, OptionKind};
pub use self::pattern::Pattern;
pub use self::tree::{Placed, Span};
