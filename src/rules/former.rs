//! Ids that rules had before, and ids of rules that are gone: what names them stays readable. Used by the
//! configuration and the command line.

use super::load::RuleSet;
use super::rule::Rule;
use crate::source_text::escape;

/// What became of a rule whose id is no longer in use.
#[derive(Clone, Copy, Debug)]
pub enum Former<'a> {
    /// It has no successor; what to know about it.
    Removed(&'a str),
    /// It has another id now.
    Renamed(&'a Rule),
}

impl RuleSet {
    /// What became of the rule of an id; `None` for an id that is in use, or never was.
    pub fn former(&self, id: &str) -> Option<Former<'_>> {
        if self.get(id).is_some() {
            return None;
        }
        let renamed = self.rules.iter().find(|rule| rule.formerly.iter().any(|former| former == id));
        renamed.map(Former::Renamed).or_else(|| self.removed.get(id).map(|why| Former::Removed(why)))
    }

    /// The id of the rule, whether it is named by that or by a former one.
    pub fn current<'a>(&'a self, id: &'a str) -> &'a str {
        match self.former(id) {
            Some(Former::Renamed(rule)) => &rule.id,
            _ => id,
        }
    }
}

impl Former<'_> {
    /// What to say of a file or a command that names the id.
    pub fn message(&self, id: &str) -> String {
        match self {
            Former::Removed(_) => format!("the rule `{}` no longer exists", escape(id)),
            Former::Renamed(rule) => format!("the rule `{}` is called `{}` now", escape(id), rule.id),
        }
    }

    /// What to write instead.
    pub fn help(&self) -> String {
        match self {
            Former::Removed(why) => (*why).to_owned(),
            Former::Renamed(rule) => format!("write `{}`; the old id is still understood", rule.id),
        }
    }
}
