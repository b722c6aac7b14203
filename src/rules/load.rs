//! Rule files into a set of rules: the built-in ones, and those of an organisation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;

use super::check::{self, Checked};
use super::cost::{MAX_MISTAKES, MAX_RULES};
use super::expr::Expr;
use super::model::{RuleEntry, RuleFile};
use super::renamed;
use super::rule::{Rule, RuleAlso, RuleFix};
use super::shape;
use super::source::Source;
use super::template::Template;
use crate::facts::Over;
use crate::outcome::Severity;
use crate::source_text::lookalikes::Repaired;
use crate::source_text::{self, SourceError, line_at, nearest};
use crate::tls_reports::result_type::ResultType;

/// The built-in rule files in the order in which reports show their groups.
const BUILT_IN: &[(&str, &str)] = &[
    ("rules/mx.yaml", include_str!("../../rules/mx.yaml")),
    ("rules/record.yaml", include_str!("../../rules/record.yaml")),
    ("rules/host.yaml", include_str!("../../rules/host.yaml")),
    ("rules/policy.yaml", include_str!("../../rules/policy.yaml")),
    ("rules/smtp.yaml", include_str!("../../rules/smtp.yaml")),
    ("rules/dane.yaml", include_str!("../../rules/dane.yaml")),
    ("rules/tlsrpt.yaml", include_str!("../../rules/tlsrpt.yaml")),
    ("rules/report.yaml", include_str!("../../rules/report.yaml")),
];

/// The built-in rule files.
pub fn built_in_sources() -> Vec<Source> {
    BUILT_IN.iter().map(|(name, text)| Source::named(*name, *text)).collect()
}

/// Rules, ready to be evaluated.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// The rules in the order of their files.
    pub rules: Vec<Rule>,
    /// What is most likely not as it was meant in an organisation's own files.
    pub warnings: Vec<SourceError>,
    /// Ids of rules that are gone, each with what to know.
    pub(super) removed: BTreeMap<String, String>,
    /// Indices of the rules, each after those that it requires.
    order: Vec<usize>,
}

