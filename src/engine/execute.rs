//! Statements to effects.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::command_log::{self, Command, Origin};
use super::config::Properties;
use super::queries::{self, QuerySetup};
use super::{Core, EngineError, Listing, PushQuery, Response, Session, Shared, insert, pull, show};
use crate::catalog::{Catalog, Collection, QueryInfo, QueryKind};
use crate::plan::{self, Planned, PlannedCreateAs, PlannedInsert, PlannedSource, QueryPlan, Settings};
use crate::sql::ast::{SourceKind, Statement};
use crate::sql::{ParsedStatement, parse_statements, substitute_variables};
use crate::topics::{TopicConfig, TopicError, Transaction};

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
    Execution { shared, core, session, origin: Origin::Session }.statement(&parsed, show)
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

/// Executes a command of the log again: catalog and pending queries only.
pub(super) fn replay(shared: &Shared, core: &mut Core, number: u64, command: &Command) -> Result<(), EngineError> {
    let parsed = parse_statements(&command.statement)?;
    let Some(parsed) = parsed.first() else { return Ok(()) };
    let properties = shared.properties(&command.properties);
    // A topic that was deleted later must not stop its past from being told.
    let topics = |topic: &str| shared.partitions(topic).or(Some(1));
    let settings = Settings { properties: properties.values(), topics: &topics, query_number: number };
    let planned = plan::analyze(parsed, &core.catalog, &settings)?;
    if let Some(query) = core.record(&planned)? {
        core.pending.insert(number, PendingQuery { properties: command.properties.clone(), ..query });
    }
    for id in ended(&planned, &core.catalog_before) {
        core.pending.retain(|_, query| query.id != id);
    }
    core.paused_by(&planned);
    Ok(())
}

/// One statement of one client.
pub(super) struct Execution<'a> {
    pub(super) shared: &'a Shared,
    pub(super) core: &'a mut Core,
    pub(super) session: &'a mut Session,
    pub(super) origin: Origin,
}

