//! What SHOW QUERIES EXTENDED says on a cluster.

use serde_json::Value;

use super::{Broker, succeeded};

const STATEMENTS: &str = "
SET 'auto.offset.reset' = 'earliest';
CREATE STREAM payments (account STRING, amount BIGINT)
  WITH (kafka_topic = 'payments', value_format = 'json', partitions = 2);
CREATE TABLE sums AS SELECT account, SUM(amount) AS total FROM payments GROUP BY account;
";
const QUERY: &str = "CTAS_SUMS_1";

/// A shell that takes statements while its queries run.
fn shell(broker: &Broker, statements: &str) -> Vec<Value> {
    let mut command = broker.levada(&["shell", "--output", "json", "-e", statements]);
    let text = succeeded(&command.arg("--data-dir").arg(broker.path("data")).output().expect("levada starts"));
    text.lines().map(|line| serde_json::from_str(line).expect("a line is an object")).collect()
}

/// Runs the queries until nothing is left.
fn settle(broker: &Broker) {
    let file = broker.path("a.sql");
    std::fs::write(&file, STATEMENTS).expect("a file is written");
    let mut command = broker.levada(&["run", "--until-idle", "0.5"]);
    command.arg("--data-dir").arg(broker.path("data")).arg(file);
    succeeded(&command.output().expect("levada starts"));
}

fn produce(broker: &Broker, count: u32) {
    let line = |i| format!("{{\"account\":\"a{}\",\"amount\":1}}\n", i % 100);
    broker.produce("payments", &[], &(0..count).map(line).collect::<Vec<_>>().concat());
}

/// End offsets, committed offsets and lags over all partitions of the topics whose names end so.
fn sums(listings: &[Value], topic: &str) -> [i64; 3] {
    let is_meant = |row: &&Value| row["Kafka Topic"].as_str().is_some_and(|name| name.ends_with(topic));
    let rows: Vec<&Value> = listings.iter().filter(is_meant).collect();
    assert_eq!(rows.len(), 2, "a row per partition of {topic}: {listings:?}");
    let sum = |column: &str| rows.iter().filter_map(|row| row[column].as_str()?.parse::<i64>().ok()).sum();
    [sum("End Offset"), sum("Offset"), sum("Lag")]
}

#[test]
fn a_paused_query_shows_how_far_it_is_behind() {
    let Some(broker) = Broker::start() else { return };
    settle(&broker);
    produce(&broker, 1000);
    settle(&broker);
    let shown = shell(&broker, &format!("PAUSE {QUERY}; SHOW QUERIES EXTENDED;"));
    assert_eq!(sums(&shown, "payments"), [1000, 1000, 0], "all is read: {shown:?}");
    let [end, _, lag] = sums(&shown, "-repartition");
    assert!(end > 100 && lag == 0, "the marks of transactions are no lag: {shown:?}");
    produce(&broker, 7);
    let shown = shell(&broker, "SHOW QUERIES EXTENDED;");
    assert_eq!(sums(&shown, "payments"), [1007, 1000, 7], "the end moves, the offset does not: {shown:?}");
    // State comes back from the changelog, and the query catches up.
    std::fs::remove_dir_all(broker.path("data")).expect("the folder was there");
    shell(&broker, &format!("RESUME {QUERY};"));
    settle(&broker);
    let shown = shell(&broker, "SHOW QUERIES EXTENDED;");
    assert_eq!(sums(&shown, "payments")[2], 0, "{shown:?}");
}
