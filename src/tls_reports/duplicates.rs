//! Reports that arrive more than once: the same report of the same sender counts once.
//!
//! Called by whoever gathers reports, before [`digest`](super::sums::digest) sums them up.

use std::collections::BTreeSet;

use super::model::TlsReport;

/// Different reports.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distinct {
    /// Each of them once, in the order in which they came.
    pub reports: Vec<TlsReport>,
    /// How many were left out because they were there already.
    pub duplicates: u64,
}

impl Distinct {
    /// Keeps the first of each.
    pub fn of(reports: impl IntoIterator<Item = TlsReport>) -> Self {
        let mut seen = BTreeSet::new();
        let mut distinct = Distinct::default();
        for report in reports {
            if seen.insert(Identity::of(&report)) {
                distinct.reports.push(report);
            } else {
                distinct.duplicates = distinct.duplicates.saturating_add(1);
            }
        }
        distinct
    }
}

/// What makes two reports the same.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Identity {
    sender: String,
    report_id: Option<String>,
    range: (Option<i64>, Option<i64>),
    /// Some senders use one id for several domains.
    domains: Vec<String>,
    /// Without an id only what is counted tells two reports apart.
    counts: Vec<(u64, u64)>,
}

impl Identity {
    fn of(report: &TlsReport) -> Self {
        let counts = report.policies.iter().map(|result| (result.successful, result.failed));
        Identity {
            sender: report.sender(),
            report_id: report.report_id.clone(),
            range: (report.start, report.end),
            domains: report.policies.iter().filter_map(|result| result.policy_domain.clone()).collect(),
            counts: if report.report_id.is_some() { Vec::new() } else { counts.collect() },
        }
    }
}
