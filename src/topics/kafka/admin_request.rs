//! Administrative requests of librdkafka that rdkafka does not offer: a queue, options, and one answer.

use std::ffi::{CStr, c_char};
use std::ptr::NonNull;
use std::time::Duration;

use rdkafka::bindings as native;
use rdkafka::types::{RDKafka, RDKafkaRespErr};

use super::native::NativeError;

pub(super) use native::rd_kafka_admin_op_t as AdminOperation;

/// How much longer than the brokers have the client is waited for, which tells of their silence in better words.
const CLIENT_MS: i32 = 1000;

/// One request: what it is asked with, and where its answer arrives.
pub(super) struct AdminRequest {
    queue: NonNull<native::rd_kafka_queue_t>,
    options: NonNull<native::rd_kafka_AdminOptions_t>,
    timeout_ms: i32,
}

impl AdminRequest {
    /// A request of `client` for `operation`, to be answered within `timeout`.
    ///
    /// # Safety
    /// `client` must be alive as long as the request.
    pub(super) unsafe fn new(client: *mut RDKafka, operation: AdminOperation, timeout: Duration) -> Self {
        let timeout_ms = timeout.as_millis() as i32;
        let mut text = [0 as c_char; 256];
        // SAFETY: queue and options are ours until they are dropped.
        unsafe {
            let queue = native::rd_kafka_queue_new(client);
            let options = native::rd_kafka_AdminOptions_new(client, operation);
            native::rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, text.as_mut_ptr(), text.len());
            Self {
                queue: NonNull::new(queue).expect("librdkafka makes a queue or aborts"),
                options: NonNull::new(options).expect("the operation is one that librdkafka knows"),
                timeout_ms,
            }
        }
    }

    /// Whether the answer fails while a transaction is about to move the offsets that it tells.
    pub(super) fn require_stable_offsets(&self, stable: bool) -> Result<(), NativeError> {
        // SAFETY: the options are alive; the error is nobody else's.
        unsafe {
            NativeError::check(native::rd_kafka_AdminOptions_set_require_stable_offsets(
                self.options(),
                i32::from(stable),
            ))
        }
    }

    pub(super) fn queue(&self) -> *mut native::rd_kafka_queue_t {
        self.queue.as_ptr()
    }

    pub(super) fn options(&self) -> *mut native::rd_kafka_AdminOptions_t {
        self.options.as_ptr()
    }

    /// Waits for the answer. The request must have been sent.
    pub(super) fn answer(&self) -> Result<AdminAnswer, NativeError> {
        // SAFETY: the queue is alive; the event becomes ours.
        let event = unsafe { native::rd_kafka_queue_poll(self.queue(), self.timeout_ms + CLIENT_MS) };
        let Some(event) = NonNull::new(event) else {
            return Err(NativeError { retriable: true, ..NativeError::new("no answer in time") });
        };
        AdminAnswer(event).checked()
    }
}

impl Drop for AdminRequest {
    fn drop(&mut self) {
        // SAFETY: both are ours and not used after this.
        unsafe {
            native::rd_kafka_AdminOptions_destroy(self.options());
            native::rd_kafka_queue_destroy(self.queue());
        }
    }
}

/// What a request was answered with; what it holds lives as long as it.
pub(super) struct AdminAnswer(NonNull<native::rd_kafka_event_t>);

impl AdminAnswer {
    /// An answer to another request than the one that was made.
    pub(super) fn unexpected() -> NativeError {
        NativeError::new("another answer than the one asked for")
    }

    pub(super) fn event(&self) -> *mut native::rd_kafka_event_t {
        self.0.as_ptr()
    }

    fn checked(self) -> Result<Self, NativeError> {
        // SAFETY: the event is alive, its text as long as it.
        unsafe {
            let code = native::rd_kafka_event_error(self.event());
            if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                return Ok(self);
            }
            let text = CStr::from_ptr(native::rd_kafka_event_error_string(self.event())).to_string_lossy();
            Err(NativeError { retriable: true, ..NativeError::new(text) }.with_code(code))
        }
    }
}

impl Drop for AdminAnswer {
    fn drop(&mut self) {
        // SAFETY: the event is ours and not used after this.
        unsafe { native::rd_kafka_event_destroy(self.event()) };
    }
}
