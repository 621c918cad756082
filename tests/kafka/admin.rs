//! Topics on a cluster: how they are made, and what is said when they, or the rights to them, are not what a query needs.
//!
//! One broker for all, which has a user `bob` without any right; every part has a service and topics of its own.
#![expect(clippy::disallowed_methods, reason = "a cluster takes real time")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use levada::engine::{Engine, QueryStatus, Response, Session};
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::Broker;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server of a service of its own, in this process.
struct Server {
    engine: Option<Engine>,
    session: Session,
    dir: PathBuf,
    properties: BTreeMap<String, String>,
}

impl Server {
    fn start(broker: &Broker, service: &str, properties: &[(&str, &str)]) -> Self {
        let common = [
            ("bootstrap.servers", broker.bootstrap.as_str()),
            ("ksql.service.id", service),
            ("group.instance.id", ""),
            ("num.stream.threads", "1"),
            ("commit.interval.ms", "50"),
            ("metadata.max.age.ms", "500"),
            ("repartition.purge.interval.ms", "200"),
            ("auto.offset.reset", "earliest"),
            ("cache.max.bytes.buffering", "0"),
        ];
        let all = common.iter().chain(properties);
        let properties = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut server = Self { engine: None, session: Session::default(), dir: broker.path(service), properties };
        server.open().expect("the engine opens");
        server
    }

    fn open(&mut self) -> Result<(), String> {
        let engine = Engine::open(&self.dir, self.properties.clone()).map_err(|error| error.to_string())?;
        self.engine = Some(engine);
        Ok(())
    }

    fn stop(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.shutdown();
        }
    }

    fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("the server runs")
    }

    /// Executes statements; the last message, or the error.
    fn sql(&mut self, text: &str) -> Result<String, String> {
        let mut said = String::new();
        let engine = self.engine.as_ref().expect("the server runs");
        let done = engine.execute(&mut self.session, text, &mut |response| {
            if let Some(message) = response.message() {
                message.clone_into(&mut said);
            }
        });
        done.map(|()| said).map_err(|error| error.message)
    }

    fn run(&mut self, text: &str) {
        self.sql(text).expect("the statements are right");
    }

    fn query(&self, sink: &str) -> QueryStatus {
        self.engine().queries().into_iter().find(|query| query.sink == sink).expect("the query is known")
    }

    /// Waits until `what` is there, looking after topics meanwhile as `levada run` does.
    fn until<T>(&self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            self.engine().maintain();
            if let Some(found) = look(self) {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "no {what}: {:?}", self.engine().queries());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Waits for the query that fills `sink` to be in state `ERROR`, and returns why.
    fn failure(&self, sink: &str) -> String {
        self.until("failure", |server| server.query(sink).failure)
    }
}

/// The cluster, as somebody who may do everything sees it.
struct Cluster<'a> {
    broker: &'a Broker,
    admin: AdminClient<DefaultClientContext>,
}

impl<'a> Cluster<'a> {
    fn new(broker: &'a Broker) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &broker.bootstrap);
        Self { broker, admin: config.create().expect("a client") }
    }

    fn levada(&self, arguments: &[&str]) -> String {
        super::succeeded(&self.broker.levada(arguments).output().expect("levada starts"))
    }

    fn create(&self, topic: &str, options: &[&str]) {
        self.levada(&[&["topic", "create", topic], options].concat());
    }

    fn delete(&self, topic: &str) {
        self.levada(&["topic", "delete", topic]);
    }

    fn produce(&self, topic: &str, lines: &str) {
        self.broker.produce(topic, &["--key-separator", "|"], lines);
    }

    /// Values of the records of `topic`, in no order.
    fn values(&self, topic: &str) -> Vec<String> {
        let text = self.levada(&["topic", "consume", topic, "--output", "json"]);
        let value = |line: &str| {
            let record: serde_json::Value = serde_json::from_str(line).expect("a line is an object");
            record["value"].to_string()
        };
        text.lines().map(value).collect()
    }

    fn topics(&self, part: &str) -> Vec<String> {
        let listed = self.levada(&["topic", "list", "--all"]);
        let names = listed.lines().filter_map(|line| line.split_whitespace().next());
        names.filter(|name| name.contains(part)).map(ToOwned::to_owned).collect()
    }

    fn topic(&self, part: &str) -> String {
        self.topics(part).pop().unwrap_or_else(|| panic!("a topic with {part} in its name"))
    }

