//! Statements to effects.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::command_log::{Command, Origin, Overtaken};
use super::config::Properties;
use super::queries::{self, Queries, QuerySetup};
use super::query_report::Observer;
use super::topics::{self, Known};
use super::{Core, EngineError, Listing, PushQuery, Response, Session, Shared, codecs, insert, pull, show};
use crate::catalog::{Catalog, Collection, QueryId, QueryInfo, QueryKind};
use crate::plan::{
    self, Planned, PlannedCreateAs, PlannedInsert, PlannedSource, QueryPlan, Settings, TopicFacts, TopicLookup as _,
};
use crate::sql::ast::{SourceKind, Statement};
use crate::sql::{ParsedStatement, parse_statements, substitute_variables};
use crate::topics::Transaction;

/// A persistent query that replay has met and that is not started yet.
pub(super) struct PendingQuery {
    id: String,
    sink: String,
    plan: QueryPlan,
    properties: BTreeMap<String, String>,
}

/// Executes a script for a client.
pub(super) fn script(
    shared: &Shared,
    core: &mut Core,
    session: &mut Session,
    text: &str,
    show: &mut dyn FnMut(Response),
) -> Result<(), EngineError> {
    for statement in parse_statements(text)? {
        parsed(shared, core, session, statement, show)?;
    }
    Ok(())
}

/// Executes one statement for a client.
pub(super) fn parsed(
    shared: &Shared,
    core: &mut Core,
    session: &mut Session,
    parsed: ParsedStatement,
    show: &mut dyn FnMut(Response),
) -> Result<(), EngineError> {
    let parsed = with_variables(parsed, &session.variables)?;
    Execution { shared, core, session, origin: Origin::Session, applied_before: 0 }.statement(&parsed, show)
}

/// `parsed` with the values of its variables.
pub(super) fn with_variables(
    parsed: ParsedStatement,
    variables: &BTreeMap<String, String>,
) -> Result<ParsedStatement, EngineError> {
    if variables.is_empty() || !parsed.text.contains("${") {
        return Ok(parsed);
    }
    let text = substitute_variables(&parsed.text, variables).map_err(EngineError::environment)?;
    let mut statements = parse_statements(&text)?;
    statements.pop().ok_or_else(|| EngineError::new("a statement vanished when its variables were replaced"))
}

/// What a command of the log says, by the catalog as the commands before it have left it.
fn planned(shared: &Shared, core: &Core, number: u64, command: &Command) -> Result<Option<Planned>, EngineError> {
    let parsed = parse_statements(&command.statement)?;
    let Some(parsed) = parsed.first() else { return Ok(None) };
    let properties = shared.properties(&command.properties);
    // A topic that was deleted later must not stop its past from being told.
    let topics = Known::new(&*shared.topics);
    let topics = |topic: &str| topics.find(topic).or(Some(TopicFacts::with_partitions(1)));
    let settings = Settings { properties: properties.values(), topics: &topics, query_number: number };
    Ok(Some(plan::analyze(parsed, &core.catalog, &settings)?))
}

/// Executes a command of the log again: catalog and pending queries only.
pub(super) fn replay(shared: &Shared, core: &mut Core, number: u64, command: &Command) -> Result<(), EngineError> {
    let Some(planned) = planned(shared, core, number, command)? else { return Ok(()) };
    if let Some(query) = core.record(&planned)? {
        core.pending.insert(number, PendingQuery { properties: command.properties.clone(), ..query });
    }
    for id in ended(&planned, &core.catalog_before) {
        core.pending.retain(|_, query| query.id != id);
    }
    core.paused_by(&planned);
    Ok(())
}

/// Carries out a command that another server has appended.
pub(super) fn follow(shared: &Shared, core: &mut Core, number: u64, command: &Command) -> Result<(), EngineError> {
    let Some(planned) = planned(shared, core, number, command)? else { return Ok(()) };
    let query = core.record(&planned)?;
    for id in ended(&planned, &core.catalog_before) {
        core.queries.end(&shared.runtime, &id)?;
    }
    if let Some(query) = query {
        let properties = shared.properties(&command.properties);
        let setup = QuerySetup { properties: &properties, batch_rows_max: shared.batch_rows_max };
        core.queries.start(&shared.runtime, (&query.id, number), &query.sink, query.plan, &setup)?;
    }
    core.pause(shared, &planned);
    Ok(())
}

