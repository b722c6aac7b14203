//! What a hostile peer, snapshot or rule can put into a report, and what no format may let through.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;

use pulldown_cmark::{Event, Options, Parser, Tag};
use quick_xml::events::Event as XmlEvent;
use serde_json::{Value, json};

use super::tls_reports::{By, TlsResults};
use super::*;
use crate::facts::Fact;
use crate::facts::tree::{
    CertificateFacts, DestinationFacts, FactTree, HttpsFacts, MxFacts, MxHostFacts, PatternFacts, PolicyFacts,
    PolicyHostFacts, RecordFacts, SmtpFacts, TlsSessionFacts, TlsaFacts, TlsrptFacts,
};
use crate::grammar::policy::Mode;
use crate::outcome::{Check, Fix, Ignored, Location, Outcome, Severity, Summary};
use crate::rules::judge_report;
use crate::snapshot::{Snapshot, TlsVersion};
use crate::source_text::is_unseen;
use crate::tls_match::{CauseNow, CauseState, Comparison, EnforceAdvice, HeldPolicy};
use crate::tls_reports::duplicates::Distinct;
use crate::tls_reports::result_type::ResultType;
use crate::tls_reports::sums::digest;

/// Texts that mean something to a terminal, to HTML, to Markdown, to XML, or to a service.
const HOSTILE: [&str; 15] = [
    "::error::owned\n::set-env name=a::b",
    "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m",
    "line\r\n::error file=/etc/passwd::owned\n| errors=9",
    "<script>alert(1)</script><img src=x onerror=alert(1)></details>",
    "![x](https://evil.example/x.png) [click](https://evil.example) <https://evil.example> www.evil.example",
    "@everyone #1 !2 a@b.example https://evil.example/@admin",
    "``` ` `` ~~~\n```\n# heading\n- [ ] item\n---\n",
    "]]> &amp; ' \" </testsuite> \u{0} \u{FFFE} \u{FFFF}",
    "\u{202e}txt.exe\u{2066}\u{200f}",
    "%0A%25 100% a:b,c|d;e \\ \\n \"} 1\nstslint_findings{domain=\"x\"} 0",
    "{0} {{}} [link](3) $`x`$ $$y$$",
    "1. one `a|b` |c| `unclosed **bold** _it_",
    "\u{2028}\u{2029}\u{85}",
    "a\u{200b}b\u{ad}c\u{e0041}d\u{2060}e\u{feff}",
    "a long text before what a runner takes for a command to itself ::stop-commands::x ##[error]owned ##vso[task.complete]",
];

fn check(text: &str, severity: Severity, outcome: Outcome) -> Check {
    let text = text.to_owned();
    let location = Location { exhibit: text.clone(), line: 1, column: 1, offset: 0, length: text.len() };
    Check {
        rule: "policy-mode".to_owned(),
        group: text.clone(),
        title: text.clone(),
        outcome,
        severity,
        confidence: Default::default(),
        domain: None,
        subject: Some(format!("{text}s")),
        message: Some(text.clone()),
        help: Some(text.clone()),
        cites: vec![text.clone(), "RFC 8461 §3.2".to_owned()],
        reported_as: Some(ResultType::ValidationFailure),
        senders: Some(text.clone()),
        at: Some(text.clone()),
        related: Vec::new(),
        reason: Some(text.clone()),
        fix: Some(Fix { location: location.clone(), with: text, safe: true }),
        location: Some(location),
    }
}

