//! One fault, one finding, and the advice that fits who runs the host: the good domain with one thing changed, through the
//! binary.

use std::path::Path;

use assert_cmd::Command;
use serde_json::{Value, json};

/// A finding: the rule, and its message, help and the places' texts in one.
type Finding = (String, String);

/// The good domain with these changes, each a JSON pointer and what is there instead.
fn changed(changes: &[(&str, Value)]) -> Value {
    let snapshot = stslint::snapshot::read(Path::new("fixtures/good/snapshot.yaml")).next().unwrap().unwrap();
    let mut tree = serde_json::to_value(snapshot).unwrap();
    for (pointer, value) in changes {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        match tree.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}")) {
            Value::Array(list) if field == "-" => list.push(value.clone()),
            Value::Array(list) => list[field.parse::<usize>().unwrap()] = value.clone(),
            map => map[field] = value.clone(),
        }
    }
    tree
}

/// The errors, warnings and notes about a snapshot.
fn findings(tree: &Value) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("snapshot.json");
    std::fs::write(&file, tree.to_string()).unwrap();
    let mut command = Command::cargo_bin("stslint").unwrap();
    command.args(["--no-config", "check", "--format", "json", "--snapshot"]).arg(&file);
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let checks = report.pointer("/results/0/checks").unwrap().as_array().unwrap();
    let exhibits = report.pointer("/results/0/exhibits").unwrap();
    let failed = checks.iter().filter(|check| check["outcome"] == "fail");
    failed
        .map(|check| {
            let shown = |location: &Value| {
                let text = exhibits[location["exhibit"].as_str()?].as_str()?;
                let offset = usize::try_from(location["offset"].as_u64()?).ok()?;
                text.get(offset..offset + usize::try_from(location["length"].as_u64()?).ok()?).map(str::to_owned)
            };
            let place = shown(&check["location"]).unwrap_or_default();
            let text = |field: &str| check[field].as_str().unwrap_or_default().to_owned();
            (text("rule"), format!("{} | {} | {place}", text("message"), text("help")))
        })
        .collect()
}

/// That a domain with these changes has exactly these findings, each with these words.
fn assert_told(changes: &[(&str, Value)], expected: &[(&str, &[&str])]) {
    let found = findings(&changed(changes));
    let rules: Vec<&str> = found.iter().map(|(rule, _)| rule.as_str()).collect();
    let wanted: Vec<&str> = expected.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(rules, wanted, "{found:#?}");
    for ((_, text), (_, words)) in found.iter().zip(expected) {
        for word in *words {
            assert!(text.contains(word), "{word:?} is missing: {text}");
        }
    }
}

fn certificate(name: &str) -> Value {
    json!({ "subject": format!("CN={name}"), "issuer": "CN=Authority", "dns_ids": [name], "key_algorithm": "EC", "key_bits": 256,
        "signature_algorithm": "ecdsa-with-SHA256", "not_before": "2026-10-10T00:00:00Z", "not_after": "2027-01-08T00:00:00Z" })
}

/// An answer of the policy host from a web server that does not know its name.
fn unknown_name(status: u64, location: Option<&str>) -> Value {
    let mut headers = vec![json!({ "name": "content-type", "value": "text/html" })];
    headers.extend(location.map(|value| json!({ "name": "location", "value": value })));
    json!({ "address": "2606:2800:220:1::34", "connected": true, "elapsed_ms": 20,
        "tls": { "handshake": true, "version": "TLSv1.3", "chain": [certificate("www.host.example")], "trust": { "verdict": "trusted" } },
        "response": { "status": status, "headers": headers, "body_length": 6, "body": "<html>" } })
}

fn at_both(answer: &Value) -> Vec<(&'static str, Value)> {
    let mut other = answer.clone();
    other["address"] = "93.184.216.34".into();
    vec![("/policy", Value::Null), ("/policy_host/probes/0", other), ("/policy_host/probes/1", answer.clone())]
}

fn alias(target: &str) -> Value {
    json!([{ "name": "mta-sts.example.com", "target": target, "ttl": 3600 }])
}

#[test]
fn a_web_server_that_does_not_know_the_name_is_one_fault() {
    for (status, location) in [(404, None), (421, None), (403, None), (301, Some("https://www.host.example/"))] {
        let changes = at_both(&unknown_name(status, location));
        let says = format!("has no site for mta-sts.example.com: it answers with status {status}");
        let words = [says.as_str(), "names www.host.example: senders get no policy", "Configure a site"];
        assert_told(&changes, &[("host-cert-name", &words)]);
    }
    // A start page under status 200 is the same fault.
    let changes = at_both(&unknown_name(200, None));
    assert_told(&changes, &[("host-cert-name", &["it names www.host.example"])]);
}

