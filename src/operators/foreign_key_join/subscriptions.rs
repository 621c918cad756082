//! Who refers to what.
//!
//! A subscription is in memory or only in storage; of a right key in memory it is known whether all of its subscriptions are.
//!
//! State: `u32 length of the reference ‖ reference ‖ left key → row(left key columns, version, partition)`.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::super::memory::keys_within;
use crate::state::key_encoding::EncodedKeys;
use crate::state::row_format::{RowEncoder, decode_rows};
use crate::state::{Found, HotKeys, RowRef, RowTable, SlotTable, StateError, Store, StoreSize};
use crate::storage::WriteSet;

/// Slot of rows that belong to no subscription.
const NOBODY: u32 = u32::MAX;

/// The left rows that refer to each right key.
pub(super) struct Subscriptions {
    keys: HotKeys,
    table: Table,
    entries: EncodedKeys,
    /// Slots of the subscriptions of the batch at hand.
    slots: Vec<u32>,
    new: Vec<u32>,
    dirty: Vec<u32>,
}

/// What is kept for the slots.
struct Table {
    types: Vec<DataType>,
    rows: RowTable,
    /// Right keys to slots of `subscribers`.
    references: SlotTable,
    subscribers: Vec<Subscribers>,
    /// Of each subscription with a row, its right key and its place among the subscribers.
    places: Vec<(u32, u32)>,
    is_dirty: Vec<bool>,
    is_stored: Vec<bool>,
}

/// Subscriptions of a right key, in no order.
#[derive(Default)]
struct Subscribers {
    slots: Vec<u32>,
    /// Storage has no others.
    is_complete: bool,
}

impl Table {
    fn grow(&mut self, capacity: usize) {
        if self.places.len() < capacity {
            let room = capacity.next_power_of_two();
            self.places.resize(room, (0, 0));
            self.is_dirty.resize(room, false);
            self.is_stored.resize(room, false);
        }
    }

    /// Takes subscriptions as storage has them. `is_complete`: of a right key that was not known before, they are all.
    fn load(&mut self, found: &Found, is_complete: bool) -> Result<(), StateError> {
        let Found { slots, keys, values } = found;
        let Some(last) = slots.iter().max() else { return Ok(()) };
        self.grow(*last as usize + 1);
        let columns = decode_rows(&self.types, values.iter().map(Vec::as_slice))?;
        let segment = self.rows.add_segment(columns, slots.clone());
        for (row, (&slot, key)) in slots.iter().zip(keys).enumerate() {
            self.is_stored[slot as usize] = true;
            self.rows.set(slot, RowRef::new(segment, row));
            self.subscribe(slot, reference_of(key)?, is_complete);
        }
        Ok(())
    }

    /// Adds `slot` to those who refer to `reference`. `is_complete`: if that was not known before, storage has no others.
    fn subscribe(&mut self, slot: u32, reference: &[u8], is_complete: bool) {
        let (number, is_new) = self.references.insert(reference);
        if self.subscribers.len() <= number as usize {
            self.subscribers.resize_with(number as usize + 1, Subscribers::default);
        }
        let subscribers = &mut self.subscribers[number as usize];
        if is_new {
            subscribers.is_complete = is_complete;
        }
        self.places[slot as usize] = (number, subscribers.slots.len() as u32);
        subscribers.slots.push(slot);
    }

    /// Takes `slot` from those who refer to what it refers to; gives the number of that.
    fn unsubscribe(&mut self, slot: u32) -> u32 {
        let (number, place) = self.places[slot as usize];
        let subscribers = &mut self.subscribers[number as usize].slots;
        subscribers.swap_remove(place as usize);
        if let Some(&moved) = subscribers.get(place as usize) {
            self.places[moved as usize].1 = place;
        }
        number
    }

    fn forget_if_empty(&mut self, number: u32) {
        let subscribers = &mut self.subscribers[number as usize];
        if subscribers.slots.is_empty() && subscribers.slots.capacity() > 0 {
            *subscribers = Subscribers::default();
            self.references.remove(number);
        }
    }
}

impl Subscriptions {
    /// Those of `store`, with rows of `types`.
    pub(super) fn open(store: &Store, types: &[DataType]) -> Result<Self, StateError> {
        let mut subscriptions = Self {
            keys: HotKeys::new(store),
            table: Table {
                types: types.to_vec(),
                rows: RowTable::new(types),
                references: SlotTable::default(),
                subscribers: Vec::new(),
                places: Vec::new(),
                is_dirty: Vec::new(),
                is_stored: Vec::new(),
            },
            entries: EncodedKeys::default(),
            slots: Vec::new(),
            new: Vec::new(),
            dirty: Vec::new(),
        };
        let table = &mut subscriptions.table;
        subscriptions.keys.load(|found| {
            table.load(found, false)?;
            table.rows.compact();
            Ok(())
        })?;
        if subscriptions.keys.is_complete() {
            table.subscribers.iter_mut().for_each(|subscribers| subscribers.is_complete = true);
        }
        Ok(subscriptions)
    }

    /// Finds the subscriptions of a batch of references, whose rows are `columns` as [`Subscriptions::open`] says. Nobody is
    /// subscribed by that. Gives the rows, which are valid until [`Subscriptions::compact`].
    pub(super) fn begin_batch(
        &mut self,
        references: &EncodedKeys,
        left_keys: &EncodedKeys,
        columns: Vec<ArrayRef>,
    ) -> Result<u32, StateError> {
        self.entries.clear();
        for row in 0..references.len() {
            let (reference, left) = (references.key(row), left_keys.key(row));
            self.entries.push(&[&(reference.len() as u32).to_be_bytes(), reference, left]);
        }
        let is_complete = self.keys.is_complete();
        let found = self.keys.assign(&self.entries, &mut self.slots, &mut self.new)?;
        self.table.load(&found, is_complete)?;
        self.table.grow(self.keys.capacity());
        for &slot in &self.new {
            self.table.is_stored[slot as usize] = false;
        }
        Ok(self.table.rows.add_segment(columns, vec![NOBODY; references.len()]))
    }

