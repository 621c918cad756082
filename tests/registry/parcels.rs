//! Parcels, with a field of every type, between Levada and what others have written: Confluent's serializers for Python write them and
//! Levada reads them, Levada writes them and the deserializers, fastavro, Apache Avro, jsonschema and protoc's classes read them.
//! `tests/clients/parcels.py` is the other side, `parcels.js` another one for Avro.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::Served;
use super::{kafkajs, python_clients};
use crate::kafka::Broker;
use crate::questions::json;

const LEVADA: &str = env!("CARGO_BIN_EXE_levada");

/// Topics that the Python side fills.
const FILLED: [&str; 3] = ["parcels-avro", "parcels-json", "parcels-protobuf"];

/// Every topic is read; copied to JSON, to see what was read; and written again: by the columns' own schema, and by the schema that
/// Python has registered: because the subject has it, or because the statement names its id, which keeps the names of its fields.
const STATEMENTS: &str = "
SET 'auto.offset.reset' = 'earliest';
CREATE STREAM from_avro WITH (KAFKA_TOPIC = 'parcels-avro', FORMAT = 'AVRO');
CREATE STREAM from_json WITH (KAFKA_TOPIC = 'parcels-json', FORMAT = 'JSON_SR');
CREATE STREAM from_protobuf (no INT KEY) WITH (KAFKA_TOPIC = 'parcels-protobuf', VALUE_FORMAT = 'PROTOBUF');
CREATE STREAM avro_seen WITH (KAFKA_TOPIC = 'avro-seen', FORMAT = 'JSON') AS SELECT * FROM from_avro;
CREATE STREAM json_seen WITH (KAFKA_TOPIC = 'json-seen', FORMAT = 'JSON') AS SELECT * FROM from_json;
CREATE STREAM protobuf_seen WITH (KAFKA_TOPIC = 'protobuf-seen', FORMAT = 'JSON') AS SELECT * FROM from_protobuf;
CREATE STREAM avro_same WITH (KAFKA_TOPIC = 'avro-same', FORMAT = 'AVRO') AS SELECT * FROM from_avro;
CREATE STREAM json_named WITH (KAFKA_TOPIC = 'parcels-json', FORMAT = 'JSON_SR', VALUE_SCHEMA_ID = ${json});
CREATE STREAM json_same WITH (KAFKA_TOPIC = 'json-same', FORMAT = 'JSON_SR', VALUE_SCHEMA_ID = ${json}) AS SELECT * FROM json_named;
CREATE STREAM protobuf_named (no INT KEY)
  WITH (KAFKA_TOPIC = 'parcels-protobuf', VALUE_FORMAT = 'PROTOBUF', VALUE_SCHEMA_ID = ${protobuf});
CREATE STREAM protobuf_same WITH (KAFKA_TOPIC = 'protobuf-same', VALUE_FORMAT = 'PROTOBUF', VALUE_SCHEMA_ID = ${protobuf}) AS
  SELECT * FROM protobuf_named;
CREATE STREAM avro_own WITH (KAFKA_TOPIC = 'avro-own', FORMAT = 'AVRO') AS SELECT * FROM from_avro;
CREATE STREAM json_own WITH (KAFKA_TOPIC = 'json-own', FORMAT = 'JSON_SR') AS SELECT * FROM from_avro;
CREATE STREAM protobuf_own WITH (KAFKA_TOPIC = 'protobuf-own', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'PROTOBUF',
  VALUE_PROTOBUF_NULLABLE_REPRESENTATION = 'OPTIONAL') AS SELECT * FROM from_avro;
";

/// The same for what JavaScript has written.
const JAVASCRIPT: &str = "
SET 'auto.offset.reset' = 'earliest';
CREATE STREAM from_js WITH (KAFKA_TOPIC = 'parcels-js', VALUE_FORMAT = 'AVRO');
CREATE STREAM js_seen WITH (KAFKA_TOPIC = 'js-seen', VALUE_FORMAT = 'JSON') AS SELECT * FROM from_js;
CREATE STREAM js_own WITH (KAFKA_TOPIC = 'js-own', VALUE_FORMAT = 'AVRO') AS SELECT * FROM from_js;
";
const JAVASCRIPT_SEEN: &str = include_str!("parcels_js_seen.txt");
const JAVASCRIPT_READ: &str = include_str!("parcels_js_read.txt");

/// Topics that Levada fills, for Python to read.
const ANSWERED: [&str; 6] = ["avro-same", "json-same", "protobuf-same", "avro-own", "json-own", "protobuf-own"];

/// What Levada has read, as JSON.
const SEEN: &str = include_str!("parcels_seen.txt");
/// What Python has read of what Levada has written.
const READ: &str = include_str!("parcels_read.txt");

/// Levada, somewhere.
struct Place {
    dir: tempfile::TempDir,
    properties: Vec<String>,
    registry: Served,
}

