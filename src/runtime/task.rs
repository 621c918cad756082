//! One partition's share of a query: its inputs, its operators, its output.
//!
//! A step takes the rows that are next in the order of their times (semantics 1.2), hands every operator its share as
//! batches, and collects the records that follow. Nothing is visible outside before
//! [`Task::commit`]: outputs, positions and state change in one transaction.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::Array as _;

use super::dead_letter::{self, DeadLetters, Stage};
use super::input::Input;
use super::memory::MemoryUse;
use super::metrics::{
    InputFigures, OperatorFigures, OutputFigures, Phase, QueryMetrics, RowCounts, TaskMetrics, WriteCounts,
};
use super::output::Output as TaskOutput;
use super::processing_log::{Logger, Message, ProcessingLog};
use super::{RuntimeError, changelog};
use crate::operators::{NO_RECORD, Operator, Output, Port, share};
use crate::state::StoreSize;
use crate::topics::{TopicConfig, TopicPartition, Topics, Transaction};
use crate::types::{ChangeBatch, RecordChunk, RowError};

/// Where the rows of a node go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// To an operator.
    Node(usize, Port),
    /// Out of the task.
    Output,
    /// Out of the task, to the table that the rows refer to.
    References,
}

/// An operator and where its rows go.
pub struct Node {
    /// Its name within the query.
    pub name: Arc<str>,
    /// The operator.
    pub operator: Box<dyn Operator>,
    /// Where its rows go; always a later node.
    pub next: Next,
}

/// The parts of a [`Task`].
pub struct TaskParts {
    /// Query that the task runs.
    pub query: Arc<str>,
    /// Consumer group for positions; `None` when nothing is committed (push queries).
    pub group: Option<Arc<str>>,
    /// Inputs and where their rows go.
    pub inputs: Vec<(Input, Next)>,
    /// Operators in topological order.
    pub nodes: Vec<Node>,
    /// Where results go; `None` when only state is kept.
    pub output: Option<Box<dyn TaskOutput>>,
    /// Where references of a foreign-key join go.
    pub references: Option<Box<dyn TaskOutput>>,
    /// What is written where: the output first, then the references, as far as there are such.
    pub writes: Vec<OutputFigures>,
    /// Whether rows are written to the query's sink, rather than an internal topic.
    pub writes_sink: bool,
    /// Whether operators hold results back until the commit.
    pub holds_back: bool,
    /// Whether a result that cannot be made or written fails the task, instead of going to the dead letters.
    pub fails_on_production: bool,
    /// What the operators may take.
    pub memory: MemoryUse,
    /// Where what fails is told of, if there is a log.
    pub log: Option<TaskLog>,
    /// Figures of the query.
    pub metrics: Arc<QueryMetrics>,
    /// Figures of the task.
    pub figures: Arc<TaskMetrics>,
}

/// The processing log as a task writes it.
pub struct TaskLog {
    /// The log.
    pub log: Arc<ProcessingLog>,
    /// Who its entries are from: what reads a topic,
    pub inputs: Vec<(String, Logger)>,
    /// operators, in the order of nodes,
    pub nodes: Vec<Logger>,
    /// and what writes.
    pub output: Logger,
}

impl TaskLog {
    /// Takes an entry about a record of `origin` that could not be read.
    fn at_input(&self, stage: Stage, reason: &str, origin: &Origin<'_>) {
        let Some((_, logger)) = self.inputs.iter().find(|(topic, _)| **topic == *origin.topic) else { return };
        self.log.record(logger, |includes_rows| Message::at_input(stage, reason, origin, includes_rows));
    }
}

/// The record that something went wrong with.
pub struct Origin<'a> {
    /// Its topic.
    pub topic: Arc<str>,
    chunk: &'a RecordChunk,
    row: usize,
}

impl Origin<'_> {
    /// Its key, if it has one.
    pub fn key(&self) -> Option<&[u8]> {
        self.chunk.keys.is_valid(self.row).then(|| self.chunk.keys.value(self.row))
    }

    /// Its value, if it has one.
    pub fn value(&self) -> Option<&[u8]> {
        self.chunk.values.is_valid(self.row).then(|| self.chunk.values.value(self.row))
    }
}

/// Where a row has failed.
#[derive(Clone, Copy)]
enum Failed {
    /// In the operator of this node.
    In(usize),
    /// On its way out.
    AtOutput,
}

