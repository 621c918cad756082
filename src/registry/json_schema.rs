//! JSON Schema documents: types, references between them, and what Connect notes beside.

use serde_json::{Map, Value};

/// A document with all that it refers to.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonSchema {
    root: Value,
    others: Vec<(String, Value)>,
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
        let json = |text: &str| serde_json::from_str(text).map_err(|error| error.to_string());
        let others = references.iter().map(|(name, text)| Ok((name.clone(), json(text)?)));
        Ok(Self { root: json(text)?, others: others.collect::<Result<_, String>>()? })
    }

    /// The schema of the whole document.
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// The document, and all that it refers to.
    pub fn documents(&self) -> impl Iterator<Item = &Value> {
        std::iter::once(&self.root).chain(self.others.iter().map(|(_, schema)| schema))
    }

    /// What `target`, the text of a reference, leads to.
    pub fn resolve(&self, target: &str) -> Option<&Value> {
        let (document, path) = target.split_once('#').unwrap_or((target, ""));
        let root = if document.is_empty() {
            Some(&self.root)
        } else {
            self.others.iter().find(|(name, _)| name == document).map(|(_, schema)| schema)
        };
        root.and_then(|root| root.pointer(path))
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
