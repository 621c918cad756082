//! Why a command ended early, and the exit code for it.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::engine::EngineError;
use crate::shell::Palette;

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The person must be told.
    #[error("{message}")]
    Message {
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The command line asks for what cannot be: exit code 2, as for one that cannot be read.
    #[error("{0}")]
    Usage(String),
    /// The person has been told already.
    #[error("failed")]
    Shown,
    /// The reader of our output has gone (`| head -1`): nothing is wrong, there is only nothing left to do.
    #[error("the reader of the output has gone")]
    ClosedPipe,
}

impl Failure {
    /// A failure that says `message`.
    pub fn new(message: impl Into<String>) -> Self {
        Self::Message { message: message.into(), hint: None }
    }

    /// The same failure with advice.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        match self {
            Self::Message { message, .. } => Self::Message { message, hint: Some(hint.into()) },
            other => other,
        }
    }

    /// Says on standard error what is left to say, and that is all.
    pub fn tell(&self) {
        match self {
            Self::Message { message, hint } => tell(message, hint.as_deref()),
            Self::Usage(message) => tell(message, None),
            Self::Shown | Self::ClosedPipe => {}
        }
    }

    /// Says on standard error what is left to say; gives the exit code of the process.
    pub fn report(self) -> ExitCode {
        self.tell();
        match self {
            Self::ClosedPipe => ExitCode::SUCCESS,
            Self::Usage(_) => ExitCode::from(EXIT_USAGE),
            Self::Shown | Self::Message { .. } => ExitCode::FAILURE,
        }
    }
}

/// Exit code for a command line that cannot be obeyed.
const EXIT_USAGE: u8 = 2;

fn tell(message: &str, hint: Option<&str>) {
    let palette = Palette::of(&io::stderr());
    let mut err = io::stderr().lock();
    // With standard error closed too there is nobody left to tell.
    let _ = writeln!(err, "{}: {message}", palette.bad("error"));
    if let Some(hint) = hint {
        let _ = writeln!(err, "{}: {hint}", palette.strong("hint"));
    }
}

/// Errors of writing output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::new(format!("cannot write output: {error}")),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::Message { message: error.message, hint: error.hint }
    }
}
