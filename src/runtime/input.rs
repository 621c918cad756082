//! One input partition of a task: fetches chunks, decodes them, gives rows their event time.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::buffer::BooleanBuffer;

use super::RuntimeError;
use super::decoding::{Decoding, Rejected};
use super::metrics::ReadCounts;
use super::shared_decode::{Member, SharedDecodes};
use crate::formats::Schemas;
use crate::plan::{Collection, Source};
use crate::topics::{Position, TopicError, TopicPartition, Topics};
use crate::types::{ChangeBatch, RecordChunk};

/// Rows fetched and decoded together at most.
pub const BATCH_ROWS_MAX: usize = 4096;
const BATCH_BYTES_MAX: usize = 4 << 20;

/// Reads one partition for a task.
pub struct Input {
    /// Where it reads.
    pub partition: TopicPartition,
    /// Consumer group that its positions are committed in.
    pub group: Arc<str>,
    /// Its records are the query's input, rather than come from an internal topic.
    pub is_source: bool,
    /// Its records are facts; of others of the same time, those of tables go before them.
    pub is_stream: bool,
    /// Next offset to read, and the greatest time so far, of records already handed to the task.
    pub position: Position,
    /// The chunk that [`Input::buffered`] was decoded from.
    pub chunk: RecordChunk,
    /// Decoded rows not processed yet; `seq` is the row's index in the chunk.
    pub buffered: ChangeBatch,
    /// Offset to fetch next: after the buffered rows.
    fetch_offset: i64,
    /// The records from this offset on are not read.
    until: i64,
    /// Records given by hand instead of fetched.
    fed: Option<VecDeque<RecordChunk>>,
    rows_max: usize,
    decoding: Decoding,
    /// Among those who read the same; `None` where nobody may.
    shared: Option<Member>,
    /// A record whose event time column holds no time ends the query, instead of being left out.
    fails_on_invalid_time: bool,
    /// What was read since [`Input::take_counts`].
    counts: ReadCounts,
}

impl Input {
    /// Reads `partition` of the topic of `source` for `group` from `position` on. `changes`: values hold both sides of a change. Rows are
    /// decoded once for all inputs of `decodes` that read the same.
    pub fn new(
        source: &Source,
        (group, partition): (Arc<str>, TopicPartition),
        position: Position,
        rows_max: usize,
        changes: bool,
        decodes: Option<&SharedDecodes>,
        schemas: &Schemas,
    ) -> Result<Self, RuntimeError> {
        let decoding = Decoding::new(source, changes, schemas)?;
        let shared = decodes.map(|decodes| decodes.join(&partition, source, changes, schemas));
        Ok(Self {
            partition,
            group,
            is_source: true,
            is_stream: source.collection == Collection::Stream,
            position,
            chunk: RecordChunk::empty(),
            buffered: ChangeBatch::empty(),
            fetch_offset: position.offset,
            until: i64::MAX,
            fed: None,
            rows_max,
            decoding,
            shared,
            fails_on_invalid_time: false,
            counts: ReadCounts::default(),
        })
    }

    /// The input that gives up at a record whose event time column holds no time, if it `fails`.
    #[must_use]
    pub fn failing_on_invalid_time(self, fails: bool) -> Self {
        Self { fails_on_invalid_time: fails, ..self }
    }

    /// The input that ends before the offset `until`.
    #[must_use]
    pub fn ending_at(self, until: i64) -> Self {
        Self { until, ..self }
    }

    /// The input whose records come from an internal topic, if it `is_internal`.
    #[must_use]
    pub fn with_internal_records(self, is_internal: bool) -> Self {
        Self { is_source: !is_internal, ..self }
    }

    /// Takes records from [`Input::feed`] instead of the topic.
    pub fn feed(&mut self, chunk: RecordChunk) {
        self.fed.get_or_insert_default().push_back(chunk);
    }

    /// Whether there are decoded rows to process.
    pub fn has_rows(&self) -> bool {
        !self.buffered.is_empty()
    }

    /// Makes rows available if there are any; returns records that were dropped on the way. The chunks of dropped
    /// records are handed to `reject` while they are at hand.
    pub fn fill(
        &mut self,
        topics: &dyn Topics,
        mut reject: impl FnMut(&TopicPartition, &RecordChunk, Vec<Rejected>),
    ) -> Result<u64, RuntimeError> {
        let mut records = 0;
        while self.buffered.is_empty() && !self.is_over() {
            let chunk = match &mut self.fed {
                Some(fed) => fed.pop_front().unwrap_or_else(RecordChunk::empty),
                None => match topics.fetch(&self.partition, self.fetch_offset, self.rows_max, BATCH_BYTES_MAX) {
                    Err(TopicError::Truncated { end, .. }) => {
                        self.go_back(end);
                        continue;
                    }
                    fetched => fetched?,
                },
            };
            let chunk = self.cut(chunk);
            let Some(&last) = chunk.offsets.last() else { break };
            if self.fed.is_none() {
                self.fetch_offset = last + 1;
            }
            records += chunk.len() as u64;
            let (decoded, rejected) = self.decode(&chunk)?;
            self.check_times(&chunk, &rejected)?;
            self.count(&chunk, &decoded, &rejected);
            self.buffered = decoded;
            if !rejected.is_empty() {
                reject(&self.partition, &chunk, rejected);
            }
            self.chunk = chunk;
            if self.buffered.is_empty() {
                self.position.offset = self.fetch_offset;
            }
        }
        Ok(records)
    }

