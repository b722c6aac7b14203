//! Hostile texts wherever one can get in, and every output read for what a terminal or a runner of CI jobs obeys.
//!
//! The formats are those that the program names, so that a new one is read too; a new command has to be added to [`COMMANDS`].

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

/// What a terminal obeys, what turns or hides text, and commands of runners (Azure Pipelines, GitHub, TeamCity).
const HOSTILE: &str = "a\x1b[31m\x1b]0;x\x07\u{9b}\u{202e}\u{200e}\u{feff}\u{2028} ::set-output name=p::x\n\
    ::set-output name=p::x\r\n  ::stop-commands::x\n##[error]x ##vso[task.x] ##teamcity[x]\n";

/// Words that are wrapped so that a command begins a line.
const WRAPPED: &str =
    "x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x ::set-output name=p::x ##vso[task.x]";

/// Every command, so that none is forgotten: those below are run with hostile texts, the others take none from anybody.
const COMMANDS: [&str; 19] = [
    "audit-sender",
    "check",
    "collect",
    "config",
    "init",
    "diff",
    "reports",
    "profiles",
    "rules",
    "scan",
    "explain",
    "facts",
    "eval",
    "serve",
    "schema",
    "senders",
    "completions",
    "man",
    "demo",
];

/// A folder, and everything that was found in an output.
struct Bench {
    folder: tempfile::TempDir,
    leaks: BTreeSet<String>,
}

impl Bench {
    fn new() -> Self {
        Bench { folder: tempfile::tempdir().unwrap(), leaks: BTreeSet::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn run<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&mut self, what: &str, arguments: I) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stslint"));
        let output = command.args(arguments).current_dir(self.folder.path()).output().unwrap();
        assert!(matches!(output.status.code(), Some(0..=3)), "{what}: {:?}", output.status);
        self.read(&format!("{what}, standard output"), &String::from_utf8_lossy(&output.stdout));
        self.read(&format!("{what}, standard error"), &String::from_utf8_lossy(&output.stderr));
        output
    }

    fn read(&mut self, what: &str, text: &str) {
        for line in text.split('\n') {
            // RFC 4180 §2: lines of CSV end with CRLF.
            let line = if what.contains("csv") { line.strip_suffix('\r').unwrap_or(line) } else { line };
            if let Some(fault) = fault(line) {
                let shown: String = line.chars().take(200).collect();
                self.leaks.insert(format!("{what}: {fault}: {shown:?}"));
            }
        }
    }

    fn end(self) {
        assert!(self.leaks.is_empty(), "{:#?}", self.leaks);
    }
}

/// What is wrong with a line of a log.
fn fault(line: &str) -> Option<&'static str> {
    // The program's own, where a service would else make a link of a name.
    let control = |c: char| c.is_control() && c != '\t';
    let unseen = |c: char| matches!(c, '\u{202e}' | '\u{200e}' | '\u{feff}' | '\u{2028}');
    let command = |rest: &str| rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).starts_with('[');
    if line.chars().any(|c| control(c) || unseen(c)) {
        Some("a control character")
    } else if line.split("##").skip(1).any(command) {
        Some("a command anywhere")
    } else if ["::set-output", "::stop-commands"].iter().any(|word| line.trim_start().starts_with(word)) {
        Some("a command at the beginning")
    } else {
        None
    }
}

/// The formats that a command has, as it says itself.
fn formats(command: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_stslint")).args([command, "--format", "none"]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let (_, values) = text.split_once("[possible values: ").unwrap();
    values.split_once(']').unwrap().0.split(", ").map(str::to_owned).collect()
}

/// The value with a hostile text in each of its strings in turn; of the elements of a list, in the first.
fn variants(value: &Value) -> Vec<Value> {
    let mut paths = Vec::new();
    strings(value, String::new(), &mut paths);
    let with = |path: &String, text: &dyn Fn(&str) -> String| {
        let mut value = value.clone();
        let place = value.pointer_mut(path).unwrap();
        *place = json!(text(place.as_str().unwrap()));
        value
    };
    let each = paths.iter().flat_map(|path| {
        [
            with(path, &|_| HOSTILE.to_owned()),
            with(path, &|text| format!("{text}{HOSTILE}")),
            with(path, &|text| format!("{text} {WRAPPED}")),
        ]
    });
    each.collect()
}

fn strings(value: &Value, at: String, paths: &mut Vec<String>) {
    match value {
        Value::String(_) => paths.push(at),
        Value::Array(list) => list.iter().take(1).for_each(|value| strings(value, format!("{at}/0"), paths)),
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            strings(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), paths);
        }),
        _ => {}
    }
}

