//! The end of a task: rows become records of a topic, or rows of a push query.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::buffer::{BooleanBuffer, ScalarBuffer};
use arrow::compute::take;
use arrow::datatypes::{Int32Type, SchemaRef};

use super::dead_letter::Stage;
use super::decoding::column_time;
use super::{Client, PushedRows, RuntimeError, change_encoding};
use crate::formats::{Encoder, FormatError, RecordCheck, RecordRefusal, Schemas, Serde, Side, Subject, windowed};
use crate::operators::nulls_where;
use crate::plan::{RowPart, TimestampColumn};
use crate::topics::{TopicInfo, TopicPartition, Topics};
use crate::types::time_pattern::TimePattern;
use crate::types::{ChangeBatch, Column, RecordChunk, RowError, Schema, WindowColumns, WindowKind};

/// Where rows that leave a task go.
pub trait Output: Send {
    /// Takes a batch; adds records to `appends` and failed rows (by sequence number, with what failed) to `errors`. Returns
    /// how many records or rows were written.
    fn write(
        &mut self,
        batch: ChangeBatch,
        topics: &dyn Topics,
        appends: &mut Vec<(TopicPartition, RecordChunk)>,
        errors: &mut Vec<(Stage, RowError)>,
    ) -> u64;

    /// Whether the reader asks to wait.
    fn is_full(&self) -> bool {
        false
    }

    /// Notes that the rows that come next are of `chunk`, where a task has one input only.
    fn reading(&mut self, partition: u32, chunk: &RecordChunk) {
        let _ = (partition, chunk);
    }

    /// Whether nobody reads any more.
    fn is_closed(&self) -> bool {
        false
    }
}

/// Writes rows to a topic.
pub struct TopicOutput {
    topic: Arc<str>,
    partitions: u32,
    /// The topic takes no larger records.
    bytes_max: usize,
    key: Option<Box<dyn Encoder>>,
    value: Box<dyn Encoder>,
    /// Where the topic takes only records of registered schemas.
    key_check: Option<RecordCheck>,
    value_check: Option<RecordCheck>,
    window: Option<WindowKind>,
    timestamp: Option<SinkTimestamp>,
    /// Values hold both sides of a table's change.
    changes: bool,
    /// The value column that says which partition a record goes to; else its key does.
    partition_column: Option<usize>,
}

/// The result's column that gives the written record its time.
struct SinkTimestamp {
    column: usize,
    pattern: Option<TimePattern>,
}

impl TopicOutput {
    /// Writes rows of `schema` to `topic`.
    pub fn new(
        topic: &TopicInfo,
        schema: &Schema,
        (key_serde, value_serde): (&Serde, &Serde),
        window: Option<WindowKind>,
        timestamp: Option<&TimestampColumn>,
        schemas: &Schemas,
    ) -> Result<Self, RuntimeError> {
        let encoder = |serde: &Serde, columns: &[Column], side| {
            schemas.encoder(serde, columns, Subject { topic: &topic.name, side })
        };
        let key = (!schema.key.is_empty()).then(|| encoder(key_serde, &schema.key, Side::Key)).transpose()?;
        let timestamp = timestamp
            .map(|timestamp| -> Result<SinkTimestamp, RuntimeError> {
                let pattern = timestamp.format.as_deref().map(TimePattern::new).transpose();
                Ok(SinkTimestamp { column: timestamp.column, pattern: pattern.map_err(RuntimeError::TimestampFormat)? })
            })
            .transpose()?;
        let config = &topic.config;
        let check = |side| RecordCheck::new(schemas, Subject { topic: &topic.name, side });
        let mut output = Self {
            topic: topic.name.as_str().into(),
            partitions: config.partitions,
            bytes_max: config.record_bytes_max().unwrap_or(usize::MAX),
            key,
            value: encoder(value_serde, &schema.value, Side::Value)?,
            key_check: config.validates_keys().then(|| check(Side::Key)),
            value_check: config.validates_values().then(|| check(Side::Value)),
            window,
            timestamp,
            changes: false,
            partition_column: None,
        };
        // Nobody who could not be asked is a reason to refuse results.
        for refusal in output.refusals() {
            if let Some(RecordRefusal::Unknown(error)) = refusal {
                return Err(FormatError::Unchecked { topic: topic.name.clone(), reason: error.to_string() }.into());
            }
        }
        Ok(output)
    }