/// A running task.
pub struct Task {
    parts: TaskParts,
    transaction: Transaction,
    transaction_bytes: usize,
    /// Entries of state that have changed since the last commit.
    changed_entries: usize,
    changed: bool,
    dead_letters: DeadLetters,
    /// What operators and outputs have done since the figures were shown.
    counts: Vec<RowCounts>,
    written: Vec<WriteCounts>,
    /// Input and chunk row of every sequence number of the step.
    origins: Vec<(u32, u32)>,
    /// For each input the others that read the same partition, as those of a join of a source with itself do.
    twins: Vec<Vec<usize>>,
}

/// Outputs are committed early beyond this size, so that memory stays bounded.
const TRANSACTION_BYTES_MAX: usize = 8 << 20;

/// Changes of state are committed early beyond this number, for the same reason: about as many as fit into the record cache of
/// ksqlDB, which flushes when it is full (semantics 4.3).
const CHANGED_ENTRIES_MAX: usize = 50_000;

impl Task {
    /// The task made of `parts`.
    pub fn new(parts: TaskParts) -> Self {
        let dead_letters = DeadLetters::new(Arc::clone(&parts.query));
        let partitions = || parts.inputs.iter().map(|(input, _)| &input.partition).enumerate();
        let is_twin =
            |one: (usize, &TopicPartition), other: (usize, &TopicPartition)| one.0 != other.0 && one.1 == other.1;
        let twins_of = |one| partitions().filter(|&other| is_twin(one, other)).map(|(index, _)| index).collect();
        let twins = partitions().map(twins_of).collect();
        let counts = vec![RowCounts::default(); parts.nodes.len()];
        let written = vec![WriteCounts::default(); parts.writes.len()];
        let mut task = Self {
            parts,
            counts,
            written,
            transaction: Transaction::default(),
            transaction_bytes: 0,
            changed_entries: 0,
            changed: false,
            dead_letters,
            origins: Vec::new(),
            twins,
        };
        task.show();
        task.measure();
        task
    }

    /// Processes what is there, at most one chunk per input; returns whether anything was.
    pub fn step(&mut self, topics: &dyn Topics) -> Result<bool, RuntimeError> {
        if let Some(output) = &self.parts.output
            && (output.is_full() || output.is_closed())
        {
            return Ok(false);
        }
        let filled = self.fill(topics)?;
        let slices = self.next_rows(topics)?;
        if slices.is_empty() {
            if filled || self.pass_marks(topics) {
                self.publish_positions(topics)?;
            }
            return Ok(filled);
        }
        // Rows may have waited in a buffer since before the last commit.
        self.changed = true;
        if let ([(input, _)], Some(output)) = (self.parts.inputs.as_slice(), &mut self.parts.output) {
            output.reading(input.partition.partition, &input.chunk);
        }
        for (index, batch) in slices {
            let (_, next) = &self.parts.inputs[index];
            self.run(*next, batch, topics)?;
        }
        for index in 0..self.parts.nodes.len() {
            self.end_step(index, topics)?;
        }
        self.measure();
        self.publish_positions(topics)?;
        Ok(true)
    }

    /// Moves the positions over what is no record, to be committed: else there would be a lag for as long as no record follows.
    fn pass_marks(&mut self, topics: &dyn Topics) -> bool {
        let mut passed = false;
        for (input, _) in &mut self.parts.inputs {
            passed |= input.pass_marks(topics);
        }
        self.changed |= passed;
        passed
    }

    /// Fetches and decodes for every input that has nothing left.
    fn fill(&mut self, topics: &dyn Topics) -> Result<bool, RuntimeError> {
        let mut filled = false;
        let (metrics, dead_letters, log) = (&self.parts.metrics, &mut self.dead_letters, self.parts.log.as_ref());
        for (input, _) in &mut self.parts.inputs {
            let records = input.fill(topics, |from, chunk, rejected| {
                for record in rejected {
                    metrics.reject(record.stage, 1);
                    dead_letters.add(from, chunk, record.row as usize, record.stage, &record.reason);
                    if let Some(log) = log {
                        let origin = Origin { topic: Arc::clone(&from.topic), chunk, row: record.row as usize };
                        log.at_input(record.stage, &record.reason, &origin);
                    }
                }
            })?;
            if records > 0 {
                filled = true;
                self.changed = true;
                if input.is_source {
                    metrics.rows_in.fetch_add(records, Ordering::Relaxed);
                }
            }
        }
        Ok(filled)
    }

