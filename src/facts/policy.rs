//! The facts of the policy body (RFC 8461 §3.2).

use super::builder::Builder;
use super::fact::Fact;
use super::location::Placed;
use super::path::Path;
use super::tree::{FieldFacts, LineEndings, MxHostFacts, OffenceFacts, PatternFacts, PolicyFacts};
use super::txt;
use crate::grammar::mx_pattern::{self, MxPattern, MxProblemKind};
use crate::grammar::mx_patterns::HostIndex;
use crate::grammar::policy::{self, Endings, Mode, Policy};
use crate::grammar::{Located, Offence, Span, placeholder};

const ROOT: &str = "policy";

/// The greatest `max_age` (RFC 8461 §3.2).
pub const MAX_AGE_MAXIMUM: u64 = 31_557_600;

/// The parsed policy of the snapshot: known, known absent, or not observed.
pub fn parsed(builder: &Builder<'_>) -> Fact<Option<Policy>> {
    match &builder.snapshot.policy {
        None => Fact::Unobserved,
        Some(None) => Fact::Known(None),
        Some(Some(served)) => Fact::Known(Some(policy::parse(&served.body.0))),
    }
}

/// The facts of the body; `hosts` are the MX hosts, where they are known.
pub fn policy_facts(
    builder: &mut Builder<'_>,
    policy: &Fact<Option<Policy>>,
    hosts: &Fact<Vec<MxHostFacts>>,
) -> PolicyFacts {
    let snapshot = builder.snapshot;
    let (Fact::Known(Some(policy)), Some(Some(served))) = (policy, &snapshot.policy) else {
        if policy.is_unobserved() {
            builder.note_missing_part(ROOT, ROOT, "the policy");
            return PolicyFacts::default();
        }
        return PolicyFacts { body: Fact::Known(None), mode: Fact::Known(None), ..PolicyFacts::default() };
    };
    let body = &served.body.0;
    let exhibit = builder.locations.exhibit(ROOT);
    let placed = exhibit.push_body(body);
    let whole = first_line(exhibit.text());
    builder.locations.note(ROOT, ROOT, whole);
    txt::note(builder, "policy.body", ROOT, &placed, Span { offset: 0, length: body.len() });
    txt::note(builder, "policy.insertion", ROOT, &placed, insertion(body, policy));
    for (name, found) in [("version", &policy.version), ("mode", &policy.mode), ("max_age", &policy.max_age)] {
        place_value(builder, name, found.as_ref(), policy, &placed);
    }
    if let Some(odd) = policy.endings.odd {
        txt::note(builder, "policy.line_endings", ROOT, &placed, odd);
    }
    let end = Span { offset: body.len().saturating_sub(1), length: 1 };
    txt::note(builder, "policy.final_newline", ROOT, &placed, end);
    let text = |found: &Option<Located>| Fact::Known(found.as_ref().map(|found| found.text.clone()));
    let mode = policy.valid_mode();
    let max_age = policy.valid_max_age().map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
    let patterns = patterns(builder, policy, hosts, &placed);
    let oversized = served.truncated || body.len() > policy::MAX_POLICY_OCTETS;
    PolicyFacts {
        body: Fact::Known(Some(served.body.lossy().into_owned())),
        markup: Fact::Known(policy.markup),
        version: text(&policy.version),
        mode: Fact::Known(mode),
        mode_text: text(&policy.mode),
        mode_meant: Fact::Known(
            policy.mode.as_ref().filter(|_| mode.is_none()).and_then(|mode| policy::mode_meant(&mode.text)),
        ),
        max_age: Fact::Known(max_age),
        max_age_text: text(&policy.max_age),
        max_age_meant: Fact::Known(max_age_meant(policy)),
        version_slip: slip(builder, policy, "version", &placed),
        mode_slip: slip(builder, policy, "mode", &placed),
        max_age_slip: slip(builder, policy, "max_age", &placed),
        mx_slip: slip(builder, policy, "mx", &placed),
        insertion: Fact::Known(String::new()),
        // Both are known once the MX hosts are compared with the patterns.
        other_hosts: Fact::Unobserved,
        provider: Fact::Unobserved,
        legible: Fact::Known(is_legible(policy)),
        run_together: Fact::Known(policy.runs_together()),
        second_policy: Fact::Known(second_policy(policy)),
        // Of a longer body senders take nothing (RFC 8461 §3.3).
        usable: Fact::Known(is_usable(policy, &patterns) && !oversized),
        mx: Fact::Known(patterns),
        fields: Fact::Known(fields(builder, policy, &placed)),
        syntax_offences: Fact::Known(offences(
            builder,
            &policy.syntax,
            "syntax_offences",
            body,
            &policy.lines,
            &placed,
        )),
        encoding_offences: Fact::Known(offences(
            builder,
            &policy.encoding,
            "encoding_offences",
            body,
            &policy.lines,
            &placed,
        )),
        case_offences: Fact::Known(offences(builder, &policy.case, "case_offences", body, &policy.lines, &placed)),
        blank_lines: Fact::Known(offences(builder, &policy.blank, "blank_lines", body, &policy.lines, &placed)),
        trailing_spaces: Fact::Known(offences(
            builder,
            &policy.trailing,
            "trailing_spaces",
            body,
            &policy.lines,
            &placed,
        )),
        line_endings: Fact::Known(line_endings(&policy.endings)),
        final_newline: Fact::Known(policy.endings.last),
        oversized: Fact::Known(oversized),
    }
}

