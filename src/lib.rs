//! Levada: streaming SQL for Kafka in one binary.

pub mod batch;
pub mod catalog;
pub mod cli;
pub mod configuration;
pub mod datagen;
pub mod engine;
pub mod expr;
pub mod formats;
pub mod functions;
pub mod http;
pub mod metrics;
pub mod operators;
pub mod plan;
pub mod registry;
pub mod runtime;
pub mod server;
pub mod shell;
pub mod sql;
pub mod state;
pub mod storage;
pub mod testing;
pub mod topics;
pub mod types;
