//! The names that the addresses of MX hosts lead back to: asked for where a user needs them, and facts for own rules.

use std::path::Path;
use std::process::Command;

const GOOD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/good/snapshot.yaml");

const RULES: &str = r#"
group: acme
rules:
  - id: acme-reverse
    title: Each address of an MX host leads back to its name
    severity: warning
    cites: [ACME-NET-1]
    for_each: { host: mx.hosts, address: host.addresses }
    subject: "{host.name} [{address.address}]"
    assert: host.name in address.reverse_names
    at: address
    message: "{address.address} leads back to {join(address.reverse_names, ', ')}"
    tests:
      pass:
        - mx_hosts.0.reverse: [{ address: 93.184.216.41, ptr: { records: [{ name: MX1.example.com }] } }]
          mx_hosts.1.reverse: [{ address: 93.184.216.42, ptr: { records: [{ name: a.example }, { name: mx2.mail.example.com }] } }]
      fail:
        - mx_hosts.0.reverse: [{ address: 93.184.216.41, ptr: { records: [{ name: other.example }] } }]
        - mx_hosts.0.reverse: [{ address: 93.184.216.41, ptr: { outcome: nxdomain } }]
      not_checked:
        - {}
        - mx_hosts.0.reverse: [{ address: 93.184.216.41, ptr: { outcome: timeout } }]
"#;

fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin("stslint"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
fn a_rule_about_reverse_names_is_judged_where_they_were_asked_for_and_never_passes_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("acme.yaml"), RULES).unwrap();
    let (code, said) = run(folder.path(), &["--no-config", "rules", "test", "acme.yaml"]);
    assert_eq!((code, said.as_str()), (0, "1 rule, 5 cases held, 0 did not\n"));
    let select = ["--rules", "acme.yaml", "--select", "acme", "--no-config", "--format", "json"];
    let (_, said) = run(folder.path(), &[&["check", "--snapshot", GOOD][..], &select].concat());
    let report = serde_json::Deserializer::from_str(&said).into_iter::<serde_json::Value>().next().unwrap().unwrap();
    let checks = &report["results"][0]["checks"];
    assert_eq!((&checks[0]["outcome"], checks.as_array().unwrap().len()), (&"not_checked".into(), 2), "{said}");
    let reason = "the names that 93.184.216.41 leads back to were not asked for (`--reverse-names`)";
    assert_eq!(checks[0]["reason"], reason);
}

#[cfg(feature = "lab")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_names_of_addresses_are_collected_where_a_user_asks_for_them() {
    use stslint::lab::{Lab, LabOptions, Record, RecordData, Scenario};
    use stslint::snapshot;
    // The lab's hosts are in 127.0.0.0/8, whatever their numbers are.
    let mut reverse = Scenario::empty("127.in-addr.arpa");
    for (c, d) in (0..=255_u8).flat_map(|c| (1..=4_u8).map(move |d| (c, d))) {
        let name = format!("{d}.{c}.80.127.in-addr.arpa");
        reverse.records.push(Record::new(&name, RecordData::Ptr("mail.one.example".to_owned())));
    }
    let options = LabOptions::empty(std::time::SystemTime::now()).with(Scenario::good("one.example")).with(reverse);
    let lab = Lab::start(options).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("roots.pem"), lab.roots_pem()).unwrap();
    std::fs::write(folder.path().join("anchor"), lab.trust_anchor()).unwrap();
    let collect = async |more: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("stslint").unwrap();
        command.current_dir(folder.path()).args(["collect", "one.example", "-o", "one.yaml", "--no-smtp"]).args(more);
        command.args(["--roots", "roots.pem", "--trust-anchor", "anchor", "--no-config"]);
        command.args(["--resolver", &lab.resolver().to_string()]);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        snapshot::read(&folder.path().join("one.yaml")).next().unwrap().unwrap()
    };
    // No other ports are needed: of HTTPS and SMTP, this test needs nothing.
    let asked = collect(&["--reverse-names"]).await;
    let hosts = asked.mx_hosts.unwrap();
    let names: Vec<&str> = hosts
        .iter()
        .flat_map(|host| host.reverse.iter().flatten())
        .flat_map(|lookup| &lookup.ptr.records)
        .map(|record| record.name.as_str())
        .collect();
    assert!(names.len() == hosts.len() && names.iter().all(|name| *name == "mail.one.example"), "{hosts:?}");
    let steps = asked.timeline.unwrap();
    assert_eq!(steps.iter().filter(|step| step.name.starts_with("PTR ")).count(), hosts.len());
    // Nobody is asked for what nobody needs to know, nor for what is not public where nothing else may be reached.
    let hosts = collect(&[]).await.mx_hosts.unwrap();
    assert!(hosts.iter().all(|host| host.reverse.is_none()));
    let guarded = collect(&["--reverse-names", "--only-public"]).await;
    assert!(guarded.mx_hosts.unwrap().iter().all(|host| host.reverse.as_deref() == Some(&[])));
    assert!(!guarded.timeline.unwrap().iter().any(|step| step.name.starts_with("PTR ")));
}
