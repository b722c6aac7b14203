//! The facts of the `_smtp._tls` TXT record (RFC 8460 §3).

use super::builder::Builder;
use super::fact::Fact;
use super::location::Placed;
use super::misplaced;
use super::path::Path;
use super::tree::{DestinationFacts, TlsrptFacts};
use super::txt::{self, Answer, Text};
use crate::grammar::tlsrpt_record::{self, Destination, TlsrptRecord};
use crate::grammar::{Offence, Span, VersionTag, corrected, placeholder};
use crate::snapshot::ReportHost;

const ROOT: &str = "tlsrpt";

/// The facts of the record.
pub fn tlsrpt_facts(builder: &mut Builder<'_>) -> TlsrptFacts {
    let snapshot = builder.snapshot;
    let mut facts = match txt::answer(builder, snapshot.tlsrpt.as_ref(), ROOT, "_smtp._tls") {
        None => TlsrptFacts::default(),
        Some(answer) => of_answer(builder, answer),
    };
    let misplaced = misplaced::at(builder, ROOT, "v=tlsrpt");
    (facts.misplaced, facts.wildcard) = (misplaced.records, misplaced.wildcard);
    facts
}

fn of_answer(builder: &mut Builder<'_>, answer: Answer) -> TlsrptFacts {
    let facts = TlsrptFacts {
        outcome: answer.outcome,
        ttl: answer.ttl,
        ttl_seen: answer.ttl_seen,
        dnssec: answer.dnssec,
        alias: answer.chain.alias,
        aliases: answer.chain.aliases,
        canonical: answer.chain.canonical,
        dangling: answer.dangling,
        ..TlsrptFacts::default()
    };
    let Some(texts) = answer.texts else { return facts };
    let parsed: Vec<(&Text, TlsrptRecord)> = texts.iter().map(|text| (text, tlsrpt_record::parse(&text.0))).collect();
    let count = parsed.iter().filter(|(_, record)| record.begins).count();
    let meant = |record: &TlsrptRecord| record.version != VersionTag::Foreign;
    let chosen =
        parsed.iter().find(|(_, record)| record.begins).or_else(|| parsed.iter().find(|(_, record)| meant(record)));
    if let Some((second, _)) = parsed.iter().filter(|(_, record)| record.begins).nth(1) {
        txt::note(builder, Path::from(ROOT).to("count"), ROOT, &second.1, Span { offset: 0, length: usize::MAX });
    }
    let foreign: Vec<&Text> = parsed.iter().filter(|(_, record)| !meant(record)).map(|(text, _)| *text).collect();
    for (index, (_, placed, _)) in foreign.iter().enumerate() {
        txt::note(
            builder,
            Path::from(ROOT).to("foreign").nth(index),
            ROOT,
            placed,
            Span { offset: 0, length: usize::MAX },
        );
    }
    let facts = TlsrptFacts {
        foreign: Fact::Known(txt::foreign(&foreign)),
        count: Fact::Known(i64::try_from(count).unwrap_or(i64::MAX)),
        texts: Fact::Known(i64::try_from(texts.len()).unwrap_or(i64::MAX)),
        ..facts
    };
    match chosen {
        None => without_record(facts),
        Some((text, record)) => {
            let usable = record.is_valid() && (count == 1 || (texts.len() == 1 && !record.begins));
            with_record(builder, facts, text, record, usable)
        }
    }
}

fn without_record(facts: TlsrptFacts) -> TlsrptFacts {
    TlsrptFacts {
        text: Fact::Known(None),
        version_problem: Fact::Known(None),
        version_space: Fact::Known(false),
        fields: Fact::Known(Vec::new()),
        syntax_offences: Fact::Known(Vec::new()),
        ascii_offences: Fact::Known(Vec::new()),
        strings: Fact::Known(0),
        rua_fields: Fact::Known(0),
        rua_problem: Fact::Known(None),
        rua: Fact::Known(Vec::new()),
        truncated: Fact::Known(Vec::new()),
        truncated_parses: Fact::Known(true),
        usable: Fact::Known(false),
        own_domain_only: Fact::Known(false),
        corrected: Fact::Known(None),
        ..facts
    }
}

fn with_record(
    builder: &mut Builder<'_>,
    facts: TlsrptFacts,
    text: &Text,
    record: &TlsrptRecord,
    usable: bool,
) -> TlsrptFacts {
    let (octets, placed, strings) = text;
    let whole = Span { offset: 0, length: octets.len() };
    for path in ["text", "strings", "usable", "rua", "own_domain_only"] {
        txt::note(builder, Path::from(ROOT).to(path), ROOT, placed, whole);
    }
    txt::note(builder, ROOT, ROOT, placed, whole);
    if let Some(problem) = &record.rua_problem {
        txt::note(builder, "tlsrpt.rua_problem", ROOT, placed, problem.span);
    }
    let ruas = record.fields.iter().filter(|field| field.name == "rua").count();
    TlsrptFacts {
        text: Fact::Known(Some(String::from_utf8_lossy(octets).into_owned())),
        version_problem: Fact::Known(txt::version_problem(builder, &record.version, ROOT, placed)),
        version_space: Fact::Known(matches!(record.version, VersionTag::ExactThenSpace(_))),
        fields: Fact::Known(txt::fields(builder, &record.fields, ROOT, placed)),
        syntax_offences: Fact::Known(txt::offences(
            builder,
            &record.syntax,
            &Path::from(ROOT).to("syntax_offences"),
            ROOT,
            placed,
        )),
        ascii_offences: Fact::Known(txt::offences(
            builder,
            &record.ascii,
            &Path::from(ROOT).to("ascii_offences"),
            ROOT,
            placed,
        )),
        strings: Fact::Known(i64::try_from(*strings).unwrap_or(i64::MAX)),
        rua_fields: Fact::Known(i64::try_from(ruas).unwrap_or(i64::MAX)),
        rua_problem: Fact::Known(record.rua_problem.as_ref().map(|problem| problem.detail.clone())),
        rua: Fact::Known(destinations(builder, &record.destinations, placed)),
        truncated: Fact::Known(txt::offences(
            builder,
            &record.truncated,
            &Path::from(ROOT).to("truncated"),
            ROOT,
            placed,
        )),
        truncated_parses: Fact::Known(record.truncated_parses),
        usable: Fact::Known(usable),
        own_domain_only: own_domain_only(builder, record),
        corrected: Fact::Known(corrected::tlsrpt_record(octets, record)),
        ..facts
    }
}

