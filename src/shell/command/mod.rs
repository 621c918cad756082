//! Commands of the shell itself, which the engine does not see.

mod help;

#[cfg(test)]
mod tests;

use clap::ValueEnum as _;

use super::OutputFormat;

pub(super) use help::HELP;

/// A command of the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Leave the shell.
    Exit,
    /// Explain the shell.
    Help,
    /// Clear the terminal.
    Clear,
    /// Show the form of results, or change it.
    Output(Option<OutputFormat>),
    /// Rows one below the other, or side by side; the other way round where it is not said.
    Expanded(Option<bool>),
    /// Say how long statements take, or not.
    Timing(Option<bool>),
    /// Run the last statement again every so many milliseconds.
    Watch(u64),
    /// Run the statements of a file.
    RunScript(String),
    /// Short for statements.
    Statements(String),
    /// Functions with a name like this.
    Functions(String),
    /// What was typed before.
    History,
    /// Versions of the shell and of the server.
    Version,
    /// Show the server, or ask another one.
    Server(Option<String>),
    /// Whether statements wait for those before them.
    Pipelining(Option<bool>),
    /// Copy the session into a file, or no longer.
    Spool(Option<String>),
    /// The pager.
    Pager(Paging),
    /// Keys of the line editor.
    Keys(Keys),
    /// Whether wide values go on in the next line.
    Wrap(bool),
    /// Characters of each column; `None` for what the content needs.
    ColumnWidth(Option<u16>),
    /// Draw a query or statement, into a file or on the terminal.
    Visualise {
        /// Id or statement; `None` for all queries.
        what: Option<String>,
        /// A path that ends with `.svg` or `.dot`.
        file: Option<String>,
    },
    /// Follow queries until they have caught up.
    Progress,
    /// A command with arguments that it does not take; what it takes.
    Misused(&'static str),
    /// Something with a back-slash that is none of [`BACKSLASHES`], or not with what follows it.
    Unknown,
}

/// What to do about the pager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Paging {
    /// Use it, or the other way round where it is not said.
    Switch(Option<bool>),
    /// Use another one.
    Command(String),
}

/// Keys of the line editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Keys {
    /// As in Emacs
    #[default]
    Emacs,
    /// As in vi
    Vi,
}

/// Commands that only make sense with one of these words, and say so.
const FORMS: &str = "output table|expanded|json|json-array|csv";
const SWITCHES: [(&str, &str); 5] = [
    ("\\timing", "\\timing on|off"),
    ("\\x", "\\x on|off"),
    ("request-pipelining", "request-pipelining on|off"),
    ("request_pipelining", "request-pipelining on|off"),
    ("\\pager", "\\pager on|off|COMMAND"),
];
/// Commands that begin with a back-slash.
pub(in crate::shell) const BACKSLASHES: [&str; 19] = [
    "\\?",
    "\\c",
    "\\d",
    "\\df",
    "\\dk",
    "\\dq",
    "\\ds",
    "\\dt",
    "\\format",
    "\\h",
    "\\i",
    "\\keys",
    "\\pager",
    "\\progress",
    "\\q",
    "\\timing",
    "\\viz",
    "\\watch",
    "\\x",
];
/// Seconds between two runs of `\watch` that does not say.
const WATCH_MS: u64 = 2_000;

