//! Statements that read and change nothing: SELECT. They see what there was when the last statement that changes something had
//! ended, and hold nobody up, nor are they held up.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use rpds::RedBlackTreeMapSync;

use super::config::Properties;
use super::libraries::Installed;
use super::push::{PushEnd, PushQuery, PushQueue};
use super::pushes::{Push, random_number};
use super::queries::{QuerySetup, transient_spec};
use super::topics::{self, Known};
use super::{Core, EngineError, Response, Session, Shared, codecs, pull};
use crate::catalog::Catalog;
use crate::plan::{self, NoPlans, Planned, PushPlan, Settings, SharedPlan};
use crate::runtime::RowReceiver;
use crate::sql::ParsedStatement;

/// What there is to read. A copy costs nothing.
#[derive(Clone, Default)]
pub(super) struct ReadView {
    /// Counts the changes.
    pub(super) changes: u64,
    pub(super) catalog: Catalog,
    /// What persistent queries compute, by their ids.
    pub(super) plans: RedBlackTreeMapSync<Arc<str>, SharedPlan>,
}

impl ReadView {
    /// What `core` has.
    pub(super) fn of(core: &Core) -> Self {
        Self { changes: core.changes(), catalog: core.catalog.clone(), plans: core.queries.plans().clone() }
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

/// Answers the SELECT `parsed`, whose variables were replaced.
pub(super) fn query(shared: &Shared, session: &Session, parsed: &ParsedStatement) -> Result<Response, EngineError> {
    let view = shared.view();
    let properties = shared.properties(&session.properties);
    let planned = planned(shared, &view, &properties, parsed)?;
    answer(shared, &view, &properties, parsed, &planned)
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
    properties: &Properties,
    parsed: &ParsedStatement,
    planned: &Planned,
) -> Result<Response, EngineError> {
    match planned {
        Planned::Pull(plan) => pull::table(shared, view, plan).map(Response::Rows),
        Planned::PullStream(plan) => pull::stream(shared, plan, properties).map(Response::Rows),
        Planned::Push(plan) => push(shared, plan, properties, parsed).map(Response::Push),
        _ => Err(EngineError::new("the statement is no query")),
    }
}

/// Starts a push query.
fn push(
    shared: &Shared,
    plan: &PushPlan,
    properties: &Properties,
    parsed: &ParsedStatement,
) -> Result<PushQuery, EngineError> {
    let place = shared.pushes.place(shared.properties(&BTreeMap::new()).pushes_max()?)?;
    let (number, say) = (place.number, place.say);
    let id: Arc<str> =
        format!("transient_{}_{}", plan.reads.first().map_or("", String::as_str), random_number()).into();
    let queue = PushQueue::new(plan.query.limit)
        .telling(move || {
            // When the engine is closed nobody listens, and nothing is left to end.
            let _ = say.send(super::pushes::Said::Ended(number));
        })
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
    let push = Push { id, sql: parsed.text.clone(), plan: Arc::clone(&spec.plan), queue: Arc::clone(&queue) };
    shared.pushes.add(number, push);
    if let Err(error) = shared.runtime.start(spec) {
        shared.pushes.forget(number);
        return Err(EngineError::environment(error));
    }
    Ok(query)
}

/// Ends the push query `id`; false if there is none.
pub(super) fn terminate(shared: &Shared, id: &str) -> bool {
    let found = shared.pushes.find(id);
    if let Some(push) = &found {
        push.queue.end(PushEnd::Stopped);
    }
    found.is_some()
}
