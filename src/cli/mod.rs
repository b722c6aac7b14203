//! The command line: clap types and one file a command, each a few lines over the library.

mod arguments;
#[cfg(feature = "lab")]
mod audit_sender;
mod check;
mod collect;
mod completions;
mod config;
mod configured;
mod default_command;
#[cfg(feature = "lab")]
mod demo;
mod diff;
mod examples;
mod exit_codes;
mod explain;
mod facts;
mod file_progress;
mod fix;
mod format;
mod held;
mod init;
mod input;
mod logs;
mod man;
mod network;
mod profiles;
mod progress;
mod report_files;
mod reports;
mod repository;
mod rule_args;
mod rule_new;
mod rules;
mod scan;
mod scan_progress;
mod schema;
mod senders;
#[cfg(feature = "serve")]
mod serve;
mod signals;
mod slips;
mod tally;
mod terminal;
mod version;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Args, FromArgMatches, Parser, Subcommand, ValueEnum};
use miette::{Diagnostic, Report};
use thiserror::Error;

use self::configured::{ConfigArgs, configured};
use crate::config::Configuration;
use crate::report::{NagiosState, nagios_unknown};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Lint how a mail domain publishes MTA-STS (RFC 8461) and TLSRPT (RFC 8460).
#[derive(Debug, Parser)]
#[command(name = "stslint", version, long_version = version::long(), styles = STYLES, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 nothing at or above --fail-on; 1 findings; 2 could not run; 3 with --require-complete only: some check was not made.",
    after_long_help = examples::ALL
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Which configuration is in force.
    #[command(flatten)]
    pub configuration: ConfigArgs,
    /// Output for people and logs.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Options of every command.
#[derive(Args, Debug)]
pub struct OutputArgs {
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN", help_heading = "Output")]
    pub color: Colour,
    /// Narrate diagnostics for screen readers instead of drawing them.
    #[arg(long, global = true, help_heading = "Output")]
    pub accessible: bool,
    /// Report only findings, without the checklist, and only errors on standard error.
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// Log each step on standard error; give it twice for more.
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lint domains, recorded snapshots, or texts given on the command line.
    #[command(after_long_help = examples::CHECK)]
    Check(Box<check::CheckArgs>),
    /// Measure what your own outgoing mail server does with MTA-STS, on domains that are odd in one way each.
    #[cfg(feature = "lab")]
    #[command(after_long_help = examples::AUDIT_SENDER)]
    AuditSender(Box<audit_sender::AuditSenderArgs>),
    /// Observe domains and write snapshots of what was seen.
    #[command(after_long_help = examples::COLLECT)]
    Collect(Box<collect::CollectArgs>),
    /// Lint many domains: a line in, a line out, and never one lost.
    #[command(after_long_help = examples::SCAN)]
    Scan(Box<scan::ScanArgs>),
    /// Show the configuration in force and where each value comes from, or write a first one.
    #[command(after_long_help = examples::CONFIG)]
    Config(config::ConfigCommandArgs),
    /// Propose a first policy and records for a domain, from its MX hosts.
    #[command(after_long_help = examples::INIT)]
    Init(Box<init::InitArgs>),
    /// Show what changed between two snapshots, fact by fact, or between two runs, finding by finding.
    #[command(after_long_help = examples::DIFF)]
    Diff(diff::DiffArgs),
    /// Read TLS reports (RFC 8460): what senders saw, why connections failed, and what happened to the mail.
    #[command(after_long_help = examples::REPORTS)]
    Reports(Box<reports::ReportsArgs>),
    /// List the profiles that a configuration can extend, or show what one of them sets.
    #[command(after_long_help = examples::PROFILES)]
    Profiles(profiles::ProfilesArgs),
    /// List, show or test rules.
    #[command(after_long_help = examples::RULES)]
    Rules(rules::RulesArgs),
    /// List senders, show how one is known, or say what it makes of a text.
    #[command(after_long_help = examples::SENDERS)]
    Senders(senders::SendersArgs),
    /// Explain a rule, a group of rules, a result type of TLS reports, or a line from a bounce or a mail log.
    #[command(after_long_help = examples::EXPLAIN)]
    Explain(explain::ExplainArgs),
    /// List the facts that rules can use; with a snapshot, their values.
    #[command(after_long_help = examples::FACTS)]
    Facts(facts::FactsArgs),
    /// Evaluate one expression over a snapshot.
    #[command(after_long_help = examples::EVAL)]
    Eval(facts::EvalArgs),
    /// Serve the web validator: pages and an API for people who check domains in a browser.
    #[cfg(feature = "serve")]
    #[command(after_long_help = examples::SERVE)]
    Serve(Box<serve::ServeArgs>),
    /// Print the JSON Schema of a file that stslint reads or writes, for editors and validators.
    #[command(after_long_help = examples::SCHEMA)]
    Schema(schema::SchemaArgs),
    /// Print the script for shell completion of commands and options.
    Completions(completions::CompletionsArgs),
    /// Print the manual page, or write the pages of all commands into a folder.
    Man(man::ManArgs),
    /// Try stslint on an embedded loopback internet.
    #[cfg(feature = "lab")]
    #[command(after_long_help = examples::DEMO)]
    Demo(demo::DemoArgs),
}

