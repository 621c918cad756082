//! Reading the table that a persistent query keeps, as of its last commit: what pull queries see.
//!
//! The store's rows go through the rest of the plan (HAVING, projection) at the moment of reading. Semantics 10.1.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::buffer::ScalarBuffer;

use super::RuntimeError;
use super::lower::{aggregate_options, rows_of, time_windows};
use crate::expr::CompiledExpr;
use crate::operators::aggregate::{Emission, load_state};
use crate::operators::{Filter, Operator, Output, Project};
use crate::plan::{PlanNode, QueryPlan, Source, stores};
use crate::state::key_encoding::{EncodedKeys, split_session, window_start};
use crate::state::row_format::{decode_rows, decode_rows_counted};
use crate::state::{Buckets, StateError, Store, StoreId, bucket_prefix, is_meta};
use crate::storage::Entry;
use crate::topics::Topics;
use crate::types::{ChangeBatch, WindowColumns, WindowKind};

/// The rows of the table that `query` with `plan` keeps, in layout and order of the plan's result: all of them, or those
/// with one of `keys` (one row of key columns each), with the values that its topic has. `None` if the query keeps no table. `is_here` says whether this server has
/// the rows of a store and partition.
pub fn read(
    plan: &QueryPlan,
    query: &Arc<str>,
    topics: &dyn Topics,
    keys: Option<&[ArrayRef]>,
    is_here: &dyn Fn(&str, u32) -> bool,
) -> Result<Option<Vec<ChangeBatch>>, RuntimeError> {
    let Some(materialized) = find(&plan.root) else { return Ok(None) };
    let partitions = materialized.partitions(topics)?;
    if let Some(partition) = (0..partitions).find(|&partition| !is_here(&materialized.store, partition)) {
        let reason = format!("this server has not all rows of {query}: partition {partition} runs on another one");
        return Err(RuntimeError::Failed(reason));
    }
    let mut batches = Vec::new();
    for partition in 0..partitions {
        let id = StoreId { query: Arc::clone(query), name: materialized.store.clone(), partition };
        let store = Store::new(topics.storage(), &id);
        let visible = materialized.visible(&store)?;
        let mut read = |entries: &[Entry]| -> Result<(), StateError> {
            batches.push(materialized.decode(entries, &visible)?);
            Ok(())
        };
        match keys {
            Some(keys) => read(&materialized.look_up(&store, &visible, keys)?)?,
            None => store.scan(read)?,
        }
    }
    let mut result = Vec::new();
    for batch in batches {
        result.extend(materialized.apply(batch)?);
    }
    if let Some(sink) = &plan.sink {
        let columns = plan.root.schema().value;
        for batch in &mut result {
            let (values, rows) = (std::mem::take(&mut batch.value), batch.rowtime.len());
            let read_back = sink.value_serde.read_back(&columns, values, rows);
            batch.value = read_back.map_err(|error| RuntimeError::Failed(error.to_string()))?;
        }
    }
    Ok(Some(result))
}

/// Whether a query with `plan` keeps a table that can be read.
pub fn is_materialized(plan: &QueryPlan) -> bool {
    find(&plan.root).is_some()
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

    /// Which windows of `store` can be read.
    fn visible(&self, store: &Store) -> Result<Visible, RuntimeError> {
        let PlanNode::Aggregate(aggregate) = self.node else { return Ok(Visible::ALL) };
        let Some(window) = &aggregate.window else { return Ok(Visible::ALL) };
        let mut buckets = Buckets::new(window.retention_ms, 1);
        let Some(stream_time) = buckets.load(store)? else { return Ok(Visible::ALL) };
        let oldest_start = time_windows(aggregate).map(|windows| windows.oldest_kept(stream_time, aggregate.is_final));
        let oldest_end = stream_time.saturating_sub(window.retention_ms).saturating_add(1);
        Ok(Visible { buckets: Some(buckets.numbers().collect()), from: oldest_start.unwrap_or(oldest_end) })
    }

    fn look_up(&self, store: &Store, visible: &Visible, keys: &[ArrayRef]) -> Result<Vec<Entry>, StateError> {
        let rows = keys.first().map_or(0, |column| column.len());
        let mut encoded = EncodedKeys::default();
        encoded.encode(keys, None, rows);
        let mut entries = Vec::new();
        let mut seen = HashSet::with_capacity(rows);
        for key in (0..rows).map(|row| encoded.key(row)).filter(|key| seen.insert(*key)) {
            if self.node.window().is_none() {
                entries.extend(store.get(key)?.map(|value| (key.to_vec(), value)));
                continue;
            }
            for prefix in visible.prefixes(key) {
                store.scan_prefix(&prefix, |found| {
                    entries.extend_from_slice(found);
                    Ok(())
                })?;
            }
        }
        Ok(entries)
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

    /// Stored entries as rows of the step that keeps them.
    fn decode(&self, entries: &[Entry], visible: &Visible) -> Result<ChangeBatch, StateError> {
        let entries = entries.iter().filter(|(key, _)| !is_meta(key));
        let is_session = self.node.window() == Some(WindowKind::Session);
        let decisive =
            |key: &[u8]| if is_session { split_session(key).map_or(0, |(.., end)| end) } else { window_start(key) };
        let entries: Vec<&Entry> =
            entries.filter(|(key, _)| visible.buckets.is_none() || decisive(key) >= visible.from).collect();
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

    /// Takes rows through the steps above.
    fn apply(&self, batch: ChangeBatch) -> Result<Vec<ChangeBatch>, StateError> {
        let mut batches = vec![batch];
        for node in &self.above {
            let mut operator: Box<dyn Operator> = match node {
                PlanNode::Filter { input, predicate } => {
                    let rows = rows_of(input);
                    Box::new(Filter::new(CompiledExpr::new(predicate, &rows), rows))
                }
                PlanNode::Project { input, columns, .. } => {
                    let rows = rows_of(input);
                    let columns = columns.iter().map(|(_, expr)| CompiledExpr::new(expr, &rows)).collect();
                    Box::new(Project::new(columns, rows))
                }
                _ => unreachable!("only filters and projections stand above a materialised step"),
            };
            let mut out = Output::default();
            for batch in batches {
                operator.process(0, batch, &mut out)?;
            }
            batches = out.batches;
        }
        Ok(batches)
    }
}
