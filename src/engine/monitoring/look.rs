//! The queries and what they are doing, at one moment. Nobody is waited for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::Shared;
use super::super::queries::RunningQuery;
use crate::runtime::metrics::{InputFigures, Rates, RestoreFigures, TaskFigures, TaskId};

/// Everything that figures are made of.
pub(in crate::engine) struct Look<'a> {
    pub(in crate::engine) shared: &'a Shared,
    /// Id of the service, as names of groups have it.
    pub(in crate::engine) service: String,
    /// In order of creation.
    pub(in crate::engine) queries: Vec<QueryLook>,
}

/// A query at one moment.
pub(in crate::engine) struct QueryLook {
    pub(in crate::engine) running: Arc<RunningQuery>,
    pub(in crate::engine) state: &'static str,
    pub(in crate::engine) tasks: Vec<(TaskId, TaskFigures)>,
    pub(in crate::engine) rates: Rates,
}

impl<'a> Look<'a> {
    /// Looks at all queries.
    pub(in crate::engine) fn new(shared: &'a Shared) -> Self {
        let queries = shared.watched.queries().into_iter().map(|query| QueryLook::new(shared, query));
        let service = shared.properties(&BTreeMap::new()).service_id().to_owned();
        Self { shared, service, queries: queries.collect() }
    }

    /// How many queries are in `state`.
    pub(in crate::engine) fn in_state(&self, state: &str) -> usize {
        self.queries.iter().filter(|query| query.state == state).count()
    }
}

impl QueryLook {
    /// Looks at `running`.
    pub(in crate::engine) fn new(shared: &Shared, running: Arc<RunningQuery>) -> Self {
        let (state, tasks) = (running.state(), running.metrics.tasks(&*shared.topics));
        let rates = running.metrics.rates(shared.clock.elapsed());
        Self { running, state, tasks, rates }
    }

    /// Its id.
    pub(in crate::engine) fn id(&self) -> &str {
        &self.running.spec.id
    }

    /// Topic of its result, if it has one.
    pub(in crate::engine) fn topic(&self) -> Option<&str> {
        self.running.spec.plan.sink.as_ref().map(|sink| sink.topic.as_str())
    }

    /// What its tasks read here, with their ids.
    pub(in crate::engine) fn inputs(&self) -> impl Iterator<Item = (TaskId, &InputFigures)> {
        self.tasks.iter().flat_map(|(id, task)| task.inputs.iter().map(|input| (*id, input)))
    }

    /// Records of its sources that are not processed, as far as is known here.
    pub(in crate::engine) fn lag(&self) -> u64 {
        self.inputs().filter(|(_, input)| input.is_source).map(|(_, input)| input.lag()).sum()
    }

    /// Records of changelogs that are to be read before its tasks run.
    pub(in crate::engine) fn to_restore(&self) -> u64 {
        let restores = self.tasks.iter().flat_map(|(_, task)| &task.restores);
        restores.filter_map(RestoreFigures::progress).map(|(done, of)| of - done).sum()
    }
}
