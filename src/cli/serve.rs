//! `stslint serve`: the web validator.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use miette::{IntoDiagnostic, Report as Error};
use tokio::sync::watch;

use super::{Ended, OutputArgs, UsageError, network, signals, terminal};
use crate::collect::{ConnectTo, Options, Turns};
use crate::files;
#[cfg(feature = "lab")]
use crate::files::temporary;
use crate::grammar::names::DomainName;
use crate::rules::RuleSet;
use crate::serve::{Listen, Listener, Service, Settings};

/// A list of domains that opted out.
const MAX_LIST: u64 = 16 << 20;

/// Options of `serve`.
#[derive(Args, Debug)]
pub struct ServeArgs {
    /// Where to listen: 127.0.0.1:8080, [::1]:8080, or unix:/run/stslint.sock; give it again for more. A socket that systemd
    /// hands over comes first.
    #[arg(long, value_name = "ADDR", value_parser = listen)]
    listen: Vec<Listen>,
    /// Keep results in this file (SQLite); without it, they end with the process.
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Keep results for this many days.
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3650))]
    keep: u64,
    /// Check a domain at most once in this many minutes; until then, everybody gets the same result.
    #[arg(long, value_name = "MINUTES", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1440))]
    fresh: u64,
    /// Show the earlier results of a domain to everybody who asks for them.
    #[arg(long)]
    history: bool,
    /// The number of your own proxies in front: the client is the entry of X-Forwarded-For that the outermost one wrote.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    trusted_proxies: usize,
    /// New checks per minute for one client network.
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    per_client: u32,
    /// New checks per minute in all.
    #[arg(long, value_name = "COUNT", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    in_all: u32,
    /// Check this many domains at the same time.
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=1000))]
    at_once: u64,
    /// The address of this service as others see it, such as `https://check.example.org`: policy hosts are told of its page
    /// about who asks.
    #[arg(long, value_name = "URL", value_parser = https_url)]
    public_url: Option<String>,
    /// Keep at most this many results, and remove the oldest first.
    #[arg(long, value_name = "COUNT", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    most_kept: u64,
    /// Wait this many seconds between two conversations with an address of an MX host.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = pause)]
    pause: f64,
    /// The contact for the service: mailto:you@example.com, or an https: URL.
    #[arg(long, value_name = "URL", value_parser = contact)]
    contact: Option<String>,
    /// A file of domains that are not checked, with all below them, one per line.
    #[arg(long, value_name = "FILE")]
    opt_out: Option<PathBuf>,
    /// Receive TLS reports about this domain at /tlsrpt (RFC 8460 §5.4); give it again for more.
    #[arg(long, value_name = "DOMAIN")]
    reports_for: Vec<String>,
    /// Also connect to loopback addresses, on any port: for a lab on this machine. All others must be public.
    #[arg(long)]
    allow_loopback: bool,
    /// Serve the domains of an embedded loopback internet, without any other network.
    #[cfg(feature = "lab")]
    #[arg(long)]
    demo: bool,
    #[command(flatten)]
    network: network::NetworkArgs,
}

fn listen(text: &str) -> Result<Listen, String> {
    text.parse()
}

fn contact(text: &str) -> Result<String, String> {
    let known = text.starts_with("mailto:") || text.starts_with("https://");
    if known && text.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err("write mailto:you@example.com, or an https: URL".to_owned())
}

fn https_url(text: &str) -> Result<String, String> {
    let plain = text.bytes().all(|octet| octet.is_ascii_graphic());
    if plain && (text.starts_with("https://") || text.starts_with("http://")) {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    Err("write a URL, such as https://check.example.org".to_owned())
}

fn pause(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=20.0).contains(&seconds) => Ok(seconds),
        _ => Err("give seconds between 0 and 20".to_owned()),
    }
}

/// Runs the command, until it is told to end.
pub fn run(args: &ServeArgs, output: &OutputArgs) -> Ended {
    network::runtime()?.block_on(async {
        #[cfg(feature = "lab")]
        if args.demo {
            return demo(args, output).await;
        }
        serve(args, settings(args)?, output).await
    })
}

