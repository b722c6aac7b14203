//! What is decided before any fact is known is told at its place, and what is not decided is not.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::facts::Over;
use crate::rules::check::facts_scope;
use crate::rules::expr::Expr;

fn found(source: &str, before: &[&str]) -> Vec<(String, String)> {
    let before: Vec<Expr> = before.iter().map(|source| Expr::new(*source)).collect();
    let before: Vec<&Compiled> = before.iter().map(|expr| expr.compiled().unwrap()).collect();
    let expr = Expr::new(source);
    let mistakes = decided(expr.compiled().unwrap(), &facts_scope(Over::Domain), &BTreeSet::new(), &before);
    mistakes.iter().map(|m| (source[m.offset..m.offset + m.length].to_owned(), m.message.clone())).collect()
}

#[test]
fn what_is_decided_is_told() {
    for (source, underlined, said) in [
        ("record.usable && !record.usable", "record.usable", "never true here: `record.usable` holds there"),
        ("!record.usable || record.usable", "record.usable", "always true"),
        (
            "policy.mode == 'enforce' && policy.mode == 'testing'",
            "policy.mode == 'testing'",
            "`policy.mode == 'enforce'`",
        ),
        ("policy.mode == 'enforce' && 'none' == policy.mode", "'none' == policy.mode", "never true"),
        ("policy.mode in ['none', 'testing'] && policy.mode == 'enforce'", "policy.mode == 'enforce'", "never true"),
        ("policy.mode != 'none' || policy.mode != 'enforce'", "policy.mode != 'enforce'", "always true"),
        ("size(mx.hosts) < 0", "size(mx.hosts) < 0", "never true: a size is 0 or more"),
        ("mx.hosts.size() >= 0 && record.usable", "mx.hosts.size() >= 0", "always true: a size"),
        ("size(mx.hosts) == -1", "size(mx.hosts) == -1", "never true"),
        ("1 < 2 && record.usable", "1 < 2", "always true: it asks for no fact"),
        ("'a' == 'b' ? record.usable : policy.usable", "'a' == 'b'", "never true"),
        ("true ? record.usable : policy.usable", "true", "always true"),
        ("record.usable || true", "true", "always true"),
        ("record.usable && false", "false", "never true"),
        ("record.usable && true", "true", "changes nothing"),
        ("size(mx.hosts) > 3 && size(mx.hosts) < 2", "size(mx.hosts) < 2", "`size(mx.hosts) > 3` holds there"),
        ("size(mx.hosts) > 3 || size(mx.hosts) < 5", "size(mx.hosts) < 5", "always true"),
        ("policy.mode == policy.mode", "policy.mode == policy.mode", "always true: both sides are the same"),
        ("record.outcome < record.outcome", "record.outcome < record.outcome", "never true"),
        ("record.id < policy.id && policy.id <= record.id", "policy.id <= record.id", "`record.id < policy.id` holds"),
        ("(record.usable || policy.usable) && !record.usable && !policy.usable", "policy.usable", "never true here"),
        ("record.outcome == 'answer' && record.outcome.startsWith('no')", "record.outcome.startsWith('no')", "never"),
        ("record.outcome.size() > 9 && record.outcome == 'answer'", "record.outcome == 'answer'", "never true"),
        ("mx.hosts.all(h, h.resolves && !h.resolves)", "h.resolves", "never true here"),
        ("mx.hosts.exists(h, h.addresses.size() < 0)", "h.addresses.size() < 0", "never true"),
        ("record.usable ? !record.usable && policy.usable : true", "record.usable", "never true"),
    ] {
        let found = found(source, &[]);
        let told = |(text, message): &(String, String)| text.ends_with(underlined) && message.contains(said);
        assert!(found.len() == 1 && found.iter().all(told), "{source}: {found:?}");
    }
}

