//! Which rules a command uses: the built-in ones, an organisation's own, and what is left out of them.

use std::path::PathBuf;

use clap::Args;
use miette::Report as Error;

use super::UsageError;
use crate::files;
use crate::rules::{Rule, RuleSet, Source};
use crate::source_text::{escape, nearest};

/// The most that one rule file may hold.
const MAX_RULE_FILE: u64 = 4 << 20;

/// Which rules.
#[derive(Args, Debug)]
pub struct RuleArgs {
    /// Add a file of your own rules; give it again for more.
    #[arg(long = "rules", value_name = "FILE", help_heading = "Rules")]
    pub rules: Vec<PathBuf>,
    /// Leave out a rule or a group of rules; give it again for more.
    #[arg(long, value_name = "RULE|GROUP", help_heading = "Rules")]
    pub ignore: Vec<String>,
    /// Report only these rules or groups of rules.
    #[arg(long, value_name = "RULE|GROUP", help_heading = "Rules")]
    pub select: Vec<String>,
}

impl RuleArgs {
    /// The built-in rules and those of the files, filtered.
    pub fn load(&self) -> Result<RuleSet, Error> {
        let own = sources(&self.rules)?;
        let mut rules = if own.is_empty() { RuleSet::built_in()? } else { RuleSet::with_own(&own)? };
        for name in self.ignore.iter().chain(&self.select) {
            known(&rules, name)?;
        }
        let named = |names: &[String], rule: &Rule| names.iter().any(|name| *name == rule.id || *name == rule.group);
        for rule in &mut rules.rules {
            rule.off = named(&self.ignore, rule) || (!self.select.is_empty() && !named(&self.select, rule));
        }
        Ok(rules)
    }
}

/// Reads rule files.
pub fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Error> {
    let read = |path: &PathBuf| {
        Ok::<_, Error>(Source { name: path.display().to_string(), text: files::read_text(path, MAX_RULE_FILE)? })
    };
    paths.iter().map(read).collect()
}

/// A usage error where the name is neither that of a rule nor that of a group.
fn known(rules: &RuleSet, name: &str) -> Result<(), UsageError> {
    if rules.rules.iter().any(|rule| rule.id == name || rule.group == name) {
        return Ok(());
    }
    let candidates = rules.rules.iter().flat_map(|rule| [rule.id.as_str(), rule.group.as_str()]);
    let help = nearest(name, candidates)
        .map_or("`stslint rules list` names them all".to_owned(), |near| format!("did you mean `{near}`?"));
    Err(UsageError::new(format!("there is no rule and no group `{}`", escape(name)), help))
}