fn first_line(text: &str) -> (usize, usize) {
    (0, text.find(['\r', '\n']).unwrap_or(text.len()))
}

fn place_value(builder: &mut Builder<'_>, name: &str, found: Option<&Located>, policy: &Policy, placed: &Placed) {
    let field = policy.lines.iter().filter_map(|line| line.field.as_ref()).find(|field| field.name.text == name);
    let (Some(found), Some(field)) = (found, field) else { return };
    // An empty value is shown by its name.
    let span = if found.span.length == 0 { field.name.span } else { found.span };
    let further: &[&str] = match name {
        "max_age" => &["max_age_text", "max_age_meant"],
        "mode" => &["mode_text", "mode_meant"],
        _ => &[],
    };
    for field in [name].iter().chain(further) {
        txt::note(builder, Path::from(ROOT).to(field), ROOT, placed, span);
    }
}

/// The empty place at which a further `mx` line belongs: after the last one, else after the last field.
fn insertion(body: &[u8], policy: &Policy) -> Span {
    let last_mx = policy.mx.last().map(|mx| mx.number);
    let filled = |line: &&policy::Line| line.field.is_some() && last_mx.is_none_or(|number| line.number == number);
    let end = policy.lines.iter().rev().find(filled).map_or(body.len(), |line| line.span.end());
    Span { offset: end, length: 0 }
}

fn max_age_meant(policy: &Policy) -> Option<i64> {
    let wrong = policy.max_age.as_ref().filter(|_| policy.valid_max_age().is_none())?;
    policy::max_age_meant(&wrong.text).and_then(|seconds| i64::try_from(seconds).ok())
}

/// The misspelt name of a field that is missing, with its place.
fn slip(builder: &mut Builder<'_>, policy: &Policy, name: &str, placed: &Placed) -> Fact<Option<String>> {
    let mut fields = policy.lines.iter().filter_map(|line| line.field.as_ref());
    if fields.clone().any(|field| field.name.text == name) {
        return Fact::Known(None);
    }
    let found = fields.find(|field| field.meant == Some(name) && !field.name.text.eq_ignore_ascii_case(name));
    if let Some(found) = found {
        for path in [Path::from(ROOT).to(&format!("{name}_slip")), Path::from(ROOT).to(name)] {
            txt::note(builder, path, ROOT, placed, found.name.span);
        }
    }
    Fact::Known(found.map(|field| field.name.text.clone()))
}

fn line_endings(endings: &Endings) -> LineEndings {
    match (endings.crlf, endings.lf, endings.cr) {
        (_, _, 1..) => LineEndings::Cr,
        (1.., 1.., _) => LineEndings::Mixed,
        (0, 1.., _) => LineEndings::Lf,
        _ => LineEndings::Crlf,
    }
}

