//! A part of a plan whose steps run in one task: what it reads, its operators, and where its rows go.

use std::sync::Arc;

use crate::formats::Serde;
use crate::operators::Operator;
use crate::plan::{self, PlanNode, Source};
use crate::runtime::metrics;
use crate::runtime::tap::Tap;
use crate::runtime::task::Next;
use crate::runtime::{Client, RuntimeError};
use crate::state::{Store, StoreId};
use crate::topics::Topics;
use crate::types::{Schema, WindowKind};

/// What a task is made for: its partition and where its state lives.
pub(super) struct TaskContext<'a> {
    pub(super) topics: &'a dyn Topics,
    pub(super) query: Arc<str>,
    pub(super) partition: u32,
    /// Bytes of each store to read when it is opened, about.
    pub(super) preloaded_bytes: usize,
}

impl TaskContext<'_> {
    /// The store `name` of the task, as of its last commit.
    pub(super) fn store(&self, name: &str) -> Store {
        let id = StoreId { query: Arc::clone(&self.query), name: name.to_owned(), partition: self.partition };
        Store::new(self.topics.storage(), &id).preloading(self.preloaded_bytes)
    }
}

pub(super) type OperatorFactory =
    Box<dyn Fn(&TaskContext<'_>) -> Result<Box<dyn Operator>, RuntimeError> + Send + Sync>;

/// Where the rows of a sub-topology go.
pub(super) enum OutputSpec {
    Topic(Box<TopicSpec>),
    Push(Client),
    Tap(Arc<Tap>),
    Nowhere,
}

/// A topic that is written, and how.
#[derive(Clone)]
pub(super) struct TopicSpec {
    pub(super) topic: Arc<str>,
    pub(super) serdes: (Serde, Serde),
    pub(super) schema: Schema,
    pub(super) window: Option<WindowKind>,
    pub(super) timestamp: Option<plan::TimestampColumn>,
    /// Values hold both sides of a table's changes.
    pub(super) has_changes: bool,
    /// The value column that says which partition a record goes to.
    pub(super) partition_column: Option<usize>,
}

/// A part of the plan whose steps run in one task.
pub(super) struct SubTopology {
    pub(super) sources: Vec<(Source, Next)>,
    pub(super) nodes: Vec<(Arc<str>, OperatorFactory, Next)>,
    pub(super) output: OutputSpec,
    /// Where references of a foreign-key join go.
    pub(super) references: Option<TopicSpec>,
    /// Names of the stores of its operators, and how long those keep windows.
    pub(super) stores: Vec<(String, Option<i64>)>,
    pub(super) writes_sink: bool,
    pub(super) holds_back: bool,
}

/// The rows of a step, before it is known where they go.
pub(super) enum Tail {
    Source(usize),
    Node(usize),
}

impl SubTopology {
    pub(super) fn new() -> Self {
        Self {
            sources: Vec::new(),
            nodes: Vec::new(),
            output: OutputSpec::Nowhere,
            references: None,
            stores: Vec::new(),
            writes_sink: false,
            holds_back: false,
        }
    }

    /// The internal topics that it writes.
    pub(super) fn internal_outputs(&self) -> impl Iterator<Item = Arc<str>> {
        let result = match &self.output {
            OutputSpec::Topic(spec) if !self.writes_sink => Some(&**spec),
            _ => None,
        };
        result.into_iter().chain(&self.references).map(|spec| Arc::clone(&spec.topic))
    }

    pub(super) fn writes_changes_to(&self, name: &str) -> bool {
        matches!(&self.output, OutputSpec::Topic(spec) if spec.has_changes && *spec.topic == *name)
    }

    pub(super) fn attach(&mut self, tail: &Tail, next: Next) {
        match tail {
            Tail::Source(index) => self.sources[*index].1 = next,
            Tail::Node(index) => self.nodes[*index].2 = next,
        }
    }

    /// Reads `source`.
    pub(super) fn read(&mut self, source: Source) -> Tail {
        self.sources.push((source, Next::Output));
        Tail::Source(self.sources.len() - 1)
    }

    /// What it writes where, with nothing written yet: the output first, then the references.
    pub(super) fn writes(&self) -> Vec<metrics::OutputFigures> {
        let figures = |topic: Option<&str>, is_sink| metrics::OutputFigures {
            topic: topic.map(str::to_owned),
            is_sink,
            written: metrics::WriteCounts::default(),
        };
        let output = match &self.output {
            OutputSpec::Topic(spec) => Some(figures(Some(&spec.topic), self.writes_sink)),
            OutputSpec::Push(_) | OutputSpec::Tap(_) => Some(figures(None, self.writes_sink)),
            OutputSpec::Nowhere => None,
        };
        output.into_iter().chain(self.references.iter().map(|spec| figures(Some(&spec.topic), false))).collect()
    }

    /// Adds an operator that takes the rows of `inputs`, in the order of its ports.
    pub(super) fn add(
        &mut self,
        name: Arc<str>,
        inputs: impl IntoIterator<Item = Tail>,
        factory: OperatorFactory,
    ) -> Tail {
        let index = self.nodes.len();
        self.nodes.push((name, factory, Next::Output));
        for (port, tail) in inputs.into_iter().enumerate() {
            self.attach(&tail, Next::Node(index, port));
        }
        Tail::Node(index)
    }
}

impl TopicSpec {
    /// Rows of `node` to `topic`.
    pub(super) fn new(topic: &str, (key_serde, value_serde): (&Serde, &Serde), node: &PlanNode) -> Self {
        Self {
            topic: topic.into(),
            serdes: (key_serde.clone(), value_serde.clone()),
            schema: node.schema(),
            window: node.window(),
            timestamp: None,
            has_changes: false,
            partition_column: None,
        }
    }
}
