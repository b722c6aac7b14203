//! `stslint init`: a policy and records for a domain to begin with.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use miette::Report as Error;

use super::network::{NetworkArgs, collect_one};
use super::{Ended, OutputArgs, UsageError, terminal};
use crate::facts::Facts;
use crate::files;
use crate::grammar::names::DomainName;
use crate::proposal::{Proposal, propose};
use crate::rules::{RuleSet, evaluate};
use crate::snapshot::{self, Snapshot};

/// Options of `init`.
#[derive(Args, Debug)]
pub struct InitArgs {
    /// The mail domain.
    #[arg(value_name = "DOMAIN", required_unless_present = "snapshot")]
    domain: Option<String>,
    /// Use a recorded snapshot instead of the network.
    #[arg(long, value_name = "PATH", conflicts_with = "domain")]
    snapshot: Option<PathBuf>,
    /// The destination for reports: mailto: or https:; give it again for more. [default: a mailbox of the domain]
    #[arg(long, value_name = "URI")]
    rua: Vec<String>,
    /// Write the policy to this file too, with CRLF line endings; an existing file is kept.
    #[arg(long, value_name = "FILE")]
    policy_file: Option<PathBuf>,
    /// How to collect.
    #[command(flatten)]
    network: NetworkArgs,
}

/// Runs the command.
pub fn run(args: &InitArgs, output: &OutputArgs) -> Ended {
    let snapshot = observed(args, output)?;
    let facts = Facts::of(&snapshot, None);
    let report = evaluate(&RuleSet::built_in()?, &facts).report;
    for uri in &args.rua {
        check_rua(uri)?;
    }
    let proposal = propose(&facts, &report, &args.rua)
        .map_err(|error| UsageError::new(error.to_string(), "`stslint check` says more about the domain"))?;
    if let Some(path) = &args.policy_file {
        write_new(path, &proposal.policy)?;
        terminal::remark(&format!("wrote {}", path.display()), output);
    }
    terminal::print_text(&shown(&proposal));
    Ok(0)
}

fn observed(args: &InitArgs, output: &OutputArgs) -> Result<Snapshot, Error> {
    if let Some(path) = &args.snapshot {
        let empty = || UsageError::new("the file holds no snapshot", "give a file that `stslint collect` wrote");
        let snapshot = snapshot::read(path).next().ok_or_else(empty)??;
        // What is proposed is to be published under it.
        parsed(snapshot.domain.as_deref())?;
        return Ok(snapshot);
    }
    let domain = parsed(args.domain.as_deref())?;
    collect_one(&domain, &args.network, output, Timestamp::now())
}

fn parsed(domain: Option<&str>) -> Result<DomainName, UsageError> {
    DomainName::parse(domain.unwrap_or_default())
        .map_err(|error| UsageError::new(error.to_string(), "give a mail domain such as example.com"))
}

/// A destination that would make the proposed record invalid is refused.
fn check_rua(uri: &str) -> Result<(), UsageError> {
    let record = format!("v=TLSRPTv1; rua={uri}");
    let lint = Snapshot {
        tlsrpt: Some(snapshot::Lookup::answer(None, vec![snapshot::TxtRecord::of(&record)])),
        ..Snapshot::of(None)
    };
    let tlsrpt = Facts::of(&lint, None).of_domain().tlsrpt.known().cloned().unwrap_or_default();
    match tlsrpt.usable.known() {
        Some(true) => Ok(()),
        _ => Err(UsageError::new(
            format!("`{}` is not a valid destination for reports (RFC 8460 §3)", crate::source_text::escape(uri)),
            "write mailto:tlsrpt@example.com or https://tlsrpt.example.com/v1",
        )),
    }
}

fn write_new(path: &Path, policy: &str) -> Result<(), Error> {
    if path.exists() {
        let text = format!("{} exists already", path.display());
        return Err(UsageError::new(text, "remove it first, or name another file").into());
    }
    Ok(files::write_whole(path, policy.as_bytes())?)
}

fn shown(proposal: &Proposal) -> String {
    let domain = &proposal.domain;
    let policy = proposal.policy.replace('\r', "");
    let [record, tlsrpt] = &proposal.records;
    let remarks: String =
        proposal.remarks.iter().map(|remark| format!("; - {}\n", crate::source_text::escape(remark))).collect();
    let remarks = if remarks.is_empty() { String::new() } else { format!("; To know before:\n{remarks};\n") };
    format!(
        "; MTA-STS and TLSRPT for {domain}, to begin with. Read it before you publish it.\n;\n{remarks}\
         ; 1. Serve this at https://mta-sts.{domain}/.well-known/mta-sts.txt, as text/plain:\n;\n{}\
         ;\n; 2. Then publish these two records:\n\n{record}\n{tlsrpt}\n\n\
         ; 3. Read the reports. After a week or two without failures, change the mode to enforce,\n\
         ;    raise max_age, and publish a new id. Until then senders report and deliver all the same.\n",
        policy.lines().map(|line| format!(";    {line}\n")).collect::<String>(),
    )
}