/// Facts with the text wherever a text can be.
fn facts(text: &str) -> FactTree {
    let any = || Fact::Known(text.to_owned());
    let some = || Fact::Known(Some(text.to_owned()));
    let certificate = CertificateFacts {
        not_after: Fact::Known("2027-01-01T00:00:00Z".to_owned()),
        days_left: Fact::Known(3),
        subject: any(),
        issuer: any(),
        dns_ids: Fact::Known(vec![text.to_owned()]),
        ..CertificateFacts::default()
    };
    let tls = TlsSessionFacts {
        version: Fact::Known(Some(TlsVersion::Tls13)),
        cipher: some(),
        failure: some(),
        certificate: Fact::Known(Some(certificate)),
        ..TlsSessionFacts::default()
    };
    let pattern = PatternFacts { text: any(), ..PatternFacts::default() };
    let destination = DestinationFacts {
        text: any(),
        scheme: some(),
        scheme_problem: some(),
        uri_problem: some(),
        ..DestinationFacts::default()
    };
    let tlsa = TlsaFacts { text: any(), ..TlsaFacts::default() };
    let smtp = SmtpFacts { address: any(), failure: some(), tls: Fact::Known(tls.clone()), ..SmtpFacts::default() };
    let https = HttpsFacts {
        address: any(),
        failure: some(),
        media_type: some(),
        tls: Fact::Known(tls),
        ..HttpsFacts::default()
    };
    let host = MxHostFacts {
        name: any(),
        alias: some(),
        covered_by: some(),
        probes: Fact::Known(vec![smtp]),
        tlsa: Fact::Known(vec![tlsa]),
        ..MxHostFacts::default()
    };
    FactTree {
        mx: Fact::Known(MxFacts { hosts: Fact::Known(vec![host]), ..MxFacts::default() }),
        record: Fact::Known(RecordFacts { text: some(), ..RecordFacts::default() }),
        policy: Fact::Known(PolicyFacts {
            mode: Fact::Known(Some(Mode::Enforce)),
            max_age: Fact::Known(Some(1)),
            body: some(),
            mx: Fact::Known(vec![pattern]),
            ..PolicyFacts::default()
        }),
        policy_host: Fact::Known(PolicyHostFacts {
            name: any(),
            probes: Fact::Known(vec![https]),
            ..PolicyHostFacts::default()
        }),
        tlsrpt: Fact::Known(TlsrptFacts {
            text: some(),
            usable: Fact::Known(false),
            rua: Fact::Known(vec![destination]),
            ..TlsrptFacts::default()
        }),
        ..FactTree::default()
    }
}

fn linted(text: &str, policy_file: Option<&str>) -> Linted {
    let checks: Vec<Check> = [
        (Severity::Error, Outcome::Fail),
        (Severity::Warning, Outcome::Fail),
        (Severity::Note, Outcome::Fail),
        (Severity::Remark, Outcome::Remark),
        (Severity::Error, Outcome::Pass),
        (Severity::Error, Outcome::NotApplicable),
        (Severity::Error, Outcome::NotChecked),
    ]
    .map(|(severity, outcome)| check(text, severity, outcome))
    .into();
    let report = Report {
        domain: Some(text.to_owned()),
        collected_at: Some("2026-11-23T15:44:53Z".to_owned()),
        summary: Summary::of(&checks),
        checks,
        ignored: vec![Ignored {
            rule: "policy-mode".to_owned(),
            group: text.to_owned(),
            severity: Severity::Error,
            subject: Some(text.to_owned()),
            message: text.to_owned(),
            reason: text.to_owned(),
            until: text.to_owned(),
            by: text.to_owned(),
            line: text.to_owned(),
        }],
        exhibits: BTreeMap::from([(text.to_owned(), text.to_owned())]),
        ..Report::default()
    };
    let facts = facts(text);
    Linted { report, facts, snapshot: Snapshot::of(Some(text)), policy_file: policy_file.map(str::to_owned) }
}

