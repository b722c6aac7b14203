//! How many queries may be on their way to the resolver at the same time: more while all are answered, fewer when datagrams are
//! lost, as TCP does it. A query that the resolver works on for longer gives its place away. Used by `watched`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::gate::Gate;
use super::limits::{FIRST_QUESTIONS, LEAST_QUESTIONS, MAX_QUESTIONS};

/// How long a loss counts once: those that were under way with it are lost for the same reason.
const AFTER_LOSS: Duration = Duration::from_secs(1);

/// The window of a run.
#[derive(Clone, Debug)]
pub struct Window(Arc<State>);

#[derive(Debug)]
struct State {
    places: Arc<Semaphore>,
    size: Mutex<Size>,
    gate: Gate,
    sent: AtomicU64,
    lost: AtomicU64,
}

#[derive(Debug)]
struct Size {
    places: usize,
    answered: usize,
    /// Whether it still doubles, as no datagram was ever lost.
    doubles: bool,
    shrunk: Option<Instant>,
    /// So many places go when they are given back.
    surplus: usize,
}

/// How many queries there were.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Queries {
    /// Datagrams, or messages on a connection, that were sent.
    pub sent: u64,
    /// Datagrams that got no answer where a later one did.
    pub lost: u64,
}

impl Default for Window {
    fn default() -> Self {
        Window(Arc::new(State {
            places: Arc::new(Semaphore::new(FIRST_QUESTIONS)),
            size: Mutex::new(Size { places: FIRST_QUESTIONS, answered: 0, doubles: true, shrunk: None, surplus: 0 }),
            gate: Gate::default(),
            sent: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }))
    }
}

impl Window {
    /// Waits for a place, and counts the query that takes it.
    pub async fn place(&self) -> Place {
        let place = self.0.gate.place(&self.0.places).await.ok();
        self.0.sent.fetch_add(1, Ordering::Relaxed);
        Place { place, state: self.0.clone() }
    }

    /// Waits until few queries wait: whoever begins with something new then does not make others late.
    pub async fn ready(&self) {
        self.0.gate.ready().await;
    }

    /// Notes that a query was answered.
    pub fn answered(&self) {
        let mut size = self.size();
        size.answered = size.answered.saturating_add(1);
        if size.answered < size.places || size.places >= MAX_QUESTIONS {
            return;
        }
        size.answered = 0;
        let more = if size.doubles { size.places } else { 16 }.min(MAX_QUESTIONS.saturating_sub(size.places));
        size.places = size.places.saturating_add(more);
        let kept = size.surplus.min(more);
        size.surplus = size.surplus.saturating_sub(kept);
        self.0.places.add_permits(more.saturating_sub(kept));
    }

    /// Notes that a datagram was lost.
    pub fn lost(&self) {
        self.0.lost.fetch_add(1, Ordering::Relaxed);
        let mut size = self.size();
        if size.shrunk.is_some_and(|shrunk| shrunk.elapsed() < AFTER_LOSS) {
            return;
        }
        (size.doubles, size.shrunk, size.answered) = (false, Some(Instant::now()), 0);
        let fewer = (size.places / 2).min(size.places.saturating_sub(LEAST_QUESTIONS));
        size.places = size.places.saturating_sub(fewer);
        let gone = self.0.places.forget_permits(fewer);
        size.surplus = size.surplus.saturating_add(fewer.saturating_sub(gone));
    }

    /// How many queries there were so far.
    pub fn queries(&self) -> Queries {
        Queries { sent: self.0.sent.load(Ordering::Relaxed), lost: self.0.lost.load(Ordering::Relaxed) }
    }

    fn size(&self) -> MutexGuard<'_, Size> {
        self.0.size()
    }
}

impl State {
    fn size(&self) -> MutexGuard<'_, Size> {
        self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place that is taken until this is dropped.
pub struct Place {
    place: Option<OwnedSemaphorePermit>,
    state: Arc<State>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut size = self.state.size();
        if size.surplus > 0
            && let Some(place) = self.place.take()
        {
            place.forget();
            size.surplus = size.surplus.saturating_sub(1);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_window_grows_with_answers_and_shrinks_with_losses() {
        let window = Window::default();
        for _ in 0..10 * MAX_QUESTIONS {
            window.answered();
        }
        assert_eq!(window.0.places.available_permits(), MAX_QUESTIONS);
        window.lost();
        window.lost();
        assert_eq!(
            (window.0.places.available_permits(), window.queries().lost),
            (MAX_QUESTIONS / 2, 2),
            "once for both"
        );
        for _ in 0..MAX_QUESTIONS / 2 {
            window.answered();
        }
        assert_eq!(window.0.places.available_permits(), MAX_QUESTIONS / 2 + 16, "with care from then on");
        // Also where all places are taken.
        let window = Window::default();
        let mut held = Vec::new();
        for _ in 0..FIRST_QUESTIONS {
            held.push(window.place().await);
        }
        window.lost();
        drop(held);
        assert_eq!(window.0.places.available_permits(), FIRST_QUESTIONS / 2);
    }
}
