//! What is known of queries and topics at one moment, for programs that ask; listings say the same to people.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::query_report::{Observer, PATIENCE};
pub use super::query_report::{PartitionProgress, TopicProgress};
use super::reads;
use super::topics::Known;
use super::{Core, EngineError, Session, Shared, hidden_topics::HiddenTopics};
use crate::catalog::{Collection, QueryId, QueryInfo, WindowType};
use crate::plan::{self, Planned, Settings};
use crate::runtime::metrics::{Rates, TaskFigures, TaskId};
use crate::runtime::query_error::QueryError;
use crate::sql::ParsedStatement;
use crate::topics::{TopicConsumers, TopicInfo};
use crate::types::{Column, Schema};

/// A persistent query and its state.
#[derive(Debug, Clone)]
pub struct QueryOutline {
    /// What the catalog knows of it.
    pub info: Arc<QueryInfo>,
    /// `RUNNING`, `PAUSED` or `ERROR`.
    pub state: &'static str,
}

/// All that is known of a persistent query on this server.
#[derive(Debug, Clone)]
pub struct QueryFacts {
    /// The query.
    pub outline: QueryOutline,
    /// Columns of its result.
    pub schema: Schema,
    /// Whether its rows form a table.
    pub is_table: bool,
    /// Whether its key is windowed.
    pub is_windowed: bool,
    /// By which windows, as far as what it fills has them.
    pub window_type: Option<WindowType>,
    /// Its consumer group.
    pub group: String,
    /// What the client had set that created it.
    pub overridden: BTreeMap<String, String>,
    /// The newest errors, oldest first.
    pub errors: Vec<QueryError>,
    /// Its tasks on this server.
    pub tasks: Vec<(TaskId, TaskFigures)>,
    /// How it is carried out.
    pub plan: String,
    /// How far it is, by topic.
    pub progress: Vec<TopicProgress>,
    /// Records read, written and rejected since it was started.
    pub totals: (u64, u64, u64),
    /// Records per second.
    pub rates: Rates,
    /// When something was written last, in milliseconds since the epoch.
    pub last_out_ms: Option<i64>,
}

/// A push query that runs on this server: its id and its text.
pub type PushOutline = (String, String);

/// The persistent queries in order of creation, and the push queries of this server.
pub(super) fn outlines(shared: &Shared, core: &Core) -> (Vec<QueryOutline>, Vec<PushOutline>) {
    let state = |info: &QueryInfo| core.queries.get(info.id.as_str()).map_or("", super::queries::RunningQuery::state);
    let outline = |info: &Arc<QueryInfo>| QueryOutline { info: Arc::clone(info), state: state(info) };
    let persistent = core.catalog.queries().map(outline).collect();
    let pushed = shared.pushes.running().into_iter();
    (persistent, pushed.map(|push| (push.id.to_string(), push.sql)).collect())
}

/// Facts of those of the queries `ids` that there are.
pub(super) fn queries(shared: &Shared, core: &Core, session: &Session, ids: &[QueryId]) -> Vec<QueryFacts> {
    let found: Vec<_> =
        ids.iter().filter_map(|id| Some((core.catalog.query(id)?, core.queries.get(id.as_str())?))).collect();
    let mut observer = Observer::new(shared, found.iter().map(|(_, query)| *query));
    let properties = shared.properties(&session.properties);
    let topics = Known::new(&*shared.topics);
    let settings = Settings {
        properties: properties.values(),
        topics: &topics,
        plans: &core.plans,
        libraries: &super::Installed(&shared.server),
        query_number: 0,
    };
    let facts = found.into_iter().map(|(info, query)| {
        let plan = &query.spec.plan;
        QueryFacts {
            outline: QueryOutline { info: Arc::clone(info), state: query.state() },
            schema: plan.root.schema().clone(),
            is_table: plan.root.collection() == Collection::Table,
            is_windowed: plan.root.window().is_some(),
            window_type: core.catalog.source(&info.sink).and_then(|source| source.window_type),
            group: query.spec.group.to_string(),
            overridden: query.spec.overridden.clone(),
            errors: query.metrics.errors(),
            tasks: query.metrics.tasks(&*shared.topics),
            plan: plan::explain(plan, &info.id, &query.spec.group, &core.catalog, &settings),
            progress: observer.topics(query),
            totals: query.metrics.totals(),
            rates: query.metrics.rates(shared.clock.elapsed()),
            last_out_ms: query.metrics.last_out_ms(),
        }
    });
    facts.collect()
}

/// What is known of a query before it is started.
#[derive(Debug, Clone)]
pub struct ExplainFacts {
    /// Columns of its result.
    pub schema: Schema,
    /// By which windows its key is windowed.
    pub window_type: Option<WindowType>,
    /// Streams and tables that it reads.
    pub sources: Vec<String>,
    /// Stream or table that it would fill.
    pub sink: Option<String>,
}

/// What is known of the query of `parsed`, if it has one that can be planned as things are.
pub(super) fn explained(shared: &Shared, session: &Session, parsed: &ParsedStatement) -> Option<ExplainFacts> {
    let (view, properties) = (shared.view(), shared.properties(&session.properties));
    let planned = reads::planned(shared, &view, &properties, parsed).ok()?;
    let source_type = |name: &str| view.catalog.source(name).and_then(|source| source.window_type);
    Some(match planned {
        Planned::CreateAs(create) => ExplainFacts {
            schema: create.query.root.schema(),
            window_type: create.source.window_type,
            sources: create.query_info.reads.clone(),
            sink: Some(create.query_info.sink.clone()),
        },
        Planned::InsertInto(insert) => ExplainFacts {
            schema: insert.query.root.schema(),
            window_type: source_type(&insert.target),
            sources: insert.query_info.reads.clone(),
            sink: Some(insert.target.clone()),
        },
        Planned::Push(push) | Planned::PullStream(push) => ExplainFacts {
            schema: of_client(push.columns.iter().map(|column| column.column.clone())),
            window_type: push.query.root.window_type().or_else(|| {
                push.query.root.window()?;
                push.reads.iter().find_map(|name| source_type(name))
            }),
            sources: push.reads.clone(),
            sink: None,
        },
        Planned::Pull(pull) => ExplainFacts {
            schema: of_client(pull.columns.iter().map(|(column, _)| column.clone())),
            window_type: source_type(&pull.source),
            sources: vec![pull.source.clone()],
            sink: None,
        },
        _ => return None,
    })
}

/// Columns that a client sees: none of them is a key.
fn of_client(columns: impl Iterator<Item = Column>) -> Schema {
    Schema { key: Vec::new(), value: columns.collect() }
}

/// Topics by name, those for the service's own use only if `all` are asked for.
pub(super) fn topics(shared: &Shared, session: &Session, all: bool) -> Result<Vec<TopicInfo>, EngineError> {
    let properties = shared.properties(&session.properties);
    let hidden = HiddenTopics::new(properties.hidden_topics(), properties.service_id());
    let topics = shared.topics.list()?.into_iter();
    Ok(topics.filter(|topic| all || !hidden.contain(&topic.name)).collect())
}

/// Who reads topics: `consumers`, those of this server, and, on a cluster, all consumer groups.
pub(super) fn consumers(
    shared: &Shared,
    mut consumers: Vec<TopicConsumers>,
) -> Result<Vec<TopicConsumers>, EngineError> {
    consumers.extend(shared.topics.consumers(PATIENCE)?);
    Ok(consumers)
}
