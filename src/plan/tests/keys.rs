//! Keys of results: kept, renamed, changed by PARTITION BY.

use super::{check, plan_text, schema_text};

#[test]
fn every_key_column_is_selected_once() {
    let see = "Key missing from projection (ie, SELECT). See https://cnfl.io/2LV7ouS.\n";
    let cases = [
        (
            "SELECT NAME FROM S",
            format!(
                "{see}The query used to build `X` must include the key column ID in its projection (eg, SELECT ID...)."
            ),
        ),
        (
            "SELECT ID, ID AS ID2, NAME FROM S",
            "The projection contains a key column (`ID`) more than once, aliased as: ID and ID2.".to_owned(),
        ),
        ("SELECT ID FROM S", "The projection contains no value columns.".to_owned()),
        (
            "SELECT NAME AS ID, NAME FROM S PARTITION BY V",
            format!(
                "{see}The query used to build `X` must include the partitioning expression S.V in its projection (eg, \
                 SELECT S.V...)."
            ),
        ),
        ("SELECT ID, NAME, V AS NAME FROM S", "Duplicate value columns found in schema: `NAME` INTEGER".to_owned()),
        ("SELECT ID, NAME AS ID FROM S", "Duplicate value columns found in schema: `ID` STRING".to_owned()),
    ];
    for (select, expected) in cases {
        assert_eq!(plan_text(&format!("CREATE STREAM X AS {select};")), format!("error: {expected}"), "{select}");
    }
}

#[test]
fn partition_by_makes_the_key() {
    check(
        "CREATE STREAM X AS SELECT NAME, V FROM S PARTITION BY NAME;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Rekey: key NAME; V
            Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME, V]
        ",
    );
    check(
        "CREATE STREAM X AS SELECT A, B FROM KEYLESS PARTITION BY NULL;",
        "
        Sink X: topic X (key NONE, value JSON, 4 partitions)
          Source KEYLESS: stream, topic keyless (key NONE, value JSON) [A, B]
        ",
    );
    check(
        "CREATE STREAM X AS SELECT NAME FROM S PARTITION BY NULL;",
        "
        Sink X: topic X (key NONE, value JSON, 4 partitions)
          Rekey: key none; NAME
            Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME]
        ",
    );
}

#[test]
fn partition_by_the_key_changes_nothing() {
    check(
        "CREATE STREAM X AS SELECT ID, NAME FROM S PARTITION BY ID;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key ID; NAME
            Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME]
        ",
    );
}

#[test]
fn stars_put_the_old_key_last() {
    let cases = [
        ("SELECT * FROM KEYLESS PARTITION BY B", "`B` STRING KEY, `A` INTEGER"),
        ("SELECT * FROM KEYLESS PARTITION BY A + 1", "`KSQL_COL_0` INTEGER KEY, `A` INTEGER, `B` STRING"),
        ("SELECT ID, V, D FROM S PARTITION BY V", "`V` INTEGER KEY, `ID` BIGINT, `D` DOUBLE"),
        ("SELECT A AS K, B FROM KEYLESS PARTITION BY A", "`K` INTEGER KEY, `B` STRING"),
    ];
    for (select, expected) in cases {
        assert_eq!(schema_text(&format!("CREATE STREAM X AS {select};")), expected, "{select}");
    }
}

#[test]
fn several_key_columns_need_a_format_for_them() {
    let select = "SELECT NAME, V, D FROM S PARTITION BY NAME, V";
    assert_eq!(
        schema_text(&format!("CREATE STREAM X WITH (KEY_FORMAT='JSON') AS {select};")),
        "`NAME` STRING KEY, `V` INTEGER KEY, `D` DOUBLE"
    );
    assert_eq!(
        schema_text(&format!("CREATE STREAM X AS {select};")),
        "error: Key format does not support schema.\nformat: KAFKA\n\
         schema: Persistence{columns=[`NAME` STRING KEY, `V` INTEGER KEY], features=[]}\n\
         reason: The 'KAFKA' format only supports a single field. Got: [`NAME` STRING KEY, `V` INTEGER KEY]\nStatement: \
         CREATE STREAM X AS SELECT\n  S.NAME NAME,\n  S.V V,\n  S.D D\nFROM S S\nPARTITION BY S.NAME, S.V\nEMIT CHANGES"
    );
}

#[test]
fn partitions_that_cannot_be() {
    let cases = [
        ("SELECT * FROM S PARTITION BY ()", "PARTITION BY requires at least one expression"),
        ("SELECT NAME FROM S PARTITION BY NULL, NAME", "Cannot PARTITION BY multiple columns including NULL"),
        (
            "SELECT NAME AS N FROM S PARTITION BY N",
            "Line: 1, Col: 57: PARTITION BY column 'N' cannot be resolved. 'N' must be a column in the source schema \
             since PARTITION BY is applied on the input.",
        ),
    ];
    for (select, expected) in cases {
        assert_eq!(plan_text(&format!("CREATE STREAM X AS {select};")), format!("error: {expected}"), "{select}");
    }
    assert_eq!(
        plan_text("CREATE STREAM X WITH (KEY_FORMAT='JSON') AS SELECT NAME FROM S PARTITION BY NULL;"),
        "error: Key format specified for stream without key columns."
    );
}
