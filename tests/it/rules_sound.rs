//! A green run means something: what a rule cannot say is refused when it is loaded, or ends the run.

use std::path::Path;
use std::process::{Command, Output};

const GOOD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/good/snapshot.yaml");

fn stslint(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

/// A file with one rule whose body follows its citation.
fn rule(body: &str) -> String {
    let head = "group: acme\nrules:\n  - id: acme-a\n    title: T\n    severity: error\n    cites: [X]\n";
    let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
    format!("{head}{body}")
}

/// The exit code and all that is said, in one line.
fn run(text: &str, arguments: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r.yaml"), text).unwrap();
    let output = stslint(folder.path(), &[&["--no-config"], arguments].concat());
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), said.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" "))
}

fn test(body: &str) -> (i32, String) {
    run(&rule(body), &["rules", "test", "--allow-untested", "r.yaml"])
}

#[test]
fn null_is_found_inside_lists_too() {
    for body in [
        "assert: mx.hosts.map(h, h.preference).all(p, p >= 10)\nmessage: m",
        "assert: mx.hosts.map(h, h.preference).filter(p, true).all(p, p >= 10)\nmessage: m",
        "assert: mx.hosts.map(h, h.preference)[0] >= 10\nmessage: m",
        "assert: \"[policy.max_age].all(x, x > 5)\"\nmessage: m",
        "assert: \"([policy.max_age] + [1]).all(x, x > 5)\"\nmessage: m",
        "assert: \"(policy.usable ? [policy.max_age] : [1]).all(x, x > 5)\"\nmessage: m",
        "assert: \"join(mx.hosts.map(h, h.covered_by), ', ') != ''\"\nmessage: m",
    ] {
        let (code, said) = test(body);
        assert_eq!(code, 2, "{body}\n{said}");
        assert!(said.contains("1 mistake") && said.contains("null"), "{body}\n{said}");
    }
    for body in [
        "assert: mx.hosts.map(h, h.preference).filter(p, p != null).all(p, p >= 10)\nmessage: m",
        "assert: mx.hosts.map(h, h.preference != null, h.preference).all(p, p >= 10)\nmessage: m",
        "assert: mx.hosts.map(h, h.preference).all(p, p == null || p >= 10)\nmessage: m",
        "assert: \"join(mx.hosts.map(h, h.covered_by).filter(c, c != null), ', ') != ''\"\nmessage: m",
        "assert: mx.hosts.map(h, h.name).all(n, n.endsWith('.com'))\nmessage: m",
    ] {
        let (code, said) = test(body);
        assert_eq!(code, 0, "{body}\n{said}");
    }
}

#[test]
fn the_advice_about_null_can_be_pasted_and_never_silences_the_rule() {
    // `record-ttl` also fails for a TTL that is too long: it would silence this rule where it matters.
    let (_, said) = test("assert: record.ttl <= 3600\nmessage: m");
    assert!(said.contains("write `when: record.ttl != null`") && !said.contains("record-ttl"), "{said}");
    let (_, said) = test("assert: policy.max_age >= 5\nmessage: 'm {policy.max_age + 1}'");
    assert!(said.contains("1 mistake "), "each fact once: {said}");
    assert!(said.contains("`when: policy.max_age != null`; or `requires: [policy-max-age]`"), "{said}");
    let body =
        "when: policy.mode == 'enforce' || record.usable\nassert: policy.max_age >= 5 && record.ttl < 9\nmessage: m";
    let (_, said) = test(body);
    let when = "policy.max_age != null && record.ttl != null && (policy.mode == 'enforce' || record.usable)";
    assert!(said.contains(&format!("write `when: {when}`")) && said.contains("2 mistakes"), "{said}");
    let pasted = format!("when: {when}\nassert: policy.max_age >= 5 && record.ttl < 9\nmessage: m");
    assert_eq!(test(&pasted).0, 0, "{pasted}");
    // A condition of the severity must not narrow the rule, and a rule about absence must not lose its subject.
    let (_, said) =
        test("severity_if: [{ when: policy.max_age < 5, severity: note }]\nassert: policy.usable\nmessage: m");
    assert!(said.contains("write `policy.max_age != null && …` before it"), "{said}");
    let (_, said) = test("assert: policy.max_age != null\nmessage: '{duration(policy.max_age)}'");
    let cure = "{policy.max_age == null ? \"nothing\" : duration(policy.max_age)}";
    assert!(said.contains(cure), "{said}");
    assert_eq!(test(&format!("assert: policy.max_age != null\nmessage: '{cure}'")).0, 0);
}

