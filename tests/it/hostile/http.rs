//! Policy hosts that mean harm: whatever they send, it is a policy only where it is whole.

use std::pin::Pin;

use stslint::snapshot::{FailureKind, HttpsProbe, Snapshot};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::{Case, Peers, all, case, drip, flood, zone};
use crate::peers::{Authority, DOMAIN, POLICY, https_with, response};

type Responding = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A policy host that answers with `respond`; what must then be seen of its policy and of its one address.
async fn host(
    name: &'static str,
    respond: impl Fn(TlsStream<TcpStream>) -> Responding + Send + Sync + 'static,
    check: impl Fn(Option<&str>, &HttpsProbe) -> bool + Send + 'static,
) -> Case {
    let authority = Authority::new();
    let acceptor = authority.identity(&["mta-sts.example.test"]).acceptor();
    let https_port = https_with(acceptor, respond).await;
    let peers = Peers { authority, https_port, ..Peers::of(zone().without(DOMAIN).serve().await).await };
    case(name, DOMAIN, peers, move |snapshot: &Snapshot| {
        let policy = snapshot.policy.as_ref().and_then(Option::as_ref);
        let policy = policy.map(|policy| policy.body.lossy().into_owned());
        let probe = &snapshot.policy_host.as_ref().unwrap().probes.as_ref().unwrap()[0];
        assert!(check(policy.as_deref(), probe), "{name}: {policy:.80?} {:?}", probe.failure);
    })
}

/// One that sends these octets and says that this is all.
async fn sends(
    name: &'static str,
    octets: impl AsRef<[u8]>,
    check: impl Fn(Option<&str>, &HttpsProbe) -> bool + Send + 'static,
) -> Case {
    let octets = octets.as_ref().to_vec();
    let respond = move |mut stream: TlsStream<TcpStream>| -> Responding {
        let octets = octets.clone();
        Box::pin(async move {
            let _ = stream.write_all(&octets).await;
            let _ = stream.shutdown().await;
        })
    };
    host(name, respond, check).await
}

/// One that sends the first octets, and the others until nobody takes them.
async fn floods(
    name: &'static str,
    first: &'static str,
    others: &'static [u8],
    check: impl Fn(Option<&str>, &HttpsProbe) -> bool + Send + 'static,
) -> Case {
    let respond = move |mut stream: TlsStream<TcpStream>| -> Responding {
        Box::pin(async move {
            let _ = stream.write_all(first.as_bytes()).await;
            flood(&mut stream, others).await;
        })
    };
    host(name, respond, check).await
}

/// One that sends the first octets, and drips the others.
async fn drips(name: &'static str, first: &'static str, others: &'static [u8]) -> Case {
    let respond = move |mut stream: TlsStream<TcpStream>| -> Responding {
        Box::pin(async move {
            let _ = stream.write_all(first.as_bytes()).await;
            drip(&mut stream, others).await;
        })
    };
    host(name, respond, |policy, probe| policy.is_none() && failed(probe, &[FailureKind::Timeout])).await
}

fn failed(probe: &HttpsProbe, kinds: &[FailureKind]) -> bool {
    probe.failure.as_ref().is_some_and(|failure| kinds.contains(&failure.kind))
}

/// No policy, because of what was sent.
fn refused(policy: Option<&str>, probe: &HttpsProbe) -> bool {
    policy.is_none() && failed(probe, &[FailureKind::Limit, FailureKind::Protocol, FailureKind::Closed])
}

fn whole(policy: Option<&str>, probe: &HttpsProbe) -> bool {
    policy == Some(POLICY) && probe.failure.is_none()
}

