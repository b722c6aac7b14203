//! What many reports say together: for each domain, whose mail it was, how many connections were verified, and what
//! failed.
//!
//! Made by [`digest`](super::sums::digest); shown by `stslint reports` and the receiver's pages.

use schemars::JsonSchema;
use serde::Serialize;

use super::cause::CauseKind;

/// What many reports say.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct Digest {
    /// How many different reports were read.
    pub reports: u64,
    /// How many were there twice, and count once.
    pub duplicates: u64,
    /// Each domain that reports are about, the one with most failures first.
    pub domains: Vec<DomainDigest>,
}

/// What the reports say about mail to one domain.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct DomainDigest {
    /// The domain; empty where no report names it.
    pub domain: String,
    /// The first day, in UTC: `2026-11-20`; empty where no report tells it.
    pub first_day: String,
    /// The last day, in UTC.
    pub last_day: String,
    /// Connections in all.
    pub connections: u64,
    /// Connections that were verified, by MTA-STS or DANE.
    pub verified: u64,
    /// Connections of senders that found no policy: TLS without verification.
    pub opportunistic: u64,
    /// Connections that failed.
    pub failed: u64,
    /// Of those, how many were refused: mode enforce, or DANE.
    pub refused: u64,
    /// Of those, over how many the mail was delivered all the same: mode testing or none, or no policy at all. What is
    /// left is not known: the report does not show the policy.
    pub delivered: u64,
    /// The senders, the one with most connections first.
    pub senders: Vec<SenderDigest>,
    /// Each day.
    pub days: Vec<DayDigest>,
    /// The causes of failures, the one with most connections first.
    pub causes: Vec<Cause>,
    /// The MTA-STS policies that senders applied, the latest first.
    pub policies: Vec<AppliedPolicy>,
}

/// One sender.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct SenderDigest {
    /// Its name: `organization-name`, or the domain that the mail came from.
    pub sender: String,
    /// Its reports.
    pub reports: u64,
    /// Its connections.
    pub connections: u64,
    /// Those that failed.
    pub failed: u64,
    /// The first day on which it reported.
    pub first_day: String,
    /// The last day on which it reported.
    pub last_day: String,
    /// Its connections for which it found no policy.
    pub opportunistic: u64,
    /// The lines of the MTA-STS policy that it applied last; empty where it showed none.
    pub policy: Vec<String>,
    /// The last day on which it showed that policy, in UTC.
    pub policy_day: String,
    /// The end of the report that showed it, in seconds since 1970.
    pub policy_until: Option<i64>,
}

/// One day.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct DayDigest {
    /// The day, in UTC.
    pub day: String,
    /// Connections that did not fail.
    pub succeeded: u64,
    /// Connections that failed.
    pub failed: u64,
}

/// A cause of failures.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct Cause {
    /// Its kind.
    pub kind: CauseKind,
    /// The result types that senders reported for it (RFC 8460 §4.3).
    pub result_types: Vec<String>,
    /// The MX host, where the reports name one.
    pub host: Option<String>,
    /// The addresses of that host.
    pub addresses: Vec<String>,
    /// The reasons as senders worded them.
    pub reasons: Vec<String>,
    /// The failed connections.
    pub connections: u64,
    /// Who saw it.
    pub senders: Vec<String>,
    /// The first day.
    pub first_day: String,
    /// The last day.
    pub last_day: String,
    /// The failed connections of each day.
    pub days: Vec<CauseDay>,
    /// What went wrong.
    pub explanation: String,
    /// What to do about it.
    pub advice: String,
}

/// The failures of one cause on one day.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct CauseDay {
    /// The day, in UTC; empty where no report tells it.
    pub day: String,
    /// The failed connections.
    pub connections: u64,
}

/// An MTA-STS policy that senders applied.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct AppliedPolicy {
    /// Its lines.
    pub lines: Vec<String>,
    /// Who applied it.
    pub senders: Vec<String>,
    /// The first day on which a report shows it.
    pub first_day: String,
    /// The last day.
    pub last_day: String,
}
