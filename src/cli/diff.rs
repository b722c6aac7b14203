//! `stslint diff`: what changed between two snapshots, fact by fact, and between two runs, finding by finding.

mod input;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use miette::Report as Error;
use serde_json::Value;

use self::input::Item;
use super::rule_args::OwnRules;
use super::tally::FailOn;
use super::{Ended, OutputArgs, UsageError, terminal};
use crate::config::{Configuration, InForce};
use crate::diff::{Difference, State, differences};
use crate::facts::Facts;
use crate::outcome::Severity;
use crate::report::comparison::{
    Compared, html_comparison, json_comparison, json_lines_comparison, markdown_comparison, text_comparison,
};
use crate::runs::{Comparison, Entry, Side};
use crate::snapshot::Snapshot;
use crate::source_text::escape;

/// Options of `diff`.
#[derive(Args, Debug)]
pub struct DiffArgs {
    /// What was before: a snapshot, or the reports of a run (`--format json` or `jsonl`), or JSON Lines of snapshots.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// What is now, of the same kind or another.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Also show what differs each time (times, TTLs, days left) and what only repeats another fact; of runs, also what
    /// remained and the domains in which nothing differs.
    #[arg(long)]
    all: bool,
    /// Compare two snapshots finding by finding, not fact by fact.
    #[arg(long)]
    findings: bool,
    /// Of runs: exit with code 1 if a finding of at least this severity is new or has become worse, or if mail fares worse.
    #[arg(long, value_enum, default_value_t = FailOn::Warning, value_name = "SEVERITY")]
    fail_on: FailOn,
    /// The format.
    #[arg(long, value_enum, default_value_t = DiffFormat::Human)]
    format: DiffFormat,
    /// Rules of the user's own, for snapshots.
    #[command(flatten)]
    rules: OwnRules,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum DiffFormat {
    /// For people.
    Human,
    /// One page, complete in itself: of two runs.
    Html,
    /// Of two snapshots, a JSON list of path, old and new; of two runs, one document with everything.
    Json,
    /// One line of JSON per domain, and a last one with the sums: of two runs.
    Jsonl,
    /// Markdown for the comment of a pull request: of two runs.
    Markdown,
}

/// Runs the command: exit code 1 where facts differ, as `diff` does, or where findings are new or worse.
pub fn run(args: &DiffArgs, configuration: &Configuration, output: &OutputArgs) -> Ended {
    let mut linting = Linting { rules: &args.rules, configuration, in_force: None };
    let mut old = Input::read(&args.old, &mut linting, output)?;
    let mut new = Input::read(&args.new, &mut linting, output)?;
    if let (Some(old), Some(new)) = (old.alone(), new.alone()) {
        same_domain(old, new)?;
        if !args.findings && matches!(args.format, DiffFormat::Human | DiffFormat::Json) {
            return by_facts(args, old, new, &mut linting, output);
        }
    }
    for (input, path) in [(&old, &args.old), (&new, &args.new)] {
        if input.items.is_empty() {
            return Err(nothing_in(path).into());
        }
    }
    let mut comparison = Comparison::new(args.all);
    old.hand_over(&mut linting, output, &mut |entry| comparison.take_old(entry))?;
    new.hand_over(&mut linting, output, &mut |entry| comparison.take_new(&entry))?;
    comparison.finish(new.side.unread == 0);
    let compared = Compared { old: &old.side, new: &new.side, comparison: &comparison };
    print(args, &compared, output)?;
    let unread = old.side.unread > 0 || new.side.unread > 0;
    let least = match args.fail_on {
        FailOn::Error => Some(Severity::Error),
        FailOn::Warning => Some(Severity::Warning),
        FailOn::Note => Some(Severity::Note),
        FailOn::Never => None,
    };
    let failed = least.is_some_and(|least| unread || comparison.fails(least));
    Ok(u8::from(failed))
}

fn print(args: &DiffArgs, compared: &Compared<'_>, output: &OutputArgs) -> Result<(), Error> {
    let written = |text: Result<String, serde_json::Error>| {
        text.map_err(|error| miette::miette!("the comparison cannot be written: {error}"))
    };
    match args.format {
        DiffFormat::Human => terminal::print(&text_comparison(compared, args.all, &terminal::style(output))),
        DiffFormat::Html => terminal::print(&html_comparison(compared)),
        DiffFormat::Json => terminal::print(&written(json_comparison(compared))?),
        DiffFormat::Jsonl => terminal::print(&written(json_lines_comparison(compared))?),
        DiffFormat::Markdown => terminal::print(&markdown_comparison(compared)),
    }
    Ok(())
}

fn nothing_in(path: &Path) -> UsageError {
    let name = escape(&path.display().to_string());
    let help = "give a snapshot that `stslint collect` wrote, or the output of `stslint check --format jsonl`";
    UsageError::new(format!("nothing in {name} can be compared"), help)
}

/// The rules that snapshots are linted by, loaded once they are needed.
struct Linting<'a> {
    rules: &'a OwnRules,
    configuration: &'a Configuration,
    in_force: Option<InForce>,
}

