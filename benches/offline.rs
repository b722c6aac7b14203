//! How long linting takes without a network: `cargo bench`.

#![allow(clippy::unwrap_used, missing_docs)]

use divan::Bencher;
use stslint::{Format, Linter, Snapshot};

fn main() {
    divan::main();
}

fn good() -> Snapshot {
    stslint::read("fixtures/good/snapshot.yaml").unwrap()
}

/// The built-in rules, read from their YAML.
#[divan::bench]
fn load_rules() -> Linter {
    Linter::new().unwrap()
}

/// All rules over one snapshot: its facts, and what the rules find.
#[divan::bench]
fn lint(bencher: Bencher) {
    let (linter, snapshot) = (Linter::new().unwrap(), good());
    bencher.bench_local(|| linter.lint(&snapshot));
}

/// The same with the report as JSON.
#[divan::bench]
fn lint_and_render(bencher: Bencher) {
    let (linter, snapshot) = (Linter::new().unwrap(), good());
    bencher.bench_local(|| linter.render(&[linter.lint(&snapshot)], Format::Json).unwrap());
}
