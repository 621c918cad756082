//! CREATE OR REPLACE of a query that runs: whether the new one can go on with positions and state of the former.
//!
//! Both plans are walked from their sources up. Filters and projections decide nothing about state: they may come, go and
//! change. All other steps must be the same, in the same order, each with what its state or topic is laid out by:
//!
//! | step | must stay |
//! |---|---|
//! | source | topic, formats, event time; columns of kept rows, to which some may be appended |
//! | PARTITION BY, GROUP BY | the key |
//! | aggregate over a stream, without windows | arguments and functions, to which some may be appended |
//! | anything else | is refused, as in ksqlDB |

use std::fmt::Display;

use crate::expr::Expr;
use crate::types::Column;

use super::{Aggregate, AggregateCall, Collection, NullKeys, PlanNode, QueryPlan, Source};

/// Why a query cannot replace another; ksqlDB's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotUpgradeable(String);

type Checked = Result<(), NotUpgradeable>;

/// Makes `new` a plan that goes on where `old` has stopped.
pub(super) fn upgrade(old: &QueryPlan, new: &mut QueryPlan) -> Checked {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    steps(&old.root, &mut before);
    steps(&new.root, &mut after);
    before.iter().chain(&after).try_for_each(|step| check_supported(step))?;
    let names = |steps: &[&PlanNode]| steps.iter().map(|step| name(step)).collect::<Vec<_>>();
    if names(&before) != names(&after) {
        return Err(NotUpgradeable(format!(
            "Query is not upgradeable: its steps were {} and would be {}",
            names(&before).join(", "),
            names(&after).join(", ")
        )));
    }
    before.iter().zip(&after).try_for_each(|(old, new)| check_step(old, new))?;
    if let Some((old, new)) = lowest_source(&old.root).zip(lowest_source_mut(&mut new.root)) {
        let needs_more = new.needed.iter().enumerate().any(|(i, needed)| *needed && old.needed.get(i) != Some(&true));
        new.old_rows_known = old.old_rows_known && !needs_more;
    }
    Ok(())
}

/// The steps that must stay, sources first.
fn steps<'a>(node: &'a PlanNode, found: &mut Vec<&'a PlanNode>) {
    node.inputs().into_iter().for_each(|input| steps(input, found));
    if !matches!(node, PlanNode::Filter { .. } | PlanNode::Project { .. }) {
        found.push(node);
    }
}

/// ksqlDB's name of a step.
fn name(node: &PlanNode) -> &'static str {
    let is_table = |node: &PlanNode| node.collection() == Collection::Table;
    match node {
        PlanNode::Source(source) => source_name(source),
        PlanNode::Rekey { input, null_keys: NullKeys::DropAndReport, .. } if is_table(input) => "TableGroupBy",
        PlanNode::Rekey { null_keys: NullKeys::DropAndReport, .. } => "StreamGroupBy",
        PlanNode::Rekey { input, .. } if is_table(input) => "TableSelectKey",
        PlanNode::Rekey { .. } => "StreamSelectKey",
        PlanNode::FlatMap(_) => "StreamFlatMap",
        PlanNode::Aggregate(Aggregate { window: Some(_), .. }) => "StreamWindowedAggregate",
        PlanNode::Aggregate(Aggregate { undo: true, .. }) => "TableAggregate",
        PlanNode::Aggregate(_) => "StreamAggregate",
        PlanNode::StreamTableJoin { .. } => "StreamTableJoin",
        PlanNode::StreamStreamJoin(_) => "StreamStreamJoin",
        PlanNode::TableTableJoin(_) => "TableTableJoin",
        PlanNode::ForeignKeyJoin(_) => "ForeignKeyTableTableJoin",
        PlanNode::Repartition { .. } => "Repartition",
        PlanNode::Materialize { .. } => "TableSelect",
        PlanNode::Filter { .. } | PlanNode::Project { .. } => "Select",
    }
}

fn source_name(source: &Source) -> &'static str {
    match (source.collection, source.window.is_some()) {
        (Collection::Stream, false) => "StreamSource",
        (Collection::Stream, true) => "WindowedStreamSource",
        (Collection::Table, false) => "TableSource",
        (Collection::Table, true) => "WindowedTableSource",
    }
}

fn check_supported(node: &PlanNode) -> Checked {
    let known = matches!(
        name(node),
        "StreamSource"
            | "WindowedStreamSource"
            | "TableSource"
            | "StreamGroupBy"
            | "StreamSelectKey"
            | "StreamAggregate"
            | "Repartition"
    );
    if known { Ok(()) } else { Err(NotUpgradeable(format!("Upgrades not yet supported for {}", name(node)))) }
}

fn check_step(old: &PlanNode, new: &PlanNode) -> Checked {
    match (old, new) {
        (PlanNode::Source(old), PlanNode::Source(new)) => check_source(old, new),
        (PlanNode::Rekey { input: below, key: before, .. }, PlanNode::Rekey { input: new_below, key: after, .. })
            if before != after =>
        {
            differ(name(old), "key expressions", &key_text(below, before), &key_text(new_below, after))
        }
        (PlanNode::Aggregate(old), PlanNode::Aggregate(new)) => check_aggregate(old, new),
        (
            PlanNode::Repartition { key_serde: old_key, value_serde: old_value, .. },
            PlanNode::Repartition { key_serde: new_key, value_serde: new_value, .. },
        ) if (old_key, old_value) != (new_key, new_value) => {
            let shown = |key: &crate::formats::Serde, value: &crate::formats::Serde| {
                format!("[{}, {}]", key.format.name(), value.format.name())
            };
            differ("StreamGroupBy", "internal formats", &shown(old_key, old_value), &shown(new_key, new_value))
        }
        _ => Ok(()),
    }
}

