//! Rules over many domains from outside: a bank's configuration, every format, what could not be read, and live.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const BANK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/bank");
const GOOD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/good/snapshot.yaml");

fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A good domain with names, addresses and keys of its own.
fn domain(name: &str, number: usize) -> Value {
    let text = std::fs::read_to_string(GOOD).unwrap();
    let mut text =
        text.replace("example.com", name).replace("93.184.216.", &format!("93.{}.{}.", number / 250, number % 250));
    text = text.replace("2606:2800:220:1:", &format!("2606:2800:{number:x}:1:"));
    let key = format!("{number:064x}");
    text = text.replace("22544635f659a407245f15b022129cad7315cfdaee8380a1b7cf9683560c8a95", &key);
    serde_yaml::from_str(&text).unwrap()
}

/// The forty domains of the bank, in three classes, with these changes.
fn bank(folder: &Path, change: &dyn Fn(&str, &mut Value)) {
    let names = |class: &str, count: usize| (0..count).map(|n| format!("d{n}.{class}.example")).collect::<Vec<_>>();
    let all =
        [names("bank", 14), names("campaign", 13), names("parked", 12), vec!["old.bank.example".to_owned()]].concat();
    let mut lines = String::new();
    for (number, name) in all.iter().enumerate() {
        let mut snapshot = domain(name, number);
        if name.contains("parked") {
            snapshot["mx"]["records"] = json!([{ "preference": 0, "exchange": "." }]);
            snapshot["mx_hosts"] = json!([]);
        }
        change(name, &mut snapshot);
        lines.push_str(&format!("{snapshot}\n"));
    }
    std::fs::write(folder.join("all.jsonl"), lines).unwrap();
}

fn check<'a>(config: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    let select = ["--select", "bank-together", "--select", "bank-parked"];
    ["check", "--config", config, "--snapshot", "all.jsonl"]
        .into_iter()
        .chain(select)
        .chain(options.iter().copied())
        .collect()
}

fn joint(out: &str) -> Vec<&str> {
    out.lines().filter(|line| line.starts_with("all domains: ")).collect()
}

#[test]
fn the_example_of_a_bank_holds() {
    let (code, out, errors) = run(Path::new(BANK), &["rules", "test"]);
    assert_eq!((code, errors.as_str()), (0, ""), "{out}");
    let folder = tempfile::tempdir().unwrap();
    bank(folder.path(), &|_, _| {});
    let config = format!("{BANK}/stslint.yaml");
    let (code, out, errors) = run(folder.path(), &check(&config, &["--format", "concise"]));
    assert_eq!((code, out.as_str(), errors.as_str()), (0, "", ""));
    let (_, out, _) = run(folder.path(), &check(&config, &["--format", "jsonl", "--fail-on", "note"]));
    assert_eq!(out.lines().count(), 41);
    let last: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!((&last["over"], &last["domain"]), (&json!("domains"), &json!("all domains")));
    assert_eq!(last["summary"]["passed"], 6, "{last}");
    let first: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!((first.get("over"), &first["domain"]), (None, &json!("d0.bank.example")));
}

