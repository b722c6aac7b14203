//! A check as requests see it: what it is of, how far it is, and its place in the queue. Begun by `checks`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use tokio::sync::watch;

/// What a check is of: the domain, and what is looked at.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct What {
    /// The domain in A-labels.
    pub domain: String,
    /// Whether MX hosts are spoken to.
    pub smtp: bool,
    /// Whether the zone's own name servers are asked too.
    pub authoritative: bool,
}

/// How far a check is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stage {
    /// It waits for others.
    Queued,
    /// It looks at the domain.
    Running,
    /// The result is in the store.
    Done,
    /// There is no result, for a reason here.
    Failed(String),
    /// The domain publishes that it is not to be looked at.
    OptedOut,
}

/// One check.
#[derive(Debug)]
pub struct Check {
    /// Its id, and that of its result.
    pub id: String,
    /// Whoever knows this may remove the result.
    pub removal: String,
    /// What it is of.
    pub what: What,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// How far it is.
    pub stage: watch::Receiver<Stage>,
    pub(super) number: usize,
    pub(super) queue: Arc<Queue>,
}

/// How many checks were asked for, and how many of them began: places are given in the order of asking.
#[derive(Debug, Default)]
pub struct Queue {
    pub(super) asked: AtomicUsize,
    pub(super) begun: AtomicUsize,
}

impl Queue {
    /// How many checks wait.
    pub fn length(&self) -> usize {
        self.asked.load(Ordering::Relaxed).saturating_sub(self.begun.load(Ordering::Relaxed))
    }
}

impl Check {
    /// How far it is.
    pub fn stage(&self) -> Stage {
        self.stage.borrow().clone()
    }

    /// How many checks come first, where it waits.
    pub fn in_front(&self) -> usize {
        self.number.saturating_sub(self.queue.begun.load(Ordering::Relaxed))
    }
}