    fn setting(&self, topic: &str, name: &str) -> String {
        let resource = ResourceSpecifier::Topic(topic);
        let described = block_on(self.admin.describe_configs([&resource], &AdminOptions::new()));
        let described = described.expect("an answer").pop().expect("one resource").expect("the topic exists");
        let entry = described.entries.into_iter().find(|entry| entry.name == name);
        entry.and_then(|entry| entry.value).unwrap_or_default()
    }

    fn replicas_and_partitions(&self, topic: &str) -> (usize, usize) {
        let metadata = self.admin.inner().fetch_metadata(Some(topic), PATIENCE).expect("metadata");
        let partitions = metadata.topics()[0].partitions();
        (partitions[0].replicas().len(), partitions.len())
    }

    fn grow(&self, topic: &str, partitions: usize) {
        let grown =
            block_on(self.admin.create_partitions(&[NewPartitions::new(topic, partitions)], &AdminOptions::new()));
        grown.expect("an answer").pop().expect("one topic").expect("it can grow");
    }

    fn delete_records(&self, topic: &str, before: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, 0, Offset::Offset(before)).expect("an offset");
        block_on(self.admin.delete_records(&list, &AdminOptions::new())).expect("records are deleted");
    }

    fn start_offset(&self, topic: &str) -> i64 {
        self.admin.inner().fetch_watermarks(topic, 0, PATIENCE).expect("offsets").0
    }

    fn groups(&self, part: &str) -> usize {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.broker.bootstrap);
        let consumer: BaseConsumer = config.create().expect("a client");
        let list = consumer.fetch_group_list(None, PATIENCE).expect("groups");
        list.groups().iter().filter(|group| group.name().contains(part)).count()
    }
}

fn lines(from: usize, to: usize) -> String {
    let line = |n| format!("k{}|{{\"k\":\"k{}\",\"n\":{n}}}\n", n % 3, n % 3);
    (from..to).map(line).collect::<Vec<_>>().concat()
}

/// The streams and tables of most parts: one without state, one with a repartition topic and a changelog.
fn pipelines(server: &mut Server, source: &str, name: &str) {
    server.run(&format!(
        "CREATE STREAM {name} (id STRING KEY, k STRING, n INT) WITH (kafka_topic = '{source}', value_format = 'json'); \
         CREATE STREAM {name}_copy AS SELECT * FROM {name}; \
         CREATE TABLE {name}_sum AS SELECT k, COUNT(*) AS c FROM {name} GROUP BY k;"
    ));
}

/// Waits until `sink` has been written as many records.
fn written(server: &Server, cluster: &Cluster<'_>, sink: &str, count: usize) {
    let found = |server: &Server| {
        let _ = server;
        Some(cluster.values(sink).len()).filter(|found| *found >= count)
    };
    assert_eq!(server.until("records", found), count, "records of {sink}");
}

#[test]
fn topics_on_a_cluster() {
    let Some(broker) = Broker::start_with(&["--user", "bob"]) else { return };
    let cluster = Cluster::new(&broker);
    let (broker, cluster) = (&broker, &cluster);
    // Most of it is waiting.
    std::thread::scope(|scope| {
        scope.spawn(move || {
            settings(broker, cluster);
            missing_rights(broker);
            foreign_directory(broker);
            end_of_a_query(broker, cluster);
        });
        scope.spawn(move || {
            deleted_source(broker, cluster);
            large_records(broker, cluster);
        });
        scope.spawn(move || {
            more_partitions(broker, cluster);
            records_gone(broker, cluster);
        });
        scope.spawn(move || {
            lost_changelog(broker, cluster);
            looked_at(broker, cluster);
        });
    });
}

