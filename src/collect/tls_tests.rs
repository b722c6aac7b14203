//! TLS that fails at each of its steps, over SMTP and HTTPS alike, and certificates that cannot be read.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::hostile_tests::{EHLO, kind, mx_host, mx_host_of, policy_host, policy_identity};
use super::testing::{
    Authority, LOOPBACK, POLICY, https, listen, read_command, response, rsa_key_exchange, smtp, smtp_then,
};
use crate::snapshot::{FailureKind, TlsVersion, TrustVerdict};

/// Takes a ClientHello and answers with these octets.
async fn answers_hello(mut stream: TcpStream, octets: &'static [u8]) {
    let mut hello = [0; 4096];
    let _ = stream.read(&mut hello).await;
    let _ = stream.write_all(octets).await;
    let _ = stream.shutdown().await;
}

/// An MX host that answers a ClientHello with these octets.
async fn mx_that_answers_hello(octets: &'static [u8]) -> u16 {
    listen(move |mut stream| async move {
        let _ = stream.write_all(b"220 mx\r\n").await;
        while let Some(command) = read_command(&mut stream).await {
            if command == "STARTTLS" {
                let _ = stream.write_all(b"220 go\r\n").await;
                return answers_hello(stream, octets).await;
            }
            let _ = stream.write_all(EHLO.1).await;
        }
    })
    .await
}

#[tokio::test]
async fn an_alert_in_place_of_a_handshake_says_what_it_means() {
    // RFC 8446 §6: the record's type 21, its version and length, level fatal, and the description.
    for (octets, word) in [
        (&[21, 3, 1, 0, 2, 2, 70][..], "neither TLS 1.2 nor TLS 1.3"),
        (&[21, 3, 3, 0, 2, 2, 40], "accepts nothing that is offered"),
        (&[21, 3, 3, 0, 2, 2, 112], "does not know the name"),
        (&[21, 3, 3, 0, 2, 2, 80], "on its side"),
        (&[21, 3, 3, 0, 2, 2, 255], "alert"),
    ] {
        let authority = Authority::new();
        let (probe, snapshot) = policy_host(&authority, listen(move |s| answers_hello(s, octets)).await).await;
        let failure = probe.failure.unwrap();
        assert_eq!((failure.kind, snapshot.policy), (FailureKind::TlsAlert, None), "{failure:?}");
        assert!(failure.detail.contains(word), "{failure:?}");
        assert!(!probe.tls.unwrap().handshake);

        let probe = mx_host(mx_that_answers_hello(octets).await).await;
        let tls = probe.tls.unwrap();
        assert_eq!((kind(&tls.failure), tls.handshake), (Some(FailureKind::TlsAlert), false));
        assert!(tls.failure.unwrap().detail.contains(word));
    }
}

#[tokio::test]
async fn a_server_that_agrees_on_tls_1_1_is_too_old() {
    // A ServerHello of TLS 1.1 (RFC 4346 §7.4.1.3), with TLS_RSA_WITH_AES_128_CBC_SHA and no session.
    const HELLO: [u8; 47] = {
        let mut hello = [7; 47];
        let head = [22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
        let mut at = 0;
        while at < head.len() {
            hello[at] = head[at];
            at += 1;
        }
        (hello[43], hello[44], hello[45], hello[46]) = (0, 0, 47, 0);
        hello
    };
    let authority = Authority::new();
    let (probe, _) = policy_host(&authority, listen(|s| answers_hello(s, &HELLO)).await).await;
    let failure = probe.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::TlsHandshake, "{failure:?}");
    assert!(failure.detail.contains("neither TLS 1.2 nor TLS 1.3"), "{failure:?}");
}

#[tokio::test]
async fn an_alert_after_the_certificate_leaves_the_certificate_known() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let authority = Authority::new();
        let acceptor = policy_identity(&authority).demanding(&authority, version);
        let (probe, snapshot) = policy_host(&authority, https(acceptor, response("200 OK", "", POLICY)).await).await;
        let demanded = Some(FailureKind::ClientCertificate);
        assert_eq!((kind(&probe.failure), snapshot.policy), (demanded, None), "{:?}", probe.failure);
        let tls = probe.tls.unwrap();
        assert_eq!((tls.handshake, tls.client_certificate, &tls.failure), (false, true, &probe.failure));
        assert_eq!(tls.chain[0].dns_ids, ["mta-sts.example.test"]);

        let acceptor = authority.identity(&["mx.example.test"]).demanding(&authority, version);
        let probe = mx_host_of(&authority, smtp(acceptor).await).await;
        assert_eq!(kind(&probe.failure), demanded, "{:?}", probe.failure);
        assert_eq!((probe.tls.unwrap().chain.len(), probe.ehlo_after_tls), (1, None));
    }
}

