//! The command line from outside: what a user can do without a network.

use assert_cmd::Command;
use serde_json::Value;

const GOOD: &str = "fixtures/good/snapshot.yaml";

fn stslint(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("stslint").unwrap();
    command.args(args).env("NO_COLOR", "1");
    command
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn run(args: &[&str]) -> Ran {
    run_with(args, "")
}

fn run_with(args: &[&str], input: &str) -> Ran {
    let output = stslint(args).write_stdin(input).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
}

fn checks(args: &[&str], input: &str) -> Vec<Value> {
    let all: Vec<&str> = ["check", "--format", "json"].iter().chain(args).copied().collect();
    let ran = run_with(&all, input);
    let json: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err));
    json["results"][0]["checks"].as_array().unwrap().clone()
}

fn failing(args: &[&str], input: &str) -> Vec<String> {
    let worse = |check: &&Value| check["outcome"] == "fail" && check["severity"] != "note";
    checks(args, input).iter().filter(worse).map(|check| check["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn records_alone() {
    for (text, expected) in [
        ("v=STSv1; id=1;", &[][..]),
        ("v=STSv1 ;id=1", &["record-version-delimiter"]),
        ("V=STSv1; id=1", &["record-version"]),
        ("v=STSv1; id=a-b", &["record-id-format"]),
        ("v=STSv1;", &["record-id"]),
        ("v=STSv1; id=1;;", &["record-syntax"]),
        ("v=STSv1; id=1; x=é", &["record-ascii"]),
        ("v=spf1 -all", &["record-published"]),
    ] {
        assert_eq!(failing(&["--record", text], ""), expected, "{text}");
    }
    assert_eq!(failing(&["--record", "v=STSv1; id=1", "--record", "v=STSv1; id=2"], ""), ["record-single"]);
}

#[test]
fn tlsrpt_records_alone() {
    for (text, expected) in [
        ("v=TLSRPTv1;rua=mailto:a@b.example,https://c.example/x", &[][..]),
        ("v=TLSRPTv1; rua=a@b.example", &["tlsrpt-rua-scheme"]),
        ("v=TLSRPTv1; rua=", &["tlsrpt-rua"]),
        ("v=TLSRPTv1; rua=mailto:a@b.example;c", &["tlsrpt-rua-truncated"]),
        ("v=TLSRPT1; rua=mailto:a@b.example", &["tlsrpt-version"]),
        ("v=TLSRPTv1; rua=mailto:a@b.example!10m", &["tlsrpt-rua-size-suffix"]),
    ] {
        assert_eq!(failing(&["--tlsrpt", text], ""), expected, "{text}");
    }
}

#[test]
fn policies_alone_and_beside_mx_hosts() {
    let good = "version: STSv1\r\nmode: enforce\r\nmx: *.example.com\r\nmax_age: 604800\r\n";
    assert_eq!(failing(&["--policy", "-"], good), [] as [&str; 0]);
    assert_eq!(failing(&["--policy", "-", "--mx", "mx.example.com"], good), [] as [&str; 0]);
    assert_eq!(failing(&["--policy", "-", "--mx", "a.mx.example.com."], good), ["mx-covered"]);
    assert_eq!(failing(&["--policy", "-"], &good.replace("enforce", "enforced")), ["policy-mode"]);
    assert_eq!(failing(&["--policy", "-"], &good.replace("max_age", "max-age")), ["policy-max-age"]);
    assert_eq!(failing(&["--policy", "-"], &format!("\u{feff}{good}")), ["policy-encoding"]);
    assert_eq!(failing(&["--policy", "-"], "<html>"), ["policy-not-html"]);
    assert_eq!(failing(&["--policy", "-"], ""), ["policy-syntax"]);
    assert_eq!(failing(&["--policy", "-"], "version: STSv1\\nmode: enforce\\n"), ["policy-version"]);
}

#[test]
fn what_was_not_given_is_not_checked() {
    let all = checks(&["--record", "v=STSv1; id=1"], "");
    for check in &all {
        let given = check["group"] == "record";
        if !given {
            assert_ne!(check["outcome"], "pass", "{check}");
            assert_ne!(check["outcome"], "fail", "{check}");
        }
        if check["outcome"] == "not_checked" {
            assert!(check["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{check}");
        }
    }
}

#[test]
fn findings_point_into_their_exhibit() {
    let policy = "version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmax_age: 86400\r\n";
    let ran = run_with(&["check", "--format", "json", "--policy", "-"], policy);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    let result = &json["results"][0];
    assert_eq!((&json["schema"], &result["domain"]), (&Value::from(1), &Value::Null));
    let check =
        result["checks"].as_array().unwrap().iter().find(|check| check["rule"] == "policy-max-age-short").unwrap();
    let location = &check["location"];
    assert_eq!(
        (&location["line"], &location["column"], &location["exhibit"]),
        (&Value::from(4), &Value::from(10), &Value::from("policy"))
    );
    let exhibit = result["exhibits"]["policy"].as_str().unwrap();
    let start = location["offset"].as_u64().unwrap() as usize;
    assert_eq!(exhibit.get(start..start + location["length"].as_u64().unwrap() as usize), Some("86400"));
}

#[test]
fn a_snapshot_and_what_if() {
    assert_eq!(run(&["check", "--snapshot", GOOD]).code, 0);
    let changed = run(&["check", "--snapshot", GOOD, "--record", "v=STSv1; id=a-b", "--format", "concise"]);
    assert_eq!(changed.code, 1);
    assert_eq!(changed.out.lines().count(), 1, "{}", changed.out);
    assert!(changed.out.starts_with("example.com: error[record-id-format]"), "{}", changed.out);
    let baseline = run(&["check", "--snapshot", GOOD, "--baseline", GOOD]);
    assert_eq!(baseline.code, 0, "{}", baseline.out);
}

#[test]
fn exit_codes() {
    for (args, code) in [
        (&["check", "--record", "v=STSv1; id=1"][..], 0),
        (&["check", "--record", "v=STSv1; id=1", "--require-complete"], 3),
        (&["check", "--record", "v=STSv1; id="], 1),
        (&["check", "--record", "v=STSv1; id=", "--fail-on", "never"], 0),
        (&["check", "--record", "v=STSv1 ; id=1", "--fail-on", "warning"], 1),
        (&["check"], 2),
        (&["check", "--offline", "example.com"], 2),
        (&["check", "--offline", "exa mple.com"], 2),
        (&["check", "--offline", "192.0.2.1"], 2),
        (&["check", "--snapshot", "no-such-file.yaml"], 2),
        (&["check", "--snapshot", "src"], 2),
        (&["check", "--policy", "src"], 2),
        (&["check", "--record", "x", "--ignore", "no-such-rule"], 2),
        (&["explain", "policy-mode"], 0),
        (&["explain", "policy-moed"], 2),
        (&["rules", "list"], 0),
        (&["rules", "show", "policy-mode"], 0),
    ] {
        let ran = run(args);
        assert_eq!(ran.code, code, "{args:?}: {}{}", ran.out, ran.err);
        assert_eq!(code >= 2, !ran.err.is_empty(), "{args:?}: {}", ran.err);
    }
}

#[test]
fn domains_as_people_write_them() {
    for given in ["Example.COM.", "user@example.com", "example.com"] {
        let ran = run(&["check", "--offline", given, "--format", "json"]);
        let json: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(json["results"][0]["domain"], "example.com", "{given}");
    }
    let ran = run(&["check", "--offline", "bücher.example", "--format", "jsonl"]);
    assert!(ran.out.contains("\"xn--bcher-kva.example\""), "{}", ran.out);
}

#[test]
fn damaged_snapshots_are_named_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let good = std::fs::read_to_string(GOOD).unwrap();
    for (name, text, words) in [
        ("cut.yaml", &good[..good.len() / 2], ""),
        ("version.yaml", "snapshot: 9\ndomain: example.com\n", "version 9"),
        ("key.yaml", "snapshot: 1\ndomain: example.com\nrecrod: null\n", "did you mean `record`"),
        ("type.json", "{\"snapshot\": 1, \"domain\": [7]}", "type.json:1:27"),
        ("key.json", "{\"snapshot\": 1, \"domain\": \"a.example\", \"recrod\": null}", "did you mean `record`"),
        ("ends.json", "{\"snapshot\": 1, \"domain\":", "ends too early"),
        (
            "one-line.json",
            &format!(
                "{{\"snapshot\": 1, \"domain\": \"a.example\", \"policy\": {{\"body\": \"{}\"}}, \"x\": 1}}",
                "é".repeat(100_000)
            ),
            "one-line.json:1:1000",
        ),
        ("empty.yaml", "", "empty"),
        ("escape.yaml", "snapshot: 1\ndomain: example.com\n\"\u{1b}[31m\": 1\n", ""),
        (
            "bomb.yaml",
            &format!("snapshot: 1\ndomain: example.com\nmisplaced: {}{}\n", "[".repeat(100_000), "]".repeat(100_000)),
            "",
        ),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let ran = run(&["check", "--snapshot", path.to_str().unwrap()]);
        if name != "cut.yaml" {
            assert_eq!(ran.code, 2, "{name}: {}{}", ran.out, ran.err);
            assert!(ran.err.contains(words), "{name}: {}", ran.err);
        }
        assert!(!ran.err.contains('\u{1b}') && !ran.err.contains("panicked"), "{name}: {}", ran.err);
        assert!(ran.err.len() < 4_096, "{name}: the text itself is shown, {} octets", ran.err.len());
    }
    let huge = folder.path().join("huge.txt");
    std::fs::write(&huge, vec![b'x'; 5 << 20]).unwrap();
    let ran = run(&["check", "--policy", huge.to_str().unwrap()]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("more than"), "{}", ran.err);
}

#[test]
fn hostile_texts_never_reach_the_terminal_raw() {
    let policy = "version: STSv1\nmode: \u{1b}]0;owned\u{7}\nmx: \u{202e}evil.example\nx: \u{9b}31m\n";
    for format in ["human", "concise", "json", "jsonl"] {
        let ran = run_with(
            &["check", "--policy", "-", "--record", "v=STSv1; id=\u{1b}[2J", "--format", format, "--color", "never"],
            policy,
        );
        let raw = ran.out.chars().find(|c| (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202e}'));
        let allowed = matches!(format, "json" | "jsonl");
        assert!(allowed || raw.is_none(), "{format}: {raw:?}");
        assert!(!ran.out.contains('\u{1b}'), "{format}");
    }
}

#[test]
fn the_built_in_cases_hold() {
    let ran = run(&["rules", "test"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.ends_with(" 0 did not\n"), "{}", ran.out);
}

#[test]
fn own_rules_are_checked_tested_and_applied() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("acme.yaml");
    std::fs::write(
        &rules,
        "group: acme\nrules:\n  - id: acme-two-weeks\n    title: max_age is two weeks\n    severity: error\n    cites: [ACME-SEC-12]\n    params: { seconds: 1209600 }\n    requires: [policy-max-age]\n    assert: policy.max_age == params.seconds\n    message: \"max_age is {policy.max_age}\"\n    tests:\n      pass: [{}]\n      fail: [{ policy.body: \"version: STSv1\\nmode: none\\nmax_age: 1\\n\" }]\n",
    )
    .unwrap();
    let path = rules.to_str().unwrap();
    assert_eq!(run(&["rules", "test", path]).out, "1 rule, 2 cases held, 0 did not\n");
    let ran = run_with(
        &["check", "--rules", path, "--policy", "-", "--format", "concise", "--select", "acme"],
        "version: STSv1\nmode: none\nmax_age: 7\n",
    );
    assert_eq!((ran.code, ran.out.as_str()), (1, "policy:3:10: error[acme-two-weeks] max_age is 7 (ACME-SEC-12)\n"));

    std::fs::write(&rules, "group: acme\nrules:\n  - id: acme-x\n    title: x\n    severity: error\n    cites: []\n    assert: policy.max_agee > '1d'\n    message: \"{policy.mdoe}\"\n").unwrap();
    let ran = run(&["check", "--rules", path, "--offline", "example.com"]);
    assert_eq!(ran.code, 2);
    for word in ["did you mean `policy.max_age`?", "did you mean `policy.mode`?", "cites nothing"] {
        assert!(ran.err.contains(word), "{word}: {}", ran.err);
    }
}

#[test]
fn a_snapshot_is_written_whole_where_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nobody.json");
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = nobody.local_addr().unwrap().to_string();
    let ran =
        run(&["collect", "example.com", "--resolver", &resolver, "--timeout", "0.2", "-o", path.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let json: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(json["record"]["outcome"], "timeout");
    // Nobody answered: that is no green run.
    assert_eq!(run(&["check", "--snapshot", path.to_str().unwrap()]).code, 2);
}

#[test]
fn the_fixtures_give_the_reports_that_were_reviewed() {
    let mut folders: Vec<_> = std::fs::read_dir("fixtures").unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.join("snapshot.yaml").exists());
    folders.sort();
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let snapshot = folder.join("snapshot.yaml");
        let path = snapshot.to_str().unwrap();
        let human = run(&["check", "--snapshot", path, "--fail-on", "never"]);
        insta::assert_snapshot!(format!("{name}-human"), crate::totals::without_totals(&human.out));
        let concise = run(&["check", "--snapshot", path, "--format", "concise", "--fail-on", "never"]);
        insta::assert_snapshot!(format!("{name}-concise"), concise.out);
    }
    let json = run(&[
        "check",
        "--snapshot",
        GOOD,
        "--record",
        "v=STSv1; id=a-b",
        "--select",
        "record-id-format",
        "--format",
        "json",
    ]);
    insta::assert_snapshot!("json", json.out);
    insta::assert_snapshot!("rules-list", run(&["rules", "list"]).out);
    insta::assert_snapshot!("explain", run(&["explain", "policy-max-age-short"]).out);
}

#[test]
fn output_that_is_lost_is_an_error() {
    // A device that is always full; there is none elsewhere.
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    for args in [&["check", "--snapshot", GOOD, "--format", "jsonl"][..], &["rules", "list"], &["schema", "report"]] {
        let output = std::process::Command::new(assert_cmd::cargo::cargo_bin("stslint"))
            .args(args)
            .stdout(full.try_clone().unwrap())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(said.contains("cannot write to standard output"), "{args:?}: {said}");
    }
}

#[test]
fn nagios_hears_unknown_where_nothing_could_be_checked() {
    for wrong in [&["--bogus"][..], &["--timeout", "abc"], &["--config", "no/such.yaml"], &["--at", "nonsense"]] {
        let args = [&["check", "--offline", "example.com", "--format", "nagios"], wrong].concat();
        let ran = run(&args);
        assert_eq!(ran.code, 3, "{wrong:?}: {}{}", ran.out, ran.err);
        assert!(ran.out.starts_with("STSLINT UNKNOWN - "), "{wrong:?}: {}", ran.out);
    }
    assert_eq!(run(&["check", "--help", "--format", "nagios"]).code, 0);
}

#[test]
fn an_empty_list_of_snapshots_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.jsonl");
    std::fs::write(&path, "\n\n").unwrap();
    let ran = run(&["check", "--snapshot", path.to_str().unwrap()]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("there is no snapshot in it"), "{}", ran.err);
}

#[test]
fn a_list_is_fixed_by_its_dashes_alone_and_front_matter_only_on_demand() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mta-sts.txt");
    let fields = "version: STSv1\nmode: enforce\nmx: mx1.example.com\nmax_age: 1209600\n";
    let list: String = fields.lines().map(|line| format!("- {line}\n")).collect();
    let page = format!("---\npermalink: /.well-known/mta-sts.txt\n---\n{fields}");
    for (text, fix, fixed) in [(&list, "--fix", fields), (&page, "--fix", page.as_str()), (&page, "--fix=all", fields)]
    {
        std::fs::write(&path, text).unwrap();
        run(&["check", "--policy", path.to_str().unwrap(), fix]);
        assert_eq!(std::fs::read_to_string(&path).unwrap().trim_end(), fixed.trim_end(), "{fix}");
    }
}

