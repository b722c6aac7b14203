//! `stslint rules`: list, show and test rules.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use miette::{IntoDiagnostic, Report as Error};
use serde::Serialize;

use super::explain::find;
use super::rule_args::{OwnRules, sources};
use super::{Ended, OutputArgs, examples, terminal};
use crate::config::{Configuration, same_file};
use crate::outcome::Confidence;
use crate::report::rule_page;
use crate::rules::{
    CaseOutcome, CaseResult, Expected, GOOD, Rule, RuleSet, Source, built_in_sources, good_snapshot, run_cases,
};
use crate::snapshot::{self, Snapshot};
use crate::source_text::{SourceError, escape, printable};

/// Options of `rules`.
#[derive(Args, Debug)]
pub struct RulesArgs {
    /// What to do with them.
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// Print the snapshot that cases change: a domain that does everything right.
    #[command(
        after_long_help = "Examples:\n  stslint rules good > good.yaml                             to look for what a case can change"
    )]
    Good,
    /// Name every rule with its severity, title and citation.
    #[command(after_long_help = examples::RULES_LIST)]
    List {
        /// Your own rules.
        #[command(flatten)]
        own: OwnRules,
        /// The format of the list.
        #[arg(long, value_enum, default_value_t = ListFormat::Human)]
        format: ListFormat,
    },
    /// Write a rule file to begin with: one rule with its cases and a comment on every key.
    #[command(after_long_help = examples::RULES_NEW)]
    New(super::rule_new::NewArgs),
    /// Show a rule as it is written in its file.
    #[command(after_long_help = examples::RULES_SHOW)]
    Show {
        /// The rule's id.
        rule: String,
        /// Your own rules.
        #[command(flatten)]
        own: OwnRules,
    },
    /// Write a page of Markdown for each rule, and an index, into a folder.
    #[command(after_long_help = examples::RULES_DOCS)]
    Docs {
        /// The folder; pages of the same name in it are replaced.
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
        /// Your own rules.
        #[command(flatten)]
        own: OwnRules,
    },
    /// Check rule files and run the cases in them, as the rules are written, whatever the configuration sets; without
    /// a file, the built-in ones and those that the configuration includes.
    #[command(after_long_help = examples::RULES_TEST)]
    Test {
        /// Rule files of your own, and folders of them.
        #[arg(value_name = "FILE|FOLDER")]
        files: Vec<PathBuf>,
        /// The format of the result.
        #[arg(long, value_enum, default_value_t = TestFormat::Human)]
        format: TestFormat,
        /// Accept rules without a passing or a failing case: for work in progress.
        #[arg(long)]
        allow_untested: bool,
    },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum TestFormat {
    /// Failing cases and a summary.
    Human,
    /// Every case as JSON.
    Json,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum ListFormat {
    /// One line per rule, under its group.
    Human,
    /// Every rule as JSON.
    Json,
}

/// A rule in the list for programs.
#[derive(Serialize)]
struct Row<'a> {
    rule: &'a str,
    group: &'a str,
    title: &'a str,
    severity: &'static str,
    confidence: Confidence,
    since: Option<&'a str>,
    cites: &'a [String],
}

impl<'a> Row<'a> {
    fn of(rule: &'a Rule) -> Self {
        Row {
            rule: &rule.id,
            group: &rule.group,
            title: &rule.title,
            severity: if rule.off { "off" } else { rule.severity.word() },
            confidence: rule.confidence,
            since: rule.since.as_deref(),
            cites: &rule.cites,
        }
    }
}

impl RulesArgs {
    /// Whether the command looks at the configuration.
    pub fn uses_configuration(&self) -> bool {
        !matches!(self.command, RulesCommand::Docs { .. } | RulesCommand::Good | RulesCommand::New(_))
    }
}

/// Runs the command.
pub fn run(args: &RulesArgs, configuration: &Configuration, output: &OutputArgs) -> Ended {
    match &args.command {
        RulesCommand::Docs { folder, own } => docs(folder, &sources(&own.rules)?),
        RulesCommand::List { own, format } => list(&own.load(configuration)?.rules, *format, output),
        RulesCommand::Good => {
            terminal::print(GOOD);
            Ok(0)
        }
        RulesCommand::New(args) => super::rule_new::run(args, output),
        RulesCommand::Show { rule, own } => show(rule, own, configuration),
        RulesCommand::Test { files, format, allow_untested } => {
            test(&sources(files)?, *format, *allow_untested, configuration, output)
        }
    }
}

