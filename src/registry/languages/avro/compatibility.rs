//! Whether data of one schema can be read with another: schema resolution of the Avro specification, as Apache Avro checks it.

use std::collections::HashMap;
use std::rc::Rc;

use super::{AvroSchema, Field, Kind, Named, NodeId, Primitive};
use crate::registry::compatibility::{FAULTS_MAX, Fault, Sides};

/// Why `reader` cannot read what `writer` has written; nothing where it can.
pub(in crate::registry) fn read_faults(reader: &AvroSchema, writer: &AvroSchema, sides: Sides) -> Vec<Fault> {
    let mut comparison = Comparison { reader, writer, sides, known: HashMap::new(), path: Vec::new() };
    comparison.compare(reader.root, writer.root).to_vec()
}

struct Comparison<'a> {
    reader: &'a AvroSchema,
    writer: &'a AvroSchema,
    sides: Sides,
    /// What was found for pairs of nodes; nothing while they are being compared, so that recursive schemas come to an end.
    known: HashMap<(NodeId, NodeId), Rc<[Fault]>>,
    path: Vec<String>,
}

type Faults = Rc<[Fault]>;

/// Types that refer to each other by name can be deeper than any text.
const DEPTH_MAX: usize = 1_000;

impl Comparison<'_> {
    fn compare(&mut self, reader: NodeId, writer: NodeId) -> Faults {
        if let Some(known) = self.known.get(&(reader, writer)) {
            return Rc::clone(known);
        }
        if self.path.len() > DEPTH_MAX {
            let description = format!("types are nested more than {DEPTH_MAX} deep");
            return Rc::from([self.fault("TYPE_MISMATCH", &description, String::new())]);
        }
        self.known.insert((reader, writer), Rc::from([]));
        let mut found = self.found(reader, writer);
        found.truncate(FAULTS_MAX);
        let found: Faults = found.into();
        self.known.insert((reader, writer), Rc::clone(&found));
        found
    }

    /// As [`Self::compare`], one step deeper.
    fn below(&mut self, step: impl Into<String>, reader: NodeId, writer: NodeId) -> Faults {
        self.path.push(step.into());
        let found = self.compare(reader, writer);
        self.path.pop();
        found
    }

    fn found(&mut self, reader: NodeId, writer: NodeId) -> Vec<Fault> {
        let (reading, writing) = (self.reader, self.writer);
        match (reading.kind(reader), writing.kind(writer)) {
            (_, Kind::Union(branches)) => self.branches_written(reader, branches),
            (Kind::Union(branches), _) => {
                let branches = branches.iter().enumerate();
                let mut reads = branches.map(|(index, branch)| self.below(index.to_string(), *branch, writer));
                if reads.any(|faults| faults.is_empty()) {
                    return Vec::new();
                }
                let kind = writing.type_name(writer);
                let Sides { reader, writer } = self.sides;
                let description = format!("the {reader} schema has no branch for the type {kind} of the {writer} one");
                vec![self.fault("MISSING_UNION_BRANCH", &description, kind.to_owned())]
            }
            (Kind::Primitive(read), Kind::Primitive(written)) if read.reads(*written) => Vec::new(),
            (Kind::Array(reader), Kind::Array(writer)) => self.below("items", *reader, *writer).to_vec(),
            (Kind::Map(reader), Kind::Map(writer)) => self.below("values", *reader, *writer).to_vec(),
            (Kind::Record { named, fields, .. }, Kind::Record { named: other, fields: written, .. }) => {
                let mut faults = self.names(named, other);
                for (index, field) in fields.iter().enumerate() {
                    faults.extend(self.field(index, field, written));
                }
                faults
            }
            (Kind::Enum { named, symbols, default }, Kind::Enum { named: other, symbols: written, .. }) => {
                let mut faults = self.names(named, other);
                let missing: Vec<&str> =
                    written.iter().filter(|symbol| !symbols.contains(symbol)).map(String::as_str).collect();
                if default.is_none() && !missing.is_empty() {
                    let Sides { reader, writer } = self.sides;
                    let missing = missing.join(", ");
                    let description = format!("the {reader} schema lacks the symbols [{missing}] of the {writer} one");
                    faults.push(self.fault_at("symbols", "MISSING_ENUM_SYMBOLS", &description, missing));
                }
                faults
            }
            (Kind::Fixed { named, size }, Kind::Fixed { named: other, size: written }) => {
                let mut faults = self.names(named, other);
                if size != written {
                    let Sides { reader, writer } = self.sides;
                    let description = format!("the {reader} schema has {size} bytes, the {writer} one {written}");
                    faults.push(self.fault_at("size", "FIXED_SIZE_MISMATCH", &description, size.to_string()));
                }
                faults
            }
            _ => {
                let (read, written) = (reading.type_name(reader), writing.type_name(writer));
                let Sides { reader, writer } = self.sides;
                let description = format!(
                    "the type {read} of the {reader} schema cannot read the type {written} of the {writer} one"
                );
                vec![self.fault("TYPE_MISMATCH", &description, read.to_owned())]
            }
        }
    }

    /// Each branch that may have been written must be read.
    fn branches_written(&mut self, reader: NodeId, branches: &[NodeId]) -> Vec<Fault> {
        let is_union = matches!(self.reader.kind(reader), Kind::Union(_));
        let mut faults = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            let found = self.compare(reader, *branch);
            if found.is_empty() {
                continue;
            }
            if is_union {
                let kind = self.writer.type_name(*branch);
                let Sides { reader, writer } = self.sides;
                let description =
                    format!("the {reader} schema has no branch for the type {kind} in the union of the {writer} one");
                faults.push(self.fault_at(&index.to_string(), "MISSING_UNION_BRANCH", &description, kind.to_owned()));
            } else {
                faults.extend_from_slice(&found);
            }
        }
        faults
    }

    fn field(&mut self, index: usize, field: &Field, written: &[Field]) -> Vec<Fault> {
        let has_name = |other: &&Field| other.name == field.name;
        let has_alias = |other: &&Field| field.aliases.contains(&other.name);
        self.path.extend(["fields".to_owned(), index.to_string()]);
        let faults = match written.iter().find(has_name).or_else(|| written.iter().find(has_alias)) {
            Some(other) => self.below("type", field.node, other.node).to_vec(),
            None if field.default.is_some() => Vec::new(),
            None => {
                let Sides { reader, writer } = self.sides;
                let description = format!(
                    "the field {} at {} of the {reader} schema has no default and is missing in the {writer} one",
                    field.name,
                    self.pointer(None)
                );
                vec![self.fault("READER_FIELD_MISSING_DEFAULT_VALUE", &description, field.name.clone())]
            }
        };
        self.path.truncate(self.path.len() - 2);
        faults
    }

    /// Names must be equal but for namespaces, or known as aliases.
    fn names(&self, read: &Named, written: &Named) -> Vec<Fault> {
        if read.name.name == written.name.name || read.aliases.contains(&written.name) {
            return Vec::new();
        }
        let Sides { reader, writer } = self.sides;
        let (read, written) = (read.name.full(), written.name.full());
        let description = format!("the name {read} of the {reader} schema is not {written}, that of the {writer} one");
        vec![self.fault_at("name", "NAME_MISMATCH", &description, written)]
    }

    fn pointer(&self, last: Option<&str>) -> String {
        let steps = self.path.iter().map(String::as_str).chain(last);
        format!("/{}", steps.collect::<Vec<_>>().join("/"))
    }

    fn fault(&self, kind: &'static str, description: &str, info: String) -> Fault {
        let path = self.pointer(None);
        Fault { kind, description: format!("{path}: {description}"), path, info }
    }

    fn fault_at(&self, last: &str, kind: &'static str, description: &str, info: String) -> Fault {
        let path = self.pointer(Some(last));
        Fault { kind, description: format!("{path}: {description}"), path, info }
    }
}

impl Primitive {
    /// Whether data of the type `written` can be read as this one.
    fn reads(self, written: Self) -> bool {
        self == written
            || match self {
                Self::Long => written == Self::Int,
                Self::Float => matches!(written, Self::Int | Self::Long),
                Self::Double => matches!(written, Self::Int | Self::Long | Self::Float),
                Self::Bytes => written == Self::String,
                Self::String => written == Self::Bytes,
                Self::Null | Self::Boolean | Self::Int => false,
            }
    }
}
