//! Pull queries: the rows that are there now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

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
use crate::runtime::materialized::TableReader;
use crate::runtime::{PushedRows, RowReceiver, Runtime, RuntimeError, RuntimeOptions, StartFrom, StoreOwners};
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

    /// The rows.
    pub(super) fn read(&self, shared: &Shared) -> Result<ResultRows, EngineError> {
        self.read_at(shared, &self.projection.plan.lookup, None)
    }

    /// Has `each` take the rows of `partitions`, as they are here, until it answers false; it is asked also where there are none.
    pub(super) fn read_each(
        &self,
        partitions: &[u32],
        each: &mut dyn FnMut(RecordBatch) -> bool,
    ) -> Result<(), EngineError> {
        let plan = &self.projection.plan;
        let done = self.reader.read(&plan.lookup, &plan.window, Some(partitions), &|_, _| true, &mut |batch| {
            let rows = self.projection.answer(&batch, usize::MAX);
            let rows = rows.map_err(|error| RuntimeError::Failed(error.to_string()))?;
            Ok(each(rows))
        });
        Ok(done?)
    }

    /// Who has the rows, partition by partition.
    pub(super) fn owners(&self, shared: &Shared, lookup: &PullLookup) -> Result<Vec<StoreOwners>, EngineError> {
        let partitions = self.reader.partitions_of(lookup, &*shared.topics)?.into_iter();
        let owners = |partition| {
            shared.runtime.store_owners(self.projection.plan.query.as_str(), self.reader.store(), partition)
        };
        Ok(partitions.map(owners).collect())
    }

    /// How it finds rows.
    pub(super) fn lookup(&self) -> &PullLookup {
        &self.projection.plan.lookup
    }

    /// The rows that `lookup` finds; with `partitions` in those only, as they are here.
    pub(super) fn read_at(
        &self,
        shared: &Shared,
        lookup: &PullLookup,
        partitions: Option<&[u32]>,
    ) -> Result<ResultRows, EngineError> {
        let plan = &self.projection.plan;
        let is_here = |store: &str, partition| shared.runtime.has_store(plan.query.as_str(), store, partition);
        self.projection.collect(|take| {
            if plan.limit == Some(0) {
                Ok(())
            } else {
                self.reader.read(lookup, &plan.window, partitions, &is_here, take)
            }
        })
    }
}

/// What `plan` answers of `rows`, which are of layout `schema`: of a table that no query keeps.
pub(super) fn of_rows(plan: &PullPlan, schema: SchemaRef, rows: ChangeBatch) -> Result<ResultRows, EngineError> {
    Projection::new(plan, schema).collect(|take| take(rows).map(drop))
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
    fn collect(&self, read: impl FnOnce(Take<'_>) -> Result<(), RuntimeError>) -> Result<ResultRows, EngineError> {
        let mut left = self.plan.limit.unwrap_or(u64::MAX) as usize;
        let mut batches = Vec::new();
        read(&mut |batch| {
            let rows = self.answer(&batch, left).map_err(|error| RuntimeError::Failed(error.to_string()))?;
            left -= rows.num_rows();
            if rows.num_rows() > 0 {
                batches.push(rows);
            }
            Ok(left > 0)
        })?;
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

/// Collects rows up to a limit.
#[derive(Default)]
struct Collected {
    batches: Mutex<(Vec<RecordBatch>, usize)>,
    limit: usize,
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
        self.batches.lock().unwrap_or_else(PoisonError::into_inner).1 >= self.limit
    }

    /// Who settles learns it too.
    fn fail(&self, _: &str) {}
}

/// Rows of a stream, from its beginning to where it ends now.
pub(super) fn stream(shared: &Shared, plan: &PushPlan, properties: &Properties) -> Result<ResultRows, EngineError> {
    let limit = plan.query.limit.map_or(usize::MAX, |limit| limit as usize);
    let collected = Arc::new(Collected { limit, ..Collected::default() });
    let setup =
        QuerySetup { properties, batch_rows_max: shared.batch_rows_max, schemas: shared.schemas(), fault: None };
    let receiver = Arc::clone(&collected) as Arc<dyn RowReceiver>;
    let mut spec = transient_spec(&format!("pull_{}", shared.clock.now_ms()), plan, receiver, &setup)?;
    spec.start_from = StartFrom::Earliest;
    let mut ends = BTreeMap::new();
    for source in plan.query.root.sources() {
        ends.extend(taps::ends(&*shared.topics, &source.topic)?);
    }
    spec.stop_at = Some(Arc::new(ends));
    let runtime = Runtime::new(Arc::clone(&shared.topics), Arc::clone(&shared.clock), &RuntimeOptions::default())?;
    runtime.start(spec)?;
    runtime.settle(None)?;
    let (batches, rows) = std::mem::take(&mut *collected.batches.lock().unwrap_or_else(PoisonError::into_inner));
    let columns: Vec<Column> = plan.columns.iter().map(|column| column.column.clone()).collect();
    let end = if rows >= limit { PushEnd::LimitReached } else { PushEnd::Completed };
    let roles = vec![ColumnRole::Value; columns.len()];
    Ok(ResultRows { columns, roles, batches, end: Some(end) })
}
