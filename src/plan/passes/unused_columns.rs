//! Value columns that no step above uses are neither carried nor decoded.
//!
//! From the last step, whose columns are all wanted, down to the sources: each step says which columns of the step below it uses, drops
//! what nobody uses of its own, and then refers to the others by where they stand now. Internal topics and the rows that joins keep
//! become narrower by it.
//!
//! A column whose expression may fail stays, since its failures are reported. So do the arguments of aggregates, whose order is
//! what a replaced query is compared by (`upgrade`), and the columns of kept rows, which decode to nulls where nobody wants them.

use super::super::formats::internal_value_serde;
use super::super::{Expr, FlatMap, PlanNode, Source};
use crate::types::Column;

pub(super) fn apply(root: &mut PlanNode, done: &mut Vec<String>) {
    let wanted = vec![true; root.value_width()];
    narrow(root, wanted, done);
}

/// Where the columns of a step stand after some value columns were dropped.
struct Moved {
    /// Width of the key, which stays.
    key: usize,
    /// For each former value column, its new index among them; what it is for one that was dropped is not looked at.
    value: Vec<usize>,
    /// How many are left.
    width: usize,
}

impl Moved {
    fn new(key: usize, kept: &[bool]) -> Self {
        let mut width = 0;
        let place = |kept: &bool| {
            let place = width;
            width += usize::from(*kept);
            place
        };
        let value = kept.iter().map(place).collect();
        Self { key, value, width }
    }

    /// The new index of the column at `index` of the row layout.
    fn index(&self, index: usize) -> usize {
        match index.checked_sub(self.key) {
            None => index,
            Some(value) => {
                self.key + self.value.get(value).copied().unwrap_or_else(|| value - self.value.len() + self.width)
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.width == self.value.len()
    }

    /// Makes `expr` refer to the columns where they stand now.
    fn update(&self, expr: &mut Expr) {
        if !self.is_idle() {
            *expr = expr.map_columns(&|index| self.index(index));
        }
    }

    /// Of two sides, the left one's key and then the values of both.
    fn beside(mut self, right: Self) -> Self {
        self.value.extend(right.value.into_iter().map(|index| index + self.width));
        self.width += right.width;
        self
    }
}

/// Drops the value columns of `node` that are not `wanted`, where that can be done.
fn narrow(node: &mut PlanNode, wanted: Vec<bool>, done: &mut Vec<String>) -> Moved {
    match node {
        PlanNode::Source(source) => narrow_source(source, &wanted, done),
        PlanNode::Filter { input, predicate } => {
            let mut wanted = wanted;
            want(input.key().len(), [&*predicate], &mut wanted);
            let moved = narrow(input, wanted, done);
            moved.update(predicate);
            moved
        }
        PlanNode::Project { input, key, columns } => {
            let own = keep_columns(key.len(), columns, &wanted, done);
            let below = narrow_below(input, columns.iter().map(|(_, expr)| expr), done);
            columns.iter_mut().for_each(|(_, expr)| below.update(expr));
            own
        }
        PlanNode::FlatMap(flat_map) => narrow_flat_map(flat_map, &wanted, done),
        PlanNode::Rekey { input, key, columns, .. } => {
            let own = keep_columns(key.len(), columns, &wanted, done);
            let below = narrow_below(input, key.iter().chain(&*columns).map(|(_, expr)| expr), done);
            key.iter_mut().chain(columns).for_each(|(_, expr)| below.update(expr));
            own
        }
        PlanNode::Repartition { input, value_serde, .. } => {
            let moved = narrow(input, wanted, done);
            if !moved.is_idle() {
                *value_serde = internal_value_serde(value_serde, &input.schema().value);
            }
            moved
        }
        PlanNode::Materialize { input } => narrow(input, wanted, done),
        PlanNode::Aggregate(aggregate) => {
            let all = vec![true; aggregate.input.value_width()];
            narrow(&mut aggregate.input, all, done);
            Moved::new(aggregate.input.key().len(), &vec![true; wanted.len()])
        }
        PlanNode::StreamTableJoin { left, right, .. } => narrow_sides(left, right, wanted, done),
        PlanNode::StreamStreamJoin(join) => narrow_sides(&mut join.left, &mut join.right, wanted, done),
        PlanNode::TableTableJoin(join) => narrow_sides(&mut join.left, &mut join.right, wanted, done),
        PlanNode::ForeignKeyJoin(join) => {
            let mut wanted = wanted;
            let of_right = wanted.split_off(join.left.value_width());
            want(join.left.key().len(), [&join.foreign_key], &mut wanted);
            let left = narrow(&mut join.left, wanted, done);
            left.update(&mut join.foreign_key);
            left.beside(narrow(&mut join.right, of_right, done))
        }
    }
}

/// Marks the value columns that `expressions` use, over rows with a key of `key` columns.
fn want<'e>(key: usize, expressions: impl IntoIterator<Item = &'e Expr>, wanted: &mut [bool]) {
    let mut used = std::collections::BTreeSet::new();
    expressions.into_iter().for_each(|expr| expr.columns(&mut used));
    for value in used.into_iter().filter_map(|index| index.checked_sub(key)) {
        if let Some(wanted) = wanted.get_mut(value) {
            *wanted = true;
        }
    }
}

/// Narrows `input` to what `expressions` use.
fn narrow_below<'e>(
    input: &mut PlanNode,
    expressions: impl IntoIterator<Item = &'e Expr>,
    done: &mut Vec<String>,
) -> Moved {
    let mut wanted = vec![false; input.value_width()];
    want(input.key().len(), expressions, &mut wanted);
    narrow(input, wanted, done)
}

