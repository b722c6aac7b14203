//! `stslint profiles`: the configurations that are shipped, to be named under `extends`.

use clap::{Args, Subcommand};

use super::{Ended, UsageError, examples, terminal};
use crate::config::{PROFILES, about_profile, why_no_profile};
use crate::source_text::{escape, nearest};

/// Options of `profiles`.
#[derive(Args, Debug)]
pub struct ProfilesArgs {
    #[command(subcommand)]
    command: ProfilesCommand,
}

#[derive(Debug, Subcommand)]
enum ProfilesCommand {
    /// Name every profile, and what it is for.
    #[command(after_long_help = examples::PROFILES_LIST)]
    List,
    /// Print what a profile sets, with the sentence behind each line.
    #[command(after_long_help = examples::PROFILES_SHOW)]
    Show {
        /// The profile.
        #[arg(value_name = "PROFILE")]
        name: String,
    },
}

/// Runs the command.
pub fn run(args: &ProfilesArgs) -> Ended {
    match &args.command {
        ProfilesCommand::List => {
            let rows = PROFILES.iter().map(|(name, text)| format!("{name:<12} {}\n", about_profile(text)));
            terminal::print(&rows.collect::<String>());
            Ok(0)
        }
        ProfilesCommand::Show { name } => match PROFILES.iter().find(|(profile, _)| profile == name) {
            Some((_, "")) => {
                terminal::print("# The profile `recommended`: the rules as they are shipped.\n");
                Ok(0)
            }
            Some((_, text)) => {
                terminal::print(text);
                Ok(0)
            }
            None => {
                let names = PROFILES.map(|(name, _)| name);
                let help = match nearest(name, names) {
                    _ if why_no_profile(name).is_some() => why_no_profile(name).unwrap_or_default().to_owned(),
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("available: {}", names.join(", ")),
                };
                Err(UsageError::new(format!("there is no profile `{}`", escape(name)), help).into())
            }
        },
    }
}
