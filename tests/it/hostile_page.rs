//! Hostile peers behind the web validator: whatever a domain's hosts do, its page comes in time, says what could not be
//! checked, shows nothing raw, and costs the service and the others little.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use hickory_resolver::proto::op::ResponseCode;
use tokio::io::AsyncWriteExt;

use crate::cost::{peak_memory, processor_time};
use crate::peers::{Authority, Zone, https_at, listen_at, read_command, response, smtp_at};
use crate::service::Service;

/// Markup, terminal control and a command of a CI runner: what hostile hosts say, wherever they can say something.
const SPEECH: &str =
    "</textarea><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[2J\x1b]0;x\x07\u{202e}##vso[task.x]";

/// What must be in no page.
const MARKUP: [&str; 3] = ["<script>alert", "<img src=x", "</textarea><s"];

/// What must be nowhere.
const RAW: [&str; 5] = ["\x1b", "\x07", "\u{202e}", "\0", "##vso["];

/// The domains, and what their pages say.
const HARM: [(&str, &str); 17] = [
    ("headers.test", "the head of the response is longer than is read"),
    ("interim.test", "the server sends more than is read"),
    ("body.test", "senders stop reading and get no policy"),
    ("drip.test", "no greeting within"),
    ("speech.test", "does not offer STARTTLS"),
    ("unsecured.test", "the server answered with something that is not TLS"),
    ("greeting.test", "the reply does not end after 128 lines"),
    ("banner.test", "a line does not end within 32768 octets"),
    ("hang.test", "no greeting within"),
    ("many.test", "the reply does not end after 128 lines"),
    ("texts.test", "Needs repair"),
    ("long.test", "&lt;&lt;&lt;&lt;"),
    ("circle.test", "the aliases form a loop"),
    ("silent.test", "no answer from the resolver within"),
    ("broken.test", "SERVFAIL"),
    ("names.test", "has a character in the label"),
    ("inside.test", "is not a public address"),
];

fn peer(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 77, 0, last)
}

/// A domain with a record, a policy host and an MX host at these addresses.
fn domain(zone: Zone, name: &str, policy_host: Ipv4Addr, mx_host: Ipv4Addr) -> Zone {
    zone.txt(&format!("_mta-sts.{name}"), &[b"v=STSv1; id=1;"])
        .txt(&format!("_smtp._tls.{name}"), &[format!("v=TLSRPTv1; rua=mailto:tls@{name}").as_bytes()])
        .mx(name, 10, &format!("mx.{name}"))
        .a(&format!("mta-sts.{name}"), policy_host)
        .a(&format!("mx.{name}"), mx_host)
}

