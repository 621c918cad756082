//! FROM of a read: scans of the sources, joined from left to right.

use std::collections::BTreeSet;

use crate::expr::Expr;
use crate::sql::ast::{Expression, Join, JoinKind, Query};

use super::super::error::PlanError;
use super::super::expression::Typer;
use super::super::relation::Layout;
use super::super::scope::{Clause, Scope};
use super::node::ReadJoin;
use super::select::Rows;
use super::source::{decided_by, scan};
use super::{Planner, ReadNode};

impl Planner<'_> {
    /// The joined rows of the sources, those of `derived` being queries; and those of `conditions` that are still to be met.
    pub(super) fn joined(
        &self,
        query: &Query,
        (scope, derived): (&Scope, Vec<Option<ReadNode>>),
        used: &BTreeSet<String>,
        on: &[Expression],
        conditions: Vec<Expression>,
        typer: &Typer,
    ) -> Result<(Rows, Vec<Expression>), PlanError> {
        let joins = &query.from.joins;
        let is_read_whole: Vec<bool> = derived.iter().map(Option::is_some).collect();
        let mut early: Vec<Vec<Expression>> = vec![Vec::new(); derived.len()];
        let mut late = Vec::new();
        for condition in conditions {
            match decided_by(&condition, scope).filter(|&source| !is_read_whole[source]) {
                Some(source) if !is_nullable(joins, source) && self.filters_early(scope, source) => {
                    early[source].push(condition);
                }
                _ => late.push(condition),
            }
        }
        let mut sources = Vec::new();
        for (index, node) in derived.into_iter().enumerate() {
            sources.push(match node {
                Some(node) => {
                    Rows { node, layout: Layout::of(scope.columns.iter().filter(|found| found.source == index)) }
                }
                None => {
                    let conditions = std::mem::take(&mut early[index]);
                    let (node, layout) = scan(scope, index, used, conditions, self.catalog, self.settings)?;
                    Rows { node, layout }
                }
            });
        }
        let mut sources = sources.into_iter();
        let mut rows = sources.next().expect("FROM names a source");
        for ((right, join), on) in sources.zip(joins).zip(on) {
            rows = pairs(rows, right, join, on, typer)?;
        }
        Ok((rows, late))
    }

    /// Whether rows of the source may be left out before it is known which is the last of its key.
    fn filters_early(&self, scope: &Scope, source: usize) -> bool {
        let data = &scope.sources[source].data;
        !data.is_table() || super::source::is_kept(data, self.catalog)
    }
}

/// Whether rows of the source at `index` may be missing in joined rows.
fn is_nullable(joins: &[Join], index: usize) -> bool {
    joins.iter().enumerate().any(|(i, join)| match join.kind {
        JoinKind::Inner => false,
        JoinKind::Left => index == i + 1,
        JoinKind::Right => index <= i,
        JoinKind::Outer => index <= i + 1,
    })
}

/// Rows of `left` with those of `right`.
fn pairs(left: Rows, right: Rows, join: &Join, on: &Expression, typer: &Typer) -> Result<Rows, PlanError> {
    if let Some(within) = &join.within {
        let text = "A SELECT without EMIT joins all rows: there is no WITHIN.";
        let hint = "compare the times in ON: … AND b.ROWTIME BETWEEN a.ROWTIME - 1000 AND a.ROWTIME + 1000";
        return Err(PlanError::refused_with_hint(text, hint, within.span));
    }
    let width = left.node.columns().len();
    let mut layout = left.layout;
    layout.append(right.layout, width);
    let predicate = typer.predicate(on, &layout, Clause::JoinOn)?;
    let (mut keys, mut others) = (Vec::new(), Vec::new());
    for condition in predicate.into_conjuncts() {
        match equal_sides(&condition, width) {
            Some(key) => keys.push(key),
            None => others.push(condition),
        }
    }
    let join = ReadJoin {
        left: left.node,
        right: right.node,
        keeps_left: matches!(join.kind, JoinKind::Left | JoinKind::Outer),
        keeps_right: matches!(join.kind, JoinKind::Right | JoinKind::Outer),
        keys,
        condition: Expr::all_of(others),
    };
    Ok(Rows { node: ReadNode::Join(Box::new(join)), layout })
}

/// The sides of `condition` over left rows, which have `width` columns, and over right rows; `None` if it is no equality of both.
fn equal_sides(condition: &Expr, width: usize) -> Option<(Expr, Expr)> {
    let (a, b) = condition.as_equality()?;
    let side = |expr: &Expr| {
        let mut used = BTreeSet::new();
        expr.columns(&mut used);
        let is_left = used.last().is_some_and(|&last| last < width);
        let is_right = used.first().is_some_and(|&first| first >= width);
        (is_left, is_right)
    };
    let over_right = |expr: &Expr| expr.map_columns(&|index| index - width);
    match (side(a), side(b)) {
        ((true, _), (_, true)) => Some((a.clone(), over_right(b))),
        ((_, true), (true, _)) => Some((b.clone(), over_right(a))),
        _ => None,
    }
}
