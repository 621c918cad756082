//! JSON schemas as a registry sees them: documents whose `$ref`s can be followed, in any draft.

mod arrays;
mod combined;
mod compatibility;
mod objects;
mod values;

#[cfg(test)]
mod tests;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

pub(super) use compatibility::read_faults;

/// A parsed schema.
#[derive(Debug)]
pub(in crate::registry) struct JsonSchema {
    root: Value,
    /// Other documents, by the name that a reference has, and by `$id`.
    others: Vec<(String, Value)>,
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
        let schema = Self { root, others };
        schema.check(&schema.root)?;
        Ok(schema)
    }

    /// The text that all schemas have that differ in white space only; with `normalize`, in the order of members too.
    pub(super) fn canonical_text(&self, normalize: bool) -> String {
        if normalize { sorted(&self.root).to_string() } else { self.root.to_string() }
    }

    fn root(&self) -> Place<'_> {
        self.follow(Place { view: View::of(&self.root), document: &self.root, only: None })
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
            match self.find(place.document, target) {
                Some((value, document)) => place = Place { view: View::of(value), document, ..place },
                None => return Place { view: View::Any, ..place },
            }
        }
        Place { view: View::Any, ..place }
    }

    fn find<'a>(&'a self, document: &'a Value, target: &str) -> Option<(&'a Value, &'a Value)> {
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

    /// Whether all references within lead somewhere, and keywords have values that they may have.
    fn check(&self, value: &Value) -> Result<(), String> {
        match value {
            Value::Object(keywords) => {
                if let Some(Value::String(target)) = keywords.get("$ref")
                    && self.find(&self.root, target).is_none()
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
