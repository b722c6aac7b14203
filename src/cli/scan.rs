//! `stslint scan`: many domains, a line in, a line out.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use miette::{IntoDiagnostic, Report as Error};
use tokio::sync::watch;

use super::arguments::quoted;
use super::check::MinSeverity;
use super::network::NetworkArgs;
use super::rule_args::RuleArgs;
use super::scan_progress::ScanProgress;
use super::signals::Signals;
use super::{Ended, OutputArgs, UsageError, terminal};
use crate::collect::{Collector, Options, ResolverChoice};
use crate::config::Configuration;
use crate::files::{self, FileError};
use crate::scan::answer::{self, Answer, Fate, Form};
use crate::scan::answered::Answered;
use crate::scan::input::{Entry, Meaning};
use crate::scan::judge::Judge;
use crate::scan::lines::{Consumed, Lines};
use crate::scan::opt_out::OptOut;
use crate::scan::output::{LineFile, Outputs};
use crate::scan::pipeline::{Counts, Pipeline};
use crate::snapshot::{self, Format};
use crate::source_text::escape;

/// From so many domains on, a public resolver is the wrong one.
const MANY: u64 = 1_000;
/// So many conversations at the same time with one address of a mail server, where nothing else is asked for: providers
/// have hundreds of names at one.
const PER_ADDRESS: usize = 12;
/// The most octets of an opt-out list.
const MAX_OPT_OUT_OCTETS: u64 = 256 << 20;

/// Options of `scan`.
#[derive(Args, Debug)]
pub struct ScanArgs {
    /// The domains, one per line: names, JSON objects, or CSV with --column; gzip and Zstandard are unpacked. `-` is standard
    /// input.
    #[arg(value_name = "FILE", default_value = "-")]
    pub input: PathBuf,
    /// Write the answers to this file instead of standard output; one that ends in .zst is packed.
    #[arg(short, long, value_name = "OUT", default_value = "-", help_heading = "Output")]
    pub output: PathBuf,
    /// Go on where an earlier run with the same input and output ended.
    #[arg(long, help_heading = "Output")]
    pub resume: bool,
    /// Write the answers in the order of the lines instead of as they come.
    #[arg(long, help_heading = "Output")]
    pub in_order: bool,
    /// Write a flat row for each line instead of a report: the same columns in all of them, for databases.
    #[arg(long, help_heading = "Output")]
    pub columns: bool,
    /// Also write a line for each finding to this file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub findings: Option<PathBuf>,
    /// Also write the snapshot of each domain to this file, as `collect` does.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub snapshots: Option<PathBuf>,
    /// Do not report findings below this severity.
    #[arg(long, value_enum, default_value_t = MinSeverity::Note, value_name = "SEVERITY", help_heading = "Output")]
    pub min_severity: MinSeverity,
    /// The column of CSV with the domain, by its name in the first line or its number from 1; of JSON objects the field.
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub column: Option<String>,
    /// Leave alone the domains in this file, one per line, and all below them.
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub opt_out: Option<PathBuf>,
    /// A page that says who looks at hosts and why; policy hosts see it in the User-Agent.
    #[arg(long, value_name = "URL", help_heading = "Collection")]
    pub about_url: Option<String>,
    /// The most domains under way at the same time.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = at_once, help_heading = "Collection")]
    pub at_once: usize,
    /// The most conversations at the same time with one address of a mail server.
    #[arg(long, value_name = "N", default_value_t = PER_ADDRESS, value_parser = per_address, help_heading = "Collection")]
    pub per_address: usize,
    /// Also search domains where nothing points to MTA-STS or TLSRPT for records at wrong names: sixteen queries more.
    #[arg(long, help_heading = "Collection")]
    pub search_everywhere: bool,
    /// Which rules.
    #[command(flatten)]
    pub rules: RuleArgs,
    /// How to collect.
    #[command(flatten)]
    pub network: NetworkArgs,
}

fn at_once(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(number) if (1..=100_000).contains(&number) => Ok(number),
        _ => Err("give a number between 1 and 100000".to_owned()),
    }
}

fn per_address(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(number) if (1..=64).contains(&number) => Ok(number),
        _ => Err("give a number between 1 and 64".to_owned()),
    }
}

