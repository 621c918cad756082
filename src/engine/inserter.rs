//! Many records for one stream or table, each a JSON object.
//!
//! ```text
//! {"id": 1, …} ── checked: names, types ──▶ the same with the columns' names ── JSON decoder ──▶ columns ── encoders ──▶ records
//! ```
//!
//! What does not depend on the records is done once, and records are written as many at a time as are given.

use std::sync::{Arc, Weak};

use arrow::array::{Array as _, ArrayRef, BinaryArray, UInt32Array};
use arrow::compute::take;
use serde_json::{Map, Value};

use super::libraries::Installed;
use super::topics::Known;
use super::{Engine, EngineError, Inner, Session, Shared};
use crate::catalog::DataSource;
use crate::formats::{self, Decoder, Encoder, Format, Serde, Side, Subject};
use crate::plan::{self, NoPlans, Settings};
use crate::sql::ast::Identifier;
use crate::topics::{TopicError, TopicPartition, Transaction};
use crate::types::{Column, RecordChunkBuilder, SqlType, iso_text};

/// Writes records to one stream or table.
pub struct Inserter {
    inner: Weak<Inner>,
    session: Session,
    target: String,
    prepared: Prepared,
}

/// What is known of the target, as of one state of the catalog.
struct Prepared {
    changes: u64,
    source: Arc<DataSource>,
    columns: Vec<Column>,
    decoder: Box<dyn Decoder>,
    key: Option<Box<dyn Encoder>>,
    value: Box<dyn Encoder>,
}

impl Engine {
    /// Prepares to write records to `target`, a name as in statements: in capitals unless it is in back-ticks.
    pub fn inserter(&self, session: &Session, target: &str) -> Result<Inserter, EngineError> {
        let target = name_of(target).into_owned();
        let prepared = Prepared::new(&self.inner.shared, session, &target)?;
        Ok(Inserter { inner: Arc::downgrade(&self.inner), session: session.clone(), target, prepared })
    }
}

impl Inserter {
    /// Writes `rows`, each a JSON object of columns' names and values, and says of each whether it was written, up to the first
    /// that was not: those after it are not written either. Names count in any case unless they are in back-ticks; what is
    /// missing is null; key columns must be there. Returns when the records are in the topic.
    pub fn insert<R: AsRef<[u8]>>(&mut self, rows: &[R]) -> Vec<Result<(), EngineError>> {
        self.written(rows).unwrap_or_else(|error| rows.iter().map(|_| Err(copy(&error))).collect())
    }

    fn written<R: AsRef<[u8]>>(&mut self, rows: &[R]) -> Result<Vec<Result<(), EngineError>>, EngineError> {
        let inner = self.inner.upgrade().ok_or_else(|| EngineError::new("the server is being stopped"))?;
        let shared = &inner.shared;
        if shared.view().changes != self.prepared.changes {
            self.prepared = Prepared::new(shared, &self.session, &self.target)?;
        }
        let (mut outcomes, transaction) = self.prepared.transaction(shared, rows)?;
        if transaction.is_empty() {
            return Ok(outcomes);
        }
        if let Err(error) = shared.topics.commit(transaction) {
            let error = EngineError::from(error);
            outcomes.iter_mut().filter(|outcome| outcome.is_ok()).for_each(|outcome| *outcome = Err(copy(&error)));
        }
        Ok(outcomes)
    }
}

/// The same error for another row.
fn copy(error: &EngineError) -> EngineError {
    EngineError { message: error.message.clone(), position: None, hint: error.hint.clone(), code: error.code }
}

/// A name as it is stored: `` `Name` `` is Name, name is NAME.
fn name_of(written: &str) -> std::borrow::Cow<'_, str> {
    let quoted = written.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
    quoted.map_or_else(|| written.to_uppercase().into(), |name| name.replace("``", "`").into())
}

