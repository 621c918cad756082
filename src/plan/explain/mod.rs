//! EXPLAIN: a plan as text, the result first, one line per step, what a step reads indented below it; then its topology, and what
//! the passes have done.

mod passes;
mod topology;

use std::fmt::Write;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use arrow::util::display::array_value_to_string;

use crate::catalog::{Catalog, QueryId};
use crate::formats::Serde;
use crate::types::{Column, Schema};

use super::expression::shown;
use super::planned::{Planned, PushPlan};
use super::pull::{PullLookup, PullPlan, WindowBounds};
use super::settings::{Settings, TopicLookup};
use super::{
    Aggregate, AggregateCall, Collection, Expr, FlatMap, JoinKind, NullKeys, PlanNode, QueryPlan, Sink, Source,
    StreamStreamJoin, StreamTableJoinKind, WindowShape, WindowSpec,
};

pub use topology::{FOREIGN_KEY_ANSWERS, FOREIGN_KEY_REFERENCES, StoreUse, SubTopology, TopicUse, stores, topology};

/// Columns of indentation per step.
const INDENT: usize = 2;

/// What EXPLAIN says of a statement; `None` if it runs no query.
pub(super) fn statement(planned: &Planned, catalog: &Catalog, settings: &Settings) -> Option<String> {
    let mut text = tree(planned)?;
    let (query, id) = match planned {
        Planned::CreateAs(create) => (&create.query, Some(&create.query_info.id)),
        Planned::InsertInto(insert) => (&insert.query, Some(&insert.query_info.id)),
        Planned::CreateSource(create) => (create.query.as_ref()?, create.source.created_by_query.as_ref()),
        Planned::Push(push) | Planned::PullStream(push) => (&push.query, None),
        Planned::Pull(pull) => return Some(text + &passes::text(&pull.changes, &[])),
        _ => return Some(text),
    };
    let service = settings.property("ksql.service.id").unwrap_or(SERVICE_ID_DEFAULT);
    let group = id.map(|id| query_group(service, id.as_str()));
    text.push_str(&topology_text(query, settings.topics, group.as_deref()));
    text.push_str(&passes::text(&query.changes, &passes::shared(&query.root, id, catalog, settings)));
    Some(text)
}

/// The steps of a statement's query, without its topology.
pub(super) fn tree(planned: &Planned) -> Option<String> {
    match planned {
        Planned::CreateAs(create) => Some(plan_tree(&create.query)),
        Planned::InsertInto(insert) => Some(plan_tree(&insert.query)),
        Planned::CreateSource(create) => create.query.as_ref().map(plan_tree),
        Planned::Push(push) => Some(explain_push(push, "until stopped")),
        Planned::PullStream(push) => Some(explain_push(push, "up to the present end of the topic")),
        Planned::Pull(pull) => Some(explain_pull(pull)),
        Planned::Read(read) => Some(super::read::explain(read)),
        _ => None,
    }
}

/// `plan` of the running query `id`, whose group is `group`: its steps as an indented tree, its topology, what the passes have done.
pub fn explain(plan: &QueryPlan, id: &QueryId, group: &str, catalog: &Catalog, settings: &Settings) -> String {
    let topology = topology_text(plan, settings.topics, Some(group));
    plan_tree(plan) + &topology + &passes::text(&plan.changes, &passes::shared(&plan.root, Some(id), catalog, settings))
}

/// Service that a server belongs to unless it is told.
const SERVICE_ID_DEFAULT: &str = "default_";

/// Consumer group of the query `id` of `service`: what the names of its internal topics begin with.
pub fn query_group(service: &str, id: &str) -> String {
    format!("_confluent-ksql-{service}query_{id}")
}

