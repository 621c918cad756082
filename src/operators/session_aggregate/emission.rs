//! The rows that follow from changes of sessions: of every row of a batch, or of all since the last commit.

use arrow::array::{ArrayRef, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::take;

use super::SessionAggregate;
use crate::operators::aggregate::interleaved;
use crate::operators::changes::headers_column;
use crate::operators::groups::Groups;
use crate::operators::{NO_RECORD, Output};
use crate::state::RowRef;
use crate::types::{ChangeBatch, Headers, OldRows, WindowColumns};

/// What follows from every row of a batch: deletions and new results, in order.
#[derive(Default)]
pub(super) struct Emissions {
    /// Nothing is noted otherwise.
    wanted: bool,
    /// The row that each follows from.
    rows: Vec<u32>,
    /// Rows of deletions have no result.
    deleted: Vec<bool>,
    start: Vec<i64>,
    end: Vec<i64>,
    /// Where old rows are asked for.
    old: Option<OldSources>,
}

/// Where the old row of each emission is found.
#[derive(Default)]
struct OldSources {
    /// By slot: the last row of the batch that was folded into it.
    last_rows: Vec<u32>,
    /// Sessions whose result before the batch is an old row.
    before: Vec<u32>,
    /// 0 and an index of `before`, or 1 and a row of the batch.
    sources: Vec<(usize, usize)>,
    present: Vec<bool>,
}

const NO_ROW: u32 = u32::MAX;

impl OldSources {
    /// The old row is the result of `slot` so far.
    fn push(&mut self, slot: u32) {
        let last = self.last_rows.get(slot as usize).copied().filter(|&row| row != NO_ROW);
        self.sources.push(match last {
            Some(row) => (1, row as usize),
            None => {
                self.before.push(slot);
                (0, self.before.len() - 1)
            }
        });
        self.present.push(true);
    }

    /// There is no old row; some row stands in its place.
    fn push_absent(&mut self, row: u32) {
        self.sources.push((1, row as usize));
        self.present.push(false);
    }

    fn folded(&mut self, row: u32, slot: u32) {
        if self.last_rows.len() <= slot as usize {
            self.last_rows.resize(slot as usize + 1, NO_ROW);
        }
        self.last_rows[slot as usize] = row;
    }
}

impl Emissions {
    /// Notes emissions of a batch of `rows` rows if they are `wanted`.
    pub(super) fn new(wanted: bool, attach_old: bool, rows: usize) -> Self {
        let room = if wanted { 2 * rows } else { 0 };
        Self {
            wanted,
            rows: Vec::with_capacity(room),
            deleted: Vec::with_capacity(room),
            start: Vec::with_capacity(room),
            end: Vec::with_capacity(room),
            old: (wanted && attach_old).then(OldSources::default),
        }
    }

    /// Row `row` deletes the session `slot` with these bounds.
    pub(super) fn delete(&mut self, row: u32, slot: u32, bounds: (i64, i64)) {
        if !self.wanted {
            return;
        }
        if let Some(old) = &mut self.old {
            old.push(slot);
        }
        self.push(row, bounds, true);
    }

    /// Row `row` was folded into the session `slot`, which has these bounds now and, if it `repeats` its only instant, before.
    pub(super) fn put(&mut self, row: u32, slot: u32, bounds: (i64, i64), repeats: bool) {
        if !self.wanted {
            return;
        }
        if let Some(old) = &mut self.old {
            if repeats {
                old.push(slot);
            } else {
                old.push_absent(row);
            }
            old.folded(row, slot);
        }
        self.push(row, bounds, false);
    }

    fn push(&mut self, row: u32, (start, end): (i64, i64), deleted: bool) {
        self.rows.push(row);
        self.deleted.push(deleted);
        self.start.push(start);
        self.end.push(end);
    }

    /// The results before the batch that are old rows; to be asked for before the rows are folded.
    pub(super) fn before(&self, groups: &Groups) -> Option<Vec<ArrayRef>> {
        self.old.as_ref().map(|old| groups.results(&old.before))
    }

    /// The emissions, with `results` after each row of `batch` and those `before`.
    pub(super) fn into_batch(
        self,
        batch: &ChangeBatch,
        results: &[ArrayRef],
        before: Option<Vec<ArrayRef>>,
    ) -> ChangeBatch {
        let seq = self.rows.iter().map(|&row| batch.seq[row as usize]).collect();
        let with_result = self.rows.iter().zip(&self.deleted).map(|(&row, &deleted)| (!deleted).then_some(row));
        let value = taken(results, &with_result.collect());
        let deleted = BooleanBuffer::from(self.deleted);
        let end: Vec<i64> = self.end;
        let rowtime = end.clone().into();
        let old = self.old.zip(before).map(|(old, before)| OldRows {
            value: before.iter().zip(results).map(|(before, after)| interleaved(before, after, &old.sources)).collect(),
            present: old.present.into(),
        });
        ChangeBatch {
            key: taken(&batch.key, &UInt32Array::from(self.rows)),
            value,
            rowtime,
            window: Some(WindowColumns { start: self.start.into(), end: end.into() }),
            tombstones: (deleted.count_set_bits() > 0).then_some(deleted),
            null_keys: None,
            seq,
            // What sessions emit at once has none. Semantics 2.3.
            headers: None,
            old,
        }
    }
}

/// `columns` at `rows`; null where there is none.
fn taken(columns: &[ArrayRef], rows: &UInt32Array) -> Vec<ArrayRef> {
    columns.iter().map(|column| take(column, rows, None).expect("rows are within the batch")).collect()
}

impl SessionAggregate {
    /// Keeps the results of sessions that change for the first time since the commit.
    pub(super) fn remember_emitted(&mut self, slots: &[u32]) {
        if slots.is_empty() {
            return;
        }
        self.emitted.put(self.groups.results(slots), slots.to_vec());
    }

    /// Emits what has become of the sessions since the last commit.
    pub(super) fn emit_held_back(&mut self, out: &mut Output) {
        let changed = self.changed_sessions();
        let (sessions, emitted) = (&self.sessions, &self.emitted);
        let mut emissions: Vec<HeldBack> = (changed.iter().enumerate())
            .map(|(index, &slot)| HeldBack {
                tick: self.changes.tick(slot),
                headers: self.headers.of(slot),
                slot,
                bounds: (sessions.start(slot), sessions.end(slot)),
                result: Some(index as u32),
                // With other bounds it was another session.
                old: if self.is_stored[slot as usize] { emitted.get(slot) } else { RowRef::ABSENT },
            })
            .chain(self.removed.iter().map(|removed| HeldBack {
                tick: removed.tick,
                headers: removed.headers.clone(),
                slot: sessions.newest(removed.key),
                bounds: (removed.start, removed.end),
                result: None,
                old: removed.old,
            }))
            .collect();
        emissions.sort_unstable_by_key(|emission| emission.tick);
        let slots: Vec<u32> = emissions.iter().map(|emission| emission.slot).collect();
        let (start, end): (Vec<i64>, Vec<i64>) = emissions.iter().map(|emission| emission.bounds).unzip();
        let deleted: BooleanBuffer = emissions.iter().map(|emission| emission.result.is_none()).collect();
        let old: Vec<RowRef> = emissions.iter().map(|emission| emission.old).collect();
        let headers = emissions.iter_mut().map(|emission| emission.headers.take());
        out.emit(ChangeBatch {
            headers: headers_column(headers),
            key: self.groups.keys(&slots),
            value: taken(&self.groups.results(&changed), &emissions.iter().map(|emission| emission.result).collect()),
            rowtime: end.clone().into(),
            window: Some(WindowColumns { start: start.into(), end: end.into() }),
            tombstones: (deleted.count_set_bits() > 0).then_some(deleted),
            null_keys: None,
            seq: vec![NO_RECORD; slots.len()].into(),
            old: self.attach_old.then(|| OldRows {
                value: self.emitted.gather(&old),
                present: old.iter().map(|row| row.is_present()).collect(),
            }),
        });
        for slot in changed {
            self.emitted.set(slot, RowRef::ABSENT);
        }
        self.removed.iter_mut().for_each(|removed| removed.old = RowRef::ABSENT);
        self.emitted.compact();
        self.headers.clear();
    }
}

/// A change since the last commit.
struct HeldBack {
    tick: u64,
    headers: Option<Headers>,
    /// A session of the same key.
    slot: u32,
    bounds: (i64, i64),
    /// Index of the result; none of deletions.
    result: Option<u32>,
    old: RowRef,
}
