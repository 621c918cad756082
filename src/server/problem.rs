//! What is answered when a request cannot be: a code, a text for a person, and where the statement is wrong.
//!
//! Codes, members and statuses are ksqlDB's, with `hint`, `line` and `column` beside them.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::engine::EngineError;
use crate::sql::{ParseError, masked};

/// A code of an error; its first three digits are the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(pub u32);

impl Code {
    /// The request is not understood.
    pub const BAD_REQUEST: Self = Self(40000);
    /// A statement is wrong.
    pub const BAD_STATEMENT: Self = Self(40001);
    /// A query was sent where statements are taken.
    pub const QUERY_ENDPOINT: Self = Self(40002);
    /// The endpoint needs HTTP/2.
    pub const HTTP2_ONLY: Self = Self(40004);
    /// The endpoint is for other servers, at a listener of its own.
    pub const INTERNAL_ONLY: Self = Self(40005);
    /// Who asks is not known.
    pub const UNAUTHORIZED: Self = Self(40100);
    /// Who asks may not do this.
    pub const FORBIDDEN: Self = Self(40300);
    /// There is no such thing.
    pub const NOT_FOUND: Self = Self(40400);
    /// The endpoint is there, for another method.
    pub const METHOD_NOT_ALLOWED: Self = Self(40500);
    /// There is no answer of the type that is asked for.
    pub const NOT_ACCEPTABLE: Self = Self(40600);
    /// What is sent does not come in time.
    pub const TOO_SLOW: Self = Self(40800);
    /// What is sent is larger than it may be.
    pub const TOO_LARGE: Self = Self(41300);
    /// An ASSERT has failed.
    pub const ASSERT_FAILED: Self = Self(41700);
    /// Too many requests at once.
    pub const TOO_MANY_REQUESTS: Self = Self(42900);
    /// The server has failed.
    pub const SERVER_ERROR: Self = Self(50000);
    /// A command did not arrive in time.
    pub const NOT_CAUGHT_UP: Self = Self(50301);
    /// The server is not ready yet.
    pub const NOT_READY: Self = Self(50302);
    /// The server was told to end for good.
    pub const TERMINATED: Self = Self(50304);
}

/// Why a request is refused or has failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What kind of error it is.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in the text of the request: line and column, from 1.
    pub position: Option<(usize, usize)>,
    /// The statement that is wrong, with what those before it have answered.
    pub statement: Option<Box<(String, Vec<Value>)>>,
}

impl Problem {
    /// A problem that is no statement's.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message, hint: None, position: None, statement: None }
    }

    /// The request is not understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Code::BAD_REQUEST, message)
    }

    /// What is wrong with the statement `text`, of which `entities` are what those before it have answered. Passwords in it are not told.
    pub fn of_statement(error: EngineError, text: &str, entities: Vec<Value>) -> Self {
        Self { statement: Some(Box::new((masked(text).into_owned(), entities))), ..Self::from(error) }
    }

    /// Why `script` is none. Its words are quoted after the message, as ksqlDB does.
    pub fn of_syntax(error: ParseError, script: &str) -> Self {
        let error = error.masked(script);
        let text = error.statement.clone();
        let mut problem = Self::of_statement(error.into(), &text, Vec::new());
        problem.message.push_str("\nStatement: ");
        problem.message.push_str(&text);
        problem
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16((self.code.0 / 100) as u16).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The body of the answer. Some clients read `stackTrace` without asking whether it is there.
    pub fn body(&self) -> Value {
        let mut body = json!({
            "@type": if self.statement.is_some() { "statement_error" } else { "generic_error" },
            "error_code": self.code.0,
            "message": self.message,
            "stackTrace": [],
        });
        if let Some((text, entities)) = self.statement.as_deref() {
            body["statementText"] = text.as_str().into();
            body["entities"] = entities.clone().into();
        }
        if let Some(hint) = &self.hint {
            body["hint"] = hint.as_str().into();
        }
        if let Some((line, column)) = self.position {
            body["line"] = line.into();
            body["column"] = column.into();
        }
        body
    }
}

impl From<Problem> for EngineError {
    fn from(problem: Problem) -> Self {
        let Problem { code, message, hint, position, .. } = problem;
        Self { message, position, hint, code: Some(code.0) }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let EngineError { message, position, hint, code } = error;
        Self { hint, position, ..Self::new(code.map_or(Code::BAD_STATEMENT, Code), message) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = Response::new(Body::from(self.body().to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        if self.code == Code::NOT_READY {
            headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("10"));
        }
        response
    }
}