#[test]
fn what_facts_decide_is_not_told() {
    for source in [
        "record.usable && !policy.usable",
        "policy.mode == 'enforce' || policy.mode == 'testing'",
        "policy.mode != null && policy.mode == 'enforce' && policy.max_age != null && policy.max_age > 5",
        "policy.max_age == null || policy.max_age >= 604800",
        "policy.mode != 'enforce' && policy.mode != 'testing' && policy.mode != 'none'",
        "size(mx.hosts) > 0 && size(mx.hosts) < 2",
        "size(mx.hosts) >= 1 && size(mx.hosts) <= 1",
        "mx.hosts.exists(h, h.resolves) && mx.hosts.exists(h, !h.resolves)",
        "mx.hosts.exists(a, mx.hosts.exists(b, a.name != b.name))",
        "record.outcome == 'answer' && record.outcome.startsWith('an')",
        "policy.mode in ['none', 'testing'] && policy.mode in ['testing', 'enforce']",
        "record.usable ? policy.usable : !policy.usable",
        "(record.usable || policy.usable) && !record.usable",
        "mx.hosts.all(h, h.resolves) ? record.usable : policy.usable",
        "policy.mx.filter(p, p.wildcard).size() > 0 && policy.mx.size() > 1",
    ] {
        assert_eq!(found(source, &[]), [], "{source}");
    }
}

#[test]
fn what_the_condition_of_the_rule_decides_is_told() {
    let of = |source, before| found(source, &[before]).into_iter().map(|(_, message)| message).collect::<String>();
    assert!(of("policy.mode == 'testing'", "policy.mode == 'enforce'").contains("never true where it is asked"));
    assert!(of("policy.mode != 'none'", "policy.mode == 'enforce'").contains("always true where it is asked"));
    assert!(of("record.usable", "record.usable && policy.usable").contains("always true where it is asked"));
    assert_eq!(of("policy.mode == 'enforce'", "policy.mode in ['enforce', 'testing']"), "");
}

#[test]
fn what_asks_for_no_fact_has_a_value() {
    let params: BTreeMap<String, serde_json::Value> =
        BTreeMap::from([("since".to_owned(), json!("20260101")), ("days".to_owned(), json!(["2026-01-01", "x"]))]);
    let of = |source: &str| {
        let expr = Expr::new(source);
        let mistakes = constant_errors(expr.compiled().unwrap(), &params);
        mistakes.iter().map(|m| source[m.offset..m.offset + m.length].to_owned()).collect::<Vec<_>>()
    };
    for (source, wrong) in [
        ("days(date('20260101', '%Y-%m-%d'), collected_at) > 1", "date('20260101', '%Y-%m-%d')"),
        ("days(date(params.since, '%Y-%m-%d'), collected_at) > 1", "date(params.since, '%Y-%m-%d')"),
        ("params.days.exists(d, date(d, '%Y-%m-%d') < collected_at)", "date(d, '%Y-%m-%d')"),
        ("['x'].exists(d, date(d, '%Y') < collected_at)", "date(d, '%Y')"),
        ("size(mx.hosts) > 1 / 0", "1 / 0"),
        ("[1, 2][2] == size(mx.hosts)", "[1, 2][2]"),
        ("int('many') < size(mx.hosts)", "int('many')"),
    ] {
        let found = of(source);
        assert!(found.len() == 1 && found[0] == wrong, "{source}: {found:?}");
    }
    for source in [
        "days(date('20260101', '%Y%m%d'), collected_at) > 1",
        "is_date(params.since, '%Y-%m-%d') && date(params.since, '%Y-%m-%d') < collected_at",
        "params.days.exists(d, is_date(d, '%Y-%m-%d') && date(d, '%Y-%m-%d') < collected_at)",
        "policy.mx.all(p, date(p.text, '%Y') < collected_at)",
    ] {
        assert_eq!(of(source), Vec::<String>::new(), "{source}");
    }
}

#[test]
fn conditions_without_end_are_judged_in_bounded_time() {
    let many = (0..30).map(|n| format!("(size(mx.hosts) != {n} || record.outcome == 'a{n}')")).collect::<Vec<_>>();
    assert_eq!(found(&many.join(" && "), &[]).len(), 0);
}
