//! Functions that take the place of others: what calls them goes on with the new ones, functions as well as queries that run.
//!
//! A query keeps its plan and its state; only what computes the calls changes. That is refused where the new function does not take
//! the calls, and where results of the former one have to be taken back: an aggregate over a table subtracts old rows, and a foreign
//! key is found again, by computing them anew.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;

use crate::catalog::{Catalog, FunctionInfo, QueryId};
use crate::functions::{Argument, Function, FunctionKind, InlineScalar, Registry, Replacement, ScalarBody};
use crate::sql::Span;

use super::create_function::check_size;
use super::error::PlanError;
use super::settings::Settings;
use super::{Aggregate, AggregateCall, PlanNode, QueryPlan, SharedPlan};

/// Functions to add, and what follows from it.
#[derive(Debug, Clone)]
pub struct PlannedFunctions {
    /// The functions.
    pub functions: Vec<(Function, FunctionInfo)>,
    /// Whether they take the place of others.
    pub replaces: bool,
    /// Functions in SQL that call them, calling the new ones.
    pub callers: Vec<Function>,
    /// Queries that call them, directly or by way of others: their plans from now on.
    pub queries: Vec<(QueryId, SharedPlan)>,
}

/// Plans to put `new` in the place of functions that were known before, whoever calls them.
///
/// # Errors
/// What calls them cannot go on.
pub fn replace_functions(
    new: Vec<(Function, FunctionInfo)>,
    catalog: &Catalog,
    settings: &Settings,
) -> Result<PlannedFunctions, PlanError> {
    replacing(new, catalog, settings, Span::NONE)
}

/// Plans to add `new`; what takes the place of another is told at `span`.
pub(super) fn replacing(
    new: Vec<(Function, FunctionInfo)>,
    catalog: &Catalog,
    settings: &Settings,
    span: Span,
) -> Result<PlannedFunctions, PlanError> {
    let before: &Registry = catalog.functions();
    // Nothing is computed with what was not there.
    let was_usable = |(function, _): &(Function, FunctionInfo)| catalog.function_fault(&function.spelling).is_none();
    let computes_differently = !settings.topics.is_past() && new.iter().any(was_usable);
    let mut change = FunctionChange { before, after: before.clone(), names: BTreeSet::new(), computes_differently };
    for (function, _) in &new {
        change.add(function.clone());
    }
    let written = super::error::and_list(&change.names.iter().cloned().collect::<Vec<_>>());
    let refused = |who: String, reason: String| {
        let text = format!("Cannot replace function {written}: {who}: {reason}.");
        PlanError::refused_with_hint(
            text,
            "give the new one another name, or drop first what calls the former one",
            span,
        )
    };
    let replaces = !change.names.is_empty();
    let callers = change.callers(catalog, span, &|who, reason| refused(format!("function {who}"), reason))?;
    let mut queries = Vec::new();
    for id in change.queries(catalog) {
        let Some(plan) = settings.plans.plan(&id) else { continue };
        let replaced = change.plan(&plan).map_err(|reason| refused(format!("query {id}"), reason))?;
        queries.push((id, replaced.into()));
    }
    Ok(PlannedFunctions { functions: new, replaces, callers, queries })
}

/// Functions on the way to their new state.
struct FunctionChange<'a> {
    before: &'a Registry,
    after: Registry,
    /// Those that were there and are others now.
    names: BTreeSet<String>,
    /// Whether results may be others than before.
    computes_differently: bool,
}

