//! `stslint check`: lint domains, snapshots, or texts.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgAction, Args, ValueEnum};
use jiff::Timestamp;
use miette::Report as Error;

use super::fix::{FixArgs, PolicyFix};
use super::format::FormatArgs;
use super::held::HeldArgs;
use super::input::{TextArgs, is_policy_file, policy_alone};

use super::network::{self, Interrupted, NetworkArgs, Order};
use super::rule_args::RuleArgs;
use super::senders::not_found;
use super::tally::{FailOn, INCOMPLETE, Tally, Unchecked};
use super::{Ended, OutputArgs, UsageError, terminal};
use crate::config::{Configuration, Ignores, InForce, Use, decisions, utc_day};
use crate::facts::tree::BaselineFacts;
use crate::facts::tree::FactTree;
use crate::facts::{Before, Domains, Facts, HeldPolicy};
use crate::format::Format;
use crate::outcome::{Report, Severity};
use crate::report::{self, Linted, NagiosState, Unreadable, counted, nagios_unknown};
use crate::rules::{RuleSet, evaluate};
use crate::senders::{Profile, built_in};
use crate::snapshot::{self, Snapshot};
use crate::source_text::escape;
use crate::what_if::{Texts, unobserved};

/// Options of `check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The mail domains: A-labels or U-labels; `user@domain` is fine too; `-` reads them from standard input, where
    /// `#` begins a comment. A path that ends in `mta-sts.txt` is a policy file, which is linted on its own.
    #[arg(value_name = "DOMAIN|FILE")]
    pub inputs: Vec<String>,
    /// Lint a recorded snapshot (.yaml, .json, or .jsonl with many); `-` for standard input.
    #[arg(long = "snapshot", value_name = "PATH")]
    pub snapshots: Vec<PathBuf>,
    /// Compare with an older snapshot of the same domain.
    #[arg(long, value_name = "PATH")]
    pub baseline: Option<PathBuf>,
    /// A policy that senders may still hold.
    #[command(flatten)]
    pub held: HeldArgs,
    /// Texts instead of what is published.
    #[command(flatten)]
    pub texts: TextArgs,
    /// Fixing the policy file.
    #[command(flatten)]
    pub fix: FixArgs,
    /// Open no network connection, whatever is given.
    #[arg(long)]
    pub offline: bool,
    /// Judge as of this time instead of the time of observation: RFC 3339, for example 2026-12-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Which rules.
    #[command(flatten)]
    pub rules: RuleArgs,
    /// Report what the configuration's `ignore` accepts, too.
    #[arg(long, help_heading = "Rules")]
    pub no_ignores: bool,
    /// Which reports go where.
    #[command(flatten)]
    pub formats: FormatArgs,
    /// Do not report findings below this severity, in any format or count.
    #[arg(long, value_enum, default_value_t = MinSeverity::Note, value_name = "SEVERITY", help_heading = "Output")]
    pub min_severity: MinSeverity,
    /// Exit with code 1 if there is a finding of at least this severity.
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY", help_heading = "Output")]
    pub fail_on: FailOn,
    /// Exit with code 3 if a check could not be made.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = false)]
    #[arg(default_missing_value = "true", value_name = "BOOL", help_heading = "Output")]
    pub require_complete: bool,
    /// Show what each known sender does; in the formats human and markdown.
    #[arg(long, help_heading = "Output")]
    pub senders: bool,
    /// The same for this sender alone (see `stslint senders list`); give it again for more.
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    pub sender: Vec<String>,
    /// How to collect.
    #[command(flatten)]
    pub network: NetworkArgs,
}

/// From which severity on findings are reported.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum MinSeverity {
    /// Errors only.
    Error,
    /// Errors and warnings.
    Warning,
    /// All findings.
    Note,
}

impl MinSeverity {
    /// The severity.
    pub fn severity(self) -> Severity {
        match self {
            MinSeverity::Error => Severity::Error,
            MinSeverity::Note => Severity::Note,
            MinSeverity::Warning => Severity::Warning,
        }
    }
}

/// Runs the command.
pub fn run(args: &CheckArgs, configuration: &Configuration, output: &OutputArgs) -> Ended {
    let ended = check(args, configuration, output);
    match ended {
        Err(error) if args.formats.on_standard_output() == Format::Nagios => {
            terminal::print_error(&error, output);
            terminal::print(&nagios_unknown(&error.to_string()));
            Ok(NagiosState::Unknown as u8)
        }
        ended => ended,
    }
}

