//! `stslint completions`: the script that makes a shell complete stslint's commands and options.

use std::io;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Ended, terminal};

/// Options of `completions`.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Where the script goes, for one user:
  bash        stslint completions bash > ~/.local/share/bash-completion/completions/stslint
  zsh         stslint completions zsh > ~/.zfunc/_stslint
              with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
  fish        stslint completions fish > ~/.config/fish/completions/stslint.fish
  powershell  stslint completions powershell >> $PROFILE
  elvish      stslint completions elvish > ~/.config/elvish/lib/stslint.elv
              with `use stslint` in ~/.config/elvish/rc.elv

Packages put them into /usr/share/bash-completion/completions/stslint,
/usr/share/zsh/site-functions/_stslint and /usr/share/fish/vendor_completions.d/stslint.fish.")]
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
