//! What was done once in a run and need not be done again, however many domains share it.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Results by key, made once each. The oldest are forgotten beyond a limit.
pub struct Memo<K, V> {
    limit: usize,
    cells: Mutex<Cells<K, V>>,
}

struct Cells<K, V> {
    by_key: BTreeMap<K, Arc<OnceCell<V>>>,
    order: VecDeque<K>,
}

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
        if let Some(cell) = cells.by_key.get(&key) {
            return cell.clone();
        }
        if cells.order.len() >= self.limit
            && let Some(oldest) = cells.order.pop_front()
        {
            cells.by_key.remove(&oldest);
        }
        let cell = Arc::new(OnceCell::new());
        cells.by_key.insert(key.clone(), cell.clone());
        cells.order.push_back(key);
        cell
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
        assert_eq!(make("a", true).await, 4, "the oldest was forgotten");
    }
}
