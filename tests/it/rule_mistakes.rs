//! One mistake is one diagnostic: in its place, with its cure, and all mistakes of a file in one run.

use std::path::Path;
use std::process::Command;

fn said(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), said)
}

fn flat(said: &str) -> String {
    said.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

const HEAD: &str = "group: acme\nrules:\n  - id: acme-a\n    title: T\n    severity: error\n    cites: [X]\n";

fn rule(body: &str) -> String {
    let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
    format!("{HEAD}{body}")
}

const REST: &str = "    assert: policy.usable\n    message: m\n";

/// Exactly one diagnostic, at `place`, with this message and this help.
fn expect(text: &str, place: &str, message: &str, help: &str) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r.yaml"), text).unwrap();
    let (code, printed) = said(folder.path(), &["--no-config", "rules", "test", "--allow-untested", "r.yaml"]);
    let flat = flat(&printed);
    assert_eq!(code, 2, "{text}\n{printed}");
    for part in ["1 mistake in", &format!("[r.yaml:{place}]"), message, help] {
        assert!(flat.contains(part), "`{part}` is not in\n{printed}\nfor\n{text}");
    }
}

#[test]
fn what_breaks_the_yaml_is_told_once_with_its_cure() {
    let head = |from: &str, to: &str| HEAD.replace(from, to) + REST;
    for (text, place, message, help) in [
        (
            head("    severity", "   severity"),
            "5:4",
            "`severity` is indented less than the keys above it",
            "by 4 blanks",
        ),
        (
            head("    severity", "\u{a0}   severity"),
            "5:1",
            "this is U+00A0 (no-break space), not a space",
            "an ordinary space",
        ),
        (head("    severity", "      severity"), "5:7", "indented deeper", "alike"),
        (head("title:", "title\u{ff1a}"), "4:10", "this is U+FF1A (fullwidth colon), not `:`", "write `:`"),
        (head("title:", "ti\u{200b}tle:"), "4:7", "U+200B (zero-width space) cannot be seen here", "remove it"),
        (head("severity: error", "severity: warn"), "5:15", "unknown value `warn`", "did you mean `warning`?"),
        (head("severity: error", "severity: info"), "5:15", "unknown value `info`", "did you mean `note`?"),
        (head("severity: error", "severity: critical"), "5:15", "unknown value `critical`", "did you mean `error`?"),
        (
            format!("id: acme-a\ntitle: T\nseverity: error\ncites: [X]\n{}", REST.replace("    ", "")),
            "1:1",
            "this is a rule alone",
            "put `group: acme` and `rules:` above it",
        ),
        ("group: acme\nrules:\n".to_owned(), "2:1", "there is no rule in this file", "stslint rules new"),
        ("group: acme\nrules: []\n".to_owned(), "2:1", "there is no rule in this file", "stslint rules new"),
        (HEAD.replace("  - id", "    id") + REST, "3:5", "this is a key, where a list belongs", "`- `"),
        (
            rule("assert:policy.usable\nmessage: m"),
            "7:5",
            "a blank is missing after `assert:`",
            "write `assert: policy.usable`",
        ),
        (
            rule("assert: policy.usable &&\nrecord.usable\nmessage: m"),
            "8:5",
            "this line has no `key: value`",
            "indented deeper than its key",
        ),
        (
            rule("for_each { host: mx.hosts }\nassert: host.resolves\nmessage: m"),
            "7:5",
            "a `:` is missing after `for_each`",
            "write `for_each: { host: mx.hosts }`",
        ),
        (
            rule("for_each: mx.hosts\nsubject: '{host.name}'\nassert: host.resolves\nmessage: m {host.name}"),
            "7:15",
            "needs a name for each element",
            "write `for_each: { host: mx.hosts }`",
        ),
        (
            rule("for_each: h in mx.hosts\nassert: h.resolves\nmessage: m"),
            "7:15",
            "needs a name for each element",
            "write `for_each: { h: mx.hosts }`",
        ),
        (
            rule("for_each: { host: mx.hosts\nassert: host.resolves\nmessage: m"),
            "7:15",
            "this bracket is never closed",
            "close it",
        ),
        (
            rule("requires: policy-max-age\nassert: policy.max_age > 5\nmessage: m"),
            "7:15",
            "where a list belongs",
            "brackets",
        ),
        (
            rule("params: [a]\nassert: params.x == policy.mode\nmessage: m"),
            "7:13",
            "where a mapping belongs",
            "key: value",
        ),
        (
            rule("assert: record.text != \"a #1\"\nmessage: m"),
            "7:31",
            "YAML takes this for the beginning of a comment",
            "after `assert:` into quotes",
        ),
        (rule("assert: \"record.text.matches('^\\d{8}')\"\nmessage: m"), "7:36", "no such escape", "single quotes"),
    ] {
        expect(&text, place, message, help);
    }
}

