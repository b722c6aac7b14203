//! Part of the tree of facts: the `_smtp._tls` TXT record and its destinations.

use super::dns::{MisplacedFacts, PROVEN};
use super::record::{FieldFacts, OffenceFacts, TextFacts};
use crate::snapshot::{DnsOutcome, DnssecProof};

facts! {
    /// The `_smtp._tls` TXT record.
    pub struct TlsrptFacts {
        /// How the question ended.
        outcome: DnsOutcome,
        /// The TTL that the record was published with, in seconds; `null` where there is no record.
        ttl: Option<i64>,
        /// The same as it was seen: where a resolver's cache answered, what that had left of it.
        ttl_seen: Option<i64>,
        /// What DNSSEC says of the answer.
        #[schemars(extend("enum" = PROVEN))]
        dnssec: DnssecProof,
        /// Where a CNAME at the name points, the first of them where there are several; `null` where there is none.
        #[schemars(extend("x-form" = "name"))]
        alias: Option<String>,
        /// The names that the CNAMEs lead through, in order; empty where there is none.
        #[schemars(extend("x-form" = "name"))]
        aliases: Vec<String>,
        /// The name where the CNAMEs end; `null` where there is none.
        #[schemars(extend("x-form" = "name"))]
        canonical: Option<String>,
        /// Whether a CNAME at the name leads to no TXT record.
        dangling: bool,
        /// How many TXT records begin with `v=TLSRPTv1;` (RFC 8460 §3).
        count: i64,
        /// How many TXT records there are at the name, foreign ones included.
        texts: i64,
        /// The TXT records at the name that are no records of TLSRPT.
        foreign: Vec<TextFacts>,
        /// The record that a sender would use, or the one that was meant; `null` where there is none.
        text: Option<String>,
        /// What is wrong with its version tag; `null` where nothing is, or where there is no record.
        version_problem: Option<String>,
        /// Whether white space is between `v=TLSRPTv1` and `;`.
        version_space: bool,
        /// The fields after the version, in order.
        fields: Vec<FieldFacts>,
        /// Places that break the grammar of RFC 8460 §3.
        syntax_offences: Vec<OffenceFacts>,
        /// Places that are not US-ASCII.
        ascii_offences: Vec<OffenceFacts>,
        /// How many character-strings the record is made of.
        strings: i64,
        /// How many fields are named `rua`.
        rua_fields: i64,
        /// Why there is no destination for reports; `null` where there is one.
        rua_problem: Option<String>,
        /// The destinations of all `rua` fields, in order.
        rua: Vec<DestinationFacts>,
        /// Destinations that are cut short by a raw `;`.
        truncated: Vec<OffenceFacts>,
        /// Whether each piece that a raw `;` cuts off is a field by the grammar, so that senders read the record and skip it.
        truncated_parses: bool,
        /// Records of TLSRPT at names where no sender looks.
        misplaced: Vec<MisplacedFacts>,
        /// The texts that every name below the domain answers with: a wildcard TXT record.
        wildcard: Vec<String>,
        /// Whether a sender can use the record: exactly one, valid, with a destination.
        usable: bool,
        /// Whether every usable destination is a mailbox of the very domain under policy.
        own_domain_only: bool,
        /// The whole record as it should be; `null` where there is nothing to fix or no safe way.
        corrected: Option<String>,
    }
}

facts! {
    /// A destination for reports.
    pub struct DestinationFacts {
        /// As it is written.
        text: String,
        /// The scheme in lower case; `null` where there is none.
        #[schemars(extend("x-form" = "lower", "x-known" = ["http", "https", "mailto"]))]
        scheme: Option<String>,
        /// The domain of a `mailto:`, or the host of an `https:` URI; `null` where there is none.
        #[schemars(extend("x-form" = "lower"))]
        host: Option<String>,
        /// What is wrong with the scheme, for people; `null` where nothing is.
        scheme_problem: Option<String>,
        /// What is wrong with the URI, for people; `null` where nothing is.
        uri_problem: Option<String>,
        /// The DMARC-style size suffix; `null` where there is none.
        size_suffix: Option<String>,
        /// What was probably meant; `null` where it cannot be told.
        suggestion: Option<String>,
        /// Whether its host is a placeholder of an example, such as `yourdomain.com`.
        placeholder: bool,
        /// Whether mail or a connection can get there: MX or address records exist.
        resolves: bool,
    }
}
