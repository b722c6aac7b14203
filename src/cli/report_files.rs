//! The files of `stslint reports`: found below folders, unpacked, read and judged, on all processors and in their order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread;

use jiff::civil::Date;

use super::OutputArgs;
use super::file_progress::FileProgress;
use crate::config::InForce;
use crate::facts::tree::FactTree;
use crate::files;
use crate::outcome::Report;
use crate::report::{Linted, Unreadable};
use crate::rules::{RuleSet, judge_report};
use crate::snapshot::Snapshot;
use crate::source_text::escape;
use crate::tls_reports::container::{Found, unpack};
use crate::tls_reports::model::TlsReport;
use crate::tls_reports::read::read;

/// A file of reports: a mailbox may be large.
const MAX_FILE: u64 = 512 << 20;
/// So many files are read.
const MAX_FILES: usize = 1_000_000;
/// So many files are in memory at once, and so many reports are judged at once.
const BATCH: usize = 256;
/// So many octets of reports are kept for a format that shows places in them.
const MAX_KEPT: usize = 256 << 20;
/// Folders in folders.
const MAX_DEPTH: usize = 16;

/// Judges reports as they are read.
#[derive(Debug)]
pub struct ReportContext<'a> {
    /// The rules over reports, for domains of which the configuration says nothing of its own.
    pub rules: &'a RuleSet,
    /// What the configuration says of some domains, and the findings that it accepts.
    pub in_force: &'a InForce,
    /// The day on which that is asked, in UTC.
    pub today: Date,
    /// The domains whose reports are expected; empty where that is not known.
    pub asked_for: &'a [String],
    /// Whether the findings are kept with the texts that they point into.
    pub keeps: bool,
}

impl ReportContext<'_> {
    /// Takes out the findings that the configuration accepts. `stslint check` tells which entries have expired.
    pub fn accept(&self, found: &mut Report, domain: Option<&str>) {
        found.checks.iter_mut().for_each(|check| check.domain = domain.map(str::to_owned));
        self.in_force.ignores.apply(found, self.today, &mut Vec::new());
        found.checks.iter_mut().for_each(|check| check.domain = None);
    }
}

/// What was read.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The reports, in the order of the files.
    pub reports: Vec<TlsReport>,
    /// What rules find in each report, where that is kept.
    pub linted: Vec<Linted>,
    /// Rules that could not be evaluated, and why.
    pub mistakes: BTreeSet<(String, String)>,
    /// What could not be read.
    pub lost: Vec<Unreadable>,
    /// How many octets of reports are kept.
    kept: usize,
}

/// Reads files, and every file below folders in the order of their names; a bad one never stops the rest.
pub fn gather(paths: &[PathBuf], context: &ReportContext<'_>, output: &OutputArgs) -> Gathered {
    let mut gathered = Gathered::default();
    let mut files = Vec::new();
    for path in paths {
        gathered.find(path, 0, &mut files);
    }
    if files.len() > MAX_FILES {
        gathered.lost("the folders", &format!("only the first {MAX_FILES} files are read"));
        files.truncate(MAX_FILES);
    }
    let progress = FileProgress::start(files.len(), output);
    for batch in files.chunks(BATCH) {
        let opened = in_parallel(batch.to_vec(), |path| open(&path));
        let (found, lost): (Vec<_>, Vec<_>) = opened.into_iter().unzip();
        gathered.lost.extend(lost.into_iter().flatten());
        let mut found = found.into_iter().flatten().peekable();
        while found.peek().is_some() {
            let some: Vec<(Found, bool)> = found.by_ref().take(BATCH).collect();
            in_parallel(some, |(found, alone)| judged(found, alone, context))
                .into_iter()
                .for_each(|read| gathered.take(read));
        }
        progress.add(batch.len());
    }
    gathered
}

/// Findings about a text; the file is named where the text is one.
pub fn linted(report: Report, name: &str, file: Option<String>) -> Linted {
    let report = Report { domain: Some(name.to_owned()), ..report };
    Linted { report, facts: FactTree::default(), snapshot: Snapshot::default(), policy_file: file }
}

fn unreadable(name: &str, reason: &str) -> Unreadable {
    Unreadable { name: name.to_owned(), message: reason.to_owned() }
}

