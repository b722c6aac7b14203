//! One configuration for domains of several classes: what holds for each, which line says so, and where it shows.

use std::path::Path;
use std::process::Command;

const GOOD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/good/snapshot.yaml");

fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// A bank: forty domains in three classes, and one exception.
const BANK: &str = "\
include: [rules.yaml]
groups: { dane: off }
domains:
  - name: retail
    names: [bank.example, \"*.bank.example\"]
    tags: [core]
  - name: marketing
    names: \"*.campaign.example\"
    rules:
      policy-enforced: off
      policy-max-age-short: { severity: note, params: { minimum: 86400 } }
  - name: parked
    names: [\"*.parked.example\"]
    rules: { bank-owner: off }
  - tagged: [core]
    extends: strict
    rules:
      policy-max-age-short: { severity: error, params: { minimum: 31536000 } }
    ignore:
      - { rule: bank-owner, domain: old.bank.example, reason: moved in spring, until: 2027-03-31 }
";

const RULES: &str = "\
group: bank
rules:
  - id: bank-owner
    title: Core domains are named by an owner
    severity: error
    cites: [BANK-1]
    when: \"'core' in tags && 'retail' in groups\"
    assert: policy.max_age == null
    message: \"{domain} in {join(groups, ' ')} has no owner\"
    tests:
      pass: [{ tags: core, groups: [retail], policy.body: x }]
      fail: [{ tags: [core], groups: [retail] }]
      not_applicable: [{}, { tags: [core] }]
";

fn bank() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("stslint.yaml"), BANK).unwrap();
    std::fs::write(folder.path().join("rules.yaml"), RULES).unwrap();
    let good: serde_json::Value =
        serde_json::to_value(stslint::snapshot::read(Path::new(GOOD)).next().unwrap().unwrap()).unwrap();
    let mut lines = String::new();
    let names = |class: &str, count: usize| (0..count).map(|n| format!("d{n}.{class}.example")).collect::<Vec<_>>();
    for domain in
        [names("bank", 14), names("campaign", 13), names("parked", 12), vec!["old.bank.example".to_owned()]].concat()
    {
        let mut snapshot = good.clone();
        snapshot["domain"] = domain.into();
        lines.push_str(&format!("{snapshot}\n"));
    }
    std::fs::write(folder.path().join("all.jsonl"), lines).unwrap();
    folder
}

#[test]
fn each_class_of_a_bank_has_its_own_rules() {
    let folder = bank();
    let (code, said) = run(folder.path(), &["check", "--snapshot", "all.jsonl", "--format", "concise"]);
    let of = |rule: &str| said.lines().filter(|line| line.contains(rule)).collect::<Vec<_>>();
    assert_eq!(code, 1, "{said}");
    let owner = of("bank-owner");
    assert!(owner.len() == 14 && owner.iter().all(|line| line.contains(".bank.example: error")), "{owner:?}");
    let short = of("policy-max-age-short");
    assert_eq!(short.len(), 15, "{short:?}");
    assert!(short.iter().all(|line| line.contains(".bank.example: error[policy-max-age-short]")), "{short:?}");
    // The command line wins over what holds for some.
    let (_, said) =
        run(folder.path(), &["check", "--snapshot", "all.jsonl", "--format", "concise", "--severity", "bank=note"]);
    assert!(said.lines().filter(|line| line.contains("note[bank-owner]")).count() == 14, "{said}");
    let (_, said) =
        run(folder.path(), &["check", "--snapshot", "all.jsonl", "--format", "concise", "--select", "bank"]);
    assert!(said.lines().all(|line| line.contains("bank-owner")), "{said}");
    assert_eq!(run(folder.path(), &["rules", "test", "rules.yaml"]).0, 0);
}