impl Linting<'_> {
    fn entry(&mut self, snapshot: &Snapshot) -> Result<Entry, Error> {
        let in_force = match self.in_force.take() {
            Some(in_force) => in_force,
            None => self.rules.load(self.configuration)?,
        };
        let entry = input::linted(snapshot, &in_force);
        self.in_force = Some(in_force);
        Ok(entry)
    }
}

/// What one of the files gave: of a snapshot that is not alone only what is compared.
struct Input {
    items: Vec<Item>,
    side: Side,
}

impl Input {
    /// Reads a file; what cannot be read of it is said on standard error.
    fn read(path: &Path, linting: &mut Linting<'_>, output: &OutputArgs) -> Result<Self, Error> {
        let mut side = Side { name: path.display().to_string(), ..Side::default() };
        let mut items = Vec::new();
        let mut failed = None;
        input::read(path, &mut |item| match item {
            Ok(Item::Version(version)) => _ = side.versions.insert(version),
            Ok(Item::Snapshot(snapshot)) if !items.is_empty() => match linting.entry(&snapshot) {
                Ok(entry) => items.push(Item::Entry(entry)),
                Err(error) => _ = failed.get_or_insert(error),
            },
            Ok(item) => items.push(item),
            Err(error) => {
                side.unread = side.unread.saturating_add(1);
                terminal::print_error(&error, output);
            }
        });
        failed.map_or(Ok(Input { items, side }), Err)
    }

    /// The snapshot, where there is one and nothing else.
    fn alone(&self) -> Option<&Snapshot> {
        match (self.items.as_slice(), self.side.unread) {
            ([Item::Snapshot(snapshot)], 0) => Some(snapshot),
            _ => None,
        }
    }

    /// Hands over what is compared; of two entries on one domain the first counts, and that is said.
    fn hand_over(
        &mut self,
        linting: &mut Linting<'_>,
        output: &OutputArgs,
        take: &mut dyn FnMut(Entry) -> bool,
    ) -> Result<(), Error> {
        for item in std::mem::take(&mut self.items) {
            let entry = match item {
                Item::Entry(entry) => entry,
                Item::Snapshot(snapshot) => linting.entry(&snapshot)?,
                Item::Version(_) => continue,
            };
            let name = escape(entry.name());
            if take(entry) {
                self.side.domains = self.side.domains.saturating_add(1);
            } else {
                let file = escape(&self.side.name);
                terminal::remark(&format!("warning: {file} has {name} more than once; the first counts"), output);
            }
        }
        Ok(())
    }
}

fn same_domain(old: &Snapshot, new: &Snapshot) -> Result<(), UsageError> {
    if old.domain == new.domain {
        return Ok(());
    }
    let name = |snapshot: &Snapshot| escape(snapshot.domain.as_deref().unwrap_or("none"));
    let message = format!("the snapshots are of different domains: {} and {}", name(old), name(new));
    Err(UsageError::new(message, "give two snapshots of one domain, the older first"))
}

/// Two snapshots of one domain: the facts that differ, and for people also what that does to the findings.
fn by_facts(args: &DiffArgs, old: &Snapshot, new: &Snapshot, linting: &mut Linting<'_>, output: &OutputArgs) -> Ended {
    let found = differences(&tree(old), &tree(new), args.all);
    if args.format == DiffFormat::Json {
        terminal::print_json(&found)?;
        return Ok(u8::from(!found.is_empty()));
    }
    terminal::print_text(&human(&found));
    if !found.is_empty() {
        let (old, new) = (linting.entry(old)?, linting.entry(new)?);
        let mut comparison = Comparison::new(false);
        comparison.take_old(old);
        comparison.take_new(&new);
        comparison.finish(true);
        let style = terminal::style(output);
        let changes: String = comparison
            .domains
            .iter()
            .map(|diff| crate::report::comparison::domain_changes(diff, args.all, &style))
            .collect();
        let changes = if changes.is_empty() { "    no finding is new, worse or fixed\n".to_owned() } else { changes };
        terminal::print(&format!("\nFindings\n{changes}"));
    }
    Ok(u8::from(!found.is_empty()))
}

fn tree(snapshot: &Snapshot) -> Value {
    Facts::of(snapshot, None).tree.to_json()
}

fn human(found: &[Difference]) -> String {
    let line = |difference: &Difference| {
        let (old, new) = (shown(&difference.old), shown(&difference.new));
        format!("{}\n  - {old}\n  + {new}\n", escape(&difference.path))
    };
    if found.is_empty() { "no fact differs\n".to_owned() } else { found.iter().map(line).collect() }
}

fn shown(state: &State) -> String {
    match state {
        State::Missing => "(not there)".to_owned(),
        State::NotObserved => "(not observed)".to_owned(),
        State::Value(value) => {
            let text = escape(&serde_json::to_string(value).unwrap_or_default());
            match text.char_indices().nth(300) {
                Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
                None => text,
            }
        }
    }
}
