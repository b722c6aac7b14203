//! The texts that findings about MX hosts point into beside the MX records: their addresses and TLSA records, as a zone
//! file writes them. Used by the facts of MX hosts.

use std::collections::{BTreeMap, BTreeSet};

use super::addresses::Answers;
use super::builder::{Builder, outcome_text, ttl_column};
use super::fact::Fact;
use super::path::Path;
use super::tls::{place, write};
use super::tree::AddressFacts;
use crate::grammar::names::normalised;
use crate::snapshot::MxHost;
use crate::source_text::escape;

/// The exhibit of the addresses of all MX hosts.
const ADDRESSES: &str = "mx_addresses";
/// The exhibit of their TLSA records.
const TLSA: &str = "tlsa";

/// The addresses of a host, each with its line in an exhibit; CNAMEs on the way have theirs.
pub fn addresses(builder: &mut Builder<'_>, answers: &Answers<'_>, path: &Path) -> Fact<Vec<AddressFacts>> {
    let mut shown = BTreeSet::new();
    let mut lines = BTreeMap::new();
    for (kind, lookup) in [("A", answers.ipv4), ("AAAA", answers.ipv6)] {
        let Some(lookup) = lookup else { continue };
        for alias in &lookup.aliases {
            let line = format!(
                "{}. {}IN CNAME {}.",
                normalised(&alias.name),
                ttl_column(alias.ttl),
                normalised(&alias.target)
            );
            if shown.insert(line.clone()) {
                let first = builder.locations.get(path.to("alias"));
                place(builder, ADDRESSES, path.to("alias"), &line);
                builder.locations.note_as(path.to("alias"), first);
            }
        }
        let owner = lookup.aliases.last().map_or_else(|| answers.name.to_owned(), |alias| normalised(&alias.target));
        for record in &lookup.records {
            let line = format!("{owner}. {}IN {kind} {}", ttl_column(lookup.ttl), record.address);
            lines.insert(record.address.to_string(), write(builder, ADDRESSES, &line));
        }
    }
    let facts = answers.addresses(builder, path);
    for (index, address) in facts.known().into_iter().flatten().enumerate() {
        let Some(address) = address.address.known() else { continue };
        let line = lines.get(address).cloned();
        builder.locations.note_as(path.to("addresses").nth(index), line);
    }
    facts
}

/// The TLSA records of a host, or what came instead of an answer.
pub fn tlsa(builder: &mut Builder<'_>, observed: &MxHost, name: &str, path: &Path) {
    let Some(lookup) = observed.tlsa.as_ref() else { return };
    let path = path.to("tlsa");
    for (index, record) in lookup.records.iter().enumerate() {
        let (usage, selector, matching) = (record.usage, record.selector, record.matching);
        let (ttl, association) = (ttl_column(lookup.ttl), escape(&record.association));
        let line = format!("_25._tcp.{name}. {ttl}IN TLSA {usage} {selector} {matching} {association}");
        place(builder, TLSA, path.nth(index), &line);
    }
    if lookup.records.is_empty() && lookup.outcome().is_some() {
        place(builder, TLSA, &path, &format!("_25._tcp.{name}. IN TLSA ; {}", outcome_text(lookup)));
    } else {
        let first = builder.locations.get(path.nth(0));
        builder.locations.note_as(path, first);
    }
}
