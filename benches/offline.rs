//! How long linting takes without a network: `cargo bench`.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;

use divan::Bencher;
use divan::counter::ItemsCount;
use stslint::facts::Facts;
use stslint::rules::{RuleSet, evaluate};
use stslint::snapshot::{self, Snapshot};

fn main() {
    divan::main();
}

fn good() -> Snapshot {
    snapshot::read(Path::new("fixtures/good/snapshot.yaml")).next().unwrap().unwrap()
}

/// The built-in rules, read from their YAML.
#[divan::bench]
fn load_rules() -> RuleSet {
    RuleSet::built_in().unwrap()
}

/// The facts of a snapshot.
#[divan::bench]
fn facts(bencher: Bencher) {
    let snapshot = good();
    bencher.bench_local(|| Facts::of(&snapshot, None));
}

/// All rules over the facts of one snapshot; the counter gives rules a second.
#[divan::bench]
fn evaluate_rules(bencher: Bencher) {
    let rules = RuleSet::built_in().unwrap();
    let facts = Facts::of(&good(), None);
    bencher.counter(ItemsCount::new(rules.rules.len())).bench_local(|| evaluate(&rules, &facts));
}

/// The whole of `stslint check --snapshot FILE` but the process's start and the printing.
#[divan::bench]
fn check_one_snapshot() -> usize {
    let rules = RuleSet::built_in().unwrap();
    let facts = Facts::of(&good(), None);
    evaluate(&rules, &facts).report.checks.len()
}
