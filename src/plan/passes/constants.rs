//! Constant expressions become literals, and conditions that are always true vanish.
//!
//! What is folded, and what is not so that failures are reported as before, is decided by [`Expr::folded`]. A filter that passes
//! everything stays where it drops null values (semantics 3.1), and over tables that may have tombstones of rows that never were
//! (semantics 3.2).

use super::super::explain::names;
use super::super::{Collection, Expr, NullKeys, PlanNode, WindowShape};
use crate::expr::Folding;

pub(super) fn apply(node: &mut PlanNode, done: &mut Vec<String>) {
    node.inputs_mut().into_iter().for_each(|input| apply(input, done));
    fold_step(node, done);
    if passes_everything(node) {
        done.push("the condition that is always true is gone".to_owned());
        super::replace(node, super::without_filter);
    }
}

fn fold_step(node: &mut PlanNode, done: &mut Vec<String>) {
    let mut foldings = Vec::new();
    node.expressions_mut().into_iter().for_each(|expr| fold_one(expr, &mut foldings));
    if let (false, Some(input)) = (foldings.is_empty(), node.inputs().first()) {
        done.extend(shown(&foldings, &names(input)));
    }
}

/// Folds `expressions`; what was folded, with the columns' `names`.
pub(super) fn fold<'e>(
    expressions: impl IntoIterator<Item = &'e mut Expr>,
    names: &dyn Fn() -> Vec<String>,
) -> Vec<String> {
    let mut foldings = Vec::new();
    expressions.into_iter().for_each(|expr| fold_one(expr, &mut foldings));
    if foldings.is_empty() { Vec::new() } else { shown(&foldings, &names()) }
}

fn fold_one(expr: &mut Expr, foldings: &mut Vec<Folding>) {
    if let Some((folded, parts)) = expr.folded() {
        *expr = folded;
        foldings.extend(parts);
    }
}

fn shown(foldings: &[Folding], names: &[String]) -> Vec<String> {
    foldings.iter().map(|(was, is)| format!("{} → {}", was.display(names), is.display(names))).collect()
}

/// Whether the step is a filter that drops nothing at all.
fn passes_everything(node: &PlanNode) -> bool {
    match node {
        PlanNode::Filter { input, predicate } => predicate.as_boolean() == Some(true) && !gives_null_values(input),
        _ => false,
    }
}

/// Whether rows of the step may have null values: those of streams, or tombstones.
fn gives_null_values(node: &PlanNode) -> bool {
    match node {
        PlanNode::FlatMap(_) | PlanNode::StreamTableJoin { .. } | PlanNode::StreamStreamJoin(_) => false,
        PlanNode::Rekey { null_keys: NullKeys::DropAndReport, input, .. } => input.collection() == Collection::Table,
        PlanNode::Filter { input, .. } => input.collection() == Collection::Table,
        PlanNode::Project { input, .. }
        | PlanNode::Rekey { input, .. }
        | PlanNode::Repartition { input, .. }
        | PlanNode::Materialize { input } => gives_null_values(input),
        // Sessions that were merged are taken back; nothing else is (semantics 4.1, 4.2, 4.4).
        PlanNode::Aggregate(aggregate) => {
            matches!(&aggregate.window, Some(window) if matches!(window.shape, WindowShape::Session { .. }))
        }
        PlanNode::Source(_) | PlanNode::TableTableJoin(_) | PlanNode::ForeignKeyJoin(_) => true,
    }
}
