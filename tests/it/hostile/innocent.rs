//! Innocent domains beside hostile ones: they lose nothing, and no check of theirs ends otherwise than when they are alone.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Output;

use serde_json::Value;
use tokio::io::AsyncWriteExt;

use super::flood;
use crate::peers::{Authority, Zone, https_at, listen_at, response, smtp_at};

const HOSTILE: [&str; 4] = ["hang.test", "flood.test", "silent.test", "large.test"];

fn innocent() -> Vec<String> {
    (0..20).map(|number| format!("innocent{number}.test")).collect()
}

fn address(network: u8, host: u8, last: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, network, host, last)
}

/// All domains: the hostile ones have 32 MX hosts at eight addresses each.
fn zone() -> Zone {
    let text = [&[b'x'; 255][..]; 240];
    let mut zone = innocent().iter().fold(Zone::default(), |zone, domain| {
        zone.txt(&format!("_mta-sts.{domain}"), &[b"v=STSv1; id=1;"])
            .txt(&format!("_smtp._tls.{domain}"), &[format!("v=TLSRPTv1; rua=mailto:tls@{domain}").as_bytes()])
            .mx(domain, 10, &format!("mx.{domain}"))
            .a(&format!("mta-sts.{domain}"), Ipv4Addr::LOCALHOST)
            .a(&format!("mx.{domain}"), Ipv4Addr::LOCALHOST)
    });
    for (domain, network) in [("hang.test", 91), ("flood.test", 92)] {
        zone = zone.txt(&format!("_mta-sts.{domain}"), &[b"v=STSv1; id=1;"]);
        for host in 0..32_u8 {
            let exchange = format!("mx{host}.{domain}");
            zone = zone.mx(domain, 10, &exchange);
            zone = (1..=8).fold(zone, |zone, last| zone.a(&exchange, address(network, host % 4, last)));
        }
    }
    let silent = ["", "_mta-sts.", "_smtp._tls.", "mta-sts."].map(|prefix| format!("{prefix}silent.test"));
    zone = silent.iter().fold(zone, |zone, owner| zone.silent(owner));
    (0..200).fold(zone.txt("_mta-sts.large.test", &text), |zone, number| {
        zone.mx("large.test", number, &format!("m{number}.large.test"))
    })
}

/// What is seen of domains in one run.
async fn checked(domains: Vec<String>, arguments: Vec<String>) -> BTreeMap<String, Value> {
    let mut command = assert_cmd::Command::cargo_bin("stslint").unwrap();
    command.args(["check", "-", "--format", "json", "--no-config"]).args(arguments).write_stdin(domains.join("\n"));
    let output: Output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let results = report["results"].as_array().unwrap().iter().map(|result| {
        let checks = result["checks"].as_array().unwrap().iter();
        let outcomes = checks.map(|check| serde_json::json!([check["rule"], check["subject"], check["outcome"]]));
        (result["domain"].as_str().unwrap().to_owned(), outcomes.collect())
    });
    results.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn innocent_domains_lose_nothing() {
    let authority = Authority::new();
    let names = innocent().into_iter().flat_map(|domain| [format!("mta-sts.{domain}"), format!("mx.{domain}")]);
    let names: Vec<String> = names.collect();
    let acceptor = authority.identity(&names.iter().map(String::as_str).collect::<Vec<_>>()).acceptor();
    let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let patterns: String = innocent().iter().map(|domain| format!("mx: mx.{domain}\r\n")).collect();
    let policy = format!("version: STSv1\r\nmode: enforce\r\n{patterns}max_age: 1209600\r\n");
    let https_port = https_at(localhost, 0, acceptor.clone(), move |mut stream| {
        let octets = response("200 OK", "Content-Type: text/plain\r\n", &policy);
        async move {
            let _ = stream.write_all(&octets).await;
            let _ = stream.shutdown().await;
        }
    })
    .await;
    let smtp_port = smtp_at(localhost, 0, acceptor).await;
    for (host, last) in (0..4).flat_map(|host| (1..=8).map(move |last| (host, last))) {
        listen_at(IpAddr::V4(address(91, host, last)), smtp_port, |stream| async move {
            let _held = stream;
            std::future::pending().await
        })
        .await;
        listen_at(IpAddr::V4(address(92, host, last)), smtp_port, |mut stream| async move {
            flood(&mut stream, b"220-and on\r\n").await;
        })
        .await;
    }
    let resolver = zone().serve().await.to_string();
    let (https_port, smtp_port) = (https_port.to_string(), smtp_port.to_string());
    let roots = authority.file().display().to_string();
    let arguments: Vec<String> = [
        ["--resolver", &resolver],
        ["--roots", &roots],
        ["--https-port", &https_port],
        ["--smtp-port", &smtp_port],
        ["--timeout", "3"],
        ["--deadline", "12"],
        ["--dnssec", "off"],
    ]
    .concat()
    .into_iter()
    .map(str::to_owned)
    .collect();
    let alone = checked(innocent(), arguments.clone()).await;
    assert_eq!(alone.len(), 20);
    let passed = |checks: &Value| checks.to_string().matches("\"pass\"").count();
    assert!(alone.values().all(|checks| passed(checks) > 40), "{alone:?}");
    // The hostile ones come first, and between.
    let mut mixed = innocent();
    for (index, hostile) in HOSTILE.into_iter().enumerate() {
        mixed.insert(index * 3, hostile.to_owned());
    }
    let beside = checked(mixed, arguments).await;
    assert_eq!(beside.len(), 24);
    for (domain, checks) in &alone {
        assert_eq!(&beside[domain], checks, "{domain}");
    }
}
