//! The flights demo, end to end: its script with the built binary, then every result against a computation of its own; on embedded topics
//! and on a real Kafka.
//!
//! The computation reads the CSV files with plain Rust and knows nothing of SQL, topics or Levada's code.

mod expected;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use expected::Month;
use serde_json::Value;

use crate::kafka::Broker;
use crate::questions::json;
use crate::registry::Served;
use crate::stories::Place;

const LEVADA: &str = env!("CARGO_BIN_EXE_levada");

/// A row as texts: what both sides can say without agreeing on types.
type Row = Vec<String>;

#[test]
fn the_demo_gives_what_the_csv_files_say() {
    check_all(&Demo::run());
}

#[test]
fn the_same_on_kafka() {
    let Some(broker) = Broker::start() else { return };
    let registry = Served::start(&broker.path("registry"));
    let demo = Demo { place: Place::on_kafka(&broker, &registry, "flights") };
    let mut import = demo.script("import.sh");
    import.env("LEVADA_OPTIONS", demo.place.options[2..].join(" "));
    finish(&mut import, "");
    demo.place.output(&["run", path(&folder().join("flights.sql")), "--until-idle"]);
    check_all(&demo);
}

fn check_all(demo: &Demo) {
    let month = Month::read(&folder());
    demo.check_table("carrier_hours", &expected::CARRIER_HOURS, month.carrier_hours());
    demo.check_table("daily_status", &expected::DAILY_STATUS, month.daily_status());
    demo.check_table("worst_routes", &expected::WORST_ROUTES, month.worst_routes());
    demo.check_table("troubled_planes", &expected::TROUBLED_PLANES, month.troubled_planes());
    demo.check_topic("CANCELLED", &expected::CANCELLED, month.cancelled());
    demo.check_topic("DIVERTED", &expected::DIVERTED, month.diverted());
    demo.check_topic("CANCELLED_FAR", &expected::CANCELLED_FAR, month.cancelled_far());
    demo.check_topic("LATE_BY_PLANE", &expected::LATE_BY_PLANE, month.late_by_plane());
    demo.check_topic("DEPARTURES", &expected::DEPARTURES, month.departures());
    demo.check_topic("ALERTS", &expected::ALERTS, month.alerts());
}

#[test]
fn a_second_run_goes_on_where_the_first_one_ended() {
    let demo = Demo::run();
    let alerts = demo.records("ALERTS").len();
    let departures = demo.records("DEPARTURES").len();
    // 30 minutes are no alert at the threshold of 300 that the file sets, and are one at the new threshold.
    demo.place.output(&[
        "shell",
        "-e",
        "INSERT INTO thresholds (ROWTIME, airport, delay_limit) VALUES (1, 'LGA', 20);",
    ]);
    let flight = concat!(
        r#"{"carrier":"UA","flight":1,"tailnum":"N1","origin":"LGA","dest":"IAH","dep_time":630,"dep_delay":30,"#,
        r#""arr_delay":5,"distance":1416,"time_hour":"2013-02-01T11:00:00Z"}"#,
        "\n"
    );
    finish(&mut demo.place.levada(&["topic", "produce", "flights", "--key-field", "carrier"]), flight);
    let statements = folder().join("flights.sql");
    demo.place.output(&["run", path(&statements), "--until-idle"]);
    assert_eq!(demo.records("DEPARTURES").len(), departures + 1, "old flights are not processed twice");
    let after = demo.records("ALERTS");
    assert_eq!(after.len(), alerts + 1, "the new threshold holds");
    let message = |record: &Value| record["value"]["MESSAGE"].as_str().map(str::to_owned);
    let expected = "United Air Lines Inc. to George Bush Intercontinental (IAH): 30 MINS LATE";
    assert!(after.iter().filter_map(message).any(|text| text == expected), "no alert says: {expected}");
}

/// Where the demo has run.
struct Demo {
    place: Place,
}

impl Demo {
    fn run() -> Self {
        let demo = Self { place: Place::embedded() };
        finish(&mut demo.script("demo.sh"), "");
        demo
    }

    /// A script of the demo, for this place.
    fn script(&self, name: &str) -> Command {
        let mut script = Command::new("sh");
        script.arg(folder().join(name)).env("LEVADA", LEVADA).env("LEVADA_DEMO_DIR", &self.place.options[1]);
        script.env_remove("LEVADA_FLIGHTS_CSV").env_remove("LEVADA_OPTIONS");
        script
    }

    fn check_table(&self, table: &str, columns: &[&str], expected: Vec<Row>) {
        let statement = format!("SELECT {} FROM {table};", columns.join(", "));
        let output = self.place.answer(&statement);
        let rows = output.lines().map(|line| row(&json(line), columns)).collect();
        check(table, rows, expected);
    }

    /// Compares key, time and columns of all records of `topic`.
    fn check_topic(&self, topic: &str, columns: &[&str], expected: Vec<Row>) {
        let row_of = |record: &Value| {
            let mut cells = vec![cell(&record["key"]), cell(&record["timestamp"])];
            cells.extend(row(&record["value"], columns));
            cells
        };
        check(topic, self.records(topic).iter().map(row_of).collect(), expected);
    }

    /// All records of `topic`.
    fn records(&self, topic: &str) -> Vec<Value> {
        let output = self.place.output(&["topic", "consume", topic, "--output", "json"]);
        output.lines().map(json).collect()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sql-examples/flights")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("the checkout's path is UTF-8")
}

/// Runs `command` to its end; its errors are the test's.
fn finish(command: &mut Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command exists");
    child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("the command reads its input");
    let output = child.wait_with_output().expect("the command ends");
    assert!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn row(object: &Value, columns: &[&str]) -> Row {
    columns.iter().map(|column| cell(&object[column.to_uppercase()])).collect()
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        // One text for one double, whoever printed it.
        Value::Number(number) if number.as_i64().is_none() => number.as_f64().unwrap_or(f64::NAN).to_string(),
        other => other.to_string(),
    }
}

/// The same rows, in whatever order.
fn check(name: &str, mut actual: Vec<Row>, mut expected: Vec<Row>) {
    actual.sort_unstable();
    expected.sort_unstable();
    assert!(!expected.is_empty(), "{name}: the month has such rows");
    let difference = actual.iter().zip(&expected).find(|(actual, expected)| actual != expected);
    assert_eq!(difference, None, "{name}: the first row that differs, Levada's on the left");
    assert_eq!(actual.len(), expected.len(), "{name}: number of rows");
}
