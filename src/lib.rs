//! Levada.

pub mod sql;
