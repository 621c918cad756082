//! Answers of statements as text: tables for people, JSON lines and CSV for programs.
//!
//! ```text
//! Message ─┐             ┌─ table        listings and finished results, as wide as the terminal
//! Listing ─┼─▶ Screen ───┼─ push_table   rows that keep coming: columns of a fixed width
//! Rows ────┤             ├─ json         one object per row, exact numbers
//! Push ────┤             ├─ csv          RFC 4180, null is empty
//! Print ───┘             └─ print        records of a topic, a line each
//! ```

mod csv;
mod json;
mod layout;
mod palette;
mod print;
mod problem;
mod push_table;
mod screen;
mod table;

pub use layout::{Layout, Width};
pub use palette::Palette;
pub use problem::Source;
pub use screen::{OutputFormat, Screen};

#[cfg(test)]
mod tests;