    /// Lets the reference in `row` of the batch count, as the row of `segment` there.
    pub(super) fn insert(&mut self, row: usize, reference: &[u8], segment: u32) {
        let slot = self.slots[row];
        if !self.table.rows.get(slot).is_present() {
            self.table.subscribe(slot, reference, self.keys.is_complete());
        }
        self.table.rows.assign(slot, RowRef::new(segment, row));
        self.mark_dirty(slot);
    }

    /// Lets the reference in `row` of the batch no longer count.
    pub(super) fn remove(&mut self, row: usize) {
        let slot = self.slots[row];
        if self.table.rows.get(slot).is_present() {
            self.table.rows.set(slot, RowRef::ABSENT);
            self.table.unsubscribe(slot);
        }
        self.mark_dirty(slot);
    }

    /// The rows of those who refer to `reference`, in no order.
    pub(super) fn of(&mut self, reference: &[u8]) -> Result<Vec<RowRef>, StateError> {
        let is_complete = match self.table.references.get(reference) {
            Some(number) => self.table.subscribers[number as usize].is_complete,
            None => self.keys.is_complete(),
        };
        if !is_complete {
            self.complete(reference)?;
        }
        let Some(number) = self.table.references.get(reference) else { return Ok(Vec::new()) };
        let slots = &self.table.subscribers[number as usize].slots;
        Ok(self.table.rows.references(slots))
    }

    /// Reads all who refer to `reference` from storage, unless they are in memory, where they may have been removed.
    fn complete(&mut self, reference: &[u8]) -> Result<(), StateError> {
        let prefix = [&(reference.len() as u32).to_be_bytes(), reference].concat();
        let found = self.keys.find_prefix(&prefix)?;
        self.table.load(&found, false)?;
        if let Some(number) = self.table.references.get(reference) {
            self.table.subscribers[number as usize].is_complete = true;
        }
        Ok(())
    }

    /// The columns of the rows referred to.
    pub(super) fn gather(&self, rows: &[RowRef]) -> Vec<ArrayRef> {
        self.table.rows.gather(rows)
    }

    /// Merges memory where that pays; invalidates references.
    pub(super) fn compact(&mut self) {
        self.table.rows.compact();
    }

    pub(super) fn persist(&mut self, writes: &mut WriteSet) {
        let dirty = std::mem::take(&mut self.dirty);
        let is_present = |slot: u32, table: &Table| table.rows.get(slot).is_present();
        let present: Vec<u32> = dirty.iter().copied().filter(|&slot| is_present(slot, &self.table)).collect();
        let rows = self.table.rows.references(&present);
        let columns = self.table.rows.gather(&rows);
        let mut encoder = RowEncoder::default();
        for (row, &slot) in present.iter().enumerate() {
            let value = encoder.encode(&[], &columns, row);
            let is_stored = std::mem::replace(&mut self.table.is_stored[slot as usize], true);
            self.keys.note_written(slot, &value, !is_stored);
            self.keys.store().put(writes, self.keys.key(slot), value);
        }
        for slot in dirty {
            self.table.is_dirty[slot as usize] = false;
            if !is_present(slot, &self.table) {
                self.keys.note_removed(u64::from(std::mem::take(&mut self.table.is_stored[slot as usize])));
                self.keys.store().delete(writes, self.keys.key(slot));
                self.keys.remove(slot);
                self.table.forget_if_empty(self.table.places[slot as usize].0);
            }
        }
        self.keys.end_commit();
    }

    /// How many entries have changed since the last commit.
    pub(super) fn changed_entries(&self) -> usize {
        self.dirty.len()
    }

    /// Memory that the subscriptions take, about.
    pub(super) fn memory_bytes(&self) -> usize {
        let table = &self.table;
        let cells = self.keys.len() * (size_of::<(u32, u32)>() + size_of::<u32>() + 2);
        let lists = table.references.len() * size_of::<Subscribers>();
        self.keys.memory_bytes() + table.rows.memory_bytes() + table.references.memory_bytes() + cells + lists
    }

    /// Lets go of subscriptions that were not used for long, until about `bytes` of memory are left.
    pub(super) fn shrink(&mut self, bytes: usize) {
        let keep = keys_within(bytes, self.keys.len(), self.memory_bytes());
        for slot in self.keys.evict(keep) {
            if !self.table.rows.get(slot).is_present() {
                continue;
            }
            self.table.rows.set(slot, RowRef::ABSENT);
            let number = self.table.unsubscribe(slot);
            self.table.subscribers[number as usize].is_complete = false;
            self.table.forget_if_empty(number);
        }
        self.compact();
    }

    pub(super) fn size(&self) -> StoreSize {
        self.keys.size()
    }

    fn mark_dirty(&mut self, slot: u32) {
        if !std::mem::replace(&mut self.table.is_dirty[slot as usize], true) {
            self.dirty.push(slot);
        }
    }
}

/// The reference in the key of an entry.
fn reference_of(entry: &[u8]) -> Result<&[u8], StateError> {
    let corrupt = || StateError::Corrupt("a key of a subscription is too short".to_owned());
    let (length, rest) = entry.split_first_chunk::<4>().ok_or_else(corrupt)?;
    rest.get(..u32::from_be_bytes(*length) as usize).ok_or_else(corrupt)
}
