//! The facts of how the domain receives mail: its MX RRset and each MX host.

use std::net::IpAddr;

use super::address::address_facts;
use super::builder::{Builder, outcome_word, proof_word, question_text, ttl_column};
use super::fact::Fact;
use super::providers;
use super::smtp;
use super::tree::{AddressFacts, MxFacts, MxHostFacts};
use crate::grammar::mx_pattern::MxPattern;
use crate::grammar::names::{host_name_problem, plain};
use crate::grammar::policy::Policy;
use crate::snapshot::{AddressRecord, DnsOutcome, DnssecProof, Lookup, MxHost, MxRecord};

const ROOT: &str = "mx";

/// The facts of the MX RRset and of every MX host; `policy` decides which of them are covered.
pub fn mx_facts(builder: &mut Builder<'_>, policy: &Fact<Option<Policy>>) -> MxFacts {
    let snapshot = builder.snapshot;
    let owner = builder.owner("");
    let Some(lookup) = snapshot.mx.as_ref().filter(|lookup| lookup.outcome().is_some()) else {
        builder.why_left_out(ROOT, ROOT, "the MX records of the domain");
        return MxFacts::default();
    };
    exhibit(builder, lookup, &owner);
    let facts = MxFacts {
        outcome: lookup.outcome().map(outcome_word).into(),
        dnssec: proof_word(lookup.dnssec),
        ..MxFacts::default()
    };
    let Some(records) = lookup.known() else {
        let question = question_text(lookup, "MX", &owner);
        builder.why(ROOT, question);
        return facts;
    };
    builder.why("mx.dnssec", "DNSSEC was not looked at");
    builder.why("mx.ttl", "the TTL was not observed");
    let ttl = if records.is_empty() { Fact::Known(None) } else { lookup.ttl.map(|ttl| Some(i64::from(ttl))).into() };
    let implicit = implicit(builder, records);
    let hosts = hosts(builder, records, &implicit, policy);
    if hosts.is_unobserved() {
        builder.why("mx.hosts", "whether the domain has an address of its own was not observed");
        for path in ["mx.implicit", "mx.receives_mail"] {
            builder.why(path, "whether the domain has an address of its own was not observed");
        }
    }
    MxFacts {
        ttl,
        alias: Fact::Known(lookup.aliases.first().map(|alias| plain(&alias.target))),
        published: Fact::Known(!records.is_empty()),
        // Beside other records a null MX does not say that the domain takes no mail (RFC 7505 §3).
        null_mx: Fact::Known(!records.is_empty() && records.iter().all(is_null)),
        null_records: Fact::Known(i64::try_from(records.iter().filter(|it| is_null(it)).count()).unwrap_or(i64::MAX)),
        records: Fact::Known(i64::try_from(records.len()).unwrap_or(i64::MAX)),
        receives_mail: hosts.clone().map(|hosts| !hosts.is_empty()),
        hosts,
        implicit,
        ..facts
    }
}

fn is_null(record: &MxRecord) -> bool {
    record.exchange.trim_end_matches('.').is_empty()
}

fn exhibit(builder: &mut Builder<'_>, lookup: &Lookup<MxRecord>, owner: &str) {
    for alias in &lookup.aliases {
        line(
            builder,
            &[ROOT.to_owned(), "mx.alias".to_owned()],
            &format!("{}. {}IN CNAME {}.", plain(&alias.name), ttl_column(alias.ttl), plain(&alias.target)),
        );
    }
    for record in &lookup.records {
        let exchange = crate::source_text::escape(record.exchange.trim_end_matches('.'));
        let mut paths = vec![format!("mx.exchange {}", plain(&record.exchange))];
        if is_null(record) {
            paths.extend(["mx.null_mx".to_owned(), "mx.null_records".to_owned()]);
        }
        line(builder, &paths, &format!("{owner} {}IN MX {} {exchange}.", ttl_column(lookup.ttl), record.preference));
    }
    if lookup.records.is_empty() {
        let said = question_text(lookup, "MX", owner);
        line(builder, &[ROOT.to_owned()], &format!("{owner} IN MX ; {}", said.split(": ").nth(1).unwrap_or(&said)));
    } else if builder.locations.clone_of(ROOT).is_none() {
        let first = builder.locations.exhibit(ROOT).text().find('\n').unwrap_or_default();
        builder.locations.note(ROOT, ROOT, (0, first));
    }
}

