//! Part of the tree of facts: how DNS queries ended, and what the zone's own name servers say.

use crate::snapshot::{AddressFamily, DnsOutcome, DnssecProof};

/// What is known of the domain where DNSSEC was looked at; *indeterminate* is known of the place that looked.
pub const PROVEN: [&str; 3] = [DnssecProof::Bogus.word(), DnssecProof::Insecure.word(), DnssecProof::Secure.word()];
use crate::vocabulary::vocabulary;

vocabulary! {
    /// A type of record.
    pub enum RecordType {
        /// An IPv4 address (RFC 1035 §3.4.1).
        A = "A",
        /// An IPv6 address (RFC 3596 §2.1).
        Aaaa = "AAAA",
        /// A mail exchange (RFC 1035 §3.3.9).
        Mx = "MX",
        /// A certificate association (RFC 6698 §2.1).
        Tlsa = "TLSA",
        /// Text (RFC 1035 §3.3.14).
        Txt = "TXT",
    }
}

vocabulary! {
    /// What an address is for (RFC 6890).
    pub enum AddressKind {
        /// For examples in documents.
        Documentation = "documentation",
        /// For one link.
        LinkLocal = "link-local",
        /// For one host.
        Loopback = "loopback",
        /// For groups of hosts.
        Multicast = "multicast",
        /// For private networks.
        Private = "private",
        /// For the whole internet.
        Public = "public",
        /// For protocols, benchmarks and the future.
        Reserved = "reserved",
        /// For carriers' address translation (RFC 6598).
        Shared = "shared",
        /// No address at all.
        Unspecified = "unspecified",
    }
}

facts! {
    /// The zone's own name servers, asked one by one.
    pub struct NameServersFacts {
        /// How many of their addresses were asked.
        asked: i64,
        /// How many of them answered the question for the `_mta-sts` record.
        answered: i64,
        /// Whether all that answered say the same.
        consistent: bool,
        /// What they disagree about, for people.
        differences: Vec<String>,
        /// Each of their addresses.
        servers: Vec<NameServerFacts>,
    }
}

facts! {
    /// One address of a name server of the zone.
    pub struct NameServerFacts {
        /// Its name.
        name: String,
        /// The address; `null` where none was found.
        address: Option<String>,
        /// What is wrong with its answer for the MX records, for people; `null` where it answers with authority.
        problem: Option<String>,
    }
}

facts! {
    /// A DNS query and how it ended.
    pub struct QuestionFacts {
        /// The name that was asked for.
        name: String,
        /// The type of record.
        kind: RecordType,
        /// How it ended.
        outcome: DnsOutcome,
        /// Whether the failure lies with the resolver or the network here, and so tells nothing of the domain.
        local: bool,
        /// What DNSSEC says of the answer.
        #[schemars(extend("enum" = PROVEN))]
        dnssec: DnssecProof,
        /// Why the answer is bogus, or why that cannot be told, for people; `null` where there is nothing to tell.
        dnssec_reason: Option<String>,
        /// What the resolver says about the answer beside its response code (RFC 8914), in words; empty for most.
        extended_errors: Vec<String>,
        /// The lowest TTL that the answer's records were published with, in seconds; `null` where there are none.
        ttl: Option<i64>,
        /// The same as it was seen: where a resolver's cache answered, what that had left of it.
        ttl_seen: Option<i64>,
        /// How it ended at first, where it was put again; `null` where once was enough.
        first_try: Option<String>,
        /// Whether every sender asks this question before it delivers.
        needed: bool,
        /// What came instead of an answer, for people; `null` where an answer came.
        detail: Option<String>,
    }
}

facts! {
    /// An address of a host.
    pub struct AddressFacts {
        /// The address.
        address: String,
        /// Which version of the Internet Protocol it belongs to.
        family: AddressFamily,
        /// Whether the whole internet can reach it (RFC 6890).
        public: bool,
        /// What kind it is.
        kind: AddressKind,
        /// The names that it leads back to (PTR, RFC 1035 §3.5), in lower case; empty where there are none. Of MX hosts, and
        /// observed only with `--reverse-names`.
        #[schemars(extend("x-form" = "name"))]
        reverse_names: Vec<String>,
    }
}

vocabulary! {
    /// How a record came to a name where no sender looks.
    pub enum Slip {
        /// At the domain itself, without the labels before it.
        Bare = "bare",
        /// By a name that was written out where the DNS panel appends the zone: the zone is there twice.
        Doubled = "doubled",
        /// At another name than the standard's, as drafts had it or as people guess.
        Renamed = "renamed",
        /// Without an underscore that belongs there, or with another mark in its place.
        Underscore = "underscore",
        /// Below `www`.
        Www = "www",
    }
}

facts! {
    /// A record at a name where no sender looks.
    pub struct MisplacedFacts {
        /// The name.
        name: String,
        /// How it came there.
        slip: Slip,
        /// Its text.
        text: String,
    }
}
