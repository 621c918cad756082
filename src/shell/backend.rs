//! What executes statements for a shell.

use crate::engine::{Engine, EngineError, Response, Session};

/// Executes statements: the engine of this process, or a stand-in in tests.
pub trait Backend {
    /// Executes the statements of `text` in order up to the first that fails, see [`Engine::execute`].
    fn execute(&self, session: &mut Session, text: &str, show: &mut dyn FnMut(Response)) -> Result<(), EngineError>;

    /// Names of streams, tables and topics, for completion.
    fn names(&self) -> Vec<String>;
}

impl Backend for Engine {
    fn execute(&self, session: &mut Session, text: &str, show: &mut dyn FnMut(Response)) -> Result<(), EngineError> {
        Engine::execute(self, session, text, show)
    }

    fn names(&self) -> Vec<String> {
        Engine::names(self)
    }
}
