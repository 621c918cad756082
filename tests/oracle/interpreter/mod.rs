//! A slow interpreter of queries: one record after another, all state in lists, written from the rules of ksqlDB alone.
//!
//! A record's results go through all steps before the next record is taken (semantics 1.1). It shares nothing with the
//! engine, which it judges.

mod accumulator;
mod aggregate;
mod change;
mod filter;
mod foreign_key_join;
mod hold_back;
mod plan;
mod project;
mod rekey;
mod session_aggregate;
mod stream_stream_join;
mod stream_table_join;
mod table_aggregate;
mod table_source;
mod table_table_join;
mod window_aggregate;

use std::collections::VecDeque;

pub use change::{Change, Header, KeyWindow, Row};

use super::query::{Query, Source};
use super::value::json_object;

/// A step of a query.
pub trait Operator {
    /// What follows from one change of input `port`, in order.
    fn process(&mut self, port: usize, change: Change) -> Vec<Change>;

    /// What was held back until a commit, in order.
    fn commit(&mut self) -> Vec<Change> {
        Vec::new()
    }
}

/// Where the changes of a step go: a step and its input. `None`: into the result.
type Next = Option<(usize, usize)>;

/// A query that runs.
pub struct Interpreter {
    /// In the order in which changes pass them.
    steps: Vec<(Box<dyn Operator>, Next)>,
    /// By source; of one that is joined with itself, in the order of its places.
    entries: Vec<Vec<(usize, usize)>>,
    /// Whether each source is a table.
    tables: Vec<bool>,
    result: Vec<Change>,
    query: Query,
}

/// A record of a topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// The source that reads it.
    pub source: usize,
    pub key: Option<Vec<super::value::Value>>,
    /// The value columns; `None`: no value.
    pub value: Option<Vec<super::value::Value>>,
    pub time: i64,
    pub headers: Vec<Header>,
    /// Where the source has windowed keys.
    pub window: Option<KeyWindow>,
}

/// A record of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputRecord {
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub time: i64,
    pub headers: Vec<Header>,
}

impl Interpreter {
    /// `query` over `sources`. `holds_back`: with a record cache.
    pub fn new(query: &Query, sources: &[Source], holds_back: bool) -> Self {
        plan::Builder::new(query, sources, holds_back).build()
    }

    /// Takes the records of a round, which are all there, and commits. Gives what was written.
    pub fn round(&mut self, inputs: &[Input]) -> Vec<OutputRecord> {
        for input in merged(inputs, &self.tables) {
            for next in self.entries[input.source].clone() {
                self.pass(Some(next), Change::of_record(&input));
            }
        }
        for step in 0..self.steps.len() {
            for change in self.steps[step].0.commit() {
                let next = self.steps[step].1;
                self.pass(next, change);
            }
        }
        let result = std::mem::take(&mut self.result);
        result.iter().map(|change| self.written(change)).collect()
    }

    /// Depth first.
    fn pass(&mut self, next: Next, change: Change) {
        match next {
            None => self.result.push(change),
            Some((step, port)) => {
                for following in self.steps[step].0.process(port, change) {
                    self.pass(self.steps[step].1, following);
                }
            }
        }
    }

    fn written(&self, change: &Change) -> OutputRecord {
        let names = |names: Vec<&String>| -> Vec<String> { names.into_iter().cloned().collect() };
        let key_names = names(self.query.key.iter().map(|(_, name)| name).collect());
        let value_names = names(self.query.values.iter().map(|(_, name)| name).collect());
        let mut key = change.key.as_ref().and_then(|key| self.query.key_format.encode(&key_names, key));
        if let (Some(bytes), Some(window)) = (&mut key, change.window) {
            bytes.extend(window.key_suffix());
        }
        OutputRecord {
            key,
            value: change.new.as_ref().map(|row| json_object(&value_names, row)),
            time: change.time,
            headers: change.headers.clone(),
        }
    }
}

/// The records in the order in which one task takes them: always the head with the smallest time; of heads with the same
/// time that of a table, and of the source that is named first (semantics 1.2, which leaves it open).
fn merged(inputs: &[Input], tables: &[bool]) -> Vec<Input> {
    let mut queues: Vec<VecDeque<&Input>> = vec![VecDeque::new(); tables.len()];
    for input in inputs {
        queues[input.source].push_back(input);
    }
    let mut order = Vec::with_capacity(inputs.len());
    let place = |queue: &VecDeque<&Input>| queue.front().map(|head| (head.time, !tables[head.source]));
    while let Some(queue) = queues.iter_mut().filter(|queue| !queue.is_empty()).min_by_key(|queue| place(queue)) {
        order.extend(queue.pop_front().cloned());
    }
    order
}
