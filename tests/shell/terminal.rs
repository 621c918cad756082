//! The shell in a real terminal: what is typed, and what is on the screen then.

use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::tmux::{Terminal, is_there};

const SETUP: &str = "CREATE STREAM flights (id INT KEY, carrier STRING, delay INT) \
                       WITH (kafka_topic = 'flights', value_format = 'json', partitions = 1); \
                     INSERT INTO flights (id, carrier, delay) VALUES (1, 'UA', 12); \
                     INSERT INTO flights (id, carrier) VALUES (2, 'AA');";

/// A folder with a data directory in which [`SETUP`] was executed.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    run(folder.path(), SETUP);
    folder
}

fn run(folder: &Path, statements: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_levada"));
    let status = command.current_dir(folder).args(["shell", "-e", statements]).output().expect("the binary starts");
    assert!(status.status.success(), "{status:?}");
}

fn shell(folder: &TempDir, columns: u16, lines: u16) -> Terminal {
    let terminal =
        Terminal::start(folder.path(), columns, lines, "shell --property ksql.streams.auto.offset.reset=earliest");
    terminal.wait_for_prompt();
    terminal
}

/// What is on the screen below the line `from`.
fn below<'s>(screen: &'s str, from: &str) -> &'s str {
    screen.split_once(from).map_or(screen, |(_, rest)| rest).trim_start_matches('\n')
}

#[test]
fn a_statement_over_several_lines_is_edited_and_answered() {
    if !is_there() {
        return;
    }
    let folder = folder();
    let terminal = shell(&folder, 80, 24);
    terminal.enter("SELECT carrier, delay");
    terminal.enter("FROM flights EMIT CHANGES");
    terminal.enter("LIMIT 2;");
    let screen = terminal.wait_for_answer("2 rows");
    let expected = "\
levada> SELECT carrier, delay
FROM flights EMIT CHANGES
LIMIT 2;
 CARRIER          │    DELAY
──────────────────┼──────────
 UA               │       12
 AA               │     null
2 rows

levada>";
    assert_eq!(below(&screen, "Ctrl-D leaves."), expected);
    terminal.press("Up");
    let screen = terminal.wait("the whole statement again", |screen| screen.matches("LIMIT 2;").count() == 2);
    assert!(screen.ends_with("levada> SELECT carrier, delay\nFROM flights EMIT CHANGES\nLIMIT 2;"), "{screen}");
}

#[test]
fn names_are_completed_with_what_they_are() {
    if !is_there() {
        return;
    }
    let folder = folder();
    let terminal = shell(&folder, 100, 24);
    terminal.type_in("select * from fl");
    terminal.press("Tab");
    terminal.wait_for("levada> select * from flights");
    terminal.type_in(" where ca");
    terminal.press("Tab");
    let screen = terminal.wait_for("case");
    assert!(screen.contains("\ncarrier  STRING"), "{screen}");
    terminal.press("C-c");
    terminal.type_in("select cos");
    terminal.press("Tab");
    terminal.wait_for("COSH(value INT) → DOUBLE");
    terminal.press("C-c");
    terminal.type_in("set 'auto.off");
    terminal.press("Tab");
    terminal.wait_for("set 'auto.offset.reset'");
}

#[test]
fn ctrl_c_stops_a_query_and_never_the_shell() {
    if !is_there() {
        return;
    }
    let folder = folder();
    let terminal = shell(&folder, 80, 48);
    terminal.enter("SELECT id FROM flights EMIT CHANGES;");
    terminal.wait("both rows", |screen| screen.contains("\n        2\n") || screen.contains("\n        2"));
    terminal.press("C-c");
    terminal.wait_for_answer("2 rows, stopped");
    terminal.press("C-c");
    terminal.wait("a third prompt", |screen| screen.matches("\nlevada>").count() == 3);
    terminal.enter("SHOW QUERIES;");
    terminal.wait_for_answer("none");
    // However often it is pressed: some come when the query has ended, and give up an empty line each.
    terminal.enter("SELECT id FROM flights EMIT CHANGES;");
    terminal.wait("both rows again", |screen| screen.matches("\n        2").count() == 2);
    for _ in 0..5 {
        terminal.press("C-c");
    }
    let stopped_again = |screen: &str| screen.matches("2 rows, stopped").count() == 2;
    let screen = terminal.wait("a second end", stopped_again);
    assert!(!screen.contains("ended with"), "{screen}");
}

