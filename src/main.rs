//! Entry point: parse the command line, run one command, turn its outcome into an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use levada::cli::{Cli, Command, start_logging};
use levada::types::STACK_BYTES;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The allocator's `mi_option_purge_delay`, which its bindings have no name for.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// How long memory is kept that is not used: batches come and go, and fresh pages cost more than they do.
const KEPT_MS: std::ffi::c_long = 10_000;

fn main() -> ExitCode {
    // SAFETY: the allocator takes this option at any time.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY, KEPT_MS) };
    let cli = Cli::parse();
    start_logging();
    let command = std::thread::Builder::new().name("command".to_owned()).stack_size(STACK_BYTES);
    let command = command.spawn(|| run(cli.command)).expect("the system can start a thread");
    match command.join() {
        Ok(code) => code,
        // The thread has said why.
        Err(_) => ExitCode::from(PANICKED),
    }
}

/// What a process ends with whose main thread has panicked.
const PANICKED: u8 = 101;

fn run(command: Command) -> ExitCode {
    let outcome = match command {
        Command::Run(command) => command.run(),
        Command::Server(command) => command.run(),
        Command::Dev(command) => command.run(),
        Command::Plan(command) => command.run(),
        Command::Shell(command) => command.run(),
        Command::Topic(command) => command.run(),
        Command::Datagen(command) => command.run(),
        Command::Registry(command) => command.run(),
        Command::Migrations(command) => command.run(),
        Command::Test(command) => command.run(),
        Command::Udf(command) => command.run(),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
