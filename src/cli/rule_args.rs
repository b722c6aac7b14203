//! Which rules a command uses: the built-in ones, an organisation's own, and what is left out of them.

use std::path::PathBuf;

use clap::Args;
use miette::{Diagnostic, Report as Error};

use super::UsageError;
use crate::config::{Command, Configuration, InForce, Level, RuleFilesError, rule_files, same_file};
use crate::rules::{RuleErrors, RuleSet, Source};
use crate::source_text::{SourceError, escape, nearest};

/// Rules of the user's own.
#[derive(Args, Debug)]
pub struct OwnRules {
    /// Add a file of your own rules, or a folder of them; give it again for more.
    #[arg(long = "rules", value_name = "FILE|FOLDER", help_heading = "Rules")]
    pub rules: Vec<PathBuf>,
}

/// Which rules.
#[derive(Args, Debug)]
pub struct RuleArgs {
    /// Rules of the user's own.
    #[command(flatten)]
    pub own: OwnRules,
    /// Leave out a rule or a group of rules; give it again for more.
    #[arg(long, value_name = "RULE|GROUP", help_heading = "Rules")]
    pub ignore: Vec<String>,
    /// Report only these rules or groups of rules.
    #[arg(long, value_name = "RULE|GROUP", help_heading = "Rules")]
    pub select: Vec<String>,
    /// Set the severity of a rule or a group, in every case: error, warning, note, remark or off; give it again for more.
    #[arg(long, value_name = "RULE|GROUP=SEVERITY", value_parser = severity, help_heading = "Rules")]
    pub severity: Vec<(String, Level)>,
}

/// Reads `RULE=SEVERITY`.
fn severity(text: &str) -> Result<(String, Level), String> {
    let (name, level) = text.split_once('=').ok_or_else(|| match text {
        "error" | "warning" | "note" => format!("`--min-severity {text}` reports only what is as bad as that, `--fail-on {text}` decides the exit code; --severity takes RULE=SEVERITY"),
        _ => "write RULE=SEVERITY, for example policy-mode=warning".to_owned(),
    })?;
    let words = [
        ("error", Level::Error),
        ("warning", Level::Warning),
        ("note", Level::Note),
        ("remark", Level::Remark),
        ("off", Level::Off),
    ];
    match words.iter().find(|(word, _)| *word == level) {
        Some((_, level)) => Ok((name.to_owned(), *level)),
        None => {
            let near = nearest(level, words.iter().map(|(word, _)| *word));
            let help = near.map_or("available: error, warning, note, remark, off".to_owned(), |near| {
                format!("did you mean `{near}`?")
            });
            Err(format!("`{}` is not a severity; {help}", escape(level)))
        }
    }
}

impl OwnRules {
    /// The built-in rules, those of the configuration and those of the files, set as the configuration says.
    pub fn load(&self, configuration: &Configuration) -> Result<InForce, Error> {
        configuration.rules(&sources(&self.rules)?)
    }
}

impl RuleArgs {
    /// The rules, filtered.
    pub fn load(&self, configuration: &Configuration) -> Result<InForce, Error> {
        let mut in_force = self.own.load(configuration)?;
        let mut warnings = Vec::new();
        let mut named = |names: &[String]| -> Result<Vec<String>, UsageError> {
            names.iter().map(|name| known(&in_force.rules, name, &mut warnings)).collect()
        };
        let (ignore, select) = (named(&self.ignore)?, named(&self.select)?);
        let severity = self
            .severity
            .iter()
            .map(|(name, level)| -> Result<_, UsageError> { Ok((named(std::slice::from_ref(name))?, *level)) });
        let severity: Vec<(Vec<String>, Level)> = severity.collect::<Result<_, UsageError>>()?;
        in_force.rules.warnings.append(&mut warnings);
        for (names, level) in severity {
            in_force.command(Command::Set(names, level));
        }
        // Whoever selects a rule by its id needs to see it, whatever the configuration says.
        in_force.command(Command::On(select.clone()));
        in_force.command(Command::Set(ignore, Level::Off));
        // A rule that is gone selects nothing, and not everything.
        if !self.select.is_empty() {
            in_force.command(Command::Only(select));
        }
        Ok(in_force)
    }
}

/// Reads rule files, and folders of them.
pub fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Error> {
    let mut sources: Vec<Source> = Vec::new();
    let mut unreadable: Vec<RuleFilesError> = Vec::new();
    for path in paths {
        match rule_files(path) {
            Ok(found) => {
                for source in found {
                    if !sources.iter().any(|other| same_file(other, &source)) {
                        sources.push(source);
                    }
                }
            }
            Err(error) => unreadable.push(error),
        }
    }
    match unreadable.len() {
        0 => Ok(sources),
        _ => Err(every_mistake(unreadable, &sources)),
    }
}

/// What cannot be read, with the mistakes in what can.
fn every_mistake(unreadable: Vec<RuleFilesError>, sources: &[Source]) -> Error {
    let others = if sources.is_empty() {
        Vec::new()
    } else {
        RuleSet::with_own(sources).err().map_or_else(Vec::new, |errors| errors.0)
    };
    if let ([_], []) = (unreadable.as_slice(), others.as_slice()) {
        return unreadable.into_iter().next().map_or_else(|| RuleErrors(Vec::new()).into(), Error::from);
    }
    let told = |error: &RuleFilesError| {
        let help = Diagnostic::help(error).map(|help| help.to_string());
        SourceError::new("", "", None, error.to_string()).with_help(help)
    };
    RuleErrors(unreadable.iter().map(told).chain(others).collect()).into()
}

/// The name by which a rule or a group is known now, with a warning where that is another one; a usage error where it is
/// neither.
fn known(rules: &RuleSet, name: &str, warnings: &mut Vec<SourceError>) -> Result<String, UsageError> {
    if rules.rules.iter().any(|rule| rule.id == name || rule.group == name) {
        return Ok(name.to_owned());
    }
    if let Some(former) = rules.former(name) {
        warnings.push(SourceError::new("", "", None, former.message(name)).with_help(Some(former.help())));
        return Ok(rules.current(name).to_owned());
    }
    let candidates = rules.rules.iter().flat_map(|rule| [rule.id.as_str(), rule.group.as_str()]);
    let help = nearest(name, candidates)
        .map_or("`stslint rules list` names them all".to_owned(), |near| format!("did you mean `{near}`?"));
    Err(UsageError::new(format!("there is no rule and no group `{}`", escape(name)), help))
}
