//! Where statements end, for those who read text piece by piece.

use std::borrow::Cow;
use std::ops::Range;

use super::lexer::{BYTE_ORDER_MARK, Lexer, TokenKind};

/// Cuts a text behind every `;` outside of quotes and comments. Blanks and comments before a statement are left out;
/// the last piece may lack its `;`. Nothing else is checked.
pub fn split_statements(text: &str) -> Vec<&str> {
    let mut splitter = Splitter::default();
    let mut pieces: Vec<&str> = splitter.read(text).into_iter().map(|piece| &text[piece]).collect();
    pieces.extend(splitter.rest(text).map(|rest| &text[rest]));
    pieces
}

/// What separates words and means nothing.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// [`split_statements`] for a text that is still growing: what was read is not read again.
#[derive(Clone, Debug, Default)]
pub struct Splitter {
    /// How far the text was read.
    position: usize,
    /// Where the statement begins that has no end yet.
    begin: Option<usize>,
    inside: Inside,
}

/// What the end of the text so far is inside of.
#[derive(Clone, Copy, Debug, Default)]
enum Inside {
    #[default]
    Nothing,
    /// A text or name in these quotes. A doubled quote ends one and begins the next, which comes to the same.
    Quotes(u8),
    LineComment,
    /// A `/*` at this place.
    BlockComment(usize),
}

impl Splitter {
    /// Reads on. `text` is all there is so far: it begins with what was read before. Gives the statements that end in
    /// the new part, with their `;`.
    pub fn read(&mut self, text: &str) -> Vec<Range<usize>> {
        if self.position == 0 && text.starts_with(BYTE_ORDER_MARK) {
            self.position = BYTE_ORDER_MARK.len_utf8();
        }
        let bytes = text.as_bytes();
        let mut ended = Vec::new();
        while let Some(length) = self.step(&bytes[self.position..], &mut ended) {
            self.position += length;
        }
        ended
    }

    /// The statement that has begun and not ended, or a `/*` that does not end. `text` is what was read last.
    pub fn rest(&self, text: &str) -> Option<Range<usize>> {
        let comment = match self.inside {
            Inside::BlockComment(begin) => Some(begin),
            _ => None,
        };
        // A sign that may open a comment waits for the one behind it.
        let waiting = (self.position < text.len()).then_some(self.position);
        let begin = self.begin.or(comment).or(waiting)?;
        Some(begin..begin + text[begin..].trim_end_matches(BLANKS).len())
    }

    /// Forgets the first bytes of the text, which belong to statements that have ended.
    pub fn forget(&mut self, bytes: usize) {
        self.position -= bytes;
        self.begin = self.begin.map(|begin| begin - bytes);
        if let Inside::BlockComment(begin) = &mut self.inside {
            *begin -= bytes;
        }
    }

    /// Takes what `rest` begins with, and gives its length; `None` when more text is needed.
    fn step(&mut self, rest: &[u8], ended: &mut Vec<Range<usize>>) -> Option<usize> {
        let find = |wanted: &[u8]| rest.iter().position(|byte| wanted.contains(byte));
        let length = match self.inside {
            Inside::Quotes(quote) => self.leave(find(&[quote]), rest),
            Inside::LineComment => self.leave(find(b"\r\n"), rest),
            Inside::BlockComment(_) => self.block_comment(rest),
            Inside::Nothing => return self.outside(rest, ended),
        };
        (length > 0).then_some(length)
    }

    /// Passes over the end of quotes or a comment, if it is there, or over everything.
    fn leave(&mut self, end: Option<usize>, rest: &[u8]) -> usize {
        if end.is_some() {
            self.inside = Inside::Nothing;
        }
        end.map_or(rest.len(), |end| end + 1)
    }

    fn block_comment(&mut self, rest: &[u8]) -> usize {
        match rest.windows(2).position(|pair| pair == b"*/") {
            Some(end) => {
                self.inside = Inside::Nothing;
                end + 2
            }
            // Its last character may be the `*` of the end.
            None => rest.len().saturating_sub(1),
        }
    }

    fn outside(&mut self, rest: &[u8], ended: &mut Vec<Range<usize>>) -> Option<usize> {
        let here = self.position;
        match (*rest.first()?, rest.get(1)) {
            (b' ' | b'\t' | b'\r' | b'\n', _) => return Some(1),
            (b'-' | b'/', None) => return None,
            (b'\\', _) if self.begin.is_none() => {
                // Alone on its line it continues nothing.
                let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
                if line[1..].iter().all(u8::is_ascii_whitespace) {
                    return (line.len() < rest.len()).then_some(1);
                }
            }
            (b'-', Some(b'-')) => {
                self.inside = Inside::LineComment;
                return Some(2);
            }
            (b'/', Some(b'*')) => {
                self.inside = Inside::BlockComment(here);
                return Some(2);
            }
            (b';', _) => {
                ended.push(self.begin.take().unwrap_or(here)..here + 1);
                return Some(1);
            }
            (quote @ (b'\'' | b'"' | b'`'), _) => self.inside = Inside::Quotes(quote),
            _ => {}
        }
        self.begin.get_or_insert(here);
        Some(1)
    }
}

