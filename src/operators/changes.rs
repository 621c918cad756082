//! What changed since the last commit, in the order of the last changes, and the headers of these changes.

use std::sync::Arc;

use crate::types::{ChangeBatch, Headers};

/// Slots that changed, each once.
#[derive(Default)]
pub(super) struct Changes {
    slots: Vec<u32>,
    /// Per slot: the tick of its last change, 0 for none since the commit.
    ticks: Vec<u64>,
    tick: u64,
}

impl Changes {
    /// Makes room for slots below `slots`.
    pub(super) fn grow(&mut self, slots: usize) {
        self.ticks.resize(slots.max(self.ticks.len()), 0);
    }

    /// Whether nothing changed.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// How many slots changed.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether `slot` changed.
    pub(super) fn contains(&self, slot: u32) -> bool {
        self.ticks[slot as usize] != 0
    }

    /// Notes that `slots` change, in this order.
    pub(super) fn mark(&mut self, slots: &[u32]) {
        slots.iter().for_each(|&slot| self.mark_one(slot));
    }

    /// Notes that `slot` changes.
    pub(super) fn mark_one(&mut self, slot: u32) {
        let tick = self.next_tick();
        let last = &mut self.ticks[slot as usize];
        if *last == 0 {
            self.slots.push(slot);
        }
        *last = tick;
    }

    /// A moment after all changes so far, for what is kept elsewhere.
    pub(super) fn next_tick(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }

    /// When `slot` changed last; 0 if it has not.
    pub(super) fn tick(&self, slot: u32) -> u64 {
        self.ticks[slot as usize]
    }

    /// The slots in the order of their last changes.
    pub(super) fn in_order(&self) -> Vec<u32> {
        let mut slots = self.slots.clone();
        slots.sort_unstable_by_key(|&slot| self.ticks[slot as usize]);
        slots
    }

    /// The slots; from now on nothing has changed.
    pub(super) fn take(&mut self) -> Vec<u32> {
        let slots = std::mem::take(&mut self.slots);
        slots.iter().for_each(|&slot| self.ticks[slot as usize] = 0);
        slots
    }
}

/// Headers of the last change of each slot since the last commit. Takes nothing as long as no record has headers.
#[derive(Default)]
pub(super) struct LastHeaders {
    /// Empty where no change since the commit has headers.
    by_slot: Vec<Option<Headers>>,
}

impl LastHeaders {
    /// Notes that the rows of `batch` change `slots`, in this order.
    pub(super) fn note(&mut self, batch: &ChangeBatch, slots: &[u32]) {
        if batch.headers.is_none() && self.by_slot.is_empty() {
            return;
        }
        let room = slots.iter().max().map_or(0, |&slot| slot as usize + 1);
        self.by_slot.resize(room.max(self.by_slot.len()), None);
        for (row, &slot) in slots.iter().enumerate() {
            self.by_slot[slot as usize] = batch.headers.as_ref().map(|all| Arc::clone(&all[row]));
        }
    }

    /// Those of `slot`.
    pub(super) fn of(&self, slot: u32) -> Option<Headers> {
        self.by_slot.get(slot as usize).cloned().flatten()
    }

    /// Those of `slots`, as a batch has them; the next changes are others.
    pub(super) fn take(&mut self, slots: &[u32]) -> Option<Arc<[Headers]>> {
        if self.by_slot.is_empty() {
            return None;
        }
        let headers = headers_column(slots.iter().map(|&slot| self.of(slot)));
        self.by_slot.clear();
        headers
    }

    /// The next changes are others.
    pub(super) fn clear(&mut self) {
        self.by_slot.clear();
    }
}

/// Headers of rows as a batch has them.
pub(super) fn headers_column(headers: impl Iterator<Item = Option<Headers>>) -> Option<Arc<[Headers]>> {
    let all: Vec<Option<Headers>> = headers.collect();
    let has_any = all.iter().any(Option::is_some);
    has_any.then(|| all.into_iter().map(Option::unwrap_or_default).collect())
}
