//! The binary as a user meets it: exit codes, what goes to which stream, signals and closed pipes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

fn levada(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_levada"));
    command.current_dir(folder).args(arguments).env_remove("LEVADA_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

fn output(command: &mut Command) -> Output {
    command.output().expect("the binary starts")
}

/// Standard output and standard error, when the exit code is `code`.
fn texts(output: &Output, code: i32) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "output: {out}\nerrors: {err}");
    (out, err)
}

fn interrupt(child: &Child) {
    let pid = libc::pid_t::try_from(child.id()).expect("process ids are small");
    // SAFETY: `kill` takes no pointers; the process is our child and not yet waited for.
    let sent = unsafe { libc::kill(pid, libc::SIGINT) };
    assert_eq!(sent, 0, "the child is alive");
}

#[test]
fn a_missing_file_is_named() {
    let folder = folder();
    let (out, err) = texts(&output(&mut levada(folder.path(), &["run", "no-such.sql"])), 1);
    assert_eq!((out.as_str(), err.as_str()), ("", "error: no such file: no-such.sql\n"));
}

#[test]
fn a_data_directory_that_cannot_be_is_named() {
    let folder = folder();
    std::fs::write(folder.path().join("taken"), "").expect("a file is written");
    std::fs::write(folder.path().join("a.sql"), "SHOW STREAMS;").expect("a file is written");
    for arguments in [
        &["run", "a.sql", "--until-idle", "--data-dir", "taken"][..],
        &["shell", "-e", "SHOW STREAMS;", "--data-dir", "taken"],
    ] {
        let (_, err) = texts(&output(&mut levada(folder.path(), arguments)), 1);
        assert!(err.starts_with("error: ") && err.contains("taken"), "{err}");
    }
}

#[test]
fn a_wrong_statement_is_shown_with_its_place() {
    let folder = folder();
    std::fs::write(folder.path().join("a.sql"), "SHOW STREAMS;\nSELECTED x;\n").expect("a file is written");
    for arguments in [&["run", "a.sql", "--until-idle"][..], &["shell", "-f", "a.sql"]] {
        let (_, err) = texts(&output(&mut levada(folder.path(), arguments)), 1);
        assert!(err.starts_with("error: a.sql:2:1: "), "{err}");
        assert!(err.contains("\n2 | SELECTED x;\n    ^\n"), "{err}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let folder = folder();
    let mut child = levada(folder.path(), &["shell"]).stdin(Stdio::piped()).spawn().expect("the binary starts");
    let mut input = child.stdin.take().expect("standard input is a pipe");
    let mut answers = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    input.write_all(b"help\n").expect("the shell reads");
    answers.read_line(&mut String::new()).expect("the shell answers");
    drop(answers);
    // The shell may be gone before it has read all of this.
    let _ = input.write_all("help\n".repeat(1000).as_bytes());
    drop(input);
    let (_, err) = texts(&child.wait_with_output().expect("the shell ends"), 0);
    assert_eq!(err, "");
}

#[test]
fn scripts_come_from_the_command_line_or_standard_input() {
    let folder = folder();
    let (out, err) =
        texts(&output(&mut levada(folder.path(), &["shell", "-e", "output json; output", "-e", "help"])), 0);
    assert!(out.starts_with("{\"message\":\"output is json\"}\n{\"message\":\"Statements end"), "{out}");
    assert_eq!(err, "");
    let commented = ["shell", "--output", "csv", "-e", "-- what types there are\nSHOW TYPES;"];
    assert_eq!(texts(&output(&mut levada(folder.path(), &commented)), 0).0, "Type Name,Schema\n");
    let mut child = levada(folder.path(), &["shell"]).stdin(Stdio::piped()).spawn().expect("the binary starts");
    child.stdin.take().expect("standard input is a pipe").write_all(b"output\nexit\nhelp\n").expect("the shell reads");
    let (out, _) = texts(&child.wait_with_output().expect("the shell ends"), 0);
    assert_eq!(out, "output is table\n", "no banner and no prompt where nobody types");
}

#[test]
fn ctrl_c_ends_a_headless_run_cleanly() {
    let folder = folder();
    let sql = "CREATE STREAM a (x INTEGER) WITH (kafka_topic = 'a', value_format = 'json', partitions = 1);\n\
               CREATE STREAM b AS SELECT x FROM a;\n";
    std::fs::write(folder.path().join("a.sql"), sql).expect("a file is written");
    let mut child = levada(folder.path(), &["run", "a.sql"]).spawn().expect("the binary starts");
    let mut answers = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    answers.read_line(&mut String::new()).expect("the statements answer");
    interrupt(&child);
    let mut rest = String::new();
    answers.read_to_string(&mut rest).expect("answers are text");
    let (_, err) = texts(&child.wait_with_output().expect("the run ends"), 0);
    assert!(rest.contains("rows in") && err.is_empty(), "a summary and no progress line: {rest}{err}");
}

#[test]
fn looking_at_topics_creates_nothing() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("other")).expect("a folder is made");
    for (arguments, data_dir) in [
        (&["list"][..], "missing"),
        (&["describe", "t"], "missing"),
        (&["consume", "t"], "other"),
        (&["delete", "t"], "other"),
    ] {
        let arguments = [&["topic"], arguments, &["--data-dir", data_dir]].concat();
        let (_, err) = texts(&output(&mut levada(folder.path(), &arguments)), 1);
        assert_eq!(err, format!("error: no data directory at {data_dir}\n"));
    }
    assert!(!folder.path().join("missing").exists());
    let left = std::fs::read_dir(folder.path().join("other")).expect("the folder can be read").count();
    assert_eq!(left, 0, "the folder of somebody else stays as it is");
}

