//! One SELECT of a read: WHERE, GROUP BY, HAVING, its results, and their order.

use std::collections::BTreeSet;

use crate::expr::Expr;
use crate::functions::FunctionKind;
use crate::sql::ast::{Expression, Query, SortItem};
use crate::types::Column;

use super::super::aggregate::{self, Aggregation};
use super::super::error::PlanError;
use super::super::expression::Typer;
use super::super::function_uses;
use super::super::pull::conjuncts;
use super::super::relation::Layout;
use super::super::rewrite::rewrite;
use super::super::scope::{Clause, Scope, columns_of};
use super::super::select::{self, Item, Purpose, SelectContext};
use super::source::both;
use super::{Names, Planner, ReadNode, cut, ordinal, projected, sort, sort_key};

/// Steps and where the columns of the query stand in their rows.
pub(super) struct Rows {
    pub(super) node: ReadNode,
    pub(super) layout: Layout,
}

/// What rows are sorted by: indices of columns, and expressions that become further columns.
enum SortTarget {
    Column(usize),
    Expression(Expression),
}

impl Planner<'_> {
    /// The rows of `query`; ordered by the items, of which as many as are wanted are said beside them.
    pub(super) fn select(
        &self,
        query: &Query,
        distinct: bool,
        (order_by, fetch): (&[SortItem], Option<u64>),
        names: &Names,
    ) -> Result<ReadNode, PlanError> {
        check_clauses(query)?;
        function_uses::called(query.expressions(), self.catalog, self.settings)?;
        let (scope, derived) = self.sources(&query.from, names)?;
        let typer = Typer::new(self.catalog, self.settings, &scope);
        let context = SelectContext {
            scope: &scope,
            typer: &typer,
            purpose: Purpose::Transient,
            beside: &[],
            partition_by: None,
            join_key: None,
        };
        let mut items = select::items(&query.select, &context)?;
        check_names(&items)?;
        let results = items.len();
        let mut targets = Vec::new();
        for item in order_by {
            targets.push(match sort_target(item, &items[..results], &scope)? {
                SortTarget::Column(index) => index,
                SortTarget::Expression(expression) => {
                    let span = item.expression.span();
                    if distinct {
                        let text =
                            format!("SELECT DISTINCT is ordered by its results: {} is none", item.expression.plain());
                        return Err(PlanError::refused(text, span));
                    }
                    items.push(Item { expression, name: format!("ORDER_{}", items.len()), span });
                    items.len() - 1
                }
            });
        }
        for item in &items {
            check_no_table_functions(&item.expression, self)?;
        }
        let predicate = query.where_clause.as_ref();
        let predicate = predicate.map(|predicate| scope.resolve(predicate, Clause::Where)).transpose()?;
        if let Some(predicate) = &predicate {
            aggregate::check_where(predicate, typer.functions())?;
        }
        let joins = query.from.joins.iter().map(|join| scope.resolve(&join.on, Clause::JoinOn));
        let joins: Vec<Expression> = joins.collect::<Result<_, _>>()?;
        let aggregation = aggregate::resolve_read(query, &items, &scope, &typer)?;
        let used = used_columns(&items, predicate.as_ref(), &joins, aggregation.as_ref());

        let conditions = predicate.iter().flat_map(conjuncts).cloned().collect();
        let (rows, conditions) = self.joined(query, (&scope, derived), &used, &joins, conditions, &typer)?;
        let rows = self.filtered(rows, conditions.into_iter().reduce(both), Clause::Where, (&typer, names))?;
        let rows = match &aggregation {
            Some(aggregation) => self.aggregated(rows, aggregation, (&typer, names))?,
            None => rows,
        };
        let expressions: Vec<&Expression> = items.iter().map(|item| &item.expression).collect();
        let rows = self.with_subqueries(rows, &expressions, (&typer, names))?;
        let mut columns = Vec::new();
        for item in &items {
            let (expr, sql_type) = typer.typed_with_type(&item.expression, &rows.layout, Clause::Select)?;
            columns.push((Column::new(item.name.clone(), sql_type), expr));
        }
        ordered(rows.node, columns, results, distinct, (order_by, &targets, fetch))
    }

    /// `rows` for which `predicate` is true.
    fn filtered(
        &self,
        rows: Rows,
        predicate: Option<Expression>,
        clause: Clause,
        (typer, names): (&Typer, &Names),
    ) -> Result<Rows, PlanError> {
        let Some(predicate) = predicate else { return Ok(rows) };
        let rows = self.with_subqueries(rows, &[&predicate], (typer, names))?;
        let predicate = typer.predicate(&predicate, &rows.layout, clause)?;
        Ok(Rows { node: ReadNode::Filter { input: Box::new(rows.node), predicate }, ..rows })
    }

    /// A row for each group of `rows`.
    fn aggregated(
        &self,
        rows: Rows,
        aggregation: &Aggregation,
        (typer, names): (&Typer, &Names),
    ) -> Result<Rows, PlanError> {
        let inputs: Vec<&Expression> = aggregation.inputs().collect();
        let rows = self.with_subqueries(rows, &inputs, (typer, names))?;
        let planned = aggregate::plan_read(aggregation, &rows.layout, typer)?;
        let input = Box::new(ReadNode::Project { input: Box::new(rows.node), columns: planned.inputs });
        let node = ReadNode::Aggregate { input, keys: planned.keys, calls: planned.calls };
        let rows = Rows { node, layout: planned.layout };
        self.filtered(rows, aggregation.having().cloned(), Clause::Having, (typer, names))
    }
}

