//! The facts of the zone's own name servers, asked past every cache: do they agree (RFC 8461 §8.1)?

use super::builder::{Builder, failure_text};
use super::fact::Fact;
use super::path::Path;
use super::tree::{NameServerFacts, NameServersFacts};
use crate::snapshot::{DnsOutcome, FailureKind, Lookup, MxRecord, NameServer, TxtRecord};
use crate::source_text::escape;

/// The facts of the name servers; `None` where they were not asked.
pub fn name_server_facts(builder: &mut Builder<'_>) -> Option<NameServersFacts> {
    let servers = builder.snapshot.name_servers.as_ref()?;
    let count = |number: usize| Fact::Known(i64::try_from(number).unwrap_or(i64::MAX));
    let answered = servers.iter().filter(|server| texts(server.record.as_ref()).is_some()).count();
    let listed: Vec<NameServerFacts> = servers
        .iter()
        .enumerate()
        .map(|(index, server)| {
            let problem = problem(server, servers).unwrap_or_else(|reason| {
                builder.note_unobserved(Path::from("name_servers").to("servers").nth(index).to("problem"), reason);
                Fact::Unobserved
            });
            NameServerFacts {
                name: Fact::Known(escape(&server.name)),
                address: Fact::Known(server.address.map(|address| address.to_string())),
                problem,
            }
        })
        .collect();
    // A server that is lame or silent is a finding of its own; one of which nothing is known may say something else.
    let all_known = listed.iter().all(|server| !server.problem.is_unobserved());
    let facts = NameServersFacts {
        asked: count(servers.len()),
        answered: count(answered),
        servers: Fact::Known(listed),
        ..NameServersFacts::default()
    };
    // One answer alone cannot be compared, unless there is but one to ask.
    if answered == 0 || (answered == 1 && servers.len() > 1 && !all_known) {
        let reason = format!("{answered} of the {} addresses of the zone's name servers answered", servers.len());
        for field in ["consistent", "differences"] {
            builder.note_unobserved(Path::from("name_servers").to(field), reason.clone());
        }
        return Some(facts);
    }
    let differences = differences(servers);
    Some(NameServersFacts {
        consistent: Fact::Known(differences.is_empty()),
        differences: Fact::Known(differences),
        ..facts
    })
}

/// What is wrong with what a server answers when it is asked for the MX records, or why that was not observed.
fn problem(server: &NameServer, servers: &[NameServer]) -> Result<Fact<Option<String>>, String> {
    let Some(address) = server.address else { return Err(format!("no address of {} was found", escape(&server.name))) };
    let Some((lookup, outcome)) = server.mx.as_ref().and_then(|lookup| Some((lookup, lookup.outcome()?))) else {
        return Err(format!("{} was not asked", named(server)));
    };
    let silent = |outcome| matches!(outcome, DnsOutcome::Network | DnsOutcome::Timeout);
    // Where no server of a family answers, the network here may be to blame.
    let answers = |other: &NameServer| {
        let family = other.address.is_some_and(|other| other.is_ipv4() == address.is_ipv4());
        family && other.mx.as_ref().and_then(Lookup::outcome).is_some_and(|outcome| !silent(outcome))
    };
    if let Some(lost) = lookup.failure.as_ref().filter(|failure| failure.kind == FailureKind::Network) {
        return Err(format!("whether {} answers was not observed: {}", named(server), failure_text(lost)));
    }
    let said = lookup.failure.as_ref().map_or_else(|| outcome.label().to_owned(), failure_text);
    let problem = match (outcome, server.authority) {
        (DnsOutcome::Answer | DnsOutcome::Nodata | DnsOutcome::Nxdomain, Some(true)) => None,
        (DnsOutcome::Answer | DnsOutcome::Nodata | DnsOutcome::Nxdomain, Some(false)) => {
            Some("answers without authority, so that it is lame for the zone".to_owned())
        }
        (DnsOutcome::Answer | DnsOutcome::Nodata | DnsOutcome::Nxdomain, None) => {
            return Err(format!("whether {} answers with authority was not observed", named(server)));
        }
        (outcome, _) if silent(outcome) && !servers.iter().any(answers) => {
            let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
            return Err(format!("no name server of the zone was reached over {family}"));
        }
        (outcome, _) if silent(outcome) => Some(format!("does not answer ({said})")),
        (DnsOutcome::Refused, _) => Some("refuses to answer (REFUSED)".to_owned()),
        _ => Some(format!("gives no answer ({said})")),
    };
    Ok(Fact::Known(problem))
}

/// What the servers that answer disagree about, each compared with the first that answers.
fn differences(servers: &[NameServer]) -> Vec<String> {
    let mut found = Vec::new();
    compare(servers, "TXT _mta-sts", |server| texts(server.record.as_ref()), &mut found);
    compare(servers, "TXT _smtp._tls", |server| texts(server.tlsrpt.as_ref()), &mut found);
    compare(servers, "MX", |server| exchanges(server.mx.as_ref()), &mut found);
    found
}

fn compare(
    servers: &[NameServer],
    what: &str,
    answer: impl Fn(&NameServer) -> Option<Vec<String>>,
    found: &mut Vec<String>,
) {
    let mut answers = servers.iter().filter_map(|server| Some((server, answer(server)?)));
    let Some((first, expected)) = answers.next() else { return };
    let shown =
        |answer: &[String]| if answer.is_empty() { "nothing".to_owned() } else { format!("`{}`", answer.join("`, `")) };
    let other = answers.find(|(_, answer)| *answer != expected);
    found.extend(other.map(|(server, answer)| {
        format!("{what}: {} says {}, {} says {}", named(first), shown(&expected), named(server), shown(&answer))
    }));
}

fn named(server: &NameServer) -> String {
    match server.address {
        Some(address) => format!("{} [{address}]", escape(&server.name)),
        None => escape(&server.name),
    }
}

fn texts(lookup: Option<&Lookup<TxtRecord>>) -> Option<Vec<String>> {
    let mut texts: Vec<String> =
        lookup?.known()?.iter().map(|record| escape(&String::from_utf8_lossy(&record.joined()))).collect();
    texts.sort();
    Some(texts)
}

fn exchanges(lookup: Option<&Lookup<MxRecord>>) -> Option<Vec<String>> {
    let shown = |record: &MxRecord| format!("{} {}", record.preference, escape(&record.exchange.to_ascii_lowercase()));
    let mut exchanges: Vec<String> = lookup?.known()?.iter().map(shown).collect();
    exchanges.sort();
    Some(exchanges)
}
