//! Other servers of the service, as reads ask them.

use std::fmt::Debug;
use std::sync::mpsc::Receiver;

use super::{EngineError, ResultRows, RoutedPull};

/// Asks other servers in the name of one client.
pub trait Peers: Debug + Send + Sync {
    /// Asks whoever has the partitions of `pull`, which is the statement `text`, for their rows. The answer is given once; an end
    /// without one means that this server stops.
    fn ask(&self, pull: RoutedPull, text: &str) -> Receiver<Result<Vec<ResultRows>, EngineError>>;
}
