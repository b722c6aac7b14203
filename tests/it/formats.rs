//! The formats of reports, from outside: each as it is printed, and each as its readers need it.

use std::collections::BTreeSet;
use std::path::Path;

use assert_cmd::Command;
use quick_xml::events::Event;
use serde_json::Value;

const POLICY: &str = "version: STSv1\r\nmode: enfroce\r\nmx: mx.example.com\r\nmax-age: 86400\r\n";

struct Ran {
    code: i32,
    out: String,
    err: String,
}

/// Runs `check` in a folder that holds the fixtures, a policy file with two faults, and a broken snapshot.
fn check(folder: &Path, args: &[&str]) -> Ran {
    let output = Command::cargo_bin("stslint")
        .unwrap()
        .args(["check", "--no-config"])
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env_remove("GITHUB_STEP_SUMMARY")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mta-sts.txt"), POLICY).unwrap();
    std::fs::write(folder.path().join("broken.yaml"), "schema: 1\ndomain: [\n").unwrap();
    for name in ["good", "mx-not-covered", "host-expired", "policy-html"] {
        let from = format!("fixtures/{name}/snapshot.yaml");
        std::fs::copy(from, folder.path().join(format!("{name}.yaml"))).unwrap();
    }
    folder
}

/// Two domains with a fault each, in few groups of rules.
const TWO: [&str; 8] =
    ["--snapshot", "mx-not-covered.yaml", "--snapshot", "host-expired.yaml", "--select", "mx", "--select", "host"];

/// The text without what another version of the project, or one more rule, would print differently.
fn stable(text: &str) -> String {
    crate::totals::without_totals(&without_ages(&text.replace(env!("CARGO_PKG_VERSION"), "VERSION")))
}

/// Metrics without the ages of the observations, which the clock of the run decides.
fn without_ages(text: &str) -> String {
    let aged = |line: &&str| line.starts_with("stslint_observation_age_seconds{");
    text.split_inclusive('\n').filter(|line| !aged(line)).collect()
}

/// The formats that the program says it has.
fn all_formats(folder: &Path) -> Vec<String> {
    let ran = check(folder, &["--format", "no-such-format"]);
    let (_, listed) = ran.err.split_once("[possible values: ").unwrap();
    listed.split_once(']').unwrap().0.split(',').map(|format| format.trim().to_owned()).collect()
}

#[test]
fn no_format_is_silent_about_a_finding() {
    let folder = folder();
    let formats = all_formats(folder.path());
    assert!(formats.len() >= 12 && formats.contains(&"sarif".to_owned()), "{formats:?}");
    for format in &formats {
        let ran = check(folder.path(), &[&["--format", format], TWO.as_slice()].concat());
        for rule in ["mx-covered", "host-cert-valid-now"] {
            let told = match format.as_str() {
                // These count findings, and name none or the worst.
                "nagios" => ran.out.contains("2 errors"),
                "prometheus" => {
                    ran.out.contains("stslint_findings{domain=\"host-expired.example\",severity=\"error\"} 1")
                }
                _ => ran.out.contains(rule),
            };
            assert!(told, "`--format {format}` does not name `{rule}`: {}", ran.out);
        }
        let file = format!("silent.{format}");
        let output = format!("--output={format}={file}");
        check(folder.path(), &[&["--format", "nagios", &output], TWO.as_slice()].concat());
        let written = std::fs::read_to_string(folder.path().join(&file)).unwrap();
        assert!(!written.is_empty(), "`--output {format}=FILE` writes nothing");
    }
}

/// The text without the time of the run, which is where an input has none of its own.
fn timeless(text: &str) -> String {
    let Some((before, after)) = text.split_once("timestamp=\"") else { return text.to_owned() };
    let (time, after) = after.split_once('"').unwrap();
    assert!(time.parse::<jiff::civil::DateTime>().is_ok(), "{time}");
    format!("{before}timestamp=\"TIME\"{after}")
}

