//! What senders do, as reports show it.

use serde_json::{Value, json};

#[test]
fn what_a_bogus_zone_means_is_in_the_report() {
    let mut bogus = serde_json::to_value(stslint::read("fixtures/good/snapshot.yaml").unwrap()).unwrap();
    bogus["mx"]["dnssec"] = json!("bogus");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bogus.json");
    std::fs::write(&file, serde_json::to_string(&bogus).unwrap()).unwrap();
    let shown = |format: &str| {
        let mut command = assert_cmd::Command::cargo_bin("stslint").unwrap();
        let output =
            command.args(["--no-config", "check", "--format", format, "--snapshot"]).arg(&file).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let human = shown("human");
    assert!(human.contains("What a sender does with a resolver that validates DNSSEC (RFC 8461 §5)"), "{human}");
    assert!(
        human.contains("What a sender does with a resolver that does not validate DNSSEC (RFC 8461 §5)"),
        "{human}"
    );
    assert!(human.contains("mail: waits"), "{human}");
    assert!(shown("html").contains("A sender with a resolver that validates DNSSEC that holds no policy yet"));
    let json: Value = serde_json::from_str(&shown("json")).unwrap();
    assert!(json.to_string().contains(r#""resolver":"not_validating""#), "{json}");
}
