//! What was observed of a mail domain: the one value that every source yields and every check reads.
//!
//! `collect` fills a [`Snapshot`] from the network, [`read()`] takes one from a file, and `facts` turns it
//! into what rules see. A snapshot holds what was seen, never what we think of it, so that a recorded one
//! gives the same report for ever.
//!
//! Every field but the version and the domain may be left out of a file; what is left out was *not
//! observed*. What was looked for and is not there is *known absent*: an outcome `nxdomain` or `nodata`,
//! or `null` in place of a lookup or of the policy.

mod bounded;
mod dns;
mod dns_reasons;
mod file;
mod octets;
mod policy_host;
mod size;
mod smtp;
mod time;
mod tls;
mod validated;

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::bounded::MAX_TEXTS;
pub use self::bounded::{MAX_ALIASES, MAX_RECORDS};
pub use self::dns::{
    AddressRecord, Alias, DnsOutcome, DnssecProof, FirstQuery, Lookup, MxRecord, PtrRecord, TlsaRecord, TxtRecord,
};
pub use self::dns_reasons::{ExtendedError, ProofReason, ProofReasonKind};
pub use self::file::{Format, MAX_SNAPSHOT_OCTETS, ReadError, WriteError, parse, read, to_text, write};
pub use self::octets::Octets;
pub use self::policy_host::{FirstFetch, Header, HttpResponse, HttpsProbe, Policy, PolicyHost};
pub use self::size::written_size;
pub use self::smtp::{
    FirstConversation, MxHost, Party, ReverseLookup, SmtpProbe, SmtpReply, TranscriptLine, WithoutSni,
};
pub use self::time::{duration, instant};
pub use self::tls::{Certificate, SecondLook, TlsFacts, TlsVersion, Trust, TrustVerdict};
use crate::vocabulary::vocabulary;

/// The version of the snapshot format that this program writes, and the only one that it reads.
pub const SNAPSHOT_VERSION: u32 = 1;

/// Everything that was observed of one domain in one pass.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Snapshot {
    /// The version of the format: 1.
    pub snapshot: u32,
    /// The Policy Domain (RFC 8461 §1.1), in A-labels, lower case, without the trailing dot.
    /// `null` only for texts that were given without a domain.
    pub domain: Option<String>,
    /// When the observation began: RFC 3339, UTC.
    #[serde(default, deserialize_with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub collected_at: Option<String>,
    /// How the collection was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<Collection>,
    /// The MX RRset of the domain (RFC 5321 §5.1).
    #[serde(default, deserialize_with = "dns::lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub mx: Option<Lookup<MxRecord>>,
    /// The A RRset at the domain itself: what an implicit MX would use (RFC 5321 §5.1).
    #[serde(default, deserialize_with = "dns::lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<Lookup<AddressRecord>>,
    /// The AAAA RRset at the domain itself.
    #[serde(default, deserialize_with = "dns::lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<Lookup<AddressRecord>>,
    /// The TXT RRset at `_mta-sts.<domain>` (RFC 8461 §3.1).
    #[serde(default, deserialize_with = "dns::lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub record: Option<Lookup<TxtRecord>>,
    /// The TXT RRset at `_smtp._tls.<domain>` (RFC 8460 §3).
    #[serde(default, deserialize_with = "dns::lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub tlsrpt: Option<Lookup<TxtRecord>>,
    /// TXT RRsets at names where publishers put a record by mistake and no sender looks.
    #[serde(
        default,
        deserialize_with = "bounded::optional::<_, _, { MAX_RECORDS }>",
        skip_serializing_if = "Option::is_none"
    )]
    pub misplaced: Option<Vec<Lookup<TxtRecord>>>,
    /// The TXT RRset at `_mta-sts.<parent domain>`: a parent's policy never covers a subdomain (RFC 8461 §3.4).
    #[serde(default, deserialize_with = "dns::lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub parent: Option<Lookup<TxtRecord>>,
    /// The policy host `mta-sts.<domain>`: its addresses, and each of them over HTTPS (RFC 8461 §3.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_host: Option<PolicyHost>,
    /// The policy that is served there: left out when it could not be asked for, `null` when it was
    /// asked for and none is served (RFC 8461 §3.2).
    #[serde(default, deserialize_with = "known_or_absent", skip_serializing_if = "Option::is_none")]
    pub policy: Option<Option<Policy>>,
    /// Each MX host: its addresses, and each of them over SMTP with STARTTLS.
    #[serde(
        default,
        deserialize_with = "bounded::optional::<_, _, { MAX_RECORDS }>",
        skip_serializing_if = "Option::is_none"
    )]
    pub mx_hosts: Option<Vec<MxHost>>,
    /// The hosts named by `rua` (RFC 8460 §3): can reports be delivered there at all?
    #[serde(
        default,
        deserialize_with = "bounded::optional::<_, _, { MAX_RECORDS }>",
        skip_serializing_if = "Option::is_none"
    )]
    pub report_hosts: Option<Vec<ReportHost>>,
    /// What each of the zone's own name servers says, past every cache: do they agree (RFC 8461 §8.1)?
    #[serde(
        default,
        deserialize_with = "bounded::optional::<_, _, { MAX_RECORDS }>",
        skip_serializing_if = "Option::is_none"
    )]
    pub name_servers: Option<Vec<NameServer>>,
    /// What the collector did when, for the timeline in reports.
    #[serde(
        default,
        deserialize_with = "bounded::optional::<_, _, { MAX_TEXTS }>",
        skip_serializing_if = "Option::is_none"
    )]
    pub timeline: Option<Vec<Step>>,
}

