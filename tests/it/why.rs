//! Why something does not match, and the text that puts it right, through the binary.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

/// What the program prints about the good domain with these MX hosts and this policy, and the policy file afterwards.
fn checked(hosts: &[&str], policy: &str, arguments: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mta-sts.txt");
    std::fs::write(&file, policy).unwrap();
    let mut command = Command::cargo_bin("stslint").unwrap();
    command.args(["--no-config", "check", "--snapshot", "fixtures/good/snapshot.yaml", "--select", "mx-covered"]);
    for host in hosts {
        command.args(["--mx", host]);
    }
    let output = command.arg("--policy").arg(&file).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (text, std::fs::read_to_string(Path::new(&file)).unwrap())
}

fn policy(patterns: &[&str]) -> String {
    let lines: String = patterns.iter().map(|pattern| format!("mx: {pattern}\n")).collect();
    format!("version: STSv1\nmode: enforce\n{lines}max_age: 1209600\n")
}

#[test]
fn each_near_miss_is_explained_and_its_fix_names_the_host() {
    let cases = [
        ("shop.a-v1.mx.example.net", "*.mx.example.net", "covers only one label", "*.a-v1.mx.example.net"),
        ("mail.example.com", "*.mail.example.com", "not `mail.example.com` itself", "mail.example.com"),
        ("mx9.example.com", "example.com", "is the mail domain", "mx9.example.com"),
        ("in.mx.example.com", "mx.example.com", "lacks `in.` in front", "in.mx.example.com"),
        ("mx.example.com", "smtp.mx.example.com", "has `smtp.` in front", "mx.example.com"),
        ("mail.example.com", "mail.exmaple.com", "a typo", "mail.example.com"),
        ("mail.example.com", "mta-sts.example.com", "the web server of the policy", "mail.example.com"),
    ];
    for (host, pattern, reason, right) in cases {
        let (text, _) = checked(&[host], &policy(&[pattern]), &["--format", "concise"]);
        assert!(text.contains(reason), "{pattern} for {host}: {text}");
        let (_, fixed) = checked(&[host], &policy(&[pattern]), &["--fix=all"]);
        assert_eq!(fixed, policy(&[right]), "{pattern} for {host}");
        let (text, _) = checked(&[host], &fixed, &["--format", "concise"]);
        assert!(!text.contains("mx-covered"), "{text}");
    }
}

#[test]
fn a_line_that_names_another_host_stays() {
    let hosts = ["mx1.example.com", "mx1.eu.example.com"];
    let (_, fixed) = checked(&hosts, &policy(&["*.example.com"]), &["--fix=all"]);
    assert_eq!(fixed, policy(&["*.example.com", "mx1.eu.example.com"]));
}

#[test]
fn the_policy_of_another_provider_is_replaced_as_a_whole() {
    let former = policy(&["aspmx.l.google.com", "alt1.aspmx.l.google.com"]);
    let hosts = ["a.mail.protection.outlook.com", "b.mail.protection.outlook.com"];
    let (text, _) = checked(&hosts, &former, &["--format", "concise"]);
    assert_eq!(text.matches("error[mx-covered]").count(), 1, "{text}");
    assert!(text.contains("only hosts of Google") && text.contains("goes to Microsoft"), "{text}");
    let (_, fixed) = checked(&hosts, &former, &["--fix=all"]);
    assert_eq!(fixed, policy(&hosts));
}

#[test]
fn a_provider_may_have_moved_its_customers_to_other_hosts() {
    let (text, _) = checked(&["smtp.google.com"], &policy(&["aspmx.l.google.com"]), &["--format", "concise"]);
    assert!(text.contains("other hosts of Google than the MX records: senders that hold the policy"), "{text}");
    let (text, _) = checked(&["smtp.google.com"], &policy(&["aspmx.l.google.com"]), &["--format", "human"]);
    assert!(text.contains("`mx: smtp.google.com`"), "{text}");
}

