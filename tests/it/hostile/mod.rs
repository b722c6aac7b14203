//! Peers that mean harm, set on the program as it is built: what each costs in processor time and in memory, and what is
//! said of it. Each runs in a process of its own, beside a domain that keeps the process there until it was measured.

mod dns;
mod dnssec;
mod http;
mod innocent;
mod smtp;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::StreamExt;
use stslint::snapshot::{Format, Snapshot, parse};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::cost::{peak_memory, processor_time};
use crate::peers::{Authority, Zone, closed_port};

/// What a domain may cost beyond a healthy one: a second of the processor, ten where nothing is optimised.
const PROCESSOR: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 1 });
/// The same in memory, in octets.
const MEMORY: u64 = 64 << 20;

/// The last domain of each run: its answers are longer than a pipe holds, so that writing them waits for the reader.
const HELD: &str = "held.test";

/// The servers of one run.
pub struct Peers {
    pub authority: Authority,
    pub resolver: SocketAddr,
    pub https_port: u16,
    pub smtp_port: u16,
    /// The DNSKEY records that validation starts at; without any, nothing is validated.
    pub trust_anchor: Option<String>,
}

/// What came of a domain, and what the process cost until then.
pub struct Seen {
    pub snapshot: Snapshot,
    pub processor: Duration,
    pub memory: u64,
}

impl Peers {
    /// A name server, and nobody else.
    pub async fn of(resolver: SocketAddr) -> Self {
        let (https_port, smtp_port) = (closed_port().await, closed_port().await);
        Peers { authority: Authority::new(), resolver, https_port, smtp_port, trust_anchor: None }
    }

    /// Collects a domain; the process may not cost more than `beside` and the limits.
    pub async fn collect(self, what: &str, domain: &str, beside: &Cost) -> Snapshot {
        let seen = self.seen(domain).await;
        let processor = seen.processor.saturating_sub(beside.processor);
        let memory = seen.memory.saturating_sub(beside.memory);
        println!("{what}: {processor:?}, {} KiB", memory >> 10);
        assert!(processor < PROCESSOR, "{what}: {processor:?} of the processor");
        assert!(memory < MEMORY, "{what}: {memory} octets of memory");
        seen.snapshot
    }

    async fn seen(self, domain: &str) -> Seen {
        let domain = domain.to_owned();
        tokio::task::spawn_blocking(move || self.run(&domain)).await.unwrap()
    }

    fn run(&self, domain: &str) -> Seen {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_stslint"));
        command.args(["collect", domain, HELD, "--resolver", &self.resolver.to_string(), "--roots"]);
        command.arg(self.authority.file()).args(["--timeout", "0.6", "--deadline", "6", "--authoritative=false"]);
        command.args(["--https-port", &self.https_port.to_string(), "--smtp-port", &self.smtp_port.to_string()]);
        command.args(self.validation(folder.path()));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (processor, memory) = (processor_time(child.id()), peak_memory(child.id()));
        let _ = child.kill();
        child.wait().unwrap();
        let snapshot = parse("collected", &line, Some(Format::JsonLines)).unwrap();
        assert_eq!(snapshot.domain.as_deref(), Some(domain));
        Seen { snapshot, processor, memory: memory.expect("the process waits for its reader") }
    }

    fn validation(&self, folder: &Path) -> Vec<String> {
        match &self.trust_anchor {
            Some(anchor) => {
                let path = folder.join("anchor");
                std::fs::write(&path, anchor).unwrap();
                vec!["--trust-anchor".to_owned(), path.display().to_string()]
            }
            None => vec!["--dnssec".to_owned(), "off".to_owned()],
        }
    }
}

/// What a healthy domain costs.
pub struct Cost {
    processor: Duration,
    memory: u64,
}

/// A healthy domain, and the one that is read last.
pub fn zone() -> Zone {
    let strings = [&[b'x'; 255][..]; 200];
    let held = ["_mta-sts", "mta-sts", "_tls"].map(|owner| format!("{owner}.{HELD}"));
    held.iter().fold(Zone::healthy(), |zone, owner| zone.txt(owner, &strings))
}

pub async fn healthy() -> Cost {
    let seen = Peers::of(zone().serve().await).await.seen(crate::peers::DOMAIN).await;
    Cost { processor: seen.processor, memory: seen.memory }
}

/// A behaviour, and what must be seen of it.
pub struct Case {
    name: &'static str,
    domain: &'static str,
    peers: Peers,
    check: Box<dyn Fn(&Snapshot) + Send>,
}

pub fn case(
    name: &'static str,
    domain: &'static str,
    peers: Peers,
    check: impl Fn(&Snapshot) + Send + 'static,
) -> Case {
    Case { name, domain, peers, check: Box::new(check) }
}

/// Runs all of them, a few at the same time.
pub async fn all(cases: Vec<Case>) {
    let beside = healthy().await;
    let running = cases.into_iter().map(|Case { name, domain, peers, check }| {
        let beside = &beside;
        async move { (peers.collect(name, domain, beside).await, check) }
    });
    let mut seen = futures_util::stream::iter(running).buffer_unordered(4);
    while let Some((snapshot, check)) = seen.next().await {
        check(&snapshot);
    }
}

/// Sends the same octets until nobody takes them any more.
pub async fn flood<S: AsyncWrite + Unpin>(stream: &mut S, octets: &[u8]) {
    let many = octets.repeat(4_096_usize.div_ceil(octets.len()));
    while stream.write_all(&many).await.is_ok() {}
}

/// Sends one octet after the other, so slowly that each comes in time and the whole never does.
pub async fn drip<S: AsyncWrite + Unpin>(stream: &mut S, octets: &[u8]) {
    for octet in octets.iter().cycle() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if stream.write_all(&[*octet]).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}
