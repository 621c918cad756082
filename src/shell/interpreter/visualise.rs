//! `\viz`: EXPLAIN, drawn.

use std::io;

use super::commands::listings;
use super::{Flow, Interpreter};
use crate::engine::{EngineError, Listing};
use crate::shell::picture::{Drawing, Flow as QueryFlow, Step, dot, svg, text, trees};
use crate::shell::{Answer, Source};

impl Interpreter<'_> {
    /// Draws the query or statement `what`, or all queries, on the terminal or into `file`.
    pub(super) fn visualise(&mut self, what: Option<&str>, file: Option<&str>, source: Source<'_>) -> io::Result<Flow> {
        let steps = match what {
            Some(what) => self.explained(what).map(|step| vec![step]),
            None => self.flows(),
        };
        let steps = match steps {
            Ok(steps) => steps,
            Err(error) => return self.fail(source, &error),
        };
        let Some(file) = file else {
            let drawn = text(&Drawing::of_all(&steps, self.screen.layout.room()));
            let rows = drawn.into_iter().map(|line| vec![line]).collect();
            self.show(&Answer::listing(vec![Listing::table("", &[], rows)]))?;
            return Ok(Flow::Continue);
        };
        let title = what.unwrap_or("all queries");
        let is_dot = file.to_ascii_lowercase().ends_with(".dot");
        let drawn = if is_dot { dot(&steps, title) } else { svg(&Drawing::of_all(&steps, None), title) };
        match std::fs::write(file, drawn) {
            Ok(()) => self.screen.message(&format!("drawn into {file}"))?,
            Err(error) => return self.refuse(source, format!("{file} cannot be written: {error}")),
        }
        Ok(Flow::Continue)
    }

    /// The steps of a query or statement.
    fn explained(&mut self, what: &str) -> Result<Step, EngineError> {
        // The place of an error is one in a statement that nobody has typed.
        let answers = self.ask(&format!("EXPLAIN {what};")).map_err(|error| EngineError { position: None, ..error })?;
        let explained: Vec<Listing> = answers.into_iter().flat_map(listings).collect();
        let steps = explained.iter().filter(|listing| listing.columns.is_empty());
        let step = steps.into_iter().find_map(|listing| Step::parse(lines(listing)));
        step.ok_or_else(|| EngineError::new(format!("the server does not say what the steps of {what} are")))
    }

    /// What flows where among all queries.
    fn flows(&mut self) -> Result<Vec<Step>, EngineError> {
        let listed: Vec<Listing> = self.ask("SHOW QUERIES;")?.into_iter().flat_map(listings).collect();
        let flow = |row: &Vec<String>| match row.as_slice() {
            [id, kind, state, sink, _, text] if kind == "PERSISTENT" => Some(QueryFlow::new(id, state, sink, text)),
            _ => None,
        };
        let flows: Vec<QueryFlow> = listed.iter().flat_map(|listing| &listing.rows).filter_map(flow).collect();
        if flows.is_empty() {
            return Err(EngineError::new("there are no queries to draw")
                .with_hint("\\viz SELECT … draws what a statement would do"));
        }
        Ok(trees(&flows))
    }
}

fn lines(listing: &Listing) -> impl Iterator<Item = &str> + Clone {
    listing.rows.iter().filter_map(|row| row.first()).map(String::as_str)
}
