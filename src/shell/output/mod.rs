//! Answers of statements as text: tables for people, JSON lines and CSV for programs.
//!
//! ```text
//! Message ─┐             ┌─ table        listings and finished results, as wide as the terminal
//! Listing ─┼─▶ Screen ───┼─ push_table   rows that keep coming: columns of a fixed width
//! Rows ────┤             ├─ json         one object per row, exact numbers
//! Push ────┤             ├─ csv          RFC 4180, null is empty
//! Print ───┘    │        └─ print        records of a topic, a line each
//!               │
//!               ├─ array: the same as one JSON array      pager: what is longer than the terminal      spool: a copy in a file
//!               └─ limits: how much is shown of what keeps coming
//! ```

mod array;
mod csv;
mod json;
mod layout;
mod limits;
mod pager;
mod palette;
mod print;
mod problem;
mod push_table;
mod screen;
mod spool;
mod table;

pub use json::nested as nested_json;
pub use layout::{Layout, Width};
pub use limits::Limits;
pub use pager::Pager;
pub use palette::Palette;
pub use problem::Source;
pub use screen::{OutputFormat, Screen};
pub use spool::{Spool, Spooled};

#[cfg(test)]
mod tests;
