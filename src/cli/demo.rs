//! `stslint demo`: the whole of it, live, on an embedded loopback internet.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use miette::{IntoDiagnostic, Report as Error};

use super::{Ended, OutputArgs, UsageError, network, signals, terminal};
use crate::collect::{Collector, Options, ResolverChoice, Roots};
use crate::facts::Facts;
use crate::files::temporary;
use crate::lab::{Lab, LabDomain, LabOptions};
use crate::outcome::Summary;
use crate::report::{Style, counted, human};
use crate::rules::{RuleSet, evaluate};
use crate::source_text::nearest;

/// The domains that are shown when none is named: one that is right, and two faults that people really meet.
const SHOWN: [&str; 3] = ["perfect.example", "bad-id.example", "mx-not-covered.example"];

/// Options of `demo`.
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// The lab's domains to lint; see --list.
    #[arg(value_name = "DOMAIN")]
    domains: Vec<String>,
    /// Name the lab's domains and what is wrong with each.
    #[arg(long, conflicts_with_all = ["domains", "serve"])]
    list: bool,
    /// Keep the lab running and print the options that point `stslint check` at it.
    #[arg(long, conflicts_with = "domains")]
    serve: bool,
}

/// Runs the command.
pub fn run(args: &DemoArgs, output: &OutputArgs) -> Ended {
    if args.list {
        terminal::print(&list());
        return Ok(0);
    }
    let domains = chosen(&args.domains)?;
    network::runtime()?.block_on(async {
        let lab = Lab::start(LabOptions::demo(std::time::SystemTime::now())).await?;
        let roots = file_of(lab.roots_pem(), ".pem")?;
        let anchor = file_of(lab.trust_anchor(), ".key")?;
        if args.serve {
            serve(&lab, roots.path(), anchor.path()).await
        } else {
            show(&lab, roots.path(), anchor.path(), &domains, output).await
        }
    })
}

fn list() -> String {
    let widest = Lab::domains().iter().map(|domain| domain.name.len()).max().unwrap_or_default();
    Lab::domains().iter().map(|domain| format!("{:<widest$}  {}\n", domain.name, domain.about)).collect()
}

fn chosen(names: &[String]) -> Result<Vec<&'static LabDomain>, UsageError> {
    let wanted: Vec<&str> = if names.is_empty() { SHOWN.to_vec() } else { names.iter().map(String::as_str).collect() };
    let find = |name: &str| {
        Lab::domains()
            .iter()
            .find(|domain| domain.name == name || domain.name.strip_suffix(".example") == Some(name))
            .ok_or_else(|| {
                let near = nearest(name, Lab::domains().iter().map(|domain| domain.name));
                let help = near
                    .map_or("`stslint demo --list` names them".to_owned(), |near| format!("did you mean `{near}`?"));
                UsageError::new(format!("the lab has no domain `{}`", crate::source_text::escape(name)), help)
            })
    };
    wanted.into_iter().map(find).collect()
}

/// A temporary file that holds what the collector needs to read from one.
fn file_of(text: &str, suffix: &str) -> Result<tempfile::NamedTempFile, Error> {
    let mut file =
        temporary::make(tempfile::Builder::new().prefix("stslint-lab-").suffix(suffix), None).into_diagnostic()?;
    file.write_all(text.as_bytes()).into_diagnostic()?;
    Ok(file)
}

async fn serve(lab: &Lab, roots: &Path, anchor: &Path) -> Ended {
    terminal::print(&format!(
        "The lab is running; Ctrl-C ends it. Its domains:\n\n{}\nPoint stslint at it with these options:\n\n  stslint check perfect.example --resolver {} --https-port {} --smtp-port {} --roots {} --trust-anchor {}\n\n",
        list(),
        lab.resolver(),
        lab.https_port(),
        lab.smtp_port(),
        roots.display(),
        anchor.display()
    ));
    signals::asked_to_end().await;
    Ok(0)
}

async fn show(lab: &Lab, roots: &Path, anchor: &Path, domains: &[&LabDomain], output: &OutputArgs) -> Ended {
    let collector = Collector::new(Options {
        resolver: ResolverChoice::Address(lab.resolver()),
        trust_anchor: Some(anchor.to_owned()),
        roots: Roots::File(roots.to_owned()),
        https_port: lab.https_port(),
        smtp_port: lab.smtp_port(),
        timeout: Duration::from_secs(3),
        ..Options::default()
    })?;
    let rules = RuleSet::built_in()?;
    let style = terminal::style(output);
    terminal::print(&format!(
        "A small internet runs inside this process: DNS on {}, HTTPS on port {}, SMTP on port {}.\nEach domain below is looked up, fetched and spoken to over these sockets.\n",
        lab.resolver(),
        lab.https_port(),
        lab.smtp_port()
    ));
    let mut total = Summary::default();
    for domain in domains {
        let summary = show_one(&collector, &rules, domain, &style).await;
        total.add(summary);
    }
    terminal::print(&format!(
        "{} linted live: {}, {}, {}.\n`stslint demo --list` names the other domains, `stslint check DOMAIN` lints yours.\n",
        counted(domains.len(), "domain"),
        counted(total.errors, "error"),
        counted(total.warnings, "warning"),
        counted(total.notes, "note"),
    ));
    Ok(0)
}

async fn show_one(collector: &Collector, rules: &RuleSet, domain: &LabDomain, style: &Style) -> Summary {
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
    let snapshot = collector.collect(domain.name, now).await;
    let facts = Facts::of(&snapshot, None);
    let report = evaluate(rules, &facts).report;
    let line = "─".repeat(style.width.min(72));
    let line = if style.unicode { line } else { "-".repeat(72) };
    let text = format!("\n{line}\n{}: {}\n\n{}", domain.name, domain.about, human(&report, facts.of_domain(), style));
    terminal::print_words(&text, style);
    report.summary
}
