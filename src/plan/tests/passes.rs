//! What the passes make of plans, and what they leave alone.

use super::{Planned, SETUP, World, check, planned, planned_in};

/// The lines of EXPLAIN about passes, without those of `unused columns` that only say what is decoded.
fn passes(sql: &str) -> Vec<String> {
    let text = match planned(&format!("{SOURCES}EXPLAIN {sql}")) {
        Ok(Planned::Explain { text }) => text,
        other => panic!("{sql}: {other:?}"),
    };
    let lines = text.split_once("\nPasses\n").map_or("", |(_, lines)| lines).lines();
    lines.map(|line| line.trim().to_owned()).filter(|line| !line.contains(" decodes ")).collect()
}

const SOURCES: &str =
    "CREATE STREAM R (ID BIGINT KEY, NAME STRING, Q INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON'); ";

fn filter_of(condition: &str) -> String {
    let text = super::plan_text(&format!("CREATE STREAM X AS SELECT ID, V FROM S WHERE {condition};"));
    let filter = text.lines().find_map(|line| line.trim().strip_prefix("Filter: "));
    filter.unwrap_or("none").to_owned()
}

#[test]
fn constants_are_folded() {
    let cases = [
        ("V > 1 + 2 * 3", "(V > 7)"),
        ("V > CAST('12' AS INT)", "(V > 12)"),
        ("D > 1", "(D > 1.0)"),
        ("NAME = 'a' + 'b'", "(NAME = 'ab')"),
        ("NAME = CONCAT('a', 'b')", "(NAME = 'ab')"),
        ("V = CASE WHEN 2 > 1 THEN 10 ELSE 20 END", "(V = 10)"),
        ("V BETWEEN 1 AND 1 + 1", "((V >= 1) AND (V <= 2))"),
        ("V IN (1 + 1, 3)", "(V IN (2, 3))"),
        ("1 + 1 = 2 AND V > 1", "(V > 1)"),
        ("V > 1 OR FALSE", "(V > 1)"),
        ("NOT (1 > 2) AND (V > 1 AND TRUE)", "(V > 1)"),
        ("FALSE AND V / 0 > 1", "false"),
        ("TRUE OR V / 0 > 1", "true"),
        ("V > 1 AND FALSE", "false"),
    ];
    for (condition, expected) in cases {
        assert_eq!(filter_of(condition), expected, "{condition}");
    }
}

#[test]
fn what_fails_or_is_null_in_every_row_stays() {
    let cases = [
        ("V > 1 / 0", "(V > (1 / 0))"),
        ("V > CAST('x' AS INT)", "(V > CAST('x' AS INTEGER))"),
        ("V / 0 > 1 AND FALSE", "(((V / 0) > 1) AND false)"),
        // AND and OR report an operand that is NULL.
        ("TRUE AND CAST(NAME AS BOOLEAN)", "(true AND CAST(NAME AS BOOLEAN))"),
        ("CAST(NAME AS BOOLEAN) OR FALSE", "(CAST(NAME AS BOOLEAN) OR false)"),
    ];
    for (condition, expected) in cases {
        assert_eq!(filter_of(condition), expected, "{condition}");
    }
}

#[test]
fn a_condition_that_is_always_true_goes_unless_it_drops_null_values() {
    assert_eq!(filter_of("1 = 1"), "true");
    check(
        "CREATE STREAM X AS SELECT S.ID AS ID, W FROM S JOIN T ON S.ID = T.ID WHERE 1 = 1;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key ID; W = T_W
            StreamTableJoin: INNER on S_ID
              Project: key S_ID; no values
                Source S: stream, topic s (key KAFKA, value JSON) [ID KEY]
              Project: key T_ID; T_W = W
                Source T: table, topic t (key KAFKA, value JSON) [ID KEY, W]
        ",
    );
    let without_having = passes("CREATE TABLE X AS SELECT NAME, COUNT(*) AS C FROM S GROUP BY NAME HAVING 2 > 1;");
    assert_eq!(
        without_having,
        ["fold constants: (2 > 1) → true", "fold constants: the condition that is always true is gone"]
    );
}

#[test]
fn the_largest_part_that_was_folded_is_shown() {
    assert_eq!(
        passes("CREATE STREAM X AS SELECT ID, V + (1 + 2) * 3 AS N FROM S WHERE D > 0 AND (TRUE AND V > 2 - 1);"),
        ["fold constants: (true AND (V > (2 - 1))) → (V > 1)", "fold constants: ((1 + 2) * 3) → 9"]
    );
}

