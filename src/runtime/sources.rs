//! What the topics that a query reads were like when it began, so that a change of them is seen: by a task that is made,
//! and now and then while tasks run.
//!
//! ```text
//! family Meta, key  := "source/" query 0 topic
//!              value := JSON {"version": 1, "partitions": n, "id": text or null, "stateful": bool}
//! ```
//!
//! | change | what follows |
//! |---|---|
//! | the topic is gone | the query waits for it, in state `ERROR` |
//! | deleted and made again | it is read from its beginning; state stays |
//! | more partitions, and the query has no state | the new ones are read from their beginning |
//! | another number of partitions, and the query has state | state `ERROR`: keys would meet the state of others |

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::RuntimeError;
use crate::storage::{Family, KeyValue, WriteSet};
use crate::topics::{Position, TopicError, TopicPartition, Topics, Transaction};

const VERSION: u32 = 1;

/// A source topic as a query knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    version: u32,
    partitions: u32,
    /// Tells the topic from others of the same name, where topics have such ids.
    id: Option<String>,
    /// Whether the query's state or internal topics are laid out by the topic's partitions.
    stateful: bool,
}

/// How a topic has changed since a query has noted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is not there any more.
    Gone,
    /// Another topic has its name now.
    Renewed,
    /// It has more partitions; a query without state takes them up when it is started again.
    Grown,
    /// It has another number of partitions than the query's state.
    Unfit,
}

/// A query whose sources are looked at.
pub(super) struct Reader<'a> {
    pub(super) query: &'a str,
    /// Consumer groups of its positions in the topic: one for each place in which it reads the topic.
    pub(super) groups: Vec<Arc<str>>,
    pub(super) stateful: bool,
}

impl Reader<'_> {
    /// Makes sure that the query can go on with `topic` as it is now, and notes what that is.
    ///
    /// # Errors
    /// The topic does not exist, or has another number of partitions than the query's state.
    pub(super) fn meet(&self, topic: &str, topics: &dyn Topics) -> Result<(), RuntimeError> {
        let now = self.look(topic, topics)?;
        let storage = topics.storage();
        let Some(before) = read(&*storage, self.query, topic)? else { return self.note(topic, &now, topics) };
        match before.change_to(&now) {
            None => return Ok(()),
            Some(Change::Unfit) => {
                return Err(RuntimeError::SourcePartitions {
                    topic: topic.to_owned(),
                    before: before.partitions,
                    now: now.partitions,
                });
            }
            Some(Change::Grown) => {
                let (old, new) = (before.partitions, now.partitions);
                tracing::warn!(
                    query = self.query,
                    "topic {topic} has {new} partitions now, it had {old}: the new ones are read from their beginning"
                );
                self.begin(topic, old..new, topics)?;
            }
            Some(_) => {
                tracing::warn!(
                    query = self.query,
                    "topic {topic} was deleted and made again: it is read from its beginning"
                );
                self.begin(topic, 0..now.partitions, topics)?;
            }
        }
        self.note(topic, &now, topics)
    }

    fn look(&self, topic: &str, topics: &dyn Topics) -> Result<Note, RuntimeError> {
        let info = topics.describe(topic)?.ok_or_else(|| RuntimeError::SourceGone { topic: topic.to_owned() })?;
        let id = topics.identity(topic)?;
        Ok(Note { version: VERSION, partitions: info.config.partitions, id, stateful: self.stateful })
    }

    fn note(&self, topic: &str, now: &Note, topics: &dyn Topics) -> Result<(), RuntimeError> {
        let value = serde_json::to_vec(now).map_err(|error| RuntimeError::Bug(error.to_string()))?;
        let mut writes = WriteSet::default();
        writes.put(Family::Meta, key(self.query, topic), value);
        Ok(topics.commit(Transaction { writes, ..Transaction::default() })?)
    }

    /// Puts the positions in `partitions` at the beginning, but where the query has read already.
    fn begin(&self, topic: &str, partitions: std::ops::Range<u32>, topics: &dyn Topics) -> Result<(), RuntimeError> {
        let mut transaction = Transaction::default();
        for partition in partitions {
            let partition = TopicPartition { topic: topic.into(), partition };
            for group in &self.groups {
                let read = topics.position(group, &partition)?;
                let is_new = match read {
                    Some(read) => read.offset > topics.end_offset(&partition)?,
                    None => true,
                };
                if is_new {
                    let position = Position { offset: topics.start_offset(&partition)?, partition_time: -1 };
                    transaction.positions.push((Arc::clone(group), partition.clone(), position));
                }
            }
        }
        Ok(topics.commit(transaction)?)
    }
}

impl Note {
    fn change_to(&self, now: &Self) -> Option<Change> {
        let renewed = self.id.is_some() && now.id.is_some() && self.id != now.id;
        match self.partitions == now.partitions {
            true if renewed => Some(Change::Renewed),
            true => None,
            false if self.stateful => Some(Change::Unfit),
            false if renewed => Some(Change::Renewed),
            false => Some(Change::Grown),
        }
    }
}

