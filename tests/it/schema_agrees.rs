//! What the published schemas accept and what the program accepts is the same, but for what no JSON Schema can say.
//!
//! Judged are the broken files of `tests/broken`, which the program refuses, and variations of the sound ones there, which
//! it takes.

use std::process::Command;

use jsonschema::Validator;
use serde_json::Value;

use crate::broken::{FOLDER, Row, rows, said};

/// What the program says of a file that a schema takes: of expressions, of texts with values in them, of names that other
/// files or other parts of the file have, of sums and times, of what is on this machine, of the form of YAML itself.
const BEYOND_SCHEMAS: [&str; 78] = [
    // Expressions, and what they ask for.
    "there is no `",
    "is not an operator",
    "is not an escape",
    "never closed",
    "closes nothing",
    "ends too early",
    "is never",
    "looks into a list",
    "a boolean belongs",
    "not a valid regular expression",
    "U+2265",
    "U+200B",
    "no order",
    "not a number",
    "not chained",
    "`null`",
    "there is no function",
    "has no `.",
    "has no `:`",
    "takes 1 argument",
    "has no size",
    "written after its list",
    "not a network",
    "not a path to a fact",
    "a path, and no text",
    "cannot be compared",
    "nothing asks how",
    "never equal",
    "only a list",
    "an expression",
    "already means something",
    "the beginning of a comment",
    "`=`",
    "`and`",
    "`or`",
    "`not`",
    "quote",
    "a string, not a list",
    // Texts with values in them.
    "no partner",
    "doubled braces",
    "stays in the text",
    "is an object",
    "a list of objects",
    "between these braces",
    // Names that other parts and other files have.
    "there is no group",
    "there is no rule",
    "is taken",
    "before itself",
    "has no value",
    // What an expression computes.
    "never be evaluated",
    "never matches",
    "beyond its number",
    "takes 2 arguments",
    "is called `retail`",
    "over",
    "is a note",
    "no rule matches",
    "gives the tag",
    // Values beside each other.
    "has a range",
    "may be",
    "or more",
    "holds strings and numbers",
    // Cases, which are changes to a snapshot.
    "a snapshot has no",
    "is a fact",
    "or `absent`",
    "where an integer belongs",
    "begins with the number",
    "in the good",
    "from 0 to 2",
    // Files and names of this machine and of the net.
    "cannot read",
    "is not allowed in a domain",
    "there is no file",
    "not a resolver",
    "not a host name",
    "2999-02-30",
    // The form of YAML.
    "twice",
    "second",
    "tag",
];
fn options() -> serde_yaml::Options {
    let mut options = serde_yaml::Options::default();
    options.strict_booleans = true;
    options.duplicate_keys = serde_yaml::DuplicateKeyPolicy::LastWins;
    options
}

fn parsed(text: &str) -> Option<Value> {
    serde_yaml::from_str_with_options(text, options()).ok()
}

fn schema(kind: &str) -> Validator {
    let output = Command::new(assert_cmd::cargo::cargo_bin("stslint")).args(["schema", kind]).output().unwrap();
    jsonschema::draft202012::new(&serde_json::from_slice(&output.stdout).unwrap()).unwrap()
}

fn sound(name: &str) -> String {
    std::fs::read_to_string(format!("{FOLDER}/{name}.yaml")).unwrap()
}

#[test]
fn what_the_program_refuses_a_schema_refuses_as_far_as_it_can() {
    for (table, kind, least) in [("rules", "rules", 70), ("configurations", "config", 35)] {
        let schema = schema(kind);
        let mut refused = 0;
        let mut taken = Vec::new();
        for Row(base, from, to, _, told, _) in rows(table) {
            let broken = if base == "none" { to.clone() } else { sound(&base).replacen(&from, &to, 1) };
            // What is no YAML, no schema sees.
            let Some(value) = parsed(&broken) else { continue };
            if !schema.is_valid(&value) {
                refused += 1;
                continue;
            }
            if !BEYOND_SCHEMAS.iter().any(|words| told.contains(words)) {
                taken.push(format!("{to:?}: {told}"));
            }
        }
        assert!(taken.is_empty(), "the schema takes what the program refuses:\n{}", taken.join("\n"));
        assert!(refused >= least, "{table}: only {refused} are refused by the schema");
    }
}

