//! The configuration from outside: found, judged, in force, and shown.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A folder with files in it, and stslint run inside.
struct Folder(TempDir);

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Folder {
    fn of(files: &[(&str, &str)]) -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, text)| folder.write(name, text));
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_in("", args)
    }

    fn run_in(&self, inner: &str, args: &[&str]) -> Ran {
        let mut command = Command::cargo_bin("stslint").unwrap();
        command.args(args).current_dir(self.path(inner)).env("NO_COLOR", "1").env("LC_ALL", "C.UTF-8");
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    fn check(&self, args: &[&str]) -> Ran {
        let testing = fixture("testing");
        let all: Vec<&str> = ["check", "--snapshot", &testing].iter().chain(args).copied().collect();
        self.run(&all)
    }

    fn report(&self, args: &[&str]) -> Value {
        let all: Vec<&str> = args.iter().chain(&["--format", "json"]).copied().collect();
        let ran = self.check(&all);
        let json: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err));
        json["results"][0].clone()
    }

    fn shown(&self, args: &[&str]) -> Value {
        let all: Vec<&str> = ["config", "show", "--format", "json"].iter().chain(args).copied().collect();
        let ran = self.run(&all);
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err))
    }
}

fn fixture(name: &str) -> String {
    let path = Path::new("fixtures").join(name).join("snapshot.yaml");
    path.canonicalize().unwrap().to_str().unwrap().to_owned()
}

fn failing(report: &Value) -> Vec<String> {
    let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["outcome"] == "fail");
    checks.map(|check| format!("{} {}", check["severity"].as_str().unwrap(), check["rule"].as_str().unwrap())).collect()
}

#[test]
fn the_nearest_file_counts_and_can_be_named_or_left_out() {
    let folder = Folder::of(&[
        ("stslint.yaml", "rules: { policy-enforced: error }\n"),
        ("a/b/c/empty.txt", ""),
        ("a/near/stslint.yaml", "rules: { policy-enforced: off }\n"),
        ("other.yaml", "rules: { policy-enforced: warning }\n"),
    ]);
    let testing = fixture("testing");
    let run = |inner: &str, more: &[&str]| {
        let args: Vec<&str> =
            ["check", "--snapshot", &testing, "--format", "concise"].iter().chain(more).copied().collect();
        folder.run_in(inner, &args).out.split_whitespace().nth(1).map(str::to_owned)
    };
    assert_eq!(run("", &[]).as_deref(), Some("error[policy-enforced]"));
    assert_eq!(run("a/b/c", &[]).as_deref(), Some("error[policy-enforced]"));
    assert_eq!(run("a/near", &[]), None);
    assert_eq!(run("a/near", &["--config", "../../other.yaml"]).as_deref(), Some("warning[policy-enforced]"));
    assert_eq!(run("a", &["--no-config"]).as_deref(), Some("note[policy-enforced]"));
    assert_eq!(folder.run_in("a/b/c", &["config", "show"]).out.lines().nth(1), Some("- ../../../stslint.yaml"));
    assert_eq!(folder.check(&["--config", "no-such.yaml"]).code, 2);
    assert_eq!(folder.check(&["--config", "a"]).code, 2);
    assert_eq!(folder.check(&["--config", "other.yaml", "--no-config"]).code, 2);
}

#[test]
fn profiles_files_groups_and_rules_win_in_this_order() {
    let folder = Folder::of(&[
        ("stslint.yaml", "extends: [strict, conf/base.yaml]\nrules: { tlsrpt-ttl: error }\n"),
        ("conf/base.yaml", "extends: ./deeper.yaml\ngroups: { tlsrpt: note }\nrules: { tlsrpt-dnssec: warning }\n"),
        ("conf/deeper.yaml", "rules: { tlsrpt-dnssec: error, policy-enforced: off }\n"),
    ]);
    let shown = folder.shown(&[]);
    let severity = |rule: &str| {
        let severity = &shown["rules"][rule]["severity"];
        format!("{} {}", severity["value"].as_str().unwrap_or("-"), severity["from"].as_str().unwrap_or("-"))
    };
    assert_eq!(severity("tlsrpt-ttl"), "error stslint.yaml:2");
    assert_eq!(severity("tlsrpt-dnssec"), "warning conf/base.yaml:3");
    assert_eq!(severity("tlsrpt-rua"), "note conf/base.yaml:2");
    assert_eq!(severity("policy-enforced"), "off conf/deeper.yaml:1");
    assert_eq!(severity("policy-reporting"), "error strict profile");
    assert_eq!(severity("record-id"), "- -");
    assert_eq!(
        shown["configurations"],
        serde_json::json!(["strict profile", "conf/deeper.yaml", "conf/base.yaml", "stslint.yaml"])
    );
}

