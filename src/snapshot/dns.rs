//! DNS answers as they came: the outcome of each question, its records, and the way to them.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::bounded::{self, MAX_ALIASES, MAX_RECORDS};
use super::{ExtendedError, Failure, Octets, ProofReason};

/// One question and what came of it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, bound(deserialize = "R: Deserialize<'de>"))]
#[non_exhaustive]
pub struct Lookup<R> {
    /// The owner name that was asked for, without the trailing dot.
    #[serde(default, deserialize_with = "bounded::optional_name", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How the question ended. Left out: `answer` where there are records, else not observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<DnsOutcome>,
    /// The lowest TTL of the answer's records, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
    /// Whether that is what a resolver's cache had left, so that it was published with this TTL or a longer one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ttl_at_least: bool,
    /// What DNSSEC says of the answer (RFC 4035 §4.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dnssec: Option<DnssecProof>,
    /// Why nothing better is proven, where that was found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dnssec_reason: Option<ProofReason>,
    /// What the resolver says about its answer, in codes (RFC 8914).
    #[serde(
        default,
        deserialize_with = "bounded::list::<_, _, { MAX_ALIASES }>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub extended_errors: Vec<ExtendedError>,
    /// The CNAME chain that was followed, in order.
    #[serde(
        default,
        deserialize_with = "bounded::list::<_, _, { MAX_ALIASES }>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub aliases: Vec<Alias>,
    /// The records of the type that was asked for.
    #[serde(
        default,
        deserialize_with = "bounded::list::<_, _, { MAX_RECORDS }>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub records: Vec<R>,
    /// Why there is no answer, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// How the query ended at first, where it was put again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_try: Option<FirstQuery>,
    /// How long the question took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
}

/// The first time that a query was put, where it was put again: over TCP, without EDNS, or as another datagram.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FirstQuery {
    /// How it ended.
    pub outcome: DnsOutcome,
    /// Why, and how it was put again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl<R> Default for Lookup<R> {
    fn default() -> Self {
        Lookup {
            name: None,
            outcome: None,
            ttl: None,
            ttl_at_least: false,
            dnssec: None,
            dnssec_reason: None,
            extended_errors: Vec::new(),
            aliases: Vec::new(),
            records: Vec::new(),
            failure: None,
            first_try: None,
            elapsed_ms: None,
        }
    }
}

impl<R> Lookup<R> {
    /// An answer that holds `records`.
    pub fn answer(name: Option<String>, records: Vec<R>) -> Self {
        Lookup { name, outcome: Some(DnsOutcome::Answer), records, ..Lookup::default() }
    }

    /// The outcome; where a file leaves it out, records mean an answer and a failure means none.
    /// `None` when nothing at all is known.
    pub fn outcome(&self) -> Option<DnsOutcome> {
        match self.outcome {
            Some(outcome) => Some(outcome),
            None if !self.records.is_empty() => Some(DnsOutcome::Answer),
            None => None,
        }
    }

    /// The records, where it is known what they are: empty after NODATA and NXDOMAIN, `None` when the
    /// question was not answered, or the answer's records were left out.
    pub fn known(&self) -> Option<&[R]> {
        match self.outcome()? {
            DnsOutcome::Answer => Some(self.records.as_slice()).filter(|records| !records.is_empty()),
            DnsOutcome::Nodata | DnsOutcome::Nxdomain => Some(&[]),
            _ => None,
        }
    }
}

crate::vocabulary::vocabulary! {
    /// How a question ended.
    pub enum DnsOutcome {
        /// Records of the type came.
        Answer = "answer",
        /// The answer could not be read, or belonged to another question.
        Malformed = "malformed",
        /// No server could be reached.
        Network = "network",
        /// The name exists, without records of this type.
        Nodata = "nodata",
        /// The name does not exist.
        Nxdomain = "nxdomain",
        /// Another response code; the failure says which.
        Other = "other",
        /// REFUSED.
        Refused = "refused",
        /// SERVFAIL.
        Servfail = "servfail",
        /// No answer within the time limit.
        Timeout = "timeout",
    }
}

