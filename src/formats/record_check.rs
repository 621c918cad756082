//! What may be written to topics that take only records of registered schemas.
//!
//! As brokers of Confluent Server do: the bytes must begin with the id of a version of their topic's subject; what follows is not
//! looked at. No key and no value need no schema.

use std::collections::HashSet;
use std::sync::Arc;

use super::schemas::{Schemas, Subject, split_id};
use super::{Encoder, Side};
use crate::registry::{RegistryError, SchemaRegistry};

/// Checks keys, or values, of one topic before they are written.
pub struct RecordCheck {
    registry: Option<Arc<dyn SchemaRegistry>>,
    topic: String,
    subject: String,
    side: Side,
    /// Ids that are those of versions of the subject.
    valid: HashSet<u32>,
}

/// Why a record is not written.
#[derive(Debug, thiserror::Error)]
pub enum RecordRefusal {
    /// The topic does not take it.
    #[error("{0}")]
    NotTaken(String),
    /// Nobody knows whether the topic takes it.
    #[error(transparent)]
    Unknown(#[from] RegistryError),
}

impl RecordCheck {
    /// Checks what is written to `subject`, by its schemas among `schemas`.
    pub fn new(schemas: &Schemas, subject: Subject<'_>) -> Self {
        let (topic, side) = (subject.topic.to_owned(), subject.side);
        Self { registry: schemas.registry(), topic, subject: subject.name(), side, valid: HashSet::new() }
    }

    /// Whether `bytes` may be written.
    pub fn check(&mut self, bytes: Option<&[u8]>) -> Result<(), RecordRefusal> {
        match bytes {
            None => Ok(()),
            Some(bytes) => self.check_id(split_id(bytes).ok().map(|(id, _)| id)),
        }
    }

    /// Whether what `encoder` writes may be written.
    pub fn check_encoder(&mut self, encoder: &dyn Encoder) -> Result<(), RecordRefusal> {
        self.check_id(encoder.schema_id())
    }

    fn check_id(&mut self, id: Option<u32>) -> Result<(), RecordRefusal> {
        let Some(id) = id else {
            return Err(self.not_taken(
                "this one does not begin with the id of a schema",
                "write it by the format AVRO, JSON_SR or PROTOBUF, or with a serializer of Schema Registry",
            ));
        };
        if self.valid.contains(&id) {
            return Ok(());
        }
        let subjects = match &self.registry {
            Some(registry) => registry.subjects_of(id)?,
            None => Vec::new(),
        };
        if subjects.contains(&self.subject) {
            self.valid.insert(id);
            return Ok(());
        }
        let what = match subjects.as_slice() {
            [] => format!("there is no schema with the id {id}"),
            others => format!("the schema with the id {id} is one of {}", others.join(", ")),
        };
        let advice = format!("register it under {}, or write by a version of that subject", self.subject);
        Err(self.not_taken(&what, &advice))
    }

    fn not_taken(&self, what: &str, advice: &str) -> RecordRefusal {
        let (word, name) = match self.side {
            Side::Key => ("keys", "key"),
            Side::Value => ("values", "value"),
        };
        let (topic, subject) = (&self.topic, &self.subject);
        RecordRefusal::NotTaken(format!(
            "topic {topic} takes only {word} of schemas of {subject} (confluent.{name}.schema.validation), and {what}: {advice}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{MemoryRegistry, SchemaDocument, SchemaType};

    fn register(registry: &MemoryRegistry, subject: &str, schema: &str) -> u32 {
        registry.register(subject, &SchemaDocument::new(SchemaType::Avro, schema)).expect("any schema fits")
    }

    #[test]
    fn bytes_begin_with_the_id_of_a_version_of_their_subject() {
        let registry = Arc::new(MemoryRegistry::new());
        assert_eq!(register(&registry, "t-value", "\"int\""), 1);
        assert_eq!(register(&registry, "other-value", "\"long\""), 2);
        let schemas = Schemas::new(Some(Arc::<MemoryRegistry>::clone(&registry)));
        let mut check = RecordCheck::new(&schemas, Subject { topic: "t", side: Side::Value });
        let mut refusal = |bytes: &[u8]| check.check(Some(bytes)).map_err(|refusal| refusal.to_string());
        assert_eq!(refusal(&[0, 0, 0, 0, 1, 14]), Ok(()));
        assert_eq!(refusal(&[0, 0, 0, 0, 1]), Ok(()), "what follows is not looked at");
        let begins = "topic t takes only values of schemas of t-value (confluent.value.schema.validation), and ";
        for (bytes, reason) in [
            (
                &[0, 0, 0, 0, 2, 14][..],
                "the schema with the id 2 is one of other-value: register it under t-value, or ",
            ),
            (&[0, 0, 0, 0, 9, 14], "there is no schema with the id 9: register it under t-value, or "),
            (b"{\"a\": 1}", "this one does not begin with the id of a schema: write it by the format AVRO, "),
            (&[], "this one does not begin with the id of a schema: write it by the format AVRO, "),
        ] {
            let message = refusal(bytes).expect_err("not of the subject");
            assert!(message.starts_with(&format!("{begins}{reason}")), "{message}");
        }
        assert_eq!(register(&registry, "t-value", "\"long\""), 2);
        assert_eq!(refusal(&[0, 0, 0, 0, 2, 14]), Ok(()), "it was asked for again");
        assert!(check.check(None).is_ok(), "a tombstone has no schema");
    }
}
