//! What the builders of all parts of the tree share: the snapshot, the places, the reasons.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use super::fact::Fact;
use super::fault::Fault;
use super::location::{Locations, Place};
use super::path::Path;
use crate::grammar::names::normalised;
use crate::snapshot::{
    Alias, Certificate, DnsOutcome, DnssecProof, Failure, FailureKind, LeftOut, Lookup, MxHost, Snapshot, instant,
};

/// The state while a tree is built.
pub struct Builder<'a> {
    /// What was observed.
    pub snapshot: &'a Snapshot,
    /// Where facts were read.
    pub locations: Locations,
    /// Why paths were not observed.
    pub unobserved: BTreeMap<String, String>,
    /// When the facts were observed.
    pub now: Option<Timestamp>,
    /// Whose fault a question without an answer is.
    pub fault: Fault,
    /// Whether port 25 looks blocked on this side; set before the MX hosts are looked at.
    pub smtp_blocked: bool,
    /// Where the line of each MX host is among the MX records, by its name.
    pub mx_lines: BTreeMap<String, Place>,
    /// What was observed of each MX host, by its name.
    mx_hosts: BTreeMap<String, &'a MxHost>,
    /// How much more of the MX hosts is looked at: their addresses, certificates and TLSA records.
    parts_left: usize,
}

/// How many addresses, certificates and TLSA records of all MX hosts of a domain are looked at; an address counts as
/// three, for all that is seen there.
const MAX_PARTS: usize = 4_096;
/// How many names of a certificate count as one such part.
const NAMES_OF_PART: usize = 32;
/// How many octets of a reason are told: a snapshot may hold any text in its place.
const MAX_REASON: usize = 1_024;

impl<'a> Builder<'a> {
    /// A builder for a snapshot.
    pub fn new(snapshot: &'a Snapshot) -> Self {
        let now = snapshot.collected_at.as_deref().and_then(instant);
        let mut mx_hosts = BTreeMap::new();
        for host in snapshot.mx_hosts.iter().flatten() {
            mx_hosts.entry(normalised(&host.exchange)).or_insert(host);
        }
        Builder {
            snapshot,
            locations: Locations::default(),
            unobserved: BTreeMap::new(),
            now,
            fault: Fault::of(snapshot),
            smtp_blocked: false,
            mx_lines: BTreeMap::new(),
            mx_hosts,
            parts_left: MAX_PARTS,
        }
    }

    /// What was observed of an MX host, by its plain name.
    pub fn mx_host(&self, name: &str) -> Option<&'a MxHost> {
        self.mx_hosts.get(name).copied()
    }

    /// Takes what there is of an MX host; why not, where it is too much with that of the hosts before it.
    pub fn take_parts(&mut self, host: &MxHost) -> Result<(), &'static str> {
        let named: usize = [&host.ipv4, &host.ipv6].into_iter().flatten().map(|lookup| lookup.records.len()).sum();
        let probes = host.probes.as_deref().unwrap_or_default();
        let certificates: usize =
            probes.iter().filter_map(|probe| probe.tls.as_ref()).flat_map(|tls| &tls.chain).map(parts_of).sum();
        let tlsa = host.tlsa.as_ref().map_or(0, |lookup| lookup.records.len());
        let parts = named.max(probes.len()).saturating_mul(3).saturating_add(certificates).saturating_add(tlsa);
        match self.parts_left.checked_sub(parts) {
            Some(left) => {
                self.parts_left = left;
                Ok(())
            }
            None => {
                Err("the MX hosts have so many addresses, certificates and TLSA records that these are not looked at")
            }
        }
    }

    /// Notes why a path was not observed.
    pub fn note_unobserved(&mut self, path: impl Into<Path>, reason: impl Into<String>) {
        self.unobserved.insert(path.into().as_str().to_owned(), reason.into());
    }

    /// Notes it for a part of the snapshot that is not there: because it was left out on purpose, or because
    /// the snapshot does not hold it.
    pub fn note_missing_part(&mut self, path: impl Into<Path>, field: &str, what: &str) {
        let reason = self.left_out(field).next().map(|left_out| beginning(&left_out.reason).to_owned());
        self.note_unobserved(path, reason.unwrap_or_else(|| format!("{what} was not observed")));
    }

    /// What the snapshot holds of a field that was left out, or of what is around it.
    pub fn left_out(&self, field: &str) -> impl Iterator<Item = &'a LeftOut> {
        let left_out = self.snapshot.collection.iter().flat_map(|collection| &collection.left_out);
        left_out.filter(move |left_out| {
            field.strip_prefix(left_out.field.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// The Policy Domain, or the words that represent it.
    pub fn domain(&self) -> Option<&'a str> {
        self.snapshot.domain.as_deref()
    }

    /// The name that a host is an alias of, where its addresses were found through CNAMEs.
    pub fn canonical(&self, host: &str) -> Option<&'a str> {
        let lookups = match self.mx_host(&normalised(host)) {
            Some(mx) => [mx.ipv4.as_ref(), mx.ipv6.as_ref()],
            None => {
                let policy_host = self.snapshot.policy_host.as_ref()?;
                [policy_host.ipv4.as_ref(), policy_host.ipv6.as_ref()]
            }
        };
        let last = lookups.into_iter().flatten().find_map(|lookup| lookup.aliases.last());
        last.map(|alias| alias.target.as_str())
    }

    /// A name below the Policy Domain as a zone file writes it: `_mta-sts.example.com.`, or the label alone.
    pub fn owner(&self, label: &str) -> String {
        match (self.domain(), label) {
            (Some(domain), "") => format!("{domain}."),
            (Some(domain), label) => format!("{label}.{domain}."),
            (None, "") => "@".to_owned(),
            (None, label) => label.to_owned(),
        }
    }
}