fn settings(args: &ServeArgs) -> Result<Settings, Error> {
    let opted_out = match &args.opt_out {
        Some(path) => domains(files::read_text(path, MAX_LIST)?.lines())?,
        None => Vec::new(),
    };
    let connect_to = if args.allow_loopback { ConnectTo::PublicOrLoopback } else { ConnectTo::Public };
    Ok(Settings {
        collect: Options {
            connect_to,
            turns: Some(Arc::new(Turns::new(Duration::from_secs_f64(args.pause)))),
            about_url: args.public_url.as_ref().map(|url| format!("{url}/about")),
            ..args.network.options()
        },
        most_kept: args.most_kept,
        store: args.store.clone(),
        keep: Duration::from_secs(args.keep.saturating_mul(86_400)),
        fresh: Duration::from_secs(args.fresh.saturating_mul(60)),
        history: args.history,
        trusted_proxies: args.trusted_proxies,
        per_client: args.per_client,
        in_all: args.in_all,
        at_once: usize::try_from(args.at_once).unwrap_or(8),
        contact: args.contact.clone(),
        opted_out,
        report_domains: domains(args.reports_for.iter().map(String::as_str))?,
        ..Settings::default()
    })
}

fn domains<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<String>, Error> {
    let words = words.map(|line| line.split('#').next().unwrap_or_default().trim()).filter(|line| !line.is_empty());
    let parse = |word: &str| match DomainName::parse(word) {
        Ok(name) => Ok(name.as_str().to_owned()),
        Err(error) => Err(UsageError { message: error.to_string(), help: None }.into()),
    };
    words.map(parse).collect()
}

/// Domains of the lab to try: one that is right, and faults that people really meet.
#[cfg(feature = "lab")]
const EXAMPLES: [&str; 6] = [
    "perfect.example",
    "mx-not-covered.example",
    "bad-id.example",
    "host-expired.example",
    "mx-no-starttls.example",
    "no-record.example",
];

/// Serves the domains of an embedded loopback internet.
#[cfg(feature = "lab")]
async fn demo(args: &ServeArgs, output: &OutputArgs) -> Ended {
    use crate::collect::{ResolverChoice, Roots};
    use crate::lab::{Lab, LabOptions};
    let lab = Lab::start(LabOptions::demo(std::time::SystemTime::now())).await?;
    let file_of = |text: &str, suffix: &str| -> Result<tempfile::NamedTempFile, Error> {
        let mut file =
            temporary::make(tempfile::Builder::new().prefix("stslint-lab-").suffix(suffix), None).into_diagnostic()?;
        file.write_all(text.as_bytes()).into_diagnostic()?;
        Ok(file)
    };
    let (roots, anchor) = (file_of(lab.roots_pem(), ".pem")?, file_of(lab.trust_anchor(), ".key")?);
    let settings = settings(args)?;
    let collect = Options {
        resolver: ResolverChoice::Address(lab.resolver()),
        trust_anchor: Some(anchor.path().to_owned()),
        roots: Roots::File(roots.path().to_owned()),
        https_port: lab.https_port(),
        smtp_port: lab.smtp_port(),
        timeout: Duration::from_secs(3),
        connect_to: ConnectTo::PublicOrLoopback,
        turns: settings.collect.turns.clone(),
        ..Options::default()
    };
    let examples = EXAMPLES.iter().map(|domain| (*domain).to_owned()).collect();
    let ended = serve(args, Settings { collect, examples, ..settings }, output).await;
    drop((lab, roots, anchor));
    ended
}

async fn serve(args: &ServeArgs, settings: Settings, output: &OutputArgs) -> Ended {
    let mut listeners = Listener::handed_over()?;
    let default = [Listen::Tcp(([127, 0, 0, 1], 8080).into())];
    let wanted = if args.listen.is_empty() && listeners.is_empty() { &default[..] } else { &args.listen };
    for listen in wanted {
        listeners.push(Listener::bind(listen).await?);
    }
    if settings.store.is_none() {
        terminal::remark(
            "note: results are kept in memory, and end with this process; --store FILE keeps them",
            output,
        );
    }
    let service = Service::new(settings, RuleSet::built_in()?)?;
    for listener in &listeners {
        terminal::print(&format!("{}\n", listener.shown()));
    }
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        signals::asked_to_end().await;
        stop.send_replace(true);
    });
    service.run(listeners, stopped).await;
    Ok(0)
}