/// Hands over results of every hostile text, alone, of all together, and of one that is far too long.
fn each(examine: impl Fn(&str, &Results<'_>)) {
    let rules = RuleSet::built_in().unwrap();
    let all = HOSTILE.concat();
    let long = HOSTILE.concat().repeat(300);
    assert!(long.len() > 100_000);
    for text in HOSTILE.iter().copied().chain([all.as_str(), long.as_str()]) {
        let linted = [linted(text, None), linted(text, Some(text))];
        let unreadable = [Unreadable { name: text.to_owned(), message: format!("x{text}") }];
        examine(
            text,
            &Results {
                linted: &linted,
                unreadable: &unreadable,
                rules: &rules,
                ended_at: Timestamp::UNIX_EPOCH,
                run: Run::default(),
            },
        );
    }
}

/// No control character but line endings, none that turns the direction of text, and no command of a runner of CI jobs that
/// is obeyed wherever it is in a line.
fn assert_printable(text: &str, of: &str) {
    let found = text.chars().find(|c| (c.is_control() && *c != '\n') || is_unseen(*c));
    assert_eq!(found, None, "{of:?}: {text:?}");
    assert!(!text.contains("##[") && !text.contains("##vso["), "{of:?}: {text:?}");
}

#[test]
fn a_line_stays_a_line() {
    each(|text, results| {
        for linted in results.linted {
            let concise = concise(linted);
            assert_printable(&concise, text);
            assert_eq!(concise.lines().count(), 3, "{concise:?}");
            assert!(!concise.lines().any(|line| line.trim_start().starts_with("::")), "{text:?}: {concise}");
        }
    });
}

#[test]
fn a_workflow_command_stays_one() {
    each(|text, results| {
        for linted in results.linted {
            let commands = github(linted);
            assert_printable(&commands, text);
            assert_eq!(commands.lines().count(), 3, "{commands:?}");
            for (line, level) in commands.lines().zip(["error", "warning", "notice"]) {
                let (properties, message) =
                    line.strip_prefix(&format!("::{level} ")).unwrap().split_once("::").unwrap();
                let names: Vec<&str> = properties.split(',').map(|pair| pair.split_once('=').unwrap().0).collect();
                assert!(
                    names.iter().all(|name| ["file", "line", "endLine", "col", "endColumn", "title"].contains(name)),
                    "{names:?}"
                );
                assert!(message.len() < 50_000);
            }
        }
    });
}

#[test]
fn json_stays_json() {
    let schema = std::fs::read_to_string("tests/schema/sarif-2.1.0-rtm.5.json").unwrap();
    let mut schema: Value = serde_json::from_str(&schema).unwrap();
    // The official schema has a stray bracket in the pattern of a field that is never written.
    for owner in ["run", "toolComponent"] {
        schema["definitions"][owner]["properties"]["language"]["pattern"] = "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$".into();
    }
    let schema = jsonschema::draft4::new(&schema).unwrap();
    each(|text, results| {
        for document in [json(results).unwrap(), gitlab(results).unwrap(), sarif(results).unwrap()] {
            assert_printable(&document, text);
            serde_json::from_str::<Value>(&document).unwrap();
        }
        let line = json_line(&results.linted[0].report).unwrap();
        assert_printable(&line, text);
        assert_eq!(line.lines().count(), 1);
        let sarif: Value = serde_json::from_str(&sarif(results).unwrap()).unwrap();
        let errors: Vec<String> = schema.iter_errors(&sarif).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        for result in sarif["runs"][0]["results"].as_array().unwrap() {
            let message = result["message"]["text"].as_str().unwrap();
            assert!(!message.contains("](") && !message.replace("{{", "").contains('{'), "{message}");
        }
        let issues: Value = serde_json::from_str(&gitlab(results).unwrap()).unwrap();
        let fingerprints: std::collections::BTreeSet<&str> =
            issues.as_array().unwrap().iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
        assert_eq!(fingerprints.len(), 7);
    });
}

#[test]
fn xml_stays_xml() {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    each(|text, results| {
        let document = junit(results).unwrap();
        assert_printable(&document, text);
        assert!(document.chars().all(allowed), "{text:?}");
        assert!(!document.lines().any(|line| line.trim_start().starts_with("::")), "{text:?}: {document}");
        let mut reader = quick_xml::Reader::from_str(&document);
        let mut names = Vec::new();
        loop {
            match reader.read_event().unwrap_or_else(|error| panic!("{text:?}: {error}")) {
                XmlEvent::Start(element) | XmlEvent::Empty(element) => {
                    element.attributes().for_each(|attribute| drop(attribute.unwrap()));
                    names.push(element.name().as_ref().to_owned());
                }
                XmlEvent::Eof => break,
                XmlEvent::CData(_) | XmlEvent::Comment(_) | XmlEvent::PI(_) => panic!("{text:?}"),
                _ => {}
            }
        }
        let count = |name: &str| names.iter().filter(|found| *found == name).count();
        assert_eq!((count("testsuites"), count("testsuite"), count("testcase")), (1, 3, 15), "{text:?}");
        assert_eq!((count("failure"), count("skipped"), count("error")), (2, 4, 1), "{text:?}");
    });
}

#[test]
fn markdown_holds_no_link_image_html_or_mention_from_outside() {
    each(|text, results| {
        let document = markdown(results);
        // Addresses are broken up by our own blanks without width, so that nothing makes links of them.
        assert_printable(&document.replace('\u{200b}', ""), text);
        assert!(document.chars().count() < 65_536);
        let mut in_code = false;
        for event in
            Parser::new_ext(&document, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_MATH)
        {
            match event {
                Event::Start(Tag::CodeBlock(_)) => in_code = true,
                Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_code = false,
                Event::Start(Tag::Link { dest_url, .. }) => {
                    assert!(dest_url.starts_with("https://www.rfc-editor.org/"), "{text:?}: {dest_url}");
                }
                Event::Start(
                    tag
                    @ (Tag::Image { .. } | Tag::BlockQuote(_) | Tag::Emphasis | Tag::Strikethrough | Tag::Subscript),
                ) => panic!("{text:?}: {tag:?}"),
                Event::Html(html) | Event::InlineHtml(html) => {
                    let rest = html.replace("<details>", "").replace("</details>", "").replace("<summary>", "");
                    assert!(!rest.replace("</summary>", "").contains('<'), "{text:?}: {html}");
                }
                Event::InlineMath(math) | Event::DisplayMath(math) => panic!("{text:?}: {math}"),
                Event::Rule => panic!("{text:?}"),
                Event::Text(shown) if !in_code => {
                    let calls =
                        |at: char| shown.split(at).skip(1).any(|rest| rest.starts_with(|c: char| c.is_alphanumeric()));
                    assert!(!calls('@') && !calls('#'), "{text:?}: {shown}");
                    assert!(!shown.contains("://") && !shown.contains("www."), "{text:?}: {shown}");
                }
                _ => {}
            }
        }
        assert!(!in_code, "{text:?}");
    });
}

#[test]
fn a_plugin_says_one_line_with_one_bar() {
    each(|text, results| {
        let line = nagios(results);
        assert_printable(&line, text);
        assert_eq!((line.lines().count(), line.matches('|').count()), (1, 1), "{line}");
        assert!(line.starts_with("STSLINT CRITICAL - ") && line.len() < 4_000, "{line}");
        let (_, measured) = line.split_once(" | ").unwrap();
        assert_eq!(measured, "errors=2 warnings=2 notes=2 not_checked=2 cert_days=3\n");
        assert_eq!(nagios_unknown(text).lines().count(), 1);
        assert!(!nagios_unknown(text).contains('|'));
    });
}

#[test]
fn metrics_stay_metrics() {
    each(|text, results| {
        let metrics = prometheus(results);
        assert_printable(&metrics, text);
        for line in metrics.lines().filter(|line| !line.starts_with("# ")) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            value.parse::<i64>().unwrap();
            let labels = series.split_once('{').map_or("", |(_, labels)| labels.strip_suffix('}').unwrap());
            // Without its escapes a label holds no quote: they come in pairs, four in each two labels.
            let quotes = labels.replace("\\\\", "").replace("\\\"", "").matches('"').count();
            assert!(quotes.is_multiple_of(2) && quotes <= 8, "{text:?}: {line}");
        }
        assert_eq!(metrics.lines().filter(|line| line.starts_with("stslint_findings{")).count(), 3);
    });
}

