//! Bytes of one partition's records to rows with event times.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array};
use arrow::buffer::{BooleanBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Int64Type, TimestampMillisecondType};

use super::dead_letter::Stage;
use super::{RuntimeError, change_encoding, header_columns};
use crate::formats::{Decoder, Format, FormatError, Schemas, Side, debezium, windowed};
use crate::plan::{Envelope, HeaderColumn, PseudoColumn, Source};
use crate::registry::Outage;
use crate::types::time_pattern::TimePattern;
use crate::types::{ChangeBatch, Column, OldRows, RecordChunk, RowError, WindowKind};

/// A record that was dropped at the input.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// Index in the chunk.
    pub row: u32,
    /// What failed.
    pub stage: Stage,
    /// Why.
    pub reason: String,
    /// Its event time column holds nothing that could be read as a time.
    pub has_no_time: bool,
}

/// The times of a chunk's rows.
struct Times {
    rowtime: ScalarBuffer<i64>,
    /// Rows with a time before 1970.
    negative: Vec<RowError>,
    /// Rows whose event time column holds no time.
    unreadable: Vec<RowError>,
}

/// How bytes become rows.
pub(super) struct Decoding {
    key: Option<Box<dyn Decoder>>,
    value: Box<dyn Decoder>,
    window: Option<WindowKind>,
    timestamp: Timestamp,
    pseudo_columns: Vec<PseudoColumn>,
    key_types: Vec<DataType>,
    /// Values hold both sides of a table's change.
    changes: bool,
    /// Why schemas could not be looked up.
    outage: Outage,
}

/// The decoder of one side of the records of `source`.
fn decoder(
    source: &Source,
    schemas: &Schemas,
    side: Side,
    columns: &[Column],
    needed: &[bool],
) -> Result<Box<dyn Decoder>, FormatError> {
    let serde = match side {
        Side::Key => &source.key_serde,
        Side::Value => &source.value_serde,
    };
    match source.envelope {
        // Keys of plain values are what they are.
        Some(Envelope::Debezium) if serde.format != Format::Kafka => {
            debezium::decoder(schemas, serde, columns, needed, side)
        }
        _ => schemas.decoder(serde, columns, needed),
    }
}

/// Where event time comes from.
enum Timestamp {
    Record,
    Key(usize, Option<TimePattern>),
    Value(usize, Option<TimePattern>),
}

impl Decoding {
    /// Reads records as `source` says. `changes`: values hold both sides of a table's change.
    pub(super) fn new(source: &Source, changes: bool, schemas: &Schemas) -> Result<Self, RuntimeError> {
        let (schemas, outage) = schemas.watched();
        let key_columns = &source.declared.key;
        let key = match key_columns.as_slice() {
            [] => None,
            columns => Some(decoder(source, &schemas, Side::Key, columns, &vec![true; columns.len()])?),
        };
        let mut needed = source.needed.clone();
        let timestamp = match &source.timestamp {
            None => Timestamp::Record,
            Some(column) => {
                let pattern = column.format.as_deref().map(TimePattern::new).transpose();
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
            value: decoder(source, &schemas, Side::Value, &source.declared.value, &needed)?,
            window: source.window,
            timestamp,
            pseudo_columns: source.pseudo_columns.clone(),
            key_types: key_columns.iter().map(|column| column.sql_type.arrow()).collect(),
            changes,
            outage,
        })
    }

