//! `stslint collect` and `stslint check` over the network, as a user runs them.

#![cfg(feature = "lab")]

use std::path::Path;
use std::process::Output;
use std::time::{Duration, SystemTime};

use stslint::lab::{Lab, LabOptions, Scenario};
use stslint::snapshot::{self, Snapshot};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

const DOMAINS: [&str; 3] = ["one.example", "two.example", "three.example"];

async fn lab() -> (Lab, tempfile::TempDir) {
    let options = LabOptions::empty(SystemTime::now());
    let options = DOMAINS.into_iter().fold(options, |options, domain| options.with(Scenario::good(domain)));
    let lab = Lab::start(options).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("roots.pem"), lab.roots_pem()).unwrap();
    std::fs::write(folder.path().join("anchor"), lab.trust_anchor()).unwrap();
    (lab, folder)
}

/// Runs the program in `folder`, pointed at the lab.
async fn stslint(lab: &Lab, folder: &Path, smtp_port: u16, args: &[&str], input: &str) -> Output {
    let mut command = assert_cmd::Command::cargo_bin("stslint").unwrap();
    command.current_dir(folder).args(args).args(["--roots", "roots.pem", "--trust-anchor", "anchor"]);
    command.args(["--resolver", &lab.resolver().to_string(), "--https-port", &lab.https_port().to_string()]);
    command.args(["--smtp-port", &smtp_port.to_string()]).write_stdin(input.to_owned());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn domains_of(snapshots: impl Iterator<Item = Snapshot>) -> Vec<String> {
    snapshots.map(|snapshot| snapshot.domain.unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_domains_are_collected_into_one_file_in_their_order() {
    let (lab, folder) = lab().await;
    let file = folder.path().join("all.jsonl");
    let args = ["collect", "two.example", "-", "-o", "all.jsonl"];
    let output = stslint(&lab, folder.path(), lab.smtp_port(), &args, "one.example\n  three.example\n").await;
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "no terminal, no progress");
    let read: Vec<Snapshot> = snapshot::read(&file).map(Result::unwrap).collect();
    assert!(read.iter().all(|snapshot| snapshot.mx_hosts.as_ref().unwrap()[0].probes.is_some()));
    assert_eq!(domains_of(read.into_iter()), ["two.example", "one.example", "three.example"]);
    let names: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "nothing is left beside it: {names:?}");

    let output = stslint(&lab, folder.path(), lab.smtp_port(), &["collect", "-"], "one.example").await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert_eq!(snapshot::parse("out", &text, None).unwrap().domain.as_deref(), Some("one.example"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_are_read_beside_the_domains_as_they_are_now() {
    let (lab, folder) = lab().await;
    let report = |domain: &str, host: &str| {
        serde_json::json!({
            "organization-name": "Sender", "contact-info": "a@b.example", "report-id": domain,
            "date-range": { "start-datetime": "2026-01-20T00:00:00Z", "end-datetime": "2026-01-20T23:59:59Z" },
            "policies": [{
                "policy": {
                    "policy-type": "sts", "policy-domain": domain,
                    "policy-string": ["version: STSv1", "mode: testing", "mx: old.example", "max_age: 86400"],
                },
                "summary": { "total-successful-session-count": 1, "total-failure-session-count": 2 },
                "failure-details": [{ "result-type": "validation-failure", "receiving-mx-hostname": host, "failed-session-count": 2 }],
            }],
        })
    };
    let both =
        serde_json::json!([report("one.example", "gone.one.example"), report("other.example", "mx.other.example")]);
    std::fs::write(folder.path().join("r.json"), both.to_string()).unwrap();
    let args = [
        "reports",
        "r.json",
        "--no-config",
        "--live",
        "--domain",
        "one.example",
        "--domain",
        "two.example",
        "--format",
        "json",
    ];
    let output = stslint(&lab, folder.path(), lab.smtp_port(), &args, "").await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*errors), (Some(1), ""));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let comparisons = document["comparisons"].as_array().unwrap();
    let names: Vec<&str> = comparisons.iter().map(|one| one["domain"].as_str().unwrap()).collect();
    assert_eq!(names, ["one.example", "two.example"], "nobody looks at a domain that only a report names");
    assert_eq!(comparisons[0]["causes"][0]["state"], "fixed", "{document}");
    assert!(comparisons[0]["causes"][0]["message"].as_str().unwrap().contains("not an MX host of the domain any more"));
    assert!(!comparisons[1]["silence"].as_array().unwrap().is_empty(), "{document}");
    let refused = stslint(&lab, folder.path(), lab.smtp_port(), &["reports", "r.json", "--live"], "").await;
    assert_eq!(refused.status.code(), Some(2), "whose domains is not told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_for_one_snapshot_is_none_for_many() {
    let (lab, folder) = lab().await;
    let refused = ["collect", "one.example", "two.example", "-o", "all.yaml"];
    let output = stslint(&lab, folder.path(), lab.smtp_port(), &refused, "").await;
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains(".jsonl"));
    assert!(!folder.path().join("all.yaml").exists());
    let output = stslint(&lab, folder.path(), lab.smtp_port(), &["collect", "-"], " \n").await;
    assert_eq!(output.status.code(), Some(2), "no domain at all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_port_25_is_said_once_and_blamed_on_nobody_else() {
    let (lab, folder) = lab().await;
    let (silent, _full) = silent_port().await;
    let mut args = vec!["collect", "--timeout", "0.5", "-o", "all.jsonl"];
    args.extend(DOMAINS);
    let output = stslint(&lab, folder.path(), silent, &args, "").await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((said.matches("no MX host could be reached").count(), said.lines().count()), (1, 1), "{said}");
    assert!(said.contains("--smtp-proxy") && said.contains(&format!("port {silent}")), "{said}");
    for snapshot in snapshot::read(&folder.path().join("all.jsonl")).map(Result::unwrap) {
        assert_eq!(snapshot.collection.unwrap().smtp_connected, Some(false));
    }
    let quiet = stslint(&lab, folder.path(), silent, &["collect", "-q", "--timeout", "0.5", "one.example"], "").await;
    assert_eq!(quiet.stderr, b"");

    let check = ["check", "--timeout", "0.5", "one.example"];
    let output = stslint(&lab, folder.path(), silent, &check, "").await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

/// A port at every address of loopback where connections are neither taken nor refused: its queue is full.
async fn silent_port() -> (u16, (TcpListener, Vec<TcpStream>)) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("0.0.0.0:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut waiting = Vec::new();
    for _ in 0..64 {
        let connecting = TcpStream::connect(("127.0.0.1", port));
        match tokio::time::timeout(Duration::from_millis(300), connecting).await {
            Ok(stream) => waiting.push(stream.unwrap()),
            Err(_) => break,
        }
    }
    (port, (listener, waiting))
}