impl DnsOutcome {
    /// Whether there is no answer: neither records nor their absence.
    pub fn is_failure(self) -> bool {
        !matches!(self, DnsOutcome::Answer | DnsOutcome::Nodata | DnsOutcome::Nxdomain)
    }

    /// The word that people know it by.
    pub fn label(self) -> &'static str {
        match self {
            DnsOutcome::Answer => "answer",
            DnsOutcome::Malformed => "malformed answer",
            DnsOutcome::Network => "no server reached",
            DnsOutcome::Nodata => "NODATA",
            DnsOutcome::Nxdomain => "NXDOMAIN",
            DnsOutcome::Other => "error",
            DnsOutcome::Refused => "REFUSED",
            DnsOutcome::Servfail => "SERVFAIL",
            DnsOutcome::Timeout => "time-out",
        }
    }
}

crate::vocabulary::vocabulary! {
    /// What DNSSEC proves of an answer (RFC 4035 §4.3).
    pub enum DnssecProof {
        /// Signatures are wrong or missing where they must be.
        Bogus = "bogus",
        /// Cannot be told, for example because the path to the root strips DNSSEC.
        Indeterminate = "indeterminate",
        /// Proven to be unsigned.
        Insecure = "insecure",
        /// Proven by signatures from the trust anchor on.
        Secure = "secure",
        /// Not looked at.
        Unchecked = "unchecked",
    }
}

/// One CNAME on the way to an answer.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Alias {
    /// The owner of the CNAME.
    #[serde(deserialize_with = "bounded::name")]
    pub name: String,
    /// Where it points.
    #[serde(deserialize_with = "bounded::name")]
    pub target: String,
    /// Its TTL in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
}

/// A TXT record: its character-strings kept apart, byte for byte.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TxtRecord {
    /// The character-strings (RFC 1035 §3.3.14), in order.
    #[serde(deserialize_with = "bounded::strings")]
    pub strings: Vec<Octets>,
}

impl TxtRecord {
    /// A record of one string.
    pub fn of(text: &str) -> Self {
        TxtRecord { strings: vec![Octets::from(text.as_bytes())] }
    }

    /// The strings joined without anything between them (RFC 8461 §3.1, RFC 8460 §3).
    pub fn joined(&self) -> Vec<u8> {
        self.strings.iter().flat_map(|string| string.0.iter().copied()).collect()
    }
}

/// An MX record (RFC 5321 §5.1).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MxRecord {
    /// The preference: lower is tried first.
    pub preference: u16,
    /// The exchange, without the trailing dot; `.` is the null MX (RFC 7505).
    #[serde(deserialize_with = "bounded::name")]
    pub exchange: String,
}

/// An A or AAAA record.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AddressRecord {
    /// The address.
    pub address: IpAddr,
}

/// A PTR record (RFC 1035 §3.3.12).
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PtrRecord {
    /// The name that the address leads back to, without the trailing dot.
    #[serde(deserialize_with = "bounded::name")]
    pub name: String,
}

/// A TLSA record (RFC 6698 §2.1).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TlsaRecord {
    /// Certificate usage, 0 to 3.
    pub usage: u8,
    /// Selector: 0 the certificate, 1 its public key.
    pub selector: u8,
    /// Matching type: 0 exact, 1 SHA-256, 2 SHA-512.
    pub matching: u8,
    /// The certificate association, in hexadecimal.
    pub association: String,
}

/// Reads `null` in place of a lookup as "looked for, and not there".
pub(super) fn lookup_or_absent<'de, D, R>(deserializer: D) -> Result<Option<Lookup<R>>, D::Error>
where
    D: Deserializer<'de>,
    R: Deserialize<'de>,
{
    let lookup = Option::<Lookup<R>>::deserialize(deserializer)?;
    Ok(Some(lookup.unwrap_or_else(|| Lookup { outcome: Some(DnsOutcome::Nodata), ..Lookup::default() })))
}