#[test]
fn conditions_on_the_stream_are_checked_before_its_joins_with_tables() {
    check(
        "CREATE STREAM X AS SELECT N.NAME, TITLE, W FROM S LEFT JOIN T ON S.ID = T.ID JOIN N ON S.NAME = N.NAME
           WHERE V > 1 AND T.W > 2 AND S.ROWTIME > 5 AND N.TITLE <> 'x';",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key N_NAME; TITLE = N_TITLE, W = T_W
            Filter: (N_TITLE <> 'x')
              StreamTableJoin: INNER on S_NAME
                Repartition: internal topic Join-repartition (key KAFKA, value JSON)
                  Rekey: key S_NAME (null keys are dropped); T_W
                    Filter: (T_W > 2)
                      StreamTableJoin: LEFT on S_ID
                        Project: key S_ID; S_NAME = NAME
                          Filter: ((V > 1) AND (ROWTIME > 5))
                            Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME, V]
                        Project: key T_ID; T_W = W
                          Source T: table, topic t (key KAFKA, value JSON) [ID KEY, W]
                Project: key N_NAME; N_TITLE = TITLE
                  Source N: table, topic n (key KAFKA, value DELIMITED) [NAME KEY, TITLE]
        ",
    );
    assert_eq!(
        passes(
            "CREATE STREAM X AS SELECT N.NAME, TITLE FROM S JOIN N ON S.NAME = N.NAME WHERE V > 1 AND TITLE IS NOT NULL;"
        ),
        [
            "filter before join: (S_V > 1) is checked before the join with N and the topic Join-repartition",
            "unused columns: carried no further: S_V",
        ]
    );
}

#[test]
fn conditions_that_may_fail_and_those_after_them_stay_above_the_join() {
    let join = "CREATE STREAM X AS SELECT S.ID AS ID, W FROM S JOIN T ON S.ID = T.ID WHERE";
    let moved = |condition: &str| -> Vec<String> {
        let lines = passes(&format!("{join} {condition};")).into_iter();
        lines.filter_map(|line| Some(line.strip_prefix("filter before join: ")?.to_owned())).collect()
    };
    let before = |condition: &str| vec![format!("{condition} is checked before the join with T")];
    assert_eq!(moved("V > 1"), before("(S_V > 1)"));
    assert_eq!(moved("V > 1 OR D < 2.5"), before("((S_V > 1) OR (S_D < 2.5))"));
    assert_eq!(moved("W > 1 AND V > 1"), before("(S_V > 1)"), "a condition on the table that cannot fail is passed by");
    assert_eq!(moved("V / 2 > 1"), Vec::<String>::new());
    assert_eq!(moved("V / 2 > 1 AND V > 1"), Vec::<String>::new(), "rows that the first fails for are reported");
    assert_eq!(moved("V > 1 AND V / 2 > 1"), before("(S_V > 1)"));
    assert_eq!(moved("S.NAME LIKE 'a%'"), Vec::<String>::new(), "LIKE fails for NULL");
    assert_eq!(moved("V > W"), Vec::<String>::new());
}

#[test]
fn a_condition_stays_behind_a_key_that_may_fail() {
    check(
        "CREATE STREAM X AS SELECT T.ID, W FROM S JOIN T ON CAST(S.NAME AS BIGINT) = T.ID WHERE V > 1;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key T_ID; W = T_W
            StreamTableJoin: INNER on T_ID
              Repartition: internal topic Join-repartition (key KAFKA, value JSON)
                Filter: (S_V > 1)
                  Rekey: key T_ID = CAST(NAME AS BIGINT) (null keys are dropped); S_V = V
                    Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME, V]
              Project: key T_ID; T_W = W
                Source T: table, topic t (key KAFKA, value JSON) [ID KEY, W]
        ",
    );
}

#[test]
fn conditions_stay_above_joins_that_keep_rows_of_both_sides() {
    let moves = |sql: &str| passes(sql).iter().any(|line| line.starts_with("filter before join"));
    assert!(!moves(
        "CREATE STREAM X AS SELECT S.ID AS ID, Q FROM S JOIN R WITHIN 1 HOUR ON S.ID = R.ID WHERE S.V > 1;"
    ));
    assert!(!moves("CREATE TABLE X AS SELECT T.ID, TITLE FROM T JOIN N ON T.NAME = N.NAME WHERE T.W > 1;"));
    let above = passes(
        "CREATE STREAM X AS SELECT S.ID AS ID, Q, W FROM S JOIN R WITHIN 1 HOUR ON S.ID = R.ID JOIN T ON S.ID = T.ID
           WHERE S.V > 1;",
    );
    assert!(above.contains(&"filter before join: (S_V > 1) is checked before the join with T".to_owned()), "{above:?}");
}

