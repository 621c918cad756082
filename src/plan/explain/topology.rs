//! How a plan is cut into sub-topologies: what each reads, keeps and writes, and with how many partitions.
//!
//! A repartition ends one sub-topology and begins another. The runtime makes a task per sub-topology and partition; names and
//! numbers here are those that it uses.

use std::collections::HashMap;

use super::super::settings::TopicLookup;
use super::super::{Collection, ForeignKeyJoin, JoinKind, PlanNode, QueryPlan, Source};
use super::duration;
use crate::types::Column;

/// Name of the topic of a foreign-key join by which rows say what they refer to.
pub const FOREIGN_KEY_REFERENCES: &str = "ForeignKeyJoin-References";
/// Name of the topic of a foreign-key join by which what is found comes back.
pub const FOREIGN_KEY_ANSWERS: &str = "ForeignKeyJoin-Answers";

/// What the names of stores begin with; the number of the store in the query follows.
pub mod stores {
    /// Of materialised sources.
    pub const SOURCE: &str = "Source-Reduce";
    /// Of aggregates.
    pub const AGGREGATE: &str = "Aggregate-Materialize";
    /// Of materialised results.
    pub const RESULT: &str = "Project-Last";
    /// Of tables that streams are joined with.
    pub const JOINED_TABLE: &str = "StreamTableJoin-Table";
    /// Of left records of joins of streams.
    pub const LEFT_STREAM: &str = "StreamStreamJoin-Left";
    /// Of right records of joins of streams.
    pub const RIGHT_STREAM: &str = "StreamStreamJoin-Right";
    /// Of records that wait for a partner.
    pub const UNMATCHED: &str = "StreamStreamJoin-Unmatched";
    /// Of left rows of joins of tables.
    pub const LEFT_TABLE: &str = "TableTableJoin-Left";
    /// Of right rows of joins of tables.
    pub const RIGHT_TABLE: &str = "TableTableJoin-Right";
    /// Of rows that refer to others.
    pub const REFERRING_TABLE: &str = "ForeignKeyJoin-Left";
    /// Of rows that others refer to.
    pub const REFERRED_TABLE: &str = "ForeignKeyJoin-Right";
    /// Of who refers to what.
    pub const SUBSCRIPTIONS: &str = "ForeignKeyJoin-Subscriptions";
    /// Of results of foreign-key joins whose former rows are needed.
    pub const FOREIGN_KEY_RESULT: &str = "ForeignKeyJoin-Result";

    /// How many stores the steps up to `root` keep.
    pub fn count(root: &super::PlanNode) -> usize {
        let mut cut = super::Cut::new(&|_: &str| None);
        cut.step(root, false);
        cut.stores
    }
}

/// A part of a plan whose steps run in one task.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct SubTopology {
    /// Topics that it reads.
    pub reads: Vec<TopicUse>,
    /// Stores that it keeps.
    pub keeps: Vec<StoreUse>,
    /// Topics that it writes; none for those whose rows go to a client.
    pub writes: Vec<TopicUse>,
    /// How many tasks it has, one per partition; `None` if a topic is not known.
    pub tasks: Option<u32>,
}

/// A topic that is read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicUse {
    /// Its name; for internal topics without the prefix of the query.
    pub name: String,
    /// Made for the query.
    pub is_internal: bool,
    /// Its partitions, if they are known.
    pub partitions: Option<u32>,
}

/// A store of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreUse {
    /// Its name, without the prefix of the query.
    pub name: String,
    /// What it holds.
    pub holds: String,
}

/// The sub-topologies of `plan`, producers first.
pub fn topology(plan: &QueryPlan, topics: &dyn TopicLookup) -> Vec<SubTopology> {
    let mut cut = Cut::new(topics);
    cut.step(&plan.root, false);
    if let Some(sink) = &plan.sink {
        let known = topics.partitions(&sink.topic).or(sink.partitions);
        cut.current.writes.push(TopicUse { name: sink.topic.clone(), is_internal: false, partitions: known });
    }
    let mut subs = cut.done;
    subs.push(cut.current);
    size(&mut subs);
    subs
}

