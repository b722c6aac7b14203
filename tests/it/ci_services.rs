//! What CI services show of a run is what the run came to: JUnit, SARIF, GitHub's annotations and summary, and metrics.

use std::path::Path;

use assert_cmd::Command;
use quick_xml::events::Event;
use serde_json::Value;

/// Two errors, and a remark on the line endings.
const WRONG: &str = "version: STSv1\nmode: enfroce\nmx: mx.example.com\nmax-age: 86400\n";

struct Ran {
    code: i32,
    out: String,
}

fn run(folder: &Path, variables: &[(&str, &Path)], args: &[&str]) -> Ran {
    let mut command = Command::cargo_bin("stslint").unwrap();
    for name in ["GITHUB_WORKSPACE", "CI_PROJECT_DIR", "GITHUB_STEP_SUMMARY"] {
        command.env_remove(name);
    }
    command.args(["check", "--no-config"]).args(args).current_dir(folder).env("NO_COLOR", "1");
    let output = command.envs(variables.iter().copied()).output().unwrap();
    Ran { code: output.status.code().unwrap(), out: String::from_utf8(output.stdout).unwrap() }
}

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/{name}/snapshot.yaml")).display().to_string()
}

/// The names of the elements directly below each element of a document, and the text of each `system-out`.
fn elements(xml: &str) -> (Vec<(String, Vec<String>)>, Vec<String>) {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut open, mut all, mut printed) = (Vec::<(String, Vec<String>)>::new(), Vec::new(), Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) => {
                let name = String::from_utf8_lossy(element.name().as_ref().as_bytes()).into_owned();
                open.last_mut().into_iter().for_each(|(_, below)| below.push(name.clone()));
                open.push((name, Vec::new()));
            }
            Event::Empty(element) => {
                let name = String::from_utf8_lossy(element.name().as_ref().as_bytes()).into_owned();
                open.last_mut().into_iter().for_each(|(_, below)| below.push(name.clone()));
                all.push((name, Vec::new()));
            }
            Event::Text(text) if open.last().is_some_and(|(name, _)| name == "system-out") => {
                printed.push(text.xml10_content().into_owned());
            }
            Event::End(_) => all.extend(open.pop()),
            Event::Eof => return (all, printed),
            _ => {}
        }
    }
}

fn count(xml: &str, element: &str) -> usize {
    xml.matches(&format!("<{element} ")).count()
}

#[test]
fn junit_fails_where_the_run_does() {
    let folder = tempfile::tempdir().unwrap();
    let testing = fixture("testing");
    let junit =
        |args: &[&str]| run(folder.path(), &[], &[&["--format", "junit", "--snapshot", &testing], args].concat());
    // A note fails no run unless that is asked for.
    let ran = junit(&[]);
    assert_eq!((ran.code, count(&ran.out, "failure"), count(&ran.out, "error")), (0, 0, 0), "{}", ran.out);
    assert!(ran.out.contains("note[policy-enforced]: the mode is testing"), "{}", ran.out);
    assert!(ran.out.contains("<skipped message=\"not checked: DNSSEC was not looked at\""), "{}", ran.out);
    let ran = junit(&["--fail-on", "note"]);
    assert_eq!((ran.code, count(&ran.out, "failure")), (1, 1), "{}", ran.out);
    assert!(ran.out.contains("type=\"note\"") && !ran.out.contains("note[policy-enforced]"), "{}", ran.out);
    // What the run could not do without is an error, and it is counted as one.
    let ran = junit(&["--require-complete"]);
    assert_eq!((ran.code, count(&ran.out, "failure")), (3, 0), "{}", ran.out);
    let errors = count(&ran.out, "error");
    assert!(errors > 5 && ran.out.contains(&format!("errors=\"{errors}\"")), "{}", ran.out);
    assert!(ran.out.contains("<error message=\"not checked: DNSSEC was not looked at\" type=\"not checked\"/>"));
    let wrong = fixture("mx-not-covered");
    let ran = run(folder.path(), &[], &["--format", "junit", "--snapshot", &wrong, "--fail-on", "never"]);
    assert_eq!((ran.code, count(&ran.out, "failure")), (0, 0), "{}", ran.out);
    assert!(ran.out.contains("error[mx-covered]: no `mx` pattern matches"), "{}", ran.out);
}

