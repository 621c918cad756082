//! A lowered query: the topics that it needs, and its tasks, made again after each failure.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use super::lowered;
use super::sub_topology::{OperatorFactory, OutputSpec, SubTopology, TaskContext, TopicSpec};
use crate::plan::{Collection, Source};
use crate::runtime::input::Input;
use crate::runtime::memory::MemoryUse;
use crate::runtime::metrics::{self, TaskId};
use crate::runtime::output::{self, PushOutput, TopicOutput};
use crate::runtime::processing_log::Logger;
use crate::runtime::shared_decode::SharedDecodes;
use crate::runtime::tap::TapOutput;
use crate::runtime::task::{Next, Node, Task, TaskLog, TaskParts};
use crate::runtime::{QuerySpec, RuntimeError, Shared, StartFrom, changelog, lock, sources};
use crate::state::StoreId;
use crate::topics::{Position, TopicConfig, TopicError, TopicPartition, Topics};

/// Inputs of a task and where their rows go.
pub type Inputs = Vec<(Input, Next)>;
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
        let subs = lowered(&spec)?;
        let decodes = Arc::clone(decodes);
        let mut topology = Self { spec, decodes, subs, internal: HashMap::new(), preparing: Mutex::default() };
        topology.size_internal_topics(topics)?;
        Ok(topology)
    }

    /// Makes sure that the query can go on with its source topics as they are now, and creates the internal topics that are
    /// missing.
    pub fn prepare(&self, topics: &dyn Topics) -> Result<(), RuntimeError> {
        let _one = lock(&self.preparing);
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

    /// All tasks of the query, as (sub-topology, partition), producers first.
    pub fn task_ids(&self, topics: &dyn Topics) -> Result<Vec<TaskId>, RuntimeError> {
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
    pub fn changelogs(&self, (sub, partition): TaskId, topics: &dyn Topics) -> Vec<(StoreId, TopicPartition)> {
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
    pub fn inputs(&self, (sub, partition): TaskId, topics: &dyn Topics) -> Result<Inputs, RuntimeError> {
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
    pub(in crate::runtime) fn task(
        &self,
        id: TaskId,
        inputs: Inputs,
        shared: &Shared,
        metrics: &Arc<metrics::QueryMetrics>,
    ) -> Result<Task, RuntimeError> {
        let (sub, partition, topics) = (&self.subs[id.0], id.1, &*shared.topics);
        // In memory an entry takes about twice what it takes in storage.
        let preloaded_bytes = shared.memory.next_share() / 2 / sub.stores.len().max(1);
        let context = TaskContext { topics, query: Arc::clone(&self.spec.id), partition, preloaded_bytes };
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
    Ok(topics.ensure(name, config)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::catalog::Catalog;
    use crate::operators::aggregate::Emission;
    use crate::plan::{self, Planned, QueryPlan, Settings, TopicFacts, TopicLookup};
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
