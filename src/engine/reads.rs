//! Statements that read and change nothing: SELECT. They see what there was when the last statement that changes something had
//! ended, and hold nobody up, nor are they held up.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use rpds::RedBlackTreeMapSync;

use super::config::Properties;
use super::known_pulls::{KnownPull, KnownPulls};
use super::libraries::Installed;
use super::monitoring::PullKind;
use super::pull::{Found, PreparedPull, StaleReads};
use super::push::{PushEnd, PushQuery, PushQueue};
use super::pushes::{Place, Push, Said, random_number};
use super::queries::{QuerySetup, transient_spec};
use super::routed_pull::{Pulled, RoutedPull};
use super::topics::{self, Known};
use super::{
    Core, Engine, EngineError, Response, ResultRows, Session, Shared, codecs, pull, session, system_tables, taps, whole,
};
use crate::catalog::{Catalog, QueryId, system_table};
use crate::configuration::canonical_name;
use crate::plan::{
    self, Collection, FUNCTION_PROPERTIES, NoPlans, Planned, PullLookup, PullPlan, PushPlan, Settings, SharedPlan,
};
use crate::runtime::materialized::TableReader;
use crate::runtime::{QuerySpec, RowReceiver, StartFrom, StoreOwners};
use crate::sql::ast::{Query, Statement};
use crate::sql::{ParsedStatement, Shape, parse_statements, shape};

/// What there is to read.
#[derive(Default)]
pub(super) struct ReadView {
    /// Counts the changes.
    pub(super) changes: u64,
    pub(super) catalog: Catalog,
    /// What persistent queries compute, by their ids.
    plans: RedBlackTreeMapSync<Arc<str>, SharedPlan>,
    /// What reads the tables that were read, by their queries.
    readers: Mutex<HashMap<Arc<str>, Arc<TableReader>>>,
    pulls: KnownPulls,
}

impl ReadView {
    /// What `core` has.
    pub(super) fn of(core: &Core) -> Self {
        let (catalog, plans) = (core.catalog.clone(), core.queries.plans().clone());
        Self { changes: core.changes(), catalog, plans, ..Self::default() }
    }

    /// What reads the table of `query`.
    pub(super) fn reader(&self, shared: &Shared, query: &QueryId) -> Result<Arc<TableReader>, EngineError> {
        let query = query.as_str();
        if let Some(reader) = self.readers.lock().unwrap_or_else(PoisonError::into_inner).get(query) {
            return Ok(Arc::clone(reader));
        }
        let running = self.plans.get_key_value(query);
        let (id, plan) = running.ok_or_else(|| EngineError::new(format!("query {query} does not run")))?;
        let reader = TableReader::new(plan, id, &*shared.topics)?;
        let reader = Arc::new(reader.ok_or_else(|| EngineError::new(format!("query {query} keeps no rows")))?);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.insert(Arc::clone(id), Arc::clone(&reader));
        Ok(reader)
    }
}

impl Shared {
    /// What there is to read now.
    pub(super) fn view(&self) -> Arc<ReadView> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has what `core` has be read from now on, if it has changed.
    pub(super) fn publish(&self, core: &Core) {
        if self.view().changes != core.changes() {
            *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ReadView::of(core));
        }
    }
}

impl Engine {
    /// As [`Engine::pull_or_route`], where nobody asks other servers: rows that this one has not are an error.
    pub fn pull(&self, session: &Session, text: &str) -> Option<Result<ResultRows, EngineError>> {
        self.pull_or_route(session, text).map(|pulled| pulled.and_then(Pulled::here))
    }

    /// Answers `text` if it is a single pull query, at once for many callers: nothing is held while it is read, and a look-up by
    /// key in the form of an earlier one is neither parsed nor analysed. Where other servers have some of the rows, tells who.
    /// `None` if it is anything else, or no statement at all; [`Engine::execute`] says what, and answers what is more than ksqlDB's
    /// pull queries.
    pub fn pull_or_route(&self, session: &Session, text: &str) -> Option<Result<Pulled, EngineError>> {
        let shared = &self.inner.shared;
        let view = shared.view();
        let shape = if is_plain(session, text) { shape(text) } else { None };
        if let Some((known, lookup)) = shape.as_ref().and_then(|shape| view.pulls.find(shape)) {
            return Some(read(shared, known.prepared(), &lookup));
        }
        let statements = parse_statements(text).ok()?;
        let [parsed] = statements.as_slice() else { return None };
        if !matches!(&parsed.statement, Statement::Query(query) if query.is_pull()) {
            return None;
        }
        let answered = session::with_variables(shared, parsed.clone(), session)
            .and_then(|parsed| pulled(shared, &view, session, &parsed, shape).map_err(|error| error.at(parsed.span)));
        answered.transpose()
    }
}

