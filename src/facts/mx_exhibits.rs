//! The texts that findings about MX hosts point into beside the MX records: their addresses and TLSA records, as a zone
//! file writes them. Used by the facts of MX hosts.

use std::collections::BTreeSet;

use super::addresses::Answers;
use super::builder::{Builder, question_text, ttl_column};
use super::fact::Fact;
use super::tls::place;
use super::tree::AddressFacts;
use crate::grammar::names::plain;
use crate::snapshot::MxHost;
use crate::source_text::escape;

/// The exhibit of the addresses of all MX hosts.
const ADDRESSES: &str = "mx_addresses";
/// The exhibit of their TLSA records.
const TLSA: &str = "tlsa";

/// The addresses of a host, each with its line in an exhibit; CNAMEs on the way have theirs.
pub fn addresses(builder: &mut Builder<'_>, answers: &Answers<'_>, path: &str) -> Fact<Vec<AddressFacts>> {
    let mut shown = BTreeSet::new();
    for (kind, lookup) in [("A", answers.ipv4), ("AAAA", answers.ipv6)] {
        let Some(lookup) = lookup else { continue };
        for alias in &lookup.aliases {
            let line = format!("{}. {}IN CNAME {}.", plain(&alias.name), ttl_column(alias.ttl), plain(&alias.target));
            if shown.insert(line.clone()) {
                let first = builder.locations.clone_of(&format!("{path}.alias"));
                place(builder, ADDRESSES, &format!("{path}.alias"), &line);
                builder.locations.note_as(format!("{path}.alias"), first);
            }
        }
        let owner = lookup.aliases.last().map_or_else(|| answers.name.to_owned(), |alias| plain(&alias.target));
        for record in &lookup.records {
            let line = format!("{owner}. {}IN {kind} {}", ttl_column(lookup.ttl), record.address);
            place(builder, ADDRESSES, &format!("{path}.address {}", record.address), &line);
        }
    }
    let facts = answers.addresses(builder, path);
    for (index, address) in facts.known().into_iter().flatten().enumerate() {
        let Some(address) = address.address.known() else { continue };
        let line = builder.locations.clone_of(&format!("{path}.address {address}"));
        builder.locations.note_as(format!("{path}.addresses[{index}]"), line);
    }
    facts
}

/// The TLSA records of a host, or what came in the place of an answer.
pub fn tlsa(builder: &mut Builder<'_>, observed: &MxHost, name: &str, path: &str) {
    let Some(lookup) = observed.tlsa.as_ref() else { return };
    let path = format!("{path}.tlsa");
    for (index, record) in lookup.records.iter().enumerate() {
        let (usage, selector, matching) = (record.usage, record.selector, record.matching);
        let (ttl, association) = (ttl_column(lookup.ttl), escape(&record.association));
        let line = format!("_25._tcp.{name}. {ttl}IN TLSA {usage} {selector} {matching} {association}");
        place(builder, TLSA, &format!("{path}[{index}]"), &line);
    }
    if lookup.records.is_empty() && lookup.outcome().is_some() {
        let said = question_text(lookup, "TLSA", &format!("_25._tcp.{name}"));
        let outcome = said.split_once(": ").map_or("", |(_, outcome)| outcome);
        place(builder, TLSA, &path, &format!("_25._tcp.{name}. IN TLSA ; {outcome}"));
    } else {
        let first = builder.locations.clone_of(&format!("{path}[0]"));
        builder.locations.note_as(path, first);
    }
}
