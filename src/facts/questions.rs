//! The facts of every DNS question that was asked about the domain.

use super::builder::{Builder, failure_text, outcome_word, proof_word};
use super::fact::Fact;
use super::tree::QuestionFacts;
use crate::snapshot::{DnsOutcome, FailureKind, Lookup};

/// Every question, those that all senders ask first.
pub fn question_facts(builder: &mut Builder<'_>) -> Vec<QuestionFacts> {
    let snapshot = builder.snapshot;
    let mut facts = Vec::new();
    let domain = builder.domain().unwrap_or("@").to_owned();
    let add = |facts: &mut Vec<QuestionFacts>, found: Option<QuestionFacts>, path: &str, builder: &mut Builder<'_>| {
        if let Some(found) = found {
            let at = builder.locations.clone_of(path);
            builder.locations.note_as(format!("questions[{}]", facts.len()), at);
            facts.push(found);
        }
    };
    add(&mut facts, question(snapshot.mx.as_ref(), "MX", &domain, true), "mx", builder);
    add(&mut facts, question(snapshot.record.as_ref(), "TXT", &format!("_mta-sts.{domain}"), true), "record", builder);
    add(
        &mut facts,
        question(snapshot.tlsrpt.as_ref(), "TXT", &format!("_smtp._tls.{domain}"), true),
        "tlsrpt",
        builder,
    );
    if let Some(host) = &snapshot.policy_host {
        let name = format!("mta-sts.{domain}");
        for (kind, lookup) in [("A", &host.ipv4), ("AAAA", &host.ipv6)] {
            add(&mut facts, question(lookup.as_ref(), kind, &name, true), "policy_host", builder);
        }
    }
    for (index, host) in snapshot.mx_hosts.iter().flatten().enumerate() {
        let path = format!("mx.hosts[{index}]");
        for (kind, lookup) in [("A", &host.ipv4), ("AAAA", &host.ipv6)] {
            add(&mut facts, question(lookup.as_ref(), kind, &host.exchange, true), &path, builder);
        }
        let name = format!("_25._tcp.{}", host.exchange);
        add(&mut facts, question(host.tlsa.as_ref(), "TLSA", &name, false), &path, builder);
    }
    for (kind, lookup) in [("A", &snapshot.ipv4), ("AAAA", &snapshot.ipv6)] {
        add(&mut facts, question(lookup.as_ref(), kind, &domain, false), "mx", builder);
    }
    facts
}

fn question<R>(lookup: Option<&Lookup<R>>, kind: &str, name: &str, needed: bool) -> Option<QuestionFacts> {
    let lookup = lookup?;
    let outcome = lookup.outcome()?;
    let failed = !matches!(outcome, DnsOutcome::Answer | DnsOutcome::Nodata | DnsOutcome::Nxdomain);
    let failure = lookup.failure.as_ref();
    // Whose failure it is can only be told from what the resolver said of it.
    let local = failed
        && (outcome == DnsOutcome::Network || failure.is_some_and(|failure| failure.kind == FailureKind::Resolver));
    Some(QuestionFacts {
        name: Fact::Known(crate::source_text::escape(lookup.name.as_deref().unwrap_or(name).trim_end_matches('.'))),
        kind: Fact::Known(kind.to_owned()),
        outcome: Fact::Known(outcome_word(outcome)),
        local: Fact::Known(local),
        dnssec: proof_word(lookup.dnssec),
        needed: Fact::Known(needed),
        detail: Fact::Known(failed.then(|| failure.map_or_else(|| outcome.label().to_owned(), failure_text))),
    })
}
