//! The first of two tries, where one sample might mislead and a second one was taken: the second counts, and the first is
//! kept beside it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounded::{self, MAX_TEXTS};
use super::{DnsOutcome, Failure, SmtpReply, TranscriptLine};

/// The first conversation with an address of an MX host, where another one followed: it was put off (4yz) or broken off.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FirstConversation {
    /// The greeting (RFC 5321 §4.3.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<SmtpReply>,
    /// The reply to EHLO (RFC 5321 §4.1.1.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ehlo: Option<SmtpReply>,
    /// The reply to STARTTLS (RFC 3207 §4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starttls: Option<SmtpReply>,
    /// The reply to EHLO after the handshake (RFC 3207 §4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ehlo_after_tls: Option<SmtpReply>,
    /// What went wrong, at whatever step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The conversation, bounded.
    #[serde(default, deserialize_with = "bounded::list::<_, _, { MAX_TEXTS }>", skip_serializing_if = "Vec::is_empty")]
    pub transcript: Vec<TranscriptLine>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
    /// The pause before the second, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_ms: Option<u64>,
}

/// The first fetch from an address of the policy host, where another one followed: it was put off (429, 503) or broken off.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FirstFetch {
    /// The status code, where a response came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Its Retry-After field (RFC 9110 §10.2.3), escaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
    /// What went wrong, at whatever step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
    /// The pause before the second, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_ms: Option<u64>,
}

/// The first time that a query was put, where it was put again: over TCP, without EDNS, or as another datagram.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FirstQuery {
    /// How it ended.
    pub outcome: DnsOutcome,
    /// Why, and how it was put again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}
