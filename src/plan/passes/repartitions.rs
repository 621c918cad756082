//! A stream that has gone through a topic of the query by its new key needs no second one to be grouped by that key.
//!
//! ```text
//! Aggregate                                   Aggregate
//!   Repartition by x                            Rekey x
//!     Rekey x                          ─▶         StreamTableJoin on x
//!       StreamTableJoin on x                        Repartition by x
//!         Repartition by x                            …
//!           …
//! ```
//!
//! Analysis sees this where GROUP BY says what the join said, as ksqlDB does (semantics 1.4): then there is no topic to be left out. Here
//! it is seen where GROUP BY says it otherwise, so that the new key is computed but is the same.
//!
//! Nothing changes by it: who wrote the first topic chose partitions by the same bytes of the key, both topics have as many
//! partitions, a partition of the second is written by one task only and so has the order of its input, and the aggregate has no other
//! input that it would be merged with. That last point is why sides of joins keep their topics: without one, rows would meet those of
//! the other side in another order. A source's own key does not count either: who else writes to its topic may choose other partitions
//! than the query would, and a windowed aggregate would then drop other rows as late. The new key is still computed, since it
//! decides what becomes of nulls.
//!
//! Tables are grouped by way of a topic always (semantics 1.4).

use super::super::{Collection, Expr, FlatMap, NullKeys, PlanNode, StreamStreamJoin};
use crate::formats::Serde;
use crate::types::Column;

pub(super) fn apply(node: &mut PlanNode, done: &mut Vec<String>) {
    match node {
        PlanNode::Aggregate(aggregate) if aggregate.input.collection() == Collection::Stream => {
            if let Some(key) = same_key(&aggregate.input) {
                done.push(format!("rows are keyed by {key} already, for the aggregation"));
                super::replace(&mut aggregate.input, |node| match node {
                    PlanNode::Repartition { input, .. } => *input,
                    other => other,
                });
            } else if !is_repartitioned(&aggregate.input) {
                done.push(format!("rows are keyed by {} already, for the aggregation", key_of(&aggregate.input)));
            }
        }
        PlanNode::StreamTableJoin { left, right, .. } if !is_repartitioned(left) => {
            done.push(format!("rows are keyed by {} already, for the join with {}", key_of(left), first_source(right)));
        }
        PlanNode::StreamStreamJoin(StreamStreamJoin { left, right, .. }) => {
            for (side, other) in [(&*left, &*right), (&*right, &*left)] {
                if !is_repartitioned(side) {
                    let (key, other) = (key_of(side), first_source(other));
                    done.push(format!("rows are keyed by {key} already, for the join with {other}"));
                }
            }
        }
        _ => {}
    }
    node.inputs_mut().into_iter().for_each(|input| apply(input, done));
}

fn key_of(node: &PlanNode) -> String {
    let names: Vec<String> = node.key().into_iter().map(|column| column.name).collect();
    names.join(", ")
}

fn first_source(node: &PlanNode) -> &str {
    match node {
        PlanNode::Source(source) => &source.name,
        other => other.inputs().first().map_or("", |input| first_source(input)),
    }
}

/// Whether the rows come to the step above by way of a topic.
fn is_repartitioned(node: &PlanNode) -> bool {
    match node {
        PlanNode::Repartition { .. } => true,
        PlanNode::Filter { input, .. } => is_repartitioned(input),
        _ => false,
    }
}

/// The key of the rows that `node` sends through a topic by the key by which they have already come.
fn same_key(node: &PlanNode) -> Option<String> {
    let PlanNode::Repartition { input, key_serde, .. } = node else { return None };
    let PlanNode::Rekey { input: below, key, null_keys: NullKeys::DropAndReport, .. } = &**input else { return None };
    let is_same = is_the_key(key) && below.key().len() == 1 && below.window().is_none();
    (is_same && distributed_by(below) == Some(key_serde)).then(|| key_of(below))
}

/// Whether the new key is the only column of the old one.
fn is_the_key(key: &[(Column, Expr)]) -> bool {
    matches!(key, [(_, expr)] if expr.as_column() == Some(0))
}

/// The layout of the key by which a topic of the query has distributed the rows of `node`.
fn distributed_by(node: &PlanNode) -> Option<&Serde> {
    match node {
        PlanNode::Repartition { key_serde, .. } => Some(key_serde),
        PlanNode::Filter { input, .. } | PlanNode::Project { input, .. } | PlanNode::FlatMap(FlatMap { input, .. }) => {
            distributed_by(input)
        }
        PlanNode::StreamTableJoin { left, .. } => distributed_by(left),
        PlanNode::StreamStreamJoin(join) => {
            distributed_by(&join.left).filter(|serde| distributed_by(&join.right) == Some(*serde))
        }
        PlanNode::Source(_)
        | PlanNode::Rekey { .. }
        | PlanNode::Materialize { .. }
        | PlanNode::Aggregate(_)
        | PlanNode::TableTableJoin(_)
        | PlanNode::ForeignKeyJoin(_) => None,
    }
}
