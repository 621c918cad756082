//! Persistent and transient queries: started from plans, stopped, counted.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use rpds::RedBlackTreeMapSync;

use super::EngineError;
use super::config::Properties;
use crate::catalog::Catalog;
use crate::formats::Schemas;
use crate::plan::{Planned, PushPlan, SharedPlan, query_group};
use crate::runtime::metrics::{InputFigures, Phase, QueryMetrics, RestoreFigures};
use crate::runtime::{Client, QuerySpec, RowReceiver, Runtime, RuntimeError};
use crate::sql::ParsedStatement;
use crate::topics::{TopicConsumers, Topics};

/// Figures of one persistent query, since it was started in this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryStatus {
    /// Query id: `CSAS_ALERTS_3`.
    pub id: String,
    /// Stream or table that it fills.
    pub sink: String,
    /// `RUNNING`, `PAUSED` or `ERROR`.
    pub state: String,
    /// Records read.
    pub rows_in: u64,
    /// Records written to the sink.
    pub rows_out: u64,
    /// Records that went to the dead letters.
    pub rejected: u64,
    /// Records not read yet.
    pub lag: u64,
    /// While state comes back: records of changelogs that were read, and that are to be.
    pub restore: Option<(u64, u64)>,
    /// Why it does not run, in state `ERROR`.
    pub failure: Option<String>,
}

/// A persistent query.
#[derive(Clone)]
pub struct RunningQuery {
    /// What runs.
    pub spec: QuerySpec,
    /// Its figures.
    pub metrics: Arc<QueryMetrics>,
    /// Whether it is paused.
    pub paused: bool,
    /// Why it cannot run before somebody does something.
    fault: Option<String>,
    /// Whether it was started.
    runs: bool,
    /// Stream or table it fills.
    pub sink: String,
}

/// The persistent queries as whoever watches them sees them, who does not wait for statements that change them.
#[derive(Clone, Default)]
pub struct Watched(Arc<RwLock<BTreeMap<u64, Arc<RunningQuery>>>>);

impl Watched {
    /// All queries as they are now, in order of creation.
    pub fn queries(&self) -> Vec<Arc<RunningQuery>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn set(&self, number: u64, query: Option<&RunningQuery>) {
        let mut queries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match query {
            Some(query) => drop(queries.insert(number, Arc::new(query.clone()))),
            None => drop(queries.remove(&number)),
        }
    }
}

/// The persistent queries, by id in order of creation.
#[derive(Default)]
pub struct Queries {
    running: BTreeMap<u64, RunningQuery>,
    watched: Watched,
    numbers: HashMap<Arc<str>, u64>,
    /// What they compute, by id, to be read by those who do not hold the engine.
    plans: RedBlackTreeMapSync<Arc<str>, SharedPlan>,
    /// Counts the changes of that.
    changes: u64,
}

/// How queries are set up.
pub struct QuerySetup<'a> {
    /// Properties in force when the query was created.
    pub properties: &'a Properties,
    /// Rows processed together at most.
    pub batch_rows_max: usize,
    /// Where formats find schemas.
    pub schemas: Schemas,
    /// Why the query cannot run, as far as is known before it is started.
    pub fault: Option<String>,
}

fn spec(id: &str, group: String, plan: SharedPlan, setup: &QuerySetup<'_>) -> Result<QuerySpec, EngineError> {
    Ok(QuerySpec {
        id: id.into(),
        group: group.into(),
        plan,
        emission: setup.properties.emission()?,
        start_from: setup.properties.start_from()?,
        batch_rows_max: setup.batch_rows_max,
        fails_on_production: setup.properties.fails_on_production(),
        fails_on_invalid_time: setup.properties.fails_on_invalid_time(),
        schemas: setup.schemas.clone(),
        client: None,
        tap: None,
        start_at: None,
        stop_at: None,
        overridden: setup.properties.overridden().clone(),
    })
}

fn persistent_spec(id: &str, plan: SharedPlan, setup: &QuerySetup<'_>) -> Result<QuerySpec, EngineError> {
    spec(id, query_group(setup.properties.service_id(), id), plan, setup)
}

