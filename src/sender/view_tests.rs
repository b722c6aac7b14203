//! What a conforming sender does, over changes to a domain that does everything right.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;

use crate::facts::Facts;
use crate::sender::{MailFate, SenderAction, SenderCache, SenderResolver, SenderView, views};
use crate::snapshot::{self, Snapshot};
use crate::tls_reports::result_type::ResultType;
use serde_json::{Value, json};

/// The good snapshot with values at JSON pointers replaced; `null` removes, so that it was not observed.
fn good(changes: &[(&str, Value)]) -> Snapshot {
    let good = snapshot::read(Path::new("fixtures/good/snapshot.yaml")).next().unwrap().unwrap();
    let mut tree = serde_json::to_value(good).unwrap();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = tree.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
        match (parent, value) {
            (Value::Object(map), Value::Null) => drop(map.remove(key)),
            (Value::Object(map), value) => drop(map.insert(key.to_owned(), value.clone())),
            (Value::Array(list), value) => list[key.parse::<usize>().unwrap()] = value.clone(),
            _ => panic!("{pointer}"),
        }
    }
    serde_json::from_value(tree).unwrap()
}

fn sees(changes: &[(&str, Value)]) -> SenderView {
    views(&Facts::of(&good(changes), None)).remove(0)
}

fn words(kinds: &[ResultType]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.word()).collect()
}

fn hosts(view: &SenderView) -> Vec<(SenderAction, Vec<&str>)> {
    view.hosts.iter().map(|host| (host.action, words(&host.reports))).collect()
}

const TESTING: &str = "version: STSv1\r\nmode: testing\r\nmx: mx1.example.com\r\nmax_age: 1209600\r\n";
const ONE_HOST: &str = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmax_age: 1209600\r\n";
const NONE: &str = "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n";

#[test]
fn everything_in_order_is_delivered_over_verified_tls() {
    let view = sees(&[]);
    assert_eq!((view.policy.word(), view.reports.len()), ("enforce", 0));
    assert_eq!(hosts(&view), [(SenderAction::Deliver, vec![]), (SenderAction::Deliver, vec![])]);
}

#[test]
fn each_fault_of_a_host_has_its_result_type() {
    let probe = "/mx_hosts/0/probes/0";
    for (field, value, kind) in [
        ("ehlo", json!({ "code": 250, "lines": ["mx1.example.com"] }), "starttls-not-supported"),
        ("starttls", json!({ "code": 454, "lines": ["no TLS"] }), "starttls-not-supported"),
        ("tls", json!({ "handshake": false }), "validation-failure"),
        ("tls/trust", json!({ "verdict": "self_signed" }), "certificate-not-trusted"),
        ("tls/chain/0/not_after", json!("2026-01-01T00:00:00Z"), "certificate-expired"),
        ("tls/chain/0/not_before", json!("2027-01-01T00:00:00Z"), "certificate-not-trusted"),
        ("tls/chain/0/dns_ids", json!(["other.example"]), "certificate-host-mismatch"),
    ] {
        let mut changes = vec![];
        let probes = good(&[]).mx_hosts.unwrap()[0].probes.clone().unwrap().len();
        for index in 0..probes {
            changes.push((format!("{}/{field}", probe.replace("probes/0", &format!("probes/{index}"))), value.clone()));
        }
        let changes: Vec<(&str, Value)> = changes.iter().map(|(path, value)| (path.as_str(), value.clone())).collect();
        let view = sees(&changes);
        assert_eq!(hosts(&view)[0], (SenderAction::Refuse, vec![kind]), "{field}");
        assert_eq!(hosts(&view)[1].0, SenderAction::Deliver, "{field}");
        assert!(view.outcome.starts_with("One MX host is not used; mail is delivered to mx2"), "{}", view.outcome);
    }
}

#[test]
fn a_host_that_the_policy_does_not_name_is_refused_or_reported() {
    let enforced = sees(&[("/policy/body", json!(ONE_HOST))]);
    assert_eq!(hosts(&enforced)[1], (SenderAction::Refuse, vec!["validation-failure"]));
    let testing = sees(&[("/policy/body", json!(TESTING))]);
    assert_eq!(hosts(&testing)[1], (SenderAction::DeliverAndReport, vec!["validation-failure"]));
}

#[test]
fn without_tlsrpt_nothing_is_reported() {
    let none = json!({ "outcome": "nxdomain" });
    let view = sees(&[("/policy/body", json!(TESTING)), ("/tlsrpt", none)]);
    assert_eq!(hosts(&view)[1], (SenderAction::DeliverUnverified, vec![]));
}

