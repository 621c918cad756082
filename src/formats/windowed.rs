//! Windowed keys: the key's bytes and then its window, as Kafka Streams lays them out.
//!
//! ```text
//! time:    key ‖ start (8 bytes, big endian)              the end is the start plus the window's size
//! session: key ‖ end (8 bytes) ‖ start (8 bytes)          the end is inclusive
//! ```

use arrow::array::{Array, BinaryArray};
use arrow::buffer::ScalarBuffer;

use crate::types::{RowError, WindowColumns, WindowKind};

use super::Encoded;
use super::rows::{RowMarks, RowsWriter};

/// Windowed keys, taken apart.
#[derive(Debug)]
pub struct SplitKeys {
    /// The keys without their windows; null where the whole key was null or wrong.
    pub keys: BinaryArray,
    /// The windows; zeros where the key was null or wrong.
    pub windows: WindowColumns,
    /// Rows whose key is too short to hold a window, ascending.
    pub errors: Vec<RowError>,
}

/// Takes the windowed keys `bytes` apart.
pub fn split_keys(bytes: &BinaryArray, kind: WindowKind) -> SplitKeys {
    let rows = bytes.len();
    let mut keys = RowsWriter::new(rows, bytes.value_data().len());
    let (mut start, mut end) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let mut marks = RowMarks::default();
    for row in 0..rows {
        let window = if bytes.is_null(row) { None } else { split_key(bytes.value(row), kind) };
        let (from, to) = if let Some((key, from, to)) = window {
            keys.out.extend_from_slice(key);
            keys.end();
            (from, to)
        } else {
            if bytes.is_valid(row) {
                marks.error(row, too_short(bytes.value(row).len(), kind));
            }
            keys.null();
            (0, 0)
        };
        start.push(from);
        end.push(to);
    }
    let windows = WindowColumns { start: ScalarBuffer::from(start), end: ScalarBuffer::from(end) };
    SplitKeys { keys: keys.finish().bytes, windows, errors: marks.errors }
}

/// A key's bytes, start and end.
fn split_key(bytes: &[u8], kind: WindowKind) -> Option<(&[u8], i64, i64)> {
    let (rest, last) = bytes.split_last_chunk::<8>()?;
    let start = i64::from_be_bytes(*last);
    match kind {
        WindowKind::Time { size_ms } => Some((rest, start, start.saturating_add(size_ms))),
        WindowKind::Session => {
            let (key, end) = rest.split_last_chunk::<8>()?;
            Some((key, start, i64::from_be_bytes(*end)))
        }
    }
}

fn too_short(length: usize, kind: WindowKind) -> String {
    let (name, needed) = match kind {
        WindowKind::Time { .. } => ("time", 8),
        WindowKind::Session => ("session", 16),
    };
    format!("a {name}-windowed key ends with {needed} bytes of window, got {length} bytes in all")
}

/// Puts keys and windows together; a null key stays null.
pub fn join_keys(keys: &BinaryArray, windows: &WindowColumns, kind: WindowKind) -> BinaryArray {
    let rows = keys.len();
    let mut writer = RowsWriter::new(rows, keys.value_data().len() + rows * 16);
    for row in 0..rows {
        if keys.is_null(row) {
            writer.null();
            continue;
        }
        writer.out.extend_from_slice(keys.value(row));
        if kind == WindowKind::Session {
            writer.out.extend_from_slice(&windows.end[row].to_be_bytes());
        }
        writer.out.extend_from_slice(&windows.start[row].to_be_bytes());
        writer.end();
    }
    let Encoded { bytes, .. } = writer.finish();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
        let pair = |pair: &[u8]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).expect("the test gives hex");
        digits.chunks(2).map(pair).collect()
    }

    fn check(kind: WindowKind, bytes: &str, key: &str, start: i64, end: i64) {
        let bytes = hex(bytes);
        let array = BinaryArray::from(vec![Some(&bytes[..]), None]);
        let split = split_keys(&array, kind);
        assert_eq!(split.keys.value(0), hex(key));
        assert!(split.keys.is_null(1) && split.errors.is_empty());
        assert_eq!((split.windows.start[0], split.windows.end[0]), (start, end));
        assert_eq!(join_keys(&split.keys, &split.windows, kind), array);
    }

    #[test]
    fn windows_follow_the_key() {
        let minute = WindowKind::Time { size_ms: 30_000 };
        check(minute, "0000000000000001 0000000000007530", "0000000000000001", 30_000, 60_000);
        let session = "0000000000000001 000000000000271a 0000000000002719";
        check(WindowKind::Session, session, "0000000000000001", 10_009, 10_010);
        check(minute, "0000000000000000", "", 0, 30_000);
    }

    #[test]
    fn short_keys_are_errors_of_their_rows() {
        let array = BinaryArray::from(vec![&[0_u8; 15][..], &[0; 16]]);
        let split = split_keys(&array, WindowKind::Session);
        assert!(split.keys.is_null(0) && split.keys.is_valid(1));
        let reason = "a session-windowed key ends with 16 bytes of window, got 15 bytes in all";
        assert_eq!(split.errors, [RowError::new(0, reason)]);
    }
}
