//! The one memory number: what tasks may keep in memory beside storage.
//!
//! State is in memory as far as it fits. Each task says after every step what its operators take. When all together take more
//! than there is, those that take more than an equal share commit early, and then let go of what they used longest ago.
//!
//! What the process takes beside state is measured: if it is more than was planned for, at times only, state gets less.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::types::resident_bytes;

/// What all tasks of a process may take.
#[derive(Debug)]
pub struct MemoryBudget {
    plan: MemoryPlan,
    bytes_max: AtomicUsize,
    used: AtomicUsize,
    /// What the process took beside state lately, at most.
    beside: AtomicUsize,
    tasks: AtomicUsize,
    /// Whether the process ends: nobody is to read more state into memory.
    ending: Arc<AtomicBool>,
}

/// How much memory there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryPlan {
    /// For the process.
    pub process_bytes: usize,
    /// Of these, for state.
    pub state_bytes: usize,
}

impl MemoryPlan {
    /// All state is in memory.
    pub const UNLIMITED: Self = Self { process_bytes: usize::MAX, state_bytes: usize::MAX };
}

/// State gets at least this share of the process's memory, if so much was planned for it.
const STATE_SHARE_MIN: usize = 8;
/// How much of a peak is forgotten at each measurement.
const FORGOTTEN: usize = 256;

/// What is left of a share after state was let go of: so that it is not done anew at every commit.
const KEPT: (usize, usize) = (3, 4);

impl MemoryBudget {
    /// A budget as planned.
    pub fn new(plan: MemoryPlan) -> Arc<Self> {
        let counter = AtomicUsize::new;
        let bytes_max = counter(plan.state_bytes);
        Arc::new(Self {
            plan,
            bytes_max,
            used: counter(0),
            beside: counter(0),
            tasks: counter(0),
            ending: Arc::default(),
        })
    }

    /// The process ends: what is read from storage for later is of no use any more.
    pub fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// Whether it does.
    pub fn ending(&self) -> &Arc<AtomicBool> {
        &self.ending
    }

    /// The share of one more task.
    pub fn next_share(&self) -> usize {
        self.bytes_max() / (self.tasks.load(Ordering::Relaxed) + 1)
    }

    fn share(&self) -> usize {
        self.bytes_max() / self.tasks.load(Ordering::Relaxed).max(1)
    }

    fn bytes_max(&self) -> usize {
        self.bytes_max.load(Ordering::Relaxed)
    }

    /// What all tasks take, and what they may take at the moment; `None`: as much as they like.
    pub fn state_bytes(&self) -> (usize, Option<usize>) {
        let limit = Some(self.bytes_max()).filter(|_| self.plan != MemoryPlan::UNLIMITED);
        (self.used.load(Ordering::Relaxed), limit)
    }

    /// Measures what the process takes, where the system tells.
    pub fn measure(&self) {
        if self.plan != MemoryPlan::UNLIMITED
            && let Some(resident) = resident_bytes()
        {
            self.note_resident(resident);
        }
    }

    /// The process takes `resident` bytes.
    fn note_resident(&self, resident: usize) {
        let lately = self.beside.load(Ordering::Relaxed);
        let beside = resident.saturating_sub(self.used.load(Ordering::Relaxed)).max(lately - lately / FORGOTTEN);
        self.beside.store(beside, Ordering::Relaxed);
        let MemoryPlan { process_bytes, state_bytes } = self.plan;
        let least = state_bytes.min(process_bytes / STATE_SHARE_MIN);
        self.bytes_max.store(process_bytes.saturating_sub(beside).clamp(least, state_bytes), Ordering::Relaxed);
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

    /// What the task takes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether all take too much, and this one more than its share.
    pub fn is_over(&self) -> bool {
        self.budget.used.load(Ordering::Relaxed) > self.budget.bytes_max() && self.bytes > self.budget.share()
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
    fn state_gets_less_when_the_rest_takes_more_than_planned() {
        let budget = MemoryBudget::new(MemoryPlan { process_bytes: 1_000, state_bytes: 500 });
        let mut task = MemoryUse::new(&budget);
        task.set(400);
        budget.note_resident(800);
        assert_eq!(budget.bytes_max(), 500, "the rest takes 400 of the 500 planned for it");
        budget.note_resident(1_100);
        assert_eq!(budget.bytes_max(), 300);
        assert!(task.is_over());
        budget.note_resident(800);
        assert_eq!(budget.bytes_max(), 302, "a peak may come again");
        budget.note_resident(10_000);
        assert_eq!(budget.bytes_max(), 125, "some state there must be");
    }

    #[test]
    fn who_takes_more_than_a_share_gives_way_when_there_is_too_much() {
        let budget = MemoryBudget::new(MemoryPlan { process_bytes: 200, state_bytes: 100 });
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
