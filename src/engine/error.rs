//! What goes wrong with a statement, for a person.

use crate::plan::{NO_REGISTRY, PlanError};
use crate::runtime::RuntimeError;
use crate::sql::{ParseError, Span};
use crate::topics::TopicError;

/// What went wrong, for a person.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct EngineError {
    /// What is wrong.
    pub message: String,
    /// Where in the text that was executed: line and column, from 1.
    pub position: Option<(usize, usize)>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The number that ksqlDB's HTTP interface has for it, if it is a particular one.
    pub code: Option<u32>,
}

impl EngineError {
    /// The code of one push query too many.
    pub const PUSH_QUERIES_MAX: u32 = 40003;
    /// The code of rows that this server has not, or not yet.
    pub const NOT_HERE: u32 = 50302;
    /// The code of a query that has taken too long.
    pub const TOO_LATE: u32 = 50305;
    /// The code of what needs a schema registry where there is none.
    pub const NO_REGISTRY: u32 = 42801;

    /// An error without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), position: None, hint: None, code: None }
    }

    /// The error as the one that HTTP clients know by `code`.
    #[must_use]
    pub fn with_code(self, code: u32) -> Self {
        Self { code: Some(code), ..self }
    }

    /// The error as one of the statement that begins at `span`, unless it has a place already.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.position = self.position.or(Some((span.line as usize, span.column as usize)));
        self
    }

    /// The error with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// An error of what the engine stands on.
    pub fn environment(error: impl std::fmt::Display) -> Self {
        Self::new(error.to_string())
    }
}

impl From<ParseError> for EngineError {
    fn from(error: ParseError) -> Self {
        Self {
            message: error.to_string(),
            position: Some((error.line() as usize, error.column() as usize)),
            hint: error.help(),
            code: None,
        }
    }
}

impl From<TopicError> for EngineError {
    fn from(error: TopicError) -> Self {
        Self::environment(error)
    }
}

impl From<RuntimeError> for EngineError {
    fn from(error: RuntimeError) -> Self {
        Self::environment(error)
    }
}

impl From<PlanError> for EngineError {
    fn from(error: PlanError) -> Self {
        let read = error.span().filter(|span| span.line > 0);
        let position = read.map(|span| (span.line as usize, span.column as usize));
        let message = error.to_string();
        let code = (message == NO_REGISTRY).then_some(Self::NO_REGISTRY);
        Self { message, position, hint: error.hint(), code }
    }
}
