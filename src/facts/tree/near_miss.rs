//! Part of the tree of facts: what comes nearest to a name without matching it, in a policy and in a certificate.

use crate::grammar::near_miss::Miss;

facts! {
    /// What comes nearest to a name without matching it: an `mx` pattern, or a name of a certificate.
    pub struct NearMissFacts {
        /// As it is written.
        text: String,
        /// Why it misses.
        kind: Miss,
        /// The same for people, as the second half of a sentence that begins with the text.
        reason: String,
        /// The number of its line in the policy, counted from 1; `null` in a certificate.
        line: Option<i64>,
    }
}
