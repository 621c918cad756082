//! Functions of users, in libraries.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use levada::engine::{Engine, EngineError, EngineOptions, PushEvent, Response, Session};
use levada::functions::plugins;
use levada::runtime::dead_letter;
use levada::topics::{MemoryTopics, TopicPartition, Topics};

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
    let refused = |path: &Path| plugins::load(path).expect_err("it is no plug-in").to_string();
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

/// A server whose topics outlive it, and a library that changes.
struct Server {
    topics: Arc<MemoryTopics>,
    engine: Engine,
    folder: tempfile::TempDir,
}

/// What a row of the example that fails says, and what it says in another version.
const REASON: &str = "cannot read '";
const REASON_LATER: &str = "cannot parse'";

impl Server {
    fn new() -> Self {
        let topics = Arc::new(MemoryTopics::new());
        let engine = Self::open(&topics);
        let server = Self { topics, engine, folder: tempfile::tempdir().expect("a folder for the test") };
        server.run(SIGHTINGS);
        server
    }

    fn open(topics: &Arc<MemoryTopics>) -> Engine {
        let properties = [("auto.offset.reset", "earliest"), ("ksql.extension.dir", "")];
        let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let options = EngineOptions { properties, threads: false, ..EngineOptions::default() };
        let topics: Arc<dyn Topics> = Arc::clone(topics) as _;
        Engine::with_options(topics, options).expect("a library that is gone stops nothing")
    }

    fn restart(&mut self) {
        self.engine = Self::open(&self.topics);
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("functions.so")
    }

    /// Puts the library where statements look for it, with `old` replaced by `new` in its bytes.
    fn install(&self, old: &str, new: &str) {
        assert_eq!(old.len(), new.len());
        let mut bytes = fs::read(library()).expect("the library can be read");
        let places: Vec<usize> =
            (0..bytes.len() - old.len()).filter(|at| bytes[*at..].starts_with(old.as_bytes())).collect();
        assert!(!places.is_empty(), "the library has {old}");
        for place in places {
            bytes[place..place + new.len()].copy_from_slice(new.as_bytes());
        }
        fs::write(self.path(), bytes).expect("the library can be written");
    }

    /// What `sql` answers, a line each; `PATH` stands for the library.
    fn answered(&self, sql: &str) -> Result<String, EngineError> {
        let mut lines = Vec::new();
        let mut show = |response: Response| match response {
            Response::Message(message) => lines.push(message),
            Response::Listing(listings) => {
                lines.extend(listings.iter().flat_map(|listing| &listing.rows).map(|row| row.join("|")));
            }
            Response::Rows(_) | Response::Push(_) | Response::Print(_) => {}
        };
        let sql = sql.replace("PATH", &self.path().display().to_string());
        self.engine.execute(&mut Session::default(), &sql, &mut show)?;
        self.engine.settle(None)?;
        Ok(lines.join("\n"))
    }