#[test]
fn findings_over_many_domains_name_each_and_follow_the_configuration_of_its_class() {
    let folder = tempfile::tempdir().unwrap();
    let own = "v=TLSRPTv1; rua=mailto:me@elsewhere.example";
    bank(folder.path(), &|name, snapshot| match name {
        // Two of a kind: one is off for campaigns.
        "d3.bank.example" | "d3.campaign.example" => snapshot["tlsrpt"]["records"] = json!([{ "strings": [own] }]),
        "d4.bank.example" => {
            snapshot["policy"]["body"] = "version: STSv1\nmode: testing\nmx: *.example\nmax_age: 86400\n".into();
        }
        // The address of a core domain; that of the exception is accepted.
        "d5.campaign.example" => snapshot["mx_hosts"][0]["ipv4"]["records"][0]["address"] = "93.0.5.41".into(),
        "old.bank.example" => snapshot["mx_hosts"][0]["ipv4"]["records"][0]["address"] = "93.0.14.41".into(),
        _ => {}
    });
    let config = format!("{BANK}/stslint.yaml");
    let (code, out, errors) = run(folder.path(), &check(&config, &["--format", "concise"]));
    assert_eq!((code, errors.as_str()), (1, ""), "{out}");
    let wanted = [
        "all domains: error[bank-one-collector] d3.bank.example: reports go to mailto:me@elsewhere.example, and those of the other domains to mailto:tlsrpt@reports.example.net (BANK-MAIL-9)",
        &format!(
            "all domains: error[bank-one-policy] d4.bank.example: the policy says testing for 1 day, and that of the other core domains enforce for 2 weeks (BANK-SEC-2) [{config}:26: the severity `error` is set]"
        ),
        "all domains: error[bank-own-addresses] mx1.d5.bank.example: 93.0.5.41 takes mail for d5.campaign.example too (BANK-NET-2)",
        "all domains: note[bank-one-canary] d4.bank.example: the mode is testing, here and at 0 other domains (BANK-SEC-3)",
    ];
    assert_eq!(joint(&out), wanted, "{out}");

    let (_, out, _) = run(folder.path(), &check(&config, &["--format", "json"]));
    let report: Value = serde_json::from_str(&out).unwrap();
    let together = report["results"].as_array().unwrap().last().unwrap();
    assert_eq!(together["summary"]["ignored"], 1);
    assert_eq!(together["ignored"][0]["subject"], "mx1.old.bank.example");
    let find = |rule: &str| {
        let checks = together["checks"].as_array().unwrap();
        checks.iter().find(|check| check["rule"] == rule && check["outcome"] == "fail").unwrap()
    };
    let mode = find("bank-one-policy");
    assert_eq!((&mode["domain"], &mode["location"]["line"]), (&json!("d4.bank.example"), &json!(2)));
    let exhibit = &together["exhibits"][mode["location"]["exhibit"].as_str().unwrap()];
    assert_eq!(exhibit, "version: STSv1\nmode: testing", "the lines around the place, and none below");
    assert!(together["exhibits"].as_object().unwrap().len() < 8, "only what is pointed at: {}", together["exhibits"]);
    // The line that made it an error is shown as a second label.
    let (_, out, _) = run(folder.path(), &check(&config, &[]));
    let human = &out[out.find("all domains, as observed").unwrap()..];
    for part in ["the severity `error` is set here", "[d4.bank.example: policy:2:7]", "41 reports:", "Checks performed"]
    {
        assert!(human.contains(part), "{part}\n{human}");
    }
    assert!(!human.contains("What is published") && !human.contains("What a sender does"), "{human}");
}

#[test]
fn every_format_tells_of_all_domains() {
    let folder = tempfile::tempdir().unwrap();
    bank(folder.path(), &|name, snapshot| {
        if name == "d4.bank.example" {
            snapshot["tlsrpt"]["records"] = json!([{ "strings": ["v=TLSRPTv1; rua=mailto:me@elsewhere.example"] }]);
        }
    });
    let config = format!("{BANK}/stslint.yaml");
    let formats = [
        "concise",
        "github",
        "gitlab",
        "html",
        "human",
        "json",
        "jsonl",
        "junit",
        "markdown",
        "nagios",
        "prometheus",
        "sarif",
    ];
    let outputs = formats.map(|format| format!("--output={format}={format}"));
    let (code, ..) = run(folder.path(), &check(&config, &outputs.each_ref().map(String::as_str)));
    assert_eq!(code, 1);
    let read = |format: &str| std::fs::read_to_string(folder.path().join(format)).unwrap();
    for format in formats {
        let text = read(format);
        assert!(text.contains("all domains") || text.contains("all%20domains"), "{format}\n{text}");
        assert!(text.contains("elsewhere.example") || format == "prometheus", "{format}");
    }
    assert!(read("nagios").starts_with("STSLINT CRITICAL - 40 domains: 1 error"), "{}", read("nagios"));
    assert!(read("html").contains("MTA-STS and TLSRPT of 40 domains"), "the title");
    assert!(read("prometheus").contains("stslint_findings{domain=\"all domains\",severity=\"error\"} 1"));
    let sarif: Value = serde_json::from_str(&read("sarif")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "bank-one-collector");
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"][index]["id"], "bank-one-collector");
    let schema: Value = serde_json::from_str(&run(folder.path(), &["schema", "report"]).1).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let report: Value = serde_json::from_str(&read("json")).unwrap();
    assert!(validator.is_valid(&report), "{:?}", validator.iter_errors(&report).next().map(|error| error.to_string()));
}

