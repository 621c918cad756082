//! A Kafka Connect of a test: it answers what the test says, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::http::HttpServer;

/// What was asked: method and path, the body, and who asks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) what: String,
    pub(crate) body: Value,
    pub(crate) authorization: Option<String>,
}

/// The server.
pub(crate) struct StandIn {
    server: HttpServer,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    /// One that answers as `answer` says to `GET /path?query` and a body: with a status and a body, which is no JSON if it is a text.
    pub(crate) fn start(answer: impl Fn(&str, &Value) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (heard, answer) = (Arc::clone(&asked), Arc::new(answer));
        let respond = move |request: Request| {
            let (heard, answer) = (Arc::clone(&heard), Arc::clone(&answer));
            async move {
                let (head, body) = request.into_parts();
                let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
                let body: Value = serde_json::from_slice(&body).unwrap_or_default();
                let what = format!("{} {}", head.method, head.uri);
                let authorization = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
                let one = Asked { what, body, authorization: authorization.map(str::to_owned) };
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(one.clone());
                // An answer may take its time: no thread of the server waits for it.
                let answered = tokio::task::spawn_blocking(move || answer(&one.what, &one.body)).await;
                let (status, body) = answered.unwrap_or((500, Value::Null));
                let body = match body {
                    Value::Null => String::new(),
                    Value::String(text) => text,
                    body => body.to_string(),
                };
                (StatusCode::from_u16(status).expect("a status"), body)
            }
        };
        let app = Router::new().fallback(respond);
        let server = HttpServer::start("test-connect", SocketAddr::from(([127, 0, 0, 1], 0)), app);
        Self { server: server.expect("it can listen"), asked }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// What it was asked, oldest first.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What `/connectors/NAME` answers.
pub(crate) fn info(name: &str, kind: &str) -> Value {
    json!({
        "name": name, "type": kind, "tasks": [{"connector": name, "task": 0}],
        "config": {"connector.class": "a.B", "name": name},
    })
}

/// What `/connectors/NAME/status` answers, of a connector whose tasks are in `states`.
pub(crate) fn status(name: &str, states: &[&str]) -> Value {
    let tasks = states.iter().enumerate();
    let tasks = tasks.map(|(id, state)| json!({"id": id, "state": state, "worker_id": "w:8083"}));
    json!({
        "name": name, "connector": {"state": "RUNNING", "worker_id": "w:8083"}, "tasks": tasks.collect::<Vec<_>>(),
        "type": "source",
    })
}