/// One statement of one client.
pub(super) struct Execution<'a> {
    pub(super) shared: &'a Shared,
    pub(super) core: &'a mut Core,
    pub(super) session: &'a mut Session,
    pub(super) origin: Origin,
    /// How often the statement stood in the file before.
    pub(super) applied_before: usize,
}

/// What an append has done.
enum Done {
    /// A record was appended with it.
    Inserted,
    /// The catalog has changed; the query that is to be started.
    Changed(Option<Box<PendingQuery>>),
}

/// How often other servers may be faster before a statement is given up.
const OVERTAKEN_MAX: u64 = 20;
/// In this time other servers have stopped a query that was ended.
const FOLLOWING: Duration = Duration::from_millis(500);

impl Execution<'_> {
    /// Executes `parsed`.
    pub(super) fn statement(
        &mut self,
        parsed: &ParsedStatement,
        show: &mut dyn FnMut(Response),
    ) -> Result<(), EngineError> {
        if self.is_applied(parsed) {
            return Ok(());
        }
        let completed = self.completed(parsed)?;
        let planned = self.plan(&completed)?;
        let properties = self.shared.properties(&self.session.properties);
        match planned {
            Planned::Direct => return self.direct(&parsed.statement, show),
            Planned::Nothing { message } | Planned::Explain { text: message } => {
                show(Response::Listing(vec![show::lines("", message.lines().map(ToOwned::to_owned))]));
            }
            Planned::Describe { name, extended } => show(self.describe(&name, extended)),
            Planned::ExplainQuery(id) => show(self.explain_query(&id)?),
            Planned::Pull(plan) => show(pull::table(self.shared, self.core, &plan)?),
            Planned::PullStream(plan) => show(pull::stream(self.shared, &plan, &properties)?),
            Planned::Push(plan) => {
                let columns = plan.columns.iter().map(|column| column.column.clone()).collect();
                let id = format!("transient_{}_{}", self.core.transients.len(), self.shared.clock.now_ms());
                let queue = queries::start_transient(&self.shared.runtime, &id, &plan, &self.setup(&properties))?;
                self.core.transients.push((id, Arc::clone(&queue)));
                show(Response::Push(PushQuery::new(columns, queue)));
            }
            Planned::InsertValues(row) if self.origin == Origin::Session => {
                self.shared.topics.commit(insert::transaction(self.shared, &self.core.catalog, &row)?)?;
            }
            planned => self.logged(parsed, &completed, planned, show)?,
        }
        Ok(())
    }

    /// `parsed` with the columns that it leaves to the registry.
    fn completed<'p>(&self, parsed: &'p ParsedStatement) -> Result<Cow<'p, ParsedStatement>, EngineError> {
        let properties = self.shared.properties(&self.session.properties);
        let topics = Known::new(&*self.shared.topics);
        let settings =
            Settings { properties: properties.values(), topics: &topics, query_number: self.core.next_command };
        let completed = self.shared.completed(parsed, &self.core.catalog, &settings);
        topics.check()?;
        completed
    }

    fn plan(&self, parsed: &ParsedStatement) -> Result<Planned, EngineError> {
        let properties = self.shared.properties(&self.session.properties);
        let topics = Known::new(&*self.shared.topics);
        let settings =
            Settings { properties: properties.values(), topics: &topics, query_number: self.core.next_command };
        let planned = plan::analyze(parsed, &self.core.catalog, &settings);
        topics.check()?;
        let planned = planned?;
        codecs::check(&planned, &self.core.catalog).map_err(|error| error.at(parsed.span))?;
        Ok(planned)
    }

    fn setup<'s>(&self, properties: &'s Properties) -> QuerySetup<'s> {
        QuerySetup { properties, batch_rows_max: self.shared.batch_rows_max }
    }

    /// Executes a statement that goes to the command log: checked and appended first, carried out then. `written` is what
    /// `parsed` was before it was completed.
    fn logged(
        &mut self,
        written: &ParsedStatement,
        parsed: &ParsedStatement,
        mut planned: Planned,
        show: &mut dyn FnMut(Response),
    ) -> Result<(), EngineError> {
        for attempt in 0..OVERTAKEN_MAX {
            if self.core.take_over(self.shared)? {
                if self.is_applied(written) {
                    return Ok(());
                }
                planned = self.plan(parsed)?;
            }
            match self.append(written, parsed, &planned)? {
                Ok(Done::Inserted) => return Ok(()),
                Ok(Done::Changed(query)) => {
                    show(Response::Message(self.carry_out(&planned, query)?));
                    return Ok(());
                }
                // Not all at once again.
                Err(Overtaken) => self.shared.pause(Duration::from_millis(20 * attempt)),
            }
        }
        Err(EngineError::new("other servers of the service change it all the time: try again"))
    }

    /// Whether another server has applied this statement of a file since it was looked at.
    fn is_applied(&self, parsed: &ParsedStatement) -> bool {
        self.origin == Origin::File && self.core.applied.count(&parsed.text) > self.applied_before
    }

    /// Checks all that can be checked, then appends the statement to the command log.
    fn append(
        &mut self,
        written: &ParsedStatement,
        parsed: &ParsedStatement,
        planned: &Planned,
    ) -> Result<Result<Done, Overtaken>, EngineError> {
        let number = self.core.next_command;
        let (transaction, done) = match planned {
            Planned::InsertValues(row) => (insert::transaction(self.shared, &self.core.catalog, row)?, Done::Inserted),
            planned => (Transaction::default(), Done::Changed(self.prepare(planned)?.map(Box::new))),
        };
        let changes = matches!(done, Done::Changed(_));
        let command = Command::new(self.origin, &parsed.text, &self.session.properties, changes);
        let command = command.written_as(&written.text);
        let appended = self.core.log()?.append(number, &command, transaction);
        if !matches!(appended, Ok(Ok(()))) {
            if changes {
                self.core.catalog = self.core.catalog_before.clone();
            }
            return appended.map(|outcome| outcome.map(|()| done));
        }
        self.core.next_command += 1;
        if self.origin == Origin::File {
            self.core.applied.add(&written.text);
        }
        Ok(Ok(done))
    }

    /// Makes the topics and enters the statement into the catalog; returns the query that it starts, which was tried.
    fn prepare(&mut self, planned: &Planned) -> Result<Option<PendingQuery>, EngineError> {
        self.shared.register(planned)?;
        topics::create(&*self.shared.topics, planned)?;
        let query = self.core.record(planned)?;
        if let Some(query) = &query {
            let properties = self.shared.properties(&self.session.properties);
            let checked = Queries::check(&self.shared.runtime, &query.id, &query.plan, &self.setup(&properties));
            if let Err(error) = checked {
                self.core.catalog = self.core.catalog_before.clone();
                return Err(error);
            }
        }
        Ok(query)
    }

    /// Carries out a statement that is in the log and in the catalog.
    fn carry_out(&mut self, planned: &Planned, query: Option<Box<PendingQuery>>) -> Result<String, EngineError> {
        let number = self.core.next_command - 1;
        let mut groups = Vec::new();
        for id in ended(planned, &self.core.catalog_before) {
            groups.extend(self.core.queries.end(&self.shared.runtime, &id)?);
        }
        if !groups.is_empty() && self.shared.runtime.has_others() {
            self.shared.pause(FOLLOWING);
        }
        for group in groups {
            self.shared.runtime.forget(&group)?;
        }
        if let Some(query) = query {
            let properties = self.shared.properties(&self.session.properties);
            let setup = self.setup(&properties);
            let id = (query.id.as_str(), number);
            self.core.queries.start(&self.shared.runtime, id, &query.sink, query.plan, &setup)?;
        }
        self.core.pause(self.shared, planned);
        Ok(match planned {
            Planned::CreateSource(create) => match create.source.collection {
                Collection::Stream => "Stream created".to_owned(),
                Collection::Table => "Table created".to_owned(),
            },
            Planned::CreateAs(create) => format!("Created query with ID {}", create.query_info.id),
            Planned::InsertInto(insert) => format!("Created query with ID {}", insert.query_info.id),
            Planned::CreateType { name, sql_type } => {
                format!("Registered custom type with name '{name}' and SQL type {sql_type}")
            }
            Planned::DropType { name } => format!("Dropped type '{name}'"),
            Planned::Drop { name, delete_topic, .. } => {
                let topic =
                    self.core.catalog_before.source(name).map_or_else(String::new, |source| source.topic.clone());
                if let Some(topic) = delete_topic {
                    topics::delete(&*self.shared.topics, name, topic)?;
                }
                format!("Source `{name}` (topic: {topic}) was dropped.")
            }
            Planned::Terminate(_) => "Query terminated.".to_owned(),
            Planned::Pause(_) => "Query paused.".to_owned(),
            Planned::Resume(_) => "Query resumed.".to_owned(),
            _ => String::new(),
        })
    }

    /// Answers from the catalog and the session.
    fn direct(&mut self, statement: &Statement, show: &mut dyn FnMut(Response)) -> Result<(), EngineError> {
        let catalog = &self.core.catalog;
        let listing = |listing: Listing| Response::Listing(vec![listing]);
        let response = match statement {
            Statement::ShowSources { kind, extended: false } => listing(show::sources(catalog, collection(*kind))),
            Statement::ShowSources { kind, extended } | Statement::DescribeSources { kind, extended } => {
                let wanted = catalog.sources().filter(|source| source.collection == collection(*kind));
                let names: Vec<String> = wanted.map(|source| source.name.clone()).collect();
                for name in names {
                    show(self.describe(&name, *extended));
                }
                return Ok(());
            }
            Statement::ShowTopics { all, .. } => listing(show::topics(&self.shared.topics.list()?, *all)),
            Statement::ShowQueries { extended: true } => Response::Listing(self.queries_extended()),
            Statement::ShowQueries { extended: false } => {
                let queries = &self.core.queries;
                let status = |query: &QueryInfo| {
                    queries.get(query.id.as_str()).map_or_else(String::new, |running| format!("{}:1", running.state()))
                };
                Response::Listing(show::queries(catalog, status))
            }
            Statement::ShowProperties => {
                listing(show::properties(self.shared.properties(&self.session.properties).values()))
            }
            Statement::ShowVariables => listing(show::variables(&self.session.variables)),
            Statement::ShowTypes => listing(show::types(catalog)),
            Statement::ShowFunctions => {
                let names = plan::aggregate_names().map(|name| vec![name.to_owned(), "AGGREGATE".to_owned()]);
                listing(Listing::table("", &["Function Name", "Category"], names.collect()))
            }
            Statement::SetProperty { name, value } => {
                let mut changed = self.session.properties.clone();
                changed.insert(name.clone(), value.clone());
                self.shared.properties(&changed).check()?;
                let old = self.session.properties.insert(name.clone(), value.clone());
                Response::Message(match old {
                    Some(old) => format!("Successfully changed local property '{name}' from '{old}' to '{value}'."),
                    None => format!("Successfully changed local property '{name}' to '{value}'."),
                })
            }
            Statement::UnsetProperty { name } => match self.session.properties.remove(name) {
                Some(old) => {
                    Response::Message(format!("Successfully unset local property '{name}' (value was '{old}')."))
                }
                None => Response::Message(format!("Property '{name}' was not set.")),
            },
            Statement::DefineVariable { name, value } => {
                self.session.variables.insert(name.to_lowercase(), value.clone());
                return Ok(());
            }
            Statement::UndefineVariable { name } => {
                self.session.variables.remove(&name.to_lowercase());
                return Ok(());
            }
            other => return Err(EngineError::new(format!("not supported yet: {other}"))),
        };
        show(response);
        Ok(())
    }

    fn describe(&self, name: &str, extended: bool) -> Response {
        let catalog = &self.core.catalog;
        let Some(source) = catalog.source(name) else { return Response::Listing(Vec::new()) };
        if !extended {
            return Response::Listing(show::describe(source));
        }
        let topic = self.shared.topics.describe(&source.topic).ok().flatten();
        let mut listings = show::describe_extended(catalog, source, topic.as_ref());
        let queries: Vec<_> =
            catalog.writers(name).filter_map(|writer| self.core.queries.get(writer.id.as_str())).collect();
        let mut observer = Observer::new(self.shared, queries.iter().copied());
        for query in queries {
            let title = "Local runtime statistics".to_owned();
            listings.push(Listing { title, ..observer.statistics(query) });
            listings.extend(observer.progress(query));
            listings.extend(observer.local(query));
        }
        Response::Listing(listings)
    }

    fn explain_query(&self, id: &QueryId) -> Result<Response, EngineError> {
        let found = self.core.catalog.query(id).zip(self.core.queries.get(id.as_str()));
        let (info, query) = found.ok_or_else(|| EngineError::new(format!("Query with id:{id} does not exist")))?;
        let mut listings = Observer::new(self.shared, [query]).query(info, query);
        let plan = plan::explain(&query.spec.plan);
        let plan = plan.lines().map(ToOwned::to_owned).chain([String::new()]);
        listings.insert(2, show::lines("Execution plan", plan));
        Ok(Response::Listing(listings))
    }

    fn queries_extended(&self) -> Vec<Listing> {
        let queries = &self.core.queries;
        let known: Vec<_> =
            (self.core.catalog.queries()).filter_map(|info| Some((info, queries.get(info.id.as_str())?))).collect();
        let mut observer = Observer::new(self.shared, known.iter().map(|(_, query)| *query));
        known.into_iter().flat_map(|(info, query)| observer.query(info, query)).collect()
    }
}

