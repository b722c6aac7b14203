//! The laws of verdicts where several things are wrong at once, over mixtures of the cases beside the rules: a weaker
//! finding hides no stronger one, and what loses mail is an error.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::snapshot_cases::{good_snapshot, patched};
use super::{BROKEN_RULE, RuleSet, evaluate};
use crate::facts::{Facts, Over};
use crate::outcome::{Check, Outcome, Report, Severity};
use crate::sender::{AppliedPolicy, MailFate, result_types};
use crate::snapshot::{DnssecProof, Snapshot};
use crate::tls_reports::result_type::ResultType;

/// How many mixtures are made; more where `STSLINT_MIXTURES` says so.
const MIXTURES: usize = 400;

/// The same numbers in every run.
struct Numbers(u64);

impl Numbers {
    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// One thing that is wrong: the case of a rule.
type Fault = (String, BTreeMap<String, Value>);

/// Every failing case that starts from the good snapshot; those of rules over TLS reports change reports.
fn faults(rules: &RuleSet) -> Vec<Fault> {
    let mut faults = Vec::new();
    for rule in rules.rules.iter().filter(|rule| rule.over == Over::Domain) {
        for case in rule.cases.fail.iter().filter(|case| !case.value.contains_key("snapshot")) {
            faults.push((rule.id.clone(), case.value.clone().into_iter().collect()));
        }
    }
    faults
}

/// A snapshot with one to four things wrong, and their names; `None` where they do not go together.
fn mixture(good: &Snapshot, faults: &[Fault], numbers: &mut Numbers) -> Option<(String, Snapshot)> {
    let count = 1 + numbers.below(4);
    let mut snapshot = good.clone();
    let mut names = Vec::new();
    for _ in 0..count {
        let (name, patch) = &faults[numbers.below(faults.len())];
        names.push(format!("{name} {}", serde_json::to_string(patch).unwrap()));
        snapshot = patched(&snapshot, patch).ok()?;
    }
    Some((names.join("\n    "), snapshot))
}

/// Mixtures, the same in every run.
fn mixtures(rules: &RuleSet, seed: u64) -> impl Iterator<Item = (String, Snapshot)> {
    let good = good_snapshot().unwrap();
    let faults = faults(rules);
    let mut numbers = Numbers(seed);
    let wanted = std::env::var("STSLINT_MIXTURES").ok().and_then(|count| count.parse().ok()).unwrap_or(MIXTURES);
    std::iter::repeat_with(move || mixture(&good, &faults, &mut numbers)).flatten().take(wanted)
}

fn failures(report: &Report) -> impl Iterator<Item = &Check> {
    report.checks.iter().filter(|check| check.outcome == Outcome::Fail)
}

/// A rule and all that it requires, with those that it comes after or without.
fn with_those_before<'a>(rules: &'a RuleSet, id: &'a str, after: bool) -> BTreeSet<&'a str> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![id]);
    while let Some(id) = open.pop() {
        if seen.insert(id)
            && let Some(rule) = rules.rules.iter().find(|rule| rule.id == id)
        {
            open.extend(rule.requires.iter().map(String::as_str));
            open.extend(rule.after.iter().filter(|_| after).map(String::as_str));
        }
    }
    seen
}

#[test]
fn a_weaker_finding_hides_no_stronger_one_in_any_mixture() {
    let rules = RuleSet::built_in().unwrap();
    let mut alone = rules.clone();
    for rule in &mut alone.rules {
        rule.requires.clear();
        rule.after.clear();
    }
    let mut broken = BTreeMap::new();
    for (names, snapshot) in mixtures(&rules, 2) {
        let facts = Facts::of(&snapshot, None);
        let (report, unsilenced) = (evaluate(&rules, &facts).report, evaluate(&alone, &facts).report);
        // What does not apply, or was not checked, has nothing to say, and those that require it neither.
        let means_nothing = |id: &str| {
            let silent = |check: &Check| matches!(check.outcome, Outcome::NotApplicable | Outcome::NotChecked);
            unsilenced.checks.iter().any(|check| check.rule == id && silent(check))
        };
        let errors = failures(&unsilenced).filter(|check| check.severity == Severity::Error);
        for check in errors.filter(|check| check.rule != BROKEN_RULE) {
            let required = with_those_before(&rules, &check.rule, false);
            if required.iter().any(|id| means_nothing(id)) {
                continue;
            }
            let speak = with_those_before(&rules, &check.rule, true);
            if !failures(&report).any(|told| speak.contains(told.rule.as_str()) && told.severity >= check.severity) {
                broken.entry(check.rule.clone()).or_insert_with(|| names.clone());
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The snapshot with another proof in place of those that `chosen` picks, counted in the order of the document.
fn with_proof(snapshot: &Snapshot, proof: DnssecProof, chosen: &dyn Fn(usize) -> bool) -> Snapshot {
    fn walk(value: &mut Value, seen: &mut usize, write: &mut dyn FnMut(usize, &mut Value)) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    // The mode of the collection has the same name, and is no proof.
                    if name == "dnssec" && member.as_str().is_some_and(|word| DnssecProof::from_word(word).is_some()) {
                        write(*seen, member);
                        *seen += 1;
                    }
                    walk(member, seen, write);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, seen, write)),
            _ => {}
        }
    }
    let mut document = serde_json::to_value(snapshot).unwrap();
    walk(&mut document, &mut 0, &mut |index, member| {
        if chosen(index) {
            *member = Value::from(proof.word());
        }
    });
    serde_json::from_value(document).unwrap()
}

