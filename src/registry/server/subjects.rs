//! `/subjects`, `/compatibility` and `/contexts`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::call::{Answer, Call};
use super::problem::Problem;
use super::schemas::{described, has_prefix};
use crate::registry::{
    EmbeddedRegistry, Refusal, Registration, SchemaDocument, SchemaReference, SchemaType, VersionId,
};

/// `GET /subjects`
pub(super) fn list(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let only_deleted = call.is_set("deletedOnly");
    let mut subjects = registry.all_subjects(call.is_set("deleted") || only_deleted);
    if only_deleted {
        let live: BTreeSet<String> = registry.all_subjects(false).into_iter().collect();
        subjects.retain(|subject| !live.contains(subject));
    }
    subjects.retain(|subject| has_prefix(subject, call));
    Answer::json(json!(call.page(subjects)))
}

/// `GET /contexts`: the parts of names between `:.` and `:`.
pub(super) fn contexts(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let subjects = registry.all_subjects(false);
    let named = subjects.iter().filter_map(|subject| Some(subject.strip_prefix(':')?.split_once(':')?.0));
    let contexts: BTreeSet<&str> = named.filter(|name| name.starts_with('.')).chain(["."]).collect();
    Answer::json(json!(call.page(contexts.into_iter().collect())))
}

/// `GET /subjects/{subject}/versions`
pub(super) fn versions(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let (with_deleted, only_deleted) = (call.is_set("deleted"), call.is_set("deletedOnly"));
    let versions = registry.versions(call.the_subject()).into_iter();
    let wanted = versions.filter(|(_, deleted)| if only_deleted { *deleted } else { with_deleted || !deleted });
    let numbers: Vec<u32> = wanted.map(|(number, _)| number).collect();
    if numbers.is_empty() {
        return Err(Refusal::SubjectNotFound(call.the_subject().to_owned()).into());
    }
    Answer::json(json!(call.page(numbers)))
}

/// `GET /subjects/{subject}/versions/{version}`
pub(super) fn version(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let version = registry.find(call.the_subject(), call.version()?, call.is_set("deleted"))?;
    Ok(Answer::Json(described(registry, &version, call)?))
}

/// `GET /subjects/{subject}/versions/{version}/schema`
pub(super) fn text(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let version = registry.find(call.the_subject(), call.version()?, call.is_set("deleted"))?;
    Ok(Answer::Text(version.schema.text))
}

/// `GET /subjects/{subject}/versions/{version}/referencedby`
pub(super) fn referenced_by(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let version = registry.find(call.the_subject(), call.version()?, true)?;
    Answer::json(json!(call.page(registry.referring_to(&version.subject, version.version))))
}

/// `POST /subjects/{subject}/versions`
pub(super) fn register(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let body = call.body()?;
    let schema = document(registry, &body)?;
    let how = Registration {
        normalize: call.is_set("normalize"),
        id: number(&body, "id")?,
        version: number(&body, "version")?,
    };
    let version = registry.register(call.the_subject(), &schema, how)?;
    Answer::json(json!({"id": version.id, "version": version.version}))
}

/// `POST /subjects/{subject}`
pub(super) fn look_up(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let schema = document(registry, &call.body()?)?;
    let found = registry.look_up(call.the_subject(), &schema, call.is_set("normalize"), call.is_set("deleted"))?;
    Ok(Answer::Json(described(registry, &found, call)?))
}

/// `DELETE /subjects/{subject}`
pub(super) fn delete(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    Answer::json(json!(registry.delete_subject(call.the_subject(), call.is_set("permanent"))?))
}

/// `DELETE /subjects/{subject}/versions/{version}`
pub(super) fn delete_version(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let deleted = registry.delete_version(call.the_subject(), call.version()?, call.is_set("permanent"))?;
    Answer::json(json!(deleted))
}

/// `POST /compatibility/subjects/{subject}/versions`
pub(super) fn check_all(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    check(registry, call, None)
}

/// `POST /compatibility/subjects/{subject}/versions/{version}`
pub(super) fn check_one(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    check(registry, call, Some(call.version()?))
}

fn check(registry: &EmbeddedRegistry, call: &Call, version: Option<VersionId>) -> Result<Answer, Problem> {
    let schema = document(registry, &call.body()?)?;
    let messages = registry.incompatibilities(call.the_subject(), &schema, version)?;
    let mut answer = json!({"is_compatible": messages.is_empty()});
    if call.is_set("verbose") {
        answer["messages"] = json!(messages);
    }
    Answer::json(answer)
}

fn number(body: &Map<String, Value>, name: &str) -> Result<Option<u32>, Problem> {
    match body.get(name) {
        // Clients write -1 for none.
        None | Some(Value::Null) => Ok(None),
        Some(value) if value.as_i64() == Some(-1) => Ok(None),
        Some(value) => match value.as_u64().map(u32::try_from) {
            Some(Ok(number @ 1..=0x7fff_ffff)) => Ok(Some(number)),
            _ => Err(Problem::unprocessable(format!("{name} is no positive number: {value}"))),
        },
    }
}

/// What of a data contract is not kept here: who relies on it must know.
const CONTRACT: [&str; 3] = ["metadata", "ruleSet", "schemaTags"];

/// The schema that a body holds.
fn document(registry: &EmbeddedRegistry, body: &Map<String, Value>) -> Result<SchemaDocument, Problem> {
    if let Some(name) = CONTRACT.iter().find(|name| body.get(**name).is_some_and(is_something)) {
        return Err(Problem::unprocessable(format!("{name} is not kept by this registry: leave it out")));
    }
    let schema_type = match body.get("schemaType") {
        None | Some(Value::Null) => SchemaType::Avro,
        Some(word) => word.as_str().and_then(SchemaType::of).ok_or_else(|| {
            Refusal::InvalidSchema(format!("there is no schema type {word}; there are AVRO, JSON and PROTOBUF"))
        })?,
    };
    let Some(Value::String(text)) = body.get("schema") else {
        return Err(Refusal::InvalidSchema("the member \"schema\" is missing or no text".to_owned()).into());
    };
    let references = match body.get("references") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(references)) => {
            references.iter().map(|one| reference(registry, one)).collect::<Result<_, Problem>>()?
        }
        Some(other) => return Err(Problem::unprocessable(format!("references are no array: {other}"))),
    };
    Ok(SchemaDocument { schema_type, text: text.clone(), references })
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(members) => members.values().any(is_something),
        _ => true,
    }
}

fn reference(registry: &EmbeddedRegistry, value: &Value) -> Result<SchemaReference, Problem> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let version = value.get("version").and_then(Value::as_i64);
    let (Some(name), Some(subject), Some(version)) = (text("name"), text("subject"), version) else {
        return Err(Problem::unprocessable(format!("a reference needs name, subject and version: {value}")));
    };
    let version = match version {
        -1 => registry.find(&subject, VersionId::Latest, false)?.version,
        version => u32::try_from(version).map_err(|_| Refusal::InvalidVersion(version.to_string()))?,
    };
    Ok(SchemaReference { name, subject, version })
}
