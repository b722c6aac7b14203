//! Why something does not match, and the text that puts it right, through the binary.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

/// What the program prints about the good domain with these MX hosts and this policy, and the policy file afterwards.
fn checked(hosts: &[&str], policy: &str, arguments: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mta-sts.txt");
    std::fs::write(&file, policy).unwrap();
    let mut command = Command::cargo_bin("stslint").unwrap();
    command.args(["--no-config", "check", "--snapshot", "fixtures/good/snapshot.yaml", "--select", "mx-covered"]);
    for host in hosts {
        command.args(["--mx", host]);
    }
    let output = command.arg("--policy").arg(&file).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (text, std::fs::read_to_string(Path::new(&file)).unwrap())
}

fn policy(patterns: &[&str]) -> String {
    let lines: String = patterns.iter().map(|pattern| format!("mx: {pattern}\n")).collect();
    format!("version: STSv1\nmode: enforce\n{lines}max_age: 1209600\n")
}

#[test]
fn each_near_miss_is_explained_and_its_fix_names_the_host() {
    let cases = [
        ("shop.a-v1.mx.example.net", "*.mx.example.net", "covers one label only", "*.a-v1.mx.example.net"),
        ("mail.example.com", "*.mail.example.com", "not `mail.example.com` itself", "mail.example.com"),
        ("mx9.example.com", "example.com", "is the mail domain", "mx9.example.com"),
        ("in.mx.example.com", "mx.example.com", "lacks `in.` in front", "in.mx.example.com"),
        ("mx.example.com", "smtp.mx.example.com", "has `smtp.` in front", "mx.example.com"),
        ("mail.example.com", "mail.exmaple.com", "a typo", "mail.example.com"),
        ("mail.example.com", "mta-sts.example.com", "the web server of the policy", "mail.example.com"),
    ];
    for (host, pattern, reason, right) in cases {
        let (text, _) = checked(&[host], &policy(&[pattern]), &["--format", "concise"]);
        assert!(text.contains(reason), "{pattern} for {host}: {text}");
        let (_, fixed) = checked(&[host], &policy(&[pattern]), &["--fix=all"]);
        assert_eq!(fixed, policy(&[right]), "{pattern} for {host}");
        let (text, _) = checked(&[host], &fixed, &["--format", "concise"]);
        assert!(!text.contains("mx-covered"), "{text}");
    }
}

#[test]
fn a_line_that_names_another_host_stays() {
    let hosts = ["mx1.example.com", "mx1.eu.example.com"];
    let (_, fixed) = checked(&hosts, &policy(&["*.example.com"]), &["--fix=all"]);
    assert_eq!(fixed, policy(&["*.example.com", "mx1.eu.example.com"]));
}

#[test]
fn the_policy_of_another_provider_is_replaced_as_a_whole() {
    let former = policy(&["aspmx.l.google.com", "alt1.aspmx.l.google.com"]);
    let hosts = ["a.mail.protection.outlook.com", "b.mail.protection.outlook.com"];
    let (text, _) = checked(&hosts, &former, &["--format", "concise"]);
    assert_eq!(text.matches("error[mx-covered]").count(), 1, "{text}");
    assert!(text.contains("only hosts of Google") && text.contains("goes to Microsoft"), "{text}");
    let (_, fixed) = checked(&hosts, &former, &["--fix=all"]);
    assert_eq!(fixed, policy(&hosts));
}

#[test]
fn both_sides_are_shown_in_every_format() {
    let (host, lines) = ("shop.a-v1.mx.example.net", policy(&["mx1.example.com", "*.mx.example.net"]));
    let (text, _) = checked(&[host], &lines, &["--format", "human"]);
    assert!(text.contains("[mx:1:1]") && text.contains("[policy:4:5]") && text.contains("this covers one"), "{text}");
    let (text, _) = checked(&[host], &lines, &["--format", "json"]);
    let json: Value = serde_json::from_str(&text).unwrap();
    let checks = json["results"][0]["checks"].as_array().unwrap();
    let finding = checks.iter().find(|check| check["outcome"] == "fail").unwrap();
    assert_eq!(finding["related"][0]["location"]["line"], 4, "{finding}");
    let (text, _) = checked(&[host], &lines, &["--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&text).unwrap();
    let related = &sarif["runs"][0]["results"][0]["relatedLocations"][0];
    assert_eq!(related["physicalLocation"]["region"]["startLine"], 4, "{related}");
    assert!(related["message"]["text"].as_str().unwrap().contains("one label only"), "{related}");
    for format in ["html", "markdown", "junit"] {
        let (text, _) = checked(&[host], &lines, &["--format", format]);
        assert!(text.contains("this covers one label only"), "{format}: {text}");
    }
}
