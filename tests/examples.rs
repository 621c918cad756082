//! Every file of `sql-examples`, run by the built binary, answers as its last comments say.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::questions::questions;

const LEVADA: &str = env!("CARGO_BIN_EXE_levada");

#[test]
fn every_example_answers_as_it_says() {
    let files = examples();
    assert!(!files.is_empty(), "there are examples");
    // Most of the time of a run is waiting whether more comes.
    for some in files.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            for file in some {
                scope.spawn(move || answers_as_it_says(file));
            }
        });
    }
}

/// Files run side by side.
const AT_ONCE: usize = 4;

fn answers_as_it_says(file: &Path) {
    let text = std::fs::read_to_string(file).expect("examples are UTF-8");
    let questions = questions(&text);
    assert!(!questions.is_empty(), "{} asks nothing", file.display());
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data = dir.path().join("data");
    levada(&["run", file.to_str().expect("names of examples are ASCII"), "--until-idle"], &data);
    for question in questions {
        let output = levada(&["shell", "--output", "json", "-e", &question.statements], &data);
        question.check(&file.display().to_string(), &output);
    }
}

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql-examples");
    let entries = std::fs::read_dir(folder).expect("the repository has the folder");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|name| name == "sql")).collect();
    files.sort();
    files
}

/// Standard output of one command of the binary.
fn levada(arguments: &[&str], data_dir: &Path) -> String {
    let mut command = Command::new(LEVADA);
    command.args(arguments).arg("--data-dir").arg(data_dir);
    let output = command.output().expect("the binary was built for this test");
    assert!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the binary writes UTF-8")
}

/// The index of the folder names every example.
#[test]
fn every_example_is_in_the_index() {
    let index = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql-examples/README.md");
    let index = std::fs::read_to_string(index).expect("the folder has an index");
    for file in examples() {
        let name = file.file_name().expect("a file has a name").to_string_lossy();
        assert!(index.contains(&format!("`{name}`")), "{name} is not in the index");
    }
}