#[test]
fn params_and_severities_change_the_report() {
    let folder = Folder::of(&[(
        "stslint.yaml",
        "rules:\n  policy-max-age-short: { params: { minimum: 1209601 } }\n  policy-enforced: warning\n",
    )]);
    let report = folder.report(&[]);
    assert_eq!(failing(&report), ["warning policy-max-age-short", "warning policy-enforced"]);
    assert_eq!(folder.check(&["--fail-on", "error"]).code, 0);
    assert!(folder.run(&["rules", "list"]).out.contains("policy-enforced           warning "));
    let explained = folder.run(&["explain", "policy-max-age-short"]).out;
    assert!(explained.contains("`params.minimum`: 1209601"), "{explained}");
    folder.write("stslint.yaml", "groups: { policy: off }\n");
    assert_eq!(failing(&folder.report(&[])), [] as [&str; 0]);
    assert_eq!(failing(&folder.report(&["--select", "policy-enforced"])), ["note policy-enforced"]);
    assert!(folder.run(&["rules", "list"]).out.contains("policy-enforced           off "));
}

#[test]
fn a_rule_that_is_off_still_decides_for_those_that_require_it() {
    let folder = Folder::of(&[("stslint.yaml", "rules: { policy-mode: off }\n")]);
    std::fs::write(folder.path("p.txt"), "version: STSv1\nmode: enforced\nmx: a.example\nmax_age: 86400\n").unwrap();
    let ran = folder.run(&["check", "--policy", "p.txt", "--format", "json"]);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    let checks = json["results"][0]["checks"].as_array().unwrap();
    assert!(!checks.iter().any(|check| check["rule"] == "policy-mode"));
    let short = checks.iter().find(|check| check["rule"] == "policy-max-age-short").unwrap();
    assert_eq!(short["reason"], "follows from `policy-mode`, which failed");
}

#[test]
fn ignored_findings_leave_a_trace_and_expired_entries_are_findings() {
    let entry = "ignore:\n- rule: policy-enforced\n  domain: '*.EXAMPLE'\n  reason: moving\n  until: 2999-12-31\n";
    let folder = Folder::of(&[("stslint.yaml", entry)]);
    let report = folder.report(&["--fail-on", "note"]);
    assert_eq!(failing(&report), [] as [&str; 0]);
    assert_eq!(report["summary"]["ignored"], 1);
    assert_eq!(report["summary"]["notes"], 0);
    let ignored = &report["ignored"][0];
    assert_eq!(
        (&ignored["rule"], &ignored["reason"], &ignored["until"], &ignored["by"]),
        (&"policy-enforced".into(), &"moving".into(), &"2999-12-31".into(), &"stslint.yaml:2".into())
    );
    let human = folder.check(&[]).out;
    assert!(human.contains("note policy-enforced: moving (until 2999-12-31, stslint.yaml:2)"), "{human}");
    assert_eq!(failing(&folder.report(&["--no-ignores"])), ["note policy-enforced"]);

    // A rule can be a pattern too, of at least one rule.
    folder.write("stslint.yaml", &entry.replace("policy-enforced", "policy-en*"));
    assert_eq!(folder.report(&[])["summary"]["ignored"], 1);
    folder.write("stslint.yaml", &entry.replace("policy-enforced", "record-en*"));
    assert_eq!(folder.check(&[]).code, 2);
    assert!(folder.check(&[]).err.contains("no rule matches `record-en*`"));
    folder.write("stslint.yaml", entry);

    // The last day counts whole, in UTC.
    assert_eq!(failing(&folder.report(&["--at", "2999-12-31T23:59:59Z", "--select", "policy"])), [] as [&str; 0]);
    let late = folder.report(&["--at", "3000-01-01T00:00:00Z", "--select", "policy"]);
    assert_eq!(failing(&late), ["note policy-enforced", "warning config-ignore-expired"]);
    let expired = late["checks"].as_array().unwrap().last().unwrap();
    let location = &expired["location"];
    assert_eq!((&location["exhibit"], &location["line"]), (&"stslint.yaml".into(), &5.into()));
    let exhibit = late["exhibits"]["stslint.yaml"].as_str().unwrap();
    let start = usize::try_from(location["offset"].as_u64().unwrap()).unwrap();
    assert_eq!(&exhibit[start..start + 10], "2999-12-31");
    for rule in ["config-ignore-expired", "config-ignore-unused"] {
        assert!(folder.run(&["explain", rule]).out.contains("What to do"), "{rule}");
    }
}

