//! Results that are longer than the terminal, in the program that the person likes to read with.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

/// What a pager that nobody has named does: leaves at once what fits, shows colours, cuts no lines, and leaves what was read on
/// the screen.
const LESS: (&str, &str) = ("LESS", "FRSX");

/// A program that shows text page by page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pager {
    /// As a shell of the system runs it; empty for none.
    pub command: String,
}

impl Pager {
    /// `LEVADA_PAGER`, `PAGER`, or `less`.
    pub fn of_environment() -> Self {
        let named = |name: &str| std::env::var(name).ok();
        Self { command: named("LEVADA_PAGER").or_else(|| named("PAGER")).unwrap_or_else(|| "less".to_owned()) }
    }

    /// Whether there is one.
    pub fn is_on(&self) -> bool {
        !self.command.trim().is_empty()
    }

    /// Shows `text` until the person leaves; whether it could be shown.
    pub(super) fn show(&self, text: &[u8]) -> io::Result<bool> {
        let mut command = Command::new("sh");
        command.args(["-c", &self.command]).stdin(Stdio::piped());
        if std::env::var_os(LESS.0).is_none() {
            command.env(LESS.0, LESS.1);
        }
        let mut child = command.spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // Who leaves early does not read all of it.
            let _ = input.write_all(text);
        }
        // 127: the system has no such program.
        Ok(child.wait()?.code() != Some(127))
    }
}
