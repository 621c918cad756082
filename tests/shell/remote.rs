//! The shell against a server says what it says of its own engine.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::server::process::TestServer;

const SETUP: &str = "\
CREATE TYPE place AS STRUCT<lat DOUBLE, lon DOUBLE>;
CREATE STREAM flights (id INT KEY, carrier STRING, delay DECIMAL(6, 2), legs ARRAY<STRUCT<a STRING, b INT>>,
    counts MAP<STRING, BIGINT>, moment TIMESTAMP, day DATE, clock TIME, raw BYTES, late BOOLEAN, share DOUBLE)
  WITH (kafka_topic = 'flights', value_format = 'json', partitions = 1);
CREATE TABLE carriers (carrier STRING PRIMARY KEY, name STRING)
  WITH (kafka_topic = 'carriers', value_format = 'json', partitions = 1);
INSERT INTO flights (rowtime, id, carrier, delay, legs, counts, moment, day, clock, raw, late, share) VALUES (1000, 1, 'UA', 12.50,
  ARRAY[STRUCT(a := 'x', b := 1), NULL], MAP('k' := 9007199254740993), '2020-01-01T00:00:00.001', '2020-01-02', '03:04:05',
  TO_BYTES('01ff', 'hex'), TRUE, 0.1);
INSERT INTO flights (rowtime, id) VALUES (2000, 2);
SET 'auto.offset.reset' = 'earliest';
";

/// Statements whose answers are the same wherever they are executed.
const QUESTIONS: [&str; 18] = [
    "SHOW STREAMS;",
    "SHOW TABLES;",
    "SHOW TOPICS;",
    "SHOW TYPES;",
    "SHOW QUERIES;",
    "SHOW FUNCTIONS;",
    "DESCRIBE flights;",
    "DESCRIBE TABLES;",
    "DESCRIBE levada_queries;",
    "SET 'auto.offset.reset' = 'earliest'; UNSET 'auto.offset.reset'; UNSET 'auto.offset.reset';",
    "DEFINE n = '1'; SHOW VARIABLES; UNDEFINE n; UNDEFINE n;",
    "ASSERT TOPIC flights; ASSERT NOT EXISTS TOPIC other;",
    "PRINT flights FROM BEGINNING LIMIT 2;",
    "SET 'auto.offset.reset' = 'earliest'; SELECT * FROM flights EMIT CHANGES LIMIT 2;",
    "DEFINE c = 'carrier'; SET 'auto.offset.reset' = 'earliest'; SELECT ${c} FROM flights EMIT CHANGES LIMIT 1;",
    "SELECT * FROM flights;",
    "SELECT id, delay FROM flights ORDER BY id DESC;",
    "WITH known AS (SELECT id FROM flights WHERE delay > 1) SELECT COUNT(*) AS n FROM known;",
];

fn shell(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_levada"));
    command.current_dir(folder).arg("shell").args(arguments).env_remove("LEVADA_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Exit code, standard output and standard error.
fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    told(&shell(folder, arguments).output().expect("the binary starts"))
}

fn url(server: &TestServer) -> String {
    format!("http://{}", server.address())
}

#[test]
fn answers_are_those_of_the_engine_in_every_form() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let server = TestServer::start();
    let url = url(&server);
    assert_eq!(run(folder.path(), &["-e", SETUP]).0, Some(0));
    assert_eq!(run(folder.path(), &["--server", &url, "-e", SETUP]).0, Some(0));
    for form in ["table", "expanded", "json", "json-array", "csv"] {
        for question in QUESTIONS {
            let here = run(folder.path(), &["--output", form, "-e", question]);
            let there = run(folder.path(), &["--server", &url, "--output", form, "-e", question]);
            // Servers do not print offsets.
            let (here, there) = if question.starts_with("PRINT") {
                (without_offset(here), without_offset(there))
            } else {
                (here, there)
            };
            assert_eq!(here, there, "{form}: {question}");
            assert_eq!(here.0, Some(0), "{question}: {here:?}");
        }
    }
}

fn without_offset((code, out, err): (Option<i32>, String, String)) -> (Option<i32>, String, String) {
    let out = [0, 1].iter().fold(out, |out, offset| {
        out.replace(&format!("\"offset\":{offset},"), "").replace(&format!("000,0,{offset},"), "000,0,,")
    });
    (code, out, err)
}

#[test]
fn errors_have_place_and_hint() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let server = TestServer::start();
    let url = url(&server);
    for wrong in [
        "SELECT x FROM nowhere;",
        "SHOW\n STREAMZ;",
        "DESCRIBE nothing;",
        "SELECT * FROM a EMIT CHANGES;",
        "PRINT 'none';",
    ] {
        let here = run(folder.path(), &["-e", wrong]);
        let there = run(folder.path(), &["--server", &url, "-e", wrong]);
        assert_eq!(here, there, "{wrong}");
        assert_eq!(here.0, Some(1), "{wrong}");
    }
}

