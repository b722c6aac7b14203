//! Datagrams that are lost at random, on the way to the resolver and to a zone's own name servers: whatever the pattern, no wrong
//! fact is recorded. Each fact is what it is without loss, or was not observed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::field_reassign_with_default)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::collect::{Collector, DnssecMode, Options, ResolverChoice, Roots};
use crate::facts::Facts;
use crate::lab::{DnsFault, DnsFaultKind, Lab, LabOptions, Record, RecordData, Scenario};
use crate::outcome::{Outcome, Report};
use crate::rules::{RuleSet, evaluate};
use crate::snapshot::Snapshot;
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream, UdpSocket};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SECOND: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Chance that can be had again (xorshift64*).
struct Chance(AtomicU64);

impl Chance {
    fn is_lost(&self, percent: u64) -> bool {
        let step = |mut state: u64| {
            state ^= state >> 12;
            state ^= state << 25;
            Some(state ^ (state >> 27))
        };
        let state = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap();
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % 100 < percent
    }
}

/// Sockets with one port at each of some addresses.
async fn sockets(addresses: &[IpAddr]) -> (u16, Vec<(UdpSocket, TcpListener)>) {
    'ports: loop {
        let mut port = 0;
        let mut bound = Vec::new();
        for address in addresses {
            let Ok(tcp) = TcpListener::bind((*address, port)).await else { continue 'ports };
            port = tcp.local_addr().unwrap().port();
            let Ok(udp) = UdpSocket::bind((*address, port)).await else { continue 'ports };
            bound.push((udp, tcp));
        }
        return (port, bound);
    }
}

/// Stands in front of a name server and loses datagrams in both directions; connections get through where they are let in.
fn relay(udp: UdpSocket, tcp: Option<TcpListener>, server: SocketAddr, percent: u64, seed: u64) {
    let (udp, chance) = (Arc::new(udp), Arc::new(Chance(AtomicU64::new(seed.wrapping_mul(2).wrapping_add(1)))));
    tokio::spawn(async move {
        let mut buffer = [0; 4_096];
        while let Ok((length, peer)) = udp.recv_from(&mut buffer).await {
            if chance.is_lost(percent) {
                continue;
            }
            let (udp, chance, query) = (udp.clone(), chance.clone(), buffer[..length].to_vec());
            tokio::spawn(async move {
                let upstream = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
                let mut buffer = [0; 4_096];
                upstream.send_to(&query, server).await.unwrap();
                let answered = tokio::time::timeout(Duration::from_secs(5), upstream.recv(&mut buffer)).await;
                let lost = chance.is_lost(percent);
                if let (Ok(Ok(length)), false) = (answered, lost) {
                    let _ = udp.send_to(&buffer[..length], peer).await;
                }
            });
        }
    });
    let Some(tcp) = tcp else { return };
    tokio::spawn(async move {
        while let Ok((mut client, _)) = tcp.accept().await {
            tokio::spawn(async move {
                let Ok(mut upstream) = TcpStream::connect(server).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
            });
        }
    });
}

/// How much is lost, and whether the resolver can be asked in another way than by datagrams.
#[derive(Clone, Copy, Debug)]
struct Loss {
    percent: u64,
    over_tcp: bool,
    retry: bool,
    dnssec: DnssecMode,
}

async fn collected(lab: &Lab, folder: &Path, domain: &str, loss: Loss, seed: u64) -> Snapshot {
    let Loss { percent, over_tcp, retry, dnssec } = loss;
    let (port, mut bound) = sockets(&[LOOPBACK]).await;
    let (udp, tcp) = bound.remove(0);
    relay(udp, Some(tcp).filter(|_| over_tcp), lab.resolver(), percent, seed);
    let (name_server_port, servers) = sockets(&[LOOPBACK, SECOND]).await;
    for ((udp, tcp), seed) in servers.into_iter().zip(seed.wrapping_add(1_000)..) {
        relay(udp, Some(tcp), lab.resolver(), percent, seed);
    }
    let mut options = Options::default();
    options.resolver = ResolverChoice::Address(SocketAddr::new(LOOPBACK, port));
    options.dnssec = dnssec;
    options.trust_anchor = Some(folder.join("anchor"));
    options.roots = Roots::File(folder.join("roots.pem"));
    options.https_port = lab.https_port();
    options.smtp_port = lab.smtp_port();
    options.authoritative = true;
    options.name_server_port = name_server_port;
    options.retry = retry;
    options.timeout = Duration::from_secs(4);
    Collector::new(options).unwrap().collect(domain, Timestamp::now()).await
}

/// The fields that differ from run to run, or say how something was found out and not what.
const BESIDE: [&str; 9] = [
    "collected_at",
    "collection",
    "elapsed_ms",
    "extended_errors",
    "failure",
    "first_try",
    "left_out",
    "timeline",
    "transcript",
];

/// Outcomes of queries that say that nothing was seen.
const NOT_OBSERVED: [&str; 3] = ["network", "other", "timeout"];

/// Where what was seen under loss is neither what there is, nor left out.
fn wrong(at: &str, seen: &Value, there: &Value, found: &mut Vec<String>) {
    match (seen, there) {
        (Value::Object(seen), Value::Object(there)) => {
            let outcome = |value: &serde_json::Map<String, Value>| value.get("outcome").cloned();
            if outcome(seen).is_some_and(|outcome| NOT_OBSERVED.contains(&outcome.as_str().unwrap())) {
                return;
            }
            for (key, value) in seen.iter().filter(|(key, _)| !BESIDE.contains(&key.as_str())) {
                let at = format!("{at}/{key}");
                match there.get(key) {
                    // What was not proven is proven of nothing.
                    _ if key == "dnssec" && value == "indeterminate" => {}
                    Some(there) => wrong(&at, value, there, found),
                    None => found.push(format!("{at}: {value}, which is not there")),
                }
            }
        }
        (Value::Array(seen), Value::Array(there)) => {
            for (index, value) in seen.iter().enumerate() {
                let key = ["address", "exchange", "name"].into_iter().find(|key| value.get(key).is_some());
                let same = match key {
                    Some(key) => there.iter().find(|there| there.get(key) == value.get(key)),
                    None if seen.len() == there.len() => there.get(index),
                    None => None,
                };
                match same {
                    Some(there) => wrong(&format!("{at}/{index}"), value, there, found),
                    None => found.push(format!("{at}/{index}: {value}, which is not there")),
                }
            }
        }
        (seen, there) if seen != there => found.push(format!("{at}: {seen}, and not {there}")),
        _ => {}
    }
}

fn report(snapshot: &Snapshot) -> Report {
    evaluate(&RuleSet::built_in().unwrap(), &Facts::of(snapshot, None)).report
}

/// The worst outcome of each rule.
fn outcomes(report: &Report) -> BTreeMap<String, Outcome> {
    let mut worst = BTreeMap::new();
    for check in &report.checks {
        let so_far = worst.entry(check.rule.clone()).or_insert(check.outcome);
        if check.outcome == Outcome::Fail {
            *so_far = Outcome::Fail;
        }
    }
    worst
}

/// A domain with two name servers, without a fault but for one name that nobody can resolve.
fn scenario(domain: &str) -> Scenario {
    let mut scenario = Scenario::good(domain);
    let IpAddr::V4(second) = SECOND else { unreachable!() };
    scenario.records.push(Record::new(&format!("ns.{domain}"), RecordData::A(second)));
    scenario
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loss_on_the_way_makes_no_wrong_fact() {
    let mut faulty = scenario("faulty.example");
    faulty.dns_faults.push(DnsFault::new("_smtp._tls.faulty.example", DnsFaultKind::ServFail));
    faulty.replace_txt("_mta-sts.faulty.example", "v=STSv1; id=not-an-id");
    let options = LabOptions::empty(SystemTime::now()).with(scenario("sound.example")).with(faulty);
    let lab = Lab::start(options).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("roots.pem"), lab.roots_pem()).unwrap();
    std::fs::write(folder.path().join("anchor"), lab.trust_anchor()).unwrap();
    let (lab, folder) = (&lab, folder.path());
    let patterns = [
        (15, true, true),
        (40, true, false),
        (40, false, true),
        (75, true, true),
        (75, false, true),
        (75, false, false),
    ];
    for (domain, dnssec) in [("sound.example", DnssecMode::Validate), ("faulty.example", DnssecMode::Off)] {
        let none = Loss { percent: 0, over_tcp: true, retry: true, dnssec };
        let there = collected(lab, folder, domain, none, 1).await;
        let (there, expected) = (serde_json::to_value(&there).unwrap(), outcomes(&report(&there)));
        let losses = patterns.map(|(percent, over_tcp, retry)| Loss { percent, over_tcp, retry, dnssec });
        // All at once: most of the time goes into waiting for what was lost.
        let seeds = (10..).step_by(10);
        let collecting = losses.iter().zip(seeds).map(|(loss, seed)| collected(lab, folder, domain, *loss, seed));
        for (loss, snapshot) in losses.iter().zip(join_all(collecting).await) {
            let mut found = Vec::new();
            wrong("", &serde_json::to_value(&snapshot).unwrap(), &there, &mut found);
            found.extend(wrong_outcomes(&report(&snapshot), &expected));
            assert!(found.is_empty(), "{domain} {loss:?}: {found:#?}");
        }
    }
}

/// The rules that end in another way than they would without loss, and were checked all the same.
fn wrong_outcomes(report: &Report, expected: &BTreeMap<String, Outcome>) -> Vec<String> {
    let mut found = Vec::new();
    for (rule, outcome) in outcomes(report) {
        let known = [expected.get(&rule), Some(&Outcome::NotChecked), Some(&Outcome::NotApplicable)];
        if known.contains(&Some(&outcome)) || rule == "dns-first-try" {
            continue;
        }
        let told = report.checks.iter().find(|check| check.rule == rule && check.outcome == outcome).unwrap();
        let told = told.message.as_ref().or(told.reason.as_ref());
        found.push(format!("{rule}: {outcome:?}, and not {:?}: {told:?}", expected.get(&rule)));
    }
    found
}