#[test]
fn a_column_that_only_a_moved_condition_uses_goes_through_no_topic_and_no_join() {
    check(
        "CREATE TABLE X AS SELECT TITLE, COUNT(*) AS C FROM S JOIN N ON S.NAME = N.NAME WHERE V > 1 GROUP BY TITLE;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key TITLE; C = KSQL_AGG_VARIABLE_0
            Aggregate by N_TITLE: KSQL_AGG_VARIABLE_0 = COUNT(*)
              Repartition: internal topic Aggregate-GroupBy-repartition (key KAFKA, value JSON)
                Rekey: key N_TITLE (null keys are rejected); no values
                  StreamTableJoin: INNER on S_NAME
                    Repartition: internal topic Join-repartition (key KAFKA, value JSON)
                      Rekey: key S_NAME = NAME (null keys are dropped); no values
                        Filter: (V > 1)
                          Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME, V]
                    Project: key N_NAME; N_TITLE = TITLE
                      Source N: table, topic n (key KAFKA, value DELIMITED) [NAME KEY, TITLE]
        ",
    );
}

#[test]
fn a_column_that_is_folded_away_is_not_decoded() {
    check(
        "CREATE STREAM X AS SELECT ID, NAME FROM S WHERE V > 1 OR (FALSE AND D > 1 AND ROWOFFSET > 5);",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key ID; NAME
            Filter: (V > 1)
              Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME, V]
        ",
    );
}

#[test]
fn an_argument_of_several_aggregates_is_computed_once() {
    check(
        "CREATE TABLE X AS SELECT ID, SUM(V + 1) AS A, MIN(V + 1) AS B, MAX((V + 1)) AS C FROM S GROUP BY ID;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key ID; A = KSQL_AGG_VARIABLE_0, B = KSQL_AGG_VARIABLE_1, C = KSQL_AGG_VARIABLE_2
            Aggregate by ID: KSQL_AGG_VARIABLE_0 = SUM(KSQL_INTERNAL_COL_0), KSQL_AGG_VARIABLE_1 = MIN(KSQL_INTERNAL_COL_0), KSQL_AGG_VARIABLE_2 = MAX(KSQL_INTERNAL_COL_0)
              Project: key ID; KSQL_INTERNAL_COL_0 = (V + 1)
                Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, V]
        ",
    );
}

/// The internal topics of a query.
fn topics(sql: &str) -> Vec<String> {
    let text = super::plan_text(&format!("{SOURCES}{sql}"));
    let topics = text.lines().filter_map(|line| line.trim().strip_prefix("Repartition: internal topic "));
    topics.filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect()
}

#[test]
fn rows_that_have_the_key_already_go_through_no_topic() {
    let none: [&str; 0] = [];
    assert_eq!(topics("CREATE TABLE X AS SELECT ID, COUNT(*) AS C FROM S GROUP BY (ID);"), none);
    assert_eq!(
        topics(
            "CREATE STREAM RENAMED AS SELECT ID AS K, V FROM S; CREATE TABLE X AS SELECT K, COUNT(*) AS C FROM RENAMED A
               GROUP BY A.K;"
        ),
        none
    );
    let joined = "CREATE TABLE X AS SELECT S.NAME, COUNT(*) AS C FROM S LEFT JOIN N ON S.NAME = N.NAME GROUP BY";
    assert_eq!(topics(&format!("{joined} S.NAME;")), ["Join-repartition"]);
    assert_eq!(
        passes("CREATE TABLE X AS SELECT S.NAME, COUNT(*) AS C FROM S LEFT JOIN N ON S.NAME = N.NAME GROUP BY S.NAME;"),
        ["repartition avoided: rows are keyed by S_NAME already, for the aggregation"]
    );
}

#[test]
fn rows_that_went_through_a_topic_by_the_same_key_go_through_no_other() {
    check(
        "CREATE TABLE X AS SELECT CAST(S.NAME AS STRING) AS NAME, COUNT(*) AS C FROM S JOIN N ON S.NAME = N.NAME
           GROUP BY CAST(S.NAME AS STRING);",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key NAME; C = KSQL_AGG_VARIABLE_0
            Aggregate by KSQL_COL_0: KSQL_AGG_VARIABLE_0 = COUNT(*)
              Rekey: key KSQL_COL_0 = S_NAME (null keys are rejected); no values
                StreamTableJoin: INNER on S_NAME
                  Repartition: internal topic Join-repartition (key KAFKA, value JSON)
                    Rekey: key S_NAME = NAME (null keys are dropped); no values
                      Source S: stream, topic s (key KAFKA, value JSON) [ID KEY, NAME]
                  Project: key N_NAME; no values
                    Source N: table, topic n (key KAFKA, value DELIMITED) [NAME KEY]
        ",
    );
}

