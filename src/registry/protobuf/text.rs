//! The text of `.proto` files: messages, enums and their fields; services and extensions are passed over.

use std::collections::BTreeMap;
use std::iter::Peekable;

use super::lexer::{Token, tokens};

/// A file.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) syntax: Syntax,
    /// Messages, in the order in which they begin.
    pub(super) messages: Vec<Message>,
    pub(super) enums: Vec<Enum>,
}

/// The version of the language, which says when a field has a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Syntax {
    #[default]
    Proto2,
    Proto3,
    /// An edition: fields are there or not, as in proto2, and lists are packed.
    Edition,
}

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    /// With package and outer messages in front.
    pub(super) name: String,
    /// Its place: among the messages of the file, then among those within.
    pub(super) path: Vec<u32>,
    pub(super) fields: Vec<Field>,
    pub(super) one_ofs: Vec<String>,
}

/// An enum.
#[derive(Debug)]
pub(super) struct Enum {
    /// With package and outer messages in front.
    pub(super) name: String,
    /// Names and numbers, in the order of the text.
    pub(super) values: Vec<(String, i32)>,
}

/// A field of a message.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) label: Label,
    /// Index of the `oneof` that it stands in.
    pub(super) one_of: Option<usize>,
    pub(super) options: Options,
}

/// What a field holds.
#[derive(Debug)]
pub(super) enum Kind {
    /// A scalar, message or enum by name.
    Named(String),
    /// `map<key, value>`.
    Map(String, String),
    /// `group`, which is no longer used and stands for nothing in SQL.
    Group,
}

/// The word in front of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    None,
    Optional,
    Required,
    Repeated,
}

/// What stands in brackets behind a field.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) default: Option<Literal>,
    pub(super) packed: Option<bool>,
    /// Texts by key: what Connect notes about decimals.
    pub(super) parameters: BTreeMap<String, String>,
}

/// A default value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    /// A number or a name.
    Word(String),
    Text(Vec<u8>),
}

/// Reads a file.
pub(super) fn parse(text: &str) -> Result<File, String> {
    let mut parser = Parser { tokens: tokens(text)?.into_iter().peekable(), file: File::default() };
    let mut package = String::new();
    let mut messages = 0;
    while let Some(token) = parser.tokens.next() {
        match token {
            Token::Word(word) if word == "package" => package = parser.statement_word()?,
            Token::Word(word) if word == "syntax" || word == "edition" => parser.syntax(&word)?,
            Token::Word(word) if word == "message" => {
                parser.message(&package, &[messages])?;
                messages += 1;
            }
            Token::Word(word) if word == "enum" => parser.enumeration(&package)?,
            Token::Word(_) => parser.skip_statement()?,
            Token::Symbol(';') => {}
            other => return Err(format!("unexpected {other:?}")),
        }
    }
    Ok(parser.file)
}

struct Parser {
    tokens: Peekable<std::vec::IntoIter<Token>>,
    file: File,
}

/// Deeper than people nest messages.
const DEPTH_MAX: usize = 64;

