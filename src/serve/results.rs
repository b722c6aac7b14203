//! A kept observation as a result: its snapshot, judged by the rules of today.

use crate::facts::Facts;
use crate::report::Linted;
use crate::rules::{RuleSet, evaluate};
use crate::snapshot::{self, Snapshot};
use crate::store::Observation;
use crate::what_if::Texts;

/// The snapshot of an observation.
pub fn snapshot(observation: &Observation) -> Result<Snapshot, snapshot::ReadError> {
    snapshot::parse(&observation.id, &observation.snapshot, Some(snapshot::Format::Json))
}

/// A snapshot judged, with texts in place of what was observed, and an older snapshot to compare with.
pub fn judge(rules: &RuleSet, mut snapshot: Snapshot, texts: &Texts, baseline: Option<&Snapshot>) -> Linted {
    texts.apply(&mut snapshot);
    let facts = Facts::of(&snapshot, baseline);
    let mut report = evaluate(rules, &facts).report;
    report.shorten();
    Linted { report, facts: facts.into_domain(), snapshot, policy_file: None }
}