impl Queries {
    /// Whether the query `id` with `plan` could be started.
    pub fn check(runtime: &Runtime, id: &str, plan: &SharedPlan, setup: &QuerySetup<'_>) -> Result<(), EngineError> {
        runtime.check(persistent_spec(id, Arc::clone(plan), setup)?).map_err(EngineError::environment)
    }

    /// Starts the query `id`, created as number `number`, that fills `sink`. One that cannot start is there too, in state `ERROR`: it
    /// can be looked at and ended, and is tried again.
    pub fn start(
        &mut self,
        runtime: &Runtime,
        (id, number): (&str, u64),
        sink: &str,
        plan: SharedPlan,
        setup: &QuerySetup<'_>,
    ) -> Result<(), EngineError> {
        let spec = persistent_spec(id, plan, setup)?;
        let fault = setup.fault.clone();
        let mut query =
            RunningQuery { spec, metrics: Arc::default(), paused: false, fault, runs: false, sink: sink.to_owned() };
        query.start(runtime);
        self.insert(number, query);
        Ok(())
    }

    /// Ends the query `id` at its last commit and lets `plan` go on there, with the same positions and state. A paused query
    /// stays paused.
    pub fn replace(
        &mut self,
        runtime: &Runtime,
        id: &str,
        sink: &str,
        plan: SharedPlan,
        setup: &QuerySetup<'_>,
    ) -> Result<(), EngineError> {
        let spec = persistent_spec(id, plan, setup)?;
        let Some(query) = self.find(id) else {
            return Err(EngineError::new(format!("query {id} is not there to be replaced")));
        };
        runtime.stop(&query.spec.id);
        let (id_there, plan) = (Arc::clone(&spec.id), Arc::clone(&spec.plan));
        (query.spec, query.runs, query.sink) = (spec, false, sink.to_owned());
        query.fault.clone_from(&setup.fault);
        tracing::info!(query = id, "query replaced");
        if !query.paused {
            query.start(runtime);
        }
        self.set_plan(id_there, plan);
        self.publish(id);
        Ok(())
    }

    /// As [`Queries::replace`], where everything but the plan stays as it is.
    pub fn replan(&mut self, runtime: &Runtime, id: &str, plan: SharedPlan, fault: Option<String>) {
        let Some(query) = self.find(id) else { return };
        runtime.stop(&query.spec.id);
        let (id_there, new) = (Arc::clone(&query.spec.id), Arc::clone(&plan));
        query.spec.plan = plan;
        (query.fault, query.runs) = (fault, false);
        tracing::info!(query = id, "query goes on with other functions");
        if !query.paused {
            query.start(runtime);
        }
        self.set_plan(id_there, new);
        self.publish(id);
    }

    /// What the queries compute, by id.
    pub fn plans(&self) -> &RedBlackTreeMapSync<Arc<str>, SharedPlan> {
        &self.plans
    }

