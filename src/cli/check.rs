//! `stslint check`: lint domains, snapshots, or texts.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use miette::{IntoDiagnostic, Report as Error};

use super::fix::{FixArgs, Mend};
use super::input::{TextArgs, Texts, unobserved};
use super::network::{self, NetworkArgs};
use super::rule_args::RuleArgs;
use super::{Ended, OutputArgs, UsageError, terminal};
use crate::facts::Facts;
use crate::outcome::{Report, Severity};
use crate::report;
use crate::rules::{RuleSet, evaluate};
use crate::snapshot::{self, Snapshot};

/// Options of `check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The mail domains: A-labels or U-labels; `user@domain` is fine too; `-` reads them from standard input.
    #[arg(value_name = "DOMAIN")]
    pub domains: Vec<String>,
    /// Lint a recorded snapshot (.yaml, .json, or .jsonl with many); `-` for standard input.
    #[arg(long = "snapshot", value_name = "PATH")]
    pub snapshots: Vec<PathBuf>,
    /// Compare with an older snapshot of the same domain.
    #[arg(long, value_name = "PATH")]
    pub baseline: Option<PathBuf>,
    /// Texts in place of what is published.
    #[command(flatten)]
    pub texts: TextArgs,
    /// Mending the policy file.
    #[command(flatten)]
    pub fix: FixArgs,
    /// Open no socket, whatever is given.
    #[arg(long)]
    pub offline: bool,
    /// Judge as of this time instead of the time of observation: RFC 3339, for example 2026-12-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Which rules.
    #[command(flatten)]
    pub rules: RuleArgs,
    /// The format of the report.
    #[arg(long, value_enum, default_value_t = Format::Human, help_heading = "Output")]
    pub format: Format,
    /// Name the rules that passed too.
    #[arg(long, help_heading = "Output")]
    pub show_passed: bool,
    /// From which severity on findings make the exit code 1.
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY", help_heading = "Output")]
    pub fail_on: FailOn,
    /// Exit with code 3 where a check could not be made.
    #[arg(long, help_heading = "Output")]
    pub require_complete: bool,
    /// How to collect.
    #[command(flatten)]
    pub network: NetworkArgs,
}

/// The formats of reports.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Format {
    /// One line a finding.
    Concise,
    /// For people: findings with their texts underlined.
    Human,
    /// One JSON document with everything.
    Json,
    /// One line of JSON a domain, as soon as it is done.
    Jsonl,
}

/// From which severity on a run fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum FailOn {
    /// Errors.
    Error,
    /// Errors and warnings.
    Warning,
    /// Any finding.
    Note,
    /// Never.
    Never,
}

impl FailOn {
    fn fails(self, worst: Option<Severity>) -> bool {
        let least = match self {
            FailOn::Error => Severity::Error,
            FailOn::Warning => Severity::Warning,
            FailOn::Note => Severity::Note,
            FailOn::Never => return false,
        };
        worst.is_some_and(|worst| worst >= least)
    }
}

/// Runs the command.
pub fn run(args: &CheckArgs, output: &OutputArgs) -> Ended {
    let rules = args.rules.load()?;
    terminal::print_warnings(&rules.warnings, output);
    let run = Run::new(args, output, &rules)?;
    let mut tally = Tally::default();
    let mut reports = Vec::new();
    let given = run.every_snapshot(&mut |snapshot| match snapshot.and_then(|snapshot| run.lint(snapshot)) {
        Ok(report) => {
            tally.count(&report, args.fail_on);
            if args.format == Format::Json {
                reports.push(report);
            }
        }
        Err(error) => {
            tally.unreadable = tally.unreadable.saturating_add(1);
            terminal::print_error(&error, output);
        }
    })?;
    if !given {
        let help = "for example `stslint check example.com`, `stslint check --snapshot FILE`, or `stslint check --policy FILE`";
        return Err(UsageError::new("there is nothing to check", help).into());
    }
    if args.format == Format::Json && tally.linted > 0 {
        terminal::print(&report::json(&reports).into_diagnostic()?);
    }
    Ok(tally.code(args.require_complete))
}

