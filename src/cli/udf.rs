//! `levada udf`: what authors of functions ask.

mod template;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::Failure;
use super::data_dir::parse_property;
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

        /// Property that functions are told, repeatable: ksql.functions.greet.word=Ahoy
        #[arg(long = "property", value_name = "KEY=VALUE", value_parser = parse_property)]
        properties: Vec<(String, String)>,
    },
    /// Write a crate with functions of one's own, ready to build
    New {
        /// Name of the crate, in lower case
        #[arg(value_name = "NAME", value_parser = template::parse_name)]
        name: String,

        /// Folder to make; default: NAME
        #[arg(long, value_name = "DIR")]
        path: Option<PathBuf>,

        /// Where `levada-udf` is: the folder udfs/api of Levada's source
        #[arg(long, value_name = "DIR")]
        api: Option<PathBuf>,
    },
}

impl UdfCommand {
    /// Runs the command; fails if the library is no plug-in, an example gives something else, or the crate cannot be written.
    pub fn run(&self) -> Result<(), Failure> {
        match &self.command {
            UdfSubcommand::Check { file, properties } => check(file, properties),
            UdfSubcommand::New { name, path, api } => {
                let folder = path.clone().unwrap_or_else(|| PathBuf::from(name));
                template::write(name, &folder, api.as_deref()).map_err(|error| failure(&error))?;
                writeln!(io::stdout().lock(), "{}", template::next_steps(name, &folder))?;
                Ok(())
            }
        }
    }
}

fn check(file: &Path, properties: &[(String, String)]) -> Result<(), Failure> {
    let properties: BTreeMap<String, String> = properties.iter().cloned().collect();
    let functions = plugins::load(file, &properties).map_err(|error| failure(&error))?;
    let mut registry = Registry::default();
    plugins::add(functions.clone(), file, &mut registry).map_err(|error| failure(&error))?;
    let runner = Examples::new(registry).map_err(|error| failure(&error))?;
    let mut out = io::stdout().lock();
    let (mut examples, mut wrong) = (0, 0);
    for function in &functions {
        describe(function, &mut out)?;
        for (call, result) in &function.examples {
            examples += 1;
            match runner.check(function.kind, call, result) {
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

fn failure(error: &impl ToString) -> Failure {
    Failure::new(error.to_string())
}

fn describe(function: &Function, out: &mut impl io::Write) -> io::Result<()> {
    for variation in &function.variations {
        writeln!(out, "{} -> {}", Function::call_text(&function.name(), variation), variation.returns.shown())?;
    }
    writeln!(out, "  {}", function.description)
}