/// Why a command could not run.
#[derive(Debug, Diagnostic, Error)]
#[error("{message}")]
#[diagnostic(code(stslint::usage))]
pub struct UsageError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[help]
    pub help: Option<String>,
}

impl UsageError {
    /// A usage error with what to do about it.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        UsageError { message: message.into(), help: Some(help.into()) }
    }
}

/// Runs the command that these words are; the exit code is as the README says.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words = default_command::with_default_command(words.into_iter().collect());
    let parsed = exit_codes::command().try_get_matches_from(&words).and_then(|found| Cli::from_arg_matches(&found));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            let error = slips::with_what_was_meant(error);
            terminal::print_usage(&error);
            return ExitCode::from(if error.use_stderr() { unknown_or(2, &words, "wrong usage") } else { 0 });
        }
    };
    logs::start(&cli.output);
    let ended = configured(&cli, &words)
        .and_then(|(configuration, reread)| one_command(reread.as_ref().unwrap_or(&cli), &configuration));
    let code = match ended {
        Ok(code) => code,
        Err(error) => {
            terminal::print_error(&error, &cli.output);
            unknown_or(2, &words, &error.to_string())
        }
    };
    match terminal::lost() {
        Some(reason) => {
            let error = UsageError { message: format!("cannot write to standard output: {reason}"), help: None };
            terminal::print_error(&error.into(), &cli.output);
            ExitCode::from(2)
        }
        None => ExitCode::from(code),
    }
}

/// The exit code of a run that failed before its formats were known: where Nagios asks, that is UNKNOWN and said so.
fn unknown_or(code: u8, words: &[OsString], reason: &str) -> u8 {
    let asked = |pair: &[OsString]| matches!(pair, [option, value] if option == "--format" && value == "nagios");
    if !words.windows(2).any(asked) && !words.iter().any(|word| word == "--format=nagios") {
        return code;
    }
    terminal::print(&nagios_unknown(reason));
    NagiosState::Unknown as u8
}

/// Whether a command waits for signals itself.
fn runs_until_told(command: &Command) -> bool {
    match command {
        #[cfg(feature = "serve")]
        Command::Serve(_) => true,
        #[cfg(feature = "lab")]
        Command::AuditSender(_) => true,
        Command::Scan(_) => true,
        _ => false,
    }
}

fn one_command(cli: &Cli, configuration: &Configuration) -> Ended {
    let output = &cli.output;
    if !runs_until_told(&cli.command) {
        signals::end_in_order();
    }
    match &cli.command {
        #[cfg(feature = "lab")]
        Command::AuditSender(args) => audit_sender::run(args, output),
        Command::Check(args) => check::run(args, configuration, output),
        Command::Collect(args) => collect::run(args, output),
        Command::Completions(args) => completions::run(args),
        Command::Config(args) => config::run(args, configuration, output),
        #[cfg(feature = "lab")]
        Command::Demo(args) => demo::run(args, output),
        Command::Diff(args) => diff::run(args, configuration, output),
        Command::Eval(args) => facts::eval(args),
        Command::Explain(args) => explain::run(args, configuration, output),
        Command::Facts(args) => facts::facts(args, output),
        Command::Init(args) => init::run(args, output),
        Command::Man(args) => man::run(args),
        Command::Profiles(args) => profiles::run(args),
        Command::Reports(args) => reports::run(args, configuration, output),
        Command::Rules(args) => rules::run(args, configuration, output),
        Command::Scan(args) => scan::run(args, configuration, output),
        Command::Schema(args) => schema::run(args),
        Command::Senders(args) => senders::run(args, configuration),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(args, output),
    }
}

/// How a command ends: an exit code, or a diagnostic (exit code 2).
pub type Ended = Result<u8, Report>;