#[test]
fn a_rule_that_cannot_be_evaluated_ends_the_run_and_is_in_every_format() {
    let broken = [
        ("assert: 10 / size(record.foreign) > 1\nmessage: m", "divided by 0"),
        (
            "params: { limits: { gold: 1 } }\nassert: params.limits[policy.mode] == 1\nwhen: policy.mode != null\nmessage: m",
            "there is no `enforce`",
        ),
        (
            "severity_if: [{ when: 1 / size(record.foreign) > 1, severity: note }]\nassert: size(record.foreign) > 0\nmessage: m",
            "divided by 0",
        ),
        ("assert: size(record.foreign) > 0\nmessage: '{1 / size(record.foreign)}'", "divided by 0"),
    ];
    for (body, reason) in broken {
        for format in [
            "human",
            "concise",
            "json",
            "jsonl",
            "sarif",
            "junit",
            "markdown",
            "html",
            "github",
            "gitlab",
            "prometheus",
        ] {
            let (code, said) =
                run(&rule(body), &["check", "--snapshot", GOOD, "--rules", "r.yaml", "--format", format]);
            assert_eq!(code, 2, "{format}: {body}");
            let of_output = match format {
                "prometheus" => said.contains("stslint_broken_rules{domain=\"example.com\",rule=\"acme-a\"} 1"),
                _ => said.contains("rule-broken") && said.contains(reason),
            };
            assert!(of_output, "{format}: {body}\n{said}");
        }
        let (code, said) = run(&rule(body), &["check", "--snapshot", GOOD, "--rules", "r.yaml", "--format", "nagios"]);
        assert!(code != 0 && said.contains("rule-broken"), "{said}");
    }
    // Nobody can accept it away, and whoever switches the rule off is left in peace.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r.yaml"), rule(broken[0].0)).unwrap();
    let config = "include: [r.yaml]\nignore: [{ rule: '*', reason: r, until: 2099-01-01 }]\n";
    std::fs::write(folder.path().join("stslint.yaml"), config).unwrap();
    assert_eq!(stslint(folder.path(), &["check", "--snapshot", GOOD]).status.code(), Some(2));
    std::fs::write(folder.path().join("stslint.yaml"), "include: [r.yaml]\nrules: { acme-a: off }\n").unwrap();
    assert_eq!(stslint(folder.path(), &["check", "--snapshot", GOOD]).status.code(), Some(0));
    assert_eq!(stslint(folder.path(), &["explain", "rule-broken"]).status.code(), Some(0));
}

#[test]
fn a_rule_without_its_cases_is_not_proven() {
    let untested = rule("assert: policy.usable\nmessage: m");
    let (code, said) = run(&untested, &["rules", "test", "r.yaml"]);
    assert!(code == 1 && said.contains("acme-a has no passing and no failing case"), "{said}");
    assert_eq!(run(&untested, &["rules", "test", "--allow-untested", "r.yaml"]).0, 0);
    let half = rule("assert: policy.usable\nmessage: m\ntests: { pass: [{}] }");
    let (code, said) = run(&half, &["rules", "test", "r.yaml"]);
    assert!(code == 1 && said.contains("acme-a has no failing case"), "{said}");
    let both = rule("assert: policy.usable\nmessage: m\ntests: { pass: [{}], fail: [{ policy.body: x }] }");
    assert_eq!(run(&both, &["rules", "test", "r.yaml"]).0, 0, "{both}");
}

#[test]
fn every_file_is_yaml_1_2() {
    // `no` is Norway, and `y` and `on` are words.
    let text = rule(
        "params: { tlds: [eu, no, y, on, com] }\nfor_each: { host: mx.hosts }\nassert: public_suffix(host.name) in params.tlds\nmessage: \"{join(params.tlds, ' ')}\"\ntests: { pass: [{}, { mx.records.0.exchange: mx.example.no }], fail: [{ mx.records.0.exchange: mx.example.us }] }",
    );
    let (code, said) = run(&text, &["rules", "test", "r.yaml"]);
    assert_eq!(code, 0, "{said}");
    for (params, at) in
        [("[eu, true]", "strings and booleans"), ("[1, '2']", "numbers and strings"), ("[a, ~]", "strings and null")]
    {
        let body =
            format!("params: {{ list: {params} }}\nassert: \"size(params.list) > 0 && policy.usable\"\nmessage: m");
        let (code, said) = test(&body);
        assert!(code == 2 && said.contains(&format!("this holds {at}")) && said.contains("1 mistake "), "{said}");
    }
    let (code, said) = test("assert: \"policy.mode in ['enforce', 5]\"\nmessage: m");
    assert!(code == 2 && said.contains("a list holds values of one type"), "{said}");
    let snapshot = "snapshot: 1\ndomain: no\nrecord: { outcome: answer, records: [{ strings: [on] }] }\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.yaml"), snapshot).unwrap();
    let output = stslint(folder.path(), &["facts", "domain", "--snapshot", "s.yaml"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "domain = \"no\"\n");
}

#[test]
fn files_are_told_apart_by_their_path() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    let good = rule("assert: policy.usable\nmessage: m\ntests: { pass: [{}], fail: [{ policy.body: x }] }");
    std::fs::write(folder.path().join("rules/policy.yaml"), good).unwrap();
    let output = stslint(folder.path(), &["--no-config", "rules", "test", "rules/policy.yaml", "./rules/policy.yaml"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.starts_with("1 rule, 2 cases held, 0 did not"), "only the own rules: {said}");
    let output = stslint(folder.path(), &["--no-config", "rules", "show", "acme-a", "--rules", "rules/policy.yaml"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("assert: policy.usable"), "{output:?}");
    let output =
        stslint(folder.path(), &["--no-config", "rules", "show", "policy-mode", "--rules", "rules/policy.yaml"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("- id: policy-mode\n"), "{output:?}");
}
