//! Where reads get their rows from: system tables and topics. Of tables that queries keep: [`super::table_scan`].

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Field, Schema};

use super::config::Properties;
use super::pull;
use super::reads::ReadView;
use super::{EngineError, Shared, system_tables};
use crate::batch::{BatchError, Check, Context, Input, Rows};
use crate::catalog::DataSource;
use crate::plan::{PullPlan, PushPlan};
use crate::runtime::{PushedRows, RowReceiver, Runtime};

/// Rows of a topic that may wait to be taken.
const ROWS_MAX: usize = 20_000;

/// The rows that `plan` answers of the system table `known`.
pub(super) fn system_table(
    shared: &Shared,
    view: &ReadView,
    plan: &PullPlan,
    known: &DataSource,
) -> Result<Input, EngineError> {
    let rows = system_tables::rows(shared, &view.catalog, &plan.source)?;
    let rows = rows.ok_or_else(|| EngineError::new(format!("{} is no system table", plan.source)))?;
    let rows = pull::of_rows(shared, plan, known.schema.row_schema(false), rows)?;
    Ok(Box::new(Known { batches: rows.batches.into_iter() }))
}

/// Rows that are there.
struct Known {
    batches: std::vec::IntoIter<RecordBatch>,
}

impl Rows for Known {
    fn next(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        Ok(self.batches.next())
    }
}

/// The rows that `plan` gives of a topic, up to where it ends now; `with_tombstones` behind their columns whether they say that their
/// key is gone.
pub(super) fn topic(
    shared: &Shared,
    plan: &PushPlan,
    properties: &Properties,
    with_tombstones: bool,
    context: &Context,
) -> Result<Input, EngineError> {
    let waiting = Arc::new(Waiting { state: Mutex::default(), check: Arc::clone(&context.check) });
    let receiver = Arc::clone(&waiting) as Arc<dyn RowReceiver>;
    let runtime = pull::up_to_the_end(shared, plan, properties, receiver)?;
    Ok(Box::new(Topic { runtime, waiting, with_tombstones }))
}

/// Rows of a topic: its tasks run when rows are asked for, until some wait.
struct Topic {
    runtime: Runtime,
    waiting: Arc<Waiting>,
    with_tombstones: bool,
}

impl Rows for Topic {
    fn next(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        if self.waiting.lock().rows == 0 {
            self.runtime.settle(None).map_err(|error| BatchError::Failed(error.to_string()))?;
            (self.waiting.check)()?;
        }
        let Some(rows) = self.waiting.pop() else { return Ok(None) };
        if self.with_tombstones { marked(&rows).map(Some) } else { Ok(Some(rows.batch().clone())) }
    }
}

/// `rows` with a column that says which are tombstones.
fn marked(rows: &PushedRows) -> Result<RecordBatch, BatchError> {
    let gone: BooleanBuffer = (0..rows.len()).map(|row| rows.is_tombstone(row)).collect();
    let gone: ArrayRef = Arc::new(BooleanArray::new(gone, None));
    let schema = rows.batch().schema();
    let mark = Arc::new(Field::new("GONE", DataType::Boolean, false));
    let fields: Vec<_> = schema.fields().iter().cloned().chain([mark]).collect();
    let columns = rows.batch().columns().iter().cloned().chain([gone]).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

/// Rows between the tasks of a topic and the read.
struct Waiting {
    state: Mutex<WaitingRows>,
    check: Check,
}

#[derive(Default)]
struct WaitingRows {
    batches: VecDeque<PushedRows>,
    rows: usize,
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, WaitingRows> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pop(&self) -> Option<PushedRows> {
        let mut state = self.lock();
        let rows = state.batches.pop_front()?;
        state.rows -= rows.len();
        Some(rows)
    }
}

impl RowReceiver for Waiting {
    fn push(&self, rows: PushedRows) {
        if !rows.is_empty() {
            let mut state = self.lock();
            state.rows += rows.len();
            state.batches.push_back(rows);
        }
    }

    fn is_full(&self) -> bool {
        self.lock().rows >= ROWS_MAX
    }

    fn is_closed(&self) -> bool {
        (self.check)().is_err()
    }

    /// Who settles learns it too.
    fn fail(&self, _: &str) {}
}
