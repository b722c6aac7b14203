//! `stslint reports`: TLS reports (RFC 8460), read from files, mails and mailboxes, summed up and explained.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use miette::{IntoDiagnostic, Report as Error};

use super::rule_args::RuleArgs;
use super::{Ended, OutputArgs, UsageError, terminal};
use crate::config::Configuration;
use crate::facts::Facts;
use crate::files;
use crate::grammar::names::DomainName;
use crate::outcome::{Check, Report, Severity};
use crate::report::tls_reports::{By, TlsResults, csv, json, json_lines};
use crate::report::{self, Linted, Results, Style, Unreadable};
use crate::rules::{RuleSet, evaluate, judge_report, judge_reports};
use crate::snapshot::{self, Snapshot};
use crate::source_text::escape;
use crate::tls_match::{Comparison, Observed, compare};
use crate::tls_reports::container::{Found, unpack};
use crate::tls_reports::digest::digest;
use crate::tls_reports::duplicates::Distinct;
use crate::tls_reports::model::TlsReport;
use crate::tls_reports::read::read;

/// A file of reports: a mailbox may be large.
const MAX_FILE: u64 = 512 << 20;
/// So many files of a folder are read.
const MAX_FILES: usize = 1_000_000;
/// So many octets of reports are kept for a format that shows places in them.
const MAX_KEPT: usize = 256 << 20;
/// Folders in folders.
const MAX_DEPTH: usize = 16;

