//! Recorded input that is very large, or never comes: it is bounded in what is said about it, and never waited for.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A snapshot of a domain with many MX hosts, none of which the many lines of its policy name.
fn many(hosts: usize, lines: usize) -> Value {
    let exchange = |number: usize| format!("mx{number}.hosts.example");
    let answer = |records: Value| json!({ "outcome": "answer", "ttl": 3600, "records": records });
    let patterns: String = (0..lines).map(|number| format!("mx: *.p{number}.other.example\r\n")).collect();
    json!({
        "snapshot": 1,
        "domain": "large.example",
        "collected_at": "2026-11-20T10:00:00Z",
        "mx": answer((0..hosts).map(|number| json!({ "preference": 10, "exchange": exchange(number) })).collect()),
        "record": answer(json!([{ "strings": ["v=STSv1; id=1;"] }])),
        "policy": { "body": format!("version: STSv1\r\nmode: enforce\r\n{patterns}max_age: 604800\r\n") },
        "mx_hosts": (0..hosts).map(|number| json!({
            "exchange": exchange(number),
            "ipv4": answer(json!([{ "address": "1.1.1.1" }])),
            "probes": [{ "address": "1.1.1.1", "connected": false }],
        })).collect::<Vec<_>>(),
    })
}

fn check(snapshot: &Path, options: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stslint"));
    command.args(["check", "--snapshot"]).arg(snapshot).args(options).output().unwrap()
}

#[test]
fn of_hundreds_of_findings_every_format_has_the_first_and_the_number_of_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("large.json");
    std::fs::write(&snapshot, many(400, 400).to_string()).unwrap();
    let formats = [
        "concise",
        "github",
        "gitlab",
        "html",
        "human",
        "json",
        "jsonl",
        "junit",
        "markdown",
        "nagios",
        "prometheus",
        "sarif",
    ];
    let path = |format: &str| folder.path().join(format);
    let outputs = formats.map(|format| format!("--output={format}={}", path(format).display()));
    let options: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let output = check(&snapshot, &options);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));

    let report: Value = serde_json::from_str(&std::fs::read_to_string(path("json")).unwrap()).unwrap();
    let summary = &report["results"][0]["summary"];
    assert!(summary["errors"].as_u64().unwrap() >= 400, "{summary}");
    let checks = report["results"][0]["checks"].as_array().unwrap();
    let of_rule: Vec<&Value> =
        checks.iter().filter(|check| check["rule"] == "smtp-reachable" && check["outcome"] == "fail").collect();
    assert_eq!(of_rule.len(), 32);
    assert_eq!(of_rule[31]["subject"], "369 more");
    let covered = checks.iter().find(|check| check["rule"] == "mx-covered").unwrap();
    assert!(covered["subject"].as_str().unwrap().len() < 4_000, "{covered}");
    for format in formats {
        let text = std::fs::read_to_string(path(format)).unwrap();
        // Two of them are a line or counts, and list nothing; the comment ends where services cut it off.
        if !["nagios", "prometheus", "markdown"].contains(&format) {
            assert!(text.contains("369 more checks of this rule ended the same way"), "{format}");
        }
        assert!(text.len() < 2 << 20, "{format}: {} octets", text.len());
    }
    let metrics = std::fs::read_to_string(path("prometheus")).unwrap();
    assert!(metrics.contains(&format!("severity=\"error\"}} {}", summary["errors"])), "{metrics}");
}

/// Runs a check that may take so many seconds of processor time and half a gigabyte of memory, and not more.
fn check_within(seconds: u32, snapshot: &Path) -> std::process::Output {
    let mut command = Command::new("sh");
    let limits = format!("ulimit -t {seconds}; ulimit -v {}; exec \"$0\" \"$@\"", 512 << 10);
    command.args(["-c", &limits, env!("CARGO_BIN_EXE_stslint")]);
    command.args(["check", "--format=json", "--snapshot"]).arg(snapshot).output().unwrap()
}

/// What is built without optimisation takes ten times as long as what is published.
const SECONDS: u32 = 20;

/// A key of the snapshot, its value of so many parts, and how many there may be.
type Case<'a> = (&'a str, &'a dyn Fn(usize) -> Value, usize);