fn list(rules: &RuleSet, format: ListFormat, output: &OutputArgs) -> Ended {
    if format == ListFormat::Json {
        let rows: Vec<Row<'_>> = rules.rules.iter().map(Row::of).collect();
        terminal::print_json(&rows)?;
        return Ok(0);
    }
    let widest = rules.rules.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    let line = |rule: &Rule| {
        let severity = if rule.off { "off" } else { rule.severity.word() };
        let since = rule.since.as_ref().map(|since| format!("; since {since}")).unwrap_or_default();
        format!("{:<widest$}  {severity:<7}  {}  ({}{since})\n", rule.id, rule.title, rule.cites.join(", "))
    };
    let mut text = String::new();
    let mut group = "";
    for rule in &rules.rules {
        if rule.group != group {
            group = &rule.group;
            text.push_str(&format!("{}{group}\n", if text.is_empty() { "" } else { "\n" }));
        }
        text.push_str(&format!("  {}", line(rule)));
    }
    terminal::print_words(&text, &terminal::style(output));
    Ok(0)
}

fn docs(folder: &Path, own: &[Source]) -> Ended {
    let rules = if own.is_empty() { RuleSet::built_in()? } else { RuleSet::with_own(own)? };
    let good = good_snapshot()?;
    std::fs::create_dir_all(folder).into_diagnostic()?;
    for rule in &rules.rules {
        let page = rule_page::markdown(&rules, rule, &good);
        crate::files::write_whole(&folder.join(format!("{}.md", rule.id)), page.as_bytes())?;
    }
    crate::files::write_whole(&folder.join("README.md"), rule_page::index(&rules).as_bytes())?;
    Ok(0)
}

fn show(id: &str, own: &OwnRules, configuration: &Configuration) -> Ended {
    let rules = own.load(configuration)?.rules;
    let rule = find(&rules, id)?;
    let included = configuration.rule_files.iter().map(|file| file.value.clone());
    let mut sources = built_in_sources().into_iter().chain(included).chain(sources(&own.rules)?);
    let source = sources.find(|source| is_in(rule, source));
    let shown = source.and_then(|source| entry(&source.text, &rule.id)).unwrap_or_else(|| rule.id.clone());
    terminal::print_text(&format!("# {}\n{}", escape(&rule.file), printable(&shown)));
    Ok(0)
}

/// Whether a rule is in a file: two files may be shown by the same name.
fn is_in(rule: &Rule, source: &Source) -> bool {
    rule.path == source.path && rule.file == source.name
}

/// The lines of a rule file that make up one rule.
fn entry(text: &str, id: &str) -> Option<String> {
    let mut lines = text.lines().skip_while(|line| line.trim() != format!("- id: {id}"));
    let first = lines.next()?;
    let rest = lines.take_while(|line| !line.starts_with("  - id: "));
    let lines: Vec<&str> = std::iter::once(first).chain(rest).collect();
    Some(lines.join("\n").trim_end().to_owned() + "\n")
}

fn test(
    files: &[Source],
    format: TestFormat,
    allow_untested: bool,
    configuration: &Configuration,
    output: &OutputArgs,
) -> Ended {
    configuration.sound()?;
    let included: Vec<Source> = configuration.rule_files.iter().map(|file| file.value.clone()).collect();
    let mut tested = Tested { allow_untested, ..Tested::default() };
    if files.is_empty() {
        tested.run(&RuleSet::checked(&built_in_sources())?, &|_| true, output)?;
    }
    let own = if files.is_empty() { &included } else { files };
    if !own.is_empty() {
        let wanted = |rule: &Rule| own.iter().any(|source| is_in(rule, source));
        // Rules that are included may be required by those that are tested.
        let others = included.iter().filter(|source| !own.iter().any(|own| same_file(own, source)));
        let sources: Vec<Source> = others.chain(own).cloned().collect();
        tested.run(&RuleSet::with_edited(&sources)?, &wanted, output)?;
    }
    if format == TestFormat::Human {
        let all: Vec<Source> = own.iter().cloned().chain(built_in_sources()).collect();
        terminal::print_mistakes(&tested.mistakes(&all), output);
    }
    match format {
        TestFormat::Human => terminal::print_words(&tested.summary(), &terminal::style(output)),
        TestFormat::Json => terminal::print_json(&tested.results)?,
    }
    // A case that cannot be made is a mistake of the file.
    let code = |result: &CaseResult| match result.outcome {
        CaseOutcome::Held => 0,
        CaseOutcome::Differs(_) => 1,
        CaseOutcome::BadPatch(_) => 2,
    };
    let of_cases = tested.results.iter().map(code).max().unwrap_or_default();
    let untested = u8::from(!tested.untested.is_empty() && !allow_untested);
    Ok(of_cases.max(untested))
}

