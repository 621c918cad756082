//! The steps of a query with their counts, those of all its tasks together, in the order in which rows pass them.

use std::fmt;

use super::super::monitoring::QueryLook;
use super::short;
use crate::operators::Fate;
use crate::runtime::dead_letter::Stage;
use crate::runtime::metrics::RowCounts;

/// A step, with what has passed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) kind: StepKind,
    /// As it is shown: `Read orders`, `Filter-1`, `Write ALERTS`.
    pub(super) name: String,
    /// Part of the plan that it belongs to.
    pub(super) sub: usize,
    pub(super) rows_in: u64,
    /// Rows of the right input, of `rows_in`.
    pub(super) right: u64,
    pub(super) rows_out: u64,
    pub(super) lost: Vec<Lost>,
    /// Of the rows that went on, those without a key, where the source has one, and without a value.
    pub(super) null_keys: u64,
    pub(super) null_values: u64,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepKind {
    /// Reads a source.
    Source,
    /// Reads a topic of the query's own.
    Internal,
    /// Works on rows.
    Operator,
    /// Writes the result.
    Sink,
    /// Writes to a topic of the query's own.
    Repartition,
}

/// Rows that did not simply go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) why: &'static str,
    pub(super) rows: u64,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rows, self.why)
    }
}

pub(super) const FAILED: &str = "failed";
pub(super) const NOT_WRITTEN: &str = "not written";
pub(super) const REMOVED_BY_WHERE: &str = "removed by WHERE";
pub(super) const REMOVED_BY_HAVING: &str = "removed by HAVING";
pub(super) const NO_KEY: &str = "without a key";
pub(super) const NO_VALUE: &str = "without a value";
pub(super) const LATE: &str = "too late for their windows";
pub(super) const UNMATCHED: &str = "without a partner";
pub(super) const WAITED: &str = "without a partner when they came";
pub(super) const EMPTY: &str = "with empty lists";
const BAD_KEY: &str = "whose key cannot be read";
const BAD_VALUE: &str = "whose value cannot be read";
const BAD_TIME: &str = "without a valid time";

/// Why records may be lost where they are read.
pub(super) const UNREADABLE: [&str; 3] = [BAD_KEY, BAD_VALUE, BAD_TIME];

impl Step {
    fn new(kind: StepKind, name: String, sub: usize) -> Self {
        Self { kind, name, sub, rows_in: 0, right: 0, rows_out: 0, lost: Vec::new(), null_keys: 0, null_values: 0 }
    }

    /// What became of the rows that did not go on; and what those lack that did.
    pub(super) fn others(&self) -> String {
        let lost: Vec<String> = self.lost.iter().map(ToString::to_string).collect();
        let lacks = [(self.null_keys, "key"), (self.null_values, "value")].into_iter().filter(|(rows, _)| *rows > 0);
        let lacks: Vec<String> = lacks.map(|(rows, part)| format!("{rows} without {part}")).collect();
        let lacks = if lacks.is_empty() { String::new() } else { format!("(went on: {})", lacks.join(", ")) };
        [lost.join(", "), lacks].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    fn lose(&mut self, why: &'static str, rows: u64) {
        if rows == 0 {
            return;
        }
        match self.lost.iter_mut().find(|lost| lost.why == why) {
            Some(lost) => lost.rows += rows,
            None => self.lost.push(Lost { why, rows }),
        }
    }
}

/// The steps of all tasks of this server.
pub(super) fn steps(look: &QueryLook) -> Vec<Step> {
    let sources = look.running.spec.plan.root.sources();
    let keyed = sources.iter().filter(|source| !source.declared.key.is_empty());
    let keyed: Vec<&str> = keyed.map(|source| source.topic.as_str()).collect();
    let mut steps: Vec<Step> = Vec::new();
    for ((sub, _), task) in &look.tasks {
        for input in &task.inputs {
            let kind = if input.is_source { StepKind::Source } else { StepKind::Internal };
            let name = format!("Read {}", short(look, &input.partition.topic));
            let step = found(&mut steps, kind, name, *sub);
            let (read, rejected) = (&input.read, &input.read.rejected);
            step.rows_in += read.records;
            step.rows_out += read.records.saturating_sub(rejected.total());
            if keyed.contains(&&*input.partition.topic) {
                step.null_keys += read.null_keys;
            }
            step.null_values += read.null_values;
            step.lose(BAD_KEY, rejected.of(Stage::Key));
            step.lose(BAD_VALUE, rejected.of(Stage::Value));
            step.lose(BAD_TIME, rejected.of(Stage::Timestamp));
        }
        let mut after_aggregate = false;
        for operator in &task.operators {
            let step = found(&mut steps, StepKind::Operator, operator.name.to_string(), *sub);
            let counts = &operator.counts;
            step.rows_in += counts.total_in();
            step.right += counts.rows_in[1];
            step.rows_out += counts.rows_out;
            for (fate, rows) in counts.fates.met() {
                step.lose(why(fate, after_aggregate), rows);
            }
            step.lose(FAILED, failed(&operator.name, counts));
            after_aggregate |= operator.name.starts_with("Aggregate");
        }
        for output in &task.outputs {
            let kind = if output.is_sink { StepKind::Sink } else { StepKind::Repartition };
            let topic = output.topic.as_deref().map_or_else(|| "to the client".to_owned(), |topic| short(look, topic));
            let step = found(&mut steps, kind, format!("Write {topic}"), *sub);
            step.rows_in += output.written.rows + output.written.rejected;
            step.rows_out += output.written.rows;
            step.lose(NOT_WRITTEN, output.written.rejected);
        }
    }
    steps
}

/// Rows that failed. Aggregations, and steps that give them their keys, tell rows that they leave out as errors, too.
fn failed(operator: &str, counts: &RowCounts) -> u64 {
    let told: &[Fate] = match operator.rsplit_once('-') {
        Some(("Aggregate", _)) => &[Fate::Late, Fate::NullKey, Fate::NullValue],
        Some(("Rekey", _)) => &[Fate::NullKey],
        _ => &[],
    };
    counts.errors.saturating_sub(told.iter().map(|fate| counts.fates.of(*fate)).sum())
}

fn why(fate: Fate, after_aggregate: bool) -> &'static str {
    match fate {
        Fate::Filtered if after_aggregate => REMOVED_BY_HAVING,
        Fate::Filtered => REMOVED_BY_WHERE,
        Fate::NullKey => NO_KEY,
        Fate::NullValue => NO_VALUE,
        Fate::Late => LATE,
        Fate::Unmatched => UNMATCHED,
        Fate::Waited => WAITED,
        Fate::Empty => EMPTY,
    }
}

/// The step called `name`, which is there from now on.
fn found(steps: &mut Vec<Step>, kind: StepKind, name: String, sub: usize) -> &mut Step {
    let at = steps.iter().position(|step| step.kind == kind && step.sub == sub && step.name == name);
    let at = at.unwrap_or_else(|| {
        steps.push(Step::new(kind, name, sub));
        steps.len() - 1
    });
    &mut steps[at]
}
