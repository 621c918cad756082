//! What the author of a wrong text may have meant.

use super::super::error::Expected;
use super::super::keyword::Keyword;
use super::super::lexer::{Symbol, TokenKind};
use super::super::nearest::nearest;
use super::foreign::{self, Words};
use super::{Parser, is_identifier};

/// The words that begin statements.
pub(super) const FIRST_WORDS: [&str; 19] = [
    "SELECT",
    "CREATE",
    "INSERT",
    "DESCRIBE",
    "PRINT",
    "EXPLAIN",
    "SHOW",
    "LIST",
    "TERMINATE",
    "PAUSE",
    "RESUME",
    "DROP",
    "SET",
    "DEFINE",
    "UNDEFINE",
    "UNSET",
    "ASSERT",
    "ALTER",
    "DIAGNOSE",
];

/// The words for units of time.
const UNITS: [&str; 10] =
    ["MILLISECOND", "MILLISECONDS", "SECOND", "SECONDS", "MINUTE", "MINUTES", "HOUR", "HOURS", "DAY", "DAYS"];

/// The clauses of SELECT in their order.
const CLAUSES: [Keyword; 9] = [
    Keyword::From,
    Keyword::Join,
    Keyword::Window,
    Keyword::Where,
    Keyword::Group,
    Keyword::Partition,
    Keyword::Having,
    Keyword::Emit,
    Keyword::Limit,
];

/// Longer tokens are not words of any language.
const WORD_BYTES_MAX: usize = 32;