fn with(headers: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{headers}\r\n{body}")
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn policy_hosts_cost_little_and_half_a_policy_is_none() {
    let (half, length) = (POLICY.len() / 2, POLICY.len());
    let chunk = format!("{length:x}\r\n{POLICY}\r\n");
    let cut = &POLICY[..half];
    all(vec![
        floods("header fields", "HTTP/1.1 200 OK\r\n", b"X-Header: value\r\n", refused).await,
        floods("one header field", "HTTP/1.1 200 OK\r\nX: ", &[b'x'; 4096], refused).await,
        floods("interim responses", "", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", refused).await,
        floods("100 Continue", "", b"HTTP/1.1 100 Continue\r\n\r\n", refused).await,
        floods("empty lines", "", b"\r\n", refused).await,
        floods("a reason without end", "HTTP/1.1 200 ", &[b'x'; 4096], refused).await,
        floods("trailers", CHUNKED, b"0\r\nX-Trailer: x\r\n", refused).await,
        floods(
            "a chunk's extension",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
            &[b'x'; 4096],
            refused,
        )
        .await,
        floods("a chunk's size", CHUNKED, b"0", refused).await,
        floods("chunks of one octet", CHUNKED, b"1\r\nx\r\n", |policy, _| policy.is_some_and(|it| it.len() == 65_536))
            .await,
        floods("a body without end", "HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 4096], |policy, probe| {
            policy.is_some_and(|it| it.len() == 65_536) && probe.response.as_ref().unwrap().truncated
        })
        .await,
        floods("frames of HTTP/2", "", b"\0\0\0\x04\0\0\0\0\0", refused).await,
        drips("header fields in drops", "HTTP/1.1 200 OK\r\n", b"X: y\r\n").await,
        drips("a body in drops", "HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", b"version: STSv1\n").await,
        drips("interim responses in drops", "", b"HTTP/1.1 103 Early Hints\r\n\r\n").await,
        sends("compression", with("Content-Encoding: gzip\r\n", "\u{1f}no gzip"), |policy, _| {
            policy == Some("\u{1f}no gzip")
        })
        .await,
        sends(
            "a redirect to itself",
            with("Location: https://mta-sts.example.test/.well-known/mta-sts.txt\r\n", "")
                .replace("200 OK", "302 Found"),
            |policy, probe| policy.is_none() && probe.response.as_ref().unwrap().status == 302,
        )
        .await,
        sends("less than announced", with(&format!("Content-Length: {length}\r\n"), cut), refused).await,
        sends("an announced exabyte", with("Content-Length: 1152921504606846976\r\n", POLICY), refused).await,
        sends("a length beyond all", with("Content-Length: 99999999999999999999999\r\n", POLICY), refused).await,
        sends("a negative length", with("Content-Length: -1\r\n", POLICY), refused).await,
        sends("two lengths", with(&format!("Content-Length: {length}\r\nContent-Length: {half}\r\n"), POLICY), refused)
            .await,
        sends("no last chunk", format!("{CHUNKED}{chunk}"), refused).await,
        sends("half a chunk", format!("{CHUNKED}{length:x}\r\n{cut}"), refused).await,
        sends("half a last chunk", format!("{CHUNKED}{chunk}0\r\n"), refused).await,
        sends("all chunks", format!("{CHUNKED}{chunk}0\r\n\r\n"), whole).await,
        sends("a chunk beyond all", format!("{CHUNKED}ffffffffffffffffff\r\n{POLICY}"), refused).await,
        sends("octets of zero", with("X-\0: \0\r\n", POLICY), refused).await,
        sends("101 header fields", with(&"X: y\r\n".repeat(101), POLICY), refused).await,
        sends("no status", format!("HTTP/1.1 abc OK\r\n\r\n{POLICY}"), refused).await,
        sends("no header at all", POLICY, refused).await,
        sends(
            "another protocol",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
            |policy, _| policy.is_none(),
        )
        .await,
        host(
            "an end that is not said",
            |mut stream| {
                Box::pin(async move {
                    let _ = stream.write_all(with("", POLICY).as_bytes()).await;
                    let _ = stream.flush().await;
                    let _ = stream.get_mut().0.shutdown().await;
                })
            },
            refused,
        )
        .await,
        host(
            "a reset in the body",
            |mut stream| {
                Box::pin(async move {
                    let half = with(&format!("Content-Length: {}\r\n", POLICY.len()), &POLICY[..POLICY.len() / 2]);
                    let _ = stream.write_all(half.as_bytes()).await;
                    let _ = stream.flush().await;
                    let _ = stream.get_ref().0.set_zero_linger();
                })
            },
            |policy, probe| policy.is_none() && failed(probe, &[FailureKind::Reset, FailureKind::Closed]),
        )
        .await,
        host(
            "a connection that stays open",
            |mut stream| {
                Box::pin(async move {
                    let _ = stream.write_all(&response("200 OK", "", POLICY)).await;
                    let _ = stream.flush().await;
                    let _ = stream.read(&mut [0; 16]).await;
                })
            },
            whole,
        )
        .await,
    ])
    .await;
}