#[test]
fn metrics_keep_policy_files_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("mta-sts.txt"), text).unwrap();
        path.join("mta-sts.txt").to_str().unwrap().to_owned()
    };
    let bad = file("a", "version: STSv1\n");
    let good = file("b", "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmax_age: 1209600\r\n");
    let ran = run(&["check", &bad, &good, "--format", "prometheus"]);
    let errors = |path: &str| {
        let series = format!("stslint_findings{{domain=\"{path}\",severity=\"error\"}} ");
        ran.out.lines().find_map(|line| line.strip_prefix(&series)).map(str::to_owned)
    };
    assert_eq!(errors(&good).as_deref(), Some("0"), "{}", ran.out);
    assert!(errors(&bad).is_some_and(|count| count != "0"), "{}", ran.out);
}

#[test]
fn a_baseline_of_another_domain_is_not_compared() {
    let ran = run(&["check", "--snapshot", GOOD, "--baseline", "fixtures/perfect/snapshot.yaml", "--format", "json"]);
    assert!(
        ran.err.contains("the baseline is of perfect.example, and is not compared with example.com"),
        "{}",
        ran.err
    );
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["results"][0]["sender"].as_array().unwrap().len(), 1);
}

#[test]
fn what_senders_never_cached_is_no_cached_policy() {
    let folder = tempfile::tempdir().unwrap();
    let good = std::fs::read_to_string(GOOD).unwrap();
    let baseline = folder.path().join("baseline.yaml");
    for (old, new, cached) in
        [("", "", "enforce"), ("version: STSv1", "version: STSv2", "absent"), ("v=STSv1;", "v=STSv2;", "absent")]
    {
        assert!(good.contains(old));
        std::fs::write(&baseline, good.replace(old, new)).unwrap();
        let args = [
            "check",
            "--snapshot",
            GOOD,
            "--baseline",
            baseline.to_str().unwrap(),
            "--record",
            "none",
            "--format",
            "json",
        ];
        let report: Value = serde_json::from_str(&run(&args).out).unwrap();
        let view = &report["results"][0]["sender"][1];
        assert_eq!((&view["cache"], &view["policy"]), (&"baseline".into(), &cached.into()), "{new}");
    }
}