#[test]
fn what_was_typed_is_found_again_in_the_next_session() {
    if !is_there() {
        return;
    }
    let folder = folder();
    let terminal = shell(&folder, 80, 24);
    terminal.enter("SHOW TOPICS;");
    terminal.wait_for("Partition Replicas");
    terminal.enter("SHOW TABLES;");
    terminal.wait_for("Table Name");
    terminal.enter("exit");
    terminal.wait_for("ended with 0");
    drop(terminal);
    let terminal = shell(&folder, 80, 24);
    terminal.press("C-r");
    terminal.type_in("TOP");
    terminal.wait_for("SHOW TOPICS;");
    terminal.press("Enter");
    terminal.wait_for("Partition Replicas");
    terminal.enter("history");
    let screen = terminal.wait_for("history\n1  ");
    let listed = below(&screen, "levada> history");
    assert!(listed.starts_with("1  SHOW TOPICS;\n2  SHOW TABLES;\n3  exit\n4  SHOW TOPICS;\n5  history"), "{screen}");
}

#[test]
fn keys_of_vi_are_there_for_those_who_want_them() {
    if !is_there() {
        return;
    }
    let folder = folder();
    let terminal = shell(&folder, 80, 24);
    terminal.enter("\\keys vi");
    terminal.wait_for_prompt();
    terminal.type_in("SHOW TABLESx;");
    // Out of insertion, to the x, delete it.
    terminal.escape();
    terminal.type_in("hx");
    terminal.wait_for("SHOW TABLES;");
    terminal.press("Enter");
    terminal.wait_for("Table Name");
}

#[test]
fn an_error_is_shown_below_its_place() {
    if !is_there() {
        return;
    }
    let folder = folder();
    let terminal = shell(&folder, 80, 24);
    terminal.enter("DESCRIBE flihgts;");
    let screen = terminal.wait_for_answer("hint:");
    let shown = below(&screen, "DESCRIBE flihgts;");
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("error: "), "{screen}");
    assert_eq!(lines[1..3], ["1 | DESCRIBE flihgts;", "             ^"], "{screen}");
    assert!(lines[3].contains("FLIGHTS"), "{screen}");
    assert!(terminal.coloured_screen().contains("\u{1b}[1m\u{1b}[31merror"), "{}", terminal.coloured_screen());
    terminal.press("C-d");
    terminal.wait_for("ended with 0");
}

#[test]
fn rows_too_wide_for_the_terminal_stand_one_below_the_other() {
    if !is_there() {
        return;
    }
    let folder = folder();
    run(
        folder.path(),
        "CREATE STREAM wide (a STRING, b STRING, c STRING, d STRING, e STRING) \
           WITH (kafka_topic = 'wide', value_format = 'json', partitions = 1); \
         INSERT INTO wide (a, b, c, d) VALUES ('one', 'two', 'three', 'four');",
    );
    let terminal = shell(&folder, 40, 24);
    terminal.enter("SELECT * FROM wide EMIT CHANGES LIMIT 1;");
    let screen = terminal.wait_for_answer("1 row");
    let expected = "── row 1 ──\n A │ one\n B │ two\n C │ three\n D │ four\n E │ null\n1 row\n\nlevada>";
    assert_eq!(below(&screen, "LIMIT 1;"), expected);
    terminal.enter("\\x");
    terminal.wait_for("output is expanded");
    terminal.enter("SELECT id FROM flights EMIT CHANGES LIMIT 1;");
    terminal.wait_for("── row 1 ──\n ID │ 1\n1 row");
}

