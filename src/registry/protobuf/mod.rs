//! Protobuf files, resolved: every type that a field names is found, and messages refer to each other by number.
//!
//! ```text
//! text ── lexer ──▶ words ── text ──▶ File ┐
//! texts of what it imports ───────▶ File ├─ ProtobufSchema: messages, enums
//! types that every file knows ────▶ File ┘
//! ```
//!
//! The registry has another reader (`registry/languages/protobuf`), which wants all that a file imports, options too, and
//! keeps every one. This one reads what producers have registered wherever their parsers are more generous: fields without
//! labels, imports that only options need, editions, which `protox-parse` does not know.

mod lexer;
mod text;
mod well_known;

use std::collections::{BTreeMap, HashMap};

use text::{File, Kind, Label, Literal, Syntax};
pub use well_known::WellKnown;

/// A file with all that it imports.
#[derive(Debug, Clone, PartialEq)]
pub struct ProtobufSchema {
    messages: Vec<Message>,
    enums: Vec<Enum>,
    /// Messages of the file itself: they come first.
    own: usize,
}

/// Which message.
pub type MessageId = usize;

/// Which enum.
pub type EnumId = usize;

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// With package and outer messages in front.
    pub name: String,
    /// Its place in the file, as records name it: among the messages of the file, then among those within.
    pub path: Vec<u32>,
    /// Its fields, in the order of the text.
    pub fields: Vec<Field>,
    /// Names of the groups of which one field is set at most.
    pub one_ofs: Vec<String>,
    /// Where it stands for an entry of a map, how that is written.
    pub entry: Option<Entry>,
}

/// How the entries of a map are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// `map<…>`: entries always have a key and a value.
    Map,
    /// A message of `key` and `value`, whose value may be missing.
    Message,
}

/// A field of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its number in records.
    pub number: u32,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether it holds any number of these.
    pub repeated: bool,
    /// Whether repeated numbers are written as one.
    pub packed: bool,
    /// When it has a value.
    pub presence: Presence,
    /// Index of the group of which it is one.
    pub one_of: Option<usize>,
    /// Its value where records have none.
    pub default: Option<FieldDefault>,
    /// Notes of Connect: the digits of decimals.
    pub parameters: BTreeMap<String, String>,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A number, truth value, text or bytes.
    Scalar(Scalar),
    /// Another message.
    Message(MessageId),
    /// One of several names.
    Enum(EnumId),
    /// A message that stands for a value of its own.
    WellKnown(WellKnown),
    /// A group, which SQL has nothing for.
    Group,
}

/// A scalar type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Scalar {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
}

/// When a field has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Always: one that is missing has the default value.
    Implicit,
    /// `optional` of proto3: one that is missing is null.
    Optional,
    /// `optional` of proto2: records say whether it is there, and Connect reads the default value where it is not.
    Explicit,
    /// `required` of proto2.
    Required,
}

/// A default value.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldDefault {
    /// Of whole numbers and enums, by number; of truth values 0 and 1.
    Integer(i64),
    /// Of numbers with a fraction.
    Double(f64),
    /// Of texts and bytes.
    Bytes(Vec<u8>),
}

/// An enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enum {
    /// With package and outer messages in front.
    pub name: String,
    /// Names and numbers, in the order of the text.
    pub values: Vec<(String, i32)>,
    /// Whether records may have other numbers.
    pub open: bool,
}

impl ProtobufSchema {
    /// Reads the file `text`, which may import the texts `references`.
    ///
    /// # Errors
    /// A text that says what is wrong.
    pub fn parse(text: &str, references: &[String]) -> Result<Self, String> {
        let own = text::parse(text)?;
        let mut files = vec![own];
        for reference in references {
            files.push(text::parse(reference)?);
        }
        for known in well_known::FILES {
            files.push(text::parse(known)?);
        }
        Resolver::new(&files).resolve(&files)
    }

    /// The message `id`.
    pub fn message(&self, id: MessageId) -> &Message {
        &self.messages[id]
    }

    /// The enum `id`.
    pub fn enumeration(&self, id: EnumId) -> &Enum {
        &self.enums[id]
    }

    /// The message of the file called `full_name`, or its first.
    ///
    /// # Errors
    /// The names that are there.
    pub fn select(&self, full_name: Option<&str>) -> Result<MessageId, Vec<String>> {
        let own = &self.messages[..self.own];
        let found = match full_name {
            Some(name) => own.iter().position(|message| message.name == name),
            None => (!own.is_empty()).then_some(0),
        };
        found.ok_or_else(|| own.iter().map(|message| message.name.clone()).collect())
    }