    /// The rows of this step by input, numbered in the order of their times across inputs. Stops where an input runs
    /// out whose partition has more, since its next record may come earlier. Of rows of one time those of tables come first: a fact
    /// finds what was written just before it, within the same millisecond (ksqlDB takes any). A record that several inputs read goes
    /// to all of them before the next one.
    fn next_rows(&mut self, topics: &dyn Topics) -> Result<Vec<(usize, ChangeBatch)>, RuntimeError> {
        self.origins.clear();
        if let [(input, _)] = self.parts.inputs.as_mut_slice() {
            if !input.has_rows() {
                return Ok(Vec::new());
            }
            let batch = input.take(input.buffered.len());
            return Ok(vec![(0, batch)]);
        }
        let mut cursors = vec![0; self.parts.inputs.len()];
        let mut has_more = vec![None; self.parts.inputs.len()];
        let mut seqs: Vec<Vec<u32>> = vec![Vec::new(); self.parts.inputs.len()];
        loop {
            let mut earliest: Option<((i64, bool), usize)> = None;
            let mut wait = false;
            for (index, (input, _)) in self.parts.inputs.iter().enumerate() {
                match input.buffered.rowtime.get(cursors[index]) {
                    Some(&time)
                        if earliest.is_none_or(|(least, _)| (time, input.is_stream) < least)
                            && self.is_first_twin(index, &cursors) =>
                    {
                        earliest = Some(((time, input.is_stream), index));
                    }
                    Some(_) => {}
                    None => {
                        let more = match has_more[index] {
                            Some(more) => more,
                            None => *has_more[index].insert(input.has_more(topics)?),
                        };
                        wait |= more;
                    }
                }
            }
            let Some((_, index)) = earliest.filter(|_| !wait) else { break };
            let offset = self.offset(index, &cursors);
            let same = self.twins[index].iter().copied().filter(|&twin| self.offset(twin, &cursors) == offset);
            for index in std::iter::once(index).chain(same.collect::<Vec<_>>()) {
                let seq = self.origins.len() as u32;
                seqs[index].push(seq);
                self.origins.push((index as u32, self.parts.inputs[index].0.buffered.seq[cursors[index]]));
                cursors[index] += 1;
            }
        }
        let inputs = self.parts.inputs.iter_mut().enumerate();
        Ok(inputs
            .zip(seqs)
            .filter(|(_, seqs)| !seqs.is_empty())
            .map(|((index, (input, _)), seqs)| {
                let batch = input.take(seqs.len());
                (index, ChangeBatch { seq: seqs.into(), ..batch })
            })
            .collect())
    }

    /// The offset of the next row of the input `index`.
    fn offset(&self, index: usize, cursors: &[usize]) -> Option<i64> {
        self.parts.inputs[index].0.offset_at(cursors[index])
    }

    /// Whether no other input that reads the same partition is behind the input `index`.
    fn is_first_twin(&self, index: usize, cursors: &[usize]) -> bool {
        let place = |index: usize| self.offset(index, cursors).map(|offset| (offset, index));
        self.twins[index].iter().all(|&twin| place(twin).is_none_or(|twin| Some(twin) > place(index)))
    }

    /// Says what the operators take.
    fn measure(&mut self) {
        let nodes = &self.parts.nodes;
        self.parts.memory.set(nodes.iter().map(|node| node.operator.memory_bytes()).sum());
        self.changed_entries = nodes.iter().map(|node| node.operator.changed_entries()).sum();
    }

    fn end_step(&mut self, index: usize, topics: &dyn Topics) -> Result<(), RuntimeError> {
        let mut out = Output::default();
        self.parts.nodes[index].operator.end_step(&mut out)?;
        self.pass_on(index, out, topics)
    }

    /// Hands `batch` to `next` and everything that follows onwards.
    fn run(&mut self, next: Next, batch: ChangeBatch, topics: &dyn Topics) -> Result<(), RuntimeError> {
        match next {
            Next::Output => self.write(batch, topics),
            Next::References => self.refer(batch, topics),
            Next::Node(index, port) => {
                let mut out = Output::default();
                self.counts[index].rows_in[port.min(1)] += batch.len() as u64;
                self.parts.nodes[index].operator.process(port, batch, &mut out)?;
                self.pass_on(index, out, topics)
            }
        }
    }

