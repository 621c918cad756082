//! What older versions of KSQL wrote: it works, or the error says what to write instead.

use super::{check, check_error, plan_text, schema_text};

#[test]
fn bounds_of_windows_may_be_called() {
    assert_eq!(
        schema_text(
            "CREATE TABLE X AS SELECT ID, WINDOWSTART() AS S, windowend() AS E, COUNT(*) AS C FROM S
               WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY ID;"
        ),
        "`ID` BIGINT PRIMARY KEY, `S` BIGINT, `E` BIGINT, `C` BIGINT"
    );
    assert_eq!(
        plan_text(
            "CREATE TABLE X AS SELECT ID, WINDOWSTART(), COUNT(*) FROM S WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY ID;"
        ),
        "error: Reserved column name in select: `WINDOWSTART`. Please remove or alias the column."
    );
}

#[test]
fn rowkey_is_a_column_only_if_it_is_declared() {
    check_error(
        "SELECT ROWKEY, A FROM KEYLESS EMIT CHANGES;",
        (1, 8),
        "Line: 1, Col: 8: SELECT column 'ROWKEY' cannot be resolved.",
        Some("KEYLESS has no key column: declare it with CREATE STREAM KEYLESS (ROWKEY STRING KEY, …)"),
    );
    check_error(
        "SELECT ROWKEY, V FROM S EMIT CHANGES;",
        (1, 8),
        "Line: 1, Col: 8: SELECT column 'ROWKEY' cannot be resolved.",
        Some("the key of S is ID"),
    );
}

#[test]
fn the_key_is_declared_with_the_columns() {
    check_error(
        "CREATE STREAM X (A INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', KEY='A');",
        (1, 69),
        "Invalid config variable(s) in the WITH clause: KEY",
        Some("mark the column in the list of columns: A type KEY for a stream, PRIMARY KEY for a table"),
    );
}

#[test]
fn bounds_of_windows_belong_to_one_source() {
    check_error(
        "SELECT S.ID, WINDOWSTART, COUNT(*) FROM S JOIN T ON S.ID = T.ID WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY S.ID EMIT CHANGES;",
        (1, 14),
        "Line: 1, Col: 14: SELECT column 'WINDOWSTART' cannot be resolved.",
        Some(
            "the bounds of windows are columns of windowed streams and tables, and of aggregations of one source with a WINDOW \
             clause",
        ),
    );
}

#[test]
fn emit_changes_need_not_be_written() {
    check(
        "CREATE STREAM X AS SELECT ID, V FROM S;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key ID; V
            Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, V]
        ",
    );
}
