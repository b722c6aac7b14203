//! TLS reports as senders, mail programs and people hand them over: each is read, and the answer is the one that helps.

use std::io::Write;

use assert_cmd::Command;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// What `stslint reports` says of these octets: for people, in one line, and as JSON.
fn told(input: &[u8]) -> (String, Value) {
    let run = |format: &str| {
        let mut command = Command::cargo_bin("stslint").unwrap();
        command.args(["reports", "-", "--no-config", "--format", format]).write_stdin(input.to_vec()).output().unwrap()
    };
    let people = String::from_utf8(run("human").stdout).unwrap();
    let document = run("json");
    let document = serde_json::from_slice(&document.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&document.stderr)));
    (people.split_whitespace().collect::<Vec<_>>().join(" "), document)
}

fn entry(kind: &str, lines: Value, counts: (u64, u64), failures: Value) -> Value {
    json!({
        "policy": { "policy-type": kind, "policy-string": lines, "policy-domain": "example.com" },
        "summary": { "total-successful-session-count": counts.0, "total-failure-session-count": counts.1 },
        "failure-details": failures,
    })
}

fn report(sender: &str, policies: Value) -> Value {
    json!({
        "organization-name": sender,
        "date-range": { "start-datetime": "2026-11-20T00:00:00Z", "end-datetime": "2026-11-20T23:59:59Z" },
        "contact-info": "tls@sender.example",
        "report-id": "1",
        "policies": policies,
    })
}

fn policy(mode: &str, mx: &str) -> Value {
    json!(["version: STSv1", format!("mode: {mode}"), format!("mx: {mx}"), "max_age: 604800"])
}