#[test]
fn each_format_as_it_is_printed() {
    let folder = folder();
    for format in ["concise", "github", "gitlab", "junit", "markdown", "nagios", "prometheus"] {
        let ran = check(folder.path(), &[&["--format", format], TWO.as_slice()].concat());
        insta::assert_snapshot!(format!("two_{format}"), stable(&ran.out));
        assert_eq!((ran.code, ran.err.as_str()), (if format == "nagios" { 2 } else { 1 }, ""), "{format}");
        let policy = ["--policy", "mta-sts.txt", "--select", "policy-mode", "--select", "policy-max-age"];
        let ran = check(folder.path(), &[&["--format", format], policy.as_slice()].concat());
        insta::assert_snapshot!(format!("policy_{format}"), timeless(&stable(&ran.out)));
    }
}

#[test]
fn sarif_points_into_the_file_and_keeps_to_its_schema() {
    let folder = folder();
    let mut schema: Value =
        serde_json::from_str(&std::fs::read_to_string("tests/schema/sarif-2.1.0-rtm.5.json").unwrap()).unwrap();
    // The official schema has a stray bracket in the pattern of a field that is never written.
    for owner in ["run", "toolComponent"] {
        schema["definitions"][owner]["properties"]["language"]["pattern"] = "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$".into();
    }
    let schema = jsonschema::draft4::new(&schema).unwrap();
    let read = |args: &[&str]| -> Value {
        let ran = check(folder.path(), &[&["--format", "sarif"], args].concat());
        let sarif = serde_json::from_str(&ran.out).unwrap();
        let errors: Vec<String> = schema.iter_errors(&sarif).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        sarif
    };
    let policy = read(&["--policy", "mta-sts.txt"]);
    let result = policy["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .find(|result| result["ruleId"] == "policy-max-age")
        .unwrap()
        .clone();
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "mta-sts.txt");
    let region = &place["region"];
    let number = |key: &str| usize::try_from(region[key].as_u64().unwrap()).unwrap();
    assert_eq!((number("startLine"), number("startColumn"), number("endLine"), number("endColumn")), (4, 1, 4, 8));
    assert_eq!(&POLICY[number("byteOffset")..][..number("byteLength")], "max-age");
    // Applying the replacement to the file's octets fixes the line.
    let replacement = &result["fixes"][0]["artifactChanges"][0]["replacements"][0];
    let deleted = |key: &str| usize::try_from(replacement["deletedRegion"][key].as_u64().unwrap()).unwrap();
    let mut fixed = POLICY.to_owned();
    let from = deleted("byteOffset");
    let with = replacement["insertedContent"]["text"].as_str().unwrap();
    fixed.replace_range(from..from + deleted("byteLength"), with);
    assert!(fixed.contains("\r\nmax_age: 86400\r\n"), "{fixed}");

    let two = read(&TWO);
    let rules = two["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    let results = two["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(rules[index]["helpUri"].as_str().unwrap().starts_with("https://"));
    }
}

#[test]
fn a_finding_keeps_its_fingerprint_when_lines_move() {
    let folder = folder();
    let fingerprints = || -> Vec<String> {
        let ran = check(folder.path(), &["--policy", "mta-sts.txt", "--select", "policy-mode", "--format", "sarif"]);
        let sarif: Value = serde_json::from_str(&ran.out).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["partialFingerprints"]["stslint/v1"].as_str().unwrap().to_owned()).collect()
    };
    let before = fingerprints();
    assert_eq!(before.len(), 1);
    std::fs::write(folder.path().join("mta-sts.txt"), POLICY.replace("mode:", "x: y\r\nmode:")).unwrap();
    assert_eq!(before, fingerprints());
}

#[test]
fn what_could_not_be_read_is_in_every_document() {
    let folder = folder();
    let args = ["--snapshot", "good.yaml", "--snapshot", "broken.yaml", "--select", "record"];
    for (format, expected) in [
        ("gitlab", "broken.yaml"),
        ("html", "broken.yaml"),
        ("json", "broken.yaml"),
        ("junit", "<error message"),
        ("markdown", "broken.yaml"),
        ("nagios", "STSLINT UNKNOWN"),
        ("prometheus", "stslint_unreadable_inputs 1"),
        ("sarif", "\"executionSuccessful\": false"),
    ] {
        let ran = check(folder.path(), &[&["--format", format], args.as_slice()].concat());
        assert_eq!(ran.code, if format == "nagios" { 3 } else { 1 }, "{format}: {}", ran.out);
        assert!(ran.out.contains(expected), "{format}: {}", ran.out);
        assert!(ran.err.contains("broken.yaml"), "{format}: {}", ran.err);
    }
}

