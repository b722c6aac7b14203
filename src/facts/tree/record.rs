//! Part of the tree of facts: the `_mta-sts` TXT record, and what every record's text is made of.

use super::dns::{MisplacedFacts, PROVEN};
use crate::snapshot::{DnsOutcome, DnssecProof};

facts! {
    /// The `_mta-sts` TXT record.
    pub struct RecordFacts {
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
        /// How many TXT records begin with `v=STSv1;` (RFC 8461 §3.1).
        count: i64,
        /// How many TXT records there are at the name, foreign ones included.
        texts: i64,
        /// The record that a sender would use, or the one that was meant; `null` where there is none.
        text: Option<String>,
        /// Whether that record begins with the octets `v=STSv1;`.
        begins: bool,
        /// What is wrong with its version tag; `null` where nothing is, or where there is no record.
        version_problem: Option<String>,
        /// Whether white space is between `v=STSv1` and `;` (erratum 6285).
        version_space: bool,
        /// The value of the first `id` as it is written; `null` where there is none.
        id: Option<String>,
        /// An id to publish next: when the facts were observed, in digits.
        fresh_id: String,
        /// What is wrong with that value; `null` where nothing is.
        id_problem: Option<String>,
        /// The fields after the version, in order.
        fields: Vec<FieldFacts>,
        /// Places that break the grammar of RFC 8461 §3.1.
        syntax_offences: Vec<OffenceFacts>,
        /// Places that are not US-ASCII.
        ascii_offences: Vec<OffenceFacts>,
        /// How many character-strings the record is made of.
        strings: i64,
        /// Other TXT records at the name, which senders drop.
        foreign: Vec<TextFacts>,
        /// Records of MTA-STS at names where no sender looks.
        misplaced: Vec<MisplacedFacts>,
        /// The texts that every name below the domain answers with: a wildcard TXT record.
        wildcard: Vec<String>,
        /// Whether there is any trace of MTA-STS: a record (broken, misplaced and delegated ones too), a policy, a policy
        /// host, or one of them in an older observation.
        set_up: bool,
        /// Whether a sender can use the record: exactly one, and valid.
        usable: bool,
        /// The whole record as it should be; `null` where there is nothing to fix or no safe way.
        corrected: Option<String>,
    }
}

facts! {
    /// A field of a TXT record.
    pub struct FieldFacts {
        /// The name as it is written.
        name: String,
        /// The value as it is written.
        value: String,
        /// Whether the name is registered.
        known: bool,
        /// Whether an earlier field has the same name.
        duplicate: bool,
        /// The registered name that was probably meant; `null` where none is near.
        meant: Option<String>,
        /// Whether the name belongs to DMARC (RFC 7489).
        dmarc: bool,
        /// Whether the value is a placeholder of an example or a template, such as `YYYYMMDD`.
        placeholder: bool,
        /// The number of the line in the policy, counted from 1; 0 in TXT records.
        line: i64,
    }
}

facts! {
    /// A place in a text that breaks its grammar.
    pub struct OffenceFacts {
        /// What is wrong, for people.
        detail: String,
        /// The number of the line in the policy, counted from 1; 0 in TXT records.
        line: i64,
        /// What to write instead; `null` where it cannot be told.
        suggestion: Option<String>,
        /// How many lines it runs through; 1 for most.
        lines: i64,
        /// Whether to fix it is to throw away words that somebody wrote, as in a comment.
        discards: bool,
    }
}

facts! {
    /// A TXT record.
    pub struct TextFacts {
        /// Its character-strings joined.
        text: String,
    }
}
