//! What the figures say after statements over a few records.

use std::sync::Arc;

use super::*;
use crate::engine::{EngineOptions, Session};
use crate::topics::{MemoryTopics, TopicPartition, Topics, Transaction};
use crate::types::RecordChunkBuilder;

const STATEMENTS: &str = "
CREATE STREAM s (k STRING KEY, v INT) WITH (kafka_topic = 's', value_format = 'json', partitions = 1);
CREATE STREAM big AS SELECT * FROM s WHERE v > 10;
CREATE TABLE n AS SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY k;
";

/// An engine on topics in memory that has run `statements`, and its topics.
pub(in crate::engine) fn engine(statements: &str) -> (Engine, Arc<MemoryTopics>) {
    let topics = Arc::new(MemoryTopics::new());
    let properties = [("auto.offset.reset", "earliest")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let options =
        EngineOptions { threads: false, properties: properties.into_iter().collect(), ..EngineOptions::default() };
    let engine = Engine::with_options(Arc::clone(&topics) as Arc<dyn Topics>, options).expect("memory is empty");
    engine.execute(&mut Session::default(), statements, &mut |_| ()).expect("the statements are right");
    (engine, topics)
}

/// Appends records to partition 0 of `topic`: key, value, time.
pub(in crate::engine) fn append(topics: &MemoryTopics, topic: &str, records: &[(Option<&str>, Option<&str>, i64)]) {
    let mut chunk = RecordChunkBuilder::new();
    for (key, value, time) in records {
        chunk.push(key.map(str::as_bytes), value.map(str::as_bytes), *time);
    }
    let to = TopicPartition { topic: topic.into(), partition: 0 };
    let transaction = Transaction { appends: vec![(to, chunk.finish())], ..Transaction::default() };
    topics.commit(transaction).expect("memory takes every record");
}

/// Records of which one cannot be read, one has no key, one is late and two are large.
const RECORDS: [(Option<&str>, Option<&str>, i64); 6] = [
    (Some("a"), Some(r#"{"v": 1}"#), 1_000),
    (Some("a"), Some(r#"{"v": 50}"#), 25_000),
    (Some("b"), Some(r#"{"v": 60}"#), 2_000),
    (None, Some(r#"{"v": 3}"#), 26_000),
    (Some("c"), Some("no JSON"), 27_000),
    (Some("d"), None, 28_000),
];

/// The number of the figure that is written `name{label="value",…}`.
fn number(text: &str, figure: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn rows_are_counted_from_source_to_sink() {
    let (engine, topics) = engine(STATEMENTS);
    append(&topics, "s", &RECORDS);
    engine.settle(None).expect("nothing fails");
    engine.execute(&mut Session::default(), "SELECT * FROM n WHERE k = 'a';", &mut |_| ()).expect("a key look-up");
    let text = engine.metrics().to_string();
    for (figure, expected) in [
        (r#"levada_query_read_records_total{query="CSAS_BIG_1"}"#, 6.0),
        (r#"levada_query_written_records_total{query="CSAS_BIG_1"}"#, 2.0),
        (r#"levada_query_dead_letters_total{query="CSAS_BIG_1",stage="value"}"#, 1.0),
        (r#"levada_query_lag_records{query="CSAS_BIG_1"}"#, 0.0),
        (r#"levada_query_state{query="CSAS_BIG_1",state="RUNNING"}"#, 1.0),
        (r#"levada_operator_rows_in_total{query="CSAS_BIG_1",task="0_0",operator="Filter-1",port="left"}"#, 5.0),
        (r#"levada_operator_rows_total{query="CSAS_BIG_1",task="0_0",operator="Filter-1",fate="filtered"}"#, 2.0),
        (r#"levada_operator_rows_total{query="CSAS_BIG_1",task="0_0",operator="Filter-1",fate="null_value"}"#, 1.0),
        (r#"levada_task_stream_time_seconds{query="CTAS_N_2",task="0_0"}"#, 28.0),
        (r#"levada_topic_written_records_total{topic="BIG"}"#, 2.0),
        (r#"levada_topic_read_records_total{topic="s"}"#, 12.0),
        (r#"levada_queries{state="RUNNING"}"#, 2.0),
        (r#"levada_pull_query_seconds_count{kind="key_lookup"}"#, 1.0),
        (r#"ksql_ksql_engine_query_stats_messages_consumed_total{ksql_cluster="default_"}"#, 12.0),
        (r#"ksql_ksql_engine_query_stats_running_queries{ksql_cluster="default_"}"#, 2.0),
        (
            r#"ksql_ksql_metrics_ksql_queries_query_status{ksql_query="CSAS_BIG_1",ksql_cluster="default_",query_status="RUNNING"}"#,
            1.0,
        ),
        (
            r#"ksql_ksql_metrics_pull_query{ksql_service_id="default_",query_plan_type="key_lookup",attribute_name="pull_query_requests",value_type="total"}"#,
            1.0,
        ),
        (
            r#"kafka_consumer_consumer_fetch_manager_metrics_records_lag{client_type="consumer",client_id="_confluent-ksql-default_query_CSAS_BIG_1-consumer",topic="s",partition="0"}"#,
            0.0,
        ),
    ] {
        assert_eq!(number(&text, figure), Some(expected), "{figure} in\n{text}");
    }
    let late = text.lines().find(|line| line.contains("CTAS_N_2") && line.contains("fate=\"late\""));
    assert!(late.is_some_and(|line| line.ends_with(" 1")), "{late:?}");
}

/// What became of rows in the operators of the query `id` whose names begin so: `fate rows`.
fn fates(engine: &Engine, id: &str, operator: &str) -> Vec<String> {
    let snapshot = engine.metrics();
    let is = |labels: &crate::metrics::Labels, name: &str, begin: &str| {
        labels.iter().any(|(label, value)| *label == name && value.starts_with(begin))
    };
    let met = snapshot.numbers().filter(|(metric, _, labels, _)| {
        metric.name == "levada_operator_rows_total" && is(labels, "query", id) && is(labels, "operator", operator)
    });
    met.map(|(_, _, labels, number)| format!("{} {number}", labels[3].1)).collect()
}

#[test]
fn every_step_says_what_became_of_rows_that_did_not_go_on() {
    let (engine, topics) = engine(
        "CREATE STREAM s (k STRING KEY, v INT, l ARRAY<INT>) WITH (kafka_topic = 's', value_format = 'json', partitions = 1);
         CREATE TABLE t (k STRING PRIMARY KEY, w INT) WITH (kafka_topic = 't', value_format = 'json', partitions = 1);
         CREATE TABLE u (k STRING PRIMARY KEY, w INT) WITH (kafka_topic = 'u', value_format = 'json', partitions = 1);
         CREATE STREAM inner1 AS SELECT s.k, w FROM s JOIN t ON s.k = t.k;
         CREATE STREAM left2 AS SELECT s.k, w FROM s LEFT JOIN t ON s.k = t.k;
         CREATE STREAM lists3 AS SELECT k, EXPLODE(l) AS e FROM s;
         CREATE TABLE groups4 AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;
         CREATE TABLE tables5 AS SELECT t.k, t.w, u.w AS x FROM t JOIN u ON t.k = u.k;
         CREATE TABLE having6 AS SELECT k, COUNT(*) AS n FROM s GROUP BY k HAVING COUNT(*) > 5;",
    );
    append(&topics, "t", &[(Some("a"), Some(r#"{"w": 1}"#), 0), (None, Some(r#"{"w": 2}"#), 0)]);
    append(&topics, "u", &[(Some("b"), Some(r#"{"w": 1}"#), 0)]);
    let row = |list: &str| format!(r#"{{"v": 1, "l": {list}}}"#);
    let (full, empty) = (row("[1, 2]"), row("[]"));
    let records = [
        (Some("a"), Some(full.as_str()), 1_000),
        (Some("x"), Some(empty.as_str()), 2_000),
        (None, Some(r#"{"l": [3]}"#), 3_000),
        (Some("a"), None, 4_000),
    ];
    append(&topics, "s", &records);
    engine.settle(None).expect("nothing fails");
    for (query, operator, expected) in [
        ("CSAS_INNER1_", "StreamTableJoin", &["null_key 2", "null_value 1", "unmatched 1"][..]),
        ("CSAS_LEFT2_", "StreamTableJoin", &["null_key 1", "null_value 1", "unmatched 2"]),
        ("CSAS_LISTS3_", "FlatMap", &["empty 1", "null_value 1"]),
        ("CTAS_GROUPS4_", "Rekey", &["null_key 1", "null_value 1"]),
        ("CTAS_TABLES5_", "TableTableJoin", &["null_key 1", "unmatched 2"]),
        ("CTAS_HAVING6_", "Aggregate", &["null_key 1", "null_value 1"]),
    ] {
        assert_eq!(fates(&engine, query, operator), expected, "{query}");
    }
}

#[test]
fn lag_is_that_of_now_and_a_paused_query_is_told() {
    let (engine, topics) = engine(STATEMENTS);
    append(&topics, "s", &RECORDS[..2]);
    engine.settle(None).expect("nothing fails");
    append(&topics, "s", &RECORDS[..3]);
    let text = engine.metrics().to_string();
    assert_eq!(number(&text, r#"levada_query_lag_records{query="CSAS_BIG_1"}"#), Some(3.0));
    engine.execute(&mut Session::default(), "PAUSE CSAS_BIG_1;", &mut |_| ()).expect("it runs");
    let text = engine.metrics().to_string();
    assert_eq!(number(&text, r#"levada_query_state{query="CSAS_BIG_1",state="PAUSED"}"#), Some(1.0));
    assert_eq!(number(&text, r#"levada_queries{state="PAUSED"}"#), Some(1.0));
}

#[test]
fn other_layers_add_their_figures() {
    const REQUESTS: crate::metrics::Metric =
        crate::metrics::Metric::counter("levada_http_requests_total", "Requests, by path.");
    let (engine, _) = engine("");
    engine.metrics_registry().counter(&REQUESTS, &[("path", "/info")]).increment();
    let text = engine.metrics().to_string();
    assert_eq!(number(&text, r#"levada_http_requests_total{path="/info"}"#), Some(1.0));
}