    /// Decodes `chunk`; rows that fail are left out and listed.
    ///
    /// # Errors
    /// [`RuntimeError::Registry`] where the registry cannot be asked for a schema: nobody knows what is wrong with a row then.
    pub(super) fn decode(
        &mut self,
        chunk: &RecordChunk,
        partition: u32,
        rejected: &mut Vec<Rejected>,
    ) -> Result<ChangeBatch, RuntimeError> {
        let rows = chunk.len();
        let mut reject = |stage: Stage, errors: Vec<RowError>| {
            rejected.extend(errors.into_iter().map(|error| error.rejected(stage)));
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
        if let Some(error) = self.outage.take() {
            return Err(error.into());
        }
        let Times { rowtime, negative, unreadable } = self.timestamp.extract(chunk, &key, &value);
        reject(Stage::Timestamp, negative);
        let unreadable = unreadable.into_iter();
        rejected.extend(unreadable.map(|error| Rejected { has_no_time: true, ..error.rejected(Stage::Timestamp) }));
        value.extend(self.pseudo_columns.iter().map(|pseudo| -> ArrayRef {
            match pseudo {
                PseudoColumn::RowPartition => Arc::new(Int32Array::from(vec![partition as i32; rows])),
                PseudoColumn::RowOffset => Arc::new(Int64Array::new(chunk.offsets.clone(), None)),
                PseudoColumn::Header(HeaderColumn { header: None, .. }) => header_columns::all(chunk),
                PseudoColumn::Header(HeaderColumn { header: Some(name), .. }) => header_columns::last(chunk, name),
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
            return Ok(batch);
        }
        // A record that fails twice is one dead letter: its first reason.
        rejected.sort_by_key(|record| record.row);
        rejected.dedup_by_key(|record| record.row);
        let mut kept = vec![true; rows];
        rejected.iter().for_each(|record| kept[record.row as usize] = false);
        Ok(batch.filter(&BooleanBuffer::from(kept)))
    }
}

impl Timestamp {
    /// The time of every row, and rows without a valid one.
    fn extract(&self, chunk: &RecordChunk, key: &[ArrayRef], value: &[ArrayRef]) -> Times {
        let (column, pattern) = match self {
            Self::Record => {
                let negative = |row: &usize| chunk.timestamps[*row] < 0;
                let rowtime = chunk.timestamps.clone();
                if chunk.timestamps.iter().all(|&time| time >= 0) {
                    return Times { rowtime, negative: Vec::new(), unreadable: Vec::new() };
                }
                let errors = (0..chunk.len()).filter(negative).map(|row| {
                    RowError::new(row, format!("the record's timestamp {} is negative", chunk.timestamps[row]))
                });
                return Times { rowtime, negative: errors.collect(), unreadable: Vec::new() };
            }
            Self::Key(index, pattern) => (&key[*index], pattern),
            Self::Value(index, pattern) => (&value[*index], pattern),
        };
        let (mut negative, mut unreadable) = (Vec::new(), Vec::new());
        let rowtime = (0..chunk.len())
            .map(|row| match column_time(column, row, pattern.as_ref()) {
                Ok(time) if time >= 0 => time,
                Ok(time) => {
                    negative.push(RowError::new(row, format!("the timestamp column holds {time}, which is negative")));
                    -1
                }
                Err(reason) => {
                    unreadable.push(RowError::new(row, reason));
                    -1
                }
            })
            .collect();
        Times { rowtime, negative, unreadable }
    }
}

impl RowError {
    /// The record with this error, dropped at `stage`.
    fn rejected(self, stage: Stage) -> Rejected {
        Rejected { row: self.row, stage, reason: self.reason, has_no_time: false }
    }
}

/// The time that `column` holds in `row`.
pub(super) fn column_time(column: &ArrayRef, row: usize, pattern: Option<&TimePattern>) -> Result<i64, String> {
    if column.is_null(row) {
        return Err("the timestamp column is null".to_owned());
    }
    match (column.data_type(), pattern) {
        (DataType::Int64, _) => Ok(column.as_primitive::<Int64Type>().value(row)),
        (DataType::Timestamp(..), _) => Ok(column.as_primitive::<TimestampMillisecondType>().value(row)),
        (DataType::Utf8, Some(pattern)) => {
            pattern.parse(column.as_string::<i32>().value(row))?.timestamp(|local_ms| local_ms)
        }
        (other, _) => Err(format!("a column of type {other} holds no timestamp")),
    }
}
