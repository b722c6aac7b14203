//! What a configuration says of some domains, for rules over many of them. Used by `check`.
//!
//! Such a rule is judged once. Where an entry of `domains` sets it off or gives it another severity, that counts for the
//! findings about these domains.

use std::collections::BTreeMap;

use super::in_force::InForce;
use super::settled::{Change, Changes, Settled};
use crate::facts::Over;
use crate::outcome::{Check, Outcome, Report, Severity, Summary};
use crate::rules::{Rule, RuleSet};

impl InForce {
    /// The rules for all domains together: one over many domains is on where it is on for some.
    pub fn for_all_domains(&self) -> RuleSet {
        let mut rules = self.rules.clone();
        let sections = (0..self.sections.list.len()).filter_map(|section| self.settled(&[section]));
        let settled: Vec<_> = sections.collect();
        for rule in rules.rules.iter_mut().filter(|rule| rule.over == Over::Domains && rule.off) {
            let on = |settled: &Settled| settled.rules.get(&rule.id).is_some_and(|rule| !rule.off);
            rule.off = !settled.iter().any(|settled| on(settled));
        }
        rules
    }

    /// Gives each finding of a report on many domains the severity that its rule has for its domain, takes out those of
    /// rules that are off there, and gives back what the configuration decided.
    pub fn set_by_domain(&self, report: &mut Report) -> Changes {
        let mut changes = self.changes.clone();
        let mut decided: BTreeMap<String, Option<Change>> = BTreeMap::new();
        report.checks.retain_mut(|check| {
            let (settled, _) = self.for_domain(check.domain.as_deref());
            let rules = settled.as_ref().map_or(&self.rules, |settled| &settled.rules);
            let Some(rule) = rules.get(&check.rule) else { return true };
            let is_written = self.rules.get(&check.rule).map(|rule| rule.severity) == Some(rule.severity);
            if !is_written && check.is_told() {
                set_severity(check, rule);
            }
            if let Some(settled) = settled.as_ref().filter(|_| check.is_told()) {
                let change = settled.changes.get(&check.rule).cloned();
                let first = decided.entry(check.rule.clone()).or_insert_with(|| change.clone());
                // A line is shown where it decided all of the findings.
                if level(first.as_ref()) != level(change.as_ref()) {
                    *first = None;
                }
            }
            !(rule.off && (check.is_told() || check.domain.is_some()))
        });
        changes.extend(decided.into_iter().filter_map(|(rule, change)| Some((rule, change?))));
        report.summary = Summary { ignored: report.ignored.len(), ..Summary::of(&report.checks) };
        changes
    }
}

fn level(change: Option<&Change>) -> Option<&super::Origin> {
    change?.level.as_ref().map(|level| &level.origin)
}

fn set_severity(check: &mut Check, rule: &Rule) {
    check.severity = rule.severity;
    check.outcome = if rule.severity == Severity::Remark { Outcome::Remark } else { Outcome::Fail };
}
