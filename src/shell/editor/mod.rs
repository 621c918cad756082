//! Lines from a person: prompt, history, completion, colours, keys of Emacs or vi.
//!
//! ```text
//! keys ─▶ rustyline ─┬─ Tab ───▶ completion ◀─ Words: the language, and what the backend has (Vocabulary)
//!                    ├─ a letter ▶ colours
//!                    └─ Enter ─▶ Input: is the statement whole? ─┬─ no ──▶ one more line
//!                                                                └─ yes ─▶ history, Interpreter
//! ```

mod colours;
mod completion;
mod history;
mod password;

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::config::Configurer as _;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::{FileHistory, History as _, SearchDirection};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{ColorMode, Config, Context, EditMode, Editor, Helper};

pub use self::password::read_password;
use super::backend::Words;
use super::input::{Input, Item};
use super::{Flow, Interpreter, Keys, Palette};

const PROMPT: &str = "levada> ";
const HISTORY_ENTRIES_MAX: usize = 10_000;
/// A key that follows the escape key later than this is one of its own.
const ESCAPE_MS: u16 = 50;
/// Columns that are left of the words in a list of completions.
const ABOUT_MAX: usize = 60;

/// A line editor with what it knows.
pub struct Prompt {
    editor: Editor<Knowledge, FileHistory>,
    history: Option<PathBuf>,
    words: Words,
    keys: Keys,
    /// In colours where they are wanted.
    sign: (String, String),
}

impl Prompt {
    /// Takes hold of the terminal and reads the history. To be made before [`Interrupt::of_process`] is first asked.
    ///
    /// [`Interrupt::of_process`]: super::Interrupt::of_process
    pub fn new(palette: Palette) -> io::Result<Self> {
        let colours = if palette.is_coloured() { ColorMode::Enabled } else { ColorMode::Disabled };
        let config = Config::builder()
            .max_history_size(HISTORY_ENTRIES_MAX)
            .map_err(into_io)?
            .completion_type(rustyline::CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .keyseq_timeout(Some(ESCAPE_MS))
            .color_mode(colours)
            .build();
        let words = Words::default();
        let mut editor = Editor::with_config(config).map_err(into_io)?;
        let files = FilenameCompleter::new();
        editor.set_helper(Some(Knowledge { words: Arc::clone(&words), files, is_coloured: palette.is_coloured() }));
        let history = history::path();
        if let Some(path) = &history {
            // There is none before the first session.
            if let Err(error) = editor.load_history(path) {
                tracing::debug!(%error, path = %path.display(), "no history");
            }
        }
        let sign = (PROMPT.to_owned(), palette.strong(PROMPT));
        Ok(Self { editor, history, words, keys: Keys::Emacs, sign })
    }

    /// The keys that the person has asked for in `~/.inputrc`, for all programs.
    pub fn keys_of_person() -> Keys {
        let path = std::env::var_os("INPUTRC").map(PathBuf::from);
        let path = path.or_else(|| std::env::home_dir().map(|home| home.join(".inputrc")));
        let text = path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        if history::wants_vi(&text) { Keys::Vi } else { Keys::Emacs }
    }

    /// Reads and runs statements until the person leaves.
    pub fn run(&mut self, interpreter: &mut Interpreter<'_>) -> io::Result<()> {
        interpreter.history().replace(self.entries());
        interpreter.learn(&self.words);
        loop {
            self.use_keys(interpreter.keys());
            let typed = match self.editor.readline(&self.sign) {
                Ok(typed) => typed,
                Err(ReadlineError::Interrupted) => continue,
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => return Err(into_io(error)),
            };
            let typed = typed.trim_end();
            if typed.trim().is_empty() {
                continue;
            }
            self.remember(typed);
            interpreter.history().borrow_mut().push(typed.to_owned());
            interpreter.note_typed(PROMPT, typed)?;
            if self.run_typed(interpreter, typed)? == Flow::Exit {
                return Ok(());
            }
            interpreter.learn(&self.words);
        }
    }

    fn run_typed(&self, interpreter: &mut Interpreter<'_>, typed: &str) -> io::Result<Flow> {
        let mut input = Input::new();
        input.push(typed);
        input.push("\n");
        let items: Vec<Item> = std::iter::from_fn(|| input.next()).collect();
        for item in items {
            match interpreter.run_item(&item, None)? {
                Flow::Continue => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::Continue)
    }

    fn use_keys(&mut self, keys: Keys) {
        if keys != self.keys {
            self.keys = keys;
            self.editor.set_edit_mode(match keys {
                Keys::Emacs => EditMode::Emacs,
                Keys::Vi => EditMode::Vi,
            });
            // The mode brings a time of its own, which is long for a person.
            self.editor.set_keyseq_timeout(Some(ESCAPE_MS));
        }
    }

    fn entries(&self) -> Vec<String> {
        let history = self.editor.history();
        let entry = |at| history.get(at, SearchDirection::Forward).ok().flatten().map(|found| found.entry.into_owned());
        (0..history.len()).filter_map(entry).collect()
    }

    /// Keeps what was typed as one entry, also for other shells and after a crash of this one.
    fn remember(&mut self, typed: &str) {
        let added = self.editor.add_history_entry(typed).unwrap_or(false);
        let Some(path) = self.history.as_deref().filter(|_| added) else { return };
        let kept = history::create_parent(path).and_then(|()| self.editor.append_history(path).map_err(into_io));
        if let Err(error) = kept {
            tracing::warn!(%error, path = %path.display(), "the history cannot be kept");
            self.history = None;
        }
    }
}

/// What helps a person to type.
struct Knowledge {
    words: Words,
    files: FilenameCompleter,
    is_coloured: bool,
}

impl Completer for Knowledge {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, context: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        if names_file(&line[..at]) {
            return self.files.complete(line, at, context);
        }
        let known = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let (begin, found) = completion::complete(line, at, &known);
        let width = found.iter().map(|one| one.text.chars().count()).max().unwrap_or(0);
        let pair = |one: completion::Candidate| {
            let about: String = one.about.chars().take(ABOUT_MAX).collect();
            let display = format!("{:<width$}  {about}", one.text).trim_end().to_owned();
            Pair { display, replacement: one.text }
        };
        Ok((begin, found.into_iter().map(pair).collect()))
    }
}

/// Whether `line` ends in the name of a file.
fn names_file(line: &str) -> bool {
    let line = line.trim_start().to_ascii_lowercase();
    ["run script ", "\\i ", "spool "].iter().any(|command| line.starts_with(command))
}

impl Highlighter for Knowledge {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if !self.is_coloured {
            return Cow::Borrowed(line);
        }
        Cow::Owned(colours::coloured(line, &self.words.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.is_coloured && kind != CmdKind::MoveCursor
    }
}

impl Validator for Knowledge {
    /// A statement goes on in the next line until its `;`.
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let mut input = Input::new();
        input.push(context.input());
        input.push("\n");
        while input.next().is_some() {}
        Ok(if input.is_blank() { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for Knowledge {
    type Hint = String;
}
impl Helper for Knowledge {}

fn into_io(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        other => io::Error::other(other),
    }
}
