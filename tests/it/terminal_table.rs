//! Several domains at once, from outside: the table in the terminal, the counts, CSV, and what the machine formats leave out.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const GOOD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/good/snapshot.yaml");

fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(["check", "--no-config"])
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// So many domains, every fifth with a mode that is not valid, and the last two with MX hosts that senders refuse.
fn many(folder: &Path, count: usize) {
    let text = std::fs::read_to_string(GOOD).unwrap();
    let lines = (0..count).map(|number| {
        let mut text = text.replace("example.com", &format!("d{number}.example"));
        if number % 5 == 0 {
            text = text.replace("mode: enforce", "mode: enfroce");
        }
        if number + 2 >= count {
            text = text.replace("*.mail.d", "*.nowhere.d").replace("mx: mx1.", "mx: mx9.");
        }
        let snapshot: Value = serde_yaml::from_str(&text).unwrap();
        format!("{snapshot}\n")
    });
    std::fs::write(folder.join("many.jsonl"), lines.collect::<String>()).unwrap();
}

#[test]
fn twenty_domains_fit_on_a_screen_and_the_most_urgent_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    many(folder.path(), 20);
    let (code, out, err) = run(folder.path(), &["--snapshot", "many.jsonl"]);
    assert_eq!((code, err.as_str()), (1, ""));
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].trim_start().starts_with("domain"), "{out}");
    assert!(lines[0].contains("state") && lines[0].contains("mode") && lines[0].contains("first"), "{out}");
    let table = &lines[1..21];
    assert!(table.iter().all(|line| line.contains(".example  ") && line.chars().count() <= 100), "{out}");
    assert!(table[0].contains("d18.example") && table[0].contains("broken    enforce  mail refused; "), "{out}");
    assert!(table[2].contains("d0.example") && table[2].contains("broken    absent   policy-mode: "), "{out}");
    assert!(table[19].contains("fine      enforce"), "{out}");
    assert_eq!(lines[21], "", "the details come after the table");
    assert!(out.contains("error[policy-mode]") && !out.contains("Checks performed"), "{out}");
    assert!(lines.len() < 200 && lines.last().unwrap().starts_with("20 reports: "), "{out}");
    let (_, alone, _) = run(folder.path(), &["--snapshot", GOOD]);
    assert!(alone.contains("Checks performed"), "one domain has its whole report: {alone}");
}

#[test]
fn human_output_of_very_many_domains_is_limited_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    many(folder.path(), 230);
    let (_, out, _) = run(folder.path(), &["--snapshot", "many.jsonl", "--select", "policy", "--statistics"]);
    assert!(out.contains("and 30 more: `--format csv` and `jsonl` have all"), "{out}");
    assert!(out.contains("36 more domains with errors or warnings: "), "{out}");
    assert!(out.contains("\nFindings by rule\n      46  error    policy-mode  "), "{out}");
    assert!(out.contains("\nWhat is in force\n  policy: 184 enforce, 46 absent\n"), "{out}");
    assert!(out.lines().count() < 400, "{}", out.lines().count());
    let (_, quiet, _) = run(folder.path(), &["--snapshot", "many.jsonl", "--select", "policy", "--quiet"]);
    assert!(quiet.starts_with("d0.example, as observed on ") && !quiet.contains("state"), "{quiet}");
}

#[test]
fn one_cause_of_many_findings_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(GOOD).unwrap();
    let lines = (0..4).map(|number| {
        // The MX hosts are of one provider, and expired for all.
        let text = text.replace("domain: example.com", &format!("domain: d{number}.example"));
        let snapshot: Value = serde_yaml::from_str(&text).unwrap();
        format!("{snapshot}\n")
    });
    std::fs::write(folder.path().join("many.jsonl"), lines.collect::<String>()).unwrap();
    let at = ["--snapshot", "many.jsonl", "--at", "2027-01-15T00:00:00Z", "--select", "smtp-cert-valid-now"];
    let (_, out, _) = run(folder.path(), &[at.as_slice(), &["--statistics"]].concat());
    let (_, causes) = out.split_once("\nFindings of several domains with one cause\n").unwrap();
    assert!(causes.contains("       4  smtp-cert-valid-now: mx1.example.com [93.184.216.41]\n"), "{out}");
}

