//! The tree that rules see: every path, its type and its meaning.
//!
//! The doc comments here are what `stslint facts` prints. A `Fact<Option<T>>` can be known to be absent
//! (`null`); every fact can be left out because it was not observed.

use schemars::JsonSchema;
use serde::Serialize;

use super::fact::Fact;

/// Declares a part of the tree: a serialisable struct whose facts are left out when they were not observed.
macro_rules! facts {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(skip_serializing_if = "Fact::is_unobserved")]
                pub $field: Fact<$type>,
            )*
        }
    };
}

facts! {
    /// Everything that rules can ask about a domain.
    pub struct FactTree {
        /// The Policy Domain (RFC 8461 §1.1), in A-labels and lower case; `null` where none was given.
        domain: Option<String>,
        /// The parent domain, where the domain is no registrable domain itself; `null` where it is.
        parent: Option<ParentFacts>,
        /// When the facts were observed: RFC 3339, UTC.
        collected_at: String,
        /// How the domain receives mail (RFC 5321 §5.1).
        mx: MxFacts,
        /// The `_mta-sts` TXT record (RFC 8461 §3.1).
        record: RecordFacts,
        /// The policy host `mta-sts.<domain>` over HTTPS (RFC 8461 §3.3).
        policy_host: PolicyHostFacts,
        /// The policy body (RFC 8461 §3.2).
        policy: PolicyFacts,
        /// The `_smtp._tls` TXT record (RFC 8460 §3).
        tlsrpt: TlsrptFacts,
        /// An older observation of the same domain; `null` where none was given.
        baseline: Option<BaselineFacts>,
        /// What the zone's own name servers say, past every cache; `null` where they were not asked.
        name_servers: Option<NameServersFacts>,
        /// Every DNS question that was asked about the domain.
        questions: Vec<QuestionFacts>,
        /// Whether no MX host of the run answered on its SMTP port, so that the network here is the likely cause.
        smtp_blocked: bool,
        /// Whether the hosts were asked on ports 443 and 25, as senders do; false in labs.
        standard_ports: bool,
    }
}

facts! {
    /// The parent domain's own record: a parent's policy never covers a subdomain (RFC 8461 §3.4).
    pub struct ParentFacts {
        /// The parent domain.
        domain: String,
        /// Whether it publishes a record of its own.
        published: bool,
    }
}

