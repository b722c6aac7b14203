//! Rules of an organisation's own, as a stranger writes them: each mistake points at the very characters and says
//! what to write, hostile files end soon and harm nothing, and the example of a whole repository holds.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

fn stslint(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

/// What `rules test` says of a rule file, in one line for each of its lines, and its exit code.
fn tested(text: &[u8]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r.yaml"), text).unwrap();
    let output = stslint(folder.path(), &["--no-config", "rules", "test", "r.yaml"]);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().expect("it ends by itself"), String::from_utf8(said).unwrap())
}

/// A file with one rule: what is behind its `cites`, from line 7 on.
fn rule(body: &str) -> String {
    let head = "group: acme\nrules:\n  - id: acme-a\n    title: T\n    severity: error\n    cites: [X]\n";
    let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
    format!("{head}{body}")
}

/// Without what the terminal's width decides.
fn flat(said: &str) -> String {
    said.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn expect(text: &str, place: &str, message: &str, help: &str) {
    let (code, said) = tested(text.as_bytes());
    let flat = flat(&said);
    assert_eq!(code, 2, "{text}\n{said}");
    for part in [&format!("[r.yaml:{place}]"), message, help] {
        assert!(flat.contains(part), "`{part}` is not told of\n{text}\nbut\n{said}");
    }
    for jargon in ["serde", "token recognition", "<EOF>", "expecting", "scalar", "ParseError", "stslint::text", "i64"] {
        assert!(!flat.contains(jargon), "`{jargon}` in\n{said}");
    }
}

#[test]
fn mistakes_of_yaml_point_at_their_place() {
    for (text, place, message, help) in [
        ("group: acme\nrules:\n\t- id: acme-a\n", "3:1", "a tab indents this line", "with blanks"),
        ("group: acme\nrules:\n  - id: acme-a\n\ttitle: x\n", "4:1", "a tab indents this line", "with blanks"),
        ("group: acme\nrules:\n  - id: acme-a\n     title: T\n", "4:6", "`title` is indented deeper", "alike"),
        ("group: acme\nrules:\n  - id: acme-a\n    title: \"T\n", "4:12", "quote is never closed", "close it"),
        ("group: acme\nrules:\n  - id: acme-a\n    title: T: U\n", "4:13", "a second `:`", "into quotes"),
        ("", "1:1", "there is nothing here", "stslint rules new"),
        ("- id: acme-a\n", "1:1", "this is a list, where a mapping belongs", "`group: …` and `rules:`"),
        ("group: acme\nrules:\n  acme-a:\n    title: T\n", "3:3", "this is a key, where a list belongs", "`- `"),
        ("group: acme\n", "1:1", "the key `rules` is missing", ""),
        ("group: acme\nrules: []\n---\ngroup: b\nrules: []\n", "4:1", "a second document", "one document"),
    ] {
        expect(text, place, message, help);
    }
    let (code, said) = tested(b"group: acme\nrules:\n  - id: acme-a\n    title: caf\xe9\n");
    assert!(code == 2 && flat(&said).contains("(0xE9 in line 4)"), "{said}");
}

#[test]
fn mistakes_of_rules_point_at_the_very_characters() {
    for (body, place, message, help) in [
        ("asert: policy.usable\nmessage: m", "7:5", "unknown key `asert`", "did you mean `assert`?"),
        ("assert: [policy.usable]\nmessage: m", "7:13", "this is a list, where a string belongs", "quotes"),
        ("assert: !policy.usable\nmessage: m", "7:13", "for a tag", "into quotes: \"!policy.usable\""),
        ("when: !policy.usable\nassert: record.usable\nmessage: m", "7:11", "for a tag", "into quotes"),
        ("assert: policy.usable\nmessage: {policy.mode} is wrong", "8:14", "where a string belongs", "quotes"),
        ("assert: polcy.usable\nmessage: m", "7:13", "there is no `polcy`", "did you mean `policy`?"),
        ("assert: lowercase(policy.body) == 'x'\nmessage: m", "7:13", "no function `lowercase`", "lower(text)"),
        ("assert: in_zone(domain)\nmessage: m", "7:13", "takes 2 arguments, not 1", "in_zone(host, domain)"),
        ("requires: [policy-max-age]\nassert: policy.max_age > \"1d\"\nmessage: m", "8:13", "no order", "86400"),
        ("assert: policy.mode\nmessage: m", "7:13", "where a boolean belongs", "compare it"),
        ("for_each: { x: policy.mode }\nassert: x == 'a'\nmessage: m", "7:20", "only a list", "stslint facts"),
        ("assert: policy.usable\nat: 1 + 2\nmessage: m", "8:9", "not a path to a fact", "policy.max_age"),
        ("assert: policy.usable\nmessage: 'a {policy.mode'", "8:17", "brace has no partner", "{{"),
        ("assert: policy.usable\nmessage: ''", "3:9", "has no `message`", "say what is wrong"),
        ("requires: [policy-max-aeg]\nassert: policy.usable\nmessage: m", "7:16", "no rule", "`policy-max-age`?"),
        ("requires: [acme-a]\nassert: policy.usable\nmessage: m", "7:16", "cannot come before itself", "take out"),
        ("assert: policy.body == “x”\nmessage: m", "7:28", "not allowed in an expression", "straight"),
        ("assert: policy.max_age + 5u > 7\nmessage: m", "7:30", "with `u`", "without the `u`"),
        ("assert: duration(5.5) == policy.body\nmessage: m", "7:22", "needs an integer", ""),
        ("assert: mx.hosts.al(h, h.resolves)\nmessage: m", "7:22", "no function `al`", "all(x, …)"),
        ("assert: policy.body == 5\nmessage: m", "7:13", "never equal", "in quotes"),
        ("assert: policy.version == 'éé' || policy.moed == 'x'\nmessage: m", "7:46", "policy.moed", "policy.mode"),
        (
            "params: { re: '(' }\nwhen: policy.body != null\nassert: policy.body.matches(params.re)\nmessage: m",
            "7:15",
            "unclosed group",
            "RE2",
        ),
        ("replaces: policy-moed\nassert: policy.usable\nmessage: m", "7:15", "no rule", "`policy-mode`?"),
        ("assert: record.outcome.matches('(a')\nmessage: m", "7:36", "unclosed group", "RE2"),
        ("assert: record.outcome.matches(record.outcome)\nmessage: m", "7:36", "is written out", "params"),
        ("assert: policy.mode = 'enforce'\nmessage: m", "7:25", "`=` is not an operator", "write `==`"),
        ("assert: policy.usable and record.usable\nmessage: m", "7:27", "`and` is not an operator", "write `&&`"),
        ("assert: not policy.usable\nmessage: m", "7:13", "`not` is not an operator", "write `!`"),
        ("assert: policy.usable &&\nmessage: m", "7:28", "ends too early", "missing"),
        ("assert: (policy.usable\nmessage: m", "7:13", "this `(` is never closed", "close it"),
        ("assert: policy.mode == \"enforce\nmessage: m", "7:28", "quote is never closed", "close it"),
        ("assert: mx.hosts.all(h => h.covered)\nmessage: m", "7:28", "`=>` is not an operator", "comma"),
        ("assert: mx.hosts.any(h, h.resolves)\nmessage: m", "7:22", "no function `any`", "mx.hosts.exists(x, …)"),
        ("assert: mx.hosts[0].nam == 'x'\nmessage: m", "7:25", "no `mx.hosts[…].nam`", "did you mean `name`?"),
        ("assert: mx.hosts.length > 1\nmessage: m", "7:22", "has no `.length`", "size(mx.hosts)"),
        ("assert: policy.usable == 'true'\nmessage: m", "7:13", "never equal", "without quotes"),
        ("assert: policy.usable\nforbid: { a: mx.hosts }\nmessage: m", "3:9", "both `assert` and", "keep one"),
        ("message: m", "3:9", "neither `assert` nor", "assert: …"),
        ("assert: policy.usable\nmessage: \"a\\e[2Jb\"", "8:14", "control character", "read"),
        (
            "assert: policy.usable\nfix: { replace: policy.mode, with: x, safe: maybe }\nmessage: m",
            "8:49",
            "neither `true` nor",
            "write `true`",
        ),
        (
            "assert: >-\n  policy.usable\n  && record.usabel\nmessage: m",
            "9:17",
            "no `record.usabel`",
            "`record.usable`?",
        ),
    ] {
        expect(&rule(body), place, message, help);
    }
}

#[test]
fn a_weaker_rule_cannot_be_named_to_hide_a_stronger_one() {
    let pair = |weaker: &str, key: &str| {
        format!(
            "group: acme\nrules:\n  - {{ id: a, title: T, severity: {weaker}, cites: [X], assert: policy.usable, message: m }}\n  \
             - id: b\n    title: T\n    severity: error\n    cites: [X]\n    {key}: [a]\n    assert: policy.usable\n    message: m\n"
        )
    };
    expect(
        &pair("warning", "after"),
        "8:13",
        "`a` is never more than a warning, and cannot hide this error",
        "severity_if",
    );
    expect(
        &pair("note", "after"),
        "8:13",
        "`a` is a note, and a note hides no other finding",
        "`when` and `otherwise`",
    );
    expect(&pair("note", "requires"), "8:16", "`a` is a note", "`when` and `otherwise`");
    for (severity, key) in [("error", "after"), ("warning", "requires")] {
        let said = tested(pair(severity, key).as_bytes()).1;
        assert!(!said.contains("hide"), "{said}");
    }
}

#[test]
fn ids_and_circles_are_told_once_with_their_places() {
    let named = |id: &str, requires: &str| {
        format!(
            "  - id: {id}\n    title: T\n    severity: error\n    cites: [X]\n    requires: [{requires}]\n    assert: policy.usable\n    message: m\n"
        )
    };
    let circle = format!("group: acme\nrules:\n{}{}{}", named("a", "b"), named("b", "c"), named("c", "a"));
    expect(&circle, "7:16", "`a` requires `b`, which requires `c`, which requires `a`: a circle", "take out one");
    assert!(tested(circle.as_bytes()).1.contains("1 mistake "));
    let twice = format!("group: acme\nrules:\n{}{}", named("a", ""), named("a", ""));
    expect(&twice, "10:9", "the id `a` is taken, in r.yaml:3", "choose another");
    let built_in = format!("group: Acme Corp\nrules:\n{}", named("policy-mode", ""));
    expect(&built_in, "3:9", "taken, by a built-in rule", "`replaces: policy-mode`");
    expect(&built_in, "1:8", "`Acme Corp` is not a valid name for a group", "kebab-case");
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let text = "group: acme\nrules:\n  - id: acme-a\n    titel: T\n    severity: fatal\n    assert: policy.moed == 'x'\n    message: \"{foo}\"\n  - id: acme-b\n    title: T\n    severity: error\n    cites: [X]\n    assert: record.usabel\n    message: \"{unclosed\"\n    help: \"}\"\n";
    let (code, said) = tested(text.as_bytes());
    let places: Vec<&str> = said.lines().filter_map(|line| line.split("[r.yaml:").nth(1)).collect();
    assert_eq!(places, ["4:5]", "5:15]", "6:20]", "7:16]", "12:20]", "13:15]", "14:12]"], "{said}");
    assert_eq!(code, 2);
}

#[test]
fn cases_that_cannot_be_made_are_mistakes_of_the_file() {
    for (case, said) in [
        ("policy.bdy: x", "did you mean `body`?"),
        ("policy.body: 5", "where a string"),
        ("foo.bar: 1", "has no `foo` there"),
        ("snapshot: ../../etc/passwd", "does not lie beside the rule file"),
        ("snapshot: /dev/zero", "does not lie beside the rule file"),
        ("snapshot: no.yaml", "there is no file `no.yaml`"),
    ] {
        let text = rule(&format!("assert: policy.usable\nmessage: m\ntests:\n  pass: [{{}}]\n  fail:\n    - {case}"));
        let (code, printed) = tested(text.as_bytes());
        assert!(
            code == 2
                && printed.contains("[r.yaml:12:")
                && printed.contains("acme-a, failing case 1")
                && flat(&printed).contains(said),
            "{case}: {printed}"
        );
    }
}

#[test]
fn hostile_files_end_soon_and_move_no_cursor() {
    let numbers = |count: usize| format!("[{}]", vec!["0"; count].join(","));
    let many = |count: usize, fact: &str| {
        let one = |n: usize| {
            format!(
                "  - id: a{n}\n    title: T\n    severity: error\n    cites: [X]\n    requires: [a{}]\n    assert: {fact}\n    message: m\n",
                (n + 1) % count
            )
        };
        format!("group: acme\nrules:\n{}", (0..count).map(one).collect::<String>())
    };
    let bomb: String = ('b'..='i').fold("a: &a [x,x,x]\n".to_owned(), |text, c| {
        let before = char::from(c as u8 - 1);
        format!("{text}{c}: &{c} [{}]\n", vec![format!("*{before}"); 9].join(","))
    });
    let lists = numbers(380);
    let files: Vec<(String, &str)> = vec![
        (bomb + "group: acme\nrules: []\n", "unknown key"),
        (format!("group: {}", "[".repeat(100_000)), "belongs"),
        (format!("group: {}", "{a: ".repeat(50_000)), "belongs"),
        (rule(&format!("assert: \"{}true{}\"\nmessage: m", "(".repeat(1900), ")".repeat(1900))), "in a row"),
        (rule(&format!("assert: \"{}true\"\nmessage: m", "!".repeat(4000))), "in a row"),
        (rule(&format!("assert: {}\nmessage: m", vec!["policy.usable"; 800].join(" || "))), "octets"),
        (
            rule(&format!("assert: \"{lists}.all(a, {lists}.all(b, {lists}.all(c, true)))\"\nmessage: m")),
            "54872000 steps",
        ),
        (rule(&format!("params: {{ big: {} }}\nassert: policy.usable\nmessage: m", numbers(9000))), "params of a rule"),
        (
            rule("for_each: { a: mx.hosts, b: mx.hosts, c: mx.hosts, d: mx.hosts }\nassert: a.resolves\nmessage: m"),
            "3 lists",
        ),
        (rule("assert: record.outcome.matches('a{100}{100}{100}')\nmessage: m"), "repeat more than"),
        (rule("assert: record.outcome.matches('(?=x)')\nmessage: m"), "look-around"),
        (rule("assert: 99999999999999999999 > 0\nmessage: m"), "does not belong here"),
        (
            format!(
                "group: acme\nrules: [{{ id: a-b, title: T, severity: error, cites: [X], message: {}, assert: policy.nope }}]\n",
                "x".repeat(100_000)
            ),
            "[r.yaml:2:100085]",
        ),
        (many(5_001, "policy.usable"), "more than 5000 rules"),
        (many(900, "policy.usable"), "more than 64 others"),
        (many(60, "policy.usabel"), "there may be more"),
        (rule("assert: mx.hosts[-1].resolves\nmessage: m\ntests: { pass: [{}] }"), "cannot be evaluated"),
        (
            rule("requires: [policy-max-age]\nassert: policy.max_age / 0 > 1\nmessage: m\ntests: { pass: [{}] }"),
            "cannot be evaluated",
        ),
        (
            rule(
                "requires: [policy-max-age]\nassert: policy.max_age + 9223372036854775807 > 1\nmessage: m\ntests: { pass: [{}] }",
            ),
            "cannot be evaluated",
        ),
        (
            "group: \"a\\e[2J\"\nrules:\n  - id: \"a\\e[2J\\u202e\"\n    title: \"\\e[2J\"\n    \"k\\e[2J\": 1\n"
                .to_owned(),
            "is not a valid id",
        ),
    ];
    for (text, word) in files {
        let start = Instant::now();
        let (code, said) = tested(text.as_bytes());
        let beginning: String = text.chars().take(200).collect();
        assert!((1..=2).contains(&code), "{beginning}: {code}: {said}");
        assert!(flat(&said).contains(word), "`{word}` is not told of {beginning}: {said}");
        assert!(!said.contains(['\u{1b}', '\u{202e}']), "{beginning}");
        // Generous: the machine that tests may be busy. Without a bound these would run for minutes.
        assert!(start.elapsed() < Duration::from_secs(20), "{beginning}: {:?}", start.elapsed());
    }
}

#[test]
fn hostile_rules_over_hostile_facts_are_not_checked_and_stop_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let rule = |id: &str, each: &str, assert: &str| {
        format!(
            "  - id: {id}\n    title: T\n    severity: error\n    cites: [X]\n{each}    when: policy.body != null\n    assert: {assert}\n    message: \"{{policy.fields.filter(a, policy.fields.exists(b, b.name == 'q')).map(a, a.name)}}\"\n    tests: {{ pass: [{{}}] }}\n"
        )
    };
    let rules = [
        rule(
            "acme-deep",
            "",
            "policy.fields.all(a, policy.fields.all(b, policy.fields.all(c, a.name + b.name != c.name)))",
        ),
        rule("acme-each", "    for_each: { pattern: policy.mx }\n", "policy.mx.all(b, b.text != pattern.text + 'x')"),
        rule("acme-large", "", "size(policy.fields.map(a, policy.body + policy.body)) == 0"),
        rule("acme-equal", "", "policy.fields.all(a, policy.fields.map(b, b.name) == policy.fields.map(b, b.name))"),
        rule("acme-regex", "", "policy.fields.all(a, !policy.body.matches('([a-z0-9]|[^x]){1,100}q$'))"),
        rule("acme-calm", "", "policy.mode == 'enforce'"),
    ];
    let mut policy = "version: STSv1\nmode: enforce\nmax_age: 604800\n".to_owned();
    (0..3_400).for_each(|number| policy.push_str(&format!("mx: mx{number}.example\n")));
    std::fs::write(folder.path().join("r.yaml"), format!("group: acme\nrules:\n{}", rules.concat())).unwrap();
    std::fs::write(folder.path().join("mta-sts.txt"), policy).unwrap();
    let start = Instant::now();
    let output = stslint(
        folder.path(),
        &["check", "--no-config", "--rules", "r.yaml", "--policy", "mta-sts.txt", "--format", "json"],
    );
    // Generous: the machine that tests may be busy. Without a bound the first alone would run for years.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for check in report["results"][0]["checks"].as_array().unwrap() {
        let rule = check["rule"].as_str().unwrap();
        let reason = check["reason"].as_str().unwrap_or_default();
        match rule {
            "acme-calm" => assert_eq!(check["outcome"], "pass"),
            _ if rule.starts_with("acme-") => {
                assert_eq!(check["outcome"], "not_checked", "{rule}");
                assert_eq!(reason, "the rule took more than 500000 steps over the facts of this domain", "{rule}");
            }
            _ => assert!(!reason.contains("steps"), "{rule}: {reason}"),
        }
    }
}

