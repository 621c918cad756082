//! Commands of the shell itself, which the engine does not see.

use clap::ValueEnum as _;

use super::OutputFormat;

/// What `help` shows.
pub(super) const HELP: &str = "\
Statements end with ; and may span lines. Some to begin with:
  SHOW STREAMS;  SHOW TABLES;  SHOW TOPICS;  SHOW QUERIES;
  DESCRIBE flights;                        columns of a stream or table
  PRINT 'flights' FROM BEGINNING LIMIT 3;  records of a topic, as they stand in it
  SELECT * FROM delays WHERE carrier = 'UA';   the current row of a table
  SET 'auto.offset.reset' = 'earliest';    queries after this read from the beginning
  SELECT * FROM flights EMIT CHANGES LIMIT 5;
  SELECT * FROM flights EMIT CHANGES;      rows as they come; Ctrl-C stops the query

Commands, without ;
  output table|json|csv    form of the results
  run script 'file.sql'    run the statements of a file
  \\d [name]                streams and tables, or the columns of one
  clear                    clear the terminal
  help, exit               \\? and \\q for short; Ctrl-D exits too
";

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
    /// Run the statements of a file.
    RunScript(String),
    /// Short for statements.
    Statements(String),
    /// A command with arguments that it does not take; what it takes.
    Misused(&'static str),
}

impl Command {
    /// Reads `line`, with or without `;`; `None` when it is no command but (the beginning of) a statement.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let line = line.trim().trim_end_matches(';').trim_end();
        let mut words = line.split_whitespace();
        let first = words.next()?.to_ascii_lowercase();
        let rest: Vec<&str> = words.collect();
        match (first.as_str(), rest.as_slice()) {
            ("exit" | "quit" | "\\q", []) => Some(Self::Exit),
            ("help" | "\\?" | "\\h", _) => Some(Self::Help),
            ("clear", []) => Some(Self::Clear),
            ("output", []) => Some(Self::Output(None)),
            ("output", [form]) => Some(parse_output(form)),
            ("run", [script, ..]) if script.eq_ignore_ascii_case("script") => Some(parse_run_script(line)),
            ("\\d", []) => Some(Self::Statements("SHOW STREAMS; SHOW TABLES;".to_owned())),
            ("\\d", [name]) => Some(Self::Statements(format!("DESCRIBE {name};"))),
            (word, _) if word.starts_with('\\') => Some(Self::Misused("\\d [name], \\?, \\q")),
            _ => None,
        }
    }
}

/// `TABULAR` is what ksqlDB calls `table`.
fn parse_output(form: &str) -> Command {
    let form = if form.eq_ignore_ascii_case("tabular") { "table" } else { form };
    match OutputFormat::from_str(form.trim_matches('\''), true) {
        Ok(format) => Command::Output(Some(format)),
        Err(_) => Command::Misused("output table|json|csv"),
    }
}

/// The path is what follows `run script`, in quotes or not.
fn parse_run_script(line: &str) -> Command {
    let mut parts = line.splitn(2, |c: char| c.is_whitespace());
    let after_run = parts.nth(1).unwrap_or_default().trim_start();
    let path = after_run["script".len()..].trim();
    match path.trim_matches('\'') {
        "" => Command::Misused("run script 'file.sql'"),
        path => Command::RunScript(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &Command) {
        assert_eq!(Command::parse(line).as_ref(), Some(expected), "{line}");
    }

    #[test]
    fn reads_commands_in_any_case_with_or_without_semicolon() {
        check("exit", &Command::Exit);
        check("  QUIT ; ", &Command::Exit);
        check("\\q", &Command::Exit);
        check("help", &Command::Help);
        check("output", &Command::Output(None));
        check("OUTPUT TABULAR", &Command::Output(Some(OutputFormat::Table)));
        check("output 'json';", &Command::Output(Some(OutputFormat::Json)));
        check("\\d flights", &Command::Statements("DESCRIBE flights;".into()));
    }

    #[test]
    fn paths_may_hold_blanks_and_keep_their_case() {
        check("RUN  SCRIPT 'My files/a.sql';", &Command::RunScript("My files/a.sql".into()));
        check("run script a.sql", &Command::RunScript("a.sql".into()));
    }

    #[test]
    fn misused_commands_say_what_they_take() {
        check("output xml", &Command::Misused("output table|json|csv"));
        check("run script", &Command::Misused("run script 'file.sql'"));
        check("\\watch", &Command::Misused("\\d [name], \\?, \\q"));
    }

    #[test]
    fn statements_are_no_commands() {
        for line in ["", "SHOW STREAMS;", "SELECT exit FROM s;", "clear the way", "exit early"] {
            assert_eq!(Command::parse(line), None, "{line}");
        }
    }
}
