//! Where a record goes that names no partition.

use std::sync::atomic::{AtomicU32, Ordering};

use super::murmur2::partition_of_key;

/// Records with a key go by its hash, those without take turns.
#[derive(Debug, Default)]
pub(super) struct Partitioner {
    keyless: AtomicU32,
}

impl Partitioner {
    /// The partition out of `partitions` for a record with `key`.
    pub(super) fn partition_for(&self, key: Option<&[u8]>, partitions: u32) -> u32 {
        match key {
            _ if partitions <= 1 => 0,
            Some(key) => partition_of_key(key, partitions),
            None => self.keyless.fetch_add(1, Ordering::Relaxed) % partitions,
        }
    }
}
