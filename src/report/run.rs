//! What a run was asked for and how it ended: which of its findings make it fail. Used by the formats whose readers show a
//! run as failed or not.

use crate::outcome::{Check, Outcome, Severity};
use crate::rules::BROKEN_RULE;

/// What makes a run fail, and how it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Run {
    /// From which severity on a finding makes it fail; `None` where none does.
    pub fails_from: Option<Severity>,
    /// Whether a check that could not be made makes it fail.
    pub require_complete: bool,
    /// The exit code; `None` where no program ends with these results.
    pub exit_code: Option<u8>,
}

impl Default for Run {
    /// As `stslint check` runs without options.
    fn default() -> Self {
        Run { fails_from: Some(Severity::Error), require_complete: false, exit_code: None }
    }
}

impl Run {
    /// Whether a finding makes the run fail. A rule that cannot be evaluated does so whatever was asked for.
    pub fn is_failed_by(&self, check: &Check) -> bool {
        let bad_enough = self.fails_from.is_some_and(|least| check.severity >= least);
        check.outcome == Outcome::Fail && (bad_enough || check.rule == BROKEN_RULE)
    }

    /// Whether the run fails because this check could not be made.
    pub fn misses(&self, check: &Check) -> bool {
        check.outcome == Outcome::NotChecked && self.require_complete
    }
}
