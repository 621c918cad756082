//! Calls of functions: what they give, and what may stand where. EXPLAIN shows the plan of what cannot be run yet.

use super::{check_error, plan_text, planned};
use crate::plan::Planned;

/// Type of an expression over a row of `S`, or its error.
fn type_of(expression: &str) -> String {
    match planned(&format!("EXPLAIN SELECT {expression} AS X FROM S EMIT CHANGES;")) {
        Ok(Planned::Explain { text }) => {
            let client = text.lines().next().unwrap_or_default();
            client.trim_start_matches("Client: `X` ").trim_end_matches(" (until stopped)").to_owned()
        }
        Ok(other) => format!("{other:?}"),
        Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
    }
}

#[test]
fn results_have_the_type_that_the_arguments_give() {
    let cases = [
        ("ABS(V)", "INTEGER"),
        ("ABS(V + D)", "DOUBLE"),
        ("ROUND(1.25)", "DECIMAL(1, 0)"),
        ("ROUND(1.25, 1)", "DECIMAL(3, 2)"),
        ("GREATEST(V, D)", "DOUBLE"),
        ("LEAST(1.5, 10.25)", "DECIMAL(4, 2)"),
        ("SPLIT(NAME, ',')", "ARRAY<STRING>"),
        ("TAGS", "ARRAY<STRING>"),
        ("ARRAY_MAX(TAGS)", "STRING"),
        ("SLICE(TAGS, 1, 2)[1]", "STRING"),
        ("AS_MAP(TAGS, ARRAY[1, 2])", "MAP<STRING, INTEGER>"),
        ("ENTRIES(MAP('a' := 1), true)", "ARRAY<STRUCT<`K` STRING, `V` INTEGER>>"),
        ("ENTRIES(MAP('a' := 1), true)[1]->V", "INTEGER"),
        ("GENERATE_SERIES(V, 10)", "ARRAY<INTEGER>"),
        ("COALESCE(NULL, NAME)", "STRING"),
        ("IFNULL(ADDRESS, NULL)->CITY", "STRING"),
        ("PARSE_DATE(NAME, 'yyyy')", "DATE"),
        ("TIMESTAMPADD(SECONDS, 5, FROM_UNIXTIME(ROWTIME))", "TIMESTAMP"),
        ("DATEADD(DAYS, V, '2024-02-29')", "DATE"),
        ("JSON_RECORDS(NAME)", "MAP<STRING, STRING>"),
        ("TRANSFORM(TAGS, t => LEN(t))", "ARRAY<INTEGER>"),
        ("TRANSFORM(TAGS, t => TRANSFORM(TAGS, u => t + u))", "ARRAY<ARRAY<STRING>>"),
        ("TRANSFORM(MAP('a' := 1), (k, n) => LEN(k), (k, n) => n + D)", "MAP<INTEGER, DOUBLE>"),
        ("FILTER(TAGS, t => t LIKE 'a%')", "ARRAY<STRING>"),
        ("REDUCE(TAGS, 0, (n, t) => n + LEN(t))", "INTEGER"),
        ("EXPLODE(TAGS)", "STRING"),
        ("CUBE_EXPLODE(TAGS)", "ARRAY<STRING>"),
        ("NAME || UCASE(NAME)", "STRING"),
    ];
    for (expression, expected) in cases {
        assert_eq!(type_of(expression), expected, "{expression}");
    }
}

#[test]
fn aggregates_have_types_too() {
    let cases = [
        ("COLLECT_LIST(TAGS)", "ARRAY<ARRAY<STRING>>"),
        ("SUM(CAST(V AS DECIMAL(6, 2)))", "DECIMAL(6, 2)"),
        ("MAX(NAME)", "STRING"),
        ("TOPK(V, 3)", "ARRAY<INTEGER>"),
        ("TOPK(V, NAME, 3)", "ARRAY<STRUCT<`sort_col` INTEGER, `col0` STRING>>"),
        ("LATEST_BY_OFFSET(ADDRESS)->ZIP", "INTEGER"),
        ("EARLIEST_BY_OFFSET(NAME, 2)", "ARRAY<STRING>"),
        ("HISTOGRAM(NAME)", "MAP<STRING, BIGINT>"),
        ("LEN(MIN(NAME)) + COUNT(*)", "BIGINT"),
        ("SUM(*)", "BIGINT"),
    ];
    for (expression, expected) in cases {
        assert_eq!(type_of(expression), expected, "{expression}");
    }
}

