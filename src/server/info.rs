//! What the server says of itself: `/info`, `/healthcheck`, `/status` and their like.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use serde_json::{Value, json};

use super::problem::{Code, Problem};
use super::security::Right;
use super::{Asked, Endpoint, Server, json_answer, working};

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
        .route("/clusterStatus", get(cluster_status))
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
        let kafka = server.engine.check_topics().is_ok();
        let details = json!({
            "metastore": {"isHealthy": true},
            "kafka": {"isHealthy": kafka},
            "commandRunner": {"isHealthy": true},
        });
        (kafka, json!({"isHealthy": kafka, "details": details, "serverState": "READY"}))
    })
    .await?;
    let status = if is_healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((status, json_answer(JSON, &body)).into_response())
}

async fn ready(State(server): State<Arc<Server>>) -> Response {
    match working(move || server.engine.check_topics().is_ok()).await {
        Ok(true) => StatusCode::OK.into_response(),
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
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

async fn cluster_status(State(server): State<Arc<Server>>) -> Endpoint {
    let status = working(move || {
        let (outlines, _) = server.engine.outlines();
        let queries = outlines.iter().map(|outline| {
            (
                outline.info.id.to_string(),
                json!({"activeStores": [], "activePartitions": [], "standByStores": [], "standByPartitions": []}),
            )
        });
        let host = json!({
            "hostAlive": true,
            "lastStatusUpdateMs": server.engine.now_ms(),
            "activeStandbyPerQuery": Value::Object(queries.collect()),
            "hostStoreLags": {"stateStoreLags": {}, "updateTimeMs": 0},
        });
        json!({"clusterStatus": Value::Object([(server.host.clone(), host)].into_iter().collect())})
    });
    Ok(json_answer(JSON, &status.await?))
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
