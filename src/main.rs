//! The `stslint` command: parse arguments, run one command, exit code.

use std::process::ExitCode;

use clap::Parser;
use stslint::cli::{Cli, run};

fn main() -> ExitCode {
    run(&Cli::parse())
}