    fn count(&mut self, chunk: &RecordChunk, decoded: &ChangeBatch, rejected: &[Rejected]) {
        let set = |bits: &Option<BooleanBuffer>| bits.as_ref().map_or(0, BooleanBuffer::count_set_bits) as u64;
        self.counts.records += chunk.len() as u64;
        self.counts.bytes += chunk.byte_size() as u64;
        self.counts.null_keys += set(&decoded.null_keys);
        self.counts.null_values += set(&decoded.tombstones);
        rejected.iter().for_each(|record| self.counts.rejected.add(record.stage, 1));
    }

    /// What was read since the last call.
    pub fn take_counts(&mut self) -> ReadCounts {
        std::mem::take(&mut self.counts)
    }

    /// Whether nothing more is to be read.
    fn is_over(&self) -> bool {
        self.fed.is_none() && self.fetch_offset >= self.until
    }

    /// `chunk` without the records that are not to be read.
    fn cut(&mut self, chunk: RecordChunk) -> RecordChunk {
        if chunk.offsets.last().is_none_or(|last| *last < self.until) {
            return chunk;
        }
        let kept = chunk.slice(0, chunk.offsets.partition_point(|offset| *offset < self.until));
        if kept.is_empty() {
            self.fetch_offset = self.until;
        }
        kept
    }

    fn decode(&mut self, chunk: &RecordChunk) -> Result<(ChangeBatch, Vec<Rejected>), RuntimeError> {
        let number = self.partition.partition;
        if let (Some(shared), None) = (&self.shared, &self.fed)
            && let Some(decoded) = shared.decode(chunk, number)?
        {
            return Ok(decoded);
        }
        let mut rejected = Vec::new();
        let batch = self.decoding.decode(chunk, number, &mut rejected)?;
        Ok((batch, rejected))
    }

    fn check_times(&self, chunk: &RecordChunk, rejected: &[Rejected]) -> Result<(), RuntimeError> {
        let Some(record) = rejected.iter().find(|record| self.fails_on_invalid_time && record.has_no_time) else {
            return Ok(());
        };
        Err(RuntimeError::InvalidTime {
            topic: self.partition.topic.to_string(),
            partition: self.partition.partition,
            offset: chunk.offsets[record.row as usize],
            reason: record.reason.clone(),
        })
    }

    /// The partition has lost its last records, which were read already: what comes next takes their place.
    fn go_back(&mut self, end: i64) {
        let TopicPartition { topic, partition } = &self.partition;
        let lost = self.fetch_offset - end;
        tracing::warn!(
            "topic {topic} partition {partition}: the last {lost} offsets, which were read already, are gone; going on at {end}"
        );
        self.fetch_offset = end;
        self.position.offset = end;
    }

    /// The offset of the buffered row at `index`.
    pub fn offset_at(&self, index: usize) -> Option<i64> {
        self.buffered.seq.get(index).map(|&row| self.chunk.offsets[row as usize])
    }

    /// Whether records beyond the buffered ones are there already.
    pub fn has_more(&self, topics: &dyn Topics) -> Result<bool, RuntimeError> {
        match &self.fed {
            Some(fed) => Ok(!fed.is_empty()),
            None => Ok(!self.is_over() && topics.has_more(&self.partition, self.fetch_offset)?),
        }
    }

    /// Whether nothing is left beyond the buffered rows, however far away.
    pub fn is_drained(&self, topics: &dyn Topics) -> Result<bool, RuntimeError> {
        match &self.fed {
            Some(fed) => Ok(fed.is_empty()),
            None => Ok(self.is_over() || topics.is_drained(&self.partition, self.fetch_offset)?),
        }
    }

    /// As [`Input::is_drained`], as far as is known without asking the cluster.
    pub fn has_caught_up(&self, topics: &dyn Topics) -> Result<bool, RuntimeError> {
        if self.fed.is_some() || self.is_over() {
            return self.is_drained(topics);
        }
        let Some(end) = topics.known_end(&self.partition)? else { return Ok(false) };
        Ok(topics.has_reached(&self.partition, self.fetch_offset, end)?)
    }

