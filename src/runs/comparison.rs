//! Two runs compared: each domain of either, and what that comes to by rule and by provider of mail. Used by
//! `stslint diff`, which hands over the entries of the older run, then those of the newer one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::compare::compare;
use super::{Change, DomainChange, DomainDiff, Entry};
use crate::outcome::Severity;

/// How many findings became what.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct FindingCounts {
    /// Findings that were not there before.
    pub new: usize,
    /// Findings that were less severe before.
    pub worse: usize,
    /// Findings that were more severe before.
    pub better: usize,
    /// Findings that are gone.
    pub fixed: usize,
    /// Findings of which it is not known.
    pub not_known: usize,
    /// Findings that are there as before.
    pub remaining: usize,
}

impl FindingCounts {
    fn add(&mut self, change: Change, number: usize) {
        let count = match change {
            Change::Better => &mut self.better,
            Change::Fixed => &mut self.fixed,
            Change::New => &mut self.new,
            Change::NotKnown => &mut self.not_known,
            Change::Remaining => &mut self.remaining,
            Change::Worse => &mut self.worse,
        };
        *count = count.saturating_add(number);
    }

    /// How many are worth a look first: new and worse ones.
    pub fn urgent(&self) -> usize {
        self.new.saturating_add(self.worse)
    }
}

/// What became of the findings of one rule.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct CauseCounts {
    /// On how many domains there is something new or worse.
    pub domains: usize,
    /// The findings, each subject counted.
    pub findings: FindingCounts,
}

/// What became of the domains whose mail one provider receives.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ProviderCounts {
    /// How many domains there are in either run.
    pub domains: usize,
    /// How many are worse.
    pub worse: usize,
    /// How many are better.
    pub better: usize,
    /// How many are new.
    pub new: usize,
    /// How many are gone.
    pub gone: usize,
}

/// Two runs compared.
#[derive(Debug, Default)]
pub struct Comparison {
    old: BTreeMap<String, Entry>,
    seen: BTreeSet<String>,
    /// Every domain in which something differs, the most urgent first once it is finished.
    pub domains: Vec<DomainDiff>,
    /// Domains in which nothing differs, where they are kept.
    pub same: Vec<DomainDiff>,
    /// How many domains became what.
    pub counts: BTreeMap<DomainChange, usize>,
    /// What became of all findings, each subject counted.
    pub findings: FindingCounts,
    /// What became of the findings, by rule.
    pub causes: BTreeMap<String, CauseCounts>,
    /// What became of the domains, by provider.
    pub providers: BTreeMap<String, ProviderCounts>,
    /// Whether domains are kept in which nothing differs.
    keeps_same: bool,
}

impl Comparison {
    /// Nothing compared yet; `keeps_same` keeps the domains in which nothing differs.
    pub fn new(keeps_same: bool) -> Self {
        Comparison { keeps_same, ..Comparison::default() }
    }

    /// Takes an entry of the older run; `false` where it has one for that domain already, which counts.
    pub fn take_old(&mut self, entry: Entry) -> bool {
        let name = key(entry.name());
        let first = !self.old.contains_key(&name);
        self.old.entry(name).or_insert(entry);
        first
    }

    /// Takes an entry of the newer run, once all of the older one are known; `false` where it has one for that domain
    /// already, which counts.
    pub fn take_new(&mut self, entry: &Entry) -> bool {
        let name = key(entry.name());
        if !self.seen.insert(name.clone()) {
            return false;
        }
        let old = self.old.remove(&name);
        self.add(compare(old.as_ref(), Some(entry)));
        true
    }

    /// Takes note that the newer run ends here; `whole` where nothing of it could have been lost.
    pub fn finish(&mut self, whole: bool) {
        for (_, old) in std::mem::take(&mut self.old) {
            let mut diff = compare(Some(&old), None);
            if !whole && diff.change == DomainChange::Gone {
                diff.change = DomainChange::NotKnown;
                diff.reason = Some("newer run: a part of it could not be read".to_owned());
            }
            self.add(diff);
        }
        self.seen.clear();
        self.domains.sort_by(|a, b| {
            let worst = |diff: &DomainDiff| std::cmp::Reverse(worst(diff));
            (a.change, worst(a), &a.domain).cmp(&(b.change, worst(b), &b.domain))
        });
    }

    /// Whether something is new or worse and has at least this severity.
    pub fn fails(&self, least: Severity) -> bool {
        self.domains.iter().any(|diff| diff.fails(least))
    }

    /// How many domains there are in either run.
    pub fn all(&self) -> usize {
        self.counts.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn add(&mut self, diff: DomainDiff) {
        let increase = |count: &mut usize| *count = count.saturating_add(1);
        increase(self.counts.entry(diff.change).or_default());
        let provider = self.providers.entry(diff.provider.clone()).or_default();
        increase(&mut provider.domains);
        match diff.change {
            DomainChange::Better => increase(&mut provider.better),
            DomainChange::Gone => increase(&mut provider.gone),
            DomainChange::New => increase(&mut provider.new),
            DomainChange::Worse => increase(&mut provider.worse),
            DomainChange::Changed | DomainChange::NotKnown | DomainChange::Same => {}
        }
        let mut urgent: BTreeSet<&str> = BTreeSet::new();
        for finding in &diff.findings {
            let number = finding.subjects.len().max(1);
            self.findings.add(finding.change, number);
            let cause = self.causes.entry(finding.rule.clone()).or_default();
            cause.findings.add(finding.change, number);
            if matches!(finding.change, Change::New | Change::Worse) && urgent.insert(&finding.rule) {
                increase(&mut cause.domains);
            }
        }
        match diff.change {
            DomainChange::Same if self.keeps_same => self.same.push(diff),
            DomainChange::Same => {}
            _ => self.domains.push(diff),
        }
    }
}

/// Names of domains are compared without regard to case.
fn key(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// The worst that is new or worse; otherwise the worst of all.
fn worst(diff: &DomainDiff) -> (bool, Option<Severity>) {
    (diff.mail_worse, diff.findings.first().map(|finding| finding.severity))
}