    /// The message of the file at `path`.
    pub fn at(&self, path: &[u32]) -> Option<MessageId> {
        self.messages[..self.own].iter().position(|message| message.path == path)
    }
}

/// Finds what names mean.
struct Resolver {
    messages: HashMap<String, MessageId>,
    enums: HashMap<String, EnumId>,
    resolved: Vec<Message>,
}

impl Resolver {
    /// Knows the names of all messages and enums of `files`; of equal ones the first counts.
    fn new(files: &[File]) -> Self {
        let mut resolver = Self { messages: HashMap::new(), enums: HashMap::new(), resolved: Vec::new() };
        for (id, message) in files.iter().flat_map(|file| &file.messages).enumerate() {
            resolver.messages.entry(message.name.clone()).or_insert(id);
        }
        for (id, enumeration) in files.iter().flat_map(|file| &file.enums).enumerate() {
            resolver.enums.entry(enumeration.name.clone()).or_insert(id);
        }
        resolver
    }

    fn resolve(mut self, files: &[File]) -> Result<ProtobufSchema, String> {
        let enums: Vec<Enum> = files
            .iter()
            .flat_map(|file| file.enums.iter().map(|read| (file.syntax, read)))
            .map(|(syntax, read)| Enum {
                name: read.name.clone(),
                values: read.values.clone(),
                open: syntax != Syntax::Proto2,
            })
            .collect();
        // Entries of maps come behind all messages that have a name.
        let mut entries = Vec::new();
        let named = files.iter().map(|file| file.messages.len()).sum();
        for (syntax, message) in files.iter().flat_map(|file| file.messages.iter().map(|read| (file.syntax, read))) {
            let mut fields = Vec::with_capacity(message.fields.len());
            let mut numbers = HashMap::with_capacity(message.fields.len());
            for field in &message.fields {
                if let Some(other) = numbers.insert(field.number, &field.name) {
                    return Err(format!(
                        "{other} and {} of {} have the number {}",
                        field.name, message.name, field.number
                    ));
                }
                fields.push(self.field(field, &message.name, syntax, named, &mut entries, &enums)?);
            }
            let mut message = Message {
                name: message.name.clone(),
                path: message.path.clone(),
                fields,
                one_ofs: message.one_ofs.clone(),
                entry: None,
            };
            message.entry = is_entry(&message).then_some(Entry::Message);
            self.resolved.push(message);
        }
        self.resolved.extend(entries);
        Ok(ProtobufSchema { messages: self.resolved, enums, own: files[0].messages.len() })
    }

    fn field(
        &self,
        field: &text::Field,
        scope: &str,
        syntax: Syntax,
        named: usize,
        entries: &mut Vec<Message>,
        enums: &[Enum],
    ) -> Result<Field, String> {
        let kind = match &field.kind {
            Kind::Named(name) => self.kind(name, scope, &field.name)?,
            Kind::Group => FieldKind::Group,
            Kind::Map(key, value) => {
                let part = |name: &str, number: u32, kind: &str| -> Result<Field, String> {
                    let kind = self.kind(kind, scope, &field.name)?;
                    Ok(Field::of_entry(name, number, kind, field.options.parameters.clone()))
                };
                entries.push(Message {
                    name: format!("{scope}.{}Entry", field.name),
                    path: Vec::new(),
                    fields: vec![part("key", 1, key)?, part("value", 2, value)?],
                    one_ofs: Vec::new(),
                    entry: Some(Entry::Map),
                });
                FieldKind::Message(named + entries.len() - 1)
            }
        };
        let presence = match (field.label, syntax) {
            (Label::Required, _) => Presence::Required,
            (Label::Optional, Syntax::Proto3) => Presence::Optional,
            (_, Syntax::Proto3) => Presence::Implicit,
            _ => Presence::Explicit,
        };
        Ok(Field {
            name: field.name.clone(),
            number: field.number,
            kind,
            repeated: field.label == Label::Repeated || matches!(field.kind, Kind::Map(..)),
            packed: field.options.packed.unwrap_or(syntax != Syntax::Proto2),
            presence,
            one_of: field.one_of,
            default: field.options.default.as_ref().and_then(|literal| default(literal, kind, enums)),
            parameters: field.options.parameters.clone(),
        })
    }

