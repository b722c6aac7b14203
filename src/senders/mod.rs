//! What each sender does with what a domain publishes: profiles in `rules/senders/`, and one evaluator that reads them.
//!
//! A profile says of each property how it is known and from which source; what nobody has seen is left out, and an
//! answer that would need it is *unknown*. `facts`, the reports and `stslint senders` ask here. Nothing here knows the
//! domain that a text comes from.

mod addresses;
mod applied;
mod blanks;
mod cases;
mod dialect;
mod explain;
#[cfg(test)]
mod files_tests;
mod letters;
mod load;
mod matching;
mod model;
mod numbers;
mod outcome;
mod plain;
mod policy;
mod record;
mod reports;
mod tag_list;
mod verdict;

pub use self::applied::AppliedPolicy;
pub use self::cases::check_cases;
pub use self::dialect::Compares;
pub use self::explain::{Input, Served, explain, read_as};
pub use self::load::{SendersError, built_in, built_in_sources, find, read_profile};
pub use self::model::{DaneOrder, Enforces, Kind, MxAlias, Profile};
pub use self::outcome::{Outcome, Published, PublishedPolicy, held_seconds, outcomes};
pub use self::verdict::{Answer, Reading, Verdict};
