//! The functions that only ksqlDB's own cases have (FORMAT.md section 8): what they take and give.

use std::sync::Arc;

use crate::functions::{FunctionKind, Registry, SignatureError};

const CATEGORY: &str = "TEST";

/// Columns of every kind, as `%`.
const UDTF: [&str; 4] = [
    "(i INT, l BIGINT, d DOUBLE, b BOOLEAN, s STRING, m DECIMAL, st STRUCT<A STRING>) -> STRING",
    "(i ARRAY<INT>, l ARRAY<BIGINT>, d ARRAY<DOUBLE>, b ARRAY<BOOLEAN>, s ARRAY<STRING>, m ARRAY<DECIMAL>, \
     st ARRAY<STRUCT<A STRING>>) -> STRING",
    "STRING BIGINT: (i MAP<%, INT>, l MAP<STRING, BIGINT>, d MAP<STRING, DOUBLE>, b MAP<STRING, BOOLEAN>, \
     s MAP<STRING, STRING>, m MAP<STRING, DECIMAL>, st MAP<STRING, STRUCT<A STRING>>) -> STRING",
    "INT BIGINT DOUBLE BOOLEAN STRING: (value %) -> %",
];

/// The built-in functions and these.
pub fn registry() -> Result<Arc<Registry>, SignatureError> {
    let mut registry = Registry::default();
    scalars(&mut registry)?;
    tables(&mut registry)?;
    aggregates(&mut registry)?;
    Ok(Arc::new(registry))
}

fn scalars(registry: &mut Registry) -> Result<(), SignatureError> {
    let mut add = |name, description, signatures: &[&str]| {
        registry.define(name, FunctionKind::Scalar, CATEGORY, description, signatures).map(drop)
    };
    add(
        "test_udf",
        "Which variation was chosen.",
        &[
            "(i INT, s STRING) -> STRING",
            "(l BIGINT, s STRING) -> STRING",
            "(l BIGINT, m BIGINT, s STRING) -> STRING",
            "(values BIGINT...) -> STRING",
            "(value STRUCT<A STRING>) -> STRING",
            "() -> STRUCT<A STRING>",
        ],
    )?;
    add(
        "bad_udf",
        "Fails now and then.",
        &["(value INT) -> STRING", "(value BOOLEAN) -> INT", "(value STRING) -> STRING"],
    )?;
    add("WHENCONDITION", "Fails unless it is to be evaluated.", &["(ret BOOLEAN, evaluate BOOLEAN) -> BOOLEAN"])?;
    add("WHENRESULT", "Fails unless it is to be evaluated.", &["(ret INT, evaluate BOOLEAN) -> INT"])?;
    add("toStruct", "A struct of a text.", &["(value STRING) -> STRUCT<A STRING>"])
}

fn tables(registry: &mut Registry) -> Result<(), SignatureError> {
    let mut add = |name, description, signatures: &[&str]| {
        registry.define(name, FunctionKind::Table, CATEGORY, description, signatures).map(drop)
    };
    let alone = ["(value STRUCT<A STRING>) -> STRUCT<A STRING>", "(value DECIMAL) -> DECIMAL(30, 10)"];
    add("test_udtf", "A row per argument.", &[UDTF.as_slice(), &alone].concat())?;
    add("throwing_udtf", "Fails if the argument is true.", &["(fail BOOLEAN) -> BOOLEAN"])
}

fn aggregates(registry: &mut Registry) -> Result<(), SignatureError> {
    let sums = registry.define(
        "test_udaf",
        FunctionKind::Aggregate,
        CATEGORY,
        "Sums.",
        &[
            "INT BIGINT: (value %) -> BIGINT",
            "(value DOUBLE) -> DOUBLE",
            "(value STRING, LITERAL init STRING) -> BIGINT",
            "(value STRUCT<A INT, B INT>) -> STRUCT<A INT, B INT>",
        ],
    )?;
    sums.variations.iter_mut().take(2).for_each(|whole_number| whole_number.has_undo = true);
    let mut add = |name, description, signatures: &[&str]| {
        registry.define(name, FunctionKind::Aggregate, CATEGORY, description, signatures).map(drop)
    };
    add("VAR_ARG", "Sums numbers and lengths.", &["(number BIGINT, texts STRING...) -> BIGINT"])?;
    add(
        "MID_VAR_ARG",
        "Sums numbers and lengths.",
        &["(number BIGINT, texts STRING..., LITERAL c1 INT, LITERAL c2 INT) -> BIGINT"],
    )?;
    let from = "LITERAL init INT, LITERAL texts STRING...";
    let several =
        [("MULTI_ARG", ""), ("FOUR_ARG", "b STRING, c STRING, "), ("FIVE_ARG", "b STRING, c STRING, d INT, ")];
    for (name, more) in several {
        let signature = format!("(number BIGINT, a STRING, {more}{from}) -> BIGINT");
        add(name, "Sums numbers and lengths.", &[signature.as_str()])?;
    }
    add("OBJ_COL_ARG", "Rows without NULL.", &["(value INT, others ANY...) -> ARRAY<INT>"])?;
    add("GENERIC_VAR_ARG", "Rows without NULL.", &["(value A, other B, more C...) -> ARRAY<A>"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_known_in_cases_only() {
        let (ours, theirs) = (Registry::default(), registry().expect("good signatures"));
        assert_eq!(theirs.functions().count(), ours.functions().count() + 15);
        assert!(ours.get("TEST_UDF").is_none() && theirs.get("Test_Udf").is_some());
    }
}