fn check(args: &CheckArgs, configuration: &Configuration, output: &OutputArgs) -> Ended {
    let mut in_force = args.rules.load(configuration)?;
    let known: Vec<Arc<Profile>> = built_in().iter().chain(&in_force.senders).cloned().collect();
    if let Some(name) = args.sender.iter().find(|name| !known.iter().any(|it| it.is_called(name))) {
        return Err(not_found(&known, name).into());
    }
    if args.no_ignores {
        in_force.ignores = Ignores::default();
    }
    terminal::print_warnings(&in_force.rules.warnings, output);
    let run = Run::new(args, output, &in_force)?;
    let mut outputs = args.formats.begin(output)?;
    let mut uses = Vec::new();
    let mut tally = Tally::default();
    let mut failed = Ok(());
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut together = Together::of(&in_force);
    let given = run.every_snapshot(&mut |source, snapshot| match snapshot
        .and_then(|it| run.lint(&source, it, &mut uses, &mut together))
    {
        Ok(linted) => {
            let unchecked = Unchecked::of(&linted.report);
            // Only a configuration that tells domains apart asks which there were.
            if !in_force.sections.list.is_empty() {
                seen.extend(linted.report.domain.clone());
            }
            tally.count(&linted.report, args.fail_on);
            let mut written = outputs.linted(linted);
            if let Some(unchecked) = unchecked {
                let unreadable =
                    Unreadable { name: escape(&unchecked.domain), message: escape(&unchecked.to_string()) };
                written = written.and(outputs.unreadable(unreadable));
                terminal::print_error(&unchecked.into(), output);
            }
            failed = std::mem::replace(&mut failed, Ok(())).and(written);
        }
        Err(error) => {
            tally.unreadable = tally.unreadable.saturating_add(1);
            let unreadable = Unreadable { name: escape(&source.name()), message: escape(&error.to_string()) };
            if let Some(together) = &mut together {
                together.domains.add_unread(&unreadable.name, &unreadable.message);
            }
            failed = std::mem::replace(&mut failed, Ok(())).and(outputs.unreadable(unreadable));
            terminal::print_error(&error, output);
        }
    })?;
    failed?;
    if let Some(together) = together.filter(|_| given && run.interrupted.get().is_none()) {
        let linted = run.lint_together(together, &mut uses);
        tally.count_together(&linted.report, args.fail_on);
        outputs.linted(linted)?;
    }
    if !given {
        let help = "for example `stslint check example.com`, `stslint check --snapshot FILE`, or `stslint check --policy FILE`";
        return Err(UsageError::new("there is nothing to check", help).into());
    }
    in_force.sections.nearly(&seen).iter().for_each(|note| terminal::remark(note, output));
    if args.rules.select.is_empty() {
        in_force.unused_ignores(&uses).iter().for_each(|note| terminal::remark(note, output));
    }
    let code = tally.code(args.require_complete);
    let (fails_from, require_complete) = (args.fail_on.least(), args.require_complete);
    let own_code =
        outputs.finish(&in_force.rules, report::Run { fails_from, require_complete, exit_code: Some(code) })?;
    if let Some(Interrupted { missing, signal }) = run.interrupted.get() {
        let help = "what was finished is reported; `stslint scan` goes on where it was interrupted";
        let error = UsageError::new(format!("interrupted: {} missing", counted(missing, "domain")), help);
        terminal::print_error(&error.into(), output);
        return Ok(u8::try_from(signal.saturating_add(128)).unwrap_or(2));
    }
    let code = own_code.unwrap_or(code);
    if own_code.is_none() && code == INCOMPLETE {
        terminal::print_error(&tally.incomplete().into(), output);
    }
    Ok(code)
}

/// Where a snapshot comes from.
#[derive(Clone, Copy)]
enum Source<'a> {
    CommandLine,
    Domain(&'a str),
    PolicyFile(&'a Path),
    Snapshot(&'a Path),
}

impl Source<'_> {
    fn name(&self) -> String {
        match self {
            Source::CommandLine => "command line".to_owned(),
            Source::Domain(domain) => (*domain).to_owned(),
            Source::PolicyFile(path) | Source::Snapshot(path) => path.display().to_string(),
        }
    }
}

struct Run<'a> {
    args: &'a CheckArgs,
    output: &'a OutputArgs,
    in_force: &'a InForce,
    texts: Texts,
    baseline: Option<Snapshot>,
    held: Option<HeldPolicy>,
    at: Option<String>,
    policy_fix: Option<PolicyFix>,
    /// How the collection ended early, where it did.
    interrupted: Cell<Option<Interrupted>>,
}

/// The rules over many domains, and the domains that they are over.
struct Together {
    rules: RuleSet,
    domains: Domains,
}

impl Together {
    /// `None` where no such rule is in force.
    fn of(in_force: &InForce) -> Option<Self> {
        let rules = in_force.for_all_domains();
        rules.is_over_domains().then(|| Together { domains: Domains::new(rules.needed_of_domains()), rules })
    }
}

