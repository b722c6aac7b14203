//! Limits on new checks: by client network and in all. What is answered from the cache is never limited.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::client::Network;

/// The limits, and what is used of them.
pub struct Limits {
    clock: DefaultClock,
    by_client: RateLimiter<Network, HashMapStateStore<Network>, DefaultClock>,
    in_all: DefaultDirectRateLimiter,
    reports: RateLimiter<Network, HashMapStateStore<Network>, DefaultClock>,
}

/// TLS reports per minute from one network: a sender brings one per domain and day.
const REPORTS: u32 = 60;

/// A limit that is reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reached {
    /// The client's; it may ask again after this time.
    Client(Duration),
    /// That of the whole service.
    All(Duration),
}

impl Limits {
    /// Limits per minute; all of a minute's may be used at once.
    pub fn new(per_client: u32, in_all: u32) -> Self {
        let quota = |count: u32| Quota::per_minute(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN));
        Limits {
            clock: DefaultClock::default(),
            by_client: RateLimiter::hashmap(quota(per_client)),
            in_all: RateLimiter::direct(quota(in_all)),
            reports: RateLimiter::hashmap(quota(REPORTS)),
        }
    }

    /// Takes one new check from the limits. A refused one is not counted against the whole service.
    pub fn take(&self, client: Network) -> Result<(), Reached> {
        let now = self.clock.now();
        self.by_client.check_key(&client).map_err(|until| Reached::Client(until.wait_time_from(now)))?;
        self.in_all.check().map_err(|until| Reached::All(until.wait_time_from(now)))
    }

    /// Takes one TLS report from the limit of its network.
    pub fn take_report(&self, client: Network) -> Result<(), Reached> {
        let now = self.clock.now();
        self.reports.check_key(&client).map_err(|until| Reached::Client(until.wait_time_from(now)))
    }

    /// Forgets the networks that have used nothing for a while.
    pub fn forget(&self) {
        self.by_client.retain_recent();
        self.by_client.shrink_to_fit();
        self.reports.retain_recent();
        self.reports.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_does_not_use_up_what_others_have() {
        let limits = Limits::new(2, 3);
        let (one, other) = (Network::V4([192, 0, 2, 1]), Network::V4([192, 0, 2, 2]));
        assert_eq!(limits.take(one), Ok(()));
        assert_eq!(limits.take(one), Ok(()));
        assert!(matches!(limits.take(one), Err(Reached::Client(wait)) if wait > Duration::ZERO));
        assert_eq!(limits.take(other), Ok(()));
        assert!(matches!(limits.take(other), Err(Reached::All(_))));
    }
}
