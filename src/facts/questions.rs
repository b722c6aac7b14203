//! The facts of every DNS query that was asked about the domain.

use super::builder::{
    Builder, failure_text, is_beyond_limit, proof, question_text, reason_for_no_proof, ttl, ttl_seen,
};
use super::fact::Fact;
use super::fault::Fault;
use super::first_try;
use super::path::Path;
use super::tree::{QuestionFacts, RecordType};
use crate::snapshot::{AddressRecord, DnsOutcome, ExtendedError, Lookup};

/// Every question, those that all senders ask first. One of these that was not put here is among them, with nothing
/// but its name: what was not asked has not been answered.
pub fn question_facts(builder: &mut Builder<'_>, exchanges: &Fact<Vec<String>>) -> Vec<QuestionFacts> {
    let snapshot = builder.snapshot;
    let domain = builder.domain().unwrap_or("@").to_owned();
    let mut questions = Questions { facts: Vec::new(), builder };
    questions.needed(RecordType::Mx, snapshot.mx.as_ref(), &domain, &Path::from("mx"), "mx");
    questions.needed(
        RecordType::Txt,
        snapshot.record.as_ref(),
        &format!("_mta-sts.{domain}"),
        &Path::from("record"),
        "record",
    );
    questions.needed(
        RecordType::Txt,
        snapshot.tlsrpt.as_ref(),
        &format!("_smtp._tls.{domain}"),
        &Path::from("tlsrpt"),
        "tlsrpt",
    );
    let host = snapshot.policy_host.as_ref();
    let name = format!("mta-sts.{domain}");
    for (kind, lookup) in [
        (RecordType::A, host.and_then(|host| host.ipv4.as_ref())),
        (RecordType::Aaaa, host.and_then(|host| host.ipv6.as_ref())),
    ] {
        questions.needed(kind, lookup, &name, &Path::from("policy_host"), "policy_host");
    }
    if exchanges.is_unobserved() {
        questions.needed::<AddressRecord>(RecordType::A, None, "of the MX hosts", &Path::from("mx"), "mx_hosts");
    }
    for (index, exchange) in exchanges.known().into_iter().flatten().enumerate() {
        let path = Path::from("mx").to("hosts").nth(index);
        let host = questions.builder.mx_host(exchange);
        for (kind, lookup) in [
            (RecordType::A, host.and_then(|host| host.ipv4.as_ref())),
            (RecordType::Aaaa, host.and_then(|host| host.ipv6.as_ref())),
        ] {
            questions.needed(kind, lookup, exchange, &path, "mx_hosts");
        }
        let name = format!("_25._tcp.{exchange}");
        questions.put(RecordType::Tlsa, host.and_then(|host| host.tlsa.as_ref()), &name, &path, false);
    }
    // Without MX records senders ask for the domain's own address (RFC 5321 §5.1).
    let implicit = snapshot.mx.as_ref().and_then(Lookup::outcome) == Some(DnsOutcome::Nodata);
    for (kind, lookup, field) in [(RecordType::A, &snapshot.ipv4, "ipv4"), (RecordType::Aaaa, &snapshot.ipv6, "ipv6")] {
        if implicit {
            questions.needed(kind, lookup.as_ref(), &domain, &Path::from("mx"), field);
        } else {
            questions.put(kind, lookup.as_ref(), &domain, &Path::from("mx"), false);
        }
    }
    questions.facts
}

/// The questions so far.
struct Questions<'b, 'a> {
    facts: Vec<QuestionFacts>,
    builder: &'b mut Builder<'a>,
}

impl Questions<'_, '_> {
    /// A question that every sender asks; `at` is the path of what it is about, `field` the part of the snapshot that
    /// holds the answer.
    fn needed<R>(&mut self, kind: RecordType, lookup: Option<&Lookup<R>>, name: &str, at: &Path, field: &str) {
        if self.put(kind, lookup, name, at, true) {
            return;
        }
        let path = Path::from("questions").nth(self.facts.len());
        // A text that was given in place of an answer was never asked for.
        match lookup.and_then(Lookup::outcome) {
            Some(_) if lookup.is_some_and(|lookup| lookup.known().is_some()) => self
                .builder
                .note_unobserved(path, format!("{kind} {name}: the text was given, and the DNS was not queried")),
            _ => self.builder.note_missing_part(&path, field, &format!("the answer to {kind} {name}")),
        }
        self.facts.push(QuestionFacts {
            name: Fact::Known(crate::source_text::escape(name)),
            kind: Fact::Known(kind),
            needed: Fact::Known(true),
            ..QuestionFacts::default()
        });
    }

    /// A question that was put; false where it was not.
    fn put<R>(&mut self, kind: RecordType, lookup: Option<&Lookup<R>>, name: &str, at: &Path, needed: bool) -> bool {
        let Some(lookup) = lookup else { return false };
        let Some(found) = question(lookup, kind, name, needed, self.builder.fault) else { return false };
        let at = self.builder.locations.get(at);
        let path = Path::from("questions").nth(self.facts.len());
        self.builder.note_unobserved(path.to("dnssec"), reason_for_no_proof(lookup));
        self.builder.note_unobserved(path.to("ttl"), "the TTL was not observed");
        let failed_here = if is_beyond_limit(lookup) {
            question_text(lookup, kind.word(), name)
        } else {
            "the resolver failed, which says nothing about the domain".to_owned()
        };
        self.builder.note_unobserved(path.to("outcome"), failed_here);
        self.builder.locations.note_as(path, at);
        self.facts.push(found);
        true
    }
}

fn question<R>(lookup: &Lookup<R>, kind: RecordType, name: &str, needed: bool, fault: Fault) -> Option<QuestionFacts> {
    let outcome = lookup.outcome()?;
    if outcome == DnsOutcome::Answer && lookup.records.is_empty() {
        return None;
    }
    // A text that was given in place of an answer was never asked for.
    if outcome == DnsOutcome::Answer && lookup.name.is_none() {
        return None;
    }
    let failed = outcome.is_failure();
    let failure = lookup.failure.as_ref();
    let local = fault.is_here(lookup);
    Some(QuestionFacts {
        name: Fact::Known(crate::source_text::escape(lookup.name.as_deref().unwrap_or(name).trim_end_matches('.'))),
        kind: Fact::Known(kind),
        outcome: if local { Fact::Unobserved } else { Fact::Known(outcome) },
        local: Fact::Known(local),
        dnssec: proof(lookup.dnssec),
        dnssec_reason: Fact::Known(
            lookup.dnssec_reason.as_ref().map(|reason| crate::source_text::escape(&reason.detail)),
        ),
        extended_errors: Fact::Known(lookup.extended_errors.iter().map(ExtendedError::words).collect()),
        ttl: ttl(lookup),
        ttl_seen: ttl_seen(lookup),
        first_try: Fact::Known(lookup.first_try.as_ref().map(first_try::query)),
        needed: Fact::Known(needed),
        detail: Fact::Known(failed.then(|| failure.map_or_else(|| outcome.label().to_owned(), failure_text))),
    })
}
