//! The library's front door, as a program would use it: the example against the lab, and recorded snapshots.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use stslint::{Error, Format, LintReport, Linter, Severity};

#[cfg(feature = "lab")]
#[allow(dead_code)]
#[path = "../../examples/customers.rs"]
mod customers;

const GOOD: &str = "fixtures/good/snapshot.yaml";
const BAD_ID: &str = "snapshot: 1\ndomain: example.com\ncollected_at: 2026-01-10T12:00:00Z\n\
                      record: { records: [{ strings: ['v=STSv1; id=a-b'] }] }\n";

fn lint(text: &str) -> LintReport {
    Linter::new().unwrap().lint(&stslint::parse(text).unwrap())
}

#[cfg(feature = "lab")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_answers_every_line() {
    use std::io::Write as _;
    use stslint::lab::{Lab, LabOptions};
    use stslint::{Collector, CollectorOptions, ResolverChoice, Roots};

    let lab = Lab::start(LabOptions::demo(std::time::SystemTime::now())).await.unwrap();
    let mut roots = tempfile::NamedTempFile::new().unwrap();
    roots.write_all(lab.roots_pem().as_bytes()).unwrap();
    let mut anchor = tempfile::NamedTempFile::new().unwrap();
    anchor.write_all(lab.trust_anchor().as_bytes()).unwrap();
    let mut options = CollectorOptions::default();
    options.resolver = ResolverChoice::Address(lab.resolver());
    options.roots = Roots::File(roots.path().to_owned());
    options.trust_anchor = Some(anchor.path().to_owned());
    options.https_port = lab.https_port();
    options.smtp_port = lab.smtp_port();
    let collector = Collector::new(options).unwrap();

    let lines = "perfect.example\n\nhttps://example.com/\nmx-not-covered.example\nnot a name\nbad-id.example\n";
    let mut answers = Vec::new();
    customers::check(lines, &collector.clone(), &Linter::new().unwrap(), |answer| answers.push(answer)).await;
    collector.finish().await;
    let begins: Vec<&str> = answers.iter().map(|answer| answer.split(": ").next().unwrap()).collect();
    assert_eq!(begins, ["perfect.example", "not checked", "mx-not-covered.example", "not checked", "bad-id.example"]);
    assert!(answers[0].contains("nothing to do"), "{}", answers[0]);
    assert!(answers[1].contains("is a URL"), "{}", answers[1]);
    for broken in [&answers[2], &answers[4]] {
        assert!(broken.contains(": error: ") && broken.contains("\n  To do: "), "{broken}");
    }
}

#[test]
fn linters_and_collectors_are_shared_between_tasks() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    shared::<Linter>();
    shared::<stslint::Collector>();
    shared::<LintReport>();
    // The collection of a domain can be a task of its own.
    let _ = |collector: stslint::Collector, domain: stslint::DomainName| {
        fn is_send<T: Send>(future: T) -> T {
            future
        }
        is_send(async move { collector.collect(&domain).await })
    };
}

#[test]
fn a_finding_says_what_where_why_and_what_to_do() {
    let report = lint(BAD_ID);
    assert_eq!((report.domain(), report.worst()), (Some("example.com"), Some(Severity::Error)));
    let finding = report.findings().into_iter().find(|finding| finding.rule == "record-id-format").unwrap();
    assert_eq!((finding.severity, finding.group.as_str()), (Severity::Error, "record"));
    assert!(finding.message.contains("`-`"), "{}", finding.message);
    assert!(finding.help.is_some());
    assert_eq!(finding.citations[0].text, "RFC 8461 §3.1");
    assert_eq!(finding.citations[0].url.as_deref(), Some("https://www.rfc-editor.org/rfc/rfc8461.html#section-3.1"));
    let location = finding.location.unwrap();
    let text = report.text(&location).unwrap();
    assert!(text[location.offset..location.offset + location.length].contains("a-b"), "{text}");
    assert!(report.not_checked().iter().any(|check| check.rule == "policy-mode" && !check.reason.is_empty()));
    assert!(!report.passed("record-id-format") && !report.passed("policy-mode") && !report.passed("no-such-rule"));
    assert!(report.passed("record-version"));
    assert_eq!(report.counts().errors, report.findings().iter().filter(|it| it.severity == Severity::Error).count());
    let nothing = lint("snapshot: 1\ndomain: example.com\n");
    assert!(nothing.nothing_checked().is_some() && nothing.findings().is_empty());
}

