//! Levada: streaming SQL for Kafka in one binary. It speaks ksqlDB's language and answers as ksqlDB answers, over topics of a Kafka cluster
//! or over its own, which it keeps in a directory.
//!
//! ```sql
//! CREATE STREAM orders (customer STRING KEY, amount BIGINT) WITH (kafka_topic = 'orders', value_format = 'json');
//! CREATE TABLE totals AS SELECT customer, SUM(amount) AS total FROM orders GROUP BY customer;
//! SELECT * FROM totals WHERE customer = 'ann';
//! ```
//!
//! This page is the first one of the book; each module is a chapter and begins with its own drawing. `ARCHITECTURE.md` beside it has the
//! rules that hold for all of them.
//!
//! # A statement
//!
//! ```text
//! text ── sql ──▶ tree ── plan ──▶ Planned ── engine ─┬─▶ catalog      CREATE, DROP, ALTER: what exists
//!                   ▲                ▲                ├─▶ runtime      CREATE … AS SELECT, INSERT INTO … SELECT: a query that goes on
//!                   │            catalog, expr,       ├─▶ push query   SELECT … EMIT CHANGES: rows for whoever listens
//!             shell, server      functions            └─▶ state        SELECT: the rows that there are
//! ```
//!
//! [`sql`] reads the second statement above as a [`CreateAsSelect`](sql::ast::CreateAsSelect) and knows no more of it than its words.
//! [`plan`] finds `orders` in the [`catalog`], gives every expression a type ([`expr`]), chooses `SUM` for BIGINT among the
//! [`functions`], and makes a tree of steps, a [`QueryPlan`](plan::QueryPlan): read, key by customer, add up, write. [`engine`] notes the
//! statement in its log, so that it is carried out again after a restart, and starts the query.
//!
//! # A record
//!
//! ```text
//! topics ─▶ RecordChunk ── formats ─▶ ChangeBatch ── operators ─▶ ChangeBatch ── formats ─▶ RecordChunk ─▶ topics
//!    │                                                 ▲ ▼                                                   │
//!    └────────────────────── positions ──────────▶   state   ◀───────────── all at once: a commit ───────────┘
//! ```
//!
//! [`runtime`] cuts the plan where rows change their partition and makes a task for each part and partition. A task takes what a partition of
//! a [topic](topics) has, a [`RecordChunk`](types::RecordChunk) of bytes; [`formats`] makes columns of it, a
//! [`ChangeBatch`](types::ChangeBatch), once for all rows; [`operators`] turn batches into batches, and what they keep for later ones is in
//! [`state`]. A commit makes the records that were written, the positions of those that were read and the changed state visible
//! together, in one write to [`storage`] or one transaction of Kafka.
//!
//! # Where to read on
//!
//! | to see | read |
//! |---|---|
//! | what the system's nouns are | [`types`], then [`catalog`] |
//! | how a clause of SQL is read, and printed | [`sql`] |
//! | what a clause means | [`plan`]: a file for each step of a SELECT |
//! | how one kind of step works | [`operators`], a file each; begin with [`operators::Filter`] |
//! | how functions are written, built in or in a library of one's own | [`functions`] |
//! | how a format reads and writes bytes | [`formats`]; schemas are in [`registry`] |
//! | how connectors are made and looked at | [`connect`], the client of a Kafka Connect cluster |
//! | what a SELECT without EMIT does beyond a look-up | [`batch`] |
//! | how tasks run, commit and come back | [`runtime`], then [`engine`] |
//! | what clients see | [`server`] over [`http`], [`shell`], [`cli`] |
//! | how all this is tested | [`testing`]: specifications, SQL in, records in and out |
//!
//! [`configuration`] has the properties, [`metrics`] the figures, [`datagen`] makes records up.

pub mod batch;
pub mod catalog;
pub mod cli;
pub mod configuration;
pub mod connect;
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