#[test]
fn csv_may_come_through_a_pipe() {
    let folder = folder();
    for file in ["-", "/dev/stdin"] {
        let mut command = levada(folder.path(), &["topic", "import", "t", file]);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("the binary starts");
        child.stdin.take().expect("standard input is a pipe").write_all(b"a,b\n1,x\n2,y\n").expect("it is read");
        let (_, err) = texts(&child.wait_with_output().expect("the import ends"), 0);
        assert!(err.ends_with("appended 2 records to topic t\n"), "{err}");
    }
}

#[test]
fn a_topic_is_printed_until_ctrl_c() {
    let folder = folder();
    let statements = "CREATE STREAM a (k STRING KEY, x INT) WITH (kafka_topic = 'a', value_format = 'json', partitions = 1); \
                      INSERT INTO a (k, x, rowtime) VALUES ('ann', 1, 1000); PRINT a FROM BEGINNING; SHOW STREAMS;";
    let mut child = levada(folder.path(), &["shell", "-e", statements]).spawn().expect("the binary starts");
    let mut answers = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    let mut lines = String::new();
    while !lines.ends_with("partition: 0\n") {
        assert_ne!(answers.read_line(&mut lines).expect("answers are text"), 0, "{lines}");
    }
    interrupt(&child);
    answers.read_to_string(&mut lines).expect("answers are text");
    let (_, err) = texts(&child.wait_with_output().expect("the shell ends"), 0);
    let printed = "Stream created\nKey format: KAFKA_STRING\nValue format: JSON or KAFKA_STRING\n\
                   rowtime: 1970/01/01 00:00:01.000 Z, key: ann, value: {\"X\":1}, partition: 0\n\
                   Topic printing ceased\n";
    assert_eq!((lines.as_str(), err.as_str()), (printed, ""), "what comes after is not run");
}

