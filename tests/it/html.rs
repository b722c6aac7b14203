//! The HTML report from outside: one sound file, whatever peers send.

use std::collections::BTreeSet;

use assert_cmd::Command;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use scraper::{Html, Selector};

/// What an attacker might try in every place that a text can come from.
const HOSTILE: &str =
    "</code></pre></style><script>alert(1)</script><img src=x onerror=alert(1)>'\"&amp;\u{1b}[31m\u{202e}`";

fn page_with(args: &[&str], input: &str) -> String {
    let mut command = Command::cargo_bin("stslint").unwrap();
    command.args(["check", "--format", "html", "--fail-on", "never"]).args(args);
    let output = command.write_stdin(input).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    // A page of a domain of which nothing could be checked is a page as well.
    let nothing = args.contains(&"--offline");
    assert_eq!(output.status.code(), Some(if nothing { 2 } else { 0 }), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn page_of(fixtures: &[&str]) -> String {
    let paths: Vec<String> = fixtures.iter().map(|name| format!("fixtures/{name}/snapshot.yaml")).collect();
    let args: Vec<&str> = paths.iter().flat_map(|path| ["--snapshot", path]).collect();
    page_with(&args, "")
}

fn select<'a>(document: &'a Html, selector: &str) -> Vec<scraper::ElementRef<'a>> {
    document.select(&Selector::parse(selector).unwrap()).collect()
}

fn texts(document: &Html, selector: &str) -> Vec<String> {
    let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    select(document, selector).into_iter().map(|element| words(element.text().collect())).collect()
}

/// What must be true of every page.
fn parse(page: &str) -> Html {
    let document = Html::parse_document(page);
    assert!(document.errors.is_empty(), "{:?}", document.errors);
    assert_eq!(select(&document, "h1").len(), 1);
    assert!(select(&document, "script, iframe, object, embed, base, form, img").is_empty());
    for landmark in ["header", "nav", "main", "footer", "a.skip[href='#content']"] {
        assert!(!select(&document, landmark).is_empty(), "{landmark}");
    }

    let mut ids = BTreeSet::new();
    for element in select(&document, "[id]") {
        assert!(ids.insert(element.attr("id").unwrap().to_owned()), "{:?} twice", element.attr("id"));
    }
    for element in select(&document, "[href^='#'], [aria-labelledby]") {
        let target = element.attr("href").and_then(|link| link.strip_prefix('#')).or(element.attr("aria-labelledby"));
        assert!(ids.contains(target.unwrap()), "{target:?} leads nowhere");
    }
    for element in select(&document, "*") {
        for (name, value) in element.value().attrs() {
            assert!(!name.starts_with("on") && name != "style" && name != "src", "{name}={value}");
            let allowed = value.starts_with('#') || value.starts_with("https://www.rfc-editor.org/");
            assert!(name != "href" || allowed || element.value().name() == "link", "{value}");
        }
    }
    let levels: Vec<u8> = select(&document, "h1, h2, h3, h4, h5, h6")
        .iter()
        .map(|heading| heading.value().name().as_bytes()[1] - b'0')
        .collect();
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "no level is left out: {levels:?}");
    document
}

#[test]
fn pages_are_sound() {
    for fixture in ["perfect", "mx-not-covered", "policy-html", "tlsrpt-bad-uri", "no-record", "mx-no-starttls"] {
        let document = parse(&page_of(&[fixture]));
        assert_eq!(texts(&document, "h1"), [format!("{fixture}.example")]);
    }
    parse(&page_with(&["--offline", "example.com"], ""));
}

#[test]
fn the_parts_of_a_small_page() {
    let document = parse(&page_of(&["mx-not-covered"]));
    let mut parts = String::new();
    for selector in [".verdict", ".glance > div", ".contents li", ".part > h2", ".finding", ".part-policy figure", "tr"]
    {
        parts.push_str(&format!("{selector}\n"));
        for element in select(&document, selector) {
            let pieces: Vec<&str> = element.text().map(str::trim).filter(|piece| !piece.is_empty()).collect();
            parts.push_str(&format!("  {}\n", pieces.join(" | ")));
        }
    }
    insta::assert_snapshot!(parts);
}

#[test]
fn faults_are_marked_where_they_are() {
    let document =
        parse(&page_with(&["--policy", "-"], "version: STSv1\nmode: enfroce\nmx: mx.example.com\nmax_age: 86400\n"));
    assert_eq!(texts(&document, ".part-policy li[value='2'] mark"), ["enfroce"]);
    assert_eq!(texts(&document, ".finding figure mark").first().map(String::as_str), Some("enfroce"));
    let links = select(&document, ".part-policy .remarks a[href^='#d1-finding-']");
    assert!(!links.is_empty(), "the policy's lines lead to their findings");
    assert_eq!(texts(&document, ".part-policy figcaption"), ["The policy"]);
}

#[test]
fn every_check_is_listed_and_only_groups_with_faults_are_open() {
    let path = "fixtures/mx-not-covered/snapshot.yaml";
    let output =
        Command::cargo_bin("stslint").unwrap().args(["check", "--format", "json", "--snapshot", path]).output();
    let report: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let checks = report["results"][0]["checks"].as_array().unwrap();
    let document = parse(&page_of(&["mx-not-covered"]));
    assert_eq!(texts(&document, ".made .rule").len(), checks.len());
    let listed: BTreeSet<String> = texts(&document, ".made .rule").into_iter().collect();
    assert!(checks.iter().all(|check| listed.contains(check["rule"].as_str().unwrap())));
    assert_eq!(texts(&document, ".part-checks details[open] > summary strong"), ["MX hosts and DNS"]);
}

