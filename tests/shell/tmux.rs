//! A terminal of a test: tmux draws it, types into it and tells what is on it.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How often the screen is looked at until it shows what it should, and how long between two looks.
const LOOKS: u32 = 1_500;
const PAUSE: Duration = Duration::from_millis(20);

/// A terminal with a program in it; ended with the test.
pub struct Terminal {
    /// The name of a tmux of its own.
    socket: String,
}

/// Whether there is tmux. Says loudly when there is none; where CI=true, that is a failure.
pub fn is_there() -> bool {
    if Command::new("tmux").arg("-V").output().is_ok_and(|output| output.status.success()) {
        return true;
    }
    assert!(!std::env::var("CI").is_ok_and(|value| value == "true"), "CI=true, and there is no tmux");
    // Without a standard error there is nobody to tell.
    drop(writeln!(io::stderr(), "shell: SKIPPED, there is no tmux to type into"));
    false
}

impl Terminal {
    /// Starts `levada` with `arguments` in `folder`, in a terminal of `columns` by `lines`.
    pub fn start(folder: &Path, columns: u16, lines: u16, arguments: &str) -> Self {
        Self::start_with("", folder, columns, lines, arguments)
    }

    /// The same with what `environment` says: `TERM=dumb`.
    pub fn start_with(environment: &str, folder: &Path, columns: u16, lines: u16, arguments: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let socket = format!("levada-test-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let terminal = Self { socket };
        let program = format!(
            "cd '{0}' && env -u NO_COLOR -u PAGER LEVADA_PAGER=less \
             LEVADA_HISTORY='{0}/history' INPUTRC=/dev/null LC_ALL=C.UTF-8 {environment} '{1}' {arguments}; \
             echo ended with $?; exec cat",
            folder.display(),
            env!("CARGO_BIN_EXE_levada")
        );
        let (columns, lines) = (columns.to_string(), lines.to_string());
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", &lines, &program]);
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command.args(["-u", "-L", &self.socket]).args(arguments).env_remove("TMUX");
        let output = command.output().expect("tmux starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Types `text`, letter by letter.
    pub fn type_in(&self, text: &str) {
        // A semicolon at the end would be tmux's own.
        let text = match text.strip_suffix(';') {
            Some(before) => format!("{before}\\;"),
            None => text.to_owned(),
        };
        self.tmux(&["send-keys", "-l", &text]);
    }

    /// Presses a key by its name: `Enter`, `Tab`, `C-c`.
    pub fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    /// Presses the escape key. Terminals tell it from the beginning of another key by what follows at once.
    pub fn escape(&self) {
        self.press("Escape");
        std::thread::park_timeout(PAUSE * 10);
    }

    /// Types a line and sends it.
    pub fn enter(&self, line: &str) {
        self.type_in(line);
        self.press("Enter");
    }

    /// The lines of the screen, without blanks at their ends and empty lines at its end.
    pub fn screen(&self) -> String {
        let output = self.tmux(&["capture-pane", "-p"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    /// The same with escape sequences for colours.
    pub fn coloured_screen(&self) -> String {
        String::from_utf8_lossy(&self.tmux(&["capture-pane", "-p", "-e"]).stdout).into_owned()
    }

    /// Waits until `shows` likes the screen; gives it.
    pub fn wait(&self, what: &str, shows: impl Fn(&str) -> bool) -> String {
        for _ in 0..LOOKS {
            let screen = self.screen();
            if shows(&screen) {
                return screen;
            }
            std::thread::park_timeout(PAUSE);
        }
        panic!("the screen never shows {what}:\n{}", self.screen());
    }

    /// Waits until the screen has `text`.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait(text, |screen| screen.contains(text))
    }

    /// Waits until the last line is an empty prompt.
    pub fn wait_for_prompt(&self) -> String {
        self.wait_for_answer("")
    }

    /// Waits until the screen has `text`, and its last line is an empty prompt.
    pub fn wait_for_answer(&self, text: &str) -> String {
        let has_prompt = |screen: &str| screen.lines().last().is_some_and(|line| line.trim_end() == "levada>");
        self.wait(&format!("{text} and an empty prompt"), |screen| screen.contains(text) && has_prompt(screen))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(Command::new("tmux").args(["-L", &self.socket, "kill-server"]).output());
    }
}
