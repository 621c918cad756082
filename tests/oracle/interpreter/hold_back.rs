//! The record cache: what a table has become is told at commit.

use super::{Change, Operator};

/// Keeps the last change of each key until the commit, in the order of their last changes. A key that came and went in
/// between is not seen; the old row is the one that was told last (semantics 4.3).
#[derive(Default)]
pub struct HoldBack {
    changes: Vec<Change>,
}

impl Operator for HoldBack {
    fn process(&mut self, _port: usize, change: Change) -> Vec<Change> {
        let same = |held: &Change| held.key == change.key && held.window == change.window;
        let old = match self.changes.iter().position(same) {
            Some(at) => self.changes.remove(at).old,
            None => change.old.clone(),
        };
        self.changes.push(Change { old, ..change });
        Vec::new()
    }

    fn commit(&mut self) -> Vec<Change> {
        let changes = std::mem::take(&mut self.changes);
        changes.into_iter().filter(|change| change.old.is_some() || change.new.is_some()).collect()
    }
}
