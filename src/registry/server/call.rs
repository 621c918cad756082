//! A request, read; and its answer, written.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Path, Query, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value};

use super::problem::{CONTENT_TYPE, Problem};
use crate::http::in_time;
use crate::registry::{EmbeddedRegistry, Refusal, VersionId};

/// A request.
pub(super) struct Call {
    registry: Arc<EmbeddedRegistry>,
    /// What the path holds in the places that the route has names for.
    path: HashMap<String, String>,
    query: HashMap<String, String>,
    body: Bytes,
    headers: HeaderMap,
}

/// What answers a call.
pub(super) type Endpoint = fn(&EmbeddedRegistry, &Call) -> Result<Answer, Problem>;

/// An answer.
pub(super) enum Answer {
    Json(Value),
    /// A schema as it is written.
    Text(String),
}

impl Answer {
    #[expect(clippy::unnecessary_wraps, reason = "most endpoints end with it")]
    pub(super) fn json(value: Value) -> Result<Self, Problem> {
        Ok(Self::Json(value))
    }
}

/// Types of bodies that are read.
const BODY_TYPES: [&str; 5] =
    [CONTENT_TYPE, "application/vnd.schemaregistry+json", "application/json", "application/octet-stream", "text/json"];

impl FromRequest<Arc<EmbeddedRegistry>> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, registry: &Arc<EmbeddedRegistry>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let refused = |text: String| Problem::http(400, text).response();
        let path = Path::<HashMap<String, String>>::from_request_parts(&mut parts, registry).await;
        let Path(path) = path.map_err(|error| refused(error.body_text()))?;
        let query = Query::<HashMap<String, String>>::from_request_parts(&mut parts, registry).await;
        let Query(query) = query.map_err(|error| refused(error.body_text()))?;
        let headers = parts.headers.clone();
        let body = in_time(Bytes::from_request(Request::from_parts(parts, body), registry)).await;
        let body = body.ok_or_else(|| Problem::http(408, "the body of the request did not come in time").response())?;
        let body = body.map_err(|error| Problem::http(error.status().as_u16(), error.body_text()).response())?;
        Ok(Self { registry: Arc::clone(registry), path, query, body, headers })
    }
}

impl Call {
    /// Answers on a thread that may wait.
    pub(super) async fn answered_by(self, endpoint: Endpoint) -> Response {
        let accepted = self.accepted();
        let answer = tokio::task::spawn_blocking(move || endpoint(&self.registry, &self)).await;
        match answer {
            Ok(Ok(answer)) => answer.response(accepted),
            Ok(Err(problem)) => problem.response(),
            Err(failure) => {
                tracing::error!("a request to the schema registry has failed: {failure}");
                Problem::http(500, "the request has failed; the log of the registry says why").response()
            }
        }
    }

    /// The type of the answer.
    fn accepted(&self) -> &'static str {
        let accepts = self.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
        let is_plain = accepts.contains("application/json") && !accepts.contains("application/vnd.schemaregistry");
        if is_plain { "application/json" } else { CONTENT_TYPE }
    }

    /// The subject in the path, where it has one.
    pub(super) fn subject(&self) -> Option<&str> {
        self.path.get("subject").map(String::as_str)
    }

    /// The subject of a path that has one.
    pub(super) fn the_subject(&self) -> &str {
        self.subject().unwrap_or_default()
    }

    /// The version in the path.
    pub(super) fn version(&self) -> Result<VersionId, Problem> {
        let text = self.path.get("version").map(String::as_str).unwrap_or_default();
        match (text, text.parse::<u32>()) {
            ("latest" | "-1", _) => Ok(VersionId::Latest),
            (_, Ok(number @ 1..=0x7fff_ffff)) => Ok(VersionId::Number(number)),
            _ => Err(Refusal::InvalidVersion(text.to_owned()).into()),
        }
    }

    /// The id in the path.
    pub(super) fn id(&self) -> Result<u32, Problem> {
        let text = self.path.get("id").map(String::as_str).unwrap_or_default();
        text.parse().map_err(|_| Problem::http(404, "HTTP 404 Not Found"))
    }

    /// A parameter behind the `?`.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// Whether a parameter is `true`.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.parameter(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// What of `all` the parameters `offset` and `limit` ask for.
    pub(super) fn page<T>(&self, all: Vec<T>) -> Vec<T> {
        let number = |name: &str| self.parameter(name).and_then(|value| value.parse::<i64>().ok());
        let offset = number("offset").map_or(0, |offset| usize::try_from(offset).unwrap_or(0));
        let limit = number("limit").map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        all.into_iter().skip(offset).take(limit).collect()
    }

    /// The body, an object.
    pub(super) fn body(&self) -> Result<Map<String, Value>, Problem> {
        let content_type = self.headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
        let content_type = content_type.map(|value| value.split(';').next().unwrap_or(value).trim());
        if content_type.is_some_and(|found| !BODY_TYPES.iter().any(|known| known.eq_ignore_ascii_case(found))) {
            return Err(Problem::http(415, "HTTP 415 Unsupported Media Type"));
        }
        if self.body.is_empty() {
            return Err(Problem::unprocessable("the request has no body"));
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(members)) => Ok(members),
            Ok(_) => Err(Problem::http(400, "the body is no JSON object")),
            Err(error) => Err(Problem::http(400, format!("the body is not JSON: {error}"))),
        }
    }
}

impl Answer {
    fn response(self, content_type: &'static str) -> Response {
        let body = match self {
            Self::Json(value) => value.to_string(),
            Self::Text(text) => text,
        };
        ([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], body).into_response()
    }
}