    /// Why the topic takes none of the keys, none of the values that are written.
    fn refusals(&mut self) -> [Option<RecordRefusal>; 2] {
        let refusal = |check: &mut Option<RecordCheck>, encoder: &dyn Encoder| {
            check.as_mut().and_then(|check| check.check_encoder(encoder).err())
        };
        let of_keys = self.key.as_deref().and_then(|encoder| refusal(&mut self.key_check, encoder));
        [of_keys, refusal(&mut self.value_check, &*self.value)]
    }

    /// Reports the records whose schema the topic does not take.
    fn check_schemas(&mut self, chunk: &RecordChunk, errors: &mut Vec<RowError>) {
        for (refusal, bytes) in self.refusals().iter().zip([&chunk.keys, &chunk.values]) {
            let Some(refusal) = refusal else { continue };
            let reason = refusal.to_string();
            let written = (0..chunk.len()).filter(|&row| bytes.is_valid(row));
            errors.extend(written.map(|row| RowError::new(row, reason.clone())));
        }
    }

    /// Writes both sides of a table's changes.
    pub fn with_changes(self) -> Self {
        Self { changes: true, ..self }
    }

    /// Writes each record to the partition that value column `column`, an INTEGER, says.
    pub fn with_partition_column(self, column: usize) -> Self {
        Self { partition_column: Some(column), ..self }
    }

    /// Times of the written records; rows without a valid one are reported.
    fn timestamps(&self, batch: &ChangeBatch, errors: &mut Vec<RowError>) -> ScalarBuffer<i64> {
        let Some(timestamp) = &self.timestamp else { return batch.rowtime.clone() };
        let columns: Vec<&ArrayRef> = batch.key.iter().chain(&batch.value).collect();
        let column = columns[timestamp.column];
        (0..batch.len())
            .map(|row| {
                if batch.is_tombstone(row) {
                    return batch.rowtime[row];
                }
                match column_time(column, row, timestamp.pattern.as_ref()) {
                    Ok(time) if time >= 0 => time,
                    Ok(time) => {
                        errors
                            .push(RowError::new(row, format!("the timestamp column holds {time}, which is negative")));
                        -1
                    }
                    Err(reason) => {
                        errors.push(RowError::new(row, reason));
                        -1
                    }
                }
            })
            .collect()
    }

    /// Reports the records that are larger than the topic takes.
    fn check_sizes(&self, chunk: &RecordChunk, errors: &mut Vec<RowError>) {
        if chunk.byte_size() <= self.bytes_max {
            return;
        }
        for row in 0..chunk.len() {
            let headers = chunk.headers_at(row).iter();
            let headers: usize =
                headers.map(|header| header.key.len() + header.value.as_ref().map_or(0, Vec::len) + 8).sum();
            let bytes = chunk.keys.value(row).len() + chunk.values.value(row).len() + headers;
            if bytes > self.bytes_max {
                let (topic, bytes_max) = (&self.topic, self.bytes_max);
                let reason = format!(
                    "the result has {bytes} bytes, topic {topic} takes at most {bytes_max} (max.message.bytes)"
                );
                errors.push(RowError::new(row, reason));
            }
        }
    }

