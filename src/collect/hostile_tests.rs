//! Peers that mean harm: each costs a bounded time and a bounded memory, and ends as a fact.
//!
//! Memory is bounded by what is read: servers here count what they get rid of, and the snapshot is measured.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::rdata::A;
use hickory_resolver::proto::rr::{RData, Record};
use rcgen::CertificateParams;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls;

use super::Options;
use super::limits::{MAX_BODY_OCTETS, MAX_CHAIN, MAX_MX_HOSTS, MAX_REPLY_OCTETS};
use super::testing::{
    Authority, DOMAIN, Identity, POLICY, Zone, closed_port, collect, https, https_with, listen, name, options,
    read_command, response, smtp, sockets,
};
use crate::snapshot::{DnsOutcome, FailureKind, Format, HttpsProbe, SmtpProbe, Snapshot, TlsVersion};

/// A snapshot of anything hostile is no larger than this, in octets.
const MAX_SNAPSHOT: usize = 1 << 20;
/// What a sender gets rid of into the buffers of the operating system, though nobody reads it, in octets.
const BUFFERS: usize = 8 << 20;

/// Collects within the deadline of the options, give or take what a busy machine needs.
pub async fn bounded(options: Options) -> Snapshot {
    let limit = options.deadline + Duration::from_secs(3);
    let began = Instant::now();
    let snapshot = collect(options).await;
    assert!(began.elapsed() < limit, "took {:?}", began.elapsed());
    let size = crate::snapshot::to_text(&snapshot, Format::Json).unwrap().len();
    assert!(size < MAX_SNAPSHOT, "{size} octets");
    snapshot
}

/// What is seen of a policy host at this port.
pub async fn policy_host(authority: &Authority, https_port: u16) -> (HttpsProbe, Snapshot) {
    let zone = Zone::healthy().without(DOMAIN).serve().await;
    let snapshot = bounded(options(zone, authority.roots(), https_port, closed_port().await)).await;
    (snapshot.policy_host.as_ref().unwrap().probes.as_ref().unwrap()[0].clone(), snapshot)
}

/// What is seen of an MX host at this port.
pub async fn mx_host(smtp_port: u16) -> SmtpProbe {
    mx_host_of(&Authority::new(), smtp_port).await
}

pub async fn mx_host_of(authority: &Authority, smtp_port: u16) -> SmtpProbe {
    let zone = Zone::healthy().without("mta-sts.example.test").serve().await;
    let snapshot = bounded(options(zone, authority.roots(), closed_port().await, smtp_port)).await;
    snapshot.mx_hosts.unwrap().remove(0).probes.unwrap().remove(0)
}

pub fn policy_identity(authority: &Authority) -> Identity {
    authority.identity(&["mta-sts.example.test"])
}

pub fn kind(failure: &Option<crate::snapshot::Failure>) -> Option<FailureKind> {
    failure.as_ref().map(|failure| failure.kind)
}

/// Sends the same octets again and again until nobody takes them any more; counts them.
pub async fn flood<S: AsyncWrite + Unpin>(stream: &mut S, octets: &[u8], most: usize, sent: &AtomicUsize) {
    while sent.load(Ordering::Relaxed) < most && stream.write_all(octets).await.is_ok() {
        sent.fetch_add(octets.len(), Ordering::Relaxed);
    }
}

