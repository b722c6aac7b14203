//! The address answers of one host: what they name, and what of it was observed. For MX hosts and the policy host.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::address::address_facts;
use super::builder::{Builder, Chain, beginning, proof, question_text, reason_for_no_proof, seconds};
use super::fact::Fact;
use super::fault::Fault;
use super::path::Path;
use super::tree::AddressFacts;
use crate::grammar::names::normalised;
use crate::snapshot::{AddressFamily, AddressRecord, DnssecProof, LeftOut, Lookup};

/// The A and AAAA answers of a name.
#[derive(Clone, Copy, Debug)]
pub struct Answers<'a> {
    /// The name.
    pub name: &'a str,
    /// Its A RRset, where it was looked up.
    pub ipv4: Option<&'a Lookup<AddressRecord>>,
    /// Its AAAA RRset, where it was looked up.
    pub ipv6: Option<&'a Lookup<AddressRecord>>,
}

/// Something that a sender would speak to, and that was not spoken to here.
#[derive(Clone, Debug, PartialEq)]
pub struct NotAttempted {
    /// The address; `None` where a whole family is meant, whose answer was not observed.
    pub address: Option<IpAddr>,
    /// Why.
    pub reason: String,
}

impl<'a> Answers<'a> {
    /// Whether the name has an address: no, only where both families say so.
    pub fn resolves(&self) -> Fact<bool> {
        let some = |lookup: Option<&Lookup<AddressRecord>>| Some(!lookup?.known()?.is_empty());
        match (some(self.ipv4), some(self.ipv6)) {
            (Some(true), _) | (_, Some(true)) => Fact::Known(true),
            (Some(false), Some(false)) => Fact::Known(false),
            _ => Fact::Unobserved,
        }
    }

    /// The addresses, A before AAAA. A family whose answer was not observed is an element of which nothing is known, so
    /// that no rule takes it for an address of that family; where neither was, there is no list.
    pub fn addresses(&self, builder: &mut Builder<'_>, path: &Path) -> Fact<Vec<AddressFacts>> {
        if self.families().all(|(_, lookup)| known(lookup).is_none()) {
            return Fact::Unobserved;
        }
        let mut facts: Vec<AddressFacts> = Vec::new();
        for (kind, lookup) in self.families() {
            match known(lookup) {
                Some(records) => facts.extend(records.iter().map(|record| address_facts(record.address))),
                None => {
                    builder.note_unobserved(path.to("addresses").nth(facts.len()), self.unanswered_by(kind, lookup));
                    facts.push(AddressFacts::default());
                }
            }
        }
        Fact::Known(facts)
    }

    /// What the answers name beside the addresses that were `asked`; `field` is the part of the snapshot that would
    /// hold the rest.
    pub fn not_attempted(&self, builder: &Builder<'_>, asked: &[IpAddr], field: &str) -> Vec<NotAttempted> {
        let mut not_attempted: Vec<NotAttempted> = Vec::new();
        let mut met: BTreeSet<IpAddr> = asked.iter().copied().collect();
        for (kind, lookup) in self.families() {
            let Some(records) = known(lookup) else {
                not_attempted.push(NotAttempted { address: None, reason: self.unanswered_by(kind, lookup) });
                continue;
            };
            for address in records.iter().map(|record| record.address) {
                if met.insert(address) {
                    let reason = self.reason_not_attempted(builder, address, field);
                    not_attempted.push(NotAttempted { address: Some(address), reason });
                }
            }
        }
        not_attempted
    }

    /// Whether both answers are known and name nothing but these addresses.
    pub fn are_all_in(&self, asked: &[IpAddr]) -> bool {
        self.families().all(|(_, lookup)| {
            known(lookup).is_some_and(|records| records.iter().all(|record| asked.contains(&record.address)))
        })
    }

    /// How the queries ended that gave no answer; `None` where both families are known.
    pub fn unanswered(&self) -> Option<String> {
        let unanswered = self.families().filter(|(_, lookup)| known(*lookup).is_none());
        let reasons: Vec<String> = unanswered.map(|(kind, lookup)| self.unanswered_by(kind, lookup)).collect();
        if self.ipv4.is_none() && self.ipv6.is_none() {
            return Some(format!("the addresses of {} were not looked up", self.name));
        }
        if reasons.is_empty() { None } else { Some(reasons.join("; ")) }
    }

