//! The same work by Levada: topics in memory, one worker thread, records in and records out as bytes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use levada::engine::{Engine, Session};
use levada::topics::{MemoryTopics, TopicConfig, TopicPartition, Topics, Transaction};
use levada::types::{RecordChunk, RecordChunkBuilder};

use crate::cpu::CpuTimer;
use crate::generator::Records;

/// Records per append: about what a producer sends at once.
const CHUNK_ROWS: usize = 2_000;
/// How long nothing may happen until a run counts as done. Waiting takes no CPU time.
const IDLE: Duration = Duration::from_millis(300);

/// One pipeline over one topic and perhaps a table's topic.
pub struct Pipeline<'a> {
    /// Statements that declare the inputs and start the query that writes to topic `RESULT`.
    pub statements: &'a str,
    /// Records of topic `input`.
    pub input: &'a Records,
    /// Records of topic `table`, processed before the clock starts.
    pub table: Option<&'a Records>,
}

/// What one run gave.
pub struct Run {
    /// CPU time from the first input record to the last result.
    pub cpu: Duration,
    /// Records in topic `RESULT`.
    pub results: usize,
}

impl Pipeline<'_> {
    /// Runs the pipeline once, in an engine of its own.
    pub fn run(&self) -> Run {
        let topics: Arc<dyn Topics> = Arc::new(MemoryTopics::new());
        for name in ["input", "table"] {
            topics.create(name, &single_partition()).expect("the topic is new");
        }
        let properties = BTreeMap::from([("ksql.streams.num.stream.threads".to_owned(), "1".to_owned())]);
        let engine = Engine::with_topics(Arc::clone(&topics), properties).expect("an empty set of topics opens");
        engine.execute(&mut Session::default(), self.statements, &mut |_| ()).expect("the statements are correct");
        if let Some(table) = self.table {
            append(&*topics, "table", chunks(table));
        }
        engine.run_until_idle(IDLE, &|| false, &mut |_| ());
        let chunks = chunks(self.input);
        let timer = CpuTimer::start();
        append(&*topics, "input", chunks);
        engine.run_until_idle(IDLE, &|| false, &mut |_| ());
        let cpu = timer.elapsed();
        engine.shutdown();
        Run { cpu, results: topics.end_offset(&first_partition("RESULT")).expect("the query has made it") as usize }
    }
}

fn single_partition() -> TopicConfig {
    TopicConfig::with_partitions(1)
}

fn first_partition(topic: &str) -> TopicPartition {
    TopicPartition { topic: topic.into(), partition: 0 }
}

fn chunks(records: &Records) -> Vec<RecordChunk> {
    let chunk = |start: usize| {
        let mut builder = RecordChunkBuilder::new();
        for row in start..records.len().min(start + CHUNK_ROWS) {
            builder.push(Some(records.key(row)), Some(records.value(row)), records.timestamps[row]);
        }
        builder.finish()
    };
    (0..records.len()).step_by(CHUNK_ROWS).map(chunk).collect()
}

/// One commit per chunk, as separate producers' requests would come.
fn append(topics: &dyn Topics, topic: &str, chunks: Vec<RecordChunk>) {
    for chunk in chunks {
        let appends = vec![(first_partition(topic), chunk)];
        topics.commit(Transaction { appends, ..Transaction::default() }).expect("memory takes every append");
    }
}
