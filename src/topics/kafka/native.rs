//! Calls of librdkafka that rdkafka does not offer: transactions with the offsets of groups that one is no member of.

use std::ffi::{CStr, CString, c_char};
use std::ptr::NonNull;
use std::time::Duration;

use rdkafka::bindings as native;
use rdkafka::types::{RDKafka, RDKafkaErrorCode, RDKafkaRespErr};

use super::refusal::is_refusal;
use crate::topics::{Fence, Position, TopicError, TopicPartition};

/// What a call says on failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NativeError {
    /// The client's text.
    pub(super) reason: String,
    /// What it stands for, where that is known.
    pub(super) code: Option<RDKafkaErrorCode>,
    /// The transaction is lost, or the producer with it.
    pub(super) lost: bool,
    /// The same call may succeed later.
    pub(super) retriable: bool,
    /// Somebody else has taken over, and from whom.
    pub(super) taken_over: Option<TakenOver>,
}

/// What somebody else has taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TakenOver {
    /// The name of the producer.
    Name,
    /// The member's place in its group, by a new generation.
    Place,
}

impl TakenOver {
    fn of(code: RDKafkaRespErr) -> Option<Self> {
        match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_PRODUCER_FENCED
            | RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH
            | RDKafkaRespErr::RD_KAFKA_RESP_ERR__FENCED => Some(Self::Name),
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION
            | RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID
            | RDKafkaRespErr::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID
            | RDKafkaRespErr::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS => Some(Self::Place),
            _ => None,
        }
    }
}

impl NativeError {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), code: None, lost: false, retriable: false, taken_over: None }
    }

    /// The error of `doing`.
    pub(super) fn into_topic_error(self, doing: &str) -> TopicError {
        let reason = self.reason;
        match self.taken_over {
            Some(TakenOver::Name) => TopicError::Fenced { reason },
            Some(TakenOver::Place) => TopicError::Outdated { reason },
            None => super::cluster_error(doing, reason),
        }
    }

    /// The same error with its code; a right that is missing is missing the next time too.
    pub(super) fn with_code(self, code: RDKafkaRespErr) -> Self {
        let code = RDKafkaErrorCode::from(code);
        Self { retriable: self.retriable && !is_refusal(code), code: Some(code), ..self }
    }

    /// Takes what a call returned; null is success.
    ///
    /// # Safety
    /// `error` must be null or an error that nobody else destroys.
    pub(super) unsafe fn check(error: *mut native::rd_kafka_error_t) -> Result<(), Self> {
        let Some(error) = NonNull::new(error) else { return Ok(()) };
        // SAFETY: the error is alive until it is destroyed here, its text as long as it.
        unsafe {
            let text = CStr::from_ptr(native::rd_kafka_error_string(error.as_ptr())).to_string_lossy().into_owned();
            let result = Self {
                reason: text,
                code: Some(native::rd_kafka_error_code(error.as_ptr()).into()),
                lost: native::rd_kafka_error_is_fatal(error.as_ptr()) != 0
                    || native::rd_kafka_error_txn_requires_abort(error.as_ptr()) != 0,
                retriable: native::rd_kafka_error_is_retriable(error.as_ptr()) != 0,
                taken_over: TakenOver::of(native::rd_kafka_error_code(error.as_ptr())),
            };
            native::rd_kafka_error_destroy(error.as_ptr());
            Err(result)
        }
    }
}

/// A list of partitions with offsets, owned.
pub(super) struct PartitionList(NonNull<native::rd_kafka_topic_partition_list_t>);

impl PartitionList {
    pub(super) fn new(partitions: impl ExactSizeIterator<Item = (TopicPartition, i64, Option<String>)>) -> Self {
        // SAFETY: the list is ours; names are C strings for the time of the calls; metadata is copied to memory of
        // malloc, which the list frees.
        unsafe {
            let list = native::rd_kafka_topic_partition_list_new(partitions.len() as i32);
            for (partition, offset, metadata) in partitions {
                let topic = c_string(&partition.topic);
                let entry = native::rd_kafka_topic_partition_list_add(list, topic.as_ptr(), partition.partition as i32);
                (*entry).offset = offset;
                if let Some(metadata) = metadata {
                    let copy = libc::malloc(metadata.len().max(1)).cast::<u8>();
                    assert!(!copy.is_null(), "memory for {} bytes", metadata.len());
                    copy.copy_from_nonoverlapping(metadata.as_ptr(), metadata.len());
                    (*entry).metadata = copy.cast();
                    (*entry).metadata_size = metadata.len();
                }
            }
            Self(NonNull::new(list).expect("librdkafka makes a list or aborts"))
        }
    }

