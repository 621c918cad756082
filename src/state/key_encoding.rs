//! Keys as bytes that compare like the keys.
//!
//! ```text
//! key    := [bucket: i64, big endian, sign bit flipped] column* [window start: i64, likewise]
//!         | column* session end: i64, session start: i64, likewise
//! column := 00                      null
//!         | 01 value
//! value  := fixed width: big endian, sign bit flipped (doubles: all bits flipped when negative)
//!         | text, bytes: content with 00 → 00 FF, then 00 00
//!         | list: (01 column)* 00 | struct: column* | map: (01 column column)* 00
//! ```
//!
//! The encoding is part of the storage format: changing it means raising the format version.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type, Time32MillisecondType,
    TimeUnit, TimestampMillisecondType,
};

use super::Buckets;
use super::slot_table::hash_key;
use crate::types::{WindowColumns, WindowKind};

/// Encoded keys of a batch, one after the other, each hashed once for all tables in which it is looked up.
#[derive(Debug, Default)]
pub struct EncodedKeys {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    hashes: Vec<u64>,
}

/// What stands before and after the key columns of each row.
#[derive(Clone, Copy, Default)]
struct Bounds<'a> {
    /// Of the starts.
    buckets: Option<&'a Buckets>,
    end: Option<&'a [i64]>,
    start: Option<&'a [i64]>,
}

impl EncodedKeys {
    /// Encodes one key per row of `columns`, and its window start where keys are windowed. Replaces what was there.
    pub fn encode(&mut self, columns: &[ArrayRef], window_start: Option<&[i64]>, rows: usize) {
        self.encode_bounded(columns, Bounds { start: window_start, ..Bounds::default() }, rows);
    }

    /// As [`EncodedKeys::encode`], of keys with sessions that have these bounds.
    pub fn encode_sessions(&mut self, columns: &[ArrayRef], start: &[i64], end: &[i64], rows: usize) {
        self.encode_bounded(columns, Bounds { end: Some(end), start: Some(start), buckets: None }, rows);
    }

    /// As [`EncodedKeys::encode`], of keys with windows that have these starts, behind the buckets of those.
    pub fn encode_bucketed(&mut self, columns: &[ArrayRef], start: &[i64], buckets: &Buckets, rows: usize) {
        self.encode_bounded(columns, Bounds { buckets: Some(buckets), start: Some(start), end: None }, rows);
    }

    fn encode_bounded(&mut self, columns: &[ArrayRef], bounds: Bounds<'_>, rows: usize) {
        self.clear();
        if let [column] = columns
            && self.encode_single(column, bounds)
        {
            return;
        }
        for row in 0..rows {
            self.begin_key(row, bounds);
            for column in columns {
                encode_cell(column, row, &mut self.bytes);
            }
            self.end_key(row, bounds);
        }
    }

    /// As [`EncodedKeys::encode`] for keys whose windows are compared: time windows by their starts, sessions by both ends.
    pub fn encode_windowed(
        &mut self,
        columns: &[ArrayRef],
        windows: Option<(&WindowColumns, WindowKind)>,
        rows: usize,
    ) {
        match windows {
            None => self.encode(columns, None, rows),
            Some((windows, WindowKind::Time { .. })) => self.encode(columns, Some(&windows.start), rows),
            Some((windows, WindowKind::Session)) => self.encode_sessions(columns, &windows.start, &windows.end, rows),
        }
    }

    /// One column of a common type: its array is looked at once, not once a row.
    fn encode_single(&mut self, column: &ArrayRef, bounds: Bounds<'_>) -> bool {
        match column.data_type() {
            DataType::Utf8 => {
                let texts = column.as_string::<i32>();
                self.bytes.reserve(texts.value_data().len() + texts.len() * 12);
                for row in 0..texts.len() {
                    self.begin_key(row, bounds);
                    encode_nullable(texts.is_null(row), &mut self.bytes, |out| {
                        encode_bytes(texts.value(row).as_bytes(), out);
                    });
                    self.end_key(row, bounds);
                }
            }
            DataType::Int64 => {
                let numbers = column.as_primitive::<Int64Type>();
                for row in 0..numbers.len() {
                    self.begin_key(row, bounds);
                    encode_nullable(numbers.is_null(row), &mut self.bytes, |out| encode_i64(numbers.value(row), out));
                    self.end_key(row, bounds);
                }
            }
            _ => return false,
        }
        true
    }

