//! What the runtime is told of a query.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::RowReceiver;
use super::tap::Tap;
use crate::formats::Schemas;
use crate::operators::aggregate::Emission;
use crate::plan::{RowPart, SharedPlan};
use crate::topics::TopicPartition;
use crate::types::Column;

/// Where a query starts to read when it has no committed position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartFrom {
    /// Streams at the end, tables at the beginning: ksqlDB's default.
    Default,
    /// Everything from the beginning.
    Earliest,
    /// Everything from the end.
    Latest,
}

/// A query to run.
#[derive(Clone)]
pub struct QuerySpec {
    /// Query id: `CSAS_ALERTS_3`.
    pub id: Arc<str>,
    /// Consumer group and prefix of internal topics: `_confluent-ksql-default_query_CSAS_ALERTS_3`.
    pub group: Arc<str>,
    /// What it computes.
    pub plan: SharedPlan,
    /// When aggregates emit.
    pub emission: Emission,
    /// Where it starts.
    pub start_from: StartFrom,
    /// Rows processed together at most.
    pub batch_rows_max: usize,
    /// Whether a result that cannot be written ends the query, instead of going to the dead letters.
    pub fails_on_production: bool,
    /// Whether a record whose event time column holds no time ends the query, instead of going to the dead letters.
    pub fails_on_invalid_time: bool,
    /// Where its formats find schemas.
    pub schemas: Schemas,
    /// Takes the rows, when the query is transient.
    pub client: Option<Client>,
    /// Takes the rows for many clients, when the query is what they share.
    pub tap: Option<Arc<Tap>>,
    /// Where a transient query starts in the partitions of its sources, whatever `start_from` says.
    pub start_at: Option<Arc<BTreeMap<TopicPartition, i64>>>,
    /// Where a transient query ends in them; what comes later is not for it.
    pub stop_at: Option<Arc<BTreeMap<TopicPartition, i64>>>,
    /// Properties that its client had set, for who looks; what they say is in the other fields.
    pub overridden: BTreeMap<String, String>,
}

/// Where the rows of a transient query go.
#[derive(Clone)]
pub struct Client {
    /// Takes the rows.
    pub receiver: Arc<dyn RowReceiver>,
    /// The columns that it wants, and which part of the last step's rows each is.
    pub columns: Vec<(Column, RowPart)>,
}
