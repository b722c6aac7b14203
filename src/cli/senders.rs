//! `stslint senders`: what each sender does, and what it makes of a text.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use serde::Serialize;

use super::{Ended, UsageError, examples, terminal};
use crate::config::Configuration;
use crate::files;
use crate::report::counted;
use crate::senders::{
    Answer, Enforces, Input, Kind, Profile, Reading, SendersError, Served, Verdict, built_in, built_in_sources,
    check_cases, explain, find, read_profile,
};
use crate::source_text::{escape, nearest};

/// The largest file that is read.
const MAX_FILE: u64 = 4 << 20;

/// Options of `senders`.
#[derive(Args, Debug)]
pub struct SendersArgs {
    /// What to do with them.
    #[command(subcommand)]
    command: SendersCommand,
}

#[derive(Debug, Subcommand)]
enum SendersCommand {
    /// Name every sender, whether it enforces policies, and when its file was last held against its sources.
    #[command(after_long_help = examples::SENDERS_LIST)]
    List {
        /// The day from which age is counted, instead of today.
        #[arg(long, value_name = "DAY")]
        at: Option<Date>,
        /// Your own senders.
        #[command(flatten)]
        own: OwnSenders,
        /// The format of the list.
        #[arg(long, value_enum, default_value_t = SendersFormat::Human)]
        format: SendersFormat,
    },
    /// Show a sender as it is written in its file: each property with its source.
    #[command(after_long_help = examples::SENDERS_SHOW)]
    Show {
        /// The sender.
        #[arg(value_name = "NAME")]
        name: String,
        /// Your own senders.
        #[command(flatten)]
        own: OwnSenders,
    },
    /// Say what a sender makes of records, policies and MX hosts: yes, no or unknown, with the reason.
    #[command(after_long_help = examples::SENDERS_EXPLAIN)]
    Explain(ExplainArgs),
    /// Hold the cases beside the properties of each sender against them; without a file, those of the built-in ones.
    #[command(after_long_help = examples::SENDERS_TEST)]
    Test {
        /// Files of senders of your own.
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// Senders of one's own.
#[derive(Args, Debug, Default)]
struct OwnSenders {
    /// Take the sender of this file too; give it again for more.
    #[arg(long = "senders", value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
struct ExplainArgs {
    /// The sender; `all` for every one.
    #[arg(value_name = "NAME")]
    name: String,
    /// Records (`v=STSv1…`, `v=TLSRPTv1…`) and policy files.
    #[arg(value_name = "INPUT")]
    inputs: Vec<String>,
    /// A TXT record at _mta-sts, whatever it looks like; several are the records of one name.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    record: Vec<String>,
    /// A TXT record at _smtp._tls, whatever it looks like; several are the records of one name.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    tlsrpt: Vec<String>,
    /// A policy file (`-` for standard input).
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The Content-Type with which the policy is served.
    #[arg(long, value_name = "TYPE", default_value = "text/plain")]
    content_type: String,
    /// The HTTP status with which the policy is served.
    #[arg(long, value_name = "STATUS", default_value_t = 200)]
    status: u16,
    /// After how many milliseconds the policy is there.
    #[arg(long, value_name = "NUMBER")]
    milliseconds: Option<u64>,
    /// An MX host, to compare with the patterns.
    #[arg(long, value_name = "HOST", requires = "pattern")]
    mx: Option<String>,
    /// A pattern of a policy; give it again for more.
    #[arg(long, value_name = "PATTERN", requires = "mx", allow_hyphen_values = true)]
    pattern: Vec<String>,
    /// Your own senders.
    #[command(flatten)]
    own: OwnSenders,
    /// The format of the answer.
    #[arg(long, value_enum, default_value_t = SendersFormat::Human)]
    format: SendersFormat,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum SendersFormat {
    /// For people.
    Human,
    /// As JSON.
    Json,
}

/// Runs the command.
pub fn run(args: &SendersArgs, configuration: &Configuration) -> Ended {
    match &args.command {
        SendersCommand::List { at, own, format } => list(*at, &own.with_known(configuration)?, *format),
        SendersCommand::Show { name, own } => show(name, own),
        SendersCommand::Explain(args) => answer(args, configuration),
        SendersCommand::Test { files } => test(files),
    }
}

impl OwnSenders {
    /// Those of these files beside the built-in ones and those of the configuration.
    fn with_known(&self, configuration: &Configuration) -> miette::Result<Vec<Arc<Profile>>> {
        configuration.sound()?;
        let own = self.files.iter().map(|path| Ok(Arc::new(read(path)?.1))).collect::<miette::Result<Vec<_>>>()?;
        Ok(built_in().iter().chain(&configuration.senders).cloned().chain(own).collect())
    }
}

fn read(path: &Path) -> miette::Result<(String, Profile)> {
    let octets = files::read_bounded(path, MAX_FILE)?;
    let name = escape(&path.display().to_string());
    let text = String::from_utf8(octets)
        .map_err(|_| SendersError::Form { file: name.clone(), reason: "it is not UTF-8".to_owned() })?;
    let profile = read_profile(&name, &text)?;
    Ok((text, profile))
}

/// The error that there is no sender of this name.
pub(super) fn not_found(profiles: &[Arc<Profile>], name: &str) -> UsageError {
    let names: Vec<&str> = profiles.iter().map(|it| it.sender.as_str()).collect();
    let help = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("available: {}", names.join(", ")),
    };
    UsageError::new(format!("there is no sender `{}`", escape(name)), help)
}

/// A sender in the list for programs.
#[derive(Serialize)]
struct Row<'a> {
    sender: &'a str,
    name: &'a str,
    kind: Kind,
    version: Option<&'a str>,
    enforces: Option<Enforces>,
    seen: String,
    old: bool,
}

fn list(at: Option<Date>, profiles: &[Arc<Profile>], format: SendersFormat) -> Ended {
    let today = at.unwrap_or_else(|| jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).date());
    let rows: Vec<Row<'_>> = profiles.iter().map(|it| Row::of(it, today)).collect();
    if format == SendersFormat::Json {
        terminal::print_json(&rows)?;
        return Ok(0);
    }
    let width = rows.iter().map(|row| row.sender.len()).max().unwrap_or_default();
    let line = |row: &Row<'_>| {
        let version = row.version.map(|version| format!(" {version}")).unwrap_or_default();
        let old = if row.old { ", more than a year ago" } else { "" };
        let enforces = row.enforces.map_or("unknown whether it enforces", |it| match it {
            Enforces::Always => "enforces policies",
            Enforces::Configured => "enforces policies where it is configured",
            Enforces::Never => "does not enforce policies",
        });
        format!("{:<width$}  {}{version}: {enforces} (last looked at {}{old})\n", row.sender, row.name, row.seen)
    };
    terminal::print(&rows.iter().map(line).collect::<String>());
    Ok(0)
}

