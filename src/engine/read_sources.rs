//! Where reads get their rows from: tables that queries keep, system tables, topics.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Field, Schema};

use super::config::Properties;
use super::pull::{self, PreparedPull};
use super::reads::ReadView;
use super::{EngineError, Shared, system_tables};
use crate::batch::{BatchError, Check, Context, Input, Rows};
use crate::catalog::system_table;
use crate::plan::{PullPlan, PushPlan};
use crate::runtime::{PushedRows, RowReceiver, Runtime};
use crate::types::STACK_BYTES;

/// Batches of a table that may wait to be taken.
const BATCHES_MAX: usize = 4;
/// Rows of a topic that may wait to be taken.
const ROWS_MAX: usize = 20_000;

/// The rows that `plan` answers: of all partitions of a table, wherever they are.
pub(super) fn table(
    shared: &Shared,
    view: &ReadView,
    plan: &PullPlan,
    context: &Context,
) -> Result<Input, EngineError> {
    if let Some(known) = system_table(&plan.source).filter(|_| view.catalog.source(&plan.source).is_none()) {
        let rows = system_tables::rows(shared, &view.catalog, &plan.source)?;
        let rows = rows.ok_or_else(|| EngineError::new(format!("{} is no system table", plan.source)))?;
        let rows = pull::of_rows(shared, plan, known.schema.row_schema(false), rows)?;
        return Ok(Box::new(Known { batches: rows.batches.into_iter() }));
    }
    let prepared = PreparedPull::new(shared, view, plan)?;
    let owners = prepared.owners(shared, prepared.lookup())?;
    if let Some(missing) = owners.iter().find(|owner| !owner.is_here()) {
        let text = format!(
            "partition {} of table {} runs on another server, and a query with joins, groups or an order reads what this one has",
            missing.partition, plan.source
        );
        let hint = format!("ask for its rows with SELECT … FROM {} WHERE key = …, which is sent on", plan.source);
        return Err(EngineError::new(text).with_hint(hint));
    }
    let partitions: Vec<u32> = owners.iter().map(|owner| owner.partition).collect();
    let check = Arc::clone(&context.check);
    Ok(Box::new(Table { state: TableState::Waiting(Box::new(prepared), partitions), check }))
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

/// Rows of a table, found by a thread that is at most a few batches ahead.
struct Table {
    state: TableState,
    check: Check,
}

enum TableState {
    /// Nobody has asked yet.
    Waiting(Box<PreparedPull>, Vec<u32>),
    Reading(Receiver<Result<RecordBatch, String>>, JoinHandle<()>),
    Ended,
}

impl Rows for Table {
    fn next(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        if let TableState::Waiting(..) = self.state
            && let TableState::Waiting(prepared, partitions) = std::mem::replace(&mut self.state, TableState::Ended)
        {
            let (sender, receiver) = sync_channel(BATCHES_MAX);
            let check = Arc::clone(&self.check);
            let read = move || {
                let give = |batch: RecordBatch| batch.num_rows() == 0 || sender.send(Ok(batch)).is_ok();
                let done = prepared.read_each(&partitions, &mut |batch| check().is_ok() && give(batch));
                if let Err(error) = done {
                    // Whoever has gone does not want to know.
                    let _ = sender.send(Err(error.message));
                }
            };
            let thread = std::thread::Builder::new().name("table-scan".to_owned()).stack_size(STACK_BYTES).spawn(read);
            let thread = thread.map_err(|error| BatchError::Failed(format!("no thread can be started: {error}")))?;
            self.state = TableState::Reading(receiver, thread);
        }
        let TableState::Reading(receiver, _) = &self.state else { return Ok(None) };
        match receiver.recv() {
            Ok(batch) => batch.map(Some).map_err(BatchError::Failed),
            Err(_) => (self.check)().map(|()| None),
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        if let TableState::Reading(receiver, thread) = std::mem::replace(&mut self.state, TableState::Ended) {
            drop(receiver);
            if thread.join().is_err() {
                tracing::error!("a thread that reads a table has died");
            }
        }
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
