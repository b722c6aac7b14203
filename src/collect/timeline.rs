//! What was done when: notes each step of one collection for the timeline in reports.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use super::activity::Activity;
use super::kept::Budget;
use super::limits::{Clock, MAX_TIMELINE_OCTETS};
use crate::snapshot::{Step, written_size};

/// The steps of one collection.
pub struct Timeline<'a> {
    clock: Clock,
    domain: &'a str,
    activity: &'a Activity,
    steps: Mutex<Vec<Step>>,
    room: Budget,
}

impl<'a> Timeline<'a> {
    /// A timeline that counts from the start of `clock`, and tells `activity` what is under way for `domain`.
    pub fn new(clock: Clock, domain: &'a str, activity: &'a Activity) -> Self {
        Timeline { clock, domain, activity, steps: Mutex::default(), room: Budget::of(MAX_TIMELINE_OCTETS, 0, 0) }
    }

    /// Runs a step and notes how long it took. The step lives on the heap: a pass holds dozens at the same time,
    /// and together they are too large for a thread's stack.
    pub async fn step<F: Future>(&self, name: String, work: F) -> F::Output {
        let start_ms = self.clock.elapsed_ms();
        let ticket = self.activity.begin(self.domain, &name);
        let output = Box::pin(work).await;
        drop(ticket);
        let step = Step { name, start_ms, end_ms: self.clock.elapsed_ms() };
        // The longest steps began first: those that find no room are those that came late.
        if self.room.take("", written_size(&step)) {
            self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(step);
        }
        output
    }

    /// All steps by their beginning.
    pub fn into_steps(self) -> Vec<Step> {
        let mut steps = self.steps.into_inner().unwrap_or_else(PoisonError::into_inner);
        steps.sort_by(|a, b| (a.start_ms, a.end_ms, &a.name).cmp(&(b.start_ms, b.end_ms, &b.name)));
        steps
    }
}
