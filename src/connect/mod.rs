//! A Kafka Connect cluster, asked over its REST API: its connectors move records between topics and other systems.
//!
//! ```text
//! ksql.connect.… ── settings ──┐
//!                              ▼
//! a statement ─▶ ConnectClient: the address that answered last ─▶ the next ones ─▶ Unreachable
//!                              │
//!                              └─▶ an answer ─┬─▶ answers: Connector, Status, Plugin
//!                                             └─▶ Refused: what Connect says
//! ```
//!
//! Nothing is kept here of what connectors are: Connect knows it. Their properties may be passwords: they are in requests, and nowhere
//! else.

mod answers;
mod client;
mod error;
mod settings;
#[cfg(test)]
pub(crate) mod stand_in;

#[cfg(test)]
mod tests;

pub use answers::{Connector, ConnectorStatus, Plugin, TaskStatus, UNASSIGNED};
pub use client::{ConnectClient, Created, Dropped};
pub use error::ConnectError;
