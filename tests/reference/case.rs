//! A case: one query, its records in order, and how both sides are told about it.

use std::fmt::Write as _;
use std::ops::Range;

/// What stands for NULL in a line.
pub const NULL: &str = "~";

/// An input topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The only topic, or the left of a join.
    Left,
    /// The right of a join.
    Right,
}

impl Side {
    /// Name of the topic, and of the stream or table on it.
    pub fn topic(self) -> &'static str {
        match self {
            Self::Left => "l",
            Self::Right => "r",
        }
    }
}

/// A record of an input topic.
#[derive(Debug, Clone)]
pub struct Input {
    pub side: Side,
    pub timestamp: i64,
    pub key: Option<String>,
    /// Columns, with commas between; an empty one is NULL.
    pub value: Option<String>,
    /// All records up to here are processed and committed before the next is there.
    pub ends_round: bool,
}

/// One query and its input.
#[derive(Debug, Clone)]
pub struct Case {
    /// What Kafka Streams is to do, as `Reference.java` reads it.
    pub settings: String,
    /// The same for Levada: statements that create a query into the topic `OUT`.
    pub statements: String,
    /// Value columns of the topics: all texts.
    pub columns: [&'static [&'static str]; 2],
    /// In the order of processing.
    pub inputs: Vec<Input>,
    /// Results are held back until the end of a round.
    pub is_cached: bool,
    /// Rows that Levada processes together at most.
    pub batch_rows_max: usize,
    /// Levada is stopped and opened again after each round.
    pub restarts: bool,
}

/// A record of the output topic: the round in which it came, and `TIMESTAMP KEY VALUE`.
pub type Output = (usize, String);

impl Case {
    /// The round of each record.
    pub fn rounds(&self) -> Vec<usize> {
        let ends = self.inputs.iter().scan(0, |ended, input| {
            let round = *ended;
            *ended += usize::from(input.ends_round);
            Some(round)
        });
        ends.collect()
    }

    /// The lines of the case for `Reference.java`.
    pub fn text(&self, name: usize) -> String {
        let cache = if self.is_cached { " cache=on" } else { "" };
        let mut text = format!("case {name} {}{cache}\n", self.settings);
        for input in &self.inputs {
            let (key, value) = (input.key.as_deref().unwrap_or(NULL), input.value.as_deref().unwrap_or(NULL));
            let end = if input.ends_round { "\ncommit" } else { "" };
            let _ = writeln!(text, "{} {} {key} {value}{end}", input.side.topic(), input.timestamp);
        }
        text
    }

    /// The case without some of its records; a round that ended among them goes on.
    pub fn without(&self, records: Range<usize>) -> Self {
        let mut fewer = self.clone();
        fewer.inputs.drain(records);
        if let Some(last) = fewer.inputs.last_mut() {
            last.ends_round = true;
        }
        fewer
    }
}