    fn pass_on(&mut self, index: usize, out: Output, topics: &dyn Topics) -> Result<(), RuntimeError> {
        if let (true, Some(lost)) = (self.parts.fails_on_production, out.lost.first()) {
            return Err(cannot("made", lost));
        }
        // A record that fails twice is one dead letter: its first reason.
        let mut errors = out.errors;
        errors.extend(out.lost);
        errors.sort_by_key(|error| error.row);
        errors.dedup_by(|next, first| next.row == first.row && first.row != NO_RECORD);
        let counts = &mut self.counts[index];
        let given = out.references.iter().chain(&out.batches).map(ChangeBatch::len);
        counts.rows_out += given.sum::<usize>() as u64;
        counts.errors += errors.len() as u64;
        counts.fates.add_all(&out.fates);
        for error in errors {
            self.reject(error.row, Stage::Process, &error.reason, Failed::In(index));
        }
        out.references.into_iter().try_for_each(|batch| self.run(Next::References, batch, topics))?;
        let next = self.parts.nodes[index].next;
        out.batches.into_iter().try_for_each(|batch| self.run(next, batch, topics))
    }

    fn refer(&mut self, batch: ChangeBatch, topics: &dyn Topics) -> Result<(), RuntimeError> {
        let Some(output) = &mut self.parts.references else { return Ok(()) };
        let first = self.transaction.appends.len();
        let mut errors = Vec::new();
        let rows = output.write(batch, topics, &mut self.transaction.appends, &mut errors);
        self.count_written(self.written.len().saturating_sub(1), (rows, first), errors.len());
        self.reject_unwritten(errors)
    }

    fn write(&mut self, batch: ChangeBatch, topics: &dyn Topics) -> Result<(), RuntimeError> {
        let Some(output) = &mut self.parts.output else { return Ok(()) };
        let first = self.transaction.appends.len();
        let mut errors = Vec::new();
        let written = output.write(batch, topics, &mut self.transaction.appends, &mut errors);
        let bytes = self.count_written(0, (written, first), errors.len());
        self.transaction_bytes += bytes;
        if self.parts.writes_sink {
            self.parts.metrics.rows_out.fetch_add(written, Ordering::Relaxed);
            self.parts.metrics.bytes_out.fetch_add(bytes as u64, Ordering::Relaxed);
        }
        self.reject_unwritten(errors)
    }

    /// Counts `rows` of the output at `index`, which have been appended from place `first` on; returns their bytes.
    fn count_written(&mut self, index: usize, (rows, first): (u64, usize), rejected: usize) -> usize {
        let bytes = self.transaction.appends[first..].iter().map(|(_, chunk)| chunk.byte_size()).sum::<usize>();
        if let Some(written) = self.written.get_mut(index) {
            written.add_all(&WriteCounts { rows, bytes: bytes as u64, rejected: rejected as u64 });
        }
        bytes
    }

    fn reject_unwritten(&mut self, errors: Vec<(Stage, RowError)>) -> Result<(), RuntimeError> {
        // A result without a valid time is only left out (semantics 2.2).
        let unwritten = errors.iter().find(|(stage, _)| *stage == Stage::Encode);
        if let (true, Some((_, error))) = (self.parts.fails_on_production, unwritten) {
            return Err(cannot("written", error));
        }
        for (stage, error) in errors {
            self.reject(error.row, stage, &error.reason, Failed::AtOutput);
        }
        Ok(())
    }

    /// Counts and keeps the record behind sequence number `seq`.
    fn reject(&mut self, seq: u32, stage: Stage, reason: &str, failed: Failed) {
        self.parts.metrics.reject(stage, 1);
        if seq == NO_RECORD {
            self.log(None, reason, failed);
            self.dead_letters.add_without_record(stage, reason);
            return;
        }
        let (input, row) = self.origins.get(seq as usize).copied().unwrap_or((0, seq));
        let (input, _) = &self.parts.inputs[input as usize];
        let topic = Arc::clone(&input.partition.topic);
        self.log(Some(&Origin { topic, chunk: &input.chunk, row: row as usize }), reason, failed);
        self.dead_letters.add(&input.partition, &input.chunk, row as usize, stage, reason);
    }

