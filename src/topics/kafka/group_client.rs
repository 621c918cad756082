//! The client that asks after the offsets of groups, and sets them.
//!
//! librdkafka remembers which broker coordinates a group for as long as it is asked, right or wrong; and a client without a group of its
//! own ends the process when that broker says that it does not coordinate the group any more (2.12). So this client has a group, and
//! is made anew after a failure.

use std::sync::{Arc, Mutex};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::types::{RDKafka, RDKafkaErrorCode as Code};

use super::lock;
use super::native::NativeError;

/// Makes the client when it is needed.
pub(super) struct GroupClient {
    config: ClientConfig,
    current: Mutex<Option<Arc<BaseConsumer>>>,
}

impl GroupClient {
    /// Clients with the settings of `config`, those of a consumer with a group.
    pub(super) fn new(config: ClientConfig) -> Self {
        Self { config, current: Mutex::default() }
    }

    /// Makes one call. After a failure the next one goes to whoever coordinates the group then.
    pub(super) fn call<T>(&self, call: impl FnOnce(*mut RDKafka) -> Result<T, NativeError>) -> Result<T, NativeError> {
        let client = self.client()?;
        let answer = call(client.client().native_ptr());
        // Offsets in a transaction that is not over: the coordinator is the right one.
        if answer.as_ref().is_err_and(|error| error.code != Some(Code::UnstableOffsetCommit)) {
            let mut current = lock(&self.current);
            if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, &client)) {
                *current = None;
            }
        }
        answer
    }

    fn client(&self) -> Result<Arc<BaseConsumer>, NativeError> {
        let mut current = lock(&self.current);
        if let Some(client) = &*current {
            return Ok(Arc::clone(client));
        }
        let client: BaseConsumer = self.config.create().map_err(|error| NativeError::new(error.to_string()))?;
        Ok(Arc::clone(current.insert(Arc::new(client))))
    }
}