#[tokio::test]
async fn certificates_that_cannot_be_read_say_so_and_keep_their_octets() {
    let authority = Authority::new();
    let whole = policy_identity(&authority).chain[0].to_vec();
    let trailing = [&whole[..], b"more"].concat();
    let cut = whole[..whole.len() / 2].to_vec();
    // The version of a certificate (RFC 5280 §4.1.2.1), made 128: well-formed DER, and no certificate.
    let mut version = whole.clone();
    let at = version.windows(5).position(|octets| octets == [0xa0, 3, 2, 1, 2]).unwrap();
    version[at + 4] = 0x7f;
    for (what, octets) in [("trailing", trailing), ("cut", cut), ("version", version), ("text", b"hello".to_vec())] {
        let mut identity = policy_identity(&authority);
        identity.chain = vec![CertificateDer::from(octets.clone())];
        let port = https(identity.acceptor(), response("200 OK", "", POLICY)).await;
        let (probe, _) = policy_host(&authority, port).await;
        let tls = probe.tls.unwrap();
        let certificate = tls.chain.first().unwrap_or_else(|| panic!("{what}: {:?}", probe.failure));
        assert_eq!(certificate.sha256.as_deref(), Some(super::certificate::sha256(&octets).as_str()), "{what}");
        assert_ne!(tls.trust.unwrap().verdict, TrustVerdict::Trusted, "{what}");
        assert_ne!(tls.verifier.as_deref(), Some("ok"), "{what}");
    }
}

#[tokio::test]
async fn a_second_look_sees_what_the_library_cannot_speak() {
    let authority = Authority::new();
    let chain = authority.identity(&["mx.example.test"]).chain;
    let port = smtp_then(LOOPBACK, 0, move |stream| {
        let chain = chain.clone();
        async move { rsa_key_exchange(stream, &chain, 3).await }
    })
    .await;
    let probe = mx_host_of(&authority, port).await;
    let tls = probe.tls.unwrap();
    let look = tls.second_look.unwrap();
    assert_eq!((look.version, tls.handshake), (TlsVersion::Tls12, false));
    assert_eq!(look.cipher.as_deref(), Some("TLS_RSA_WITH_AES_128_CBC_SHA"));
    assert_eq!((tls.trust.unwrap().verdict, tls.verifier.as_deref()), (TrustVerdict::Trusted, Some("ok")));
    assert_eq!(kind(&tls.failure), Some(FailureKind::TlsAlert));
    assert_eq!(probe.without_sni.unwrap().second_look.as_ref(), Some(&look));
    assert_eq!(tls.older_version, Some(Some(TlsVersion::Tls11)));

    let chain = policy_identity(&authority).chain;
    let port = listen(move |stream| {
        let chain = chain.clone();
        async move { rsa_key_exchange(stream, &chain, 3).await }
    })
    .await;
    let (probe, snapshot) = policy_host(&authority, port).await;
    let tls = probe.tls.unwrap();
    assert_eq!((tls.second_look.unwrap(), tls.verifier.as_deref()), (look, Some("ok")));
    assert_eq!(snapshot.policy, None);
}

#[tokio::test]
async fn a_server_that_offers_nothing_old_says_so_and_one_that_hangs_says_nothing() {
    let authority = Authority::new();
    let good = smtp(authority.identity(&["mx.example.test"]).acceptor()).await;
    assert_eq!(mx_host_of(&authority, good).await.tls.unwrap().older_version, Some(None));
    let acceptor = authority.identity(&["mx.example.test"]).acceptor();
    let hangs = smtp_then(LOOPBACK, 0, move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut hello = [0; 11];
            while stream.peek(&mut hello).await.is_ok_and(|read| (1..11).contains(&read)) {}
            // The version of the ClientHello itself.
            if hello[9..] == [3, 2] {
                std::future::pending::<()>().await;
            }
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let _ = stream.write_all(b"250 mx.example.test\r\n").await;
            let _ = stream.read(&mut [0; 64]).await;
        }
    })
    .await;
    let tls = mx_host_of(&authority, hangs).await.tls.unwrap();
    assert_eq!((tls.handshake, tls.older_version), (true, None));
}