#[test]
fn several_domains_have_an_overview_with_the_worst_first() {
    let document = parse(&page_of(&["perfect", "mx-not-covered", "policy-404"]));
    assert_eq!(texts(&document, "#overview tbody th").last().map(String::as_str), Some("perfect.example"));
    assert_eq!(texts(&document, "#overview tbody td:nth-child(3)").last().map(String::as_str), Some("0"));
    assert_eq!(select(&document, "section.domain > .verdict > h2").len(), 3);
    assert!(select(&parse(&page_of(&["perfect"])), "#overview").is_empty());
}

#[test]
fn the_policy_of_the_page_allows_its_style_and_nothing_else() {
    let document = parse(&page_of(&["perfect"]));
    let style: String = select(&document, "style").iter().flat_map(|style| style.text()).collect();
    let hash = STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, style.as_bytes()));
    let policy = select(&document, "meta[http-equiv='Content-Security-Policy']")[0].attr("content").unwrap();
    let expected =
        format!("default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'");
    assert_eq!(policy, expected);
    for foreign in ["url(", "@import", "@font-face", "expression("] {
        assert!(!style.contains(foreign), "{foreign}");
    }
}

#[test]
fn hostile_texts_leave_no_element_of_theirs() {
    let quoted = serde_json::to_string(HOSTILE).unwrap();
    let snapshot = format!(
        r#"{{"snapshot": 1, "domain": {quoted}, "collected_at": "2026-11-23T10:00:00Z",
        "collection": {{"program": {quoted}, "resolver": {quoted}, "dnssec": {quoted}, "roots": {quoted},
            "left_out": [{{"field": {quoted}, "reason": {quoted}}}]}},
        "mx": {{"name": {quoted}, "ttl": 60, "records": [{{"preference": 1, "exchange": {quoted}}}]}},
        "record": {{"ttl": 60, "records": [{{"strings": [{record}]}}]}},
        "tlsrpt": {{"records": [{{"strings": [{tlsrpt}]}}]}},
        "policy_host": {{"name": {quoted}, "ipv4": {{"name": {quoted}, "aliases": [{{"name": {quoted}, "target": {quoted}}}]}},
            "probes": [{{"address": "192.0.2.1", "connected": true,
                "tls": {{"handshake": true, "version": "TLSv1.3", "cipher": {quoted}, "chain": [{{"subject": {quoted},
                    "issuer": {quoted}, "not_after": "2026-11-23T10:00:00Z", "not_before": "2026-11-23T10:00:00Z", "dns_ids": [{quoted}]}}],
                    "trust": {{"verdict": "other", "detail": {quoted}}}}},
                "response": {{"status": 302, "headers": [{{"name": "location", "value": {quoted}}},
                    {{"name": "content-type", "value": {quoted}}}]}}}}]}},
        "policy": {{"body": {policy}}},
        "mx_hosts": [{{"exchange": {quoted}, "ipv4": {{"records": [{{"address": "192.0.2.2"}}]}},
            "probes": [{{"address": "192.0.2.2", "connected": true, "greeting": {{"code": 220, "lines": [{quoted}]}},
                "ehlo": {{"code": 250, "lines": [{quoted}, {quoted}]}},
                "failure": {{"kind": "other", "detail": {quoted}}},
                "transcript": [{{"from": "server", "text": {quoted}}}]}}]}}],
        "timeline": [{{"name": {quoted}, "start_ms": 9, "end_ms": 1}}, {{"name": "SMTP", "start_ms": 0, "end_ms": 3}}]}}"#,
        record = serde_json::to_string(&format!("v=STSv1; id={HOSTILE};")).unwrap(),
        tlsrpt = serde_json::to_string(&format!("v=TLSRPTv1; rua=mailto:{HOSTILE},https://{HOSTILE}")).unwrap(),
        policy = serde_json::to_string(&format!("version: STSv1\nmode: {HOSTILE}\nmx: {HOSTILE}\n")).unwrap(),
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.json");
    std::fs::write(&path, snapshot).unwrap();
    let page = page_with(&["--snapshot", path.to_str().unwrap()], "");
    assert!(!page.contains("<script") && !page.contains('\u{1b}') && !page.contains('\u{202e}'));
    let document = parse(&page);
    assert!(texts(&document, "h1")[0].contains("<script>alert(1)</script>"), "it is shown as text");
    assert!(texts(&document, "h1")[0].contains("\\u{1b}[31m\\u{202e}"), "what cannot be seen is shown");
    let ours = "html head meta title link style body svg symbol rect path circle use a header p strong span nav ul li main \
        section div h1 h2 h3 dl dt dd time article code figure figcaption ol mark table caption thead tr th tbody td \
        details summary g line text footer del ins";
    let ours: BTreeSet<&str> = ours.split_whitespace().collect();
    for element in select(&document, "*") {
        assert!(ours.contains(element.value().name()), "{}", element.value().name());
    }
}