#[test]
fn without_a_usable_record_or_policy_nothing_is_verified() {
    for (changes, policy, reports) in [
        (vec![("/record", json!({ "outcome": "nxdomain" }))], "absent", vec![]),
        (
            vec![("/record", json!({ "outcome": "answer", "records": [{ "strings": ["v=STSv1; id=a-b"] }] }))],
            "absent",
            vec![],
        ),
        (vec![("/policy/body", json!("version: STSv1\n"))], "absent", vec!["sts-policy-invalid"]),
        (vec![("/policy/body", json!(NONE))], "none", vec![]),
    ] {
        let view = sees(&changes);
        assert_eq!((view.policy.word(), words(&view.reports)), (policy, reports));
        assert!(view.hosts.iter().all(|host| host.action == SenderAction::DeliverUnverified), "{changes:?}");
        assert!(view.hosts.iter().all(|host| host.reports.is_empty()), "{changes:?}");
    }
}

#[test]
fn what_was_not_observed_is_not_known() {
    let view = sees(&[("/record", Value::Null)]);
    assert_eq!(view.policy.word(), "unknown");
    assert!(view.hosts.iter().all(|host| host.action == SenderAction::Unknown));
    assert!(view.outcome.starts_with("Not known"), "{}", view.outcome);
    let view = sees(&[("/mx_hosts", Value::Null)]);
    assert_eq!((view.policy.word(), view.hosts[0].action), ("enforce", SenderAction::Unknown));
    assert!(view.outcome.starts_with("Not known"), "{}", view.outcome);
}

#[test]
fn a_sender_that_holds_the_old_policy_goes_by_it() {
    let older = good(&[("/policy/body", json!(ONE_HOST)), ("/collected_at", json!("2026-11-20T00:00:00Z"))]);
    let cached = |changes: &[(&str, Value)]| {
        let views = views(&Facts::of(&good(changes), Some(&older)));
        assert_eq!(views[1].cache, SenderCache::Baseline);
        views[1].clone()
    };
    // The same id: nothing is fetched, and the second host is not in the cached policy.
    assert_eq!(hosts(&cached(&[]))[1], (SenderAction::Refuse, vec!["validation-failure"]));
    // A new id: the new policy is fetched.
    let new_id = ("/record/records/0/strings", json!(["v=STSv1; id=new1;"]));
    assert_eq!(hosts(&cached(std::slice::from_ref(&new_id)))[1].0, SenderAction::Deliver);
    // A new id and a broken policy: the old one goes on, and the failure is reported.
    let broken = cached(&[new_id, ("/policy/body", json!("<html>"))]);
    assert_eq!((broken.policy.word(), words(&broken.reports)), ("enforce", vec!["sts-policy-invalid"]));
    // No record any more: the old one goes on too.
    let gone = cached(&[("/record", json!({ "outcome": "nxdomain" }))]);
    assert_eq!((gone.policy.word(), words(&gone.reports)), ("enforce", vec!["sts-policy-fetch-error"]));
    // After max_age it is as with an empty cache.
    let late = cached(&[("/collected_at", json!("2026-12-20T00:00:00Z"))]);
    assert_eq!(hosts(&late)[1].0, SenderAction::Deliver);
}

#[test]
fn dane_decides_where_its_records_are_secure() {
    let tlsa = |association: &str| {
        json!({ "outcome": "answer", "dnssec": "secure",
            "records": [{ "usage": 3, "selector": 1, "matching": 1, "association": association }] })
    };
    let view = sees(&[("/mx_hosts/0/tlsa", tlsa(&"0".repeat(64))), ("/mx/dnssec", json!("secure"))]);
    let dane = view.hosts[0].dane.clone().unwrap();
    assert_eq!(view.hosts[0].action, SenderAction::Deliver);
    let pem = good(&[]).mx_hosts.unwrap()[0].probes.clone().unwrap()[0].tls.clone().unwrap().chain[0].pem.is_some();
    assert_eq!(dane.action, if pem { SenderAction::Refuse } else { SenderAction::Unknown });
}

