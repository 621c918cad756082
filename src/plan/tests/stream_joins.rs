//! Joins of two streams.

use super::{check, check_error, plan_text, schema_text};

const SECOND: &str = "
CREATE STREAM R (ID BIGINT KEY, NAME STRING, Q INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM R3 (ID BIGINT KEY, Q INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE STREAM J (ID BIGINT KEY, Z INT) WITH (KAFKA_TOPIC='x', FORMAT='JSON');
";

fn check_plan(select: &str, expected: &str) {
    check(&format!("{SECOND} CREATE STREAM X AS {select};"), expected);
}

#[test]
fn streams_keyed_by_the_join_expressions_stay() {
    check_plan(
        "SELECT S.ID, V, Q, R.ROWTIME FROM S JOIN R WITHIN 1 HOUR ON S.ID = R.ID",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key S_ID; V = S_V, Q = R_Q, R_ROWTIME
            StreamStreamJoin: INNER on S_ID; within 1 HOURS, grace 22 HOURS
              Project: key S_ID; S_V = V
                Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, V]
              Project: key R_ID; R_Q = Q, R_ROWTIME = ROWTIME
                Source R: stream, topic x (key KAFKA, value JSON) [ID KEY, Q]
        ",
    );
}

#[test]
fn other_streams_are_rekeyed() {
    check_plan(
        "SELECT S.NAME, V, Q FROM S LEFT JOIN R WITHIN (1 MINUTE, 2 MINUTES) GRACE PERIOD 5 SECONDS ON S.NAME = R.NAME",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key S_NAME; V = S_V, Q = R_Q
            StreamStreamJoin: LEFT on S_NAME; within 1 MINUTES before, 2 MINUTES after, grace 5 SECONDS
              Repartition: internal topic Join-left-repartition (key KAFKA, value JSON)
                Rekey: key S_NAME = NAME; S_V = V
                  Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME, V]
              Repartition: internal topic Join-right-repartition (key KAFKA, value JSON)
                Rekey: key R_NAME = NAME (null keys are dropped); R_Q = Q
                  Source R: stream, topic x (key KAFKA, value JSON) [ID KEY, NAME, Q]
        ",
    );
}

#[test]
fn a_key_that_no_source_has_is_made_up() {
    check_plan(
        "SELECT ROWKEY AS K, S.ID AS L, R.ID AS R FROM S FULL JOIN R WITHIN 1 HOUR ON S.ID = R.ID",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key K; L = S_ID, R = R_ID
            StreamStreamJoin: FULL on ROWKEY; within 1 HOURS, grace 22 HOURS, rows without a partner at once
              Project: key S_ID; S_ID = ID
                Source S: stream, topic s (key KAFKA, value JSON) [ID KEY]
              Project: key R_ID; R_ID = ID
                Source R: stream, topic x (key KAFKA, value JSON) [ID KEY]
        ",
    );
}

#[test]
fn a_right_join_keeps_rows_of_the_right() {
    check_plan(
        "SELECT S.ID, V, R.ID FROM S RIGHT JOIN R WITHIN 1 HOUR ON S.NAME = R.NAME PARTITION BY S.ID",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Rekey: key S_ID; V = S_V, R_ID
            StreamStreamJoin: RIGHT on S_NAME; within 1 HOURS, grace 22 HOURS, rows without a partner at once
              Repartition: internal topic Join-left-repartition (key KAFKA, value JSON)
                Rekey: key S_NAME = NAME (null keys are dropped); S_ID = ID, S_V = V
                  Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME, V]
              Repartition: internal topic Join-right-repartition (key KAFKA, value JSON)
                Rekey: key R_NAME = NAME; R_ID = ID
                  Source R: stream, topic x (key KAFKA, value JSON) [ID KEY, NAME]
        ",
    );
}

#[test]
fn the_left_key_format_is_taken_where_the_left_side_is_keyed() {
    check_plan(
        "SELECT S.ID, V, Z FROM S JOIN J WITHIN 1 HOUR ON S.ID = J.ID",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key S_ID; V = S_V, Z = J_Z
            StreamStreamJoin: INNER on S_ID; within 1 HOURS, grace 22 HOURS
              Project: key S_ID; S_V = V
                Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, V]
              Repartition: internal topic Join-right-repartition (key KAFKA, value JSON)
                Project: key J_ID; J_Z = Z
                  Source J: stream, topic x (key JSON, value JSON) [ID KEY, Z]
        ",
    );
}

