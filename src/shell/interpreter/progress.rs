//! `\progress`: how far queries are that come back or catch up, until they have.

use std::io;
use std::time::{Duration, Instant};

use super::{Flow, Interpreter};
use crate::engine::{EngineError, Response, ResultRows};
use crate::shell::{Answer, LiveLines, Source, time_left};
use crate::types::json_value::write_text;

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(500);
/// Characters of a bar.
const BAR: u64 = 24;

const QUERIES: &str = "SELECT query_id, state, records_read, lag FROM levada_queries;";
const TASKS: &str = "SELECT query_id, restored, to_restore FROM levada_tasks;";

/// How far a query is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Progress {
    id: String,
    state: String,
    read: u64,
    lag: u64,
    restored: u64,
    to_restore: u64,
}

impl Progress {
    fn is_done(&self) -> bool {
        self.to_restore == 0 && (self.lag == 0 || self.state != "RUNNING")
    }

    /// A line for a person; `rate` is how many records a second were read.
    fn line(&self, width: usize, rate: f64) -> String {
        let (what, done, left) = match (self.to_restore, self.lag) {
            (0, 0) => ("has caught up", self.read, 0),
            (0, lag) => ("catches up", self.read, lag),
            (left, _) => ("comes back", self.restored, left),
        };
        let all = (done + left).max(1);
        let (filled, percent) = if left == 0 { (BAR, 100) } else { (done * BAR / all, done * 100 / all) };
        let bar = "█".repeat(filled as usize) + &"░".repeat((BAR - filled) as usize);
        let time = match (left, time_left(left, rate)) {
            (0, _) => String::new(),
            (_, Some(time)) => format!(", {rate:.0}/s, {time}"),
            (_, None) => ", …".to_owned(),
        };
        let state = if self.state == "RUNNING" { String::new() } else { format!(" [{}]", self.state) };
        format!("{:<width$} {bar} {percent:>3} %  {what}: {done} of {}{time}{state}", self.id, done + left)
    }
}

impl Interpreter<'_> {
    /// Shows how far queries are until all have caught up, or Ctrl-C.
    #[expect(clippy::disallowed_methods, reason = "it measures for a person, not for the engine")]
    pub(super) fn follow_progress(&mut self, source: Source<'_>) -> io::Result<Flow> {
        let interrupt = self.interrupt;
        let _work = interrupt.work();
        let (mut before, mut live) = ((Instant::now(), Vec::<Progress>::new()), LiveLines::default());
        self.screen.out.flush()?;
        loop {
            let found = match self.look() {
                Ok(found) => found,
                Err(error) => {
                    live.clear();
                    return self.fail(source, &error);
                }
            };
            let seconds = before.0.elapsed().as_secs_f64();
            let width = found.iter().map(|one| one.id.chars().count()).max().unwrap_or(0);
            let lines: Vec<String> = found.iter().map(|one| one.line(width, rate(one, &before.1, seconds))).collect();
            let is_done = found.iter().all(Progress::is_done);
            // Where nothing can be painted over, only the end is told.
            if self.screen.clears() && !is_done {
                live.show(&lines.join("\n"));
            }
            if found.is_empty() {
                self.screen.message("there are no queries")?;
            }
            before = (Instant::now(), found);
            if is_done || interrupt.wait(EVERY) {
                live.clear();
                lines.iter().try_for_each(|line| writeln!(self.screen.out, "{line}"))?;
                self.screen.out.flush()?;
                return Ok(Flow::Continue);
            }
        }
    }

    fn look(&mut self) -> Result<Vec<Progress>, EngineError> {
        let mut found: Vec<Progress> = (self.rows_of(QUERIES)?.into_iter())
            .map(|row| Progress {
                id: row[0].clone(),
                state: row[1].clone(),
                read: number(&row[2]),
                lag: number(&row[3]),
                ..Progress::default()
            })
            .collect();
        for row in self.rows_of(TASKS)? {
            if let Some(query) = found.iter_mut().find(|query| query.id == row[0]) {
                query.restored += number(&row[1]);
                query.to_restore += number(&row[2]);
            }
        }
        Ok(found)
    }

    /// The rows of a query as texts.
    fn rows_of(&mut self, text: &str) -> Result<Vec<Vec<String>>, EngineError> {
        let answers = self.ask(text)?;
        Ok(answers.iter().filter_map(rows).flat_map(texts).collect())
    }
}

fn rows(answer: &Answer) -> Option<&ResultRows> {
    match answer {
        Answer::Response(Response::Rows(rows)) => Some(rows),
        _ => None,
    }
}

fn texts(rows: &ResultRows) -> Vec<Vec<String>> {
    let mut texts = Vec::new();
    for batch in &rows.batches {
        for row in 0..batch.num_rows() {
            let cells = rows.columns.iter().zip(batch.columns()).map(|(column, array)| {
                let mut text = Vec::new();
                write_text(&mut text, array, row, &column.sql_type).expect("memory takes every byte");
                String::from_utf8_lossy(&text).into_owned()
            });
            texts.push(cells.collect());
        }
    }
    texts
}

/// A count; none is told as null.
fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

/// Records a second since the look before.
fn rate(now: &Progress, before: &[Progress], seconds: f64) -> f64 {
    let Some(then) = before.iter().find(|one| one.id == now.id) else { return 0.0 };
    let done = |one: &Progress| if now.to_restore > 0 { one.restored } else { one.read };
    if seconds <= 0.0 { 0.0 } else { done(now).saturating_sub(done(then)) as f64 / seconds }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_done_and_how_long_the_rest_takes() {
        let query = Progress { id: "Q_1".into(), state: "RUNNING".into(), read: 750, lag: 250, ..Progress::default() };
        let half = format!("{}{}", "█".repeat(18), "░".repeat(6));
        assert_eq!(query.line(5, 100.0), format!("Q_1   {half}  75 %  catches up: 750 of 1000, 100/s, 2 s left"));
        assert!(!query.is_done());
        let back = Progress { restored: 1, to_restore: 1, ..query.clone() };
        assert!(back.line(3, 0.0).ends_with(" 50 %  comes back: 1 of 2, …"), "{}", back.line(3, 0.0));
        let done = Progress { lag: 0, ..query.clone() };
        assert!(done.line(3, 0.0).ends_with("100 %  has caught up: 750 of 750"));
        assert!(done.is_done());
        let paused = Progress { state: "PAUSED".into(), ..query };
        assert!(paused.is_done() && paused.line(3, 0.0).ends_with("[PAUSED]"), "nothing is waited for");
    }
}
