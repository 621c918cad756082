//! One reader of a topic for many push queries, where each only looks at single rows: fetched and decoded once, filtered and
//! projected once for all who ask the same.
//!
//! ```text
//!                                      ┌─▶ view: steps of those who ask the same ─┬─▶ subscription ─▶ client
//! topic ─ fetch ─ decode ─▶ TapOutput ─┤                                          └─▶ subscription ─▶ client
//!                                      └─▶ view …
//! ```
//!
//! A subscription gets each record from its start on once, whoever subscribes or leaves meanwhile. One whose client does not keep up is
//! left behind: it is told up to where it has come, to go on from there by itself, and the others go on without it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use arrow::buffer::ScalarBuffer;

use super::dead_letter::Stage;
use super::lower::rows_of;
use super::output::{ClientRows, Output};
use super::{Client, PushedRows, RowReceiver, lock};
use crate::expr::CompiledExpr;
use crate::operators::{Filter, Operator, Output as OperatorOutput, Project};
use crate::plan::PlanNode;
use crate::state::StateError;
use crate::topics::{TopicPartition, Topics};
use crate::types::{ChangeBatch, RecordChunk, RowError};

/// The next offset of each partition.
pub type Offsets = BTreeMap<u32, i64>;

/// A shared reader's subscriptions.
#[derive(Default)]
pub struct Tap {
    subscriptions: RwLock<Arc<Vec<Arc<Subscription>>>>,
    views: Mutex<Vec<(String, Weak<View>)>>,
    next_view: AtomicU64,
    /// What its tasks have handed on.
    positions: Mutex<Offsets>,
}

/// What becomes of a row between the source and clients who ask the same.
struct View {
    number: u64,
    /// The steps above the source, lowest first.
    steps: Vec<PlanNode>,
    client: Client,
}

/// A push query at a tap.
pub struct Subscription {
    view: Arc<View>,
    receiver: Arc<dyn RowReceiver>,
    delivery: Mutex<Delivery>,
    left_behind: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Delivery {
    /// The records before are not for it.
    next: Offsets,
    /// It gets records: where it starts is known.
    started: bool,
    /// It was left behind.
    left: bool,
}

impl Tap {
    /// Takes up `client`, whose rows are those of the last of the steps `root` over the tap's source, planned when functions were
    /// those of `generation`. It gets none before [`Subscription::start`]. `left_behind` is called when it does not keep up.
    pub fn subscribe(
        &self,
        (root, generation): (&PlanNode, u64),
        client: &Client,
        left_behind: impl Fn() + Send + Sync + 'static,
    ) -> Arc<Subscription> {
        let subscription = Arc::new(Subscription {
            view: self.view(root, generation, client),
            receiver: Arc::clone(&client.receiver),
            delivery: Mutex::default(),
            left_behind: Box::new(left_behind),
        });
        let added = Arc::clone(&subscription);
        self.change(|all| all.push(added));
        subscription
    }

    /// Takes `subscription` away.
    pub fn unsubscribe(&self, subscription: &Arc<Subscription>) {
        self.change(|all| all.retain(|other| !Arc::ptr_eq(other, subscription)));
    }

    /// Ends all push queries at the tap: it cannot go on, for `reason`.
    pub fn fail(&self, reason: &str) {
        self.all().iter().for_each(|subscription| subscription.receiver.fail(reason));
    }

    /// Where the tap goes on in `partition`, if it has handed on anything of it.
    pub fn position(&self, partition: u32) -> Option<i64> {
        lock(&self.positions).get(&partition).copied()
    }

    fn all(&self) -> Arc<Vec<Arc<Subscription>>> {
        Arc::clone(&self.subscriptions.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Subscription>>)) {
        let mut all = self.subscriptions.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut all));
    }

    /// The view of those who want `client`'s columns of the steps `root`.
    fn view(&self, root: &PlanNode, generation: u64, client: &Client) -> Arc<View> {
        let steps = steps(root);
        let key = format!("{generation} {steps:?} {:?}", client.columns);
        let mut views = lock(&self.views);
        views.retain(|(_, view)| view.strong_count() > 0);
        if let Some(view) = views.iter().find(|(other, _)| *other == key).and_then(|(_, view)| view.upgrade()) {
            return view;
        }
        let number = self.next_view.fetch_add(1, Ordering::Relaxed);
        let view = Arc::new(View { number, steps, client: client.clone() });
        views.push((key, Arc::downgrade(&view)));
        view
    }
}

/// The steps of `root` above its source, lowest first, each with the step below it.
fn steps(root: &PlanNode) -> Vec<PlanNode> {
    let mut steps = Vec::new();
    let mut node = root;
    while let PlanNode::Filter { input, .. } | PlanNode::Project { input, .. } = node {
        steps.push(node.clone());
        node = input;
    }
    steps.reverse();
    steps
}

impl Subscription {
    /// Begins to hand records on: those from `start` on that the tap has not passed yet.
    pub fn start(&self, start: &Offsets) {
        let mut delivery = lock(&self.delivery);
        for (partition, offset) in start {
            let next = delivery.next.entry(*partition).or_insert(*offset);
            *next = (*next).max(*offset);
        }
        delivery.started = true;
    }