#[test]
fn the_right_key_format_is_taken_where_only_the_right_side_is_keyed() {
    check_plan(
        "SELECT J.ID, V, Z FROM S JOIN J WITHIN 1 HOUR ON CAST(S.V AS BIGINT) = J.ID",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key J_ID; V = S_V, Z = J_Z
            StreamStreamJoin: INNER on J_ID; within 1 HOURS, grace 22 HOURS
              Repartition: internal topic Join-left-repartition (key JSON, value JSON)
                Rekey: key J_ID = CAST(V AS BIGINT) (null keys are dropped); S_V = V
                  Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, V]
              Project: key J_ID; J_Z = Z
                Source J: stream, topic x (key JSON, value JSON) [ID KEY, Z]
        ",
    );
}

#[test]
fn joins_follow_joins() {
    check_plan(
        "SELECT R3.ID, V, R.Q AS Q2, R3.Q AS Q3, W FROM S JOIN R WITHIN 1 HOUR ON S.ID = R.ID
           LEFT JOIN R3 WITHIN 2 HOURS ON R.ID = R3.ID JOIN T ON S.ID = T.ID",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key R3_ID; V = S_V, Q2 = R_Q, Q3 = R3_Q, W = T_W
            StreamTableJoin: INNER on S_ID
              StreamStreamJoin: LEFT on S_ID; within 2 HOURS, grace 20 HOURS, rows without a partner at once
                StreamStreamJoin: INNER on S_ID; within 1 HOURS, grace 22 HOURS
                  Project: key S_ID; S_V = V
                    Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, V]
                  Project: key R_ID; R_Q = Q
                    Source R: stream, topic x (key KAFKA, value JSON) [ID KEY, Q]
                Project: key R3_ID; R3_Q = Q
                  Source R3: stream, topic x (key KAFKA, value JSON) [ID KEY, Q]
              Project: key T_ID; T_W = W
                Source T: table, topic t (key KAFKA, value JSON) [ID KEY, W]
        ",
    );
}

#[test]
fn windowed_streams_meet_in_their_windows() {
    let windowed = |name: &str, window: &str| {
        format!("CREATE STREAM {name} (ID BIGINT KEY, V INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', {window});")
    };
    let (sessions, hours) = ("WINDOW_TYPE='SESSION'", "WINDOW_TYPE='TUMBLING', WINDOW_SIZE='1 HOUR'");
    let join = |left: &str, right: &str, on: &str| {
        let (left, right) = (windowed("A", left), windowed("B", right));
        format!("{left} {right} CREATE STREAM X AS SELECT * FROM A JOIN B WITHIN 1 MINUTE ON {on};")
    };
    for window in [sessions, hours] {
        assert_eq!(
            schema_text(&join(window, window, "A.ID = B.ID")),
            "`A_ID` BIGINT KEY, `A_WINDOWSTART` BIGINT, `A_WINDOWEND` BIGINT, `A_V` INTEGER, `B_ID` BIGINT, \
             `B_WINDOWSTART` BIGINT, `B_WINDOWEND` BIGINT, `B_V` INTEGER"
        );
    }
    let repartition = "Implicit repartitioning of windowed sources is not supported. See \
                       https://github.com/confluentinc/ksql/issues/4385.";
    for (sql, hint) in [
        (join(hours, hours, "A.V = B.V"), "join windowed sources on their keys, in the same key format"),
        (
            join("WINDOW_TYPE='HOPPING', WINDOW_SIZE='2 HOURS'", hours, "A.ID = B.ID"),
            "both sides need windows of the same type and size",
        ),
    ] {
        let error = super::planned(&sql).expect_err(&sql);
        assert_eq!((error.to_string().as_str(), error.hint().as_deref()), (repartition, Some(hint)), "{sql}");
    }
    let text = plan_text(&join(sessions, hours, "A.ID = B.ID"));
    assert!(
        text.starts_with("error: Incompatible windowed sources.\n`A` is SESSION windowed\n`B` is TUMBLING windowed"),
        "{text}"
    );
}