    /// Tells the processing log of a row that has failed, and that follows from `origin` if that is known.
    fn log(&self, origin: Option<&Origin<'_>>, reason: &str, failed: Failed) {
        let Some(log) = &self.parts.log else { return };
        match failed {
            Failed::In(node) => log.log.record(&log.nodes[node], |rows| Message::processing(reason, origin, rows)),
            Failed::AtOutput => {
                let topic = self.parts.writes.first().and_then(|output| output.topic.as_deref()).unwrap_or_default();
                log.log.record(&log.output, |rows| Message::serialization(reason, origin, topic, rows));
            }
        }
    }

    /// Shows what the task reads and keeps, from where it begins.
    fn show(&self) {
        let inputs = self.parts.inputs.iter();
        let inputs = inputs.map(|(input, _)| (input.partition.clone(), input.is_source, input.position));
        let mut inputs: Vec<InputFigures> = inputs
            .map(|(partition, is_source, position)| InputFigures {
                stream_time: position.partition_time,
                ..InputFigures::new(partition, is_source, position.offset)
            })
            .collect();
        let nodes = self.parts.nodes.iter();
        let operator =
            |node: &Node| OperatorFigures { name: Arc::clone(&node.name), counts: RowCounts::default(), clock: None };
        let mut operators: Vec<OperatorFigures> = nodes.map(operator).collect();
        let mut outputs = self.parts.writes.clone();
        let stores = self.store_sizes();
        self.parts.figures.update(|figures| {
            // A task that begins again goes on counting.
            for (now, before) in inputs.iter_mut().zip(&figures.inputs) {
                now.read = before.read;
            }
            for (now, before) in operators.iter_mut().zip(&figures.operators) {
                (now.counts, now.clock) = (before.counts, before.clock);
            }
            for (now, before) in outputs.iter_mut().zip(&figures.outputs) {
                now.written = before.written;
            }
            (figures.phase, figures.inputs, figures.stores) = (Phase::Running, inputs, stores);
            (figures.operators, figures.outputs) = (operators, outputs);
        });
    }

    fn store_sizes(&self) -> Vec<StoreSize> {
        self.parts.nodes.iter().flat_map(|node| node.operator.store_sizes()).collect()
    }

    /// Shows what was counted since it was shown last.
    fn publish_counts(&mut self) {
        let TaskParts { inputs, figures, metrics, .. } = &mut self.parts;
        let (counts, written) = (&mut self.counts, &mut self.written);
        figures.update(|figures| {
            for (shown, (input, _)) in figures.inputs.iter_mut().zip(inputs) {
                let read = input.take_counts();
                shown.read.add_all(&read);
                if input.is_source {
                    metrics.bytes_in.fetch_add(read.bytes, Ordering::Relaxed);
                }
            }
            for (shown, counts) in figures.operators.iter_mut().zip(counts) {
                shown.counts.add_all(&std::mem::take(counts));
            }
            for (shown, written) in figures.outputs.iter_mut().zip(written) {
                shown.written.add_all(&std::mem::take(written));
            }
        });
    }

    fn publish_positions(&mut self, topics: &dyn Topics) -> Result<(), RuntimeError> {
        self.publish_counts();
        let mut ends = Vec::with_capacity(self.parts.inputs.len());
        for (input, _) in &self.parts.inputs {
            ends.push(topics.known_end(&input.partition)?);
        }
        self.parts.figures.update(|figures| {
            for ((shown, (input, _)), end) in figures.inputs.iter_mut().zip(&self.parts.inputs).zip(ends) {
                shown.position = input.position.offset;
                shown.end = end.or(shown.end);
                shown.stream_time = input.position.partition_time;
                shown.waiting = input.buffered.len() as u64;
            }
        });
        Ok(())
    }

    /// Takes note that what was taken last is committed, at `now_ms`.
    pub fn committed(&mut self, now_ms: i64) {
        self.shrink();
        self.publish_counts();
        let stores = self.store_sizes();
        let clocks: Vec<_> = self.parts.nodes.iter().map(|node| node.operator.window_clock()).collect();
        let memory_bytes = self.parts.memory.bytes() as u64;
        self.parts.figures.update(|figures| {
            (figures.stores, figures.last_commit_ms) = (stores, Some(now_ms));
            (figures.memory_bytes, figures.commits) = (memory_bytes, figures.commits + 1);
            figures.operators.iter_mut().zip(clocks).for_each(|(shown, clock)| shown.clock = clock);
            for (shown, (input, _)) in figures.inputs.iter_mut().zip(&self.parts.inputs) {
                shown.position = input.position.offset;
            }
        });
    }

