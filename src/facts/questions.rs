//! The facts of every DNS question that was asked about the domain.

use super::builder::{Builder, failure_text, outcome_word, proof_word};
use super::fact::Fact;
use super::tree::QuestionFacts;
use crate::snapshot::{DnsOutcome, FailureKind, Lookup, Snapshot};

/// Every question, those that all senders ask first.
pub fn question_facts(builder: &mut Builder<'_>) -> Vec<QuestionFacts> {
    let snapshot = builder.snapshot;
    let mut facts = Vec::new();
    let domain = builder.domain().unwrap_or("@").to_owned();
    let answered = any_answer(snapshot);

    let add = |facts: &mut Vec<QuestionFacts>, found: Option<QuestionFacts>, path: &str, builder: &mut Builder<'_>| {
        if let Some(found) = found {
            let at = builder.locations.clone_of(path);
            let path = format!("questions[{}]", facts.len());
            builder.why(format!("{path}.dnssec"), "DNSSEC was not looked at");
            builder.why(
                format!("{path}.outcome"),
                "the resolver that was asked failed, which tells nothing of the domain",
            );
            builder.locations.note_as(path, at);
            facts.push(found);
        }
    };
    add(&mut facts, question(snapshot.mx.as_ref(), "MX", &domain, true, answered), "mx", builder);
    add(
        &mut facts,
        question(snapshot.record.as_ref(), "TXT", &format!("_mta-sts.{domain}"), true, answered),
        "record",
        builder,
    );
    add(
        &mut facts,
        question(snapshot.tlsrpt.as_ref(), "TXT", &format!("_smtp._tls.{domain}"), true, answered),
        "tlsrpt",
        builder,
    );
    if let Some(host) = &snapshot.policy_host {
        let name = format!("mta-sts.{domain}");
        for (kind, lookup) in [("A", &host.ipv4), ("AAAA", &host.ipv6)] {
            add(&mut facts, question(lookup.as_ref(), kind, &name, true, answered), "policy_host", builder);
        }
    }
    for (index, host) in snapshot.mx_hosts.iter().flatten().enumerate() {
        let path = format!("mx.hosts[{index}]");
        for (kind, lookup) in [("A", &host.ipv4), ("AAAA", &host.ipv6)] {
            add(&mut facts, question(lookup.as_ref(), kind, &host.exchange, true, answered), &path, builder);
        }
        let name = format!("_25._tcp.{}", host.exchange);
        add(&mut facts, question(host.tlsa.as_ref(), "TLSA", &name, false, answered), &path, builder);
    }
    for (kind, lookup) in [("A", &snapshot.ipv4), ("AAAA", &snapshot.ipv6)] {
        add(&mut facts, question(lookup.as_ref(), kind, &domain, false, answered), "mx", builder);
    }
    facts
}

/// Whether the resolver answered anything at all: if not, a time-out is its own.
fn any_answer(snapshot: &Snapshot) -> bool {
    fn known<R>(lookup: &Option<Lookup<R>>) -> bool {
        lookup.as_ref().is_some_and(|lookup| lookup.known().is_some())
    }
    let host = snapshot.policy_host.as_ref();
    known(&snapshot.mx)
        || known(&snapshot.record)
        || known(&snapshot.tlsrpt)
        || host.is_some_and(|host| known(&host.ipv4) || known(&host.ipv6))
        || known(&snapshot.ipv4)
        || known(&snapshot.ipv6)
}

fn question<R>(
    lookup: Option<&Lookup<R>>,
    kind: &str,
    name: &str,
    needed: bool,
    answered: bool,
) -> Option<QuestionFacts> {
    let lookup = lookup?;
    let outcome = lookup.outcome()?;
    // A text that was given in place of an answer was never asked for.
    if outcome == DnsOutcome::Answer && lookup.name.is_none() {
        return None;
    }
    let failed = !matches!(outcome, DnsOutcome::Answer | DnsOutcome::Nodata | DnsOutcome::Nxdomain);
    let failure = lookup.failure.as_ref();
    // Whose failure it is can only be told from what the resolver said of it.
    let silent = outcome == DnsOutcome::Timeout && !answered;
    let resolver = failure.is_some_and(|failure| failure.kind == FailureKind::Resolver);
    let local = failed && (silent || resolver || outcome == DnsOutcome::Network);
    Some(QuestionFacts {
        name: Fact::Known(crate::source_text::escape(lookup.name.as_deref().unwrap_or(name).trim_end_matches('.'))),
        kind: Fact::Known(kind.to_owned()),
        outcome: if local { Fact::Unobserved } else { Fact::Known(outcome_word(outcome)) },
        local: Fact::Known(local),
        dnssec: proof_word(lookup.dnssec),
        needed: Fact::Known(needed),
        detail: Fact::Known(failed.then(|| failure.map_or_else(|| outcome.label().to_owned(), failure_text))),
    })
}
