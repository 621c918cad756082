//! EXPLAIN: a plan as text, the result first, one line per step, what a step reads indented below it.

use std::fmt::Write;

use crate::formats::Serde;
use crate::types::{Column, Schema};

use super::expression::shown;
use super::planned::{Planned, PushPlan};
use super::pull::{PullLookup, PullPlan, WindowBounds};
use super::{
    Aggregate, AggregateCall, Collection, Expr, NullKeys, PlanNode, QueryPlan, Sink, Source, StreamTableJoinKind,
    WindowSpec,
};

/// Columns of indentation per step.
const INDENT: usize = 2;

/// What EXPLAIN says of a statement; `None` if it runs no query.
pub(super) fn planned(planned: &Planned) -> Option<String> {
    match planned {
        Planned::CreateAs(create) => Some(explain(&create.query)),
        Planned::InsertInto(insert) => Some(explain(&insert.query)),
        Planned::CreateSource(create) => create.query.as_ref().map(explain),
        Planned::Push(push) => Some(explain_push(push, "until stopped")),
        Planned::PullStream(push) => Some(explain_push(push, "up to the present end of the topic")),
        Planned::Pull(pull) => Some(explain_pull(pull)),
        _ => None,
    }
}

/// `plan` as an indented tree.
pub fn explain(plan: &QueryPlan) -> String {
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
    let how = match &pull.lookup {
        PullLookup::Keys(columns) => {
            let keys = columns.first().map_or(0, |column| column.len());
            format!("look up {keys} {}", if keys == 1 { "key" } else { "keys" })
        }
        PullLookup::Range { .. } => "scan a range of keys".to_owned(),
        PullLookup::Scan => "scan all keys".to_owned(),
    };
    let windows = if pull.window == WindowBounds::ALL { "" } else { ", windows within bounds only" };
    line(&mut text, 2, &format!("Table {}, kept by {}: {how}{windows}", pull.source, pull.query));
    text
}

fn line(text: &mut String, depth: usize, what: &str) {
    let indent = depth * INDENT;
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{:indent$}{what}", "");
}

fn steps(text: &mut String, depth: usize, node: &PlanNode) {
    line(text, depth, &step_line(node));
    for input in node.inputs() {
        steps(text, depth + 1, input);
    }
}

fn step_line(node: &PlanNode) -> String {
    match node {
        PlanNode::Source(source) => source_line(source),
        PlanNode::Filter { input, predicate } => format!("Filter: {}", shown(predicate, &names(input))),
        PlanNode::Project { input, key_names, columns } => {
            let names = names(input);
            let key = if key_names.is_empty() { String::new() } else { format!("key {}; ", key_names.join(", ")) };
            format!("Project: {key}{}", assignments(columns, &names))
        }
        PlanNode::Rekey { input, key, columns, null_keys } => {
            let names = names(input);
            let key = if key.is_empty() { "none".to_owned() } else { assignments(key, &names) };
            let nulls = match null_keys {
                NullKeys::Keep => "",
                NullKeys::DropAndReport => " (null keys are rejected)",
                NullKeys::Drop => " (null keys are dropped)",
            };
            format!("Rekey: key {key}{nulls}; {}", assignments(columns, &names))
        }
        PlanNode::Repartition { topic, key_serde, value_serde, .. } => {
            format!("Repartition: internal topic {topic} ({})", serdes(key_serde, value_serde))
        }
        PlanNode::Aggregate(aggregate) => aggregate_line(aggregate),
        PlanNode::StreamTableJoin { left, kind, .. } => {
            let kind = match kind {
                StreamTableJoinKind::Inner => "INNER",
                StreamTableJoinKind::Left => "LEFT",
            };
            let key: Vec<String> = left.schema().key.into_iter().map(|column| column.name).collect();
            format!("StreamTableJoin: {kind} on {}", key.join(", "))
        }
    }
}

fn sink_line(sink: &Sink) -> String {
    let partitions = sink.partitions.map(|count| format!(", {count} partitions")).unwrap_or_default();
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
    format!("Aggregate by {}: {}{window}{undo}", key.join(", "), calls.join(", "))
}

fn call_text(call: &AggregateCall, input: &Schema) -> String {
    let argument = call.argument.map_or("*", |index| input.value[index].name.as_str());
    format!("{} = {}({argument})", call.name, call.function.name())
}

fn window_text(window: &WindowSpec) -> String {
    let kind = if window.size_ms == window.advance_ms {
        format!("TUMBLING {}", duration(window.size_ms))
    } else {
        format!("HOPPING {} by {}", duration(window.size_ms), duration(window.advance_ms))
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

fn assignments(columns: &[(Column, Expr)], names: &[String]) -> String {
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
fn names(node: &PlanNode) -> Vec<String> {
    let schema = node.schema();
    let columns = schema.row_schema(node.window().is_some());
    columns.fields().iter().map(|field| field.name().clone()).collect()
}
