//! `levada migrations`: the life of a project on a server, and projects of `ksql-migrations`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::docs::is_excerpt;
use crate::server::process::TestServer;

/// A project in a folder of its own.
struct Project {
    folder: TempDir,
}

/// What a command has said.
#[derive(Debug)]
struct Told {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Project {
    /// A new project for `server`, without metadata.
    fn new(server: &TestServer) -> Self {
        let project = Self { folder: tempfile::tempdir().expect("a folder for the test") };
        project.does(&["new-project", ".", &server.url()]);
        project
    }

    /// The same with metadata.
    fn initialized(server: &TestServer) -> Self {
        let project = Self::new(server);
        project.does(&["initialize-metadata"]);
        project
    }

    fn run(&self, arguments: &[&str]) -> Told {
        let mut command = Command::new(env!("CARGO_BIN_EXE_levada"));
        command.arg("migrations").args(arguments).current_dir(self.folder.path());
        let output = command.env_remove("LEVADA_LOG").env_remove("LEVADA_TOKEN").output().expect("the binary starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the binary writes UTF-8");
        Told { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs what succeeds, and says nothing but what is done.
    fn does(&self, arguments: &[&str]) -> String {
        let told = self.run(arguments);
        assert_eq!((told.code, told.err.as_str()), (Some(0), ""), "{arguments:?}: {told:?}");
        told.out
    }

    /// Runs what fails, and says why.
    fn fails(&self, arguments: &[&str]) -> String {
        let told = self.run(arguments);
        assert_eq!(told.code, Some(1), "{arguments:?}: {told:?}");
        told.err
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("migrations").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("it can be written");
    }

    /// Version, name, state, previous version and reason of each row of `info`.
    fn states(&self) -> Vec<[String; 5]> {
        let out = self.does(&["info"]);
        let rows = out.lines().skip_while(|line| !line.starts_with('─')).skip(1).filter(|line| line.contains('│'));
        let cells = rows.map(|row| row.split('│').map(|cell| cell.trim().to_owned()).collect::<Vec<String>>());
        cells.map(|cells| [0, 1, 2, 3, 6].map(|at| cells[at].clone())).collect()
    }
}

fn states(expected: &[[&str; 5]]) -> Vec<[String; 5]> {
    expected.iter().map(|row| row.map(ToOwned::to_owned)).collect()
}

/// Names of streams that `server` has.
fn streams(server: &TestServer) -> Vec<String> {
    let entities = server.run("SHOW STREAMS;");
    let streams = entities[0]["streams"].as_array().expect("an array of streams");
    let mut names: Vec<String> = streams.iter().filter_map(|one| one["name"].as_str()).map(ToOwned::to_owned).collect();
    names.sort();
    names
}

fn stream(name: &str) -> String {
    format!("CREATE STREAM {name} (a INT) WITH (kafka_topic='{name}', value_format='json', partitions=1);\n")
}

#[test]
fn a_project_lives_from_its_folder_to_the_end_of_its_metadata() {
    let server = TestServer::start();
    let project = Project::new(&server);
    let properties = fs::read_to_string(project.folder.path().join("ksql-migrations.properties")).expect("it is made");
    assert!(properties.starts_with(&format!("ksql.server.url={}\n", server.url())), "{properties}");
    let before = project.fails(&["info"]);
    assert!(
        before.contains("there is no stream MIGRATION_EVENTS") && before.contains("initialize-metadata"),
        "{before}"
    );
    let made = project.does(&["initialize-metadata"]);
    assert!(made.contains("MIGRATION_EVENTS made, topic default_ksql_MIGRATION_EVENTS"), "{made}");
    assert!(project.does(&["initialize-metadata"]).contains("are there already"));
    assert!(project.does(&["apply", "--all"]).contains("there is nothing to apply"));

    assert!(project.does(&["create", "Add orders"]).contains("V000001__Add_orders.sql"));
    project.does(&["create", "-v", "4", "Add_large"]);
    assert!(project.fails(&["create", "-v", "4", "x"]).contains("version 4 is taken"));
    project.write("V000001__Add_orders.sql", &stream("orders"));
    project.write("V000004__Add_large.sql", "CREATE STREAM large AS SELECT * FROM orders WHERE a > 1;");
    let pending = states(&[["1", "Add orders", "PENDING", "N/A", "N/A"], ["4", "Add large", "PENDING", "N/A", "N/A"]]);
    assert_eq!(project.states(), pending);
    let shown = project.does(&["apply", "--next", "--dry-run"]);
    assert!(shown.contains("version 1, Add orders: 1 statement") && shown.contains("CREATE STREAM orders"), "{shown}");
    assert_eq!(project.states(), pending, "nothing was applied");
    assert_eq!(streams(&server), ["MIGRATION_EVENTS"]);

    project.does(&["apply", "--next"]);
    assert_eq!(streams(&server), ["MIGRATION_EVENTS", "ORDERS"]);
    project.does(&["apply", "-a"]);
    assert_eq!(streams(&server), ["LARGE", "MIGRATION_EVENTS", "ORDERS"]);
    let info = project.does(&["info"]);
    assert!(info.starts_with("Current migration version: 4\nServer: Levada "), "{info}");
    let applied = [["1", "Add orders", "MIGRATED", "<none>", "N/A"], ["4", "Add large", "MIGRATED", "1", "N/A"]];
    assert_eq!(project.states(), states(&applied));
    assert_eq!(project.does(&["validate"]), "2 applied migrations and unchanged\n");
    let again = project.fails(&["apply", "-v", "1"]);
    assert!(again.contains("version 1 does not come behind version 4"), "{again}");

    let gone = project.does(&["destroy-metadata"]);
    assert!(gone.contains("table MIGRATION_SCHEMA_VERSIONS dropped"), "{gone}");
    assert_eq!(streams(&server), ["LARGE", "ORDERS"], "what was applied stays");
    let topics = server.run("SHOW ALL TOPICS;")[0].to_string();
    assert!(topics.contains("LARGE") && !topics.contains("MIGRATION"), "{topics}");
    assert_eq!(project.does(&["destroy-metadata"]), "there is no metadata of migrations\n");
    assert!(project.fails(&["validate"]).contains("there is no stream MIGRATION_EVENTS"));
}

#[test]
fn a_migration_that_fails_is_an_error_until_it_is_applied_again() {
    let server = TestServer::start();
    let project = Project::initialized(&server);
    project.write("V000001__One.sql", &stream("one"));
    project.write("V000002__Two.sql", &format!("{}\nDROP STREAM nothing;\n{}", stream("two"), stream("three")));
    project.write("V000003__Three.sql", &stream("four"));
    let told = project.fails(&["apply", "--all"]);
    let place = format!("{}:3:", PathBuf::from("migrations").join("V000002__Two.sql").display());
    assert!(told.contains(&place) && told.contains("version 2 is ERROR"), "{told}");
    assert_eq!(streams(&server), ["MIGRATION_EVENTS", "ONE", "TWO"], "what stands behind is not carried out");
    let found = project.states();
    assert_eq!(found[1][..4], ["2", "Two", "ERROR", "1"].map(ToOwned::to_owned));
    assert!(found[1][4].starts_with("line 3: ") && found[1][4].contains("NOTHING"), "{found:?}");
    assert_eq!(found[2][2], "PENDING");
    assert_eq!(project.does(&["validate"]), "1 applied migration and unchanged\n");
    project.write("V000002__Two.sql", &stream("three"));
    project.does(&["apply", "--until", "2"]);
    let mended = states(&[
        ["1", "One", "MIGRATED", "<none>", "N/A"],
        ["2", "Two", "MIGRATED", "1", "N/A"],
        ["3", "Three", "PENDING", "N/A", "N/A"],
    ]);
    assert_eq!(project.states(), mended);
    assert_eq!(streams(&server), ["MIGRATION_EVENTS", "ONE", "THREE", "TWO"]);
}

#[test]
fn nothing_is_applied_if_one_of_the_files_cannot_be_read() {
    let server = TestServer::start();
    let project = Project::initialized(&server);
    project.write("V000001__One.sql", &stream("one"));
    for (wrong, reason) in [
        ("SELECT * FROM one EMIT CHANGES;", "SELECT is no statement of a migration"),
        ("DROP STREEM one;", "2:6"),
        ("DROP STREAM ${which};", "Illegal argument"),
    ] {
        project.write("V000002__Two.sql", &format!("-- wrong\n{wrong}\n"));
        let told = project.fails(&["apply", "--all"]);
        assert!(told.contains(reason) && told.contains("V000002__Two.sql:2:"), "{wrong}: {told}");
        assert_eq!(streams(&server), ["MIGRATION_EVENTS"], "{wrong}");
    }
    assert!(project.states().iter().all(|row| row[2] == "PENDING"));
}

#[test]
fn files_that_were_applied_stay_as_they_are() {
    let server = TestServer::start();
    let project = Project::initialized(&server);
    project.write("V000001__One.sql", &stream("one"));
    project.write("V000003__Three.sql", &stream("three"));
    project.does(&["apply", "--all"]);
    project.write("V000001__One.sql", &stream("other"));
    fs::remove_file(project.path("V000003__Three.sql")).expect("it is there");
    project.write("V000004__Four.sql", &stream("four"));
    for command in [&["validate"][..], &["apply", "--all"]] {
        let told = project.fails(command);
        assert!(told.contains("V000001__One.sql has changed since it was applied"), "{told}");
        assert!(told.contains("version 3, Three, was applied, and its file is gone"), "{told}");
    }
    assert_eq!(
        project.states()[1],
        states(&[["3", "Three", "MIGRATED", "1", "N/A"]])[0],
        "it is known by its metadata"
    );
    project.write("V000001__One.sql", &stream("one"));
    project.write("V000003__Three.sql", &stream("three"));
    project.write("V000002__Late.sql", &stream("late"));
    let told = project.run(&["apply", "--all"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.err.contains("V000002__Late.sql was not applied, and is passed over"), "{told:?}");
    assert_eq!(streams(&server), ["FOUR", "MIGRATION_EVENTS", "ONE", "THREE"]);
}

#[test]
fn variables_and_properties_hold_for_one_file() {
    let server = TestServer::start();
    let project = Project::initialized(&server);
    let one = "DEFINE topic = 'numbers';\nSET 'auto.offset.reset' = 'earliest';\n\
         CREATE STREAM ${name} (k STRING KEY, a INT) WITH (kafka_topic='${topic}', value_format='json', partitions=1);\n\
         INSERT INTO ${name} (k, a) VALUES ('x', ${value});\n\
         INSERT INTO ${name} (k, a) VALUES ('x', 2);\n\
         CREATE TABLE sums AS SELECT k, SUM(a) AS total FROM ${name} GROUP BY k;\n";
    project.write("V000001__One.sql", one);
    project.does(&["apply", "-n", "-d", "name=numbers", "--define", "value=40"]);
    server.until("SELECT * FROM sums;", |rows| rows.to_string().contains("[\"x\",42]"));
    project.write("V000002__Two.sql", "DROP STREAM ${topic};\n");
    let told = project.fails(&["apply", "-n"]);
    assert!(told.contains("${topic}"), "variables of a file end with it: {told}");
}

#[test]
fn who_is_running_blocks_until_it_is_aborted() {
    let server = TestServer::start();
    let project = Project::initialized(&server);
    project.write("V000001__One.sql", &stream("one"));
    let columns = "version_key, version, name, state, checksum, started_on, completed_on, previous, error_reason";
    for key in ["1", "CURRENT"] {
        server.run(&format!(
            "INSERT INTO migration_events ({columns}) VALUES ('{key}', '1', 'One', 'RUNNING', 'x', '5', '', '<none>', 'N/A');"
        ));
    }
    let current = "SELECT state FROM migration_schema_versions WHERE version_key = 'CURRENT';";
    server.until(current, |rows| rows.to_string().contains("RUNNING"));
    let told = project.fails(&["apply", "--all"]);
    assert!(told.contains("version 1, One, is RUNNING") && told.contains("levada migrations abort"), "{told}");
    assert!(project.does(&["abort"]).contains("version 1 is ERROR now"));
    assert_eq!(project.states(), states(&[["1", "One", "ERROR", "<none>", "aborted by hand"]]));
    project.does(&["apply", "--all"]);
    assert_eq!(project.states(), states(&[["1", "One", "MIGRATED", "<none>", "N/A"]]));
    assert_eq!(project.does(&["abort"]), "no migration is RUNNING\n");
}

/// Columns of a stream or table, with their types.
fn columns(server: &TestServer, name: &str) -> Vec<(String, String)> {
    let described = server.run(&format!("DESCRIBE {name};"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fields = described[0]["sourceDescription"]["fields"].as_array().expect("an array of fields");
    fields.iter().map(|field| (text(&field["name"]), text(&field["schema"]["type"]))).collect()
}

#[test]
fn metadata_of_ksql_migrations_are_taken_over() {
    let server = TestServer::start();
    // As its documentation has them.
    server.run(
        "CREATE STREAM migration_events (version_key STRING KEY, version STRING, name STRING, state STRING, checksum STRING,
           started_on STRING, completed_on STRING, previous STRING, error_reason STRING)
           WITH (KAFKA_TOPIC='default_ksql_MIGRATION_EVENTS', VALUE_FORMAT='JSON', PARTITIONS=1, REPLICAS=1);
         SET 'auto.offset.reset' = 'earliest';
         CREATE TABLE migration_schema_versions WITH (KAFKA_TOPIC='default_ksql_MIGRATION_SCHEMA_VERSIONS') AS
           SELECT version_key, latest_by_offset(version) AS version, latest_by_offset(name) AS name,
             latest_by_offset(state) AS state, latest_by_offset(checksum) AS checksum,
             latest_by_offset(started_on) AS started_on, latest_by_offset(completed_on) AS completed_on,
             latest_by_offset(previous) AS previous, latest_by_offset(error_reason) AS error_reason
           FROM migration_events GROUP BY version_key;",
    );
    let project = Project::new(&server);
    assert!(project.does(&["initialize-metadata"]).contains("are there already"));
    // The digits are those of `md5sum` for an empty file.
    project.write("V000001__Initial_setup.sql", "");
    for key in ["1", "CURRENT"] {
        server.run(&format!(
            "INSERT INTO migration_events VALUES ('{key}', '1', 'Initial setup', 'MIGRATED', 'd41d8cd98f00b204e9800998ecf8427e',
               '1615441337127', '1615441337408', '<none>', 'N/A');"
        ));
    }
    let current = "SELECT state FROM migration_schema_versions WHERE version_key = 'CURRENT';";
    server.until(current, |rows| rows.to_string().contains("MIGRATED"));
    assert_eq!(project.does(&["validate"]), "1 applied migration and unchanged\n");
    project.write("V000002__Add_users.sql", &stream("users"));
    project.does(&["apply", "--all"]);
    let info = project.does(&["info"]);
    assert!(info.contains("2021-03-11 05:42:17.127 UTC"), "{info}");

    // What is made here has the same columns, and rows have the same form.
    let taken = ["migration_events", "migration_schema_versions"].map(|name| columns(&server, name));
    let other = TestServer::start();
    drop(Project::initialized(&other));
    assert_eq!(["migration_events", "migration_schema_versions"].map(|name| columns(&other, name)), taken);
    for key in ["2", "CURRENT"] {
        let rows = server
            .until(&format!("SELECT * FROM migration_schema_versions WHERE version_key = '{key}';"), |rows| {
                rows.to_string().contains("\"MIGRATED\"")
            });
        let row = rows[1]["row"]["columns"].as_array().cloned().expect("a row");
        let texts: Vec<&str> = row.iter().filter_map(Value::as_str).collect();
        assert_eq!((&texts[..4], &texts[7..]), (&[key, "2", "Add users", "MIGRATED"][..], &["1", "N/A"][..]));
        let is_number = |text: &str| text.parse::<u64>().is_ok_and(|ms| ms > 1_615_441_337_127);
        assert!(texts[4].len() == 32 && is_number(texts[5]) && is_number(texts[6]), "{texts:?}");
    }
}

#[test]
fn names_and_topics_are_those_of_the_properties() {
    let server = TestServer::start();
    let project = Project::new(&server);
    let more = "ksql.migrations.stream.name=changes\nksql.migrations.table.name=versions\n\
                ksql.migrations.stream.topic.name=the-changes\nksql.migrations.dir.override=sql\n";
    let text = format!("ksql.server.url={}\n{more}", server.url());
    fs::write(project.folder.path().join("own.properties"), text).expect("it can be written");
    fs::create_dir(project.folder.path().join("sql")).expect("it is not there yet");
    project.does(&["-c", "own.properties", "initialize-metadata"]);
    project.does(&["create", "Nothing", "--config-file", "own.properties"]);
    project.does(&["apply", "--all", "-c", "own.properties"]);
    assert!(project.folder.path().join("sql/V000001__Nothing.sql").exists());
    let described = server.run("SHOW STREAMS;")[0].to_string() + &server.run("SHOW TABLES;")[0].to_string();
    for word in ["\"CHANGES\"", "\"the-changes\"", "\"VERSIONS\"", "\"default_ksql_versions\""] {
        assert!(described.contains(word), "{word}: {described}");
    }
}

#[test]
fn a_server_asks_who_comes_and_shows_its_certificate() {
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder for the test");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("it can be written");
        path.display().to_string()
    };
    let users = write("users", "ada: s3cret, admin\n");
    let store = write("server.pem", &(own.cert.pem() + &own.signing_key.serialize_pem()));
    let properties = [
        "authentication.method=BASIC".to_owned(),
        format!("levada.users.file={users}"),
        format!("ssl.keystore.location={store}"),
    ];
    let server = TestServer::start_with_tls(&properties.each_ref().map(String::as_str), &own.cert.pem());
    let project = Project::new(&server);
    let file = project.folder.path().join("ksql-migrations.properties");
    let mut text = fs::read_to_string(&file).expect("it is made");
    let told = project.fails(&["initialize-metadata"]);
    assert!(told.contains("ssl.truststore.location names a file"), "{told}");
    text.push_str(&format!("ssl.truststore.location={}\n", write("ca.pem", &own.cert.pem())));
    fs::write(&file, &text).expect("it can be written");
    let told = project.fails(&["initialize-metadata"]);
    assert!(told.contains("ksql.auth.basic.username"), "{told}");
    let known = format!("{text}ksql.auth.basic.username=ada\nksql.auth.basic.password=s3cret\n");
    fs::write(&file, known).expect("it can be written");
    project.does(&["initialize-metadata"]);
    // Headers of a file are sent, too; one that says who asks counts more.
    fs::write(&file, &text).expect("it can be written");
    let headers = write("headers", "Authorization: Basic YWRhOnMzY3JldA==\n");
    assert!(project.does(&["apply", "--all", "--headers", &headers]).contains("there is nothing to apply"));
    assert!(project.fails(&["apply", "--all"]).contains("ksql.auth.basic.username"));
}

#[test]
fn what_is_missing_is_named() {
    let server = TestServer::start();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let nowhere = Project { folder };
    let told = nowhere.fails(&["info"]);
    assert!(told.contains("ksql-migrations.properties") && told.contains("new-project DIR URL"), "{told}");
    assert!(nowhere.fails(&["new-project", "x", "ftp://y"]).contains("ftp://y is no address of a server"));
    assert!(!nowhere.folder.path().join("x").exists());
    nowhere.does(&["new-project", "x", "http://127.0.0.1:1"]);
    assert!(nowhere.fails(&["new-project", "x", "http://127.0.0.1:1"]).contains("is there already"));
    let told = nowhere.fails(&["info", "-c", "x/ksql-migrations.properties"]);
    assert!(
        told.contains("http://127.0.0.1:1 cannot be reached") && told.contains("ksql.server.url says where"),
        "{told}"
    );
    let project = Project::initialized(&server);
    assert!(project.fails(&["apply", "-v", "7"]).contains("version 7 has no migration file"));
    project.write("V000001__One.sql", "");
    project.write("V000001__Other.sql", "");
    assert!(project.fails(&["apply", "--all"]).contains("two files have version 1"));
    assert_eq!(project.run(&["apply"]).code, Some(2), "it is not said which");
}

/// Fenced blocks of a page: language and text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let (mut blocks, mut lines) = (Vec::new(), page.lines());
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let body = lines.by_ref().take_while(|line| *line != "```");
            blocks.push((language.to_owned(), body.flat_map(|line| [line, "\n"]).collect()));
        }
    }
    blocks
}