/// The schema of Ant's reports is the strictest: what a test case and a suite may hold, and in which order.
#[test]
fn junit_has_the_shape_of_ants_reports() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("broken.yaml"), "snapshot: [").unwrap();
    let (testing, wrong) = (fixture("testing"), fixture("mx-not-covered"));
    let args = ["--format", "junit", "--snapshot", &testing, "--snapshot", &wrong, "--snapshot", "broken.yaml"];
    for more in [&[][..], &["--require-complete"], &["--fail-on", "never"], &["--fail-on", "note"]] {
        let ran = run(folder.path(), &[], &[&args, more].concat());
        let (elements, printed) = elements(&ran.out);
        for (name, below) in &elements {
            let below: Vec<&str> = below.iter().map(String::as_str).collect();
            match name.as_str() {
                "testcase" => assert!(matches!(below[..], [] | ["skipped" | "error" | "failure"]), "{below:?}"),
                "testsuite" => {
                    assert_eq!(
                        (below[0], &below[below.len() - 2..]),
                        ("properties", &["system-out", "system-err"][..])
                    );
                    assert!(below[1..below.len() - 2].iter().all(|it| *it == "testcase"), "{below:?}");
                }
                "testsuites" => assert_eq!(below, ["testsuite"; 3]),
                "properties" => assert!(below.iter().all(|it| *it == "property"), "{below:?}"),
                _ => assert!(below.is_empty(), "{name}: {below:?}"),
            }
        }
        assert!(!printed.is_empty() || more.contains(&"note"), "{more:?}: {printed:?}");
    }
}

fn sarif(folder: &Path, variables: &[(&str, &Path)], args: &[&str]) -> (i32, Value) {
    let ran = run(folder, variables, &[&["--format", "sarif"], args].concat());
    (ran.code, serde_json::from_str::<Value>(&ran.out).unwrap()["runs"][0].clone())
}

#[test]
fn sarif_says_how_the_run_went() {
    let folder = tempfile::tempdir().unwrap();
    let dead = "snapshot: 1\ndomain: dead.example\nmx: { name: dead.example, outcome: timeout }\n";
    std::fs::write(folder.path().join("dead.yaml"), dead).unwrap();
    let (testing, wrong) = (fixture("testing"), fixture("mx-not-covered"));
    for (args, code, successful) in [
        (&["--snapshot", testing.as_str()][..], 0, true),
        // Findings are what was looked for.
        (&["--snapshot", &wrong], 1, true),
        (&["--snapshot", "dead.yaml"], 2, false),
        (&["--snapshot", "dead.yaml", "--snapshot", &testing], 1, false),
        (&["--snapshot", "none.yaml", "--snapshot", &testing], 1, false),
        (&["--snapshot", &testing, "--require-complete"], 3, false),
    ] {
        let (ended, run) = sarif(folder.path(), &[], args);
        let invocation = &run["invocations"][0];
        assert_eq!((ended, &invocation["exitCode"]), (code, &code.into()), "{args:?}");
        assert_eq!(invocation["executionSuccessful"], successful, "{args:?}");
        assert!(invocation["exitCodeDescription"].is_string(), "{args:?}");
        let notifications = invocation["toolExecutionNotifications"].as_array().unwrap();
        let errors = notifications.iter().filter(|it| it["level"] == "error").count();
        assert_eq!(errors == 0, successful, "{args:?}: {notifications:?}");
    }
}

#[test]
fn every_result_has_a_line_hash_and_links_to_its_related_places() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mta-sts.txt"), WRONG).unwrap();
    let hash = |run: &Value, rule: &str| {
        let results = run["results"].as_array().unwrap();
        let result = results.iter().find(|result| result["ruleId"] == rule).unwrap();
        result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned()
    };
    let (_, run) = sarif(folder.path(), &[], &["--policy", "mta-sts.txt"]);
    let mode = hash(&run, "policy-mode");
    // The hash goes by the line and what follows it, and not by its number.
    std::fs::write(folder.path().join("mta-sts.txt"), format!("\n\n{WRONG}")).unwrap();
    let (_, run) = sarif(folder.path(), &[], &["--policy", "mta-sts.txt"]);
    assert_eq!(hash(&run, "policy-mode"), mode);
    std::fs::write(folder.path().join("mta-sts.txt"), WRONG.replace("mx.", "mx2.")).unwrap();
    let (_, run) = sarif(folder.path(), &[], &["--policy", "mta-sts.txt"]);
    assert_ne!(hash(&run, "policy-mode"), mode);
    let mut related_places = 0;
    // The host that is meant differs by a letter.
    std::fs::write(
        folder.path().join("near.txt"),
        "version: STSv1\nmode: enforce\nmx: mx.exampel.com\nmax_age: 86400\n",
    )
    .unwrap();
    let (wrong, expired) = (fixture("mx-not-covered"), fixture("host-expired"));
    for args in [["--policy", "near.txt", "--mx", "mx.example.com"], ["--snapshot", &wrong, "--snapshot", &expired]] {
        let (_, run) = sarif(folder.path(), &[], &args);
        for result in run["results"].as_array().unwrap() {
            let hash = result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap();
            assert!(hash.ends_with(":1") && hash.len() > 3, "{args:?}: {hash}");
            for related in result["relatedLocations"].as_array().unwrap_or(&Vec::new()) {
                related_places += 1;
                let message = result["message"]["text"].as_str().unwrap();
                assert!(message.contains(&format!("]({})", related["id"])), "{args:?}: {message}");
            }
        }
    }
    assert!(related_places > 0);
}

