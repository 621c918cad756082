//! The thread that takes part in the agreements of the servers: has the schedule follow them, and tells and hears announcements.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::placement::Placement;
use super::schedule::Schedule;
use super::{RuntimeError, Shared, lock};
use crate::topics::{Announced, Membership};

/// How long to take part in the agreements of the servers at a time.
const PLACING: Duration = Duration::from_millis(100);

/// What the servers of the service tell each other.
#[derive(Default)]
pub(super) struct Announcements {
    /// What this one is to tell, until it is told.
    pub(super) own: Mutex<Option<Vec<u8>>>,
    /// What has come.
    pub(super) all: Mutex<Announced>,
}

/// This server's part in the agreements on where tasks run.
pub(super) struct Placing {
    pub(super) membership: Box<dyn Membership>,
    pub(super) schedule: Arc<Mutex<Schedule>>,
    pub(super) shared: Arc<Shared>,
    pub(super) announcements: Arc<Announcements>,
    pub(super) standbys: usize,
}

impl Placing {
    /// Takes part until told to stop.
    pub(super) fn run(mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            if let Err(error) = self.step() {
                tracing::error!("tasks cannot be placed, trying again: {error}");
                std::thread::park_timeout(10 * PLACING);
            }
        }
        if let Err(error) = self.tell() {
            tracing::warn!("other servers have not been told that this one goes: {error}");
        }
    }

    /// Tells what is to be told, and takes what others have told.
    fn tell(&mut self) -> Result<(), RuntimeError> {
        let word = lock(&self.announcements.own).clone();
        if let Some(word) = word {
            self.membership.announce(&word)?;
            let mut own = lock(&self.announcements.own);
            if own.as_ref() == Some(&word) {
                *own = None;
            }
        }
        let told = self.membership.announced();
        let mut all = lock(&self.announcements.all);
        if !Arc::ptr_eq(&all, told) {
            *all = Arc::clone(told);
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), RuntimeError> {
        let standbys = self.standbys;
        let propose = |previous: Option<&[u8]>, servers: &[String]| {
            let previous = previous.and_then(|bytes| Placement::from_bytes(bytes).ok());
            Placement::new(previous.as_ref(), servers, standbys).to_bytes()
        };
        if let Some(agreement) = self.membership.next(PLACING, &propose)? {
            let now = self.shared.clock.elapsed();
            lock(&self.schedule).agree(self.membership.server(), &agreement, &*self.shared.topics, now)?;
        }
        self.tell()
    }
}
