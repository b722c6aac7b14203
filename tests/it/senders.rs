//! What senders do, from outside: the command, and what reports say of it.

use assert_cmd::Command;
use serde_json::Value;

fn stslint(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("stslint").unwrap().env("NO_COLOR", "1").args(arguments).output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn explained(arguments: &[&str]) -> Vec<(String, String)> {
    let (code, out, error) = stslint(&[&["senders", "explain"], arguments, &["--format", "json"]].concat());
    assert_eq!((code, error.as_str()), (0, ""));
    let rows: Vec<Value> = serde_json::from_str(&out).unwrap();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.iter().map(|row| (text(row, "sender"), text(row, "answer"))).collect()
}

fn answer(arguments: &[&str], sender: &str) -> String {
    explained(arguments).into_iter().find(|(name, _)| name == sender).unwrap().1
}

#[test]
fn a_sender_says_yes_no_or_unknown() {
    let record = ["all", "v=STSv1; id=1; "];
    assert_eq!(answer(&record, "kumomta"), "no");
    assert_eq!(answer(&record, "mox"), "yes");
    assert_eq!(answer(&record, "gmail"), "unknown");
    assert_eq!(answer(&["all", "--record", "v=STSv1; id=1", "--record", "v=spf1 -all"], "maddy"), "no");
    assert_eq!(answer(&["all", "v=TLSRPTv1; rua=http://example.com/"], "stalwart"), "no");
    let host = ["all", "--mx", "a.b.example.com", "--pattern", "*.example.com"];
    assert_eq!(answer(&host, "mailauth"), "yes");
    assert_eq!(answer(&host, "mox"), "no");
    assert_eq!(answer(&host, "exchange-online"), "unknown");
}

#[test]
fn how_a_policy_is_served_decides_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mta-sts.txt");
    std::fs::write(&path, "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 86400\n").unwrap();
    let path = path.to_str().unwrap();
    assert_eq!(answer(&["all", path], "gmail"), "yes");
    assert_eq!(answer(&["all", path, "--content-type", "Text/Plain"], "kumomta"), "no");
    assert_eq!(answer(&["all", path, "--content-type", "text/html"], "mox"), "yes");
    assert_eq!(answer(&["all", path, "--content-type", ""], "chasquid"), "no");
    assert_eq!(answer(&["all", path, "--status", "404"], "stalwart"), "yes");
    assert_eq!(answer(&["all", path, "--milliseconds", "2100"], "postfix-tlspol"), "no");
    assert_eq!(answer(&["all", path, "--milliseconds", "2100"], "postfix-mta-sts-resolver"), "yes");
    assert_eq!(answer(&["all", path, "--status", "204"], "gmail"), "unknown");
}

