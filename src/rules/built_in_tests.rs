//! The built-in rules, checked as an organisation's own are, and their cases.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use super::{CaseOutcome, RuleSet, built_in_sources, run_cases};
use crate::facts::Facts;
use crate::outcome::{Outcome, Severity};
use crate::rules::evaluate;
use crate::snapshot::{self, Snapshot};
use crate::tls_reports::result_type::ResultType;

fn good() -> Snapshot {
    snapshot::read(Path::new("fixtures/good/snapshot.yaml")).next().unwrap().unwrap_or_else(|error| panic!("{error:?}"))
}

#[test]
fn every_built_in_rule_is_sound() {
    if let Err(errors) = RuleSet::checked(&built_in_sources()) {
        panic!("{:?}", miette::Report::new(errors));
    }
}

#[test]
fn every_case_holds_and_every_rule_has_one_of_each_kind() {
    let rules = RuleSet::built_in().unwrap();
    let results = run_cases(&rules, &good(), |_| true, &|_, file| Err(format!("{file}: no files here")));
    let wrong: Vec<String> = results
        .iter()
        .filter(|result| result.outcome != CaseOutcome::Held)
        .map(|result| {
            format!(
                "{} {:?} {}: {:?}\n    {}",
                result.rule, result.expected, result.number, result.outcome, result.patch
            )
        })
        .collect();
    let bare = rules
        .rules
        .iter()
        .filter(|rule| rule.cases.pass.is_empty() || rule.cases.fail.is_empty())
        .map(|rule| rule.id.as_str());
    let bare: Vec<&str> = bare.collect();
    assert!(wrong.is_empty() && bare.is_empty(), "{}\nwithout cases: {bare:?}", wrong.join("\n"));
}

#[test]
fn the_reason_names_the_fact_that_is_missing_and_no_parameter() {
    let mut snapshot = good();
    let record = snapshot.record.as_mut().unwrap();
    (record.ttl, record.ttl_at_least) = (Some(300), true);
    let report = evaluate(&RuleSet::built_in().unwrap(), &Facts::of(&snapshot, None)).report;
    let check = report.checks.iter().find(|check| check.rule == "record-ttl").unwrap();
    let expected = "only the remaining TTL in the resolver's cache was seen: 300 seconds";
    assert_eq!((check.outcome, check.reason.as_deref()), (Outcome::NotChecked, Some(expected)));
}

