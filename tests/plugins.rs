//! Functions of users, in libraries.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arrow::array::ArrayRef;
use arrow::util::display::array_value_to_string;
use levada::engine::{Done, Engine, EngineError, EngineOptions, PushEvent, Response, Session};
use levada::functions::{Function, Registry, plugins};
use levada::runtime::dead_letter;
use levada::topics::{MemoryTopics, TopicPartition, Topics};
use levada_udf::abi::Plugin;
use levada_udf::{Definition, Exported, Functions, aggregate, scalar};

const LEVADA: &str = env!("CARGO_BIN_EXE_levada");

/// The library of an example in `udfs`. Tests of the workspace leave it beside themselves, a build puts it beside the binary as well.
pub fn library(example: &str) -> PathBuf {
    let folder = Path::new(LEVADA).parent().expect("the binary lies in a folder");
    let path = folder.join("deps").join(format!("liblevada_{example}.so"));
    assert!(path.exists(), "{} is built by `cargo test --release --workspace`", path.display());
    path
}

/// A server whose extension folder holds the library.
fn engine(folder: &Path) -> Engine {
    fs::copy(library("epoch"), folder.join("liblevada_epoch.so")).expect("the library can be copied");
    fs::write(folder.join("broken.so"), "no library").expect("a file can be written");
    let properties = BTreeMap::from([
        ("ksql.extension.dir".to_owned(), folder.display().to_string()),
        ("auto.offset.reset".to_owned(), "earliest".to_owned()),
    ]);
    let options = EngineOptions { properties, threads: false, ..EngineOptions::default() };
    Engine::with_options(Arc::new(MemoryTopics::new()), options).expect("a broken file in the folder stops nothing")
}

/// A server that knows `functions` beside its own.
fn engine_with(functions: Vec<Function>, threads: bool) -> Engine {
    let mut registry = Registry::default();
    functions.into_iter().for_each(|function| registry.add(function));
    let properties =
        [("auto.offset.reset", "earliest"), ("ksql.extension.dir", ""), ("levada.functions.slow.ms", "100")];
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let options = EngineOptions { properties, threads, functions: Arc::new(registry), ..EngineOptions::default() };
    Engine::with_options(Arc::new(MemoryTopics::new()), options).expect("an empty server starts")
}

/// A server that knows the functions of an example in `udfs` beside its own.
fn engine_of(example: &str) -> Engine {
    engine_with(plugins::load(&library(example), &BTreeMap::new()).expect("a plug-in"), false)
}

/// What a push query gives when nothing is left to do, a text for each row.
fn rows(engine: &Engine, statement: &str) -> Vec<String> {
    let mut query = None;
    let mut take = |response: Response| {
        if let Response::Push(push) = response {
            query = Some(push);
        }
    };
    engine.execute(&mut Session::default(), statement, &mut take).expect("the statement is correct");
    engine.settle(None).expect("a row that fails stops nothing");
    let query = query.expect("a push query");
    let mut rows = Vec::new();
    while let PushEvent::Rows(given) = query.next(Duration::ZERO) {
        let batch = given.batch();
        let cell = |column: &ArrayRef, row| array_value_to_string(column, row).expect("it can be shown");
        let shown = |row| batch.columns().iter().map(|column| cell(column, row)).collect::<Vec<_>>().join(" ");
        rows.extend((0..batch.num_rows()).map(shown));
    }
    rows
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
    let select =
        "SELECT epoch_ms(seen || ' 00:00:01', '%Y-%m-%d %H:%M:%S') AS seen_ms FROM sightings EMIT CHANGES LIMIT 3;";
    assert_eq!(rows(&engine, select), ["86401000", "", ""]);
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
fn libraries_are_checked_with_their_examples() {
    let calls = [
        ("epoch", "EPOCH_MS(text VARCHAR, pattern VARCHAR) -> BIGINT", "functions: 1, examples: 1, wrong: 0\n"),
        (
            "geo",
            "GEOHASH_CENTER(hash VARCHAR) -> STRUCT<LAT DOUBLE, LON DOUBLE>",
            "functions: 3, examples: 2, wrong: 0\n",
        ),
        ("percentile", "PERCENTILE(value DOUBLE, percent DOUBLE) -> DOUBLE", "functions: 1, examples: 2, wrong: 0\n"),
        (
            "logfmt",
            "LOGFMT(line VARCHAR) -> STRUCT<NAME VARCHAR, VALUE VARCHAR>",
            "functions: 1, examples: 1, wrong: 0\n",
        ),
    ];
    for (example, call, tally) in calls {
        let output = Command::new(LEVADA).args(["udf", "check"]).arg(library(example)).output().expect("levada starts");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
        assert!(shown.contains(call) && shown.ends_with(tally), "{shown}");
    }
}

#[test]
fn a_function_is_opened_with_the_properties_that_are_meant_for_it() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let areas = folder.path().join("areas.txt");
    fs::write(&areas, "city: 0 0, 0 5, 5 5, 5 0").expect("a file can be written");
    let load = |file: &Path| {
        let properties = BTreeMap::from([("ksql.functions.area_of.file".to_owned(), file.display().to_string())]);
        plugins::load(&library("geo"), &properties)
    };
    let error = load(&folder.path().join("none.txt")).expect_err("there is no such file").to_string();
    assert!(error.contains("area_of: cannot read"), "{error}");
    let engine = engine_with(load(&areas).expect("a plug-in"), false);
    let create = "CREATE STREAM places (lat DOUBLE, lon DOUBLE) WITH (KAFKA_TOPIC = 'places', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
                  INSERT INTO places VALUES (1.0, 2.0); INSERT INTO places VALUES (9.0, 9.0);";
    engine.execute(&mut Session::default(), create, &mut |_| ()).expect("the statements are correct");
    assert_eq!(rows(&engine, "SELECT area_of(lat, lon) AS area FROM places EMIT CHANGES;"), ["city", ""]);
}