#[test]
fn junit_counts_what_it_lists() {
    let folder = folder();
    let ran = check(folder.path(), &[&["--format", "junit"], TWO.as_slice()].concat());
    let mut reader = quick_xml::Reader::from_str(&ran.out);
    let (mut claimed, mut listed) = ([0_u32; 3], [0_u32; 3]);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) | Event::Empty(element) => match element.name().as_ref() {
                "testsuite" => {
                    for attribute in element.attributes().map(Result::unwrap) {
                        let keys = ["tests", "failures", "skipped"];
                        if let Some(key) = keys.iter().position(|key| attribute.key.as_ref() == *key) {
                            claimed[key] += attribute.value.parse::<u32>().unwrap();
                        }
                    }
                }
                "testcase" => listed[0] += 1,
                "failure" => listed[1] += 1,
                "skipped" => listed[2] += 1,
                _ => {}
            },
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(claimed, listed);
    assert_eq!(listed[1], 2, "{}", ran.out);
}

#[test]
fn metrics_are_metrics() {
    let folder = folder();
    // The same domain twice, as in a file of many observations: one series each all the same.
    let args = ["--snapshot", "good.yaml", "--snapshot", "good.yaml", "--snapshot", "policy-html.yaml"];
    let ran = check(folder.path(), &[&["--format", "prometheus"], args.as_slice()].concat());
    let mut series = BTreeSet::new();
    let mut described: Option<String> = None;
    for line in ran.out.lines() {
        match line.strip_prefix("# TYPE ") {
            Some(kind) => described = Some(kind.split(' ').next().unwrap().to_owned()),
            None if line.starts_with("# HELP ") => {}
            None => {
                let (name, value) = line.rsplit_once(' ').unwrap();
                assert!(name.starts_with(described.as_deref().unwrap()), "{line}");
                assert!(value.parse::<f64>().is_ok(), "{line}");
                assert!(series.insert(name), "twice: {line}");
            }
        }
    }
    assert!(series.contains("stslint_policy_mode{domain=\"example.com\",mode=\"enforce\"}"), "{}", ran.out);
    assert!(ran.out.ends_with('\n'));
}

#[test]
fn several_reports_at_once() {
    let folder = folder();
    let outputs = ["json", "sarif", "html", "junit", "gitlab", "markdown", "prometheus", "human", "jsonl"];
    let named: Vec<String> = outputs.iter().map(|format| format!("--output={format}=out.{format}")).collect();
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    let ran = check(folder.path(), &[&["--format", "concise"], named.as_slice(), TWO.as_slice()].concat());
    assert_eq!((ran.code, ran.out.lines().count()), (1, 2), "{}{}", ran.out, ran.err);
    for format in outputs {
        let alone = check(folder.path(), &[&["--format", format], TWO.as_slice()].concat());
        let written = std::fs::read_to_string(folder.path().join(format!("out.{format}"))).unwrap();
        match format {
            // A file takes the Unicode signs that a pipe without a locale does not.
            "human" => assert!(written.contains("mx-not-covered.example, as observed on"), "{written}"),
            _ => assert_eq!(without_ages(&written), without_ages(&alone.out), "{format}"),
        }
    }
    let left: BTreeSet<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.contains(".yaml") && !name.starts_with("out.") && name != "mta-sts.txt")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn outputs_that_cannot_be_are_usage_errors() {
    let folder = folder();
    for (args, expected) in [
        (&["--output", "sarfi=x"][..], "did you mean `sarif`?"),
        (&["--output", "json"], "json=FILE"),
        (&["--format", "json", "--output", "html=-"], "two reports cannot go to standard output"),
        (&["--output", "json=x", "--output", "html=x"], "two reports cannot go to one file"),
        (&["--output", "json=no/such/folder/x"], "no/such/folder"),
        (&["--severity", "policy-mdoe=error"], "did you mean `policy-mode`?"),
        (&["--severity", "policy-mode=fatal"], "error"),
    ] {
        let ran = check(folder.path(), &[args, &["--policy", "mta-sts.txt"]].concat());
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(expected), "{args:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{args:?}");
    }
}