    fn kind(&self, name: &str, scope: &str, field: &str) -> Result<FieldKind, String> {
        if let Some(scalar) = Scalar::named(name) {
            return Ok(FieldKind::Scalar(scalar));
        }
        for candidate in candidates(name, scope) {
            if let Some(known) = WellKnown::named(&candidate) {
                return Ok(FieldKind::WellKnown(known));
            }
            if let Some(id) = self.enums.get(&candidate) {
                return Ok(FieldKind::Enum(*id));
            }
            if let Some(id) = self.messages.get(&candidate) {
                return Ok(FieldKind::Message(*id));
            }
        }
        Err(format!("the type {name} of the field {field} is not defined"))
    }
}

impl Field {
    fn of_entry(name: &str, number: u32, kind: FieldKind, parameters: BTreeMap<String, String>) -> Self {
        Self {
            name: name.to_owned(),
            number,
            kind,
            repeated: false,
            packed: false,
            presence: Presence::Implicit,
            one_of: None,
            default: None,
            parameters,
        }
    }
}

/// What `name` may mean within `scope`, innermost first.
fn candidates(name: &str, scope: &str) -> Vec<String> {
    if let Some(absolute) = name.strip_prefix('.') {
        return vec![absolute.to_owned()];
    }
    let mut candidates = vec![format!("{scope}.{name}")];
    let mut outer = scope;
    while let Some((shorter, _)) = outer.rsplit_once('.') {
        candidates.push(format!("{shorter}.{name}"));
        outer = shorter;
    }
    candidates.push(name.to_owned());
    candidates
}

/// Whether Connect takes repeated messages of this kind for a map.
fn is_entry(message: &Message) -> bool {
    message.name.ends_with("Entry")
        && matches!(message.fields.as_slice(), [key, value] if key.name == "key" && value.name == "value" && !key.repeated)
}

fn default(literal: &Literal, kind: FieldKind, enums: &[Enum]) -> Option<FieldDefault> {
    Some(match (kind, literal) {
        // No reader takes a string that is none: the field is empty where it is missing.
        (FieldKind::Scalar(Scalar::String), Literal::Text(text)) if std::str::from_utf8(text).is_err() => return None,
        (FieldKind::Scalar(Scalar::String | Scalar::Bytes), Literal::Text(text)) => FieldDefault::Bytes(text.clone()),
        // Nor a number for a text.
        (FieldKind::Scalar(Scalar::String | Scalar::Bytes), Literal::Word(_)) => return None,
        (FieldKind::Scalar(Scalar::Bool), Literal::Word(word)) => FieldDefault::Integer((word == "true").into()),
        (FieldKind::Scalar(Scalar::Double | Scalar::Float), Literal::Word(word)) => {
            FieldDefault::Double(word.parse().ok().or_else(|| text::integer(word).map(|number| number as f64))?)
        }
        (FieldKind::Scalar(_), Literal::Word(word)) => FieldDefault::Integer(match word.strip_prefix('-') {
            Some(positive) => text::integer(positive)?.wrapping_neg(),
            None => text::integer(word)?,
        }),
        (FieldKind::Enum(id), Literal::Word(word)) => {
            let values = &enums[id].values;
            FieldDefault::Integer(values.iter().find(|(name, _)| name == word)?.1.into())
        }
        _ => return None,
    })
}

