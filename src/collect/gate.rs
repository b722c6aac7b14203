//! Whether there is room to begin with something new: not while many wait for a place already, since whoever is added then
//! only makes all of them late. Used by `window` and `shares`.

use std::sync::atomic::{AtomicUsize, Ordering};

use std::sync::Arc;
use tokio::sync::{AcquireError, Notify, OwnedSemaphorePermit, Semaphore};

/// So many that wait are enough to keep what they wait for busy.
pub const ENOUGH: usize = 64;

/// Counts who waits.
#[derive(Debug, Default)]
pub struct Gate {
    waiting: AtomicUsize,
    fewer: Notify,
}

impl Gate {
    /// Takes a place; whoever has to wait for one is counted.
    pub async fn place(&self, places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, AcquireError> {
        if let Ok(place) = places.clone().try_acquire_owned() {
            return Ok(place);
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(self);
        places.clone().acquire_owned().await
    }

    /// Waits until few wait.
    pub async fn ready(&self) {
        while self.waiting() > ENOUGH {
            self.fewer.notified().await;
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// Somebody who waits, until this is dropped.
struct Waiting<'a>(&'a Gate);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.0.waiting.fetch_sub(1, Ordering::Relaxed) == ENOUGH.saturating_add(1) {
            self.0.fewer.notify_one();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_begins_waits_while_many_wait() {
        let (gate, places) = (Arc::new(Gate::default()), Arc::new(Semaphore::new(1)));
        let held = gate.place(&places).await.unwrap();
        gate.ready().await;
        let wait = || {
            let (gate, places) = (gate.clone(), places.clone());
            tokio::spawn(async move { drop(gate.place(&places).await) })
        };
        let waiting: Vec<_> = (0..=ENOUGH).map(|_| wait()).collect();
        while gate.waiting() <= ENOUGH {
            tokio::task::yield_now().await;
        }
        let ready = tokio::spawn({
            let gate = gate.clone();
            async move { gate.ready().await }
        });
        tokio::task::yield_now().await;
        assert!(!ready.is_finished());
        drop(held);
        ready.await.unwrap();
        for waiting in waiting {
            waiting.await.unwrap();
        }
        assert_eq!(gate.waiting(), 0);
    }
}
