//! What SELECT finds in system tables.

use arrow::util::display::array_value_to_string;

use super::super::monitoring::tests::{append, engine};
use super::super::{Engine, EngineError, Response, Session};
use crate::catalog::system_tables;

const STATEMENTS: &str = "
CREATE STREAM s (k STRING KEY, v INT) WITH (kafka_topic = 's', value_format = 'json', partitions = 1);
CREATE STREAM big AS SELECT * FROM s WHERE v > 10;
CREATE TABLE n AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;
";

fn filled() -> Engine {
    let (engine, topics) = engine(STATEMENTS);
    let records = [
        (Some("a"), Some(r#"{"v": 50}"#), 1_000),
        (Some("b"), Some("no JSON"), 2_000),
        (None, Some(r#"{"v": 1}"#), 3_000),
    ];
    append(&topics, "s", &records);
    engine.settle(None).expect("nothing fails");
    engine
}

/// Rows of the answer, cells with `|` between them.
fn select(engine: &Engine, statement: &str) -> Result<Vec<String>, EngineError> {
    let mut rows = Vec::new();
    let show = &mut |response| {
        let Response::Rows(found) = response else { return };
        for batch in &found.batches {
            let cell = |column, row| array_value_to_string(column, row).expect("a printable cell");
            let row = |row| batch.columns().iter().map(|column| cell(column, row)).collect::<Vec<_>>().join("|");
            rows.extend((0..batch.num_rows()).map(row));
        }
    };
    engine.execute(&mut Session::default(), statement, show)?;
    Ok(rows)
}

fn rows(engine: &Engine, statement: &str) -> Vec<String> {
    select(engine, statement).unwrap_or_else(|error| panic!("{statement}: {error}"))
}

#[test]
fn every_table_can_be_read_as_it_is_described() {
    let engine = filled();
    for table in system_tables() {
        let found = rows(&engine, &format!("SELECT * FROM {};", table.name));
        let width = table.schema.key.len() + table.schema.value.len();
        let is_empty = ["LEVADA_ERRORS", "LEVADA_FUNCTIONS"].contains(&&*table.name);
        assert!(is_empty || !found.is_empty(), "{} has rows", table.name);
        let texts = ["LEVADA_METRICS", "LEVADA_DEAD_LETTERS"].contains(&&*table.name);
        assert!(texts || found.iter().all(|row| row.split('|').count() == width), "{}: {found:?}", table.name);
        engine.execute(&mut Session::default(), &format!("DESCRIBE {};", table.name), &mut |_| ()).expect("described");
        let columns = table.schema.key.iter().chain(&table.schema.value);
        let columns: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
        assert_eq!(rows(&engine, &format!("SELECT {} FROM {};", columns.join(", "), table.name)).len(), found.len());
    }
}

#[test]
fn conditions_projections_and_limits_work_as_in_any_table() {
    let engine = filled();
    let query = "SELECT query_id, records_read, records_written, dead_letters, lag FROM levada_queries";
    assert_eq!(rows(&engine, &format!("{query} WHERE query_id = 'CSAS_BIG_1';")), ["CSAS_BIG_1|3|1|1|0"]);
    assert_eq!(rows(&engine, &format!("{query} WHERE records_written > 1;")), ["CTAS_N_2|3|2|1|0"]);
    assert_eq!(rows(&engine, "SELECT task FROM levada_tasks LIMIT 1;").len(), 1);
    assert_eq!(
        rows(&engine, "SELECT operator, rows_in, filtered FROM levada_operators WHERE filtered > 0;"),
        ["Filter-1|2|1"]
    );
    assert_eq!(
        rows(
            &engine,
            "SELECT topic_offset, stage, record_value FROM levada_dead_letters WHERE query_id = 'CSAS_BIG_1';"
        ),
        ["1|value|no JSON"]
    );
    assert_eq!(
        rows(&engine, "SELECT number FROM levada_metrics WHERE name = 'levada_queries' AND labels = 'state=RUNNING';"),
        ["2.0"]
    );
    assert_eq!(rows(&engine, "SELECT records, readers FROM levada_topics WHERE topic_name = 's';"), ["3|2"]);
}

#[test]
fn they_cannot_be_changed_or_followed() {
    let engine = filled();
    for (statement, expected) in [
        (
            "CREATE STREAM levada_queries (v INT) WITH (kafka_topic = 's', value_format = 'json');",
            "read and not changed",
        ),
        ("INSERT INTO levada_queries (query_id) VALUES ('a');", "read and not changed"),
        ("DROP TABLE levada_queries;", "read and not changed"),
        ("SELECT * FROM levada_queries EMIT CHANGES;", "only a SELECT without EMIT reads it"),
        ("CREATE TABLE t AS SELECT * FROM levada_queries;", "only a SELECT without EMIT reads it"),
        (
            "CREATE STREAM j AS SELECT s.v FROM s JOIN levada_queries q ON s.k = q.query_id;",
            "only a SELECT without EMIT",
        ),
    ] {
        let error = select(&engine, statement).expect_err("it cannot be done");
        assert!(error.message.contains(expected), "{statement}: {error}");
    }
}

#[test]
fn lists_of_tables_leave_them_out() {
    let engine = filled();
    assert!(engine.catalog().sources().all(|source| !source.name.starts_with("LEVADA_")));
    let scans_off = "SET 'ksql.query.pull.table.scan.enabled' = 'false'; SELECT query_id FROM levada_queries;";
    assert_eq!(rows(&engine, scans_off).len(), 2);
}
