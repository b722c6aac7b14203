//! `stslint audit-sender`: the lab as a target for an administrator's own outgoing server.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::{Ended, OutputArgs, UsageError, network, signals, terminal};
use crate::audit::Case;
use crate::audit::agreement;
use crate::audit::cases::{self, CLEAR, PERFECT, PLAIN, UNCOVERED};
use crate::audit::observation::Observation;
use crate::audit::profile::{About, profile};
use crate::audit::table;
use crate::audit::verdict::{Seen, Verdicts};
use crate::files;
use crate::lab::{Event, Lab, LabOptions, LabRoot, Listen, submit};
use crate::senders::{self, Profile};
use crate::source_text::nearest;

/// How often the state is looked at, when nothing comes.
const GLANCE: Duration = Duration::from_millis(250);

/// The longest file of a key that is read, in octets.
const MAX_KEY: u64 = 65_536;

/// Options of `audit-sender`.
#[derive(Args, Debug)]
pub struct AuditSenderArgs {
    /// List the domains and what is odd about each.
    #[arg(long)]
    list: bool,
    /// Only make the authority that the server is to trust, and end.
    #[arg(long, conflicts_with = "list")]
    prepare: bool,
    /// Hand the mails to the server under audit, by SMTP without authentication; without it, send them yourself.
    #[arg(long, value_name = "HOST:PORT")]
    send: Option<String>,
    /// Send the mails from this address, which gets the bounces; without it, from the null address.
    #[arg(long, value_name = "ADDRESS", default_value = "", hide_default_value = true, value_parser = address)]
    from: String,
    /// Only these domains, and the controls; give it again for more.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Do not send second mails to domains that change.
    #[arg(long)]
    no_second: bool,
    /// Listen in this network: DNS and HTTPS at its first address, each MX host at one after it.
    #[arg(long, value_name = "NETWORK", default_value = "127.80.0.0/16", value_parser = in_network, help_heading = "Network")]
    listen: Network,
    /// The port of the name server, over UDP and TCP; 0 for a free one.
    #[arg(long, value_name = "PORT", default_value_t = 53, help_heading = "Network")]
    dns_port: u16,
    /// The port of the policy hosts; 0 for a free one.
    #[arg(long, value_name = "PORT", default_value_t = 443, help_heading = "Network")]
    https_port: u16,
    /// The port of the MX hosts; 0 for a free one.
    #[arg(long, value_name = "PORT", default_value_t = 25, help_heading = "Network")]
    smtp_port: u16,
    /// The zone that the domains are below: forward it to us where the server keeps its own resolver.
    #[arg(long, value_name = "DOMAIN", default_value = "sender-audit.example", help_heading = "Network")]
    zone: String,
    /// The label of this run, so that no policy is left from an earlier one; without it, from the time.
    #[arg(long, value_name = "LABEL", help_heading = "Network")]
    run: Option<String>,
    /// The certificate of our authority, for the server to trust; its key is beside it, with `.key` after the name. Both are
    /// made where they are not there.
    #[arg(long, value_name = "FILE", default_value = "stslint-audit-ca.pem", help_heading = "Network")]
    ca: PathBuf,
    /// Wait this many seconds for each round of mails at most.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400), help_heading = "Time")]
    wait: u64,
    /// A mail counts as held once the sender has done nothing about it for this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 45, value_parser = clap::value_parser!(u64).range(1..=3_600), help_heading = "Time")]
    quiet_time: u64,
    /// Wait this many seconds between a change and the second mail, as senders look for changes at intervals.
    #[arg(long, value_name = "SECONDS", default_value_t = 75, value_parser = clap::value_parser!(u64).range(0..=86_400), help_heading = "Time")]
    pause: u64,
    /// Write what was measured as the profile of a sender (YAML), for a configuration or for `rules/senders`.
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    profile: Option<PathBuf>,
    /// The name of the sender in the profile: letters, digits and hyphens.
    #[arg(long, value_name = "NAME", default_value = "own-sender", value_parser = plain_name, help_heading = "Result")]
    name: String,
    /// The version of the sender in the profile.
    #[arg(long, value_name = "VERSION", help_heading = "Result")]
    sender_version: Option<String>,
    /// Compare with a known sender; `stslint senders list` names them.
    #[arg(long, value_name = "SENDER", help_heading = "Result")]
    compare: Option<String>,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT", help_heading = "Result")]
    format: Format,
    /// Exit with code 3 where something about the sender remains unknown.
    #[arg(long, help_heading = "Result")]
    require_complete: bool,
}

