//! What servers tell each other: `/heartbeat` and `/lag`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::super::guard::Content;
use super::super::problem::{Code, Problem};
use super::super::{Endpoint, Server, json_answer};
use super::HostLags;
use super::status::cluster_status;

/// Routes of what servers tell each other, and of what is told of them.
pub fn routes() -> Router<Arc<Server>> {
    with_status().route("/heartbeat", post(heartbeat)).route("/lag", post(lag))
}

/// The same at a listener for clients, where there is another one for servers.
pub fn closed_routes() -> Router<Arc<Server>> {
    let closed =
        || async { Problem::new(Code::INTERNAL_ONLY, "only ksql.internal.listener answers this").into_response() };
    with_status().route("/heartbeat", post(closed)).route("/lag", post(closed))
}

fn with_status() -> Router<Arc<Server>> {
    Router::new().route("/clusterStatus", get(cluster_status))
}

/// Takes note of a server that lives.
async fn heartbeat(State(server): State<Arc<Server>>, headers: HeaderMap, Content(body): Content) -> Endpoint {
    let (host, _) = told(&server, &headers, &body, "hostInfo")?;
    server.cluster.heartbeats.note(&host, server.engine.elapsed());
    Ok(json_answer("application/json", &json!({"isOk": true})))
}

/// Takes note of how far the copies of a server are.
async fn lag(State(server): State<Arc<Server>>, headers: HeaderMap, Content(body): Content) -> Endpoint {
    let (host, body) = told(&server, &headers, &body, "ksqlHost")?;
    let lags = body.get("hostStoreLags").and_then(HostLags::from_json);
    let lags = lags.ok_or_else(|| Problem::bad_request("hostStoreLags is missing or not understood"))?;
    server.cluster.lags.note(&host, lags);
    Ok(json_answer("application/json", &json!({"isOk": true})))
}

/// What a server of this service tells: who it is, as `member` says, and all of it.
fn told(server: &Server, headers: &HeaderMap, body: &[u8], member: &str) -> Result<(String, Value), Problem> {
    if !server.cluster.is_server(headers) {
        return Err(Problem::new(Code::FORBIDDEN, "only servers of this service may tell this"));
    }
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::bad_request(format!("the request is not understood: {error}")))?;
    let text = |name: &str| body.get(member)?.get(name);
    let host = text("host").and_then(Value::as_str).zip(text("port").and_then(Value::as_u64));
    let (host, port) = host.ok_or_else(|| Problem::bad_request(format!("{member} does not say who tells this")))?;
    let host = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    Ok((host, body))
}
