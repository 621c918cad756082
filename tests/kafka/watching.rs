//! The processing log and system tables on a cluster.

use serde_json::{Value, json};

use super::{Broker, succeeded};

const STATEMENTS: &str = "
SET 'auto.offset.reset' = 'earliest';
CREATE STREAM payments (account STRING, amount BIGINT)
  WITH (kafka_topic = 'payments', value_format = 'json', partitions = 1);
CREATE STREAM shares AS SELECT account, 100 / amount AS share FROM payments;
";

const LOG: &str = "ksql.logging.processing.stream.auto.create=true";

/// Rows of the answer to `query`.
fn select(broker: &Broker, query: &str) -> Vec<Value> {
    let statements = format!("SET 'auto.offset.reset' = 'earliest'; {query}");
    let mut command = broker.levada(&["shell", "--output", "json", "-e", &statements]);
    let text = succeeded(&command.arg("--data-dir").arg(broker.path("data")).output().expect("levada starts"));
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line.get("message").is_none_or(|message| !message.is_string())).collect()
}

#[test]
fn what_goes_wrong_is_told_in_the_log_and_in_tables() {
    let Some(broker) = Broker::start() else { return };
    let file = broker.path("a.sql");
    std::fs::write(&file, STATEMENTS).expect("a file is written");
    let settle = || {
        let mut command = broker.levada(&["run", "--until-idle", "0.5", "--property", LOG]);
        command.arg("--data-dir").arg(broker.path("data")).arg(&file);
        succeeded(&command.output().expect("levada starts"));
    };
    settle();
    broker.produce("payments", &[], "{\"account\":\"a\",\"amount\":5}\n{\"account\":\"b\",\"amount\":0}\nno JSON\n");
    settle();
    let logged = select(&broker, "SELECT logger, message->type AS kind FROM KSQL_PROCESSING_LOG;");
    let kinds: Vec<&Value> = logged.iter().map(|row| &row["KIND"]).collect();
    assert_eq!(kinds, [&json!(0), &json!(1)], "{logged:?}");
    let loggers: Vec<&str> = logged.iter().filter_map(|row| row["LOGGER"].as_str()).collect();
    assert!(loggers[0].ends_with(".KsqlTopic.Source.deserializer") && loggers[1].ends_with(".Project"), "{loggers:?}");
    let letters = select(&broker, "SELECT topic_offset, stage, record_value FROM levada_dead_letters;");
    let letters: Vec<String> = letters.iter().map(|row| format!("{} {}", row["TOPIC_OFFSET"], row["STAGE"])).collect();
    assert_eq!(letters, ["2 \"value\"", "1 \"process\""]);
    let queries = select(&broker, "SELECT state, lag FROM levada_queries;");
    assert!(queries.iter().any(|row| row["STATE"] == "RUNNING"), "{queries:?}");
}