#[test]
fn printing_ends_at_its_limit_in_every_form() {
    let folder = folder();
    let create = "CREATE STREAM a (k STRING KEY, x INT) WITH (kafka_topic = 'a', value_format = 'json', partitions = 1); \
                  INSERT INTO a (k, x, rowtime) VALUES ('ann', 1, 1000);";
    let shell = |statements: &str, form| {
        texts(&output(&mut levada(folder.path(), &["shell", "-e", statements, "--output", form])), 0)
    };
    shell(create, "table");
    let print = "PRINT 'a' FROM BEGINNING LIMIT 1;";
    let (out, err) = shell(print, "json");
    assert_eq!(out, "{\"rowtime\":1000,\"partition\":0,\"offset\":0,\"key\":\"ann\",\"value\":{\"X\":1}}\n");
    assert!(err.contains("Value format: JSON or KAFKA_STRING"), "{err}");
    let (out, _) = shell(print, "csv");
    assert_eq!(out, "rowtime,partition,offset,key,value\n1000,0,0,ann,\"{\"\"X\"\":1}\"\n");
}

#[test]
fn a_query_that_ends_at_its_limit_leaves_nothing_to_complain_of() {
    let folder = folder();
    let query = "CREATE STREAM a (k STRING KEY, x INT) WITH (kafka_topic = 'a', value_format = 'json', partitions = 1); \
                 INSERT INTO a (k, x) VALUES ('ann', 1); SET 'auto.offset.reset' = 'earliest'; \
                 SELECT x FROM a EMIT CHANGES LIMIT 1;";
    let (out, err) = texts(&output(&mut levada(folder.path(), &["shell", "-e", query])), 0);
    assert!(out.contains("1 row"), "{out}");
    assert_eq!(err, "");
}

#[test]
fn scripts_are_found_beside_those_that_run_them() {
    let folder = folder();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file is written");
    std::fs::create_dir(folder.path().join("parts")).expect("a folder is made");
    write("parts/a.sql", "SHOW TYPES \\\n;\nrun script 'b.sql';\n");
    write("parts/b.sql", "DEFINE x = 'y';\nRUN SCRIPT 'a.sql';");
    let (out, err) = texts(&output(&mut levada(folder.path(), &["shell", "-f", "parts/a.sql"])), 1);
    assert!(out.starts_with(" Type Name"), "{out}");
    let chain = "parts/a.sql runs parts/b.sql runs parts/a.sql";
    assert!(err.starts_with(&format!("error: parts/b.sql:2: a script cannot run itself: {chain}")), "{err}");
}

#[test]
fn tests_in_sql_are_told_and_fail_with_their_place() {
    let folder = folder();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file is written");
    let stream = "CREATE STREAM a (k STRING KEY, x INT) WITH (kafka_topic = 'a', value_format = 'json');";
    let good = format!("--@test: good\n{stream}\nINSERT INTO a VALUES ('k', 1);\nASSERT VALUES a VALUES ('k', 1);\n");
    let bad = "--@test: bad\nRUN SCRIPT 'part.sql';\n\n  ASSERT VALUES a VALUES ('k', 2);\n";
    write("a.sql", &format!("{good}{bad}"));
    write("part.sql", &format!("{stream}\nINSERT INTO a VALUES ('k', 1);"));
    let (out, _) = texts(&output(&mut levada(folder.path(), &["test", "a.sql"])), 1);
    let expected = "a - good\n\t>>> Test passed!\na - bad\n\t>>>>> Test failed: a.sql:8:3: Expected record does not match actual.\n\
                    \trecord 1 of topic a\n\tX: expected 2, got 1\n1 passed, 1 failed\n";
    assert_eq!(out, expected);
    for (text, place) in [
        ("SELECT * FROM a;", "b.sql:2:1: a test cannot hold SELECT: nothing would look at its answer"),
        ("RUN SCRIPT 'b.sql';", "b.sql:2:1: a script cannot run itself: b.sql"),
        ("RUN SCRIPT 'c.sql';", "b.sql:2:1: cannot read c.sql"),
        (" SELECTED;", "b.sql:2:2: Syntax Error\n\tUnknown statement 'SELECTED'"),
        ("CREATE STREAM b AS\n SELECT * FROM nowhere;", "b.sql:3:16: NOWHERE does not exist."),
        ("ASSERT VALUES a VALUES (1);", "b.sql:2:15: Could not find STREAM/TABLE 'A' in the Metastore"),
    ] {
        write("b.sql", &format!("--@test: wrong\n{text}\n"));
        let (out, _) = texts(&output(&mut levada(folder.path(), &["test", "b.sql"])), 1);
        assert!(out.starts_with(&format!("b - wrong\n\t>>>>> Test failed: {place}")), "{out}");
    }
    let (_, err) = texts(&output(&mut levada(folder.path(), &["test", "part.sql"])), 2);
    let none = "error: part.sql: a plain script and no test: a test begins with a line --@test: name\n";
    assert_eq!(err, none);
    let (out, _) = texts(&output(&mut levada(folder.path(), &["test", "."])), 1);
    assert!(out.contains("part.sql: a plain script and no test"), "{out}");
    write("b.sql", &format!("SHOW STREAMS;\n{good}"));
    let (out, _) = texts(&output(&mut levada(folder.path(), &["test", "."])), 1);
    let wrong = "b.sql\n\t>>>>> Test failed: there are statements before the first --@test";
    assert!(out.contains(wrong) && out.contains("a - good\n\t>>> Test passed!"), "the others are run: {out}");
}