#[test]
fn the_key_of_a_join_is_selected() {
    let see =
        "Key missing from projection (ie, SELECT). See https://cnfl.io/2LV7ouS.\nThe query used to build `X` must";
    let cases = [
        (
            "SELECT V, Q FROM S JOIN R WITHIN 1 HOUR ON S.ID = R.ID",
            format!("{see} include the join expressions S.ID or R.ID in its projection (eg, SELECT S.ID...)."),
        ),
        (
            "SELECT V, Q FROM S JOIN R WITHIN 1 HOUR ON CAST(V AS BIGINT) = R.ID",
            format!("{see} include the join expression R.ID in its projection (eg, SELECT R.ID...)."),
        ),
        (
            "SELECT V, Q FROM S JOIN R WITHIN 1 HOUR ON V + 1 = Q + 1",
            format!(
                "{see} include the join expression ROWKEY in its projection (eg, SELECT ROWKEY...).\nROWKEY was added as a \
                 synthetic key column because the join criteria did not match any source column. This expression must be \
                 included in the projection and may be aliased."
            ),
        ),
        (
            "SELECT S.ID, S.ID AS K, Q FROM S JOIN R WITHIN 1 HOUR ON S.ID = R.ID",
            "The projection contains a key column (`S_ID`) more than once, aliased as: K and S_ID.".to_owned(),
        ),
    ];
    for (select, expected) in cases {
        assert_eq!(
            plan_text(&format!("{SECOND} CREATE STREAM X AS {select};")),
            format!("error: {expected}"),
            "{select}"
        );
    }
}

#[test]
fn results_of_joins_are_named_after_their_sources() {
    let cases = [
        (
            "SELECT * FROM R A FULL JOIN R3 B WITHIN 1 HOUR ON A.ID = B.ID",
            "`ROWKEY` BIGINT KEY, `A_ID` BIGINT, `A_NAME` STRING, `A_Q` INTEGER, `B_ID` BIGINT, `B_Q` INTEGER",
        ),
        (
            "SELECT R3.*, NAME, R.ID FROM R LEFT JOIN R3 WITHIN 1 HOUR ON R.ID = R3.ID",
            "`R_ID` BIGINT KEY, `R3_ID` BIGINT, `R3_Q` INTEGER, `NAME` STRING",
        ),
        (
            "SELECT * FROM R JOIN R3 WITHIN 1 HOUR ON R.ID = R3.ID PARTITION BY R.Q",
            "`R_Q` INTEGER KEY, `R_NAME` STRING, `R_ROWTIME` BIGINT, `R_ROWPARTITION` INTEGER, `R_ROWOFFSET` BIGINT, `R_ID` \
             BIGINT, `R3_Q` INTEGER, `R3_ROWTIME` BIGINT, `R3_ROWPARTITION` INTEGER, `R3_ROWOFFSET` BIGINT, `R3_ID` BIGINT",
        ),
        ("SELECT R3.ID, NAME FROM R LEFT JOIN R3 WITHIN 1 HOUR ON R.ID = R3.ID", "`R3_ID` BIGINT KEY, `NAME` STRING"),
    ];
    for (select, expected) in cases {
        assert_eq!(schema_text(&format!("{SECOND} CREATE STREAM X AS {select};")), expected, "{select}");
    }
}

#[test]
fn two_columns_may_be_called_alike() {
    let sources = "
        CREATE STREAM A (ID INT KEY, B_C INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
        CREATE STREAM A_B (ID INT KEY, C INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');";
    let join = "FROM A JOIN A_B WITHIN 1 HOUR ON A.ID = A_B.ID";
    assert_eq!(
        schema_text(&format!("{sources} CREATE STREAM X AS SELECT A.ID, A.B_C AS ONE, A_B.C AS TWO {join};")),
        "`A_ID` INTEGER KEY, `ONE` INTEGER, `TWO` INTEGER"
    );
    assert_eq!(
        plan_text(&format!("{sources} CREATE STREAM X AS SELECT * {join};")),
        "error: Duplicate value columns found in schema: `A_B_C` INTEGER"
    );
}

#[test]
fn clients_get_the_key_under_each_of_its_names() {
    let text = plan_text(&format!(
        "{SECOND} SELECT R3.ID, NAME FROM R LEFT JOIN R3 WITHIN 1 HOUR ON R.ID = R3.ID EMIT CHANGES;"
    ));
    assert!(text.starts_with("Client: `R3_ID` BIGINT, `NAME` STRING (until stopped)"), "{text}");
}

#[test]
fn a_name_in_both_streams_needs_its_stream() {
    check_error(
        "CREATE STREAM R (ID BIGINT KEY, NAME STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
SELECT S.ID, NAME FROM S JOIN R WITHIN 1 HOUR ON S.ID = R.ID EMIT CHANGES;",
        (2, 14),
        "Exception while preparing statement: Line: 2, Col: 14: Column 'NAME' is ambiguous. Could be S.NAME or R.NAME.",
        None,
    );
}
