//! Our own specs: SQL in, records in, records out. The format is described in `tests/specs/README.md`.
//!
//! ```text
//! file ── parse ──▶ Spec ── run, once per mode ──▶ lines ── same as expected? ──▶ passed
//!                                                    └── bless ──▶ file with what came out
//! ```
//!
//! A spec runs one record at a time and all at once, in memory and on RocksDB, and with restarts between its steps; all
//! runs must give the lines that the file expects.

mod bless;
mod line;
mod parse;
mod run;
mod text;
mod time;

use std::fs;
use std::path::{Path, PathBuf};

use super::Outcome;
use super::driver::{Open, RunMode, Storage};
use super::pool::Job;
use line::Line;
use parse::Spec;

/// One spec file, ready to run.
pub struct SpecJob {
    id: String,
    path: PathBuf,
    open: Open,
    bless: bool,
}

impl SpecJob {
    /// The spec at `path`. With `bless`, what comes out in the first mode becomes what is expected.
    pub fn new(id: impl Into<String>, path: &Path, open: Open, bless: bool) -> Self {
        Self { id: id.into(), path: path.to_owned(), open, bless }
    }

    fn check(&self) -> Result<(), String> {
        let text = fs::read_to_string(&self.path).map_err(|error| format!("cannot read it: {error}"))?;
        let mut spec = Spec::parse(&text)?;
        let mut modes = RunMode::of_specs().iter();
        if self.bless {
            let first = RunMode::ONE_BY_ONE;
            let rounds = run::run(&spec, first, self.open).map_err(|reason| format!("{first}: {reason}"))?;
            let blessed = bless::rewrite(&text, &spec, &rounds);
            if blessed != text {
                fs::write(&self.path, &blessed).map_err(|error| format!("cannot write it: {error}"))?;
                spec = Spec::parse(&blessed)?;
            }
            modes.next();
        }
        // When results are held back until the commit, committing after every row makes other results.
        let cannot = |mode: &RunMode| {
            (mode.keeps_nothing && spec.holds_back()) || (mode.storage == Storage::Cluster && spec.is_local)
        };
        for mode in modes.filter(|mode| !cannot(mode)) {
            let rounds = run::run(&spec, *mode, self.open).map_err(|reason| format!("{mode}: {reason}"))?;
            compare(&spec, &rounds).map_err(|reason| format!("{mode}: {reason}"))?;
        }
        Ok(())
    }
}

impl Job for SpecJob {
    fn id(&self) -> &str {
        &self.id
    }

    fn run(&self) -> Outcome {
        Outcome::of(&self.id, self.check())
    }
}

/// Checks what came out of each round.
fn compare(spec: &Spec, rounds: &[run::RoundResult]) -> Result<(), String> {
    for (round, result) in spec.rounds.iter().zip(rounds) {
        let expected = by_topic(&result.expected);
        let got = by_topic(&result.got);
        if expected != got {
            return Err(format!("round at line {} differs\n{}", round.expected_at, difference(&expected, &got)));
        }
    }
    Ok(())
}

/// Lines as text. Order counts within a topic only.
fn by_topic(lines: &[Line]) -> Vec<String> {
    let mut sorted: Vec<&Line> = lines.iter().collect();
    sorted.sort_by(|a, b| a.subject().cmp(&b.subject()));
    sorted.into_iter().map(Line::canonical).collect()
}

/// The lines in which two lists differ, with those that they share at both ends left out.
fn difference(expected: &[String], got: &[String]) -> String {
    let same = |(a, b): &(&String, &String)| a == b;
    let head = expected.iter().zip(got).take_while(same).count();
    let tail = expected[head..].iter().rev().zip(got[head..].iter().rev()).take_while(same).count();
    let missing = expected[head..expected.len() - tail].iter().map(|line| format!("  - {line}"));
    let surplus = got[head..got.len() - tail].iter().map(|line| format!("  + {line}"));
    missing.chain(surplus).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_leaves_out_what_is_shared() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(difference(&lines("a b c d"), &lines("a x y d")), "  - b\n  - c\n  + x\n  + y");
        assert_eq!(difference(&lines("a"), &lines("a b")), "  + b");
    }
}