fn offences(
    builder: &mut Builder<'_>,
    found: &[Offence],
    field: &str,
    body: &[u8],
    lines: &[policy::Line],
    placed: &Placed,
) -> Vec<OffenceFacts> {
    let mut facts = Vec::new();
    for (index, offence) in found.iter().enumerate() {
        txt::note(builder, Path::from(ROOT).to(field).nth(index), ROOT, placed, offence.span);
        let before = body.get(..offence.span.offset).unwrap_or_default();
        let line = before.iter().filter(|octet| **octet == b'\n').count().saturating_add(1);
        if let Some(whole) = lines.iter().find(|whole| whole.number == line) {
            txt::note(builder, Path::from(ROOT).to(field).nth(index).to("line"), ROOT, placed, whole.span);
        }
        facts.push(txt::offence_facts(offence, line, offence.span.of(body)));
    }
    facts
}

fn fields(builder: &mut Builder<'_>, policy: &Policy, placed: &Placed) -> Vec<FieldFacts> {
    let mut facts = Vec::new();
    for line in &policy.lines {
        let Some(field) = &line.field else { continue };
        let path = Path::from(ROOT).to("fields").nth(facts.len());
        let whole = Span::between(field.name.span.offset, field.value.span.end());
        txt::note(builder, &path, ROOT, placed, whole);
        txt::note(builder, path.to("name"), ROOT, placed, field.name.span);
        txt::note(builder, path.to("value"), ROOT, placed, field.value.span);
        txt::note(builder, path.to("line"), ROOT, placed, line.span);
        facts.push(FieldFacts {
            name: Fact::Known(field.name.text.clone()),
            value: Fact::Known(field.value.text.clone()),
            known: Fact::Known(field.known),
            duplicate: Fact::Known(field.duplicate),
            meant: Fact::Known(field.meant.map(str::to_owned)),
            dmarc: Fact::Known(false),
            placeholder: Fact::Known(match field.name.text.as_str() {
                "mx" => placeholder::is_name(&field.value.text),
                _ => placeholder::is_value(&field.value.text),
            }),
            line: Fact::Known(i64::try_from(line.number).unwrap_or(i64::MAX)),
        });
    }
    facts
}

fn patterns(
    builder: &mut Builder<'_>,
    policy: &Policy,
    hosts: &Fact<Vec<MxHostFacts>>,
    placed: &Placed,
) -> Vec<PatternFacts> {
    let mut facts: Vec<PatternFacts> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    let names: Option<Vec<&str>> =
        hosts.known().map(|hosts| hosts.iter().filter_map(|host| host.name.known()).map(String::as_str).collect());
    let mut matched = names.map(Matched::of);
    for (index, mx) in policy.mx.iter().enumerate() {
        let path = Path::from(ROOT).to("mx").nth(index);
        let line = policy.lines.binary_search_by_key(&mx.number, |line| line.number);
        let line = line.ok().and_then(|at| policy.lines.get(at)).map_or(mx.pattern.span, |line| line.span);
        let span = if mx.pattern.span.length == 0 { line } else { mx.pattern.span };
        txt::note(builder, &path, ROOT, placed, span);
        txt::note(builder, path.to("line"), ROOT, placed, line);
        let duplicate = !seen.insert(mx.pattern.text.to_ascii_lowercase());
        if hosts.is_unobserved() {
            builder.note_missing_part(path.to("matches"), "mx", "the MX records of the domain");
        }
        if builder.domain().is_none() {
            builder.note_unobserved(path.to("over_own_zone"), "no domain was given");
        }
        facts.push(pattern(builder, mx, duplicate, matched.as_mut()));
    }
    facts
}

/// The MX hosts that patterns match. Where many patterns match many hosts, each of the later ones has its first alone.
struct Matched<'a> {
    names: Vec<&'a str>,
    index: HostIndex,
    left: usize,
}

/// How many matches of patterns and hosts are listed before that.
const MAX_MATCHES: usize = 65_536;

impl<'a> Matched<'a> {
    fn of(names: Vec<&'a str>) -> Self {
        Matched { index: HostIndex::of(names.iter().copied()), names, left: MAX_MATCHES }
    }

    fn by(&mut self, pattern: &MxPattern) -> Vec<String> {
        let places = self.index.matching(pattern).iter().take(self.left.max(1));
        let names: Vec<String> =
            places.filter_map(|place| self.names.get(*place)).map(|name| (*name).to_owned()).collect();
        self.left = self.left.saturating_sub(names.len());
        names
    }
}

