//! Reading the table that a persistent query keeps, as of its last commit: what pull queries see.
//!
//! ```text
//! keys, range or all ─▶ entries of each partition's store ─ decode ─▶ rows of the step that keeps them ─ steps above ─▶ rows
//! ```
//!
//! The store's rows go through the rest of the plan (HAVING, projection) at the moment of reading. Semantics 10.1.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::SchemaRef;

use super::RuntimeError;
use super::lower::{aggregate_options, rows_of, time_windows, topic_of};
use crate::expr::CompiledExpr;
use crate::formats;
use crate::operators::aggregate::{Emission, load_state};
use crate::operators::{Filter, Operator, Output, Project};
use crate::plan::{PlanNode, PullLookup, SharedPlan, Source, WindowBounds, stores};
use crate::state::key_encoding::{EncodedKeys, split_session, window_start};
use crate::state::row_format::{decode_rows, decode_rows_counted};
use crate::state::{Buckets, StateError, Store, StoreId, bucket_prefix, is_meta};
use crate::storage::Entry;
use crate::topics::Topics;
use crate::types::{ChangeBatch, WindowColumns, WindowKind};

/// Reads the table of one query, again and again: what does not change between two reads is made once.
pub struct TableReader {
    plan: SharedPlan,
    store: String,
    /// Its stores, one for each partition.
    stores: Vec<Store>,
    /// The steps above the one that keeps rows, lowest first.
    steps: Vec<Step>,
}

/// A step above the one that keeps rows.
enum Step {
    Filter(CompiledExpr, SchemaRef),
    Project(Vec<CompiledExpr>, SchemaRef),
}

impl Step {
    fn operator(&self) -> Box<dyn Operator> {
        match self {
            Self::Filter(predicate, rows) => Box::new(Filter::new(predicate.clone(), Arc::clone(rows))),
            Self::Project(columns, rows) => Box::new(Project::new(columns.clone(), Arc::clone(rows))),
        }
    }
}

impl TableReader {
    /// Reads what `query` with `plan` keeps; `None` if that is no table.
    pub fn new(plan: &SharedPlan, query: &Arc<str>, topics: &dyn Topics) -> Result<Option<Self>, RuntimeError> {
        let Some(found) = find(&plan.root) else { return Ok(None) };
        let store = |partition| {
            let id = StoreId { query: Arc::clone(query), name: found.store.clone(), partition };
            Store::new(topics.storage(), &id)
        };
        let stores = (0..found.partitions(topics)?).map(store).collect();
        let steps = found.above.iter().filter_map(|node| match node {
            PlanNode::Filter { input, predicate } => {
                let rows = rows_of(input);
                Some(Step::Filter(CompiledExpr::new(predicate, &rows), rows))
            }
            PlanNode::Project { input, columns, .. } => {
                let rows = rows_of(input);
                Some(Step::Project(columns.iter().map(|(_, expr)| CompiledExpr::new(expr, &rows)).collect(), rows))
            }
            _ => None,
        });
        let steps = steps.collect();
        let (plan, store) = (Arc::clone(plan), found.store);
        Ok(Some(Self { plan, store, stores, steps }))
    }

    /// The layout of the rows that are read.
    pub fn rows(&self) -> SchemaRef {
        rows_of(&self.plan.root)
    }

    /// How many partitions the table has.
    pub fn partitions(&self) -> u32 {
        self.stores.len() as u32
    }

    /// The store that has its rows.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// The partitions that may have rows that `lookup` means; all of them, unless keys say which.
    pub fn partitions_of(&self, lookup: &PullLookup, topics: &dyn Topics) -> Result<Vec<u32>, RuntimeError> {
        let all = || (0..self.partitions()).collect();
        let (PullLookup::Keys(keys), Some(found)) = (lookup, find(&self.plan.root)) else { return Ok(all()) };
        let below = found.node.inputs().first().copied().and_then(topic_of).unwrap_or(found.node);
        let serde = match below {
            PlanNode::Repartition { key_serde, .. } => key_serde,
            PlanNode::Source(source) => &source.key_serde,
            _ => return Ok(all()),
        };
        // What is written by a registered schema depends on its id.
        if serde.needs_registry() {
            return Ok(all());
        }
        let rows = keys.first().map_or(0, |column| column.len());
        let encoded = formats::encoder(serde, &below.key())?.encode(keys, rows, None).bytes;
        let mut partitions: Vec<u32> = encoded.iter().map(|key| topics.partition_for(key, self.partitions())).collect();
        partitions.sort_unstable();
        partitions.dedup();
        Ok(partitions)
    }

