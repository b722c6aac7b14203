//! From the symptom to its causes, through the binary: bounces, logs, codes, result types and groups as people give them.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn explain(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(["explain", "--no-config"])
        .args(args)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever does not read standard input may have closed it already.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn text(args: &[&str]) -> String {
    let output = explain(args, b"");
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The answers to a text on standard input.
fn answers(input: &[u8]) -> Vec<Value> {
    let output = explain(&["-", "--format", "json"], input);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["answers"].as_array().unwrap().clone()
}

/// Who says what was given, and the first cause.
fn first(input: &str) -> (String, String) {
    let answers = answers(input.as_bytes());
    let answer = answers.first().unwrap_or_else(|| panic!("nothing is known of {input}"));
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (word(&answer["who"]), word(&answer["causes"][0]["rule"]))
}

#[test]
fn a_line_of_a_log_is_explained_whoever_wrote_it() {
    for (line, who, cause) in [
        (
            "Feb  2 12:15:22 postfix/smtp[1520]: 30E4E7461347: to=<mailer@example.org>, relay=example.org[192.0.2.4]:25, \
             delay=433522, dsn=4.7.5, status=deferred (Server certificate not verified)",
            "Postfix",
            "dane-match",
        ),
        (
            "postfix/smtp[112105]: warning: MX name 'mx9.example.net' does not match STS MX pattern for 'example.org'",
            "Postfix",
            "mx-covered",
        ),
        ("451 4.7.5 TLSA lookup error for mx1.example.org:25", "Postfix", "dane-lookup"),
        (
            "(TLS is required, but was not offered by host mx1.example.org[192.0.2.1])",
            "Postfix",
            "smtp-starttls-offered",
        ),
        (
            "2026-11-27 10:00:00 1abc DANE attempt failed; TLS connection to mx1.example.org [192.0.2.1]: (SSL_connect): \
             error:0A000086:SSL routines::certificate verify failed",
            "Exim",
            "dane-match",
        ),
        ("R=dnslookup T=remote_smtp defer (-36): DANE error: tlsa lookup DEFER", "Exim", "dane-lookup"),
        (
            "result=\"TempFail\" stat=\"TLS required but not supported by remote host\"",
            "OpenSMTPD",
            "smtp-starttls-offered",
        ),
        (
            "550 5.4.8 SMTP; MX HOSTS OF 'example.org' FAILED MTA-STS VALIDATION",
            "Microsoft Exchange Online",
            "mx-covered",
        ),
        (
            "Reason: [{LED=450 4.7.323 tlsa-invalid: The domain failed DANE validation [Message=450 4.7.323] \
             [LastAttemptedServerName=mx1.example.org]}]",
            "Microsoft Exchange Online",
            "dane-match",
        ),
        (
            "mx host mx9.example.net does not match enforced mta-sts policy with hosts mx1.example.org,mx2.example.org",
            "mox",
            "mx-covered",
        ),
        (
            "WARNING  RES: STS policy fetch for domain 'example.org' failed with error: Cannot connect to host \
             mta-sts.example.org:443",
            "postfix-mta-sts-resolver, beside Postfix",
            "host-status",
        ),
        (
            "<[bill@example.org](mailto:bill@example.org)>: TLS is required, but was not offered by\n    host \
         [mx1.example.org](http://mx1.example.org/)[192.0.2.1]",
            "Postfix",
            "smtp-starttls-offered",
        ),
        ("reason=\"STARTTLS was not advertised by host\"", "Stalwart", "smtp-starttls-offered"),
        ("info@example.org: Server certificate not trusted", "Postfix", "dane-match"),
        ("TLS Negotiation failed, the certificate doesn\u{2019}t match the host.", "Google (Gmail)", "smtp-cert-name"),
    ] {
        let (found, rule) = first(line);
        assert_eq!((found.as_str(), rule.as_str()), (who, cause), "{line}");
    }
}

#[test]
fn a_bounce_is_read_from_its_mime_parts() {
    let bounce = |encoding: &str, body: &str| {
        format!(
            "From: MAILER-DAEMON@example.net\r\nTo: alice@example.net\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.example.net\r\n\r\n\
             Final-Recipient: rfc822; bill@example.org\r\nAction: failed\r\n--b--\r\n"
        )
    };
    let folded = "<bill@example.org> (DANE failed to authenticate 'mx.example.org': No TLSA reco=\r\nrds found)";
    let html = "<p>Remote Server returned <b>'550 5.7.325 certificate-host-mismatch: Remote certificate MUST have a common \
        name or subject alternative\r\nname matching the hostname (DANE)'</b></p>";
    let packed = "U2VydmVyIGNlcnRpZmljYXRlIG5vdCB2ZXJpZmllZA==";
    for (mail, who) in [
        (bounce("quoted-printable", folded), "Stalwart"),
        (bounce("7bit", html), "Microsoft Exchange Online"),
        (bounce("base64", packed), "Postfix"),
    ] {
        let answers = answers(mail.as_bytes());
        assert_eq!(answers[0]["who"], who, "{mail}");
        let command = answers[0]["causes"][0]["command"].as_str().unwrap();
        assert!(command.starts_with("stslint check example.org --"), "{command}");
    }
}

#[test]
fn every_command_that_is_given_is_one() {
    let here = tempfile::tempdir().unwrap();
    std::fs::write(
        here.path().join("old-mta-sts.txt"),
        "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 86400\n",
    )
    .unwrap();
    let good = std::fs::canonicalize("fixtures/good/snapshot.yaml").unwrap();
    for asked in ["5.4.8", "validation-failure", "sts-policy-invalid", "host", "tlsrpt"] {
        let document: Value = serde_json::from_slice(&explain(&[asked, "--format", "json"], b"").stdout).unwrap();
        let answer = &document["answers"][0];
        let causes = answer["causes"].as_array().into_iter().flatten().map(|cause| &cause["command"]);
        let commands: Vec<&str> = causes.chain(std::iter::once(&answer["command"])).filter_map(Value::as_str).collect();
        assert!(!commands.is_empty(), "{asked}");
        for command in commands {
            let words: Vec<&str> = command.split(' ').collect();
            assert_eq!(words[..3], ["stslint", "check", "example.com"], "{command}");
            let output = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
                .args(["check", "--no-config", "--snapshot"])
                .arg(&good)
                .args(&words[3..])
                .current_dir(here.path())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!([Some(0), Some(1)].contains(&output.status.code()), "{command}: {said}");
        }
    }
}

#[test]
fn a_result_type_lists_every_rule_that_is_reported_so() {
    let shown = text(&["sts-webpki-invalid"]);
    let at = |rule: &str| shown.find(&format!("({rule})")).unwrap_or_else(|| panic!("{rule}: {shown}"));
    assert!(at("host-cert-name") < at("host-cert-valid-now") && at("host-cert-valid-now") < at("host-cert-trusted"));
    assert!(shown.contains("stslint check example.com --select host-cert-name\n"), "{shown}");
    for same in ["STS-WEBPKI-INVALID", "sts_webpki_invalid", "sts webpki invalid"] {
        assert_eq!(text(&[same]), shown);
    }
    let fragment = "\"failure-details\": [{ \"result-type\": \"sts-webpki-invalid\", \"failed-session-count\": 4 }]";
    assert_eq!(answers(fragment.as_bytes())[0]["result_type"], "sts-webpki-invalid");
}

#[test]
fn rules_of_ones_own_are_among_the_causes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acme.yaml");
    let rule = "group: acme\nrules:\n  - id: acme-chain\n    title: The chain is ours\n    severity: error\n    cites: [ACME-1]\n    \
        reported_as: sts-webpki-invalid\n    assert: policy.usable\n    message: no\n";
    std::fs::write(&file, rule).unwrap();
    let file = file.to_str().unwrap();
    let shown = text(&["sts-webpki-invalid", "--rules", file]);
    assert!(shown.contains("Not so: The chain is ours (acme-chain)"), "{shown}");
    let shown = text(&["acme", "--rules", file]);
    assert!(shown.contains("acme-chain  error    The chain is ours"), "{shown}");
}

