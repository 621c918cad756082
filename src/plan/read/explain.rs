//! A read as text: its steps as an indented tree, the last one first.

use super::super::explain::{assignments, line, steps, table_line};
use super::super::expression::shown;
use super::{ReadJoin, ReadNode, ReadPlan, SortKey, SubqueryAsks};

/// `plan` as an indented tree.
pub(in super::super) fn explain(plan: &ReadPlan) -> String {
    let columns: Vec<String> = plan.root.columns().iter().map(ToString::to_string).collect();
    let mut text = String::new();
    line(&mut text, 0, &format!("Client: {} (once)", columns.join(", ")));
    node_text(&mut text, 1, &plan.root);
    text
}

fn node_text(text: &mut String, depth: usize, node: &ReadNode) {
    line(text, depth, &node_line(node));
    if let ReadNode::Topic { plan, .. } = node {
        steps(text, depth + 1, &plan.query.root);
    }
    for input in node.inputs() {
        node_text(text, depth + 1, input);
    }
}

fn node_line(node: &ReadNode) -> String {
    match node {
        ReadNode::Table { plan, .. } => {
            format!("{}{}", table_line(plan), if plan.filter.is_some() { ", filtered" } else { "" })
        }
        ReadNode::Topic { plan, latest_by: None } => {
            format!("Stream {}: from its beginning to its end", plan.reads.join(", "))
        }
        ReadNode::Topic { plan, latest_by: Some(_) } => {
            format!(
                "Table {}: from the beginning of its topic to the end, the last record of each key",
                plan.reads.join(", ")
            )
        }
        ReadNode::Filter { input, predicate } => format!("Filter: {}", shown(predicate, &names(input))),
        ReadNode::Project { input, columns } => format!("Project: {}", assignments(columns, &names(input))),
        ReadNode::Aggregate { input, keys, calls } => {
            let names = names(input);
            let group = if *keys == 0 { "everything".to_owned() } else { names[..*keys].join(", ") };
            let calls: Vec<String> = calls
                .iter()
                .map(|call| {
                    let arguments: Vec<&str> = call.arguments.iter().map(|&i| names[keys + i].as_str()).collect();
                    format!("{}({})", call.function, arguments.join(", "))
                })
                .collect();
            let what = if calls.is_empty() { String::new() } else { format!(": {}", calls.join(", ")) };
            format!("Aggregate: by {group}{what}")
        }
        ReadNode::Distinct { .. } => "Distinct".to_owned(),
        ReadNode::Join(join) => join_line(join),
        ReadNode::Subquery { input, asks, .. } => match asks {
            SubqueryAsks::Value => "Subquery: its value".to_owned(),
            SubqueryAsks::Exists => "Subquery: whether it has rows".to_owned(),
            SubqueryAsks::Contains(value, _) => format!("Subquery: whether it has {}", shown(value, &names(input))),
        },
        ReadNode::Sort { input, keys, fetch } => {
            let names = names(input);
            let keys: Vec<String> = keys.iter().map(|key| sort_text(key, &names)).collect();
            let fetch = fetch.map(|fetch| format!(", the first {fetch}")).unwrap_or_default();
            format!("Sort: {}{fetch}", keys.join(", "))
        }
        ReadNode::Limit { offset, limit, .. } => {
            let limit = limit.map_or_else(|| "all rows".to_owned(), |limit| format!("at most {limit} rows"));
            let offset = if *offset == 0 { String::new() } else { format!(" after the first {offset}") };
            format!("Limit: {limit}{offset}")
        }
        ReadNode::Union { .. } => "Union".to_owned(),
    }
}

fn join_line(join: &ReadJoin) -> String {
    let (left, right) = (names(&join.left), names(&join.right));
    let kind = match (join.keeps_left, join.keeps_right) {
        (false, false) => "INNER",
        (true, false) => "LEFT",
        (false, true) => "RIGHT",
        (true, true) => "FULL",
    };
    let keys = join.keys.iter().map(|(l, r)| format!("{} = {}", shown(l, &left), shown(r, &right)));
    let both = [left.clone(), right.clone()].concat();
    let conditions: Vec<String> = keys.chain(join.condition.as_ref().map(|other| shown(other, &both))).collect();
    let how = if join.keys.is_empty() { ", every pair is looked at" } else { "" };
    format!("Join: {kind} on {}{how}", conditions.join(" AND "))
}

fn sort_text(key: &SortKey, names: &[String]) -> String {
    let direction = if key.descending { " DESC" } else { "" };
    let nulls = match (key.nulls_first, key.descending) {
        (true, false) => " NULLS FIRST",
        (false, true) => " NULLS LAST",
        _ => "",
    };
    format!("{}{direction}{nulls}", names[key.column])
}

fn names(node: &ReadNode) -> Vec<String> {
    node.columns().into_iter().map(|column| column.name).collect()
}
