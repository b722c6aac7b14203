//! How many round trips a collection takes, on a network where each costs the same.
//!
//! Relays before every server of the lab hold back what passes for half a round trip in each direction. The
//! longest chain that a sender cannot avoid is then: MX, address, greeting (half: the relay connects at once),
//! EHLO, STARTTLS, TLS, EHLO. Run with `--nocapture` to see the count.

#![cfg(feature = "lab")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use stslint::lab::{Lab, LabOptions, Scenario};
use stslint::snapshot::Snapshot;
use stslint::{Collector, CollectorOptions, DomainName, ResolverChoice, Roots};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

const ROUND_TRIP: Duration = Duration::from_millis(300);
/// MX, address, half a greeting, EHLO, STARTTLS, TLS, EHLO.
const LEAST: f64 = 6.5;
/// A fifth more.
const MOST: f64 = 1.2 * LEAST;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_domain_takes_little_more_than_its_longest_chain() {
    let lab = Lab::start(LabOptions::empty(SystemTime::now()).with(Scenario::good("far.example"))).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (roots, anchor) = (folder.path().join("roots.pem"), folder.path().join("anchor"));
    std::fs::write(&roots, lab.roots_pem()).unwrap();
    std::fs::write(&anchor, lab.trust_anchor()).unwrap();
    let mut options = CollectorOptions::default();
    options.resolver = ResolverChoice::Address(far_name_server(lab.resolver()).await);
    options.trust_anchor = Some(anchor);
    options.roots = Roots::File(roots);
    options.https_port = far(lab.https_port()).await;
    options.smtp_port = far(lab.smtp_port()).await;

    // A busy machine only ever adds time: the quickest of a few collections counts.
    let mut quickest: Option<(f64, Snapshot)> = None;
    for _ in 0..4 {
        let domain = DomainName::parse("far.example").unwrap();
        let collector = Collector::new(options.clone()).unwrap();
        let began = Instant::now();
        let snapshot = collector.collect(&domain).await;
        let round_trips = began.elapsed().as_secs_f64() / ROUND_TRIP.as_secs_f64();
        if quickest.as_ref().is_none_or(|(least, _)| round_trips < *least) {
            quickest = Some((round_trips, snapshot));
        }
        if quickest.as_ref().is_some_and(|(least, _)| *least <= MOST) {
            break;
        }
    }
    let (round_trips, snapshot) = quickest.unwrap();
    eprintln!("{round_trips:.2} round trips; {LEAST} is the least");
    for step in snapshot.timeline.iter().flatten() {
        eprintln!("{:5} {:5} {}", step.start_ms, step.end_ms, step.name);
    }
    assert!(snapshot.policy.as_ref().unwrap().is_some());
    for host in snapshot.mx_hosts.as_ref().unwrap() {
        let probe = &host.probes.as_ref().unwrap()[0];
        assert!(probe.ehlo_after_tls.is_some() && probe.without_sni.is_some(), "{:?}", probe.failure);
    }
    assert!(round_trips <= MOST, "{round_trips:.2} round trips");
}

/// A relay at every address of loopback, in front of servers that share `port`; its own port.
async fn far(port: u16) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = SocketAddr::new(client.local_addr().unwrap().ip(), port);
            tokio::spawn(relay(client, server));
        }
    });
    own
}

async fn relay(client: TcpStream, server: SocketAddr) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let (client, server) = (client.into_split(), server.into_split());
    tokio::join!(hold_back(client.0, server.1), hold_back(server.0, client.1));
}

/// Hands on what comes, half a round trip later, without holding back what comes after it.
async fn hold_back(mut from: tokio::net::tcp::OwnedReadHalf, mut to: tokio::net::tcp::OwnedWriteHalf) {
    let (hold, mut held) = tokio::sync::mpsc::unbounded_channel();
    let reading = async move {
        let mut buffer = [0; 16_384];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            hold.send((Instant::now() + ROUND_TRIP / 2, buffer[..read].to_vec())).unwrap();
        }
    };
    let writing = async move {
        while let Some((due, octets)) = held.recv().await {
            tokio::time::sleep_until(due.into()).await;
            if to.write_all(&octets).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(reading, writing);
}

/// A name server behind a relay, over UDP and TCP.
async fn far_name_server(server: SocketAddr) -> SocketAddr {
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = tcp.local_addr().unwrap();
    let udp = Arc::new(UdpSocket::bind(address).await.unwrap());
    tokio::spawn(async move {
        while let Ok((client, _)) = tcp.accept().await {
            tokio::spawn(relay(client, server));
        }
    });
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = udp.recv_from(&mut buffer).await {
            let (question, udp) = (buffer[..length].to_vec(), udp.clone());
            tokio::spawn(async move {
                let upstream = UdpSocket::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).await.unwrap();
                tokio::time::sleep(ROUND_TRIP / 2).await;
                upstream.send_to(&question, server).await.unwrap();
                let mut answer = [0; 4096];
                let length = upstream.recv(&mut answer).await.unwrap();
                tokio::time::sleep(ROUND_TRIP / 2).await;
                let _ = udp.send_to(&answer[..length], peer).await;
            });
        }
    });
    address
}