#[test]
fn an_exhibit_of_the_configuration_holds_only_lines_of_expired_entries() {
    let folder = Folder::of(&[(
        "stslint.yaml",
        "options: { smtp_proxy: 'socks5://me:secret@127.0.0.1:9' }\nignore:\n- { rule: tlsrpt-ttl, reason: hush, until: 2999-01-01 }\n\
         - { rule: policy-enforced, reason: old, until: 2020-01-01 }\n- { rule: record-ttl, domain: other.test, reason: quiet, until: 2020-01-01 }\n\
         - { group: mx, reason: older, until: 2019-01-01 }\n",
    )]);
    let report = folder.report(&[]);
    let exhibit = report["exhibits"]["stslint.yaml"].as_str().unwrap();
    assert!(!["secret", "hush", "quiet"].iter().any(|word| exhibit.contains(word)), "{exhibit}");
    let days: Vec<String> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["rule"] == "config-ignore-expired")
        .map(|check| {
            let at = |key: &str| usize::try_from(check["location"][key].as_u64().unwrap()).unwrap();
            format!("{}:{}", at("line"), &exhibit[at("offset")..at("offset") + at("length")])
        })
        .collect();
    assert_eq!(days, ["4:2020-01-01", "6:2019-01-01"]);
    assert!(!folder.run(&["config", "show"]).out.contains("secret"));
}

#[test]
fn an_entry_is_for_its_own_subject_and_unused_ones_are_told_once() {
    let folder = Folder::of(&[(
        "stslint.yaml",
        "ignore:\n- { rule: mx-covered, subject: 'MX9.*', reason: x, until: 2999-01-01 }\n\
         - { rule: policy-enforced, domain: elsewhere.test, reason: x, until: 2999-01-01 }\n\
         - { rule: record-dnssec, reason: x, until: 2999-01-01 }\n",
    )]);
    let (uncovered, testing) = (fixture("mx-not-covered"), fixture("testing"));
    let ran = folder.run(&["check", "--snapshot", &uncovered, "--snapshot", &testing, "--format", "concise"]);
    assert!(ran.out.contains("error[mx-covered]"), "{}", ran.out);
    // That of another domain may be needed there, and DNSSEC was not looked at.
    assert_eq!(
        ran.err,
        "note[config-ignore-unused]: stslint.yaml:2: the entry that ignores mx-covered matched nothing; it can be removed\n"
    );
    let entry = "ignore: [{ rule: mx-covered, subject: 'mx1.in.*', reason: x, until: 2999-01-01 }]\n";
    folder.write("stslint.yaml", entry);
    let ran = folder.run(&["check", "--snapshot", &uncovered, "--format", "concise"]);
    assert!(!ran.out.contains("mx-covered") && ran.err.is_empty(), "{}{}", ran.out, ran.err);
}

#[test]
fn options_are_defaults_and_the_command_line_wins() {
    let folder = Folder::of(&[(
        "stslint.yaml",
        "options: { fail_on: note, format: concise, timeout: 0.5, require_complete: true, smtp: false, dnssec: off }\n",
    )]);
    let ran = folder.check(&[]);
    assert_eq!((ran.code, ran.out.lines().count()), (1, 1), "{}", ran.out);
    assert_eq!(folder.check(&["--fail-on", "never"]).code, 3);
    assert_eq!(folder.check(&["--fail-on", "never", "--require-complete=false"]).code, 0);
    assert!(folder.check(&["--format", "json"]).out.starts_with('{'));

    folder.write("stslint.yaml", "options: { min_severity: warning }\n");
    assert_eq!(failing(&folder.report(&[])), [] as [&str; 0]);
    assert_eq!(failing(&folder.report(&["--min-severity", "note"])), ["note policy-enforced"]);

    // A resolver that never answers, given by the configuration of `collect`.
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = nobody.local_addr().unwrap();
    folder.write(
        "stslint.yaml",
        &format!("options: {{ resolver: '{resolver}', timeout: 0.2, smtp: false, dnssec: off }}\n"),
    );
    let ran = folder.run(&["collect", "example.com"]);
    assert!(
        ran.out.contains(&format!("resolver: {resolver}")) || ran.out.contains(&format!("resolver: \"{resolver}\"")),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("dnssec: \"off\"") || ran.out.contains("dnssec: off"), "{}", ran.out);
    assert!(ran.out.contains("--no-smtp"), "{}", ran.out);
}

