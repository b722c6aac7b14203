//! Part of the tree of facts: how DNS queries ended, and what the zone's own name servers say.

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
    }
}

facts! {
    /// A DNS question and how it ended.
    pub struct QuestionFacts {
        /// The name that was asked for.
        name: String,
        /// The type of record: `A`, `AAAA`, `MX`, `TXT`, `TLSA`.
        kind: String,
        /// How it ended: answer, nodata, nxdomain, servfail, refused, timeout, network, malformed, other.
        outcome: String,
        /// Whether the failure lies with the resolver or the network here, and so tells nothing of the domain.
        local: bool,
        /// What DNSSEC says of the answer: secure, insecure, bogus, indeterminate, unchecked.
        dnssec: String,
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
        /// `IPv4` or `IPv6`.
        family: String,
        /// Whether the whole internet can reach it (RFC 6890).
        public: bool,
        /// What kind it is: public, private, loopback, link-local, documentation, shared, multicast, reserved, unspecified.
        kind: String,
    }
}

facts! {
    /// A record at a name where no sender looks.
    pub struct MisplacedFacts {
        /// The name.
        name: String,
        /// Its text.
        text: String,
    }
}