#[test]
fn long_results_are_paged_and_the_prompt_comes_back() {
    if !is_there() {
        return;
    }
    let folder = folder();
    let terminal = shell(&folder, 80, 12);
    terminal.enter("SHOW FUNCTIONS;");
    terminal.wait("the pager's prompt", |screen| screen.lines().last() == Some(":"));
    terminal.type_in("q");
    terminal.wait_for_prompt();
    terminal.enter("\\pager off");
    terminal.wait_for("there is no pager");
    terminal.enter("SHOW FUNCTIONS;");
    terminal.wait_for("DESCRIBE FUNCTION");
    terminal.wait_for_prompt();
}

#[test]
fn a_query_is_drawn_and_watched() {
    if !is_there() {
        return;
    }
    let folder = folder();
    let terminal = shell(&folder, 80, 40);
    terminal.enter("\\viz SELECT id FROM flights WHERE delay > 5 EMIT CHANGES");
    let screen = terminal.wait_for("Client");
    assert!(screen.contains("│ Source FLIGHTS"), "{screen}");
    assert!(screen.contains("│ Filter       │\n") || screen.contains("│ Filter"), "{screen}");
    terminal.enter("clear");
    terminal.wait("an empty screen", |screen| screen == "levada>");
    terminal.enter("SHOW STREAMS;");
    terminal.wait_for("FLIGHTS");
    terminal.enter("\\watch 0.1");
    terminal.wait_for("every 0.1 s: SHOW STREAMS;");
    terminal.press("C-c");
    terminal.wait_for_prompt();
}

#[test]
fn the_header_of_rows_that_keep_coming_stays_in_sight() {
    if !is_there() {
        return;
    }
    let folder = folder();
    let rows: Vec<String> = (3..=20).map(|id| format!("INSERT INTO flights (id) VALUES ({id});")).collect();
    run(folder.path(), &rows.join(" "));
    let terminal = shell(&folder, 80, 12);
    terminal.enter("SELECT id FROM flights EMIT CHANGES LIMIT 20;");
    let screen = terminal.wait_for_answer("20 rows");
    let lines: Vec<&str> = screen.lines().collect();
    let header = lines.iter().position(|line| line.trim() == "ID");
    assert!(header.is_some_and(|at| lines[at + 1].starts_with("───")), "{screen}");
}

/// A server on `port` with its data in `folder`, ended with the test.
struct Server(Child);

impl Server {
    fn start(folder: &Path, port: u16) -> Self {
        let listen = format!("127.0.0.1:{port}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_levada"));
        command.current_dir(folder).args(["server", "--data-dir", "server-data", "--listen", &listen]);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("the server was running");
    }
}

#[test]
fn a_server_that_comes_and_goes_is_waited_for() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the test");
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let port = free.port();
    let terminal = Terminal::start(folder.path(), 100, 24, &format!("shell --server http://127.0.0.1:{port}"));
    terminal.wait_for("waiting for the server at");
    let server = Server::start(folder.path(), port);
    terminal.wait_for("service default_");
    terminal.wait_for_prompt();
    drop(server);
    terminal.enter("SHOW TABLES;");
    terminal.wait("that it waits again", |screen| screen.matches("waiting for the server at").count() == 2);
    terminal.press("C-c");
    terminal.wait_for_prompt();
    let _server = Server::start(folder.path(), port);
    terminal.enter("SHOW TYPES;");
    terminal.wait_for("Type Name");
    terminal.enter("\\progress");
    terminal.wait_for("there are no queries");
}

/// A pipe called `name` in `folder`, for a command that reads it; the command has opened it when this is back.
fn pipe(folder: &Path, name: &str, start: impl FnOnce() -> Terminal) -> (Terminal, File) {
    let path = folder.join(name);
    assert!(Command::new("mkfifo").arg(&path).status().is_ok_and(|status| status.success()), "mkfifo works");
    let terminal = start();
    (terminal, File::options().write(true).open(path).expect("the command reads it"))
}

