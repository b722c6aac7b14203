//! What was done once in a run and need not be done again, however many domains share it.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Results by key, made once each. Beyond a limit the oldest are forgotten that nobody asks for any more.
pub struct Memo<K, V> {
    limit: usize,
    cells: Mutex<Cells<K, V>>,
}

struct Cells<K, V> {
    by_key: BTreeMap<K, Kept<V>>,
    order: VecDeque<K>,
}

struct Kept<V> {
    cell: Arc<OnceCell<V>>,
    /// Whether it was asked for again since it came to the end of the order.
    again: bool,
}

/// So many results that were asked for again are passed over before the next is forgotten all the same.
const PASSED_OVER: usize = 64;

impl<K: Clone + Ord, V: Clone> Memo<K, V> {
    /// A memo of at most `limit` results.
    pub fn new(limit: usize) -> Self {
        Memo { limit, cells: Mutex::new(Cells { by_key: BTreeMap::new(), order: VecDeque::new() }) }
    }

    /// The result for `key`: made by `make` unless it was made before; others who ask meanwhile wait for it.
    ///
    /// Where `is_final` says no (the asker's time was over before the end), it is not kept, and who waits makes
    /// it again.
    pub async fn get<F: Future<Output = V>>(
        &self,
        key: K,
        is_final: impl FnOnce(&V) -> bool,
        make: impl FnOnce() -> F,
    ) -> V {
        let cell = self.cell(key);
        let made = cell
            .get_or_try_init(|| async {
                let value = make().await;
                if is_final(&value) { Ok(value) } else { Err(value) }
            })
            .await;
        match made {
            Ok(value) => value.clone(),
            Err(value) => value,
        }
    }

    fn cell(&self, key: K) -> Arc<OnceCell<V>> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = cells.by_key.get_mut(&key) {
            kept.again = true;
            return kept.cell.clone();
        }
        if cells.order.len() >= self.limit {
            cells.forget_one();
        }
        let cell = Arc::new(OnceCell::new());
        cells.by_key.insert(key.clone(), Kept { cell: cell.clone(), again: false });
        cells.order.push_back(key);
        cell
    }
}

impl<K: Clone + Ord, V> Cells<K, V> {
    fn forget_one(&mut self) {
        for _ in 0..PASSED_OVER {
            let Some(oldest) = self.order.pop_front() else { return };
            match self.by_key.get_mut(&oldest) {
                Some(kept) if kept.again => {
                    kept.again = false;
                    self.order.push_back(oldest);
                }
                _ => {
                    self.by_key.remove(&oldest);
                    return;
                }
            }
        }
        if let Some(oldest) = self.order.pop_front() {
            self.by_key.remove(&oldest);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_result_is_made_once_and_an_unfinished_one_again() {
        let memo = Memo::new(2);
        let made = AtomicUsize::new(0);
        let make = |key: &'static str, is_final: bool| {
            let made = &made;
            memo.get(key, move |_| is_final, move || async move { made.fetch_add(1, Ordering::Relaxed) })
        };
        assert_eq!((make("a", false).await, make("a", true).await, make("a", true).await), (0, 1, 1));
        assert_eq!((make("b", true).await, make("c", true).await), (2, 3));
        assert_eq!(make("a", true).await, 1, "what is asked for again is kept");
        assert_eq!(make("b", true).await, 4, "the oldest of the others was forgotten");
    }
}
