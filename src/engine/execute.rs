//! Statements to effects.

use std::time::Duration;

use super::command_log::{Command, Origin, Overtaken};
use super::config::Properties;
use super::libraries::{self, Installed};
use super::prepared::{self, Planner, Prepared, View};
use super::queries::{Queries, QuerySetup, RunningQuery};
use super::query_report::{Observer, PATIENCE};
use super::reads::{self, ReadView};
use super::recording::{PendingQuery, ended};
use super::schemas::DroppedSchemas;
use super::topics::{self, Known};
use super::{
    ConnectorAnswer, Core, Done, EngineError, Inner, Listing, Response, Session, Shared, assert, connectors, diagnose,
    facts, print, session, show, show_functions,
};
use crate::catalog::{Collection, DataSource, QueryId, QueryInfo, system_table};
use crate::plan::{self, PlanLookup as _, Planned, PlannedFunctions, QueryPlan, Settings};
use crate::sql::ParsedStatement;
use crate::sql::ast::{Explain, QueryTarget, SourceKind, Statement};
use crate::topics::Transaction;

/// Whose statement it is.
#[derive(Clone, Copy)]
pub(super) struct Author {
    pub(super) origin: Origin,
    /// How often the statement stood in the file before.
    pub(super) applied_before: usize,
}

impl Author {
    /// A client.
    pub(super) const CLIENT: Self = Self { origin: Origin::Session, applied_before: 0 };

    /// Whether another server has applied this statement of a file since it was looked at.
    fn has_applied(self, core: &Core, parsed: &ParsedStatement) -> bool {
        self.origin == Origin::File && core.applied.count(&parsed.text) > self.applied_before
    }
}

/// Executes one statement, whose variables were replaced. While the registry, the cluster or Kafka Connect is asked, the engine is not
/// held.
pub(super) fn parsed(
    inner: &Inner,
    session: &mut Session,
    author: Author,
    parsed: &ParsedStatement,
    show: &mut dyn FnMut(Response),
) -> Result<(), EngineError> {
    if let Some(answer) = unheld(&inner.shared, session, &parsed.statement) {
        show(answer?);
        return Ok(());
    }
    made_of(inner, session, author, parsed, parsed, show)
}

/// The answer to a statement that only asks the world outside, or waits for it.
fn unheld(shared: &Shared, session: &Session, statement: &Statement) -> Option<Result<Response, EngineError>> {
    match statement {
        Statement::PrintTopic(topic) => Some(print::start(shared, &shared.view().catalog, topic).map(Response::Print)),
        other if connectors::asks(other) => {
            connectors::run(shared, other).map(|answer| answer.map(ConnectorAnswer::response))
        }
        other => assert::run(shared, &shared.properties(&session.properties), other),
    }
}

/// Executes `parsed`, which is made of what its author has `written`.
pub(super) fn made_of(
    inner: &Inner,
    session: &mut Session,
    author: Author,
    written: &ParsedStatement,
    parsed: &ParsedStatement,
    show: &mut dyn FnMut(Response),
) -> Result<(), EngineError> {
    let shared = &inner.shared;
    for _ in 0..OVERTAKEN_MAX {
        let mut prepared = Prepared::plain(parsed);
        if prepared::asks(&parsed.statement) {
            let core = inner.lock();
            if author.has_applied(&core, written) {
                return Ok(());
            }
            let view = View::of(&core);
            drop(core);
            prepared = Prepared::new(shared, session, &view, parsed)?;
        }
        let (mut answers, mut core) = (Vec::new(), inner.lock());
        let mut execution = Execution { shared, core: &mut core, session, author, prepared, dropped: Vec::new() };
        let progress = execution.statement(written, parsed, &mut |answer| answers.push(answer));
        let dropped = std::mem::take(&mut execution.dropped);
        drop(core);
        if matches!(progress, Ok(Progress::Outdated)) {
            continue;
        }
        dropped.into_iter().try_for_each(|dropped| shared.drop_schemas(dropped))?;
        answers.into_iter().for_each(show);
        return progress.map(drop);
    }
    Err(EngineError::new(BUSY))
}

/// One statement while the engine is held for it.
struct Execution<'a> {
    shared: &'a Shared,
    core: &'a mut Core,
    session: &'a mut Session,
    author: Author,
    prepared: Prepared<'a>,
    /// Whose schemas are to be deleted when the engine is held no longer.
    dropped: Vec<DroppedSchemas>,
}