#[test]
fn help_is_a_command_too() {
    let folder = folder();
    let (out, _) = texts(&output(&mut levada(folder.path(), &["help"])), 0);
    assert!(out.contains("levada run pipeline.sql"), "{out}");
    let (out, _) = texts(&output(&mut levada(folder.path(), &["help", "run"])), 0);
    assert!(out.contains("--until-idle"), "{out}");
}

#[test]
fn a_test_of_nothing_does_not_pass() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("empty")).expect("a folder is made");
    let (_, err) = texts(&output(&mut levada(folder.path(), &["test", "empty"])), 2);
    assert_eq!(err, "error: no specs, no tests and no cases in empty\n");
    let arguments = ["test", "empty", "--ratchet", "missing"];
    let (_, err) = texts(&output(&mut levada(folder.path(), &arguments)), 2);
    assert_eq!(err, "error: no ratchet at missing; --update-ratchet makes one\n");
}

#[test]
fn the_examples_run_one_after_the_other() {
    let folder = folder();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql-examples");
    let entries = std::fs::read_dir(examples).expect("the repository has the folder");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    for file in files {
        let file = file.to_str().expect("names of examples are ASCII");
        texts(&output(&mut levada(folder.path(), &["run", file, "--until-idle", "0.1"])), 0);
    }
}

#[test]
fn a_topic_deleted_under_a_query_is_no_end() {
    let folder = folder();
    let sql = "CREATE STREAM a (x INTEGER) WITH (kafka_topic = 'a', value_format = 'json', partitions = 1);\n\
               CREATE STREAM b AS SELECT x FROM a;\n";
    std::fs::write(folder.path().join("a.sql"), sql).expect("a file is written");
    let run = |arguments: &[&str], code| texts(&output(&mut levada(folder.path(), arguments)), code);
    run(&["run", "a.sql", "--until-idle", "0"], 0);
    run(&["topic", "delete", "a"], 0);
    let (_, err) = run(&["run", "a.sql", "--until-idle", "0"], 1);
    assert!(err.contains("CSAS_B_1 does not run: topic a does not exist"), "{err}");
    let (out, _) = run(&["shell", "-e", "SHOW QUERIES;", "--output", "csv"], 0);
    assert!(out.contains("ERROR"), "{out}");
    let (out, _) = run(&["shell", "-e", "EXPLAIN CSAS_B_1;", "--output", "json"], 0);
    let kept = r#""Error Type":"USER","Error Details":"topic a does not exist"#;
    assert!(out.contains(kept), "who has to act: {out}");
    run(&["shell", "-e", "TERMINATE CSAS_B_1; DROP STREAM b;"], 0);
    let (_, err) = run(&["topic", "delete", "B"], 0);
    assert!(!err.contains("error"), "{err}");
}

