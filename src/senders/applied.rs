//! The policy that a sender applies, as one word. Used by the views and by every format.

use crate::grammar::policy::Mode;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// The policy that a sender applies: its mode, or why there is none.
    pub enum AppliedPolicy {
        /// The sender acts as if there were no policy.
        Absent = "absent",
        /// Mode enforce.
        Enforce = "enforce",
        /// Mode none.
        None = "none",
        /// Mode testing.
        Testing = "testing",
        /// What decides it was not observed.
        Unknown = "unknown",
    }
}

impl AppliedPolicy {
    /// A policy in that mode.
    pub fn of(mode: Mode) -> Self {
        match mode {
            Mode::Enforce => AppliedPolicy::Enforce,
            Mode::Testing => AppliedPolicy::Testing,
            Mode::None => AppliedPolicy::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_has_the_word_of_its_mode() {
        assert!(Mode::ALL.iter().all(|mode| AppliedPolicy::of(*mode).word() == mode.word()));
    }
}