/// The first `results` of `columns` over `node`, in order.
fn ordered(
    node: ReadNode,
    columns: Vec<(Column, Expr)>,
    results: usize,
    distinct: bool,
    (order_by, targets, fetch): (&[SortItem], &[usize], Option<u64>),
) -> Result<ReadNode, PlanError> {
    let keys = order_by.iter().zip(targets).map(|(item, &index)| sort_key(item, index, &columns[index].0));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let mut node = projected(node, columns);
    if distinct {
        node = ReadNode::Distinct { input: Box::new(node) };
    }
    if !keys.is_empty() {
        node = sort(node, keys, fetch);
    }
    Ok(cut(node, results))
}

/// What `item` of ORDER BY means: a result by its number or name, or an expression over the sources.
fn sort_target(item: &SortItem, items: &[Item], scope: &Scope) -> Result<SortTarget, PlanError> {
    if let Some(index) = ordinal(&item.expression, items.len())? {
        return Ok(SortTarget::Column(index));
    }
    if let Expression::Column { source: None, name, .. } = &item.expression
        && let Some(index) = items.iter().position(|result| result.name == name.as_str())
    {
        return Ok(SortTarget::Column(index));
    }
    let resolved = rewrite(&item.expression, &mut |part| {
        let Expression::Column { source, name, .. } = part else { return Ok(None) };
        match (scope.resolve(part, Clause::OrderBy), source) {
            (Err(error), None) => {
                let result = items.iter().find(|result| result.name == name.as_str());
                result.map(|result| Some(result.expression.clone())).ok_or(error)
            }
            (resolved, _) => resolved.map(Some),
        }
    })?;
    let same = items.iter().position(|result| result.expression == resolved);
    Ok(same.map_or(SortTarget::Expression(resolved), SortTarget::Column))
}

fn check_clauses(query: &Query) -> Result<(), PlanError> {
    if let Some(window) = &query.window {
        let hint = "GROUP BY an expression of ROWTIME, or read a table that has windows";
        let text = "A SELECT without EMIT has no WINDOW clause.";
        return Err(PlanError::refused_with_hint(text, hint, window.span));
    }
    if let Some(grouping) = &query.partition_by {
        let text = "A SELECT without EMIT has no PARTITION BY clause: its rows go to no partition.";
        return Err(PlanError::refused(text, grouping.span));
    }
    Ok(())
}

/// Every result has its own name.
fn check_names(items: &[Item]) -> Result<(), PlanError> {
    for (i, item) in items.iter().enumerate() {
        if items[..i].iter().any(|other| other.name == item.name) {
            let text = format!("Two results are called {}", item.name);
            return Err(PlanError::refused_with_hint(text, "give one of them another name: … AS name", item.span));
        }
    }
    Ok(())
}

/// Internal names of all columns that the query refers to.
fn used_columns(
    items: &[Item],
    predicate: Option<&Expression>,
    joins: &[Expression],
    aggregation: Option<&Aggregation>,
) -> BTreeSet<String> {
    let inputs = aggregation.into_iter().flat_map(Aggregation::inputs);
    let having = aggregation.and_then(Aggregation::having);
    let expressions = items.iter().map(|item| &item.expression).chain(predicate).chain(joins).chain(inputs);
    columns_of(expressions.chain(having)).into_iter().map(str::to_owned).collect()
}

/// Refuses functions that make several rows of one.
fn check_no_table_functions(expression: &Expression, planner: &Planner) -> Result<(), PlanError> {
    let functions = planner.catalog.functions();
    match function_uses::calls_of(expression, FunctionKind::Table, functions).next() {
        Some(call) => {
            let text =
                format!("{} makes several rows of one, which this query cannot", call.name.as_str().to_uppercase());
            let hint =
                "a SELECT of one stream with nothing but WHERE and LIMIT can, and so can CREATE STREAM … AS SELECT";
            Err(PlanError::refused_with_hint(text, hint, call.span))
        }
        None => Ok(()),
    }
}
