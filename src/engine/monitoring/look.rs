//! The queries and what they are doing, at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::queries::RunningQuery;
use super::super::{Core, Shared};
use crate::catalog::{QueryId, QueryInfo};
use crate::runtime::metrics::{InputFigures, Rates, RestoreFigures, TaskFigures, TaskId};

/// Everything that figures are made of.
pub(in crate::engine) struct Look<'a> {
    pub(in crate::engine) shared: &'a Shared,
    /// Id of the service, as names of groups have it.
    pub(in crate::engine) service: String,
    /// By id.
    pub(in crate::engine) queries: Vec<QueryLook<'a>>,
    /// Push queries that clients read.
    pub(in crate::engine) push_queries: usize,
    pub(in crate::engine) now_ms: i64,
}

/// A query at one moment.
pub(in crate::engine) struct QueryLook<'a> {
    pub(in crate::engine) id: &'a str,
    /// What the catalog knows of it.
    pub(in crate::engine) info: Option<&'a Arc<QueryInfo>>,
    pub(in crate::engine) running: &'a RunningQuery,
    pub(in crate::engine) state: &'static str,
    /// Topic of its result, if it has one.
    pub(in crate::engine) topic: Option<&'a str>,
    pub(in crate::engine) tasks: Vec<(TaskId, TaskFigures)>,
    pub(in crate::engine) rates: Rates,
}

impl<'a> Look<'a> {
    /// Looks at all queries.
    pub(in crate::engine) fn new(shared: &'a Shared, core: &'a Core) -> Self {
        let queries = core.queries.all().map(|query| QueryLook::new(shared, core, query));
        Self {
            shared,
            service: shared.properties(&BTreeMap::new()).service_id().to_owned(),
            queries: queries.collect(),
            push_queries: core.transients.iter().filter(|transient| !transient.queue.is_closed()).count(),
            now_ms: shared.clock.now_ms(),
        }
    }

    /// How many queries are in `state`.
    pub(in crate::engine) fn in_state(&self, state: &str) -> usize {
        self.queries.iter().filter(|query| query.state == state).count()
    }
}

impl<'a> QueryLook<'a> {
    /// Looks at `running`.
    pub(in crate::engine) fn new(shared: &Shared, core: &'a Core, running: &'a RunningQuery) -> Self {
        let plan = &running.spec.plan;
        Self {
            id: &running.spec.id,
            info: core.catalog.query(&QueryId::new(&running.spec.id)),
            running,
            state: running.state(),
            topic: plan.sink.as_ref().map(|sink| sink.topic.as_str()),
            tasks: running.metrics.tasks(&*shared.topics),
            rates: running.metrics.rates(shared.clock.elapsed()),
        }
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

/// `0_3`: the name of a task.
pub(in crate::engine) fn task_name((sub, partition): TaskId) -> String {
    format!("{sub}_{partition}")
}