/// Changes to a sound file that leave it sound.
const OF_RULES: [(&str, &str, &str); 36] = [
    ("block", "severity: error", "severity: note"),
    ("block", "severity: error", "severity: remark"),
    ("block", "severity: error", "severity: \"warning\""),
    ("block", "cites: [ACME-SEC-12]", "cites: [RFC 8461 §3.2, \"ACME: 5\"]"),
    ("block", "ranges: { seconds: { at_least: 86400 } }", "ranges: { seconds: { at_most: 31557600 } }"),
    ("block", "ranges: { seconds: { at_least: 86400 } }", "ranges: {}"),
    (
        "block",
        "params: { seconds: 1209600 }",
        "params: { seconds: 1209600, on: true, part: 0.5, list: [], map: { a: 1 } }",
    ),
    ("block", "otherwise: the policy is not enforced", "why: The standard says so."),
    ("block", "requires: [policy-max-age]", "requires: [policy-max-age]\n    after: [policy-syntax]"),
    ("block", "at: policy.max_age", "at: policy"),
    ("block", "    help: \"Write `max_age: {params.seconds}`.\"\n", ""),
    ("block", "    help: \"Write `max_age: {params.seconds}`.\"\n", "    replaces: policy-max-age-short\n"),
    ("block", "    at: host\n", "    at: host\n    together: true\n"),
    ("block", "severity: error", "severity: error\n    confidence: deduced"),
    ("block", "severity: error", "severity: error\n    since: 1.2.0"),
    ("block", "severity: error", "severity: error\n    formerly: [acme-before]"),
    ("block", "    at: host\n", "    also: [{ at: host.name, label: here, when: host.resolves }]\n"),
    ("block", "    at: host\n", "    severity_if: [{ when: policy.usable, severity: error }]\n"),
    ("block", "    at: host\n", "    cites_if: [{ when: policy.usable, cites: [X] }]\n"),
    ("block", "    at: host\n", "    reported_as: validation-failure\n"),
    ("block", "    at: host\n", "    reported_as_if: [{ when: policy.usable, reported_as: sts-policy-invalid }]\n"),
    (
        "block",
        "    at: host\n",
        "    fix: { replace: policy.max_age, with: \"60\", safe: true, when: policy.usable }\n",
    ),
    ("block", "for_each: { host: mx.hosts }", "for_each: { host: mx.hosts, probe: host.probes }"),
    ("block", "pass: [{}]", "pass: [{ policy: absent }]"),
    ("block", "pass: [{}]", "pass: [{ mx.outcome: timeout }]"),
    ("block", "pass: [{}]", "pass: [{ mx.dnssec: insecure, record.outcome: null }]"),
    ("block", "pass: [{}]", "pass: [{ mx_hosts.0.probes.0.tls.trust.verdict: self_signed }]"),
    ("block", "pass: [{}]", "pass: [{ collection.dnssec: off }]"),
    ("block", "pass: [{}]", "not_applicable: [{ tags: [core] }]"),
    ("block", "pass: [{}]", "not_checked: [{ policy: null }]"),
    ("block", "group: acme\n", "group: acme\nabout: Our rules.\nwhen: mx.receives_mail\notherwise: it takes no mail\n"),
    ("flow", "severity: error", "severity: warning"),
    ("flow", "tests: { pass: [{}], ", "tests: { "),
    ("domains", "over: domains", "over: domains\nabout: Together."),
    ("domains", "{ 1.tlsrpt.text:", "{ 1.mx.outcome: nodata, 1.tlsrpt.text:"),
    ("report", "over: report", "over: report\nabout: Of each."),
];