/// Sends one octet after the other, so slowly that each comes in time and the whole never does.
pub async fn drip<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, text: &[u8]) {
    for octet in text.iter().cycle() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if stream.write_all(&[*octet]).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn headers_that_drip_end_in_time() {
    let authority = Authority::new();
    let port = https_with(policy_identity(&authority).acceptor(), |mut stream| async move {
        drip(&mut stream, b"HTTP/1.1 200 OK\r\nX: y").await;
    })
    .await;
    let (probe, snapshot) = policy_host(&authority, port).await;
    assert_eq!((kind(&probe.failure), probe.response.is_none()), (Some(FailureKind::Timeout), true));
    assert!(probe.tls.unwrap().handshake, "TLS was well before that");
    assert_eq!(snapshot.policy, None);
}

#[tokio::test]
async fn a_body_that_drips_ends_in_time_and_is_no_policy() {
    let authority = Authority::new();
    let port = https_with(policy_identity(&authority).acceptor(), |mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await;
        drip(&mut stream, b"version: STSv1\n").await;
    })
    .await;
    let (probe, snapshot) = policy_host(&authority, port).await;
    assert_eq!(kind(&probe.failure), Some(FailureKind::Timeout));
    assert!(probe.response.unwrap().body.unwrap().0.starts_with(b"version"));
    assert_eq!(snapshot.policy, None, "what came is not the whole");
}

#[tokio::test]
async fn headers_without_end_are_cut() {
    for line in [&b"X-Header: value\r\n"[..], &[b'a'; 4096]] {
        let authority = Authority::new();
        let sent = Arc::new(AtomicUsize::new(0));
        let count = sent.clone();
        let port = https_with(policy_identity(&authority).acceptor(), move |mut stream| {
            let count = count.clone();
            async move {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
                flood(&mut stream, line, 64 << 20, &count).await;
            }
        })
        .await;
        let (probe, _) = policy_host(&authority, port).await;
        assert!(
            matches!(kind(&probe.failure), Some(FailureKind::Limit | FailureKind::Protocol)),
            "{:?}",
            probe.failure
        );
        assert!(sent.load(Ordering::Relaxed) < BUFFERS);
    }
}

#[tokio::test]
async fn a_body_of_64_mb_is_cut_at_the_limit() {
    let authority = Authority::new();
    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    let port = https_with(policy_identity(&authority).acceptor(), move |mut stream| {
        let count = count.clone();
        async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n").await;
            flood(&mut stream, &[b'x'; 16_384], 64 << 20, &count).await;
        }
    })
    .await;
    let (probe, snapshot) = policy_host(&authority, port).await;
    let http = probe.response.unwrap();
    assert_eq!((http.truncated, http.body_length), (true, Some(MAX_BODY_OCTETS as u64)));
    let policy = snapshot.policy.unwrap().unwrap();
    assert_eq!((policy.body.0.len(), policy.truncated), (MAX_BODY_OCTETS, true));
    assert!(sent.load(Ordering::Relaxed) < BUFFERS);
}

#[tokio::test]
async fn compression_is_never_asked_for_and_never_undone() {
    let authority = Authority::new();
    let bomb = response("200 OK", "Content-Encoding: gzip\r\n", "\u{1f}not really gzip");
    let asked = Arc::new(std::sync::Mutex::new(String::new()));
    let noted = asked.clone();
    let acceptor = policy_identity(&authority).acceptor();
    let port = listen(move |stream| {
        let (acceptor, bomb, noted) = (acceptor.clone(), bomb.clone(), noted.clone());
        async move {
            let mut stream = acceptor.accept(stream).await.unwrap();
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            *noted.lock().unwrap() = String::from_utf8_lossy(&request[..read]).to_lowercase();
            let _ = stream.write_all(&bomb).await;
            let _ = stream.shutdown().await;
        }
    })
    .await;
    let (_, snapshot) = policy_host(&authority, port).await;
    assert_eq!(snapshot.policy.unwrap().unwrap().body.0, b"\x1fnot really gzip");
    let request = asked.lock().unwrap().clone();
    assert!(request.contains("host: mta-sts.example.test\r\n") && !request.contains("accept-encoding"), "{request}");
}

