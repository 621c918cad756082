//! Levada: streaming SQL for Kafka in one binary.

pub mod cli;
pub mod engine;
pub mod formats;
pub mod shell;
pub mod sql;
pub mod storage;
pub mod topics;
pub mod types;
