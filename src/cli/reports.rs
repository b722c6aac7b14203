//! `stslint reports`: TLS reports (RFC 8460), read from files, mails and mailboxes, summed up and explained.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use miette::{IntoDiagnostic, Report as Error};

use super::network::{NetworkArgs, collect_until_interrupted};
use super::report_files::{ReportContext, gather, linted};
use super::rule_args::RuleArgs;
use super::{Ended, OutputArgs, UsageError, terminal};
use crate::config::{Configuration, Ignores, utc_day};
use crate::facts::Facts;
use crate::grammar::names::DomainName;
use crate::outcome::{Check, Severity};
use crate::report::tls_reports::{By, TlsResults, csv, json, json_lines};
use crate::report::{self, Results, Run, Style};
use crate::rules::{RuleSet, evaluate, judge_reports};
use crate::snapshot::{self, ReadError, Snapshot};
use crate::tls_match::{Comparison, Observed, compare};
use crate::tls_reports::duplicates::Distinct;
use crate::tls_reports::sums::digest;

/// Options of `reports`.
#[derive(Args, Debug)]
pub struct ReportsArgs {
    /// Reports: JSON, gzip, zip, mails, mailboxes (mbox), folders (Maildir too); `-` for standard input.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Only what happened on this day (UTC) or later, for example 2026-11-20.
    #[arg(long, value_name = "DAY")]
    since: Option<Date>,
    /// Observe each --domain now, as `check` does: each failure is shown with the finding that explains it now.
    #[arg(long, requires = "domains", group = "observed")]
    live: bool,
    /// Snapshots of the domains (`.jsonl` holds many): each failure is shown with the finding that explains it now.
    #[arg(long, value_name = "FILE", group = "observed")]
    snapshot: Option<PathBuf>,
    /// Older snapshots of the same domains: what they found, and what is fixed since.
    #[arg(long, value_name = "FILE", requires = "observed")]
    baseline: Option<PathBuf>,
    /// A domain whose reports you asked for; give it again for more. Reports about other domains are listed.
    #[arg(long = "domain", value_name = "DOMAIN", value_parser = domain)]
    domains: Vec<DomainName>,
    /// The time at which to judge the reports, for rules over all of them, in RFC 3339 [default: now].
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Show also the findings that the configuration's `ignore` accepts.
    #[arg(long, help_heading = "Rules")]
    no_ignores: bool,
    /// Which rules judge the reports.
    #[command(flatten)]
    rules: RuleArgs,
    /// The rows of the table next to the causes, in `human`, `html`, `markdown` and `prometheus`.
    #[arg(long, value_enum, value_name = "ROWS", default_value_t = Table::Sender)]
    by: Table,
    /// The format.
    #[arg(long, value_enum, default_value_t = ReportsFormat::Human, help_heading = "Output")]
    format: ReportsFormat,
    /// How to collect with --live.
    #[command(flatten)]
    network: NetworkArgs,
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
    /// SARIF 2.1.0: irregularities of the reports, with their place in the JSON.
    Sarif,
}

fn domain(text: &str) -> Result<DomainName, String> {
    DomainName::parse(text).map_err(|error| error.to_string())
}

/// Runs the command: exit code 1 where connections failed, 2 where nothing could be read.
pub fn run(args: &ReportsArgs, configuration: &Configuration, output: &OutputArgs) -> Ended {
    // Unreadable snapshots end the run before anything is read.
    let now = match &args.snapshot {
        Some(path) => observed(snapshot::read(path))?,
        None if args.live => observed(collected(args, output)?.into_iter().map(Ok))?,
        None => Vec::new(),
    };
    let older = args.baseline.as_deref().map(|path| observed(snapshot::read(path))).transpose()?.unwrap_or_default();
    let mut in_force = args.rules.load(configuration)?;
    if args.no_ignores {
        in_force.ignores = Ignores::default();
    }
    let rules = in_force.rules.clone().over_reports();
    let at = args.at.unwrap_or_else(Timestamp::now);
    let asked_for: Vec<String> = args.domains.iter().map(|domain| domain.as_str().to_owned()).collect();
    let context = ReportContext {
        rules: &rules,
        in_force: &in_force,
        today: utc_day(at),
        asked_for: &asked_for,
        keeps: args.format == ReportsFormat::Sarif,
    };
    let mut gathered = gather(&args.paths, &context, output);
    if let Some(since) = args.since {
        let from = TimeZone::UTC.to_timestamp(since.at(0, 0, 0, 0)).into_diagnostic()?.as_second();
        // Some senders write the next midnight as the end of a day.
        gathered.reports.retain(|report| report.end.or(report.start).is_none_or(|end| end > from));
    }
    gathered.reports.sort_by(|one, other| (one.start, &one.source).cmp(&(other.start, &other.source)));
    let distinct = Distinct::of(gathered.reports);
    if args.format == ReportsFormat::Sarif {
        let sources: BTreeSet<&str> = distinct.reports.iter().map(|report| report.source.as_str()).collect();
        gathered.linted.retain(|linted| linted.report.domain.as_deref().is_some_and(|name| sources.contains(name)));
    }
    let digest = digest(&distinct);
    let comparisons: Vec<Comparison> = now
        .iter()
        .map(|now| compare(&digest, now, older.iter().find(|older| older.facts.domain == now.facts.domain)))
        .collect();
    let mut together = judge_reports(&rules, &digest, gathered.lost.len(), at).unwrap_or_default();
    context.accept(&mut together.report, None);
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
        let run = Run::default();
        report::sarif(&Results { linted, unreadable: &gathered.lost, rules: &rules, ended_at: at, run })
            .into_diagnostic()?
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
        || offences.any(|offence| offence.severity == Severity::Error.word() && own(&offence.rule));
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

/// Snapshots with what the built-in rules find in them.
fn observed(snapshots: impl Iterator<Item = Result<Snapshot, ReadError>>) -> Result<Vec<Observed>, Error> {
    let rules = RuleSet::built_in()?;
    let mut all = Vec::new();
    for snapshot in snapshots {
        let facts = Facts::of(&snapshot?, None);
        let report = evaluate(&rules, &facts).report;
        all.push(Observed { facts, report });
    }
    Ok(all)
}

/// The domains as they are now.
fn collected(args: &ReportsArgs, output: &OutputArgs) -> Result<Vec<Snapshot>, Error> {
    let mut snapshots = Vec::new();
    collect_until_interrupted(&args.domains, &args.network, output, Timestamp::now(), &mut |snapshot| {
        snapshots.push(snapshot);
        Ok(())
    })?;
    Ok(snapshots)
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