impl FunctionChange<'_> {
    fn add(&mut self, function: Function) {
        let name = function.name();
        if self.before.get(&name).is_some() {
            self.names.insert(name);
        }
        self.after.add(function);
    }

    fn replacement(&self) -> Replacement<'_> {
        Replacement { before: self.before, after: &self.after, names: &self.names }
    }

    /// The functions in SQL that call those that change, directly or not, as they are from now on; called ones first.
    fn callers(
        &mut self,
        catalog: &Catalog,
        span: Span,
        refused: &dyn Fn(&str, String) -> PlanError,
    ) -> Result<Vec<Function>, PlanError> {
        let given = self.names.clone();
        let (mut waiting, mut rest) = (BTreeSet::new(), given.iter().cloned().collect::<Vec<_>>());
        while let Some(name) = rest.pop() {
            let found = catalog.functions_calling(&name).filter(|caller| !given.contains(*caller));
            rest.extend(found.filter(|caller| waiting.insert((*caller).to_owned())).map(str::to_owned));
        }
        let mut callers = Vec::new();
        while let Some(name) = self.next_of(&waiting, catalog) {
            waiting.remove(&name);
            let Some(function) = self.before.get(&name) else { continue };
            let mut function = function.clone();
            for variation in &mut function.variations {
                let Some(inline) = variation.scalar.as_ref().and_then(ScalarBody::as_inline) else { continue };
                let body = inline.replaced(&self.replacement()).map_err(|unfit| refused(&name, unfit.to_string()))?;
                let inline = body.as_inline();
                function.is_volatile = inline.is_some_and(InlineScalar::is_volatile);
                inline.map_or(Ok(()), |inline| check_size(&name, inline.size(), span))?;
                variation.scalar = Some(body);
            }
            self.add(function.clone());
            callers.push(function);
        }
        Ok(callers)
    }

    /// One of `waiting` that calls none of the others.
    fn next_of(&self, waiting: &BTreeSet<String>, catalog: &Catalog) -> Option<String> {
        let is_ready = |name: &&String| {
            let info = catalog.defined_function(name);
            info.is_none_or(|info| info.calls.iter().all(|called| !waiting.contains(called)))
        };
        waiting.iter().find(is_ready).cloned()
    }

    /// The queries that call functions that change.
    fn queries(&self, catalog: &Catalog) -> BTreeSet<QueryId> {
        self.names.iter().flat_map(|name| catalog.queries_calling(name)).map(|query| query.id.clone()).collect()
    }

    /// `plan` with the new functions.
    fn plan(&self, plan: &QueryPlan) -> Result<QueryPlan, String> {
        let mut plan = plan.clone();
        self.replace(&mut plan.root, None)?;
        Ok(plan)
    }

    /// Replaces the calls in `node` and all below. With `taken_back`, the results are computed again to be taken back, for that
    /// reason.
    fn replace(&self, node: &mut PlanNode, taken_back: Option<&'static str>) -> Result<(), String> {
        let replacement = self.replacement();
        let mut any = false;
        let is_foreign_key = matches!(node, PlanNode::ForeignKeyJoin(_));
        for expr in node.expressions_mut() {
            any |= expr.replace_calls(&replacement).map_err(|unfit| unfit.to_string())?;
        }
        let reason =
            if is_foreign_key { Some("it joins by a foreign key that is computed with it") } else { taken_back };
        if let (true, Some(reason)) = (any && self.computes_differently, reason) {
            return Err(format!("{reason}, so what the former one has computed could not be found again"));
        }
        if let PlanNode::FlatMap(flat_map) = node {
            for call in &mut flat_map.calls {
                call.rows_max = call.list.table_rows_max(&self.after).unwrap_or(call.rows_max);
            }
        }
        let mut below = taken_back;
        if let PlanNode::Aggregate(aggregate) = node {
            self.replace_aggregates(aggregate)?;
            if aggregate.undo {
                below = Some("it aggregates a table, from which rows are taken back");
            }
        }
        node.inputs_mut().into_iter().try_for_each(|input| self.replace(input, below))
    }

    fn replace_aggregates(&self, aggregate: &mut Aggregate) -> Result<(), String> {
        let replacement = self.replacement();
        if aggregate.calls.iter().all(|call| replacement.of(&call.function).is_none()) {
            return Ok(());
        }
        let columns = aggregate.input.schema().value;
        for call in &mut aggregate.calls {
            let Some(function) = replacement.of(&call.function) else { continue };
            let arguments: Vec<Argument> =
                call.arguments.iter().map(|index| Argument::Value(columns[*index].sql_type.clone())).collect();
            let variation = |function: &Function| variation_of(function, call, &arguments);
            let former = self.before.get(&call.function).and_then(|before| Some((before, variation(before)?)));
            let fits = former.zip(variation(function)).filter(|((before, former), index)| {
                function.variations[*index].is_called_as(&before.variations[*former])
            });
            let Some((_, index)) = fits else {
                let types: Vec<String> = arguments.iter().map(ToString::to_string).collect();
                return Err(format!("it calls {}({}), which gives {}", call.function, types.join(", "), call.result));
            };
            let types: Vec<DataType> = call.arguments.iter().map(|index| columns[*index].sql_type.arrow()).collect();
            let state = call.body.as_ref().map(|_| state_types(call, &types)).transpose()?;
            call.body.clone_from(&function.variations[index].aggregate);
            let new_state = call.body.as_ref().map(|_| state_types(call, &types)).transpose()?;
            if state.zip(new_state).is_some_and(|(before, after)| before != after) {
                return Err(format!("what {} keeps for each group has another form", call.function));
            }
        }
        Ok(())
    }
}

/// What `call` keeps for each group.
fn state_types(call: &AggregateCall, arguments: &[DataType]) -> Result<Vec<DataType>, String> {
    let accumulator = call.accumulator(arguments).map_err(|reason| format!("{}: {reason}", call.function))?;
    Ok(accumulator.state_types())
}

/// The variation of the aggregate `function` that `call` is of, whose arguments from rows are of the types `arguments`.
fn variation_of(function: &Function, call: &AggregateCall, arguments: &[Argument]) -> Option<usize> {
    if function.kind != FunctionKind::Aggregate {
        return None;
    }
    let count = arguments.len() + call.literals.len();
    let fits = |variation: &crate::functions::Variation| {
        let (mut columns, mut literals) = (arguments.iter(), call.literals.iter());
        let all = (0..count).map(|i| match variation.parameter(i, count)? {
            parameter if parameter.is_literal => literals.next().map(|literal| Argument::from(literal.sql_type())),
            _ => columns.next().cloned(),
        });
        let Some(all) = all.collect::<Option<Vec<_>>>() else { return false };
        let binding = variation.bind(&all, true);
        binding.and_then(|binding| binding.result(variation, &all)).is_some_and(|result| result == call.result)
    };
    function.variations.iter().position(fits)
}
