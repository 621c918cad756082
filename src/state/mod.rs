//! Keyed state: a hot table in memory, written to storage at commit.
//!
//! ```text
//! key columns ── EncodedKeys ──▶ key bytes ── HotKeys (SlotTable) ──▶ slot (dense u32) ──▶ columns of the operator, RowTable
//!                                               │ a key that is not at hand            commit: one write per dirty slot
//!                                               └─────────────── Store (storage) ◀──────────────┘
//! ```
//!
//! A store is the state of one operator in one task. Its entries are prefixed by [`StoreId`]; values are in
//! [`row_format`], never in a topic's format. What is in storage is never newer than what is committed, because it is
//! written in the same atomic write as the positions of the input.

mod buckets;
mod hot_keys;
pub mod key_encoding;
pub mod row_format;
mod row_table;
mod slot_table;
mod store;
mod store_size;

pub use buckets::{Buckets, META_KEY, bucket_prefix, is_meta};
pub use hot_keys::{Found, HotKeys};
pub use row_table::{RowRef, RowTable};
#[cfg(test)]
pub use slot_table::HASHED;
pub use slot_table::SlotTable;
pub use store::{StateError, Store, StoreId};
pub use store_size::{EntryWeight, StoreSize};
