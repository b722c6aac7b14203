//! `stslint reports` from outside: whatever reports arrive in, and whatever is odd about them.

use std::io::Write;
use std::path::Path;

use assert_cmd::Command;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

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
        ("gzip with octets after it", behind.clone()),
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
    // One of the reports before that day ends at its midnight.
    assert_eq!(connections(&document), 2);
}

/// What a format says of the sample reports.
fn formatted(format: &str, more: &[&str]) -> String {
    let args: Vec<&str> = ["fixtures/tls-reports", "--format", format].iter().chain(more).copied().collect();
    let ran = run(&args, b"");
    assert_eq!((ran.code, ran.errors.as_str()), (1, ""), "{format}");
    ran.out
}

#[test]
fn each_format_for_people_holds_the_answer_the_cause_and_the_table() {
    for format in ["human", "markdown", "html"] {
        let plain = |text: String| text.replace("\n", " ").replace("<code>", "`").replace("</code>", "`");
        for (by, expected) in [
            ("sender", ["Sender One", "41"]),
            ("day", ["2026-11-20", "41"]),
            ("host", ["a.b.mail.example.com", "2"]),
            ("cause", ["matches no `mx` line", "2"]),
        ] {
            let text = plain(formatted(format, &["--by", by]));
            for part in expected.iter().chain(&["Of 48 connections, 46 were verified, 2 failed", "as 3 senders saw it"])
            {
                assert!(text.contains(part), "{format} by {by}: {part}: {text}");
            }
        }
        assert!(!formatted(format, &["--since", "2026-11-21"]).contains("Sender One"), "{format}");
    }
}