impl Command {
    /// Reads `line`, with or without `;`; `None` when it is no command but (the beginning of) a statement.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let line = line.trim().trim_end_matches(';').trim_end();
        let mut words = line.split_whitespace();
        let first = words.next()?.to_ascii_lowercase();
        let rest: Vec<&str> = words.collect();
        let after = line[line.find(char::is_whitespace).unwrap_or(line.len())..].trim();
        if let Some((_, usage)) = SWITCHES.iter().find(|(name, _)| *name == first) {
            return Some(switch(&first, after).unwrap_or(Self::Misused(usage)));
        }
        Some(match (first.as_str(), rest.as_slice()) {
            ("exit" | "quit" | "\\q", []) => Self::Exit,
            ("help" | "\\?" | "\\h", _) => Self::Help,
            ("clear", []) => Self::Clear,
            ("history", []) => Self::History,
            ("version", []) => Self::Version,
            ("server" | "\\c", []) => Self::Server(None),
            ("server" | "\\c", [url]) => Self::Server(Some(unquoted(url))),
            ("output" | "\\format", []) => Self::Output(None),
            ("output" | "\\format", [form]) => parse_output(form),
            ("spool", [off]) if off.eq_ignore_ascii_case("off") => Self::Spool(None),
            ("spool", [_, ..]) => Self::Spool(Some(unquoted(after))),
            ("spool", []) => Self::Misused("spool 'file'|off"),
            ("run", [script, ..]) if script.eq_ignore_ascii_case("script") => parse_run_script(line),
            ("\\i", [_, ..]) => Self::RunScript(unquoted(after)),
            ("set", [cli, ..]) if cli.eq_ignore_ascii_case("cli") => parse_set_cli(&rest[1..]),
            ("\\d", []) => Self::Statements("SHOW STREAMS; SHOW TABLES;".to_owned()),
            // A name in quotes may hold blanks.
            ("\\d", [_, ..]) => Self::Statements(format!("DESCRIBE {after};")),
            ("\\ds", []) => Self::Statements("SHOW STREAMS;".to_owned()),
            ("\\dt", []) => Self::Statements("SHOW TABLES;".to_owned()),
            ("\\dk", []) => Self::Statements("SHOW TOPICS;".to_owned()),
            ("\\df", []) => Self::Statements("SHOW FUNCTIONS;".to_owned()),
            ("\\df", [name]) => Self::Functions((*name).to_owned()),
            ("\\dq", []) => Self::Statements("SHOW QUERIES;".to_owned()),
            ("\\dq", [id]) => Self::Statements(format!("EXPLAIN {id};")),
            ("\\watch", []) => Self::Watch(WATCH_MS),
            ("\\watch", [seconds]) => parse_watch(seconds),
            ("\\keys", [keys]) => Keys::from_str(keys, true).map_or(Self::Misused("\\keys vi|emacs"), Self::Keys),
            ("\\viz", _) => parse_visualise(after),
            ("\\progress", []) => Self::Progress,
            (word, _) if word.starts_with('\\') => Self::Unknown,
            _ => return None,
        })
    }
}

/// A command that is on or off.
fn switch(name: &str, after: &str) -> Option<Command> {
    let on = match after.to_ascii_lowercase().as_str() {
        "" => Some(None),
        "on" => Some(Some(true)),
        "off" => Some(Some(false)),
        _ => None,
    };
    Some(match name {
        "\\pager" => Command::Pager(on.map_or_else(|| Paging::Command(unquoted(after)), Paging::Switch)),
        "\\timing" => Command::Timing(on?),
        "\\x" => Command::Expanded(on?),
        _ => Command::Pipelining(on?),
    })
}

/// `TABULAR` is what ksqlDB calls `table`.
fn parse_output(form: &str) -> Command {
    match OutputFormat::from_str(&unquoted(form), true) {
        Ok(format) => Command::Output(Some(format)),
        Err(_) => Command::Misused(FORMS),
    }
}

/// The path is what follows `run script`, in quotes or not.
fn parse_run_script(line: &str) -> Command {
    let mut parts = line.splitn(2, |c: char| c.is_whitespace());
    let after_run = parts.nth(1).unwrap_or_default().trim_start();
    match unquoted(after_run["script".len()..].trim()) {
        path if path.is_empty() => Command::Misused("run script 'file.sql'"),
        path => Command::RunScript(path),
    }
}

fn parse_watch(seconds: &str) -> Command {
    match seconds.parse::<f64>() {
        Ok(seconds) if (0.01..=86_400.0).contains(&seconds) => Command::Watch((seconds * 1000.0) as u64),
        _ => Command::Misused("\\watch SECONDS"),
    }
}

fn parse_set_cli(words: &[&str]) -> Command {
    let lower: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    match lower.as_slice() {
        ["wrap", "on"] => Command::Wrap(true),
        ["wrap", "off"] => Command::Wrap(false),
        ["column-width", width] => match width.parse::<u16>() {
            Ok(0) => Command::ColumnWidth(None),
            Ok(width) => Command::ColumnWidth(Some(width)),
            Err(_) => Command::Misused("set cli column-width N; 0 for what the content needs"),
        },
        _ => Command::Misused("set cli wrap on|off, set cli column-width N"),
    }
}

/// What is drawn, and the file behind the last `>` if it is that of a picture.
fn parse_visualise(after: &str) -> Command {
    let is_picture = |path: &str| [".svg", ".dot"].iter().any(|end| path.to_ascii_lowercase().ends_with(end));
    match after.rsplit_once('>').map(|(what, file)| (what.trim(), unquoted(file.trim()))) {
        Some((what, file)) if is_picture(&file) => Command::Visualise { what: named(what), file: Some(file) },
        _ => Command::Visualise { what: named(after), file: None },
    }
}

fn named(what: &str) -> Option<String> {
    (!what.is_empty()).then(|| what.to_owned())
}

fn unquoted(text: &str) -> String {
    text.trim_matches('\'').to_owned()
}
