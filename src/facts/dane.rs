//! The facts of TLSA records (RFC 6698, RFC 7672): which are usable, and which match the presented chain.

use std::collections::BTreeSet;

use super::addresses::Answers;
use super::fact::Fact;
use super::legacy;
use super::tlsa_match::matches;
use super::tlsa_miss::{self, MAX_EXPLAINED, sessions};
use super::tree::TlsaFacts;
use crate::grammar::names::normalised;
use crate::snapshot::{Certificate, Lookup, MxHost, SmtpProbe, TlsFacts, TlsaRecord};

/// The facts of the TLSA records of an MX host.
///
/// That a record matches at every address is known only where every address was seen.
pub fn tlsa_facts(host: &MxHost, hosts: &[MxHost], answers: &Answers<'_>) -> Fact<Vec<TlsaFacts>> {
    let records = host.tlsa.as_ref().and_then(Lookup::known);
    let chains: Vec<&[Certificate]> = sessions(host).collect();
    let facts = |records: &[TlsaRecord]| -> Vec<TlsaFacts> {
        // Each connection needs one record that matches (RFC 7672 §2.2), and addresses may have keys of their own.
        let served = |chain: &&[Certificate]| records.iter().any(|record| usable(record) && matches(record, chain));
        let every_chain = chains.iter().all(served);
        let mut facts: Vec<TlsaFacts> = records.iter().map(|record| facts_of(record, &chains, every_chain)).collect();
        let name = normalised(&host.exchange);
        for (facts, record) in facts.iter_mut().zip(records).take(MAX_EXPLAINED) {
            if facts.usable == Fact::Known(true) && facts.matches == Fact::Known(false) {
                let (kind, reason) = tlsa_miss::miss(record, &chains, &name, hosts);
                (facts.miss, facts.miss_reason) = (Fact::Known(Some(kind)), Fact::Known(Some(reason)));
            }
        }
        if !all_seen(host, answers) {
            let doubtful = facts.iter_mut().filter(|facts| facts.matches == Fact::Known(true));
            doubtful.for_each(|facts| facts.matches = Fact::Unobserved);
        }
        facts
    };
    records.map(facts).into()
}

/// Whether each address of the host was spoken to, as far as the host let us.
fn all_seen(host: &MxHost, answers: &Answers<'_>) -> bool {
    let asked: Vec<_> = host.probes.iter().flatten().map(|probe| probe.address).collect();
    let seen = |probe: &SmtpProbe| probe.tls.is_some() || probe.failure.is_some() || probe.connected == Some(false);
    answers.are_all_in(&asked) && host.probes.iter().flatten().all(seen)
}

/// The usages of the host's usable records that match the chain of one session, in order. Not observed where the chain
/// that decides it is not known, or the records are not.
pub fn matched_usages(host: &MxHost, session: &TlsFacts) -> Fact<Vec<i64>> {
    let Some(records) = host.tlsa.as_ref().and_then(Lookup::known) else { return Fact::Unobserved };
    if !session.handshake && legacy::of(session, false).is_none() {
        return Fact::Known(Vec::new());
    }
    let usable: Vec<&TlsaRecord> = records.iter().filter(|record| usable(record)).collect();
    if !usable.iter().all(|record| decides(record, &session.chain)) {
        return Fact::Unobserved;
    }
    let matched = usable.iter().filter(|record| matches(record, &session.chain));
    let usages: BTreeSet<i64> = matched.map(|record| i64::from(record.usage)).collect();
    Fact::Known(usages.into_iter().collect())
}

/// Whether enough of a chain is known to compare a record with it: of an end-entity usage only the host's own
/// certificate has to be.
fn decides(record: &TlsaRecord, chain: &[Certificate]) -> bool {
    let read = if matches!(record.usage, 1 | 3) { chain.len().min(1) } else { chain.len() };
    !chain.is_empty() && chain.iter().take(read).all(|certificate| certificate.pem.is_some())
}

fn usable(record: &TlsaRecord) -> bool {
    problem(record).is_none()
}

/// Why no sender can use a record (RFC 7672 §3.1, RFC 6698 §2.1): the usages for SMTP are 2 and 3, selector and
/// matching type must be known, and a digest has the length of its algorithm.
fn problem(record: &TlsaRecord) -> Option<String> {
    let octets = record.association.len() / 2;
    let hex =
        record.association.bytes().all(|digit| digit.is_ascii_hexdigit()) && record.association.len().is_multiple_of(2);
    let digest = |name, length| format!("has {octets} octets of data where {name} has {length}");
    match (record.usage, record.selector, record.matching) {
        (0 | 1, ..) => Some(format!("has usage {}, which is not meant for mail", record.usage)),
        (4.., ..) => Some(format!("has usage {}, which does not exist", record.usage)),
        (_, 2.., _) => Some(format!("has selector {}, which does not exist", record.selector)),
        (_, _, 3..) => Some(format!("has matching type {}, which does not exist", record.matching)),
        _ if !hex => Some("has data that are not hexadecimal".to_owned()),
        (_, _, 0) if octets == 0 => Some("has no data".to_owned()),
        (_, _, 1) if octets != 32 => Some(digest("SHA-256", 32)),
        (_, _, 2) if octets != 64 => Some(digest("SHA-512", 64)),
        _ => None,
    }
}

fn facts_of(record: &TlsaRecord, chains: &[&[Certificate]], every_chain: bool) -> TlsaFacts {
    let known = chains.iter().all(|chain| decides(record, chain));
    let matches = if known && !chains.is_empty() {
        if usable(record) {
            Fact::Known(every_chain && chains.iter().any(|chain| matches(record, chain)))
        } else {
            Fact::Known(chains.iter().all(|chain| matches(record, chain)))
        }
    } else {
        Fact::Unobserved
    };
    TlsaFacts {
        usage: Fact::Known(i64::from(record.usage)),
        selector: Fact::Known(i64::from(record.selector)),
        matching: Fact::Known(i64::from(record.matching)),
        text: Fact::Known(format!(
            "{} {} {} {}",
            record.usage,
            record.selector,
            record.matching,
            crate::source_text::escape(&record.association)
        )),
        usable: Fact::Known(usable(record)),
        problem: Fact::Known(problem(record)),
        miss: if matches.is_unobserved() { Fact::Unobserved } else { Fact::Known(None) },
        miss_reason: if matches.is_unobserved() { Fact::Unobserved } else { Fact::Known(None) },
        matches,
    }
}
