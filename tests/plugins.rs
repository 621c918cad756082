//! Functions of users, in libraries.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use levada::engine::{Engine, EngineOptions, PushEvent, Response, Session};
use levada::functions::plugins;
use levada::topics::MemoryTopics;

const LEVADA: &str = env!("CARGO_BIN_EXE_levada");

/// The library of the example `udfs/epoch`, which is built with the workspace.
fn library() -> PathBuf {
    let folder = Path::new(LEVADA).parent().expect("the binary lies in a folder");
    let path = folder.join("liblevada_epoch.so");
    assert!(path.exists(), "{} is built by `cargo build --release --workspace`", path.display());
    path
}

/// A server whose extension folder holds the library.
fn engine(folder: &Path) -> Engine {
    fs::copy(library(), folder.join("liblevada_epoch.so")).expect("the library can be copied");
    fs::write(folder.join("broken.so"), "no library").expect("a file can be written");
    let properties = BTreeMap::from([
        ("ksql.extension.dir".to_owned(), folder.display().to_string()),
        ("auto.offset.reset".to_owned(), "earliest".to_owned()),
    ]);
    let options = EngineOptions { properties, threads: false, ..EngineOptions::default() };
    Engine::with_options(Arc::new(MemoryTopics::new()), options).expect("a broken file in the folder stops nothing")
}

const SIGHTINGS: &str = "
CREATE STREAM sightings (id INT KEY, seen STRING) WITH (KAFKA_TOPIC = 'sightings', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
INSERT INTO sightings VALUES (1, '1970-01-02');
INSERT INTO sightings VALUES (2, 'yesterday');
INSERT INTO sightings (id) VALUES (3);
";

#[test]
fn functions_in_the_extension_folder_can_be_called() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let engine = engine(folder.path());
    engine.execute(&mut Session::default(), SIGHTINGS, &mut |_| ()).expect("the statements are correct");
    let mut query = None;
    let select =
        "SELECT epoch_ms(seen || ' 00:00:01', '%Y-%m-%d %H:%M:%S') AS seen_ms FROM sightings EMIT CHANGES LIMIT 3;";
    let mut take = |response: Response| {
        if let Response::Push(push) = response {
            query = Some(push);
        }
    };
    engine.execute(&mut Session::default(), select, &mut take).expect("the function is there");
    engine.settle(None).expect("a row that fails stops nothing");
    let query = query.expect("a push query");
    let mut values = Vec::new();
    while let PushEvent::Rows(rows) = query.next(Duration::ZERO) {
        let at = rows.column(0).as_primitive::<Int64Type>();
        values.extend((0..at.len()).map(|row| at.is_valid(row).then(|| at.value(row))));
    }
    assert_eq!(values, [Some(86_401_000), None, None]);
}

#[test]
fn wrong_arguments_of_a_plug_in_are_refused_as_those_of_other_functions() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let engine = engine(folder.path());
    engine.execute(&mut Session::default(), SIGHTINGS, &mut |_| ()).expect("the statements are correct");
    let create = "CREATE STREAM times AS SELECT id, epoch_ms(seen) AS seen_ms FROM sightings;";
    let error = engine.execute(&mut Session::default(), create, &mut |_| ()).expect_err("an argument is missing");
    let expected = "Function 'epoch_ms' does not accept parameters (STRING).\nValid alternatives are:\n\
                    epoch_ms(text VARCHAR, pattern VARCHAR)";
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn what_is_no_plug_in_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let broken = folder.path().join("broken.so");
    fs::write(&broken, "no library").expect("a file can be written");
    let refused = |path: &Path| plugins::load(path, &BTreeMap::new()).expect_err("it is no plug-in").to_string();
    assert!(refused(&broken).contains("it is no library"), "{}", refused(&broken));
    let missing = refused(&folder.path().join("missing.so"));
    assert!(missing.starts_with("Cannot load functions from") && missing.contains("No such file"), "{missing}");
}

#[test]
fn a_library_is_checked_with_its_examples() {
    let output = Command::new(LEVADA).args(["udf", "check"]).arg(library()).output().expect("levada starts");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    assert!(shown.contains("EPOCH_MS(text VARCHAR, pattern VARCHAR) -> BIGINT"), "{shown}");
    assert!(shown.ends_with("functions: 1, examples: 1, wrong: 0\n"), "{shown}");
}
