//! The laws of rules over many domains, over mixtures of domains: what is kept of them is all that the rules need, and
//! what was not seen does not pass.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::BTreeMap;

use serde_json::Value;

use super::snapshot_cases::{good_snapshot, patched};
use super::{RuleSet, Source, evaluate};
use crate::facts::{Domains, Facts, Needed, Over, Wanted};
use crate::outcome::{Check, Outcome};
use crate::snapshot::Snapshot;

/// Rules that take facts in every way that expressions have.
const RULES: &str = r#"
group: acme
over: domains
rules:
  - { id: t-mode, title: t, severity: error, cites: [T], for_each: { d: domains }, when: d.policy.mode != null, compare: d.policy.mode, assert: compared.value == compared.usual, at: d.policy.mode, message: "{compared.value} {compared.usual} {join(compared.peers, ' ')} {compared.peer_count}" }
  - { id: t-address, title: t, severity: error, cites: [T], for_each: { d: domains, host: d.mx.hosts, address: host.addresses }, subject: "{host.name}", compare: address.address, assert: compared.peer_count == 0, at: address, message: "{compared.value} {join(compared.peers, ' ')}" }
  - { id: t-none-twice, title: t, severity: error, cites: [T], for_each: { d: domains }, requires: [t-mode], compare: "d.mx.hosts.map(h, h.name).sort()", assert: compared.peer_count == 0, message: "{join(compared.value, ' ')}" }
  - { id: t-all, title: t, severity: error, cites: [T], assert: "domains.all(d, d.policy.max_age == null || d.policy.max_age > 100)", message: "{size(domains)}" }
  - { id: t-exists, title: t, severity: error, cites: [T], assert: "domains.exists(d, d.mx.hosts.exists(h, h.addresses.exists(a, a.family == 'IPv6')))", message: "x" }
  - { id: t-chain, title: t, severity: error, cites: [T], assert: "domains.filter(d, d.record.id != null).map(d, d.policy_host.probes).all(p, size(p) > 0 && p.all(q, q.connected == true))", message: "x" }
  - { id: t-distinct, title: t, severity: error, cites: [T], assert: "size(domains.map(d, d.tlsrpt.rua.map(r, r.text).sort()).distinct()) <= 1", message: "{size(domains.map(d, d.tlsrpt.rua).filter(r, size(r) > 0))}" }
  - { id: t-whole, title: t, severity: error, cites: [T], assert: "domains.map(d, d.policy).all(p, p.mode == domains[0].policy.mode)", message: "x" }
  - { id: t-index, title: t, severity: error, cites: [T], when: "size(domains) > 1 && size(domains[0].mx.hosts) > 0 && size(domains[1].mx.hosts) > 0", assert: "domains[0].mx.hosts[0].name != domains[1].mx.hosts[0].name", message: "{domains[1].mx.hosts[0].name}" }
  - { id: t-has, title: t, severity: error, cites: [T], for_each: { d: domains }, assert: "has(d.policy.mode) && d.policy != null", message: "{d.domain == null ? 'nothing' : d.domain}" }
  - { id: t-both, title: t, severity: error, cites: [T], for_each: { d: domains }, assert: "(d.smtp_blocked ? d.mx.hosts : d.mx.hosts.filter(h, h.preference != null)).all(h, h.tlsa == null || size(h.probes) < 9)", message: "x" }
  - { id: t-forbid, title: t, severity: note, cites: [T], for_each: { d: domains }, forbid: { other: d.record.foreign }, message: "{other.text}" }
"#;

/// The same numbers in every run.
struct Numbers(u64);

