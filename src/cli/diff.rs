//! `stslint diff`: what changed between two snapshots, fact by fact.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use miette::Report as Error;
use serde_json::Value;

use super::{Ended, UsageError, terminal};
use crate::diff::{Difference, State, differences};
use crate::facts::Facts;
use crate::snapshot::{self, Snapshot};
use crate::source_text::escape;

/// Options of `diff`.
#[derive(Args, Debug)]
pub struct DiffArgs {
    /// The older snapshot.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The newer snapshot.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Also show what differs each time (times, TTLs, days left) and what only repeats another fact.
    #[arg(long)]
    all: bool,
    /// The format.
    #[arg(long, value_enum, default_value_t = DiffFormat::Human)]
    format: DiffFormat,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum DiffFormat {
    /// One line per fact.
    Human,
    /// A JSON list of path, old and new.
    Json,
}

/// Runs the command: exit code 1 where facts differ, as `diff` does.
pub fn run(args: &DiffArgs) -> Ended {
    let (old, new) = (read(&args.old)?, read(&args.new)?);
    if old.domain != new.domain {
        let name = |snapshot: &Snapshot| escape(snapshot.domain.as_deref().unwrap_or("none"));
        let message = format!("the snapshots are of different domains: {} and {}", name(&old), name(&new));
        return Err(UsageError::new(message, "give two snapshots of one domain, the older first").into());
    }
    let found = differences(&tree(&old), &tree(&new), args.all);
    match args.format {
        DiffFormat::Human => terminal::print_text(&human(&found)),
        DiffFormat::Json => terminal::print_json(&found)?,
    }
    Ok(u8::from(!found.is_empty()))
}

fn tree(snapshot: &Snapshot) -> Value {
    Facts::of(snapshot, None).tree.to_json()
}

fn read(path: &Path) -> Result<Snapshot, Error> {
    let empty = || {
        UsageError::new(
            format!("{} holds no snapshot", escape(&path.display().to_string())),
            "give a file that `stslint collect` wrote",
        )
    };
    Ok(snapshot::read(path).next().ok_or_else(empty)??)
}

fn human(found: &[Difference]) -> String {
    let line = |difference: &Difference| {
        let (old, new) = (shown(&difference.old), shown(&difference.new));
        format!("{}\n  - {old}\n  + {new}\n", escape(&difference.path))
    };
    if found.is_empty() { "no fact differs\n".to_owned() } else { found.iter().map(line).collect() }
}

fn shown(state: &State) -> String {
    match state {
        State::Missing => "(not there)".to_owned(),
        State::NotObserved => "(not observed)".to_owned(),
        State::Value(value) => {
            let text = escape(&serde_json::to_string(value).unwrap_or_default());
            match text.char_indices().nth(300) {
                Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
                None => text,
            }
        }
    }
}
