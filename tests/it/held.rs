//! A policy that senders may still hold, given alone (`--held`), through the binary.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const GOOD: &str = "fixtures/good/snapshot.yaml";
const FORMER: &str = "version: STSv1\nmode: enforce\nmx: aspmx.l.google.com\nmax_age: 1209600\n";

/// Checks the good domain beside a file with this text.
fn check(held: impl AsRef<[u8]>, args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old-mta-sts.txt");
    std::fs::write(&file, held).unwrap();
    Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(["check", "--no-config", "--held"])
        .arg(&file)
        .args(args)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn text(held: &str, args: &[&str]) -> String {
    let output = check(held, &[&["--snapshot", GOOD], args].concat());
    assert!(output.status.code().unwrap() < 2, "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The report, and the view of the sender that holds the policy.
fn report(held: &str, args: &[&str]) -> (Value, Value) {
    let document: Value = serde_json::from_str(&text(held, &[&["--format", "json"], args].concat())).unwrap();
    let report = document["results"][0].clone();
    let view = report["sender"].as_array().unwrap().iter().find(|view| view["cache"] == "held").unwrap().clone();
    (report, view)
}

fn findings(report: &Value) -> Vec<(&str, &str)> {
    let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["outcome"] == "fail");
    checks.map(|check| (check["rule"].as_str().unwrap(), check["message"].as_str().unwrap())).collect()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_sender_that_holds_the_former_policy_refuses_and_it_is_said_until_when() {
    let (report, view) = report(FORMER, &["--last-served", "2026-11-20"]);
    assert_eq!(view["policy"], "enforce");
    let actions: Vec<&Value> = view["hosts"].as_array().unwrap().iter().map(|host| &host["action"]).collect();
    assert_eq!(actions, ["refuse", "refuse"]);
    assert_eq!((&view["mail"], &report["state"]["mail"]), (&"refused".into(), &"refused".into()));
    let [(rule, message)] = findings(&report)[..] else { panic!("{report}") };
    assert_eq!(rule, "policy-shortened");
    assert!(message.contains("until 2026-12-04T23:59:59Z at the latest"), "{message}");
    assert!(view["explanation"].as_str().unwrap().contains("until it finds a new id"), "{view}");
}

#[test]
fn without_a_time_it_counts_from_when_it_was_last_served() {
    let (report, view) = report(FORMER, &[]);
    let (_, message) = findings(&report)[0];
    assert!(message.contains("for up to 2 weeks after it was last served"), "{message}");
    let holders = view["holders"].as_array().unwrap();
    assert!(holders.iter().all(|holder| holder["until"].is_null() && holder["source"].is_string()), "{view}");
}

#[test]
fn limits_of_senders_that_are_known_count_where_they_are_shorter() {
    let year = FORMER.replace("1209600", "31557600");
    let (_, view) = report(&year, &["--last-served", "2026-11-22T00:00:00Z"]);
    let holder = |name: &str| {
        let holders = view["holders"].as_array().unwrap();
        holders.iter().find(|holder| holder["sender"] == name).unwrap_or_else(|| panic!("{name}: {view}")).clone()
    };
    assert_eq!(holder("Postfix with postfix-tlspol")["until"], "2026-12-22T00:00:00Z");
    assert_eq!(holder("mox")["until"], "2027-11-22T06:00:00Z");
    assert!(holder("Stalwart")["explanation"].as_str().unwrap().contains("no longer holds it"));
    assert!(text(&year, &[]).contains("other senders, including Google and Microsoft"));
}

#[test]
fn a_policy_that_names_some_hosts_is_refused_for_the_others() {
    let some = FORMER.replace("aspmx.l.google.com", "mx1.example.com");
    let (report, view) = report(&some, &[]);
    let actions: Vec<&Value> = view["hosts"].as_array().unwrap().iter().map(|host| &host["action"]).collect();
    assert_eq!(actions, ["deliver", "refuse"]);
    assert_eq!(findings(&report)[0].0, "policy-mx-added");
    // Both sides: the host that it does not name, and the lines that it has.
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["rule"] == "policy-mx-added").unwrap();
    assert_eq!((&check["location"]["exhibit"], &check["location"]["line"]), (&"mx".into(), &2.into()));
    assert_eq!(check["related"][0]["location"]["exhibit"], "earlier_policy");
}

#[test]
fn what_nobody_holds_or_enforces_is_no_finding() {
    let testing = FORMER.replace("enforce", "testing");
    for (held, args, cached) in [
        (FORMER, &["--last-served", "2026-11-01"][..], "the held policy has expired"),
        ("version: STSv1\nmode: none\nmax_age: 86400\n", &[][..], "in mode none"),
        (testing.as_str(), &[][..], "in mode testing"),
        ("version: STSv1\nmode: enforce\nmax_age: 86400\n", &[][..], "no sender can hold the policy that was given"),
    ] {
        let (report, view) = report(held, args);
        assert_eq!(findings(&report), [], "{held}");
        assert!(view["explanation"].as_str().unwrap().to_lowercase().contains(cached), "{cached}: {view}");
        assert_ne!(view["mail"], "refused", "{held}");
    }
}

#[test]
fn one_fault_is_told_once_where_the_held_policy_is_the_present_one() {
    let folder = tempfile::tempdir().unwrap();
    let served = folder.path().join("policy.txt");
    std::fs::write(&served, FORMER.replace('\n', "\r\n")).unwrap();
    let printed = text(FORMER, &["--policy", served.to_str().unwrap(), "--format", "concise"]);
    assert!(printed.contains("mx-covered") && !printed.contains("policy-shortened"), "{printed}");
}

#[test]
fn a_policy_that_nobody_can_hold_is_said_to_be_none() {
    let output = check("version: STSv1\nmode: enforce\nmax_age: 86400\n", &["--snapshot", GOOD]);
    assert!(said(&output).contains("the policy of --held is not valid"), "{}", said(&output));
    assert!(!said(&check(FORMER, &["--snapshot", GOOD])).contains("not valid"));
}

#[test]
fn a_policy_that_is_gone_is_held_until_it_expires() {
    let folder = tempfile::tempdir().unwrap();
    let moved = folder.path().join("moved.yaml");
    let snapshot = "snapshot: 1\ndomain: example.com\ncollected_at: 2026-11-23T10:00:00Z\nmx:\n  outcome: answer\n  records:\n    \
        - { preference: 10, exchange: mx.new.example }\nrecord: { outcome: nxdomain, records: [] }\npolicy: null\n";
    std::fs::write(&moved, snapshot).unwrap();
    let args = ["--snapshot", moved.to_str().unwrap(), "--format", "json", "--last-served", "2026-11-20"];
    let output = check(FORMER, &args);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let report = &document["results"][0];
    let views = report["sender"].as_array().unwrap();
    let view = views.iter().find(|view| view["cache"] == "held").unwrap();
    let explanation = view["explanation"].as_str().unwrap();
    assert!(explanation.contains("there is no newer policy"), "{explanation}");
    assert!(explanation.contains("until 2026-12-04T23:59:59Z at the latest"), "{explanation}");
    assert_eq!(view["hosts"][0]["action"], "refuse");
    let found = findings(report);
    let gone = found.iter().find(|(rule, _)| *rule == "record-published").unwrap();
    assert!(gone.1.contains("Those that still hold the policy that was given"), "{found:?}");
    let refused = found.iter().find(|(rule, _)| *rule == "mx-held-policy").unwrap();
    assert!(refused.1.contains("mx.new.example, and no policy is served"), "{found:?}");
}

#[test]
fn every_format_has_the_finding_and_those_with_views_have_the_view() {
    for format in ["concise", "github", "gitlab", "html", "human", "json", "jsonl", "junit", "markdown", "sarif"] {
        let printed = text(FORMER, &["--format", format]);
        assert!(printed.contains("policy-shortened"), "{format}: {printed}");
        if ["html", "human"].contains(&format) {
            assert!(printed.contains("holds the policy that was given"), "{format}");
            assert!(printed.contains("Postfix with postfix-tlspol holds it"), "{format}");
        }
    }
    let good = text(
        "version: STSv1\nmode: enforce\nmx: mx1.example.com\nmx: mx2.mail.example.com\nmax_age: 86400\n",
        &["--format", "concise"],
    );
    assert_eq!(good, "", "a policy that names every host changes nothing");
}

#[test]
fn a_file_that_is_no_policy_is_told_as_what_it_is() {
    let report = r#"{"organization-name": "a", "report-id": "1", "policies": []}"#;
    for (file, what) in [
        ("snapshot: 1\ndomain: example.com\n", "this is a snapshot, not a policy"),
        ("extends: strict\n", "this is a configuration, not a policy"),
        ("group: acme\nrules:\n  - id: a\n", "this is a rule file, not a policy"),
        (report, "this is a TLS report, not a policy"),
        ("v=STSv1; id=20261123T100000;\n", "it is an MTA-STS record"),
        ("<!DOCTYPE html><html><body>404</body></html>", "it is HTML"),
        ("{\\rtf1 version: STSv1}", "it is a rich text document (RTF)"),
        ("PK\u{3}\u{4}abc", "it is a ZIP archive or a Word document"),
        ("", "it is another kind of file"),
        ("hello\n", "it is another kind of file"),
    ] {
        let output = check(file, &["--snapshot", GOOD]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        assert!(said(&output).contains(what), "{file}: {}", said(&output));
    }
}

#[test]
fn what_cannot_be_asked_is_refused() {
    for (args, why) in [
        (&["--snapshot", GOOD, "--baseline", GOOD][..], "cannot be used with"),
        (&["--snapshot", GOOD, "--last-served", "yesterday"][..], "`yesterday` is not a valid time"),
        (&["--snapshot", GOOD, "--last-served", "2999-01-01"][..], "is yet to come"),
        (&["--snapshot", GOOD, "--snapshot", GOOD][..], "--held is the policy of one domain"),
        (&["a.example", "b.example", "--offline"][..], "--held is the policy of one domain"),
    ] {
        let output = check(FORMER, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(said(&output).contains(why), "{args:?}: {}", said(&output));
    }
    let alone = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(["check", "--snapshot", GOOD, "--last-served", "2026-11-20"])
        .output()
        .unwrap();
    assert_eq!(alone.status.code(), Some(2));
    assert!(!Path::new(GOOD).with_extension("held").exists());
}

#[test]
fn hostile_policies_cost_little_and_print_nothing_that_a_terminal_obeys() {
    let large = check(vec![b'a'; (4 << 20) + 1], &["--snapshot", GOOD]);
    assert_eq!(large.status.code(), Some(2));
    assert!(said(&large).contains("has more than"), "{}", said(&large));
    let many = FORMER.replace("mx: aspmx.l.google.com\n", &"mx: *.a.example\n".repeat(4_000));
    let escapes = FORMER.replace("aspmx.l.google.com", "\u{1b}]0;owned\u{7}\u{202e}.example");
    let odd = [b"version: STSv1\nmode: enforce\nmx: \xff\xfe\0\nmax_age: 99999999999999999999\n".to_vec()];
    for held in [many.into_bytes(), escapes.into_bytes()].into_iter().chain(odd) {
        for format in ["human", "json", "html"] {
            let output = check(&held, &["--snapshot", GOOD, "--format", format]);
            assert!(output.status.code().unwrap() < 2, "{}", said(&output));
            let printed = String::from_utf8(output.stdout).unwrap();
            assert!(!printed.contains(['\u{1b}', '\u{7}', '\u{202e}', '\0']), "{format}");
        }
    }
}
