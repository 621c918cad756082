//! `EMIT FINAL`: one row per window, when it has closed. Semantics 4.6.
//!
//! A window closes at the row that takes the stream time so far, so a row closes windows of all keys of its task, after its
//! own update. No timer closes any. ksqlDB looks for closed windows at most once per second of wall clock, Levada after every
//! row, as if that pause were 0: results depend neither on a clock nor on how rows came in batches. What was looked at
//! follows from the stream time, which is kept with the state, so no window is closed twice.
//!
//! A time window that has closed does not change any more, and the operators see to it that the state of a closed session
//! stays until the end of the batch; so the rows of a batch are made at its end, in the order in which windows closed:
//! by row, then by end and start of the window, then by the bytes of the key in its topic.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, UInt32Array};
use arrow::buffer::{BooleanBuffer, ScalarBuffer};
use arrow::compute::take;

use super::Output;
use super::aggregate::TimeWindows;
use super::groups::Groups;
use crate::types::{ChangeBatch, Headers, OldRows, WindowColumns};

/// Gives rows of key columns as bytes in the format of the key's topic.
pub type SerializedKeys = Box<dyn FnMut(&[ArrayRef], usize) -> BinaryArray + Send>;

/// A window that has closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closed {
    /// The row of the batch that closed it.
    pub(super) row: u32,
    pub(super) start: i64,
    pub(super) end: i64,
    /// The window's group.
    pub(super) slot: u32,
}

/// What results of closed windows take from the rows that closed them.
pub(super) struct Causes {
    /// Times of the rows.
    pub(super) rowtime: ScalarBuffer<i64>,
    seq: ScalarBuffer<u32>,
    headers: Option<Arc<[Headers]>>,
}

impl Causes {
    /// The rows of `batch`; shares memory.
    pub(super) fn of(batch: &ChangeBatch) -> Self {
        Self { rowtime: batch.rowtime.clone(), seq: batch.seq.clone(), headers: batch.headers.clone() }
    }
}

/// The windows that the rows with times `rowtimes` close, of those that `starts` holds after all of these rows: in the order
/// of the rows, then of their starts. `stream_time` is that before the rows.
///
/// Only windows that are not older than the retention can be seen when they close, measured from the newest window so far: a
/// row that jumps ahead makes windows vanish without a result.
pub(super) fn time_windows_closed(
    starts: &BTreeMap<i64, Vec<u32>>,
    windows: TimeWindows,
    mut stream_time: i64,
    rowtimes: &[i64],
) -> Vec<Closed> {
    let TimeWindows { size_ms, advance_ms, retention_ms, .. } = windows;
    let newest_closed = |stream_time: i64| windows.newest_closed(stream_time);
    let mut open = starts.range((Excluded(newest_closed(stream_time)), Unbounded)).peekable();
    let mut closed = Vec::new();
    for (row, &time) in rowtimes.iter().enumerate() {
        if time <= stream_time {
            continue;
        }
        stream_time = time;
        // A row that takes the time further is in the newest window of all.
        let newest = time / advance_ms * advance_ms;
        while let Some((&start, slots)) = open.next_if(|(start, _)| **start <= newest_closed(time)) {
            if start >= newest.saturating_sub(retention_ms) {
                let end = start + size_ms;
                closed.extend(slots.iter().map(|&slot| Closed { row: row as u32, start, end, slot }));
            }
        }
    }
    closed
}

/// Makes the rows of closed windows.
pub(super) struct Finals {
    serialized: SerializedKeys,
    attach_old: bool,
}

impl Finals {
    /// `serialized` gives keys as in their topic; `attach_old`: an operator downstream needs old rows.
    pub(super) fn new(serialized: SerializedKeys, attach_old: bool) -> Self {
        Self { serialized, attach_old }
    }

    /// Emits the rows of the windows `closed`, which come by row, with the results of their groups now.
    pub(super) fn emit(
        &mut self,
        closed: &[Closed],
        causes: &Causes,
        groups: &Groups,
        rowtime: impl Fn(&Closed) -> i64,
        out: &mut Output,
    ) {
        if closed.is_empty() {
            return;
        }
        let slots: Vec<u32> = closed.iter().map(|closed| closed.slot).collect();
        let key = groups.keys(&slots);
        let order = self.order(closed, &key);
        let at = |index: &u32| &closed[*index as usize];
        let slots: Vec<u32> = order.iter().map(|index| at(index).slot).collect();
        let value = groups.results(&slots);
        let cause = |index: &u32| at(index).row as usize;
        out.emit(ChangeBatch {
            rowtime: order.iter().map(|index| rowtime(at(index))).collect(),
            window: Some(WindowColumns {
                start: order.iter().map(|index| at(index).start).collect(),
                end: order.iter().map(|index| at(index).end).collect(),
            }),
            tombstones: None,
            null_keys: None,
            seq: order.iter().map(|index| causes.seq[cause(index)]).collect(),
            headers: causes.headers.as_ref().map(|all| order.iter().map(|i| Arc::clone(&all[cause(i)])).collect()),
            // There is one row per window: none takes the place of another.
            old: self
                .attach_old
                .then(|| OldRows { value: value.clone(), present: BooleanBuffer::new_unset(order.len()) }),
            key: {
                let order = UInt32Array::from(order.clone());
                key.iter().map(|column| take(column, &order, None).expect("each window has a key")).collect()
            },
            value,
        });
    }

    /// Indices of `closed` in the order in which their rows come.
    fn order(&mut self, closed: &[Closed], key: &[ArrayRef]) -> Vec<u32> {
        let bytes = (self.serialized)(key, closed.len());
        let mut order: Vec<u32> = (0..closed.len() as u32).collect();
        order.sort_unstable_by(|&left, &right| {
            let (a, b) = (&closed[left as usize], &closed[right as usize]);
            let key = |index: u32| bytes.value(index as usize);
            (a.row, a.end, a.start).cmp(&(b.row, b.end, b.start)).then_with(|| key(left).cmp(key(right)))
        });
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOPPING: TimeWindows = TimeWindows { size_ms: 5, advance_ms: 2, grace_ms: 1, retention_ms: 6 };

    /// Closed windows as (row, start).
    fn closed(starts: &[i64], stream_time: i64, rowtimes: &[i64]) -> Vec<(u32, i64)> {
        let starts: BTreeMap<i64, Vec<u32>> = starts.iter().map(|&start| (start, vec![0])).collect();
        let closed = time_windows_closed(&starts, HOPPING, stream_time, rowtimes);
        closed.iter().map(|closed| (closed.row, closed.start)).collect()
    }

    #[test]
    fn windows_close_at_the_row_that_takes_the_time_past_their_grace() {
        assert_eq!(closed(&[0, 2, 4], -1, &[0, 1, 2, 1, 6, 5]), [(4, 0)]);
        assert_eq!(closed(&[0, 2, 4], -1, &[5, 6, 7, 8]), [(1, 0), (3, 2)]);
    }

    #[test]
    fn windows_that_were_closed_before_are_not_closed_again() {
        assert_eq!(closed(&[0, 2, 4, 6], 6, &[6, 8]), [(1, 2)]);
    }

    #[test]
    fn a_jump_loses_windows_beyond_the_retention() {
        assert_eq!(closed(&[0, 2, 4, 6, 8, 10], 6, &[10]), [(0, 4)]);
    }
}
