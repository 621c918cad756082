//! The loop that Levada is measured against: consume in batches, produce, nothing else.

use std::time::Duration;

use crate::broker::Broker;
use crate::client::{Isolation, Sink, Source};
use crate::cpu::CpuTimer;

/// What a run has written: the loop writes as many records of that size.
#[derive(Debug, Clone, Copy, Default)]
pub struct Volume {
    /// Records.
    pub records: usize,
    /// Bytes of all values.
    pub value_bytes: usize,
}

/// Consumes `records` records of `from` and produces `volume` to `to`, evenly; returns the CPU time, of librdkafka's threads too.
/// A record that is produced has key and time of the one consumed, and the first bytes of its value.
pub fn forward(broker: &Broker, (from, to): (&str, &str), partitions: i32, records: usize, volume: Volume) -> Duration {
    let timer = CpuTimer::start();
    let mut source = Source::new(&broker.bootstrap, [from], partitions, Isolation::Plain);
    let sink = Sink::new(&broker.bootstrap, to, "5");
    let size = volume.value_bytes / volume.records.max(1);
    let (mut consumed, mut produced) = (0, 0);
    while consumed < records {
        source.take(Duration::from_millis(100), |message| {
            consumed += 1;
            while produced * records < volume.records * consumed {
                produced += 1;
                let value = &message.value[..size.min(message.value.len())];
                sink.send(message.partition, message.key, value, message.timestamp);
            }
        });
    }
    sink.flush();
    assert_eq!((consumed, produced), (records, volume.records), "the loop has done what Levada did");
    timer.elapsed()
}
