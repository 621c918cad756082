//! JSON schemas as a registry sees them: documents whose `$ref`s can be followed, in any draft.

mod arrays;
mod combined;
mod compatibility;
mod objects;
mod values;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub(super) use compatibility::read_faults;

use crate::registry::json_schema::Documents;

/// A parsed schema. That of `registry::json_schema` reads types for columns from it and passes by what has none; here
/// every keyword counts, and what cannot be is refused.
#[derive(Debug)]
pub(in crate::registry) struct JsonSchema {
    documents: Documents,
}

/// A schema as it is used: no schema takes everything, as `true` does.
#[derive(Debug, Clone, Copy)]
enum View<'a> {
    /// Takes any value.
    Any,
    /// Takes none.
    Nothing,
    /// Takes what its keywords say.
    Object(&'a Map<String, Value>),
}

/// A schema, and the document whose names it uses.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    view: View<'a>,
    document: &'a Value,
    /// Of what it takes, the values of this type only.
    only: Option<&'static str>,
}

/// `$ref`s that lead to each other.
const REFS_MAX: usize = 64;

impl JsonSchema {
    /// Reads `text`; `references` are the documents that it may name.
    pub(super) fn parse(text: &str, references: &[(String, String)]) -> Result<Self, String> {
        let root = document(text)?;
        let mut others = Vec::with_capacity(references.len());
        for (name, text) in references {
            others.push((name.clone(), document(text)?));
        }
        let schema = Self { documents: Documents { root, others } };
        schema.check(&schema.documents.root)?;
        Ok(schema)
    }

    /// The text that all schemas have that differ in white space only; with `normalize`, in the order of members too.
    pub(super) fn canonical_text(&self, normalize: bool) -> String {
        let root = &self.documents.root;
        if normalize { sorted(root).to_string() } else { root.to_string() }
    }

    fn root(&self) -> Place<'_> {
        let document = &self.documents.root;
        self.follow(Place { view: View::of(document), document, only: None })
    }

    /// The schema at `value` within the document of `place`.
    fn at<'a>(&'a self, place: Place<'a>, value: &'a Value) -> Place<'a> {
        self.follow(Place { view: View::of(value), document: place.document, only: None })
    }

    /// Where the `$ref` of a schema leads. One that leads nowhere takes everything, as validators do that cannot fetch it.
    fn follow<'a>(&'a self, mut place: Place<'a>) -> Place<'a> {
        for _ in 0..REFS_MAX {
            let View::Object(keywords) = place.view else { return place };
            let Some(target) = keywords.get("$ref").and_then(Value::as_str) else { return place };
            match self.documents.find(place.document, target) {
                Some((value, document)) => place = Place { view: View::of(value), document, ..place },
                None => return Place { view: View::Any, ..place },
            }
        }
        Place { view: View::Any, ..place }
    }

    /// Whether all references within lead somewhere, and keywords have values that they may have.
    fn check(&self, value: &Value) -> Result<(), String> {
        match value {
            Value::Object(keywords) => {
                if let Some(Value::String(target)) = keywords.get("$ref")
                    && self.documents.find(&self.documents.root, target).is_none()
                {
                    return Err(format!("the reference {target} leads nowhere"));
                }
                check_keywords(keywords)?;
                // What stands in these is data, no schema.
                let schemas = keywords
                    .iter()
                    .filter(|(name, _)| !["enum", "const", "default", "example", "examples"].contains(&name.as_str()));
                schemas.map(|(_, value)| value).try_for_each(|value| self.check(value))
            }
            Value::Array(values) => values.iter().try_for_each(|value| self.check(value)),
            _ => Ok(()),
        }
    }
}

fn document(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    match value {
        Value::Object(_) | Value::Bool(_) => Ok(value),
        other => Err(format!("{other} is no schema: it must be an object, true or false")),
    }
}

/// The types of JSON.
const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

fn check_keywords(keywords: &Map<String, Value>) -> Result<(), String> {
    let is_type = |value: &Value| value.as_str().is_some_and(|word| TYPES.contains(&word));
    match keywords.get("type") {
        Some(Value::String(word)) if !TYPES.contains(&word.as_str()) => return Err(format!("there is no type {word}")),
        // Under the name `type` there may be a property, whose schema is an object.
        Some(Value::Array(words)) if !words.iter().all(is_type) => {
            return Err(format!("there are no types {}", Value::Array(words.clone())));
        }
        _ => {}
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        if keywords.get(keyword).is_some_and(|value| value.is_string() || value.is_number()) {
            return Err(format!("{keyword} takes an array of schemas"));
        }
    }
    Ok(())
}

/// The same with members in order of their names.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> =
                members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.sort_by(|left, right| left.0.cmp(&right.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(elements) => elements.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// Keywords that say nothing about which values are taken.
const ANNOTATIONS: [&str; 13] = [
    "$schema",
    "$id",
    "id",
    "$anchor",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "definitions",
    "$defs",
    "readOnly",
    "deprecated",
];

impl<'a> View<'a> {
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Bool(false) => Self::Nothing,
            Value::Object(keywords)
                if !keywords.keys().all(|name| {
                    ANNOTATIONS.contains(&name.as_str()) || name.starts_with("connect.") || name.starts_with("x-")
                }) =>
            {
                Self::Object(keywords)
            }
            _ => Self::Any,
        }
    }

    fn keyword(self, name: &str) -> Option<&'a Value> {
        match self {
            Self::Object(keywords) => keywords.get(name),
            Self::Any | Self::Nothing => None,
        }
    }
}

impl<'a> Place<'a> {
    fn keyword(self, name: &str) -> Option<&'a Value> {
        self.view.keyword(name)
    }

    /// What tells the schema from others while they are compared.
    fn identity(self) -> (usize, Option<&'static str>) {
        let place = match self.view {
            View::Any => 0,
            View::Nothing => 1,
            View::Object(keywords) => std::ptr::from_ref(keywords) as usize,
        };
        (place, self.only)
    }
}