fn destinations(builder: &mut Builder<'_>, found: &[Destination], placed: &Placed) -> Vec<DestinationFacts> {
    let mut facts = Vec::new();
    for (index, destination) in found.iter().enumerate() {
        let path = Path::from("tlsrpt").to("rua").nth(index);
        txt::note(builder, &path, ROOT, placed, destination.span);
        let problems = [
            ("scheme_problem", &destination.scheme_problem),
            ("uri_problem", &destination.uri_problem),
            ("size_suffix", &destination.size_suffix),
        ];
        for (field, problem) in problems {
            if let Some(problem) = problem {
                txt::note(builder, path.to(field), ROOT, placed, problem.span);
            }
        }
        facts.push(destination_facts(builder, destination, &path));
    }
    facts
}

fn destination_facts(builder: &mut Builder<'_>, destination: &Destination, path: &Path) -> DestinationFacts {
    let detail = |problem: &Option<Offence>| problem.as_ref().map(|problem| problem.detail.clone());
    let suggestion = [&destination.scheme_problem, &destination.uri_problem]
        .into_iter()
        .flatten()
        .find_map(|problem| problem.suggestion.clone())
        .map(
            |suggestion| {
                if suggestion == "https" { destination.text.replacen("http:", "https:", 1) } else { suggestion }
            },
        );
    let resolves = resolves(builder, destination);
    if resolves.is_unobserved() {
        builder.note_unobserved(path.to("resolves"), "whether reports can be delivered there was not checked");
    }
    DestinationFacts {
        text: Fact::Known(destination.text.clone()),
        scheme: Fact::Known(destination.scheme.clone()),
        host: Fact::Known(destination.host.clone()),
        scheme_problem: Fact::Known(detail(&destination.scheme_problem)),
        uri_problem: Fact::Known(detail(&destination.uri_problem)),
        size_suffix: Fact::Known(
            destination
                .size_suffix
                .as_ref()
                .and_then(|_| destination.text.rfind('!'))
                .and_then(|at| destination.text.get(at..))
                .map(str::to_owned),
        ),
        suggestion: Fact::Known(suggestion),
        placeholder: Fact::Known(destination.host.as_deref().is_some_and(placeholder::is_name)),
        resolves,
    }
}

/// Whether mail, or a connection, can get to a destination: an MX that is not a null MX, or an address.
fn resolves(builder: &Builder<'_>, destination: &Destination) -> Fact<bool> {
    let Some(host) = destination.host.as_deref() else { return Fact::Unobserved };
    let found = builder
        .snapshot
        .report_hosts
        .iter()
        .flatten()
        .find(|report| report.name.trim_end_matches('.').eq_ignore_ascii_case(host));
    let Some(found) = found else { return Fact::Unobserved };
    let mail = destination.scheme.as_deref() == Some("mailto");
    if mail && let Some(records) = found.mx.as_ref().and_then(|mx| mx.known()).filter(|records| !records.is_empty()) {
        return Fact::Known(records.iter().any(|mx| !mx.exchange.trim_end_matches('.').is_empty()));
    }
    if mail && found.mx.as_ref().is_none_or(|mx| mx.known().is_none()) {
        return Fact::Unobserved;
    }
    has_address(found)
}

fn has_address(host: &ReportHost) -> Fact<bool> {
    let known = |lookup: &Option<crate::snapshot::Lookup<crate::snapshot::AddressRecord>>| {
        lookup.as_ref().and_then(|lookup| lookup.known()).map(|records| !records.is_empty())
    };
    match (known(&host.ipv4), known(&host.ipv6)) {
        (Some(true), _) | (_, Some(true)) => Fact::Known(true),
        (Some(false), Some(false)) => Fact::Known(false),
        _ => Fact::Unobserved,
    }
}

fn own_domain_only(builder: &Builder<'_>, record: &TlsrptRecord) -> Fact<bool> {
    let Some(domain) = builder.domain() else { return Fact::Unobserved };
    let usable: Vec<&Destination> = record.destinations.iter().filter(|destination| destination.is_usable()).collect();
    let own = |destination: &&Destination| {
        destination.scheme.as_deref() == Some("mailto") && destination.host.as_deref() == Some(domain)
    };
    Fact::Known(!usable.is_empty() && usable.iter().all(own))
}
