//! The text of `.proto` files: messages, enums and their fields; services, options and extensions are passed over.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::CharIndices;

/// A file.
#[derive(Debug, Default)]
pub(super) struct File {
    /// Messages by full name, in the order in which they begin.
    pub(super) messages: Vec<Message>,
    /// Full names of enums.
    pub(super) enums: Vec<String>,
}

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    /// With package and outer messages in front.
    pub(super) name: String,
    /// In the order of the text; those of a `oneof` stand where that begins.
    pub(super) fields: Vec<Field>,
}

/// A field of a message.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) repeated: bool,
    /// Texts by key within the options: what Connect notes about decimals.
    pub(super) parameters: BTreeMap<String, String>,
}

/// What a field holds.
#[derive(Debug)]
pub(super) enum Kind {
    /// A scalar, message or enum by name.
    Named(String),
    /// `map<key, value>`.
    Map(String, String),
    /// At most one of these.
    OneOf(Vec<Field>),
}

/// Reads a file.
pub(super) fn parse(text: &str) -> Result<File, String> {
    let mut parser = Parser { tokens: tokens(text)?.into_iter().peekable(), file: File::default() };
    let mut package = String::new();
    while let Some(token) = parser.tokens.next() {
        match token {
            Token::Word(word) if word == "package" => package = parser.statement_word()?,
            Token::Word(word) if word == "message" => parser.message(&package, 0)?,
            Token::Word(word) if word == "enum" => parser.enumeration(&package)?,
            Token::Word(_) => parser.skip_statement()?,
            Token::Symbol(';') => {}
            other => return Err(format!("unexpected {other:?}")),
        }
    }
    Ok(parser.file)
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A name, a number or a type with its path.
    Word(String),
    Text(String),
    Symbol(char),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        match character {
            _ if character.is_whitespace() => {}
            '/' if next == Some('/') => while characters.next_if(|(_, c)| *c != '\n').is_some() {},
            '/' if next == Some('*') => skip_comment(&mut characters)?,
            '"' | '\'' => tokens.push(Token::Text(quoted(&mut characters, character)?)),
            _ if is_word(character) || (character == '.' && next.is_some_and(is_word)) => {
                let mut end = at + character.len_utf8();
                while let Some((at, c)) = characters.next_if(|(_, c)| is_word(*c) || *c == '.') {
                    end = at + c.len_utf8();
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

fn skip_comment(characters: &mut Peekable<CharIndices<'_>>) -> Result<(), String> {
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

fn quoted(characters: &mut Peekable<CharIndices<'_>>, quote: char) -> Result<String, String> {
    let mut text = String::new();
    while let Some((_, character)) = characters.next() {
        match character {
            _ if character == quote => return Ok(text),
            '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
            other => text.push(other),
        }
    }
    Err("a text does not end".to_owned())
}

struct Parser {
    tokens: Peekable<std::vec::IntoIter<Token>>,
    file: File,
}

/// Deeper than people nest messages.
const DEPTH_MAX: usize = 64;

impl Parser {
    fn word(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Word(word)) => Ok(word),
            Some(other) => Err(format!("expected a name, found {other:?}")),
            None => Err("it ends too early".to_owned()),
        }
    }

    fn symbol(&mut self, wanted: char) -> Result<(), String> {
        match self.tokens.next() {
            Some(Token::Symbol(symbol)) if symbol == wanted => Ok(()),
            Some(other) => Err(format!("expected '{wanted}', found {other:?}")),
            None => Err(format!("expected '{wanted}', and it ends")),
        }
    }

    fn has(&mut self, symbol: char) -> bool {
        self.tokens.next_if_eq(&Token::Symbol(symbol)).is_some()
    }

    /// The word before the `;`.
    fn statement_word(&mut self) -> Result<String, String> {
        let word = self.word()?;
        self.symbol(';')?;
        Ok(word)
    }

    /// Up to the `;`, or to the end of the block that it has.
    fn skip_statement(&mut self) -> Result<(), String> {
        let mut depth = 0_usize;
        for token in self.tokens.by_ref() {
            match token {
                Token::Symbol(';') if depth == 0 => return Ok(()),
                Token::Symbol('{') => depth += 1,
                Token::Symbol('}') if depth <= 1 => {
                    self.tokens.next_if_eq(&Token::Symbol(';'));
                    return Ok(());
                }
                Token::Symbol('}') => depth -= 1,
                _ => {}
            }
        }
        Err("a statement does not end".to_owned())
    }

    fn enumeration(&mut self, outer: &str) -> Result<(), String> {
        let name = inner_name(outer, &self.word()?);
        self.file.enums.push(name);
        self.skip_statement()
    }

    fn message(&mut self, outer: &str, depth: usize) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(format!("messages are nested more than {DEPTH_MAX} deep"));
        }
        let name = inner_name(outer, &self.word()?);
        // Its place is before those of the messages within.
        let index = self.file.messages.len();
        self.file.messages.push(Message { name: name.clone(), fields: Vec::new() });
        self.symbol('{')?;
        let mut fields = Vec::new();
        while !self.has('}') {
            if self.has(';') {
                continue;
            }
            let word = self.word()?;
            // These words are names of fields' types too: `message` and `enum` are followed by a name and a `{`.
            match word.as_str() {
                "message" => self.message(&name, depth + 1)?,
                "enum" => self.enumeration(&name)?,
                "option" | "reserved" | "extensions" | "extend" => self.skip_statement()?,
                "oneof" => fields.push(self.one_of()?),
                _ => fields.push(self.field(word)?),
            }
        }
        self.file.messages[index].fields = fields;
        Ok(())
    }

    fn one_of(&mut self) -> Result<Field, String> {
        let name = self.word()?;
        self.symbol('{')?;
        let mut choices = Vec::new();
        while !self.has('}') {
            if self.has(';') {
                continue;
            }
            let word = self.word()?;
            if word == "option" {
                self.skip_statement()?;
            } else {
                choices.push(self.field(word)?);
            }
        }
        Ok(Field { name, kind: Kind::OneOf(choices), repeated: false, parameters: BTreeMap::new() })
    }

    /// A field whose first word was read.
    fn field(&mut self, first: String) -> Result<Field, String> {
        let mut repeated = false;
        let mut kind = first;
        if matches!(kind.as_str(), "repeated" | "optional" | "required") {
            repeated = kind == "repeated";
            kind = self.word()?;
        }
        let kind = if kind == "map" && self.has('<') {
            let key = self.word()?;
            self.symbol(',')?;
            let value = self.word()?;
            self.symbol('>')?;
            Kind::Map(key, value)
        } else {
            Kind::Named(kind)
        };
        let name = self.word()?;
        self.symbol('=')?;
        self.word()?;
        let parameters = if self.has('[') { self.options()? } else { BTreeMap::new() };
        self.symbol(';')?;
        Ok(Field { name, kind, repeated, parameters })
    }

    /// Up to the `]`: texts that stand as `key: "k"` and `value: "v"` between one pair of braces.
    fn options(&mut self) -> Result<BTreeMap<String, String>, String> {
        let mut parameters = BTreeMap::new();
        let (mut key, mut value) = (None, None);
        let mut label = String::new();
        let mut depth = 0_usize;
        for token in self.tokens.by_ref() {
            match token {
                Token::Symbol(']') if depth == 0 => return Ok(parameters),
                Token::Symbol('[') => depth += 1,
                Token::Symbol(']') => depth -= 1,
                Token::Symbol('{') => (key, value) = (None, None),
                Token::Symbol('}') => {
                    if let (Some(key), Some(value)) = (key.take(), value.take()) {
                        parameters.insert(key, value);
                    }
                }
                Token::Word(word) => label = word,
                Token::Text(text) if label == "key" => key = Some(text),
                Token::Text(text) if label == "value" => value = Some(text),
                _ => {}
            }
        }
        Err("the options of a field do not end".to_owned())
    }
}

fn inner_name(outer: &str, name: &str) -> String {
    if outer.is_empty() { name.to_owned() } else { format!("{outer}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_with_their_place() {
        let file = parse(
            r#"// A file.
            syntax = "proto3"; package a.b; import "x.proto"; option java_package = "c";
            message Outer { /* within */ reserved 2, 4 to 6; enum E { X = 0; } message Inner { int32 i = 1; }
              repeated Inner many = 1; map<string, E> by_name = 3; oneof choice { string s = 7; int64 l = 8; } }
            service S { rpc F (Outer) returns (Outer) {} }"#,
        )
        .expect("a file");
        let names: Vec<&str> = file.messages.iter().map(|message| message.name.as_str()).collect();
        assert_eq!((names, file.enums), (vec!["a.b.Outer", "a.b.Outer.Inner"], vec!["a.b.Outer.E".to_owned()]));
        let fields: Vec<&str> = file.messages[0].fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(fields, ["many", "by_name", "choice"]);
    }

    #[test]
    fn parameters_of_connect_are_found_in_options() {
        let file = parse(
            r#"message M { confluent.type.Decimal d = 1 [deprecated = true, (confluent.field_meta) = { params: [
                 { value: "4", key: "precision" }, { key: "scale", value: "2" }] }]; }"#,
        )
        .expect("a file");
        let parameters = &file.messages[0].fields[0].parameters;
        assert_eq!((parameters["precision"].as_str(), parameters["scale"].as_str()), ("4", "2"));
    }

    #[test]
    fn what_is_no_file_is_an_error() {
        for (text, reason) in [
            ("message", "it ends too early"),
            ("message M { int32 }", "expected a name, found Symbol('}')"),
            ("message M { int32 a = 1 [", "the options of a field do not end"),
            ("/* ", "a comment does not end"),
            ("import \"x", "a text does not end"),
            ("option x", "a statement does not end"),
            ("{", "unexpected Symbol('{')"),
        ] {
            assert_eq!(parse(text).err().as_deref(), Some(reason), "{text}");
        }
        let nested = "message M {".repeat(100_000);
        assert!(parse(&nested).is_err());
    }
}