/// How to print the result.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// A table.
    Human,
    /// All that was seen, and what was inferred from it.
    Json,
}

/// Addresses to listen at.
#[derive(Clone, Copy, Debug)]
struct Network {
    first: Ipv4Addr,
    last: Ipv4Addr,
}

fn in_network(text: &str) -> Result<Network, String> {
    let wrong = || "write an IPv4 network with room for the servers, such as 10.99.0.0/24".to_owned();
    let (address, length) = text.split_once('/').ok_or_else(wrong)?;
    let address: Ipv4Addr = address.parse().map_err(|_| wrong())?;
    let length: u32 = length.parse().map_err(|_| wrong())?;
    if !(8..=25).contains(&length) {
        return Err(wrong());
    }
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or_default();
    let network = u32::from(address) & mask;
    Ok(Network { first: Ipv4Addr::from(network | 1), last: Ipv4Addr::from((network | !mask) & !1) })
}

fn address(text: &str) -> Result<String, String> {
    match text.bytes().all(|octet| octet.is_ascii_graphic() && !matches!(octet, b'<' | b'>')) {
        true => Ok(text.to_owned()),
        false => Err("write an address, such as audit@example.net".to_owned()),
    }
}

fn plain_name(text: &str) -> Result<String, String> {
    let plain = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    if plain { Ok(text.to_owned()) } else { Err("write letters, digits and hyphens".to_owned()) }
}

/// Runs the command.
pub fn run(args: &AuditSenderArgs, output: &OutputArgs) -> Ended {
    if args.list {
        terminal::print(&table::list());
        return Ok(0);
    }
    if args.prepare {
        root_key(&args.ca, SystemTime::now())?;
        let path = args.ca.display();
        terminal::print(&format!("Let the server trust the authority in {path}. Its key is in {path}.key.\n"));
        return Ok(0);
    }
    let cases = chosen(&args.only)?;
    let known = args.compare.as_deref().map(known_sender).transpose()?;
    network::runtime()?.block_on(async {
        let target = Target::start(args, cases).await?;
        terminal::remark(&target.instructions(args), output);
        let seen = tokio::select! {
            seen = target.audit(args, output) => seen?,
            _ = signals::asked_to_end() => target.seen(),
        };
        show(&seen, &target, known, args, output)
    })
}

/// The key of the authority, which is made where it is not there.
fn root_key(certificate: &Path, now: SystemTime) -> miette::Result<String> {
    let mut name = certificate.as_os_str().to_owned();
    name.push(".key");
    let path = PathBuf::from(name);
    if path.exists() {
        return Ok(files::read_text(&path, MAX_KEY)?);
    }
    let root = LabRoot::new(now)?;
    files::write_new(certificate, root.certificate.as_bytes())?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&path).and_then(|mut file| file.write_all(root.key.as_bytes()));
    written.map_err(|error| UsageError {
        message: format!("cannot write the key of the authority to {}: {error}", path.display()),
        help: None,
    })?;
    Ok(root.key)
}

/// The controls, and the domains that were asked for; all where none was.
fn chosen(names: &[String]) -> Result<Vec<&'static Case>, UsageError> {
    for name in names {
        if cases::find(name).is_none() {
            let near = nearest(name, cases::all().map(|case| case.name));
            let help = near.map(|near| format!("Did you mean {near}?"));
            let help = help.unwrap_or_else(|| "`stslint audit-sender --list` names all of them.".to_owned());
            return Err(UsageError::new(format!("the audit has no domain {name}"), help));
        }
    }
    let controls = [PLAIN, CLEAR, PERFECT, UNCOVERED];
    let wanted =
        |case: &&Case| names.is_empty() || controls.contains(&case.name) || names.iter().any(|name| name == case.name);
    Ok(cases::all().filter(wanted).collect())
}

