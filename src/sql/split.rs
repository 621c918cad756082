//! Where statements end, for those who read text piece by piece.

use std::borrow::Cow;

use super::lexer::{Lexer, Symbol, TokenKind};

/// Cuts a text behind every `;` outside of quotes and comments. Blanks and comments before a statement are left out;
/// the last piece may lack its `;`. Nothing else is checked.
pub fn split_statements(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut lexer = Lexer::new(text);
    let mut begin = None;
    loop {
        let token = lexer.next_token();
        let offset = token.span.offset as usize;
        match token.kind {
            TokenKind::End => {
                pieces.extend(begin.map(|begin: usize| text[begin..].trim_end()));
                return pieces;
            }
            TokenKind::Symbol(Symbol::Semicolon) => {
                let begin = begin.take().unwrap_or(offset);
                pieces.push(&text[begin..=offset]);
            }
            _ => {
                begin.get_or_insert(offset);
            }
        }
    }
}

/// Whether a text can be handed over as it is: it ends with a `;` outside of quotes and comments, or holds nothing but
/// blanks and comments. The shell reads on until then.
pub fn is_complete(text: &str) -> bool {
    let mut lexer = Lexer::new(text);
    let mut complete = true;
    loop {
        match lexer.next_token().kind {
            TokenKind::End => return complete,
            kind => complete = kind == TokenKind::Symbol(Symbol::Semicolon),
        }
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
    fn input_is_complete_at_a_semicolon() {
        for text in ["", "  ", "-- x", "a;", "a; -- b", "a; /* b */ "] {
            assert!(is_complete(text), "{text}");
        }
        for text in ["a", "a; b", "'a;", "a; /* b;", "\"a;", "a -- ;"] {
            assert!(!is_complete(text), "{text}");
        }
    }
}
