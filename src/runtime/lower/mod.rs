//! Plans to tasks: a plan is cut into sub-topologies where rows go by way of a topic, and each sub-topology gets a task
//! per partition (semantics 1.1).

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{DataType, SchemaRef};

mod joins;

use super::memory::MemoryUse;
use super::output::{PushOutput, TopicOutput};
use super::processing_log::Logger;
use super::shared_decode::SharedDecodes;
use super::tap::{Tap, TapOutput};
use super::task::{Next, Node, Task, TaskLog, TaskParts};
use super::{Client, QuerySpec, RuntimeError, Shared, StartFrom, changelog, input::Input, metrics, output, sources};
use crate::expr::{CompiledExpr, Expr};
use crate::formats::{Format, Serde, Side, Subject};

use crate::operators::aggregate::{AggregateOptions, Call, Emission, TimeWindows};
use crate::operators::{
    Aggregate, Filter, FlatMap, NullKeys, Operator, Project, Rekey, SerializedKeys, SessionAggregate, SessionWindows,
    TableFilter, TableRekey, TableStore,
};
use crate::plan::{self, Collection, PlanNode, Source, stores};
use crate::state::{Store, StoreId};
use crate::topics::{Position, TopicConfig, TopicError, TopicPartition, Topics};
use crate::types::{Column, Schema, WindowKind};

/// What a task is made for: its partition and where its state lives.
struct TaskContext<'a> {
    topics: &'a dyn Topics,
    query: Arc<str>,
    partition: u32,
    /// Bytes of each store to read when it is opened, about.
    preloaded_bytes: usize,
    /// Whether the process ends.
    ending: &'a Arc<AtomicBool>,
}

impl TaskContext<'_> {
    /// The store `name` of the task, as of its last commit.
    fn store(&self, name: &str) -> Store {
        let id = StoreId { query: Arc::clone(&self.query), name: name.to_owned(), partition: self.partition };
        Store::new(self.topics.storage(), &id).preloading(self.preloaded_bytes, self.ending)
    }
}

/// Inputs of a task and where their rows go.
pub type Inputs = Vec<(Input, Next)>;

