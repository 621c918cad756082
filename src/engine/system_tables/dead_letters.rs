//! The newest dead letters.

use std::time::Duration;

use super::super::query_report::PATIENCE;
use super::super::{EngineError, Shared};
use super::{Cell, Row};
use crate::runtime::dead_letter::TOPIC;
use crate::topics::TopicPartition;
use crate::types::RecordChunk;

/// Offsets that are looked at, at most: the newest.
const LETTERS_MAX: i64 = 10_000;
const BYTES_AT_ONCE: usize = 4 << 20;
/// How long to wait at a time for records that are on their way.
const WAITING: Duration = Duration::from_millis(50);

pub(super) fn rows(shared: &Shared) -> Result<Vec<Row>, EngineError> {
    let topics = &*shared.topics;
    let partition = TopicPartition { topic: TOPIC.into(), partition: 0 };
    if topics.describe(TOPIC)?.is_none() {
        return Ok(Vec::new());
    }
    let Some((start, end)) = topics.ranges(std::slice::from_ref(&partition), PATIENCE)?.pop().flatten() else {
        return Ok(Vec::new());
    };
    let (mut offset, mut rows) = (start.max(end - LETTERS_MAX), Vec::new());
    let mut waited = Duration::ZERO;
    while offset < end {
        let version = topics.version();
        let chunk = topics.fetch(&partition, offset, LETTERS_MAX as usize, BYTES_AT_ONCE)?;
        match chunk.offsets.last() {
            Some(last) => {
                offset = last + 1;
                rows.extend((0..chunk.len()).filter(|row| chunk.offsets[*row] < end).map(|row| self::row(&chunk, row)));
            }
            None if topics.has_reached(&partition, offset, end)? || waited >= PATIENCE => break,
            None => {
                topics.wait(version, WAITING);
                waited += WAITING;
            }
        }
    }
    Ok(rows)
}

fn row(chunk: &RecordChunk, row: usize) -> Row {
    // The last ones are ours: a record may have been a dead letter before.
    let header = |name: &str| {
        let headers = chunk.headers_at(row).iter().rev();
        let value = headers.filter(|header| header.key == name).find_map(|header| header.value.as_deref());
        value.map(|value| String::from_utf8_lossy(value).into_owned())
    };
    let number = |name: &str| header(name).and_then(|text| text.parse::<i64>().ok());
    let text = |bytes: &arrow::array::BinaryArray| {
        use arrow::array::Array as _;
        bytes.is_valid(row).then(|| String::from_utf8_lossy(bytes.value(row)).into_owned())
    };
    let has_record = header("levada.topic").is_some();
    vec![
        chunk.offsets[row].into(),
        header("levada.query").into(),
        header("levada.topic").into(),
        number("levada.partition").into(),
        number("levada.offset").into(),
        header("levada.stage").into(),
        header("levada.reason").into(),
        text(&chunk.keys).into(),
        text(&chunk.values).into(),
        Cell::time(Some(chunk.timestamps[row]).filter(|_| has_record)),
    ]
}
