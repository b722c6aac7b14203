//! What came to the lab: queries, requests, handshakes, mail. The servers write it, whoever runs the lab reads it.
//!
//! `stslint audit-sender` infers from it what a sender does; the demo and the tests leave it unread.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// The most events that are kept; what comes later is counted only.
const MOST_EVENTS: usize = 200_000;

/// One thing that a visitor did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// How long after the lab's start.
    pub at: Duration,
    /// What it was.
    pub kind: EventKind,
}

/// What a visitor did. Names are in lower case, without a final dot.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EventKind {
    /// The rest of a message was taken and answered with 250.
    Delivered {
        /// The MX host that took it.
        host: String,
        /// The domain that it is for.
        domain: String,
        /// Whether it came inside TLS.
        tls: bool,
    },
    /// A TLS handshake with an MX host ended.
    MailHandshake {
        /// The MX host.
        host: String,
        /// How it ended.
        end: HandshakeEnd,
    },
    /// A connection to an MX host was accepted.
    MailConnection {
        /// The MX host.
        host: String,
    },
    /// A DNS query.
    Query {
        /// The name asked for.
        name: String,
        /// The type asked for, such as `TXT`.
        kind: String,
    },
    /// A recipient was named to an MX host.
    Recipient {
        /// The MX host.
        host: String,
        /// The domain of the recipient.
        domain: String,
        /// Whether it came inside TLS.
        tls: bool,
    },
    /// An HTTPS request.
    Request {
        /// The name in the handshake (SNI).
        host: String,
        /// The target, such as `/.well-known/mta-sts.txt`.
        path: String,
        /// The field `User-Agent`, if there was one.
        agent: Option<String>,
    },
    /// A TLS handshake with a web host ended.
    WebHandshake {
        /// The name that the client asked for (SNI).
        host: String,
        /// How it ended.
        end: HandshakeEnd,
    },
}

/// How a TLS handshake ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HandshakeEnd {
    /// The client sent an alert: its description, as in `BadCertificate`.
    Alert(String),
    /// It is complete.
    Complete {
        /// Whether the client named the host (SNI).
        named: bool,
    },
    /// It ended otherwise: the client hung up, or spoke something else.
    Failed,
}

/// The events since the lab's start. Clones share them.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    started: Instant,
    kept: Mutex<Kept>,
    news: Notify,
}

#[derive(Default)]
struct Kept {
    events: Vec<Event>,
    dropped: usize,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner { started: Instant::now(), kept: Mutex::default(), news: Notify::new() }))
    }

    pub(super) fn note(&self, kind: EventKind) {
        let at = self.now();
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.events.len() < MOST_EVENTS {
            kept.events.push(Event { at, kind });
        } else {
            kept.dropped += 1;
        }
        drop(kept);
        self.0.news.notify_waiters();
    }

    /// How long ago the lab was started.
    pub fn now(&self) -> Duration {
        self.0.started.elapsed()
    }

    /// The events so far, in their order.
    pub fn events(&self) -> Vec<Event> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner).events.clone()
    }

    /// How many events came after the journal was full.
    pub fn dropped(&self) -> usize {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner).dropped
    }

    /// Waits until something comes; what came before the first poll does not count.
    pub async fn news(&self) {
        self.0.news.notified().await;
    }
}
