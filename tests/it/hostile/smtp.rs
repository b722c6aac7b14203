//! MX hosts that mean harm, before TLS and in it.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;

use rcgen::{CertificateParams, GeneralSubtree, NameConstraints};
use stslint::snapshot::{FailureKind, SmtpProbe, Snapshot, TrustVerdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::{Case, Peers, all, case, drip, flood, zone};
use crate::peers::{Authority, DOMAIN, Identity, Zone, listen, read_command, smtp, smtp_at};

type Speaking = Pin<Box<dyn Future<Output = ()> + Send>>;

fn of(name: &'static str, peers: Peers, check: impl Fn(&SmtpProbe) -> bool + Send + 'static) -> Case {
    case(name, DOMAIN, peers, move |snapshot: &Snapshot| {
        let probe = &snapshot.mx_hosts.as_ref().unwrap()[0].probes.as_ref().unwrap()[0];
        let texts = probe.transcript.iter().map(|line| line.text.as_str());
        assert!(texts.clone().all(|text| !text.chars().any(char::is_control)), "{name}: {:?}", probe.transcript);
        assert!(check(probe), "{name}: {:?}: {:.2000?}", probe.failure, texts.collect::<Vec<_>>());
    })
}

async fn peers(authority: Authority, smtp_port: u16) -> Peers {
    let resolver = zone().without("mta-sts.example.test").serve().await;
    Peers { authority, smtp_port, ..Peers::of(resolver).await }
}

/// An MX host that does with a connection what `speak` does.
async fn host(
    name: &'static str,
    speak: impl Fn(TcpStream) -> Speaking + Send + Sync + 'static,
    check: impl Fn(&SmtpProbe) -> bool + Send + 'static,
) -> Case {
    of(name, peers(Authority::new(), listen(speak).await).await, check)
}

/// One that says `opening`, and then these octets until nobody takes them.
async fn floods(name: &'static str, opening: &'static str, octets: &'static [u8]) -> Case {
    let speak = move |mut stream: TcpStream| -> Speaking {
        Box::pin(async move {
            let _ = stream.write_all(opening.as_bytes()).await;
            flood(&mut stream, octets).await;
        })
    };
    host(name, speak, |probe| failed(probe, &[FailureKind::Limit, FailureKind::Protocol])).await
}

/// One that greets with `greeting`, and answers EHLO and STARTTLS as given; then `after` does what it does.
async fn answers(
    name: &'static str,
    greeting: &'static [u8],
    ehlo: impl AsRef<[u8]>,
    starttls: &'static [u8],
    after: fn(TcpStream) -> Speaking,
    check: impl Fn(&SmtpProbe) -> bool + Send + 'static,
) -> Case {
    let ehlo = ehlo.as_ref().to_vec();
    let speak = move |mut stream: TcpStream| -> Speaking {
        let ehlo = ehlo.clone();
        Box::pin(async move {
            let _ = stream.write_all(greeting).await;
            while let Some(command) = read_command(&mut stream).await {
                let answer = match command.get(..4) {
                    Some("EHLO") => ehlo.as_slice(),
                    Some("STAR") => starttls,
                    _ => b"221 bye\r\n",
                };
                let _ = stream.write_all(answer).await;
                if command == "STARTTLS" {
                    return after(stream).await;
                }
            }
        })
    };
    host(name, speak, check).await
}

/// One that shakes hands with this chain and key.
async fn shows(
    name: &'static str,
    authority: Authority,
    identity: Identity,
    check: impl Fn(&SmtpProbe) -> bool + Send + 'static,
) -> Case {
    let port = smtp(identity.acceptor()).await;
    of(name, peers(authority, port).await, check)
}

fn failed(probe: &SmtpProbe, kinds: &[FailureKind]) -> bool {
    probe.failure.as_ref().is_some_and(|failure| kinds.contains(&failure.kind))
}

const EHLO: &[u8] = b"250-mx\r\n250 STARTTLS\r\n";
const GO: &[u8] = b"220 go\r\n";

fn silent(stream: TcpStream) -> Speaking {
    Box::pin(async move {
        let _held = stream;
        std::future::pending().await
    })
}

/// Sends these octets where a handshake should be, until nobody takes them.
macro_rules! floods_tls {
    ($octets:expr) => {
        |mut stream| Box::pin(async move { flood(&mut stream, $octets).await })
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn mx_hosts_cost_little_whatever_they_say() {
    let no_tls = |probe: &SmtpProbe| probe.starttls.is_none() && probe.failure.is_none();
    let not_shaken =
        |probe: &SmtpProbe| probe.tls.as_ref().is_some_and(|tls| !tls.handshake) && probe.failure.is_some();
    let protocol = |probe: &SmtpProbe| failed(probe, &[FailureKind::Protocol]);
    let keywords: Vec<u8> = (0..126).flat_map(|number| format!("250-X{number}\r\n").into_bytes()).collect();
    let last = [&b"250-mx\r\n"[..], &keywords, b"250 STARTTLS\r\n"].concat();
    let too_many = [&b"250-mx\r\n"[..], &keywords, b"250-Y\r\n250-Z\r\n250 STARTTLS\r\n"].concat();
    all(vec![
        floods("a banner without a line ending", "220 ", &[b'x'; 4096]).await,
        floods("a banner of many lines", "", b"220-more\r\n").await,
        floods("empty lines", "", b"\r\n").await,
        floods("zeros", "", &[0; 4096]).await,
        floods("line feeds alone", "", b"220-\n").await,
        host(
            "a greeting in drops",
            |mut stream| Box::pin(async move { drip(&mut stream, b"220-a\r\n").await }),
            |probe| failed(probe, &[FailureKind::Timeout]),
        )
        .await,
        host(
            "an echo",
            |mut stream| {
                Box::pin(async move {
                    let (mut read, mut write) = stream.split();
                    let _ = write.write_all(b"220 echo\r\n").await;
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                })
            },
            protocol,
        )
        .await,
        answers("octets of zero", b"220 a\0b\0\r\n", b"250-\0\r\n250 \0STARTTLS\r\n", GO, silent, no_tls).await,
        answers("STARTTLS below other words", b"220 mx\r\n", b"250-mx\r\n250 SIZE STARTTLS\r\n", GO, silent, no_tls)
            .await,
        answers("STARTTLS as the host's name", b"220 mx\r\n", b"250 STARTTLS\r\n", GO, silent, no_tls).await,
        answers("a code of four digits", b"2200 mx\r\n", EHLO, GO, silent, protocol).await,
        answers("a code that changes", b"220-mx\r\n250 mx\r\n", EHLO, GO, silent, protocol).await,
        answers("carriage returns alone", b"220 a\rb\rc\r\n", EHLO, b"454 no\r\n", silent, |probe| {
            probe.starttls.as_ref().is_some_and(|reply| reply.code == 454)
        })
        .await,
        answers("127 keywords", b"220 mx\r\n", last, b"454 no\r\n", silent, |probe| probe.starttls.is_some()).await,
        answers("129 keywords", b"220 mx\r\n", too_many, GO, silent, |probe| failed(probe, &[FailureKind::Limit]))
            .await,
        answers("replies injected with the 220", b"220 mx\r\n", EHLO, b"220 go\r\n250 injected\r\n", silent, |probe| {
            probe.after_starttls.as_ref().is_some_and(|after| after.0 == b"250 injected\r\n")
        })
        .await,
        answers("a command injected with the 220", b"220 mx\r\n", EHLO, b"220 go\r\n\x16\x03\x01", silent, |probe| {
            probe.after_starttls.as_ref().is_some_and(|after| after.0.starts_with(b"\x16"))
        })
        .await,
        answers("a flood after the 220", b"220 mx\r\n", EHLO, GO, floods_tls!(b"220 go\r\n"), not_shaken).await,
        answers("a 220 of two lines", b"220 mx\r\n", EHLO, b"220-go\r\n220 on\r\n", silent, not_shaken).await,
        answers(
            "changes of cipher without end",
            b"220 mx\r\n",
            EHLO,
            GO,
            floods_tls!(b"\x14\x03\x03\0\x01\x01"),
            not_shaken,
        )
        .await,
        answers(
            "warnings without end",
            b"220 mx\r\n",
            EHLO,
            GO,
            floods_tls!(b"\x15\x03\x03\0\x02\x01\x5a"),
            not_shaken,
        )
        .await,
        answers("empty records without end", b"220 mx\r\n", EHLO, GO, floods_tls!(b"\x16\x03\x03\0\0"), not_shaken)
            .await,
        answers("a handshake without end", b"220 mx\r\n", EHLO, GO, floods_tls!(&HANDSHAKE), not_shaken).await,
        answers(
            "a handshake in drops",
            b"220 mx\r\n",
            EHLO,
            GO,
            |mut stream| Box::pin(async move { drip(&mut stream, b"\x16\x03\x03\x40\0").await }),
            not_shaken,
        )
        .await,
        answers(
            "a connection that is cut",
            b"220 mx\r\n",
            EHLO,
            GO,
            |mut stream| {
                Box::pin(async move {
                    let _ = stream.read(&mut [0; 512]).await;
                    let _ = stream.set_zero_linger();
                })
            },
            not_shaken,
        )
        .await,
    ])
    .await;
}

/// The longest record there is, as a piece of a message that announces 16 MiB.
static HANDSHAKE: [u8; 5 + 16_384] = {
    let mut record = [0; 5 + 16_384];
    (record[0], record[1], record[2], record[3], record[4]) = (0x16, 3, 3, 0x40, 0);
    (record[5], record[6], record[7], record[8]) = (0x0b, 0xff, 0xff, 0xff);
    record
};

fn names(count: usize) -> CertificateParams {
    let names: Vec<String> = (0..count).map(|number| format!("{number:05}.test")).collect();
    CertificateParams::new([names, vec!["mx.example.test".to_owned()]].concat()).unwrap()
}

/// The same chain and key, in records of as few octets as the library writes.
fn in_pieces(identity: &Identity) -> TlsAcceptor {
    let mut config = ServerConfig::clone(identity.acceptor().config());
    config.max_fragment_size = Some(32);
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_cost_little_whatever_is_in_them() {
    let shaken = |probe: &SmtpProbe| probe.tls.as_ref().is_some_and(|tls| tls.handshake);
    let verdict = |probe: &SmtpProbe| probe.tls.as_ref().and_then(|tls| tls.trust.as_ref()).map(|trust| trust.verdict);
    let chain = |certificates: usize| {
        let authority = Authority::new();
        let mut identity = authority.identity(&["mx.example.test"]);
        let filler = authority.intermediate("Filler").der().clone();
        identity.chain.extend(std::iter::repeat_n(filler, certificates - 1));
        (authority, identity)
    };
    let many_names = |count: usize| {
        let authority = Authority::new();
        let identity = authority.identity_of(names(count));
        (authority, identity)
    };
    let ((a100, i100), (a900, i900)) = (chain(100), chain(900));
    let ((a3000, i3000), (a10k, i10k)) = (many_names(3_000), many_names(10_000));
    let constrained = Authority::new();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, "Constrained");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let subtrees = (0..1_000).map(|number| GeneralSubtree::DnsName(format!("{number:05}.example"))).collect();
    params.name_constraints = Some(NameConstraints { permitted_subtrees: subtrees, excluded_subtrees: Vec::new() });
    let bomb = constrained.issue_below(params, names(1_000));
    let (pieces, cut) = chain(8);
    let pieces = of("records of 32 octets", peers(pieces, smtp(in_pieces(&cut)).await).await, shaken);
    let mut garbage = Authority::new().identity(&["mx.example.test"]);
    garbage.chain = vec![vec![0x30; 60_000].into()];
    all(vec![
        shows("a chain of 100", a100, i100, |probe| {
            let tls = probe.tls.as_ref().unwrap();
            (tls.chain.len(), tls.chain_length) == (16, Some(100))
        })
        .await,
        shows("a chain beyond what is read", a900, i900, |probe| failed(probe, &[FailureKind::Limit])).await,
        shows("3,000 names", a3000, i3000, |probe| probe.tls.as_ref().unwrap().chain[0].dns_ids.len() == 3_001).await,
        shows("10,000 names", a10k, i10k, |probe| failed(probe, &[FailureKind::Limit])).await,
        shows("1,000 constraints on 1,000 names", constrained, bomb, move |probe| {
            verdict(probe).is_some_and(|verdict| verdict != TrustVerdict::Trusted)
        })
        .await,
        shows("60,000 octets that are no certificate", Authority::new(), garbage, move |probe| {
            verdict(probe) == Some(TrustVerdict::Malformed)
        })
        .await,
        pieces,
    ])
    .await;
}

/// A domain of 32 MX hosts at eight addresses each.
fn of_many_addresses(zone: Zone, domain: &str) -> Zone {
    (0..32_u8).fold(zone, |zone, host| {
        let exchange = format!("mx{host}.{domain}");
        let zone = zone.mx(domain, 10, &exchange);
        (1..=8).fold(zone, |zone, last| zone.a(&exchange, Ipv4Addr::new(127, 93, host, last)))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_many_names_at_many_addresses_are_charged_to_the_domain() {
    const MANY: &str = "many.test";
    let mut cases = Vec::new();
    // As many names as fit in a handshake, and fewer that are longer: of these some are kept.
    for (name, names) in [
        ("19,000 names at 256 addresses", vec!["a".to_owned(); 19_000]),
        ("3,000 names at 256 addresses", (0..3_000).map(|number| format!("n{number}.{MANY}")).collect()),
    ] {
        let authority = Authority::new();
        let params = CertificateParams::new(names).unwrap();
        let acceptor = authority.identity_of(params).acceptor();
        let smtp_port = smtp_at(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0, acceptor).await;
        let resolver = of_many_addresses(zone(), MANY).serve().await;
        let peers = Peers { authority, smtp_port, ..Peers::of(resolver).await };
        cases.push(case(name, MANY, peers, |snapshot| {
            let hosts = snapshot.mx_hosts.as_ref().unwrap();
            let probes: Vec<&SmtpProbe> = hosts.iter().flat_map(|host| host.probes.iter().flatten()).collect();
            let shaken = probes.iter().filter(|probe| probe.tls.as_ref().is_some_and(|tls| tls.handshake)).count();
            assert!((1..64).contains(&shaken), "{shaken} of {} are kept", probes.len());
            assert!(probes.iter().any(|probe| failed(probe, &[FailureKind::Limit])));
        }));
    }
    all(cases).await;
}