/// The mistakes in rule files: all of them, each with its place.
#[derive(Debug, Diagnostic, Error)]
#[error("{} in the rule files{}", counted(.0.len()), if .0.len() < MAX_MISTAKES { "" } else { "; there may be more" })]
#[diagnostic(code(stslint::rules))]
pub struct RuleErrors(#[related] pub Vec<SourceError>);

fn counted(mistakes: usize) -> String {
    format!("{mistakes} mistake{}", if mistakes == 1 { "" } else { "s" })
}

impl RuleSet {
    /// The built-in rules. They are checked by the project's own tests and not again at each start.
    pub fn built_in() -> Result<Self, RuleErrors> {
        Self::assemble(&built_in_sources(), &[])
    }

    /// The built-in rules and an organisation's own, which are checked.
    pub fn with_own(own: &[Source]) -> Result<Self, RuleErrors> {
        Self::assemble(&built_in_sources(), own)
    }

    /// The built-in rules with an organisation's own, where a file that is an edited copy of a built-in one, by its name
    /// and by most of its rules, takes that one's place: for who works on the built-in rules.
    pub fn with_edited(own: &[Source]) -> Result<Self, RuleErrors> {
        let mut trusted = built_in_sources();
        trusted.retain(|built_in| !own.iter().any(|own| is_edited(built_in, own)));
        Self::assemble(&trusted, own)
    }

    /// Only the given rules, checked.
    pub fn checked(sources: &[Source]) -> Result<Self, RuleErrors> {
        Self::assemble(&[], sources)
    }

    /// The rule of that id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// The rules over TLS reports alone.
    pub fn over_reports(mut self) -> Self {
        self.rules.retain(|rule| matches!(rule.over, Over::Report | Over::Reports));
        RuleSet { order: order(&self.rules), ..self }
    }

    /// The rules, each after those that it requires.
    pub fn in_order(&self) -> impl Iterator<Item = (usize, &Rule)> {
        self.order.iter().filter_map(|index| Some((*index, self.rules.get(*index)?)))
    }

    fn assemble(trusted: &[Source], own: &[Source]) -> Result<Self, RuleErrors> {
        let repaired: Vec<(Source, Repaired)> = own.iter().map(shape::repaired).collect();
        let mut result = Self::assemble_read(trusted, &repaired);
        let looks: Vec<SourceError> = repaired.iter().flat_map(|(_, repaired)| repaired.mistakes.clone()).collect();
        if looks.is_empty() {
            return result;
        }
        let errors = match &mut result {
            Ok(_) => Vec::new(),
            Err(errors) => std::mem::take(&mut errors.0),
        };
        let as_written = |error: SourceError| {
            let of = |source: &Source| source_text::printable(&source.name) == error.text.name();
            match own.iter().zip(&repaired).find(|(source, _)| of(source)) {
                Some((source, (_, repaired))) => repaired.as_written(&source.name, &source.text, &error),
                None => error,
            }
        };
        Err(RuleErrors(looks.into_iter().chain(errors.into_iter().map(as_written)).take(MAX_MISTAKES).collect()))
    }

    fn assemble_read(trusted: &[Source], own: &[(Source, Repaired)]) -> Result<Self, RuleErrors> {
        let mut errors: Vec<SourceError> = Vec::new();
        let mut warnings = Vec::new();
        let mut rules = Vec::new();
        let mut checked = Vec::new();
        let mut removed = BTreeMap::new();
        let mut whole = true;
        let mut cut: BTreeSet<(String, usize)> = BTreeSet::new();
        let mut shape_errors = Vec::new();
        let own = || own.iter().map(|(source, _)| source);
        let sources = trusted.iter().map(|source| (source, false)).chain(own().map(|source| (source, true)));
        for (source, own) in sources {
            let read = shape::read(source, own);
            whole &= read.mistakes.is_empty();
            cut.extend(read.cut.iter().map(|line| (source_text::printable(&source.name), *line)));
            warnings.extend(read.warnings);
            if let Some(file) = read.file {
                let gone = file.removed.0.iter().take(MAX_RULES);
                removed.extend(gone.map(|(id, why)| (id.value.clone(), source_text::printable(why))));
                let tags = if own { check::taken_for_tags(source) } else { Vec::new() };
                let wrong: Vec<usize> =
                    read.mistakes.iter().chain(&tags).filter_map(|mistake| mistake.at.map(|at| at.offset())).collect();
                errors.extend(tags);
                errors.extend(build_file(source, file, own, &wrong, &mut rules, &mut checked));
            }
            shape_errors.extend(read.mistakes);
        }
        let many = checked.iter().filter(|checked| checked.own).nth(MAX_RULES);
        if let Some(source) = many.map(|checked| checked.source).filter(|_| own().next().is_some()) {
            let message = format!("there are more than {MAX_RULES} rules");
            return Err(RuleErrors(vec![SourceError::new(&source.name, &source.text, None, message)]));
        }
        renamed::resolve(&mut rules, &mut checked, &mut errors, &mut warnings);
        replace_built_in(&mut rules, &mut checked, &mut errors);
        let found = check::check(&rules, &checked, whole);
        errors.extend(found.errors);
        let texts: BTreeMap<String, &str> =
            own().map(|source| (source_text::printable(&source.name), source.text.as_str())).collect();
        let line = |error: &SourceError| {
            let (name, text) = texts.get_key_value(error.text.name())?;
            Some((name.clone(), source_text::line_at(text, error.at?.offset()).0))
        };
        errors.retain(|error| line(error).is_none_or(|line| !cut.contains(&line)));
        errors.extend(shape_errors);
        if errors.is_empty() {
            warnings.extend(found.warnings);
            Ok(RuleSet { order: order(&rules), removed, rules, warnings })
        } else {
            // Mistakes come in the order of the files; in each, by their place. Each carries its text, and nobody
            // reads more at once.
            let files: Vec<String> = own().map(|source| source_text::printable(&source.name)).collect();
            let file = |name: &str| files.iter().position(|file| file == name).unwrap_or(usize::MAX);
            errors.sort_by_key(|error| (file(error.text.name()), error.at.map_or(0, |at| at.offset())));
            errors.truncate(MAX_MISTAKES);
            Err(RuleErrors(errors))
        }
    }
}

/// Whether a file is a built-in one with changes. The name alone does not say so: an organisation may have a
/// `rules/mx.yaml` too.
fn is_edited(built_in: &Source, own: &Source) -> bool {
    let ids = |text: &str| -> BTreeSet<String> {
        text.lines()
            .filter_map(|line| line.trim_start().strip_prefix("- id: "))
            .map(|id| id.trim().to_owned())
            .collect()
    };
    let same_name = |path: &Path| path.file_name() == Path::new(&built_in.name).file_name();
    if own.path.as_deref().is_none_or(|path| !same_name(path)) {
        return false;
    }
    let (before, now) = (ids(&built_in.text), ids(&own.text));
    before.intersection(&now).count().saturating_mul(2) > before.len()
}

/// Builds the rules of a file; `wrong` are the places of mistakes in its shape. What cannot be built is told.
fn build_file<'a>(
    source: &'a Source,
    file: RuleFile,
    own: bool,
    wrong: &[usize],
    rules: &mut Vec<Rule>,
    checked: &mut Vec<Checked<'a>>,
) -> Vec<SourceError> {
    let mut errors = Vec::new();
    let group_when = file.when.as_ref().map(|when| Arc::new(Expr::new(when.value.as_str())));
    let at = |entry: &RuleEntry| source_text::place(&source.text, &entry.id.referenced).map_or(0, |(at, _)| at);
    let starts: Vec<usize> = file.rules.iter().map(at).collect();
    for (index, mut entry) in file.rules.into_iter().enumerate() {
        let group = Group {
            name: &file.group.value,
            over: file.over,
            source,
            when: group_when.clone(),
            otherwise: &file.otherwise,
            since: &file.since,
        };
        let start = starts.get(index).copied().unwrap_or_default();
        let end = starts.get(index.saturating_add(1)).copied().unwrap_or(usize::MAX);
        let inside = wrong.iter().filter(|offset| (start..end).contains(*offset));
        let key = |offset: &usize| shape::key_around(&source.text, *offset).unwrap_or("id");
        let mut unparsed: Vec<&'static str> = inside.map(key).collect();
        // What the rules are over may be what could not be read above them.
        let says_over = |offset: &&usize| {
            let line = line_at(&source.text, **offset).1;
            let word = line.split(':').next().unwrap_or_default().trim();
            starts.first().is_some_and(|first| *offset < first) && nearest(word, ["over"]).is_some()
        };
        unparsed.extend(wrong.iter().find(says_over).map(|_| "over"));
        let (rule, braces) = build(&mut entry, &group);
        errors.extend(
            braces
                .into_iter()
                .take(MAX_MISTAKES.saturating_sub(errors.len()))
                .map(|(text, brace)| check::template_error(source, text, brace)),
        );
        rules.push(rule);
        checked.push(Checked {
            source,
            entry,
            group: file.group.clone(),
            group_when: file.when.clone(),
            own,
            unparsed,
        });
    }
    errors
}

