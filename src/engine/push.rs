//! Push queries on their way to a reader.
//!
//! ```text
//! tasks ── push ──▶ PushQueue (bounded: tasks of a full one wait) ── try_next, next ──▶ PushQuery ──▶ reader
//!                        └── on_change: somebody is told that there is something to take
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::runtime::PushedRows;
use crate::runtime::RowReceiver;
use crate::runtime::clock::Clock;
use crate::types::Column;

/// Rows and bytes that may wait for a slow reader before its query pauses.
const ROWS_MAX: usize = 20_000;
const BYTES_MAX: usize = 2 << 20;

/// Called when something has happened that a reader waits for. Must return at once: tasks call it.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// A running push query: the reading end. Dropping it ends the query.
pub struct PushQuery {
    /// Its id: `transient_PAYMENTS_17`.
    pub id: String,
    /// Names and types of the rows.
    pub columns: Vec<Column>,
    /// It reads what there is, and ends by itself.
    pub reads_once: bool,
    queue: Arc<PushQueue>,
}

/// What came next from a push query.
#[derive(Debug)]
pub enum PushEvent {
    /// Some rows.
    Rows(PushedRows),
    /// Nothing at the moment, or within the time given.
    Idle,
    /// The query has ended, and this is all that came.
    End(PushEnd),
}

/// Why a push query has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushEnd {
    /// It has given as many rows as it was asked for.
    LimitReached,
    /// Everything was read that was there.
    Completed,
    /// Somebody has ended it: its reader, TERMINATE, or the end of the engine.
    Stopped,
    /// It could not go on.
    Failed(String),
}

/// Rows on their way from tasks to one reader, bounded.
pub struct PushQueue {
    state: Mutex<PushState>,
    changed: Condvar,
    /// Told when the query ends, from whatever side.
    on_end: Option<Box<dyn Fn() + Send + Sync>>,
    /// Told when there is room again for tasks that wait.
    on_room: Option<Box<dyn Fn() + Send + Sync>>,
    patience: Option<Patience>,
}

/// How long a reader may leave its queue full.
struct Patience {
    clock: Arc<dyn Clock>,
    limit: Duration,
}

#[derive(Default)]
struct PushState {
    waiting: VecDeque<PushedRows>,
    rows: usize,
    bytes: usize,
    rows_left: Option<u64>,
    end: Option<PushEnd>,
    waker: Option<Waker>,
    /// Since when a task waits for the reader.
    full_since: Option<Duration>,
    /// A task waits until half of the room is free.
    is_waited_for: bool,
}

impl PushState {
    fn is_full(&self) -> bool {
        self.rows >= ROWS_MAX || self.bytes >= BYTES_MAX
    }

    /// Whether tasks that wait are to be told now that there is room.
    fn makes_room(&mut self) -> bool {
        let is_due = self.is_waited_for && self.rows <= ROWS_MAX / 2 && self.bytes <= BYTES_MAX / 2;
        self.is_waited_for &= !is_due;
        is_due
    }
}

impl PushQueue {
    /// A queue that ends after `limit` rows.
    pub fn new(limit: Option<u64>) -> Self {
        let end = (limit == Some(0)).then_some(PushEnd::LimitReached);
        let state = PushState { rows_left: limit, end, ..PushState::default() };
        Self { state: Mutex::new(state), changed: Condvar::new(), on_end: None, on_room: None, patience: None }
    }

    /// The queue that calls `on_end` once, when its query ends; from any thread.
    #[must_use]
    pub fn telling(self, on_end: impl Fn() + Send + Sync + 'static) -> Self {
        Self { on_end: Some(Box::new(on_end)), ..self }
    }

    /// The queue that calls `on_room` when a task waits and there is room again.
    #[must_use]
    pub fn making_room(self, on_room: impl Fn() + Send + Sync + 'static) -> Self {
        Self { on_room: Some(Box::new(on_room)), ..self }
    }

    /// The queue whose query fails when the reader has let it wait for `limit`, by `clock`.
    #[must_use]
    pub fn patient_for(self, limit: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { patience: Some(Patience { clock, limit }), ..self }
    }

    /// Ends the query; rows already queued can still be read.
    pub fn end(&self, why: PushEnd) {
        let mut state = self.lock();
        if state.end.is_some() {
            return;
        }
        state.end = Some(why);
        self.tell(state, true);
    }

    /// Wakes whoever waits, and says that the query has ended if it `ended`.
    fn tell(&self, state: MutexGuard<'_, PushState>, ended: bool) {
        let waker = state.waker.clone();
        drop(state);
        self.changed.notify_all();
        if let Some(waker) = waker {
            waker();
        }
        if let (true, Some(on_end)) = (ended, &self.on_end) {
            on_end();
        }
    }