/// Whether no sender can hold a policy that was published before.
fn is_refused(before: &Option<BaselineFacts>) -> bool {
    before.as_ref().is_some_and(|before| matches!(before.never_cached.known(), Some(Some(_))))
}

/// What can be told to be wrong before anything is read.
fn possible(args: &CheckArgs) -> Result<(), UsageError> {
    let words = args.inputs.iter().map(Path::new);
    let paths = args
        .snapshots
        .iter()
        .chain(&args.texts.policies)
        .chain(&args.baseline)
        .chain(&args.held.held)
        .map(PathBuf::as_path);
    if words.chain(paths).filter(|path| *path == Path::new("-")).count() > 1 {
        return Err(UsageError::new("standard input can be read once only", "write `-` in one place, and name files"));
    }
    if args.texts.mx.iter().any(|host| host.trim().is_empty()) {
        return Err(UsageError::new("--mx names no host", "name an MX host, or write `--mx .` for a null MX"));
    }
    Ok(())
}

impl<'a> Run<'a> {
    fn new(args: &'a CheckArgs, output: &'a OutputArgs, in_force: &'a InForce) -> Result<Self, Error> {
        possible(args)?;
        let at = args.at.as_deref().map(|time| {
            time.parse::<Timestamp>().map(|time| time.to_string()).map_err(|_| {
                UsageError::new(
                    format!("`{}` is not a valid time", escape(time)),
                    "write it in RFC 3339: 2026-12-31T00:00:00Z",
                )
            })
        });
        let baseline = args.baseline.as_deref().and_then(|path| snapshot::read(path).next()).transpose()?;
        let inputs = args.inputs.len().saturating_add(args.snapshots.len());
        if let ([_, _, ..], true) = (args.texts.policies.as_slice(), inputs > 0) {
            let help = "leave out the domains and snapshots, and each policy is linted on its own; or give one policy";
            return Err(UsageError::new("several policies are given for a domain or a snapshot", help).into());
        }
        if !args.texts.policies.is_empty() && args.inputs.iter().any(|word| is_policy_file(word)) {
            let help = "name all of them without --policy: each is linted on its own";
            return Err(UsageError::new("a policy file is given with --policy, and another one without", help).into());
        }
        if args.held.held.is_some() && inputs > 1 {
            let help = "give one domain or one snapshot beside it";
            return Err(UsageError::new("--held is the policy of one domain, and there are several", help).into());
        }
        let held = args.held.read()?;
        let policy_fix = args.fix.plan(&args.texts.policies, inputs)?;
        let (texts, interrupted) = (args.texts.read()?, Cell::default());
        Ok(Run { args, output, in_force, texts, baseline, held, at: at.transpose()?, policy_fix, interrupted })
    }

