//! The stories of `sql-examples`: folders with a script that runs them and SQL files that ask questions. Each is run on embedded
//! topics, with the registry of the data directory, and on a real Kafka with a registry in a process of its own.

mod kills;
mod secured;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::kafka::Broker;
use crate::plugins::library;
use crate::questions::questions;
use crate::registry::Served;

const LEVADA: &str = env!("CARGO_BIN_EXE_levada");

/// All of them but those of [`WITH_TESTS_OF_THEIR_OWN`].
const STORIES: [&str; 8] = ["concierge", "ferries", "logins", "nursery", "own-function", "pumps", "rentals", "wallets"];

/// `flights`, whose results are computed a second time (`demo.rs`), and `secured`, which starts all that it needs by itself.
const WITH_TESTS_OF_THEIR_OWN: [&str; 2] = ["flights", "secured"];

#[test]
fn concierge_runs_on_embedded_topics() {
    check(&Place::embedded(), "concierge");
}

#[test]
fn pumps_run_on_embedded_topics() {
    check(&Place::embedded(), "pumps");
}

#[test]
fn ferries_run_on_embedded_topics() {
    check(&Place::embedded(), "ferries");
}

#[test]
fn logins_run_on_embedded_topics() {
    check(&Place::embedded(), "logins");
}

#[test]
fn logins_run_on_lines_that_are_made_up() {
    let place = Place::embedded();
    let (schema, file) = (text(&folder("logins").join("attacks.avsc")), text(&folder("logins").join("logins.sql")));
    let lines = ["--rate", "10", "--count", "600", "--seed", "3", "--begin", "2026-03-01T06:00:00Z", "--print"];
    let made = [&["datagen", "--schema", &schema, "--topic", "syslog", "--timestamp-field", "logged_at"], &lines[..]];
    let printed = place.output(&made.concat());
    place.output(&["run", &file, "--until-idle"]);
    let is_attack = |line: &&str| line.contains("\"gate\"") && line.contains("Invalid user ");
    let attacks = printed.lines().filter(is_attack).count();
    assert!(attacks > 100, "{attacks} of 600 lines");
    let attempts: Vec<u64> = place
        .answer("SELECT attempts FROM attacks_per_minute;")
        .lines()
        .map(|row| serde_json::from_str::<serde_json::Value>(row).expect("JSON")["ATTEMPTS"].as_u64().expect("a count"))
        .collect();
    assert_eq!(
        (attempts.len(), attempts.iter().sum::<u64>()),
        (9, attacks as u64),
        "nine sources, all in the one minute"
    );
}

#[test]
fn nursery_runs_on_embedded_topics() {
    let place = Place::embedded();
    check(&place, "nursery");
    tells_what_has_passed(&place);
}

#[test]
fn rentals_run_on_embedded_topics() {
    let place = Place::embedded();
    check(&place, "rentals");
    describes_what_the_registry_knows(&place);
}

#[test]
fn own_function_runs_on_embedded_topics() {
    check(&Place::embedded(), "own-function");
}

#[test]
fn wallets_run_on_embedded_topics() {
    check(&Place::embedded(), "wallets");
}

#[test]
fn every_story_runs_on_kafka_with_a_registry_beside_it() {
    let Some(broker) = Broker::start() else { return };
    let registry = Served::start(&broker.path("registry"));
    let tell = |story: &str| {
        let place = Place::on_kafka(&broker, &registry, story);
        check(&place, story);
        match story {
            "nursery" => tells_what_has_passed(&place),
            "rentals" => describes_what_the_registry_knows(&place),
            _ => {}
        }
    };
    // They are services of their own, and wait most of the time.
    std::thread::scope(|scope| {
        for stories in STORIES.chunks(STORIES.len().div_ceil(2)) {
            scope.spawn(|| stories.iter().for_each(|story| tell(story)));
        }
    });
}

#[test]
fn every_story_is_in_the_index_and_has_its_page() {
    let index = std::fs::read_to_string(folder("README.md")).expect("the folder has an index");
    let entries = std::fs::read_dir(folder("")).expect("the repository has the folder").flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    let names: Vec<&str> = folders.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    let known: BTreeSet<&str> = STORIES.into_iter().chain(WITH_TESTS_OF_THEIR_OWN).collect();
    assert_eq!(names, known.into_iter().collect::<Vec<_>>());
    for (name, path) in names.iter().zip(&folders) {
        assert!(index.contains(&format!("({name}/README.md)")), "{name} is not in the index");
        assert!(path.join("README.md").is_file(), "{name} has no page");
    }
}

/// Where a story is run.
pub struct Place {
    _dir: Option<TempDir>,
    /// `--data-dir`, where, and `--property` for each of the others.
    pub options: Vec<String>,
    /// The address of a registry that is not the data directory's.
    registry: Option<String>,
}

