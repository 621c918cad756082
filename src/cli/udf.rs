//! `levada udf`: what authors of functions ask.

use std::io::{self, Write as _};
use std::path::PathBuf;

use super::Failure;
use crate::engine::EngineError;
use crate::functions::{Function, Registry, plugins};
use crate::testing::Examples;

/// Arguments of `levada udf`.
#[derive(Debug, clap::Args)]
pub struct UdfCommand {
    #[command(subcommand)]
    command: UdfSubcommand,
}

#[derive(Debug, clap::Subcommand)]
enum UdfSubcommand {
    /// List the functions in a library and run their examples
    Check {
        /// The library that `cargo build` has made
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

impl UdfCommand {
    /// Runs the command; fails if the library is no plug-in or an example gives something else.
    pub fn run(&self) -> Result<(), Failure> {
        let UdfSubcommand::Check { file } = &self.command;
        let functions = plugins::load(file).map_err(|error| failure(&error))?;
        let mut registry = Registry::default();
        plugins::add(functions.clone(), file, &mut registry).map_err(|error| failure(&error))?;
        let runner = Examples::new(registry).map_err(|error| failure(&error))?;
        let mut out = io::stdout().lock();
        let (mut examples, mut wrong) = (0, 0);
        for function in &functions {
            describe(function, &mut out)?;
            for (call, result) in &function.examples {
                examples += 1;
                match runner.check(call, result) {
                    Ok(()) => writeln!(out, "  ok: {call} = {result}")?,
                    Err(reason) => {
                        wrong += 1;
                        writeln!(out, "  WRONG: {call} = {result}: {reason}")?;
                    }
                }
            }
        }
        writeln!(out, "functions: {}, examples: {examples}, wrong: {wrong}", functions.len())?;
        if wrong > 0 { Err(failure(&format!("{wrong} of {examples} examples are wrong"))) } else { Ok(()) }
    }
}

fn failure(error: &impl ToString) -> Failure {
    Failure::from(EngineError::new(error.to_string()))
}

fn describe(function: &Function, out: &mut impl io::Write) -> io::Result<()> {
    for variation in &function.variations {
        writeln!(out, "{} -> {}", Function::call_text(&function.name(), variation), variation.returns.shown())?;
    }
    writeln!(out, "  {}", function.description)
}