    /// Lets go of state that storage has, if there is too much in memory. A push query has nothing in storage.
    fn shrink(&mut self) {
        if self.parts.group.is_none() || !self.parts.memory.is_over() {
            return;
        }
        let bytes = |nodes: &[Node]| nodes.iter().map(|node| node.operator.memory_bytes()).sum::<usize>();
        let (used, kept) = (bytes(&self.parts.nodes), self.parts.memory.kept_bytes());
        for node in &mut self.parts.nodes {
            let own = node.operator.memory_bytes();
            node.operator.shrink(share(kept, own, used));
        }
        self.measure();
    }

    /// The results so far, for a commit that need not have them.
    pub fn take_results(&mut self) -> Vec<(TopicPartition, RecordChunk)> {
        self.transaction_bytes = 0;
        std::mem::take(&mut self.transaction.appends)
    }

    /// Whether something was processed that is not committed.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// Whether a commit may wait for the commit interval.
    pub fn may_wait(&self) -> bool {
        self.parts.holds_back && !self.is_large()
    }

    /// Whether so much is pending that it should be committed at once.
    pub fn is_large(&self) -> bool {
        self.transaction_bytes >= TRANSACTION_BYTES_MAX
            || self.changed_entries >= CHANGED_ENTRIES_MAX
            || (self.parts.group.is_some() && self.parts.memory.is_over())
    }

    /// Whether the reader of a push query is gone or has all it asked for.
    pub fn is_closed(&self) -> bool {
        self.parts.output.as_ref().is_some_and(|output| output.is_closed())
    }

    /// Everything processed so far that is not committed: results held back, outputs, dead letters, positions and state,
    /// to be committed as one. If that fails, the task must be made again.
    pub fn take_transaction(&mut self, topics: &dyn Topics) -> Result<Transaction, RuntimeError> {
        for index in 0..self.parts.nodes.len() {
            // What the operators before have flushed.
            self.end_step(index, topics)?;
            let mut out = Output::default();
            self.parts.nodes[index].operator.flush(&mut out)?;
            self.pass_on(index, out, topics)?;
        }
        if let Some(letters) = self.dead_letters.take() {
            topics.ensure(dead_letter::TOPIC, &TopicConfig::dead_letters())?;
            let to = TopicPartition { topic: dead_letter::TOPIC.into(), partition: 0 };
            self.transaction.appends.push((to, letters));
        }
        for node in &mut self.parts.nodes {
            node.operator.persist(&mut self.transaction.writes)?;
        }
        let mut transaction = std::mem::take(&mut self.transaction);
        (self.transaction_bytes, self.changed_entries) = (0, 0);
        self.changed = false;
        match &self.parts.group {
            Some(group) => {
                let positions = self.parts.inputs.iter_mut().map(|(input, _)| {
                    input.pass_marks(topics);
                    (Arc::clone(&input.group), input.partition.clone(), input.position)
                });
                transaction.positions.extend(positions);
                if topics.keeps_changelogs() {
                    transaction.changelogs = changelog::append(group, &mut transaction)?;
                }
            }
            None => transaction.writes = crate::storage::WriteSet::default(),
        }
        Ok(transaction)
    }

    /// Whether all records are processed that the inputs have at this moment, or nobody takes more results.
    pub fn is_drained(&self, topics: &dyn Topics) -> Result<bool, RuntimeError> {
        if self.parts.output.as_ref().is_some_and(|output| output.is_full() || output.is_closed()) {
            return Ok(true);
        }
        for (input, _) in &self.parts.inputs {
            if input.has_rows() || !input.is_drained(topics)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// As [`Task::is_drained`], as far as is known without asking the cluster.
    pub fn has_caught_up(&self, topics: &dyn Topics) -> Result<bool, RuntimeError> {
        for (input, _) in &self.parts.inputs {
            if input.has_rows() || !input.has_caught_up(topics)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Gives records by hand to the inputs that read `topic`, which from then on is not fetched.
    pub fn feed(&mut self, topic: &str, chunk: &RecordChunk) {
        for (input, _) in &mut self.parts.inputs {
            if *input.partition.topic == *topic {
                input.feed(chunk.clone());
            }
        }
    }
}

/// A result that the query needs cannot be `done`.
fn cannot(done: &str, error: &RowError) -> RuntimeError {
    RuntimeError::Failed(format!(
        "a result cannot be {done}: {}; with ksql.fail.on.production.error=false it would go to topic {}",
        error.reason,
        dead_letter::TOPIC
    ))
}
