//! Many domains at a glance: a row for each, and what they have in common. Used by the formats for people, which keep
//! this of each domain and not its report.

use std::collections::{BTreeMap, BTreeSet};

use super::Linted;
use super::wording::{domain, one_line, shortened, what};
use crate::outcome::{Check, Outcome, Report, Severity, Summary};
use crate::runs::{provider_of, subjects};
use crate::sender::MailFate;

/// The parts of what a domain publishes: a word for each, and the groups of rules that are about it.
pub const PARTS: [(&str, &[&str]); 5] = [
    ("record", &["record"]),
    ("policy", &["policy", "host"]),
    ("MX", &["mx", "smtp"]),
    ("DANE", &["dane"]),
    ("TLSRPT", &["tlsrpt"]),
];

/// How a part fares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PartState {
    /// Its worst finding.
    Finding(Severity),
    /// Nothing is wrong in what was checked.
    Fine,
    /// Nothing of it could be checked.
    NotChecked,
    /// It does not concern the domain.
    NotApplicable,
}

/// A domain in one row.
#[derive(Clone, Debug)]
pub struct Row {
    /// The domain.
    pub name: String,
    /// The worst finding.
    pub worst: Option<Severity>,
    /// The policy in force, in a word; empty where that was not observed.
    pub policy: &'static str,
    /// What becomes of mail.
    pub mail: Option<MailFate>,
    /// The provider of the MX hosts, or the registrable domain that they are in.
    pub provider: String,
    /// How each part fares, in the order of [`PARTS`].
    pub parts: [PartState; 5],
    /// The rule with the worst finding, and what to do about it; `None` without an error and a warning.
    pub first: Option<(String, String)>,
    /// How many checks ended how.
    pub summary: Summary,
}

/// How long a text in a row can be, in characters.
const MAX_FIRST: usize = 300;
/// So many causes are told apart.
const MAX_CAUSES: usize = 500_000;

impl Row {
    /// The row of a domain.
    pub fn of(linted: &Linted) -> Self {
        let report = &linted.report;
        let state = report.state.as_ref();
        let exchanges = report.sender.first().into_iter().flat_map(|view| &view.hosts);
        let findings = report.findings();
        let first = findings.first().filter(|check| check.severity > Severity::Note).map(|check| first(check));
        Row {
            name: domain(linted),
            worst: findings.first().map(|check| check.severity),
            policy: state.map_or("", |state| state.policy.word()),
            mail: state.map(|state| state.mail),
            provider: provider_of(exchanges.map(|host| host.exchange.as_str())),
            parts: PARTS.map(|(_, groups)| part(report, groups)),
            first,
            summary: report.summary,
        }
    }

    /// The state in one word.
    pub fn state(&self) -> &'static str {
        match self.worst {
            Some(Severity::Error) => "broken",
            Some(Severity::Warning) => "warnings",
            _ if self.summary.passed == 0 => "unknown",
            _ => "fine",
        }
    }

    /// Whether there is an error or a warning.
    pub fn needs_a_look(&self) -> bool {
        self.worst > Some(Severity::Note)
    }

    /// The order in which domains are shown: by what becomes of mail, the worst first, then by their findings.
    pub fn urgency(&self) -> impl Ord + use<> {
        let loses = |mail: MailFate| matches!(mail, MailFate::Refused | MailFate::Waiting);
        let mail = self.mail.filter(|mail| loses(*mail)).map_or(0, |mail| mail as u8);
        let Summary { errors, warnings, notes, .. } = self.summary;
        std::cmp::Reverse((mail, errors, warnings, usize::from(self.summary.passed == 0), notes))
    }
}

fn first(check: &Check) -> (String, String) {
    let help = check.help.as_deref().and_then(|help| help.lines().next()).map(str::to_owned);
    (check.rule.clone(), shortened(&one_line(&help.unwrap_or_else(|| what(check))), MAX_FIRST))
}

fn part(report: &Report, groups: &[&str]) -> PartState {
    let of = || report.checks.iter().filter(|check| groups.contains(&check.group.as_str()));
    let worst = of().filter(|check| check.outcome == Outcome::Fail).map(|check| check.severity).max();
    let any = |outcome| of().any(|check| check.outcome == outcome);
    match worst {
        Some(severity) => PartState::Finding(severity),
        None if any(Outcome::Pass) || any(Outcome::Remark) => PartState::Fine,
        None if any(Outcome::NotChecked) => PartState::NotChecked,
        None => PartState::NotApplicable,
    }
}

