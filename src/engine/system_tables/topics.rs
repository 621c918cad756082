//! Topics, with what queries have read from them and written to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::EngineError;
use super::super::monitoring::Look;
use super::super::query_report::PATIENCE;
use super::Row;
use crate::topics::{TopicInfo, TopicPartition};

/// What queries do with a topic.
#[derive(Default)]
struct Traffic {
    read: u64,
    written: u64,
    readers: u64,
    writers: u64,
}

pub(super) fn topics(look: &Look<'_>) -> Result<Vec<Row>, EngineError> {
    let infos = look.shared.topics.list()?;
    let traffic = traffic(look);
    let sizes = sizes(look, &infos);
    let row = |info: &TopicInfo| {
        let none = Traffic::default();
        let traffic = traffic.get(info.name.as_str()).unwrap_or(&none);
        let replicas = info.replicas.iter().min().copied().or(info.config.replicas).unwrap_or(1);
        vec![
            info.name.as_str().into(),
            info.config.partitions.into(),
            u32::from(replicas).into(),
            sizes.get(info.name.as_str()).copied().into(),
            traffic.read.into(),
            traffic.written.into(),
            traffic.readers.into(),
            traffic.writers.into(),
        ]
    };
    Ok(infos.iter().map(row).collect())
}

fn traffic<'l>(look: &'l Look<'_>) -> BTreeMap<&'l str, Traffic> {
    let mut all: BTreeMap<&str, Traffic> = BTreeMap::new();
    for query in &look.queries {
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        for (_, task) in &query.tasks {
            for input in &task.inputs {
                all.entry(&input.partition.topic).or_default().read += input.read.records;
                reads.push(&*input.partition.topic);
            }
            for output in &task.outputs {
                let Some(topic) = &output.topic else { continue };
                all.entry(topic).or_default().written += output.written.rows;
                writes.push(topic.as_str());
            }
        }
        for topics in [&mut reads, &mut writes] {
            topics.sort_unstable();
            topics.dedup();
        }
        reads.into_iter().for_each(|topic| all.entry(topic).or_default().readers += 1);
        writes.into_iter().for_each(|topic| all.entry(topic).or_default().writers += 1);
    }
    all
}

/// Offsets that the topics hold; of none where the cluster does not tell in time.
fn sizes<'i>(look: &Look<'_>, infos: &'i [TopicInfo]) -> BTreeMap<&'i str, i64> {
    let partitions = infos.iter().flat_map(|info| {
        let topic: Arc<str> = info.name.as_str().into();
        (0..info.config.partitions)
            .map(move |partition| (info.name.as_str(), TopicPartition { topic: Arc::clone(&topic), partition }))
    });
    let (names, partitions): (Vec<&str>, Vec<TopicPartition>) = partitions.unzip();
    let mut sizes = BTreeMap::new();
    for (name, range) in names.into_iter().zip(look.shared.topics.ranges(&partitions, PATIENCE).unwrap_or_default()) {
        if let Some((start, end)) = range {
            *sizes.entry(name).or_insert(0) += end - start;
        }
    }
    sizes
}
