//! Text to schema.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{AvroSchema, Field, Kind, Name, Named, Node, NodeId, Primitive};

pub(super) fn parse(text: &str, references: &[String], checks_defaults: bool) -> Result<AvroSchema, String> {
    let mut parser = Parser { nodes: Vec::new(), names: HashMap::new(), checks_defaults: false };
    for reference in references {
        parser.schema(&json(reference)?, "")?;
    }
    let own = parser.nodes.len();
    parser.checks_defaults = checks_defaults;
    let root = parser.schema(&json(text)?, "")?;
    let schema = AvroSchema { nodes: parser.nodes, root, own };
    if checks_defaults {
        schema.check_defaults()?;
    }
    Ok(schema)
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))
}

struct Parser {
    nodes: Vec<Node>,
    names: HashMap<Name, NodeId>,
    checks_defaults: bool,
}

/// Attributes of a schema that are no properties.
const OF_SCHEMA: [&str; 10] =
    ["type", "name", "namespace", "doc", "fields", "items", "values", "size", "symbols", "aliases"];
const OF_FIELD: [&str; 6] = ["name", "type", "doc", "default", "order", "aliases"];

impl Parser {
    fn add(&mut self, kind: Kind, properties: Map<String, Value>) -> NodeId {
        self.nodes.push(Node { kind, properties });
        self.nodes.len() - 1
    }

    /// The node of `value` within the namespace `space`.
    fn schema(&mut self, value: &Value, space: &str) -> Result<NodeId, String> {
        match value {
            Value::String(word) => match Primitive::of(word) {
                Some(primitive) => Ok(self.add(Kind::Primitive(primitive), Map::new())),
                None => self.find(word, space),
            },
            Value::Array(branches) => self.union(branches, space),
            Value::Object(attributes) => self.object(attributes, space),
            other => Err(format!("{other} is no schema: it must be a name, an array or an object")),
        }
    }

    fn find(&self, word: &str, space: &str) -> Result<NodeId, String> {
        let node = self.names.get(&Name::new(word, space)).or_else(|| self.names.get(&Name::new(word, "")));
        node.copied().ok_or_else(|| format!("undefined name: \"{}\"", Name::new(word, space).full()))
    }

    fn union(&mut self, branches: &[Value], space: &str) -> Result<NodeId, String> {
        let mut seen = HashSet::new();
        let mut nodes = Vec::with_capacity(branches.len());
        for branch in branches {
            let node = self.schema(branch, space)?;
            let name = match &self.nodes[node].kind {
                Kind::Union(_) => return Err("a union stands directly in a union".to_owned()),
                Kind::Primitive(primitive) => primitive.name().to_owned(),
                Kind::Array(_) => "array".to_owned(),
                Kind::Map(_) => "map".to_owned(),
                Kind::Record { named, .. } | Kind::Enum { named, .. } | Kind::Fixed { named, .. } => named.name.full(),
            };
            if !seen.insert(name.clone()) {
                return Err(format!("duplicate in union: {name}"));
            }
            nodes.push(node);
        }
        Ok(self.add(Kind::Union(nodes), Map::new()))
    }

    fn object(&mut self, attributes: &Map<String, Value>, space: &str) -> Result<NodeId, String> {
        let word = match attributes.get("type") {
            Some(Value::String(word)) => word.as_str(),
            // Not in the specification, but written by some.
            Some(nested @ (Value::Object(_) | Value::Array(_))) => return self.schema(nested, space),
            Some(other) => return Err(format!("no type: {other}")),
            None => return Err(format!("no type: {}", Value::Object(attributes.clone()))),
        };
        let with_default = word == "enum";
        let properties = properties(attributes, &OF_SCHEMA, with_default.then_some("default"));
        if let Some(primitive) = Primitive::of(word) {
            return Ok(self.add(Kind::Primitive(primitive), properties));
        }
        match word {
            "record" | "error" => self.record(attributes, space, word == "error", properties),
            "enum" => self.enumeration(attributes, space, properties),
            "fixed" => self.fixed(attributes, space, properties),
            "array" => {
                let items = attributes.get("items").ok_or("array has no items type")?;
                let items = self.schema(items, space)?;
                Ok(self.add(Kind::Array(items), properties))
            }
            "map" => {
                let values = attributes.get("values").ok_or("map has no values type")?;
                let values = self.schema(values, space)?;
                Ok(self.add(Kind::Map(values), properties))
            }
            name => self.find(name, space),
        }
    }

