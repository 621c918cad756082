//! Confluent's Python client against our registry: what its serializers write Levada reads, and the other way round.

use std::process::Output;
use std::sync::{Arc, OnceLock};

use levada::engine::{Engine, EngineOptions, Response, Session};
use levada::http::HttpServer;
use levada::registry::{EmbeddedRegistry, SchemaRegistry, serve};
use levada::topics::{MemoryTopics, TopicConfig, TopicPartition, Topics, Transaction};
use levada::types::RecordChunkBuilder;

use super::{Locked, client, is_required, say};

/// Whether the client can be run here.
pub fn is_there() -> bool {
    static SETUP: OnceLock<Output> = OnceLock::new();
    let output = SETUP.get_or_init(|| script(&["setup", "confluent"], ""));
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!is_required(), "no Python client: {reason}");
        say(&format!("SKIPPED: Confluent's Python client cannot be run here: {reason}"));
    }
    output.status.success()
}

pub fn script(arguments: &[&str], input: &str) -> Output {
    client("python", arguments, input, None)
}

/// A step of the script, which must succeed; what it says.
fn step(name: &str, server: &HttpServer, input: &str) -> String {
    let output = script(&["confluent", "registry.py", name, &format!("http://{}", server.address())], input);
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn registry() -> (Arc<EmbeddedRegistry>, HttpServer) {
    let registry = Arc::new(EmbeddedRegistry::in_memory());
    let server = serve(Arc::clone(&registry), "127.0.0.1:0".parse().expect("an address")).expect("a free port");
    (registry, server)
}

#[test]
fn every_call_of_the_client_is_answered() {
    if is_there() {
        let (_, server) = registry();
        assert_eq!(step("api", &server, ""), "every call was answered\n");
    }
}

#[test]
fn they_are_over_https_with_a_password() {
    if !is_there() {
        return;
    }
    let locked = Locked::start();
    let api = |user: &str| {
        client("python", &["confluent", "registry.py", "api", &locked.url(user)], "", Some(&locked.certificate))
    };
    let (known, stranger) = (api("ada:quince"), api("ada:plum"));
    assert!(known.status.success(), "{}", String::from_utf8_lossy(&known.stderr));
    assert!(!stranger.status.success() && String::from_utf8_lossy(&stranger.stderr).contains("Unauthorized"));
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal digits");
    (0..hex.len()).step_by(2).map(digits).collect()
}

fn engine(topics: &Arc<MemoryTopics>, registry: &Arc<EmbeddedRegistry>) -> Engine {
    let registry: Arc<dyn SchemaRegistry> = Arc::<EmbeddedRegistry>::clone(registry);
    let options = EngineOptions { threads: false, registry: Some(registry), ..EngineOptions::default() };
    Engine::with_options(Arc::<MemoryTopics>::clone(topics), options).expect("memory opens")
}

fn execute(engine: &Engine, sql: &str) {
    let mut session = Session::default();
    session.properties.insert("auto.offset.reset".to_owned(), "earliest".to_owned());
    let done = engine.execute(&mut session, sql, &mut |response| drop::<Response>(response));
    done.unwrap_or_else(|error| panic!("{error}: {sql}"));
}

fn hex_digit(half: u8) -> char {
    char::from_digit(u32::from(half), 16).expect("half a byte")
}

/// Values of a topic, each as a line.
fn lines(topics: &MemoryTopics, topic: &str) -> Vec<String> {
    let partition = TopicPartition { topic: topic.into(), partition: 0 };
    let chunk = topics.fetch(&partition, 0, 1_000, 1 << 20).expect("the topic is there");
    let hex = |bytes: &[u8]| bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(hex_digit).collect::<String>();
    chunk.values.iter().map(|value| format!("{topic} {}", hex(value.expect("no tombstones")))).collect()
}

fn append(topics: &MemoryTopics, topic: &str, values: &[Vec<u8>]) {
    topics.create(topic, &TopicConfig::with_partitions(1)).expect("a new topic");
    let mut chunk = RecordChunkBuilder::new();
    values.iter().for_each(|value| chunk.push(None, Some(value.as_slice()), 1_000));
    let partition = TopicPartition { topic: topic.into(), partition: 0 };
    let appends = vec![(partition, chunk.finish())];
    topics.commit(Transaction { appends, ..Transaction::default() }).expect("memory takes it");
}

#[test]
fn records_of_the_client_are_read_and_ours_are_read_by_it() {
    if !is_there() {
        return;
    }
    let (registry, server) = registry();
    let written = step("write", &server, "");
    let of_topic = |topic: &str| -> Vec<Vec<u8>> {
        let lines = written.lines().filter_map(|line| line.split_once(' '));
        lines.filter(|(name, _)| *name == topic).map(|(_, hex)| bytes(hex)).collect()
    };
    let subjects = ["avro-value", "harbour/part.proto", "json-value", "proto-value"];
    assert_eq!(SchemaRegistry::subjects(&*registry), Ok(subjects.map(str::to_owned).to_vec()));

    let topics = Arc::new(MemoryTopics::new());
    append(&topics, "avro", &of_topic("avro"));
    let engine = engine(&topics, &registry);
    execute(&engine, "CREATE STREAM berths WITH (kafka_topic = 'avro', value_format = 'avro');");
    execute(
        &engine,
        "CREATE STREAM copies WITH (kafka_topic = 'copies', value_format = 'json') AS SELECT * FROM berths;",
    );
    execute(
        &engine,
        "CREATE STREAM back WITH (kafka_topic = 'avro-back') AS SELECT id + 1 AS id, ucase(name) AS name, depth, ships FROM berths;",
    );
    engine.settle(None).expect("it runs");
    let copies: Vec<String> = lines(&topics, "copies");
    let copy = |line: &String| String::from_utf8(bytes(line.split_once(' ').expect("two words").1)).expect("text");
    assert_eq!(
        copies.iter().map(copy).collect::<Vec<_>>(),
        [
            r#"{"ID":1,"NAME":"é","DEPTH":12.50,"KIND":"QUAY","SHIPS":["a","b"]}"#,
            r#"{"ID":2,"NAME":null,"DEPTH":12.50,"KIND":"QUAY","SHIPS":["a","b"]}"#
        ]
    );
    let ours = lines(&topics, "avro-back").join("\n");
    let theirs: Vec<&str> = written.lines().filter(|line| !line.starts_with("avro")).collect();
    let read = step("read", &server, &format!("{ours}\n{}\n", theirs.join("\n")));
    assert_eq!(
        read.lines().collect::<Vec<_>>(),
        [
            r#"avro-back {"ID": 2, "NAME": "É", "DEPTH": "12.50", "SHIPS": ["a", "b"]}"#,
            r#"avro-back {"ID": 3, "NAME": null, "DEPTH": "12.50", "SHIPS": ["a", "b"]}"#,
            r#"json {"id": 7, "name": "x"}"#,
            r#"proto {"id": 9, "quay": "north", "since": "2021-01-01T00:00:00Z"}"#,
        ]
    );
}