#[test]
fn one_line_that_was_meant_for_several_hosts_is_one_mistake() {
    let hosts = ["aspmx.l.google.com", "alt1.aspmx.l.google.com", "alt2.aspmx.l.google.com"];
    let wrong = policy(&["*.google.com"]);
    let (text, _) = checked(&hosts, &wrong, &["--format", "concise"]);
    assert_eq!(text.matches("error[mx-covered]").count(), 1, "{text}");
    assert!(hosts.iter().all(|host| text.contains(host)) && text.contains("is closest"), "{text}");
    let (text, _) = checked(&hosts, &wrong, &["--format", "human"]);
    let help = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        help.contains("Write `mx: *.l.google.com`, `mx: *.aspmx.l.google.com` instead of `mx: *.google.com`"),
        "{help}"
    );
    let (_, fixed) = checked(&hosts, &wrong, &["--fix=all"]);
    assert_eq!(fixed, policy(&["*.l.google.com", "*.aspmx.l.google.com"]));
}

#[test]
fn nothing_is_fixed_that_would_be_worse_or_is_no_policy() {
    for text in [
        // Two hosts under other names: one alone would refuse the other.
        "version: STSv1\nmode: enforce\nmx1: mail.example.com\nmx2: mail2.example.com\nmax_age: 604800\n",
        "version: STSv1\nmode: enforce\nhost: mail.example.com\nmx_backup: mail2.example.com\nmax_age: 604800\n",
        // security.txt, robots.txt, a TLSRPT record, the configuration of something else, a page behind a policy.
        "Contact: mailto:security@example.com\nExpires: 2027-01-01T00:00:00Z\nPreferred-Languages: en\n",
        "User-agent: *\nDisallow: /\n",
        "v=TLSRPTv1; rua=mailto:tls@example.com\n",
        "version: 1\nmode: production\nmx: true\n",
        "version: STSv1\nmode: enforce\nmx: mx1.example.com\nmx: *.mail.example.com\nmax_age: 604800\n<script src=x></script>\n",
    ] {
        for fix in ["--fix=safe", "--fix=all"] {
            let (_, fixed) = checked(&["mx1.example.com", "mx2.mail.example.com"], text, &[fix, "--select", "policy"]);
            assert_eq!(fixed, text, "{fix}");
        }
    }
    // Two hosts with a slash between are two hosts.
    let (_, fixed) = checked(
        &["mail.example.com"],
        &policy(&["mail.example.com/mail2.example.com"]),
        &["--fix", "--select", "policy"],
    );
    assert_eq!(fixed, policy(&["mail.example.com", "mail2.example.com"]));
}

