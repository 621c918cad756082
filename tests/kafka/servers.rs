//! Several servers of one service: statements of one are those of all, in one order.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Stdio};

use super::{Broker, succeeded};

const SERVICE: &str = "ksql.service.id=servers_";

/// A shell with a data directory of its own that executes `sql`.
fn shell(broker: &Broker, name: &str, sql: &str) -> Child {
    let mut command = broker.levada(&["shell", "--output", "csv", "--property", SERVICE]);
    command.arg("--data-dir").arg(broker.path(name)).args(["-e", sql]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("levada starts")
}

fn answer(child: Child) -> String {
    succeeded(&child.wait_with_output().expect("levada ends"))
}

/// Statements that create streams `<prefix>0`, `<prefix>1` …, and each a query from it.
fn creations(prefix: &str) -> String {
    let create = |number| {
        format!(
            "CREATE STREAM {prefix}{number} (id INT) WITH (kafka_topic = '{prefix}{number}', value_format = 'json', partitions = 1); \
             CREATE STREAM {prefix}{number}_copy AS SELECT * FROM {prefix}{number};"
        )
    };
    (0..3).map(create).collect()
}

/// First column of the lines that begin with one of `prefixes`.
fn names(text: &str, prefixes: &[&str]) -> Vec<String> {
    let first = |line: &str| line.split(',').next().unwrap_or_default().to_owned();
    text.lines().map(first).filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix))).collect()
}

fn numbers(queries: &[String]) -> BTreeSet<&str> {
    queries.iter().filter_map(|id| id.rsplit('_').next()).collect()
}

#[test]
fn statements_of_two_servers_at_once_never_diverge() {
    let Some(broker) = Broker::start() else { return };
    let shells = ["left", "right"].map(|name| (name, shell(&broker, name, &creations(name))));
    for (_, child) in shells {
        answer(child);
    }
    let listings = ["left", "late"].map(|name| answer(shell(&broker, name, "SHOW STREAMS; SHOW QUERIES;")));
    assert_eq!(listings[0], listings[1], "a server that starts late has the same catalog");
    let streams = names(&listings[0], &["LEFT", "RIGHT"]);
    assert_eq!(streams.len(), 12, "{}", listings[0]);
    let queries = names(&listings[0], &["CSAS"]);
    assert_eq!((queries.len(), numbers(&queries).len()), (6, 6), "every query has a number of its own: {queries:?}");
}

#[test]
fn a_file_that_two_servers_run_is_applied_once() {
    let Some(broker) = Broker::start() else { return };
    let file = broker.path("file.sql");
    std::fs::write(&file, creations("both")).expect("a file is written");
    let run = |file: &Path, name: &str| {
        let mut command = broker.levada(&["run", "--until-idle", "0", "--property", SERVICE]);
        command.arg("--data-dir").arg(broker.path(name)).arg(file);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("levada starts")
    };
    let servers = ["one", "two"].map(|name| run(&file, name));
    servers.into_iter().for_each(|server| drop(answer(server)));
    let listing = answer(shell(&broker, "late", "SHOW QUERIES; TERMINATE ALL; SHOW QUERIES;"));
    assert_eq!(names(&listing, &["CSAS"]).len(), 3, "{listing}");
}

#[test]
fn a_shell_that_has_just_begun_answers_with_the_rows_of_a_run_that_has_ended() {
    let Some(broker) = Broker::start() else { return };
    let file = broker.path("counts.sql");
    let statements = "SET 'auto.offset.reset' = 'earliest';
        CREATE STREAM visits (page STRING KEY, n INT) WITH (kafka_topic = 'visits', value_format = 'json', partitions = 4);
        CREATE TABLE counts AS SELECT page, COUNT(*) AS n FROM visits GROUP BY page;";
    std::fs::write(&file, statements).expect("a file is written");
    let run = || {
        let mut command = broker.levada(&["run", "--until-idle", "--property", SERVICE]);
        command.arg("--data-dir").arg(broker.path("worker")).arg(&file);
        succeeded(&command.output().expect("levada starts"));
    };
    run();
    let visits: Vec<String> = (0..40).map(|number| format!("page-{}|{{\"n\":{number}}}\n", number % 10)).collect();
    broker.produce("visits", &["--key-separator", "|"], &visits.concat());
    run();
    // The directory of the run has the state, another one gets it from the cluster.
    for directory in ["worker", "another"] {
        let statements =
            "SELECT page, n FROM counts WHERE page = 'page-7'; SELECT COUNT(*) AS pages FROM counts GROUP BY n;";
        assert_eq!(answer(shell(&broker, directory, statements)), "PAGE,N\npage-7,4\nPAGES\n10\n", "{directory}");
    }
}
