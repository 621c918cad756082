//! Errors as clients of the registry know them: `{"error_code": 40401, "message": …}`.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::registry::Refusal;

/// What clients are told that are refused.
#[derive(Debug)]
pub(super) struct Problem {
    status: u16,
    code: u32,
    message: String,
}

/// The type of all answers, where nothing else is asked for.
pub(super) const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";

impl Problem {
    /// What goes wrong before the registry is asked: its code is the status.
    pub(super) fn http(status: u16, message: impl Into<String>) -> Self {
        Self { status, code: u32::from(status), message: message.into() }
    }

    /// A request whose body cannot be used.
    pub(super) fn unprocessable(message: impl Into<String>) -> Self {
        Self::http(422, message)
    }

    pub(super) fn response(self) -> Response {
        let body = json!({"error_code": self.code, "message": self.message}).to_string();
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE))], body).into_response()
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self { status: refusal.status(), code: refusal.code(), message: refusal.to_string() }
    }
}