impl<'a> Row<'a> {
    fn of(profile: &'a Profile, today: Date) -> Self {
        let age = profile.seen.0.until(today).map_or(0, |span| span.get_days());
        Row {
            sender: &profile.sender,
            name: &profile.name,
            kind: profile.kind,
            version: profile.version.as_deref(),
            enforces: profile.behaviour.enforces.as_ref().map(|claim| claim.is),
            seen: profile.seen.0.to_string(),
            old: age > 365,
        }
    }
}

fn show(name: &str, own: &OwnSenders) -> Ended {
    for path in &own.files {
        let (text, profile) = read(path)?;
        if find(&[Arc::new(profile)], name).is_some() {
            terminal::print(&text);
            return Ok(0);
        }
    }
    let profile = find(built_in(), name).ok_or_else(|| not_found(built_in(), name))?;
    let text = built_in_sources().iter().find(|(file, _)| *file == profile.sender).map_or("", |(_, text)| text);
    terminal::print(text);
    Ok(0)
}

/// What a sender makes of an input, for programs.
#[derive(Serialize)]
struct Explained<'a> {
    sender: &'a str,
    name: &'a str,
    version: Option<&'a str>,
    input: &'a str,
    answer: Answer,
    because: String,
    understood: Reading,
}

fn answer(args: &ExplainArgs, configuration: &Configuration) -> Ended {
    let profiles = args.own.with_known(configuration)?;
    let asked: Vec<&Arc<Profile>> = match args.name.as_str() {
        "all" => profiles.iter().collect(),
        name => vec![find(&profiles, name).ok_or_else(|| not_found(&profiles, name))?],
    };
    let inputs = inputs(args)?;
    if inputs.is_empty() {
        let help = "give a record such as `v=STSv1; id=1`, a policy file, or --mx with --pattern";
        return Err(UsageError::new("there is nothing to explain", help).into());
    }
    let explained = |profile: &'_ Profile| {
        let of = |(label, input): &(&'static str, Input)| (*label, explain(profile, &profiles, input));
        inputs.iter().map(of).collect::<Vec<(&'static str, Verdict)>>()
    };
    if args.format == SendersFormat::Json {
        let mut rows = Vec::new();
        for profile in &asked {
            rows.extend(explained(profile).into_iter().map(|(input, verdict)| Explained {
                sender: &profile.sender,
                name: &profile.name,
                version: profile.version.as_deref(),
                input,
                answer: verdict.answer,
                because: verdict.because,
                understood: verdict.reading,
            }));
        }
        terminal::print_json(&rows)?;
        return Ok(0);
    }
    for profile in &asked {
        for (input, verdict) in explained(profile) {
            let because = escape(verdict.because.trim_start_matches("not known: "));
            let because = match verdict.answer {
                Answer::Unknown => format!("unknown: {because}"),
                answer => format!("{answer}, {because}"),
            };
            let said = format!("{}: {input}: {because}", profile.label());
            terminal::print(&format!("{said}\n"));
        }
    }
    Ok(0)
}

/// The inputs, each with its name.
fn inputs(args: &ExplainArgs) -> miette::Result<Vec<(&'static str, Input)>> {
    let is_tlsrpt = |text: &str| text.trim_start().get(..8).is_some_and(|start| start.eq_ignore_ascii_case("v=TLSRPT"));
    let is_record = |text: &str| text.contains('=') && !Path::new(text).exists();
    let (mut record, mut tlsrpt, mut policies) = (args.record.clone(), args.tlsrpt.clone(), Vec::new());
    for text in &args.inputs {
        match text {
            text if is_tlsrpt(text) => tlsrpt.push(text.clone()),
            text if is_record(text) => record.push(text.clone()),
            path => policies.push(PathBuf::from(path)),
        }
    }
    policies.extend(args.policy.clone());
    let mut found = Vec::new();
    if !record.is_empty() {
        found.push(("record", Input::Record(record)));
    }
    for path in policies {
        let served = Served {
            body: files::read_bounded(&path, MAX_FILE)?,
            content_type: Some(Some(args.content_type.clone()).filter(|it| !it.is_empty())),
            truncated: false,
            status: Some(args.status),
            milliseconds: args.milliseconds,
        };
        found.push(("policy", Input::Policy(served)));
    }
    if let Some(host) = &args.mx {
        found.push(("host", Input::Host { host: host.clone(), patterns: args.pattern.clone() }));
    }
    if !tlsrpt.is_empty() {
        found.push(("tlsrpt", Input::Tlsrpt(tlsrpt)));
    }
    Ok(found)
}

fn test(files: &[PathBuf]) -> Ended {
    let own = files.iter().map(|path| Ok(Arc::new(read(path)?.1))).collect::<miette::Result<Vec<_>>>()?;
    let all: Vec<Arc<Profile>> = built_in().iter().chain(&own).cloned().collect();
    let whole = |(name, text): &(&str, &str)| read_profile(name, text).map(Arc::new);
    let shipped = built_in_sources().iter().map(whole).collect::<Result<Vec<_>, SendersError>>()?;
    let tested = if files.is_empty() { shipped } else { own };
    let (mut cases, mut failed) = (0_usize, 0_usize);
    for profile in &tested {
        cases = cases.saturating_add(profile.cases.len());
        for failure in check_cases(profile, &all) {
            failed = failed.saturating_add(1);
            let (expected, given) = (failure.expected, &failure.given);
            let because = escape(&given.because);
            terminal::print(&format!(
                "{}: case {}: expected {expected}, but the properties give {}: {because}\n",
                profile.sender, failure.number, given.answer
            ));
        }
    }
    let (senders, cases) = (counted(tested.len(), "sender"), counted(cases, "case"));
    terminal::print(&format!("{senders}, {cases}, {failed} failed\n"));
    Ok(u8::from(failed > 0))
}
