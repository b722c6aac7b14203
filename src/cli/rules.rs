//! `stslint rules`: list, show and test rules.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use miette::IntoDiagnostic;

use super::explain::find;
use super::rule_args::sources;
use super::{Ended, OutputArgs, terminal};
use crate::report::rule_page;
use crate::rules::{CaseOutcome, CaseResult, Expected, Rule, RuleSet, built_in_sources, good_snapshot, run_cases};
use crate::snapshot::{self, Snapshot};
use crate::source_text::escape;

/// Options of `rules`.
#[derive(Args, Debug)]
pub struct RulesArgs {
    /// What to do with them.
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// Name every rule with its severity, title and citation.
    List {
        /// Add a file of your own rules.
        #[arg(long = "rules", value_name = "FILE")]
        rules: Vec<PathBuf>,
    },
    /// Write a rule file to begin with: one rule with its cases and a comment on every key.
    New(super::rule_new::NewArgs),
    /// Show a rule as it is written in its file.
    Show {
        /// The rule's id.
        rule: String,
    },
    /// Write a page of Markdown for each rule, and an index, into a folder.
    Docs {
        /// The folder; pages of the same name in it are replaced.
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
        /// Add a file of your own rules.
        #[arg(long = "rules", value_name = "FILE")]
        rules: Vec<PathBuf>,
    },
    /// Check rule files and run the cases in them; without a file, the built-in ones.
    Test {
        /// Rule files of your own.
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The format of the result.
        #[arg(long, value_enum, default_value_t = TestFormat::Human)]
        format: TestFormat,
    },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum TestFormat {
    /// Failing cases and a summary.
    Human,
    /// Every case as JSON.
    Json,
}

/// Runs the command.
pub fn run(args: &RulesArgs, output: &OutputArgs) -> Ended {
    match &args.command {
        RulesCommand::Docs { folder, rules } => docs(folder, rules),
        RulesCommand::List { rules } => list(rules),
        RulesCommand::Show { rule } => show(rule),
        RulesCommand::New(args) => super::rule_new::run(args, output),
        RulesCommand::Test { files, format } => test(files, *format, output),
    }
}

fn list(own: &[PathBuf]) -> Ended {
    let rules = RuleSet::with_own(&sources(own)?)?;
    let widest = rules.rules.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    let line = |rule: &Rule| {
        format!("{:<widest$}  {:<7}  {}  ({})\n", rule.id, rule.severity.label(), rule.title, rule.cites.join(", "))
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
    terminal::print(&text);
    Ok(0)
}

fn docs(folder: &Path, own: &[PathBuf]) -> Ended {
    let rules = if own.is_empty() { RuleSet::built_in()? } else { RuleSet::with_own(&sources(own)?)? };
    let good = good_snapshot()?;
    std::fs::create_dir_all(folder).into_diagnostic()?;
    for rule in &rules.rules {
        let page = rule_page::markdown(&rules, rule, &good);
        crate::files::write_whole(&folder.join(format!("{}.md", rule.id)), page.as_bytes())?;
    }
    crate::files::write_whole(&folder.join("README.md"), rule_page::index(&rules).as_bytes())?;
    Ok(0)
}

fn show(id: &str) -> Ended {
    let rules = RuleSet::built_in()?;
    let rule = find(&rules, id)?;
    let source = built_in_sources().into_iter().find(|source| source.name == rule.file);
    let shown = source.and_then(|source| entry(&source.text, id)).unwrap_or_else(|| rule.id.clone());
    terminal::print(&format!("# {}\n{shown}", rule.file));
    Ok(0)
}

/// The lines of a rule file that make up one rule.
fn entry(text: &str, id: &str) -> Option<String> {
    let mut lines = text.lines().skip_while(|line| line.trim() != format!("- id: {id}"));
    let first = lines.next()?;
    let rest = lines.take_while(|line| !line.starts_with("  - id: "));
    let lines: Vec<&str> = std::iter::once(first).chain(rest).collect();
    Some(lines.join("\n").trim_end().to_owned() + "\n")
}

fn test(paths: &[PathBuf], format: TestFormat, output: &OutputArgs) -> Ended {
    let own = sources(paths)?;
    let rules = if own.is_empty() { RuleSet::checked(&built_in_sources())? } else { RuleSet::with_own(&own)? };
    terminal::print_warnings(&rules.warnings, output);
    let good = good_snapshot()?;
    let wanted = |rule: &Rule| own.is_empty() || own.iter().any(|source| source.name == rule.file);
    let read = |rule_file: &str, file: &str| read_beside(rule_file, file);
    let results = run_cases(&rules, &good, wanted, &read);
    let bare: Vec<&Rule> = rules
        .rules
        .iter()
        .filter(|rule| wanted(rule))
        .filter(|rule| rule.cases.pass.is_empty() || rule.cases.fail.is_empty())
        .collect();
    match format {
        TestFormat::Human => {
            terminal::print(&summary(&results, &bare, rules.rules.iter().filter(|rule| wanted(rule)).count()))
        }
        TestFormat::Json => terminal::print(&(serde_json::to_string_pretty(&results).into_diagnostic()? + "\n")),
    }
    Ok(u8::from(results.iter().any(|result| result.outcome != CaseOutcome::Held)))
}

/// A snapshot that a case names: relative to the folder of the rule file.
fn read_beside(rule_file: &str, file: &str) -> Result<Snapshot, String> {
    let path = Path::new(rule_file).parent().unwrap_or(Path::new("")).join(file);
    match snapshot::read(&path).next() {
        Some(read) => read.map_err(|error| error.to_string()),
        None => Err(format!("{} holds no snapshot", path.display())),
    }
}

fn summary(results: &[CaseResult], bare: &[&Rule], rules: usize) -> String {
    let mut text = String::new();
    for result in results {
        let kind = match result.expected {
            Expected::Fail => "fail",
            Expected::NotApplicable => "not_applicable",
            Expected::NotChecked => "not_checked",
            Expected::Pass => "pass",
        };
        let why = match &result.outcome {
            CaseOutcome::BadPatch(why) | CaseOutcome::Differs(why) => why,
            CaseOutcome::Held => continue,
        };
        text.push_str(&format!(
            "{}:{}: {}: {kind} case {} {why}\n    {}\n",
            escape(&result.file),
            result.line,
            result.rule,
            result.number,
            escape(&result.patch)
        ));
    }
    for rule in bare {
        let missing = if rule.cases.pass.is_empty() { "passing" } else { "failing" };
        text.push_str(&format!("{}: has no {missing} case (in {})\n", rule.id, rule.file));
    }
    let failed = results.iter().filter(|result| result.outcome != CaseOutcome::Held).count();
    let held = results.len().saturating_sub(failed);
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    text + &format!("{}, {} held, {failed} did not\n", plural(rules, "rule"), plural(held, "case"))
}
