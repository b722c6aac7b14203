//! `stslint rules new`: a rule file to begin with.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Ended, OutputArgs, UsageError, terminal};
use crate::files;
use crate::rules::RuleSet;
use crate::source_text::escape;

/// The rule file, with `{id}` and `{group}` to be put in. It is right as it is: its cases hold.
const SKELETON: &str = include_str!("rule_new.yaml");
/// The same for a rule over many domains.
const OVER_DOMAINS: &str = include_str!("rule_new_domains.yaml");

/// Options of `rules new`.
#[derive(Args, Debug)]
pub struct NewArgs {
    /// The id in kebab-case, for example acme-max-age; what is before its first dash becomes the group.
    #[arg(value_name = "ID")]
    id: String,
    /// The group that the rule belongs to in reports.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// What the rule covers: each domain on its own, or all domains of a run together.
    #[arg(long, value_enum, value_name = "SCOPE", default_value_t = NewOver::Domain)]
    over: NewOver,
    /// Write to this file instead of standard output; an existing file is kept.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What a new rule can be over.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum NewOver {
    /// Each domain on its own.
    Domain,
    /// All domains of a run together.
    Domains,
}

/// Runs the command.
pub fn run(args: &NewArgs, output: &OutputArgs) -> Ended {
    if !is_kebab_case(&args.id) {
        let text = format!("`{}` is not a valid id", escape(&args.id));
        return Err(UsageError::new(text, "write it in kebab-case: acme-max-age").into());
    }
    if RuleSet::built_in()?.get(&args.id).is_some() {
        let text = format!("`{}` is a built-in rule", args.id);
        return Err(UsageError::new(text, "choose another id, such as one that begins with your own name").into());
    }
    let group = args.group.as_deref().or_else(|| args.id.split('-').next()).unwrap_or("own");
    if !is_kebab_case(group) {
        let text = format!("`{}` is not a valid name for a group", escape(group));
        return Err(UsageError::new(text, "write it in kebab-case: acme").into());
    }
    let skeleton = match args.over {
        NewOver::Domain => SKELETON,
        NewOver::Domains => OVER_DOMAINS,
    };
    let text = skeleton.replace("{id}", &args.id).replace("{group}", group);
    let Some(path) = &args.output else {
        terminal::print(&text);
        return Ok(0);
    };
    if path.exists() {
        let text = format!("{} exists already", escape(&path.display().to_string()));
        return Err(UsageError::new(text, "name another file, or add the rule by hand").into());
    }
    files::write_whole(path, text.as_bytes())?;
    let name = escape(&path.display().to_string());
    terminal::remark(&format!("wrote {name}; `stslint rules test {name}` runs its cases"), output);
    Ok(0)
}

fn is_kebab_case(text: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('-').all(word)
}
