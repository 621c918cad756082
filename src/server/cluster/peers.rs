//! Other servers, as reads of one client ask them: each partition as the pull query that it is, in the client's name.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use axum::http::HeaderValue;
use tokio::runtime::Handle;

use super::super::Server;
use super::super::request::StatementRequest;
use super::routing::{self, Forwarded};
use crate::engine::{EngineError, Peers, ResultRows, RoutedPull};

/// The other servers, for the client of one request.
pub struct ClientPeers {
    server: Arc<Server>,
    request: StatementRequest,
    /// Who the client is, as it has said.
    authorization: Option<HeaderValue>,
    /// Where they are asked.
    handle: Handle,
}

impl ClientPeers {
    /// Those of `server`, asked from the runtime that this thread belongs to.
    pub fn new(server: &Arc<Server>, request: &StatementRequest, authorization: Option<HeaderValue>) -> Self {
        Self { server: Arc::clone(server), request: request.clone(), authorization, handle: Handle::current() }
    }
}

impl fmt::Debug for ClientPeers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientPeers").finish_non_exhaustive()
    }
}

impl Peers for ClientPeers {
    fn ask(&self, pull: RoutedPull, text: &str) -> Receiver<Result<Vec<ResultRows>, EngineError>> {
        let (sender, receiver) = sync_channel(1);
        let forwarded = Forwarded { request: self.request.with_text(text), authorization: self.authorization.clone() };
        let (server, forwarded) = (Arc::clone(&self.server), Arc::new(forwarded));
        self.handle.spawn(async move {
            let parts = routing::ask_all(&server, &pull, &forwarded).await;
            // A read that has ended does not want to know.
            let _ = sender.send(parts.map_err(EngineError::from));
        });
        receiver
    }
}
