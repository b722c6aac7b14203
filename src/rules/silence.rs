//! What the rules that a rule names in `requires` and `after` leave for it to say: one fault gives one finding, and yet
//! a weaker finding hides no stronger one. Used by `evaluate`.

use std::collections::BTreeMap;

use super::rule::Rule;
use super::verdicts::{Verdict, Verdicts};
use crate::outcome::{FOLLOWS_FROM, Severity};

/// What the rules that come first leave of a rule.
pub enum Before {
    /// Its verdict.
    Decided(Verdict),
    /// One of them failed, and what this rule says has to be weighed against that.
    Failed(Silencer),
    /// All of it.
    Nothing,
}

/// A rule that failed, and has said what others would say.
pub struct Silencer {
    /// How badly it failed.
    severity: Severity,
    /// Why others are silent.
    reason: String,
    /// Whether others need what it promises, so that they mean nothing where it failed.
    pub required: bool,
}

impl Silencer {
    /// Whether it speaks for a finding of this severity. Rules that are notes cannot be named to silence others
    /// (`check/entry.rs`); one that a configuration makes a note speaks for notes, as it did for worse ones before.
    pub fn hides(&self, severity: Severity) -> bool {
        self.severity >= severity
    }

    /// The verdict on a rule that it speaks for.
    pub fn verdict(self) -> Verdict {
        Verdict::Silenced(self.severity, self.reason)
    }
}

/// What the rules that come first say of an element, or of the whole where `scope` is empty. Of several that failed, the
/// worst counts.
pub fn before(rule: &Rule, scope: &[&str], verdicts: &BTreeMap<String, Verdicts>) -> Before {
    let mut undecidable = Undecidable::default();
    let mut worst: Option<Silencer> = None;
    let required = rule.requires.iter().map(|id| (id, true));
    for (id, required) in required.chain(rule.after.iter().map(|id| (id, false))) {
        for scoped in verdicts.get(id).into_iter().flat_map(|verdicts| verdicts.concerning(scope)) {
            // Before the elements are known, only what holds for all of them decides.
            if scope.is_empty() && !rule.scopes.is_empty() && !scoped.scope.is_empty() {
                continue;
            }
            let (severity, reason) = match &scoped.verdict {
                Verdict::Fail(severity) => (*severity, format!("{FOLLOWS_FROM} `{id}`, which failed")),
                Verdict::Silenced(severity, reason) if required => (*severity, reason.clone()),
                other => {
                    if required {
                        undecidable.note(other);
                    }
                    continue;
                }
            };
            if worst.as_ref().is_none_or(|other| severity > other.severity) {
                worst = Some(Silencer { severity, reason, required });
            }
        }
    }
    match (worst, undecidable.verdict()) {
        (Some(silencer), _) if silencer.required && silencer.hides(rule.worst_severity()) => {
            Before::Decided(silencer.verdict())
        }
        (_, Some(verdict)) => Before::Decided(verdict),
        (Some(silencer), None) => Before::Failed(silencer),
        (None, None) => Before::Nothing,
    }
}

/// The first required rule that does not apply, and the last that was not checked.
#[derive(Default)]
struct Undecidable {
    not_applicable: Option<Verdict>,
    not_checked: Option<Verdict>,
}

impl Undecidable {
    fn note(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::NotApplicable(_) if self.not_applicable.is_none() => self.not_applicable = Some(verdict.clone()),
            Verdict::NotChecked(_) => self.not_checked = Some(verdict.clone()),
            _ => {}
        }
    }

    fn verdict(self) -> Option<Verdict> {
        self.not_applicable.or(self.not_checked)
    }
}
