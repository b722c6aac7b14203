//! Values that rules can have: closed sets of words, ranges of params, the way along aliases, and what is worked out.

use std::path::{Path, PathBuf};
use std::process::Command;

fn said(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), said.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" "))
}

fn good() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/good/snapshot.yaml")
}

fn value(expression: &str, changes: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let text =
        changes.iter().fold(std::fs::read_to_string(good()).unwrap(), |text, (from, to)| text.replacen(from, to, 1));
    std::fs::write(folder.path().join("s.yaml"), text).unwrap();
    said(folder.path(), &["eval", expression, "--snapshot", "s.yaml"]).1
}

#[test]
fn a_word_that_a_fact_never_is_is_refused_with_the_nearest() {
    for (expression, help) in [
        ("policy.mode == \"enforcing\"", "did you mean \"enforce\"?"),
        ("mx.dnssec != \"Secure\"", "did you mean \"secure\"?"),
        ("mx.hosts.all(h, h.addresses.all(a, a.family == \"ipv6\"))", "did you mean \"IPv6\"?"),
        ("\"Timeout\" in mx.hosts.map(h, h.tlsa_outcome)", "did you mean \"timeout\"?"),
        ("policy_host.probes.exists(p, p.tls.trust in [\"trusted\", \"selfsigned\"])", "did you mean \"self_signed\"?"),
        ("mx.hosts.all(h, h.near_miss == null || h.near_miss.kind != \"typos\")", "did you mean \"typo\"?"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (code, printed) = said(folder.path(), &["eval", expression, "--snapshot", good().to_str().unwrap()]);
        assert_eq!(code, 2, "{printed}");
        assert!(printed.contains(help) && printed.contains("never"), "{expression}: {printed}");
    }
}

const RULE: &str = "group: acme\nrules:\n  - id: acme-mode\n    title: T\n    severity: error\n    cites: [X]\n    \
    params: { modes: [enforce], days: 7 }\n    ranges: { days: { at_least: 1, at_most: 30 } }\n    \
    when: policy.mode != null && params.days > 0\n    assert: policy.mode in params.modes\n    message: m\n    \
    tests: { pass: [{}], fail: [{ policy.body: \"version: STSv1\\nmode: none\\nmax_age: 60\\n\" }] }\n";

#[test]
fn a_configuration_sets_params_within_their_range_and_to_words_that_can_be() {
    for (set, code, told) in [
        ("days: 30", 0, ""),
        ("days: 31", 2, "`days` is 31, and may be from 1 to 30"),
        ("days: -5", 2, "`days` is -5, and may be from 1 to 30"),
        ("modes: [enforce, testing]", 0, ""),
        ("modes: [enforce, test]", 2, "`policy.mode` is never \"test\""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("r.yaml"), RULE).unwrap();
        let config = format!("include: [r.yaml]\nrules:\n  acme-mode: {{ params: {{ {set} }} }}\n");
        std::fs::write(folder.path().join("stslint.yaml"), config).unwrap();
        let good = good();
        let arguments = ["check", "--snapshot", good.to_str().unwrap(), "--select", "acme", "-q"];
        let (ended, printed) = said(folder.path(), &arguments);
        assert_eq!(ended, code, "{set}: {printed}");
        assert!(printed.contains(told), "{set}: {printed}");
    }
}

#[test]
fn a_built_in_param_has_a_range_too() {
    let folder = tempfile::tempdir().unwrap();
    let config = "rules:\n  policy-max-age-short: { params: { minimum: -5 } }\n";
    std::fs::write(folder.path().join("stslint.yaml"), config).unwrap();
    let (code, printed) = said(folder.path(), &["check", "--snapshot", good().to_str().unwrap()]);
    assert_eq!(code, 2, "{printed}");
    assert!(printed.contains("`minimum` is -5, and may be from 0 to 31557600"), "{printed}");
    assert!(printed.contains("[stslint.yaml:2:46]"), "{printed}");
}

#[test]
fn an_alias_is_the_first_hop_everywhere() {
    let chain = "aliases: [{ name: a.example, target: b.example }, { name: b.example, target: c.example }]";
    let of_record =
        ("record: { name: _mta-sts.example.com,", &*format!("record: {{ name: _mta-sts.example.com, {chain},"));
    for fact in ["record.alias", "record.aliases[0]"] {
        assert_eq!(value(fact, &[of_record]), "\"b.example\"", "{fact}");
    }
    assert_eq!(value("record.canonical", &[of_record]), "\"c.example\"");
    assert_eq!(value("record.canonical == null && size(record.aliases) == 0", &[]), "true");
    assert_eq!(value("mx.hosts.all(h, h.alias == null && h.canonical == null)", &[]), "true");
}

#[test]
fn certificates_and_answers_say_what_pins_and_limits_need() {
    let of = "policy_host.probes[0].tls.certificate";
    assert_eq!(value(&format!("{of} != null && {of}.serial == \"04a1b2c3\""), &[]), "true");
    assert_eq!(value(&format!("{of} != null && {of}.curve == \"P-256\" && size({of}.spki_sha256) == 64"), &[]), "true");
    assert_eq!(value("questions.all(q, q.ttl == null || q.ttl <= 3600)", &[]), "true");
    assert_eq!(value("policy_host.probes.all(p, p.headers.exists(h, h.name == \"content-type\"))", &[]), "true");
}

#[test]
fn a_text_that_a_fact_is_never_written_as_is_refused_as_it_would_be() {
    for (expression, told, help) in [
        (
            "policy_host.probes.all(p, p.headers.exists(h, h.name == \"Strict-Transport-Security\"))",
            "never",
            "\"strict-transport-security\"",
        ),
        ("mx.hosts.all(h, h.name != \"MX1.example.com.\")", "never", "\"mx1.example.com\""),
        ("mx.hosts.exists(h, h.name == \"bücher.example\")", "never", "\"xn--bcher-kva.example\""),
        ("mx.hosts.all(h, h.name.endsWith(\".Example.com\"))", "never ends in", "in lower case"),
        ("mx.hosts.exists(h, registrable(h.name) == \"Example.com\")", "never", "\"example.com\""),
        (
            "mx.hosts.exists(h, h.probes.exists(p, p.ehlo != null && \"starttls\" in p.ehlo.keywords))",
            "never",
            "\"STARTTLS\"",
        ),
        ("mx.provider == \"Gogle\"", "never", "\"Google\""),
        ("policy_host.provider == \"Github\"", "never", "\"GitHub Pages\""),
        ("policy.markup == \"html\"", "never", "\"HTML\""),
        (
            "policy_host.probes.all(p, p.tls.certificate == null || p.tls.certificate.key_algorithm in [\"ECDSA\"])",
            "never",
            "\"EC\"",
        ),
        (
            "policy_host.probes.all(p, p.tls.certificate == null || p.tls.certificate.curve == \"P256\")",
            "never",
            "\"P-256\"",
        ),
        (
            "policy_host.probes.all(p, p.tls.certificate == null || p.tls.certificate.sha256 == \"AB:CD\")",
            "never",
            "\"abcd\"",
        ),
        (
            "policy_host.probes.all(p, p.tls.certificate == null || p.tls.certificate.not_after > \"31.12.2027\")",
            "cannot be compared",
            "2027-01-31T",
        ),
        ("tlsrpt.rua.all(r, r.scheme == \"MAILTO\")", "never", "\"mailto\""),
        ("policy.mode != null && policy.mode.startsWith(\"Enf\")", "never begins with", "enforce"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (code, printed) = said(folder.path(), &["eval", expression, "--snapshot", good().to_str().unwrap()]);
        let flat = printed.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(code, 2, "{expression}: {printed}");
        assert!(flat.contains(told) && flat.contains(help), "{expression}: {printed}");
    }
}

#[test]
fn what_comes_from_outside_can_be_anything_and_a_near_miss_is_a_warning() {
    for (expression, warned) in [
        ("mx.hosts.all(h, h.probes.all(p, p.tls.cipher == 'TLS_AES_256_GCM_SHA384'))", true),
        ("mx.hosts.all(h, h.probes.all(p, p.tls.cipher != 'TLS_RSA_WITH_3DES_EDE_CBC_SHA'))", false),
        ("tlsrpt.rua.all(r, r.scheme != 'tel')", false),
        ("tlsrpt.rua.all(r, r.scheme == 'mailt')", true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let rule = format!(
            "group: acme\nrules:\n  - {{ id: acme-a, title: T, severity: error, cites: [X], assert: \"{expression}\", message: m }}\n"
        );
        std::fs::write(folder.path().join("r.yaml"), rule).unwrap();
        let (code, printed) = said(folder.path(), &["--no-config", "rules", "test", "--allow-untested", "r.yaml"]);
        assert_eq!(code, 0, "{expression}: {printed}");
        assert_eq!(printed.contains("is never (most likely)"), warned, "{expression}: {printed}");
    }
}

#[test]
fn a_reason_that_is_never_shown_is_a_warning() {
    let run = |condition: &str| {
        let folder = tempfile::tempdir().unwrap();
        let rule = format!(
            "group: acme\nrules:\n  - {{ id: acme-a, title: T, severity: error, cites: [X], {condition} otherwise: no policy, assert: policy.usable, message: m }}\n"
        );
        std::fs::write(folder.path().join("r.yaml"), rule).unwrap();
        said(folder.path(), &["--no-config", "rules", "test", "--allow-untested", "r.yaml"])
    };
    let (code, printed) = run("");
    assert!(code == 0 && printed.contains("`otherwise` of the rule `acme-a` is never shown"), "{printed}");
    let (code, printed) = run("when: mx.receives_mail,");
    assert!(code == 0 && !printed.contains("otherwise"), "{printed}");
}