#[test]
fn roots_are_relative_to_the_configuration() {
    let pem = rcgen::generate_simple_self_signed(["ca.example.com".to_owned()]).unwrap().cert.pem();
    let folder = Folder::of(&[("conf/stslint.yaml", "options: { roots: ca/own.pem }\n"), ("conf/ca/own.pem", &pem)]);
    let shown = folder.shown(&["--config", "conf/stslint.yaml"]);
    assert_eq!(shown["options"]["roots"]["value"], "conf/ca/own.pem");
}

#[test]
fn every_mistake_is_told_at_once() {
    let folder = Folder::of(&[
        (
            "stslint.yaml",
            "extends: ./base.yaml\nrule: {}\nrules:\n  polcy-mode: off\n  policy: note\n  policy-max-age-short: { params: { minimun: 1 } }\n  \
             record-ttl: { params: { maximum: 1.5 } }\ngroups: { smpt: off }\nignore: [{ rule: policy-mode, until: 2027-13-01 }]\n\
             options: { format: humann, resolver: nobody, timeout: 9999 }\ninclude: [gone.yaml]\n",
        ),
        ("base.yaml", "rules: { policy-mode: worse }\n"),
    ]);
    let ran = folder.check(&[]);
    assert_eq!(ran.code, 2);
    for word in [
        "unknown key `rule`",
        "did you mean `policy-mode`?",
        "`policy` is a group: set it under `groups`",
        "did you mean `minimum`?",
        "this is a number, where an integer belongs",
        "did you mean `smtp`?",
        "gives no reason",
        "`2027-13-01` is not a day as YYYY-MM-DD",
        "did you mean `human`?",
        "`nobody` is not a resolver",
        "give seconds between 0.01 and 600",
        "cannot read gone.yaml",
        "`worse` is not a severity",
        "[base.yaml:1:23]",
        "13 mistakes in the configuration",
    ] {
        assert!(ran.err.contains(word), "{word}: {}", ran.err);
    }
    assert!(ran.out.is_empty());
    for args in [&["rules", "list"][..], &["collect", "example.com"], &["explain", "policy-mode"], &["config", "show"]]
    {
        assert_eq!(folder.run(args).code, 2, "{args:?}");
    }
    for args in
        [&["schema", "config"][..], &["facts"], &["rules", "list", "--no-config"], &["config", "init", "new.yaml"]]
    {
        assert_eq!(folder.run(args).code, 0, "{args:?}");
    }
}

#[test]
fn circles_and_depth_end_with_their_place() {
    let folder = Folder::of(&[
        ("stslint.yaml", "extends: a.yaml\n"),
        ("a.yaml", "extends: ./b.yaml\n"),
        ("b.yaml", "extends: [./c.yaml, stslint.yaml]\n"),
        ("c.yaml", "{}\n"),
        ("self.yaml", "extends: self.yaml\n"),
    ]);
    let ran = folder.check(&[]);
    assert!(
        ran.code == 2 && ran.err.contains("[b.yaml:1:21]") && ran.err.contains("extends this file in turn"),
        "{}",
        ran.err
    );
    assert!(folder.check(&["--config", "self.yaml"]).err.contains("in turn"));
    for number in 0..12 {
        folder.write(&format!("d{number}.yaml"), &format!("extends: d{}.yaml\n", number + 1));
    }
    folder.write("d12.yaml", "{}\n");
    let ran = folder.check(&["--config", "d0.yaml"]);
    assert!(ran.code == 2 && ran.err.contains("more than 8 configurations"), "{}", ran.err);
    assert_eq!(folder.check(&["--config", "d5.yaml"]).code, 0);
    folder.write("twice.yaml", "extends: [c.yaml, ./c.yaml, d11.yaml, d12.yaml]\n");
    assert_eq!(folder.check(&["--config", "twice.yaml"]).code, 0);
}

