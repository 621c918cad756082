//! Schema to text, as Apache Avro prints it: names are written out where they are defined, and by name from then on.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{AvroSchema, Field, Kind, Name, Named, NodeId};

pub(super) fn print(schema: &AvroSchema, normalize: bool) -> String {
    let mut printer = Printer { schema, written: HashSet::new(), normalize };
    printer.node(schema.root, "").to_string()
}

struct Printer<'a> {
    schema: &'a AvroSchema,
    written: HashSet<NodeId>,
    normalize: bool,
}

impl Printer<'_> {
    /// The text of a node within the namespace `space`.
    fn node(&mut self, id: NodeId, space: &str) -> Value {
        let schema = self.schema;
        let node = &schema.nodes[id];
        if let Some(named) = schema.named(id)
            // What a reference defines is not defined again, unless it is the whole schema.
            && (!self.written.insert(id) || (id < schema.own && id != schema.root))
        {
            return Value::String(named.name.within(space));
        }
        let mut out = Map::new();
        match &node.kind {
            Kind::Primitive(primitive) if node.properties.is_empty() => return Value::from(primitive.name()),
            Kind::Primitive(primitive) => {
                out.insert("type".to_owned(), Value::from(primitive.name()));
            }
            Kind::Union(branches) => {
                return branches.iter().map(|branch| self.node(*branch, space)).collect();
            }
            Kind::Array(items) => {
                out.insert("type".to_owned(), Value::from("array"));
                out.insert("items".to_owned(), self.node(*items, space));
            }
            Kind::Map(values) => {
                out.insert("type".to_owned(), Value::from("map"));
                out.insert("values".to_owned(), self.node(*values, space));
            }
            Kind::Record { named, is_error, fields } => {
                begin(&mut out, if *is_error { "error" } else { "record" }, named, space);
                let fields = fields.iter().map(|field| self.field(field, &named.name.space)).collect();
                out.insert("fields".to_owned(), fields);
            }
            Kind::Enum { named, symbols, default } => {
                begin(&mut out, "enum", named, space);
                out.insert("symbols".to_owned(), json!(symbols));
                if let Some(default) = default {
                    out.insert("default".to_owned(), json!(default));
                }
            }
            Kind::Fixed { named, size } => {
                begin(&mut out, "fixed", named, space);
                out.insert("size".to_owned(), json!(size));
            }
        }
        self.properties(&mut out, &node.properties);
        if let Some(Named { name, aliases, .. }) = schema.named(id).filter(|named| !named.aliases.is_empty()) {
            let aliases = aliases.iter().map(|alias: &Name| alias.within(&name.space)).collect::<Vec<_>>();
            out.insert("aliases".to_owned(), json!(aliases));
        }
        Value::Object(out)
    }

    fn field(&mut self, field: &Field, space: &str) -> Value {
        let mut out = Map::new();
        out.insert("name".to_owned(), json!(field.name));
        out.insert("type".to_owned(), self.node(field.node, space));
        if let Some(doc) = &field.doc {
            out.insert("doc".to_owned(), json!(doc));
        }
        if let Some(default) = &field.default {
            out.insert("default".to_owned(), default.clone());
        }
        if let Some(order) = &field.order {
            out.insert("order".to_owned(), json!(order));
        }
        if !field.aliases.is_empty() {
            out.insert("aliases".to_owned(), json!(field.aliases));
        }
        self.properties(&mut out, &field.properties);
        Value::Object(out)
    }

    fn properties(&self, out: &mut Map<String, Value>, properties: &Map<String, Value>) {
        let mut all: Vec<(&String, &Value)> = properties.iter().collect();
        if self.normalize {
            all.sort_by_key(|(name, _)| *name);
        }
        out.extend(all.into_iter().map(|(name, value)| (name.clone(), value.clone())));
    }
}

/// What a definition within the namespace `space` begins with.
fn begin(out: &mut Map<String, Value>, kind: &str, named: &Named, space: &str) {
    out.insert("type".to_owned(), Value::from(kind));
    out.insert("name".to_owned(), Value::from(named.name.name.as_str()));
    if named.name.space != space {
        out.insert("namespace".to_owned(), Value::from(named.name.space.as_str()));
    }
    if let Some(doc) = &named.doc {
        out.insert("doc".to_owned(), Value::from(doc.as_str()));
    }
}