    /// Gives `each` the rows that `lookup` may mean, in windows that `windows` may mean, in portions, until it answers false: in
    /// layout and order of the plan's result, with the values that its topic has. With `partitions` those only are read, all as they
    /// are here.
    pub fn read(
        &self,
        lookup: &PullLookup,
        windows: &WindowBounds,
        partitions: Option<&[u32]>,
        each: &mut dyn FnMut(ChangeBatch) -> Result<bool, RuntimeError>,
    ) -> Result<(), RuntimeError> {
        let Some(materialized) = find(&self.plan.root) else { return Ok(()) };
        if let (PullLookup::Keys(keys), None) = (lookup, materialized.node.window()) {
            let entries = match partitions {
                Some(wanted) => look_up(&self.stores_of(wanted), keys)?,
                None => look_up(&self.stores, keys)?,
            };
            return self.give(&materialized, &entries, &Visible::ALL, windows, each).map(drop);
        }
        let wanted = |partition: u32| partitions.is_none_or(|wanted| wanted.contains(&partition));
        for (_, store) in (0..).zip(&self.stores).filter(|(partition, _)| wanted(*partition)) {
            let visible = materialized.visible(store, windows)?;
            let mut goes_on = true;
            let mut give = |entries: &[Entry]| -> Result<bool, RuntimeError> {
                goes_on = self.give(&materialized, entries, &visible, windows, each)?;
                Ok(goes_on)
            };
            match lookup {
                PullLookup::Keys(keys) => {
                    give(&look_up_windows(store, &visible, keys)?)?;
                }
                PullLookup::Range { from, to } => {
                    let (from, to) = (range_start(from.as_ref()), range_end(to.as_ref()));
                    scan(&mut |each| store.scan_range(&from, &to, each), &mut give)?;
                }
                PullLookup::Scan => scan(&mut |each| store.scan_while(each), &mut give)?,
            }
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    fn stores_of(&self, partitions: &[u32]) -> Vec<Store> {
        partitions.iter().filter_map(|&partition| self.stores.get(partition as usize).cloned()).collect()
    }

    fn give(
        &self,
        materialized: &Materialized<'_>,
        entries: &[Entry],
        visible: &Visible,
        windows: &WindowBounds,
        each: &mut dyn FnMut(ChangeBatch) -> Result<bool, RuntimeError>,
    ) -> Result<bool, RuntimeError> {
        if entries.is_empty() {
            return Ok(true);
        }
        let mut batches = vec![materialized.decode(entries, visible, windows)?];
        for step in &self.steps {
            let (mut operator, mut out) = (step.operator(), Output::default());
            for batch in batches {
                operator.process(0, batch, &mut out)?;
            }
            batches = out.batches;
        }
        for mut batch in batches {
            if batch.is_empty() {
                continue;
            }
            if let Some(sink) = &self.plan.sink {
                let (values, rows) = (std::mem::take(&mut batch.value), batch.rowtime.len());
                let read_back = sink.value_serde.read_back(&self.plan.root.schema().value, values, rows);
                batch.value = read_back.map_err(|error| RuntimeError::Failed(error.to_string()))?;
            }
            if !each(batch)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The entries of `keys`, whichever of `stores` has them.
fn look_up(stores: &[Store], keys: &[ArrayRef]) -> Result<Vec<Entry>, StateError> {
    let mut encoded = EncodedKeys::default();
    let rows = keys.first().map_or(0, |column| column.len());
    encoded.encode(keys, None, rows);
    let mut seen = HashSet::new();
    let distinct = (0..rows).map(|row| encoded.key(row)).filter(|key| rows == 1 || seen.insert(*key));
    let distinct: Vec<&[u8]> = distinct.collect();
    let found = Store::get_of_all(stores, &distinct)?;
    let of_keys = distinct.iter().cycle().zip(found);
    Ok(of_keys.filter_map(|(key, value)| Some((key.to_vec(), value?))).collect())
}

/// What goes through the entries of a store in portions, until it is told to stop.
type Scan<'a> = dyn FnMut(&mut dyn FnMut(Vec<Entry>) -> Result<bool, StateError>) -> Result<bool, StateError> + 'a;

/// Has `give` take what `scan` goes through, with errors of either.
fn scan(scan: &mut Scan<'_>, give: &mut dyn FnMut(&[Entry]) -> Result<bool, RuntimeError>) -> Result<(), RuntimeError> {
    let mut failure = None;
    scan(&mut |entries| {
        Ok(give(&entries).unwrap_or_else(|error| {
            failure = Some(error);
            false
        }))
    })?;
    failure.map_or(Ok(()), Err)
}

/// The least bytes of a key in a range that begins at `from`: bound and whether it belongs to the range.
fn range_start(from: Option<&(ArrayRef, bool)>) -> Vec<u8> {
    match from {
        Some((bound, true)) => key_bytes(bound),
        Some((bound, false)) => behind(key_bytes(bound)),
        None => Vec::new(),
    }
}

/// The bytes that follow those of all keys in a range that ends at `to`.
fn range_end(to: Option<&(ArrayRef, bool)>) -> Vec<u8> {
    match to {
        Some((bound, true)) => behind(key_bytes(bound)),
        Some((bound, false)) => key_bytes(bound),
        // No key begins like that.
        None => vec![u8::MAX],
    }
}

fn key_bytes(key: &ArrayRef) -> Vec<u8> {
    let mut encoded = EncodedKeys::default();
    encoded.encode(std::slice::from_ref(key), None, 1);
    encoded.key(0).to_vec()
}

/// The least bytes that are greater than `key`: no key begins with another.
fn behind(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

/// The entries of `keys` in all windows that are `visible`.
fn look_up_windows(store: &Store, visible: &Visible, keys: &[ArrayRef]) -> Result<Vec<Entry>, StateError> {
    let rows = keys.first().map_or(0, |column| column.len());
    let mut encoded = EncodedKeys::default();
    encoded.encode(keys, None, rows);
    let mut entries = Vec::new();
    let mut seen = HashSet::with_capacity(rows);
    for key in (0..rows).map(|row| encoded.key(row)).filter(|key| seen.insert(*key)) {
        for prefix in visible.prefixes(key) {
            store.scan_prefix(&prefix, |found| {
                entries.extend_from_slice(found);
                Ok(())
            })?;
        }
    }
    Ok(entries)
}

/// Which windows of a store can be read.
struct Visible {
    /// Buckets of entries; `None` where entries have none, and all can be read.
    buckets: Option<Vec<i64>>,
    /// The oldest start of a time window, the oldest end of a session.
    from: i64,
}

impl Visible {
    const ALL: Self = Self { buckets: None, from: i64::MIN };

    /// What the keys of entries of `key` begin with.
    fn prefixes(&self, key: &[u8]) -> Vec<Vec<u8>> {
        let Some(buckets) = &self.buckets else { return vec![key.to_vec()] };
        buckets.iter().map(|number| bucket_prefix(*number, key)).collect()
    }
}

/// The step that keeps rows, and the steps above it, lowest first.
struct Materialized<'a> {
    node: &'a PlanNode,
    above: Vec<&'a PlanNode>,
    store: String,
}

fn find(root: &PlanNode) -> Option<Materialized<'_>> {
    let mut above = Vec::new();
    let mut node = root;
    loop {
        match node {
            PlanNode::Filter { input, .. } | PlanNode::Project { input, .. } => {
                above.push(node);
                node = input;
            }
            PlanNode::Aggregate(_) | PlanNode::Materialize { .. } => {
                above.reverse();
                let kind = if matches!(node, PlanNode::Aggregate(_)) { stores::AGGREGATE } else { stores::RESULT };
                return Some(Materialized { node, above, store: last_store(root, kind) });
            }
            PlanNode::Source(source) if source.materialized => {
                above.reverse();
                return Some(Materialized { node, above, store: last_store(root, stores::SOURCE) });
            }
            _ => return None,
        }
    }
}

/// Name of the last store of the plan with the result `root`: stores are numbered inputs first.
fn last_store(root: &PlanNode, kind: &str) -> String {
    format!("{kind}-{}", stores::count(root))
}

/// The sources whose partitions the tasks of `node` have: a row that a foreign key refers to may be in any other.
fn partitioning_sources(node: &PlanNode) -> Vec<&Source> {
    match node {
        PlanNode::Source(source) => vec![source],
        PlanNode::ForeignKeyJoin(join) => partitioning_sources(&join.left),
        other => other.inputs().into_iter().flat_map(partitioning_sources).collect(),
    }
}

impl Materialized<'_> {
    /// Partitions of the store: as many as its task's topic has.
    fn partitions(&self, topics: &dyn Topics) -> Result<u32, RuntimeError> {
        let mut count = 1;
        for source in partitioning_sources(self.node) {
            if let Some(info) = topics.describe(&source.topic)? {
                count = count.max(info.config.partitions);
            }
        }
        Ok(count)
    }

    /// Which windows of `store` can be read, of those that `bounds` may mean.
    fn visible(&self, store: &Store, bounds: &WindowBounds) -> Result<Visible, RuntimeError> {
        let PlanNode::Aggregate(aggregate) = self.node else { return Ok(Visible::ALL) };
        let Some(window) = &aggregate.window else { return Ok(Visible::ALL) };
        let times = time_windows(aggregate);
        let mut buckets = Buckets::new(window.retention_ms, times.as_ref().map_or(1, |times| times.advance_ms));
        let Some(stream_time) = buckets.load(store)? else { return Ok(Visible::ALL) };
        // Time windows are in the buckets of their starts, sessions in those of their ends.
        let (least, greatest) = match &times {
            Some(times) => (
                bounds.start_min.max(bounds.end_min.saturating_sub(times.size_ms)),
                bounds.start_max.min(bounds.end_max.saturating_sub(times.size_ms)),
            ),
            None => (bounds.end_min.max(bounds.start_min), bounds.end_max),
        };
        let wanted = buckets.number(least)..=buckets.number(greatest);
        let oldest_start = times.map(|times| times.oldest_kept(stream_time, aggregate.is_final));
        let oldest_end = stream_time.saturating_sub(window.retention_ms).saturating_add(1);
        let numbers = buckets.numbers().filter(|number| wanted.contains(number)).collect();
        Ok(Visible { buckets: Some(numbers), from: oldest_start.unwrap_or(oldest_end) })
    }

    /// The windows of the keys of stored entries.
    fn windows(&self, entries: &[&Entry]) -> Result<Option<WindowColumns>, StateError> {
        let corrupt = || StateError::Corrupt("the key of a session has no bounds".to_owned());
        let bounds = |(key, _): &&Entry, kind| match kind {
            WindowKind::Time { size_ms } => {
                let start = window_start(key);
                Ok((start, start.saturating_add(size_ms)))
            }
            WindowKind::Session => split_session(key).map(|(_, start, end)| (start, end)).ok_or_else(corrupt),
        };
        let Some(kind) = self.node.window() else { return Ok(None) };
        let bounds: Vec<(i64, i64)> = entries.iter().map(|entry| bounds(entry, kind)).collect::<Result<_, _>>()?;
        let (start, end): (Vec<i64>, Vec<i64>) = bounds.into_iter().unzip();
        Ok(Some(WindowColumns { start: start.into(), end: end.into() }))
    }

    /// Stored entries as rows of the step that keeps them, those in windows that `bounds` cannot mean left out.
    fn decode(&self, entries: &[Entry], visible: &Visible, bounds: &WindowBounds) -> Result<ChangeBatch, StateError> {
        let entries = entries.iter().filter(|(key, _)| !is_meta(key));
        let is_session = self.node.window() == Some(WindowKind::Session);
        let decisive =
            |key: &[u8]| if is_session { split_session(key).map_or(0, |(.., end)| end) } else { window_start(key) };
        let is_bounded = visible.buckets.is_some() && !is_session && *bounds != WindowBounds::ALL;
        let is_meant = |key: &[u8]| !is_bounded || (bounds.start_min..=bounds.start_max).contains(&window_start(key));
        let entries = entries.filter(|(key, _)| visible.buckets.is_none() || decisive(key) >= visible.from);
        let entries: Vec<&Entry> = entries.filter(|(key, _)| is_meant(key)).collect();
        let mut rowtimes = Vec::with_capacity(entries.len());
        let mut rows = Vec::with_capacity(entries.len());
        for (_, value) in &entries {
            let (rowtime, row) = crate::operators::split_rowtime(value)?;
            rowtimes.push(rowtime);
            rows.push(row);
        }
        let schema = self.node.schema();
        let mut columns = match self.node {
            PlanNode::Aggregate(aggregate) => {
                let options = aggregate_options(aggregate, Emission::EveryRow, false)
                    .map_err(|error| StateError::Corrupt(error.to_string()))?;
                let row_columns = schema.key.len() + aggregate.carried;
                let mut types = [options.key_types.clone(), options.carried_types.clone()].concat();
                types.extend(options.calls.iter().flat_map(|call| call.accumulator.state_types()));
                let (mut columns, counts) = decode_rows_counted(&types, rows)?;
                let state = columns.split_off(row_columns);
                let counts: Vec<usize> = counts.into_iter().map(|count| count.saturating_sub(row_columns)).collect();
                let slots: Vec<u32> = (0..entries.len() as u32).collect();
                let mut calls = options.calls;
                calls.iter_mut().for_each(|call| call.accumulator.grow(slots.len()));
                load_state(&mut calls, &slots, state, &counts)?;
                columns.extend(calls.iter().map(|call| call.accumulator.results(&slots)));
                columns
            }
            _ => {
                let columns = schema.key.iter().chain(&schema.value);
                let types: Vec<_> = columns.map(|column| column.sql_type.arrow()).collect();
                decode_rows(&types, rows)?
            }
        };
        let window = self.windows(&entries)?;
        let value = columns.split_off(schema.key.len());
        let seq: ScalarBuffer<u32> = (0..entries.len() as u32).collect();
        Ok(ChangeBatch { key: columns, value, rowtime: rowtimes.into(), window, seq, ..ChangeBatch::empty() })
    }
}