#[test]
fn a_group_lists_its_rules() {
    let shown = text(&["dane"]);
    for line in [
        "  dane-match         error    A TLSA record matches the certificate\n",
        "stslint check example.com --select dane\n",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    assert_eq!(text(&["DANE"]), shown);
}

#[test]
fn a_code_that_several_give_names_them_all() {
    let shown = text(&["4.7.5"]);
    for said in [
        "Several senders give this code",
        "Microsoft Exchange Online: “Remote certificate failed",
        "Postfix: “TLSA lookup error for …”",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let one = text(&["451 5.7.324"]);
    assert!(one.contains("dnssec-invalid: Destination domain") && one.contains("Found by its code alone"), "{one}");
}

#[test]
fn words_come_quoted_or_not_and_a_few_of_them_do() {
    let quoted = text(&["server CERTIFICATE not verified"]);
    assert_eq!(text(&["server", "certificate", "not", "verified"]), quoted);
    assert!(text(&["certificate trusted"]).contains("Several senders say something like this"));
    assert!(text(&["403 4.7.0 TLS handshake failed."]).contains("Found by some of its words"));
}

#[test]
fn what_is_not_known_gets_near_misses_and_what_is_taken() {
    for (asked, near) in [
        ("policy-moed", "`policy-mode`"),
        ("certificate-host-mismatsh", "`certificate-host-mismatch`"),
        ("danee", "`dane`"),
        ("MX host failed the MTA-STS validations", "`MX hosts of … failed MTA-STS validation`"),
    ] {
        let output = explain(&[asked], b"");
        let said = String::from_utf8(output.stderr).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(2), "{asked}");
        assert!(said.contains(near) && said.contains("`explain` takes"), "{asked}: {said}");
    }
    for nothing in [
        "",
        "  ",
        "550-5.7.26 This mail is unauthenticated, which poses a security risk",
        "550 5.7.4 Command rejected : a mismatch in TLS versions",
        "550 5.1.1 The email account that you tried to reach does not exist",
        "qwertz",
    ] {
        assert_eq!(explain(&[nothing], b"").status.code(), Some(2), "{nothing}");
    }
    let output = explain(&["qwertz", "--format", "json"], b"");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &document["answers"]), (Some(2), &Value::Array(Vec::new())));
}

#[test]
fn hostile_texts_cost_little_and_print_nothing_that_a_terminal_obeys() {
    let escapes =
        b"\x1b]0;owned\x07\x1b[2J MX hosts of \xe2\x80\xae$(reboot).example failed MTA-STS validation \xff\xfe\0";
    for format in ["human", "json"] {
        let output = explain(&["-", "--format", format], escapes);
        assert_eq!(output.status.code(), Some(0));
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(!printed.contains(['\x1b', '\x07', '\u{202e}', '\0']), "{printed:?}");
        assert!(!printed.contains("check $(reboot)"), "{printed}");
    }
    let started = std::time::Instant::now();
    let nested = "Content-Type: multipart/mixed; boundary=b\n\n--b\n".repeat(20_000);
    let long = "mx not a ".repeat(1 << 19);
    let open = "<".repeat(1 << 20) + "</";
    for text in [nested, long, "=\n".repeat(1 << 20), open, "4.7.5 ".repeat(1 << 18)] {
        let output = explain(&["-"], text.as_bytes());
        assert!([Some(0), Some(2)].contains(&output.status.code()), "{:?}", output.status);
    }
    // In a build without optimisation; what is behind the first 256 KiB is not looked at.
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}