fn octets(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

#[test]
fn questions_that_people_ask_about_a_report_get_their_answer() {
    let without = |mut entry: Value, name: &str| {
        entry["policy"].as_object_mut().unwrap().remove(name);
        entry
    };
    let fetch = |reason: &str| json!({ "result-type": "sts-policy-fetch-error", "failed-session-count": 1, "failure-reason-code": reason });
    let cases: Vec<(&str, Value, Vec<&str>)> = vec![
        (
            "a fetch that failed without a reason: nothing was lost",
            report(
                "Microsoft Corporation",
                json!([without(
                    entry(
                        "sts",
                        json!([]),
                        (0, 2),
                        json!([{ "result-type": "sts-policy-fetch-error", "failed-session-count": 2 }])
                    ),
                    "policy-string"
                )]),
            ),
            vec![
                "2 failed",
                "The mail was delivered all the same",
                "the report does not say which",
                "`stslint check` tries each address",
            ],
        ),
        (
            "one failure that is told twice, once without its host",
            report(
                "Microsoft Corporation",
                json!([entry(
                    "sts",
                    policy("testing", "example.com"),
                    (0, 1),
                    json!([
                        { "result-type": "validation-failure", "failure-reason-code": "MX_HOSTS_MISMATCH", "failed-session-count": 1 },
                        { "result-type": "validation-failure", "failure-reason-code": "VALIDATION_FAILURE",
                          "receiving-mx-hostname": "mail.example.com", "failed-session-count": 1 },
                    ])
                )]),
            ),
            vec![
                "mail to you",
                "delivered all the same",
                "1 connection on 2026-11-20",
                "Publish `mx: mail.example.com`",
                "mode enforce would have stopped",
            ],
        ),
        (
            "a wildcard over one label only",
            report(
                "Google Inc.",
                json!([entry(
                    "sts",
                    policy("enforce", "*.mx.microsoft"),
                    (0, 10),
                    json!([{ "result-type": "validation-failure", "sending-mta-ip": "",
                             "receiving-mx-hostname": "example-com.h-v1.mx.microsoft", "failed-session-count": 10 }])
                )]),
            ),
            vec!["10 failed", "was not delivered", "`*` covers only one label", "*.h-v1.mx.microsoft"],
        ),
        (
            "two HTTP errors, and a sum that does not add up",
            report(
                "Mail.ru",
                json!([entry(
                    "sts",
                    json!([]),
                    (0, 1),
                    json!([fetch("bad https response code: 404"), fetch("bad https response code: 500")])
                )]),
            ),
            vec!["HTTP status 404", "HTTP status 500", "the summary counts 1 failure, the details 2"],
        ),
        (
            "the cached policy is used when the fetch fails, also in mode enforce",
            report(
                "X",
                json!([entry("sts", policy("enforce", "mx1.example.com"), (5, 1), json!([fetch("no-policy-served")]))]),
            ),
            vec!["delivered all the same: senders used the policy in their cache", "until its max_age has passed"],
        ),
        (
            "a sender that knows neither MTA-STS nor DANE",
            report("Postfix", json!([entry("no-policy-found", json!([]), (1, 0), json!([]))])),
            vec!["without a policy", "not your fault", "No mail was lost"],
        ),
        (
            "a sender that does MTA-STS, and did not find the record",
            report("Google Inc.", json!([entry("no-policy-found", json!([]), (1, 0), json!([]))])),
            vec!["Google Inc. does MTA-STS, and did not find your record"],
        ),
        (
            "success only",
            report("Google Inc.", json!([entry("sts", policy("enforce", "mx1.example.com"), (3, 0), json!([]))])),
            vec!["All 3 connections were verified, under a policy in mode enforce", "No mail was lost"],
        ),
        (
            "the same connections under two policies, and TLSA records in a string",
            report(
                "Microsoft Corporation",
                json!([
                    entry("sts", policy("enforce", "mx1.example.com"), (2, 0), json!([])),
                    entry("tlsa", json!("[\"3 1 1 60aa\",\"3 1 1 83bb\"]"), (2, 0), json!([])),
                ]),
            ),
            vec!["All 2 connections were verified", "a JSON list inside a string"],
        ),
    ];
    for (name, report, expected) in cases {
        let (people, _) = told(&octets(&report));
        for part in expected {
            assert!(people.contains(part), "{name}: {part}: {people}");
        }
    }
}

#[test]
fn the_domain_is_found_where_a_policy_does_not_name_it() {
    let nameless = |id: &str| {
        let mut report = report(
            "Postfix",
            json!([{
                "policy": { "policy-type": "no-policy-found" },
                "summary": { "total-successful-session-count": 1, "total-failure-session-count": 0 },
            }]),
        );
        report["report-id"] = json!(id);
        octets(&report)
    };
    let domain = |input: &[u8]| told(input).1["digest"]["domains"][0]["domain"].clone();
    assert_eq!(domain(&nameless("2026-11-20T00:00:00Z_idx1_example.com")), "example.com");
    assert_eq!(domain(&nameless("133944884956529435+example.com")), "example.com");
    assert_eq!(domain(&nameless("133944884956529435+")), "");
    assert_eq!(domain(&nameless("1763596800.12")), "");
    let mail = |head: &str, name: &str| {
        let packed = STANDARD.encode(gzip(&nameless("x")));
        format!(
            "From: a@sender.example\r\n{head}Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\
            Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{packed}\r\n"
        )
        .into_bytes()
    };
    assert_eq!(domain(&mail("TLS-Report-Domain: Example.com\r\n", "x")), "example.com");
    assert_eq!(
        domain(&mail("Subject: Report Domain: example.com\r\n Submitter: sender.example\r\n", "x")),
        "example.com"
    );
    assert_eq!(domain(&mail("Subject: Report domain example.com submitter x\r\n", "x")), "example.com");
    assert_eq!(domain(&mail("", "sender.example!example.com!1!2.json.gz")), "example.com");
    // TLSA records are reported for the MX host by some: the policy of another report says whose it is.
    let mut tlsa = report("Two", json!([entry("tlsa", json!(["3 1 1 60aa"]), (2, 0), json!([]))]));
    tlsa["policies"][0]["policy"]["policy-domain"] = json!("mx1.example.com");
    let sts = report("One", json!([entry("sts", policy("enforce", "*.example.com"), (3, 0), json!([]))]));
    let (_, both) = told(&octets(&json!([sts, tlsa])));
    assert_eq!(both["digest"]["domains"].as_array().unwrap().len(), 1, "{both}");
    assert_eq!(both["digest"]["domains"][0]["connections"], 5);
}

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn zip(octets: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("r.json", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(octets).unwrap();
    archive.finish().unwrap().into_inner()
}

/// Base64 in lines of so many letters.
fn base64(octets: &[u8], width: usize) -> String {
    let letters = STANDARD.encode(octets);
    letters.as_bytes().chunks(width).map(|line| String::from_utf8(line.to_vec()).unwrap() + "\r\n").collect()
}

/// A part of a mail with the head and the body.
fn part(head: &str, body: &str) -> String {
    format!("--b\r\n{head}\r\n\r\n{body}\r\n")
}

fn mail(parts: &[String]) -> String {
    format!(
        "From: noreply@sender.example\r\nTo: r@example.com\r\nTLS-Report-Domain: example.com\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/report; report-type=tlsrpt; boundary=b\r\n\r\n{}--b--\r\n",
        parts.concat()
    )
}

#[test]
fn mails_of_every_shape_give_their_report() {
    let json = octets(&report("S", json!([entry("sts", policy("testing", "mx1.example.com"), (6, 0), json!([]))])));
    let text = part("Content-Type: text/plain", "This is a report.");
    let html = part("Content-Type: text/html", "<p>{\"policies\"}</p>");
    let head = |kind: &str, name: &str| {
        format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; {name}")
    };
    let plain_name = "filename=\"sender.example!example.com!1!2.json.gz\"";
    let packed = |kind: &str, name: &str, width: usize| part(&head(kind, name), &base64(&gzip(&json), width));
    let usual = packed("application/tlsrpt+gzip", plain_name, 76);
    let whole = mail(&[text.clone(), usual.clone()]);
    let nested = format!(
        "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: multipart/alternative; boundary=d\r\n\r\n\
        --d\r\nContent-Type: text/plain\r\n\r\nx\r\n--d--\r\n{}--c--\r\n",
        usual.replace("--b\r\n", "--c\r\n")
    );
    let inner = whole.replace("boundary=b", "boundary=i").replace("--b", "--i");
    let forwarded = |times: usize| {
        (0..times).fold(inner.clone(), |inside, _| {
            format!("From: a@b.example\r\nContent-Type: message/rfc822\r\n\r\n{inside}")
        })
    };
    let quoted = String::from_utf8(json.clone()).unwrap().replace('=', "=3D").replace(',', ",=\r\n");
    let mails: Vec<(&str, String)> = vec![
        ("as RFC 8460 asks", whole.clone()),
        ("with a text in HTML", mail(&[html, usual.clone()])),
        ("with an empty part", mail(&[text.clone(), part("Content-Type: text/plain", ""), usual.clone()])),
        ("nested", mail(&[nested])),
        ("octets", mail(&[text.clone(), packed("application/octet-stream", plain_name, 76)])),
        ("gzip", mail(&[text.clone(), packed("application/x-gzip", plain_name, 76)])),
        ("lines of 73", mail(&[text.clone(), packed("application/tlsrpt+gzip", plain_name, 73)])),
        ("one line", mail(&[text.clone(), packed("application/tlsrpt+gzip", plain_name, 1 << 20)])),
        ("zip", mail(&[text.clone(), part(&head("application/zip", "filename=r.zip"), &base64(&zip(&json), 76))])),
        (
            "a name by RFC 2231",
            mail(&[
                text.clone(),
                packed(
                    "application/tlsrpt+gzip",
                    "filename*0*=utf-8''sender%21example.com;\r\n filename*1*=%211%212.json.gz",
                    76,
                ),
            ]),
        ),
        (
            "a name by RFC 2047",
            mail(&[packed("application/gzip; name=\"=?utf-8?B?eC5neg==?=\"", "filename=\"=?utf-8?Q?x.gz?=\"", 76)]),
        ),
        ("inline", mail(&[text.clone(), usual.replace("attachment", "inline")])),
        (
            "JSON as it is",
            mail(&[text.clone(), part("Content-Type: application/tlsrpt+json", std::str::from_utf8(&json).unwrap())]),
        ),
        (
            "quoted-printable",
            mail(&[
                text.clone(),
                part("Content-Type: application/tlsrpt+json\r\nContent-Transfer-Encoding: quoted-printable", &quoted),
            ]),
        ),
        ("forwarded", forwarded(1)),
        ("forwarded six times", forwarded(6)),
        (
            "forwarded in base64",
            mail(&[part(
                "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64",
                &base64(inner.as_bytes(), 76),
            )]),
        ),
        ("line endings of Unix", whole.replace("\r\n", "\n")),
        ("without its end", whole.replace("--b--\r\n", "")),
        ("behind empty lines", format!("\r\n\r\n{whole}")),
    ];
    for (name, mail) in mails {
        let (_, document) = told(mail.as_bytes());
        assert_eq!(document["digest"]["domains"][0]["connections"], 6, "{name}: {document}");
        assert_eq!(
            (&document["digest"]["reports"], &document["unreadable"]),
            (&json!(1), &json!([])),
            "{name}: {document}"
        );
    }
    let (_, endless) = told(forwarded(40).as_bytes());
    assert_eq!(endless["digest"]["reports"], 0, "{endless}");
    assert!(endless["unreadable"].to_string().contains("forwarded"), "{endless}");
}

#[test]
fn files_hold_one_report_or_several_and_write_it_in_their_own_way() {
    let one = |id: &str, connections: u64| {
        let mut one =
            report("S", json!([entry("sts", policy("testing", "mx1.example.com"), (connections, 0), json!([]))]));
        one["report-id"] = json!(id);
        one
    };
    let plain = octets(&one("1", 1));
    let lines = [octets(&one("1", 1)), octets(&one("2", 2))].join(&b'\n');
    let text = String::from_utf8(plain.clone()).unwrap();
    let utf_16 = [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let underscores = String::from_utf8(plain.clone()).unwrap().replace("organization-name", "organization_name");
    let cases: Vec<(&str, Vec<u8>, u64, &str)> = vec![
        ("JSON Lines", lines, 3, ""),
        ("a list", octets(&json!([one("1", 1), one("2", 2)])), 3, ""),
        ("a byte order mark", [b"\xEF\xBB\xBF".as_slice(), &plain].concat(), 1, "report-json"),
        (
            "octets that are not UTF-8",
            String::from_utf8_lossy(&plain)
                .replace("\"S\"", "\"M?\"")
                .replace('?', "\u{fc}")
                .chars()
                .map(|c| c as u8)
                .collect(),
            1,
            "report-json",
        ),
        ("underscores", underscores.into_bytes(), 1, "report-extra"),
        ("gzip with a line ending after it", [gzip(&plain), b"\r\n".to_vec()].concat(), 1, ""),
        ("zeroes after it", [plain.as_slice(), &[0; 12]].concat(), 1, ""),
        ("UTF-16", utf_16, 1, "report-json"),
        ("an object around it", octets(&json!({ "report": one("1", 1) })), 1, "report-json"),
    ];
    for (name, input, connections, rule) in cases {
        let (_, document) = told(&input);
        assert_eq!(document["digest"]["domains"][0]["connections"], connections, "{name}: {document}");
        assert_eq!(document["unreadable"], json!([]), "{name}");
        let offences = document["reports"][0]["offences"].as_array().unwrap();
        let rules: Vec<&str> = offences.iter().map(|offence| offence["rule"].as_str().unwrap()).collect();
        assert_eq!(rules.concat(), rule, "{name}");
    }
}

#[test]
fn a_damaged_line_costs_no_other_report() {
    let one = |id: &str| {
        let mut one = report("S", json!([entry("sts", policy("testing", "mx1.example.com"), (1, 0), json!([]))]));
        one["report-id"] = json!(id);
        octets(&one)
    };
    let cut = one("2");
    for damaged in [&cut[..cut.len() - 40], b"<html>", b"\0\xFF"] {
        for lines in [[&one("1"), damaged, &one("3")], [damaged, &one("1"), &one("3")], [&one("1"), &one("3"), damaged]]
        {
            // What a file is, its first octets say.
            if !lines[0].starts_with(b"{") {
                continue;
            }
            let (people, document) = told(&lines.join(&b'\n'));
            assert_eq!(document["digest"]["reports"], 2, "{people}");
            assert_eq!(document["unreadable"].as_array().unwrap().len(), 1, "{document}");
        }
    }
}

#[test]
fn dane_under_another_name_is_dane() {
    for word in ["dane", "dane-only", "DANE"] {
        let failed = json!([{ "result-type": "tlsa-invalid", "failed-session-count": 2 }]);
        let (people, document) = told(&octets(&report("S", json!([entry(word, json!(["3 1 1 ab"]), (3, 2), failed)]))));
        let domain = &document["digest"]["domains"][0];
        assert_eq!((&domain["verified"], &domain["refused"]), (&json!(3), &json!(2)), "{people}");
        assert!(people.contains(&format!("`{word}` is not a policy type")), "{people}");
    }
}

#[test]
fn seconds_since_1970_are_a_time() {
    let mut seconds = report("S", json!([entry("sts", policy("testing", "mx1.example.com"), (1, 0), json!([]))]));
    seconds["date-range"] = json!({ "start-datetime": 1_763_596_800, "end-datetime": "1763683199" });
    let (people, document) = told(&octets(&seconds));
    assert_eq!(document["digest"]["domains"][0]["first_day"], "2025-11-20", "{people}");
    assert!(people.contains("`1763683199` is a number of seconds, not a date-time"), "{people}");
}

#[test]
fn both_forms_of_an_internationalised_name_are_one_domain() {
    let about = |name: &str| {
        let mut one = report(name, json!([entry("sts", policy("testing", "mx1.example.com"), (1, 0), json!([]))]));
        one["policies"][0]["policy"]["policy-domain"] = json!(name);
        octets(&one)
    };
    let (_, document) = told(&[about("m\u{fc}nchen.example"), about("xn--mnchen-3ya.example.")].join(&b'\n'));
    let domains = document["digest"]["domains"].as_array().unwrap();
    assert_eq!(domains.len(), 1, "{document}");
    assert_eq!(domains[0]["domain"], "xn--mnchen-3ya.example");
}