fn collection(kind: SourceKind) -> Collection {
    match kind {
        SourceKind::Stream => Collection::Stream,
        SourceKind::Table => Collection::Table,
    }
}

/// Ids of the queries that `planned` ends, by `catalog` as it is before.
fn ended(planned: &Planned, catalog: &Catalog) -> Vec<String> {
    match planned {
        Planned::Terminate(ids) => ids.iter().map(ToString::to_string).collect(),
        Planned::Drop { name, .. } => {
            let id = catalog.source(name).and_then(|source| source.created_by_query.as_ref());
            id.into_iter().map(ToString::to_string).collect()
        }
        Planned::CreateAs(create) if create.or_replace => vec![create.query_info.id.to_string()],
        _ => Vec::new(),
    }
}

impl Core {
    /// Enters `planned` into the catalog; returns the query that it starts. The catalog before is kept.
    pub(super) fn record(&mut self, planned: &Planned) -> Result<Option<PendingQuery>, EngineError> {
        self.catalog_before = self.catalog.clone();
        let recorded = record(&mut self.catalog, planned);
        if recorded.is_err() {
            self.catalog = self.catalog_before.clone();
        }
        recorded
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

    fn pause(&mut self, shared: &Shared, planned: &Planned) {
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

    /// Starts the queries that replay has left.
    pub(super) fn start_queries(&mut self, shared: &Shared) -> Result<(), EngineError> {
        for (number, query) in std::mem::take(&mut self.pending) {
            let properties = shared.properties(&query.properties);
            let setup = QuerySetup { properties: &properties, batch_rows_max: shared.batch_rows_max };
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
pub(super) fn record(catalog: &mut Catalog, planned: &Planned) -> Result<Option<PendingQuery>, EngineError> {
    let refused = |error: crate::catalog::CatalogError| EngineError::new(error.to_string());
    Ok(match planned {
        Planned::CreateSource(create) => record_source(catalog, create)?,
        Planned::CreateAs(create) => {
            let PlannedCreateAs { source, query_info, query, or_replace, .. } = &**create;
            catalog.add_source(source.clone(), *or_replace).map_err(refused)?;
            catalog.add_query(query_info.clone());
            Some(pending(query_info.id.as_str(), &source.name, query))
        }
        Planned::InsertInto(insert) => {
            let PlannedInsert { target, query_info, query } = &**insert;
            catalog.add_query(query_info.clone());
            Some(pending(query_info.id.as_str(), target, query))
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
            catalog.drop_source(name, *collection).map_err(refused)?;
            None
        }
        Planned::Terminate(ids) => {
            for id in ids {
                catalog.remove_query(id).map_err(refused)?;
            }
            None
        }
        _ => None,
    })
}

fn pending(id: &str, sink: &str, plan: &QueryPlan) -> PendingQuery {
    PendingQuery { id: id.to_owned(), sink: sink.to_owned(), plan: plan.clone(), properties: BTreeMap::new() }
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
        sql: source.sql.clone(),
    });
    Ok(Some(pending(id.as_str(), &source.name, plan)))
}
