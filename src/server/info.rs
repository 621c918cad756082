//! What the server says of itself: `/info`, `/healthcheck`, `/status` and their like.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use serde_json::{Value, json};

use super::problem::{Code, Problem};
use super::security::Right;
use super::{Asked, Endpoint, Server, json_answer, working};
use crate::engine::ServerState;

const JSON: &str = "application/json";

/// The version of ksqlDB whose API this is. Clients choose by it what they ask for.
const API_VERSION: &str = "8.0.0";

/// Routes of these endpoints.
pub fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/info", get(info))
        .route("/healthcheck", get(healthcheck))
        .route("/metrics", get(metrics))
        .route("/chc/live", get(|| async { StatusCode::OK }))
        .route("/chc/ready", get(ready))
        .route("/status", get(statuses))
        .route("/status/{kind}/{name}/{action}", get(status))
        .route("/v1/metadata", get(metadata))
        .route("/v1/metadata/id", get(metadata_id))
        .route("/is_valid_property/{property}", get(is_valid_property))
}

async fn info(State(server): State<Arc<Server>>) -> Endpoint {
    let info = working(move || {
        json!({"KsqlServerInfo": {
            "version": API_VERSION,
            "levadaVersion": env!("CARGO_PKG_VERSION"),
            "kafkaClusterId": server.engine.cluster_id(),
            "ksqlServiceId": server.engine.service_id(),
            "serverStatus": "RUNNING",
        }})
    });
    Ok(json_answer(JSON, &info.await?))
}

/// The type of Prometheus' text format.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

async fn metrics((State(server), Extension(who), _): Asked) -> Endpoint {
    server.security.check(&who, Right::Read)?;
    let text = working(move || server.engine.metrics().to_string()).await?;
    Ok(([(header::CONTENT_TYPE, METRICS)], text).into_response())
}

async fn healthcheck(State(server): State<Arc<Server>>) -> Endpoint {
    let (is_healthy, body) = working(move || {
        let (kafka, commands) = (server.engine.check_topics().is_ok(), server.engine.follows_commands());
        let is_healthy = kafka && commands;
        // Streams and tables are known as far as the command log is.
        let details = json!({
            "metastore": {"isHealthy": commands},
            "kafka": {"isHealthy": kafka},
            "commandRunner": {"isHealthy": commands},
        });
        (is_healthy, json!({"isHealthy": is_healthy, "details": details, "serverState": server.state_word()}))
    })
    .await?;
    let status = if is_healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((status, json_answer(JSON, &body)).into_response())
}

async fn ready(State(server): State<Arc<Server>>) -> Response {
    match working(move || server.is_ready() && server.engine.check_topics().is_ok()).await {
        Ok(true) => StatusCode::OK.into_response(),
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

impl Server {
    /// Whether clients should be sent here: its queries had all their state once, and it is not about to stop. What it takes over from
    /// others later comes while it answers.
    fn is_ready(&self) -> bool {
        if !self.was_complete.load(Ordering::Acquire) && self.engine.server_state() == ServerState::Complete {
            self.was_complete.store(true, Ordering::Release);
        }
        self.was_complete.load(Ordering::Acquire) && !self.stops.load(Ordering::Acquire)
    }

    /// Where it is between its start and its end, in ksqlDB's words.
    fn state_word(&self) -> &'static str {
        match (self.stops.load(Ordering::Acquire), self.is_ready()) {
            (true, _) => "TERMINATING",
            (false, true) => "READY",
            (false, false) => "INITIALIZING",
        }
    }
}

async fn statuses(State(server): State<Arc<Server>>) -> Response {
    json_answer(JSON, &server.statuses.all())
}

async fn status(
    State(server): State<Arc<Server>>,
    Path((kind, name, action)): Path<(String, String, String)>,
) -> Endpoint {
    let id = format!("{kind}/{name}/{action}");
    let status = server.statuses.get(&id);
    let status = status.ok_or_else(|| Problem::new(Code::NOT_FOUND, format!("Command not found: {id}")))?;
    Ok(json_answer(JSON, &status))
}

fn cluster_scope(server: &Server) -> Value {
    json!({
        "path": [],
        "clusters": {"kafka-cluster": server.engine.cluster_id(), "ksql-cluster": server.engine.service_id()},
    })
}

async fn metadata(State(server): State<Arc<Server>>) -> Endpoint {
    let body =
        working(move || json!({"version": API_VERSION, "clusterId": {"id": "", "scope": cluster_scope(&server)}}));
    Ok(json_answer(JSON, &body.await?))
}

async fn metadata_id(State(server): State<Arc<Server>>) -> Endpoint {
    let body = working(move || json!({"id": "", "scope": cluster_scope(&server)}));
    Ok(json_answer(JSON, &body.await?))
}

async fn is_valid_property(State(server): State<Arc<Server>>, Path(property): Path<String>) -> Endpoint {
    let checked = working(move || server.engine.check_property(&property)).await?;
    checked.map_err(|error| Problem { code: Code::BAD_REQUEST, ..Problem::from(error) })?;
    Ok(json_answer(JSON, &Value::Bool(true)))
}