/// How `topic` differs from what `query` has noted of it, if it has.
pub(super) fn change(query: &str, topic: &str, topics: &dyn Topics) -> Result<Option<Change>, RuntimeError> {
    let Some(before) = read(&*topics.storage(), query, topic)? else { return Ok(None) };
    let Some(info) = topics.describe(topic)? else { return Ok(Some(Change::Gone)) };
    let now = Note { partitions: info.config.partitions, id: topics.identity(topic)?, ..before.clone() };
    Ok(before.change_to(&now))
}

/// Adds the removal of all notes of `query` to `writes`.
pub(super) fn forget(query: &str, writes: &mut WriteSet) {
    let end = |end: u8| [b"source/", query.as_bytes(), &[end]].concat();
    writes.delete_range(Family::Meta, end(0), end(1));
}

fn key(query: &str, topic: &str) -> Vec<u8> {
    [b"source/", query.as_bytes(), &[0], topic.as_bytes()].concat()
}

fn read(storage: &dyn KeyValue, query: &str, topic: &str) -> Result<Option<Note>, RuntimeError> {
    let found = storage.get(Family::Meta, &key(query, topic)).map_err(TopicError::from)?;
    // A note of another version is made anew.
    Ok(found.and_then(|value| serde_json::from_slice(&value).ok()).filter(|note: &Note| note.version == VERSION))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topics::{MemoryTopics, TopicConfig};
    use crate::types::RecordChunkBuilder;

    fn create(topics: &dyn Topics, partitions: u32, records: usize) {
        topics.create("orders", &TopicConfig::with_partitions(partitions)).expect("a new topic");
        let mut chunk = RecordChunkBuilder::new();
        (0..records).for_each(|_| chunk.push(None, Some(b"{}"), 1));
        let to = TopicPartition { topic: "orders".into(), partition: 0 };
        let appends = vec![(to, chunk.finish())];
        topics.commit(Transaction { appends, ..Transaction::default() }).expect("records can be appended");
    }

    fn reader(stateful: bool) -> Reader<'static> {
        Reader { query: "Q", groups: vec!["g".into()], stateful }
    }

    fn position(topics: &dyn Topics, partition: u32) -> Option<i64> {
        let partition = TopicPartition { topic: "orders".into(), partition };
        topics.position("g", &partition).expect("positions can be read").map(|position| position.offset)
    }

    #[test]
    fn a_topic_that_stays_is_no_change() {
        let topics = MemoryTopics::new();
        create(&topics, 2, 3);
        assert_eq!(change("Q", "orders", &topics).expect("no failure"), None, "nothing is noted yet");
        reader(true).meet("orders", &topics).expect("the first time");
        reader(true).meet("orders", &topics).expect("the second time");
        assert_eq!(change("Q", "orders", &topics).expect("no failure"), None);
        assert_eq!(position(&topics, 0), None);
    }

    #[test]
    fn a_topic_made_again_is_read_from_its_beginning() {
        let topics = MemoryTopics::new();
        create(&topics, 1, 3);
        reader(true).meet("orders", &topics).expect("the first time");
        topics.delete("orders").expect("it is there");
        assert_eq!(change("Q", "orders", &topics).expect("no failure"), Some(Change::Gone));
        assert!(reader(true).meet("orders", &topics).is_err_and(|error| error.to_string().contains("orders")));
        create(&topics, 1, 2);
        assert_eq!(change("Q", "orders", &topics).expect("no failure"), Some(Change::Renewed));
        reader(true).meet("orders", &topics).expect("it is back");
        assert_eq!(position(&topics, 0), Some(0));
        assert_eq!(change("Q", "orders", &topics).expect("no failure"), None);
    }

    #[test]
    fn another_number_of_partitions_ends_a_query_with_state_only() {
        for stateful in [true, false] {
            let topics = MemoryTopics::new();
            create(&topics, 1, 0);
            reader(stateful).meet("orders", &topics).expect("the first time");
            topics.delete("orders").expect("it is there");
            create(&topics, 2, 0);
            let met = reader(stateful).meet("orders", &topics);
            assert_eq!(met.is_ok(), !stateful);
            if let Err(error) = met {
                let text = error.to_string();
                assert!(text.contains("topic orders has 2 partitions") && text.contains("had 1"), "{text}");
                assert_eq!(change("Q", "orders", &topics).expect("no failure"), Some(Change::Unfit));
            }
        }
    }

    #[test]
    fn a_note_of_another_version_is_made_anew() {
        let topics = MemoryTopics::new();
        create(&topics, 2, 0);
        let reader = reader(true);
        let now = reader.look("orders", &topics).expect("it is there");
        let newer = Note { version: VERSION + 1, partitions: 7, ..now.clone() };
        reader.note("orders", &newer, &topics).expect("notes can be written");
        reader.meet("orders", &topics).expect("what was noted is not understood");
        assert_eq!(read(&*topics.storage(), "Q", "orders").expect("no failure"), Some(now));
    }

    #[test]
    fn what_a_query_has_noted_goes_with_it() {
        let topics = MemoryTopics::new();
        create(&topics, 1, 0);
        reader(true).meet("orders", &topics).expect("the first time");
        let mut writes = WriteSet::default();
        forget("Q", &mut writes);
        topics.commit(Transaction { writes, ..Transaction::default() }).expect("notes can be removed");
        assert_eq!(read(&*topics.storage(), "Q", "orders").expect("no failure"), None);
    }
}
