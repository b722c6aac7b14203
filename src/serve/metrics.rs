//! What the service counts, for Prometheus: nothing of it says who asked or for what.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The counts.
pub struct Metrics {
    /// Checks that began.
    pub begun: Counter,
    /// Requests for a check that a fresh result answered.
    pub from_cache: Counter,
    /// Requests for a check that a limit refused.
    pub refused: Counter,
    /// Requests in all.
    pub requests: Counter,
    /// TLS reports received.
    pub tls_reports: Counter,
    kept: Gauge,
    waiting: Gauge,
    registry: Registry,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("stslint_serve");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let begun = counter("checks_begun", "Checks that began");
        let from_cache = counter("checks_from_cache", "Requests for a check that a fresh result answered");
        let refused = counter("checks_refused", "Requests for a check that a limit refused");
        let requests = counter("requests", "HTTP requests");
        let tls_reports = counter("tls_reports", "TLS reports received");
        let (kept, waiting) = (Gauge::default(), Gauge::default());
        registry.register("results_kept", "Results in the store", kept.clone());
        registry.register("checks_under_way", "Checks that wait or run", waiting.clone());
        Metrics { begun, from_cache, refused, requests, tls_reports, kept, waiting, registry }
    }
}

impl Metrics {
    /// The metrics in the text format of OpenMetrics 1.0.
    pub fn text(&self, kept: u64, under_way: usize) -> String {
        self.kept.set(i64::try_from(kept).unwrap_or(i64::MAX));
        self.waiting.set(i64::try_from(under_way).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing into a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
