//! The HTTP server: ksqlDB's API in front of the engine (ksqldb-surface 6).
//!
//! ```text
//!            /ksql ─▶ statements ─▶ entity ──┐
//!           /query ─┐                        ├─▶ engine
//!    /query-stream ─┼─▶ query ─▶ rows ───────┤
//!        /ws/query ─┘                        │
//!  /inserts-stream ─▶ inserts ───────────────┘
//!            /info, /healthcheck, /status … ─▶ info
//! ```
//!
//! Endpoints translate and do nothing else. HTTP/1.1 and HTTP/2 are spoken on the same port, the latter with prior knowledge.
//! Bodies are read as JSON whatever their content type, since several clients send none.

mod entity;
mod guard;
mod info;
mod inserts;
mod problem;
mod query;
mod request;
mod rows;
mod security;
mod statements;
mod status;
mod terminate;
mod websocket;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::Value;

use crate::engine::Engine;
use crate::http::{HttpServer, Limits, Listen, ServerOptions, TlsError, tls_acceptor};
use guard::{Content, Origins, PullLimits};
use problem::{Code, Problem};
use request::{RowForm, StatementRequest, accepted_json};
use rows::Framing;
use security::{Principal, Right, Security};
use status::Statuses;

/// What all endpoints share.
pub struct Server {
    engine: Arc<Engine>,
    /// Address under which this server is known: `localhost:8088`.
    host: String,
    statuses: Statuses,
    numbers: AtomicU64,
    /// How often a push query without rows sends something.
    keep_alive: Duration,
    /// How long a request waits for the command that it names.
    command_timeout: Duration,
    /// How long a web socket may be open.
    websocket_timeout: Duration,
    /// Set when the service was told to end for good.
    terminated: AtomicBool,
    security: Security,
    origins: Origins,
    pull_limits: Arc<PullLimits>,
}

/// No request of people is larger.
const BODY_BYTES_MAX: usize = 32 << 20;
/// As in ksqlDB.
const KEEP_ALIVE: Duration = Duration::from_secs(1);
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);
const WEBSOCKET_TIMEOUT: Duration = Duration::from_hours(1);
/// How often is looked whether a command was carried out.
const LOOK: Duration = Duration::from_millis(10);

// Requests are parsed and planned on the threads of the server: as deep as anywhere.
const _: () = assert!(crate::http::STACK_BYTES >= crate::types::STACK_BYTES);

/// Connections of an API server: a push query has one each.
const CONNECTIONS_MAX: usize = 16_384;
/// Requests that are worked on at the same time.
const WORK_THREADS: usize = 32;

/// Why a server cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A property is wrong.
    #[error("{0}")]
    Setting(String),
    /// Its certificates are.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// It cannot listen.
    #[error("cannot listen at {0}: {1}")]
    Listen(SocketAddr, io::Error),
}

impl Server {
    /// Serves `engine` at `listen`, as the engine's properties say. With `file`, which says all that runs, nobody changes that.
    pub fn start(engine: &Arc<Engine>, listen: Listen, file: Option<&str>) -> Result<HttpServer, ServerError> {
        let host = format!("{}:{}", listen.address.ip(), listen.address.port());
        let tls = if listen.has_tls { Some(tls_acceptor(&engine.properties())?) } else { None };
        let limits = Limits { connections: CONNECTIONS_MAX, ..Limits::default() };
        let app = Self::router(engine, host, file).map_err(ServerError::Setting)?;
        let options = ServerOptions { tls, limits, work_threads: WORK_THREADS };
        HttpServer::start_with("http-api", listen.address, app, options)
            .map_err(|error| ServerError::Listen(listen.address, error))
    }

