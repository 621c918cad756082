//! librdkafka as the bench uses it: topics, records in bulk, records in batches.

use std::ffi::CString;
use std::ptr;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::bindings as native;
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::{BaseProducer, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use crate::generator::Records;

/// Messages taken with one call.
const BATCH: usize = 1_024;
/// How long anything may take before the run counts as broken.
pub const PATIENCE: Duration = Duration::from_mins(1);

fn config(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    config
}

/// Creates topics of `partitions` partitions that keep everything: the times of records are long ago.
pub fn create_topics<'a>(bootstrap: &str, names: impl IntoIterator<Item = &'a str>, partitions: i32) {
    let admin: AdminClient<DefaultClientContext> = config(bootstrap).create().expect("an admin client");
    let new = |name| NewTopic::new(name, partitions, TopicReplication::Fixed(1)).set("retention.ms", "-1");
    let topics: Vec<NewTopic<'_>> = names.into_iter().map(new).collect();
    let created = futures_executor::block_on(admin.create_topics(&topics, &AdminOptions::new()));
    for result in created.expect("the broker creates topics") {
        result.expect("the topic is new");
    }
}

/// What to read of a topic.
#[derive(Clone, Copy)]
pub enum Isolation {
    /// What is committed.
    Committed,
    /// What a plain loop reads: there are no transactions in its topic.
    Plain,
}

/// A message of librdkafka, as long as it is being looked at.
pub struct Message<'a> {
    /// Key bytes; empty for none.
    pub key: &'a [u8],
    /// Value bytes; empty for none.
    pub value: &'a [u8],
    /// Record time.
    pub timestamp: i64,
    /// Partition.
    pub partition: i32,
}

/// Reads all partitions of topics from the beginning.
pub struct Source {
    queue: *mut native::rd_kafka_queue_t,
    taken: Vec<*mut native::rd_kafka_message_t>,
    // Last: a queue must not outlive its client.
    _consumer: BaseConsumer,
}

impl Source {
    /// Reads `partitions` partitions of every topic in `topics`.
    pub fn new<'a>(
        bootstrap: &str,
        topics: impl IntoIterator<Item = &'a str>,
        partitions: i32,
        isolation: Isolation,
    ) -> Self {
        let mut config = config(bootstrap);
        config.set("group.id", "bench").set("enable.auto.commit", "false").set("auto.offset.reset", "earliest");
        config.set(
            "isolation.level",
            match isolation {
                Isolation::Committed => "read_committed",
                Isolation::Plain => "read_uncommitted",
            },
        );
        let consumer: BaseConsumer = config.create().expect("a consumer");
        let mut list = TopicPartitionList::new();
        for topic in topics {
            for partition in 0..partitions {
                list.add_partition_offset(topic, partition, Offset::Beginning).expect("an offset is valid");
            }
        }
        consumer.assign(&list).expect("partitions can be assigned");
        // SAFETY: the client is alive; the queue is ours.
        let queue = unsafe { native::rd_kafka_queue_get_consumer(consumer.client().native_ptr()) };
        assert!(!queue.is_null(), "a consumer has a queue");
        Self { queue, taken: Vec::with_capacity(BATCH), _consumer: consumer }
    }

    /// Hands what comes within `wait` to `look`, at most a batch; returns how many messages that were.
    pub fn take(&mut self, wait: Duration, mut look: impl FnMut(&Message<'_>)) -> usize {
        // SAFETY: `taken` has room for `BATCH` pointers, the call fills the first `count` of them; each message is read while
        // it is alive and given back once.
        unsafe {
            let wait = wait.as_millis() as i32;
            let count = native::rd_kafka_consume_batch_queue(self.queue, wait, self.taken.as_mut_ptr(), BATCH);
            self.taken.set_len(count.max(0) as usize);
            let mut records = 0;
            for message in self.taken.drain(..) {
                if (*message).err == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                    records += 1;
                    look(&read(&*message));
                }
                native::rd_kafka_message_destroy(message);
            }
            records
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // SAFETY: the queue is ours and not used after this.
        unsafe { native::rd_kafka_queue_destroy(self.queue) };
    }
}

/// # Safety
/// `message` must be alive as long as the result is used.
unsafe fn read(message: &native::rd_kafka_message_t) -> Message<'_> {
    let bytes = |data: *const std::ffi::c_void, length| {
        // SAFETY: as above.
        if data.is_null() { &[][..] } else { unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) } }
    };
    // SAFETY: as above.
    let timestamp = unsafe { native::rd_kafka_message_timestamp(message, ptr::null_mut()) };
    Message {
        key: bytes(message.key, message.key_len),
        value: bytes(message.payload, message.len),
        timestamp,
        partition: message.partition,
    }
}

/// Writes to one topic, without waiting for each record.
pub struct Sink {
    producer: BaseProducer,
    topic: *mut native::rd_kafka_topic_t,
}

