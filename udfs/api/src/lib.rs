//! What a function of Levada is written against: built-in ones and those of plug-ins alike.
//!
//! A scalar function is a plain Rust function with an attribute. Its signature follows from its types:
//!
//! ```
//! use levada_udf::scalar;
//!
//! /// The text, so many times.
//! #[scalar(example("repeat('ab', 2)" = "'abab'"))]
//! fn repeat(
//!     /// What is repeated.
//!     text: &str,
//!     /// How often; not at all if negative.
//!     times: i32,
//! ) -> String {
//!     text.repeat(usize::try_from(times).unwrap_or(0))
//! }
//!
//! let function = levada_udf::functions![repeat].remove(0);
//! assert_eq!(function.about.name, "repeat");
//! assert_eq!(function.signatures[0].text, "(text STRING, times INT) -> STRING");
//! ```
//!
//! | SQL | parameter | result |
//! |---|---|---|
//! | BOOLEAN, INT, BIGINT, DOUBLE | `bool`, `i32`, `i64`, `f64` | the same |
//! | DECIMAL(p, s) | [`Decimal`] | the same |
//! | DECIMAL of any digits | [`AnyDecimal`] | |
//! | STRING | `&str`, `String` | the same, [`Shown`] |
//! | BYTES | `&[u8]`, `Vec<u8>` | the same |
//! | DATE, TIME, TIMESTAMP | [`Date`], [`Time`], [`Timestamp`] | the same |
//! | a unit of an interval | [`Unit`] | |
//! | ARRAY | `Vec`, [`List`] | `Vec` |
//! | MAP | `BTreeMap`, `HashMap`, [`Map`] | `BTreeMap`, `HashMap`, [`Entries`] |
//! | STRUCT | a type that derives [`Struct`](derive@Struct) | the same |
//!
//! NULL: a row with a NULL argument gives NULL without a call, unless the parameter is an `Option`. A result that is an
//! `Option` may be NULL. A result that is a `Result` may be an error: the row is NULL, and the processing log says why.
//!
//! Any number of values: the last parameter is a [`Rest`].
//!
//! Whole batches: with `#[scalar(signature = "(array ARRAY<T>, element T) -> BOOLEAN")]` the function is
//! `fn(&mut Batch) -> ArrayRef`, sees Arrow's arrays, and may take generic types (a letter).
//!
//! What a function opens once is a [`Resource`]: a parameter with the attribute `#[resource]`.
//!
//! An aggregate function is a block of methods with the attribute [`aggregate`](macro@aggregate), or an [`Aggregate`]: what makes an
//! [`Accumulator`], the states of all groups. In between stand [`Fold`], for states of which each is one value of Rust, and
//! [`Values`], which keep what may be of any type. A table function has the attribute [`table`](macro@table).
//!
//! `docs/own-functions.md` of Levada tells it from the beginning.

pub mod abi;
mod accumulator;
mod batch;
mod blocking;
mod collections;
mod configuration;
mod decimal;
mod definition;
pub mod describe;
mod fold;
mod group;
pub mod interchange;
mod plugin;
mod read;
mod rest;
mod time;
mod values;
mod write;

pub use accumulator::{Accumulator, Aggregate, AggregateCall, Rejected, Update};
pub use batch::{Batch, Operand};
pub use blocking::Blocking;
pub use collections::{List, ListItem, Map};
pub use configuration::{Configuration, Resource};
pub use decimal::{AnyDecimal, Decimal, DecimalBuilder};
pub use definition::{About, Body, Defined, Definition, Example, Kind, Open, Scalar, Signature};
pub use fold::{Fold, Folded};
pub use group::{Group, Outcome, Step, grouped};
pub use levada_udf_macros::{Struct, aggregate, scalar, table};
pub use plugin::{Exported, Functions};
pub use read::{Column, Read};
pub use rest::Rest;
pub use time::{Date, Time, Timestamp, Unit};
pub use values::{Encoded, EncodedLists, Values};
pub use write::{Build, Element, Entries, Rows, Shown, Write};

/// The version of Arrow whose arrays batches have.
pub use arrow;

/// The code of that page is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/own-functions.md")]
struct OwnFunctions;