fn line(builder: &mut Builder<'_>, paths: &[String], text: &str) {
    let exhibit = builder.locations.exhibit(ROOT);
    let (start, end) = exhibit.push_placed(text);
    exhibit.push("\n");
    for path in paths {
        builder.locations.note(path.as_str(), ROOT, (start, end.saturating_sub(start)));
    }
}

/// Whether the domain receives mail at its own address for want of MX records (RFC 5321 §5.1).
fn implicit(builder: &Builder<'_>, records: &[MxRecord]) -> Fact<bool> {
    if !records.is_empty() {
        return Fact::Known(false);
    }
    let outcome = builder.snapshot.mx.as_ref().and_then(Lookup::outcome);
    if outcome == Some(DnsOutcome::Nxdomain) {
        return Fact::Known(false);
    }
    resolves(builder.snapshot.ipv4.as_ref(), builder.snapshot.ipv6.as_ref())
}

fn hosts(
    builder: &mut Builder<'_>,
    records: &[MxRecord],
    implicit: &Fact<bool>,
    policy: &Fact<Option<Policy>>,
) -> Fact<Vec<MxHostFacts>> {
    let mut wanted: Vec<(String, Option<u16>)> = records
        .iter()
        .filter(|record| !is_null(record))
        .map(|record| (plain(&record.exchange), Some(record.preference)))
        .collect();
    wanted.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    wanted.dedup_by(|a, b| a.0 == b.0);
    match implicit {
        Fact::Unobserved => return Fact::Unobserved,
        Fact::Known(true) => wanted.extend(builder.domain().map(|domain| (domain.to_owned(), None))),
        Fact::Known(false) => {}
    }
    let mut hosts = Vec::new();
    for (name, preference) in wanted {
        let path = format!("mx.hosts[{}]", hosts.len());
        let place =
            builder.locations.clone_of(&format!("mx.exchange {name}")).or_else(|| builder.locations.clone_of(ROOT));
        builder.locations.note_as(path.as_str(), place);
        hosts.push(host(builder, &name, preference, policy, &path));
    }
    Fact::Known(hosts)
}

fn host(
    builder: &mut Builder<'_>,
    name: &str,
    preference: Option<u16>,
    policy: &Fact<Option<Policy>>,
    path: &str,
) -> MxHostFacts {
    let facts = MxHostFacts {
        name: Fact::Known(name.to_owned()),
        preference: Fact::Known(preference.map(i64::from)),
        name_problem: Fact::Known(host_name_problem(name)),
        provider: Fact::Known(providers::of(name).map(str::to_owned)),
        pattern: Fact::Known(name.to_owned()),
        ..covered(builder, name, policy, path)
    };
    let observed =
        builder.snapshot.mx_hosts.as_deref().unwrap_or_default().iter().find(|host| plain(&host.exchange) == name);
    let Some(observed) = observed else {
        builder.why_left_out(path, "mx_hosts", &format!("the MX host {name}"));
        return facts;
    };
    of_observed(builder, facts, observed, name, path)
}

fn of_observed(
    builder: &mut Builder<'_>,
    facts: MxHostFacts,
    observed: &MxHost,
    name: &str,
    path: &str,
) -> MxHostFacts {
    let (ipv4, ipv6) = (observed.ipv4.as_ref(), observed.ipv6.as_ref());
    let resolves = resolves(ipv4, ipv6);
    if resolves.is_unobserved() {
        let asked = [("A", ipv4), ("AAAA", ipv6)]
            .into_iter()
            .filter_map(|(kind, lookup)| Some(question_text(lookup?, kind, name)));
        let asked = asked.collect::<Vec<_>>().join("; ");
        let reason = if asked.is_empty() { format!("the addresses of {name} were not looked up") } else { asked };
        for field in ["resolves", "addresses", "alias", "dnssec"] {
            builder.why(format!("{path}.{field}"), reason.clone());
        }
    } else {
        builder.why(format!("{path}.dnssec"), "DNSSEC was not looked at");
    }
    let alias = [ipv4, ipv6].into_iter().flatten().find_map(|lookup| lookup.aliases.first());
    let probes = smtp::probes(builder, observed, name, path);
    let (consistent, difference) = smtp::compared(&probes);
    for field in ["consistent", "difference"] {
        builder.why(format!("{path}.{field}"), "there are no two answers to compare");
    }
    let tlsa_lookup = observed.tlsa.as_ref();
    if tlsa_lookup.is_none_or(|lookup| lookup.known().is_none()) {
        let reason = tlsa_lookup.map_or("the TLSA records were not looked up".to_owned(), |lookup| {
            question_text(lookup, "TLSA", &format!("_25._tcp.{name}"))
        });
        for field in ["tlsa", "tlsa_outcome", "tlsa_dnssec"] {
            builder.why(format!("{path}.{field}"), reason.clone());
        }
    }
    MxHostFacts {
        alias: if resolves.is_unobserved() && alias.is_none() {
            Fact::Unobserved
        } else {
            Fact::Known(alias.map(|alias| plain(&alias.target)))
        },
        addresses: addresses(ipv4, ipv6),
        dnssec: weakest(ipv4, ipv6),
        resolves,
        probes,
        consistent,
        difference,
        tlsa: super::dane::tlsa_facts(observed),
        tlsa_outcome: tlsa_lookup.and_then(Lookup::outcome).map(outcome_word).into(),
        tlsa_dnssec: tlsa_lookup.map_or(Fact::Unobserved, |lookup| proof_word(lookup.dnssec)),
        ..facts
    }
}

