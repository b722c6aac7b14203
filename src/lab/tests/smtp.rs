//! What the MX hosts say before and after TLS.

use super::*;

/// Reads one reply, of as many lines as it has.
async fn reply(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut text = Vec::new();
    loop {
        text.push(stream.read_u8().await.unwrap());
        let last = text.strip_suffix(b"\r\n").and_then(|lines| lines.rsplit(|octet| *octet == b'\n').next());
        if last.is_some_and(|line| line.get(3) != Some(&b'-')) {
            return String::from_utf8(text).unwrap();
        }
    }
}

async fn ask(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin), command: &str) -> String {
    stream.write_all(command.as_bytes()).await.unwrap();
    reply(stream).await
}

async fn connect(lab: &Lab, host: &str) -> TcpStream {
    let address = dns::address(lab, host).await;
    TcpStream::connect((address, lab.smtp_port())).await.unwrap()
}

pub(super) async fn starttls(lab: &Lab, host: &str) -> io::Result<TlsStream<TcpStream>> {
    let mut stream = connect(lab, host).await;
    assert!(reply(&mut stream).await.starts_with("220 "));
    assert!(ask(&mut stream, "EHLO probe.example\r\n").await.contains("STARTTLS\r\n"));
    assert!(ask(&mut stream, "STARTTLS\r\n").await.starts_with("220 "));
    handshake(lab, stream, host).await
}

