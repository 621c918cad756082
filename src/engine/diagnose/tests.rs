//! Queries with little to show, and what is said of them.

use super::super::monitoring::tests::{append, engine};
use super::super::{Engine, Response, Session};

/// Titles, rows and findings, a line each; cells with `|` between them.
fn diagnosis(engine: &Engine, id: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let show = &mut |response| {
        let Response::Listing(listings) = response else { panic!("a listing") };
        for listing in listings {
            lines.extend(Some(listing.title).filter(|title| !title.is_empty()));
            lines.extend(listing.rows.iter().map(|row| row.join("|")));
        }
    };
    engine.execute(&mut Session::default(), &format!("DIAGNOSE {id};"), show).expect("the query is there");
    lines
}

fn findings(engine: &Engine, id: &str) -> Vec<String> {
    let lines = diagnosis(engine, id);
    let at = lines.iter().position(|line| line == "Findings").expect("there are always findings");
    lines[at + 1..].to_vec()
}

const STREAM: &str =
    "CREATE STREAM s (k STRING KEY, v INT) WITH (kafka_topic = 's', value_format = 'json', partitions = 1);";

#[test]
fn rows_are_followed_from_source_to_sink() {
    let (engine, topics) = engine(&format!("{STREAM} CREATE STREAM a AS SELECT k, 10 / v AS x FROM s WHERE v <> 5;"));
    let value = |v: &str| format!(r#"{{"v": {v}}}"#);
    let values = [value("5"), value("5"), value("1"), value("0"), "no JSON".to_owned()];
    let mut records: Vec<_> = values.iter().map(|value| (Some("k"), Some(value.as_str()), 0)).collect();
    records[0].0 = None;
    append(&topics, "s", &records);
    engine.settle(None).expect("nothing fails");
    let lines = diagnosis(&engine, "csas_a_1");
    assert_eq!(
        lines[1..6],
        [
            "Rows",
            "Read s|5|4|1 whose value cannot be read (went on: 1 without key)",
            "Filter-1|4|2|2 removed by WHERE",
            "Project-2|2|2|1 failed",
            "Write A|2|2|",
        ]
    );
    assert_eq!(
        findings(&engine, "CSAS_A_1"),
        [
            "20% of the records of topic s were left out: 1 whose value cannot be read. SELECT * FROM LEVADA_DEAD_LETTERS \
             WHERE QUERY_ID = 'CSAS_A_1'; shows them.",
            "50% of the rows were removed by WHERE (Filter-1).",
            "1 row failed in Project-2: SELECT * FROM LEVADA_DEAD_LETTERS WHERE QUERY_ID = 'CSAS_A_1'; shows them.",
        ]
    );
}

#[test]
fn a_source_that_gives_nothing_is_told() {
    let (engine, topics) = engine(STREAM);
    append(&topics, "s", &[(None, Some(r#"{"v": 1}"#), 0)]);
    let late = "SET 'auto.offset.reset' = 'latest'; CREATE STREAM a AS SELECT * FROM s;";
    engine.execute(&mut Session::default(), late, &mut |_| ()).expect("the statements are right");
    engine.settle(None).expect("nothing fails");
    let said = findings(&engine, "CSAS_A_1");
    assert!(said[0].starts_with("Nothing was read from topic s") && said[0].contains("'earliest'"), "{said:?}");
    engine.execute(&mut Session::default(), "PAUSE CSAS_A_1;", &mut |_| ()).expect("it runs");
    assert_eq!(findings(&engine, "CSAS_A_1")[0], "The query is paused: RESUME CSAS_A_1; lets it go on.");
}

#[test]
fn what_windows_wait_for_is_told() {
    let (engine, topics) = engine(&format!(
        "{STREAM} CREATE TABLE n AS SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 5 SECONDS) \
         GROUP BY k EMIT FINAL;"
    ));
    append(&topics, "s", &[(Some("a"), Some(r#"{"v": 1}"#), 1_000), (Some("a"), Some(r#"{"v": 1}"#), 12_000)]);
    engine.settle(None).expect("nothing fails");
    let closes = "in task 0_0 wait to be closed: the first closes when a record of 1970-01-01T00:00:15.000Z or later comes; time \
                  there is 1970-01-01T00:00:12.000Z.";
    let said = findings(&engine, "CTAS_N_1");
    assert!(said.iter().any(|line| line.starts_with("2 windows of Aggregate-") && line.ends_with(closes)), "{said:?}");
    append(&topics, "s", &[(Some("a"), Some(r#"{"v": 1}"#), 60_000), (Some("a"), Some(r#"{"v": 1}"#), 2_000)]);
    engine.settle(None).expect("nothing fails");
    let said = findings(&engine, "CTAS_N_1");
    assert!(said.iter().any(|line| line.starts_with("25% of the rows of Aggregate-")), "{said:?}");
}

#[test]
fn a_join_that_meets_nothing_is_told() {
    let (engine, topics) = engine(&format!(
        "{STREAM} CREATE STREAM t (k STRING KEY, w INT) WITH (kafka_topic = 't', value_format = 'json', partitions = 1);
         CREATE STREAM j AS SELECT s.k, v, w FROM s JOIN t WITHIN 1 SECOND ON s.k = t.k;"
    ));
    append(&topics, "s", &[(Some("a"), Some(r#"{"v": 1}"#), 0)]);
    engine.settle(None).expect("nothing fails");
    let said = findings(&engine, "CSAS_J_2");
    assert!(said.iter().any(|line| line.starts_with("1 row came from the left side of StreamStreamJoin-")), "{said:?}");
    append(&topics, "t", &[(Some("b"), Some(r#"{"w": 1}"#), 0)]);
    engine.settle(None).expect("nothing fails");
    let said = findings(&engine, "CSAS_J_2");
    assert!(said.iter().any(|line| line.starts_with("None of the 2 rows of StreamStreamJoin-")), "{said:?}");
}

#[test]
fn a_query_that_does_what_it_should_is_said_to() {
    let (engine, topics) = engine(&format!("{STREAM} CREATE STREAM a AS SELECT * FROM s;"));
    append(&topics, "s", &[(Some("a"), Some(r#"{"v": 1}"#), 0)]);
    engine.settle(None).expect("nothing fails");
    let said = findings(&engine, "CSAS_A_1");
    assert_eq!(said, ["1 record was read and processed; 1 result was written."]);
}

#[test]
fn what_is_no_query_is_refused() {
    let (engine, _) = engine(&format!("{STREAM} CREATE STREAM a AS SELECT * FROM s;"));
    let error = engine.execute(&mut Session::default(), "DIAGNOSE a;", &mut |_| ()).expect_err("a stream is no query");
    assert!(error.message.starts_with("Query with id:A does not exist"), "{error}");
    assert_eq!(error.hint.as_deref(), Some("A is filled by CSAS_A_1: DIAGNOSE CSAS_A_1"));
}