#[test]
fn what_is_wrong_in_an_expression_or_a_text_is_told_once_with_its_cure() {
    for (body, place, message, help) in [
        ("assert: 'record.text.matches(\"^\\d{8}\")'\nmessage: m", "7:36", "`\\d` is not an escape", "`r\"^\\d{8}\"`"),
        (
            "assert: policy.mode ==\u{a0}\"enforce\"\nmessage: m",
            "7:27",
            "this is U+00A0 (no-break space)",
            "ordinary space",
        ),
        ("when: policy.max_age != null\nassert: policy.max_age ≥ 5\nmessage: m", "8:28", "U+2265", "write `>=`"),
        (
            "when: policy.max_age != null\nassert: policy.max_age > params.least\nmessage: m",
            "8:37",
            "there is no `params.least`",
            "add them, for example `params: { least: 1 }`",
        ),
        (
            "when: policy.max_age != null\nassert: policy.max_age > duration(\"7d\")\nmessage: m",
            "8:39",
            "needs an integer here",
            "",
        ),
        (
            "for_each: { mx.hosts: host }\nassert: host.resolves\nmessage: m",
            "7:17",
            "`mx.hosts` is not a name for an element",
            "`{ host: mx.hosts }`",
        ),
        (
            "for_each: { host: mx.hosts, probe: host.probes }\nassert: probe.tls.version == \"TLS1.3\"\nmessage: m",
            "8:34",
            "`probe.tls.version` is never \"TLS1.3\"",
            "did you mean \"TLSv1.3\"?",
        ),
        (
            "when: size(tlsrpt.rua) > 0\nassert: tlsrpt.rua[0].host != null && in_zone(tlsrpt.rua[1].host, \"a.b\")\nmessage: m",
            "8:51",
            "`null` where it is known to be absent",
            "write `tlsrpt.rua[1].host != null",
        ),
        (
            "assert: policy.usable\nmessage: \"{policy.mode|upper}\"",
            "8:27",
            "`|` is not an operator",
            "there are no filters",
        ),
        ("assert: policy.mode == “enforce”\nmessage: m", "7:28", "quote", "straight ones"),
        ("assert: record.text.matches(/^v/)\nmessage: m", "7:33", "between slashes", "as a text"),
        (
            "when: policy.max_age != null\nassert: 5 < policy.max_age < 10\nmessage: m",
            "8:13",
            "not chained",
            "`5 < policy.max_age && policy.max_age < 10`",
        ),
        (
            "assert: record.cname == null\nmessage: m",
            "7:20",
            "there is no `record.cname`",
            "did you mean `record.alias`?",
        ),
        ("assert: policy.usable\nmessage: \"mode {{policy.mode}}\"", "8:20", "doubled braces", "write `{policy.mode}`"),
        (
            "assert: policy.usable\nmessage: \"mode ${policy.mode}\"",
            "8:20",
            "this `$` stays in the text",
            "write `{policy.mode}`",
        ),
        ("assert: policy.usable\nmessage: \"x {policy}\"", "8:18", "`policy` is an object", "`{policy.mode}`"),
        (
            "assert: policy.usable\nmessage: \"x {mx.hosts}\"",
            "8:18",
            "a list of objects",
            "`{mx.hosts.map(x, x.name)}`",
        ),
        (
            "assert: policy.usable\nmessage: \"mode {policy.mode is bad\"",
            "8:20",
            "this brace has no partner",
            "`{expression}`",
        ),
    ] {
        expect(&rule(body), place, message, help);
    }
    // A written cure is right.
    let (folder, cured) =
        (tempfile::tempdir().unwrap(), rule("assert: policy.usable\nmessage: \"{mx.hosts.map(x, x.name)}\""));
    std::fs::write(folder.path().join("r.yaml"), cured).unwrap();
    assert_eq!(said(folder.path(), &["--no-config", "rules", "test", "--allow-untested", "r.yaml"]).0, 0);
}

