//! Who may speak to a host, and how much of what hosts say is kept: shared out by domain, so that none takes the others'
//! places, and limited by address and network, whatever names lead there. Every pass takes its share here.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::failure;
use super::gate::Gate;
use super::guard::Admitted;
use super::kept::Budget;
use super::limits::{
    CONNECTING, Clock, KEPT_FOR_EACH_ANSWER, KEPT_FOR_EACH_HOST, LEAST_FOR_CONVERSATION, MAX_ANSWERS,
    MAX_ANSWERS_OCTETS, MAX_CONNECTIONS, MAX_HOSTS, MAX_KEPT_OCTETS, MAX_PER_HOST, MAX_PROOFS_WORK, MAX_WORK,
    NETWORK_TIMES, SHARES, WEB_PER_ADDRESS,
};
use super::memo::Memo;
use super::work::Work;
use crate::snapshot::{DnsOutcome, Failure, FailureKind, Lookup, written_size};

/// How many hosts, addresses and networks have places of their own.
const REMEMBERED: usize = 8_192;

/// Why no more of a host is kept.
const TOO_MUCH: &str = "what the hosts of this domain say is more than a snapshot may hold";

type Places = Arc<Semaphore>;

/// The places of a run.
pub struct Shares {
    /// The conversations.
    pub talks: Talks,
    sockets: Talks,
    smtp_port: u16,
    per_address: usize,
    each: usize,
    addresses: Memo<(IpAddr, u16), Places>,
    networks: Memo<(IpAddr, u16), Places>,
}

impl Shares {
    /// So many places in all, of which each domain gets the same number; so many for each address of a mail server.
    pub fn new(concurrency: usize, smtp_port: u16, per_address: usize) -> Self {
        Shares {
            smtp_port,
            per_address: per_address.max(1),
            talks: Talks::of(concurrency),
            sockets: Talks::of(concurrency.saturating_mul(CONNECTING)),
            each: concurrency.checked_div(SHARES).unwrap_or(1).max(1),
            addresses: Memo::new(REMEMBERED),
            networks: Memo::new(REMEMBERED),
        }
    }

    /// The share of one domain.
    pub fn of_domain(&self) -> Share {
        Share {
            places: Arc::new(Semaphore::new(self.each)),
            hosts: Memo::new(REMEMBERED),
            connections: AtomicUsize::new(0),
            conversations: Budget::of(MAX_KEPT_OCTETS, KEPT_FOR_EACH_HOST, MAX_HOSTS),
            answers: Budget::of(MAX_ANSWERS_OCTETS, KEPT_FOR_EACH_ANSWER, MAX_ANSWERS),
            work: Work::of(MAX_WORK),
            proofs: Arc::new(Work::of(MAX_PROOFS_WORK)),
        }
    }

    /// Waits until few wait to connect or to talk.
    pub async fn ready(&self) {
        self.sockets.gate.ready().await;
        self.talks.gate.ready().await;
    }

    /// The leave to connect to an address. Whoever waits for the run holds places that only its own peers share. To talk, a
    /// place among the [`Talks`] is taken as well: a host that never answers costs a socket, and nobody's turn.
    pub async fn connection(&self, to: Admitted, port: u16, clock: Clock) -> Result<Leave, Failure> {
        let address = to.address().to_canonical();
        let permits = async {
            // Mail servers count the connections of a client; web servers serve whole towns behind one address.
            let most = if port == self.smtp_port { self.per_address } else { WEB_PER_ADDRESS };
            let own = taken(&self.addresses, (address, port), most).await?;
            let near = taken(&self.networks, (network(address), port), most.saturating_mul(NETWORK_TIMES)).await?;
            let run = self.sockets.gate.place(&self.sockets.places).await.ok()?;
            Some(Leave { _permits: [Some(own), Some(near), Some(run)] })
        };
        clock.until_deadline("free place in the queue", permits).await?.ok_or_else(ended)
    }
}

/// The conversations that go on at the same time in a run: each needs the processor.
#[derive(Clone, Debug)]
pub struct Talks {
    places: Places,
    gate: Arc<Gate>,
}

impl Talks {
    fn of(places: usize) -> Self {
        Talks { places: Arc::new(Semaphore::new(places.max(1))), gate: Arc::default() }
    }

