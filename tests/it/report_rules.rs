//! Rules over TLS reports from outside: built-in and own ones, what is refused, and where their findings are shown.

use std::path::Path;

use assert_cmd::Command;
use serde_json::{Value, json};

struct Ran {
    code: i32,
    out: String,
    errors: String,
}

fn run(folder: &Path, args: &[&str]) -> Ran {
    let output = Command::cargo_bin("stslint").unwrap().current_dir(folder).args(args).output().unwrap();
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(&output.stdout), errors: text(&output.stderr) }
}

/// A folder with three good reports in files of their own, the first with two failures, and these further files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("in")).unwrap();
    let good: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string("fixtures/good/tls-reports.json").unwrap()).unwrap();
    for (index, report) in good.into_iter().enumerate() {
        let text = serde_json::to_string_pretty(&report).unwrap();
        std::fs::write(folder.path().join(format!("in/{index}.json")), text).unwrap();
    }
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

const TOGETHER: &str = r#"
group: acme
over: reports
rules:
  - id: acme-three-senders
    title: Reports came from at least three senders this week
    severity: warning
    cites: [ACME-MAIL-3]
    params: { senders: 3, days: 7 }
    for_each: { domain: domains }
    assert: domain.senders.filter(s, s.days_ago != null && s.days_ago < params.days).size() >= params.senders
    message: "{domain.senders.filter(s, s.days_ago != null && s.days_ago < params.days).size()} of {params.senders} senders reported about {domain.domain} in {params.days} days"
    tests:
      pass: [{}]
      fail: [{ 0: null }, { at: "2026-12-24T00:00:00Z" }]
  - id: acme-partners
    title: No failure from these senders
    severity: error
    cites: [ACME-MAIL-4]
    params: { senders: [Sender One, Sender Two] }
    for_each: { domain: domains, sender: domain.senders }
    when: sender.name in params.senders
    assert: sender.failed == 0
    subject: "{sender.name}"
    message: "{sender.failed} connections of {sender.name} failed"
    tests:
      pass: [{ 0.policies.0.summary.total-failure-session-count: 0, 0.policies.0.failure-details: [] }]
      fail: [{}]
"#;

#[test]
fn own_rules_judge_all_reports_together() {
    let folder = folder(&[("acme.yaml", TOGETHER)]);
    let test = run(folder.path(), &["rules", "test", "acme.yaml"]);
    assert_eq!(test.code, 0, "{}{}", test.out, test.errors);
    let args = ["reports", "in", "--rules", "acme.yaml", "--at", "2026-11-24T08:00:00Z"];
    let ran = run(folder.path(), &[&args[..], &["--format", "json"]].concat());
    assert_eq!((ran.code, ran.errors.as_str()), (1, ""), "{}", ran.out);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0]["rule"], "acme-partners");
    assert_eq!(findings[0]["message"], "2 connections of Sender One failed");
    let later = run(folder.path(), &["reports", "in", "--rules", "acme.yaml", "--at", "2026-12-24T08:00:00Z"]);
    let said = "0 of 3 senders reported about example.com in 7 days";
    assert!(later.out.replace('\n', " ").contains(&format!("warning[acme-three-senders]: {said}")), "{}", later.out);
    for format in ["html", "markdown", "digest", "sarif"] {
        let ran = run(folder.path(), &[&args[..], &["--format", format]].concat());
        assert!(ran.out.contains("2 connections of Sender One failed"), "{format}: {}", ran.out);
    }
    let metrics = run(folder.path(), &[&args[..], &["--format", "prometheus"]].concat()).out;
    assert!(metrics.contains("stslint_tls_report_findings{rule=\"acme-partners\",severity=\"error\"} 1"), "{metrics}");
}

#[test]
fn a_configuration_sets_rules_over_reports_as_it_sets_others() {
    let settings = "include: [acme.yaml]\nrules:\n  acme-partners: { params: { senders: [Sender Two] } }\n  \
        report-fields: off\n  report-extra: error\n";
    let folder = folder(&[("acme.yaml", TOGETHER), ("stslint.yaml", settings)]);
    let odd = json!({ "organization-name": "X", "more": 1, "contact-info": null, "report-id": "1", "policies": [],
        "date-range": { "start-datetime": "2026-11-22T00:00:00Z", "end-datetime": "2026-11-22T23:59:59Z" } });
    std::fs::write(folder.path().join("in/odd.json"), odd.to_string()).unwrap();
    let ran = run(folder.path(), &["reports", "in/odd.json", "in/1.json", "--format", "json"]);
    let document: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.errors));
    assert!(document.get("findings").is_none_or(|all| !all.to_string().contains("acme-partners")), "{}", ran.out);
    let offences = document["reports"].as_array().unwrap().iter().flat_map(|one| one["offences"].as_array().unwrap());
    let told: Vec<String> = offences.map(|one| format!("{} {}", one["rule"], one["severity"])).collect();
    assert_eq!(told, ["\"report-extra\" \"error\""]);
    // A built-in rule that is raised does not make the sender's slip the user's failure.
    assert_eq!(ran.code, 0, "{}", ran.errors);
    let all = run(folder.path(), &["reports", "in/odd.json", "--no-config", "--format", "json"]).out;
    assert!(all.contains("report-fields"), "{all}");
    let ignored = run(folder.path(), &["reports", "in/odd.json", "--ignore", "report", "--format", "json"]).out;
    assert!(!ignored.contains("report-extra"), "{ignored}");
}

