//! GROUP BY with TUMBLING and HOPPING windows, and EMIT FINAL over them.

use super::accumulator::Accumulators;
use super::change::KeyWindow;
use super::{Change, Operator};
use crate::oracle::value::{KeyFormat, Value, key_order};

const DAY_MS: i64 = 86_400_000;

/// Windows of one size at every multiple of the advance (semantics 4.4, 4.6).
pub struct WindowAggregate {
    pub initial: Accumulators,
    pub size_ms: i64,
    pub advance_ms: i64,
    pub grace_ms: Option<i64>,
    pub retention_ms: Option<i64>,
    pub is_final: bool,
    pub key_format: KeyFormat,
    pub windows: Vec<Stored>,
    /// The greatest time of a record with a key.
    pub stream_time: i64,
    /// The greatest start of a window that was stored.
    pub newest_start: i64,
}

/// One window of a key.
pub struct Stored {
    key: Vec<Value>,
    start: i64,
    state: Accumulators,
    time: i64,
    is_emitted: bool,
}

impl WindowAggregate {
    fn grace(&self) -> i64 {
        self.grace_ms.unwrap_or(if self.is_final { 0 } else { (DAY_MS - self.size_ms).max(0) })
    }

    fn key_window(&self, start: i64) -> KeyWindow {
        KeyWindow { start, end: start + self.size_ms, is_session: false }
    }

    fn row(&self, stored: &Stored) -> Vec<Value> {
        stored.state.row(&stored.key, Some((stored.start, stored.start + self.size_ms)))
    }

    fn update(&mut self, key: &[Value], start: i64, row: &[Value], change: &Change) -> Change {
        let at = self.windows.iter().position(|stored| stored.key == key && stored.start == start);
        let old = at.map(|at| self.row(&self.windows[at]));
        let at = at.unwrap_or_else(|| {
            let state = self.initial.clone();
            self.windows.push(Stored { key: key.to_vec(), start, state, time: change.time, is_emitted: false });
            self.windows.len() - 1
        });
        let stored = &mut self.windows[at];
        stored.state.add(row);
        stored.time = stored.time.max(change.time);
        self.newest_start = self.newest_start.max(start);
        let stored = &self.windows[at];
        let window = Some(self.key_window(start));
        Change { window, time: stored.time, ..change.with_rows(old, Some(self.row(stored))) }
    }

    /// Windows that are closed, not emitted before, and still kept.
    fn finals(&mut self, change: &Change) -> Vec<Change> {
        let close = self.stream_time - self.grace();
        let retention = self.retention_ms.unwrap_or(self.size_ms + self.grace());
        let oldest = self.newest_start - retention;
        let size_ms = self.size_ms;
        let is_due = |stored: &Stored| stored.start + size_ms <= close && stored.start >= oldest && !stored.is_emitted;
        let mut due: Vec<usize> = (0..self.windows.len()).filter(|&at| is_due(&self.windows[at])).collect();
        due.sort_by_key(|&at| (self.windows[at].start, key_order(self.key_format, &self.windows[at].key)));
        let mut changes = Vec::new();
        for at in due {
            self.windows[at].is_emitted = true;
            let stored = &self.windows[at];
            changes.push(Change {
                key: Some(stored.key.clone()),
                window: Some(self.key_window(stored.start)),
                time: stored.time,
                ..change.with_rows(None, Some(self.row(stored)))
            });
        }
        changes
    }
}

impl Operator for WindowAggregate {
    fn process(&mut self, _port: usize, change: Change) -> Vec<Change> {
        let (Some(key), Some(row), true) = (&change.key, &change.new, change.has_key()) else { return Vec::new() };
        self.stream_time = self.stream_time.max(change.time);
        let first = (change.time - self.size_ms + self.advance_ms).max(0) / self.advance_ms * self.advance_ms;
        let close = self.stream_time - self.grace();
        let mut changes = Vec::new();
        let mut start = first;
        while start <= change.time {
            if start + self.size_ms > close {
                changes.push(self.update(key, start, row, &change));
            }
            start += self.advance_ms;
        }
        if self.is_final { self.finals(&change) } else { changes }
    }
}
