//! `/schemas`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::problem::Problem;
use crate::registry::{EmbeddedRegistry, Refusal, SchemaDocument, SchemaType, SubjectVersion};

/// `GET /schemas`
pub(super) fn list(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let mut versions = registry.all_versions(call.is_set("deleted"));
    versions.retain(|version| has_prefix(&version.subject, call));
    if call.is_set("latestOnly") {
        let last: BTreeMap<String, u32> =
            versions.iter().map(|version| (version.subject.clone(), version.version)).collect();
        versions.retain(|version| last.get(&version.subject) == Some(&version.version));
    }
    let described =
        call.page(versions).iter().map(|version| described(registry, version, call)).collect::<Result<_, _>>();
    described.map(Answer::Json)
}

/// `GET /schemas/ids/{id}`
pub(super) fn by_id(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let (id, schema) = found(registry, call)?;
    let mut answer = json!({});
    describe(&mut answer, registry, id, &schema, call)?;
    if call.is_set("fetchMaxId") {
        answer["maxId"] = json!(registry.id_max());
    }
    Answer::json(answer)
}

/// `GET /schemas/ids/{id}/schema`
pub(super) fn text_by_id(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    Ok(Answer::Text(found(registry, call)?.1.text))
}

/// `GET /schemas/ids/{id}/subjects`
pub(super) fn subjects(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let (id, _) = found(registry, call)?;
    let places = registry.places_of(id, call.is_set("deleted"));
    let mut subjects: Vec<String> = places.into_iter().map(|(subject, _)| subject).collect();
    subjects.dedup();
    Answer::json(json!(call.page(subjects)))
}

/// `GET /schemas/ids/{id}/versions`
pub(super) fn versions(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let (id, _) = found(registry, call)?;
    let places = registry.places_of(id, call.is_set("deleted")).into_iter();
    let places = places.map(|(subject, version)| json!({"subject": subject, "version": version}));
    Answer::json(json!(call.page(places.collect())))
}

fn found(registry: &EmbeddedRegistry, call: &Call) -> Result<(u32, SchemaDocument), Problem> {
    let id = call.id()?;
    let schema = registry.schema(id).ok_or_else(|| Refusal::SchemaNotFound(format!("{id} ")))?;
    Ok((id, schema))
}

/// Whether `subject` begins with what the parameter `subjectPrefix` says, if it says anything.
pub(super) fn has_prefix(subject: &str, call: &Call) -> bool {
    /// Subjects of all contexts.
    const ALL: &str = ":*:";
    let prefix = call.parameter("subjectPrefix").unwrap_or(ALL);
    subject.starts_with(prefix.strip_prefix(ALL).unwrap_or(prefix))
}

/// A version as it is answered.
pub(super) fn described(registry: &EmbeddedRegistry, version: &SubjectVersion, call: &Call) -> Result<Value, Problem> {
    let mut answer = json!({"subject": version.subject, "version": version.version, "id": version.id});
    describe(&mut answer, registry, version.id, &version.schema, call)?;
    if version.deleted {
        answer["deleted"] = json!(true);
    }
    Ok(answer)
}

/// Adds what is said of a schema: its language is AVRO where nothing is said.
fn describe(
    answer: &mut Value,
    registry: &EmbeddedRegistry,
    id: u32,
    schema: &SchemaDocument,
    call: &Call,
) -> Result<(), Problem> {
    if schema.schema_type != SchemaType::Avro {
        answer["schemaType"] = json!(schema.schema_type.name());
    }
    if !schema.references.is_empty() {
        let references = schema.references.iter();
        let references =
            references.map(|one| json!({"name": one.name, "subject": one.subject, "version": one.version}));
        answer["references"] = references.collect();
    }
    let serialized = match call.parameter("format") {
        Some("serialized") => registry.serialized(id)?,
        _ => None,
    };
    answer["schema"] = json!(serialized.unwrap_or_else(|| schema.text.clone()));
    Ok(())
}