/// How often a rule has findings.
#[derive(Clone, Debug, Default)]
pub struct RuleCount {
    /// Its worst finding.
    pub worst: Option<Severity>,
    /// On how many domains.
    pub domains: usize,
    /// What is so when the rule passes.
    pub title: String,
}

/// Many domains.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// The domains, in the order in which they came.
    pub rows: Vec<Row>,
    /// The rules with findings.
    pub rules: BTreeMap<String, RuleCount>,
    /// What findings of several domains may have in common: the rule and the thing that it speaks of, and on how many
    /// domains.
    causes: BTreeMap<(String, String), usize>,
    /// What all checks come to.
    pub total: Summary,
}

impl Fleet {
    /// Takes the report on one domain.
    pub fn add(&mut self, linted: &Linted) {
        self.total.add(linted.report.summary);
        let mut seen: BTreeSet<(&str, String)> = BTreeSet::new();
        let mut rules: BTreeSet<&str> = BTreeSet::new();
        for check in linted.report.checks.iter().filter(|check| check.outcome == Outcome::Fail) {
            let count = self.rules.entry(check.rule.clone()).or_default();
            if rules.insert(&check.rule) {
                count.domains = count.domains.saturating_add(1);
            }
            count.worst = count.worst.max(Some(check.severity));
            if count.title.is_empty() {
                count.title.clone_from(&check.title);
            }
            let subjects = subjects(check.subject.as_deref().unwrap_or_default());
            seen.extend(subjects.into_iter().filter(|subject| !subject.is_empty()).map(|it| (check.rule.as_str(), it)));
        }
        for (rule, subject) in seen {
            let key = (rule.to_owned(), subject);
            if self.causes.len() < MAX_CAUSES || self.causes.contains_key(&key) {
                let count = self.causes.entry(key).or_default();
                *count = count.saturating_add(1);
            }
        }
        if linted.report.is_over_one_domain() {
            self.rows.push(Row::of(linted));
        }
    }

    /// The rules with findings, those on most domains first.
    pub fn by_rule(&self) -> Vec<(&str, &RuleCount)> {
        let mut rules: Vec<_> = self.rules.iter().map(|(rule, count)| (rule.as_str(), count)).collect();
        rules.sort_by_key(|(rule, count)| (std::cmp::Reverse((count.worst, count.domains)), *rule));
        rules
    }

    /// The things that a rule finds fault with on several domains: one cause of many findings.
    pub fn by_cause(&self) -> Vec<(&str, &str, usize)> {
        let shared = self.causes.iter().filter(|(_, count)| **count > 1);
        let mut causes: Vec<_> =
            shared.map(|((rule, subject), count)| (rule.as_str(), subject.as_str(), *count)).collect();
        causes.sort_by_key(|(rule, subject, count)| (std::cmp::Reverse(*count), *rule, *subject));
        causes
    }

    /// Each provider with how many domains it has, how many of them enforce, and how many have an error.
    pub fn by_provider(&self) -> Vec<(&str, [usize; 3])> {
        let mut providers: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        for row in &self.rows {
            let [domains, enforce, broken] = providers.entry(&row.provider).or_default();
            *domains = domains.saturating_add(1);
            *enforce = enforce.saturating_add(usize::from(row.policy == "enforce"));
            *broken = broken.saturating_add(usize::from(row.worst == Some(Severity::Error)));
        }
        let mut providers: Vec<_> = providers.into_iter().collect();
        providers.sort_by_key(|(name, counts)| (std::cmp::Reverse(*counts), *name));
        providers
    }

    /// How many domains have which policy in force, in a word, the most frequent first.
    pub fn by_policy(&self) -> Vec<(&'static str, usize)> {
        counted(self.rows.iter().map(|row| if row.policy.is_empty() { "not observed" } else { row.policy }))
    }

    /// What becomes of the mail of how many domains, the most frequent first.
    pub fn by_mail(&self) -> Vec<(&'static str, usize)> {
        counted(self.rows.iter().map(|row| row.mail.map_or("not observed", MailFate::label)))
    }

    /// The rows, the most urgent first.
    pub fn sorted(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by_key(|row| row.urgency());
        rows
    }
}

fn counted(words: impl Iterator<Item = &'static str>) -> Vec<(&'static str, usize)> {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for word in words {
        let count = counts.entry(word).or_default();
        *count = count.saturating_add(1);
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(word, count)| (std::cmp::Reverse(*count), *word));
    counts
}
