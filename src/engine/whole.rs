//! Reads beyond ksqlDB's pull queries: joins, groups, orders, queries inside queries.
//!
//! ```text
//! ReadPlan ─▶ operators (batch) over tables, topics and system tables (read_sources)
//!                 └─ a thread takes batch after batch ─▶ queue, bounded ─▶ all rows at once, if there are few and they come soon
//!                                                                     └─▶ rows that keep coming
//! ```
//!
//! A client that goes, a time limit and the end of the engine end the thread between two batches.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use arrow::datatypes::{DataType, Schema, SchemaRef};

use super::config::Properties;
use super::monitoring::PullKind;
use super::push::{PushEnd, PushEvent, PushQuery, PushQueue};
use super::pushes::random_number;
use super::reads::ReadView;
use super::{EngineError, Peers, Response, ResultRows, Session, Shared, read_sources, table_scan};
use crate::batch::{self, Asks, BatchError, Call, Check, Context, Input, JoinOptions, SortColumn};
use crate::catalog::system_table;
use crate::expr::{CompiledExpr, Expr};
use crate::plan::{ColumnRole, ReadJoin, ReadNode, ReadPlan, SubqueryAsks};
use crate::runtime::{PushedRows, RowReceiver};
use crate::types::{Column, STACK_BYTES};

/// How long all rows are waited for before they are given as they come.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often somebody who waits looks whether there is something else to do.
const LOOKING: Duration = Duration::from_millis(20);
/// Share of the memory that the process may take which reads may take, all together; and without a limit.
const MEMORY_SHARE: usize = 8;
const MEMORY_MIN: usize = 16 << 20;
const MEMORY_UNLIMITED: usize = 1 << 30;

/// What reads may take of `limit`.
pub(super) fn memory_of(limit: Option<usize>) -> usize {
    limit.map_or(MEMORY_UNLIMITED, |limit| (limit / MEMORY_SHARE).max(MEMORY_MIN))
}

/// The answer of `plan`.
pub(super) fn read(
    shared: &Shared,
    view: &ReadView,
    plan: &ReadPlan,
    session: &Session,
) -> Result<Response, EngineError> {
    let properties = &shared.properties(&session.properties);
    let room: Arc<Room> = Arc::default();
    let waker = Arc::clone(&room);
    let queue = PushQueue::new(None)
        .making_room(move || waker.tell())
        .patient_for(properties.push_patience()?, Arc::clone(&shared.clock));
    let queue = Arc::new(queue);
    let context = context(shared, properties, &queue)?;
    let lowering = Lowering { shared, view, properties, peers: session.peers.as_ref(), context: &context };
    let root = lowering.node(&plan.root)?;
    let columns = plan.root.columns();
    let query = PushQuery::new(format!("read_{}", random_number()), columns, Arc::clone(&queue)).reading_once();
    let (giving, check) = (Arc::clone(&queue), Arc::clone(&context.check));
    let thread = std::thread::Builder::new().name("read".to_owned()).stack_size(STACK_BYTES);
    let begun = shared.clock.elapsed();
    let started = thread.spawn(move || {
        let end = give(root, &giving, &room, &check);
        giving.end(end);
    });
    started.map_err(|error| EngineError::new(format!("no thread can be started: {error}")))?;
    loop {
        let is_late = shared.clock.elapsed().saturating_sub(begun) >= PATIENCE;
        if queue.has_ended(LOOKING) {
            break;
        }
        if is_late || queue.is_full() {
            return Ok(Response::Push(query));
        }
    }
    let answered = collected(&query);
    let rows = answered.as_ref().ok().map(ResultRows::len);
    shared.pulls.answered(PullKind::WholeSql, shared.clock.elapsed().saturating_sub(begun), rows);
    answered.map(Response::Rows)
}

/// All rows of `query`, which has ended.
fn collected(query: &PushQuery) -> Result<ResultRows, EngineError> {
    let mut batches = Vec::new();
    loop {
        match query.try_next() {
            PushEvent::Rows(rows) => batches.push(rows.batch().clone()),
            PushEvent::End(PushEnd::Failed(reason)) => return Err(EngineError::new(reason)),
            PushEvent::End(end) => {
                let columns = query.columns.clone();
                let roles = vec![ColumnRole::Value; columns.len()];
                return Ok(ResultRows { columns, roles, batches, end: Some(end) });
            }
            PushEvent::Idle => return Err(EngineError::new("the query has not ended")),
        }
    }
}

/// Gives the rows of `root` to `queue`, as there is room. Nothing of the read is left when it is said how it has ended.
fn give(mut root: Input, queue: &PushQueue, room: &Room, check: &Check) -> PushEnd {
    loop {
        match check().and_then(|()| root.next()) {
            Ok(Some(batch)) => queue.push(PushedRows::new(batch, None)),
            Ok(None) => return PushEnd::Completed,
            Err(BatchError::Stopped) => return PushEnd::Stopped,
            Err(error) => return PushEnd::Failed(error.to_string()),
        }
        while !queue.is_closed() && queue.is_full() {
            room.wait();
        }
        if queue.is_closed() {
            return PushEnd::Stopped;
        }
    }
}

/// Where a read waits for its reader.
#[derive(Default)]
struct Room {
    is_told: Mutex<bool>,
    told: Condvar,
}

impl Room {
    fn tell(&self) {
        *self.is_told.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.told.notify_all();
    }

    fn wait(&self) {
        let mut is_told = self.is_told.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_told {
            is_told = self.told.wait_timeout(is_told, LOOKING).unwrap_or_else(PoisonError::into_inner).0;
        }
        *is_told = false;
    }
}

