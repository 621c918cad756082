//! The id that the cluster has given to a topic: another topic of the same name has another one.

use std::ffi::{CStr, CString, c_char};
use std::time::Duration;

use rdkafka::bindings as native;
use rdkafka::types::{RDKafka, RDKafkaRespErr};

use super::native::NativeError;

/// The id of `topic`; `None` if it does not exist or the cluster gives no ids.
pub(super) fn topic_id(client: *mut RDKafka, topic: &str, timeout: Duration) -> Result<Option<String>, NativeError> {
    let Ok(name) = CString::new(topic) else { return Ok(None) };
    let mut names: [*const c_char; 1] = [name.as_ptr()];
    let milliseconds = timeout.as_millis() as i32;
    // SAFETY: all objects are made here and destroyed here, in the reverse order; the client is alive, the name as long as
    // this function runs.
    unsafe {
        let queue = native::rd_kafka_queue_new(client);
        let topics = native::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
        let operation = native::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
        let options = native::rd_kafka_AdminOptions_new(client, operation);
        let mut text = [0 as c_char; 256];
        native::rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, text.as_mut_ptr(), text.len());
        native::rd_kafka_DescribeTopics(client, topics, options, queue);
        let event = native::rd_kafka_queue_poll(queue, milliseconds + 1000);
        let found = id_of(event);
        native::rd_kafka_event_destroy(event);
        native::rd_kafka_AdminOptions_destroy(options);
        native::rd_kafka_TopicCollection_destroy(topics);
        native::rd_kafka_queue_destroy(queue);
        found
    }
}

/// # Safety
/// `event` must be null or alive.
unsafe fn id_of(event: *mut native::rd_kafka_event_t) -> Result<Option<String>, NativeError> {
    if event.is_null() {
        return Err(NativeError::new("no answer in time"));
    }
    // SAFETY: results and their parts live as long as the event.
    unsafe {
        if native::rd_kafka_event_error(event) != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(NativeError::new(CStr::from_ptr(native::rd_kafka_event_error_string(event)).to_string_lossy()));
        }
        let result = native::rd_kafka_event_DescribeTopics_result(event);
        let mut count = 0;
        let topics = native::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        if topics.is_null() || count == 0 {
            return Ok(None);
        }
        let id = native::rd_kafka_TopicDescription_topic_id(*topics);
        let is_known = |id| {
            native::rd_kafka_Uuid_most_significant_bits(id) != 0
                || native::rd_kafka_Uuid_least_significant_bits(id) != 0
        };
        if id.is_null() || !is_known(id) {
            return Ok(None);
        }
        Ok(Some(CStr::from_ptr(native::rd_kafka_Uuid_base64str(id)).to_string_lossy().into_owned()))
    }
}
