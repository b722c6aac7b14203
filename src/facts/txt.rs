//! What the two TXT records have in common: the answer, the record that counts, its exhibit.

use super::builder::{
    Builder, Chain, outcome_text, proof, question_text, reason_for_no_proof, reason_for_no_ttl, ttl, ttl_column,
    ttl_seen,
};
use super::fact::Fact;
use super::location::Placed;
use super::path::Path;
use super::tree::{FieldFacts, OffenceFacts, TextFacts};
use crate::grammar::{Field, Offence, Span, VersionTag, placeholder};
use crate::snapshot::{DnsOutcome, DnssecProof, Lookup, TxtRecord};

/// A TXT record: its joined octets, where they are in the exhibit, and how many strings they came in.
pub type Text = (Vec<u8>, Placed, usize);

/// A TXT RRset, as far as both grammars read it alike.
pub struct Answer {
    /// How the question ended.
    pub outcome: Fact<DnsOutcome>,
    /// The TTL that it was published with.
    pub ttl: Fact<Option<i64>>,
    /// The TTL as it was seen.
    pub ttl_seen: Fact<Option<i64>>,
    /// What DNSSEC says.
    pub dnssec: Fact<DnssecProof>,
    /// Where CNAMEs at the name lead.
    pub chain: Chain,
    /// Whether a CNAME leads to no TXT record.
    pub dangling: Fact<bool>,
    /// Every record at the name: its joined text and where that is in the exhibit; `None` when it is not known.
    pub texts: Option<Vec<Text>>,
}

/// Reads an answer, noting everything under `root` (`record` or `tlsrpt`), which is also the exhibit's name.
pub fn answer(
    builder: &mut Builder<'_>,
    lookup: Option<&Lookup<TxtRecord>>,
    root: &str,
    label: &str,
) -> Option<Answer> {
    let owner = builder.owner(label);
    let Some(lookup) = lookup.filter(|lookup| lookup.outcome().is_some()) else {
        builder.note_missing_part(root, root, &format!("the TXT record {}", owner.trim_end_matches('.')));
        return None;
    };
    let question = question_text(lookup, "TXT", &owner);
    exhibit_aliases(builder, lookup, root);
    let mut texts = Vec::new();
    for record in lookup.known().unwrap_or_default() {
        texts.push(exhibit_record(builder, lookup, record, root, &owner));
    }
    if texts.is_empty() {
        let exhibit = builder.locations.exhibit(root);
        let (start, end) = exhibit.push_placed(&format!("{owner} IN TXT ; {}", outcome_text(lookup)));
        exhibit.push("\n");
        builder.locations.note(root, root, (start, end.saturating_sub(start)));
    }
    if lookup.known().is_none() {
        builder.note_unobserved(root, question);
    } else {
        builder.note_unobserved(Path::from(root).to("dnssec"), reason_for_no_proof(lookup));
        builder.note_unobserved(Path::from(root).to("ttl"), reason_for_no_ttl(lookup));
        builder.note_unobserved(Path::from(root).to("ttl_seen"), reason_for_no_ttl(lookup));
    }
    let aliased = !lookup.aliases.is_empty();
    let known = lookup.known();
    Some(Answer {
        outcome: builder.fault.outcome(lookup),
        ttl: ttl(lookup),
        ttl_seen: ttl_seen(lookup),
        dnssec: proof(lookup.dnssec),
        chain: if known.is_some() { Chain::of(&lookup.aliases) } else { Chain::default() },
        dangling: known.map(|records| aliased && records.is_empty()).into(),
        texts: known.map(|_| texts),
    })
}

fn escaped_name(name: &str) -> String {
    crate::source_text::escape(name.trim_end_matches('.'))
}

fn exhibit_aliases(builder: &mut Builder<'_>, lookup: &Lookup<TxtRecord>, root: &str) {
    for alias in &lookup.aliases {
        let line = format!(
            "{}. {}IN CNAME {}.",
            escaped_name(&alias.name),
            ttl_column(alias.ttl),
            escaped_name(&alias.target)
        );
        let exhibit = builder.locations.exhibit(root);
        let (start, end) = exhibit.push_placed(&line);
        exhibit.push("\n");
        let paths = ["alias", "aliases", "canonical", "dangling"].map(|field| Path::from(root).to(field));
        for path in [Path::from(root)].into_iter().chain(paths) {
            builder.locations.note(path, root, (start, end.saturating_sub(start)));
        }
    }
}

