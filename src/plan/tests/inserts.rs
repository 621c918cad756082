//! INSERT VALUES: what cannot be a value.

use super::planned;

const A: &str = "CREATE STREAM A (K STRING KEY, B BOOLEAN, I INT, M DECIMAL(6, 2), Y BYTES, T TIMESTAMP)
                 WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');";

#[test]
fn values_that_do_not_fit() {
    for (insert, expected) in [
        ("(B) VALUES ('maybe')", "invalid input syntax for type BOOLEAN: \"maybe\""),
        ("(B) VALUES (1)", "Failed to insert values into 'A'. Expected type BOOLEAN for field `B` but got INTEGER(1)"),
        (
            "(I) VALUES (1.5)",
            "Failed to insert values into 'A'. Expected type INTEGER for field `I` but got DECIMAL(2, 1)(1.5)",
        ),
        (
            "(I) VALUES (3000000000)",
            "Failed to insert values into 'A'. Expected type INTEGER for field `I` but got BIGINT(3000000000)",
        ),
        (
            "(M) VALUES (1.5E0)",
            "Failed to insert values into 'A'. Expected type DECIMAL(6, 2) for field `M` but got DOUBLE(1.5E0)",
        ),
        (
            "(M) VALUES (123456)",
            "Failed to insert values into 'A'. Expected type DECIMAL(6, 2) for field `M` but got INTEGER(123456)",
        ),
        (
            "(Y) VALUES ('%%')",
            "Failed to insert values into 'A'. Failed to evaluate expression: CAST('%%' AS BYTES): '%%' is no BYTES",
        ),
        (
            "(T) VALUES ('soon')",
            "Failed to insert values into 'A'. Failed to evaluate expression: CAST('soon' AS TIMESTAMP): 'soon' is no \
             TIMESTAMP",
        ),
        (
            "(T) VALUES (12)",
            "Failed to insert values into 'A'. Expected type TIMESTAMP for field `T` but got INTEGER(12)",
        ),
        ("(ROWTIME) VALUES (-5)", "ROWTIME must not be negative"),
        ("(ROWTIME) VALUES (NULL)", "ROWTIME must not be NULL"),
        ("(I, I) VALUES (1, 2)", "Column `I` is listed more than once."),
        ("(Q) VALUES (1)", "Column name `Q` does not exist in `A`."),
        ("(WINDOWSTART) VALUES (1)", "Inserting into column `WINDOWSTART` is not allowed."),
        (
            "VALUES (1)",
            "Failed to insert values into 'A'. Expected a value for each column. Expected Columns: [K, B, I, M, Y, T]. Got [1]",
        ),
    ] {
        let sql = format!("{A} INSERT INTO A {insert};");
        assert_eq!(planned(&sql).map(|_| ()).expect_err(insert).to_string(), expected);
    }
}
