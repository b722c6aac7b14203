//! Collection, as programs ask for it: one handle that tasks share.

use std::sync::Arc;

use jiff::Timestamp;

use super::Error;
use crate::collect::{self, Options};
use crate::grammar::names::DomainName;
use crate::snapshot::Snapshot;

/// Observes domains over the network: DNS, the policy host, the MX hosts.
///
/// Cloning is cheap and shares everything, so give each task a clone. What domains have in common (the resolver, an MX
/// host that serves many of them) is asked once, and [`Options::concurrency`] holds for all clones together: a task per
/// domain is fine, but bound how many run at once, because each holds a snapshot.
///
/// It needs a Tokio runtime with I/O and time enabled. Call [`Collector::finish`] before the runtime ends.
#[derive(Clone)]
pub struct Collector {
    inner: Arc<collect::Collector>,
}

impl Collector {
    /// Prepares a collector. Opens no socket yet, but reads the files that the options name.
    pub fn new(options: Options) -> Result<Self, Error> {
        let inner = collect::Collector::new(options).map_err(Error::of)?;
        Ok(Collector { inner: Arc::new(inner) })
    }

    /// Observes a domain as of now.
    ///
    /// Never fails: whatever goes wrong becomes a fact in the snapshot. Ends within [`Options::deadline`].
    pub async fn collect(&self, domain: &DomainName) -> Snapshot {
        let now = Timestamp::now();
        let seconds = Timestamp::from_second(now.as_second()).unwrap_or(now);
        self.inner.collect(domain.as_str(), seconds).await
    }

    /// Returns how many addresses of MX hosts were tried, if not one of them has answered so far.
    ///
    /// The network here is to blame then: many block outbound port 25. `None` where any address answered, or none was
    /// tried.
    pub fn silent_mx_addresses(&self) -> Option<usize> {
        self.inner.silent_mx_addresses()
    }

    /// Waits, for a moment at most, until the MX hosts have answered QUIT.
    ///
    /// No collection waits for that. A program that ends without it breaks the connections off, which mail servers log.
    pub async fn finish(&self) {
        self.inner.finish().await;
    }
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}