    pub(super) fn ptr(&self) -> *mut native::rd_kafka_topic_partition_list_t {
        self.0.as_ptr()
    }
}

impl Drop for PartitionList {
    fn drop(&mut self) {
        // SAFETY: the list is ours and not used after this.
        unsafe { native::rd_kafka_topic_partition_list_destroy(self.ptr()) };
    }
}

/// Makes `positions` of `group` part of the transaction that the producer `client` has open.
pub(super) fn send_offsets(
    client: *mut RDKafka,
    group: &str,
    positions: &[(TopicPartition, Position)],
    timeout: Duration,
) -> Result<(), NativeError> {
    let list = position_list(positions);
    let group = c_string(group);
    // SAFETY: list and group data are made here and destroyed here; the client is alive.
    unsafe {
        let members = native::rd_kafka_consumer_group_metadata_new(group.as_ptr());
        let sent =
            native::rd_kafka_send_offsets_to_transaction(client, list.ptr(), members, timeout.as_millis() as i32);
        native::rd_kafka_consumer_group_metadata_destroy(members);
        NativeError::check(sent)
    }
}

/// Makes the transaction that the producer `client` has open one that can only be committed as long as `fence` holds: an offset
/// of the group of servers, in `log`, goes with it.
pub(super) fn send_fence(
    client: *mut RDKafka,
    fence: &Fence,
    log: &TopicPartition,
    timeout: Duration,
) -> Result<(), NativeError> {
    let list = PartitionList::new([(log.clone(), i64::from(fence.generation), None)].into_iter());
    let (group, member) = (c_string(&fence.group), c_string(&fence.member));
    let instance = fence.instance.as_deref().map(c_string);
    // SAFETY: list and group data are made here and destroyed here; the client is alive.
    unsafe {
        let members = native::rd_kafka_consumer_group_metadata_new_with_genid(
            group.as_ptr(),
            fence.generation,
            member.as_ptr(),
            instance.as_ref().map_or(std::ptr::null(), |instance| instance.as_ptr()),
        );
        let sent =
            native::rd_kafka_send_offsets_to_transaction(client, list.ptr(), members, timeout.as_millis() as i32);
        native::rd_kafka_consumer_group_metadata_destroy(members);
        NativeError::check(sent)
    }
}

/// A call of the transactional producer `client` that takes a timeout.
pub(super) fn transaction_step(
    client: *mut RDKafka,
    step: unsafe extern "C" fn(*mut RDKafka, i32) -> *mut native::rd_kafka_error_t,
    timeout: Duration,
) -> Result<(), NativeError> {
    // SAFETY: the client is alive; `step` is one of librdkafka's calls of this shape.
    unsafe { NativeError::check(step(client, timeout.as_millis() as i32)) }
}

/// Why the producer `client` cannot be used any more, if that is so.
pub(super) fn fatal_error(client: *mut RDKafka) -> Option<NativeError> {
    let mut text = [0 as c_char; 512];
    // SAFETY: the client is alive; the text is ours and is ended by a NUL.
    unsafe {
        let code = native::rd_kafka_fatal_error(client, text.as_mut_ptr(), text.len());
        if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        let reason = CStr::from_ptr(text.as_ptr()).to_string_lossy();
        let error = NativeError { lost: true, taken_over: TakenOver::of(code), ..NativeError::new(reason) };
        Some(error.with_code(code))
    }
}

/// Begins a transaction of the producer `client`.
pub(super) fn begin_transaction(client: *mut RDKafka) -> Result<(), NativeError> {
    // SAFETY: the client is alive.
    unsafe { NativeError::check(native::rd_kafka_begin_transaction(client)) }
}

pub(super) fn position_list(positions: &[(TopicPartition, Position)]) -> PartitionList {
    let entries = positions.iter().map(|(partition, position)| {
        (partition.clone(), position.offset, Some(super::offset_metadata::encode(position.partition_time)))
    });
    PartitionList::new(entries)
}

pub(super) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "")).expect("there is no NUL any more")
}