/// Runs the command.
pub fn run(args: &ScanArgs, configuration: &Configuration, output: &OutputArgs) -> Ended {
    possible(args)?;
    let in_force = args.rules.load(configuration)?;
    terminal::print_warnings(&in_force.rules.warnings, output);
    let opt_out = opt_out(args)?;
    let judge = Judge { in_force, at: None, least: args.min_severity.severity() };
    let size = args.input.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
    let consumed = Consumed::default();
    let source = files::open(&args.input)?;
    let reading = |reason| FileError::Io { action: "read", path: args.input.clone(), reason };
    let lines = Lines::new(source, &consumed).map_err(reading)?;
    let (answered, outputs) = outputs(args)?;
    raise_open_files();
    runtime()?.block_on(async {
        let collector = Arc::new(Collector::new(options(args))?);
        let counts = Arc::new(Counts::default());
        let pipeline = Pipeline {
            column: args.column.clone(),
            answered,
            at_once: args.at_once,
            form: form(args),
            look: {
                let looking = Arc::new(Looking {
                    collector: collector.clone(),
                    judge,
                    opt_out,
                    form: form(args),
                    findings: args.findings.is_some(),
                    snapshots: args.snapshots.is_some(),
                });
                Arc::new(move |entry| {
                    let looking = looking.clone();
                    Box::pin(async move { looking.look(&entry).await })
                })
            },
            ready: {
                let collector = collector.clone();
                Arc::new(move || {
                    let collector = collector.clone();
                    Box::pin(async move { collector.ready().await })
                })
            },
            counts: counts.clone(),
        };
        let progress = ScanProgress::start(counts, collector.clone(), consumed, size, output);
        let ended = supervise(pipeline, lines, outputs, progress, args, output).await?;
        collector.finish().await;
        Ok(ended)
    })
}

/// How to collect: what costs a domain's own servers more than others would ask of them is left out.
fn options(args: &ScanArgs) -> Options {
    let mut options = args.network.options();
    options.published_ttls = args.network.authoritative == Some(true);
    options.search_everywhere = args.search_everywhere;
    options.per_address = args.per_address;
    options.about_url = args.about_url.clone();
    options
}

fn possible(args: &ScanArgs) -> Result<(), UsageError> {
    if args.resume && args.output == Path::new("-") {
        let help = "name the file of the earlier run: `-o FILE --resume`";
        return Err(UsageError::new("standard output cannot be gone on with", help));
    }
    let files: Vec<&PathBuf> =
        [Some(&args.output), args.findings.as_ref(), args.snapshots.as_ref()].into_iter().flatten().collect();
    let twice = files.iter().enumerate().find(|(place, file)| files.iter().take(*place).any(|other| other == *file));
    if let Some((_, file)) = twice {
        let message = format!("two outputs cannot go to one file: {}", escape(&file.display().to_string()));
        return Err(UsageError::new(message, "name another file for one of them"));
    }
    Ok(())
}

/// The files to write, and what is in them already.
fn outputs(args: &ScanArgs) -> Result<(Answered, Outputs), Error> {
    let answered = if args.resume { Answered::restore(&args.output)? } else { Answered::default() };
    if args.resume {
        args.snapshots.iter().try_for_each(|path| answered.restore_snapshots(path))?;
        args.findings.iter().try_for_each(|path| answered.restore_findings(path))?;
    }
    let open = |path: &Path| {
        LineFile::open(path, args.resume).map_err(|error| match error {
            FileError::Exists { path } => {
                let message = format!("{} exists already, and is kept as it is", escape(&path.display().to_string()));
                UsageError::new(message, "go on with it with --resume, or name another file").into()
            }
            error => Error::from(error),
        })
    };
    // An output that is there already leaves no empty files beside it.
    let main = open(&args.output)?;
    let snapshots = args.snapshots.as_deref().map(open).transpose()?;
    let findings = args.findings.as_deref().map(open).transpose()?;
    Ok((answered, Outputs { main, findings, snapshots, in_order: args.in_order }))
}

/// A runtime with a thread for each processor.
fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from).max(2);
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().into_diagnostic()
}

/// Has the system allow as many open files as it would at most: each host that is connected to needs one.
#[cfg(unix)]
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Where it may not be raised, fewer hosts are connected to at the same time.
    _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

#[cfg(not(unix))]
fn raise_open_files() {}

fn form(args: &ScanArgs) -> Form {
    if args.columns { Form::Columns } else { Form::Report }
}

fn opt_out(args: &ScanArgs) -> Result<OptOut, Error> {
    let Some(path) = &args.opt_out else { return Ok(OptOut::default()) };
    let text = files::read_text(path, MAX_OPT_OUT_OCTETS)?;
    OptOut::read(&text).map_err(|error| {
        let message = format!("{}: {error}", escape(&path.display().to_string()));
        UsageError::new(message, "write one domain per line; `#` begins a comment").into()
    })
}

/// How domains are looked at.
struct Looking {
    collector: Arc<Collector>,
    judge: Judge,
    opt_out: OptOut,
    form: Form,
    findings: bool,
    snapshots: bool,
}