    /// Moves the position over what is no record, where nothing is buffered; returns whether it moved.
    pub fn pass_marks(&mut self, topics: &dyn Topics) -> bool {
        if self.fed.is_some() || self.has_rows() {
            return false;
        }
        let before = self.position.offset;
        self.fetch_offset = topics.without_marks(&self.partition, self.fetch_offset);
        self.position.offset = self.fetch_offset;
        self.position.offset != before
    }

    /// Takes the first `rows` buffered rows and moves the position behind them.
    pub fn take(&mut self, rows: usize) -> ChangeBatch {
        let taken = self.buffered.slice(0, rows);
        self.buffered = self.buffered.slice(rows, self.buffered.len() - rows);
        let newest = taken.rowtime.iter().copied().max().unwrap_or(-1);
        self.position.partition_time = self.position.partition_time.max(newest);
        self.position.offset = match self.buffered.seq.first() {
            Some(&next) if self.fed.is_none() => self.chunk.offsets[next as usize],
            _ => self.fetch_offset,
        };
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::formats::{Format, Serde};
    use crate::plan::TimestampColumn;
    use crate::topics::{MemoryTopics, Transaction};
    use crate::types::{Column, RecordChunkBuilder, Schema, SqlType};

    fn source() -> Source {
        Source {
            name: "S".to_owned(),
            topic: "s".to_owned(),
            collection: Collection::Stream,
            key_serde: Serde { format: Format::None, wrap_single: true },
            value_serde: Serde { format: Format::Json, wrap_single: true },
            declared: Schema { key: Vec::new(), value: vec![Column::new("T", SqlType::String)] },
            needed: vec![true],
            envelope: None,
            window: None,
            timestamp: Some(TimestampColumn { column: 0, format: Some("yyyy-MM-dd".to_owned()) }),
            pseudo_columns: Vec::new(),
            materialized: false,
            old_rows_known: true,
        }
    }

    fn input(source: &Source) -> Input {
        let partition = TopicPartition { topic: "s".into(), partition: 0 };
        let position = Position { offset: 0, partition_time: -1 };
        Input::new(source, ("g".into(), partition), position, 10, false, None, &Schemas::default())
            .expect("JSON carries a text")
    }

    /// What becomes of a record whose event time column T holds `json`.
    fn fill(json: &str, fails_on_invalid_time: bool) -> Result<usize, String> {
        let source = source();
        let mut input = input(&source).failing_on_invalid_time(fails_on_invalid_time);
        let mut chunk = RecordChunkBuilder::new();
        chunk.push_full(None, Some(json.as_bytes()), 5, 7, Arc::default());
        input.feed(chunk.finish());
        let mut left_out = 0;
        let filled = input.fill(&MemoryTopics::new(), |_, _, rejected| left_out += rejected.len());
        filled.map(|_| left_out).map_err(|error| error.to_string())
    }

    #[test]
    fn an_input_ends_where_it_is_told_whatever_comes_later() {
        let topics = MemoryTopics::new();
        topics.create("s", &crate::topics::TopicConfig::with_partitions(1)).expect("a new topic");
        let append = |values: &[&str]| {
            let mut chunk = RecordChunkBuilder::new();
            values.iter().for_each(|value| chunk.push(None, Some(value.as_bytes()), 5));
            let to = TopicPartition { topic: "s".into(), partition: 0 };
            let appends = vec![(to, chunk.finish())];
            topics.commit(Transaction { appends, ..Transaction::default() }).expect("memory takes it");
        };
        append(&["{}", "{}"]);
        let plain = Source { timestamp: None, ..source() };
        let mut input = input(&plain).ending_at(3);
        let mut take = || {
            input.fill(&topics, |_, _, _| ()).expect("memory can be read");
            let rows = input.take(input.buffered.len()).len();
            (rows, input.is_drained(&topics).expect("memory can be asked"))
        };
        assert_eq!(take(), (2, true), "no more is there");
        append(&["{}", "{}"]);
        assert_eq!(take(), (1, true));
        assert_eq!(take(), (0, true));
    }

    #[test]
    fn a_record_without_a_time_is_left_out_or_ends_the_query() {
        let no_time = r#"{"T": "soon"}"#;
        assert_eq!(fill(no_time, false), Ok(1));
        let error = fill(no_time, true).expect_err("it is to end the query");
        let expected =
            "Fatal user code error in TimestampExtractor callback for record at offset 7 of topic s partition 0";
        assert!(error.starts_with(expected), "{error}");
        for harmless in [r#"{"T": "2020-01-02"}"#, r#"{"T": "1960-01-02"}"#] {
            assert!(fill(harmless, true).is_ok(), "{harmless}");
        }
    }
}
