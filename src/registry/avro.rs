//! Avro schemas, as trees of numbered nodes: a name may lead back to the type that it stands in.
//!
//! ```text
//! texts of references ─▶ names ─┐
//! text ──── JSON ───────────────┴─▶ AvroSchema: nodes, their names, notes of Connect
//!                                     ├── read ──▶ SqlType
//!                                     └── formats ──▶ records
//! ```
//!
//! The registry has another reader (`registry/languages/avro`), which keeps all that a schema says (aliases, properties,
//! documentation) and refuses what Avro's own parser refuses. This one passes by what neither types nor records need.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// A parsed schema.
#[derive(Debug, Clone, PartialEq)]
pub struct AvroSchema {
    nodes: Vec<Node>,
    /// The types of its references, and its own.
    roots: Vec<NodeId>,
    /// Names of records, enums and fixed, without their namespaces.
    names: HashMap<NodeId, String>,
    notes: HashMap<NodeId, Note>,
}

/// What a schema notes beside a type: what its values mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// Digits of a decimal.
    Decimal {
        /// How many; not all schemas say.
        precision: Option<u64>,
        /// How many of them stand after the point.
        scale: u64,
    },
    /// Days.
    Date,
    /// Milliseconds of a day.
    Time,
    /// Milliseconds since 1970.
    Timestamp,
    /// A record that is an entry of a map.
    MapEntry,
}

/// Which node.
pub type NodeId = usize;

/// A type of Avro.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// `null`: no bytes.
    Null,
    /// `boolean`
    Boolean,
    /// `int`
    Int,
    /// `long`
    Long,
    /// `float`
    Float,
    /// `double`
    Double,
    /// `bytes`; with a scale, the digits of a decimal.
    Bytes {
        /// Digits after the point of the logical type `decimal`.
        scale: Option<u8>,
    },
    /// `string`
    String,
    /// `fixed`; with a scale, the digits of a decimal.
    Fixed {
        /// Bytes.
        size: usize,
        /// Digits after the point of the logical type `decimal`.
        scale: Option<u8>,
    },
    /// `enum`, by its symbols.
    Enum(Vec<String>),
    /// `array` of a type.
    Array(NodeId),
    /// `map` from strings to a type.
    Map(NodeId),
    /// `record` of fields.
    Record(Vec<Field>),
    /// One of several types.
    Union(Vec<NodeId>),
    /// A record, enum or fixed that is being read.
    Open,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub node: NodeId,
    /// Its value where a writer has none.
    pub default: Option<Value>,
}

fn fault<T>(reason: impl Into<String>) -> Result<T, String> {
    Err(reason.into())
}

impl AvroSchema {
    /// Reads `text`, which may use the names that `references` define.
    ///
    /// # Errors
    /// A text that says what is wrong.
    pub fn parse(text: &str, references: &[String]) -> Result<Self, String> {
        let mut parser = Parser::default();
        let mut roots = Vec::with_capacity(references.len() + 1);
        for text in references.iter().map(String::as_str).chain([text]) {
            roots.push(parser.read(&json(text)?, "")?);
        }
        let simple = |full: &str| full.rsplit('.').next().unwrap_or(full).to_owned();
        let names = parser.names.iter().map(|(name, node)| (*node, simple(name))).collect();
        Ok(Self { nodes: parser.nodes, roots, names, notes: parser.notes })
    }

    /// The type of a whole datum.
    pub fn root(&self) -> NodeId {
        self.roots[self.roots.len() - 1]
    }

    /// The types of the texts that it was read from, in the order in which they name each other: its own is the last.
    pub fn roots(&self) -> &[NodeId] {
        &self.roots
    }

    /// The node `id`.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// What is noted beside the node `id`.
    pub fn note(&self, id: NodeId) -> Option<Note> {
        self.notes.get(&id).copied()
    }

    /// Fields of the node `id`, if it is a record.
    pub fn fields(&self, id: NodeId) -> Option<&[Field]> {
        match self.node(id) {
            Node::Record(fields) => Some(fields),
            _ => None,
        }
    }

    /// What the type of the node `id` is called in the language.
    pub fn kind(&self, id: NodeId) -> &'static str {
        match self.node(id) {
            Node::Null => "null",
            Node::Boolean => "boolean",
            Node::Int => "int",
            Node::Long => "long",
            Node::Float => "float",
            Node::Double => "double",
            Node::Bytes { .. } => "bytes",
            Node::String => "string",
            Node::Fixed { .. } => "fixed",
            Node::Enum(_) => "enum",
            Node::Array(_) => "array",
            Node::Map(_) => "map",
            Node::Record(_) | Node::Open => "record",
            Node::Union(_) => "union",
        }
    }

    /// What the node `id` is called as a branch of a union: by its own name without namespace, or by its kind if it has none.
    pub fn branch_name(&self, id: NodeId) -> &str {
        self.names.get(&id).map_or(self.kind(id), String::as_str)
    }

    /// The branches of the node `id`, if it is a union of several types beside null.
    pub fn several(&self, id: NodeId) -> Option<&[NodeId]> {
        match self.node(id) {
            Node::Union(branches) if self.without_null(id) == id && branches.len() > 1 => Some(branches),
            _ => None,
        }
    }

    /// Whether the node `id` is a record of `key` and `value`: entries of a map whose keys are no texts or may be null.
    pub fn is_entry(&self, id: NodeId) -> bool {
        self.fields(id)
            .is_some_and(|fields| matches!(fields, [key, value] if key.name == "key" && value.name == "value"))
    }

    /// The only type of the node `id` beside null: its own, or that of a union with null.
    pub fn without_null(&self, id: NodeId) -> NodeId {
        let Node::Union(branches) = self.node(id) else { return id };
        let mut others = branches.iter().filter(|branch| *self.node(**branch) != Node::Null);
        match (others.next(), others.next()) {
            (Some(only), None) => *only,
            _ => id,
        }
    }
}

