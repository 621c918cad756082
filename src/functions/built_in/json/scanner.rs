//! A cursor over one JSON text, which is checked as it is stepped over. The grammar is RFC 8259's, as Jackson reads it.

use std::borrow::Cow;

use crate::types::json_text::{hex4, special_byte, unescape};

/// How deep a document may nest.
const DEPTH_MAX: usize = 1000;

/// What stepping gives, or what is wrong at the cursor.
pub(super) type Scan<T> = Result<T, &'static str>;

/// A text of JSON, without its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    raw: &'a str,
    escaped: bool,
}

impl<'a> Text<'a> {
    /// What it stands for.
    pub(super) fn plain(self) -> Cow<'a, str> {
        if !self.escaped {
            return Cow::Borrowed(self.raw);
        }
        let mut plain = Vec::with_capacity(self.raw.len());
        unescape(self.raw.as_bytes(), &mut plain);
        Cow::Owned(String::from_utf8(plain).expect("UTF-8 stays so without its escapes"))
    }

    /// Whether it stands for `text`.
    #[inline]
    pub(super) fn is(self, text: &str) -> bool {
        if self.escaped { self.plain() == text } else { self.raw == text }
    }

    /// As it is written, if that is what it stands for.
    pub(super) fn unescaped(self) -> Option<&'a str> {
        (!self.escaped).then_some(self.raw)
    }
}

/// A cursor.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// `what` for people.
    #[cold]
    pub(super) fn reason(&self, what: &'static str) -> String {
        format!("malformed JSON at byte {}: {what}", self.at)
    }

    /// The byte at the cursor; 0, which is never part of a token, at the end.
    #[inline]
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// The first byte of the next token; 0 at the end.
    #[inline]
    pub(super) fn next_token(&mut self) -> u8 {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
        self.peek()
    }

    /// Whether there is nothing but blanks.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.next_token();
        self.at == self.text.len()
    }

    /// Steps into the array or object whose bracket is at the cursor.
    #[inline]
    pub(super) fn open(&mut self) {
        self.at += 1;
    }

    /// Whether an element or member follows, after the opening bracket or another one; steps over the comma or `close`.
    #[inline]
    pub(super) fn another(&mut self, first: bool, close: u8) -> Scan<bool> {
        let token = self.next_token();
        if token == close {
            self.at += 1;
            return Ok(false);
        }
        if !first {
            if token != b',' {
                return Err(if close == b'}' { "expected ',' or '}'" } else { "expected ',' or ']'" });
            }
            self.at += 1;
        }
        Ok(true)
    }

    /// Steps over the name of a member and the colon behind it.
    #[inline]
    pub(super) fn name(&mut self) -> Scan<Text<'a>> {
        if self.next_token() != b'"' {
            return Err("expected the name of a member");
        }
        let name = self.string()?;
        if self.next_token() != b':' {
            return Err("expected ':'");
        }
        self.at += 1;
        Ok(name)
    }

    /// Steps over the text whose opening quote is at the cursor.
    #[inline]
    pub(super) fn string(&mut self) -> Scan<Text<'a>> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        self.at = start;
        let mut escaped = false;
        loop {
            self.at += special_byte(&bytes[self.at..]);
            match bytes.get(self.at) {
                Some(b'"') => {
                    let raw = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(Text { raw, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err("control characters in text must be escaped"),
                None => return Err("the text has no closing quote"),
            }
        }
    }

    fn escape(&mut self) -> Scan<()> {
        let bytes = self.text.as_bytes();
        self.at += match bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if hex4(&bytes[self.at + 2..]).is_some() => 6,
            _ => return Err("unknown escape in text"),
        };
        Ok(())
    }

    /// Steps over any value, checking all of it.
    #[inline]
    pub(super) fn skip_value(&mut self) -> Scan<()> {
        self.skip_nested(0)
    }

    fn skip_nested(&mut self, depth: usize) -> Scan<()> {
        match self.next_token() {
            b'"' => self.string().map(|_| ()),
            b'-' | b'0'..=b'9' => self.number(),
            b'{' => {
                let mut first = true;
                self.enter(depth)?;
                while self.another(first, b'}')? {
                    first = false;
                    self.name()?;
                    self.skip_nested(depth + 1)?;
                }
                Ok(())
            }
            b'[' => {
                let mut first = true;
                self.enter(depth)?;
                while self.another(first, b']')? {
                    first = false;
                    self.skip_nested(depth + 1)?;
                }
                Ok(())
            }
            b'n' => self.keyword("null"),
            b't' => self.keyword("true"),
            b'f' => self.keyword("false"),
            _ => Err("expected a value"),
        }
    }

    fn enter(&mut self, depth: usize) -> Scan<()> {
        if depth >= DEPTH_MAX {
            return Err("the document nests too deep");
        }
        self.open();
        Ok(())
    }

    fn keyword(&mut self, word: &str) -> Scan<()> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err("expected a value");
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Scan<()> {
        self.at += usize::from(self.peek() == b'-');
        let has_zero = self.peek() == b'0';
        let whole = self.digits();
        if whole == 0 || has_zero && whole > 1 {
            return Err("expected a number without leading zeros");
        }
        if self.peek() == b'.' {
            self.at += 1;
            if self.digits() == 0 {
                return Err("expected a digit after the point");
            }
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), b'-' | b'+'));
            let start = self.at;
            if self.digits() == 0 {
                return Err("expected a digit in the exponent");
            }
            if self.text[start..self.at].parse::<i32>().is_err() {
                return Err("the exponent is too large");
            }
        }
        Ok(())
    }

    /// Steps over digits. Returns how many there were.
    #[inline]
    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        self.at - start
    }

    /// Steps over any value and returns it as it is written.
    #[inline]
    pub(super) fn value(&mut self) -> Scan<&'a str> {
        self.next_token();
        let start = self.at;
        self.skip_value()?;
        Ok(&self.text[start..self.at])
    }

    /// Checks what is behind the outermost value, which begins with `first`. Only behind numbers and words it matters.
    pub(super) fn leave(&self, first: u8) -> Scan<()> {
        let next = self.text[self.at..].chars().next();
        let is_apart = match (first, next) {
            (b'"' | b'{' | b'[', _) | (_, None | Some(' ' | '\n' | '\r' | '\t')) => true,
            (b'-' | b'0'..=b'9', Some(_)) => false,
            (_, Some(next)) => !(next.is_alphanumeric() || matches!(next, '_' | '$')),
        };
        if is_apart { Ok(()) } else { Err("the value does not end there") }
    }
}

