//! Imports point downward, files stay readable, and calls that would make results depend on the machine are banned.
//!
//! The rules are data: [`FOLDERS`] says who may import whom, [`BANNED`] which calls may stand where.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder of `src` and the folders that it may import.
const FOLDERS: [(&str, &[&str]); 22] = [
    ("sql", &[]),
    ("configuration", &["sql"]),
    ("types", &[]),
    ("storage", &[]),
    ("http", &["configuration"]),
    ("metrics", &[]),
    ("functions", &["types"]),
    ("catalog", &["types", "formats", "functions"]),
    ("expr", &["functions", "types"]),
    ("formats", &["registry", "types"]),
    ("registry", &["http", "storage", "types"]),
    ("plan", &["sql", "catalog", "configuration", "expr", "functions", "types", "formats", "registry"]),
    ("state", &["types", "storage"]),
    ("batch", &["state", "expr", "types"]),
    ("operators", &["state", "storage", "expr", "types"]),
    ("topics", &["types", "storage"]),
    (
        "runtime",
        &[
            "types",
            "functions",
            "expr",
            "metrics",
            "plan",
            "state",
            "storage",
            "operators",
            "formats",
            "registry",
            "topics",
        ],
    ),
    (
        "engine",
        &[
            "sql",
            "types",
            "storage",
            "catalog",
            "configuration",
            "functions",
            "expr",
            "http",
            "metrics",
            "plan",
            "state",
            "operators",
            "formats",
            "topics",
            "runtime",
            "registry",
            "batch",
        ],
    ),
    ("datagen", &["formats", "registry", "types"]),
    ("shell", &["catalog", "configuration", "engine", "functions", "http", "plan", "runtime", "sql", "types"]),
    (
        "server",
        &[
            "catalog",
            "configuration",
            "engine",
            "formats",
            "functions",
            "http",
            "metrics",
            "runtime",
            "sql",
            "topics",
            "types",
        ],
    ),
    (
        "testing",
        &[
            "engine",
            "functions",
            "http",
            "server",
            "sql",
            "types",
            "storage",
            "catalog",
            "plan",
            "formats",
            "topics",
            "runtime",
            "registry",
        ],
    ),
];

/// Folders on top of everything: they may import all others.
const TOP: [&str; 1] = ["cli"];

/// Calls that only some files may make.
const BANNED: [(&str, &[&str]); 8] = [
    ("println!", &["cli/", "shell/", "main.rs"]),
    ("eprintln!", &["cli/", "shell/", "main.rs"]),
    ("print!", &["cli/", "shell/", "main.rs"]),
    ("eprint!", &["cli/", "shell/", "main.rs"]),
    ("SystemTime::now", &["runtime/clock.rs", "cli/", "shell/"]),
    (
        "Instant::now",
        &["runtime/clock.rs", "topics/kafka/deadline.rs", "functions/plugins/watch.rs", "server/", "cli/", "shell/"],
    ),
    ("thread::sleep", &["topics/kafka/deadline.rs"]),
    ("process::exit", &["cli/", "shell/", "main.rs"]),
];

/// Nobody reads a longer file.
const LINES_MAX: usize = 1_200;

/// A source file.
struct Source {
    /// Path below `src`, with `/`.
    path: String,
    text: String,
}

impl Source {
    /// The folder of `src` in which it lies; `None` for `lib.rs` and `main.rs`.
    fn folder(&self) -> Option<&str> {
        self.path.split_once('/').map(|(folder, _)| folder)
    }

    /// Lines of code: without comments, and without the tests at the end of the file.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        let code = lines.take_while(|(_, line)| *line != "#[cfg(test)]" || !self.ends_with_tests());
        code.map(|(index, line)| (index + 1, without_comment(line)))
    }

    /// Whether its own tests stand in it; a `#[cfg(test)]` before a `mod name;` is no end.
    fn ends_with_tests(&self) -> bool {
        self.text.contains("#[cfg(test)]\nmod tests {")
    }
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "" } else { line.split(" // ").next().unwrap_or(line) }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All source files but those that are compiled for tests only.
fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    walk(&root(), &mut files);
    assert!(files.len() > 20, "only {} files below src", files.len());
    let tests_only: BTreeSet<String> = files.iter().flat_map(test_modules).collect();
    files.retain(|file| !tests_only.iter().any(|module| is_in(&file.path, module)));
    files
}

fn walk(folder: &Path, files: &mut Vec<Source>) {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("a readable folder").map(|entry| entry.expect("a readable entry").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
            files.push(Source { path: relative, text: fs::read_to_string(&path).expect("readable text") });
        }
    }
}