    fn begin_key(&mut self, row: usize, bounds: Bounds<'_>) {
        if let (Some(buckets), Some(start)) = (bounds.buckets, bounds.start) {
            encode_i64(buckets.number(start[row]), &mut self.bytes);
        }
    }

    fn end_key(&mut self, row: usize, bounds: Bounds<'_>) {
        for bound in [bounds.end, bounds.start].into_iter().flatten() {
            encode_i64(bound[row], &mut self.bytes);
        }
        self.close();
    }

    fn close(&mut self) {
        self.ends.push(self.bytes.len() as u32);
        self.hashes.push(hash_key(self.key(self.len() - 1)));
    }

    /// Removes all keys.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.hashes.clear();
    }

    /// Adds a key made of `parts`.
    pub fn push(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        self.close();
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Key of row `row`.
    pub fn key(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        &self.bytes[start..self.ends[row] as usize]
    }

    /// Hash of the key of row `row`.
    pub(super) fn hash(&self, row: usize) -> u64 {
        self.hashes[row]
    }
}

/// The window start at the end of a windowed key.
pub fn window_start(key: &[u8]) -> i64 {
    let tail: [u8; 8] = key[key.len() - 8..].try_into().expect("windowed keys end in eight bytes");
    decode_i64(tail)
}

/// The number that [`encode_i64`] has encoded.
pub fn decode_i64(bytes: [u8; 8]) -> i64 {
    (u64::from_be_bytes(bytes) ^ (1 << 63)) as i64
}

/// Appends the bounds of a session to the encoding of its key.
pub fn encode_session(start: i64, end: i64, key: &mut Vec<u8>) {
    encode_i64(end, key);
    encode_i64(start, key);
}

/// The key of a session, and its start and end; `None` if `key` is too short to hold them.
pub fn split_session(key: &[u8]) -> Option<(&[u8], i64, i64)> {
    let (rest, start) = key.split_last_chunk::<8>()?;
    let (key, end) = rest.split_last_chunk::<8>()?;
    Some((key, decode_i64(*start), decode_i64(*end)))
}

fn encode_nullable(null: bool, out: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    if null {
        out.push(0);
    } else {
        out.push(1);
        value(out);
    }
}

/// Appends eight bytes that compare like `value`.
pub fn encode_i64(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&((value as u64) ^ (1 << 63)).to_be_bytes());
}

fn encode_i32(value: i32, out: &mut Vec<u8>) {
    out.extend_from_slice(&((value as u32) ^ (1 << 31)).to_be_bytes());
}

fn encode_f64(value: f64, out: &mut Vec<u8>) {
    let bits = value.to_bits();
    let ordered = if bits >> 63 == 1 { !bits } else { bits ^ (1 << 63) };
    out.extend_from_slice(&ordered.to_be_bytes());
}

fn encode_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(zero) = memchr::memchr(0, rest) {
        out.extend_from_slice(&rest[..=zero]);
        out.push(0xff);
        rest = &rest[zero + 1..];
    }
    out.extend_from_slice(rest);
    out.extend_from_slice(&[0, 0]);
}

/// Appends the encoding of one cell, null or not.
fn encode_cell(column: &dyn Array, row: usize, out: &mut Vec<u8>) {
    encode_nullable(column.is_null(row), out, |out| encode_value(column, row, out));
}