impl Place {
    fn new(bootstrap: Option<&str>) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let registry = Served::start(&dir.path().join("registry"));
        let mut properties = vec![format!("ksql.schema.registry.url=http://{}", registry.address)];
        properties.extend(bootstrap.map(|address| format!("bootstrap.servers={address}")));
        Self { dir, properties, registry }
    }

    fn url(&self) -> String {
        format!("http://{}", self.registry.address)
    }

    fn levada(&self, arguments: &[&str], input: &str) -> String {
        let mut command = Command::new(LEVADA);
        command.args(arguments).arg("--data-dir").arg(self.dir.path().join("data"));
        for property in &self.properties {
            command.args(["--property", property]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("levada starts");
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("levada reads");
        let output = child.wait_with_output().expect("levada ends");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {out}{err}");
        assert!(!err.contains("rejected"), "{err}");
        out.into_owned()
    }

    fn python(&self, step: &str, arguments: &[&str], input: &str) -> String {
        let output =
            python_clients::script(&[&["confluent", "parcels.py", step, &self.url()], arguments].concat(), input);
        assert!(output.status.success(), "{step}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    fn javascript(&self, step: &str, input: &str) -> String {
        let output = kafkajs::script(&["parcels.js", step, &self.url()], input);
        assert!(output.status.success(), "{step}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Produces the lines of `written` that are for `topic`.
    fn produce(&self, topic: &str, written: &str) {
        let of_topic = written.lines().filter_map(|line| line.strip_prefix(topic)?.strip_prefix(' '));
        let lines: Vec<String> = of_topic.map(|record| record.replace(' ', ":")).collect();
        let hex = ["--key-separator", ":", "--key-format", "hex", "--value-format", "hex"];
        self.levada(&[&["topic", "produce", topic], &hex[..]].concat(), &lines.join("\n"));
    }

    /// The records of topics as lines, digits.
    fn lines(&self, topics: &[&str]) -> String {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let line = |topic: &str, (key, value): &(Value, Value)| format!("{topic} {} {}\n", text(key), text(value));
        let of = |topic: &&str| self.bytes(topic).iter().map(|record| line(topic, record)).collect::<String>();
        topics.iter().map(of).collect()
    }

    /// KafkaJS's client writes, Levada reads and writes, the client reads: both by its own schema and by Levada's.
    fn check_javascript(&self) {
        let written = self.javascript("write", "");
        self.produce("parcels-js", &written);
        let file = self.dir.path().join("js.sql");
        std::fs::write(&file, JAVASCRIPT).expect("a file is written");
        self.levada(&["run", file.to_str().expect("temporary names are text"), "--until-idle"], "");
        assert_lines(&self.seen(&["js-seen"]), JAVASCRIPT_SEEN);
        assert_lines(&self.javascript("read", &self.lines(&["parcels-js", "js-own", "avro-own"])), JAVASCRIPT_READ);
    }

    /// Runs the statements on what Python has written.
    fn run(&self) {
        let mut statements = STATEMENTS.to_owned();
        for name in ["avro", "json", "protobuf"] {
            let id = self.python("adopt", &[&format!("parcels-{name}-value"), &format!("{name}-same-value")], "");
            statements = statements.replace(&format!("${{{name}}}"), id.trim());
        }
        let file = self.dir.path().join("parcels.sql");
        std::fs::write(&file, statements).expect("a file is written");
        self.levada(&["run", file.to_str().expect("temporary names are text"), "--until-idle"], "");
    }

    /// Keys and values of a topic, digits.
    fn bytes(&self, topic: &str) -> Vec<(Value, Value)> {
        let hex = ["--output", "json", "--key-format", "hex", "--value-format", "hex"];
        let records = self.levada(&[&["topic", "consume", topic], &hex[..]].concat(), "");
        records.lines().map(json).map(|record| (record["key"].clone(), record["value"].clone())).collect()
    }

    /// What Levada has read, a line for each record.
    fn seen(&self, topics: &[&str]) -> String {
        let mut lines = String::new();
        for topic in topics {
            for record in self.levada(&["topic", "consume", topic], "").lines() {
                let cells: Vec<&str> = record.split('\t').collect();
                writeln!(lines, "{topic} {} {}", cells[3], cells[4]).expect("texts take lines");
            }
        }
        lines
    }

    /// Checks all but what Python reads, `read`.
    fn check(&self, read: &str) {
        assert_lines(&self.seen(&["avro-seen", "json-seen", "protobuf-seen"]), SEEN);
        assert_lines(read, READ);
        // By the same schema the very same bytes; members of JSON need not come in the same order.
        for name in ["avro", "protobuf"] {
            assert_eq!(self.bytes(&format!("{name}-same")), self.bytes(&format!("parcels-{name}")), "{name}");
        }
    }
}

#[test]
fn parcels_go_both_ways_on_embedded_topics() {
    if !python_clients::is_there() || !kafkajs::is_there() {
        return;
    }
    let place = Place::new(None);
    let written = place.python("write", &[], "");
    FILLED.iter().for_each(|topic| place.produce(topic, &written));
    place.run();
    place.check(&place.python("read", &[], &place.lines(&ANSWERED)));
    place.check_javascript();
}

#[test]
fn parcels_go_both_ways_on_kafka() {
    if !python_clients::is_there() || !kafkajs::is_there() {
        return;
    }
    let Some(broker) = Broker::start() else { return };
    let place = Place::new(Some(&broker.bootstrap));
    for topic in FILLED {
        place.levada(&["topic", "create", topic], "");
    }
    place.python("produce", &[&broker.bootstrap], "");
    place.run();
    let topics = [&[broker.bootstrap.as_str()][..], &ANSWERED].concat();
    place.check(&place.python("consume", &topics, ""));
    place.check_javascript();
}

fn assert_lines(actual: &str, expected: &str) {
    let difference = actual.lines().zip(expected.lines()).find(|(actual, expected)| actual != expected);
    assert_eq!(difference, None, "the first line that differs, as it is on the left\n{actual}");
    assert_eq!(actual.lines().count(), expected.lines().count(), "{actual}");
}
