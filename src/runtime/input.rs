//! One input partition of a task: fetches chunks, decodes them, gives rows their event time.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array};
use arrow::buffer::{BooleanBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Int64Type, TimestampMillisecondType};

use super::dead_letter::Stage;
use super::{RuntimeError, change_encoding};
use crate::formats::{Decoder, decoder, windowed};
use crate::plan::{Collection, PseudoColumn, Source};
use crate::topics::{Position, TopicError, TopicPartition, Topics};
use crate::types::timestamp_pattern::TimestampPattern;
use crate::types::{ChangeBatch, OldRows, RecordChunk, RowError, WindowKind};

/// Rows fetched and decoded together at most.
pub const BATCH_ROWS_MAX: usize = 4096;
const BATCH_BYTES_MAX: usize = 4 << 20;

/// A record that was dropped at the input.
#[derive(Debug)]
pub struct Rejected {
    /// Index in the chunk.
    pub row: u32,
    /// What failed.
    pub stage: Stage,
    /// Why.
    pub reason: String,
}

/// Reads one partition for a task.
pub struct Input {
    /// Where it reads.
    pub partition: TopicPartition,
    /// Stream or table.
    pub collection: Collection,
    /// Next offset to read, and the greatest time so far, of records already handed to the task.
    pub position: Position,
    /// The chunk that [`Input::buffered`] was decoded from.
    pub chunk: RecordChunk,
    /// Decoded rows not processed yet; `seq` is the row's index in the chunk.
    pub buffered: ChangeBatch,
    /// Offset to fetch next: after the buffered rows.
    fetch_offset: i64,
    /// Records given by hand instead of fetched.
    fed: Option<VecDeque<RecordChunk>>,
    rows_max: usize,
    decoding: Decoding,
}

/// How bytes become rows.
struct Decoding {
    key: Option<Box<dyn Decoder>>,
    value: Box<dyn Decoder>,
    window: Option<WindowKind>,
    timestamp: Timestamp,
    pseudo_columns: Vec<PseudoColumn>,
    key_types: Vec<DataType>,
    /// Values hold both sides of a table's change.
    changes: bool,
}

/// Where event time comes from.
enum Timestamp {
    Record,
    Key(usize, Option<TimestampPattern>),
    Value(usize, Option<TimestampPattern>),
}