#[test]
fn a_configuration_accepts_findings_in_reports_and_speaks_of_single_domains() {
    let settings = "ignore:\n  - { rule: report-extra, domain: one.example, reason: told them, until: 2026-12-31 }\n\
        domains:\n  - { names: two.example, rules: { report-fields: off } }\n";
    let folder = folder(&[("stslint.yaml", settings)]);
    for domain in ["one.example", "two.example"] {
        let odd = json!({ "organization-name": domain, "more": 1, "contact-info": null, "report-id": "1",
            "policies": [{ "policy": { "policy-type": "no-policy-found", "policy-domain": domain },
                "summary": { "total-successful-session-count": 1, "total-failure-session-count": 0 } }],
            "date-range": { "start-datetime": "2026-11-22T00:00:00Z", "end-datetime": "2026-11-22T23:59:59Z" } });
        std::fs::write(folder.path().join(domain), odd.to_string()).unwrap();
    }
    let told = |more: &[&str]| {
        let args = ["reports", "one.example", "two.example", "--format", "json"];
        let ran = run(folder.path(), &[&args, more].concat());
        let document: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.errors));
        let rules = |report: &Value| {
            let offences = report["offences"].as_array().unwrap().iter();
            offences.map(|one| one["rule"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
        };
        document["reports"].as_array().unwrap().iter().map(rules).collect::<Vec<_>>()
    };
    assert_eq!(told(&["--at", "2026-11-24T00:00:00Z"]), ["report-fields", "report-extra"]);
    assert_eq!(told(&["--at", "2027-01-01T00:00:00Z"]), ["report-fields report-extra", "report-extra"]);
    assert_eq!(told(&["--at", "2026-11-24T00:00:00Z", "--no-ignores"]), ["report-fields report-extra", "report-extra"]);
}

