//! Imports point downward, files stay readable, and calls that would make results depend on the machine are banned.
//!
//! The rules are data: the table of `ARCHITECTURE.md` says who may import whom, [`BANNED`] which calls may stand where.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What may be imported in a row of the table that names no folders.
const ALL_ABOVE: &str = "all above";

/// Calls, and the only files that may make them: results must not depend on the machine's time, a thread that sleeps cannot be told to
/// stop, and what is shown goes to a writer that tests can read.
const BANNED: [(&str, &[&str]); 8] = [
    ("println!", &[]),
    ("eprintln!", &["cli/dev.rs", "cli/run.rs"]),
    ("print!", &[]),
    ("eprint!", &[]),
    ("SystemTime::now", &["runtime/clock.rs"]),
    (
        "Instant::now",
        &["runtime/clock.rs", "topics/kafka/deadline.rs", "functions/plugins/watch.rs", "server/", "cli/", "shell/"],
    ),
    ("thread::sleep", &["topics/kafka/deadline.rs"]),
    ("process::exit", &["shell/interrupt.rs"]),
];

/// What makes a thread wait for another, or for something that has not come.
const WAITS: [&str; 7] = ["Mutex", "RwLock", "Condvar", "lock()", "Barrier", "async", ".await"];
/// Where rows are read, evaluated, kept and written: nothing there waits. Of the functions only plug-ins do, once per call of a batch.
const NOTHING_WAITS: [&str; 7] = ["types/", "state/", "functions/", "expr/", "batch/", "formats/", "operators/"];
const PLUGINS: &str = "functions/plugins/";

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

    /// Whether a path of `line` goes up beyond the file's folder of `src`.
    fn leaves_its_folder(&self, line: &str) -> bool {
        let modules = self.path.trim_end_matches("/mod.rs").matches('/').count();
        line.contains(&"super::".repeat(modules + 1))
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

/// Who may import whom: the table "Folders" of `ARCHITECTURE.md`, lower folders first.
struct Layers {
    rows: Vec<Row>,
}

struct Row {
    folder: String,
    /// `None`: all above.
    imports: Option<BTreeSet<String>>,
}

impl Layers {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
        let text = fs::read_to_string(path).expect("a readable page");
        let (_, rest) = text.split_once("\n## Folders\n").expect("the page has the table");
        let lines = rest.lines().skip_while(|line| !line.starts_with("| `")).take_while(|line| line.starts_with('|'));
        let rows: Vec<Row> = lines.map(Row::read).collect();
        assert!(rows.len() > 20, "only {} folders in the table", rows.len());
        Self { rows }
    }

    fn place(&self, folder: &str) -> Option<usize> {
        self.rows.iter().position(|row| row.folder == folder)
    }

    /// Whether files of `folder` may import `other`.
    fn allow(&self, folder: &str, other: &str) -> bool {
        let Some((own, place)) = self.place(folder).zip(self.place(other)) else { return false };
        let is_named = self.rows[own].imports.as_ref().is_none_or(|imports| imports.contains(other));
        place == own || (place < own && is_named)
    }
}

impl Row {
    fn read(line: &str) -> Self {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [folder, .., imports] = cells.as_slice() else { panic!("no row of the table: {line}") };
        let named = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let imports = (*imports != ALL_ABOVE).then(|| named(imports));
        Self { folder: folder.trim_matches('`').to_owned(), imports }
    }
}

#[test]
fn imports_point_downward() {
    let layers = Layers::read();
    let mut faults = Vec::new();
    let mut made: BTreeSet<(String, String)> = BTreeSet::new();
    for file in sources() {
        let Some(folder) = file.folder() else { continue };
        assert!(layers.place(folder).is_some(), "src/{folder} is not in the table of ARCHITECTURE.md");
        for (number, line) in file.code() {
            for other in imports(line) {
                if !layers.allow(folder, &other) {
                    faults.push(format!("src/{}:{number}: {folder} must not import {other}", file.path));
                }
                made.insert((folder.to_owned(), other));
            }
            if file.leaves_its_folder(line) || line.ends_with("crate::{") {
                faults.push(format!("src/{}:{number}: write crate::folder, on this line", file.path));
            }
        }
    }
    for Row { folder, imports } in &layers.rows {
        let idle = imports.iter().flatten().filter(|other| !made.contains(&(folder.clone(), (*other).clone())));
        faults.extend(idle.map(|other| format!("ARCHITECTURE.md: {folder} may import {other}, and does not")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_table_has_no_cycle() {
    let layers = Layers::read();
    for row in &layers.rows {
        for other in row.imports.iter().flatten() {
            assert!(
                layers.allow(&row.folder, other),
                "{} may only import what stands above it, not {other}",
                row.folder
            );
        }
    }
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
    let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
    for file in sources() {
        for (number, line) in file.code() {
            for (call, places) in BANNED.into_iter().filter(|(call, _)| calls(line, call)) {
                match places.iter().find(|place| file.path.starts_with(**place)) {
                    Some(place) => drop(used.insert((call, place))),
                    None => faults.push(format!("src/{}:{number}: {call} does not belong here", file.path)),
                }
            }
        }
    }
    let places = BANNED.into_iter().flat_map(|(call, places)| places.iter().map(move |place| (call, *place)));
    let idle = places.filter(|place| !used.contains(place));
    faults.extend(idle.map(|(call, place)| format!("{place} may call {call}, and does not")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_waits_between_decode_and_encode() {
    let mut faults = Vec::new();
    let mut files = BTreeSet::new();
    for file in sources() {
        let Some(folder) = NOTHING_WAITS.into_iter().find(|folder| file.path.starts_with(folder)) else { continue };
        if file.path.starts_with(PLUGINS) {
            continue;
        }
        files.insert(folder);
        for (number, line) in file.code() {
            let waits = WAITS.into_iter().filter(|word| calls(line, word));
            faults.extend(waits.map(|word| format!("src/{}:{number}: {word} between decode and encode", file.path)));
        }
    }
    assert_eq!(files.len(), NOTHING_WAITS.len(), "a folder is gone");
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
    let layers = Layers::read();
    assert!(layers.allow("engine", "sql") && !layers.allow("sql", "types") && !layers.allow("operators", "topics"));
    assert!(layers.allow("cli", "engine") && !layers.allow("engine", "cli"));
    let file = |path: &str| Source { path: path.to_owned(), text: String::new() };
    assert!(file("sql/mod.rs").leaves_its_folder("use super::plan;"));
    assert!(!file("sql/parser/mod.rs").leaves_its_folder("use super::ast;"));
    assert!(file("sql/parser/read.rs").leaves_its_folder("use super::super::super::plan;"));
    assert!(calls("    print!(\"x\")", "print!") && !calls("eprint!(\"x\")", "print!"));
}