/// Files that a `#[cfg(test)] mod name;` brings in.
fn test_modules(file: &Source) -> Vec<String> {
    let lines: Vec<&str> = file.text.lines().collect();
    let pairs = lines.windows(2).filter(|pair| pair[0].trim() == "#[cfg(test)]");
    let names = pairs.filter_map(|pair| pair[1].trim().strip_prefix("mod ")?.strip_suffix(';'));
    let stem = file
        .path
        .strip_suffix("mod.rs")
        .map_or_else(|| format!("{}/", file.path.trim_end_matches(".rs")), str::to_owned);
    names.flat_map(|name| [format!("{stem}{name}.rs"), format!("{stem}{name}/mod.rs")]).collect()
}

/// Whether a file is the one of a module, or of a submodule of it.
fn is_in(path: &str, module: &str) -> bool {
    path.starts_with(module.strip_suffix("mod.rs").unwrap_or(module))
}

/// Names behind `crate::` in a line, `crate::{a, b}` included.
fn imports(line: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        let list = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or(group),
            None => rest,
        };
        let parts: Vec<&str> = if rest.starts_with('{') { list.split(',').collect() } else { vec![list] };
        for part in parts {
            let name: String =
                part.trim().chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect();
            if !name.is_empty() {
                names.push(name);
            }
        }
    }
    names
}

fn may_import(folder: &str, other: &str) -> bool {
    let allowed = FOLDERS.iter().find(|(name, _)| *name == folder).map(|(_, allowed)| *allowed);
    folder == other || TOP.contains(&folder) || allowed.is_some_and(|allowed| allowed.contains(&other))
}

#[test]
fn imports_point_downward() {
    let mut faults = Vec::new();
    for file in sources() {
        let Some(folder) = file.folder() else { continue };
        let is_known = TOP.contains(&folder) || FOLDERS.iter().any(|(name, _)| *name == folder);
        assert!(is_known, "src/{folder} is not in the table of this test");
        for (number, line) in file.code() {
            for other in imports(line).iter().filter(|other| !may_import(folder, other)) {
                faults.push(format!("src/{}:{number}: {folder} must not import {other}", file.path));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_table_has_no_cycle() {
    let mut settled: BTreeSet<&str> = BTreeSet::new();
    loop {
        let ready: Vec<&str> = FOLDERS
            .iter()
            .filter(|(name, below)| !settled.contains(name) && below.iter().all(|other| settled.contains(other)))
            .map(|(name, _)| *name)
            .collect();
        if ready.is_empty() {
            break;
        }
        settled.extend(ready);
    }
    let stuck: Vec<&str> = FOLDERS.iter().map(|(name, _)| *name).filter(|name| !settled.contains(name)).collect();
    assert!(stuck.is_empty(), "in a cycle, or above one: {stuck:?}");
}

#[test]
fn every_file_says_what_it_is_and_can_be_read() {
    let mut faults = Vec::new();
    for file in sources() {
        if !file.text.starts_with("//! ") {
            faults.push(format!("src/{}: no module doc on its first line", file.path));
        }
        let lines = file.text.lines().count();
        if lines > LINES_MAX {
            faults.push(format!("src/{}: {lines} lines, at most {LINES_MAX}", file.path));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn banned_calls_stay_where_they_belong() {
    let mut faults = Vec::new();
    for file in sources() {
        for (number, line) in file.code() {
            for (call, places) in BANNED {
                let is_allowed = places.iter().any(|place| file.path.starts_with(place));
                if !is_allowed && calls(line, call) {
                    faults.push(format!("src/{}:{number}: {call} does not belong here", file.path));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Whether `call` stands in a line as a word of its own: `print!` is not in `eprint!`.
fn calls(line: &str, call: &str) -> bool {
    let before = |at: usize| line[..at].chars().next_back();
    let is_word = |at: usize| !before(at).is_some_and(|character| character.is_alphanumeric() || character == '_');
    line.match_indices(call).any(|(at, _)| is_word(at))
}

#[test]
fn imports_are_found_in_every_form() {
    assert_eq!(imports("use crate::types::Schema;"), ["types"]);
    assert_eq!(imports("use crate::{sql::ast, types};"), ["sql", "types"]);
    assert_eq!(imports("fn f(a: crate::plan::Node) -> crate::expr::Expr"), ["plan", "expr"]);
    assert!(may_import("engine", "sql") && !may_import("sql", "types") && !may_import("operators", "topics"));
    assert!(calls("    print!(\"x\")", "print!") && !calls("eprint!(\"x\")", "print!"));
}
