//! The recipes of CONTRIBUTING: they run as written, and what somebody forgot is told with its place.

use std::path::Path;
use std::process::Command;

/// Runs the program in a folder; its exit code, and what it says.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// The files of built-in rules.
fn rule_files() -> Vec<String> {
    let files = std::fs::read_dir("rules").unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = files.filter(|path| path.is_file()).map(|path| path.display().to_string()).collect();
    names.sort();
    names
}

/// A rule as the recipe has it, with its cases.
const RULE: &str = r#"
  - id: mx-few
    title: The domain has at most five MX hosts
    severity: note
    cites: [RFC 5321 §5.1]
    requires: [mx-published]
    assert: size(mx.hosts) <= 5
    at: mx.hosts
    message: "the domain has {size(mx.hosts)} MX hosts: senders try some of them only"
    help: Keep those that are needed.
    tests:
      pass: [{}]
      fail: [{ mx.records: [{ preference: 1, exchange: a.example.com }, { preference: 1, exchange: b.example.com }, { preference: 1, exchange: c.example.com }, { preference: 1, exchange: d.example.com }, { preference: 1, exchange: e.example.com }, { preference: 1, exchange: f.example.com }] }]
"#;

/// A copy of the project's rules, with more at the end of `rules/mx.yaml`.
fn with_rule(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    let mx = std::fs::read_to_string("rules/mx.yaml").unwrap();
    std::fs::write(folder.path().join("rules/mx.yaml"), mx.trim_end().to_owned() + "\n" + text).unwrap();
    folder
}

#[test]
fn the_cases_of_each_built_in_file_run_on_the_untouched_tree() {
    for name in rule_files() {
        let (code, said) = run(Path::new("."), &["--no-config", "rules", "test", &name]);
        assert_eq!(code, 0, "{name}: {said}");
        assert!(said.contains(" 0 did not\n"), "{said}");
    }
    let (code, said) = run(Path::new("."), &["--no-config", "rules", "test", "rules/mx.yaml", "./rules/policy.yaml"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_rule_is_an_entry_with_its_cases() {
    let count = |said: &str| said.lines().last().and_then(|line| line.split(' ').next()?.parse::<usize>().ok());
    let (_, before) = run(Path::new("."), &["--no-config", "rules", "test", "rules/mx.yaml"]);
    let (code, said) = run(with_rule(RULE).path(), &["--no-config", "rules", "test", "rules/mx.yaml"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(count(&said), count(&before).map(|count| count + 1), "{said}");
}

#[test]
fn a_mistake_in_a_new_rule_is_told_with_its_place() {
    let line = |text: &str| {
        let mx = std::fs::read_to_string("rules/mx.yaml").unwrap();
        mx.trim_end().lines().count() + RULE.lines().position(|line| line.contains(text)).unwrap() + 1
    };
    for (written, instead, expected) in [
        ("size(mx.hosts) <= 5", "size(mx.hots) <= 5", "hots"),
        ("requires: [mx-published]", "requires: [mx-publised]", "mx-publised"),
        ("severity: note", "severity: notice", "notice"),
    ] {
        let folder = with_rule(&RULE.replacen(written, instead, 1));
        let (code, said) = run(folder.path(), &["--no-config", "rules", "test", "rules/mx.yaml"]);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(&format!("[rules/mx.yaml:{}:", line(written))) && said.contains(expected), "{said}");
    }
    let untested = RULE.split("    tests:").next().unwrap();
    let (code, said) = run(with_rule(untested).path(), &["--no-config", "rules", "test", "rules/mx.yaml"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("mx-few has no passing and no failing case"), "{said}");
}

#[test]
fn a_file_of_the_same_name_with_other_rules_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    let few = RULE.replace("mx-few", "acme-few");
    std::fs::write(folder.path().join("rules/mx.yaml"), format!("group: acme\nrules:{few}")).unwrap();
    let (code, said) = run(folder.path(), &["--no-config", "rules", "test", "rules/mx.yaml"]);
    // It requires a built-in rule of the file of that name.
    assert_eq!((code, said.contains("1 rule, 2 cases held")), (0, true), "{said}");
    let taken = few.replace("acme-few", "mx-covered");
    std::fs::write(folder.path().join("rules/mx.yaml"), format!("group: acme\nrules:{taken}")).unwrap();
    let (code, said) = run(folder.path(), &["--no-config", "rules", "test", "rules/mx.yaml"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("mx-covered") && said.contains("taken"), "{said}");
}

#[test]
fn each_format_is_in_the_readme() {
    let (_, said) = run(Path::new("."), &["check", "--snapshot", "-", "--output", "none=x"]);
    let named = said.split_once("known: ").or_else(|| said.split_once("available: ")).expect(&said).1;
    let names: String = named.lines().take_while(|line| !line.trim().is_empty()).collect();
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    assert!(names.len() > 10, "{said}");
    let readme = std::fs::read_to_string("README.md").unwrap();
    for name in names {
        let listed = readme.lines().any(|line| line.starts_with("| ") && line.contains(&format!("`{name}`")));
        assert!(listed, "README.md, Formats: `{name}` is missing");
    }
}
