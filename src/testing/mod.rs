//! Specs and conformance cases: reading, running, comparing.
//!
//! ```text
//! paths ── collect ──▶ jobs ── pool, all cores ──▶ outcomes ──▶ report, ratchet
//!                       │
//!                       └─ spec: our own · sql: users' · conformance: ksqlDB's      each on a fresh engine behind a Driver
//! ```
//!
//! What runs is the production engine ([`driver`]): a case that passes here passes in production.

mod collect;
mod conformance;
pub mod driver;
mod engine_driver;
mod examples;
mod functions;
mod junit;
mod kafka_bytes;
mod namespace;
mod outcome;
mod pool;
mod ratchet;
mod spec;
mod sql;
mod windowed_key;

pub use collect::{CollectError, run_paths};
pub use examples::Examples;
pub use junit::write_junit;
pub use outcome::{Outcome, Status, Tally, write_brief, write_report, write_told, write_verbose};
pub use ratchet::Ratchet;