#[test]
fn what_is_appended_is_counted_below_what_is_said() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the test");
    let start = || Terminal::start(folder.path(), 60, 12, "topic produce t --key-separator : < lines");
    let (terminal, mut lines) = pipe(folder.path(), "lines", start);
    terminal.wait_for("appended 0 records (0/s), Ctrl-C stops");
    lines.write_all(b"a:1\nwrong\nb:2\n").expect("the command reads it");
    let screen = terminal.wait_for("appended 2 records (");
    let said = "created topic t with 1 partition\nline 2: there is no key separator ':'\nappended 2 records (";
    assert!(screen.starts_with(said) && screen.ends_with("/s), Ctrl-C stops"), "{screen}");
    drop(lines);
    let screen = terminal.wait_for("ended with 1");
    let expected = "created topic t with 1 partition\nline 2: there is no key separator ':'\nappended 2 records to topic t\n\
                    error: 1 of 3 lines refused, the others were appended\nended with 1";
    assert_eq!(screen, expected);
}

#[test]
fn a_pipe_of_rows_is_counted_while_it_comes() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the test");
    let start = || Terminal::start(folder.path(), 60, 12, "topic import t - < rows");
    let (terminal, mut rows) = pipe(folder.path(), "rows", start);
    rows.write_all(("n\n".to_owned() + &"1\n".repeat(5_000)).as_bytes()).expect("the command reads it");
    terminal.wait_for("read 9 KiB (");
    drop(rows);
    let screen = terminal.wait_for("ended with 0");
    let expected = "columns: n INT\ncreated topic t with 1 partition\nappended 5000 records to topic t\nended with 0";
    assert_eq!(screen, expected);
}

#[test]
fn a_terminal_that_cannot_be_painted_over_shows_what_is_said_and_no_more() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the test");
    let arguments = "topic produce t --key-separator : < lines";
    let start = || Terminal::start_with("TERM=dumb", folder.path(), 60, 12, arguments);
    let (terminal, mut lines) = pipe(folder.path(), "lines", start);
    for number in 1..=2 {
        lines.write_all(b"wrong\n").expect("the command reads it");
        let screen = terminal.wait_for(&format!("line {number}: there is no key separator ':'"));
        assert!(!screen.contains("Ctrl-C stops"), "{screen}");
    }
}

#[test]
fn a_file_that_runs_shows_its_figures_until_it_ends() {
    if !is_there() {
        return;
    }
    let folder = folder();
    let copy = "CREATE STREAM late AS SELECT * FROM flights WHERE delay > 5;";
    std::fs::write(folder.path().join("a.sql"), copy).expect("a file can be written");
    let arguments = "run a.sql --property ksql.streams.auto.offset.reset=earliest";
    let terminal = Terminal::start(folder.path(), 100, 30, arguments);
    terminal.wait_for("1 query: in 2 (");
    terminal.press("C-c");
    let screen = terminal.wait_for("ended with 0");
    // What was there when ^C came stays, once; what comes after has lines of its own.
    assert_eq!(screen.matches("1 query: in").count(), 1, "{screen}");
    assert!(screen.contains("\n query  ") && !screen.contains("^C"), "{screen}");
}

#[test]
fn progress_is_painted_in_one_place_however_narrow_the_terminal_is() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the test");
    let mut datagen = Command::new(env!("CARGO_BIN_EXE_levada"));
    datagen.current_dir(folder.path());
    datagen.args(["datagen", "--quickstart", "orders", "--count", "20000", "--rate", "0", "--key-format", "kafka"]);
    assert!(datagen.output().is_ok_and(|output| output.status.success()), "records are made");
    run(folder.path(), "CREATE STREAM orders (itemid STRING) WITH (kafka_topic = 'orders', value_format = 'json');");
    let terminal = shell(&folder, 40, 24);
    terminal.enter("CREATE STREAM c AS SELECT * FROM orders;");
    terminal.wait_for("CSAS_C");
    terminal.enter("\\progress");
    let screen = terminal.wait_for_answer("has caught up: 20000 of 20000");
    assert_eq!(screen.matches('█').count(), 24, "{screen}");
}