#[test]
fn what_was_not_read_or_not_observed_is_not_checked_and_never_passes() {
    let folder = tempfile::tempdir().unwrap();
    bank(folder.path(), &|name, snapshot| {
        if name == "d6.bank.example" {
            let map = snapshot.as_object_mut().unwrap();
            ["mx", "mx_hosts", "tlsrpt", "policy", "policy_host"].iter().for_each(|part| drop(map.remove(*part)));
        }
    });
    let mut lines = std::fs::read_to_string(folder.path().join("all.jsonl")).unwrap();
    lines.push_str("{ \"snapshot\": 1, \"domain\": 7 }\n");
    std::fs::write(folder.path().join("all.jsonl"), lines).unwrap();
    let config = format!("{BANK}/stslint.yaml");
    let (code, out, _) = run(folder.path(), &check(&config, &["--format", "jsonl", "--require-complete"]));
    assert_eq!(code, 1, "an input could not be read");
    let last: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    let mut unchecked: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for check in last["checks"].as_array().unwrap() {
        assert_ne!(check["outcome"], "pass", "{check}");
        if check["outcome"] == "not_checked" {
            unchecked.entry(check["rule"].as_str().unwrap()).or_default().push(check["domain"].as_str().unwrap());
        }
    }
    assert_eq!(unchecked.len(), 7, "{unchecked:?}");
    for (rule, domains) in unchecked {
        assert_eq!(domains, ["d6.bank.example", "all.jsonl"], "{rule}");
    }
    // Of a domain that is not looked at, nothing is known either.
    let config = ["--config", config.as_str()];
    let arguments =
        [&["check", "--offline", "a.bank.example", "b.bank.example", "--format", "jsonl"][..], &config].concat();
    let (code, out, _) = run(folder.path(), &arguments);
    assert_eq!(code, 2, "nothing was checked");
    let last: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!((&last["summary"]["passed"], &last["over"]), (&json!(0), &json!("domains")));
}

#[test]
fn a_rule_over_domains_has_its_place_in_configurations_and_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    bank(folder.path(), &|name, snapshot| {
        if name.starts_with("d1.") {
            snapshot["tlsrpt"]["records"] = json!([{ "strings": ["v=TLSRPTv1; rua=mailto:me@elsewhere.example"] }]);
        }
    });
    let rules = format!("include: [{BANK}/rules/together.yaml]\n");
    let with = |text: &str| {
        std::fs::write(folder.path().join("stslint.yaml"), format!("{rules}{text}")).unwrap();
        let select = ["--select", "bank-one-collector", "--format", "concise"];
        run(folder.path(), &[&["check", "--snapshot", "all.jsonl"][..], &select].concat())
    };
    let (code, out, errors) = with("");
    assert_eq!((code, joint(&out).len(), errors.as_str()), (1, 3, ""), "{out}");
    let (code, out, _) = with("rules: { bank-one-collector: warning }\n");
    assert!(code == 0 && joint(&out).iter().all(|line| line.contains("warning[")) && joint(&out).len() == 3, "{out}");
    let off = "rules: { bank-one-collector: off }\ndomains:\n  - { names: \"*.parked.example\", rules: { bank-one-collector: note } }\n";
    std::fs::write(folder.path().join("stslint.yaml"), format!("{rules}{off}")).unwrap();
    let (code, out, _) = run(folder.path(), &["check", "--snapshot", "all.jsonl", "--format", "concise"]);
    let found: Vec<&str> = joint(&out).into_iter().filter(|line| line.contains("bank-one-collector")).collect();
    assert!(found.len() == 1 && found[0].contains("note[bank-one-collector] d1.parked.example"), "{code} {found:?}");
    let ignore = "ignore:\n  - { rule: bank-*, domain: \"*.bank.example\", reason: r, until: 2999-01-01 }\n  - { rule: bank-one-collector, domain: d2.bank.example, reason: r, until: 2999-01-01 }\n";
    let (_, out, _) = with(ignore);
    assert_eq!(joint(&out).len(), 2, "{out}");
    let (code, _, errors) =
        with("domains:\n  - { names: a.example, rules: { bank-two-networks: { params: { bits: 16 } } } }\n");
    assert_eq!(code, 2);
    assert!(errors.contains("is judged once for all domains") && errors.contains("stslint.yaml:3:65"), "{errors}");
}

