//! Text as it arrives, cut into statements and commands.

use std::collections::VecDeque;
use std::ops::Range;

use super::command::Command;
use crate::sql::{Splitter, without_continuations};

/// The next thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A statement and where it begins.
    Statement(Statement),
    /// A command of the shell, and the line that it stands in.
    Command(Command, Statement),
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
    splitter: Splitter,
    /// Complete statements in `pending`.
    pieces: VecDeque<Range<usize>>,
    /// Bytes of `pending` that are taken, and where in the whole input the next one stands.
    taken: usize,
    line: usize,
    column: usize,
}

impl Input {
    pub(super) fn new() -> Self {
        let splitter = Splitter::default();
        Self { pending: String::new(), splitter, pieces: VecDeque::new(), taken: 0, line: 1, column: 1 }
    }

    /// Adds text to the end.
    pub(super) fn push(&mut self, text: &str) {
        self.forget_taken();
        self.pending.push_str(text);
        self.split();
    }

    /// Whether nothing has begun: the next line may be a command.
    pub(super) fn is_blank(&self) -> bool {
        self.pieces.is_empty() && self.splitter.rest(&self.pending).is_none()
    }

    /// Takes the next complete statement or command; `None` when more text is needed.
    pub(super) fn next(&mut self) -> Option<Item> {
        let complete = self.pieces.front().cloned();
        let start = complete.as_ref().map(|piece| piece.start).or_else(|| self.rest_start())?;
        let rest = &self.pending[start..];
        let line_length = rest.find(['\n', ';']).map_or(rest.len(), |end| end + 1);
        if let Some(command) = Command::parse(&rest[..line_length]) {
            let line = self.take(start..start + line_length);
            self.cut_anew();
            return Some(Item::Command(command, line));
        }
        complete.map(|piece| Item::Statement(self.take(piece)))
    }

    /// Takes what is left at the end of the text, as a statement whose `;` was forgotten.
    pub(super) fn finish(&mut self) -> Option<Item> {
        let piece = self.splitter.rest(&self.pending)?;
        self.splitter = Splitter::default();
        let mut statement = self.take(piece);
        self.pending.clear();
        self.taken = 0;
        // On a line of its own: the text may end in a comment.
        statement.text.push_str("\n;");
        Some(Item::Statement(statement))
    }

    /// Where the statement begins that is not complete.
    fn rest_start(&self) -> Option<usize> {
        self.splitter.rest(&self.pending).map(|rest| rest.start)
    }

    fn take(&mut self, piece: Range<usize>) -> Statement {
        self.pieces.pop_front();
        self.advance(piece.start);
        let (line, column) = (self.line, self.column);
        self.advance(piece.end);
        Statement { text: without_continuations(&self.pending[piece]).into_owned(), line, column }
    }

    /// Finds the pieces of what has arrived. A `;` without a statement is none.
    fn split(&mut self) {
        let pieces = self.splitter.read(&self.pending).into_iter();
        self.pieces.extend(pieces.filter(|piece| piece.len() > 1));
    }

    /// Cuts what follows a command: so far it was cut as if the command were part of a statement.
    fn cut_anew(&mut self) {
        self.pending.drain(..self.taken);
        self.taken = 0;
        self.splitter = Splitter::default();
        self.pieces.clear();
        self.split();
    }

    /// Lets go of what is taken.
    fn forget_taken(&mut self) {
        self.pending.drain(..self.taken);
        self.splitter.forget(self.taken);
        for piece in &mut self.pieces {
            *piece = piece.start - self.taken..piece.end - self.taken;
        }
        self.taken = 0;
    }

    fn advance(&mut self, to: usize) {
        let text = &self.pending[self.taken..to];
        self.line += text.matches('\n').count();
        self.column = match text.rfind('\n') {
            Some(end) => text[end + 1..].chars().count() + 1,
            None => self.column + text.chars().count(),
        };
        self.taken = to;
    }
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
            Item::Command(command, place) => format!("{}:{} {command:?}", place.line, place.column),
        }
    }

    #[test]
    fn statements_end_at_semicolons() {
        check("A; B ;\n  C\nD;\n", &["1:1 A;", "1:4 B ;", "2:3 C\nD;"]);
        check(";; A;;", &["1:4 A;"]);
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
        check("A;\nexit\n", &["1:1 A;", "2:1 Exit"]);
        check("output json; A;", &["1:1 Output(Some(Json))", "1:14 A;"]);
        check("A\nexit\n;", &["1:1 A\nexit\n;"]);
        check("run script 'a b.sql';\nA;", &["1:1 RunScript(\"a b.sql\")", "2:1 A;"]);
    }

    #[test]
    fn a_backslash_says_that_a_statement_goes_on() {
        check("A \\\n  B;\nC;", &["1:1 A  \n  B;", "3:1 C;"]);
        check("\\\nexit\n", &["2:1 Exit"]);
        check("\\d x\n", &["1:1 Statements(\"DESCRIBE x;\")"]);
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
