//! The corners of the three grammars through the binary: which rule tells of a text, how severely, and that it alone does.

use assert_cmd::Command;
use serde_json::Value;

/// The findings about a text that is given as `option`, without notes: rule and severity, in order.
fn told(option: &str, text: &[u8]) -> Vec<(String, String)> {
    let mut command = Command::cargo_bin("stslint").unwrap();
    command.args(["--no-config", "check", "--offline", "--format", "json", option]);
    match option {
        "--policy" => {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("mta-sts.txt");
            std::fs::write(&file, text).unwrap();
            found(&command.arg(&file).output().unwrap().stdout)
        }
        _ => found(&command.arg(std::str::from_utf8(text).unwrap()).output().unwrap().stdout),
    }
}

fn found(output: &[u8]) -> Vec<(String, String)> {
    let report: Value = serde_json::from_slice(output).unwrap();
    let reports = report["results"].as_array().cloned().unwrap();
    let word = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let checks = reports.iter().flat_map(|report| report["checks"].as_array().cloned().unwrap_or_default());
    let mut told: Vec<_> = checks
        .filter(|check| check["outcome"] == "fail" && check["severity"] != "note")
        .map(|check| (word(&check, "rule"), word(&check, "severity")))
        .collect();
    told.sort();
    told.dedup();
    told
}

#[test]
fn each_corner_of_a_record_has_its_rule() {
    for (option, text, expected) in [
        ("--record", "v=STSv1; id=a1;", &[][..]),
        ("--record", "v=STSv1; id=a1; id=b2;", &[("record-field-duplicate", "warning")]),
        ("--record", "v=STSv1; id=a1; id=b=2;", &[("record-field-duplicate", "warning"), ("record-syntax", "error")]),
        ("--record", "v=STSv1; id=a1; x_y=\u{85};", &[("record-ascii", "error")]),
        ("--record", "v=STSv1; id=a1; =b;", &[("record-syntax", "error")]),
        ("--tlsrpt", "v=TLSRPTv1; rua=mailto:a@example.net", &[]),
        ("--tlsrpt", "v=TLSRPTv1; rua=mailto:mailto:a@example.net", &[("tlsrpt-rua-uri", "error")]),
        ("--tlsrpt", "v=TLSRPTv1; rua=mailto::a@example.net", &[("tlsrpt-rua-uri", "error")]),
        ("--tlsrpt", "v=TLSRPTv1; rua=https:////reports", &[("tlsrpt-rua-uri", "error")]),
        ("--tlsrpt", "v=TLSRPTv1; rua=https://a.example/?q=1;x=y", &[("tlsrpt-rua-truncated", "warning")]),
        ("--tlsrpt", "v=TLSRPTv1; rua=mailto:a@example.net!10m", &[("tlsrpt-rua-size-suffix", "error")]),
    ] {
        let told = told(option, text.as_bytes());
        let told: Vec<(&str, &str)> = told.iter().map(|(rule, severity)| (rule.as_str(), severity.as_str())).collect();
        assert_eq!(told, expected, "{text:?}");
    }
}

#[test]
fn one_octet_of_a_policy_gives_one_finding() {
    let policy =
        |mode: &[u8]| [b"version: STSv1\r\nmode: ", mode, b"\r\nmx: mx.example.com\r\nmax_age: 1209600\r\n"].concat();
    for (text, expected) in [
        (policy(b"enforce"), &[][..]),
        (policy(b"enforce\x01"), &[("policy-encoding", "error")]),
        (policy("enforce\u{85}".as_bytes()), &[("policy-encoding", "error")]),
        (policy(b"enforce\xff"), &[("policy-encoding", "error")]),
        (policy(b"Enforce"), &[("policy-mode", "error")]),
    ] {
        let told = told("--policy", &text);
        let told: Vec<(&str, &str)> = told.iter().map(|(rule, severity)| (rule.as_str(), severity.as_str())).collect();
        assert_eq!(told, expected, "{:?}", String::from_utf8_lossy(&text));
    }
}
