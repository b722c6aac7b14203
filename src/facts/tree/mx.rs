//! Part of the tree of facts: how the domain receives mail: MX hosts and their TLSA records.

use super::dns::{AddressFacts, PROVEN};
use super::near_miss::NearMissFacts;
use super::smtp::SmtpFacts;
use crate::facts::provider_names;
use crate::facts::tlsa_miss::TlsaMiss;
use crate::snapshot::{DnsOutcome, DnssecProof};

facts! {
    /// How the domain receives mail.
    pub struct MxFacts {
        /// How the MX question ended.
        outcome: DnsOutcome,
        /// The TTL that the MX RRset was published with, in seconds; `null` where there is none.
        ttl: Option<i64>,
        /// The same as it was seen: where a resolver's cache answered, what that had left of it.
        ttl_seen: Option<i64>,
        /// What DNSSEC says of the MX answer.
        #[schemars(extend("enum" = PROVEN))]
        dnssec: DnssecProof,
        /// Where a CNAME at the domain itself points, the first of them where there are several; `null` where there is none.
        #[schemars(extend("x-form" = "name"))]
        alias: Option<String>,
        /// The names that the CNAMEs lead through, in order; empty where there is none.
        #[schemars(extend("x-form" = "name"))]
        aliases: Vec<String>,
        /// The name where the CNAMEs end; `null` where there is none.
        #[schemars(extend("x-form" = "name"))]
        canonical: Option<String>,
        /// Whether the domain has an MX RRset.
        published: bool,
        /// Whether the domain receives mail at its own address for want of an MX RRset (implicit MX).
        implicit: bool,
        /// Whether a null MX (`0 .`, RFC 7505) is alone: the domain takes no mail.
        null_mx: bool,
        /// How many of the MX records are a null MX.
        null_records: i64,
        /// The highest preference that a null MX has (0 by RFC 7505 §3); `null` where there is none.
        null_preference: Option<i64>,
        /// How many MX records there are, the null MX included.
        records: i64,
        /// Every MX host in order of preference, without the null MX; with an implicit MX the domain itself.
        hosts: Vec<MxHostFacts>,
        /// The provider of mail that all MX hosts belong to; `null` where there is none, or none that is known.
        #[schemars(extend("enum" = provider_names::of_mail()))]
        provider: Option<String>,
        /// Whether the domain takes mail at all: it has an MX host, named or implicit.
        receives_mail: bool,
    }
}

facts! {
    /// One MX host.
    pub struct MxHostFacts {
        /// The exchange in lower case without the trailing dot: the name that policy and certificate must name.
        #[schemars(extend("x-form" = "name"))]
        name: String,
        /// The preference: lower is tried first; `null` for an implicit MX.
        preference: Option<i64>,
        /// Why no certificate could name this exchange; `null` where it is a host name (RFC 5321 §4.1.2).
        name_problem: Option<String>,
        /// The provider of mail whose host it is, by `rules/providers/mx.yaml`; `null` where none is known.
        #[schemars(extend("enum" = provider_names::of_mail()))]
        provider: Option<String>,
        /// Who runs the host, as the subject of a sentence, where that is not the domain itself: its provider, or whoever
        /// has the zone that its name is in; `null` where it is in the domain's own zone.
        run_by: Option<String>,
        /// Where a CNAME at the exchange points, the first of them where there are several; `null` where there is none.
        #[schemars(extend("x-form" = "name"))]
        alias: Option<String>,
        /// The names that the CNAMEs lead through, in order; empty where there is none.
        #[schemars(extend("x-form" = "name"))]
        aliases: Vec<String>,
        /// The name where the CNAMEs end; `null` where there is none.
        #[schemars(extend("x-form" = "name"))]
        canonical: Option<String>,
        /// The lower TTL that its A and AAAA RRsets were published with, in seconds; `null` where it has no address.
        ttl: Option<i64>,
        /// The same as it was seen: where a resolver's cache answered, what that had left of it.
        ttl_seen: Option<i64>,
        /// Whether the exchange has an address.
        resolves: bool,
        /// What every sender gets instead when it asks for its addresses; `null` where it gets some, or learns that
        /// there are none.
        unresolved: Option<String>,
        /// Its addresses, A before AAAA.
        addresses: Vec<AddressFacts>,
        /// Whether the policy names it by an `mx` pattern (RFC 8461 §4.1); `null` where no policy requires it.
        covered: Option<bool>,
        /// The first pattern that matches it; `null` where none does.
        covered_by: Option<String>,
        /// A pattern that would cover it.
        pattern: String,
        /// The `mx` line that comes nearest to it without matching; `null` where one matches, or where none is near.
        near_miss: Option<NearMissFacts>,
        /// The MX hosts, this one among them, of which that line comes nearest to each; empty where there is no such line.
        near_miss_of: Vec<String>,
        /// The text that, at its place in the policy, makes the policy name the host; `null` where it need not.
        correction: Option<String>,
        /// Each address as it answered on the SMTP port.
        probes: Vec<SmtpFacts>,
        /// Whether all addresses behave alike: STARTTLS, certificate, version of TLS.
        consistent: bool,
        /// What differs between the addresses, for people; `null` where nothing does.
        difference: Option<String>,
        /// The TLSA records at `_25._tcp.<exchange>` (RFC 7672).
        tlsa: Vec<TlsaFacts>,
        /// The records of the keys that it presents, as a zone file writes them: `3 1 1 …`, each once.
        tlsa_needed: Vec<String>,
        /// How the TLSA question ended.
        tlsa_outcome: DnsOutcome,
        /// The TTL of the TLSA records in seconds; `null` where there are none.
        tlsa_ttl: Option<i64>,
        /// What DNSSEC says of the TLSA answer.
        #[schemars(extend("enum" = PROVEN))]
        tlsa_dnssec: DnssecProof,
        /// What DNSSEC says of the address answers.
        #[schemars(extend("enum" = PROVEN))]
        dnssec: DnssecProof,
    }
}

facts! {
    /// A TLSA record (RFC 6698 §2.1).
    pub struct TlsaFacts {
        /// Certificate usage, 0 to 3.
        usage: i64,
        /// Selector: 0 the certificate, 1 its public key.
        selector: i64,
        /// Matching type: 0 exact, 1 SHA-256, 2 SHA-512.
        matching: i64,
        /// As a zone file writes it.
        text: String,
        /// Whether a sender may use it for SMTP: usage 2 or 3, known selector and matching type, a digest of the right
        /// length (RFC 7672 §3.1).
        usable: bool,
        /// Why it may not, for people; `null` where it may.
        problem: Option<String>,
        /// Why it is usable and matches no chain; `null` where it does, is not usable, or is not among the first eight.
        miss: Option<TlsaMiss>,
        /// The same for people, as the second half of a sentence that begins with the record.
        miss_reason: Option<String>,
        /// Whether it matches a chain that the host presented, and none of its addresses is without such a record.
        matches: bool,
    }
}