/// Options of `reports`.
#[derive(Args, Debug)]
pub struct ReportsArgs {
    /// Reports: JSON, gzip, zip, mails, mailboxes (mbox), folders (Maildir too); `-` for standard input.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Only what happened on this day (UTC) or later, for example 2026-11-20.
    #[arg(long, value_name = "DAY")]
    since: Option<Date>,
    /// Snapshots of the domains (`.jsonl` holds many): each failure is shown with the finding that explains it now.
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// Older snapshots of the same domains: what they found, and what is fixed since.
    #[arg(long, value_name = "FILE", requires = "snapshot")]
    baseline: Option<PathBuf>,
    /// A domain whose reports you asked for; give it again for more. Reports about others are named.
    #[arg(long = "domain", value_name = "DOMAIN", value_parser = domain)]
    domains: Vec<DomainName>,
    /// When the reports are looked at, for rules over all of them: RFC 3339; now, where nothing is said.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Which rules judge the reports.
    #[command(flatten)]
    rules: RuleArgs,
    /// What the table beside the causes lists: in `human`, `html`, `markdown`, and as series of `prometheus`.
    #[arg(long, value_enum, default_value_t = Table::Sender)]
    by: Table,
    /// The format.
    #[arg(long, value_enum, default_value_t = ReportsFormat::Human, help_heading = "Output")]
    format: ReportsFormat,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Table {
    /// Each cause of failures.
    Cause,
    /// Each day.
    Day,
    /// Each MX host that a failure names.
    Host,
    /// Each sender.
    Sender,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum ReportsFormat {
    /// A table: one row per failure.
    Csv,
    /// A few lines for a mail or a chat.
    Digest,
    /// One page for people, complete in itself, with a chart by day and cause.
    Html,
    /// For people.
    Human,
    /// One JSON document with everything.
    Json,
    /// One line of JSON per report.
    Jsonl,
    /// Markdown for a comment, a ticket or a wiki.
    Markdown,
    /// Metrics for Prometheus.
    Prometheus,
    /// SARIF 2.1.0: what is odd about the reports, with its place in their JSON.
    Sarif,
}

fn domain(text: &str) -> Result<DomainName, String> {
    DomainName::parse(text).map_err(|error| error.to_string())
}

/// Runs the command: exit code 1 where connections failed, 2 where nothing could be read.
pub fn run(args: &ReportsArgs, configuration: &Configuration, output: &OutputArgs) -> Ended {
    // Unreadable snapshots end the run before anything is read.
    let now = args.snapshot.as_deref().map(observed).transpose()?.unwrap_or_default();
    let older = args.baseline.as_deref().map(observed).transpose()?.unwrap_or_default();
    let rules = args.rules.load(configuration)?.rules.over_reports();
    let asked_for: Vec<String> = args.domains.iter().map(|domain| domain.as_str().to_owned()).collect();
    let mut gathered = Gathered {
        judge: Judge {
            rules: &rules,
            asked_for: (!asked_for.is_empty()).then_some(&asked_for),
            keeps: args.format == ReportsFormat::Sarif,
        },
        reports: Vec::new(),
        linted: Vec::new(),
        kept: 0,
        mistakes: BTreeSet::new(),
        lost: Vec::new(),
        files: 0,
    };
    for path in &args.paths {
        gathered.path(path, 0);
    }
    if let Some(since) = args.since {
        let from = TimeZone::UTC.to_timestamp(since.at(0, 0, 0, 0)).into_diagnostic()?.as_second();
        // Some senders write the next midnight as the end of a day.
        gathered.reports.retain(|report| report.end.or(report.start).is_none_or(|end| end > from));
    }
    gathered.reports.sort_by(|one, other| (one.start, &one.source).cmp(&(other.start, &other.source)));
    let distinct = Distinct::of(gathered.reports);
    let digest = digest(&distinct);
    let comparisons: Vec<Comparison> = now
        .iter()
        .map(|now| compare(&digest, now, older.iter().find(|older| older.facts.domain == now.facts.domain)))
        .collect();
    let at = args.at.unwrap_or_else(Timestamp::now);
    let together = judge_reports(&rules, &digest, gathered.lost.len(), at).unwrap_or_default();
    gathered.mistakes.extend(together.mistakes);
    for (rule, reason) in &gathered.mistakes {
        terminal::remark(&format!("error: the rule {rule} cannot be evaluated: {reason}"), output);
    }
    let findings: Vec<Check> = together.report.findings().into_iter().cloned().collect();
    let results = TlsResults {
        digest: &digest,
        reports: &distinct.reports,
        lost: &gathered.lost,
        comparisons: &comparisons,
        findings: &findings,
    };
    let text = if args.format == ReportsFormat::Sarif {
        if !findings.is_empty() {
            gathered.linted.push(linted(together.report, "reports", None));
        }
        let linted = &gathered.linted;
        report::sarif(&Results { linted, unreadable: &gathered.lost, rules: &rules, ended_at: at }).into_diagnostic()?
    } else {
        in_format(args.format, &results, args.by.into(), &terminal::style(output))?
    };
    terminal::print(&text);
    for lost in &gathered.lost {
        let error: Error = UsageError { message: lost.sentence(), help: None }.into();
        terminal::print_error(&error, output);
    }
    if distinct.reports.is_empty() && args.since.is_none() {
        return Ok(2);
    }
    if !gathered.mistakes.is_empty() {
        return Ok(2);
    }
    // What is odd about a report is its sender's doing; what an own rule calls an error is what the user looks for.
    let own = |rule: &str| rules.get(rule).is_some_and(|rule| rule.path.is_some());
    let mut offences = distinct.reports.iter().flat_map(|report| &report.offences);
    let broken = findings.iter().any(|check| check.severity == Severity::Error)
        || offences.any(|offence| offence.severity == Severity::Error.label() && own(&offence.rule));
    Ok(u8::from(broken || digest.domains.iter().any(|domain| domain.failed > 0)))
}

fn in_format(format: ReportsFormat, results: &TlsResults<'_>, by: By, style: &Style) -> Result<String, Error> {
    Ok(match format {
        ReportsFormat::Csv => csv(results),
        ReportsFormat::Digest => report::tls_digest(results),
        ReportsFormat::Html => report::html_tls_reports(results, by),
        ReportsFormat::Human => report::human_tls_reports(results, by, style),
        ReportsFormat::Json => json(results).into_diagnostic()?,
        ReportsFormat::Jsonl => json_lines(results).into_diagnostic()?,
        ReportsFormat::Markdown => report::markdown_tls_reports(results, by),
        ReportsFormat::Prometheus => report::prometheus_tls_reports(results, by),
        // It is made of the findings themselves.
        ReportsFormat::Sarif => String::new(),
    })
}

/// The snapshots of a file, with what the built-in rules find in them.
fn observed(path: &Path) -> Result<Vec<Observed>, Error> {
    let rules = RuleSet::built_in()?;
    let mut all = Vec::new();
    for snapshot in snapshot::read(path) {
        let facts = Facts::of(&snapshot?, None);
        let report = evaluate(&rules, &facts).report;
        all.push(Observed { facts, report });
    }
    Ok(all)
}

impl From<Table> for By {
    fn from(table: Table) -> Self {
        match table {
            Table::Cause => By::Cause,
            Table::Day => By::Day,
            Table::Host => By::Host,
            Table::Sender => By::Sender,
        }
    }
}

/// Judges reports as they are read.
#[derive(Debug)]
struct Judge<'a> {
    rules: &'a RuleSet,
    asked_for: Option<&'a Vec<String>>,
    /// Whether the findings are kept with the texts that they point into.
    keeps: bool,
}

#[derive(Debug)]
struct Gathered<'a> {
    judge: Judge<'a>,
    reports: Vec<TlsReport>,
    /// What rules find in each report, where that is kept.
    linted: Vec<Linted>,
    /// How many octets of reports are kept for it.
    kept: usize,
    /// Rules that could not be evaluated, and why.
    mistakes: BTreeSet<(String, String)>,
    lost: Vec<Unreadable>,
    files: usize,
}

