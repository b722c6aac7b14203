//! Resolvers that mean harm, or are held up by a name server that does: what they cost is bounded, and nobody else pays.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hickory_resolver::proto::op::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::hostile_tests::{bounded, flood, kind};
use super::testing::{Authority, Zone, closed_port, name, options, sockets};
use crate::snapshot::{DnsOutcome, FailureKind};

/// Says over UDP that every answer is too long for it (RFC 1035 §4.2.1), and hands connections to `serve`.
async fn over_tcp<F, S>(serve: S) -> std::net::SocketAddr
where
    F: Future<Output = ()> + Send,
    S: Fn(TcpStream) -> F + Send + Sync + 'static,
{
    let (udp, tcp) = sockets().await;
    let address = udp.local_addr().unwrap();
    tokio::spawn(truncated(udp));
    let serve = Arc::new(serve);
    tokio::spawn(async move {
        while let Ok((stream, _)) = tcp.accept().await {
            let serve = serve.clone();
            tokio::spawn(async move { serve(stream).await });
        }
    });
    address
}

async fn truncated(udp: UdpSocket) {
    let mut buffer = [0; 4096];
    while let Ok((length, peer)) = udp.recv_from(&mut buffer).await {
        let question = Message::from_vec(&buffer[..length]).unwrap();
        let mut message = Message::response(question.id, question.op_code);
        message.add_queries(question.queries.clone());
        message.metadata.truncation = true;
        let _ = udp.send_to(&message.to_vec().unwrap(), peer).await;
    }
}

/// Answers the questions of a connection one after the other, and waits for ever at one of a name.
async fn one_by_one(mut stream: TcpStream, zone: Arc<Zone>, hangs: &str) {
    while let Ok(length) = stream.read_u16().await {
        let mut question = vec![0; usize::from(length)];
        stream.read_exact(&mut question).await.unwrap();
        let question = Message::from_vec(&question).unwrap();
        if name(hangs).zone_of(question.queries[0].name()) {
            std::future::pending::<()>().await;
        }
        let octets = zone.answer(&question).unwrap().to_vec().unwrap();
        let framed = [&u16::try_from(octets.len()).unwrap().to_be_bytes()[..], &octets].concat();
        if stream.write_all(&framed).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_query_that_hangs_costs_no_other_domain_its_answers() {
    let mut zone = Zone::default();
    let innocent: Vec<String> = (0..20).map(|number| format!("innocent{number}.test")).collect();
    for domain in &innocent {
        zone = zone.txt(&format!("_mta-sts.{domain}"), &[b"v=STSv1; id=1;"]).mx(domain, 10, "mx.good.test");
    }
    let zone = Arc::new(zone);
    let address = over_tcp(move |stream| one_by_one(stream, zone.clone(), "hang.test")).await;
    let (authority, port) = (Authority::new(), closed_port().await);
    // Who shares nothing with the query that hangs is not slow, but 22 domains at a time may be.
    let timeout = std::time::Duration::from_secs(2);
    let options = super::Options { timeout, ..options(address, authority.roots(), port, port) };
    let collector = super::Collector::new(options).unwrap();
    let now = jiff::Timestamp::now();
    let harm =
        futures_util::future::join_all(["hang.test", "a.hang.test"].map(|domain| collector.collect(domain, now)));
    let others = futures_util::future::join_all(innocent.iter().map(|domain| collector.collect(domain, now)));
    let (hung, seen) = tokio::join!(harm, others);
    for snapshot in seen {
        let domain = snapshot.domain.clone();
        for outcome in [snapshot.record.unwrap().outcome, snapshot.mx.unwrap().outcome] {
            assert_eq!(outcome, Some(DnsOutcome::Answer), "{domain:?}");
        }
    }
    assert!(hung.iter().all(|snapshot| snapshot.record.as_ref().unwrap().outcome == Some(DnsOutcome::Timeout)));
}

#[tokio::test]
async fn a_stream_without_end_is_not_read_to_its_end() {
    // The longest frames there are: of other questions, and of nothing.
    let mut stranger = Message::response(7, hickory_resolver::proto::op::OpCode::Query).to_vec().unwrap();
    stranger.resize(65_535, 0);
    for frame in [stranger, vec![0; 65_535]] {
        let frame = [&u16::MAX.to_be_bytes()[..], &frame].concat();
        let most_read = Arc::new(AtomicUsize::new(0));
        let most = most_read.clone();
        let address = over_tcp(move |mut stream| {
            let (most, frame) = (most.clone(), frame.clone());
            async move {
                let sent = AtomicUsize::new(0);
                flood(&mut stream, &frame, 64 << 20, &sent).await;
                most.fetch_max(sent.into_inner(), Ordering::Relaxed);
            }
        })
        .await;
        let (authority, port) = (Authority::new(), closed_port().await);
        let began = Instant::now();
        let snapshot = bounded(options(address, authority.roots(), port, port)).await;
        let record = snapshot.record.unwrap();
        assert!(!matches!(record.outcome, Some(DnsOutcome::Answer | DnsOutcome::Nodata | DnsOutcome::Nxdomain)));
        assert!(kind(&record.failure).is_some_and(|kind| kind != FailureKind::Other), "{:?}", record.failure);
        assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
        // Of one connection: what is read before it is closed, and what the system's buffers hold.
        let sent = most_read.load(Ordering::Relaxed);
        assert!(sent > 0 && sent < 64 << 20, "{sent} octets");
    }
}
