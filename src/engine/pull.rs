//! Pull queries: the rows that are there now.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;

use super::config::Properties;
use super::push::PushEnd;
use super::queries::{QuerySetup, transient_spec};
use super::reads::ReadView;
use super::{EngineError, ResultRows, Shared, taps};
use crate::expr::CompiledExpr;
use crate::plan::{ColumnRole, PullLookup, PullPlan, PushPlan};
use crate::runtime::clock::Clock;
use crate::runtime::materialized::TableReader;
use crate::runtime::{PushedRows, Role, RowReceiver, Runtime, RuntimeError, RuntimeOptions, StartFrom, StoreOwners};
use crate::types::{ChangeBatch, Column};

/// A read of a table that can be made again and again, for other keys too.
pub(super) struct PreparedPull {
    reader: Arc<TableReader>,
    projection: Projection,
}

/// What is made of the rows that a read finds.
struct Projection {
    plan: PullPlan,
    rows: SchemaRef,
    filter: Option<CompiledExpr>,
    columns: Vec<CompiledExpr>,
    result: Vec<Column>,
    result_schema: SchemaRef,
}

impl PreparedPull {
    /// Prepares the read of what a query of `view` keeps.
    pub(super) fn new(shared: &Shared, view: &ReadView, plan: &PullPlan) -> Result<Self, EngineError> {
        let reader = view.reader(shared, &plan.query)?;
        let projection = Projection::new(plan, reader.rows());
        Ok(Self { reader, projection })
    }

    /// The same read without a condition: it is made of keys that meet it.
    pub(super) fn without_filter(self) -> Self {
        Self { projection: Projection { filter: None, ..self.projection }, ..self }
    }

    /// The rows that `lookup` finds, if this server has all of its partitions.
    pub(super) fn read(&self, shared: &Shared, lookup: &PullLookup) -> Result<Found, EngineError> {
        if shared.runtime.has_all_state() {
            return self.rows(shared, lookup, None).map(Found::Rows);
        }
        let owners = self.owners(shared, lookup)?;
        if owners.iter().all(StoreOwners::is_here) {
            let partitions: Vec<u32> = owners.iter().map(|owners| owners.partition).collect();
            return self.rows(shared, lookup, Some(&partitions)).map(Found::Rows);
        }
        Ok(Found::Elsewhere(owners))
    }

    /// What this server has of `partitions`, if it may answer for all of them.
    pub(super) fn read_of(
        &self,
        shared: &Shared,
        lookup: &PullLookup,
        partitions: &[u32],
        stale: StaleReads,
    ) -> Result<ResultRows, EngineError> {
        if !shared.runtime.has_all_state() {
            partitions.iter().try_for_each(|&partition| self.check(shared, partition, stale))?;
        }
        self.rows(shared, lookup, Some(partitions))
    }

    /// Whether this server may answer for `partition`.
    fn check(&self, shared: &Shared, partition: u32, stale: StaleReads) -> Result<(), EngineError> {
        let (query, store) = (self.projection.plan.query.as_str(), self.reader.store());
        let owners = shared.runtime.store_owners(query, store, partition);
        let refused = |reason: &str| {
            let text =
                format!("partition {partition} of {} cannot be read here: {reason}", self.projection.plan.source);
            Err(EngineError::new(text).with_code(EngineError::NOT_HERE))
        };
        match owners.here {
            Some(_) if owners.is_here() => Ok(()),
            None => refused("another server runs it"),
            Some(_) if !stale.allowed => match owners.here {
                Some(Role::Active) => refused("its state is on its way to this server; try again"),
                _ => refused(
                    "this server only keeps its state at hand, and ksql.query.pull.enable.standby.reads is not set",
                ),
            },
            Some(_) if stale.lag_max == u64::MAX => Ok(()),
            Some(_) => match shared.runtime.store_lag(query, store, partition) {
                Some(lag) if lag <= stale.lag_max => Ok(()),
                Some(lag) => refused(&format!(
                    "{lag} records are missing, and ksql.query.pull.max.allowed.offset.lag allows {}",
                    stale.lag_max
                )),
                None => refused(
                    "how many records are missing is not known, and ksql.query.pull.max.allowed.offset.lag is set",
                ),
            },
        }
    }

    /// What it answers, without rows.
    pub(super) fn header(&self) -> (Vec<Column>, Vec<ColumnRole>) {
        (self.projection.result.clone(), self.projection.plan.roles.clone())
    }

    /// Most rows that it answers.
    pub(super) fn limit(&self) -> Option<u64> {
        self.projection.plan.limit
    }