#[test]
fn a_query_that_goes_on_is_ended_on_the_server_too() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let server = TestServer::start();
    let url = url(&server);
    assert_eq!(run(folder.path(), &["--server", &url, "-e", SETUP]).0, Some(0));
    let query = "SET 'auto.offset.reset' = 'earliest'; SELECT id FROM flights EMIT CHANGES;";
    let mut child =
        shell(folder.path(), &["--server", &url, "--output", "json", "-e", query]).spawn().expect("it starts");
    let mut answers = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    let mut lines = String::new();
    while !lines.contains("{\"ID\":2}") {
        assert_ne!(answers.read_line(&mut lines).expect("answers are text"), 0, "{lines}");
    }
    let running = |expected: bool| {
        let queries = server.post("/ksql", &[], "{\"ksql\": \"SHOW QUERIES;\"}").text;
        queries.contains("\"PUSH\"") == expected
    };
    assert!(running(true));
    let pid = libc::pid_t::try_from(child.id()).expect("process ids are small");
    // SAFETY: `kill` takes no pointers; the process is our child and not yet waited for.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGINT) }, 0, "the child is alive");
    answers.read_to_string(&mut lines).expect("answers are text");
    assert_eq!(child.wait().expect("the shell ends").code(), Some(0));
    let ended = (0..500).any(|_| {
        std::thread::park_timeout(std::time::Duration::from_millis(20));
        running(false)
    });
    assert!(ended, "the server has noticed");
    let limited = run(folder.path(), &["--server", &url, "--query-row-limit", "1", "--output", "csv", "-e", query]);
    assert_eq!((limited.0, limited.1.as_str()), (Some(0), "ID\n1\n"));
}

#[test]
fn who_asks_is_told_by_name_password_or_address() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let users = folder.path().join("users");
    std::fs::write(&users, "ada: s3cret, admin\n").expect("it can be written");
    let file = format!("levada.users.file={}", users.display());
    let server = TestServer::start_with(&["authentication.method=BASIC", &file]);
    let url = url(&server);
    let show = ["-e", "SHOW TABLES;", "--output", "csv", "--server"];
    let ask = |more: &[&str]| run(folder.path(), &[&show[..], more].concat());
    let allowed = (Some(0), "Table Name,Kafka Topic,Key Format,Value Format,Windowed\n".to_owned(), String::new());
    assert_eq!(ask(&[&url, "-u", "ada", "--password", "s3cret"]), allowed);
    assert_eq!(ask(&[&url.replace("http://", "http://ada:s3cret@")]), allowed);
    let with_variable =
        shell(folder.path(), &[&show[..], &[&url, "-u", "ada"]].concat()).env("LEVADA_PASSWORD", "s3cret").output();
    assert_eq!(told(&with_variable.expect("the binary starts")), allowed);
    for wrong in [&[&*url][..], &[&url, "-u", "ada", "--password", "no"], &[&url, "--token", "x"]] {
        let (code, _, err) = ask(wrong);
        assert_eq!(code, Some(1), "{err}");
        assert!(err.contains("hint: -u NAME says who asks"), "{err}");
    }
    let (code, _, err) = ask(&[&url, "-u", "ada"]);
    assert_eq!(code, Some(2), "nobody can be asked for the password: {err}");
}

#[test]
fn https_is_spoken_to_servers_whose_certificate_is_known() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it can be written");
        path.display().to_string()
    };
    let chain = write("cert.pem", own.cert.pem());
    let store = write("server.pem", own.cert.pem() + &own.signing_key.serialize_pem());
    let properties = [format!("ssl.keystore.location={store}"), "ssl.keystore.type=PEM".to_owned()];
    let server = TestServer::start_with_tls(&properties.each_ref().map(String::as_str), &own.cert.pem());
    let url = format!("https://{}", server.address());
    let (code, out, err) =
        run(folder.path(), &["--server", &url, "--ca", &chain, "-e", "SHOW TYPES;", "--output", "csv"]);
    assert_eq!((code, out.as_str()), (Some(0), "Type Name,Schema\n"), "{err}");
    let (code, _, err) = run(folder.path(), &["--server", &url, "-e", "SHOW TYPES;"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("hint: --ca names a file"), "{err}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let (code, out, err) = run(folder.path(), &["--server", "http://127.0.0.1:1", "-e", "SHOW STREAMS;"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.starts_with("error: the server at http://127.0.0.1:1 cannot be reached: "), "{err}");
    assert!(!folder.path().join("levada-data").exists(), "nothing is made here");
    let (code, _, err) = run(folder.path(), &["--server", "ftp://x", "-e", "SHOW STREAMS;"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("ftp://x is no address of a server"), "{err}");
}