#[test]
fn a_screen_reader_gets_sentences() {
    let folder = tempfile::tempdir().unwrap();
    many(folder.path(), 2);
    let (_, out, _) = run(folder.path(), &["--snapshot", "many.jsonl", "--accessible"]);
    assert!(out.contains("\nd0.example: broken; mode absent; first policy-mode: "), "{out}");
}

#[test]
fn csv_has_a_row_for_each_finding_and_no_formula() {
    let folder = tempfile::tempdir().unwrap();
    many(folder.path(), 6);
    std::fs::write(folder.path().join("=cmd.yaml"), "snapshot: [").unwrap();
    let (code, out, _) =
        run(folder.path(), &["--snapshot", "many.jsonl", "--snapshot", "=cmd.yaml", "--format", "csv"]);
    assert_eq!(code, 1);
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("domain,observed,policy,mail,severity,rule,subject,message,help,"), "{out}");
    assert!(lines[1].starts_with("d0.example,2026-11-23T10:00:00Z,absent,unverified,error,policy-mode,,"), "{out}");
    assert!(lines.last().unwrap().starts_with("'=cmd.yaml,,,,unreadable,,,"), "{out}");
    let (_, clean, _) = run(folder.path(), &["--snapshot", GOOD, "--format", "csv", "--min-severity", "error"]);
    assert_eq!(clean.lines().count(), 1, "the columns are named where nothing is wrong: {clean}");
}

#[test]
fn quiet_json_lines_leave_out_what_passed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    many(folder.path(), 1);
    let line = |arguments: &[&str]| -> (usize, Value) {
        let (_, out, _) = run(folder.path(), &[&["--snapshot", "many.jsonl", "--format", "jsonl"], arguments].concat());
        (out.len(), serde_json::from_str(&out).unwrap())
    };
    let (whole_size, whole) = line(&[]);
    let (size, brief) = line(&["--quiet"]);
    assert!(size * 3 < whole_size, "{size} of {whole_size} octets");
    assert_eq!(whole["summary"], brief["summary"]);
    let told = |report: &Value, outcome: &str| -> Vec<Value> {
        report["checks"].as_array().unwrap().iter().filter(|check| check["outcome"] == outcome).cloned().collect()
    };
    for outcome in ["fail", "remark", "not_checked"] {
        assert_eq!(told(&whole, outcome), told(&brief, outcome), "{outcome}");
    }
    assert_eq!(told(&brief, "pass").len(), 0);
    for check in brief["checks"].as_array().unwrap() {
        if let Some(exhibit) = check["location"]["exhibit"].as_str() {
            assert_eq!(brief["exhibits"][exhibit], whole["exhibits"][exhibit]);
        }
    }
}

#[test]
fn one_json_document_is_the_same_however_many_domains_it_has() {
    let folder = tempfile::tempdir().unwrap();
    many(folder.path(), 3);
    std::fs::write(folder.path().join("broken.yaml"), "snapshot: [").unwrap();
    let files = ["--snapshot", "many.jsonl", "--snapshot", "broken.yaml"];
    let (_, out, _) = run(folder.path(), &[&["--format", "json"], files.as_slice()].concat());
    let document: Value = serde_json::from_str(&out).unwrap();
    let one = |file: &str| run(folder.path(), &["--format", "json", "--snapshot", file]).1;
    assert!(out.starts_with("{\n  \"schema\": 1,\n  \"stslint\": \"") && out.ends_with("\n  ]\n}\n"), "{out}");
    let within =
        |text: &str| text.split_once("\"results\": [\n").unwrap().1.split_once("\n  ],\n").unwrap().0.to_owned();
    assert_eq!(within(&out).matches("\n    },\n    {\n").count(), 2);
    assert!(!within(&one("many.jsonl")).contains("\n\n"));
    assert_eq!(document["results"].as_array().unwrap().len(), 3);
    assert_eq!(document["unreadable"][0]["name"], "broken.yaml");
    let (_, lines, _) = run(folder.path(), &[&["--format", "jsonl"], files.as_slice()].concat());
    for (line, report) in lines.lines().zip(document["results"].as_array().unwrap()) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["checks"], report["checks"]);
    }
    let (_, none, _) = run(folder.path(), &["--format", "json", "--snapshot", "broken.yaml"]);
    assert_eq!(serde_json::from_str::<Value>(&none).unwrap()["results"], Value::Array(Vec::new()));
}