impl Scalar {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "double" => Self::Double,
            "float" => Self::Float,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "uint32" => Self::Uint32,
            "uint64" => Self::Uint64,
            "sint32" => Self::Sint32,
            "sint64" => Self::Sint64,
            "fixed32" => Self::Fixed32,
            "fixed64" => Self::Fixed64,
            "sfixed32" => Self::Sfixed32,
            "sfixed64" => Self::Sfixed64,
            "bool" => Self::Bool,
            "string" => Self::String,
            "bytes" => Self::Bytes,
            _ => return None,
        })
    }

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::Float => "float",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Sint32 => "sint32",
            Self::Sint64 => "sint64",
            Self::Fixed32 => "fixed32",
            Self::Fixed64 => "fixed64",
            Self::Sfixed32 => "sfixed32",
            Self::Sfixed64 => "sfixed64",
            Self::Bool => "bool",
            Self::String => "string",
            Self::Bytes => "bytes",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> ProtobufSchema {
        ProtobufSchema::parse(text, &[]).expect("a file")
    }

    #[test]
    fn names_are_looked_for_from_the_inside_out() {
        let schema = parse(
            "package p; message A { message B { int32 x = 1; } B b = 1; .p.B c = 2; E e = 3; google.protobuf.Duration d = 4; } message B {} enum E { X = 0; }",
        );
        let kinds: Vec<FieldKind> = schema.message(0).fields.iter().map(|field| field.kind).collect();
        assert_eq!(kinds[..3], [FieldKind::Message(1), FieldKind::Message(2), FieldKind::Enum(0)]);
        let FieldKind::Message(duration) = kinds[3] else { panic!("a message") };
        assert_eq!(schema.message(duration).name, "google.protobuf.Duration");
        assert_eq!((schema.select(Some("p.A.B")), schema.at(&[0, 0]), schema.at(&[2])), (Ok(1), Some(1), None));
        assert_eq!(schema.select(Some("B")), Err(vec!["p.A".to_owned(), "p.A.B".to_owned(), "p.B".to_owned()]));
    }

    #[test]
    fn two_fields_of_one_number_are_refused() {
        let refused = ProtobufSchema::parse("message A { int32 x = 1; message B { bool y = 2; string z = 2; } }", &[]);
        assert_eq!(refused.map(drop), Err("y and z of A.B have the number 2".to_owned()));
    }

    #[test]
    fn maps_are_repeated_entries() {
        let schema = parse(
            "syntax = 'proto3'; message M { map<string, bytes> m = 1; repeated E e = 2; message E { int32 key = 1; } }",
        );
        let [map, list] = schema.message(0).fields.as_slice() else { panic!("two fields") };
        let entry = |field: &Field| match field.kind {
            FieldKind::Message(id) => schema.message(id).entry,
            _ => None,
        };
        assert_eq!((entry(map), map.repeated, entry(list)), (Some(Entry::Map), true, None));
    }

    #[test]
    fn presence_and_defaults_depend_on_the_syntax() {
        let presence = |text: &str| parse(text).message(0).fields[0].presence;
        assert_eq!(presence("syntax = 'proto3'; message M { int32 a = 1; }"), Presence::Implicit);
        assert_eq!(presence("syntax = 'proto3'; message M { optional int32 a = 1; }"), Presence::Optional);
        assert_eq!(presence("message M { optional int32 a = 1; }"), Presence::Explicit);
        assert_eq!(presence("message M { required int32 a = 1; }"), Presence::Required);
        let default = |field: &str| {
            parse(&format!("message M {{ optional {field}; }} enum E {{ A = 0; B = 7; }}")).message(0).fields[0]
                .default
                .clone()
        };
        assert_eq!(default("int32 a = 1 [default = -0x10]"), Some(FieldDefault::Integer(-16)));
        assert_eq!(default("uint64 a = 1 [default = 18446744073709551615]"), Some(FieldDefault::Integer(-1)));
        assert_eq!(default("bool a = 1 [default = true]"), Some(FieldDefault::Integer(1)));
        assert_eq!(default("float a = 1 [default = -inf]"), Some(FieldDefault::Double(f64::NEG_INFINITY)));
        assert_eq!(default("E a = 1 [default = B]"), Some(FieldDefault::Integer(7)));
        assert_eq!(default("string a = 1 [default = 'x']"), Some(FieldDefault::Bytes(b"x".to_vec())));
        assert_eq!(default("bytes a = 1 [default = '\\377']"), Some(FieldDefault::Bytes(vec![255])));
        assert_eq!(default("string a = 1 [default = '\\377']"), None, "it is no UTF-8");
        assert_eq!((default("bytes a = 1 [default = 7]"), default("string a = 1 [default = 7]")), (None, None));
        assert_eq!((default("int32 a = 1 [default = 'x']"), default("bool a = 1 [default = 'x']")), (None, None));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(words in prop::collection::vec(prop::sample::select(vec![
            "message", "enum", "M", "E", "{", "}", "oneof", "map", "<", ">", "string", ",", "int32", "f", "=", "1", "-", ";",
            "[", "]", "default", "packed", "true", "'x", "'", "optional", "group", "/*", "//", "0x", "1e-", "9223372036854775808",
        ]), 0..40)) {
            let text = words.join(" ");
            let _ = ProtobufSchema::parse(&text, &[]);
            let _ = ProtobufSchema::parse(&format!("message M {{ {text} }} enum E {{ A = 0; }}"), &[]);
        }
    }
}
