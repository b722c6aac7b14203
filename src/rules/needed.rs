//! What rules over many domains need of each: only that is kept. Called by `check`, and by the cases of such rules.

use super::expr::Expr;
use super::load::RuleSet;
use super::reads::{Read, reads};
use super::rule::Rule;
use crate::facts::{ELEMENT, Needed, Over, Wanted};

/// The name under which rules see the domains.
const DOMAINS: &str = "domains";

impl RuleSet {
    /// Whether a rule over many domains is in force.
    pub fn is_over_domains(&self) -> bool {
        self.rules.iter().any(|rule| rule.over == Over::Domains && !rule.off)
    }

    /// Whether a rule over many domains asks for the list itself, and not only for each of its elements.
    pub(super) fn asks_for_domains(&self) -> bool {
        let asks = |rule: &Rule| {
            let expressions = rule.group_when.as_deref().into_iter().chain(rule.expressions());
            let mut compiled = expressions.filter_map(|expr| expr.compiled().ok());
            compiled.any(|it| it.paths.iter().any(|path| path.first().is_some_and(|root| root == DOMAINS)))
        };
        self.rules.iter().any(|rule| rule.over == Over::Domains && asks(rule))
    }

    /// What its rules over many domains need of each domain.
    pub fn needed_of_domains(&self) -> Needed {
        let (mut facts, mut places) = (Wanted::default(), Wanted::default());
        // What a finding is told by.
        facts.add(&[DOMAINS, ELEMENT, "domain"].map(str::to_owned), true);
        for rule in self.rules.iter().filter(|rule| rule.over == Over::Domains) {
            for read in of_rule(rule) {
                facts.add(&read.path, read.whole);
            }
            for path in places_of(rule) {
                // What is below a place has its own.
                places.add(&path, false);
            }
        }
        Needed { facts: facts.of_elements(DOMAINS), places: places.of_elements(DOMAINS) }
    }
}

/// What an expression over many domains needs of each; nothing where it is not one.
pub fn needed_of(source: &str) -> Needed {
    let mut facts = Wanted::default();
    if let Ok(compiled) = Expr::new(source).compiled() {
        reads(compiled.program.expression()).iter().for_each(|read| facts.add(&read.path, read.whole));
    }
    Needed { facts: facts.of_elements(DOMAINS), places: Wanted::default() }
}

/// What a rule reads, from the root of the facts on.
fn of_rule(rule: &Rule) -> Vec<Read> {
    let lists = rule.scopes.iter().map(|(_, list)| {
        let path = list.iter().cloned().chain([ELEMENT.to_owned()]).collect();
        Read { path, whole: false }
    });
    let condition = rule.group_when.as_deref().into_iter();
    let expressions = condition.chain(rule.expressions());
    let in_expressions = expressions.filter_map(|expr: &Expr| expr.compiled().ok());
    let in_expressions = in_expressions.flat_map(|compiled| reads(compiled.program.expression()));
    lists.chain(in_expressions).map(|read| Read { path: from_root(rule, &read.path), ..read }).collect()
}

/// What findings of a rule point at.
fn places_of(rule: &Rule) -> Vec<Vec<String>> {
    let first_of_assert = || rule.assert.as_ref()?.compiled().ok()?.paths.first().cloned();
    let element = || rule.scopes.last().filter(|_| rule.forbids).map(|(name, _)| vec![name.clone()]);
    let at = rule.at.clone().or_else(element).or_else(first_of_assert);
    let also = rule.also.iter().map(|also| also.at.clone());
    let fix = rule.fix.iter().map(|fix| fix.replace.clone());
    at.into_iter().chain(also).chain(fix).map(|path| from_root(rule, &path)).collect()
}

/// A path with the variables of the rule's lists replaced by what they represent.
fn from_root(rule: &Rule, path: &[String]) -> Vec<String> {
    let mut path = path.to_vec();
    for (name, list) in rule.scopes.iter().rev() {
        if path.first() == Some(name) {
            let rest = path.split_off(1);
            path = list.iter().cloned().chain([ELEMENT.to_owned()]).chain(rest).collect();
        }
    }
    path
}
