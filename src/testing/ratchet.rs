//! The ratchet: ids of cases that have passed once and must go on passing.
//!
//! One id per line, sorted. It only ever grows.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

use super::{Outcome, Status};

/// Ids of cases that must pass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ratchet {
    ids: BTreeSet<String>,
}

impl Ratchet {
    /// Reads a ratchet; a file that does not exist is an empty one.
    pub fn read(path: &Path) -> io::Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    fn parse(text: &str) -> Self {
        // Ids are verbatim, and some end in a blank: lines are not trimmed.
        Self { ids: text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect() }
    }

    /// Writes the ids back.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let lines: Vec<&str> = self.ids.iter().flat_map(|id| [id.as_str(), "\n"]).collect();
        fs::write(path, lines.concat())
    }

    /// How many ids there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no id.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Adds the ids of all that passed; gives how many are new.
    pub fn grow(&mut self, outcomes: &[Outcome]) -> usize {
        let before = self.len();
        let passed = outcomes.iter().filter(|outcome| outcome.status == Status::Passed);
        self.ids.extend(passed.map(|outcome| outcome.id.clone()));
        self.len() - before
    }

    /// What does not hold: `id: reason` for each id that did not pass, in order.
    pub fn broken(&self, outcomes: &[Outcome]) -> Vec<String> {
        let found: std::collections::HashMap<&str, &Outcome> =
            outcomes.iter().map(|outcome| (outcome.id.as_str(), outcome)).collect();
        let fault = |id: &String| match found.get(id.as_str()) {
            None => Some(format!("{id}: there is no such case")),
            Some(outcome) if outcome.status == Status::Passed => None,
            Some(outcome) => Some(format!("{id}: {}", outcome.reason)),
        };
        self.ids.iter().filter_map(fault).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_and_never_shrinks() {
        let mut ratchet = Ratchet::parse("b\nc \n");
        let outcomes =
            [Outcome::of("a", Ok(())), Outcome::of("b", Err("off by one".to_owned())), Outcome::of("d", Ok(()))];
        assert_eq!(ratchet.grow(&outcomes), 2);
        assert_eq!(ratchet, Ratchet::parse("a\nb\nc \nd\n"));
        assert_eq!(ratchet.broken(&outcomes), ["b: off by one", "c : there is no such case"]);
    }
}