    /// The store that has the rows, with its query.
    pub(super) fn store(&self) -> (&str, &str) {
        (self.projection.plan.query.as_str(), self.reader.store())
    }

    /// Has `each` take the rows of `partitions`, as they are here, until it answers false; it is asked also where there are none.
    pub(super) fn read_each(
        &self,
        partitions: &[u32],
        each: &mut dyn FnMut(RecordBatch) -> bool,
    ) -> Result<(), EngineError> {
        let plan = &self.projection.plan;
        let done = self.reader.read(&plan.lookup, &plan.window, Some(partitions), &mut |batch| {
            let rows = self.projection.answer(&batch, usize::MAX);
            let rows = rows.map_err(|error| RuntimeError::Failed(error.to_string()))?;
            Ok(each(rows))
        });
        Ok(done?)
    }

    /// Who has the rows, partition by partition.
    pub(super) fn owners(&self, shared: &Shared, lookup: &PullLookup) -> Result<Vec<StoreOwners>, EngineError> {
        let partitions = self.reader.partitions_of(lookup, &*shared.topics)?.into_iter();
        let (query, store) = self.store();
        Ok(partitions.map(|partition| shared.runtime.store_owners(query, store, partition)).collect())
    }

    /// How it finds rows.
    pub(super) fn lookup(&self) -> &PullLookup {
        &self.projection.plan.lookup
    }

    /// The rows that `lookup` finds; with `partitions` in those only.
    fn rows(
        &self,
        shared: &Shared,
        lookup: &PullLookup,
        partitions: Option<&[u32]>,
    ) -> Result<ResultRows, EngineError> {
        let plan = &self.projection.plan;
        let deadline = Deadline::of(shared);
        self.projection.collect(&deadline, |take| {
            if plan.limit == Some(0) { Ok(()) } else { self.reader.read(lookup, &plan.window, partitions, take) }
        })
    }
}

/// What a read has found.
pub(super) enum Found {
    /// All rows.
    Rows(ResultRows),
    /// Other servers have some of them: who has which partition.
    Elsewhere(Vec<StoreOwners>),
}

/// Whether rows may be answered that lack what was committed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StaleReads {
    /// They may.
    pub(super) allowed: bool,
    /// Records that they may lack.
    pub(super) lag_max: u64,
}

/// What `plan` answers of `rows`, which are of layout `schema`: of a table that no query keeps.
pub(super) fn of_rows(
    shared: &Shared,
    plan: &PullPlan,
    schema: SchemaRef,
    rows: ChangeBatch,
) -> Result<ResultRows, EngineError> {
    Projection::new(plan, schema).collect(&Deadline::of(shared), |take| take(rows).map(drop))
}

/// When a pull query has taken too long.
struct Deadline {
    clock: Arc<dyn Clock>,
    patience: Duration,
    /// By the time for which the clock has run.
    at: Duration,
}

impl Deadline {
    fn of(shared: &Shared) -> Self {
        let patience = shared.request_patience;
        Self { clock: Arc::clone(&shared.clock), patience, at: shared.clock.elapsed().saturating_add(patience) }
    }

    fn is_over(&self) -> bool {
        self.clock.elapsed() >= self.at
    }

    fn error(&self) -> EngineError {
        let limit = self.patience.as_millis();
        EngineError::new(format!("the query has taken longer than levada.request.timeout.ms allows: {limit} ms"))
            .with_hint("ask for less: by key, with bounds of the window, or with LIMIT")
            .with_code(EngineError::TOO_LATE)
    }
}

/// Takes rows of the table; whether more are wanted.
type Take<'a> = &'a mut dyn FnMut(ChangeBatch) -> Result<bool, RuntimeError>;

impl Projection {
    fn new(plan: &PullPlan, rows: SchemaRef) -> Self {
        let result: Vec<Column> = plan.columns.iter().map(|(column, _)| column.clone()).collect();
        let fields: Vec<_> = result.iter().map(Column::field).collect();
        Self {
            filter: plan.filter.as_ref().map(|filter| CompiledExpr::new(filter, &rows)),
            columns: plan.columns.iter().map(|(_, expr)| CompiledExpr::new(expr, &rows)).collect(),
            plan: plan.clone(),
            result_schema: Arc::new(arrow::datatypes::Schema::new(fields)),
            rows,
            result,
        }
    }

