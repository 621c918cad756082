//! A cursor over one JSON document: tokens in, nothing kept, nothing allocated unless something is wrong.
//!
//! The grammar is RFC 8259's, as Jackson reads it: no comments, no leading zeros, no raw control characters in text.

use std::fmt;

use super::json_text::{hex4, special_byte};
use super::number_text::{NumberText, digits};

/// How deep a document may nest.
const DEPTH_MAX: usize = 1000;

/// A token, or what is wrong at the cursor.
pub type Scan<T> = Result<T, Malformed>;

/// A text that is not JSON. Boxed, so that what succeeds returns in registers.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed(Box<(usize, &'static str)>);

impl Malformed {
    /// Reading stopped at byte `at`, where `what` was expected or found.
    #[cold]
    pub fn new(at: usize, what: &'static str) -> Self {
        Self(Box::new((at, what)))
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, what) = *self.0;
        write!(f, "malformed JSON at byte {at}: {what}")
    }
}

/// A cursor over one document.
pub struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// At the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Goes back to an earlier [`Scanner::position`].
    pub fn rewind(&mut self, position: usize) {
        self.at = position;
    }

    /// What stands between two positions.
    pub fn between(&self, start: usize, end: usize) -> &'a [u8] {
        &self.bytes[start..end]
    }

    /// That the document is wrong here.
    #[cold]
    pub fn malformed<T>(&self, what: &'static str) -> Scan<T> {
        Err(Malformed::new(self.at, what))
    }

    /// The byte at the cursor; 0, which is never part of a token, at the end.
    #[inline]
    pub fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// Steps over a byte.
    #[inline]
    pub fn skip_byte(&mut self) {
        self.at += 1;
    }

    /// Steps over what may stand between tokens.
    #[inline]
    pub fn skip_blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    /// The first byte of the next token; 0 at the end.
    #[inline]
    pub fn next_token(&mut self) -> u8 {
        self.skip_blanks();
        self.peek()
    }

    /// Steps over the token `byte`; `what` says that it is missing.
    #[inline]
    pub fn expect(&mut self, byte: u8, what: &'static str) -> Scan<()> {
        if self.next_token() != byte {
            return self.malformed(what);
        }
        self.at += 1;
        Ok(())
    }

    /// Whether a member or element follows, after the opening bracket or another one; steps over the comma or `close`.
    #[inline]
    pub fn another(&mut self, first: bool, close: u8) -> Scan<bool> {
        let token = self.next_token();
        if token == close {
            self.at += 1;
            return Ok(false);
        }
        if !first {
            if token != b',' {
                return self.malformed(if close == b'}' { "expected ',' or '}'" } else { "expected ',' or ']'" });
            }
            self.at += 1;
            self.skip_blanks();
        }
        Ok(true)
    }

    /// Checks that nothing but blanks is left.
    pub fn end(&mut self) -> Scan<()> {
        self.skip_blanks();
        if self.at < self.bytes.len() { self.malformed("unexpected text after the value") } else { Ok(()) }
    }

    /// Whether the rest starts with `expected`, which is then stepped over. `word` and `mask` are its first bytes, as
    /// [`first_word`] gives them.
    #[inline]
    pub fn accept(&mut self, expected: &[u8], (word, mask): (u64, u64)) -> bool {
        let rest = &self.bytes[self.at..];
        let matches = match rest.first_chunk::<8>() {
            Some(first) if (u64::from_le_bytes(*first) ^ word) & mask != 0 => false,
            Some(_) => expected.len() <= 8 || rest[8..].starts_with(&expected[8..]),
            None => rest.starts_with(expected),
        };
        if matches {
            self.at += expected.len();
        }
        matches
    }

    fn keyword(&mut self, word: &'static [u8]) -> Scan<()> {
        if !self.bytes[self.at..].starts_with(word) {
            return self.malformed("expected a JSON value");
        }
        self.at += word.len();
        Ok(())
    }

    /// Steps over `null`, at whose first letter the cursor stands.
    #[inline]
    pub fn null(&mut self) -> Scan<()> {
        self.keyword(b"null")
    }

    /// Reads `true` or `false`, at whose first letter the cursor stands.
    #[inline]
    pub fn boolean(&mut self) -> Scan<bool> {
        let value = self.peek() == b't';
        self.keyword(if value { b"true" } else { b"false" })?;
        Ok(value)
    }

    /// Reads the number whose sign or first digit is at the cursor.
    #[inline]
    pub fn number(&mut self) -> Scan<NumberText<'a>> {
        let start = self.at;
        let negative = self.peek() == b'-';
        self.at += usize::from(negative);
        let mut mantissa = 0;
        let whole = digits(self.bytes, &mut self.at, &mut mantissa);
        if whole.is_empty() || whole[0] == b'0' && whole.len() > 1 {
            return self.malformed("expected a number without leading zeros");
        }
        let mut number =
            NumberText { negative, whole, fraction: &[], exponent: 0, integral: true, mantissa, text: &[] };
        if matches!(self.peek(), b'.' | b'e' | b'E') {
            self.fraction_and_exponent(&mut number)?;
        }
        number.text = &self.bytes[start..self.at];
        Ok(number)
    }

    #[inline]
    fn fraction_and_exponent(&mut self, number: &mut NumberText<'a>) -> Scan<()> {
        number.integral = false;
        if self.peek() == b'.' {
            self.at += 1;
            number.fraction = digits(self.bytes, &mut self.at, &mut number.mantissa);
            if number.fraction.is_empty() {
                return self.malformed("expected a digit after the point");
            }
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            number.exponent = self.exponent()?;
        }
        Ok(())
    }

    fn exponent(&mut self) -> Scan<i64> {
        let negative = self.peek() == b'-';
        self.at += usize::from(matches!(self.peek(), b'-' | b'+'));
        let start = self.at;
        let mut value = 0_i64;
        while self.peek().is_ascii_digit() {
            value = value.saturating_mul(10).saturating_add(i64::from(self.peek() - b'0'));
            self.at += 1;
        }
        if start == self.at {
            return self.malformed("expected a digit in the exponent");
        }
        if value > i64::from(i32::MAX) {
            return self.malformed("the exponent is too large");
        }
        Ok(if negative { -value } else { value })
    }

    /// Reads the text whose opening quote is at the cursor: what stands between the quotes, and whether it holds escapes.
    #[inline]
    pub fn text(&mut self) -> Scan<(&'a [u8], bool)> {
        let start = self.at + 1;
        self.at = start;
        let mut escaped = false;
        loop {
            self.at += special_byte(&self.bytes[self.at..]);
            match self.peek() {
                b'"' => {
                    let text = &self.bytes[start..self.at];
                    self.at += 1;
                    return Ok((text, escaped));
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ if self.at >= self.bytes.len() => return self.malformed("the text has no closing quote"),
                _ => return self.malformed("control characters in text must be escaped"),
            }
        }
    }

    fn escape(&mut self) -> Scan<()> {
        let length = match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if hex4(&self.bytes[self.at + 2..]).is_some() => 6,
            _ => return self.malformed("unknown escape in text"),
        };
        self.at += length;
        Ok(())
    }

    /// Steps over any value, checking all of it.
    pub fn skip_value(&mut self) -> Scan<()> {
        match self.next_token() {
            b'"' => self.text().map(|_| ()),
            b'-' | b'0'..=b'9' => self.number().map(|_| ()),
            b'n' => self.null(),
            b't' | b'f' => self.boolean().map(|_| ()),
            b'{' | b'[' => self.skip_nested(),
            _ => self.malformed("expected a JSON value"),
        }
    }

    /// Steps over the object or array whose bracket is at the cursor. One bit per open level says which it is.
    fn skip_nested(&mut self) -> Scan<()> {
        let mut objects = [0_u64; DEPTH_MAX.div_ceil(64)];
        let mut depth = 0;
        let mut opening = true;
        loop {
            if opening {
                if depth == DEPTH_MAX {
                    return self.malformed("the document nests too deep");
                }
                let bit = 1 << (depth % 64);
                objects[depth / 64] = objects[depth / 64] & !bit | if self.peek() == b'{' { bit } else { 0 };
                depth += 1;
                self.at += 1;
            }
            let level = depth - 1;
            let object = objects[level / 64] >> (level % 64) & 1 == 1;
            if !self.another(opening, if object { b'}' } else { b']' })? {
                depth -= 1;
                opening = false;
                if depth == 0 {
                    return Ok(());
                }
                continue;
            }
            if object {
                self.member_name()?;
            }
            opening = matches!(self.next_token(), b'{' | b'[');
            if !opening {
                self.skip_value()?;
            }
        }
    }

    /// Reads a member's name and the colon after it.
    #[inline]
    pub fn member_name(&mut self) -> Scan<(&'a [u8], bool)> {
        if self.peek() != b'"' {
            return self.malformed("expected a member name");
        }
        let name = self.text()?;
        self.expect(b':', "expected ':'")?;
        Ok(name)
    }
}

/// The first up to eight bytes of `text` as a number, and the mask of those that count.
pub fn first_word(text: &[u8]) -> (u64, u64) {
    let mut word = [0; 8];
    let length = text.len().min(8);
    word[..length].copy_from_slice(&text[..length]);
    let mask = if length == 8 { u64::MAX } else { (1 << (length * 8)) - 1 };
    (u64::from_le_bytes(word), mask)
}
