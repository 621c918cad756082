//! Who refers to what.
//!
//! State: `u32 length of the reference ‖ reference ‖ left key → row(left key columns, version, partition)`.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use crate::state::row_format::{decode_rows, encode_row};
use crate::state::{EntryWeight, RowRef, RowTable, SlotTable, StateError, Store, StoreSize};
use crate::storage::WriteSet;

/// Slot of rows that belong to no subscription.
const NOBODY: u32 = u32::MAX;

/// The left rows that refer to each right key.
pub(super) struct Subscriptions {
    store: Store,
    /// Keys of entries to slots of subscriptions.
    slots: SlotTable,
    rows: RowTable,
    /// Right keys to slots of `subscribers`.
    references: SlotTable,
    /// Subscriptions of each right key, in no order.
    subscribers: Vec<Vec<u32>>,
    /// Of each subscription, its right key and its place among the subscribers.
    places: Vec<(u32, u32)>,
    dirty: Vec<u32>,
    is_dirty: Vec<bool>,
    weight: EntryWeight,
    entry: Vec<u8>,
}

impl Subscriptions {
    /// Those of `store`, with rows of `types`; what storage holds is read at once.
    pub(super) fn open(store: &Store, types: &[DataType]) -> Result<Self, StateError> {
        let mut subscriptions = Self {
            store: store.clone(),
            slots: SlotTable::default(),
            rows: RowTable::new(types),
            references: SlotTable::default(),
            subscribers: Vec::new(),
            places: Vec::new(),
            dirty: Vec::new(),
            is_dirty: Vec::new(),
            weight: EntryWeight::default(),
            entry: Vec::new(),
        };
        store.scan(|entries| {
            let columns = decode_rows(types, entries.iter().map(|(_, value)| value.as_slice()))?;
            let mut slots = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                subscriptions.weight.note(key, value);
                slots.push(subscriptions.insert_entry(key, reference_of(key)?));
            }
            let segment = subscriptions.rows.add_segment(columns, slots.clone());
            for (row, slot) in slots.into_iter().enumerate() {
                subscriptions.rows.set(slot, RowRef::new(segment, row));
            }
            subscriptions.rows.compact();
            Ok(())
        })?;
        Ok(subscriptions)
    }

    /// Makes the rows of a step known, without subscribing anybody; `columns` as [`Subscriptions::open`] says. Gives their
    /// references, which are valid until [`Subscriptions::compact`].
    pub(super) fn add_rows(&mut self, columns: Vec<ArrayRef>, rows: usize) -> impl Fn(usize) -> RowRef + use<> {
        let segment = self.rows.add_segment(columns, vec![NOBODY; rows]);
        move |row| RowRef::new(segment, row)
    }

    /// Lets `left` refer to `reference` with `row`, one of [`Subscriptions::add_rows`].
    pub(super) fn insert(&mut self, reference: &[u8], left: &[u8], row: RowRef) {
        self.set_entry(reference, left);
        let entry = std::mem::take(&mut self.entry);
        let slot = self.insert_entry(&entry, reference);
        self.entry = entry;
        self.rows.assign(slot, row);
        self.mark_dirty(slot);
    }

    /// Lets `left` no longer refer to `reference`.
    pub(super) fn remove(&mut self, reference: &[u8], left: &[u8]) {
        self.set_entry(reference, left);
        let Some(slot) = self.slots.get(&self.entry).filter(|&slot| self.rows.get(slot).is_present()) else { return };
        self.rows.set(slot, RowRef::ABSENT);
        let (reference, place) = self.places[slot as usize];
        let subscribers = &mut self.subscribers[reference as usize];
        subscribers.swap_remove(place as usize);
        if let Some(&moved) = subscribers.get(place as usize) {
            self.places[moved as usize].1 = place;
        }
        self.mark_dirty(slot);
    }

    /// The rows of those who refer to `reference`, in no order.
    pub(super) fn of<'a>(&'a self, reference: &[u8]) -> impl Iterator<Item = RowRef> + use<'a> {
        let subscribers = self.references.get(reference).map(|slot| &self.subscribers[slot as usize]);
        subscribers.into_iter().flatten().map(|&slot| self.rows.get(slot))
    }

    /// The columns of the rows referred to.
    pub(super) fn gather(&self, rows: &[RowRef]) -> Vec<ArrayRef> {
        self.rows.gather(rows)
    }

    /// Merges memory where that pays; invalidates references.
    pub(super) fn compact(&mut self) {
        self.rows.compact();
    }

    pub(super) fn persist(&mut self, writes: &mut WriteSet) {
        let dirty = std::mem::take(&mut self.dirty);
        let present: Vec<u32> = dirty.iter().copied().filter(|&slot| self.rows.get(slot).is_present()).collect();
        let rows: Vec<RowRef> = present.iter().map(|&slot| self.rows.get(slot)).collect();
        let columns = self.rows.gather(&rows);
        for (row, &slot) in present.iter().enumerate() {
            let mut value = Vec::new();
            encode_row(&columns, row, &mut value);
            self.weight.note(self.slots.key(slot), &value);
            self.store.put(writes, self.slots.key(slot), value);
        }
        for slot in dirty {
            self.is_dirty[slot as usize] = false;
            if !self.rows.get(slot).is_present() {
                self.store.delete(writes, self.slots.key(slot));
                self.slots.remove(slot);
                let (reference, _) = self.places[slot as usize];
                if self.subscribers[reference as usize].is_empty() {
                    self.references.remove(reference);
                }
            }
        }
    }

    pub(super) fn size(&self) -> StoreSize {
        self.store.size(self.rows.len(), self.weight)
    }

    fn set_entry(&mut self, reference: &[u8], left: &[u8]) {
        self.entry.clear();
        self.entry.extend_from_slice(&(reference.len() as u32).to_be_bytes());
        self.entry.extend_from_slice(reference);
        self.entry.extend_from_slice(left);
    }

    /// The slot of the subscription `entry`, which is a subscriber of `reference` from now on.
    fn insert_entry(&mut self, entry: &[u8], reference: &[u8]) -> u32 {
        let (slot, _) = self.slots.insert(entry);
        if self.rows.get(slot).is_present() {
            return slot;
        }
        let (reference, _) = self.references.insert(reference);
        if self.subscribers.len() <= reference as usize {
            self.subscribers.resize_with(reference as usize + 1, Vec::new);
        }
        if self.places.len() <= slot as usize {
            self.places.resize(slot as usize + 1, (0, 0));
            self.is_dirty.resize(slot as usize + 1, false);
        }
        let subscribers = &mut self.subscribers[reference as usize];
        self.places[slot as usize] = (reference, subscribers.len() as u32);
        subscribers.push(slot);
        slot
    }

    fn mark_dirty(&mut self, slot: u32) {
        if !self.is_dirty[slot as usize] {
            self.is_dirty[slot as usize] = true;
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
