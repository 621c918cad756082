//! Lines from a person: prompt, history, completion.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Context, Editor, Helper};

use super::input::{Input, Item};
use super::{Flow, Interpreter};

const PROMPT: &str = "levada> ";
const PROMPT_CONTINUED: &str = "      > ";
const HISTORY_ENTRIES_MAX: usize = 10_000;
/// Environment variable with the path of the history file; empty for no file.
const HISTORY_VARIABLE: &str = "LEVADA_HISTORY";

/// Words that begin statements or stand in most of them.
const WORDS: &[&str] = &[
    "AS",
    "AND",
    "ASSERT",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CHANGES",
    "CREATE",
    "DEFINE",
    "DESCRIBE",
    "DIAGNOSE",
    "DROP",
    "EMIT",
    "END",
    "EXPLAIN",
    "EXTENDED",
    "FROM",
    "FROM BEGINNING",
    "FUNCTION",
    "FUNCTIONS",
    "GRACE PERIOD",
    "GROUP BY",
    "HAVING",
    "INNER JOIN",
    "INSERT INTO",
    "IS NULL",
    "JOIN",
    "KEY",
    "LEFT JOIN",
    "LIKE",
    "LIMIT",
    "LIST",
    "NOT",
    "PARTITION BY",
    "PAUSE",
    "PRIMARY KEY",
    "PRINT",
    "QUERIES",
    "RESUME",
    "RETURNS",
    "SELECT",
    "SET",
    "SHOW",
    "STREAM",
    "STREAMS",
    "TABLE",
    "TABLES",
    "TERMINATE",
    "TOPICS",
    "TUMBLING",
    "TYPES",
    "USING",
    "VALUES",
    "VARIABLES",
    "WHERE",
    "WINDOW",
    "WITH",
    "exit",
    "help",
    "output",
    "run script",
];

/// A line editor with what it knows.
pub struct Prompt {
    editor: Editor<Completion, FileHistory>,
    history: Option<PathBuf>,
    names: Rc<RefCell<Vec<String>>>,
}

impl Prompt {
    /// Takes hold of the terminal and reads the history. To be made before [`Interrupt::of_process`] is first asked.
    ///
    /// [`Interrupt::of_process`]: super::Interrupt::of_process
    pub fn new() -> io::Result<Self> {
        let config = Config::builder()
            .max_history_size(HISTORY_ENTRIES_MAX)
            .map_err(into_io)?
            .completion_type(rustyline::CompletionType::List)
            .build();
        let names = Rc::new(RefCell::new(Vec::new()));
        let mut editor = Editor::with_config(config).map_err(into_io)?;
        editor.set_helper(Some(Completion { names: Rc::clone(&names) }));
        let history = history_path();
        if let Some(path) = &history {
            // There is none before the first session.
            if let Err(error) = editor.load_history(path) {
                tracing::debug!(%error, path = %path.display(), "no history");
            }
        }
        Ok(Self { editor, history, names })
    }

    /// Reads and runs statements until the person leaves.
    pub fn run(&mut self, interpreter: &mut Interpreter<'_>) -> io::Result<()> {
        let mut typed = String::new();
        let mut input = Input::new();
        loop {
            if input.is_blank() {
                typed.clear();
                input = Input::new();
                *self.names.borrow_mut() = interpreter.names();
            }
            let prompt = if typed.is_empty() { PROMPT } else { PROMPT_CONTINUED };
            match self.editor.readline(prompt) {
                Ok(line) => {
                    typed.push_str(&line);
                    typed.push('\n');
                    input.push(&line);
                    input.push("\n");
                }
                Err(ReadlineError::Interrupted) => {
                    typed.clear();
                    input = Input::new();
                    continue;
                }
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => return Err(into_io(error)),
            }
            let items: Vec<Item> = std::iter::from_fn(|| input.next()).collect();
            if input.is_blank() {
                self.remember(typed.trim_end());
            }
            for item in items {
                match interpreter.run_item(&item, None)? {
                    Flow::Continue => {}
                    Flow::Failed | Flow::Stopped => break,
                    Flow::Exit => return Ok(()),
                }
            }
        }
    }

    /// Keeps what was typed as one entry, also for other shells and after a crash of this one.
    fn remember(&mut self, typed: &str) {
        let added = self.editor.add_history_entry(typed).unwrap_or(false);
        let Some(path) = self.history.as_deref().filter(|_| added) else { return };
        if let Err(error) = create_parent(path).and_then(|()| self.editor.append_history(path).map_err(into_io)) {
            tracing::warn!(%error, path = %path.display(), "the history cannot be kept");
            self.history = None;
        }
    }
}

/// Completes words of SQL and names of the catalog.
struct Completion {
    names: Rc<RefCell<Vec<String>>>,
}

impl Completer for Completion {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let start = line[..at]
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(0, |i| i + line[i..].chars().next().map_or(1, char::len_utf8));
        let found = completions(&line[start..at], &self.names.borrow());
        Ok((start, found.into_iter().map(|text| Pair { display: text.clone(), replacement: text }).collect()))
    }
}

impl Hinter for Completion {
    type Hint = String;
}
impl Highlighter for Completion {}
impl Validator for Completion {}
impl Helper for Completion {}

/// What `begun` may become, names first; in lower case when that is how it begins and SQL does not mind.
fn completions(begun: &str, names: &[String]) -> Vec<String> {
    if begun.is_empty() {
        return names.to_vec();
    }
    let lower = !begun.contains(char::is_uppercase);
    let known = names.iter().map(String::as_str).chain(WORDS.iter().copied());
    let matching = known.filter(|word| word.get(..begun.len()).is_some_and(|start| start.eq_ignore_ascii_case(begun)));
    let typed =
        |word: &str| if lower && !word.contains(char::is_lowercase) { word.to_lowercase() } else { word.to_owned() };
    matching.map(typed).collect()
}

/// `LEVADA_HISTORY`, or `levada/history` below the directory for state.
fn history_path() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(HISTORY_VARIABLE) {
        return (!path.is_empty()).then(|| PathBuf::from(path));
    }
    let state = std::env::var_os("XDG_STATE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let state = state.or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))?;
    Some(state.join("levada").join("history"))
}

fn create_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => std::fs::create_dir_all(parent),
        _ => Ok(()),
    }
}

fn into_io(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::completions;

    #[test]
    fn completes_names_then_words() {
        let names = ["FLIGHTS".to_owned(), "Seen".to_owned(), "SEATS".to_owned()];
        let check = |begun: &str, expected: &[&str]| assert_eq!(completions(begun, &names), expected, "{begun}");
        check("fl", &["flights"]);
        check("FL", &["FLIGHTS"]);
        check("see", &["Seen"]);
        check("SE", &["Seen", "SEATS", "SELECT", "SET"]);
        check("", &["FLIGHTS", "Seen", "SEATS"]);
        check("é", &[]);
    }
}