    /// Waits for a place to talk in, with a host that is connected to.
    pub async fn place(&self, clock: Clock) -> Result<OwnedSemaphorePermit, Failure> {
        let place = clock.until_deadline("free place in the queue", self.gate.place(&self.places)).await?;
        place.map_err(|_| ended())
    }
}

/// What one domain may cost: its places, its connections, and the octets that are kept.
pub struct Share {
    places: Places,
    hosts: Memo<String, Places>,
    connections: AtomicUsize,
    conversations: Budget,
    answers: Budget,
    /// The processor time of its conversations.
    pub work: Work,
    /// The processor time of what DNSSEC proves of its answers.
    pub proofs: Arc<Work>,
}

impl Share {
    /// The leave to speak to a host. Its hosts take turns: none of them waits with more than two addresses.
    pub async fn turn(&self, host: &str, clock: Clock) -> Result<Leave, Failure> {
        let host = host.to_ascii_lowercase();
        let permits = async {
            let host = taken(&self.hosts, host.clone(), MAX_PER_HOST).await?;
            let place = self.places.clone().acquire_owned().await.ok()?;
            Some(Leave { _permits: [Some(host), Some(place), None] })
        };
        let leave = clock.until_deadline("free place in the queue", permits).await?.ok_or_else(ended)?;
        if self.conversations.has_refused(&host) || !self.conversations.has(&host, LEAST_FOR_CONVERSATION) {
            return Err(failure(FailureKind::Limit, format!("not connected to: {TOO_MUCH}")));
        }
        if self.connections.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
            let detail = format!("not connected to: this domain names more than {MAX_CONNECTIONS} addresses of hosts");
            return Err(failure(FailureKind::Limit, detail));
        }
        Ok(leave)
    }

    /// What is kept of a conversation with a host: all of it, else what `refused` makes of the reason, else nothing.
    pub fn keep<T: Serialize>(&self, host: &str, seen: T, refused: impl FnOnce(Failure) -> T) -> Option<T> {
        match self.charge(host, &seen) {
            Ok(()) => Some(seen),
            Err(failure) => Some(refused(failure)).filter(|refused| self.charge(host, refused).is_ok()),
        }
    }

    /// Charges a host with what was seen of it, unless that is more than is left. Once it was, no more of its addresses
    /// are spoken to: each would cost as much, and for nothing.
    pub fn charge(&self, host: &str, seen: &impl Serialize) -> Result<(), Failure> {
        if self.conversations.take(&host.to_ascii_lowercase(), written_size(seen)) {
            return Ok(());
        }
        Err(failure(FailureKind::Limit, format!("not kept: {TOO_MUCH}")))
    }

    /// What is kept of an answer: all of it, or that there was one.
    pub fn keep_answer<R: Serialize>(&self, kind: &str, lookup: Lookup<R>) -> Lookup<R> {
        let name = lookup.name.clone().unwrap_or_default();
        if self.answers.take(&format!("{kind} {name}"), written_size(&lookup)) {
            return lookup;
        }
        let detail = format!("not kept: the answers about this domain have more than {MAX_ANSWERS_OCTETS} octets");
        Lookup {
            name: lookup.name,
            outcome: Some(DnsOutcome::Other),
            dnssec: lookup.dnssec,
            failure: Some(failure(FailureKind::Limit, detail)),
            elapsed_ms: lookup.elapsed_ms,
            ..Lookup::default()
        }
    }
}

/// Places that are taken until this is dropped.
pub struct Leave {
    _permits: [Option<OwnedSemaphorePermit>; 3],
}

async fn taken<K: Clone + Ord>(memo: &Memo<K, Places>, key: K, most: usize) -> Option<OwnedSemaphorePermit> {
    memo.get(key, |_| true, || async { Arc::new(Semaphore::new(most)) }).await.acquire_owned().await.ok()
}

/// The network that an address is likely to share with its neighbours: /24, or /64 for IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V4((u32::from(address) & 0xffff_ff00).into()),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
    }
}

