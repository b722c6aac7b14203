//! Part of the tree of facts: the policy host and each of its answers.

use super::dns::AddressFacts;
use super::tls::TlsSessionFacts;
use crate::facts::provider_names;
use crate::snapshot::{DnsOutcome, FailureKind};
use crate::vocabulary::vocabulary;

vocabulary! {
    /// What the provider that runs a policy host does for its customers.
    pub enum HostingKind {
        /// It serves the policy, which it writes itself.
        Policies = "policies",
        /// It publishes what they upload, at the names that they tell it.
        Sites = "sites",
    }
}

facts! {
    /// The policy host.
    pub struct PolicyHostFacts {
        /// Its name: `mta-sts.<domain>`.
        #[schemars(extend("x-form" = "name"))]
        name: String,
        /// Its name with the zone once more after it, where that was published in its place; `null` where it was not.
        #[schemars(extend("x-form" = "name"))]
        doubled: Option<String>,
        /// Whether it has an address.
        resolves: bool,
        /// What every sender gets instead when it asks for its addresses; `null` where it gets some, or learns that
        /// there are none.
        unresolved: Option<String>,
        /// How the address questions ended, the better of the two.
        outcome: DnsOutcome,
        /// Where a CNAME at the name points, the first of them where there are several; `null` where there is none.
        #[schemars(extend("x-form" = "name"))]
        alias: Option<String>,
        /// The names that the CNAMEs lead through, in order; empty where there is none.
        #[schemars(extend("x-form" = "name"))]
        aliases: Vec<String>,
        /// The name where the CNAMEs end; `null` where there is none.
        #[schemars(extend("x-form" = "name"))]
        canonical: Option<String>,
        /// The provider that the CNAMEs lead to, by `rules/providers/policy_host.yaml`; `null` where there is none, or none
        /// that is known.
        #[schemars(extend("enum" = provider_names::of_policy_hosts()))]
        provider: Option<String>,
        /// What that provider does for its customers; `null` where `provider` is.
        provider_kind: Option<HostingKind>,
        /// The lower TTL that its A and AAAA RRsets were published with, in seconds; `null` where it has no address.
        ttl: Option<i64>,
        /// The same as it was seen: where a resolver's cache answered, what that had left of it.
        ttl_seen: Option<i64>,
        /// Its addresses, A before AAAA.
        addresses: Vec<AddressFacts>,
        /// Each address as it answered.
        probes: Vec<HttpsFacts>,
        /// How many of the addresses accept TCP.
        reachable: i64,
        /// Whether all addresses serve the same body and status with a valid certificate.
        consistent: bool,
        /// What differs between the addresses, for people; `null` where nothing does.
        difference: Option<String>,
        /// Whether a policy can be fetched as a sender would: valid certificate, status 200.
        fetchable: bool,
    }
}

facts! {
    /// One address of the policy host.
    pub struct HttpsFacts {
        /// The address.
        address: String,
        /// Whether TCP connected.
        connected: bool,
        /// What went wrong, for people; `null` where nothing did.
        failure: Option<String>,
        /// The kind of what went wrong; `null` where nothing did.
        failure_kind: Option<FailureKind>,
        /// What a first try came to, where a second one followed and is what the other facts tell of; `null` where one was
        /// enough.
        first_try: Option<String>,
        /// Which senders a fault at this address concerns, as the subject of a sentence: `senders` where no other address
        /// gives a policy, else those that connect over its version of the Internet Protocol, or to it.
        concerned: String,
        /// The TLS handshake.
        tls: TlsSessionFacts,
        /// The status code; `null` where no response came.
        status: Option<i64>,
        /// Every header of the response, in order.
        headers: Vec<HeaderFacts>,
        /// The Location of a redirect; `null` where there is none.
        location: Option<String>,
        /// The media type in lower case without its parameters; `null` where there is no Content-Type.
        #[schemars(extend("x-form" = "lower"))]
        media_type: Option<String>,
        /// The charset parameter in lower case; `null` where there is none.
        #[schemars(extend("x-form" = "lower"))]
        charset: Option<String>,
        /// The Content-Encoding; `null` where there is none.
        content_encoding: Option<String>,
        /// The Age header in seconds; `null` where there is none.
        age: Option<i64>,
        /// How long a shared cache may keep the response: s-maxage or max-age, in seconds; `null` where not said.
        cache_seconds: Option<i64>,
        /// Whether a proxy or a cache is before the host (Age, Via, X-Cache or the like).
        proxied: bool,
        /// How many octets the body has, as far as it was read.
        octets: i64,
        /// Whether the body goes on beyond 65,536 octets.
        oversized: bool,
        /// The time to the last octet of the body, in milliseconds.
        milliseconds: i64,
    }
}

facts! {
    /// A header of an HTTP response (RFC 9110 §6.3).
    pub struct HeaderFacts {
        /// Its name in lower case.
        #[schemars(extend("x-form" = "lower"))]
        name: String,
        /// Its value, escaped.
        value: String,
    }
}
