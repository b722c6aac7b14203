//! How far a scan is, on standard error: a line that changes on a terminal, and elsewhere a line from time to time.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use super::OutputArgs;
use crate::collect::Collector;
use crate::report::counted;
use crate::scan::answer::Fate;
use crate::scan::lines::Consumed;
use crate::scan::pipeline::Counts;

/// How often the line on a terminal is drawn.
const REDRAW: Duration = Duration::from_millis(500);
/// How often a line is written elsewhere.
const REPEAT: Duration = Duration::from_secs(30);

/// The progress of a scan.
pub struct ScanProgress {
    counts: Arc<Counts>,
    collector: Arc<Collector>,
    consumed: Consumed,
    size: Option<u64>,
    bar: ProgressBar,
    began: Instant,
    tick: Interval,
    quiet: bool,
}

impl ScanProgress {
    /// Begins to count; the input has `size` octets, where that is known. Needs to run inside of a runtime.
    pub fn start(
        counts: Arc<Counts>,
        collector: Arc<Collector>,
        consumed: Consumed,
        size: Option<u64>,
        output: &OutputArgs,
    ) -> Self {
        let quiet = output.quiet || output.verbose > 0;
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("{spinner} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        let every = if bar.is_hidden() { REPEAT } else { REDRAW };
        let mut tick = interval_at(tokio::time::Instant::now() + every, every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ScanProgress { counts, collector, consumed, size, bar, began: Instant::now(), tick, quiet }
    }

    /// Waits until it should be shown again.
    pub async fn tick(&mut self) {
        self.tick.tick().await;
    }

    /// Shows it.
    pub fn show(&self) {
        match self.bar.is_hidden() {
            true if self.quiet => {}
            true => _ = writeln!(std::io::stderr(), "{}", self.line()),
            false => {
                self.bar.set_message(self.line());
                self.bar.tick();
            }
        }
    }

    /// Prints something while the line is out of the way.
    pub fn aside<R>(&self, print: impl FnOnce() -> R) -> R {
        self.bar.suspend(print)
    }

    /// Takes the line away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self) -> String {
        let done = self.counts.all();
        let rate = rate(done, self.began.elapsed());
        let under_way = self.counts.under_way.load(Ordering::Relaxed);
        let mut line = format!("{} answered, {rate}/s, {under_way} under way", counted_lines(done));
        let lost = self.collector.queries().lost;
        if lost > 0 {
            line.push_str(&format!(", {lost} queries lost and repeated"));
        }
        if let Some(left) = self.left() {
            line.push_str(&format!(", about {} left", duration(left)));
        }
        line
    }

    /// The time that is left, by how much of the input is read.
    fn left(&self) -> Option<Duration> {
        let (size, read) = (self.size? as f64, self.consumed.octets() as f64);
        (read > 0.0 && size > read).then(|| self.began.elapsed().mul_f64((size - read) / read))
    }

    /// What the run came to.
    pub fn summary(&self) -> String {
        let counts = &self.counts;
        let done = counts.all();
        let elapsed = self.began.elapsed();
        let parts = [
            (counts.of(Fate::Unchecked), "of which nothing could be checked"),
            (counts.of(Fate::OptedOut), "on the opt-out list"),
            (counts.of(Fate::Wrong), "without a domain"),
            (counts.of(Fate::Skipped), "blank or comments"),
            (counts.of(Fate::Broken), "that stslint failed on"),
            (counts.before.load(Ordering::Relaxed), "answered before"),
        ];
        let parts: String =
            parts.into_iter().filter(|(count, _)| *count > 0).map(|(n, what)| format!(", {n} {what}")).collect();
        let (rate, queries) = (rate(done, elapsed), self.collector.queries());
        let (sent, lost) = (queries.sent, queries.lost);
        let lines = counted_lines(done);
        format!("{lines} answered in {}, {rate}/s{parts}; {sent} DNS queries, {lost} of them lost", duration(elapsed))
    }
}

fn counted_lines(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "line")
}

fn rate(done: u64, elapsed: Duration) -> String {
    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
    if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}
