//! The lab seen from outside, through sockets, as its users see it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::{Resolver, TokioResolver};
use hickory_server::net::runtime::TokioRuntimeProvider;
use hickory_server::net::{DnsError, NetError};
use hickory_server::proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_server::proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, Error as TlsError, ProtocolVersion, RootCertStore, crypto::ring, version,
};

use super::listen::WEB_ADDRESS;
use super::scenario::{BACKUP_MX, BACKUP_MX_PATTERN, POLICY_PATH, policy};
use super::*;

async fn lab(scenarios: impl IntoIterator<Item = Scenario>) -> Lab {
    let options = LabOptions { now: SystemTime::now(), scenarios: scenarios.into_iter().collect() };
    Lab::start(options).await.unwrap()
}

/// A built-in domain by the first label of its name.
fn built_in(label: &str) -> Scenario {
    let name = format!("{label}.example");
    let domain = Lab::domains().iter().find(|domain| domain.name == name);
    domain.unwrap().scenario()
}

mod dns {
    use super::*;

    fn resolver(lab: &Lab) -> TokioResolver {
        let mut connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
        for connection in &mut connections {
            connection.port = lab.resolver().port();
        }
        let server = NameServerConfig::new(lab.resolver().ip(), true, connections.into());
        let config = ResolverConfig::from_name_servers(vec![server]);
        Resolver::builder_with_config(config, TokioRuntimeProvider::default()).build().unwrap()
    }

    async fn strings(lab: &Lab, name: &str) -> Vec<Vec<u8>> {
        let lookup = resolver(lab).lookup(name, RecordType::TXT).await.unwrap();
        let texts = lookup.answers().iter().filter_map(|record| match &record.data {
            RData::TXT(txt) => Some(txt.txt_data.iter().map(|string| string.to_vec())),
            _ => None,
        });
        texts.flatten().collect()
    }

    async fn refusal(lab: &Lab, name: &str, kind: RecordType) -> DnsError {
        match resolver(lab).lookup(name, kind).await {
            Err(NetError::Dns(error)) => error,
            other => panic!("{name} {kind}: {other:?}"),
        }
    }

    fn question(name: &str, kind: RecordType) -> Message {
        let mut message = Message::new(7, MessageType::Query, OpCode::Query);
        message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
        message
    }

    async fn udp(lab: &Lab) -> UdpSocket {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        socket.connect(lab.resolver()).await.unwrap();
        socket
    }

    async fn receive(socket: &UdpSocket) -> Message {
        let mut octets = [0; 4_096];
        let length = socket.recv(&mut octets).await.unwrap();
        Message::from_vec(&octets[..length]).unwrap()
    }

