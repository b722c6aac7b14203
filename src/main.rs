//! The `stslint` command: run one command, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    stslint::cli::run(std::env::args_os())
}
