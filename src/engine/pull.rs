//! Pull queries: the rows that are there now.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;

use super::config::Properties;
use super::queries::{QuerySetup, transient_spec};
use super::{Core, EngineError, Response, ResultRows, Shared, system_tables};
use crate::catalog::system_table;
use crate::expr::CompiledExpr;
use crate::plan::{PullLookup, PullPlan, PushPlan};
use crate::runtime::{RowReceiver, Runtime, RuntimeOptions, StartFrom, materialized};
use crate::types::{ChangeBatch, Column};

/// Rows of a materialised table.
pub(super) fn table(shared: &Shared, core: &Core, plan: &PullPlan) -> Result<Response, EngineError> {
    if let Some(rows) = system_tables::rows(shared, &core.catalog, &plan.source)? {
        let schema = system_table(&plan.source).map(|table| table.schema.row_schema(false));
        let schema = schema.ok_or_else(|| EngineError::new(format!("{} is no system table", plan.source)))?;
        return answer(plan, &schema, vec![rows]);
    }
    let running = core.queries.get(plan.query.as_str());
    let running = running.ok_or_else(|| EngineError::new(format!("query {} does not run", plan.query)))?;
    let keys = match &plan.lookup {
        PullLookup::Keys(keys) => Some(keys.as_slice()),
        PullLookup::Range { .. } | PullLookup::Scan => None,
    };
    let id = &running.spec.id;
    let is_here = |store: &str, partition| shared.runtime.has_store(id, store, partition);
    let batches = materialized::read(&running.spec.plan, id, &*shared.topics, keys, &is_here)?;
    let batches = batches.ok_or_else(|| EngineError::new(format!("query {} keeps no rows", plan.query)))?;
    let schema = running.spec.plan.root.schema().row_schema(running.spec.plan.root.window().is_some());
    answer(plan, &schema, batches)
}

/// What `plan` answers of the rows of its table, which are of layout `schema`.
fn answer(plan: &PullPlan, schema: &SchemaRef, batches: Vec<ChangeBatch>) -> Result<Response, EngineError> {
    let filter = plan.filter.as_ref().map(|filter| CompiledExpr::new(filter, schema));
    let columns: Vec<CompiledExpr> = plan.columns.iter().map(|(_, expr)| CompiledExpr::new(expr, schema)).collect();
    let result: Vec<Column> = plan.columns.iter().map(|(column, _)| column.clone()).collect();
    let mut left = plan.limit.unwrap_or(u64::MAX) as usize;
    let mut answered = Vec::new();
    for batch in batches {
        let mut rows = batch.rows(schema);
        if let Some(filter) = &filter {
            let mask = BooleanArray::new(filter.evaluate_mask(&rows, &mut Vec::new()), None);
            rows = filter_record_batch(&rows, &mask).map_err(EngineError::environment)?;
        }
        let rows = rows.slice(0, rows.num_rows().min(left));
        left -= rows.num_rows();
        if rows.num_rows() > 0 {
            let values = columns.iter().map(|column| column.evaluate(&rows, &mut Vec::new())).collect();
            answered.push(result_batch(&result, values, rows.num_rows())?);
        }
    }
    Ok(Response::Rows(ResultRows { columns: result, batches: answered }))
}

fn result_batch(columns: &[Column], values: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, EngineError> {
    let fields: Vec<_> = columns.iter().map(Column::field).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(arrow::datatypes::Schema::new(fields)), values, &options)
        .map_err(EngineError::environment)
}

/// Collects rows up to a limit.
#[derive(Default)]
struct Collected {
    batches: Mutex<(Vec<RecordBatch>, usize)>,
    limit: usize,
}

impl RowReceiver for Collected {
    fn push(&self, rows: RecordBatch) {
        let mut batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = rows.num_rows().min(self.limit - batches.1);
        batches.1 += taken;
        batches.0.push(rows.slice(0, taken));
    }

    fn is_full(&self) -> bool {
        false
    }

    fn is_closed(&self) -> bool {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner).1 >= self.limit
    }
}

/// Rows of a stream, from its beginning to where it ends now.
pub(super) fn stream(shared: &Shared, plan: &PushPlan, properties: &Properties) -> Result<Response, EngineError> {
    let limit = plan.query.limit.map_or(usize::MAX, |limit| limit as usize);
    let collected = Arc::new(Collected { limit, ..Collected::default() });
    let setup =
        QuerySetup { properties, batch_rows_max: shared.batch_rows_max, schemas: shared.schemas(), fault: None };
    let receiver = Arc::clone(&collected) as Arc<dyn RowReceiver>;
    let mut spec = transient_spec(&format!("pull_{}", shared.clock.now_ms()), plan, receiver, &setup)?;
    spec.start_from = StartFrom::Earliest;
    let runtime = Runtime::new(Arc::clone(&shared.topics), Arc::clone(&shared.clock), &RuntimeOptions::default())?;
    runtime.start(spec)?;
    runtime.settle(None)?;
    let batches = std::mem::take(&mut collected.batches.lock().unwrap_or_else(PoisonError::into_inner).0);
    let columns = plan.columns.iter().map(|column| column.column.clone()).collect();
    Ok(Response::Rows(ResultRows { columns, batches }))
}