impl Execution<'_> {
    /// Executes `parsed`.
    pub(super) fn statement(
        &mut self,
        parsed: &ParsedStatement,
        show: &mut dyn FnMut(Response),
    ) -> Result<(), EngineError> {
        let properties = self.shared.properties(&self.session.properties);
        let topics = |topic: &str| self.shared.partitions(topic);
        let settings =
            Settings { properties: properties.values(), topics: &topics, query_number: self.core.next_command };
        let planned = plan::analyze(parsed, &self.core.catalog, &settings)?;
        match planned {
            Planned::Direct => return self.direct(&parsed.statement, show),
            Planned::Nothing { message } | Planned::Explain { text: message } => {
                show(Response::Listing(vec![show::lines("", message.lines().map(ToOwned::to_owned))]));
            }
            Planned::Describe { name, extended } => show(self.describe(&name, extended)),
            Planned::ExplainQuery(id) => show(self.explain_query(id.as_str())?),
            Planned::Pull(plan) => show(pull::table(self.shared, self.core, &plan)?),
            Planned::PullStream(plan) => show(pull::stream(self.shared, &plan, &properties)?),
            Planned::Push(plan) => {
                let columns = plan.columns.iter().map(|column| column.column.clone()).collect();
                let id = format!("transient_{}_{}", self.core.transients.len(), self.shared.clock.now_ms());
                let queue = queries::start_transient(&self.shared.runtime, &id, &plan, &self.setup(&properties))?;
                self.core.transients.push((id, Arc::clone(&queue)));
                show(Response::Push(PushQuery::new(columns, queue)));
            }
            Planned::InsertValues(row) => {
                let mut transaction = insert::transaction(self.shared, &self.core.catalog, &row)?;
                if self.origin == Origin::File {
                    self.log(&mut transaction, &parsed.text, false);
                }
                self.shared.topics.commit(transaction)?;
            }
            planned => {
                let message = self.change(&planned, &properties)?;
                let mut transaction = Transaction::default();
                self.log(&mut transaction, &parsed.text, true);
                self.shared.topics.commit(transaction)?;
                show(Response::Message(message));
            }
        }
        Ok(())
    }

    fn setup<'s>(&self, properties: &'s Properties) -> QuerySetup<'s> {
        QuerySetup { properties, batch_rows_max: self.shared.batch_rows_max }
    }

    /// Adds the statement to the command log.
    fn log(&mut self, transaction: &mut Transaction, text: &str, replayed: bool) {
        let command = Command::new(self.origin, text, &self.session.properties, replayed);
        command_log::append(&mut transaction.writes, self.core.next_command, &command);
        self.core.next_command += 1;
        if self.origin == Origin::File {
            self.core.applied.push(text.to_owned());
        }
    }

    /// Carries out a statement that changes what exists.
    fn change(&mut self, planned: &Planned, properties: &Properties) -> Result<String, EngineError> {
        let number = self.core.next_command;
        self.create_topics(planned)?;
        for id in ended(planned, &self.core.catalog) {
            self.core.queries.terminate(&self.shared.runtime, &id)?;
        }
        let pending = self.core.record(planned)?;
        if let Some(pending) = pending {
            let setup = self.setup(properties);
            let query = (pending.id.as_str(), number);
            let started = self.core.queries.start(&self.shared.runtime, query, &pending.sink, pending.plan, &setup);
            if let Err(error) = started {
                self.core.catalog = self.core.catalog_before.clone();
                return Err(error);
            }
        }
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
                    match self.shared.topics.delete(topic) {
                        Ok(()) | Err(TopicError::UnknownTopic { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                format!("Source `{name}` (topic: {topic}) was dropped.")
            }
            Planned::Terminate(_) => "Query terminated.".to_owned(),
            Planned::Pause(ids) => {
                for id in ids {
                    self.core.queries.set_paused(&self.shared.runtime, id.as_str(), true)?;
                }
                "Query paused.".to_owned()
            }
            Planned::Resume(ids) => {
                for id in ids {
                    self.core.queries.set_paused(&self.shared.runtime, id.as_str(), false)?;
                }
                "Query resumed.".to_owned()
            }
            _ => String::new(),
        })
    }

    fn create_topics(&self, planned: &Planned) -> Result<(), EngineError> {
        let (name, config) = match planned {
            Planned::CreateSource(create) => {
                let Some(partitions) = create.partitions else { return Ok(()) };
                let config =
                    TopicConfig { retention_ms: create.retention_ms, ..TopicConfig::with_partitions(partitions) };
                (&create.source.topic, config)
            }
            Planned::CreateAs(create) if !create.topic.exists => {
                let config = TopicConfig {
                    compact: create.topic.compact,
                    retention_ms: create.topic.retention_ms,
                    ..TopicConfig::with_partitions(create.topic.partitions.unwrap_or(1))
                };
                (&create.topic.name, config)
            }
            _ => return Ok(()),
        };
        match self.shared.topics.create(name, &config) {
            Ok(()) | Err(TopicError::TopicExists { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Answers from the catalog and the session.
    fn direct(&mut self, statement: &Statement, show: &mut dyn FnMut(Response)) -> Result<(), EngineError> {
        let catalog = &self.core.catalog;
        let listing = |listing: Listing| Response::Listing(vec![listing]);
        let response = match statement {
            Statement::ShowSources { kind, extended: false } => listing(show::sources(catalog, collection(*kind))),
            Statement::ShowSources { kind, extended: true } | Statement::DescribeSources { kind, .. } => {
                let wanted = catalog.sources().filter(|source| source.collection == collection(*kind));
                let names: Vec<String> = wanted.map(|source| source.name.clone()).collect();
                for name in names {
                    show(self.describe(&name, true));
                }
                return Ok(());
            }
            Statement::ShowTopics { all, .. } => listing(show::topics(&self.shared.topics.list()?, *all)),
            Statement::ShowQueries { .. } => {
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
                let columns = ["Function Name", "Category"].map(ToOwned::to_owned).to_vec();
                listing(Listing { title: String::new(), columns, rows: names.collect() })
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
        let Some(source) = self.core.catalog.source(name) else { return Response::Listing(Vec::new()) };
        let writers = self.core.catalog.writers(name);
        let figures = writers.filter_map(|writer| self.core.queries.get(writer.id.as_str())).map(|running| {
            let (rows_in, rows_out, rejected) = running.metrics.totals();
            format!("{}: {rows_in} records read, {rows_out} written, {rejected} rejected", running.spec.id)
        });
        Response::Listing(show::describe(&self.core.catalog, source, extended, figures.collect()))
    }

    fn explain_query(&self, id: &str) -> Result<Response, EngineError> {
        let running = self.core.queries.get(id);
        let running = running.ok_or_else(|| EngineError::new(format!("Query with id:{id} does not exist")))?;
        let text = plan::explain(&running.spec.plan);
        let facts = [format!("ID     : {id}"), format!("Status : {}", running.state())];
        Ok(Response::Listing(vec![show::lines("", facts), show::lines("", text.lines().map(ToOwned::to_owned))]))
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
            self.queries.restart(&shared.runtime, (&query.id, number), &query.sink, query.plan, &setup)?;
            if self.paused.contains(&query.id) {
                self.queries.set_paused(&shared.runtime, &query.id, true)?;
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