/// A bare word is the name of a type.
fn json(text: &str) -> Result<Value, String> {
    let is_word = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    if is_word {
        return Ok(Value::String(text.to_owned()));
    }
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Bytes of a fixed: writers fill all of them.
const FIXED_MAX: u64 = 64 * 1024 * 1024;

#[derive(Default)]
struct Parser {
    nodes: Vec<Node>,
    /// Nodes by full name.
    names: HashMap<String, NodeId>,
    notes: HashMap<NodeId, Note>,
}

impl Parser {
    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn read(&mut self, schema: &Value, namespace: &str) -> Result<NodeId, String> {
        match schema {
            Value::String(name) => self.by_name(name, namespace),
            Value::Array(branches) => {
                let branches = branches.iter().map(|branch| self.read(branch, namespace)).collect::<Result<_, _>>()?;
                Ok(self.add(Node::Union(branches)))
            }
            Value::Object(object) => self.object(object, namespace),
            other => fault(format!("{other} is no schema")),
        }
    }

    fn by_name(&mut self, name: &str, namespace: &str) -> Result<NodeId, String> {
        if let Some(node) = primitive(name) {
            return Ok(self.add(node));
        }
        let found = self.names.get(&full_name(name, namespace)).or_else(|| self.names.get(name));
        found.copied().map_or_else(|| fault(format!("the type {name} is not defined")), Ok)
    }

    fn object(&mut self, object: &Map<String, Value>, namespace: &str) -> Result<NodeId, String> {
        let kind = match object.get("type") {
            Some(Value::String(kind)) => kind.as_str(),
            Some(nested) => return self.read(nested, namespace),
            None => return fault("a schema has no type"),
        };
        match kind {
            "record" | "error" => self.record(object, namespace),
            "enum" => {
                let Some(Value::Array(symbols)) = object.get("symbols") else { return fault("an enum has no symbols") };
                let symbols = symbols.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
                let id = self.define(object, namespace)?;
                self.nodes[id] = Node::Enum(symbols);
                Ok(id)
            }
            "fixed" => {
                let Some(size) = object.get("size").and_then(Value::as_u64) else {
                    return fault("a fixed has no size");
                };
                if size > FIXED_MAX {
                    return fault(format!("a fixed of {size} bytes is larger than a record"));
                }
                let id = self.define(object, namespace)?;
                self.nodes[id] = Node::Fixed { size: size as usize, scale: self.decimal_scale(id, object) };
                Ok(id)
            }
            "bytes" => {
                let id = self.add(Node::Bytes { scale: None });
                self.nodes[id] = Node::Bytes { scale: self.decimal_scale(id, object) };
                Ok(id)
            }
            "array" => {
                let Some(items) = object.get("items") else { return fault("an array has no items") };
                let items = self.read(items, namespace)?;
                Ok(self.add(Node::Array(items)))
            }
            "map" => {
                let Some(values) = object.get("values") else { return fault("a map has no values") };
                let values = self.read(values, namespace)?;
                Ok(self.add(Node::Map(values)))
            }
            name => {
                let id = self.by_name(name, namespace)?;
                if let Some(note) = moment(name, object) {
                    self.notes.insert(id, note);
                }
                Ok(id)
            }
        }
    }

    /// Gives the name of `object` to a new node.
    fn define(&mut self, object: &Map<String, Value>, namespace: &str) -> Result<NodeId, String> {
        let id = self.add(Node::Open);
        self.names.insert(name_of(object, namespace)?, id);
        Ok(id)
    }

    fn record(&mut self, object: &Map<String, Value>, namespace: &str) -> Result<NodeId, String> {
        let name = name_of(object, namespace)?;
        let Some(Value::Array(declared)) = object.get("fields") else {
            return fault(format!("the record {name} has no fields"));
        };
        let id = self.add(Node::Open);
        self.names.insert(name.clone(), id);
        if name == "io.confluent.connect.avro.MapEntry" || text(object, "connect.internal.type") == Some("MapEntry") {
            self.notes.insert(id, Note::MapEntry);
        }
        let inner = name.rsplit_once('.').map_or("", |(namespace, _)| namespace);
        let mut fields = Vec::with_capacity(declared.len());
        for field in declared {
            let (Some(field_name), Some(schema)) = (field.get("name").and_then(Value::as_str), field.get("type"))
            else {
                return fault(format!("a field of the record {name} has no name or no type"));
            };
            let default = field.get("default").cloned();
            fields.push(Field { name: field_name.to_owned(), node: self.read(schema, inner)?, default });
        }
        self.nodes[id] = Node::Record(fields);
        Ok(id)
    }

    /// The scale of the logical type `decimal`, which is noted beside the node `id`; no number that a scale can be is none.
    fn decimal_scale(&mut self, id: NodeId, object: &Map<String, Value>) -> Option<u8> {
        if text(object, "logicalType") != Some("decimal") {
            return None;
        }
        let number = |name: &str| object.get(name).and_then(Value::as_u64);
        let in_parameters = || {
            let parameters = object.get("connect.parameters")?;
            parameters.get("connect.decimal.precision")?.as_str()?.parse().ok()
        };
        let scale = number("scale").unwrap_or(0);
        self.notes.insert(id, Note::Decimal { precision: number("precision").or_else(in_parameters), scale });
        u8::try_from(scale).ok()
    }
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// The full name that `object` gives its type.
fn name_of(object: &Map<String, Value>, namespace: &str) -> Result<String, String> {
    let Some(name) = text(object, "name") else { return fault("a named type has no name") };
    Ok(full_name(name, text(object, "namespace").unwrap_or(namespace)))
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

fn primitive(name: &str) -> Option<Node> {
    Some(match name {
        "null" => Node::Null,
        "boolean" => Node::Boolean,
        "int" => Node::Int,
        "long" => Node::Long,
        "float" => Node::Float,
        "double" => Node::Double,
        "bytes" => Node::Bytes { scale: None },
        "string" => Node::String,
        _ => return None,
    })
}

/// What the numbers of `kind` count. Logical types that Connect does not know count as what they are made of.
fn moment(kind: &str, object: &Map<String, Value>) -> Option<Note> {
    let logical = text(object, "logicalType").unwrap_or_default();
    let connect = text(object, "connect.name").unwrap_or_default();
    match (kind, logical, connect) {
        ("int", "date", _) | ("int", _, "org.apache.kafka.connect.data.Date") => Some(Note::Date),
        ("int", "time-millis", _) | ("int", _, "org.apache.kafka.connect.data.Time") => Some(Note::Time),
        ("long", "timestamp-millis", _) | ("long", _, "org.apache.kafka.connect.data.Timestamp") => {
            Some(Note::Timestamp)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> AvroSchema {
        AvroSchema::parse(text, &[]).expect("a schema")
    }

    #[test]
    fn records_may_hold_themselves() {
        let schema = parse(
            r#"{"type": "record", "name": "node", "namespace": "n", "fields": [
                {"name": "value", "type": ["null", {"type": "bytes", "logicalType": "decimal", "scale": 2}]},
                {"name": "next", "type": ["null", "node"]}]}"#,
        );
        let fields = schema.fields(schema.root()).expect("a record");
        assert_eq!(*schema.node(schema.without_null(fields[0].node)), Node::Bytes { scale: Some(2) });
        assert_eq!(schema.without_null(fields[1].node), schema.root());
    }

    #[test]
    fn names_are_those_of_their_namespace_and_of_references() {
        let address = r#"{"type": "enum", "name": "n.Kind", "symbols": ["A", "B"]}"#.to_owned();
        let text = r#"{"type": "record", "name": "r", "namespace": "n", "fields": [{"name": "k", "type": "Kind"}]}"#;
        let schema = AvroSchema::parse(text, &[address]).expect("the name is known");
        let kind = schema.fields(schema.root()).expect("a record")[0].node;
        assert_eq!(*schema.node(kind), Node::Enum(vec!["A".to_owned(), "B".to_owned()]));
    }

    #[test]
    fn branches_are_called_by_their_names() {
        let schema = parse(
            r#"["null", {"type": "record", "name": "n.s.Opened", "fields": []}, {"type": "fixed", "name": "id", "size": 2}, "long",
                {"type": "array", "items": "int"}]"#,
        );
        let branches = schema.several(schema.root()).expect("several types");
        let names: Vec<&str> = branches.iter().map(|branch| schema.branch_name(*branch)).collect();
        assert_eq!(names, ["null", "Opened", "id", "long", "array"]);
        let nullable = parse(r#"["null", "int"]"#);
        assert_eq!(nullable.several(nullable.root()), None);
        assert_eq!(parse("\"int\"").several(0), None);
    }

    #[test]
    fn what_is_no_schema_says_why() {
        for (text, reason) in [
            ("unheard", "the type unheard is not defined"),
            ("[1]", "1 is no schema"),
            (r#"{"type": "array"}"#, "an array has no items"),
            (
                r#"{"type": "fixed", "name": "f", "size": 18446744073709551615}"#,
                "a fixed of 18446744073709551615 bytes is larger than a record",
            ),
            (r#"{"type": "record", "name": "r"}"#, "the record r has no fields"),
        ] {
            assert_eq!(AvroSchema::parse(text, &[]).expect_err(text), reason);
        }
    }
}
