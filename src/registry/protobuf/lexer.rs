//! The words of `.proto` files.

use std::iter::Peekable;
use std::str::CharIndices;

/// A word of the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name, a number or a type with its path.
    Word(String),
    /// What stands between quotes, without escapes.
    Text(Vec<u8>),
    Symbol(char),
}

/// The words of `text`, without comments.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        match character {
            _ if character.is_whitespace() => {}
            '/' if next == Some('/') => while characters.next_if(|(_, c)| *c != '\n').is_some() {},
            '/' if next == Some('*') => skip_comment(&mut characters)?,
            '"' | '\'' => {
                let quoted = quoted(&mut characters, character)?;
                // Texts that stand side by side are one.
                match tokens.last_mut() {
                    Some(Token::Text(before)) => before.extend(quoted),
                    _ => tokens.push(Token::Text(quoted)),
                }
            }
            _ if is_word(character) || (character == '.' && next.is_some_and(is_word)) => {
                let is_number =
                    character.is_ascii_digit() || character == '.' && next.is_some_and(|c| c.is_ascii_digit());
                let mut end = at + character.len_utf8();
                let mut last = character;
                while let Some((at, c)) = characters.next_if(|(_, c)| {
                    is_word(*c) || *c == '.' || is_number && matches!(c, '+' | '-') && matches!(last, 'e' | 'E')
                }) {
                    end = at + c.len_utf8();
                    last = c;
                }
                tokens.push(Token::Word(text[at..end].to_owned()));
            }
            symbol => tokens.push(Token::Symbol(symbol)),
        }
    }
    Ok(tokens)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

type Characters<'a> = Peekable<CharIndices<'a>>;

fn skip_comment(characters: &mut Characters<'_>) -> Result<(), String> {
    let mut last = ' ';
    characters.next();
    for (_, character) in characters {
        if last == '*' && character == '/' {
            return Ok(());
        }
        last = character;
    }
    Err("a comment does not end".to_owned())
}

fn quoted(characters: &mut Characters<'_>, quote: char) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let mut utf8 = [0; 4];
    while let Some((_, character)) = characters.next() {
        match character {
            _ if character == quote => return Ok(text),
            '\\' => escaped(characters, &mut text)?,
            other => text.extend_from_slice(other.encode_utf8(&mut utf8).as_bytes()),
        }
    }
    Err("a text does not end".to_owned())
}

/// Reads what stands behind a `\`.
fn escaped(characters: &mut Characters<'_>, text: &mut Vec<u8>) -> Result<(), String> {
    let Some((_, escape)) = characters.next() else { return Err("a text does not end".to_owned()) };
    let byte = match escape {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        'x' | 'X' => number(characters, 16, 2, None) as u8,
        '0'..='7' => number(characters, 8, 2, escape.to_digit(8)) as u8,
        'u' | 'U' => {
            let code = number(characters, 16, if escape == 'u' { 4 } else { 8 }, None);
            let character = char::from_u32(code).ok_or_else(|| format!("there is no character {code:x}"))?;
            text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(());
        }
        other => {
            text.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(());
        }
    };
    text.push(byte);
    Ok(())
}

/// A number of at most `digits` digits, behind the digit `first` if there is one.
fn number(characters: &mut Characters<'_>, radix: u32, digits: usize, first: Option<u32>) -> u32 {
    let mut number = first.unwrap_or(0);
    for _ in 0..digits {
        let Some((_, digit)) = characters.next_if(|(_, c)| c.is_digit(radix)) else { break };
        number = number.wrapping_mul(radix).wrapping_add(digit.to_digit(radix).unwrap_or(0));
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_texts_and_names_are_words() {
        let words = tokens("a.b -1.5e-3 .Top 0x1F /* no */ 'x\\n' \"\\101\\x42\" // end").expect("all of it is known");
        let word = |text: &str| Token::Word(text.to_owned());
        let expected = [
            word("a.b"),
            Token::Symbol('-'),
            word("1.5e-3"),
            word(".Top"),
            word("0x1F"),
            Token::Text(b"x\nAB".to_vec()),
        ];
        assert_eq!(words, expected);
    }
}
