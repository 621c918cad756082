//! First and next offsets of many partitions with two requests per broker.

use std::collections::HashMap;
use std::ffi::{CStr, c_char};
use std::time::Duration;

use rdkafka::bindings as native;
use rdkafka::types::{RDKafka, RDKafkaRespErr};

use super::native::{NativeError, PartitionList};
use crate::topics::TopicPartition;

/// Asks for the first offset.
const EARLIEST: i64 = -2;
/// Asks for the offset after the last record.
const LATEST: i64 = -1;

/// First and next offset of each of `partitions`; `None` where there is no such partition.
pub(super) fn ranges(
    client: *mut RDKafka,
    partitions: &[TopicPartition],
    timeout: Duration,
) -> Result<Vec<Option<(i64, i64)>>, NativeError> {
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    let starts = list(client, partitions, EARLIEST, timeout)?;
    let ends = list(client, partitions, LATEST, timeout)?;
    Ok(partitions.iter().map(|partition| Some((*starts.get(partition)?, *ends.get(partition)?))).collect())
}

fn list(
    client: *mut RDKafka,
    partitions: &[TopicPartition],
    which: i64,
    timeout: Duration,
) -> Result<HashMap<TopicPartition, i64>, NativeError> {
    let wanted = PartitionList::new(partitions.iter().map(|partition| (partition.clone(), which, None)));
    let milliseconds = timeout.as_millis() as i32;
    // SAFETY: all objects are made here and destroyed here, in the reverse order; the client is alive.
    unsafe {
        let queue = native::rd_kafka_queue_new(client);
        let operation = native::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTOFFSETS;
        let options = native::rd_kafka_AdminOptions_new(client, operation);
        let mut text = [0 as c_char; 256];
        native::rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, text.as_mut_ptr(), text.len());
        native::rd_kafka_ListOffsets(client, wanted.ptr(), options, queue);
        let event = native::rd_kafka_queue_poll(queue, milliseconds + 500);
        let found = offsets_of(event);
        native::rd_kafka_event_destroy(event);
        native::rd_kafka_AdminOptions_destroy(options);
        native::rd_kafka_queue_destroy(queue);
        found
    }
}

/// # Safety
/// `event` must be null or alive.
unsafe fn offsets_of(event: *mut native::rd_kafka_event_t) -> Result<HashMap<TopicPartition, i64>, NativeError> {
    if event.is_null() {
        return Err(NativeError::new("no answer in time"));
    }
    // SAFETY: results and their parts live as long as the event.
    unsafe {
        if native::rd_kafka_event_error(event) != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            let text = CStr::from_ptr(native::rd_kafka_event_error_string(event)).to_string_lossy();
            return Err(NativeError::new(text));
        }
        let result = native::rd_kafka_event_ListOffsets_result(event);
        if result.is_null() {
            return Err(NativeError::new("another answer than the one asked for"));
        }
        let mut count = 0;
        let infos = native::rd_kafka_ListOffsets_result_infos(result, &raw mut count);
        let mut found = HashMap::with_capacity(count);
        for index in 0..count {
            let entry = &*native::rd_kafka_ListOffsetsResultInfo_topic_partition(*infos.add(index));
            if entry.err == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR && entry.offset >= 0 {
                let topic = CStr::from_ptr(entry.topic).to_string_lossy();
                let partition = TopicPartition { topic: topic.as_ref().into(), partition: entry.partition as u32 };
                found.insert(partition, entry.offset);
            }
        }
        Ok(found)
    }
}
