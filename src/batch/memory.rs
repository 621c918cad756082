//! Memory that reads may take, all together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::BatchError;

/// Memory that reads share.
#[derive(Debug)]
pub struct MemoryPool {
    limit: usize,
    used: AtomicUsize,
}

/// A part of a pool. Dropping it gives it back.
#[derive(Debug)]
pub struct Reservation {
    pool: Arc<MemoryPool>,
    bytes: usize,
    what: &'static str,
}

impl MemoryPool {
    /// A pool of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0) }
    }

    /// Bytes that are taken.
    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> bool {
        let more = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }
}

impl Reservation {
    /// Nothing of `pool` yet, for `what`.
    pub fn new(pool: &Arc<MemoryPool>, what: &'static str) -> Self {
        Self { pool: Arc::clone(pool), bytes: 0, what }
    }

    /// Has as much as `bytes`, if there is so much; else as much as before.
    pub(super) fn try_resize(&mut self, bytes: usize) -> bool {
        if bytes > self.bytes && !self.pool.take(bytes - self.bytes) {
            return false;
        }
        if bytes < self.bytes {
            self.pool.used.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
        true
    }

    /// Has as much as `bytes`.
    ///
    /// # Errors
    /// There is not so much; it is as large as before.
    pub fn resize(&mut self, bytes: usize) -> Result<(), BatchError> {
        if self.try_resize(bytes) {
            return Ok(());
        }
        Err(BatchError::Memory { what: self.what, limit: self.pool.limit })
    }

    /// Takes `bytes` more.
    ///
    /// # Errors
    /// There is not so much.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), BatchError> {
        self.resize(self.bytes.saturating_add(bytes))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.try_resize(0);
    }
}
