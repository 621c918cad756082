//! Entry point: parse the command line, run one command, turn its outcome into an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use levada::cli::{Cli, Command, start_logging};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_logging();
    let outcome = match cli.command {
        Command::Run(command) => command.run(),
        Command::Shell(command) => command.run(),
        Command::Topic(command) => command.run(),
        Command::Test(command) => command.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
