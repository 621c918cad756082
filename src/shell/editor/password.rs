//! A password, typed without being seen.

use std::borrow::Cow;
use std::io;

use rustyline::completion::Completer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Editor, Helper};

use super::into_io;

/// Shows stars.
struct Stars;

impl Completer for Stars {
    type Candidate = String;
}
impl Hinter for Stars {
    type Hint = String;
}
impl Validator for Stars {}
impl Helper for Stars {}

impl Highlighter for Stars {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        Cow::Owned("*".repeat(line.chars().count()))
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        true
    }
}

/// Asks for a password. It is kept in no history.
pub fn read_password(prompt: &str) -> io::Result<String> {
    let config = Config::builder().color_mode(rustyline::ColorMode::Forced).auto_add_history(false).build();
    let mut editor: Editor<Stars, DefaultHistory> = Editor::with_config(config).map_err(into_io)?;
    editor.set_helper(Some(Stars));
    editor.readline(prompt).map_err(into_io)
}