    /// How often [`Queries::plans`] has changed.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    fn set_plan(&mut self, id: Arc<str>, plan: SharedPlan) {
        self.plans.insert_mut(id, plan);
        self.changes += 1;
    }

    fn insert(&mut self, number: u64, query: RunningQuery) {
        self.watched.set(number, Some(&query));
        self.numbers.insert(Arc::clone(&query.spec.id), number);
        self.set_plan(Arc::clone(&query.spec.id), Arc::clone(&query.spec.plan));
        self.running.insert(number, query);
    }

    /// Lets those who watch see the query `id` as it is now.
    fn publish(&self, id: &str) {
        if let Some(number) = self.numbers.get(id) {
            self.watched.set(*number, self.running.get(number));
        }
    }

    /// The queries for those who watch.
    pub fn watched(&self) -> Watched {
        self.watched.clone()
    }

    fn find(&mut self, id: &str) -> Option<&mut RunningQuery> {
        self.running.get_mut(self.numbers.get(id)?)
    }

    /// Takes up the query `id` as [`Queries::start`] does, but paused: nothing of it runs.
    pub fn add_paused(
        &mut self,
        runtime: &Runtime,
        (id, number): (&str, u64),
        sink: &str,
        plan: SharedPlan,
        setup: &QuerySetup<'_>,
    ) -> Result<(), EngineError> {
        let spec = persistent_spec(id, plan, setup)?;
        // One that cannot be looked at says why when it is resumed.
        let metrics = runtime.outline(&spec).unwrap_or_default();
        let fault = setup.fault.clone();
        self.insert(number, RunningQuery { spec, metrics, paused: true, fault, runs: false, sink: sink.to_owned() });
        Ok(())
    }

    /// Tries queries again that could not start.
    pub fn start_failed(&mut self, runtime: &Runtime) {
        let may_start = |query: &&mut RunningQuery| !query.runs && !query.paused && query.fault.is_none();
        let failed = self.running.iter_mut().map(|(number, query)| (*number, query));
        for (number, query) in failed.filter(|(_, query)| may_start(query)) {
            query.start(runtime);
            self.watched.set(number, Some(query));
        }
    }

    /// The queries that were started and are not paused.
    pub fn running(&self) -> impl Iterator<Item = &QuerySpec> {
        self.running.values().filter(|query| query.runs && !query.paused).map(|query| &query.spec)
    }

    /// Ends the query `id` at its last commit and starts it there, with its topics as they are now.
    pub fn start_anew(&mut self, runtime: &Runtime, id: &str) {
        if let Some(query) = self.find(id).filter(|query| query.runs && !query.paused) {
            runtime.stop(&query.spec.id);
            query.runs = false;
            query.start(runtime);
        }
        self.publish(id);
    }

    /// The query `id`.
    pub fn get(&self, id: &str) -> Option<&RunningQuery> {
        self.running.get(self.numbers.get(id)?)
    }

    /// Whether a query writes to the stream or table `sink`.
    pub fn fills(&self, sink: &str) -> bool {
        self.running.values().any(|query| query.sink == sink)
    }

    /// Ends the query `id` and removes its state from this server; returns its consumer groups.
    pub fn end(&mut self, runtime: &Runtime, id: &str) -> Result<Vec<Arc<str>>, EngineError> {
        let number = self.numbers.remove(id);
        let Some(query) = number.and_then(|number| self.running.remove(&number)) else { return Ok(Vec::new()) };
        self.plans.remove_mut(id);
        self.changes += 1;
        if let Some(number) = number {
            self.watched.set(number, None);
        }
        runtime.stop(&query.spec.id);
        tracing::info!(query = id, "query ended");
        runtime.remove_state(&query.spec)?;
        let mut groups = vec![query.spec.group];
        groups.extend(query.metrics.reads().iter().map(|read| Arc::clone(&read.group)));
        groups.sort();
        groups.dedup();
        Ok(groups)
    }

    /// Ends the query `id` for now (`paused`), or lets it go on from its last commit.
    pub fn set_paused(&mut self, runtime: &Runtime, id: &str, paused: bool) {
        let Some(query) = self.find(id) else { return };
        if query.paused == paused {
            return;
        }
        query.paused = paused;
        if paused {
            runtime.stop(&query.spec.id);
            query.runs = false;
            tracing::info!(query = id, "query paused");
        } else {
            query.start(runtime);
        }
        self.publish(id);
    }

    /// Queries with the topics of their sources, each once, in order of creation.
    pub fn source_topics(&self) -> Vec<(String, Vec<String>)> {
        let topics = |query: &RunningQuery| {
            let mut topics: Vec<String> = Vec::new();
            for source in query.spec.plan.root.sources() {
                if !topics.contains(&source.topic) {
                    topics.push(source.topic.clone());
                }
            }
            topics
        };
        self.running.values().map(|query| (query.spec.id.to_string(), topics(query))).collect()
    }

    /// What the queries that run read: each is a group of its own, with a task for each partition.
    pub fn consumers(&self) -> Vec<TopicConsumers> {
        let mut found: Vec<TopicConsumers> = Vec::new();
        for query in self.running.values().filter(|query| query.runs && !query.paused) {
            for read in query.metrics.reads() {
                let (topic, group) = (&*read.partition.topic, &*read.group);
                match found.iter_mut().find(|known| known.topic == topic && known.group == group) {
                    Some(known) => known.consumers += 1,
                    None => {
                        found.push(TopicConsumers { topic: topic.to_owned(), group: group.to_owned(), consumers: 1 });
                    }
                }
            }
        }
        found
    }

    /// Figures of all queries, in order of creation.
    pub fn status(&self, topics: &dyn Topics) -> Vec<QueryStatus> {
        self.running.values().map(|query| query.status(topics)).collect()
    }
}