/// Decides the partitions of internal topics: as many as the topics have that they are read with, else the most that the topics
/// have that they are made from.
fn size(subs: &mut [SubTopology]) {
    let mut internal: HashMap<String, Option<u32>> = HashMap::new();
    for sub in subs.iter_mut() {
        let external: Vec<Option<u32>> =
            sub.reads.iter().filter(|topic| !topic.is_internal).map(|topic| topic.partitions).collect();
        let inputs = sub.reads.iter().filter(|topic| topic.is_internal);
        let inputs: Vec<Option<u32>> = inputs.map(|topic| internal.get(&topic.name).copied().flatten()).collect();
        let decisive = if external.is_empty() { inputs } else { external };
        sub.tasks =
            if decisive.contains(&None) { None } else { Some(decisive.into_iter().flatten().max().unwrap_or(1)) };
        let own = sub.reads.iter().chain(&sub.writes).filter(|topic| topic.is_internal);
        let names: Vec<String> = own.map(|topic| topic.name.clone()).collect();
        internal.extend(names.into_iter().map(|name| (name, sub.tasks)));
    }
    for topic in subs.iter_mut().flat_map(|sub| sub.reads.iter_mut().chain(&mut sub.writes)) {
        if let Some(partitions) = internal.get(&topic.name).filter(|_| topic.is_internal) {
            topic.partitions = *partitions;
        }
    }
}

struct Cut<'a> {
    topics: &'a dyn TopicLookup,
    done: Vec<SubTopology>,
    current: SubTopology,
    /// Stores named so far.
    stores: usize,
}

impl<'a> Cut<'a> {
    fn new(topics: &'a dyn TopicLookup) -> Self {
        Cut { topics, done: Vec::new(), current: SubTopology::default(), stores: 0 }
    }

    /// Adds `node` and what is below it; `needs_old`: the step above asks for the rows that changes replace.
    fn step(&mut self, node: &PlanNode, needs_old: bool) {
        match node {
            PlanNode::Source(source) => self.source(source),
            PlanNode::Project { input, .. } => self.step(input, needs_old),
            PlanNode::FlatMap(flat_map) => self.step(&flat_map.input, false),
            PlanNode::Filter { input, .. } | PlanNode::Rekey { input, .. } => {
                self.step(input, node.collection() == Collection::Table);
            }
            PlanNode::Materialize { input } => {
                self.step(input, false);
                self.keep(stores::RESULT, rows_of(input));
            }
            PlanNode::Repartition { input, topic, .. } => {
                let outer = std::mem::take(&mut self.current);
                self.step(input, needs_old);
                self.current.writes.push(internal(topic));
                self.done.push(std::mem::replace(&mut self.current, outer));
                self.current.reads.push(internal(topic));
            }
            PlanNode::Aggregate(aggregate) => {
                self.step(&aggregate.input, aggregate.undo);
                let key = columns(&aggregate.input.key());
                let holds = match &aggregate.window {
                    None => format!("aggregates by {key}"),
                    Some(window) => {
                        format!("aggregates by {key} and window, for {}", duration(window.retention_ms))
                    }
                };
                self.keep(stores::AGGREGATE, holds);
            }
            PlanNode::StreamTableJoin { left, right, .. } => {
                self.both(left, right);
                self.keep(stores::JOINED_TABLE, rows_of(right));
            }
            PlanNode::StreamStreamJoin(join) => {
                self.both(&join.left, &join.right);
                let window = &join.window;
                let kept = window.before_ms.saturating_add(window.after_ms).saturating_add(window.grace_ms);
                for (kind, side) in [(stores::LEFT_STREAM, &join.left), (stores::RIGHT_STREAM, &join.right)] {
                    let key = columns(&side.key());
                    let holds = format!("records by {key} and time, for {}", duration(kept));
                    self.keep(kind, holds);
                }
                if !window.is_eager && join.kind != JoinKind::Inner {
                    self.keep(stores::UNMATCHED, "records that wait for a partner".to_owned());
                }
            }
            PlanNode::TableTableJoin(join) => {
                self.both(&join.left, &join.right);
                self.keep(stores::LEFT_TABLE, rows_of(&join.left));
                self.keep(stores::RIGHT_TABLE, rows_of(&join.right));
            }
            PlanNode::ForeignKeyJoin(join) => {
                self.foreign_key(join);
                if needs_old {
                    self.keep(stores::FOREIGN_KEY_RESULT, rows_of(&join.left));
                }
            }
        }
    }

