//! Whatever hostile hosts and name servers say, `check --snapshot` reads what `collect` wrote of it, in every format.

#![cfg(all(feature = "lab", unix))]

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use stslint::snapshot::{MAX_SNAPSHOT_OCTETS, Snapshot, read};
use tokio::io::AsyncWriteExt;

use crate::peers::{Authority, Zone, closed_port, listen_at, read_command};

/// How many MX hosts a domain names, each of them at two addresses.
const HOSTS: u8 = 16;

/// A domain of which everything is as large as it can be: texts of thousands of strings, names of escapes, and hosts whose
/// replies are of escapes too.
fn zone() -> Zone {
    let strings = [b"\0"; 4_000].map(|string| &string[..]);
    let mut zone = Zone::default();
    for owner in ["_mta-sts", "_smtp._tls", "mta-sts", "_mta_sts", "_tls", "_smtp-tls", "_smtp_tls", "_tlsrpt"] {
        zone = zone.txt(&format!("{owner}.large.test"), &strings);
    }
    let label = "\u{1}".repeat(61);
    for number in 0..240_u16 {
        zone = zone.mx("large.test", 100, &format!("{number:03}.{label}.{label}.{label}.large.test"));
    }
    for host in 0..HOSTS {
        let name = format!("mx{host}.large.test");
        zone = zone.mx("large.test", 10, &name).a(&name, address(host, 1)).a(&name, address(host, 2));
    }
    zone
}

fn address(host: u8, last: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 81, host, last)
}

/// MX hosts whose greetings and replies are as long as is read, of octets that are written as escapes.
async fn hosts() -> u16 {
    let line = |code: &str| [code.as_bytes(), &[1; 250], b"\r\n"].concat();
    let reply = |code: u16| [line(&format!("{code}-")).repeat(126), line(&format!("{code} "))].concat();
    let (greeting, answer) = (reply(220), reply(250));
    let mut port = 0;
    for (host, last) in (0..HOSTS).flat_map(|host| [(host, 1), (host, 2)]) {
        let (greeting, answer) = (greeting.clone(), answer.clone());
        port = listen_at(IpAddr::V4(address(host, last)), port, move |mut stream| {
            let (greeting, answer) = (greeting.clone(), answer.clone());
            async move {
                let _ = stream.write_all(&greeting).await;
                while read_command(&mut stream).await.is_some() && stream.write_all(&answer).await.is_ok() {}
            }
        })
        .await;
    }
    port
}

async fn stslint(folder: &Path, args: &[&str]) -> Output {
    let mut command = assert_cmd::Command::cargo_bin("stslint").unwrap();
    command.current_dir(folder).args(args);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn limits(snapshot: &Snapshot) -> usize {
    let text = serde_json::to_string(snapshot).unwrap();
    text.matches("\"detail\":\"not kept: ").count() + text.matches("\"detail\":\"not connected to: ").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_collected_is_read_whatever_was_said() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let (resolver, smtp_port, https_port) = (zone().serve().await, hosts().await, closed_port().await);
    let (smtp_port, https_port, resolver) = (smtp_port.to_string(), https_port.to_string(), resolver.to_string());
    let roots = authority.file().display().to_string();
    let network = ["--dnssec", "off", "--resolver", &resolver, "--roots", &roots, "--authoritative=false"];
    let ports = ["--smtp-port", &smtp_port, "--https-port", &https_port];
    for file in ["large.yaml", "large.json", "large.jsonl"] {
        let collect = ["collect", "large.test", "-o", file];
        let output = stslint(folder.path(), &[&collect[..], &network, &ports].concat()).await;
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let path = folder.path().join(file);
        let octets = path.metadata().unwrap().len();
        assert!(octets > 2 << 20 && octets <= MAX_SNAPSHOT_OCTETS, "{file}: {octets} octets");
        let snapshot = read(&path).next().unwrap().unwrap();
        // What found no room is not observed, and says so; it is nowhere an absence.
        assert!(limits(&snapshot) > 0, "{file}: everything found room");
        let hosts = snapshot.mx_hosts.as_ref().unwrap();
        assert_eq!(hosts.len(), 32, "{file}");
        for host in hosts.iter().filter(|host| host.exchange.starts_with("mx")) {
            let probes = host.probes.as_ref().unwrap();
            assert_eq!(probes.len(), 2, "{file}: {}", host.exchange);
            assert!(probes.iter().all(|probe| probe.greeting.is_some() || probe.failure.is_some()), "{file}");
        }
        let output = stslint(folder.path(), &["check", "--snapshot", file, "--format", "json"]).await;
        assert_eq!(output.status.code(), Some(1), "{file}: {}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let reasons =
            report["results"][0]["checks"].as_array().unwrap().iter().filter_map(|check| check["reason"].as_str());
        assert!(reasons.filter(|reason| reason.contains("more than a snapshot may hold")).count() > 0, "{file}");
    }
}
