//! Levada: streaming SQL for Kafka in one binary.

pub mod engine;
pub mod formats;
pub mod operators;
pub mod state;
pub mod storage;
pub mod topics;
pub mod types;
