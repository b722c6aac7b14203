//! The facts of how the domain receives mail: its MX RRset and each MX host.

use super::addresses::Answers;
use super::builder::{
    Builder, Chain, outcome_text, proof, question_text, reason_for_no_proof, reason_for_no_ttl, ttl, ttl_column,
    ttl_seen,
};
use super::fact::Fact;
use super::location::Place;
use super::mx_exhibits;
use super::path::Path;
use super::providers;
use super::smtp;
use super::tls::write;
use super::tree::{AddressFacts, MxFacts, MxHostFacts, TlsaFacts};
use crate::grammar::mx_patterns::PatternIndex;
use crate::grammar::names::{host_name_problem, normalised};
use crate::grammar::policy::{Mode, Policy};
use crate::snapshot::{DnsOutcome, Lookup, MxHost, MxRecord, ReverseLookup};

const ROOT: &str = "mx";

/// The facts of the MX RRset and of every MX host; `policy` decides which of them are covered.
pub fn mx_facts(builder: &mut Builder<'_>, policy: &Fact<Option<Policy>>) -> MxFacts {
    let snapshot = builder.snapshot;
    let owner = builder.owner("");
    let Some(lookup) = snapshot.mx.as_ref().filter(|lookup| lookup.outcome().is_some()) else {
        builder.note_missing_part(ROOT, ROOT, "the MX records of the domain");
        return MxFacts::default();
    };
    exhibit(builder, lookup, &owner);
    let facts = MxFacts { outcome: builder.fault.outcome(lookup), dnssec: proof(lookup.dnssec), ..MxFacts::default() };
    let Some(records) = lookup.known() else {
        let question = question_text(lookup, "MX", &owner);
        builder.note_unobserved(ROOT, question);
        return facts;
    };
    builder.note_unobserved("mx.dnssec", reason_for_no_proof(lookup));
    builder.note_unobserved("mx.ttl", reason_for_no_ttl(lookup));
    builder.note_unobserved("mx.ttl_seen", reason_for_no_ttl(lookup));
    let (ttl, ttl_seen) = (ttl(lookup), ttl_seen(lookup));
    let chain = Chain::of(&lookup.aliases);
    let implicit = implicit(builder, records);
    let hosts = hosts(builder, records, &implicit, policy);
    if hosts.is_unobserved() {
        builder.note_unobserved("mx.hosts", "whether the domain has an address of its own was not observed");
        for path in ["mx.implicit", "mx.receives_mail"] {
            builder.note_unobserved(path, "whether the domain has an address of its own was not observed");
        }
    }
    MxFacts {
        ttl,
        ttl_seen,
        alias: chain.alias,
        aliases: chain.aliases,
        canonical: chain.canonical,
        published: Fact::Known(!records.is_empty()),
        // Beside other records a null MX does not say that the domain takes no mail (RFC 7505 §3).
        null_mx: Fact::Known(!records.is_empty() && records.iter().all(is_null)),
        null_records: Fact::Known(i64::try_from(records.iter().filter(|it| is_null(it)).count()).unwrap_or(i64::MAX)),
        null_preference: Fact::Known(records.iter().filter(|it| is_null(it)).map(|it| i64::from(it.preference)).max()),
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
            &[ROOT, "mx.alias"],
            &format!("{}. {}IN CNAME {}.", normalised(&alias.name), ttl_column(alias.ttl), normalised(&alias.target)),
        );
    }
    for record in &lookup.records {
        let exchange = crate::source_text::escape(record.exchange.trim_end_matches('.'));
        let paths: &[&str] =
            if is_null(record) { &["mx.null_mx", "mx.null_records", "mx.null_preference"] } else { &[] };
        let text = format!("{owner} {}IN MX {} {exchange}.", ttl_column(lookup.ttl), record.preference);
        let place = line(builder, paths, &text);
        builder.mx_lines.insert(normalised(&record.exchange), place);
    }
    if lookup.records.is_empty() {
        line(builder, &[ROOT], &format!("{owner} IN MX ; {}", outcome_text(lookup)));
    } else if builder.locations.get(ROOT).is_none() {
        let first = builder.locations.exhibit(ROOT).text().find('\n').unwrap_or_default();
        builder.locations.note(ROOT, ROOT, (0, first));
    }
}

