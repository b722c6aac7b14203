//! The facts of the `_mta-sts` TXT record (RFC 8461 §3.1).

use super::builder::Builder;
use super::fact::Fact;
use super::misplaced;
use super::path::Path;
use super::tree::RecordFacts;
use super::txt::{self, Answer, Text};
use crate::grammar::sts_record::{self, StsRecord};
use crate::grammar::{Span, VersionTag, corrected};

const ROOT: &str = "record";

/// The facts of the record.
pub fn record_facts(builder: &mut Builder<'_>) -> RecordFacts {
    let snapshot = builder.snapshot;
    let mut facts = match txt::answer(builder, snapshot.record.as_ref(), ROOT, "_mta-sts") {
        None => RecordFacts::default(),
        Some(answer) => of_answer(builder, answer),
    };
    let misplaced = misplaced::at(builder, ROOT, "v=stsv1");
    (facts.misplaced, facts.wildcard) = (misplaced.records, misplaced.wildcard);
    facts.fresh_id = Fact::Known(fresh_id(builder));
    facts
}

/// An id made of the time of the observation, as many publishers write it.
fn fresh_id(builder: &Builder<'_>) -> String {
    match builder.now {
        Some(now) => now.strftime("%Y%m%d%H%M%S").to_string(),
        None => "20260101000000".to_owned(),
    }
}

fn of_answer(builder: &mut Builder<'_>, answer: Answer) -> RecordFacts {
    let facts = RecordFacts {
        outcome: answer.outcome,
        ttl: answer.ttl,
        ttl_seen: answer.ttl_seen,
        dnssec: answer.dnssec,
        alias: answer.chain.alias,
        aliases: answer.chain.aliases,
        canonical: answer.chain.canonical,
        dangling: answer.dangling,
        ..RecordFacts::default()
    };
    let Some(texts) = answer.texts else { return facts };
    let parsed: Vec<(&Text, StsRecord)> = texts.iter().map(|text| (text, sts_record::parse(&text.0))).collect();
    let count = parsed.iter().filter(|(_, record)| record.begins).count();
    // The record that counts, or else the one that was meant to.
    let meant = |record: &StsRecord| record.version != VersionTag::Foreign;
    let chosen =
        parsed.iter().find(|(_, record)| record.begins).or_else(|| parsed.iter().find(|(_, record)| meant(record)));
    // Beside the record that counts, a near miss is dropped like any other.
    let foreign: Vec<_> = parsed
        .iter()
        .filter(|entry| !entry.1.begins && chosen.is_none_or(|chosen| !std::ptr::eq(*entry, chosen)))
        .map(|(text, _)| *text)
        .collect();
    for (index, (_, placed, _)) in foreign.iter().enumerate() {
        txt::note(
            builder,
            Path::from(ROOT).to("foreign").nth(index),
            ROOT,
            placed,
            Span { offset: 0, length: usize::MAX },
        );
    }
    let facts = RecordFacts {
        count: Fact::Known(i64::try_from(count).unwrap_or(i64::MAX)),
        texts: Fact::Known(i64::try_from(texts.len()).unwrap_or(i64::MAX)),
        foreign: Fact::Known(txt::foreign(&foreign)),
        ..facts
    };
    match chosen {
        None => without_record(facts),
        Some((text, record)) => {
            if count > 1
                && let Some((second, _)) = parsed.iter().filter(|(_, record)| record.begins).nth(1)
            {
                txt::note(
                    builder,
                    Path::from(ROOT).to("count"),
                    ROOT,
                    &second.1,
                    Span { offset: 0, length: usize::MAX },
                );
            }
            let usable = record.is_valid() && (count == 1 || (texts.len() == 1 && !record.begins));
            with_record(builder, facts, text, record, usable)
        }
    }
}

fn without_record(facts: RecordFacts) -> RecordFacts {
    RecordFacts {
        text: Fact::Known(None),
        begins: Fact::Known(false),
        version_problem: Fact::Known(None),
        version_space: Fact::Known(false),
        id: Fact::Known(None),
        id_problem: Fact::Known(None),
        fields: Fact::Known(Vec::new()),
        syntax_offences: Fact::Known(Vec::new()),
        ascii_offences: Fact::Known(Vec::new()),
        strings: Fact::Known(0),
        usable: Fact::Known(false),
        corrected: Fact::Known(None),
        ..facts
    }
}

fn with_record(
    builder: &mut Builder<'_>,
    facts: RecordFacts,
    text: &Text,
    record: &StsRecord,
    usable: bool,
) -> RecordFacts {
    let (octets, placed, strings) = text;
    let whole = Span { offset: 0, length: octets.len() };
    for path in ["text", "strings", "begins", "usable"] {
        txt::note(builder, Path::from(ROOT).to(path), ROOT, placed, whole);
    }
    txt::note(builder, ROOT, ROOT, placed, whole);
    if let Some(id) = &record.id {
        let field = record.fields.iter().find(|field| field.name == "id").map_or(id.span, |field| field.span);
        txt::note(builder, Path::from(ROOT).to("id"), ROOT, placed, if id.span.length == 0 { field } else { id.span });
        let same = builder.locations.get("record.id");
        builder.locations.note_as("record.id_problem", same);
    }
    RecordFacts {
        text: Fact::Known(Some(String::from_utf8_lossy(octets).into_owned())),
        begins: Fact::Known(record.begins),
        version_problem: Fact::Known(txt::version_problem(builder, &record.version, ROOT, placed)),
        version_space: Fact::Known(matches!(record.version, VersionTag::ExactThenSpace(_))),
        id: Fact::Known(record.id.as_ref().map(|id| id.text.clone())),
        id_problem: Fact::Known(record.id_problem.as_ref().map(|problem| problem.detail.clone())),
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
        usable: Fact::Known(usable),
        corrected: Fact::Known(corrected::sts_record(octets, record)),
        ..facts
    }
}
