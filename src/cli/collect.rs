//! `stslint collect`: observe domains and write what was seen.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::network::{self, NetworkArgs};
use super::{Ended, OutputArgs, UsageError, terminal};
use crate::files::WholeFile;
use crate::grammar::names::DomainName;
use crate::snapshot::{self, Format};

/// Options of `collect`.
#[derive(Args, Debug)]
pub struct CollectArgs {
    /// The mail domains: A-labels or U-labels; `user@domain` is fine too; `-` reads them from standard input, where
    /// `#` begins a comment.
    #[arg(value_name = "DOMAIN", required = true)]
    pub domains: Vec<String>,
    /// Write to this file instead of standard output: .yaml or .json for one domain, .jsonl for any number.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How to collect.
    #[command(flatten)]
    pub network: NetworkArgs,
}

/// Runs the command.
pub fn run(args: &CollectArgs, output: &OutputArgs) -> Ended {
    let domains = network::domains(&args.domains)?;
    let path = args.output.as_deref().filter(|path| *path != Path::new("-"));
    match (domains.as_slice(), args.domains.as_slice()) {
        ([], _) => Err(UsageError::new("there is no domain on standard input", "write one per line").into()),
        // Where domains come from a list, the format does not depend on how long the list is.
        ([domain], [given]) if given != "-" => collect_one(domain, path, args, output),
        _ => collect_many(&domains, path, args, output),
    }
}

fn collect_one(domain: &DomainName, path: Option<&Path>, args: &CollectArgs, output: &OutputArgs) -> Ended {
    let snapshot = network::collect_one(domain, &args.network, output, Timestamp::now())?;
    match path {
        Some(path) => snapshot::write(&snapshot, path)?,
        None => terminal::print(&snapshot::to_text(&snapshot, Format::Yaml)?),
    }
    Ok(0)
}

/// Writes each snapshot as soon as it and those before it are there; the file takes its place when all are.
fn collect_many(domains: &[DomainName], path: Option<&Path>, args: &CollectArgs, output: &OutputArgs) -> Ended {
    if let Some(path) = path.filter(|path| !matches!(Format::of(path), Some(Format::JsonLines))) {
        let message = format!("{} cannot hold the snapshots of several domains", path.display());
        return Err(UsageError::new(message, "name a file that ends in .jsonl: it holds one snapshot per line").into());
    }
    let mut file = path.map(WholeFile::begin).transpose()?;
    network::collect_until_interrupted(domains, &args.network, output, Timestamp::now(), &mut |snapshot| {
        let line = snapshot::to_text(&snapshot, Format::JsonLines)?;
        match &mut file {
            Some(file) => file.write(line.as_bytes())?,
            None => terminal::print(&line),
        }
        Ok(())
    })?;
    file.map_or(Ok(()), WholeFile::finish)?;
    Ok(0)
}
