//! Part of the tree of facts: the parent domain and an older observation.

use crate::grammar::policy::Mode;

facts! {
    /// The parent domain's own record: a parent's policy never covers a subdomain (RFC 8461 §3.4).
    pub struct ParentFacts {
        /// The parent domain.
        #[schemars(extend("x-form" = "name"))]
        domain: String,
        /// Whether it publishes a record of its own.
        published: bool,
    }
}

facts! {
    /// What was published before: an older observation of the same domain, or a policy alone.
    pub struct BaselineFacts {
        /// Whether a policy that senders may hold is all that is known of it (`--held`).
        held: bool,
        /// What its policy is called, for people: `the policy of` and the time, or `the policy that was given`.
        name: String,
        /// How long senders may hold its policy, for people, such as `for up to 14 days`; empty where it has no valid
        /// `max_age`.
        how_long: String,
        /// When it was last served: no sender has fetched it later; RFC 3339, UTC.
        #[schemars(extend("x-form" = "time"))]
        last_served: String,
        /// Until when at the latest a sender may hold its policy: RFC 3339, UTC; `null` where it has no valid `max_age`.
        #[schemars(extend("x-form" = "time"))]
        until: Option<String>,
        /// When it was made: RFC 3339, UTC.
        #[schemars(extend("x-form" = "time"))]
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
        #[schemars(extend("x-form" = "name"))]
        uncovered: Vec<String>,
        /// Whether its policy is older than its `max_age`, so that no sender holds what was observed then.
        expired: bool,
        /// Whether the present policy says the same: mode, `max_age` and `mx` patterns, whatever their order.
        same_policy: bool,
    }
}