#[test]
fn hostile_configurations_are_refused_and_never_printed_raw() {
    let bomb =
        format!("a: &a [{}]\nb: &b [{}]\nrules: [{}]\n", "x, ".repeat(999), "*a, ".repeat(999), "*b, ".repeat(999));
    let deep = format!("rules: {}1{}\n", "[".repeat(100_000), "]".repeat(100_000));
    let huge = "#".repeat(10 << 20);
    let many: String = (0..5000).map(|number| format!("  rule-{number}: off\n")).collect();
    let escapes = "rules:\n  \"a\\e]0;owned\\a\\u202e\": off\n\"\\e[31m\": 1\n\u{9b}31m: 2\n";
    let folder = Folder::of(&[]);
    for (name, text) in [
        ("bomb", bomb.as_str()),
        ("deep", &deep),
        ("deep in lines", &format!("rules:\n{}", " [\n".repeat(100_000))),
        ("huge", &huge),
        ("many", &format!("rules:\n{many}")),
        ("escapes", escapes),
        ("merge", "x: &x { rules: {} }\n<<: *x\n"),
        ("two documents", "{}\n---\n{}\n"),
        ("no mapping", "- a\n"),
        ("not closed", "rules: {\n"),
        ("odd keys", "? [a]\n: 1\n"),
    ] {
        folder.write("stslint.yaml", text);
        let ran = folder.check(&[]);
        assert_eq!(ran.code, 2, "{name}: {}{}", ran.out, ran.err);
        let raw = ran.err.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert!(raw.is_none() && !ran.err.contains("panicked"), "{name}: {raw:?} {}", ran.err);
        assert!(ran.err.len() < 100_000, "{name}: {} octets", ran.err.len());
    }
    for text in ["", "# nothing yet\n", "{}\n", "---\n"] {
        folder.write("stslint.yaml", text);
        assert_eq!(folder.check(&[]).code, 0, "{text:?}");
    }
    std::fs::remove_file(folder.path("stslint.yaml")).unwrap();
    std::fs::write(folder.path("stslint.yaml"), b"rules: {} # \xff\n").unwrap();
    assert!(folder.check(&[]).err.contains("not UTF-8"));
    std::fs::remove_file(folder.path("stslint.yaml")).unwrap();
    std::fs::create_dir(folder.path("stslint.yaml")).unwrap();
    assert!(folder.check(&[]).err.contains("is a directory"));
}

