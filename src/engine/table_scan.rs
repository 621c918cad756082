//! Reads of tables that queries keep: all partitions, here and on other servers.
//!
//! ```text
//! partitions here ──────── scan ────────┐
//!                                       ├─▶ a thread, at most a few batches ahead ─▶ operators
//! others, one by one ─ peers: Arrow ────┘
//! ```

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use arrow::array::RecordBatch;

use super::monitoring::PullKind;
use super::pull::PreparedPull;
use super::reads::ReadView;
use super::{EngineError, Peers, ResultRows, RoutedPull, Shared};
use crate::batch::{BatchError, Context, Input, Reservation, Rows};
use crate::plan::PullPlan;
use crate::runtime::StoreOwners;
use crate::types::STACK_BYTES;

/// Batches that may wait to be taken.
const BATCHES_MAX: usize = 4;
/// How often somebody who waits for another server looks whether the read goes on.
const LOOKING: Duration = Duration::from_millis(20);

/// The rows that `plan` answers, of all partitions of its table; `asking` has others answer, to whom it is said as a text.
///
/// # Errors
/// Other servers have some of the rows, and nobody can ask them.
pub(super) fn table(
    shared: &Shared,
    view: &ReadView,
    plan: &PullPlan,
    asking: Option<(&Arc<dyn Peers>, &str)>,
    context: &Context,
) -> Result<Input, EngineError> {
    let prepared = PreparedPull::new(shared, view, plan)?;
    let owners = prepared.owners(shared, prepared.lookup())?;
    let (here, elsewhere): (Vec<_>, Vec<_>) = owners.into_iter().partition(StoreOwners::is_here);
    let begun = shared.clock.elapsed();
    let routed = |owners| RoutedPull::new((shared, &prepared), PullKind::WholeSql, vec![owners], begun);
    let elsewhere: Vec<RoutedPull> = elsewhere.into_iter().map(routed).collect();
    let remote = match (elsewhere.first(), asking) {
        (None, _) => None,
        (Some(_), Some((peers, text))) => {
            Some(Remote { pulls: elsewhere, peers: Arc::clone(peers), text: text.to_owned() })
        }
        (Some(first), None) => return Err(first.not_here()),
    };
    let here = here.into_iter().map(|owners| owners.partition).collect();
    let scan = Scan { prepared, here, remote, context: context.clone() };
    Ok(Box::new(Table { state: TableState::Waiting(Box::new(scan)) }))
}

/// Rows of a table, found by a thread.
struct Table {
    state: TableState,
}

enum TableState {
    /// Nobody has asked yet.
    Waiting(Box<Scan>),
    Reading(Receiver<Found>, JoinHandle<()>),
    Ended,
}

/// What the thread says: rows, or, at last, none.
type Found = Result<Option<RecordBatch>, BatchError>;

impl Rows for Table {
    fn next(&mut self) -> Found {
        if let TableState::Waiting(_) = self.state
            && let TableState::Waiting(scan) = std::mem::replace(&mut self.state, TableState::Ended)
        {
            let (sender, receiver) = sync_channel(BATCHES_MAX);
            let thread = std::thread::Builder::new().name("table-scan".to_owned()).stack_size(STACK_BYTES);
            let thread = thread.spawn(move || scan.run(&sender));
            let thread = thread.map_err(|error| BatchError::Failed(format!("no thread can be started: {error}")))?;
            self.state = TableState::Reading(receiver, thread);
        }
        let TableState::Reading(receiver, _) = &self.state else { return Ok(None) };
        let found = receiver.recv();
        let found =
            found.unwrap_or_else(|_| Err(BatchError::Failed("a thread that reads a table has died".to_owned())));
        if matches!(found, Ok(None)) {
            self.end();
        }
        found
    }
}

impl Table {
    fn end(&mut self) {
        if let TableState::Reading(receiver, thread) = std::mem::replace(&mut self.state, TableState::Ended) {
            drop(receiver);
            if thread.join().is_err() {
                tracing::error!("a thread that reads a table has died");
            }
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.end();
    }
}

/// What the thread is to find.
struct Scan {
    prepared: PreparedPull,
    /// Partitions of this server.
    here: Vec<u32>,
    remote: Option<Remote>,
    context: Context,
}

/// What others have.
struct Remote {
    /// One for each partition.
    pulls: Vec<RoutedPull>,
    peers: Arc<dyn Peers>,
    text: String,
}

type Sender = SyncSender<Found>;

impl Scan {
    fn run(self, sender: &Sender) {
        let end = self.give(sender).map(|()| None);
        // Whoever has gone does not want to know.
        let _ = sender.send(end);
    }

    fn give(self, sender: &Sender) -> Result<(), BatchError> {
        let check = &self.context.check;
        let give = |batch: RecordBatch| batch.num_rows() == 0 || sender.send(Ok(Some(batch))).is_ok();
        let done = self.prepared.read_each(&self.here, &mut |batch| check().is_ok() && give(batch));
        done.map_err(|error| BatchError::Failed(error.message))?;
        check()?;
        let Some(Remote { pulls, peers, text }) = self.remote else { return Ok(()) };
        for pull in pulls {
            let rows = awaited(&peers.ask(pull, &text), &self.context)?;
            let mut kept = Reservation::new(&self.context.memory, "what another server has of a partition");
            kept.resize(rows.iter().map(RecordBatch::get_array_memory_size).sum())?;
            if !rows.into_iter().all(give) {
                break;
            }
        }
        Ok(())
    }
}

/// The answer of other servers, for as long as the read goes on.
fn awaited(
    answer: &Receiver<Result<Vec<ResultRows>, EngineError>>,
    context: &Context,
) -> Result<Vec<RecordBatch>, BatchError> {
    loop {
        match answer.recv_timeout(LOOKING) {
            Ok(Ok(parts)) => return Ok(parts.into_iter().flat_map(|part| part.batches).collect()),
            Ok(Err(error)) => return Err(BatchError::Failed(error.to_string())),
            Err(RecvTimeoutError::Timeout) => (context.check)()?,
            Err(RecvTimeoutError::Disconnected) => return Err(BatchError::Stopped),
        }
    }
}