#[test]
fn all_mistakes_are_told_in_one_run_whatever_their_kind() {
    let text = "group: acme\nrules:\n  - id: acme-a\n    title: T\n   severity: error\n    cites: [X]\n    asert: policy.usable\n    message: m {policy.moed}\n  - id: acme-b\n    title: x: y\n    severity: error\n    cites: [X]\n    assert: polcy.usable\n    message: m\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r.yaml"), text).unwrap();
    let (_, printed) = said(folder.path(), &["--no-config", "rules", "test", "r.yaml"]);
    let places: Vec<&str> = printed.lines().filter_map(|line| line.split("[r.yaml:").nth(1)).collect();
    assert_eq!(places, ["5:4]", "7:5]", "8:24]", "10:13]", "13:13]"], "{printed}");
}

#[test]
fn a_comment_sign_in_a_text_is_a_warning_and_a_comment_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let run = |body: &str| {
        std::fs::write(folder.path().join("r.yaml"), rule(body)).unwrap();
        said(folder.path(), &["--no-config", "rules", "test", "--allow-untested", "r.yaml"])
    };
    let (code, printed) = run("assert: policy.usable\nmessage: see ticket #12 for it");
    assert!(code == 0 && printed.contains("[r.yaml:8:25]") && printed.contains("the text ends before it"), "{printed}");
    for body in [
        "assert: policy.usable # as ACME-1 says\nmessage: m",
        "assert: policy.usable\nmessage: >-\n  see ticket #12\n  now",
    ] {
        let (code, printed) = run(body);
        assert!(code == 0 && !printed.contains("comment"), "{printed}");
    }
}

#[test]
fn cases_point_into_their_file_with_the_words_of_snapshots() {
    let folder = tempfile::tempdir().unwrap();
    let body =
        "assert: policy.usable\nmessage: m\ntests: { pass: [{ mx.hosts.0.name: a }, { policy.body: x }], fail: [{}] }";
    std::fs::write(folder.path().join("r.yaml"), rule(body)).unwrap();
    let (code, printed) = said(folder.path(), &["--no-config", "rules", "test", "r.yaml"]);
    let flat = flat(&printed);
    for part in [
        "[r.yaml:9:23]",
        "`mx.hosts.0.name` is a fact; a case changes the snapshot that it is read from: `mx.records.0.exchange`",
        "acme-a, passing case 2: should be one that passes, and fails: m",
        "acme-a, failing case 1: should be one that fails, and passes",
        "1 rule, 0 cases held, 3 did not",
    ] {
        assert!(flat.contains(part), "{part}\n{printed}");
    }
    assert_eq!(code, 2);
}

#[test]
fn a_configuration_says_where_an_option_belongs_and_lengthens_no_exception() {
    let folder = tempfile::tempdir().unwrap();
    let run = |text: &str| {
        std::fs::write(folder.path().join("stslint.yaml"), text).unwrap();
        let (code, printed) = said(folder.path(), &["config", "show"]);
        let (checked, of_check) = said(folder.path(), &["check", "example.com", "--offline"]);
        assert!(code != 0 || checked == 2, "{text}\n{printed}{of_check}");
        flat(&(printed + &of_check))
    };
    for (written, meant) in [
        ("31.12.2026", "2026-12-31"),
        ("01/02/2027", "2027-01-02"),
        ("2026/12/31", "2026-12-31"),
        ("31 Dec 2026", "2026-12-31"),
        ("2026-12-31T00:00:00Z", "2026-12-31"),
    ] {
        let printed = run(&format!("ignore: [{{ rule: '*', reason: r, until: {written} }}]\n"));
        assert!(printed.contains(&format!("write the day as YYYY-MM-DD: {meant}")), "{printed}");
    }
    let printed = run("helo: mail.example.com\n");
    assert!(printed.contains("[stslint.yaml:1:1]") && printed.contains("write `options: { helo: … }`"), "{printed}");
    let printed = run("options:\n  helo: a b\n");
    assert!(printed.contains("[stslint.yaml:2:9]") && printed.contains("not a host name"), "{printed}");
    let printed = run("options:\n  roots: none.pem\n");
    assert!(printed.contains("[stslint.yaml:2:10]") && printed.contains("none.pem"), "{printed}");
    let printed = run("rules: { policy-mode: critical }\n");
    assert!(printed.contains("did you mean `error`?"), "{printed}");
}
