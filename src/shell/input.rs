//! Text as it arrives, cut into statements and commands.

use super::command::Command;

/// The next thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A statement and where it begins.
    Statement(Statement),
    /// A command of the shell.
    Command(Command),
}

/// A statement with its `;`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// Its text.
    pub text: String,
    /// Line of its first character in the whole input, from 1.
    pub line: usize,
    /// Column of its first character, from 1.
    pub column: usize,
}

/// Text that has arrived and is not taken yet.
#[derive(Debug)]
pub(super) struct Input {
    pending: String,
    /// Bytes of `pending` that are taken.
    taken: usize,
    line: usize,
    column: usize,
}

impl Input {
    pub(super) fn new() -> Self {
        Self { pending: String::new(), taken: 0, line: 1, column: 1 }
    }

    /// Adds text to the end.
    pub(super) fn push(&mut self, text: &str) {
        self.pending.drain(..self.taken);
        self.taken = 0;
        self.pending.push_str(text);
    }

    /// Whether nothing has begun: the next line may be a command.
    pub(super) fn is_blank(&self) -> bool {
        self.rest()[blank_length(self.rest())..].is_empty()
    }

    /// Takes the next complete statement or command; `None` when more text is needed.
    pub(super) fn next(&mut self) -> Option<Item> {
        self.take(blank_length(self.rest()));
        let rest = self.rest();
        let line_length = rest.find(['\n', ';']).map_or(rest.len(), |end| end + 1);
        if let Some(command) = Command::parse(&rest[..line_length]) {
            self.take(line_length);
            return Some(Item::Command(command));
        }
        let length = statement_length(rest)?;
        Some(Item::Statement(self.take_statement(length)))
    }

    /// Takes what is left at the end of the text, as a statement whose `;` was forgotten.
    pub(super) fn finish(&mut self) -> Option<Item> {
        self.take(blank_length(self.rest()));
        if self.rest().is_empty() {
            return None;
        }
        let mut statement = self.take_statement(self.rest().len());
        // On a line of its own: the text may end in a comment.
        statement.text.push_str("\n;");
        Some(Item::Statement(statement))
    }

    fn rest(&self) -> &str {
        &self.pending[self.taken..]
    }

    fn take_statement(&mut self, length: usize) -> Statement {
        let statement = Statement { text: self.rest()[..length].to_owned(), line: self.line, column: self.column };
        self.take(length);
        statement
    }

    fn take(&mut self, length: usize) {
        let text = &self.pending[self.taken..self.taken + length];
        self.line += text.matches('\n').count();
        self.column = match text.rfind('\n') {
            Some(end) => text[end + 1..].chars().count() + 1,
            None => self.column + text.chars().count(),
        };
        self.taken += length;
    }
}

/// Length of the white space and comments that `text` begins with. A comment that is not closed is not one.
fn blank_length(text: &str) -> usize {
    let mut length = 0;
    loop {
        let rest = &text[length..];
        let white = rest.len() - rest.trim_start().len();
        length += white;
        match comment_length(&text[length..]) {
            Some(comment) => length += comment,
            None => return length,
        }
    }
}

/// Length of the statement that `text` begins with, up to its `;`; `None` when that is still to come.
fn statement_length(text: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find([';', '\'', '"', '`', '-', '/']) {
        at += found;
        let rest = &text[at..];
        at += match rest.as_bytes()[0] {
            b';' => return Some(at + 1),
            // A doubled quote inside quotes closes and opens them again: the end is found all the same.
            quote @ (b'\'' | b'"' | b'`') => rest[1..].find(char::from(quote))? + 2,
            _ if rest.starts_with("/*") => comment_length(rest)?,
            _ => comment_length(rest).unwrap_or(1),
        };
    }
    None
}

/// Length of the comment that `text` begins with, if it does and the comment is complete.
fn comment_length(text: &str) -> Option<usize> {
    if text.starts_with("--") {
        return Some(text.find('\n').map_or(text.len(), |end| end + 1));
    }
    let inner = text.strip_prefix("/*")?;
    inner.find("*/").map(|end| end + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is taken from `text`, arriving as a whole and arriving line by line.
    fn check(text: &str, expected: &[&str]) {
        let mut whole = Input::new();
        whole.push(text);
        let mut lines = Input::new();
        let mut by_line = Vec::new();
        for line in text.split_inclusive('\n') {
            lines.push(line);
            by_line.extend(std::iter::from_fn(|| lines.next()));
        }
        let mut at_once: Vec<Item> = std::iter::from_fn(|| whole.next()).collect();
        at_once.extend(whole.finish());
        by_line.extend(lines.finish());
        assert_eq!(at_once, by_line, "where lines end does not matter");
        let shown: Vec<String> = at_once.iter().map(show).collect();
        assert_eq!(shown, expected, "{text}");
    }

    fn show(item: &Item) -> String {
        match item {
            Item::Statement(statement) => format!("{}:{} {}", statement.line, statement.column, statement.text),
            Item::Command(command) => format!("{command:?}"),
        }
    }

    #[test]
    fn statements_end_at_semicolons() {
        check("A; B ;\n  C\nD;\n", &["1:1 A;", "1:4 B ;", "2:3 C\nD;"]);
        check("", &[]);
        check(" \n ", &[]);
    }

    #[test]
    fn semicolons_in_quotes_and_comments_do_not_count() {
        check("A 'x;''y;' B; C", &["1:1 A 'x;''y;' B;", "1:15 C\n;"]);
        check("A \"x;\" `y;`;", &["1:1 A \"x;\" `y;`;"]);
        check("A -- x;\n'y';", &["1:1 A -- x;\n'y';"]);
        check("A /* x;\n; */ - 1 / 2;", &["1:1 A /* x;\n; */ - 1 / 2;"]);
    }

    #[test]
    fn comments_between_statements_are_passed_over() {
        check("-- first;\nA;\n/* second; */ B; -- end", &["2:1 A;", "3:15 B;"]);
    }

    #[test]
    fn commands_stand_where_a_statement_could_begin() {
        check("A;\nexit\n", &["1:1 A;", "Exit"]);
        check("output json; A;", &["Output(Some(Json))", "1:14 A;"]);
        check("A\nexit\n;", &["1:1 A\nexit\n;"]);
        check("run script 'a b.sql';\nA;", &["RunScript(\"a b.sql\")", "2:1 A;"]);
    }

    #[test]
    fn columns_count_characters() {
        check("SELECT 'é東'; B;", &["1:1 SELECT 'é東';", "1:14 B;"]);
    }

    #[test]
    fn open_quotes_and_comments_wait_for_more() {
        let mut input = Input::new();
        input.push("A 'x;\n");
        assert_eq!(input.next(), None);
        assert!(!input.is_blank());
        input.push("';\n");
        assert!(input.next().is_some());
        assert!(input.is_blank());
        input.push("/* x;\n");
        assert_eq!(input.next(), None);
        assert!(!input.is_blank());
    }

    #[test]
    fn the_last_semicolon_may_be_missing() {
        check("SHOW STREAMS -- all", &["1:1 SHOW STREAMS -- all\n;"]);
    }
}
