//! What the servers of one service agree by: who is there, who runs what, and which statements were made, in one order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{TopicError, Transaction};
use crate::types::RecordChunk;

/// Name of the log of the statements that the servers of a service share.
pub const COMMANDS_LOG: &str = "commands";
/// Name of the log by which the servers of a service agree who runs what, and tell each other whom to believe.
pub const PLACEMENT_LOG: &str = "placement";

/// The topic of the log `name` that the servers of `service` keep for themselves.
pub fn service_topic(service: &str, name: &str) -> String {
    format!("_confluent-ksql-{service}levada-{name}")
}

/// A server's membership in one agreement of the servers of its service. Once they have agreed anew, what is committed under the old
/// one is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    pub(super) group: String,
    pub(super) generation: i32,
    pub(super) member: String,
    pub(super) instance: Option<String>,
}

impl Fence {
    /// Number of the agreement: one more than that of the one before.
    pub fn generation(&self) -> i32 {
        self.generation
    }
}

/// What the servers of a service have agreed on.
#[derive(Debug)]
pub struct Agreement {
    /// What commits are made under.
    pub fence: Arc<Fence>,
    /// What the leader has proposed.
    pub proposal: Vec<u8>,
}

/// Makes the proposal of the leader: from the last one that was agreed on, if there is one, and the servers there are.
pub type Propose<'a> = &'a dyn Fn(Option<&[u8]>, &[String]) -> Vec<u8>;

/// A server's part in the group of the servers of its service.
pub trait Membership: Send {
    /// What tells this server from the others, the same whenever its data directory is opened.
    fn server(&self) -> &str;

    /// Takes part for about `timeout`; returns a new agreement when there is one.
    fn next(&mut self, timeout: Duration, propose: Propose<'_>) -> Result<Option<Agreement>, TopicError>;

    /// Tells `word` to all servers, those to come too, in place of what this one has told before.
    fn announce(&mut self, word: &[u8]) -> Result<(), TopicError>;

    /// What servers have told last, by their identities, as far as it has arrived; those that are gone among them.
    fn announced(&self) -> &Announced;
}

/// What servers have told, by their identities.
pub type Announced = Arc<BTreeMap<String, Arc<[u8]>>>;

/// A log that all servers of a service append to, one at a time.
pub trait SharedLog: Send {
    /// Whether there are records that were not read, as far as is known.
    fn has_more(&self) -> Result<bool, TopicError>;

    /// All records since the last call, to where the log ends now.
    fn read(&mut self) -> Result<Vec<RecordChunk>, TopicError>;

    /// Makes this server the only one that may append, until another takes over. True if it was not: what others have
    /// appended is to be read first.
    fn take_over(&mut self) -> Result<bool, TopicError>;

    /// Appends a record together with what `transaction` holds.
    ///
    /// # Errors
    /// [`TopicError::Fenced`] when another server has taken over; nothing holds then. After any other error that is open.
    fn append(&mut self, key: &[u8], value: &[u8], transaction: Transaction) -> Result<(), TopicError>;
}
