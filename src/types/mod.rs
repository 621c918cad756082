//! The nouns of the engine: SQL types over Arrow, schemas, batches of records and changes, and time.
//!
//! ```text
//! topic ── RecordChunk (bytes) ── formats ──▶ ChangeBatch (columns) ── operators ──▶ ChangeBatch ── formats ──▶ RecordChunk
//! ```

pub mod calendar;
mod change_batch;
pub mod iso_text;
pub mod java_order;
pub mod java_text;
pub mod json_scanner;
pub mod json_text;
pub mod json_value;
pub mod number_text;
mod record_chunk;
mod resident;
mod row_error;
mod schema;
mod sql_type;
pub mod time_pattern;
mod window;
mod zone;
mod zone_clock;
mod zone_names;

pub use change_batch::{ChangeBatch, OldRows};
pub use record_chunk::{Header, Headers, RecordChunk, RecordChunkBuilder};
pub use resident::resident_bytes;
pub use row_error::RowError;
pub use schema::{Column, Schema, SchemaDisplay};
pub use sql_type::{SqlType, StructField};
pub use window::{WindowColumns, WindowKind};
pub use zone::{ClockOffset, Zone};
pub use zone_clock::ZoneClock;

/// Stack of a thread that plans statements or evaluates expressions: trees are as high as the parser lets them be, and
/// are walked recursively. Only what is used takes memory.
pub const STACK_BYTES: usize = 64 << 20;