#[test]
fn own_rules_judge_each_report_and_point_into_its_json() {
    let rules = r#"
group: acme
over: report
rules:
  - id: acme-refused
    title: No connection is refused
    severity: error
    cites: [ACME-MAIL-5]
    for_each: { policy: policies, failure: policy.failures }
    when: policy.mode != null && policy.mode == "enforce"
    assert: failure.failed_session_count == 0
    at: failure.result_type
    message: "{failure.failed_session_count} connections to {failure.receiving_mx_hostname != null ? failure.receiving_mx_hostname : 'a host'} were refused"
    tests:
      pass: [{ policies.0.failure-details.0.failed-session-count: 0 }]
      not_applicable: [{ policies.0.failure-details: [] }]
      fail: [{}]
"#;
    let folder = folder(&[("acme.yaml", rules)]);
    let test = run(folder.path(), &["rules", "test", "acme.yaml"]);
    assert_eq!(test.code, 0, "{}{}", test.out, test.errors);
    let ran = run(folder.path(), &["reports", "in/0.json", "--rules", "acme.yaml", "--format", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.errors);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let offence = &document["reports"][0]["offences"][0];
    assert_eq!(offence["rule"], "acme-refused");
    assert_eq!(offence["at"], "/policies/0/failure-details/0/result-type");
    assert_eq!(offence["message"], "2 connections to mx1.example.com were refused");
    let text = std::fs::read_to_string(folder.path().join("in/0.json")).unwrap();
    let line = usize::try_from(offence["line"].as_u64().unwrap()).unwrap();
    assert!(text.lines().nth(line - 1).unwrap().contains("\"result-type\""), "{line}: {text}");
    let sarif: Value = serde_json::from_str(
        &run(folder.path(), &["reports", "in/0.json", "--rules", "acme.yaml", "--format", "sarif"]).out,
    )
    .unwrap();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!((&place["artifactLocation"]["uri"], &place["region"]["startLine"]), (&json!("in/0.json"), &json!(line)));
}

#[test]
fn rules_over_one_thing_do_not_ask_for_the_facts_of_another() {
    let rule = |over: &str, more: &str| {
        format!(
            "group: acme\n{over}rules:\n  - id: acme-mixed\n    title: Mixed up\n    severity: error\n    cites: [ACME-1]\n    {more}\n    message: wrong\n"
        )
    };
    let cases = [
        (
            rule("over: reports\n", "assert: policy.mode == \"enforce\""),
            "`policy` here: it is a fact that rules `over: domain`",
        ),
        (rule("", "assert: domains.size() > 1"), "`domains` here: it is a fact that rules `over: domains`"),
        (rule("over: report\n", "assert: polices.size() > 1"), "did you mean `policies`?"),
        (rule("over: report\n", "assert: policies.all(p, p.mod == \"enforce\")"), "there is no `p.mod`"),
        (rule("over: report\n", "assert: organization_name.size() > 1"), "null"),
        (
            rule("over: reports\n", "requires: [mx-covered]\n    assert: reports > 1"),
            "`mx-covered` is over: domain, and this rule over: reports",
        ),
        (rule("over: report\n", "for_each: { host: mx.hosts }\n    assert: host.covered"), "mx.hosts"),
        (rule("over: mails\n", "assert: true"), "over"),
    ];
    for (text, expected) in cases {
        let folder = folder(&[("acme.yaml", &text)]);
        let ran = run(folder.path(), &["reports", "in", "--rules", "acme.yaml"]);
        let said = ran.errors.replace('\n', " ");
        assert_eq!(ran.code, 2, "{expected}: {}", ran.out);
        assert!(said.contains(expected) && said.contains("acme.yaml"), "{expected}: {}", ran.errors);
    }
}

#[test]
fn rules_over_reports_say_nothing_of_a_domain() {
    let folder = folder(&[("acme.yaml", TOGETHER)]);
    let snapshot = std::fs::canonicalize("fixtures/good/snapshot.yaml").unwrap();
    let args = ["check", "--snapshot", snapshot.to_str().unwrap(), "--format", "json"];
    let without = run(folder.path(), &args).out;
    let with = run(folder.path(), &[&args[..], &["--rules", "acme.yaml"]].concat()).out;
    assert_eq!(without, with);
    assert!(!with.contains("report-json") && !with.contains("acme-"), "{with}");
}

#[test]
fn rules_and_facts_over_reports_are_listed_and_explained() {
    let here = Path::new(".");
    let list = run(here, &["rules", "list", "--no-config"]).out;
    assert!(list.contains("report-counts") && list.contains("report-domain"), "{list}");
    let page = run(here, &["explain", "report-counts", "--no-config"]).out;
    assert!(page.contains("the summary counts 1 failure, the details 2"), "{page}");
    let of_one = run(here, &["facts", "report", "--format", "json"]).out;
    let of_all = run(here, &["facts", "reports", "domains.senders"]).out;
    assert!(of_one.contains("policies[].failures[].receiving_mx_hostname"), "{of_one}");
    assert!(of_all.contains("domains[].senders[].days_ago") && !of_all.contains("causes"), "{of_all}");
    assert!(!run(here, &["facts"]).out.contains("asked_for"));
}

#[test]
fn reports_about_domains_that_nobody_asked_for_are_named() {
    let folder = folder(&[]);
    let offences = |domain: &str| {
        let ran = run(folder.path(), &["reports", "in/0.json", "--domain", domain, "--format", "json"]);
        serde_json::from_str::<Value>(&ran.out).unwrap()["reports"][0]["offences"].clone()
    };
    assert_eq!(offences("EXAMPLE.com."), json!([]));
    let other = offences("other.example");
    assert_eq!(
        (&other[0]["rule"], &other[0]["at"]),
        (&json!("report-domain"), &json!("/policies/0/policy/policy-domain"))
    );
}

/// Where the report is inside of something, SARIF holds its text.
#[test]
fn sarif_holds_the_text_of_a_report_that_is_no_file() {
    let folder = folder(&[]);
    let text =
        std::fs::read_to_string(folder.path().join("in/0.json")).unwrap().replace("certificate-expired", "expired");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(folder.path().join("a.zip")).unwrap());
    archive.start_file("r.json", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut archive, text.as_bytes()).unwrap();
    archive.finish().unwrap();
    let sarif: Value =
        serde_json::from_str(&run(folder.path(), &["reports", "a.zip", "--format", "sarif"]).out).unwrap();
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    let result = results.iter().find(|result| result["ruleId"] == "report-result-type").unwrap();
    let index = result["locations"][0]["physicalLocation"]["artifactLocation"]["index"].as_u64().unwrap();
    let contents = run["artifacts"][usize::try_from(index).unwrap()]["contents"]["text"].as_str().unwrap();
    let line = result["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64().unwrap();
    assert!(contents.lines().nth(usize::try_from(line).unwrap() - 1).unwrap().contains("\"expired\""), "{contents}");
    assert!(results.iter().any(|result| result["ruleId"] == "report-filename"), "{results:?}");
    let ids: Vec<&str> =
        run["tool"]["driver"]["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"report-json") && !ids.contains(&"mx-covered"), "{ids:?}");
}
