//! PROTOBUF: messages behind the id of their schema; PROTOBUF_NOSR: messages alone.
//!
//! | column | field that ksqlDB writes | fields that are read |
//! |---|---|---|
//! | BOOLEAN | `bool` | the same |
//! | INTEGER | `int32` | `int32`, `sint32`, `sfixed32` |
//! | BIGINT | `int64` | any whole number; those without a sign as if they had one |
//! | DOUBLE | `double` | any number |
//! | DECIMAL | `confluent.type.Decimal` | the same, and any whole number |
//! | STRING | `string` | `string`, the names of an `enum`, whole numbers, `bool` |
//! | BYTES | `bytes` | the same |
//! | DATE, TIME, TIMESTAMP | `google.type.Date`, `google.type.TimeOfDay`, `google.protobuf.Timestamp` | the same, and days or milliseconds as whole numbers |
//! | ARRAY | `repeated`, packed where that can be | the same, packed or not |
//! | MAP | `repeated` messages of `key` and `value` | the same, and `map` |
//! | STRUCT | a message | the same, and a `oneof` |
//!
//! Any scalar may stand in its wrapper (`google.protobuf.Int32Value`). A scalar field that did not come has its default value,
//! as Connect reads it; an `optional` one of proto3, and a message, is NULL.
//!
//! A writer's message is compiled against the columns once (`plan`); a record is one pass over its bytes, in whatever order
//! the fields come.
//!
//! ```text
//! record ── framing ──▶ id, message ─▶ writer's schema ┐
//!                   └─▶ fields                columns ─┴─ plan ──▶ steps by number
//!                         └────────── wire, leaf_reader ───────────▶ columns
//! ```

mod decode;
mod encode;
mod framing;
mod json_text;
mod leaf_reader;
mod names;
mod plan;
#[cfg(test)]
mod tests;
mod text;
pub mod wire;

pub(super) use decode::ProtobufDecoder;
pub(super) use encode::ProtobufEncoder;
pub(super) use framing::{Framing, header_length, split_header};
pub(super) use json_text::json;
pub(super) use names::check;
pub(super) use text::text;