#[test]
fn a_proof_that_cannot_be_told_here_is_never_a_finding_about_the_domain() {
    let mut rules = RuleSet::built_in().unwrap();
    for rule in &mut rules.rules {
        rule.requires.clear();
        rule.after.clear();
    }
    let failing = |snapshot: &Snapshot| -> BTreeSet<(String, String)> {
        let report = evaluate(&rules, &Facts::of(snapshot, None)).report;
        failures(&report).map(|check| (check.rule.clone(), check.subject.clone().unwrap_or_default())).collect()
    };
    let mut broken = BTreeMap::new();
    for (number, (names, snapshot)) in mixtures(&rules, 7).enumerate().take(MIXTURES / 2) {
        let chosen = |index: usize| number.is_multiple_of(3) || (number >> (index % 5)) & 1 == 1;
        let unknown = failing(&with_proof(&snapshot, DnssecProof::Indeterminate, &chosen));
        assert_eq!(unknown, failing(&with_proof(&snapshot, DnssecProof::Unchecked, &chosen)), "{names}");
        for truth in [DnssecProof::Secure, DnssecProof::Insecure] {
            let known = failing(&with_proof(&snapshot, truth, &chosen));
            for (rule, subject) in unknown.difference(&known) {
                broken.entry(rule.clone()).or_insert_with(|| format!("{subject}, if {truth}: {names}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Something that costs mail: why, how bad a finding must say so, of which groups it may be, and which MX host it names.
struct Loss<'a> {
    why: String,
    severity: Severity,
    groups: &'a [&'a str],
    exchange: Option<&'a str>,
}

impl Loss<'_> {
    fn is_told_by(&self, check: &Check) -> bool {
        let text = |text: &Option<String>, exchange: &str| text.as_ref().is_some_and(|text| text.contains(exchange));
        let names = |exchange: &str| text(&check.subject, exchange) || text(&check.message, exchange);
        check.severity >= self.severity
            && self.groups.contains(&check.group.as_str())
            // A fault of the policy, or of the zone, is one of all hosts.
            && (self.exchange.is_none_or(names) || check.group == "policy" || check.rule.starts_with("dns-"))
    }
}

/// What senders do that costs mail, or the protection that a policy promises.
fn losses<'a>(report: &'a Report, mode: Option<&str>, set_up: bool) -> Vec<Loss<'a>> {
    use crate::sender::SenderAction::{Refuse, Retry};
    let mut losses = Vec::new();
    // A domain that takes no mail loses none.
    for view in report.sender.iter().filter(|view| view.mail != MailFate::NotAccepted) {
        // Mode none says the same as no policy.
        if view.policy == AppliedPolicy::Absent && mode != Some("none") {
            let groups: &[&str] = &["record", "host", "policy", "mx"];
            // Nobody was promised anything by a domain that never set up MTA-STS.
            let severity = if set_up { Severity::Error } else { Severity::Warning };
            losses.push(Loss { why: view.explanation.clone(), severity, groups, exchange: None });
        }
        for host in &view.hosts {
            let (groups, exchange): (&[&str], _) = (&["smtp", "mx", "dane", "policy"], Some(host.exchange.as_str()));
            if matches!(host.action, Refuse | Retry) {
                losses.push(Loss { why: host.explanation.clone(), severity: Severity::Error, groups, exchange });
            }
            // Senders need not use DANE.
            if let Some(dane) = host.dane.as_ref().filter(|dane| matches!(dane.action, Refuse | Retry)) {
                losses.push(Loss { why: dane.explanation.clone(), severity: Severity::Warning, groups, exchange });
            }
        }
    }
    losses
}

#[test]
fn what_loses_mail_is_an_error() {
    let rules = RuleSet::built_in().unwrap();
    let mut broken = BTreeMap::new();
    for (names, snapshot) in mixtures(&rules, 3) {
        let facts = Facts::of(&snapshot, None);
        let report = evaluate(&rules, &facts).report;
        let mode = facts.of_domain().policy.at(|policy| &policy.mode).present().map(|mode| mode.word());
        let set_up = facts.of_domain().record.at(|record| &record.set_up).known() != Some(&false);
        for loss in losses(&report, mode, set_up) {
            if !failures(&report).any(|check| loss.is_told_by(check)) {
                broken.entry(loss.why).or_insert_with(|| names.clone());
            }
        }
        let senders = result_types(&report.sender);
        let findings: BTreeSet<ResultType> = failures(&report).filter_map(|check| check.reported_as).collect();
        if !report.sender.is_empty() && senders != findings {
            broken.entry(format!("senders {senders:?} findings {findings:?}")).or_insert_with(|| names.clone());
        }
    }
    assert!(broken.is_empty(), "{} {broken:#?}", broken.len());
}
