//! Conditions on the stream alone are checked before the stream is joined with tables, and before it goes through a topic for that.
//!
//! A stream row that fails the condition comes out neither way: the join keeps nothing of it, and reads the table as it is (semantics
//! 5.3). Null values are dropped silently by the filter and by the join, and a row with a null key passes or fails as it did.
//!
//! What moves cannot fail: a condition that fails makes a dead letter, and it would make one of rows without a partner too. Nor does
//! anything move past a condition that stands before it and may fail, or past a key that may: those would no longer be reported for
//! the rows that are dropped earlier. For the same reason LIKE stays; it fails for NULL.
//!
//! Before the internal topic of a re-keyed stream, fewer rows are written. The order of those that are left is the same. When they meet
//! the table is not fixed by their times: the topic is filled while the table is read, in ksqlDB too.
//!
//! Nothing moves below other joins, nor to their table sides:
//!
//! - **stream-stream**: a row that is dropped earlier no longer moves the join's stream time, which decides what is late and when rows
//!   without a partner come out (semantics 5.2).
//! - **table-table, foreign-key**: a row that no longer passes has to take back what was joined with it. Above the join the filter sees
//!   the old joined row; below it, tombstones would come out of the join for rows that never were joined (semantics 3.2, 5.4).
//! - **table side of a stream**: in LEFT joins rows would come out with nulls instead of being dropped.

use std::collections::BTreeSet;

use super::super::explain::names;
use super::super::{Collection, Expr, NullKeys, PlanNode};
use crate::types::Column;

/// A condition on its way down.
struct Moving {
    /// Over the rows of the step that it has come to.
    condition: Expr,
    /// As it was written, and the names of what it has passed.
    shown: String,
    passed: Vec<String>,
}

pub(super) fn apply(node: &mut PlanNode, done: &mut Vec<String>) {
    if let PlanNode::Filter { input, predicate } = node
        && matches!(**input, PlanNode::StreamTableJoin { .. })
    {
        let (moving, staying) = divided(predicate.clone(), input);
        if !moving.is_empty() {
            sink(input, moving, done);
            match Expr::all_of(staying) {
                Some(staying) => *predicate = staying,
                None => super::replace(node, super::without_filter),
            }
        }
    }
    node.inputs_mut().into_iter().for_each(|input| apply(input, done));
}

/// The conditions of `predicate` that move below the join, and the others.
fn divided(predicate: Expr, join: &PlanNode) -> (Vec<Moving>, Vec<Expr>) {
    let conditions = predicate.into_conjuncts();
    let connected = conditions.len() > 1;
    let (mut moving, mut staying, mut may_fail) = (Vec::new(), Vec::new(), false);
    let left = LeftColumns::of(join);
    for condition in conditions {
        // AND fails for NULL.
        may_fail |= !condition.cannot_fail() || (connected && !condition.is_never_null());
        if may_fail || !left.is_some_and(|left| left.have_all(&condition)) {
            staying.push(condition);
        } else {
            moving.push(condition);
        }
    }
    if moving.is_empty() {
        return (Vec::new(), staying);
    }
    let names = names(join);
    let moving = moving.into_iter().map(|condition| {
        let shown = condition.display(&names).to_string();
        Moving { condition, shown, passed: Vec::new() }
    });
    (moving.collect(), staying)
}

/// Where the columns of the left side stand in the rows of a join: before those of the right side, and after them its times.
#[derive(Clone, Copy)]
struct LeftColumns {
    end: usize,
    right: usize,
}

impl LeftColumns {
    fn of(join: &PlanNode) -> Option<Self> {
        match join {
            PlanNode::StreamTableJoin { left, right, .. } => {
                Some(Self { end: left.key().len() + left.value_width(), right: right.value_width() })
            }
            _ => None,
        }
    }

    fn have_all(self, condition: &Expr) -> bool {
        columns_of(condition).into_iter().all(|index| index < self.end || index >= self.end + self.right)
    }

    /// The index in the rows of the left side.
    fn index(self, index: usize) -> usize {
        if index < self.end { index } else { index - self.right }
    }
}