    #[tokio::test]
    async fn serves_the_records_of_a_domain() {
        let lab = lab([Scenario::good("odd.example")]).await;
        assert_eq!(strings(&lab, "_mta-sts.odd.example.").await, [b"v=STSv1; id=20260901T120000"]);
        let mx = resolver(&lab).mx_lookup("odd.example.").await.unwrap();
        let mut exchanges: Vec<_> = mx
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::MX(mx) => Some((mx.preference, mx.exchange.to_string())),
                _ => None,
            })
            .collect();
        exchanges.sort();
        assert_eq!(exchanges, [(10, "mx1.odd.example.".to_owned()), (20, format!("{BACKUP_MX}."))]);
    }

    #[tokio::test]
    async fn keeps_character_strings_apart_and_as_they_are() {
        let mut scenario = Scenario::good("odd.example");
        let texts = vec![b"v=STSv1; ".to_vec(), b"id=\xff\x00\xc3\xa9".to_vec(), Vec::new()];
        scenario.records.push(Record::new("txt.odd.example", RecordData::Txt(texts.clone())));
        let lab = lab([scenario]).await;
        assert_eq!(strings(&lab, "txt.odd.example.").await, texts);
    }

    #[tokio::test]
    async fn says_no_with_the_soa_of_the_zone() {
        let lab = lab([Scenario::good("odd.example")]).await;
        let missing = refusal(&lab, "nobody.odd.example.", RecordType::A).await;
        let empty = refusal(&lab, "mx1.odd.example.", RecordType::AAAA).await;
        for (error, code) in [(missing, ResponseCode::NXDomain), (empty, ResponseCode::NoError)] {
            let DnsError::NoRecordsFound(no_records) = error else {
                panic!("{error:?}");
            };
            assert_eq!(no_records.response_code, code);
            let soa = no_records.soa.unwrap();
            assert_eq!(soa.name.to_string(), "odd.example.");
        }
    }

    #[tokio::test]
    async fn says_no_such_type_above_a_name_that_exists() {
        let lab = lab([Scenario::good("odd.example")]).await;
        let DnsError::NoRecordsFound(between) = refusal(&lab, "_tls.odd.example.", RecordType::TXT).await else {
            panic!("no answer at all");
        };
        assert_eq!(between.response_code, ResponseCode::NoError);
    }

    #[tokio::test]
    async fn refuses_what_it_does_not_serve() {
        let lab = lab([]).await;
        let socket = udp(&lab).await;
        for name in ["elsewhere.test.", "."] {
            let question = question(name, RecordType::A).to_vec().unwrap();
            socket.send(&question).await.unwrap();
            assert_eq!(receive(&socket).await.metadata.response_code, ResponseCode::Refused);
        }
    }

    #[tokio::test]
    async fn fails_the_questions_that_are_to_fail() {
        let mut scenario = Scenario::good("odd.example");
        scenario.dns_faults = vec![
            DnsFault::new("_mta-sts.odd.example", DnsFaultKind::ServFail),
            DnsFault::new("mta-sts.odd.example", DnsFaultKind::Refused),
        ];
        let lab = lab([scenario]).await;
        let socket = udp(&lab).await;
        for (name, code) in [
            ("_MTA-STS.odd.example.", ResponseCode::ServFail),
            ("mta-sts.odd.example.", ResponseCode::Refused),
            ("odd.example.", ResponseCode::NoError),
        ] {
            let question = question(name, RecordType::TXT).to_vec().unwrap();
            socket.send(&question).await.unwrap();
            let answer = receive(&socket).await;
            assert_eq!(answer.metadata.response_code, code, "{name}");
            assert_eq!(answer.metadata.id, 7);
        }
    }

    #[tokio::test]
    async fn a_question_that_is_never_answered_holds_up_no_other() {
        let lab = lab([built_in("timeout"), built_in("perfect")]).await;
        let socket = udp(&lab).await;
        let mut tcp = TcpStream::connect(lab.resolver()).await.unwrap();
        for (id, name) in [(1, "_mta-sts.timeout.example."), (2, "_mta-sts.perfect.example.")] {
            let mut question = question(name, RecordType::TXT);
            question.metadata.id = id;
            let octets = question.to_vec().unwrap();
            socket.send(&octets).await.unwrap();
            tcp.write_u16(octets.len().try_into().unwrap()).await.unwrap();
            tcp.write_all(&octets).await.unwrap();
        }
        assert_eq!(receive(&socket).await.metadata.id, 2);
        let mut octets = vec![0; tcp.read_u16().await.unwrap().into()];
        tcp.read_exact(&mut octets).await.unwrap();
        assert_eq!(Message::from_vec(&octets).unwrap().metadata.id, 2);
    }

    #[tokio::test]
    async fn cuts_a_long_answer_on_udp_and_gives_it_whole_on_tcp() {
        let long = vec![vec![b'x'; 255]; 20];
        let mut scenario = Scenario::empty("odd.example");
        scenario.records.push(Record::new("odd.example", RecordData::Txt(long.clone())));
        let lab = lab([scenario]).await;
        let socket = udp(&lab).await;
        let question = question("odd.example.", RecordType::TXT).to_vec().unwrap();
        socket.send(&question).await.unwrap();
        let cut = receive(&socket).await;
        assert!(cut.metadata.truncation);
        assert!(cut.answers.is_empty());
        assert_eq!(strings(&lab, "odd.example.").await, long);
    }

    #[tokio::test]
    async fn follows_an_alias_into_another_zone() {
        let lab = lab([built_in("delegated")]).await;
        assert_eq!(strings(&lab, "_mta-sts.delegated.example.").await, [b"v=STSv1; id=20260901T120000"]);
        let addresses = resolver(&lab).lookup_ip("mta-sts.delegated.example.").await.unwrap();
        assert_eq!(addresses.iter().collect::<Vec<_>>(), [IpAddr::V4(WEB_ADDRESS)]);
    }

    #[tokio::test]
    async fn a_host_of_two_servers_has_two_addresses() {
        let mut scenario = Scenario::good("odd.example");
        scenario.mx_hosts.push(scenario.mx_hosts[0].clone());
        scenario.web_hosts.push(scenario.web_hosts[0].clone());
        let lab = lab([scenario]).await;
        for name in ["mx1.odd.example.", "mta-sts.odd.example."] {
            assert_eq!(resolver(&lab).lookup_ip(name).await.unwrap().iter().count(), 2);
        }
    }

    /// The first address of a host.
    pub(super) async fn address(lab: &Lab, host: &str) -> IpAddr {
        let addresses = resolver(lab).lookup_ip(format!("{host}.")).await.unwrap();
        addresses.iter().min().unwrap()
    }

    #[tokio::test]
    async fn every_domain_has_a_zone() {
        let lab = Lab::start(LabOptions::demo(SystemTime::now())).await.unwrap();
        let socket = udp(&lab).await;
        for domain in Lab::domains() {
            let question = question(domain.name, RecordType::SOA).to_vec().unwrap();
            socket.send(&question).await.unwrap();
            let answer = receive(&socket).await;
            assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
            assert_eq!(answer.answers.len(), 1, "{}", domain.name);
        }
    }
}

