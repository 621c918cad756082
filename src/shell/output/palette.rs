//! Colours, where they are wanted.

use std::io::IsTerminal;

/// Whether the terminal shows escape sequences in place of obeying them, as editors that run commands do.
pub(super) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb")
}

/// Colours of a terminal, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    coloured: bool,
}

impl Palette {
    /// No colours.
    pub const PLAIN: Self = Self { coloured: false };

    /// Colours when `stream` is a terminal that has them and `NO_COLOR` is not set.
    pub fn of(stream: &impl IsTerminal) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { coloured: stream.is_terminal() && !is_dumb() && !unwanted }
    }

    /// Whether there are colours.
    pub fn is_coloured(self) -> bool {
        self.coloured
    }

    /// Something wrong.
    pub fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// Something to see first.
    pub fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Something to see last.
    pub fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