struct Run<'a> {
    args: &'a CheckArgs,
    output: &'a OutputArgs,
    rules: &'a RuleSet,
    texts: Texts,
    baseline: Option<Snapshot>,
    at: Option<String>,
    mend: Option<Mend>,
}

impl<'a> Run<'a> {
    fn new(args: &'a CheckArgs, output: &'a OutputArgs, rules: &'a RuleSet) -> Result<Self, Error> {
        let at = args.at.as_deref().map(|time| {
            time.parse::<Timestamp>().map(|time| time.to_string()).map_err(|_| {
                UsageError::new(
                    format!("`{}` is no time", crate::source_text::escape(time)),
                    "write it in RFC 3339: 2026-12-31T00:00:00Z",
                )
            })
        });
        let baseline = args.baseline.as_deref().and_then(|path| snapshot::read(path).next()).transpose()?;
        let inputs = args.domains.len().saturating_add(args.snapshots.len());
        let mend = args.fix.mend(args.texts.policy.as_deref(), inputs)?;
        Ok(Run { args, output, rules, texts: args.texts.read()?, baseline, at: at.transpose()?, mend })
    }

    /// Hands every snapshot over, one at a time; whether there was anything to check at all.
    fn every_snapshot(&self, take: &mut dyn FnMut(Result<Snapshot, Error>)) -> Result<bool, Error> {
        let domains = network::domains(&self.args.domains)?;
        for path in &self.args.snapshots {
            for snapshot in snapshot::read(path) {
                take(snapshot.map_err(Error::from));
            }
        }
        if self.args.offline {
            for domain in &domains {
                take(Ok(unobserved(Some(domain.as_str()), "--offline was given")));
            }
        } else if !domains.is_empty() {
            network::collect_all(&domains, &self.args.network, self.output, take)?;
        }
        let alone = domains.is_empty() && self.args.snapshots.is_empty();
        if alone && self.args.texts.any() {
            take(Ok(unobserved(None, "only what was given on the command line was looked at")));
        }
        Ok(!alone || self.args.texts.any())
    }

    /// Lints one snapshot and prints its report, where the format is one a domain.
    fn lint(&self, mut snapshot: Snapshot) -> Result<Report, Error> {
        self.texts.apply(&mut snapshot);
        if let Some(at) = &self.at {
            snapshot.collected_at = Some(at.clone());
        }
        if let Some(mend) = &self.mend {
            let for_people = self.args.format == Format::Human;
            mend.run(&mut snapshot, self.baseline.as_ref(), self.rules, for_people, self.output)?;
        }
        let facts = Facts::of(&snapshot, self.baseline.as_ref());
        let evaluated = evaluate(self.rules, &facts);
        for (rule, reason) in &evaluated.mistakes {
            terminal::remark(&format!("warning: the rule {rule} cannot be evaluated: {reason}"), self.output);
        }
        let report = evaluated.report;
        match self.args.format {
            Format::Concise => terminal::print(&report::concise(&report)),
            Format::Human => {
                let style = report::Style { show_passed: self.args.show_passed, ..terminal::style(self.output) };
                terminal::print(&report::human(&report, &facts.tree, &style));
            }
            Format::Json => {}
            Format::Jsonl => terminal::print(&report::json_line(&report).unwrap_or_default()),
        }
        Ok(report)
    }
}

#[derive(Default)]
struct Tally {
    linted: usize,
    unreadable: usize,
    failed: bool,
    incomplete: bool,
}

impl Tally {
    fn count(&mut self, report: &Report, fail_on: FailOn) {
        self.linted = self.linted.saturating_add(1);
        self.failed |= fail_on.fails(report.worst());
        self.incomplete |= report.summary.not_checked > 0;
    }

    fn code(&self, require_complete: bool) -> u8 {
        match () {
            () if self.linted == 0 => 2,
            () if self.failed || self.unreadable > 0 => 1,
            () if require_complete && self.incomplete => 3,
            () => 0,
        }
    }
}