#[test]
fn every_case_beside_the_properties_holds() {
    let (code, out, _) = stslint(&["senders", "test"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.ends_with(", 0 failed\n"), "{out}");
}

#[test]
fn a_name_that_no_sender_has_gets_the_nearest() {
    let (code, _, error) = stslint(&["senders", "show", "kumo-mta"]);
    assert_eq!(code, 2);
    assert!(error.contains("did you mean `kumomta`?"), "{error}");
    let (code, _, error) = stslint(&["check", "--snapshot", "fixtures/good/snapshot.yaml", "--sender", "gmial"]);
    assert_eq!(code, 2);
    assert!(error.contains("did you mean `gmail`?"), "{error}");
}

#[test]
fn what_was_looked_at_more_than_a_year_ago_is_marked() {
    let (_, now, _) = stslint(&["senders", "list", "--at", "2026-12-01"]);
    assert!(!now.contains("more than a year ago"), "{now}");
    let (_, later, _) = stslint(&["senders", "list", "--at", "2028-01-01"]);
    assert!(later.lines().all(|line| line.contains("more than a year ago")), "{later}");
    let (_, json, _) = stslint(&["senders", "list", "--at", "2028-01-01", "--format", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert!(rows.len() > 20 && rows.iter().all(|row| row["old"] == true));
}

#[test]
fn an_own_sender_is_tested_listed_and_explained() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.yaml");
    let text = "sender: our-gateway\nname: Our gateway\nkind: gateway\nabout: What our mail leaves through.\nseen: 2026-11-28\n\
        sources: { run: { known: run, what: our test, url: https://intranet.example/t, seen: 2026-11-28 } }\n\
        reads_as: { is: mox, source: run }\nbehaviour: { enforces: { is: always, source: run } }\n\
        cases:\n  - { record: ['v=STSv1; id=1-2'], accepted: 'yes' }\n";
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let (code, out, _) = stslint(&["senders", "test", path]);
    assert_eq!(code, 1);
    assert!(out.contains("our-gateway: case 1: expected yes, but the properties give no: the id `1-2`"), "{out}");
    assert_eq!(answer(&["our-gateway", "v=STSv1; id=1", "--senders", path], "our-gateway"), "yes");
    assert!(stslint(&["senders", "list", "--senders", path]).1.contains("Our gateway: enforces policies"));
    std::fs::write(path, text.replace("source: run }\nbehaviour", "source: nobody }\nbehaviour")).unwrap();
    let (code, _, error) = stslint(&["senders", "test", path]);
    assert_eq!(code, 2);
    assert!(error.contains("`reads_as` names the source `nobody`"), "{error}");
    std::fs::write(path, text.replace("is: always", "is: sometimes")).unwrap();
    let (code, _, error) = stslint(&["senders", "test", path]);
    assert_eq!(code, 2);
    assert!(error.contains("sometimes"), "{error}");
}

#[test]
fn a_report_says_who_is_concerned() {
    let good = ["check", "--snapshot", "fixtures/good/snapshot.yaml"];
    let broken = [&good[..], &["--record", "v=STSv1; id=1-2"]].concat();
    let (_, out, _) = stslint(&broken);
    let flat = out.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = "The record is refused by mox and Postfix with postfix-tlspol; accepted by";
    assert!(flat.contains(sentence), "{out}");
    assert!(flat.contains("not known: Microsoft 365, Gmail"), "{out}");
    let (_, out, _) = stslint(&good);
    assert!(!out.contains("known sender"), "{out}");
    let (_, out, _) = stslint(&[&good[..], &["--sender", "gmail"]].concat());
    assert!(out.contains("Gmail  yes      yes      enforce") && !out.contains("KumoMTA"), "{out}");
    let (_, json, _) = stslint(&[&broken[..], &["--format", "json"]].concat());
    let report: Value = serde_json::from_str(&json).unwrap();
    let senders = report["results"][0]["senders"].as_array().unwrap();
    let of = |name: &str| senders.iter().find(|it| it["sender"] == name).unwrap();
    assert_eq!((&of("mox")["record"], &of("mox")["applies"]), (&"no".into(), &"absent".into()));
    assert_eq!((&of("kumomta")["record"], &of("kumomta")["applies"]), (&"yes".into(), &"enforce".into()));
    assert_eq!((&of("gmail")["record"], &of("gmail")["applies"]), (&"unknown".into(), &"unknown".into()));
    assert_eq!(of("mox")["hosts"][0]["action"], "deliver_unverified");
    assert_eq!(of("kumomta")["hosts"][0]["action"], "deliver");
}

#[test]
fn the_configuration_names_own_senders() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = "sender: our-gateway\nname: Our gateway\nkind: gateway\nabout: Ours.\nseen: 2026-11-28\n\
        sources: { run: { known: run, what: our test, url: https://intranet.example/t, seen: 2026-11-28 } }\n\
        reads_as: { is: mox, source: run }\nbehaviour: { enforces: { is: always, source: run } }\n";
    std::fs::write(folder.path().join("gateway.yaml"), gateway).unwrap();
    let config = folder.path().join("stslint.yaml");
    std::fs::write(&config, "senders: [gateway.yaml]\n").unwrap();
    let with = ["--config", config.to_str().unwrap()];
    let check = ["check", "--snapshot", "fixtures/good/snapshot.yaml", "--record", "v=STSv1; id=a-b"];
    let (_, out, error) = stslint(&[&check[..], &["--sender", "our-gateway"], &with].concat());
    assert!(out.contains("Our gateway  no       yes      absent"), "{out}{error}");
    let (_, out, _) = stslint(&[&["senders", "explain", "our-gateway", "v=STSv1; id=a-b"], &with[..]].concat());
    assert!(out.starts_with("Our gateway: record: no, the id `a-b`"), "{out}");
    std::fs::write(&config, "senders: [gateway.yaml, nothing.yaml]\n").unwrap();
    let (code, _, error) = stslint(&[&check[..], &with].concat());
    assert!(code == 2 && error.contains("nothing.yaml"), "{error}");
    std::fs::write(folder.path().join("gateway.yaml"), gateway.replace("our-gateway", "mox")).unwrap();
    let (code, _, error) = stslint(&[&check[..], &with].concat());
    assert!(code == 2 && error.contains("there is another sender `mox`"), "{error}");
}

#[test]
fn rules_take_the_names_of_senders_from_the_data() {
    let (_, json, _) = stslint(&["senders", "list", "--format", "json"]);
    let rows: Vec<Value> = serde_json::from_str(&json).unwrap();
    let names: Vec<&str> =
        rows.iter().filter_map(|row| row["name"].as_str()).filter(|name| !name.contains(' ')).collect();
    assert!(names.contains(&"KumoMTA") && names.contains(&"Gmail"));
    for entry in std::fs::read_dir("rules").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| {
            ["why:", "message:", "help:", "title:"].iter().any(|key| line.trim_start().starts_with(key))
        }) {
            let named = names.iter().find(|name| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == **name));
            assert_eq!(named, None, "{}:{}", path.display(), number + 1);
        }
    }
}
