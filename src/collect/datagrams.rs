//! Queries in datagrams over a few sockets that many queries share: each socket has so few under way that its buffer holds
//! all their answers, and is replaced after a while, so that its port is not known for long. Used by `watched`.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hickory_resolver::net::NetError;
use hickory_resolver::proto::op::{DnsRequest, DnsResponse};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// How many queries are under way on a socket before another is opened: answers with signatures take 2,304 octets of its
/// buffer each, which has 212,992 on Linux.
const MAX_EACH: usize = 64;
/// How many sockets there are at most; beyond that each has more.
const MAX_SOCKETS: usize = 32;
/// After how many queries a socket is replaced.
const LIFE: u32 = 4_096;
/// After how long it is replaced: whoever finds out the port by then has only the id of a query to guess.
const AGE: Duration = Duration::from_secs(5);
/// The longest datagram that is read (RFC 9715 §3 has senders stay below a third of this).
const LONGEST: usize = 4_096;
/// How many octets come before the question (RFC 1035 §4.1.1).
const HEADER: usize = 12;

/// The sockets to one server.
pub struct Datagrams {
    server: SocketAddr,
    from: Option<SocketAddr>,
    random: SystemRandom,
    open: Mutex<Vec<Arc<Mailbox>>>,
}

impl Datagrams {
    /// Sockets to `server`, from this address where it is given. None is opened yet.
    pub fn new(server: SocketAddr, from: Option<SocketAddr>) -> Self {
        Datagrams { server, from, random: SystemRandom::new(), open: Mutex::default() }
    }

    /// Sends a query in one datagram, and waits for its answer.
    pub async fn ask(&self, request: &DnsRequest, patience: Duration) -> Result<DnsResponse, NetError> {
        let mut octets = request.to_vec()?;
        let question = question(&octets).ok_or_else(|| NetError::from("a query has one question"))?.to_vec();
        let mailbox = self.mailbox()?;
        let mut expected = self.expect(&mailbox, question)?;
        set_id(&mut octets, expected.id);
        mailbox.shared.socket.send_to(&octets, self.server).await?;
        let answer = tokio::time::timeout(patience, &mut expected.answer).await.map_err(|_| NetError::Timeout)?;
        // The receiving task ends with its runtime alone.
        let mut answer = answer.map_err(|_| NetError::Timeout)?;
        set_id(&mut answer, request.id);
        Ok(DnsResponse::from_buffer(answer)?)
    }

    /// A socket with room; another one where all are full.
    fn mailbox(&self) -> io::Result<Arc<Mailbox>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|mailbox| mailbox.is_good(AGE));
        let emptiest =
            open.iter().map(|mailbox| (mailbox.shared.waiting(), mailbox)).min_by_key(|(waiting, _)| *waiting);
        let mailbox = match emptiest {
            Some((waiting, mailbox)) if waiting < MAX_EACH || open.len() >= MAX_SOCKETS => mailbox.clone(),
            _ => {
                let mailbox = Arc::new(Mailbox::open(self.server, self.from)?);
                open.push(mailbox.clone());
                mailbox
            }
        };
        mailbox.sent.fetch_add(1, Ordering::Relaxed);
        Ok(mailbox)
    }

    /// Takes an id that no other query on the socket has.
    fn expect(&self, mailbox: &Arc<Mailbox>, question: Vec<u8>) -> Result<Expected, NetError> {
        let (sender, answer) = oneshot::channel();
        let mut waiting = mailbox.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..32 {
            let mut id = [0; 2];
            self.random.fill(&mut id).map_err(|_| NetError::from("the system has no random numbers"))?;
            let id = u16::from_be_bytes(id);
            if let std::collections::hash_map::Entry::Vacant(free) = waiting.entry(id) {
                free.insert(Waiting { question, sender });
                return Ok(Expected { id, answer, mailbox: mailbox.clone() });
            }
        }
        Err(NetError::Busy)
    }
}

/// A socket, and the task that receives on it.
struct Mailbox {
    shared: Arc<Shared>,
    receiving: AbortHandle,
    sent: AtomicU32,
    opened: Instant,
}

struct Shared {
    socket: UdpSocket,
    waiting: Mutex<HashMap<u16, Waiting>>,
    closed: AtomicBool,
}

struct Waiting {
    question: Vec<u8>,
    sender: oneshot::Sender<Vec<u8>>,
}