impl Engine {
    /// Who has the rows that the pull query `text` may answer, for each partition that may have some. `None` if it is no single
    /// pull query of a table.
    pub fn pull_owners(&self, session: &Session, text: &str) -> Option<Result<Vec<StoreOwners>, EngineError>> {
        self.with_prepared(session, text, |shared, prepared, lookup| prepared.owners(shared, lookup))
    }

    /// As [`Engine::pull`], of a table: what this server has of `partitions`, and nothing else. For servers that ask each other.
    ///
    /// # Errors
    /// [`EngineError::NOT_HERE`] where this server may not answer for one of them.
    pub fn pull_of(
        &self,
        session: &Session,
        text: &str,
        partitions: &[u32],
    ) -> Option<Result<ResultRows, EngineError>> {
        self.with_prepared(session, text, |shared, prepared, lookup| {
            let stale = shared.stale_reads(session)?;
            prepared.read_of(shared, lookup, partitions, stale)
        })
    }

    /// Records that an answer may lack that is not from who runs the task, to a client of `session`; `None`: any number.
    ///
    /// # Errors
    /// A value of the session's that is no number.
    pub fn lag_max(&self, session: &Session) -> Result<Option<u64>, EngineError> {
        let stale = self.inner.shared.stale_reads(session)?;
        Ok(Some(stale.lag_max).filter(|lag| *lag < u64::MAX))
    }

    fn with_prepared<T>(
        &self,
        session: &Session,
        text: &str,
        ask: impl FnOnce(&Shared, &PreparedPull, &PullLookup) -> Result<T, EngineError>,
    ) -> Option<Result<T, EngineError>> {
        let shared = &self.inner.shared;
        let view = shared.view();
        let shape = if is_plain(session, text) { shape(text) } else { None };
        if let Some((known, lookup)) = shape.as_ref().and_then(|shape| view.pulls.find(shape)) {
            return Some(ask(shared, known.prepared(), &lookup));
        }
        let statements = parse_statements(text).ok()?;
        let [parsed] = statements.as_slice() else { return None };
        let Statement::Query(query) = &parsed.statement else { return None };
        let prepared = session::with_variables(shared, parsed.clone(), session).and_then(|parsed| {
            let planned = planned(shared, &view, &shared.properties(&session.properties), &parsed);
            let Planned::Pull(plan) = planned.map_err(|error| error.at(parsed.span))? else { return Ok(None) };
            Ok(Some((PreparedPull::new(shared, &view, &plan)?, plan)))
        });
        let (prepared, plan) = match prepared {
            Ok(Some(prepared)) => prepared,
            Ok(None) => return None,
            Err(error) => return Some(Err(error)),
        };
        let answer = ask(shared, &prepared, prepared.lookup());
        keep(&view, shape, query, &plan, prepared);
        Some(answer)
    }
}

impl Shared {
    /// What may be answered that is not up to date, to a client of `session`.
    fn stale_reads(&self, session: &Session) -> Result<StaleReads, EngineError> {
        let properties = self.properties(&session.properties);
        Ok(StaleReads { allowed: properties.standby_reads(), lag_max: properties.lag_max()? })
    }
}

/// Keeps what was found out about `query` if its text has a `shape`.
fn keep(view: &ReadView, shape: Option<Shape<'_>>, query: &Query, plan: &PullPlan, prepared: PreparedPull) {
    if let (Some(shape), Some(source)) = (shape, view.catalog.source(&plan.source))
        && let Some(known) = KnownPull::new(query, &shape, source, prepared)
    {
        view.pulls.add(shape, known);
    }
}

/// Whether nothing but the catalog decides what `text` means.
fn is_plain(session: &Session, text: &str) -> bool {
    let decides = |name: &str| name.contains("pull") || canonical_name(name).starts_with(FUNCTION_PROPERTIES);
    !text.contains("${") && !session.properties.keys().any(|name| decides(name))
}