fn topology_text(plan: &QueryPlan, topics: &dyn TopicLookup, group: Option<&str>) -> String {
    let subs = topology(plan, topics);
    let is_internal = |sub: &SubTopology| sub.reads.iter().any(|topic| topic.is_internal);
    let has_internal = subs.iter().any(is_internal);
    let has_stores = subs.iter().any(|sub| !sub.keeps.is_empty());
    let mut notes = Vec::new();
    if let Some(group) = group {
        if has_internal {
            notes.push(format!("internal topics are called {group}-…"));
        }
        if has_stores {
            notes.push(format!("changelogs of stores {group}-…-changelog"));
        }
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    format!("\nTopology{notes}\n{}", topology::text(&subs, plan.sink.is_none() && group.is_none()))
}

/// `plan` as an indented tree.
pub(super) fn plan_tree(plan: &QueryPlan) -> String {
    let mut text = String::new();
    let depth = match &plan.sink {
        Some(sink) => {
            line(&mut text, 0, &sink_line(sink));
            1
        }
        None => 0,
    };
    steps(&mut text, depth, &plan.root);
    text
}

fn explain_push(push: &PushPlan, ends: &str) -> String {
    let columns: Vec<String> = push.columns.iter().map(|result| result.column.to_string()).collect();
    let limit = push.query.limit.map(|limit| format!(", at most {limit} rows")).unwrap_or_default();
    let mut text = String::new();
    line(&mut text, 0, &format!("Client: {} ({ends}{limit})", columns.join(", ")));
    steps(&mut text, 1, &push.query.root);
    text
}

/// A pull query as text: what is answered, and how the rows are found.
pub fn explain_pull(pull: &PullPlan) -> String {
    let mut text = String::new();
    let columns: Vec<String> = pull.columns.iter().map(|(column, _)| column.to_string()).collect();
    let limit = pull.limit.map(|limit| format!(" (at most {limit} rows)")).unwrap_or_default();
    line(&mut text, 0, &format!("Client: {}{limit}", columns.join(", ")));
    if pull.filter.is_some() {
        line(&mut text, 1, "Filter: the WHERE clause, on every row found");
    }
    line(&mut text, 2, &table_line(pull));
    text
}

/// Which rows of which table are looked at.
pub(super) fn table_line(pull: &PullPlan) -> String {
    let windows = if pull.window == WindowBounds::ALL { "" } else { ", windows within bounds only" };
    format!("Table {}, kept by {}: {}{windows}", pull.source, pull.query, lookup_text(&pull.lookup))
}

/// Which rows are looked at.
fn lookup_text(lookup: &PullLookup) -> String {
    match lookup {
        PullLookup::Keys(columns) => {
            let count = columns.first().map_or(0, |column| column.len());
            let shown: Vec<String> = (0..count.min(KEYS_SHOWN)).map(|row| key_text(columns, row)).collect();
            let others = if count > KEYS_SHOWN { ", …" } else { "" };
            format!("key look-up, {count} {}: {}{others}", if count == 1 { "key" } else { "keys" }, shown.join(", "))
        }
        PullLookup::Range { from, to } => {
            let bound = |word: &str, inclusive: &str, bound: &Option<(ArrayRef, bool)>| {
                bound.as_ref().map(|(value, is_inclusive)| {
                    let how = if *is_inclusive { inclusive } else { "" };
                    format!("{word} {}{how}", value_text(value, 0))
                })
            };
            let bounds: Vec<String> =
                [bound("after", " or at it", from), bound("before", " or at it", to)].into_iter().flatten().collect();
            format!("range of keys, {}, found by a table scan", bounds.join(" and "))
        }
        PullLookup::Scan => "table scan, every row is looked at".to_owned(),
    }
}

/// Keys that are written out.
const KEYS_SHOWN: usize = 5;

fn key_text(columns: &[ArrayRef], row: usize) -> String {
    let values: Vec<String> = columns.iter().map(|column| value_text(column, row)).collect();
    match values.as_slice() {
        [only] => only.clone(),
        several => format!("({})", several.join(", ")),
    }
}

fn value_text(column: &ArrayRef, row: usize) -> String {
    let text = array_value_to_string(column, row).unwrap_or_default();
    if *column.data_type() == DataType::Utf8 { format!("'{text}'") } else { text }
}

pub(super) fn line(text: &mut String, depth: usize, what: &str) {
    let indent = depth * INDENT;
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{:indent$}{what}", "");
}

pub(super) fn steps(text: &mut String, depth: usize, node: &PlanNode) {
    line(text, depth, &step_line(node));
    for input in node.inputs() {
        steps(text, depth + 1, input);
    }
}

fn step_line(node: &PlanNode) -> String {
    match node {
        PlanNode::Source(source) => source_line(source),
        PlanNode::Filter { input, predicate } => format!("Filter: {}", shown(predicate, &names(input))),
        PlanNode::Project { input, key, columns } => {
            let names = names(input);
            let key: Vec<&str> = key.iter().map(|column| column.name.as_str()).collect();
            let key = if key.is_empty() { String::new() } else { format!("key {}; ", key.join(", ")) };
            format!("Project: {key}{}", assignments(columns, &names))
        }
        PlanNode::Rekey { input, key, columns, null_keys, keeps_window } => {
            let names = names(input);
            let key = if key.is_empty() { "none".to_owned() } else { assignments(key, &names) };
            let nulls = match null_keys {
                NullKeys::Keep => "",
                NullKeys::DropAndReport => " (null keys are rejected)",
                NullKeys::Drop => " (null keys are dropped)",
            };
            let windows = if input.window().is_some() && !keeps_window { " without windows" } else { "" };
            format!("Rekey: key {key}{windows}{nulls}; {}", assignments(columns, &names))
        }
        PlanNode::FlatMap(flat_map) => flat_map_line(flat_map),
        PlanNode::Repartition { topic, key_serde, value_serde, .. } => {
            format!("Repartition: internal topic {topic} ({})", serdes(key_serde, value_serde))
        }
        PlanNode::Materialize { .. } => "Materialize: rows kept".to_owned(),
        PlanNode::Aggregate(aggregate) => aggregate_line(aggregate),
        PlanNode::StreamTableJoin { left, kind, .. } => {
            let kind = match kind {
                StreamTableJoinKind::Inner => "INNER",
                StreamTableJoinKind::Left => "LEFT",
            };
            format!("StreamTableJoin: {kind} on {}", key_names(left))
        }
        PlanNode::StreamStreamJoin(join) => {
            format!("StreamStreamJoin: {} on {}{}", join.kind.name(), join.key.name, join_window_text(join))
        }
        PlanNode::TableTableJoin(join) => format!("TableTableJoin: {} on {}", join.kind.name(), join.key.name),
        PlanNode::ForeignKeyJoin(join) => format!(
            "ForeignKeyJoin: {} on {} = {}",
            join.kind.name(),
            shown(&join.foreign_key, &names(&join.left)),
            key_names(&join.right)
        ),
    }
}

fn flat_map_line(flat_map: &FlatMap) -> String {
    let (value, names) = (flat_map.input.schema().value, names(&flat_map.input));
    let carried = flat_map.carried.iter().map(|index| value[*index].name.clone());
    let calls = flat_map.calls.iter().map(|call| format!("{} = {}", call.column.name, shown(&call.list, &names)));
    format!("FlatMap: {}", carried.chain(calls).collect::<Vec<_>>().join(", "))
}

fn key_names(node: &PlanNode) -> String {
    let key: Vec<String> = node.key().into_iter().map(|column| column.name).collect();
    key.join(", ")
}

fn join_window_text(join: &StreamStreamJoin) -> String {
    let window = &join.window;
    let (before, after) = (duration(window.before_ms), duration(window.after_ms));
    let within = if window.before_ms == window.after_ms { before } else { format!("{before} before, {after} after") };
    let unmatched =
        if window.is_eager && join.kind != JoinKind::Inner { ", rows without a partner at once" } else { "" };
    format!("; within {within}, grace {}{unmatched}", duration(window.grace_ms))
}

fn sink_line(sink: &Sink) -> String {
    let partitions =
        sink.partitions.map(|count| format!(", {}", topology::counted(count, "partition"))).unwrap_or_default();
    let time = if sink.timestamp.is_some() { ", own timestamps" } else { "" };
    format!(
        "Sink {}: topic {} ({}{partitions}{time})",
        sink.name,
        sink.topic,
        serdes(&sink.key_serde, &sink.value_serde)
    )
}

fn source_line(source: &Source) -> String {
    let kind = match source.collection {
        Collection::Stream => "stream",
        Collection::Table => "table",
    };
    let stored = if source.materialized { ", rows kept" } else { "" };
    let key = source.declared.key.iter().map(|column| format!("{} KEY", column.name));
    let needed = source.declared.value.iter().zip(&source.needed).filter(|(_, needed)| **needed);
    let value = needed.map(|(column, _)| column.name.clone());
    let pseudo = source.pseudo_columns.iter().map(|pseudo| pseudo.column().name);
    let columns: Vec<String> = key.chain(value).chain(pseudo).collect();
    format!(
        "Source {}: {kind}, topic {} ({}{stored}) [{}]",
        source.name,
        source.topic,
        serdes(&source.key_serde, &source.value_serde),
        columns.join(", ")
    )
}

fn aggregate_line(aggregate: &Aggregate) -> String {
    let input = aggregate.input.schema();
    let calls: Vec<String> = aggregate.calls.iter().map(|call| call_text(call, &input)).collect();
    let key: Vec<&str> = input.key.iter().map(|column| column.name.as_str()).collect();
    let window = aggregate.window.as_ref().map(window_text).unwrap_or_default();
    let undo = if aggregate.undo { ", old rows are taken back" } else { "" };
    let emit = if aggregate.is_final { ", one row when a window closes" } else { "" };
    format!("Aggregate by {}: {}{window}{emit}{undo}", key.join(", "), calls.join(", "))
}

fn call_text(call: &AggregateCall, input: &Schema) -> String {
    let columns = call.arguments.iter().map(|index| input.value[*index].name.clone());
    let arguments: Vec<String> = columns.chain(call.literals.iter().map(|literal| shown(literal, &[]))).collect();
    let arguments = if arguments.is_empty() { "*".to_owned() } else { arguments.join(", ") };
    format!("{} = {}({arguments})", call.name, call.function)
}

fn window_text(window: &WindowSpec) -> String {
    let kind = match window.shape {
        WindowShape::Time { size_ms, advance_ms } if size_ms == advance_ms => format!("TUMBLING {}", duration(size_ms)),
        WindowShape::Time { size_ms, advance_ms } => {
            format!("HOPPING {} by {}", duration(size_ms), duration(advance_ms))
        }
        WindowShape::Session { gap_ms } => format!("SESSION {}", duration(gap_ms)),
    };
    format!("; window {kind}, grace {}, retention {}", duration(window.grace_ms), duration(window.retention_ms))
}

/// Milliseconds in the largest unit that divides them.
fn duration(millis: i64) -> String {
    let units = [("DAYS", 86_400_000), ("HOURS", 3_600_000), ("MINUTES", 60_000), ("SECONDS", 1_000)];
    let fits = units.iter().find(|(_, unit)| millis != 0 && millis % unit == 0);
    fits.map_or_else(|| format!("{millis} MILLISECONDS"), |(name, unit)| format!("{} {name}", millis / unit))
}

fn serdes(key: &Serde, value: &Serde) -> String {
    format!("key {}, value {}", key.format.name(), value.format.name())
}

pub(super) fn assignments(columns: &[(Column, Expr)], names: &[String]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|(column, expr)| {
            let computed = shown(expr, names);
            if computed == column.name { computed } else { format!("{} = {computed}", column.name) }
        })
        .collect();
    if columns.is_empty() { "no values".to_owned() } else { columns.join(", ") }
}

/// Names of the columns that the expressions above `node` see.
pub(super) fn names(node: &PlanNode) -> Vec<String> {
    let schema = node.schema();
    let columns = schema.row_schema(node.window().is_some());
    columns.fields().iter().map(|field| field.name().clone()).collect()
}