impl Parser<'_> {
    /// What to write instead of the token looked at, where only one of `expected` fits.
    pub(super) fn hint(&self, expected: &[Expected]) -> Option<String> {
        let fixed = self.odd_character().or_else(|| self.foreign(expected));
        let fixed = fixed.or_else(|| self.frequent_mistake(expected)).map(str::to_owned);
        let hint = fixed.or_else(|| self.misspelt(expected));
        let hint = hint.or_else(|| self.clause_order().map(str::to_owned));
        hint.or_else(|| self.reserved(expected).map(str::to_owned))
    }

    /// What to write instead of the word looked at, which begins no statement.
    pub(super) fn statement_hint(&self) -> Option<&'static str> {
        if self.at_symbol(Symbol::Semicolon) {
            return Some("there is no statement before this ';'");
        }
        let hint = self.odd_character();
        let before = self.index.checked_sub(1).map(|index| self.word_at(index)).unwrap_or_default();
        hint.or_else(|| foreign::statement([&before, &self.word_at(self.index), &self.word_at(self.index + 1)]))
    }

    /// Characters that look like others.
    fn odd_character(&self) -> Option<&'static str> {
        if self.kind() == TokenKind::Unterminated {
            return Some("a quote or comment opens here and is never closed");
        }
        if self.kind() != TokenKind::Unknown {
            return None;
        }
        match self.text().chars().next()? {
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => {
                Some("this is a special kind of blank, perhaps from a web page; write a usual one")
            }
            '\u{200b}'..='\u{200d}' | '\u{feff}' => Some("an invisible character stands here; delete it"),
            '‘' | '’' | '‚' | '“' | '”' | '„' | '«' | '»' => {
                Some("these are typographic quotes; texts stand in 'straight single quotes'")
            }
            '–' | '—' | '−' => Some("this is a dash; write a minus, '-'"),
            '\\' => Some("a statement goes on over lines by itself; leave the '\\' out"),
            character if character.is_alphabetic() => {
                Some("names with other letters than A to Z stand in `back-ticks`")
            }
            _ => None,
        }
    }

    /// What other dialects of SQL have and this one has not.
    fn foreign(&self, expected: &[Expected]) -> Option<&'static str> {
        let index = self.index;
        let before = |count: usize| index.checked_sub(count).map(|index| self.word_at(index)).unwrap_or_default();
        let words = [before(2), before(1), self.word_at(index), self.word_at(index + 1)];
        let words: Words<'_> = [&words[0], &words[1], &words[2], &words[3]];
        let hint = if self.is_create_function() { foreign::function(words) } else { None };
        let clause = || {
            foreign::clause(words)
                .and_then(|hint| if self.is_read { foreign::in_read(hint, words[2]) } else { Some(hint) })
        };
        let hint = hint.or_else(clause).or_else(|| foreign::object(words));
        let hint = hint
            .or_else(|| if self.word_at(self.first_of_statement()) == "ALTER" { foreign::change(words) } else { None });
        let hint =
            hint.or_else(|| if expected.contains(&Expected::Token("ON")) { self.join_without_on() } else { None });
        hint.or_else(|| if self.in_column_list(expected) { foreign::constraint(words[2]) } else { None })
    }

    /// `NATURAL` or `CROSS` before a JOIN is read as an alias, until ON is missing.
    fn join_without_on(&self) -> Option<&'static str> {
        let before = &self.tokens[..self.index];
        let join = before.iter().rposition(|token| token.kind == TokenKind::Keyword(Keyword::Join))?;
        Some(foreign::join(&self.word_at(join.checked_sub(1)?)))
    }

    /// Whether a definition of a column goes on here or ends.
    fn in_column_list(&self, expected: &[Expected]) -> bool {
        expected.contains(&Expected::Token("HEADERS")) || self.begins_column_list_item(expected)
    }

    fn begins_column_list_item(&self, expected: &[Expected]) -> bool {
        let previous = self.word_at(self.index.saturating_sub(1));
        expected.contains(&Expected::Any("a type")) || (previous == "," && expected.contains(&Expected::Any("a name")))
    }

    /// Mistakes that need no knowledge of other dialects.
    fn frequent_mistake(&self, expected: &[Expected]) -> Option<&'static str> {
        let previous = self.word_at(self.index.saturating_sub(1));
        let wants = |item: Expected| expected.contains(&item);
        match self.kind() {
            _ if self.follows_variable() => Some("a variable stands for a whole name or literal, or inside a 'text'"),
            TokenKind::DoubleQuoted if wants(Expected::Any("a literal")) || wants(Expected::Kind("STRING")) => {
                Some("texts stand in 'single quotes'; \"double quotes\" make a name")
            }
            TokenKind::Symbol(Symbol::Comma) if expected == [Expected::Token(";")] && previous == ")" => {
                Some("INSERT takes one row of values; write one statement for each row")
            }
            TokenKind::Symbol(Symbol::Comma) if wants(Expected::Token("JOIN")) => {
                Some("FROM takes one stream or table; join others with JOIN … ON a.x = b.x")
            }
            TokenKind::Symbol(Symbol::CloseParenthesis) if self.is_decimal_of_one_number() => {
                Some("DECIMAL takes its digits and how many of them follow the point: DECIMAL(10, 2)")
            }
            TokenKind::Symbol(Symbol::CloseParenthesis) if previous == "," => {
                Some("something is missing between ',' and ')', or the ',' is one too many")
            }
            TokenKind::Keyword(Keyword::From) if previous == "," => {
                Some("something is missing between ',' and FROM, or the ',' is one too many")
            }
            TokenKind::Keyword(Keyword::Select) if wants(Expected::Token("AS")) && wants(Expected::Token(";")) => {
                Some("AS is missing before SELECT")
            }
            TokenKind::Keyword(Keyword::As) if self.is_create_with_columns() => {
                Some("CREATE … AS SELECT lists no columns: they come from the SELECT, and WITH stands before AS")
            }
            TokenKind::Keyword(Keyword::With) if self.has_before(Keyword::As) && wants(Expected::Token(";")) => {
                Some("WITH (…) stands before AS SELECT")
            }
            TokenKind::Keyword(Keyword::Select) if wants(Expected::Token("VALUES")) && previous == ")" => {
                Some("INSERT INTO … SELECT lists no columns: the SELECT gives all of them, by their names")
            }
            TokenKind::Symbol(Symbol::Minus | Symbol::Dot) if self.is_topic_name() => {
                Some("a topic's name with '-' or '.' stands in 'single quotes'")
            }
            TokenKind::Keyword(_)
                if wants(Expected::Token(";")) && FIRST_WORDS.contains(&&*self.word_at(self.index)) =>
            {
                Some("the statement before this word ends with ';'")
            }
            TokenKind::Symbol(Symbol::Semicolon) | TokenKind::End if wants(Expected::Token("FROM")) => {
                Some("a query reads a stream or table: SELECT … FROM name")
            }
            _ => None,
        }
    }

    /// Whether a `${name}` ends right before the token looked at.
    fn follows_variable(&self) -> bool {
        let previous = self.index.checked_sub(1).map(|index| self.tokens[index]);
        previous.is_some_and(|token| {
            token.kind == TokenKind::Variable && token.span.offset + token.span.length == self.span().offset
        }) && is_identifier(self.kind())
    }

    /// Whether the statement is a CREATE whose columns are listed.
    fn is_create_with_columns(&self) -> bool {
        let first = self.first_of_statement();
        self.tokens[first].kind == TokenKind::Keyword(Keyword::Create)
            && self.tokens[first..self.index]
                .iter()
                .any(|token| token.kind == TokenKind::Symbol(Symbol::OpenParenthesis))
    }

    /// Whether the statement is a CREATE FUNCTION.
    fn is_create_function(&self) -> bool {
        let first = self.first_of_statement();
        self.tokens[first].kind == TokenKind::Keyword(Keyword::Create) && self.has_before(Keyword::Function)
    }

    /// `DECIMAL(4` stands before.
    fn is_decimal_of_one_number(&self) -> bool {
        let name = self.index.checked_sub(3).map(|index| self.word_at(index));
        name.is_some_and(|name| name == "DECIMAL" || name == "DEC")
    }

    fn is_topic_name(&self) -> bool {
        let previous = self.index.checked_sub(2).map(|index| self.tokens[index].kind);
        matches!(previous, Some(TokenKind::Keyword(Keyword::Print | Keyword::Topic | Keyword::Subject)))
    }

    /// Whether the statement has this word already.
    fn has_before(&self, keyword: Keyword) -> bool {
        let before = &self.tokens[self.first_of_statement()..self.index];
        before.iter().any(|token| token.kind == TokenKind::Keyword(keyword))
    }

    /// A slip of one of the expected words, here or in the name before.
    fn misspelt(&self, expected: &[Expected]) -> Option<String> {
        let words = expected.iter().filter_map(|expected| match expected {
            Expected::Token(word) if word.starts_with(|c: char| c.is_ascii_alphabetic()) => Some(*word),
            _ => None,
        });
        let units = UNITS.iter().copied().filter(|_| expected.contains(&Expected::Any("a unit of time")));
        let words: Vec<&str> = words.chain(units).collect();
        let near = |index: usize| nearest(&self.word_at(index), words.iter().copied());
        if let Some(word) = near(self.index) {
            return Some(format!("did you mean {word}?"));
        }
        let previous = self.index.checked_sub(1)?;
        if self.tokens[previous].kind != TokenKind::Word {
            return None;
        }
        near(previous)
            .map(|word| format!("did you mean {word} instead of '{}'?", self.tokens[previous].text(self.source)))
    }

    /// A clause that stands behind one that it should stand before.
    fn clause_order(&self) -> Option<&'static str> {
        let TokenKind::Keyword(found) = self.kind() else {
            return None;
        };
        let place = CLAUSES.iter().position(|clause| *clause == found)?;
        let later = CLAUSES[place..].iter().any(|clause| self.has_before(*clause));
        later.then_some(
            "the clauses of SELECT stand once each and in this order: \
             FROM, JOIN … ON, WINDOW, WHERE, GROUP BY, PARTITION BY, HAVING, EMIT, LIMIT",
        )
    }

    /// A word of the language where a name should be.
    fn reserved(&self, expected: &[Expected]) -> Option<&'static str> {
        let TokenKind::Keyword(keyword) = self.kind() else {
            return None;
        };
        let wants_name = expected.contains(&Expected::Any("a name"));
        let is_meant = !keyword.is_name() && (wants_name || self.at_reserved_column());
        is_meant.then_some("this word is reserved; write it in `back-ticks` to use it as a name")
    }

    /// Whether a reserved word seems to be meant as a column: something follows that follows columns.
    fn at_reserved_column(&self) -> bool {
        let follows_columns = matches!(
            self.kind_ahead(1),
            TokenKind::Keyword(Keyword::From | Keyword::As)
                | TokenKind::Symbol(Symbol::Comma | Symbol::CloseParenthesis | Symbol::Equal)
        );
        follows_columns && !self.keyword_ahead(0, Keyword::From)
    }

    /// The first token of the statement that is being read.
    fn first_of_statement(&self) -> usize {
        let before = &self.tokens[..self.index];
        let end = before.iter().rposition(|token| token.kind == TokenKind::Symbol(Symbol::Semicolon));
        end.map_or(0, |end| end + 1)
    }

    /// A token in capitals; quoted ones keep their quotes, and what is too long for a word is empty.
    fn word_at(&self, index: usize) -> String {
        let text = self.tokens.get(index).map_or("", |token| token.text(self.source));
        if text.len() > WORD_BYTES_MAX { String::new() } else { text.to_ascii_uppercase() }
    }
}