/// The greatest number of a field.
const NUMBER_MAX: i64 = (1 << 29) - 1;

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

    /// A whole number.
    fn integer(&mut self) -> Result<i64, String> {
        let negative = self.has('-');
        let word = self.word()?;
        let number = integer(&word).ok_or_else(|| format!("expected a number, found {word}"))?;
        Ok(if negative { number.wrapping_neg() } else { number })
    }

    fn syntax(&mut self, word: &str) -> Result<(), String> {
        self.symbol('=')?;
        let Some(Token::Text(version)) = self.tokens.next() else {
            return Err(format!("expected a version behind {word}"));
        };
        self.symbol(';')?;
        self.file.syntax = match (word, version.as_slice()) {
            ("edition", _) => Syntax::Edition,
            (_, b"proto3") => Syntax::Proto3,
            (_, b"proto2") => Syntax::Proto2,
            (_, other) => return Err(format!("the syntax {} is not known", String::from_utf8_lossy(other))),
        };
        Ok(())
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
        self.symbol('{')?;
        let mut values = Vec::new();
        while !self.has('}') {
            if self.has(';') {
                continue;
            }
            let value = self.word()?;
            if matches!(value.as_str(), "option" | "reserved") && self.tokens.peek() != Some(&Token::Symbol('=')) {
                self.skip_statement()?;
                continue;
            }
            self.symbol('=')?;
            let number = self.integer()?;
            let number = i32::try_from(number).map_err(|_| format!("{number} is no number of an enum"))?;
            if self.has('[') {
                self.options()?;
            }
            self.symbol(';')?;
            values.push((value, number));
        }
        self.file.enums.push(Enum { name, values });
        Ok(())
    }

    fn message(&mut self, outer: &str, path: &[u32]) -> Result<(), String> {
        if path.len() > DEPTH_MAX {
            return Err(format!("messages are nested more than {DEPTH_MAX} deep"));
        }
        let name = inner_name(outer, &self.word()?);
        self.message_body(&name, path)
    }

    /// What stands between the braces of a message or group.
    fn message_body(&mut self, name: &str, path: &[u32]) -> Result<(), String> {
        // Its place is before those of the messages within.
        let index = self.file.messages.len();
        let message = Message { name: name.to_owned(), path: path.to_vec(), fields: Vec::new(), one_ofs: Vec::new() };
        self.file.messages.push(message);
        self.symbol('{')?;
        let mut inner = Inner { name, path, messages: 0, fields: Vec::new(), one_ofs: Vec::new() };
        while !self.has('}') {
            if self.has(';') {
                continue;
            }
            let word = self.word()?;
            // These words are names of fields' types too: `message` and `enum` are followed by a name and a `{`.
            match word.as_str() {
                "message" => {
                    let path = inner.next_path();
                    self.message(name, &path)?;
                }
                "enum" => self.enumeration(name)?,
                "option" | "reserved" | "extensions" | "extend" => self.skip_statement()?,
                "oneof" => self.one_of(&mut inner)?,
                _ => self.field(word, None, &mut inner)?,
            }
        }
        let Inner { fields, one_ofs, .. } = inner;
        self.file.messages[index].fields = fields;
        self.file.messages[index].one_ofs = one_ofs;
        Ok(())
    }

    fn one_of(&mut self, inner: &mut Inner<'_>) -> Result<(), String> {
        let name = self.word()?;
        inner.one_ofs.push(name);
        let index = inner.one_ofs.len() - 1;
        self.symbol('{')?;
        while !self.has('}') {
            if self.has(';') {
                continue;
            }
            let word = self.word()?;
            if word == "option" {
                self.skip_statement()?;
            } else {
                self.field(word, Some(index), inner)?;
            }
        }
        Ok(())
    }

    /// A field whose first word was read.
    fn field(&mut self, first: String, one_of: Option<usize>, inner: &mut Inner<'_>) -> Result<(), String> {
        let label = match first.as_str() {
            "repeated" => Label::Repeated,
            "optional" => Label::Optional,
            "required" => Label::Required,
            _ => Label::None,
        };
        let kind = if label == Label::None { first } else { self.word()? };
        let kind = if kind == "map" && self.has('<') {
            let key = self.word()?;
            self.symbol(',')?;
            let value = self.word()?;
            self.symbol('>')?;
            Kind::Map(key, value)
        } else if kind == "group" {
            Kind::Group
        } else {
            Kind::Named(kind)
        };
        let name = self.word()?;
        if one_of.is_some() && (label == Label::Repeated || matches!(kind, Kind::Map(..))) {
            return Err(format!("{name} stands in a oneof, and holds several values"));
        }
        self.symbol('=')?;
        let number = self.integer()?;
        let Some(number) = u32::try_from(number).ok().filter(|_| (1..=NUMBER_MAX).contains(&number)) else {
            return Err(format!("{number} is no number of a field"));
        };
        let options = if self.has('[') { self.options()? } else { Options::default() };
        if matches!(kind, Kind::Group) {
            let path = inner.next_path();
            if path.len() > DEPTH_MAX {
                return Err(format!("messages are nested more than {DEPTH_MAX} deep"));
            }
            self.message_body(&inner_name(inner.name, &name), &path)?;
        } else {
            self.symbol(';')?;
        }
        inner.fields.push(Field { name, number, kind, label, one_of, options });
        Ok(())
    }

    /// Up to the `]`: the default value, and texts that stand as `key: "k"` and `value: "v"` between one pair of braces.
    fn options(&mut self) -> Result<Options, String> {
        let mut options = Options::default();
        let (mut key, mut value) = (None, None);
        let mut label = String::new();
        let mut depth = 0_usize;
        while let Some(token) = self.tokens.next() {
            match token {
                Token::Symbol(']') if depth == 0 => return Ok(options),
                Token::Symbol('[') => depth += 1,
                Token::Symbol(']') => depth = depth.saturating_sub(1),
                Token::Symbol('=') if depth == 0 && label == "default" => options.default = self.literal(),
                Token::Symbol('=') if depth == 0 && label == "packed" => {
                    options.packed = Some(self.literal() == Some(Literal::Word("true".to_owned())));
                }
                Token::Symbol('{') => (key, value) = (None, None),
                Token::Symbol('}') => {
                    if let (Some(key), Some(value)) = (key.take(), value.take()) {
                        options.parameters.insert(key, value);
                    }
                }
                Token::Word(word) => label = word,
                Token::Text(text) if label == "key" => key = Some(String::from_utf8_lossy(&text).into_owned()),
                Token::Text(text) if label == "value" => value = Some(String::from_utf8_lossy(&text).into_owned()),
                _ => {}
            }
        }
        Err("the options of a field do not end".to_owned())
    }

    fn literal(&mut self) -> Option<Literal> {
        let sign = if self.has('-') { "-" } else { "" };
        match self.tokens.next_if(|token| !matches!(token, Token::Symbol(_)))? {
            Token::Word(word) => Some(Literal::Word(format!("{sign}{word}"))),
            Token::Text(text) => Some(Literal::Text(text)),
            Token::Symbol(_) => None,
        }
    }
}

