//! Text to tokens.
//!
//! Every token knows its line and column, so that no later step has to count. White space and comments (`-- …`,
//! `/* … */`) separate tokens and are dropped. The lexer never fails: what it cannot read becomes a token that no
//! rule accepts, and the parser reports it in its place.

use super::keyword::Keyword;
use super::span::Span;

/// The kind of a token. Its text is the slice of the source that its span covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A word of the language.
    Keyword(Keyword),
    /// A name without quotes.
    Word,
    /// A name that begins with a digit.
    DigitWord,
    /// `"name"`.
    DoubleQuoted,
    /// `` `name` ``.
    BackQuoted,
    /// `'text'`.
    String,
    /// `12`.
    Integer,
    /// `1.2`.
    Decimal,
    /// `1.2E3`.
    Float,
    /// `${name}`.
    Variable,
    /// A sign.
    Symbol(Symbol),
    /// A quote or comment that never ends.
    Unterminated,
    /// Anything else, one character.
    Unknown,
    /// The end of the text.
    End,
}

/// Signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symbol {
    /// `;`
    Semicolon,
    /// `,`
    Comma,
    /// `.`
    Dot,
    /// `(`
    OpenParenthesis,
    /// `)`
    CloseParenthesis,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `=`
    Equal,
    /// `<>` or `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Asterisk,
    /// `/`
    Slash,
    /// `%`
    Percent,
    /// `||`
    Concat,
    /// `:=`
    Assign,
    /// `->`
    FieldOf,
    /// `=>`
    Arrow,
}

impl Symbol {
    /// How it is written.
    pub(super) fn text(self) -> &'static str {
        match self {
            Symbol::Semicolon => ";",
            Symbol::Comma => ",",
            Symbol::Dot => ".",
            Symbol::OpenParenthesis => "(",
            Symbol::CloseParenthesis => ")",
            Symbol::OpenBracket => "[",
            Symbol::CloseBracket => "]",
            Symbol::Equal => "=",
            Symbol::NotEqual => "<>",
            Symbol::Less => "<",
            Symbol::LessOrEqual => "<=",
            Symbol::Greater => ">",
            Symbol::GreaterOrEqual => ">=",
            Symbol::Plus => "+",
            Symbol::Minus => "-",
            Symbol::Asterisk => "*",
            Symbol::Slash => "/",
            Symbol::Percent => "%",
            Symbol::Concat => "||",
            Symbol::Assign => ":=",
            Symbol::FieldOf => "->",
            Symbol::Arrow => "=>",
        }
    }
}

/// A token: what it is and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: TokenKind,
    /// Where it is.
    pub(super) span: Span,
}

impl Token {
    /// The token's text, of the text it was read from.
    pub(super) fn text<'a>(&self, source: &'a str) -> &'a str {
        let start = self.span.offset as usize;
        source.get(start..start + self.span.length as usize).unwrap_or("")
    }
}

/// All tokens of a text; the last is always [`TokenKind::End`].
pub(super) fn tokenize(source: &str) -> Vec<Token> {
    let mut lexer = Lexer::new(source);
    let mut tokens = Vec::with_capacity(source.len() / 5 + 1);
    loop {
        let token = lexer.next_token();
        tokens.push(token);
        if token.kind == TokenKind::End {
            return tokens;
        }
    }
}

/// What some editors put before a text.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads tokens one by one.
pub(super) struct Lexer<'a> {
    source: &'a str,
    bytes: &'a [u8],
    /// Where the next byte to read is.
    position: usize,
    /// Line of `position`, from 1.
    line: u32,
    /// Column of `position`, from 1, in characters.
    column: u32,
}

impl<'a> Lexer<'a> {
    /// A lexer at the beginning of a text.
    pub(super) fn new(source: &'a str) -> Lexer<'a> {
        let position = if source.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        Lexer { source, bytes: source.as_bytes(), position, line: 1, column: 1 }
    }

    /// The next token; [`TokenKind::End`] again and again at the end.
    pub(super) fn next_token(&mut self) -> Token {
        let unterminated_comment = self.skip_blanks();
        let start = Span { line: self.line, column: self.column, offset: self.position as u32, length: 0 };
        if unterminated_comment {
            return self.token(TokenKind::Unterminated, start, self.bytes.len());
        }
        let (kind, end) = self.scan();
        self.token(kind, start, end)
    }

    fn token(&mut self, kind: TokenKind, start: Span, end: usize) -> Token {
        self.advance_to(end);
        let length = end as u32 - start.offset;
        Token { kind, span: Span { length, ..start } }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.position + ahead).copied().unwrap_or(0)
    }

    /// Moves on, counting lines and characters.
    fn advance_to(&mut self, end: usize) {
        for &byte in &self.bytes[self.position..end] {
            if byte == b'\n' {
                self.line += 1;
                self.column = 1;
            } else if byte & 0xC0 != 0x80 {
                self.column += 1;
            }
        }
        self.position = end;
    }

