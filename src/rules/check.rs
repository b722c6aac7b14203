//! The static check of rule files, before anything is collected: every mistake with its place.

mod entry;
mod expressions;
mod members;
mod nulls;
mod place;
mod scope;

use std::collections::BTreeSet;

use serde_yaml::Spanned;

pub use self::members::{Members, unknown_members};
use self::nulls::Null;
use self::place::{at_mistake, at_text};
pub use self::scope::{facts_scope, never_equal};
use super::cost::MAX_MISTAKES;
use super::model::RuleEntry;
use super::rule::Rule;
use super::source::Source;
use super::template::UnbalancedBrace;
use super::types::Mistake;
use crate::source_text::{SourceError, nearest, printable};

/// A rule as it was written, beside what was built of it.
pub struct Checked<'a> {
    /// The file.
    pub source: &'a Source,
    /// The rule.
    pub entry: RuleEntry,
    /// The group that its file names.
    pub group: Spanned<String>,
    /// The condition of its file.
    pub group_when: Option<Spanned<String>>,
    /// Whether it is checked at all: the built-in rules are checked by tests.
    pub own: bool,
    /// The keys of it that could not be read, which has been told.
    pub unparsed: Vec<&'static str>,
}

impl Checked<'_> {
    /// Whether a key could not be read: what leans on it is not judged.
    fn is_unparsed(&self, key: &str) -> bool {
        self.unparsed.contains(&key)
    }
}

/// What the check of rules finds.
#[derive(Debug, Default)]
pub struct Found {
    /// What keeps the rules from being used.
    pub errors: Vec<SourceError>,
    /// What is most likely not as it was meant.
    pub warnings: Vec<SourceError>,
}

/// All mistakes in the rules that are an organisation's own; `whole` where every rule of every file was read.
pub fn check(rules: &[Rule], written_all: &[Checked<'_>], whole: bool) -> Found {
    let mut found = Found::default();
    for (index, (rule, written)) in rules.iter().zip(written_all).enumerate() {
        if !written.own || found.errors.len() >= MAX_MISTAKES {
            continue;
        }
        let mut checker = RuleChecker {
            rule,
            written,
            rules,
            all: written_all,
            errors: &mut found.errors,
            warnings: &mut found.warnings,
            told_names: BTreeSet::new(),
            told_params: BTreeSet::new(),
            nulls: Vec::new(),
        };
        let above = index.checked_sub(1).and_then(|above| written_all.get(above));
        checker.group(above.is_none_or(|above| !std::ptr::eq(above.source, written.source)));
        checker.identity(rules.get(..index).unwrap_or_default());
        if written.unparsed.iter().all(|key| *key == "over") {
            checker.completeness();
        }
        checker.otherwise();
        checker.requires(whole);
        checker.citations();
        checker.texts_are_plain();
        checker.ranges();
        checker.params();
        checker.cases();
        checker.body();
        checker.report_nulls();
    }
    found
}

/// Expressions that begin with a `!` outside of quotes: YAML takes such a text for a tag, and nothing is left of it.
pub fn taken_for_tags(source: &Source) -> Vec<SourceError> {
    const KEYS: [&str; 5] = ["assert:", "at:", "safe_when:", "subject:", "when:"];
    let mut start = 0_usize;
    let mut found = Vec::new();
    for line in source.text.split_inclusive('\n') {
        for (at, _) in line.match_indices('!') {
            let before = line.get(..at).unwrap_or_default().trim_end();
            let key = KEYS.iter().find(|key| before.ends_with(**key));
            let opens = key.and_then(|key| before.strip_suffix(key)).map(|outer| outer.trim_end());
            if !opens.is_some_and(|outer| outer.is_empty() || outer.ends_with(['-', '{', ','])) {
                continue;
            }
            let text = line
                .get(at..)
                .unwrap_or_default()
                .split(['#', ',', '}', '\n', '\r'])
                .next()
                .unwrap_or_default()
                .trim_end();
            let place = Some((start.saturating_add(at), text.len()));
            let message = "YAML takes a text that begins with `!` for a tag, and drops it".to_owned();
            let error = SourceError::new(&source.name, &source.text, place, message);
            found.push(error.with_help(Some(format!("put it into quotes: \"{}\"", printable(text)))));
        }
        start = start.saturating_add(line.len());
    }
    found
}

/// A template whose braces do not match.
pub fn template_error(source: &Source, text: Spanned<String>, brace: UnbalancedBrace) -> SourceError {
    let mistake = Mistake {
        offset: brace.0,
        length: 1,
        message: "this brace has no partner".to_owned(),
        help: Some("`{expression}` inserts a value; `{{` and `}}` are literal braces".to_owned()),
        ..Mistake::default()
    };
    at_mistake(source, &text, &text.value, 0, mistake)
}

/// An id that no rule has.
pub fn no_such_rule(source: &Source, id: &Spanned<String>, rules: &[Rule]) -> SourceError {
    let near = nearest(&id.value, rules.iter().map(|rule| rule.id.as_str()));
    let help = match near {
        _ if id.value.contains(char::is_whitespace) => "write a `,` between two ids".to_owned(),
        Some(near) => format!("did you mean `{near}`?"),
        None => "`stslint rules list` names them all".to_owned(),
    };
    at_text(source, id, format!("there is no rule `{}`", id.value), Some(help))
}

struct RuleChecker<'a, 'b> {
    rule: &'a Rule,
    written: &'a Checked<'a>,
    rules: &'a [Rule],
    all: &'a [Checked<'a>],
    errors: &'b mut Vec<SourceError>,
    warnings: &'b mut Vec<SourceError>,
    /// Names that nothing has, of which that has been told.
    told_names: BTreeSet<String>,
    /// Params of which something has been told.
    told_params: BTreeSet<String>,
    /// Uses of facts that can be `null`, told together: the advice about them is one line.
    nulls: Vec<Null>,
}
impl RuleChecker<'_, '_> {
    fn report(&mut self, at: &Spanned<String>, message: String, help: Option<String>) {
        self.errors.push(at_text(self.written.source, at, message, help));
    }
}
