//! What the name server answers, and what it does not.

use super::*;

fn resolver(lab: &Lab) -> TokioResolver {
    resolver_builder(lab).build().unwrap()
}

/// A resolver that asks the lab and nobody else.
pub(super) fn resolver_builder(lab: &Lab) -> ResolverBuilder<TokioRuntimeProvider> {
    let mut connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = lab.resolver().port();
    }
    let server = NameServerConfig::new(lab.resolver().ip(), true, connections.into());
    let config = ResolverConfig::from_name_servers(vec![server]);
    Resolver::builder_with_config(config, TokioRuntimeProvider::default())
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

pub(super) fn question(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

pub(super) async fn udp(lab: &Lab) -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    socket.connect(lab.resolver()).await.unwrap();
    socket
}

pub(super) async fn receive(socket: &UdpSocket) -> Message {
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
    for name in ["elsewhere.test.", "test."] {
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