fn settings(broker: &Broker, cluster: &Cluster<'_>) {
    let properties = [("ksql.streams.topic.segment.ms", "3600000"), ("ksql.streams.replication.factor", "1")];
    let mut server = Server::start(broker, "settings_", &properties);
    server.run(
        "CREATE STREAM s (id STRING KEY, k STRING, n INT) WITH (kafka_topic = 's', value_format = 'json', partitions = 2, replicas = 1, \
         retention_ms = 777000); \
         CREATE STREAM copied AS SELECT * FROM s; \
         CREATE STREAM small WITH (partitions = 1, retention_ms = -1) AS SELECT * FROM s; \
         CREATE TABLE counted AS SELECT k, COUNT(*) AS c FROM s GROUP BY k; \
         CREATE TABLE windowed AS SELECT k, COUNT(*) AS c FROM s WINDOW TUMBLING (SIZE 1 HOUR, RETENTION 30 DAYS) GROUP BY k;",
    );
    let found = |topic: &str| {
        let setting = |name| cluster.setting(topic, name);
        (cluster.replicas_and_partitions(topic).1, setting("cleanup.policy"), setting("retention.ms"))
    };
    let expected = |partitions, policy: &str, retention: &str| (partitions, policy.to_owned(), retention.to_owned());
    assert_eq!(found("s"), expected(2, "delete", "777000"));
    assert_eq!(found("COPIED"), expected(2, "delete", "777000"), "as its source");
    assert_eq!(found("SMALL"), expected(1, "delete", "-1"), "as it asks for");
    assert_eq!(found("COUNTED").1, "compact");
    assert_eq!(found("WINDOWED"), expected(2, "compact,delete", "2592000000"), "as long as its windows");
    let repartition = cluster.topic("settings_query_CTAS_COUNTED_3-Aggregate-GroupBy-repartition");
    assert_eq!(found(&repartition), expected(2, "delete", "-1"));
    assert_eq!(cluster.setting(&repartition, "segment.bytes"), (50 << 20).to_string());
    assert_eq!(cluster.setting(&repartition, "segment.ms"), "3600000", "as the server's properties ask for");
    let changelog = cluster.topic("settings_query_CTAS_WINDOWED_4-Aggregate-Materialize-1-changelog");
    assert_eq!(found(&changelog), expected(2, "compact,delete", "2678400000"), "a day longer than its store");
    let refused =
        server.sql("CREATE STREAM again WITH (kafka_topic = 's', partitions = 3, replicas = 2) AS SELECT * FROM s;");
    assert_eq!(
        refused.expect_err("the topic is another"),
        "A Kafka topic with the name 's' already exists, with different partition/replica configuration than required. KSQL \
         expects 3 partitions (topic has 2), 2 replication factor (topic has 1)"
    );
    server.stop();
}

fn missing_rights(broker: &Broker) {
    let secure = |password: Option<&str>| -> BTreeMap<String, String> {
        let text = std::fs::read_to_string(broker.path("kafka/bob.properties")).expect("what bob needs");
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let mut properties: BTreeMap<String, String> =
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        if let Some(password) = password {
            properties.insert("sasl.password".to_owned(), password.to_owned());
        }
        properties
    };
    let opened =
        |properties| Engine::open(&broker.path("bob"), properties).map(drop).map_err(|error| error.to_string());
    let begun = Instant::now();
    let text = opened(secure(Some("wrong"))).expect_err("nobody has this password");
    assert!(text.contains("does not let user bob in") && text.contains("uthentication failed"), "{text}");
    assert!(begun.elapsed() < Duration::from_secs(5), "it is told at once");
    let text = opened(secure(None)).expect_err("bob may do nothing");
    assert!(text.contains("user bob lacks the right"), "{text}");
    assert!(text.contains("kafka-acls --add --allow-principal User:bob --operation"), "{text}");
}

fn deleted_source(broker: &Broker, cluster: &Cluster<'_>) {
    cluster.create("gone", &[]);
    cluster.create("stays", &[]);
    let mut server = Server::start(broker, "gone_", &[]);
    pipelines(&mut server, "gone", "g");
    pipelines(&mut server, "stays", "h");
    cluster.produce("gone", &lines(0, 5));
    written(&server, cluster, "G_COPY", 5);
    written(&server, cluster, "G_SUM", 5);
    cluster.delete("gone");
    for sink in ["G_COPY", "G_SUM"] {
        let text = server.failure(sink);
        assert!(text.contains("topic gone does not exist"), "{text}");
    }
    cluster.produce("stays", &lines(0, 2));
    written(&server, cluster, "H_SUM", 2);
    cluster.create("gone", &[]);
    cluster.produce("gone", &lines(0, 3));
    written(&server, cluster, "G_COPY", 8);
    written(&server, cluster, "G_SUM", 8);
    server.until("recovery", |server| server.query("G_SUM").failure.is_none().then_some(()));
    server.stop();
}

