//! Stream-table joins, and what joins of all kinds have in common.

use super::{SETUP, World, check, plan_text, planned, planned_in, schema_text};

#[test]
fn a_stream_keyed_by_the_join_expression_stays() {
    check(
        "CREATE STREAM X AS SELECT S.ID, S.NAME, T.NAME, W FROM S JOIN T ON S.ID = T.ID;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key S_ID; S_NAME, T_NAME, W = T_W
            StreamTableJoin: INNER on S_ID
              Project: key S_ID; S_NAME = NAME
                Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME]
              Project: key T_ID; T_NAME = NAME, T_W = W
                Source T: table, topic t (key KAFKA, value JSON) [ID KEY, NAME, W]
        ",
    );
}

#[test]
fn other_streams_are_rekeyed_through_a_topic() {
    check(
        "CREATE STREAM X AS SELECT S.NAME, TITLE, V FROM S LEFT JOIN N ON S.NAME = N.NAME;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key S_NAME; TITLE = N_TITLE, V = S_V
            StreamTableJoin: LEFT on S_NAME
              Repartition: internal topic Join-repartition (key KAFKA, value JSON)
                Rekey: key S_NAME = NAME; S_V = V
                  Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME, V]
              Project: key N_NAME; N_TITLE = TITLE
                Source N: table, topic n (key KAFKA, value DELIMITED) [NAME KEY, TITLE]
        ",
    );
}

#[test]
fn joins_go_from_left_to_right() {
    check(
        "CREATE STREAM X AS SELECT T.ID, S.V, TITLE FROM S JOIN T ON S.ID = T.ID JOIN N ON T.NAME = N.NAME;",
        "error: Key missing from projection (ie, SELECT). See https://cnfl.io/2LV7ouS.
The query used to build `X` must include the join expressions T.NAME or N.NAME in its projection (eg, SELECT T.NAME...).",
    );
    check(
        "CREATE STREAM X AS SELECT N.NAME, S.V, TITLE FROM S JOIN T ON S.ID = T.ID JOIN N ON T.NAME = N.NAME;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key N_NAME; V = S_V, TITLE = N_TITLE
            StreamTableJoin: INNER on T_NAME
              Repartition: internal topic Join-repartition (key KAFKA, value JSON)
                Rekey: key T_NAME (null keys are dropped); S_V
                  StreamTableJoin: INNER on S_ID
                    Project: key S_ID; S_V = V
                      Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, V]
                    Project: key T_ID; T_NAME = NAME
                      Source T: table, topic t (key KAFKA, value JSON) [ID KEY, NAME]
              Project: key N_NAME; N_TITLE = TITLE
                Source N: table, topic n (key KAFKA, value DELIMITED) [NAME KEY, TITLE]
        ",
    );
}

#[test]
fn the_same_key_serves_several_joins() {
    let setup = "CREATE TABLE T2 (ID BIGINT PRIMARY KEY, Z INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');";
    for left in ["S.ID", "T.ID"] {
        let text = plan_text(&format!(
            "{setup} CREATE STREAM X AS SELECT T2.ID, V, W, Z FROM S JOIN T ON S.ID = T.ID JOIN T2 ON {left} = T2.ID;"
        ));
        assert!(!text.contains("Repartition"), "{left}: {text}");
        assert!(text.contains("Project: key T2_ID; V = S_V, W = T_W, Z = T2_Z"), "{left}: {text}");
    }
}

#[test]
fn an_outer_partner_is_no_key() {
    let setup = "CREATE TABLE T2 (ID BIGINT PRIMARY KEY, Z INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');";
    let text = plan_text(&format!(
        "{setup} CREATE STREAM X AS SELECT T2.ID, V, Z FROM S LEFT JOIN T ON S.ID = T.ID JOIN T2 ON T.ID = T2.ID;"
    ));
    assert!(text.contains("Repartition: internal topic Join-repartition"), "{text}");
}

#[test]
fn tables_in_another_key_format_are_rewritten() {
    let setup = "CREATE TABLE T2 (ID BIGINT PRIMARY KEY, Z INT) WITH (KAFKA_TOPIC='x', FORMAT='JSON');";
    check(
        &format!("{setup} CREATE STREAM X AS SELECT S.ID, Z FROM S JOIN T2 ON S.ID = T2.ID;"),
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key S_ID; Z = T2_Z
            StreamTableJoin: INNER on S_ID
              Project: key S_ID; no values
                Source S: stream, topic s (key KAFKA, value JSON) [ID KEY]
              Repartition: internal topic RightSourceKeyed-SelectKey-repartition (key KAFKA, value JSON)
                Project: key T2_ID; T2_Z = Z
                  Source T2: table, topic x (key JSON, value JSON) [ID KEY, Z]
        ",
    );
}