/// Puts rules with `replaces` into the place of the built-in ones.
fn replace_built_in(rules: &mut Vec<Rule>, checked: &mut Vec<Checked<'_>>, errors: &mut Vec<SourceError>) {
    let replaced: BTreeSet<String> =
        checked.iter().filter_map(|checked| Some(checked.entry.replaces.as_ref()?.value.clone())).collect();
    for checked in checked.iter() {
        let Some(replaces) = &checked.entry.replaces else { continue };
        if !rules.iter().any(|rule| rule.id == replaces.value) {
            errors.push(check::no_such_rule(checked.source, replaces, rules));
        }
    }
    let gone: Vec<bool> =
        rules.iter().zip(checked.iter()).map(|(rule, checked)| !checked.own && replaced.contains(&rule.id)).collect();
    let mut keep = gone.iter().map(|gone| !gone);
    rules.retain(|_| keep.next().unwrap_or(true));
    let mut keep = gone.iter().map(|gone| !gone);
    checked.retain(|_| keep.next().unwrap_or(true));
}

type TemplateError = (serde_yaml::Spanned<String>, super::template::UnbalancedBrace);

/// What a rule takes over from its file.
struct Group<'a> {
    name: &'a str,
    over: Over,
    source: &'a Source,
    when: Option<Arc<Expr>>,
    otherwise: &'a Option<String>,
    since: &'a Option<String>,
}