/// Writes a line of the exhibit, and notes it for paths.
fn line(builder: &mut Builder<'_>, paths: &[&str], text: &str) -> Place {
    let place = write(builder, ROOT, text);
    for path in paths {
        builder.locations.note_as(*path, Some(place.clone()));
    }
    place
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
    Answers { name: "", ipv4: builder.snapshot.ipv4.as_ref(), ipv6: builder.snapshot.ipv6.as_ref() }.resolves()
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
        .map(|record| (normalised(&record.exchange), Some(record.preference)))
        .collect();
    wanted.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    wanted.dedup_by(|a, b| a.0 == b.0);
    match implicit {
        Fact::Unobserved => return Fact::Unobserved,
        Fact::Known(true) => match builder.domain() {
            Some(domain) => wanted.push((domain.to_owned(), None)),
            None => return Fact::Unobserved,
        },
        Fact::Known(false) => {}
    }
    let named = policy.known().and_then(Option::as_ref);
    let patterns = PatternIndex::of(named.into_iter().flat_map(|policy| &policy.mx).map(|mx| mx.pattern.text.as_str()));
    builder.smtp_blocked = smtp::looks_blocked(builder.snapshot) == Some(true);
    let mut hosts = Vec::new();
    for (name, preference) in wanted {
        let path = Path::from("mx").to("hosts").nth(hosts.len());
        let place = builder.mx_lines.get(&name).cloned().or_else(|| builder.locations.get(ROOT));
        builder.locations.note_as(&path, place);
        let facts = MxHostFacts {
            name: Fact::Known(name.clone()),
            preference: Fact::Known(preference.map(i64::from)),
            name_problem: Fact::Known(host_name_problem(&name)),
            provider: Fact::Known(providers::of(&name).map(str::to_owned)),
            run_by: Fact::Known(run_by(builder.domain(), &name)),
            pattern: Fact::Known(name.clone()),
            ..covered(builder, &name, policy, &patterns, &path)
        };
        hosts.push(match builder.mx_host(&name) {
            Some(observed) => of_observed(builder, facts, observed, &name, &path),
            None => {
                builder.note_missing_part(&path, "mx_hosts", &format!("the MX host {name}"));
                facts
            }
        });
    }
    Fact::Known(hosts)
}

/// Who runs a host that is not in the domain's own zone.
fn run_by(domain: Option<&str>, name: &str) -> Option<String> {
    if let Some(provider) = providers::of(name) {
        return Some(provider.to_owned());
    }
    let (own, zone) = (psl::domain_str(domain?)?, psl::domain_str(name)?);
    (own != zone).then(|| format!("whoever runs {zone}"))
}

fn of_observed(
    builder: &mut Builder<'_>,
    facts: MxHostFacts,
    observed: &MxHost,
    name: &str,
    path: &Path,
) -> MxHostFacts {
    let (ipv4, ipv6) = (observed.ipv4.as_ref(), observed.ipv6.as_ref());
    let answers = Answers { name, ipv4, ipv6 };
    let (resolves, chain) = (answers.resolves(), answers.chain());
    builder.note_unobserved(path.to("dnssec"), answers.reason_for_no_proof());
    for field in ["ttl", "ttl_seen", "tlsa_ttl"] {
        builder.note_unobserved(path.to(field), "the TTL was not observed");
    }
    if let Some(reason) = answers.unanswered() {
        for field in ["resolves", "unresolved", "addresses", "alias", "aliases", "canonical", "dnssec", "ttl"] {
            builder.note_unobserved(path.to(field), reason.clone());
        }
    }
    for field in ["consistent", "difference"] {
        builder.note_unobserved(path.to(field), "not every address was observed, so that there is nothing to compare");
    }
    let (addresses, probes, tlsa) = match builder.take_parts(observed) {
        Ok(()) => {
            let addresses = mx_exhibits::addresses(builder, &answers, path);
            (
                reverse_names(builder, observed, addresses, path),
                smtp::probes(builder, observed, &answers, path),
                tlsa(builder, observed, name, &answers, path),
            )
        }
        Err(reason) => {
            for field in ["addresses", "probes", "consistent", "difference", "tlsa"] {
                builder.note_unobserved(path.to(field), reason);
            }
            (Fact::Unobserved, Fact::Unobserved, Fact::Unobserved)
        }
    };
    let (consistent, difference) = smtp::compared(builder, &probes, path);
    let tlsa_lookup = observed.tlsa.as_ref();
    if tlsa_lookup.is_none_or(|lookup| lookup.known().is_none()) {
        let reason = tlsa_lookup.map_or("the TLSA records were not looked up".to_owned(), |lookup| {
            question_text(lookup, "TLSA", &format!("_25._tcp.{name}"))
        });
        for field in ["tlsa", "tlsa_outcome", "tlsa_dnssec", "tlsa_ttl"] {
            builder.note_unobserved(path.to(field), reason.clone());
        }
    } else if let Some(lookup) = tlsa_lookup {
        builder.note_unobserved(path.to("tlsa_dnssec"), reason_for_no_proof(lookup));
    }
    MxHostFacts {
        alias: chain.alias,
        aliases: chain.aliases,
        canonical: chain.canonical,
        ttl: answers.ttl(),
        ttl_seen: answers.ttl_seen(),
        tlsa_ttl: tlsa_lookup.map_or(Fact::Unobserved, ttl),
        addresses,
        dnssec: answers.dnssec(),
        resolves,
        unresolved: answers.unresolved(builder.fault),
        probes,
        consistent,
        difference,
        tlsa_needed: tlsa_needed(builder, observed, path),
        tlsa,
        tlsa_outcome: tlsa_lookup.map_or(Fact::Unobserved, |lookup| builder.fault.outcome(lookup)),
        tlsa_dnssec: tlsa_lookup.map_or(Fact::Unobserved, |lookup| proof(lookup.dnssec)),
        ..facts
    }
}