    fn named(&mut self, attributes: &Map<String, Value>, space: &str) -> Result<Named, String> {
        let name =
            text(attributes, "name")?.ok_or_else(|| format!("no name: {}", Value::Object(attributes.clone())))?;
        let space = text(attributes, "namespace")?.unwrap_or(space);
        let name = Name::new(name, space);
        check_name(&name.name)?;
        if !name.space.is_empty() {
            name.space.split('.').try_for_each(check_name)?;
        }
        if Primitive::of(&name.name).is_some() && name.space.is_empty() {
            return Err(format!("the name {} is that of a primitive type", name.name));
        }
        if self.names.contains_key(&name) {
            return Err(format!("cannot redefine: {}", name.full()));
        }
        let aliases = texts(attributes, "aliases")?.into_iter().map(|alias| Name::new(&alias, &name.space)).collect();
        Ok(Named { name, doc: text(attributes, "doc")?.map(ToOwned::to_owned), aliases })
    }

    fn record(
        &mut self,
        attributes: &Map<String, Value>,
        space: &str,
        is_error: bool,
        properties: Map<String, Value>,
    ) -> Result<NodeId, String> {
        let named = self.named(attributes, space)?;
        let name = named.name.clone();
        let node = self.add(Kind::Record { named, is_error, fields: Vec::new() }, properties);
        // Fields may have the record itself as their type.
        self.names.insert(name.clone(), node);
        let Some(Value::Array(listed)) = attributes.get("fields") else {
            return Err(format!("record {} has no fields", name.full()));
        };
        let mut known = HashSet::new();
        let mut all = Vec::with_capacity(listed.len());
        for field in listed {
            let field = self.field(field, &name)?;
            if !known.insert(field.name.clone()) {
                return Err(format!("duplicate field {} in record {}", field.name, name.full()));
            }
            all.push(field);
        }
        if let Kind::Record { fields, .. } = &mut self.nodes[node].kind {
            *fields = all;
        }
        Ok(node)
    }

    fn field(&mut self, value: &Value, record: &Name) -> Result<Field, String> {
        let Value::Object(attributes) = value else {
            return Err(format!("a field of {} is no object: {value}", record.full()));
        };
        let name = text(attributes, "name")?.ok_or_else(|| format!("a field of {} has no name", record.full()))?;
        check_name(name)?;
        let kind = attributes.get("type").ok_or_else(|| format!("no type for field {name} of {}", record.full()))?;
        let node = self.schema(kind, &record.space)?;
        let order = text(attributes, "order")?.map(str::to_ascii_lowercase);
        if let Some(order) = order.as_deref().filter(|order| !["ascending", "descending", "ignore"].contains(order)) {
            return Err(format!("field {name}: there is no order {order}"));
        }
        Ok(Field {
            name: name.to_owned(),
            doc: text(attributes, "doc")?.map(ToOwned::to_owned),
            node,
            default: attributes.get("default").cloned(),
            order: order.filter(|order| order != "ascending"),
            aliases: texts(attributes, "aliases")?,
            properties: properties(attributes, &OF_FIELD, None),
        })
    }

    fn enumeration(
        &mut self,
        attributes: &Map<String, Value>,
        space: &str,
        properties: Map<String, Value>,
    ) -> Result<NodeId, String> {
        let named = self.named(attributes, space)?;
        let name = named.name.clone();
        if !matches!(attributes.get("symbols"), Some(Value::Array(_))) {
            return Err(format!("enum {} has no symbols", name.full()));
        }
        let symbols = texts(attributes, "symbols")?;
        let mut seen = HashSet::new();
        for symbol in &symbols {
            check_name(symbol)?;
            if !seen.insert(symbol) {
                return Err(format!("duplicate enum symbol: {symbol}"));
            }
        }
        let default = text(attributes, "default")?.map(ToOwned::to_owned);
        if let Some(default) = default.as_ref().filter(|default| !symbols.contains(default)) {
            return Err(format!("the enum default {default} is not among the symbols {symbols:?}"));
        }
        let node = self.add(Kind::Enum { named, symbols, default }, properties);
        self.names.insert(name, node);
        Ok(node)
    }

