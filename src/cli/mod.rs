//! The commands of the binary: one module each, which reads its arguments, calls one layer and shows the outcome.
//!
//! ```text
//! levada run     a file of statements, headless        ─▶ engine
//! levada server  ksqlDB's HTTP API                      ─▶ server ─▶ engine
//! levada dev     a file that is being written, with its tests ─▶ engine, server, testing
//! levada plan    what such a file would change          ─▶ engine
//! levada shell   statements from a person or a script  ─▶ shell ─▶ engine, or a server over HTTP
//! levada topic   records in, records out                ─▶ topics
//! levada datagen made-up records                        ─▶ datagen, topics
//! levada registry a schema registry over HTTP           ─▶ registry
//! levada migrations versions of what a server has       ─▶ shell (a server over HTTP)
//! levada test    tests in SQL, specs, ksqlDB's cases    ─▶ testing ─▶ engine
//! levada udf     a library of functions                 ─▶ functions, engine
//! levada completions, levada man: this command line, for shells and for `man`
//! ```
//!
//! Results go to standard output, everything about the work (progress, errors, log) to standard error. A reader that
//! closes our standard output early ends the command quietly, see [`Failure::ClosedPipe`].

mod completions;
mod counted;
mod counter;
mod data_dir;
mod datagen;
mod dev;
mod failure;
mod log_lines;
mod logging;
mod man;
mod migrations;
mod plan;
mod progress;
mod registry;
mod run;
mod server;
mod service_manager;
mod shell;
mod shell_server;
mod summary;
mod test;
pub mod topic;
mod udf;

pub use completions::CompletionsCommand;
pub use data_dir::DataDir;
pub use datagen::DatagenCommand;
pub use dev::DevCommand;
pub use failure::Failure;
pub use logging::start as start_logging;
pub use man::ManCommand;
pub use migrations::MigrationsCommand;
pub use plan::PlanCommand;
pub use registry::RegistryCommand;
pub use run::RunCommand;
pub use server::ServerCommand;
pub use shell::ShellCommand;
pub use test::TestCommand;
pub use udf::UdfCommand;

/// Streaming SQL for Kafka in one binary.
#[derive(Debug, clap::Parser)]
#[command(name = "levada", version, long_about = ABOUT, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Run the statements of a file and keep their queries running
    Run(RunCommand),
    /// Answer programs over HTTP, as a ksqlDB server does
    Server(ServerCommand),
    /// Work on a file of statements: apply it and run its tests whenever it is saved
    Dev(DevCommand),
    /// Show what a file would change, and change nothing
    Plan(PlanCommand),
    /// Type statements and see their results; or run some and exit
    Shell(ShellCommand),
    /// Look at topics, put records in, get records out
    Topic(topic::TopicCommand),
    /// Fill a topic with made-up records
    Datagen(DatagenCommand),
    /// Serve a schema registry over HTTP
    Registry(RegistryCommand),
    /// Apply versions of what a server has, each a file of statements, as ksql-migrations does
    Migrations(MigrationsCommand),
    /// Run tests in SQL, specs and conformance cases
    Test(TestCommand),
    /// Check functions of your own
    Udf(UdfCommand),
    /// Write what a shell needs to complete this command line
    Completions(CompletionsCommand),
    /// Write the manual pages
    Man(ManCommand),
}

const ABOUT: &str = "\
Streaming SQL for Kafka in one binary.

Levada keeps topics, state and offsets in one data directory (./levada-data unless --data-dir says otherwise). \
No Kafka and no configuration are needed to begin.";

const EXAMPLES: &str = "\
Examples:
  levada run pipeline.sql                        run a file of statements until Ctrl-C
  levada run pipeline.sql --until-idle           process what there is, then exit
  levada shell                                   look around and ask questions
  levada shell -e 'SHOW STREAMS;' --output json  one answer, for scripts

LEVADA_LOG=info (debug, trace, levada::engine=debug) logs what happens inside; LEVADA_LOG_FORMAT=json as JSON, a line per event.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
