//! What a conforming sender does with mail for the domain now (RFC 8461 §5, RFC 7672 for hosts with usable TLSA
//! records), and which RFC 8460 §4.3 result types it puts into its report.
//!
//! `rules::evaluate` adds it to the report; every format may show it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::Facts;

/// What a sender does that begins with a given cache.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct SenderView {
    /// What the sender's cache holds for the domain.
    pub cache: SenderCache,
    /// The policy that it applies: `enforce`, `testing`, `none`, `absent` (it acts as if there were no policy) or
    /// `unknown` (what decides it was not observed).
    pub policy: String,
    /// Why it applies that one, in one sentence.
    pub explanation: String,
    /// The result types that it reports about the policy itself (RFC 8460 §4.3.2).
    pub reports: Vec<String>,
    /// Each MX host in order of preference.
    pub hosts: Vec<SenderHost>,
    /// What becomes of the mail, in one sentence.
    pub outcome: String,
}

/// What a sender's cache holds.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderCache {
    /// The policy of the baseline, not yet expired.
    Baseline,
    /// Nothing.
    Empty,
}

/// What a sender does with one MX host.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
pub struct SenderHost {
    /// The exchange.
    pub exchange: String,
    /// The preference; `null` for an implicit MX.
    pub preference: Option<i64>,
    /// What it does.
    pub action: SenderAction,
    /// Why, in one sentence.
    pub explanation: String,
    /// The result types that it reports about this host.
    pub reports: Vec<String>,
}

/// What a sender does with an MX host.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderAction {
    /// It delivers over TLS that it verified.
    Deliver,
    /// It delivers and reports what would have failed (mode testing, RFC 8461 §5).
    DeliverAndReport,
    /// It delivers without verifying anything: over TLS where the host offers it, else in the clear.
    DeliverUnverified,
    /// It does not deliver to this host and tries the next.
    Refuse,
    /// It cannot deliver to this host now, and would try again later.
    Retry,
    /// What decides it was not observed.
    Unknown,
}

/// What senders do: one with an empty cache and, where there is a baseline, one that still holds its policy.
pub fn views(_facts: &Facts) -> Vec<SenderView> {
    Vec::new()
}