/// The rule, and the texts in it whose braces do not match; those stay empty.
fn build(entry: &mut RuleEntry, group: &Group<'_>) -> (Rule, Vec<TemplateError>) {
    let mut braces = Vec::new();
    let mut template = |text: &serde_yaml::Spanned<String>| {
        Template::parse(&text.value).unwrap_or_else(|brace| {
            braces.push((text.clone(), brace));
            Template::default()
        })
    };
    let path = |text: &str| text.split('.').map(|part| part.trim().to_owned()).collect::<Vec<_>>();
    let scopes = entry.for_each.0.iter().chain(&entry.forbid.0);
    let fix = entry.fix.as_ref().map(|fix| RuleFix {
        replace: path(&fix.replace.value),
        with: template(&fix.with),
        safe: fix.safe,
        when: fix.when.as_ref().map(|when| Expr::new(when.value.as_str())),
        safe_when: fix.safe_when.as_ref().map(|when| Expr::new(when.value.as_str())),
    });
    let also = entry
        .also
        .iter()
        .map(|also| RuleAlso {
            at: path(&also.at.value),
            label: template(&also.label),
            when: also.when.as_ref().map(|when| Expr::new(when.value.as_str())),
        })
        .collect();
    let texts = |texts: &[serde_yaml::Spanned<String>]| texts.iter().map(|text| text.value.clone()).collect();
    let rule = Rule {
        also,
        id: entry.id.value.clone(),
        formerly: texts(&entry.formerly),
        group: group.name.to_owned(),
        over: group.over,
        title: entry.title.clone(),
        severity: entry.severity.unwrap_or(Severity::Error),
        confidence: entry.confidence,
        since: entry.since.clone().or_else(|| group.since.clone()),
        severity_if: entry
            .severity_if
            .iter()
            .map(|other| (Expr::new(other.when.value.as_str()), other.severity))
            .collect(),
        cites: texts(&entry.cites),
        cites_if: entry
            .cites_if
            .iter()
            .map(|other| (Expr::new(other.when.value.as_str()), texts(&other.cites)))
            .collect(),
        why: entry.why.trim().to_owned(),
        params: entry.params.0.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect(),
        ranges: entry.ranges.0.iter().map(|(name, range)| (name.value.clone(), *range)).collect(),
        requires: entry.requires.iter().map(|id| id.value.clone()).collect(),
        after: entry.after.iter().map(|id| id.value.clone()).collect(),
        group_when: group.when.clone(),
        group_otherwise: group.otherwise.clone(),
        otherwise: entry.otherwise.clone(),
        compare: entry.compare.as_ref().map(|value| Expr::new(value.value.as_str())),
        together: entry.together,
        when: entry.when.as_ref().map(|when| Expr::new(when.value.as_str())),
        scopes: scopes.map(|(name, list)| (name.value.clone(), path(&list.value))).collect(),
        forbids: !entry.forbid.0.is_empty(),
        assert: entry.assert.as_ref().map(|assert| Expr::new(assert.value.as_str())),
        subject: entry.subject.as_ref().map(&mut template),
        at: entry.at.as_ref().map(|at| path(&at.value)),
        message: entry.message.as_ref().map(&mut template).unwrap_or_default(),
        help: entry.help.as_ref().map(&mut template),
        reported_as: entry.reported_as.as_ref().and_then(|kind| ResultType::from_word(&kind.value)),
        reported_as_if: entry
            .reported_as_if
            .iter()
            .filter_map(|other| {
                let kind = ResultType::from_word(&other.reported_as.value)?;
                Some((Expr::new(other.when.value.as_str()), kind))
            })
            .collect(),
        fix,
        cases: Arc::new(std::mem::take(&mut entry.tests)),
        file: group.source.name.clone(),
        path: group.source.path.clone(),
        off: false,
    };
    (rule, braces)
}

/// Indices of the rules, each after those that it requires. Circles have been refused by the check; were
/// there one, its rules would come last.
fn order(rules: &[Rule]) -> Vec<usize> {
    let mut order = Vec::new();
    let mut placed = BTreeSet::new();
    let known: BTreeSet<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    while placed.len() < rules.len() {
        let ready = |rule: &Rule| {
            rule.requires
                .iter()
                .chain(&rule.after)
                .all(|id| placed.contains(id.as_str()) || !known.contains(id.as_str()))
        };
        let next: Vec<usize> = (0..rules.len())
            .filter(|index| rules.get(*index).is_some_and(|rule| !placed.contains(rule.id.as_str()) && ready(rule)))
            .collect();
        let next =
            if next.is_empty() { (0..rules.len()).filter(|index| !order.contains(index)).collect() } else { next };
        placed.extend(next.iter().filter_map(|index| rules.get(*index)).map(|rule| rule.id.as_str()));
        order.extend(next);
        if order.len() >= rules.len() {
            break;
        }
    }
    order
}
