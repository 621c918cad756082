//! The servers of a service, as they know of each other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Engine, PushEnd};
use crate::runtime::{QueryShare, StoreLag};
use crate::topics::Announced;

/// How far a server is with what it has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerState {
    /// The servers have not agreed which tasks it runs.
    Joining,
    /// So many of its tasks have not their state yet.
    Restoring(usize),
    /// All of its tasks have their state.
    Complete,
}

impl Engine {
    /// What tells this server from the others of its service; `None` where there are no others.
    pub fn server_id(&self) -> Option<&str> {
        self.inner.shared.runtime.server()
    }

    /// How long this server has been there.
    pub fn running_for(&self) -> Duration {
        self.inner.shared.clock.elapsed()
    }

    /// How far this server is.
    pub fn server_state(&self) -> ServerState {
        match self.inner.shared.runtime.restoring() {
            None => ServerState::Joining,
            Some(0) => ServerState::Complete,
            Some(tasks) => ServerState::Restoring(tasks),
        }
    }

    /// The servers that have agreed who does what, by their identities.
    pub fn servers(&self) -> Vec<String> {
        self.inner.shared.runtime.servers()
    }

    /// What each server has of each query, by the servers' identities. One that is alone is called "".
    pub fn shares(&self) -> BTreeMap<String, BTreeMap<Arc<str>, QueryShare>> {
        self.inner.shared.runtime.shares()
    }

    /// How far the stores are that this server has. Asks the cluster.
    pub fn store_lags(&self) -> Vec<StoreLag> {
        self.inner.shared.runtime.store_lags()
    }

    /// Ends the push queries of this server, which fail for `reason`.
    pub fn end_pushes(&self, reason: &str) {
        for push in self.inner.shared.pushes.running() {
            push.queue.end(PushEnd::Failed(reason.to_owned()));
        }
    }

    /// Tells `word` to the other servers, those to come too. It arrives a little later.
    pub fn announce(&self, word: Vec<u8>) {
        self.inner.shared.runtime.announce(word);
    }

    /// Whether what was told last is on its way to the others.
    pub fn is_announced(&self) -> bool {
        self.inner.shared.runtime.is_announced()
    }

    /// What servers have told, by their identities.
    pub fn announced(&self) -> Announced {
        self.inner.shared.runtime.announced()
    }
}
