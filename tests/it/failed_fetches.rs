//! Policy fetches and handshakes that fail, each with its cause in one finding, from the socket to the message.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::version::{TLS12, TLS13};

use crate::peers::{Authority, DOMAIN, POLICY, Zone, closed_port, https, https_with, response, smtp};

/// How a server ends a connection.
#[derive(Clone, Copy)]
enum End {
    WithNotice,
    WithoutNotice,
    Reset,
}

async fn checked(authority: &Authority, https_port: u16, smtp_port: u16) -> Value {
    let resolver = Zone::healthy().serve().await;
    let mut command = assert_cmd::Command::cargo_bin("stslint").unwrap();
    command.args(["check", DOMAIN, "--format", "json", "--no-config", "--dnssec", "off", "--authoritative=false"]);
    command.args(["--resolver", &resolver.to_string(), "--roots"]).arg(authority.file());
    command.args(["--https-port", &https_port.to_string(), "--smtp-port", &smtp_port.to_string()]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["results"][0].take()
}

/// The errors among the rules of these groups, with their messages.
fn errors(result: &Value, groups: [&str; 2]) -> Vec<(String, String)> {
    let word = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let checks = result["checks"].as_array().unwrap().iter();
    checks
        .filter(|check| check["outcome"] == "fail" && check["severity"] == "error")
        .filter(|check| groups.iter().any(|group| word(check, "rule").starts_with(group)))
        .map(|check| (word(check, "rule"), word(check, "message")))
        .collect()
}

/// No text of a library is in a message: neither its errors' names nor the numbers of the operating system.
fn is_plain(message: &str) -> bool {
    let debug = ["os error", "Error", "Kind", "::", " { ", "Some(", "unexpected EOF", "unexpected end"];
    !debug.iter().any(|text| message.contains(text))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_in_which_a_fetch_ends_is_told_apart() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
    let (all, more) = (POLICY.len(), POLICY.len() + 9);
    let announced = format!("{head}Content-Length: {more}\r\n\r\n{POLICY}");
    let chunk = format!("{head}Transfer-Encoding: chunked\r\n\r\n{all:x}\r\n{POLICY}\r\n");
    let open = format!("{head}\r\n{POLICY}");
    let cut = "the server closed the connection, without the notice that TLS demands (close_notify),";
    for (sent, end, expected) in [
        ("".to_owned(), End::WithNotice, "the server closed the connection before it answered".to_owned()),
        ("".to_owned(), End::WithoutNotice, format!("{cut} before it answered")),
        ("".to_owned(), End::Reset, "the server reset the connection before it answered".to_owned()),
        (
            announced.clone(),
            End::WithNotice,
            format!("the server closed the connection after {all} of the {more} octets that it announced"),
        ),
        (announced.clone(), End::WithoutNotice, format!("{cut} after {all} of the {more} octets that it announced")),
        (
            announced,
            End::Reset,
            format!("the server reset the connection after {all} of the {more} octets that it announced"),
        ),
        (chunk, End::WithNotice, format!("after {all} octets, before the last chunk came")),
        (open, End::WithoutNotice, format!("{cut} after {all} octets: nobody can tell whether they are all")),
        ("SSH-2.0-server\r\n\r\n".to_owned(), End::WithNotice, "does not begin as one of HTTP/1.1".to_owned()),
        (
            "HTTP/1.1 abc\r\n\r\n".to_owned(),
            End::WithNotice,
            "the status code of the response is not a number".to_owned(),
        ),
    ] {
        let authority = Authority::new();
        let octets = sent.clone().into_bytes();
        let acceptor = authority.identity(&["mta-sts.example.test"]).acceptor();
        let https_port = https_with(acceptor, move |mut stream| {
            let octets = octets.clone();
            async move {
                let _ = stream.write_all(&octets).await;
                let _ = stream.flush().await;
                match end {
                    End::WithNotice => drop(stream.shutdown().await),
                    End::WithoutNotice => drop(stream.get_mut().0.shutdown().await),
                    // What was sent is to be read first: a reset throws away what waits to be.
                    End::Reset => {
                        let (socket, _) = stream.get_mut();
                        let _ = tokio::time::timeout(std::time::Duration::from_millis(100), socket.read_u8()).await;
                        socket.set_zero_linger().unwrap();
                    }
                }
            }
        })
        .await;
        let result = checked(&authority, https_port, closed_port().await).await;
        let found = errors(&result, ["host-", "record-"]);
        let [(rule, message)] = found.as_slice() else { panic!("{expected}: {found:?}") };
        assert_eq!(rule, "record-without-policy", "{message}");
        assert!(message.contains(&expected), "{expected:?}: {message}");
        assert!(is_plain(message), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_that_is_demanded_is_one_finding_with_one_sentence() {
    let demanded = "(the server demands a client certificate, but senders have none)";
    // In TLS 1.3 the alert and the end of the connection race each other.
    for version in [&TLS12, &TLS13, &TLS13, &TLS13, &TLS13, &TLS13] {
        let authority = Authority::new();
        let acceptor = authority.identity(&["mta-sts.example.test"]).demanding(&authority, version);
        let https_port = https(acceptor, response("200 OK", "Content-Type: text/plain\r\n", POLICY)).await;
        let smtp_port = smtp(authority.identity(&["mx.example.test"]).demanding(&authority, version)).await;
        let result = checked(&authority, https_port, smtp_port).await;
        let found = errors(&result, ["host-", "record-"]);
        let expected = format!("the TLS handshake fails {demanded}: senders get no policy");
        assert_eq!(found, [("host-tls".to_owned(), expected)], "{version:?}");
        let found = errors(&result, ["smtp-", "smtp-"]);
        let [(rule, message)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((rule.as_str(), message.contains(demanded)), ("smtp-tls", true), "{message}");
    }
}
