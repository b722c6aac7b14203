//! Advice about facts that can be `null`: one line to paste that is right for the whole rule. Used by `check`.

use std::collections::BTreeSet;

use serde_yaml::Spanned;

use super::RuleChecker;
use crate::rules::rule::Rule;
use crate::source_text::SourceError;

/// A use of a fact that can be `null`.
pub(super) struct Null {
    /// The path as the rule writes it.
    pub path: String,
    /// The mistake, with advice for where it is.
    pub error: SourceError,
    /// In which part of the rule it is.
    pub of: Part,
    /// The expression.
    pub source: String,
}

/// A part of a rule, as far as the advice differs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    /// What decides whether the rule applies, and whether it passes.
    Judgement,
    /// A condition of its own, which must not narrow the rule.
    Side,
    /// A text with expressions in braces.
    Text,
}

impl RuleChecker<'_, '_> {
    /// The part of the rule that a text is.
    pub(super) fn part_of(&self, written: &Spanned<String>) -> Part {
        let entry = &self.written.entry;
        let is = |part: &Spanned<String>| std::ptr::eq(part, written);
        let fix = entry.fix.as_ref();
        let texts = [entry.message.as_ref(), entry.help.as_ref(), entry.subject.as_ref(), fix.map(|fix| &fix.with)];
        let labels = entry.also.iter().map(|also| &also.label);
        let sides = entry.severity_if.iter().map(|other| &other.when);
        let sides = sides.chain(entry.cites_if.iter().map(|other| &other.when));
        let sides = sides.chain(entry.reported_as_if.iter().map(|other| &other.when));
        let sides = sides.chain(entry.also.iter().filter_map(|also| also.when.as_ref()));
        let mut sides = sides.chain(fix.iter().flat_map(|fix| fix.when.iter().chain(&fix.safe_when)));
        if texts.into_iter().flatten().chain(labels).any(is) {
            Part::Text
        } else if sides.any(is) || self.written.group_when.as_ref().is_some_and(is) {
            Part::Side
        } else {
            Part::Judgement
        }
    }

    /// Reports each fact that can be `null` once, with a `when` that covers all of them.
    pub(super) fn report_nulls(&mut self) {
        let mut seen = BTreeSet::new();
        let mut nulls: Vec<Null> = std::mem::take(&mut self.nulls);
        // A guard may be in what could not be read.
        let unparsed = ["requires", "when"].into_iter().any(|key| self.written.is_unparsed(key));
        nulls.retain(|null| !unparsed && seen.insert(null.path.clone()));
        let narrows = |null: &Null| null.of == Part::Judgement && !self.asks_whether_null(&null.path);
        let guards: Vec<String> =
            nulls.iter().filter(|null| narrows(null)).map(|null| format!("{} != null", null.path)).collect();
        for null in &mut nulls {
            let path = &null.path;
            null.error.help = Some(match null.of {
                Part::Judgement if !self.asks_whether_null(path) => {
                    let when = format!("write `when: {}`", self.guarded(&guards));
                    match self.judge_of(path) {
                        Some(rule) => {
                            format!("{when}; or `requires: [{rule}]`, which passes only where it is not null")
                        }
                        None => when,
                    }
                }
                Part::Judgement | Part::Side => format!("write `{path} != null && …` before it"),
                Part::Text => format!("write `{{{path} == null ? \"nothing\" : {}}}`", null.source.trim()),
            });
        }
        self.errors.extend(nulls.into_iter().map(|null| null.error));
    }

    /// The rule's condition with the guards before it.
    fn guarded(&self, guards: &[String]) -> String {
        let guards = guards.join(" && ");
        match self.rule.when.as_ref().map(|when| when.source().split_whitespace().collect::<Vec<_>>().join(" ")) {
            Some(when) if when.contains("||") || when.contains('?') => format!("{guards} && ({when})"),
            Some(when) => format!("{guards} && {when}"),
            None => guards,
        }
    }

    /// Whether the rule itself is about the absence of a fact, which a `when` would take out of it.
    fn asks_whether_null(&self, path: &str) -> bool {
        let compared = |text: &str| {
            let text: String = text.split_whitespace().collect();
            text.contains(&format!("{path}==null")) || text.contains(&format!("{path}!=null"))
        };
        self.rule.assert.as_ref().is_some_and(|assert| compared(assert.source()))
    }

    /// The rule that fails where a path is `null`, and for no other reason: a rule that demands more would also
    /// silence this one where the fact can be read.
    fn judge_of(&self, path: &str) -> Option<&str> {
        let just_this = format!("{path} != null");
        let judges = |rule: &&Rule| {
            rule.id != self.rule.id
                && rule.scopes.is_empty()
                && rule.assert.as_ref().is_some_and(|assert| assert.source().trim() == just_this)
        };
        self.rules.iter().find(judges).map(|rule| rule.id.as_str())
    }
}