fn more_partitions(broker: &Broker, cluster: &Cluster<'_>) {
    cluster.create("grows", &[]);
    let mut server = Server::start(broker, "grows_", &[]);
    pipelines(&mut server, "grows", "m");
    cluster.produce("grows", &lines(0, 5));
    written(&server, cluster, "M_SUM", 5);
    cluster.grow("grows", 2);
    let text = server.failure("M_SUM");
    assert!(text.contains("topic grows has 2 partitions, when the query was created it had 1"), "{text}");
    assert!(text.contains("nothing was lost"), "{text}");
    cluster.produce("grows", &lines(5, 20));
    written(&server, cluster, "M_COPY", 20);
    assert_eq!(server.query("M_COPY").state, "RUNNING", "without state it goes on, with the new partition");
    server.stop();
    server.open().expect("the engine opens");
    let text = server.failure("M_SUM");
    assert!(text.contains("when the query was created it had 1"), "after a restart: {text}");
    server.stop();
}

fn lost_changelog(broker: &Broker, cluster: &Cluster<'_>) {
    cluster.create("kept", &[]);
    let mut server = Server::start(broker, "kept_", &[]);
    pipelines(&mut server, "kept", "k");
    cluster.produce("kept", &lines(0, 6));
    written(&server, cluster, "K_SUM", 6);
    let changelog = cluster.topic("kept_query_CTAS_K_SUM_2-Aggregate-Materialize-1-changelog");
    // The local store is complete: the changelog is written anew, so that another disk can start from it.
    server.stop();
    cluster.delete(&changelog);
    server.open().expect("the engine opens");
    cluster.produce("kept", &lines(6, 9));
    written(&server, cluster, "K_SUM", 9);
    server.stop();
    std::fs::remove_dir_all(&server.dir).expect("the disk is lost");
    server.open().expect("the engine opens");
    cluster.produce("kept", &lines(9, 12));
    written(&server, cluster, "K_SUM", 12);
    let counts = cluster.values("K_SUM");
    assert_eq!(counts.iter().filter(|value| value.contains("\"C\":4")).count(), 3, "{counts:?}");
    // Without both there is nothing to go on with, and the query says so.
    server.stop();
    cluster.delete(&changelog);
    std::fs::remove_dir_all(&server.dir).expect("the disk is lost");
    server.open().expect("the engine opens");
    let text = server.failure("K_SUM");
    assert!(text.contains(&changelog) && text.contains("was deleted or has lost records"), "{text}");
    cluster.produce("kept", &lines(12, 13));
    written(&server, cluster, "K_COPY", 13);
    server.stop();
}

fn foreign_directory(broker: &Broker) {
    let mut server = Server::start(broker, "foreign_", &[]);
    server.stop();
    server.properties.insert("ksql.service.id".to_owned(), "other_".to_owned());
    let text = server.open().expect_err("it belongs to another service");
    assert!(text.contains("belongs to service foreign_ on Kafka cluster"), "{text}");
    assert!(text.contains("this is service other_"), "{text}");
    server.properties.remove("bootstrap.servers");
    let text = server.open().expect_err("it belongs to a cluster");
    assert!(text.contains("this is service other_ on embedded topics"), "{text}");
}

fn records_gone(broker: &Broker, cluster: &Cluster<'_>) {
    cluster.create("short", &[]);
    let mut server = Server::start(broker, "short_", &[]);
    pipelines(&mut server, "short", "s");
    cluster.produce("short", &lines(0, 4));
    written(&server, cluster, "S_COPY", 4);
    server.stop();
    cluster.produce("short", &lines(4, 10));
    cluster.delete_records("short", 7);
    server.open().expect("the engine opens");
    written(&server, cluster, "S_COPY", 7);
    assert_eq!(server.query("S_COPY").state, "RUNNING", "it goes on with the first record that is left");
    server.stop();
}

