//! What EXPLAIN shows: the steps, and what each sub-topology reads, keeps and writes.

use super::{Planned, check_error, planned};

fn check_explained(sql: &str, expected: &str) {
    let text = match planned(sql) {
        Ok(Planned::Explain { text }) => text,
        other => panic!("{sql}: {other:?}"),
    };
    let indent =
        expected.lines().find(|line| !line.trim().is_empty()).map_or(0, |line| line.len() - line.trim_start().len());
    let expected: Vec<&str> = expected.lines().map(|line| line.get(indent..).unwrap_or("")).collect();
    assert_eq!(text.trim(), expected.join("\n").trim(), "\n{sql}");
}

#[test]
fn a_stateless_query_is_one_sub_topology() {
    check_explained(
        "EXPLAIN CREATE STREAM X AS SELECT ID, V FROM S WHERE V > 1;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key ID; V
            Filter: (V > 1)
              Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, V]

        Topology
          Sub-topology 0, 4 tasks
            reads   topic s, 4 partitions
            writes  topic X, 4 partitions

        Passes
          unused columns: S decodes 1 of 5 value columns
        ",
    );
}

#[test]
fn a_group_by_another_column_goes_through_an_internal_topic() {
    check_explained(
        "EXPLAIN CREATE TABLE X AS SELECT NAME, COUNT(*) AS C FROM S WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY NAME;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key NAME; C = KSQL_AGG_VARIABLE_0
            Aggregate by NAME: KSQL_AGG_VARIABLE_0 = COUNT(*); window TUMBLING 1 HOURS, grace 23 HOURS, retention 1 DAYS
              Repartition: internal topic Aggregate-GroupBy-repartition (key KAFKA, value JSON)
                Rekey: key NAME (null keys are rejected); no values
                  Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME]

        Topology (internal topics are called _confluent-ksql-default_query_CTAS_X_0-…, changelogs of stores _confluent-ksql-default_query_CTAS_X_0-…-changelog)
          Sub-topology 0, 4 tasks
            reads   topic s, 4 partitions
            writes  internal topic Aggregate-GroupBy-repartition, 4 partitions
          Sub-topology 1, 4 tasks
            reads   internal topic Aggregate-GroupBy-repartition, 4 partitions
            keeps   Aggregate-Materialize-1: aggregates by NAME STRING and window, for 1 DAYS
            writes  topic X, 4 partitions

        Passes
          unused columns: S decodes 1 of 5 value columns
        ",
    );
}

#[test]
fn internal_topics_have_as_many_partitions_as_what_they_meet() {
    check_explained(
        "CREATE STREAM SMALL (ID INT KEY, NAME STRING) WITH (KAFKA_TOPIC='small', VALUE_FORMAT='JSON', PARTITIONS=2);
         CREATE TABLE P (NAME STRING PRIMARY KEY, TITLE STRING) WITH (KAFKA_TOPIC='p', VALUE_FORMAT='JSON', PARTITIONS=2);
         EXPLAIN SELECT P.NAME, TITLE, COUNT(*) FROM SMALL JOIN P ON SMALL.NAME = P.NAME GROUP BY P.NAME, TITLE EMIT CHANGES LIMIT 3;",
        "
        Client: `P_NAME` STRING, `TITLE` STRING, `KSQL_COL_0` BIGINT (until stopped, at most 3 rows)
          Project: key P_NAME, P_TITLE; KSQL_COL_0 = KSQL_AGG_VARIABLE_0
            Aggregate by P_NAME, P_TITLE: KSQL_AGG_VARIABLE_0 = COUNT(*)
              Repartition: internal topic Aggregate-GroupBy-repartition (key JSON, value JSON)
                Rekey: key P_NAME = SMALL_NAME, P_TITLE (null keys are rejected); no values
                  StreamTableJoin: INNER on SMALL_NAME
                    Repartition: internal topic Join-repartition (key KAFKA, value JSON)
                      Rekey: key SMALL_NAME = NAME (null keys are dropped); no values
                        Source SMALL: stream, topic small (key KAFKA, value JSON) [ID KEY, NAME]
                    Project: key P_NAME; P_TITLE = TITLE
                      Source P: table, topic p (key KAFKA, value JSON) [NAME KEY, TITLE]

        Topology
          Sub-topology 0, 2 tasks
            reads   topic small, 2 partitions
            writes  internal topic Join-repartition, 2 partitions
          Sub-topology 1, 2 tasks
            reads   internal topic Join-repartition, 2 partitions
            reads   topic p, 2 partitions
            keeps   StreamTableJoin-Table-1: rows by P_NAME STRING
            writes  internal topic Aggregate-GroupBy-repartition, 2 partitions
          Sub-topology 2, 2 tasks
            reads   internal topic Aggregate-GroupBy-repartition, 2 partitions
            keeps   Aggregate-Materialize-2: aggregates by P_NAME STRING, P_TITLE STRING
            answers the client
        ",
    );
}