/// A message whose fields are being read.
struct Inner<'a> {
    name: &'a str,
    path: &'a [u32],
    /// Messages within, so far.
    messages: u32,
    fields: Vec<Field>,
    one_ofs: Vec<String>,
}

impl Inner<'_> {
    /// The place of the next message within.
    fn next_path(&mut self) -> Vec<u32> {
        let path = self.path.iter().copied().chain([self.messages]).collect();
        self.messages += 1;
        path
    }
}

/// A whole number as it is written: decimal, `0x…`, or octal behind a `0`.
pub(super) fn integer(word: &str) -> Option<i64> {
    let (digits, radix) = if let Some(hex) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        (hex, 16)
    } else if word.len() > 1 && word.starts_with('0') {
        (&word[1..], 8)
    } else {
        (word, 10)
    };
    // Unsigned numbers have the bits of signed ones.
    i64::from_str_radix(digits, radix).ok().or_else(|| u64::from_str_radix(digits, radix).ok().map(|bits| bits as i64))
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
            message Outer { /* within */ reserved 2, 4 to 6; enum E { X = 0; Y = -1 [deprecated = true]; } message Inner { int32 i = 1; }
              repeated Inner many = 1; map<string, E> by_name = 3; oneof choice { string s = 7; int64 l = 0x8; } message Last {} }
            service S { rpc F (Outer) returns (Outer) {} } message Next {}"#,
        )
        .expect("a file");
        let places: Vec<(&str, &[u32])> =
            file.messages.iter().map(|message| (message.name.as_str(), message.path.as_slice())).collect();
        let expected: [(&str, &[u32]); 4] =
            [("a.b.Outer", &[0]), ("a.b.Outer.Inner", &[0, 0]), ("a.b.Outer.Last", &[0, 1]), ("a.b.Next", &[1])];
        assert_eq!((places.as_slice(), file.syntax), (&expected[..], Syntax::Proto3));
        assert_eq!(file.enums[0].values, [("X".to_owned(), 0), ("Y".to_owned(), -1)]);
        let fields: Vec<(&str, u32, Option<usize>)> =
            file.messages[0].fields.iter().map(|field| (field.name.as_str(), field.number, field.one_of)).collect();
        assert_eq!(fields, [("many", 1, None), ("by_name", 3, None), ("s", 7, Some(0)), ("l", 8, Some(0))]);
    }

    #[test]
    fn groups_are_messages_and_defaults_are_read() {
        let file = parse(
            "message M { optional group Part = 1 { optional int32 x = 1; } optional double d = 2 [default = -1.5e-3];
              optional string s = 3 [default = 'a\\'b', deprecated = true]; repeated int32 r = 4 [packed = true]; }",
        )
        .expect("a file");
        assert_eq!((file.syntax, file.messages[1].name.as_str()), (Syntax::Proto2, "M.Part"));
        let [group, number, text, packed] = file.messages[0].fields.as_slice() else { panic!("four fields") };
        assert!(matches!(group.kind, Kind::Group));
        assert_eq!(number.options.default, Some(Literal::Word("-1.5e-3".to_owned())));
        assert_eq!(text.options.default, Some(Literal::Text(b"a'b".to_vec())));
        assert_eq!((packed.options.packed, packed.label), (Some(true), Label::Repeated));
    }

    #[test]
    fn parameters_of_connect_are_found_in_options() {
        let file = parse(
            r#"message M { confluent.type.Decimal d = 1 [deprecated = true, (confluent.field_meta) = { params: [
                 { value: "4", key: "precision" }, { key: "scale", value: "2" }] }]; }"#,
        )
        .expect("a file");
        let parameters = &file.messages[0].fields[0].options.parameters;
        assert_eq!((parameters["precision"].as_str(), parameters["scale"].as_str()), ("4", "2"));
    }

    #[test]
    fn what_is_no_file_is_an_error() {
        for (text, reason) in [
            ("message", "it ends too early"),
            ("message M { int32 }", "expected a name, found Symbol('}')"),
            ("message M { int32 a = 1 [", "the options of a field do not end"),
            ("message M { int32 a = 0; }", "0 is no number of a field"),
            ("message M { int32 a = b; }", "expected a number, found b"),
            ("message M { oneof o { repeated int32 a = 1; } }", "a stands in a oneof, and holds several values"),
            ("message M { oneof o { map<string, int32> m = 1; } }", "m stands in a oneof, and holds several values"),
            ("syntax = \"proto4\";", "the syntax proto4 is not known"),
            ("/* ", "a comment does not end"),
            ("import \"x", "a text does not end"),
            ("option x", "a statement does not end"),
            ("{", "unexpected Symbol('{')"),
        ] {
            assert_eq!(parse(text).err().as_deref(), Some(reason), "{text}");
        }
        let nested = "message M {".repeat(100_000);
        assert!(parse(&nested).is_err());
        assert!(parse(&"message M { optional group G = 1 ".repeat(100_000)).is_err());
    }
}
