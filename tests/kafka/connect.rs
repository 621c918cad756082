//! Connectors of a real Kafka Connect, by Levada's statements.

use std::time::Duration;

use serde_json::{Value, json};

use super::Broker;
use crate::server::process::{TestServer, statement};

const CLASS: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";

#[test]
fn a_file_comes_in_through_a_connector() {
    let Some(broker) = Broker::start_with(&["--connect"]) else { return };
    let url = std::fs::read_to_string(broker.path("kafka/connect.url")).expect("the script has written it");
    let server = TestServer::start_with(&[
        &broker.property(),
        &format!("ksql.connect.url={}", url.trim()),
        // A worker that has just begun takes its time.
        "ksql.connect.request.timeout.ms=60000",
        "auto.offset.reset=earliest",
    ]);
    let one = |sql: &str| server.run(sql).remove(0);
    let file = broker.path("lines.txt");
    std::fs::write(&file, "ann came\nbob went\n").expect("it can be written");

    let plugins = one("SHOW CONNECTOR PLUGINS;")["connectorsPlugins"].take();
    let is_source = |plugin: &Value| plugin["className"] == CLASS && plugin["type"] == "source";
    assert!(plugins.as_array().is_some_and(|plugins| plugins.iter().any(is_source)), "{plugins}");
    assert_eq!(one("SHOW CONNECTORS;")["connectors"], json!([]));

    let create = format!(
        "CREATE SOURCE CONNECTOR IF NOT EXISTS `lines-in` WITH ('connector.class' = '{CLASS}', 'file' = '{}', 'topic' = 'lines',
           'tasks.max' = 1, 'value.converter' = 'org.apache.kafka.connect.storage.StringConverter',
           'topic.creation.default.partitions' = 1, 'topic.creation.default.replication.factor' = 1);",
        file.display()
    );
    let refused = server.refused(&create.replace("'topic' = 'lines',", ""));
    let message = refused.json()["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.starts_with("Validation error: topic - "), "{message}");
    let made = one(&create);
    assert_eq!((&made["@type"], &made["info"]["name"]), (&json!("connector_info"), &json!("lines-in")), "{made}");
    let again = one(&create);
    assert_eq!(again["message"], "Connector lines-in already exists", "{again}");
    let taken = server.post("/ksql", &[], &statement(&create.replace("IF NOT EXISTS ", ""), &[]));
    assert_eq!((taken.status, taken.json()["error_code"].as_u64()), (409, Some(40900)), "{taken:?}");

    // The connector makes its topic with its first record.
    let is_there =
        || server.post("/ksql", &[], &statement("ASSERT TOPIC 'lines' TIMEOUT 5 SECONDS;", &[])).status == 200;
    assert!((0..12).any(|_| is_there()), "{}", one("DESCRIBE CONNECTOR `lines-in`;"));
    let rows = "CREATE STREAM lines (who STRING, verb STRING)
          WITH (kafka_topic = 'lines', value_format = 'delimited', value_delimiter = 'SPACE');
        CREATE TABLE ends AS SELECT verb, COUNT(*) AS n FROM lines GROUP BY verb;";
    server.run(rows);
    let counted = |verb: &str, n: u64| {
        let sql = statement(&format!("SELECT n FROM ends WHERE verb = '{verb}';"), &[]);
        // A table that is new is not there at once.
        let is_counted = |_| {
            let answer = server.post("/query", &[], &sql);
            let rows = if answer.status == 200 { answer.json() } else { Value::Null };
            let found = rows.as_array().is_some_and(|rows| rows.iter().any(|row| row["row"]["columns"] == json!([n])));
            if !found {
                std::thread::park_timeout(Duration::from_millis(50));
            }
            found
        };
        assert!((0..1_200).any(is_counted), "{n} lines with {verb}");
    };
    counted("came", 1);
    counted("went", 1);
    std::fs::OpenOptions::new()
        .append(true)
        .open(&file)
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"cid came\n"))
        .expect("it can be written");
    counted("came", 2);

    let listed = one("SHOW SOURCE CONNECTORS;");
    let expected = json!([
        {"name": "lines-in", "type": "source", "className": CLASS, "state": "RUNNING (1/1 tasks RUNNING)"}
    ]);
    assert_eq!(listed["connectors"], expected);
    assert_eq!(one("SHOW SINK CONNECTORS;")["connectors"], json!([]));
    let described = one("DESCRIBE CONNECTOR \"lines-in\";");
    assert_eq!((&described["connectorClass"], &described["topics"]), (&json!(CLASS), &json!(["lines"])), "{described}");
    assert_eq!(described["status"]["tasks"][0]["state"], "RUNNING", "{described}");
    assert_eq!(described["sources"][0]["name"], "LINES", "{described}");

    assert_eq!(one("DROP CONNECTOR `lines-in`;")["connectorName"], "lines-in");
    assert_eq!(one("SHOW CONNECTORS;")["connectors"], json!([]));
    let missing = one("DROP CONNECTOR IF EXISTS `lines-in`;");
    assert_eq!(missing["message"], "Connector 'lines-in' does not exist.");
    let missing = server.post("/ksql", &[], &statement("DESCRIBE CONNECTOR `lines-in`;", &[]));
    assert_eq!((missing.status, missing.json()["error_code"].as_u64()), (404, Some(40400)), "{missing:?}");
}