impl Snapshot {
    /// An empty snapshot of `domain`: nothing in it was observed.
    pub fn of(domain: Option<&str>) -> Self {
        Snapshot { snapshot: SNAPSHOT_VERSION, domain: domain.map(str::to_owned), ..Snapshot::default() }
    }
}

/// How a collection was made: what a reader needs in order to judge or repeat it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Collection {
    /// The program and its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The resolver that was asked: `system`, or an address with its port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolver: Option<String>,
    /// How DNSSEC was judged: `validate`, `trust-ad` or `off`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dnssec: Option<String>,
    /// The trust anchors for certificates: `mozilla`, `system`, or a file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roots: Option<String>,
    /// The port that policy hosts were asked on, if not 443.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub https_port: Option<u16>,
    /// The port that MX hosts were asked on, if not 25.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_port: Option<u16>,
    /// Whether any MX host of the run answered on its SMTP port: where none does, the network here is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_connected: Option<bool>,
    /// Why parts were left out on purpose, for example `smtp: --no-smtp was given`.
    #[serde(
        default,
        deserialize_with = "bounded::list::<_, _, { MAX_RECORDS }>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub left_out: Vec<LeftOut>,
}

/// A part of the collection that was left out on purpose or could not be begun.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LeftOut {
    /// The field of the snapshot that was not observed, for example `mx_hosts`.
    pub field: String,
    /// Why.
    pub reason: String,
    /// The addresses that it concerns; left out where it concerns those of both families.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<AddressFamily>,
    /// The host that it concerns; left out where it concerns all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

vocabulary! {
    /// The version of the Internet Protocol that an address belongs to.
    pub enum AddressFamily {
        /// Version 4.
        Ipv4 = "IPv4",
        /// Version 6.
        Ipv6 = "IPv6",
    }
}

impl AddressFamily {
    /// The family of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { AddressFamily::Ipv4 } else { AddressFamily::Ipv6 }
    }
}

/// Why something could not be observed, or ended badly.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Failure {
    /// The kind, for programs.
    pub kind: FailureKind,
    /// What was being done, for programs; left out where that is a query, and where nothing was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<FailureStep>,
    /// One sentence for people. Text that a peer sent is escaped in it.
    #[serde(default)]
    pub detail: String,
}