/// Answers the pull query `parsed`, or says who has its rows, and keeps what was found out if its text has a `shape`; `None` if it is
/// more than a pull query.
fn pulled(
    shared: &Shared,
    view: &ReadView,
    session: &Session,
    parsed: &ParsedStatement,
    shape: Option<Shape<'_>>,
) -> Result<Option<Pulled>, EngineError> {
    let properties = shared.properties(&session.properties);
    let plan = match planned(shared, view, &properties, parsed)? {
        Planned::Pull(plan) => plan,
        Planned::PullStream(plan) => return stream(shared, &plan, &properties).map(Pulled::Rows).map(Some),
        Planned::Read(_) => return Ok(None),
        _ => return Err(EngineError::new("the statement is no pull query")),
    };
    if system_table(&plan.source).is_some() {
        return table(shared, view, &plan).map(Pulled::Rows).map(Some);
    }
    let prepared = PreparedPull::new(shared, view, &plan)?;
    let pulled = read(shared, &prepared, &plan.lookup)?;
    if let Statement::Query(query) = &parsed.statement {
        keep(view, shape, query, &plan, prepared);
    }
    Ok(Some(pulled))
}

/// What `lookup` finds, counted; or who is to be asked.
fn read(shared: &Shared, prepared: &PreparedPull, lookup: &PullLookup) -> Result<Pulled, EngineError> {
    let begun = shared.clock.elapsed();
    let found = prepared.read(shared, lookup);
    let kind = PullKind::of(lookup);
    let rows = match &found {
        Ok(Found::Elsewhere(_)) => None,
        Ok(Found::Rows(rows)) => Some(Some(rows.len())),
        Err(_) => Some(None),
    };
    if let Some(rows) = rows {
        shared.pulls.answered(kind, shared.clock.elapsed().saturating_sub(begun), rows);
    }
    Ok(match found? {
        Found::Rows(rows) => Pulled::Rows(rows),
        Found::Elsewhere(owners) => Pulled::Routed(Box::new(RoutedPull::new((shared, prepared), kind, owners, begun))),
    })
}

/// Answers the SELECT `parsed`, whose variables were replaced.
pub(super) fn query(shared: &Shared, session: &Session, parsed: &ParsedStatement) -> Result<Response, EngineError> {
    let view = shared.view();
    let properties = shared.properties(&session.properties);
    let planned = planned(shared, &view, &properties, parsed)?;
    answer(shared, &view, session, parsed, &planned)
}

/// The SELECT `parsed` as it is to be carried out.
pub(super) fn planned(
    shared: &Shared,
    view: &ReadView,
    properties: &Properties,
    parsed: &ParsedStatement,
) -> Result<Planned, EngineError> {
    let topics = Known::new(&*shared.topics);
    let settings = Settings {
        properties: properties.values(),
        topics: &topics,
        plans: &NoPlans,
        libraries: &Installed(&shared.server),
        query_number: 0,
    };
    let planned = plan::analyze(parsed, &view.catalog, &settings);
    topics.check()?;
    let planned = planned?;
    topics::check(&planned)?;
    codecs::check(shared, &planned, &view.catalog).map_err(|error| error.at(parsed.span))?;
    Ok(planned)
}

/// The answer of a SELECT.
pub(super) fn answer(
    shared: &Shared,
    view: &ReadView,
    session: &Session,
    parsed: &ParsedStatement,
    planned: &Planned,
) -> Result<Response, EngineError> {
    let properties = &shared.properties(&session.properties);
    match planned {
        Planned::Pull(plan) => table(shared, view, plan).map(Response::Rows),
        Planned::PullStream(plan) => stream(shared, plan, properties).map(Response::Rows),
        Planned::Read(plan) => whole::read(shared, view, plan, session),
        Planned::Push(plan) => push(shared, plan, properties, parsed).map(Response::Push),
        _ => Err(EngineError::new("the statement is no query")),
    }
}

/// The rows of a table: one that a query keeps, or one that the engine makes of what it knows.
fn table(shared: &Shared, view: &ReadView, plan: &PullPlan) -> Result<ResultRows, EngineError> {
    let Some(known) = system_table(&plan.source) else {
        return read(shared, &PreparedPull::new(shared, view, plan)?, &plan.lookup).and_then(Pulled::here);
    };
    measured(shared, PullKind::SystemTable, || {
        let rows = system_tables::rows(shared, &view.catalog, &plan.source)?;
        let rows = rows.ok_or_else(|| EngineError::new(format!("{} is no system table", plan.source)))?;
        pull::of_rows(shared, plan, known.schema.row_schema(false), rows)
    })
}

