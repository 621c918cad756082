//! Joins of two tables, on their keys and on foreign keys.

use super::{check, plan_text, schema_text};

const TABLES: &str = "
CREATE TABLE T2 (ID BIGINT PRIMARY KEY, Z INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
CREATE TABLE J (ID BIGINT PRIMARY KEY, Y INT) WITH (KAFKA_TOPIC='x', FORMAT='JSON');
CREATE TABLE TWO (A INT PRIMARY KEY, B INT PRIMARY KEY, NAME STRING, REF BIGINT) WITH (KAFKA_TOPIC='x', FORMAT='JSON');
";

fn check_plan(select: &str, expected: &str) {
    check(&format!("{TABLES} CREATE TABLE X AS {select};"), expected);
}

#[test]
fn tables_are_joined_on_their_keys() {
    check_plan(
        "SELECT T.ID, W, Z FROM T LEFT JOIN T2 ON T.ID = T2.ID",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Materialize: rows kept
            Project: key T_ID; W = T_W, Z = T2_Z
              TableTableJoin: LEFT on T_ID
                Project: key T_ID; T_W = W
                  Source T: table, topic t (key KAFKA, value JSON) [ID KEY, W]
                Project: key T2_ID; T2_Z = Z
                  Source T2: table, topic x (key KAFKA, value JSON) [ID KEY, Z]
        ",
    );
}

#[test]
fn a_table_in_another_key_format_is_rewritten() {
    check_plan(
        "SELECT ROWKEY AS ID, Y FROM T FULL JOIN J ON T.ID = J.ID",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Materialize: rows kept
            Project: key ID; Y = J_Y
              TableTableJoin: FULL on ROWKEY
                Project: key T_ID; no values
                  Source T: table, topic t (key KAFKA, value JSON) [ID KEY]
                Repartition: internal topic RightSourceKeyed-SelectKey-repartition (key KAFKA, value JSON)
                  Project: key J_ID; J_Y = Y
                    Source J: table, topic x (key JSON, value JSON) [ID KEY, Y]
        ",
    );
}

#[test]
fn keys_serve_several_joins_of_tables() {
    check_plan(
        "SELECT J.ID, W, Z, Y FROM T LEFT JOIN T2 ON T.ID = T2.ID JOIN J ON T2.ID = J.ID",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Materialize: rows kept
            Project: key J_ID; W = T_W, Z = T2_Z, Y = J_Y
              TableTableJoin: INNER on T_ID
                Project: key T_ID; T_W, T2_Z
                  TableTableJoin: LEFT on T_ID
                    Project: key T_ID; T_W = W
                      Source T: table, topic t (key KAFKA, value JSON) [ID KEY, W]
                    Project: key T2_ID; T2_Z = Z
                      Source T2: table, topic x (key KAFKA, value JSON) [ID KEY, Z]
                Repartition: internal topic RightSourceKeyed-SelectKey-repartition (key KAFKA, value JSON)
                  Project: key J_ID; J_Y = Y
                    Source J: table, topic x (key JSON, value JSON) [ID KEY, Y]
        ",
    );
}

#[test]
fn a_reference_is_joined_with_the_key_it_refers_to() {
    check_plan(
        "SELECT T.ID, TITLE FROM T LEFT JOIN N ON T.NAME + '!' = N.NAME WHERE W > 1",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Materialize: rows kept
            Project: key ID; TITLE = N_TITLE
              Filter: (T_W > 1)
                ForeignKeyJoin: LEFT on (T_NAME + '!') = N_NAME
                  Project: key T_ID; T_NAME = NAME, T_W = W
                    Source T: table, topic t (key KAFKA, value JSON) [ID KEY, NAME, W]
                  Project: key N_NAME; N_TITLE = TITLE
                    Source N: table, topic n (key KAFKA, value DELIMITED) [NAME KEY, TITLE]
        ",
    );
}

#[test]
fn all_columns_of_the_left_key_stay_the_key() {
    check_plan(
        "SELECT TWO.A AS A, TWO.B AS B, T2.ID, Z FROM TWO JOIN T2 ON TWO.REF = T2.ID",
        "
        Sink X: topic X (key JSON, value JSON, 4 partitions)
          Materialize: rows kept
            Project: key A, B; ID = T2_ID, Z = T2_Z
              ForeignKeyJoin: INNER on TWO_REF = T2_ID
                Project: key TWO_A, TWO_B; TWO_REF = REF
                  Source TWO: table, topic x (key JSON, value JSON) [A KEY, B KEY, REF]
                Project: key T2_ID; T2_ID = ID, T2_Z = Z
                  Source T2: table, topic x (key KAFKA, value JSON) [ID KEY, Z]
        ",
    );
}

#[test]
fn a_join_on_keys_may_follow_a_reference() {
    check_plan(
        "SELECT T2.ID, TITLE, Z FROM T JOIN N ON T.NAME = N.NAME LEFT JOIN T2 ON T.ID = T2.ID",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Materialize: rows kept
            Project: key T2_ID; TITLE = N_TITLE, Z = T2_Z
              TableTableJoin: LEFT on T_ID
                Project: key T_ID; N_TITLE
                  ForeignKeyJoin: INNER on T_NAME = N_NAME
                    Project: key T_ID; T_NAME = NAME
                      Source T: table, topic t (key KAFKA, value JSON) [ID KEY, NAME]
                    Project: key N_NAME; N_TITLE = TITLE
                      Source N: table, topic n (key KAFKA, value DELIMITED) [NAME KEY, TITLE]
                Project: key T2_ID; T2_Z = Z
                  Source T2: table, topic x (key KAFKA, value JSON) [ID KEY, Z]
        ",
    );
}

#[test]
fn the_key_of_a_table_with_references_is_selected() {
    let missing = |columns: &str, names: &str| {
        format!(
            "error: Primary key {columns} missing in projection. For foreign-key table-table joins, the projection must \
             include all primary key columns from the left input table (`TWO`). Missing {columns}: {names}."
        )
    };
    let cases = [
        ("SELECT NAME, Z", missing("columns", "`A`, `B`")),
        ("SELECT A, NAME, Z", missing("column", "`B`")),
        (
            "SELECT A, B, B AS C, Z",
            "error: The projection contains a key column (`TWO_B`) more than once, aliased as: B and C.".to_owned(),
        ),
    ];
    for (select, expected) in cases {
        let sql = format!("{TABLES} CREATE TABLE X AS {select} FROM TWO JOIN T2 ON REF = T2.ID;");
        assert_eq!(plan_text(&sql), expected, "{select}");
    }
}

#[test]
fn all_columns_have_the_names_of_their_tables() {
    let cases = [
        (
            "T JOIN N ON T.NAME = N.NAME",
            "`T_ID` BIGINT PRIMARY KEY, `T_NAME` STRING, `T_W` INTEGER, `N_NAME` STRING, `N_TITLE` STRING",
        ),
        ("T2 JOIN J ON T2.ID = J.ID", "`T2_ID` BIGINT PRIMARY KEY, `T2_Z` INTEGER, `J_ID` BIGINT, `J_Y` INTEGER"),
        (
            "T2 FULL JOIN J ON T2.ID = J.ID",
            "`ROWKEY` BIGINT PRIMARY KEY, `T2_ID` BIGINT, `T2_Z` INTEGER, `J_ID` BIGINT, `J_Y` INTEGER",
        ),
    ];
    for (from, expected) in cases {
        assert_eq!(schema_text(&format!("{TABLES} CREATE TABLE X AS SELECT * FROM {from};")), expected, "{from}");
    }
}
