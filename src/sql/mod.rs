//! Text to statements: lexer, syntax tree, parser, printer. Knows nothing of catalogs, types or topics.
//!
//! ```text
//! text ── lexer ──▶ tokens ── parser ──▶ Statement ── Display ──▶ text
//! ```

pub mod ast;
mod span;

pub use span::Span;