    fn both(&mut self, left: &PlanNode, right: &PlanNode) {
        self.step(left, false);
        self.step(right, false);
    }

    fn source(&mut self, source: &Source) {
        let partitions = self.topics.partitions(&source.topic);
        self.current.reads.push(TopicUse { name: source.topic.clone(), is_internal: false, partitions });
        if source.is_stored() {
            self.keep(stores::SOURCE, format!("rows by {}", columns(&source.declared.key)));
        }
    }

    /// References go to the partition of the key that they name, and what is found there comes back.
    fn foreign_key(&mut self, join: &ForeignKeyJoin) {
        self.step(&join.left, false);
        self.keep(stores::REFERRING_TABLE, rows_of(&join.left));
        let outer = std::mem::take(&mut self.current);
        self.step(&join.right, false);
        self.keep(stores::REFERRED_TABLE, rows_of(&join.right));
        let (left, right) = (columns(&join.left.key()), columns(&join.right.key()));
        self.keep(stores::SUBSCRIPTIONS, format!("who refers to what, by {right} and {left}"));
        self.current.reads.push(internal(FOREIGN_KEY_REFERENCES));
        self.current.writes.push(internal(FOREIGN_KEY_ANSWERS));
        self.done.push(std::mem::replace(&mut self.current, outer));
        self.current.reads.push(internal(FOREIGN_KEY_ANSWERS));
        self.current.writes.push(internal(FOREIGN_KEY_REFERENCES));
    }

    fn keep(&mut self, kind: &str, holds: String) {
        self.stores += 1;
        self.current.keeps.push(StoreUse { name: format!("{kind}-{}", self.stores), holds });
    }
}

fn internal(name: &str) -> TopicUse {
    TopicUse { name: name.to_owned(), is_internal: true, partitions: None }
}

fn rows_of(node: &PlanNode) -> String {
    format!("rows by {}", columns(&node.key()))
}

/// `ID BIGINT, NAME STRING`.
fn columns(key: &[Column]) -> String {
    if key.is_empty() {
        return "nothing".to_owned();
    }
    let columns: Vec<String> = key.iter().map(|column| format!("{} {}", column.name, column.sql_type)).collect();
    columns.join(", ")
}

/// `subs` as text, a line per topic and store.
pub(super) fn text(subs: &[SubTopology], to_client: bool) -> String {
    let mut lines = Vec::new();
    for (number, sub) in subs.iter().enumerate() {
        let tasks = sub.tasks.map_or_else(String::new, |tasks| format!(", {}", counted(tasks, "task")));
        lines.push(format!("  Sub-topology {number}{tasks}"));
        lines.extend(sub.reads.iter().map(|topic| format!("    reads   {}", topic_text(topic))));
        lines.extend(sub.keeps.iter().map(|store| format!("    keeps   {}: {}", store.name, store.holds)));
        lines.extend(sub.writes.iter().map(|topic| format!("    writes  {}", topic_text(topic))));
        if to_client && number + 1 == subs.len() {
            lines.push("    answers the client".to_owned());
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn topic_text(topic: &TopicUse) -> String {
    let kind = if topic.is_internal { "internal topic" } else { "topic" };
    let partitions = topic.partitions.map_or_else(String::new, |count| format!(", {}", counted(count, "partition")));
    format!("{kind} {}{partitions}", topic.name)
}

pub(super) fn counted(count: u32, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
