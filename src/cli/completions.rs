//! `stslint completions`: the script that makes a shell complete stslint's commands, options and values: formats, rules,
//! groups, profiles, result types and files.

use std::io;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, Args, Command};
use clap_complete::Shell;

use super::{Ended, exit_codes, terminal};
use crate::config::PROFILES;
use crate::rules::RuleSet;
use crate::tls_reports::result_type::ResultType;

/// Options of `completions`.
#[derive(Args, Debug)]
#[command(after_long_help = super::examples::COMPLETIONS)]
pub struct CompletionsArgs {
    /// For which shell.
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Runs the command.
pub fn run(args: &CompletionsArgs) -> Ended {
    let values = Values::known()?;
    let mut command = values.below(exit_codes::command());
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "stslint", &mut script as &mut dyn io::Write);
    terminal::print(&String::from_utf8_lossy(&script));
    if args.shell == Shell::Fish {
        terminal::print(&words_of_fish(&command, &[]));
    }
    Ok(0)
}

/// What clap's script for fish leaves out: the values of words that are no options.
fn words_of_fish(command: &Command, path: &[&str]) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let mut script = String::new();
    for value in command.get_positionals().flat_map(|argument| argument.get_possible_values()) {
        if let Some((first, rest)) = path.split_first().filter(|_| !value.is_hide_set()) {
            let rest: String = rest.iter().map(|word| format!("; and __fish_seen_subcommand_from {word}")).collect();
            let about = value.get_help().map(|help| format!(" -d '{}'", quoted(&help.to_string()))).unwrap_or_default();
            let name = quoted(value.get_name());
            script.push_str(&format!(
                "complete -c stslint -n \"__fish_stslint_using_subcommand {first}{rest}\" -f -a '{name}'{about}\n"
            ));
        }
    }
    for below in command.get_subcommands() {
        script.push_str(&words_of_fish(below, &[path, &[below.get_name()]].concat()));
    }
    script
}

/// The values that a shell offers and the command line does not insist on, since users add their own.
struct Values {
    rules: Vec<PossibleValue>,
    groups: Vec<PossibleValue>,
    result_types: Vec<PossibleValue>,
    profiles: Vec<PossibleValue>,
}

impl Values {
    fn known() -> Result<Self, miette::Report> {
        let set = RuleSet::built_in()?;
        let about = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        let mut groups: Vec<&str> = Vec::new();
        for rule in &set.rules {
            if !groups.contains(&rule.group.as_str()) {
                groups.push(&rule.group);
            }
        }
        Ok(Values {
            rules: set.rules.iter().map(|rule| PossibleValue::new(rule.id.clone()).help(about(&rule.title))).collect(),
            groups: groups
                .iter()
                .map(|group| PossibleValue::new((*group).to_owned()).help("a group of rules"))
                .collect(),
            result_types: ResultType::WORDS
                .iter()
                .map(|word| PossibleValue::new(*word).help("a result type"))
                .collect(),
            profiles: PROFILES.iter().map(|(name, _)| PossibleValue::new(*name)).collect(),
        })
    }

    /// The command with the values of its arguments, and those of the commands below it.
    fn below(&self, command: Command) -> Command {
        let command = command.mut_args(|argument| self.of(argument));
        command.mut_subcommands(|command| self.below(command))
    }

    fn of(&self, argument: Arg) -> Arg {
        let name = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
        let values: Vec<&[PossibleValue]> = match name.as_deref() {
            Some("RULE") => vec![&self.rules],
            Some("RULE|GROUP") => vec![&self.rules, &self.groups],
            Some("RULE|GROUP|RESULT-TYPE|REPLY") => vec![&self.rules, &self.groups, &self.result_types],
            Some("PROFILE") => vec![&self.profiles],
            _ => return argument,
        };
        argument.value_parser(PossibleValuesParser::new(values.concat()))
    }
}
