//! First and next offsets of many partitions with two requests per broker.

use std::collections::HashMap;
use std::ffi::CStr;
use std::time::Duration;

use rdkafka::bindings as native;
use rdkafka::types::{RDKafka, RDKafkaRespErr};

use super::admin_request::{AdminAnswer, AdminOperation, AdminRequest};
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
    // SAFETY: the client is alive; the list is until the end.
    unsafe {
        let admin = AdminRequest::new(client, AdminOperation::RD_KAFKA_ADMIN_OP_LISTOFFSETS, timeout);
        native::rd_kafka_ListOffsets(client, wanted.ptr(), admin.options(), admin.queue());
        offsets_of(&admin.answer()?)
    }
}

fn offsets_of(answer: &AdminAnswer) -> Result<HashMap<TopicPartition, i64>, NativeError> {
    // SAFETY: results and their parts live as long as the answer.
    unsafe {
        let result = native::rd_kafka_event_ListOffsets_result(answer.event());
        if result.is_null() {
            return Err(AdminAnswer::unexpected());
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
