//! Pull queries and INSERT VALUES.

use super::{SETUP, World, check_error, plan_text, planned, planned_in};
use crate::plan::{Planned, PullLookup, WindowBounds};

const COUNTS: &str = "CREATE TABLE C AS SELECT NAME, COUNT(*) AS N FROM S GROUP BY NAME;";
const PAIRS: &str = "CREATE TABLE C WITH (KEY_FORMAT='JSON') AS SELECT NAME, V, COUNT(*) AS N FROM S GROUP BY NAME, V;";
const HOURS: &str = "CREATE TABLE C AS SELECT V, COUNT(*) AS N FROM S WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY V;";

/// How the store of the table C is read.
fn lookup(table: &str, condition: &str) -> String {
    let sql = format!("{table} SELECT * FROM C WHERE {condition};");
    let Planned::Pull(pull) = planned(&sql).expect(&sql) else { panic!("{sql}") };
    match pull.lookup {
        PullLookup::Keys(columns) => {
            let fields: Vec<String> = columns.iter().map(|column| format!("{column:?}")).collect();
            let values = fields.join(" ");
            let inside = values.split(['[', ']', ',', '\n']).map(str::trim).filter(|part| !part.is_empty());
            let constants: Vec<&str> = inside.filter(|part| !part.contains("Array")).collect();
            format!("keys {}", constants.join(" "))
        }
        PullLookup::Range { from, to } => {
            let bound = |bound: &Option<(arrow::array::ArrayRef, bool)>| match bound {
                Some((_, true)) => "inclusive",
                Some((_, false)) => "exclusive",
                None => "open",
            };
            format!("range {} {}", bound(&from), bound(&to))
        }
        PullLookup::Scan => "scan".to_owned(),
    }
}

#[test]
fn conditions_on_keys_become_lookups() {
    let cases = [
        (COUNTS, "NAME = 'a'", "keys \"a\""),
        (COUNTS, "'a' = NAME AND N > 1", "keys \"a\""),
        (COUNTS, "NAME IN ('a', 'b')", "keys \"a\" \"b\""),
        (COUNTS, "NAME = 'a' OR NAME = 'b'", "keys \"a\" \"b\""),
        (COUNTS, "NAME = 'a' OR N = 1", "scan"),
        (COUNTS, "N = 1", "scan"),
        (COUNTS, "NOT NAME = 'a'", "scan"),
        (COUNTS, "NAME > 'a'", "range exclusive open"),
        (COUNTS, "NAME >= 'a' AND 'c' >= NAME", "range inclusive inclusive"),
        (COUNTS, "NAME BETWEEN 'a' AND 'c'", "range inclusive inclusive"),
        (PAIRS, "NAME = 'a' AND V = 1", "keys \"a\" 1"),
        (PAIRS, "NAME = 'a'", "scan"),
        (PAIRS, "NAME = 'a' AND V IN (1, 2)", "keys \"a\" \"a\" 1 2"),
        (HOURS, "V = 3", "keys 3"),
        (HOURS, "V > 3", "scan"),
    ];
    for (table, condition, expected) in cases {
        assert_eq!(lookup(table, condition), expected, "{condition}");
    }
}

#[test]
fn bounds_of_windows_restrict_the_read() {
    let bounds = |condition: &str| {
        let sql = format!("{HOURS} SELECT * FROM C WHERE V = 1 AND {condition};");
        match planned(&sql).expect(&sql) {
            Planned::Pull(pull) => pull.window,
            other => panic!("{other:?}"),
        }
    };
    let all = WindowBounds::ALL;
    let cases = [
        ("N > 1", all),
        ("WINDOWSTART = 5", WindowBounds { start_min: 5, start_max: 5, ..all }),
        ("WINDOWSTART > 5 AND 9 >= WINDOWSTART", WindowBounds { start_min: 6, start_max: 9, ..all }),
        ("WINDOWEND < 100", WindowBounds { end_max: 99, ..all }),
        ("(WINDOWSTART = 1 OR WINDOWSTART = 2)", all),
        ("WINDOWSTART BETWEEN 1 AND 4", WindowBounds { start_min: 1, start_max: 4, ..all }),
    ];
    for (condition, expected) in cases {
        assert_eq!(bounds(condition), expected, "{condition}");
    }
}

#[test]
fn pull_queries_that_cannot_be() {
    let see = "See https://cnfl.io/queries for more info.\nAdd EMIT CHANGES if you intended to issue a push query.";
    let cases = [
        (
            "SELECT * FROM T;",
            format!(
                "The `T` table isn't queryable. To derive a queryable table, you can do 'CREATE TABLE QUERYABLE_T AS \
                 SELECT * FROM T'. {see}"
            ),
        ),
        ("SELECT * FROM S GROUP BY ID;", format!("Pull queries don't support GROUP BY clauses. {see}")),
        ("SELECT * FROM S PARTITION BY ID;", format!("Pull queries don't support PARTITION BY clauses. {see}")),
        ("SELECT * FROM S JOIN T ON S.ID = T.ID;", format!("Pull queries don't support JOIN clauses. {see}")),
        (
            "SELECT * FROM S LIMIT -1;",
            format!("Pull queries don't support negative integers in the LIMIT clause. {see}"),
        ),
        (
            "SELECT ID, ROWOFFSET FROM S;",
            "Pull queries don't support the following columns in SELECT clauses: `ROWOFFSET`".to_owned(),
        ),
    ];
    for (sql, expected) in cases {
        let mut world = World::after(SETUP);
        world.properties.insert("levada.whole.sql.enabled".to_owned(), "false".to_owned());
        let error = planned_in(world, sql).expect_err(sql);
        assert_eq!(error.to_string(), expected, "{sql}");
    }
}