/// A certificate as parts: one, and one more for each so many of its names.
fn parts_of(certificate: &Certificate) -> usize {
    let names = certificate.dns_ids.len().saturating_add(certificate.common_names.len());
    names.div_euclid(NAMES_OF_PART).saturating_add(1)
}

/// What DNSSEC proves of an answer: secure, insecure or bogus. Where it was not looked at, or could not be told here
/// (no trust anchor, an algorithm that is not supported), nothing is known of the domain.
pub fn proof(proof: Option<DnssecProof>) -> Fact<DnssecProof> {
    proof.filter(|proof| !matches!(proof, DnssecProof::Unchecked | DnssecProof::Indeterminate)).into()
}

/// Why it is not known what DNSSEC proves of an answer.
pub fn reason_for_no_proof<R>(lookup: &Lookup<R>) -> String {
    if lookup.dnssec != Some(DnssecProof::Indeterminate) {
        return "DNSSEC was not looked at".to_owned();
    }
    let cannot_be_told = "what DNSSEC proves of the answer could not be told here";
    match lookup.dnssec_reason.as_ref().filter(|reason| !reason.detail.is_empty()) {
        Some(reason) => format!("{cannot_be_told}: {}", crate::source_text::escape(beginning(&reason.detail))),
        None => cannot_be_told.to_owned(),
    }
}

/// A failure in one sentence.
pub fn failure_text(failure: &Failure) -> String {
    if failure.detail.is_empty() {
        failure.kind.word().replace('_', " ")
    } else {
        crate::source_text::escape(beginning(&failure.detail))
    }
}

/// As much of a reason as is told.
pub fn beginning(reason: &str) -> &str {
    let end = reason.char_indices().map(|(at, _)| at).take_while(|at| *at <= MAX_REASON).last().unwrap_or_default();
    if reason.len() > MAX_REASON { reason.get(..end).unwrap_or_default() } else { reason }
}

/// How a question ended, in words: `TXT _mta-sts.example.com: SERVFAIL (…)`.
pub fn question_text<R>(lookup: &Lookup<R>, kind: &str, name: &str) -> String {
    let name = lookup.name.as_deref().unwrap_or(name).trim_end_matches('.');
    format!("{kind} {name}: {}", outcome_text(lookup))
}

/// The same without the question: `SERVFAIL (…)`.
pub fn outcome_text<R>(lookup: &Lookup<R>) -> String {
    let outcome = match lookup.outcome() {
        None => "not observed",
        Some(DnsOutcome::Answer) if lookup.records.is_empty() => "the snapshot does not hold the records",
        Some(_) if is_beyond_limit(lookup) => "answered with more than is read here",
        Some(outcome) => outcome.label(),
    };
    match &lookup.failure {
        Some(failure) if !failure.detail.is_empty() => format!("{outcome} ({})", failure_text(failure)),
        _ => outcome.to_owned(),
    }
}

/// Whether there was an answer, of which more came than is read here.
pub fn is_beyond_limit<R>(lookup: &Lookup<R>) -> bool {
    lookup.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Limit)
}

/// The way along CNAMEs: the first name that they lead to, all of them in order, and the last.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// Where the first points; `null` where there is none.
    pub alias: Fact<Option<String>>,
    /// Every name that they lead through.
    pub aliases: Fact<Vec<String>>,
    /// Where the last points; `null` where there is none.
    pub canonical: Fact<Option<String>>,
}

impl Chain {
    /// The chain of an answer.
    pub fn of(aliases: &[Alias]) -> Self {
        let names: Vec<String> = aliases.iter().map(|alias| normalised(&alias.target)).collect();
        Chain {
            alias: Fact::Known(names.first().cloned()),
            canonical: Fact::Known(names.last().cloned()),
            aliases: Fact::Known(names),
        }
    }
}

/// The TTL of an answer in seconds; `null` where it is known that there are no records.
pub fn ttl<R>(lookup: &Lookup<R>) -> Fact<Option<i64>> {
    match lookup.known() {
        Some([]) => Fact::Known(None),
        _ => lookup.ttl.filter(|_| !lookup.ttl_at_least).map(|ttl| Some(seconds(ttl))).into(),
    }
}

/// The TTL as it was seen, the published one or what a cache had left of it; `null` where there are no records.
pub fn ttl_seen<R>(lookup: &Lookup<R>) -> Fact<Option<i64>> {
    match lookup.known() {
        Some([]) => Fact::Known(None),
        _ => lookup.ttl.map(|ttl| Some(seconds(ttl))).into(),
    }
}

/// Why the published TTL of an answer is not known.
pub fn reason_for_no_ttl<R>(lookup: &Lookup<R>) -> String {
    match lookup.ttl {
        Some(ttl) if lookup.ttl_at_least => {
            format!("only the remaining TTL in the resolver's cache was seen: {} seconds", seconds(ttl))
        }
        _ => "the TTL was not observed".to_owned(),
    }
}

/// A TTL as resolvers take it: one with its highest bit set is 0 (RFC 2181 §8).
pub fn seconds(ttl: u32) -> i64 {
    i32::try_from(ttl).map_or(0, i64::from)
}

/// The TTL as a zone-file column.
pub fn ttl_column(ttl: Option<u32>) -> String {
    ttl.map(|ttl| format!("{ttl} ")).unwrap_or_default()
}

/// Whether an address could not be asked because the network here has no IPv6: that tells nothing of the host.
pub fn no_ipv6(address: IpAddr, failure: Option<&Failure>) -> bool {
    address.is_ipv6() && failure.is_some_and(|failure| failure.kind == FailureKind::Network)
}
