//! What a planned statement changes: catalog and plans when it is given, replayed, or read from another server; then queries.

use std::collections::BTreeMap;
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;

use super::command_log::{Command, Origin};
use super::config::Properties;
use super::definitions::Definition;
use super::libraries::{Files, Installed, Recorded};
use super::queries::QuerySetup;
use super::topics::Known;
use super::{Core, EngineError, Shared, show};
use crate::catalog::{
    Catalog, CatalogError, DataSource, FunctionDefinition, FunctionInfo, QueryId, QueryInfo, QueryKind,
};
use crate::configuration::is_secret;
use crate::functions::Function;
use crate::plan::{
    self, ASKED_PROPERTIES, FUNCTION_PROPERTIES, PlanLookup, Planned, PlannedCreateAs, PlannedInsert, PlannedSource,
    QueryPlan, Settings, SharedPlan, TopicFacts, TopicLookup,
};
use crate::sql::parse_statements;

/// A persistent query that is to be started.
pub(super) struct PendingQuery {
    pub(super) id: String,
    pub(super) sink: String,
    pub(super) plan: SharedPlan,
    pub(super) properties: BTreeMap<String, String>,
    /// It goes on where the query with its id stops.
    pub(super) upgrades: bool,
}

/// Plans of the persistent queries. A copy costs nothing.
#[derive(Clone, Default)]
pub(super) struct Plans {
    by_id: RedBlackTreeMapSync<QueryId, SharedPlan>,
}

impl PlanLookup for Plans {
    fn plan(&self, id: &QueryId) -> Option<SharedPlan> {
        self.by_id.get(id).cloned()
    }
}

/// Properties that decide what may be asked for, not what it means.
const SWITCHES: [&str; 4] =
    ["ksql.create.or.replace.enabled", "ksql.headers.columns.enabled", "ksql.lambdas.enabled", "ksql.suppress.enabled"];

/// The properties by which `command` was understood when it was given, whatever this server was started with.
fn properties_then(shared: &Shared, command: &Command) -> BTreeMap<String, String> {
    let mut server = shared.server.clone();
    match &command.server {
        Some(then) => {
            ASKED_PROPERTIES.iter().for_each(|asked| drop(server.remove(*asked)));
            // What is secret is in no command: it is as this server has it.
            server.retain(|name, _| !name.starts_with(FUNCTION_PROPERTIES) || is_secret(name));
            server.extend(then.clone());
        }
        // It was allowed when it was given.
        None => SWITCHES.iter().for_each(|switch| drop(server.remove(*switch))),
    }
    Properties::new(&server, &command.properties).values().clone()
}

/// Topics as they are now, for statements of the past: those that were deleted since were there.
struct Past<'a>(Known<'a>);

impl TopicLookup for Past<'_> {
    fn find(&self, topic: &str) -> Option<TopicFacts> {
        self.0.find(topic).or(Some(TopicFacts::with_partitions(1)))
    }

    fn is_past(&self) -> bool {
        true
    }
}

/// What a command of the log says, by the catalog as the commands before it have left it. With `loads`, libraries that it names
/// are loaded.
fn planned(
    shared: &Shared,
    core: &Core,
    number: u64,
    command: &Command,
    loads: bool,
) -> Result<Option<Planned>, EngineError> {
    let parsed = parse_statements(&command.statement)?;
    let Some(parsed) = parsed.first() else { return Ok(None) };
    let properties = properties_then(shared, command);
    let topics = Past(Known::new(&*shared.topics));
    let libraries = Recorded { functions: &command.functions, installed: loads.then_some(Installed(&shared.server)) };
    let (plans, query_number) = (&core.plans, number);
    let settings = Settings { properties: &properties, topics: &topics, plans, libraries: &libraries, query_number };
    Ok(Some(plan::analyze(parsed, &core.catalog, &settings)?))
}

