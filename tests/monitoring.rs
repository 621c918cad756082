//! Figures for Prometheus, read by Prometheus' own Python client.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use levada::engine::{Engine, EngineOptions, Session};
use levada::topics::MemoryTopics;

fn script(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/prometheus.sh"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the script can be run");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("the script reads");
    child.wait_with_output().expect("the script ends")
}

/// Whether the client can be run here.
fn is_there() -> bool {
    let output = script(&["setup"], "");
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
    let statements = r#"
        CREATE STREAM t (k STRING KEY, v STRING) WITH (kafka_topic = 't', value_format = 'json', partitions = 2);
        CREATE TABLE n AS SELECT v, COUNT(*) AS n FROM t WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY v;
        CREATE STREAM `Some "name"` WITH (kafka_topic = 'some') AS SELECT * FROM t WHERE v LIKE 'x%';
        INSERT INTO t (k, v) VALUES ('a', 'xyz');
        INSERT INTO t (k, v) VALUES ('b', 'yz');"#;
    engine.execute(&mut Session::default(), statements, &mut |_| ()).expect("the statements are right");
    engine.settle(None).expect("nothing fails");
    engine.execute(&mut Session::default(), "SELECT * FROM n;", &mut |_| ()).expect("a table scan");
    engine
}

#[test]
fn prometheus_client_reads_the_figures() {
    if !is_there() {
        return;
    }
    let text = engine().metrics().to_string();
    let output = script(&[], &text);
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    let families = String::from_utf8(output.stdout).expect("text");
    // The client leaves `_total` out of names.
    for family in [
        "levada_info gauge 1",
        "levada_query_read_records counter 2",
        "levada_commit_seconds histogram 21",
        "levada_query_dead_letters counter 10",
        "ksql_ksql_engine_query_stats_liveness_indicator gauge 1",
        "ksql_ksql_metrics_ksql_queries_query_status unknown 2",
    ] {
        assert!(families.lines().any(|line| line == family), "{family} in\n{families}");
    }
}
