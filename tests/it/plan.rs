//! Planning a change: fixes of a policy file, a proposal for a new domain, and what changed since an older snapshot.

use std::path::Path;

use assert_cmd::Command;

const GOOD: &str = "fixtures/good/snapshot.yaml";

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn run(args: &[&str]) -> Ran {
    let output = Command::cargo_bin("stslint").unwrap().args(args).env("NO_COLOR", "1").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
}

fn fixed(policy: &str, args: &[&str]) -> (String, Ran) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mta-sts.txt");
    std::fs::write(&path, policy).unwrap();
    let all: Vec<&str> = ["check", "--policy", path.to_str().unwrap()].iter().chain(args).copied().collect();
    let ran = run(&all);
    assert_eq!(folder.path().read_dir().unwrap().count(), 1, "a file was left behind");
    (std::fs::read_to_string(&path).unwrap(), ran)
}

#[test]
fn safe_fixes_keep_what_was_meant() {
    for (wrong, right) in [
        (
            "version: STSv1\nMode: enforce\nmx: a.example\nmax_age: 604800\n",
            "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 604800\n",
        ),
        ("version: stsv1\nmode: none\nmax_age: 60\n", "version: STSv1\nmode: none\nmax_age: 60\n"),
        ("version: STSv1\nmode: none\nmax-age: 60\n", "version: STSv1\nmode: none\nmax_age: 60\n"),
        ("version: STSv1\nmode: none\nmax_age: 1d\n", "version: STSv1\nmode: none\nmax_age: 86400\n"),
        (
            "version: STSv1\nmode: enforce\nmx: a.example.\nmax_age: 604800\n",
            "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 604800\n",
        ),
        (
            "version: STSv1\nmode: enforce\nmx: a.example, b.example\nmax_age: 604800\n",
            "version: STSv1\nmode: enforce\nmx: a.example\nmx: b.example\nmax_age: 604800\n",
        ),
        (
            "version: STSv1\r\nmode: enforce\r\nmx: a.example, b.example\r\nmax_age: 604800\r\n",
            "version: STSv1\r\nmode: enforce\r\nmx: a.example\r\nmx: b.example\r\nmax_age: 604800\r\n",
        ),
        ("\u{20}version: STSv1 \n\nmode : none\nmax_age: 60", "version: STSv1\nmode: none\nmax_age: 60\n"),
        ("\u{feff}version: STSv1\nmode: none\nmax_age: 60\n", "version: STSv1\nmode: none\nmax_age: 60\n"),
        ("version: STSv1\r\nmode: none\nmax_age: 60\r\n", "version: STSv1\r\nmode: none\r\nmax_age: 60\r\n"),
        ("version=STSv1\nmode=none\nmax_age=60\n", "version: STSv1\nmode: none\nmax_age: 60\n"),
        ("version: STSv1\nmode: none\nmode: none\nmax_age: 60\n", "version: STSv1\nmode: none\nmax_age: 60\n"),
    ] {
        let (text, ran) = fixed(wrong, &["--fix"]);
        assert_eq!(text, right, "{wrong:?}\n{}{}", ran.out, ran.err);
        assert!(ran.out.contains("(fixed)"), "no diff was shown: {}", ran.out);
    }
}

#[test]
fn what_could_mean_another_thing_is_left_to_people() {
    for policy in [
        "version: STSv2\nmode: none\nmax_age: 60\n",
        "version: STSv1\nmode: report\nmx: a.example\nmax_age: 604800\n",
        "version: STSv1\nmode: none\nmode: enforce\nmax_age: 60\n",
        "version: STSv1\nmode: enforce\nmx: mx*.example.com\nmax_age: 604800\n",
        "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 60\n",
        "# ours\nversion: STSv1\nmode: none\nmax_age: 60\n",
        "---\nlayout: null\n---\nversion: STSv1\nmode: none\nmax_age: 60\n",
    ] {
        let (text, ran) = fixed(policy, &["--fix"]);
        assert_eq!(text, policy);
        assert!(ran.err.contains("nothing to fix"), "{}", ran.err);
    }
    let (_, ran) = fixed("# ours\nversion: STSv1\nmode: none\nmax_age: 60\n", &["--fix"]);
    assert!(
        ran.err.contains("--fix=all would also apply fixes that may change the meaning: policy-syntax"),
        "{}",
        ran.err
    );
    let (text, _) = fixed("# ours\nversion: STSv1\nmode: none\nmax_age: 60\n", &["--fix=all"]);
    assert_eq!(text, "version: STSv1\nmode: none\nmax_age: 60\n");
    let (text, _) = fixed("version: STSv1\nmode: report\nmx: a.example\nmax_age: 60\n", &["--fix=all"]);
    // A short life is a valid choice, which no fix changes.
    assert_eq!(text, "version: STSv1\nmode: testing\nmx: a.example\nmax_age: 60\n");
}

