//! Functions that users make, and queries that go on with others.

use std::sync::Arc;

use levada_udf::{Batch, Scalar};

use super::*;
use crate::catalog::{FunctionDefinition, FunctionInfo};
use crate::functions::{AggregateBody, Function, FunctionKind, Registry, ScalarBody, TableBody};

/// A function of a library, with a body of its own. Table functions are given so many rows at once; aggregates with any keep other
/// state than those with none.
fn of_library(name: &str, kind: FunctionKind, signature: &str, rows_max: usize) -> (Function, FunctionInfo) {
    let mut registry = Registry::default();
    let body = |name: &str| registry.get(name).and_then(|function| function.variations[0].aggregate.clone());
    let aggregate = body(if rows_max == 0 { "COUNT" } else { "COUNT_DISTINCT" }).expect("it is built in");
    let function = registry.define(name, kind, &[signature]);
    function.origin = Some("f.so".into());
    let first = |batch: &mut Batch<'_>| batch.arguments()[0].expanded(batch.rows());
    let first = ScalarBody::from(Arc::new(first) as Arc<dyn Scalar>);
    let variation = &mut function.variations[0];
    match kind {
        FunctionKind::Scalar => variation.scalar = Some(first),
        FunctionKind::Aggregate => {
            let body = move |call: &levada_udf::AggregateCall<'_>| aggregate.accumulator(call);
            variation.aggregate = Some(AggregateBody::from(Arc::new(body) as Arc<dyn levada_udf::Aggregate>));
        }
        FunctionKind::Table => variation.table = Some(TableBody { lists: first, rows_max }),
    }
    let definition = FunctionDefinition::Library { path: "f.so".to_owned(), fault: None };
    let info = FunctionInfo { name: name.to_owned(), definition, calls: vec![], sql: String::new() };
    (function.clone(), info)
}

/// A world with functions of a library, and a query that calls them.
fn world(functions: &[(Function, FunctionInfo)], query: &str) -> World {
    let mut world = World::after(SETUP);
    for (function, info) in functions {
        world.catalog.add_function(function.clone(), info.clone());
    }
    world.execute(&parse_statements(query).expect(query)[0]).expect(query);
    world
}

/// The plan of the only query when `new` takes the place of what it calls, or why it does not.
fn replaced(world: &World, new: &(Function, FunctionInfo)) -> Result<SharedPlan, String> {
    let settings = Settings {
        properties: &world.properties,
        topics: world,
        plans: &world.plans,
        libraries: &NoLibraries,
        query_number: 9,
    };
    let mut planned =
        replace_functions(vec![new.clone()], &world.catalog, &settings).map_err(|error| error.to_string())?;
    Ok(planned.queries.pop().expect("a query calls it").1)
}

/// The step that `found` finds first, from the last one down.
fn step<'p, T>(node: &'p PlanNode, found: &dyn Fn(&'p PlanNode) -> Option<T>) -> Option<T> {
    found(node).or_else(|| node.inputs().into_iter().find_map(|input| step(input, found)))
}

#[test]
fn an_aggregate_goes_on_with_another_body_of_the_same_signature() {
    let aggregate = |signature| of_library("MIX", FunctionKind::Aggregate, signature, 0);
    let signature = "(value INT, LITERAL k INT) -> BIGINT";
    let query = "CREATE TABLE X AS SELECT ID, MIX(V, 3) AS M, COUNT(*) AS C FROM S GROUP BY ID;";
    let world = world(&[aggregate(signature)], query);
    let new = aggregate(signature);
    let plan = replaced(&world, &new).expect("it fits");
    let call = step(&plan.root, &|node| match node {
        PlanNode::Aggregate(aggregate) => aggregate.calls.iter().find(|call| call.function == "MIX").cloned(),
        _ => None,
    });
    assert_eq!(call.expect("it is there").body, new.0.variations[0].aggregate);
    for other in
        ["(value INT, LITERAL k INT) -> INT", "(value INT) -> BIGINT", "(value STRING, LITERAL k INT) -> BIGINT"]
    {
        let refused = "Cannot replace function MIX: query CTAS_X_0: it calls MIX(INTEGER), which gives BIGINT.";
        assert_eq!(replaced(&world, &aggregate(other)).map(|_| ()), Err(refused.to_owned()), "{other}");
    }
}

#[test]
fn a_table_function_goes_on_with_another_body() {
    let table = |rows_max| of_library("PARTS", FunctionKind::Table, "(values ARRAY<T>) -> T", rows_max);
    let world = world(&[table(7)], "CREATE STREAM X AS SELECT ID, PARTS(TAGS) AS TAG FROM S;");
    let plan = replaced(&world, &table(9)).expect("it fits");
    let rows_max = step(&plan.root, &|node| match node {
        PlanNode::FlatMap(flat_map) => Some(flat_map.calls[0].rows_max),
        _ => None,
    });
    assert_eq!(rows_max, Some(9));
}

#[test]
fn what_is_taken_back_cannot_be_computed_otherwise() {
    let scalar = || of_library("SAME", FunctionKind::Scalar, "(value T) -> T", 0);
    let fails = |query: &str, reason: &str| {
        let refused = replaced(&world(&[scalar()], query), &scalar()).map(|_| ()).expect_err(query);
        assert!(refused.contains(reason), "{query}: {refused}");
    };
    fails(
        "CREATE TABLE X AS SELECT W, COUNT(*) AS C FROM T WHERE SAME(NAME) = 'a' GROUP BY W;",
        "it aggregates a table",
    );
    fails("CREATE TABLE X AS SELECT W, SUM(SAME(W)) AS C FROM T GROUP BY W;", "it aggregates a table");
    fails("CREATE TABLE X AS SELECT T.ID, TITLE FROM T JOIN N ON SAME(T.NAME) = N.NAME;", "by a foreign key");
    for query in [
        "CREATE TABLE X AS SELECT ID, SAME(NAME) AS N FROM T WHERE SAME(W) > 1;",
        "CREATE TABLE X AS SELECT W, SAME(COUNT(*)) AS C FROM T GROUP BY W;",
        "CREATE TABLE X AS SELECT SAME(NAME) AS N, COUNT(*) AS C FROM S GROUP BY SAME(NAME);",
        "CREATE TABLE X AS SELECT T.ID, SAME(TITLE) AS TITLE FROM T JOIN N ON T.NAME = N.NAME;",
    ] {
        assert!(replaced(&world(&[scalar()], query), &scalar()).is_ok(), "{query}");
    }
}

#[test]
fn calls_of_functions_that_may_be_replaced_are_not_folded_away() {
    let scalar = of_library("SAME", FunctionKind::Scalar, "(value T) -> T", 0);
    let world =
        world(std::slice::from_ref(&scalar), "CREATE STREAM X AS SELECT ID, SAME(1 + 1) AS A, ABS(-2) AS B FROM S;");
    let plan = world.plans.values().next().expect("a query");
    let shown: Vec<&str> = plan.changes.iter().map(|change| change.what.as_str()).collect();
    assert_eq!(shown, ["(1 + 1) → 2", "ABS(-2) → 2", "S decodes 0 of 5 value columns"]);
}

#[test]
fn a_query_knows_the_functions_that_it_calls() {
    let scalar = of_library("SAME", FunctionKind::Scalar, "(value T) -> T", 0);
    let query = "CREATE STREAM X AS SELECT T.ID, ABS(V) AS V FROM S JOIN T ON SAME(S.ID) = T.ID WHERE same(W) > 1;";
    let world = world(&[scalar], query);
    let query = world.catalog.queries().next().expect("a query");
    assert_eq!(query.functions, ["SAME"]);
}
