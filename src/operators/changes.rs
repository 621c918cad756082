//! What changed since the last commit, in the order of the last changes.

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