impl Looking {
    /// Looks at one domain.
    async fn look(&self, entry: &Entry) -> Answer {
        let Meaning::Domain(domain) = &entry.meaning else { return Answer::default() };
        if self.opt_out.has(domain) {
            return self.form.failed(entry, Fate::OptedOut, "the domain is on the opt-out list");
        }
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
        let snapshot = self.collector.collect(domain.as_str(), now).await;
        let linted = self.judge.lint(snapshot);
        let seen = self.snapshots.then(|| snapshot::to_text(&linted.snapshot, Format::JsonLines)).transpose();
        match (self.form.linted(entry, &linted), seen) {
            (Ok((main, fate)), Ok(snapshot)) => {
                let findings = if self.findings { answer::finding_lines(entry, &linted.report) } else { String::new() };
                Answer { main, findings, snapshot: snapshot.unwrap_or_default(), fate }
            }
            (Err(error), _) => self.form.failed(entry, Fate::Broken, &format!("the report cannot be written: {error}")),
            (_, Err(error)) => self.form.failed(entry, Fate::Broken, &error.to_string()),
        }
    }
}

/// Runs the pipeline to its end, shows how far it is, and drains it where a signal asks to end.
async fn supervise(
    pipeline: Pipeline,
    lines: Lines,
    outputs: Outputs,
    mut progress: ScanProgress,
    args: &ScanArgs,
    output: &OutputArgs,
) -> Result<u8, Error> {
    let (sender, answers) = std::sync::mpsc::channel();
    let (stop, stopped) = watch::channel(false);
    let failed = stop.clone();
    let writer = std::thread::spawn(move || {
        outputs.run(&answers).inspect_err(|_| {
            failed.send_replace(true);
        })
    });
    let counts = pipeline.counts.clone();
    let mut warning = public_resolver(&args.network.resolver);
    let mut signals = Signals::listen();
    let mut signal = None;
    let mut running = std::pin::pin!(pipeline.run(lines, sender, stopped));
    let ended = loop {
        tokio::select! {
            ended = &mut running => break ended,
            () = progress.tick() => progress.show(),
            number = signals.next() => {
                if signal.replace(number).is_some() {
                    std::process::exit(128_i32.saturating_add(number));
                }
                stop.send_replace(true);
                progress.aside(|| terminal::remark(&draining(), output));
            }
        }
        if let Some(warning) = warning.take_if(|_| counts.all() > MANY) {
            progress.aside(|| terminal::remark(&warning, output));
        }
    };
    progress.end();
    let written = tokio::task::spawn_blocking(|| writer.join()).await.into_diagnostic()?;
    let written = written.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let go_on = go_on(args);
    if let Err(error) = written {
        let help = format!("what is written stays, each line whole; make room, then {go_on}");
        return Err(UsageError::new(error.to_string(), help).into());
    }
    let all = ended?;
    terminal::remark(&progress.summary(), output);
    match signal {
        Some(number) if !all => {
            terminal::remark(&format!("interrupted: {go_on}"), output);
            Ok(u8::try_from(128_i32.saturating_add(number)).unwrap_or(2))
        }
        _ => Ok(0),
    }
}

/// The warning where thousands of questions go to a resolver that is meant for people.
fn public_resolver(resolver: &ResolverChoice) -> Option<String> {
    let address = match resolver {
        ResolverChoice::Address(address)
        | ResolverChoice::Https { address, .. }
        | ResolverChoice::Tls { address, .. } => Some(address.ip()),
        // Its owner knows what it is for.
        _ => None,
    }?;
    let is_public = match address {
        IpAddr::V4(address) => !(address.is_private() || address.is_loopback() || address.is_link_local()),
        IpAddr::V6(address) => !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()),
    };
    is_public.then(|| {
        format!(
            "warning: more than {MANY} domains are asked for at {address}, which looks like a public resolver: these limit \
             how much one client may ask, and what they refuse is not checked here. Use one of your own: docs/bulk.md \
             shows unbound"
        )
    })
}

fn draining() -> String {
    "ending: no more lines are begun, and the domains under way are finished; the same signal again ends at once"
        .to_owned()
}

/// How a run that ended early is gone on with.
fn go_on(args: &ScanArgs) -> String {
    if args.output == Path::new("-") {
        return "give -o FILE next time: a run with a file can be gone on with".to_owned();
    }
    let words: Vec<String> = std::env::args().skip(1).map(|word| quoted(&word)).collect();
    let resume = if args.resume { "" } else { " --resume" };
    format!("go on with `stslint {}{resume}`", words.join(" "))
}
