//! Avro schemas as a registry sees them: with names, aliases, defaults and properties, checked by the rules of the specification.

mod compatibility;
mod parse;
mod print;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub(super) use compatibility::read_faults;

/// A parsed schema: a tree of numbered nodes, as a name may lead back to the type that it stands in.
#[derive(Debug)]
pub(in crate::registry) struct AvroSchema {
    nodes: Vec<Node>,
    root: NodeId,
    /// Nodes up to here are of the schemas that this one refers to.
    own: NodeId,
}

type NodeId = usize;

#[derive(Debug)]
struct Node {
    kind: Kind,
    /// What the specification does not know.
    properties: Map<String, Value>,
}

#[derive(Debug)]
enum Kind {
    Primitive(Primitive),
    Record { named: Named, is_error: bool, fields: Vec<Field> },
    Enum { named: Named, symbols: Vec<String>, default: Option<String> },
    Fixed { named: Named, size: u64 },
    Array(NodeId),
    Map(NodeId),
    Union(Vec<NodeId>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Primitive {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
}

/// What records, enums and fixed have in common.
#[derive(Debug)]
struct Named {
    name: Name,
    doc: Option<String>,
    aliases: Vec<Name>,
}

/// A name with the namespace that it is in; none is the empty one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Name {
    name: String,
    space: String,
}

#[derive(Debug)]
struct Field {
    name: String,
    doc: Option<String>,
    node: NodeId,
    default: Option<Value>,
    order: Option<String>,
    aliases: Vec<String>,
    properties: Map<String, Value>,
}

impl AvroSchema {
    /// Reads `text`, which may use the names that `references` define. With `checks_defaults`, a default must be a value of its
    /// field; older schemas may have others.
    pub(super) fn parse(text: &str, references: &[String], checks_defaults: bool) -> Result<Self, String> {
        parse::parse(text, references, checks_defaults)
    }

    /// The text that all schemas have that differ in nothing but white space and the order of attributes. With `normalize`,
    /// properties are in order too.
    pub(super) fn canonical_text(&self, normalize: bool) -> String {
        print::print(self, normalize)
    }

    fn kind(&self, id: NodeId) -> &Kind {
        &self.nodes[id].kind
    }

    fn named(&self, id: NodeId) -> Option<&Named> {
        match self.kind(id) {
            Kind::Record { named, .. } | Kind::Enum { named, .. } | Kind::Fixed { named, .. } => Some(named),
            _ => None,
        }
    }

    /// The word for the type of a node.
    fn type_name(&self, id: NodeId) -> &'static str {
        match self.kind(id) {
            Kind::Primitive(primitive) => primitive.name(),
            Kind::Record { .. } => "record",
            Kind::Enum { .. } => "enum",
            Kind::Fixed { .. } => "fixed",
            Kind::Array(_) => "array",
            Kind::Map(_) => "map",
            Kind::Union(_) => "union",
        }
    }
}

impl Primitive {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "int" => Self::Int,
            "long" => Self::Long,
            "float" => Self::Float,
            "double" => Self::Double,
            "bytes" => Self::Bytes,
            "string" => Self::String,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bytes => "bytes",
            Self::String => "string",
        }
    }
}

impl Name {
    /// The name `written` within the namespace `space`.
    fn new(written: &str, space: &str) -> Self {
        match written.rsplit_once('.') {
            Some((space, name)) => Self { name: name.to_owned(), space: space.to_owned() },
            None => Self { name: written.to_owned(), space: space.to_owned() },
        }
    }

    fn full(&self) -> String {
        if self.space.is_empty() { self.name.clone() } else { format!("{}.{}", self.space, self.name) }
    }

    /// As it is written within `space`.
    fn within(&self, space: &str) -> String {
        if self.space == space { self.name.clone() } else { self.full() }
    }
}
