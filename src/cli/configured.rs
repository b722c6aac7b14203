//! Which configuration is in force for a command, and its options as defaults of the command line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, FromArgMatches};
use miette::Report;

use super::check::CheckArgs;
use super::{Cli, Command, exit_codes, terminal};
use crate::collect::{is_helo, sound_roots};
use crate::config::{self, CommandOption, Configuration, OptionProblem};
use crate::source_text::{escape, nearest};

/// Which configuration.
#[derive(Args, Debug)]
pub struct ConfigArgs {
    /// Use this configuration instead of the nearest stslint.yaml in this folder or those above it.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Configuration")]
    pub config: Option<PathBuf>,
    /// Use no configuration.
    #[arg(long, global = true, conflicts_with = "config", help_heading = "Configuration")]
    pub no_config: bool,
}

/// The commands whose options a configuration can set.
const WITH_OPTIONS: [&str; 3] = ["check", "collect", "init"];

/// The configuration for a command, and the command line read again with the options that it sets, if it sets any.
pub fn configured(cli: &Cli, words: &[OsString]) -> Result<(Configuration, Option<Cli>), Report> {
    let Some(path) = path(cli) else {
        return Ok((Configuration::default(), None));
    };
    name_if_above(cli, &path);
    let configuration = Configuration::load(&path, &takes)?;
    tracing::debug!(path = %escape(&path.display().to_string()), "configuration");
    match cli.command {
        // Whoever looks at rules tells these mistakes together with those about rules.
        Command::Check(_) if configuration.sound().is_err() => return Ok((configuration, None)),
        Command::Check(_) => {}
        Command::Collect(_) | Command::Init(_) => configuration.sound()?,
        _ => return Ok((configuration, None)),
    }
    if configuration.options().is_empty() {
        return Ok((configuration, None));
    }
    let reread = with_defaults(&configuration, words).unwrap_or_else(|error| error.exit());
    Ok((configuration, Some(reread)))
}

fn path(cli: &Cli) -> Option<PathBuf> {
    let uses_one = match &cli.command {
        Command::Check(_)
        | Command::Collect(_)
        | Command::Diff(_)
        | Command::Explain { .. }
        | Command::Init(_)
        | Command::Reports(_) => true,
        Command::Config(args) => args.uses_configuration(),
        Command::Rules(args) => args.uses_configuration(),
        Command::Senders(_) => true,
        _ => false,
    };
    if !uses_one || cli.configuration.no_config {
        return None;
    }
    let nearest = || config::find(&std::env::current_dir().ok()?);
    cli.configuration.config.clone().or_else(nearest)
}

/// Names a configuration that nobody named and that is not in this folder: what it decides would surprise.
fn name_if_above(cli: &Cli, path: &Path) {
    let is_here = path.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder == Path::new("."));
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let here = std::env::current_dir().and_then(std::fs::canonicalize).ok();
    if cli.configuration.config.is_none() && !is_here && whole.parent() != here.as_deref() {
        let shown = escape(&whole.display().to_string());
        terminal::remark(&format!("note: using the configuration {shown}; --no-config uses none"), &cli.output);
    }
}

/// The command line read with the configuration's options instead of the defaults that are shipped.
fn with_defaults(configuration: &Configuration, words: &[OsString]) -> Result<Cli, clap::Error> {
    let mut command = exit_codes::command();
    for name in WITH_OPTIONS {
        command = command.mut_subcommand(name, |mut command| {
            for (key, set) in configuration.options() {
                if let Some(id) = CommandOption::of(key).and_then(|option| argument(&command, option)) {
                    command = command.mut_arg(id, |argument| argument.default_value(set.value));
                }
            }
            command
        });
    }
    Cli::from_arg_matches(&command.try_get_matches_from(words)?)
}

/// The id of the argument that an option sets.
fn argument(command: &clap::Command, option: &CommandOption) -> Option<String> {
    let argument = command.get_arguments().find(|argument| argument.get_long() == Some(option.flag))?;
    Some(argument.get_id().to_string())
}

/// Whether `check` takes a value for an option: asked of clap, so that there is one truth.
fn takes(option: &CommandOption, value: &str) -> Result<(), OptionProblem> {
    let command = CheckArgs::augment_args(clap::Command::new("check"));
    if argument(&command, option).is_none() {
        return Ok(());
    }
    let words = ["check".to_owned(), format!("--{}={value}", option.flag)];
    let Err(error) = command.try_get_matches_from(words) else {
        return usable(option, value);
    };
    let known = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(known)) if error.kind() == ErrorKind::InvalidValue => known.clone(),
        _ => Vec::new(),
    };
    let message = match std::error::Error::source(&error) {
        Some(source) => source.to_string(),
        None => format!("`{}` is not a value of `{}`", escape(value), option.key),
    };
    let near = nearest(value, known.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
    let help = near.unwrap_or_else(|| {
        if known.is_empty() { option.about.to_owned() } else { format!("known: {}", known.join(", ")) }
    });
    Err(OptionProblem { message, help: Some(help) })
}

/// Whether the collection could begin with a value: told at its place in the configuration, and not once it begins.
fn usable(option: &CommandOption, value: &str) -> Result<(), OptionProblem> {
    let problem = |message: String, help: &str| Err(OptionProblem { message, help: Some(help.to_owned()) });
    match option.key {
        "helo" if !is_helo(value) => problem(
            format!("`{}` is not a host name or an address literal", escape(value)),
            "write the name that this machine's address leads to, as `helo: probe.example.com`, or `helo: \"[192.0.2.1]\"`",
        ),
        "roots" if !["mozilla", "system"].contains(&value) => match sound_roots(std::path::Path::new(value)) {
            Ok(()) => Ok(()),
            Err(error) => problem(
                error.to_string(),
                "name a file of certificates in PEM, relative to this configuration, or write `mozilla` or `system`",
            ),
        },
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::OPTIONS;

    #[test]
    fn every_option_is_one_of_check() {
        let command = CheckArgs::augment_args(clap::Command::new("check"));
        let missing: Vec<&str> =
            OPTIONS.iter().filter(|option| argument(&command, option).is_none()).map(|option| option.key).collect();
        assert_eq!(missing, [] as [&str; 0]);
    }

    #[test]
    fn values_are_judged_as_on_the_command_line() {
        let of = |key: &str, value: &str| takes(CommandOption::of(key).unwrap(), value);
        assert_eq!(of("timeout", "5"), Ok(()));
        assert_eq!(of("smtp", "true"), Ok(()));
        assert!(of("timeout", "0").unwrap_err().message.contains("between 0.01 and 600"));
        assert!(of("format", "jsn").unwrap_err().help.unwrap().contains("did you mean `json"));
        assert!(of("resolver", "nobody").unwrap_err().message.contains("is not a resolver"));
    }
}