impl Prepared {
    fn new(shared: &Shared, session: &Session, target: &str) -> Result<Self, EngineError> {
        let view = shared.view();
        let properties = shared.properties(&session.properties);
        let topics = Known::new(&*shared.topics);
        let settings = Settings {
            properties: properties.values(),
            topics: &topics,
            plans: &NoPlans,
            libraries: &Installed(&shared.server),
            query_number: 0,
        };
        let target = Identifier::new(target);
        let source = Arc::clone(plan::insert_target(&target, &view.catalog, &settings)?);
        topics.check()?;
        let columns: Vec<Column> = source.schema.key.iter().chain(&source.schema.value).cloned().collect();
        let json = Serde { format: Format::Json, wrap_single: true };
        let decoder =
            formats::decoder(&json, &columns, &vec![true; columns.len()]).map_err(EngineError::environment)?;
        let schemas = shared.schemas();
        let encoder = |serde: &Serde, columns: &[Column], side| {
            if serde.needs_registry() {
                shared.registry().map_err(EngineError::new)?;
            }
            let subject = Subject { topic: &source.topic, side };
            schemas.encoder(serde, columns, subject).map_err(EngineError::environment)
        };
        let has_key = !source.schema.key.is_empty();
        let key = has_key.then(|| encoder(&source.key_serde, &source.schema.key, Side::Key)).transpose()?;
        let value = encoder(&source.value_serde, &source.schema.value, Side::Value)?;
        Ok(Self { changes: view.changes, columns, decoder, key, value, source })
    }

    /// What becomes of each of `rows`, and what writes those that are right.
    fn transaction<R: AsRef<[u8]>>(
        &mut self,
        shared: &Shared,
        rows: &[R],
    ) -> Result<(Vec<Result<(), EngineError>>, Transaction), EngineError> {
        let normal: Vec<Result<Vec<u8>, EngineError>> = rows.iter().map(|row| self.normal(row.as_ref())).collect();
        let bytes: BinaryArray = normal.iter().map(|row| row.as_ref().ok()).collect();
        let mut outcomes: Vec<Result<(), EngineError>> = normal.into_iter().map(|row| row.map(drop)).collect();
        let decoded = self.decoder.decode(&bytes);
        for error in decoded.errors {
            outcomes[error.row as usize] = Err(self.failed(&error.reason));
        }
        let kept: UInt32Array =
            (0..rows.len() as u32).filter(|row| outcomes[*row as usize].is_ok()).collect::<Vec<_>>().into();
        let columns: Vec<ArrayRef> = decoded
            .columns
            .iter()
            .map(|column| take(column, &kept, None).map_err(EngineError::environment))
            .collect::<Result<_, _>>()?;
        let (key_columns, value_columns) = columns.split_at(self.source.schema.key.len());
        let keys = self.key.as_mut().map(|encoder| encoder.encode(key_columns, kept.len(), None));
        let values = self.value.encode(value_columns, kept.len(), None);
        for error in keys.iter().flat_map(|keys| &keys.errors).chain(&values.errors) {
            outcomes[kept.value(error.row as usize) as usize] = Err(self.failed(&error.reason));
        }
        let (topic, now) = (&self.source.topic, shared.clock.now_ms());
        let info = shared.topics.describe(topic)?;
        let info = info.ok_or_else(|| TopicError::UnknownTopic { topic: topic.clone() })?;
        let mut chunks: Vec<Option<RecordChunkBuilder>> = (0..info.config.partitions).map(|_| None).collect();
        if let Some(wrong) = outcomes.iter().position(Result::is_err) {
            outcomes.truncate(wrong + 1);
        }
        let is_written = |row: u32| outcomes.get(row as usize).is_some_and(Result::is_ok);
        for index in (0..kept.len()).filter(|index| is_written(kept.value(*index))) {
            let key = keys.as_ref().map(|keys| &keys.bytes).filter(|keys| keys.is_valid(index));
            let key = key.map(|keys| keys.value(index));
            let value = values.bytes.is_valid(index).then(|| values.bytes.value(index));
            let partition = shared.topics.partition_for(key, info.config.partitions);
            chunks[partition as usize].get_or_insert_with(RecordChunkBuilder::new).push(key, value, now);
        }
        let to = |partition| TopicPartition { topic: topic.as_str().into(), partition };
        let appends = (0..).zip(chunks).filter_map(|(partition, chunk)| Some((to(partition), chunk?.finish())));
        Ok((outcomes, Transaction { appends: appends.collect(), ..Transaction::default() }))
    }

    fn failed(&self, reason: &str) -> EngineError {
        EngineError::new(format!("Failed to insert values into '{}'. {reason}", self.source.name))
    }

