//! Lints the snapshot of one domain by the rules in force, on whichever thread collected it. Used by `cli::scan`.

use jiff::Timestamp;

use crate::config::{InForce, decisions, utc_day};
use crate::facts::Facts;
use crate::outcome::Severity;
use crate::report::Linted;
use crate::rules::evaluate;
use crate::snapshot::Snapshot;

/// What domains are judged by.
#[derive(Debug)]
pub struct Judge {
    /// The rules, and what the configuration says of them.
    pub in_force: InForce,
    /// The time as of which is judged, where it is not that of the observation.
    pub at: Option<String>,
    /// Findings below this are left out.
    pub least: Severity,
}

impl Judge {
    /// The report on a snapshot.
    pub fn lint(&self, mut snapshot: Snapshot) -> Linted {
        if let Some(at) = &self.at {
            snapshot.collected_at = Some(at.clone());
        }
        let (settled, membership) = self.in_force.for_domain(snapshot.domain.as_deref());
        let (rules, changes) = match &settled {
            Some(settled) => (&settled.rules, &settled.changes),
            None => (&self.in_force.rules, &self.in_force.changes),
        };
        let facts = Facts::beside(&snapshot, None).with_membership(&membership.tags, &membership.groups);
        let mut report = evaluate(rules, &facts).report;
        self.in_force.ignores.apply(&mut report, utc_day(Timestamp::now()), &mut Vec::new());
        decisions(&mut report, changes);
        report.against = self.in_force.against(&membership, changes, &report);
        report.leave_out_below(self.least);
        report.shorten();
        Linted { report, facts: facts.into_domain(), snapshot, policy_file: None }
    }
}
