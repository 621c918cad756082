//! Records out: whole chunks into librdkafka's queues, and what makes them visible.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::fmt::Display;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::Array;
use rdkafka::ClientContext;
use rdkafka::bindings as native;
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer as _, ProducerContext};
use rdkafka::types::{RDKafka, RDKafkaErrorCode as Code, RDKafkaRespErr};

use super::cluster_error;
use super::deadline::Deadline;
use super::native::{NativeError, begin_transaction, fatal_error, transaction_step};
use super::refusal::{Caller, Needs, is_refusal};
use crate::topics::{TopicError, TopicPartition};
use crate::types::RecordChunk;

/// How long the cluster may take to take records, or to end a transaction.
const TIMEOUT: Duration = Duration::from_mins(1);
/// For librdkafka the time 0 is now; the millisecond after it is as near as one can get.
const EARLIEST: i64 = 1;
/// How long to wait for room in the client's queue at a time.
const ROOM: Duration = Duration::from_millis(20);
/// How long an attempt to end a transaction without its records may take.
const ABORTING: Duration = Duration::from_millis(500);
/// How long the client is told at a time to send at once.
const SENDING: Duration = Duration::from_millis(1);

/// What has become of records since the last look.
#[derive(Default)]
struct Deliveries {
    /// Greatest offset given to a record, by partition, where asked for.
    offsets: HashMap<TopicPartition, i64>,
    /// The first failure: topic and reason.
    failure: Option<(String, Code)>,
}

/// Logs what the client complains about. Deliveries do not come this way, see [`Producer::serve`].
pub(super) struct Notes;

impl ClientContext for Notes {
    fn error(&self, error: rdkafka::error::KafkaError, reason: &str) {
        // Callers report what becomes of it.
        tracing::debug!("Kafka producer: {error}: {reason}");
    }
}

impl ProducerContext for Notes {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// One producer, transactional or not.
pub(super) struct Producer {
    topics: HashMap<Arc<str>, TopicHandle>,
    deliveries: RefCell<Deliveries>,
    events: NonNull<native::rd_kafka_queue_t>,
    caller: Caller,
    transactional_id: Option<String>,
    // Last: queue and handles must not outlive it.
    client: BaseProducer<Notes>,
}

// SAFETY: librdkafka's queues may be used from any thread.
unsafe impl Send for Producer {}

struct TopicHandle(NonNull<native::rd_kafka_topic_t>);

// SAFETY: librdkafka's topic handles may be used from any thread.
unsafe impl Send for TopicHandle {}

impl Drop for Producer {
    fn drop(&mut self) {
        for handle in self.topics.values() {
            // SAFETY: the handle is ours and not used after this; the client is dropped later.
            unsafe { native::rd_kafka_topic_destroy(handle.0.as_ptr()) };
        }
        // SAFETY: the queue is ours and not used after this.
        unsafe { native::rd_kafka_queue_destroy(self.events.as_ptr()) };
    }
}

impl Producer {
    /// A producer with the settings of `config`; with a `transactional.id` among them it takes that name from any other
    /// producer, ends what that one has left open, and waits until that is done.
    pub(super) fn new(config: &ClientConfig) -> Result<Self, TopicError> {
        let client: BaseProducer<Notes> =
            config.create_with_context(Notes).map_err(|error| cluster_error("cannot make a producer", error))?;
        // SAFETY: the client is alive.
        let events = unsafe { native::rd_kafka_queue_get_main(client.client().native_ptr()) };
        let events = NonNull::new(events).ok_or_else(|| cluster_error("cannot make a producer", "it has no queue"))?;
        let producer = Self {
            topics: HashMap::new(),
            deliveries: RefCell::default(),
            events,
            caller: Caller::of(config),
            transactional_id: config.get("transactional.id").map(ToOwned::to_owned),
            client,
        };
        if producer.transactional_id.is_some() {
            producer.retried("cannot take up transactions", Needs::default(), |client| {
                transaction_step(client, native::rd_kafka_init_transactions, TIMEOUT)
            })?;
        }
        Ok(producer)
    }

    pub(super) fn ptr(&self) -> *mut RDKafka {
        self.client.client().native_ptr()
    }

    pub(super) fn begin(&self) -> Result<(), TopicError> {
        begin_transaction(self.ptr()).map_err(|error| self.failed("cannot begin a transaction", error.reason))
    }

    /// Hands all records of `chunk` to the client. Of a changelog's records, [`Producer::delivered`] gives the last offset.
    pub(super) fn append(
        &mut self,
        to: &TopicPartition,
        chunk: &RecordChunk,
        is_changelog: bool,
    ) -> Result<(), TopicError> {
        let topic = self.topic(&to.topic)?;
        for row in 0..chunk.len() {
            let mut deadline = None;
            // Offsets ascend: that of the last record says all.
            let note_offset = is_changelog && row + 1 == chunk.len();
            // A changelog's records are as old as their writing: 0 is now.
            let timestamp = if is_changelog { 0 } else { chunk.timestamps[row].max(EARLIEST) };
            while let Err(error) = self.produce((topic, to.partition), chunk, row, timestamp, note_offset) {
                let over = deadline.get_or_insert_with(|| Deadline::after(TIMEOUT)).is_over();
                if over || error != RDKafkaRespErr::RD_KAFKA_RESP_ERR__QUEUE_FULL {
                    return Err(self.refused(&to.topic, error.into()));
                }
                self.serve(ROOM);
            }
        }
        self.serve(Duration::ZERO);
        Ok(())
    }