#[test]
fn the_library_and_the_command_write_the_same() {
    let linter = Linter::new().unwrap();
    let report = linter.lint(&stslint::read(GOOD).unwrap());
    for format in [Format::Human, Format::Json, Format::Jsonl, Format::Sarif, Format::Markdown, Format::Html] {
        let output = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
            .args(["check", "--no-config", "--snapshot", GOOD, "--format", format.word()])
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let command = String::from_utf8(output.stdout).unwrap();
        let library = linter.render(std::slice::from_ref(&report), format).unwrap();
        if format == Format::Sarif {
            // A library ends with no exit code.
            let [library, mut command] = [&library, &command].map(|text| serde_json::from_str::<Value>(text).unwrap());
            let invocation = command["runs"][0]["invocations"][0].as_object_mut().unwrap();
            assert_eq!(invocation.remove("exitCode"), Some(0.into()));
            invocation.remove("exitCodeDescription");
            assert_eq!(library, command);
        } else if format != Format::Human {
            assert_eq!(library, command, "{format}");
        }
        assert!(!library.is_empty() && library.is_ascii() | (format != Format::Human), "{format}");
    }
}

#[test]
fn rules_come_from_profiles_configurations_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.yaml");
    let rule = "group: acme\nrules:\n  - id: acme-mode\n    title: T\n    severity: error\n    cites: [ACME-1]\n    \
                assert: policy.mode == \"none\"\n    message: the mode is {policy.mode}\n    requires: [policy-mode]\n";
    std::fs::write(&own, rule).unwrap();
    let configuration = folder.path().join("stslint.yaml");
    std::fs::write(&configuration, "rules: { acme-mode: note }\ninclude: [own.yaml]\n").unwrap();
    let good = stslint::read(GOOD).unwrap();
    let severity = |linter: &Linter| {
        let finding = linter.lint(&good).findings().into_iter().find(|finding| finding.rule == "acme-mode")?;
        assert_eq!(finding.citations[0].url, None);
        Some(finding.severity)
    };
    assert_eq!(severity(&Linter::new().unwrap()), None);
    assert_eq!(severity(&Linter::builder().rules(&own).build().unwrap()), Some(Severity::Error));
    let configured = Linter::builder().configuration(&configuration).profile("strict").build().unwrap();
    assert_eq!(severity(&configured), Some(Severity::Note));
    let rules = |linter: &Linter| linter.lint(&good).counts();
    let minimal = Linter::builder().profile("minimal").build().unwrap();
    assert_ne!(rules(&minimal), rules(&Linter::new().unwrap()), "a profile changes which rules are in force");
}

#[test]
fn an_error_shows_every_mistake_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.yaml");
    std::fs::write(&own, "group: acme\nrules:\n  - id: acme-a\n    titel: T\n").unwrap();
    let error = Linter::builder().rules(&own).build().unwrap_err();
    assert!(!error.to_string().contains('\n'), "{error}");
    assert!(error.details().contains("own.yaml:4:5") && error.details().contains("`title`"), "{}", error.details());
    assert_eq!(format!("{error:?}"), error.details());
    let errors: [Error; 6] = [
        Linter::builder().profile("strictest").build().unwrap_err(),
        Linter::builder().configuration("no/such/stslint.yaml").build().unwrap_err(),
        stslint::read("no/such/snapshot.yaml").unwrap_err(),
        stslint::parse("").unwrap_err(),
        stslint::parse("snapshot: 99\ndomain: example.com\n").unwrap_err(),
        stslint::parse_bytes(b"snapshot: 1\ndomain: \xff\n").unwrap_err(),
    ];
    for error in errors {
        assert!(!error.to_string().is_empty() && error.details().is_ascii(), "{}", error.details());
    }
}

#[test]
fn many_snapshots_are_read_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.jsonl");
    let line = "{\"snapshot\":1,\"domain\":\"example.com\"}\n";
    std::fs::write(&path, format!("{line}broken\n{line}")).unwrap();
    let read: Vec<bool> = stslint::read_all(&path).map(|snapshot| snapshot.is_ok()).collect();
    assert_eq!(read, [true, false, true]);
    assert!(stslint::read(Path::new(&path)).is_ok());
    std::fs::write(&path, "").unwrap();
    assert!(stslint::read(&path).is_err());
}

#[test]
fn a_change_since_an_older_snapshot_is_judged() {
    let linter = Linter::new().unwrap();
    let older = stslint::read(GOOD).unwrap();
    let mut newer = older.clone();
    let policy = newer.policy.as_mut().unwrap().as_mut().unwrap();
    policy.body = policy.body.lossy().replace("mode: enforce", "mode: testing").as_bytes().into();
    let rules = |report: LintReport| report.findings().into_iter().map(|it| it.rule).collect::<Vec<_>>();
    let (alone, since) = (rules(linter.lint(&newer)), rules(linter.lint_since(&newer, &older)));
    assert!(since.len() > alone.len(), "{alone:?} {since:?}");
}