#[cfg(unix)]
#[test]
fn names_of_files_never_reach_the_terminal_raw() {
    let folder = Folder::of(&[
        ("own/a\u{1b}[31m.yaml", &own("same")),
        ("own/b\u{1b}[31m.yaml", &own("same")),
        ("c\u{1b}[31m.yaml", "rules: { no-such: off }\n"),
        ("stslint.yaml", "include: [own]\nextends: ./c\u{fffd}.yaml\n"),
    ]);
    let mut shown = Vec::new();
    for args in [
        &["rules", "list"][..],
        &["rules", "list", "--no-config", "--rules", "own"],
        &["config", "show", "--config", "c\u{1b}[31m.yaml"],
        &["config", "show", "--config", "d\u{1b}[31m.yaml"],
        &["config", "init", "c\u{1b}[31m.yaml"],
        &["rules", "test", "c\u{1b}[31m"],
    ] {
        let ran = folder.run(args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.out);
        shown.extend([ran.out, ran.err]);
    }
    std::fs::remove_file(folder.path("own/b\u{1b}[31m.yaml")).unwrap();
    for args in
        [&["config", "show"][..], &["rules", "show", "acme-same"], &["rules", "test"], &["explain", "acme-same"]]
    {
        folder.write("stslint.yaml", "include: [own]\n");
        let ran = folder.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
        shown.extend([ran.out, ran.err]);
    }
    for text in shown {
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_broken_ones_are_told() {
    let folder = Folder::of(&[("real.yaml", "rules: { policy-enforced: error }\n")]);
    std::os::unix::fs::symlink("real.yaml", folder.path("stslint.yaml")).unwrap();
    assert_eq!(folder.check(&[]).code, 1);
    std::fs::remove_file(folder.path("real.yaml")).unwrap();
    let ran = folder.check(&[]);
    assert!(ran.code == 2 && ran.err.contains("cannot read stslint.yaml"), "{}", ran.err);
    std::fs::remove_file(folder.path("stslint.yaml")).unwrap();
    folder.write("stslint.yaml", "include: [/dev/null, '-']\nextends: [/dev/zero, ./-]\n");
    let ran = folder.check(&[]);
    assert_eq!(ran.code, 2);
    assert_eq!(ran.err.matches("is not a regular file").count(), 2, "{}", ran.err);
    assert_eq!(ran.err.matches("cannot read ./-").count(), 2, "{}", ran.err);
}

const OWN: &str = "group: acme\nrules:\n  - id: acme-ID\n    title: Something\n    severity: note\n    cites: [ACME-1]\n    \
    requires: [policy-mode]\n    assert: policy.mode == \"enforce\"\n    message: not enforced\n    tests: { pass: [{}], fail: [{ policy.body: \"version: STSv1\\nmode: none\\nmax_age: 1\\n\" }] }\n";

fn own(id: &str) -> String {
    OWN.replace("ID", id)
}

#[test]
fn own_rules_come_from_files_and_folders_and_are_set_like_others() {
    let folder = Folder::of(&[
        ("stslint.yaml", "include: [own]\nrules: { acme-b: error }\ngroups: { acme: warning }\n"),
        ("own/z.yaml", &own("z")),
        ("own/deep/b.yaml", &own("b")),
        ("own/notes.txt", "no rules"),
        ("more/c.yaml", &own("c")),
    ]);
    let report = folder.report(&["--rules", "more", "--rules", "own/z.yaml", "--select", "acme"]);
    assert_eq!(failing(&report), ["error acme-b", "warning acme-z", "warning acme-c"]);
    let listed = folder.run(&["rules", "list", "--rules", "more"]).out;
    assert!(listed.contains("acme-b                    error ") && listed.contains("acme-c "), "{listed}");
    assert!(folder.run(&["rules", "show", "acme-b"]).out.starts_with("# own/deep/b.yaml\n  - id: acme-b\n"));
    assert!(folder.run(&["rules", "show", "acme-c", "--rules", "more"]).out.starts_with("# more/c.yaml\n"));
    assert!(folder.run(&["explain", "acme-c", "--rules", "more/c.yaml"]).out.contains("ACME-1"));
    let tested = folder.run(&["rules", "test"]);
    assert_eq!(tested.code, 0, "{}", tested.out);
    let built_in = Folder::of(&[]).run(&["rules", "test"]).out;
    let count = |said: &str| said.split(' ').next().and_then(|count| count.parse::<usize>().ok()).unwrap();
    assert_eq!(count(&tested.out), count(&built_in) + 2, "{}", tested.out);
    assert_eq!(folder.run(&["rules", "test", "more"]).out, "1 rule, 2 cases held, 0 did not\n");
    let shown = folder.shown(&[]);
    assert_eq!(shown["rule_files"][0]["file"], "own/deep/b.yaml");
    assert_eq!(shown["rule_files"][1]["from"], "stslint.yaml:1");

    folder.write("own/bad.yaml", &own("bad").replace("policy.mode ==", "policy.moed =="));
    let ran = folder.check(&[]);
    assert!(ran.code == 2 && ran.err.contains("did you mean `policy.mode`?"), "{}", ran.err);
}

#[test]
fn what_a_domain_has_to_do_with() {
    let folder = Folder::of(&[(
        "stslint.yaml",
        "ignore:\n- { rule: policy-mode, domain: '*.example.com', reason: a, until: 2999-01-01 }\n\
         - { group: smtp, domain: example.com, reason: b, until: 2020-01-01 }\n",
    )]);
    assert_eq!(folder.shown(&[])["ignore"].as_array().unwrap().len(), 2);
    let shown = folder.shown(&["Example.com."]);
    assert_eq!(shown["ignore"].as_array().unwrap().len(), 1);
    let entry = &shown["ignore"][0];
    assert_eq!((&entry["group"], &entry["from"]), (&"smtp".into(), &"stslint.yaml:3".into()));
    assert!(entry["days_left"].as_i64().unwrap() < -365);
    assert!(folder.shown(&["a.example.com"])["ignore"][0]["days_left"].as_i64().unwrap() > 365 * 100);
    let shown = folder.shown(&["--ignore", "record-ttl"]);
    assert_eq!(shown["rules"]["record-ttl"]["severity"]["from"], "command line");
    assert_eq!(folder.run(&["config", "show", "exa mple"]).code, 2);
}

#[test]
fn a_configuration_to_begin_with_changes_nothing_and_is_never_overwritten() {
    let folder = Folder::of(&[]);
    let bare = folder.report(&[]);
    let ran = folder.run(&["config", "init"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    let text = std::fs::read_to_string(folder.path("stslint.yaml")).unwrap();
    assert_eq!(folder.report(&[]), bare);
    let again = folder.run(&["config", "init"]);
    assert!(again.code == 2 && again.err.contains("exists already"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(folder.path("stslint.yaml")).unwrap(), text);
    assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 1);

    // What is commented out is right as well.
    let sections = ["#rules:", "#groups:", "#include:", "#ignore:", "#options:"];
    assert!(sections.iter().all(|section| text.lines().any(|line| line == *section)), "{text}");
    let open: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if sections.contains(&line) || rest.starts_with("  ") => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    folder.write("rules/a.yaml", &own("a"));
    folder.write("stslint.yaml", &open);
    let shown = folder.shown(&[]);
    assert_eq!(shown["rules"]["policy-max-age-short"]["params"]["minimum"]["value"], 1_209_600);
    assert_eq!(
        (shown["ignore"].as_array().unwrap().len(), shown["options"]["timeout"]["value"].as_f64()),
        (1, Some(5.0))
    );
}

#[test]
fn minimal_finds_nothing_in_a_good_domain() {
    let folder = Folder::of(&[("stslint.yaml", "extends: minimal\n")]);
    assert_eq!(failing(&folder.report(&[])), [] as [&str; 0]);
}

#[test]
fn strict_is_sound_and_asks_for_more() {
    let folder = Folder::of(&[("stslint.yaml", "extends: strict\n")]);
    assert_eq!(failing(&folder.report(&[])), ["error policy-enforced"]);
    let perfect = folder.run(&["check", "--snapshot", &fixture("perfect"), "--fail-on", "note"]);
    assert_eq!(perfect.code, 0, "{}", perfect.out);
    let shown = folder.shown(&[]);
    for (rule, set) in shown["rules"].as_object().unwrap() {
        let rank =
            |level: &Value| ["remark", "note", "warning", "error"].iter().position(|known| level == known).unwrap();
        let severity = &set["severity"];
        assert!(rank(&severity["value"]) >= rank(&severity["default"]), "{rule} is lowered");
    }
}

#[test]
fn a_key_with_nothing_below_says_nothing() {
    let folder = Folder::of(&[("stslint.yaml", "rules:\n#  policy-enforced: off\ninclude:\n")]);
    let ran = folder.check(&[]);
    assert_eq!(ran.err, "", "{}", ran.out);
}

#[test]
fn params_of_a_configuration_are_checked_as_those_of_a_rule() {
    let rule = "group: acme\nrules:\n  - id: acme-x\n    title: T\n    severity: error\n    cites: [X]\n    \
        params: { re: \"^a\", list: [a] }\n    \
        assert: policy.usable && (record.outcome.matches(params.re) || params.list.all(a, params.list.all(b, params.list.all(c, a != b))))\n    \
        message: m\n";
    let long = format!("[{}]", vec!["a"; 100].join(", "));
    for (value, told) in [
        ("{ re: \"([\" }".to_owned(), "this is not a valid regular expression: unclosed character class"),
        ("{ re: \"a{100}{100}\" }".to_owned(), "repeat more than 128 times"),
        (format!("{{ list: {long} }}"), "steps through lists of its own"),
    ] {
        let config = format!("include: [.]\nrules:\n  acme-x:\n    params: {value}\n");
        let folder = Folder::of(&[("stslint.yaml", &config), ("r.yaml", rule)]);
        let ran = folder.check(&[]);
        assert_eq!(ran.code, 2, "{}", ran.out);
        assert!(ran.err.contains(told) && ran.err.contains("stslint.yaml:4:"), "{}", ran.err);
    }
}

#[test]
fn a_report_says_how_far_a_domain_is_from_a_document() {
    let folder =
        Folder::of(&[("stslint.yaml", "extends: [strict, uk-gov]\ndomains: [{ names: \"*\", extends: au-ism }]\n")]);
    let ran = folder.check(&[]);
    assert!(ran.out.contains("against uk-gov: 1 of 8 not met (policy-enforced), 1 not applicable\n"), "{}", ran.out);
    assert!(ran.out.contains("against au-ism: 1 of 4 not met (policy-enforced)\n"), "{}", ran.out);
    let accepted = "ignore: [{ rule: policy-enforced, reason: R, until: 2999-12-31 }]\n";
    folder.write("stslint.yaml", &format!("extends: uk-gov\n{accepted}"));
    assert!(folder.check(&[]).out.contains("against uk-gov: 1 of 8 not met"), "what is accepted is still not met");
    folder.write("stslint.yaml", "extends: strict\n");
    assert!(!folder.check(&[]).out.contains("against"));
}

#[test]
fn rules_of_a_document_that_were_not_asked_are_not_judged() {
    let folder = Folder::of(&[("stslint.yaml", "extends: uk-gov\nrules: { policy-enforced: off }\n")]);
    let against = |args: &[&str]| {
        let out = folder.check(args).out.replace("\n  ", " ");
        out.lines().find(|line| line.starts_with("against")).unwrap().to_owned()
    };
    assert_eq!(
        against(&[]),
        "against uk-gov: 0 of 8 not met, 1 not applicable, 1 not judged (1 off in the configuration)"
    );
    let ignored = against(&["--ignore", "tlsrpt-published", "--ignore", "smtp"]);
    assert_eq!(
        ignored,
        "against uk-gov: 0 of 8 not met, 3 not judged (2 ignored by `--ignore`, 1 off in the configuration)"
    );
    let why = |args: &[&str]| {
        let report = folder.report(args);
        let not_judged = report["against"][0]["not_judged"].as_array().unwrap().clone();
        not_judged.iter().map(|one| format!("{} {}", one["rule"], one["why"]).replace('"', "")).collect::<Vec<_>>()
    };
    assert!(why(&["--ignore", "smtp"]).contains(&"policy-enforced off".to_owned()));
    assert!(why(&["--ignore", "tlsrpt-published"]).contains(&"tlsrpt-published ignored_by_option".to_owned()));
    // Beside the selected rule nothing was asked, and so nothing met.
    folder.write("stslint.yaml", "extends: uk-gov\n");
    let selected = against(&["--select", "record-published"]);
    assert_eq!(selected, "against uk-gov: 0 of 8 not met, 7 not judged (7 not among those of `--select`)");
}

#[test]
fn profiles_are_listed_and_shown_with_their_sentences() {
    let folder = Folder::of(&[]);
    let listed = folder.run(&["profiles", "list"]);
    for name in ["recommended", "strict", "minimal", "uk-gov", "au-ism"] {
        assert!(listed.out.lines().any(|line| line.starts_with(name)), "{}", listed.out);
        assert_eq!(folder.run(&["profiles", "show", name]).code, 0, "{name}");
    }
    let wrong = folder.run(&["profiles", "show", "uk-gvo"]);
    assert!(wrong.code == 2 && wrong.err.contains("did you mean `uk-gov`?"), "{}", wrong.err);
    let none = folder.run(&["profiles", "show", "nz-sge"]);
    assert!(none.code == 2 && none.err.contains("nothing is shipped for New Zealand"), "{}", none.err);
    // Each line of a profile that follows a document has its sentence, and the day on which it was read, above it.
    for name in ["uk-gov", "au-ism"] {
        let shown = folder.run(&["profiles", "show", name]).out;
        let rules = shown.split_once("rules:\n").unwrap().1;
        assert!(rules.starts_with("  # "), "{rules}");
        let sourced = rules.lines().filter(|line| line.starts_with("  # "));
        assert!(sourced.clone().count() > 2 && sourced.clone().any(|line| line.contains("read on 2026-")), "{rules}");
    }
}

#[test]
fn an_entry_about_rules_that_are_off_is_told() {
    let config = "groups: { dane: off }\nignore:\n  - { group: dane, reason: x, until: 2999-01-01 }\n  - { rule: mx-covered, domain: other.example, reason: x, until: 2999-01-01 }\n";
    let folder = Folder::of(&[("stslint.yaml", config)]);
    let told = "note[config-ignore-unused]: stslint.yaml:3: the entry that ignores dane is about rules that are off; it can be removed\n";
    assert_eq!(folder.check(&[]).err, told);
    // On for some domains, or off by the command line: nobody knows.
    let of_some = format!("{config}domains: [{{ names: x.example, groups: {{ dane: error }} }}]\n");
    folder.write("stslint.yaml", &of_some);
    assert_eq!(folder.check(&[]).err, "");
    folder.write("stslint.yaml", &config.replacen("off", "error", 1));
    assert!(!folder.check(&["--ignore", "dane"]).err.contains("are off"));
}
