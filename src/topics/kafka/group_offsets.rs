//! Offsets of groups that one is no member of.

use std::ffi::CStr;
use std::time::Duration;

use rdkafka::bindings as native;
use rdkafka::types::{RDKafka, RDKafkaRespErr};

use super::admin_request::{AdminAnswer, AdminOperation, AdminRequest};
use super::native::{NativeError, PartitionList, c_string, position_list};
use crate::topics::{Position, TopicPartition};

/// A position that a group has committed, with its metadata.
pub(super) type GroupOffset = (TopicPartition, Option<(i64, String)>);

/// Whether offsets that a transaction is about to move are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stability {
    /// The call fails while such a transaction is open.
    Settled,
    /// What was committed last.
    AsItIs,
}

/// The offsets that `group` has committed in `partitions`.
pub(super) fn group_offsets(
    client: *mut RDKafka,
    group: &str,
    partitions: &[TopicPartition],
    timeout: Duration,
    stability: Stability,
) -> Result<Vec<GroupOffset>, NativeError> {
    let wanted = PartitionList::new(partitions.iter().map(|partition| (partition.clone(), -1001, None)));
    let group = c_string(group);
    // SAFETY: the client is alive, and so is what is made here until it is dropped or destroyed at the end.
    unsafe {
        let admin = AdminRequest::new(client, AdminOperation::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, timeout);
        admin.require_stable_offsets(stability == Stability::Settled)?;
        let mut request = native::rd_kafka_ListConsumerGroupOffsets_new(group.as_ptr(), wanted.ptr());
        native::rd_kafka_ListConsumerGroupOffsets(client, &raw mut request, 1, admin.options(), admin.queue());
        let answer = admin.answer();
        native::rd_kafka_ListConsumerGroupOffsets_destroy(request);
        offsets_of(&answer?)
    }
}

fn offsets_of(answer: &AdminAnswer) -> Result<Vec<GroupOffset>, NativeError> {
    // SAFETY: results and their parts live as long as the answer.
    unsafe {
        let result = native::rd_kafka_event_ListConsumerGroupOffsets_result(answer.event());
        if result.is_null() {
            return Err(AdminAnswer::unexpected());
        }
        let mut count = 0;
        let groups = native::rd_kafka_ListConsumerGroupOffsets_result_groups(result, &raw mut count);
        let mut found = Vec::new();
        for index in 0..count {
            let group = *groups.add(index);
            let error = native::rd_kafka_group_result_error(group);
            if !error.is_null() {
                let text = CStr::from_ptr(native::rd_kafka_error_string(error)).to_string_lossy();
                let code = native::rd_kafka_error_code(error);
                return Err(NativeError { retriable: true, ..NativeError::new(text) }.with_code(code));
            }
            let list = &*native::rd_kafka_group_result_partitions(group);
            for index in 0..list.cnt as usize {
                found.push(group_offset(&*list.elems.add(index))?);
            }
        }
        Ok(found)
    }
}

/// # Safety
/// `entry` must be alive.
unsafe fn group_offset(entry: &native::rd_kafka_topic_partition_t) -> Result<GroupOffset, NativeError> {
    // SAFETY: name and metadata live as long as the entry; metadata has no terminator.
    unsafe {
        let topic = CStr::from_ptr(entry.topic).to_string_lossy();
        if entry.err != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            let text = CStr::from_ptr(native::rd_kafka_err2str(entry.err)).to_string_lossy();
            let error = NativeError { retriable: true, ..NativeError::new(format!("{topic}: {text}")) };
            return Err(error.with_code(entry.err));
        }
        let metadata = if entry.metadata.is_null() {
            String::new()
        } else {
            let bytes = std::slice::from_raw_parts(entry.metadata.cast::<u8>(), entry.metadata_size);
            String::from_utf8_lossy(bytes).into_owned()
        };
        let partition = TopicPartition { topic: topic.as_ref().into(), partition: entry.partition as u32 };
        Ok((partition, (entry.offset >= 0).then_some((entry.offset, metadata))))
    }
}

/// Sets the offsets of `group`, which must have no members, outside a transaction.
pub(super) fn alter_group_offsets(
    client: *mut RDKafka,
    group: &str,
    positions: &[(TopicPartition, Position)],
    timeout: Duration,
) -> Result<(), NativeError> {
    let list = position_list(positions);
    let group = c_string(group);
    // SAFETY: the client is alive, and so is what is made here until it is dropped or destroyed at the end.
    unsafe {
        let admin = AdminRequest::new(client, AdminOperation::RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, timeout);
        let mut request = native::rd_kafka_AlterConsumerGroupOffsets_new(group.as_ptr(), list.ptr());
        native::rd_kafka_AlterConsumerGroupOffsets(client, &raw mut request, 1, admin.options(), admin.queue());
        let answer = admin.answer();
        native::rd_kafka_AlterConsumerGroupOffsets_destroy(request);
        altered(&answer?)
    }
}

fn altered(answer: &AdminAnswer) -> Result<(), NativeError> {
    // SAFETY: results and their parts live as long as the answer.
    unsafe {
        let result = native::rd_kafka_event_AlterConsumerGroupOffsets_result(answer.event());
        if result.is_null() {
            return Err(AdminAnswer::unexpected());
        }
        let mut count = 0;
        let groups = native::rd_kafka_AlterConsumerGroupOffsets_result_groups(result, &raw mut count);
        for index in 0..count {
            let group = *groups.add(index);
            let error = native::rd_kafka_group_result_error(group);
            if !error.is_null() {
                let text = CStr::from_ptr(native::rd_kafka_error_string(error)).to_string_lossy();
                return Err(NativeError::new(text).with_code(native::rd_kafka_error_code(error)));
            }
            let list = &*native::rd_kafka_group_result_partitions(group);
            for index in 0..list.cnt as usize {
                group_offset(&*list.elems.add(index))?;
            }
        }
        Ok(())
    }
}
