//! GROUP BY, windows and HAVING.

use super::{check, plan_text, schema_text};

#[test]
fn the_key_needs_no_topic() {
    check(
        "CREATE TABLE X AS SELECT ID, COUNT(*) AS C, SUM(V) AS S FROM S GROUP BY ID;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key ID; C = KSQL_AGG_VARIABLE_0, S = KSQL_AGG_VARIABLE_1
            Aggregate by ID: KSQL_AGG_VARIABLE_0 = COUNT(*), KSQL_AGG_VARIABLE_1 = SUM(V)
              Project: key ID; V
                Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, V]
        ",
    );
}

#[test]
fn other_groups_go_through_a_topic() {
    check(
        "CREATE TABLE X AS SELECT NAME, AVG(D) AS A, MAX(D) AS M FROM S WHERE V > 0 GROUP BY NAME;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key NAME; A = KSQL_AGG_VARIABLE_0, M = KSQL_AGG_VARIABLE_1
            Aggregate by NAME: KSQL_AGG_VARIABLE_0 = AVG(D), KSQL_AGG_VARIABLE_1 = MAX(D)
              Repartition: internal topic Aggregate-GroupBy-repartition (key KAFKA, value JSON)
                Rekey: key NAME (null keys are rejected); D
                  Filter: (V > 0)
                    Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME, V, D]
        ",
    );
}

#[test]
fn several_group_columns_travel_as_json() {
    check(
        "CREATE TABLE X WITH (KEY_FORMAT='JSON') AS SELECT NAME, V, COUNT(*) AS C FROM S GROUP BY V, NAME;",
        "
        Sink X: topic X (key JSON, value JSON, 4 partitions)
          Project: key V, NAME; C = KSQL_AGG_VARIABLE_0
            Aggregate by V, NAME: KSQL_AGG_VARIABLE_0 = COUNT(*)
              Repartition: internal topic Aggregate-GroupBy-repartition (key JSON, value JSON)
                Rekey: key V, NAME (null keys are rejected); no values
                  Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME, V]
        ",
    );
}

#[test]
fn tables_are_aggregated_with_undo() {
    check(
        "CREATE TABLE X AS SELECT NAME, COUNT(*) AS C FROM T GROUP BY NAME;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key NAME; C = KSQL_AGG_VARIABLE_0
            Aggregate by NAME: KSQL_AGG_VARIABLE_0 = COUNT(*), old rows are taken back
              Repartition: internal topic Aggregate-GroupBy-repartition (key KAFKA, value JSON)
                Rekey: key NAME (null keys are rejected); no values
                  Source T: table, topic t (key KAFKA, value JSON, rows kept) [ID KEY, NAME]
        ",
    );
}

#[test]
fn windows_have_grace_and_retention() {
    let window = |window: &str| {
        let text = plan_text(&format!("SELECT ID, COUNT(*) FROM S WINDOW {window} GROUP BY ID EMIT CHANGES;"));
        text.lines().nth(2).unwrap_or(&text).split("; window ").nth(1).unwrap_or(&text).to_owned()
    };
    let cases = [
        ("TUMBLING (SIZE 1 HOUR)", "TUMBLING 1 HOURS, grace 23 HOURS, retention 1 DAYS"),
        ("TUMBLING (SIZE 2 DAYS)", "TUMBLING 2 DAYS, grace 0 MILLISECONDS, retention 2 DAYS"),
        (
            "TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS)",
            "TUMBLING 1 MINUTES, grace 10 SECONDS, retention 70 SECONDS",
        ),
        (
            "HOPPING (SIZE 30 SECONDS, ADVANCE BY 15 SECONDS, RETENTION 3 DAYS)",
            "HOPPING 30 SECONDS by 15 SECONDS, grace 86370 SECONDS, retention 3 DAYS",
        ),
        ("SESSION (1 HOUR)", "SESSION 1 HOURS, grace 23 HOURS, retention 1 DAYS"),
        ("W SESSION (1 HOUR, GRACE PERIOD 0 SECONDS)", "SESSION 1 HOURS, grace 0 MILLISECONDS, retention 1 HOURS"),
    ];
    for (written, expected) in cases {
        assert_eq!(window(written), expected, "{written}");
    }
}

#[test]
fn final_results_wait_for_no_late_rows_unless_told_to() {
    let window = |window: &str| {
        let text = plan_text(&format!("SELECT ID, COUNT(*) FROM S WINDOW {window} GROUP BY ID EMIT FINAL;"));
        text.lines().nth(2).unwrap_or(&text).split("; window ").nth(1).unwrap_or(&text).to_owned()
    };
    assert_eq!(
        window("TUMBLING (SIZE 1 HOUR)"),
        "TUMBLING 1 HOURS, grace 0 MILLISECONDS, retention 1 HOURS, one row when a window closes"
    );
    assert_eq!(
        window("SESSION (1 HOUR, GRACE PERIOD 1 HOUR)"),
        "SESSION 1 HOURS, grace 1 HOURS, retention 2 HOURS, one row when a window closes"
    );
}