#[test]
fn the_advice_knows_who_runs_the_policy_host() {
    for (target, words) in [
        ("someuser.github.io", ["Enter mta-sts.example.com as a custom domain at GitHub Pages", "gets a certificate"]),
        ("example_com_mta_sts.easydmarc.pro", ["Ask EasyDMARC", "whether your domain is set up there"]),
        ("mta-sts.provider.example.net", ["Ask whoever runs mta-sts.provider.example.net", "as a custom domain"]),
    ] {
        let mut changes = at_both(&unknown_name(404, None));
        changes.push(("/policy_host/ipv4/aliases", alias(target)));
        changes.push(("/policy_host/ipv6/aliases", alias(target)));
        let found = findings(&changed(&changes));
        let finding = found.iter().find(|(rule, _)| rule == "host-cert-name").unwrap();
        assert!(words.iter().all(|word| finding.1.contains(word)), "{finding:?}");
        assert!(
            !finding.1.contains("Get a certificate"),
            "nobody needs one for a host that is not theirs: {finding:?}"
        );
    }
}

#[test]
fn a_record_that_is_delegated_alone_is_told_so() {
    let record = json!([{ "name": "_mta-sts.example.com", "target": "_mta-sts.provider.example.net", "ttl": 3600 }]);
    let words: &[&str] = &["the CNAME at _mta-sts delegates only the id", "Publish another CNAME"];
    let lower =
        |found: &[Finding]| found.iter().map(|(rule, text)| (rule.clone(), text.to_lowercase())).collect::<Vec<_>>();
    let mut missing = unknown_name(404, None);
    missing["tls"]["chain"][0] = certificate("mta-sts.example.com");
    let gone = json!({ "outcome": "nxdomain", "records": [] });
    let cases = [
        ("host-status", at_both(&missing)),
        ("host-cert-name", at_both(&unknown_name(404, None))),
        (
            "host-resolves",
            vec![
                ("/policy", Value::Null),
                ("/policy_host/probes", Value::Null),
                ("/policy_host/ipv4", gone.clone()),
                ("/policy_host/ipv6", gone),
            ],
        ),
    ];
    for (rule, mut changes) in cases {
        changes.push(("/record/aliases", record.clone()));
        let found = lower(&findings(&changed(&changes)));
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].0, rule);
        assert!(words.iter().all(|word| found[0].1.contains(&word.to_lowercase())), "{found:?}");
    }
}

#[test]
fn a_fault_reaches_as_far_as_it_does() {
    assert_told(
        &[("/policy_host/probes/1", unknown_name(404, None))],
        &[("host-cert-name", &["senders that connect over IPv6 get no policy"])],
    );
    let expired = json!("2026-11-01T00:00:00Z");
    assert_told(
        &[("/policy_host/probes/0/tls/chain/0/not_after", expired.clone())],
        &[("host-cert-valid-now", &["senders that connect over IPv4 get no policy"])],
    );
    let second = |address: &str, family: &'static str| {
        let mut probe = changed(&[]).pointer("/mx_hosts/0/probes/0").unwrap().clone();
        probe["address"] = address.into();
        probe["tls"]["chain"][0]["not_after"] = expired.clone();
        let lookup =
            json!({ "outcome": "answer", "ttl": 3600, "dnssec": "secure", "records": [{ "address": address }] });
        vec![(family, lookup), ("/mx_hosts/0/probes/-", probe)]
    };
    assert_told(
        &second("2606:2800:220:1::41", "/mx_hosts/0/ipv6"),
        &[("smtp-cert-valid-now", &["do not deliver to this host over IPv6", "2027-01-08T00:00:00Z"][..1])],
    );
    let mut changes = second("93.184.216.49", "/mx_hosts/0/ipv4");
    changes[0].1["records"] = json!([{ "address": "93.184.216.41" }, { "address": "93.184.216.49" }]);
    assert_told(&changes, &[("smtp-cert-valid-now", &["do not deliver at this address"])]);
    let media = json!([{ "name": "content-type", "value": "text/html" }]);
    assert_told(
        &[("/policy_host/probes/1/response/headers", media)],
        &[("host-media-type", &["senders that check the media type reject it"])],
    );
}

