//! The HTTP server: ksqlDB's API in front of the engine (ksqldb-surface 6).
//!
//! ```text
//!            /ksql ─▶ statements ─▶ entity ──┐
//!           /query ─┐                        ├─▶ engine
//!    /query-stream ─┼─▶ query ─▶ rows ───────┤
//!        /ws/query ─┘                        │
//!  /inserts-stream ─▶ inserts ───────────────┘
//!            /info, /healthcheck, /status … ─▶ info
//!     /clusterStatus, /heartbeat, /lag ─────▶ cluster ─▶ other servers
//! ```
//!
//! Endpoints translate and do nothing else. HTTP/1.1 and HTTP/2 are spoken on the same port, the latter with prior knowledge.
//! Bodies are read as JSON whatever their content type, since several clients send none.

mod api;
mod cluster;
mod entity;
mod guard;
mod info;
mod inserts;
mod limits;
mod problem;
mod query;
mod request;
mod rows;
mod security;
mod statements;
mod status;
mod terminate;
mod websocket;

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

use crate::engine::{Engine, Session};
use cluster::Cluster;
use guard::{Content, Origins};
use limits::{COMMANDS_PER_SECOND, PullLimits, Rate};
use problem::{Code, Problem};
use request::{RowForm, StatementRequest, accepted_json};
use rows::Framing;
use security::{Principal, Right, Security};
use status::Statuses;

pub use api::{ApiServer, ServerError};

/// What all endpoints share.
struct Server {
    engine: Arc<Engine>,
    /// The other servers of the service.
    cluster: Cluster,
    /// Its queries have had all their state.
    was_complete: AtomicBool,
    /// It is about to stop.
    stops: AtomicBool,
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
    /// Statements that change something.
    commands: Rate,
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

impl Server {
    /// What answers for `engine`, as its properties say. With `file`, which says all that runs, nobody changes that.
    fn new(engine: &Arc<Engine>, file: Option<&str>) -> Result<Self, ServerError> {
        let property = |name: &str| engine.property(name);
        let number = |name: &str| property(name).and_then(|value| value.trim().parse().ok());
        let milliseconds = |name: &str, default| number(name).map_or(default, Duration::from_millis);
        Ok(Self {
            keep_alive: milliseconds("query.stream.disconnect.check", KEEP_ALIVE),
            command_timeout: milliseconds("ksql.server.command.response.timeout.ms", COMMAND_TIMEOUT),
            websocket_timeout: milliseconds("ksql.websocket.connection.max.timeout.ms", WEBSOCKET_TIMEOUT),
            terminated: AtomicBool::new(false),
            security: Security::new(property).map_err(ServerError::Setting)?.headless(file),
            origins: Origins::new(property),
            pull_limits: Arc::new(PullLimits::new(property)),
            commands: Rate::new(COMMANDS_PER_SECOND, property),
            engine: Arc::clone(engine),
            cluster: Cluster::new(engine),
            was_complete: AtomicBool::new(false),
            stops: AtomicBool::new(false),
            statuses: Statuses::default(),
            numbers: AtomicU64::default(),
        })
    }

    /// The endpoints, at a listener `for_servers` or for clients only.
    fn router(self: &Arc<Self>, for_servers: bool) -> Router {
        let told = if for_servers { cluster::routes() } else { cluster::closed_routes() };
        Router::new()
            .route("/", get(|| async { Redirect::temporary("/info") }))
            .route("/ksql", post(statements_endpoint))
            .route("/query", post(query_endpoint))
            .route("/query-stream", post(query_stream_endpoint))
            .route("/inserts-stream", post(inserts::endpoint))
            .route("/close-query", post(close_query_endpoint))
            .route("/ksql/terminate", post(terminate::endpoint))
            .route("/ws/query", get(websocket::endpoint))
            .merge(info::routes())
            .merge(told)
            .fallback(|| async { Problem::new(Code::NOT_FOUND, "Not Found").into_response() })
            .method_not_allowed_fallback(|| async { Problem::new(Code(40500), "Method Not Allowed").into_response() })
            .layer(middleware::from_fn_with_state(Arc::clone(self), guard::guard))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(Arc::clone(self))
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

    /// The session of a client, if it sets what clients may set.
    fn checked(&self, session: Session) -> Result<Session, Problem> {
        let checked = self.engine.check_overrides(&session);
        checked.map_err(|error| Problem { code: Code::BAD_REQUEST, ..Problem::from(error) })?;
        Ok(session)
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
    answer_query(&server, (who, &headers), &body, Framing::Query, content_type).await
}

async fn query_stream_endpoint((State(server), Extension(who), headers): Asked, Content(body): Content) -> Endpoint {
    let form = RowForm::accepted(&headers, RowForm::Delimited)?;
    let framing = match form {
        RowForm::Delimited => Framing::Lines,
        RowForm::Json => Framing::Array,
        RowForm::Protobuf => Framing::Messages,
        RowForm::Arrow => Framing::Arrow,
    };
    answer_query(&server, (who, &headers), &body, framing, form.content_type()).await
}

async fn answer_query(
    server: &Arc<Server>,
    (who, headers): (Principal, &HeaderMap),
    body: &[u8],
    framing: Framing,
    content_type: &'static str,
) -> Endpoint {
    let request = StatementRequest::read(body)?;
    let authorization = headers.get(header::AUTHORIZATION).cloned();
    let answered = query::answer(server, who, request, authorization).await?;
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