/// How far a statement has come.
enum Progress {
    /// It is carried out.
    Done,
    /// Nothing has happened: what was prepared for it suits the catalog no longer.
    Outdated,
}

/// What is said after that many attempts.
const BUSY: &str = "other servers of the service change it all the time: try again";

/// What an append has done.
enum Appended {
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
    /// Executes `parsed`, which is made of what its author has `written`.
    fn statement(
        &mut self,
        written: &ParsedStatement,
        parsed: &ParsedStatement,
        show: &mut dyn FnMut(Response),
    ) -> Result<Progress, EngineError> {
        if self.author.has_applied(self.core, written) {
            return Ok(Progress::Done);
        }
        if let Some(answer) = self.about_push_query(&parsed.statement) {
            show(answer);
            return Ok(Progress::Done);
        }
        let completed = self.prepared.statement.clone();
        let planned = match self.prepared.take_planned(self.core.next_command) {
            Some(planned) => planned,
            None => self.plan(&completed)?,
        };
        if !self.prepared.suits(&planned, &self.core.catalog) {
            return Ok(Progress::Outdated);
        }
        match planned {
            Planned::Direct => self.direct(&parsed.statement, show)?,
            Planned::Nothing { message } => show(Response::Message(message)),
            Planned::Explain { text } => {
                show(Response::Listing(vec![show::lines("", text.lines().map(ToOwned::to_owned))]));
            }
            Planned::Describe { name, extended } => show(self.describe(&name, extended)),
            Planned::ExplainQuery(id) => show(self.explain_query(&id)?),
            Planned::Diagnose(id) => {
                let query = self.core.queries.get(id.as_str());
                let query = query.ok_or_else(|| EngineError::new(format!("Query with id:{id} does not exist")))?;
                show(Response::Listing(diagnose::listings(self.shared, query)));
            }
            planned @ (Planned::Pull(_) | Planned::PullStream(_) | Planned::Read(_) | Planned::Push(_)) => {
                let view = ReadView::of(self.core);
                show(reads::answer(self.shared, &view, self.session, parsed, &planned)?);
            }
            Planned::InsertValues(_) if self.author.origin == Origin::Session => match self.prepared.take_insert() {
                Some(transaction) => self.shared.topics.commit(transaction)?,
                None => return Ok(Progress::Outdated),
            },
            planned => return self.logged(written, &completed, planned, show),
        }
        Ok(Progress::Done)
    }

    /// What is asked about a push query, which is not in the catalog.
    fn about_push_query(&self, statement: &Statement) -> Option<Response> {
        match statement {
            Statement::Terminate(QueryTarget::Query(id)) if reads::terminate(self.shared, id.as_str()) => {
                Some(Response::Message("Query terminated.".to_owned()))
            }
            Statement::Explain(Explain::Query(id)) => {
                let push = self.shared.pushes.find(id.as_str())?;
                let columns = ["ID", "Query Type", "SQL"];
                let facts = [push.id.to_string(), "PUSH".to_owned(), push.sql.clone()];
                let plan = self.explained(&push.spec.plan, &QueryId::new(&push.id), &push.id);
                Some(Response::Listing(vec![Listing::facts(columns.into_iter().zip(facts)), plan]))
            }
            _ => None,
        }
    }

    fn plan(&self, parsed: &ParsedStatement) -> Result<Planned, EngineError> {
        let (core, session) = (&*self.core, &self.session.properties);
        let (catalog, plans, number) = (&core.catalog, &core.plans, core.next_command);
        Planner { shared: self.shared, session, catalog, plans, number }.plan(parsed)
    }

