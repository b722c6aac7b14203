//! The facts of the zone's own name servers, asked past every cache: do they agree (RFC 8461 §8.1)?

use super::builder::Builder;
use super::fact::Fact;
use super::tree::NameServersFacts;
use crate::snapshot::{Lookup, MxRecord, NameServer, TxtRecord};
use crate::source_text::escape;

/// The facts of the name servers; `None` where they were not asked.
pub fn name_server_facts(builder: &mut Builder<'_>) -> Option<NameServersFacts> {
    let servers = builder.snapshot.name_servers.as_ref()?;
    let count = |number: usize| Fact::Known(i64::try_from(number).unwrap_or(i64::MAX));
    let answered = servers.iter().filter(|server| texts(server.record.as_ref()).is_some()).count();
    let facts =
        NameServersFacts { asked: count(servers.len()), answered: count(answered), ..NameServersFacts::default() };
    // One answer alone cannot be compared, unless there is but one to ask.
    if answered == 0 || (answered == 1 && servers.len() > 1) {
        builder.why(
            "name_servers",
            format!("{answered} of the {} addresses of the zone's name servers answered", servers.len()),
        );
        return Some(facts);
    }
    let differences = differences(servers);
    Some(NameServersFacts {
        consistent: Fact::Known(differences.is_empty()),
        differences: Fact::Known(differences),
        ..facts
    })
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
