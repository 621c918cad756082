//! Values of JSON texts as they are written: what stands behind the first value counts only where Jackson looks.

use std::borrow::Cow;

use crate::types::json_scanner::{self, Scan};
use crate::types::json_text::unescape;
use crate::types::number_text::NumberText;

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

/// A cursor over text, which gives parts of it.
pub(super) struct Scanner<'a> {
    text: &'a str,
    bytes: json_scanner::Scanner<'a>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, bytes: json_scanner::Scanner::new(text.as_bytes()) }
    }

    /// The first byte of the next token; 0, which is never part of one, at the end.
    #[inline]
    pub(super) fn next_token(&mut self) -> u8 {
        self.bytes.next_token()
    }

    /// Whether there is nothing but blanks.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.bytes.skip_blanks();
        self.bytes.position() == self.text.len()
    }

    /// Steps into the array or object whose bracket is at the cursor.
    #[inline]
    pub(super) fn open(&mut self) {
        self.bytes.skip_byte();
    }

    /// Whether an element or member follows, after the opening bracket or another one; steps over the comma or `close`.
    #[inline]
    pub(super) fn another(&mut self, first: bool, close: u8) -> Scan<bool> {
        self.bytes.another(first, close)
    }

    /// Steps over the name of a member and the colon behind it.
    #[inline]
    pub(super) fn name(&mut self) -> Scan<Text<'a>> {
        let start = self.bytes.position() + 1;
        let (raw, escaped) = self.bytes.member_name()?;
        Ok(Text { raw: &self.text[start..start + raw.len()], escaped })
    }

    /// Steps over the text whose opening quote is at the cursor.
    #[inline]
    pub(super) fn string(&mut self) -> Scan<Text<'a>> {
        let start = self.bytes.position() + 1;
        let (raw, escaped) = self.bytes.text()?;
        Ok(Text { raw: &self.text[start..start + raw.len()], escaped })
    }

    /// Steps over the number whose sign or first digit is at the cursor.
    #[inline]
    pub(super) fn number(&mut self) -> Scan<NumberText<'a>> {
        self.bytes.number()
    }

    /// Steps over any value, checking all of it.
    #[inline]
    pub(super) fn skip_value(&mut self) -> Scan<()> {
        self.bytes.skip_value()
    }

    /// Steps over any value and returns it as it is written.
    #[inline]
    pub(super) fn value(&mut self) -> Scan<&'a str> {
        self.bytes.skip_blanks();
        let start = self.bytes.position();
        self.bytes.skip_value()?;
        Ok(&self.text[start..self.bytes.position()])
    }

    /// Checks what is behind the outermost value, which begins with `first`. Only behind numbers and words it matters.
    pub(super) fn leave(&self, first: u8) -> Scan<()> {
        let next = self.text[self.bytes.position()..].chars().next();
        let is_apart = match (first, next) {
            (b'"' | b'{' | b'[', _) | (_, None | Some(' ' | '\n' | '\r' | '\t')) => true,
            (b'-' | b'0'..=b'9', Some(_)) => false,
            (_, Some(next)) => !(next.is_alphanumeric() || matches!(next, '_' | '$')),
        };
        if is_apart { Ok(()) } else { self.bytes.malformed("the value does not end there") }
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
    value.map(Some).map_err(|malformed| malformed.to_string())
}

/// Calls `each` with the elements of the array that `text` is; false if it is something else.
pub(super) fn for_each_element<'a>(text: &'a str, mut each: impl FnMut(&'a str)) -> Result<bool, String> {
    let mut scanner = Scanner::new(text);
    if scanner.next_token() != b'[' {
        return value(text).map(|_| false);
    }
    let mut elements = || -> Scan<bool> {
        scanner.open();
        let mut first = true;
        while scanner.another(first, b']')? {
            first = false;
            each(scanner.value()?);
        }
        Ok(true)
    };
    elements().map_err(|malformed| malformed.to_string())
}

/// Calls `each` with the members of the object that `text` is; false if it is something else.
pub(super) fn for_each_member<'a>(text: &'a str, mut each: impl FnMut(Text<'a>, &'a str)) -> Result<bool, String> {
    let mut scanner = Scanner::new(text);
    if scanner.next_token() != b'{' {
        return value(text).map(|_| false);
    }
    let mut members = || -> Scan<bool> {
        scanner.open();
        let mut first = true;
        while scanner.another(first, b'}')? {
            first = false;
            let name = scanner.name()?;
            each(name, scanner.value()?);
        }
        Ok(true)
    };
    members().map_err(|malformed| malformed.to_string())
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
