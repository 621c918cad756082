//! `levada udf`: what authors of functions ask.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow::util::display::array_value_to_string;

use super::Failure;
use crate::engine::{Engine, EngineError, EngineOptions, PushEvent, Response, Session};
use crate::functions::{Function, Registry, plugins};
use crate::topics::MemoryTopics;

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
        let engine = engine_with_a_record(registry).map_err(|error| failure(&error))?;
        let mut out = io::stdout().lock();
        let (mut examples, mut wrong) = (0, 0);
        for function in &functions {
            describe(function, &mut out)?;
            for (call, result) in &function.examples {
                examples += 1;
                match compared(&engine, call, result) {
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

/// A server with a stream `one` of one record.
fn engine_with_a_record(registry: Registry) -> Result<Engine, EngineError> {
    let options = EngineOptions {
        properties: [("auto.offset.reset".to_owned(), "earliest".to_owned())].into(),
        threads: false,
        functions: Arc::new(registry),
        ..EngineOptions::default()
    };
    let engine = Engine::with_options(Arc::new(MemoryTopics::new()), options)?;
    let statements = "CREATE STREAM one (v INT) WITH (KAFKA_TOPIC = 'one', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
                      INSERT INTO one VALUES (1);";
    engine.execute(&mut Session::default(), statements, &mut |_| ())?;
    Ok(engine)
}

/// Whether `call` gives `result`; if not, what it gives.
fn compared(engine: &Engine, call: &str, result: &str) -> Result<(), String> {
    let statement = format!("SELECT {call} AS given, {result} AS said FROM one EMIT CHANGES LIMIT 1;");
    let mut query = None;
    let mut take = |response: Response| {
        if let Response::Push(push) = response {
            query = Some(push);
        }
    };
    engine.execute(&mut Session::default(), &statement, &mut take).map_err(|error| error.to_string())?;
    engine.settle(None).map_err(|error| error.to_string())?;
    let Some(PushEvent::Rows(rows)) = query.map(|query| query.next(Duration::ZERO)) else {
        return Err("there is no result".to_owned());
    };
    let text = |column: usize| array_value_to_string(rows.column(column), 0).map_err(|error| error.to_string());
    let (given, said) = (text(0)?, text(1)?);
    if given == said { Ok(()) } else { Err(format!("it gives {given}")) }
}
