//! Figures for Prometheus, read by Prometheus' own Python client.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use levada::engine::{Engine, EngineOptions, Session};
use levada::metrics::Metric;
use levada::topics::MemoryTopics;

fn script(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/python.sh"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the script can be run");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("the script reads");
    child.wait_with_output().expect("the script ends")
}

/// Whether the client can be run here.
fn is_there() -> bool {
    let output = script(&["setup", "prometheus"], "");
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).into_owned();
        let is_required = std::env::var("LEVADA_KAFKA").is_ok_and(|value| value == "required");
        assert!(!is_required, "no Python client: {reason}");
        // Without a standard error there is nobody to tell.
        drop(writeln!(io::stderr(), "monitoring: SKIPPED: Prometheus' Python client cannot be run here: {reason}"));
    }
    output.status.success()
}

/// An engine with queries that have met all sorts of records.
fn engine() -> Engine {
    let properties = BTreeMap::from([("auto.offset.reset".to_owned(), "earliest".to_owned())]);
    let options = EngineOptions { properties, threads: false, ..EngineOptions::default() };
    let engine = Engine::with_options(Arc::new(MemoryTopics::new()), options).expect("memory is empty");
    let statements = r"
        CREATE STREAM t (k STRING KEY, v STRING) WITH (kafka_topic = 't', value_format = 'json', partitions = 2);
        CREATE TABLE n AS SELECT v, COUNT(*) AS n FROM t WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY v;
        CREATE STREAM `some-name` AS SELECT * FROM t WHERE v LIKE 'x%';
        INSERT INTO t (k, v) VALUES ('a', 'xyz');
        INSERT INTO t (k, v) VALUES ('b', 'yz');";
    engine.execute(&mut Session::default(), statements, &mut |_| ()).expect("the statements are right");
    engine.settle(None).expect("nothing fails");
    engine.execute(&mut Session::default(), "SELECT * FROM n;", &mut |_| ()).expect("a table scan");
    engine
}

const STRANGE: Metric = Metric::counter("levada_strange_total", "What stands in labels,\nand \\ in help.");

#[test]
fn prometheus_client_reads_the_figures() {
    if !is_there() {
        return;
    }
    let engine = engine();
    engine.metrics_registry().counter(&STRANGE, &[("text", "a\"b\\c\nd,e=}")]).add(u64::MAX);
    let text = engine.metrics().to_string();
    let output = script(&["prometheus", "prometheus.py"], &text);
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    let families = String::from_utf8(output.stdout).expect("text");
    // The client leaves `_total` out of names.
    for family in [
        "levada_info gauge 1",
        "levada_strange counter 1",
        "levada_query_read_records counter 2",
        "levada_commit_seconds histogram 21",
        "levada_query_dead_letters counter 10",
        "ksql_ksql_engine_query_stats_liveness_indicator gauge 1",
        "ksql_ksql_metrics_ksql_queries_query_status unknown 2",
    ] {
        assert!(families.lines().any(|line| line == family), "{family} in\n{families}");
    }
}

/// Names of figures in `text`.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("levada_")).collect()
}

/// All `expr` and `query` texts below `value`.
fn expressions<'v>(value: &'v serde_json::Value, found: &mut Vec<&'v str>) {
    match value {
        serde_json::Value::Object(members) => {
            for (name, member) in members {
                match member {
                    serde_json::Value::String(text) if name == "expr" || name == "query" => found.push(text),
                    member => expressions(member, found),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

fn docs(page: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page)).expect("the page is there")
}

#[test]
fn the_dashboard_asks_for_figures_that_there_are() {
    let text = engine().metrics().to_string();
    let told: BTreeSet<&str> = named(&text);
    let dashboard = docs("grafana/levada.json");
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).expect("JSON");
    let mut found = Vec::new();
    expressions(&dashboard, &mut found);
    assert!(found.len() > 20, "a dashboard with panels");
    let asked: BTreeSet<&str> = found.into_iter().flat_map(named).collect();
    let missing: Vec<_> = asked.difference(&told).collect();
    assert!(missing.is_empty(), "{missing:?} in\n{text}");
}

#[test]
fn the_page_lists_every_figure() {
    let engine = engine();
    let snapshot = engine.metrics();
    let page = docs("monitoring.md");
    let listed = |name: &str| {
        // Names that begin as the one before stand without their beginning.
        let mut parts = name.match_indices('_').map(|(at, _)| format!("`…{}`", &name[at..]));
        page.contains(&format!("`{name}`")) || parts.any(|part| page.contains(&part))
    };
    let own = snapshot.families().map(|(metric, _)| metric.name).filter(|name| name.starts_with("levada_"));
    let missing: Vec<&str> = own.filter(|name| !listed(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