    /// The object `row` with the names of the columns, as the JSON format has it.
    fn normal(&self, row: &[u8]) -> Result<Vec<u8>, EngineError> {
        let Value::Object(given) = serde_json::from_slice(row)
            .map_err(|error| EngineError::new(format!("Invalid JSON in inserts stream: {error}")))?
        else {
            return Err(EngineError::new("Invalid JSON in inserts stream: a row is an object"));
        };
        let mut left: Vec<Option<Value>> = vec![None; self.columns.len()];
        for (written, value) in given {
            let name = name_of(&written);
            if let Some(index) = self.columns.iter().position(|column| column.name == name) {
                left[index] = Some(value);
            }
        }
        let mut normal = Map::with_capacity(self.columns.len());
        for (index, (column, value)) in self.columns.iter().zip(left).enumerate() {
            let value = value.unwrap_or(Value::Null);
            if index < self.source.schema.key.len() && value.is_null() {
                return Err(EngineError::new(format!("Key field must be specified: {}", column.name)));
            }
            normal
                .insert(column.name.clone(), fitting(value, &column.sql_type).map_err(|reason| self.failed(&reason))?);
        }
        serde_json::to_vec(&normal).map_err(EngineError::environment)
    }
}

/// `value` for a column of type `sql_type`, as the JSON format has it. Nothing is converted but what JSON has no type for.
fn fitting(value: Value, sql_type: &SqlType) -> Result<Value, String> {
    let whole = |number: &serde_json::Number| number.is_i64();
    let fits = match (&value, sql_type) {
        (Value::Null, _) => true,
        (Value::Bool(_), SqlType::Boolean) => true,
        (Value::Number(number), SqlType::Integer | SqlType::Bigint) => whole(number),
        (Value::Number(_), SqlType::Double | SqlType::Decimal { .. }) => true,
        (Value::Number(number), SqlType::Timestamp | SqlType::Date | SqlType::Time) => whole(number),
        (Value::String(_), SqlType::String | SqlType::Bytes | SqlType::Decimal { .. }) => true,
        (Value::String(text), SqlType::Timestamp | SqlType::Date | SqlType::Time) => {
            return time_number(text, sql_type).ok_or_else(|| refused(&value, sql_type));
        }
        (Value::Array(_) | Value::Object(_), SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_)) => {
            return nested(value, sql_type);
        }
        _ => false,
    };
    if fits { Ok(value) } else { Err(refused(&value, sql_type)) }
}

fn refused(value: &Value, sql_type: &SqlType) -> String {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!("Can't coerce a field of type {found} ({value}) into type {sql_type}")
}

/// What the JSON format has for a time that is written as text.
fn time_number(text: &str, sql_type: &SqlType) -> Option<Value> {
    match sql_type {
        SqlType::Timestamp => iso_text::parse_timestamp(text).map(Value::from),
        SqlType::Date => iso_text::parse_date(text).map(Value::from),
        SqlType::Time => iso_text::parse_time(text).map(Value::from),
        _ => None,
    }
}