#[test]
fn windows_of_the_source_are_no_part_of_groups() {
    let hours = "CREATE STREAM H (ID BIGINT KEY, V INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLING', \
                 WINDOW_SIZE='1 HOUR');";
    check(
        &format!("{hours} CREATE TABLE X AS SELECT ID, COUNT(*) AS C FROM H GROUP BY ID;"),
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key ID; C = KSQL_AGG_VARIABLE_0
            Aggregate by ID: KSQL_AGG_VARIABLE_0 = COUNT(*)
              Repartition: internal topic Aggregate-GroupBy-repartition (key KAFKA, value JSON)
                Rekey: key ID without windows (null keys are rejected); no values
                  Source H: stream, topic x (key KAFKA, value JSON) [ID KEY]
        ",
    );
}

#[test]
fn having_filters_the_aggregate() {
    check(
        "CREATE TABLE X AS SELECT ID, SUM(V) + 1 AS S FROM S GROUP BY ID HAVING COUNT(*) > 2 AND SUM(V) > 0;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key ID; S = (KSQL_AGG_VARIABLE_0 + 1)
            Filter: ((KSQL_AGG_VARIABLE_1 > 2) AND (KSQL_AGG_VARIABLE_0 > 0))
              Aggregate by ID: KSQL_AGG_VARIABLE_0 = SUM(V), KSQL_AGG_VARIABLE_1 = COUNT(*)
                Project: key ID; V
                  Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, V]
        ",
    );
}

#[test]
fn results_are_made_of_groups_and_aggregates() {
    let cases = [
        ("SELECT V AS K, COUNT(*) FROM S GROUP BY V", "`K` INTEGER PRIMARY KEY, `KSQL_COL_0` BIGINT"),
        ("SELECT V + 1, COUNT(V) AS C FROM S GROUP BY V + 1", "`KSQL_COL_0` INTEGER PRIMARY KEY, `C` BIGINT"),
        (
            "SELECT V + 1 AS K, (V + 1) * 2 AS D, MIN(D) AS M FROM S GROUP BY V + 1",
            "`K` INTEGER PRIMARY KEY, `D` INTEGER, `M` DOUBLE",
        ),
        ("SELECT ADDRESS->CITY, SUM(D) AS S FROM S GROUP BY ADDRESS->CITY", "`CITY` STRING PRIMARY KEY, `S` DOUBLE"),
        (
            "SELECT V, AS_VALUE(V) AS W, COUNT(*) AS C FROM S GROUP BY V",
            "`V` INTEGER PRIMARY KEY, `W` INTEGER, `C` BIGINT",
        ),
        (
            "SELECT V, WINDOWSTART AS WS, COUNT(*) AS C FROM S WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY V",
            "`V` INTEGER PRIMARY KEY, `WS` BIGINT, `C` BIGINT",
        ),
    ];
    for (select, expected) in cases {
        assert_eq!(schema_text(&format!("CREATE TABLE X AS {select};")), expected, "{select}");
    }
}

#[test]
fn joins_can_be_grouped() {
    let text =
        plan_text("CREATE TABLE X AS SELECT TITLE, COUNT(*) AS C FROM S JOIN N ON S.NAME = N.NAME GROUP BY TITLE;");
    assert!(text.contains("Rekey: key N_TITLE (null keys are rejected); no values"), "{text}");
    let text =
        plan_text("CREATE TABLE X AS SELECT S.NAME, COUNT(*) AS C FROM S JOIN N ON S.NAME = N.NAME GROUP BY S.NAME;");
    assert!(!text.contains("Aggregate-GroupBy-repartition"), "{text}");
}

#[test]
fn clients_may_aggregate_everything() {
    let text = plan_text("SELECT COUNT(*) AS C FROM S EMIT CHANGES;");
    assert!(text.starts_with("Client: `C` BIGINT"), "{text}");
    assert_eq!(
        plan_text("CREATE TABLE X AS SELECT COUNT(*) AS C FROM S;"),
        "error: The query used to build `X` does not support aggregate function [COUNT] without a GROUP BY clause."
    );
}