    /// The answer, of what `read` finds.
    fn collect(
        &self,
        deadline: &Deadline,
        read: impl FnOnce(Take<'_>) -> Result<(), RuntimeError>,
    ) -> Result<ResultRows, EngineError> {
        let mut is_late = false;
        let mut left = self.plan.limit.unwrap_or(u64::MAX) as usize;
        let mut batches = Vec::new();
        read(&mut |batch| {
            let rows = self.answer(&batch, left).map_err(|error| RuntimeError::Failed(error.to_string()))?;
            left -= rows.num_rows();
            if rows.num_rows() > 0 {
                batches.push(rows);
            }
            is_late = left > 0 && deadline.is_over();
            Ok(left > 0 && !is_late)
        })?;
        if is_late {
            return Err(deadline.error());
        }
        Ok(ResultRows { columns: self.result.clone(), roles: self.plan.roles.clone(), batches, end: None })
    }

    /// At most `limit` rows of the answer, of the table's rows `batch`.
    fn answer(&self, batch: &ChangeBatch, limit: usize) -> Result<RecordBatch, arrow::error::ArrowError> {
        let mut rows = batch.rows(&self.rows);
        if let Some(filter) = &self.filter {
            let mask = BooleanArray::new(filter.evaluate_mask(&rows, &mut Vec::new()), None);
            rows = filter_record_batch(&rows, &mask)?;
        }
        let rows = rows.slice(0, rows.num_rows().min(limit));
        let values: Vec<ArrayRef> = self.columns.iter().map(|column| column.evaluate(&rows, &mut Vec::new())).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.result_schema), values, &options)
    }
}

/// Collects rows up to a limit, as long as there is time.
struct Collected {
    batches: Mutex<(Vec<RecordBatch>, usize)>,
    limit: usize,
    deadline: Deadline,
    is_late: AtomicBool,
}

impl RowReceiver for Collected {
    fn push(&self, rows: PushedRows) {
        let mut batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = rows.len().min(self.limit - batches.1);
        batches.1 += taken;
        batches.0.push(rows.batch().slice(0, taken));
    }

    fn is_full(&self) -> bool {
        false
    }

    fn is_closed(&self) -> bool {
        if self.batches.lock().unwrap_or_else(PoisonError::into_inner).1 >= self.limit {
            return true;
        }
        if self.deadline.is_over() {
            self.is_late.store(true, Ordering::Release);
        }
        self.is_late.load(Ordering::Acquire)
    }

    /// Who settles learns it too.
    fn fail(&self, _: &str) {}
}

/// What gives `receiver` the rows of `plan`, from the beginning of its topics to where they end now, when it settles.
pub(super) fn up_to_the_end(
    shared: &Shared,
    plan: &PushPlan,
    properties: &Properties,
    receiver: Arc<dyn RowReceiver>,
) -> Result<Runtime, EngineError> {
    let setup =
        QuerySetup { properties, batch_rows_max: shared.batch_rows_max, schemas: shared.schemas(), fault: None };
    let mut spec = transient_spec(&format!("pull_{}", shared.clock.now_ms()), plan, receiver, &setup)?;
    spec.start_from = StartFrom::Earliest;
    let mut ends = BTreeMap::new();
    for source in plan.query.root.sources() {
        ends.extend(taps::ends(&*shared.topics, &source.topic)?);
    }
    spec.stop_at = Some(Arc::new(ends));
    let runtime = Runtime::new(Arc::clone(&shared.topics), Arc::clone(&shared.clock), &RuntimeOptions::default())?;
    runtime.start(spec)?;
    Ok(runtime)
}

/// Rows of a stream, from its beginning to where it ends now.
pub(super) fn stream(shared: &Shared, plan: &PushPlan, properties: &Properties) -> Result<ResultRows, EngineError> {
    let limit = plan.query.limit.map_or(usize::MAX, |limit| limit as usize);
    let (deadline, is_late) = (Deadline::of(shared), AtomicBool::new(false));
    let collected = Arc::new(Collected { batches: Mutex::default(), limit, deadline, is_late });
    let receiver = Arc::clone(&collected) as Arc<dyn RowReceiver>;
    up_to_the_end(shared, plan, properties, receiver)?.settle(None)?;
    if collected.is_late.load(Ordering::Acquire) {
        return Err(collected.deadline.error());
    }
    let (batches, rows) = std::mem::take(&mut *collected.batches.lock().unwrap_or_else(PoisonError::into_inner));
    let columns: Vec<Column> = plan.columns.iter().map(|column| column.column.clone()).collect();
    let end = if rows >= limit { PushEnd::LimitReached } else { PushEnd::Completed };
    let roles = vec![ColumnRole::Value; columns.len()];
    Ok(ResultRows { columns, roles, batches, end: Some(end) })
}