    /// Waits for an event of the client up to `wait`, then takes what is there.
    fn serve(&self, wait: Duration) {
        let mut milliseconds = wait.as_millis() as i32;
        loop {
            // SAFETY: the queue is alive; the event is ours until it is destroyed here.
            unsafe {
                let event = native::rd_kafka_queue_poll(self.events.as_ptr(), milliseconds);
                if event.is_null() {
                    return;
                }
                match native::rd_kafka_event_type(event) {
                    native::RD_KAFKA_EVENT_DR => self.note_deliveries(event),
                    native::RD_KAFKA_EVENT_ERROR => {
                        let text = CStr::from_ptr(native::rd_kafka_event_error_string(event));
                        tracing::debug!("Kafka producer: {}", text.to_string_lossy());
                    }
                    _ => {}
                }
                native::rd_kafka_event_destroy(event);
            }
            milliseconds = 0;
        }
    }

    /// Keeps failures, and the offsets that are wanted.
    ///
    /// # Safety
    /// `event` must be a delivery report that is alive.
    unsafe fn note_deliveries(&self, event: *mut native::rd_kafka_event_t) {
        // SAFETY: messages and their topics live as long as the event.
        unsafe {
            while let Some(message) = native::rd_kafka_event_message_next(event).as_ref() {
                let failed = message.err != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR;
                if !failed && message._private.is_null() {
                    continue;
                }
                let topic = CStr::from_ptr(native::rd_kafka_topic_name(message.rkt)).to_string_lossy();
                let mut deliveries = self.deliveries.borrow_mut();
                if failed {
                    let error = Code::from(message.err);
                    deliveries.failure.get_or_insert_with(|| (topic.into_owned(), error));
                } else {
                    let partition = TopicPartition { topic: topic.into(), partition: message.partition as u32 };
                    let greatest = deliveries.offsets.entry(partition).or_insert(-1);
                    *greatest = message.offset.max(*greatest);
                }
            }
        }
    }

    fn topic(&mut self, name: &Arc<str>) -> Result<*mut native::rd_kafka_topic_t, TopicError> {
        if let Some(handle) = self.topics.get(name) {
            return Ok(handle.0.as_ptr());
        }
        let text = CString::new(&**name).map_err(|_| cluster_error("the name of a topic has a NUL", name))?;
        // SAFETY: the client is alive, the name a C string for the time of the call.
        let handle = unsafe { native::rd_kafka_topic_new(self.ptr(), text.as_ptr(), ptr::null_mut()) };
        let handle = NonNull::new(handle).ok_or_else(|| cluster_error("the client refuses topic", name))?;
        self.topics.insert(Arc::clone(name), TopicHandle(handle));
        Ok(handle.as_ptr())
    }

    fn produce(
        &self,
        (topic, partition): (*mut native::rd_kafka_topic_t, u32),
        chunk: &RecordChunk,
        row: usize,
        timestamp: i64,
        note_offset: bool,
    ) -> Result<(), RDKafkaRespErr> {
        use native::rd_kafka_vtype_t as kind;
        let bytes = |array: &arrow::array::BinaryArray| {
            let (data, size) = if array.is_valid(row) {
                let value = array.value(row);
                (value.as_ptr().cast_mut().cast(), value.len())
            } else {
                (ptr::null_mut(), 0)
            };
            native::rd_kafka_vu_s__bindgen_ty_1 {
                mem: native::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 { ptr: data, size },
            }
        };
        let headers = headers(chunk, row);
        let mut arguments = [
            (kind::RD_KAFKA_VTYPE_RKT, native::rd_kafka_vu_s__bindgen_ty_1 { rkt: topic }),
            (kind::RD_KAFKA_VTYPE_PARTITION, native::rd_kafka_vu_s__bindgen_ty_1 { i32_: partition as i32 }),
            (kind::RD_KAFKA_VTYPE_VALUE, bytes(&chunk.values)),
            (kind::RD_KAFKA_VTYPE_KEY, bytes(&chunk.keys)),
            (kind::RD_KAFKA_VTYPE_TIMESTAMP, native::rd_kafka_vu_s__bindgen_ty_1 { i64_: timestamp }),
            (kind::RD_KAFKA_VTYPE_MSGFLAGS, native::rd_kafka_vu_s__bindgen_ty_1 { i: native::RD_KAFKA_MSG_F_COPY }),
            (
                kind::RD_KAFKA_VTYPE_OPAQUE,
                native::rd_kafka_vu_s__bindgen_ty_1 { ptr: ptr::without_provenance_mut(usize::from(note_offset)) },
            ),
            (kind::RD_KAFKA_VTYPE_HEADERS, native::rd_kafka_vu_s__bindgen_ty_1 { headers }),
        ]
        .map(|(vtype, u)| native::rd_kafka_vu_t { vtype, u });
        let count = if headers.is_null() { arguments.len() - 1 } else { arguments.len() };
        // SAFETY: the client and the topic are alive; key and value are valid for their lengths during the call, which copies
        // them; the headers are ours until the call succeeds, and destroyed here otherwise.
        unsafe {
            let error = native::rd_kafka_produceva(self.ptr(), arguments.as_mut_ptr(), count);
            if error.is_null() {
                return Ok(());
            }
            let code = native::rd_kafka_error_code(error);
            native::rd_kafka_error_destroy(error);
            if !headers.is_null() {
                native::rd_kafka_headers_destroy(headers);
            }
            Err(code)
        }
    }

