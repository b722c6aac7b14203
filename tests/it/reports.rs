//! `stslint reports` from outside: whatever reports arrive in, and whatever is odd about them.

use std::io::Write;
use std::path::Path;

use assert_cmd::Command;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::{Value, json};
use stslint::tls_reports::container::unpack;
use stslint::tls_reports::digest::digest;
use stslint::tls_reports::read::read as read_report;

struct Ran {
    code: i32,
    out: String,
    errors: String,
}

fn run(args: &[&str], input: &[u8]) -> Ran {
    let output = Command::cargo_bin("stslint").unwrap().arg("reports").args(args).write_stdin(input).output().unwrap();
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(&output.stdout), errors: text(&output.stderr) }
}

fn read(octets: &[u8]) -> Value {
    let ran = run(&["-", "--format", "json"], octets);
    assert_ne!(ran.out, "", "{}", ran.errors);
    serde_json::from_str(&ran.out).unwrap()
}

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, octets) in members {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(octets).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn report(id: &str) -> Value {
    json!({
        "organization-name": "Sender",
        "date-range": {"start-datetime": "2026-11-20T00:00:00Z", "end-datetime": "2026-11-20T23:59:59Z"},
        "contact-info": "tls@sender.example",
        "report-id": id,
        "policies": [{
            "policy": {
                "policy-type": "sts",
                "policy-string": ["version: STSv1", "mode: enforce", "mx: mx1.example.com", "max_age: 86400"],
                "policy-domain": "example.com",
                "mx-host": ["mx1.example.com"]
            },
            "summary": {"total-successful-session-count": 5, "total-failure-session-count": 0}
        }]
    })
}

fn octets(report: &Value) -> Vec<u8> {
    serde_json::to_vec(report).unwrap()
}

/// A mail with a report in base64, as `media_type`.
fn mail(media_type: &str, packed: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD.encode(packed);
    format!(
        "From: noreply@sender.example\r\nTo: reports@example.com\r\nSubject: Report Domain: example.com\r\n\
        TLS-Report-Domain: example.com\r\nTLS-Report-Submitter: sender.example\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/report; report-type=tlsrpt; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain\r\n\r\nThis is a report.\r\n\
        --b\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment; filename=\"sender!example.com!1!2.json.gz\"\r\n\r\n{encoded}\r\n--b--\r\n"
    )
    .into_bytes()
}

fn connections(document: &Value) -> u64 {
    document["digest"]["domains"][0]["connections"].as_u64().unwrap()
}

#[test]
fn the_answer_comes_first() {
    let ran = run(&["fixtures/tls-reports"], b"");
    assert_eq!(ran.code, 1, "{}", ran.errors);
    insta::assert_snapshot!("tls-reports-human", ran.out);
    insta::assert_snapshot!("tls-reports-csv", run(&["fixtures/tls-reports", "--format", "csv"], b"").out);
}

#[test]
fn reports_are_read_from_whatever_they_arrive_in() {
    let plain = octets(&report("1"));
    let packed = gzip(&plain);
    let behind: Vec<u8> = [packed.as_slice(), b"\r\n"].concat();
    let mbox = |mails: &[Vec<u8>]| -> Vec<u8> {
        let from = |mail: &Vec<u8>| [b"From a@b Thu Nov 26 14:00:00 2026\n".as_slice(), mail, b"\n"].concat();
        mails.iter().flat_map(from).collect()
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("JSON", plain.clone()),
        ("gzip", packed.clone()),
        ("gzip with octets behind it", behind.clone()),
        ("zip", zip(&[("report.json", &plain)])),
        ("gzip in zip", zip(&[("report.json.gz", &packed)])),
        ("a mail as RFC 8460 asks", mail("application/tlsrpt+gzip", &packed)),
        ("a mail with a zip file", mail("application/zip", &zip(&[("a.json", &plain)]))),
        ("a mail with octets", mail("application/octet-stream", &behind)),
        ("a mail with a wrong type", mail("text/plain", &plain)),
        ("a mailbox", mbox(&[mail("application/tlsrpt+gzip", &packed)])),
        (
            "a mailbox with it twice",
            mbox(&[mail("application/tlsrpt+gzip", &packed), mail("application/tlsrpt+json", &plain)]),
        ),
    ];
    for (name, input) in cases {
        let document = read(&input);
        assert_eq!(connections(&document), 5, "{name}: {document}");
        assert_eq!(document["unreadable"], json!([]), "{name}");
    }
}

#[test]
fn a_folder_is_read_and_a_bad_file_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["cur", "new", "tmp"] {
        std::fs::create_dir(folder.path().join(part)).unwrap();
    }
    let write = |name: &str, octets: &[u8]| std::fs::write(folder.path().join(name), octets).unwrap();
    write("cur/1", &mail("application/tlsrpt+gzip", &gzip(&octets(&report("1")))));
    write("new/2", &mail("application/tlsrpt+gzip", &gzip(&octets(&report("2")))));
    write("tmp/3", &mail("application/tlsrpt+gzip", &gzip(&octets(&report("3")))));
    write("new/4", b"From: a@b\r\n\r\nHello\r\n");
    write("new/5", b"\x1f\x8bdamaged");
    write("new/6", b"{\"policies\": [");
    let path = folder.path().to_str().unwrap();
    let ran = run(&[path, "--format", "json"], b"");
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(ran.code, 0, "{}", ran.errors);
    assert_eq!(connections(&document), 10);
    assert_eq!(document["unreadable"].as_array().unwrap().len(), 3, "{document}");
}

