//! Whether this server has the state of all tasks, so that who reads need not ask where it is.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what may change where state is, and notes at which count all of it was here.
#[derive(Debug)]
pub(super) struct LocalState {
    changes: AtomicU64,
    all_at: AtomicU64,
}

impl Default for LocalState {
    fn default() -> Self {
        Self { changes: AtomicU64::new(1), all_at: AtomicU64::new(0) }
    }
}

impl LocalState {
    /// A task has come, gone, or may lack something from now on.
    pub(super) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// How much has changed so far; to be asked before tasks are looked at.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// All state was here after so many `changes`.
    pub(super) fn note_all(&self, changes: u64) {
        self.all_at.store(changes, Ordering::Release);
    }

    /// Whether all state was here when that was last looked at, and nothing has changed since.
    pub(super) fn is_all_here(&self) -> bool {
        self.all_at.load(Ordering::Acquire) == self.changes.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_while_tasks_are_looked_at_is_not_missed() {
        let state = LocalState::default();
        assert!(!state.is_all_here(), "nobody has looked");
        let before = state.changes();
        state.note_all(before);
        assert!(state.is_all_here());
        let before = state.changes();
        state.changed();
        state.note_all(before);
        assert!(!state.is_all_here(), "something has changed after the look");
    }
}