#[test]
fn joined_streams_are_kept_for_their_window() {
    check_explained(
        "CREATE STREAM R (ID BIGINT KEY, Q INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
         EXPLAIN CREATE STREAM X AS SELECT S.ID, V, Q FROM S LEFT JOIN R WITHIN 1 HOUR GRACE PERIOD 1 MINUTE ON S.ID = R.ID;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key S_ID; V = S_V, Q = R_Q
            StreamStreamJoin: LEFT on S_ID; within 1 HOURS, grace 1 MINUTES
              Project: key S_ID; S_V = V
                Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, V]
              Project: key R_ID; R_Q = Q
                Source R: stream, topic x (key KAFKA, value JSON) [ID KEY, Q]

        Topology (changelogs of stores _confluent-ksql-default_query_CSAS_X_0-…-changelog)
          Sub-topology 0, 4 tasks
            reads   topic s, 4 partitions
            reads   topic x, 4 partitions
            keeps   StreamStreamJoin-Left-1: records by S_ID BIGINT and time, for 121 MINUTES
            keeps   StreamStreamJoin-Right-2: records by R_ID BIGINT and time, for 121 MINUTES
            keeps   StreamStreamJoin-Unmatched-3: records that wait for a partner
            writes  topic X, 4 partitions

        Passes
          repartition avoided: rows are keyed by S_ID already, for the join with R
          repartition avoided: rows are keyed by R_ID already, for the join with S
          unused columns: S decodes 1 of 5 value columns
        ",
    );
}

#[test]
fn references_go_to_where_the_other_table_is() {
    check_explained("EXPLAIN CREATE TABLE X AS SELECT T.ID, TITLE FROM T JOIN N ON T.NAME = N.NAME;", "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Materialize: rows kept
            Project: key ID; TITLE = N_TITLE
              ForeignKeyJoin: INNER on T_NAME = N_NAME
                Project: key T_ID; T_NAME = NAME
                  Source T: table, topic t (key KAFKA, value JSON) [ID KEY, NAME]
                Project: key N_NAME; N_TITLE = TITLE
                  Source N: table, topic n (key KAFKA, value DELIMITED) [NAME KEY, TITLE]

        Topology (internal topics are called _confluent-ksql-default_query_CTAS_X_0-…, changelogs of stores _confluent-ksql-default_query_CTAS_X_0-…-changelog)
          Sub-topology 0, 4 tasks
            reads   topic n, 4 partitions
            reads   internal topic ForeignKeyJoin-References, 4 partitions
            keeps   ForeignKeyJoin-Right-2: rows by N_NAME STRING
            keeps   ForeignKeyJoin-Subscriptions-3: who refers to what, by N_NAME STRING and T_ID BIGINT
            writes  internal topic ForeignKeyJoin-Answers, 4 partitions
          Sub-topology 1, 4 tasks
            reads   topic t, 4 partitions
            reads   internal topic ForeignKeyJoin-Answers, 4 partitions
            keeps   ForeignKeyJoin-Left-1: rows by T_ID BIGINT
            keeps   Project-Last-4: rows by ID BIGINT
            writes  internal topic ForeignKeyJoin-References, 4 partitions
            writes  topic X, 4 partitions

        Passes
          unused columns: T decodes 1 of 2 value columns
        ");
}

#[test]
fn a_pull_query_with_keys_is_a_look_up() {
    check_explained(
        "CREATE TABLE C AS SELECT NAME, COUNT(*) AS N FROM S GROUP BY NAME;
         EXPLAIN SELECT * FROM C WHERE NAME IN ('a', 'b') AND N > 1;",
        "
        Client: `NAME` STRING, `N` BIGINT
          Filter: the WHERE clause, on every row found
            Table C, kept by CTAS_C_0: key look-up, 2 keys: 'a', 'b'
        ",
    );
}

#[test]
fn a_pull_query_may_look_at_a_range_or_at_all_rows() {
    let counts = "CREATE TABLE C AS SELECT NAME, COUNT(*) AS N FROM S GROUP BY NAME;";
    let cases = [
        ("NAME >= 'a' AND NAME < 'c'", "range of keys, after 'a' or at it and before 'c', found by a table scan"),
        ("NAME > 'a'", "range of keys, after 'a', found by a table scan"),
        ("N > 1", "table scan, every row is looked at"),
        ("NAME = 'a' OR N > 1", "table scan, every row is looked at"),
    ];
    for (condition, expected) in cases {
        let sql = format!("{counts} EXPLAIN SELECT * FROM C WHERE {condition};");
        let Ok(Planned::Explain { text }) = planned(&sql) else { panic!("{sql}") };
        assert!(text.contains(&format!("Table C, kept by CTAS_C_0: {expected}\n")), "{text}");
    }
}

#[test]
fn only_queries_are_explained() {
    check_error("EXPLAIN DROP STREAM S;", (1, 9), "The provided statement does not run a ksql query", None);
}