    /// Whether the query has ended, waiting for that at most `timeout`, or until there is something to read.
    pub fn has_ended(&self, timeout: Duration) -> bool {
        let mut state = self.lock();
        if state.end.is_none() {
            state = self.changed.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.end.is_some()
    }

    fn try_next(&self) -> PushEvent {
        self.taken(self.lock())
    }

    fn next(&self, timeout: Duration) -> PushEvent {
        let mut state = self.lock();
        if state.waiting.is_empty() && state.end.is_none() {
            state = self.changed.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner).0;
        }
        self.taken(state)
    }

    fn taken(&self, mut state: MutexGuard<'_, PushState>) -> PushEvent {
        let event = Self::popped(&mut state);
        let has_room = state.makes_room();
        drop(state);
        if let (true, Some(on_room)) = (has_room, &self.on_room) {
            on_room();
        }
        event
    }

    fn popped(state: &mut PushState) -> PushEvent {
        match (state.waiting.pop_front(), &state.end) {
            (Some(rows), _) => {
                state.rows -= rows.len();
                state.bytes -= rows.bytes();
                if !state.is_full() {
                    state.full_since = None;
                }
                PushEvent::Rows(rows)
            }
            (None, Some(end)) => PushEvent::End(end.clone()),
            (None, None) => PushEvent::Idle,
        }
    }

    fn set_waker(&self, waker: &Waker) {
        let mut state = self.lock();
        let is_due = !state.waiting.is_empty() || state.end.is_some();
        state.waker = Some(Arc::clone(waker));
        drop(state);
        if is_due {
            waker();
        }
    }

    /// Fails the query of a reader that has let its queue wait for too long.
    fn lose_patience(&self, mut state: MutexGuard<'_, PushState>) {
        let Some(patience) = &self.patience else { return };
        let now = patience.clock.elapsed();
        let since = *state.full_since.get_or_insert(now);
        if now.saturating_sub(since) < patience.limit || state.end.is_some() {
            return;
        }
        let seconds = patience.limit.as_secs();
        let reason = format!(
            "the query was ended: its client has taken no rows for {seconds} seconds while {} rows waited for it",
            state.rows
        );
        state.end = Some(PushEnd::Failed(reason));
        self.tell(state, true);
    }

    fn lock(&self) -> MutexGuard<'_, PushState> {
        // What is queued is consistent between two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RowReceiver for PushQueue {
    /// Adds rows, cut at the limit. Never waits: a task asks whether it is full before it processes more.
    fn push(&self, rows: PushedRows) {
        let mut state = self.lock();
        if state.end.is_some() || rows.is_empty() {
            return;
        }
        let rows = match state.rows_left {
            Some(left) if left < rows.len() as u64 => rows.first(left as usize),
            _ => rows,
        };
        let was_empty = state.waiting.is_empty();
        let mut ended = false;
        if let Some(left) = &mut state.rows_left {
            *left -= rows.len() as u64;
            ended = *left == 0;
        }
        if ended {
            state.end = Some(PushEnd::LimitReached);
        }
        state.rows += rows.len();
        state.bytes += rows.bytes();
        state.waiting.push_back(rows);
        if was_empty || ended {
            self.tell(state, ended);
        }
    }

    fn is_full(&self) -> bool {
        let mut state = self.lock();
        let is_full = state.is_full();
        if is_full {
            state.is_waited_for = true;
            self.lose_patience(state);
        }
        is_full
    }

    fn is_closed(&self) -> bool {
        self.lock().end.is_some()
    }

    fn fail(&self, reason: &str) {
        self.end(PushEnd::Failed(reason.to_owned()));
    }
}

impl fmt::Debug for PushQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("PushQueue").field("rows", &state.rows).field("end", &state.end).finish_non_exhaustive()
    }
}

impl PushQuery {
    /// The reading end of `queue`.
    pub fn new(id: impl Into<String>, columns: Vec<Column>, queue: Arc<PushQueue>) -> Self {
        Self { id: id.into(), columns, reads_once: false, queue }
    }

    /// The query as one that reads what there is, and ends by itself.
    #[must_use]
    pub fn reading_once(mut self) -> Self {
        self.reads_once = true;
        self
    }

    /// What there is, without waiting.
    pub fn try_next(&self) -> PushEvent {
        self.queue.try_next()
    }

    /// What comes next, waiting at most `timeout`.
    pub fn next(&self, timeout: Duration) -> PushEvent {
        self.queue.next(timeout)
    }

    /// Has `waker` called whenever rows come after [`PushQuery::try_next`] has given [`PushEvent::Idle`], and when the
    /// query ends; at once if there is something to take already. It is called by the threads that make the rows: it
    /// must neither wait nor take rows itself.
    pub fn on_change(&self, waker: impl Fn() + Send + Sync + 'static) {
        let waker: Waker = Arc::new(waker);
        self.queue.set_waker(&waker);
    }

