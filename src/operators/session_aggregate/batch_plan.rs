//! What the rows of a batch do to sessions, worked out from keys and times before any row is folded.

use std::ops::Range;

use super::emission::Emissions;
use super::{Emission, Removed, SessionAggregate};
use crate::operators::finals::Closed;
use crate::operators::groups::Merge;
use crate::state::RowRef;
use crate::types::{ChangeBatch, RowError};

/// The effects of the rows of a batch on the sessions, which have their new bounds already. The slots of sessions that are
/// no more stay as they are until the end of the batch.
#[derive(Default)]
pub(super) struct BatchPlan {
    /// Rows of the batch that are not late. Elsewhere, rows are places in this list.
    pub(super) rows: Vec<u32>,
    /// Slot of the session of each of them.
    pub(super) slots: Vec<u32>,
    /// Those that are the first of their slot, in order.
    pub(super) created: Vec<u32>,
    /// Sessions that become part of others.
    pub(super) merges: Vec<Merge>,
    /// Sessions that are no more.
    pub(super) freed: Vec<u32>,
    /// Sessions in storage that change for the first time since the commit, where old results are asked for at commit.
    pub(super) first_changed: Vec<u32>,
    /// How many were removed from storage.
    pub(super) removed: usize,
    /// What follows from every row.
    pub(super) emissions: Emissions,
    /// Sessions that have closed, by row of the batch.
    pub(super) closed: Vec<Closed>,
    /// Late rows, by row of the batch.
    pub(super) late: Vec<RowError>,
}

impl BatchPlan {
    /// Takes the rows of `batch`, whose keys have the slots `keys`, to their sessions.
    pub(super) fn new(aggregate: &mut SessionAggregate, batch: &ChangeBatch, keys: &[u32]) -> Self {
        let emits = aggregate.emission == Emission::EveryRow && aggregate.finals.is_none();
        let mut plan = Self {
            rows: Vec::with_capacity(batch.len()),
            slots: Vec::with_capacity(batch.len()),
            emissions: Emissions::new(emits, aggregate.attach_old, batch.len()),
            ..Self::default()
        };
        let windows = aggregate.windows;
        let mut visible_from = aggregate.visible_from();
        let mut close_time = windows.close_time(aggregate.stream_time);
        for (row, (&key, &time)) in keys.iter().zip(&batch.rowtime).enumerate() {
            let moves_time = time > aggregate.stream_time;
            if moves_time {
                aggregate.stream_time = time;
                close_time = windows.close_time(time);
            }
            // Rows meet what can be seen at the time of the rows before.
            let end_min = time.saturating_sub(windows.gap_ms).max(visible_from);
            let met = aggregate.sessions.find(key, end_min, time.saturating_add(windows.gap_ms));
            plan.meet(aggregate, row, (key, time), met, close_time);
            if moves_time {
                visible_from = aggregate.visible_from();
                plan.close(aggregate, row, close_time, windows.segment_start(time));
            }
        }
        plan
    }

    /// Adds the row to the session that it makes of those it has `met`, unless that has closed.
    fn meet(
        &mut self,
        aggregate: &mut SessionAggregate,
        row: usize,
        (key, time): (u32, i64),
        met: Range<usize>,
        close_time: i64,
    ) {
        let sessions = &aggregate.sessions;
        let (mut start, mut end) = (time, time);
        if !met.is_empty() {
            start = start.min(sessions.start(sessions.at(key, met.start)));
            end = end.max(sessions.end(sessions.at(key, met.end - 1)));
        }
        if end < close_time {
            self.late.push(RowError::new(row, late(aggregate, time)));
            return;
        }
        let at = self.rows.len() as u32;
        self.rows.push(row as u32);
        let repeats = (start, end) == (time, time) && !met.is_empty();
        for position in met.clone() {
            let slot = aggregate.sessions.at(key, position);
            self.touch(aggregate, slot);
            if !repeats {
                self.delete(aggregate, at, slot, (start, end));
            }
        }
        let slot = self.combine(aggregate, at, (key, start, end), met);
        aggregate.changes.mark_one(slot);
        self.slots.push(slot);
        self.emissions.put(at, slot, (start, end), repeats);
    }

