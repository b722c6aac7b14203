//! What rules are over: one domain, all domains of a run, one report, all reports. Used by the tree, its schema and rules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What rules are over: which tree their expressions see.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// What a domain publishes: `stslint check`.
    #[default]
    Domain,
    /// All domains of a run together: `stslint check`, after the last of them.
    Domains,
    /// One TLS report (RFC 8460 §4): `stslint reports`.
    Report,
    /// All TLS reports of a run together: `stslint reports`.
    Reports,
}

impl Over {
    /// All of them.
    pub const ALL: [Over; 4] = [Over::Domain, Over::Domains, Over::Report, Over::Reports];

    /// The word for it in a rule file.
    pub fn word(self) -> &'static str {
        match self {
            Over::Domain => "domain",
            Over::Domains => "domains",
            Over::Report => "report",
            Over::Reports => "reports",
        }
    }
}
