//! The rules: YAML with CEL expressions, checked when loaded, evaluated over the facts of a snapshot.
//!
//! `cli` loads a [`RuleSet`] (the built-in files, and an organisation's own) and calls [`evaluate()`].

mod ask;
mod case_words;
mod cases;
mod check;
mod checks;
mod compare;
mod cost;
mod decided;
mod domain_cases;
mod elements;
pub mod evaluate;
pub mod expr;
mod expr_error;
mod former;
mod function;
mod functions;
mod judged_reports;
mod load;
mod meter;
mod metered;
mod missing;
pub mod model;
mod needed;
pub mod params;
mod patch;
mod policy_fix;
mod reads;
mod renamed;
mod report_cases;
mod rule;
mod shape;
mod silence;
mod slips;
mod snapshot_cases;
mod source;
mod strings;
pub mod template;
mod texts_and_lists;
mod types;
mod value_text;
mod values;
mod verdicts;

pub use self::ask::{Answer, ask};
pub use self::cases::{CaseOutcome, CaseResult, Expected, example, run_cases};
pub use self::check::{Members, never_equal, unknown_members};
pub use self::checks::BROKEN_RULE;
pub use self::evaluate::evaluate;
pub use self::former::Former;
pub use self::function::Function;
pub use self::functions::functions;
pub use self::judged_reports::{judge_report, judge_reports};
pub use self::load::{RuleErrors, RuleSet, built_in_sources};
pub use self::needed::needed_of;
pub use self::policy_fix::fix_policy;
pub use self::rule::Rule;
pub use self::snapshot_cases::{GOOD, good_snapshot};
pub use self::source::Source;

#[cfg(test)]
mod built_in_tests;
#[cfg(test)]
mod ids_tests;
#[cfg(test)]
mod mixture_tests;
#[cfg(test)]
mod together_tests;
#[cfg(test)]
mod unseen_tests;