#[test]
fn what_collect_never_writes_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let address = json!({ "address": "1.1.1.1" });
    let probes = |number: usize| json!([{ "exchange": "mx", "probes": vec![json!({ "address": "1.1.1.1" }); number] }]);
    let aliases = |number: usize| json!({ "aliases": vec![json!({ "name": "a", "target": "b" }); number] });
    let records = |record: Value, number: usize| json!({ "records": vec![record; number] });
    let text = |number: usize| json!({ "records": [{ "strings": ["a".repeat(number / 2), "a".repeat(number - number / 2)] }] });
    let chain = |names: usize| {
        json!([{ "exchange": "mx", "probes": [{ "address": "1.1.1.1",
        "tls": { "handshake": true, "chain": [{ "dns_ids": vec!["a"; names] }] } }] }])
    };
    let name = |octets: usize| json!({ "records": [{ "preference": 1, "exchange": "a.".repeat(octets / 2) }] });
    let cases: [Case<'_>; 9] = [
        ("mx", &|number| records(json!({ "preference": 1, "exchange": "mx" }), number), 1_024),
        ("ipv4", &|number| records(address.clone(), number), 1_024),
        ("mx_hosts", &|number| json!(vec![json!({ "exchange": "mx" }); number]), 1_024),
        ("mx_hosts", &probes, 2_048),
        ("mx", &aliases, 64),
        ("record", &text, 65_535),
        ("mx_hosts", &chain, 65_536),
        ("mx", &name, 4_096),
        ("domain", &|octets| json!("a".repeat(octets)), 4_096),
    ];
    for (index, (key, value, most)) in cases.into_iter().enumerate() {
        for (number, refused) in [(most, false), (most + 2, true)] {
            let mut snapshot = json!({ "snapshot": 1, "domain": "large.example" });
            snapshot[key] = value(number);
            let path = folder.path().join("large.json");
            std::fs::write(&path, serde_json::to_string_pretty(&snapshot).unwrap()).unwrap();
            let output = check_within(SECONDS, &path);
            let error = String::from_utf8_lossy(&output.stderr);
            let told = error.contains(&format!("more than {most} "));
            assert_eq!(told, refused, "{index} {key}: {error}");
            assert_eq!(
                output.status.code() == Some(2) && error.contains("large.json:"),
                refused,
                "{index} {key}: {error}"
            );
            assert!(!refused || error.len() < 2_000, "{index} {key}: {} octets", error.len());
        }
    }
}

#[test]
fn the_largest_snapshots_cost_what_their_size_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.json");
    let report = |snapshot: &Value| -> Value {
        let text = snapshot.to_string();
        assert!(text.len() <= 16 << 20, "{}", text.len());
        std::fs::write(&path, text).unwrap();
        let output = check_within(SECONDS, &path);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{:?}: {error}", output.status);
        serde_json::from_slice(&output.stdout).unwrap()
    };
    // As many hosts and lines as may be, none of which fits the other.
    report(&many(1_024, 2_000));
    // A text that is told in many places.
    let mut reason = many(2, 1);
    let failure = json!({ "kind": "resolver", "detail": "x.".repeat(7 << 20) });
    reason["mx"] = json!({ "outcome": "servfail", "failure": failure });
    report(&reason);
    // As many addresses as fit.
    let mut addresses = many(1_024, 1);
    for (index, host) in addresses["mx_hosts"].as_array_mut().unwrap().iter_mut().enumerate() {
        let number = |low: usize| format!("11.{}.{}.{low}", index / 256, index % 256);
        let every = || (0..100).map(number);
        host["ipv4"]["records"] = every().map(|address| json!({ "address": address })).collect();
        host["probes"] = every().map(|address| json!({ "address": address, "connected": false })).collect();
    }
    let report = report(&addresses);
    let reason = "the MX hosts have so many addresses, certificates and TLSA records that these are not looked at";
    let checks = report["results"][0]["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["outcome"] == "not_checked" && check["reason"] == reason), "{checks:#?}");
}

#[test]
fn a_line_that_nearly_names_every_host_is_told_of_each_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.json");
    // Texts that name all of 1,024 hosts with the longest of names, once for each of them, would take a gigabyte.
    let zone = format!("{}.hosts.example", [&"a".repeat(60)[..]; 3].join("."));
    let mut near = many(1_024, 1);
    let hosts = (0..1_024).map(|number| json!({ "preference": 10, "exchange": format!("h{number}.{zone}") }));
    near["mx"]["records"] = hosts.collect();
    for (host, number) in near["mx_hosts"].as_array_mut().unwrap().iter_mut().zip(0..) {
        host["exchange"] = json!(format!("h{number}.{zone}"));
    }
    near["policy"]["body"] = json!("version: STSv1\r\nmode: enforce\r\nmx: *.hosts.example\r\nmax_age: 604800\r\n");
    std::fs::write(&path, near.to_string()).unwrap();
    let output = check_within(SECONDS, &path);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = report["results"][0]["checks"].as_array().unwrap();
    let covered: Vec<&Value> =
        checks.iter().filter(|check| check["rule"] == "mx-covered" && check["outcome"] == "fail").collect();
    assert_eq!((covered.len(), &covered[31]["subject"]), (32, &json!("993 more")));
    let told = covered[0].to_string();
    assert!(told.contains(&format!("Add the line `mx: h0.{zone}`")), "{told}");
}

