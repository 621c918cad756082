//! What executes statements for a shell.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Answer, LiveLines, Vocabulary};
use crate::engine::{Engine, EngineError, ServerState, Session};

/// How often it is tried whether rows have come.
const TRYING: Duration = Duration::from_millis(50);
/// How long the servers of a service may take to agree, and, when this one begins, to give up one that has gone.
const AGREEING: Duration = Duration::from_secs(10);

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
        stopped: &dyn Fn() -> bool,
        show: &mut dyn FnMut(Answer),
    ) -> Result<(), EngineError> {
        let mut rows = ComingRows::new(self);
        loop {
            match Engine::execute(self, session, text, &mut |response| show(response.into())) {
                // Nothing was answered yet.
                Err(error) if error.code == Some(EngineError::NOT_HERE) && rows.may_come(stopped) => {}
                executed => return executed,
            }
        }
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

/// Rows of a cluster that this process has not when it has just begun: the servers agree who has which, and state comes back.
struct ComingRows<'a> {
    engine: &'a Engine,
    /// Since when what is waited for takes a known time.
    since: Instant,
    lines: LiveLines,
}

impl<'a> ComingRows<'a> {
    #[expect(clippy::disallowed_methods, reason = "a person waits, not the engine")]
    fn new(engine: &'a Engine) -> Self {
        Self { engine, since: Instant::now(), lines: LiveLines::default() }
    }

    /// Waits a little; whether it is worth trying again.
    #[expect(clippy::disallowed_methods, reason = "a person waits, not the engine")]
    fn may_come(&mut self, stopped: &dyn Fn() -> bool) -> bool {
        let text = match self.engine.server_state() {
            ServerState::Restoring(tasks) => {
                self.since = Instant::now();
                format!("waiting for the state of tasks to come back: {tasks} left")
            }
            ServerState::Joining => "waiting for the servers to agree who has which rows".to_owned(),
            // Later the other one is there, and has to be asked.
            ServerState::Complete if self.engine.running_for() > AGREEING => return false,
            ServerState::Complete => "waiting for rows that another server has".to_owned(),
        };
        if stopped() || self.since.elapsed() > AGREEING {
            return false;
        }
        self.lines.show(&text);
        std::thread::park_timeout(TRYING);
        true
    }
}
