//! What rules said of each element, for the rules that require them. Used by `evaluate`.

use std::collections::BTreeMap;

use crate::outcome::Severity;

/// What became of a rule, for one element or for all that it speaks of.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is broken, and how badly.
    Fail(Severity),
    /// It does not concern this, and why.
    NotApplicable(String),
    /// A fact was not observed, and which.
    NotChecked(String),
    /// It is kept.
    Pass,
    /// Another rule that failed has said what this one would say: how badly that one failed, and why this one is
    /// silent. It may silence others in turn, and no worse ones than that.
    Silenced(Severity, String),
}

/// A verdict on one element (or on the whole, where there are no lists).
#[derive(Clone, Debug, PartialEq)]
pub struct Scoped {
    /// The paths of the elements, outermost first: `["mx.hosts[0]", "mx.hosts[0].probes[1]"]`.
    pub scope: Vec<String>,
    /// The verdict.
    pub verdict: Verdict,
}

impl Scoped {
    /// A verdict on the whole.
    pub fn whole(verdict: Verdict) -> Self {
        Scoped { scope: Vec::new(), verdict }
    }
}

/// What one rule said, but for what passed, which decides nothing for others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdicts {
    scoped: Vec<Scoped>,
    /// Where the verdicts on each element of the first list are.
    by_first: BTreeMap<String, Vec<usize>>,
}

impl Verdicts {
    /// The verdicts in the order of the elements.
    pub fn of(scoped: Vec<Scoped>) -> Self {
        let scoped: Vec<Scoped> = scoped.into_iter().filter(|scoped| scoped.verdict != Verdict::Pass).collect();
        let mut by_first: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, scoped) in scoped.iter().enumerate() {
            if let Some(first) = scoped.scope.first() {
                by_first.entry(first.clone()).or_default().push(index);
            }
        }
        Verdicts { scoped, by_first }
    }

    /// The verdicts that concern an element, in order. Of thousands of elements of the same list, only those on this
    /// one are looked at.
    pub fn concerning<'a>(&'a self, scope: &'a [&'a str]) -> Box<dyn Iterator<Item = &'a Scoped> + 'a> {
        let first_list = self.by_first.keys().next().and_then(|path| list_of(path));
        match scope.first() {
            Some(first) if first_list.is_some() && first_list == list_of(first) => {
                let indices = self.by_first.get(*first).map_or(&[][..], Vec::as_slice);
                let on_this = indices.iter().filter_map(|index| self.scoped.get(*index));
                Box::new(on_this.filter(move |scoped| concerns(&scoped.scope, scope)))
            }
            _ => Box::new(self.scoped.iter().filter(move |scoped| concerns(&scoped.scope, scope))),
        }
    }
}

/// Whether a verdict on one element concerns another: unless both name different elements of the same list.
fn concerns(verdict: &[String], scope: &[&str]) -> bool {
    verdict.iter().zip(scope).all(|(a, b)| a == b || list_of(a) != list_of(b))
}

/// The list that an element is in: `mx.hosts` of `mx.hosts[0]`.
fn list_of(path: &str) -> Option<&str> {
    path.rfind('[').and_then(|at| path.get(..at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_concerns_its_own_element_and_other_lists() {
        let scoped = |path: &str| Scoped { scope: vec![path.to_owned()], verdict: Verdict::Fail(Severity::Error) };
        let verdicts = Verdicts::of(vec![scoped("mx.hosts[0]"), scoped("mx.hosts[1]")]);
        let count = |scope: &[&str]| verdicts.concerning(scope).count();
        assert_eq!(count(&["mx.hosts[1]", "mx.hosts[1].probes[0]"]), 1);
        assert_eq!(count(&["mx.hosts[2]"]), 0);
        assert_eq!(count(&["policy.mx[0]"]), 2);
        assert_eq!(count(&[]), 2);
        let whole = Verdicts::of(vec![Scoped::whole(Verdict::Fail(Severity::Error))]);
        assert_eq!(whole.concerning(&["mx.hosts[2]"]).count(), 1);
        assert_eq!(Verdicts::of(vec![Scoped::whole(Verdict::Pass)]).concerning(&[]).count(), 0);
    }
}