#[test]
fn the_report_for_people_holds_nothing_raw_and_no_command_of_a_runner() {
    each(|text, results| {
        for (linted, accessible) in results.linted.iter().flat_map(|linted| [(linted, false), (linted, true)]) {
            let style = Style { accessible, unicode: true, show_passed: true, width: 60, ..Style::plain() };
            let shown = human(&linted.report, &linted.facts, &style);
            assert_printable(&shown, text);
            assert!(!shown.lines().any(|line| line.trim_start().starts_with("::")), "{text:?}: {shown}");
        }
    });
}

/// Hands over what reports can hold of every hostile text, each in every text field.
fn each_tls_report(examine: impl Fn(&str, &TlsResults<'_>)) {
    let rules = RuleSet::built_in().unwrap();
    let all = HOSTILE.concat();
    let long = HOSTILE.concat().repeat(300);
    for text in HOSTILE.iter().copied().chain([all.as_str(), long.as_str()]) {
        let report = json!({
            "organization-name": text,
            "date-range": { "start-datetime": "2026-11-20T00:00:00Z", "end-datetime": text },
            "contact-info": text,
            "report-id": text,
            text: text,
            "policies": [{
                "policy": {
                    "policy-type": "sts",
                    "policy-string": ["version: STSv1", "mode: testing", format!("mx: {text}"), "max_age: 86400"],
                    "policy-domain": text,
                    "mx-host": [text],
                },
                "summary": { "total-successful-session-count": 3, "total-failure-session-count": 2 },
                "failure-details": [
                    { "result-type": text, "receiving-mx-hostname": text, "failed-session-count": 1,
                      "failure-reason-code": text, "receiving-ip": text },
                    { "result-type": "validation-failure", "receiving-mx-hostname": text, "failed-session-count": 1 },
                ],
            }],
        });
        let mut read = crate::tls_reports::read::read(text, &serde_json::to_vec(&report).unwrap()).unwrap();
        judge_report(&rules, &mut read, None, &|_| ());
        assert!(read.offences.len() >= 3, "{:?}", read.offences);
        let distinct = Distinct::of([read]);
        let digest = digest(&distinct);
        let lost = [Unreadable { name: text.to_owned(), message: format!("x{text}") }];
        let held = HeldPolicy {
            sender: text.to_owned(),
            seen: text.to_owned(),
            until: Some(text.to_owned()),
            differences: vec![text.to_owned()],
        };
        let now = CauseNow { state: CauseState::Found, rule: Some(text.to_owned()), message: text.to_owned() };
        let enforce = EnforceAdvice { missing: vec![text.to_owned()], ..EnforceAdvice::default() };
        let about = Comparison {
            domain: digest.domains[0].domain.clone(),
            causes: vec![now.clone(), now],
            held: vec![held],
            enforce: Some(enforce),
            ..Comparison::default()
        };
        let silent = Comparison { domain: text.to_owned(), silence: vec![text.to_owned()], ..Comparison::default() };
        let comparisons = [about, silent];
        examine(
            text,
            &TlsResults {
                digest: &digest,
                reports: &distinct.reports,
                lost: &lost,
                comparisons: &comparisons,
                findings: &[check(text, Severity::Error, Outcome::Fail)],
            },
        );
    }
}

#[test]
fn tls_reports_hold_nothing_raw_in_any_format() {
    each_tls_report(|text, results| {
        for by in [By::Cause, By::Day, By::Host, By::Sender] {
            let style = Style { unicode: true, width: 60, ..Style::plain() };
            for shown in [
                human_tls_reports(results, by, &style),
                markdown_tls_reports(results, by),
                prometheus_tls_reports(results, by),
                html_tls_reports(results, by),
                tls_digest(results),
                tls_reports::json(results).unwrap(),
                tls_reports::json_lines(results).unwrap(),
                tls_reports::csv(results).replace('\r', ""),
            ] {
                assert!(!shown.lines().any(|line| line.trim_start().starts_with("::")), "{text:?}: {shown}");
                // What keeps addresses from being linked is not to be seen, and is our own.
                assert_printable(&shown.replace('\u{200b}', ""), text);
            }
        }
    });
}

#[test]
fn tls_reports_in_markdown_hold_no_link_image_html_or_mention_from_outside() {
    each_tls_report(|text, results| {
        let document = markdown_tls_reports(results, By::Sender);
        assert!(document.chars().count() < 65_536);
        for event in
            Parser::new_ext(&document, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_MATH)
        {
            match event {
                Event::Start(tag @ (Tag::Link { .. } | Tag::Image { .. } | Tag::BlockQuote(_) | Tag::CodeBlock(_))) => {
                    panic!("{text:?}: {tag:?}: {document}")
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    let rest = html.replace("<details>", "").replace("</details>", "").replace("<summary>", "");
                    assert!(!rest.replace("</summary>", "").contains('<'), "{text:?}: {html}");
                }
                Event::InlineMath(math) | Event::DisplayMath(math) => panic!("{text:?}: {math}"),
                Event::Text(shown) => {
                    let calls =
                        |at: char| shown.split(at).skip(1).any(|rest| rest.starts_with(|c: char| c.is_alphanumeric()));
                    assert!(!calls('@') && !calls('#'), "{text:?}: {shown}");
                    assert!(!shown.contains("://") && !shown.contains("www."), "{text:?}: {shown}");
                }
                _ => {}
            }
        }
    });
}

#[test]
fn tls_reports_for_a_chat_call_nobody_and_stay_short() {
    each_tls_report(|text, results| {
        let lines = tls_digest(results);
        assert!(lines.lines().count() <= 7 && lines.lines().all(|line| line.chars().count() < 900), "{lines}");
        for called in ["@everyone", "://", "www.", "](", "<", ">"] {
            assert!(!lines.contains(called), "{text:?}: {called}: {lines}");
        }
    });
}

#[test]
fn tls_reports_as_metrics_stay_metrics_and_as_a_page_hold_no_element_from_outside() {
    each_tls_report(|text, results| {
        let metrics = prometheus_tls_reports(results, By::Host);
        for line in metrics.lines().filter(|line| !line.starts_with("# ")) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            value.parse::<i64>().unwrap();
            let labels = series.split_once('{').map_or("", |(_, labels)| labels.strip_suffix('}').unwrap());
            let quotes = labels.replace("\\\\", "").replace("\\\"", "").matches('"').count();
            assert!(quotes.is_multiple_of(2) && quotes <= 6, "{text:?}: {line}");
        }
        let page = html_tls_reports(results, By::Sender);
        let elements = |page: &str| page.matches('<').count();
        let escapes = |page: &str| page.matches("<span class=\"escape\">").count() + page.matches("<code").count();
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("onerror=\""), "{page}");
        assert!(elements(&page) > escapes(&page));
    });
}