/// The text with a blank for every `\` at a line's end, by which a statement is said to go on in the next line: here it does
/// anyway. Quotes and comments keep theirs, and all else its place.
pub fn without_continuations(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut lexer = Lexer::new(text);
    let mut joined = String::with_capacity(text.len());
    loop {
        let token = lexer.next_token();
        let offset = token.span.offset as usize;
        match token.kind {
            TokenKind::End => {
                joined.push_str(&text[joined.len()..]);
                return Cow::Owned(joined);
            }
            TokenKind::Unknown if text[offset..].starts_with('\\') && ends_line(&text[offset + 1..]) => {
                joined.push_str(&text[joined.len()..offset]);
                joined.push(' ');
            }
            _ => {}
        }
    }
}

fn ends_line(rest: &str) -> bool {
    rest.split('\n').next().unwrap_or_default().trim().is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::lexer::{Symbol, TokenKind, tokenize};
    use super::*;

    #[test]
    fn pieces_end_behind_semicolons() {
        let cases: [(&str, &[&str]); 7] = [
            ("", &[]),
            (" -- ;\n", &[]),
            ("a; b;", &["a;", "b;"]),
            ("/* ; */ a ';' -- ;\n ; b", &["a ';' -- ;\n ;", "b"]),
            (";;a", &[";", ";", "a"]),
            ("`;` \";\" ';;'';' ;", &["`;` \";\" ';;'';' ;"]),
            ("a 'b; c;", &["a 'b; c;"]),
        ];
        for (text, expected) in cases {
            assert_eq!(split_statements(text), expected, "{text}");
        }
    }

    #[test]
    fn a_backslash_at_a_lines_end_is_a_blank() {
        let cases = [
            ("SELECT \\\n a \\ \n FROM s;", "SELECT  \n a   \n FROM s;"),
            ("a\\", "a "),
            ("\\d s\n", "\\d s\n"),
            ("'x\\\n' -- y\\\n`z\\\n`", "'x\\\n' -- y\\\n`z\\\n`"),
            ("é \\\r\n;", "é  \r\n;"),
        ];
        for (text, expected) in cases {
            assert_eq!(without_continuations(text), expected, "{text}");
        }
    }

    #[test]
    fn cutting_agrees_with_reading() {
        let texts =
            ["a-", "a/", "-", "/", "/*", "/* *", "a /*/ */ b; /**/c", "--", "a -- b\rc;", "\u{feff};", "$${a;}", "é;ß"];
        for text in texts {
            assert_eq!(split_statements(text), split_by_tokens(text), "{text}");
        }
    }

    /// The pieces by the tokens that the parser sees.
    fn split_by_tokens(text: &str) -> Vec<&str> {
        let mut pieces = Vec::new();
        let mut begin = None;
        for token in tokenize(text) {
            let offset = token.span.offset as usize;
            match token.kind {
                TokenKind::End => pieces.extend(begin.map(|begin: usize| text[begin..].trim_end_matches(BLANKS))),
                TokenKind::Symbol(Symbol::Semicolon) => pieces.push(&text[begin.take().unwrap_or(offset)..=offset]),
                _ => {
                    begin.get_or_insert(offset);
                }
            }
        }
        pieces
    }

    /// The pieces of a text that comes in these parts.
    fn split_in_parts(parts: &[&str]) -> Vec<String> {
        let (mut text, mut splitter, mut pieces) = (String::new(), Splitter::default(), Vec::new());
        for part in parts {
            text.push_str(part);
            pieces.extend(splitter.read(&text).into_iter().map(|piece| text[piece].to_owned()));
        }
        pieces.extend(splitter.rest(&text).map(|piece| text[piece].to_owned()));
        pieces
    }

    proptest! {
        #[test]
        fn every_text_is_cut_as_it_is_read(parts in vec(select(&PARTS[..]), 0..12)) {
            let text = parts.concat();
            prop_assert_eq!(split_statements(&text), split_by_tokens(&text));
            prop_assert_eq!(split_in_parts(&parts), split_statements(&text));
        }
    }

    const PARTS: [&str; 14] = [";", "'", "\"", "`", "-", "/", "*", "\n", "\r", " ", "a", "1.", "é", "$"];
}
