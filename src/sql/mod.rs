//! Text to statements: lexer, syntax tree, parser, printer. Knows nothing of catalogs, types or topics.
//!
//! ```text
//!              split_statements            substitute_variables
//! script ──────────────────────▶ text ──────────────────────────▶ text
//!    │                                                              │
//!    └── lexer ──▶ tokens ── parser ──▶ Statement ◀─────────────────┘
//!                                │           │
//!                           ParseError    Display ──▶ text
//! ```
//!
//! The language is ksqlDB's, and so is the spelling of error messages and of printed trees. [`ast`] says what a
//! statement can be, [`parse_statements`] reads a script, [`ParseError`] says where and why a text is none.

pub mod ast;
mod error;
mod keyword;
mod lexer;
mod masked;
mod nearest;
mod parser;
mod print;
mod shape;
mod span;
mod split;
mod variables;
mod words;

#[cfg(test)]
mod conformance;

pub use error::{Expected, ParseError, ParseErrorKind};
pub use masked::masked;
pub use nearest::similar_names;
#[cfg(test)]
pub(crate) use parser::parse_expression;
pub use parser::{ParsedStatement, parse_statements, parse_test_statements, parse_type};
pub use print::Plain;
pub use shape::{LiteralText, Shape, shape};
pub use span::Span;
pub use split::{Splitter, split_statements, without_continuations};
pub use variables::{VariableError, substitute_variables};
pub use words::{WordKind, keywords, words};

/// A name as ksqlDB writes it in SQL: in back-ticks if it would not be read back as itself without them.
pub fn quote_name(name: &str) -> std::borrow::Cow<'_, str> {
    print::quoted_if_needed(name)
}
