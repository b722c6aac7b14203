//! The built-in rules, checked as an organisation's own are, and their cases.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use super::{CaseOutcome, RuleSet, built_in_sources, run_cases};
use crate::facts::Facts;
use crate::outcome::Outcome;
use crate::rules::evaluate;
use crate::snapshot::{self, Snapshot};

fn good() -> Snapshot {
    snapshot::read(Path::new("fixtures/good/snapshot.yaml")).next().unwrap().unwrap_or_else(|error| panic!("{error:?}"))
}

#[test]
fn every_built_in_rule_is_sound() {
    if let Err(errors) = RuleSet::checked(&built_in_sources()) {
        panic!("{:?}", miette::Report::new(errors));
    }
}

#[test]
fn every_case_holds_and_every_rule_has_one_of_each_kind() {
    let rules = RuleSet::built_in().unwrap();
    let results = run_cases(&rules, &good(), |_| true, &|_, file| Err(format!("{file}: no files here")));
    let wrong: Vec<String> = results
        .iter()
        .filter(|result| result.outcome != CaseOutcome::Held)
        .map(|result| {
            format!(
                "{} {:?} {}: {:?}\n    {}",
                result.rule, result.expected, result.number, result.outcome, result.patch
            )
        })
        .collect();
    let bare = rules
        .rules
        .iter()
        .filter(|rule| rule.cases.pass.is_empty() || rule.cases.fail.is_empty())
        .map(|rule| rule.id.as_str());
    let bare: Vec<&str> = bare.collect();
    assert!(wrong.is_empty() && bare.is_empty(), "{}\nwithout cases: {bare:?}", wrong.join("\n"));
}

#[test]
fn the_good_domain_passes_everything_that_applies() {
    let evaluated = evaluate(&RuleSet::built_in().unwrap(), &Facts::of(&good(), None));
    assert_eq!(evaluated.mistakes, []);
    let told: Vec<_> = evaluated
        .report
        .checks
        .iter()
        .filter(|check| matches!(check.outcome, Outcome::Fail | Outcome::NotChecked))
        .map(|check| format!("{} {:?} {:?}", check.rule, check.message, check.reason))
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}