impl Sink {
    /// Writes to `topic`, waiting up to `linger_ms` for records to go with the first of a request.
    pub fn new(bootstrap: &str, topic: &str, linger_ms: &str) -> Self {
        let mut config = config(bootstrap);
        config.set("compression.codec", "lz4").set("linger.ms", linger_ms);
        config.set("queue.buffering.max.messages", "500000").set("delivery.report.only.error", "true");
        let producer: BaseProducer = config.create().expect("a producer");
        let name = CString::new(topic).expect("topic names have no NUL");
        // SAFETY: the client is alive, the name a C string for the time of the call.
        let topic =
            unsafe { native::rd_kafka_topic_new(producer.client().native_ptr(), name.as_ptr(), ptr::null_mut()) };
        assert!(!topic.is_null(), "the client takes the topic");
        Self { producer, topic }
    }

    /// Hands a record to the client, waiting for room.
    pub fn send(&self, partition: i32, key: &[u8], value: &[u8], timestamp: i64) {
        while let Err(error) = self.produce(partition, key, value, timestamp) {
            assert_eq!(error, RDKafkaRespErr::RD_KAFKA_RESP_ERR__QUEUE_FULL, "the record can be sent");
            self.producer.poll(Duration::from_millis(1));
        }
    }

    fn produce(&self, partition: i32, key: &[u8], value: &[u8], timestamp: i64) -> Result<(), RDKafkaRespErr> {
        use native::{rd_kafka_vtype_t as kind, rd_kafka_vu_s__bindgen_ty_1 as unit};
        let bytes = |bytes: &[u8]| unit {
            mem: native::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 {
                ptr: bytes.as_ptr().cast_mut().cast(),
                size: bytes.len(),
            },
        };
        let mut arguments = [
            (kind::RD_KAFKA_VTYPE_RKT, unit { rkt: self.topic }),
            (kind::RD_KAFKA_VTYPE_PARTITION, unit { i32_: partition }),
            (kind::RD_KAFKA_VTYPE_VALUE, bytes(value)),
            (kind::RD_KAFKA_VTYPE_KEY, bytes(key)),
            (kind::RD_KAFKA_VTYPE_TIMESTAMP, unit { i64_: timestamp }),
            (kind::RD_KAFKA_VTYPE_MSGFLAGS, unit { i: native::RD_KAFKA_MSG_F_COPY }),
        ]
        .map(|(vtype, u)| native::rd_kafka_vu_t { vtype, u });
        // SAFETY: client and topic are alive; key and value are valid for their lengths during the call, which copies them.
        unsafe {
            let client = self.producer.client().native_ptr();
            let error = native::rd_kafka_produceva(client, arguments.as_mut_ptr(), arguments.len());
            if error.is_null() {
                return Ok(());
            }
            let code = native::rd_kafka_error_code(error);
            native::rd_kafka_error_destroy(error);
            Err(code)
        }
    }

    /// Waits until the broker has all.
    pub fn flush(&self) {
        self.producer.flush(PATIENCE).expect("the broker takes the records");
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and not used after this; the client is dropped later.
        unsafe { native::rd_kafka_topic_destroy(self.topic) };
    }
}

/// Appends `records` to `topic`, in turn to its `partitions` partitions by key.
pub fn fill(bootstrap: &str, topic: &str, records: &Records, partitions: u32) {
    let sink = Sink::new(bootstrap, topic, "5");
    for row in 0..records.len() {
        let key = records.key(row);
        let partition = levada::topics::partition_of_key(key, partitions);
        sink.send(partition as i32, key, records.value(row), records.timestamps[row]);
    }
    sink.flush();
}

/// Reads `topics` until `is_done` says so of what it was shown.
///
/// # Panics
/// After [`PATIENCE`] without a record.
pub fn read_until<'a>(
    bootstrap: &str,
    topics: impl IntoIterator<Item = &'a str>,
    partitions: i32,
    mut is_done: impl FnMut(Option<&Message<'_>>) -> bool,
) {
    let mut source = Source::new(bootstrap, topics, partitions, Isolation::Committed);
    let mut last = Instant::now();
    let mut done = is_done(None);
    while !done {
        let count = source.take(Duration::from_millis(100), |message| done = is_done(Some(message)));
        if count > 0 {
            last = Instant::now();
        }
        assert!(last.elapsed() < PATIENCE, "the results are not complete, and no more come");
    }
}

/// Number of records in the topics whose names begin with `prefix`, and the bytes of their values, when nobody writes any more.
pub fn volume(bootstrap: &str, prefix: &str) -> (usize, usize) {
    /// Without news for so long there is no more.
    const SILENCE: Duration = Duration::from_secs(1);
    let consumer: BaseConsumer = config(bootstrap).create().expect("a consumer");
    let metadata = consumer.fetch_metadata(None, PATIENCE).expect("the broker knows its topics");
    let (mut records, mut bytes) = (0, 0);
    for topic in metadata.topics().iter().filter(|topic| topic.name().starts_with(prefix)) {
        let mut source = Source::new(bootstrap, [topic.name()], topic.partitions().len() as i32, Isolation::Committed);
        let mut last = Instant::now();
        while last.elapsed() < SILENCE {
            let count = source.take(Duration::from_millis(100), |message| bytes += message.value.len());
            if count > 0 {
                last = Instant::now();
            }
            records += count;
        }
    }
    (records, bytes)
}