impl Place {
    /// Embedded topics, with the registry of their data directory.
    pub fn embedded() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let options = vec!["--data-dir".to_owned(), text(&dir.path().join("data"))];
        Self { _dir: Some(dir), options, registry: None }
    }

    /// A cluster, as the service `name`, with `registry`.
    pub fn on_kafka(broker: &Broker, registry: &Served, name: &str) -> Self {
        let registry = format!("http://{}", registry.address);
        let mut options = vec!["--data-dir".to_owned(), text(&broker.path(name))];
        let properties =
            [broker.property(), format!("ksql.service.id={name}_"), format!("ksql.schema.registry.url={registry}")];
        for property in properties {
            options.extend(["--property".to_owned(), property]);
        }
        Self { _dir: None, options, registry: Some(registry) }
    }

    /// The binary, here.
    pub fn levada(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(LEVADA);
        command.args(arguments).args(&self.options).stdin(Stdio::null());
        command
    }

    /// Standard output of one command of the binary.
    pub fn output(&self, arguments: &[&str]) -> String {
        succeeded(&self.levada(arguments).output().expect("levada starts"), &arguments.join(" "))
    }

    /// The rows that answer `statements`, as JSON.
    pub fn answer(&self, statements: &str) -> String {
        self.output(&["shell", "--output", "json", "-e", statements])
    }

    /// Runs the script of the story `name`; what it says.
    fn run(&self, name: &str) -> String {
        let mut script = Command::new("sh");
        script.arg(folder(name).join("run.sh")).env("LEVADA", LEVADA).env("LEVADA_OPTIONS", self.options.join(" "));
        match &self.registry {
            Some(address) => script.env("LEVADA_REGISTRY", address),
            None => script.env_remove("LEVADA_REGISTRY"),
        };
        script.env("LEVADA_EPOCH", library("epoch"));
        succeeded(&script.stdin(Stdio::null()).output().expect("there is a shell"), name)
    }
}

/// Runs the story `name`, then asks what its files ask.
fn check(place: &Place, name: &str) {
    let said = place.run(name);
    if name == "own-function" {
        refuses_a_call_without_pattern(&said);
    }
    let file = folder(name).join(format!("{name}.sql"));
    let questions = questions(&std::fs::read_to_string(&file).expect("stories are UTF-8"));
    assert!(!questions.is_empty(), "{name} asks nothing");
    for question in questions {
        let output = place.answer(&question.statements);
        question.check(name, &output);
    }
}

/// What the script of `own-function` is told at its end.
fn refuses_a_call_without_pattern(said: &str) {
    let (_, told) = said.split_once("Without a pattern:\n").expect("it is tried");
    for part in [
        "Function 'epoch_ms' does not accept parameters (STRING).",
        "epoch_ms(text VARCHAR, pattern VARCHAR)",
        "CREATE STREAM hasty",
    ] {
        assert!(told.contains(part), "'{part}' in {told}");
    }
}

/// A stream whose columns nobody has declared, in full.
fn describes_what_the_registry_knows(place: &Place) {
    let said = place.output(&["shell", "-e", "DESCRIBE EXTENDED client_changes;"]);
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "Name : CLIENT_CHANGES",
        "Type : STREAM",
        "Key format : AVRO",
        "Value format : AVRO",
        "Kafka topic : shop.clients (partitions: 1, replication: 1)",
        "ROWKEY │ STRUCT<`ID` INTEGER> (key)",
        "SINCE │ VARCHAR(STRING)",
        "CSAS_CLIENTS_BY_ID",
    ] {
        assert!(words.contains(part), "'{part}' in {said}");
    }
}

/// What nobody can know beforehand: that queries run, how many records have passed, and how fast.
fn tells_what_has_passed(place: &Place) {
    let fetched = place.output(&["topic", "consume", "picking_list", "--key-format", "kafka:int"]);
    assert!(fetched.contains("\t12\t5002;Olive, young;2;Café Central;Évora;to the back door\n"), "{fetched}");
    let statements = "SET 'auto.offset.reset' = 'earliest'; \
        INSERT INTO orders (order_no, customer, plant, pieces, price) VALUES (5007, 11, 'Sage', 1, 2.00); \
        SELECT plant FROM orders_of_customers WHERE order_no = 5007 EMIT CHANGES LIMIT 1; \
        SHOW QUERIES; DESCRIBE orders_of_customers EXTENDED;";
    let said = place.output(&["shell", "-e", statements]);
    let line =
        |begin: &str| said.lines().find(|line| line.trim_start().starts_with(begin)).unwrap_or_default().to_owned();
    for (sink, topic) in
        [("ORDERS_OF_CUSTOMERS", "orders_of_customers"), ("PICKING_LIST", "picking_list"), ("TOWNS", "TOWNS")]
    {
        let listed =
            said.lines().find(|line| line.contains(&format!("│ {sink} ")) && line.contains(&format!("│ {topic} ")));
        assert!(listed.is_some_and(|line| line.contains("RUNNING:1")), "{sink} runs: {said}");
    }
    let figure = |name: &str| line(name).split_once(':').map_or(String::new(), |(_, text)| text.trim().to_owned());
    assert_eq!(figure("total-messages"), "1", "{said}");
    let rate: f64 = figure("messages-per-sec").parse().expect("a rate is a number");
    assert!(rate > 0.0, "{said}");
    assert_eq!(figure("rejected-messages"), "0", "{said}");
    assert_eq!((figure("Key format"), figure("Value format")), ("AVRO".to_owned(), "AVRO".to_owned()), "{said}");
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sql-examples").join(name)
}

fn text(path: &Path) -> String {
    path.to_str().expect("temporary names are text").to_owned()
}

fn succeeded(output: &Output, what: &str) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}:\n{out}\n{err}");
    out.into_owned()
}
