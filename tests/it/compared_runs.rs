//! `stslint diff` over runs, from outside: what is new, worse, better and gone, in every format, and its exit code.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const GOOD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/good/snapshot.yaml");

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn run(folder: &Path, arguments: &[&str]) -> Ran {
    let output = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// A good domain of that name, changed.
fn domain(name: &str, change: &dyn Fn(String) -> String) -> String {
    let text = change(std::fs::read_to_string(GOOD).unwrap().replace("example.com", name));
    let snapshot: Value = serde_yaml::from_str(&text).unwrap();
    format!("{snapshot}\n")
}

fn same(text: String) -> String {
    text
}

/// A mode that is not valid: an error, and senders apply no policy.
fn broken(text: String) -> String {
    text.replace("mode: enforce", "mode: enfroce")
}

/// Two days of four domains: one breaks, one is repaired, one goes, one comes.
fn two_days(folder: &Path) -> (PathBuf, PathBuf) {
    let old = [domain("a.test", &same), domain("b.test", &broken), domain("c.test", &same), domain("d.test", &same)];
    let new = [domain("a.test", &broken), domain("b.test", &same), domain("d.test", &same), domain("e.test", &same)];
    std::fs::write(folder.join("old-snapshots.jsonl"), old.concat()).unwrap();
    std::fs::write(folder.join("new-snapshots.jsonl"), new.concat()).unwrap();
    for day in ["old", "new"] {
        let snapshots = format!("{day}-snapshots.jsonl");
        let ran = run(folder, &["check", "--snapshot", &snapshots, "--format", "jsonl"]);
        std::fs::write(folder.join(format!("{day}.jsonl")), ran.out).unwrap();
        let ran = run(folder, &["check", "--snapshot", &snapshots, "--format", "json"]);
        std::fs::write(folder.join(format!("{day}.json")), ran.out).unwrap();
    }
    (folder.join("old.jsonl"), folder.join("new.jsonl"))
}

#[test]
fn two_runs_are_compared_whatever_they_were_recorded_as() {
    let folder = tempfile::tempdir().unwrap();
    two_days(folder.path());
    let mut texts = Vec::new();
    for (old, new) in [("old.jsonl", "new.jsonl"), ("old.json", "new.json"), ("old-snapshots.jsonl", "new.jsonl")] {
        let ran = run(folder.path(), &["diff", old, new]);
        assert_eq!((ran.code, ran.err.as_str()), (1, ""), "{old}: {}", ran.out);
        texts.push(ran.out);
    }
    assert_eq!(texts[0], texts[1]);
    assert_eq!(texts[0], texts[2]);
    let text = &texts[0];
    assert!(text.starts_with("5 domains: 1 worse, 1 new, 1 gone, 1 better, 1 unchanged\n"), "{text}");
    assert!(text.contains("\nWorse\n  a.test\n    mail: verified before, unverified now\n    policy in force: enforce before, absent now\n"), "{text}");
    assert!(text.contains("    new       error[policy-mode] "), "{text}");
    assert!(text.contains("\nGone\n  c.test\n"), "{text}");
    assert!(text.contains("\nBetter\n  b.test\n"), "{text}");
    assert!(text.contains("    fixed     error[policy-mode] "), "{text}");
    assert!(!text.contains("d.test"), "{text}");
    assert!(text.contains("\nBy rule\n"), "{text}");
    assert!(text.contains("\nBy provider of the MX hosts\n"), "{text}");
    let all = run(folder.path(), &["diff", "old.jsonl", "new.jsonl", "--all"]);
    assert!(all.out.contains("\nUnchanged\n  d.test\n"), "{}", all.out);
}

#[test]
fn the_exit_code_is_about_what_is_new_or_worse() {
    let folder = tempfile::tempdir().unwrap();
    two_days(folder.path());
    let code = |arguments: &[&str]| run(folder.path(), &[&["diff"], arguments].concat()).code;
    assert_eq!(code(&["old.jsonl", "old.jsonl"]), 0);
    assert_eq!(code(&["old.jsonl", "new.jsonl"]), 1);
    assert_eq!(code(&["old.jsonl", "new.jsonl", "--fail-on", "never"]), 0);
    let better = [domain("b.test", &same), domain("a.test", &same)].concat();
    std::fs::write(folder.path().join("better.jsonl"), better).unwrap();
    assert_eq!(code(&["old.jsonl", "better.jsonl"]), 0, "what is fixed or gone fails nothing");
    let one = |name: &str, change: &dyn Fn(String) -> String| {
        std::fs::write(folder.path().join(name), domain("a.test", change)).unwrap();
    };
    one("one.json", &same);
    one("two.json", &broken);
    assert_eq!(code(&["one.json", "two.json", "--findings"]), 1);
    assert_eq!(code(&["two.json", "one.json", "--findings"]), 0);
    assert_eq!(code(&["two.json", "one.json"]), 1, "fact by fact, a difference is a difference");
    let facts = run(folder.path(), &["diff", "one.json", "two.json"]);
    assert!(facts.out.contains("policy.mode\n  - \"enforce\"\n  + null\n"), "{}", facts.out);
    assert!(facts.out.contains("\nFindings\n"), "{}", facts.out);
    assert!(facts.out.contains("    new       error[policy-mode] "), "{}", facts.out);
}

#[test]
fn damaged_lines_hide_nothing_and_make_nothing_seem_gone() {
    let folder = tempfile::tempdir().unwrap();
    two_days(folder.path());
    let lines = std::fs::read_to_string(folder.path().join("new.jsonl")).unwrap();
    let mut lines: Vec<&str> = lines.lines().collect();
    let cut = &lines[1][..lines[1].len() / 2];
    lines[1] = cut;
    lines.push("{\"schema\":7,\"checks\":[]}");
    lines.push("{\"input\":\"c.test\",\"error\":\"nobody answered\"}");
    std::fs::write(folder.path().join("damaged.jsonl"), lines.join("\n")).unwrap();
    let ran = run(folder.path(), &["diff", "old.jsonl", "damaged.jsonl"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("damaged.jsonl, line 2"), "{}", ran.err);
    assert!(ran.err.contains("version 7 of the format"), "{}", ran.err);
    assert!(ran.out.starts_with("5 domains: 1 worse, 1 new, 2 not known, 1 unchanged\n"), "{}", ran.out);
    assert!(ran.out.contains("2 lines of the newer run could not be read"), "{}", ran.out);
    assert!(ran.out.contains("newer run: nobody answered"), "{}", ran.out);
    std::fs::write(folder.path().join("empty.jsonl"), "\n").unwrap();
    std::fs::write(folder.path().join("other.json"), "{\n \"a\": 1}").unwrap();
    for file in ["empty.jsonl", "other.json", "missing.jsonl"] {
        let ran = run(folder.path(), &["diff", "old.jsonl", file]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{file}");
        assert!(ran.err.contains(file), "{}", ran.err);
    }
}

#[test]
fn runs_of_other_versions_are_compared_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (old, _) = two_days(folder.path());
    let text = std::fs::read_to_string(&old).unwrap();
    let version = format!("\"stslint\":\"{}\"", env!("CARGO_PKG_VERSION"));
    std::fs::write(&old, text.replace(&version, "\"stslint\":\"0.0.1\",\"new\":{\"a\":[1]}")).unwrap();
    let ran = run(folder.path(), &["diff", "old.jsonl", "new.jsonl"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    assert!(ran.out.contains("different versions of stslint (0.0.1 and"), "{}", ran.out);
}

#[test]
fn every_format_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    two_days(folder.path());
    let out = |format: &str| {
        let ran = run(folder.path(), &["diff", "old.jsonl", "new.jsonl", "--format", format]);
        assert_eq!((ran.code, ran.err.as_str()), (1, ""), "{format}");
        ran.out
    };
    let json: Value = serde_json::from_str(&out("json")).unwrap();
    assert_eq!(json["summary"]["domains"]["worse"], 1, "{json}");
    assert_eq!(json["domains"][0]["domain"], "a.test");
    assert_eq!(json["domains"][0]["findings"][0]["change"], "new");
    let lines = out("jsonl");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 5, "four domains that changed, and the sums");
    assert_eq!((&lines[0]["domain"], &lines[0]["change"]), (&Value::from("a.test"), &Value::from("worse")));
    assert_eq!(lines[4]["summary"], json["summary"]);
    let markdown = out("markdown");
    assert!(markdown.contains("\n### Worse\n\n**a.test**\n"), "{markdown}");
    assert!(markdown.contains("- ❌ new: **error** `policy-mode` "), "{markdown}");
    let html = out("html");
    assert!(html.contains("<h1>1 domain is worse</h1>"), "{html}");
    assert!(html.contains("<h3>a.test</h3>") && !html.contains("<script"), "{html}");
}

#[test]
fn nothing_in_a_run_is_obeyed_by_a_terminal_or_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = "\\u001b[2J<script>##vso[x] `|** @all";
    let line = |outcome: &str| {
        format!(
            "{{\"schema\":1,\"domain\":\"a{hostile}\",\"state\":{{\"policy\":\"{hostile}\",\"mail\":\"x\"}},\"checks\":[{{\"rule\":\"r{hostile}\",\"outcome\":\"{outcome}\",\"severity\":\"error\",\"subject\":\"s{hostile}\",\"message\":\"m{hostile}\"}}],\"sender\":[{{\"hosts\":[{{\"exchange\":\"{hostile}\"}}]}}]}}\n"
        )
    };
    std::fs::write(folder.path().join("old.jsonl"), line("pass")).unwrap();
    std::fs::write(folder.path().join("new.jsonl"), line("fail")).unwrap();
    for format in ["human", "html", "json", "jsonl", "markdown"] {
        let ran = run(folder.path(), &["diff", "old.jsonl", "new.jsonl", "--format", format]);
        assert_eq!(ran.code, 1, "{format}: {}", ran.err);
        assert!(!ran.out.contains('\u{1b}') && !ran.out.contains("##vso["), "{format}: {}", ran.out);
        assert!(format != "html" || !ran.out.contains("<script"), "{}", ran.out);
    }
}
