//! What the policy hosts serve, and how they fail.

use super::*;

async fn get(lab: &Lab, host: &str, path: &str) -> reqwest::Result<reqwest::Response> {
    let mut config = client_config(lab);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .resolve(host, (WEB_ADDRESS, 0).into())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    let port = lab.https_port();
    client.get(format!("https://{host}:{port}{path}")).send().await
}

async fn connect(lab: &Lab, name: &str) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect((WEB_ADDRESS, lab.https_port())).await?;
    handshake(lab, stream, name).await
}

#[tokio::test]
async fn serves_the_policy_byte_for_byte() {
    let lab = lab([built_in("perfect")]).await;
    let response = get(&lab, "mta-sts.perfect.example", POLICY_PATH).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    let body = response.text().await.unwrap();
    let expected = "version: STSv1\r\nmode: enforce\r\nmx: mx1.perfect.example\r\n\
                    mx: *.in.backup-mx.example\r\nmax_age: 1209600\r\n";
    assert_eq!(body, expected);
}

#[tokio::test]
async fn answers_as_each_domain_would() {
    let lab = lab(["policy-404", "policy-redirect", "policy-html"].map(built_in)).await;
    for (label, status, field, value) in [
        ("policy-404", 404, "content-type", "text/html"),
        ("policy-redirect", 301, "location", "https://www.policy-redirect.example/.well-known/mta-sts.txt"),
        ("policy-html", 200, "content-type", "text/html; charset=utf-8"),
    ] {
        let host = format!("mta-sts.{label}.example");
        let response = get(&lab, &host, POLICY_PATH).await.unwrap();
        assert_eq!(response.status(), status, "{label}");
        assert_eq!(response.headers()[field], value, "{label}");
    }
}

#[tokio::test]
async fn has_the_policy_only_where_it_belongs() {
    let lab = lab([built_in("perfect")]).await;
    for path in ["/", "/mta-sts.txt", "/.well-known/MTA-STS.txt"] {
        let response = get(&lab, "mta-sts.perfect.example", path).await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn presents_the_certificate_that_is_wrong_with_the_host() {
    let lab = lab(["host-expired", "host-wrong-name"].map(built_in)).await;
    let expired = refusal(connect(&lab, "mta-sts.host-expired.example").await);
    assert!(matches!(expired, CertificateError::ExpiredContext { .. }), "{expired:?}");
    let other = refusal(connect(&lab, "mta-sts.host-wrong-name.example").await);
    assert!(matches!(other, CertificateError::NotValidForNameContext { .. }), "{other:?}");
}

#[tokio::test]
async fn presents_another_name_for_a_name_that_nobody_has() {
    let lab = lab([]).await;
    let CertificateError::NotValidForNameContext { presented, .. } = refusal(connect(&lab, "nobody.example").await)
    else {
        panic!("not for its name");
    };
    assert!(presented[0].contains("default.invalid"), "{presented:?}");
}

#[tokio::test]
async fn fails_in_each_way_that_a_server_can() {
    let answers =
        [("hangup.example", WebAnswer::Hangup), ("raw.example", WebAnswer::Raw(b"\x00\x1b[31m nonsense".to_vec()))];
    let scenarios = answers.clone().map(|(domain, answer)| {
        let mut scenario = Scenario::good(domain);
        scenario.answer_policy(answer);
        scenario
    });
    let lab = lab(scenarios).await;
    for (domain, _) in answers {
        let host = format!("mta-sts.{domain}");
        let error = get(&lab, &host, POLICY_PATH).await.unwrap_err();
        assert!(error.is_request(), "{error:?}");
    }
}

#[tokio::test]
async fn a_silent_server_holds_up_no_other() {
    let mut silent = Scenario::good("silent.example");
    silent.answer_policy(WebAnswer::Silence);
    let lab = lab([silent, built_in("perfect")]).await;
    let mut stream = connect(&lab, "mta-sts.silent.example").await.unwrap();
    stream.write_all(format!("GET {POLICY_PATH} HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
    let mut first_octet = [0; 1];
    tokio::select! {
        answer = stream.read(&mut first_octet) => panic!("it answered: {answer:?}"),
        response = get(&lab, "mta-sts.perfect.example", POLICY_PATH) => assert!(response.is_ok()),
    }
}

#[tokio::test]
async fn ends_the_handshake_as_it_is_told() {
    let mut refusing = Scenario::good("refusing.example");
    refusing.web_hosts[0].tls.handshake = TlsHandshake::Refused;
    let mut leaving = Scenario::good("leaving.example");
    leaving.web_hosts[0].tls.handshake = TlsHandshake::Hangup;
    let lab = lab([refusing, leaving]).await;
    let refused = connect(&lab, "mta-sts.refusing.example").await.unwrap_err();
    assert!(refused.to_string().contains("HandshakeFailure"), "{refused}");
    let left = connect(&lab, "mta-sts.leaving.example").await.unwrap_err();
    let gone = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset];
    assert!(gone.contains(&left.kind()), "{left:?}");
}

#[tokio::test]
async fn speaks_the_versions_that_it_is_told() {
    for (versions, spoken) in
        [(TlsVersions::Tls12, ProtocolVersion::TLSv1_2), (TlsVersions::Tls13, ProtocolVersion::TLSv1_3)]
    {
        let mut scenario = Scenario::good("odd.example");
        scenario.web_hosts[0].tls.versions = versions;
        let lab = lab([scenario]).await;
        let stream = connect(&lab, "mta-sts.odd.example").await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(spoken));
    }
}

#[tokio::test]
async fn gives_up_a_request_without_an_end() {
    let lab = lab([built_in("perfect")]).await;
    let mut stream = connect(&lab, "mta-sts.perfect.example").await.unwrap();
    let _ = stream.write_all(&[b'x'; 20_000]).await;
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
}