fn encode_value(column: &dyn Array, row: usize, out: &mut Vec<u8>) {
    match column.data_type() {
        DataType::Boolean => out.push(u8::from(column.as_boolean().value(row))),
        DataType::Int32 => encode_i32(column.as_primitive::<Int32Type>().value(row), out),
        DataType::Int64 => encode_i64(column.as_primitive::<Int64Type>().value(row), out),
        DataType::Float64 => encode_f64(column.as_primitive::<Float64Type>().value(row), out),
        DataType::Date32 => encode_i32(column.as_primitive::<Date32Type>().value(row), out),
        DataType::Time32(TimeUnit::Millisecond) => {
            encode_i32(column.as_primitive::<Time32MillisecondType>().value(row), out);
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            encode_i64(column.as_primitive::<TimestampMillisecondType>().value(row), out);
        }
        DataType::Decimal128(..) => {
            let bits = column.as_primitive::<Decimal128Type>().value(row) as u128 ^ (1 << 127);
            out.extend_from_slice(&bits.to_be_bytes());
        }
        DataType::Decimal256(..) => {
            let mut bytes = column.as_primitive::<Decimal256Type>().value(row).to_be_bytes();
            bytes[0] ^= 0x80;
            out.extend_from_slice(&bytes);
        }
        DataType::Utf8 => encode_bytes(column.as_string::<i32>().value(row).as_bytes(), out),
        DataType::Binary => encode_bytes(column.as_binary::<i32>().value(row), out),
        DataType::List(_) => {
            let elements = column.as_list::<i32>().value(row);
            for i in 0..elements.len() {
                out.push(1);
                encode_cell(&elements, i, out);
            }
            out.push(0);
        }
        DataType::Struct(_) => {
            for field in column.as_struct().columns() {
                encode_cell(field, row, out);
            }
        }
        DataType::Map(..) => {
            let entries = column.as_map().value(row);
            for i in 0..entries.len() {
                out.push(1);
                encode_cell(entries.column(0), i, out);
                encode_cell(entries.column(1), i, out);
            }
            out.push(0);
        }
        other => unreachable!("no SQL type is held in {other} arrays"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, StringArray};

    use super::*;

    fn encode(columns: &[ArrayRef]) -> Vec<Vec<u8>> {
        let mut keys = EncodedKeys::default();
        keys.encode(columns, None, columns[0].len());
        (0..keys.len()).map(|row| keys.key(row).to_vec()).collect()
    }

    #[test]
    fn encoded_keys_sort_like_the_keys() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(i64::MIN), Some(-1), Some(0), Some(7)]));
        let doubles: ArrayRef = Arc::new(Float64Array::from(vec![f64::NEG_INFINITY, -2.5, -0.5, 0.0, 1e300]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["", "\0", "\0a", "a", "ab"]));
        for column in [numbers, doubles, texts] {
            let keys = encode(&[column]);
            assert!(keys.is_sorted(), "{keys:?}");
        }
    }

    #[test]
    fn columns_cannot_run_into_each_other() {
        let left: ArrayRef = Arc::new(StringArray::from(vec!["a", "ab"]));
        let right: ArrayRef = Arc::new(StringArray::from(vec!["bc", "c"]));
        let keys = encode(&[left, right]);
        assert_ne!(keys[0], keys[1]);
    }

    #[test]
    fn the_window_start_is_read_back() {
        let names: ArrayRef = Arc::new(StringArray::from(vec!["k"]));
        let mut keys = EncodedKeys::default();
        keys.encode(&[names], Some(&[-30_000]), 1);
        assert_eq!(window_start(keys.key(0)), -30_000);
    }

    #[test]
    fn sessions_of_a_key_sort_by_their_end_and_are_read_back() {
        let session = |start, end| {
            let mut key = b"\x01k\0\0".to_vec();
            encode_session(start, end, &mut key);
            key
        };
        let keys = [session(-7, -5), session(-7, 0), session(3, 12), session(20, 20)];
        assert!(keys.is_sorted(), "{keys:?}");
        assert_eq!(split_session(&keys[2]), Some((&b"\x01k\0\0"[..], 3, 12)));
        assert_eq!(split_session(b"\xff"), None);
    }
}