fn large_records(broker: &Broker, cluster: &Cluster<'_>) {
    cluster.create("large", &[]);
    cluster.create("L_COPY", &["--config", "max.message.bytes=20000"]);
    let mut server = Server::start(broker, "large_", &[]);
    pipelines(&mut server, "large", "l");
    let record = |n: usize, length: usize| format!("k|{{\"k\":\"{}\",\"n\":{n}}}\n", "x".repeat(length));
    // Together they are more than the topic takes at once; the second is too much by itself.
    let all: String = [15_000, 30_000, 15_000, 10].iter().enumerate().map(|(n, length)| record(n, *length)).collect();
    cluster.produce("large", &all);
    written(&server, cluster, "L_COPY", 3);
    let status = server.until("dead letter", |server| Some(server.query("L_COPY")).filter(|query| query.rejected == 1));
    assert_eq!(status.state, "RUNNING");
    written(&server, cluster, "levada_dead_letters", 1);
    written(&server, cluster, "L_SUM", 4);
    server.stop();
    let mut server = Server::start(broker, "strict_", &[("ksql.fail.on.production.error", "true")]);
    server.run(
        "CREATE STREAM l (id STRING KEY, k STRING, n INT) WITH (kafka_topic = 'large', value_format = 'json'); \
                CREATE STREAM l_copy AS SELECT * FROM l;",
    );
    let text = server.failure("L_COPY");
    assert!(text.contains("topic L_COPY takes at most") && text.contains("ksql.fail.on.production.error"), "{text}");
    server.stop();
}

fn end_of_a_query(broker: &Broker, cluster: &Cluster<'_>) {
    cluster.create("ends", &[]);
    let mut server = Server::start(broker, "ends_", &[]);
    pipelines(&mut server, "ends", "e");
    cluster.produce("ends", &lines(0, 30));
    written(&server, cluster, "E_SUM", 30);
    let repartition = cluster.topic("ends_query_CTAS_E_SUM_2-Aggregate-GroupBy-repartition");
    server.until("deleted records", |_| (cluster.start_offset(&repartition) >= 30).then_some(()));
    assert_eq!(cluster.groups("ends_query_"), 2);
    server.run("DROP TABLE e_sum DELETE TOPIC;");
    assert_eq!(cluster.topics("ends_query_CTAS_E_SUM_2"), Vec::<String>::new(), "its internal topics go with it");
    assert_eq!(cluster.topics("E_SUM"), Vec::<String>::new(), "and its own, as it was asked for");
    assert_eq!(cluster.groups("ends_query_"), 1, "and its consumer group");
    server.stop();
}

/// What statements show of topics: hidden ones, consumers, records.
fn looked_at(broker: &Broker, cluster: &Cluster<'_>) {
    cluster.create("looked_at", &["--partitions", "2"]);
    let mut server = Server::start(broker, "looked_", &[]);
    pipelines(&mut server, "looked_at", "l");
    cluster.produce("looked_at", &lines(0, 3));
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &broker.bootstrap).set("group.id", "somebody");
    let consumer: BaseConsumer = config.create().expect("a client");
    consumer.subscribe(&["looked_at"]).expect("a topic that is there");
    let row = |server: &Server, statement: &str| {
        let mut found = None;
        let show = &mut |response| {
            let Response::Listing(listings) = response else { return };
            let mut rows = listings.into_iter().flat_map(|listing| listing.rows);
            found = rows.find(|row| row[0] == "looked_at" || row[0] == "__consumer_offsets");
        };
        server.engine().execute(&mut Session::default(), statement, show).expect("topics are shown");
        found
    };
    let consumers = server.until("a consumer", |server| {
        // Polling keeps it in its group.
        drop(consumer.poll(Duration::from_millis(100)));
        row(server, "SHOW TOPICS EXTENDED;").filter(|row| row[4] == "3")
    });
    assert_eq!(consumers, ["looked_at", "2", "1", "5", "3"], "two queries with two tasks each, and somebody");
    assert_eq!(row(&server, "SHOW ALL TOPICS;").expect("the cluster has it")[0], "__consumer_offsets");
    server.stop();
    let dir = broker.path("printer");
    let dir = dir.to_str().expect("the path is text");
    let printed = cluster.levada(&["shell", "--data-dir", dir, "-e", "PRINT looked_at FROM BEGINNING LIMIT 3;"]);
    assert_eq!(printed.matches(", key: k").count(), 3, "{printed}");
    assert!(printed.starts_with("Key format: KAFKA_STRING\nValue format: JSON or KAFKA_STRING\n"), "{printed}");
    assert!(printed.ends_with("Topic printing ceased\n"), "{printed}");
}

#[test]
fn a_data_directory_of_embedded_topics_is_no_clusters() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let open = |service: &str| {
        let properties = BTreeMap::from([("ksql.service.id".to_owned(), service.to_owned())]);
        Engine::open(dir.path(), properties).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(open("a_"), Ok(()));
    assert_eq!(open("a_"), Ok(()), "who made it opens it again");
    let text = open("b_").expect_err("it belongs to another service");
    assert!(text.contains("belongs to service a_ on embedded topics"), "{text}");
}