/// Executes a command of the log again: catalog and pending queries only.
pub(super) fn replay(shared: &Shared, core: &mut Core, number: u64, command: &Command) -> Result<(), EngineError> {
    let Some(planned) = planned(shared, core, number, command, false)? else { return Ok(()) };
    core.define(number, command.origin, command.written(), &planned);
    if let Some(query) = core.record(&planned)? {
        let former = core.pending.iter().find(|(_, pending)| query.upgrades && pending.id == query.id);
        let number = former.map_or(number, |(number, _)| *number);
        core.pending.insert(number, PendingQuery { properties: command.properties.clone(), ..query });
    }
    for id in ended(&planned, &core.catalog_before) {
        core.pending.retain(|_, query| query.id != id);
        core.paused.remove(&id);
    }
    core.paused_by(&planned);
    core.replan_pending(&planned);
    Ok(())
}

/// Carries out a command that another server has appended.
pub(super) fn follow(shared: &Shared, core: &mut Core, number: u64, command: &Command) -> Result<(), EngineError> {
    let Some(planned) = planned(shared, core, number, command, true)? else { return Ok(()) };
    let query = core.record(&planned)?;
    core.define(number, command.origin, command.written(), &planned);
    for id in ended(&planned, &core.catalog_before) {
        core.queries.end(&shared.runtime, &id)?;
    }
    if let Some(query) = query {
        core.begin(shared, number, PendingQuery { properties: command.properties.clone(), ..query })?;
    }
    core.pause(shared, &planned);
    core.replan(shared, &planned);
    Ok(())
}

/// Ids of the queries that `planned` ends, by `catalog` as it is before.
pub(super) fn ended(planned: &Planned, catalog: &Catalog) -> Vec<String> {
    match planned {
        Planned::Terminate(ids) => ids.iter().map(ToString::to_string).collect(),
        Planned::Drop { name, .. } => {
            let id = catalog.source(name).and_then(|source| source.created_by_query.as_ref());
            id.into_iter().map(ToString::to_string).collect()
        }
        _ => Vec::new(),
    }
}

impl Core {
    /// Enters `planned` into the catalog; returns the query that it starts. The catalog before is kept.
    pub(super) fn record(&mut self, planned: &Planned) -> Result<Option<PendingQuery>, EngineError> {
        self.catalog_before = self.catalog.clone();
        self.plans_before = self.plans.clone();
        self.catalog_changes += 1;
        let recorded = record(&mut self.catalog, &mut self.plans, planned);
        if recorded.is_err() {
            self.forget_last();
        }
        recorded
    }

    /// Takes back what was recorded last.
    pub(super) fn forget_last(&mut self) {
        self.catalog = self.catalog_before.clone();
        self.plans = self.plans_before.clone();
        self.catalog_changes += 1;
    }

    /// Starts a query that the command `number` has created, or lets it take the place of the former one.
    pub(super) fn begin(&mut self, shared: &Shared, number: u64, query: PendingQuery) -> Result<(), EngineError> {
        let properties = shared.properties(&query.properties);
        let setup = QuerySetup {
            properties: &properties,
            batch_rows_max: shared.batch_rows_max,
            schemas: shared.schemas(),
            fault: self.catalog.query_fault(&QueryId::new(&query.id)),
        };
        if query.upgrades {
            self.queries.replace(&shared.runtime, &query.id, &query.sink, query.plan, &setup)
        } else {
            self.queries.start(&shared.runtime, (&query.id, number), &query.sink, query.plan, &setup)
        }
    }

    /// Makes this server the one that changes the catalog, as the last that did has left it. True if others have.
    pub(super) fn take_over(&mut self, shared: &Shared) -> Result<bool, EngineError> {
        Ok(self.log()?.take_over()? && self.catch_up(shared)?)
    }

    /// Carries out what other servers have appended to the command log; true if there was any.
    pub(super) fn catch_up(&mut self, shared: &Shared) -> Result<bool, EngineError> {
        let mut any = false;
        for (number, command) in self.log()?.read()? {
            if number < self.next_command {
                continue;
            }
            any = true;
            self.note(number, &command);
            if command.replayed
                && let Err(error) = follow(shared, self, number, &command)
            {
                let statement = show::one_line(&command.statement);
                tracing::error!("another server's '{statement}' cannot be carried out here: {error}");
            }
        }
        Ok(any)
    }

    /// Takes a command of the log into account.
    pub(super) fn note(&mut self, number: u64, command: &Command) {
        self.next_command = number + 1;
        if command.origin == Origin::File {
            self.applied.add(command.written());
        }
    }