    fn setup<'s>(&self, properties: &'s Properties) -> QuerySetup<'s> {
        QuerySetup {
            properties,
            batch_rows_max: self.shared.batch_rows_max,
            schemas: self.shared.schemas(),
            fault: None,
        }
    }

    /// Executes a statement that goes to the command log: checked and appended first, carried out then. `written` is what
    /// `parsed` was before it was completed.
    fn logged(
        &mut self,
        written: &ParsedStatement,
        parsed: &ParsedStatement,
        mut planned: Planned,
        show: &mut dyn FnMut(Response),
    ) -> Result<Progress, EngineError> {
        for attempt in 0..OVERTAKEN_MAX {
            if self.core.take_over(self.shared)? {
                if self.author.has_applied(self.core, written) {
                    return Ok(Progress::Done);
                }
                planned = self.plan(parsed)?;
                if !self.prepared.suits(&planned, &self.core.catalog) {
                    return Ok(Progress::Outdated);
                }
            }
            let transaction = match planned {
                Planned::InsertValues(_) => match self.prepared.take_insert() {
                    Some(transaction) => transaction,
                    None => return Ok(Progress::Outdated),
                },
                _ => Transaction::default(),
            };
            match self.append(written, parsed, &planned, transaction)? {
                Ok(Appended::Inserted) => return Ok(Progress::Done),
                Ok(Appended::Changed(query)) => {
                    show(Response::Done(self.done(&planned, query)?));
                    return Ok(Progress::Done);
                }
                // Not all at once again.
                Err(Overtaken) => self.shared.pause(Duration::from_millis(20 * attempt)),
            }
        }
        Err(EngineError::new(BUSY))
    }

    /// Checks all that can be checked, then appends the statement to the command log.
    fn append(
        &mut self,
        written: &ParsedStatement,
        parsed: &ParsedStatement,
        planned: &Planned,
        transaction: Transaction,
    ) -> Result<Result<Appended, Overtaken>, EngineError> {
        let number = self.core.next_command;
        let done = match planned {
            Planned::InsertValues(_) => Appended::Inserted,
            planned => Appended::Changed(self.prepare(planned)?.map(Box::new)),
        };
        let changes = matches!(done, Appended::Changed(_));
        let command = Command::new(self.author.origin, &parsed.text, &self.session.properties, changes);
        let command = command
            .under(self.shared.asked_properties())
            .written_as(&written.text)
            .taking(libraries::recorded(planned));
        let appended = self.core.log()?.append(number, &command, transaction);
        if !matches!(appended, Ok(Ok(()))) {
            if changes {
                self.core.forget_last();
            }
            return appended.map(|outcome| outcome.map(|()| done));
        }
        self.core.next_command += 1;
        if self.author.origin == Origin::File {
            self.core.applied.add(&written.text);
        }
        self.core.define(number, self.author.origin, &written.text, planned);
        Ok(Ok(done))
    }

    /// Makes the topics and enters the statement into the catalog; returns the query that it starts, which was tried.
    fn prepare(&mut self, planned: &Planned) -> Result<Option<PendingQuery>, EngineError> {
        let created = topics::create(&*self.shared.topics, planned)?;
        let entered = self.enter(planned);
        if entered.is_err() {
            topics::take_back(&*self.shared.topics, created);
        }
        entered
    }

    fn enter(&mut self, planned: &Planned) -> Result<Option<PendingQuery>, EngineError> {
        let query = self.core.record(planned)?;
        if let Some(query) = &query {
            let properties = self.shared.properties(&self.session.properties);
            let checked = Queries::check(&self.shared.runtime, &query.id, &query.plan, &self.setup(&properties));
            if let Err(error) = checked {
                self.core.forget_last();
                return Err(error);
            }
        }
        Ok(query)
    }

    fn done(&mut self, planned: &Planned, query: Option<Box<PendingQuery>>) -> Result<Done, EngineError> {
        let number = self.core.next_command - 1;
        let message = self.carry_out(planned, query)?;
        let query = match planned {
            Planned::CreateAs(create) => Some(create.query_info.id.clone()),
            Planned::InsertInto(insert) => Some(insert.query_info.id.clone()),
            Planned::CreateSource(create) => create.source.created_by_query.clone(),
            _ => None,
        };
        Ok(Done { message, number, query })
    }

    /// Carries out a statement that is in the log and in the catalog.
    fn carry_out(&mut self, planned: &Planned, query: Option<Box<PendingQuery>>) -> Result<String, EngineError> {
        let number = self.core.next_command - 1;
        let mut groups = Vec::new();
        for id in ended(planned, &self.core.catalog_before) {
            let plan = self.core.plans_before.plan(&QueryId::new(id.as_str()));
            let ended = self.core.queries.end(&self.shared.runtime, &id)?;
            groups.extend(ended.into_iter().map(|group| (group, plan.clone())));
        }
        if !groups.is_empty() && self.shared.runtime.has_others() {
            self.shared.pause(FOLLOWING);
        }
        for (group, plan) in groups {
            self.shared.runtime.forget(&group)?;
            if let Some(plan) = plan {
                self.dropped.push(DroppedSchemas::Internal { group, plan });
            }
        }
        if let Some(query) = query {
            let properties = self.session.properties.clone();
            self.core.begin(self.shared, number, PendingQuery { properties, ..*query })?;
        }
        self.core.pause(self.shared, planned);
        self.core.replan(self.shared, planned);
        Ok(match planned {
            Planned::CreateSource(create) => match create.source.collection {
                Collection::Stream => "Stream created".to_owned(),
                Collection::Table => "Table created".to_owned(),
            },
            Planned::CreateAs(create) => format!("Created query with ID {}", create.query_info.id),
            Planned::InsertInto(insert) => format!("Created query with ID {}", insert.query_info.id),
            Planned::Alter(source) => format!("{} {} altered.", title(source.collection), source.name),
            Planned::CreateType { name, sql_type } => {
                format!("Registered custom type with name '{name}' and SQL type {sql_type}")
            }
            Planned::DropType { name } => format!("Dropped type '{name}'"),
            Planned::CreateFunctions(create) => functions_created(create),
            Planned::DropFunction { name } => format!("Function {name} was dropped."),
            Planned::Drop { name, delete_topic, .. } => {
                let topic =
                    self.core.catalog_before.source(name).map_or_else(String::new, |source| source.topic.clone());
                if let Some(topic) = delete_topic {
                    topics::delete(&*self.shared.topics, name, topic)?;
                    if let Some(source) = self.core.catalog_before.source(name) {
                        self.dropped.push(DroppedSchemas::OfTopic(Box::new(DataSource::clone(source))));
                    }
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
                if names.is_empty() {
                    show(Response::Message(format!("No {}s exist.", collection(*kind).noun())));
                }
                for name in names {
                    show(self.describe(&name, *extended));
                }
                return Ok(());
            }
            Statement::ShowTopics { all, extended } => listing(self.topics(*all, *extended)?),
            Statement::ShowQueries { extended: true } => match self.queries_extended() {
                listings if listings.is_empty() => Response::Message("No queries exist.".to_owned()),
                listings => Response::Listing(listings),
            },
            Statement::ShowQueries { extended: false } => {
                let status = |query: &QueryInfo| match self.core.queries.get(query.id.as_str()) {
                    Some(running) => format!("{}:1", running.state()),
                    None => String::new(),
                };
                let running = self.shared.pushes.running();
                let pushed = running.iter().map(|push| (&*push.id, push.sql.as_str()));
                let mut listings = show::queries(catalog, status, pushed);
                listings.extend(show::complaints());
                Response::Listing(listings)
            }
            Statement::ShowProperties => listing(session::show_properties(self.shared, self.session)),
            Statement::ShowVariables => listing(show::variables(&self.session.variables)),
            Statement::ShowTypes => listing(show::types(catalog)),
            Statement::ShowFunctions => Response::Listing(show_functions::functions(catalog.functions())),
            Statement::DescribeFunction { name } => Response::Listing(show_functions::function(catalog, name.as_str())),
            Statement::SetProperty { name, value } => {
                Response::Message(session::set(self.shared, self.session, name, value)?)
            }
            Statement::UnsetProperty { name } => Response::Message(self.session.unset(name)),
            Statement::DefineVariable { name, value } => {
                self.session.define(name, value);
                return Ok(());
            }
            Statement::UndefineVariable { name } => match self.session.undefine(name) {
                Some(warning) => Response::Message(warning),
                None => return Ok(()),
            },
            Statement::AlterSystem { name, .. } => return Err(session::alter_system(name)),
            other => return Err(EngineError::new(format!("not supported yet: {other}"))),
        };
        show(response);
        Ok(())
    }

    fn describe(&self, name: &str, extended: bool) -> Response {
        let catalog = &self.core.catalog;
        let system = || system_table(name).filter(|_| !extended);
        let Some(source) = catalog.source(name).or_else(system) else {
            let text =
                format!("{name} is a system table: there is nothing more to be said of it than DESCRIBE {name};");
            return Response::Message(text);
        };
        if !extended {
            let mut listings = show::describe(source);
            if catalog.source(name).is_none() {
                // Of a system table there is no more.
                listings.truncate(1);
            }
            return Response::Listing(listings);
        }
        let topic = self.shared.topics.describe(&source.topic).ok().flatten();
        let running = |query: &QueryInfo| self.core.queries.get(query.id.as_str());
        let status = |query: &QueryInfo| running(query).map_or("", RunningQuery::state).to_owned();
        let mut listings = show::describe_extended(catalog, source, topic.as_ref(), status);
        let writers: Vec<_> = catalog.writers(name).filter_map(|writer| running(writer)).collect();
        // What nobody writes here is known by who reads it.
        let readers = catalog.readers(name).filter_map(|reader| running(reader));
        let queries = if writers.is_empty() { readers.collect() } else { writers };
        let mut observer = Observer::new(self.shared, queries.iter().copied());
        for query in queries {
            let title = "Local runtime statistics".to_owned();
            listings.push(Listing { title, ..observer.statistics(query) });
            listings.extend(observer.progress(query));
            listings.extend(observer.local(query));
        }
        Response::Listing(listings)
    }

    /// `SHOW TOPICS`, in all forms.
    fn topics(&self, all: bool, extended: bool) -> Result<Listing, EngineError> {
        let shown = facts::topics(self.shared, self.session, all)?;
        if !extended {
            return Ok(show::topics(shown.iter()));
        }
        let mut consumers = self.core.queries.consumers();
        consumers.extend(self.shared.topics.consumers(PATIENCE)?);
        Ok(show::topics_extended(shown.iter(), &consumers))
    }

    fn explain_query(&self, id: &QueryId) -> Result<Response, EngineError> {
        let found = self.core.catalog.query(id).zip(self.core.queries.get(id.as_str()));
        let (info, query) = found.ok_or_else(|| EngineError::new(format!("Query with id:{id} does not exist")))?;
        let mut listings = Observer::new(self.shared, [query]).query(info, query);
        listings.insert(2, self.explained(&query.spec.plan, id, &query.spec.group));
        Ok(Response::Listing(listings))
    }

    /// The steps of a query that runs.
    fn explained(&self, plan: &QueryPlan, id: &QueryId, group: &str) -> Listing {
        let properties = self.shared.properties(&self.session.properties);
        let (topics, plans) = (Known::new(&*self.shared.topics), &self.core.plans);
        let settings = Settings {
            properties: properties.values(),
            topics: &topics,
            plans,
            libraries: &Installed(&self.shared.server),
            query_number: 0,
        };
        let plan = plan::explain(plan, id, group, &self.core.catalog, &settings);
        show::lines("Execution plan", plan.lines().map(ToOwned::to_owned).chain([String::new()]))
    }

    fn queries_extended(&self) -> Vec<Listing> {
        let queries = &self.core.queries;
        let known: Vec<_> =
            (self.core.catalog.queries()).filter_map(|info| Some((info, queries.get(info.id.as_str())?))).collect();
        let mut observer = Observer::new(self.shared, known.iter().map(|(_, query)| *query));
        let listings = known.into_iter().flat_map(|(info, query)| observer.query(info, query));
        listings.chain(show_functions::usage()).collect()
    }
}

/// What CREATE FUNCTION and CREATE FUNCTIONS answer.
fn functions_created(create: &PlannedFunctions) -> String {
    let names: Vec<String> = create.functions.iter().map(|(_, info)| info.name.clone()).collect();
    let what = match names.as_slice() {
        [name] => format!("Function {name} was"),
        names => format!("Functions {} were", names.join(", ")),
    };
    let queries: Vec<&str> = create.queries.iter().map(|(id, _)| id.as_str()).collect();
    match (create.replaces, queries.as_slice()) {
        (false, _) => format!("{what} created."),
        (true, []) => format!("{what} replaced."),
        (true, queries) => format!("{what} replaced. Queries that go on with it: {}.", queries.join(", ")),
    }
}

fn title(collection: Collection) -> &'static str {
    match collection {
        Collection::Stream => "Stream",
        Collection::Table => "Table",
    }
}

fn collection(kind: SourceKind) -> Collection {
    match kind {
        SourceKind::Stream => Collection::Stream,
        SourceKind::Table => Collection::Table,
    }
}
