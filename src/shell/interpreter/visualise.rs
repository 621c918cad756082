//! `\viz`: EXPLAIN, drawn.

use std::io;

use super::commands::listings;
use super::{Flow, Interpreter};
use crate::engine::Listing;
use crate::shell::picture::{Drawing, Step, dot, svg, text};
use crate::shell::{Answer, Source};

impl Interpreter<'_> {
    /// Draws the query or statement `what`, on the terminal or into `file`.
    pub(super) fn visualise(&mut self, what: &str, file: Option<&str>, source: Source<'_>) -> io::Result<Flow> {
        let explained: Vec<Listing> = match self.ask(&format!("EXPLAIN {what};")) {
            Ok(answers) => answers.into_iter().flat_map(listings).collect(),
            Err(error) => {
                // The place is one of a statement that nobody has typed.
                let error = crate::engine::EngineError { position: None, ..error };
                return self.fail(source, &error);
            }
        };
        let steps = explained.iter().filter(|listing| listing.columns.is_empty());
        let Some(step) = steps.into_iter().find_map(|listing| Step::parse(lines(listing))) else {
            return self.refuse(source, format!("the server does not say what the steps of {what} are"));
        };
        let Some(file) = file else {
            let drawn = text(&Drawing::new(&step, self.screen.layout.room()));
            let rows = drawn.into_iter().map(|line| vec![line]).collect();
            self.show(Answer::listing(vec![Listing::table("", &[], rows)]))?;
            return Ok(Flow::Continue);
        };
        let is_dot = file.to_ascii_lowercase().ends_with(".dot");
        let drawn = if is_dot { dot(&step, what) } else { svg(&Drawing::new(&step, None), what) };
        match std::fs::write(file, drawn) {
            Ok(()) => self.screen.message(&format!("drawn into {file}"))?,
            Err(error) => return self.refuse(source, format!("{file} cannot be written: {error}")),
        }
        Ok(Flow::Continue)
    }
}

fn lines(listing: &Listing) -> impl Iterator<Item = &str> + Clone {
    listing.rows.iter().filter_map(|row| row.first()).map(String::as_str)
}
