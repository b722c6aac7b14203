//! What rules are over: one domain, all domains of a run, one report, all reports. Used by the tree, its schema and rules.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// What rules are over: which tree their expressions see.
    pub enum Over {
        /// What a domain publishes: `stslint check`.
        Domain = "domain",
        /// All domains of a run together: `stslint check`, after the last of them.
        Domains = "domains",
        /// One TLS report (RFC 8460 §4): `stslint reports`.
        Report = "report",
        /// All TLS reports of a run together: `stslint reports`.
        Reports = "reports",
    }
}

#[allow(clippy::derivable_impls)]
impl Default for Over {
    fn default() -> Self {
        Over::Domain
    }
}