    /// Where it has come to, if it was left behind.
    pub fn left_at(&self) -> Option<Offsets> {
        let delivery = lock(&self.delivery);
        delivery.left.then(|| delivery.next.clone())
    }

    /// Hands on what is for it of the rows of a chunk with `offsets`; `rows` are those of its view.
    fn take(&self, partition: u32, offsets: &[i64], rows: &mut dyn FnMut(Option<usize>) -> Option<PushedRows>) {
        let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else { return };
        if self.receiver.is_closed() {
            return;
        }
        let mut delivery = lock(&self.delivery);
        if delivery.left {
            return;
        }
        let next = delivery.next.get(&partition).copied().unwrap_or(i64::MIN);
        if next > last {
            return;
        }
        if delivery.started {
            if self.receiver.is_full() {
                delivery.left = true;
                delivery.next.entry(partition).or_insert(first);
                drop(delivery);
                return (self.left_behind)();
            }
            let skipped = (next > first).then(|| offsets.partition_point(|offset| *offset < next));
            if let Some(rows) = rows(skipped) {
                self.receiver.push(rows);
            }
        }
        delivery.next.insert(partition, last + 1);
    }
}

/// The end of a tap's task.
pub(super) struct TapOutput {
    tap: Arc<Tap>,
    partition: u32,
    offsets: ScalarBuffer<i64>,
    /// The steps of the views that rows were made for, by number.
    views: HashMap<u64, ViewSteps>,
}

struct ViewSteps {
    operators: Vec<Box<dyn Operator>>,
    rows: ClientRows,
}

impl TapOutput {
    pub(super) fn new(tap: Arc<Tap>) -> Self {
        Self { tap, partition: 0, offsets: ScalarBuffer::default(), views: HashMap::new() }
    }
}

impl ViewSteps {
    fn new(view: &View) -> Self {
        let operators = view.steps.iter().filter_map(|step| -> Option<Box<dyn Operator>> {
            match step {
                PlanNode::Filter { input, predicate } => {
                    let rows = rows_of(input);
                    Some(Box::new(Filter::new(CompiledExpr::new(predicate, &rows), rows)))
                }
                PlanNode::Project { input, columns, .. } => {
                    let rows = rows_of(input);
                    let columns = columns.iter().map(|(_, expr)| CompiledExpr::new(expr, &rows)).collect();
                    Some(Box::new(Project::new(columns, rows)))
                }
                _ => None,
            }
        });
        Self { operators: operators.collect(), rows: ClientRows::new(view.client.columns.clone()) }
    }

    /// The rows that clients get of `batch`; failures are added to `errors`.
    fn rows(&mut self, batch: ChangeBatch, errors: &mut Vec<(Stage, RowError)>) -> Result<Vec<PushedRows>, StateError> {
        let mut batches = vec![batch];
        for operator in &mut self.operators {
            let mut out = OperatorOutput::default();
            for batch in batches {
                operator.process(0, batch, &mut out)?;
            }
            errors.extend(out.errors.into_iter().map(|error| (Stage::Process, error)));
            batches = out.batches;
        }
        Ok(batches.iter().filter(|batch| !batch.is_empty()).map(|batch| self.rows.of(batch)).collect())
    }
}

impl Output for TapOutput {
    fn reading(&mut self, partition: u32, chunk: &RecordChunk) {
        self.partition = partition;
        self.offsets = chunk.offsets.clone();
    }

    fn write(
        &mut self,
        batch: ChangeBatch,
        _: &dyn Topics,
        _: &mut Vec<(TopicPartition, RecordChunk)>,
        errors: &mut Vec<(Stage, RowError)>,
    ) -> u64 {
        // Null values of streams are left out.
        let batch = match &batch.tombstones {
            Some(tombstones) => batch.filter(&!tombstones),
            None => batch,
        };
        let rows = batch.len() as u64;
        let offsets: Vec<i64> = batch.seq.iter().map(|row| self.offsets[*row as usize]).collect();
        let all = self.tap.all();
        let mut made: HashMap<u64, Option<PushedRows>> = HashMap::new();
        for subscription in all.iter() {
            let view = &subscription.view;
            let views = &mut self.views;
            let mut rows_from = |first: usize, errors: &mut Vec<(Stage, RowError)>| {
                let batch = if first == 0 { batch.clone() } else { batch.slice(first, batch.len() - first) };
                let steps = views.entry(view.number).or_insert_with(|| ViewSteps::new(view));
                match steps.rows(batch, errors) {
                    Ok(rows) => rows.into_iter().next(),
                    Err(error) => {
                        subscription.receiver.fail(&error.to_string());
                        None
                    }
                }
            };
            subscription.take(self.partition, &offsets, &mut |skipped| match skipped {
                // Each failure is told once, by those who get all rows.
                Some(first) => rows_from(first, &mut Vec::new()),
                None => made.entry(view.number).or_insert_with(|| rows_from(0, errors)).clone(),
            });
        }
        if let Some(last) = offsets.last() {
            lock(&self.tap.positions).insert(self.partition, last + 1);
        }
        if self.views.len() > 2 * made.len() + 16 {
            self.views.retain(|number, _| made.contains_key(number));
        }
        rows
    }
}