fn columns_of(condition: &Expr) -> BTreeSet<usize> {
    let mut used = BTreeSet::new();
    condition.columns(&mut used);
    used
}

/// Puts the conditions as far below `node` as they can be.
fn sink(node: &mut PlanNode, moving: Vec<Moving>, done: &mut Vec<String>) {
    if moving.is_empty() {
        return;
    }
    let here = below(node, moving, done);
    settle(node, here, done);
}

/// As [`sink`]; gives back the conditions that belong right over `node`.
fn below(node: &mut PlanNode, mut moving: Vec<Moving>, done: &mut Vec<String>) -> Vec<Moving> {
    let left_columns = LeftColumns::of(node);
    match (node, left_columns) {
        (PlanNode::StreamTableJoin { left, right, .. }, Some(columns)) => {
            let (mut below, here): (Vec<Moving>, Vec<Moving>) =
                moving.into_iter().partition(|moving| columns.have_all(&moving.condition));
            for moving in &mut below {
                moving.condition = moving.condition.map_columns(&|index| columns.index(index));
                let table = right.sources().first().map_or_else(String::new, |source| source.name.clone());
                moving.passed.push(format!("the join with {table}"));
            }
            sink(left, below, done);
            here
        }
        (PlanNode::Repartition { input, topic, .. }, _) if input.collection() == Collection::Stream => {
            moving.iter_mut().for_each(|moving| moving.passed.push(format!("the topic {topic}")));
            sink(input, moving, done);
            Vec::new()
        }
        (PlanNode::Project { input, columns, .. }, _) if input.collection() == Collection::Stream => {
            let (below, here) = Computed { key: None, columns, input }.divide(moving);
            sink(input, below, done);
            here
        }
        (PlanNode::Rekey { input, key, columns, null_keys: NullKeys::Keep | NullKeys::Drop, .. }, _)
            if input.collection() == Collection::Stream =>
        {
            let (below, here) = Computed { key: Some(key), columns, input }.divide(moving);
            sink(input, below, done);
            here
        }
        _ => moving,
    }
}

/// What a projection or a new key computes.
struct Computed<'a> {
    /// `None`: the key is that of the input.
    key: Option<&'a [(Column, Expr)]>,
    columns: &'a [(Column, Expr)],
    input: &'a PlanNode,
}

impl Computed<'_> {
    /// The conditions that can be checked before, over the rows there, and the others.
    fn divide(&self, moving: Vec<Moving>) -> (Vec<Moving>, Vec<Moving>) {
        let expressions = self.key.into_iter().flatten().chain(self.columns);
        if !expressions.into_iter().all(|(_, expr)| expr.cannot_fail()) {
            return (Vec::new(), moving);
        }
        let (input_key, input_value) = (self.input.key().len(), self.input.value_width());
        let key = self.key.map_or(input_key, <[_]>::len);
        let end = key + self.columns.len();
        let before = |index: usize| match (index.checked_sub(key), self.key) {
            (None, None) => Some(index),
            (None, Some(key)) => key[index].1.as_column(),
            (Some(value), _) if index < end => self.columns[value].1.as_column(),
            _ => Some(index - end + input_key + input_value),
        };
        let (mut below, here): (Vec<Moving>, Vec<Moving>) = moving
            .into_iter()
            .partition(|moving| columns_of(&moving.condition).into_iter().all(|index| before(index).is_some()));
        for moving in &mut below {
            moving.condition = moving.condition.map_columns(&|index| before(index).unwrap_or(index));
        }
        (below, here)
    }
}

/// Puts a filter with the conditions that have come to their place over `node`.
fn settle(node: &mut PlanNode, moving: Vec<Moving>, done: &mut Vec<String>) {
    let conditions = moving.into_iter().map(|moving| {
        done.push(format!("{} is checked before {}", moving.shown, moving.passed.join(" and ")));
        moving.condition
    });
    if let Some(predicate) = Expr::all_of(conditions.collect()) {
        super::replace(node, |node| PlanNode::Filter { input: Box::new(node), predicate });
    }
}
