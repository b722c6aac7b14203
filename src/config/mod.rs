//! The configuration: which rules count, how bad each is, which findings are accepted, and until when.
//!
//! `cli` finds and loads `stslint.yaml`, sets the rules by it, and takes ignored findings out of reports.

mod against;
mod day;
mod decisions;
mod file;
mod ignore;
mod in_force;
mod layer;
mod load;
mod options;
mod origin;
mod pattern;
mod profiles;
mod read;
mod read_options;
mod reader;
mod rule_files;
mod sections;
mod settled;
mod together;
mod tree;

pub use self::decisions::decisions;
pub use self::file::{ConfigFile, Level};
pub use self::ignore::{EXPIRED_RULE, Ignore, Ignores, UNUSED_RULE, Use, utc_day};
pub use self::in_force::{Command, InForce, same_file};
pub use self::load::{Configuration, OptionProblem, find};
#[cfg(test)]
pub use self::options::OPTIONS;
pub use self::options::{CommandOption, OptionKind};
pub use self::origin::{Origin, Set};
pub use self::pattern::Pattern;
pub use self::profiles::{PROFILES, about as about_profile, why_none as why_no_profile};
pub use self::rule_files::{CONFIG_NAME, RuleFilesError, rule_files};
pub use self::sections::Section;
pub use self::settled::Change;
pub use self::tree::Placed;

/// The text of a configuration to begin with.
pub const STARTER: &str = include_str!("starter.yaml");
