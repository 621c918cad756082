//! What a shell shows: what the engine answers, or what a server has answered.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::engine::{EngineError, Listing, Response};

/// What a statement answers, for a shell to show.
#[derive(Debug)]
pub enum Answer {
    /// As the engine has it.
    Response(Response),
    /// Records of a topic as another server prints them.
    Printed(PrintedLines),
}

impl Answer {
    /// One line.
    pub fn message(text: impl Into<String>) -> Self {
        Self::Response(Response::Message(text.into()))
    }

    /// Titled tables of texts.
    pub fn listing(listings: Vec<Listing>) -> Self {
        Self::Response(Response::Listing(listings))
    }
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}

/// Lines of PRINT as they come; dropping them ends it.
#[derive(Debug)]
pub struct PrintedLines {
    lines: Receiver<Result<String, EngineError>>,
    /// Whether only records that come from now on are printed.
    pub only_new: bool,
}

/// What came next of a topic that is printed elsewhere.
#[derive(Debug)]
pub enum LineEvent {
    /// A line.
    Line(String),
    /// Nothing within the time given.
    Idle,
    /// That was all.
    End,
}

impl PrintedLines {
    /// The lines that arrive at `lines`.
    pub fn new(lines: Receiver<Result<String, EngineError>>, only_new: bool) -> Self {
        Self { lines, only_new }
    }

    /// What comes next, waiting at most `timeout`.
    pub fn next(&self, timeout: Duration) -> Result<LineEvent, EngineError> {
        match self.lines.recv_timeout(timeout) {
            Ok(line) => line.map(LineEvent::Line),
            Err(RecvTimeoutError::Timeout) => Ok(LineEvent::Idle),
            Err(RecvTimeoutError::Disconnected) => Ok(LineEvent::End),
        }
    }
}
