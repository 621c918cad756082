//! JSON Schema documents: types, references between them, and what Connect notes beside.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// A document with all that it refers to, in which references can be followed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Documents {
    pub(super) root: Value,
    /// Other documents, by the name that a reference has.
    pub(super) others: Vec<(String, Value)>,
}

/// A schema that types are read from. Its references hold wherever they are followed: those of other documents to
/// themselves have the name of their document.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonSchema {
    documents: Documents,
}

/// What a schema says about a value that is not null.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape<'a> {
    /// Nothing.
    Unknown,
    /// It has a type.
    Typed(&'a str, &'a Map<String, Value>),
    /// It is one of several values.
    Enum,
    /// It is of one of several schemas.
    Choice(Vec<&'a Value>),
    /// It is of all of these schemas.
    AllOf(&'a [Value]),
    /// Another schema has it.
    Reference(&'a str),
}

impl JsonSchema {
    /// Reads `text`, which may refer to the texts `references` by their names.
    ///
    /// # Errors
    /// A text that says what is wrong.
    pub fn parse(text: &str, references: &[(String, String)]) -> Result<Self, String> {
        let json = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
        let mut others = Vec::with_capacity(references.len());
        for (name, text) in references {
            let mut other = json(text)?;
            name_document(&mut other, name);
            others.push((name.clone(), other));
        }
        Ok(Self { documents: Documents { root: json(text)?, others } })
    }

    /// The schema of the whole document.
    pub fn root(&self) -> &Value {
        &self.documents.root
    }

    /// The document, and all that it refers to.
    pub fn documents(&self) -> impl Iterator<Item = &Value> {
        std::iter::once(self.root()).chain(self.documents.others.iter().map(|(_, schema)| schema))
    }

    /// What `target`, the text of a reference, leads to.
    pub fn resolve(&self, target: &str) -> Option<&Value> {
        self.documents.find(self.root(), target).map(|(found, _)| found)
    }

    /// What `schema` says.
    pub fn shape<'a>(&self, schema: &'a Value) -> Shape<'a> {
        let Value::Object(object) = schema else { return Shape::Unknown };
        if let Some(Value::String(target)) = object.get("$ref") {
            return Shape::Reference(target);
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(Value::Array(branches)) = object.get(choice) {
                let is_null = |branch: &&Value| branch.get("type").and_then(Value::as_str) == Some("null");
                return Shape::Choice(branches.iter().filter(|branch| !is_null(branch)).collect());
            }
        }
        if let Some(Value::Array(parts)) = object.get("allOf") {
            return Shape::AllOf(parts);
        }
        if object.contains_key("enum") {
            return Shape::Enum;
        }
        match object.get("type") {
            Some(Value::String(kind)) => Shape::Typed(kind, object),
            Some(Value::Array(kinds)) => {
                let mut kinds = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
                match (kinds.next(), kinds.next()) {
                    (Some(only), None) => Shape::Typed(only, object),
                    _ => Shape::Unknown,
                }
            }
            _ if object.contains_key("properties") => Shape::Typed("object", object),
            _ => Shape::Unknown,
        }
    }

    /// As [`JsonSchema::shape`], behind references and choices between null and something.
    pub fn settled<'a>(&'a self, schema: &'a Value) -> Shape<'a> {
        let mut schema = schema;
        for _ in 0..HOPS_MAX {
            schema = match self.shape(schema) {
                Shape::Reference(target) => match self.resolve(target) {
                    Some(found) => found,
                    None => return Shape::Unknown,
                },
                Shape::Choice(branches) if branches.len() == 1 => branches[0],
                other => return other,
            };
        }
        Shape::Unknown
    }

    /// The properties of an object, those of all its parts together; `None` if it is no object.
    pub fn properties<'a>(&'a self, schema: &'a Value) -> Option<Vec<(&'a str, &'a Value)>> {
        self.properties_within(schema, 0, &mut 0)
    }

    /// `parts` counts those that were looked at: they may name each other again and again.
    fn properties_within<'a>(
        &'a self,
        schema: &'a Value,
        depth: usize,
        parts: &mut usize,
    ) -> Option<Vec<(&'a str, &'a Value)>> {
        *parts += 1;
        if depth > HOPS_MAX || *parts > ALL_OF_MAX {
            return None;
        }
        match self.settled(schema) {
            Shape::Typed("object", object) => {
                let properties = object.get("properties")?.as_object()?;
                Some(properties.iter().map(|(name, schema)| (name.as_str(), schema)).collect())
            }
            Shape::AllOf(all) => {
                let all = all.iter().filter_map(|part| self.properties_within(part, depth + 1, parts));
                Some(all.flatten().collect())
            }
            _ => None,
        }
    }
}