#[test]
fn findings_point_at_the_text_that_is_wrong() {
    let address = "/mx_hosts/0/ipv4/records/0/address";
    let found = findings(&changed(&[(address, "10.0.0.1".into()), ("/mx_hosts/0/probes", json!([]))]));
    let finding = found.iter().find(|(rule, _)| rule == "mx-public-address").unwrap();
    assert!(finding.1.ends_with("| mx1.example.com. 3600 IN A 10.0.0.1"), "{finding:?}");
    let aliases = json!([{ "name": "mx1.example.com", "target": "lb.example.net", "ttl": 60 }]);
    assert_told(
        &[("/mx_hosts/0/ipv4/aliases", aliases.clone()), ("/mx_hosts/0/ipv6/aliases", aliases)],
        &[(
            "mx-not-alias",
            &["must name mx1.example.com, not lb.example.net", "| mx1.example.com. 60 IN CNAME lb.example.net."],
        )],
    );
    assert_told(
        &[("/mx_hosts/0/probes/0/after_starttls", "250 injected\r\n".into())],
        &[("smtp-starttls-pipelining", &["250 injected", "| < 250 injected (in the clear, before the handshake)"])],
    );
    assert_told(
        &[("/mx_hosts/0/probes/0/tls/chain/0/extended_key_usage", json!(["clientAuth"]))],
        &[("smtp-cert-purpose", &["| purposes: clientAuth"])],
    );
    let tlsa = json!({ "outcome": "answer", "dnssec": "secure", "records": [{ "usage": 3, "selector": 1, "matching": 1,
        "association": "0a9d85ec43d00d9c51e196d1e7b77769bcd6337968c1e7dcbbaab7da75a934b7" }] });
    assert_told(
        &[("/mx_hosts/0/tlsa", tlsa)],
        &[("dane-complete", &["mx1.example.com has some", "| _25._tcp.mx2.mail.example.com. IN TLSA ; "])],
    );
}

#[test]
fn a_masked_keyword_is_the_proof() {
    let masked = json!({ "code": 250, "lines": ["mx1.example.com", "SIZE 52428800", "XXXXXXXA"] });
    assert_told(
        &[
            ("/mx_hosts/0/probes/0/ehlo", masked),
            ("/mx_hosts/0/probes/0/starttls", Value::Null),
            ("/mx_hosts/0/probes/0/tls", Value::Null),
            ("/mx_hosts/0/probes/0/ehlo_after_tls", Value::Null),
            ("/mx_hosts/0/probes/0/without_sni", Value::Null),
        ],
        &[(
            "smtp-starttls-offered",
            &["a device on the path replaced it with `XXXXXXXA`", "inspect esmtp", "| XXXXXXXA"],
        )],
    );
}

#[test]
fn faults_of_a_chain_are_told_apart() {
    let (first, second) = (
        json!({ "subject": "CN=First", "issuer": "CN=Root" }),
        json!({ "subject": "CN=Second", "issuer": "CN=First" }),
    );
    let mut leaf = changed(&[]).pointer("/mx_hosts/0/probes/0/tls/chain/0").unwrap().clone();
    leaf["issuer"] = "CN=Second".into();
    let chain = "/mx_hosts/0/probes/0/tls/chain";
    let foreign = json!({ "subject": "CN=Stray", "issuer": "CN=Elsewhere" });
    for (certificates, words) in [
        (
            json!([leaf, first, second]),
            "the server sends its certificates out of order (CN=mx1.example.com; CN=First; CN=Second)",
        ),
        (json!([leaf, leaf, second, first]), "the server sends a certificate more than once: CN=mx1.example.com"),
        (json!([leaf, second, first, foreign]), "sends a certificate that is not part of the chain: CN=Stray"),
    ] {
        let found = findings(&changed(&[(chain, certificates)]));
        let finding = found.iter().find(|(rule, _)| rule == "smtp-cert-chain").unwrap();
        assert!(finding.1.contains(words), "{finding:?}");
    }
    let found = findings(&changed(&[
        (chain, json!([leaf, first])),
        ("/mx_hosts/0/probes/0/tls/trust", json!({ "verdict": "missing_intermediate" })),
    ]));
    let finding = found.iter().find(|(rule, _)| rule == "smtp-cert-trusted").unwrap();
    assert!(finding.1.contains("does not send the certificate of CN=Second, which issued"), "{finding:?}");
}