#[test]
fn the_good_domain_passes_everything_that_applies() {
    let evaluated = evaluate(&RuleSet::built_in().unwrap(), &Facts::of(&good(), None));
    assert_eq!(evaluated.mistakes, []);
    let told: Vec<_> = evaluated
        .report
        .checks
        .iter()
        .filter(|check| matches!(check.outcome, Outcome::Fail | Outcome::NotChecked))
        .map(|check| format!("{} {:?} {:?}", check.rule, check.message, check.reason))
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// The sections of the two RFCs that the rules rest on, appendices left out.
const RFC_8461: &str =
    "1 1.1 2 3 3.1 3.2 3.3 3.4 4 4.1 4.2 5 5.1 6 7 7.1 7.2 8 8.1 8.2 8.3 8.4 9 9.1 9.2 9.3 10 10.1 10.2 10.3 10.4 10.5";
const RFC_8460: &str = "1 1.1 2 3 3.1 3.1.1 3.1.2 4 4.1 4.2 4.2.1 4.2.2 4.3 4.3.1 4.3.2 4.3.2.1 4.3.2.2 4.3.3 4.3.4 4.4 4.5 5 5.1 5.2 5.3 5.3.1 5.4 5.5 5.6 6 6.1 6.2 6.3 6.4 6.5 6.6 7 8";

#[test]
fn every_citation_is_of_a_section_that_exists() {
    let rules = RuleSet::built_in().unwrap();
    for (rule, cite) in rules.rules.iter().flat_map(|rule| {
        let others = rule.cites_if.iter().flat_map(|(_, cites)| cites);
        rule.cites.iter().chain(others).map(move |cite| (&rule.id, cite))
    }) {
        assert!(cite.starts_with("RFC "), "{rule}: {cite}");
        let known = match cite.split_once(" \u{a7}") {
            Some(("RFC 8461", section)) => RFC_8461.split(' ').any(|known| known == section),
            Some(("RFC 8460", section)) => RFC_8460.split(' ').any(|known| known == section),
            Some((rfc, section)) => {
                rfc.starts_with("RFC ") && section.split('.').all(|part| part.parse::<u8>().is_ok())
            }
            None => cite.contains(" eid "),
        };
        assert!(known, "{rule}: {cite}");
    }
}

#[test]
fn senders_report_an_early_certificate_as_not_trusted_and_a_late_one_as_expired() {
    let rules = RuleSet::built_in().unwrap();
    for (not_before, not_after, expected) in [
        ("2026-12-01T00:00:00Z", "2027-02-01T00:00:00Z", "certificate-not-trusted"),
        ("2026-08-01T00:00:00Z", "2026-11-01T00:00:00Z", "certificate-expired"),
    ] {
        let mut snapshot = serde_json::to_value(good()).unwrap();
        let leaf = snapshot.pointer_mut("/mx_hosts/0/probes/0/tls/chain/0").unwrap();
        leaf["not_before"] = not_before.into();
        leaf["not_after"] = not_after.into();
        let snapshot: Snapshot = serde_json::from_value(snapshot).unwrap();
        let report = evaluate(&rules, &Facts::of(&snapshot, None)).report;
        let check = report.checks.iter().find(|check| check.rule == "smtp-cert-valid-now").unwrap();
        assert_eq!(
            (check.outcome, check.reported_as.map(ResultType::word)),
            (Outcome::Fail, Some(expected)),
            "{not_before}"
        );
    }
}

#[test]
fn a_weaker_finding_hides_no_stronger_one() {
    let kinds: [(&str, &[(&str, serde_json::Value)]); 3] = [
        // A stray record beside a broken one.
        (
            "record-id-format",
            &[
                ("record.text", "v=STSv1; id=2026-11-23".into()),
                (
                    "misplaced.0",
                    serde_json::json!({ "name": "example.com", "records": [{ "strings": ["v=STSv1; id=1"] }] }),
                ),
            ],
        ),
        // A private address beside a public one with an untrusted certificate.
        (
            "smtp-cert-trusted",
            &[
                ("mx_hosts.0.probes.0.tls.trust.verdict", "self_signed".into()),
                ("mx_hosts.0.ipv6", serde_json::json!({ "records": [{ "address": "fd00::1" }] })),
            ],
        ),
        // A dead address of the policy host, and no policy at the other.
        (
            "record-without-policy",
            &[
                ("policy_host.probes.0.response.status", 404.into()),
                (
                    "policy_host.probes.1",
                    serde_json::json!({ "address": "2606:2800:220:1::34", "connected": false,
                "failure": { "kind": "timeout", "detail": "no answer" } }),
                ),
                ("policy", "absent".into()),
            ],
        ),
    ];
    let rules = RuleSet::built_in().unwrap();
    for (expected, patch) in kinds {
        let patch = patch.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect();
        let snapshot = crate::rules::snapshot_cases::patched(&good(), &patch).unwrap();
        let report = evaluate(&rules, &Facts::of(&snapshot, None)).report;
        let errors = report.checks.iter().filter(|it| it.outcome == Outcome::Fail && it.severity == Severity::Error);
        let errors: Vec<&str> = errors.map(|check| check.rule.as_str()).collect();
        assert!(!errors.is_empty(), "{expected} is hidden: {:?}", report.findings());
        let told = errors.contains(&expected) || expected == "record-without-policy";
        assert!(told, "{expected} is not among {errors:?}");
    }
}
