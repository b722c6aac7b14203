//! The part of the JSON report about each sender that is known.

use schemars::JsonSchema;
use serde::Serialize;

use super::sender::{AppliedPolicy, SenderAction};
use crate::sender;
use crate::senders;

/// What a sender that is known does.
#[derive(Debug, JsonSchema, Serialize)]
pub struct KnownSender<'a> {
    /// Its stable name.
    pub sender: &'a str,
    /// Its name for people.
    pub name: &'a str,
    /// The version that is known; `null` for services.
    pub version: Option<&'a str>,
    /// Whether it refuses delivery where a policy in mode enforce is not met: `always`, `configured`, `never`; `null`
    /// where that is not known.
    pub enforces: Option<&'static str>,
    /// Whether it takes the `_mta-sts` record.
    pub record: Answer,
    /// Whether it takes the policy.
    pub policy: Answer,
    /// Whether it takes the `_smtp._tls` record.
    pub tlsrpt: Answer,
    /// The policy that it applies.
    pub applies: AppliedPolicy,
    /// What it does with each MX host, of the first twenty.
    pub hosts: Vec<KnownHost<'a>>,
    /// For how many seconds it goes on with a policy that it holds once another is published, at most; `null` where that
    /// is not known.
    pub notices_within: Option<i64>,
    /// Why it applies that policy.
    pub because: &'a str,
}

impl<'a> From<&'a sender::KnownSender> for KnownSender<'a> {
    fn from(it: &'a sender::KnownSender) -> Self {
        KnownSender {
            sender: &it.sender,
            name: &it.name,
            version: it.version.as_deref(),
            enforces: it.enforces.map(senders::Enforces::word),
            record: it.record.into(),
            policy: it.policy.into(),
            tlsrpt: it.tlsrpt.into(),
            applies: it.applies.into(),
            hosts: it.hosts.iter().map(Into::into).collect(),
            notices_within: it.notices_within,
            because: &it.because,
        }
    }
}

/// What a sender that is known does with an MX host.
#[derive(Debug, JsonSchema, Serialize)]
pub struct KnownHost<'a> {
    /// The exchange.
    pub exchange: &'a str,
    /// What it does.
    pub action: SenderAction,
}

impl<'a> From<&'a sender::KnownHost> for KnownHost<'a> {
    fn from(it: &'a sender::KnownHost) -> Self {
        KnownHost { exchange: &it.exchange, action: it.action.into() }
    }
}

/// Whether a sender accepts something.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It refuses it.
    No,
    /// That is not known.
    Unknown,
    /// It accepts it.
    Yes,
}

impl From<senders::Answer> for Answer {
    fn from(it: senders::Answer) -> Self {
        match it {
            senders::Answer::No => Answer::No,
            senders::Answer::Unknown => Answer::Unknown,
            senders::Answer::Yes => Answer::Yes,
        }
    }
}