    /// Ends the query; safe from any thread.
    pub fn stop(&self) {
        self.queue.end(PushEnd::Stopped);
    }
}

impl fmt::Debug for PushQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushQuery").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Drop for PushQuery {
    fn drop(&mut self) {
        self.queue.end(PushEnd::Stopped);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use arrow::array::{Int32Array, RecordBatch};
    use arrow::buffer::BooleanBuffer;
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;
    use crate::runtime::clock::ManualClock;

    fn rows(count: i32) -> PushedRows {
        let schema = Schema::new(vec![Field::new("A", DataType::Int32, true)]);
        let column = Int32Array::from_iter_values(0..count);
        PushedRows::new(RecordBatch::try_new(Arc::new(schema), vec![Arc::new(column)]).expect("one column"), None)
    }

    fn taken(query: &PushQuery) -> Vec<String> {
        let mut events = Vec::new();
        loop {
            match query.try_next() {
                PushEvent::Rows(rows) => events.push(format!("{} rows", rows.len())),
                PushEvent::Idle => return events,
                PushEvent::End(end) => {
                    events.push(format!("{end:?}"));
                    return events;
                }
            }
        }
    }

    fn query(queue: PushQueue) -> (PushQuery, Arc<PushQueue>) {
        let queue = Arc::new(queue);
        (PushQuery::new("q", Vec::new(), Arc::clone(&queue)), queue)
    }

    #[test]
    fn a_limit_cuts_and_ends() {
        let (query, queue) = query(PushQueue::new(Some(5)));
        queue.push(rows(3));
        assert_eq!(taken(&query), ["3 rows"]);
        queue.push(rows(3));
        queue.push(rows(3));
        assert_eq!(taken(&query), ["2 rows", "LimitReached"]);
        assert_eq!(taken(&self::query(PushQueue::new(Some(0))).0), ["LimitReached"]);
    }

    #[test]
    fn the_reader_is_woken_once_per_time_that_it_found_nothing() {
        let woken = Arc::new(AtomicUsize::new(0));
        let count = || woken.load(Ordering::Relaxed);
        let (query, queue) = query(PushQueue::new(None));
        queue.push(rows(1));
        let counter = Arc::clone(&woken);
        query.on_change(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(count(), 1, "there were rows already");
        queue.push(rows(1));
        assert_eq!(count(), 1, "the reader has not come yet");
        assert_eq!(taken(&query), ["1 rows", "1 rows"]);
        queue.push(rows(1));
        assert_eq!(count(), 2);
        queue.end(PushEnd::Completed);
        assert_eq!(count(), 3);
        assert_eq!(taken(&query), ["1 rows", "Completed"]);
    }

    #[test]
    fn the_end_is_told_once_from_whatever_side() {
        let told = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&told);
        let queue = PushQueue::new(None).telling(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        let (query, queue) = query(queue);
        drop(query);
        assert!(queue.is_closed());
        queue.end(PushEnd::Completed);
        assert_eq!(told.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_reader_that_takes_nothing_is_waited_for_and_then_told() {
        let clock = Arc::new(ManualClock::default());
        let queue = PushQueue::new(None).patient_for(Duration::from_mins(1), Arc::<ManualClock>::clone(&clock));
        let (query, queue) = query(queue);
        queue.push(rows(ROWS_MAX as i32));
        assert!(queue.is_full());
        clock.set(59_000);
        assert!(queue.is_full() && !queue.is_closed());
        assert_eq!(taken(&query).len(), 1);
        queue.push(rows(ROWS_MAX as i32));
        assert!(queue.is_full(), "it begins anew");
        clock.set(119_000);
        assert!(queue.is_full() && queue.is_closed());
        let events = taken(&query);
        assert!(events[1].contains("has taken no rows for 60 seconds while 20000 rows waited"), "{events:?}");
    }

    #[test]
    fn tasks_that_wait_are_told_when_half_of_the_room_is_free() {
        let told = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&told);
        let (query, queue) = query(PushQueue::new(None).making_room(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        }));
        for _ in 0..4 {
            queue.push(rows(ROWS_MAX as i32 / 4));
        }
        assert!(queue.is_full());
        assert!(matches!(query.try_next(), PushEvent::Rows(_)));
        assert_eq!(told.load(Ordering::Relaxed), 0);
        assert_eq!(taken(&query).len(), 3);
        assert_eq!(told.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn tombstones_are_cut_with_their_rows() {
        let batch = rows(3).batch().clone();
        let rows = PushedRows::new(batch, Some(BooleanBuffer::from(vec![false, true, false])));
        assert!(rows.is_tombstone(1) && !rows.is_tombstone(2));
        assert!(rows.first(2).is_tombstone(1));
    }
}