#[test]
fn of_a_domain_that_was_observed_twice_the_later_counts() {
    let folder = tempfile::tempdir().unwrap();
    let old = domain("a.bank.example", 1);
    let mut new = domain("a.bank.example", 1);
    new["collected_at"] = "2026-11-24T10:00:00Z".into();
    let other = domain("b.bank.example", 2);
    std::fs::write(folder.path().join("all.jsonl"), format!("{old}\n{new}\n{other}\n")).unwrap();
    let eval = |expr: &str| run(folder.path(), &["eval", "--over", "domains", expr, "--snapshot", "all.jsonl"]);
    assert_eq!(eval("domains.map(d, d.collected_at)").1.matches("2026-11-2").count(), 2);
    let (code, out, _) = eval("domains.map(d, d.domain + ' ' + d.collected_at).sort()[0]");
    assert_eq!((code, out.as_str()), (0, "\"a.bank.example 2026-11-24T10:00:00Z\"\n"));
    let config = format!("{BANK}/stslint.yaml");
    let (code, out, _) = run(folder.path(), &check(&config, &["--format", "concise"]));
    assert_eq!((code, joint(&out)), (0, Vec::new()), "a domain shares nothing with itself");
}

#[test]
fn mistakes_in_rules_over_domains_are_told_with_their_cure() {
    let folder = tempfile::tempdir().unwrap();
    let head = "group: acme\nover: domains\nrules:\n  - id: acme-a\n    title: T\n    severity: error\n    cites: [X]\n    message: m\n";
    for (body, message, help) in [
        ("assert: policy.mode == \"enforce\"", "there is no `policy` here", "and then `domain.policy`"),
        (
            "for_each: { d: domains }\ncompare: d.policy.mode\nassert: compared.value == compared.usual",
            "`d.policy.mode` is `null`",
            "write `when: d.policy.mode != null`",
        ),
        (
            "for_each: { d: domains }\ncompare: d.policy\nassert: compared.peer_count == 0",
            "`d.policy` is an object, which cannot be compared as a whole",
            "compare one of its facts: `d.policy.mode`",
        ),
        ("for_each: { d: domains }\ncompare: d.collected_at\nassert: compared.peers == 0", "they are never equal", ""),
        (
            "for_each: { d: domains }\ncompare: d.collected_at\nassert: compared.valeu == \"\"",
            "there is no `compared.valeu`",
            "did you mean `compared.value`?",
        ),
        (
            "for_each: { d: domains }\ncompare: d.collected_at\nassert: d.mx.null_mx",
            "nothing asks how the elements compare",
            "assert: compared.value == compared.usual",
        ),
        (
            "compare: size(domains)\nassert: compared.value == 1",
            "this rule goes through none",
            "for_each: { domain: domains }",
        ),
        (
            "for_each: { compared: domains }\ncompare: compared.collected_at\nassert: compared.value == \"\"",
            "`compared` already means something here",
            "another name",
        ),
        (
            "requires: [policy-mode]\nassert: size(domains) > 1",
            "`policy-mode` is over: domain, and this rule over: domains",
            "only rules over the same",
        ),
        ("assert: domains.all(d, d.mx == d.mx)", "`d.mx` is an object, which cannot be compared as a whole", "`d.mx."),
    ] {
        let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
        std::fs::write(folder.path().join("r.yaml"), format!("{head}{body}")).unwrap();
        let (code, out, errors) = run(folder.path(), &["--no-config", "rules", "test", "--allow-untested", "r.yaml"]);
        let said = format!("{out}{errors}").replace(['│', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(code, 2, "{body}{said}");
        for part in ["1 mistake in", message, help] {
            assert!(said.contains(part), "`{part}` is not in\n{said}\nfor\n{body}");
        }
    }
    // `compare` in a file over one domain.
    let text = head.replace("over: domains\n", "") + "    compare: policy.mode\n    assert: policy.usable\n";
    std::fs::write(folder.path().join("r.yaml"), text).unwrap();
    let (_, out, errors) = run(folder.path(), &["--no-config", "rules", "test", "--allow-untested", "r.yaml"]);
    assert!(
        errors.contains("`compare` is of rules over many domains") && errors.contains("1 mistake"),
        "{out}{errors}"
    );
}

#[test]
fn a_new_rule_over_domains_is_right_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (code, ..) = run(folder.path(), &["rules", "new", "acme-age", "--over", "domains", "-o", "new.yaml"]);
    assert_eq!(code, 0);
    let (code, out, _) = run(folder.path(), &["--no-config", "rules", "test", "new.yaml"]);
    assert_eq!((code, out.as_str()), (0, "1 rule, 3 cases held, 0 did not\n"));
    let (_, out, _) = run(folder.path(), &["--no-config", "explain", "acme-age", "--rules", "new.yaml"]);
    assert!(out.contains("compare domain.policy.max_age") && out.contains("[example.net: policy:"), "{out}");
    let (_, out, _) = run(folder.path(), &["facts", "domains", "policy", "mode"]);
    assert!(out.contains("domains[].policy.mode "), "{out}");
}

/// The most memory that a run over so many domains held, in octets, and the processor time that it took.
#[cfg(target_os = "linux")]
fn cost(folder: &Path, count: usize) -> (u64, std::time::Duration) {
    let good = domain("NAME", 1).to_string();
    let rules = format!("{BANK}/rules/together.yaml");
    let mut input = std::io::BufWriter::new(std::fs::File::create(folder.join("many.jsonl")).unwrap());
    for number in 0..count {
        let network = format!("93.0.{}.", number % 2);
        let line = good.replace("NAME", &format!("d{number}.example")).replace("93.0.1.", &network);
        std::io::Write::write_all(&mut input, format!("{line}\n").as_bytes()).unwrap();
    }
    drop(input);
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(["--no-config", "check", "--snapshot", "many.jsonl", "--rules", &rules, "--select", "bank-together"])
        .args(["--format", "concise"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = child.stdout.take().unwrap();
    let said = std::thread::spawn(move || std::io::read_to_string(out).unwrap());
    // Its memory is looked at for as long as it has any: whoever looks once may come too late.
    let peak = std::iter::from_fn(|| crate::cost::peak_memory(child.id())).last().unwrap();
    let cost = (peak, crate::cost::processor_time(child.id()));
    child.wait().unwrap();
    let said = said.join().unwrap();
    assert!(said.starts_with("all domains: error[bank-own-keys]"), "{said}");
    cost
}

#[test]
#[cfg(target_os = "linux")]
fn of_many_domains_only_what_rules_name_is_held_and_time_grows_with_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let (few, time_of_few) = cost(folder.path(), 100);
    let (many, time_of_many) = cost(folder.path(), 400);
    let each = many.saturating_sub(few) / 300;
    // A snapshot of them has 10,000 octets, all of its facts would take some megabytes.
    assert!(each < 150_000, "{each} octets for each domain");
    assert!(time_of_many < time_of_few * 8, "{time_of_few:?} for 100, {time_of_many:?} for 400");
}

#[cfg(feature = "lab")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn domains_are_compared_live() {
    use stslint::lab::{Lab, LabOptions, Scenario};
    let names = ["one.example", "two.example", "three.example"];
    let options = LabOptions::empty(std::time::SystemTime::now());
    let lab =
        Lab::start(names.into_iter().fold(options, |options, name| options.with(Scenario::good(name)))).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("roots.pem"), lab.roots_pem()).unwrap();
    std::fs::write(folder.path().join("anchor"), lab.trust_anchor()).unwrap();
    let mut command = assert_cmd::Command::cargo_bin("stslint").unwrap();
    command.current_dir(folder.path()).args(["check", "-", "--roots", "roots.pem", "--trust-anchor", "anchor"]);
    command.args(["--resolver", &lab.resolver().to_string(), "--https-port", &lab.https_port().to_string()]);
    command.args(["--smtp-port", &lab.smtp_port().to_string(), "--format", "jsonl", "--no-config"]);
    command.args(["--rules", &format!("{BANK}/rules/together.yaml"), "--select", "bank-together"]);
    command.write_stdin(names.join("\n"));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let last: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!((out.lines().count(), &last["over"]), (4, &json!("domains")), "{out}");
    // The lab has one network for all.
    let checks = last["checks"].as_array().unwrap().iter();
    let failed = checks.filter(|check| check["rule"] == "bank-two-networks" && check["outcome"] == "fail");
    let domains: std::collections::BTreeSet<&str> = failed.map(|check| check["domain"].as_str().unwrap()).collect();
    assert_eq!(domains, names.into(), "{last}");
}
