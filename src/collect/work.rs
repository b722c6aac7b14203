//! The processor time that a domain's hosts may cost: what they send is read, decoded and verified, and some of it is made to
//! be dear. Measured where the work is done; what is beyond the limit is not checked.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::failure::failure;
use crate::snapshot::{Failure, FailureKind};

/// The processor time that may be spent, and that was.
#[derive(Debug)]
pub struct Work {
    limit: Duration,
    spent: AtomicU64,
}

impl Work {
    /// So much may be spent.
    pub fn of(limit: Duration) -> Self {
        Work { limit, spent: AtomicU64::new(0) }
    }

    /// Whether more than the limit is spent.
    pub fn is_spent(&self) -> bool {
        self.spent.load(Ordering::Relaxed) > nanoseconds(self.limit)
    }

    /// Does something, unless more than the limit is spent before it ends.
    pub async fn within<T>(&self, mut work: Pin<Box<impl Future<Output = T>>>) -> Result<T, Failure> {
        poll_fn(|cx| {
            if self.is_spent() {
                let limit = self.limit.as_millis();
                let detail = format!("ended here: what was sent took more than {limit} ms of the processor");
                return Poll::Ready(Err(failure(FailureKind::Limit, detail)));
            }
            let before = of_this_thread();
            let polled = work.as_mut().poll(cx);
            self.spent.fetch_add(nanoseconds(of_this_thread().saturating_sub(before)), Ordering::Relaxed);
            polled.map(Ok)
        })
        .await
    }
}

/// The processor time that this thread has used: work between two waits stays on one.
fn of_this_thread() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_without_end_is_ended_and_waiting_costs_nothing() {
        let work = Work::of(Duration::from_millis(300));
        let waits = work.within(Box::pin(tokio::time::sleep(Duration::from_millis(20)))).await;
        assert!(waits.is_ok() && work.spent.load(Ordering::Relaxed) < nanoseconds(work.limit) / 10);
        let endless = async {
            loop {
                let begun = of_this_thread();
                while of_this_thread().saturating_sub(begun) < Duration::from_millis(100) {}
                tokio::task::yield_now().await;
            }
        };
        let failure: Failure = work.within::<()>(Box::pin(endless)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Limit);
        assert!(work.within(Box::pin(async {})).await.is_err(), "nothing else begins");
    }
}