    fn run(&self, sql: &str) -> String {
        self.answered(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    fn refusal(&self, sql: &str) -> String {
        let path = self.path().display().to_string();
        self.answered(sql).expect_err(sql).to_string().replace(&path, "PATH")
    }

    /// States of the queries, and why they do not run.
    fn states(&self) -> Vec<(String, String)> {
        let path = self.path().display().to_string();
        let failure = |failure: Option<String>| failure.unwrap_or_default().replace(&path, "PATH");
        self.engine.queries().into_iter().map(|query| (query.state, failure(query.failure))).collect()
    }

    /// Why rows have failed, in order.
    fn reasons(&self) -> Vec<String> {
        let partition = TopicPartition { topic: dead_letter::TOPIC.into(), partition: 0 };
        let chunk = self.topics.fetch(&partition, 0, usize::MAX, usize::MAX).expect("some rows have failed");
        let reason = |row: usize| {
            let headers = chunk.headers_at(row);
            let reason = headers.iter().find(|header| &*header.key == "levada.reason").expect("each says why");
            String::from_utf8_lossy(reason.value.as_deref().unwrap_or_default()).into_owned()
        };
        (0..chunk.len()).map(reason).collect()
    }
}

const TIMES: &str =
    "CREATE STREAM times AS SELECT id, epoch_ms(seen, '%Y-%m-%d') AS ms FROM sightings WHERE seen IS NOT NULL;";
const RUNNING: (&str, &str) = ("RUNNING", "");

fn states(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(state, failure)| ((*state).to_owned(), (*failure).to_owned())).collect()
}

#[test]
fn a_library_that_is_loaded_again_takes_effect_for_queries_that_call_it() {
    let server = Server::new();
    server.install(REASON, REASON);
    assert_eq!(server.run("CREATE FUNCTION epoch_ms USING 'PATH';"), "Function EPOCH_MS was created.");
    server.run(TIMES);
    server.run("CREATE STREAM others AS SELECT id, seen FROM sightings;");
    server.install(REASON, REASON_LATER);
    server.run("INSERT INTO sightings VALUES (4, 'tomorrow');");
    let replaced = server.run("CREATE OR REPLACE FUNCTION epoch_ms USING 'PATH';");
    assert_eq!(replaced, "Function EPOCH_MS was replaced. Queries that go on with it: CSAS_TIMES_2.");
    server.run("INSERT INTO sightings VALUES (5, 'some day');");
    let reasons = server.reasons();
    let texts: Vec<bool> = reasons.iter().map(|reason| reason.contains(REASON_LATER)).collect();
    assert_eq!(texts, [false, false, false, true], "every row once, the last one with the new library: {reasons:?}");
    assert_eq!(server.states(), states(&[RUNNING, RUNNING]));
}

#[test]
fn all_functions_of_a_library_are_made_at_once() {
    let server = Server::new();
    server.install(REASON, REASON);
    assert_eq!(server.run("CREATE FUNCTIONS USING 'PATH';"), "Function EPOCH_MS was created.");
    let exists = "Cannot add function EPOCH_MS: A function with the same name already exists";
    assert_eq!(server.refusal("CREATE FUNCTIONS USING 'PATH';"), exists);
    assert_eq!(server.run("CREATE FUNCTIONS IF NOT EXISTS USING 'PATH';"), exists);
    assert_eq!(server.run("CREATE OR REPLACE FUNCTIONS USING 'PATH';"), "Function EPOCH_MS was replaced.");
    assert!(server.run("DESCRIBE FUNCTION epoch_ms;").contains(&server.path().display().to_string()));
    assert!(server.run("SHOW FUNCTIONS;").contains("EPOCH_MS|DATE / TIME"));
    assert_eq!(server.run("DROP FUNCTION epoch_ms;"), "Function EPOCH_MS was dropped.");
    assert!(server.refusal(TIMES).contains("Can't find any functions with the name 'EPOCH_MS'"));
}

#[test]
fn what_a_library_does_not_have_is_refused() {
    let server = Server::new();
    let missing = server.refusal("CREATE FUNCTION epoch_ms USING 'PATH';");
    assert_eq!(missing, "Cannot load functions from PATH: No such file or directory (os error 2)");
    server.install(REASON, REASON);
    assert_eq!(server.refusal("CREATE FUNCTION epoch USING 'PATH';"), "There is no function EPOCH in PATH.");
    server.run("CREATE FUNCTION epoch_ms USING 'PATH';");
    server.run(TIMES);
    assert!(server.refusal("DROP FUNCTION epoch_ms;").contains("queries call it: [CSAS_TIMES_2]"));
    let other = "CREATE OR REPLACE FUNCTION epoch_ms(text STRING) RETURNS STRING AS text;";
    let expected =
        "Cannot replace function EPOCH_MS: query CSAS_TIMES_2: it calls EPOCH_MS(STRING, STRING), which gives BIGINT.";
    assert_eq!(server.refusal(other), expected);
    server.run("CREATE OR REPLACE FUNCTION epoch_ms(a STRING, b STRING) RETURNS BIGINT AS LEN(a) + LEN(b);");
    assert_eq!(server.states(), states(&[RUNNING]));
}

#[test]
fn a_server_starts_without_the_library_and_goes_on_with_it() {
    let mut server = Server::new();
    server.install(REASON, REASON);
    server.run("CREATE FUNCTION epoch_ms USING 'PATH';");
    server.run("CREATE FUNCTION day_of(text STRING) RETURNS BIGINT AS epoch_ms(text, '%Y-%m-%d') / 86400000;");
    server.run(TIMES);
    server
        .run("CREATE TABLE by_day AS SELECT day_of(seen) AS day, COUNT(*) AS n FROM sightings GROUP BY day_of(seen);");
    server.run("CREATE STREAM others AS SELECT id, ms + 1 AS more FROM times;");
    server.restart();
    assert_eq!(server.states(), states(&[RUNNING; 3]));

    fs::remove_file(server.path()).expect("it is there");
    server.restart();
    let fault =
        "The function EPOCH_MS cannot be used: Cannot load functions from PATH: No such file or directory (os error 2)";
    assert_eq!(server.states(), states(&[("ERROR", fault), ("ERROR", fault), RUNNING]));
    server.run("INSERT INTO sightings VALUES (4, '1970-01-03');");
    for sql in [
        "SELECT day_of(seen) FROM sightings EMIT CHANGES;",
        "CREATE STREAM b AS SELECT id, epoch_ms(seen, 'x') AS e FROM sightings;",
    ] {
        assert_eq!(server.refusal(sql), fault);
    }
    let path = server.path().display().to_string();
    let described = server.run("DESCRIBE FUNCTION day_of;").replace(&path, "PATH");
    assert!(described.contains(fault) && described.contains("EPOCH_MS(TEXT, '%Y-%m-%d')"), "{described}");

    server.install(REASON, REASON);
    let mended = server.run("CREATE OR REPLACE FUNCTION epoch_ms USING 'PATH';");
    assert_eq!(mended, "Function EPOCH_MS was replaced. Queries that go on with it: CSAS_TIMES_3, CTAS_BY_DAY_4.");
    assert_eq!(server.states(), states(&[RUNNING; 3]));
    let rows: Vec<u64> = server.engine.queries().into_iter().map(|query| query.rows_out).collect();
    assert_eq!(rows[0], 1, "the row that came in between, and no other again");
    server.restart();
    assert_eq!(server.states(), states(&[RUNNING; 3]));
}

#[test]
fn a_library_that_has_changed_is_a_fault_of_what_it_has_no_more() {
    let mut server = Server::new();
    server.install(REASON, REASON);
    server.run("CREATE FUNCTION epoch_ms USING 'PATH';");
    server.run(TIMES);
    server.install("epoch_ms", "epoch_sm");
    server.restart();
    let fault =
        "The function EPOCH_MS cannot be used: Cannot load functions from PATH: there is no EPOCH_MS in it any more";
    assert_eq!(server.states(), states(&[("ERROR", fault)]));
    server.run("CREATE OR REPLACE FUNCTION epoch_ms(a STRING, b STRING) RETURNS BIGINT AS LEN(a) + LEN(b);");
    assert_eq!(server.states(), states(&[RUNNING]));
}

#[test]
fn a_function_of_the_extension_folder_is_replaced_but_not_dropped() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let engine = engine(folder.path());
    let mut answers = Vec::new();
    let mut run = |sql: &str| {
        let mut show = |response: Response| {
            if let Response::Message(message) = response {
                answers.push(message);
            }
        };
        engine.execute(&mut Session::default(), sql, &mut show).map_err(|error| (error.to_string(), error.hint))
    };
    let (refused, hint) = run("DROP FUNCTION epoch_ms;").expect_err("it comes with the server");
    assert!(refused.starts_with("Cannot drop function EPOCH_MS: it comes with the server, from "), "{refused}");
    assert_eq!(hint.as_deref(), Some("take the file out of the extension folder and start the server again"));
    run("CREATE OR REPLACE FUNCTION epoch_ms(text STRING) RETURNS BIGINT AS LEN(text);").expect("it is not built in");
    run("DROP FUNCTION epoch_ms;").expect("a statement has made this one");
    assert_eq!(answers, ["Function EPOCH_MS was replaced.", "Function EPOCH_MS was dropped."]);
}
