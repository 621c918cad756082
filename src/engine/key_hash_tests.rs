//! How often keys are hashed: once for each record in each operator that looks keys up.

use std::sync::Arc;

use super::*;
use crate::runtime::clock::ManualClock;
use crate::state::HASHED;
use crate::topics::{MemoryTopics, TopicPartition, Transaction};
use crate::types::RecordChunkBuilder;

const SOURCES: &str = "
CREATE STREAM s (k STRING KEY, n BIGINT) WITH (kafka_topic = 's', value_format = 'json', partitions = 1);
CREATE STREAM o (k STRING KEY, n BIGINT) WITH (kafka_topic = 'o', value_format = 'json', partitions = 1);
CREATE TABLE t (k STRING PRIMARY KEY, n BIGINT) WITH (kafka_topic = 't', value_format = 'json', partitions = 1);
CREATE TABLE u (k STRING PRIMARY KEY, n BIGINT) WITH (kafka_topic = 'u', value_format = 'json', partitions = 1);
";
/// Topics of the sources.
const TOPICS: [&str; 4] = ["s", "o", "t", "u"];
/// Records of each topic, and their keys in turn.
const RECORDS: u64 = 1_000;
const KEYS: u64 = 50;

fn append(topics: &dyn Topics, topic: &str) {
    let mut chunk = RecordChunkBuilder::new();
    for i in 0..RECORDS {
        chunk.push(Some(format!("k{}", i % KEYS).as_bytes()), Some(format!(r#"{{"N": {i}}}"#).as_bytes()), i as i64);
    }
    let to = TopicPartition { topic: topic.into(), partition: 0 };
    let appends = vec![(to, chunk.finish())];
    topics.commit(Transaction { appends, ..Transaction::default() }).expect("memory takes every record");
}

/// Keys hashed for each record of the topics that `sql` reads.
fn hashed_per_record(sql: &str, read: &[&str]) -> f64 {
    let topics: Arc<dyn Topics> = Arc::new(MemoryTopics::new());
    let properties = [("auto.offset.reset", "earliest")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let clock = Arc::new(ManualClock::default());
    let options = EngineOptions {
        threads: false,
        clock,
        properties: properties.into_iter().collect(),
        ..EngineOptions::default()
    };
    let engine = Engine::with_options(Arc::clone(&topics), options).expect("memory opens");
    engine.execute(&mut Session::default(), &format!("{SOURCES}{sql}"), &mut |_| ()).expect("the statements are right");
    // Keys are known, and tables filled, when as many have come before.
    TOPICS.iter().for_each(|topic| append(&*topics, topic));
    engine.settle(None).expect("nothing fails");
    read.iter().for_each(|topic| append(&*topics, topic));
    let before = HASHED.get();
    engine.settle(None).expect("nothing fails");
    (HASHED.get() - before) as f64 / (RECORDS * read.len() as u64) as f64
}

#[test]
fn an_operator_hashes_the_key_of_a_record_once() {
    for (what, sql, read, most) in [
        ("a filter", "CREATE STREAM r AS SELECT k, n + 1 AS n FROM s WHERE n > 2;", &["s"][..], 0.0),
        ("a new key", "CREATE STREAM r AS SELECT n, k FROM s PARTITION BY n;", &["s"], 0.0),
        ("an aggregate", "CREATE TABLE r AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;", &["s"], 1.0),
        (
            "windows",
            "CREATE TABLE r AS SELECT k, COUNT(*) AS c FROM s WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY k;",
            &["s"],
            1.0,
        ),
        (
            "sessions",
            "CREATE TABLE r AS SELECT k, COUNT(*) AS c FROM s WINDOW SESSION (1 MINUTE) GROUP BY k;",
            &["s"],
            1.0,
        ),
        ("a table's row", "CREATE STREAM r AS SELECT s.k, s.n, t.n AS m FROM s JOIN t ON s.k = t.k;", &["s"], 1.0),
        ("a table's new row", "CREATE STREAM r AS SELECT s.k, s.n, t.n AS m FROM s JOIN t ON s.k = t.k;", &["t"], 1.0),
        (
            "two streams",
            "CREATE STREAM r AS SELECT s.k, s.n, o.n AS m FROM s JOIN o WITHIN 10 MILLISECONDS ON s.k = o.k;",
            &["s", "o"],
            1.0,
        ),
        // One operator keeps each table, another joins them.
        ("two tables", "CREATE TABLE r AS SELECT t.k, t.n, u.n AS m FROM t JOIN u ON t.k = u.k;", &["t", "u"], 2.0),
    ] {
        let hashed = hashed_per_record(sql, read);
        assert!(hashed <= most, "{what}: {hashed} keys hashed for each record");
        assert!(most == 0.0 || hashed > 0.9, "{what}: only {hashed} keys hashed for each record");
    }
}
