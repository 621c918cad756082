//! The topic that a WITH clause describes: how it is to be made, and whether it is that already.

use crate::catalog::DataSource;
use crate::sql::Span;

use super::error::PlanError;
use super::properties::{Properties, SideProperties};
use super::settings::{SchemaValidation, Settings, TopicFacts};

/// Partitions of the topic if it must be created.
pub(super) fn partitions_to_create(
    topic: &str,
    properties: &Properties,
    settings: &Settings,
    span: Span,
) -> Result<Option<u32>, PlanError> {
    match (settings.topics.find(topic), properties.partitions) {
        (None, None) => Err(PlanError::refused_with_hint(
            format!(
                "Topic '{topic}' does not exist. If you want to create a new topic for the stream/table please re-run \
                 the statement providing the required 'PARTITIONS' configuration in the WITH clause."
            ),
            "add PARTITIONS=1 to the WITH clause, or create the topic first",
            span,
        )),
        (None, partitions) => Ok(partitions),
        (Some(_), _) if settings.topics.is_past() => Ok(None),
        (Some(found), _) => check_existing(topic, &found, properties, span).map(|()| None),
    }
}

/// Refuses what the WITH clause says of a topic that exists and is another.
pub(super) fn check_existing(
    topic: &str,
    found: &TopicFacts,
    properties: &Properties,
    span: Span,
) -> Result<(), PlanError> {
    let wanted = [
        ("partitions", properties.partitions.map(i64::from), Some(i64::from(found.partitions))),
        ("replication factor", properties.replicas.map(i64::from), found.replicas.map(i64::from)),
        ("retention", properties.retention_ms, Some(found.retention_ms.unwrap_or(-1))),
    ];
    let differ = wanted.iter().filter_map(|(what, wanted, found)| {
        let (wanted, found) = ((*wanted)?, (*found)?);
        (wanted != found).then(|| format!("{wanted} {what} (topic has {found})"))
    });
    let differ: Vec<String> = differ.collect();
    if differ.is_empty() {
        return check_validation(topic, found, properties, span);
    }
    let message = format!(
        "A Kafka topic with the name '{topic}' already exists, with different partition/replica configuration than \
         required. KSQL expects {}",
        differ.join(", ")
    );
    Err(PlanError::refused(message, span))
}

/// Refuses what the WITH clause says of the schemas of a topic that exists and takes other records.
fn check_validation(topic: &str, found: &TopicFacts, properties: &Properties, span: Span) -> Result<(), PlanError> {
    let Some(found) = found.validation else { return Ok(()) };
    let sides = [("KEY", properties.key.validation, found.keys), ("VALUE", properties.value.validation, found.values)];
    for (side, wanted, found) in sides {
        if wanted.is_some_and(|wanted| wanted != found) {
            let message = format!(
                "A Kafka topic with the name '{topic}' already exists, with {side}_SCHEMA_VALIDATION = {found}."
            );
            return Err(PlanError::refused_with_hint(message, "it is set when a topic is created", span));
        }
    }
    Ok(())
}

/// Which records the topic of `source` takes, as the WITH clause says.
pub(super) fn schema_validation(
    properties: &Properties,
    source: &DataSource,
    span: Span,
) -> Result<SchemaValidation, PlanError> {
    let sides = [
        ("KEY", &properties.key, &source.key_serde.format, source.schema.key.is_empty()),
        ("VALUE", &properties.value, &source.value_serde.format, source.schema.value.is_empty()),
    ];
    for (side, said, format, is_empty) in sides {
        if said.validation == Some(true) && !format.infers_schemas() && !is_empty {
            let message = format!(
                "{side}_SCHEMA_VALIDATION = true takes only records of registered schemas, and the format {} has none.",
                format.name()
            );
            let hint = format!("write {side}_FORMAT = 'AVRO', 'JSON_SR' or 'PROTOBUF'");
            return Err(PlanError::refused_with_hint(message, hint, span));
        }
    }
    let is_on = |side: &SideProperties| side.validation.unwrap_or(false);
    Ok(SchemaValidation { keys: is_on(&properties.key), values: is_on(&properties.value) })
}