    /// Cuts `chunk` into one chunk per partition.
    fn append(
        &self,
        chunk: RecordChunk,
        partition_of: impl Fn(usize) -> u32,
        appends: &mut Vec<(TopicPartition, RecordChunk)>,
    ) {
        let to = |partition: u32| TopicPartition { topic: Arc::clone(&self.topic), partition };
        if self.partitions == 1 {
            appends.push((to(0), chunk));
            return;
        }
        let mut rows_of: Vec<Vec<u32>> = vec![Vec::new(); self.partitions as usize];
        for row in 0..chunk.len() {
            rows_of[partition_of(row) as usize].push(row as u32);
        }
        for (partition, rows) in (0..).zip(rows_of) {
            if !rows.is_empty() {
                appends.push((to(partition), take_records(&chunk, &UInt32Array::from(rows))));
            }
        }
    }
}

impl Output for TopicOutput {
    fn write(
        &mut self,
        batch: ChangeBatch,
        topics: &dyn Topics,
        appends: &mut Vec<(TopicPartition, RecordChunk)>,
        errors: &mut Vec<(Stage, RowError)>,
    ) -> u64 {
        let rows = batch.len();
        let mut failed = Vec::new();
        let plain_keys = match &mut self.key {
            None => BinaryArray::new_null(rows),
            Some(encoder) => {
                let encoded = encoder.encode(&batch.key, rows, batch.null_keys.as_ref());
                failed.extend(encoded.errors);
                encoded.bytes
            }
        };
        let encoded = self.value.encode(&batch.value, rows, batch.tombstones.as_ref());
        failed.extend(encoded.errors);
        let values = match &batch.old {
            Some(old) if self.changes => {
                let old = self.value.encode(&old.value, rows, Some(&!&old.present));
                failed.extend(old.errors);
                change_encoding::join(&encoded.bytes, &old.bytes)
            }
            _ => encoded.bytes,
        };
        let mut untimed = Vec::new();
        let timestamps = self.timestamps(&batch, &mut untimed);
        let keys = match (self.window, &batch.window) {
            (Some(kind), Some(window)) => windowed::join_keys(&plain_keys, window, kind),
            _ => plain_keys.clone(),
        };
        let mut chunk = RecordChunk {
            keys,
            values,
            timestamps,
            offsets: (0..rows as i64).collect(),
            headers: batch.headers.clone(),
        };
        self.check_sizes(&chunk, &mut failed);
        self.check_schemas(&chunk, &mut failed);
        let mut rows_written: Vec<u32> = (0..rows as u32).collect();
        let failed = failed.into_iter().map(|error| (Stage::Encode, error));
        let mut failed: Vec<_> = failed.chain(untimed.into_iter().map(|error| (Stage::Timestamp, error))).collect();
        if !failed.is_empty() {
            failed.sort_by_key(|(_, error)| error.row);
            failed.dedup_by_key(|(_, error)| error.row);
            let mut kept = vec![true; rows];
            failed.iter().for_each(|(_, error)| kept[error.row as usize] = false);
            let kept: UInt32Array =
                BooleanBuffer::from(kept).set_indices().map(|row| row as u32).collect::<Vec<_>>().into();
            chunk = take_records(&chunk, &kept);
            rows_written = kept.values().to_vec();
            errors.extend(
                failed.into_iter().map(|(stage, error)| {
                    (stage, RowError { row: batch.seq[error.row as usize], reason: error.reason })
                }),
            );
        }
        let written = chunk.len() as u64;
        if written > 0 {
            let key = |row: usize| plain_keys.is_valid(row).then(|| plain_keys.value(row));
            let column = self.partition_column.map(|column| batch.value[column].as_primitive::<Int32Type>());
            let partition_of = |row: usize| match (column, rows_written[row] as usize) {
                (Some(column), row) => (column.value(row) as u32).min(self.partitions - 1),
                (None, row) => topics.partition_for(key(row), self.partitions),
            };
            self.append(chunk, partition_of, appends);
        }
        written
    }
}

fn take_bytes(bytes: &BinaryArray, rows: &UInt32Array) -> BinaryArray {
    take(bytes, rows, None).expect("rows are within the chunk").as_binary::<i32>().clone()
}

