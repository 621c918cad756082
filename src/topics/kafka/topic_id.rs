//! The id that the cluster has given to a topic: another topic of the same name has another one.

use std::ffi::{CStr, CString, c_char};
use std::time::Duration;

use rdkafka::bindings as native;
use rdkafka::types::RDKafka;

use super::admin_request::{AdminAnswer, AdminOperation, AdminRequest};
use super::native::NativeError;

/// The id of `topic`; `None` if it does not exist or the cluster gives no ids.
pub(super) fn topic_id(client: *mut RDKafka, topic: &str, timeout: Duration) -> Result<Option<String>, NativeError> {
    let Ok(name) = CString::new(topic) else { return Ok(None) };
    let mut names: [*const c_char; 1] = [name.as_ptr()];
    // SAFETY: the client is alive, the name as long as this function runs; the topics are destroyed at the end.
    unsafe {
        let admin = AdminRequest::new(client, AdminOperation::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, timeout);
        let topics = native::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
        native::rd_kafka_DescribeTopics(client, topics, admin.options(), admin.queue());
        let answer = admin.answer();
        native::rd_kafka_TopicCollection_destroy(topics);
        Ok(id_of(&answer?))
    }
}

fn id_of(answer: &AdminAnswer) -> Option<String> {
    // SAFETY: results and their parts live as long as the answer.
    unsafe {
        let result = native::rd_kafka_event_DescribeTopics_result(answer.event());
        if result.is_null() {
            return None;
        }
        let mut count = 0;
        let topics = native::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        if topics.is_null() || count == 0 {
            return None;
        }
        let id = native::rd_kafka_TopicDescription_topic_id(*topics);
        let is_known = |id| {
            native::rd_kafka_Uuid_most_significant_bits(id) != 0
                || native::rd_kafka_Uuid_least_significant_bits(id) != 0
        };
        if id.is_null() || !is_known(id) {
            return None;
        }
        Some(CStr::from_ptr(native::rd_kafka_Uuid_base64str(id)).to_string_lossy().into_owned())
    }
}