/// A rule that its cases do not prove to pass and to fail.
struct Untested {
    rule: String,
    file: String,
    missing: &'static str,
}

/// What came of the cases of rules.
#[derive(Default)]
struct Tested {
    results: Vec<CaseResult>,
    rules: usize,
    /// The rules that lack cases of a kind.
    untested: Vec<Untested>,
    allow_untested: bool,
}

impl Tested {
    fn run(&mut self, rules: &RuleSet, wanted: &dyn Fn(&Rule) -> bool, output: &OutputArgs) -> Result<(), Error> {
        terminal::print_warnings(&rules.warnings, output);
        self.results.extend(run_cases(rules, &good_snapshot()?, wanted, &read_beside));
        for rule in rules.rules.iter().filter(|rule| wanted(rule)) {
            self.rules = self.rules.saturating_add(1);
            let missing = match (rule.cases.pass.is_empty(), rule.cases.fail.is_empty()) {
                (true, true) => "no passing and no failing case",
                (true, false) => "no passing case",
                (false, true) => "no failing case",
                (false, false) => continue,
            };
            self.untested.push(Untested { rule: rule.id.clone(), file: rule.file.clone(), missing });
        }
        Ok(())
    }

    /// The cases that did not hold, each at its place in its file.
    fn mistakes(&self, sources: &[Source]) -> Vec<SourceError> {
        let told = |result: &CaseResult| {
            let kind = match result.expected {
                Expected::Fail => "failing",
                Expected::NotApplicable => "not applicable",
                Expected::NotChecked => "not checked",
                Expected::Pass => "passing",
            };
            let why = match &result.outcome {
                CaseOutcome::BadPatch(why) | CaseOutcome::Differs(why) => why,
                CaseOutcome::Held => return None,
            };
            let message = format!("{}, {kind} case {}: {why}", result.rule, result.number);
            let text = sources.iter().find(|source| source.name == result.file).map_or("", |source| &source.text);
            // The key itself, where it can be found.
            let quoted = |text: &'_ String| text.split('`').nth(1).map(str::to_owned);
            let of_patch = matches!(result.outcome, CaseOutcome::BadPatch(_)).then(|| quoted(why)).flatten();
            let key = result.help.as_ref().filter(|help| help.starts_with('`')).and_then(quoted).or(of_patch);
            let place = result.offset.map(|offset| {
                let named = key
                    .as_ref()
                    .and_then(|key| Some((text.get(offset..)?.find(key.as_str())?.saturating_add(offset), key.len())));
                named.unwrap_or((offset, 1))
            });
            Some(SourceError::new(&result.file, text, place, message).with_help(result.help.clone()))
        };
        self.results.iter().filter_map(told).collect()
    }

    fn summary(&self) -> String {
        let mut text = String::new();
        let untested = |it: &Untested| {
            let help = if self.allow_untested { "" } else { ": add one under `tests`, or give --allow-untested" };
            format!("{}: {} has {}{help}\n", escape(&it.file), it.rule, it.missing)
        };
        text.extend(self.untested.iter().map(untested));
        let failed = self.results.iter().filter(|result| result.outcome != CaseOutcome::Held).count();
        let held = self.results.len().saturating_sub(failed);
        let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let untested = match self.untested.len() {
            0 => String::new(),
            count => format!(", {} untested", plural(count, "rule")),
        };
        text + &format!("{}, {} held, {failed} did not{untested}\n", plural(self.rules, "rule"), plural(held, "case"))
    }
}

/// A snapshot that a case names: a file in the folder of the rule file, or below it.
fn read_beside(rule_file: Option<&Path>, file: &str) -> Result<Snapshot, String> {
    let inside = Path::new(file).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !inside {
        return Err(format!("`{}` does not lie beside the rule file or below it", escape(file)));
    }
    // The cases of built-in rules name files of the project.
    let rule_file = rule_file.unwrap_or(Path::new("rules/built-in.yaml"));
    let path = rule_file.parent().unwrap_or(Path::new("")).join(file);
    let folder = rule_file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let real = |path: &Path| path.canonicalize().ok();
    // A link may lead out of the folder.
    if real(&path).zip(real(folder)).is_some_and(|(path, folder)| !path.starts_with(folder)) {
        return Err(format!("`{}` does not lie beside the rule file or below it", escape(file)));
    }
    if !path.is_file() {
        return Err(format!("there is no file `{}` beside the rule file", escape(file)));
    }
    match snapshot::read(&path).next() {
        Some(read) => read.map_err(|error| error.to_string()),
        None => Err(format!("{} holds no snapshot", path.display())),
    }
}