facts! {
    /// An older observation of the same domain.
    pub struct BaselineFacts {
        /// When it was made: RFC 3339, UTC.
        collected_at: String,
        /// The `id` of its record; `null` where there was none.
        id: Option<String>,
        /// The body of its policy; `null` where none was served.
        body: Option<String>,
        /// The mode of its policy; `null` where there was no valid one.
        mode: Option<String>,
        /// The life of its policy in seconds; `null` where there was no valid one.
        max_age: Option<i64>,
        /// Its `mx` patterns.
        patterns: Vec<String>,
        /// The present MX hosts that its policy, which senders may still hold, does not cover.
        uncovered: Vec<String>,
        /// Whether its policy is older than its `max_age`, so that no sender holds what was observed then.
        expired: bool,
        /// Whether the present policy says the same: mode, `max_age` and `mx` patterns, whatever their order.
        same_policy: bool,
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
    /// How the domain receives mail.
    pub struct MxFacts {
        /// How the MX question ended: answer, nodata, nxdomain, servfail, refused, timeout, network, malformed, other.
        outcome: String,
        /// The TTL of the MX RRset in seconds; `null` where there is none.
        ttl: Option<i64>,
        /// What DNSSEC says of the MX answer: secure, insecure, bogus, indeterminate, unchecked.
        dnssec: String,
        /// Where a CNAME at the domain itself points; `null` where there is none.
        alias: Option<String>,
        /// Whether the domain has an MX RRset.
        published: bool,
        /// Whether the domain receives mail at its own address for want of an MX RRset (implicit MX).
        implicit: bool,
        /// Whether a null MX (`0 .`, RFC 7505) stands alone: the domain takes no mail.
        null_mx: bool,
        /// How many of the MX records are a null MX.
        null_records: i64,
        /// How many MX records there are, the null MX included.
        records: i64,
        /// Every MX host in order of preference, without the null MX; with an implicit MX the domain itself.
        hosts: Vec<MxHostFacts>,
        /// Whether the domain takes mail at all: it has an MX host, named or implicit.
        receives_mail: bool,
    }
}

facts! {
    /// One MX host.
    pub struct MxHostFacts {
        /// The exchange in lower case without the trailing dot: the name that policy and certificate must name.
        name: String,
        /// The preference: lower is tried first; `null` for an implicit MX.
        preference: Option<i64>,
        /// Why no certificate could name this exchange; `null` where it is a host name (RFC 5321 §4.1.2).
        name_problem: Option<String>,
        /// Where a CNAME at the exchange points; `null` where there is none.
        alias: Option<String>,
        /// Whether the exchange has an address.
        resolves: bool,
        /// Its addresses, A before AAAA.
        addresses: Vec<AddressFacts>,
        /// Whether the policy names it by an `mx` pattern (RFC 8461 §4.1); `null` where no policy asks for it.
        covered: Option<bool>,
        /// The first pattern that matches it; `null` where none does.
        covered_by: Option<String>,
        /// A pattern that would cover it.
        pattern: String,
        /// Each address as it answered on the SMTP port.
        probes: Vec<SmtpFacts>,
        /// Whether all addresses behave alike: STARTTLS, certificate, version of TLS.
        consistent: bool,
        /// What differs between the addresses, for people; `null` where nothing does.
        difference: Option<String>,
        /// The TLSA records at `_25._tcp.<exchange>` (RFC 7672).
        tlsa: Vec<TlsaFacts>,
        /// How the TLSA question ended.
        tlsa_outcome: String,
        /// What DNSSEC says of the TLSA answer.
        tlsa_dnssec: String,
        /// What DNSSEC says of the address answers.
        dnssec: String,
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
        /// Whether it matches a chain that the host presented, and none of its addresses is without such a record.
        matches: bool,
    }
}

facts! {
    /// One address of an MX host, spoken to as a sender would.
    pub struct SmtpFacts {
        /// The address.
        address: String,
        /// Whether TCP connected.
        connected: bool,
        /// What went wrong, for people; `null` where nothing did.
        failure: Option<String>,
        /// The kind of what went wrong: timeout, refused, closed, reset, network, protocol…; `null` where nothing did.
        failure_kind: Option<String>,
        /// The greeting; `null` where none came in time.
        greeting: Option<ReplyFacts>,
        /// The reply to EHLO; `null` where none came.
        ehlo: Option<ReplyFacts>,
        /// Whether STARTTLS is among the EHLO keywords.
        starttls_offered: bool,
        /// The reply to STARTTLS; `null` where none came.
        starttls: Option<ReplyFacts>,
        /// What came after the 220 and before the handshake, escaped; empty as it should be.
        after_starttls: String,
        /// The TLS handshake.
        tls: TlsSessionFacts,
        /// The reply to EHLO after the handshake; `null` where none came.
        ehlo_after_tls: Option<ReplyFacts>,
        /// Whether REQUIRETLS (RFC 8689) is offered after the handshake.
        requiretls: bool,
        /// Whether a handshake without SNI succeeds too (RFC 8461 §7.1).
        without_sni: bool,
        /// What a handshake without SNI ended with, for people; `null` where it succeeded.
        without_sni_failure: Option<String>,
    }
}

facts! {
    /// A reply of an SMTP server.
    pub struct ReplyFacts {
        /// The reply code.
        code: i64,
        /// The code and its text, escaped, in one line.
        text: String,
        /// For EHLO: the keywords in upper case.
        keywords: Vec<String>,
    }
}

facts! {
    /// A TLS handshake and the chain that came with it.
    pub struct TlsSessionFacts {
        /// Whether the handshake succeeded, whatever the certificate is worth.
        handshake: bool,
        /// Why it failed, for people; `null` where it did not.
        failure: Option<String>,
        /// The protocol version: TLSv1.2, TLSv1.3; `null` where there is none.
        version: Option<String>,
        /// The cipher suite; `null` where there is none.
        cipher: Option<String>,
        /// The host's own certificate; `null` where none came.
        certificate: Option<CertificateFacts>,
        /// Every certificate that was sent, the host's own first.
        chain: Vec<CertificateFacts>,
        /// Whether the chain leads to a trusted root, judged apart from name and dates.
        trusted: bool,
        /// The verdict on the chain: trusted, self_signed, unknown_issuer, missing_intermediate, bad_signature,
        /// wrong_purpose, name_constraint, issuer_expired, malformed, other.
        trust: String,
        /// The verifier's reason; `null` where there is none.
        trust_detail: Option<String>,
        /// Whether each certificate that was sent is the issuer of the one before it.
        chain_ordered: bool,
        /// The certificates that were sent out of order or do not belong to the chain, by subject.
        strays: Vec<String>,
        /// What is weak in the chain, for people: small keys, MD5 or SHA-1 signatures.
        weaknesses: Vec<String>,
    }
}

facts! {
    /// A certificate (RFC 5280).
    pub struct CertificateFacts {
        /// The subject's distinguished name.
        subject: String,
        /// The issuer's distinguished name.
        issuer: String,
        /// The DNS-IDs: dNSName entries of the subjectAltName.
        dns_ids: Vec<String>,
        /// The subject's common names, which no sender may match (RFC 9525 §2).
        common_names: Vec<String>,
        /// How it names the host: exact, wildcard, partial_wildcard, common_name (which does not count), none.
        name_match: String,
        /// Valid from: RFC 3339, UTC.
        not_before: String,
        /// Valid until: RFC 3339, UTC.
        not_after: String,
        /// Whether its time is over.
        expired: bool,
        /// Whether its time has not yet come.
        not_yet_valid: bool,
        /// The days that are left, rounded down; negative once it has expired.
        days_left: i64,
        /// The days of its whole life.
        lifetime_days: i64,
        /// Whether subject and issuer are the same.
        self_issued: bool,
        /// The key's algorithm: RSA, EC, Ed25519…; `null` where it is unknown.
        key_algorithm: Option<String>,
        /// The key's size in bits; `null` where it is unknown.
        key_bits: Option<i64>,
        /// The algorithm of the issuer's signature; `null` where it is unknown.
        signature_algorithm: Option<String>,
        /// Whether its extendedKeyUsage allows TLS servers; true where there is no such extension (RFC 5280 §4.2.1.12).
        server_auth: bool,
        /// The purposes of its extendedKeyUsage.
        purposes: Vec<String>,
    }
}

facts! {
    /// The `_mta-sts` TXT record.
    pub struct RecordFacts {
        /// How the question ended: answer, nodata, nxdomain, servfail, refused, timeout, network, malformed, other.
        outcome: String,
        /// The TTL in seconds; `null` where there is no record.
        ttl: Option<i64>,
        /// What DNSSEC says of the answer: secure, insecure, bogus, indeterminate, unchecked.
        dnssec: String,
        /// Where a CNAME at the name points; `null` where there is none.
        alias: Option<String>,
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
        /// Whether white space stands between `v=STSv1` and `;` (erratum 6285).
        version_space: bool,
        /// The value of the first `id` as it is written; `null` where there is none.
        id: Option<String>,
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
        /// Whether a sender can use the record: exactly one, and valid.
        usable: bool,
        /// The whole record as it should be; `null` where there is nothing to mend or no safe way.
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
        /// Whether to mend it is to throw away words that somebody wrote, as in a comment.
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

facts! {
    /// A record at a name where no sender looks.
    pub struct MisplacedFacts {
        /// The name.
        name: String,
        /// Its text.
        text: String,
    }
}

facts! {
    /// The policy host.
    pub struct PolicyHostFacts {
        /// Its name: `mta-sts.<domain>`.
        name: String,
        /// Whether it has an address.
        resolves: bool,
        /// How the address questions ended, the better of the two.
        outcome: String,
        /// Where a CNAME at the name points; `null` where there is none.
        alias: Option<String>,
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
        failure_kind: Option<String>,
        /// The TLS handshake.
        tls: TlsSessionFacts,
        /// The status code; `null` where no response came.
        status: Option<i64>,
        /// The Location of a redirect; `null` where there is none.
        location: Option<String>,
        /// The media type in lower case without its parameters; `null` where there is no Content-Type.
        media_type: Option<String>,
        /// The charset parameter in lower case; `null` where there is none.
        charset: Option<String>,
        /// The Content-Encoding; `null` where there is none.
        content_encoding: Option<String>,
        /// The Age header in seconds; `null` where there is none.
        age: Option<i64>,
        /// How long a shared cache may keep the response: s-maxage or max-age, in seconds; `null` where not said.
        cache_seconds: Option<i64>,
        /// Whether a proxy or a cache stands before the host (Age, Via, X-Cache or the like).
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
    /// The policy body.
    pub struct PolicyFacts {
        /// The body; `null` where no policy is served.
        body: Option<String>,
        /// What it is instead of a policy: HTML, JSON, XML, compressed data (gzip); `null` where it is none of them.
        markup: Option<String>,
        /// The value of the first `version` as it is written; `null` where there is none.
        version: Option<String>,
        /// The mode: enforce, testing or none; `null` where there is no valid one.
        mode: Option<String>,
        /// The value of the first `mode` as it is written; `null` where there is none.
        mode_text: Option<String>,
        /// The mode that was probably meant; `null` where none is near.
        mode_meant: Option<String>,
        /// The policy's life in seconds; `null` where there is no valid one.
        max_age: Option<i64>,
        /// The value of the first `max_age` as it is written; `null` where there is none.
        max_age_text: Option<String>,
        /// The seconds that were probably meant by a wrong `max_age`; `null` where it is right or cannot be told.
        max_age_meant: Option<i64>,
        /// The misspelt name of a field that was probably meant as `version`; `null` where there is none.
        version_slip: Option<String>,
        /// The misspelt name of a field that was probably meant as `mode`; `null` where there is none.
        mode_slip: Option<String>,
        /// The misspelt name of a field that was probably meant as `max_age`; `null` where there is none.
        max_age_slip: Option<String>,
        /// The misspelt name of a field that was probably meant as `mx`; `null` where there is none.
        mx_slip: Option<String>,
        /// The place behind the last `mx` line, for one more; always empty.
        insertion: String,
        /// Every `mx` pattern, in order.
        mx: Vec<PatternFacts>,
        /// The fields, in order.
        fields: Vec<FieldFacts>,
        /// Places that break the grammar of RFC 8461 §3.2.
        syntax_offences: Vec<OffenceFacts>,
        /// Octets that are no text: a BOM, invalid UTF-8, control characters.
        encoding_offences: Vec<OffenceFacts>,
        /// Fields whose name is registered in another case.
        case_offences: Vec<OffenceFacts>,
        /// Blank lines.
        blank_lines: Vec<OffenceFacts>,
        /// Lines that end in white space.
        trailing_spaces: Vec<OffenceFacts>,
        /// How lines end: CRLF, LF, mixed, CR.
        line_endings: String,
        /// Whether the last line is terminated.
        final_newline: bool,
        /// Whether every line can be read, so that a field which is not found is really missing.
        legible: bool,
        /// Whether several fields stand on one line.
        run_together: bool,
        /// Whether a sender can use the policy (RFC 8461 §3.2).
        usable: bool,
        /// Whether the body goes on beyond 65,536 octets.
        oversized: bool,
    }
}

facts! {
    /// An `mx` pattern of the policy.
    pub struct PatternFacts {
        /// As it is written.
        text: String,
        /// The line's number, counted from 1.
        line: i64,
        /// What is wrong with it, for people; `null` where it is valid.
        problem: Option<String>,
        /// Which rule the problem belongs to: syntax, address, wildcard, a_label, list; `null` where it is valid.
        problem_kind: Option<String>,
        /// What was probably meant; `null` where it cannot be told.
        suggestion: Option<String>,
        /// The hosts of a list on one line; empty where it is none.
        items: Vec<String>,
        /// Whether it begins with `*.`.
        wildcard: bool,
        /// Whether it has no dot.
        single_label: bool,
        /// Whether it covers all of a public suffix, such as `*.com`.
        over_public_suffix: bool,
        /// Whether it covers every host of the domain's own zone: `*.<domain>` or `*.<registrable domain>`.
        over_own_zone: bool,
        /// Whether an earlier pattern is the same.
        duplicate: bool,
        /// The present MX hosts that it matches.
        matches: Vec<String>,
    }
}

facts! {
    /// The `_smtp._tls` TXT record.
    pub struct TlsrptFacts {
        /// How the question ended: answer, nodata, nxdomain, servfail, refused, timeout, network, malformed, other.
        outcome: String,
        /// The TTL in seconds; `null` where there is no record.
        ttl: Option<i64>,
        /// What DNSSEC says of the answer: secure, insecure, bogus, indeterminate, unchecked.
        dnssec: String,
        /// Where a CNAME at the name points; `null` where there is none.
        alias: Option<String>,
        /// Whether a CNAME at the name leads to no TXT record.
        dangling: bool,
        /// How many TXT records begin with `v=TLSRPTv1;` (RFC 8460 §3).
        count: i64,
        /// How many TXT records there are at the name, foreign ones included.
        texts: i64,
        /// The record that a sender would use, or the one that was meant; `null` where there is none.
        text: Option<String>,
        /// What is wrong with its version tag; `null` where nothing is, or where there is no record.
        version_problem: Option<String>,
        /// Whether white space stands between `v=TLSRPTv1` and `;`.
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
        /// Records of TLSRPT at names where no sender looks.
        misplaced: Vec<MisplacedFacts>,
        /// Whether a sender can use the record: exactly one, valid, with a destination.
        usable: bool,
        /// Whether every usable destination is a mailbox of the very domain under policy.
        own_domain_only: bool,
        /// The whole record as it should be; `null` where there is nothing to mend or no safe way.
        corrected: Option<String>,
    }
}

facts! {
    /// A destination for reports.
    pub struct DestinationFacts {
        /// As it is written.
        text: String,
        /// The scheme in lower case; `null` where there is none.
        scheme: Option<String>,
        /// The domain of a `mailto:`, or the host of an `https:` URI; `null` where there is none.
        host: Option<String>,
        /// What is wrong with the scheme, for people; `null` where nothing is.
        scheme_problem: Option<String>,
        /// What is wrong with the URI, for people; `null` where nothing is.
        uri_problem: Option<String>,
        /// The DMARC-style size suffix; `null` where there is none.
        size_suffix: Option<String>,
        /// What was probably meant; `null` where it cannot be told.
        suggestion: Option<String>,
        /// Whether mail or a connection can get there: MX or address records exist.
        resolves: bool,
    }
}