/// A client that trusts the lab's root and nothing else.
fn client_config(lab: &Lab) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(lab.roots_pem().as_bytes()).unwrap()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS12, &version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

async fn handshake(lab: &Lab, stream: TcpStream, name: &str) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(client_config(lab))).connect(name, stream).await
}

/// The reason why a client refuses a certificate.
fn refusal(outcome: io::Result<TlsStream<TcpStream>>) -> CertificateError {
    let error = outcome.map(|_| ()).unwrap_err();
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(TlsError::InvalidCertificate(reason)) => reason.clone(),
        _ => panic!("{error:?}"),
    }
}

mod https {
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
}

mod smtp {
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

    async fn starttls(lab: &Lab, host: &str) -> io::Result<TlsStream<TcpStream>> {
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
}

mod start {
    use super::*;

    async fn failure(scenarios: impl IntoIterator<Item = Scenario>) -> LabError {
        let options = LabOptions { now: SystemTime::now(), scenarios: scenarios.into_iter().collect() };
        match Lab::start(options).await {
            Ok(_) => panic!("it started"),
            Err(error) => error,
        }
    }

    #[tokio::test]
    async fn refuses_what_cannot_be_served() {
        let twice = failure(["odd.example", "ODD.example"].map(Scenario::empty)).await;
        assert!(matches!(&twice, LabError::Duplicate(domain) if domain == "ODD.example"));

        let mut stray = Scenario::empty("odd.example");
        stray.records.push(Record::txt("even.example", "a"));
        let stray = failure([stray]).await;
        assert!(matches!(&stray, LabError::OutsideZones(name) if name == "even.example"));

        let mut long = Scenario::empty("odd.example");
        long.records.push(Record::txt("odd.example", &"x".repeat(256)));
        assert!(matches!(failure([long]).await, LabError::Record(_)));

        let label = "x".repeat(64);
        let unspeakable = failure([Scenario::empty(&format!("{label}.example"))]).await;
        assert!(matches!(unspeakable, LabError::Name(_)));
    }

    #[tokio::test]
    async fn refuses_a_now_that_no_certificate_can_hold() {
        for now in [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_secs(10_000_000_000)] {
            let outcome = Lab::start(LabOptions::empty(now)).await;
            assert!(matches!(outcome.err(), Some(LabError::Clock)));
        }
    }

    #[tokio::test]
    async fn certificates_are_dated_from_the_given_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let authority = CertificateAuthority::new(now).unwrap();
        let (chain, _) = authority.issue(&CertificateSpec::good("mx.odd.example")).unwrap();
        let (_, leaf) = x509_parser::parse_x509_certificate(&chain[0]).unwrap();
        let day = 86_400;
        assert_eq!(leaf.validity().not_before.timestamp(), 1_000_000_000 - 30 * day);
        assert_eq!(leaf.validity().not_after.timestamp(), 1_000_000_000 + 60 * day);
    }

    #[tokio::test]
    async fn dropping_it_closes_every_port() {
        let lab = lab([built_in("perfect")]).await;
        let mail = (dns::address(&lab, "mx1.perfect.example").await, lab.smtp_port());
        let ports = [mail.into(), (WEB_ADDRESS, lab.https_port()).into(), lab.resolver()];
        drop(lab);
        for port in ports {
            // The runtime ends the servers on its next turns.
            let mut turns = 0;
            while TcpStream::connect(port).await.is_ok() {
                turns += 1;
                assert!(turns < 1_000, "{port} still listens");
            }
        }
    }

    #[test]
    fn every_domain_has_a_reserved_name_of_its_own() {
        let names: BTreeSet<_> = Lab::domains().iter().map(|domain| domain.name).collect();
        assert_eq!(names.len(), Lab::domains().len());
        for domain in Lab::domains() {
            assert!(domain.name.ends_with(".example"), "{}", domain.name);
            assert_eq!(domain.expects.is_empty(), domain.name == "perfect.example");
        }
    }

    #[test]
    fn the_good_policy_covers_the_mx_hosts() {
        let good = Scenario::good("odd.example");
        let body = policy("enforce", &["mx1.odd.example", BACKUP_MX_PATTERN], 1_209_600);
        assert_eq!(good.web_hosts[0].answer, WebReply::text(body).into());
        assert!(BACKUP_MX.ends_with(BACKUP_MX_PATTERN.trim_start_matches('*')));
    }
}
