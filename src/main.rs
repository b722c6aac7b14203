//! The `stslint` command: run one command, exit code.

use std::process::ExitCode;

/// Reading rules makes many small allocations, which the C libraries' allocators, musl's above all, are slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    stslint::run(std::env::args_os())
}