#[test]
fn the_example_of_a_whole_repository_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let said = |arguments: &[&str]| {
        let output = stslint(root, arguments);
        (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, text) = said(&["--no-config", "rules", "test", "examples/acme/rules"]);
    assert!(code == 0 && text.contains(" 0 did not") && !text.contains("has no"), "{text}");
    let configured = ["--config", "examples/acme/stslint.yaml"];
    let (code, text) = said(&[&configured[..], &["rules", "test"]].concat());
    assert!(code == 0 && text.contains(" 0 did not"), "{text}");
    for (fixture, wanted, ids) in [("perfect", 0, vec![]), ("testing", 1, vec!["acme-mode"])] {
        let snapshot = format!("fixtures/{fixture}/snapshot.yaml");
        let (code, text) =
            said(&[&configured[..], &["check", "--snapshot", &snapshot, "--format", "concise"]].concat());
        let found: Vec<&str> = text.lines().filter_map(|line| line.split(['[', ']']).nth(1)).collect();
        assert_eq!((code, found), (wanted, ids), "{text}");
    }
}

#[test]
fn what_findings_take_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut good: serde_json::Value =
        serde_yaml::from_str(&std::fs::read_to_string("fixtures/good/snapshot.yaml").unwrap()).unwrap();
    good["policy"]["body"] = "mx: mail.example.com\n".repeat(2_000).into();
    std::fs::write(folder.path().join("big.json"), good.to_string()).unwrap();
    let mut rules = "group: acme\nrules:\n".to_owned();
    for number in 0..300 {
        rules.push_str(&format!(
            "  - {{id: acme-a{number}, title: T, severity: error, cites: [X], forbid: {{f: policy.fields}}, \
             message: '{{policy.body}}{{policy.body}}'}}\n"
        ));
    }
    std::fs::write(folder.path().join("r.yaml"), rules).unwrap();
    let args = ["--no-config", "check", "--snapshot", "big.json", "--rules", "r.yaml", "--select", "acme"];
    let output = stslint(folder.path(), &[&args[..], &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let summary = &report["results"][0]["summary"];
    let errors = summary["errors"].as_u64().unwrap();
    // 5,000,000 steps for the domain, 100 and more for each finding.
    assert!((20_000..50_000).contains(&errors), "{summary}");
    assert!(summary["not_checked"].as_u64().unwrap() > 200, "{summary}");
}