/// The first value of `text` as it is written; `None` if there is none.
pub(super) fn value(text: &str) -> Result<Option<&str>, String> {
    let mut scanner = Scanner::new(text);
    if scanner.is_at_end() {
        return Ok(None);
    }
    let first = scanner.next_token();
    let value = scanner.value().and_then(|value| scanner.leave(first).map(|()| value));
    value.map(Some).map_err(|what| scanner.reason(what))
}

/// Calls `each` with the elements of the array that `text` is; false if it is something else.
pub(super) fn for_each_element<'a>(text: &'a str, mut each: impl FnMut(&'a str)) -> Result<bool, String> {
    let mut scanner = Scanner::new(text);
    if scanner.next_token() != b'[' {
        return value(text).map(|_| false);
    }
    let mut elements = || {
        scanner.open();
        let mut first = true;
        while scanner.another(first, b']')? {
            first = false;
            each(scanner.value()?);
        }
        Ok(true)
    };
    elements().map_err(|what| scanner.reason(what))
}

/// Calls `each` with the members of the object that `text` is; false if it is something else.
pub(super) fn for_each_member<'a>(text: &'a str, mut each: impl FnMut(Text<'a>, &'a str)) -> Result<bool, String> {
    let mut scanner = Scanner::new(text);
    if scanner.next_token() != b'{' {
        return value(text).map(|_| false);
    }
    let mut members = || {
        scanner.open();
        let mut first = true;
        while scanner.another(first, b'}')? {
            first = false;
            let name = scanner.name()?;
            each(name, scanner.value()?);
        }
        Ok(true)
    };
    members().map_err(|what| scanner.reason(what))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::compact::tests::{any_document, written};
    use super::*;

    #[test]
    fn values_end_where_jackson_ends_them() {
        let good = [
            ("1", "1"),
            (" -0.5e+7 ", "-0.5e+7"),
            ("{\"a\": [1, {}]}}", "{\"a\": [1, {}]}"),
            ("\"a\"x", "\"a\""),
            ("[]]", "[]"),
            ("null]", "null"),
            ("\u{9}true", "true"),
        ];
        for (text, expected) in good {
            assert_eq!(value(text), Ok(Some(expected)), "{text}");
        }
        let bad = [
            "abc",
            "nul",
            "nullx",
            "true1",
            "1x",
            "1,",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e99999999999",
            "+1",
            "NaN",
            "[1,]",
            "[1 2]",
            "[,1]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "[",
            "{",
            "\"a",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"a\nb\"",
            "[\"\u{1}\"]",
            "\u{feff}1",
            "[1}",
            "{\"a\":1]",
            "\0",
        ];
        for text in bad {
            assert!(value(text).is_err(), "{text}");
        }
        assert_eq!(value(" \n"), Ok(None));
        assert!(value(&("[".repeat(1000) + &"]".repeat(1000))).is_ok());
        assert!(value(&"[".repeat(1_000_000)).is_err());
    }

    proptest! {
        #[test]
        fn what_serde_json_writes_is_read(document in any_document(), indented: bool) {
            let text = written(&document, indented);
            prop_assert_eq!(value(&text), Ok(Some(text.as_str())));
        }

        #[test]
        fn what_serde_json_reads_is_read(
            document in any_document(),
            at in any::<prop::sample::Index>(),
            byte in prop::sample::select(&b"\"\\{}[],:-+.eE019tfnu /\n\x01x"[..]),
            removes: bool,
        ) {
            let mut text = written(&document, false).into_bytes();
            let at = at.index(text.len());
            if removes {
                text.remove(at);
            } else {
                text[at] = byte;
            }
            let Ok(text) = String::from_utf8(text) else { return Ok(()) };
            if text.contains("\\u") {
                // Half pairs of surrogates are errors there only.
                return Ok(());
            }
            let mut theirs = serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>();
            match theirs.next() {
                Some(Ok(_)) => {
                    let end = theirs.byte_offset();
                    let ours = value(&text);
                    // Behind numbers and words we look at more, and exponents have a bound.
                    let is_refused = |reason: &String| end < text.len() || reason.contains("exponent");
                    let is_same = match &ours {
                        Ok(value) => *value == Some(text[..end].trim_ascii()),
                        Err(reason) => is_refused(reason),
                    };
                    prop_assert!(is_same, "{}", text);
                }
                Some(Err(_)) => prop_assert!(value(&text).is_err(), "{}", text),
                None => prop_assert_eq!(value(&text), Ok(None)),
            }
        }
    }
}
