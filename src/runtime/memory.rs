//! The one memory number: what tasks may keep in memory beside storage.
//!
//! State is in memory as far as it fits. Each task says after every step what its operators take. When all together take more
//! than there is, those that take more than an equal share commit early, and then let go of what they used longest ago.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What all tasks of a process may take.
#[derive(Debug)]
pub struct MemoryBudget {
    bytes_max: usize,
    used: AtomicUsize,
    tasks: AtomicUsize,
}

/// What is left of a share after state was let go of: so that it is not done anew at every commit.
const KEPT: (usize, usize) = (3, 4);

impl MemoryBudget {
    /// A budget of `bytes_max`.
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes_max, used: AtomicUsize::new(0), tasks: AtomicUsize::new(0) })
    }

    /// The share of one more task.
    pub fn next_share(&self) -> usize {
        self.bytes_max / (self.tasks.load(Ordering::Relaxed) + 1)
    }

    fn share(&self) -> usize {
        self.bytes_max / self.tasks.load(Ordering::Relaxed).max(1)
    }
}

/// What one task takes. It is given back when this is dropped.
#[derive(Debug)]
pub struct MemoryUse {
    budget: Arc<MemoryBudget>,
    bytes: usize,
}

impl MemoryUse {
    /// A task that takes nothing yet.
    pub fn new(budget: &Arc<MemoryBudget>) -> Self {
        budget.tasks.fetch_add(1, Ordering::Relaxed);
        Self { budget: Arc::clone(budget), bytes: 0 }
    }

    /// The task takes `bytes` now.
    pub fn set(&mut self, bytes: usize) {
        if bytes >= self.bytes {
            self.budget.used.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else {
            self.budget.used.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }

    /// Whether all take too much, and this one more than its share.
    pub fn is_over(&self) -> bool {
        self.budget.used.load(Ordering::Relaxed) > self.budget.bytes_max && self.bytes > self.budget.share()
    }

    /// How much the task may keep once it is over.
    pub fn kept_bytes(&self) -> usize {
        self.budget.share() / KEPT.1 * KEPT.0
    }
}

impl Drop for MemoryUse {
    fn drop(&mut self) {
        self.set(0);
        self.budget.tasks.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_more_than_a_share_gives_way_when_there_is_too_much() {
        let budget = MemoryBudget::new(100);
        let (mut small, mut large) = (MemoryUse::new(&budget), MemoryUse::new(&budget));
        small.set(20);
        large.set(80);
        assert!(!large.is_over(), "there is room for all");
        small.set(21);
        assert!(large.is_over() && !small.is_over());
        assert_eq!(large.kept_bytes(), 36);
        large.set(36);
        assert!(!large.is_over());
        drop(large);
        small.set(100);
        assert!(!small.is_over(), "what the other had is free");
    }
}