/// The running lab with what it is asked.
struct Target {
    lab: Lab,
    under: String,
    cases: Vec<&'static Case>,
    /// When each domain was changed.
    changed: std::sync::Mutex<BTreeMap<&'static str, Duration>>,
}

impl Target {
    async fn start(args: &AuditSenderArgs, cases: Vec<&'static Case>) -> miette::Result<Self> {
        let now = SystemTime::now();
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default();
        let run = args.run.clone().unwrap_or_else(|| format!("r{seconds:x}"));
        let under = format!("{run}.{}", args.zone).to_ascii_lowercase();
        let Network { first, last } = args.listen;
        let listen = Listen {
            dns: SocketAddr::from((first, args.dns_port)),
            first,
            last,
            https_port: args.https_port,
            smtp_port: args.smtp_port,
        };
        let scenarios = cases.iter().map(|case| case.scenario(&under)).collect();
        let root_key = Some(root_key(&args.ca, now)?);
        let lab = Lab::start(LabOptions { now, scenarios, listen, root_key }).await?;
        Ok(Target { lab, under, cases, changed: std::sync::Mutex::default() })
    }

    fn instructions(&self, args: &AuditSenderArgs) -> String {
        let listening = format!(
            "DNS on {}, HTTPS on port {}, SMTP on port {}; the authority to trust is in {}.",
            self.lab.resolver(),
            self.lab.https_port(),
            self.lab.smtp_port(),
            args.ca.display()
        );
        let domains = format!("{} domains below {}.", self.cases.len(), self.under);
        match &args.send {
            Some(server) => format!("{listening}\n{domains} Mails go through {server}."),
            None => {
                format!("{listening}\n{domains} Send one mail to each, such as by:\n\n{}\n", self.command(&self.cases))
            }
        }
    }