    /// Hands every snapshot over with its source, one at a time; whether there was anything to check at all.
    fn every_snapshot(&self, take: &mut dyn FnMut(Source<'_>, Result<Snapshot, Error>)) -> Result<bool, Error> {
        let words: Vec<String> = self.args.inputs.iter().filter(|word| !is_policy_file(word)).cloned().collect();
        let mut any_wrong = false;
        let mut wrong = Vec::new();
        let domains = network::sound_domains(&words, &mut |name, error| wrong.push((name.to_owned(), error)))?;
        for (name, error) in wrong {
            take(Source::Domain(&name), Err(error.into()));
            any_wrong = true;
        }
        let mut policy_files: Vec<&Path> =
            self.args.inputs.iter().filter(|word| is_policy_file(word)).map(Path::new).collect();
        if self.args.texts.policy().is_none() {
            policy_files.extend(self.args.texts.policies.iter().map(PathBuf::as_path));
        }
        for path in &self.args.snapshots {
            for snapshot in snapshot::read(path) {
                take(Source::Snapshot(path), snapshot.map_err(Error::from));
            }
        }
        for path in &policy_files {
            take(Source::PolicyFile(path), policy_alone(path).map_err(Error::from));
        }
        if self.args.offline {
            for domain in &domains {
                take(Source::Domain(domain.as_str()), Ok(unobserved(Some(domain.as_str()), "--offline was given")));
            }
        } else if !domains.is_empty() {
            let now = Timestamp::now();
            let (network, output) = (&self.args.network, self.output);
            let ended = network::collect_many(&domains, network, output, now, self.order(), &mut |snapshot| {
                let name = snapshot.domain.clone().unwrap_or_default();
                take(Source::Domain(&name), Ok(snapshot));
                Ok(())
            })?;
            self.interrupted.set(ended);
        }
        let alone = domains.is_empty() && !any_wrong && policy_files.is_empty() && self.args.snapshots.is_empty();
        if alone && self.args.texts.any() {
            let reason = "only what was given on the command line was looked at";
            take(Source::CommandLine, Ok(unobserved(None, reason)));
        }
        Ok(!alone || self.args.texts.any())
    }

    /// Formats of a line per finding or domain are written as domains are done; what is read from top to bottom keeps the
    /// order in which they were asked for.
    fn order(&self) -> Order {
        let streams = |format: Format| matches!(format, Format::Concise | Format::Jsonl);
        let formats = &self.args.formats;
        let all = streams(formats.on_standard_output()) && formats.outputs.iter().all(|(format, _)| streams(*format));
        if all { Order::Done } else { Order::Asked }
    }

    /// The baseline, where it is of the same domain; else it is said that there is none.
    fn baseline_of(&self, snapshot: &Snapshot) -> Option<&Snapshot> {
        let baseline = self.baseline.as_ref()?;
        match (&baseline.domain, &snapshot.domain) {
            (Some(older), Some(domain)) if !older.eq_ignore_ascii_case(domain) => {
                let (older, domain) = (escape(older), escape(domain));
                let text = format!("warning: the baseline is of {older}, and is not compared with {domain}");
                terminal::remark(&text, self.output);
                None
            }
            _ => Some(baseline),
        }
    }

    /// Lints one snapshot.
    fn lint(
        &self,
        source: &Source<'_>,
        mut snapshot: Snapshot,
        uses: &mut Vec<Use>,
        together: &mut Option<Together>,
    ) -> Result<Linted, Error> {
        self.texts.apply(&mut snapshot);
        if let Some(at) = &self.at {
            snapshot.collected_at = Some(at.clone());
        }
        let baseline = self.baseline_of(&snapshot);
        let (settled, membership) = self.in_force.for_domain(snapshot.domain.as_deref());
        let (rules, changes) = match &settled {
            Some(settled) => (&settled.rules, &settled.changes),
            None => (&self.in_force.rules, &self.in_force.changes),
        };
        if let Some(policy_fix) = &self.policy_fix {
            let for_people = self.args.formats.on_standard_output() == Format::Human;
            policy_fix.run(&mut snapshot, baseline, rules, for_people, self.output)?;
        }
        let before = self.held.as_ref().map(Before::Held).or(baseline.map(Before::Baseline));
        let facts = Facts::beside(&snapshot, before)
            .with_senders(&snapshot, &self.in_force.senders)
            .with_membership(&membership.tags, &membership.groups);
        if self.held.is_some() && facts.of_domain().baseline.known().is_some_and(is_refused) {
            let text = "warning: the policy of --held is not valid, and no sender can hold it: `stslint check --policy FILE` says why";
            terminal::remark(text, self.output);
        }
        if let Some(together) = together {
            together.domains.add(&facts);
        }
        let mut report = self.evaluated(rules, &facts);
        self.in_force.ignores.apply(&mut report, utc_day(Timestamp::now()), uses);
        decisions(&mut report, changes);
        report.against = self.in_force.against(&membership, changes, &report);
        report.leave_out_below(self.args.min_severity.severity());
        report.shorten();
        report.show_senders(self.args.senders, &self.args.sender);
        Ok(Linted { report, facts: facts.into_domain(), snapshot, policy_file: self.policy_file(source) })
    }

    /// Judges all domains together, after the last of them.
    fn lint_together(&self, together: Together, uses: &mut Vec<Use>) -> Linted {
        let facts = together.domains.into_facts();
        let mut report = self.evaluated(&together.rules, &facts);
        let changes = self.in_force.set_by_domain(&mut report);
        self.in_force.ignores.apply(&mut report, utc_day(Timestamp::now()), uses);
        decisions(&mut report, &changes);
        report.leave_out_below(self.args.min_severity.severity());
        report.shorten();
        report.keep_shown_exhibits();
        Linted { report, facts: FactTree::default(), snapshot: Snapshot::default(), policy_file: None }
    }

    fn evaluated(&self, rules: &RuleSet, facts: &Facts) -> Report {
        let evaluated = evaluate(rules, facts);
        for (rule, reason) in &evaluated.mistakes {
            terminal::remark(&format!("error: the rule {rule} cannot be evaluated: {reason}"), self.output);
        }
        evaluated.report
    }

    /// The name of the policy's file: relative where it lies below the working directory, since the services that
    /// show findings in files know no other.
    fn policy_file(&self, source: &Source<'_>) -> Option<String> {
        let path = match source {
            Source::PolicyFile(path) => path,
            _ => self.args.texts.policy().filter(|path| *path != Path::new("-"))?,
        };
        let here = std::env::current_dir().ok();
        let path = here.and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
        let parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        Some(parts.join("/").replacen("//", "/", 1))
    }
}