/// The facts of the TLSA records, which are also shown.
fn tlsa(
    builder: &mut Builder<'_>,
    observed: &MxHost,
    name: &str,
    answers: &Answers<'_>,
    path: &Path,
) -> Fact<Vec<TlsaFacts>> {
    mx_exhibits::tlsa(builder, observed, name, path);
    let all = builder.snapshot.mx_hosts.as_deref().unwrap_or_default();
    super::dane::tlsa_facts(observed, all, answers)
}

fn tlsa_needed(builder: &mut Builder<'_>, observed: &MxHost, path: &Path) -> Fact<Vec<String>> {
    let needed = super::tlsa_miss::needed(observed);
    if needed.is_empty() {
        builder.note_unobserved(path.to("tlsa_needed"), "the key of the host was not observed");
        return Fact::Unobserved;
    }
    Fact::Known(needed)
}

/// Whether the policy names the host, and by which of its patterns (RFC 8461 §4.1).
fn covered(
    builder: &mut Builder<'_>,
    name: &str,
    policy: &Fact<Option<Policy>>,
    patterns: &PatternIndex,
    path: &Path,
) -> MxHostFacts {
    let mut facts = MxHostFacts::default();
    match policy {
        Fact::Unobserved => {
            for field in ["covered", "covered_by"] {
                let reason = builder
                    .unobserved
                    .get("policy")
                    .cloned()
                    .unwrap_or_else(|| "the policy was not observed".to_owned());
                builder.note_unobserved(path.to(field), reason);
            }
        }
        Fact::Known(Some(policy))
            if policy.markup.is_none() && policy.valid_mode().is_some_and(|mode| mode != Mode::None) =>
        {
            let by = patterns.first(name).and_then(|place| policy.mx.get(place));
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

/// The addresses with the names that they lead back to.
fn reverse_names(
    builder: &mut Builder<'_>,
    observed: &MxHost,
    addresses: Fact<Vec<AddressFacts>>,
    path: &Path,
) -> Fact<Vec<AddressFacts>> {
    let named = |(index, facts): (usize, AddressFacts)| {
        let address = facts.address.known().cloned().unwrap_or_default();
        let of_it = |lookup: &&ReverseLookup| lookup.address.to_string() == address;
        let asked = observed.reverse.iter().flatten().find(of_it).map(|lookup| &lookup.ptr);
        if let Some(records) = asked.and_then(Lookup::known) {
            let names = records.iter().map(|record| normalised(&record.name)).collect();
            return AddressFacts { reverse_names: Fact::Known(names), ..facts };
        }
        let reason = match asked {
            Some(lookup) => question_text(lookup, "PTR", &address),
            None => format!("the names that {address} leads back to were not asked for (`--reverse-names`)"),
        };
        if facts.address.known().is_some() {
            builder.note_unobserved(path.to("addresses").nth(index).to("reverse_names"), reason);
        }
        facts
    };
    addresses.map(|addresses| addresses.into_iter().enumerate().map(named).collect())
}