/// Writes a record as a zone file does; where the joined text is is kept for each of its octets.
fn exhibit_record(
    builder: &mut Builder<'_>,
    lookup: &Lookup<TxtRecord>,
    record: &TxtRecord,
    root: &str,
    owner: &str,
) -> Text {
    let owner =
        lookup.aliases.last().map_or_else(|| owner.to_owned(), |alias| format!("{}.", escaped_name(&alias.target)));
    let exhibit = builder.locations.exhibit(root);
    let (start, _) = exhibit.push_placed(&format!("{owner} "));
    let ttl = exhibit.push_placed(&ttl_column(lookup.ttl));
    exhibit.push("IN TXT");
    let mut placed = Placed::default();
    for string in &record.strings {
        exhibit.push(" \"");
        placed.append(exhibit.push_zone_string(&string.0));
        exhibit.push("\"");
    }
    let end = exhibit.text().len();
    exhibit.push("\n");
    builder.locations.note(root, root, (start, end.saturating_sub(start)));
    builder.locations.note(
        Path::from(root).to("ttl"),
        root,
        (ttl.0, ttl.1.saturating_sub(ttl.0).saturating_sub(1).max(1)),
    );
    (record.joined(), placed, record.strings.len())
}

/// Notes where a part of the record is.
pub fn note(builder: &mut Builder<'_>, path: impl Into<Path>, root: &str, placed: &Placed, span: Span) {
    builder.locations.note(path, root, placed.range(span.offset, span.length));
}

/// The facts of offences, each noted under `path[index]`.
pub fn offences(
    builder: &mut Builder<'_>,
    found: &[Offence],
    path: &Path,
    root: &str,
    placed: &Placed,
) -> Vec<OffenceFacts> {
    let mut facts = Vec::new();
    for (index, offence) in found.iter().enumerate() {
        note(builder, path.nth(index), root, placed, offence.span);
        facts.push(offence_facts(offence, 0, b""));
    }
    facts
}

/// The facts of one offence in a line (0 in TXT records), and what is there.
pub fn offence_facts(offence: &Offence, line: usize, there: &[u8]) -> OffenceFacts {
    let removed = offence.suggestion.as_deref() == Some("");
    OffenceFacts {
        detail: Fact::Known(offence.detail.clone()),
        line: Fact::Known(i64::try_from(line).unwrap_or(i64::MAX)),
        suggestion: Fact::Known(offence.suggestion.clone()),
        lines: Fact::Known(i64::try_from(offence.lines).unwrap_or(i64::MAX)),
        discards: Fact::Known(removed && there.iter().any(u8::is_ascii_alphanumeric)),
    }
}

/// The facts of fields, each noted under `root.fields[index]`.
pub fn fields(builder: &mut Builder<'_>, found: &[Field], root: &str, placed: &Placed) -> Vec<FieldFacts> {
    let mut facts = Vec::new();
    for (index, field) in found.iter().enumerate() {
        note(builder, Path::from(root).to("fields").nth(index), root, placed, field.span);
        note(builder, Path::from(root).to("fields").nth(index).to("name"), root, placed, field.name_span);
        note(builder, Path::from(root).to("fields").nth(index).to("value"), root, placed, field.value_span);
        facts.push(FieldFacts {
            name: Fact::Known(field.name.clone()),
            value: Fact::Known(field.value.clone()),
            known: Fact::Known(field.known),
            duplicate: Fact::Known(field.duplicate),
            meant: Fact::Known(field.meant.map(str::to_owned)),
            dmarc: Fact::Known(
                crate::grammar::tlsrpt_record::DMARC_FIELDS.contains(&field.name.to_ascii_lowercase().as_str()),
            ),
            placeholder: Fact::Known(placeholder::is_value(&field.value)),
            line: Fact::Known(0),
        });
    }
    facts
}

/// What is wrong with the version, and the place of it noted under `root.version_problem`.
pub fn version_problem(builder: &mut Builder<'_>, version: &VersionTag, root: &str, placed: &Placed) -> Option<String> {
    match version {
        VersionTag::NearMiss(offence) => {
            note(builder, Path::from(root).to("version_problem"), root, placed, offence.span);
            Some(offence.detail.clone())
        }
        VersionTag::ExactThenSpace(span) => {
            note(builder, Path::from(root).to("version_space"), root, placed, *span);
            None
        }
        VersionTag::Exact | VersionTag::Foreign => None,
    }
}

/// The facts of foreign records.
pub fn foreign(texts: &[&Text]) -> Vec<TextFacts> {
    texts
        .iter()
        .map(|(text, _, _)| TextFacts { text: Fact::Known(String::from_utf8_lossy(text).into_owned()) })
        .collect()
}