#[test]
fn filters_choose_what_is_reported() {
    let folder = folder();
    let rules = |args: &[&str]| -> (i32, Vec<String>) {
        let ran = check(folder.path(), &[&["--policy", "mta-sts.txt", "--format", "concise"], args].concat());
        let id = |line: &str| line.split(['[', ']']).nth(1).unwrap().to_owned();
        (ran.code, ran.out.lines().map(id).collect())
    };
    let both = ["policy-mode", "policy-max-age"].map(str::to_owned).to_vec();
    assert_eq!(rules(&[]), (1, both.clone()));
    assert_eq!(rules(&["--ignore", "policy-mode"]), (1, both[1..].to_vec()));
    // With the last rule that has something to look at, nothing is left to check.
    assert_eq!(check(folder.path(), &["--policy", "mta-sts.txt", "--ignore", "policy"]).code, 2);
    assert_eq!(rules(&["--ignore", "policy-mode", "--ignore", "policy-max-age"]), (0, Vec::new()));
    assert_eq!(rules(&["--severity", "policy=note"]), (0, both.clone()));
    assert_eq!(rules(&["--severity", "policy=note", "--fail-on", "note"]), (1, both.clone()));
    assert_eq!(rules(&["--severity", "policy-mode=note", "--min-severity", "warning"]), (1, both[1..].to_vec()));
    assert_eq!(rules(&["--fail-on", "never"]), (0, both.clone()));
    assert_eq!(rules(&["--severity", "policy=note", "--require-complete"]).0, 3);
    let quiet = check(folder.path(), &["--policy", "mta-sts.txt", "--quiet"]);
    assert!(quiet.out.contains("policy-mode") && !quiet.out.contains("Checks performed"), "{}", quiet.out);
    let shown = check(folder.path(), &["--policy", "mta-sts.txt", "--show-passed"]);
    assert!(shown.out.contains("policy-version"), "{}", shown.out);
}

/// What nearly every healthy domain does too is shown beside what is published, and is no finding.
#[test]
fn remarks_are_in_every_report_and_are_no_findings() {
    let folder = folder();
    let policy = "version: STSv1\nmode: enforce\nmx: mx1.example.com\nmax_age: 1209600";
    std::fs::write(folder.path().join("lf.txt"), policy).unwrap();
    let run = |args: &[&str]| {
        let ran = check(folder.path(), &[&["--policy", "lf.txt"], args].concat());
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
        ran.out
    };
    let said = "the last line has no line ending";
    let human = run(&[]);
    assert!(human.contains("2 remarks") && human.contains("Remarks\n") && human.contains(said), "{human}");
    assert!(human.contains("No error and no warning"), "{human}");
    for format in ["html", "markdown", "json", "jsonl", "sarif", "junit"] {
        assert!(run(&["--format", format]).contains(said), "{format}");
    }
    for format in ["concise", "github"] {
        assert_eq!(run(&["--format", format]), "", "{format}");
    }
    let json: Value = serde_json::from_str(&run(&["--format", "json"])).unwrap();
    let summary = &json["results"][0]["summary"];
    assert_eq!((&summary["remarks"], &summary["notes"]), (&2.into(), &0.into()));
    let sarif: Value = serde_json::from_str(&run(&["--format", "sarif"])).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    assert!(results.iter().all(|it| it["kind"] == "informational" && it["level"] == "none"), "{results:?}");
    assert!(run(&["--format", "prometheus"]).contains("outcome=\"remark\"} 2"));
    // A severity makes it a finding, and what is worse in some cases stays so.
    let raised = ["--severity", "policy-line-endings=note", "--format", "concise"];
    assert!(run(&raised).contains("note[policy-line-endings]"));
    std::fs::write(folder.path().join("lf.txt"), policy.replace('\n', "\r")).unwrap();
    assert!(
        check(folder.path(), &[&["--policy", "lf.txt"], &raised[..]].concat())
            .out
            .contains("error[policy-line-endings]")
    );
    std::fs::write(folder.path().join("lf.txt"), format!("{policy}\n")).unwrap();
    let quiet = check(folder.path(), &["--policy", "lf.txt", "--quiet"]);
    assert_eq!(quiet.out, "");
}