#[test]
fn files_are_named_as_in_the_repository() {
    let repository = tempfile::tempdir().unwrap();
    let site = repository.path().join("sites/a");
    std::fs::create_dir_all(&site).unwrap();
    std::fs::write(site.join("mta-sts.txt"), WRONG).unwrap();
    let root = std::fs::canonicalize(repository.path()).unwrap();
    for variable in ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"] {
        let variables = [(variable, root.as_path())];
        for (file, named) in [("mta-sts.txt", "sites/a/mta-sts.txt"), ("../a/mta-sts.txt", "sites/a/mta-sts.txt")] {
            let github = run(&site, &variables, &["--format", "github", file]).out;
            assert!(github.contains(&format!("::error file={named},line=2,")), "{github}");
            let (_, sarif) = sarif(&site, &variables, &[file]);
            let place = &sarif["results"][0]["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], named);
            let gitlab: Value =
                serde_json::from_str(&run(&site, &variables, &["--format", "gitlab", file]).out).unwrap();
            assert_eq!(gitlab[0]["location"]["path"], named);
        }
        // Whoever reads the log is in the working directory.
        let concise = run(&site, &variables, &["--format", "concise", "mta-sts.txt"]).out;
        assert!(concise.starts_with("mta-sts.txt:2:7: error[policy-mode]"), "{concise}");
        // A file elsewhere keeps its name.
        let elsewhere = tempfile::tempdir().unwrap();
        let file = elsewhere.path().join("mta-sts.txt");
        std::fs::write(&file, WRONG).unwrap();
        let github = run(&site, &variables, &["--format", "github", file.to_str().unwrap()]).out;
        assert!(github.contains(&format!("file={}", file.display())), "{github}");
    }
}

#[test]
fn annotations_that_github_drops_are_told_and_in_the_summary() {
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("summary.md");
    let names: Vec<String> = (1..=12).map(|number| format!("site{number}/mta-sts.txt")).collect();
    for name in &names {
        std::fs::create_dir(folder.path().join(name).parent().unwrap()).unwrap();
        std::fs::write(folder.path().join(name), WRONG).unwrap();
    }
    let files: Vec<&str> = names.iter().map(String::as_str).collect();
    let variables = [("GITHUB_STEP_SUMMARY", summary.as_path())];
    let ran = run(folder.path(), &variables, &[&["--format", "github"], files.as_slice()].concat());
    assert_eq!(ran.out.matches("::error ").count(), 24, "{}", ran.out);
    let last = ran.out.lines().last().unwrap();
    assert!(last.starts_with("::notice title=stslint::") && last.contains("The other 14 errors are"), "{last}");
    assert!(last.contains("summary of the step"), "{last}");
    let written = std::fs::read_to_string(&summary).unwrap();
    assert!(names.iter().all(|name| written.contains(name.as_str())), "{written}");
    // A second call in one step adds to the summary, and a few annotations leave nothing out.
    let ran = run(folder.path(), &variables, &["--format", "github", files[0]]);
    assert!(!ran.out.contains("::notice title=stslint"), "{}", ran.out);
    let both = std::fs::read_to_string(&summary).unwrap();
    assert!(both.starts_with(&written) && both.len() > written.len());
    // Other formats write no summary, and without one the log has everything.
    std::fs::remove_file(&summary).unwrap();
    run(folder.path(), &variables, &["--format", "concise", files[0]]);
    assert!(!summary.exists());
    let ran = run(folder.path(), &[], &[&["--format", "github"], files.as_slice()].concat());
    assert!(ran.out.ends_with("errors are in this log.\n"), "{}", ran.out);
}

#[test]
fn metrics_say_what_is_found_by_which_version_and_how_old_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (testing, wrong) = (fixture("testing"), fixture("mx-not-covered"));
    let args = ["--format", "prometheus", "--snapshot", &testing, "--snapshot", &wrong];
    let out = run(folder.path(), &[], &args).out;
    for expected in [
        format!("stslint_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")),
        "stslint_rule_findings{domain=\"mx-not-covered.example\",rule=\"mx-covered\",severity=\"error\"} 1".to_owned(),
        "stslint_rule_findings{domain=\"testing.example\",rule=\"policy-enforced\",severity=\"note\"} 1".to_owned(),
        "stslint_policy_mode{domain=\"testing.example\",mode=\"testing\"} 1".to_owned(),
        "stslint_mail{domain=\"testing.example\",fate=\"verified\"} 1".to_owned(),
    ] {
        assert!(out.contains(&expected), "{expected}: {out}");
    }
    let age =
        out.lines().find_map(|line| line.strip_prefix("stslint_observation_age_seconds{domain=\"testing.example\"} "));
    // The fixture was recorded on a day in November 2026 or before, and the clock of the machine decides.
    let observed: i64 = out
        .lines()
        .find_map(|line| line.strip_prefix("stslint_last_run_timestamp_seconds{domain=\"testing.example\"} "))
        .unwrap()
        .parse()
        .unwrap();
    let now = jiff::Timestamp::now().as_second();
    let age: i64 = age.unwrap().parse().unwrap();
    assert!((now - observed - age).abs() < 60, "{now} {observed} {age}");
}
