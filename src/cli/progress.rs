//! What people who wait see on standard error: how far the collection is, and what it waits for.
//!
//! One line, and only on a terminal: nothing where standard error goes elsewhere, with `--quiet`, or with `-v`,
//! whose log says more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::OutputArgs;
use crate::collect::{Collector, StepUnderWay};
use crate::grammar::names::DomainName;
use crate::source_text::escape;

/// How often the line is drawn again.
const REDRAW: Duration = Duration::from_millis(120);
/// How many steps are named.
const NAMED: usize = 4;

/// The line, and how often it changes.
pub struct Progress {
    bar: ProgressBar,
    done: Done,
    single: bool,
    redraw: Interval,
}

/// Counts the domains that are done.
#[derive(Clone, Default)]
pub struct Done(Arc<AtomicU64>);

impl Done {
    /// One more.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Progress {
    /// Starts the line for these domains; needs to run inside of a runtime.
    pub fn start(domains: &[DomainName], output: &OutputArgs) -> Self {
        let target = if output.quiet || output.verbose > 0 {
            ProgressDrawTarget::hidden()
        } else {
            // indicatif itself draws nothing where this is no terminal.
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(u64::try_from(domains.len()).ok(), target);
        let template = match domains {
            [_] => "{spinner} {prefix} {elapsed} {wide_msg}",
            _ => "{spinner} {pos} of {len} domains {elapsed} {wide_msg}",
        };
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()));
        if let [domain] = domains {
            bar.set_prefix(domain.as_str().to_owned());
        }
        let mut redraw = interval(REDRAW);
        redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Progress { bar, done: Done::default(), single: domains.len() == 1, redraw }
    }

    /// The count of what is done.
    pub fn done(&self) -> Done {
        self.done.clone()
    }

    /// Waits until the line should be drawn again: for ever where nobody sees it.
    pub async fn tick(&mut self) {
        if self.bar.is_hidden() { std::future::pending().await } else { _ = self.redraw.tick().await }
    }

    /// Draws the line as it is now.
    pub fn show(&self, collector: &Collector) {
        let (steps, all) = collector.under_way(NAMED);
        self.bar.set_position(self.done.0.load(Ordering::Relaxed));
        self.bar.set_message(waiting_for(&steps, all, self.single));
        self.bar.tick();
    }

    /// Prints something while the line is out of the way.
    pub fn aside<R>(&self, print: impl FnOnce() -> R) -> R {
        self.bar.suspend(print)
    }

    /// Takes the line away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// The steps that are waited for, the one that takes longest first.
fn waiting_for(steps: &[StepUnderWay], all: usize, single: bool) -> String {
    let name = |step: &StepUnderWay| {
        if step.name.contains(&step.domain) || single {
            escape(&step.name)
        } else {
            escape(&format!("{}: {}", step.domain, step.name))
        }
    };
    let named: Vec<String> = steps.iter().map(name).collect();
    match (named.as_slice(), all.saturating_sub(named.len())) {
        ([], _) => String::new(),
        (named, 0) => format!("waiting for {}", named.join(", ")),
        (named, more) => format!("waiting for {} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_what_is_waited_for() {
        let step = |domain: &str, name: &str| StepUnderWay {
            domain: domain.to_owned(),
            name: name.to_owned(),
            since: Duration::ZERO,
        };
        assert_eq!(waiting_for(&[], 0, true), "");
        let steps = [step("a.example", "MX a.example"), step("a.example", "SMTP mx.b.example at 192.0.2.1")];
        assert_eq!(waiting_for(&steps, 2, true), "waiting for MX a.example, SMTP mx.b.example at 192.0.2.1");
        assert_eq!(
            waiting_for(&steps, 9, false),
            "waiting for MX a.example, a.example: SMTP mx.b.example at 192.0.2.1 and 7 more"
        );
        assert_eq!(waiting_for(&[step("a.example", "SMTP \u{1b}[2J")], 1, true), "waiting for SMTP \\u{1b}[2J");
    }
}