#[test]
fn what_is_in_force_for_a_domain_is_shown_with_the_line_that_decided() {
    let folder = bank();
    let (_, shown) = run(folder.path(), &["config", "show", "d1.bank.example", "--format", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["tags"], serde_json::json!(["core"]));
    assert_eq!(shown["domains"].as_array().unwrap().len(), 2);
    let severity = &shown["rules"]["policy-max-age-short"];
    assert_eq!(severity["severity"]["value"], "error");
    assert_eq!(severity["params"]["minimum"]["from"], "stslint.yaml:18");
    assert_eq!(shown["ignore"].as_array().unwrap().len(), 0, "{shown}");
    let (_, shown) = run(folder.path(), &["config", "show", "old.bank.example", "--format", "json"]);
    assert!(shown.contains("moved in spring"), "{shown}");
    let (_, shown) = run(folder.path(), &["config", "show", "a.campaign.example", "--format", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["rules"]["policy-enforced"]["severity"]["value"], "off");
    assert_eq!(shown["rules"]["dane-usage"]["severity"]["value"], "off");
}

#[test]
fn a_finding_shows_the_line_that_decided_as_a_second_label() {
    let folder = bank();
    std::fs::write(
        folder.path().join("one.jsonl"),
        std::fs::read_to_string(folder.path().join("all.jsonl")).unwrap().lines().next().unwrap(),
    )
    .unwrap();
    let check = |format: &str| {
        run(
            folder.path(),
            &["check", "--snapshot", "one.jsonl", "--format", format, "--select", "policy-max-age-short"],
        )
        .1
    };
    let human = check("human");
    for part in [
        "[stslint.yaml:18:",
        "the severity `error` is set here",
        "`minimum` is set here; without this it is 604800",
        "31536000",
    ] {
        assert!(human.contains(part), "{part}\n{human}");
    }
    assert!(!human.contains("campaign"), "no other line is shown: {human}");
    let json: serde_json::Value = serde_json::from_str(&check("json")).unwrap();
    let configured = &json["results"][0]["configured"]["policy-max-age-short"];
    assert_eq!(configured.as_array().map(Vec::len), Some(2), "{json}");
    assert_eq!(configured[0]["by"], "stslint.yaml:18");
    let sarif: serde_json::Value = serde_json::from_str(&check("sarif")).unwrap();
    let related = &sarif["runs"][0]["results"][0]["relatedLocations"];
    assert_eq!(related[0]["physicalLocation"]["region"]["startLine"], 18, "{sarif}");
    assert!(check("markdown").contains("stslint.yaml:18") && check("html").contains("stslint.yaml:18"));
}

#[test]
fn mistakes_in_entries_have_their_place() {
    let folder = bank();
    for (entry, place, said) in [
        ("- { rules: { policy-mode: off } }", "2:5", "this entry is about no domain"),
        ("- { names: x.example, rules: { policy-moed: off } }", "2:32", "did you mean `policy-mode`?"),
        (
            "- { names: x.example, rules: { policy-max-age-short: { params: { minimum: a } } } }",
            "2:75",
            "where an integer belongs",
        ),
        ("- { tagged: [core] }", "2:14", "no entry above gives the tag `core`"),
        ("- { names: x.example, extends: strct }", "2:32", "did you mean `strict`?"),
        ("- { names: 'a b' }", "2:12", "is not allowed in a domain"),
        ("- { name: [x], names: x.example }", "2:11", "where a string belongs"),
        ("- { names: [], rules: { policy-mode: off } }", "2:12", "this list is empty, and so about no domain"),
        (
            "- { name: a, names: a.example }\n- { name: a, names: b.example }",
            "3:11",
            "the entry of line 2 is called `a`",
        ),
        ("- { domains: x.example }", "2:5", "available: name, names"),
    ] {
        std::fs::write(folder.path().join("stslint.yaml"), format!("domains:\n{entry}\n")).unwrap();
        let (code, printed) = run(folder.path(), &["config", "show"]);
        let flat = printed.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            code == 2 && flat.contains(&format!("[stslint.yaml:{place}]")) && flat.contains(said),
            "{entry}: {printed}"
        );
    }
}

#[test]
fn a_rule_for_a_tag_that_nobody_gives_and_a_pattern_that_nobody_matches_are_told() {
    let folder = bank();
    let rules = RULES.replace("'core' in tags", "'cor' in tags");
    std::fs::write(folder.path().join("rules.yaml"), rules).unwrap();
    let config = BANK.replace("\"*.campaign.example\"", "\"*.campagin.example\"");
    std::fs::write(folder.path().join("stslint.yaml"), config).unwrap();
    let good = std::fs::read_to_string(GOOD).unwrap();
    let names = ["a.bank.example", "b.campaign.example", "c.other.example"];
    for name in names {
        let path = folder.path().join(format!("{name}.snapshot.yaml"));
        std::fs::write(path, good.replacen("domain: example.com", &format!("domain: {name}"), 1)).unwrap();
    }
    let snapshots: Vec<String> = names.iter().map(|name| format!("--snapshot={name}.snapshot.yaml")).collect();
    let mut arguments = vec!["check", "--fail-on", "never"];
    arguments.extend(snapshots.iter().map(String::as_str));
    let (_, printed) = run(folder.path(), &arguments);
    let flat = printed.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "`tags` never holds \"cor\": no entry of `domains` in the configuration gives it",
        "[rules.yaml:7:12]",
        "did you mean \"core\"?",
        "note[config-domains-unmatched]: stslint.yaml:8: no domain of this run matches `*.campagin.example`; b.campaign.example nearly does",
    ] {
        assert!(flat.contains(part), "{part}\n{printed}");
    }
    assert!(!flat.contains("c.other.example nearly"), "{printed}");
    // A pattern of all names below a domain is not about the domain itself, whether or not it matches others.
    let config = BANK.replace("\"*.campaign.example\"", "\"*.Other.example\"");
    std::fs::write(folder.path().join("stslint.yaml"), config).unwrap();
    std::fs::write(
        folder.path().join("apex.snapshot.yaml"),
        good.replacen("domain: example.com", "domain: other.example", 1),
    )
    .unwrap();
    arguments.push("--snapshot=apex.snapshot.yaml");
    let (_, printed) = run(folder.path(), &arguments);
    let told =
        "other.example falls under no entry: `*.Other.example` is every name below it, and not other.example itself";
    assert!(printed.contains(told), "{printed}");
    // What is right is not told of.
    let folder = bank();
    std::fs::copy(GOOD, folder.path().join("s.yaml")).unwrap();
    let (_, printed) = run(folder.path(), &["check", "--fail-on", "never", "--snapshot", "s.yaml"]);
    assert!(!printed.contains("never holds") && !printed.contains("unmatched"), "{printed}");
}
