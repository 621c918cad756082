//! Records of repartition topics that were read and committed are deleted: nobody else reads them, and nothing else ends them.
//!
//! Commits only note how far they have come; the deleting is done now and then, away from them.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use super::admin::Admin;
use super::deadline::Deadline;
use super::lock;
use crate::topics::{Position, TopicError, TopicPartition};

/// As in Kafka Streams.
pub(super) const INTERVAL: Duration = Duration::from_secs(30);

/// How far the repartition topics of this process's queries were read.
pub(super) struct Purge {
    /// Offsets that are committed and before which nothing was deleted yet.
    committed: Mutex<HashMap<TopicPartition, i64>>,
    interval: Duration,
    due: Mutex<Deadline>,
}

impl Purge {
    /// Deletes at most every `interval`.
    pub(super) fn new(interval: Duration) -> Self {
        Self { committed: Mutex::default(), interval, due: Mutex::new(Deadline::after(interval)) }
    }

    /// Notes positions that are committed.
    pub(super) fn note<'a>(
        &self,
        positions: impl IntoIterator<Item = &'a (std::sync::Arc<str>, TopicPartition, Position)>,
    ) {
        let mut committed = lock(&self.committed);
        for (group, partition, position) in positions {
            if is_repartition_topic(&partition.topic, group) {
                committed.insert(partition.clone(), position.offset);
            }
        }
    }

    /// Forgets `topic`, which is no more.
    pub(super) fn forget(&self, topic: &str) {
        lock(&self.committed).retain(|partition, _| *partition.topic != *topic);
    }

    /// Deletes what is due. What cannot be deleted now goes with what is committed after it.
    pub(super) fn run(&self, admin: &Admin) -> Result<(), TopicError> {
        {
            let mut due = lock(&self.due);
            if !due.is_over() {
                return Ok(());
            }
            *due = Deadline::after(self.interval);
        }
        let offsets = self.take();
        if offsets.is_empty() {
            return Ok(());
        }
        admin.delete_records(&offsets)
    }

    fn take(&self) -> Vec<(TopicPartition, i64)> {
        lock(&self.committed).drain().filter(|(_, offset)| *offset > 0).collect()
    }
}

/// Whether only the query with `group` writes and reads `topic`: the name begins with that of the group.
fn is_repartition_topic(topic: &str, group: &str) -> bool {
    topic.ends_with("-repartition") && topic.strip_prefix(group).is_some_and(|rest| rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(group: &str, topic: &str, offset: i64) -> (std::sync::Arc<str>, TopicPartition, Position) {
        let partition = TopicPartition { topic: topic.into(), partition: 0 };
        (group.into(), partition, Position { offset, partition_time: 0 })
    }

    #[test]
    fn only_the_querys_own_repartition_topics_are_purged_up_to_the_last_commit() {
        let purge = Purge::new(INTERVAL);
        purge.note(&[
            position("g", "orders", 9),
            position("g", "g-A-repartition", 3),
            position("h", "g-B-repartition", 4),
            position("g", "users-of-g-repartition", 5),
            position("g", "g2-A-repartition", 6),
        ]);
        purge.note(&[position("g", "g-A-repartition", 7), position("g", "g-C-repartition", 0)]);
        let offsets = purge.take();
        let found: Vec<_> = offsets.iter().map(|(partition, offset)| (&*partition.topic, *offset)).collect();
        assert_eq!(found, [("g-A-repartition", 7)]);
        assert!(purge.take().is_empty(), "nothing is deleted twice, and a topic that is gone is not asked for again");
    }
}
