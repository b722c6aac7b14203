//! How a policy's body may end, and what is known of the policy then.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

use super::hostile_tests::{drip, flood, kind, policy_host, policy_identity};
use super::limits::MAX_BODY_OCTETS;
use super::testing::{Authority, POLICY, https_with};
use crate::snapshot::{FailureKind, HttpsProbe, Snapshot};

/// What is seen where a server sends these octets and then closes, with or without saying so in TLS (RFC 8446 §6.1).
async fn sent(octets: Vec<u8>, close_notify: bool) -> (HttpsProbe, Snapshot) {
    let authority = Authority::new();
    let port = https_with(policy_identity(&authority).acceptor(), move |mut stream| {
        let octets = octets.clone();
        async move {
            let _ = stream.write_all(&octets).await;
            let _ = stream.flush().await;
            if close_notify { _ = stream.shutdown().await } else { _ = stream.get_mut().0.shutdown().await }
        }
    })
    .await;
    policy_host(&authority, port).await
}

/// The policy and the failure of the one probe.
fn ended((probe, snapshot): &(HttpsProbe, Snapshot)) -> (Option<&str>, Option<FailureKind>) {
    let policy = snapshot.policy.as_ref().and_then(Option::as_ref);
    (policy.map(|policy| std::str::from_utf8(&policy.body.0).unwrap()), kind(&probe.failure))
}

fn with(headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{headers}\r\n{body}").into_bytes()
}

fn length(octets: usize) -> String {
    format!("Content-Length: {octets}\r\n")
}

#[tokio::test]
async fn a_body_of_the_announced_length_is_whole_however_the_connection_ends() {
    for close_notify in [true, false] {
        let seen = sent(with(&length(POLICY.len()), POLICY), close_notify).await;
        assert_eq!(ended(&seen), (Some(POLICY), None), "{close_notify}");
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_is_whole_only_where_the_end_is_said_in_tls() {
    let seen = sent(with("", POLICY), true).await;
    assert_eq!(ended(&seen), (Some(POLICY), None));
    let seen = sent(with("", POLICY), false).await;
    assert_eq!(ended(&seen), (None, Some(FailureKind::Closed)), "anybody on the way can cut it");
    assert_eq!(seen.0.response.unwrap().body.unwrap().0, POLICY.as_bytes(), "what came is kept");
    assert_eq!(seen.1.policy, None, "and that is not \"no policy\"");
}

#[tokio::test]
async fn an_announced_length_that_is_wrong_says_so_or_cuts() {
    let seen = sent(with(&length(POLICY.len() + 1), POLICY), true).await;
    assert_eq!(ended(&seen), (None, Some(FailureKind::Closed)));
    let seen = sent(with(&length(8), POLICY), true).await;
    assert_eq!(ended(&seen), (Some("version:"), None), "as every client reads it");
    let seen = sent(with(&(length(8) + &length(9)), POLICY), true).await;
    assert_eq!(ended(&seen), (None, Some(FailureKind::Protocol)), "two lengths are an attack (RFC 9112 §6.3)");
}

#[tokio::test]
async fn a_body_in_chunks_is_put_together() {
    let chunked = "Transfer-Encoding: chunked\r\n";
    let (first, second) = POLICY.split_at(20);
    let chunks = format!("14\r\n{first}\r\n{:x};extension\r\n{second}\r\n0\r\nTrailer: x\r\n\r\n", second.len());
    assert_eq!(ended(&sent(with(chunked, &chunks), false).await), (Some(POLICY), None));

    let cut = format!("14\r\n{first}\r\n");
    assert_eq!(ended(&sent(with(chunked, &cut), true).await), (None, Some(FailureKind::Closed)));
    let wrong = format!("zz\r\n{first}\r\n");
    let seen = sent(with(chunked, &wrong), true).await;
    assert_eq!(seen.1.policy, None);
    assert!(seen.0.failure.is_some());
}

#[tokio::test]
async fn interim_responses_without_end_are_no_response() {
    let authority = Authority::new();
    let port = https_with(policy_identity(&authority).acceptor(), |mut stream| async move {
        drip(&mut stream, b"HTTP/1.1 103 Early Hints\r\n\r\n").await;
    })
    .await;
    let (probe, snapshot) = policy_host(&authority, port).await;
    assert_eq!((kind(&probe.failure), snapshot.policy), (Some(FailureKind::Timeout), None));
}

#[tokio::test]
async fn a_flood_before_after_and_between_is_cut() {
    let endless_extension = [&b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"[..], &[b'x'; 4_096]].concat();
    for (opening, again) in [
        (&b""[..], &b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"[..]),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: x\r\n"),
        (&endless_extension, b"extension"),
        (b"", b"\r\n"),
    ] {
        let authority = Authority::new();
        let sent = Arc::new(AtomicUsize::new(0));
        let (count, opening) = (sent.clone(), opening.to_vec());
        let port = https_with(policy_identity(&authority).acceptor(), move |mut stream| {
            let (count, opening) = (count.clone(), opening.clone());
            async move {
                let _ = stream.write_all(&opening).await;
                flood(&mut stream, again, 64 << 20, &count).await;
            }
        })
        .await;
        let began = Instant::now();
        let (probe, snapshot) = policy_host(&authority, port).await;
        let failure = probe.failure.unwrap();
        assert!(matches!(failure.kind, FailureKind::Limit | FailureKind::Protocol), "{again:?}: {failure:?}");
        assert_eq!(snapshot.policy, None);
        assert!(sent.load(Ordering::Relaxed) < 8 << 20, "{again:?}: {sent:?} octets");
        // Long before the time for the response is over.
        assert!(began.elapsed() < Duration::from_secs(3), "{again:?}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn chunks_of_one_octet_are_read_up_to_the_limit() {
    let chunks = "1\r\nx\r\n".repeat(MAX_BODY_OCTETS + 1);
    let seen = sent(with("Transfer-Encoding: chunked\r\n", &chunks), true).await;
    let response = seen.0.response.unwrap();
    assert_eq!((response.body_length, response.truncated), (Some(MAX_BODY_OCTETS as u64), true));
}

#[tokio::test]
async fn a_host_that_speaks_http_2_alone_says_so() {
    let authority = Authority::new();
    let identity = policy_identity(&authority);
    let mut config = tokio_rustls::rustls::ServerConfig::clone(identity.acceptor().config());
    config.alpn_protocols = vec![b"h2".to_vec()];
    let port = https_with(TlsAcceptor::from(Arc::new(config)), |_| async {}).await;
    let (probe, _) = policy_host(&authority, port).await;
    let failure = probe.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::TlsAlert);
    assert!(failure.detail.contains("HTTP/1.1"), "{failure:?}");
    assert!(!probe.tls.unwrap().handshake);
}

#[tokio::test]
async fn an_old_protocol_is_told_by_its_version() {
    let authority = Authority::new();
    let port = https_with(policy_identity(&authority).acceptor(), |mut stream| async move {
        let _ = stream.write_all(format!("HTTP/1.0 200 OK\r\n\r\n{POLICY}").as_bytes()).await;
        let _ = stream.shutdown().await;
    })
    .await;
    let (probe, snapshot) = policy_host(&authority, port).await;
    assert_eq!(probe.response.unwrap().version.as_deref(), Some("HTTP/1.0"));
    assert!(snapshot.policy.unwrap().is_some());
}