#[test]
fn what_is_no_report_is_told_and_costs_little() {
    let bomb = gzip(&[b"{\"policies\":[".as_slice(), &vec![b' '; 64 << 20], b"]}"].concat());
    let zip_bomb = zip(&[("a", &vec![b' '; 32 << 20]), ("b", &vec![b' '; 32 << 20])]);
    let nested = (0..8).fold(octets(&report("1")), |inner, _| gzip(&inner));
    let deep = "[".repeat(100_000);
    let cases: [(&[u8], &str); 8] = [
        (&bomb, "it is not unpacked"),
        (&zip_bomb, "it is not unpacked"),
        (&nested, "packed more than"),
        (deep.as_bytes(), "not a report"),
        (b"", "it is empty"),
        (b"<feedback/>", "DMARC"),
        (b"{\"snapshot\": 1}", "neither `policies` nor"),
        (b"hello", "neither JSON, gzip, zip nor a mail"),
    ];
    for (input, expected) in cases {
        let ran = run(&["-"], input);
        assert_eq!(ran.code, 2, "{expected}: {}", ran.out);
        assert!(ran.errors.contains(expected), "{expected}: {}", ran.errors);
    }
}

/// The rules that a change to a good report breaks.
fn rules(pointer: &str, value: Value) -> Vec<String> {
    let mut odd = report("1");
    if pointer.is_empty() {
        odd = value;
    } else {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = odd.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Value::String(word) if word == "REMOVE" => _ = parent.remove(name),
            value => _ = parent.insert(name.to_owned(), value),
        }
    }
    let document = read(&octets(&odd));
    let offences = document["reports"][0]["offences"].as_array().unwrap();
    offences.iter().map(|offence| offence["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_oddity_is_one_offence_and_loses_nothing() {
    let details = |detail: Value| json!([detail]);
    let cases: Vec<(&str, Value, &str)> = vec![
        ("/organization-name", json!("REMOVE"), "report-fields"),
        ("/contact-info", json!(null), "report-fields"),
        ("/contact-info", json!(""), "report-fields"),
        ("/report-id", json!(17), "report-fields"),
        ("/extra", json!(1), "report-extra"),
        ("/date-range/start-datetime", json!("2026-11-20T00:00:00"), "report-date-range"),
        ("/date-range/start-datetime", json!("yesterday"), "report-date-range"),
        ("/date-range/end-datetime", json!("2026-11-19T00:00:00Z"), "report-date-range"),
        ("/date-range/end-datetime", json!("2026-11-20T02:00:00Z"), "report-date-range"),
        ("/policies/0/policy/policy-domain", json!("REMOVE"), "report-policy"),
        ("/policies/0/policy/policy-type", json!("dane-only"), "report-policy"),
        ("/policies/0/policy/policy-string", json!("REMOVE"), "report-policy"),
        ("/policies/0/policy/policy-string", json!("version: STSv1\nmode: enforce"), "report-policy-string"),
        ("/policies/0/policy/policy-string", json!(["[\"3 1 1 ab\"]"]), "report-policy-string"),
        ("/policies/0/policy/policy-string", json!(["mode: enforce", "version: STSv1"]), "report-policy-string"),
        ("/policies/0/policy/mx-host", json!("mx1.example.com"), "report-mx-host"),
        ("/policies/0/policy/mx-host", json!(["mx: mx1.example.com"]), "report-mx-host"),
        ("/policies/0/policy/mx-host-pattern", json!([]), "report-extra"),
        ("/policies/0/summary/total-successful-session-count", json!("5"), "report-counts"),
        ("/policies/0/summary/total-successful-session-count", json!(5.5), "report-counts"),
        ("/policies/0/summary/total-failure-session-count", json!(2), "report-counts"),
        ("/policies/0/failure-details", json!(null), "report-fields"),
        (
            "/policies/0/failure-details",
            details(json!({"result-type": "mx-mismatch", "failed-session-count": 0})),
            "report-result-type",
        ),
        (
            "/policies/0/failure-details",
            details(json!({"result-type": "TLSA-Invalid", "failed-session-count": 0})),
            "report-result-type",
        ),
        (
            "/policies/0/failure-details",
            details(json!({"result-type": "tlsa-invalid", "failed-session-count": 0, "additional-information": {}})),
            "report-fields",
        ),
        ("", json!([report("1")]), "report-json"),
    ];
    for (pointer, value, expected) in cases {
        assert_eq!(rules(pointer, value.clone()), [expected], "{pointer}: {value}");
    }
    assert_eq!(rules("/policies/0/failure-details", json!([])), Vec::<String>::new());
    assert_eq!(rules("/date-range/end-datetime", json!("2026-11-21T00:00:00Z")), Vec::<String>::new());
}

#[test]
fn since_leaves_out_what_came_before() {
    let folder = Path::new("fixtures/tls-reports").to_str().unwrap();
    let document: Value =
        serde_json::from_str(&run(&[folder, "--format", "json", "--since", "2026-11-22"], b"").out).unwrap();
    assert_eq!(connections(&document), 7);
}

proptest! {
    /// Whatever is damaged in a report, its container or its mail: no panic, and no more reports than there are.
    #[test]
    fn damaged_reports_are_read_or_told(
        packed in 0..4usize,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let plain = octets(&report("1"));
        let mut input = match packed {
            0 => plain,
            1 => gzip(&plain),
            2 => zip(&[("a.json", &plain)]),
            _ => mail("application/tlsrpt+gzip", &gzip(&plain)),
        };
        for (at, octet) in edits {
            let at = at.index(input.len());
            input[at] = octet;
        }
        if cuts {
            input.truncate(cut.index(input.len()));
        }
        let unpacked = unpack("input", &input);
        prop_assert!(unpacked.found.len() + unpacked.lost.len() >= 1);
        let reports: Vec<_> =
            unpacked.found.iter().filter_map(|found| read_report(&found.source, &found.octets).ok()).collect();
        prop_assert!(reports.len() <= 1);
        let digest = digest(&reports);
        for domain in &digest.domains {
            prop_assert_eq!(domain.connections, domain.verified.saturating_add(domain.opportunistic).saturating_add(domain.failed));
            prop_assert!(domain.refused.saturating_add(domain.delivered) <= domain.failed);
        }
    }
}
