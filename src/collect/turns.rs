//! Turns: at most one conversation with an address at a time, and a pause between two. For services that many people make
//! look at the same MX hosts; all collectors that share the turns keep to them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

use super::memo::Memo;

/// So many addresses are remembered.
const REMEMBERED: usize = 8_192;

/// Whose turn it is with each address.
pub struct Turns {
    pause: Duration,
    ended: Memo<IpAddr, Arc<Mutex<Option<Instant>>>>,
}

impl Turns {
    /// Turns with this pause after each.
    pub fn new(pause: Duration) -> Self {
        Turns { pause, ended: Memo::new(REMEMBERED) }
    }

    /// The pause between two conversations with an address.
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// Waits for the turn with an address; it ends when what this returns is dropped.
    pub(super) async fn take(&self, address: IpAddr) -> Turn {
        let place = self.ended.get(address, |_| true, || async { Arc::new(Mutex::new(None)) }).await;
        let ended = place.lock_owned().await;
        if let Some(before) = *ended {
            let next = before.checked_add(self.pause).unwrap_or(before);
            tokio::time::sleep_until(next).await;
        }
        Turn { ended }
    }
}

impl std::fmt::Debug for Turns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turns").field("pause", &self.pause).finish_non_exhaustive()
    }
}

/// A turn with an address, until it is dropped.
pub(super) struct Turn {
    ended: OwnedMutexGuard<Option<Instant>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.ended = Some(Instant::now());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_with_a_pause() {
        let pause = Duration::from_millis(40);
        let turns = Arc::new(Turns::new(pause));
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = turns.take(one).await;
        // Another address has turns of its own: this returns while the first turn goes on.
        drop(turns.take(other).await);
        let next = tokio::spawn({
            let turns = turns.clone();
            async move {
                drop(turns.take(one).await);
                Instant::now()
            }
        });
        tokio::task::yield_now().await;
        assert!(!next.is_finished());
        let ended = Instant::now();
        drop(first);
        assert!(next.await.unwrap().duration_since(ended) >= pause);
    }
}
