//! The published schemas: in step with the types, and true of every file that they describe.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use jsonschema::Validator;
use serde_json::{Value, json};

fn printed(kind: &str) -> String {
    let output = Command::cargo_bin("stslint").unwrap().args(["schema", kind]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn validator(kind: &str) -> Validator {
    jsonschema::draft202012::new(&serde_json::from_str(&printed(kind)).unwrap()).unwrap()
}

/// The formats that a schema asks for.
fn formats(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(map) => {
            let own = map.get("format").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(map.values().flat_map(formats)).collect()
        }
        Value::Array(list) => list.iter().flat_map(formats).collect(),
        _ => Vec::new(),
    }
}

fn assert_valid(validator: &Validator, name: &str, value: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{name} {}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

fn yaml(path: &Path) -> Value {
    serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|own| own == ending));
    found.sort();
    assert!(!found.is_empty(), "{folder}");
    found
}

#[test]
fn the_published_schemas_are_those_of_the_types() {
    for kind in ["config", "report", "report-line", "rules", "senders", "snapshot"] {
        let path = format!("schema/{kind}.schema.json");
        let printed = printed(kind);
        if std::env::var_os("STSLINT_BLESS").is_some() {
            std::fs::write(&path, &printed).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(published == printed, "{path} is out of step: run `cargo bless`");
        let schema: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert!(schema["$id"].as_str().unwrap().ends_with(&path), "{}", schema["$id"]);
        assert!(schema["title"].is_string() && schema["description"].is_string(), "{kind}");
        // Validators refuse a format that they do not know; a property may have that name.
        assert_eq!(formats(&schema), [""; 0], "{kind}");
    }
}

#[test]
fn every_sender_is_valid_and_names_its_schema() {
    let schema = validator("senders");
    for path in files("rules/senders", "yaml") {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = "# yaml-language-server: $schema=../../schema/senders.schema.json\n";
        assert!(text.starts_with(name), "{}", path.display());
        assert_valid(&schema, &path.display().to_string(), &yaml(&path));
    }
}

#[test]
fn every_rule_file_is_valid_and_names_its_schema() {
    let schema = validator("rules");
    for path in files("rules", "yaml") {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("# yaml-language-server: $schema=../schema/rules.schema.json\n"),
            "{}",
            path.display()
        );
        assert_valid(&schema, &path.display().to_string(), &yaml(&path));
    }
    for (wrong, value) in [
        ("no group", json!({ "rules": [] })),
        ("unknown key", json!({ "group": "x", "rules": [], "ruels": [] })),
        (
            "not a result type",
            json!({ "group": "x", "rules": [{ "id": "x", "title": "x", "severity": "note", "cites": ["x"],
                "message": "x", "reported_as": "bad-luck" }] }),
        ),
        (
            "cites nothing",
            json!({ "group": "x", "rules": [{ "id": "x", "title": "x", "severity": "note", "cites": [], "message": "x" }] }),
        ),
    ] {
        assert!(!schema.is_valid(&value), "{wrong}");
    }
}

#[test]
fn configurations_are_valid_where_stslint_takes_them() {
    let schema = validator("config");
    for path in files("rules/profiles", "yaml") {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# yaml-language-server: $schema=../../schema/config.schema.json\n"));
        assert_valid(&schema, &path.display().to_string(), &yaml(&path));
    }
    assert_valid(
        &schema,
        "starter",
        &serde_yaml::from_str(&std::fs::read_to_string("src/config/starter.yaml").unwrap()).unwrap(),
    );
    let page = std::fs::read_to_string("docs/configuration.md").unwrap();
    let blocks: Vec<&str> = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 10);
    // The last block of the page is the one with mistakes.
    for (number, block) in blocks.iter().enumerate().filter(|(_, block)| !block.starts_with("group:")) {
        let value: Value = serde_yaml::from_str(block).unwrap();
        match number + 1 == blocks.len() {
            true => assert!(!schema.is_valid(&value)),
            false => assert_valid(&schema, block, &value),
        }
    }
    for (wrong, value) in [
        ("unknown key", json!({ "rule": {} })),
        ("no severity", json!({ "rules": { "policy-mode": "bad" } })),
        ("no severity of a rule of one's own", json!({ "rules": { "acme-x": "bad" } })),
        ("no such param", json!({ "rules": { "policy-max-age-short": { "params": { "minimun": 1 } } } })),
        ("no reason", json!({ "ignore": [{ "rule": "policy-mode", "until": "2027-01-01" }] })),
        ("nothing named", json!({ "ignore": [{ "reason": "x", "until": "2027-01-01" }] })),
        ("no day", json!({ "ignore": [{ "rule": "x", "reason": "x", "until": "soon" }] })),
        ("unknown option", json!({ "options": { "resolvr": "system" } })),
        ("too long", json!({ "options": { "timeout": 601 } })),
    ] {
        assert!(!schema.is_valid(&value), "{wrong}");
    }
}

/// The recorded snapshots among the fixtures.
fn snapshots() -> Vec<std::path::PathBuf> {
    let folders = std::fs::read_dir("fixtures").unwrap().map(|entry| entry.unwrap().path());
    folders.map(|folder| folder.join("snapshot.yaml")).filter(|path| path.exists()).collect()
}

#[test]
fn every_fixture_is_a_valid_snapshot() {
    let schema = validator("snapshot");
    for path in snapshots() {
        assert_valid(&schema, &path.display().to_string(), &yaml(&path));
    }
    assert!(!schema.is_valid(&json!({ "snapshot": 1, "domain": "example.com", "recrod": null })));
    assert!(!schema.is_valid(&json!({ "domain": "example.com" })));
}

#[test]
fn real_reports_are_valid() {
    let schema = validator("report");
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("stslint.yaml");
    let ignore =
        "ignore:\n- { group: policy, reason: x, until: 2999-01-01 }\n- { group: mx, reason: x, until: 2020-01-01 }\n";
    std::fs::write(&configuration, ignore).unwrap();
    let mut command = Command::cargo_bin("stslint").unwrap();
    command.arg("--config").arg(&configuration);
    command.args(["check", "--format", "json", "--fail-on", "never", "--offline", "example.com"]);
    for path in snapshots() {
        command.arg("--snapshot").arg(path);
    }
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["results"].as_array().unwrap().len() > 5);
    let ignored = report["results"].as_array().unwrap().iter().filter(|result| result["summary"]["ignored"] != 0);
    assert!(ignored.count() > 0);
    assert_valid(&schema, "report", &report);
    assert!(!schema.is_valid(&json!({ "schema": 1, "results": [] })));
    // Each line of JSON Lines has a schema of its own, and is no document.
    let line_schema = validator("report-line");
    let mut command = Command::cargo_bin("stslint").unwrap();
    command.args(["check", "--no-config", "--format", "jsonl", "--fail-on", "never", "--offline", "example.com"]);
    let output = command.arg("--snapshot").arg(&snapshots()[0]).output().unwrap();
    let lines: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert_valid(&line_schema, "line", line);
        assert!(!schema.is_valid(line) && !line_schema.is_valid(&report));
    }
}
