//! What all requests share: the collectors, the rules, the store, the checks under way, the limits, the counts.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use jiff::Timestamp;
use moka::future::Cache;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::check::{Check, Queue, What};
use super::limits::Limits;
use super::metrics::Metrics;
use super::{ServeError, Settings};
use crate::collect::{Collector, Options, SetupError};
use crate::rules::RuleSet;
use crate::store::{Store, StoreError};

/// Pages that were made are kept in memory: so many octets.
const PAGES_OCTETS: u64 = 64 << 20;
/// So long a page is kept.
const PAGES_TIME: Duration = Duration::from_secs(10 * 60);
/// So many checks are known at the same time, under way and done.
const MAX_CHECKS: u64 = 10_000;
/// How often what is old is removed.
const UPKEEP: Duration = Duration::from_secs(10 * 60);

/// What all requests share.
pub struct App {
    /// What the operator chose.
    pub settings: Settings,
    /// The rules that every result is judged by.
    pub rules: RuleSet,
    /// What is kept.
    pub store: Arc<Store>,
    /// Checks by what they are of: a fresh one answers for all who ask.
    pub fresh: Cache<What, Arc<Check>>,
    /// The same by their ids.
    pub known: Cache<String, Arc<Check>>,
    /// The order of checks that wait.
    pub queue: Arc<Queue>,
    /// Places for checks that run.
    pub places: Arc<Semaphore>,
    /// Pages that were made, by their address.
    pub made: Cache<String, Bytes>,
    /// Limits on new checks.
    pub limits: Limits,
    /// What is counted.
    pub metrics: Metrics,
    /// Domains that are not looked at.
    pub opted_out: BTreeSet<String>,
    /// Checks under way, which the end of the service waits for.
    pub under_way: TaskTracker,
    collectors: Mutex<Option<Collectors>>,
    /// Places for work that takes the processor: judging texts of strangers must not hold up everything else.
    judging: Semaphore,
}

/// Collectors by what they look at. What they learnt of MX hosts and DNS is shared by all checks for some minutes: then
/// there are new ones.
struct Collectors {
    since: Instant,
    made: Vec<((bool, bool), Arc<Collector>)>,
}

impl App {
    /// Sets up everything but the sockets.
    pub fn new(settings: Settings, rules: RuleSet) -> Result<Self, ServeError> {
        let store = Store::open(settings.store.as_deref())?;
        // A wrong option shows now, and not to the first visitor.
        Collector::new(settings.collect.clone())?;
        let domains = settings.opted_out.iter().map(|domain| domain.trim_end_matches('.').to_ascii_lowercase());
        Ok(App {
            opted_out: domains.collect(),
            fresh: Cache::builder().max_capacity(MAX_CHECKS).time_to_live(settings.fresh).build(),
            known: Cache::builder()
                .max_capacity(MAX_CHECKS)
                .time_to_live(settings.fresh.max(Duration::from_secs(10 * 60)))
                .build(),
            queue: Arc::default(),
            places: Arc::new(Semaphore::new(settings.at_once.max(1))),
            made: Cache::builder()
                .weigher(|address: &String, page: &Bytes| {
                    u32::try_from(address.len().saturating_add(page.len())).unwrap_or(u32::MAX)
                })
                .max_capacity(PAGES_OCTETS)
                .time_to_live(PAGES_TIME)
                .build(),
            limits: Limits::new(settings.per_client, settings.in_all),
            metrics: Metrics::default(),
            under_way: TaskTracker::new(),
            collectors: Mutex::new(None),
            judging: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
            store: Arc::new(store),
            rules,
            settings,
        })
    }

    /// The collector for such a check.
    pub fn collector(&self, what: &What) -> Result<Arc<Collector>, SetupError> {
        let mut collectors = self.collectors.lock().unwrap_or_else(PoisonError::into_inner);
        let aged = collectors.as_ref().is_some_and(|collectors| collectors.since.elapsed() >= self.settings.fresh);
        if aged {
            *collectors = None;
        }
        let collectors = collectors.get_or_insert_with(|| Collectors { since: Instant::now(), made: Vec::new() });
        let key = (what.smtp, what.authoritative);
        if let Some((_, collector)) = collectors.made.iter().find(|(other, _)| *other == key) {
            return Ok(collector.clone());
        }
        let options = Options { smtp: what.smtp, authoritative: what.authoritative, ..self.settings.collect.clone() };
        let collector = Arc::new(Collector::new(options)?);
        collectors.made.push((key, collector.clone()));
        Ok(collector)
    }

    /// Asks the store, on a thread that may wait.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || question(&store)).await {
            Ok(answer) => answer,
            Err(_) => Err(StoreError::Sqlite(rusqlite::Error::InvalidQuery)),
        }
    }

    /// Judges or renders, on a thread that may take its time; as many at the same time as there are processors. `None`
    /// where the work did not finish.
    pub async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let _place = self.judging.acquire().await.ok()?;
        tokio::task::spawn_blocking(work).await.ok()
    }

    /// Whether a domain, or one above it, is not to be looked at.
    pub fn is_opted_out(&self, domain: &str) -> bool {
        let mut rest = Some(domain);
        while let Some(name) = rest {
            if self.opted_out.contains(name) {
                return true;
            }
            rest = name.split_once('.').map(|(_, parent)| parent);
        }
        false
    }

    /// Removes what is old, now and then, for as long as the service runs.
    pub async fn upkeep(self: Arc<Self>) {
        let mut every = tokio::time::interval(UPKEEP);
        loop {
            every.tick().await;
            self.limits.forget();
            let keep = i64::try_from(self.settings.keep.as_secs()).unwrap_or(i64::MAX);
            let oldest = Timestamp::now().as_second().saturating_sub(keep);
            let most = self.settings.most_kept;
            if let Err(error) = self.ask(move |store| store.prune(oldest, most)).await {
                warn!("old results could not be removed: {error}");
            }
        }
    }

    /// Waits for checks under way, for some seconds.
    pub async fn end(&self) {
        self.under_way.close();
        let _ = tokio::time::timeout(Duration::from_secs(10), self.under_way.wait()).await;
    }
}
