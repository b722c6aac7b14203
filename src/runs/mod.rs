//! Two runs over many domains compared, finding by finding: `stslint diff`.
//!
//! Pure. `read` keeps of each report only what is compared, `compare` says what became of each finding of a domain, and
//! `comparison` adds it up by domain, by rule and by provider of mail. Called by `stslint diff`; `report` prints it.

mod compare;
mod comparison;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use self::comparison::{CauseCounts, Comparison, FindingCounts, ProviderCounts};
pub use self::read::{Document, Line};
use crate::outcome::{FOLLOWS_FROM, Outcome, Report, Severity};
use crate::sender::MailFate;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// What became of a finding, the most urgent first.
    pub enum Change {
        /// It was not there before.
        New = "new",
        /// It was less severe before.
        Worse = "worse",
        /// It was there before; the check could not be made again, or another finding hides it now.
        NotKnown = "not_known",
        /// It is there as before.
        Remaining = "remaining",
        /// It was more severe before.
        Better = "better",
        /// It is gone.
        Fixed = "fixed",
    }
}

vocabulary! {
    /// What became of a domain, the most urgent first.
    pub enum DomainChange {
        /// Something new is wrong, or mail fares worse.
        Worse = "worse",
        /// It was not in the older run.
        New = "new",
        /// One of the runs could not read or observe it.
        NotKnown = "not_known",
        /// It is not in the newer run.
        Gone = "gone",
        /// Something else differs.
        Changed = "changed",
        /// Something is fixed, or mail fares better, and nothing is worse.
        Better = "better",
        /// Nothing differs.
        Same = "same",
    }
}

/// A finding as it is compared: one subject of one rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
}

/// The rule and the subject that tell findings apart; the subject is empty where the rule speaks of one thing.
pub type Key = (String, String);

/// What is compared of the report on one domain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// The domain, as the report names it.
    pub domain: String,
    /// The policy in force, in a word; empty where the report does not tell.
    pub policy: String,
    /// What becomes of mail; `None` where the report does not tell.
    pub mail: Option<MailFate>,
    /// The provider of the MX hosts, or the registrable domain that they are in.
    pub provider: String,
    /// What is wrong.
    pub findings: BTreeMap<Key, Found>,
    /// Rules that say nothing of what they would find, and why: not checked, or hidden by another finding.
    pub silent: BTreeMap<String, String>,
}

/// What a run says of one domain.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// It was judged.
    Judged(Box<Judged>),
    /// It could not be read or observed.
    NotRead {
        /// The domain, or the input as it was given.
        name: String,
        /// Why.
        reason: String,
    },
}

impl Entry {
    /// The domain, or the input as it was given.
    pub fn name(&self) -> &str {
        match self {
            Entry::Judged(judged) => &judged.domain,
            Entry::NotRead { name, .. } => name,
        }
    }

    /// What is compared of a report.
    pub fn of(report: &Report) -> Self {
        let mut judged =
            Judged { domain: report.domain.clone().unwrap_or_else(|| NO_DOMAIN.to_owned()), ..Judged::default() };
        if let Some(state) = &report.state {
            judged.policy = state.policy.word().to_owned();
            judged.mail = Some(state.mail);
        }
        let exchanges = report.sender.first().into_iter().flat_map(|view| &view.hosts);
        judged.provider = provider_of(exchanges.map(|host| host.exchange.as_str()));
        for check in &report.checks {
            let (message, reason) = (check.message.as_deref(), check.reason.as_deref());
            judged.add(check.outcome, check.severity, &check.rule, check.subject.as_deref(), message, reason);
        }
        Entry::Judged(Box::new(judged))
    }
}

/// What a report without a domain is called: texts that were given on the command line.
const NO_DOMAIN: &str = "(no domain)";
/// Of a message, so many characters are kept.
const MAX_MESSAGE: usize = 1_000;

impl Judged {
    /// Takes one check of the report.
    fn add(
        &mut self,
        outcome: Outcome,
        severity: Severity,
        rule: &str,
        subject: Option<&str>,
        message: Option<&str>,
        reason: Option<&str>,
    ) {
        match outcome {
            Outcome::Fail => {
                let message: String = message.unwrap_or_default().chars().take(MAX_MESSAGE).collect();
                for subject in subjects(subject.unwrap_or_default()) {
                    let found = Found { severity, message: message.clone() };
                    let kept = self.findings.entry((rule.to_owned(), subject)).or_insert_with(|| found.clone());
                    if found.severity > kept.severity {
                        *kept = found;
                    }
                }
            }
            Outcome::NotChecked => {
                let reason = reason.unwrap_or("the reason is not known").to_owned();
                self.silent.entry(rule.to_owned()).or_insert(reason);
            }
            Outcome::NotApplicable => {
                if let Some(reason) = reason.filter(|reason| reason.starts_with(FOLLOWS_FROM)) {
                    self.silent.entry(rule.to_owned()).or_insert_with(|| reason.to_owned());
                }
            }
            Outcome::Pass | Outcome::Remark => {}
        }
    }
}

