//! Plans to tasks: a plan is cut into sub-topologies where rows go by way of a topic, and each sub-topology gets a task
//! per partition (semantics 1.1).
//!
//! ```text
//! QueryPlan ─▶ lowered ─▶ SubTopology …  what one task runs: sources, operators by their factories, where rows go
//!                              │
//!                          Topology       its topics and positions; makes Task (sub-topology, partition), again after a failure
//! ```

mod joins;
mod sub_topology;
mod topology;

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};

use super::task::Next;
use super::{QuerySpec, RuntimeError};
use crate::expr::{CompiledExpr, Expr};
use crate::formats::{Format, Serde, Side, Subject};
use crate::operators::aggregate::{AggregateOptions, Call, Emission, TimeWindows};
use crate::operators::{
    Aggregate, Filter, FlatMap, NullKeys, Operator, Project, Rekey, SerializedKeys, SessionAggregate, SessionWindows,
    TableFilter, TableRekey, TableStore,
};
use crate::plan::{self, Collection, PlanNode, Source, stores};
use crate::types::Column;

use sub_topology::{OperatorFactory, OutputSpec, SubTopology, Tail, TopicSpec};

pub use topology::{Inputs, Topology};

/// A plan that is being cut.
struct Lowering<'a> {
    spec: &'a QuerySpec,
    subs: Vec<SubTopology>,
    current: SubTopology,
    ordinal: usize,
    /// Operators so far.
    steps: usize,
}

/// Cuts the plan of `spec` into sub-topologies, producers first.
fn lowered(spec: &QuerySpec) -> Result<Vec<SubTopology>, RuntimeError> {
    let mut lowering = Lowering { spec, subs: Vec::new(), current: SubTopology::new(), ordinal: 0, steps: 0 };
    let root = &spec.plan.root;
    let tail = lowering.lower(root, false)?;
    lowering.current.attach(&tail, Next::Output);
    lowering.current.writes_sink = true;
    lowering.current.output = match (&spec.client, &spec.tap, &spec.plan.sink) {
        (Some(client), ..) => OutputSpec::Push(client.clone()),
        (None, Some(tap), _) => OutputSpec::Tap(Arc::clone(tap)),
        (None, None, Some(sink)) => OutputSpec::Topic(Box::new(TopicSpec {
            timestamp: sink.timestamp.clone(),
            ..TopicSpec::new(&sink.topic, (&sink.key_serde, &sink.value_serde), root)
        })),
        (None, None, None) => OutputSpec::Nowhere,
    };
    let mut subs = lowering.subs;
    subs.push(lowering.current);
    Ok(subs)
}

/// The layout in which expressions of the step above `node` see its rows.
pub(super) fn rows_of(node: &PlanNode) -> SchemaRef {
    node.schema().row_schema(node.window().is_some())
}

fn types(columns: &[Column]) -> Vec<DataType> {
    columns.iter().map(|column| column.sql_type.arrow()).collect()
}

fn compile(expressions: &[(Column, Expr)], rows: &SchemaRef) -> Vec<CompiledExpr> {
    expressions.iter().map(|(_, expr)| CompiledExpr::new(expr, rows)).collect()
}