#[tokio::test]
async fn holds_a_conversation_before_and_after_tls() {
    let lab = lab([built_in("perfect")]).await;
    for host in ["mx1.perfect.example", BACKUP_MX] {
        let mut stream = starttls(&lab, host).await.unwrap();
        let ehlo = ask(&mut stream, "ehlo probe.example\r\n").await;
        assert!(ehlo.contains("250 REQUIRETLS\r\n") && !ehlo.contains("STARTTLS"), "{ehlo}");
        for (command, code) in [
            ("STARTTLS", "503"),
            ("NOOP", "250"),
            ("RSET", "250"),
            ("MAIL FROM:<>", "550"),
            ("NONSENSE", "500"),
            ("QUIT", "221"),
        ] {
            let said = ask(&mut stream, &format!("{command}\r\n")).await;
            assert!(said.starts_with(code), "{command}: {said}");
        }
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn presents_the_certificate_that_is_wrong_with_the_host() {
    let labels = ["mx-wrong-name", "mx-self-signed", "mx-unknown-ca", "mx-no-intermediate", "mx-expired"];
    let lab = lab(labels.map(built_in)).await;
    for label in labels {
        let host = format!("mx1.{label}.example");
        let reason = refusal(starttls(&lab, &host).await);
        let as_expected = match label {
            "mx-wrong-name" => matches!(reason, CertificateError::NotValidForNameContext { .. }),
            "mx-expired" => matches!(reason, CertificateError::ExpiredContext { .. }),
            _ => matches!(reason, CertificateError::UnknownIssuer),
        };
        assert!(as_expected, "{label}: {reason:?}");
    }
}

#[tokio::test]
async fn a_certificate_can_be_for_clients_only() {
    let mut scenario = Scenario::good("odd.example");
    scenario.replace_mx_certificate(CertificateSpec {
        purpose: CertificatePurpose::ClientAuth,
        ..CertificateSpec::good("mx1.odd.example")
    });
    let lab = lab([scenario]).await;
    let reason = refusal(starttls(&lab, "mx1.odd.example").await);
    assert!(matches!(reason, CertificateError::InvalidPurposeContext { .. }), "{reason:?}");
}

#[tokio::test]
async fn sends_the_chain_that_it_is_told() {
    for (chain, length) in [(CertificateChain::Complete, 2), (CertificateChain::WithRoot, 3)] {
        let mut scenario = Scenario::good("odd.example");
        let certificate = CertificateSpec::good("mx1.odd.example");
        scenario.replace_mx_certificate(CertificateSpec { chain, ..certificate });
        let lab = lab([scenario]).await;
        let stream = starttls(&lab, "mx1.odd.example").await.unwrap();
        assert_eq!(stream.get_ref().1.peer_certificates().unwrap().len(), length);
    }
}

#[tokio::test]
async fn offers_and_accepts_starttls_only_where_it_should() {
    let lab = lab(["mx-no-starttls", "mx-tls-unavailable"].map(built_in)).await;
    for (label, offered, code) in [("mx-no-starttls", false, "502"), ("mx-tls-unavailable", true, "454")] {
        let mut stream = connect(&lab, &format!("mx1.{label}.example")).await;
        reply(&mut stream).await;
        let ehlo = ask(&mut stream, "EHLO probe.example\r\n").await;
        assert_eq!(ehlo.contains("STARTTLS"), offered, "{ehlo}");
        let refused = ask(&mut stream, "STARTTLS\r\n").await;
        assert!(refused.starts_with(code), "{refused}");
        assert!(ask(&mut stream, "QUIT\r\n").await.starts_with("221 "));
    }
}

#[tokio::test]
async fn refuses_connections_where_it_is_down() {
    let lab = lab([built_in("mx-down")]).await;
    let address = dns::address(&lab, "mx1.mx-down.example").await;
    let error = TcpStream::connect((address, lab.smtp_port())).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn sends_what_it_is_told_word_for_word() {
    let mut scenario = Scenario::good("odd.example");
    let host = &mut scenario.mx_hosts[0];
    host.greeting = SmtpAnswer::reply(554, &["No SMTP service here", "Go away"]);
    host.ehlo = SmtpAnswer::raw(*b"250 \xff\x1b[0m\r\n");
    host.starttls = SmtpAnswer::raw("220 Go ahead\r\n250 smuggled\r\n");
    let lab = lab([scenario]).await;
    let mut stream = connect(&lab, "mx1.odd.example").await;
    assert_eq!(reply(&mut stream).await, "554-No SMTP service here\r\n554 Go away\r\n");
    stream.write_all(b"EHLO a\r\n").await.unwrap();
    let mut octets = [0; 11];
    stream.read_exact(&mut octets).await.unwrap();
    assert_eq!(&octets, b"250 \xff\x1b[0m\r\n");
    assert_eq!(ask(&mut stream, "STARTTLS\r\n").await, "220 Go ahead\r\n");
    assert_eq!(reply(&mut stream).await, "250 smuggled\r\n");
}

#[tokio::test]
async fn hangs_up_on_a_line_or_session_without_an_end() {
    let lab = lab([built_in("perfect")]).await;
    let mut stream = connect(&lab, "mx1.perfect.example").await;
    reply(&mut stream).await;
    stream.write_all(&[b'x'; 1_024]).await.unwrap();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);

    let mut stream = connect(&lab, "mx1.perfect.example").await;
    reply(&mut stream).await;
    stream.write_all("NOOP\r\n".repeat(64).as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert_eq!(said.matches("250 OK").count(), 64);
    assert!(said.contains("421 "), "{said}");
}

#[tokio::test]
async fn forgets_what_a_client_says_ahead_of_the_handshake() {
    let lab = lab([built_in("perfect")]).await;
    let mut stream = connect(&lab, "mx1.perfect.example").await;
    reply(&mut stream).await;
    assert!(ask(&mut stream, "STARTTLS\r\nNOOP\r\n").await.starts_with("220 "));
    let mut stream = handshake(&lab, stream, "mx1.perfect.example").await.unwrap();
    assert!(ask(&mut stream, "QUIT\r\n").await.starts_with("221 "));
}

#[tokio::test]
async fn can_require_a_server_name() {
    let mut scenario = Scenario::good("odd.example");
    scenario.mx_hosts[0].tls.requires_sni = true;
    let lab = lab([scenario]).await;
    assert!(starttls(&lab, "mx1.odd.example").await.is_ok());

    let mut stream = connect(&lab, "mx1.odd.example").await;
    reply(&mut stream).await;
    ask(&mut stream, "STARTTLS\r\n").await;
    let mut config = client_config(&lab);
    config.enable_sni = false;
    let name = ServerName::try_from("mx1.odd.example").unwrap();
    let refused = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    assert!(refused.unwrap_err().to_string().contains("HandshakeFailure"));
}

#[tokio::test]
async fn every_mx_host_greets() {
    let lab = Lab::start(LabOptions::demo(SystemTime::now())).await.unwrap();
    for domain in Lab::domains() {
        for host in domain.scenario().mx_hosts.iter().filter(|host| host.listens) {
            let mut stream = connect(&lab, &host.name).await;
            assert!(reply(&mut stream).await.starts_with("220 "), "{}", host.name);
        }
    }
}