#[test]
fn an_aggregate_function_takes_back_what_a_table_no_longer_has() {
    let engine = engine_of("percentile");
    let statements = "
CREATE TABLE people (id INT PRIMARY KEY, city STRING, age DOUBLE) WITH (KAFKA_TOPIC = 'people', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
CREATE TABLE ages AS SELECT city, percentile(age, 50E0) AS median, COUNT(*) AS people FROM people GROUP BY city EMIT CHANGES;
INSERT INTO people VALUES (1, 'Funchal', 30.0);
INSERT INTO people VALUES (2, 'Funchal', 40.0);
INSERT INTO people VALUES (3, 'Funchal', 50.0);";
    engine.execute(&mut Session::default(), statements, &mut |_| ()).expect("the statements are correct");
    engine.settle(None).expect("all is processed");
    let moved = "INSERT INTO people VALUES (1, 'Porto', 30.0); INSERT INTO people VALUES (2, 'Funchal', 60.0);";
    engine.execute(&mut Session::default(), moved, &mut |_| ()).expect("the statements are correct");
    let found = rows(&engine, "SELECT * FROM ages EMIT CHANGES;");
    assert_eq!(found, ["Funchal 40.0 3", "Porto 30.0 1", "Funchal 50.0 2"]);
}

#[test]
fn a_table_function_makes_rows() {
    let engine = engine_of("logfmt");
    let statements = "
CREATE STREAM lines (host STRING KEY, line STRING) WITH (KAFKA_TOPIC = 'lines', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
INSERT INTO lines VALUES ('a', 'level=info msg=\"disk full\"');
INSERT INTO lines VALUES ('b', '=wrong');
INSERT INTO lines VALUES ('c', 'level=warn');
CREATE STREAM fields AS SELECT host, logfmt(line) AS field FROM lines EMIT CHANGES;";
    engine.execute(&mut Session::default(), statements, &mut |_| ()).expect("the statements are correct");
    let select = "SELECT host, field->name AS name, field->value AS value FROM fields EMIT CHANGES;";
    assert_eq!(rows(&engine, select), ["a level info", "a msg disk full", "c level warn"]);
}

/// Waits until [`RELEASED`].
#[scalar]
fn wait_for_ever(value: i32) -> i32 {
    while !RELEASED.load(Ordering::Acquire) {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    value
}

static RELEASED: AtomicBool = AtomicBool::new(false);

/// The sum, which cannot be kept when it is 13.
#[derive(Default)]
struct Superstitious(i64);

/// The sum of numbers.
#[aggregate]
impl Superstitious {
    fn add(&mut self, number: i64) {
        self.0 += number;
    }

    fn merge(&mut self, later: &Self) {
        self.0 += later.0;
    }

    fn result(&self) -> i64 {
        self.0
    }

    fn store(&self) -> i64 {
        assert!(self.0 != 13, "13 brings bad luck");
        self.0
    }

    fn restore(stored: i64) -> Self {
        Self(stored)
    }
}

struct Forgetful;

impl Functions for Forgetful {
    fn definitions() -> Vec<Definition> {
        levada_udf::functions![Superstitious]
    }

    fn kept() -> &'static OnceLock<Vec<Definition>> {
        static ALL: OnceLock<Vec<Definition>> = OnceLock::new();
        &ALL
    }
}

#[test]
fn a_group_that_cannot_be_kept_stops_its_query() {
    static PLUGIN: Plugin = Exported::<Forgetful>::PLUGIN;
    let engine = engine_with(plugins::linked(&PLUGIN, &BTreeMap::new()).expect("a plug-in"), false);
    let run =
        |sql: &str| engine.execute(&mut Session::default(), sql, &mut |_| ()).expect("the statements are correct");
    run("
CREATE STREAM numbers (k INT KEY, i BIGINT) WITH (KAFKA_TOPIC = 'numbers', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
CREATE TABLE sums AS SELECT k, superstitious(i) AS s FROM numbers GROUP BY k EMIT CHANGES;
INSERT INTO numbers VALUES (1, 12);");
    engine.settle(None).expect("12 is kept");
    run("INSERT INTO numbers VALUES (1, 1);");
    let told = engine.settle(None).map_err(|error| error.to_string());
    let failure = engine.queries().remove(0).failure;
    let text = "superstitious: a group cannot be kept: the function panicked: 13 brings bad luck";
    let is_told = |said: Option<String>| said.is_some_and(|said| said.contains(text));
    assert!(is_told(told.clone().err()) || is_told(failure.clone()), "{told:?}, {failure:?}");
}

struct Endless;

impl Functions for Endless {
    fn definitions() -> Vec<Definition> {
        levada_udf::functions![wait_for_ever]
    }

    fn kept() -> &'static OnceLock<Vec<Definition>> {
        static ALL: OnceLock<Vec<Definition>> = OnceLock::new();
        &ALL
    }
}

#[test]
fn a_function_that_does_not_come_back_is_named_and_stops_no_statement() {
    static PLUGIN: Plugin = Exported::<Endless>::PLUGIN;
    let engine = engine_with(plugins::linked(&PLUGIN, &BTreeMap::new()).expect("a plug-in"), true);
    let statements = "
CREATE STREAM numbers (i INT) WITH (KAFKA_TOPIC = 'numbers', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
CREATE STREAM waiting AS SELECT wait_for_ever(i) AS i FROM numbers EMIT CHANGES;
INSERT INTO numbers VALUES (1);";
    engine.execute(&mut Session::default(), statements, &mut |_| ()).expect("the statements are correct");
    let shown = || {
        let mut shown = String::new();
        let mut show = |response: Response| {
            if let Response::Listing(listings) = response {
                shown.extend(
                    listings.iter().flat_map(|listing| &listing.rows).flatten().map(|cell| format!("{cell}\n")),
                );
            }
        };
        engine.execute(&mut Session::default(), "SHOW QUERIES;", &mut show).expect("queries are shown");
        shown
    };
    let complaint = "The function WAIT_FOR_EVER has been running in CSAS_WAITING_1 for ";
    while !shown().contains(complaint) {
        std::thread::park_timeout(Duration::from_millis(20));
    }
    engine.execute(&mut Session::default(), "TERMINATE CSAS_WAITING_1;", &mut |_| ()).expect("the query is ended");
    assert!(!shown().contains("RUNNING:1"), "{}", shown());
    RELEASED.store(true, Ordering::Release);
}

#[test]
fn a_new_crate_says_what_it_needs() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let api = Path::new(env!("CARGO_MANIFEST_DIR")).join("udfs/api");
    let new = |name: &str| {
        let mut command = Command::new(LEVADA);
        command
            .current_dir(folder.path())
            .args(["udf", "new", name, "--api"])
            .arg(&api)
            .output()
            .expect("levada starts")
    };
    let output = new("greeting");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let manifest = fs::read_to_string(folder.path().join("greeting/Cargo.toml")).expect("it is written");
    assert!(manifest.contains("name = \"greeting\"") && manifest.contains("cdylib"), "{manifest}");
    assert!(fs::read_to_string(folder.path().join("greeting/src/lib.rs")).is_ok_and(|text| text.contains("plugin![")));
    let again = new("greeting");
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("is there already"));
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
        let mut bytes = fs::read(library("epoch")).expect("the library can be read");
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
            Response::Message(message) | Response::Done(Done { message, .. }) => lines.push(message),
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
            if let Some(message) = response.message() {
                answers.push(message.to_owned());
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