#[test]
fn a_digest_is_short_and_says_what_to_do() {
    let text = formatted("digest", &[]);
    assert_eq!(text.lines().count(), 3, "{text}");
    for part in ["example.com: mail to you", "2 failed", "Publish `mx: *.b.mail.example.com`", "mode enforce? Not yet"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let later = run(&["fixtures/tls-reports", "--format", "digest", "--since", "2026-11-22"], b"").out;
    assert!(later.starts_with("example.com: mail to you, on 2026-11-22, as 1 sender saw it."), "{later}");
}

#[test]
fn metrics_have_the_sums_and_one_series_for_each_of_what_was_asked_for() {
    let all = formatted("prometheus", &[]);
    for line in [
        "stslint_tls_reports 3",
        "stslint_tls_report_connections{domain=\"example.com\",result=\"verified\"} 46",
        "stslint_tls_report_failed_connections{domain=\"example.com\",fate=\"delivered\"} 2",
        "stslint_tls_report_last_day_timestamp_seconds{domain=\"example.com\"} 1795305600",
        "stslint_tls_report_sender_connections{domain=\"example.com\",sender=\"Sender Two\",result=\"failed\"} 2",
    ] {
        assert!(all.lines().any(|found| found == line), "{line}: {all}");
    }
    for (by, line) in [
        ("cause", "stslint_tls_report_cause_failures{domain=\"example.com\",cause=\"not_covered\"} 2"),
        ("host", "stslint_tls_report_host_failures{domain=\"example.com\",host=\"a.b.mail.example.com\"} 2"),
        ("day", "stslint_tls_report_day_connections{domain=\"example.com\",day=\"2026-11-21\",result=\"failed\"} 2"),
    ] {
        let text = formatted("prometheus", &["--by", by]);
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    assert!(formatted("prometheus", &["--since", "2026-11-21"]).contains("stslint_tls_reports 2\n"));
}

#[test]
fn the_page_draws_days_and_causes_and_says_the_same_in_a_table() {
    let page = formatted("html", &[]);
    assert!(!page.contains("<script") && !page.contains("src="), "{page}");
    let (_, drawing) = page.split_once("<svg class=\"drawing\" role=\"img\"").unwrap();
    let (drawing, after) = drawing.split_once("</svg>").unwrap();
    assert!(drawing.contains("<title id=\"d1-chart-title\">") && drawing.contains("<desc id=\"d1-chart-about\">"));
    // Three days with connections, and one with a failure.
    assert_eq!(drawing.matches("<rect").count(), 4, "{drawing}");
    assert!(drawing.contains("<title>2026-11-21: 2</title>"), "{drawing}");
    let (_, table) = after.split_once("Connections of each day").unwrap();
    assert!(
        table.contains("2026-11-21</th><td class=\"number\">5</td><td class=\"number\">2</td><td>1: 2</td>"),
        "{table}"
    );
}

#[test]
fn rows_and_lines_hold_each_report_once_and_only_since_then() {
    let one = octets(&report("1"));
    let twice = zip(&[("a.json", &one), ("b.json", &one), ("c.json", &octets(&report("2")))]);
    for (format, lines) in [("csv", 3), ("jsonl", 2)] {
        let ran = run(&["-", "--format", format], &twice);
        assert_eq!(ran.out.lines().count(), lines, "{format}: {}", ran.out);
        assert_eq!(run(&["-", "--format", format, "--since", "2026-11-21"], &twice).out.lines().count(), lines - 2);
    }
    let document = read(&twice);
    assert_eq!((&document["digest"]["reports"], &document["digest"]["duplicates"]), (&json!(2), &json!(1)));
    assert_eq!(document["reports"].as_array().unwrap().len(), 2);
    assert_eq!(connections(&document), 10);
}

/// The good domain with changes, as a file of a folder.
fn snapshot(folder: &Path, name: &str, changes: &[(&str, Value)]) -> String {
    let mut tree = serde_json::to_value(stslint::read("fixtures/good/snapshot.yaml").unwrap()).unwrap();
    for (pointer, value) in changes {
        *tree.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value.clone();
    }
    let path = folder.join(name);
    std::fs::write(&path, serde_json::to_vec(&tree).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A report with one failure at a host.
fn failing(result_type: &str, host: &str) -> Vec<u8> {
    let mut failing = report("1");
    failing["policies"][0]["summary"]["total-failure-session-count"] = json!(3);
    failing["policies"][0]["failure-details"] =
        json!([{"result-type": result_type, "receiving-mx-hostname": host, "failed-session-count": 3}]);
    octets(&failing)
}

fn compared(input: &[u8], now: &str, older: Option<&str>) -> Value {
    let mut args = vec!["-", "--format", "json", "--snapshot", now];
    args.extend(older.iter().flat_map(|older| ["--baseline", older]));
    let ran = run(&args, input);
    let document: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.errors));
    document["comparisons"][0].clone()
}

#[test]
fn a_failure_is_shown_with_the_finding_that_explains_it_now_or_did() {
    let folder = tempfile::tempdir().unwrap();
    let plain: [(&str, Value); 2] = [
        ("/mx_hosts/0/probes/0/ehlo", json!({"code": 250, "lines": ["mx1.example.com", "8BITMIME"]})),
        ("/mx_hosts/0/probes/0/starttls", Value::Null),
    ];
    let good = snapshot(folder.path(), "good.json", &[]);
    let no_tls = snapshot(folder.path(), "plain.json", &plain);
    let mut earlier = plain.to_vec();
    earlier.push(("/collected_at", json!("2026-11-19T10:00:00Z")));
    let earlier = snapshot(folder.path(), "earlier.json", &earlier);
    let unseen = snapshot(folder.path(), "unseen.json", &[("/mx_hosts/0/probes", Value::Null)]);
    let early = snapshot(folder.path(), "early.json", &[("/collected_at", json!("2026-11-18T10:00:00Z"))]);
    let input = failing("starttls-not-supported", "MX1.example.com.");
    let cases: [(&str, &str, Option<&str>, &str, Value); 5] = [
        ("a finding of now", &no_tls, None, "found", json!("smtp-starttls-offered")),
        ("fixed since the baseline", &good, Some(&earlier), "fixed", json!("smtp-starttls-offered")),
        ("nothing explains it", &good, None, "unexplained", Value::Null),
        ("the host was not looked at", &unseen, None, "not_checked", Value::Null),
        ("the snapshot is older than the failure", &early, None, "not_checked", Value::Null),
    ];
    for (name, now, older, state, rule) in cases {
        let comparison = compared(&input, now, older);
        assert_eq!(comparison["causes"][0]["state"], state, "{name}: {comparison}");
        assert_eq!(comparison["causes"][0]["rule"], rule, "{name}: {comparison}");
        // The policy is in mode enforce: only a failure that is fixed speaks for nothing.
        assert_eq!(comparison["enforce"]["ready"], state == "fixed", "{name}: {comparison}");
    }
    // The same failure at another host is not that finding.
    let other = compared(&failing("starttls-not-supported", "mx2.mail.example.com"), &no_tls, None);
    assert_eq!(other["causes"][0]["state"], "unexplained", "{other}");
    let gone = compared(&failing("starttls-not-supported", "old.example.com"), &no_tls, None);
    assert_eq!(gone["causes"][0]["state"], "fixed", "{gone}");
    // The policy of then has no line for the host, and the one of now has.
    let covered = compared(&failing("validation-failure", "mx2.mail.example.com"), &good, None);
    assert_eq!(covered["causes"][0]["state"], "fixed", "{covered}");
    assert!(covered["causes"][0]["message"].as_str().unwrap().contains("`mx: *.mail.example.com`"), "{covered}");
}

#[test]
fn who_holds_an_older_policy_is_told_with_the_day_on_which_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let good = snapshot(folder.path(), "good.json", &[]);
    let of = |max_age: u64, sender: &str| {
        let mut one = report(sender);
        one["organization-name"] = json!(sender);
        one["policies"][0]["policy"]["policy-string"] =
            json!(["version: STSv1", "mode: testing", "mx: mx1.example.com", format!("max_age: {max_age}")]);
        one
    };
    let held = |report: &Value| compared(&octets(report), &good, None)["held"].clone();
    let long = held(&of(604_800, "Long"));
    assert_eq!((&long[0]["sender"], &long[0]["seen"]), (&json!("Long"), &json!("2026-11-20")));
    // Fetched on 20 November at the latest, and good for seven days.
    assert_eq!(long[0]["until"], "2026-11-27", "{long}");
    assert_eq!(long[0]["differences"][0], "mode testing instead of enforce");
    // Two days after the 20th it was gone, and the snapshot is of the 23rd.
    assert_eq!(held(&of(172_800, "Short")), json!([]));
    let mut same = report("Same");
    same["policies"][0]["policy"]["policy-string"] =
        json!(["version: STSv1", "max_age: 1209600", "mx: *.MAIL.example.com", "mx: mx1.example.com", "mode: enforce"]);
    assert_eq!(held(&same), json!([]));
}

#[test]
fn mode_enforce_is_advised_only_on_a_week_of_clean_reports_and_a_clean_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let body =
        "version: STSv1\r\nmode: testing\r\nmx: mx1.example.com\r\nmx: *.mail.example.com\r\nmax_age: 604800\r\n";
    let testing = snapshot(folder.path(), "testing.json", &[("/policy/body", json!(body))]);
    let unseen =
        snapshot(folder.path(), "unseen.json", &[("/policy/body", json!(body)), ("/mx_hosts/1/probes", Value::Null)]);
    let week = |days: u32, failed_on: Option<u32>| -> Vec<u8> {
        let mut reports = Vec::new();
        for day in 1..=days {
            for sender in ["One", "Two"] {
                let mut one = report(&format!("{sender}-{day}"));
                one["organization-name"] = json!(sender);
                one["date-range"] = json!({
                    "start-datetime": format!("2026-11-{day:02}T00:00:00Z"),
                    "end-datetime": format!("2026-11-{day:02}T23:59:59Z"),
                });
                if failed_on == Some(day) {
                    one["policies"][0]["summary"]["total-failure-session-count"] = json!(1);
                    one["policies"][0]["failure-details"] = json!([{
                        "result-type": "validation-failure",
                        "receiving-mx-hostname": "mx2.mail.example.com",
                        "failed-session-count": 1,
                    }]);
                }
                reports.push((format!("{sender}-{day}.json"), octets(&one)));
            }
        }
        let members: Vec<(&str, &[u8])> = reports.iter().map(|(name, one)| (name.as_str(), one.as_slice())).collect();
        zip(&members)
    };
    let ready = |input: &[u8], now: &str| compared(input, now, None)["enforce"]["ready"].as_bool().unwrap();
    assert!(ready(&week(7, None), &testing));
    assert!(!ready(&week(6, None), &testing), "six days are not a week");
    assert!(!ready(&week(7, None), &unseen), "a host that was not looked at speaks for nothing");
    assert!(!ready(&week(8, Some(3)), &testing), "five days since the last failure");
    assert!(ready(&week(12, Some(3)), &testing), "nine days since a failure that the policy of now has fixed");
    let said = run(&["-", "--snapshot", &testing], &week(7, None)).out;
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains(
            "Yes: the reports and the snapshot show no obstacle to mode enforce. The reports show 2 senders, 7 days"
        ),
        "{said}"
    );
}