    /// The slot of the session from `start` to `end` that takes the place of those `met`. The first of them keeps its slot,
    /// unless it has closed and its row may not have been made yet.
    fn combine(
        &mut self,
        aggregate: &mut SessionAggregate,
        at: u32,
        (key, start, end): (u32, i64, i64),
        mut met: Range<usize>,
    ) -> u32 {
        let first = (!met.is_empty()).then(|| aggregate.sessions.at(key, met.start));
        let (slot, merged) = match first {
            Some(first) if !aggregate.is_closed[first as usize] => (first, met.start + 1..met.end),
            _ => (aggregate.sessions.insert(key, start, end), met.clone()),
        };
        for position in merged {
            let from = aggregate.sessions.at(key, position);
            self.merges.push(Merge { at, into: slot, from });
            self.freed.push(from);
            aggregate.sessions.retire(from);
        }
        aggregate.sessions.set_bounds(slot, start, end);
        if first == Some(slot) {
            if met.len() > 1 {
                aggregate.sessions.replace(key, met, slot);
            }
            return slot;
        }
        aggregate.grow();
        if let Some(unseen) = unseen(aggregate, (key, start, end), &met) {
            aggregate.is_stored[slot as usize] = aggregate.is_stored[unseen as usize];
            aggregate.sessions.retire(unseen);
            self.freed.push(unseen);
            met.start -= 1;
        }
        aggregate.sessions.replace(key, met, slot);
        aggregate.index(slot);
        self.created.push(at);
        slot
    }

    /// The session is about to change.
    fn touch(&mut self, aggregate: &SessionAggregate, slot: u32) {
        let asked = aggregate.attach_old && aggregate.holds_back();
        if asked && aggregate.is_stored[slot as usize] && !aggregate.changes.contains(slot) {
            self.first_changed.push(slot);
        }
    }

    /// The session `slot` gives way to one with the bounds `new`; in storage that is the same one if they are equal.
    fn delete(&mut self, aggregate: &mut SessionAggregate, at: u32, slot: u32, new: (i64, i64)) {
        let (start, end) = (aggregate.sessions.start(slot), aggregate.sessions.end(slot));
        self.emissions.delete(at, slot, (start, end));
        if (start, end) != new && std::mem::take(&mut aggregate.is_stored[slot as usize]) {
            let (key, tick) = (aggregate.sessions.key_of(slot), aggregate.changes.next_tick());
            aggregate.removed.push(Removed {
                key,
                start,
                end,
                slot,
                tick,
                row: at,
                headers: None,
                old: RowRef::ABSENT,
            });
            self.removed += 1;
        }
    }

    /// Notes the sessions that ended before `close_time`; those before `found_from` close unseen.
    fn close(&mut self, aggregate: &mut SessionAggregate, row: usize, close_time: i64, found_from: i64) {
        while let Some(slot) = aggregate.open.pop_before(close_time, &aggregate.sessions) {
            aggregate.is_closed[slot as usize] = true;
            aggregate.kept.add(slot, &aggregate.sessions);
            let (start, end) = (aggregate.sessions.start(slot), aggregate.sessions.end(slot));
            if end >= found_from {
                self.closed.push(Closed { row: row as u32, start, end, slot });
            }
        }
    }
}

/// The session with these bounds before those `met`, that could not be seen.
fn unseen(aggregate: &SessionAggregate, (key, start, end): (u32, i64, i64), met: &Range<usize>) -> Option<u32> {
    let slot = aggregate.sessions.at(key, met.start.checked_sub(1)?);
    ((aggregate.sessions.start(slot), aggregate.sessions.end(slot)) == (start, end)).then_some(slot)
}

fn late(aggregate: &SessionAggregate, time: i64) -> String {
    let (stream_time, windows) = (aggregate.stream_time, aggregate.windows);
    format!(
        "late: the session of time {time} is closed at stream time {stream_time}, gap {} ms, grace {} ms",
        windows.gap_ms, windows.grace_ms
    )
}
