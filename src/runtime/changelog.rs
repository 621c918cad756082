//! State as records: what a commit changes in the local store goes to changelog topics too, one per store, and back.
//!
//! A record's key is that of the entry in its store, its value the entry's, a tombstone for a removal; both are Levada's own
//! formats, which carry their version. The topic is `<group>-<store>-changelog`, the partition that of the task.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::RuntimeError;
use crate::state::{Store, StoreId};
use crate::storage::{Family, Write, WriteSet};
use crate::topics::{TopicError, TopicPartition, Topics, Transaction};
use crate::types::{RecordChunk, RecordChunkBuilder};

/// Name of the changelog topic of the store `name` of the query whose group is `group`.
pub fn topic(group: &str, name: &str) -> String {
    format!("{group}-{name}-changelog")
}

/// Adds the changes of state in `transaction` as records; returns to how many partitions they go.
pub fn append(group: &str, transaction: &mut Transaction) -> Result<usize, RuntimeError> {
    let mut records: BTreeMap<Vec<u8>, (TopicPartition, RecordChunkBuilder)> = BTreeMap::new();
    for write in transaction.writes.writes() {
        let (key, value) = match write {
            Write::Put(Family::State, key, value) => (key, Some(value.as_slice())),
            Write::Delete(Family::State, key) => (key, None),
            _ => continue,
        };
        let (id, entry_key) =
            StoreId::split(key).ok_or_else(|| RuntimeError::Bug("an entry of state belongs to no store".to_owned()))?;
        let prefix = &key[..key.len() - entry_key.len()];
        if !records.contains_key(prefix) {
            let changelog = TopicPartition { topic: topic(group, &id.name).into(), partition: id.partition };
            records.insert(prefix.to_vec(), (changelog, RecordChunkBuilder::new()));
        }
        if let Some((_, builder)) = records.get_mut(prefix) {
            builder.push(Some(entry_key), value, 0);
        }
    }
    let count = records.len();
    transaction.appends.extend(records.into_values().map(|(changelog, builder)| (changelog, builder.finish())));
    Ok(count)
}

/// Writes the changelog of `id` anew from the local store, after it was deleted or has lost records; returns its end.
///
/// # Errors
/// [`RuntimeError::ChangelogLost`] where the local store is not what the groups of `inputs` have committed of them.
pub fn rewrite(
    id: &StoreId,
    changelog: &TopicPartition,
    inputs: &[(Arc<str>, TopicPartition)],
    topics: &dyn Topics,
) -> Result<i64, RuntimeError> {
    if !holds_all(inputs, topics)? {
        return Err(RuntimeError::ChangelogLost { topic: changelog.topic.to_string() });
    }
    // Should this end half-way, the local store is still ahead of the changelog the next time.
    note(changelog, i64::MAX, topics)?;
    let mut failure = None;
    let mut entries_written = 0;
    Store::new(topics.storage(), id).scan(|entries| {
        let mut builder = RecordChunkBuilder::new();
        entries.iter().for_each(|(key, value)| builder.push(Some(key), Some(value), 0));
        entries_written += entries.len();
        let appends = vec![(changelog.clone(), builder.finish())];
        if failure.is_none() {
            failure = topics.commit(Transaction { appends, changelogs: 1, ..Transaction::default() }).err();
        }
        Ok(())
    })?;
    failure.map_or(Ok(()), Err)?;
    let end = topics.end_offset(changelog)?;
    note(changelog, end, topics)?;
    let TopicPartition { topic, partition } = changelog;
    tracing::warn!(query = %id.query, "{topic} partition {partition} had lost records: {entries_written} were written anew from the local store");
    Ok(end)
}

/// Whether the local store has all the state that the groups of `inputs` have committed by reading them.
pub fn holds_all(inputs: &[(Arc<str>, TopicPartition)], topics: &dyn Topics) -> Result<bool, RuntimeError> {
    for (group, partition) in inputs {
        if !topics.holds_all(group, std::slice::from_ref(partition))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn note(changelog: &TopicPartition, offset: i64, topics: &dyn Topics) -> Result<(), RuntimeError> {
    let mut writes = WriteSet::default();
    topics.note_restored(changelog, offset, &mut writes);
    Ok(topics.storage().write(&writes).map_err(TopicError::from)?)
}

/// Adds the entries that `records` of the changelog of `id` hold to `writes`.
pub fn apply(id: &StoreId, records: &RecordChunk, writes: &mut WriteSet) {
    use arrow::array::Array;
    let prefix: Arc<[u8]> = id.prefix().into();
    for row in 0..records.len() {
        let key = [&*prefix, records.keys.value(row)].concat();
        if records.values.is_null(row) {
            writes.delete(Family::State, key);
        } else {
            writes.put(Family::State, key, records.values.value(row).to_vec());
        }
    }
}