#[test]
fn both_sides_are_shown_in_every_format() {
    let (host, lines) = ("shop.a-v1.mx.example.net", policy(&["mx1.example.com", "*.mx.example.net"]));
    let (text, _) = checked(&[host], &lines, &["--format", "human"]);
    assert!(
        text.contains("[mx:1:1]") && text.contains("mta-sts.txt:4:5]") && text.contains("this covers only one"),
        "{text}"
    );
    let (text, _) = checked(&[host], &lines, &["--format", "json"]);
    let json: Value = serde_json::from_str(&text).unwrap();
    let checks = json["results"][0]["checks"].as_array().unwrap();
    let finding = checks.iter().find(|check| check["outcome"] == "fail").unwrap();
    assert_eq!(finding["related"][0]["location"]["line"], 4, "{finding}");
    let (text, _) = checked(&[host], &lines, &["--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&text).unwrap();
    let related = &sarif["runs"][0]["results"][0]["relatedLocations"][0];
    assert_eq!(related["physicalLocation"]["region"]["startLine"], 4, "{related}");
    assert!(related["message"]["text"].as_str().unwrap().contains("only one label"), "{related}");
    for format in ["html", "markdown", "junit"] {
        let (text, _) = checked(&[host], &lines, &["--format", format]);
        assert!(text.contains("this covers only one label"), "{format}: {text}");
    }
}

/// What is said of one TLSA record of the first host, whose certificate is the octets `MESSAGE`, issued by `ISSUER`; the
/// second host's is `OTHER`.
fn said_of_tlsa(record: &str, with_issuer: bool) -> String {
    let snapshot = stslint::snapshot::read(Path::new("fixtures/good/snapshot.yaml")).next().unwrap().unwrap();
    let mut tree = serde_json::to_value(snapshot).unwrap();
    let pem = |text: &str| format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    let chain = "/mx_hosts/0/probes/0/tls/chain";
    tree.pointer_mut(&format!("{chain}/0")).unwrap()["pem"] = pem("TUVTU0FHRQ==").into();
    match with_issuer {
        true => tree.pointer_mut(&format!("{chain}/1")).unwrap()["pem"] = pem("SVNTVUVS").into(),
        false => drop(tree.pointer_mut(chain).unwrap().as_array_mut().unwrap().pop()),
    }
    tree.pointer_mut("/mx_hosts/1/probes/0/tls/chain/0").unwrap()["pem"] = pem("T1RIRVI=").into();
    let parts: Vec<&str> = record.split(' ').collect();
    let number = |index: usize| parts[index].parse::<u8>().unwrap();
    let record = serde_json::json!({ "usage": number(0), "selector": number(1), "matching": number(2), "association": parts[3] });
    tree.pointer_mut("/mx_hosts/0").unwrap()["tlsa"] =
        serde_json::json!({ "outcome": "answer", "ttl": 3600, "dnssec": "secure", "records": [record] });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("snapshot.json");
    std::fs::write(&file, tree.to_string()).unwrap();
    let mut command = Command::cargo_bin("stslint").unwrap();
    command.args(["--no-config", "check", "--select", "dane-match", "--format", "json", "--snapshot"]).arg(&file);
    let report: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let checks = report.pointer("/results/0/checks").unwrap().as_array().unwrap().clone();
    let check = checks.into_iter().find(|check| check["rule"] == "dane-match").unwrap();
    format!("{} {} {}", check["message"], check["help"], check["location"]["exhibit"])
}

#[test]
fn a_tlsa_record_that_misses_is_explained_and_the_right_one_is_given() {
    const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const LEAF: &str = "b194d92018d6074234280c5f5b88649c8db14ef4f2c3746d8a23896a0f6f3b66";
    const ISSUER: &str = "ae95d44a1240e0b8d6aa3958f8dbbf2627a5edc88bdded57623debda91cf8825";
    const OTHER: &str = "1c55d9b826e8dfa994370e306ae8dc2e849f3e003381dc848a0b95f782c0c0e3";
    let zeros = "0".repeat(64);
    for (record, with_issuer, reason) in [
        (format!("3 1 1 {NOTHING}"), true, "is the digest of nothing"),
        (format!("3 1 1 {LEAF}"), true, "is of the whole certificate: its selector has to be 0"),
        (format!("2 0 1 {LEAF}"), true, "is of the host's own certificate: its usage has to be 3"),
        (format!("3 0 1 {ISSUER}"), true, "is of an authority's certificate: its usage has to be 2"),
        (format!("3 0 1 {OTHER}"), true, "is the one of mx2.mail.example.com"),
        (format!("2 0 1 {ISSUER}"), false, "the host does not send that authority's certificate"),
        (format!("2 0 1 {zeros}"), true, "none of the certificates that the host sends is that authority's"),
        (format!("2 0 1 {OTHER}"), true, "none of the certificates that the host sends is that authority's"),
        (format!("3 0 1 {zeros}"), true, "changes with each renewal"),
        (format!("3 1 1 {zeros}"), true, "is of another key"),
    ] {
        let said = said_of_tlsa(&record, with_issuer);
        assert!(said.contains(reason), "{record}: {said}");
        let needed =
            "_25._tcp.mx1.example.com. IN TLSA 3 1 1 0a9d85ec43d00d9c51e196d1e7b77769bcd6337968c1e7dcbbaab7da75a934b7";
        assert!(said.contains(needed), "{record}: {said}");
        assert!(said.ends_with("\"tlsa\""), "{said}");
    }
    // One that matches is not told.
    assert!(said_of_tlsa(&format!("3 0 1 {LEAF}"), true).starts_with("null"));
}

#[test]
fn a_file_in_the_wrong_place_is_told_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let rules = file("acme.yaml", "group: acme\nrules: []\n");
    let configuration = file("stslint.yaml", "extends: strict\n");
    let policy = file("mta-sts.txt", "version: STSv1\nmode: none\nmax_age: 86400\n");
    let report = file("report.json", "{\"report-id\": \"1\", \"policies\": []}");
    let snapshot = Path::new("fixtures/good/snapshot.yaml").to_owned();
    for (option, given, said, help) in [
        ("--snapshot", &rules, "this is a rule file, not a snapshot", "--rules FILE"),
        ("--snapshot", &policy, "this is a policy, not a snapshot", "--policy FILE"),
        ("--snapshot", &report, "this is a TLS report, not a snapshot", "stslint reports FILE"),
        ("--rules", &snapshot, "this is a snapshot, not a rule file", "--snapshot FILE"),
        ("--rules", &configuration, "this is a configuration, not a rule file", "--config FILE"),
        ("--config", &rules, "this is a rule file, not a configuration", "--rules FILE"),
    ] {
        let mut command = Command::cargo_bin("stslint").unwrap();
        command.args(["check", "--offline", "--record", "v=STSv1; id=1;", option]).arg(given);
        if option == "--snapshot" {
            command = Command::cargo_bin("stslint").unwrap();
            command.args(["--no-config", "check", option]).arg(given);
        }
        let output = command.output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{option}: {told}");
        assert!(told.contains(said) && told.contains(help), "{option}: {told}");
        assert_eq!(told.matches(said).count(), 1, "{option}: {told}");
    }
}

#[test]
fn a_second_policy_in_a_file_is_told_once() {
    let one = "version: STSv1\nmode: enforce\nmx: mx1.example.com\nmax_age: 1209600\n";
    let folder = tempfile::tempdir().unwrap();
    let told = |text: String| {
        let path = folder.path().join("mta-sts.txt");
        std::fs::write(&path, text).unwrap();
        let mut command = Command::cargo_bin("stslint").unwrap();
        command.args(["--no-config", "check", "--offline", "--format", "concise", "--policy"]).arg(&path);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let apart = told(format!("{one}{one}"));
    assert_eq!(apart.lines().count(), 1, "{apart}");
    assert!(apart.contains("warning[policy-field-duplicate] line 5: a second policy begins here"), "{apart}");
    let together = told(format!("{}{one}", one.trim_end()));
    assert_eq!(together.lines().count(), 1, "{together}");
    assert!(together.contains("`1209600version: STSv1` runs into a second policy"), "{together}");
    // A line that is there twice is no second policy.
    let doubled = told(one.replace("version: STSv1\n", "version: STSv1\nversion: STSv1\n"));
    assert!(doubled.contains("there is a second `version`"), "{doubled}");
}

#[test]
fn a_record_given_with_the_option_of_the_other_is_recognised() {
    for (option, text, said, help) in [
        ("--record", "v=TLSRPTv1; rua=mailto:a@example.com", "but a TLSRPT record", "--tlsrpt"),
        ("--tlsrpt", "v=STSv1; id=1;", "but an MTA-STS record", "--record"),
    ] {
        let mut command = Command::cargo_bin("stslint").unwrap();
        command.args(["--no-config", "check", "--offline", option, text]);
        let told = String::from_utf8(command.output().unwrap().stdout).unwrap();
        assert!(told.contains(said) && told.contains(help), "{option}: {told}");
    }
}