    /// What every sender gets instead of addresses; `null` where they get some, or learn that there are none.
    pub fn unresolved(&self, fault: Fault) -> Fact<Option<String>> {
        if self.resolves() == Fact::Known(true) {
            return Fact::Known(None);
        }
        let mut reasons = Vec::new();
        for (kind, lookup) in self.families().filter(|(_, lookup)| known(*lookup).is_none()) {
            if !lookup.is_some_and(|lookup| fault.is_there(lookup)) {
                return Fact::Unobserved;
            }
            reasons.push(self.unanswered_by(kind, lookup));
        }
        Fact::Known(Some(reasons.join("; ")).filter(|reasons| !reasons.is_empty()))
    }

    /// Where CNAMEs at the name lead; that there is none is known only where both answers are.
    pub fn chain(&self) -> Chain {
        let mut lookups = self.families().filter_map(|(_, lookup)| lookup);
        match lookups.find(|lookup| !lookup.aliases.is_empty()) {
            Some(lookup) => Chain::of(&lookup.aliases),
            None if self.families().any(|(_, lookup)| known(lookup).is_none()) => Chain::default(),
            None => Chain::of(&[]),
        }
    }

    /// The lower TTL that the two answers were published with, in seconds; `null` where both are known to hold no address.
    pub fn ttl(&self) -> Fact<Option<i64>> {
        let mut lookups = self.families().filter_map(|(_, lookup)| lookup);
        if lookups.any(|lookup| lookup.ttl_at_least) { Fact::Unobserved } else { self.ttl_seen() }
    }

    /// The lower TTL of the two answers as it was seen, in seconds; `null` where both are known to hold no address.
    pub fn ttl_seen(&self) -> Fact<Option<i64>> {
        let ttls = self.families().filter_map(|(_, lookup)| lookup.filter(|lookup| !lookup.records.is_empty())?.ttl);
        match ttls.map(seconds).min() {
            Some(ttl) => Fact::Known(Some(ttl)),
            None if self.resolves() == Fact::Known(false) => Fact::Known(None),
            None => Fact::Unobserved,
        }
    }

    /// The weaker proof of the two answers; that both are secure is known only where both were looked at.
    pub fn dnssec(&self) -> Fact<DnssecProof> {
        let order = [DnssecProof::Bogus, DnssecProof::Indeterminate, DnssecProof::Insecure, DnssecProof::Secure];
        let proofs: Vec<_> = self.families().map(|(_, lookup)| lookup.and_then(|lookup| lookup.dnssec)).collect();
        let weakest = order.into_iter().find(|proof| proofs.contains(&Some(*proof)));
        match weakest {
            Some(DnssecProof::Secure) if proofs.iter().any(|proof| *proof != Some(DnssecProof::Secure)) => {
                Fact::Unobserved
            }
            weakest => proof(weakest),
        }
    }

    /// Why it is not known what DNSSEC proves of the two answers.
    pub fn reason_for_no_proof(&self) -> String {
        let mut lookups = self.families().filter_map(|(_, lookup)| lookup);
        match lookups.find(|lookup| lookup.dnssec != Some(DnssecProof::Secure)) {
            Some(lookup) => reason_for_no_proof(lookup),
            None => "DNSSEC was not looked at".to_owned(),
        }
    }

    fn families(&self) -> impl Iterator<Item = (&'static str, Option<&'a Lookup<AddressRecord>>)> {
        [("A", self.ipv4), ("AAAA", self.ipv6)].into_iter()
    }

    fn unanswered_by(&self, kind: &str, lookup: Option<&Lookup<AddressRecord>>) -> String {
        lookup.map_or_else(
            || format!("{kind} {} was not looked up", self.name),
            |lookup| question_text(lookup, kind, self.name),
        )
    }

    /// Why an address was not asked: of several reasons for one part of the snapshot, the one that concerns its family or
    /// its host before those that concern all.
    fn reason_not_attempted(&self, builder: &Builder<'_>, address: IpAddr, field: &str) -> String {
        let family = AddressFamily::of(address);
        let concerns = |left_out: &&LeftOut| {
            left_out.family.is_none_or(|of| of == family)
                && left_out.host.as_deref().is_none_or(|host| normalised(host) == normalised(self.name))
        };
        let special = |left_out: &LeftOut| (left_out.family.is_some(), left_out.host.is_some());
        let reasons: Vec<&LeftOut> = builder.left_out(field).filter(concerns).collect();
        // Of several that are as special the first counts.
        let reason = reasons.iter().rev().max_by_key(|left_out| special(left_out));
        reason.map_or_else(
            || format!("{address} of {} was not asked", self.name),
            |left_out| beginning(&left_out.reason).to_owned(),
        )
    }
}

fn known(lookup: Option<&Lookup<AddressRecord>>) -> Option<&[AddressRecord]> {
    lookup?.known()
}
