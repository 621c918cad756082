//! Two streams whose records are close in time.

use super::change::{Key, KeyWindow};
use super::{Change, Operator, Row};
use crate::oracle::query::{JoinType, Within};
use crate::oracle::value::{KeyFormat, Value, key_order};

const DAY_MS: i64 = 86_400_000;

/// The record of a side that may meet later ones of the other.
#[derive(Clone)]
struct Stored {
    key: Vec<Value>,
    /// The key without its window, and the window.
    told: (Key, Option<KeyWindow>),
    time: i64,
    row: Row,
}

/// A record that nobody has met yet.
#[derive(Clone)]
struct Unmatched {
    side: usize,
    stored: Stored,
}

/// With a GRACE clause a record without a partner is told when none can come any more; without, at once (semantics 5.2).
pub struct StreamStreamJoin {
    join_type: JoinType,
    within: Within,
    widths: [usize; 2],
    key_format: KeyFormat,
    stream_time: i64,
    stores: [Vec<Stored>; 2],
    /// The greatest time stored, by side.
    newest: [i64; 2],
    unmatched: Vec<Unmatched>,
    /// Time of the unmatched record that was looked at last, or of an earlier one that came since.
    looked_at: i64,
}

impl StreamStreamJoin {
    pub fn new(join_type: JoinType, within: Within, widths: [usize; 2], key_format: KeyFormat) -> Self {
        Self {
            join_type,
            within,
            widths,
            key_format,
            stream_time: -1,
            stores: [Vec::new(), Vec::new()],
            newest: [-1, -1],
            unmatched: Vec::new(),
            looked_at: i64::MAX,
        }
    }

    /// RIGHT joins run as LEFT joins of swapped sides, and the window is not swapped: it is read from this side.
    fn first_side(&self) -> usize {
        usize::from(self.join_type == JoinType::Right)
    }

    fn keeps_unmatched(&self, side: usize) -> bool {
        match self.join_type {
            JoinType::Inner => false,
            JoinType::Left => side == 0,
            JoinType::Right => side == 1,
            JoinType::Full => true,
        }
    }

    /// How far before and after a record of `side` its partners may be.
    fn reach(&self, side: usize) -> (i64, i64) {
        let Within { before_ms, after_ms, .. } = self.within;
        if side == self.first_side() { (before_ms, after_ms) } else { (after_ms, before_ms) }
    }

    /// How long records are kept.
    fn retention(&self) -> i64 {
        let Within { before_ms, after_ms, grace_ms } = self.within;
        before_ms + after_ms + grace_ms.unwrap_or((DAY_MS - 2 * before_ms).max(0))
    }

    /// The row of a record of `side` with its partner's.
    fn joined(&self, side: usize, row: &Row, partner: Option<&Row>) -> Row {
        let nulls = vec![Value::Null; self.widths[1 - side]];
        let partner = partner.unwrap_or(&nulls);
        if side == 0 { [row.as_slice(), partner].concat() } else { [partner.as_slice(), row].concat() }
    }

    /// Tells of records that nobody can meet any more. Kafka Streams looks for them only if the one that it looked at last
    /// might be told, as seen from the side of the record at hand, and stops where both sides still wait.
    fn release(&mut self, side: usize, grace_ms: i64, change: &Change) -> Vec<Change> {
        if self.looked_at.saturating_add(self.reach(side).1 + grace_ms) >= self.stream_time {
            return Vec::new();
        }
        self.looked_at = i64::MAX;
        let first = self.first_side();
        let mut entries = std::mem::take(&mut self.unmatched);
        entries.sort_by_cached_key(|entry| {
            (entry.stored.time, entry.side == first, key_bytes(self.key_format, &entry.stored.told))
        });
        let (mut told, mut waits, mut ended) = (Vec::new(), [false; 2], false);
        for group in entries.chunk_by(|one, other| {
            (one.side, one.stored.time, &one.stored.key) == (other.side, other.stored.time, &other.stored.key)
        }) {
            let (side, time) = (group[0].side, group[0].stored.time);
            if !ended {
                self.looked_at = time;
                ended = waits == [true; 2];
            }
            if ended || time + self.reach(side).1 + grace_ms >= self.stream_time {
                waits[side] = true;
                self.unmatched.extend_from_slice(group);
                continue;
            }
            told.extend(group.iter().map(|Unmatched { side, stored }| Change {
                time: stored.time,
                new: Some(self.joined(*side, &stored.row, None)),
                key: stored.told.0.clone(),
                window: stored.told.1,
                ..change.clone()
            }));
        }
        told
    }

    /// The records of the other side that a record of `side` meets, by time and arrival.
    fn partners(&self, side: usize, key: &[Value], time: i64) -> Vec<(i64, Row)> {
        let (before, after) = self.reach(side);
        let oldest = self.newest[1 - side] - self.retention() + 1;
        let meets = |stored: &&Stored| {
            let from = (time - before).max(0);
            stored.key == key && stored.time >= from && stored.time <= time + after && stored.time >= oldest
        };
        let mut found: Vec<(i64, Row)> =
            self.stores[1 - side].iter().filter(meets).map(|stored| (stored.time, stored.row.clone())).collect();
        found.sort_by_key(|(time, _)| *time);
        found
    }

    fn meet(&mut self, side: usize, stored: &Stored, change: &Change) -> Vec<Change> {
        let mut changes = Vec::new();
        let Stored { key, row, .. } = stored;
        for (time, partner) in self.partners(side, key, change.time) {
            let joined = self.joined(side, row, Some(&partner));
            changes.push(Change { time: time.max(change.time), ..change.with_rows(None, Some(joined)) });
            self.unmatched
                .retain(|Unmatched { side: of, stored }| *of == side || stored.key != *key || stored.time != time);
        }
        if changes.is_empty() && self.keeps_unmatched(side) {
            let is_over = change.time + self.reach(side).1 < self.stream_time;
            if self.within.grace_ms.is_none() || is_over {
                changes.push(change.with_rows(None, Some(self.joined(side, row, None))));
            } else {
                self.looked_at = self.looked_at.min(change.time);
                self.unmatched.push(Unmatched { side, stored: stored.clone() });
            }
        }
        changes
    }
}

/// The bytes that records of equal time are ordered by.
fn key_bytes(format: KeyFormat, (key, window): &(Key, Option<KeyWindow>)) -> Vec<u8> {
    let mut bytes = key.as_ref().and_then(|key| key_order(format, key)).unwrap_or_default();
    bytes.extend(window.iter().flat_map(|window| window.key_suffix()));
    bytes
}

impl Operator for StreamStreamJoin {
    fn process(&mut self, side: usize, change: Change) -> Vec<Change> {
        self.stream_time = self.stream_time.max(change.time);
        let Some(row) = &change.new else { return Vec::new() };
        let Some(key) = change.identity() else {
            let told = self.keeps_unmatched(side).then(|| change.with_rows(None, Some(self.joined(side, row, None))));
            return told.into_iter().collect();
        };
        let mut changes = Vec::new();
        if let (Some(grace_ms), true) = (self.within.grace_ms, change.time == self.stream_time) {
            changes = self.release(side, grace_ms, &change);
        }
        let told = (change.key.clone(), change.window);
        let stored = Stored { key, told, time: change.time, row: row.clone() };
        changes.extend(self.meet(side, &stored, &change));
        self.newest[side] = self.newest[side].max(change.time);
        self.stores[side].push(stored);
        changes
    }
}