impl Lowering<'_> {
    /// Adds the steps of `node`; `needs_old`: the step above asks for the rows that changes replace.
    fn lower(&mut self, node: &PlanNode, needs_old: bool) -> Result<Tail, RuntimeError> {
        Ok(match node {
            PlanNode::Source(source) => self.source(source, needs_old),
            PlanNode::Filter { input, predicate } => {
                let table = node.collection() == Collection::Table;
                let tail = self.lower(input, table)?;
                let (rows, predicate) = (rows_of(input), predicate.clone());
                let name = self.operator_name("Filter");
                self.current.add(
                    name,
                    [tail],
                    Box::new(move |_| {
                        let predicate = CompiledExpr::new(&predicate, &rows);
                        let rows = Arc::clone(&rows);
                        Ok(if table {
                            Box::new(TableFilter::new(predicate, rows)) as Box<dyn Operator>
                        } else {
                            Box::new(Filter::new(predicate, rows))
                        })
                    }),
                )
            }
            PlanNode::Project { input, columns, .. } => {
                let tail = self.lower(input, needs_old)?;
                let (rows, columns) = (rows_of(input), columns.clone());
                let factory: OperatorFactory =
                    Box::new(move |_| Ok(Box::new(Project::new(compile(&columns, &rows), Arc::clone(&rows)))));
                let name = self.operator_name("Project");
                self.current.add(name, [tail], factory)
            }
            PlanNode::Rekey { input, key, columns, null_keys, keeps_window } => {
                let drops_window = !keeps_window && input.window().is_some();
                let table = input.collection() == Collection::Table;
                let tail = self.lower(input, table)?;
                let (rows, key, columns) = (rows_of(input), key.clone(), columns.clone());
                let null_keys = match null_keys {
                    plan::NullKeys::Keep => NullKeys::Keep,
                    plan::NullKeys::DropAndReport => NullKeys::DropAndReport,
                    plan::NullKeys::Drop => NullKeys::Drop,
                };
                let factory: OperatorFactory = Box::new(move |_| {
                    let (key, columns) = (compile(&key, &rows), compile(&columns, &rows));
                    let rows = Arc::clone(&rows);
                    Ok(if table {
                        Box::new(TableRekey::new(key, columns, rows)) as Box<dyn Operator>
                    } else {
                        let rekey = Rekey::new(key, columns, null_keys, rows);
                        Box::new(if drops_window { rekey.without_windows() } else { rekey })
                    })
                });
                let name = self.operator_name("Rekey");
                self.current.add(name, [tail], factory)
            }
            PlanNode::FlatMap(flat_map) => self.flat_map(flat_map)?,
            PlanNode::Repartition { input, topic, key_serde, value_serde } => {
                self.repartition(input, topic, (key_serde, value_serde), needs_old)?
            }
            PlanNode::Aggregate(aggregate) => self.aggregate(aggregate, needs_old)?,
            PlanNode::Materialize { input } => {
                let tail = self.lower(input, false)?;
                self.keep_rows(stores::RESULT, input, tail, self.spec.emission, needs_old)
            }
            PlanNode::StreamTableJoin { left, right, kind } => self.stream_table_join(left, right, *kind)?,
            PlanNode::StreamStreamJoin(join) => self.stream_stream_join(join)?,
            PlanNode::TableTableJoin(join) => self.table_table_join(join, needs_old)?,
            PlanNode::ForeignKeyJoin(join) => self.foreign_key_join(join, needs_old)?,
        })
    }

    fn flat_map(&mut self, flat_map: &plan::FlatMap) -> Result<Tail, RuntimeError> {
        let tail = self.lower(&flat_map.input, false)?;
        let (rows, carried, calls) = (rows_of(&flat_map.input), flat_map.carried.clone(), flat_map.calls.clone());
        let factory: OperatorFactory = Box::new(move |_| {
            let lists = calls.iter().map(|call| CompiledExpr::new(&call.list, &rows)).collect();
            let rows_max = calls.iter().map(|call| call.rows_max).min().unwrap_or(usize::MAX);
            Ok(Box::new(FlatMap::new(carried.clone(), lists, Arc::clone(&rows), rows_max)))
        });
        let name = self.operator_name("FlatMap");
        Ok(self.current.add(name, [tail], factory))
    }

    /// A name for the next operator, a step of this kind: EXPLAIN's word and a number.
    fn operator_name(&mut self, kind: &str) -> Arc<str> {
        self.steps += 1;
        format!("{kind}-{}", self.steps).into()
    }

    /// A store name that is the same whenever the plan is lowered.
    fn store_name(&mut self, kind: &str, retention_ms: Option<i64>) -> String {
        self.ordinal += 1;
        let name = format!("{kind}-{}", self.ordinal);
        self.current.stores.push((name.clone(), retention_ms));
        name
    }

    fn source(&mut self, source: &Source, needs_old: bool) -> Tail {
        let tail = self.current.read(source.clone());
        if !source.is_stored() {
            return tail;
        }
        let (node, needs_old) = (PlanNode::Source(source.clone()), needs_old && source.old_rows_known);
        self.keep_rows(stores::SOURCE, &node, tail, self.spec.emission, needs_old)
    }

    /// Adds a store of the rows of the table `node`, which come from `tail`.
    fn keep_rows(&mut self, kind: &str, node: &PlanNode, tail: Tail, emission: Emission, needs_old: bool) -> Tail {
        let name = self.store_name(kind, None);
        let (schema, window) = (node.schema(), node.window());
        let (key_types, value_types) = (types(&schema.key), types(&schema.value));
        self.current.holds_back |= emission == Emission::AtCommit;
        let operator = self.operator_name(if kind == stores::SOURCE { "Source" } else { "Materialize" });
        let factory: OperatorFactory = Box::new(move |context| {
            let store = context.store(&name);
            Ok(Box::new(TableStore::open(&store, &key_types, &value_types, window, emission, needs_old)?))
        });
        self.current.add(operator, [tail], factory)
    }

    /// Ends the sub-topology with a topic and begins another that reads it. `changes`: the records hold both sides of a
    /// table's change, for an aggregate that takes the old one back.
    fn repartition(
        &mut self,
        input: &PlanNode,
        topic: &str,
        serdes: (&Serde, &Serde),
        changes: bool,
    ) -> Result<Tail, RuntimeError> {
        let outer = std::mem::replace(&mut self.current, SubTopology::new());
        let tail = self.lower(input, changes)?;
        let topic = self.internal_topic(topic);
        self.current.attach(&tail, Next::Output);
        let spec = TopicSpec { has_changes: changes, ..TopicSpec::new(&topic, serdes, input) };
        let source = source_of(&spec, input.collection());
        self.current.output = OutputSpec::Topic(Box::new(spec));
        self.subs.push(std::mem::replace(&mut self.current, outer));
        Ok(self.current.read(source))
    }

    /// What makes the function from key columns of `node` to their bytes in the topic that its rows come from.
    fn serialized_keys(
        &self,
        node: &PlanNode,
    ) -> impl Fn() -> Result<SerializedKeys, RuntimeError> + Send + Sync + use<> {
        let (topic, serde) = match topic_of(node) {
            Some(PlanNode::Repartition { topic, key_serde, .. }) => (self.internal_topic(topic), key_serde.clone()),
            Some(PlanNode::Source(source)) => (source.topic.clone(), source.key_serde.clone()),
            _ => (String::new(), Serde { format: Format::None, wrap_single: false }),
        };
        // Columns may have got other names since.
        let (schemas, key) = (self.spec.schemas.clone(), topic_of(node).unwrap_or(node).key());
        move || {
            let mut encoder = schemas.encoder(&serde, &key, Subject { topic: &topic, side: Side::Key })?;
            Ok(Box::new(move |columns, rows| encoder.encode(columns, rows, None).bytes))
        }
    }

    /// The name of the query's internal topic `name`.
    fn internal_topic(&self, name: &str) -> String {
        format!("{}-{name}", self.spec.group)
    }

    fn aggregate(&mut self, aggregate: &plan::Aggregate, needs_old: bool) -> Result<Tail, RuntimeError> {
        let tail = self.lower(&aggregate.input, aggregate.undo)?;
        let retention_ms = aggregate.window.as_ref().map(|window| window.retention_ms);
        let name = self.store_name(stores::AGGREGATE, retention_ms);
        let emission = self.spec.emission;
        self.current.holds_back |= emission == Emission::AtCommit && !aggregate.is_final;
        let serialized_keys = self.serialized_keys(&aggregate.input);
        let aggregate = aggregate.clone();
        let operator = self.operator_name("Aggregate");
        let factory: OperatorFactory = Box::new(move |context| {
            let mut options = aggregate_options(&aggregate, emission, needs_old)?;
            if aggregate.is_final {
                options.finals = Some(serialized_keys()?);
            }
            let store = context.store(&name);
            Ok(match session_windows(&aggregate) {
                Some(windows) => Box::new(SessionAggregate::open(options, windows, &store)?) as Box<dyn Operator>,
                None => Box::new(Aggregate::open(options, &store)?),
            })
        });
        Ok(self.current.add(operator, [tail], factory))
    }
}