    /// Moves to the next token; true if a comment that never ends begins there.
    fn skip_blanks(&mut self) -> bool {
        loop {
            match (self.peek(0), self.peek(1)) {
                (b' ' | b'\t' | b'\r' | b'\n', _) => self.advance_to(self.position + 1),
                (b'-', b'-') => {
                    let rest = &self.source[self.position..];
                    let length = rest.find(['\r', '\n']).unwrap_or(rest.len());
                    self.advance_to(self.position + length);
                }
                (b'/', b'*') => {
                    let Some(length) = self.source[self.position + 2..].find("*/") else {
                        return true;
                    };
                    self.advance_to(self.position + length + 4);
                }
                _ => return false,
            }
        }
    }

    /// Kind and end of the token at `position`.
    fn scan(&self) -> (TokenKind, usize) {
        match self.peek(0) {
            0 if self.position >= self.bytes.len() => (TokenKind::End, self.position),
            b'\'' => self.quoted(b'\'', TokenKind::String),
            b'"' => self.quoted(b'"', TokenKind::DoubleQuoted),
            b'`' => self.quoted(b'`', TokenKind::BackQuoted),
            b'$' if self.peek(1) == b'{' => self.variable(),
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_ascii_digit() => self.number(),
            byte if is_word_start(byte) => self.word(),
            _ => self.symbol(),
        }
    }

    /// A text in quotes, in which a doubled quote stands for one.
    fn quoted(&self, quote: u8, kind: TokenKind) -> (TokenKind, usize) {
        let mut end = self.position + 1;
        while let Some(length) = self.bytes[end..].iter().position(|&byte| byte == quote) {
            end += length + 1;
            if self.bytes.get(end) != Some(&quote) {
                return (kind, end);
            }
            end += 1;
        }
        (TokenKind::Unterminated, self.bytes.len())
    }

