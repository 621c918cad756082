//! Levada: streaming SQL for Kafka in one binary.

pub mod cli;
pub mod formats;
pub mod storage;
pub mod topics;
pub mod types;
