//! Part of the tree of facts: what the senders that are known make of what the domain publishes.

use crate::senders::{Answer, AppliedPolicy, Kind, MxAlias};

facts! {
    /// A sender that is known (`stslint senders list`).
    pub struct SenderFacts {
        /// Its stable name.
        sender: String,
        /// Its name for people.
        name: String,
        /// The version that is known; `null` for services.
        version: Option<String>,
        /// What kind of sender it is.
        kind: Kind,
        /// Whether it is known to refuse delivery where a policy in mode enforce is not met, by itself or once it is
        /// configured.
        enforces: bool,
        /// Whether it takes the `_mta-sts` record.
        record: Answer,
        /// Why, for people.
        record_because: String,
        /// Whether it takes the policy.
        policy: Answer,
        /// Why, for people.
        policy_because: String,
        /// Whether it takes the `_smtp._tls` record.
        tlsrpt: Answer,
        /// The policy that it applies.
        applies: AppliedPolicy,
        /// Why it applies that one, for people.
        because: String,
        /// For how many seconds it waits for the policy; `null` where that is not known.
        fetch_timeout: Option<i64>,
        /// For how many seconds it holds the policy that is served now, at most; `null` where it takes none.
        holds: Option<i64>,
        /// Whether it notices another policy before the one that it holds has run out; `null` where that is not known.
        notices: Option<bool>,
        /// For how many seconds it goes on with a policy that it holds once another is published, at most; `null` where
        /// that is not known.
        notices_within: Option<i64>,
        /// What it does with an MX record that names an alias; `null` where that is not known.
        mx_alias: Option<MxAlias>,
        /// Whether it sends TLS reports; `null` where that is not known.
        sends_reports: Option<bool>,
        /// Whether it sends them to the first destination alone; `null` where that is not known.
        first_destination_only: Option<bool>,
    }
}