/// The subjects that a finding names: where one finding speaks of several things of a kind, it lists them.
pub fn subjects(subject: &str) -> Vec<String> {
    let is_rest = |item: &str| item.strip_suffix(" more").is_some_and(|n| n.bytes().all(|c| c.is_ascii_digit()));
    // How many more there are differs from run to run.
    let name = |item: &str| if is_rest(item) { "more".to_owned() } else { item.to_owned() };
    subject.split(", ").map(name).collect()
}

/// The provider that these MX hosts belong to, or the registrable domain that they are in.
pub fn provider_of<'a>(exchanges: impl Iterator<Item = &'a str>) -> String {
    let name = |exchange: &str| match crate::facts::mail_provider(exchange) {
        Some(provider) => provider.to_owned(),
        None => {
            let exchange = exchange.trim_end_matches('.').to_ascii_lowercase();
            psl::domain_str(&exchange).unwrap_or(&exchange).to_owned()
        }
    };
    let mut names: Vec<String> = exchanges.map(name).collect();
    names.sort();
    names.dedup();
    match names.as_slice() {
        [] => "no MX host known".to_owned(),
        [one] if one.is_empty() => "takes no mail".to_owned(),
        [one] => one.clone(),
        [first, ..] => format!("{first} and others"),
    }
}

/// What became of findings of one rule.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct FindingChange {
    /// What became of them.
    pub change: Change,
    /// The rule.
    pub rule: String,
    /// What they speak of; empty where the rule speaks of one thing.
    pub subjects: Vec<String>,
    /// How bad they are, or were where they are gone.
    pub severity: Severity,
    /// How bad they were, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<Severity>,
    /// What is wrong, or was.
    pub message: String,
    /// Why it is not known what became of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What was and what is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct OldAndNew {
    /// What was; `null` where that is not known.
    pub old: Option<String>,
    /// What is; `null` where that is not known.
    pub new: Option<String>,
}

impl OldAndNew {
    /// Whether both are known and differ.
    pub fn differs(&self) -> bool {
        matches!((&self.old, &self.new), (Some(old), Some(new)) if old != new)
    }
}

/// What became of a domain.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct DomainDiff {
    /// The domain.
    pub domain: String,
    /// What became of it.
    pub change: DomainChange,
    /// The provider of its MX hosts.
    pub provider: String,
    /// The policy in force.
    pub policy: OldAndNew,
    /// What becomes of mail.
    pub mail: OldAndNew,
    /// Whether mail fares worse.
    pub mail_worse: bool,
    /// What became of its findings, the most urgent first.
    pub findings: Vec<FindingChange>,
    /// Why it is not known what became of the domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl DomainDiff {
    /// Whether something that is new or worse has at least this severity; mail that fares worse always counts.
    pub fn fails(&self, least: Severity) -> bool {
        let urgent = |finding: &FindingChange| matches!(finding.change, Change::New | Change::Worse);
        self.mail_worse || self.findings.iter().any(|finding| urgent(finding) && finding.severity >= least)
    }
}

/// One of the two runs, for people: what was read, and what could not be.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Side {
    /// The file.
    pub name: String,
    /// The versions of stslint that wrote it; of snapshots none.
    pub versions: BTreeSet<String>,
    /// How many domains it has.
    pub domains: usize,
    /// How many of its lines or reports could not be read.
    pub unread: usize,
}

/// What a reader has to know of two runs before the result is trusted.
pub fn caveats(old: &Side, new: &Side) -> Vec<String> {
    let mut caveats = Vec::new();
    for (which, side) in [("older", old), ("newer", new)] {
        if side.unread > 0 {
            let lines = if side.unread == 1 { "1 line".to_owned() } else { format!("{} lines", side.unread) };
            caveats.push(format!(
                "{lines} of the {which} run could not be read: domains that are missing there are not known"
            ));
        }
    }
    if !old.versions.is_empty() && !new.versions.is_empty() && old.versions != new.versions {
        let of = |side: &Side| side.versions.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        caveats.push(format!(
            "the runs are of different versions of stslint ({} and {}): a finding may be new because its rule is",
            of(old),
            of(new)
        ));
    }
    caveats
}

#[cfg(test)]
mod tests;