const OF_CONFIGURATIONS: [(&str, &str); 44] = [
    ("extends: strict", "extends: recommended"),
    ("extends: strict", "extends: minimal"),
    ("extends: strict", "extends: uk-gov"),
    ("extends: strict", "extends: [au-ism, strict]"),
    ("extends: strict\n", ""),
    ("include: [block.yaml]", "include: block.yaml"),
    ("include: [block.yaml]", "include: [./block.yaml]"),
    ("dane: off", "dane: note"),
    ("dane: off", "dane: \"off\""),
    ("dane: off", "dane: false"),
    ("policy-enforced: warning", "policy-enforced: remark"),
    ("policy-enforced: warning", "policy-enforced: { severity: off }"),
    ("policy-enforced: warning", "policy-enforced: {}"),
    ("minimum: 2419200", "minimum: 0"),
    ("rule: smtp-tls", "rule: \"smtp-*\""),
    ("rule: smtp-tls", "group: smtp"),
    ("domain: \"*.example.com\"", "subject: mx1.example.com"),
    ("domain: \"*.example.com\"", "domain: bücher.example"),
    ("names: [bank.example, \"*.bank.example\"]", "names: bank.example"),
    ("tags: [core]", "tags: core"),
    ("  - tagged: [core]", "  - tagged: core"),
    ("  - name: retail\n    names", "  - names"),
    ("    extends: strict\n    rules", "    extends: [minimal, strict]\n    groups: { dane: off }\n    rules"),
    ("fail_on: warning", "fail_on: never"),
    ("format: concise", "format: human"),
    ("format: concise", "format: github"),
    ("format: concise", "format: gitlab"),
    ("format: concise", "format: json"),
    ("format: concise", "format: jsonl"),
    ("format: concise", "format: sarif"),
    ("format: concise", "format: junit"),
    ("format: concise", "format: markdown"),
    ("format: concise", "format: html"),
    ("format: concise", "format: nagios"),
    ("format: concise", "format: prometheus"),
    ("timeout: 5", "timeout: 0.5"),
    ("timeout: 5", "deadline: 30"),
    ("timeout: 5", "smtp: false"),
    ("timeout: 5", "require_complete: true"),
    ("timeout: 5", "dnssec: off"),
    ("timeout: 5", "dnssec: trust-ad"),
    ("timeout: 5", "resolver: tls://9.9.9.9#dns.quad9.net"),
    ("timeout: 5", "helo: mail.example.com"),
    ("timeout: 5", "roots: system"),
];

#[test]
fn what_the_program_takes_a_schema_takes() {
    let (of_rules, of_configurations) = (schema("rules"), schema("config"));
    let mut refused = Vec::new();
    let all = OF_RULES.into_iter().map(|(base, from, to)| (base, from, to, &of_rules));
    let all = all.chain(OF_CONFIGURATIONS.into_iter().map(|(from, to)| ("stslint", from, to, &of_configurations)));
    for (base, from, to, schema) in all {
        let text = sound(base);
        assert!(text.contains(from), "{from}");
        let text = text.replacen(from, to, 1);
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(format!("{FOLDER}/block.yaml"), folder.path().join("block.yaml")).unwrap();
        let name = format!("{base}.yaml");
        std::fs::write(folder.path().join(&name), &text).unwrap();
        let arguments: &[&str] = match base {
            "stslint" => &["config", "show"],
            _ => &["--no-config", "rules", "test", "--allow-untested", "FILE"],
        };
        let (code, printed) = said(folder.path(), arguments, &name);
        // A case may fail over the change; a mistake of the file would be 2.
        assert_ne!(code, 2, "{to:?}: {printed}");
        let value = parsed(&text).unwrap();
        let errors: Vec<String> =
            schema.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        refused.extend(errors.into_iter().map(|error| format!("{to:?}: {error}")));
    }
    assert!(refused.is_empty(), "the schema refuses what the program takes:\n{}", refused.join("\n"));
}