#[test]
fn where_no_reports_come_the_reason_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let record = |text: &str| json!({"outcome": "answer", "records": [{"strings": [text]}]});
    let cases = [
        (json!({"outcome": "nxdomain", "records": []}), "there is no TLSRPT record at _smtp._tls.example.com"),
        (record("v=TLSRPTv1; rua=tls@example.com"), "tlsrpt-rua"),
        (record("v=TLSRPTv1; rua=mailto:a@collector.example"), "at `collector.example`: look for them there"),
        (record("v=TLSRPTv1; rua=mailto:tlsrpt@example.com"), "too new"),
    ];
    let mut other = report("1");
    other["policies"][0]["policy"]["policy-domain"] = json!("other.example");
    for (index, (published, expected)) in cases.into_iter().enumerate() {
        let path = snapshot(folder.path(), &format!("{index}.json"), &[("/tlsrpt", published)]);
        let comparison = compared(&octets(&other), &path, None);
        let reasons = comparison["silence"].to_string();
        assert!(reasons.contains(expected), "{expected}: {reasons}");
    }
}

#[test]
fn of_many_causes_each_format_tells_the_first_and_the_number_of_the_rest() {
    let mut many = report("many");
    let failure = |number: usize| {
        json!({
            "result-type": "starttls-not-supported",
            "receiving-mx-hostname": format!("mx{number}.example.com"),
            "failed-session-count": 1_000 - number,
        })
    };
    many["policies"][0]["failure-details"] = (0..300).map(failure).collect();
    many["policies"][0]["summary"]["total-failure-session-count"] = json!(300_000);
    for (format, told) in [("digest", 3), ("human", 20), ("markdown", 20), ("html", 50)] {
        let ran = run(&["-", "--format", format], &octets(&many));
        assert!(ran.out.contains(&format!("and {} more causes", 300 - told)), "{format}: {}", ran.out);
        assert!(ran.out.len() < 256 << 10, "{format}: {} octets", ran.out.len());
    }
}