fn pattern(
    builder: &Builder<'_>,
    mx: &policy::MxLine,
    duplicate: bool,
    matched: Option<&mut Matched<'_>>,
) -> PatternFacts {
    let read = MxPattern::parse(&mx.pattern.text);
    let valid = read.as_ref().ok();
    let problem = read.as_ref().err();
    let matches = matched.map(|matched| valid.map_or_else(Vec::new, |pattern| matched.by(pattern)));
    let name = valid.map(MxPattern::name).unwrap_or_default();
    let wildcard = valid.is_some_and(MxPattern::is_wildcard);
    let over_own_zone =
        builder.domain().map(|domain| wildcard && (name == domain || psl::domain_str(domain) == Some(name)));
    PatternFacts {
        text: Fact::Known(mx.pattern.text.clone()),
        line: Fact::Known(i64::try_from(mx.number).unwrap_or(i64::MAX)),
        problem: Fact::Known(problem.map(|problem| problem.detail.clone())),
        problem_kind: Fact::Known(problem.map(|problem| problem.kind)),
        in_grammar: Fact::Known(mx_pattern::is_in_grammar(&mx.pattern.text)),
        suggestion: Fact::Known(problem.and_then(|problem| problem.suggestion.clone())),
        placeholder: Fact::Known(placeholder::is_name(&mx.pattern.text)),
        items: Fact::Known(if problem.is_some_and(|problem| problem.kind == MxProblemKind::List) {
            mx_pattern::list_items(&mx.pattern.text)
        } else {
            Vec::new()
        }),
        wildcard: Fact::Known(wildcard),
        single_label: Fact::Known(valid.is_some_and(MxPattern::is_single_label)),
        over_public_suffix: Fact::Known(wildcard && is_public_suffix(name)),
        over_own_zone: over_own_zone.into(),
        duplicate: Fact::Known(duplicate),
        matches: matches.into(),
    }
}

/// Whether a name is itself a public suffix run by a registry; unknown top-level names are not taken for one.
fn is_public_suffix(name: &str) -> bool {
    psl::suffix(name.as_bytes())
        .is_some_and(|suffix| suffix.as_bytes() == name.as_bytes() && (suffix.is_known() || !name.contains('.')))
}

/// Whether a field that is not found is really missing, and not hidden in a line that cannot be read.
fn is_legible(policy: &Policy) -> bool {
    // A `\n` written out puts the whole policy into the value of its first field.
    let written_out =
        policy.lines.iter().filter_map(|line| line.field.as_ref()).any(|field| field.value.text.contains("\\n"));
    policy.markup.is_none()
        && policy.syntax.is_empty()
        && policy.case.is_empty()
        && !written_out
        && !policy.runs_together()
        && policy.encoding.iter().all(|offence| offence.span.length > 2 || offence.span.offset > 0)
}

/// The line where a second policy begins: a `version` that comes again with what belongs to it, or one that a missing
/// line ending has put after another value.
fn second_policy(policy: &Policy) -> Option<i64> {
    let again = |line: &policy::Line| line.field.as_ref().is_some_and(|field| field.duplicate);
    let named = |line: &policy::Line, name: &str| line.field.as_ref().is_some_and(|field| field.name.text == name);
    let begins = policy.lines.iter().position(|line| {
        let value = line.field.as_ref().map(|field| field.value.text.to_ascii_lowercase()).unwrap_or_default();
        (named(line, "version") && again(line)) || (!named(line, "version") && value.contains("version:"))
    })?;
    let rest = policy.lines.get(begins..)?;
    let goes_on = rest.iter().skip(1).any(|line| again(line) && !named(line, "version"));
    rest.first().filter(|_| goes_on).and_then(|line| i64::try_from(line.number).ok())
}

/// Whether a sender can use the policy. A literal reading keeps the good `mx` lines beside one that does not fit the
/// grammar; strict senders do not, so one such line makes it unusable here.
fn is_usable(policy: &Policy, patterns: &[PatternFacts]) -> bool {
    let mode = policy.valid_mode();
    let version = policy.version.as_ref().is_some_and(|version| version.text == "STSv1");
    let life = policy.valid_max_age().is_some_and(|seconds| seconds <= MAX_AGE_MAXIMUM);
    let clean =
        policy.markup.is_none() && policy.syntax.is_empty() && policy.encoding.is_empty() && policy.endings.cr == 0;
    let named = mode == Some(Mode::None) || !patterns.is_empty();
    let valid = patterns.iter().all(|pattern| pattern.in_grammar == Fact::Known(true));
    version && mode.is_some() && life && clean && named && valid
}
