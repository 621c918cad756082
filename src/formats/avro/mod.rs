//! AVRO: binary data behind the id of their schema.
//!
//! ```text
//! record ─ id ─▶ writer's schema ┐
//! columns ───────────────────────┴─ resolved once ─▶ steps ── cursor ──▶ columns       (decode)
//! columns ── template of the schema ──▶ bytes behind its id                             (encode)
//! record ── cursor ──▶ text of a value, JSON                                            (text)
//! ```

mod cursor;
mod decode;
mod default;
mod encode;
#[cfg(test)]
mod tests;
mod text;

pub use cursor::{Cursor, Fault, write_long};
pub(super) use decode::AvroDecoder;
pub(super) use encode::AvroEncoder;
pub(super) use text::{json, text};