fn stream(shared: &Shared, plan: &PushPlan, properties: &Properties) -> Result<ResultRows, EngineError> {
    measured(shared, PullKind::StreamScan, || pull::stream(shared, plan, properties))
}

/// What a pull query answers, counted.
fn measured(
    shared: &Shared,
    kind: PullKind,
    answer: impl FnOnce() -> Result<ResultRows, EngineError>,
) -> Result<ResultRows, EngineError> {
    let begun = shared.clock.elapsed();
    let answered = answer();
    let rows = answered.as_ref().ok().map(ResultRows::len);
    shared.pulls.answered(kind, shared.clock.elapsed().saturating_sub(begun), rows);
    answered
}

/// Starts a push query.
fn push(
    shared: &Shared,
    plan: &PushPlan,
    properties: &Properties,
    parsed: &ParsedStatement,
) -> Result<PushQuery, EngineError> {
    let place = shared.pushes.place(shared.properties(&BTreeMap::new()).pushes_max()?)?;
    let source = plan.reads.first().map_or("", String::as_str);
    let prefix = if plan.is_scalable { "SCALABLE_PUSH_QUERY".to_owned() } else { format!("transient_{source}") };
    let id: Arc<str> = format!("{prefix}_{}", random_number()).into();
    let queue = PushQueue::new(plan.query.limit)
        .telling(place.telling(Said::Ended))
        .making_room(waking(shared))
        .patient_for(properties.push_patience()?, Arc::clone(&shared.clock));
    let queue = Arc::new(queue);
    let columns = plan.columns.iter().map(|column| column.column.clone()).collect();
    let query = PushQuery::new(&*id, columns, Arc::clone(&queue));
    if queue.is_closed() {
        return Ok(query);
    }
    let setup =
        QuerySetup { properties, batch_rows_max: shared.batch_rows_max, schemas: shared.schemas(), fault: None };
    let spec = transient_spec(&id, plan, Arc::clone(&queue) as Arc<dyn RowReceiver>, &setup)?;
    let sql = parsed.text.clone();
    shared.pushes.add(place.number, Push { id, sql, queue, spec: spec.clone(), seat: None });
    if let Err(error) = start(shared, spec, &place) {
        shared.pushes.forget(place.number);
        return Err(error);
    }
    Ok(query)
}

/// Wakes tasks that wait.
fn waking(shared: &Shared) -> impl Fn() + Send + Sync + use<> {
    let topics = Arc::clone(&shared.topics);
    move || topics.wake()
}

/// Has the push query `spec` run, by a shared reader if it can do with one.
fn start(shared: &Shared, mut spec: QuerySpec, place: &Place) -> Result<(), EngineError> {
    let tapped = taps::tapped(&spec.plan, spec.start_from).zip(spec.client.as_ref());
    if let Some((source, client)) = tapped {
        let seat = shared.taps.join(shared, (&spec, client), source, place.telling(Said::LeftBehind))?;
        match shared.pushes.set_seat(place.number, Some(seat.clone())) {
            // It has ended meanwhile.
            Some(seat) => shared.taps.leave(shared, &seat),
            // What was said before the keeper knew of the seat is said again.
            None if seat.left_at().is_some() => place.telling(Said::LeftBehind)(),
            None => {}
        }
        return Ok(());
    }
    // What is appended from here on is for it, however late its tasks begin.
    let mut start_at = BTreeMap::new();
    for source in spec.plan.root.sources() {
        let from_now = match spec.start_from {
            StartFrom::Earliest => false,
            StartFrom::Latest => true,
            StartFrom::Default => source.collection == Collection::Stream,
        };
        if from_now {
            start_at.extend(taps::ends(&*shared.topics, &source.topic)?);
        }
    }
    spec.start_at = Some(Arc::new(start_at));
    let id = Arc::clone(&spec.id);
    shared.runtime.start(spec)?;
    if shared.pushes.find(&id).is_none() {
        // It has ended before its tasks were there to be ended.
        place.telling(Said::Ended)();
    }
    Ok(())
}

/// Ends the push query `id`; false if there is none.
pub(super) fn terminate(shared: &Shared, id: &str) -> bool {
    let found = shared.pushes.find(id);
    if let Some(push) = &found {
        push.queue.end(PushEnd::Stopped);
    }
    found.is_some()
}