/// Findings about a text; the file is named where the text is one.
fn linted(report: Report, name: &str, file: Option<String>) -> Linted {
    let report = Report { domain: Some(name.to_owned()), ..report };
    Linted { report, facts: serde_json::Value::Null, snapshot: Snapshot::default(), policy_file: file }
}

impl Gathered<'_> {
    /// Reads a file, or every file below a folder in the order of their names; a bad one never stops the rest.
    fn path(&mut self, path: &Path, depth: usize) {
        let name = escape(&path.display().to_string());
        if path != Path::new("-") && path.is_dir() {
            if depth > MAX_DEPTH {
                return self.lost(&name, "the folder is too deep");
            }
            let Ok(entries) = std::fs::read_dir(path) else { return self.lost(&name, "the folder cannot be read") };
            let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            paths.sort();
            // What is in `tmp` of a Maildir is not delivered yet.
            let maildir = path.join("cur").is_dir() && path.join("new").is_dir();
            for entry in paths.iter().filter(|entry| !maildir || !entry.ends_with("tmp")) {
                self.path(entry, depth.saturating_add(1));
            }
            return;
        }
        self.files = self.files.saturating_add(1);
        if self.files > MAX_FILES {
            return;
        }
        match files::read_bounded(path, MAX_FILE) {
            Ok(octets) => self.octets(&name, &octets),
            Err(error) => self.lost(&name, &error.to_string()),
        }
    }

    fn octets(&mut self, name: &str, octets: &[u8]) {
        let unpacked = unpack(name, octets);
        for found in unpacked.found {
            let alone = found.source == name && found.octets == octets;
            self.found(found, alone);
        }
        for lost in unpacked.lost {
            self.lost(&lost.source, &lost.reason);
        }
    }

    /// Reads and judges one report; `alone` where it is a file of its own.
    fn found(&mut self, found: Found, alone: bool) {
        match read(&found.source, &found.octets) {
            Ok(report) => {
                let Found { mail, media_type, file_name, .. } = found;
                self.judged(TlsReport { mail, media_type, file_name, ..report }, alone);
            }
            Err(broken) => {
                let line = found
                    .octets
                    .get(..broken.span.start)
                    .map_or(0, |before| before.iter().filter(|octet| **octet == b'\n').count());
                let reason = format!("not a report: {} in line {}", escape(&broken.reason), line.saturating_add(1));
                self.lost(&found.source, &reason);
            }
        }
    }

    fn judged(&mut self, mut report: TlsReport, alone: bool) {
        let evaluated = judge_report(self.judge.rules, &mut report, self.judge.asked_for.map(Vec::as_slice));
        self.mistakes.extend(evaluated.mistakes);
        let text = std::mem::take(&mut report.text);
        report.oddities = Vec::new();
        if self.judge.keeps && !report.offences.is_empty() {
            let mut findings = evaluated.report;
            self.kept = self.kept.saturating_add(text.len());
            if self.kept > MAX_KEPT {
                findings.exhibits.clear();
            }
            self.linted.push(linted(findings, &report.source, alone.then(|| report.source.clone())));
        }
        self.reports.push(report);
    }

    fn lost(&mut self, name: &str, reason: &str) {
        self.lost.push(Unreadable { name: name.to_owned(), message: reason.to_owned() });
    }
}