    /// Notes which statement has made, or removed, what `planned` says. What a client has dropped that came from a file is not
    /// applied any more: the file may make it again.
    pub(super) fn define(&mut self, number: u64, origin: Origin, text: &str, planned: &Planned) {
        let removed = self.definitions.note(planned, &Definition { number, origin, text: text.to_owned() });
        if origin == Origin::Session {
            let of_files = removed.iter().filter(|definition| definition.origin == Origin::File);
            of_files.for_each(|definition| self.applied.remove(&definition.text));
        }
    }

    pub(super) fn pause(&mut self, shared: &Shared, planned: &Planned) {
        let (ids, paused) = match planned {
            Planned::Pause(ids) => (ids, true),
            Planned::Resume(ids) => (ids, false),
            _ => return,
        };
        ids.iter().for_each(|id| self.queries.set_paused(&shared.runtime, id.as_str(), paused));
    }

    fn paused_by(&mut self, planned: &Planned) {
        match planned {
            Planned::Pause(ids) => self.paused.extend(ids.iter().map(ToString::to_string)),
            Planned::Resume(ids) => self.paused.retain(|paused| ids.iter().all(|id| id.as_str() != paused)),
            _ => {}
        }
    }

    /// Lets queries that run go on with the functions that `planned` has replaced.
    pub(super) fn replan(&mut self, shared: &Shared, planned: &Planned) {
        let Planned::CreateFunctions(create) = planned else { return };
        for (id, plan) in &create.queries {
            let fault = self.catalog.query_fault(id);
            self.queries.replan(&shared.runtime, id.as_str(), Arc::clone(plan), fault);
        }
    }

    /// As [`Core::replan`], for queries that are not started yet.
    fn replan_pending(&mut self, planned: &Planned) {
        let Planned::CreateFunctions(create) = planned else { return };
        for query in self.pending.values_mut() {
            if let Some((_, plan)) = create.queries.iter().find(|(id, _)| id.as_str() == query.id) {
                query.plan = Arc::clone(plan);
            }
        }
    }

    /// Loads the libraries of the functions that replay has left, each once. What cannot be loaded is a fault of its functions.
    pub(super) fn load_libraries(&mut self, shared: &Shared) {
        let installed = Installed(&shared.server);
        let mut files = Files::new(&installed);
        let defined: Vec<Arc<FunctionInfo>> = self.catalog.defined_functions().cloned().collect();
        for info in defined {
            let FunctionDefinition::Library { path, .. } = &info.definition else { continue };
            let Some(known) = self.catalog.functions().get(&info.name).cloned() else { continue };
            let with_fault = |fault| FunctionInfo {
                definition: FunctionDefinition::Library { path: path.clone(), fault },
                ..FunctionInfo::clone(&info)
            };
            let loaded = files.find(&known, path).and_then(|function| {
                let new = vec![(function, with_fault(None))];
                self.replaced_in_replay(shared, new).map_err(|error| error.to_string())
            });
            if let Err(reason) = loaded {
                tracing::error!("function {} cannot be used: {reason}", info.name);
                self.catalog.add_function(known, with_fault(Some(reason)));
                self.catalog_changes += 1;
            }
        }
    }

    /// Puts functions in the place of those that are known by the log only.
    fn replaced_in_replay(&mut self, shared: &Shared, new: Vec<(Function, FunctionInfo)>) -> Result<(), EngineError> {
        let properties = BTreeMap::new();
        let topics = Past(Known::new(&*shared.topics));
        let settings = Settings {
            properties: &properties,
            topics: &topics,
            plans: &self.plans,
            libraries: &Installed(&shared.server),
            query_number: self.next_command,
        };
        let planned = Planned::CreateFunctions(Box::new(plan::replace_functions(new, &self.catalog, &settings)?));
        self.record(&planned)?;
        self.replan_pending(&planned);
        Ok(())
    }

