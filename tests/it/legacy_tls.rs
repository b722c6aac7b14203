//! Servers that speak TLS which the program's own library lacks, and that accept old versions: what the program says of
//! them, and what a sender does.

use rcgen::{CertificateParams, date_time_ymd};
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::peers::{Authority, DOMAIN, Identity, LOOPBACK, Zone, https, listen, response, rsa_key_exchange, smtp_then};

const ENFORCE: &str = "version: STSv1\r\nmode: enforce\r\nmx: mx.example.test\r\nmax_age: 1209600\r\n";

/// An MX host that agrees to RSA key exchange alone, up to this minor version.
async fn old_mx(chain: Vec<CertificateDer<'static>>, newest: u8) -> u16 {
    smtp_then(LOOPBACK, 0, move |stream| {
        let chain = chain.clone();
        async move { rsa_key_exchange(stream, &chain, newest).await }
    })
    .await
}

/// What `check` says of the domain with this MX host and this policy host, as JSON.
async fn checked(authority: &Authority, https_port: u16, smtp_port: u16) -> Value {
    let resolver = Zone::healthy().serve().await;
    let mut command = assert_cmd::Command::cargo_bin("stslint").unwrap();
    command.args(["check", DOMAIN, "--format", "json", "--no-config", "--dnssec", "off", "--authoritative=false"]);
    command.args(["--resolver", &resolver.to_string(), "--roots"]).arg(authority.file());
    command.args(["--https-port", &https_port.to_string(), "--smtp-port", &smtp_port.to_string()]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["results"][0].take()
}

async fn good_policy_host(authority: &Authority) -> u16 {
    let served = response("200 OK", "Content-Type: text/plain\r\n", ENFORCE);
    https(authority.identity(&["mta-sts.example.test"]).acceptor(), served).await
}

/// The rules that failed, with their severities, but for those about reports.
fn failed(result: &Value) -> Vec<(String, String)> {
    let checks = result["checks"].as_array().unwrap().iter();
    let failed = checks.filter(|check| check["outcome"] == "fail");
    let words = |check: &Value| [&check["rule"], &check["severity"]].map(|word| word.as_str().unwrap().to_owned());
    let named = failed.map(|check| words(check).into());
    named.filter(|(rule, severity): &(String, String)| !rule.starts_with("tlsrpt-") && severity != "remark").collect()
}

fn outcome<'a>(result: &'a Value, rule: &str) -> &'a Value {
    let check = result["checks"].as_array().unwrap().iter().find(|check| check["rule"] == rule);
    &check.unwrap_or_else(|| panic!("{rule}"))["outcome"]
}

fn identity(authority: &Authority, until: i32) -> Identity {
    let mut params = CertificateParams::new(vec!["mx.example.test".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
    authority.identity_of(params)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_postfix_speaks_is_a_warning_and_mail_is_delivered() {
    let authority = Authority::new();
    let policy_host = good_policy_host(&authority).await;
    let result = checked(&authority, policy_host, old_mx(identity(&authority, 2090).chain, 3).await).await;
    let expected = [("smtp-tls-legacy", "warning"), ("smtp-tls-deprecated", "note")];
    let expected = expected.map(|(rule, severity)| (rule.to_owned(), severity.to_owned()));
    assert_eq!(failed(&result), expected);
    for (rule, expected) in [("smtp-cert-name", "pass"), ("smtp-cert-trusted", "pass"), ("smtp-sni-optional", "pass")] {
        assert_eq!(outcome(&result, rule), expected, "{rule}");
    }
    // What comes after the handshake was not seen, and does not pass.
    assert_eq!(outcome(&result, "smtp-ehlo-after-tls"), "not_checked");
    let host = &result["sender"][0]["hosts"][0];
    assert_eq!(host["action"], "deliver");
    assert!(host["explanation"].as_str().unwrap().contains("Go or rustls cannot use TLS there"), "{host}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_is_judged_all_the_same() {
    let authority = Authority::new();
    let policy_host = good_policy_host(&authority).await;
    let result = checked(&authority, policy_host, old_mx(identity(&authority, 2021).chain, 3).await).await;
    assert!(failed(&result).contains(&("smtp-cert-valid-now".to_owned(), "error".to_owned())), "{:?}", failed(&result));
    let host = &result["sender"][0]["hosts"][0];
    assert_eq!((&host["action"], &host["reports"]), (&json!("refuse"), &json!(["certificate-expired"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_newer_than_tls_1_1_is_an_error_and_its_only_one() {
    let authority = Authority::new();
    let policy_host = good_policy_host(&authority).await;
    let result = checked(&authority, policy_host, old_mx(identity(&authority, 2090).chain, 2).await).await;
    assert_eq!(failed(&result), [("smtp-tls-version".to_owned(), "error".to_owned())]);
    let host = &result["sender"][0]["hosts"][0];
    assert_eq!((&host["action"], &host["reports"]), (&json!("refuse"), &json!(["validation-failure"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_only_others_can_fetch_is_not_checked() {
    let authority = Authority::new();
    let chain = authority.identity(&["mta-sts.example.test"]).chain;
    let https_port = listen(move |stream| {
        let chain = chain.clone();
        async move { rsa_key_exchange(stream, &chain, 3).await }
    })
    .await;
    let result = checked(&authority, https_port, old_mx(identity(&authority, 2090).chain, 3).await).await;
    let expected = ["host-tls-legacy", "host-tls-deprecated", "smtp-tls-legacy", "smtp-tls-deprecated"];
    assert_eq!(failed(&result).iter().map(|(rule, _)| rule.as_str()).collect::<Vec<_>>(), expected);
    for rule in ["host-status", "policy-mode", "record-without-policy", "mx-covered"] {
        assert_eq!(outcome(&result, rule), "not_checked", "{rule}");
    }
    assert_eq!(outcome(&result, "host-cert-name"), "pass");
    assert_eq!(result["sender"][0]["policy"], "unknown");
}