impl Documents {
    /// What `target`, the text of a reference within `document`, leads to, and the document that has it.
    pub(super) fn find<'a>(&'a self, document: &'a Value, target: &str) -> Option<(&'a Value, &'a Value)> {
        let (base, fragment) = target.split_once('#').unwrap_or((target, ""));
        let document = if base.is_empty() || id(document).is_some_and(|id| same_document(id, base)) {
            document
        } else if id(&self.root).is_some_and(|id| same_document(id, base)) {
            &self.root
        } else {
            let named = self.others.iter().find(|(name, _)| name == base);
            let known = |(_, other): &&(String, Value)| id(other).is_some_and(|id| same_document(id, base));
            let last = |(name, _): &&(String, Value)| base.ends_with(&format!("/{name}"));
            match named.or_else(|| self.others.iter().find(known)).or_else(|| self.others.iter().find(last)) {
                Some((_, other)) => other,
                // An id within the document.
                None => return Some((within(document, &|value| id(value) == Some(target))?, document)),
            }
        };
        let value = match fragment {
            "" => document,
            pointer if pointer.starts_with('/') => {
                document.pointer(&percent_decode_str(pointer).decode_utf8_lossy())?
            }
            anchor => {
                let has_anchor = |value: &Value| {
                    let named = |keyword: &str| value.get(keyword).and_then(Value::as_str);
                    named("$anchor") == Some(anchor) || id(value).and_then(|id| id.strip_prefix('#')) == Some(anchor)
                };
                within(document, &has_anchor)?
            }
        };
        Some((value, document))
    }
}

fn id(value: &Value) -> Option<&str> {
    value.get("$id").or_else(|| value.get("id")).and_then(Value::as_str)
}

fn same_document(id: &str, base: &str) -> bool {
    id.trim_end_matches('#') == base
}

/// The first value in `value` that `wanted` takes.
fn within<'a>(value: &'a Value, wanted: &dyn Fn(&Value) -> bool) -> Option<&'a Value> {
    if wanted(value) {
        return Some(value);
    }
    match value {
        Value::Object(members) => members.values().find_map(|member| within(member, wanted)),
        Value::Array(elements) => elements.iter().find_map(|element| within(element, wanted)),
        _ => None,
    }
}

/// Puts `name` before the references of `document` to itself.
fn name_document(document: &mut Value, name: &str) {
    match document {
        Value::Object(members) => {
            for (keyword, member) in members.iter_mut() {
                match member {
                    Value::String(target) if keyword == "$ref" && target.starts_with('#') => target.insert_str(0, name),
                    other => name_document(other, name),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| name_document(element, name)),
        _ => {}
    }
}

/// References that lead from one to the next; more lead in a circle.
const HOPS_MAX: usize = 64;

/// More parts of one object are not looked at.
const ALL_OF_MAX: usize = 10_000;

/// A text that Connect has noted beside a type.
pub fn noted<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// The note of a type that is a decimal.
pub const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_nulls_are_looked_through() {
        let text = r##"{"oneOf": [{"type": "null"}, {"$ref": "#/definitions/x"}],
            "definitions": {"x": {"$ref": "other"}, "circle": {"$ref": "#/definitions/circle"}}}"##;
        let other = r#"{"type": ["null", "integer"]}"#;
        let schema = JsonSchema::parse(text, &[("other".to_owned(), other.to_owned())]).expect("JSON");
        assert!(matches!(schema.settled(schema.root()), Shape::Typed("integer", _)));
        let circle = serde_json::json!({"$ref": "#/definitions/circle"});
        assert_eq!(schema.settled(&circle), Shape::Unknown);
    }

    #[test]
    fn references_hold_in_their_own_document() {
        let text = r##"{"properties": {"a": {"$ref": "other"}, "b": {"$ref": "other#/definitions/x%20y"},
            "c": {"$ref": "#z"}, "d": {"$ref": "http://levada/other.json"}},
            "definitions": {"x": {"type": "string"}, "z": {"$anchor": "z", "type": "boolean"}}}"##;
        let other = r##"{"$id": "http://levada/other.json", "$ref": "#/definitions/x",
            "definitions": {"x": {"type": "integer"}, "x y": {"$ref": "#/definitions/x"}}}"##;
        let schema = JsonSchema::parse(text, &[("other".to_owned(), other.to_owned())]).expect("JSON");
        let kinds: Vec<&str> = schema
            .properties(schema.root())
            .expect("an object")
            .into_iter()
            .map(|(_, property)| match schema.settled(property) {
                Shape::Typed(kind, _) => kind,
                _ => "none",
            })
            .collect();
        assert_eq!(kinds, ["integer", "integer", "boolean", "integer"]);
    }

    #[test]
    fn parts_that_name_each_other_end() {
        let twice = |next: usize| format!(r##"{{"allOf": [{{"$ref": "#/d/{next}"}}, {{"$ref": "#/d/{next}"}}]}}"##);
        let definitions: Vec<String> = (0..60).map(|number| format!(r#""{number}": {}"#, twice(number + 1))).collect();
        let text = format!(
            r##"{{"$ref": "#/d/0", "d": {{{}, "60": {{"properties": {{"a": {{}}}}}}}}}}"##,
            definitions.join(", ")
        );
        let schema = JsonSchema::parse(&text, &[]).expect("JSON");
        assert!(schema.properties(schema.root()).is_some_and(|found| found.len() <= ALL_OF_MAX));
    }

    #[test]
    fn parts_have_their_properties_together() {
        let text = r#"{"allOf": [{"properties": {"a": {}}}, {"type": "object", "properties": {"b": {}}}, {"type": "string"}]}"#;
        let schema = JsonSchema::parse(text, &[]).expect("JSON");
        let names: Vec<&str> =
            schema.properties(schema.root()).expect("an object").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
