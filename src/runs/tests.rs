//! Two runs compared: what becomes of findings and domains, and what is never taken for fixed.

use super::*;

fn line(json: serde_json::Value) -> Entry {
    serde_json::from_value::<Line>(json).unwrap().entry().unwrap()
}

fn check(rule: &str, outcome: &str, severity: &str, subject: &str) -> serde_json::Value {
    let reason = if outcome == "not_applicable" { "follows from `other`, which failed" } else { "timed out" };
    serde_json::json!({
        "rule": rule, "outcome": outcome, "severity": severity, "subject": subject, "message": "wrong", "reason": reason,
        "a field of a later version": 1,
    })
}

fn report(domain: &str, mail: &str, checks: &[serde_json::Value]) -> Entry {
    line(serde_json::json!({
        "schema": 1, "stslint": "9.9.9", "domain": domain, "state": { "policy": "enforce", "mail": mail },
        "checks": checks, "sender": [{ "hosts": [{ "exchange": "mx.example.net" }] }],
    }))
}

fn compared(old: Vec<Entry>, new: Vec<Entry>) -> Comparison {
    let mut comparison = Comparison::new(true);
    old.into_iter().for_each(|entry| assert!(comparison.take_old(entry)));
    new.iter().for_each(|entry| assert!(comparison.take_new(entry)));
    comparison.finish(true);
    comparison
}

fn changes(diff: &DomainDiff) -> Vec<(Change, String)> {
    diff.findings.iter().map(|finding| (finding.change, finding.subjects.join(" "))).collect()
}

#[test]
fn each_subject_of_a_finding_is_compared_by_itself() {
    let old = report("a.example", "verified", &[check("cert", "fail", "error", "mx1, mx2, 3 more")]);
    let new = report("A.example.", "verified", &[check("cert", "fail", "error", "mx2, mx3, 4 more")]);
    let comparison = compared(vec![old], vec![new]);
    let [diff] = comparison.domains.as_slice() else { panic!("{comparison:?}") };
    let expected = [
        (Change::New, "mx3".to_owned()),
        (Change::Remaining, "more mx2".to_owned()),
        (Change::Fixed, "mx1".to_owned()),
    ];
    assert_eq!(changes(diff), expected);
    assert_eq!((diff.change, diff.provider.as_str()), (DomainChange::Worse, "example.net"));
}

#[test]
fn what_was_not_seen_again_is_not_fixed() {
    for outcome in ["not_checked", "not_applicable"] {
        let old = report("a.example", "verified", &[check("cert", "fail", "error", "mx1")]);
        let new = report("a.example", "verified", &[check("cert", outcome, "error", "")]);
        let comparison = compared(vec![old], vec![new]);
        assert_eq!(comparison.domains[0].change, DomainChange::Changed, "{outcome}");
        assert_eq!(comparison.domains[0].findings[0].change, Change::NotKnown, "{outcome}");
        assert!(comparison.domains[0].findings[0].reason.is_some());
        assert!(!comparison.fails(Severity::Note));
    }
    let unread = line(serde_json::json!({ "input": "a.example", "error": "no answer" }));
    let comparison = compared(vec![report("a.example", "verified", &[])], vec![unread]);
    assert_eq!(comparison.domains[0].change, DomainChange::NotKnown);
    assert_eq!(comparison.domains[0].reason.as_deref(), Some("newer run: no answer"));
}

#[test]
fn severity_and_the_fate_of_mail_decide_what_is_worse() {
    let with = |severity: &str, mail: &str| report("a.example", mail, &[check("rule", "fail", severity, "")]);
    let change = |old: Entry, new: Entry| {
        let comparison = compared(vec![old], vec![new]);
        let change = *comparison.counts.keys().next().unwrap();
        (change, comparison.fails(Severity::Warning))
    };
    assert_eq!(change(with("warning", "verified"), with("error", "verified")), (DomainChange::Worse, true));
    assert_eq!(change(with("error", "verified"), with("warning", "verified")), (DomainChange::Better, false));
    assert_eq!(change(with("error", "verified"), with("error", "refused")), (DomainChange::Worse, true));
    assert_eq!(change(with("error", "refused"), with("error", "verified")), (DomainChange::Better, false));
    assert_eq!(change(with("error", "verified"), with("error", "verified")), (DomainChange::Same, false));
    assert_eq!(change(with("error", "verified"), with("error", "unknown")), (DomainChange::Changed, false));
    let clean = report("a.example", "verified", &[]);
    assert_eq!(change(clean.clone(), with("note", "verified")), (DomainChange::Changed, false));
    assert_eq!(change(clean, with("warning", "verified")), (DomainChange::Worse, true));
}

#[test]
fn sums_are_by_rule_and_by_provider() {
    let old = vec![report("a.example", "verified", &[]), report("gone.example", "verified", &[])];
    let bad = || [check("cert", "fail", "error", "mx1, mx2")];
    let new = vec![report("a.example", "refused", &bad()), report("new.example", "verified", &bad())];
    let comparison = compared(old, new);
    let named: Vec<(&str, DomainChange)> =
        comparison.domains.iter().map(|diff| (diff.domain.as_str(), diff.change)).collect();
    let expected =
        [("a.example", DomainChange::Worse), ("new.example", DomainChange::New), ("gone.example", DomainChange::Gone)];
    assert_eq!(named, expected);
    assert_eq!((comparison.causes["cert"].domains, comparison.causes["cert"].findings.new), (2, 4));
    let provider = &comparison.providers["example.net"];
    assert_eq!((provider.domains, provider.worse, provider.new, provider.gone), (3, 1, 1, 1));
}

#[test]
fn a_domain_that_is_missing_from_a_damaged_run_is_not_gone() {
    let mut comparison = Comparison::new(false);
    assert!(comparison.take_old(report("a.example", "verified", &[])));
    assert!(!comparison.take_old(report("a.example", "refused", &[])), "the first counts");
    comparison.finish(false);
    assert_eq!(comparison.domains[0].change, DomainChange::NotKnown);
}

#[test]
fn another_version_of_the_format_is_named() {
    let read = |json: serde_json::Value| serde_json::from_value::<Line>(json).unwrap().entry();
    assert!(read(serde_json::json!({ "schema": 2, "checks": [] })).unwrap_err().contains("version 2 of the format"));
    assert!(read(serde_json::json!({ "stslint": "1" })).unwrap_err().contains("neither a report nor a snapshot"));
    let document: Document = serde_json::from_value(serde_json::json!({
        "schema": 1, "results": [{ "domain": "a.example", "checks": [] }, { "schema": 7, "checks": [] }],
        "unreadable": [{ "name": "b.yaml", "message": "empty" }, { "name": "a.example", "message": "nothing checked" }],
    }))
    .unwrap();
    let entries = document.entries().unwrap();
    assert_eq!(entries.iter().filter(|entry| entry.is_ok()).count(), 2);
    assert_eq!(entries.len(), 3);
}