fn take_records(chunk: &RecordChunk, rows: &UInt32Array) -> RecordChunk {
    RecordChunk {
        keys: take_bytes(&chunk.keys, rows),
        values: take_bytes(&chunk.values, rows),
        timestamps: rows.values().iter().map(|&row| chunk.timestamps[row as usize]).collect(),
        offsets: (0..rows.len() as i64).collect(),
        headers: chunk
            .headers
            .as_ref()
            .map(|all| rows.values().iter().map(|&row| Arc::clone(&all[row as usize])).collect()),
    }
}

/// Receives the rows of a push query.
pub trait RowReceiver: Send + Sync {
    /// Takes rows.
    fn push(&self, rows: PushedRows);

    /// Whether to wait before more is processed.
    fn is_full(&self) -> bool;

    /// Whether the query has ended.
    fn is_closed(&self) -> bool;

    /// Ends the query: it cannot go on, for `reason`.
    fn fail(&self, reason: &str);
}

/// A bound of the windows of the keys of `batch`.
fn bound(batch: &ChangeBatch, which: impl Fn(&WindowColumns) -> &ScalarBuffer<i64>) -> ArrayRef {
    match &batch.window {
        Some(window) => Arc::new(Int64Array::new(which(window).clone(), None)),
        None => Arc::new(Int64Array::new_null(batch.len())),
    }
}

/// Hands rows to a client. Null values of streams are dropped; deletions of tables are rows without values.
pub struct PushOutput {
    client: Client,
    rows: ClientRows,
    tombstones: bool,
}

impl PushOutput {
    /// Hands rows to `client`; with `tombstones`, deletions too.
    pub fn new(client: Client, tombstones: bool) -> Self {
        let rows = ClientRows::new(client.columns.clone());
        Self { client, rows, tombstones }
    }
}

/// Makes the rows that a client sees out of those of the last step.
pub(super) struct ClientRows {
    columns: Vec<(Column, RowPart)>,
    schema: SchemaRef,
}

impl ClientRows {
    /// Makes rows of `columns`, each with the part of the last step's rows that it is.
    pub(super) fn new(columns: Vec<(Column, RowPart)>) -> Self {
        let fields: Vec<_> = columns.iter().map(|(column, _)| column.field()).collect();
        Self { columns, schema: Arc::new(arrow::datatypes::Schema::new(fields)) }
    }

    pub(super) fn of(&self, batch: &ChangeBatch) -> PushedRows {
        let columns = self.columns.iter().map(|(_, part)| match part {
            RowPart::Key(index) => Arc::clone(&batch.key[*index]),
            RowPart::Value(index) => match &batch.tombstones {
                Some(tombstones) => nulls_where(&batch.value[*index], tombstones),
                None => Arc::clone(&batch.value[*index]),
            },
            RowPart::WindowStart => bound(batch, |window| &window.start),
            RowPart::WindowEnd => bound(batch, |window| &window.end),
        });
        let columns: Vec<ArrayRef> = columns.collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .expect("the plan says which part of the row each column is");
        PushedRows::new(rows, batch.tombstones.clone())
    }
}

impl Output for PushOutput {
    fn write(
        &mut self,
        batch: ChangeBatch,
        _: &dyn Topics,
        _: &mut Vec<(TopicPartition, RecordChunk)>,
        _: &mut Vec<(Stage, RowError)>,
    ) -> u64 {
        let batch = match &batch.tombstones {
            Some(tombstones) if !self.tombstones => batch.filter(&!tombstones),
            // A table has no row without a key.
            _ if self.tombstones => batch.without_null_keys(),
            _ => batch,
        };
        self.client.receiver.push(self.rows.of(&batch));
        batch.len() as u64
    }

    fn is_full(&self) -> bool {
        self.client.receiver.is_full()
    }

    fn is_closed(&self) -> bool {
        self.client.receiver.is_closed()
    }
}
