//! `levada dev`: what is saved is applied and tested.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// A file that is worked on.
struct Dev {
    folder: Option<TempDir>,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Dev {
    /// Works on `a.sql` with the text `statements`.
    fn on(statements: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        save(folder.path(), "a.sql", statements);
        let mut command = Command::new(env!("CARGO_BIN_EXE_levada"));
        command.args(["dev", "a.sql", "--listen", "127.0.0.1:0"]).current_dir(folder.path());
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("levada starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { folder: Some(folder), child, lines }
    }

    /// Saves a file of the folder.
    fn save(&self, name: &str, text: &str) {
        save(self.folder.as_ref().expect("it is not stopped").path(), name, text);
    }

    /// Ends it; the folder is what is left.
    fn stop(mut self) -> TempDir {
        let pid = libc::pid_t::try_from(self.child.id()).expect("process ids are small");
        // SAFETY: `kill` takes no pointers; the process is our child and not yet waited for.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGINT) }, 0, "it is alive");
        assert!(self.child.wait().expect("it ends").success());
        self.folder.take().expect("it is stopped once")
    }

    /// The next line of its output that holds `part`.
    fn says(&mut self, part: &str) -> String {
        let mut said = Vec::new();
        for line in self.lines.by_ref() {
            let line = line.expect("text");
            if line.contains(part) {
                return line;
            }
            said.push(line);
        }
        panic!("it ended without '{part}': {said:#?}");
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn save(folder: &Path, name: &str, text: &str) {
    // A new name in the place of the old one, as editors do it.
    let new = folder.join("new");
    std::fs::write(&new, text).expect("a file");
    std::fs::rename(&new, folder.join(name)).expect("a file");
}

const SOURCE: &str = "CREATE STREAM s (k STRING KEY, a INT) WITH (kafka_topic='s', value_format='json', partitions=1);";

#[test]
fn what_is_saved_is_applied_and_what_is_wrong_is_not() {
    let mut dev = Dev::on(SOURCE);
    assert_eq!(dev.says("a.sql:"), "a.sql: S created");
    dev.save("a.sql", &format!("{SOURCE} CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;"));
    let said = dev.says("a.sql:");
    assert!(said.contains("T created") && !said.contains("S created"), "{said}");
    dev.save("a.sql", &format!("{SOURCE} CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM nothing GROUP BY k;"));
    assert_eq!(dev.says("a.sql: not"), "a.sql: not applied; what ran before goes on");
    dev.save("a.sql", SOURCE);
    let said = dev.says("a.sql:");
    assert!(said.contains("T dropped"), "{said}");
}

#[test]
fn records_that_the_file_brings_are_inserted_once() {
    let mut dev = Dev::on(&format!("{SOURCE} INSERT INTO s VALUES ('a', 1);"));
    dev.says("a.sql: S created");
    dev.save("a.sql", &format!("{SOURCE} INSERT INTO s VALUES ('a', 1); INSERT INTO s VALUES ('b', 2);"));
    dev.says("a.sql: nothing to change");
    dev.save("a.sql", &format!("{SOURCE} INSERT INTO s VALUES ('c', 'three');"));
    assert_eq!(dev.says("a.sql:"), "a.sql: nothing to change; its records are not inserted");
    let folder = dev.stop();
    let mut consume = Command::new(env!("CARGO_BIN_EXE_levada"));
    let output = consume.args(["topic", "consume", "s"]).current_dir(folder.path()).output().expect("levada starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.lines().filter_map(|line| line.split('\t').nth(3)).collect::<Vec<_>>(), ["a", "b"], "{text}");
}

#[test]
fn tests_run_whenever_they_or_the_file_are_saved() {
    let mut dev = Dev::on(&format!("{SOURCE} CREATE STREAM doubled AS SELECT k, a * 2 AS b FROM s;"));
    dev.says("a.sql:");
    let test = |b: u32| {
        format!(
            "--@test: numbers are doubled\nRUN SCRIPT 'a.sql';\nINSERT INTO s (k, a) VALUES ('x', 4);\n\
             ASSERT VALUES doubled (k, b) VALUES ('x', {b});\n"
        )
    };
    dev.save("a.test.sql", &test(8));
    assert!(dev.says("tests:").contains("1 passed, 0 failed"));
    dev.save("a.test.sql", &test(9));
    assert!(dev.says("tests:").contains("0 passed, 1 failed"));
    dev.save("a.sql", &format!("{SOURCE} CREATE STREAM doubled AS SELECT k, a * 2 + 1 AS b FROM s;"));
    assert!(dev.says("tests:").contains("1 passed, 0 failed"));
}
