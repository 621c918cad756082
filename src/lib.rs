//! Levada: streaming SQL for Kafka in one binary.

pub mod catalog;
pub mod expr;
pub mod formats;
pub mod plan;
pub mod sql;
pub mod storage;
pub mod topics;
pub mod types;
