//! `INSERT INTO … VALUES`: one record, appended at once.

use std::sync::Arc;

use arrow::array::Array;

use super::{EngineError, Shared};
use crate::catalog::Catalog;
use crate::formats::{RecordCheck, Side, Subject};
use crate::plan::InsertedRow;
use crate::topics::{TopicError, TopicPartition, Transaction};
use crate::types::RecordChunkBuilder;

/// The transaction that appends `row`.
pub(super) fn transaction(shared: &Shared, catalog: &Catalog, row: &InsertedRow) -> Result<Transaction, EngineError> {
    let target = catalog.source(&row.target);
    let target = target.ok_or_else(|| EngineError::new(format!("{} does not exist.", row.target)))?;
    let schemas = shared.schemas();
    let encode = |serde, columns: &[_], values: &[_], side| -> Result<Option<Vec<u8>>, EngineError> {
        if columns.is_empty() {
            return Ok(None);
        }
        let subject = Subject { topic: &target.topic, side };
        let mut encoder = schemas.encoder(serde, columns, subject).map_err(EngineError::environment)?;
        let encoded = encoder.encode(values, 1, None);
        match encoded.errors.first() {
            Some(error) => {
                Err(EngineError::new(format!("Failed to insert values into '{}'. {}", row.target, error.reason)))
            }
            None => Ok(encoded.bytes.is_valid(0).then(|| encoded.bytes.value(0).to_vec())),
        }
    };
    let key = if row.key.iter().all(|column| column.is_null(0)) {
        None
    } else {
        encode(&target.key_serde, &target.schema.key, &row.key, Side::Key)?
    };
    let value = encode(&target.value_serde, &target.schema.value, &row.value, Side::Value)?;
    let info = shared.topics.describe(&target.topic)?;
    let config = info.map(|info| info.config);
    let config = config.ok_or_else(|| TopicError::UnknownTopic { topic: target.topic.clone() })?;
    let check = |is_asked_for: bool, bytes: &Option<Vec<u8>>, side| {
        let check = is_asked_for.then(|| RecordCheck::new(&schemas, Subject { topic: &target.topic, side }));
        check.map_or(Ok(()), |mut check| check.check(bytes.as_deref()))
    };
    let checked = check(config.validates_keys(), &key, Side::Key);
    let checked = checked.and_then(|()| check(config.validates_values(), &value, Side::Value));
    checked.map_err(|refusal| EngineError::new(format!("Failed to insert values into '{}'. {refusal}", row.target)))?;
    let partition = shared.topics.partition_for(key.as_deref(), config.partitions);
    let mut records = RecordChunkBuilder::new();
    records.push(key.as_deref(), value.as_deref(), row.rowtime.unwrap_or_else(|| shared.clock.now_ms()));
    let to = TopicPartition { topic: Arc::from(target.topic.as_str()), partition };
    Ok(Transaction { appends: vec![(to, records.finish())], ..Transaction::default() })
}