#[test]
fn a_pipe_that_nobody_writes_to_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, other) = (folder.path().join("pipe.json"), folder.path().join("other.json"));
    assert!(Command::new("mkfifo").arg(&pipe).arg(&other).status().unwrap().success());
    let (pipe, output) = (pipe.to_str().unwrap(), format!("json={}", other.display()));
    let word = |word: &'static str| match word {
        "PIPE" => pipe,
        "OUTPUT" => &output,
        word => word,
    };
    let begun = Instant::now();
    let start = |arguments: Vec<&'static str>| {
        let arguments: Vec<&str> = arguments.into_iter().map(word).collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_stslint"));
        command.args(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut children = [
        vec!["check", "--snapshot", "PIPE"],
        vec!["check", "--policy", "PIPE"],
        vec!["check", "--config", "PIPE", "--policy", "Cargo.toml"],
        vec!["check", "--policy", "Cargo.toml", "--output", "OUTPUT"],
        vec!["diff", "PIPE", "PIPE"],
        vec!["rules", "test", "PIPE"],
        vec!["reports", "PIPE"],
    ]
    .map(|arguments| (arguments.clone(), start(arguments)));
    for (arguments, child) in &mut children {
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > Duration::from_secs(60) {
                child.kill().unwrap();
                panic!("{arguments:?} waits for the pipe");
            }
            std::thread::yield_now();
        };
        assert_eq!(status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_pipe_that_somebody_writes_to_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.json");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let text = many(4, 5_000).to_string();
    assert!(text.len() > 128 * 1024);
    let output = std::thread::scope(|scope| {
        let writer = scope.spawn(|| std::fs::write(&pipe, &text));
        let output = check(&pipe, &["--format", "concise"]);
        writer.join().unwrap().unwrap();
        output
    });
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("policy-size"),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// A run that waits: its snapshot comes through a pipe that this test holds open. env(1) undoes what a job in the background
/// is told to ignore.
#[cfg(target_os = "linux")]
#[test]
fn no_temporary_file_is_left_behind_by_a_signal() {
    for signal in ["INT", "TERM", "HUP", "QUIT", "XCPU"] {
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join("report.json");
        let mut child = Command::new("env")
            .args(["--default-signal", env!("CARGO_BIN_EXE_stslint"), "check", "--snapshot", "-"])
            .arg(format!("--output=json={}", report.display()))
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Waiting for the child would close it.
        let held = child.stdin.take();
        let begun = Instant::now();
        let files = || std::fs::read_dir(folder.path()).unwrap().count();
        while files() == 0 {
            assert!(begun.elapsed() < Duration::from_secs(30), "no report was begun");
            std::thread::yield_now();
        }
        let status = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(status.success());
        assert!(!child.wait().unwrap().success(), "{signal}");
        assert_eq!(files(), 0, "{signal}");
        drop(held);
    }
}
