//! From lines to answers: lines are read on a thread, domains are looked at by tasks on all processors, and each line gets
//! exactly one answer, also where a task fails. What is under way is bounded, and so is memory. Used by `cli::scan`.

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use miette::Diagnostic;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::answer::{Answer, Fate, Form};
use super::answered::{Answered, ResumeError};
use super::input::{Entry, Layout, NoColumn};
use super::lines::{Line, Lines};

/// So many lines are handed over at a time, and so many times that are read ahead.
const BATCH: usize = 128;
const AHEAD: usize = 4;

/// So many domains are under way at most that began a moment ago: more would only share the same processors.
const BRISK: usize = 192;
/// After this time a domain waits for somebody, most likely a host that never answers, and another may begin.
const MOMENT: Duration = Duration::from_secs(2);

/// Why the lines end before their end.
#[derive(Debug, Diagnostic, Error)]
pub enum PipelineError {
    /// There is no such column.
    #[error(transparent)]
    #[diagnostic(code(stslint::scan), help("name a column of the first line, or give its number, from 1"))]
    Column(#[from] NoColumn),
    /// The input could not be read further.
    #[error("the input cannot be read beyond line {line}: {reason}")]
    #[diagnostic(code(stslint::scan), help("the lines up to there are answered"))]
    Input {
        /// The last line that was read.
        line: u64,
        /// Why.
        reason: io::Error,
    },
    /// What was written before does not fit.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Resume(#[from] ResumeError),
}

/// How many lines came to what.
#[derive(Debug, Default)]
pub struct Counts {
    fates: [AtomicU64; 6],
    /// Lines that an earlier run has answered.
    pub before: AtomicU64,
    /// Lines under way.
    pub under_way: AtomicU64,
}

impl Counts {
    /// How many answers of this kind were handed over for writing.
    pub fn of(&self, fate: Fate) -> u64 {
        self.fates.get(fate as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// How many answers were handed over for writing.
    pub fn all(&self) -> u64 {
        self.fates.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    fn add(&self, fate: Fate) {
        if let Some(count) = self.fates.get(fate as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer on its way to the output; the place that its line takes is free when it is dropped.
#[derive(Debug)]
pub struct Delivered {
    /// The place in the order of the lines that are answered in this run, from 0.
    pub place: u64,
    /// The answer.
    pub answer: Answer,
    counts: Arc<Counts>,
    _place: OwnedSemaphorePermit,
}

impl Delivered {
    /// Counts it.
    pub fn written(&self) {
        self.counts.add(self.answer.fate);
    }
}

/// Looks at the domain of an entry.
pub type Look = Arc<dyn Fn(Entry) -> BoxFuture<'static, Answer> + Send + Sync>;

/// Waits until there is room to begin with another domain.
pub type Ready = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// How lines become answers.
pub struct Pipeline {
    /// The column or field that holds the domain.
    pub column: Option<String>,
    /// What the answers look like.
    pub form: Form,
    /// What an earlier run has answered.
    pub answered: Answered,
    /// How many domains are under way at most.
    pub at_once: usize,
    /// How a domain is looked at.
    pub look: Look,
    /// What is waited for before the next.
    pub ready: Ready,
    /// The counts, for whoever shows them.
    pub counts: Arc<Counts>,
}

impl Pipeline {
    /// Answers lines until they end or `stop` says so, and waits until the last answer is written. Whether all lines were
    /// read.
    pub async fn run(
        self,
        lines: Lines,
        answers: Sender<Delivered>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<bool, PipelineError> {
        let places = Arc::new(Semaphore::new(self.at_once.max(1)));
        let brisk = Arc::new(Semaphore::new(BRISK));
        let mut read = begin_reading(lines);
        let mut layout = None;
        let (mut place, mut last) = (0, 0);
        let ended = 'lines: loop {
            let batch = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break Ok(false),
                batch = read.recv() => batch,
            };
            let lines = match batch {
                None => break Ok(true),
                Some(Err(reason)) => break Err(PipelineError::Input { line: last, reason }),
                Some(Ok(lines)) => lines,
            };
            for line in lines {
                last = line.number;
                let layout = match &layout {
                    Some(layout) => layout,
                    None => match Layout::of(self.column.as_deref(), &line.octets) {
                        Ok((first, is_header)) => {
                            let layout = layout.insert(first);
                            if is_header {
                                continue;
                            }
                            layout
                        }
                        Err(error) => break 'lines Err(error.into()),
                    },
                };
                let entry = layout.read(&line);
                match self.answered.has(entry.line, &entry.text) {
                    Ok(false) => {}
                    Ok(true) => {
                        self.counts.before.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                    Err(error) => break 'lines Err(error.into()),
                }
                let free = async {
                    let free = places.clone().acquire_owned().await;
                    let begins = brisk.clone().acquire_owned().await;
                    (self.ready)().await;
                    free.and_then(|free| Ok((free, begins?)))
                };
                let free = tokio::select! {
                    biased;
                    _ = stop.wait_for(|stop| *stop) => break 'lines Ok(false),
                    free = free => free,
                };
                let Ok((free, begins)) = free else { break 'lines Ok(false) };
                self.begin(entry, place, (free, begins), &answers);
                place += 1;
            }
        };
        // Every place is free again when every answer is written, or lost with the output.
        let all = u32::try_from(self.at_once.max(1)).unwrap_or(u32::MAX);
        _ = places.acquire_many(all).await;
        ended
    }

    fn begin(
        &self,
        entry: Entry,
        place: u64,
        (free, begins): (OwnedSemaphorePermit, OwnedSemaphorePermit),
        answers: &Sender<Delivered>,
    ) {
        let (look, form, counts, answers) = (self.look.clone(), self.form, self.counts.clone(), answers.clone());
        counts.under_way.fetch_add(1, Ordering::Relaxed);
        let deliver = move |answer| {
            // Whoever no longer writes has said why.
            _ = answers.send(Delivered { place, answer, counts, _place: free });
        };
        if let Some(answer) = self.form.without_domain(&entry) {
            return deliver(answer);
        }
        tokio::spawn(async move {
            let mut looking = Box::pin(AssertUnwindSafe(async { look(entry.clone()).await }).catch_unwind());
            let in_a_moment = tokio::time::timeout(MOMENT, &mut looking).await;
            drop(begins);
            let looked = match in_a_moment {
                Ok(looked) => looked,
                Err(_) => looking.await,
            };
            let answer = looked.unwrap_or_else(|_| {
                let why = "stslint failed on this domain: please report it, with the snapshot of `stslint collect`";
                form.failed(&entry, Fate::Broken, why)
            });
            deliver(answer);
        });
    }
}

type Batch = io::Result<Vec<Line>>;

/// Reads lines on a thread of their own; those that are there are handed over before others are waited for.
fn begin_reading(mut lines: Lines) -> mpsc::Receiver<Batch> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        loop {
            let mut batch = Vec::new();
            let ended = loop {
                match lines.next_line() {
                    Ok(Some(line)) => batch.push(line),
                    Ok(None) => break Some(None),
                    Err(error) => break Some(Some(error)),
                }
                if batch.len() >= BATCH || lines.may_wait() {
                    break None;
                }
            };
            if !batch.is_empty() && sender.blocking_send(Ok(batch)).is_err() {
                return;
            }
            match ended {
                None => {}
                Some(None) => return,
                Some(Some(error)) => {
                    _ = sender.blocking_send(Err(error));
                    return;
                }
            }
        }
    });
    receiver
}