#[test]
fn a_list_of_domains_may_hold_comments() {
    let list = "\u{feff}# ours\r\nexample.com\r\n\n  example.org # the second\n";
    let ran = run_with(&["check", "-", "--offline", "--format", "jsonl"], list);
    let domains: Vec<String> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["domain"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(domains, ["example.com", "example.org"], "{}", ran.err);
    let ran = run_with(&["check", "-", "--offline"], "example.com\nbad..name\n");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("standard input, line 2: `bad..name` is not a valid domain name"), "{}", ran.err);
}

#[test]
fn what_is_surely_not_meant_is_a_usage_error() {
    for (args, told) in [
        (&["check", GOOD][..], "is a file, and a domain belongs here"),
        (&["check", "--mx", ""], "--mx names no host"),
        (&["check", "--policy", "-", "--snapshot", "-"], "standard input can be read once only"),
    ] {
        let ran = run(args);
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(ran.err.contains(told), "{args:?}: {}", ran.err);
    }
}

#[test]
fn a_domain_without_a_command_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("mta-sts.txt");
    std::fs::write(&policy, "version: STSv1\nmode: none\nmax_age: 86400\n").unwrap();
    let path = policy.to_str().unwrap();
    let (short, long) = (run(&["--no-config", path]), run(&["check", "--no-config", path]));
    assert_eq!((short.code, &short.out, &short.err), (long.code, &long.out, &long.err));
    assert!(short.out.contains("policy-enforced"), "{}{}", short.out, short.err);
    let misspelt = run(&["chekc", "example.com"]);
    assert!(misspelt.code == 2 && misspelt.err.contains("'check'"), "{}", misspelt.err);
}

#[test]
fn an_id_that_is_too_long_is_replaced_and_not_cut() {
    let record = format!("v=STSv1; id={}", "20261127".repeat(5));
    let ran = run(&["check", "--no-config", "--record", &record]);
    assert!(ran.out.contains("Use 1 to 32 letters and digits"), "{}", ran.out);
    assert!(!ran.out.contains("Publish it as"), "{}", ran.out);
}

#[test]
fn hosts_on_one_line_are_corrected_into_lines() {
    let ran = run_with(
        &["check", "--no-config", "--policy", "-"],
        "version: STSv1\nmode: enforce\nmx : a.example.com, b.example.com\nmax_age: 1209600\n",
    );
    assert!(ran.out.contains("`mx: a.example.com`, `mx: b.example.com`"), "{}", ran.out);
    assert!(!ran.out.contains("\\nmx:"), "{}", ran.out);
}

#[test]
fn a_record_in_place_of_the_policy_is_not_fixed_into_an_empty_file() {
    let ran = run_with(&["check", "--no-config", "--policy", "-"], "v=STSv1; id=1;\n");
    assert!(ran.out.contains("Publish this text as the TXT record at `_mta-sts`"), "{}", ran.out);
}
