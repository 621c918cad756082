//! The records that the client has fetched for one partition, taken a batch at a time.
//!
//! rdkafka hands out one message object per record; librdkafka itself gives arrays. Everything unsafe about that is in
//! this file.

use std::ffi::{CStr, CString, c_void};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use rdkafka::bindings as native;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::{RDKafka, RDKafkaErrorCode, RDKafkaRespErr};

use crate::topics::append_signal::AppendSignal;
use crate::types::{Header, Headers, RecordChunkBuilder};

/// Records taken with one call.
const TAKE_MAX: usize = 1024;

/// What the queue gave besides records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// `rows_max` is reached, or nothing more is there for now.
    Records,
    /// The end of the partition: the next record will have this offset or a greater one.
    End(i64),
    /// The client could not fetch; it goes on trying.
    Failed(RDKafkaErrorCode),
}

/// The queue of one assigned partition, apart from the consumer's own queue.
pub(super) struct PartitionQueue {
    queue: NonNull<native::rd_kafka_queue_t>,
    taken: Vec<*mut native::rd_kafka_message_t>,
    topic: CString,
    partition: i32,
    /// Raised by librdkafka when something arrives; kept alive for its callback.
    _arrived: Arc<AppendSignal>,
    /// A queue must not outlive its client.
    consumer: Arc<BaseConsumer>,
}

// SAFETY: librdkafka's queues may be used from any thread; `taken` holds no message between two calls.
unsafe impl Send for PartitionQueue {}

impl PartitionQueue {
    /// The queue of `partition` of `topic`, which `consumer` is assigned or will be. `arrived` is raised whenever
    /// something comes into the empty queue.
    pub(super) fn new(consumer: &Arc<BaseConsumer>, topic: &str, partition: u32, arrived: Arc<AppendSignal>) -> Self {
        let name = CString::new(topic).expect("names of topics have no NUL: the broker knows them");
        // SAFETY: the client is alive, the name is a C string for the time of the call.
        let queue = unsafe {
            native::rd_kafka_queue_get_partition(consumer.client().native_ptr(), name.as_ptr(), partition as i32)
        };
        let queue = NonNull::new(queue).expect("a consumer has a queue for every partition");
        // SAFETY: the queue is ours. The opaque pointer stays valid: `arrived` lives as long as the callback, which `drop`
        // removes first.
        unsafe {
            native::rd_kafka_queue_forward(queue.as_ptr(), ptr::null_mut());
            let opaque = Arc::as_ptr(&arrived).cast::<c_void>().cast_mut();
            native::rd_kafka_queue_cb_event_enable(queue.as_ptr(), Some(raise), opaque);
        }
        Self {
            queue,
            taken: Vec::with_capacity(TAKE_MAX),
            topic: name,
            partition: partition as i32,
            _arrived: arrived,
            consumer: Arc::clone(consumer),
        }
    }

    /// The end of the partition as the client saw it with its last fetch.
    pub(super) fn known_end(&self) -> Option<i64> {
        let (mut low, mut high) = (-1, -1);
        let client = self.consumer.client().native_ptr();
        // SAFETY: the client is alive, the name a C string, both numbers are ours.
        unsafe {
            native::rd_kafka_get_watermark_offsets(
                client,
                self.topic.as_ptr(),
                self.partition,
                &raw mut low,
                &raw mut high,
            );
        }
        (high >= 0).then_some(high)
    }

    /// How many messages can be taken.
    pub(super) fn len(&self) -> usize {
        // SAFETY: the queue is alive.
        unsafe { native::rd_kafka_queue_length(self.queue.as_ptr()) }
    }

    /// Moves records to `into` until it has `rows_max` of them, or about `bytes_max` bytes were moved, or nothing is left.
    /// Never waits. Records before `from` are left out.
    pub(super) fn take(
        &mut self,
        from: i64,
        rows_max: usize,
        bytes_max: usize,
        into: &mut RecordChunkBuilder,
    ) -> Taken {
        let mut bytes = 0;
        while into.len() < rows_max && bytes < bytes_max {
            let wanted = TAKE_MAX.min(rows_max - into.len());
            // SAFETY: `taken` has room for `TAKE_MAX` pointers; the call fills the first `count` of them.
            let count = unsafe {
                let count =
                    native::rd_kafka_consume_batch_queue(self.queue.as_ptr(), 0, self.taken.as_mut_ptr(), wanted);
                self.taken.set_len(count.max(0) as usize);
                count
            };
            if count <= 0 {
                break;
            }
            let mut end = None;
            for message in self.taken.drain(..) {
                // SAFETY: librdkafka gave the message to us; it is read, then given back once.
                unsafe {
                    end = push(&*message, from, into, &mut bytes).or(end);
                    native::rd_kafka_message_destroy(message);
                }
            }
            if let Some(end) = end {
                return end;
            }
        }
        Taken::Records
    }
}

impl Drop for PartitionQueue {
    fn drop(&mut self) {
        // SAFETY: the queue is alive and not used after this; the callback is removed before its signal may go.
        unsafe {
            native::rd_kafka_queue_cb_event_enable(self.queue.as_ptr(), None, ptr::null_mut());
            native::rd_kafka_queue_destroy(self.queue.as_ptr());
        }
    }
}

/// Called by librdkafka on its own threads.
unsafe extern "C" fn raise(_client: *mut RDKafka, signal: *mut c_void) {
    // SAFETY: the pointer is that of the `AppendSignal` that the queue keeps alive.
    let signal = unsafe { &*signal.cast::<AppendSignal>() };
    signal.raise();
}

/// Adds the record to `into`, or says what the message is instead.
///
/// # Safety
/// `message` must have come from librdkafka and not been destroyed.
unsafe fn push(
    message: &native::rd_kafka_message_t,
    from: i64,
    into: &mut RecordChunkBuilder,
    bytes: &mut usize,
) -> Option<Taken> {
    match message.err {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => {}
        RDKafkaRespErr::RD_KAFKA_RESP_ERR__PARTITION_EOF => return Some(Taken::End(message.offset)),
        other => return Some(Taken::Failed(other.into())),
    }
    if message.offset < from {
        return None;
    }
    // SAFETY: the message's pointers are valid for its lengths until it is destroyed.
    unsafe {
        let key = slice(message.key, message.key_len);
        let value = slice(message.payload, message.len);
        *bytes += message.key_len + message.len;
        let mut kind = native::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        let timestamp = native::rd_kafka_message_timestamp(message, &raw mut kind);
        match headers(message) {
            Some(headers) => into.push_full(key, value, timestamp, message.offset, headers),
            None => into.push_at(key, value, timestamp, message.offset),
        }
    }
    None
}

/// # Safety
/// `data` must be null or valid for `length` bytes as long as the result is used.
unsafe fn slice<'a>(data: *const c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: as above.
    (!data.is_null()).then(|| unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) })
}

/// # Safety
/// `message` must be alive.
unsafe fn headers(message: &native::rd_kafka_message_t) -> Option<Headers> {
    let mut all = ptr::null_mut();
    // SAFETY: the headers, if any, live as long as the message; names are C strings, values valid for their lengths.
    unsafe {
        if native::rd_kafka_message_headers(message, &raw mut all) != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        let header = |index| {
            let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
            let found = native::rd_kafka_header_get_all(all, index, &raw mut name, &raw mut value, &raw mut length);
            (found == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| Header {
                key: CStr::from_ptr(name).to_string_lossy().into_owned(),
                value: slice(value, length).map(<[u8]>::to_vec),
            })
        };
        Some((0..).map_while(header).collect())
    }
}
