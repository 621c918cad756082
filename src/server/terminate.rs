//! `/ksql/terminate`: the end of a service for good. Its queries, streams and tables go, and the topics that are named.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Extension;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::Content;
use super::problem::{Code, Problem};
use super::security::{Principal, Right};
use super::{Endpoint, Server, json_answer, working};
use crate::engine::Session;

#[derive(Debug, Default, Deserialize)]
struct TerminateRequest {
    /// Names of topics, or patterns that the whole of a name must match.
    #[serde(rename = "deleteTopicList", default)]
    delete_topics: Vec<String>,
}

/// Ends the service.
pub async fn endpoint(
    State(server): State<Arc<Server>>,
    Extension(who): Extension<Principal>,
    Content(body): Content,
) -> Endpoint {
    server.security.check(&who, Right::Define)?;
    let request: TerminateRequest = if body.is_empty() {
        TerminateRequest::default()
    } else {
        serde_json::from_slice(&body)
            .map_err(|error| Problem::bad_request(format!("the request is not understood: {error}")))?
    };
    let entity = working(move || {
        server.terminated.store(true, Ordering::Release);
        // What could not be ended is there still, and can be asked about.
        terminate(&server, &request).inspect_err(|_| server.terminated.store(false, Ordering::Release))
    })
    .await??;
    Ok(json_answer("application/json", &Value::Array(vec![entity])))
}

fn terminate(server: &Server, request: &TerminateRequest) -> Result<Value, Problem> {
    let patterns = request.delete_topics.iter().map(|text| {
        fancy_regex::Regex::new(&format!("^(?:{text})$"))
            .map_err(|error| Problem::bad_request(format!("'{text}' is no pattern of names of topics: {error}")))
    });
    let patterns: Vec<fancy_regex::Regex> = patterns.collect::<Result<_, _>>()?;
    let engine = &server.engine;
    let mut session = Session::default();
    let mut run = |text: &str| engine.execute(&mut session, text, &mut |_| ()).map_err(Problem::from);
    run("TERMINATE ALL;")?;
    // What reads others goes first: who was created last.
    let sources: Vec<_> = engine.catalog().sources().cloned().collect();
    let mut left: Vec<_> = sources.iter().collect();
    while !left.is_empty() {
        let before = left.len();
        let mut failure = None;
        left.retain(|source| {
            let is_doomed = patterns.iter().any(|pattern| pattern.is_match(&source.topic).unwrap_or(false));
            let delete = if is_doomed && !source.is_source { " DELETE TOPIC" } else { "" };
            let name = crate::sql::quote_name(&source.name);
            let dropped = run(&format!("DROP {} IF EXISTS {name}{delete};", source.collection.keyword()));
            dropped.map_err(|problem| failure = Some(problem)).is_err()
        });
        if left.len() == before {
            return Err(failure.unwrap_or_else(|| Problem::new(Code::SERVER_ERROR, "something cannot be dropped")));
        }
    }
    Ok(json!({
        "@type": "currentStatus",
        "statementText": "TERMINATE CLUSTER;",
        "commandId": "cluster/TerminateCluster/terminate",
        "commandStatus": {"status": "SUCCESS", "message": "The service has ended: its queries, streams and tables are gone.", "queryId": null},
        "commandSequenceNumber": engine.next_command().saturating_sub(1),
        "warnings": [],
    }))
}