#[test]
fn a_paused_query_falls_behind_and_catches_up() {
    let folder = folder();
    let sql = "SET 'auto.offset.reset' = 'earliest';\n\
               CREATE STREAM a (k STRING KEY, x INTEGER) WITH (kafka_topic = 'a', value_format = 'json', partitions = 1);\n\
               CREATE TABLE n AS SELECT k, COUNT(*) AS n FROM a GROUP BY k;\n";
    std::fs::write(folder.path().join("a.sql"), sql).expect("a file is written");
    let insert = "INSERT INTO a VALUES ('p', 1); INSERT INTO a VALUES ('q', 2); INSERT INTO a VALUES ('p', 3);";
    let run = |arguments: &[&str]| texts(&output(&mut levada(folder.path(), arguments)), 0).0;
    let shell = |statements: &str| run(&["shell", "-e", statements, "--output", "json"]);
    run(&["run", "a.sql", "--until-idle", "0"]);
    shell(insert);
    run(&["run", "a.sql", "--until-idle", "0"]);
    let read = r#""Kafka Topic":"a","Partition":"0","Start Offset":"0","End Offset":"3","Offset":"3","Lag":"0""#;
    let behind = r#""Start Offset":"0","End Offset":"6","Offset":"3","Lag":"3""#;
    let out = shell("PAUSE CTAS_N_1; SHOW QUERIES EXTENDED;");
    assert!(out.contains(read), "{out}");
    let out = shell(&format!("{insert} SHOW QUERIES EXTENDED;"));
    assert!(out.contains(r#""Status":"PAUSED""#) && out.contains(behind), "the end moves, the offset does not: {out}");
    for statement in ["DESCRIBE n EXTENDED;", "EXPLAIN CTAS_N_1;"] {
        let out = shell(statement);
        assert!(out.contains(behind), "{statement} {out}");
    }
    shell("RESUME CTAS_N_1;");
    run(&["run", "a.sql", "--until-idle", "0"]);
    let out = shell("SHOW QUERIES EXTENDED;");
    assert!(out.contains(r#""End Offset":"6","Offset":"6","Lag":"0""#), "{out}");
}

#[test]
fn a_query_whose_sink_is_gone_ends_a_run_with_its_failure() {
    let folder = folder();
    let sql = "SET 'auto.offset.reset' = 'earliest';\n\
               CREATE STREAM a (x INTEGER) WITH (kafka_topic = 'a', value_format = 'json', partitions = 1);\n\
               CREATE STREAM b AS SELECT x FROM a;\n";
    std::fs::write(folder.path().join("a.sql"), sql).expect("a file is written");
    let run = |arguments: &[&str], code| texts(&output(&mut levada(folder.path(), arguments)), code);
    run(&["run", "a.sql", "--until-idle", "0"], 0);
    run(&["topic", "delete", "B"], 0);
    let (_, err) = run(&["run", "a.sql", "--until-idle", "0"], 1);
    assert!(err.contains("CSAS_B_1 does not run: topic B does not exist"), "{err}");
}

#[test]
fn a_file_is_refused_for_what_cannot_run_headless() {
    let folder = folder();
    let check = |sql: &str, message: &str| {
        std::fs::write(folder.path().join("a.sql"), sql).expect("a file is written");
        let (_, err) = texts(&output(&mut levada(folder.path(), &["run", "a.sql", "--until-idle", "0"])), 1);
        assert!(err.contains(message), "{sql}: {err}");
    };
    let stream = "CREATE STREAM a (x INTEGER) WITH (kafka_topic = 'a', value_format = 'json', partitions = 1);";
    check(&format!("{stream}\nSELECT * FROM a EMIT CHANGES;"), "a.sql:2:1: a SELECT with EMIT CHANGES never ends");
    check("SET 'auto.ofset.reset' = 'earliest';", "a.sql:1:1: Unknown property: auto.ofset.reset");
    check(&format!("{stream}\nPRINT a LIMIT 1;"), "a.sql:2:1: PRINT never ends");
    check("SHOW STREAMS;\nASSERT TOPIC b TIMEOUT 0 SECONDS;", "a.sql:2:1: Topic b does not exist");
    check(
        "\nSET 'auto.offset.reset' = 'first';",
        "a.sql:2:1: Invalid property 'auto.offset.reset': Invalid value first",
    );
}

#[test]
fn a_query_that_has_ended_leaves_quietly() {
    let folder = folder();
    let sql = "SET 'auto.offset.reset' = 'earliest';
        CREATE STREAM a (k STRING KEY, v INT) WITH (KAFKA_TOPIC = 'a', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
        INSERT INTO a VALUES ('x', 1);
        SELECT v FROM a EMIT CHANGES LIMIT 1;";
    let (_, err) = texts(&output(&mut levada(folder.path(), &["shell", "-e", sql])), 0);
    assert_eq!(err, "");
}

#[test]
fn the_log_is_json_if_it_is_asked_for() {
    let folder = folder();
    let statements = "SET 'auto.offset.reset' = 'earliest';
        CREATE STREAM raw (line STRING) WITH (kafka_topic = 's', value_format = 'kafka', partitions = 1);
        CREATE STREAM s (v INT) WITH (kafka_topic = 's', value_format = 'json');
        CREATE STREAM a AS SELECT * FROM s;
        INSERT INTO raw (line) VALUES ('{oops');";
    std::fs::write(folder.path().join("a.sql"), statements).expect("a file is written");
    let mut command = levada(folder.path(), &["run", "a.sql", "--until-idle", "0.1"]);
    let (_, err) = texts(&output(command.env("LEVADA_LOG_FORMAT", "json")), 0);
    let events = err.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let rejected: Vec<_> = events.filter(|event| event["stage"] == "value").collect();
    let [event] = rejected.as_slice() else { panic!("one record is rejected: {err}") };
    assert!(event["query"].as_str().is_some_and(|query| query.starts_with("CSAS_A_")), "{event}");
    assert_eq!((&event["topic"], &event["partition"], &event["offset"]), (&"s".into(), &0.into(), &0.into()));
    assert!(event["message"].as_str().is_some_and(|message| message.starts_with("rejected: ")), "{event}");
}

#[test]
fn properties_come_from_files_the_environment_and_the_command_line() {
    let folder = folder();
    let file = "# of a ksqlDB server\nksql.service.id = shop_\nlisteners=http://0.0.0.0:8088\nksql.streams.commit.intervall.ms=5\n\
                ksql.schema.registry.basic.auth.user.info=u:secret\n";
    std::fs::write(folder.path().join("server.properties"), file).expect("the file can be written");
    let arguments = [
        "shell",
        "--config",
        "server.properties",
        "--property",
        "auto.offset.reset=earliest",
        "--output",
        "json",
        "-e",
        "SET 'ksql.suppress.enabled' = 'false'; SHOW PROPERTIES;",
    ];
    let mut command = levada(folder.path(), &arguments);
    command.env("KSQL_KSQL_STREAMS_AUTO_OFFSET_RESET", "latest").env("KSQL_CACHE_MAX_BYTES_BUFFERING", "0");
    command
        .env("KSQL_OPTS", "-Xmx1g -Dksql.output.topic.name.prefix=a-")
        .env("LEVADA_KSQL_OUTPUT_TOPIC_NAME_PREFIX", "b-");
    let output = output(&mut command);
    let (shown, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    let line = |name: &str| {
        let quoted = format!("\"{name}\"");
        let line = shown.lines().find(|line| line.contains(&quoted));
        line.unwrap_or_else(|| panic!("{name} in {shown}")).to_owned()
    };
    for (name, value, source) in [
        ("ksql.service.id", "shop_", "server.properties:2"),
        ("ksql.streams.auto.offset.reset", "earliest", "argument"),
        ("ksql.streams.cache.max.bytes.buffering", "0", "environment variable KSQL_CACHE_MAX_BYTES_BUFFERING"),
        ("ksql.output.topic.name.prefix", "b-", "environment variable LEVADA_KSQL_OUTPUT_TOPIC_NAME_PREFIX"),
        ("ksql.suppress.enabled", "false", "SET"),
        ("ksql.lambdas.enabled", "true", "default"),
        ("ksql.schema.registry.basic.auth.user.info", "[hidden]", "server.properties:5"),
    ] {
        let line = line(name);
        assert!(line.contains(&format!("\"{value}\"")) && line.contains(&format!("\"{source}\"")), "{line}");
    }
    let warning =
        "unknown property 'ksql.streams.commit.intervall.ms' (server.properties:4); did you mean commit.interval.ms?";
    assert!(told.contains(warning), "{told}");
    assert!(!told.contains("secret") && !shown.contains("secret"));
}

#[test]
fn a_value_that_makes_no_sense_says_where_it_stands() {
    let folder = folder();
    std::fs::write(folder.path().join("server.properties"), "\ncommit.interval.ms=soon\n").expect("it can be written");
    let output = output(&mut levada(folder.path(), &["shell", "--config", "server.properties", "-e", "SHOW STREAMS;"]));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("Not a number (server.properties:2)"), "{told}");
}

#[test]
fn a_new_version_of_a_file_is_planned_and_applied() {
    let folder = folder();
    let write = |text: &str| {
        let source = "CREATE STREAM s (k INT KEY, v INT) WITH (kafka_topic='s', partitions=1, value_format='json');\n";
        std::fs::write(folder.path().join("a.sql"), format!("{source}{text}")).expect("it can be written");
    };
    let run = |arguments: &[&str]| {
        let output = output(&mut levada(folder.path(), arguments));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let plan = || run(&["plan", "a.sql", "--output", "csv"]);
    let apply = || run(&["run", "a.sql", "--headless", "--until-idle", "0.1"]);
    write(
        "CREATE STREAM large AS SELECT * FROM s WHERE v > 10;\nCREATE TABLE n AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;\n",
    );
    let (done, shown, told) = plan();
    assert!(done, "{told}");
    assert_eq!(shown, "change,kind,name,line\ncreate,STREAM,S,1\ncreate,STREAM,LARGE,2\ncreate,TABLE,N,3\n");
    assert!(!folder.path().join("levada-data").exists(), "a look makes nothing");
    assert!(apply().0);
    write("CREATE STREAM large AS SELECT * FROM s WHERE v > 20;\n");
    let expected = "change,kind,name,line\ndrop,TABLE,N,\"\"\nunchanged,STREAM,S,1\nreplace,STREAM,LARGE,2\n";
    assert_eq!(plan(), (true, expected.to_owned(), String::new()));
    let (done, _, told) = apply();
    assert!(done, "{told}");
    let unchanged = "change,kind,name,line\nunchanged,STREAM,S,1\nunchanged,STREAM,LARGE,2\n";
    assert_eq!(plan(), (true, unchanged.to_owned(), String::new()));
    write("CREATE STREAM large AS SELECT * FROM s PARTITION BY v;\n");
    let (done, shown, told) = plan();
    assert!(!done && shown.contains("must be rebuilt,STREAM,LARGE,2"), "{shown}");
    assert!(told.contains("it is:\n  CREATE STREAM large AS SELECT * FROM s WHERE v > 20;"), "{told}");
    let (done, _, told) = apply();
    assert!(!done && told.contains("must be rebuilt"), "{told}");
}
