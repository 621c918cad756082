//! What an entry says, and its JSON.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::dead_letter::Stage;
use super::super::task::Origin;

/// Who an entry is from: `processing.<query id>.<step>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logger(Arc<str>);

impl Logger {
    /// The logger of a step of `query`.
    pub fn new(query: &str, step: &str) -> Self {
        Self(format!("processing.{query}.{step}").into())
    }

    /// The logger of the operator `name` of `query`: in ksqlDB's word for its step.
    pub fn of_operator(query: &str, name: &str) -> Self {
        let (kind, _) = name.rsplit_once('-').unwrap_or((name, ""));
        let step = match kind {
            "Filter" => "WhereFilter",
            "Rekey" => "PartitionBy",
            "Aggregate" => "Aggregate.Aggregate",
            "Source" => "KsqlTopic.Reduce",
            kind if kind.ends_with("Join") || kind == "ForeignKeyLookup" => "Join",
            kind => kind,
        };
        Self::new(query, step)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A record could not be read.
    Deserialization {
        /// Key or value.
        is_key: bool,
        /// Why.
        reason: String,
        /// Bytes of that part of the record, if they are wanted.
        record: Option<Vec<u8>>,
        /// The topic.
        topic: Arc<str>,
    },
    /// An expression or an operator failed for a row.
    Processing {
        /// Why.
        reason: String,
        /// The record's value as text, if it is wanted.
        record: Option<String>,
    },
    /// Results could not be written.
    Production {
        /// Why.
        reason: String,
    },
    /// A result could not be made into a record.
    Serialization {
        /// Why.
        reason: String,
        /// The record's value that it follows from as text, if it is wanted.
        record: Option<String>,
        /// The topic; empty where rows go to a client.
        topic: String,
    },
    /// A task has failed, and is made again.
    Thread {
        /// Why.
        reason: String,
        /// The worker.
        thread: String,
    },
}

impl Message {
    /// The message about a record that was dropped at the input.
    pub fn at_input(stage: Stage, reason: &str, origin: &Origin<'_>, includes_rows: bool) -> Self {
        match stage {
            Stage::Key | Stage::Value => {
                let is_key = stage == Stage::Key;
                let bytes = if is_key { origin.key() } else { origin.value() };
                let record = bytes.filter(|_| includes_rows).map(<[u8]>::to_vec);
                Self::Deserialization { is_key, reason: reason.to_owned(), record, topic: Arc::clone(&origin.topic) }
            }
            Stage::Timestamp | Stage::Process | Stage::Encode => Self::processing(reason, Some(origin), includes_rows),
        }
    }

    /// The message about a row that failed on its way.
    pub fn processing(reason: &str, origin: Option<&Origin<'_>>, includes_rows: bool) -> Self {
        Self::Processing { reason: reason.to_owned(), record: text(origin, includes_rows) }
    }

    /// The message about a result that could not be made into a record of `topic`.
    pub fn serialization(reason: &str, origin: Option<&Origin<'_>>, topic: &str, includes_rows: bool) -> Self {
        Self::Serialization { reason: reason.to_owned(), record: text(origin, includes_rows), topic: topic.to_owned() }
    }
}

fn text(origin: Option<&Origin<'_>>, includes_rows: bool) -> Option<String> {
    let value = origin.filter(|_| includes_rows)?.value()?;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// The entry as ksqlDB writes it.
pub(super) fn json(logger: &str, time_ms: i64, message: &Message) -> String {
    const TYPES: [&str; 5] = [
        "deserializationError",
        "recordProcessingError",
        "productionError",
        "serializationError",
        "kafkaStreamsThreadError",
    ];
    let no_cause = || Value::Array(Vec::new());
    let (number, body) = match message {
        Message::Deserialization { is_key, reason, record, topic } => (
            0,
            json!({
                "target": if *is_key { "key" } else { "value" },
                "errorMessage": reason,
                "recordB64": record.as_ref().map(|bytes| STANDARD.encode(bytes)),
                "cause": no_cause(),
                "topic": &**topic,
            }),
        ),
        Message::Processing { reason, record } => {
            (1, json!({ "errorMessage": reason, "record": record, "cause": no_cause() }))
        }
        Message::Production { reason } => (2, json!({ "errorMessage": reason })),
        Message::Serialization { reason, record, topic } => (
            3,
            json!({
                "target": "value", "errorMessage": reason, "record": record, "cause": no_cause(), "topic": topic,
            }),
        ),
        Message::Thread { reason, thread } => {
            (4, json!({ "errorMessage": reason, "threadName": thread, "cause": no_cause() }))
        }
    };
    let mut fields = serde_json::Map::new();
    fields.insert("type".to_owned(), number.into());
    for (index, name) in TYPES.iter().enumerate() {
        fields.insert((*name).to_owned(), if index == number { body.clone() } else { Value::Null });
    }
    json!({ "level": "ERROR", "logger": logger, "time": time_ms, "message": fields }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_laid_out_as_ksqldb_does() {
        let message = Message::Deserialization {
            is_key: false,
            reason: "no JSON".to_owned(),
            record: Some(b"{oops".to_vec()),
            topic: "s".into(),
        };
        let logger = Logger::new("CSAS_X_1", "KsqlTopic.Source.deserializer");
        let expected = r#"{"level":"ERROR","logger":"processing.CSAS_X_1.KsqlTopic.Source.deserializer","time":5,"message":{"type":0,"deserializationError":{"target":"value","errorMessage":"no JSON","recordB64":"e29vcHM=","cause":[],"topic":"s"},"recordProcessingError":null,"productionError":null,"serializationError":null,"kafkaStreamsThreadError":null}}"#;
        assert_eq!(json(logger.name(), 5, &message), expected);
    }

    #[test]
    fn operators_log_under_ksqldb_s_words() {
        for (operator, step) in [
            ("Filter-2", "WhereFilter"),
            ("StreamTableJoin-1", "Join"),
            ("Project-3", "Project"),
            ("Aggregate-4", "Aggregate.Aggregate"),
        ] {
            assert_eq!(Logger::of_operator("Q_1", operator).name(), format!("processing.Q_1.{step}"));
        }
    }
}