    fn variable(&self) -> (TokenKind, usize) {
        let name = self.position + 2;
        let end = self.end_of(name, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_word_start(self.peek(2)) && self.bytes.get(end) == Some(&b'}') {
            (TokenKind::Variable, end + 1)
        } else {
            (TokenKind::Unknown, self.position + 1)
        }
    }

    fn word(&self) -> (TokenKind, usize) {
        let end = self.end_of_word(self.position);
        let kind = Keyword::find(&self.source[self.position..end]);
        (kind.map_or(TokenKind::Word, TokenKind::Keyword), end)
    }

    /// The longest of a number and a name that begins with a digit.
    fn number(&self) -> (TokenKind, usize) {
        let whole = self.end_of_digits(self.position);
        let mut end = whole;
        let mut kind = TokenKind::Integer;
        if self.bytes.get(end) == Some(&b'.') {
            end = self.end_of_digits(end + 1);
            kind = TokenKind::Decimal;
        }
        if let Some(exponent) = self.end_of_exponent(end) {
            end = exponent;
            kind = TokenKind::Float;
        }
        let word = self.end_of_word(self.position);
        if word > end {
            return (TokenKind::DigitWord, word);
        }
        (kind, end)
    }

    fn end_of_digits(&self, from: usize) -> usize {
        self.end_of(from, |byte| byte.is_ascii_digit())
    }

    fn end_of_word(&self, from: usize) -> usize {
        self.end_of(from, is_word_part)
    }

    fn end_of(&self, from: usize, accept: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(from..).unwrap_or(&[]);
        let length = rest.iter().position(|&byte| !accept(byte));
        from + length.unwrap_or(rest.len())
    }

    fn end_of_exponent(&self, from: usize) -> Option<usize> {
        let letter = self.bytes.get(from)?;
        if !letter.eq_ignore_ascii_case(&b'e') {
            return None;
        }
        let signed = matches!(self.bytes.get(from + 1), Some(b'+' | b'-'));
        let digits = from + 1 + usize::from(signed);
        let end = self.end_of_digits(digits);
        (end > digits).then_some(end)
    }

    fn symbol(&self) -> (TokenKind, usize) {
        let pair = match (self.peek(0), self.peek(1)) {
            (b'<', b'>') | (b'!', b'=') => Some(Symbol::NotEqual),
            (b'<', b'=') => Some(Symbol::LessOrEqual),
            (b'>', b'=') => Some(Symbol::GreaterOrEqual),
            (b'|', b'|') => Some(Symbol::Concat),
            (b':', b'=') => Some(Symbol::Assign),
            (b'-', b'>') => Some(Symbol::FieldOf),
            (b'=', b'>') => Some(Symbol::Arrow),
            _ => None,
        };
        if let Some(symbol) = pair {
            return (TokenKind::Symbol(symbol), self.position + 2);
        }
        let single = match self.peek(0) {
            b';' => Symbol::Semicolon,
            b',' => Symbol::Comma,
            b'.' => Symbol::Dot,
            b'(' => Symbol::OpenParenthesis,
            b')' => Symbol::CloseParenthesis,
            b'[' => Symbol::OpenBracket,
            b']' => Symbol::CloseBracket,
            b'=' => Symbol::Equal,
            b'<' => Symbol::Less,
            b'>' => Symbol::Greater,
            b'+' => Symbol::Plus,
            b'-' => Symbol::Minus,
            b'*' => Symbol::Asterisk,
            b'/' => Symbol::Slash,
            b'%' => Symbol::Percent,
            _ => return (TokenKind::Unknown, self.end_of_character()),
        };
        (TokenKind::Symbol(single), self.position + 1)
    }

    fn end_of_character(&self) -> usize {
        let rest = &self.source[self.position..];
        self.position + rest.chars().next().map_or(0, char::len_utf8)
    }
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn is_word_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'@'
}

/// Removes the quotes of a quoted token and halves doubled quotes inside.
pub(super) fn unquote(text: &str) -> String {
    let Some(quote) = text.chars().next() else {
        return String::new();
    };
    let inner = &text[1..text.len() - 1];
    let doubled: String = [quote, quote].iter().collect();
    inner.replace(&doubled, quote.encode_utf8(&mut [0; 4]))
}

/// Whether a name must be quoted to be read back as itself.
pub(super) fn needs_quotes(name: &str) -> bool {
    let token = Lexer::new(name).next_token();
    let is_name = match token.kind {
        TokenKind::Word | TokenKind::DigitWord => true,
        TokenKind::Keyword(keyword) => keyword.is_name(),
        _ => false,
    };
    let is_whole = token.span.length as usize == name.len();
    !is_name || !is_whole || name.bytes().any(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens of a text, one per line: kind and text.
    fn dump(source: &str) -> String {
        let tokens = tokenize(source);
        let shown = tokens[..tokens.len() - 1].iter().map(|token| match token.kind {
            TokenKind::Symbol(symbol) => symbol.text().to_owned(),
            kind => format!("{kind:?}:{}", token.text(source)),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_and_names() {
        let cases = [
            ("select", "Keyword(Select):select"),
            ("a@b _x", "Word:a@b Word:_x"),
            ("1abc 2_", "DigitWord:1abc DigitWord:2_"),
            (r#""a""b" `c``d`"#, r#"DoubleQuoted:"a""b" BackQuoted:`c``d`"#),
            ("${x_1}", "Variable:${x_1}"),
            ("\u{feff}a", "Word:a"),
            ("a\u{feff}", "Word:a Unknown:\u{feff}"),
            ("${a@b}", "Unknown:$ Unknown:{ Word:a@b Unknown:}"),
            ("${1} $x", "Unknown:$ Unknown:{ Integer:1 Unknown:} Unknown:$ Word:x"),
        ];
        for (source, expected) in cases {
            assert_eq!(dump(source), expected, "{source}");
        }
    }

    #[test]
    fn the_longest_number_or_name_wins() {
        let cases = [
            ("1", "Integer:1"),
            ("1.", "Decimal:1."),
            (".5", "Decimal:.5"),
            ("1e5", "Float:1e5"),
            ("1.e-5", "Float:1.e-5"),
            (".5E+1", "Float:.5E+1"),
            ("1e", "DigitWord:1e"),
            ("1e5x", "DigitWord:1e5x"),
            ("1.5x", "Decimal:1.5 Word:x"),
            ("a.1", "Word:a Decimal:.1"),
        ];
        for (source, expected) in cases {
            assert_eq!(dump(source), expected, "{source}");
        }
    }

    #[test]
    fn signs() {
        assert_eq!(
            dump("a->b:=c=>d||e<>f!=g<=h>=i<>"),
            "Word:a -> Word:b := Word:c => Word:d || Word:e <> Word:f <> Word:g <= Word:h >= Word:i <>"
        );
    }

    #[test]
    fn comments_are_blanks() {
        let cases = [
            ("a -- b ; ' \n c", "Word:a Word:c"),
            ("a--", "Word:a"),
            ("--\na", "Word:a"),
            ("a/* ; -- ' */b", "Word:a Word:b"),
            ("a /* b", "Word:a Unterminated:/* b"),
            ("'--' '/*'", "String:'--' String:'/*'"),
            ("--@test: a;\r\nb -- c\rd", "Word:b Word:d"),
            ("a /* /* */ b", "Word:a Word:b"),
        ];
        for (source, expected) in cases {
            assert_eq!(dump(source), expected, "{source}");
        }
    }

    #[test]
    fn positions_count_characters() {
        let source = "a\n 'é\n–' b";
        let places: Vec<_> = tokenize(source).iter().map(|token| (token.span.line, token.span.column)).collect();
        assert_eq!(places, [(1, 1), (2, 2), (3, 4), (3, 5)]);
    }

    #[test]
    fn quotes_come_off() {
        assert_eq!(unquote("'it''s'"), "it's");
        assert_eq!(unquote("''''"), "'");
        assert_eq!(unquote("`a``b`"), "a`b");
    }

    #[test]
    fn names_that_need_quotes() {
        for name in ["A", "A_1@", "1A", "ID", "_"] {
            assert!(!needs_quotes(name), "{name}");
        }
        for name in ["", "a", "A B", "SELECT", "1", "1E5", "A-B", "Ä", "`A`", "A ", "--"] {
            assert!(needs_quotes(name), "{name}");
        }
    }
}