#[test]
fn topics_that_decide_the_order_or_the_partition_stay() {
    let group_by = ["Aggregate-GroupBy-repartition"];
    // Who writes the source's topic may choose other partitions.
    assert_eq!(
        topics("CREATE TABLE X AS SELECT CAST(ID AS BIGINT) AS K, COUNT(*) AS C FROM S GROUP BY CAST(ID AS BIGINT);"),
        group_by
    );
    assert_eq!(topics("CREATE TABLE X AS SELECT ID, COUNT(*) AS C FROM T GROUP BY ID;"), group_by);
    // A row without a partner has no N.NAME.
    assert_eq!(
        topics("CREATE TABLE X AS SELECT N.NAME, COUNT(*) AS C FROM S LEFT JOIN N ON S.NAME = N.NAME GROUP BY N.NAME;"),
        ["Aggregate-GroupBy-repartition", "Join-repartition"]
    );
}

#[test]
fn constants_of_reads_are_folded_too() {
    assert_eq!(
        passes("SELECT V + (1 + 1) FROM S WHERE D > 1 + 1 EMIT CHANGES;"),
        ["fold constants: CAST((1 + 1) AS DOUBLE) → 2.0", "fold constants: (1 + 1) → 2"]
    );
    let of_table = planned(
        "CREATE TABLE C AS SELECT NAME, COUNT(*) AS N FROM S GROUP BY NAME; EXPLAIN SELECT N FROM C WHERE N > 1 + 1;",
    );
    let Ok(Planned::Explain { text }) = of_table else { panic!("{of_table:?}") };
    assert!(text.ends_with("\nPasses\n  fold constants: CAST((1 + 1) AS BIGINT) → 2\n"), "{text}");
}

#[test]
fn explain_says_who_reads_the_same_records() {
    let queries = "
        CREATE STREAM A AS SELECT ID, V FROM S;
        CREATE TABLE B AS SELECT NAME, COUNT(*) AS C FROM S GROUP BY NAME;
        CREATE STREAM OTHER AS SELECT * FROM KEYLESS;
        CREATE STREAM AS_TEXT (ID BIGINT KEY, V STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
        CREATE STREAM OTHER_WAY AS SELECT ID, V FROM AS_TEXT;
    ";
    let shared = |shares_decodes: bool, statement: &str| -> Vec<String> {
        let world = World { shares_decodes, ..World::after(SETUP) };
        let Ok(Planned::Explain { text }) = planned_in(world, &format!("{queries} EXPLAIN {statement};")) else {
            panic!("{statement}")
        };
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix("shared decode: "));
        lines.map(str::to_owned).collect()
    };
    let statement = "SELECT ID, D FROM S WHERE V > 1 EMIT CHANGES";
    assert_eq!(shared(true, statement), ["topic s with CSAS_A_0, CTAS_B_1, 3 of 5 value columns"]);
    assert_eq!(shared(true, "SELECT * FROM T EMIT CHANGES"), [""; 0]);
    assert_eq!(shared(false, statement), [""; 0], "topics whose readers get copies share nothing");
}

#[test]
fn a_condition_moves_below_hundreds_of_joins() {
    let table = |i: usize| {
        format!(
            "CREATE TABLE T{i} (ID BIGINT PRIMARY KEY, W INT) WITH (KAFKA_TOPIC='t{i}', VALUE_FORMAT='JSON', PARTITIONS=4);"
        )
    };
    let tables = (1..=400).map(table).collect::<Vec<_>>().concat();
    let joined = (1..=400).map(|i| format!(" JOIN T{i} ON S.ID = T{i}.ID")).collect::<Vec<_>>().concat();
    let text = super::plan_text(&format!(
        "{tables} CREATE STREAM X AS SELECT S.ID, T1.W, T400.W AS Z FROM S{joined} WHERE V > 1 AND T7.W > 2;"
    ));
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let filters: Vec<usize> = (0..lines.len()).filter(|i| lines[*i].starts_with("Filter")).collect();
    assert_eq!(filters.len(), 2, "{text}");
    assert!(lines[filters[0] + 1].starts_with("StreamTableJoin"), "the condition on T7 is over its join");
    assert!(lines[filters[1] + 1].starts_with("Source S:"), "the condition on S is over S");
}

#[test]
fn what_only_table_functions_use_is_not_repeated_in_their_rows() {
    check(
        "CREATE STREAM LISTS (ID INT KEY, UNUSED INT, NAME STRING, XS ARRAY<INT>) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON'); \
         CREATE STREAM X AS SELECT ID, EXPLODE(XS) + EXPLODE(ARRAY[1 + 1]) AS V, NAME, EXPLODE(XS) AS X FROM LISTS;",
        "
        Sink X: topic X (key KAFKA, value JSON, 4 partitions)
          Project: key ID; V = (KSQL_SYNTH_0 + KSQL_SYNTH_1), NAME, X = KSQL_SYNTH_0
            FlatMap: NAME, KSQL_SYNTH_0 = EXPLODE(XS), KSQL_SYNTH_1 = EXPLODE(ARRAY[2])
              Source LISTS: stream, topic x (key KAFKA, value JSON) [ID KEY, NAME, XS]",
    );
}