impl RunningQuery {
    fn start(&mut self, runtime: &Runtime) {
        if let Some(fault) = &self.fault {
            tracing::error!(query = %self.spec.id, "the query cannot run: {fault}");
            self.metrics.fail(None, runtime.query_error(&RuntimeError::Function(fault.clone())));
            return;
        }
        match runtime.start(self.spec.clone()) {
            Ok(metrics) => {
                metrics.inherit(&self.metrics);
                (self.metrics, self.runs) = (metrics, true);
                tracing::info!(query = %self.spec.id, "query started");
            }
            Err(error) => {
                tracing::error!(query = %self.spec.id, "the query cannot start: {error}");
                self.metrics.fail(None, runtime.query_error(&error));
            }
        }
    }

    /// `RUNNING`, `PAUSED` or `ERROR`.
    pub fn state(&self) -> &'static str {
        match (self.paused, self.metrics.failure()) {
            (true, _) => "PAUSED",
            (false, Some(_)) => "ERROR",
            (false, None) => "RUNNING",
        }
    }

    fn status(&self, topics: &dyn Topics) -> QueryStatus {
        let tasks = self.metrics.tasks(topics);
        let inputs = tasks.iter().flat_map(|(_, figures)| &figures.inputs).filter(|input| input.is_source);
        let restoring = tasks.iter().filter(|(_, figures)| figures.phase == Phase::Restoring);
        let restore = RestoreFigures::total(restoring.flat_map(|(_, figures)| &figures.restores));
        let (rows_in, rows_out, rejected) = self.metrics.totals();
        QueryStatus {
            id: self.spec.id.to_string(),
            sink: self.sink.clone(),
            state: self.state().to_owned(),
            rows_in,
            rows_out,
            rejected,
            lag: inputs.map(InputFigures::lag).sum(),
            restore,
            failure: self.metrics.failure(),
        }
    }
}

/// Whether the query that `planned` starts, if any, is one too many.
pub fn check_limit(
    planned: &Planned,
    catalog: &Catalog,
    properties: &Properties,
    parsed: &ParsedStatement,
) -> Result<(), EngineError> {
    let starts = match planned {
        Planned::CreateAs(create) => !create.upgrades,
        Planned::InsertInto(_) => true,
        Planned::CreateSource(create) => create.query.is_some(),
        _ => false,
    };
    let (count, limit) = (catalog.query_count(), properties.queries_max()?);
    if !starts || count < limit {
        return Ok(());
    }
    let text = format!(
        "Not executing statement(s) '{}' as it would cause the number of active, persistent queries to exceed the configured \
         limit. Use the TERMINATE command to terminate existing queries. Current persistent query count: {count}. \
         Configured limit: {limit}.",
        parsed.text
    );
    Err(EngineError::new(text).at(parsed.span))
}

/// A transient query whose rows go to `receiver`.
pub fn transient_spec(
    id: &str,
    plan: &PushPlan,
    receiver: Arc<dyn RowReceiver>,
    setup: &QuerySetup<'_>,
) -> Result<QuerySpec, EngineError> {
    let group = format!("_confluent-ksql-{}{id}", setup.properties.service_id());
    let columns = plan.columns.iter().map(|column| (column.column.clone(), column.part)).collect();
    let mut spec = spec(id, group, Arc::new(plan.query.clone()), setup)?;
    spec.client = Some(Client { receiver, columns });
    Ok(spec)
}
