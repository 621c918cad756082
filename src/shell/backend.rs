//! What executes statements for a shell.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Answer, Vocabulary};
use crate::engine::{Engine, EngineError, Session};

/// Where what there is, by name, is kept for completion.
pub type Words = Arc<Mutex<Vocabulary>>;

/// Executes statements: the engine of this process, a server elsewhere, or a stand-in in tests.
pub trait Backend {
    /// Executes the statements of `text` in order up to the first that fails. When `stopped` says so, nothing is waited for any
    /// more.
    fn execute(
        &self,
        session: &mut Session,
        text: &str,
        stopped: &dyn Fn() -> bool,
        show: &mut dyn FnMut(Answer),
    ) -> Result<(), EngineError>;

    /// Puts what there is into `words`, at once or soon.
    fn learn(&self, _words: &Words) {}

    /// The version of who executes, and where it is. When `stopped` says so, it is not waited for any more.
    fn describe(&self, _stopped: &dyn Fn() -> bool) -> Result<String, EngineError> {
        Ok(format!("Levada {}", env!("CARGO_PKG_VERSION")))
    }

    /// Queries whose state comes back at this moment.
    fn coming_back(&self) -> usize {
        0
    }

    /// The address of the server that is asked; `None` where there is none.
    fn server(&self) -> Option<String> {
        None
    }

    /// Asks the server at `url` from now on.
    fn connect(&self, _url: &str) -> Result<(), EngineError> {
        Err(EngineError::new("this shell has its engine in its own process")
            .with_hint("`levada shell --server URL` asks a server"))
    }

    /// Whether statements are sent without waiting for those before them to be carried out everywhere; changes it if asked to.
    fn pipelining(&self, _change: Option<bool>) -> bool {
        false
    }
}

impl Backend for Engine {
    fn execute(
        &self,
        session: &mut Session,
        text: &str,
        _stopped: &dyn Fn() -> bool,
        show: &mut dyn FnMut(Answer),
    ) -> Result<(), EngineError> {
        Engine::execute(self, session, text, &mut |response| show(response.into()))
    }

    fn coming_back(&self) -> usize {
        self.queries().iter().filter(|query| query.restore.is_some_and(|(done, of)| done < of)).count()
    }

    fn learn(&self, words: &Words) {
        let mut known = Vocabulary::of_catalog(&self.catalog());
        known.topics =
            self.topics(&Session::default(), false).unwrap_or_default().into_iter().map(|one| one.name).collect();
        *words.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}
