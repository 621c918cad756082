//! The HTTP API of Confluent's Schema Registry on an [`EmbeddedRegistry`].
//!
//! Each endpoint is a function from what was asked to an answer; [`access`] lets in who may ask, [`call`] reads requests and writes answers.

mod access;
mod call;
mod problem;
mod schemas;
mod settings;
mod subjects;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{MethodRouter, delete, get, post, put};
use serde_json::json;

use super::EmbeddedRegistry;
use crate::http::{HttpServer, Listen};
pub use access::{Access, AccessError, Now};
use call::{Answer, Call, Endpoint};
use problem::Problem;

/// No schema of people is larger.
const BODY_BYTES_MAX: usize = 4 << 20;

/// The threads' name.
const NAME: &str = "schema-registry";

/// Why a registry is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// What properties say about who is let in cannot be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Nobody can listen there.
    #[error("cannot listen at {0}: {1}")]
    Listen(SocketAddr, io::Error),
}

/// Serves `registry` at `listen` to everybody.
pub fn serve(registry: Arc<EmbeddedRegistry>, listen: SocketAddr) -> io::Result<HttpServer> {
    HttpServer::start(NAME, listen, router(registry))
}

/// Serves `registry` at `listen`, with TLS if that says so, to those whom `access` lets in.
pub fn serve_to(
    registry: Arc<EmbeddedRegistry>,
    listen: Listen,
    access: &Arc<Access>,
) -> Result<HttpServer, ServeError> {
    let options = access.options(listen.has_tls).map_err(AccessError::from)?;
    let app = router(registry).layer(middleware::from_fn_with_state(Arc::clone(access), access::guard));
    HttpServer::start_with(NAME, listen.address, app, options)
        .map_err(|error| ServeError::Listen(listen.address, error))
}

fn router(registry: Arc<EmbeddedRegistry>) -> Router {
    let settings = |get_it, put_it, delete_it| on_get(get_it).merge(on_put(put_it)).merge(on_delete(delete_it));
    Router::new()
        .route("/", on_get(|_, _| Answer::json(json!({}))))
        .route("/v1/metadata/id", on_get(metadata_id))
        .route("/v1/metadata/version", on_get(|_, _| Answer::json(json!({"version": env!("CARGO_PKG_VERSION")}))))
        .route("/contexts", on_get(subjects::contexts))
        .route("/schemas", on_get(schemas::list))
        .route("/schemas/types", on_get(|_, _| Answer::json(json!(["JSON", "PROTOBUF", "AVRO"]))))
        .route("/schemas/ids/{id}", on_get(schemas::by_id))
        .route("/schemas/ids/{id}/schema", on_get(schemas::text_by_id))
        .route("/schemas/ids/{id}/subjects", on_get(schemas::subjects))
        .route("/schemas/ids/{id}/versions", on_get(schemas::versions))
        .route("/subjects", on_get(subjects::list))
        .route("/subjects/{subject}", on_post(subjects::look_up).merge(on_delete(subjects::delete)))
        .route("/subjects/{subject}/versions", on_get(subjects::versions).merge(on_post(subjects::register)))
        .route(
            "/subjects/{subject}/versions/{version}",
            on_get(subjects::version).merge(on_delete(subjects::delete_version)),
        )
        .route("/subjects/{subject}/versions/{version}/schema", on_get(subjects::text))
        .route("/subjects/{subject}/versions/{version}/referencedby", on_get(subjects::referenced_by))
        .route("/compatibility/subjects/{subject}/versions", on_post(subjects::check_all))
        .route("/compatibility/subjects/{subject}/versions/{version}", on_post(subjects::check_one))
        .route("/config", settings(settings::config, settings::set_config, settings::remove_config))
        .route("/config/{subject}", settings(settings::config, settings::set_config, settings::remove_config))
        .route("/mode", settings(settings::mode, settings::set_mode, settings::remove_mode))
        .route("/mode/{subject}", settings(settings::mode, settings::set_mode, settings::remove_mode))
        .fallback(|| async { Problem::http(404, "HTTP 404 Not Found").response() })
        .method_not_allowed_fallback(|| async { Problem::http(405, "HTTP 405 Method Not Allowed").response() })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(registry)
}

type Routes = MethodRouter<Arc<EmbeddedRegistry>>;

fn on_get(endpoint: Endpoint) -> Routes {
    get(move |call: Call| call.answered_by(endpoint))
}

fn on_post(endpoint: Endpoint) -> Routes {
    post(move |call: Call| call.answered_by(endpoint))
}

fn on_put(endpoint: Endpoint) -> Routes {
    put(move |call: Call| call.answered_by(endpoint))
}

fn on_delete(endpoint: Endpoint) -> Routes {
    delete(move |call: Call| call.answered_by(endpoint))
}

fn metadata_id(_: &EmbeddedRegistry, _: &Call) -> Result<Answer, Problem> {
    let clusters = json!({"kafka-cluster": "levada", "schema-registry-cluster": "schema-registry"});
    Answer::json(json!({"scope": {"path": [], "clusters": clusters}, "id": ""}))
}
