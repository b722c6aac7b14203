//! `stslint scan` from outside: a line in, a line out, whatever is in the lines, and however often the run is broken off.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::SystemTime;

use serde_json::Value;
use stslint::lab::{DnsFault, DnsFaultKind, Lab, LabOptions, Scenario};

async fn lab() -> (Lab, tempfile::TempDir) {
    let options = LabOptions::empty(SystemTime::now());
    let options = ["one.example", "two.example"].map(Scenario::good).into_iter().fold(options, LabOptions::with);
    let lab = Lab::start(options).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("roots.pem"), lab.roots_pem()).unwrap();
    std::fs::write(folder.path().join("anchor"), lab.trust_anchor()).unwrap();
    (lab, folder)
}

fn command(lab: &Lab, folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("stslint"));
    command.current_dir(folder).arg("scan").args(args).args(["--no-config", "--roots", "roots.pem"]);
    command.args(["--trust-anchor", "anchor", "--resolver", &lab.resolver().to_string()]);
    command.args(["--https-port", &lab.https_port().to_string(), "--smtp-port", &lab.smtp_port().to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it over this input.
async fn scan(lab: &Lab, folder: &Path, args: &[&str], input: &[u8]) -> Output {
    let (mut command, input) = (command(lab, folder, args), input.to_vec());
    let run = move || {
        let mut child = command.spawn().unwrap();
        // What is refused reads nothing.
        _ = child.stdin.take().unwrap().write_all(&input);
        child.wait_with_output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn rows(text: &[u8]) -> Vec<Value> {
    text.split_inclusive(|octet| *octet == b'\n').map(|line| serde_json::from_slice(line).unwrap()).collect()
}

fn lines_of(rows: &[Value]) -> Vec<u64> {
    rows.iter().map(|row| row["line"].as_u64().unwrap()).collect()
}

const MIXTURE: &[u8] =
    b"one.example\n\n# a comment\ntwo..example\none.example\n\xff\xfe\n{\"domain\": \"two.example\"}\nabsent.example\nleft.example";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_has_its_answer_and_no_line_ends_the_run() {
    let (lab, folder) = lab().await;
    std::fs::write(folder.path().join("opt-out"), "left.example # by mail\n").unwrap();
    let args = ["-", "--in-order", "--opt-out", "opt-out", "--findings", "f.jsonl", "--snapshots", "s.jsonl.zst"];
    let output = scan(&lab, folder.path(), &args, MIXTURE).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let rows = rows(&output.stdout);
    assert_eq!(lines_of(&rows), [1, 2, 3, 4, 5, 6, 7, 8, 9], "in their order");
    let field = |name: &str| rows.iter().map(|row| row[name].as_str().unwrap_or("-")).collect::<Vec<_>>();
    let domains = ["one.example", "-", "-", "-", "one.example", "-", "two.example", "absent.example", "-"];
    assert_eq!(field("domain"), domains);
    assert_eq!(field("kind"), ["-", "-", "-", "line", "-", "line", "-", "-", "opted_out"]);
    assert_eq!(field("skipped"), ["-", "blank", "comment", "-", "-", "-", "-", "-", "-"]);
    assert_eq!((&rows[3]["input"], &rows[6]["input"]), (&"two..example".into(), &"two.example".into()));
    assert!(rows[0]["checks"].as_array().unwrap().len() > 50 && rows[0]["schema"] == 1);
    assert!(said.contains("9 lines answered") && said.contains("2 without a domain"), "{said}");

    let findings = self::rows(&std::fs::read(folder.path().join("f.jsonl")).unwrap());
    assert!(findings.iter().any(|row| row["line"] == 8 && row["rule"].is_string() && row["severity"].is_string()));
    let packed = std::fs::read(folder.path().join("s.jsonl.zst")).unwrap();
    assert_eq!(packed[..4], [0x28, 0xb5, 0x2f, 0xfd]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_are_the_same_in_every_row() {
    let (lab, folder) = lab().await;
    let args = ["--columns", "--column", "Name", "--in-order"];
    let table = b"rank,name\n1,one.example\n2,\n3\n4,\"two.example\"\n";
    let output = scan(&lab, folder.path(), &args, table).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = rows(&output.stdout);
    assert_eq!(lines_of(&rows), [2, 3, 4, 5], "the first line is the header");
    let keys = |row: &Value| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(rows.iter().all(|row| keys(row) == keys(&rows[0]) && row["columns"] == 1));
    let known: Vec<String> = documented_columns();
    assert_eq!(
        {
            let mut keys = keys(&rows[0]);
            keys.sort();
            keys
        },
        {
            let mut known = known;
            known.sort();
            known
        }
    );
    assert_eq!((&rows[0]["policy_mode"], &rows[0]["policy_max_age"]), (&"enforce".into(), &1_209_600.into()));
    assert_eq!((&rows[0]["mx_addresses"], &rows[0]["mx_addresses_tls"]), (&2.into(), &2.into()));
    assert!(rows[0]["record"].as_str().unwrap().starts_with("v=STSv1"));
    assert_eq!((&rows[2]["kind"], &rows[2]["errors"]), (&"line".into(), &Value::Null));
    let refused = scan(&lab, folder.path(), &["--column", "host"], table).await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("`rank`, `name`"));
}

/// The columns that the documentation names.
fn documented_columns() -> Vec<String> {
    let page = std::fs::read_to_string("docs/bulk.md").unwrap();
    let table = page.split_once("| Column |").unwrap().1.split_once("\n\n").unwrap().0;
    table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_killed_goes_on_without_asking_again() {
    let (lab, folder) = lab().await;
    let input: Vec<String> = (0..40).map(|number| format!("d{number}.example")).collect();
    std::fs::write(folder.path().join("domains.txt"), input.join("\n")).unwrap();
    for ending in ["", ".zst"] {
        let (out, seen) = (format!("out.jsonl{ending}"), format!("seen.jsonl{ending}"));
        let base = ["domains.txt", "-o", &out, "--snapshots", &seen];
        let output = scan(&lab, folder.path(), &base, b"").await;
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let path = folder.path().join(&out);
        let whole = std::fs::metadata(&path).unwrap().len();
        // As a kill leaves it: the last line is cut off in its middle.
        std::fs::File::options().write(true).open(&path).unwrap().set_len(whole / 2).unwrap();
        let refused = scan(&lab, folder.path(), &base, b"").await;
        assert_eq!(refused.status.code(), Some(2), "nothing is written over");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("--resume"));

        let resume = [&base[..], &["--resume"]].concat();
        let output = scan(&lab, folder.path(), &resume, b"").await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        if ending.is_empty() {
            assert!(said.contains("answered before"), "{said}");
            let written = rows(&std::fs::read(&path).unwrap());
            let mut lines = lines_of(&written);
            lines.sort_unstable();
            assert!(lines.into_iter().eq(1..=40), "none lost, none doubled");
            let seen = std::fs::read_to_string(folder.path().join(&seen)).unwrap();
            assert_eq!(seen.lines().count(), 40);
        }
        let output = scan(&lab, folder.path(), &resume, b"").await;
        assert!(String::from_utf8_lossy(&output.stderr).contains("40 answered before"), "nothing is left to do");
    }
    std::fs::write(folder.path().join("domains.txt"), "another.example\n").unwrap();
    let other = scan(&lab, folder.path(), &["domains.txt", "-o", "out.jsonl", "--resume"], b"").await;
    assert_eq!(other.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&other.stderr).contains("another input"));
}

/// A signal that is not ignored in a job in the background, as SIGINT is there.
fn signal(child: &Child, name: &str) {
    let killed = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_finishes_what_is_under_way_and_says_how_to_go_on() {
    let (lab, folder) = lab().await;
    let mut command = command(&lab, folder.path(), &["-", "-o", "out.jsonl"]);
    let run = move || {
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"one.example\ntwo.example\n").unwrap();
        input.flush().unwrap();
        // It writes as soon as a domain is done, though the input goes on.
        let path = folder.path().join("out.jsonl");
        while std::fs::read(&path).map_or(0, |text| text.iter().filter(|octet| **octet == b'\n').count()) < 2 {
            std::thread::yield_now();
        }
        signal(&child, "-TERM");
        let mut said = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_to_string(&mut said).unwrap();
        let status = child.wait().unwrap();
        drop(input);
        (status.code(), said, std::fs::read(path).unwrap())
    };
    let (code, said, written) = tokio::task::spawn_blocking(run).await.unwrap();
    assert_eq!(code, Some(143), "{said}");
    assert!(said.contains("--resume") && said.contains("2 lines answered"), "{said}");
    assert_eq!(rows(&written).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_and_a_line_is_answered_while_the_input_goes_on() {
    let (lab, folder) = lab().await;
    let full = scan(&lab, folder.path(), &["-", "-o", "/dev/full"], b"one.example\n").await;
    let said = String::from_utf8_lossy(&full.stderr);
    assert_eq!(full.status.code(), Some(2), "{said}");
    assert!(said.contains("No space left") && said.contains("--resume"), "{said}");

    let mut command = command(&lab, folder.path(), &[]);
    let run = move || {
        let mut child = command.spawn().unwrap();
        let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut answers = BufReader::new(output).lines();
        for name in ["one.example", "a..b", "two.example"] {
            writeln!(input, "{name}").unwrap();
            let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
            assert_eq!(answer["input"], name);
        }
        drop(input);
        assert!(answers.next().is_none());
        assert_eq!(child.wait().unwrap().code(), Some(0));
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_writes_a_domain_when_it_is_done_and_keeps_it_when_it_is_interrupted() {
    let (_, folder) = lab().await;
    let mut hangs = Scenario::good("hangs.example");
    hangs.dns_faults.push(DnsFault::new("_mta-sts.hangs.example", DnsFaultKind::NoAnswer));
    let options = LabOptions::empty(SystemTime::now()).with(hangs).with(Scenario::good("one.example"));
    let lab = Lab::start(options).await.unwrap();
    std::fs::write(folder.path().join("roots.pem"), lab.roots_pem()).unwrap();
    std::fs::write(folder.path().join("anchor"), lab.trust_anchor()).unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("stslint"));
    command.current_dir(folder.path()).args(["check", "-", "--format", "jsonl", "--output", "concise=found.txt"]);
    command.args(["--timeout", "60", "--no-config", "--roots", "roots.pem", "--trust-anchor", "anchor"]);
    command.args(["--https-port", &lab.https_port().to_string(), "--smtp-port", &lab.smtp_port().to_string()]);
    command.args(["--resolver", &lab.resolver().to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"hangs.example\na..b\none.example\n").unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        // The first is no reason to wait with the last, and a line that is wrong ends nothing.
        let first: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
        assert_eq!(first["domain"], "one.example");
        signal(&child, "-TERM");
        assert!(answers.next().is_none());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(143), "{said}");
        assert!(said.contains("line 2: `a..b`") && said.contains("interrupted: 1 domain missing"), "{said}");
        assert!(folder.path().join("found.txt").exists(), "what is finished is in its file");
    };
    tokio::task::spawn_blocking(run).await.unwrap();
}
