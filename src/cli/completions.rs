//! `stslint completions`: the script that makes a shell complete stslint's commands and options.

use std::io;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Ended, terminal};

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
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "stslint", &mut script as &mut dyn io::Write);
    terminal::print(&String::from_utf8_lossy(&script));
    Ok(0)
}
