//! The functions that only ksqlDB's own cases have (FORMAT.md section 8).

mod bad_udf;
mod collected;
mod lengths;
mod test_udaf;
mod test_udf;
mod test_udtf;
mod throwing_udtf;
mod to_struct;
mod when;

use std::sync::Arc;

use levada_udf::{Aggregate, scalars};

use crate::functions::{AggregateBody, Function, FunctionKind, Registry, ScalarBody, SignatureError, TableBody};

const CATEGORY: &str = "TEST";

/// Columns of every kind.
const UDTF: [&str; 5] = [
    "(i INT, l BIGINT, d DOUBLE, b BOOLEAN, s STRING, m DECIMAL, st STRUCT<A STRING>) -> STRING",
    "(i ARRAY<INT>, l ARRAY<BIGINT>, d ARRAY<DOUBLE>, b ARRAY<BOOLEAN>, s ARRAY<STRING>, m ARRAY<DECIMAL>, \
     st ARRAY<STRUCT<A STRING>>) -> STRING",
    "STRING BIGINT: (i MAP<%, INT>, l MAP<STRING, BIGINT>, d MAP<STRING, DOUBLE>, b MAP<STRING, BOOLEAN>, \
     s MAP<STRING, STRING>, m MAP<STRING, DECIMAL>, st MAP<STRING, STRUCT<A STRING>>) -> STRING",
    "INT BIGINT DOUBLE BOOLEAN STRING: (value %) -> %",
    "(value STRUCT<A STRING>) -> STRUCT<A STRING>",
];

/// The built-in functions and these.
pub fn registry() -> Result<Arc<Registry>, SignatureError> {
    let mut registry = Registry::default();
    let mut functions = scalars![
        test_udf::int_string,
        test_udf::bigint_string,
        test_udf::bigint_bigint_string,
        test_udf::bigints,
        test_udf::field,
        test_udf::made,
        bad_udf::int,
        bad_udf::boolean,
        when::condition,
        when::result,
        to_struct::to_struct,
    ];
    functions.push(bad_udf::every_other());
    registry.add_scalars("", CATEGORY, functions)?;
    tables(&mut registry)?;
    aggregates(&mut registry)?;
    Ok(Arc::new(registry))
}

fn tables(registry: &mut Registry) -> Result<(), SignatureError> {
    let body = |lists| TableBody { lists, rows_max: usize::MAX };
    let signatures = [UDTF.as_slice(), &["(value DECIMAL) -> DECIMAL(30, 10)"]].concat();
    let function = define(registry, "test_udtf", FunctionKind::Table, "A row per argument.", &signatures)?;
    for variation in &mut function.variations {
        let has_many = variation.parameters.len() > 1;
        let lists = if has_many { ScalarBody::new(test_udtf::texts) } else { ScalarBody::new(test_udtf::only) };
        variation.table = Some(body(lists));
    }
    let signatures = ["(fail BOOLEAN) -> BOOLEAN"];
    let function =
        define(registry, "throwing_udtf", FunctionKind::Table, "Fails if the argument is true.", &signatures)?;
    function.variations[0].table = Some(body(ScalarBody::new(throwing_udtf::lists)));
    Ok(())
}

fn aggregates(registry: &mut Registry) -> Result<(), SignatureError> {
    let signatures = [
        "INT BIGINT: (value %) -> BIGINT",
        "(value DOUBLE) -> DOUBLE",
        "(value STRING, LITERAL init STRING) -> BIGINT",
        "(value STRUCT<A INT, B INT>) -> STRUCT<A INT, B INT>",
    ];
    let sums = aggregate(registry, "test_udaf", "Sums.", &signatures, test_udaf::accumulator)?;
    sums.variations.iter_mut().take(2).for_each(|whole_number| whole_number.has_undo = true);

    let text = "Sums numbers and lengths.";
    let signature = "(number BIGINT, texts STRING...) -> BIGINT";
    aggregate(registry, "VAR_ARG", text, &[signature], lengths::from_zero)?;
    let signature = "(number BIGINT, texts STRING..., LITERAL c1 INT, LITERAL c2 INT) -> BIGINT";
    aggregate(registry, "MID_VAR_ARG", text, &[signature], lengths::and_literals)?;
    let from = "LITERAL init INT, LITERAL texts STRING...";
    let several =
        [("MULTI_ARG", ""), ("FOUR_ARG", "b STRING, c STRING, "), ("FIVE_ARG", "b STRING, c STRING, d INT, ")];
    for (name, more) in several {
        let signature = format!("(number BIGINT, a STRING, {more}{from}) -> BIGINT");
        aggregate(registry, name, text, &[signature.as_str()], lengths::from_literals)?;
    }

    let text = "Rows without NULL.";
    let signature = "(value INT, others ANY...) -> ARRAY<INT>";
    aggregate(registry, "OBJ_COL_ARG", text, &[signature], collected::accumulator)?;
    let signature = "(value A, other B, more C...) -> ARRAY<A>";
    aggregate(registry, "GENERIC_VAR_ARG", text, &[signature], collected::accumulator)?;
    Ok(())
}

fn define<'r>(
    registry: &'r mut Registry,
    name: &str,
    kind: FunctionKind,
    description: &str,
    signatures: &[&str],
) -> Result<&'r mut Function, SignatureError> {
    registry.define(name, kind, CATEGORY, description, signatures)
}

fn aggregate<'r>(
    registry: &'r mut Registry,
    name: &str,
    description: &str,
    signatures: &[&str],
    body: impl Aggregate + 'static,
) -> Result<&'r mut Function, SignatureError> {
    let function = define(registry, name, FunctionKind::Aggregate, description, signatures)?;
    let body = AggregateBody::new(body);
    function.variations.iter_mut().for_each(|variation| variation.aggregate = Some(body.clone()));
    Ok(function)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::Variation;

    #[test]
    fn they_are_known_in_cases_only() {
        let (ours, theirs) = (Registry::default(), registry().expect("good signatures"));
        assert_eq!(theirs.functions().count(), ours.functions().count() + 15);
        assert!(ours.get("TEST_UDF").is_none() && theirs.get("Test_Udf").is_some());
        let names = ["TEST_UDF", "BAD_UDF", "TEST_UDTF", "TEST_UDAF"];
        let counts = names.map(|name| theirs.get(name).map_or(0, |function| function.variations.len()));
        assert_eq!(counts, [6, 3, 11, 5]);
        assert!(
            names.iter().all(|name| theirs
                .get(name)
                .is_some_and(|function| function.variations.iter().all(Variation::has_body)))
        );
    }
}