/// What the operators of a read share, whose rows go to `queue`.
fn context(shared: &Shared, properties: &Properties, queue: &Arc<PushQueue>) -> Result<Context, EngineError> {
    let (clock, queue) = (Arc::clone(&shared.clock), Arc::downgrade(queue));
    let (begun, limit) = (clock.elapsed(), properties.read_timeout()?);
    let check = move || {
        if queue.upgrade().is_none_or(|queue| queue.is_closed()) {
            return Err(BatchError::Stopped);
        }
        match limit {
            Some(limit) if clock.elapsed().saturating_sub(begun) > limit => Err(BatchError::TimeOut(limit)),
            _ => Ok(()),
        }
    };
    Ok(Context {
        memory: Arc::clone(&shared.read_memory),
        spill: Arc::clone(&shared.read_files),
        check: Arc::new(check),
    })
}

/// Steps to operators.
struct Lowering<'a> {
    shared: &'a Shared,
    view: &'a ReadView,
    properties: &'a Properties,
    peers: Option<&'a Arc<dyn Peers>>,
    context: &'a Context,
}

impl Lowering<'_> {
    fn node(&self, node: &ReadNode) -> Result<Input, EngineError> {
        Ok(match node {
            ReadNode::Table { plan, text } => {
                let known = system_table(&plan.source).filter(|_| self.view.catalog.source(&plan.source).is_none());
                match known {
                    Some(known) => read_sources::system_table(self.shared, self.view, plan, known)?,
                    None => {
                        let asking = self.peers.map(|peers| (peers, text.as_str()));
                        table_scan::table(self.shared, self.view, plan, asking, self.context)?
                    }
                }
            }
            ReadNode::Topic { plan, latest_by } => {
                let rows = read_sources::topic(self.shared, plan, self.properties, latest_by.is_some(), self.context)?;
                match latest_by {
                    Some(keys) => Box::new(batch::Latest::new(rows, *keys, schema(node), self.context)),
                    None => rows,
                }
            }
            ReadNode::Filter { input, predicate } => {
                let predicate = compiled(predicate, input);
                Box::new(batch::Filter::new(self.node(input)?, predicate, self.context))
            }
            ReadNode::Project { input, columns } => {
                let columns = columns.iter().map(|(_, expr)| compiled(expr, input)).collect();
                Box::new(batch::Project::new(self.node(input)?, columns, schema(node)))
            }
            ReadNode::Aggregate { input, keys, calls } => {
                let columns = input.columns();
                let calls = calls.iter().map(|call| {
                    let arguments = call.arguments.iter().map(|&index| columns[keys + index].sql_type.arrow());
                    let arguments: Vec<DataType> = arguments.collect();
                    let accumulator = call.accumulator(&arguments).map_err(EngineError::new)?;
                    Ok(Call { accumulator, arguments: call.arguments.clone() })
                });
                let calls = calls.collect::<Result<_, EngineError>>()?;
                Box::new(batch::Aggregate::new(self.node(input)?, *keys, calls, schema(node), self.context))
            }
            ReadNode::Distinct { input } => Box::new(batch::Distinct::new(self.node(input)?, self.context)),
            ReadNode::Join(join) => self.join(join, &schema(node))?,
            ReadNode::Subquery { input, query, asks } => {
                let asks = match asks {
                    SubqueryAsks::Value => {
                        let columns = query.columns();
                        Asks::Value(columns.first().map_or(DataType::Null, |column| column.sql_type.arrow()))
                    }
                    SubqueryAsks::Exists => Asks::Exists,
                    SubqueryAsks::Contains(outer, inner) => {
                        Asks::Contains(compiled(outer, input), compiled(inner, query))
                    }
                };
                let (input, query) = (self.node(input)?, self.node(query)?);
                Box::new(batch::Subquery::new(input, query, asks, schema(node), self.context))
            }
            ReadNode::Sort { input, keys, fetch } => {
                let keys = keys.iter().map(|key| SortColumn {
                    index: key.column,
                    descending: key.descending,
                    nulls_first: key.nulls_first,
                });
                let keys = keys.collect();
                Box::new(batch::Sort::new(self.node(input)?, keys, *fetch, schema(node), self.context))
            }
            ReadNode::Limit { input, offset, limit } => Box::new(batch::Limit::new(self.node(input)?, *offset, *limit)),
            ReadNode::Union { inputs } => {
                let inputs = inputs.iter().map(|input| self.node(input)).collect::<Result<_, _>>()?;
                Box::new(batch::Union::new(inputs, schema(node)))
            }
        })
    }

    fn join(&self, join: &ReadJoin, schema_of_pairs: &SchemaRef) -> Result<Input, EngineError> {
        let condition = |expr: &Expr| CompiledExpr::new(expr, schema_of_pairs);
        let options = JoinOptions {
            left_keys: join.keys.iter().map(|(left, _)| compiled(left, &join.left)).collect(),
            right_keys: join.keys.iter().map(|(_, right)| compiled(right, &join.right)).collect(),
            condition: join.condition.as_ref().map(condition),
            keeps_left: join.keeps_left,
            keeps_right: join.keeps_right,
            right: schema(&join.right),
            schema: Arc::clone(schema_of_pairs),
        };
        Ok(Box::new(batch::Join::new(self.node(&join.left)?, self.node(&join.right)?, options, self.context)))
    }
}

fn compiled(expr: &Expr, over: &ReadNode) -> CompiledExpr {
    CompiledExpr::new(expr, &schema(over))
}

/// Columns of the rows of `node`.
fn schema(node: &ReadNode) -> SchemaRef {
    Arc::new(Schema::new(node.columns().iter().map(Column::field).collect::<Vec<_>>()))
}