    /// A shell command that sends one mail to each of these domains.
    fn command(&self, cases: &[&'static Case]) -> String {
        let names: Vec<&str> = cases.iter().map(|case| case.name).collect();
        let under = &self.under;
        format!("for name in {}; do\n  echo test | sendmail -f '' probe@$name.{under}\ndone", names.join(" "))
    }

    /// Both rounds of mails.
    async fn audit(&self, args: &AuditSenderArgs, output: &OutputArgs) -> miette::Result<Vec<Seen>> {
        self.send(&self.cases, args, output).await?;
        self.settled(&self.cases, args, |seen| Some(&seen.first)).await;
        // Whoever does not enforce the first policy shows nothing by delivering in spite of it.
        if args.no_second || Verdicts::of(&self.seen()).enforces == Some(false) {
            return Ok(self.seen());
        }
        let second = self.change()?;
        if second.is_empty() {
            return Ok(self.seen());
        }
        let count = second.len();
        terminal::remark(&format!("{count} domains have changed. Second mails in {} seconds.", args.pause), output);
        tokio::time::sleep(Duration::from_secs(args.pause)).await;
        if args.send.is_none() {
            terminal::remark(&format!("Send a second mail to these:\n\n{}\n", self.command(&second)), output);
        }
        self.send(&second, args, output).await?;
        self.settled(&second, args, |seen| seen.second.as_ref()).await;
        Ok(self.seen())
    }

    async fn send(&self, cases: &[&'static Case], args: &AuditSenderArgs, output: &OutputArgs) -> miette::Result<()> {
        let Some(server) = &args.send else {
            return Ok(());
        };
        for case in cases {
            let to = format!("probe@{}", case.domain(&self.under));
            submit::submit(server, &args.from, &to, case.about).await.map_err(|error| {
                UsageError::new(
                    format!("{server} does not take the mail for {to}: {error}"),
                    "Name a server that relays mail from here without authentication, or leave --send out and send the mails yourself.",
                )
            })?;
        }
        terminal::remark(&format!("{} mails handed to {server}.", cases.len()), output);
        Ok(())
    }

    /// Waits until nothing more is to be expected of any of these domains, or the time is over.
    async fn settled(
        &self,
        cases: &[&'static Case],
        args: &AuditSenderArgs,
        counts: impl Fn(&Seen) -> Option<&Observation>,
    ) {
        let journal = self.lab.journal();
        let quiet = Duration::from_secs(args.quiet_time);
        let deadline = Instant::now() + Duration::from_secs(args.wait);
        let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
        while Instant::now() < deadline {
            let now = journal.now();
            let seen = self.seen();
            let mut awaited = seen.iter().filter(|seen| names.contains(seen.case.name));
            if awaited.all(|seen| counts(seen).is_some_and(|seen| seen.settled(now, quiet))) {
                return;
            }
            sleep_until(deadline.min(Instant::now() + GLANCE)).await;
        }
    }

    /// Changes the domains that are to change; those whose first mail was delivered.
    fn change(&self) -> miette::Result<Vec<&'static Case>> {
        let seen = self.seen();
        let delivered = seen.iter().filter(|seen| seen.case.changes() && seen.first.delivered.is_some());
        let second: Vec<&'static Case> = delivered.map(|seen| seen.case).collect();
        self.lab.replace(second.iter().filter_map(|case| case.changed(&self.under)).collect())?;
        let at = self.lab.journal().now();
        let mut changed = self.changed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        changed.extend(second.iter().map(|case| (case.name, at)));
        Ok(second)
    }

    /// What was seen so far.
    fn seen(&self) -> Vec<Seen> {
        let events = self.lab.journal().events();
        let changed = self.changed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.cases.iter().map(|case| self.seen_of(case, &events, changed.get(case.name).copied())).collect()
    }

    fn seen_of(&self, case: &'static Case, events: &[Event], changed: Option<Duration>) -> Seen {
        let domain = case.domain(&self.under);
        let until = changed.map_or(events.len(), |at| events.partition_point(|event| event.at < at));
        let (before, after) = events.split_at_checked(until).unwrap_or((events, &[]));
        let second = changed.map(|_| Observation::of(&domain, after));
        Seen { case, first: Observation::of(&domain, before), second }
    }
}

/// The known sender of this name.
fn known_sender(name: &str) -> Result<&'static Profile, UsageError> {
    let Some(found) = senders::find(senders::built_in(), name) else {
        let help = "`stslint senders list` names all of them.";
        return Err(UsageError::new(format!("no sender {name} is known"), help));
    };
    Ok(found)
}

fn show(seen: &[Seen], target: &Target, known: Option<&Profile>, args: &AuditSenderArgs, output: &OutputArgs) -> Ended {
    let verdicts = Verdicts::of(seen);
    let agreeing = agreement::agreeing(&verdicts);
    let asked = known.map(|known| agreement::compare(known, &verdicts));
    match args.format {
        Format::Human => {
            let style = terminal::style(output);
            let compared = table::comparison(&agreeing, asked.as_ref());
            terminal::print_words(&format!("{}{compared}", table::table(seen, &verdicts, &style)), &style);
        }
        Format::Json => {
            let document = table::Document::of(&target.under, seen, &verdicts, &agreeing, asked.as_ref());
            terminal::print_json(&document)?;
        }
    }
    if let Some(path) = &args.profile {
        let day = Timestamp::now().strftime("%Y-%m-%d").to_string();
        let about = About { name: &args.name, version: args.sender_version.as_deref(), day: &day };
        files::write_whole(path, profile(&about, &verdicts, &agreeing)?.as_bytes())?;
    }
    if verdicts.domains.iter().any(|verdict| verdict.conforms() == Some(false)) {
        return Ok(1);
    }
    let unknown = verdicts.domains.iter().any(|verdict| verdict.because.is_some());
    Ok(if unknown && args.require_complete { 3 } else { 0 })
}