fn ended() -> Failure {
    failure(FailureKind::Other, "the run has ended")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::super::limits::PER_ADDRESS;
    use super::*;
    use crate::collect::guard::Guard;
    use crate::collect::options::ConnectTo;

    fn clock() -> Clock {
        Clock::start(Duration::from_millis(50), Duration::from_millis(50))
    }

    #[tokio::test]
    async fn a_domain_keeps_its_places_whatever_the_others_hold() {
        let shares = Shares::new(2 * SHARES, 25, PER_ADDRESS);
        let mut held = Vec::new();
        for domain in 0..SHARES {
            let share = shares.of_domain();
            for host in 0..2 {
                let turn = share.turn(&format!("mx{host}"), clock()).await.unwrap();
                let address = IpAddr::from([10, u8::try_from(domain).unwrap(), host, 1]);
                let to = Guard::new(ConnectTo::Any).admit(address).unwrap();
                held.push((turn, shares.connection(to, 25, clock()).await.unwrap()));
            }
            assert!(share.turn("mx2", clock()).await.is_err(), "its share is taken");
        }
    }

    #[tokio::test]
    async fn an_address_and_its_network_are_spared_whatever_names_lead_there() {
        let shares = Shares::new(1_024, 25, PER_ADDRESS);
        let connection = async |address: &str, port| {
            let to = Guard::new(ConnectTo::Any).admit(address.parse().unwrap()).unwrap();
            shares.connection(to, port, clock()).await
        };
        let mut held = Vec::new();
        for _ in 0..PER_ADDRESS {
            held.push(connection("192.0.2.1", 25).await.unwrap());
        }
        assert!(connection("192.0.2.1", 25).await.is_err());
        assert!(connection("::ffff:192.0.2.1", 25).await.is_err(), "the same host in another form");
        assert!(connection("192.0.2.1", 443).await.is_ok());
        for last in 0..PER_ADDRESS * (NETWORK_TIMES - 1) {
            held.push(connection(&format!("192.0.2.{}", last + 2), 25).await.unwrap());
        }
        assert!(connection("192.0.2.254", 25).await.is_err());
        assert!(connection("192.0.3.1", 25).await.is_ok());
        for last in 0..PER_ADDRESS * NETWORK_TIMES {
            held.push(connection(&format!("2001:db8::{last:x}"), 25).await.unwrap());
        }
        assert!(connection("2001:db8::ffff", 25).await.is_err() && connection("2001:db8:0:1::1", 25).await.is_ok());
    }

    #[tokio::test]
    async fn connections_and_octets_have_an_end() {
        let shares = Shares::new(1_024, 25, PER_ADDRESS);
        let share = shares.of_domain();
        for host in 0..MAX_CONNECTIONS {
            assert!(share.turn(&format!("mx{host}"), clock()).await.is_ok());
        }
        let failure = share.turn("mx", clock()).await.err().unwrap();
        assert_eq!(failure.kind, FailureKind::Limit);
        let share = shares.of_domain();
        let refused = |failure: Failure| failure.detail;
        assert_eq!(share.keep("mx", "x".repeat(MAX_KEPT_OCTETS), refused).unwrap(), format!("not kept: {TOO_MUCH}"));
        assert_eq!(share.turn("mx", clock()).await.err().unwrap().kind, FailureKind::Limit, "the next costs as much");
        while share.keep("mx", "x".repeat(1_024), |_| "y".repeat(1_024)).is_some() {}
        assert!(share.turn("mx2", clock()).await.is_ok(), "each host has some of its own");
        assert!(share.keep("mx2", "x".repeat(64 << 10), refused).is_some_and(|kept| kept.starts_with('x')));
    }

    #[test]
    fn an_answer_that_is_too_much_is_no_absence() {
        let share = Shares::new(1_024, 25, PER_ADDRESS).of_domain();
        let lookup = |name: &str, octets| Lookup {
            outcome: Some(DnsOutcome::Answer),
            ..Lookup::answer(Some(name.to_owned()), vec!["x".repeat(octets)])
        };
        let large = share.keep_answer("TXT", lookup("large.example", MAX_ANSWERS_OCTETS));
        assert_eq!((large.outcome, large.records.len(), large.known()), (Some(DnsOutcome::Other), 0, None));
        assert_eq!(large.failure.unwrap().kind, FailureKind::Limit);
        while share.keep_answer("TXT", lookup("many.example", 1_024)).failure.is_none() {}
        assert!(share.keep_answer("TXT", lookup("other.example", 1_024)).failure.is_none(), "each has some of its own");
    }
}