fn good() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/good/snapshot.yaml");
    serde_json::to_value(stslint::snapshot::read(&path).next().unwrap().unwrap()).unwrap()
}

#[test]
fn every_command_is_known_here() {
    let output = Command::new(env!("CARGO_BIN_EXE_stslint")).arg("--help").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, commands) = text.split_once("Commands:\n").unwrap();
    let names = commands.lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    let names: BTreeSet<&str> = names.map(|line| line.split_whitespace().next().unwrap()).collect();
    let known: BTreeSet<&str> = COMMANDS.into_iter().chain(["help"]).collect();
    assert!(names.is_subset(&known), "{names:?}");
}

#[test]
fn no_line_of_a_scan_gives_a_command() {
    let mut bench = Bench::new();
    let list = bench.file("list.txt", &format!("{HOSTILE}{WRAPPED}\n")).display().to_string();
    for more in [&[][..], &["-v"], &["--findings"], &["--columns"]] {
        let arguments: Vec<&str> = ["scan", "--no-config", &list].into_iter().chain(more.iter().copied()).collect();
        bench.run("scan", &arguments);
    }
    bench.end();
}

#[test]
fn no_snapshot_gives_a_command() {
    let mut bench = Bench::new();
    let variants = variants(&good());
    let lines: String = variants.iter().map(|snapshot| format!("{snapshot}\n")).collect();
    let many = bench.file("many.jsonl", &lines);
    let mut arguments = vec!["check".to_owned(), "--no-config".to_owned(), "--snapshot".to_owned()];
    arguments.push(many.display().to_string());
    for format in formats("check") {
        arguments.push(format!("--output={format}={format}.out"));
    }
    bench.run("check", &arguments);
    for format in formats("check") {
        let text = std::fs::read_to_string(bench.path(&format!("{format}.out"))).unwrap();
        assert!(!text.is_empty(), "{format}");
        bench.read(&format!("check as {format}"), &text);
    }
    let old = bench.file("good.json", &good().to_string()).display().to_string();
    for snapshot in variants.iter().step_by(17) {
        let new = bench.file("new.json", &snapshot.to_string()).display().to_string();
        for format in formats("diff") {
            bench.run(&format!("diff as {format}"), ["diff", "--format", &format, &old, &new]);
        }
        for format in formats("facts") {
            bench.run(&format!("facts as {format}"), ["facts", "--format", &format, "--snapshot", &new]);
        }
        for format in formats("eval") {
            bench.run(&format!("eval as {format}"), ["eval", "mx.hosts", "--format", &format, "--snapshot", &new]);
        }
        bench.run("init", ["init", "--no-config", "--snapshot", &new]);
        // What `collect` writes goes to standard output too.
        if let Some(Ok(snapshot)) = stslint::snapshot::read(Path::new(&new)).next() {
            for format in [stslint::snapshot::Format::Yaml, stslint::snapshot::Format::JsonLines] {
                let text = stslint::snapshot::to_text(&snapshot, format).unwrap();
                bench.read(&format!("a snapshot as {format:?}"), &text);
                assert_eq!(stslint::snapshot::parse("written", &text, Some(format)).unwrap(), snapshot);
            }
        }
    }
    bench.end();
}

#[test]
fn no_report_and_no_text_gives_a_command() {
    let mut bench = Bench::new();
    let report = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/good/tls-reports.json");
    let report: Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    let snapshot = bench.file("good.json", &good().to_string()).display().to_string();
    let files: Vec<String> = variants(&report)
        .iter()
        .enumerate()
        .map(|(number, report)| bench.file(&format!("{number}.json"), &report.to_string()).display().to_string())
        .collect();
    for format in formats("reports") {
        let options = ["reports", "--no-config", "--format", &format].map(str::to_owned);
        bench.run(&format!("reports as {format}"), options.iter().chain(&files));
        let beside = ["--snapshot".to_owned(), snapshot.clone()];
        bench.run(&format!("reports beside a snapshot as {format}"), options.iter().chain(&beside).chain(&files));
    }
    let body = format!("version: STSv1\nmode: {WRAPPED}\n{HOSTILE}mx: {WRAPPED}\n{WRAPPED}\nmax_age: 1\n");
    let policy = bench.file("policy.txt", &body).display().to_string();
    for (record, tlsrpt) in [
        (WRAPPED.to_owned(), format!("v=TLSRPTv1; rua=mailto:{WRAPPED}")),
        (format!("v=STSv1; id={HOSTILE}"), format!("v=TLSRPTv1; rua={HOSTILE}")),
    ] {
        for format in formats("check") {
            let texts = ["check", "--no-config", "--policy", &policy, "--record", &record, "--tlsrpt", &tlsrpt];
            bench.run(&format!("texts as {format}"), texts.into_iter().chain(["--format", &format]));
        }
    }
    bench.end();
}