/// The step with the topic that the left-most rows below `node` come from.
pub(super) fn topic_of(node: &PlanNode) -> Option<&PlanNode> {
    match node {
        PlanNode::Source(_) | PlanNode::Repartition { .. } => Some(node),
        other => other.inputs().first().and_then(|input| topic_of(input)),
    }
}

/// The source that reads what is written as `spec` says.
fn source_of(spec: &TopicSpec, collection: Collection) -> Source {
    Source {
        name: spec.topic.to_string(),
        topic: spec.topic.to_string(),
        collection,
        key_serde: spec.serdes.0.clone(),
        value_serde: spec.serdes.1.clone(),
        needed: vec![true; spec.schema.value.len()],
        declared: spec.schema.clone(),
        envelope: None,
        window: spec.window,
        timestamp: None,
        pseudo_columns: Vec::new(),
        materialized: false,
        old_rows_known: true,
    }
}

pub(super) fn time_windows(aggregate: &plan::Aggregate) -> Option<TimeWindows> {
    let &plan::WindowSpec { shape, grace_ms, retention_ms } = aggregate.window.as_ref()?;
    match shape {
        plan::WindowShape::Time { size_ms, advance_ms } => {
            Some(TimeWindows { size_ms, advance_ms, grace_ms, retention_ms })
        }
        plan::WindowShape::Session { .. } => None,
    }
}

fn session_windows(aggregate: &plan::Aggregate) -> Option<SessionWindows> {
    let &plan::WindowSpec { shape, grace_ms, retention_ms } = aggregate.window.as_ref()?;
    match shape {
        plan::WindowShape::Session { gap_ms } => Some(SessionWindows { gap_ms, grace_ms, retention_ms }),
        plan::WindowShape::Time { .. } => None,
    }
}

/// What the operator of `aggregate` is made of.
pub(super) fn aggregate_options(
    aggregate: &plan::Aggregate,
    emission: Emission,
    attach_old: bool,
) -> Result<AggregateOptions, RuntimeError> {
    let input = aggregate.input.schema();
    let calls = aggregate.calls.iter().map(|call| {
        let arguments: Vec<DataType> =
            call.arguments.iter().map(|&index| input.value[index].sql_type.arrow()).collect();
        let refused = |reason| RuntimeError::Bug(format!("{}: {reason}", call.function));
        let accumulator = call.accumulator(&arguments).map_err(refused)?;
        Ok(Call { accumulator, arguments: call.arguments.clone() })
    });
    Ok(AggregateOptions {
        key_types: types(&input.key),
        carried_types: types(&input.value[..aggregate.carried]),
        calls: calls.collect::<Result<_, RuntimeError>>()?,
        windows: time_windows(aggregate),
        emission,
        attach_old,
        undo: aggregate.undo,
        finals: None,
    })
}