fn nested(value: Value, sql_type: &SqlType) -> Result<Value, String> {
    match (value, sql_type) {
        (Value::Array(items), SqlType::Array(item)) => {
            items.into_iter().map(|value| fitting(value, item)).collect::<Result<_, _>>().map(Value::Array)
        }
        (Value::Object(entries), SqlType::Map(_, item)) => {
            let entries = entries.into_iter().map(|(key, value)| Ok((key, fitting(value, item)?)));
            entries.collect::<Result<_, String>>().map(Value::Object)
        }
        (Value::Object(members), SqlType::Struct(fields)) => {
            let members = members.into_iter().filter_map(|(written, value)| {
                let name = name_of(&written);
                let field = fields.iter().find(|field| field.name == name)?;
                Some(fitting(value, &field.sql_type).map(|value| (field.name.clone(), value)))
            });
            members.collect::<Result<_, String>>().map(Value::Object)
        }
        (value, sql_type) => Err(refused(&value, sql_type)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::topics::{MemoryTopics, Topics};

    const SOURCES: &str = "
CREATE STREAM s (id BIGINT KEY, `low` STRING, amount DECIMAL(6, 2), raw BYTES, day DATE, tags ARRAY<INT>,
    place STRUCT<x INT, name STRING>) WITH (KAFKA_TOPIC = 's', FORMAT = 'JSON', PARTITIONS = 1);
CREATE TABLE t (id INT PRIMARY KEY, v INT) WITH (KAFKA_TOPIC = 't', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
CREATE SOURCE STREAM fixed (v INT) WITH (KAFKA_TOPIC = 't', VALUE_FORMAT = 'JSON');
";

    fn engine() -> (Engine, Arc<dyn Topics>) {
        let topics: Arc<dyn Topics> = Arc::new(MemoryTopics::new());
        let engine = Engine::with_options(
            Arc::clone(&topics),
            super::super::EngineOptions { threads: false, ..super::super::EngineOptions::default() },
        );
        let engine = engine.expect("an engine in memory");
        engine.execute(&mut Session::default(), SOURCES, &mut |_| ()).expect("the statements are correct");
        (engine, topics)
    }

    fn texts(outcomes: Vec<Result<(), EngineError>>) -> Vec<String> {
        outcomes
            .into_iter()
            .map(|outcome| outcome.map_or_else(|error| error.to_string(), |()| "ok".to_owned()))
            .collect()
    }

    fn records(topics: &dyn Topics, topic: &str) -> Vec<(String, String)> {
        let partition = TopicPartition { topic: topic.into(), partition: 0 };
        let chunk = topics.fetch(&partition, 0, 100, 1 << 20).expect("memory can be read");
        let text = |bytes: &BinaryArray, row| String::from_utf8_lossy(bytes.value(row)).into_owned();
        (0..chunk.len()).map(|row| (text(&chunk.keys, row), text(&chunk.values, row))).collect()
    }

    #[test]
    fn names_count_in_any_case_and_what_is_missing_is_null() {
        let (engine, topics) = engine();
        let mut inserter = engine.inserter(&Session::default(), "s").expect("a stream");
        let rows = [
            r#"{"Id": 1, "`low`": "a", "LOW": "ignored", "amount": "12.5", "raw": "IQ==", "day": "1970-01-03"}"#,
            r#"{"ID": 2, "tags": [1, null], "place": {"X": 3, "`NAME`": "n"}, "day": 4, "amount": 3}"#,
        ];
        assert_eq!(texts(inserter.insert(&rows)), ["ok", "ok"]);
        let first = r#"{"low":"a","AMOUNT":12.50,"RAW":"IQ==","DAY":2,"TAGS":null,"PLACE":null}"#;
        let second = r#"{"low":null,"AMOUNT":3.00,"RAW":null,"DAY":4,"TAGS":[1,null],"PLACE":{"X":3,"NAME":"n"}}"#;
        assert_eq!(records(&*topics, "s"), [("1".to_owned(), first.to_owned()), ("2".to_owned(), second.to_owned())]);
    }

    #[test]
    fn rows_are_written_up_to_the_first_that_is_wrong() {
        let (engine, topics) = engine();
        let mut inserter = engine.inserter(&Session::default(), "`T`").expect("a table");
        let good = r#"{"id": 2, "v": 7}"#;
        for (wrong, reason) in [
            (r#"{"v": 1}"#, "Key field must be specified: ID"),
            (r#"{"id": null}"#, "Key field must be specified: ID"),
            (
                r#"{"id": 1, "v": "x"}"#,
                "Failed to insert values into 'T'. Can't coerce a field of type text (\"x\") into type INTEGER",
            ),
        ] {
            assert_eq!(texts(inserter.insert(&[good, wrong, good])), ["ok", reason]);
        }
        for wrong in ["[]", "{", ""] {
            assert_eq!(texts(inserter.insert(&[wrong, good])).len(), 1);
        }
        assert_eq!(records(&*topics, "t").len(), 3);
    }

    #[test]
    fn targets_are_checked_at_the_start_and_when_something_changes() {
        let (engine, _) = engine();
        let refused = |target: &str| engine.inserter(&Session::default(), target).err().map(|error| error.to_string());
        assert_eq!(refused("nowhere").as_deref(), Some("Cannot insert values into an unknown stream/table: `NOWHERE`"));
        assert_eq!(refused("fixed").as_deref(), Some("Cannot insert values into read-only stream: FIXED"));
        let properties = BTreeMap::from([("ksql.insert.into.values.enabled".to_owned(), "false".to_owned())]);
        let off = Session { properties, ..Session::default() };
        assert!(engine.inserter(&off, "s").is_err());
        let mut inserter = engine.inserter(&Session::default(), "s").expect("a stream");
        engine.execute(&mut Session::default(), "DROP STREAM s;", &mut |_| ()).expect("nobody reads it");
        assert_eq!(
            texts(inserter.insert(&[r#"{"id": 1}"#])),
            ["Cannot insert values into an unknown stream/table: `S`"]
        );
    }
}