#[test]
fn an_mx_host_that_is_not_named_is_added_on_demand() {
    let policy = "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 604800\n";
    let hosts = ["--mx", "a.example", "--mx", "b.example", "--mx", "c.example"];
    assert_eq!(fixed(policy, &[&["--fix"][..], &hosts].concat()).0, policy);
    let (text, ran) = fixed(policy, &[&["--fix=all"][..], &hosts].concat());
    assert_eq!(text, "version: STSv1\nmode: enforce\nmx: a.example\nmx: b.example\nmx: c.example\nmax_age: 604800\n");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn a_diff_writes_nothing() {
    let wrong = "version: stsv1\nmode: none\nmax_age: 60\n";
    let (text, ran) = fixed(wrong, &["--diff"]);
    assert_eq!(text, wrong);
    assert!(ran.out.contains("-version: stsv1\n+version: STSv1\n"), "{}", ran.out);
    let (_, json) = fixed(wrong, &["--fix", "--format", "json"]);
    serde_json::from_str::<serde_json::Value>(&json.out).unwrap();
    assert!(json.err.contains("+version: STSv1"), "{}", json.err);
}

#[test]
fn fixing_needs_one_policy_file() {
    for args in [&["check", "--fix", "--record", "v=STSv1; id=1"][..], &["check", "--fix", "--policy", "-"]] {
        let ran = run(args);
        assert_eq!(ran.code, 2, "{}", ran.err);
    }
}

#[test]
fn a_proposal_has_no_fault_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mta-sts.txt");
    let args = ["init", "--snapshot", "fixtures/no-record/snapshot.yaml", "--policy-file", file.to_str().unwrap()];
    let ran = run(&args);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let record = |name: &str| {
        let line = ran.out.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        line.split('"').nth(1).unwrap().to_owned()
    };
    let (sts, tlsrpt) = (record("_mta-sts."), record("_smtp._tls."));
    let check = ["check", "--snapshot", "fixtures/no-record/snapshot.yaml", "--policy", file.to_str().unwrap()];
    let check =
        [&check[..], &["--record", &sts, "--tlsrpt", &tlsrpt, "--fail-on", "warning", "--format", "concise"]].concat();
    let linted = run(&check);
    assert_eq!(linted.code, 0, "{}", linted.out);
    assert!(std::fs::read_to_string(&file).unwrap().contains("\r\nmode: testing\r\n"));
    // What is there is never overwritten.
    let again = run(&args);
    assert_eq!(again.code, 2, "{}", again.out);
}

#[test]
fn a_proposal_names_what_stands_in_the_way() {
    let ran =
        run(&["init", "--snapshot", "fixtures/mx-self-signed/snapshot.yaml", "--rua", "https://reports.example/v1"]);
    assert!(ran.out.contains("Before mode enforce: mx1.mx-self-signed.example"), "{}", ran.out);
    assert!(ran.out.contains("rua=https://reports.example/v1"), "{}", ran.out);
    let bad = run(&["init", "--snapshot", GOOD, "--rua", "tlsrpt@example.com"]);
    assert_eq!(bad.code, 2);
    assert!(bad.err.contains("not a valid destination for reports"), "{}", bad.err);
}

#[test]
fn changes_are_shown_fact_by_fact() {
    let folder = tempfile::tempdir().unwrap();
    let newer = folder.path().join("newer.yaml");
    let text = std::fs::read_to_string(GOOD).unwrap();
    std::fs::write(&newer, text.replace("mode: enforce", "mode: testing").replace("preference: 20", "preference: 30"))
        .unwrap();
    let ran = run(&["diff", GOOD, newer.to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("policy.mode\n  - \"enforce\"\n  + \"testing\"\n"), "{}", ran.out);
    assert!(ran.out.contains("mx.hosts[mx2.mail.example.com].preference\n  - 20\n  + 30\n"), "{}", ran.out);
    let same = run(&["diff", GOOD, GOOD]);
    assert_eq!((same.code, same.out.as_str()), (0, "no fact differs\n"));
    let other = run(&["diff", GOOD, "fixtures/testing/snapshot.yaml"]);
    assert_eq!(other.code, 2, "{}", other.out);
}

#[test]
fn an_older_observation_shows_what_caches_still_hold() {
    let folder = tempfile::tempdir().unwrap();
    let older = folder.path().join("older.yaml");
    let text = std::fs::read_to_string(GOOD).unwrap();
    std::fs::write(&older, text.replace("*.mail.example.com", "mx9.example.com")).unwrap();
    let ran = run(&["check", "--snapshot", GOOD, "--baseline", older.to_str().unwrap()]);
    assert!(ran.out.contains("error[policy-id-unchanged]"), "{}", ran.out);
    assert!(ran.out.contains("warning[policy-mx-added]"), "{}", ran.out);
    assert!(ran.out.contains("What a sender that still holds the baseline's policy does"), "{}", ran.out);
}

#[test]
fn the_pages_of_the_rules_are_in_step() {
    let kept = Path::new("docs/rules");
    if std::env::var_os("STSLINT_BLESS").is_some() {
        assert_eq!(run(&["rules", "docs", "docs/rules"]).code, 0);
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(&["rules", "docs", folder.path().to_str().unwrap()]).code, 0);
    let names = |folder: &Path| {
        let mut names: Vec<String> =
            folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(kept), names(folder.path()), "run `cargo bless`");
    for name in names(kept) {
        let read = |folder: &Path| std::fs::read_to_string(folder.join(&name)).unwrap();
        assert_eq!(read(kept), read(folder.path()), "{name}: run `cargo bless`");
    }
}
