//! The policy host and what it serves (RFC 8461 §3.2, §3.3).

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounded::{self, MAX_PROBES, MAX_RECORDS};
use super::dns::{AddressRecord, Lookup, lookup_or_absent};
use super::{Failure, Octets, TlsFacts};

/// The host `mta-sts.<domain>`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PolicyHost {
    /// Its name, without the trailing dot.
    #[serde(default, deserialize_with = "bounded::optional_name", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its A RRset.
    #[serde(default, deserialize_with = "lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<Lookup<AddressRecord>>,
    /// Its AAAA RRset.
    #[serde(default, deserialize_with = "lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<Lookup<AddressRecord>>,
    /// Each address as it answered, in the order of the answers.
    #[serde(
        default,
        deserialize_with = "bounded::optional::<_, _, { MAX_PROBES }>",
        skip_serializing_if = "Option::is_none"
    )]
    pub probes: Option<Vec<HttpsProbe>>,
}

/// One address of the policy host, asked for the policy.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpsProbe {
    /// The address that was asked.
    pub address: IpAddr,
    /// Whether TCP connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected: Option<bool>,
    /// The TLS handshake with SNI, where TCP connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFacts>,
    /// The response to the GET, where TLS succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<HttpResponse>,
    /// What went wrong, at whatever step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The fetch before this one, where this is the second try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_try: Option<FirstFetch>,
    /// The time from the first packet to the last byte of the body, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
}

/// The first fetch from an address of the policy host, where another one followed: it was put off (429, 503) or broken off.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
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

/// The response of the policy host.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The protocol version: `HTTP/1.1`, `HTTP/2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The header fields in their order, names in lower case.
    #[serde(
        default,
        deserialize_with = "bounded::list::<_, _, { MAX_RECORDS }>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub headers: Vec<Header>,
    /// The body, where it is not the same as `policy.body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Octets>,
    /// How many octets of the body were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_length: Option<u64>,
    /// The SHA-256 of those octets, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_sha256: Option<String>,
    /// Whether the body went on beyond the size limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// A header field of a response.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Header {
    /// The field name in lower case.
    pub name: String,
    /// The field value.
    pub value: Octets,
}

/// The policy as a sender would get it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {
    /// The body, byte for byte.
    pub body: Octets,
    /// The address that served it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// Whether the body went on beyond the size limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}