fn key_text(input: &PlanNode, key: &[(Column, Expr)]) -> String {
    let rows = input.schema().row_schema(input.window().is_some());
    let names: Vec<String> = rows.fields().iter().map(|field| field.name().clone()).collect();
    listed(&key.iter().map(|(_, expr)| expr.display(&names).to_string()).collect::<Vec<_>>())
}

fn check_source(old: &Source, new: &Source) -> Checked {
    let step = source_name(old);
    let formats =
        |source: &Source| format!("[{}, {}]", source.key_serde.format.name(), source.value_serde.format.name());
    let timestamp = |source: &Source| {
        source.timestamp.as_ref().map(|timestamp| {
            let column = source.declared.key.iter().chain(&source.declared.value).nth(timestamp.column);
            (column.cloned(), timestamp.format.clone())
        })
    };
    if old.topic != new.topic {
        return differ(step, "topicName", &old.topic, &new.topic);
    }
    if (&old.key_serde, &old.value_serde) != (&new.key_serde, &new.value_serde) {
        return differ(step, "formats", &formats(old), &formats(new));
    }
    if timestamp(old) != timestamp(new) {
        let shown = |source| timestamp(source).and_then(|(column, _)| column).map(|column| column.name);
        let shown = |source| shown(source).unwrap_or_else(|| "ROWTIME".to_owned());
        return differ(step, "timestampColumn", &shown(old), &shown(new));
    }
    if old.window != new.window {
        return differ(step, "windowInfo", &window_text(old), &window_text(new));
    }
    let (before, after) = (old.schema(), new.schema());
    let keeps_rows = old.materialized || new.materialized;
    let fits = before.key == after.key && (!keeps_rows || after.value.starts_with(&before.value));
    if !fits || old.materialized != new.materialized {
        return differ(step, "columns of its rows", &before.display(true), &after.display(true));
    }
    Ok(())
}

fn window_text(source: &Source) -> String {
    source.window.map_or_else(|| "none".to_owned(), |window| format!("{window:?}"))
}

fn check_aggregate(old: &Aggregate, new: &Aggregate) -> Checked {
    let step = "StreamAggregate";
    let (before, after) = (old.input.schema(), new.input.schema());
    let names =
        |columns: &[Column]| listed(&columns.iter().map(|column| format!("`{}`", column.name)).collect::<Vec<_>>());
    if before.key != after.key {
        return differ(step, "key columns", &names(&before.key), &names(&after.key));
    }
    if old.carried != new.carried || !after.value.starts_with(&before.value) {
        return differ(step, "columns not part of aggregate", &names(&before.value), &names(&after.value));
    }
    let calls = |aggregate: &Aggregate, columns: &[Column]| {
        let text = |call: &AggregateCall| {
            let columns = call.arguments.iter().map(|index| columns[*index].name.clone());
            let literals = call.literals.iter().map(|literal| literal.display(&[]).to_string());
            format!("{}({})", call.function, columns.chain(literals).collect::<Vec<_>>().join(", "))
        };
        aggregate.calls.iter().map(text).collect::<Vec<_>>()
    };
    let (before, after) = (calls(old, &before.value), calls(new, &after.value));
    if !after.starts_with(&before) {
        return differ(step, "aggregation functions", &listed(&before), &listed(&after));
    }
    Ok(())
}

fn listed(items: &[String]) -> String {
    format!("[{}]", items.join(", "))
}

fn differ(step: &str, what: &str, old: &dyn Display, new: &dyn Display) -> Checked {
    Err(NotUpgradeable(format!("{step} must have matching {what}. Values differ: {old} vs. {new}")))
}

/// The one source of a plan without joins.
fn lowest_source(node: &PlanNode) -> Option<&Source> {
    match node {
        PlanNode::Source(source) => Some(source),
        other => other.inputs().first().and_then(|input| lowest_source(input)),
    }
}

fn lowest_source_mut(node: &mut PlanNode) -> Option<&mut Source> {
    match node {
        PlanNode::Source(source) => Some(source),
        PlanNode::Filter { input, .. }
        | PlanNode::Project { input, .. }
        | PlanNode::Rekey { input, .. }
        | PlanNode::Repartition { input, .. }
        | PlanNode::Materialize { input } => lowest_source_mut(input),
        PlanNode::FlatMap(flat_map) => lowest_source_mut(&mut flat_map.input),
        PlanNode::Aggregate(aggregate) => lowest_source_mut(&mut aggregate.input),
        PlanNode::StreamTableJoin { .. }
        | PlanNode::StreamStreamJoin(_)
        | PlanNode::TableTableJoin(_)
        | PlanNode::ForeignKeyJoin(_) => None,
    }
}
