//! What every request passes: pages of other origins, and who asks.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::Server;
use super::problem::{Code, Problem};
use super::security::{Moment, Principal};
use crate::http::{SendingHalf, forget, in_time};
use crate::metrics::Metric;

/// Lets requests through that may be answered.
pub async fn guard(State(server): State<Arc<Server>>, mut request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    if request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
        return server.origins.allow(origin.as_ref(), StatusCode::NO_CONTENT.into_response());
    }
    let begun = server.engine.elapsed();
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let response = match server.admit(&mut request).await {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            forget(request).await;
            problem.into_response()
        }
    };
    server.count(&route, response.status(), server.engine.elapsed().saturating_sub(begun));
    let mut response = server.origins.allow(origin.as_ref(), response);
    if response.status() == StatusCode::UNAUTHORIZED {
        server.security.challenge(response.headers_mut());
    }
    response
}

/// Requests that were answered.
const REQUESTS: Metric =
    Metric::counter("levada_http_requests_total", "Requests that were answered, by endpoint and status.");
/// How long they took.
const SECONDS: Metric =
    Metric::histogram("levada_http_request_seconds", "Time until an answer began, in seconds, by endpoint.");
/// Upper ends of the classes of times, in seconds.
const BOUNDS: [f64; 8] = [0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

impl Server {
    fn count(&self, route: &str, status: StatusCode, time: Duration) {
        let registry = self.engine.metrics_registry();
        registry.counter(&REQUESTS, &[("path", route), ("status", status.as_str())]).increment();
        registry.histogram(&SECONDS, &[("path", route)], &BOUNDS).observe(time.as_secs_f64());
    }

    /// Notes who asks, if he may ask at all.
    async fn admit(&self, request: &mut Request) -> Result<(), Problem> {
        let now = Moment { elapsed: self.engine.elapsed(), now_ms: self.engine.now_ms() };
        let path = request.uri().path();
        let token = request.uri().query().filter(|_| path == "/ws/query").and_then(|query| {
            let token = query.split('&').find_map(|one| one.strip_prefix("access_token="))?;
            Some(percent_encoding::percent_decode_str(token).decode_utf8_lossy().into_owned())
        });
        let is_told = matches!(path, "/heartbeat" | "/lag") && self.cluster.is_server(request.headers());
        let principal = if is_told {
            Principal::Anybody
        } else {
            self.security.principal(path, request.headers(), token.as_deref(), now).await?
        };
        if self.terminated.load(Ordering::Acquire) && !path.starts_with("/chc/") && path != "/info" {
            return Err(Problem::new(Code::TERMINATED, "the service was ended for good by /ksql/terminate"));
        }
        request.extensions_mut().insert(principal);
        Ok(())
    }
}

/// Whose pages may ask (`access.control.*`).
#[derive(Debug, Default)]
pub struct Origins {
    allowed: Vec<String>,
    methods: Option<HeaderValue>,
    headers: Option<HeaderValue>,
}

impl Origins {
    /// What `property` says, by name.
    pub fn new(property: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| property(name).filter(|value| !value.trim().is_empty());
        let value = |name: &str| get(name).and_then(|value| HeaderValue::from_str(value.trim()).ok());
        let origins = get("access.control.allow.origin").unwrap_or_default();
        Self {
            allowed: origins.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect(),
            methods: value("access.control.allow.methods"),
            headers: value("access.control.allow.headers"),
        }
    }

    /// `response` as pages of `origin` may read it.
    fn allow(&self, origin: Option<&HeaderValue>, mut response: Response) -> Response {
        let Some(origin) = origin else { return response };
        let is_allowed = self.allowed.iter().any(|allowed| allowed == "*" || allowed.as_bytes() == origin.as_bytes());
        if is_allowed {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(header::VARY, HeaderValue::from_static("origin"));
            let methods = self.methods.clone().unwrap_or(HeaderValue::from_static("GET, POST, HEAD"));
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            let known = HeaderValue::from_static("X-Requested-With, Content-Type, Accept, Origin, Authorization");
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone().unwrap_or(known));
        }
        response
    }
}

/// The body of a request, whatever its content type says.
pub struct Content(pub Bytes);

impl FromRequest<Arc<Server>> for Content {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, server: &Arc<Server>) -> Result<Self, Problem> {
        let sending = request.extensions().get::<SendingHalf>().cloned();
        let read = in_time(Bytes::from_request(request, server)).await;
        if let (Some(sending), Some(Ok(_))) = (sending, &read) {
            sending.asked();
        }
        match read {
            None => Err(Problem::new(Code::TOO_SLOW, "the body of the request did not come in time")),
            Some(Err(refused)) if refused.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Problem::new(Code::TOO_LARGE, "the body of the request is too large"))
            }
            Some(Err(refused)) => Err(Problem::bad_request(refused.body_text())),
            Some(Ok(bytes)) => Ok(Self(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn property<'a>(entries: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| entries.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn pages_of_allowed_origins_may_read_answers() {
        let allowed = |setting: &str, origin: &str| {
            let origins = Origins::new(property(&[("access.control.allow.origin", setting)]));
            let origin = HeaderValue::from_str(origin).expect("an origin");
            let response = origins.allow(Some(&origin), StatusCode::OK.into_response());
            response.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN) == Some(&origin)
        };
        assert!(allowed("*", "http://a") && allowed("http://b, http://a", "http://a"));
        assert!(!allowed("", "http://a") && !allowed("http://b", "http://a"));
    }
}
