//! The DNS records of the lab in the words of a zone file, and the questions that go wrong.
//!
//! A [`Scenario`](super::Scenario) is written with these; the name server makes zones of them.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The time to live of a record that says nothing else, in seconds.
pub(super) const DEFAULT_TTL: u32 = 3_600;

/// One resource record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// The owner name, absolute, with or without the final dot.
    pub name: String,
    /// The time to live in seconds. The records of one set share the smallest.
    pub ttl: u32,
    /// The type and what it holds.
    pub data: RecordData,
}

impl Record {
    /// A record that lives for an hour.
    pub fn new(name: &str, data: RecordData) -> Self {
        Self { name: name.to_owned(), ttl: DEFAULT_TTL, data }
    }

    /// An MX record, RFC 7505 §3 for the null one: preference 0 and the exchange `.`.
    pub fn mx(name: &str, preference: u16, exchange: &str) -> Self {
        Self::new(name, RecordData::Mx { preference, exchange: exchange.to_owned() })
    }

    /// A TXT record of one character-string, at most 255 octets long.
    pub fn txt(name: &str, text: &str) -> Self {
        Self::new(name, RecordData::Txt(vec![text.as_bytes().to_vec()]))
    }
}

/// The type of a record and its fields.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RecordData {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// An alias: the name that it represents.
    Cname(String),
    /// An alias of all names below it, RFC 6672: the name below which they are.
    Dname(String),
    /// A key beside the zone's own, signed with it, RFC 4034 §2.1: one that signs records, and not keys.
    Dnskey {
        /// The number of the algorithm.
        algorithm: u8,
        /// The key as the algorithm has it.
        key: Vec<u8>,
    },
    /// A host that takes the domain's mail.
    Mx {
        /// The preference; the lowest is tried first.
        preference: u16,
        /// The name of the host.
        exchange: String,
    },
    /// A name that an address leads back to, RFC 1035 §3.3.12.
    Ptr(String),
    /// A TLSA record, RFC 7672 §3.1.
    Tlsa {
        /// The certificate usage.
        usage: u8,
        /// The selector.
        selector: u8,
        /// The matching type.
        matching: u8,
        /// The certificate association.
        association: Vec<u8>,
    },
    /// A text: its character-strings as they are, any octets, each at most 255 long.
    Txt(Vec<Vec<u8>>),
}

/// A question that the servers do not answer as they should.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DnsFault {
    /// The name asked for.
    pub name: String,
    /// What happens to whoever asks, whatever the type.
    pub kind: DnsFaultKind,
}

impl DnsFault {
    /// A fault at one name.
    pub fn new(name: &str, kind: DnsFaultKind) -> Self {
        Self { name: name.to_owned(), kind }
    }
}

/// What happens to a question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DnsFaultKind {
    /// No answer ever comes.
    NoAnswer,
    /// The answer is REFUSED.
    Refused,
    /// The answer is SERVFAIL.
    ServFail,
}

/// How the zone of a scenario is in DNSSEC.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dnssec {
    /// Signed, but by another key than its parent vouches for: no validating resolver believes it.
    Bogus,
    /// Not signed, and its parent says so.
    Insecure,
    /// Signed, and absences proven with so many iterations of NSEC3 that few care to compute them (RFC 9276 §3.2).
    ManyIterations,
    /// Signed, with a chain from the root.
    Secure,
    /// Signed with Ed448 (RFC 8080), as its parent says, which not everybody can validate.
    WithEd448,
}