    /// The endpoints in front of `engine`, on a server that is known as `host`.
    fn router(engine: &Arc<Engine>, host: String, file: Option<&str>) -> Result<Router, String> {
        let property = |name: &str| engine.property(name);
        let number = |name: &str| property(name).and_then(|value| value.trim().parse().ok());
        let milliseconds = |name: &str, default| number(name).map_or(default, Duration::from_millis);
        let server = Arc::new(Self {
            keep_alive: milliseconds("query.stream.disconnect.check", KEEP_ALIVE),
            command_timeout: milliseconds("ksql.server.command.response.timeout.ms", COMMAND_TIMEOUT),
            websocket_timeout: milliseconds("ksql.websocket.connection.max.timeout.ms", WEBSOCKET_TIMEOUT),
            terminated: AtomicBool::new(false),
            security: Security::new(property)?.headless(file),
            origins: Origins::new(property),
            pull_limits: Arc::new(PullLimits::new(property)),
            engine: Arc::clone(engine),
            host,
            statuses: Statuses::default(),
            numbers: AtomicU64::default(),
        });
        Ok(Router::new()
            .route("/", get(|| async { Redirect::temporary("/info") }))
            .route("/ksql", post(statements_endpoint))
            .route("/query", post(query_endpoint))
            .route("/query-stream", post(query_stream_endpoint))
            .route("/inserts-stream", post(inserts::endpoint))
            .route("/close-query", post(close_query_endpoint))
            .route("/ksql/terminate", post(terminate::endpoint))
            .route("/ws/query", get(websocket::endpoint))
            .merge(info::routes())
            .fallback(|| async { Problem::new(Code::NOT_FOUND, "Not Found").into_response() })
            .method_not_allowed_fallback(|| async { Problem::new(Code(40500), "Method Not Allowed").into_response() })
            .layer(middleware::from_fn_with_state(Arc::clone(&server), guard::guard))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(server))
    }

    /// Waits until the command `number` was carried out here, if one is named.
    fn await_command(&self, number: Option<i64>) -> Result<(), Problem> {
        let Some(number) = number.and_then(|number| u64::try_from(number).ok()) else { return Ok(()) };
        let since = self.engine.elapsed();
        while self.engine.next_command() <= number {
            if self.engine.elapsed().saturating_sub(since) >= self.command_timeout {
                let text = format!("command {number} has not arrived at this server within {:?}", self.command_timeout);
                return Err(Problem::new(Code::NOT_CAUGHT_UP, text));
            }
            std::thread::park_timeout(LOOK);
        }
        Ok(())
    }

    /// A number that no other query has.
    fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}

/// Runs `work` on a thread that may wait.
async fn working<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|failure| {
        tracing::error!("a request has failed: {failure}");
        Problem::new(Code::SERVER_ERROR, "the request has failed; the log of the server says why")
    })
}

/// An answer in JSON.
fn json_answer(content_type: &'static str, body: &Value) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], body.to_string()).into_response()
}

type Endpoint = Result<Response, Problem>;

/// Who asks, and where: what endpoints with statements begin with.
type Asked = (State<Arc<Server>>, Extension<Principal>, HeaderMap);

async fn statements_endpoint((State(server), Extension(who), headers): Asked, Content(body): Content) -> Endpoint {
    let content_type = accepted_json(&headers)?;
    let request = StatementRequest::read(&body)?;
    let entities = working(move || statements::execute(&server, &who, &request)).await??;
    Ok(json_answer(content_type, &Value::Array(entities)))
}

async fn query_endpoint((State(server), Extension(who), headers): Asked, Content(body): Content) -> Endpoint {
    let content_type = accepted_json(&headers)?;
    answer_query(&server, who, &body, Framing::Query, content_type).await
}

async fn query_stream_endpoint((State(server), Extension(who), headers): Asked, Content(body): Content) -> Endpoint {
    let form = RowForm::accepted(&headers, RowForm::Delimited)?;
    let framing = match form {
        RowForm::Delimited => Framing::Lines,
        RowForm::Json => Framing::Array,
        RowForm::Protobuf => Framing::Messages,
    };
    answer_query(&server, who, &body, framing, form.content_type()).await
}

async fn answer_query(
    server: &Arc<Server>,
    who: Principal,
    body: &[u8],
    framing: Framing,
    content_type: &'static str,
) -> Endpoint {
    let request = StatementRequest::read(body)?;
    let asked = Arc::clone(server);
    let answered = working(move || query::ask(&asked, &who, &request)).await??;
    Ok(query::respond(server, answered, framing, content_type))
}

async fn close_query_endpoint((State(server), Extension(who), _): Asked, Content(body): Content) -> Endpoint {
    server.security.check(&who, Right::Read)?;
    let members: Value = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad_request(format!("the request is not understood: {error}")))?;
    let Some(id) = members.get("queryId").and_then(Value::as_str).map(ToOwned::to_owned) else {
        return Err(Problem::bad_request("the request names no query: say it as \"queryId\""));
    };
    let known = id.clone();
    if working(move || server.engine.close_push(&known)).await? {
        return Ok(StatusCode::OK.into_response());
    }
    Err(Problem::bad_request(format!("No query with id {id}")))
}