/// The reports of a file, each with whether it is a file of its own, and what of it is lost.
fn open(path: &Path) -> (Vec<(Found, bool)>, Vec<Unreadable>) {
    let name = escape(&path.display().to_string());
    let octets = match files::read_bounded(path, MAX_FILE) {
        Ok(octets) => octets,
        Err(error) => return (Vec::new(), vec![unreadable(&name, &error.to_string())]),
    };
    let unpacked = unpack(&name, &octets);
    let alone = |found: &Found| found.source == name && found.octets == octets;
    let found = unpacked.found.into_iter().map(|found| (alone(&found), found)).map(|(alone, found)| (found, alone));
    let lost = unpacked.lost.iter().map(|lost| unreadable(&lost.source, &lost.reason));
    (found.collect(), lost.collect())
}

/// One report, judged.
struct Read {
    report: TlsReport,
    linted: Option<Linted>,
    mistakes: Vec<(String, String)>,
    octets: usize,
}

fn judged(found: Found, alone: bool, context: &ReportContext<'_>) -> Result<Read, Unreadable> {
    let report = read(&found.source, &found.octets).map_err(|broken| {
        let before = found.octets.get(..broken.span.start).unwrap_or_default();
        let line = before.iter().filter(|octet| **octet == b'\n').count().saturating_add(1);
        unreadable(&found.source, &format!("not a report: {} in line {line}", escape(&broken.reason)))
    })?;
    let Found { mail, media_type, file_name, .. } = found;
    let mut report = TlsReport { mail, media_type, file_name, ..report };
    let asked_for = (!context.asked_for.is_empty()).then_some(context.asked_for);
    let domain = report.policies.iter().find_map(|result| result.policy_domain.clone());
    let settled = context.in_force.for_domain(domain.as_deref()).0;
    let rules = settled.as_ref().map_or(context.rules, |settled| &settled.rules);
    let accept = |found: &mut Report| context.accept(found, domain.as_deref());
    let evaluated = judge_report(rules, &mut report, asked_for, &accept);
    let octets = std::mem::take(&mut report.text).len();
    report.oddities = Vec::new();
    let kept = (context.keeps && !report.offences.is_empty())
        .then(|| linted(evaluated.report, &report.source, alone.then(|| report.source.clone())));
    Ok(Read { report, linted: kept, mistakes: evaluated.mistakes, octets })
}

/// Does the same with each, on all processors; the results are in the order of what they are about.
fn in_parallel<T: Send, R: Send>(items: Vec<T>, each: impl Fn(T) -> R + Sync) -> Vec<R> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    if workers < 2 || items.len() < workers.saturating_mul(4) {
        return items.into_iter().map(each).collect();
    }
    let share = items.len().div_ceil(workers);
    let mut items = items.into_iter();
    let each = &each;
    thread::scope(|scope| {
        let mut running = Vec::new();
        loop {
            let some: Vec<T> = items.by_ref().take(share).collect();
            if some.is_empty() {
                break;
            }
            running.push(scope.spawn(move || some.into_iter().map(each).collect::<Vec<R>>()));
        }
        let done = |worker: thread::ScopedJoinHandle<'_, Vec<R>>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        running.into_iter().flat_map(done).collect()
    })
}

impl Gathered {
    fn find(&mut self, path: &Path, depth: usize, files: &mut Vec<PathBuf>) {
        if path == Path::new("-") || !path.is_dir() {
            return files.push(path.to_owned());
        }
        let name = escape(&path.display().to_string());
        if depth > MAX_DEPTH {
            return self.lost(&name, "the folder is too deep");
        }
        let Ok(entries) = std::fs::read_dir(path) else { return self.lost(&name, "the folder cannot be read") };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        // What is in `tmp` of a Maildir is not delivered yet.
        let maildir = path.join("cur").is_dir() && path.join("new").is_dir();
        let regular = |entry: &&PathBuf| entry.metadata().map_or(true, |entry| entry.is_file() || entry.is_dir());
        for entry in paths.iter().filter(|entry| !maildir || !entry.ends_with("tmp")).filter(regular) {
            if files.len() > MAX_FILES {
                return;
            }
            self.find(entry, depth.saturating_add(1), files);
        }
    }

    fn take(&mut self, read: Result<Read, Unreadable>) {
        let Read { report, linted, mistakes, octets } = match read {
            Ok(read) => read,
            Err(unreadable) => return self.lost.push(unreadable),
        };
        self.mistakes.extend(mistakes);
        self.reports.push(report);
        if let Some(mut linted) = linted {
            self.kept = self.kept.saturating_add(octets);
            if self.kept > MAX_KEPT {
                linted.report.exhibits.clear();
            }
            self.linted.push(linted);
        }
    }

    fn lost(&mut self, name: &str, reason: &str) {
        self.lost.push(unreadable(name, reason));
    }
}
