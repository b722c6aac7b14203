//! What was published before, and senders may still hold: an older snapshot of the domain, or the text of a policy of
//! which nothing else is known.
//!
//! Made by whoever asks for facts; `facts` reads it beside the present observation.

use jiff::Timestamp;

use crate::snapshot::{Octets, Policy, Snapshot};

/// What was published before.
#[derive(Clone, Copy, Debug)]
pub enum Before<'a> {
    /// An older snapshot of the same domain.
    Baseline(&'a Snapshot),
    /// A policy alone.
    Held(&'a HeldPolicy),
}

impl<'a> Before<'a> {
    /// The older snapshot; of a policy alone, one in which nothing else was observed.
    pub fn snapshot(self) -> &'a Snapshot {
        match self {
            Before::Baseline(snapshot) => snapshot,
            Before::Held(held) => &held.snapshot,
        }
    }

    /// The policy, where that is all that is known.
    pub fn held(self) -> Option<&'a HeldPolicy> {
        match self {
            Before::Baseline(_) => None,
            Before::Held(held) => Some(held),
        }
    }
}

/// A policy that senders may still hold, of which neither the record nor the MX hosts of its time are known.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldPolicy {
    snapshot: Snapshot,
    /// When it was last served: no sender has fetched it later.
    pub last_served: Option<Timestamp>,
}

impl HeldPolicy {
    /// The policy with this body.
    pub fn new(body: Vec<u8>, last_served: Option<Timestamp>) -> Self {
        let policy = Policy { body: Octets(body), address: None, truncated: false };
        HeldPolicy { snapshot: Snapshot { policy: Some(Some(policy)), ..Snapshot::of(None) }, last_served }
    }
}