    /// Waits until the cluster has all records, or one has failed.
    pub(super) fn flush(&self) -> Result<(), TopicError> {
        let deadline = Deadline::after(TIMEOUT);
        loop {
            // While this call lasts the client sends what it has without lingering.
            // SAFETY: the client is alive.
            let left = unsafe {
                native::rd_kafka_flush(self.ptr(), SENDING.as_millis() as i32);
                self.serve(Duration::ZERO);
                native::rd_kafka_outq_len(self.ptr())
            };
            if left == 0 {
                break;
            }
            if deadline.is_over() {
                return Err(self.failed("records could not be written in time", format!("{left} are left")));
            }
            self.serve(ROOM);
        }
        let failure = self.deliveries.borrow_mut().failure.take();
        failure.map_or(Ok(()), |(topic, code)| Err(self.refused(&topic, code)))
    }

    /// A record could not be written to `topic`.
    fn refused(&self, topic: &str, code: Code) -> TopicError {
        let doing = format!("cannot write to topic {topic}");
        match code {
            Code::MessageSizeTooLarge => TopicError::TooLarge { topic: topic.to_owned() },
            Code::InvalidTimestamp => {
                let reason = "its records have times that it does not take (message.timestamp.before.max.ms, \
                              message.timestamp.after.max.ms); give that topic other limits";
                cluster_error(&doing, reason)
            }
            Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition => {
                cluster_error(&doing, "it does not exist; the query goes on when it is there again")
            }
            code if is_refusal(code) => self.caller.failed(&doing, Needs::topic("Write", topic), code),
            code => self.failed(&doing, code),
        }
    }

    /// The error of a call; the cause behind it, if the client has given up.
    fn failed(&self, doing: &str, reason: impl Display) -> TopicError {
        match fatal_error(self.ptr()) {
            Some(error) => error.into_topic_error(doing),
            None => cluster_error(doing, reason),
        }
    }

    /// The last offsets of records whose offsets were to be noted, since the last call.
    pub(super) fn delivered(&self) -> HashMap<TopicPartition, i64> {
        std::mem::take(&mut self.deliveries.borrow_mut().offsets)
    }

    /// Ends the transaction: all of it becomes visible.
    pub(super) fn commit(&self) -> Result<(), TopicError> {
        self.retried("cannot commit a transaction", Needs::default(), |client| {
            transaction_step(client, native::rd_kafka_commit_transaction, TIMEOUT)
        })
    }

    /// Ends the transaction: nothing of it ever becomes visible.
    pub(super) fn abort(&self) -> Result<(), TopicError> {
        self.retried("cannot abort a transaction", Needs::default(), |client| {
            // It waits for records whose end is known once events are served, which `retried` does in between.
            transaction_step(client, native::rd_kafka_abort_transaction, ABORTING)
        })?;
        self.serve(Duration::ZERO);
        *self.deliveries.borrow_mut() = Deliveries::default();
        Ok(())
    }

    /// Repeats a call while its outcome is open; the client goes on where it was.
    pub(super) fn retried(
        &self,
        doing: &str,
        needs: Needs<'_>,
        call: impl Fn(*mut RDKafka) -> Result<(), NativeError>,
    ) -> Result<(), TopicError> {
        let deadline = Deadline::after(2 * TIMEOUT);
        loop {
            match call(self.ptr()) {
                Ok(()) => return Ok(()),
                Err(error) if error.retriable && !error.lost && !deadline.is_over() => self.serve(Duration::ZERO),
                Err(error) => {
                    let needs = Needs { transactional_id: self.transactional_id.as_deref(), ..needs };
                    return Err(self.caller.failed_native(doing, needs, error));
                }
            }
        }
    }
}

/// The headers of a record for librdkafka; null if it has none.
fn headers(chunk: &RecordChunk, row: usize) -> *mut native::rd_kafka_headers_t {
    let headers = chunk.headers_at(row);
    if headers.is_empty() {
        return ptr::null_mut();
    }
    // SAFETY: names and values are valid for their lengths during the calls, which copy them.
    unsafe {
        let all = native::rd_kafka_headers_new(headers.len());
        for header in headers {
            let (value, length) = match &header.value {
                Some(value) => (value.as_ptr().cast(), value.len() as isize),
                None => (ptr::null(), 0),
            };
            native::rd_kafka_header_add(all, header.key.as_ptr().cast(), header.key.len() as isize, value, length);
        }
        all
    }
}