/// A run in which nothing could be checked is no green run, whatever the format.
#[test]
fn a_run_that_checked_nothing_ends_with_2_and_says_why() {
    let folder = folder();
    let dead = "snapshot: 1\ndomain: dead.example\nmx: { name: dead.example, outcome: timeout }\n";
    std::fs::write(folder.path().join("dead.yaml"), dead).unwrap();
    let why = "nothing could be checked: ";
    for format in ["human", "concise", "gitlab", "github", "html", "json", "junit", "markdown", "sarif"] {
        let ran = check(folder.path(), &["--snapshot", "dead.yaml", "--format", format, "--fail-on", "never"]);
        assert_eq!(ran.code, 2, "{format}: {}", ran.out);
        assert!(ran.out.to_lowercase().contains(why), "{format}: {}", ran.out);
        assert!(ran.err.contains(&format!("dead.example: {why}")), "{format}: {}", ran.err);
    }
    let sarif = check(folder.path(), &["--snapshot", "dead.yaml", "--format", "sarif"]).out;
    assert!(sarif.contains("\"executionSuccessful\": false"), "{sarif}");
    let metrics = check(folder.path(), &["--snapshot", "dead.yaml", "--format", "prometheus"]);
    assert!(metrics.code == 2 && metrics.out.contains("stslint_unreadable_inputs 1"), "{}", metrics.out);
    let nagios = check(folder.path(), &["--snapshot", "dead.yaml", "--format", "nagios"]);
    assert!(nagios.code == 3 && nagios.out.starts_with("STSLINT UNKNOWN"), "{}", nagios.out);
    // Beside a domain that could be checked it is as an input that could not be read.
    let good = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/good/snapshot.yaml").display().to_string();
    let both = check(folder.path(), &["--snapshot", "dead.yaml", "--snapshot", &good, "--format", "concise"]);
    assert_eq!((both.code, both.out.lines().count()), (1, 1), "{}", both.out);
}

/// A run that asks for all checks says which could not be made, however quiet it is.
#[test]
fn an_incomplete_run_is_told() {
    let folder = folder();
    let perfect = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/perfect/snapshot.yaml").display().to_string();
    for format in ["human", "json", "concise", "sarif"] {
        let args = ["--snapshot", &perfect, "--require-complete", "--quiet", "--format", format];
        let ran = check(folder.path(), &args);
        assert_eq!(ran.code, 3, "{format}");
        assert!(
            ran.err.contains("11 checks could not be made, such as mx-dnssec (DNSSEC was not looked at)"),
            "{}",
            ran.err
        );
    }
}

/// What is in force is not what is served: each format says it in the same words.
#[test]
fn every_report_says_what_is_in_force() {
    let folder = folder();
    for (fixture, policy, mail, label) in [
        ("perfect", "enforce", "verified", "delivered over verified TLS"),
        ("testing", "testing", "verified", "delivered over verified TLS"),
        ("host-expired", "absent", "unverified", "delivered unverified"),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/{fixture}/snapshot.yaml"));
        let path = path.display().to_string();
        let out = |format| check(folder.path(), &["--snapshot", &path, "--format", format]).out;
        let json: Value = serde_json::from_str(&out("json")).unwrap();
        let state = &json["results"][0]["state"];
        assert_eq!((&state["policy"], &state["mail"]), (&policy.into(), &mail.into()), "{fixture}");
        for (format, said) in [
            ("human", format!("policy in force: {policy}; mail: {label}")),
            ("nagios", format!("policy {policy} in force, mail {label}")),
            ("markdown", format!("| {policy} | {label} |")),
            ("prometheus", format!("mode=\"{policy}\"}} 1")),
            ("prometheus", format!("fate=\"{mail}\"}} 1")),
            ("junit", format!("name=\"policy_in_force\" value=\"{policy}\"")),
        ] {
            let text = out(format);
            assert!(text.contains(&said), "{fixture}: {said:?} is not in {text}");
        }
        assert!(out("html").contains("Policy in force"), "{fixture}");
    }
    std::fs::write(
        folder.path().join("other.txt"),
        "version: STSv1\nmode: enforce\nmx: mx.elsewhere.example\nmax_age: 604800\n",
    )
    .unwrap();
    let good = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/good/snapshot.yaml").display().to_string();
    let refused = check(folder.path(), &["--snapshot", &good, "--policy", "other.txt"]);
    assert!(refused.out.contains("policy in force: enforce; mail: refused\n"), "{}", refused.out);
}