#[test]
fn names_as_dns_panels_make_them_are_recognised() {
    let nothing = json!({ "name": "_mta-sts.example.com", "outcome": "nxdomain", "records": [] });
    let at = |name: &str, text: &str| json!({ "name": name, "outcome": "answer", "records": [{ "strings": [text] }] });
    for (name, words) in [
        ("_mta-sts.example.com.example.com", ["the zone name is repeated", "enter only `_mta-sts`"]),
        ("mta-sts.example.com", ["with one underscore and one hyphen", "Move this record to _mta-sts.example.com"]),
        ("_mta-sts.www.example.com", ["not to www", "Move this record to _mta-sts.example.com"]),
    ] {
        let found = findings(&changed(&[("/record", nothing.clone()), ("/misplaced/-", at(name, "v=STSv1; id=1"))]));
        assert_eq!(found[0].0, "record-misplaced", "{found:?}");
        assert!(words.iter().all(|word| found[0].1.contains(word)), "{found:?}");
        assert!(!found.iter().any(|(rule, _)| rule == "record-published"), "{found:?}");
    }
    let found = findings(&changed(&[
        ("/tlsrpt", json!({ "outcome": "nxdomain", "records": [] })),
        ("/misplaced/-", at("_smtp._tls.example.com.example.com", "v=TLSRPTv1; rua=mailto:a@example.com")),
    ]));
    assert!(
        found.iter().any(|(rule, text)| rule == "tlsrpt-misplaced" && text.contains("the zone name is repeated")),
        "{found:?}"
    );
    // The policy host, published as `mta-sts.example.com` in a panel that appends the zone.
    let gone = json!({ "outcome": "nxdomain", "records": [] });
    let mut changes = vec![
        ("/policy", Value::Null),
        ("/policy_host/probes", Value::Null),
        ("/policy_host/ipv4", gone.clone()),
        ("/policy_host/ipv6", gone),
        ("/misplaced/6/outcome", "nxdomain".into()),
    ];
    changes.push((
        "/misplaced/-",
        json!({ "name": "mta-sts.example.com.example.com", "outcome": "nodata", "records": [] }),
    ));
    assert_told(&changes, &[("host-resolves", &["mta-sts.example.com.example.com has", "appends the zone"])]);
    // A CNAME where a TXT record was meant.
    let cname = json!([{ "name": "_mta-sts.example.com", "target": "mta-sts.example.com", "ttl": 60 }]);
    let record = json!({ "name": "_mta-sts.example.com", "outcome": "nodata", "aliases": cname, "records": [] });
    let found = findings(&changed(&[("/record", record)]));
    assert!(found[0].0 == "record-alias-dangling" && found[0].1.contains("Replace it with a TXT record"), "{found:?}");
}

#[test]
fn a_wildcard_is_told_once() {
    let text = json!([{ "strings": ["v=STSv1; id=20261123T100000;"] }]);
    let mut changes: Vec<(String, Value)> = Vec::new();
    for index in 1..8 {
        changes.push((format!("/misplaced/{index}/outcome"), "answer".into()));
        changes.push((format!("/misplaced/{index}/records"), text.clone()));
    }
    let changes: Vec<(&str, Value)> =
        changes.iter().map(|(pointer, value)| (pointer.as_str(), value.clone())).collect();
    // Some of the names may be there for another reason.
    assert_told(&changes[..6], &[("record-wildcard", &["at every name below the domain"])]);
    assert_told(&changes, &[("record-wildcard", &["a wildcard TXT record answers `v=STSv1; id=20261123T100000;`"])]);
}

#[test]
fn a_certificate_is_compared_with_the_name_of_its_own_host() {
    let mut other = unknown_name(200, None);
    other["tls"]["chain"][0] = certificate("example.com");
    assert_told(
        &[("/policy_host/probes/1", other)],
        &[("host-cert-name", &["`example.com` is the mail domain, not the name of the policy host", "over IPv6"])],
    );
}