#[test]
fn the_session_of_the_page_is_true() {
    let (folder, server) = (tempfile::tempdir().expect("a folder for the test"), TestServer::start());
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/migrations.md")).expect("a page");
    let page = page.replace("http://localhost:8088", &server.url());
    let binary = Path::new(env!("CARGO_BIN_EXE_levada")).parent().expect("a file is in a folder").display();
    let path = format!("{binary}:{}", std::env::var("PATH").unwrap_or_default());
    let (mut out, mut answers, mut place) = (String::new(), 0, folder.path().to_owned());
    for (language, text) in blocks(&page) {
        if language == "sh" {
            let script = format!("{text}\npwd >&2");
            let output = Command::new("sh").args(["-ec", &script]).current_dir(&place).env("PATH", &path).output();
            let output = output.expect("every system has sh");
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{text}\n{told}");
            out = String::from_utf8(output.stdout).expect("the binary writes UTF-8");
            // The next block goes on where this one has ended.
            place = PathBuf::from(told.lines().last().expect("it says where it is"));
        } else if language == "text" {
            let shown: String = out.trim_end().lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
            assert!(text == shown || is_excerpt(&text, &shown), "the page says:\n{text}\nshown:\n{shown}");
            answers += 1;
        }
    }
    assert!(answers > 3, "the page shows answers");
}
