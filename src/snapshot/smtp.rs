//! MX hosts and how each of their addresses speaks SMTP with STARTTLS (RFC 5321, RFC 3207).

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounded::{self, MAX_PROBES, MAX_RECORDS, MAX_TEXTS};
use super::dns::{AddressRecord, Lookup, PtrRecord, TlsaRecord, lookup_or_absent};
use super::{Failure, Octets, SecondLook, TlsFacts};

/// One MX host.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MxHost {
    /// The exchange as the MX record names it, without the trailing dot.
    #[serde(deserialize_with = "bounded::name")]
    pub exchange: String,
    /// Its A RRset.
    #[serde(default, deserialize_with = "lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<Lookup<AddressRecord>>,
    /// Its AAAA RRset.
    #[serde(default, deserialize_with = "lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<Lookup<AddressRecord>>,
    /// The TLSA RRset at `_25._tcp.<exchange>` (RFC 7672 §3).
    #[serde(default, deserialize_with = "lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub tlsa: Option<Lookup<TlsaRecord>>,
    /// Each address as it answered.
    #[serde(
        default,
        deserialize_with = "bounded::optional::<_, _, { MAX_PROBES }>",
        skip_serializing_if = "Option::is_none"
    )]
    pub probes: Option<Vec<SmtpProbe>>,
    /// The names that its addresses lead back to, where they were asked for.
    #[serde(
        default,
        deserialize_with = "bounded::optional::<_, _, { MAX_PROBES }>",
        skip_serializing_if = "Option::is_none"
    )]
    pub reverse: Option<Vec<ReverseLookup>>,
}

/// The PTR RRset of an address (RFC 1035 §3.5, RFC 3596 §2.5).
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReverseLookup {
    /// The address.
    pub address: IpAddr,
    /// The answer.
    pub ptr: Lookup<PtrRecord>,
}

/// One address of an MX host, spoken to as a sender would.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SmtpProbe {
    /// The address that was asked.
    pub address: IpAddr,
    /// Whether TCP connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected: Option<bool>,
    /// The greeting (RFC 5321 §4.3.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<SmtpReply>,
    /// The reply to EHLO (RFC 5321 §4.1.1.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ehlo: Option<SmtpReply>,
    /// The reply to STARTTLS (RFC 3207 §4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starttls: Option<SmtpReply>,
    /// What came after the 220 and before the handshake: nothing should.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_starttls: Option<Octets>,
    /// The TLS handshake with SNI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFacts>,
    /// The reply to EHLO after the handshake (RFC 3207 §4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ehlo_after_tls: Option<SmtpReply>,
    /// A second handshake, without SNI (RFC 8461 §7.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_sni: Option<WithoutSni>,
    /// What went wrong, at whatever step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The conversation before this one, where this is the second try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_try: Option<Box<FirstConversation>>,
    /// The conversation, bounded; TLS records are not in it.
    #[serde(default, deserialize_with = "bounded::list::<_, _, { MAX_TEXTS }>", skip_serializing_if = "Vec::is_empty")]
    pub transcript: Vec<TranscriptLine>,
    /// The time from the first packet to QUIT, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
}

/// The first conversation with an address of an MX host, where another one followed: it was put off (4yz) or broken off.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
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

/// A reply of an SMTP server (RFC 5321 §4.2).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SmtpReply {
    /// The reply code.
    pub code: u16,
    /// The text of each line, without code and separator.
    #[serde(default, deserialize_with = "bounded::list::<_, _, { MAX_RECORDS }>")]
    pub lines: Vec<String>,
}

/// A handshake without SNI.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WithoutSni {
    /// Whether it succeeded.
    pub handshake: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What the server chose, without SNI, from all that OpenSSL-based senders offer, where the handshake failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_look: Option<SecondLook>,
    /// How the handshake before this one failed, where this is the second try: the connection was reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_failure: Option<Failure>,
}

/// A line of an SMTP conversation.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TranscriptLine {
    /// Who sent it.
    pub from: Party,
    /// The line without its terminator; control characters escaped.
    pub text: String,
}

/// A side of an SMTP conversation.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Party {
    /// The collector.
    Client,
    /// A remark of the collector about the conversation, such as a finished handshake.
    Note,
    /// The MX host.
    Server,
}
