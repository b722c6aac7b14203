//! What is nearly right on the command line does what was meant, or names the very command that does.

use std::path::Path;

use assert_cmd::Command;

const POLICY: &str = "version: STSv1\r\nmode: enfroce\r\nmx: mx1.example.com\r\nmax_age: 1209600\r\n";

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn stslint(folder: &Path, args: &[&str]) -> Ran {
    let output = Command::cargo_bin("stslint")
        .unwrap()
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        // What is said is not broken into lines.
        .env("COLUMNS", "500")
        .output()
        .unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// A folder with a list of domains under several names, two policies, a snapshot, rules and a configuration.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    for name in ["domains.txt", "list", "my list.txt", "example.com"] {
        write(name, "example.com\nexample.org\n");
    }
    write("d.csv", "domain,owner\nexample.com,me\n");
    write("a.txt", POLICY);
    write("b.policy", POLICY);
    write("snapshot.yaml", "snapshot: 1\ndomain: example.com\n");
    write("acme.yaml", "group: acme\nabout: x\nrules: []\n");
    write("own.yaml", "extends: strict\n");
    write("tls.json", "{\"report-id\": \"1\", \"policies\": []}");
    folder
}

/// What the diagnostic says, on one line.
fn said(ran: &Ran) -> String {
    ran.err.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

#[test]
fn domains_are_understood_however_they_are_written() {
    let folder = folder();
    let domains = |word: &str| {
        let ran = stslint(folder.path(), &["check", "--no-config", "--offline", "--format", "json", word]);
        let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{word}: {}", ran.err));
        let name = |result: &serde_json::Value| result["domain"].as_str().unwrap().to_owned();
        json["results"].as_array().unwrap().iter().map(name).collect::<Vec<_>>()
    };
    for word in [
        "example.com",
        "\"example.com\"",
        "'example.com'",
        "<example.com>",
        "mailto:me@example.com",
        "example.com,",
        "Me <me@example.com>",
        "\u{201C}example.com\u{201D}",
        "@example.com",
        "example.com.",
        " Example.COM ",
    ] {
        assert_eq!(domains(word), ["example.com"], "{word}");
    }
    for word in [
        "example.com,example.org",
        "example.com, example.org;",
        "example.com\nexample.org",
        "\"example.com example.org\"",
    ] {
        assert_eq!(domains(word), ["example.com", "example.org"], "{word}");
    }
}

#[test]
fn what_is_no_domain_names_the_command() {
    let folder = folder();
    for (word, expected) in [
        ("@domains.txt", "`stslint check - < domains.txt`"),
        ("domains.txt", "`stslint check - < domains.txt`"),
        ("./domains.txt", "`stslint check - < ./domains.txt`"),
        ("my list.txt", "`stslint check - < 'my list.txt'`"),
        ("list", "`stslint check - < list`"),
        ("d.csv", "d.csv"),
        ("@d.csv", "d.csv"),
        ("nothing.txt", "there is no file of that name here"),
        ("a.txt", "`stslint check --policy a.txt`"),
        ("./b.policy", "`stslint check --policy ./b.policy`"),
        ("snapshot.yaml", "`stslint check --snapshot snapshot.yaml`"),
        ("acme.yaml", "`stslint check DOMAIN --rules acme.yaml`"),
        ("own.yaml", "`stslint check DOMAIN --config own.yaml`"),
        ("tls.json", "`stslint reports tls.json`"),
        ("https://example.com/", "`stslint check example.com`"),
        ("https://mta-sts.example.com/.well-known/mta-sts.txt", "`stslint check example.com`"),
        ("_mta-sts.example.com", "`stslint check example.com`"),
        ("_smtp._tls.example.com", "`stslint check example.com`"),
        ("*.example.com", "`stslint check example.com`"),
        ("example.com:443", "`stslint check example.com`"),
        ("example..com", "`stslint check example.com`"),
        ("ex ample.com", "give a mail domain such as example.com"),
        ("192.0.2.1", "is an IP address"),
    ] {
        let ran = stslint(folder.path(), &["check", "--no-config", "--offline", word]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{word}: {}", ran.err);
        assert!(said(&ran).contains(expected), "{word}: {}", ran.err);
    }
    // A file that is called as a domain is does not hide the domain.
    let ran = stslint(folder.path(), &["check", "--no-config", "--offline", "--format", "json", "example.com"]);
    assert!(ran.out.contains("\"domain\": \"example.com\""), "{}", ran.err);
    // What a file holds is never shown.
    for word in ["@list", "list", "./domains.txt"] {
        let ran = stslint(folder.path(), &["check", "--no-config", "--offline", word]);
        assert!(!ran.err.contains("example.org"), "{}", ran.err);
    }
}

#[test]
fn options_that_are_nearly_right_work_or_name_the_right_one() {
    let folder = folder();
    let check =
        |args: &[&str]| stslint(folder.path(), &[&["check", "--no-config", "--policy", "a.txt"], args].concat());
    for args in [&["--output-format", "concise"][..], &["-f", "concise"], &["--format=CONCISE"], &["-fconcise"]] {
        let ran = check(args);
        assert!(ran.out.starts_with("a.txt:2:7: error[policy-mode]"), "{args:?}: {}{}", ran.out, ran.err);
    }
    assert!(check(&["--format", "md"]).out.starts_with("## stslint"));
    for (args, expected) in [
        (&["--json"][..], "--format json"),
        (&["--sarif=x"], "--output sarif=FILE"),
        (&["--domains", "domains.txt"], "stslint check - < FILE"),
        (&["--file", "domains.txt"], "stslint check - < FILE"),
        (&["--no-color"], "--color never"),
        (&["--dns-server", "192.0.2.1"], "--resolver ADDRESS"),
        (&["--severity", "error"], "--min-severity error"),
        (&["-o", "json"], "--format json"),
        (&["-o", "-"], "--format FORMAT"),
        (&["-o", "report.pdf"], "json=report.pdf"),
        (&["-o", "sarfi=x"], "did you mean `sarif`?"),
    ] {
        let ran = check(args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(said(&ran).contains(expected), "{args:?}: {}", ran.err);
        assert!(!ran.err.contains("a similar argument exists: '--fail-on'"), "{args:?}: {}", ran.err);
    }
}

#[test]
fn the_ending_of_a_file_says_its_format() {
    let folder = folder();
    for (name, begins) in [
        ("out.sarif", "{\n  \"$schema\""),
        ("out.sarif.json", "{\n  \"$schema\""),
        ("out.json", "{\n  \"schema\""),
        ("out.jsonl", "{\"schema\""),
        ("out.html", "<!doctype html>"),
        ("out.md", "## stslint"),
        ("out.prom", "# HELP"),
        ("out.XML", "<?xml"),
        ("out.txt", "a.txt"),
        ("junit=out.out", "<?xml"),
        ("md=out.comment", "## stslint"),
    ] {
        let ran = stslint(folder.path(), &["check", "--no-config", "--policy", "a.txt", "-q", "-o", name]);
        assert_eq!(ran.code, 1, "{name}: {}", ran.err);
        let file = name.split('=').next_back().unwrap();
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap().trim_start().to_owned();
        let begins_so = text.to_lowercase().starts_with(&begins.to_lowercase());
        assert!(begins_so || (name == "out.txt" && text.contains("a.txt:2:7")), "{name}: {text}");
    }
}

#[test]
fn several_policies_of_any_name_are_each_linted() {
    let folder = folder();
    let args = ["check", "--no-config", "--format", "concise", "--policy", "a.txt", "--policy", "b.policy"];
    let ran = stslint(folder.path(), &args);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("a.txt:2:7: error") && ran.out.contains("b.policy:2:7: error"), "{}", ran.out);
    // Texts that are given beside them count for each.
    let ran = stslint(folder.path(), &[&args[..], &["--record", "v=STSv2; id=1;"]].concat());
    assert_eq!(ran.out.matches("[record-").count(), 2, "{}", ran.out);
    for more in
        [&["example.com"][..], &["--snapshot", "snapshot.yaml"], &["--fix"], &["--held", "a.txt", "example.com"]]
    {
        let ran = stslint(folder.path(), &[&args[..], more].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{more:?}: {}", ran.err);
    }
}

#[test]
fn a_configuration_above_the_folder_is_named_once() {
    let folder = folder();
    std::fs::write(folder.path().join("stslint.yaml"), "extends: strict\n").unwrap();
    let below = folder.path().join("sites/a");
    std::fs::create_dir_all(&below).unwrap();
    let args = ["check", "--offline", "--policy", "../../a.txt"];
    let ran = stslint(&below, &args);
    assert_eq!(ran.err.matches("using the configuration").count(), 1, "{}", ran.err);
    assert!(ran.err.contains("/stslint.yaml; --no-config uses none"), "{}", ran.err);
    for (place, more) in
        [(below.as_path(), "--quiet"), (&below, "--no-config"), (&below, "--config=../../stslint.yaml")]
    {
        let ran = stslint(place, &[&args[..], &[more]].concat());
        assert!(!ran.err.contains("using the configuration"), "{more}: {}", ran.err);
    }
    let ran = stslint(folder.path(), &["check", "--offline", "--policy", "a.txt"]);
    assert!(!ran.err.contains("using the configuration"), "{}", ran.err);
}

#[test]
fn every_place_in_a_file_names_the_file() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("sites")).unwrap();
    let policy = "version: STSv1\nmode: enfroce\nmx: mx.exampel.com\nmax_age: 1\nmax_age: 2\n";
    std::fs::write(folder.path().join("sites/p.txt"), policy).unwrap();
    for args in [
        &["check", "--no-config", "--policy", "sites/p.txt", "--mx", "mx.example.com"][..],
        &["check", "--no-config", "--offline", "--policy", "sites/p.txt", "--mx", "mx.example.com", "example.com"],
    ] {
        let ran = stslint(folder.path(), args);
        assert!(ran.out.contains("[sites/p.txt:2:7]"), "{}", ran.out);
        assert!(!ran.out.contains("[policy:"), "{}", ran.out);
        let concise = stslint(folder.path(), &[args, &["--format", "concise"]].concat()).out;
        assert!(concise.starts_with("sites/p.txt:2:7: "), "{concise}");
    }
}