/// Whether the policy names the host, and by which pattern (RFC 8461 §4.1).
fn covered(builder: &mut Builder<'_>, name: &str, policy: &Fact<Option<Policy>>, path: &str) -> MxHostFacts {
    let mut facts = MxHostFacts::default();
    match policy {
        Fact::Unobserved => {
            for field in ["covered", "covered_by"] {
                let reason = builder
                    .unobserved
                    .get("policy")
                    .cloned()
                    .unwrap_or_else(|| "the policy was not observed".to_owned());
                builder.why(format!("{path}.{field}"), reason);
            }
        }
        Fact::Known(Some(policy))
            if policy.markup.is_none() && policy.valid_mode().is_some_and(|mode| mode != "none") =>
        {
            let by = policy
                .mx
                .iter()
                .find(|mx| MxPattern::parse(&mx.pattern.text).is_ok_and(|pattern| pattern.matches(name)));
            facts.covered = Fact::Known(Some(by.is_some()));
            facts.covered_by = Fact::Known(by.map(|mx| mx.pattern.text.clone()));
        }
        Fact::Known(_) => {
            facts.covered = Fact::Known(None);
            facts.covered_by = Fact::Known(None);
        }
    }
    facts
}

/// Whether a name has an address.
pub fn resolves(ipv4: Option<&Lookup<AddressRecord>>, ipv6: Option<&Lookup<AddressRecord>>) -> Fact<bool> {
    let known =
        |lookup: Option<&Lookup<AddressRecord>>| lookup.and_then(Lookup::known).map(|records| !records.is_empty());
    match (known(ipv4), known(ipv6)) {
        (Some(true), _) | (_, Some(true)) => Fact::Known(true),
        (Some(false), Some(false)) => Fact::Known(false),
        // One family alone was asked on purpose, or a snapshot was written by hand.
        (Some(false), None) if ipv6.is_none() => Fact::Known(false),
        (None, Some(false)) if ipv4.is_none() => Fact::Known(false),
        _ => Fact::Unobserved,
    }
}

/// The addresses of a name, A before AAAA.
pub fn addresses(
    ipv4: Option<&Lookup<AddressRecord>>,
    ipv6: Option<&Lookup<AddressRecord>>,
) -> Fact<Vec<AddressFacts>> {
    let known = |lookup: Option<&Lookup<AddressRecord>>| -> Option<Vec<IpAddr>> {
        Some(lookup?.known()?.iter().map(|record| record.address).collect())
    };
    match (known(ipv4), known(ipv6)) {
        (None, None) => Fact::Unobserved,
        (a, b) => Fact::Known(a.into_iter().chain(b).flatten().map(address_facts).collect()),
    }
}

/// The weaker proof of the two address answers.
fn weakest(ipv4: Option<&Lookup<AddressRecord>>, ipv6: Option<&Lookup<AddressRecord>>) -> Fact<String> {
    let order = [DnssecProof::Bogus, DnssecProof::Indeterminate, DnssecProof::Insecure, DnssecProof::Secure];
    let proofs: Vec<_> = [ipv4, ipv6].into_iter().flatten().filter_map(|lookup| lookup.dnssec).collect();
    proof_word(order.into_iter().find(|proof| proofs.contains(proof)))
}