#[test]
fn no_rule_and_no_configuration_gives_a_command() {
    let mut bench = Bench::new();
    let snapshot = bench.file("good.json", &good().to_string()).display().to_string();
    let mode = "version: STSv1\nmode: x\nmx: a\nmax_age: 1\n";
    let rules = json!({ "group": "own", "about": "own", "rules": [{
        "id": "own-rule", "title": "T", "severity": "error", "cites": ["RFC 8461 §3.2"],
        "assert": "policy.mode == \"x\"", "at": "policy.mode", "message": "m {policy.mode}", "help": "h",
        "fix": { "replace": "policy.mode", "with": "x" },
        "tests": { "pass": [{ "policy.body": mode }], "fail": [{}] },
    }] });
    bench.file("stslint.yaml", "include: [rule.yaml]\n");
    for (number, rules) in variants(&rules).iter().step_by(2).enumerate() {
        bench.file("rule.yaml", &rules.to_string());
        bench.run("rules test", ["rules", "test", "rule.yaml"]);
        bench.run("check with own rules", ["check", "--snapshot", &snapshot]);
        match number % 3 {
            0 => bench.run("explain", ["explain", "own-rule"]),
            1 => bench.run("rules list", ["rules", "list"]),
            _ => bench.run("rules show", ["rules", "show", "own-rule"]),
        };
    }
    let configuration = json!({
        "extends": ["strict"],
        "rules": { "policy-mode": { "severity": "warning" } },
        "ignore": [{ "rule": "policy-mode", "domain": "x.example", "reason": "r", "until": "2030-01-01" }],
        "domains": [{ "names": ["a.example"], "tags": ["t"], "rules": { "policy-mode": "off" } }],
    });
    for configuration in variants(&configuration).iter().step_by(2) {
        bench.file("hostile.yaml", &configuration.to_string());
        bench.run("config show", ["config", "show", "--config", "hostile.yaml"]);
        bench.run("check with a configuration", ["check", "--config", "hostile.yaml", "--snapshot", &snapshot]);
    }
    bench.end();
}

#[test]
fn no_name_of_a_file_and_no_word_gives_a_command() {
    let mut bench = Bench::new();
    let name = "f\x1b[31m\n::set-output name=p::x ##vso[x]\u{202e}.yaml";
    let words: [&[&str]; 32] = [
        &["check", "--snapshot", name],
        &["check", "--policy", name],
        &["check", "--config", name],
        &["check", "--format", HOSTILE],
        &["check", "--output", HOSTILE],
        &["check", "--at", HOSTILE],
        &["check", HOSTILE],
        &["check", "x.example", "--resolver", HOSTILE],
        &["check", "x.example", "--roots", name],
        &["check", "x.example", "--helo", HOSTILE],
        &["check", "--\x1b[31m##vso[x]"],
        &["collect", HOSTILE],
        &["config", "show", "--config", name],
        &["diff", name, name],
        &["eval", HOSTILE],
        &["explain", HOSTILE],
        &["facts", HOSTILE],
        &["init", HOSTILE],
        &["init", "x.example", "--rua", HOSTILE],
        &["man", HOSTILE],
        &["profiles", "show", HOSTILE],
        &["senders", "show", HOSTILE],
        &["senders", "explain", "all", "--record", HOSTILE],
        &["reports", name],
        &["rules", "show", HOSTILE],
        &["rules", "test", name],
        &["rules", HOSTILE],
        &["schema", HOSTILE],
        &["completions", HOSTILE],
        &["serve", "--listen", HOSTILE],
        &["demo", HOSTILE],
        &[HOSTILE],
    ];
    for words in words {
        bench.run(&format!("{:?}", words), words);
    }
    let snapshot = bench.file("good.json", &good().to_string()).display().to_string();
    for text in ["{\"snapshot\":1,\"domain\":\"x.example\"}\n", "group: own\nrules: [1]\n", "\u{1b}[31m: ["] {
        bench.file(name, text);
        for words in [
            &["check", "--snapshot", name][..],
            &["check", "--policy", name],
            &["check", "--config", name, "--snapshot", &snapshot],
            &["diff", name, &snapshot],
            &["reports", name],
            &["rules", "test", name],
        ] {
            bench.run(&format!("{} of a file", words[0]), words);
        }
    }
    bench.end();
}
