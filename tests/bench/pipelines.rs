//! The same work by Levada: topics in memory, records in and records out as bytes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use levada::engine::{Engine, Session};
use levada::topics::{MemoryTopics, TopicConfig, TopicPartition, Topics, Transaction};
use levada::types::{RecordChunk, RecordChunkBuilder};

use crate::cpu::CpuTimer;
use crate::generator::Records;

/// Records per append: about what a producer sends at once.
const CHUNK_ROWS: usize = 2_000;
/// How long nothing may happen until a run counts as done. Waiting takes no CPU time.
const IDLE: Duration = Duration::from_millis(300);

/// A topic and records for it.
pub type Feed<'a> = (&'static str, &'a Records);

/// Topics that statements may read.
const TOPICS: [&str; 3] = ["input", "other", "table"];

/// One pipeline over records of some topics.
pub struct Pipeline<'a> {
    /// Statements that declare the inputs and start the query that writes to topic `RESULT`.
    pub statements: &'a str,
    /// Records that are processed before the clock starts.
    pub loaded: Vec<Feed<'a>>,
    /// Records on which the clock runs; of several topics the first ones come first.
    pub inputs: Vec<Feed<'a>>,
    /// How it is run.
    pub setup: Setup,
}

/// How a pipeline is run.
#[derive(Clone, Copy)]
pub struct Setup {
    /// Partitions of every topic.
    pub partitions: u32,
    /// Worker threads.
    pub workers: u32,
    /// How often the inputs are given, each time as much later as they last.
    pub rounds: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self { partitions: 1, workers: 1, rounds: 1 }
    }
}

/// What one run gave.
pub struct Run {
    /// CPU time from the first input record to the last result.
    pub cpu: Duration,
    /// Wall time likewise.
    pub wall: Duration,
    /// Records in topic `RESULT`.
    pub results: usize,
}

impl Pipeline<'_> {
    /// Runs the pipeline once, in an engine of its own.
    #[expect(clippy::disallowed_methods, reason = "how long a run takes is what is measured")]
    pub fn run(&self) -> Run {
        let topics: Arc<dyn Topics> = Arc::new(MemoryTopics::new());
        for name in TOPICS {
            topics.create(name, &TopicConfig::with_partitions(self.setup.partitions)).expect("the topic is new");
        }
        if self.setup.rounds > 1 {
            let kept = TopicConfig { retention_bytes: Some(0), ..TopicConfig::with_partitions(self.setup.partitions) };
            topics.create("RESULT", &kept).expect("the topic is new");
        }
        let workers = ("ksql.streams.num.stream.threads".to_owned(), self.setup.workers.to_string());
        let engine =
            Engine::with_topics(Arc::clone(&topics), BTreeMap::from([workers])).expect("an empty set of topics opens");
        engine.execute(&mut Session::default(), self.statements, &mut |_| ()).expect("the statements are correct");
        append(&*topics, self.chunks(&*topics, &self.loaded));
        engine.run_until_idle(IDLE, &|| false, &mut |_| ());
        let appends = self.rounds(&self.chunks(&*topics, &self.inputs));
        let (timer, start) = (CpuTimer::start(), Instant::now());
        append(&*topics, appends);
        engine.run_until_idle(IDLE, &|| false, &mut |_| drop_old(&*topics));
        let (cpu, wall) = (timer.elapsed(), start.elapsed().saturating_sub(IDLE));
        engine.shutdown();
        let result = |partition| TopicPartition { topic: "RESULT".into(), partition };
        let end = |partition| topics.end_offset(&result(partition)).expect("the query has made it") as usize;
        Run { cpu, wall, results: (0..self.setup.partitions).map(end).sum() }
    }

    /// Number of records on which the clock runs.
    pub fn records(&self) -> usize {
        self.inputs.iter().map(|(_, records)| records.len()).sum::<usize>() * self.setup.rounds
    }

    /// The records of `feeds` by partition, those of several topics in turn.
    fn chunks(&self, topics: &dyn Topics, feeds: &[Feed<'_>]) -> Vec<(TopicPartition, RecordChunk)> {
        let mut chunks: Vec<_> = (feeds.iter())
            .flat_map(|(topic, records)| {
                let partitions = by_partition(topics, records, self.setup.partitions);
                (0..).zip(partitions).flat_map(|(partition, rows)| {
                    let id = TopicPartition { topic: (*topic).into(), partition };
                    let chunks: Vec<_> = rows.chunks(CHUNK_ROWS).map(|rows| chunk(records, rows)).collect();
                    chunks.into_iter().enumerate().map(move |(index, chunk)| (index, id.clone(), chunk))
                })
            })
            .collect();
        chunks.sort_by_key(|(index, ..)| *index);
        chunks.into_iter().map(|(_, id, chunk)| (id, chunk)).collect()
    }

    /// `appends` as often as the setup says, each time later; bytes are shared.
    fn rounds(&self, appends: &[(TopicPartition, RecordChunk)]) -> Vec<(TopicPartition, RecordChunk)> {
        let times = || self.inputs.iter().flat_map(|(_, records)| &records.timestamps);
        // A minute between the end and the next start: nothing meets across rounds within seconds.
        let lasts = times().max().unwrap_or(&0) - times().min().unwrap_or(&0) + 60_000;
        let shifted = |(id, chunk): &(TopicPartition, RecordChunk), round: usize| {
            let timestamps = chunk.timestamps.iter().map(|time| time + lasts * round as i64).collect();
            (id.clone(), RecordChunk { timestamps, ..chunk.clone() })
        };
        (0..self.setup.rounds).flat_map(|round| appends.iter().map(move |append| shifted(append, round))).collect()
    }
}

fn by_partition(topics: &dyn Topics, records: &Records, partitions: u32) -> Vec<Vec<usize>> {
    let mut rows = vec![Vec::new(); partitions as usize];
    for row in 0..records.len() {
        rows[topics.partition_for(Some(records.key(row)), partitions) as usize].push(row);
    }
    rows
}

fn chunk(records: &Records, rows: &[usize]) -> RecordChunk {
    let mut builder = RecordChunkBuilder::new();
    for &row in rows {
        builder.push(Some(records.key(row)), Some(records.value(row)), records.timestamps[row]);
    }
    builder.finish()
}

/// Removes results of which there are too many: those of a long run would take fresh memory without end.
fn drop_old(topics: &dyn Topics) {
    topics.maintain(0).expect("memory takes it");
}

/// Chunk by chunk, as producers' requests come, but all seen at once: else a join would read one side ahead of the other, and
/// what it drops as late would differ from run to run.
fn append(topics: &dyn Topics, appends: Vec<(TopicPartition, RecordChunk)>) {
    topics.commit(Transaction { appends, ..Transaction::default() }).expect("memory takes every append");
}
