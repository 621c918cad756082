//! `levada plan`: what a file would change.

use std::io::{self, BufWriter, Write as _};

use super::run::read;
use super::shell::{screen, terminal_layout};
use super::{DataDir, Failure};
use crate::engine::{FilePlan, Listing};
use crate::shell::{OutputFormat, Source};

const EXAMPLES: &str = "\
Examples:
  levada plan pipeline.sql                    what `levada run --headless` would change
  levada plan pipeline.sql --output json      the same, an object per line
  levada plan pipeline.sql --property bootstrap.servers=kafka:9092

Nothing is done. Exit code 1: a change is not possible, for the reason that is
shown with both definitions. A data directory that a server has open cannot be
looked at; a cluster can.";

/// Arguments of `levada plan`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct PlanCommand {
    /// File that says all that is to run; - for standard input
    #[arg(value_name = "FILE")]
    file: String,

    #[command(flatten)]
    data: DataDir,

    /// Form of the list
    #[arg(long, value_enum, default_value_t, value_name = "FORM", ignore_case = true)]
    output: OutputFormat,
}

impl PlanCommand {
    /// Shows the plan; fails if it is not possible.
    pub fn run(&self) -> Result<(), Failure> {
        let text = read(&self.file)?;
        let engine = self.data.open_to_look()?;
        let planned = engine.plan_file(&text);
        engine.shutdown();
        let (mut out, mut err) = (BufWriter::new(io::stdout()), io::stderr());
        let mut screen = screen(&mut out, &mut err, self.output);
        let plan = match planned {
            Ok(plan) => plan,
            Err(error) => {
                let name = if self.file == "-" { "<stdin>" } else { &self.file };
                screen.problem(Source::whole(Some(name), &text), &error)?;
                return Err(Failure::Shown);
            }
        };
        screen.layout = terminal_layout();
        screen.listing(&listing(&plan))?;
        out.flush()?;
        let obstacles: Vec<String> = plan.obstacles().map(ToString::to_string).collect();
        if obstacles.is_empty() { Ok(()) } else { Err(Failure::new(obstacles.join("\n"))) }
    }
}

/// A row per thing.
fn listing(plan: &FilePlan) -> Listing {
    let rows = plan.changes.iter().map(|change| {
        let line = change.place.map_or_else(String::new, |(line, _)| line.to_string());
        vec![change.kind.verb().to_owned(), change.object.to_owned(), change.name.clone(), line]
    });
    let columns = ["change", "kind", "name", "line"].map(str::to_owned).to_vec();
    Listing { columns, rows: rows.collect(), ..Listing::default() }
}