impl Failure {
    /// The same failure, at this step.
    pub fn at(self, step: FailureStep) -> Self {
        Failure { step: Some(step), ..self }
    }
}

crate::vocabulary::vocabulary! {
    /// The steps of conversations with hosts.
    pub enum FailureStep {
        /// The body of a response.
        Body = "body",
        /// TCP, with a proxy on the way or without.
        Connection = "connection",
        /// EHLO and its reply.
        Ehlo = "ehlo",
        /// EHLO inside TLS and its reply.
        EhloAfterTls = "ehlo_after_tls",
        /// The greeting of an SMTP server.
        Greeting = "greeting",
        /// A request over HTTP and the head of its response.
        Response = "response",
        /// STARTTLS and its reply.
        Starttls = "starttls",
        /// The TLS handshake.
        TlsHandshake = "tls_handshake",
    }
}

crate::vocabulary::vocabulary! {
    /// The kinds of failure, over all protocols.
    pub enum FailureKind {
        /// The server demands a client's certificate, and senders have none.
        ClientCertificate = "client_certificate",
        /// The peer closed the connection before the exchange was complete.
        Closed = "closed",
        /// A limit of the collector was reached (lines, octets, addresses).
        Limit = "limit",
        /// The network or the host cannot be reached (no route, ICMP).
        Network = "network",
        /// The address is not public, and was not to be connected to.
        NotPublic = "not_public",
        /// Something else; the detail says what.
        Other = "other",
        /// The peer does not speak the protocol that was expected.
        Protocol = "protocol",
        /// The peer refused the connection (TCP RST to the SYN).
        Refused = "refused",
        /// The peer reset the connection.
        Reset = "reset",
        /// The resolver that was asked failed, so nothing is known about the domain.
        Resolver = "resolver",
        /// The time limit passed.
        Timeout = "timeout",
        /// The peer ended the TLS handshake with an alert.
        TlsAlert = "tls_alert",
        /// The TLS handshake failed in another way.
        TlsHandshake = "tls_handshake",
    }
}

/// One address of a name server of the domain's own zone, asked directly and without recursion.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NameServer {
    /// Its name, as the NS record has it, without the trailing dot.
    #[serde(deserialize_with = "bounded::name")]
    pub name: String,
    /// The address that was asked. Left out where the name has none that could be found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// Its answer for TXT at `_mta-sts.<domain>`; an alias is an answer, and not followed.
    #[serde(default, deserialize_with = "dns::lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub record: Option<Lookup<TxtRecord>>,
    /// Its answer for TXT at `_smtp._tls.<domain>`.
    #[serde(default, deserialize_with = "dns::lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub tlsrpt: Option<Lookup<TxtRecord>>,
    /// Its answer for MX at the domain.
    #[serde(default, deserialize_with = "dns::lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub mx: Option<Lookup<MxRecord>>,
    /// Whether that answer came with authority (RFC 1035 §4.1.1): a server without is lame for the zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<bool>,
}

/// A host that a `rua` of the TLSRPT record names.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReportHost {
    /// The domain of a `mailto:` or the host of an `https:` URI.
    #[serde(deserialize_with = "bounded::name")]
    pub name: String,
    /// Its MX RRset (for `mailto:`).
    #[serde(default, deserialize_with = "dns::lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub mx: Option<Lookup<MxRecord>>,
    /// Its A RRset.
    #[serde(default, deserialize_with = "dns::lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<Lookup<AddressRecord>>,
    /// Its AAAA RRset.
    #[serde(default, deserialize_with = "dns::lookup_or_absent", skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<Lookup<AddressRecord>>,
}

/// One step of a collection, for the timeline.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Step {
    /// What was done, for example `TXT _mta-sts.example.com`.
    pub name: String,
    /// When it began, in milliseconds after `collected_at`.
    pub start_ms: u64,
    /// When it ended, in milliseconds after `collected_at`.
    pub end_ms: u64,
}

/// Reads `null` as known absent: a field that is left out never comes here.
fn known_or_absent<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}
