//! GROUP BY with SESSION windows, and EMIT FINAL over them.

use super::accumulator::Accumulators;
use super::change::KeyWindow;
use super::{Change, Operator};
use crate::oracle::value::{KeyFormat, Value, key_order};

const DAY_MS: i64 = 86_400_000;

/// Sessions grow and merge; what a session was before is a tombstone (semantics 4.5, 4.6).
pub struct SessionAggregate {
    pub initial: Accumulators,
    pub gap_ms: i64,
    pub grace_ms: Option<i64>,
    pub retention_ms: Option<i64>,
    pub is_final: bool,
    /// Results are held back: they have the headers of the change that the record cache holds, else none.
    pub holds_back: bool,
    pub key_format: KeyFormat,
    pub sessions: Vec<Session>,
    /// The greatest time of a record with a key.
    pub stream_time: i64,
    /// The greatest end of a session that was stored.
    pub newest_end: i64,
}

/// One session of a key; both bounds are records' times.
#[derive(Clone)]
pub struct Session {
    key: Vec<Value>,
    start: i64,
    end: i64,
    state: Accumulators,
    is_emitted: bool,
}

impl Session {
    fn window(&self) -> KeyWindow {
        KeyWindow { start: self.start, end: self.end, is_session: true }
    }

    fn row(&self) -> Vec<Value> {
        self.state.row(&self.key, Some((self.start, self.end)))
    }
}

impl SessionAggregate {
    fn grace(&self) -> i64 {
        self.grace_ms.unwrap_or(if self.is_final { 0 } else { (DAY_MS - self.gap_ms).max(0) })
    }

    /// What ends before is closed.
    fn close(&self) -> i64 {
        self.stream_time - self.grace() - self.gap_ms
    }

    /// What ends before is found no more, as in stores of time windows.
    fn visible_from(&self) -> i64 {
        let retention = self.retention_ms.unwrap_or(self.gap_ms + self.grace());
        self.newest_end - retention + 1
    }

    /// The sessions of a key that a record at `time` touches, by end and start.
    fn touched(&self, key: &[Value], time: i64) -> Vec<Session> {
        let touches = |session: &&Session| {
            let is_near = session.end >= time - self.gap_ms && session.start <= time + self.gap_ms;
            session.key == key && is_near && session.end >= self.visible_from()
        };
        let mut touched: Vec<Session> = self.sessions.iter().filter(touches).cloned().collect();
        touched.sort_by_key(|session| (session.end, session.start));
        touched
    }

    fn update(&mut self, key: &[Value], row: &[Value], change: &Change) -> Vec<Change> {
        let touched = self.touched(key, change.time);
        let mut merged = Session {
            key: key.to_vec(),
            start: change.time,
            end: change.time,
            state: self.initial.clone(),
            is_emitted: false,
        };
        for session in &touched {
            merged.start = merged.start.min(session.start);
            merged.end = merged.end.max(session.end);
            merged.state.merge(&session.state);
        }
        if merged.end < self.close() {
            return Vec::new();
        }
        merged.state.add(row);
        let is_touched = |known: &Session| {
            touched
                .iter()
                .any(|session| (&session.key, session.start, session.end) == (&known.key, known.start, known.end))
        };
        self.sessions.retain(|known| !is_touched(known));
        let is_same_instant = merged.start == merged.end;
        let mut changes: Vec<Change> = Vec::new();
        let mut old = None;
        let headers = if self.holds_back { change.headers.clone() } else { Vec::new() };
        for session in &touched {
            if is_same_instant {
                old = Some(session.row());
            } else {
                let gone = change.with_rows(Some(session.row()), None);
                let window = Some(session.window());
                changes.push(Change { window, time: session.end, headers: headers.clone(), ..gone });
            }
        }
        let grown = change.with_rows(old, Some(merged.row()));
        changes.push(Change { window: Some(merged.window()), time: merged.end, headers, ..grown });
        // One that was not found may have the same bounds.
        self.sessions.retain(|known| (&known.key, known.start, known.end) != (&merged.key, merged.start, merged.end));
        self.newest_end = self.newest_end.max(merged.end);
        self.sessions.push(merged);
        changes
    }

    /// Sessions that are closed and not emitted before, by end, start and key.
    fn finals(&mut self, change: &Change) -> Vec<Change> {
        let close = self.close();
        let is_due = |session: &Session| session.end < close && !session.is_emitted;
        let mut due: Vec<usize> = (0..self.sessions.len()).filter(|&at| is_due(&self.sessions[at])).collect();
        due.sort_by_key(|&at| {
            let session = &self.sessions[at];
            (session.end, session.start, key_order(self.key_format, &session.key))
        });
        let mut changes = Vec::new();
        for at in due {
            self.sessions[at].is_emitted = true;
            let session = &self.sessions[at];
            changes.push(Change {
                key: Some(session.key.clone()),
                window: Some(session.window()),
                time: session.end,
                ..change.with_rows(None, Some(session.row()))
            });
        }
        changes
    }
}

impl Operator for SessionAggregate {
    fn process(&mut self, _port: usize, change: Change) -> Vec<Change> {
        let (Some(key), Some(row), true) = (&change.key, &change.new, change.has_key()) else { return Vec::new() };
        self.stream_time = self.stream_time.max(change.time);
        let changes = self.update(key, row, &change);
        if self.is_final { self.finals(&change) } else { changes }
    }
}