impl Input {
    /// Reads `partition` of the topic of `source` from `position` on. `changes`: values hold both sides of a change.
    pub fn new(
        source: &Source,
        partition: TopicPartition,
        position: Position,
        rows_max: usize,
        changes: bool,
    ) -> Result<Self, RuntimeError> {
        let decoding = Decoding::new(source, changes)?;
        Ok(Self {
            partition,
            collection: source.collection,
            position,
            chunk: RecordChunk::empty(),
            buffered: ChangeBatch::empty(),
            fetch_offset: position.offset,
            fed: None,
            rows_max,
            decoding,
        })
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
        while self.buffered.is_empty() {
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
            let Some(&last) = chunk.offsets.last() else { break };
            if self.fed.is_none() {
                self.fetch_offset = last + 1;
            }
            records += chunk.len() as u64;
            let mut rejected = Vec::new();
            self.buffered = self.decoding.decode(&chunk, self.partition.partition, &mut rejected);
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

    /// Whether records beyond the buffered ones are there already.
    pub fn has_more(&self, topics: &dyn Topics) -> Result<bool, RuntimeError> {
        match &self.fed {
            Some(fed) => Ok(!fed.is_empty()),
            None => Ok(topics.has_more(&self.partition, self.fetch_offset)?),
        }
    }

    /// Whether nothing is left beyond the buffered rows, however far away.
    pub fn is_drained(&self, topics: &dyn Topics) -> Result<bool, RuntimeError> {
        match &self.fed {
            Some(fed) => Ok(fed.is_empty()),
            None => Ok(topics.is_drained(&self.partition, self.fetch_offset)?),
        }
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

impl Decoding {
    fn new(source: &Source, changes: bool) -> Result<Self, RuntimeError> {
        let key_columns = &source.declared.key;
        let key = match key_columns.as_slice() {
            [] => None,
            columns => Some(decoder(&source.key_serde, columns, &vec![true; columns.len()])?),
        };
        let mut needed = source.needed.clone();
        let timestamp = match &source.timestamp {
            None => Timestamp::Record,
            Some(column) => {
                let pattern = column.format.as_deref().map(TimestampPattern::new).transpose();
                let pattern = pattern.map_err(RuntimeError::TimestampFormat)?;
                match column.column.checked_sub(key_columns.len()) {
                    None => Timestamp::Key(column.column, pattern),
                    Some(index) => {
                        needed[index] = true;
                        Timestamp::Value(index, pattern)
                    }
                }
            }
        };
        Ok(Self {
            key,
            value: decoder(&source.value_serde, &source.declared.value, &needed)?,
            window: source.window,
            timestamp,
            pseudo_columns: source.pseudo_columns.clone(),
            key_types: key_columns.iter().map(|column| column.sql_type.arrow()).collect(),
            changes,
        })
    }

    /// Decodes `chunk`; rows that fail are left out and listed.
    fn decode(&mut self, chunk: &RecordChunk, partition: u32, rejected: &mut Vec<Rejected>) -> ChangeBatch {
        let rows = chunk.len();
        let mut reject = |stage: Stage, errors: Vec<RowError>| {
            rejected.extend(errors.into_iter().map(|error| Rejected { row: error.row, stage, reason: error.reason }));
        };
        let (inner_keys, window) = match self.window {
            None => (chunk.keys.clone(), None),
            Some(kind) => {
                let split = windowed::split_keys(&chunk.keys, kind);
                reject(Stage::Key, split.errors);
                (split.keys, Some(split.windows))
            }
        };
        let (key, null_keys) = match &mut self.key {
            None => (Vec::new(), Some(BooleanBuffer::new_set(rows))),
            Some(decoder) => {
                let decoded = decoder.decode(&inner_keys);
                reject(Stage::Key, decoded.errors);
                (decoded.columns, decoded.nulls)
            }
        };
        debug_assert!(key.iter().zip(&self.key_types).all(|(column, data_type)| column.data_type() == data_type));
        // The JSON text `null` is a null key as well.
        let null_keys = match key.as_slice() {
            [column] => column.logical_nulls().map(|nulls| !nulls.inner()).or(null_keys),
            _ => null_keys,
        };
        let (new_values, old_values) = if self.changes {
            let (new, old, errors) = change_encoding::split(&chunk.values);
            reject(Stage::Value, errors);
            (new, Some(old))
        } else {
            (chunk.values.clone(), None)
        };
        let decoded = self.value.decode(&new_values);
        reject(Stage::Value, decoded.errors);
        let mut value = decoded.columns;
        let old = old_values.map(|old_values| {
            let decoded = self.value.decode(&old_values);
            reject(Stage::Value, decoded.errors);
            let absent = decoded.nulls.unwrap_or_else(|| BooleanBuffer::new_unset(rows));
            OldRows { value: decoded.columns, present: !&absent }
        });
        let (rowtime, errors) = self.timestamp.extract(chunk, &key, &value);
        reject(Stage::Timestamp, errors);
        value.extend(self.pseudo_columns.iter().map(|pseudo| -> ArrayRef {
            match pseudo {
                PseudoColumn::RowPartition => Arc::new(Int32Array::from(vec![partition as i32; rows])),
                PseudoColumn::RowOffset => Arc::new(Int64Array::new(chunk.offsets.clone(), None)),
            }
        }));
        let batch = ChangeBatch {
            key,
            value,
            rowtime,
            window,
            tombstones: decoded.nulls,
            null_keys,
            seq: (0..rows as u32).collect(),
            headers: chunk.headers.clone(),
            old,
        };
        if rejected.is_empty() {
            return batch;
        }
        // A record that fails twice is one dead letter: its first reason.
        rejected.sort_by_key(|record| record.row);
        rejected.dedup_by_key(|record| record.row);
        let mut kept = vec![true; rows];
        rejected.iter().for_each(|record| kept[record.row as usize] = false);
        batch.filter(&BooleanBuffer::from(kept))
    }
}

impl Timestamp {
    /// The time of every row, and rows without a valid one.
    fn extract(&self, chunk: &RecordChunk, key: &[ArrayRef], value: &[ArrayRef]) -> (ScalarBuffer<i64>, Vec<RowError>) {
        let (column, pattern) = match self {
            Self::Record => {
                let negative = |row: &usize| chunk.timestamps[*row] < 0;
                if chunk.timestamps.iter().all(|&time| time >= 0) {
                    return (chunk.timestamps.clone(), Vec::new());
                }
                let errors = (0..chunk.len()).filter(negative).map(|row| {
                    RowError::new(row, format!("the record's timestamp {} is negative", chunk.timestamps[row]))
                });
                return (chunk.timestamps.clone(), errors.collect());
            }
            Self::Key(index, pattern) => (&key[*index], pattern),
            Self::Value(index, pattern) => (&value[*index], pattern),
        };
        let mut errors = Vec::new();
        let times = (0..chunk.len())
            .map(|row| match column_time(column, row, pattern.as_ref()) {
                Ok(time) if time >= 0 => time,
                Ok(time) => {
                    errors.push(RowError::new(row, format!("the timestamp column holds {time}, which is negative")));
                    -1
                }
                Err(reason) => {
                    errors.push(RowError::new(row, reason));
                    -1
                }
            })
            .collect();
        (times, errors)
    }
}

/// The time that `column` holds in `row`.
pub(super) fn column_time(column: &ArrayRef, row: usize, pattern: Option<&TimestampPattern>) -> Result<i64, String> {
    if column.is_null(row) {
        return Err("the timestamp column is null".to_owned());
    }
    match (column.data_type(), pattern) {
        (DataType::Int64, _) => Ok(column.as_primitive::<Int64Type>().value(row)),
        (DataType::Timestamp(..), _) => Ok(column.as_primitive::<TimestampMillisecondType>().value(row)),
        (DataType::Utf8, Some(pattern)) => pattern.parse(column.as_string::<i32>().value(row)),
        (other, _) => Err(format!("a column of type {other} holds no timestamp")),
    }
}
