//! Keys of records, as slots that are freed with the last record that needs them.

use crate::state::SlotTable;
use crate::state::key_encoding::EncodedKeys;

/// Slots of keys, and how many records need each.
#[derive(Default)]
pub(super) struct KeyUses {
    slots: SlotTable,
    uses: Vec<u32>,
}

impl KeyUses {
    /// The slot of `key`, needed once more.
    pub(super) fn add(&mut self, key: &[u8]) -> u32 {
        let (slot, _) = self.slots.insert(key);
        self.use_slot(slot)
    }

    /// As [`KeyUses::add`], of the key in `row` of `keys`.
    pub(super) fn add_row(&mut self, keys: &EncodedKeys, row: usize) -> u32 {
        let (slot, _) = self.slots.insert_row(keys, row);
        self.use_slot(slot)
    }

    fn use_slot(&mut self, slot: u32) -> u32 {
        if self.uses.len() <= slot as usize {
            self.uses.resize(slot as usize + 1, 0);
        }
        self.uses[slot as usize] += 1;
        slot
    }

    /// `slot` is needed once less. A record with a null key has no slot.
    pub(super) fn remove(&mut self, slot: u32) {
        let Some(uses) = self.uses.get_mut(slot as usize) else { return };
        *uses -= 1;
        if *uses == 0 {
            self.slots.remove(slot);
        }
    }

    /// The key in `slot`.
    pub(super) fn key(&self, slot: u32) -> &[u8] {
        self.slots.key(slot)
    }

    /// Memory that the keys take, about.
    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.memory_bytes() + self.uses.capacity() * size_of::<u32>()
    }
}
