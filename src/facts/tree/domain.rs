//! Part of the tree of facts: the parent domain and an older observation.

use crate::grammar::policy::Mode;

facts! {
    /// The parent domain's own record: a parent's policy never covers a subdomain (RFC 8461 §3.4).
    pub struct ParentFacts {
        /// The parent domain.
        domain: String,
        /// Whether it publishes a record of its own.
        published: bool,
    }
}

facts! {
    /// An older observation of the same domain.
    pub struct BaselineFacts {
        /// When it was made: RFC 3339, UTC.
        collected_at: String,
        /// The `id` of its record; `null` where there was none.
        id: Option<String>,
        /// The body of its policy; `null` where none was served.
        body: Option<String>,
        /// The mode of its policy; `null` where there was no valid one.
        mode: Option<Mode>,
        /// The life of its policy in seconds; `null` where there was no valid one.
        max_age: Option<i64>,
        /// Why no sender can hold its policy, for people; `null` where they may.
        never_cached: Option<String>,
        /// Its `mx` patterns.
        patterns: Vec<String>,
        /// The present MX hosts that its policy, which senders may still hold, does not cover.
        uncovered: Vec<String>,
        /// Whether its policy is older than its `max_age`, so that no sender holds what was observed then.
        expired: bool,
        /// Whether the present policy says the same: mode, `max_age` and `mx` patterns, whatever their order.
        same_policy: bool,
    }
}