/// The domains and their peers; the ports of policy hosts and of MX hosts, and the name server.
async fn peers(authority: &Authority) -> (u16, u16, std::net::SocketAddr) {
    let all: Vec<String> = HARM
        .iter()
        .map(|(name, _)| *name)
        .chain(["good.test", "innocent.test"])
        .flat_map(|name| [format!("mta-sts.{name}"), format!("mx.{name}")])
        .collect();
    let names: Vec<&str> = all.iter().map(String::as_str).collect();
    let acceptor = authority.identity(&names).acceptor();
    let (good, speaking) = (peer(1), peer(5));
    let zone = HARM.iter().fold(Zone::default(), |zone, (name, _)| {
        let (policy_host, mx_host) = match *name {
            "headers.test" => (peer(2), good),
            "interim.test" => (peer(3), good),
            "body.test" => (peer(4), good),
            "speech.test" => (speaking, speaking),
            "drip.test" => (peer(6), peer(6)),
            "unsecured.test" => (peer(7), peer(7)),
            "greeting.test" => (good, peer(8)),
            "banner.test" => (good, peer(9)),
            "hang.test" => (peer(10), peer(10)),
            "inside.test" => (Ipv4Addr::new(169, 254, 169, 254), Ipv4Addr::new(10, 0, 0, 1)),
            _ => (good, good),
        };
        domain(zone, name, policy_host, mx_host)
    });
    let zone = domain(domain(zone, "good.test", good, good), "innocent.test", good, good);
    let mut zone = zone
        .txt("_mta-sts.texts.test", &[format!("v=STSv1; id={SPEECH};").as_bytes()])
        .txt("_smtp._tls.texts.test", &[format!("v=TLSRPTv1; rua=mailto:{SPEECH}").as_bytes(), b"\0"])
        .txt("_mta-sts.long.test", &vec![&[b'<'; 255][..]; 230])
        .without("_mta-sts.circle.test")
        .cname("_mta-sts.circle.test", "one.circle.test")
        .cname("one.circle.test", "other.circle.test")
        .cname("other.circle.test", "one.circle.test")
        .silent("_mta-sts.silent.test")
        .silent("mx.silent.test")
        .silent("mta-sts.silent.test")
        .code("mta-sts.broken.test", ResponseCode::ServFail)
        .code("_mta-sts.broken.test", ResponseCode::Refused)
        .mx("names.test", 5, "<script>alert(1)</script>.names.test")
        .a("<script>alert(1)</script>.names.test", good);
    for host in 0..8 {
        let name = format!("mx{host}.many.test");
        zone = zone.mx("many.test", 20 + host, &name);
        for last in 1..=8 {
            zone = zone.a(&name, Ipv4Addr::new(127, 78, host as u8, last));
        }
    }

    let policy = "version: STSv1\r\nmode: testing\r\nmx: mx.good.test\r\nmx: mx.innocent.test\r\nmax_age: 1209600\r\n";
    let https_port = https_at(IpAddr::V4(good), 0, acceptor.clone(), move |mut stream| {
        let octets = response("200 OK", "Content-Type: text/plain\r\n", policy);
        async move {
            let _ = stream.write_all(&octets).await;
            let _ = stream.shutdown().await;
        }
    })
    .await;
    for (address, opening, without_end) in [
        (2, "HTTP/1.1 200 OK\r\n".to_owned(), "X-Header: value\r\n"),
        (3, String::new(), "HTTP/1.1 103 Early Hints\r\n\r\n"),
        (4, "HTTP/1.1 200 OK\r\n\r\n".to_owned(), "version: STSv1\r\n"),
        (5, format!("HTTP/1.1 200 {SPEECH}\r\nX-Said: {SPEECH}\r\n\r\nversion: STSv1\r\nmode: {SPEECH}\r\n"), ""),
    ] {
        https_at(IpAddr::V4(peer(address)), https_port, acceptor.clone(), move |mut stream| {
            let opening = opening.clone();
            async move {
                let _ = stream.write_all(opening.as_bytes()).await;
                while !without_end.is_empty() && stream.write_all(without_end.as_bytes()).await.is_ok() {}
                let _ = stream.shutdown().await;
            }
        })
        .await;
    }

    let smtp_port = smtp_at(IpAddr::V4(good), 0, acceptor).await;
    for port in [https_port, smtp_port] {
        listen_at(IpAddr::V4(peer(6)), port, |mut stream| async move {
            while stream.write_all(b"2").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
        .await;
        listen_at(IpAddr::V4(peer(7)), port, |mut stream| async move {
            let _ = stream.write_all(SPEECH.as_bytes()).await;
        })
        .await;
        listen_at(IpAddr::V4(peer(10)), port, |stream| async move {
            let _held = stream;
            std::future::pending().await
        })
        .await;
    }
    let floods = (0..8).flat_map(|host| (1..=8).map(move |last| Ipv4Addr::new(127, 78, host, last)));
    for address in floods.chain([peer(8)]) {
        listen_at(IpAddr::V4(address), smtp_port, |mut stream| async move {
            while stream.write_all(&b"220-and on\r\n".repeat(100)).await.is_ok() {}
        })
        .await;
    }
    listen_at(IpAddr::V4(peer(9)), smtp_port, |mut stream| async move {
        let _ = stream.write_all(&[b'2'; 1 << 20]).await;
    })
    .await;
    listen_at(IpAddr::V4(speaking), smtp_port, |mut stream| async move {
        let _ = stream.write_all(format!("220 {SPEECH}\r\n").as_bytes()).await;
        while read_command(&mut stream).await.is_some() {
            let _ = stream.write_all(format!("250-{SPEECH}\r\n250 {SPEECH}\r\n").as_bytes()).await;
        }
    })
    .await;
    (https_port, smtp_port, zone.serve().await)
}

/// Everything that can be had of a result.
fn shown(service: &Service, path: &str) -> Vec<(String, String)> {
    let parts = ["", "/what-if", "/proposal", "/compare"].map(|part| format!("{path}{part}"));
    let formats = ["snapshot", "json", "sarif", "markdown", "html"];
    let downloads = formats.map(|format| format!("{path}/download?format={format}"));
    let get = |path: String| {
        let answer = service.get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        (path, answer.body)
    };
    parts.into_iter().chain(downloads).map(get).collect()
}

fn go(authority: &Authority, (https_port, smtp_port, name_server): (u16, u16, std::net::SocketAddr)) {
    let (https_port, smtp_port) = (https_port.to_string(), smtp_port.to_string());
    let (roots, name_server) = (authority.file().display().to_string(), name_server.to_string());
    let service = Service::start_with(&[
        "--allow-loopback",
        "--resolver",
        &name_server,
        "--dnssec",
        "off",
        "--roots",
        &roots,
        "--https-port",
        &https_port,
        "--smtp-port",
        &smtp_port,
        "--timeout",
        "0.6",
        "--deadline",
        "6",
        "--per-client",
        "1000",
        "--fresh",
        "1",
    ]);
    let (path, _) = service.check("good.test");
    let alone = service.get(&format!("{path}/download?format=json")).json()["results"][0]["summary"].clone();
    let before = (processor_time(service.id()), peak_memory(service.id()).unwrap());

    let begun = Instant::now();
    let check = |domain: &'static str| service.check(domain).0;
    let (innocent, results) = std::thread::scope(|scope| {
        let hostile: Vec<_> = HARM.iter().map(|(domain, _)| scope.spawn(|| check(domain))).collect();
        let innocent = scope.spawn(|| check("innocent.test"));
        let results: Vec<String> = hostile.into_iter().map(|check| check.join().unwrap()).collect();
        (innocent.join().unwrap(), results)
    });
    // Eight run at the same time, and each ends within its deadline of six seconds.
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let spent = processor_time(service.id()) - before.0;
    assert!(spent < Duration::from_secs(18), "{spent:?} of the processor for {} domains", HARM.len() + 1);
    let held = peak_memory(service.id()).unwrap() - before.1;
    assert!(held < 256 << 20, "{held} octets for eight domains at the same time");

    let beside = service.get(&format!("{innocent}/download?format=json")).json()["results"][0]["summary"].clone();
    assert_eq!(beside, alone, "an innocent domain loses nothing");
    for ((domain, expected), path) in HARM.iter().zip(&results) {
        let page = service.get(path).body;
        assert!(page.contains(expected), "{domain} does not say {expected:?}");
        for (path, text) in shown(&service, path) {
            let is_html = !path.contains("format=") || path.ends_with("format=html");
            for raw in MARKUP.iter().filter(|_| is_html).chain(&RAW) {
                assert!(!text.contains(*raw), "{domain}: {path} has {raw:?} at {:?}", text.find(*raw));
            }
            let controls = text.chars().filter(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')).count();
            assert_eq!(controls, 0, "{domain}: {path}");
            assert!(text.len() < 2 << 20, "{domain}: {path} has {} octets", text.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_peers_cost_a_page_little_and_show_nothing_raw() {
    let authority = Authority::new();
    let peers = peers(&authority).await;
    tokio::task::spawn_blocking(move || go(&authority, peers)).await.unwrap();
}
