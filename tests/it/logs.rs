//! What `-v` and `-vv` tell whoever has to find out why: plain lines on standard error, one for each step.

use stslint::lab::{Lab, LabOptions, Scenario};

use crate::peers::{Authority, DOMAIN, LOOPBACK, Zone, closed_port, rsa_key_exchange, smtp_then};

/// The lines of a log without the time that each begins with.
fn lines(stderr: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(stderr).unwrap();
    let without_time = |line: &str| {
        let (time, said) = line.split_once(' ').unwrap_or_else(|| panic!("{line}"));
        assert!(time.len() == 12 && time.chars().all(|c| c.is_ascii_digit() || c == ':' || c == '.'), "{line}");
        said.to_owned()
    };
    text.lines().map(without_time).collect()
}

async fn logged(level: &str) -> Vec<String> {
    let lab =
        Lab::start(LabOptions::empty(std::time::SystemTime::now()).with(Scenario::good("one.example"))).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("roots.pem"), lab.roots_pem()).unwrap();
    std::fs::write(folder.path().join("anchor"), lab.trust_anchor()).unwrap();
    let mut command = assert_cmd::Command::cargo_bin("stslint").unwrap();
    command.current_dir(folder.path()).args(["check", "one.example", level, "--roots", "roots.pem"]);
    command.args(["--trust-anchor", "anchor", "--resolver", &lab.resolver().to_string()]);
    command.args(["--https-port", &lab.https_port().to_string(), "--smtp-port", &lab.smtp_port().to_string()]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    lines(&output.stderr)
}

fn has(lines: &[String], parts: &[&str]) {
    let found = lines.iter().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(found, "{parts:?} in\n{}", lines.join("\n"));
}

/// Words, as people write them: no fields of structures, no names of types.
fn are_words(lines: &[String]) {
    for line in lines {
        let debug = ["Some(", "None", "Ok(", "Err(", " { ", "::Error", "stslint::", "DEBUG", "TRACE", "=\""];
        assert!(!debug.iter().any(|text| line.contains(text)), "{line}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_line_tells_what_each_step_learnt() {
    let lines = logged("-v").await;
    are_words(&lines);
    has(&lines, &["one.example: begins"]);
    has(&lines, &["TXT _mta-sts.one.example: 1 record, TTL ", " ms"]);
    has(&lines, &["DNSSEC: MX one.example is secure"]);
    has(&lines, &["policy host mta-sts.one.example [127.", "TLSv1.3 with TLS_", "trusted", "status 200 with "]);
    has(
        &lines,
        &["MX host ", "greeting 220, EHLO 250, STARTTLS 220, TLSv1.3", "EHLO inside TLS 250, TLS without SNI too"],
    );
    has(&lines, &["one.example: ends after "]);
    assert!(!lines.iter().any(|line| line.contains("v=STSv1") || line.contains("> EHLO")), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_records_the_attempts_and_the_dialogue_come_with_more() {
    let lines = logged("-vv").await;
    are_words(&lines);
    has(&lines, &["TXT _mta-sts.one.example: \"v=STSv1; id="]);
    has(&lines, &["MX one.example: 10 "]);
    has(&lines, &["TLS: offered TLS 1.2 and 1.3 with ECDHE", "SNI mta-sts.one.example: TLSv1.3 with TLS_"]);
    has(&lines, &["TLS: offered TLS 1.0 and 1.1 alone, SNI mta-sts.one.example: alert handshake_failure"]);
    has(&lines, &["MX host ", "] > STARTTLS"]);
    has(&lines, &["MX host ", "] < 220 "]);
    has(&lines, &["MX host ", "]: certificate 1: "]);
    has(&lines, &["policy host ", "] < content-type: text/plain"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_and_what_was_offered_stand_in_the_log_and_nothing_that_a_server_says_moves_the_terminal() {
    let authority = Authority::new();
    let chain = authority.identity(&["mx.example.test"]).chain;
    let smtp_port = smtp_then(LOOPBACK, 0, move |stream| {
        let chain = chain.clone();
        async move { rsa_key_exchange(stream, &chain, 3).await }
    })
    .await;
    let zone =
        Zone::healthy().without("_mta-sts.example.test").txt("_mta-sts.example.test", &[b"v=STSv1; id=\x1b[31m1;"]);
    let resolver = zone.serve().await;
    let mut command = assert_cmd::Command::cargo_bin("stslint").unwrap();
    command.args(["check", DOMAIN, "-vv", "--dnssec", "off", "--authoritative=false", "--roots"]).arg(authority.file());
    command.args(["--resolver", &resolver.to_string(), "--smtp-port", &smtp_port.to_string()]);
    command.args(["--https-port", &closed_port().await.to_string()]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let lines = lines(&output.stderr);
    are_words(&lines);
    has(&lines, &["TLS: offered TLS 1.2 and 1.3", "SNI mx.example.test", "the TLS alert handshake_failure"]);
    has(&lines, &["TLS: offered TLS 1.0 to 1.2", "SNI mx.example.test: TLSv1.2 with TLS_RSA_WITH_AES_128_CBC_SHA"]);
    has(&lines, &["TXT _mta-sts.example.test: \"v=STSv1; id=\\u{1b}[31m1;\""]);
    has(
        &lines,
        &["policy host mta-sts.example.test [127.0.0.1]: connecting to the policy host: the connection was refused"],
    );
}