/// What pull queries have not, reads have; what they have stays a pull query.
#[test]
fn selects_beyond_pull_queries_are_reads() {
    let kept = "CREATE TABLE C AS SELECT NAME, COUNT(*) AS N FROM S GROUP BY NAME;";
    let cases = [
        ("SELECT * FROM C WHERE NAME = 'a';", false),
        ("SELECT * FROM C LIMIT 3;", false),
        ("SELECT ID FROM S WHERE V > 1;", false),
        ("SELECT * FROM T;", true),
        ("SELECT COUNT(*) FROM S;", true),
        ("SELECT S.ID FROM S JOIN C ON C.NAME = S.NAME;", true),
        ("SELECT ID FROM S ORDER BY V;", true),
        ("SELECT DISTINCT V FROM S;", true),
        ("WITH X AS (SELECT ID FROM S) SELECT * FROM X;", true),
    ];
    for (sql, expected) in cases {
        let is_read = matches!(planned(&format!("{kept} {sql}")).expect(sql), Planned::Read(_));
        assert_eq!(is_read, expected, "{sql}");
    }
}

#[test]
fn reads_look_up_keys_and_filter_before_they_join() {
    let kept = "CREATE TABLE C AS SELECT NAME, COUNT(*) AS N FROM S GROUP BY NAME;";
    let text = plan_text(&format!(
        "{kept} SELECT T.NAME, C.N FROM T LEFT JOIN C ON C.NAME = T.NAME WHERE C.NAME = 'a' AND T.W > 1 ORDER BY N DESC LIMIT 2;"
    ));
    assert!(text.contains("Sort: N DESC, the first 2\n"), "{text}");
    // Rows of the right side of a LEFT join are missing or there by ON alone; those of T are the last ones of their keys.
    assert!(!text.contains("key look-up"), "{text}");
    assert!(text.contains("C_NAME = 'a'") && text.contains("T_W > 1"), "{text}");
    let text = plan_text(&format!(
        "{kept} SELECT S.ID, C.N FROM S JOIN C ON C.NAME = S.NAME WHERE C.NAME = 'a' AND S.V > 1 AND C.N > S.V;"
    ));
    assert!(text.contains("key look-up, 1 key: 'a'"), "{text}");
    assert!(text.contains("Filter: (C_N > CAST(S_V AS BIGINT))"), "{text}");
    assert!(text.contains("Join: INNER on S_NAME = C_NAME"), "{text}");
}

/// A query of WITH is read as often as it is named: few words could mean very many.
#[test]
fn reads_have_no_more_sources_than_can_be_held() {
    let doubled = |times: usize| {
        let tables = (0..times).map(|i| format!(", A{} AS (SELECT X.ID AS ID FROM A{i} X CROSS JOIN A{i} Y)", i + 1));
        format!("WITH A0 AS (SELECT ID FROM S){} SELECT * FROM A{times};", tables.collect::<String>())
    };
    assert!(plan_text(&doubled(4)).starts_with("Client: `ID`"));
    let text = plan_text(&doubled(60));
    assert_eq!(text, "error: A query reads at most 256 sources, those of the queries inside it included");
}

#[test]
fn streams_are_read_up_to_their_end() {
    let text = plan_text("SELECT NAME FROM S WHERE V > 1 LIMIT 5;");
    assert!(text.starts_with("Client: `NAME` STRING (up to the present end of the topic, at most 5 rows)\n"), "{text}");
}

#[test]
fn inserted_values_have_the_types_of_the_columns() {
    let sql = "INSERT INTO S (ROWTIME, ID, V, NAME) VALUES (17, 1, 2, 'x');";
    let Planned::InsertValues(row) = planned(sql).expect(sql) else { panic!("{sql}") };
    let types: Vec<String> = row.key.iter().chain(&row.value).map(|array| array.data_type().to_string()).collect();
    assert_eq!(types[..4], ["Int64", "Utf8", "Int32", "Float64"]);
    let nulls: Vec<usize> = row.key.iter().chain(&row.value).map(|array| array.null_count()).collect();
    assert_eq!((nulls, row.rowtime), (vec![0, 0, 0, 1, 1, 1], Some(17)));
}

#[test]
fn values_that_cannot_be_inserted() {
    check_error(
        "INSERT INTO S (ID, NAM) VALUES (1, 'x');",
        (1, 20),
        "Column name `NAM` does not exist in `S`.",
        Some("did you mean NAME?"),
    );
    let cases = [
        ("INSERT INTO s2 VALUES (1);", "Cannot insert values into an unknown stream/table: `S2`"),
        (
            "INSERT INTO `s` VALUES (1);",
            "Cannot insert values into an unknown stream/table: `s`\nDid you mean S? Hint: try removing double quotes \
             from the source name.",
        ),
        ("INSERT INTO S (ID, ROWOFFSET) VALUES (1, 2);", "Inserting into column `ROWOFFSET` is not allowed."),
        (
            "INSERT INTO KEYLESS VALUES (1);",
            "Failed to insert values into 'KEYLESS'. Expected a value for each column. Expected Columns: [A, B]. Got [1]",
        ),
        (
            "INSERT INTO T (NAME) VALUES ('x');",
            "Failed to insert values into 'T'. Value for primary key column(s) ID is required for tables.",
        ),
        (
            "CREATE SOURCE STREAM X (A INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON'); INSERT INTO X VALUES (1);",
            "Cannot insert values into read-only stream: X",
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(plan_text(sql), format!("error: {expected}"), "{sql}");
    }
}
