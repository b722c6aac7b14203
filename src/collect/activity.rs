//! What is under way at this moment: every step of every pass notes itself here, and `cli` shows it to people who
//! wait.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A step that has begun and not ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StepUnderWay {
    /// The domain that it is for.
    pub domain: String,
    /// What is done, for example `TXT _mta-sts.example.com`.
    pub name: String,
    /// For how long already.
    pub since: Duration,
}

/// The steps that are under way.
#[derive(Default)]
pub struct Activity {
    steps: Mutex<Steps>,
}

#[derive(Default)]
struct Steps {
    begun: u64,
    running: BTreeMap<u64, (String, String, Instant)>,
}

impl Activity {
    /// Notes that a step begins; it ends when what this returns is dropped, also where the step is given up.
    pub fn begin(&self, domain: &str, name: &str) -> Ticket<'_> {
        let mut steps = self.lock();
        let number = steps.begun;
        steps.begun = number.wrapping_add(1);
        steps.running.insert(number, (domain.to_owned(), name.to_owned(), Instant::now()));
        Ticket { activity: self, number }
    }

    /// The steps under way, the oldest first, at most `most` of them; and how many there are in all.
    pub fn under_way(&self, most: usize) -> (Vec<StepUnderWay>, usize) {
        let steps = self.lock();
        let oldest = steps.running.values().take(most).map(|(domain, name, began)| StepUnderWay {
            domain: domain.clone(),
            name: name.clone(),
            since: began.elapsed(),
        });
        (oldest.collect(), steps.running.len())
    }

    fn lock(&self) -> MutexGuard<'_, Steps> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A step under way, until it is dropped.
pub struct Ticket<'a> {
    activity: &'a Activity,
    number: u64,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.activity.lock().running.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_under_way_until_they_end_or_are_given_up() {
        let activity = Activity::default();
        let first = activity.begin("a.example", "MX a.example");
        let second = activity.begin("b.example", "MX b.example");
        let names = |most| activity.under_way(most).0.into_iter().map(|step| step.name).collect::<Vec<_>>();
        assert_eq!((names(9), activity.under_way(1).1), (vec!["MX a.example".into(), "MX b.example".into()], 2));
        assert_eq!(names(1), ["MX a.example"]);
        drop(first);
        assert_eq!(names(9), ["MX b.example"]);
        drop(second);
        assert_eq!(activity.under_way(9), (Vec::new(), 0));
    }
}