#[test]
fn results_of_joins_get_names() {
    let cases = [
        (
            "SELECT * FROM KEYLESS K JOIN N ON K.B = N.NAME",
            "`K_B` STRING KEY, `K_A` INTEGER, `N_NAME` STRING, `N_TITLE` STRING",
        ),
        ("SELECT K.*, TITLE FROM KEYLESS K JOIN N ON K.B = N.NAME", "`K_B` STRING KEY, `K_A` INTEGER, `TITLE` STRING"),
        ("SELECT B, A FROM KEYLESS K JOIN N ON K.B = N.NAME", "`B` STRING KEY, `A` INTEGER"),
        (
            "SELECT S.ID, S.ROWTIME, T.ROWTIME, W + 1 FROM S JOIN T ON S.ID = T.ID",
            "`S_ID` BIGINT KEY, `S_ROWTIME` BIGINT, `T_ROWTIME` BIGINT, `KSQL_COL_0` INTEGER",
        ),
    ];
    for (select, expected) in cases {
        assert_eq!(schema_text(&format!("CREATE STREAM X AS {select};")), expected, "{select}");
    }
}

#[test]
fn joins_that_cannot_be() {
    let second = "CREATE STREAM S2 (ID BIGINT KEY, Q INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
        CREATE TABLE T2 (ID BIGINT PRIMARY KEY, Z INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');";
    let cases = [
        ("S JOIN T ON S.ID = T.W", "Invalid join condition: types don't match. Got S.ID{BIGINT} = T.W{INTEGER}."),
        (
            "S JOIN T ON S.V = T.W",
            "Invalid join condition: stream-table joins require to join on the table's primary key. Got S.V = T.W.",
        ),
        (
            "T JOIN S ON T.ID = S.ID",
            "Invalid join order: table-stream joins are not supported; only stream-table joins. Got T [INNER] JOIN S.",
        ),
        ("S RIGHT JOIN T ON S.ID = T.ID", "Invalid join type encountered: RIGHT [OUTER] JOIN"),
        (
            "S FULL JOIN T ON S.ID = T.ID",
            "Invalid join type: full-outer join not supported for stream-table join. Got S FULL [OUTER] JOIN T.",
        ),
        (
            "S JOIN T ON S.ID = 1",
            "Invalid comparison expression '1' in join '(S.ID = 1)'. Each side of the join comparision must contain \
             references from exactly one source.",
        ),
        (
            "S JOIN T ON S.ID = S.ID",
            "Each side of the join must reference exactly one source and not the same source. Left side references `S` \
             and right references `S`",
        ),
        (
            "S JOIN S2 ON S.ID = S2.ID",
            "Stream-Stream joins must have a WITHIN clause specified. None was provided. To learn about how to specify a \
             WITHIN clause with a stream-stream join, please visit: https://docs.confluent.io/current/ksql/docs/\
             syntax-reference.html#create-stream-as-select",
        ),
        (
            "S JOIN T WITHIN 1 HOUR ON S.ID = T.ID",
            "A window definition was provided for a Stream-Table join. These joins are not windowed. Please remove the window \
             definition (ie. the WITHIN clause) and try executing your join again.",
        ),
        (
            "T JOIN N WITHIN 1 HOUR ON T.NAME = N.NAME",
            "A window definition was provided for a Table-Table join. These joins are not windowed. Please remove the window \
             definition (i.e. the WITHIN clause) and try executing your Table-Table join again.",
        ),
        (
            "T JOIN N ON T.NAME = N.TITLE",
            "Invalid join condition: table-table joins require to join on the primary key of the right input table. Got \
             T.NAME = N.TITLE.",
        ),
        (
            "T FULL JOIN N ON T.NAME = N.NAME",
            "Invalid join type: full-outer join not supported for foreign-key table-table join. Got T FULL [OUTER] JOIN N.",
        ),
        (
            "T RIGHT JOIN N ON T.NAME = N.NAME",
            "Invalid join type: RIGHT OUTER JOIN on a foreign key is not supported. Got T RIGHT [OUTER] JOIN N.",
        ),
        (
            "T JOIN T2 ON T.ID = T2.ID JOIN N ON T.NAME = N.NAME",
            "Invalid join condition: foreign-key table-table joins are not supported as part of n-way joins. Got T.NAME = \
             N.NAME.",
        ),
        ("S JOIN T ON S.ID = T.ID JOIN T ON S.ID = T.ID", "Two sources of the join are called 'T'."),
        (
            "S JOIN T ON S.ID = T.ID AND S.V = T.W",
            "Unsupported join expression: ((S.ID = T.ID) AND (S.V = T.W)): joins on multiple conditions are not yet supported.",
        ),
        ("S JOIN S2 WITHIN 1 HOUR GRACE PERIOD -1 HOURS ON S.ID = S2.ID", "Grace period must not be negative."),
    ];
    for (from, expected) in cases {
        let text = plan_text(&format!("{second} SELECT * FROM {from} EMIT CHANGES;"));
        assert_eq!(text, format!("error: {expected}"), "{from}");
    }
}

#[test]
fn a_source_is_not_joined_with_itself_where_ksqldb_rules() {
    let cases = [
        ("S A JOIN S B WITHIN 1 HOUR ON A.ID = B.ID", "Can not join 'S' to 'S': self joins are not yet supported."),
        (
            "S JOIN T ON S.ID = T.ID JOIN T ON S.ID = T.ID",
            "N-way joins do not support multiple occurrences of the same source. Source: 'T'",
        ),
    ];
    for (from, expected) in cases {
        let mut world = World::after(SETUP);
        world.properties.insert("levada.self.joins.enabled".to_owned(), "false".to_owned());
        let error = planned_in(world, &format!("SELECT * FROM {from} EMIT CHANGES;")).expect_err(from);
        assert_eq!(error.to_string(), expected, "{from}");
        assert!(error.hint().is_some_and(|hint| hint.starts_with("make a copy of ")), "{from}");
    }
}

#[test]
fn names_in_several_sources_need_their_source() {
    assert_eq!(
        plan_text("SELECT NAME FROM S JOIN T ON S.ID = T.ID EMIT CHANGES;"),
        "error: Exception while preparing statement: Line: 1, Col: 8: Column 'NAME' is ambiguous. Could be S.NAME or T.NAME."
    );
}

#[test]
fn both_sides_have_as_many_partitions() {
    let table =
        "CREATE TABLE P (ID BIGINT PRIMARY KEY, Z INT) WITH (KAFKA_TOPIC='p', VALUE_FORMAT='JSON', PARTITIONS=2);";
    assert_eq!(
        plan_text(&format!("{table} SELECT * FROM S JOIN P ON S.ID = P.ID EMIT CHANGES;")),
        "error: Can't join `S` with `P` since the number of partitions don't match. `S` partitions = 4; `P` partitions = \
         2. Please repartition either one so that the number of partitions match."
    );
}

#[test]
fn refused_joins_say_what_to_do() {
    let tables = "CREATE TABLE T2 (ID BIGINT PRIMARY KEY, Z INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');
        CREATE TABLE TWO (A INT PRIMARY KEY, B INT PRIMARY KEY) WITH (KAFKA_TOPIC='x', FORMAT='JSON');";
    let cases = [
        ("T JOIN T2 ON W = Z", "the primary key of T2 is ID"),
        ("T JOIN TWO ON W = TWO.A", "TWO has 2 key columns, and can be joined on none of them alone"),
        ("S JOIN S ON S.ID = S.ID", "give each an alias: S a JOIN S b"),
        (
            "T JOIN T2 ON T.ID = T2.ID JOIN N ON T.NAME = N.NAME",
            "only the first join may follow a foreign key: keep the result of the joins before as a table of its own",
        ),
        ("S JOIN T ON S.ID = T.ID AND S.V = T.W", "join on one equality and put the other conditions into WHERE"),
        ("S JOIN T ON S.V = T.ID", "convert one side with CAST"),
        ("T JOIN S ON T.ID = S.ID", "put the stream first"),
    ];
    for (from, expected) in cases {
        let sql = format!("{tables} SELECT * FROM {from} EMIT CHANGES;");
        let hint = planned(&sql).map(|planned| format!("{planned:?}")).expect_err(&sql).hint();
        assert_eq!(hint.as_deref(), Some(expected), "{from}");
    }
}

#[test]
fn hundreds_of_sources_can_be_joined_but_not_any_number() {
    let table = |i: usize| {
        format!(
            "CREATE TABLE T{i} (ID INT PRIMARY KEY, V INT) WITH (KAFKA_TOPIC='t{i}', VALUE_FORMAT='JSON', PARTITIONS=4);"
        )
    };
    let query = |joins: usize| {
        let joined: Vec<String> = (1..=joins).map(|i| format!(" JOIN T{i} ON T0.ID = T{i}.ID")).collect();
        let (joined, tables) = (joined.concat(), (0..=joins).map(table).collect::<String>());
        format!("{tables} CREATE TABLE X AS SELECT T0.ID, T{joins}.V FROM T0{joined};")
    };
    assert!(plan_text(&query(300)).starts_with("Sink X: topic X"));
    let refusal = plan_text(&query(501));
    assert!(refusal.contains("A query can have at most 500 joins. This one has 501."), "{refusal}");
}