type OperatorFactory = Box<dyn Fn(&TaskContext<'_>) -> Result<Box<dyn Operator>, RuntimeError> + Send + Sync>;

/// Where the rows of a sub-topology go.
enum OutputSpec {
    Topic(Box<TopicSpec>),
    Push(Client),
    Tap(Arc<Tap>),
    Nowhere,
}

/// A topic that is written, and how.
#[derive(Clone)]
struct TopicSpec {
    topic: Arc<str>,
    serdes: (Serde, Serde),
    schema: Schema,
    window: Option<WindowKind>,
    timestamp: Option<plan::TimestampColumn>,
    /// Values hold both sides of a table's changes.
    has_changes: bool,
    /// The value column that says which partition a record goes to.
    partition_column: Option<usize>,
}

/// A part of the plan whose steps run in one task.
struct SubTopology {
    sources: Vec<(Source, Next)>,
    nodes: Vec<(Arc<str>, OperatorFactory, Next)>,
    output: OutputSpec,
    /// Where references of a foreign-key join go.
    references: Option<TopicSpec>,
    /// Names of the stores of its operators, and how long those keep windows.
    stores: Vec<(String, Option<i64>)>,
    writes_sink: bool,
    holds_back: bool,
}

/// The rows of a step, before it is known where they go.
enum Tail {
    Source(usize),
    Node(usize),
}

/// A lowered query: tasks can be made, and made again after a failure.
pub struct Topology {
    spec: QuerySpec,
    decodes: Arc<SharedDecodes>,
    subs: Vec<SubTopology>,
    /// Partitions of internal topics.
    internal: HashMap<Arc<str>, u32>,
    /// Held while topics are looked at and created: what is found new is settled once.
    preparing: Mutex<()>,
}

impl Topology {
    /// Lowers `spec`, whose sources must be there. Its tasks share decoded rows with others through `decodes`.
    pub fn new(spec: QuerySpec, topics: &dyn Topics, decodes: &Arc<SharedDecodes>) -> Result<Self, RuntimeError> {
        let mut lowering =
            Lowering { spec: &spec, subs: Vec::new(), current: SubTopology::new(), ordinal: 0, steps: 0 };
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
        let decodes = Arc::clone(decodes);
        let mut topology = Self { spec, decodes, subs, internal: HashMap::new(), preparing: Mutex::default() };
        topology.size_internal_topics(topics)?;
        Ok(topology)
    }

    /// Makes sure that the query can go on with its source topics as they are now, and creates the internal topics that are
    /// missing.
    pub fn prepare(&self, topics: &dyn Topics) -> Result<(), RuntimeError> {
        let _one = self.preparing.lock().unwrap_or_else(PoisonError::into_inner);
        self.meet_sources(topics)?;
        for (topic, &partitions) in &self.internal {
            create_unless_there(topics, topic, &TopicConfig::repartition(partitions))?;
        }
        if topics.keeps_changelogs() && !self.is_transient() {
            self.create_changelogs(topics)?;
        }
        Ok(())
    }

    /// Makes sure that a persistent query can go on with its source topics as they are now.
    fn meet_sources(&self, topics: &dyn Topics) -> Result<(), RuntimeError> {
        if self.is_transient() {
            return Ok(());
        }
        let stateful = self.subs.len() > 1 || self.subs.iter().any(|sub| !sub.stores.is_empty());
        for source in self.spec.plan.root.sources() {
            let groups = self.subs.iter().enumerate().flat_map(|(index, sub)| {
                let reads = sub.sources.iter().zip(self.position_groups(index));
                reads.filter(|((read, _), _)| read.topic == source.topic).map(|(_, group)| group)
            });
            let reader = sources::Reader { query: &self.spec.id, groups: groups.collect(), stateful };
            reader.meet(&source.topic, topics)?;
        }
        Ok(())
    }

    /// The consumer group of the positions of each source of sub-topology `sub`: that of the query. What it reads in several
    /// places has positions of its own in each, which are in further groups.
    fn position_groups(&self, sub: usize) -> Vec<Arc<str>> {
        let group = &self.spec.group;
        let sources = self.subs[..=sub].iter().flat_map(|sub| &sub.sources);
        let topics: Vec<&str> = sources.map(|(source, _)| source.topic.as_str()).collect();
        let first = topics.len() - self.subs[sub].sources.len();
        let groups =
            (first..topics.len()).map(|at| match topics[..at].iter().filter(|topic| **topic == topics[at]).count() {
                0 => Arc::clone(group),
                before => format!("{group}-reader-{}", before + 1).into(),
            });
        groups.collect()
    }

    /// Decides partition counts of internal topics: the count of the topics they are joined with, else the greatest count of
    /// the topics they are made from.
    fn size_internal_topics(&mut self, topics: &dyn Topics) -> Result<(), RuntimeError> {
        let internal: HashSet<Arc<str>> = self.subs.iter().flat_map(SubTopology::internal_outputs).collect();
        let mut written: HashMap<Arc<str>, u32> = HashMap::new();
        for sub in &self.subs {
            let (inputs, external): (Vec<&str>, Vec<&str>) = sub
                .sources
                .iter()
                .map(|(source, _)| source.topic.as_str())
                .partition(|topic| internal.contains(*topic));
            let external: Vec<u32> =
                external.into_iter().map(|topic| partitions(topics, topic)).collect::<Result<_, _>>()?;
            let known = inputs.iter().filter_map(|topic| written.get(*topic).copied());
            let count = external.into_iter().max().or(known.max()).unwrap_or(1);
            self.internal.extend(inputs.into_iter().map(|topic| (topic.into(), count)));
            written.extend(sub.internal_outputs().map(|topic| (topic, count)));
        }
        Ok(())
    }

    /// Creates the changelog topics that are missing: a partition per task. One that should be there, and that the local
    /// store cannot replace, is an error.
    fn create_changelogs(&self, topics: &dyn Topics) -> Result<(), RuntimeError> {
        let tasks = self.task_ids(topics)?;
        for (index, sub) in self.subs.iter().enumerate() {
            let partitions = tasks.iter().filter(|(sub, _)| *sub == index).count() as u32;
            for (store, retention_ms) in &sub.stores {
                let (name, config) =
                    (changelog::topic(&self.spec.group, store), TopicConfig::changelog(partitions, *retention_ms));
                if topics.describe(&name)?.is_none()
                    && !changelog::holds_all(&self.partitions_of(index, topics)?, topics)?
                {
                    return Err(RuntimeError::ChangelogLost { topic: name });
                }
                create_unless_there(topics, &name, &config)?;
            }
        }
        Ok(())
    }

    /// All partitions that the tasks of sub-topology `sub` read, with the groups of their positions.
    fn partitions_of(&self, sub: usize, topics: &dyn Topics) -> Result<Vec<(Arc<str>, TopicPartition)>, RuntimeError> {
        let mut read = Vec::new();
        for ((source, _), group) in self.subs[sub].sources.iter().zip(self.position_groups(sub)) {
            let topic: Arc<str> = source.topic.as_str().into();
            let count = partitions(topics, &topic)?;
            let partition = |partition| TopicPartition { topic: Arc::clone(&topic), partition };
            read.extend((0..count).map(|number| (Arc::clone(&group), partition(number))));
        }
        Ok(read)
    }

    /// Names of the internal topics.
    pub fn internal_topics(&self) -> impl Iterator<Item = &Arc<str>> {
        self.internal.keys()
    }

    /// All tasks of the query, as (sub-topology, partition), producers first.
    pub fn task_ids(&self, topics: &dyn Topics) -> Result<Vec<(usize, u32)>, RuntimeError> {
        let mut ids = Vec::new();
        for (index, sub) in self.subs.iter().enumerate() {
            let mut count = 1;
            for (source, _) in &sub.sources {
                count = count.max(partitions(topics, &source.topic)?);
            }
            ids.extend((0..count).map(|partition| (index, partition)));
        }
        Ok(ids)
    }

    /// The stores of the task, each with the changelog that it comes back from. None where there are no changelogs.
    pub fn changelogs(&self, (sub, partition): (usize, u32), topics: &dyn Topics) -> Vec<(StoreId, TopicPartition)> {
        if !topics.keeps_changelogs() || self.is_transient() {
            return Vec::new();
        }
        let stores = self.subs[sub].stores.iter().map(|(name, _)| {
            let id = StoreId { query: Arc::clone(&self.spec.id), name: name.clone(), partition };
            let topic = changelog::topic(&self.spec.group, name).into();
            (id, TopicPartition { topic, partition })
        });
        stores.collect()
    }

    /// What the tasks of the query read.
    pub fn reads(&self, topics: &dyn Topics) -> Result<Vec<metrics::Read>, RuntimeError> {
        let mut reads = Vec::new();
        for (index, sub) in self.subs.iter().enumerate() {
            for ((source, _), group) in sub.sources.iter().zip(self.position_groups(index)) {
                let topic: Arc<str> = source.topic.as_str().into();
                let is_source = !self.is_internal(source);
                reads.extend((0..partitions(topics, &topic)?).map(|number| metrics::Read {
                    task: (index, number),
                    partition: TopicPartition { topic: Arc::clone(&topic), partition: number },
                    group: Arc::clone(&group),
                    is_source,
                }));
            }
        }
        Ok(reads)
    }

    /// Whether the tasks of sub-topology `sub` have a store `name`.
    pub fn has_store(&self, sub: usize, name: &str) -> bool {
        self.subs[sub].stores.iter().any(|(store, _)| store == name)
    }

    /// Names of the stores of the tasks of sub-topology `sub`.
    pub fn stores(&self, sub: usize) -> impl Iterator<Item = &str> {
        self.subs[sub].stores.iter().map(|(name, _)| name.as_str())
    }

    /// Its consumer group.
    pub fn group(&self) -> &Arc<str> {
        &self.spec.group
    }

    /// Whether the query has clients and ends with them.
    pub fn is_transient(&self) -> bool {
        self.spec.client.is_some() || self.spec.tap.is_some()
    }

    /// Ends the query of a client, which cannot go on for `reason`: there is no commit from which it could be tried again.
    pub fn tell_client(&self, reason: &str) {
        if let Some(client) = &self.spec.client {
            client.receiver.fail(reason);
        }
        if let Some(tap) = &self.spec.tap {
            tap.fail(reason);
        }
    }

    /// Whether the query has a client that wants no more of it.
    pub fn is_left(&self) -> bool {
        self.spec.client.as_ref().is_some_and(|client| client.receiver.is_closed())
    }

    /// The inputs of the task at their last committed positions. Waits while a transaction is open that may move them.
    pub fn inputs(&self, (sub, partition): (usize, u32), topics: &dyn Topics) -> Result<Inputs, RuntimeError> {
        let mut inputs = Vec::new();
        for ((source, next), group) in self.subs[sub].sources.iter().zip(self.position_groups(sub)) {
            if partition < partitions(topics, &source.topic)? {
                let from = TopicPartition { topic: source.topic.as_str().into(), partition };
                let position = self.start_position(source, (&group, &from), topics)?;
                let stop = self.spec.stop_at.as_ref().and_then(|stop| stop.get(&from).copied());
                let changes = self.subs.iter().any(|sub| sub.writes_changes_to(&source.topic));
                let decodes = topics.shares_fetches().then_some(&*self.decodes);
                let rows_max = self.spec.batch_rows_max;
                let input =
                    Input::new(source, (group, from), position, rows_max, changes, decodes, &self.spec.schemas)?;
                let input = input.failing_on_invalid_time(self.spec.fails_on_invalid_time);
                let input = input.ending_at(stop.unwrap_or(i64::MAX));
                inputs.push((input.with_internal_records(self.is_internal(source)), *next));
            }
        }
        Ok(inputs)
    }

    /// Makes the task `(sub-topology, partition)` that reads `inputs`. Its state must be that of their positions.
    pub(super) fn task(
        &self,
        id: (usize, u32),
        inputs: Inputs,
        shared: &Shared,
        metrics: &Arc<metrics::QueryMetrics>,
    ) -> Result<Task, RuntimeError> {
        let (sub, partition, topics) = (&self.subs[id.0], id.1, &*shared.topics);
        // In memory an entry takes about twice what it takes in storage.
        let preloaded_bytes = shared.memory.next_share() / 2 / sub.stores.len().max(1);
        let (query, ending) = (Arc::clone(&self.spec.id), shared.memory.ending());
        let context = TaskContext { topics, query, partition, preloaded_bytes, ending };
        let node = |name: &Arc<str>, factory: &OperatorFactory, next: &Next| {
            Ok(Node { name: Arc::clone(name), operator: factory(&context)?, next: *next })
        };
        let nodes = sub.nodes.iter().map(|(name, factory, next)| node(name, factory, next));
        Ok(Task::new(TaskParts {
            query: Arc::clone(&self.spec.id),
            group: (!self.is_transient()).then(|| Arc::clone(&self.spec.group)),
            inputs,
            nodes: nodes.collect::<Result<_, RuntimeError>>()?,
            output: self.output(sub, topics)?,
            references: sub.references.as_ref().map(|spec| self.topic_output(spec, topics)).transpose()?,
            writes: sub.writes(),
            writes_sink: sub.writes_sink,
            holds_back: sub.holds_back,
            fails_on_production: self.spec.fails_on_production,
            log: self.log(sub, shared),
            memory: MemoryUse::new(&shared.memory),
            metrics: Arc::clone(metrics),
            figures: metrics.task(id),
        }))
    }

    /// The processing log for tasks of `sub`. Who reads the log does not write it: it could go on for ever.
    fn log(&self, sub: &SubTopology, shared: &Shared) -> Option<TaskLog> {
        let is_read = sub.sources.iter().any(|(source, _)| shared.log.is_written_to(&source.topic));
        if !shared.log.is_on() || is_read {
            return None;
        }
        let (query, plan) = (&self.spec.id, &self.spec.plan);
        let sources = plan.root.sources();
        let input = |source: &Source| {
            let step = match sources.iter().position(|read| read.name == source.name) {
                _ if self.is_internal(source) => "Repartition",
                _ if sources.len() == 1 => "KsqlTopic",
                Some(0) => "KafkaTopic_Left",
                _ => "KafkaTopic_Right",
            };
            (source.topic.clone(), Logger::new(query, &format!("{step}.Source.deserializer")))
        };
        let sink = plan.sink.as_ref().map_or("Client", |sink| &sink.name);
        Some(TaskLog {
            log: Arc::clone(&shared.log),
            inputs: sub.sources.iter().map(|(source, _)| input(source)).collect(),
            nodes: sub.nodes.iter().map(|(name, ..)| Logger::of_operator(query, name)).collect(),
            output: Logger::new(query, &format!("{sink}.serializer")),
        })
    }

    fn is_internal(&self, source: &Source) -> bool {
        self.internal.contains_key(source.topic.as_str())
    }

    fn start_position(
        &self,
        source: &Source,
        (group, from): (&str, &TopicPartition),
        topics: &dyn Topics,
    ) -> Result<Position, RuntimeError> {
        if !self.is_transient()
            && let Some(position) = topics.position(group, from)?
        {
            return Ok(position);
        }
        if let Some(offset) = self.asked_start(from) {
            return Ok(Position { offset, partition_time: -1 });
        }
        let internal = self.is_internal(source);
        let from_start = match self.spec.start_from {
            StartFrom::Earliest => true,
            StartFrom::Latest => internal,
            StartFrom::Default => internal || source.collection == Collection::Table,
        };
        let offset = if from_start { topics.start_offset(from)? } else { topics.end_offset(from)? };
        Ok(Position { offset, partition_time: -1 })
    }

    /// Where a transient query is to start.
    fn asked_start(&self, from: &TopicPartition) -> Option<i64> {
        let handed_on = self.spec.tap.as_ref().and_then(|tap| tap.position(from.partition));
        handed_on.or_else(|| self.spec.start_at.as_ref()?.get(from).copied())
    }

    fn output(&self, sub: &SubTopology, topics: &dyn Topics) -> Result<Option<Box<dyn output::Output>>, RuntimeError> {
        Ok(match &sub.output {
            OutputSpec::Nowhere => None,
            OutputSpec::Push(client) => {
                let table = self.spec.plan.root.collection() == Collection::Table;
                Some(Box::new(PushOutput::new(client.clone(), table)))
            }
            OutputSpec::Tap(tap) => Some(Box::new(TapOutput::new(Arc::clone(tap)))),
            OutputSpec::Topic(spec) => Some(self.topic_output(spec, topics)?),
        })
    }

    fn topic_output(&self, spec: &TopicSpec, topics: &dyn Topics) -> Result<Box<dyn output::Output>, RuntimeError> {
        let TopicSpec { topic, serdes, schema, window, timestamp, has_changes, partition_column } = spec;
        let Some(info) = topics.describe(topic)? else {
            return Err(TopicError::UnknownTopic { topic: topic.to_string() }.into());
        };
        let serdes = (&serdes.0, &serdes.1);
        let mut output = TopicOutput::new(&info, schema, serdes, *window, timestamp.as_ref(), &self.spec.schemas)?;
        if *has_changes {
            output = output.with_changes();
        }
        if let Some(column) = partition_column {
            output = output.with_partition_column(*column);
        }
        Ok(Box::new(output))
    }
}

fn partitions(topics: &dyn Topics, topic: &str) -> Result<u32, RuntimeError> {
    match topics.describe(topic)? {
        Some(info) => Ok(info.config.partitions),
        None => Err(TopicError::UnknownTopic { topic: topic.to_owned() }.into()),
    }
}

fn create_unless_there(topics: &dyn Topics, name: &str, config: &TopicConfig) -> Result<(), RuntimeError> {
    if let Some(found) = topics.describe(name)? {
        return match found.config.partitions {
            count if count == config.partitions => Ok(()),
            found => Err(RuntimeError::InternalPartitions { topic: name.to_owned(), found, wanted: config.partitions }),
        };
    }
    match topics.create(name, config) {
        Ok(()) | Err(TopicError::TopicExists { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

impl SubTopology {
    fn new() -> Self {
        Self {
            sources: Vec::new(),
            nodes: Vec::new(),
            output: OutputSpec::Nowhere,
            references: None,
            stores: Vec::new(),
            writes_sink: false,
            holds_back: false,
        }
    }

    /// The internal topics that it writes.
    fn internal_outputs(&self) -> impl Iterator<Item = Arc<str>> {
        let result = match &self.output {
            OutputSpec::Topic(spec) if !self.writes_sink => Some(&**spec),
            _ => None,
        };
        result.into_iter().chain(&self.references).map(|spec| Arc::clone(&spec.topic))
    }

    fn writes_changes_to(&self, name: &str) -> bool {
        matches!(&self.output, OutputSpec::Topic(spec) if spec.has_changes && *spec.topic == *name)
    }

    fn attach(&mut self, tail: &Tail, next: Next) {
        match tail {
            Tail::Source(index) => self.sources[*index].1 = next,
            Tail::Node(index) => self.nodes[*index].2 = next,
        }
    }

    /// Reads `source`.
    fn read(&mut self, source: Source) -> Tail {
        self.sources.push((source, Next::Output));
        Tail::Source(self.sources.len() - 1)
    }

    /// What it writes where, with nothing written yet: the output first, then the references.
    fn writes(&self) -> Vec<metrics::OutputFigures> {
        let figures = |topic: Option<&str>, is_sink| metrics::OutputFigures {
            topic: topic.map(str::to_owned),
            is_sink,
            written: metrics::WriteCounts::default(),
        };
        let output = match &self.output {
            OutputSpec::Topic(spec) => Some(figures(Some(&spec.topic), self.writes_sink)),
            OutputSpec::Push(_) | OutputSpec::Tap(_) => Some(figures(None, self.writes_sink)),
            OutputSpec::Nowhere => None,
        };
        output.into_iter().chain(self.references.iter().map(|spec| figures(Some(&spec.topic), false))).collect()
    }

    /// Adds an operator that takes the rows of `inputs`, in the order of its ports.
    fn add(&mut self, name: Arc<str>, inputs: impl IntoIterator<Item = Tail>, factory: OperatorFactory) -> Tail {
        let index = self.nodes.len();
        self.nodes.push((name, factory, Next::Output));
        for (port, tail) in inputs.into_iter().enumerate() {
            self.attach(&tail, Next::Node(index, port));
        }
        Tail::Node(index)
    }
}

impl TopicSpec {
    /// Rows of `node` to `topic`.
    fn new(topic: &str, (key_serde, value_serde): (&Serde, &Serde), node: &PlanNode) -> Self {
        Self {
            topic: topic.into(),
            serdes: (key_serde.clone(), value_serde.clone()),
            schema: node.schema(),
            window: node.window(),
            timestamp: None,
            has_changes: false,
            partition_column: None,
        }
    }
}

struct Lowering<'a> {
    spec: &'a QuerySpec,
    subs: Vec<SubTopology>,
    current: SubTopology,
    ordinal: usize,
    /// Operators so far.
    steps: usize,
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::catalog::Catalog;
    use crate::operators::aggregate::Emission;
    use crate::plan::{Planned, QueryPlan, Settings, TopicFacts, TopicLookup};
    use crate::sql::parse_statements;
    use crate::topics::MemoryTopics;

    const SOURCES: &str = "
CREATE STREAM S (ID BIGINT KEY, NAME STRING, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE STREAM S2 (ID BIGINT KEY, V BIGINT) WITH (KAFKA_TOPIC='s2', VALUE_FORMAT='JSON');
CREATE TABLE U (ID BIGINT PRIMARY KEY, NAME STRING) WITH (KAFKA_TOPIC='u', VALUE_FORMAT='JSON');
CREATE TABLE T (ID BIGINT PRIMARY KEY, NAME STRING) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');
CREATE TABLE N (NAME STRING PRIMARY KEY, TITLE STRING) WITH (KAFKA_TOPIC='n', FORMAT='JSON');
";

    struct Known<'a>(&'a MemoryTopics);

    impl TopicLookup for Known<'_> {
        fn find(&self, topic: &str) -> Option<TopicFacts> {
            let info = self.0.describe(topic).expect("topics in memory can be asked about");
            info.map(|info| TopicFacts::with_partitions(info.config.partitions))
        }
    }

    /// The plan of the last statement of `sql`.
    fn plan_of(sql: &str, topics: &MemoryTopics) -> QueryPlan {
        let mut catalog = Catalog::new();
        let properties = BTreeMap::new();
        let known = Known(topics);
        for parsed in parse_statements(sql).expect("well-formed statements") {
            let settings = Settings {
                properties: &properties,
                topics: &known,
                plans: &plan::NoPlans,
                libraries: &plan::NoLibraries,
                query_number: 0,
            };
            match crate::plan::analyze(&parsed, &catalog, &settings).expect("a statement that can be planned") {
                Planned::CreateSource(create) => catalog.add_source(create.source, false).expect("a new name"),
                planned => return planned.query().expect("a persistent query").clone(),
            }
        }
        panic!("no query in {sql}");
    }

    #[test]
    fn explain_shows_the_topology_that_runs() {
        let topics = MemoryTopics::new();
        for topic in ["s", "s2", "t", "u", "n"] {
            topics.create(topic, &TopicConfig::with_partitions(3)).expect("a new topic");
        }
        let queries = [
            "CREATE STREAM X AS SELECT ID, V FROM S",
            "CREATE TABLE X AS SELECT NAME, COUNT(*) AS C FROM S GROUP BY NAME",
            "CREATE TABLE X AS SELECT NAME, COUNT(*) AS C FROM T WHERE ID > 1 GROUP BY NAME",
            "CREATE TABLE X AS SELECT TITLE, SUM(V) AS C FROM S LEFT JOIN N ON S.NAME = N.NAME GROUP BY TITLE",
            "CREATE STREAM X AS SELECT N.NAME, TITLE, V FROM S JOIN T ON S.ID = T.ID JOIN N ON T.NAME = N.NAME",
            "CREATE STREAM X AS SELECT S.ID, S2.V FROM S JOIN S2 WITHIN 1 HOUR ON S.ID = S2.V",
            "CREATE STREAM X AS SELECT S.ID, S2.V FROM S LEFT JOIN S2 WITHIN 1 HOUR GRACE PERIOD 1 HOUR ON S.ID = S2.ID",
            "CREATE TABLE X AS SELECT T.ID, U.NAME FROM T LEFT JOIN U ON T.ID = U.ID WHERE U.NAME > 'a'",
            "CREATE TABLE X AS SELECT T.ID, TITLE FROM T JOIN N ON T.NAME = N.NAME",
            "CREATE TABLE X AS SELECT TITLE, COUNT(*) AS C FROM T JOIN N ON T.NAME = N.NAME GROUP BY TITLE",
        ];
        for query in queries {
            let plan = plan_of(&format!("{SOURCES} {query};"), &topics);
            let explained = plan::topology(&plan, &Known(&topics));
            let spec = QuerySpec {
                id: "Q".into(),
                group: "group".into(),
                plan: Arc::new(plan),
                emission: Emission::EveryRow,
                start_from: StartFrom::Earliest,
                batch_rows_max: 1,
                fails_on_production: true,
                fails_on_invalid_time: false,
                overridden: BTreeMap::new(),
                schemas: crate::formats::Schemas::default(),
                client: None,
                tap: None,
                start_at: None,
                stop_at: None,
            };
            let topology = Topology::new(spec, &topics, &Arc::default()).expect("a query that can run");
            topology.prepare(&topics).expect("internal topics can be made");
            let short = |name: &str| name.strip_prefix("group-").unwrap_or(name).to_owned();
            for (sub, shown) in topology.subs.iter().zip(&explained) {
                let reads: Vec<String> = sub.sources.iter().map(|(source, _)| short(&source.topic)).collect();
                let shown_reads: Vec<String> = shown.reads.iter().map(|topic| topic.name.clone()).collect();
                assert_eq!(reads, shown_reads, "{query}");
                let stores: Vec<&String> = sub.stores.iter().map(|(name, _)| name).collect();
                assert_eq!(stores, shown.keeps.iter().map(|store| &store.name).collect::<Vec<_>>(), "{query}");
                let OutputSpec::Topic(written) = &sub.output else { panic!("{query} writes topics") };
                let written = sub.references.iter().chain([&**written]).map(|spec| short(&spec.topic));
                let shown_writes = shown.writes.iter().map(|topic| topic.name.clone());
                assert_eq!(written.collect::<Vec<_>>(), shown_writes.collect::<Vec<_>>(), "{query}");
            }
            let tasks = topology.task_ids(&topics).expect("topics are there").len() as u32;
            let shown_tasks: u32 = explained.iter().filter_map(|sub| sub.tasks).sum();
            assert_eq!((topology.subs.len(), tasks), (explained.len(), shown_tasks), "{query}");
        }
    }
}
