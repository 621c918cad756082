//! Projections, filters and names.

use super::{check, check_error, plan_text, schema_text};

#[test]
fn only_used_columns_are_read() {
    check(
        "CREATE STREAM X AS SELECT ID, NAME AS N FROM S WHERE V > 10;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key ID; N = NAME
            Filter: (V > 10)
              Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME, V]
        ",
    );
}

#[test]
fn a_projection_that_changes_nothing_is_no_step() {
    check(
        "CREATE STREAM X AS SELECT * FROM KEYLESS;",
        "
        Sink X: topic X (key NONE, value JSON, 4 partitions)
          Source KEYLESS: stream, topic keyless (key NONE, value JSON) [A, B]
        ",
    );
}

#[test]
fn pseudo_columns_are_read_when_used() {
    check(
        "CREATE STREAM X AS SELECT ID, ROWTIME AS T, ROWPARTITION AS P, ROWOFFSET AS O FROM S;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key ID; T = ROWTIME, P = ROWPARTITION, O = ROWOFFSET
            Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, ROWPARTITION, ROWOFFSET]
        ",
    );
}

#[test]
fn filters_over_tables_know_old_rows() {
    check(
        "CREATE TABLE X AS SELECT ID, NAME FROM T WHERE W > 1;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key ID; NAME
            Filter: (W > 1)
              Source T: table, topic t (key KAFKA, value JSON, rows kept) [ID KEY, NAME, W]
        ",
    );
    check(
        "SELECT NAME FROM T EMIT CHANGES;",
        "
        Client: `NAME` STRING (until stopped)
          Project: key ID; NAME
            Source T: table, topic t (key KAFKA, value JSON) [ID KEY, NAME]
        ",
    );
}

#[test]
fn results_get_names() {
    let cases = [
        (
            "SELECT * FROM S",
            "`ID` BIGINT KEY, `NAME` STRING, `V` INTEGER, `D` DOUBLE, `ADDRESS` STRUCT<`CITY` STRING, `ZIP` INTEGER>, `TAGS` ARRAY<STRING>",
        ),
        ("SELECT ID AS K, NAME FROM S", "`K` BIGINT KEY, `NAME` STRING"),
        ("SELECT NAME, ID FROM S", "`ID` BIGINT KEY, `NAME` STRING"),
        ("SELECT ID, ADDRESS->CITY, ADDRESS->CITY FROM S", "`ID` BIGINT KEY, `CITY` STRING, `CITY_1` STRING"),
        ("SELECT ID, ADDRESS->* FROM S", "`ID` BIGINT KEY, `CITY` STRING, `ZIP` INTEGER"),
        (
            "SELECT ID, V + 1, V + 2 AS B, V + 3 FROM S",
            "`ID` BIGINT KEY, `KSQL_COL_0` INTEGER, `B` INTEGER, `KSQL_COL_1` INTEGER",
        ),
        ("SELECT S.ID, X.NAME FROM S X", "`ID` BIGINT KEY, `NAME` STRING"),
        (
            "SELECT S.* FROM S",
            "`ID` BIGINT KEY, `NAME` STRING, `V` INTEGER, `D` DOUBLE, `ADDRESS` STRUCT<`CITY` STRING, `ZIP` INTEGER>, `TAGS` ARRAY<STRING>",
        ),
        ("SELECT ID, TAGS[1] AS T FROM S", "`ID` BIGINT KEY, `T` STRING"),
        ("SELECT ID, AS_VALUE(ID) AS COPY FROM S", "`ID` BIGINT KEY, `COPY` BIGINT"),
    ];
    for (select, expected) in cases {
        assert_eq!(schema_text(&format!("CREATE STREAM X AS {select};")), expected, "{select}");
    }
}

#[test]
fn clients_see_columns_in_the_order_of_select() {
    check(
        "SELECT V, ID, ID AS K, ROWTIME FROM S EMIT CHANGES LIMIT 3;",
        "
        Client: `V` INTEGER, `ID` BIGINT, `K` BIGINT, `ROWTIME` BIGINT (until stopped, at most 3 rows)
          Project: key ID; V, ROWTIME
            Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, V]
        ",
    );
}

#[test]
fn unknown_names_are_said_with_the_nearest() {
    check_error(
        "SELECT ID,\n  NAM FROM S EMIT CHANGES;",
        (2, 3),
        "Line: 2, Col: 3: SELECT column 'NAM' cannot be resolved.",
        Some("did you mean NAME?"),
    );
    check_error(
        "SELECT * FROM S WHERE ADRESS->CITY = 'x' EMIT CHANGES;",
        (1, 23),
        "Line: 1, Col: 23: WHERE column 'ADRESS' cannot be resolved.",
        Some("did you mean ADDRESS?"),
    );
    check_error("SELECT * FROM KEYLES EMIT CHANGES;", (1, 15), "KEYLES does not exist.", Some("did you mean KEYLESS?"));
}

#[test]
fn types_are_checked() {
    let cases = [
        (
            "SELECT * FROM S WHERE V > 'x' EMIT CHANGES;",
            "Error in WHERE expression: Cannot compare V (INTEGER) to 'x' (STRING) with GREATER_THAN.",
        ),
        (
            "SELECT * FROM S WHERE V + 1 EMIT CHANGES;",
            "Type error in WHERE expression: Should evaluate to boolean but is (V + 1) (INTEGER) instead.",
        ),
    ];
    for (sql, expected) in cases {
        let text = plan_text(sql);
        assert!(text.contains(expected), "{sql}: {text}");
    }
}

#[test]
fn reserved_names_leave_under_other_names() {
    let cases = [
        ("SELECT ID, ROWTIME FROM S", "Reserved column name in select: `ROWTIME`. Please remove or alias the column."),
        (
            "SELECT ID, ROWTIME AS ROWTIME FROM S",
            "Reserved column name in select: `ROWTIME`. Please remove or alias the column.",
        ),
        (
            "SELECT ID, V AS ROWTIME FROM S",
            "`ROWTIME` is a reserved column name. You cannot use it as an alias for a column.",
        ),
    ];
    for (select, expected) in cases {
        assert_eq!(plan_text(&format!("CREATE STREAM X AS {select};")), format!("error: {expected}"));
    }
    assert!(plan_text("SELECT ROWTIME FROM S EMIT CHANGES;").starts_with("Client: `ROWTIME` BIGINT"));
}

#[test]
fn inserted_results_match_the_stream() {
    let sink = "CREATE STREAM X (K BIGINT KEY, N STRING, B BIGINT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');";
    let insert = |select: &str| plan_text(&format!("{sink} INSERT INTO X {select};"));
    assert_eq!(
        insert("SELECT ID AS K, NAME AS N, V AS B FROM S").lines().next(),
        Some("Sink X: topic x (key KAFKA, value JSON, 4 partitions)")
    );
    assert_eq!(
        insert("SELECT ID AS K, NAME AS N FROM S"),
        "error: Incompatible schema between results and sink.\nResult schema is `K` BIGINT KEY, `N` STRING\n\
         Sink schema is `K` BIGINT KEY, `N` STRING, `B` BIGINT"
    );
    let cases = [
        (
            "INSERT INTO T SELECT ID, NAME, V AS W FROM S;",
            "INSERT INTO can only be used to insert into a stream. T is a table.",
        ),
        ("INSERT INTO NOTHING SELECT * FROM S;", "Line: 1, Col: 13: Source `NOTHING` does not exist."),
    ];
    for (sql, expected) in cases {
        assert_eq!(plan_text(sql), format!("error: {expected}"));
    }
}