fn narrow_sides(left: &mut PlanNode, right: &mut PlanNode, wanted: Vec<bool>, done: &mut Vec<String>) -> Moved {
    let mut of_left = wanted;
    let of_right = of_left.split_off(left.value_width());
    let left = narrow(left, of_left, done);
    left.beside(narrow(right, of_right, done))
}

/// Drops the columns that are not wanted and cannot fail.
fn keep_columns(key: usize, columns: &mut Vec<(Column, Expr)>, wanted: &[bool], done: &mut Vec<String>) -> Moved {
    let kept = columns.iter().zip(wanted).map(|((_, expr), wanted)| *wanted || !expr.cannot_fail());
    let kept: Vec<bool> = kept.collect();
    let moved = Moved::new(key, &kept);
    if !moved.is_idle() {
        let dropped = columns.iter().zip(&kept).filter(|(_, kept)| !**kept);
        let dropped: Vec<&str> = dropped.map(|((column, _), _)| column.name.as_str()).collect();
        done.push(format!("carried no further: {}", dropped.join(", ")));
        let mut kept = kept.into_iter();
        columns.retain(|_| kept.next().unwrap_or(true));
    }
    moved
}

/// Table functions stay, since they decide how many rows there are. What only their arguments use is not repeated in the rows.
fn narrow_flat_map(flat_map: &mut FlatMap, wanted: &[bool], done: &mut Vec<String>) -> Moved {
    let (key, width) = (flat_map.input.key().len(), flat_map.carried.len());
    let kept: Vec<bool> = wanted.iter().enumerate().map(|(index, wanted)| *wanted || index >= width).collect();
    let own = Moved::new(key, &kept);
    let mut used = vec![false; flat_map.input.value_width()];
    if !own.is_idle() {
        let columns = flat_map.schema().value;
        let dropped = columns.iter().zip(&kept).filter(|(_, kept)| !**kept);
        let dropped: Vec<&str> = dropped.map(|(column, _)| column.name.as_str()).collect();
        done.push(format!("carried no further: {}", dropped.join(", ")));
        let mut kept = kept.into_iter();
        flat_map.carried.retain(|_| kept.next().unwrap_or(true));
    }
    flat_map.carried.iter().for_each(|index| used[*index] = true);
    want(key, flat_map.calls.iter().map(|call| &call.list), &mut used);
    let below = narrow(&mut flat_map.input, used, done);
    flat_map.carried.iter_mut().for_each(|index| *index = below.value[*index]);
    flat_map.calls.iter_mut().for_each(|call| below.update(&mut call.list));
    own
}

/// Of a source, declared columns keep their place and are not decoded; pseudo columns go, unless rows are kept with them.
fn narrow_source(source: &mut Source, wanted: &[bool], done: &mut Vec<String>) -> Moved {
    let (declared, pseudo) = wanted.split_at(source.declared.value.len());
    source.needed.iter_mut().zip(declared).for_each(|(needed, wanted)| *needed &= *wanted);
    let mut kept = vec![true; wanted.len()];
    if !source.is_stored() {
        kept[declared.len()..].copy_from_slice(pseudo);
        let mut pseudo = pseudo.iter();
        source.pseudo_columns.retain(|_| pseudo.next().copied().unwrap_or(true));
    }
    let (needed, all) = (source.needed.iter().filter(|needed| **needed).count(), source.needed.len());
    if needed < all {
        done.push(format!("{} decodes {needed} of {all} value columns", source.name));
    }
    Moved::new(source.declared.key.len(), &kept)
}