#[test]
fn what_does_not_fit_is_said() {
    let cases = [
        ("LEN(V)", "Function 'len' does not accept parameters (INTEGER)."),
        ("POWER(V, ID)", "Function 'power' cannot be resolved due to ambiguous method parameters (INTEGER, BIGINT)."),
        ("NULLIF(V, NAME)", "Function 'NULLIF' does not accept parameters (INTEGER, STRING)."),
        ("TRANSFORM(NULL, t => t)", "Function 'transform' does not accept parameters (null, LAMBDA)."),
        ("FILTER(TAGS, t => missing)", "Line: 1, Col: 34: SELECT column 'MISSING' cannot be resolved."),
        (
            "TIMEADD(MINUTES, 1, NAME, 2)",
            "Function 'timeadd' does not accept parameters (INTERVALUNIT, INTEGER, STRING, INTEGER).",
        ),
        ("TRANSFORM(TAGS, name => name)", "Lambda function argument can't be a column name: NAME"),
        ("TOPK(V, V)", "Parameter 2 passed to function TOPK must be a literal constant, but was expression: 'V'"),
    ];
    for (expression, expected) in cases {
        assert_eq!(type_of(expression), expected, "{expression}");
    }
}

#[test]
fn arguments_are_checked_wherever_a_function_is_called() {
    check_error(
        "SELECT ID, LEN(NAME) FROM S WHERE V > 'x' EMIT CHANGES;",
        (1, 37),
        "Error in WHERE expression: Cannot compare V (INTEGER) to 'x' (STRING) with GREATER_THAN.",
        Some("write CAST(V AS STRING)"),
    );
    let text = plan_text("EXPLAIN CREATE TABLE X AS SELECT NAME, TOPK(V, 3) AS T FROM S GROUP BY NAME;");
    assert!(text.contains("Aggregate by NAME: KSQL_AGG_VARIABLE_0 = TOPK(V, 3)"), "{text}");
}

#[test]
fn names_are_looked_for_when_they_are_described() {
    assert!(matches!(planned("DESCRIBE FUNCTION substring;"), Ok(Planned::Direct)));
    check_error(
        "DESCRIBE FUNCTION SUBSTRNG;",
        (1, 19),
        "Can't find any functions with the name 'SUBSTRNG'",
        Some("did you mean SUBSTRING?"),
    );
}

#[test]
fn names_from_elsewhere_are_translated() {
    let cases = [
        ("UPPER(NAME)", "UPPER", "write UCASE(text)"),
        ("UNIX_TIMESTAM()", "UNIX_TIMESTAM", "did you mean UNIX_TIMESTAMP?"),
    ];
    for (call, name, hint) in cases {
        let message = format!("Can't find any functions with the name '{name}'");
        check_error(&format!("SELECT {call} FROM S EMIT CHANGES;"), (1, 8), &message, Some(hint));
    }
}

#[test]
fn types_that_do_not_go_together_have_advice() {
    let cases = [
        ("ID, ADDRESS->CTY", "Could not find field 'CTY' in 'ADDRESS'.", "did you mean CITY?"),
        ("ID, V > '5'", "Cannot compare V (INTEGER) to '5' (STRING) with GREATER_THAN.", "write 5 without quotes"),
        ("ID, NAME = V", "Cannot compare NAME (STRING) to V (INTEGER) with EQUAL.", "write CAST(V AS STRING)"),
        (
            "ID, CAST(NAME AS BYTES) = 'x'",
            "Cannot compare CAST(NAME AS BYTES) (BYTES) to 'x' (STRING) with EQUAL.",
            "write FROM_BYTES(CAST(NAME AS BYTES), 'utf8')",
        ),
        (
            "ID, (V = 1) = '1'",
            "Cannot compare (V = 1) (BOOLEAN) to '1' (STRING) with EQUAL.",
            "write CAST((V = 1) AS STRING)",
        ),
    ];
    for (select, message, hint) in cases {
        let error = planned(&format!("SELECT {select} FROM S EMIT CHANGES;")).expect_err(select);
        assert_eq!((error.to_string().as_str(), error.hint().as_deref()), (message, Some(hint)), "{select}");
    }
}