    /// Starts the queries that replay has left.
    pub(super) fn start_queries(&mut self, shared: &Shared) -> Result<(), EngineError> {
        for (number, query) in std::mem::take(&mut self.pending) {
            let properties = shared.properties(&query.properties);
            let setup = QuerySetup {
                properties: &properties,
                batch_rows_max: shared.batch_rows_max,
                schemas: shared.schemas(),
                fault: self.catalog.query_fault(&QueryId::new(&query.id)),
            };
            let id = (query.id.as_str(), number);
            if self.paused.contains(&query.id) {
                self.queries.add_paused(&shared.runtime, id, &query.sink, query.plan, &setup)?;
            } else {
                self.queries.start(&shared.runtime, id, &query.sink, query.plan, &setup)?;
            }
        }
        Ok(())
    }
}

/// Enters `planned` into `catalog`; returns the query that it starts.
pub(super) fn record(
    catalog: &mut Catalog,
    plans: &mut Plans,
    planned: &Planned,
) -> Result<Option<PendingQuery>, EngineError> {
    let refused = |error: CatalogError| EngineError::new(error.to_string());
    let query = match planned {
        Planned::CreateSource(create) => record_source(catalog, create)?,
        Planned::CreateAs(create) => {
            let PlannedCreateAs { source, query_info, query, or_replace, upgrades, .. } = &**create;
            catalog.add_source(source.clone(), *or_replace).map_err(refused)?;
            catalog.add_query(query_info.clone());
            let query = pending(query_info.id.as_str(), &source.name, query);
            Some(PendingQuery { upgrades: *upgrades, ..query })
        }
        Planned::InsertInto(insert) => {
            let PlannedInsert { target, query_info, query } = &**insert;
            catalog.add_query(query_info.clone());
            Some(pending(query_info.id.as_str(), target, query))
        }
        Planned::Alter(source) => {
            catalog.add_source(DataSource::clone(source), true).map_err(refused)?;
            None
        }
        Planned::CreateFunctions(create) => {
            for (function, info) in &create.functions {
                catalog.add_function(function.clone(), info.clone());
            }
            create.callers.iter().for_each(|caller| catalog.replace_body(caller.clone()));
            for (id, plan) in &create.queries {
                plans.by_id.insert_mut(id.clone(), Arc::clone(plan));
            }
            None
        }
        Planned::DropFunction { name } => {
            catalog.drop_function(name).map_err(refused)?;
            None
        }
        Planned::CreateType { name, sql_type } => {
            catalog.add_type(name, sql_type.clone()).map_err(refused)?;
            None
        }
        Planned::DropType { name } => {
            catalog.remove_type(name).map_err(refused)?;
            None
        }
        Planned::Drop { name, collection, .. } => {
            let dropped = catalog.drop_source(name, *collection).map_err(refused)?;
            dropped.created_by_query.iter().for_each(|id| plans.remove(id));
            None
        }
        Planned::Terminate(ids) => {
            for id in ids {
                catalog.remove_query(id).map_err(refused)?;
                plans.remove(id);
            }
            None
        }
        _ => None,
    };
    if let Some(query) = &query {
        plans.by_id.insert_mut(QueryId::new(&query.id), Arc::clone(&query.plan));
    }
    Ok(query)
}

impl Plans {
    fn remove(&mut self, id: &QueryId) {
        self.by_id.remove_mut(id);
    }
}

fn pending(id: &str, sink: &str, plan: &QueryPlan) -> PendingQuery {
    let plan = Arc::new(plan.clone());
    PendingQuery { id: id.to_owned(), sink: sink.to_owned(), plan, properties: BTreeMap::new(), upgrades: false }
}

fn record_source(catalog: &mut Catalog, create: &PlannedSource) -> Result<Option<PendingQuery>, EngineError> {
    let source = &create.source;
    catalog.add_source(source.clone(), create.or_replace).map_err(|error| EngineError::new(error.to_string()))?;
    let (Some(plan), Some(id)) = (&create.query, &source.created_by_query) else { return Ok(None) };
    catalog.add_query(QueryInfo {
        id: id.clone(),
        kind: QueryKind::CreateSource,
        reads: vec![source.name.clone()],
        sink: source.name.clone(),
        functions: Vec::new(),
        sql: source.sql.clone(),
    });
    Ok(Some(pending(id.as_str(), &source.name, plan)))
}