    fn fixed(
        &mut self,
        attributes: &Map<String, Value>,
        space: &str,
        properties: Map<String, Value>,
    ) -> Result<NodeId, String> {
        let named = self.named(attributes, space)?;
        let name = named.name.clone();
        let size = attributes.get("size").and_then(Value::as_u64);
        let size = size.ok_or_else(|| format!("invalid or no size of fixed {}", name.full()))?;
        let node = self.add(Kind::Fixed { named, size }, properties);
        self.names.insert(name, node);
        Ok(node)
    }
}

fn properties(attributes: &Map<String, Value>, known: &[&str], more: Option<&str>) -> Map<String, Value> {
    let others = attributes.iter().filter(|(name, _)| !known.contains(&name.as_str()) && Some(name.as_str()) != more);
    others.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn text<'a>(attributes: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    match attributes.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("{name} is no text: {other}")),
    }
}

fn texts(attributes: &Map<String, Value>, name: &str) -> Result<Vec<String>, String> {
    match attributes.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(values)) => (values.iter())
            .map(|value| value.as_str().map(ToOwned::to_owned).ok_or_else(|| format!("{name} has {value}: no text")))
            .collect(),
        Some(other) => Err(format!("{name} is no array: {other}")),
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let mut characters = name.chars();
    match characters.next() {
        None => return Err("empty name".to_owned()),
        Some(first) if !(first.is_alphabetic() || first == '_') => {
            return Err(format!("illegal initial character: {name}"));
        }
        Some(_) => {}
    }
    match characters.find(|character| !(character.is_alphanumeric() || *character == '_')) {
        Some(character) => Err(format!("illegal character '{character}' in: {name}")),
        None => Ok(()),
    }
}

/// Deeper than defaults of people are.
const DEFAULT_DEPTH_MAX: usize = 200;

impl AvroSchema {
    /// Whether all defaults are values of their fields.
    fn check_defaults(&self) -> Result<(), String> {
        for node in &self.nodes[self.own..] {
            let Kind::Record { fields, .. } = &node.kind else { continue };
            for field in fields {
                if let Some(default) = field.default.as_ref().filter(|default| !self.takes(field.node, default, 0)) {
                    let kind = self.type_name(field.node);
                    return Err(format!("invalid default for field {}: {default} is no {kind}", field.name));
                }
            }
        }
        Ok(())
    }

    fn takes(&self, id: NodeId, value: &Value, depth: usize) -> bool {
        if depth > DEFAULT_DEPTH_MAX {
            return false;
        }
        let depth = depth + 1;
        match self.kind(id) {
            Kind::Primitive(primitive) => primitive.takes(value),
            Kind::Enum { .. } | Kind::Fixed { .. } => value.is_string(),
            Kind::Array(items) => {
                value.as_array().is_some_and(|all| all.iter().all(|item| self.takes(*items, item, depth)))
            }
            Kind::Map(values) => {
                value.as_object().is_some_and(|all| all.values().all(|item| self.takes(*values, item, depth)))
            }
            Kind::Union(branches) => branches.iter().any(|branch| self.takes(*branch, value, depth)),
            Kind::Record { fields, .. } => value.as_object().is_some_and(|given| {
                fields.iter().all(|field| {
                    let value = given.get(&field.name).or(field.default.as_ref());
                    value.is_some_and(|value| self.takes(field.node, value, depth))
                })
            }),
        }
    }
}

impl Primitive {
    fn takes(self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::Boolean => value.is_boolean(),
            Self::Int => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            Self::Long => value.as_i64().is_some(),
            Self::Float | Self::Double => value.is_number(),
            Self::Bytes | Self::String => value.is_string(),
        }
    }
}