impl Shared {
    fn waiting(&self) -> usize {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Hands an answer to whoever waits for it; anything else is dropped.
    fn deliver(&self, octets: &[u8]) {
        let Some(id) = octets.first_chunk::<2>() else { return };
        let is_response = octets.get(2).is_none_or(|flags| flags & 0x80 != 0);
        let id = u16::from_be_bytes(*id);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = waiting.get(&id).filter(|_| is_response);
        // A server that does not understand a query may leave the question out (RFC 1035 §4.1.1); what cannot be read at all
        // is for whoever asked to say so.
        let has_none = octets.get(4..6) == Some(&[0, 0]);
        let same = |it: &Waiting| has_none || question(octets).is_none_or(|got| got.eq_ignore_ascii_case(&it.question));
        if asked.is_some_and(same)
            && let Some(asked) = waiting.remove(&id)
        {
            _ = asked.sender.send(octets.to_vec());
        }
    }
}

impl Mailbox {
    fn open(server: SocketAddr, from: Option<SocketAddr>) -> io::Result<Self> {
        let any = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = std::net::UdpSocket::bind(from.unwrap_or(SocketAddr::new(any, 0)))?;
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket)?;
        let shared = Arc::new(Shared { socket, waiting: Mutex::default(), closed: AtomicBool::new(false) });
        let receiving = tokio::spawn(receive(Closing(shared.clone()), server)).abort_handle();
        Ok(Mailbox { shared, receiving, sent: AtomicU32::new(0), opened: Instant::now() })
    }

    /// Whether more queries may go out of it.
    fn is_good(&self, age: Duration) -> bool {
        !self.shared.closed.load(Ordering::Relaxed)
            && self.sent.load(Ordering::Relaxed) < LIFE
            && self.opened.elapsed() < age
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.receiving.abort();
    }
}

/// Marks a socket as closed when nobody receives on it any more.
struct Closing(Arc<Shared>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::Relaxed);
    }
}

async fn receive(shared: Closing, server: SocketAddr) {
    let mut octets = vec![0; LONGEST];
    let mut failures = 0;
    while failures < 100 {
        match shared.0.socket.recv_from(&mut octets).await {
            Ok((length, from))
                if from.ip().to_canonical() == server.ip().to_canonical() && from.port() == server.port() =>
            {
                failures = 0;
                shared.0.deliver(octets.get(..length).unwrap_or_default());
            }
            Ok(_) => {}
            Err(_) => failures += 1,
        }
    }
}

/// An answer that is waited for, until this is dropped.
struct Expected {
    id: u16,
    answer: oneshot::Receiver<Vec<u8>>,
    mailbox: Arc<Mailbox>,
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.mailbox.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

fn set_id(octets: &mut [u8], id: u16) {
    if let Some(place) = octets.first_chunk_mut::<2>() {
        *place = id.to_be_bytes();
    }
}

/// The octets of the question of a message (RFC 1035 §4.1.2).
fn question(octets: &[u8]) -> Option<&[u8]> {
    let mut end = HEADER;
    loop {
        match usize::from(*octets.get(end)?) {
            0 => break,
            label if label < 64 => end = end.checked_add(label)?.checked_add(1)?,
            _ => return None,
        }
    }
    octets.get(HEADER..end.checked_add(5)?)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use hickory_resolver::proto::op::{DnsRequestOptions, Query};
    use hickory_resolver::proto::rr::{Name, RecordType};

    use super::*;

    fn request(name: &str) -> DnsRequest {
        DnsRequest::from_query(
            Query::query(Name::from_ascii(name).unwrap(), RecordType::A),
            DnsRequestOptions::default(),
        )
    }

    #[tokio::test]
    async fn answers_find_their_queries_in_any_order_and_nothing_else_does() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let datagrams = Arc::new(Datagrams::new(server.local_addr().unwrap(), None));
        let answering = tokio::spawn(async move {
            let (mut octets, mut asked) = ([0; 512], Vec::new());
            while asked.len() < 200 {
                let (length, from) = server.recv_from(&mut octets).await.unwrap();
                asked.push((octets[..length].to_vec(), from));
            }
            for (query, from) in asked.iter().rev() {
                // What is no response, or to another question, or has another id, is for nobody.
                let mut other = query.clone();
                server.send_to(&other, from).await.unwrap();
                other[2] |= 0x80;
                other[13] = b'z';
                server.send_to(&other, from).await.unwrap();
                let mut right = query.clone();
                right[2] |= 0x80;
                right[13] = right[13].to_ascii_uppercase();
                server.send_to(&right, from).await.unwrap();
            }
            let ports: std::collections::BTreeSet<u16> = asked.iter().map(|(_, from)| from.port()).collect();
            ports.len()
        });
        let asking = (0..200).map(|number| {
            let datagrams = datagrams.clone();
            async move {
                let request = request(&format!("a{number}.example."));
                let response = datagrams.ask(&request, Duration::from_secs(5)).await.unwrap();
                assert_eq!(response.id, request.id);
                assert_eq!(response.queries[0].name(), request.queries[0].name());
            }
        });
        futures_util::future::join_all(asking).await;
        assert!((3..=5).contains(&answering.await.unwrap()), "no socket has more than its part");
        let nobody = datagrams.ask(&request("b.example."), Duration::from_millis(10)).await;
        assert!(matches!(nobody, Err(NetError::Timeout)));
        let left: usize = datagrams.open.lock().unwrap().iter().map(|mailbox| mailbox.shared.waiting()).sum();
        assert_eq!(left, 0, "whoever no longer waits is forgotten");
        let mailbox = datagrams.mailbox().unwrap();
        assert!(mailbox.is_good(AGE) && !mailbox.is_good(Duration::ZERO), "no port is used for ever");
    }
}