#[test]
fn placeholders_are_called_that() {
    let record = |text: &str| json!({ "outcome": "answer", "records": [{ "strings": [text] }], "dnssec": "secure", "ttl": 3600 });
    for id in ["UNIX_TIMESTAMP", "<id>", "{{ timestamp }}", "$(date +%s)"] {
        assert_told(
            &[("/record", record(&format!("v=STSv1; id={id};")))],
            &[("record-id-format", &["is a placeholder that nobody filled in", "id=20261123100000"])],
        );
    }
    assert_told(
        &[("/record", record("v=STSv1; id=YYYYMMDDHHMMSS;"))],
        &[("record-id-placeholder", &["`YYYYMMDDHHMMSS` is a placeholder", "id=20261123100000"])],
    );
    let policy = |mx: &str| format!("version: STSv1\r\nmode: enforce\r\nmx: {mx}\r\nmax_age: 1209600\r\n").into();
    let hosts: &[&str] =
        &["is a placeholder that nobody filled in", "`mx: mx1.example.com`, `mx: mx2.mail.example.com`"];
    assert_told(&[("/policy/body", policy("mail.yourdomain.com"))], &[("policy-mx-placeholder", hosts)]);
    assert_told(&[("/policy/body", policy("<your MX host>"))], &[("policy-mx-syntax", hosts)]);
    assert_told(
        &[("/tlsrpt", record("v=TLSRPTv1; rua=mailto:tls@yourdomain.com"))],
        &[("tlsrpt-rua-placeholder", &["you get no reports", "mailto:tlsrpt@example.com"])],
    );
}

#[test]
fn an_answer_that_a_cache_may_hold_names_the_way_past_it() {
    let found = findings(&changed(&[("/record", json!({ "outcome": "nxdomain", "records": [] }))]));
    assert!(found[0].0 == "record-published" && found[0].1.contains("--authoritative"), "{found:?}");
}

#[test]
fn a_certificate_that_the_server_came_with_is_one_fault() {
    let mut certificate = certificate("localhost.localdomain");
    certificate["issuer"] = certificate["subject"].clone();
    assert_told(
        &[
            ("/mx_hosts/0/probes/0/tls/chain", json!([certificate])),
            ("/mx_hosts/0/probes/0/tls/trust", json!({ "verdict": "self_signed" })),
        ],
        &[("smtp-cert-name", &["it names localhost.localdomain", "self-signed, probably the default of the server"])],
    );
}

#[test]
fn what_another_runs_is_for_another_to_do() {
    let mx = json!({ "outcome": "answer", "ttl": 3600, "dnssec": "secure", "records": [{ "preference": 10, "exchange": "mx.provider.example" }] });
    let mut host = changed(&[]).pointer("/mx_hosts/0").unwrap().clone();
    host["exchange"] = "mx.provider.example".into();
    host["probes"][0]["tls"]["chain"][0]["dns_ids"] = json!(["mx.provider.example"]);
    host["probes"][0]["tls"]["chain"][0]["not_after"] = "2026-11-01T00:00:00Z".into();
    let policy = "version: STSv1\r\nmode: enforce\r\nmx: mx.provider.example\r\nmax_age: 1209600\r\n";
    assert_told(
        &[("/mx", mx), ("/mx_hosts", json!([host])), ("/policy/body", policy.into())],
        &[("smtp-cert-valid-now", &["For whoever runs provider.example to fix: Renew the certificate"])],
    );
}

#[test]
fn addresses_that_differ_point_at_the_second() {
    let different = json!({ "status": 200, "headers": [{ "name": "content-type", "value": "text/plain" }], "body_length": 15,
        "body_sha256": "00", "body": "version: STSv1\n" });
    assert_told(
        &[("/policy_host/probes/1/response", different)],
        &[("host-consistent", &["they serve different policies", "| ; 2606:2800:220:1::34"])],
    );
}

#[test]
fn a_good_domain_has_nothing_to_hear() {
    assert_told(&[], &[]);
    // A site of a static host, which serves what its owner wrote.
    let target = alias("someuser.github.io");
    assert_told(&[("/policy_host/ipv4/aliases", target.clone()), ("/policy_host/ipv6/aliases", target)], &[]);
}

#[test]
fn a_domain_that_has_never_heard_of_mta_sts_has_nothing_broken() {
    let none = |name: &str| json!({ "name": name, "outcome": "nxdomain" });
    let changes = [
        ("/record", none("_mta-sts.example.com")),
        ("/tlsrpt", none("_smtp._tls.example.com")),
        ("/policy", Value::Null),
        ("/policy_host", json!({ "ipv4": { "outcome": "nxdomain" }, "ipv6": { "outcome": "nxdomain" } })),
        ("/misplaced", json!([])),
    ];
    assert_told(&changes, &[("record-published", &["MTA-STS is not set up"])]);
}