#[test]
fn aggregations_that_cannot_be() {
    let not_grouped = "Either add the column(s) to the GROUP BY or remove them from the SELECT.";
    let cases = [
        (
            "SELECT NAME, COUNT(*) FROM S GROUP BY ID",
            format!("Non-aggregate SELECT expression(s) not part of GROUP BY: NAME\n{not_grouped}"),
        ),
        (
            "SELECT V * SUM(D) FROM S GROUP BY ID",
            format!("Non-aggregate SELECT expression(s) not part of GROUP BY: (V * SUM(D))\n{not_grouped}"),
        ),
        (
            "SELECT ID, COUNT(*) FROM S GROUP BY ID HAVING V > 1",
            "Non-aggregate HAVING expression not part of GROUP BY: V".to_owned(),
        ),
        (
            "SELECT ID FROM S GROUP BY ID",
            "GROUP BY requires aggregate functions in either the SELECT or HAVING clause.".to_owned(),
        ),
        (
            "SELECT COUNT(*) FROM S GROUP BY SUM(V)",
            "GROUP BY does not support aggregate functions: SUM is an aggregate function.".to_owned(),
        ),
        ("SELECT COUNT(*) FROM S GROUP BY V, S.V", "Duplicate GROUP BY expression: S.V".to_owned()),
        ("SELECT SUM(COUNT(*)) FROM S GROUP BY V", "Aggregate functions can not be nested: SUM(COUNT())".to_owned()),
        (
            "SELECT ID, MIN(V), MAX(W) FROM T GROUP BY ID",
            "Line: 1, Col: 16: SELECT column 'V' cannot be resolved.".to_owned(),
        ),
        (
            "SELECT ID, MIN(W), MAX(W), COUNT(*) FROM T GROUP BY ID",
            "The aggregation functions MIN and MAX cannot be applied to a table source, only to a stream source.".to_owned(),
        ),
        (
            "SELECT NAME, AVG(LEN(TITLE)) FROM N GROUP BY NAME",
            "One of the functions used in the statement has an intermediate type that the value format can not handle. \
             Please remove the function or change the format."
                .to_owned(),
        ),
        ("SELECT ID, NAME FROM S WINDOW TUMBLING (SIZE 1 DAY)", "WINDOW clause requires a GROUP BY clause.".to_owned()),
        (
            "SELECT ID, COUNT(*) FROM S WINDOW SESSION (1 DAY, RETENTION 2 DAYS, GRACE PERIOD 3 DAYS) GROUP BY ID",
            "The retention period of the session store must be no smaller than the session inactivity gap plus the grace \
             period. Got gap=[86400000], grace=[259200000], retention=[172800000]"
                .to_owned(),
        ),
        (
            "SELECT ID, COUNT(*) FROM S WINDOW HOPPING (SIZE 1 HOUR, ADVANCE BY 2 HOURS) GROUP BY ID",
            "Window advancement interval should be more than zero and less than window duration.".to_owned(),
        ),
        (
            "SELECT ID, COUNT(*) FROM S WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY ID, WINDOWSTART",
            "Window bounds column WINDOWSTART can only be used in the SELECT clause of windowed aggregations and can \
             not be passed to aggregate functions. See https://github.com/confluentinc/ksql/issues/4397"
                .to_owned(),
        ),
        (
            "SELECT ID, COUNT(*) FROM S WHERE COUNT(*) > 1 GROUP BY ID",
            "Aggregate functions are not supported in WHERE clause: COUNT is an aggregate function.".to_owned(),
        ),
        (
            "SELECT ID, LATEST_BY_OFFSET(V, 0) FROM S GROUP BY ID",
            "LATEST_BY_OFFSET: the number of values must be 1 or greater".to_owned(),
        ),
    ];
    for (select, expected) in cases {
        assert_eq!(plan_text(&format!("{select} EMIT CHANGES;")), format!("error: {expected}"), "{select}");
    }
    assert_eq!(
        plan_text("SELECT ID, COUNT(*) FROM S GROUP BY ID EMIT FINAL;"),
        "error: EMIT FINAL is only supported for windowed aggregations."
    );
    let text = plan_text("SELECT ID, SUM(NAME) FROM S GROUP BY ID EMIT CHANGES;");
    assert!(
        text.starts_with("error: Function 'SUM' does not accept parameters (STRING).\nValid alternatives"),
        "{text}"
    );
}

#[test]
fn keys_of_groups_are_selected() {
    assert_eq!(
        plan_text("CREATE TABLE X AS SELECT V, COUNT(*) FROM S GROUP BY V, NAME, D;"),
        "error: Key missing from projection (ie, SELECT). See https://cnfl.io/2LV7ouS.\nThe query used to build `X` must \
         include the grouping expressions NAME and D in its projection (eg, SELECT NAME, D...)."
    );
    assert_eq!(
        plan_text("CREATE TABLE X AS SELECT V, V AS W, COUNT(*) FROM S GROUP BY V;"),
        "error: The projection contains a key column more than once: `V` and `W`."
    );
}