#[tokio::test]
async fn a_connection_that_is_cut_off_says_where() {
    let authority = Authority::new();
    let mute = listen(|stream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let (probe, _) = policy_host(&authority, mute).await;
    assert_eq!((probe.connected, kind(&probe.failure)), (Some(true), Some(FailureKind::Timeout)));
    assert!(!probe.tls.unwrap().handshake);

    let reset = listen(reset).await;
    let (probe, _) = policy_host(&authority, reset).await;
    assert!(matches!(kind(&probe.failure), Some(FailureKind::Reset | FailureKind::Closed)), "{:?}", probe.failure);

    let early =
        https(policy_identity(&authority).acceptor(), b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nversion".to_vec());
    let (probe, snapshot) = policy_host(&authority, early.await).await;
    assert_eq!((kind(&probe.failure), snapshot.policy), (Some(FailureKind::Closed), None));

    let nonsense = https(policy_identity(&authority).acceptor(), b"\0\x1b[31mnonsense\r\n\r\n".to_vec()).await;
    let (probe, _) = policy_host(&authority, nonsense).await;
    assert_eq!(kind(&probe.failure), Some(FailureKind::Protocol));

    let old = listen(|mut stream: TcpStream| async move {
        let mut hello = [0; 1024];
        let _ = stream.read(&mut hello).await;
        // A fatal alert, protocol_version (RFC 8446 §6): all that a server of TLS 1.0 has to say.
        let _ = stream.write_all(&[0x15, 3, 1, 0, 2, 2, 70]).await;
        let _ = stream.shutdown().await;
    })
    .await;
    let (probe, _) = policy_host(&authority, old).await;
    assert_eq!(kind(&probe.failure), Some(FailureKind::TlsAlert));
    assert!(probe.failure.unwrap().detail.contains("alert protocol_version:"));
}

/// Ends a connection with a RST: data that came and was never read makes the system answer the close with one.
pub async fn reset(stream: TcpStream) {
    let _ = stream.readable().await;
    drop(stream);
}

#[tokio::test]
async fn a_chain_of_100_certificates_is_cut_and_judged() {
    let authority = Authority::new();
    let mut identity = policy_identity(&authority);
    let filler = authority.intermediate("Filler").der().clone();
    identity.chain.extend(std::iter::repeat_n(filler, 99));
    let port = https(identity.acceptor(), response("200 OK", "", POLICY)).await;
    let (probe, snapshot) = policy_host(&authority, port).await;
    let tls = probe.tls.unwrap();
    assert_eq!((tls.chain.len(), tls.chain_length), (MAX_CHAIN, Some(100)), "{:?}", tls.failure);
    assert!(snapshot.policy.unwrap().is_some());

    let mut identity = policy_identity(&authority);
    let filler = authority.intermediate("Filler").der().clone();
    identity.chain.extend(std::iter::repeat_n(filler, 400));
    let port = https(identity.acceptor(), response("200 OK", "", POLICY)).await;
    let (probe, _) = policy_host(&authority, port).await;
    assert_eq!(kind(&probe.failure), Some(FailureKind::Limit), "{:?}", probe.failure);
    assert!(!probe.tls.unwrap().handshake);
}

#[tokio::test]
async fn a_certificate_of_many_names_is_kept_and_a_broken_one_says_so() {
    let authority = Authority::new();
    let names: Vec<String> = (0..500).map(|number| format!("{number}.a-rather-long-label.example.test")).collect();
    let identity = authority.identity_of(CertificateParams::new(names).unwrap());
    let port = https(identity.acceptor(), response("200 OK", "", POLICY)).await;
    let (probe, _) = policy_host(&authority, port).await;
    assert_eq!(probe.tls.unwrap().chain[0].dns_ids.len(), 500);

    let mut identity = policy_identity(&authority);
    identity.chain = vec![b"\x30\x82\xff\xffnot a certificate".to_vec().into()];
    let port = https(identity.acceptor(), response("200 OK", "", POLICY)).await;
    let (probe, snapshot) = policy_host(&authority, port).await;
    let tls = probe.tls.unwrap();
    assert!(tls.chain[0].malformed.is_some(), "{:?}", tls.failure);
    assert_eq!(tls.trust.unwrap().verdict, crate::snapshot::TrustVerdict::Malformed);
    assert!(snapshot.policy.unwrap().is_some(), "the policy is still read");
}

#[tokio::test]
async fn a_server_without_tickets_still_shows_its_cipher() {
    let authority = Authority::new();
    let acceptor = policy_identity(&authority).acceptor_with(&[&rustls::version::TLS12]);
    let port = https(acceptor, response("200 OK", "", POLICY)).await;
    let (probe, _) = policy_host(&authority, port).await;
    let tls = probe.tls.unwrap();
    assert_eq!(tls.version, Some(TlsVersion::Tls12));
    assert_eq!(tls.cipher.as_deref(), Some("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"));
}

/// An MX host that sends `opening`, then to each command what `answer` says, and then is silent.
pub async fn scripted(opening: Vec<u8>, answers: Vec<(&'static str, Vec<u8>)>) -> u16 {
    listen(move |mut stream| {
        let (opening, answers) = (opening.clone(), answers.clone());
        async move {
            let _ = stream.write_all(&opening).await;
            while let Some(command) = read_command(&mut stream).await {
                if let Some((_, answer)) = answers.iter().find(|(verb, _)| command.starts_with(verb)) {
                    let _ = stream.write_all(answer).await;
                }
            }
        }
    })
    .await
}

pub const EHLO: (&str, &[u8]) = ("EHLO", b"250-mx\r\n250 STARTTLS\r\n");

pub fn answers(list: &[(&'static str, &[u8])]) -> Vec<(&'static str, Vec<u8>)> {
    list.iter().map(|(verb, answer)| (*verb, answer.to_vec())).collect()
}

#[tokio::test]
async fn no_greeting_is_a_time_out_and_a_late_one_is_waited_for() {
    let probe = mx_host(scripted(Vec::new(), Vec::new()).await).await;
    assert_eq!((probe.connected, kind(&probe.failure)), (Some(true), Some(FailureKind::Timeout)));

    // One step is 600 ms here: a greeting may take three of them.
    let port = listen(|mut stream| async move {
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        let _ = stream.write_all(b"220 late\r\n").await;
        let _ = read_command(&mut stream).await;
        let _ = stream.write_all(b"502 no\r\n").await;
    })
    .await;
    let probe = mx_host(port).await;
    assert_eq!((probe.greeting.unwrap().code, probe.ehlo.unwrap().code), (220, 502));
    assert_eq!(probe.failure, None, "that STARTTLS is not offered is a fact and no failure");
}

#[tokio::test]
async fn replies_without_end_are_cut() {
    for octets in [&b"220-still greeting\r\n"[..], &[b'2'; 4096], b"220-\r\n"] {
        let sent = Arc::new(AtomicUsize::new(0));
        let count = sent.clone();
        let port = listen(move |mut stream| {
            let count = count.clone();
            async move { flood(&mut stream, octets, 64 << 20, &count).await }
        })
        .await;
        let probe = mx_host(port).await;
        assert_eq!(kind(&probe.failure), Some(FailureKind::Limit), "{:?}", probe.failure);
        assert!(sent.load(Ordering::Relaxed) < BUFFERS);
        let longest = probe.transcript.iter().map(|line| line.text.len()).max().unwrap();
        assert!(longest < 2_000, "{longest}");
    }
}

#[tokio::test]
async fn a_reply_that_drips_ends_in_time() {
    let port = listen(|mut stream| async move { drip(&mut stream, b"220-a\r\n").await }).await;
    assert_eq!(kind(&mx_host(port).await.failure), Some(FailureKind::Timeout));
}

#[tokio::test]
async fn a_line_of_1_mb_is_cut_wherever_it_comes() {
    let mut long = b"250 ".to_vec();
    long.resize(1 << 20, b'x');
    long.extend(b"\r\n");
    let probe = mx_host(scripted(b"220 mx\r\n".to_vec(), answers(&[("EHLO", &long)])).await).await;
    assert_eq!(kind(&probe.failure), Some(FailureKind::Limit));
    let whole: usize = probe.transcript.iter().map(|line| line.text.len()).sum();
    assert!(whole < MAX_REPLY_OCTETS, "{whole}");
}

#[tokio::test]
async fn control_characters_are_escaped() {
    let hostile = b"220 mx\0\x1b]0;pwned\x07\xe2\x80\xae\xff\r\n".to_vec();
    let probe = mx_host(scripted(hostile, answers(&[("EHLO", b"250-\x1b[2J\r\n250 \x08\r\n")])).await).await;
    let said = probe.greeting.as_ref().unwrap().lines[0].clone();
    assert_eq!(said, "mx\\u{0}\\u{1b}]0;pwned\\u{7}\\u{202e}\\xff");
    let everything = probe.transcript.iter().map(|line| line.text.as_str()).collect::<String>() + &said;
    assert!(everything.chars().all(|c| !c.is_control()), "{everything}");
    assert_eq!(probe.ehlo.unwrap().lines, ["\\u{1b}[2J", "\\u{8}"]);
}

#[tokio::test]
async fn what_is_no_smtp_is_said_to_be_none() {
    let probe = mx_host(scripted(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(), Vec::new()).await).await;
    assert_eq!((kind(&probe.failure), probe.greeting), (Some(FailureKind::Protocol), None));
    let probe = mx_host(scripted(b"220-a\r\n554 b\r\n".to_vec(), Vec::new()).await).await;
    assert_eq!(kind(&probe.failure), Some(FailureKind::Protocol));
    let probe = mx_host(listen(|stream| async move { drop(stream) }).await).await;
    assert!(matches!(kind(&probe.failure), Some(FailureKind::Closed | FailureKind::Reset)), "{:?}", probe.failure);
}

#[tokio::test]
async fn what_is_injected_before_tls_is_seen_and_not_obeyed() {
    let authority = Authority::new();
    let acceptor = authority.identity(&["mx.example.test"]).acceptor();
    let port = listen(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            let _ = stream.write_all(b"220 mx\r\n").await;
            while let Some(command) = read_command(&mut stream).await {
                match command.as_str() {
                    "STARTTLS" => {
                        let _ = stream.write_all(b"220 go\r\n250-injected\r\n250 EVIL\r\n").await;
                        let Ok(mut stream) = acceptor.accept(stream).await else { return };
                        let _ = read_command(&mut stream).await;
                        let _ = stream.write_all(b"250 mx\r\n").await;
                        let _ = read_command(&mut stream).await;
                        return;
                    }
                    _ => stream.write_all(EHLO.1).await.unwrap(),
                }
            }
        }
    })
    .await;
    let probe = mx_host_of(&authority, port).await;
    assert_eq!(probe.after_starttls.unwrap().0, b"250-injected\r\n250 EVIL\r\n");
    assert_eq!(probe.ehlo_after_tls.unwrap().lines, ["mx"]);
}

#[tokio::test]
async fn starttls_that_leads_nowhere_says_so() {
    let opening = || b"220 mx\r\n".to_vec();
    let silent = scripted(opening(), answers(&[EHLO, ("STARTTLS", b"220 go\r\n")])).await;
    let probe = mx_host(silent).await;
    assert_eq!((kind(&probe.failure), probe.tls.unwrap().handshake), (Some(FailureKind::Timeout), false));

    let refusing = scripted(opening(), answers(&[EHLO, ("STARTTLS", b"454 not now\r\n")])).await;
    let probe = mx_host(refusing).await;
    assert_eq!((probe.starttls.unwrap().code, probe.tls, probe.failure), (454, None, None));

    let plain = listen(|mut stream| async move {
        let _ = stream.write_all(b"220 mx\r\n").await;
        while let Some(command) = read_command(&mut stream).await {
            if command == "STARTTLS" {
                let _ = stream.write_all(b"220 go\r\n").await;
                let mut hello = [0; 16];
                let _ = stream.read_exact(&mut hello).await;
                let _ = stream.write_all(b"500 what is this?\r\n").await;
                let _ = stream.shutdown().await;
                return;
            }
            let _ = stream.write_all(EHLO.1).await;
        }
    })
    .await;
    let probe = mx_host(plain).await;
    assert_eq!(kind(&probe.failure), Some(FailureKind::TlsHandshake), "{:?}", probe.failure);
}

#[tokio::test]
async fn of_500_mx_records_the_most_preferred_are_spoken_to() {
    let mut zone = Zone::healthy().without(DOMAIN);
    for number in 0..500 {
        let host = format!("mx{number}.example.test");
        zone = zone.mx(DOMAIN, 500 - number, &host).a(&host, Ipv4Addr::LOCALHOST);
    }
    let authority = Authority::new();
    let port = smtp(authority.identity(&["mx.example.test"]).acceptor()).await;
    let mut options = options(zone.serve().await, authority.roots(), closed_port().await, port);
    options.timeout = Duration::from_secs(5);
    options.deadline = Duration::from_secs(20);
    let snapshot = bounded(options).await;
    let hosts = snapshot.mx_hosts.unwrap();
    assert_eq!((hosts.len(), hosts[0].exchange.as_str()), (MAX_MX_HOSTS, "mx499.example.test"));
    assert_eq!(snapshot.mx.unwrap().records.len(), 500);
    let left_out = snapshot.collection.unwrap().left_out;
    assert!(left_out.iter().any(|left| left.field == "mx_hosts" && left.reason.contains("of 500")), "{left_out:?}");
    assert!(hosts.iter().all(|host| host.probes.as_ref().unwrap()[0].failure.is_none()));
}

/// A name server that answers each question with what `answer` makes of it.
async fn name_server(answer: impl Fn(Message) -> Vec<u8> + Send + Sync + 'static) -> std::net::SocketAddr {
    let (udp, tcp) = sockets().await;
    let address = udp.local_addr().unwrap();
    tokio::spawn(async move {
        let _tcp: TcpListener = tcp;
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = udp.recv_from(&mut buffer).await {
            let question = Message::from_vec(&buffer[..length]).unwrap();
            let _ = udp.send_to(&answer(question), peer).await;
        }
    });
    address
}

fn respond(question: &Message) -> Message {
    let mut message = Message::response(question.id, question.op_code);
    message.add_queries(question.queries.clone());
    message
}

async fn record_from(server: std::net::SocketAddr) -> crate::snapshot::Lookup<crate::snapshot::TxtRecord> {
    let (port, authority) = (closed_port().await, Authority::new());
    let snapshot = bounded(options(server, authority.roots(), port, port)).await;
    assert_eq!(snapshot.policy, None);
    snapshot.record.unwrap()
}

#[tokio::test]
async fn answers_that_are_none_are_malformed_and_never_an_absence() {
    let garbage = name_server(|question| {
        let mut octets = respond(&question).to_vec().unwrap();
        // Says that it holds 65535 answers, and holds none.
        octets[6] = 0xff;
        octets[7] = 0xff;
        octets
    })
    .await;
    let lookup = record_from(garbage).await;
    assert_eq!((lookup.outcome, kind(&lookup.failure)), (Some(DnsOutcome::Malformed), Some(FailureKind::Resolver)));

    let other = name_server(|question| {
        let mut message = respond(&question);
        message.add_answer(Record::from_rdata(name("other.test"), 60, RData::A(A(Ipv4Addr::LOCALHOST))));
        message.to_vec().unwrap()
    })
    .await;
    let lookup = record_from(other).await;
    assert_eq!((lookup.outcome, lookup.records.len()), (Some(DnsOutcome::Malformed), 0));

    let mismatched = name_server(|question| {
        let mut message = respond(&question);
        message.queries[0].set_name(name("other.test"));
        message.to_vec().unwrap()
    })
    .await;
    assert_eq!(record_from(mismatched).await.outcome, Some(DnsOutcome::Timeout), "a forged answer is none");
}

#[tokio::test]
async fn aliases_without_end_are_cut() {
    let mut zone = Zone::healthy().without("_mta-sts.example.test").cname("_mta-sts.example.test", "0.chain.test");
    for number in 0..100 {
        zone = zone.cname(&format!("{number}.chain.test"), &format!("{}.chain.test", number + 1));
    }
    let lookup = record_from_zone(zone).await;
    assert_eq!((lookup.outcome, kind(&lookup.failure)), (Some(DnsOutcome::Other), Some(FailureKind::Protocol)));
}

#[tokio::test]
async fn a_text_of_64_kb_is_kept_whole() {
    let long = [b'x'; 255];
    let strings: Vec<&[u8]> = std::iter::repeat_n(&long[..], 250).collect();
    let zone = Zone::healthy().without("_mta-sts.example.test").txt("_mta-sts.example.test", &strings);
    let lookup = record_from_zone(zone).await;
    assert_eq!((lookup.outcome, lookup.records[0].joined().len()), (Some(DnsOutcome::Answer), 63_750));
}

async fn record_from_zone(zone: Zone) -> crate::snapshot::Lookup<crate::snapshot::TxtRecord> {
    let (port, authority) = (closed_port().await, Authority::new());
    bounded(options(zone.serve().await, authority.roots(), port, port)).await.record.unwrap()
}

#[tokio::test]
async fn a_domain_that_answers_nothing_at_all_ends_at_the_deadline() {
    let (udp, _tcp) = sockets().await;
    let (port, authority) = (closed_port().await, Authority::new());
    let mut options = options(udp.local_addr().unwrap(), authority.roots(), port, port);
    options.timeout = Duration::from_secs(60);
    options.deadline = Duration::from_millis(700);
    let began = Instant::now();
    let snapshot = bounded(options).await;
    assert!(began.elapsed() < Duration::from_secs(3));
    let record = snapshot.record.unwrap();
    assert_eq!(record.outcome, Some(DnsOutcome::Timeout));
    assert!(record.failure.unwrap().detail.contains("whole collection"));
    assert_eq!((snapshot.mx_hosts, snapshot.policy), (None, None));
}

#[tokio::test]
async fn hosts_that_hang_take_no_place_of_another_domain() {
    let authority = Authority::new();
    let smtp_port = smtp(authority.identity(&["mx.innocent.test"]).acceptor()).await;
    for network in 0..4_u8 {
        for last in 1..=8_u8 {
            let address = std::net::IpAddr::from([127, 66, network, last]);
            super::testing::listen_at(address, smtp_port, |stream| async move {
                let _held = stream;
                std::future::pending().await
            })
            .await;
        }
    }
    let mut zone =
        Zone::default().mx("innocent.test", 10, "mx.innocent.test").a("mx.innocent.test", Ipv4Addr::LOCALHOST);
    let hostile = ["hostile.test", "evil.test"];
    for domain in hostile {
        for host in 0..MAX_MX_HOSTS {
            let exchange = format!("mx{host}.{domain}");
            zone = zone.mx(domain, 10, &exchange);
            for last in 1..=8 {
                zone = zone.a(&exchange, Ipv4Addr::new(127, 66, (host % 4) as u8, last));
            }
        }
    }
    let zone = zone.serve().await;
    let options = options(zone, authority.roots(), closed_port().await, smtp_port);
    let collector = super::Collector::new(options).unwrap();
    let now = jiff::Timestamp::now();
    let harm = futures_util::future::join_all(hostile.iter().map(|domain| collector.collect(domain, now)));
    let innocent = async {
        let began = Instant::now();
        let snapshot = collector.collect("innocent.test", now).await;
        (snapshot, began.elapsed())
    };
    let (_, (snapshot, took)) = tokio::join!(harm, innocent);
    let probe = snapshot.mx_hosts.unwrap().remove(0).probes.unwrap().remove(0);
    assert!(probe.tls.as_ref().is_some_and(|tls| tls.handshake), "{:?}", probe.failure);
    assert!(took < Duration::from_secs(3), "{took:?}");
}