#[test]
fn tlsa_records_that_nobody_can_use_leave_the_policy_in_force() {
    let tlsa = json!({ "outcome": "answer", "dnssec": "secure",
        "records": [{ "usage": 3, "selector": 1, "matching": 1, "association": "1122" }] });
    let wrong_name = json!(["www.example.com"]);
    let view = sees(&[("/mx_hosts/0/tlsa", tlsa), ("/mx_hosts/0/probes/0/tls/chain/0/dns_ids", wrong_name)]);
    let dane = view.hosts[0].dane.clone().unwrap();
    assert_eq!(dane.action, SenderAction::Refuse, "{}", dane.explanation);
    assert_eq!(words(&dane.reports), ["certificate-host-mismatch", "tlsa-invalid"]);
}

#[test]
fn where_the_mx_records_cannot_be_looked_up_mail_waits() {
    let view = sees(&[("/mx/outcome", json!("servfail")), ("/mx/records", json!([]))]);
    assert_eq!((view.policy.word(), view.hosts.len()), ("enforce", 0));
    assert!(view.outcome.contains("waits in the sender's queue"), "{}", view.outcome);
    for outcome in ["timeout", "refused"] {
        let view = sees(&[("/mx/outcome", json!(outcome)), ("/mx/records", json!([]))]);
        assert!(view.outcome.contains("waits in the sender's queue"), "{}", view.outcome);
    }
    // A network that fails here says nothing of the domain.
    let view = sees(&[("/mx/outcome", json!("network")), ("/mx/records", json!([])), ("/mx_hosts", Value::Null)]);
    assert_eq!(view.outcome, "Not known: the MX hosts were not observed.");
}

#[test]
fn a_null_mx_beside_others_is_told() {
    let records = json!([{ "preference": 0, "exchange": "." }, { "preference": 10, "exchange": "mx1.example.com" }]);
    let view = sees(&[("/mx/records", records)]);
    assert_eq!(view.hosts.len(), 1);
    assert!(view.outcome.ends_with("Senders that heed the null MX beside it send none."), "{}", view.outcome);
}

#[test]
fn a_policy_at_some_addresses_only_is_told() {
    let view = sees(&[("/policy_host/probes/0/response/status", json!(404))]);
    assert!(view.explanation.starts_with("1 of the policy host's 2 addresses give"), "{}", view.explanation);
}

#[test]
fn a_host_that_breaks_off_inside_tls_gets_no_mail() {
    let probe = "/mx_hosts/0/probes/0";
    let refused = json!({ "kind": "tls_alert", "detail": "it needs the client's certificate" });
    let view = sees(&[(&format!("{probe}/ehlo_after_tls"), Value::Null), (&format!("{probe}/failure"), refused)]);
    assert_eq!(view.hosts[0].action, SenderAction::Retry, "{}", view.hosts[0].explanation);
    assert!(view.hosts[0].explanation.contains("it needs the client's certificate"), "{}", view.hosts[0].explanation);
    let view = sees(&[(&format!("{probe}/ehlo_after_tls"), json!({ "code": 421, "lines": ["bye"] }))]);
    assert_eq!(view.hosts[0].explanation, "inside TLS it answers 421 bye");
}

#[test]
fn a_bogus_zone_has_a_view_for_each_kind_of_resolver() {
    let bogus = [("/mx/dnssec", json!("bogus")), ("/record/dnssec", json!("bogus"))];
    let views = views(&Facts::of(&good(&bogus), None));
    let [validating, other] = &views[..] else { panic!("{}", views.len()) };
    assert_eq!((validating.resolver, validating.mail), (SenderResolver::Validating, MailFate::Waiting));
    assert_eq!((validating.policy.word(), validating.hosts.len()), ("unknown", 0));
    assert_eq!(
        (other.resolver, other.mail, other.policy.word()),
        (SenderResolver::NotValidating, MailFate::Verified, "enforce")
    );
    // A policy host that cannot be looked up is no policy, and an MX host is out of reach.
    let host = [("/policy_host/ipv4/dnssec", json!("bogus")), ("/policy_host/ipv6/dnssec", json!("bogus"))];
    let seen = sees(&host);
    assert_eq!((seen.policy.word(), words(&seen.reports)), ("absent", vec!["sts-policy-fetch-error"]));
    let address = [("/mx_hosts/0/ipv4/dnssec", json!("bogus"))];
    assert_eq!(sees(&address).hosts[0].action, SenderAction::Retry);
    // One view where all resolvers give the same.
    let views = crate::sender::views(&Facts::of(&good(&[]), None));
    assert_eq!(views.iter().map(|view| view.resolver).collect::<Vec<_>>(), [SenderResolver::Any]);
}