impl Numbers {
    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn rules() -> RuleSet {
    RuleSet::with_own(&[Source::named("acme.yaml", RULES)]).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// Every change that a failing case of a built-in rule makes, and every part that a snapshot can lose.
fn changes(rules: &RuleSet) -> Vec<BTreeMap<String, Value>> {
    let over_a_domain = rules.rules.iter().filter(|rule| rule.over == Over::Domain);
    let cases = over_a_domain.flat_map(|rule| &rule.cases.fail).filter(|case| !case.value.contains_key("snapshot"));
    let mut changes: Vec<BTreeMap<String, Value>> = cases.map(|case| case.value.clone()).collect();
    for part in ["policy", "mx", "mx_hosts", "mx_hosts.0", "mx_hosts.0.ipv4", "tlsrpt", "record", "policy_host.probes"]
    {
        changes.push([(part.to_owned(), Value::Null)].into());
        changes.push([(part.to_owned(), Value::Null)].into());
    }
    changes
}

/// A change that gives the first MX host an address of version 6.
fn over_ipv6() -> BTreeMap<String, Value> {
    let records = serde_json::json!([{ "address": "2606:2800:220:1::41" }]);
    BTreeMap::from([
        ("mx_hosts.0.ipv6.outcome".to_owned(), "answer".into()),
        ("mx_hosts.0.ipv6.records".to_owned(), records),
    ])
}

/// One to six domains, some of them the good one, each with up to three changes.
fn mixture(good: &Snapshot, changes: &[BTreeMap<String, Value>], numbers: &mut Numbers) -> Vec<Facts> {
    let count = 1 + numbers.below(6);
    let facts = (0..count).filter_map(|index| {
        let mut snapshot = good.clone();
        for _ in 0..numbers.below(4) {
            snapshot = patched(&snapshot, &changes[numbers.below(changes.len())]).ok()?;
        }
        // Few cases give an MX host an IPv6 address, which one of the rules is about.
        if numbers.below(8) == 0 {
            snapshot = patched(&snapshot, &over_ipv6()).ok()?;
        }
        snapshot.domain = Some(format!("d{index}.example"));
        Some(Facts::of(&snapshot, None))
    });
    facts.collect()
}

fn together(needed: Needed, all: &[Facts]) -> Facts {
    let mut domains = Domains::new(needed);
    all.iter().for_each(|facts| domains.add(facts));
    domains.into_facts()
}

fn everything() -> Needed {
    Needed { facts: Wanted::everything(), places: Wanted::everything() }
}

#[test]
fn what_is_kept_of_domains_is_all_that_rules_need() {
    let rules = rules();
    let good = good_snapshot().unwrap();
    let changes = changes(&rules);
    let mut numbers = Numbers(7);
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..200 {
        let all = mixture(&good, &changes, &mut numbers);
        let kept = together(rules.needed_of_domains(), &all);
        let whole = together(everything(), &all);
        let texts: usize = kept.tree.to_json().to_string().len();
        assert!(texts < whole.tree.to_json().to_string().len() || all.is_empty());
        let (kept, whole) = (evaluate(&rules, &kept), evaluate(&rules, &whole));
        assert_eq!(kept.mistakes, []);
        // Lines that nothing points at are empty in what is kept.
        let told = |check: &Check| {
            let place = check.location.as_ref().map(|at| (at.exhibit.clone(), at.line, at.column));
            (Check { location: None, related: Vec::new(), ..check.clone() }, place)
        };
        let all = |evaluated: &super::evaluate::Evaluated| evaluated.report.checks.iter().map(told).collect::<Vec<_>>();
        assert_eq!(all(&kept), all(&whole));
        for check in &kept.report.checks {
            *outcomes.entry(format!("{} {:?}", check.rule, check.outcome)).or_default() += 1;
        }
    }
    let seen = |rule: &str, outcome: Outcome| outcomes.contains_key(&format!("{rule} {outcome:?}"));
    for rule in rules.rules.iter().filter(|rule| rule.over == Over::Domains) {
        // `has` is false of what was not observed.
        let unchecked = rule.id == "t-has" || seen(&rule.id, Outcome::NotChecked);
        assert!(seen(&rule.id, Outcome::Pass) && unchecked, "{}: {outcomes:?}", rule.id);
    }
}

#[test]
fn a_domain_that_was_not_seen_is_never_among_those_that_pass() {
    let rules = rules();
    let good = good_snapshot().unwrap();
    let changes = changes(&rules);
    let mut numbers = Numbers(11);
    for _ in 0..40 {
        let mut all = mixture(&good, &changes, &mut numbers);
        all.push(Facts::of(&Snapshot::of(Some("unseen.example")), None));
        let report = evaluate(&rules, &together(rules.needed_of_domains(), &all)).report;
        for rule in rules.rules.iter().filter(|rule| rule.over == Over::Domains) {
            let of_rule: Vec<&Check> = report.checks.iter().filter(|check| check.rule == rule.id).collect();
            let about_unseen = of_rule.iter().find(|check| check.domain.as_deref() == Some("unseen.example"));
            if rule.scopes.is_empty() {
                // One that looks at two domains, or for one of many, has found them; the others fail, or say why not.
                let seen = all.len() - 1;
                let sure = (rule.id == "t-exists" && seen > 0) || (rule.id == "t-index" && seen > 1);
                assert!(sure || !of_rule.iter().any(|check| check.outcome == Outcome::Pass), "{}", rule.id);
            } else {
                let outcome = about_unseen.map(|check| check.outcome);
                // `has` is false of what was not observed.
                let wanted = if rule.id == "t-has" { Outcome::Fail } else { Outcome::NotChecked };
                assert_eq!(outcome, Some(wanted), "{}: {of_rule:?}", rule.id);
                let reason = about_unseen.and_then(|check| check.reason.as_deref());
                assert!(reason.is_none_or(|reason| reason.starts_with("unseen.example: ")), "{reason:?}");
            }
        }
    }
}
