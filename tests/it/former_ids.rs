//! Ids that rules had before stay readable wherever people wrote them, with a warning that names the new one.

use std::process::Command;

use serde_json::Value;

/// A rule that had another id, one that leans on it by that, and the id of one that is gone.
const RULES: &str = r#"group: acme
removed: { acme-gone: "`acme-mode` says it" }
rules:
  - id: acme-mode
    formerly: [acme-policy]
    title: The policy is enforced
    severity: error
    cites: [ACME-1]
    requires: [policy-mode]
    assert: policy.mode == "enforce"
    message: "the mode is {policy.mode}"
  - id: acme-age
    title: The policy stays cached
    severity: error
    cites: [ACME-2]
    requires: [acme-policy, policy-max-age]
    assert: policy.max_age > 99999999
    message: "max_age is {policy.max_age}"
"#;

const RENAMED: &str = "the rule `acme-policy` is called `acme-mode` now";
const GONE: &str = "the rule `acme-gone` no longer exists";

struct Ran {
    code: Option<i32>,
    out: String,
    said: String,
}

/// stslint in a folder with the rules and this configuration.
fn run(configuration: &str, words: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.yaml"), RULES).unwrap();
    std::fs::write(folder.path().join("stslint.yaml"), format!("include: [own.yaml]\n{configuration}")).unwrap();
    let output = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(words)
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let flat = |text: &[u8]| String::from_utf8_lossy(text).split_whitespace().collect::<Vec<_>>().join(" ");
    Ran { code: output.status.code(), out: String::from_utf8(output.stdout).unwrap(), said: flat(&output.stderr) }
}

/// The report on a domain in mode testing, and what was said beside it.
fn check(configuration: &str, words: &[&str]) -> (Value, String) {
    let snapshot = std::fs::canonicalize("fixtures/testing/snapshot.yaml").unwrap();
    let all = [&["check", "--format", "json", "--snapshot", snapshot.to_str().unwrap()], words].concat();
    let ran = run(configuration, &all);
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.said));
    (report["results"][0].clone(), ran.said)
}

/// The outcome and the severity of a rule.
fn of(report: &Value, rule: &str) -> Option<(String, String)> {
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["rule"] == rule)?;
    let word = |key: &str| check[key].as_str().unwrap().to_owned();
    Some((word("outcome"), word("severity")))
}

fn failed(severity: &str) -> Option<(String, String)> {
    Some(("fail".to_owned(), severity.to_owned()))
}

#[test]
fn a_rule_that_names_a_former_id_leans_on_the_present_rule() {
    let (report, said) = check("", &[]);
    assert_eq!(of(&report, "acme-mode"), failed("error"));
    assert_eq!(of(&report, "acme-age").unwrap().0, "not_applicable", "because `acme-mode` failed");
    assert!(said.contains(RENAMED) && said.contains("own.yaml:16"), "{said}");
}

#[test]
fn configurations_set_a_rule_by_its_former_id() {
    for configuration in
        ["rules: { acme-policy: note }\n", "domains:\n  - names: [\"*.example\"]\n    rules: { acme-policy: note }\n"]
    {
        let (report, said) = check(configuration, &[]);
        assert_eq!(of(&report, "acme-mode"), failed("note"), "{configuration}\n{said}");
        assert!(said.contains("stslint.yaml:") && said.contains("write `acme-mode`"), "{said}");
    }
    let (report, said) = check("rules: { acme-gone: note }\n", &[]);
    assert_eq!(of(&report, "acme-mode"), failed("error"));
    assert!(said.contains(GONE) && said.contains("`acme-mode` says it"), "{said}");
}

#[test]
fn accepted_findings_stay_accepted_when_their_rule_is_renamed() {
    for named in ["acme-policy", "acme-pol*"] {
        let entry = format!("ignore:\n  - rule: \"{named}\"\n    reason: known\n    until: 2099-12-31\n");
        let (report, said) = check(&entry, &[]);
        assert_eq!(of(&report, "acme-mode"), None, "{named}");
        assert_eq!(report["ignored"][0]["rule"], "acme-mode");
        assert!(said.contains(RENAMED) && said.contains("stslint.yaml:3"), "{said}");
    }
}

#[test]
fn the_command_line_takes_former_ids() {
    let (report, said) = check("", &["--select", "acme-policy"]);
    assert_eq!(of(&report, "acme-mode"), failed("error"));
    assert!(report["checks"].as_array().unwrap().iter().all(|check| check["rule"] == "acme-mode"));
    assert!(said.contains(RENAMED), "{said}");
    assert_eq!(of(&check("", &["--ignore", "acme-policy"]).0, "acme-mode"), None);
    assert_eq!(of(&check("", &["--severity", "acme-policy=note"]).0, "acme-mode"), failed("note"));
    let (report, said) = check("", &["--ignore", "acme-gone"]);
    assert_eq!(of(&report, "acme-mode"), failed("error"));
    assert!(said.contains(GONE), "{said}");
    assert_eq!(check("", &["--select", "acme-gone"]).0["checks"].as_array().unwrap().len(), 0);
    let ran = run("", &["explain", "acme-policy"]);
    assert!(ran.out.starts_with("acme-mode (error, group acme)") && ran.said.contains(RENAMED), "{}", ran.out);
    assert!(run("", &["rules", "show", "acme-policy"]).out.contains("- id: acme-mode"));
    let ran = run("", &["rules", "show", "acme-gone"]);
    assert!(ran.code == Some(2) && ran.said.contains(GONE), "{}", ran.said);
}

#[test]
fn a_former_id_is_that_of_one_rule() {
    for (former, message) in [
        ("policy-mode", "`policy-mode` is the id of another rule"),
        ("acme-age", "`acme-age` is the id of another rule"),
        ("Acme Policy", "`Acme Policy` is not a valid id"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let text = RULES.replace("formerly: [acme-policy]", &format!("formerly: [{former}]"));
        std::fs::write(folder.path().join("own.yaml"), text.replace("requires: [acme-policy, ", "requires: ["))
            .unwrap();
        let output = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
            .args(["rules", "test", "own.yaml", "--allow-untested"])
            .current_dir(folder.path())
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(message) && said.contains("own.yaml:5"), "{said}");
    }
}
